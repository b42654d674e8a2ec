/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calibrations of made-up experts, plain, weighted and swapped, for tests/crosscheck/affine.py. */
#include "models/affine.h"
#include "core/memory.h"
#include "core/progress.h"
#include "core/random.h"
#include "crosscheck/witness.h"

#include <math.h>
#include <stdlib.h>

enum { K = 9, FIELDS = 10 };

typedef struct problem {
    size_t n;
    double *y, *yhat, *p; /* (n), (n, K), (n, K) */
    int *bin;
} problem;

/* Every expert has its own slope, offset and noise; the gate believes in bins near the true one. */
static problem make(size_t n)
{
    problem q = {n, lb_xcalloc(n, sizeof(double)), lb_xcalloc(n * K, sizeof(double)),
                 lb_xcalloc(n * K, sizeof(double)), lb_xcalloc(n, sizeof(int))};
    lb_rng r = lb_rng_make(17, 3);
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        q.y[i] = 1.0 + 4.0 * lb_rng_uniform(&r);
        q.bin[i] = (int)lb_rng_below(&r, K + 1) - 1;
        for (size_t k = 0; k < K; k++) {
            const double tilt = 0.02 * (double)k - 0.08, noise = 0.2 + 0.02 * (double)k;
            q.yhat[i * K + k] = (1.0 + tilt) * q.y[i] - tilt + noise * lb_rng_normal(&r);
            sum += q.p[i * K + k] =
                exp(-fabs((double)k - q.bin[i]) * (1.0 + q.y[i]) + lb_rng_normal(&r));
        }
        for (size_t k = 0; k < K; k++)
            q.p[i * K + k] /= sum;
    }
    return q;
}

static void save(witness *w, const char *name, const lb_affine *f)
{
    double out[K][FIELDS];
    for (size_t k = 0; k < K; k++) {
        const double row[FIELDS] = {
            f[k].a,           f[k].b, f[k].se_a, f[k].se_b, f[k].cov_ab,
            f[k].residual_sd, f[k].f, f[k].dof,  f[k].p,    f[k].rows_effective};
        for (size_t c = 0; c < FIELDS; c++)
            out[k][c] = row[c];
    }
    witness_save(w, name, &out[0][0], K, FIELDS, 0);
}

/* All experts by bin, the best time of several. */
static void bins(witness *w, const problem *q)
{
    lb_affine f[K], swapped[K];
    double best = INFINITY;
    for (int run = 0; run < 5 && w->status == LB_OK; run++) {
        const double since = lb_clock();
        w->status = lb_affine_fit_bins((lb_cmat){q->yhat, q->n, K, K}, (lb_cvec){q->y, q->n},
                                       q->bin, NULL, LB_AFFINE_MIN_ROWS, f, &w->err);
        best = fmin(best, lb_clock() - since);
    }
    witness_timed(w, "nine experts", lb_clock() - best);
    double *x = lb_xcalloc(q->n, sizeof *x), *own = lb_xcalloc(q->n, sizeof *own);
    for (size_t k = 0; k < K && w->status == LB_OK; k++) {
        for (size_t i = 0; i < q->n; i++) {
            x[i] = q->yhat[i * K + k];
            own[i] = q->bin[i] == (int)k;
        }
        w->status =
            lb_affine_fit_swapped((lb_cvec){x, q->n}, (lb_cvec){q->y, q->n}, (lb_cvec){own, q->n},
                                  LB_AFFINE_MIN_ROWS, &swapped[k], &w->err);
    }
    if (w->status == LB_OK) {
        save(w, "bins", f);
        save(w, "swapped", swapped);
    }
    free(x);
    free(own);
}

static void gate(witness *w, const problem *q)
{
    lb_affine f[K];
    double *out = lb_xcalloc(q->n * K, sizeof *out);
    const lb_cmat yhat = {q->yhat, q->n, K, K};
    if (w->status == LB_OK)
        w->status = lb_affine_fit_gate(yhat, (lb_cvec){q->y, q->n}, (lb_cmat){q->p, q->n, K, K},
                                       NULL, LB_AFFINE_MIN_ROWS, f, &w->err);
    if (w->status == LB_OK) {
        save(w, "gate", f);
        for (size_t k = 0; k < K; k++)
            f[k] = lb_affine_shrink(&f[k]);
        w->status = lb_affine_apply(f, yhat, lb_mat_of(out, q->n, K), &w->err);
        witness_save(w, "calibrated", out, q->n, K, 0);
    }
    free(out);
}

int main(int argc, char **argv)
{
    witness w = witness_begin(argc, argv);
    problem q = make(w.full ? 10000 : 1000);
    witness_save(&w, "y", q.y, q.n, 0, 0);
    witness_save(&w, "yhat", q.yhat, q.n, K, 0);
    witness_save(&w, "p", q.p, q.n, K, 0);
    witness_save_ints(&w, "bin", q.bin, q.n);
    bins(&w, &q);
    gate(&w, &q);
    free(q.y);
    free(q.yhat);
    free(q.p);
    free(q.bin);
    return witness_end(&w);
}
