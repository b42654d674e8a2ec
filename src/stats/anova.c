/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/anova.h"

#include "core/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* One class. Values count less the first one of all, and equality is asked of the values
 * themselves: a constant that has no exact mean is a constant all the same. */
typedef struct group {
    size_t n;
    double first, mean; /* of its rows; the mean less the first value of all */
    bool varies;
} group;

/* The classes; the rows are checked on the way. */
static lb_status collect(lb_cvec x, size_t stride, const int *class_of, size_t classes, group *g,
                         double *origin, lb_error *err)
{
    bool any = false;
    for (size_t i = 0; i < x.n; i++) {
        const double v = x.data[i * stride];
        if (class_of[i] < -1 || class_of[i] >= (int)classes)
            return LB_FAIL(err, LB_EINVAL, "row %zu is of class %d, but there are %zu classes", i,
                           class_of[i], classes);
        if (class_of[i] < 0)
            continue;
        if (!isfinite(v))
            return LB_FAIL(err, LB_ENUMERIC, "the feature of row %zu is %g", i, v);
        group *k = &g[class_of[i]];
        *origin = any ? *origin : v;
        any = true;
        k->first = k->n ? k->first : v;
        k->varies |= v != k->first;
        k->mean += v - *origin;
        k->n++;
    }
    for (size_t k = 0; k < classes; k++)
        g[k].mean = g[k].varies ? g[k].mean / (double)g[k].n : g[k].first - *origin;
    return LB_OK;
}

static lb_status analyse(lb_cvec x, size_t stride, const int *class_of, const group *g,
                         size_t classes, double origin, lb_anova *out, lb_error *err)
{
    double all = 0.0, between = 0.0, within = 0.0;
    bool varies = false;
    *out = (lb_anova){0};
    for (size_t k = 0; k < classes; k++) {
        out->n += g[k].n;
        out->classes += g[k].n > 0;
        all += (double)g[k].n * g[k].mean;
        varies |= g[k].varies || (g[k].n && g[k].first != origin);
    }
    if (out->classes < 2 || out->n <= out->classes)
        return LB_FAIL(err, LB_EINVAL, "%zu rows in %zu classes: nothing to compare", out->n,
                       out->classes);
    if (!varies)
        return LB_FAIL(err, LB_ENUMERIC, "the feature is the same in all %zu rows", out->n);
    all /= (double)out->n;
    for (size_t k = 0; k < classes; k++)
        between += (double)g[k].n * (g[k].mean - all) * (g[k].mean - all);
    for (size_t i = 0; i < x.n; i++) {
        if (class_of[i] < 0 || !g[class_of[i]].varies)
            continue;
        const double d = x.data[i * stride] - origin - g[class_of[i]].mean;
        within += d * d;
    }
    if (!(between + within > 0.0) || !isfinite(between + within))
        return LB_FAIL(err, LB_ENUMERIC,
                       "the sums of squares %g and %g leave the range of a double", between,
                       within);
    out->share = between / (between + within);
    out->f = (between / (double)(out->classes - 1)) / (within / (double)(out->n - out->classes));
    return LB_OK;
}

lb_status lb_anova_of(lb_cvec x, size_t stride, const int *class_of, size_t classes, lb_anova *out,
                      lb_error *err)
{
    group *g = lb_xcalloc(classes + 1, sizeof *g);
    double origin = 0.0;
    lb_status st = collect(x, stride, class_of, classes, g, &origin, err);
    if (st == LB_OK)
        st = analyse(x, stride, class_of, g, classes, origin, out, err);
    free(g);
    return st;
}
