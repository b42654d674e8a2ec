/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bootstraps of made-up models, plain, clustered and nested, for tests/crosscheck/bootstrap.py. */
#include "stats/bootstrap.h"
#include "core/memory.h"
#include "core/progress.h"
#include "core/random.h"
#include "crosscheck/witness.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODELS = 10, COLUMNS = 5, STATISTICS = 4, FIELDS = 5 };

typedef struct problem {
    size_t n;
    lb_rowset *rows;
    double *y, *yhat; /* (n), (MODELS * COLUMNS, n): models, or their columns */
    size_t *cluster;
    lb_outcome models[MODELS * COLUMNS];
} problem;

/* Errors with tails, a part of them common to all models and to the rows of a cluster. */
static problem make(size_t n)
{
    problem q = {.n = n,
                 .rows = lb_rowset_all("rows", "witness", n),
                 .y = lb_xcalloc(n, sizeof(double)),
                 .yhat = lb_xcalloc(n * MODELS * COLUMNS, sizeof(double)),
                 .cluster = lb_xcalloc(n, sizeof(size_t))};
    double *shared = lb_xcalloc(n, sizeof *shared);
    lb_rng r = lb_rng_make(5, 8);
    for (size_t i = 0; i < n; i++) {
        q.cluster[i] = lb_rng_below(&r, n / 3);
        q.y[i] = 1.0 + 4.0 * lb_rng_uniform(&r);
        shared[q.cluster[i]] = 0.3 * lb_rng_normal(&r);
    }
    for (size_t k = 0; k < MODELS * COLUMNS; k++) {
        double *yhat = q.yhat + k * n;
        const double size = 0.2 + 0.05 * (double)(k % MODELS);
        for (size_t i = 0; i < n; i++) {
            const double z = lb_rng_normal(&r);
            yhat[i] = q.y[i] + shared[q.cluster[i]] + size * z * (0.7 + 0.1 * z * z);
        }
        q.models[k] = (lb_outcome){.rows = q.rows, .y = {q.y, n}, .yhat = {yhat, n}};
    }
    free(shared);
    return q;
}

/* value, lower, upper, standard error, P(above 0.03) of one R2, a difference, a mean of two
 * differences, and a share. */
static lb_status numbers(const lb_bootstrap *b, size_t m, double (*out)[FIELDS], lb_error *err)
{
    static const double gain[MODELS] = {0.5, -0.5, 0.5, -0.5};
    lb_number x[STATISTICS];
    lb_status st;
    if ((st = lb_bootstrap_r2(b, 0, &x[0], err)) != LB_OK ||
        (st = lb_bootstrap_delta(b, 0, 1, 0.03, &x[1], err)) != LB_OK ||
        (st = lb_bootstrap_combination(b, gain, m, 0.03, &x[2], err)) != LB_OK ||
        (st = lb_bootstrap_share(b, 1, 3, 0, &x[3], err)) != LB_OK)
        return st;
    for (size_t k = 0; k < STATISTICS; k++) {
        const double row[FIELDS] = {x[k].value, x[k].ci_lo, x[k].ci_hi, x[k].se,
                                    isnan(x[k].p_above) ? -1.0 : x[k].p_above};
        memcpy(out[k], row, sizeof row);
    }
    return LB_OK;
}

static void collect(witness *w, const problem *q, size_t m, lb_bootstrap_plan plan,
                    const char *name)
{
    double percentile[STATISTICS][FIELDS], bca[STATISTICS][FIELDS];
    lb_bootstrap *b = NULL;
    if (w->status == LB_OK)
        w->status = lb_bootstrap_new_plan(q->models, m, plan, &b, &w->err);
    if (w->status == LB_OK)
        w->status = numbers(b, m, percentile, &w->err);
    if (w->status == LB_OK) {
        lb_bootstrap_set_interval(b, LB_INTERVAL_BCA);
        w->status = numbers(b, m, bca, &w->err);
    }
    if (w->status == LB_OK) {
        double *draws = lb_xcalloc(m * plan.draws, sizeof *draws);
        char label[3][32];
        snprintf(label[0], sizeof label[0], "%s_draws", name);
        snprintf(label[1], sizeof label[1], "%s_percentile", name);
        snprintf(label[2], sizeof label[2], "%s_bca", name);
        for (size_t k = 0; k < m; k++)
            lb_bootstrap_draws_r2(b, k, draws + k * plan.draws);
        witness_save(w, label[0], draws, m, plan.draws, 0);
        witness_save(w, label[1], &percentile[0][0], STATISTICS, FIELDS, 0);
        witness_save(w, label[2], &bca[0][0], STATISTICS, FIELDS, 0);
        free(draws);
    }
    lb_bootstrap_free(b);
}

/* Ten models on two threads, the best time of several. */
static void timing(witness *w, const problem *q)
{
    double best = INFINITY;
    omp_set_num_threads(2);
    for (int run = 0; run < 10 && w->status == LB_OK; run++) {
        lb_bootstrap *b = NULL;
        const double since = lb_clock();
        w->status = lb_bootstrap_new(q->models, MODELS, 1000, 7, &b, &w->err);
        best = fmin(best, lb_clock() - since);
        lb_bootstrap_free(b);
    }
    witness_timed(w, "ten models", lb_clock() - best);
}

int main(int argc, char **argv)
{
    witness w = witness_begin(argc, argv);
    problem q = make(w.full ? 10000 : 300);
    int *cluster = lb_xcalloc(q.n, sizeof *cluster);
    for (size_t i = 0; i < q.n; i++)
        cluster[i] = (int)q.cluster[i];
    witness_save(&w, "y", q.y, q.n, 0, 0);
    witness_save(&w, "yhat", q.yhat, MODELS * COLUMNS, q.n, 0);
    witness_save_ints(&w, "cluster", cluster, q.n);
    if (w.full)
        timing(&w, &q);
    else {
        collect(&w, &q, MODELS, (lb_bootstrap_plan){400, 20251203, 1, NULL}, "plain");
        collect(&w, &q, MODELS, (lb_bootstrap_plan){400, 43, 1, q.cluster}, "clustered");
        collect(&w, &q, 4, (lb_bootstrap_plan){400, 44, COLUMNS, NULL}, "nested");
    }
    free(cluster);
    free(q.y);
    free(q.yhat);
    free(q.cluster);
    lb_rowset_free(q.rows);
    return witness_end(&w);
}
