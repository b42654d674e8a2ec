/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_STRATA_H
#define LB_STUDY_STRATA_H

#include "data/quantile_bins.h"
#include "study/moe.h"

/**
 * Rows in layers of one value, a label or what a model says of it, from the smallest to the
 * largest: every row of every set has a layer, the outer ones are open to infinity.
 *
 *   lb_by_row mh = {c->train.mh, c->val.mh, c->test.mh};
 *   lb_strata_quantiles(s, c, "K = 3", mh, 3, 30, true, &layers);
 *   lb_moe_fit(s, c, level, seeds, &layers.domains, 1, &moe);
 */
typedef struct lb_strata {
    lb_quantile_bins bins;
    lb_domains domains; /* one expert a layer */
    size_t n_train[LB_QUANTILE_BINS_MAX], n_test[LB_QUANTILE_BINS_MAX];
    bool merged[LB_QUANTILE_BINS_MAX]; /* made of more than one of the layers first cut */
    bool any_merged;
    lb_text merges; /* what was merged and why, "" if nothing was */
} lb_strata;

/**
 * Layers of equal counts: edges at the quantiles of the training values; a layer with fewer than
 * @p fewest_test test rows joins its smaller neighbour (lb_quantile_bins_merge()).
 * @param name    of the domains, borrowed
 * @param k       layers asked for; ties may leave fewer
 * @param oracle  the test values are true labels
 * Sticky in @p s: after a failure @p out is zero.
 */
void lb_strata_quantiles(lb_study *s, const lb_cohort *c, const char *name, lb_by_row value,
                         size_t k, size_t fewest_test, bool oracle, lb_strata *out);

/** Layers by hand: @p n_edges inner edges. Nothing is merged. */
void lb_strata_at(lb_study *s, const lb_cohort *c, const char *name, lb_by_row value,
                  const double *edges, size_t n_edges, bool oracle, lb_strata *out);
void lb_strata_free(lb_strata *t); /* zeroed is fine */

/** The layer of each value of another array; freed by the caller. */
int *lb_strata_deal(const lb_strata *t, lb_cvec value);

#endif
