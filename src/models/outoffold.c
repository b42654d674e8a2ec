/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/outoffold.h"

#include "core/memory.h"
#include "models/penalty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096 }; /* rows that all folds' models predict at a time */

struct lb_outoffold {
    double *alphas, *r2, *train;
    size_t n_alpha, n_grid, n_train, n_sets;
    lb_alpha_choice on_grid, chosen;
    lb_predicted in_folds; /* rmse and r2 of the training rows */
    lb_predicted *sets;
    lb_ridge *full;
};

/* The problem, as it is handed down. */
typedef struct task {
    const lb_stream *x;
    lb_cvec y;
    const int *fold;
    lb_outoffold_options o;
    lb_gram *gram;
} task;

static lb_status check(const task *t, const lb_known *sets, size_t n_sets, lb_error *err)
{
    if (t->o.folds < 2)
        return LB_FAIL(err, LB_EINVAL, "%zu folds, must be at least 2", t->o.folds);
    for (size_t k = 0; k < t->o.alphas.n; k++)
        if (!(t->o.alphas.data[k] > (k ? t->o.alphas.data[k - 1] : 0.0)))
            return LB_FAIL(err, LB_EINVAL, "alphas must be positive and ascend: alpha %zu is %g", k,
                           t->o.alphas.data[k]);
    for (size_t s = 0; s < n_sets; s++)
        if (sets[s].x.cols != t->x->cols || (sets[s].y.data && sets[s].y.n != sets[s].x.rows))
            return LB_FAIL(err, LB_ESHAPE,
                           "set %zu is %zux%zu with %zu labels, the training rows have %zu columns",
                           s, sets[s].x.rows, sets[s].x.cols, sets[s].y.n, t->x->cols);
    for (size_t s = 0; s < n_sets; s++)
        for (size_t i = 0; i < sets[s].y.n; i++)
            if (!isfinite(sets[s].y.data[i]))
                return LB_FAIL(err, LB_ENUMERIC, "the label of row %zu of set %zu is %g", i, s,
                               sets[s].y.data[i]);
    return LB_OK;
}

/* Every fold must hold rows, and their labels must differ: else no penalty is better than another.
 */
static lb_status check_folds(const task *t, lb_error *err)
{
    double lowest = INFINITY, highest = -INFINITY;
    for (size_t f = 0; f < t->o.folds; f++)
        if (lb_gram_rows(t->gram, f) == 0)
            return LB_FAIL(err, LB_EINVAL, "fold %zu of %zu holds no row", f, t->o.folds);
    for (size_t i = 0; i < t->y.n; i++) {
        if (t->fold[i] < 0)
            continue;
        lowest = fmin(lowest, t->y.data[i]);
        highest = fmax(highest, t->y.data[i]);
    }
    if (!(highest > lowest))
        return LB_FAIL(err, LB_EINVAL,
                       "the label is %g in every row: there is no penalty to choose", lowest);
    return LB_OK;
}

/* --- scores -------------------------------------------------------------------------------------
 */

/* R2 and RMSE of yhat[i * stride] over the rows of a fold (fold NULL: all rows). */
static lb_predicted score(lb_cvec y, const double *yhat, size_t stride, const int *fold)
{
    double mean = 0.0, total = 0.0, residual = 0.0, n = 0.0;
    for (size_t i = 0; i < y.n; i++)
        n += !fold || fold[i] >= 0;
    for (size_t i = 0; i < y.n; i++)
        mean += !fold || fold[i] >= 0 ? y.data[i] / n : 0.0;
    for (size_t i = 0; i < y.n; i++) {
        if (fold && fold[i] < 0)
            continue;
        const double e = y.data[i] - yhat[i * stride], d = y.data[i] - mean;
        residual += e * e;
        total += d * d;
    }
    return (lb_predicted){.rmse = n > 0.0 ? sqrt(residual / n) : NAN,
                          .r2 = total > 0.0 ? 1.0 - residual / total : NAN};
}

/* --- out of fold --------------------------------------------------------------------------------
 */

/* Some rows of a stream as a stream, from its row @c first on. */
typedef struct window {
    const lb_stream *base;
    size_t first;
} window;

static lb_status read_window(void *self, size_t first, lb_matf x, lb_error *err)
{
    const window *w = self;
    return w->base->read(w->base->self, w->first + first, x, err);
}

/* The models of all folds: model f is fitted on every fold but f. */
static lb_status fit_folds(const task *t, lb_cvec alphas, lb_ridge **fits, lb_error *err)
{
    const size_t k = t->o.folds;
    bool *use = lb_xcalloc(k * k, sizeof *use);
    for (size_t f = 0; f < k; f++)
        for (size_t g = 0; g < k; g++)
            use[f * k + g] = g != f;
    const lb_status st =
        lb_ridge_fit_many(t->gram, use, k, alphas, (lb_ridge_options){t->o.standardise}, fits, err);
    free(use);
    return st;
}

/* Each row by the model that has not seen its fold, at every penalty: held is (rows, alphas). */
static lb_status predict_held(const task *t, lb_ridge *const *fits, lb_mat held, lb_error *err)
{
    const size_t most = held.rows < BLOCK ? held.rows : BLOCK;
    lb_mat *part = lb_xcalloc(t->o.folds, sizeof *part);
    lb_status st = LB_OK;
    for (size_t f = 0; f < t->o.folds; f++)
        part[f] = lb_mat_new(most, held.cols);
    for (size_t first = 0; first < held.rows && st == LB_OK; first += BLOCK) {
        window w = {t->x, first};
        const size_t n = held.rows - first < BLOCK ? held.rows - first : BLOCK;
        const lb_stream rows = {n, t->x->cols, read_window, &w, t->x->threaded};
        for (size_t f = 0; f < t->o.folds; f++)
            part[f].rows = n;
        st = lb_ridge_predict((const lb_ridge *const *)fits, t->o.folds, &rows, part, err);
        for (size_t i = 0; i < n && st == LB_OK; i++) {
            const int f = t->fold[first + i];
            if (f >= 0)
                memcpy(held.data + (first + i) * held.cols, part[f].data + i * held.cols,
                       held.cols * sizeof *held.data);
        }
        if (st != LB_OK)
            lb_error_within(err, "training rows from %zu on", first);
    }
    for (size_t f = 0; f < t->o.folds; f++)
        free(part[f].data);
    free(part);
    return st;
}

/* Add penalties and their scores; the best of them is chosen if it beats what was chosen before. */
static lb_status absorb(lb_outoffold *o, const task *t, lb_cvec alphas, lb_cmat held, lb_error *err)
{
    const size_t before = o->n_alpha;
    lb_alpha_choice best;
    o->n_alpha += alphas.n;
    o->alphas = lb_xrealloc(o->alphas, o->n_alpha, sizeof *o->alphas);
    o->r2 = lb_xrealloc(o->r2, o->n_alpha, sizeof *o->r2);
    memcpy(o->alphas + before, alphas.data, alphas.n * sizeof *o->alphas);
    for (size_t k = 0; k < alphas.n; k++)
        o->r2[before + k] = score(t->y, held.data + k, held.stride, t->fold).r2;
    const lb_status st = lb_ridge_choose(alphas, (lb_cvec){o->r2 + before, alphas.n}, &best, err);
    if (st != LB_OK)
        return st;
    if (before == 0) {
        o->n_grid = alphas.n;
        o->on_grid = best;
    } else if (best.r2 < o->chosen.r2 ||
               (best.r2 == o->chosen.r2 && best.alpha < o->chosen.alpha)) {
        return LB_OK;
    }
    o->chosen = (lb_alpha_choice){before + best.index, best.alpha, best.r2, o->on_grid.edge};
    for (size_t i = 0; i < o->n_train; i++)
        o->train[i] = held.data[i * held.stride + best.index];
    o->in_folds = score(t->y, o->train, 1, t->fold);
    return LB_OK;
}

static lb_status cross_validate(lb_outoffold *o, const task *t, lb_cvec alphas, lb_error *err)
{
    lb_ridge **fits = lb_xcalloc(t->o.folds, sizeof *fits);
    const lb_mat held = lb_mat_new(o->n_train, alphas.n);
    lb_status st = fit_folds(t, alphas, fits, err);
    if (st == LB_OK)
        st = predict_held(t, fits, held, err);
    if (st == LB_OK)
        st = absorb(o, t, alphas, lb_mat_const(held), err);
    for (size_t f = 0; f < t->o.folds; f++)
        lb_ridge_free(fits[f]);
    free(fits);
    free(held.data);
    return st;
}

/* Beyond the end of the grid where the optimum sits on it. */
static lb_status extend(lb_outoffold *o, const task *t, lb_error *err)
{
    const int decades = t->o.extend_decades, edge = o->on_grid.edge;
    if (edge == 0 || decades <= 0)
        return LB_OK;
    double *beyond = lb_xcalloc((size_t)decades, sizeof *beyond);
    lb_penalty_beyond(t->o.alphas, edge, decades, beyond);
    const lb_status st = cross_validate(o, t, (lb_cvec){beyond, (size_t)decades}, err);
    free(beyond);
    return st;
}

/* --- the full fit -------------------------------------------------------------------------------
 */

static lb_status predict_full(const lb_ridge *full, const lb_stream *x, double *yhat, lb_error *err)
{
    const lb_mat column = lb_mat_of(yhat, x->rows, 1);
    return lb_ridge_predict(&full, 1, x, &column, err);
}

/* Training rows outside the folds: the full fit has not seen them either. */
static lb_status predict_left_out(lb_outoffold *o, const task *t, lb_error *err)
{
    size_t left_out = 0;
    for (size_t i = 0; i < o->n_train; i++)
        left_out += t->fold[i] < 0;
    if (left_out == 0)
        return LB_OK;
    double *yhat = lb_xcalloc(o->n_train, sizeof *yhat);
    const lb_status st = predict_full(o->full, t->x, yhat, err);
    for (size_t i = 0; i < o->n_train && st == LB_OK; i++)
        if (t->fold[i] < 0)
            o->train[i] = yhat[i];
    free(yhat);
    return st;
}

static lb_status fit_full(lb_outoffold *o, const task *t, const lb_known *sets, lb_error *err)
{
    bool *all = lb_xcalloc(t->o.folds, sizeof *all);
    for (size_t f = 0; f < t->o.folds; f++)
        all[f] = true;
    lb_status st = lb_ridge_fit_many(t->gram, all, 1, (lb_cvec){&o->chosen.alpha, 1},
                                     (lb_ridge_options){t->o.standardise}, &o->full, err);
    free(all);
    if (st == LB_OK)
        st = predict_left_out(o, t, err);
    for (size_t s = 0; s < o->n_sets && st == LB_OK; s++) {
        double *yhat = lb_xcalloc(sets[s].x.rows, sizeof *yhat);
        st = predict_full(o->full, &sets[s].x, yhat, err);
        o->sets[s] = score(sets[s].y, yhat, 1, NULL);
        o->sets[s].yhat = (lb_cvec){yhat, sets[s].x.rows};
    }
    return st;
}

/* --- the predictor ------------------------------------------------------------------------------
 */

lb_status lb_outoffold_run(const lb_stream *x, lb_cvec y, const int *fold,
                           lb_outoffold_options options, const lb_known *sets, size_t n_sets,
                           lb_outoffold **out, lb_error *err)
{
    task t = {x, y, fold, options, NULL};
    *out = NULL;
    lb_status st = check(&t, sets, n_sets, err);
    if (st != LB_OK)
        return st;
    lb_outoffold *o = lb_xcalloc(1, sizeof *o);
    o->n_train = x->rows;
    o->n_sets = n_sets;
    o->train = lb_xcalloc(x->rows, sizeof *o->train);
    o->sets = lb_xcalloc(n_sets, sizeof *o->sets);
    /* 1. One pass: the statistics of every fold. */
    if ((st = lb_gram_accumulate(x, y, fold, (lb_gram_options){.groups = options.folds}, &t.gram,
                                 err)) != LB_OK ||
        (st = check_folds(&t, err)) != LB_OK)
        goto done;
    /* 2. A model a fold, each judged on the fold it has not seen. */
    if ((st = cross_validate(o, &t, options.alphas, err)) != LB_OK ||
        (st = extend(o, &t, err)) != LB_OK)
        goto done;
    /* 3. All folds together, for the rows of other sets. */
    if ((st = fit_full(o, &t, sets, err)) != LB_OK)
        goto done;
    *out = o;
    o = NULL;
done:
    lb_gram_free(t.gram);
    lb_outoffold_free(o);
    return st;
}

void lb_outoffold_free(lb_outoffold *o)
{
    if (!o)
        return;
    for (size_t s = 0; s < o->n_sets; s++)
        free((double *)o->sets[s].yhat.data);
    free(o->sets);
    free(o->alphas);
    free(o->r2);
    free(o->train);
    lb_ridge_free(o->full);
    free(o);
}

lb_outoffold_result lb_outoffold_get(const lb_outoffold *o)
{
    lb_outoffold_result r = {.alphas = {o->alphas, o->n_alpha},
                             .r2 = {o->r2, o->n_alpha},
                             .n_grid = o->n_grid,
                             .on_grid = o->on_grid,
                             .chosen = o->chosen,
                             .train = o->in_folds,
                             .sets = o->sets,
                             .full = o->full};
    r.train.yhat = (lb_cvec){o->train, o->n_train};
    return r;
}
