/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_RIDGE_H
#define LB_MODELS_RIDGE_H

#include "core/error.h"
#include "linalg/gram.h"
#include "linalg/mat.h"
#include "linalg/stream.h"

#include <stdbool.h>

/**
 * Ridge regression with an unpenalised intercept, for a whole grid of penalties:
 * minimise |y - Xw - b|^2 + alpha |w|^2 over w and b. alpha = 0 is least squares of minimum norm.
 * Source: Hastie, Tibshirani & Friedman, ESL 2nd ed., sec. 3.4.1, eq. 3.44.
 *
 * With the moments of lb_gram_moments(), (Xc'Xc + alpha I) w = Xc'yc and b = mean(y) - mean(x)'w.
 * Routes, each alpha naming the one it took in @c method:
 *  'c' Cholesky (linalg/cholesky.h), one factorisation an alpha;
 *  'd' Cholesky of the dual system, n x n (models/ridge_dual.h), where the Gram kept the
 * rows and they are at most 17/20 of the columns;
 *  'l' Lanczos from the factor of the smallest alpha, of either system (linalg/shifted.h), where
 * its eigenvalues are not small beside the two: many rows, few rows, or large noise. The solution
 * is that of the factorisation to 1e-13 and rounding;
 *  's' spectral: the eigenvectors of Xc'Xc. For alpha = 0 when n <= p or the reciprocal condition
 * is below LB_RIDGE_RCOND, and for any alpha whose factorisation failed. Eigenvalues below p *
 * DBL_EPSILON * the largest cannot be told from the rounding of a Gram matrix: at alpha = 0 they
 * are dropped, that is, singular values of X below about 1e-6 of the largest. An alpha below the
 * same bound is lost in the rounding as well, and taken for 0.
 *
 * What awkward data come to: one row, or one label in all rows: w = 0, b = that label. More columns
 * than rows: the penalty makes the answer unique, at alpha = 0 it is the shortest. A constant
 * column has the weight 0, twins share theirs. NaN or infinity stops the Gram (linalg/gram.h).
 */
typedef struct lb_ridge {
    lb_mat w;          /* (n_alpha, p) weights for x as it comes, also when fitted standardised */
    double *b;         /* (n_alpha) intercepts */
    double *alpha;     /* (n_alpha) as given */
    double *condition; /* (n_alpha) estimated 2-norm condition of the system that was solved */
    char *method;      /* (n_alpha) 'c', 'l', 'd' or 's' */
    size_t n_alpha, n_rows;
} lb_ridge;

#define LB_RIDGE_RCOND 1e-12

typedef struct lb_ridge_options {
    /* Penalise the weights of columns of unit standard deviation. Their alphas are not comparable
     * with those of the plain fit: say so beside every one. */
    bool standardise;
} lb_ridge_options;

/**
 * Fit one model on the union of the groups marked in @p use (groups flags; NULL: all).
 * @param alphas  any order, >= 0 and finite
 * @param out     receives the fit; the caller frees it
 * @return LB_OK; LB_EINVAL (no alpha, a negative or non-finite one, no rows in the groups);
 *         LB_ENUMERIC (weights beyond the range of a double; the eigenvectors did not converge; or
 *         the Gram is float32 and too coarse for these alphas: accumulate it again in float64, as
 *         lb_ridge_fit_stream() does)
 */
lb_status lb_ridge_fit(const lb_gram *g, const bool *use, lb_cvec alphas, lb_ridge **out,
                       lb_error *err);

/**
 * Fit several models from one Gram, the threads sharing the factorisations. The bits of a model
 * depend neither on the other models nor on the threads. Scratch: half of p x p doubles a thread,
 * or four times p x p while eigenvectors are computed.
 * @param use  (n_models x groups) flags, one row a model
 * @param out  (n_models) fits, each freed by the caller; all NULL after a failure
 * @return as lb_ridge_fit()
 */
lb_status lb_ridge_fit_many(const lb_gram *g, const bool *use, size_t n_models, lb_cvec alphas,
                            lb_ridge_options options, lb_ridge **out, lb_error *err);

/**
 * The same where each column has a penalty of its own beside alpha: (Xc'Xc + diag(d) + alpha I) w =
 * Xc'yc, "generalised ridge" of Hoerl & Kennard 1970, Technometrics 12, 55, sec. 6. Above d = 0 no
 * model is solved in dual form, and alpha = 0 takes the spectral route only where the columns and d
 * together leave the system singular.
 * @param loading  (n_models, p) the d of each model, finite and >= 0; data NULL: none
 * @return as lb_ridge_fit_many(); LB_ESHAPE; LB_EINVAL for a d out of range
 */
lb_status lb_ridge_fit_loaded(const lb_gram *g, lb_cmat loading, const bool *use, size_t n_models,
                              lb_cvec alphas, lb_ridge **out, lb_error *err);

/**
 * From the stream to the fits: float32 blocks where lb_gram_float32_is_safe() allows them, and once
 * more in float64 if they turn out too coarse. Arguments as lb_gram_accumulate() and
 * lb_ridge_fit_many(); @p noise is the noise level of the spectra.
 * @return as these two, but a Gram is never too coarse
 */
lb_status lb_ridge_fit_stream(const lb_stream *x, lb_cvec y, const int *group, size_t groups,
                              double noise, const bool *use, size_t n_models, lb_cvec alphas,
                              lb_ridge_options options, lb_ridge **out, lb_error *err);

void lb_ridge_free(lb_ridge *r); /* NULL is fine */

/**
 * Predictions of several models in one pass over @p x.
 * @param yhat  per model, (x->rows, n_alpha of that model): column k belongs to its alpha k
 * @return LB_OK; LB_ESHAPE; LB_ENUMERIC if a prediction is NaN or infinite (the row is named); or
 *         what the stream reports
 */
lb_status lb_ridge_predict(const lb_ridge *const *models, size_t n_models, const lb_stream *x,
                           const lb_mat *yhat, lb_error *err);

typedef struct lb_alpha_choice {
    size_t index;
    double alpha, r2;
    int edge; /* -1: the best is the first alpha of the grid, +1: the last, 0: inside */
} lb_alpha_choice;

/**
 * The alpha with the largest validation R2; a tie goes to the larger alpha.
 * @param alphas  ascending, no two equal
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (empty or not ascending); LB_ENUMERIC if an R2 is NaN or
 *         infinite: a model that cannot be scored is not chosen around
 */
lb_status lb_ridge_choose(lb_cvec alphas, lb_cvec r2, lb_alpha_choice *out, lb_error *err);

#endif
