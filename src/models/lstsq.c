/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/lstsq.h"

#include "core/memory.h"
#include "linalg/blas.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REFINEMENTS = 4 };

/* X = U diag(s) V' diag(scale), and the pair (r, w) that is being refined. */
typedef struct work {
    lb_cmat x;
    lb_mat u, vt;
    lb_vec s;
    double *scale; /* (p) powers of two */
    size_t rank;
    double *r, *f; /* (n) residuals, and what the first block equation still misses */
    double *g;     /* (p) what the second one misses */
    double *dw;    /* (p) */
} work;

void lb_lstsq_free(lb_lstsq *f)
{
    free(f->w.data);
    free(f->se.data);
    *f = (lb_lstsq){0};
}

static lb_status check(lb_cmat x, lb_cvec y, lb_error *err)
{
    if (x.rows == 0 || x.cols == 0)
        return LB_FAIL(err, LB_EINVAL, "least squares on a %zux%zu design", x.rows, x.cols);
    if (y.n != x.rows)
        return LB_FAIL(err, LB_ESHAPE, "x has %zu rows, y has %zu", x.rows, y.n);
    for (size_t i = 0; i < x.rows; i++) {
        if (!isfinite(y.data[i]))
            return LB_FAIL(err, LB_ENUMERIC, "y[%zu] is %g", i, y.data[i]);
        for (size_t j = 0; j < x.cols; j++)
            if (!isfinite(x.data[i * x.stride + j]))
                return LB_FAIL(err, LB_ENUMERIC, "x[%zu][%zu] is %g", i, j,
                               x.data[i * x.stride + j]);
    }
    return LB_OK;
}

/* Scaling by powers of two is exact, and near enough to unit length for the condition. */
static lb_status decompose(work *k, lb_error *err)
{
    const size_t n = k->x.rows, p = k->x.cols;
    lb_mat a = lb_mat_new(n, p);
    for (size_t j = 0; j < p; j++) {
        double norm = 0.0;
        for (size_t i = 0; i < n; i++)
            norm = hypot(norm, k->x.data[i * k->x.stride + j]);
        k->scale[j] = norm > 0.0 ? exp2(nearbyint(log2(norm))) : 1.0;
        if (!isnormal(k->scale[j])) {
            free(a.data);
            return LB_FAIL(err, LB_ENUMERIC,
                           "the length of column %zu, %g, leaves the range of a "
                           "double",
                           j, norm);
        }
        for (size_t i = 0; i < n; i++)
            a.data[i * p + j] = k->x.data[i * k->x.stride + j] / k->scale[j];
    }
    const lb_status st = lb_svd(a, k->u, k->s, k->vt, err);
    free(a.data);
    const double floor = (double)(n > p ? n : p) * DBL_EPSILON * k->s.data[0];
    while (st == LB_OK && k->rank < k->s.n && k->s.data[k->rank] > floor)
        k->rank++;
    return st;
}

/*
 * The solution (r, w) of  r + Xw = y,  X'r = 0  from its misses f = y - r - Xw and g = -X'r:
 *   dw = V (S^-1 U'f - S^-2 V'g),  dr = f - X dw.
 * f and g are formed in extended precision. The first round starts from r = 0, w = 0 and is the
 * ordinary solution.
 */
static void refine(work *k, lb_cvec y, lb_vec w)
{
    const size_t n = k->x.rows, p = k->x.cols;
    for (size_t i = 0; i < n; i++) {
        long double miss = (long double)y.data[i] - k->r[i];
        for (size_t j = 0; j < p; j++)
            miss -= (long double)k->x.data[i * k->x.stride + j] * w.data[j];
        k->f[i] = (double)miss;
    }
    for (size_t j = 0; j < p; j++) {
        long double miss = 0.0L;
        for (size_t i = 0; i < n; i++)
            miss -= (long double)k->x.data[i * k->x.stride + j] * k->r[i];
        k->g[j] = (double)(miss / k->scale[j]);
    }
    memset(k->dw, 0, p * sizeof(double));
    for (size_t l = 0; l < k->rank; l++) {
        double uf = 0.0, vg = 0.0;
        for (size_t i = 0; i < n; i++)
            uf += k->u.data[i * k->u.stride + l] * k->f[i];
        for (size_t j = 0; j < p; j++)
            vg += k->vt.data[l * k->vt.stride + j] * k->g[j];
        const double c = (uf - vg / k->s.data[l]) / k->s.data[l];
        for (size_t j = 0; j < p; j++)
            k->dw[j] += c * k->vt.data[l * k->vt.stride + j];
    }
    for (size_t j = 0; j < p; j++) {
        k->dw[j] /= k->scale[j];
        w.data[j] += k->dw[j];
    }
    for (size_t i = 0; i < n; i++) {
        long double dr = k->f[i];
        for (size_t j = 0; j < p; j++)
            dr -= (long double)k->x.data[i * k->x.stride + j] * k->dw[j];
        k->r[i] = (double)(k->r[i] + dr);
    }
}

static void summarise(const work *k, lb_cvec y, bool centred, lb_lstsq *out)
{
    const size_t n = k->x.rows, p = k->x.cols;
    long double mean = 0.0L, rss = 0.0L, tss = 0.0L;
    for (size_t i = 0; i < n && centred; i++)
        mean += (long double)y.data[i] / (long double)n;
    for (size_t i = 0; i < n; i++) {
        rss += (long double)k->r[i] * k->r[i];
        tss += ((long double)y.data[i] - mean) * ((long double)y.data[i] - mean);
    }
    out->rank = k->rank;
    out->condition = k->rank == p ? k->s.data[0] / k->s.data[p - 1] : INFINITY;
    out->r2 = tss > 0.0L ? (double)(1.0L - rss / tss) : (double)NAN;
    out->residual_sd = n > k->rank ? sqrt((double)(rss / (long double)(n - k->rank))) : (double)NAN;
    for (size_t j = 0; j < p; j++) {
        double variance = 0.0; /* of the scaled weight, in units of the residual variance */
        for (size_t l = 0; l < k->rank; l++) {
            const double v = k->vt.data[l * k->vt.stride + j] / k->s.data[l];
            variance += v * v;
        }
        out->se.data[j] = out->residual_sd * sqrt(variance) / k->scale[j];
    }
}

lb_status lb_lstsq_fit(lb_cmat x, lb_cvec y, bool centred, lb_lstsq *out, lb_error *err)
{
    *out = (lb_lstsq){0};
    lb_status st = check(x, y, err);
    if (st != LB_OK)
        return st;
    const size_t n = x.rows, p = x.cols, m = n < p ? n : p;
    double *block = lb_xcalloc(n * m + m * p + m + 2 * n + 3 * p, sizeof *block), *at = block;
    work k = {.x = x, .u = lb_mat_of(at, n, m)};
    k.vt = lb_mat_of(at += n * m, m, p);
    k.s = (lb_vec){at += m * p, m};
    k.r = at += m;
    k.f = at += n;
    k.g = at += n;
    k.dw = at += p;
    k.scale = at + p;
    if ((st = decompose(&k, err)) != LB_OK)
        goto done;
    out->w = lb_vec_new(p);
    out->se = lb_vec_new(p);
    for (int round = 0; round <= REFINEMENTS; round++)
        refine(&k, y, out->w);
    summarise(&k, y, centred, out);
done:
    free(block);
    return st;
}
