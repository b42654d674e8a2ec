/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/bootstrap.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "core/random.h"
#include "stats/quantile.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lb_bootstrap {
    size_t n, m, draws, redrawn;
    uint64_t seed;
    double level;
    lb_interval kind;
    char rows[LB_HASH_SIZE];
    char reason[48]; /* why there is nothing to resample, or "" */
    lb_headroom headroom;
    bool *oracle;     /* m */
    double *estimate; /* m: R2 on all rows */
    double *drawn;    /* m x draws: R2 of each draw */
    size_t units;     /* rows, or clusters of them */
    double *without;  /* m x units: R2 without one; NULL if the target does not vary without one */
};

/* Sums are gathered LANES at a time: a line is then one cache line, its sums stay in registers. */
enum { LANES = 8 };

/* What is resampled: rows, or clusters of rows. Each has a line of width numbers; with d = y -
 * ybar, summed over its rows: d, d^2, e_0^2 .. e_{m-1}^2, 1. */
typedef struct units {
    size_t n, m, columns, width, blocks; /* blocks of LANES that hold a line */
    double *lines;                       /* columns x blocks x n x LANES, see line_at() */
    double *centre;                      /* n: mean of d */
    double *within;                      /* n: sum of squares around it */
} units;

/* Number k of the line of unit g, for column r of the predictions. */
static double *line_at(const units *u, size_t r, size_t g, size_t k)
{
    return u->lines + ((r * u->blocks + k / LANES) * u->n + g) * LANES + k % LANES;
}

static double unit_size(const units *u, size_t g)
{
    return *line_at(u, 0, g, u->width - 1);
}

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

/* A row and the label of its cluster. */
typedef struct labelled {
    size_t label, row;
} labelled;

static int by_label(const void *a, const void *b)
{
    const labelled *x = a, *y = b;
    return x->label != y->label ? (x->label > y->label) - (x->label < y->label)
                                : (x->row > y->row) - (x->row < y->row);
}

/* unit[i] of every row, numbered in the order in which clusters appear. Returns how many. */
static size_t number_units(const size_t *cluster, size_t n, size_t *unit)
{
    size_t count = 0;
    labelled *sorted = lb_xcalloc(n, sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = (labelled){cluster ? cluster[i] : i, i};
    qsort(sorted, n, sizeof *sorted, by_label);
    for (size_t i = 0; i < n; i++) /* every row points to the first of its cluster */
        unit[sorted[i].row] =
            i && sorted[i].label == sorted[i - 1].label ? unit[sorted[i - 1].row] : sorted[i].row;
    for (size_t i = 0; i < n; i++)
        unit[i] = unit[i] == i ? count++ : unit[unit[i]];
    free(sorted);
    return count;
}

/* Means first, from the first row of each cluster, so that equal targets have no variance at all.
 */
static void measure_units(units *u, lb_cvec y, const size_t *unit)
{
    const double ybar = lb_mean(y.data, y.n);
    double *first = lb_xcalloc(u->n, sizeof *first), *rows = lb_xcalloc(u->n, sizeof *rows);
    for (size_t i = 0; i < y.n; i++) {
        const size_t g = unit[i];
        const double d = y.data[i] - ybar;
        if (rows[g]++ == 0.0)
            first[g] = d;
        u->centre[g] += d - first[g];
    }
    for (size_t g = 0; g < u->n; g++)
        u->centre[g] = first[g] + u->centre[g] / rows[g];
    for (size_t i = 0; i < y.n; i++) {
        const double d = y.data[i] - ybar - u->centre[unit[i]];
        u->within[unit[i]] += d * d;
    }
    free(first);
    free(rows);
}

static units units_new(const lb_outcome *models, size_t m, size_t columns, const size_t *cluster)
{
    const size_t n = models[0].y.n;
    const double ybar = lb_mean(models[0].y.data, n);
    size_t *unit = lb_xcalloc(n, sizeof *unit);
    units u = {.n = number_units(cluster, n, unit), .m = m, .columns = columns, .width = m + 3};
    u.blocks = (u.width + LANES - 1) / LANES;
    const size_t size = columns * u.blocks * u.n * LANES;
    u.lines = lb_xaligned(size, sizeof *u.lines);
    memset(u.lines, 0, size * sizeof *u.lines);
    u.centre = lb_xcalloc(u.n, sizeof *u.centre);
    u.within = lb_xcalloc(u.n, sizeof *u.within);
    measure_units(&u, models[0].y, unit);
    for (size_t r = 0; r < columns; r++)
        for (size_t i = 0; i < n; i++) {
            const size_t g = unit[i];
            const double d = models[0].y.data[i] - ybar;
            *line_at(&u, r, g, 0) += d;
            *line_at(&u, r, g, 1) += d * d;
            for (size_t k = 0; k < m; k++) {
                const lb_outcome *o = &models[k * columns + r];
                const double e = o->y.data[i] - o->yhat.data[i];
                *line_at(&u, r, g, 2 + k) += e * e;
            }
            *line_at(&u, r, g, 2 + m) += 1.0;
        }
    free(unit);
    return u;
}

static void units_free(units *u)
{
    free(u->lines);
    free(u->centre);
    free(u->within);
}

/* Total sum of squares of the picked units around their own mean, by two passes: exactly 0 when all
 * targets are equal. The one-pass form below cannot tell that from rounding. */
static double total_two_pass(const units *u, const size_t *picked, size_t count)
{
    const double first = u->centre[picked[0]];
    double mean = 0.0, total = 0.0, rows = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double size = unit_size(u, picked[i]);
        mean += size * (u->centre[picked[i]] - first);
        rows += size;
    }
    mean /= rows;
    for (size_t i = 0; i < count; i++) {
        const double size = unit_size(u, picked[i]);
        const double d = u->centre[picked[i]] - first - mean;
        total += u->within[picked[i]] + size * (d * d);
    }
    return total;
}

/* Total sum of squares from the sums over a line; NAN when the digits cancel. */
static double total_one_pass(const double *sum, size_t width)
{
    const double total = sum[1] - sum[0] * sum[0] / sum[width - 1];
    return total > 1e-9 * sum[1] ? total : NAN;
}

/* LANES numbers of a line, added side by side. */
typedef double lane __attribute__((vector_size(LANES * sizeof(double)), may_alias));

/* Sums of the picked lines in the order in which they were picked, two blocks at a time: while one
 * sum waits for its last addition, the other goes on. */
LB_FOR_EVERY_CPU static void gather(const units *u, size_t column, const size_t *picked,
                                    double *sum)
{
    for (size_t k = 0; k < u->blocks; k += 2) {
        const bool pair = k + 1 < u->blocks;
        const lane *a = (const lane *)line_at(u, column, 0, k * LANES), *b = a + (pair ? u->n : 0);
        lane total[2] = {{0.0}};
        for (size_t i = 0; i < u->n; i++) {
            total[0] += a[picked[i]];
            total[1] += b[picked[i]];
        }
        memcpy(sum + k * LANES, total, (pair ? 2 : 1) * sizeof *total);
    }
}

/* One accepted resample: R2 of each model into r2[k * stride]. Returns how often it was redrawn. */
static size_t draw(const units *u, size_t column, lb_rng rng, size_t *picked, double *sum,
                   double *r2, size_t stride)
{
    for (size_t redrawn = 0;; redrawn++) {
        /* 1. n units with replacement; sums of their lines. */
        lb_rng_below_each(&rng, u->n, picked, u->n);
        gather(u, column, picked, sum);
        /* 2. Variance around the mean of the resample; look closer when the digits cancel. */
        double total = total_one_pass(sum, u->width);
        if (isnan(total))
            total = total_two_pass(u, picked, u->n);
        if (!(total > 0.0))
            continue;
        for (size_t k = 0; k < u->m; k++)
            r2[k * stride] = 1.0 - sum[2 + k] / total;
        return redrawn;
    }
}

/* The column of draw d: of the upper half of the streams, which no row is drawn from. */
static size_t pick_column(const lb_bootstrap *b, size_t d, size_t columns)
{
    lb_rng rng = lb_rng_make(b->seed, UINT64_C(1) << 63 | d);
    return lb_rng_below(&rng, columns);
}

static void resample(lb_bootstrap *b, const units *u)
{
    size_t redrawn = 0;
    const bool share = b->draws * u->n * u->blocks * LANES >= LB_WORTH_THREADS;
#pragma omp parallel reduction(+ : redrawn) if (share)
    {
        size_t *picked = lb_xcalloc(u->n, sizeof *picked);
        double *sum = lb_xcalloc(u->blocks * LANES, sizeof *sum);
#pragma omp for schedule(dynamic, 8)
        for (size_t d = 0; d < b->draws; d++)
            redrawn += draw(u, pick_column(b, d, u->columns), lb_rng_make(b->seed, d), picked, sum,
                            b->drawn + d, b->draws);
        free(picked);
        free(sum);
    }
    b->redrawn = redrawn;
}

/* R2 of each model without unit g, the mean over its columns. False if the target does not vary. */
static bool leave_out(const units *u, const double *sum, size_t g, size_t *others, double *left,
                      double *r2)
{
    double total = NAN;
    for (size_t r = 0; r < u->columns; r++) {
        for (size_t k = 0; k < u->width; k++)
            left[k] = sum[r * u->width + k] - *line_at(u, r, g, k);
        if (r == 0 && isnan(total = total_one_pass(left, u->width))) {
            for (size_t i = 0, count = 0; i < u->n; i++)
                if (i != g)
                    others[count++] = i;
            total = total_two_pass(u, others, u->n - 1);
        }
        if (!(total > 0.0))
            return false;
        for (size_t k = 0; k < u->m; k++)
            r2[k * u->n] += (1.0 - left[2 + k] / total) / (double)u->columns;
    }
    return true;
}

static void jackknife(lb_bootstrap *b, const units *u)
{
    double *sum = lb_xcalloc(u->columns * u->width, sizeof *sum);
    double *left = lb_xcalloc(u->width, sizeof *left);
    size_t *others = lb_xcalloc(u->n, sizeof *others);
    b->units = u->n;
    b->without = lb_xcalloc(b->m * u->n, sizeof *b->without);
    for (size_t r = 0; r < u->columns; r++)
        for (size_t g = 0; g < u->n; g++)
            for (size_t k = 0; k < u->width; k++)
                sum[r * u->width + k] += *line_at(u, r, g, k);
    for (size_t g = 0; g < u->n && b->without; g++)
        if (!leave_out(u, sum, g, others, left, b->without + g)) {
            free(b->without);
            b->without = NULL;
        }
    free(sum);
    free(left);
    free(others);
}

/* R2 on all rows, the mean over the columns of a model, and why there may be none. */
static lb_status estimate(lb_bootstrap *b, const lb_outcome *models, size_t columns, lb_error *err)
{
    for (size_t k = 0; k < b->m; k++)
        for (size_t r = 0; r < columns; r++) {
            const lb_outcome *o = &models[k * columns + r];
            lb_number score;
            const lb_status st = lb_score_r2(o, &score, err);
            if (st != LB_OK)
                return st;
            b->estimate[k] += score.value / (double)columns;
            b->oracle[k] |= o->oracle;
            memcpy(b->reason, score.na, sizeof b->reason);
        }
    return LB_OK;
}

lb_status lb_bootstrap_new_plan(const lb_outcome *models, size_t m, lb_bootstrap_plan plan,
                                lb_bootstrap **out, lb_error *err)
{
    const size_t columns = plan.columns ? plan.columns : 1;
    *out = NULL;
    lb_status st = check(models, m * columns, plan.draws, err);
    if (st != LB_OK)
        return st;
    lb_bootstrap *b = lb_xcalloc(1, sizeof *b);
    *b = (lb_bootstrap){
        .n = models[0].y.n,
        .m = m,
        .draws = plan.draws,
        .seed = plan.seed,
        .level = 0.95,
        .headroom = {LB_SMALLEST_GAIN, true},
    };
    memcpy(b->rows, lb_rowset_hash(models[0].rows), sizeof b->rows);
    b->oracle = lb_xcalloc(m, sizeof *b->oracle);
    b->estimate = lb_xcalloc(m, sizeof *b->estimate);
    b->drawn = lb_xcalloc(m * b->draws, sizeof *b->drawn);
    if ((st = estimate(b, models, columns, err)) != LB_OK) {
        lb_bootstrap_free(b);
        return st;
    }
    units u = units_new(models, m, columns, plan.cluster);
    if (!b->reason[0] && u.n < 2)
        snprintf(b->reason, sizeof b->reason, "n/a (a single cluster)");
    if (!b->reason[0]) {
        resample(b, &u);
        jackknife(b, &u);
    } else
        for (size_t i = 0; i < m * b->draws; i++)
            b->drawn[i] = NAN;
    units_free(&u);
    *out = b;
    return LB_OK;
}

lb_status lb_bootstrap_new(const lb_outcome *models, size_t m, size_t draws, uint64_t seed,
                           lb_bootstrap **out, lb_error *err)
{
    const lb_bootstrap_plan plan = {.draws = draws, .seed = seed};
    return lb_bootstrap_new_plan(models, m, plan, out, err);
}

void lb_bootstrap_free(lb_bootstrap *b)
{
    if (!b)
        return;
    free(b->oracle);
    free(b->estimate);
    free(b->drawn);
    free(b->without);
    free(b);
}

lb_status lb_bootstrap_set_level(lb_bootstrap *b, double level, lb_error *err)
{
    if (!(level > 0.0 && level < 1.0))
        return LB_FAIL(err, LB_EINVAL, "interval level %g, must lie between 0 and 1", level);
    b->level = level;
    return LB_OK;
}

void lb_bootstrap_set_headroom(lb_bootstrap *b, lb_headroom h)
{
    b->headroom = h;
}

void lb_bootstrap_set_interval(lb_bootstrap *b, lb_interval kind)
{
    b->kind = kind;
}

size_t lb_bootstrap_draws(const lb_bootstrap *b)
{
    return b->draws;
}

size_t lb_bootstrap_redrawn(const lb_bootstrap *b)
{
    return b->redrawn;
}

/* --- statistics of the R2 of all models ---------------------------------------------------------
 */

/* sum top R2 / sum bottom R2, or the sum alone when bottom is NULL; m weights each. */
typedef struct statistic {
    const double *top, *bottom;
} statistic;

static double weigh(const double *weights, const double *r2, size_t stride, size_t m)
{
    double sum = 0.0;
    for (size_t k = 0; k < m; k++)
        if (weights[k] != 0.0)
            sum += weights[k] * r2[k * stride];
    return sum;
}

/* NAN where the denominator is not positive. */
static double value_of(statistic s, const double *r2, size_t stride, size_t m)
{
    const double top = weigh(s.top, r2, stride, m);
    if (!s.bottom)
        return top;
    const double bottom = weigh(s.bottom, r2, stride, m);
    return bottom > 0.0 ? top / bottom : NAN;
}

/* Efron's acceleration from the values without one unit each. */
static lb_status acceleration(const lb_bootstrap *b, statistic s, double *out, lb_error *err)
{
    if (!b->without)
        return LB_FAIL(err, LB_ENUMERIC,
                       "no BCa interval on %zu rows: the target does not vary without one of the "
                       "%zu rows or clusters; use the percentile interval",
                       b->n, b->units);
    double *u = lb_xcalloc(b->units, sizeof *u), square = 0.0, cube = 0.0;
    for (size_t g = 0; g < b->units; g++)
        u[g] = value_of(s, b->without + g, b->units, b->m);
    const double mean = lb_mean(u, b->units);
    for (size_t g = 0; g < b->units; g++) {
        const double d = mean - u[g];
        square += d * d;
        cube += d * d * d;
    }
    free(u);
    *out = square == 0.0 ? 0.0
                         : cube / (6.0 * pow(square, 1.5)); /* NAN: a ratio without denominator */
    if (isfinite(*out))
        return LB_OK;
    return LB_FAIL(err, LB_ENUMERIC,
                   "no BCa interval on %zu rows: the denominator is not positive without one of "
                   "the %zu rows or clusters; use the percentile interval",
                   b->n, b->units);
}

/* Probabilities at which BCa cuts the @p count sorted draws of @p s; @p cut holds those of the
 * percentile interval. */
static lb_status bca_cuts(const lb_bootstrap *b, statistic s, const double *draws, size_t count,
                          double value, double cut[2], lb_error *err)
{
    double a = 0.0, below = 0.0;
    const lb_status st = acceleration(b, s, &a, err);
    if (st != LB_OK || draws[0] == draws[count - 1])
        return st;
    for (size_t d = 0; d < count && draws[d] <= value; d++)
        below += draws[d] < value ? 1.0 : 0.5;
    const double z0 = gsl_cdf_ugaussian_Pinv(below / (double)count);
    for (int side = 0; side < 2; side++) {
        const double w = z0 + gsl_cdf_ugaussian_Pinv(cut[side]), left = 1.0 - a * w;
        if (!(left > 0.0))
            return LB_FAIL(err, LB_ENUMERIC,
                           "no BCa interval: bias %.3g and acceleration %.3g leave no percentile; "
                           "use the percentile interval",
                           z0, a);
        cut[side] = gsl_cdf_ugaussian_P(z0 + w / left);
    }
    return LB_OK;
}

/* Interval and standard error of @p x, whose value is set, from @p count draws (sorted here). */
static lb_status interval(const lb_bootstrap *b, statistic s, double *draws, size_t count,
                          lb_number *x, lb_error *err)
{
    const double tail = (1.0 - b->level) / 2.0;
    double cut[2] = {tail, 1.0 - tail};
    lb_sort(draws, count);
    if (b->kind == LB_INTERVAL_BCA) {
        const lb_status st = bca_cuts(b, s, draws, count, x->value, cut, err);
        if (st != LB_OK)
            return st;
    }
    x->ci_lo = lb_quantile(draws, count, cut[0]);
    x->ci_hi = lb_quantile(draws, count, cut[1]);
    x->se = lb_std(draws, count, 1);
    /* Rounding differs between the estimate and a draw by a few units in the last place. */
    const double slack = 1e-12 * fmax(1.0, fabs(x->value));
    if (x->value >= x->ci_lo - slack && x->value <= x->ci_hi + slack)
        return LB_OK;
    return LB_FAIL(err, LB_ENUMERIC,
                   "the %s of %zu rows is %.6g, outside its own bootstrap interval [%.6g, %.6g]: "
                   "too few rows for a %s interval, or estimate and draws are not about "
                   "the same thing",
                   x->kind, x->n, x->value, x->ci_lo, x->ci_hi,
                   b->kind == LB_INTERVAL_BCA ? "BCa" : "percentile");
}

static lb_number blank(const lb_bootstrap *b, const char *kind, bool oracle)
{
    lb_number x = b->reason[0] ? lb_number_na(kind, b->reason) : lb_number_plain(NAN, kind, "");
    x.n = b->n;
    x.seed = b->seed;
    x.oracle = oracle;
    memcpy(x.rows, b->rows, sizeof x.rows);
    return x;
}

/* Everything about @p s; p_above unless @p threshold is NAN, mean and P(> 0) of a difference. */
static lb_status number(const lb_bootstrap *b, statistic s, const char *kind, bool oracle,
                        double threshold, lb_number *out, lb_error *err)
{
    *out = blank(b, kind, oracle);
    if (b->reason[0])
        return LB_OK;
    double *draws = lb_xcalloc(b->draws, sizeof *draws);
    size_t count = 0, above = 0, positive = 0;
    for (size_t d = 0; d < b->draws; d++) {
        const double value = value_of(s, b->drawn + d, b->draws, b->m);
        above += value > threshold;
        positive += value > 0.0;
        if (!isnan(value))
            draws[count++] = value;
    }
    out->value = value_of(s, b->estimate, 1, b->m);
    if (!isnan(threshold))
        out->p_above = (double)above / (double)b->draws;
    if (strcmp(kind, "delta_r2") == 0) {
        out->boot_mean = lb_mean(draws, count);
        out->p_positive = (double)positive / (double)b->draws;
    }
    const lb_status st = interval(b, s, draws, count, out, err);
    free(draws);
    return st;
}

static lb_status check_index(const lb_bootstrap *b, size_t i, lb_error *err)
{
    return i < b->m ? LB_OK
                    : LB_FAIL(err, LB_EINVAL, "model %zu of a bootstrap of %zu models", i, b->m);
}

/* Weights of R2 of i minus R2 of j; freed by the caller. */
static double *difference(const lb_bootstrap *b, size_t i, size_t j)
{
    double *weights = lb_xcalloc(b->m, sizeof *weights);
    weights[i] += 1.0;
    weights[j] -= 1.0;
    return weights;
}

lb_status lb_bootstrap_r2(const lb_bootstrap *b, size_t i, lb_number *out, lb_error *err)
{
    lb_status st = check_index(b, i, err);
    if (st != LB_OK)
        return st;
    double *weights = lb_xcalloc(b->m, sizeof *weights);
    weights[i] = 1.0;
    st = number(b, (statistic){weights, NULL}, "r2", b->oracle[i], NAN, out, err);
    free(weights);
    return st;
}

lb_status lb_bootstrap_delta(const lb_bootstrap *b, size_t i, size_t j, double threshold,
                             lb_number *out, lb_error *err)
{
    lb_status st;
    if ((st = check_index(b, i, err)) != LB_OK || (st = check_index(b, j, err)) != LB_OK)
        return st;
    double *weights = difference(b, i, j);
    st = number(b, (statistic){weights, NULL}, "delta_r2", b->oracle[i] || b->oracle[j], threshold,
                out, err);
    free(weights);
    return st;
}

/* The kind of a combination and whether an oracle is in it. */
static lb_status check_weights(const lb_bootstrap *b, const double *weights, size_t n,
                               const char **kind, bool *oracle, lb_error *err)
{
    double sum = 0.0, size = 0.0;
    if (n != b->m)
        return LB_FAIL(err, LB_ESHAPE, "%zu weights for a bootstrap of %zu models", n, b->m);
    *oracle = false;
    for (size_t k = 0; k < n; k++) {
        sum += weights[k];
        size += fabs(weights[k]);
        *oracle |= weights[k] != 0.0 && b->oracle[k];
    }
    const double slack = 1e-12 * size;
    *kind = fabs(sum) <= slack ? "delta_r2" : "r2";
    if (size > 0.0 && isfinite(size) && (fabs(sum) <= slack || fabs(sum - 1.0) <= slack))
        return LB_OK;
    return LB_FAIL(err, LB_EINVAL,
                   "weights of R2 that add up to %g (in absolute value %g): a mean needs 1, a "
                   "contrast 0",
                   sum, size);
}

lb_status lb_bootstrap_combination(const lb_bootstrap *b, const double *weights, size_t n,
                                   double threshold, lb_number *out, lb_error *err)
{
    const char *kind = NULL;
    bool oracle = false;
    const lb_status st = check_weights(b, weights, n, &kind, &oracle, err);
    return st == LB_OK ? number(b, (statistic){weights, NULL}, kind, oracle, threshold, out, err)
                       : st;
}

/* A ratio whose denominator is told from 0, or n/a. */
static lb_status guarded(const lb_bootstrap *b, statistic s, const char *kind, bool oracle,
                         lb_number *out, lb_error *err)
{
    lb_number gain;
    const lb_status st =
        number(b, (statistic){s.bottom, NULL}, "delta_r2", oracle, NAN, &gain, err);
    if (st != LB_OK)
        return st;
    const bool real = gain.ci_lo > 0.0;
    if (b->reason[0] || (gain.value >= b->headroom.least && real))
        return number(b, s, kind, oracle, NAN, out, err);
    *out = blank(b, kind, oracle);
    if (b->headroom.real)
        snprintf(out->na, sizeof out->na, "%s", LB_NA_DENOMINATOR);
    else if (!(gain.value >= b->headroom.least))
        snprintf(out->na, sizeof out->na, "%s", LB_NA_HEADROOM);
    else {
        out->value = value_of(s, b->estimate, 1, b->m);
        out->digits = 2; /* without an interval nothing says how many it has */
    }
    return LB_OK;
}

lb_status lb_bootstrap_ratio(const lb_bootstrap *b, const double *top, const double *bottom,
                             size_t n, lb_number *out, lb_error *err)
{
    const char *kind = NULL;
    bool oracle[2] = {false, false};
    lb_status st;
    if ((st = check_weights(b, top, n, &kind, &oracle[0], err)) != LB_OK ||
        (st = check_weights(b, bottom, n, &kind, &oracle[1], err)) != LB_OK)
        return st;
    return guarded(b, (statistic){top, bottom}, "ratio", oracle[0] || oracle[1], out, err);
}

/* (i - j) / (k - j) */
static lb_status gain_ratio(const lb_bootstrap *b, const char *kind, size_t i, size_t j, size_t k,
                            lb_number *out, lb_error *err)
{
    lb_status st;
    if ((st = check_index(b, i, err)) != LB_OK || (st = check_index(b, j, err)) != LB_OK ||
        (st = check_index(b, k, err)) != LB_OK)
        return st;
    double *top = difference(b, i, j), *bottom = difference(b, k, j);
    st = guarded(b, (statistic){top, bottom}, kind, b->oracle[i] || b->oracle[j] || b->oracle[k],
                 out, err);
    free(top);
    free(bottom);
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

void lb_bootstrap_draws_r2(const lb_bootstrap *b, size_t i, double *out)
{
    memcpy(out, b->drawn + i * b->draws, b->draws * sizeof *out);
}

void lb_bootstrap_draws_delta(const lb_bootstrap *b, size_t i, size_t j, double *out)
{
    for (size_t d = 0; d < b->draws; d++)
        out[d] = b->drawn[i * b->draws + d] - b->drawn[j * b->draws + d];
}

void lb_bootstrap_draws_ratio(const lb_bootstrap *b, const double *top, const double *bottom,
                              double *out)
{
    for (size_t d = 0; d < b->draws; d++)
        out[d] = value_of((statistic){top, bottom}, b->drawn + d, b->draws, b->m);
}
