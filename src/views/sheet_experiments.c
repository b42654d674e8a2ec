/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/sheet.h"

#include "core/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
            char *name = lb_sheet_label(other);
            lb_text_printf(&out, "%s%s", out.length ? ", " : "", name);
            free(name);
        }
    }
    return lb_text_take(&out);
}

/* Where in the views the result of an experiment is used. */
char *lb_sheet_places(const lb_sheets *t, const lb_member *m)
{
    const lb_programme *p = &t->survey->programme;
    lb_text out = {0};
    for (size_t i = 0; i < p->questions->n; i++)
        if (lb_sheet_quotes(lb_yaml_get(p->questions->items[i], "decided_by"), m->id))
            lb_text_printf(&out, "%s%s", out.length ? ", " : "", p->questions->keys[i]);
    for (size_t i = 0; i < p->gates->n; i++)
        if (lb_sheet_owner(t, lb_programme_text(p->gates->items[i], "asks")) == m)
            lb_text_printf(&out, "%s%s", out.length ? ", " : "", p->gates->keys[i]);
    for (size_t i = 0; i < p->statements->n; i++)
        if (lb_sheet_quotes(lb_yaml_get(p->statements->items[i], "evidence"), m->id))
            lb_text_printf(&out, "%s%s", out.length ? ", " : "", p->statements->keys[i]);
    return lb_text_take(&out);
}

/* "32000 / 1000 / 1000", the rows the record declares. */
static char *rows_of(const lb_member *m)
{
    static const char *const parts[] = {"n_train", "n_val", "n_test"};
    lb_text out = {0};
    for (size_t i = 0; m->facts && i < 3; i++) {
        char *key = lb_xprintf("%s.data.%s", m->id, parts[i]);
        const lb_number *n = lb_archive_number(lb_facts_record(m->facts), key);
        lb_text_add(&out, i ? " / " : "");
        if (n)
            lb_text_printf(&out, "%.0f", n->value);
        else
            lb_text_add(&out, "—");
        free(key);
    }
    return lb_text_take(&out);
}

/* "H1.2 PASS ✅; H1.1 PARTIAL ⚠️" */
static char *verdicts_of(const lb_sheets *t, const lb_member *m)
{
    const lb_yaml_node *all = lb_spec_node(m->spec, "hypotheses");
    lb_text out = {0};
    for (size_t i = 0; all && i < all->n; i++) {
        char *verdict = lb_sheet_verdict(t, m, all->keys[i]);
        lb_text_printf(&out, "%s%s %s", i ? "; " : "", all->keys[i], verdict);
        free(verdict);
    }
    return lb_text_take(&out);
}

/* A rule of the deciding hypothesis, as code. */
static void put_rule(lb_sheets *t, const lb_member *m, const char *id, const char *which)
{
    char *path = lb_xprintf("hypotheses.%s.%s", id, which);
    const char *rule = lb_spec_text(m->spec, path, "en");
    lb_sheet_give(t, *rule ? lb_xprintf("`%s`", rule) : lb_xstrdup("—"));
    free(path);
}

static void put_text_of(lb_sheets *t, char *s)
{
    lb_sheet_put(t, s);
    free(s);
}

/* What was asked, of which rows and models, and what the outcome decides. */
static void put_design(lb_sheets *t, const lb_member *m, const char *decides)
{
    static const char *const branches[] = {"if_pass", "if_partial", "if_fail"};
    put_text_of(t, lb_sheet_question(t, m));
    put_text_of(t, rows_of(m));
    put_text_of(t, lb_sheet_setting(m, "noise.levels"));
    put_text_of(t, m->entry ? lb_sheet_words(t, lb_yaml_get(m->entry, "model")) : lb_xstrdup(""));
    put_text_of(t, lb_sheet_setting(m, "ridge.alphas"));
    put_rule(t, m, decides, "pass");
    put_rule(t, m, decides, "fail");
    for (size_t i = 0; i < 3; i++)
        put_text_of(t, lb_sheet_claim(t, m, decides, branches[i]));
    put_text_of(t, verdicts_of(t, m));
}

/* Where its parts lie. */
static void put_files(lb_sheets *t, const lb_member *m)
{
    const lb_places *p = t->survey->places;
    const char *name = lb_spec_name(m->spec);
    lb_sheet_put(t, lb_spec_text(m->spec, "topic", "en"));
    lb_sheet_give(t, lb_xprintf("`src/experiments/%s.c`", name));
    lb_sheet_give(t, lb_xprintf("`templates/experiments/%s/spec.yaml`", name));
    lb_sheet_give(t, lb_xprintf("`data/results/%s/%s.h5`", p->profile, name));
    lb_sheet_give(t, lb_xprintf("`data/frozen/%s/%s.tsv`", p->profile, name));
}

static void put_experiment(lb_sheets *t, const lb_member *m)
{
    const lb_yaml_node *phase = lb_sheet_phase(t, m);
    const char *decides = m->entry ? lb_programme_text(m->entry, "decides") : "";
    lb_sheet_row(t);
    lb_sheet_give(t, lb_sheet_label(m));
    lb_sheet_give(t, lb_sheet_reference(t, m));
    lb_sheet_put(t, lb_spec_text(m->spec, "title", t->language));
    lb_sheet_put(t, m->entry ? lb_programme_text(m->entry, "phase") : "—");
    lb_sheet_give(t, phase ? lb_sheet_words(t, lb_yaml_get(phase, "title")) : lb_xstrdup("—"));
    lb_sheet_put(t, lb_spec_text(m->spec, "mvp", "en"));
    lb_sheet_put(t, lb_spec_text(m->spec, "registry", "en"));
    lb_sheet_put(t, lb_spec_text(m->spec, "priority", "en"));
    lb_sheet_put(t, lb_spec_text(m->spec, "date", "en"));
    lb_sheet_put(t, lb_state_word(m->state, t->language));
    lb_sheet_put(t, decides);
    lb_sheet_give(t, m->entry ? lb_sheet_verdict(t, m, decides) : lb_xstrdup("—"));
    lb_sheet_number(t, m->entry ? lb_programme_text(m->entry, "score") : "",
                    lb_yaml_get(m->entry, "score"));
    lb_sheet_number(t, m->entry ? lb_programme_text(m->entry, "gain") : "",
                    lb_yaml_get(m->entry, "gain"));
    char *said = lb_sheet_finding(t, m);
    lb_sheet_put(t, said);
    free(said);
    lb_sheet_give(t, m->entry ? lb_sheet_decision(t, m, decides, m->progress.outcome)
                              : lb_xstrdup("—"));
    char *needed = needs(t, m),
         *gates = lb_sheet_holders(t->survey->programme.gates, "opens", m->id);
    lb_sheet_put(t, needed);
    lb_sheet_put(t, gates);
    free(gates);
    free(needed);
    char *used = lb_sheet_places(t, m);
    lb_sheet_put(t, used);
    free(used);
    lb_sheet_put(t, m->lacks);
    put_design(t, m, decides);
    put_files(t, m);
}

static const lb_column experiment_columns[] = {
    {"id", NULL},          {"ref", NULL},      {"title", NULL},      {"phase", NULL},
    {"phase_title", NULL}, {"mvp", NULL},      {"registry", NULL},   {"priority", NULL},
    {"date", NULL},        {"status", NULL},   {"decides", NULL},    {"verdict", NULL},
    {"score", NULL},       {"score_ci", "ci"}, {"gain", NULL},       {"gain_ci", "ci"},
    {"finding", NULL},     {"decision", NULL}, {"needs", NULL},      {"gates", NULL},
    {"places", NULL},      {"lacks", NULL},    {"question", NULL},   {"data", NULL},
    {"noise", NULL},       {"model", NULL},    {"penalties", NULL},  {"accept", NULL},
    {"stop", NULL},        {"if_pass", NULL},  {"if_partial", NULL}, {"if_fail", NULL},
    {"verdicts", NULL},    {"topic", NULL},    {"program", NULL},    {"spec", NULL},
    {"record", NULL},      {"frozen", NULL}};

/* All experiments; the same by phase; those whose verdict closed a direction. */
void lb_make_experiments(lb_sheets *t)
{
    const lb_survey *s = t->survey;
    size_t closed = 0;
    LB_BEGIN(t, "experiments", experiment_columns);
    for (size_t i = 0; i < s->n; i++)
        put_experiment(t, &s->members[i]);
    LB_BEGIN(t, "specs", experiment_columns);
    for (size_t p = 0; p < s->programme.phases->n; p++)
        for (size_t i = 0; i < s->n; i++)
            if (lb_sheet_phase(t, &s->members[i]) == s->programme.phases->items[p])
                put_experiment(t, &s->members[i]);
    LB_BEGIN(t, "closed", experiment_columns);
    for (size_t i = 0; i < s->n; i++)
        if (s->members[i].state == LB_STATE_NEGATIVE) {
            put_experiment(t, &s->members[i]);
            closed++;
        }
    lb_sheet_count(t, "n_closed", closed);
}

void lb_make_counts(lb_sheets *t)
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
        lb_sheet_count(t, counted[k].name, n);
    }
    lb_sheet_count(t, "n_experiments", t->survey->n);
}

/* --- hypotheses, gaps --------------------------------------------------------------------------
 */

static void put_hypothesis(lb_sheets *t, const lb_member *m, const char *id)
{
    const lb_verdict *v;
    char *metric_path = lb_xprintf("hypotheses.%s.metric", id);
    const char *outcome = lb_sheet_outcome(m, id, &v);
    const lb_state state = lb_state_of_hypothesis(outcome);
    lb_sheet_row(t);
    lb_sheet_give(t, lb_sheet_reference(t, m));
    lb_sheet_put(t, id);
    lb_sheet_give(t, lb_xstrdup(m->entry ? lb_programme_text(m->entry, "question") : "—"));
    lb_sheet_give(t, lb_sheet_claim(t, m, id, "claim"));
    lb_fact fact;
    const char *metric = lb_spec_text(m->spec, metric_path, "en");
    const bool there = v && lb_facts_find(m->facts, metric, &fact, NULL) == LB_OK;
    lb_sheet_number(t, there ? metric : "", NULL);
    lb_sheet_give(t, lb_sheet_verdict(t, m, id));
    lb_sheet_put(t, lb_state_word(state, t->language));
    lb_sheet_give(t, lb_sheet_decision(t, m, id, outcome));
    free(metric_path);
}

void lb_make_hypotheses(lb_sheets *t)
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
    LB_BEGIN(t, "hypotheses", columns);
    for (size_t i = 0; i < t->survey->n; i++) {
        const lb_member *m = &t->survey->members[i];
        const lb_yaml_node *all = lb_spec_node(m->spec, "hypotheses");
        for (size_t k = 0; all && k < all->n; k++, total++) {
            const lb_verdict *v;
            put_hypothesis(t, m, all->keys[k]);
            n[lb_state_of_hypothesis(lb_sheet_outcome(m, all->keys[k], &v))]++;
        }
    }
    lb_sheet_count(t, "n_hypotheses", total);
    for (size_t k = 0; k < sizeof counted / sizeof *counted; k++)
        lb_sheet_count(t, counted[k].name, n[counted[k].state]);
}

/* Hypotheses on which nobody can decide yet: why, and the rule that would. */
void lb_make_gaps(lb_sheets *t)
{
    static const lb_column columns[] = {{"id", NULL},    {"ref", NULL},     {"hypothesis", NULL},
                                        {"claim", NULL}, {"verdict", NULL}, {"why", NULL},
                                        {"rule", NULL},  {"plan", NULL}};
    size_t n = 0;
    LB_BEGIN(t, "gaps", columns);
    for (size_t i = 0; i < t->survey->n; i++) {
        const lb_member *m = &t->survey->members[i];
        const lb_yaml_node *all = lb_spec_node(m->spec, "hypotheses");
        for (size_t k = 0; all && k < all->n; k++) {
            const lb_verdict *v;
            const lb_state state = lb_state_of_hypothesis(lb_sheet_outcome(m, all->keys[k], &v));
            if (state != LB_STATE_IN_PROGRESS && state != LB_STATE_UNTESTED)
                continue;
            char *name = lb_xprintf("%s:%s", m->id, all->keys[k]);
            char *plans = lb_sheet_holders(t->survey->programme.planned, "closes", name);
            lb_sheet_row(t);
            lb_sheet_give(t, lb_xprintf("DG%zu", ++n));
            lb_sheet_give(t, lb_sheet_reference(t, m));
            lb_sheet_put(t, all->keys[k]);
            lb_sheet_give(t, lb_sheet_claim(t, m, all->keys[k], "claim"));
            lb_sheet_give(t, lb_sheet_verdict(t, m, all->keys[k]));
            lb_sheet_give(t, v && *v->detail
                                 ? lb_xprintf("`%s`", v->detail)
                                 : lb_xstrdup(lb_sheet_pick(t, "no record", "尚无记录")));
            lb_sheet_give(t, lb_xprintf("`%s`", lb_programme_text(all->items[k], "pass")));
            lb_sheet_put(t, plans);
            free(plans);
            free(name);
        }
    }
    lb_sheet_count(t, "n_gaps", n);
}
