/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/sheet.h"

#include "core/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- phases and plans --------------------------------------------------------------------------
 */

void lb_make_phases(lb_sheets *t)
{
    static const lb_column columns[] = {
        {"id", NULL}, {"title", NULL}, {"experiments", NULL}, {"status", NULL}};
    const lb_yaml_node *all = t->survey->programme.phases;
    LB_BEGIN(t, "phases", columns);
    for (size_t i = 0; i < all->n; i++) {
        size_t n = 0, ended = 0, begun = 0;
        lb_text members = {0};
        for (size_t k = 0; k < t->survey->n; k++) {
            const lb_member *m = &t->survey->members[k];
            if (lb_sheet_phase(t, m) != all->items[i])
                continue;
            char *name = lb_sheet_reference(t, m);
            lb_text_printf(&members, "%s%s", n++ ? ", " : "", name);
            free(name);
            ended += m->state == LB_STATE_DONE || m->state == LB_STATE_NEGATIVE;
            begun += m->progress.recorded;
        }
        lb_sheet_row(t);
        lb_sheet_put(t, all->keys[i]);
        lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(all->items[i], "title")));
        lb_sheet_give(t, lb_text_take(&members));
        lb_sheet_give(t, lb_xprintf("%s (%zu/%zu)",
                                    lb_state_word(n > 0 && ended == n ? LB_STATE_DONE
                                                  : begun > 0         ? LB_STATE_RUNNING
                                                                      : LB_STATE_PLANNED,
                                                  t->language),
                                    ended, n));
    }
}

static const lb_column plan_columns[] = {
    {"id", NULL},        {"title", NULL},    {"phase", NULL},  {"needs", NULL},
    {"priority", NULL},  {"when", NULL},     {"status", NULL}, {"why", NULL},
    {"otherwise", NULL}, {"estimate", NULL}, {"source", NULL}, {"closes", NULL}};

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
            char *name = lb_sheet_label(m);
            lb_text_printf(&named, "%s%s %s", k ? ", " : "", name, colon + 1);
            free(name);
        }
    }
    lb_sheet_row(t);
    lb_sheet_put(t, all->keys[i]);
    lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(plan, "title")));
    lb_sheet_put(t, lb_programme_text(plan, "phase"));
    lb_sheet_give(t, lb_sheet_labels(t, lb_yaml_get(plan, "needs")));
    lb_sheet_put(t, lb_programme_text(plan, "priority"));
    lb_sheet_give(t, lb_xprintf("`%s`", lb_programme_text(plan, "when")));
    lb_sheet_put(t, lb_state_word(state, t->language));
    lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(plan, "why")));
    lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(plan, "otherwise")));
    lb_sheet_put(t, lb_sheet_estimate(t, lb_programme_text(plan, "estimate")));
    char *source = lb_sheet_proposers(t, all->keys[i]);
    lb_sheet_put(t, source);
    free(source);
    lb_sheet_put(t, named.s ? named.s : "");
    lb_text_free(&named);
}

/* The plans that are ready, by priority, at most @p most of them. */
static size_t put_ready(lb_sheets *t, const lb_state *states, size_t most)
{
    static const char *const priorities[] = {"P0", "P1", "P2"};
    const lb_yaml_node *all = t->survey->programme.planned;
    size_t n = 0;
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < all->n && n < most && t->st == LB_OK; i++)
            if (states[i] == LB_STATE_READY &&
                strcmp(lb_programme_text(all->items[i], "priority"), priorities[k]) == 0) {
                put_plan(t, i, states[i]);
                n++;
            }
    return n;
}

/* All plans; those that are ready; the first two of these, which is as many as anybody can do. */
void lb_make_plans(lb_sheets *t)
{
    enum { FOCUS = 2 };
    const lb_yaml_node *all = t->survey->programme.planned;
    lb_state *states = lb_xcalloc(all->n + 1, sizeof *states);
    LB_BEGIN(t, "plans", plan_columns);
    for (size_t i = 0; i < all->n && t->st == LB_OK; i++) {
        t->st = lb_survey_plan(t->survey, i, &states[i], t->err);
        if (t->st == LB_OK)
            put_plan(t, i, states[i]);
    }
    lb_sheet_count(t, "n_plans", all->n);
    LB_BEGIN(t, "next", plan_columns);
    lb_sheet_count(t, "n_next", put_ready(t, states, all->n));
    LB_BEGIN(t, "focus", plan_columns);
    put_ready(t, states, FOCUS);
    free(states);
}
