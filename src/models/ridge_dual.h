/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_RIDGE_DUAL_H
#define LB_MODELS_RIDGE_DUAL_H

#include "core/error.h"
#include "linalg/gram.h"
#include "linalg/mat.h"

#include <stdbool.h>

/* Part of models/ridge: one model in its dual variables. With fewer rows than columns,
 * w = Xc' (Xc Xc' + alpha I)^-1 yc is the same solution from a system of n instead of p unknowns.
 * Source: Saunders, Gammerman & Vovk 1998, ICML, 515, eq. 4 with a linear kernel; Hastie,
 * Tibshirani & Friedman, ESL 2nd ed., sec. 18.3.5. */
typedef struct lb_ridge_dual lb_ridge_dual;

/**
 * Whether n rows take less work in dual form. Xc Xc' costs n^2 p, each factorisation then n^3 / 3
 * instead of p^3 / 3: at 17/20 of p rows six penalties make up for it. Their number does not count
 * here, so that the bits of a fit do not depend on what else was asked for.
 */
bool lb_ridge_dual_pays(size_t n, size_t p);

/**
 * Xc Xc' of a union whose rows @p g kept. Centred columns leave it one eigenvalue of zero, to which
 * yc is orthogonal; it is lifted to the mean of all, which changes no solution and keeps the small
 * ones from hiding behind it.
 * @param m  its moments, standardised or not as @p standardise says; the mean and sd are borrowed
 */
lb_ridge_dual *lb_ridge_dual_new(const lb_gram *g, const bool *use, bool standardise,
                                 const lb_moments *m);
void lb_ridge_dual_free(lb_ridge_dual *d); /* NULL is fine */

/** Room of n unknowns for Xc Xc', borrowed; it is loaded anew for each factorisation. */
lb_cholesky *lb_ridge_dual_room(lb_ridge_dual *d);
void lb_ridge_dual_load(lb_ridge_dual *d);

lb_cvec lb_ridge_dual_right(const lb_ridge_dual *d); /* yc (n), borrowed */

/** w = Xc'c (p), in the columns of the moments. */
void lb_ridge_dual_weights(const lb_ridge_dual *d, lb_cvec c, lb_vec w);

#endif
