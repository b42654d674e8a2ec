/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conditional Ridge: a target whose dependence on the pixels varies with m and t, as in E07, E11
 * and E12, before scikit-learn on the design written out. */
#include "crosscheck/witness.h"

#include "core/memory.h"
#include "core/progress.h"
#include "core/random.h"
#include "models/conditional.h"

#include <stdlib.h>
#include <string.h>

enum { V = 3, FOLDS = 5, ROUNDS = 2 };

static const lb_monomial in_m[] = {{{0}}, {{1}}, {{2}}};
static const lb_monomial in_m_t[] = {{{0}}, {{1}}, {{0, 1}}};
static const lb_monomial in_level[] = {{{0}}, {{0, 0, 1}}, {{0, 0, 2}}};

typedef struct rows {
    size_t n, p;
    float *x;
    double *y, *variables; /* (n), (n, V) m, t and a noise level */
    int *fold;
} rows;

static lb_status read_rows(void *self, size_t first, lb_matf x, lb_error *err)
{
    const rows *r = self;
    (void)err;
    for (size_t i = 0; i < x.rows; i++)
        memcpy(x.data + i * x.stride, r->x + (first + i) * r->p, r->p * sizeof(float));
    return LB_OK;
}

/* Spectra about 1 with lines whose depths follow the label, m and t. */
static rows make(size_t n, size_t p, uint64_t stream)
{
    static const double levels[] = {0.0, 0.1, 0.2, 0.5, 1.0};
    rows r = {n,
              p,
              lb_xcalloc(n * p, sizeof(float)),
              lb_xcalloc(n, sizeof(double)),
              lb_xcalloc(n * V, sizeof(double)),
              lb_xcalloc(n, sizeof(int))};
    lb_rng lines = lb_rng_make(7, 0), random = lb_rng_make(7, stream);
    double *line = lb_xcalloc(4 * p, sizeof *line);
    for (size_t k = 0; k < 4 * p; k++)
        line[k] = 0.02 * lb_rng_normal(&lines);
    for (size_t i = 0; i < n; i++) {
        double *v = r.variables + i * V;
        const double g = lb_rng_normal(&random);
        v[0] = lb_rng_normal(&random) - 0.4;
        v[1] = lb_rng_normal(&random) + 0.3 * v[0];
        v[2] = levels[lb_rng_below(&random, 5)];
        r.y[i] = 2.5 + g + 0.2 * v[0];
        r.fold[i] = (int)(i % FOLDS);
        for (size_t j = 0; j < p; j++) {
            const double *a = line + 4 * j;
            r.x[i * p + j] = (float)(1.0 + g * (a[0] + v[0] * a[1]) + v[0] * a[2] + v[1] * a[3] +
                                     0.05 * lb_rng_normal(&random));
        }
    }
    free(line);
    return r;
}

static lb_conditional_labelled labelled(rows *r)
{
    return (lb_conditional_labelled){
        {{r->n, r->p, read_rows, r, false}, {r->variables, r->n, V, V}}, {r->y, r->n}, NULL};
}

static void save_rows(witness *w, const rows *r, const char *set)
{
    const char *const names[] = {"x", "y", "variables"};
    char *name[3];
    for (int k = 0; k < 3; k++)
        name[k] = lb_xprintf("%s_%s", names[k], set);
    witness_save_floats(w, name[0], r->x, r->n, r->p);
    witness_save(w, name[1], r->y, r->n, 0, 0);
    witness_save(w, name[2], r->variables, r->n, V, 0);
    for (int k = 0; k < 3; k++)
        free(name[k]);
}

typedef struct sets {
    rows train, val;
} sets;

/* One model, its weights, intercepts, scores and predictions for the validation rows. */
static void solve(witness *w, sets *d, const char *name, lb_conditions c, lb_cvec alphas,
                  size_t folds)
{
    lb_conditional_labelled train = labelled(&d->train), val = labelled(&d->val);
    const lb_conditional_member member = {.name = name, .conditions = c};
    lb_conditional *out = NULL;
    double best = 0.0;
    train.fold = folds ? d->train.fold : NULL;
    for (int round = 0; round < (w->full ? ROUNDS : 1) && w->status == LB_OK; round++) {
        const double since = lb_clock();
        lb_conditional_free(out);
        w->status = lb_conditional_run(&train, &val, &val.rows, &member, 1,
                                       (lb_conditional_options){.alphas = alphas, .folds = folds},
                                       &out, &w->err);
        const double seconds = lb_clock() - since;
        best = round == 0 || seconds < best ? seconds : best;
    }
    if (w->status == LB_OK) {
        const lb_sweep_model m = lb_conditional_get(out, 0);
        const lb_conditional_fit *f = lb_conditional_weights(out, 0);
        char *file = lb_xprintf("w_%s", name), *r2 = lb_xprintf("r2_%s", name);
        char *yhat = lb_xprintf("yhat_%s", name);
        witness_save(w, file, f->w, alphas.n, c.n * f->p, 0);
        witness_save(w, r2, m.r2_val.data, alphas.n, 0, 0);
        witness_save(w, yhat, m.yhat.data, alphas.n, m.yhat.cols, 0);
        free(file);
        free(r2);
        free(yhat);
        witness_timed(w, name, lb_clock() - best);
    }
    lb_conditional_free(out);
}

int main(int argc, char **argv)
{
    witness w = witness_begin(argc, argv);
    const double few[] = {0.01, 1.0, 100.0}, ends[] = {0.01, 100.0},
                 all[] = {0.001, 0.01, 0.1, 1.0, 10.0, 100.0};
    sets d = {make(w.full ? 16384 : 1600, w.full ? 1024 : 512, 1),
              make(w.full ? 1000 : 300, w.full ? 1024 : 512, 2)};
    save_rows(&w, &d.train, "train");
    save_rows(&w, &d.val, "val");
    witness_save_ints(&w, "fold", d.train.fold, d.train.n);
    if (w.full) {
        solve(&w, &d, "one_penalty", (lb_conditions){in_m, 3, .plain = false},
              (lb_cvec){few + 1, 1}, 0);
        solve(&w, &d, "six_penalties", (lb_conditions){in_m, 3, .plain = false}, (lb_cvec){all, 6},
              0);
    } else {
        solve(&w, &d, "literal", (lb_conditions){in_m, 2, .plain = false}, (lb_cvec){ends, 2}, 0);
        solve(&w, &d, "second", (lb_conditions){in_m, 3, .plain = true}, (lb_cvec){few + 1, 1}, 0);
        solve(&w, &d, "centred", (lb_conditions){in_m_t, 3, .centre = true}, (lb_cvec){few + 1, 1},
              0);
        solve(&w, &d, "levels", (lb_conditions){in_level, 3, .plain = false}, (lb_cvec){few + 1, 1},
              0);
        solve(&w, &d, "folds", (lb_conditions){in_m, 2, .plain = false}, (lb_cvec){few + 1, 2},
              FOLDS);
    }
    rows *sets_of[] = {&d.train, &d.val};
    for (int k = 0; k < 2; k++) {
        free(sets_of[k]->x);
        free(sets_of[k]->y);
        free(sets_of[k]->variables);
        free(sets_of[k]->fold);
    }
    return witness_end(&w);
}
