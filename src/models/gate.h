/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_GATE_H
#define LB_MODELS_GATE_H

#include "core/error.h"
#include "linalg/mat.h"
#include "models/adam.h"

#include <stdbool.h>
#include <stdint.h>

/* A gate trained on the final error: K experts are fixed, the gate learns to mix them.
 *
 *     s = (x - mean) * inverse              features in units of their standard deviation
 *     h = max(0, s W1 + b1)                 MLP with H hidden units; H = 0, softmax-linear: h = s
 *     p = softmax(h W2 + b2)                weights of the experts, they sum to 1
 *     yhat = sum_k p_k e_k                  e_k: prediction of expert k for this row, a constant
 *     loss = mean over rows of (yhat - y)^2
 *
 * Source: Jacobs, Jordan, Nowlan & Hinton (1991), Neural Computation 3, 79, eq. 1.1 with a soft
 * mixture, experts frozen. Adam on mini-batches, early stopping on validation rows.
 *
 *     lb_gate *gate = NULL;
 *     lb_gate_curve curve = {0};
 *     const lb_gate_rows train = {x, e, y}, val = {x_val, e_val, y_val};
 *     st = lb_gate_new((lb_gate_shape){13, 64, 9}, seed, &gate, err);          weights at random
 *     st = lb_gate_train(gate, train, val, LB_GATE_DEFAULT, &curve, err);      best weights kept
 *     if (!curve.converged) ...                                  no verdict on an unfinished gate
 *     st = lb_gate_weights(gate, x_test, p, err);                              p is n x 9
 *
 * Everything is float64, and every sum runs in one written order: the same bits on any number of
 * threads and on any instruction set. Two threads train where OpenMP has them and a batch gives
 * both enough to do, from 2^16 weights times rows; the rest runs on the thread that calls. Products
 * are fused with their sums; where there is neither AVX2 nor AVX-512, fma() gives those bits some
 * thirty times slower.
 */

typedef struct lb_gate_shape {
    size_t features, hidden, experts; /* F, H, K; hidden = 0 is the softmax-linear gate */
} lb_gate_shape;

/** Rows to learn from or to score. All views have the same number of rows. */
typedef struct lb_gate_rows {
    lb_cmat x;       /* (n, F) features as they come: the gate standardises them itself */
    lb_cmat experts; /* (n, K) predictions, dex. Out of fold, or the gate trusts overfitted ones */
    lb_cvec y;       /* (n) the truth, dex */
} lb_gate_rows;

typedef struct lb_gate {
    lb_gate_shape shape;
    lb_vec mean, inverse; /* (F) scaling; inverse 0 drops a feature. Before training 0 and 1 */
    lb_vec weights;       /* every weight in one block, in the order of the four views */
    lb_mat w1;            /* (F, H) */
    lb_vec b1;            /* (H) */
    lb_mat w2;            /* (H, K), or (F, K) without hidden units */
    lb_vec b2;            /* (K) */
} lb_gate;

/**
 * A gate with weights drawn from U(-1/sqrt(m), 1/sqrt(m)), m the inputs of the layer, biases too
 * (the rule of PyTorch's nn.Linear), in the order of the block from lb_rng_make(seed, 0).
 * @return LB_OK, or LB_EINVAL (no feature or no expert)
 */
lb_status lb_gate_new(lb_gate_shape shape, uint64_t seed, lb_gate **out, lb_error *err);
void lb_gate_free(lb_gate *g); /* NULL is fine */

typedef struct lb_gate_options {
    lb_adam_options adam;
    size_t batch;      /* rows a step; the last batch of an epoch may be smaller */
    size_t epochs;     /* budget */
    size_t patience;   /* stop after so many epochs without a new best validation loss */
    size_t max_epochs; /* >= epochs: go on up to here if the last epoch of the budget is the best.
                        * Nothing restarts, so this is the longer run from the same seed. With
                        * max_epochs = epochs there is no second chance */
    uint64_t seed;     /* of the shuffles */
} lb_gate_options;

#define LB_GATE_DEFAULT ((lb_gate_options){LB_ADAM_DEFAULT, 256, 100, 10, 1000, 42})

/** What happened, epoch by epoch; losses in dex^2. Zero-initialise, and free after use. */
typedef struct lb_gate_curve {
    double *train;      /* (epochs) mean over the rows, each with the weights its batch met */
    double *validation; /* (epochs) at the end of the epoch */
    size_t epochs;      /* that were run */
    size_t best; /* epoch of the smallest validation loss, counted from 1; a tie: the first */
    bool patience_spent; /* ended by patience and not by the budget */
    bool converged;      /* the best epoch is not the last. False: withhold the verdict */
} lb_gate_curve;

void lb_gate_curve_free(lb_gate_curve *c);

/**
 * Train @p g from the weights it has, and leave it with those of the best epoch. mean and standard
 * deviation (divisor n) are those of the training rows; a feature with one value in all of them is
 * dropped. The rows of epoch t = 1, 2, ... come in the order lb_gate_order(seed, t).
 * Scratch: F + K + 8 doubles a row.  Cost: O(epochs n H (F + K)).
 *
 * One row, one expert, more features than rows, experts that all agree: all are fitted. Where there
 * is nothing to learn the gradient is zero to rounding and the weights stay where they were drawn.
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (no rows, an option outside its range); LB_ENUMERIC (NaN or
 *         infinity in the rows: the place is named; or a loss that is not finite: the epoch is
 *         named). After a failure the gate and the curve are as they were
 */
lb_status lb_gate_train(lb_gate *g, lb_gate_rows train, lb_gate_rows validation,
                        lb_gate_options options, lb_gate_curve *curve, lb_error *err);

/** order = the row numbers 0 .. n-1 as shuffled for @p epoch = 1, 2, ...; depends on nothing else.
 */
void lb_gate_order(uint64_t seed, size_t epoch, size_t *order, size_t n);

/**
 * The loss over all rows and, unless gradient.data is NULL, its derivative by every weight in the
 * order of g->weights.
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (no rows); LB_ENUMERIC (NaN or infinity in the rows; or the
 *         loss is not finite)
 */
lb_status lb_gate_loss(const lb_gate *g, lb_gate_rows rows, lb_vec gradient, double *loss,
                       lb_error *err);

/**
 * The mixture weights of every row of @p x: p (n, K), each row sums to 1 within K * DBL_EPSILON.
 * Logits of any size: the largest is subtracted, and exp is right to 2 ulp (below -708 it is 0).
 * @return LB_OK; LB_ESHAPE; LB_ENUMERIC (NaN or infinity in @p x or in the result)
 */
lb_status lb_gate_weights(const lb_gate *g, lb_cmat x, lb_mat p, lb_error *err);

#endif
