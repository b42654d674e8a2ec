/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/status.h"

#include <string.h>

const char *lb_state_word(lb_state state, const char *language)
{
    static const char *const words[LB_STATES][2] = {
        [LB_STATE_PLANNED] = {"planned ⏳", "计划中 ⏳"},
        [LB_STATE_READY] = {"ready 🔴", "就绪 🔴"},
        [LB_STATE_RUNNING] = {"running 🚀", "运行中 🚀"},
        [LB_STATE_INCOMPLETE] = {"partial ⚠️", "未完成 ⚠️"},
        [LB_STATE_DONE] = {"done ✅", "完成 ✅"},
        [LB_STATE_NEGATIVE] = {"negative ❌", "阴性结果 ❌"},
        [LB_STATE_CANCELLED] = {"cancelled 🗑️", "取消 🗑️"},
        [LB_STATE_UNTESTED] = {"untested ⏳", "未检验 ⏳"},
        [LB_STATE_SUPPORTED] = {"supported ✅", "得到支持 ✅"},
        [LB_STATE_PARTLY] = {"partly 🟡", "部分成立 🟡"},
        [LB_STATE_REJECTED] = {"rejected ❌", "被否定 ❌"},
        [LB_STATE_IN_PROGRESS] = {"in progress 🔆", "未有定论 🔆"},
        [LB_STATE_GATE_OPEN] = {"open ⏳", "待定 ⏳"},
        [LB_STATE_GATE_READY] = {"ready 🔴", "就绪 🔴"},
        [LB_STATE_GATE_PASSED] = {"passed ✅", "通过 ✅"},
        [LB_STATE_GATE_FAILED] = {"failed ❌", "未通过 ❌"},
        [LB_STATE_GATE_MARGINAL] = {"marginal ⚠️", "勉强 ⚠️"},
    };
    return words[state][strcmp(language, "zh") == 0];
}

static bool is(const char *outcome, const char *word)
{
    return outcome && strcmp(outcome, word) == 0;
}

lb_state lb_state_of_hypothesis(const char *outcome)
{
    return is(outcome, "PASS")           ? LB_STATE_SUPPORTED
           : is(outcome, "PARTIAL")      ? LB_STATE_PARTLY
           : is(outcome, "FAIL")         ? LB_STATE_REJECTED
           : is(outcome, "INCONCLUSIVE") ? LB_STATE_IN_PROGRESS
                                         : LB_STATE_UNTESTED;
}

lb_state lb_state_of_gate(const char *outcome, bool ready)
{
    return is(outcome, "PASS")                                     ? LB_STATE_GATE_PASSED
           : is(outcome, "FAIL")                                   ? LB_STATE_GATE_FAILED
           : is(outcome, "PARTIAL") || is(outcome, "INCONCLUSIVE") ? LB_STATE_GATE_MARGINAL
           : !outcome && ready                                     ? LB_STATE_GATE_READY
                                                                   : LB_STATE_GATE_OPEN;
}

lb_state lb_state_of_question(const char *const *outcomes, size_t n)
{
    size_t passed = 0, failed = 0, partial = 0, open = 0;
    for (size_t i = 0; i < n; i++) {
        passed += is(outcomes[i], "PASS");
        failed += is(outcomes[i], "FAIL");
        partial += is(outcomes[i], "PARTIAL");
        open += is(outcomes[i], "INCONCLUSIVE");
    }
    if (n > 0 && passed == n)
        return LB_STATE_SUPPORTED;
    if (n > 0 && failed == n)
        return LB_STATE_REJECTED;
    if (passed + failed + partial > 0)
        return LB_STATE_PARTLY;
    return open > 0 ? LB_STATE_IN_PROGRESS : LB_STATE_UNTESTED;
}

lb_state lb_state_of_experiment(const lb_progress_facts *f)
{
    if (f->writing)
        return LB_STATE_RUNNING;
    if (!f->recorded)
        return f->needs_met && f->gates_passed ? LB_STATE_READY : LB_STATE_PLANNED;
    if (!f->complete)
        return LB_STATE_INCOMPLETE;
    return is(f->outcome, "FAIL") ? LB_STATE_NEGATIVE : LB_STATE_DONE;
}

lb_state lb_state_of_plan(lb_truth when, bool gates_passed)
{
    if (when == LB_FALSE)
        return LB_STATE_CANCELLED;
    return when == LB_TRUE && gates_passed ? LB_STATE_READY : LB_STATE_PLANNED;
}

lb_state lb_state_of_statement(lb_truth holds)
{
    return holds == LB_TRUE    ? LB_STATE_SUPPORTED
           : holds == LB_FALSE ? LB_STATE_REJECTED
                               : LB_STATE_UNTESTED;
}

const char *lb_confidence_word(lb_truth holds, lb_truth firm, const char *language)
{
    const bool chinese = strcmp(language, "zh") == 0;
    if (holds == LB_UNKNOWN)
        return chinese ? "低" : "low";
    if (holds == LB_TRUE && firm == LB_TRUE)
        return chinese ? "高" : "high";
    return chinese ? "中" : "medium";
}

lb_lane lb_lane_of(lb_state state, bool placed, bool carded)
{
    if (!placed)
        return LB_LANE_INBOX;
    switch (state) {
    case LB_STATE_DONE:
    case LB_STATE_NEGATIVE:
        return carded ? LB_LANE_ARCHIVED : LB_LANE_DONE;
    case LB_STATE_RUNNING:
    case LB_STATE_INCOMPLETE:
        return LB_LANE_RUNNING;
    case LB_STATE_CANCELLED:
        return LB_LANE_ARCHIVED;
    default:
        return LB_LANE_TODO;
    }
}
