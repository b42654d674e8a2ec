/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_AFFINE_H
#define LB_MODELS_AFFINE_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Affine calibration: does an expert only need another offset and scale? Least squares of the truth
 * on the prediction, y = a yhat + b, on rows the expert has not been trained on. An example:
 *
 *   yhat = 1, 2, 3, 4    y = 1.1, 1.9, 3.2, 3.8
 *   a = 0.94 +- 0.0906   b = 0.15 +- 0.248   cov(a, b) = -0.0205   residual_sd = 0.202
 *   F(2, 2) = 0.22, p = 0.82: nothing speaks against leaving the expert as it is.
 *
 * Of a mixture, whose gate stays untouched (experts in columns, as in models/mixture.h):
 *
 *   lb_affine cal[9];
 *   lb_affine_fit_bins(val_yhat, val_y, val_bin, absent, LB_AFFINE_MIN_ROWS, cal, err);
 *   lb_affine_apply(cal, test_yhat, calibrated, err);
 *   lb_mixture_soft((lb_experts){calibrated, absent, global}, p, 0.0, yhat, &use, err);
 *
 * The line belongs into a figure whose x axis is the PREDICTION. Drawn over axes x = truth,
 * y = prediction it is the wrong line; what runs through such a cloud is the swapped regression.
 */
typedef enum lb_affine_reason {
    LB_AFFINE_FITTED,
    LB_AFFINE_NO_ROWS,  /* identity: empty bin, no weight, or no expert */
    LB_AFFINE_FEW_ROWS, /* identity: fewer rows than asked for */
    LB_AFFINE_CONSTANT, /* the predictions agree to 12 digits: a = 1, b = mean of y - yhat */
} lb_affine_reason;

/** "fitted", "identity (no rows)", "identity (too few rows)", "offset only (constant predictions)".
 */
const char *lb_affine_word(lb_affine_reason reason);

typedef struct lb_affine {
    double a, b;               /* dimensionless; unit of y */
    double se_a, se_b, cov_ab; /* NAN where nothing was fitted */
    double residual_sd;        /* of one row, unit of y */
    double f, dof, p;          /* joint test of (a, b) = (1, 0): F(2, dof), p-value; else NAN */
    size_t rows;               /* with a positive weight */
    double rows_effective;     /* (sum w)^2 / sum w^2 (Kish 1965): rows, if all weights are equal */
    double shrink;             /* 1; after lb_affine_shrink() the part of the fit that is kept */
    lb_affine_reason reason;
} lb_affine;

/** Fewest validation rows for a calibration of its own (specification E17). */
enum { LB_AFFINE_MIN_ROWS = 20 };

/**
 * Minimise sum w (y - a yhat - b)^2. Sums are taken around the means and of y - yhat, so a perfect
 * prediction gives exactly (1, 0).
 *
 * Weights say how much of a row is the expert's business (1 or 0, or what a soft gate gives), not
 * how noisy the row is. The covariance is therefore that of equal noise under unequal attention,
 *   cov = s^2 (X'WX)^-1 X'W^2X (X'WX)^-1,   s^2 = sum w e^2 / (sum w - tr (X'WX)^-1 X'W^2X),
 * with X = [yhat, 1]; s^2 is unbiased, the scale of w does not matter, equal weights give ordinary
 * least squares and weights 0 and 1 ordinary least squares on the rows with 1. The usual formula of
 * weighted least squares would count a row of weight 1e-9 as an observation and report errors that
 * are far too small. F = d' cov^-1 d / 2 with d = (a - 1, b) and dof = rows_effective - 2: exact
 * for equal weights, else an approximation. An exact fit has F = infinity and p = 0, or, if it is
 * the identity, F = 0 and p = 1. No dispersion of y is needed: constant y gives a = 0.
 * @param yhat, y   (n)
 * @param weight    (n) >= 0, or {NULL, 0}: all 1. Rows of weight 0 are not looked at
 * @param min_rows  >= 3: with fewer effective rows the answer is the identity
 * @return LB_OK, the reason in @p out telling what happened; LB_ESHAPE; LB_EINVAL (min_rows < 3, a
 *         negative or non-finite weight); LB_ENUMERIC (a used row is NaN or infinite, or sums leave
 *         the range of a double)
 * Source: Seber & Lee, Linear Regression Analysis, 2nd ed., sec. 3.10, 4.3 and 6.1.
 */
lb_status lb_affine_fit(lb_cvec yhat, lb_cvec y, lb_cvec weight, size_t min_rows, lb_affine *out,
                        lb_error *err);

/**
 * The trap, to show it: the regression of the prediction on the truth, yhat = a y + b. It is not
 * the inverse of the calibration: the two slopes multiply to the squared correlation, so both are
 * below 1 for an expert that only is noisy. Its test asks another question.
 */
lb_status lb_affine_fit_swapped(lb_cvec yhat, lb_cvec y, lb_cvec weight, size_t min_rows,
                                lb_affine *out, lb_error *err);

/**
 * One calibration per expert, on the rows whose true bin is its own.
 * @param yhat    (n, K) predictions of K experts
 * @param bin     [n] -1 .. K-1; -1: no expert's row
 * @param absent  [K] experts that do not exist, whose columns are not read, or NULL
 * @param out     [K]
 * @return as lb_affine_fit(), the expert named; LB_EINVAL also for a bin out of range
 */
lb_status lb_affine_fit_bins(lb_cmat yhat, lb_cvec y, const int *bin, const bool *absent,
                             size_t min_rows, lb_affine *out, lb_error *err);

/** The same on all rows, weighted by the gate: @p p is (n, K). */
lb_status lb_affine_fit_gate(lb_cmat yhat, lb_cvec y, lb_cmat p, const bool *absent,
                             size_t min_rows, lb_affine *out, lb_error *err);

/**
 * The fit drawn towards the identity by as much as the data leave open: (a, b) - (1, 0) and the
 * covariance are multiplied by 1 - 1/F, or by 0 if F <= 1. That is the posterior mean and
 * covariance under the g-prior centred on the identity, g = max(F - 1, 0) estimated from the data;
 * nothing has to be chosen. F and p stay those of the fit. What was not fitted comes back as it is.
 * Source: Zellner 1986; Liang et al. 2008, JASA 103, 410 (local empirical Bayes).
 */
lb_affine lb_affine_shrink(const lb_affine *fit);

/**
 * out(i, k) = a_k yhat(i, k) + b_k; NAN stays NAN. @p out may be @p yhat itself.
 * @param experts  [yhat.cols]
 * @return LB_OK; LB_ESHAPE
 */
lb_status lb_affine_apply(const lb_affine *experts, lb_cmat yhat, lb_mat out, lb_error *err);

#endif
