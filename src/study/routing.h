/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_ROUTING_H
#define LB_STUDY_ROUTING_H

#include "models/mixture.h"
#include "stats/classify.h"
#include "study/moe.h"

/**
 * The three ways of following a gate, for one set of rows: the expert it names (hard), all experts
 * weighted by its probabilities (soft), and soft again with the global model for rows whose largest
 * probability is below tau (trusted).
 */
typedef struct lb_routed {
    lb_cvec hard, soft, trusted;
    lb_mixture_use use; /* of trusted: how many rows took the global model */
} lb_routed;

/**
 * @param e    every expert on every row, and the global model
 * @param p    (rows, experts) what the gate says
 * @param tau  0 .. 1
 * Sticky in @p s: after a failure @p out is zero.
 */
void lb_route(lb_study *s, lb_experts e, lb_cmat p, double tau, lb_routed *out);
void lb_routed_free(lb_routed *r); /* zeroed is fine */

/** Where the rows of a row set stand among the test rows of its cohort: lb_rowset_size(rows)
 * positions in rising order, freed by the caller. */
size_t *lb_test_positions(const lb_cohort *c, const lb_rowset *rows);

/**
 * The expert a gate names against the expert the true labels name.
 * @param rows  test rows that all have an expert in @p d
 * @param p     (test rows, experts) what the gate says
 * @return freed by the caller; NULL after a failure. Sticky in @p s.
 */
lb_confusion *lb_gate_confusion(lb_study *s, const lb_cohort *c, const lb_rowset *rows,
                                const lb_domains *d, lb_cmat p);

/** KEY.gate_accuracy and KEY.recall0 ... in per cent with their standard errors, KEY.macro_f1 and
 * KEY.gate_correct. */
void lb_gate_put_accuracy(lb_study *s, const lb_confusion *m, const char *key);

/** Per cent of @p rows on which the largest probability is below @p tau. */
lb_number lb_gate_doubt(const lb_cohort *c, const lb_rowset *rows, lb_cmat p, double tau);

#endif
