/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multinomial logistic regression: a gate problem like E13's, 13 window features and nine bins. */
#include "crosscheck/witness.h"

#include "core/memory.h"
#include "core/progress.h"
#include "core/random.h"
#include "models/logistic.h"

#include <math.h>
#include <stdlib.h>

enum { P = 13, K = 9, FOLDS = 5, GRID = 5 };

static const double grid[GRID] = {0.01, 0.1, 1.0, 10.0, 100.0};

typedef struct problem {
    size_t n;
    double *x; /* (n, P), units from 0.01 to 100, the last column the sum of three others */
    int *label, *fold;
} problem;

static problem make(size_t n)
{
    problem q = {n, lb_xcalloc(n * P, sizeof(double)), lb_xcalloc(n, sizeof(int)),
                 lb_xcalloc(n, sizeof(int))};
    lb_rng r = lb_rng_make(2024, 0);
    double w[K][P], logit[K];
    for (size_t k = 0; k < K; k++)
        for (size_t j = 0; j < P; j++)
            w[k][j] = lb_rng_normal(&r);
    for (size_t i = 0; i < n; i++) {
        double *x = q.x + i * P;
        const double common = lb_rng_normal(&r);
        for (size_t j = 0; j < P - 1; j++)
            x[j] = 0.6 * common + lb_rng_normal(&r);
        x[P - 1] = x[9] + x[10] + x[11];
        double best = -INFINITY;
        for (size_t k = 0; k < K; k++) {
            logit[k] = 0.2 * (double)k - log(-log(1.0 - lb_rng_uniform(&r))); /* Gumbel */
            for (size_t j = 0; j < P; j++)
                logit[k] += w[k][j] * x[j];
            if (logit[k] > best) {
                best = logit[k];
                q.label[i] = (int)k;
            }
        }
        for (size_t j = 0; j < P - 4; j++)
            x[j] = (double)j + x[j] * pow(10.0, (double)(j % 5) - 2.0);
        q.fold[i] = (int)(i % FOLDS);
    }
    return q;
}

static void save_model(witness *w, const lb_logistic *m, const char *coef, const char *intercept)
{
    witness_save(w, coef, m->w.data, K, P, 0);
    witness_save(w, intercept, m->b, K, 0, 0);
}

/* One fit, timed as the best of a few rounds in the benchmark. */
static void fit(witness *w, const problem *q, double C, bool standardise, const char *coef,
                const char *intercept, const char *proba)
{
    lb_logistic *m = NULL;
    const lb_cmat x = {q->x, q->n, P, P};
    if (w->status == LB_OK)
        w->status = lb_logistic_fit(x, q->label, K, C, standardise, &m, &w->err);
    if (w->status == LB_OK) {
        lb_mat p = lb_mat_new(q->n, K);
        save_model(w, m, coef, intercept);
        w->status = lb_logistic_proba(m, x, p, &w->err);
        if (proba)
            witness_save(w, proba, p.data, q->n, K, 0);
        free(p.data);
    }
    lb_logistic_free(m);
}

static void time_fit(witness *w, const problem *q)
{
    double best = INFINITY;
    for (int i = 0; i < (w->full ? 5 : 1) && w->status == LB_OK; i++) {
        lb_logistic *m = NULL;
        const double since = lb_clock();
        w->status =
            lb_logistic_fit((lb_cmat){q->x, q->n, P, P}, q->label, K, 1.0, true, &m, &w->err);
        best = fmin(best, lb_clock() - since);
        lb_logistic_free(m);
    }
    witness_timed(w, "fit", lb_clock() - best);
}

static void cross_validate(witness *w, const problem *q)
{
    double best = INFINITY;
    lb_logistic_cv *cv = NULL;
    for (int i = 0; i < (w->full ? 3 : 1) && w->status == LB_OK; i++) {
        lb_logistic_cv_free(cv);
        const double since = lb_clock();
        w->status = lb_logistic_fit_cv((lb_cmat){q->x, q->n, P, P}, q->label, K,
                                       (lb_cvec){grid, GRID}, q->fold, FOLDS, true, &cv, &w->err);
        best = fmin(best, lb_clock() - since);
    }
    witness_timed(w, "cross-validation", lb_clock() - best);
    if (w->status == LB_OK) {
        const int choice = (int)cv->best;
        witness_save(w, "grid", cv->C, GRID, 0, 0);
        witness_save(w, "log_loss", cv->log_loss, GRID, 0, 0);
        witness_save(w, "accuracy", cv->accuracy, GRID, 0, 0);
        witness_save_ints(w, "best", &choice, 1);
        save_model(w, cv->model, "cv_coef", "cv_intercept");
    }
    lb_logistic_cv_free(cv);
}

int main(int argc, char **argv)
{
    witness w = witness_begin(argc, argv);
    problem q = make(w.full ? 26609 : 1200);
    witness_save(&w, "x", q.x, q.n, P, 0);
    witness_save_ints(&w, "label", q.label, q.n);
    witness_save_ints(&w, "fold", q.fold, q.n);
    time_fit(&w, &q);
    fit(&w, &q, 1.0, true, "coef", "intercept", "proba");
    fit(&w, &q, 0.01, true, "coef_low", "intercept_low", NULL);
    fit(&w, &q, 100.0, true, "coef_high", "intercept_high", NULL);
    fit(&w, &q, 1.0, false, "coef_raw", "intercept_raw", NULL);
    cross_validate(&w, &q);
    free(q.x), free(q.label), free(q.fold);
    return witness_end(&w);
}
