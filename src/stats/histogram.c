/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/histogram.h"

#include <math.h>
#include <string.h>

lb_status lb_histogram(lb_cvec x, double lo, double hi, size_t bins, double *edges, double *counts,
                       size_t *outside, lb_error *err)
{
    const double width = (hi - lo) / (double)bins;
    if (!bins || !(width > 0.0) || !isfinite(width))
        return LB_FAIL(err, LB_EINVAL, "a histogram of %zu bins over [%g, %g]", bins, lo, hi);
    size_t missed = 0;
    for (size_t k = 0; k <= bins; k++)
        edges[k] = k == bins ? hi : lo + (double)k * width;
    memset(counts, 0, bins * sizeof *counts);
    for (size_t i = 0; i < x.n; i++) {
        if (!(x.data[i] >= lo && x.data[i] <= hi)) {
            missed++;
            continue;
        }
        size_t k = (size_t)((x.data[i] - lo) / width);
        k = k < bins ? k : bins - 1;
        /* The division may land one bin off: the edges decide. */
        if (k > 0 && x.data[i] < edges[k])
            k--;
        else if (k + 1 < bins && x.data[i] >= edges[k + 1])
            k++;
        counts[k] += 1.0;
    }
    if (outside)
        *outside = missed;
    return LB_OK;
}
