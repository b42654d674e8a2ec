/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/conditional.h"

#include "core/memory.h"
#include "linalg/blas.h"
#include "linalg/cholesky.h"
#include "linalg/cross.h"
#include "models/conditional_system.h"
#include "models/penalty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ = 1024, /* rows predicted at once, in pieces of CHUNK for one thread each */
    CHUNK = 64,
    S = LB_CROSS_STRIP,
    WIDE = LB_CROSS_WIDE,
    PANEL = 8 * WIDE, /* strips of the factor solved at a time */
    ALONE = 1024,     /* columns of the factor that one thread solves faster than two */
    FOLD_STEPS = 60,  /* of conjugate gradients, before a fold is factored */
    FIT_STEPS = 12,   /* the same for all rows, before another alpha is factored */
};

/* Of conjugate gradients: the error of the weights in the norm of the system. */
#define FIT_TOLERANCE 1e-12
#define FOLD_TOLERANCE 1e-8

/* Compiled once per instruction set and chosen at load time; without contraction all of them give
 * the same bits (see data/noise.c). */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) &&                            \
    !defined(__SANITIZE_ADDRESS__)
#define FOR_EVERY_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EVERY_CPU
#endif

/* One member: its fits, its penalty, its predictions. */
typedef struct member {
    const char *name;
    lb_conditional_fit fit;
    lb_penalty penalty;
    size_t n_val, factorisations;
    double *test; /* (alphas, test rows) */
} member;

struct lb_conditional {
    member *members;
    size_t n, test_rows;
};

/* What the score of a member needs. */
typedef struct job {
    const lb_conditional_gram *g;
    const lb_conditional_labelled *val;
    const lb_conditional_rows *test;
    lb_conditional_system *all, **without; /* (folds) systems that leave one out */
    size_t folds;
    lb_cholesky *room;
    double *w_without; /* (folds, k p) weights at the last alpha */
    member *m;
} job;

/* --- prediction ---------------------------------------------------------------------------------
 */

/* Rows of x (at most CHUNK), position @p first in the stream. */
static void project_chunk(const lb_conditional_fit *fit, lb_cmatf x, double *scratch, lb_mat parts)
{
    const size_t columns = fit->n_alpha * fit->k;
    for (size_t i = 0; i < x.rows; i++) {
        for (size_t j = 0; j < x.cols; j++)
            scratch[i * x.cols + j] = (double)x.data[i * x.stride + j];
        memcpy(parts.data + i * parts.stride, fit->offset, columns * sizeof(double));
    }
    lb_gemm(false, true, 1.0, (lb_cmat){scratch, x.rows, x.cols, x.cols},
            (lb_cmat){fit->w, columns, fit->p, fit->p}, 1.0, parts);
}

lb_status lb_conditional_project(const lb_conditional_fit *fit, const lb_stream *x, lb_mat parts,
                                 lb_error *err)
{
    if (x->cols != fit->p || parts.rows != x->rows || parts.cols != fit->n_alpha * fit->k)
        return LB_FAIL(err, LB_ESHAPE,
                       "the model has %zu columns and %zu parts a row; x is %zux%zu, parts %zux%zu",
                       fit->p, fit->n_alpha * fit->k, x->rows, x->cols, parts.rows, parts.cols);
    lb_blas_prepare();
    lb_status st = LB_OK;
    float *block = lb_xaligned(READ * x->cols, sizeof *block);
    for (size_t first = 0; first < x->rows && st == LB_OK; first += READ) {
        const size_t n = x->rows - first < READ ? x->rows - first : READ;
        if ((st = x->read(x->self, first, (lb_matf){block, n, x->cols, x->cols}, err)) != LB_OK)
            break;
#pragma omp parallel
        {
            double *scratch = lb_xaligned(CHUNK * x->cols, sizeof *scratch);
#pragma omp for schedule(dynamic, 1)
            for (size_t at = 0; at < n; at += CHUNK) {
                const size_t rows = n - at < CHUNK ? n - at : CHUNK;
                project_chunk(fit, (lb_cmatf){block + at * x->cols, rows, x->cols, x->cols},
                              scratch, lb_mat_rows(parts, first + at, first + at + rows));
            }
            free(scratch);
        }
    }
    free(block);
    return st;
}

/* The variables a model may ask for, the others 0. */
static void row_variables(lb_cmat variables, size_t row, double out[LB_CONDITION_VARIABLES])
{
    for (size_t k = 0; k < LB_CONDITION_VARIABLES; k++)
        out[k] = k < variables.cols ? variables.data[row * variables.stride + k] : 0.0;
}

lb_status lb_conditional_combine(const lb_conditional_fit *fit, lb_cmat parts, lb_cmat variables,
                                 lb_mat yhat, lb_error *err)
{
    size_t needed = 0;
    for (size_t i = 0; i < fit->k; i++)
        for (size_t v = 0; v < LB_CONDITION_VARIABLES; v++)
            needed = fit->term[i].power[v] && v >= needed ? v + 1 : needed;
    if (parts.cols != fit->n_alpha * fit->k || variables.rows != parts.rows ||
        variables.cols < needed || yhat.rows != fit->n_alpha || yhat.cols != parts.rows)
        return LB_FAIL(err, LB_ESHAPE,
                       "%zux%zu parts, %zux%zu base variables (%zu needed) and %zux%zu predictions "
                       "do not fit together",
                       parts.rows, parts.cols, variables.rows, variables.cols, needed, yhat.rows,
                       yhat.cols);
    for (size_t row = 0; row < parts.rows; row++) {
        double v[LB_CONDITION_VARIABLES];
        row_variables(variables, row, v);
        for (size_t a = 0; a < fit->n_alpha; a++) {
            const double *part = parts.data + row * parts.stride + a * fit->k;
            double sum = fit->b[a];
            for (size_t i = 0; i < fit->k; i++)
                sum += lb_monomial_value(fit->term[i], v) * part[i];
            if (!isfinite(sum))
                return LB_FAIL(err, LB_ENUMERIC, "the prediction for row %zu is %g", row, sum);
            yhat.data[a * yhat.stride + row] = sum;
        }
    }
    return LB_OK;
}

/* Both, for the alphas from @p from on: (alphas, rows), the caller's to free. */
static lb_status predict(const lb_conditional_fit *fit, size_t from,
                         const lb_conditional_rows *rows, double **out, lb_error *err)
{
    lb_conditional_fit part = *fit;
    part.n_alpha -= from;
    part.w += from * fit->k * fit->p;
    part.offset += from * fit->k;
    part.b += from;
    const size_t n = rows->x.rows, columns = part.n_alpha * part.k;
    const lb_mat parts = lb_mat_of(lb_xcalloc(n * columns, sizeof(double)), n, columns);
    *out = lb_xcalloc(part.n_alpha * n, sizeof **out);
    lb_status st = lb_conditional_project(&part, &rows->x, parts, err);
    if (st == LB_OK)
        st = lb_conditional_combine(&part, lb_mat_const(parts), rows->variables,
                                    lb_mat_of(*out, part.n_alpha, n), err);
    free(parts.data);
    return st;
}

/* --- a factor and several right-hand sides ------------------------------------------------------
 */

/* z (p, S) -= what the columns before @p first of U'z have to say about strips begin .. end-1. */
static void from_above(lb_cholesky *u, size_t p, size_t first, size_t begin, size_t end, double *z)
{
    _Alignas(64) double sum[S][WIDE * S];
    for (size_t k = 0; k < first; k += LB_CROSS_CHAIN) {
        const size_t rows = first - k < LB_CROSS_CHAIN ? first - k : LB_CROSS_CHAIN;
        const double *b[WIDE];
        for (size_t q = 0; q < WIDE; q++)
            b[q] = lb_cholesky_place(u, k, (begin + q < end ? begin + q : end - 1) * S);
        lb_cross_block(rows, z + k * S, b, sum);
        for (size_t c = 0; c < (end - begin) * S && begin * S + c < p; c++)
            for (size_t r = 0; r < S; r++)
                z[(begin * S + c) * S + r] -= sum[r][c];
    }
}

/* U'z = b within columns first .. last-1. */
static void solve_lower(lb_cholesky *u, size_t first, size_t last, double *z)
{
    for (size_t j = first; j < last; j++) {
        for (size_t k = first; k < j; k++) {
            const double e = *lb_cholesky_place(u, k, j);
            for (size_t r = 0; r < S; r++)
                z[j * S + r] -= e * z[k * S + r];
        }
        const double pivot = *lb_cholesky_place(u, j, j);
        for (size_t r = 0; r < S; r++)
            z[j * S + r] /= pivot;
    }
}

/* Ux = z within columns first .. last-1. */
static void solve_upper(lb_cholesky *u, size_t first, size_t last, double *z)
{
    for (size_t j = last; j-- > first;) {
        const double pivot = *lb_cholesky_place(u, j, j);
        for (size_t r = 0; r < S; r++)
            z[j * S + r] /= pivot;
        for (size_t k = first; k < j; k++) {
            const double e = *lb_cholesky_place(u, k, j);
            for (size_t r = 0; r < S; r++)
                z[k * S + r] -= e * z[j * S + r];
        }
    }
}

/* z (rows, S) -= a strip of U (rows, S), from its row 0, times x (S, S). */
FOR_EVERY_CPU static void subtract_strip(size_t rows, const double *restrict u,
                                         const double *restrict x, double *restrict z)
{
    for (size_t k = 0; k < rows; k++, u += S, z += S) {
        double sum[S] = {0.0};
        for (size_t c = 0; c < S; c++)
            for (size_t r = 0; r < S; r++)
                sum[r] += u[c] * x[c * S + r];
        for (size_t r = 0; r < S; r++)
            z[r] -= sum[r];
    }
}

/* Rows begin .. end-1 of z -= columns first .. last-1 of U times x. */
static void from_right(lb_cholesky *u, size_t first, size_t last, size_t begin, size_t end,
                       double *z)
{
    for (size_t j = first; j < last; j += S) {
        double x[S * S] = {0.0}; /* beyond the last column: nothing */
        memcpy(x, z + j * S, (last - j < S ? last - j : S) * S * sizeof *x);
        subtract_strip(end - begin, lb_cholesky_place(u, begin, j), x, z + begin * S);
    }
}

/* Solve U'U x = b for up to S right-hand sides at once, z (p, S) holding b and then x. */
static void solve_several(lb_cholesky *u, size_t p, double *z)
{
    const size_t step = PANEL * S, strips = (p + S - 1) / S;
    for (size_t first = 0; first < p; first += step) {
        const size_t last = first + step < p ? first + step : p, end = (last + S - 1) / S;
#pragma omp parallel for schedule(static, 1) if (first >= ALONE)
        for (size_t s = first / S; s < end; s += WIDE)
            from_above(u, p, first, s, s + WIDE < end ? s + WIDE : end, z);
        solve_lower(u, first, last, z);
    }
    for (size_t at = (strips + PANEL - 1) / PANEL; at-- > 0;) {
        const size_t first = at * step, last = first + step < p ? first + step : p;
        solve_upper(u, first, last, z);
#pragma omp parallel for schedule(static, 1) if (first >= ALONE)
        for (size_t begin = 0; begin < first; begin += step)
            from_right(u, first, last, begin, begin + step, z);
    }
}

/* --- one penalty --------------------------------------------------------------------------------
 */

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* One system by conjugate gradients: vectors of n. */
typedef struct descent {
    lb_conditional_system *s;
    double *x;             /* its start, then its solution; borrowed */
    double *r, *z, *d, *q; /* residual, preconditioned residual, direction, A direction */
    double rz;
    enum { RUNNING, CONVERGED, STUCK } state;
} descent;

static descent descent_new(lb_conditional_system *s, double *x, size_t n)
{
    double *r = lb_xcalloc(4 * n, sizeof *r);
    return (descent){s, x, r, r + n, r + 2 * n, r + 3 * n, 0.0, RUNNING};
}

/* z = (U'U)^-1 r for every system. */
static void precondition(lb_cholesky *u, descent *f, size_t count, size_t n)
{
    double *block = lb_xaligned(n * S, sizeof *block);
    for (size_t from = 0; from < count; from += S) {
        const size_t here = count - from < S ? count - from : S;
        memset(block, 0, n * S * sizeof *block);
        for (size_t k = 0; k < here; k++)
            for (size_t i = 0; i < n; i++)
                block[i * S + k] = f[from + k].r[i];
        solve_several(u, n, block);
        for (size_t k = 0; k < here; k++)
            for (size_t i = 0; i < n; i++)
                f[from + k].z[i] = block[i * S + k];
    }
    free(block);
}

/* q = (A + alpha I) v, v = x or the direction, for every system that is still running; how many. */
static size_t multiply(descent *f, size_t count, bool of_x, double alpha, size_t n)
{
    lb_conditional_system **s = lb_xcalloc(count, sizeof *s);
    const double **v = lb_xcalloc(count, sizeof *v);
    double **out = lb_xcalloc(count, sizeof *out);
    size_t running = 0;
    for (size_t k = 0; k < count; k++)
        if (f[k].state == RUNNING) {
            s[running] = f[k].s;
            v[running] = of_x ? f[k].x : f[k].d;
            out[running++] = f[k].q;
        }
    if (running)
        lb_conditional_system_multiply(s, running, v, out);
    for (size_t k = 0; k < running; k++)
        for (size_t i = 0; i < n; i++)
            out[k][i] += alpha * v[k][i];
    free(s);
    free(v);
    free(out);
    return running;
}

/* The next direction, z being known, or the end. The error r'(U'U)^-1 r is measured against x'b,
 * which is the square of the solution in the norm of the system. */
static void turn(descent *f, int step, double tolerance, size_t n)
{
    const double rz = dot(f->r, f->z, n), beta = step ? rz / f->rz : 0.0;
    const double size = fmax(0.0, dot(f->x, lb_conditional_system_right(f->s).data, n));
    f->rz = rz;
    if (!(rz > tolerance * tolerance * size))
        f->state = rz >= 0.0 ? CONVERGED : STUCK;
    for (size_t i = 0; i < n; i++)
        f->d[i] = f->z[i] + beta * f->d[i];
}

static void advance(descent *f, size_t n)
{
    const double curvature = dot(f->d, f->q, n), length = f->rz / curvature;
    if (!(curvature > 0.0)) {
        f->state = STUCK;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        f->x[i] += length * f->d[i];
        f->r[i] -= length * f->q[i];
    }
}

/* Every system as far as it comes in @p most steps; the factor @p u is near all of them. */
static void descend(lb_cholesky *u, descent *f, size_t count, double alpha, double tolerance,
                    int most, size_t n)
{
    multiply(f, count, true, alpha, n);
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < n; i++)
            f[k].r[i] = lb_conditional_system_right(f[k].s).data[i] - f[k].q[i];
    for (int step = 0; step <= most; step++) {
        precondition(u, f, count, n);
        for (size_t k = 0; k < count; k++)
            if (f[k].state == RUNNING)
                turn(&f[k], step, tolerance, n);
        if (step == most || !multiply(f, count, false, alpha, n))
            break;
        for (size_t k = 0; k < count; k++)
            if (f[k].state == RUNNING)
                advance(&f[k], n);
    }
}

static lb_status factor(job *q, lb_conditional_system *s, double alpha, double *w, lb_error *err)
{
    const lb_cvec right = lb_conditional_system_right(s);
    lb_conditional_system_load(s, q->room);
    q->m->factorisations++;
    if (lb_cholesky_factor(q->room, alpha, NULL) != LB_OK)
        return LB_FAIL(err, LB_ENUMERIC,
                       "the normal matrix of %zu columns cannot be factored with alpha = %g: leave "
                       "out the smallest alphas, or centre and scale the conditions",
                       right.n, alpha);
    memcpy(w, right.data, right.n * sizeof *w);
    lb_cholesky_solve(q->room, (lb_vec){w, right.n});
    return LB_OK;
}

/* Weights on all rows. While alpha is small beside the eigenvalues, the factor of another alpha
 * does for a few steps from the weights there, @p before: cheaper than a factorisation of (k p)^3 /
 * 3 multiplications, if that is large beside a product with every Gram. */
static lb_status fit_all(job *q, double alpha, const double *before, double *w, lb_error *err)
{
    const size_t n = q->m->fit.k * q->m->fit.p, k = q->m->fit.k;
    const double worth = (double)(k * k * n) / 240.0 / (double)lb_conditional_gram_count(q->g);
    if (before && worth >= FIT_STEPS) {
        memcpy(w, before, n * sizeof *w);
        descent f = descent_new(q->all, w, n);
        descend(q->room, &f, 1, alpha, FIT_TOLERANCE, FIT_STEPS, n);
        free(f.r);
        if (f.state == CONVERGED)
            return LB_OK;
    }
    return factor(q, q->all, alpha, w, err);
}

/* Mean R2 over the folds, each from the model that was fitted without it. The room holds a factor
 * of all rows or of most of them; the weights start from those of the last alpha. */
static lb_status score_folds(job *q, double alpha, double *r2, lb_error *err)
{
    const size_t n = q->m->fit.k * q->m->fit.p;
    descent *f = lb_xcalloc(q->folds, sizeof *f);
    const double **w = lb_xcalloc(q->folds, sizeof *w);
    double *each = lb_xcalloc(q->folds, sizeof *each);
    lb_status st = LB_OK;
    for (size_t k = 0; k < q->folds; k++) {
        f[k] = descent_new(q->without[k], q->w_without + k * n, n);
        w[k] = f[k].x;
    }
    descend(q->room, f, q->folds, alpha, FOLD_TOLERANCE, FOLD_STEPS, n);
    for (size_t k = 0; k < q->folds && st == LB_OK; k++)
        if (f[k].state != CONVERGED)
            st = factor(q, q->without[k], alpha, f[k].x, err);
    if (st == LB_OK)
        lb_conditional_system_score(q->without, q->folds, w, each);
    *r2 = 0.0;
    for (size_t k = 0; k < q->folds; k++) {
        *r2 += each[k] / (double)q->folds;
        free(f[k].r);
    }
    free(f);
    free(w);
    free(each);
    return st;
}

/* --- one member ---------------------------------------------------------------------------------
 */

/* R2 on the validation rows that count. */
static double r2_of(const lb_conditional_labelled *val, const double *yhat)
{
    double mean = 0.0, total = 0.0, residual = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < val->y.n; i++)
        if (!val->fold || val->fold[i] >= 0) {
            mean += val->y.data[i];
            n++;
        }
    mean /= (double)n;
    for (size_t i = 0; i < val->y.n; i++)
        if (!val->fold || val->fold[i] >= 0) {
            total += (val->y.data[i] - mean) * (val->y.data[i] - mean);
            residual += (val->y.data[i] - yhat[i]) * (val->y.data[i] - yhat[i]);
        }
    return 1.0 - residual / total;
}

static void fit_grow(lb_conditional_fit *fit, lb_cvec alphas)
{
    const size_t n = fit->n_alpha + alphas.n;
    fit->alpha = lb_xrealloc(fit->alpha, n, sizeof(double));
    fit->b = lb_xrealloc(fit->b, n, sizeof(double));
    fit->offset = lb_xrealloc(fit->offset, n * fit->k, sizeof(double));
    fit->w = lb_xrealloc(fit->w, n * fit->k * fit->p, sizeof(double));
    memcpy(fit->alpha + fit->n_alpha, alphas.data, alphas.n * sizeof(double));
    fit->n_alpha = n;
}

/* Fit, score and predict with some penalties. */
static lb_status score_member(void *self, lb_cvec alphas, double *r2, lb_error *err)
{
    job *q = self;
    member *m = q->m;
    lb_conditional_fit *fit = &m->fit;
    const size_t from = fit->n_alpha, test_rows = q->test->x.rows;
    double *on_val = NULL, *on_test = NULL;
    lb_status st = LB_OK;
    fit_grow(fit, alphas);
    for (size_t a = from; a < fit->n_alpha && st == LB_OK; a++) {
        double *w = fit->w + a * fit->k * fit->p;
        const double *before = a ? w - fit->k * fit->p : NULL;
        if ((st = fit_all(q, fit->alpha[a], before, w, err)) != LB_OK)
            break;
        lb_conditional_system_finish(q->all, w, &fit->b[a], fit->offset + a * fit->k);
        if (q->folds)
            st = score_folds(q, fit->alpha[a], &r2[a - from], err);
    }
    if (st != LB_OK || (st = predict(fit, from, q->test, &on_test, err)) != LB_OK ||
        (!q->folds && (st = predict(fit, from, &q->val->rows, &on_val, err)) != LB_OK))
        goto done;
    for (size_t a = 0; a < alphas.n && !q->folds; a++)
        r2[a] = r2_of(q->val, on_val + a * q->val->rows.x.rows);
    m->test = lb_xrealloc(m->test, fit->n_alpha * test_rows, sizeof *m->test);
    memcpy(m->test + from * test_rows, on_test, alphas.n * test_rows * sizeof *m->test);
done:
    free(on_val);
    free(on_test);
    return st;
}

static lb_status run_member(job *q, const lb_conditional_member *given,
                            const lb_conditional_options *o, lb_error *err)
{
    member *m = q->m;
    lb_status st;
    m->name = given->name;
    m->fit.term = given->conditions.term;
    m->fit.k = given->conditions.n;
    m->fit.p = lb_conditional_gram_cols(q->g);
    q->without = lb_xcalloc(o->folds, sizeof *q->without);
    st = lb_conditional_system_new(q->g, given->conditions, -1, &q->all, err);
    for (size_t f = 0; f < o->folds && st == LB_OK; f++)
        st = lb_conditional_system_new(q->g, given->conditions, (int)f, &q->without[f], err);
    if (st == LB_OK) {
        m->fit.n_rows = lb_conditional_system_rows(q->all);
        q->room = lb_cholesky_new(m->fit.k * m->fit.p);
        q->w_without = lb_xcalloc(o->folds * m->fit.k * m->fit.p, sizeof(double));
        st = lb_penalty_search(o->alphas, o->extend_decades, score_member, q, &m->penalty, err);
    }
    if (st != LB_OK)
        lb_error_within(err, "model '%s'", m->name);
    lb_cholesky_free(q->room);
    lb_conditional_system_free(q->all);
    for (size_t f = 0; f < o->folds; f++)
        lb_conditional_system_free(q->without[f]);
    free(q->without);
    free(q->w_without);
    return st;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

/* Labels of the rows whose fold is @p fold (-1: any from 0 on) must vary. */
static lb_status check_labels(const lb_conditional_labelled *set, int fold, const char *what,
                              size_t *count, lb_error *err)
{
    double first = 0.0;
    bool varies = false;
    size_t n = 0;
    for (size_t i = 0; i < set->y.n; i++) {
        const int number = set->fold ? set->fold[i] : 0;
        if (number < 0 || (fold >= 0 && number != fold))
            continue;
        if (!isfinite(set->y.data[i]))
            return LB_FAIL(err, LB_ENUMERIC, "the label of row %zu of the %s is %g", i, what,
                           set->y.data[i]);
        first = n++ ? first : set->y.data[i];
        varies = varies || set->y.data[i] != first;
    }
    if (count)
        *count = n;
    if (n < 2 || !varies)
        return LB_FAIL(err, LB_EINVAL,
                       "no penalty can be chosen on the %zu rows of the %s: their labels do not "
                       "vary (fold %d)",
                       n, what, fold);
    return LB_OK;
}

static lb_status check(const lb_conditional_labelled *train, const lb_conditional_labelled *val,
                       const lb_conditional_rows *test, lb_conditional_options o, lb_error *err)
{
    if (o.folds == 1 || (o.folds == 0 && !val))
        return LB_FAIL(err, LB_EINVAL,
                       "a penalty is chosen by two or more folds, or by validation rows");
    if (train->rows.x.cols != test->x.cols || test->variables.rows != test->x.rows ||
        train->y.n != train->rows.x.rows)
        return LB_FAIL(err, LB_ESHAPE,
                       "columns of training (%zu) and test rows (%zu), or their labels and base "
                       "variables, disagree",
                       train->rows.x.cols, test->x.cols);
    for (size_t f = 0; f < o.folds; f++) {
        const lb_status st = check_labels(train, (int)f, "training fold", NULL, err);
        if (st != LB_OK)
            return st;
    }
    if (o.folds == 0 && (val->rows.x.cols != train->rows.x.cols || val->y.n != val->rows.x.rows ||
                         val->rows.variables.rows != val->rows.x.rows))
        return LB_FAIL(err, LB_ESHAPE,
                       "validation rows: %zu x %zu, %zu labels, %zu base variables; training has "
                       "%zu columns",
                       val->rows.x.rows, val->rows.x.cols, val->y.n, val->rows.variables.rows,
                       train->rows.x.cols);
    return LB_OK;
}

lb_status lb_conditional_run(const lb_conditional_labelled *train,
                             const lb_conditional_labelled *val, const lb_conditional_rows *test,
                             const lb_conditional_member *members, size_t n,
                             lb_conditional_options o, lb_conditional **out, lb_error *err)
{
    lb_conditional_gram *g = NULL;
    lb_conditional *c = lb_xcalloc(1, sizeof *c);
    lb_conditions *wanted = lb_xcalloc(n, sizeof *wanted);
    size_t n_val = 0;
    lb_status st;

    *out = NULL;
    c->members = lb_xcalloc(n, sizeof *c->members);
    c->n = n;
    c->test_rows = test->x.rows;
    for (size_t i = 0; i < n; i++)
        wanted[i] = members[i].conditions;
    /* 1. One pass over the training rows. */
    if ((st = check(train, val, test, o, err)) != LB_OK ||
        (!o.folds && (st = check_labels(val, -1, "validation", &n_val, err)) != LB_OK) ||
        (st = lb_conditional_gram_accumulate(&train->rows.x, train->rows.variables, train->y,
                                             train->fold, o.folds ? o.folds : 1, wanted, n,
                                             o.memory, &g, err)) != LB_OK)
        goto done;
    /* 2. Every member: every penalty, the best of them, predictions. */
    for (size_t i = 0; i < n; i++) {
        job q = {.g = g, .val = val, .test = test, .folds = o.folds, .m = &c->members[i]};
        c->members[i].n_val = n_val;
        if ((st = run_member(&q, &members[i], &o, err)) != LB_OK)
            goto done;
    }
    *out = c;
    c = NULL;
done:
    lb_conditional_gram_free(g);
    lb_conditional_free(c);
    free(wanted);
    return st;
}

void lb_conditional_free(lb_conditional *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++) {
        member *m = &c->members[i];
        free(m->fit.alpha);
        free(m->fit.w);
        free(m->fit.offset);
        free(m->fit.b);
        free(m->test);
        lb_penalty_free(&m->penalty);
    }
    free(c->members);
    free(c);
}

lb_sweep_model lb_conditional_get(const lb_conditional *c, size_t i)
{
    const member *m = &c->members[i];
    const lb_penalty *s = &m->penalty;
    return (lb_sweep_model){
        .name = m->name,
        .n_train = m->fit.n_rows,
        .n_val = m->n_val,
        .alphas = {s->alphas, s->n},
        .n_grid = s->n_grid,
        .r2_val = {s->r2, s->n},
        .on_grid = s->on_grid,
        .chosen = s->chosen,
        .yhat = {m->test, s->n, c->test_rows, c->test_rows},
        .yhat_chosen = {m->test + s->chosen.index * c->test_rows, c->test_rows},
        .condition_ols = NAN,
    };
}

const lb_conditional_fit *lb_conditional_weights(const lb_conditional *c, size_t i)
{
    return &c->members[i].fit;
}

size_t lb_conditional_factorisations(const lb_conditional *c, size_t i)
{
    return c->members[i].factorisations;
}
