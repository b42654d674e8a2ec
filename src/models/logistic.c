/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/logistic.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "linalg/cholesky.h"
#include "linalg/cross.h"

#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    S = LB_CROSS_STRIP,
    CHUNK = 128, /* rows worked on at a time, at most LB_CROSS_CHAIN */
    BATCH = 16,  /* and while products are formed; divides CHUNK */
    ACROSS = 3,  /* classes, */
    DOWN = 2,    /* and strips or columns, that are summed side by side */
    PARTS = 8,   /* what threads share: about so many parts of the rows */
    TILE = 1024, /* products of features packed at a time */
    STEPS = 200,
    HALVINGS = 60,
    SERIAL = 1 << 22, /* multiplications a Hessian below which threads do not pay, */
    SINGLE = 512,     /* and unknowns below which they do not for its factor */
};

/* Relative to the largest coefficient, and of log-losses. */
#define NEGLIGIBLE 1e-8

/* Neighbours in memory that are worked on side by side: aligned, and anywhere. */
typedef double strip __attribute__((vector_size(S * sizeof(double)), may_alias));
typedef double loose
    __attribute__((vector_size(S * sizeof(double)), aligned(sizeof(double)), may_alias));

/* --- the rows, packed ------------------------------------------------------------------------ */

typedef struct part {
    size_t first, rows; /* in the packed arrays, first a multiple of CHUNK */
    int fold;
} part;

/*
 * The rows used, fold by fold, each part padded with rows of zeros to whole chunks. Columns: 1 for
 * the intercept, then the features that vary, (x - mean) / sd. Within chunk c, row t and column j
 * stand at x[(c * m + j) * CHUNK + t]: everything here runs over rows.
 */
typedef struct design {
    size_t n, m;             /* rows; columns with the intercept */
    size_t k, pairs, *known; /* (k) classes with rows, and pairs of them */
    size_t products;         /* of columns: m (m + 1) / 2 */
    size_t *column;          /* (m - 1) of x */
    double *mean, *sd;       /* (m - 1) */
    size_t n_parts, packed;  /* packed: rows with the padding */
    part *parts;
    double *x;
    double *label; /* (packed) index among the known classes; -1 in the padding */
    bool threads;
} design;

static void design_free(design *d)
{
    free(d->known), free(d->column), free(d->mean), free(d->sd), free(d->parts);
    free(d->x), free(d->label);
}

/* Rows by class, and what can be wrong with labels and folds. counts: (classes). */
static lb_status count_rows(size_t n, const int *label, size_t classes, const int *fold,
                            size_t folds, size_t *counts, lb_error *err)
{
    lb_status st = LB_OK;
    size_t *in_fold = lb_xcalloc(folds * (classes + 1), sizeof *in_fold), known = 0;
    for (size_t i = 0; i < n && st == LB_OK; i++) {
        if (label[i] == -1)
            continue;
        const int f = fold ? fold[i] : 0;
        if (label[i] < 0 || (size_t)label[i] >= classes)
            st = LB_FAIL(err, LB_EINVAL, "label %d of row %zu, must be -1 .. %zu - 1", label[i], i,
                         classes);
        else if (f < 0 || (size_t)f >= folds)
            st = LB_FAIL(err, LB_EINVAL, "fold %d of row %zu, must be 0 .. %zu - 1", f, i, folds);
        else {
            counts[label[i]]++;
            in_fold[(size_t)f * (classes + 1) + (size_t)label[i]]++;
            in_fold[(size_t)f * (classes + 1) + classes]++;
        }
    }
    for (size_t k = 0; k < classes; k++)
        known += counts[k] > 0;
    if (st == LB_OK && known < 2)
        st = LB_FAIL(err, LB_EINVAL,
                     "logistic regression on rows of %zu class%s: there must be two to tell apart",
                     known, known == 1 ? "" : "es");
    for (size_t f = 0; f < folds && folds > 1 && st == LB_OK; f++) {
        if (in_fold[f * (classes + 1) + classes] == 0)
            st = LB_FAIL(err, LB_EINVAL, "fold %zu of %zu has no row", f, folds);
        for (size_t k = 0; k < classes && st == LB_OK; k++)
            if (counts[k] > 0 && in_fold[f * (classes + 1) + k] == counts[k])
                st = LB_FAIL(err, LB_EINVAL,
                             "all %zu rows of class %zu are in fold %zu, so it cannot be learned "
                             "without that fold: spread them, or leave the class out (label -1)",
                             counts[k], k, f);
    }
    free(in_fold);
    return st;
}

/* Column by column over the rows used: mean and standard deviation, or constant. A range of a few
 * ulps counts as constant. */
static lb_status scale_columns(design *d, lb_cmat x, const int *label, bool *dropped, lb_error *err)
{
    for (size_t j = 0; j < x.cols; j++) {
        double low = INFINITY, high = -INFINITY, sum = 0.0, squares = 0.0, origin = 0.0;
        size_t n = 0;
        for (size_t i = 0; i < x.rows; i++) {
            if (label[i] == -1)
                continue;
            const double value = x.data[i * x.stride + j];
            if (!isfinite(value))
                return LB_FAIL(err, LB_ENUMERIC, "x[%zu][%zu] is %g: leave the row out (label -1)",
                               i, j, value);
            origin = n++ ? origin : value;
            low = value < low ? value : low;
            high = value > high ? value : high;
            sum += value - origin;
        }
        dropped[j] = high - low <= 8.0 * DBL_EPSILON * fmax(fabs(low), fabs(high));
        if (dropped[j])
            continue;
        const double mean = origin + sum / (double)n;
        for (size_t i = 0; i < x.rows; i++)
            if (label[i] != -1) {
                const double away = x.data[i * x.stride + j] - mean;
                squares += away * away;
            }
        const double sd = sqrt(squares / (double)n);
        if (!(sd >= 1e-100 && sd <= 1e100))
            return LB_FAIL(err, LB_ENUMERIC,
                           "column %zu of x runs from %g to %g: rescale it, its standard deviation "
                           "must be in 1e-100 .. 1e100",
                           j, low, high);
        d->column[d->m - 1] = j;
        d->mean[d->m - 1] = mean;
        d->sd[d->m - 1] = sd;
        d->m++;
    }
    return LB_OK;
}

/* Where the rows of each fold go. */
static void lay_out(design *d, const int *label, const int *fold, size_t n, size_t folds)
{
    const size_t most = (PARTS + folds - 1) / folds;
    d->parts = lb_xcalloc(folds * most, sizeof *d->parts);
    for (size_t f = 0; f < folds; f++) {
        size_t rows = 0;
        for (size_t i = 0; i < n; i++)
            rows += label[i] != -1 && (!fold || (size_t)fold[i] == f);
        const size_t share = (rows + most - 1) / most, size = (share + CHUNK - 1) / CHUNK * CHUNK;
        for (size_t done = 0; done < rows; done += size) {
            const size_t here = rows - done < size ? rows - done : size;
            d->parts[d->n_parts++] = (part){d->packed, here, (int)f};
            d->packed += (here + CHUNK - 1) / CHUNK * CHUNK;
        }
        d->n += rows;
    }
}

static void pack_row(design *d, size_t at, const double *x, double label)
{
    double *slot = d->x + at / CHUNK * d->m * CHUNK + at % CHUNK;
    slot[0] = 1.0;
    for (size_t j = 1; j < d->m; j++)
        slot[j * CHUNK] = (x[d->column[j - 1]] - d->mean[j - 1]) / d->sd[j - 1];
    d->label[at] = label;
}

/* The parts of a fold follow each other, so its rows are read once, in the order of x. */
static void pack(design *d, lb_cmat x, const int *label, const int *fold)
{
    d->x = lb_xaligned(d->packed * d->m, sizeof *d->x);
    d->label = lb_xaligned(d->packed, sizeof *d->label);
    memset(d->x, 0, d->packed * d->m * sizeof *d->x);
    for (size_t i = 0; i < d->packed; i++)
        d->label[i] = -1.0;
    size_t at = 0;
    for (size_t p = 0; p < d->n_parts; p++) {
        const part *to = &d->parts[p];
        if (p > 0 && to->fold != to[-1].fold)
            at = 0;
        for (size_t r = 0; r < to->rows; at++) {
            if (label[at] == -1 || (fold && fold[at] != to->fold))
                continue;
            size_t k = 0;
            while (d->known[k] != (size_t)label[at])
                k++;
            pack_row(d, to->first + r++, x.data + at * x.stride, (double)k);
        }
    }
}

/* counts (classes) and dropped (columns) are those of the models to come. */
static lb_status design_make(design *d, lb_cmat x, const int *label, size_t classes,
                             const int *fold, size_t folds, size_t *counts, bool *dropped,
                             lb_error *err)
{
    if (x.cols == 0)
        return LB_FAIL(err, LB_EINVAL, "logistic regression on a %zux0 matrix", x.rows);
    lb_status st = count_rows(x.rows, label, classes, fold, folds, counts, err);
    if (st != LB_OK)
        return st;
    d->known = lb_xcalloc(classes, sizeof *d->known);
    d->column = lb_xcalloc(x.cols, sizeof *d->column);
    d->mean = lb_xcalloc(x.cols, sizeof *d->mean);
    d->sd = lb_xcalloc(x.cols, sizeof *d->sd);
    for (size_t k = 0; k < classes; k++)
        if (counts[k] > 0)
            d->known[d->k++] = k;
    if ((st = scale_columns(d, x, label, dropped, err)) != LB_OK)
        return st;
    if (d->k * d->m > LB_LOGISTIC_UNKNOWNS)
        return LB_FAIL(err, LB_EINVAL,
                       "%zu classes and %zu features make %zu unknowns, at most %d fit a Newton "
                       "step: fewer features, for instance principal components",
                       d->k, d->m - 1, d->k * d->m, LB_LOGISTIC_UNKNOWNS);
    d->pairs = d->k * (d->k - 1) / 2;
    d->products = d->m * (d->m + 1) / 2;
    lay_out(d, label, fold, x.rows, folds);
    d->threads = d->n * d->pairs * d->products >= SERIAL;
    pack(d, x, label, fold);
    return LB_OK;
}

/* --- objective and gradient ------------------------------------------------------------------ */

/* exp(x) of x <= 0, 0 below -707. x = n ln 2 + r with a Taylor series for r, |r| <= ln 2 / 2 (its
 * next term is below 5e-18); n is added to the exponent. Adding 1.5 * 2^52 rounds x / ln 2 to n and
 * leaves n in the low bits. */
INLINE double exp_negative(double x)
{
    union {
        double f;
        uint64_t i;
    } n = {.f = x * 0x1.71547652b82fep0 + 0x1.8p52}, y;
    const double whole = n.f - 0x1.8p52;
    const double r = (x - whole * 0x1.62e42fefa3800p-1) - whole * 0x1.ef35793c76730p-45;
    y.f = 1.0 / 6227020800;
    y.f = y.f * r + 1.0 / 479001600;
    y.f = y.f * r + 1.0 / 39916800;
    y.f = y.f * r + 1.0 / 3628800;
    y.f = y.f * r + 1.0 / 362880;
    y.f = y.f * r + 1.0 / 40320;
    y.f = y.f * r + 1.0 / 5040;
    y.f = y.f * r + 1.0 / 720;
    y.f = y.f * r + 1.0 / 120;
    y.f = y.f * r + 1.0 / 24;
    y.f = y.f * r + 1.0 / 6;
    y.f = y.f * r + 0.5;
    y.f = y.f * r + 1.0;
    y.f = y.f * r + 1.0;
    y.i += n.i << 52;
    return x >= -707.0 ? y.f : 0.0;
}

INLINE void clear(strip sum[ACROSS][DOWN])
{
    for (size_t q = 0; q < ACROSS; q++)
        for (size_t i = 0; i < DOWN; i++)
            sum[q][i] = (strip){0.0};
}

/* z(k, t) = v_k'x_t for one chunk, a block of classes by strips of rows at a time. Beyond the last
 * class a block repeats it, for nothing; so does gradient_of(). */
INLINE void logits(const design *d, const double *v, const double *x, double *z)
{
    for (size_t k = 0; k < d->k; k += ACROSS)
        for (size_t t = 0; t < CHUNK; t += DOWN * S) {
            strip sum[ACROSS][DOWN];
            clear(sum);
            for (size_t j = 0; j < d->m; j++)
                for (size_t q = 0; q < ACROSS; q++)
                    for (size_t i = 0; i < DOWN; i++)
                        sum[q][i] += v[(k + q < d->k ? k + q : d->k - 1) * d->m + j] *
                                     *(const strip *)(x + j * CHUNK + t + i * S);
            for (size_t q = 0; q < ACROSS && k + q < d->k; q++)
                memcpy(z + (k + q) * CHUNK + t, sum[q], sizeof sum[q]);
        }
}

/* What a row's loss is made of: -log p of the true class is far + log(sum), and where that class
 * has nearly everything -log1p(-others), which keeps its digits. */
typedef struct row_sums {
    double top[CHUNK];    /* largest logit */
    double sum[CHUNK];    /* of exp(z - top) */
    double far[CHUNK];    /* top - z of the true class */
    double others[CHUNK]; /* probability of the classes that are not true */
} row_sums;

/* Logits in p become probabilities, and r(k, t) = p(k, t) - [label is k], the derivative of row t's
 * loss by logit k. For the true class that is minus the sum of the others: p - 1 would lose the
 * digits that matter when a row is all but certain. */
INLINE void residuals(const design *d, const double *label, double *p, double *r, row_sums *s)
{
    *s = (row_sums){0};
    memcpy(s->top, p, sizeof s->top);
    for (size_t k = 1; k < d->k; k++)
        for (size_t t = 0; t < CHUNK; t++)
            s->top[t] = p[k * CHUNK + t] > s->top[t] ? p[k * CHUNK + t] : s->top[t];
    for (size_t k = 0; k < d->k; k++)
        for (size_t t = 0; t < CHUNK; t++) {
            const double below = p[k * CHUNK + t] - s->top[t];
            s->far[t] = label[t] == (double)k ? -below : s->far[t];
            p[k * CHUNK + t] = exp_negative(below);
            s->sum[t] += p[k * CHUNK + t];
        }
    for (size_t t = 0; t < CHUNK; t++)
        s->top[t] = 1.0 / s->sum[t];
    for (size_t k = 0; k < d->k; k++)
        for (size_t t = 0; t < CHUNK; t++) {
            p[k * CHUNK + t] *= s->top[t];
            r[k * CHUNK + t] = label[t] == (double)k ? 0.0 : p[k * CHUNK + t];
            s->others[t] += r[k * CHUNK + t];
        }
    for (size_t k = 0; k < d->k; k++)
        for (size_t t = 0; t < CHUNK; t++)
            r[k * CHUNK + t] -= label[t] == (double)k ? s->others[t] : 0.0;
}

/* g(k, j) += sum over t of r(k, t) x(t, j), rows t, t + S, t + 2 S ... in a lane of their own. */
INLINE void gradient_of(const design *d, const double *r, const double *x, strip *g)
{
    for (size_t k = 0; k < d->k; k += ACROSS)
        for (size_t j = 0; j < d->m; j += DOWN) {
            strip sum[ACROSS][DOWN];
            clear(sum);
            for (size_t t = 0; t < CHUNK; t += S)
                for (size_t q = 0; q < ACROSS; q++)
                    for (size_t i = 0; i < DOWN; i++)
                        sum[q][i] +=
                            *(const strip *)(r + (k + q < d->k ? k + q : d->k - 1) * CHUNK + t) *
                            *(const strip *)(x + (j + i < d->m ? j + i : d->m - 1) * CHUNK + t);
            for (size_t q = 0; q < ACROSS && k + q < d->k; q++)
                for (size_t i = 0; i < DOWN && j + i < d->m; i++)
                    g[(k + q) * d->m + j + i] += sum[q][i];
        }
}

LB_FOR_EVERY_CPU static void evaluate_chunk(const design *d, size_t first, const double *v,
                                            double *p, double *r, strip *g, row_sums *s)
{
    const double *x = d->x + first * d->m;
    logits(d, v, x, p);
    residuals(d, d->label + first, p, r, s);
    gradient_of(d, r, x, g); /* rows of the padding are 0 */
}

/* --- Newton's method ------------------------------------------------------------------------- */

/* One minimisation: the rows of all folds but one, one C. Unknowns v(class, column) of the packed
 * columns, element k * m + j. Sums over rows are not divided by n but where it says so. */
typedef struct solver {
    const design *d;
    int out;                            /* fold left out, -1: none */
    size_t n, iterations;               /* rows in; steps taken */
    double *penalty;                    /* (m) of v(k, j)^2 / 2; 0 for the intercept */
    double *v, *g, *step, *try, *try_g; /* (k m), parts of block */
    double *block;
    double f, gradient;      /* objective at v; largest |g| / n */
    double *p, *r;           /* (packed, k) probabilities; (parts, k, CHUNK) residuals */
    strip *part_g;           /* (parts, k, m), a lane for every S-th row */
    double *part_f;          /* (parts) */
    double *grams;           /* (parts, pairs, products) */
    double *gram, *h, *unit; /* their sum; (k m, k m) Hessian; (k m) 1 / sqrt(diagonal) */
    lb_cholesky *room;       /* its factor */
    bool factored;
} solver;

static void solver_free(solver *s)
{
    free(s->penalty), free(s->block), free(s->p), free(s->part_g), free(s->part_f);
    free(s->grams), free(s->gram);
    lb_cholesky_free(s->room);
}

static solver solver_make(const design *d, int out)
{
    const size_t u = d->k * d->m;
    solver s = {.d = d, .out = out};
    s.penalty = lb_xcalloc(d->m, sizeof *s.penalty);
    s.block = s.v = lb_xcalloc(6 * u, sizeof *s.v);
    s.g = s.v + u, s.step = s.g + u, s.try = s.step + u, s.try_g = s.try + u;
    s.unit = s.try_g + u;
    s.p = lb_xaligned((d->packed + d->n_parts * CHUNK) * d->k, sizeof *s.p);
    s.r = s.p + d->packed * d->k;
    s.part_g = lb_xaligned(d->n_parts * u, sizeof *s.part_g);
    s.part_f = lb_xcalloc(d->n_parts, sizeof *s.part_f);
    s.grams = lb_xaligned(d->n_parts * d->pairs * d->products, sizeof *s.grams);
    s.gram = lb_xcalloc(d->pairs * d->products + u * u, sizeof *s.gram);
    s.h = s.gram + d->pairs * d->products;
    s.room = lb_cholesky_new(u);
    for (size_t i = 0; i < d->n_parts; i++)
        s.n += d->parts[i].fold != out ? d->parts[i].rows : 0;
    return s;
}

/* Loss and its gradient over one part, probabilities on the way. */
static void evaluate_part(solver *s, size_t i, const double *v)
{
    const design *d = s->d;
    const part *at = &d->parts[i];
    strip *g = s->part_g + i * d->k * d->m;
    double loss = 0.0;
    row_sums sums;
    memset(g, 0, d->k * d->m * sizeof *g);
    for (size_t done = 0; done < at->rows; done += CHUNK) {
        const size_t first = at->first + done, rest = at->rows - done;
        evaluate_chunk(d, first, v, s->p + first * d->k, s->r + i * d->k * CHUNK, g, &sums);
        for (size_t t = 0; t < CHUNK && t < rest; t++)
            loss += sums.others[t] < 0.3 ? -log1p(-sums.others[t]) : sums.far[t] + log(sums.sum[t]);
    }
    s->part_f[i] = loss;
}

/* Objective at v, and its gradient. */
static double evaluate(solver *s, const double *v, double *g)
{
    const design *d = s->d;
#pragma omp parallel for schedule(dynamic, 1) if (d->threads)
    for (size_t i = 0; i < d->n_parts; i++)
        if (d->parts[i].fold != s->out)
            evaluate_part(s, i, v);
    double f = 0.0;
    for (size_t k = 0; k < d->k; k++)
        for (size_t j = 0; j < d->m; j++) {
            const double v_kj = v[k * d->m + j];
            f += 0.5 * s->penalty[j] * v_kj * v_kj;
            g[k * d->m + j] = s->penalty[j] * v_kj;
        }
    for (size_t i = 0; i < d->n_parts; i++) {
        if (d->parts[i].fold == s->out)
            continue;
        f += s->part_f[i];
        for (size_t u = 0; u < d->k * d->m; u++)
            for (size_t lane = 0; lane < S; lane++)
                g[u] += s->part_g[i * d->k * d->m + u][lane];
    }
    return f;
}

/*
 * Products of pairs of columns go by cyclic diagonals, so that each is one stretch of memory:
 * number (d - d0) m + b is column b times column (b + d) mod m, for d0 <= d <= m / 2 and b < m, or
 * b < m / 2 where 2 d = m. Features start at d0 = 0, the squares; classes at 1.
 */
static size_t pair_number(size_t m, size_t d0, size_t a, size_t b)
{
    const size_t up = (b + m - a) % m, down = m - up;
    return up < down || (up == down && a < b) ? (up - d0) * m + a : (down % m - d0) * m + b;
}

/* Products of diagonals from .. to-1 for some rows, as strips for lb_cross_add(). Column b of row t
 * is x[b * CHUNK + t]. Products are made S at a time, those too many overwritten by the next
 * diagonal. It goes by a few rows, so that nothing is read back just after it was written in pieces
 * of another size. Scratch: BATCH rows of 2 m + S zeros and of (to - from) m + S. */
LB_FOR_EVERY_CPU static void pack_pairs(size_t rows, const double *x, size_t m, size_t from,
                                        size_t to, double *scratch, double *out)
{
    const size_t twice = 2 * m + S, flat = (to - from) * m + S;
    double *products = scratch + BATCH * twice;
    for (size_t t0 = 0; t0 < rows; t0 += BATCH) {
        for (size_t b = 0; b < m; b++)
            for (size_t t = 0; t < BATCH; t++)
                scratch[t * twice + b] = scratch[t * twice + m + b] = x[b * CHUNK + t0 + t];
        size_t cols = 0;
        for (size_t t = 0; t < BATCH; t++) {
            const double *row = scratch + t * twice;
            cols = 0;
            for (size_t d = from; d < to; d++) {
                const size_t n = 2 * d == m ? m / 2 : m;
                for (size_t b = 0; b < n; b += S)
                    *(loose *)(products + t * flat + cols + b) =
                        *(const loose *)(row + b) * *(const loose *)(row + b + d);
                cols += n;
            }
        }
        for (size_t t = 0; t < BATCH; t++)
            for (size_t i = 0; i < cols; i += S)
                *(strip *)(out + i * CHUNK + (t0 + t) * S) = *(loose *)(products + t * flat + i);
    }
}

/*
 * What the Hessian is made of, for one part: gram(q, c) = sum over rows of p_k p_l x_a x_b for the
 * pair q = (k, l) of classes and c = (a, b) of columns.
 */
static void weigh_part(solver *s, size_t i)
{
    const design *d = s->d;
    const part *at = &d->parts[i];
    const size_t diagonals = d->m / 2 + 1, some = TILE / d->m + 1, wide = some * d->m;
    double *gram = s->grams + i * d->pairs * d->products;
    double *weights = lb_xaligned(lb_strips_size(CHUNK, d->pairs), sizeof *weights);
    double *products = lb_xaligned(lb_strips_size(CHUNK, wide), sizeof *products);
    double *scratch =
        lb_xcalloc(BATCH * (2 * (d->m + d->k) + wide + d->k * d->k + 2 * S), sizeof *scratch);
    memset(gram, 0, d->pairs * d->products * sizeof *gram);
    for (size_t done = 0; done < at->rows; done += CHUNK) {
        const size_t first = at->first + done;
        const size_t rows = at->rows - done < CHUNK ? at->rows - done : CHUNK;
        pack_pairs(rows, s->p + first * d->k, d->k, 1, d->k / 2 + 1, scratch, weights);
        for (size_t from = 0; from < diagonals; from += some) {
            const size_t to = from + some < diagonals ? from + some : diagonals;
            const size_t c0 = from * d->m, c1 = to * d->m;
            const size_t cols = (c1 < d->products ? c1 : d->products) - c0;
            pack_pairs(rows, d->x + first * d->m, d->m, from, to, scratch, products);
            lb_cross_add((lb_strips){weights, rows, d->pairs, CHUNK},
                         (lb_strips){products, rows, cols, CHUNK}, false,
                         (lb_mat){gram + c0, d->pairs, cols, d->products});
        }
    }
    free(weights), free(products), free(scratch);
}

/*
 * The Hessian from the sums of weigh_part() for the parts that are in:
 *   H(ka, lb) = -gram(kl, ab) for k != l,  H(ka, kb) = sum over l != k of gram(kl, ab) + penalty,
 * the second because p_k (1 - p_k) is the sum of p_k p_l. Column by column it is then raised along
 * the direction that changes no probability, to its own mean.
 */
static void assemble(solver *s, const double *grams)
{
    const design *d = s->d;
    const size_t m = d->m, u = d->k * m, size = d->pairs * d->products;
    memset(s->gram, 0, (size + u * u) * sizeof *s->gram);
    for (size_t i = 0; i < d->n_parts; i++)
        for (size_t c = 0; c < size && d->parts[i].fold != s->out; c++)
            s->gram[c] += grams[i * size + c];
    for (size_t k = 0; k < d->k; k++)
        for (size_t l = 0; l < d->k; l++)
            for (size_t a = 0; a < m && k != l; a++)
                for (size_t b = 0; b < m; b++) {
                    const double sum =
                        s->gram[pair_number(d->k, 1, k, l) * d->products + pair_number(m, 0, a, b)];
                    s->h[(k * m + a) * u + l * m + b] = -sum;
                    s->h[(k * m + a) * u + k * m + b] += sum;
                }
    for (size_t a = 0; a < m; a++) {
        double mean = 0.0;
        for (size_t k = 0; k < d->k; k++)
            mean += s->h[(k * m + a) * (u + 1)] / (double)d->k;
        for (size_t k = 0; k < d->k; k++) {
            for (size_t l = 0; l < d->k; l++)
                s->h[(k * m + a) * u + l * m + a] += mean / (double)d->k;
            s->h[(k * m + a) * (u + 1)] += s->penalty[a];
        }
    }
}

/* Factor it with a diagonal of ones, and where rounding has left it indefinite with the least of a
 * few shifts that helps: the steps are then shorter, their direction still downhill. */
static lb_status factor(solver *s, const double *grams, lb_error *err)
{
    const size_t u = s->d->k * s->d->m;
    const int threads = omp_get_max_threads();
    if (u < SINGLE)
        omp_set_num_threads(1); /* lb_cholesky_factor() asks for all */
    assemble(s, grams);
    for (size_t i = 0; i < u; i++)
        s->unit[i] = s->h[i * (u + 1)] > 0.0 ? 1.0 / sqrt(s->h[i * (u + 1)]) : 1.0;
    lb_status st = LB_ENUMERIC;
    for (double shift = 0.0; st != LB_OK && shift <= 1.0; shift = shift > 0 ? 1e3 * shift : 1e-15) {
        for (size_t j = 0; j < u; j++)
            for (size_t i = 0; i <= j; i++)
                *lb_cholesky_place(s->room, i, j) = s->h[i * u + j] * s->unit[i] * s->unit[j];
        st = lb_cholesky_factor(s->room, shift, NULL);
    }
    omp_set_num_threads(threads);
    s->factored = st == LB_OK;
    if (st != LB_OK)
        return LB_FAIL(err, st, "logistic regression: a Hessian of %zu unknowns cannot be factored",
                       u);
    return LB_OK;
}

/* The Hessian at v, whose probabilities are in p. */
static lb_status newton_factor(solver *s, lb_error *err)
{
    const design *d = s->d;
#pragma omp parallel for schedule(dynamic, 1) if (d->threads)
    for (size_t i = 0; i < d->n_parts; i++)
        if (d->parts[i].fold != s->out)
            weigh_part(s, i);
    return factor(s, s->grams, err);
}

/* step = -H^-1 g, its sums over the classes cleared of rounding. */
static void find_step(solver *s)
{
    const size_t k = s->d->k, m = s->d->m, u = k * m;
    for (size_t i = 0; i < u; i++)
        s->step[i] = -s->g[i] * s->unit[i];
    lb_cholesky_solve(s->room, (lb_vec){s->step, u});
    for (size_t j = 0; j < m; j++) {
        double mean = 0.0;
        for (size_t i = j; i < u; i += m)
            mean += s->step[i] * s->unit[i] / (double)k;
        for (size_t i = j; i < u; i += m)
            s->step[i] = s->step[i] * s->unit[i] - mean;
    }
}

/* Whether the step is next to nothing, in the packed columns and per unit of x. */
static bool step_is_small(const solver *s)
{
    const size_t m = s->d->m, u = s->d->k * m;
    double v = 0.0, step = 0.0, w = 0.0, step_w = 0.0;
    for (size_t i = 0; i < u; i++) {
        v = fmax(v, fabs(s->v[i]));
        step = fmax(step, fabs(s->step[i]));
        if (i % m == 0)
            continue;
        const double sd = s->d->sd[i % m - 1];
        w = fmax(w, fabs(s->v[i]) / sd);
        step_w = fmax(step_w, fabs(s->step[i]) / sd);
    }
    return step <= NEGLIGIBLE * v && step_w <= NEGLIGIBLE * w;
}

static double slope(const solver *s, const double *g)
{
    double sum = 0.0;
    for (size_t i = 0; i < s->d->k * s->d->m; i++)
        sum += g[i] * s->step[i];
    return sum;
}

static void arrive(solver *s, double f)
{
    double *v = s->v, *g = s->g;
    s->v = s->try, s->try = v;
    s->g = s->try_g, s->try_g = g;
    s->f = f;
    s->gradient = 0.0;
    for (size_t i = 0; i < s->d->k * s->d->m; i++)
        s->gradient = fmax(s->gradient, fabs(s->g[i]) / (double)s->n);
}

/* Go along the step as far as the objective falls enough: all of it, or a part found from the two
 * slopes. Returns the part, 0 if there is none. */
static double advance(solver *s)
{
    const double before = slope(s, s->g);
    double share = 1.0;
    for (int i = 0; i < HALVINGS; i++) {
        for (size_t j = 0; j < s->d->k * s->d->m; j++)
            s->try[j] = s->v[j] + share * s->step[j];
        const double f = evaluate(s, s->try, s->try_g), after = slope(s, s->try_g);
        if (f <= s->f + 1e-4 * share * before ||
            (f <= s->f * (1.0 + 1e-12) && fabs(after) <= 0.8 * fabs(before))) {
            arrive(s, f);
            s->iterations++;
            return share;
        }
        const double zero = before / (before - after); /* of the slope, were it linear */
        share *= zero > 0.1 ? fmin(zero, 0.5) : 0.1;
    }
    return 0.0;
}

/* From v, and from the factor of a Hessian near v if there is one, to the minimum. */
static lb_status minimise(solver *s, lb_error *err)
{
    double last = INFINITY; /* gradient before the last step */
    bool whole = true;      /* that step was not shortened */
    bool newton = false;    /* nor was its Hessian that of another place */
    memcpy(s->try, s->v, s->d->k * s->d->m * sizeof *s->v);
    arrive(s, evaluate(s, s->try, s->try_g));
    for (int steps = 0; steps < STEPS; steps++) {
        const bool stalled = newton && s->gradient > 0.5 * last;
        if (s->factored)
            find_step(s);
        if (s->factored && s->gradient <= LB_LOGISTIC_GRADIENT && (stalled || step_is_small(s)))
            return LB_OK;
        const bool fresh = !s->factored || !whole || s->gradient > 0.1 * last;
        if (fresh) {
            const lb_status st = newton_factor(s, err);
            if (st != LB_OK)
                return st;
            find_step(s);
        }
        last = s->gradient;
        const double share = advance(s);
        if (share == 0.0 && s->gradient <= LB_LOGISTIC_GRADIENT)
            return LB_OK; /* as far down as rounding lets it go */
        if (share == 0.0)
            break;
        whole = share == 1.0;
        newton = whole && fresh;
    }
    return LB_FAIL(err, LB_ENUMERIC,
                   "logistic regression on %zu rows stopped after %zu steps at a gradient of %g a "
                   "row, wanted %g: a smaller C helps where classes are separable",
                   s->n, s->iterations, s->gradient, LB_LOGISTIC_GRADIENT);
}

/* --- models ---------------------------------------------------------------------------------- */

/* The penalty |w|^2 / (2 C) in terms of v = w sd. */
static lb_status set_penalty(solver *s, double C, bool standardise, lb_error *err)
{
    for (size_t j = 1; j < s->d->m; j++) {
        const double sd = standardise ? 1.0 : s->d->sd[j - 1];
        s->penalty[j] = 1.0 / C / sd / sd;
        if (!(C > 0.0 && s->penalty[j] > 0.0 && isfinite(s->penalty[j])))
            return LB_FAIL(err, LB_EINVAL,
                           "C = %g, must be positive and 1 / C in range for columns of standard "
                           "deviation %g",
                           C, sd);
    }
    return LB_OK;
}

static lb_logistic *model_new(size_t classes, size_t features)
{
    lb_logistic *m = lb_xcalloc(1, sizeof *m);
    m->w = lb_mat_new(classes, features);
    m->b = lb_xcalloc(classes + 1, sizeof *m->b);
    m->rows = lb_xcalloc(classes + 1, sizeof *m->rows);
    m->dropped = lb_xcalloc(features + 1, sizeof *m->dropped);
    return m;
}

void lb_logistic_free(lb_logistic *m)
{
    if (!m)
        return;
    free(m->w.data), free(m->b), free(m->rows), free(m->dropped);
    free(m);
}

/* v'(x - mean) / sd in terms of x. */
static void model_fill(lb_logistic *m, const solver *s, double C)
{
    const design *d = s->d;
    m->C = C;
    m->gradient = s->gradient;
    m->iterations = s->iterations;
    m->n_rows = d->n;
    m->n_dropped = m->w.cols - (d->m - 1);
    for (size_t k = 0; k < m->w.rows; k++)
        m->b[k] = -INFINITY;
    for (size_t k = 0; k < d->k; k++) {
        double *w = m->w.data + d->known[k] * m->w.stride, *b = &m->b[d->known[k]];
        *b = s->v[k * d->m];
        for (size_t j = 1; j < d->m; j++) {
            w[d->column[j - 1]] = s->v[k * d->m + j] / d->sd[j - 1];
            *b -= w[d->column[j - 1]] * d->mean[j - 1];
        }
    }
}

lb_status lb_logistic_fit(lb_cmat x, const int *label, size_t classes, double C, bool standardise,
                          lb_logistic **out, lb_error *err)
{
    *out = NULL;
    design d = {.m = 1};
    solver s = {0};
    lb_logistic *m = model_new(classes, x.cols);
    lb_status st;
    if (!(C > 0.0) || isinf(C)) {
        st = LB_FAIL(err, LB_EINVAL, "C = %g, must be positive and finite", C);
        goto done;
    }
    if ((st = design_make(&d, x, label, classes, NULL, 1, m->rows, m->dropped, err)) != LB_OK)
        goto done;
    s = solver_make(&d, -1);
    if ((st = set_penalty(&s, C, standardise, err)) != LB_OK)
        goto done;
    if ((st = minimise(&s, err)) != LB_OK)
        goto done;
    model_fill(m, &s, C);
    *out = m;
    m = NULL;
done:
    lb_logistic_free(m);
    solver_free(&s);
    design_free(&d);
    return st;
}

/* --- cross-validation ------------------------------------------------------------------------ */

typedef struct fold_score {
    double log_loss, accuracy;
    lb_status st;
    lb_error err;
} fold_score;

/* Mean loss and accuracy at v of the rows of the fold that was left out. */
static void score(solver *s, fold_score *out)
{
    const design *d = s->d;
    size_t n = 0, hits = 0;
    for (size_t i = 0; i < d->n_parts; i++) {
        const part *at = &d->parts[i];
        if (at->fold != s->out)
            continue;
        evaluate_part(s, i, s->v);
        out->log_loss += s->part_f[i];
        n += at->rows;
        for (size_t r = at->first; r < at->first + at->rows; r++) {
            const double *p = s->p + r / CHUNK * CHUNK * d->k + r % CHUNK;
            size_t top = 0;
            for (size_t k = 1; k < d->k; k++)
                top = p[k * CHUNK] > p[top * CHUNK] ? k : top;
            hits += (double)top == d->label[r];
        }
    }
    out->log_loss /= (double)n;
    out->accuracy = (double)hits / (double)n;
}

/* Fit without fold f. It starts where the fit on all rows ended, plus as far away from there as
 * this fold's fit ended for the last C. The Hessian there is near that of all rows less the fold's,
 * whose parts lie in all->grams. */
static void run_fold(const solver *all, int f, double *away, fold_score *out)
{
    const design *d = all->d;
    solver s = solver_make(d, f);
    *out = (fold_score){0};
    memcpy(s.penalty, all->penalty, d->m * sizeof *s.penalty);
    for (size_t u = 0; u < d->k * d->m; u++)
        s.v[u] = all->v[u] + away[u];
    if ((out->st = factor(&s, all->grams, &out->err)) != LB_OK)
        goto done;
    if ((out->st = minimise(&s, &out->err)) != LB_OK)
        goto done;
    for (size_t u = 0; u < d->k * d->m; u++)
        away[u] = s.v[u] - all->v[u];
    score(&s, out);
done:
    solver_free(&s);
}

/* All folds at the C and the place of @p all: means of their scores. away: (folds, unknowns). */
static lb_status run_folds(const solver *all, size_t folds, double *away, double *log_loss,
                           double *accuracy, lb_error *err)
{
    fold_score *scores = lb_xcalloc(folds, sizeof *scores);
    lb_status st = LB_OK;
#pragma omp parallel for schedule(dynamic, 1) if (all->d->threads)
    for (size_t f = 0; f < folds; f++)
        run_fold(all, (int)f, away + f * all->d->k * all->d->m, &scores[f]);
    for (size_t f = 0; f < folds && st == LB_OK; f++) {
        *log_loss += scores[f].log_loss / (double)folds;
        *accuracy += scores[f].accuracy / (double)folds;
        if ((st = scores[f].st) != LB_OK)
            LB_FAIL(err, st, "without fold %zu: %s", f, scores[f].err.text);
    }
    free(scores);
    return st;
}

void lb_logistic_cv_free(lb_logistic_cv *cv)
{
    if (!cv)
        return;
    free(cv->C), free(cv->log_loss), free(cv->accuracy);
    lb_logistic_free(cv->model);
    free(cv);
}

static lb_status check_grid(lb_cvec Cs, size_t folds, lb_error *err)
{
    if (Cs.n == 0)
        return LB_FAIL(err, LB_EINVAL, "no C to choose from");
    if (folds < 2)
        return LB_FAIL(err, LB_EINVAL, "cross-validation in %zu folds, needs two or more", folds);
    for (size_t c = 0; c < Cs.n; c++)
        if (!(Cs.data[c] > (c ? Cs.data[c - 1] : 0.0)) || isinf(Cs.data[c]))
            return LB_FAIL(err, LB_EINVAL, "C[%zu] = %g: the grid must be positive and ascending",
                           c, Cs.data[c]);
    return LB_OK;
}

/* One C: the fit on all rows, from where the last C ended, and those without a fold. */
static lb_status run_one(lb_logistic_cv *cv, size_t c, solver *s, size_t folds, double *away,
                         bool standardise, lb_error *err)
{
    lb_status st = set_penalty(s, cv->C[c], standardise, err);
    if (st == LB_OK && c > 0)
        st = factor(s, s->grams, err); /* gathered at the last C's end */
    if (st == LB_OK)
        st = minimise(s, err);
    if (st == LB_OK)
        st = newton_factor(s, err);
    if (st == LB_OK)
        st = run_folds(s, folds, away, &cv->log_loss[c], &cv->accuracy[c], err);
    if (st == LB_OK && (c == 0 || cv->log_loss[c] < cv->log_loss[cv->best] * (1.0 - NEGLIGIBLE))) {
        cv->best = c;
        model_fill(cv->model, s, cv->C[c]);
    }
    if (st != LB_OK)
        lb_error_within(err, "C = %g", cv->C[c]);
    return st;
}

lb_status lb_logistic_fit_cv(lb_cmat x, const int *label, size_t classes, lb_cvec Cs,
                             const int *fold, size_t folds, bool standardise, lb_logistic_cv **out,
                             lb_error *err)
{
    *out = NULL;
    lb_status st = check_grid(Cs, folds, err);
    if (st != LB_OK)
        return st;
    design d = {.m = 1};
    solver s = {0};
    double *away = NULL;
    lb_logistic_cv *cv = lb_xcalloc(1, sizeof *cv);
    cv->n_grid = Cs.n;
    cv->C = lb_xcalloc(Cs.n, sizeof *cv->C);
    cv->log_loss = lb_xcalloc(Cs.n, sizeof *cv->log_loss);
    cv->accuracy = lb_xcalloc(Cs.n, sizeof *cv->accuracy);
    cv->model = model_new(classes, x.cols);
    memcpy(cv->C, Cs.data, Cs.n * sizeof *cv->C);
    if ((st = design_make(&d, x, label, classes, fold, folds, cv->model->rows, cv->model->dropped,
                          err)) != LB_OK)
        goto done;
    s = solver_make(&d, -1);
    away = lb_xcalloc(folds * d.k * d.m, sizeof *away);
    for (size_t c = 0; c < Cs.n; c++)
        if ((st = run_one(cv, c, &s, folds, away, standardise, err)) != LB_OK)
            goto done;
    cv->edge = Cs.n == 1 ? 0 : (cv->best == Cs.n - 1) - (cv->best == 0);
    *out = cv;
    cv = NULL;
done:
    lb_logistic_cv_free(cv);
    free(away);
    solver_free(&s);
    design_free(&d);
    return st;
}

/* --- probabilities --------------------------------------------------------------------------- */

/* b_k + w_k'x times 2^(-2 half), by factors each scaled by 2^-half. */
static double logit(const lb_logistic *m, size_t k, const double *x, int half)
{
    const double *w = m->w.data + k * m->w.stride;
    double sum = ldexp(m->b[k], -2 * half);
    for (size_t j = 0; j < m->w.cols; j++)
        sum += half ? ldexp(w[j], -half) * ldexp(x[j], -half) : w[j] * x[j];
    return sum;
}

/* A logit that leaves the range of doubles on the way is summed again by 2^(-2 HALF), where none
 * does. If the largest is beyond that range, its lead over any other is either nothing or infinite
 * to an exponential. */
static void softmax(const lb_logistic *m, const double *x, double *p)
{
    enum { HALF = 600 };
    double top = -INFINITY, most = -INFINITY, sum = 0.0;
    for (size_t k = 0; k < m->w.rows; k++) {
        p[k] = logit(m, k, x, 0);
        if (!isfinite(p[k]))
            p[k] = ldexp(logit(m, k, x, HALF), 2 * HALF);
        top = fmax(top, p[k]);
    }
    for (size_t k = 0; k < m->w.rows && isinf(top); k++)
        most = fmax(most, logit(m, k, x, HALF));
    for (size_t k = 0; k < m->w.rows; k++)
        sum += p[k] = isinf(top) ? logit(m, k, x, HALF) == most : exp(p[k] - top);
    for (size_t k = 0; k < m->w.rows; k++)
        p[k] /= sum;
}

lb_status lb_logistic_proba(const lb_logistic *m, lb_cmat x, lb_mat p, lb_error *err)
{
    if (x.cols != m->w.cols || p.rows != x.rows || p.cols != m->w.rows)
        return LB_FAIL(err, LB_ESHAPE,
                       "x is %zux%zu and p %zux%zu for a model of %zu features and %zu classes",
                       x.rows, x.cols, p.rows, p.cols, m->w.cols, m->w.rows);
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            if (!isfinite(x.data[i * x.stride + j]))
                return LB_FAIL(err, LB_ENUMERIC, "x[%zu][%zu] is %g", i, j,
                               x.data[i * x.stride + j]);
    for (size_t i = 0; i < x.rows; i++)
        softmax(m, x.data + i * x.stride, p.data + i * p.stride);
    return LB_OK;
}
