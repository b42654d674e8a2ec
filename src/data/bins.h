/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_BINS_H
#define LB_DATA_BINS_H

#include "core/error.h"
#include "core/text.h"
#include "linalg/mat.h"

#include <stdbool.h>
#include <stddef.h>

enum { LB_BINS_EDGES = 8, LB_BINS_MAX = (LB_BINS_EDGES - 1) * (LB_BINS_EDGES - 1) };

/**
 * Rectangular bins in (T_eff, [M/H]). Bin k = n_mh * (T_eff index) + ([M/H] index), cool to hot,
 * poor to rich, counted from 0. Plain value: check it once with lb_bins_check().
 *
 * Rule of the edges. Default ("code"): a bin holds its lower edge and not its upper one, the last
 * of an axis holds both. @c seed_text (three [M/H] bins only): the middle [M/H] bin holds both its
 * edges.
 */
typedef struct lb_bins {
    size_t n_teff, n_mh;                           /* bins an axis, 1 .. 7 */
    double teff[LB_BINS_EDGES], mh[LB_BINS_EDGES]; /* n + 1 edges each, K and dex, increasing */
    bool seed_text;
} lb_bins;

/** The nine bins of the programme: 3750, 4500, 5250, 6000 K by -2, -1, 0, 0.5 dex. */
lb_bins lb_bins_nine(void);

/** LB_EINVAL: no bin, too many, edges not finite or not increasing, seed_text without 3 [M/H] bins.
 */
lb_status lb_bins_check(const lb_bins *b, lb_error *err);

size_t lb_bins_count(const lb_bins *b);

/** group[i] = bin of row i, or -1 outside all bins (NaN labels are outside). Equal lengths. */
void lb_bins_assign(const lb_bins *b, lb_cvec teff, lb_cvec mh, int *group);

/** Rows whose T_eff or [M/H] is exactly one of the edges: how much the rule of the edges decides.
 */
size_t lb_bins_on_edge(const lb_bins *b, lb_cvec teff, lb_cvec mh);

/** "Cool Metal-poor" ... "Hot Metal-rich" for 3 x 3 bins, otherwise "T0 M1". */
void lb_bins_name(const lb_bins *b, int k, char out[32]);

/**
 * Merge bins with too few training rows. The smallest such bin joins, within its [M/H] column, the
 * T_eff neighbour with fewer training rows; what is still too small joins the [M/H] neighbour with
 * fewer; and so on until none is left or nothing can be joined.
 * @param n_train    training rows a bin, lb_bins_count() of them
 * @param minimum    rows a bin needs
 * @param merged_to  out, a bin each: the bin whose expert serves it (itself if unmerged); -1 for an
 *                   empty bin, which has no expert and whose rows are uncovered
 * @param log        one sentence a line for every merge, empty bin and bin left below the minimum
 * @return LB_OK; LB_EINVAL as lb_bins_check()
 */
lb_status lb_bins_merge(const lb_bins *b, const size_t *n_train, size_t minimum, int *merged_to,
                        lb_text *log, lb_error *err);

#endif
