/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_LOGISTIC_ROWS_H
#define LB_MODELS_LOGISTIC_ROWS_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stdbool.h>
#include <stddef.h>

/* Part of models/logistic: the rows it is fitted on, checked, scaled and packed for loops that run
 * over rows. */

enum { LB_LOGISTIC_CHUNK = 128 }; /* rows worked on at a time, at most LB_CROSS_CHAIN */

typedef struct lb_logistic_part {
    size_t first, rows; /* in the packed arrays, first a multiple of LB_LOGISTIC_CHUNK */
    int fold;
} lb_logistic_part;

/**
 * The rows used, fold by fold, each part padded with rows of zeros to whole chunks. Columns: 1 for
 * the intercept, then the features that vary, (x - mean) / sd. Within chunk c, row t and column j
 * stand at x[(c * m + j) * LB_LOGISTIC_CHUNK + t].
 */
typedef struct lb_logistic_rows {
    size_t n, m;             /* rows; columns with the intercept */
    size_t k, pairs, *known; /* (k) classes with rows, and pairs of them */
    size_t products;         /* of columns: m (m + 1) / 2 */
    size_t *column;          /* (m - 1) of x */
    double *mean, *sd;       /* (m - 1) */
    size_t n_parts, packed;  /* packed: rows with the padding */
    lb_logistic_part *parts;
    double *x;
    double *label; /* (packed) index among the known classes; -1 in the padding */
    bool threads;  /* enough work for them to pay */
} lb_logistic_rows;

/**
 * Arguments as lb_logistic_fit_cv(); without folds @p fold is NULL and @p folds 1.
 * @param d        out, release with lb_logistic_rows_free(), also after a failure
 * @param counts   (classes) zero on entry, out: rows a class
 * @param dropped  (x.cols) out: constant on these rows
 * @return LB_OK; LB_EINVAL (no column, a label or fold out of range, fewer than two classes with
 *         rows, a fold without rows, a class in one fold only, too many unknowns); LB_ENUMERIC (NaN
 *         or infinity in a used row; a column whose standard deviation is outside 1e-100 .. 1e100)
 */
lb_status lb_logistic_rows_make(lb_logistic_rows *d, lb_cmat x, const int *label, size_t classes,
                                const int *fold, size_t folds, size_t *counts, bool *dropped,
                                lb_error *err);
void lb_logistic_rows_free(lb_logistic_rows *d); /* zeroed is fine */

#endif
