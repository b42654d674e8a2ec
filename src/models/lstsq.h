/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_LSTSQ_H
#define LB_MODELS_LSTSQ_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stdbool.h>

/** A small dense least-squares fit and what regression tables print about it. */
typedef struct lb_lstsq {
    lb_vec w;           /* (p) coefficients */
    lb_vec se;          /* (p) standard errors; NAN without residual degrees of freedom */
    double residual_sd; /* sqrt(RSS / (n - rank)); NAN when n == rank */
    double r2;          /* 1 - RSS / TSS; NAN when TSS is 0 */
    double condition;   /* of the column-scaled design, infinite if rank < p */
    size_t rank;
} lb_lstsq;

/**
 * Minimise |y - Xw| by the singular values of X, its columns scaled by powers of two to about unit
 * length; singular values below max(n, p) * DBL_EPSILON of the largest are dropped, so that columns
 * that depend on each other share their weight (minimum norm in the scaled unknowns; Golub & Van
 * Loan, Matrix Computations, 4th ed., sec. 5.5). Residuals and weights are then refined together
 * with extended precision (Bjorck 1967, BIT 7, 257), which makes the digits depend on the condition
 * of X and no longer on its square, however large the residuals. More columns than rows, one row,
 * and columns of zeros have that shortest answer too. Cost: O(n p^2).
 * @param x         (n, p); put a column of ones in it for an intercept
 * @param centred   TSS about the mean of y (a model with an intercept) or about 0
 * @param out       receives the fit; release with lb_lstsq_free()
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (no row or no column); LB_ENUMERIC (NaN or infinity, or a
 *         column whose length leaves the range of a double)
 */
lb_status lb_lstsq_fit(lb_cmat x, lb_cvec y, bool centred, lb_lstsq *out, lb_error *err);
void lb_lstsq_free(lb_lstsq *f);

#endif
