/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Ridge predictor with out-of-fold predictions, handed to outoffold.py. */
#include "models/outoffold.h"
#include "core/memory.h"
#include "core/progress.h"
#include "core/random.h"
#include "crosscheck/witness.h"
#include "models/folds.h"

#include <stdlib.h>
#include <string.h>

enum { FOLDS = 5, COPIES = 3, CLASSES = 3 };
static const double g7[] = {0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0};

/* Spectra of stars, seen a few times each under different noise; the label belongs to the star. */
typedef struct set {
    size_t n, p;
    float *x;
    double *y;
    uint64_t *star;
    int *class_of;
} set;

static set set_make(size_t n, size_t p, uint64_t seed)
{
    set s = {n,
             p,
             lb_xcalloc(n * p, sizeof(float)),
             lb_xcalloc(n, sizeof(double)),
             lb_xcalloc(n, sizeof(uint64_t)),
             lb_xcalloc(n, sizeof(int))};
    for (size_t i = 0; i < n; i++) {
        s.star[i] = i / COPIES;
        lb_rng star = lb_rng_make(seed, s.star[i]), noise = lb_rng_make(seed + 1, i);
        const double mh = lb_rng_normal(&star), teff = lb_rng_normal(&star);
        s.y[i] = mh + 0.05 * lb_rng_normal(&star);
        s.class_of[i] = mh < -0.7 ? 0 : mh < 0.5 ? 1 : 2;
        for (size_t j = 0; j < p; j++) {
            const double line = 0.02 * mh * (double)(j % 5) + 0.03 * teff * (double)(j % 3);
            s.x[i * p + j] = (float)(1.0 + line + 0.3 * lb_rng_normal(&noise));
        }
    }
    return s;
}

static void set_free(set *s)
{
    free(s->x);
    free(s->y);
    free(s->star);
    free(s->class_of);
}

static lb_status read_set(void *self, size_t first, lb_matf x, lb_error *err)
{
    const set *s = self;
    (void)err;
    for (size_t i = 0; i < x.rows; i++)
        memcpy(x.data + i * x.stride, s->x + (first + i) * s->p, s->p * sizeof(float));
    return LB_OK;
}

static void save(witness *w, const lb_outoffold_result *r)
{
    const double scores[] = {r->train.r2, r->train.rmse, r->sets[0].r2, r->sets[0].rmse,
                             r->chosen.alpha};
    witness_save(w, "alphas", r->alphas.data, r->alphas.n, 0, 0);
    witness_save(w, "r2", r->r2.data, r->r2.n, 0, 0);
    witness_save(w, "yhat_train", r->train.yhat.data, r->train.yhat.n, 0, 0);
    witness_save(w, "yhat_test", r->sets[0].yhat.data, r->sets[0].yhat.n, 0, 0);
    witness_save(w, "scores", scores, 5, 0, 0);
}

int main(int argc, char **argv)
{
    witness w = witness_begin(argc, argv);
    const size_t n = w.full ? 12000 : 900, p = w.full ? 1024 : 80;
    set train = set_make(n, p, 10), test = set_make(n / 4, p, 20);
    const lb_stream x = {n, p, read_set, &train, false};
    const lb_known sets[] = {{{test.n, p, read_set, &test, false}, {test.y, test.n}}};
    int *fold = lb_xcalloc(n, sizeof *fold), *star = lb_xcalloc(n, sizeof *star);
    lb_outoffold *o = NULL;

    if (w.status == LB_OK)
        w.status = lb_folds_make(
            (lb_folds){.k = FOLDS, .seed = 42, .group = train.star, .class_of = train.class_of}, n,
            fold, &w.err);
    const double since = lb_clock();
    if (w.status == LB_OK)
        w.status = lb_outoffold_run(&x, (lb_cvec){train.y, n}, fold,
                                    (lb_outoffold_options){.folds = FOLDS, .alphas = {g7, 7}}, sets,
                                    1, &o, &w.err);
    witness_timed(&w, "out-of-fold Ridge", since);
    for (size_t i = 0; i < n; i++)
        star[i] = (int)train.star[i];
    witness_save_floats(&w, "x", train.x, n, p);
    witness_save_floats(&w, "x_test", test.x, test.n, p);
    witness_save(&w, "y", train.y, n, 0, 0);
    witness_save(&w, "y_test", test.y, test.n, 0, 0);
    witness_save_ints(&w, "fold", fold, n);
    witness_save_ints(&w, "star", star, n);
    witness_save_ints(&w, "class", train.class_of, n);
    if (w.status == LB_OK) {
        const lb_outoffold_result r = lb_outoffold_get(o);
        save(&w, &r);
    }
    lb_outoffold_free(o);
    free(fold);
    free(star);
    set_free(&train);
    set_free(&test);
    return witness_end(&w);
}
