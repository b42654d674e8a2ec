/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_QUANTILE_BINS_H
#define LB_DATA_QUANTILE_BINS_H

#include "core/error.h"
#include "core/text.h"
#include "linalg/mat.h"

#include <stdbool.h>
#include <stddef.h>

enum { LB_QUANTILE_BINS_MAX = 16 };

/**
 * Bins of one label that cover every value: inner edges from quantiles of the training labels or by
 * hand, outer edges at infinity. A value on an edge belongs to the upper bin. Plain value. Example:
 *
 *   lb_quantile_bins b;
 *   lb_quantile_bins_make(train_mh, 4, &b, err);            // b.n < 4 when atoms swallowed a bin
 *   lb_quantile_bins_assign(&b, test_mh, bin);
 *   lb_quantile_bins_count(bin, n, b.n, n_test);
 *   lb_quantile_bins_merge(&b, n_test, 30, &b, merged_to, &log);   // then assign again and refit
 */
typedef struct lb_quantile_bins {
    size_t asked;                          /* bins that were asked for, K */
    size_t n;                              /* bins there are, K_eff <= K */
    double edge[LB_QUANTILE_BINS_MAX - 1]; /* n - 1 inner edges, increasing */
} lb_quantile_bins;

/**
 * Bins of equal counts: inner edges at the quantiles 1/K .. (K-1)/K of @p x, linear between the
 * order statistics (Hyndman & Fan 1996, definition 7; NumPy's default). Labels that sit on a grid
 * put many rows on one value, an atom. Two edges on one atom are one edge, and an edge on the
 * smallest value has nothing below it: both are dropped, so no bin is empty on @p x, and n < asked
 * tells it. Atoms also make the counts unequal; print them.
 * @return LB_OK; LB_EINVAL (no value; K is 0 or above LB_QUANTILE_BINS_MAX); LB_ENUMERIC (NaN or
 *         infinity, the row is named)
 */
lb_status lb_quantile_bins_make(lb_cvec x, size_t k, lb_quantile_bins *out, lb_error *err);

/** Bins by hand: n_edges inner edges, so n_edges + 1 bins. LB_EINVAL (too many; not increasing);
 * LB_ENUMERIC (not finite). */
lb_status lb_quantile_bins_at(const double *edges, size_t n_edges, lb_quantile_bins *out,
                              lb_error *err);

/** bin[i] = 0 .. n-1; -1 for NaN. */
void lb_quantile_bins_assign(const lb_quantile_bins *b, lb_cvec x, int *bin);

/** count[k] = rows of bin k; rows of bin -1 are not counted. */
void lb_quantile_bins_count(const int *bin, size_t rows, size_t n, size_t *count);

/** "(−∞, -0.25)", "[-0.25, 0.5)", "[0.5, ∞)"; one bin is "(−∞, ∞)". */
enum { LB_QUANTILE_BINS_TEXT = 64 };
void lb_quantile_bins_interval(const lb_quantile_bins *b, size_t k,
                               char out[LB_QUANTILE_BINS_TEXT]);

/**
 * Merge bins with too few rows. While some bin has fewer than @p minimum: the smallest (of equals
 * the lower) joins its neighbour with fewer rows (of equals the lower); one bin is never merged.
 * @param n_rows     [b->n] rows a bin, of the set the rule is about (E05: test rows)
 * @param out        the bins left; may be @p b itself
 * @param merged_to  out [b->n]: the bin of @p out that each bin of @p b became
 * @param log        one sentence a line for every merge; may be NULL
 * @return whether anything was merged
 */
bool lb_quantile_bins_merge(const lb_quantile_bins *b, const size_t *n_rows, size_t minimum,
                            lb_quantile_bins *out, int *merged_to, lb_text *log);

#endif
