/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/quality.h"

#include "core/cpu.h"
#include "core/memory.h"

#include <gsl/gsl_sort_float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    LANES = 8,      /* partial sums: a fixed order that vectorises */
    BUCKETS = 2048, /* of a row, for its order statistics */
};

const char *const lb_quality_names[LB_QUALITY_FEATURES] = {
    "mean", "std", "min", "max", "median", "sum", "q25", "q75", "skewness", "kurtosis"};

/* Scratch of one thread: a row, and its order statistics. */
typedef struct work {
    float *row, *dealt; /* (p) the row, and the row dealt to buckets */
    uint16_t *bucket;   /* (p) of each pixel */
    uint32_t start[BUCKETS + 1];
} work;

static work *work_new(size_t p)
{
    work *w = lb_xcalloc(1, sizeof *w);
    w->row = lb_xaligned(p, sizeof *w->row);
    w->dealt = lb_xaligned(p, sizeof *w->dealt);
    w->bucket = lb_xcalloc(p, sizeof *w->bucket);
    return w;
}

static void work_free(work *w)
{
    free(w->row);
    free(w->dealt);
    free(w->bucket);
    free(w);
}

/* The row with every error that is none replaced. Returns how many were. */
static size_t clean(const float *error, size_t p, float *row)
{
    size_t replaced = 0;
    for (size_t j = 0; j < p; j++) {
        const int good = error[j] > 0.0f && error[j] < INFINITY;
        row[j] = good ? error[j] : (float)LB_QUALITY_FLOOR;
        replaced += !good;
    }
    return replaced;
}

/* --- order statistics ---------------------------------------------------------------------------
 * Values are dealt to evenly spaced buckets between the smallest and the largest, and only the
 * buckets that hold a wanted rank are sorted: linear in p for spectra. If one value towers over the
 * rest they share a bucket, and it is a sort. */

static void deal(work *w, size_t p, float least, float most)
{
    const double scale = most > least ? (BUCKETS - 1) / ((double)most - (double)least) : 0.0;
    memset(w->start, 0, sizeof w->start);
    for (size_t j = 0; j < p; j++)
        w->bucket[j] = (uint16_t)(((double)w->row[j] - (double)least) * scale);
    for (size_t j = 0; j < p; j++)
        w->start[w->bucket[j] + 1]++;
    for (size_t b = 0; b < BUCKETS; b++)
        w->start[b + 1] += w->start[b];
    uint32_t next[BUCKETS];
    memcpy(next, w->start, sizeof next);
    for (size_t j = 0; j < p; j++)
        w->dealt[next[w->bucket[j]]++] = w->row[j];
}

/* Sort the bucket of place @p i of the sorted row, unless it is bucket @p sorted. Returns it. */
static size_t settle(work *w, size_t i, size_t sorted)
{
    size_t lo = 0, hi = BUCKETS; /* start[lo] <= i < start[hi] */
    while (hi - lo > 1) {
        const size_t middle = (lo + hi) / 2;
        if (w->start[middle] <= i)
            lo = middle;
        else
            hi = middle;
    }
    if (lo != sorted)
        gsl_sort_float(w->dealt + w->start[lo], 1, w->start[lo + 1] - w->start[lo]);
    return lo;
}

/* Quantiles q[0] <= q[1] <= ... of w->row. */
static void quantiles(work *w, size_t p, float least, float most, const double *q, size_t n_q,
                      double *out)
{
    size_t sorted = SIZE_MAX;
    deal(w, p, least, most);
    for (size_t k = 0; k < n_q; k++) {
        const double position = q[k] * (double)(p - 1);
        const size_t i = (size_t)position, above = i + 1 < p ? i + 1 : i;
        sorted = settle(w, i, sorted);
        sorted = settle(w, above, sorted);
        const double a = (double)w->dealt[i], b = (double)w->dealt[above];
        const double t = position - (double)i; /* from the nearer end, so that t = 1 gives b */
        out[k] = t < 0.5 ? a + (b - a) * t : b - (b - a) * (1.0 - t);
    }
}

/* --- sums over pixels ----------------------------------------------------------------------------
 */

static double total(const double part[LANES])
{
    double sum = 0.0;
    for (int l = 0; l < LANES; l++)
        sum += part[l];
    return sum;
}

static double sum_of(const float *x, size_t p)
{
    double part[LANES] = {0.0};
    size_t j = 0;
    for (; j + LANES <= p; j += LANES)
        for (int l = 0; l < LANES; l++)
            part[l] += (double)x[j + (size_t)l];
    for (; j < p; j++)
        part[j % LANES] += (double)x[j];
    return total(part);
}

static double square_sum(const float *x, size_t p)
{
    double part[LANES] = {0.0};
    size_t j = 0;
    for (; j + LANES <= p; j += LANES)
        for (int l = 0; l < LANES; l++)
            part[l] += (double)x[j + (size_t)l] * (double)x[j + (size_t)l];
    for (; j < p; j++)
        part[j % LANES] += (double)x[j] * (double)x[j];
    return total(part);
}

/* Sums of the second to fourth powers about @p mean. */
static void powers(const float *x, size_t p, double mean, double m[3])
{
    double two[LANES] = {0.0}, three[LANES] = {0.0}, four[LANES] = {0.0};
    size_t j = 0;
    for (; j + LANES <= p; j += LANES)
        for (int l = 0; l < LANES; l++) {
            const double d = (double)x[j + (size_t)l] - mean, d2 = d * d;
            two[l] += d2;
            three[l] += d2 * d;
            four[l] += d2 * d2;
        }
    for (; j < p; j++) {
        const double d = (double)x[j] - mean, d2 = d * d;
        two[j % LANES] += d2;
        three[j % LANES] += d2 * d;
        four[j % LANES] += d2 * d2;
    }
    m[0] = total(two);
    m[1] = total(three);
    m[2] = total(four);
}

static void extremes(const float *x, size_t p, float *least, float *most)
{
    float low[LANES], high[LANES];
    for (int l = 0; l < LANES; l++)
        low[l] = high[l] = x[0];
    size_t j = 0;
    for (; j + LANES <= p; j += LANES)
        for (int l = 0; l < LANES; l++) {
            const float v = x[j + (size_t)l];
            low[l] = v < low[l] ? v : low[l];
            high[l] = v > high[l] ? v : high[l];
        }
    for (; j < p; j++) {
        low[0] = x[j] < low[0] ? x[j] : low[0];
        high[0] = x[j] > high[0] ? x[j] : high[0];
    }
    *least = low[0];
    *most = high[0];
    for (int l = 1; l < LANES; l++) {
        *least = low[l] < *least ? low[l] : *least;
        *most = high[l] > *most ? high[l] : *most;
    }
}

/* --- one row ------------------------------------------------------------------------------------
 */

/* What a row function is given beside its row; those that do not apply are empty. */
typedef struct job {
    lb_mat out;
    lb_cvec e0;
    double e0_square;
    const double *q; /* (out.cols) quantiles wanted */
} job;

static void ten_statistics(const job *k, size_t i, size_t p, work *w)
{
    static const double quarters[] = {0.25, 0.5, 0.75};
    float least, most;
    double q[3], m[3] = {0.0};
    const double n = (double)p, sum = sum_of(w->row, p), mean = sum / n;
    extremes(w->row, p, &least, &most);
    quantiles(w, p, least, most, quarters, 3, q);
    if (most > least) /* rounding of the mean must not make a shape where there is none */
        powers(w->row, p, mean, m);
    const double m2 = m[0] / n, m3 = m[1] / n, m4 = m[2] / n;
    const double statistics[LB_QUALITY_FEATURES] = {mean,
                                                    sqrt(m2),
                                                    (double)least,
                                                    (double)most,
                                                    q[1],
                                                    sum,
                                                    q[0],
                                                    q[2],
                                                    m2 > 0.0 ? m3 / (m2 * sqrt(m2)) : 0.0,
                                                    m2 > 0.0 ? m4 / (m2 * m2) - 3.0 : 0.0};
    memcpy(k->out.data + i * k->out.stride, statistics, sizeof statistics);
}

static void even_quantiles(const job *k, size_t i, size_t p, work *w)
{
    float least, most;
    extremes(w->row, p, &least, &most);
    quantiles(w, p, least, most, k->q, k->out.cols, k->out.data + i * k->out.stride);
}

static void norm(const job *k, size_t i, size_t p, work *w)
{
    k->out.data[i * k->out.stride] = sqrt(square_sum(w->row, p));
}

/* s = e'e0 / |e0|^2, then the residual itself: |e|^2 - s^2 |e0|^2 would cancel. */
static void shape(const job *k, size_t i, size_t p, work *w)
{
    double dot = 0.0, square = 0.0;
    for (size_t j = 0; j < p; j++)
        dot += (double)w->row[j] * k->e0.data[j];
    const double s = dot / k->e0_square;
    for (size_t j = 0; j < p; j++) {
        const double d = (double)w->row[j] - s * k->e0.data[j];
        square += d * d;
    }
    k->out.data[i * k->out.stride] = s;
    k->out.data[i * k->out.stride + 1] = sqrt(square);
}

static void each_row(lb_cmatf error, void (*one)(const job *, size_t, size_t, work *), const job *k,
                     size_t *replaced)
{
    size_t count = 0;
#pragma omp parallel reduction(+ : count) if (error.rows * error.cols >= LB_WORTH_THREADS)
    {
        work *w = work_new(error.cols);
#pragma omp for schedule(static)
        for (size_t i = 0; i < error.rows; i++) {
            count += clean(error.data + i * error.stride, error.cols, w->row);
            one(k, i, error.cols, w);
        }
        work_free(w);
    }
    if (replaced)
        *replaced = count;
}

/* --- the interface ------------------------------------------------------------------------------
 */

static lb_status check(lb_cmatf error, size_t rows, size_t cols, size_t wanted, lb_error *err)
{
    if (error.cols == 0 || rows != error.rows || cols != wanted)
        return LB_FAIL(err, LB_ESHAPE, "errors of %zux%zu go to %zux%zu, which should be %zux%zu",
                       error.rows, error.cols, rows, cols, error.rows, wanted);
    return LB_OK;
}

lb_status lb_quality_features(lb_cmatf error, lb_mat out, size_t *replaced, lb_error *err)
{
    const lb_status st = check(error, out.rows, out.cols, LB_QUALITY_FEATURES, err);
    if (st == LB_OK)
        each_row(error, ten_statistics, &(job){.out = out}, replaced);
    return st;
}

lb_status lb_quality_quantiles(lb_cmatf error, lb_mat out, size_t *replaced, lb_error *err)
{
    const lb_status st =
        check(error, out.rows, out.cols, out.cols > 1 ? out.cols : 2, err); /* both ends at least */
    if (st != LB_OK)
        return st;
    double *q = lb_xcalloc(out.cols, sizeof *q);
    for (size_t k = 0; k < out.cols; k++)
        q[k] = (double)k / (double)(out.cols - 1);
    each_row(error, even_quantiles, &(job){.out = out, .q = q}, replaced);
    free(q);
    return LB_OK;
}

lb_status lb_quality_norms(lb_cmatf error, lb_vec out, size_t *replaced, lb_error *err)
{
    const lb_status st = check(error, out.n, 1, 1, err);
    if (st == LB_OK)
        each_row(error, norm, &(job){.out = lb_mat_of(out.data, out.n, 1)}, replaced);
    return st;
}

lb_status lb_quality_add(lb_cmatf error, lb_vec sum, size_t *replaced, lb_error *err)
{
    const lb_status st = check(error, error.rows, sum.n, error.cols, err);
    if (st != LB_OK)
        return st;
    size_t count = 0;
    float *row = lb_xaligned(error.cols, sizeof *row);
    for (size_t i = 0; i < error.rows; i++) {
        count += clean(error.data + i * error.stride, error.cols, row);
        for (size_t j = 0; j < error.cols; j++)
            sum.data[j] += (double)row[j];
    }
    free(row);
    if (replaced)
        *replaced = count;
    return LB_OK;
}

lb_status lb_quality_shape(lb_cmatf error, lb_cvec e0, lb_mat out, size_t *replaced, lb_error *err)
{
    const lb_status st = check(error, out.rows, out.cols, 2, err);
    if (st != LB_OK)
        return st;
    if (e0.n != error.cols)
        return LB_FAIL(err, LB_ESHAPE, "the mean error has %zu pixels, the errors %zu", e0.n,
                       error.cols);
    double square = 0.0;
    for (size_t j = 0; j < e0.n; j++)
        square += e0.data[j] * e0.data[j];
    if (!(square > 0.0 && square < INFINITY)) /* NaN fails too */
        return LB_FAIL(err, LB_ENUMERIC, "the mean error vector has the squared norm %g", square);
    each_row(error, shape, &(job){.out = out, .e0 = e0, .e0_square = square}, replaced);
    return LB_OK;
}

/* Median or norm of a flux, or NAN where there is none. */
static double flux_scale(lb_quality_scale scale, const float *flux, size_t p, work *w)
{
    static const double middle = 0.5;
    float least, most;
    double out;
    const double square = square_sum(flux, p); /* not finite if a pixel is not */
    if (!isfinite(square))
        return (double)NAN;
    if (scale == LB_RELATIVE_NORM)
        return sqrt(square);
    memcpy(w->row, flux, p * sizeof *flux);
    extremes(w->row, p, &least, &most);
    quantiles(w, p, least, most, &middle, 1, &out);
    return out;
}

lb_status lb_quality_relative(lb_quality_scale scale, lb_cmatf flux, lb_cmatf error, lb_matf out,
                              size_t *no_scale, lb_error *err)
{
    const lb_status st = check(error, out.rows, out.cols, error.cols, err);
    if (st != LB_OK)
        return st;
    if (flux.rows != error.rows || flux.cols != error.cols)
        return LB_FAIL(err, LB_ESHAPE, "flux is %zux%zu, its error %zux%zu", flux.rows, flux.cols,
                       error.rows, error.cols);
    size_t count = 0;
#pragma omp parallel reduction(+ : count) if (error.rows * error.cols >= LB_WORTH_THREADS)
    {
        work *w = work_new(error.cols);
#pragma omp for schedule(static)
        for (size_t i = 0; i < error.rows; i++) {
            const double s = flux_scale(scale, flux.data + i * flux.stride, flux.cols, w);
            float *to = out.data + i * out.stride;
            const int good = s > LB_QUALITY_FLOOR;
            count += !good;
            clean(error.data + i * error.stride, error.cols, w->row);
            for (size_t j = 0; j < error.cols; j++)
                to[j] = good ? (float)((double)w->row[j] / s) : 0.0f;
        }
        work_free(w);
    }
    if (no_scale)
        *no_scale = count;
    return LB_OK;
}
