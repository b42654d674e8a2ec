/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_MIXTURE_H
#define LB_MODELS_MIXTURE_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * From the predictions of K experts to one prediction a row. Every way of routing takes the same
 * table: yhat(i, k) is what expert k says of row i, whatever kind of model it is. An example:
 *
 *   double yhat[N * 9], out[N];
 *   bool absent[9];
 *   lb_experts e = {.yhat = {yhat, N, 9, 9}, .absent = absent, .global = global.yhat_chosen};
 *   lb_mixture_gather(columns, 9, lb_mat_of(yhat, N, 9), absent, err);  // columns[k]: expert k
 *   lb_mixture_soft(e, p, 0.5, (lb_vec){out, N}, &use, err);            // p: what the gate says
 *   lb_mixture_cover(outside, (lb_cvec){0}, (lb_vec){out, N}, &n, err); // only covered rows
 *
 * A mixture that is routed by true labels (lb_mixture_given() with bins of the true labels, or
 * probabilities made from them) is an oracle: whoever scores it sets lb_outcome.oracle, and the
 * mark follows every number made from it into the tables.
 *
 * Experts that do not exist (empty bin, or merged into a neighbour) are marked in @c absent; their
 * columns are never read. Probability that a gate gives them is lost: the others are renormalised,
 * p_k / sum of the present p, and the loss is counted. A row whose present experts got nothing has
 * no expert. Rows without an expert take the global model, or NAN if there is none: such rows must
 * be left out of the row set that is scored.
 *
 * A prediction that is used and is not finite stops everything; nothing is replaced silently. An
 * expert with probability 0 is not used. A single expert is the mixture; no rows are no failure.
 * Source: Jacobs, Jordan, Nowlan & Hinton 1991, Neural Computation 3, 79, eq. 1.
 */
typedef struct lb_experts {
    lb_cmat yhat;       /* (n, K), unit of the target */
    const bool *absent; /* [K], or NULL: all exist */
    lb_cvec global;     /* (n) for rows without an expert, or {NULL, 0} */
} lb_experts;

/** What the routing did, for the table beside the scores. */
typedef struct lb_mixture_use {
    size_t rows;
    size_t fallback;     /* rows that took the global model, for want of an expert or of trust */
    size_t uncovered;    /* rows left NAN */
    size_t renormalised; /* rows that gave probability to absent experts */
    double lost;         /* mean over all rows of that probability */
} lb_mixture_use;

/**
 * Put the predictions of separate models into one table: column k is columns[k] (lb_sweep_model's
 * yhat_chosen, say). A column {NULL, 0} marks an absent expert and fills with NAN.
 * @param yhat    out (n, K)
 * @param absent  out [K]
 * @return LB_OK; LB_ESHAPE naming the expert whose length is not n
 */
lb_status lb_mixture_gather(const lb_cvec *columns, size_t experts, lb_mat yhat, bool *absent,
                            lb_error *err);

/**
 * Hard routing by a given bin: yhat[i] = e.yhat(i, bin[i]). A bin of -1 has no expert.
 * @param bin   [n] -1 .. K-1
 * @param yhat  out (n)
 * @param use   out, may be NULL
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (a bin out of range); LB_ENUMERIC (a prediction that is used
 *         is NaN or infinite; the row and the expert are named)
 */
lb_status lb_mixture_given(lb_experts e, const int *bin, lb_vec yhat, lb_mixture_use *use,
                           lb_error *err);

/**
 * Hard routing by a gate: the present expert with the largest probability, the first of equals.
 * @param p  (n, K) rows of probabilities, see linalg/probability.h
 * @return as lb_mixture_given(), and what lb_probability_check() says of @p p
 */
lb_status lb_mixture_hard(lb_experts e, lb_cmat p, lb_vec yhat, lb_mixture_use *use, lb_error *err);

/**
 * Soft mixture: yhat[i] = sum over k of p(i, k) e.yhat(i, k).
 * @param tau  rows whose largest probability is below it take the global model: "soft with
 *             fallback". 0: none does. Probability given to absent experts is no trust in the
 *             others, so tau is compared before renormalising.
 * @return as lb_mixture_hard(); LB_EINVAL also unless 0 <= tau <= 1, and when tau > 0 without a
 *         global model
 */
lb_status lb_mixture_soft(lb_experts e, lb_cmat p, double tau, lb_vec yhat, lb_mixture_use *use,
                          lb_error *err);

/**
 * What rows outside all bins get, after any routing above:
 *   covered rows only    stand_in {NULL, 0}: they become NAN
 *   edge clamp           no call: the gate's weights stand as they are; with given bins, those of
 *                        labels clamped into the range (lb_clamp() of data/gate_noise.h)
 *   tenth expert         stand_in = predictions of a model trained on the rows outside
 *   global fallback      stand_in = predictions of the global model
 * @param outside   [n] true for the rows concerned
 * @param stand_in  (n) or {NULL, 0}
 * @param n_outside out, may be NULL: how many rows that were
 * @return LB_OK; LB_ESHAPE; LB_ENUMERIC (the stand-in of such a row is NaN or infinite)
 */
lb_status lb_mixture_cover(const bool *outside, lb_cvec stand_in, lb_vec yhat, size_t *n_outside,
                           lb_error *err);

#endif
