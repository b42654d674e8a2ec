/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_LINALG_BAND_H
#define LB_LINALG_BAND_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stdbool.h>

/**
 * A symmetric matrix brought to band form by an orthogonal similarity, A = Q T Q', with T of half
 * width LB_BAND_WIDTH. One reduction costs 4/3 p^3 operations, about as much as four or five
 * Cholesky factorisations, and after it (A + shift I) x = b takes O(p^2) for any number of shifts.
 * Source: Bischof, Lang & Sun 2000, ACM TOMS 26, 581, the first of its two stages; LAPACK
 * dsytrd_sy2sb. The error is that of an orthogonal method: small relative to the norm of A.
 */
typedef struct lb_band lb_band;

enum { LB_BAND_WIDTH = 64 };

/**
 * @param a    (p, p), p > LB_BAND_WIDTH: reads the upper triangle, overwrites it with Q, which the
 *             band borrows until lb_band_free(); the strict lower triangle is left as it is
 * @param out  receives the band; the caller frees it
 * @return LB_OK; LB_ESHAPE; LB_ENUMERIC if @p a holds NaN or infinity
 */
lb_status lb_band_reduce(lb_mat a, lb_band **out, lb_error *err);
void lb_band_free(lb_band *b); /* NULL is fine */

/** Rows of @p x := rows times Q (that is, each row as a vector v becomes Q'v), or Q v if @p back.
 */
void lb_band_rotate(const lb_band *b, bool back, lb_mat x);

/**
 * Factor T + shift I = LL' for the solves that follow; a further call replaces it.
 * @return LB_OK, or LB_ENUMERIC if it is not positive definite to working precision
 */
lb_status lb_band_factor(lb_band *b, double shift, lb_error *err);
void lb_band_solve(const lb_band *b, lb_vec x); /* LL' x = b, b in x on entry */

/** y = T x. */
void lb_band_multiply(const lb_band *b, lb_cvec x, lb_vec y);

#endif
