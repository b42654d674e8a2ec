/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/sheets.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/page.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- building ----------------------------------------------------------------------------------
 */

static const char *keep(lb_sheets *t, char *text)
{
    t->owned = lb_xrealloc(t->owned, t->n_owned + 1, sizeof *t->owned);
    return t->owned[t->n_owned++] = text;
}

static bool is_chinese(const lb_sheets *t)
{
    return strcmp(t->language, "zh") == 0;
}

static const char *pick(const lb_sheets *t, const char *en, const char *zh)
{
    return is_chinese(t) ? zh : en;
}

/* Begin a table; rows are filled cell by cell. */
static void begin(lb_sheets *t, const char *id, const lb_column *columns, size_t n)
{
    t->tables = lb_xrealloc(t->tables, t->n_tables + 1, sizeof *t->tables);
    t->tables[t->n_tables++] = (lb_table){.id = id, .cols = n, .columns = columns};
}
#define BEGIN(t, id, columns) begin(t, id, columns, sizeof(columns) / sizeof *(columns))

static void row(lb_sheets *t)
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
static void put_owned(lb_sheets *t, char *s)
{
    lb_text safe = {0};
    for (const char *c = s; *c; c++)
        lb_text_add(&safe, *c == '\n' ? " " : *c == '|' ? "\\|" : (char[]){*c, '\0'});
    free(s);
    next_cell(t)->text = keep(t, lb_text_take(&safe));
}

static void put(lb_sheets *t, const char *s)
{
    put_owned(t, lb_xstrdup(*s ? s : "—"));
}

static void fact_text(lb_sheets *t, const char *name, char *text)
{
    t->facts = lb_xrealloc(t->facts, t->n_facts + 1, sizeof *t->facts);
    t->facts[t->n_facts++] =
        (lb_fact){.key = keep(t, lb_xprintf("view.%s", name)), .text = keep(t, text)};
}

static void fact_count(lb_sheets *t, const char *name, size_t n)
{
    t->facts = lb_xrealloc(t->facts, t->n_facts + 1, sizeof *t->facts);
    lb_number *x = lb_xcalloc(1, sizeof *x);
    *x = lb_number_count(n);
    keep(t, (char *)x);
    t->facts[t->n_facts++] = (lb_fact){.key = keep(t, lb_xprintf("view.%s", name)), .number = x};
}

/* --- texts -------------------------------------------------------------------------------------
 */

/* Words of the programme in the language, filled. The caller frees them. */
static char *words(lb_sheets *t, const lb_yaml_node *node)
{
    const lb_yaml_node *text = lb_yaml_get(node, t->language);
    lb_template *template = NULL;
    lb_page page = {.facts = t->survey->facts, .folder = t->pages, .err = t->err};
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
    lb_page page = {.facts = m->facts, .folder = t->pages, .err = t->err};
    if (t->st == LB_OK)
        t->st = lb_page_sentence(&page, path, &out);
    return out ? out : lb_xstrdup("");
}

static char *hypothesis_sentence(lb_sheets *t, const lb_member *m, const char *id,
                                 const char *which)
{
    char *path = lb_xprintf("hypotheses.%s.%s", id, which);
    char *out = sentence(t, m, path);
    free(path);
    return out;
}

/* What the outcome decides, by the spec. */
static char *decision(lb_sheets *t, const lb_member *m, const char *id, const char *outcome)
{
    const char *which = !outcome                          ? NULL
                        : strcmp(outcome, "PASS") == 0    ? "if_pass"
                        : strcmp(outcome, "PARTIAL") == 0 ? "if_partial"
                        : strcmp(outcome, "FAIL") == 0    ? "if_fail"
                                                          : NULL;
    return which ? hypothesis_sentence(t, m, id, which)
                 : lb_xstrdup(pick(t, "No decision yet.", "尚无决定。"));
}

/* The one sentence of the key findings: the first quoted line of the report's template, filled. */
static char *finding(lb_sheets *t, const lb_member *m)
{
    char *path = lb_xprintf("%s/report.%s.md", m->folder, t->language), *text = NULL;
    lb_page page = {.facts = m->facts, .folder = t->pages, .err = t->err};
    if (m->facts && t->st == LB_OK)
        t->st = lb_file_read(path, &text, NULL, t->err);
    char *line = text ? strstr(text, "\n> ") : NULL;
    if (line) {
        line += 3;
        line[strcspn(line, "\n")] = '\0';
        lb_template *template = NULL;
        const lb_position start = {path, 1, 3};
        t->st = lb_template_parse(line, start, t->survey->places->shared, t->language, &template,
                                  t->err);
        if (t->st == LB_OK)
            t->st = lb_page_fill(&page, template);
        lb_template_free(template);
    }
    free(text);
    free(path);
    return lb_text_take(&page.out);
}

/* "E02" */
static char *label(const lb_member *m)
{
    char *s = lb_xstrdup(m->id);
    s[0] = (char)toupper((unsigned char)s[0]);
    return s;
}

/* "[E02](e02_piecewise.en.md)", or without a link where the page is not there. */
static char *reference(const lb_sheets *t, const lb_member *m)
{
    char *name = label(m), *out;
    char *file = lb_xprintf("%s.%s.md", lb_spec_name(m->spec), t->language);
    char *path = lb_xprintf("%s/%s", t->pages, file);
    if (lb_file_exists(path))
        out = lb_xprintf("[%s](%s)", name, file);
    else
        out = lb_xstrdup(name);
    free(path);
    free(file);
    free(name);
    return out;
}

static const char *verdict_word(const char *outcome)
{
    static const char *const words[][2] = {{"PASS", "PASS ✅"},
                                           {"PARTIAL", "PARTIAL ⚠️"},
                                           {"FAIL", "FAIL ❌"},
                                           {"INCONCLUSIVE", "INCONCLUSIVE ❓"}};
    for (size_t i = 0; outcome && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], outcome) == 0)
            return words[i][1];
    return "NOT RUN ⏳";
}

/* --- numbers -----------------------------------------------------------------------------------
 */

static lb_member *owner_of(const lb_sheets *t, const char *key)
{
    char *id = lb_xprintf("%.*s", (int)strcspn(key, ".:"), key);
    lb_member *m = lb_survey_find(t->survey, id);
    free(id);
    return m;
}

/* The number under @p key; false without a record. A key that is not in it is a failure at
 * @p node. */
static bool find(lb_sheets *t, const char *key, const lb_yaml_node *node, lb_fact *out)
{
    const lb_member *m = owner_of(t, key);
    if (t->st != LB_OK || (m && !m->facts))
        return false;
    t->st = lb_facts_find(t->survey->facts, key, out, t->err);
    if (t->st != LB_OK && node)
        lb_error_within(t->err, "%s:%d:%d", t->survey->programme.yaml->name, node->line,
                        node->column);
    return t->st == LB_OK;
}

/* Two cells: the number and its interval. */
static void put_number(lb_sheets *t, const char *key, const lb_yaml_node *node)
{
    lb_fact fact;
    const bool there = *key && find(t, key, node, &fact);
    if (there)
        next_cell(t)->key = keep(t, lb_xstrdup(key));
    else
        put(t, *key ? pick(t, "not run", "未运行") : "—");
    if (there && fact.number && !*fact.number->na && isfinite(fact.number->ci_lo))
        next_cell(t)->key = keep(t, lb_xstrdup(key));
    else
        put(t, "—");
}

/* "`e02.x` +0.0467† [0.0315, 0.0631]†; ..." */
static char *evidence(lb_sheets *t, const lb_yaml_node *list)
{
    lb_text out = {0};
    for (size_t i = 0; list && i < list->n; i++) {
        const char *key = list->items[i]->text;
        lb_fact fact;
        lb_page page = {.facts = t->survey->facts, .folder = t->pages, .err = t->err};
        lb_text shown = {0}, plain = {0};
        lb_text_printf(&out, "%s`%s` ", i ? "; " : "", key);
        if (!find(t, key, list->items[i], &fact)) {
            lb_text_add(&out, pick(t, "not run", "未运行"));
            continue;
        }
        t->st = lb_page_fact_to(&page, &fact, NULL, &shown, &plain);
        if (t->st == LB_OK && fact.number && !*fact.number->na && isfinite(fact.number->ci_lo) &&
            !fact.field) {
            lb_text_add(&shown, " ");
            t->st = lb_page_fact_to(&page, &fact, "ci", &shown, &plain);
        }
        lb_text_add(&out, shown.s ? shown.s : "");
        lb_text_free(&shown);
        lb_text_free(&plain);
    }
    return lb_text_take(&out);
}

/* --- experiments -------------------------------------------------------------------------------
 */

static const lb_yaml_node *phase_of(const lb_sheets *t, const lb_member *m)
{
    return m->entry ? lb_yaml_get(t->survey->programme.phases, lb_programme_text(m->entry, "phase"))
                    : NULL;
}

/* Ids of what the experiment builds on, "E01, E02". */
static char *needs(const lb_sheets *t, const lb_member *m)
{
    lb_text out = {0};
    const lb_yaml_node *up = lb_spec_node(m->spec, "upstream");
    for (size_t i = 0; up && i < up->n; i++) {
        const char *link = lb_programme_text(up->items[i], "link");
        const bool is_need = strcmp(lb_programme_text(up->items[i], "type"), "prerequisite") == 0;
        for (size_t k = 0; is_need && k < t->survey->n; k++) {
            const lb_member *other = &t->survey->members[k];
            if (strcmp(lb_spec_name(other->spec), link) != 0)
                continue;
            char *name = label(other);
            lb_text_printf(&out, "%s%s", out.length ? ", " : "", name);
            free(name);
        }
    }
    return lb_text_take(&out);
}

/* The entries of @p part whose list @p key holds @p word: "G1, G2". */
static char *holders(const lb_yaml_node *part, const char *key, const char *word)
{
    lb_text out = {0};
    for (size_t i = 0; i < part->n; i++)
        if (lb_list_holds(lb_yaml_get(part->items[i], key), word))
            lb_text_printf(&out, "%s%s", out.length ? ", " : "", part->keys[i]);
    return lb_text_take(&out);
}

/* Does a list of keys quote the experiment? */
static bool quotes(const lb_yaml_node *keys, const char *id)
{
    const size_t n = strlen(id);
    for (size_t i = 0; keys && i < keys->n; i++)
        if (strncmp(keys->items[i]->text, id, n) == 0 && strchr(".:", keys->items[i]->text[n]))
            return true;
    return false;
}

/* Where in the views the result of an experiment is used. */
static char *places_of(const lb_sheets *t, const lb_member *m)
{
    const lb_programme *p = &t->survey->programme;
    lb_text out = {0};
    for (size_t i = 0; i < p->questions->n; i++)
        if (quotes(lb_yaml_get(p->questions->items[i], "decided_by"), m->id))
            lb_text_printf(&out, "%s%s", out.length ? ", " : "", p->questions->keys[i]);
    for (size_t i = 0; i < p->gates->n; i++)
        if (owner_of(t, lb_programme_text(p->gates->items[i], "asks")) == m)
            lb_text_printf(&out, "%s%s", out.length ? ", " : "", p->gates->keys[i]);
    for (size_t i = 0; i < p->statements->n; i++)
        if (quotes(lb_yaml_get(p->statements->items[i], "evidence"), m->id))
            lb_text_printf(&out, "%s%s", out.length ? ", " : "", p->statements->keys[i]);
    return lb_text_take(&out);
}

static bool is_carded(const lb_sheets *t, const lb_member *m)
{
    const lb_yaml_node *all = t->survey->programme.statements;
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(lb_programme_text(all->items[i], "kind"), "card") == 0 &&
            quotes(lb_yaml_get(all->items[i], "evidence"), m->id))
            return true;
    return false;
}

static void put_experiment(lb_sheets *t, const lb_member *m)
{
    const lb_yaml_node *phase = phase_of(t, m);
    const char *decides = m->entry ? lb_programme_text(m->entry, "decides") : "";
    row(t);
    put_owned(t, label(m));
    put_owned(t, reference(t, m));
    put(t, lb_spec_text(m->spec, "title", t->language));
    put(t, m->entry ? lb_programme_text(m->entry, "phase") : "—");
    put_owned(t, phase ? words(t, lb_yaml_get(phase, "title")) : lb_xstrdup("—"));
    put(t, lb_spec_text(m->spec, "mvp", "en"));
    put(t, lb_spec_text(m->spec, "registry", "en"));
    put(t, lb_spec_text(m->spec, "priority", "en"));
    put(t, lb_spec_text(m->spec, "date", "en"));
    put(t, lb_state_word(m->state, t->language));
    put(t, decides);
    put(t, m->entry ? verdict_word(m->progress.outcome) : "—");
    put_number(t, m->entry ? lb_programme_text(m->entry, "score") : "",
               lb_yaml_get(m->entry, "score"));
    put_number(t, m->entry ? lb_programme_text(m->entry, "gain") : "",
               lb_yaml_get(m->entry, "gain"));
    char *said = finding(t, m);
    put(t, said);
    free(said);
    put_owned(t, m->entry ? decision(t, m, decides, m->progress.outcome) : lb_xstrdup("—"));
    char *needed = needs(t, m), *gates = holders(t->survey->programme.gates, "opens", m->id);
    put(t, needed);
    put(t, gates);
    free(gates);
    free(needed);
    char *used = places_of(t, m);
    put(t, used);
    free(used);
    put(t, m->lacks);
}

static const lb_column experiment_columns[] = {
    {"id", NULL},          {"ref", NULL},      {"title", NULL},    {"phase", NULL},
    {"phase_title", NULL}, {"mvp", NULL},      {"registry", NULL}, {"priority", NULL},
    {"date", NULL},        {"status", NULL},   {"decides", NULL},  {"verdict", NULL},
    {"score", NULL},       {"score_ci", "ci"}, {"gain", NULL},     {"gain_ci", "ci"},
    {"finding", NULL},     {"decision", NULL}, {"needs", NULL},    {"gates", NULL},
    {"places", NULL},      {"lacks", NULL}};

/* All experiments, and those whose verdict closed a direction. */
static void make_experiments(lb_sheets *t)
{
    size_t closed = 0;
    BEGIN(t, "experiments", experiment_columns);
    for (size_t i = 0; i < t->survey->n; i++)
        put_experiment(t, &t->survey->members[i]);
    BEGIN(t, "closed", experiment_columns);
    for (size_t i = 0; i < t->survey->n; i++)
        if (t->survey->members[i].state == LB_STATE_NEGATIVE) {
            put_experiment(t, &t->survey->members[i]);
            closed++;
        }
    fact_count(t, "n_closed", closed);
}

static void count_states(lb_sheets *t)
{
    static const struct {
        lb_state state;
        const char *name;
    } counted[] = {{LB_STATE_PLANNED, "n_planned"}, {LB_STATE_READY, "n_ready"},
                   {LB_STATE_RUNNING, "n_running"}, {LB_STATE_INCOMPLETE, "n_partial"},
                   {LB_STATE_DONE, "n_done"},       {LB_STATE_NEGATIVE, "n_negative"}};
    for (size_t k = 0; k < sizeof counted / sizeof *counted; k++) {
        size_t n = 0;
        for (size_t i = 0; i < t->survey->n; i++)
            n += t->survey->members[i].state == counted[k].state;
        fact_count(t, counted[k].name, n);
    }
    fact_count(t, "n_experiments", t->survey->n);
}

/* --- hypotheses, gaps --------------------------------------------------------------------------
 */

static const char *outcome_of(const lb_member *m, const char *id, const lb_verdict **v)
{
    *v = m->facts ? lb_archive_verdict(lb_facts_record(m->facts), id) : NULL;
    return *v ? (*v)->outcome : NULL;
}

static void put_hypothesis(lb_sheets *t, const lb_member *m, const char *id)
{
    const lb_verdict *v;
    char *metric_path = lb_xprintf("hypotheses.%s.metric", id);
    const char *outcome = outcome_of(m, id, &v);
    const lb_state state = lb_state_of_hypothesis(outcome);
    row(t);
    put_owned(t, reference(t, m));
    put(t, id);
    put_owned(t, lb_xstrdup(m->entry ? lb_programme_text(m->entry, "question") : "—"));
    put_owned(t, hypothesis_sentence(t, m, id, "claim"));
    lb_fact fact;
    const char *metric = lb_spec_text(m->spec, metric_path, "en");
    const bool there = v && lb_facts_find(m->facts, metric, &fact, NULL) == LB_OK;
    put_number(t, there ? metric : "", NULL);
    put(t, verdict_word(outcome));
    put(t, lb_state_word(state, t->language));
    put_owned(t, decision(t, m, id, outcome));
    free(metric_path);
}

static void make_hypotheses(lb_sheets *t)
{
    static const lb_column columns[] = {{"ref", NULL},     {"id", NULL},     {"question", NULL},
                                        {"claim", NULL},   {"result", NULL}, {"ci", "ci"},
                                        {"verdict", NULL}, {"status", NULL}, {"decision", NULL}};
    static const struct {
        lb_state state;
        const char *name;
    } counted[] = {{LB_STATE_SUPPORTED, "n_supported"},
                   {LB_STATE_PARTLY, "n_partly"},
                   {LB_STATE_REJECTED, "n_rejected"},
                   {LB_STATE_IN_PROGRESS, "n_in_progress"},
                   {LB_STATE_UNTESTED, "n_untested"}};
    size_t n[LB_STATES] = {0}, total = 0;
    BEGIN(t, "hypotheses", columns);
    for (size_t i = 0; i < t->survey->n; i++) {
        const lb_member *m = &t->survey->members[i];
        const lb_yaml_node *all = lb_spec_node(m->spec, "hypotheses");
        for (size_t k = 0; all && k < all->n; k++, total++) {
            const lb_verdict *v;
            put_hypothesis(t, m, all->keys[k]);
            n[lb_state_of_hypothesis(outcome_of(m, all->keys[k], &v))]++;
        }
    }
    fact_count(t, "n_hypotheses", total);
    for (size_t k = 0; k < sizeof counted / sizeof *counted; k++)
        fact_count(t, counted[k].name, n[counted[k].state]);
}

/* Hypotheses on which nobody can decide yet: why, and the rule that would. */
static void make_gaps(lb_sheets *t)
{
    static const lb_column columns[] = {{"id", NULL},    {"ref", NULL},     {"hypothesis", NULL},
                                        {"claim", NULL}, {"verdict", NULL}, {"why", NULL},
                                        {"rule", NULL},  {"plan", NULL}};
    size_t n = 0;
    BEGIN(t, "gaps", columns);
    for (size_t i = 0; i < t->survey->n; i++) {
        const lb_member *m = &t->survey->members[i];
        const lb_yaml_node *all = lb_spec_node(m->spec, "hypotheses");
        for (size_t k = 0; all && k < all->n; k++) {
            const lb_verdict *v;
            const lb_state state = lb_state_of_hypothesis(outcome_of(m, all->keys[k], &v));
            if (state != LB_STATE_IN_PROGRESS && state != LB_STATE_UNTESTED)
                continue;
            char *name = lb_xprintf("%s:%s", m->id, all->keys[k]);
            char *plans = holders(t->survey->programme.planned, "closes", name);
            row(t);
            put_owned(t, lb_xprintf("DG%zu", ++n));
            put_owned(t, reference(t, m));
            put(t, all->keys[k]);
            put_owned(t, hypothesis_sentence(t, m, all->keys[k], "claim"));
            put(t, verdict_word(v ? v->outcome : NULL));
            put_owned(t, v && *v->detail ? lb_xprintf("`%s`", v->detail)
                                         : lb_xstrdup(pick(t, "no record", "尚无记录")));
            put_owned(t, lb_xprintf("`%s`", lb_programme_text(all->items[k], "pass")));
            put(t, plans);
            free(plans);
            free(name);
        }
    }
    fact_count(t, "n_gaps", n);
}

/* --- questions and gates -----------------------------------------------------------------------
 */

/* "E02 H1.2 PASS ✅; ..." and the verdicts; the caller frees the text. */
static char *deciding(lb_sheets *t, const lb_yaml_node *list, const char **outcomes)
{
    lb_text out = {0};
    for (size_t i = 0; i < list->n && t->st == LB_OK; i++) {
        lb_member *m;
        const lb_verdict *v;
        t->st = lb_survey_verdict(t->survey, list->items[i], list->items[i]->text, &m, &v, t->err);
        if (t->st != LB_OK)
            break;
        outcomes[i] = v ? v->outcome : NULL;
        char *name = reference(t, m);
        lb_text_printf(&out, "%s%s %s %s", i ? "; " : "", name,
                       strchr(list->items[i]->text, ':') + 1, verdict_word(outcomes[i]));
        free(name);
    }
    return lb_text_take(&out);
}

static void make_questions(lb_sheets *t)
{
    static const lb_column columns[] = {{"id", NULL},     {"text", NULL},    {"status", NULL},
                                        {"answer", NULL}, {"decided", NULL}, {"experiments", NULL}};
    const lb_yaml_node *all = t->survey->programme.questions;
    size_t settled = 0;
    BEGIN(t, "questions", columns);
    for (size_t i = 0; i < all->n && t->st == LB_OK; i++) {
        const lb_yaml_node *q = all->items[i], *list = lb_yaml_get(q, "decided_by");
        const char **outcomes = lb_xcalloc(list->n, sizeof *outcomes);
        char *decided = deciding(t, list, outcomes);
        const lb_state state = lb_state_of_question(outcomes, list->n);
        const char *answer = state == LB_STATE_SUPPORTED  ? "yes"
                             : state == LB_STATE_REJECTED ? "no"
                             : state == LB_STATE_PARTLY   ? "partly"
                                                          : "open";
        lb_text members = {0};
        for (size_t k = 0; k < t->survey->n; k++) {
            const lb_member *m = &t->survey->members[k];
            if (!m->entry || strcmp(lb_programme_text(m->entry, "question"), all->keys[i]) != 0)
                continue;
            char *name = reference(t, m);
            lb_text_printf(&members, "%s%s", members.length ? ", " : "", name);
            free(name);
        }
        settled += state == LB_STATE_SUPPORTED || state == LB_STATE_REJECTED;
        row(t);
        put(t, all->keys[i]);
        put_owned(t, words(t, lb_yaml_get(q, "text")));
        put(t, lb_state_word(state, t->language));
        put_owned(t, words(t, lb_yaml_get(q, answer)));
        put_owned(t, decided);
        put_owned(t, lb_text_take(&members));
        free(outcomes);
    }
    fact_count(t, "n_questions", all->n);
    fact_count(t, "n_settled", settled);
    fact_text(t, "stage",
              lb_xstrdup(settled == all->n       ? pick(t, "stable 🌺", "稳定 🌺")
                         : 2 * settled >= all->n ? pick(t, "converging 🌷", "收敛中 🌷")
                                                 : pick(t, "exploring 🌱", "探索中 🌱")));
}

/* Labels of the experiments and plans in a list. */
static char *labels(const lb_sheets *t, const lb_yaml_node *list)
{
    lb_text out = {0};
    for (size_t i = 0; i < list->n; i++) {
        const lb_member *m = lb_survey_find(t->survey, list->items[i]->text);
        char *name = m ? label(m) : lb_xstrdup(list->items[i]->text);
        lb_text_printf(&out, "%s%s", i ? ", " : "", name);
        free(name);
    }
    return lb_text_take(&out);
}

static void put_gate(lb_sheets *t, const char *id, const lb_yaml_node *gate, lb_state state)
{
    static const char *const branches[] = {"if_pass", "if_partial", "if_fail"};
    const lb_yaml_node *asks = lb_yaml_get(gate, "asks");
    lb_member *m;
    const lb_verdict *v;
    t->st = lb_survey_verdict(t->survey, asks, asks->text, &m, &v, t->err);
    if (t->st != LB_OK)
        return;
    const char *hypothesis = strchr(asks->text, ':') + 1;
    char *path = lb_xprintf("hypotheses.%s.pass", hypothesis);
    row(t);
    put(t, id);
    put_owned(t, words(t, lb_yaml_get(gate, "title")));
    char *name = reference(t, m);
    put_owned(t, lb_xprintf("%s %s", name, hypothesis));
    free(name);
    put_owned(t, hypothesis_sentence(t, m, hypothesis, "claim"));
    put_owned(t, lb_xprintf("`%s`", lb_spec_text(m->spec, path, "en")));
    put(t, lb_state_word(state, t->language));
    put(t, verdict_word(v ? v->outcome : NULL));
    put_number(t, v ? v->metric : "", NULL);
    for (size_t k = 0; k < 3; k++) {
        char *branch = hypothesis_sentence(t, m, hypothesis, branches[k]);
        put(t, branch);
        free(branch);
    }
    put_owned(t, decision(t, m, hypothesis, v ? v->outcome : NULL));
    put_owned(t, labels(t, lb_yaml_get(gate, "opens")));
    free(path);
}

/* What stands behind a gate that is not passed: run all the same, or waiting. */
static size_t put_blocked(lb_sheets *t, const char *id, const lb_yaml_node *gate, lb_state state)
{
    const lb_yaml_node *opens = lb_yaml_get(gate, "opens");
    for (size_t i = 0; i < opens->n; i++) {
        const lb_member *m = lb_survey_find(t->survey, opens->items[i]->text);
        const lb_yaml_node *plan = lb_yaml_get(t->survey->programme.planned, opens->items[i]->text);
        row(t);
        put(t, id);
        put(t, lb_state_word(state, t->language));
        put_owned(t, m ? reference(t, m) : lb_xstrdup(opens->items[i]->text));
        put_owned(t, m ? lb_xstrdup(lb_spec_text(m->spec, "title", t->language))
                       : words(t, lb_yaml_get(plan, "title")));
        put(t, m && m->progress.recorded ? pick(t, "run all the same: read it as exploration",
                                                "仍然运行：结果只作探索性解读")
                                         : pick(t, "blocked", "受阻"));
    }
    return opens->n;
}

static void make_gates(lb_sheets *t)
{
    static const lb_column columns[] = {{"id", NULL},      {"title", NULL},      {"asks", NULL},
                                        {"claim", NULL},   {"rule", NULL},       {"status", NULL},
                                        {"verdict", NULL}, {"value", NULL},      {"ci", "ci"},
                                        {"if_pass", NULL}, {"if_partial", NULL}, {"if_fail", NULL},
                                        {"taken", NULL},   {"opens", NULL}};
    static const lb_column blocked_columns[] = {
        {"gate", NULL}, {"gate_status", NULL}, {"ref", NULL}, {"title", NULL}, {"state", NULL}};
    const lb_yaml_node *all = t->survey->programme.gates;
    lb_state *states = lb_xcalloc(all->n + 1, sizeof *states);
    size_t passed = 0, blocked = 0;
    BEGIN(t, "gates", columns);
    for (size_t i = 0; i < all->n && t->st == LB_OK; i++) {
        t->st = lb_survey_gate(t->survey, all->items[i], &states[i], t->err);
        passed += states[i] == LB_STATE_GATE_PASSED;
        if (t->st == LB_OK)
            put_gate(t, all->keys[i], all->items[i], states[i]);
    }
    BEGIN(t, "blocked", blocked_columns);
    for (size_t i = 0; i < all->n && t->st == LB_OK; i++)
        if (states[i] != LB_STATE_GATE_PASSED)
            blocked += put_blocked(t, all->keys[i], all->items[i], states[i]);
    fact_count(t, "n_gates", all->n);
    fact_count(t, "n_passed", passed);
    fact_count(t, "n_blocked", blocked);
    free(states);
}

/* --- phases and plans --------------------------------------------------------------------------
 */

static void make_phases(lb_sheets *t)
{
    static const lb_column columns[] = {
        {"id", NULL}, {"title", NULL}, {"experiments", NULL}, {"status", NULL}};
    const lb_yaml_node *all = t->survey->programme.phases;
    BEGIN(t, "phases", columns);
    for (size_t i = 0; i < all->n; i++) {
        size_t n = 0, ended = 0, begun = 0;
        lb_text members = {0};
        for (size_t k = 0; k < t->survey->n; k++) {
            const lb_member *m = &t->survey->members[k];
            if (phase_of(t, m) != all->items[i])
                continue;
            char *name = reference(t, m);
            lb_text_printf(&members, "%s%s", n++ ? ", " : "", name);
            free(name);
            ended += m->state == LB_STATE_DONE || m->state == LB_STATE_NEGATIVE;
            begun += m->progress.recorded;
        }
        row(t);
        put(t, all->keys[i]);
        put_owned(t, words(t, lb_yaml_get(all->items[i], "title")));
        put_owned(t, lb_text_take(&members));
        put_owned(t, lb_xprintf("%s (%zu/%zu)",
                                lb_state_word(n > 0 && ended == n ? LB_STATE_DONE
                                              : begun > 0         ? LB_STATE_RUNNING
                                                                  : LB_STATE_PLANNED,
                                              t->language),
                                ended, n));
    }
}

static const lb_column plan_columns[] = {{"id", NULL},     {"title", NULL},    {"phase", NULL},
                                         {"needs", NULL},  {"priority", NULL}, {"when", NULL},
                                         {"status", NULL}, {"why", NULL},      {"closes", NULL}};

static void put_plan(lb_sheets *t, size_t i, lb_state state)
{
    const lb_yaml_node *all = t->survey->programme.planned, *plan = all->items[i];
    const lb_yaml_node *closes = lb_yaml_get(plan, "closes");
    lb_text named = {0};
    for (size_t k = 0; closes && k < closes->n; k++) {
        const char *ref = closes->items[k]->text, *colon = strchr(ref, ':');
        lb_member *m;
        const lb_verdict *v;
        t->st = t->st == LB_OK ? lb_survey_verdict(t->survey, closes->items[k], ref, &m, &v, t->err)
                               : t->st;
        if (t->st == LB_OK) {
            char *name = label(m);
            lb_text_printf(&named, "%s%s %s", k ? ", " : "", name, colon + 1);
            free(name);
        }
    }
    row(t);
    put(t, all->keys[i]);
    put_owned(t, words(t, lb_yaml_get(plan, "title")));
    put(t, lb_programme_text(plan, "phase"));
    put_owned(t, labels(t, lb_yaml_get(plan, "needs")));
    put(t, lb_programme_text(plan, "priority"));
    put_owned(t, lb_xprintf("`%s`", lb_programme_text(plan, "when")));
    put(t, lb_state_word(state, t->language));
    put_owned(t, words(t, lb_yaml_get(plan, "why")));
    put(t, named.s ? named.s : "");
    lb_text_free(&named);
}

/* All plans, and those that are ready, by priority. */
static void make_plans(lb_sheets *t)
{
    static const char *const priorities[] = {"P0", "P1", "P2"};
    const lb_yaml_node *all = t->survey->programme.planned;
    lb_state *states = lb_xcalloc(all->n + 1, sizeof *states);
    size_t ready = 0;
    BEGIN(t, "plans", plan_columns);
    for (size_t i = 0; i < all->n && t->st == LB_OK; i++) {
        t->st = lb_survey_plan(t->survey, i, &states[i], t->err);
        if (t->st == LB_OK)
            put_plan(t, i, states[i]);
    }
    BEGIN(t, "next", plan_columns);
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < all->n && t->st == LB_OK; i++)
            if (states[i] == LB_STATE_READY &&
                strcmp(lb_programme_text(all->items[i], "priority"), priorities[k]) == 0) {
                put_plan(t, i, states[i]);
                ready++;
            }
    fact_count(t, "n_plans", all->n);
    fact_count(t, "n_next", ready);
    free(states);
}

/* --- statements and numbers --------------------------------------------------------------------
 */

static void put_statement(lb_sheets *t, const char *id, const lb_yaml_node *s)
{
    lb_truth holds = LB_UNKNOWN, firm = LB_UNKNOWN;
    t->st = lb_survey_truth(t->survey, lb_yaml_get(s, "holds"), &holds, t->err);
    if (t->st == LB_OK)
        t->st = lb_survey_truth(t->survey, lb_yaml_get(s, "firm"), &firm, t->err);
    row(t);
    put(t, id);
    if (holds == LB_UNKNOWN)
        put(t, pick(t, "Not known: a record or a value is missing.", "未知：缺少记录或数值。"));
    else
        put_owned(t, words(t, lb_yaml_get(s, holds == LB_TRUE ? "text" : "otherwise")));
    put(t, lb_state_word(lb_state_of_statement(holds), t->language));
    put(t, lb_confidence_word(holds, firm, t->language));
    put_owned(t, lb_xprintf("`%s`", lb_programme_text(s, "holds")));
    if (holds == LB_TRUE) {
        put_owned(t, words(t, lb_yaml_get(s, "because")));
        put_owned(t, words(t, lb_yaml_get(s, "so")));
    } else { /* reasons and consequences of what does not hold */
        put(t, "—");
        put(t, "—");
    }
    put_owned(t, evidence(t, lb_yaml_get(s, "evidence")));
}

static void make_statements(lb_sheets *t)
{
    static const lb_column columns[] = {{"id", NULL},         {"text", NULL},    {"status", NULL},
                                        {"confidence", NULL}, {"rule", NULL},    {"because", NULL},
                                        {"so", NULL},         {"evidence", NULL}};
    static const char *const kinds[] = {"consensus", "insight", "principle", "card"};
    const lb_yaml_node *all = t->survey->programme.statements;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t n = 0;
        BEGIN(t, kinds[k], columns);
        for (size_t i = 0; i < all->n && t->st == LB_OK; i++)
            if (strcmp(lb_programme_text(all->items[i], "kind"), kinds[k]) == 0) {
                put_statement(t, all->keys[i], all->items[i]);
                n++;
            }
        char *name = lb_xprintf("n_%s", kinds[k]);
        fact_count(t, name, n);
        free(name);
    }
}

static void make_numbers(lb_sheets *t)
{
    static const lb_column columns[] = {{"label", NULL},     {"value", NULL}, {"ci", "ci"},
                                        {"condition", NULL}, {"ref", NULL},   {"key", NULL}};
    const lb_yaml_node *all = t->survey->programme.numbers;
    BEGIN(t, "numbers", columns);
    for (size_t i = 0; i < all->n && t->st == LB_OK; i++) {
        const lb_yaml_node *key = lb_yaml_get(all->items[i], "key");
        const lb_member *m = owner_of(t, key->text);
        row(t);
        put_owned(t, words(t, lb_yaml_get(all->items[i], "label")));
        put_number(t, key->text, key);
        put_owned(t, words(t, lb_yaml_get(all->items[i], "condition")));
        put_owned(t, m ? reference(t, m) : lb_xstrdup("—"));
        put_owned(t, lb_xprintf("`%s`", key->text));
    }
    fact_count(t, "n_numbers", all->n);
}

/* --- protocol, kanban, history -----------------------------------------------------------------
 */

/* A setting as one line; lists and maps by their leaves. */
static void flatten(const lb_yaml_node *node, lb_text *out)
{
    if (node->kind == LB_YAML_SCALAR)
        lb_text_printf(out, "%s%s", out->length ? ", " : "", node->text);
    for (size_t i = 0; node->kind != LB_YAML_SCALAR && i < node->n; i++)
        flatten(node->items[i], out);
}

static char *protocol_value(const lb_member *m, const char *path)
{
    lb_text out = {0};
    if (strncmp(path, "data.", 5) == 0) {
        const char *hash = m->facts ? lb_archive_provenance(lb_facts_record(m->facts), path) : "";
        return *hash ? lb_xprintf("`%.19s`", hash) : lb_xstrdup("");
    }
    const lb_yaml_node *node = lb_spec_node(m->spec, path);
    if (node)
        flatten(node, &out);
    return lb_text_take(&out);
}

/* Each setting of the protocol with each of its values and who uses it: one line a setting is
 * what frozen means. */
static void make_protocol(lb_sheets *t)
{
    static const lb_column columns[] = {{"what", NULL}, {"value", NULL}, {"experiments", NULL}};
    static const struct {
        const char *path, *en, *zh;
    } parts[] = {{"data.train", "Training rows (hash)", "训练行（哈希）"},
                 {"data.val", "Validation rows (hash)", "验证行（哈希）"},
                 {"data.test", "Test rows (hash)", "测试行（哈希）"},
                 {"protocol.name", "Protocol", "协议"},
                 {"protocol.label", "Target", "目标量"},
                 {"protocol.edge_rule", "Edge rule", "边界规则"},
                 {"protocol.split_seeds", "Noise seeds, training / validation / test",
                  "噪声种子（训练 / 验证 / 测试）"},
                 {"noise.focus", "Deciding noise level", "判定所用噪声水平"},
                 {"bootstrap.resamples", "Resamples", "重采样次数"},
                 {"bootstrap.level", "Level of intervals", "区间水平"},
                 {"bootstrap.seed", "Seed of the resampling", "重采样种子"},
                 {"ridge.standardise", "Columns standardised", "各列标准化"}};
    BEGIN(t, "protocol", columns);
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        char **values = lb_xcalloc(t->survey->n + 1, sizeof *values);
        for (size_t i = 0; i < t->survey->n; i++)
            values[i] = protocol_value(&t->survey->members[i], parts[p].path);
        for (size_t i = 0; i < t->survey->n; i++) {
            lb_text users = {0};
            size_t n = 0, before = 0;
            for (size_t k = 0; k < t->survey->n; k++) {
                if (strcmp(values[k], values[i]) != 0)
                    continue;
                before += k < i;
                char *name = label(&t->survey->members[k]);
                lb_text_printf(&users, "%s%s", n++ ? ", " : "", name);
                free(name);
            }
            if (*values[i] && before == 0) {
                row(t);
                put(t, is_chinese(t) ? parts[p].zh : parts[p].en);
                put(t, values[i]);
                put(t, n == t->survey->n ? pick(t, "all", "全部") : users.s);
            }
            lb_text_free(&users);
        }
        for (size_t i = 0; i < t->survey->n; i++)
            free(values[i]);
        free(values);
    }
}

/* One table a column; every id of experiments and plans stands in one of them. */
static void make_kanban(lb_sheets *t)
{
    static const lb_column columns[] = {
        {"id", NULL},     {"title", NULL}, {"phase", NULL},  {"priority", NULL}, {"status", NULL},
        {"metric", NULL}, {"ci", "ci"},    {"report", NULL}, {"date", NULL},     {"lacks", NULL}};
    static const char *const lanes[] = {"inbox", "todo", "running", "finished", "archived"};
    const lb_programme *p = &t->survey->programme;
    for (size_t lane = 0; lane < LB_LANES; lane++) {
        size_t n = 0;
        BEGIN(t, lanes[lane], columns);
        for (size_t i = 0; i < t->survey->n; i++) {
            const lb_member *m = &t->survey->members[i];
            if (lb_lane_of(m->state, m->entry != NULL, is_carded(t, m)) != (lb_lane)lane)
                continue;
            const char *gain = m->entry ? lb_programme_text(m->entry, "gain") : "";
            const char *score = m->entry ? lb_programme_text(m->entry, "score") : "";
            row(t);
            put_owned(t, reference(t, m));
            put(t, lb_spec_text(m->spec, "title", t->language));
            put(t, m->entry ? lb_programme_text(m->entry, "phase") : "");
            put(t, lb_spec_text(m->spec, "priority", "en"));
            put(t, lb_state_word(m->state, t->language));
            put_number(t, *gain ? gain : score, NULL);
            put(t, m->progress.complete ? pick(t, "complete", "完整")
                                        : pick(t, "not complete", "不完整"));
            put(t, lb_spec_text(m->spec, "date", "en"));
            put(t, m->lacks);
            n++;
        }
        for (size_t i = 0; i < p->planned->n && t->st == LB_OK; i++) {
            lb_state state;
            t->st = lb_survey_plan(t->survey, i, &state, t->err);
            if (lb_lane_of(state, true, false) != (lb_lane)lane)
                continue;
            row(t);
            put(t, p->planned->keys[i]);
            put_owned(t, words(t, lb_yaml_get(p->planned->items[i], "title")));
            put(t, lb_programme_text(p->planned->items[i], "phase"));
            put(t, lb_programme_text(p->planned->items[i], "priority"));
            put(t, lb_state_word(state, t->language));
            for (size_t k = 0; k < 5; k++)
                put(t, "—");
            n++;
        }
        char *name = lb_xprintf("n_%s", lanes[lane]);
        fact_count(t, name, n);
        free(name);
    }
    fact_count(t, "n_ids", t->survey->n + p->planned->n);
}

/* "  2026-11-21 0.1.0: reason" of a history line, or NULL for its details. */
static char *change_of(const char *line)
{
    line += strspn(line, "#");
    if (strncmp(line, "   ", 3) != 0 || !isdigit((unsigned char)line[3]))
        return NULL;
    return lb_xprintf("%.*s", (int)strcspn(line + 3, "\n"), line + 3);
}

typedef struct change {
    char *text;    /* date, version, reason */
    lb_text users; /* experiments */
} change;

/* Every freeze of every experiment; the same reason on the same day is one line. */
static lb_status read_changes(const lb_sheets *t, change **out, size_t *n)
{
    lb_status st = LB_OK;
    for (size_t i = 0; i < t->survey->n && st == LB_OK; i++) {
        const lb_member *m = &t->survey->members[i];
        lb_ledger *frozen = NULL;
        char *path = lb_xprintf("%s/%s.tsv", t->survey->places->frozen, lb_spec_name(m->spec));
        if (lb_file_exists(path))
            st = lb_ledger_load(path, &frozen, t->err);
        free(path);
        for (const char *line = frozen ? frozen->history : NULL; line && *line;
             line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
            char *text = change_of(line), *name = label(m);
            size_t k = 0;
            while (text && k < *n && strcmp((*out)[k].text, text) != 0)
                k++;
            if (text && k == *n) {
                *out = lb_xrealloc(*out, *n + 1, sizeof **out);
                (*out)[(*n)++] = (change){.text = lb_xstrdup(text)};
            }
            if (text)
                lb_text_printf(&(*out)[k].users, "%s%s", (*out)[k].users.length ? ", " : "", name);
            free(name);
            free(text);
        }
        lb_ledger_free(frozen);
    }
    return st;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const change *)a)->text, ((const change *)b)->text);
}

static void make_changes(lb_sheets *t)
{
    static const lb_column columns[] = {
        {"date", NULL}, {"version", NULL}, {"reason", NULL}, {"experiments", NULL}};
    change *all = NULL;
    size_t n = 0;
    if (t->st == LB_OK)
        t->st = read_changes(t, &all, &n);
    if (n > 1)
        qsort(all, n, sizeof *all, by_text);
    BEGIN(t, "changes", columns);
    for (size_t i = 0; i < n; i++) {
        const size_t date = strcspn(all[i].text, " "),
                     rest = date + strspn(all[i].text + date, " ");
        const size_t version = strcspn(all[i].text + rest, ":");
        const char *reason = all[i].text + rest + version;
        row(t);
        put_owned(t, lb_xprintf("%.*s", (int)date, all[i].text));
        put_owned(t, lb_xprintf("%.*s", (int)version, all[i].text + rest));
        put(t, reason + strspn(reason, ": "));
        put(t, all[i].users.s);
        lb_text_free(&all[i].users);
        free(all[i].text);
    }
    free(all);
    fact_count(t, "n_changes", n);
}

/* --- together ----------------------------------------------------------------------------------
 */

/* Titles, and the newest date of a spec: pages carry no clock. */
static void make_header(lb_sheets *t, const char *figure)
{
    const lb_yaml_node *root = t->survey->programme.yaml->root;
    const char *newest = "";
    for (size_t i = 0; i < t->survey->n; i++) {
        const char *date = lb_spec_text(t->survey->members[i].spec, "date", "en");
        newest = strcmp(date, newest) > 0 ? date : newest;
    }
    fact_text(t, "title", words(t, lb_yaml_get(root, "title")));
    fact_text(t, "question", words(t, lb_yaml_get(root, "question")));
    fact_text(t, "goal", words(t, lb_yaml_get(root, "goal")));
    fact_text(t, "author", lb_xstrdup(lb_programme_text(root, "author")));
    fact_text(t, "updated", lb_xstrdup(newest));
    fact_text(t, "profile", lb_xstrdup(t->survey->places->profile));
    fact_text(t, "graph", lb_xstrdup(figure));
}

lb_status lb_sheets_make(const lb_survey *s, const char *language, const char *pages,
                         const char *figure, lb_sheets *out, lb_error *err)
{
    static void (*const makers[])(lb_sheets *) = {
        make_experiments, count_states, make_hypotheses, make_gaps,       make_questions,
        make_gates,       make_phases,  make_plans,      make_statements, make_numbers,
        make_protocol,    make_kanban,  make_changes};
    *out = (lb_sheets){.survey = s, .language = language, .pages = pages, .err = err};
    lb_facts_speak(s->facts, language);
    for (size_t i = 0; i < s->n; i++)
        if (s->members[i].facts)
            lb_facts_speak(s->members[i].facts, language);
    make_header(out, figure);
    for (size_t i = 0; i < sizeof makers / sizeof *makers && out->st == LB_OK; i++)
        makers[i](out);
    out->lent = (lb_lent){out->facts, out->n_facts, out->tables, out->n_tables};
    return out->st;
}

void lb_sheets_free(lb_sheets *t)
{
    for (size_t i = 0; i < t->n_owned; i++)
        free(t->owned[i]);
    for (size_t i = 0; i < t->n_tables; i++)
        free((lb_cell *)t->tables[i].cells);
    free(t->owned);
    free(t->tables);
    free(t->facts);
    *t = (lb_sheets){0};
}
