/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/page.h"

#include "core/memory.h"
#include "report/cards.h"
#include "report/format.h"
#include "report/oracle.h"
#include "report/reason.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lb_status lb_page_fail(lb_page *p, lb_status st)
{
    if (st != LB_OK)
        lb_error_within(p->err, "%s:%d:%d", p->place.file, p->place.line, p->place.column);
    return st;
}

char *lb_page_finish(lb_page *p)
{
    lb_text page = {0};
    lb_oracle_explain(p->out.s ? p->out.s : "", lb_facts_language(p->facts), &page);
    lb_text_free(&p->out);
    return lb_text_take(&page);
}

lb_prose_kind lb_page_here(lb_page *p)
{
    while (p->scanned < p->out.length)
        lb_prose_step(&p->prose, p->out.s + p->scanned++);
    return p->prose.kind;
}

double lb_page_level(const lb_page *p)
{
    const double level = lb_spec_number(lb_facts_spec(p->facts), "bootstrap.level");
    return isfinite(level) ? level : 0.95;
}

void lb_page_verdict_to(lb_page *p, const lb_verdict *verdict, lb_text *out)
{
    static const struct {
        const char *outcome, *shown, *class;
    } words[] = {{"PASS", "PASS ✅", "verdict .pass"},
                 {"PARTIAL", "PARTIAL ⚠️", "verdict .partial"},
                 {"FAIL", "FAIL ❌", "verdict .fail"},
                 {"INCONCLUSIVE", "INCONCLUSIVE ❓", "verdict .inconclusive"},
                 {"NOT RUN", "NOT RUN ⏳", "verdict .not-run"}};
    size_t i = 0;
    while (i < 4 && strcmp(words[i].outcome, verdict->outcome) != 0)
        i++;
    char *note = lb_xprintf("%s · %s%s%s", verdict->id, verdict->rule, *verdict->rule ? " · " : "",
                            verdict->detail);
    lb_page_noted(p, words[i].shown, words[i].class, note, out);
    free(note);
}

/* --- numbers -----------------------------------------------------------------------------------
 */

/* The mark as it reads where the number stands; an address or attribute takes none. */
static const char *mark_for(const lb_fact *fact, lb_prose_kind here)
{
    if (!fact->number || !lb_oracle_marks(fact->number, fact->field))
        return "";
    return here == LB_PROSE        ? LB_ORACLE_MARK
           : here == LB_PROSE_MATH ? "^{\\text{" LB_ORACLE_MARK "}}"
           : here == LB_PROSE_CODE ? " (oracle)"
                                   : "";
}

void lb_page_anchor(const char *key, lb_text *out)
{
    lb_text_add(out, "#n-");
    for (const char *c = key; *c; c++)
        lb_text_addn(out, *c == '.' ? "-" : c, 1);
}

bool lb_page_is_chinese(const lb_page *p)
{
    return strcmp(lb_facts_language(p->facts), "zh") == 0;
}

lb_status lb_page_fact_to(lb_page *p, const lb_fact *fact, const char *format, lb_text *markup,
                          lb_text *plain)
{
    const lb_prose_kind here = lb_page_here(p);
    const bool ascii = here != LB_PROSE;
    lb_text shown = {0};
    lb_status st = LB_OK;
    const bool counts = fact->field && strcmp(fact->field, "n") == 0;
    if (fact->number && *fact->number->na && !counts && lb_format_check(format, p->err) == LB_OK) {
        char *phrase = lb_reason_phrase(fact->number->na, !ascii && lb_page_is_chinese(p));
        lb_text_add(&shown, phrase);
        free(phrase);
    } else if (fact->number)
        st = lb_format_number(fact->number, fact->field, format, ascii, &shown, p->err);
    else if (format && *format)
        st = LB_FAIL(p->err, LB_EFORMAT, "is a text and takes no format '%s'", format);
    else
        lb_text_add(&shown, fact->text);
    if (st != LB_OK) {
        lb_text_free(&shown);
        lb_error_within(p->err, "%s", fact->key);
        return st;
    }
    const char *mark = mark_for(fact, here);
    char *s = lb_text_take(&shown);
    lb_text_printf(plain, "%s%s", s, mark);
    const size_t n = strlen(s);
    if (p->dialect == LB_ANNOTATED && fact->number && fact->record && !ascii) {
        lb_text_printf(markup, "[%s%s](", s, mark);
        lb_page_anchor(fact->key, markup);
        lb_text_add(markup, ")");
    } else if (here == LB_PROSE_MATH && n > 0 && s[n - 1] == '%') {
        lb_text_printf(markup, "%.*s\\%%%s", (int)n - 1, s, mark);
    } else {
        lb_text_printf(markup, "%s%s", s, mark);
    }
    free(s);
    return LB_OK;
}

lb_status lb_page_fact(lb_page *p, const lb_fact *fact, const char *format)
{
    lb_text markup = {0}, plain = {0};
    const lb_status st = lb_page_fact_to(p, fact, format, &markup, &plain);
    if (st == LB_OK && markup.s)
        lb_text_add(&p->out, markup.s);
    lb_text_free(&markup);
    lb_text_free(&plain);
    return st;
}

void lb_page_noted(lb_page *p, const char *text, const char *class, const char *note, lb_text *out)
{
    if (p->dialect == LB_CLEAN || lb_page_here(p) != LB_PROSE) {
        lb_text_add(out, text);
        return;
    }
    lb_text_printf(out, "[%s]{.%s title=\"", text, class);
    for (; *note; note++) /* an attribute in a table cell: no quotes, newlines or bars */
        lb_text_addn(out, *note == '"' ? "'" : *note == '\n' || *note == '|' ? " " : note, 1);
    lb_text_add(out, "\"}");
}

/* --- settings ----------------------------------------------------------------------------------
 */

static void add_scalar(lb_page *p, const lb_yaml_node *node, lb_text *out)
{
    double ignored;
    const char *s = node->text;
    if (*s == '-' && lb_yaml_number(node, &ignored) && lb_page_here(p) == LB_PROSE) {
        lb_text_add(out, "\u2212");
        s++;
    }
    lb_text_add(out, s);
}

/* A scalar or a list of scalars. */
static lb_status add_setting(lb_page *p, const lb_yaml_node *node, const char *path, lb_text *out)
{
    if (node->kind == LB_YAML_MAP)
        return LB_FAIL(p->err, LB_EFORMAT, "%s is a map: name one of its entries", path);
    if (node->kind == LB_YAML_SCALAR) {
        add_scalar(p, node, out);
        return LB_OK;
    }
    for (size_t i = 0; i < node->n; i++) {
        if (node->items[i]->kind != LB_YAML_SCALAR)
            return LB_FAIL(p->err, LB_EFORMAT, "%s is a list of more than plain values", path);
        lb_text_add(out, i > 0 ? ", " : "");
        add_scalar(p, node->items[i], out);
    }
    return LB_OK;
}

static lb_status fill_setting(lb_page *p, const lb_node *node)
{
    const char *path = node->text + strlen("spec.");
    const lb_spec *spec = lb_facts_spec(p->facts);
    const lb_yaml_node *setting = lb_spec_node(spec, path);
    double value;
    if (!setting) {
        const char *near = lb_spec_nearest(spec, path);
        return LB_FAIL(p->err, LB_ENAME, "no '%s' in %s%s%s%s", path, lb_spec_path(spec),
                       near ? ": did you mean 'spec." : "", near ? near : "", near ? "'?" : "");
    }
    lb_text text = {0};
    lb_status st;
    if (node->format && lb_yaml_number(setting, &value)) {
        const lb_number x = lb_number_plain(value, "setting", "");
        st = lb_format_number(&x, NULL, node->format, lb_page_here(p) != LB_PROSE, &text, p->err);
    } else if (node->format) {
        st = LB_FAIL(p->err, LB_EFORMAT, "%s is no number and takes no format", node->text);
    } else if (setting->kind == LB_YAML_MAP && lb_yaml_get(setting, "en")) {
        char *sentence;
        st = lb_page_sentence(p, path, &sentence);
        if (st == LB_OK)
            lb_text_add(&text, sentence);
        free(sentence);
    } else {
        st = add_setting(p, setting, node->text, &text);
    }
    if (st == LB_OK && text.s) {
        if (lb_yaml_number(setting, &value))
            lb_page_noted(p, text.s, "setting", node->text, &p->out);
        else
            lb_text_add(&p->out, text.s);
    }
    lb_text_free(&text);
    return st;
}

lb_status lb_page_sentence(lb_page *p, const char *path, char **out)
{
    const lb_spec *spec = lb_facts_spec(p->facts);
    const lb_yaml_node *node = lb_yaml_get(lb_spec_node(spec, path), lb_facts_language(p->facts));
    *out = NULL;
    if (!node || node->kind != LB_YAML_SCALAR) {
        *out = lb_xstrdup("");
        return LB_OK;
    }
    lb_template *t;
    const lb_position start = {lb_spec_path(spec), node->line, node->column};
    lb_status st = lb_template_parse(node->text, start, NULL, "", &t, p->err);
    if (st != LB_OK)
        return st;
    lb_page inner = {.facts = p->facts, .dialect = p->dialect, .folder = p->folder, .err = p->err};
    st = lb_page_fill(&inner, t);
    if (st == LB_OK)
        *out = lb_text_take(&inner.out);
    lb_text_free(&inner.out);
    lb_template_free(t);
    return st;
}

/* --- rows of tables ----------------------------------------------------------------------------
 */

/* "R2 full" answers to r2_full. */
static bool is_column(const char *heading, const char *name)
{
    bool gap = false;
    for (; *heading; heading++) {
        if (!isalnum((unsigned char)*heading)) {
            gap = true;
            continue;
        }
        if (gap && *name++ != '_')
            return false;
        gap = false;
        if (tolower((unsigned char)*heading) != *name++)
            return false;
    }
    return *name == '\0' || (gap && strspn(name, "_") == strlen(name));
}

/* The loop whose variable opens @p name, NULL if none; @p column receives what follows the dot. */
static const lb_loop *loop_of(const lb_page *p, const char *name, const char **column)
{
    for (const lb_loop *loop = p->loop; loop; loop = loop->outer) {
        const size_t n = strlen(loop->variable);
        if (strncmp(name, loop->variable, n) == 0 && name[n] == '.') {
            *column = name + n + 1;
            return loop;
        }
    }
    return NULL;
}

/* The cell "row.column" stands for, as a fact; @p format receives its column's. */
static lb_status find_cell(lb_page *p, const lb_loop *loop, const char *column, lb_fact *out,
                           const char **format, lb_error *err)
{
    const lb_table *t = loop->table;
    char name[128];
    const char *field = lb_name_split(column, name, sizeof name);
    for (size_t j = 0; j < t->cols; j++) {
        if (!is_column(t->columns[j].name, name))
            continue;
        const lb_cell *cell = &t->cells[loop->row * t->cols + j];
        *format = t->columns[j].format;
        if (lb_format_emphasises(*format))
            *format = NULL;
        *out = (lb_fact){.key = t->columns[j].name, .text = cell->text};
        lb_status st = LB_OK;
        if (cell->key)
            st = lb_facts_find(p->facts, cell->key, out, err);
        if (field && out->number)
            out->field = field;
        return st;
    }
    lb_text columns = {0};
    for (size_t j = 0; j < t->cols; j++)
        lb_text_printf(&columns, "%s%s", j > 0 ? " | " : "", t->columns[j].name);
    const lb_status st = LB_FAIL(err, LB_ENAME, "table %s has no column '%s' (%s)", t->id, name,
                                 columns.s ? columns.s : "");
    lb_text_free(&columns);
    return st;
}

static lb_status scope_name(void *self, const char *name, lb_value *out, lb_error *err)
{
    lb_page *p = self;
    const char *column, *format;
    const lb_loop *loop = loop_of(p, name, &column);
    if (!loop) {
        const lb_scope facts = lb_facts_scope(p->facts);
        return facts.name(facts.self, name, out, err);
    }
    lb_fact fact;
    const lb_status st = find_cell(p, loop, column, &fact, &format, err);
    if (st != LB_OK)
        return st;
    *out = fact.number ? lb_value_of(fact.number, fact.field)
                       : (lb_value){.kind = LB_VALUE_TEXT, .text = fact.text};
    return LB_OK;
}

static lb_status scope_verdict(void *self, const char *id, lb_value *out, lb_error *err)
{
    lb_page *p = self;
    const lb_scope facts = lb_facts_scope(p->facts);
    return facts.verdict(facts.self, id, out, err);
}

/* --- nodes -------------------------------------------------------------------------------------
 */

static lb_status fill_nodes(lb_page *p, const lb_node *node);

static lb_status fill_value(lb_page *p, const lb_node *node)
{
    if (strncmp(node->text, "spec.", 5) == 0)
        return fill_setting(p, node);
    const char *column, *format = NULL;
    const lb_loop *loop = loop_of(p, node->text, &column);
    lb_fact fact;
    const lb_status st = loop ? find_cell(p, loop, column, &fact, &format, p->err)
                              : lb_facts_find(p->facts, node->text, &fact, p->err);
    if (st != LB_OK)
        return st;
    if (fact.field)
        format = NULL;
    return lb_page_fact(p, &fact, node->format ? node->format : fact.number ? format : NULL);
}

static lb_status fill_verdict(lb_page *p, const lb_node *node)
{
    const lb_verdict *verdict;
    const lb_status st = lb_facts_verdict(p->facts, node->text, &verdict, p->err);
    if (st != LB_OK)
        return st;
    lb_page_verdict_to(p, verdict, &p->out);
    return LB_OK;
}

static lb_status fill_published(lb_page *p, const lb_node *node)
{
    if (!node->text)
        return lb_card_published(p);
    const lb_published *published;
    const lb_status st = lb_facts_published(p->facts, &published, p->err);
    if (st != LB_OK)
        return st;
    const lb_published_entry *entry = lb_published_find(published, node->text);
    if (!entry) {
        const char *near = lb_published_nearest(published, node->text);
        return LB_FAIL(p->err, LB_ENAME, "nothing published under '%s'%s%s%s", node->text,
                       near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    if (node->format && !(isfinite(entry->ci_lo) && isfinite(entry->ci_hi)))
        return LB_FAIL(p->err, LB_ENAME, "no interval was published under '%s'", node->text);
    lb_text value = {0};
    lb_format_published(entry, node->format != NULL, lb_page_here(p) != LB_PROSE, &value);
    char *note = lb_xprintf("published: %s · %s", entry->key, entry->source);
    lb_page_noted(p, value.s, "published", note, &p->out);
    free(note);
    lb_text_free(&value);
    return LB_OK;
}

/* The truth of a branch's condition; else is always true. */
static lb_status decide(lb_page *p, const lb_node *branch, lb_truth *truth, lb_text *values)
{
    *truth = LB_TRUE;
    if (!branch->text)
        return LB_OK;
    lb_condition *condition;
    lb_status st = lb_condition_parse(branch->text, &condition, p->err);
    if (st == LB_OK) {
        const lb_scope scope = {scope_name, scope_verdict, p};
        st = lb_condition_evaluate(condition, &scope, truth, p->err);
        if (st == LB_OK && values)
            lb_condition_explain(condition, &scope, values);
        lb_condition_free(condition);
    }
    if (st != LB_OK)
        lb_error_within(p->err, "in the condition '%s'", branch->text);
    return st;
}

static lb_status fill_if(lb_page *p, const lb_node *node)
{
    for (const lb_node *branch = node->body; branch; branch = branch->next) {
        lb_truth truth;
        p->place = branch->place;
        const lb_status st = decide(p, branch, &truth, NULL);
        if (st != LB_OK)
            return lb_page_fail(p, st);
        if (truth == LB_TRUE)
            return fill_nodes(p, branch->body);
    }
    return LB_OK;
}

/* May the text from @p s on stand between brackets: one line, balanced, no list, heading or table?
 */
static bool is_inline(const char *s)
{
    int open = 0;
    if (!*s || strpbrk(s, "\n`") || strchr("-+#>|[ \t", *s) || (*s == '*' && s[1] == ' '))
        return false;
    for (; *s; s++) {
        open += (*s == '[') - (*s == ']');
        if (open < 0)
            return false;
    }
    return open == 0;
}

/* The sentence of a claim; pandoc's readers see the condition and its values behind it. */
static lb_status fill_sentence(lb_page *p, const lb_node *body, const char *condition,
                               const char *values)
{
    const bool prose = lb_page_here(p) == LB_PROSE;
    const size_t before = p->out.length;
    const lb_prose scanner = p->prose;
    const lb_status st = fill_nodes(p, body);
    if (st != LB_OK || p->dialect == LB_CLEAN || !prose || p->out.length == before ||
        !is_inline(p->out.s + before))
        return st;
    char *sentence = lb_xstrdup(p->out.s + before);
    char *note = lb_xprintf("%s · %s", condition, values);
    p->out.length = before;
    p->out.s[before] = '\0';
    p->scanned = before;
    p->prose = scanner;
    lb_page_noted(p, sentence, "claim", note, &p->out);
    free(note);
    free(sentence);
    return LB_OK;
}

/* A claim whose truth is unknown has no sentence to show: neither branch was said to hold then. */
static lb_status fill_claim(lb_page *p, const lb_node *node)
{
    const lb_node *claim = node->body, *other = claim->next;
    lb_text values = {0};
    lb_truth truth;
    lb_status st = decide(p, claim, &truth, &values);
    if (st != LB_OK)
        lb_page_fail(p, st);
    else if (truth == LB_TRUE)
        st = fill_sentence(p, claim->body, claim->text, values.s ? values.s : "");
    else if (truth == LB_FALSE && other)
        st = fill_sentence(p, other->body, claim->text, values.s ? values.s : "");
    else
        st = lb_fail_at(
            p->err, LB_EFINDING, node->place,
            truth == LB_UNKNOWN
                ? "nobody knows whether this claim is true: %s (%s); guard it with defined()"
                : "this claim is false and has no else: %s (%s)",
            claim->text, values.s ? values.s : "");
    lb_text_free(&values);
    return st;
}

static lb_status fill_for(lb_page *p, const lb_node *node)
{
    lb_loop loop = {.variable = node->format, .outer = p->loop};
    lb_status st = lb_facts_table(p->facts, node->text, &loop.table, p->err);
    if (st != LB_OK)
        return lb_page_fail(p, st);
    p->loop = &loop;
    for (; st == LB_OK && loop.row < loop.table->rows; loop.row++)
        st = fill_nodes(p, node->body);
    p->loop = loop.outer;
    return st;
}

/* "@tbl:T02.1" or "@fig:F02.1" at @p s: how long it is, 0 if there is none; never a mail address.
 */
static size_t reference_at(const char *text, const char *s)
{
    static const char ids[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.";
    if ((strncmp(s, "@tbl:", 5) != 0 && strncmp(s, "@fig:", 5) != 0) ||
        (s > text && isalnum((unsigned char)s[-1])))
        return 0;
    size_t n = 5 + strspn(s + 5, ids);
    while (s[n - 1] == '.')
        n--;
    return n > 5 ? n : 0;
}

/* A forge shows the name of the table or figure where pandoc makes a link of it. */
static lb_status fill_reference(lb_page *p, const char *s, size_t n)
{
    const bool table = s[1] == 't', chinese = lb_page_is_chinese(p);
    const lb_spec *spec = lb_facts_spec(p->facts);
    char *path = lb_xprintf("%s.%.*s", table ? "tables" : "figures", (int)n - 5, s + 5);
    lb_status st = LB_OK;
    if (!lb_spec_has(spec, path))
        st = LB_FAIL(p->err, LB_ENAME, "'%.*s' refers to nothing in %s", (int)n, s,
                     lb_spec_path(spec));
    else if (p->dialect == LB_ANNOTATED)
        lb_text_addn(&p->out, s, n);
    else
        lb_text_printf(&p->out, "%s %.*s",
                       table ? (chinese ? "表" : "Table") : (chinese ? "图" : "Figure"), (int)n - 5,
                       s + 5);
    free(path);
    return st;
}

static lb_status fill_text(lb_page *p, const char *text)
{
    const char *done = text;
    if (strstr(text, LB_ORACLE_MARK))
        return LB_FAIL(p->err, LB_EFINDING,
                       "'%s' marks oracle numbers and is written by the filler alone: choose "
                       "another sign",
                       LB_ORACLE_MARK);
    for (const char *s = strchr(text, '@'); s; s = strchr(s + 1, '@')) {
        const size_t n = reference_at(text, s);
        lb_text_addn(&p->out, done, (size_t)(s - done));
        done = s;
        if (n > 0 && lb_page_here(p) == LB_PROSE) {
            const lb_status st = fill_reference(p, s, n);
            if (st != LB_OK)
                return st;
            done = s + n;
        }
    }
    lb_text_add(&p->out, done);
    return LB_OK;
}

/* Does a tag of this kind speak of the experiment the page belongs to? A view belongs to none. */
static bool is_of_experiment(const lb_node *node)
{
    return node->kind == LB_NODE_FIGURE || node->kind == LB_NODE_HYPOTHESES ||
           node->kind == LB_NODE_SCOPE || node->kind == LB_NODE_PROVENANCE ||
           node->kind == LB_NODE_DIFFERENCES || (node->kind == LB_NODE_PUBLISHED && !node->text);
}

/* A node without children. */
static lb_status fill_leaf(lb_page *p, const lb_node *node)
{
    if (!lb_facts_record(p->facts) && is_of_experiment(node))
        return LB_FAIL(p->err, LB_EFORMAT, "this tag needs a report: a view has no experiment");
    switch (node->kind) {
    case LB_NODE_TEXT:
        return fill_text(p, node->text);
    case LB_NODE_VALUE:
        return fill_value(p, node);
    case LB_NODE_TABLE:
        return lb_card_table(p, node->text);
    case LB_NODE_FIGURE:
        return lb_card_figure(p, node->text);
    case LB_NODE_VERDICT:
        return fill_verdict(p, node);
    case LB_NODE_CODE:
        return lb_card_code(p, node->text);
    case LB_NODE_PUBLISHED:
        return fill_published(p, node);
    case LB_NODE_HYPOTHESES:
        return lb_card_hypotheses(p);
    case LB_NODE_SCOPE:
        return lb_card_scope(p);
    case LB_NODE_DIFFERENCES:
        return lb_card_differences(p);
    default:
        return lb_card_provenance(p, node->text);
    }
}

static lb_status fill_nodes(lb_page *p, const lb_node *node)
{
    lb_status st = LB_OK;
    for (; node && st == LB_OK; node = node->next) {
        p->place = node->place;
        if (node->kind == LB_NODE_IF)
            st = fill_if(p, node);
        else if (node->kind == LB_NODE_CLAIM)
            st = fill_claim(p, node);
        else if (node->kind == LB_NODE_FOR)
            st = fill_for(p, node);
        else
            st = lb_page_fail(p, fill_leaf(p, node));
    }
    return st;
}

lb_status lb_page_fill(lb_page *p, const lb_template *t)
{
    return fill_nodes(p, lb_template_nodes(t));
}
