/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/pca.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "core/random.h"
#include "linalg/blas.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SPARE = 12,         /* vectors iterated beyond those asked for */
    DENSE_MAX = 128,    /* columns up to which all eigenvectors are computed */
    STREAM_MIN = 1024,  /* columns from which a stream needs no Gram */
    MAX_PRODUCTS = 600, /* with a Gram */
    MAX_PASSES = 40,    /* over a stream */
    MAX_DEGREE = 10,    /* of the filter */
    PANEL = 64,         /* rows of a matrix, or of the stream, that one thread takes */
    SLOTS = 16,         /* sums over a stream that are kept apart, so that threads change no bit */
    READ = PANEL * SLOTS,
};

#define SEED 20
/* Where single precision has done its part: rounding leaves about 1e-7 of the first value. */
#define SINGLE_TOLERANCE 1e-6
#define SINGLE_FLOOR 1e-7
#define AMPLIFICATION 1e10 /* between the first and the last vector, of 1e16 that doubles hold */

/* --- the model ----------------------------------------------------------------------------------
 */

static lb_pca *pca_new(size_t k, size_t p)
{
    lb_pca *m = lb_xcalloc(1, sizeof *m);
    *m = (lb_pca){.components = lb_mat_new(k, p),
                  .mean = lb_vec_new(p),
                  .variance = lb_vec_new(k),
                  .ratio = lb_vec_new(k)};
    return m;
}

void lb_pca_free(lb_pca *m)
{
    if (!m)
        return;
    free(m->components.data);
    free(m->mean.data);
    free(m->variance.data);
    free(m->ratio.data);
    free(m);
}

static double norm(const double *x, size_t n)
{
    return sqrt(lb_dot(x, x, n));
}

/* The loading of largest magnitude is positive; of equal ones the first decides. */
static void fix_sign(double *v, size_t p)
{
    size_t largest = 0;
    for (size_t j = 1; j < p; j++)
        if (fabs(v[j]) > fabs(v[largest]))
            largest = j;
    const double sign = v[largest] < 0.0 ? -1.0 : 1.0;
    for (size_t j = 0; j < p; j++)
        v[j] *= sign;
}

/* Eigenvalues, descending, and eigenvectors (rows) to the model. Rounding makes values a little
 * above or below 0 out of 0; @p threshold, of the first, tells them. */
static void finish(lb_pca *m, const double *values, lb_cmat vectors, double sum, double threshold)
{
    const size_t p = m->components.cols, k = m->components.rows;
    const double degrees = m->n_rows > 1 ? (double)(m->n_rows - 1) : 1.0;
    double square = 0.0;
    for (size_t j = 0; j < p; j++)
        square += m->mean.data[j] * m->mean.data[j];
    /* Rows that agree to the last digit of double have no variance, whatever is left of it. */
    const double nothing = 16.0 * DBL_EPSILON * DBL_EPSILON * (double)m->n_rows * square;
    const double total = m->n_rows > 1 && sum > nothing ? sum : 0.0;
    while (total > 0.0 && m->rank < k && m->rank + 1 < m->n_rows &&
           values[m->rank] > threshold * values[0])
        m->rank++;
    m->total = total / degrees;
    for (size_t i = 0; i < k; i++) {
        double *v = m->components.data + i * p;
        m->variance.data[i] = i < m->rank ? values[i] / degrees : 0.0;
        m->ratio.data[i] = total > 0.0 ? m->variance.data[i] / m->total : (double)NAN;
        if (i < m->rank) {
            memcpy(v, vectors.data + i * vectors.stride, p * sizeof *v);
            fix_sign(v, p);
        }
    }
}

static lb_status check_k(size_t k, size_t p, lb_error *err)
{
    return k >= 1 && k <= p ? LB_OK
                            : LB_FAIL(err, LB_EINVAL,
                                      "%zu components of %zu columns; ask for 1 to %zu", k, p, p);
}

/* --- subspace iteration -------------------------------------------------------------------------
 */

/* A symmetric, positive semidefinite matrix that is known by its products: Y = Q C. @c single: in
 * single precision, as long as that is good enough. */
typedef struct symmetric {
    size_t p;
    lb_status (*times)(void *self, bool single, lb_cmat q, lb_mat y, lb_error *err);
    void *self;
    bool single;
    size_t max_products, products;
} symmetric;

static lb_status times(symmetric *c, lb_mat q, lb_mat y, lb_error *err)
{
    c->products++;
    const lb_status st = c->times(c->self, c->single, lb_mat_const(q), y, err);
    double any = 0.0; /* 0 * x is 0 unless x is NaN or infinite */
    for (size_t e = 0; e < y.rows * y.cols && st == LB_OK; e++)
        any += 0.0 * y.data[e];
    return st == LB_OK && any != 0.0 ? LB_FAIL(err, LB_ENUMERIC,
                                               "NaN or infinity in rows that held none before: the "
                                               "stream must give the same rows every time")
                                     : st;
}

/* Orthonormal rows, by Gram-Schmidt twice ("twice is enough": Giraud et al. 2005, Numer. Math. 101,
 * 87). A row that depends on those before it is replaced by a random one. */
static void orthonormalise(lb_mat q, lb_vec scratch, lb_rng *random)
{
    const size_t p = q.cols;
    for (size_t i = 0; i < q.rows; i++) {
        const lb_cmat before = {q.data, i, p, q.stride};
        const lb_vec row = {q.data + i * q.stride, p}, c = {scratch.data, i};
        double length = norm(row.data, p);
        for (int round = 0; round < 2; round++) {
            for (size_t j = 0; j < p && length > 0.0; j++)
                row.data[j] /= length;
            if (i) {
                lb_gemv(false, 1.0, before, lb_vec_const(row), 0.0, c);
                lb_gemv(true, -1.0, before, lb_vec_const(c), 1.0, row);
            }
            length = norm(row.data, p);
            if (!(length > 1e-12)) { /* nothing of its own: start this row again */
                for (size_t j = 0; j < p; j++)
                    row.data[j] = lb_rng_normal(random);
                length = norm(row.data, p);
                round = -1;
            }
        }
        for (size_t j = 0; j < p; j++)
            row.data[j] /= length;
    }
}

static lb_mat swap(lb_mat *a, lb_mat b)
{
    const lb_mat old = *a;
    *a = b;
    return old;
}

/* Work of the iteration: Q and C Q as rows, two more blocks, and the small problem. */
typedef struct block {
    lb_mat q, cq, spare, filtered; /* (l, p) */
    lb_mat small;                  /* (l, l) Q C Q', then its eigenvectors, by falling value */
    lb_vec values, scratch;        /* (l) */
    lb_rng random;
} block;

static block block_new(size_t l, size_t p)
{
    return (block){.q = lb_mat_new(l, p),
                   .cq = lb_mat_new(l, p),
                   .spare = lb_mat_new(l, p),
                   .filtered = lb_mat_new(l, p),
                   .small = lb_mat_new(l, l),
                   .values = lb_vec_new(l),
                   .scratch = lb_vec_new(l),
                   .random = lb_rng_make(SEED, 0)};
}

static void block_free(block *b)
{
    free(b->q.data);
    free(b->cq.data);
    free(b->spare.data);
    free(b->filtered.data);
    free(b->small.data);
    free(b->values.data);
    free(b->scratch.data);
}

/* Eigenvalues ascend as LAPACK gives them; turn values and rows round. */
static void descend(lb_mat rows, lb_vec values)
{
    for (size_t i = 0, j = values.n - 1; i < j; i++, j--) {
        const double v = values.data[i];
        values.data[i] = values.data[j];
        values.data[j] = v;
        for (size_t c = 0; c < rows.cols; c++) {
            const double x = rows.data[i * rows.stride + c];
            rows.data[i * rows.stride + c] = rows.data[j * rows.stride + c];
            rows.data[j * rows.stride + c] = x;
        }
    }
}

/* Rotate Q to the Ritz vectors, and C Q with it. */
static lb_status rayleigh_ritz(block *b, lb_error *err)
{
    lb_gemm(false, true, 1.0, lb_mat_const(b->cq), lb_mat_const(b->q), 0.0, b->small);
    const lb_status st = lb_eigen_symmetric(b->small, b->values, err);
    if (st != LB_OK)
        return st;
    descend(b->small, b->values);
    lb_gemm(false, false, 1.0, lb_mat_const(b->small), lb_mat_const(b->q), 0.0, b->spare);
    b->spare = swap(&b->q, b->spare);
    lb_gemm(false, false, 1.0, lb_mat_const(b->small), lb_mat_const(b->cq), 0.0, b->spare);
    b->spare = swap(&b->cq, b->spare);
    return LB_OK;
}

/* The largest residual of the first k vectors, in units of what is allowed: at most 1 when done. */
static double misses(const block *b, size_t k, double tolerance, double floor)
{
    const size_t p = b->q.cols;
    double worst = 0.0;
    for (size_t i = 0; i < k; i++) {
        const double *v = b->q.data + i * p, *cv = b->cq.data + i * p, lambda = b->values.data[i];
        double square = 0.0;
        for (size_t j = 0; j < p; j++)
            square += (cv[j] - lambda * v[j]) * (cv[j] - lambda * v[j]);
        const double allowed = fmax(tolerance * lambda, floor * b->values.data[0]);
        if (square > 0.0)
            worst = fmax(worst, sqrt(square) / allowed);
    }
    return worst;
}

/* How fast T_m grows with m at an eigenvalue: T_m(t) ~ e^(m acosh t) / 2, t = 2 value / last - 1.
 */
static double growth(const block *b, size_t i)
{
    const double last = b->values.data[b->values.n - 1];
    return acosh(fmax(2.0 * b->values.data[i] / last - 1.0, 1.0));
}

/* Degree of the next filter: as high as keeps the first vector from drowning the last, and no
 * higher than takes the k-th to where it should be. The first filters are short, because the values
 * they go by are not good yet; 0: there is nothing below the block to be damped. */
static int degree(const block *b, size_t k, double miss, size_t products)
{
    if (!(b->values.data[b->values.n - 1] > DBL_EPSILON * b->values.data[0]))
        return 0;
    const double room = log(2.0 * AMPLIFICATION) / fmax(growth(b, 0), 1e-3);
    const double need = log(2.0 * miss) / fmax(growth(b, k - 1), 1e-3);
    const double most = fmin(fmin(floor(room), ceil(need)), fmin(MAX_DEGREE, (double)products));
    return most < 2.0 ? 1 : (int)most;
}

/* Q <- T_m(2 C / last - 1) Q: the Chebyshev polynomial stays within 1 on eigenvalues below the
 * smallest Ritz value, and grows fast above.  T_0 = 1, T_1 = t, T_j+1 = 2 t T_j - T_j-1. */
static lb_status filter(symmetric *c, block *b, int m, lb_error *err)
{
    const size_t size = b->q.rows * b->q.cols;
    const double last = b->values.data[b->values.n - 1];
    if (m == 0) { /* one plain power */
        b->cq = swap(&b->q, b->cq);
        return LB_OK;
    }
    lb_mat old = b->q, now = b->filtered, next = b->spare;
    for (size_t e = 0; e < size; e++)
        now.data[e] = 2.0 / last * b->cq.data[e] - old.data[e];
    lb_status st = LB_OK;
    for (int j = 1; j < m && st == LB_OK; j++) {
        st = times(c, now, next, err);
        for (size_t e = 0; e < size; e++)
            next.data[e] = 2.0 * (2.0 / last * next.data[e] - now.data[e]) - old.data[e];
        const lb_mat free_again = old;
        old = now;
        now = next;
        next = free_again;
    }
    b->q = now;
    b->filtered = old;
    b->spare = next;
    return st;
}

/* Iterate @p b to the k leading eigenvectors, in single precision while that brings them nearer.
 * *done stays false if max_products do not suffice. */
static lb_status iterate(symmetric *c, size_t k, block *b, bool *done, lb_error *err)
{
    lb_status st = LB_OK;
    *done = false;
    for (size_t e = 0; e < b->q.rows * b->q.cols; e++)
        b->q.data[e] = lb_rng_normal(&b->random);
    for (;;) {
        orthonormalise(b->q, b->scratch, &b->random);
        if ((st = times(c, b->q, b->cq, err)) != LB_OK || (st = rayleigh_ritz(b, err)) != LB_OK)
            return st;
        double miss = misses(b, k, LB_PCA_TOLERANCE, LB_PCA_FLOOR);
        *done = miss <= 1.0 && !c->single;
        if (c->single) {
            const double coarse = misses(b, k, SINGLE_TOLERANCE, SINGLE_FLOOR);
            c->single = coarse > 1.0 && c->products < c->max_products / 2;
            miss = c->single ? coarse : miss;
        }
        const int m = degree(b, k, miss, c->products);
        if (*done || c->products + (size_t)m > c->max_products)
            return LB_OK;
        if ((st = filter(c, b, m, err)) != LB_OK)
            return st;
    }
}

/* --- from a Gram --------------------------------------------------------------------------------
 */

/* Panels of the columns of Y, each of one thread: Y = Q C and C is symmetric. */
static lb_status gram_times(void *self, bool single, lb_cmat q, lb_mat y, lb_error *err)
{
    const lb_mat *c = self;
    (void)single;
    (void)err;
#pragma omp parallel for schedule(static) if (q.rows * c->rows * c->rows >= LB_WORTH_THREADS)
    for (size_t j = 0; j < c->rows; j += PANEL) {
        const size_t n = c->rows - j < PANEL ? c->rows - j : PANEL;
        lb_gemm(false, true, 1.0, q, lb_mat_const(lb_mat_rows(*c, j, j + n)), 0.0,
                (lb_mat){y.data + j, y.rows, n, y.stride});
    }
    return LB_OK;
}

/* The upper triangle from the lower one, in squares that fit a cache. */
static void mirror(lb_mat c)
{
#pragma omp parallel for schedule(dynamic, 1) if (c.rows * c.rows >= LB_WORTH_THREADS)
    for (size_t i0 = 0; i0 < c.rows; i0 += PANEL)
        for (size_t j0 = 0; j0 <= i0; j0 += PANEL)
            for (size_t i = i0; i < c.rows && i < i0 + PANEL; i++)
                for (size_t j = j0; j < i && j < j0 + PANEL; j++)
                    c.data[j * c.stride + i] = c.data[i * c.stride + j];
}

/* All eigenvectors of @p c, which is overwritten. */
static lb_status dense(lb_pca *m, lb_mat c, double sum, double threshold, lb_error *err)
{
    lb_vec values = lb_vec_new(c.rows);
    const lb_status st = lb_eigen_symmetric(c, values, err);
    if (st == LB_OK) {
        descend(c, values);
        finish(m, values.data, lb_mat_const(c), sum, threshold);
    }
    free(values.data);
    return st;
}

static lb_status from_matrix(lb_pca *m, lb_mat c, double threshold, lb_error *err)
{
    const size_t p = c.rows, k = m->components.rows, l = k + SPARE;
    double sum = 0.0;
    for (size_t j = 0; j < p; j++)
        sum += c.data[j * c.stride + j];
    if (p <= DENSE_MAX || 2 * l > p)
        return dense(m, c, sum, threshold, err);
    symmetric s = {.p = p, .times = gram_times, .self = &c, .max_products = MAX_PRODUCTS};
    block b = block_new(l, p);
    bool done = false;
    mirror(c);
    lb_status st = iterate(&s, k, &b, &done, err);
    if (st == LB_OK && done) {
        finish(m, b.values.data, lb_mat_const(b.q), sum, threshold);
        m->products = s.products;
    }
    block_free(&b);
    return st == LB_OK && !done ? dense(m, c, sum, threshold, err) : st;
}

lb_status lb_pca_fit(const lb_gram *g, const bool *use, size_t k, lb_pca **out, lb_error *err)
{
    const size_t p = lb_gram_cols(g), groups = lb_gram_groups(g);
    *out = NULL;
    lb_status st = check_k(k, p, err);
    if (st != LB_OK)
        return st;
    lb_blas_prepare();
    bool *all = lb_xcalloc(groups, sizeof *all);
    for (size_t i = 0; i < groups; i++)
        all[i] = !use || use[i];
    lb_pca *m = pca_new(k, p);
    lb_vec xy = lb_vec_new(p), sd = lb_vec_new(p);
    lb_mat c = lb_mat_of(lb_xaligned(p * p, sizeof(double)), p, p);
    lb_moments moments = {.xx = c, .xy = xy, .mean = m->mean, .sd = sd};
    if ((st = lb_gram_moments(g, all, false, &moments, err)) != LB_OK)
        goto done;
    m->n_rows = moments.n;
    const double threshold = lb_gram_is_float32(g) ? (double)FLT_EPSILON : (double)p * DBL_EPSILON;
    if ((st = from_matrix(m, c, threshold, err)) != LB_OK)
        goto done;
    *out = m;
    m = NULL;
done:
    lb_pca_free(m);
    free(c.data);
    free(xy.data);
    free(sd.data);
    free(all);
    return st;
}

/* --- from a stream ------------------------------------------------------------------------------
 */

/* A stream read READ rows at a time; slot s sums over rows s PANEL .. (s + 1) PANEL - 1 of every
 * such block, whichever thread takes them. */
typedef struct passes {
    const lb_stream *x;
    float *rows;        /* (READ, p) */
    const double *mean; /* (p) */
    double *sums;       /* (SLOTS, l, p) */
    float *q;           /* (l, p) the vectors, in single precision */
} passes;

/* Rows of @p x less the mean, in double. */
static void centre(lb_cmatf x, const double *mean, double *out)
{
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            out[i * x.cols + j] = (double)x.data[i * x.stride + j] - mean[j];
}

/* What slots have in common: read, hand PANEL rows each to @p one, add the slots up. */
static lb_status one_pass(passes *w, size_t l,
                          void (*one)(const passes *, lb_cmatf, lb_cmat, lb_mat), lb_cmat q,
                          lb_mat y, lb_error *err)
{
    const size_t p = w->x->cols, size = l * p;
    memset(w->sums, 0, SLOTS * size * sizeof *w->sums);
    for (size_t first = 0; first < w->x->rows; first += READ) {
        const size_t n = w->x->rows - first < READ ? w->x->rows - first : READ;
        const lb_status st = w->x->read(w->x->self, first, (lb_matf){w->rows, n, p, p}, err);
        if (st != LB_OK)
            return st;
#pragma omp parallel for schedule(dynamic, 1) if (n * size >= LB_WORTH_THREADS)
        for (size_t at = 0; at < n; at += PANEL)
            one(w, (lb_cmatf){w->rows + at * p, n - at < PANEL ? n - at : PANEL, p, p}, q,
                lb_mat_of(w->sums + at / PANEL * size, l, p));
    }
    for (size_t e = 0; e < size; e++) {
        double sum = 0.0;
        for (size_t s = 0; s < SLOTS; s++)
            sum += w->sums[s * size + e];
        y.data[e] = sum;
    }
    return LB_OK;
}

/* Sums of x - shift and of its square; the shift is a row of the stream. */
static void add_moments(const passes *w, lb_cmatf x, lb_cmat q, lb_mat sums)
{
    double *sum = sums.data, *square = sums.data + sums.stride;
    (void)q;
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++) {
            const double d = (double)x.data[i * x.stride + j] - w->mean[j];
            sum[j] += d;
            square[j] += d * d;
        }
}

/* Y += (Xc Q')' Xc. */
static void add_product(const passes *w, lb_cmatf x, lb_cmat q, lb_mat y)
{
    double *scratch = lb_xaligned(x.rows * (x.cols + q.rows), sizeof *scratch);
    const lb_mat xc = lb_mat_of(scratch, x.rows, x.cols);
    const lb_mat scores = lb_mat_of(scratch + x.rows * x.cols, x.rows, q.rows);
    centre(x, w->mean, scratch);
    lb_gemm(false, true, 1.0, lb_mat_const(xc), q, 0.0, scores);
    lb_gemm(true, false, 1.0, lb_mat_const(scores), lb_mat_const(xc), 1.0, y);
    free(scratch);
}

/* The same in single precision within these rows; between them the sums are in double. */
static void add_product_single(const passes *w, lb_cmatf x, lb_cmat q, lb_mat y)
{
    const size_t n = x.rows, p = x.cols, l = q.rows;
    float *scratch = lb_xaligned(n * p + n * l + l * p, sizeof *scratch);
    const lb_matf xc = {scratch, n, p, p}, scores = {scratch + n * p, n, l, l};
    const lb_matf part = {scratch + n * p + n * l, l, p, p};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            xc.data[i * p + j] = (float)((double)x.data[i * x.stride + j] - w->mean[j]);
    lb_gemmf(false, true, 1.0f, lb_matf_const(xc), (lb_cmatf){w->q, l, p, p}, 0.0f, scores);
    lb_gemmf(true, false, 1.0f, lb_matf_const(scores), lb_matf_const(xc), 0.0f, part);
    for (size_t e = 0; e < l * p; e++)
        y.data[e] += (double)part.data[e];
    free(scratch);
}

static lb_status stream_times(void *self, bool single, lb_cmat q, lb_mat y, lb_error *err)
{
    passes *w = self;
    for (size_t e = 0; e < q.rows * q.cols && single; e++)
        w->q[e] = (float)q.data[e];
    return one_pass(w, q.rows, single ? add_product_single : add_product, q, y, err);
}

/* Where the sums are not finite, find the row. */
static lb_status name_row(const lb_stream *x, float *rows, lb_error *err)
{
    for (size_t first = 0; first < x->rows; first += READ) {
        const size_t n = x->rows - first < READ ? x->rows - first : READ;
        const lb_status st = x->read(x->self, first, (lb_matf){rows, n, x->cols, x->cols}, err);
        if (st != LB_OK)
            return st;
        for (size_t e = 0; e < n * x->cols; e++)
            if (!isfinite(rows[e]))
                return LB_FAIL(err, LB_ENUMERIC, "row %zu, column %zu is %g", first + e / x->cols,
                               e % x->cols, (double)rows[e]);
    }
    return LB_FAIL(err, LB_ENUMERIC,
                   "NaN or infinity in rows that hold none any more: the stream "
                   "must give the same rows every time");
}

/* Mean of the columns to @p mean, and *sum = |Xc|^2. The first row is the shift. */
static lb_status stream_mean(passes *w, double *mean, double *sum, lb_error *err)
{
    const size_t p = w->x->cols;
    const double n = (double)w->x->rows;
    lb_mat moments = lb_mat_new(2, p);
    lb_status st = w->x->read(w->x->self, 0, (lb_matf){w->rows, 1, p, p}, err);
    for (size_t j = 0; j < p; j++)
        mean[j] = (double)w->rows[j];
    w->mean = mean;
    if (st == LB_OK)
        st = one_pass(w, 2, add_moments, (lb_cmat){0}, moments, err);
    *sum = 0.0;
    for (size_t j = 0; j < p; j++) {
        const double d = moments.data[j], square = moments.data[p + j];
        *sum += fmax(square - d * d / n, 0.0) + 0.0 * d; /* NaN stays NaN */
        mean[j] += d / n;
    }
    free(moments.data);
    if (st == LB_OK && !isfinite(*sum))
        st = name_row(w->x, w->rows, err);
    return st;
}

static lb_status fit_by_gram(const lb_stream *x, size_t k, lb_pca **out, lb_error *err)
{
    lb_gram *g = NULL;
    double *y = lb_xcalloc(x->rows, sizeof *y); /* no label takes part */
    lb_status st =
        lb_gram_accumulate(x, (lb_cvec){y, x->rows}, NULL, (lb_gram_options){.groups = 1}, &g, err);
    if (st == LB_OK)
        st = lb_pca_fit(g, NULL, k, out, err);
    lb_gram_free(g);
    free(y);
    return st;
}

lb_status lb_pca_fit_stream(const lb_stream *x, size_t k, lb_pca **out, lb_error *err)
{
    const size_t p = x->cols, l = k + SPARE;
    *out = NULL;
    lb_status st = check_k(k, p, err);
    if (st != LB_OK)
        return st;
    if (x->rows == 0)
        return LB_FAIL(err, LB_EINVAL, "no row to find components of");
    if (p < STREAM_MIN || 2 * l > p)
        return fit_by_gram(x, k, out, err);
    lb_blas_prepare();
    lb_pca *m = pca_new(k, p);
    passes w = {.x = x,
                .rows = lb_xaligned(READ * p, sizeof(float)),
                .sums = lb_xaligned(SLOTS * l * p, sizeof(double)),
                .q = lb_xaligned(l * p, sizeof(float))};
    symmetric s = {
        .p = p, .times = stream_times, .self = &w, .single = true, .max_products = MAX_PASSES};
    block b = block_new(l, p);
    bool done = false;
    double sum = 0.0;
    if ((st = stream_mean(&w, m->mean.data, &sum, err)) != LB_OK ||
        (st = iterate(&s, k, &b, &done, err)) != LB_OK)
        goto done;
    if (!done) {
        st = fit_by_gram(x, k, out, err);
        goto done;
    }
    m->n_rows = x->rows;
    m->products = s.products;
    finish(m, b.values.data, lb_mat_const(b.q), sum, (double)p * DBL_EPSILON);
    *out = m;
    m = NULL;
done:
    block_free(&b);
    free(w.rows);
    free(w.sums);
    free(w.q);
    lb_pca_free(m);
    return st;
}

/* --- scores --------------------------------------------------------------------------------------
 */

static void score_rows(const lb_pca *m, lb_cmatf x, lb_mat scores)
{
#pragma omp parallel if (x.rows * x.cols * m->components.rows >= LB_WORTH_THREADS)
    {
        const size_t p = x.cols;
        double *row = lb_xaligned(p, sizeof *row);
#pragma omp for schedule(static)
        for (size_t i = 0; i < x.rows; i++) {
            centre((lb_cmatf){x.data + i * x.stride, 1, p, p}, m->mean.data, row);
            for (size_t k = 0; k < scores.cols; k++)
                scores.data[i * scores.stride + k] =
                    lb_dot(row, m->components.data + k * m->components.stride, p);
        }
        free(row);
    }
}

lb_status lb_pca_scores(const lb_pca *m, const lb_stream *x, lb_mat scores, lb_error *err)
{
    const size_t p = m->components.cols, k = m->components.rows;
    if (x->cols != p || scores.rows != x->rows || scores.cols != k)
        return LB_FAIL(err, LB_ESHAPE,
                       "%zu components of %zu columns; the rows are %zux%zu, the scores %zux%zu", k,
                       p, x->rows, x->cols, scores.rows, scores.cols);
    lb_status st = LB_OK;
    float *rows = lb_xaligned(READ * p, sizeof *rows);
    for (size_t first = 0; first < x->rows && st == LB_OK; first += READ) {
        const size_t n = x->rows - first < READ ? x->rows - first : READ;
        if ((st = x->read(x->self, first, (lb_matf){rows, n, p, p}, err)) != LB_OK)
            break;
        const lb_mat here = lb_mat_rows(scores, first, first + n);
        score_rows(m, (lb_cmatf){rows, n, p, p}, here);
        for (size_t i = 0; i < n && st == LB_OK; i++)
            for (size_t j = 0; j < k && st == LB_OK; j++)
                if (!isfinite(here.data[i * here.stride + j]))
                    st = LB_FAIL(err, LB_ENUMERIC, "score %zu of row %zu is %g", j, first + i,
                                 here.data[i * here.stride + j]);
    }
    free(rows);
    return st;
}
