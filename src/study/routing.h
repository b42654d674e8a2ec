/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_ROUTING_H
#define LB_STUDY_ROUTING_H

#include "models/mixture.h"
#include "study/study.h"

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

#endif
