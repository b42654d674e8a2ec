/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_VIEWS_STATUS_H
#define LB_VIEWS_STATUS_H

#include "record/condition.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The statuses of the views and how they follow. Nothing here is stored: each is a function of what
 * the records say. Words come first and an icon second, since one icon means different things in
 * different tables.
 */

typedef enum lb_state {
    /* experiments and plans */
    LB_STATE_PLANNED, /* not run; something it needs is missing or a gate before it is not passed */
    LB_STATE_READY,   /* not run; nothing is in the way */
    LB_STATE_RUNNING, /* its record is being written */
    LB_STATE_INCOMPLETE, /* run, but its report lacks something: "partial" */
    LB_STATE_DONE,       /* run and reported */
    LB_STATE_NEGATIVE,   /* the same, and its deciding hypothesis failed */
    LB_STATE_CANCELLED,  /* a plan that the results made pointless */
    /* hypotheses, questions, statements */
    LB_STATE_UNTESTED,
    LB_STATE_SUPPORTED,
    LB_STATE_PARTLY,
    LB_STATE_REJECTED,
    LB_STATE_IN_PROGRESS, /* tested, and neither rule was met */
    /* gates */
    LB_STATE_GATE_OPEN,  /* the experiment that decides has not run, or could not tell */
    LB_STATE_GATE_READY, /* it can be run */
    LB_STATE_GATE_PASSED,
    LB_STATE_GATE_FAILED,
    LB_STATE_GATE_MARGINAL,
    LB_STATES
} lb_state;

/** "done ✅" in English or Chinese. */
const char *lb_state_word(lb_state state, const char *language);

/** Of a verdict; NULL: there is no record. */
lb_state lb_state_of_hypothesis(const char *outcome);

/** Of a gate by the verdict it asks for; @p ready: the experiment that gives it could run. */
lb_state lb_state_of_gate(const char *outcome, bool ready);

/** Of a question by the verdicts that decide it (NULL: no record): all PASS is supported, all FAIL
 * rejected; none decided is untested; anything else in between is partly, or in progress when
 * nothing passed or failed, not even in part. */
lb_state lb_state_of_question(const char *const *outcomes, size_t n);

/** What the status of an experiment follows from. */
typedef struct lb_progress_facts {
    bool recorded, writing; /* the record is there; it is being written */
    bool complete;          /* of the report: nothing is missing */
    bool needs_met;         /* everything it needs has a record */
    bool gates_passed;      /* no gate before it is open or failed */
    const char *outcome;    /* of the deciding hypothesis; NULL without a record */
} lb_progress_facts;
lb_state lb_state_of_experiment(const lb_progress_facts *f);

/** Of a plan: cancelled when its condition is false; ready when it is true and no gate is before it
 * that is not passed. */
lb_state lb_state_of_plan(lb_truth when, bool gates_passed);

/** Of a statement. */
lb_state lb_state_of_statement(lb_truth holds);

/** How far to trust it: "high" when its stricter condition holds too, "medium" when it holds (or
 * fails, which is as well known), "low" when nobody knows. */
const char *lb_confidence_word(lb_truth holds, lb_truth firm, const char *language);

/** The columns of the kanban; each id stands in exactly one. */
typedef enum lb_lane {
    LB_LANE_INBOX, /* not placed in the programme */
    LB_LANE_TODO,
    LB_LANE_RUNNING,
    LB_LANE_DONE,
    LB_LANE_ARCHIVED, /* done, and a knowledge card carries its result */
    LB_LANES
} lb_lane;
lb_lane lb_lane_of(lb_state state, bool placed, bool carded);

#endif
