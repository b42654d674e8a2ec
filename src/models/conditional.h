/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_CONDITIONAL_H
#define LB_MODELS_CONDITIONAL_H

#include "core/error.h"
#include "linalg/mat.h"
#include "linalg/stream.h"
#include "models/conditional_gram.h"
#include "models/sweep.h"

#include <stdbool.h>

/**
 * Conditional Ridge: one linear model whose weights vary with known scalars of the star,
 * yhat = b + sum_i c_i (offset_i + x'w_i), Ridge on the design [c_1 x, ..., c_K x]. With c = 1, m,
 * m^2 the weights are a parabola in m: w(m) = w_1 + m w_2 + m^2 w_3; Hastie & Tibshirani 1993,
 * JRSS B 55, 757 ("varying-coefficient models"). The intercept is not penalised, nor are the c_i
 * as columns of their own (lb_conditions.plain): they are the intercept's variation with c.
 *
 * The design is never built: normal equations from weighted Grams (models/conditional_gram.h), one
 * pass over the training rows for all models, all float64. The Cholesky factor of a penalty
 * (linalg/cholesky.h) also serves those about it, as far as the eigenvalues allow
 * (linalg/shifted.h).
 * With folds it is the preconditioner of the penalties about it and of the fits that leave a fold
 * out (models/conditional_descent.h): some tens of products with the Grams, side by side for all of
 * them, replace their factorisations. A penalty that is out of reach is factored itself, and so is
 * a fold where nothing else helps. Weights agree with those of a factorisation to 1e-12, without a
 * fold to 1e-8, in the norm of the system. In a small model every penalty is factored.
 *
 * What awkward data come to: one row gives its label everywhere. Columns or conditions that are
 * constant, zero or repeated, and more columns than rows, are fitted: the penalty makes the answer
 * unique, unless it is too small for the matrix to be factored (LB_ENUMERIC).
 *
 * The same bits for any number of threads. Cost for n rows, p columns, K conditions with U
 * products: n p^2 U / 2 multiplications, n p^2 / 2 where the conditions take few values; (K p)^3 /
 * 6 a factor.
 *
 * Worked example, first and second order in [M/H] (E07):
 *
 *   const lb_monomial powers[] = {{{0}}, {{1}}, {{2}}};         // 1, m, m^2 of base variable 0
 *   const lb_conditional_member members[] = {{"order 1", {powers, 2, .plain = true}},
 *                                            {"order 2", {powers, 3, .plain = true}}};
 *   lb_conditional_labelled train = {{flux, {mh, n, 1, 1}}, logg, NULL}, val = ...;
 *   lb_conditional_rows test = {flux_test, {mh_test, n_test, 1, 1}};
 *   lb_conditional_run(&train, &val, &test, members, 2,
 *                      (lb_conditional_options){.alphas = grid, .extend_decades = 2}, &c, err);
 *   lb_conditional_get(c, 0).yhat_chosen                         // log g of every test star
 */
typedef struct lb_conditional_rows {
    lb_stream x;
    lb_cmat variables; /* (rows, base variables), at most LB_CONDITION_VARIABLES */
} lb_conditional_rows;

typedef struct lb_conditional_labelled {
    lb_conditional_rows rows;
    lb_cvec y;
    const int *fold; /* [rows] training: 0 .. folds-1; validation: >= 0. -1: row not used, though
                        validation rows are all predicted and must be finite. NULL: all 0 */
} lb_conditional_labelled;

typedef struct lb_conditional_member {
    const char *name;
    lb_conditions conditions; /* terms borrowed for the life of the result */
    bool by_validation; /* its penalty, whatever options.folds says: a large model's folds cost
                           more than all else */
} lb_conditional_member;

typedef struct lb_conditional_options {
    lb_cvec alphas;     /* the given grid, ascending, all > 0 */
    int extend_decades; /* when the optimum sits on an end of the grid; 0: stay on the grid */
    size_t folds;       /* >= 2: the penalty with the largest R2, mean over the folds, each from a
                           fit without it. 0: by the validation rows, for every member */
    size_t memory;      /* bytes for Grams and normal matrix; more is LB_EINVAL. 0: no limit */
} lb_conditional_options;

/** Fits of one model at several penalties. */
typedef struct lb_conditional_fit {
    const lb_monomial *term; /* (k) borrowed */
    size_t n_alpha, k, p, n_rows;
    double *alpha;  /* (n_alpha) */
    double *w;      /* (n_alpha, k, p) weights of x, a row a condition */
    double *offset; /* (n_alpha, k) */
    double *b;      /* (n_alpha) */
} lb_conditional_fit;

typedef struct lb_conditional lb_conditional;

/**
 * Fit and select every member.
 * @param train  with options.folds the rows carry folds
 * @param val    for members without folds, may be NULL if there is none
 * @param test   predictions are made for all its rows
 * @return LB_OK; LB_ESHAPE (columns or lengths disagree); LB_EINVAL (folds of 1; a fold, or what is
 *         left without it, that is empty or whose labels do not vary; fewer than two validation
 *         rows, or labels that do not vary; a grid that is not positive and ascending; what
 *         lb_conditional_gram_accumulate() refuses); LB_ENUMERIC (NaN or infinity in a row that
 *         counts; an alpha too small for its matrix to be factored, named; a prediction that is not
 *         finite); what the streams return
 */
lb_status lb_conditional_run(const lb_conditional_labelled *train,
                             const lb_conditional_labelled *val, const lb_conditional_rows *test,
                             const lb_conditional_member *members, size_t n,
                             lb_conditional_options options, lb_conditional **out, lb_error *err);
void lb_conditional_free(lb_conditional *c); /* NULL is fine */

/** As models/sweep.h; r2_val is the mean over folds if there are folds, n_val then 0; there is no
 * least-squares fit, no estimate of the condition, and w and b are NULL: lb_conditional_weights().
 */
lb_sweep_model lb_conditional_get(const lb_conditional *c, size_t member);

/** The weights, alphas in the order of lb_conditional_get().alphas. Borrowed. */
const lb_conditional_fit *lb_conditional_weights(const lb_conditional *c, size_t member);

/** How many matrices were factored: one a penalty, fewer where a neighbour's factor did, more where
 * the conjugate gradients of a fold did not converge. */
size_t lb_conditional_factorisations(const lb_conditional *c, size_t member);

/**
 * The part of a prediction that does not know the conditions: parts(row, a * k + i) =
 * offset_i + x'w_i of alpha a. One pass over @p x.
 * @param parts  (rows, n_alpha * k)
 * @return LB_OK; LB_ESHAPE; what the stream reports
 */
lb_status lb_conditional_project(const lb_conditional_fit *fit, const lb_stream *x, lb_mat parts,
                                 lb_error *err);

/**
 * yhat = b + sum_i c_i part_i: many draws of uncertain conditions share one projection.
 * @param yhat  (n_alpha, rows)
 * @return LB_OK; LB_ESHAPE; LB_ENUMERIC if a prediction is NaN or infinite (the row is named)
 */
lb_status lb_conditional_combine(const lb_conditional_fit *fit, lb_cmat parts, lb_cmat variables,
                                 lb_mat yhat, lb_error *err);

#endif
