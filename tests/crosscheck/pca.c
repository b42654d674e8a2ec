/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Principal components of made-up spectra, for tests/crosscheck/pca.py. */
#include "models/pca.h"
#include "core/memory.h"
#include "core/progress.h"
#include "core/random.h"
#include "crosscheck/witness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { K = 4, REPEATS = 3 };

typedef struct spectra {
    size_t n, p;
    float *x;
} spectra;

/* Six latents that act on ever narrower waves, and noise that varies with wavelength. */
static spectra make(size_t n, size_t p, double noise, uint64_t seed)
{
    spectra s = {n, p, lb_xcalloc(n * p, sizeof(float))};
    float *wave = lb_xcalloc(6 * p, sizeof *wave);
    for (size_t k = 0; k < 6; k++)
        for (size_t j = 0; j < p; j++)
            wave[k * p + j] = (float)(0.08 * pow(0.6, (double)k) *
                                      sin((double)((k + 1) * (j + 7)) * 40.0 / (double)p));
    lb_rng r = lb_rng_make(seed, 1);
    for (size_t i = 0; i < n; i++) {
        float z[6];
        for (size_t k = 0; k < 6; k++)
            z[k] = (float)lb_rng_normal(&r);
        for (size_t j = 0; j < p; j++) {
            float f = 1.0f + (float)(noise * lb_rng_normal(&r));
            for (size_t k = 0; k < 6; k++)
                f += z[k] * wave[k * p + j];
            s.x[i * p + j] = f;
        }
    }
    free(wave);
    return s;
}

static lb_status read_rows(void *self, size_t first, lb_matf x, lb_error *err)
{
    const spectra *s = self;
    (void)err;
    for (size_t i = 0; i < x.rows; i++)
        memcpy(x.data + i * x.stride, s->x + (first + i) * s->p, s->p * sizeof(float));
    return LB_OK;
}

static void save(witness *w, const char *name, const lb_pca *m)
{
    if (w->status != LB_OK)
        return;
    const size_t k = m->components.rows, p = m->components.cols;
    char what[64];
    const struct {
        const char *what;
        const double *data;
        size_t a, b;
    } parts[] = {{"components", m->components.data, k, p},
                 {"mean", m->mean.data, p, 0},
                 {"variance", m->variance.data, k, 0},
                 {"ratio", m->ratio.data, k, 0}};
    for (size_t q = 0; q < 4; q++) {
        strcpy(what, name);
        strcat(strcat(what, "_"), parts[q].what);
        witness_save(w, what, parts[q].data, parts[q].a, parts[q].b, 0);
    }
    strcat(strcpy(what, name), "_products");
    witness_save_ints(w, what, &(int){(int)m->products}, 1);
}

static lb_gram *gram(witness *w, const lb_stream *x, bool float32)
{
    lb_gram *g = NULL;
    double *y = lb_xcalloc(x->rows, sizeof *y);
    if (w->status == LB_OK)
        w->status =
            lb_gram_accumulate(x, (lb_cvec){y, x->rows}, NULL,
                               (lb_gram_options){.groups = 1, .float32 = float32}, &g, &w->err);
    free(y);
    return g;
}

/* By a Gram, timed from the Gram on and, apart, from the rows on. */
static void by_gram(witness *w, const spectra *s, const char *name, size_t k, const char *task,
                    const char *whole)
{
    const lb_stream x = {s->n, s->p, read_rows, (void *)s, false};
    double best = INFINITY, best_whole = INFINITY;
    for (int r = 0; r < REPEATS && w->status == LB_OK; r++) {
        lb_pca *m = NULL;
        const double start = lb_clock();
        lb_gram *g = gram(w, &x, false);
        const double since = lb_clock();
        if (w->status == LB_OK)
            w->status = lb_pca_fit(g, NULL, k, &m, &w->err);
        best = fmin(best, lb_clock() - since);
        best_whole = fmin(best_whole, lb_clock() - start);
        if (r == 0)
            save(w, name, m);
        lb_pca_free(m);
        lb_gram_free(g);
    }
    witness_timed(w, task, lb_clock() - best);
    witness_timed(w, whole, lb_clock() - best_whole);
}

/* By passes over the rows; and the scores of @p test. */
static void by_stream(witness *w, const spectra *s, spectra *test)
{
    const lb_stream x = {s->n, s->p, read_rows, (void *)s, false};
    const lb_stream other = {test->n, test->p, read_rows, test, false};
    double best = INFINITY, *scores = lb_xcalloc(test->n * K, sizeof *scores);
    lb_pca *m = NULL;
    for (int r = 0; r < REPEATS && w->status == LB_OK; r++) {
        lb_pca_free(m);
        const double since = lb_clock();
        w->status = lb_pca_fit_stream(&x, K, &m, &w->err);
        best = fmin(best, lb_clock() - since);
    }
    witness_timed(w, "PCA-4 of a stream", lb_clock() - best);
    save(w, "stream", m);
    if (w->status == LB_OK)
        w->status = lb_pca_scores(m, &other, lb_mat_of(scores, test->n, K), &w->err);
    witness_save(w, "scores", scores, test->n, K, 0);
    lb_pca_free(m);
    free(scores);
}

int main(int argc, char **argv)
{
    witness w = witness_begin(argc, argv);
    spectra train = w.full ? make(32768, 4096, 0.1, 3) : make(900, 1200, 0.02, 3);
    spectra test = make(100, train.p, 0.1, 4), few = make(40, 600, 0.02, 5);
    witness_save_floats(&w, "train", train.x, train.n, train.p);
    witness_save_floats(&w, "test", test.x, test.n, test.p);
    witness_save_floats(&w, "few", few.x, few.n, few.p);
    by_gram(&w, &few, "few", 8, "few", "few from the rows");
    by_stream(&w, &train, &test);
    by_gram(&w, &train, "gram", K, "PCA-4, the Gram exists", "PCA-4 by a float64 Gram");
    free(train.x);
    free(test.x);
    free(few.x);
    return witness_end(&w);
}
