/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STATS_FISHER_H
#define LB_STATS_FISHER_H

#include "core/error.h"
#include "core/number.h"
#include "linalg/mat.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * What a spectrum can tell about one parameter: Fisher information, the Cramer-Rao bound with the
 * other parameters unknown, and the R2 no unbiased estimator exceeds.
 *
 * Model: pixels x[j] = mu[j](theta) + sigma[j] z[j], z independent N(0, 1), sigma known (what sigma
 * itself might tell about theta is not counted). Then, with J[j][i] = d mu[j] / d theta[i],
 *   I       = J' diag(1 / sigma^2) J
 *   I_eff   = I_gg - I_gn I_nn^-1 I_ng     g the parameter asked for, n the nuisance parameters
 *   CRLB    = 1 / I_eff                    variance of an unbiased estimator of g is at least this
 *   decay   = I_eff / I_gg                 what the nuisance parameters leave of the information
 *   R2_max  = clip(1 - CRLB / Var(g), 0, 1)
 * Sources: Rao, Linear Statistical Inference and Its Applications, 2nd ed., sec. 5a.3; the Schur
 * complement: Boyd & Vandenberghe, Convex Optimization, sec. A.5.5.
 *
 * The bound holds for unbiased estimators. A regressor that knows the range of g may do better when
 * the signal is weak, so R2_max = 0 says "no unbiased estimator", not "impossible".
 *
 * Example: the bound on log g at one star, T_eff and [M/H] unknown, then with errors twice as big.
 *   lb_fisher info;
 *   lb_bound b;
 *   const size_t logg_first[] = {1, 0, 2};              rows of slopes: T_eff, log g, [M/H]
 *   const double step[] = {250.0, 0.5, 0.5};
 *   lb_fisher_information(slopes, sigma, &info, err);   slopes (3, p), sigma (p)
 *   lb_fisher_bound(&info, logg_first, 3, step, &b, err);
 *   b = lb_bound_rescaled(b, 2.0);                      b.crlb is now four times as large
 *   const double ceiling = lb_bound_r2(&b, 5.0 / 3.0);  1.6667 dex^2: nine values 1 ... 5
 */
enum {
    LB_FISHER_MAX = 8,         /* parameters at most */
    LB_FISHER_MOST_VALUES = 64 /* of a parameter on a grid, at most */
};

/** Correlation between parameters, 1 - rho^2, below which they count as one and the same. */
#define LB_FISHER_SINGULAR 1e-12

/** Information matrix of k parameters, symmetric; value[i][j] in 1 / (unit of i x unit of j). */
typedef struct lb_fisher {
    size_t k;
    double value[LB_FISHER_MAX][LB_FISHER_MAX];
} lb_fisher;

/**
 * Information in one spectrum.
 * @param slopes  (k, p): row i is d mu / d theta[i], so this is J'; unit of flux per unit of theta
 * @param sigma   (p) standard deviation of each pixel, unit of flux, > 0
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (no parameter, no pixel, k > LB_FISHER_MAX); LB_ENUMERIC (NaN
 *         or infinity, or sigma not positive: parameter and pixel are named; a sum that overflows)
 * Cost: k (k + 1) / 2 passes over p. On one thread, the same bits on every machine.
 */
lb_status lb_fisher_information(lb_cmat slopes, lb_cvec sigma, lb_fisher *out, lb_error *err);

/** The bound on one parameter at one point. */
typedef struct lb_bound {
    double information;     /* I_gg, 1 / unit^2 */
    double effective;       /* I_eff, likewise; 0 if nothing is left */
    double crlb, sigma_min; /* 1 / I_eff, unit^2, and its root; infinite if nothing is left */
    double decay;           /* I_eff / I_gg, 0 to 1; NAN if I_gg is 0 */
    double condition;       /* of the matrix used, in units of the steps; infinite if singular */
    bool singular;          /* the nuisance parameters cannot be told apart: I_nn^-1 became the
                               pseudo-inverse, which gives the bound for what can be told */
} lb_bound;

/**
 * The bound on params[0] with params[1 .. n-1] unknown; parameters not listed are known. So {1},
 * {1, 0} and {1, 0, 2} show what each nuisance parameter costs.
 *
 * The matrix is brought to unit diagonal before it is inverted, so I_eff depends on neither steps
 * nor units. Less than LB_FISHER_SINGULAR of the information left counts as none.
 * @param params  n different numbers below f->k
 * @param step    (f->k) typical steps of the parameters, > 0: the units of the condition number;
 *                NULL takes 1
 * @return LB_OK; LB_EINVAL (n = 0, a number that is no parameter or comes twice, a step not > 0);
 *         LB_ENUMERIC (NaN or infinity in @p f)
 */
lb_status lb_fisher_bound(const lb_fisher *f, const size_t *params, size_t n, const double *step,
                          lb_bound *out, lb_error *err);

/** The same point with every error multiplied by @p factor > 0: CRLB x factor^2. */
lb_bound lb_bound_rescaled(lb_bound b, double factor);

/** R2_max of one point; NAN unless @p variance > 0. */
double lb_bound_r2(const lb_bound *b, double variance);

/** One quantity over the points; quantiles as in stats/quantile.h, std with divisor n. An infinite
 * value takes its place at the top, and makes mean infinite and std NAN. */
typedef struct lb_spread {
    double min, p10, median, p90, max, mean, std;
} lb_spread;

/** Many points at one signal to noise. */
typedef struct lb_bound_summary {
    size_t n, failed;    /* points, and singular ones among them, left out of all that follows */
    lb_spread r2;        /* local values, clipped to 0 ... 1 */
    double r2_zero;      /* share of points with R2_max = 0 */
    double r2_dataset;   /* 1 - mean(CRLB) / Var, not clipped: the bound on a pooled R2, which the
                            median of local values is not; -infinity if a point is blind */
    lb_spread crlb;      /* unit^2 */
    double crlb_decades; /* log10(max / min) of the CRLB: 20 means a broken derivative */
    lb_spread sigma_min; /* unit */
    lb_spread decay;     /* over points with I_gg > 0; NAN if there is none */
    lb_spread condition;
} lb_bound_summary;

/**
 * @param b         n bounds, n > 0
 * @param variance  population variance of the parameter over the points, > 0
 * @return LB_OK; LB_EINVAL (n = 0, variance not > 0, NaN in a bound); LB_ENUMERIC if every point is
 *         singular
 */
lb_status lb_bounds_summarise(const lb_bound *b, size_t n, double variance, lb_bound_summary *out,
                              lb_error *err);

/**
 * The signal to noise at which the median R2_max crosses @p level, between the two neighbours,
 * linear in log SNR; and the cliff, the largest SNR whose median is 0.
 * @param snr       (n) > 0, increasing or decreasing: a sweep in the order it was made
 * @param median    (n) at each
 * @param critical  out, kind "snr"; the crossing at the largest SNR if there are several. "n/a
 * (above it everywhere)"; "n/a (never reached)" where the largest SNR is below it
 * @param cliff     out, kind "snr"; "n/a (never 0)"
 * The caller puts the definition of SNR into the protocol of both.
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (n = 0, SNR not > 0 or not monotone, a median that is not
 *         within 0 ... 1, level not within 0 ... 1)
 */
lb_status lb_bound_critical_snr(lb_cvec snr, lb_cvec median, double level, lb_number *critical,
                                lb_number *cliff, lb_error *err);

/** One parameter of a set of points. */
typedef struct lb_axis_check {
    size_t distinct;     /* values, those closer than 1e-9 of the range counted once */
    double step;         /* median distance of neighbours; NAN with one value */
    double irregularity; /* std(step) / median(step), divisor n; NAN with one value */
    bool regular;        /* at least two values and irregularity < 0.1 */
} lb_axis_check;

/**
 * Are the points a grid? Differences along an axis mean something only if its values come back in
 * point after point; random labels look like an axis with as many values as points.
 * @param name    of the parameter, for the message
 * @param values  (n) its value at each point
 * @return LB_OK; LB_EINVAL (n = 0, or more than LB_FISHER_MOST_VALUES distinct ones); LB_ENUMERIC
 */
lb_status lb_fisher_check_axis(const char *name, lb_cvec values, lb_axis_check *out, lb_error *err);

/** R2 / R2_max, kind "ratio", on the rows of @p r2; "n/a (ceiling is 0)". LB_EINVAL unless r2 is of
 * kind r2 and the ceiling within 0 ... 1. */
lb_status lb_fisher_efficiency(const lb_number *r2, double ceiling, lb_number *out, lb_error *err);

#endif
