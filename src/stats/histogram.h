/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STATS_HISTOGRAM_H
#define LB_STATS_HISTOGRAM_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stddef.h>

/**
 * Counts in @p bins equal intervals over [lo, hi]: lower ends closed, upper open, the last one
 * closed (NumPy's rule).
 * @param edges    out: bins + 1 edges
 * @param counts   out: bins counts (as doubles, ready for a figure's series)
 * @param outside  out: values below lo, above hi or NaN; may be NULL
 * @return LB_OK; LB_EINVAL unless bins > 0 and lo < hi, both finite and so their distance
 */
lb_status lb_histogram(lb_cvec x, double lo, double hi, size_t bins, double *edges, double *counts,
                       size_t *outside, lb_error *err);

#endif
