/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_TRAINING_H
#define LB_MODELS_TRAINING_H

#include "core/error.h"
#include "linalg/mat.h"
#include "linalg/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the networks that learn from spectra share (mlp.h, nn_mixture.h): where rows come from,
 * how they are standardised, and the loop over epochs with early stopping.
 *
 * What awkward data come to: one training row, more columns than rows, constant and repeated inputs
 * are learnt from (a single row, all of whose inputs are constant, gives its label). One label in
 * all training rows stays near it. One validation row, or one label there: nothing beats a
 * constant, and the network is called undertrained. No row at all, NaN and infinity are refused. */

/**
 * A tall matrix of inputs, in memory or behind a stream. In memory is the fast way: 28,800 x 4,096
 * spectra are 472 MB, and stream.read() fills such a matrix in one call. From a stream each epoch
 * reads every row once, one at a time in shuffled order, and holds one batch. Both give the same
 * bits. Borrowed.
 */
typedef struct lb_source {
    lb_cmatf matrix;         /* data NULL: */
    const lb_stream *stream; /* then from here */
} lb_source;

size_t lb_source_rows(lb_source x);
size_t lb_source_cols(lb_source x);

/** Whether rows @p rows (n; NULL: 0 .. n - 1) of @p x can go into a model of @p cols inputs.
 * @return LB_OK; LB_ESHAPE (columns); LB_EINVAL (a row number beyond the last) */
lb_status lb_source_check(lb_source x, size_t cols, const size_t *rows, size_t n, lb_error *err);

/** Inputs, target and the rows to learn from and to stop by. Other rows are never looked at.
 * Borrowed. */
typedef struct lb_training_rows {
    lb_source x;
    lb_cvec y;           /* as many as x has rows; in its own unit */
    const size_t *train; /* (n_train) row numbers, in any order; those of one expert, say */
    size_t n_train;
    const size_t *val; /* (n_val) */
    size_t n_val;
} lb_training_rows;

/**
 * Mean and standard deviation (over n) of each input and of the target, from the training rows
 * alone. A constant input or target keeps the deviation 1: once centred, such an input adds
 * nothing.
 */
typedef struct lb_scaler {
    size_t cols;
    double *mean, *sd; /* (cols) */
    float *centre, *inverse;
    double y_mean, y_sd;
    double y_variance_val; /* variance of the target over the validation rows, about their mean */
} lb_scaler;

/**
 * @param out  release with lb_scaler_free()
 * @return LB_OK; LB_ESHAPE (y and x disagree); LB_EINVAL (no training row, no validation row, no
 *         column, a row number beyond the last); LB_ENUMERIC (NaN or infinity in a row or label
 *         that counts, named); or what the stream reports
 */
lb_status lb_scaler_fit(const lb_training_rows *data, lb_scaler *out, lb_error *err);
void lb_scaler_free(lb_scaler *s); /* leaves it empty */

/**
 * The standardised rows @p rows (n) of @p x into @p out (n, cols); rows NULL: first, first + 1 ...
 * @return LB_OK; LB_ENUMERIC (NaN or infinity in a row, named); or what the stream reports
 */
lb_status lb_scaler_read(const lb_scaler *s, lb_source x, const size_t *rows, size_t first,
                         lb_matf out, lb_error *err);

typedef struct lb_training_options {
    size_t batch;    /* rows a step; the last batch of an epoch may be smaller */
    size_t epochs;   /* at most, below 65,536 */
    size_t patience; /* stop after so many epochs without a lower validation loss */
    uint64_t seed;   /* of initial weights, order of the rows and dropout */
} lb_training_options;

/** @return LB_OK, or LB_EINVAL (batch, epochs or patience 0, or epochs beyond 65,535) */
lb_status lb_training_check(lb_training_options options, lb_error *err);

/** How a training went. Losses are mean squares in the unit of y squared; epochs count from 1. */
typedef struct lb_training {
    size_t epochs;                 /* that were run */
    double *train_loss, *val_loss; /* (epochs) while learning (with dropout); after the epoch */
    size_t best_epoch;             /* the first of lowest validation loss: its weights are kept */
    double best_loss;
    double val_variance; /* of y on the validation rows: the loss of a constant prediction */
    /* E15's guard: the best epoch is among the first LB_UNDERTRAINED_EPOCHS, or the best loss is
     * above the variance. A verdict built on such a network is withheld. */
    bool undertrained;
    bool at_limit; /* the best epoch is the last that was allowed: not converged, give it more */
} lb_training;

enum { LB_UNDERTRAINED_EPOCHS = 3 };

void lb_training_free(lb_training *t); /* leaves it empty */

/** The order in which epoch @p epoch (from 1) goes through @p train: out (n) row numbers. */
void lb_training_order(uint64_t seed, uint64_t epoch, const size_t *train, size_t n, size_t *out);

/**
 * Run @p n jobs, each on one thread, the largest first; a single job has all threads to itself.
 * @param work  (n) multiplications of an epoch of each, roughly; together fewer than
 *              LB_WORTH_THREADS run on the thread that calls
 * @return LB_OK, or what the first job that failed says, as "@p what 2: ..." when there are several
 */
lb_status lb_training_share(size_t n, const double *work, const char *what,
                            lb_status (*job)(void *self, size_t i, lb_error *err), void *self,
                            lb_error *err);

/** What the loop trains. */
typedef struct lb_trainee {
    void *self;
    /** Learn from a batch; add the sum of its squared errors to @p squares. */
    lb_status (*learn)(void *self, uint64_t epoch, const size_t *rows, size_t n, double *squares,
                       lb_error *err);
    /** Mean squared error of rows as they are predicted. */
    lb_status (*score)(void *self, const size_t *rows, size_t n, double *loss, lb_error *err);
    void (*keep)(void *self);    /* remember these weights */
    void (*restore)(void *self); /* return to them */
} lb_trainee;

/**
 * Mini-batches in shuffled order, early stopping on the validation rows, best weights restored
 * (Prechelt 1998, "Early stopping - but when?").
 * @param out  release with lb_training_free(); empty after a failure
 * @param options  have passed lb_training_check()
 * @return LB_OK; LB_ENUMERIC (the loss is no longer finite: the learning rate is too high); or what
 *         the trainee reports
 */
lb_status lb_training_run(lb_trainee t, const lb_training_rows *data, double val_variance,
                          lb_training_options options, lb_training *out, lb_error *err);

#endif
