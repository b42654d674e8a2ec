/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_NN_MIXTURE_H
#define LB_MODELS_NN_MIXTURE_H

#include "core/error.h"
#include "linalg/mat.h"
#include "models/mlp.h"
#include "models/training.h"

#include <stddef.h>

/**
 * A mixture of neural experts that learn together with their gate (the plan of E15): K networks
 * read the spectrum, a gate reads a few features of the same rows,
 *
 *     yhat = sum_k p_k o_k        p = softmax(gate)
 *     loss = mean (y - yhat)^2 / var(y) - balance * H(pbar),   H(q) = - sum_k q_k ln q_k
 *
 * where pbar is the mean of p over the mini-batch: the entropy term keeps experts from dying out
 * (Shazeer et al. 2017, ICLR, sec. 4, asks for the same by another measure of pbar). It is part of
 * what is learnt from, not of the validation loss that stops the training, which is the mean square
 * alone. Source: Jacobs, Jordan, Nowlan & Hinton 1991, Neural Computation 3, 79, with the squared
 * error of the mixed prediction (their eq. 1.1).
 *
 * Gate features are the caller's: the true T_eff and [M/H] make it an oracle and must be labelled
 * so in the record; the window features of E13 can be had for a new star.
 *
 *     lb_nn_mixture_task t = {.data = all, .gate = features, .options = LB_NN_MIXTURE_DEFAULT};
 *     t.options.balance = 1e-3;
 *     lb_nn_mixture *m = NULL;
 *     lb_nn_mixture_fit(&t, 1, &m, err);
 *     lb_nn_mixture_predict(m, test, test_features, NULL, (lb_nn_prediction){.yhat = yhat}, err);
 *
 * Memory: as that of K networks (mlp.h) that share one batch of inputs. Random numbers, threads and
 * bits as there; a mixture of one expert is lb_mlp bit for bit.
 */
typedef struct lb_nn_mixture lb_nn_mixture;

enum { LB_NN_EXPERTS_MAX = 8 };

typedef struct lb_nn_mixture_options {
    size_t experts;        /* K, 1 .. LB_NN_EXPERTS_MAX */
    lb_mlp_options expert; /* shape and dropout of each expert; Adam and training of them all */
    size_t gate_hidden;    /* ReLU units of the gate's hidden layer, 0: softmax of a linear map */
    double balance;        /* lambda >= 0 of the entropy term */
    /* (K) experts that were trained before, say on a group of hard rows each: their weights are
     * where these start, carried over to this standardisation. NULL: random weights. */
    const lb_mlp *const *start;
} lb_nn_mixture_options;

/** Three experts of 64-64, the rest as LB_MLP_DEFAULT; a gate of 16 units; no entropy term. */
#define LB_NN_MIXTURE_DEFAULT                                                                      \
    ((lb_nn_mixture_options){                                                                      \
        3, {{64, 64}, 2, 0.2, {1e-3, 0.9, 0.999, 1e-8}, {256, 100, 10, 42}}, 16, 0.0, NULL})

typedef struct lb_nn_mixture_task {
    lb_training_rows data;
    lb_cmat gate; /* (as many rows as data.x, features), in any units: standardised inside */
    lb_nn_mixture_options options;
} lb_nn_mixture_task;

/**
 * Fit @p n mixtures, several at once as lb_mlp_fit() does: a sweep of the balance is one call.
 * @param out  (n), each freed by the caller; all NULL after a failure
 * @return LB_OK; LB_EINVAL (an option, no gate feature); LB_ESHAPE (gate and x disagree in rows, a
 *         starting expert in shape); or as lb_mlp_fit(); the first that failed is named
 */
lb_status lb_nn_mixture_fit(const lb_nn_mixture_task *tasks, size_t n, lb_nn_mixture **out,
                            lb_error *err);
void lb_nn_mixture_free(lb_nn_mixture *m); /* NULL is fine */

const lb_training *lb_nn_mixture_training(const lb_nn_mixture *m);
size_t lb_nn_mixture_experts(const lb_nn_mixture *m);

/** What to predict; data NULL: not wanted. */
typedef struct lb_nn_prediction {
    lb_vec yhat;    /* (n), in the unit of y */
    lb_mat weights; /* (n, K) p: non-negative, rows sum to 1 */
    lb_mat experts; /* (n, K) what each expert says, in the unit of y */
} lb_nn_prediction;

/**
 * @param gate  features of all rows of @p x
 * @param rows  row numbers of @p x, or NULL: 0, 1 ...; their count is that of what is wanted
 * @return as lb_mlp_predict(); LB_ESHAPE also if the outputs or the features disagree
 */
lb_status lb_nn_mixture_predict(const lb_nn_mixture *m, lb_source x, lb_cmat gate,
                                const size_t *rows, lb_nn_prediction out, lb_error *err);

/**
 * The loss above for a batch, and its slopes: forward and backward of all that is not a network.
 * Everything in standardised units.
 * @param y        (n)
 * @param outputs  (n, K) of the experts, K up to LB_NN_EXPERTS_MAX
 * @param weights  (n, K) logits of the gate on entry, p on return
 * @param slope_outputs, slope_logits  (n, K) out: derivatives of the loss
 * @param squares  out: sum of (yhat - y)^2
 * @return the loss
 */
double lb_nn_mixture_loss(lb_cvec y, lb_cmat outputs, lb_mat weights, double balance,
                          lb_mat slope_outputs, lb_mat slope_logits, double *squares);

#endif
