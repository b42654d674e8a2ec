/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/sheets.h"

#include "core/memory.h"
#include "views/sheet.h"

#include <stdlib.h>
#include <string.h>

/* Titles, and the newest date of a spec: pages carry no clock. */
static void make_header(lb_sheets *t, const char *figure)
{
    const lb_yaml_node *root = t->survey->programme.yaml->root;
    const char *newest = "";
    for (size_t i = 0; i < t->survey->n; i++) {
        const char *date = lb_spec_text(t->survey->members[i].spec, "date", "en");
        newest = strcmp(date, newest) > 0 ? date : newest;
    }
    lb_sheet_fact(t, "title", lb_sheet_words(t, lb_yaml_get(root, "title")));
    lb_sheet_fact(t, "question", lb_sheet_words(t, lb_yaml_get(root, "question")));
    lb_sheet_fact(t, "goal", lb_sheet_words(t, lb_yaml_get(root, "goal")));
    lb_sheet_fact(t, "author", lb_xstrdup(lb_programme_text(root, "author")));
    lb_sheet_fact(t, "updated", lb_xstrdup(newest));
    lb_sheet_fact(t, "profile", lb_xstrdup(t->survey->places->profile));
    lb_sheet_fact(t, "graph", lb_xstrdup(figure));
}

/* The threshold from which a gain is worth having, by the spec that owns it. */
static void make_epsilon(lb_sheets *t)
{
    const lb_yaml_node *node = lb_yaml_get(t->survey->programme.yaml->root, "epsilon");
    const lb_member *m = lb_sheet_owner(t, node->text);
    const char *colon = strchr(node->text, ':');
    const char *value = m && colon ? lb_spec_text(m->spec, colon + 1, "en") : "";
    if (*value)
        lb_sheet_fact(t, "epsilon", lb_xstrdup(value));
    else
        t->st = lb_yaml_fail(t->survey->programme.yaml, node, LB_ENAME, t->err,
                             "'%s' names no number of a spec, as e02:thresholds.valuable does",
                             node->text);
}

lb_status lb_sheets_make(const lb_survey *s, const char *language, lb_dialect dialect,
                         const char *pages, const char *figure, lb_sheets *out, lb_error *err)
{
    static void (*const makers[])(lb_sheets *) = {
        lb_make_experiments, lb_make_counts,    lb_make_hypotheses, lb_make_gaps,
        lb_make_questions,   lb_make_relations, lb_make_conflicts,  lb_make_gates,
        lb_make_phases,      lb_make_plans,     lb_make_statements, lb_make_numbers,
        lb_make_routes,      lb_make_protocol,  lb_make_ideas,      lb_make_kanban,
        lb_make_changes};
    *out = (lb_sheets){
        .survey = s, .language = language, .pages = pages, .dialect = dialect, .err = err};
    lb_facts_speak(s->facts, language);
    for (size_t i = 0; i < s->n; i++)
        if (s->members[i].facts)
            lb_facts_speak(s->members[i].facts, language);
    make_header(out, figure);
    make_epsilon(out);
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
