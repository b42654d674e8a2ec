/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/sheet.h"

#include "core/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        const char *id = strchr(list->items[i]->text, ':') + 1;
        char *name = lb_sheet_reference(t, m), *verdict = lb_sheet_verdict(t, m, id);
        lb_text_printf(&out, "%s%s %s %s", i ? "; " : "", name, id, verdict);
        free(verdict);
        free(name);
    }
    return lb_text_take(&out);
}

/* What follows from the verdicts that decide @p q, each sentence once. */
static char *consequences(lb_sheets *t, const lb_yaml_node *list, const char *const *outcomes)
{
    lb_text out = {0};
    for (size_t i = 0; i < list->n && t->st == LB_OK; i++) {
        const lb_member *m = lb_sheet_owner(t, list->items[i]->text);
        const char *id = strchr(list->items[i]->text, ':') + 1;
        const bool decided = outcomes[i] && strcmp(outcomes[i], "NOT RUN") != 0 &&
                             strcmp(outcomes[i], "INCONCLUSIVE") != 0;
        char *one = decided ? lb_sheet_decision(t, m, id, outcomes[i]) : lb_xstrdup("");
        if (*one && !(out.s && strstr(out.s, one)))
            lb_text_printf(&out, "%s%s", out.length ? lb_sheet_pick(t, " ", "") : "", one);
        free(one);
    }
    return lb_text_take(&out);
}

static const lb_column question_columns[] = {
    {"id", NULL},      {"text", NULL},   {"expected", NULL},   {"status", NULL},
    {"tick", NULL},    {"answer", NULL}, {"yes", NULL},        {"no", NULL},
    {"decided", NULL}, {"so", NULL},     {"confidence", NULL}, {"experiments", NULL}};

static char *members_of(const lb_sheets *t, const char *question)
{
    lb_text out = {0};
    for (size_t k = 0; k < t->survey->n; k++) {
        const lb_member *m = &t->survey->members[k];
        if (!m->entry || strcmp(lb_programme_text(m->entry, "question"), question) != 0)
            continue;
        char *name = lb_sheet_reference(t, m);
        lb_text_printf(&out, "%s%s", out.length ? ", " : "", name);
        free(name);
    }
    return lb_text_take(&out);
}

/* One row of question_columns: the main hypothesis or a question. */
static lb_state put_question(lb_sheets *t, const char *id, const lb_yaml_node *q)
{
    const lb_yaml_node *list = lb_yaml_get(q, "decided_by");
    const char **outcomes = lb_xcalloc(list->n, sizeof *outcomes);
    char *decided = deciding(t, list, outcomes);
    const lb_state state = lb_state_of_question(outcomes, list->n);
    const bool settled = state == LB_STATE_SUPPORTED || state == LB_STATE_REJECTED;
    const char *answer = state == LB_STATE_SUPPORTED  ? "yes"
                         : state == LB_STATE_REJECTED ? "no"
                         : state == LB_STATE_PARTLY   ? "partly"
                                                      : "open";
    const lb_truth known = settled || state == LB_STATE_PARTLY ? LB_TRUE : LB_UNKNOWN;
    lb_sheet_row(t);
    lb_sheet_put(t, id);
    lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(q, "text")));
    lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(q, "expected")));
    lb_sheet_put(t, lb_state_word(state, t->language));
    lb_sheet_put(t, settled ? "x" : " ");
    lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(q, answer)));
    lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(q, "yes")));
    lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(q, "no")));
    lb_sheet_give(t, decided);
    char *so = consequences(t, list, outcomes), *members = members_of(t, id);
    lb_sheet_put(t, so);
    lb_sheet_put(t, lb_confidence_word(known, settled ? LB_TRUE : LB_UNKNOWN, t->language));
    lb_sheet_put(t, members);
    free(members);
    free(so);
    free(outcomes);
    return state;
}

void lb_make_questions(lb_sheets *t)
{
    const lb_programme *p = &t->survey->programme;
    size_t settled = 0;
    LB_BEGIN(t, "main", question_columns);
    put_question(t, "H0", lb_yaml_get(p->yaml->root, "main"));
    LB_BEGIN(t, "questions", question_columns);
    for (size_t i = 0; i < p->questions->n && t->st == LB_OK; i++) {
        const lb_state state = put_question(t, p->questions->keys[i], p->questions->items[i]);
        settled += state == LB_STATE_SUPPORTED || state == LB_STATE_REJECTED;
    }
    lb_sheet_count(t, "n_questions", p->questions->n);
    lb_sheet_count(t, "n_settled", settled);
    lb_sheet_fact(t, "stage",
                  lb_xstrdup(settled == p->questions->n ? lb_sheet_pick(t, "stable 🌺", "稳定 🌺")
                             : 2 * settled >= p->questions->n
                                 ? lb_sheet_pick(t, "converging 🌷", "收敛中 🌷")
                                 : lb_sheet_pick(t, "exploring 🌱", "探索中 🌱")));
}

/* --- how hypotheses hang together ---------------------------------------------------------------
 */

/* "    - G1 passed ✅ opens E04, E05" for each gate that asks the experiment. */
static lb_status put_gates_below(lb_sheets *t, const lb_member *m)
{
    const lb_yaml_node *all = t->survey->programme.gates;
    for (size_t i = 0; i < all->n && t->st == LB_OK; i++) {
        const char *asks = lb_programme_text(all->items[i], "asks");
        lb_state state;
        if (lb_sheet_owner(t, asks) != m)
            continue;
        t->st = lb_survey_gate(t->survey, all->items[i], &state, t->err);
        if (t->st != LB_OK)
            break;
        char *opens = lb_sheet_labels(t, lb_yaml_get(all->items[i], "opens"));
        lb_sheet_row(t);
        lb_sheet_give(t, lb_xprintf("    - %s (%s): %s → %s", all->keys[i], strchr(asks, ':') + 1,
                                    lb_state_word(state, t->language), opens));
        free(opens);
    }
    return t->st;
}

/* A nested list: question, its experiments with the hypothesis that decides, the gates it opens. */
void lb_make_relations(lb_sheets *t)
{
    static const lb_column columns[] = {{"line", NULL}};
    const lb_yaml_node *all = t->survey->programme.questions;
    LB_BEGIN(t, "relations", columns);
    for (size_t i = 0; i < all->n && t->st == LB_OK; i++) {
        char *text = lb_sheet_words(t, lb_yaml_get(all->items[i], "text"));
        lb_sheet_row(t);
        lb_sheet_give(t, lb_xprintf("- **%s** %s", all->keys[i], text));
        free(text);
        for (size_t k = 0; k < t->survey->n && t->st == LB_OK; k++) {
            const lb_member *m = &t->survey->members[k];
            if (!m->entry || strcmp(lb_programme_text(m->entry, "question"), all->keys[i]) != 0)
                continue;
            const char *decides = lb_programme_text(m->entry, "decides");
            char *name = lb_sheet_reference(t, m), *verdict = lb_sheet_verdict(t, m, decides);
            lb_sheet_row(t);
            lb_sheet_give(t, lb_xprintf("  - %s %s: %s", name, decides, verdict));
            free(verdict);
            free(name);
            put_gates_below(t, m);
        }
    }
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
    lb_sheet_row(t);
    lb_sheet_put(t, id);
    lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(gate, "title")));
    char *name = lb_sheet_reference(t, m);
    lb_sheet_give(t, lb_xprintf("%s %s", name, hypothesis));
    free(name);
    lb_sheet_give(t, lb_sheet_claim(t, m, hypothesis, "claim"));
    lb_sheet_give(t, lb_xprintf("`%s`", lb_spec_text(m->spec, path, "en")));
    lb_sheet_put(t, lb_state_word(state, t->language));
    lb_sheet_give(t, lb_sheet_verdict(t, m, hypothesis));
    lb_sheet_number(t, v ? v->metric : "", NULL);
    for (size_t k = 0; k < 3; k++) {
        char *branch = lb_sheet_claim(t, m, hypothesis, branches[k]);
        lb_sheet_put(t, branch);
        free(branch);
    }
    lb_sheet_give(t, lb_sheet_decision(t, m, hypothesis, v ? v->outcome : NULL));
    lb_sheet_give(t, lb_sheet_labels(t, lb_yaml_get(gate, "opens")));
    free(path);
}

/* What stands behind a gate that is not passed: run all the same, or waiting. */
static size_t put_blocked(lb_sheets *t, const char *id, const lb_yaml_node *gate, lb_state state)
{
    const lb_yaml_node *opens = lb_yaml_get(gate, "opens");
    for (size_t i = 0; i < opens->n; i++) {
        const lb_member *m = lb_survey_find(t->survey, opens->items[i]->text);
        const lb_yaml_node *plan = lb_yaml_get(t->survey->programme.planned, opens->items[i]->text);
        lb_sheet_row(t);
        lb_sheet_put(t, id);
        lb_sheet_put(t, lb_state_word(state, t->language));
        lb_sheet_give(t, m ? lb_sheet_reference(t, m) : lb_xstrdup(opens->items[i]->text));
        lb_sheet_give(t, m ? lb_xstrdup(lb_spec_text(m->spec, "title", t->language))
                           : lb_sheet_words(t, lb_yaml_get(plan, "title")));
        lb_sheet_put(t, m && m->progress.recorded
                            ? lb_sheet_pick(t, "run all the same: read it as exploration",
                                            "仍然运行：结果只作探索性解读")
                            : lb_sheet_pick(t, "blocked", "受阻"));
    }
    return opens->n;
}

void lb_make_gates(lb_sheets *t)
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
    LB_BEGIN(t, "gates", columns);
    for (size_t i = 0; i < all->n && t->st == LB_OK; i++) {
        t->st = lb_survey_gate(t->survey, all->items[i], &states[i], t->err);
        passed += states[i] == LB_STATE_GATE_PASSED;
        if (t->st == LB_OK)
            put_gate(t, all->keys[i], all->items[i], states[i]);
    }
    LB_BEGIN(t, "blocked", blocked_columns);
    for (size_t i = 0; i < all->n && t->st == LB_OK; i++)
        if (states[i] != LB_STATE_GATE_PASSED)
            blocked += put_blocked(t, all->keys[i], all->items[i], states[i]);
    lb_sheet_count(t, "n_gates", all->n);
    lb_sheet_count(t, "n_passed", passed);
    lb_sheet_count(t, "n_blocked", blocked);
    free(states);
}
