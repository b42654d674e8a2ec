/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_CONDITIONAL_GRAM_H
#define LB_MODELS_CONDITIONAL_GRAM_H

#include "core/error.h"
#include "linalg/mat.h"
#include "linalg/stream.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Sufficient statistics of linear models whose weights vary with a few scalars of the row.
 *
 * With conditions c_1 ... c_K, one value each a row, the design is [c_1 x, ..., c_K x] and its
 * normal matrix has the K x K blocks X' diag(c_i c_j) X. Conditions are monomials of base
 * variables, so equal products are recognised: 1, m, m^2 have the five products 1, m ... m^4, not
 * nine. Each product is one weighted Gram, each fold of rows has its own, and the design itself
 * never exists. Powers of a variable that is an affine function of another one in every row, a
 * standardised one say, are sums of the other's by the binomial theorem and have no Gram of their
 * own: those models agree to rounding with themselves alone. When the base variables take only a
 * few different values (noise levels, say), one Gram a value is kept instead and the products are
 * sums of those: one Gram's work a row instead of one a product.
 *
 * Memory: 75 MB a Gram at 4,096 columns; Grams are folds x distinct products (one each of those
 * that only models on all folds ask for), or folds x values. All in float64, shifted and scaled as
 * in linalg/gram.h. The bits depend neither on the number of threads nor on the CPU.
 */
enum { LB_CONDITION_VARIABLES = 4 };

/** A product of powers of the base variables; all powers zero is the constant 1. */
typedef struct lb_monomial {
    unsigned char power[LB_CONDITION_VARIABLES];
} lb_monomial;

double lb_monomial_value(lb_monomial m, const double *variables);

/** The model: phi(x; c) = [c_1 x, ..., c_K x] with an intercept. */
typedef struct lb_conditions {
    const lb_monomial *term; /* (n) c_1 ... c_K, no two equal; borrowed */
    size_t n;
    bool plain;  /* c_1 ... c_K also as columns of their own, unpenalised like the intercept */
    bool centre; /* x - mean of the training rows instead of x; with @c plain the same model */
    bool whole;  /* will be asked for on all folds only: no Gram of its own for each of them
                    (lb_conditional_run() sets it) */
} lb_conditions;

typedef struct lb_conditional_gram lb_conditional_gram;

/**
 * One pass over @p x.
 * @param variables  (rows, base variables), at most LB_CONDITION_VARIABLES columns
 * @param fold       (rows) 0 .. folds-1, or -1 for a row that is not looked at; NULL: all 0
 * @param models     (n_models) the conditions that will be asked for
 * @param memory     bytes the Grams and the largest normal matrix may take together; 0: no limit
 * @return LB_OK; LB_ESHAPE (rows disagree); LB_EINVAL (no fold, no row, a fold out of range, no
 *         condition, one twice, one of a variable that is not there, more memory than allowed);
 *         LB_ENUMERIC (NaN or infinity in a row that counts, named); what the stream reports
 */
lb_status lb_conditional_gram_accumulate(const lb_stream *x, lb_cmat variables, lb_cvec y,
                                         const int *fold, size_t folds, const lb_conditions *models,
                                         size_t n_models, size_t memory, lb_conditional_gram **out,
                                         lb_error *err);
void lb_conditional_gram_free(lb_conditional_gram *g); /* NULL is fine */

size_t lb_conditional_gram_cols(const lb_conditional_gram *g);
size_t lb_conditional_gram_count(const lb_conditional_gram *g); /* Grams held, all folds */

/* What is below is for models/conditional_system.h. Columns are d = (x - shift) / scale, the label
 * is t = y - y_shift. */
lb_cvec lb_conditional_gram_shift(const lb_conditional_gram *g); /* borrowed, (p) */
lb_cvec lb_conditional_gram_scale(const lb_conditional_gram *g); /* borrowed, (p), powers of two */
double lb_conditional_gram_y_shift(const lb_conditional_gram *g);

/** Index of a product; the constant 1 is product 0. It must be there: 1, c_i and c_i c_j are. */
size_t lb_conditional_gram_product(const lb_conditional_gram *g, lb_monomial m);

/** Which rows: all folds but @c fold (-1: all), or that one only. */
typedef struct lb_fold_choice {
    int fold;
    bool only;
} lb_fold_choice;

typedef struct lb_conditional_sums {
    size_t n;
    double *u, *uy, yy; /* per product: sums of it and of it times t; sum of t^2. Caller's memory */
} lb_conditional_sums;

size_t lb_conditional_gram_products(const lb_conditional_gram *g); /* how many there are */
void lb_conditional_gram_sums(const lb_conditional_gram *g, lb_fold_choice rows,
                              lb_conditional_sums *out);

/** Sums of u d and of u d t over the rows; either may be NULL. (p) */
void lb_conditional_gram_vectors(const lb_conditional_gram *g, lb_fold_choice rows, size_t u,
                                 double *d, double *dt);

/** D' diag(u) D in square tiles of LB_CONDITION_TILE columns. */
enum { LB_CONDITION_TILE = 48 };

/** Tile (I, J), J <= I, row-major with LB_CONDITION_TILE columns; on the diagonal both triangles.
 */
void lb_conditional_gram_tile(const lb_conditional_gram *g, lb_fold_choice rows, size_t u, size_t i,
                              size_t j, double *out);

/**
 * out[f]_i = sum_j D' diag(u_ij) D v[f]_j over rows[f], every Gram read once for all f.
 * @param alone   (k) the products c_i
 * @param pair    (k, k) the products u_ij = c_i c_j
 * @param v, out  (n) blocks of k vectors of p
 */
void lb_conditional_gram_multiply(const lb_conditional_gram *g, const lb_fold_choice *rows,
                                  size_t n, const size_t *alone, const size_t *pair, size_t k,
                                  const double *const *v, double *const *out);

#endif
