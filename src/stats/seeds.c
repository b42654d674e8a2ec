/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/seeds.h"

#include "core/memory.h"
#include "stats/quantile.h"
#include "stats/rowset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lb_status check(const lb_number *values, size_t k, lb_error *err)
{
    if (!k)
        return LB_FAIL(err, LB_EINVAL, "a seed summary of no seeds");
    for (size_t i = 0; i < k; i++) {
        if (strcmp(values[i].kind, values[0].kind))
            return LB_FAIL(err, LB_EINVAL, "seed %zu has a '%s', seed 0 a '%s'", i, values[i].kind,
                           values[0].kind);
        if (strcmp(values[i].unit, values[0].unit))
            return LB_FAIL(err, LB_EINVAL, "seed %zu is in '%s', seed 0 in '%s'", i, values[i].unit,
                           values[0].unit);
        const lb_status st = lb_rowset_require_same("a summary over seeds", values[0].rows,
                                                    values[0].n, values[i].rows, values[i].n, err);
        if (st != LB_OK)
            return st;
        if (values[i].na[0] || !isfinite(values[i].value))
            return LB_FAIL(err, LB_ENUMERIC, "the value of seed %zu is %g %s", i, values[i].value,
                           values[i].na);
    }
    return LB_OK;
}

/* @p value of another kind, on the rows of @p like. */
static lb_number derived(const lb_number *like, double value, const char *kind, const char *unit)
{
    lb_number x = lb_number_plain(value, kind, unit);
    x.n = like->n;
    x.digits = like->digits;
    x.oracle = like->oracle;
    memcpy(x.rows, like->rows, sizeof x.rows);
    memcpy(x.protocol, like->protocol, sizeof x.protocol);
    return x;
}

lb_status lb_seeds_summarise(const lb_number *values, size_t k, double threshold,
                             lb_seed_summary *out, lb_error *err)
{
    const lb_status st = check(values, k, err);
    if (st != LB_OK)
        return st;
    lb_number marked = values[0]; /* an oracle's as soon as one seed is */
    const lb_number *first = &marked;
    double *v = lb_xcalloc(k, sizeof *v);
    *out = (lb_seed_summary){0};
    double lowest = first->value;
    for (size_t i = 0; i < k; i++) {
        v[i] = values[i].value;
        lowest = fmin(lowest, v[i]);
        marked.oracle |= values[i].oracle;
        out->above += v[i] > threshold;
    }
    out->all_above = out->above == k;
    const double mean = lb_mean(v, k), pop = lb_std(v, k, 0), sample = lb_std(v, k, 1);
    free(v);

    out->mean = derived(first, mean, first->kind, first->unit);
    out->mean.se = sample / sqrt((double)k);
    out->lowest = derived(first, lowest, first->kind, first->unit);
    out->std_pop = derived(first, pop, "std", first->unit);
    out->std_sample = derived(first, sample, "std", first->unit);
    if (k < 2)
        snprintf(out->std_sample.na, sizeof out->std_sample.na, "n/a (one seed)");
    out->relative = derived(first, pop / fabs(mean), "ratio", "");
    if (mean == 0.0) {
        out->relative.value = NAN;
        snprintf(out->relative.na, sizeof out->relative.na, "n/a (the mean is 0)");
    }
    /* 1.96: the normal 95 % band of single seeds, as published. */
    out->spread_lo = derived(first, mean - 1.96 * pop, "seed_spread", first->unit);
    out->spread_hi = derived(first, mean + 1.96 * pop, "seed_spread", first->unit);
    return LB_OK;
}
