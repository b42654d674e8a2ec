/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/anova.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>

/* Sums and counts of the classes; the rows are checked on the way. */
static lb_status add_up(lb_cvec x, size_t stride, const int *class_of, size_t classes, double *sum,
                        size_t *count, lb_error *err)
{
    for (size_t i = 0; i < x.n; i++) {
        const double v = x.data[i * stride];
        if (class_of[i] < -1 || class_of[i] >= (int)classes)
            return LB_FAIL(err, LB_EINVAL, "row %zu is of class %d, but there are %zu classes", i,
                           class_of[i], classes);
        if (class_of[i] < 0)
            continue;
        if (!isfinite(v))
            return LB_FAIL(err, LB_ENUMERIC, "the feature of row %zu is %g", i, v);
        sum[class_of[i]] += v;
        count[class_of[i]]++;
    }
    return LB_OK;
}

static lb_status analyse(lb_cvec x, size_t stride, const int *class_of, const double *mean,
                         const size_t *count, size_t classes, lb_anova *out, lb_error *err)
{
    double all = 0.0, between = 0.0, within = 0.0;
    *out = (lb_anova){0};
    for (size_t k = 0; k < classes; k++) {
        out->n += count[k];
        out->classes += count[k] > 0;
        all += (double)count[k] * mean[k];
    }
    if (out->classes < 2 || out->n <= out->classes)
        return LB_FAIL(err, LB_EINVAL, "%zu rows in %zu classes: nothing to compare", out->n,
                       out->classes);
    all /= (double)out->n;
    for (size_t k = 0; k < classes; k++)
        between += (double)count[k] * (mean[k] - all) * (mean[k] - all);
    for (size_t i = 0; i < x.n; i++) {
        const double d = class_of[i] < 0 ? 0.0 : x.data[i * stride] - mean[class_of[i]];
        within += d * d;
    }
    if (!(between + within > 0.0))
        return LB_FAIL(err, LB_ENUMERIC, "the feature is the same in all %zu rows", out->n);
    out->share = between / (between + within);
    out->f = (between / (double)(out->classes - 1)) / (within / (double)(out->n - out->classes));
    return LB_OK;
}

lb_status lb_anova_of(lb_cvec x, size_t stride, const int *class_of, size_t classes, lb_anova *out,
                      lb_error *err)
{
    double *mean = lb_xcalloc(classes + 1, sizeof *mean);
    size_t *count = lb_xcalloc(classes + 1, sizeof *count);
    lb_status st = add_up(x, stride, class_of, classes, mean, count, err);
    for (size_t k = 0; k < classes; k++)
        mean[k] /= count[k] ? (double)count[k] : 1.0;
    if (st == LB_OK)
        st = analyse(x, stride, class_of, mean, count, classes, out, err);
    free(mean);
    free(count);
    return st;
}
