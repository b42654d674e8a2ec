/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_OUTOFFOLD_H
#define LB_MODELS_OUTOFFOLD_H

#include "core/error.h"
#include "linalg/mat.h"
#include "linalg/stream.h"
#include "models/ridge.h"

#include <stdbool.h>

/**
 * Ridge predictor of a label that a gate or a conditional model needs ([M/H], T_eff, log g), with
 * predictions that are honest on every set: on the training rows each row is predicted by a model
 * that has not seen its fold, on other rows by the model of all training rows. In-sample
 * predictions would be better than those the gate gets in use, and the gate would trust them.
 *
 * One pass gathers a Gram a fold (linalg/gram.h); the model of fold f is fitted on the sum of the
 * other folds, every penalty from the same statistics. The penalty is the one with the largest R2
 * of the pooled out-of-fold predictions (a tie: the larger), so no row helps to judge itself.
 *
 *   lb_folds_make((lb_folds){.k = 5, .seed = 42, .group = star}, n, fold, err);
 *   lb_known sets[] = {{val_x, val_mh}, {test_x, test_mh}};
 *   lb_outoffold_run(&train_x, mh, fold, (lb_outoffold_options){.folds = 5, .alphas = g7}, sets, 2,
 *                    &o, err);
 *   lb_outoffold_get(o).train.yhat: input of the gate's training;  .sets[1].rmse: its noise in E10
 *
 * Source: Stone 1974, J. R. Stat. Soc. B 36, 111; stacked predictions: Wolpert 1992, Neural
 * Networks 5, 241. Cost: one Gram pass, (k + 1) models, two prediction passes over the training
 * rows at most. Memory: a Gram a fold. The bits do not depend on the threads.
 */
typedef struct lb_outoffold lb_outoffold;

typedef struct lb_outoffold_options {
    size_t folds;
    lb_cvec alphas;     /* the given grid, ascending, all > 0 */
    int extend_decades; /* when the optimum sits on an end of the grid; 0: stay on the grid */
    bool standardise;
} lb_outoffold_options;

/** Rows to predict besides the training rows. */
typedef struct lb_known {
    lb_stream x;
    lb_cvec y; /* their labels, for rmse and r2 alone; {NULL, 0}: not known */
} lb_known;

/** Predictions for one set of rows. */
typedef struct lb_predicted {
    lb_cvec yhat; /* one a row, unit of y */
    double rmse;  /* sqrt(mean (y - yhat)^2), unit of y; NAN without labels or rows */
    double r2;    /* about the mean of the set; NAN also when its labels do not vary */
} lb_predicted;

/** Everything is borrowed from the predictor. */
typedef struct lb_outoffold_result {
    lb_cvec alphas, r2;      /* the given grid first, then its extension (if any), each with the R2
                                of its pooled out-of-fold predictions */
    size_t n_grid;           /* how many of alphas are the given grid */
    lb_alpha_choice on_grid; /* best of the given grid, with the edge flag */
    lb_alpha_choice chosen;  /* best of all; the predictions below are its */
    lb_predicted train;      /* out of fold; rows of fold -1 were never trained on and take the full
                                fit. rmse and r2 are of the rows in folds */
    const lb_predicted *sets; /* by the full fit */
    const lb_ridge *full;     /* the fit of all folds at the chosen penalty */
} lb_outoffold_result;

/**
 * @param x, y     training rows and their label
 * @param fold     [x->rows] 0 .. folds-1, or -1 for a row that is not trained on (lb_folds_make())
 * @param sets     n_sets sets to predict by the full fit
 * @return LB_OK; LB_ESHAPE (columns or lengths disagree); LB_EINVAL (folds < 2, a fold out of range
 *         or without rows, alphas empty, not ascending or not positive, labels of the folds that do
 *         not vary); LB_ENUMERIC (NaN or infinity in x, in y or in a known label; an R2 beyond the
 * range of a double; weights as in lb_ridge_fit()); what the streams report
 */
lb_status lb_outoffold_run(const lb_stream *x, lb_cvec y, const int *fold,
                           lb_outoffold_options options, const lb_known *sets, size_t n_sets,
                           lb_outoffold **out, lb_error *err);
void lb_outoffold_free(lb_outoffold *o); /* NULL is fine */

lb_outoffold_result lb_outoffold_get(const lb_outoffold *o);

#endif
