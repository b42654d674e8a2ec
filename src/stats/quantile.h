/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STATS_QUANTILE_H
#define LB_STATS_QUANTILE_H

#include <stddef.h>

/* Order statistics and moments of plain arrays. Callers keep NaN out. */

/** Sort ascending, in place. */
void lb_sort(double *x, size_t n);

/**
 * Quantile @p q in [0, 1] of @p sorted (ascending, n > 0): linear between the order statistics
 * around position q (n - 1). This is definition 7 of Hyndman & Fan (1996) and NumPy's default
 * ("linear"), to the last bit. NAN when n is 0.
 */
double lb_quantile(const double *sorted, size_t n, double q);

double lb_mean(const double *x, size_t n); /* NAN when n is 0 */

/** Standard deviation with divisor n - @p ddof, two passes; NAN when n <= ddof. */
double lb_std(const double *x, size_t n, size_t ddof);

#endif
