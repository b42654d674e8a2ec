/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routing of expert predictions and the scores of a gate, handed to routing.py. */
#include "core/memory.h"
#include "core/progress.h"
#include "core/random.h"
#include "crosscheck/witness.h"
#include "data/gate_noise.h"
#include "data/quantile_bins.h"
#include "models/mixture.h"
#include "stats/anova.h"
#include "stats/classify.h"

#include <math.h>
#include <stdlib.h>

/* Nine experts, of which one is absent; the gate is right most of the time, and class 8 is rare. */
enum { K = 9, ABSENT = 5, INTERVALS = 10, BINS = 7 };
static const double tau = 0.5;

typedef struct problem {
    size_t n;
    double *p, *expert, *global, *mh;
    int *truth, *called;
    bool absent[K];
} problem;

static double *doubles(size_t n)
{
    return lb_xcalloc(n, sizeof(double));
}

static problem problem_make(size_t n)
{
    problem q = {.n = n,
                 .p = doubles(n * K),
                 .expert = doubles(n * K),
                 .global = doubles(n),
                 .mh = doubles(n),
                 .truth = lb_xcalloc(n, sizeof(int)),
                 .called = lb_xcalloc(n, sizeof(int))};
    lb_rng r = lb_rng_make(2017, 0);
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        const size_t drawn = lb_rng_below(&r, 8);
        q.truth[i] = i % 500 == 7 ? 8 : (int)drawn;
        q.global[i] = 3.0 + lb_rng_normal(&r);
        q.mh[i] = -2.5 + 0.25 * floor(13.0 * lb_rng_uniform(&r));
        for (size_t k = 0; k < K; k++) {
            const double push = (int)k == q.truth[i] ? 2.5 : 0.0;
            sum += q.p[i * K + k] = exp(push + 1.2 * lb_rng_normal(&r));
            q.expert[i * K + k] = k == ABSENT ? NAN : q.global[i] + 0.3 * lb_rng_normal(&r);
        }
        for (size_t k = 0; k < K; k++)
            q.p[i * K + k] /= sum;
        for (size_t k = 1; k < K; k++)
            if (q.p[i * K + k] > q.p[i * K + (size_t)q.called[i]])
                q.called[i] = (int)k;
    }
    q.absent[ABSENT] = true;
    return q;
}

static void problem_free(problem *q)
{
    free(q->p);
    free(q->expert);
    free(q->global);
    free(q->mh);
    free(q->truth);
    free(q->called);
}

static void save_problem(witness *w, const problem *q)
{
    witness_save(w, "p", q->p, q->n, K, 0);
    witness_save(w, "expert", q->expert, q->n, K, 0);
    witness_save(w, "global", q->global, q->n, 0, 0);
    witness_save(w, "mh", q->mh, q->n, 0, 0);
    witness_save_ints(w, "truth", q->truth, q->n);
}

static void route(witness *w, const problem *q)
{
    const lb_experts e = {{q->expert, q->n, K, K}, q->absent, {q->global, q->n}};
    const lb_cmat p = {q->p, q->n, K, K};
    const lb_vec yhat = {doubles(q->n), q->n};
    lb_mixture_use use;
    double counts[3] = {0.0};

    w->status = lb_mixture_given(e, q->truth, yhat, &use, &w->err);
    counts[0] = (double)use.fallback;
    witness_save(w, "given", yhat.data, q->n, 0, 0);
    if (w->status == LB_OK)
        w->status = lb_mixture_hard(e, p, yhat, &use, &w->err);
    witness_save(w, "hard", yhat.data, q->n, 0, 0);
    const double since = lb_clock();
    if (w->status == LB_OK)
        w->status = lb_mixture_soft(e, p, 0.0, yhat, &use, &w->err);
    witness_timed(w, "soft mixture", since);
    counts[1] = use.lost;
    witness_save(w, "soft", yhat.data, q->n, 0, 0);
    if (w->status == LB_OK)
        w->status = lb_mixture_soft(e, p, tau, yhat, &use, &w->err);
    counts[2] = (double)use.fallback;
    witness_save(w, "fallback", yhat.data, q->n, 0, 0);
    witness_save(w, "counts", counts, 3, 0, 0);
    free(yhat.data);
}

static void save_confusion(witness *w, const lb_confusion *c)
{
    double counts[K * K], normal[K * K], scores[2 + K];
    for (size_t t = 0; t < K; t++)
        for (size_t k = 0; k < K; k++)
            counts[t * K + k] = (double)lb_confusion_count(c, t, k);
    lb_confusion_normalised(c, lb_mat_of(normal, K, K), NULL);
    scores[0] = lb_confusion_accuracy(c).value;
    scores[1] = lb_confusion_macro_f1(c).value;
    for (size_t k = 0; k < K; k++)
        scores[2 + k] = lb_confusion_recall(c, k).value;
    witness_save(w, "confusion", counts, K, K, 0);
    witness_save(w, "normalised", normal, K, K, 0);
    witness_save(w, "scores", scores, 2 + K, 0, 0);
}

static void classify(witness *w, const problem *q)
{
    lb_rowset *rows = lb_rowset_all("toy rows", "toy", q->n);
    lb_confusion *c = NULL;
    const double since = lb_clock();
    if (w->status == LB_OK)
        w->status = lb_confusion_make(rows, q->truth, q->called, K, &c, &w->err);
    if (w->status == LB_OK) {
        lb_confusion_macro_f1(c);
        witness_timed(w, "confusion and macro F1", since);
        save_confusion(w, c);
    }
    lb_confusion_free(c);
    lb_rowset_free(rows);
}

static void judge_weights(witness *w, const problem *q)
{
    lb_rowset *rows = lb_rowset_all("toy rows", "toy", q->n);
    const lb_cmat p = {q->p, q->n, K, K};
    lb_reliability_bin bins[INTERVALS];
    double table[3 * INTERVALS], mean[K * K], *entropy = doubles(q->n);
    lb_number ece;
    for (int of = -1; of <= 2 && w->status == LB_OK; of += 3) {
        w->status = lb_reliability(rows, p, q->truth, of, bins, INTERVALS, &ece, &w->err);
        for (size_t b = 0; b < INTERVALS && w->status == LB_OK; b++) {
            table[3 * b] = (double)bins[b].n;
            table[3 * b + 1] = bins[b].confidence;
            table[3 * b + 2] = bins[b].accuracy;
        }
        witness_save(w, of < 0 ? "reliability_top" : "reliability_2", table, INTERVALS, 3, 0);
        witness_save(w, of < 0 ? "ece_top" : "ece_2", &ece.value, 1, 0, 0);
    }
    if (w->status == LB_OK)
        w->status = lb_weights_entropy(p, true, (lb_vec){entropy, q->n}, &w->err);
    witness_save(w, "entropy", entropy, q->n, 0, 0);
    if (w->status == LB_OK)
        w->status = lb_weights_mean(p, q->truth, lb_mat_of(mean, K, K), NULL, &w->err);
    witness_save(w, "mean_probability", mean, K, K, 0);
    free(entropy);
    lb_rowset_free(rows);
}

/* How well each weight alone tells the true class. */
static void tell_classes(witness *w, const problem *q)
{
    double f[K], share[K];
    for (size_t k = 0; k < K && w->status == LB_OK; k++) {
        lb_anova a = {0};
        w->status = lb_anova_of((lb_cvec){q->p + k, q->n}, K, q->truth, K, &a, &w->err);
        f[k] = a.f;
        share[k] = a.share;
    }
    witness_save(w, "anova_f", f, K, 0, 0);
    witness_save(w, "anova_share", share, K, 0, 0);
}

static void bin_quantiles(witness *w, const problem *q)
{
    lb_quantile_bins b;
    int *bin = lb_xcalloc(q->n, sizeof *bin);
    double *told = doubles(q->n);
    if (w->status == LB_OK)
        w->status = lb_quantile_bins_make((lb_cvec){q->mh, q->n}, BINS, &b, &w->err);
    if (w->status == LB_OK) {
        lb_quantile_bins_assign(&b, (lb_cvec){q->mh, q->n}, bin);
        witness_save(w, "edges", b.edge, b.n - 1, 0, 0);
        witness_save_ints(w, "bin", bin, q->n);
        w->status =
            lb_gate_noise(42, 3, NULL, 0.3, (lb_cvec){q->mh, q->n}, (lb_vec){told, q->n}, &w->err);
    }
    witness_save(w, "told", told, q->n, 0, 0);
    free(bin);
    free(told);
}

int main(int argc, char **argv)
{
    witness w = witness_begin(argc, argv);
    problem q = problem_make(w.full ? 200000 : 3000);
    save_problem(&w, &q);
    if (w.status == LB_OK)
        route(&w, &q);
    classify(&w, &q);
    judge_weights(&w, &q);
    tell_classes(&w, &q);
    bin_quantiles(&w, &q);
    problem_free(&q);
    return witness_end(&w);
}
