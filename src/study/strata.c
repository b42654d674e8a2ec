/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/strata.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>

int *lb_strata_deal(const lb_strata *t, lb_cvec value)
{
    int *layer = lb_xcalloc(value.n, sizeof *layer);
    lb_quantile_bins_assign(&t->bins, value, layer);
    return layer;
}

static void count(const lb_strata *t, lb_cvec value, size_t *n)
{
    int *layer = lb_strata_deal(t, value);
    lb_quantile_bins_count(layer, value.n, t->bins.n, n);
    free(layer);
}

/* Experts and rows of the edges there are now. */
static void settle(const lb_cohort *c, const char *name, lb_by_row value, bool oracle, lb_strata *t)
{
    double edges[LB_QUANTILE_BINS_MAX + 1] = {-INFINITY};
    for (size_t i = 0; i + 1 < t->bins.n; i++)
        edges[i + 1] = t->bins.edge[i];
    edges[t->bins.n] = INFINITY;
    t->domains = lb_domains_intervals(c, name, value, edges, t->bins.n, oracle);
    count(t, (lb_cvec){value.train, c->train.n}, t->n_train);
    count(t, (lb_cvec){value.test, c->test.n}, t->n_test);
}

void lb_strata_quantiles(lb_study *s, const lb_cohort *c, const char *name, lb_by_row value,
                         size_t k, size_t fewest_test, bool oracle, lb_strata *out)
{
    *out = (lb_strata){0};
    if (!lb_study_ok(s))
        return;
    lb_study_take(s,
                  lb_quantile_bins_make((lb_cvec){value.train, c->train.n}, k, &out->bins, s->err));
    if (!lb_study_ok(s)) {
        *out = (lb_strata){0};
        return;
    }
    const size_t first = out->bins.n;
    size_t n_test[LB_QUANTILE_BINS_MAX], joined[LB_QUANTILE_BINS_MAX] = {0};
    int merged_to[LB_QUANTILE_BINS_MAX];
    count(out, (lb_cvec){value.test, c->test.n}, n_test);
    out->any_merged = lb_quantile_bins_merge(&out->bins, n_test, fewest_test, &out->bins, merged_to,
                                             &out->merges);
    for (size_t i = 0; i < first; i++)
        out->merged[merged_to[i]] = ++joined[merged_to[i]] > 1;
    settle(c, name, value, oracle, out);
}

void lb_strata_at(lb_study *s, const lb_cohort *c, const char *name, lb_by_row value,
                  const double *edges, size_t n_edges, bool oracle, lb_strata *out)
{
    *out = (lb_strata){0};
    if (lb_study_ok(s))
        lb_study_take(s, lb_quantile_bins_at(edges, n_edges, &out->bins, s->err));
    if (lb_study_ok(s))
        settle(c, name, value, oracle, out);
    else
        *out = (lb_strata){0};
}

void lb_strata_free(lb_strata *t)
{
    lb_domains_free(&t->domains);
    lb_text_free(&t->merges);
    *t = (lb_strata){0};
}
