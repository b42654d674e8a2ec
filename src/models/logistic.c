/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/logistic.h"

#include "core/memory.h"
#include "models/logistic_newton.h"
#include "models/logistic_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of log-losses. */
#define NEGLIGIBLE 1e-8

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
static void model_fill(lb_logistic *m, const lb_logistic_rows *d, lb_logistic_newton *s, double C)
{
    const double *v = lb_logistic_newton_place(s);
    m->C = C;
    m->gradient = lb_logistic_newton_gradient(s);
    m->iterations = lb_logistic_newton_steps(s);
    m->n_rows = d->n;
    m->n_dropped = m->w.cols - (d->m - 1);
    for (size_t k = 0; k < m->w.rows; k++)
        m->b[k] = -INFINITY;
    for (size_t k = 0; k < d->k; k++) {
        double *w = m->w.data + d->known[k] * m->w.stride, *b = &m->b[d->known[k]];
        *b = v[k * d->m];
        for (size_t j = 1; j < d->m; j++) {
            w[d->column[j - 1]] = v[k * d->m + j] / d->sd[j - 1];
            *b -= w[d->column[j - 1]] * d->mean[j - 1];
        }
    }
}

lb_status lb_logistic_fit(lb_cmat x, const int *label, size_t classes, double C, bool standardise,
                          lb_logistic **out, lb_error *err)
{
    *out = NULL;
    lb_logistic_rows d = {0};
    lb_logistic_newton *s = NULL;
    lb_logistic *m = model_new(classes, x.cols);
    lb_status st;
    if (!(C > 0.0) || isinf(C)) {
        st = LB_FAIL(err, LB_EINVAL, "C = %g, must be positive and finite", C);
        goto done;
    }
    if ((st = lb_logistic_rows_make(&d, x, label, classes, NULL, 1, m->rows, m->dropped, err)) !=
        LB_OK)
        goto done;
    s = lb_logistic_newton_new(&d, -1);
    if ((st = lb_logistic_newton_penalise(s, C, standardise, err)) != LB_OK)
        goto done;
    if ((st = lb_logistic_newton_minimise(s, err)) != LB_OK)
        goto done;
    model_fill(m, &d, s, C);
    *out = m;
    m = NULL;
done:
    lb_logistic_free(m);
    lb_logistic_newton_free(s);
    lb_logistic_rows_free(&d);
    return st;
}

/* --- cross-validation ------------------------------------------------------------------------ */

typedef struct fold_score {
    double log_loss, accuracy;
    lb_status st;
    lb_error err;
} fold_score;

/* What all folds share: the rows, and the fit on all of them at one C. */
typedef struct whole {
    const lb_logistic_rows *rows;
    lb_logistic_newton *fit; /* its Hessian factored where it ended */
    double C;
    bool standardise;
} whole;

/* Fit without fold f. It starts where the fit on all rows ended, plus as far away from there as
 * this fold's fit ended for the last C. The Hessian there is near that of all rows less the
 * fold's. */
static void run_fold(const whole *all, int f, double *away, fold_score *out)
{
    const size_t unknowns = all->rows->k * all->rows->m;
    const double *from = lb_logistic_newton_place(all->fit), *to;
    lb_logistic_newton *s = lb_logistic_newton_new(all->rows, f);
    double *start = lb_logistic_newton_place(s);
    *out = (fold_score){0};
    for (size_t u = 0; u < unknowns; u++)
        start[u] = from[u] + away[u];
    if ((out->st = lb_logistic_newton_penalise(s, all->C, all->standardise, &out->err)) != LB_OK)
        goto done;
    if ((out->st = lb_logistic_newton_factor_as(s, all->fit, &out->err)) != LB_OK)
        goto done;
    if ((out->st = lb_logistic_newton_minimise(s, &out->err)) != LB_OK)
        goto done;
    to = lb_logistic_newton_place(s);
    for (size_t u = 0; u < unknowns; u++)
        away[u] = to[u] - from[u];
    lb_logistic_newton_score(s, &out->log_loss, &out->accuracy);
done:
    lb_logistic_newton_free(s);
}

/* All folds: means of their scores. away: (folds, unknowns). */
static lb_status run_folds(const whole *all, size_t folds, double *away, double *log_loss,
                           double *accuracy, lb_error *err)
{
    fold_score *scores = lb_xcalloc(folds, sizeof *scores);
    lb_status st = LB_OK;
#pragma omp parallel for schedule(dynamic, 1) if (all->rows->threads)
    for (size_t f = 0; f < folds; f++)
        run_fold(all, (int)f, away + f * all->rows->k * all->rows->m, &scores[f]);
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
static lb_status run_one(lb_logistic_cv *cv, size_t c, const whole *all, size_t folds, double *away,
                         lb_error *err)
{
    lb_logistic_newton *s = all->fit;
    lb_status st = lb_logistic_newton_penalise(s, all->C, all->standardise, err);
    if (st == LB_OK && c > 0)
        st = lb_logistic_newton_factor_as(s, s, err); /* gathered at the last C's end */
    if (st == LB_OK)
        st = lb_logistic_newton_minimise(s, err);
    if (st == LB_OK)
        st = lb_logistic_newton_factor(s, err);
    if (st == LB_OK)
        st = run_folds(all, folds, away, &cv->log_loss[c], &cv->accuracy[c], err);
    if (st == LB_OK && (c == 0 || cv->log_loss[c] < cv->log_loss[cv->best] * (1.0 - NEGLIGIBLE))) {
        cv->best = c;
        model_fill(cv->model, all->rows, s, all->C);
    }
    if (st != LB_OK)
        lb_error_within(err, "C = %g", all->C);
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
    lb_logistic_rows d = {0};
    lb_logistic_newton *s = NULL;
    double *away = NULL;
    lb_logistic_cv *cv = lb_xcalloc(1, sizeof *cv);
    cv->n_grid = Cs.n;
    cv->C = lb_xcalloc(Cs.n, sizeof *cv->C);
    cv->log_loss = lb_xcalloc(Cs.n, sizeof *cv->log_loss);
    cv->accuracy = lb_xcalloc(Cs.n, sizeof *cv->accuracy);
    cv->model = model_new(classes, x.cols);
    memcpy(cv->C, Cs.data, Cs.n * sizeof *cv->C);
    if ((st = lb_logistic_rows_make(&d, x, label, classes, fold, folds, cv->model->rows,
                                    cv->model->dropped, err)) != LB_OK)
        goto done;
    s = lb_logistic_newton_new(&d, -1);
    away = lb_xcalloc(folds * d.k * d.m, sizeof *away);
    for (size_t c = 0; c < Cs.n; c++)
        if ((st = run_one(cv, c, &(whole){&d, s, Cs.data[c], standardise}, folds, away, err)) !=
            LB_OK)
            goto done;
    cv->edge = Cs.n == 1 ? 0 : (cv->best == Cs.n - 1) - (cv->best == 0);
    *out = cv;
    cv = NULL;
done:
    lb_logistic_cv_free(cv);
    free(away);
    lb_logistic_newton_free(s);
    lb_logistic_rows_free(&d);
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
