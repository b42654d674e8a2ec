/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STATS_BOOTSTRAP_H
#define LB_STATS_BOOTSTRAP_H

#include "core/error.h"
#include "core/number.h"
#include "stats/score.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Paired multinomial bootstrap of R2: every draw takes n of the n rows with replacement, the same
 * for all models, and R2 is recomputed with the mean of the resample. Draw d uses the counter-based
 * stream (seed, d), so the thread count does not change a bit. A resample whose target has no
 * variance is drawn again from the same stream, and counted.
 *
 * Intervals are percentile intervals (default 95 %: the 2.5 and 97.5 percentiles by
 * stats/quantile.h) or BCa, the standard error is the standard deviation of the draws (ddof 1), the
 * value is the estimate on all rows. An estimate outside its own interval is an error, never
 * printed.
 * Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), ch. 6, 13 and 14.
 * Cost: O(draws * n * models); 1,000 draws of 10,000 rows for ten models well under 0.3 s.
 *
 * Everything is about models on one row set, and everything is a statistic of their R2: one of them
 * (lb_bootstrap_r2), a difference (_delta), a mean or a contrast of several (_combination), a ratio
 * of two of these (_share, _retention, _ratio). Two noise levels of the same stars are two models
 * on the same rows, so a mean over levels is a combination, and a star has all its levels in a draw
 * or none. For example, with experts at five levels in models 0-4 and the mixed model in 5-9:
 *
 *   lb_bootstrap *b;
 *   lb_bootstrap_new(outcomes, 10, 1000, seed, &b, err);
 *   const double gain[] = {.2, .2, .2, .2, .2, -.2, -.2, -.2, -.2, -.2};
 *   lb_bootstrap_combination(b, gain, 10, 0.03, &x, err);       // mean gain, interval, P(> 0.03)
 *
 * Means over seeds go the same way; their spread is stats/seeds.h.
 */
typedef struct lb_bootstrap lb_bootstrap;

/**
 * @param models  m >= 1 outcomes on one row set; copied as far as needed
 * @param draws   at least 2
 * @return LB_OK; LB_EROWS naming both sets when two models were scored on different rows; LB_EINVAL
 *         (no model, draws < 2, targets that differ between models); LB_ESHAPE; LB_ENUMERIC (NaN)
 *         With n < 2 or no target variance at all, every number of it is n/a with that reason.
 */
lb_status lb_bootstrap_new(const lb_outcome *models, size_t m, size_t draws, uint64_t seed,
                           lb_bootstrap **out, lb_error *err);

/** How to resample when the rows are not one prediction each, independent of each other. */
typedef struct lb_bootstrap_plan {
    size_t draws; /* as above */
    uint64_t seed;
    /**
     * Predictions a model has for each row, one per draw of a random input such as the gate's
     * noise; 0 means 1. Column r of model k is outcome k * columns + r; a model without such noise
     * gives its outcome for every column. The value of a model is the mean of its columns' R2; a
     * resample picks rows as ever and one column, the same for all models (draw d of the stream
     * (seed, 2^63 + d)). So an interval says what one realisation of the noise may give, and is
     * wider than that of the mean over columns, which is a combination with weights 1 / columns of
     * the columns given as models.
     */
    size_t columns;
    /**
     * Label of every row, in the order of the row set, or NULL. Rows with one label are drawn
     * together: as many clusters as there are, with replacement, each with all its rows. Labels do
     * not enter the identity of the row set; "n" of the numbers stays the number of rows. With each
     * row its own cluster the bits are those without clusters. Rows that stand for stars at several
     * noise levels, numbered by star: cluster = lb_rowset_index(rows). A single cluster: n/a.
     */
    const size_t *cluster;
} lb_bootstrap_plan;

/**
 * @param models  m * columns outcomes on one row set, see the plan
 * @return as lb_bootstrap_new()
 */
lb_status lb_bootstrap_new_plan(const lb_outcome *models, size_t m, lb_bootstrap_plan plan,
                                lb_bootstrap **out, lb_error *err);
void lb_bootstrap_free(lb_bootstrap *b); /* NULL is fine */

/** Coverage of the intervals, 0 < level < 1; 0.95 unless set. LB_EINVAL. */
lb_status lb_bootstrap_set_level(lb_bootstrap *b, double level, lb_error *err);

/**
 * Where the draws are cut. BCa moves the percentiles by the bias of the draws (z0, ties counting
 * half) and by the skewness of the jackknife over rows, or clusters (the acceleration):
 *   alpha' = Phi(z0 + (z0 + z) / (1 - a (z0 + z))),  z = Phi^-1(alpha),
 *   a = sum u^3 / (6 (sum u^2)^1.5),  u_i = mean of the leave-one-out values - value without i.
 * Source: Efron 1987, JASA 82, 171; Efron & Tibshirani 1993, eq. 14.10, 14.14 and 14.15.
 * A value that does not vary over the draws has the percentile interval. Numbers of a bootstrap are
 * LB_ENUMERIC under BCa when a row (cluster) is left out and the target does not vary without it,
 * or when a (z0 + z) reaches 1.
 */
typedef enum lb_interval { LB_INTERVAL_PERCENTILE, LB_INTERVAL_BCA } lb_interval;
void lb_bootstrap_set_interval(lb_bootstrap *b, lb_interval kind); /* percentile unless set */

/** Gain below which no ratio of gains is printed unless the spec says otherwise (specification
 * 0.6). */
#define LB_SMALLEST_GAIN 0.01
/** What is printed instead of such a ratio; and where only the size of the gain is asked for. */
#define LB_NA_DENOMINATOR "n/a (denominator not distinguishable from 0)"
#define LB_NA_HEADROOM "n/a (undefined: no headroom)"

/**
 * When a gain is large enough to divide by. Below @c least there is no ratio; a gain whose interval
 * reaches zero gives none either if it must be @c real, else a value without interval. The strict
 * rule, LB_SMALLEST_GAIN and real, holds unless set. (E11 to E22 ask for 0.005 and nothing of the
 * interval.) A ratio that is not given says LB_NA_DENOMINATOR under the strict rule,
 * LB_NA_HEADROOM under the other.
 */
typedef struct lb_headroom {
    double least;
    bool real;
} lb_headroom;
void lb_bootstrap_set_headroom(lb_bootstrap *b, lb_headroom h);

size_t lb_bootstrap_draws(const lb_bootstrap *b);
size_t lb_bootstrap_redrawn(const lb_bootstrap *b); /* resamples without target variance */

/* Models are named by their position in the array given to lb_bootstrap_new(). All return LB_OK;
 * LB_EINVAL (no such model); LB_ENUMERIC when the estimate lies outside its interval. */

lb_status lb_bootstrap_r2(const lb_bootstrap *b, size_t i, lb_number *out, lb_error *err);

/** R2 of i minus R2 of j, kind "delta_r2"; p_above = share of draws strictly above @p threshold.
 * Every difference also has the mean of its draws, a look at the bias, and P(delta > 0). */
lb_status lb_bootstrap_delta(const lb_bootstrap *b, size_t i, size_t j, double threshold,
                             lb_number *out, lb_error *err);

/**
 * sum of weights[k] * R2 of k. Weights that add up to 1 make a mean, kind "r2"; to 0 a contrast,
 * kind "delta_r2": a mean of differences, a difference of differences. p_above as above. Marked
 * as an oracle's if a model with a weight is one.
 * @param weights  (n), n = number of models, finite, not all zero
 * @return also LB_ESHAPE; LB_EINVAL for any other sum
 */
lb_status lb_bootstrap_combination(const lb_bootstrap *b, const double *weights, size_t n,
                                   double threshold, lb_number *out, lb_error *err);

/**
 * (i - j) / (k - j), kind "share" or "retention", if the gain of k over j leaves room for it, see
 * lb_headroom. Draws in which the denominator is not positive are left out of the interval: fewer
 * than the tail that the interval cuts, since a gain whose own interval reaches zero gives a ratio
 * without interval (the ratio of two uncertain numbers is then unbounded: Fieller 1954, J. R. Stat.
 * Soc. B 16, 175). How often the denominator is small is 1 - p_above of its own delta.
 */
lb_status lb_bootstrap_share(const lb_bootstrap *b, size_t i, size_t j, size_t k, lb_number *out,
                             lb_error *err);
lb_status lb_bootstrap_retention(const lb_bootstrap *b, size_t method, size_t global, size_t oracle,
                                 lb_number *out, lb_error *err);

/** Two combinations divided, kind "ratio": a gain at one noise level over that at another. The rule
 * for the denominator is that of the share. Weights as lb_bootstrap_combination(), @p n each. */
lb_status lb_bootstrap_ratio(const lb_bootstrap *b, const double *top, const double *bottom,
                             size_t n, lb_number *out, lb_error *err);

/** The draws themselves, in order of drawing: lb_bootstrap_draws() values, NAN when n/a. Weights
 * have one entry a model; a ratio is NAN where its denominator is not positive, and @p bottom NULL
 * stands for 1. */
void lb_bootstrap_draws_r2(const lb_bootstrap *b, size_t i, double *out);
void lb_bootstrap_draws_delta(const lb_bootstrap *b, size_t i, size_t j, double *out);
void lb_bootstrap_draws_ratio(const lb_bootstrap *b, const double *top, const double *bottom,
                              double *out);

#endif
