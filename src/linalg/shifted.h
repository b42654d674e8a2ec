/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_LINALG_SHIFTED_H
#define LB_LINALG_SHIFTED_H

#include "linalg/cholesky.h"

#include <stdbool.h>

/**
 * (A + alpha I) x = b for many alpha from one Cholesky factor, that of A + pole I.
 *
 * With M = (A + pole I)^-1 the system reads (I + (alpha - pole) M) x = M b. The Krylov space of M
 * and M b is the same for every alpha: one Lanczos process serves them all, with a tridiagonal
 * system each; Meerbergen 2003, SIAM J. Matrix Anal. Appl. 24, 1038. A step is one solution with
 * the factor. The error falls by (sqrt(r) - 1) / (sqrt(r) + 1) a step or faster, where r is (e +
 * alpha) / (e + pole), above the pole, or its inverse, below, and e is the smallest eigenvalue of
 * A: twenty-eight steps for r = 4. Above the pole rounding counts up to r times as much as in a
 * factorisation of A + alpha I, below as much; where that factorisation would fail, an alpha below
 * is not always noticed, and nothing said of it holds.
 *
 * @param u       holds the factor of A + pole I
 * @param b       (p)
 * @param alphas  each >= pole or, with pole > 0, > 0
 * @param steps   at most; an alpha that at its pace would need more is given up early
 * @param x       out (alphas.n, p), a row an alpha; a row that is not solved is left alone
 * @param solved  out (alphas.n): the error is below LB_SHIFTED_TOLERANCE of x, in the 2-norm; below
 *                the pole judged by the smallest eigenvalue that the process has seen
 */
void lb_shifted_solve(const lb_cholesky *u, double pole, lb_cvec b, lb_cvec alphas, size_t steps,
                      lb_mat x, bool *solved);

#define LB_SHIFTED_TOLERANCE 1e-13

#endif
