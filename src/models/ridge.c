/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/ridge.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "linalg/blas.h"
#include "linalg/cholesky.h"
#include "linalg/shifted.h"
#include "models/ridge_dual.h"

#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEPS = 3,    /* of power iteration, enough for the size of a condition number */
    SHARE = 1024, /* columns from which on alphas share a factor, */
    REACH = 6,    /* as far as the smallest eigenvalue of the system grows this many times, */
    LANCZOS = 40, /* steps, which cost a factor of their own */
    READ = 1024,  /* rows predicted at once, in pieces of CHUNK for one thread each */
    CHUNK = 64,
};

/* One call of lb_ridge_fit_many() or lb_ridge_fit_loaded(). */
typedef struct job {
    const lb_gram *g;
    lb_cmat loading; /* (n_models, p) for the diagonals of Xc'Xc; data NULL: none */
    const bool *use;
    lb_cvec alphas;
    size_t smallest; /* index of the smallest alpha */
    bool standardise;
    lb_ridge **fits;
    double *least, *largest; /* (n_models) extreme eigenvalues at alpha 0, estimated */
} job;

/* The system of one model, and its solution. */
typedef struct work {
    lb_moments m; /* m.room: the system at alpha 0, loaded anew for each alpha, since its factor
                     takes its place */
    lb_ridge_dual *dual; /* the system in its rows takes the place of m.room; NULL: it does not */
    double least;        /* smallest eigenvalue of the system at alpha 0, estimated */
    lb_vec c, x;         /* (p) its unknowns, in either form, and the weights they stand for */
} work;

static work work_new(size_t p)
{
    return (work){.m = {.room = lb_cholesky_new(p),
                        .xy = lb_vec_new(p),
                        .mean = lb_vec_new(p),
                        .sd = lb_vec_new(p)},
                  .c = lb_vec_new(p),
                  .x = lb_vec_new(p)};
}

static void work_free(work *w)
{
    lb_cholesky_free(w->m.room);
    free(w->m.xx.data);
    free(w->m.xy.data);
    free(w->m.mean.data);
    free(w->m.sd.data);
    free(w->c.data);
    free(w->x.data);
}

static lb_ridge *ridge_new(lb_cvec alphas, size_t p)
{
    lb_ridge *r = lb_xcalloc(1, sizeof *r);
    r->n_alpha = alphas.n;
    r->w = lb_mat_new(alphas.n, p);
    r->b = lb_xcalloc(alphas.n, sizeof *r->b);
    r->alpha = lb_xcalloc(alphas.n, sizeof *r->alpha);
    r->condition = lb_xcalloc(alphas.n, sizeof *r->condition);
    r->method = lb_xcalloc(alphas.n + 1, 1);
    memcpy(r->alpha, alphas.data, alphas.n * sizeof *r->alpha);
    return r;
}

void lb_ridge_free(lb_ridge *r)
{
    if (!r)
        return;
    free(r->w.data);
    free(r->b);
    free(r->alpha);
    free(r->condition);
    free(r->method);
    free(r);
}

/* --- the largest eigenvalue of a symmetric operator, by power iteration -------------------------
 */

typedef void apply(const void *self, lb_vec x); /* x := A x */

static void apply_matrix(const void *self, lb_vec x)
{
    lb_vec y = lb_vec_new(x.n);
    lb_cholesky_multiply(self, lb_vec_const(x), y);
    memcpy(x.data, y.data, x.n * sizeof(double));
    free(y.data);
}

static void apply_inverse(const void *self, lb_vec x)
{
    lb_cholesky_solve(self, x);
}

static double largest_eigenvalue(apply *a, const void *self, size_t p)
{
    lb_vec x = lb_vec_new(p);
    double norm = 0.0;
    for (size_t j = 0; j < p; j++) /* a start that no spectrum is orthogonal to */
        x.data[j] = 1.0 + (double)(j * 2654435761u % 1024u) / 1024.0 - (j % 2 ? 2.0 : 0.0);
    for (int step = 0; step <= STEPS; step++) {
        if (step)
            a(self, x);
        norm = sqrt(lb_dot(x.data, x.data, p));
        for (size_t j = 0; j < p && norm > 0.0; j++)
            x.data[j] /= norm;
    }
    free(x.data);
    return norm;
}

/* --- one system ---------------------------------------------------------------------------------
 */

static lb_cholesky *room_of(const work *w)
{
    return w->dual ? lb_ridge_dual_room(w->dual) : w->m.room;
}

static lb_cvec right_of(const work *w)
{
    return w->dual ? lb_ridge_dual_right(w->dual) : lb_vec_const(w->m.xy);
}

static lb_status load(const job *q, size_t model, work *w, lb_error *err)
{
    const bool *use = q->use + model * lb_gram_groups(q->g);
    if (w->dual) {
        lb_ridge_dual_load(w->dual);
        return LB_OK;
    }
    const lb_status st = lb_gram_moments(q->g, use, q->standardise, &w->m, err);
    for (size_t j = 0; j < q->loading.cols && st == LB_OK; j++) {
        double *place =
            w->m.room ? lb_cholesky_place(w->m.room, j, j) : w->m.xx.data + j * w->m.xx.stride + j;
        *place += q->loading.data[model * q->loading.stride + j];
    }
    return st;
}

/* Weights x from the unknowns of the system. */
static void express(work *w, lb_cvec c)
{
    if (w->dual)
        lb_ridge_dual_weights(w->dual, c, w->x);
    else
        memcpy(w->x.data, c.data, c.n * sizeof *c.data);
}

/* Weights x of alpha k, back in the units of the columns, into the fit. One that is not finite
 * leaves method 0: not solved yet. */
static void store(const job *q, const work *w, size_t model, size_t k, char method)
{
    lb_ridge *fit = q->fits[model];
    double *out = fit->w.data + k * fit->w.stride, b = w->m.y_mean;
    for (size_t j = 0; j < fit->w.cols; j++) {
        out[j] = q->standardise ? w->x.data[j] / w->m.sd.data[j] : w->x.data[j];
        b -= w->m.mean.data[j] * out[j];
    }
    fit->b[k] = b;
    fit->method[k] = isfinite(b) ? method : 0;
}

/* What cannot be told from the rounding of Xc'Xc. */
static double floor_of(const job *q, size_t model)
{
    return (double)lb_gram_cols(q->g) * DBL_EPSILON * q->largest[model];
}

static double penalty(const job *q, size_t model, size_t k)
{
    const double alpha = q->alphas.data[k];
    return alpha > floor_of(q, model) ? alpha : 0.0;
}

static lb_status solve_cholesky(const job *q, size_t model, size_t k, work *w, lb_error *err)
{
    const size_t p = lb_gram_cols(q->g);
    const lb_status st = load(q, model, w, err);
    if (st != LB_OK)
        return st;
    lb_cholesky *room = room_of(w);
    const lb_cvec right = right_of(w);
    if (k == q->smallest)
        q->largest[model] = largest_eigenvalue(apply_matrix, room, right.n);
    const double alpha = penalty(q, model, k);
    if (alpha == 0.0 && w->m.n <= p && !q->loading.data)
        return LB_OK; /* singular by counting: left to solve_spectral() */
    if (lb_cholesky_factor(room, alpha, NULL) != LB_OK)
        return LB_OK; /* likewise */
    if (k == q->smallest) {
        w->least = fmax(0.0, 1.0 / largest_eigenvalue(apply_inverse, room, right.n) - alpha);
        q->least[model] = w->dual ? 0.0 : w->least;
    }
    if (alpha == 0.0 && !(q->least[model] > LB_RIDGE_RCOND * q->largest[model]))
        return LB_OK;
    memcpy(w->c.data, right.data, right.n * sizeof(double));
    lb_cholesky_solve(room, (lb_vec){w->c.data, right.n});
    express(w, (lb_cvec){w->c.data, right.n});
    store(q, w, model, k, w->dual ? 'd' : 'c');
    return LB_OK;
}

/* The alphas that the factor of the smallest one, in the room of w, can serve. */
static void solve_shared(const job *q, size_t model, work *w)
{
    const lb_cvec right = right_of(w);
    const size_t n = q->alphas.n;
    const double pole = penalty(q, model, q->smallest), least = w->least + pole;
    lb_vec near = lb_vec_new(n);
    lb_mat x = lb_mat_of(lb_xaligned(n * right.n, sizeof(double)), n, right.n);
    size_t *which = lb_xcalloc(n, sizeof *which), count = 0;
    bool *solved = lb_xcalloc(n, sizeof *solved);
    for (size_t k = 0; k < n; k++) {
        const double alpha = q->alphas.data[k];
        if (alpha <= pole || w->least + alpha > REACH * least)
            continue;
        near.data[count] = alpha;
        which[count++] = k;
    }
    lb_shifted_solve(room_of(w), pole, right, (lb_cvec){near.data, count}, LANCZOS, x, solved);
    for (size_t c = 0; c < count; c++) {
        if (!solved[c])
            continue;
        express(w, (lb_cvec){x.data + c * right.n, right.n});
        store(q, w, model, which[c], 'l');
    }
    free(near.data);
    free(x.data);
    free(which);
    free(solved);
}

/* The smallest alpha, which says how small the eigenvalues are, and those it can serve. */
static lb_status solve_first(const job *q, size_t model, work *w, lb_error *err)
{
    const lb_status st = solve_cholesky(q, model, q->smallest, w, err);
    if (st == LB_OK && q->fits[model]->method[q->smallest] && right_of(w).n >= SHARE)
        solve_shared(q, model, w);
    return st;
}

/* The alphas that are still unsolved, by the eigenvectors V diag(e) V' of the system at alpha
 * 0. */
static lb_status solve_spectral(const job *q, size_t model, work *w, lb_error *err)
{
    const size_t p = lb_gram_cols(q->g);
    lb_vec e = lb_vec_new(p), rotated = lb_vec_new(p), c = lb_vec_new(p);
    lb_status st;
    if (!w->m.xx.data)
        w->m.xx = lb_mat_of(lb_xaligned(p * p, sizeof(double)), p, p);
    lb_cholesky_free(w->m.room);
    w->m.room = NULL;
    if ((st = load(q, model, w, err)) != LB_OK ||
        (st = lb_eigen_symmetric(w->m.xx, e, err)) != LB_OK)
        goto done;
    q->largest[model] = fmax(e.data[p - 1], 0.0);
    q->least[model] = fmax(e.data[0], 0.0);
    lb_gemv(false, 1.0, lb_mat_const(w->m.xx), lb_vec_const(w->m.xy), 0.0, rotated);
    for (size_t k = 0; k < q->alphas.n; k++) {
        const double alpha = penalty(q, model, k);
        double kept = q->largest[model]; /* the smallest eigenvalue that counts */
        if (q->fits[model]->method[k])
            continue;
        for (size_t i = p; i-- > 0;) {
            const bool counts = alpha > 0.0 || e.data[i] > floor_of(q, model);
            c.data[i] = counts ? rotated.data[i] / (fmax(e.data[i], 0.0) + alpha) : 0.0;
            kept = counts ? fmax(e.data[i], 0.0) : kept;
        }
        lb_gemv(true, 1.0, lb_mat_const(w->m.xx), lb_vec_const(c), 0.0, w->x);
        store(q, w, model, k, 's');
        q->fits[model]->condition[k] =
            q->largest[model] > 0.0 ? (q->largest[model] + alpha) / (kept + alpha) : 1.0;
        if (!q->fits[model]->method[k]) {
            st = LB_FAIL(err, LB_ENUMERIC, "ridge: the weights for alpha %g are not finite",
                         q->alphas.data[k]);
            goto done;
        }
    }
done:
    free(e.data);
    free(rotated.data);
    free(c.data);
    return st;
}

/* --- many systems -------------------------------------------------------------------------------
 */

/* What no factorisation could solve, if anything; then the condition of the rest. */
static lb_status solve_rest(const job *q, size_t model, work *w, lb_error *err)
{
    lb_ridge *fit = q->fits[model];
    lb_status st = LB_OK;
    size_t open = 0;
    while (open < fit->n_alpha && fit->method[open])
        open++;
    if (open < fit->n_alpha && lb_gram_is_float32(q->g))
        return LB_FAIL(err, LB_ENUMERIC,
                       "the float32 Gram of model %zu is too coarse for alpha = %g; accumulate it "
                       "in float64",
                       model, fit->alpha[open]);
    if (open < fit->n_alpha)
        st = solve_spectral(q, model, w, err);
    for (size_t k = 0; k < fit->n_alpha; k++)
        if (fit->method[k] != 's')
            fit->condition[k] =
                (q->largest[model] + fit->alpha[k]) / (q->least[model] + fit->alpha[k]);
    return st;
}

/* A model with few rows, every alpha of it, in its rows. What cannot be factored stays unsolved. */
static lb_status solve_dual(const job *q, size_t model, work *w, lb_error *err)
{
    const bool *use = q->use + model * lb_gram_groups(q->g);
    lb_cholesky *room = w->m.room;
    w->m.room = NULL;
    lb_status st = lb_gram_moments(q->g, use, q->standardise, &w->m, err);
    w->m.room = room;
    if (st != LB_OK)
        return st;
    w->dual = lb_ridge_dual_new(q->g, use, q->standardise, &w->m);
    st = solve_first(q, model, w, err);
    for (size_t k = 0; k < q->alphas.n && st == LB_OK; k++)
        if (k != q->smallest && !q->fits[model]->method[k])
            st = solve_cholesky(q, model, k, w, err);
    lb_ridge_dual_free(w->dual);
    w->dual = NULL;
    return st;
}

/* What one thread does at a time: all of a model in dual form, its smallest alpha and those this
 * serves, or one of the rest. */
typedef struct unit {
    enum { DUAL, FIRST, REST } kind;
    size_t model, alpha;
} unit;

static bool is_dual(const job *q, size_t model)
{
    return !q->loading.data && lb_ridge_dual_pays(q->fits[model]->n_rows, lb_gram_cols(q->g)) &&
           lb_gram_kept(q->g, q->use + model * lb_gram_groups(q->g), NULL, NULL);
}

/* The dual ones before the others, since they take longest. */
static size_t first_units(const job *q, size_t n_models, unit *units)
{
    size_t n = 0;
    for (int dual = 1; dual >= 0; dual--)
        for (size_t i = 0; i < n_models; i++)
            if (is_dual(q, i) == dual)
                units[n++] = (unit){dual ? DUAL : FIRST, i, q->smallest};
    return n;
}

static size_t rest_units(const job *q, size_t n_models, unit *units)
{
    size_t n = 0;
    for (size_t i = 0; i < n_models; i++)
        for (size_t k = 0; k < q->alphas.n; k++)
            if (!is_dual(q, i) && k != q->smallest && !q->fits[i]->method[k])
                units[n++] = (unit){REST, i, k};
    return n;
}

static lb_status solve_unit(const job *q, unit u, work *w, lb_error *err)
{
    return u.kind == DUAL    ? solve_dual(q, u.model, w, err)
           : u.kind == FIRST ? solve_first(q, u.model, w, err)
                             : solve_cholesky(q, u.model, u.alpha, w, err);
}

/* Every unit, shared among the threads where they are worth it; a single one has them all to
 * itself, inside its factorisation. */
static lb_status solve_units(const job *q, const unit *units, size_t n, lb_error *err)
{
    const size_t p = lb_gram_cols(q->g), most = (size_t)omp_get_max_threads();
    const bool share = n > 1 && n * p * p * p / 6 >= LB_WORTH_THREADS;
    lb_status status = LB_OK;
#pragma omp parallel num_threads((int)(n < most ? n : most)) if (share)
    {
        work w = work_new(p);
        lb_error mine = {0};
#pragma omp for schedule(dynamic, 1)
        for (size_t u = 0; u < n; u++) {
            const lb_status st = solve_unit(q, units[u], &w, &mine);
            if (st != LB_OK) {
#pragma omp critical
                status = status == LB_OK ? LB_FAIL(err, st, "%s", mine.text) : status;
            }
        }
        work_free(&w);
    }
    return status;
}

static lb_status solve_all(const job *q, size_t n_models, lb_error *err)
{
    unit *units = lb_xcalloc(n_models * q->alphas.n, sizeof *units);
    lb_status status = solve_units(q, units, first_units(q, n_models, units), err);
    const size_t rest = status == LB_OK ? rest_units(q, n_models, units) : 0;
    if (rest)
        status = solve_units(q, units, rest, err);
    free(units);
    work w = work_new(lb_gram_cols(q->g));
    for (size_t i = 0; i < n_models && status == LB_OK; i++)
        status = solve_rest(q, i, &w, err);
    work_free(&w);
    return status;
}

static lb_status check_alphas(lb_cvec alphas, lb_error *err)
{
    if (alphas.n == 0)
        return LB_FAIL(err, LB_EINVAL, "ridge: no alpha to fit");
    for (size_t k = 0; k < alphas.n; k++)
        if (!(alphas.data[k] >= 0.0) || isinf(alphas.data[k]))
            return LB_FAIL(err, LB_EINVAL, "ridge: alpha = %g, must be finite and not negative",
                           alphas.data[k]);
    return LB_OK;
}

static lb_status check_loading(lb_cmat loading, size_t n_models, size_t p, lb_error *err)
{
    if (loading.data && (loading.rows != n_models || loading.cols != p))
        return LB_FAIL(err, LB_ESHAPE, "ridge: %zu models of %zu columns, the loading is %zux%zu",
                       n_models, p, loading.rows, loading.cols);
    for (size_t e = 0; e < loading.rows * loading.cols; e++) {
        const double d = loading.data[e / p * loading.stride + e % p];
        if (!(d >= 0.0) || isinf(d))
            return LB_FAIL(err, LB_EINVAL,
                           "ridge: model %zu loads column %zu by %g, must be finite and not "
                           "negative",
                           e / p, e % p, d);
    }
    return LB_OK;
}

/* Every model of @p q, which holds what the caller gave. */
static lb_status fit_all(job q, size_t n_models, lb_error *err)
{
    const size_t groups = lb_gram_groups(q.g), p = lb_gram_cols(q.g);
    lb_status st;
    for (size_t i = 0; i < n_models; i++)
        q.fits[i] = NULL;
    if ((st = check_alphas(q.alphas, err)) != LB_OK ||
        (st = check_loading(q.loading, n_models, p, err)) != LB_OK)
        return st;
    for (size_t k = 1; k < q.alphas.n; k++)
        if (q.alphas.data[k] < q.alphas.data[q.smallest])
            q.smallest = k;
    q.least = lb_xcalloc(n_models, sizeof *q.least);
    q.largest = lb_xcalloc(n_models, sizeof *q.largest);
    for (size_t i = 0; i < n_models; i++) {
        q.fits[i] = ridge_new(q.alphas, p);
        for (size_t k = 0; k < groups; k++)
            q.fits[i]->n_rows += q.use[i * groups + k] ? lb_gram_rows(q.g, k) : 0;
        if (q.fits[i]->n_rows == 0) {
            st = LB_FAIL(err, LB_EINVAL, "ridge: model %zu of %zu has no row to fit", i, n_models);
            goto done;
        }
    }
    lb_blas_prepare();
    st = solve_all(&q, n_models, err);
done:
    free(q.least);
    free(q.largest);
    for (size_t i = 0; i < n_models && st != LB_OK; i++) {
        lb_ridge_free(q.fits[i]);
        q.fits[i] = NULL;
    }
    return st;
}

lb_status lb_ridge_fit_many(const lb_gram *g, const bool *use, size_t n_models, lb_cvec alphas,
                            lb_ridge_options options, lb_ridge **out, lb_error *err)
{
    return fit_all(
        (job){
            .g = g, .use = use, .alphas = alphas, .standardise = options.standardise, .fits = out},
        n_models, err);
}

lb_status lb_ridge_fit_loaded(const lb_gram *g, lb_cmat loading, const bool *use, size_t n_models,
                              lb_cvec alphas, lb_ridge **out, lb_error *err)
{
    return fit_all((job){.g = g, .loading = loading, .use = use, .alphas = alphas, .fits = out},
                   n_models, err);
}

lb_status lb_ridge_fit(const lb_gram *g, const bool *use, lb_cvec alphas, lb_ridge **out,
                       lb_error *err)
{
    const size_t groups = lb_gram_groups(g);
    bool *all = lb_xcalloc(groups, sizeof *all);
    for (size_t k = 0; k < groups; k++)
        all[k] = use ? use[k] : true;
    const lb_status st = lb_ridge_fit_many(g, all, 1, alphas, (lb_ridge_options){0}, out, err);
    free(all);
    return st;
}

/* Rows of the smallest model. */
static size_t fewest_rows(const int *group, size_t rows, size_t groups, const bool *use,
                          size_t n_models)
{
    size_t *count = lb_xcalloc(groups, sizeof *count), fewest = SIZE_MAX;
    for (size_t i = 0; i < rows; i++) {
        const int number = group ? group[i] : 0;
        if (number >= 0 && (size_t)number < groups)
            count[number]++;
    }
    for (size_t i = 0; i < n_models; i++) {
        size_t n = 0;
        for (size_t k = 0; k < groups; k++)
            n += use[i * groups + k] ? count[k] : 0;
        fewest = n < fewest ? n : fewest;
    }
    free(count);
    return fewest;
}

lb_status lb_ridge_fit_stream(const lb_stream *x, lb_cvec y, const int *group, size_t groups,
                              double noise, const bool *use, size_t n_models, lb_cvec alphas,
                              lb_ridge_options options, lb_ridge **out, lb_error *err)
{
    for (size_t i = 0; i < n_models; i++)
        out[i] = NULL;
    lb_status st = check_alphas(alphas, err);
    if (st != LB_OK)
        return st;
    double least = alphas.data[0];
    for (size_t k = 1; k < alphas.n; k++)
        least = fmin(least, alphas.data[k]);
    const size_t rows = fewest_rows(group, x->rows, groups, use, n_models);
    bool single = lb_gram_float32_is_safe(noise, rows, x->cols, least);
    for (;;) {
        lb_gram *g = NULL;
        lb_error now = {0};
        const lb_gram_options sums = {.groups = groups, .float32 = single, .keep_rows = !single};
        st = lb_gram_accumulate(x, y, group, sums, &g, &now);
        const bool summed = st == LB_OK;
        if (summed)
            st = lb_ridge_fit_many(g, use, n_models, alphas, options, out, &now);
        lb_gram_free(g);
        if (st == LB_OK)
            return LB_OK;
        if (!(single && summed && st == LB_ENUMERIC))
            return LB_FAIL(err, st, "%s", now.text);
        single = false; /* too coarse: once more in float64 */
    }
}

/* --- prediction and the choice of alpha ---------------------------------------------------------
 */

/* Rows of x (at most CHUNK), position @p first in the stream, through every model. */
static void predict_chunk(const lb_ridge *const *models, size_t n_models, lb_cmatf x, size_t first,
                          double *scratch, const lb_mat *yhat)
{
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            scratch[i * x.cols + j] = (double)x.data[i * x.stride + j];
    const lb_cmat rows = {scratch, x.rows, x.cols, x.cols};
    for (size_t m = 0; m < n_models; m++) {
        const lb_mat out = lb_mat_rows(yhat[m], first, first + x.rows);
        for (size_t i = 0; i < x.rows; i++)
            memcpy(out.data + i * out.stride, models[m]->b, out.cols * sizeof(double));
        lb_gemm(false, true, 1.0, rows, lb_mat_const(models[m]->w), 1.0, out);
    }
}

static lb_status check_predictions(size_t n_models, const lb_mat *yhat, lb_error *err)
{
    for (size_t m = 0; m < n_models; m++)
        for (size_t i = 0; i < yhat[m].rows; i++)
            for (size_t k = 0; k < yhat[m].cols; k++)
                if (!isfinite(yhat[m].data[i * yhat[m].stride + k]))
                    return LB_FAIL(err, LB_ENUMERIC, "model %zu predicts %g for row %zu", m,
                                   yhat[m].data[i * yhat[m].stride + k], i);
    return LB_OK;
}

lb_status lb_ridge_predict(const lb_ridge *const *models, size_t n_models, const lb_stream *x,
                           const lb_mat *yhat, lb_error *err)
{
    for (size_t m = 0; m < n_models; m++)
        if (models[m]->w.cols != x->cols || yhat[m].rows != x->rows ||
            yhat[m].cols != models[m]->n_alpha)
            return LB_FAIL(err, LB_ESHAPE,
                           "model %zu maps %zu columns to %zu alphas; x is %zux%zu, yhat %zux%zu",
                           m, models[m]->w.cols, models[m]->n_alpha, x->rows, x->cols, yhat[m].rows,
                           yhat[m].cols);
    lb_blas_prepare();
    lb_status st = LB_OK;
    float *block = lb_xaligned(READ * x->cols, sizeof *block);
    for (size_t first = 0; first < x->rows && st == LB_OK; first += READ) {
        const size_t n = x->rows - first < READ ? x->rows - first : READ;
        if ((st = x->read(x->self, first, (lb_matf){block, n, x->cols, x->cols}, err)) != LB_OK)
            break;
#pragma omp parallel if (n * x->cols * n_models >= LB_WORTH_THREADS)
        {
            double *scratch = lb_xaligned(CHUNK * x->cols, sizeof *scratch);
#pragma omp for schedule(dynamic, 1)
            for (size_t at = 0; at < n; at += CHUNK) {
                const lb_cmatf rows = {block + at * x->cols, n - at < CHUNK ? n - at : CHUNK,
                                       x->cols, x->cols};
                predict_chunk(models, n_models, rows, first + at, scratch, yhat);
            }
            free(scratch);
        }
    }
    free(block);
    return st == LB_OK ? check_predictions(n_models, yhat, err) : st;
}

lb_status lb_ridge_choose(lb_cvec alphas, lb_cvec r2, lb_alpha_choice *out, lb_error *err)
{
    if (r2.n != alphas.n)
        return LB_FAIL(err, LB_ESHAPE, "%zu alphas with %zu scores", alphas.n, r2.n);
    if (alphas.n == 0)
        return LB_FAIL(err, LB_EINVAL, "no alpha to choose from");
    size_t best = 0;
    for (size_t k = 0; k < alphas.n; k++) {
        if (k && !(alphas.data[k] > alphas.data[k - 1]))
            return LB_FAIL(err, LB_EINVAL, "alphas must ascend: %g comes before %g",
                           alphas.data[k - 1], alphas.data[k]);
        if (!isfinite(r2.data[k]))
            return LB_FAIL(err, LB_ENUMERIC, "the validation R2 of alpha %g is %g", alphas.data[k],
                           r2.data[k]);
        if (r2.data[k] >= r2.data[best]) /* a tie moves on to the larger alpha */
            best = k;
    }
    *out = (lb_alpha_choice){.index = best, .alpha = alphas.data[best], .r2 = r2.data[best]};
    if (alphas.n > 1)
        out->edge = best == 0 ? -1 : best + 1 == alphas.n ? 1 : 0;
    return LB_OK;
}
