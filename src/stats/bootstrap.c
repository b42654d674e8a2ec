/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/bootstrap.h"

#include "core/memory.h"
#include "core/random.h"
#include "stats/quantile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lb_bootstrap {
    size_t n, m, draws, redrawn;
    uint64_t seed;
    double level;
    char rows[LB_HASH_SIZE];
    char reason[48];  /* why there is nothing to resample, or "" */
    bool *oracle;     /* m */
    double *estimate; /* m: R2 on all rows */
    double *drawn;    /* m x draws: R2 of each draw */
};

static lb_status check(const lb_outcome *models, size_t m, size_t draws, lb_error *err)
{
    if (!m || draws < 2)
        return LB_FAIL(err, LB_EINVAL, "a bootstrap of %zu models with %zu draws", m, draws);
    for (size_t k = 0; k < m; k++) {
        lb_status st = lb_outcome_check(&models[k], err);
        if (st == LB_OK)
            st = lb_rowset_require_same("a paired bootstrap", lb_rowset_hash(models[0].rows),
                                        lb_rowset_size(models[0].rows),
                                        lb_rowset_hash(models[k].rows),
                                        lb_rowset_size(models[k].rows), err);
        if (st != LB_OK)
            return st;
        for (size_t i = 0; i < models[0].y.n; i++)
            if (models[k].y.data[i] != models[0].y.data[i])
                return LB_FAIL(err, LB_EINVAL,
                               "models 0 and %zu are scored on the same rows but on different "
                               "targets: %g and %g in row %zu",
                               k, models[0].y.data[i], models[k].y.data[i],
                               lb_rowset_index(models[0].rows)[i]);
    }
    return LB_OK;
}

/* One line per row: (y - ybar, (y - ybar)^2, e_0^2 .. e_{m-1}^2), gathered together. */
static double *cache(const lb_outcome *models, size_t m)
{
    const size_t n = models[0].y.n, width = m + 2;
    const double ybar = lb_mean(models[0].y.data, n);
    double *lines = lb_xaligned(n * width, sizeof *lines);
    for (size_t i = 0; i < n; i++) {
        const double d = models[0].y.data[i] - ybar;
        lines[i * width] = d;
        lines[i * width + 1] = d * d;
        for (size_t k = 0; k < m; k++) {
            const double e = models[k].y.data[i] - models[k].yhat.data[i];
            lines[i * width + 2 + k] = e * e;
        }
    }
    return lines;
}

/* Total sum of squares of the picked rows around their own mean, by two passes: exactly 0 when all
 * targets are equal. The one-pass form below cannot tell that from rounding. */
static double total_two_pass(const double *lines, size_t width, const size_t *picked, size_t n)
{
    const double first = lines[picked[0] * width];
    double mean = 0.0, total = 0.0;
    for (size_t i = 0; i < n; i++)
        mean += lines[picked[i] * width] - first;
    mean /= (double)n;
    for (size_t i = 0; i < n; i++) {
        const double d = lines[picked[i] * width] - first - mean;
        total += d * d;
    }
    return total;
}

/* One accepted resample: R2 of each model into r2[k * stride]. Returns how often it was redrawn. */
static size_t draw(const double *lines, size_t n, size_t m, lb_rng rng, size_t *picked, double *sum,
                   double *r2, size_t stride)
{
    const size_t width = m + 2;
    for (size_t redrawn = 0;; redrawn++) {
        /* 1. n rows with replacement; sums of d, d^2 and every model's e^2. */
        memset(sum, 0, width * sizeof *sum);
        for (size_t i = 0; i < n; i++) {
            picked[i] = lb_rng_below(&rng, n);
            const double *line = lines + picked[i] * width;
            for (size_t k = 0; k < width; k++)
                sum[k] += line[k];
        }
        /* 2. Variance around the mean of the resample; look closer when the digits cancel. */
        double total = sum[1] - sum[0] * sum[0] / (double)n;
        if (!(total > 1e-9 * sum[1]))
            total = total_two_pass(lines, width, picked, n);
        if (!(total > 0.0))
            continue;
        for (size_t k = 0; k < m; k++)
            r2[k * stride] = 1.0 - sum[2 + k] / total;
        return redrawn;
    }
}

static void resample(lb_bootstrap *b, const lb_outcome *models)
{
    double *lines = cache(models, b->m);
    size_t redrawn = 0;
#pragma omp parallel reduction(+ : redrawn)
    {
        size_t *picked = lb_xcalloc(b->n, sizeof *picked);
        double *sum = lb_xcalloc(b->m + 2, sizeof *sum);
#pragma omp for schedule(static)
        for (size_t d = 0; d < b->draws; d++)
            redrawn += draw(lines, b->n, b->m, lb_rng_make(b->seed, d), picked, sum, b->drawn + d,
                            b->draws);
        free(picked);
        free(sum);
    }
    b->redrawn = redrawn;
    free(lines);
}

lb_status lb_bootstrap_new(const lb_outcome *models, size_t m, size_t draws, uint64_t seed,
                           lb_bootstrap **out, lb_error *err)
{
    lb_status st = check(models, m, draws, err);
    if (st != LB_OK)
        return st;
    lb_bootstrap *b = lb_xcalloc(1, sizeof *b);
    *b = (lb_bootstrap){.n = models[0].y.n, .m = m, .draws = draws, .seed = seed, .level = 0.95};
    memcpy(b->rows, lb_rowset_hash(models[0].rows), sizeof b->rows);
    b->oracle = lb_xcalloc(m, sizeof *b->oracle);
    b->estimate = lb_xcalloc(m, sizeof *b->estimate);
    b->drawn = lb_xcalloc(m * draws, sizeof *b->drawn);
    for (size_t k = 0; k < m && st == LB_OK; k++) {
        lb_number score;
        st = lb_score_r2(&models[k], &score, err);
        b->estimate[k] = score.value;
        b->oracle[k] = models[k].oracle;
        memcpy(b->reason, score.na, sizeof b->reason);
    }
    if (st != LB_OK) {
        lb_bootstrap_free(b);
        return st;
    }
    if (!b->reason[0])
        resample(b, models);
    else
        for (size_t i = 0; i < m * draws; i++)
            b->drawn[i] = NAN;
    *out = b;
    return LB_OK;
}

void lb_bootstrap_free(lb_bootstrap *b)
{
    if (!b)
        return;
    free(b->oracle);
    free(b->estimate);
    free(b->drawn);
    free(b);
}

lb_status lb_bootstrap_set_level(lb_bootstrap *b, double level, lb_error *err)
{
    if (!(level > 0.0 && level < 1.0))
        return LB_FAIL(err, LB_EINVAL, "interval level %g, must lie between 0 and 1", level);
    b->level = level;
    return LB_OK;
}

size_t lb_bootstrap_draws(const lb_bootstrap *b)
{
    return b->draws;
}

size_t lb_bootstrap_redrawn(const lb_bootstrap *b)
{
    return b->redrawn;
}

static lb_status check_index(const lb_bootstrap *b, size_t i, lb_error *err)
{
    return i < b->m ? LB_OK
                    : LB_FAIL(err, LB_EINVAL, "model %zu of a bootstrap of %zu models", i, b->m);
}

static lb_number blank(const lb_bootstrap *b, const char *kind)
{
    lb_number x = b->reason[0] ? lb_number_na(kind, b->reason) : lb_number_plain(NAN, kind, "");
    x.n = b->n;
    x.seed = b->seed;
    memcpy(x.rows, b->rows, sizeof x.rows);
    return x;
}

/* Interval and standard error of @p x, whose value is set, from @p draws (sorted here). */
static lb_status interval(const lb_bootstrap *b, double *draws, size_t count, lb_number *x,
                          lb_error *err)
{
    const double tail = (1.0 - b->level) / 2.0;
    lb_sort(draws, count);
    x->ci_lo = lb_quantile(draws, count, tail);
    x->ci_hi = lb_quantile(draws, count, 1.0 - tail);
    x->se = lb_std(draws, count, 1);
    /* Rounding differs between the estimate and a draw by a few units in the last place. */
    const double slack = 1e-12 * fmax(1.0, fabs(x->value));
    if (x->value >= x->ci_lo - slack && x->value <= x->ci_hi + slack)
        return LB_OK;
    return LB_FAIL(err, LB_ENUMERIC,
                   "the %s of %zu rows is %.6g, outside its own bootstrap interval [%.6g, %.6g]: "
                   "too few rows for a percentile interval, or estimate and draws are not about "
                   "the same thing",
                   x->kind, x->n, x->value, x->ci_lo, x->ci_hi);
}

lb_status lb_bootstrap_r2(const lb_bootstrap *b, size_t i, lb_number *out, lb_error *err)
{
    lb_status st = check_index(b, i, err);
    if (st != LB_OK)
        return st;
    *out = blank(b, "r2");
    out->oracle = b->oracle[i];
    if (b->reason[0])
        return LB_OK;
    double *draws = lb_xcalloc(b->draws, sizeof *draws);
    out->value = b->estimate[i];
    lb_bootstrap_draws_r2(b, i, draws);
    st = interval(b, draws, b->draws, out, err);
    free(draws);
    return st;
}

lb_status lb_bootstrap_delta(const lb_bootstrap *b, size_t i, size_t j, double threshold,
                             lb_number *out, lb_error *err)
{
    lb_status st;
    if ((st = check_index(b, i, err)) != LB_OK || (st = check_index(b, j, err)) != LB_OK)
        return st;
    *out = blank(b, "delta_r2");
    out->oracle = b->oracle[i] || b->oracle[j];
    if (b->reason[0])
        return LB_OK;
    double *draws = lb_xcalloc(b->draws, sizeof *draws);
    out->value = b->estimate[i] - b->estimate[j];
    lb_bootstrap_draws_delta(b, i, j, draws);
    size_t above = 0;
    for (size_t d = 0; d < b->draws; d++)
        above += draws[d] > threshold;
    out->p_above = (double)above / (double)b->draws;
    st = interval(b, draws, b->draws, out, err);
    free(draws);
    return st;
}

/* (i - j) / (k - j) */
static lb_status gain_ratio(const lb_bootstrap *b, const char *kind, size_t i, size_t j, size_t k,
                            lb_number *out, lb_error *err)
{
    lb_number gain;
    lb_status st;
    if ((st = check_index(b, i, err)) != LB_OK ||
        (st = lb_bootstrap_delta(b, k, j, 0.0, &gain, err)) != LB_OK)
        return st;
    *out = blank(b, kind);
    out->oracle = gain.oracle || b->oracle[i];
    if (b->reason[0])
        return LB_OK;
    if (!(gain.value >= LB_SMALLEST_GAIN && gain.ci_lo > 0.0)) {
        snprintf(out->na, sizeof out->na, "%s", LB_NA_DENOMINATOR);
        return LB_OK;
    }
    double *draws = lb_xcalloc(b->draws, sizeof *draws);
    size_t count = 0;
    for (size_t d = 0; d < b->draws; d++) {
        const double base = b->drawn[j * b->draws + d];
        const double whole = b->drawn[k * b->draws + d] - base;
        if (whole > 0.0)
            draws[count++] = (b->drawn[i * b->draws + d] - base) / whole;
    }
    out->value = (b->estimate[i] - b->estimate[j]) / gain.value;
    st = interval(b, draws, count, out, err);
    free(draws);
    return st;
}

lb_status lb_bootstrap_share(const lb_bootstrap *b, size_t i, size_t j, size_t k, lb_number *out,
                             lb_error *err)
{
    return gain_ratio(b, "share", i, j, k, out, err);
}

lb_status lb_bootstrap_retention(const lb_bootstrap *b, size_t method, size_t global, size_t oracle,
                                 lb_number *out, lb_error *err)
{
    return gain_ratio(b, "retention", method, global, oracle, out, err);
}

lb_status lb_bootstrap_delta_mean(const lb_bootstrap *b, size_t i, size_t j, lb_number *out,
                                  lb_error *err)
{
    lb_number delta;
    const lb_status st = lb_bootstrap_delta(b, i, j, 0.0, &delta, err);
    if (st != LB_OK)
        return st;
    *out = blank(b, "delta_r2");
    out->oracle = delta.oracle;
    if (b->reason[0])
        return LB_OK;
    double *draws = lb_xcalloc(b->draws, sizeof *draws);
    lb_bootstrap_draws_delta(b, i, j, draws);
    out->value = lb_mean(draws, b->draws);
    out->se = delta.se;
    free(draws);
    return LB_OK;
}

void lb_bootstrap_draws_r2(const lb_bootstrap *b, size_t i, double *out)
{
    memcpy(out, b->drawn + i * b->draws, b->draws * sizeof *out);
}

void lb_bootstrap_draws_delta(const lb_bootstrap *b, size_t i, size_t j, double *out)
{
    for (size_t d = 0; d < b->draws; d++)
        out[d] = b->drawn[i * b->draws + d] - b->drawn[j * b->draws + d];
}
