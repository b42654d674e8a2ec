/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/fisher.h"

#include "core/memory.h"
#include "linalg/blas.h"
#include "stats/quantile.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { K = LB_FISHER_MAX, LANES = 8, BLOCK = 256 };

/* --- information ---------------------------------------------------------------------------------
 */

/* Which element spoilt the sum: a sentence for the user. */
static lb_status blame(lb_cmat slopes, lb_cvec sigma, lb_error *err)
{
    for (size_t j = 0; j < sigma.n; j++) {
        if (!(sigma.data[j] > 0.0 && isfinite(sigma.data[j])))
            return LB_FAIL(err, LB_ENUMERIC, "information: sigma of pixel %zu is %g, must be > 0",
                           j, sigma.data[j]);
        for (size_t i = 0; i < slopes.rows; i++)
            if (!isfinite(slopes.data[i * slopes.stride + j]))
                return LB_FAIL(err, LB_ENUMERIC,
                               "information: slope of parameter %zu at pixel %zu "
                               "is %g",
                               i, j, slopes.data[i * slopes.stride + j]);
    }
    return LB_FAIL(err, LB_ENUMERIC, "information: the sum over %zu pixels overflows", sigma.n);
}

/* Slopes over sigma for pixels first .. first+n-1, the rest of a block 0; false if a sigma is bad.
 */
static bool whiten(lb_cmat slopes, const double *sigma, size_t first, size_t n, double u[K][BLOCK])
{
    double weight[BLOCK] = {0.0};
    bool good = true;
    for (size_t j = 0; j < n; j++) {
        good &= sigma[first + j] > 0.0 && sigma[first + j] < INFINITY;
        weight[j] = 1.0 / sigma[first + j];
    }
    for (size_t i = 0; i < slopes.rows; i++) {
        const double *row = slopes.data + i * slopes.stride + first;
        for (size_t j = 0; j < n; j++)
            u[i][j] = row[j] * weight[j];
        for (size_t j = n; j < BLOCK; j++)
            u[i][j] = 0.0;
    }
    return good;
}

/* lanes += a * b, by lane: a loop that vectorises and has one order of summation. */
static void add_products(const double *restrict a, const double *restrict b,
                         double lanes[restrict LANES])
{
    for (size_t j = 0; j < BLOCK; j += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes[l] += a[j + l] * b[j + l];
}

lb_status lb_fisher_information(lb_cmat slopes, lb_cvec sigma, lb_fisher *out, lb_error *err)
{
    const size_t k = slopes.rows, p = slopes.cols;
    double u[K][BLOCK], lanes[K][K][LANES] = {{{0.0}}};
    bool good = true;
    if (sigma.n != p)
        return LB_FAIL(err, LB_ESHAPE, "information: slopes are %zux%zu, sigma has %zu pixels", k,
                       p, sigma.n);
    if (k == 0 || k > K || p == 0)
        return LB_FAIL(err, LB_EINVAL,
                       "information: %zu parameters and %zu pixels; at least 1 of "
                       "each, at most %d parameters",
                       k, p, K);
    for (size_t first = 0; first < p; first += BLOCK) {
        good &= whiten(slopes, sigma.data, first, p - first < BLOCK ? p - first : BLOCK, u);
        for (size_t a = 0; a < k; a++)
            for (size_t b = 0; b <= a; b++)
                add_products(u[a], u[b], lanes[a][b]);
    }
    *out = (lb_fisher){.k = k};
    for (size_t a = 0; a < k; a++)
        for (size_t b = 0; b <= a; b++) {
            const double *s = lanes[a][b];
            const double sum = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
            out->value[a][b] = out->value[b][a] = sum;
            good &= isfinite(sum) != 0;
        }
    return good ? LB_OK : blame(slopes, sigma, err);
}

/* --- one bound -----------------------------------------------------------------------------------
 */

static lb_status check(const lb_fisher *f, const size_t *params, size_t n, const double *step,
                       lb_error *err)
{
    if (n == 0 || n > f->k)
        return LB_FAIL(err, LB_EINVAL, "bound: %zu parameters asked for, there are %zu", n, f->k);
    for (size_t i = 0; i < n; i++) {
        if (params[i] >= f->k)
            return LB_FAIL(err, LB_EINVAL, "bound: no parameter %zu, there are %zu", params[i],
                           f->k);
        if (step && !(step[params[i]] > 0.0 && isfinite(step[params[i]])))
            return LB_FAIL(err, LB_EINVAL, "bound: step of parameter %zu is %g, must be > 0",
                           params[i], step[params[i]]);
        for (size_t j = 0; j < i; j++)
            if (params[i] == params[j])
                return LB_FAIL(err, LB_EINVAL, "bound: parameter %zu comes twice", params[i]);
        for (size_t j = 0; j <= i; j++)
            if (!isfinite(f->value[params[i]][params[j]]))
                return LB_FAIL(err, LB_ENUMERIC, "bound: information (%zu, %zu) is %g", params[i],
                               params[j], f->value[params[i]][params[j]]);
    }
    return LB_OK;
}

/* out = the information of params[0 .. n-1] with row and column i multiplied by scale[i]. */
static lb_mat scaled(const lb_fisher *f, const size_t *params, size_t n, const double *scale,
                     double room[K * K])
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            room[i * n + j] = f->value[params[i]][params[j]] * scale[i] * scale[j];
    return lb_mat_of(room, n, n);
}

static lb_status condition(const lb_fisher *f, const size_t *params, size_t n, const double *step,
                           double *out, lb_error *err)
{
    double room[K * K], values[K], scale[K];
    for (size_t i = 0; i < n; i++)
        scale[i] = step ? step[params[i]] : 1.0;
    const lb_status st =
        lb_eigen_symmetric(scaled(f, params, n, scale, room), (lb_vec){values, n}, err);
    if (st == LB_OK) /* below the rounding of the largest, the smallest is 0 */
        *out = values[0] > (double)n * DBL_EPSILON * values[n - 1] ? values[n - 1] / values[0]
                                                                   : INFINITY;
    return st;
}

/*
 * Share of the information on params[0] that the others can imitate: rho^2 = r' R^-1 r with R and r
 * the information matrix at unit diagonal. By the eigenvalues of R, so that a singular one has its
 * pseudo-inverse. A parameter without any effect has a row of zeros, hence an eigenvalue 0.
 */
static lb_status imitated(const lb_fisher *f, const size_t *params, size_t n, double *rho2,
                          bool *singular, lb_error *err)
{
    double room[K * K], values[K], scale[K], r[K];
    for (size_t i = 0; i < n; i++) {
        const double diagonal = f->value[params[i]][params[i]];
        scale[i] = diagonal > 0.0 ? 1.0 / sqrt(diagonal) : 0.0;
    }
    *rho2 = 0.0;
    *singular = false;
    if (n == 1)
        return LB_OK;
    for (size_t i = 1; i < n; i++)
        r[i - 1] = f->value[params[0]][params[i]] * scale[0] * scale[i];
    const lb_mat vectors = scaled(f, params + 1, n - 1, scale + 1, room);
    const lb_status st = lb_eigen_symmetric(vectors, (lb_vec){values, n - 1}, err);
    if (st != LB_OK)
        return st;
    for (size_t e = 0; e < n - 1; e++) {
        double along = 0.0;
        for (size_t i = 0; i < n - 1; i++)
            along += vectors.data[e * (n - 1) + i] * r[i];
        if (values[e] > LB_FISHER_SINGULAR)
            *rho2 += along * along / values[e];
        else
            *singular = true;
    }
    return LB_OK;
}

lb_status lb_fisher_bound(const lb_fisher *f, const size_t *params, size_t n, const double *step,
                          lb_bound *out, lb_error *err)
{
    lb_bound b = {0};
    double rho2 = 0.0;
    lb_status st = check(f, params, n, step, err);
    if (st == LB_OK)
        st = condition(f, params, n, step, &b.condition, err);
    if (st == LB_OK)
        st = imitated(f, params, n, &rho2, &b.singular, err);
    if (st != LB_OK)
        return st;
    b.information = f->value[params[0]][params[0]];
    const double left = 1.0 - rho2 > LB_FISHER_SINGULAR ? 1.0 - rho2 : 0.0;
    b.decay = b.information > 0.0 ? left : NAN;
    b.effective = b.information * left;
    b.crlb = 1.0 / b.effective; /* infinite where nothing is left */
    b.sigma_min = sqrt(b.crlb);
    *out = b;
    return LB_OK;
}

lb_bound lb_bound_rescaled(lb_bound b, double factor)
{
    b.information /= factor * factor;
    b.effective /= factor * factor;
    b.crlb *= factor * factor;
    b.sigma_min *= factor;
    return b;
}

double lb_bound_r2(const lb_bound *b, double variance)
{
    return variance > 0.0 ? fmax(0.0, fmin(1.0, 1.0 - b->crlb / variance)) : NAN;
}

/* --- many points ---------------------------------------------------------------------------------
 */

/* lb_quantile() where the top may be infinite: infinity minus infinity is no distance. */
static double quantile(const double *sorted, size_t n, double q)
{
    const double position = q * (double)(n - 1);
    const size_t i = (size_t)position;
    if (i + 1 >= n || isfinite(sorted[i + 1]))
        return lb_quantile(sorted, n, q);
    return (double)i == position ? sorted[i] : INFINITY;
}

/* Sorts @p x. */
static lb_spread spread(double *x, size_t n)
{
    if (n == 0)
        return (lb_spread){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    const double mean = lb_mean(x, n), std = lb_std(x, n, 0); /* in the order of the points */
    lb_sort(x, n);
    return (lb_spread){
        x[0], quantile(x, n, 0.1), quantile(x, n, 0.5), quantile(x, n, 0.9), x[n - 1], mean, std};
}

lb_status lb_bounds_summarise(const lb_bound *b, size_t n, double variance, lb_bound_summary *out,
                              lb_error *err)
{
    lb_bound_summary s = {.n = n};
    size_t used = 0, informed = 0, zero = 0;
    if (n == 0 || !(variance > 0.0 && isfinite(variance)))
        return LB_FAIL(err, LB_EINVAL, "a summary of %zu bounds with variance %g; both must be > 0",
                       n, variance);
    double *room = lb_xcalloc(5 * n, sizeof *room);
    double *r2 = room, *crlb = r2 + n, *sigma = crlb + n, *decay = sigma + n, *cond = decay + n;
    for (size_t i = 0; i < n; i++) {
        if (isnan(b[i].crlb) || isnan(b[i].condition)) {
            free(room);
            return LB_FAIL(err, LB_EINVAL, "bound %zu of %zu is NaN", i, n);
        }
        if (b[i].singular)
            continue;
        r2[used] = lb_bound_r2(&b[i], variance);
        zero += r2[used] == 0.0;
        crlb[used] = b[i].crlb;
        sigma[used] = b[i].sigma_min;
        cond[used++] = b[i].condition;
        if (b[i].information > 0.0)
            decay[informed++] = b[i].decay;
    }
    s.failed = n - used;
    s.r2 = spread(r2, used);
    s.r2_zero = (double)zero / (double)used;
    s.crlb = spread(crlb, used);
    s.r2_dataset = 1.0 - s.crlb.mean / variance;
    s.crlb_decades = log10(s.crlb.max / s.crlb.min);
    s.sigma_min = spread(sigma, used);
    s.decay = spread(decay, informed);
    s.condition = spread(cond, used);
    free(room);
    if (used == 0)
        return LB_FAIL(err, LB_ENUMERIC,
                       "all %zu points are singular: their nuisance parameters "
                       "cannot be told apart",
                       n);
    *out = s;
    return LB_OK;
}

/* --- a sweep -------------------------------------------------------------------------------------
 */

static lb_status check_sweep(lb_cvec snr, lb_cvec median, double level, lb_error *err)
{
    if (snr.n != median.n)
        return LB_FAIL(err, LB_ESHAPE, "%zu signal-to-noise ratios, %zu medians", snr.n, median.n);
    if (snr.n == 0 || !(level >= 0.0 && level <= 1.0))
        return LB_FAIL(err, LB_EINVAL,
                       "a sweep of %zu points to cross %g; at least one, and a "
                       "level of 0 to 1",
                       snr.n, level);
    for (size_t i = 0; i < snr.n; i++) {
        if (!(snr.data[i] > 0.0 && isfinite(snr.data[i]) && median.data[i] >= 0.0 &&
              median.data[i] <= 1.0))
            return LB_FAIL(err, LB_EINVAL, "sweep: SNR %g with median R2_max %g at point %zu",
                           snr.data[i], median.data[i], i);
        const bool up = snr.n > 1 && snr.data[1] > snr.data[0];
        if (i > 0 && !(up ? snr.data[i] > snr.data[i - 1] : snr.data[i] < snr.data[i - 1]))
            return LB_FAIL(err, LB_EINVAL,
                           "sweep: SNR %g follows %g; it must rise or fall "
                           "throughout",
                           snr.data[i], snr.data[i - 1]);
    }
    return LB_OK;
}

lb_status lb_bound_critical_snr(lb_cvec snr, lb_cvec median, double level, lb_number *critical,
                                lb_number *cliff, lb_error *err)
{
    const lb_status st = check_sweep(snr, median, level, err);
    if (st != LB_OK)
        return st;
    const size_t n = snr.n;
    const bool up = n > 1 && snr.data[1] > snr.data[0];
    *critical = lb_number_na("snr", "n/a (above it everywhere)");
    *cliff = lb_number_na("snr", "n/a (never 0)");
    bool crossed = false, dark = false;
    for (size_t t = 0; t < n; t++) { /* from the largest SNR down */
        const size_t i = up ? n - 1 - t : t, before = up ? i + 1 : i - 1;
        const double m = median.data[i];
        if (!dark && m == 0.0)
            *cliff = lb_number_plain(snr.data[i], "snr", "");
        dark |= m == 0.0;
        if (crossed || m > level)
            continue;
        crossed = true;
        if (m == level)
            *critical = lb_number_plain(snr.data[i], "snr", "");
        else if (t == 0)
            *critical = lb_number_na("snr", "n/a (never reached)");
        else {
            const double share = (level - m) / (median.data[before] - m);
            const double low = log(snr.data[i]), high = log(snr.data[before]);
            *critical = lb_number_plain(exp(low + share * (high - low)), "snr", "");
        }
    }
    return LB_OK;
}

/* --- health --------------------------------------------------------------------------------------
 */

lb_status lb_fisher_check_axis(const char *name, lb_cvec values, lb_axis_check *out, lb_error *err)
{
    lb_axis_check c = {.distinct = 1, .step = NAN, .irregularity = NAN};
    if (values.n == 0)
        return LB_FAIL(err, LB_EINVAL, "%s: no points", name);
    for (size_t i = 0; i < values.n; i++)
        if (!isfinite(values.data[i]))
            return LB_FAIL(err, LB_ENUMERIC, "%s is %g at point %zu", name, values.data[i], i);
    double *x = lb_xcalloc(values.n, sizeof *x);
    memcpy(x, values.data, values.n * sizeof *x);
    lb_sort(x, values.n);
    const double same = 1e-9 * (x[values.n - 1] - x[0]);
    for (size_t i = 1; i < values.n; i++)
        if (x[i] - x[c.distinct - 1] > same)
            x[c.distinct++] = x[i];
    for (size_t i = 0; i + 1 < c.distinct; i++) /* steps in place */
        x[i] = x[i + 1] - x[i];
    if (c.distinct > 1) {
        const size_t n = c.distinct - 1;
        const double std = lb_std(x, n, 0);
        lb_sort(x, n);
        c.step = lb_quantile(x, n, 0.5);
        c.irregularity = std / c.step;
        c.regular = c.irregularity < 0.1;
    }
    free(x);
    if (c.distinct > LB_FISHER_MOST_VALUES)
        return LB_FAIL(err, LB_EINVAL,
                       "%s has %zu distinct values in %zu points, at most %d on a "
                       "grid: these are not grid points",
                       name, c.distinct, values.n, LB_FISHER_MOST_VALUES);
    *out = c;
    return LB_OK;
}

lb_status lb_fisher_efficiency(const lb_number *r2, double ceiling, lb_number *out, lb_error *err)
{
    if (strcmp(r2->kind, "r2") || !(ceiling >= 0.0 && ceiling <= 1.0))
        return LB_FAIL(err, LB_EINVAL,
                       "efficiency of a '%s' under a ceiling of %g; must be an r2 "
                       "and 0 to 1",
                       r2->kind, ceiling);
    *out = *r2;
    snprintf(out->kind, sizeof out->kind, "ratio");
    out->p_above = NAN;
    if (r2->na[0])
        return LB_OK;
    if (ceiling == 0.0) {
        out->value = out->ci_lo = out->ci_hi = out->se = NAN;
        snprintf(out->na, sizeof out->na, "n/a (ceiling is 0)");
        return LB_OK;
    }
    out->value /= ceiling;
    out->ci_lo /= ceiling;
    out->ci_hi /= ceiling;
    out->se /= ceiling;
    return LB_OK;
}
