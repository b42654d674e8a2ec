/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A multilayer perceptron, its initial weights, order of rows and dropout masks handed out, so that
 * the witness can repeat every step. With --full: E15's network on 8,192 x 4,096, for the clock,
 * and one epoch of its 28,800 rows, for the memory. */
#include "models/mlp.h"
#include "core/memory.h"
#include "core/progress.h"
#include "core/random.h"
#include "crosscheck/witness.h"

#include <math.h>
#include <stdlib.h>

typedef struct problem {
    size_t n, p, n_train;
    float *x;
    double *y;
    size_t *rows;
    lb_mlp_task task;
} problem;

static problem make(bool full, size_t n, size_t n_val)
{
    problem q = {.n = n, .p = full ? 4096 : 23, .n_train = n - n_val};
    q.x = lb_xcalloc(q.n * q.p, sizeof *q.x);
    q.y = lb_xcalloc(q.n, sizeof *q.y);
    q.rows = lb_xcalloc(q.n, sizeof *q.rows);
    lb_rng r = lb_rng_make(15, 0);
    for (size_t i = 0; i < q.n; i++) {
        const double a = lb_rng_normal(&r), b = lb_rng_normal(&r);
        q.rows[i] = i;
        q.y[i] = 3.0 + 0.7 * a * b + 0.5 * b;
        for (size_t j = 0; j < q.p; j++)
            q.x[i * q.p + j] =
                (float)(1.0 + 0.02 * (a * sin((double)j) + b * cos(0.7 * (double)j)) +
                        0.01 * (2.0 * lb_rng_uniform(&r) - 1.0));
    }
    lb_rng_shuffle(&r, q.rows, q.n);
    q.task.data = (lb_training_rows){.x.matrix = {q.x, q.n, q.p, q.p},
                                     .y = {q.y, q.n},
                                     .train = q.rows,
                                     .n_train = q.n_train,
                                     .val = q.rows + q.n_train,
                                     .n_val = q.n - q.n_train};
    q.task.options = LB_MLP_DEFAULT;
    if (full) {
        q.task.options.dropout = 0.0;
        q.task.options.training.epochs = 5;
    } else {
        q.task.options.hidden[0] = 16;
        q.task.options.hidden[1] = 9;
        q.task.options.training =
            (lb_training_options){.batch = 32, .epochs = 30, .patience = 30, .seed = 7};
        q.task.options.adam.rate = 3e-3;
    }
    return q;
}

static void save_rows(witness *w, const char *name, const size_t *rows, size_t n)
{
    int *numbers = lb_xcalloc(n, sizeof *numbers);
    for (size_t i = 0; i < n; i++)
        numbers[i] = (int)rows[i];
    witness_save_ints(w, name, numbers, n);
    free(numbers);
}

/* Initial weights, and for every epoch the order of the rows and the masks of both layers. */
static void save_chances(witness *w, const problem *q)
{
    const lb_mlp_options *o = &q->task.options;
    const size_t epochs = o->training.epochs, n = q->n_train, units = o->hidden[0] + o->hidden[1];
    const lb_net_key key = {o->training.seed, 0};
    lb_net *net = lb_net_new((lb_net_shape){3, {q->p, o->hidden[0], o->hidden[1], 1}}, key);
    size_t *order = lb_xcalloc(epochs * n, sizeof *order);
    float *masks = lb_xcalloc(epochs * n * units, sizeof *masks);
    for (size_t e = 0; e < epochs; e++) {
        lb_training_order(o->training.seed, e + 1, q->task.data.train, n, order + e * n);
        for (size_t i = 0; i < n; i++) {
            float *mask = masks + (e * n + i) * units;
            const size_t row = order[e * n + i];
            lb_net_mask(key, o->dropout, e + 1, 1, row, o->hidden[0], mask);
            lb_net_mask(key, o->dropout, e + 1, 2, row, o->hidden[1], mask + o->hidden[0]);
        }
    }
    witness_save(w, "weights", lb_net_weights(net).data, lb_net_weights(net).n, 0, 0);
    save_rows(w, "order", order, epochs * n);
    witness_save_floats(w, "masks", masks, epochs * n, units);
    lb_net_free(net);
    free(order);
    free(masks);
}

static void problem_free(problem *q)
{
    free(q->x);
    free(q->y);
    free(q->rows);
}

/* What E15 holds in memory. */
static void one_epoch(witness *w)
{
    problem q = make(true, 28800 + 256, 256);
    lb_mlp *m = NULL;
    const double since = lb_clock();
    q.task.options.training.epochs = 1;
    if (w->status == LB_OK)
        w->status = lb_mlp_fit(&q.task, 1, &m, &w->err);
    witness_timed(w, "28,800 rows", since);
    lb_mlp_free(m);
    problem_free(&q);
}

int main(int argc, char **argv)
{
    witness w = witness_begin(argc, argv);
    problem q = w.full ? make(true, 8192, 256) : make(false, 300, 60);
    double *yhat = lb_xcalloc(q.n, sizeof *yhat);
    lb_mlp *m = NULL;
    const double since = lb_clock();
    if (w.status == LB_OK)
        w.status = lb_mlp_fit(&q.task, 1, &m, &w.err);
    witness_timed(&w, "fit", since);
    if (w.status == LB_OK)
        w.status = lb_mlp_predict(m, q.task.data.x, NULL, (lb_vec){yhat, q.n}, &w.err);
    if (w.status == LB_OK) {
        const lb_training *t = lb_mlp_training(m);
        const int best = (int)t->best_epoch;
        witness_save_floats(&w, "x", q.x, q.n, q.p);
        witness_save(&w, "y", q.y, q.n, 0, 0);
        witness_save(&w, "yhat", yhat, q.n, 0, 0);
        save_rows(&w, "val", q.task.data.val, q.task.data.n_val);
        witness_save(&w, "train_loss", t->train_loss, t->epochs, 0, 0);
        witness_save(&w, "val_loss", t->val_loss, t->epochs, 0, 0);
        witness_save_ints(&w, "best_epoch", &best, 1);
        if (!w.full)
            save_chances(&w, &q);
    }
    lb_mlp_free(m);
    problem_free(&q);
    free(yhat);
    if (w.full)
        one_epoch(&w);
    return witness_end(&w);
}
