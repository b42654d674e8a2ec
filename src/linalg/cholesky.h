/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_LINALG_CHOLESKY_H
#define LB_LINALG_CHOLESKY_H

#include "core/error.h"
#include "linalg/mat.h"

/**
 * Cholesky factor A = U'U of a large symmetric matrix, in place and by the inner loop of
 * linalg/cross.h, so that the factor has the same bits on every CPU and for any number of threads.
 * Left-looking by blocks of rows of U; Golub & Van Loan, Matrix Computations, 4th ed., sec. 4.2.
 *
 * The matrix is put into the room first: A(i, j) with i <= j at lb_cholesky_place(f, i, j), eight
 * neighbours j, j + 1 ... from a multiple of 8 on lying side by side, and i + 1 eight places
 * further. Nothing below the diagonal is stored: half of p * p doubles is all that is ever touched.
 */
typedef struct lb_cholesky lb_cholesky;

lb_cholesky *lb_cholesky_new(size_t p);
void lb_cholesky_free(lb_cholesky *f); /* NULL is fine */
double *lb_cholesky_place(lb_cholesky *f, size_t i, size_t j);

/** y = A x, before A is factored. */
void lb_cholesky_multiply(const lb_cholesky *f, lb_cvec x, lb_vec y);

/**
 * Overwrite A by the factor of A + shift I.
 * @return LB_OK, or LB_ENUMERIC if A + shift I is not positive definite to working precision or
 * holds NaN or infinity (LAPACK's dpotrf lets NaN pass). The room then holds nothing of use.
 */
lb_status lb_cholesky_factor(lb_cholesky *f, double shift, lb_error *err);

/** Solve U'U x = b after that; @p x holds b on entry. */
void lb_cholesky_solve(const lb_cholesky *f, lb_vec x);

#endif
