/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_LINALG_CHOLESKY_H
#define LB_LINALG_CHOLESKY_H

#include "core/error.h"
#include "linalg/mat.h"

/**
 * Cholesky factor A + shift I = U'U of a large symmetric matrix, on one thread, by the inner loop
 * of linalg/cross.h: as fast as that loop, the matrix is not overwritten (so one matrix serves many
 * shifts), and the factor has the same bits on every CPU. Left-looking by blocks of rows of U;
 * Golub & Van Loan, Matrix Computations, 4th ed., sec. 4.2.
 */
typedef struct lb_cholesky lb_cholesky;

lb_cholesky *lb_cholesky_new(size_t p); /* room for a p x p matrix; touches half of p * p doubles */
void lb_cholesky_free(lb_cholesky *f);  /* NULL is fine */

/**
 * @param a  (p, p), read in its lower triangle only
 * @return LB_OK; LB_ESHAPE; LB_ENUMERIC if A + shift I is not positive definite to working
 * precision or holds NaN or infinity (LAPACK's dpotrf lets NaN pass). The factor is then unusable.
 */
lb_status lb_cholesky_factor(lb_cholesky *f, lb_cmat a, double shift, lb_error *err);

/** Solve U'U x = b for the last factor; @p x holds b on entry. */
void lb_cholesky_solve(const lb_cholesky *f, lb_vec x);

#endif
