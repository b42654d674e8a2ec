/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_LIMIT_H
#define LB_STUDY_LIMIT_H

#include "study/ceiling.h"
#include "study/study.h"

/**
 * What the spectra of a cohort's own test stars can tell about log g at most, star by star: the
 * ceiling that belongs beside the scores of models on these rows. Slopes from the spline of the
 * embedded grid at the true labels of each star, errors scaled to its measured |flux| / |error|.
 *
 * Two of them, since they answer different questions:
 *   unbiased   the Cramer-Rao bound, T_eff and [M/H] unknown: no unbiased estimator does better;
 *   posterior  what is left of the variance of log g when the three labels are known beforehand to
 *              scatter as those of the test stars do (Gaussian, independent): the inverse of
 *              information + diag(1 / variance). A guide for estimators that know the range of the
 *              labels, as every regressor trained on them does; not a bound.
 *
 *   lb_limit limit;
 *   lb_limit_make(s, &s->data, 1.0, &limit);
 *   lb_rowset *faint = lb_limit_stratum(&s->data, &limit, "faint", 0.0, 4.0);
 *   lb_limit_share share;
 *   lb_limit_of(s, &s->data, &limit, faint, &share);       share.prior beside a model's R2
 */
typedef struct lb_limit {
    size_t n, n_inside;  /* test rows; those inside the box of the grid. Others have no limit */
    double level;        /* of the noise */
    double *snr_pixel;   /* [n] median of flux / error over the grid's own pixels, not averaged */
    lb_bound *unbiased;  /* [n] on log g */
    double *posterior;   /* [n] dex^2; NAN outside the box */
    bool *inside;        /* [n] */
    double snr_mismatch; /* largest relative difference between |flux| / |error| as measured and as
                            the magnitude of the row has it; NAN if there is no magnitude */
} lb_limit;

/**
 * @param level  > 0
 * Sticky in @p s: after a failure @p out is zero. Pixels that are averages of r neighbours of the
 * grid's get the ceiling of such averages.
 */
void lb_limit_make(lb_study *s, const lb_cohort *c, double level, lb_limit *out);
void lb_limit_free(lb_limit *l); /* zeroed is fine */

/** The test rows inside the box with lo < snr_pixel <= hi; freed by the caller, may be empty. */
lb_rowset *lb_limit_stratum(const lb_cohort *c, const lb_limit *l, const char *name, double lo,
                            double hi);

/** The limits of some test rows together, all against the variance of log g over these rows. */
typedef struct lb_limit_share {
    size_t n;
    double snr_median;
    double variance;       /* dex^2, divisor n */
    lb_bound_summary each; /* each.r2.median: half the stars can do no better, unbiased;
                              each.r2_dataset: the bound on a pooled R2 */
    double prior;          /* 1 - mean(posterior) / variance */
} lb_limit_share;

/** @p rows inside the box, at least two with different log g. Sticky in @p s. */
void lb_limit_of(lb_study *s, const lb_cohort *c, const lb_limit *l, const lb_rowset *rows,
                 lb_limit_share *out);

#endif
