/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/sheet.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

/* --- ideas ---------------------------------------------------------------------------------------
 * Section 5.6 of a report proposes what to do next, one row each; experiments.*.next in the
 * programme says where each row went: to an experiment, to a plan, or nowhere yet ("inbox"). */

static const lb_column idea_columns[] = {{"ref", NULL},  {"topic", NULL},    {"direction", NULL},
                                         {"task", NULL}, {"priority", NULL}, {"date", NULL},
                                         {"went", NULL}};

/* The next row of the table at @p at, NULL when it ends; moves @p at. */
static char *next_row(char **at)
{
    char *line = *at;
    if (!line || *line != '|')
        return NULL;
    char *end = strchr(line, '\n');
    if (end)
        *end = '\0';
    *at = end ? end + 1 : NULL;
    return line;
}

/* The table of section 5.6 in the text of a report, behind its header; NULL if there is none. */
static char *ideas_of(char *report)
{
    char *at = strstr(report, "\n### 5.6");
    at = at ? strstr(at, "\n|") : NULL;
    if (!at)
        return NULL;
    at++;
    return next_row(&at) && next_row(&at) ? at : NULL;
}

/* The cell at @p *at without its blanks; moves behind its bar. */
static char *next_cell(char **at)
{
    char *start = *at + strspn(*at, "| "), *end = strstr(start, " |");
    *at = end ? end + 2 : start + strlen(start);
    if (end)
        *end = '\0';
    return start;
}

static void put_idea(lb_sheets *t, const lb_member *m, const char *row, const char *went)
{
    char *filled = lb_sheet_line(t, m, row), *at = filled;
    const lb_member *taker = lb_survey_find(t->survey, went);
    lb_sheet_row(t);
    lb_sheet_give(t, lb_sheet_reference(t, m));
    lb_sheet_put(t, lb_spec_text(m->spec, "topic", "en"));
    for (size_t i = 0; i < 3; i++)
        lb_sheet_put(t, next_cell(&at));
    lb_sheet_put(t, lb_spec_text(m->spec, "date", "en"));
    lb_sheet_give(t, taker ? lb_sheet_reference(t, taker) : lb_xstrdup(went));
    free(filled);
}

/* Rows of one report that went nowhere yet (@p taken false), or that were taken up. */
static size_t put_ideas(lb_sheets *t, const lb_member *m, bool taken)
{
    const lb_yaml_node *next = lb_yaml_get(m->entry, "next");
    char *report = lb_sheet_report(t, m), *at = ideas_of(report), *row;
    size_t n = 0, shown = 0;
    while (t->st == LB_OK && (row = next_row(&at))) {
        const char *went = next && n < next->n ? next->items[n]->text : "inbox";
        n++;
        if ((strcmp(went, "inbox") != 0) != taken || !m->facts)
            continue;
        put_idea(t, m, row, went);
        shown++;
    }
    if (t->st == LB_OK && m->entry && n != (next ? next->n : 0))
        t->st = lb_yaml_fail(t->survey->programme.yaml, next ? next : m->entry, LB_EINVAL, t->err,
                             "%s/report.%s.md proposes %zu next steps in section 5.6, but %zu are "
                             "said to have gone somewhere",
                             m->folder, t->language, n, next ? next->n : 0);
    free(report);
    return shown;
}

void lb_make_ideas(lb_sheets *t)
{
    static const char *const tables[] = {"ideas", "taken"}, *const counts[] = {"n_ideas",
                                                                               "n_taken"};
    for (size_t k = 0; k < 2; k++) {
        size_t n = 0;
        LB_BEGIN(t, tables[k], idea_columns);
        for (size_t i = 0; i < t->survey->n && t->st == LB_OK; i++)
            n += put_ideas(t, &t->survey->members[i], k == 1);
        lb_sheet_count(t, counts[k], n);
    }
}

/* --- columns of the board -----------------------------------------------------------------------
 */

static const lb_column board_columns[] = {
    {"id", NULL},     {"title", NULL},    {"topic", NULL},  {"phase", NULL}, {"priority", NULL},
    {"status", NULL}, {"estimate", NULL}, {"source", NULL}, {"date", NULL},  {"metric", NULL},
    {"ci", "ci"},     {"record", NULL},   {"report", NULL}, {"next", NULL},  {"card", NULL},
    {"places", NULL}, {"lacks", NULL}};

/* The cards that carry the result of an experiment. */
static char *cards_of(const lb_sheets *t, const lb_member *m)
{
    const lb_yaml_node *all = t->survey->programme.statements;
    lb_text out = {0};
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(lb_programme_text(all->items[i], "kind"), "card") == 0 &&
            lb_sheet_quotes(lb_yaml_get(all->items[i], "evidence"), m->id))
            lb_text_printf(&out, "%s%s", out.length ? ", " : "", all->keys[i]);
    return lb_text_take(&out);
}

static void put_text_of(lb_sheets *t, char *s)
{
    lb_sheet_put(t, s);
    free(s);
}

static void put_member(lb_sheets *t, const lb_member *m)
{
    const char *gain = m->entry ? lb_programme_text(m->entry, "gain") : "";
    const char *score = m->entry ? lb_programme_text(m->entry, "score") : "";
    const lb_yaml_node *next = lb_yaml_get(m->entry, "next");
    lb_sheet_row(t);
    lb_sheet_give(t, lb_sheet_reference(t, m));
    lb_sheet_put(t, lb_spec_text(m->spec, "title", t->language));
    lb_sheet_put(t, lb_spec_text(m->spec, "topic", "en"));
    lb_sheet_put(t, m->entry ? lb_programme_text(m->entry, "phase") : "");
    lb_sheet_put(t, lb_spec_text(m->spec, "priority", "en"));
    lb_sheet_put(t, lb_state_word(m->state, t->language));
    lb_sheet_put(t, "");
    put_text_of(t, lb_sheet_proposers(t, m->id));
    lb_sheet_put(t, lb_spec_text(m->spec, "date", "en"));
    lb_sheet_number(t, *gain ? gain : score, NULL);
    lb_sheet_give(t, lb_xprintf("`data/results/%s/%s.h5`", t->survey->places->profile,
                                lb_spec_name(m->spec)));
    lb_sheet_put(t, m->progress.complete ? lb_sheet_pick(t, "complete", "完整")
                                         : lb_sheet_pick(t, "not complete", "不完整"));
    put_text_of(t, next ? lb_sheet_labels(t, next) : lb_xstrdup(""));
    put_text_of(t, cards_of(t, m));
    put_text_of(t, lb_sheet_places(t, m));
    lb_sheet_put(t, m->lacks);
}

static void put_plan(lb_sheets *t, const char *id, const lb_yaml_node *plan, lb_state state)
{
    lb_sheet_row(t);
    lb_sheet_put(t, id);
    lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(plan, "title")));
    lb_sheet_put(t, lb_programme_text(plan, "topic"));
    lb_sheet_put(t, lb_programme_text(plan, "phase"));
    lb_sheet_put(t, lb_programme_text(plan, "priority"));
    lb_sheet_put(t, lb_state_word(state, t->language));
    lb_sheet_put(t, lb_sheet_estimate(t, lb_programme_text(plan, "estimate")));
    put_text_of(t, lb_sheet_proposers(t, id));
    for (size_t k = 8; k < sizeof board_columns / sizeof *board_columns; k++)
        lb_sheet_put(t, "");
}

/* Every id of experiments and plans stands in exactly one column: that of its state. */
void lb_make_kanban(lb_sheets *t)
{
    static const char *const lanes[] = {"inbox", "todo", "running", "finished", "archived"};
    const lb_programme *p = &t->survey->programme;
    for (size_t lane = 0; lane < LB_LANES; lane++) {
        size_t n = 0;
        LB_BEGIN(t, lanes[lane], board_columns);
        for (size_t i = 0; i < t->survey->n; i++) {
            const lb_member *m = &t->survey->members[i];
            if (lb_lane_of(m->state, m->entry != NULL, lb_sheet_is_carded(t, m)) == (lb_lane)lane) {
                put_member(t, m);
                n++;
            }
        }
        for (size_t i = 0; i < p->planned->n && t->st == LB_OK; i++) {
            lb_state state;
            t->st = lb_survey_plan(t->survey, i, &state, t->err);
            if (t->st == LB_OK && lb_lane_of(state, true, false) == (lb_lane)lane) {
                put_plan(t, p->planned->keys[i], p->planned->items[i], state);
                n++;
            }
        }
        char *name = lb_xprintf("n_%s", lanes[lane]);
        lb_sheet_count(t, name, n);
        free(name);
    }
    lb_sheet_count(t, "n_ids", t->survey->n + p->planned->n);
}
