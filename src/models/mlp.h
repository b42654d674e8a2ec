/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_MLP_H
#define LB_MODELS_MLP_H

#include "core/error.h"
#include "linalg/mat.h"
#include "models/net.h"
#include "models/training.h"

#include <stddef.h>

/**
 * A multilayer perceptron for one label: inputs - hidden layers (ReLU, dropout) - 1, mean squared
 * error, Adam, mini-batches, early stopping with the best weights restored (net.h, training.h).
 * Inputs and label are standardised inside by the training rows. An expert of E15 is one that was
 * given the rows of its cell; the global network one that was given all of them:
 *
 *     lb_training_rows all = {.x = {.matrix = flux}, .y = logg, .train = rows, .n_train = 28800,
 *                     .val = stop, .n_val = 3200};
 *     lb_training_rows poor = all;                               its rows of both lists instead
 *     const lb_mlp_task tasks[] = {{all, LB_MLP_DEFAULT}, {poor, LB_MLP_DEFAULT}};
 *     lb_mlp *net[2];
 *     lb_mlp_fit(tasks, 2, net, err);
 *     lb_mlp_predict(net[1], (lb_source){.stream = &test}, NULL, test.rows, yhat, err);
 *     if (lb_mlp_training(net[1])->undertrained)     verdict withheld
 *
 * Memory: 36 bytes a weight (master, float32 copy, Adam's two moments, best weights), 40 MB for
 * 4096-256-256-1, and 6 MB for a batch; the inputs in memory are the caller's and shared, 524 MB
 * for 32,000 spectra. Four networks at once on these stay below 0.7 GB. Cost of an epoch: 2 n w
 * multiply-adds in float32 and n w / batch steps of Adam; with n = 28,800 and w = 1.1 million 1.0
 * to 1.4 s of one core. A single network shared among threads meets at four barriers a batch; on a
 * machine with other load OMP_WAIT_POLICY=passive, or one thread, is then faster.
 */
typedef struct lb_mlp lb_mlp;

enum { LB_MLP_HIDDEN_MAX = LB_NET_LAYERS_MAX - 1 };

typedef struct lb_mlp_options {
    size_t hidden[LB_MLP_HIDDEN_MAX]; /* units of each hidden layer */
    size_t n_hidden;                  /* 0: a linear model */
    double dropout;                   /* after each hidden layer, in [0, 0.99] */
    lb_adam_options adam;
    lb_training_options training;
} lb_mlp_options;

/** Of E15: 256-256, dropout 0.2, Adam at 1e-3, batches of 256, 100 epochs, patience 10, seed 42. */
#define LB_MLP_DEFAULT                                                                             \
    ((lb_mlp_options){{256, 256}, 2, 0.2, {1e-3, 0.9, 0.999, 1e-8}, {256, 100, 10, 42}})

/** Number of weights and biases of such a network on @p cols inputs (1,114,881 for E15's). */
size_t lb_mlp_weights(size_t cols, const lb_mlp_options *options);

/** @return LB_OK, or LB_EINVAL naming the option outside its range. */
lb_status lb_mlp_check(const lb_mlp_options *options, lb_error *err);

typedef struct lb_mlp_task {
    lb_training_rows data; /* several may share one matrix and differ in their rows */
    lb_mlp_options options;
} lb_mlp_task;

/**
 * Fit @p n networks. With several, each thread takes whole networks, the largest first, which also
 * bears other load on the machine; a single one is shared among the threads batch by batch. The
 * bits are the same either way, for any number of threads and any CPU.
 * @param out    (n) networks, each freed by the caller; all NULL after a failure
 * @return LB_OK; LB_EINVAL (an option); or what lb_scaler_fit() and lb_training_run() return, for
 *         the first network that failed ("network 2: ...", from 0)
 */
lb_status lb_mlp_fit(const lb_mlp_task *tasks, size_t n, lb_mlp **out, lb_error *err);
void lb_mlp_free(lb_mlp *m); /* NULL is fine */

const lb_training *lb_mlp_training(const lb_mlp *m);
const lb_scaler *lb_mlp_scaler(const lb_mlp *m);
const lb_net *lb_mlp_net(const lb_mlp *m);

/**
 * Predictions, in the unit of y. One model may be used by several threads at once.
 * @param rows  row numbers of @p x, or NULL: 0, 1 ...
 * @param yhat  out, one per row
 * @return LB_OK; LB_ESHAPE (columns); LB_EINVAL (a row number beyond the last); LB_ENUMERIC (NaN or
 *         infinity in a row, or in what the network makes of it, named); or what the stream reports
 */
lb_status lb_mlp_predict(const lb_mlp *m, lb_source x, const size_t *rows, lb_vec yhat,
                         lb_error *err);

#endif
