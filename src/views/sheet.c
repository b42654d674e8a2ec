/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/sheet.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/page.h"
#include "report/path.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- building ----------------------------------------------------------------------------------
 */

static const char *keep(lb_sheets *t, char *text)
{
    t->owned = lb_xrealloc(t->owned, t->n_owned + 1, sizeof *t->owned);
    return t->owned[t->n_owned++] = text;
}

bool lb_sheet_is_chinese(const lb_sheets *t)
{
    return strcmp(t->language, "zh") == 0;
}

const char *lb_sheet_pick(const lb_sheets *t, const char *en, const char *zh)
{
    return lb_sheet_is_chinese(t) ? zh : en;
}

/* Begin a table; rows are filled cell by cell. */
void lb_sheet_begin(lb_sheets *t, const char *id, const lb_column *columns, size_t n)
{
    t->tables = lb_xrealloc(t->tables, t->n_tables + 1, sizeof *t->tables);
    t->tables[t->n_tables++] = (lb_table){.id = id, .cols = n, .columns = columns};
}
#define LB_BEGIN(t, id, columns) lb_sheet_begin(t, id, columns, sizeof(columns) / sizeof *(columns))

void lb_sheet_row(lb_sheets *t)
{
    lb_table *table = &t->tables[t->n_tables - 1];
    const size_t n = ++table->rows * table->cols;
    table->cells = lb_xrealloc((lb_cell *)table->cells, n, sizeof *table->cells);
    memset((lb_cell *)table->cells + (n - table->cols), 0, table->cols * sizeof *table->cells);
}

/* The next free cell of the last row. */
static lb_cell *next_cell(lb_sheets *t)
{
    lb_table *table = &t->tables[t->n_tables - 1];
    lb_cell *cells = (lb_cell *)table->cells + (table->rows - 1) * table->cols;
    while (cells->text || cells->key)
        cells++;
    return cells;
}

/* A text; newlines and bars would break the tables of the pages. Takes @p s. */
void lb_sheet_give(lb_sheets *t, char *s)
{
    lb_text safe = {0};
    for (const char *c = s; *c; c++)
        lb_text_add(&safe, *c == '\n' ? " " : *c == '|' ? "\\|" : (char[]){*c, '\0'});
    free(s);
    next_cell(t)->text = keep(t, lb_text_take(&safe));
}

void lb_sheet_block(lb_sheets *t, char *lines)
{
    next_cell(t)->text = keep(t, lines);
}

void lb_sheet_put(lb_sheets *t, const char *s)
{
    lb_sheet_give(t, lb_xstrdup(*s ? s : "—"));
}

void lb_sheet_fact(lb_sheets *t, const char *name, char *text)
{
    t->facts = lb_xrealloc(t->facts, t->n_facts + 1, sizeof *t->facts);
    t->facts[t->n_facts++] =
        (lb_fact){.key = keep(t, lb_xprintf("view.%s", name)), .text = keep(t, text)};
}

void lb_sheet_count(lb_sheets *t, const char *name, size_t n)
{
    t->facts = lb_xrealloc(t->facts, t->n_facts + 1, sizeof *t->facts);
    lb_number *x = lb_xcalloc(1, sizeof *x);
    *x = lb_number_count(n);
    keep(t, (char *)x);
    t->facts[t->n_facts++] = (lb_fact){.key = keep(t, lb_xprintf("view.%s", name)), .number = x};
}

/* --- texts -------------------------------------------------------------------------------------
 */

static lb_page page_over(const lb_sheets *t, lb_facts *facts)
{
    return (lb_page){.facts = facts, .dialect = t->dialect, .folder = t->pages, .err = t->err};
}

/* Words of the programme in the language, filled. The caller frees them. */
char *lb_sheet_words(lb_sheets *t, const lb_yaml_node *node)
{
    const lb_yaml_node *text = lb_yaml_get(node, t->language);
    lb_template *template = NULL;
    lb_page page = page_over(t, t->survey->facts);
    const lb_position start = {t->survey->programme.yaml->name, text->line, text->column};
    if (t->st == LB_OK)
        t->st = lb_template_parse(text->text, start, NULL, "", &template, t->err);
    if (t->st == LB_OK)
        t->st = lb_page_fill(&page, template);
    lb_template_free(template);
    return lb_text_take(&page.out);
}

/* A sentence of a spec, filled from its record; without one, a sentence that needs no filling. */
static char *sentence(lb_sheets *t, const lb_member *m, const char *path)
{
    char *out = NULL;
    const char *raw = lb_spec_text(m->spec, path, t->language);
    if (!m->facts)
        return lb_xstrdup(strchr(raw, '{') ? "—" : raw);
    lb_page page = page_over(t, m->facts);
    if (t->st == LB_OK)
        t->st = lb_page_sentence(&page, path, &out);
    return out ? out : lb_xstrdup("");
}

char *lb_sheet_question(lb_sheets *t, const lb_member *m)
{
    return sentence(t, m, "question");
}

char *lb_sheet_claim(lb_sheets *t, const lb_member *m, const char *id, const char *which)
{
    char *path = lb_xprintf("hypotheses.%s.%s", id, which);
    char *out = sentence(t, m, path);
    free(path);
    return out;
}

/* What the outcome decides, by the spec. */
char *lb_sheet_decision(lb_sheets *t, const lb_member *m, const char *id, const char *outcome)
{
    const char *which = !outcome                          ? NULL
                        : strcmp(outcome, "PASS") == 0    ? "if_pass"
                        : strcmp(outcome, "PARTIAL") == 0 ? "if_partial"
                        : strcmp(outcome, "FAIL") == 0    ? "if_fail"
                                                          : NULL;
    return which ? lb_sheet_claim(t, m, id, which)
                 : lb_xstrdup(lb_sheet_pick(t, "No decision yet.", "尚无决定。"));
}

char *lb_sheet_report(lb_sheets *t, const lb_member *m)
{
    char *path = lb_xprintf("%s/report.%s.md", m->folder, t->language), *text = NULL;
    if (t->st == LB_OK)
        t->st = lb_file_read(path, &text, NULL, t->err);
    free(path);
    return text ? text : lb_xstrdup("");
}

char *lb_sheet_line(lb_sheets *t, const lb_member *m, const char *line)
{
    lb_page page = page_over(t, m->facts);
    lb_template *template = NULL;
    char *path = lb_xprintf("%s/report.%s.md", m->folder, t->language);
    const lb_position start = {path, 1, 1};
    if (t->st == LB_OK)
        t->st = lb_template_parse(line, start, t->survey->places->shared, t->language, &template,
                                  t->err);
    if (t->st == LB_OK)
        t->st = lb_page_fill(&page, template);
    lb_template_free(template);
    free(path);
    return lb_text_take(&page.out);
}

/* The first quoted line of the template. */
char *lb_sheet_finding(lb_sheets *t, const lb_member *m)
{
    if (!m->facts)
        return lb_xstrdup("");
    char *text = lb_sheet_report(t, m), *line = strstr(text, "\n> ");
    if (line)
        line[3 + strcspn(line + 3, "\n")] = '\0';
    char *out = line ? lb_sheet_line(t, m, line + 3) : lb_xstrdup("");
    free(text);
    return out;
}

/* "E02" */
char *lb_sheet_label(const lb_member *m)
{
    char *s = lb_xstrdup(m->id);
    s[0] = (char)toupper((unsigned char)s[0]);
    return s;
}

/* "[E02](e02_piecewise.en.md)", or without a link where the page is not there; with a flag when its
 * numbers are of another protocol than the frozen one. */
char *lb_sheet_reference(const lb_sheets *t, const lb_member *m)
{
    const char *flag =
        lb_sheet_is_stale(t, m) ? lb_sheet_pick(t, " stale ⚠️", " 过期 ⚠️") : "";
    char *name = lb_sheet_label(m), *out;
    char *file = lb_xprintf("%s.%s.md", lb_spec_name(m->spec), t->language);
    char *path = lb_xprintf("%s/%s", t->pages, file);
    if (lb_file_exists(path))
        out = lb_xprintf("[%s](%s)%s", name, file, flag);
    else
        out = lb_xprintf("%s%s", name, flag);
    free(path);
    free(file);
    free(name);
    return out;
}

char *lb_sheet_verdict(const lb_sheets *t, const lb_member *m, const char *id)
{
    const char *why = lb_sheet_pick(t, "no record", "尚无记录");
    const lb_verdict *v;
    lb_verdict shown = {.outcome = "NOT RUN", .rule = "", .detail = why};
    lb_page page = page_over(t, t->survey->facts);
    lb_text out = {0};
    lb_sheet_outcome(m, id, &v);
    shown = v ? *v : shown;
    char *name = lb_xprintf("%s:%s", m->id, id); /* a view shows those of all experiments */
    shown.id = name;
    lb_page_verdict_to(&page, &shown, &out);
    free(name);
    return lb_text_take(&out);
}

/* --- numbers -----------------------------------------------------------------------------------
 */

lb_member *lb_sheet_owner(const lb_sheets *t, const char *key)
{
    char *id = lb_xprintf("%.*s", (int)strcspn(key, ".:"), key);
    lb_member *m = lb_survey_find(t->survey, id);
    free(id);
    return m;
}

bool lb_sheet_find(lb_sheets *t, const char *key, const lb_yaml_node *node, lb_fact *out)
{
    const lb_member *m = lb_sheet_owner(t, key);
    if (t->st == LB_OK && !m && node)
        t->st = lb_yaml_fail(t->survey->programme.yaml, node, LB_ENAME, t->err,
                             "'%s' belongs to no experiment under templates/experiments", key);
    if (t->st != LB_OK || (m && !m->facts))
        return false;
    t->st = lb_facts_find(t->survey->facts, key, out, t->err);
    if (t->st != LB_OK && node)
        lb_error_within(t->err, "%s:%d:%d", t->survey->programme.yaml->name, node->line,
                        node->column);
    return t->st == LB_OK;
}

/* Two cells: the number and its interval. */
void lb_sheet_number(lb_sheets *t, const char *key, const lb_yaml_node *node)
{
    lb_fact fact;
    const bool there = *key && lb_sheet_find(t, key, node, &fact);
    if (there)
        next_cell(t)->key = keep(t, lb_xstrdup(key));
    else
        lb_sheet_put(t, *key ? lb_sheet_pick(t, "not run", "未运行") : "—");
    if (there && fact.number && !*fact.number->na && isfinite(fact.number->ci_lo))
        next_cell(t)->key = keep(t, lb_xstrdup(key));
    else
        lb_sheet_put(t, "—");
}

char *lb_sheet_value(lb_sheets *t, const char *key, const lb_yaml_node *node, char **interval)
{
    lb_page page = page_over(t, t->survey->facts);
    lb_text value = {0}, ci = {0}, plain = {0};
    lb_fact fact;
    if (!lb_sheet_find(t, key, node, &fact)) {
        lb_text_add(&value, lb_sheet_pick(t, "not run", "未运行"));
    } else {
        t->st = lb_page_fact_to(&page, &fact, NULL, &value, &plain);
        if (t->st == LB_OK && fact.number && !*fact.number->na && isfinite(fact.number->ci_lo) &&
            !fact.field)
            t->st = lb_page_fact_to(&page, &fact, "ci", &ci, &plain);
    }
    lb_text_free(&plain);
    *interval = lb_text_take(&ci);
    return lb_text_take(&value);
}

/* "`e02.x` +0.0467† [0.0315, 0.0631]†; ..." */
char *lb_sheet_evidence(lb_sheets *t, const lb_yaml_node *list)
{
    lb_text out = {0};
    for (size_t i = 0; list && i < list->n; i++) {
        const char *key = list->items[i]->text;
        char *ci, *value = lb_sheet_value(t, key, list->items[i], &ci);
        lb_text_printf(&out, "%s`%s` %s%s%s", i ? "; " : "", key, value, *ci ? " " : "", ci);
        free(value);
        free(ci);
    }
    return lb_text_take(&out);
}

/* Names of row sets as the records keep them, for Chinese pages; any other stays as it is. */
static const char *rows_word(const lb_sheets *t, const char *name)
{
    static const char *const words[][2] = {
        {"all test rows", "全部测试行"},
        {"covered test rows", "覆盖的测试行"},
        {"larger set: covered test rows", "较大数据集：覆盖的测试行"},
        {"larger set: all test rows", "较大数据集：全部测试行"},
        {"test rows inside the grid", "网格内的测试行"}};
    for (size_t i = 0; lb_sheet_is_chinese(t) && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], name) == 0)
            return words[i][1];
    return name;
}

char *lb_sheet_rows(lb_sheets *t, const char *key, const lb_yaml_node *node)
{
    lb_fact fact;
    if (!lb_sheet_find(t, key, node, &fact) || !fact.number || !*fact.number->rows)
        return lb_xstrdup("");
    const char *name = lb_archive_rowset_name(fact.record, fact.number->rows);
    return lb_xprintf("%s%s%zu%s", rows_word(t, name), lb_sheet_pick(t, " (", "（"), fact.number->n,
                      lb_sheet_pick(t, ")", "）"));
}

/* --- experiments -------------------------------------------------------------------------------
 */

const lb_yaml_node *lb_sheet_phase(const lb_sheets *t, const lb_member *m)
{
    return m->entry ? lb_yaml_get(t->survey->programme.phases, lb_programme_text(m->entry, "phase"))
                    : NULL;
}

/* The entries of @p part whose list @p key holds @p word: "G1, G2". */
char *lb_sheet_holders(const lb_yaml_node *part, const char *key, const char *word)
{
    lb_text out = {0};
    for (size_t i = 0; i < part->n; i++)
        if (lb_list_holds(lb_yaml_get(part->items[i], key), word))
            lb_text_printf(&out, "%s%s", out.length ? ", " : "", part->keys[i]);
    return lb_text_take(&out);
}

/* Does a list of keys quote the experiment? */
bool lb_sheet_quotes(const lb_yaml_node *keys, const char *id)
{
    const size_t n = strlen(id);
    for (size_t i = 0; keys && i < keys->n; i++)
        if (strncmp(keys->items[i]->text, id, n) == 0 && strchr(".:", keys->items[i]->text[n]))
            return true;
    return false;
}

/* Labels of the experiments and plans in a list. */
char *lb_sheet_labels(const lb_sheets *t, const lb_yaml_node *list)
{
    lb_text out = {0};
    for (size_t i = 0; i < list->n; i++) {
        const lb_member *m = lb_survey_find(t->survey, list->items[i]->text);
        char *name = m ? lb_sheet_label(m) : lb_xstrdup(list->items[i]->text);
        lb_text_printf(&out, "%s%s", i ? ", " : "", name);
        free(name);
    }
    return lb_text_take(&out);
}

const char *lb_sheet_outcome(const lb_member *m, const char *id, const lb_verdict **v)
{
    *v = m->facts ? lb_archive_verdict(lb_facts_record(m->facts), id) : NULL;
    return *v ? (*v)->outcome : NULL;
}

bool lb_sheet_is_carded(const lb_sheets *t, const lb_member *m)
{
    const lb_yaml_node *all = t->survey->programme.statements;
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(lb_programme_text(all->items[i], "kind"), "card") == 0 &&
            lb_sheet_quotes(lb_yaml_get(all->items[i], "evidence"), m->id))
            return true;
    return false;
}

/* Lists and maps by their leaves. */
static void flatten(const lb_yaml_node *node, lb_text *out)
{
    if (node->kind == LB_YAML_SCALAR)
        lb_text_printf(out, "%s%s", out->length ? ", " : "", node->text);
    for (size_t i = 0; node->kind != LB_YAML_SCALAR && i < node->n; i++)
        flatten(node->items[i], out);
}

char *lb_sheet_setting(const lb_member *m, const char *path)
{
    lb_text out = {0};
    const lb_yaml_node *node = lb_spec_node(m->spec, path);
    if (node)
        flatten(node, &out);
    return lb_text_take(&out);
}

/* Reports whose section 5.6 led to @p id: "E06, E13". */
char *lb_sheet_proposers(const lb_sheets *t, const char *id)
{
    lb_text out = {0};
    for (size_t i = 0; i < t->survey->n; i++) {
        const lb_member *m = &t->survey->members[i];
        if (!lb_list_holds(lb_yaml_get(m->entry, "next"), id))
            continue;
        char *name = lb_sheet_label(m);
        lb_text_printf(&out, "%s%s", out.length ? ", " : "", name);
        free(name);
    }
    return lb_text_take(&out);
}

const char *lb_sheet_estimate(const lb_sheets *t, const char *word)
{
    static const char *const zh[][2] = {{"hours", "数小时"}, {"days", "数天"}, {"weeks", "数周"}};
    for (size_t i = 0; lb_sheet_is_chinese(t) && i < 3; i++)
        if (strcmp(zh[i][0], word) == 0)
            return zh[i][1];
    return word;
}

/* What the programme calls the number, else its key. */
char *lb_sheet_quantity(lb_sheets *t, const char *key)
{
    const lb_yaml_node *root = t->survey->programme.yaml->root;
    const lb_yaml_node *lists[] = {lb_yaml_get(root, "numbers"), lb_yaml_get(root, "models"),
                                   lb_yaml_get(root, "quantities")};
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; lists[k] && i < lists[k]->n; i++)
            if (strcmp(lb_programme_text(lists[k]->items[i], "key"), key) == 0)
                return lb_sheet_words(t, lb_yaml_get(lists[k]->items[i], "label"));
    return lb_xprintf("`%s`", key);
}

char *lb_sheet_figure(lb_sheets *t, const lb_member *m, const char *id, const char *caption)
{
    const char *stem = lb_archive_figure(lb_facts_record(m->facts), id);
    if (!stem)
        return NULL;
    char *file = lb_xprintf("%s/%s.svg", t->survey->places->figures, stem);
    char *link = lb_relative_path(t->pages, file), *said = sentence(t, m, caption);
    char *out = lb_xprintf("![%s](%s)", said, link);
    free(said);
    free(link);
    free(file);
    return out;
}
