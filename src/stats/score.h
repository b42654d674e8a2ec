/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STATS_SCORE_H
#define LB_STATS_SCORE_H

#include "core/error.h"
#include "core/number.h"
#include "linalg/mat.h"
#include "stats/rowset.h"

#include <stdbool.h>

/** A model's predictions on a row set: y[i] and yhat[i] belong to row lb_rowset_index(rows)[i].
 * Everything is borrowed. */
typedef struct lb_outcome {
    const lb_rowset *rows;
    lb_cvec y, yhat;   /* truth and prediction, both lb_rowset_size(rows) long */
    const char *model; /* for messages: "global", "mixture" */
    const char *unit;  /* of y; NULL means "dex" */
    bool oracle;       /* the model was given true labels at prediction time */
} lb_outcome;

/**
 * Restrict @p full to @p subset: the way to the common rows.
 * @param scratch  2 * lb_rowset_size(subset) doubles, which @p out borrows
 * @return LB_OK; LB_ESHAPE; LB_EROWS if a row of the subset is not among the rows of @p full, or
 * the two belong to different data
 */
lb_status lb_outcome_on(lb_outcome full, const lb_rowset *subset, double *scratch, lb_outcome *out,
                        lb_error *err);

/** LB_OK when y, yhat and rows have one length and every value is finite; else LB_ESHAPE or
 * LB_ENUMERIC naming the model and the first bad row. */
lb_status lb_outcome_check(const lb_outcome *o, lb_error *err);

/**
 * Scores of one outcome. With e = yhat - y and ybar the mean of y over these very rows:
 *   r2   = 1 - sum e^2 / sum (y - ybar)^2      rmse = sqrt(mean e^2)
 *   mae  = mean |e|                            bias = mean e
 * Negative R2 is legal and never clipped. @c n, @c rows, @c kind and @c unit are filled, and
 * for mae, rmse and bias the standard error of the mean (of rmse by the delta method); the interval
 * of R2 comes from stats/bootstrap.h.
 * @return LB_OK, also when there is no answer: "n/a (n<2)", "n/a (zero target variance)" (r2), "n/a
 *         (no rows)"; LB_ESHAPE; LB_ENUMERIC if y or yhat holds NaN or infinity, or their errors
 * leave the range of a double
 */
lb_status lb_score_r2(const lb_outcome *o, lb_number *out, lb_error *err);
lb_status lb_score_mae(const lb_outcome *o, lb_number *out, lb_error *err);
lb_status lb_score_rmse(const lb_outcome *o, lb_number *out, lb_error *err);
lb_status lb_score_bias(const lb_outcome *o, lb_number *out, lb_error *err);

/**
 * a - b of two scores of one kind on one row set; the kind of the result is "delta_" + that kind.
 * n/a if either is. No interval: lb_bootstrap_delta() makes the paired one.
 * @return LB_OK; LB_EROWS, naming both row sets, if they differ or are unknown; LB_EINVAL if the
 *         kinds differ or are not scores
 */
lb_status lb_score_delta(const lb_number *a, const lb_number *b, lb_number *out, lb_error *err);

/**
 * a - b on different rows: the historical mistake, kept to demonstrate it. The kind,
 * "delta_r2_unaligned", follows the number wherever it is printed, no ladder judges it and nothing
 * can be computed from it. @c rows and @c n are empty: it belongs to no row set.
 * @return LB_OK; LB_EINVAL if either is not an r2
 */
lb_status lb_score_delta_unaligned(const lb_number *a, const lb_number *b, lb_number *out,
                                   lb_error *err);

#endif
