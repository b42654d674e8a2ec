/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/stack.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "models/folds.h"
#include "models/gate.h"

#include <stdlib.h>
#include <string.h>

/* --- rows put aside -----------------------------------------------------------------------------
 */

static int *copy(const int *from, size_t n)
{
    int *to = lb_xcalloc(n, sizeof *to);
    memcpy(to, from, n * sizeof *to);
    return to;
}

static lb_domains domains_copy(const lb_cohort *c, const lb_domains *d)
{
    lb_domains out = *d;
    out.train = copy(d->train, c->train.n);
    out.val = copy(d->val, c->val.n);
    out.test = copy(d->test, c->test.n);
    return out;
}

/* Of the rows put aside those of the first fold are for stopping, the others come before them. */
static lb_status deal_rows(lb_held_out *h, const int *aside, const lb_domains *d, size_t n,
                           size_t val_folds, uint64_t seed, lb_error *err)
{
    int *label = lb_xcalloc(n, sizeof *label), *fold = lb_xcalloc(n, sizeof *fold);
    for (size_t i = 0; i < n; i++)
        label[i] = aside[i] ? d->train[i] : -1;
    /* Another stream than that of the first dealing, or the folds of the folds would agree. */
    const lb_status st = lb_folds_make(
        (lb_folds){.k = val_folds, .seed = seed + 1, .class_of = label}, n, fold, err);
    if (st == LB_OK) {
        h->rows = lb_xcalloc(n, sizeof *h->rows);
        for (size_t i = 0; i < n; i++)
            if (fold[i] > 0)
                h->rows[h->n++] = i;
        h->n_fit = h->n;
        for (size_t i = 0; i < n; i++)
            if (fold[i] == 0)
                h->rows[h->n++] = i;
    }
    free(label);
    free(fold);
    return st;
}

void lb_hold_out(lb_study *s, const lb_cohort *c, const lb_domains *d, size_t folds,
                 size_t val_folds, uint64_t seed, lb_held_out *out)
{
    *out = (lb_held_out){0};
    if (!lb_study_ok(s))
        return;
    const size_t n = c->train.n;
    int *aside = lb_xcalloc(n, sizeof *aside);
    lb_study_take(s, lb_folds_make((lb_folds){.k = folds, .seed = seed, .class_of = d->train}, n,
                                   aside, s->err));
    for (size_t i = 0; i < n; i++)
        aside[i] = aside[i] == 0;
    if (lb_study_ok(s))
        lb_study_take(s, deal_rows(out, aside, d, n, val_folds, seed, s->err));
    if (lb_study_ok(s)) {
        out->experts = domains_copy(c, d);
        out->gate = domains_copy(c, d);
        for (size_t i = 0; i < n; i++)
            *(aside[i] ? &out->experts.train[i] : &out->gate.train[i]) = -1;
    }
    free(aside);
}

void lb_held_out_free(lb_held_out *h)
{
    lb_domains_free(&h->experts);
    lb_domains_free(&h->gate);
    free(h->rows);
    *h = (lb_held_out){0};
}

void lb_held_predict(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                     const lb_moe *m, size_t which, const lb_held_out *held, lb_mat yhat)
{
    lb_exposure seen;
    lb_cohort_expose(c, level, seeds, &seen);
    lb_stream_rows aside = {seen.train.x, held->rows, held->n};
    const lb_stream x = lb_stream_of_rows(&aside);
    if (lb_study_ok(s))
        lb_moe_predict(s, m, which, &x, yhat);
}

/* --- gates --------------------------------------------------------------------------------------
 */

typedef struct lesson {
    lb_gate_rows fit, stop;
    double *block;
} lesson;

/* The rows to learn from and those to stop on lie one after the other in one block. */
static lesson lesson_of(lb_learn_rows r)
{
    const lb_held_out *h = r.held;
    const size_t n = h->n, m = r.train.cols, fit = h->n_fit;
    lesson l = {.block = lb_xcalloc(n * (m + 1), sizeof *l.block)};
    double *x = l.block, *y = x + n * m;
    for (size_t i = 0; i < n; i++) {
        memcpy(x + i * m, r.train.data + h->rows[i] * r.train.stride, m * sizeof *x);
        y[i] = r.target[h->rows[i]];
    }
    const lb_cmat e = r.yhat;
    l.fit = (lb_gate_rows){{x, fit, m, m}, {e.data, fit, e.cols, e.stride}, {y, fit}};
    l.stop = (lb_gate_rows){{x + fit * m, n - fit, m, m},
                            {e.data + fit * e.stride, n - fit, e.cols, e.stride},
                            {y + fit, n - fit}};
    return l;
}

static size_t best_of(const double *loss, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (loss[i] < loss[best])
            best = i;
    return best + 1;
}

static void keep_curve(lb_learned *g, lb_gate_curve *curve)
{
    g->epochs = curve->epochs;
    g->best = curve->best;
    g->best_in_budget =
        best_of(curve->validation, curve->epochs < g->plan.epochs ? curve->epochs : g->plan.epochs);
    g->converged = curve->converged;
    g->loss = curve->validation[curve->best - 1];
    g->curve = curve->validation;
    curve->validation = NULL;
}

static lb_status learn(const lesson *l, lb_cmat test, lb_learn_plan plan, lb_learned *out,
                       lb_error *err)
{
    const lb_gate_shape shape = {test.cols, plan.hidden, l->fit.experts.cols};
    lb_gate_options o = LB_GATE_DEFAULT;
    o.adam.rate = plan.rate;
    o.batch = plan.batch;
    o.epochs = plan.epochs;
    o.patience = plan.patience;
    o.max_epochs = plan.max_epochs;
    o.seed = plan.seed;
    lb_gate *gate = NULL;
    lb_gate_curve curve = {0};
    lb_status st = lb_gate_new(shape, plan.seed, &gate, err);
    *out = (lb_learned){.plan = plan};
    if (st == LB_OK)
        st = lb_gate_train(gate, l->fit, l->stop, o, &curve, err);
    if (st == LB_OK) {
        keep_curve(out, &curve);
        out->weights = lb_mat_new(test.rows, shape.experts);
        st = lb_gate_weights(gate, test, out->weights, err);
    }
    lb_gate_curve_free(&curve);
    lb_gate_free(gate);
    return st;
}

void lb_learn_gates(lb_study *s, lb_learn_rows rows, const lb_learn_plan *plan, size_t n,
                    lb_learned *out)
{
    memset(out, 0, n * sizeof *out);
    if (!lb_study_ok(s))
        return;
    lesson l = lesson_of(rows);
    lb_status *status = lb_xcalloc(n, sizeof *status);
    lb_error *err = lb_xcalloc(n, sizeof *err);
    const size_t work = n ? n * rows.held->n * rows.train.cols * plan[0].epochs : 0;
#pragma omp parallel for schedule(dynamic) if (work >= LB_WORTH_THREADS)
    for (size_t i = 0; i < n; i++)
        status[i] = learn(&l, rows.test, plan[i], &out[i], &err[i]);
    for (size_t i = 0; i < n && lb_study_ok(s); i++) {
        if (status[i] != LB_OK)
            *s->err = err[i];
        lb_study_take(s, status[i]);
    }
    for (size_t i = 0; i < n && !lb_study_ok(s); i++)
        lb_learned_free(&out[i]);
    free(status);
    free(err);
    free(l.block);
}

void lb_learned_free(lb_learned *g)
{
    free(g->curve);
    free(g->weights.data);
    *g = (lb_learned){0};
}

void lb_learned_put(lb_study *s, const lb_learned *g, const char *prefix, const char *name)
{
    const size_t budget = g->epochs < g->plan.epochs ? g->epochs : g->plan.epochs;
    const bool in_budget = g->best_in_budget < budget;
    lb_number loss = lb_number_plain(g->loss, "loss", "dex2");
    loss.digits = 6;
    lb_study_put(s, lb_number_count(g->best), "%sbest_epoch.%s", prefix, name);
    lb_study_put(s, lb_number_count(g->epochs), "%sepochs.%s", prefix, name);
    lb_study_put(s, loss, "%sbest_val_loss.%s", prefix, name);
    lb_study_put(s, lb_number_count(g->converged), "%sconverged.%s", prefix, name);
    lb_study_put_text(s, g->converged ? "yes" : "no", "%sconverged.%s.word", prefix, name);
    lb_study_put(s, lb_number_count(g->best_in_budget), "%sbudget.best_epoch.%s", prefix, name);
    lb_study_put(s, lb_number_count(in_budget), "%sbudget.converged.%s", prefix, name);
    lb_study_put_text(s, in_budget ? "yes" : "no", "%sbudget.converged.%s.word", prefix, name);
}
