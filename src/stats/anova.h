/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STATS_ANOVA_H
#define LB_STATS_ANOVA_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stddef.h>

/**
 * One-way analysis of variance: does the mean of a feature differ between classes?
 *   f     = (between / (k - 1)) / (within / (n - k)), sums of squares over k classes with rows
 *   share = between / (between + within)
 * F grows with the number of rows whatever the feature is worth; the share does not. It is the
 * squared correlation ratio. Source: Snedecor & Cochran 1989, Statistical Methods, 8th ed., ch. 12.
 */
typedef struct lb_anova {
    double f, share; /* f is INFINITY where no class varies */
    size_t n, classes;
} lb_anova;

/**
 * @param x         (n) the feature
 * @param stride    step from one value to the next: 1, or the columns of a table
 * @param class_of  [n] 0 .. classes-1, -1: row not used
 * @return LB_OK; LB_EINVAL (a class out of range; fewer than two classes with rows; no more rows
 *         than classes); LB_ENUMERIC (a value that is not finite; nothing varies at all; sums of
 * squares beyond the range of a double)
 */
lb_status lb_anova_of(lb_cvec x, size_t stride, const int *class_of, size_t classes, lb_anova *out,
                      lb_error *err);

#endif
