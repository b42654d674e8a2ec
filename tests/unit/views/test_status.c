/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Statuses follow from records: every rule, and that no icon stands without a word. */
#include "views/status.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ctype.h>
#include <string.h>

Test(status, of_a_hypothesis_is_that_of_its_verdict)
{
    cr_expect(eq(int, lb_state_of_hypothesis("PASS"), LB_STATE_SUPPORTED));
    cr_expect(eq(int, lb_state_of_hypothesis("PARTIAL"), LB_STATE_PARTLY));
    cr_expect(eq(int, lb_state_of_hypothesis("FAIL"), LB_STATE_REJECTED));
    cr_expect(eq(int, lb_state_of_hypothesis("INCONCLUSIVE"), LB_STATE_IN_PROGRESS));
    cr_expect(eq(int, lb_state_of_hypothesis("NOT RUN"), LB_STATE_UNTESTED));
    cr_expect(eq(int, lb_state_of_hypothesis(NULL), LB_STATE_UNTESTED));
}

Test(status, of_a_gate_passes_on_pass_alone)
{
    cr_expect(eq(int, lb_state_of_gate("PASS", true), LB_STATE_GATE_PASSED));
    cr_expect(eq(int, lb_state_of_gate("FAIL", true), LB_STATE_GATE_FAILED));
    cr_expect(eq(int, lb_state_of_gate("PARTIAL", true), LB_STATE_GATE_MARGINAL));
    cr_expect(eq(int, lb_state_of_gate("INCONCLUSIVE", true), LB_STATE_GATE_MARGINAL));
    cr_expect(eq(int, lb_state_of_gate("NOT RUN", true), LB_STATE_GATE_OPEN));
    cr_expect(eq(int, lb_state_of_gate(NULL, true), LB_STATE_GATE_READY));
    cr_expect(eq(int, lb_state_of_gate(NULL, false), LB_STATE_GATE_OPEN));
}

Test(status, of_a_question_needs_all_its_verdicts)
{
    const char *pass[] = {"PASS", "PASS"}, *fail[] = {"FAIL", "FAIL"}, *mixed[] = {"PASS", "FAIL"};
    const char *half[] = {"PASS", NULL}, *gap[] = {"INCONCLUSIVE", NULL},
               *none[] = {NULL, "NOT RUN"};
    cr_expect(eq(int, lb_state_of_question(pass, 2), LB_STATE_SUPPORTED));
    cr_expect(eq(int, lb_state_of_question(fail, 2), LB_STATE_REJECTED));
    cr_expect(eq(int, lb_state_of_question(mixed, 2), LB_STATE_PARTLY));
    cr_expect(eq(int, lb_state_of_question(half, 2), LB_STATE_PARTLY), "one of two is not all");
    cr_expect(eq(int, lb_state_of_question(gap, 2), LB_STATE_IN_PROGRESS));
    cr_expect(eq(int, lb_state_of_question(none, 2), LB_STATE_UNTESTED));
    cr_expect(eq(int, lb_state_of_question(NULL, 0), LB_STATE_UNTESTED), "nothing asked");
}

Test(status, of_an_experiment_is_not_done_while_its_report_lacks_something)
{
    lb_progress_facts f = {.recorded = true, .complete = true, .outcome = "PASS"};
    cr_expect(eq(int, lb_state_of_experiment(&f), LB_STATE_DONE));
    f.complete = false;
    cr_expect(eq(int, lb_state_of_experiment(&f), LB_STATE_INCOMPLETE));
    f = (lb_progress_facts){.recorded = true, .complete = true, .outcome = "FAIL"};
    cr_expect(eq(int, lb_state_of_experiment(&f), LB_STATE_NEGATIVE));
    f.complete = false;
    cr_expect(eq(int, lb_state_of_experiment(&f), LB_STATE_INCOMPLETE));
    f.writing = true;
    cr_expect(eq(int, lb_state_of_experiment(&f), LB_STATE_RUNNING));
}

Test(status, of_an_experiment_that_has_not_run_is_ready_when_nothing_is_in_the_way)
{
    lb_progress_facts f = {.needs_met = true, .gates_passed = true};
    cr_expect(eq(int, lb_state_of_experiment(&f), LB_STATE_READY));
    f.gates_passed = false;
    cr_expect(eq(int, lb_state_of_experiment(&f), LB_STATE_PLANNED));
    f = (lb_progress_facts){.gates_passed = true};
    cr_expect(eq(int, lb_state_of_experiment(&f), LB_STATE_PLANNED));
}

Test(status, of_plans_and_statements_follows_their_condition)
{
    cr_expect(eq(int, lb_state_of_plan(LB_TRUE, true), LB_STATE_READY));
    cr_expect(eq(int, lb_state_of_plan(LB_TRUE, false), LB_STATE_PLANNED), "behind a gate");
    cr_expect(eq(int, lb_state_of_plan(LB_FALSE, true), LB_STATE_CANCELLED));
    cr_expect(eq(int, lb_state_of_plan(LB_UNKNOWN, true), LB_STATE_PLANNED));
    cr_expect(eq(int, lb_state_of_statement(LB_TRUE), LB_STATE_SUPPORTED));
    cr_expect(eq(int, lb_state_of_statement(LB_FALSE), LB_STATE_REJECTED));
    cr_expect(eq(int, lb_state_of_statement(LB_UNKNOWN), LB_STATE_UNTESTED));
    cr_expect(strcmp(lb_confidence_word(LB_TRUE, LB_TRUE, "en"), "high") == 0);
    cr_expect(strcmp(lb_confidence_word(LB_TRUE, LB_UNKNOWN, "en"), "medium") == 0);
    cr_expect(strcmp(lb_confidence_word(LB_UNKNOWN, LB_TRUE, "en"), "low") == 0);
}

Test(status, puts_every_state_into_one_column_of_the_kanban)
{
    cr_expect(eq(int, lb_lane_of(LB_STATE_DONE, false, true), LB_LANE_INBOX), "no place, no id");
    cr_expect(eq(int, lb_lane_of(LB_STATE_PLANNED, true, false), LB_LANE_TODO));
    cr_expect(eq(int, lb_lane_of(LB_STATE_READY, true, false), LB_LANE_TODO));
    cr_expect(eq(int, lb_lane_of(LB_STATE_RUNNING, true, false), LB_LANE_RUNNING));
    cr_expect(eq(int, lb_lane_of(LB_STATE_INCOMPLETE, true, true), LB_LANE_RUNNING));
    cr_expect(eq(int, lb_lane_of(LB_STATE_DONE, true, false), LB_LANE_DONE));
    cr_expect(eq(int, lb_lane_of(LB_STATE_NEGATIVE, true, true), LB_LANE_ARCHIVED));
    cr_expect(eq(int, lb_lane_of(LB_STATE_CANCELLED, true, false), LB_LANE_ARCHIVED));
}

Test(status, says_a_word_before_each_icon)
{
    for (int i = 0; i < LB_STATES; i++) {
        const char *en = lb_state_word((lb_state)i, "en"), *zh = lb_state_word((lb_state)i, "zh");
        const bool word_first = isalpha((unsigned char)*en) != 0, translated = strcmp(en, zh) != 0;
        cr_expect(word_first, "%s", en);
        cr_expect(translated, "%s", en);
    }
}
