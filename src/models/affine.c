/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/affine.h"

#include "core/memory.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

const char *lb_affine_word(lb_affine_reason reason)
{
    switch (reason) {
    case LB_AFFINE_FITTED:
        return "fitted";
    case LB_AFFINE_NO_ROWS:
        return "identity (no rows)";
    case LB_AFFINE_FEW_ROWS:
        return "identity (too few rows)";
    case LB_AFFINE_CONSTANT:
        return "offset only (constant predictions)";
    }
    return "?";
}

static lb_affine identity(lb_affine_reason reason)
{
    return (lb_affine){.a = 1.0,
                       .se_a = NAN,
                       .se_b = NAN,
                       .cov_ab = NAN,
                       .residual_sd = NAN,
                       .f = NAN,
                       .dof = NAN,
                       .p = NAN,
                       .shrink = 1.0,
                       .reason = reason};
}

/* The rows that count. Weights are divided by the largest. */
typedef struct points {
    lb_cvec x, y, w;
    double unit;   /* the largest weight */
    double lo, hi; /* range of x */
    size_t rows;
} points;

static double weight_of(const points *q, size_t i)
{
    return q->w.data ? q->w.data[i] / q->unit : 1.0;
}

static lb_status look(points *q, size_t min_rows, lb_error *err)
{
    const size_t n = q->y.n;
    if (q->x.n != n || (q->w.data && q->w.n != n))
        return LB_FAIL(err, LB_ESHAPE, "%zu predictions, %zu targets and %zu weights to calibrate",
                       q->x.n, n, q->w.data ? q->w.n : n);
    if (min_rows < 3)
        return LB_FAIL(err, LB_EINVAL,
                       "a calibration on %zu rows has no standard errors; ask for at least 3",
                       min_rows);
    for (size_t i = 0; i < n; i++) {
        const double w = q->w.data ? q->w.data[i] : 1.0;
        if (!(w >= 0.0) || isinf(w))
            return LB_FAIL(err, LB_EINVAL, "weight %g of row %zu", w, i);
        if (w == 0.0)
            continue;
        const double x = q->x.data[i], y = q->y.data[i];
        if (!isfinite(x) || !isfinite(y))
            return LB_FAIL(err, LB_ENUMERIC, "row %zu to calibrate on: prediction %g, target %g", i,
                           x, y);
        q->unit = fmax(q->unit, w);
        q->lo = q->rows ? fmin(q->lo, x) : x;
        q->hi = q->rows ? fmax(q->hi, x) : x;
        q->rows++;
    }
    return LB_OK;
}

/* Sums over the rows that count, u = x - xbar, v = y - x - shift, e = v - tilt u. */
typedef struct sums {
    double s, xbar, shift; /* sum w, means of x and of y - x */
    double uu, uv, ee;     /* sums of w u^2, w u v, w e^2 */
    double q0, q1, q2;     /* sums of w^2, w^2 u, w^2 u^2 */
    double tilt;           /* a - 1 */
} sums;

static sums add_up(const points *q, bool constant)
{
    sums t = {0};
    for (size_t i = 0; i < q->y.n; i++) {
        const double w = weight_of(q, i);
        if (w == 0.0)
            continue;
        t.s += w;
        t.q0 += w * w;
        t.xbar += w * (q->x.data[i] - q->lo);
        t.shift += w * (q->y.data[i] - q->x.data[i]);
    }
    t.xbar = q->lo + t.xbar / t.s;
    t.shift /= t.s;
    for (size_t i = 0; i < q->y.n; i++) {
        const double w = weight_of(q, i);
        if (w == 0.0)
            continue;
        const double u = q->x.data[i] - t.xbar, v = q->y.data[i] - q->x.data[i] - t.shift;
        t.uu += w * u * u;
        t.uv += w * u * v;
        t.q1 += w * w * u;
        t.q2 += w * w * u * u;
    }
    t.tilt = constant ? 0.0 : t.uv / t.uu;
    for (size_t i = 0; i < q->y.n; i++) {
        const double w = weight_of(q, i);
        if (w == 0.0)
            continue;
        const double u = q->x.data[i] - t.xbar, v = q->y.data[i] - q->x.data[i] - t.shift;
        t.ee += w * (v - t.tilt * u) * (v - t.tilt * u);
    }
    return t;
}

/* Covariances of slope and height at xbar, in units of s^2; those of a and b follow. */
static void uncertainty(const sums *t, lb_affine *out)
{
    const double aa = t->q2 / t->uu / t->uu, cc = t->q0 / (t->s * t->s), ac = t->q1 / t->uu / t->s;
    const double variance = t->ee / (t->s - t->q0 / t->s - t->q2 / t->uu);
    out->residual_sd = sqrt(variance);
    out->se_a = sqrt(variance * aa);
    out->cov_ab = variance * (ac - t->xbar * aa);
    out->se_b = sqrt(variance * (cc - 2.0 * t->xbar * ac + t->xbar * t->xbar * aa));
    /* d' cov^-1 d / 2, d = (tilt, shift): a = 1 and b = 0 where a x + b = x at xbar. */
    const double d =
        (t->tilt * t->tilt * cc - 2.0 * t->tilt * t->shift * ac + t->shift * t->shift * aa) /
        (aa * cc - ac * ac);
    out->f = d > 0.0 ? d / (2.0 * variance) : 0.0;
    out->dof = out->rows_effective - 2.0;
    out->p = isinf(out->f) ? 0.0 : gsl_cdf_fdist_Q(out->f, 2.0, out->dof);
}

lb_status lb_affine_fit(lb_cvec yhat, lb_cvec y, lb_cvec weight, size_t min_rows, lb_affine *out,
                        lb_error *err)
{
    points q = {.x = yhat, .y = y, .w = weight};
    const lb_status st = look(&q, min_rows, err);
    if (st != LB_OK)
        return st;
    *out = identity(LB_AFFINE_NO_ROWS);
    if (!q.rows)
        return LB_OK;
    const bool constant = q.hi - q.lo <= 1e-12 * fmax(fabs(q.lo), fabs(q.hi));
    const sums t = add_up(&q, constant);
    out->rows = q.rows;
    out->rows_effective = t.s * t.s / t.q0;
    if (out->rows_effective < (double)min_rows * (1.0 - 1e-12)) { /* but for rounding */
        out->reason = LB_AFFINE_FEW_ROWS;
        return LB_OK;
    }
    if (constant) {
        out->reason = LB_AFFINE_CONSTANT;
        out->residual_sd = sqrt(t.ee / (t.s - t.q0 / t.s));
        out->b = t.shift;
        out->se_b = out->residual_sd * sqrt(t.q0) / t.s;
    } else {
        out->reason = LB_AFFINE_FITTED;
        out->a = 1.0 + t.tilt;
        out->b = t.shift - t.tilt * t.xbar;
        uncertainty(&t, out);
    }
    const bool in_range = constant || (isfinite(t.uu) && (t.uu > 0.0) && !isnan(out->p) &&
                                       (t.ee == 0.0 || out->se_a > 0.0));
    if (isfinite(out->a) && isfinite(out->b) && isfinite(out->se_b) && isfinite(t.ee) && in_range)
        return LB_OK;
    return LB_FAIL(
        err, LB_ENUMERIC,
        "calibration on %zu rows: predictions from %g to %g, whose sums of squares leave "
        "the range of a double",
        q.rows, q.lo, q.hi);
}

lb_status lb_affine_fit_swapped(lb_cvec yhat, lb_cvec y, lb_cvec weight, size_t min_rows,
                                lb_affine *out, lb_error *err)
{
    return lb_affine_fit(y, yhat, weight, min_rows, out, err);
}

/* One expert a column; weight(i, k) is p(i, k), or whether row i is in bin k. */
static lb_status fit_experts(lb_cmat yhat, lb_cvec y, const int *bin, lb_cmat p, const bool *absent,
                             size_t min_rows, lb_affine *out, lb_error *err)
{
    const size_t n = yhat.rows;
    lb_status st = LB_OK;
    double *x = lb_xcalloc(n, sizeof *x), *w = lb_xcalloc(n, sizeof *w);
    for (size_t k = 0; k < yhat.cols && st == LB_OK; k++) {
        out[k] = identity(LB_AFFINE_NO_ROWS);
        if (absent && absent[k])
            continue;
        for (size_t i = 0; i < n; i++) {
            x[i] = yhat.data[i * yhat.stride + k];
            w[i] = bin ? bin[i] == (int)k : p.data[i * p.stride + k];
        }
        st = lb_affine_fit((lb_cvec){x, n}, y, (lb_cvec){w, n}, min_rows, &out[k], err);
        if (st != LB_OK)
            lb_error_within(err, "expert %zu", k);
    }
    free(x);
    free(w);
    return st;
}

lb_status lb_affine_fit_bins(lb_cmat yhat, lb_cvec y, const int *bin, const bool *absent,
                             size_t min_rows, lb_affine *out, lb_error *err)
{
    for (size_t i = 0; i < yhat.rows; i++)
        if (bin[i] < -1 || bin[i] >= (int)yhat.cols)
            return LB_FAIL(err, LB_EINVAL, "row %zu is in bin %d of %zu", i, bin[i], yhat.cols);
    return fit_experts(yhat, y, bin, (lb_cmat){0}, absent, min_rows, out, err);
}

lb_status lb_affine_fit_gate(lb_cmat yhat, lb_cvec y, lb_cmat p, const bool *absent,
                             size_t min_rows, lb_affine *out, lb_error *err)
{
    if (p.rows != yhat.rows || p.cols != yhat.cols)
        return LB_FAIL(err, LB_ESHAPE, "gate weights are %zux%zu, predictions %zux%zu", p.rows,
                       p.cols, yhat.rows, yhat.cols);
    return fit_experts(yhat, y, NULL, p, absent, min_rows, out, err);
}

lb_affine lb_affine_shrink(const lb_affine *fit)
{
    lb_affine out = *fit;
    if (fit->reason != LB_AFFINE_FITTED)
        return out;
    const double keep = fit->f > 1.0 ? 1.0 - 1.0 / fit->f : 0.0;
    out.shrink *= keep;
    out.a = 1.0 + keep * (fit->a - 1.0);
    out.b *= keep;
    out.se_a *= sqrt(keep);
    out.se_b *= sqrt(keep);
    out.cov_ab *= keep;
    return out;
}

lb_status lb_affine_apply(const lb_affine *experts, lb_cmat yhat, lb_mat out, lb_error *err)
{
    if (out.rows != yhat.rows || out.cols != yhat.cols)
        return LB_FAIL(err, LB_ESHAPE, "%zux%zu predictions to calibrate into %zux%zu", yhat.rows,
                       yhat.cols, out.rows, out.cols);
    for (size_t i = 0; i < yhat.rows; i++)
        for (size_t k = 0; k < yhat.cols; k++)
            out.data[i * out.stride + k] =
                experts[k].a * yhat.data[i * yhat.stride + k] + experts[k].b;
    return LB_OK;
}
