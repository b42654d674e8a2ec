/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mixtures whose experts and gate learn together, with all that chance decided handed out, so that
 * the witness can repeat every step: initial weights, order of rows, dropout masks. Cases: with
 * dropout and entropy term; a linear gate and neither of them; from experts trained before. And a
 * batch through the loss alone. With --full: E15's three experts on 8,192 x 4,096, for the clock.
 */
#include "models/nn_mixture.h"
#include "core/memory.h"
#include "core/progress.h"
#include "core/random.h"
#include "crosscheck/witness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { F = 3, GATE_NUMBER = 15 }; /* gate features; the key of the gate's random numbers */

/* y is one plane of two hidden numbers on one side of a border in the gate features, another on the
 * other side. */
typedef struct problem {
    size_t n, p;
    float *x;
    double *gate, *y;
    size_t *rows;
    lb_training_rows data;
} problem;

static problem make(bool full)
{
    problem q = {.n = full ? 8192 : 300, .p = full ? 4096 : 23};
    const size_t n_train = full ? q.n - 256 : 240;
    q.x = lb_xcalloc(q.n * q.p, sizeof *q.x);
    q.gate = lb_xcalloc(q.n * F, sizeof *q.gate);
    q.y = lb_xcalloc(q.n, sizeof *q.y);
    q.rows = lb_xcalloc(q.n, sizeof *q.rows);
    lb_rng r = lb_rng_make(16, 0);
    for (size_t i = 0; i < q.n; i++) {
        const double a = lb_rng_normal(&r), b = lb_rng_normal(&r);
        for (size_t j = 0; j < F; j++)
            q.gate[i * F + j] = 2.17 * (double)j + (0.4 + (double)j) * lb_rng_normal(&r);
        const bool upper = q.gate[i * F] / 0.4 + (q.gate[i * F + 1] - 2.17) / 1.4 > 0.3;
        q.rows[i] = i;
        q.y[i] = 3.0 + (upper ? 0.7 * a + 0.4 * b : 0.5 - 0.6 * a) + 0.05 * lb_rng_normal(&r);
        for (size_t j = 0; j < q.p; j++)
            q.x[i * q.p + j] =
                (float)(1.0 + 0.02 * (a * sin((double)j) + b * cos(0.7 * (double)j)) +
                        0.01 * (2.0 * lb_rng_uniform(&r) - 1.0));
    }
    lb_rng_shuffle(&r, q.rows, q.n);
    q.data = (lb_training_rows){.x.matrix = {q.x, q.n, q.p, q.p},
                                .y = {q.y, q.n},
                                .train = q.rows,
                                .n_train = n_train,
                                .val = q.rows + n_train,
                                .n_val = q.n - n_train};
    return q;
}

static lb_nn_mixture_task task_of(const problem *q, lb_mlp_options expert)
{
    lb_nn_mixture_task t = {q->data, {q->gate, q->n, F, F}, LB_NN_MIXTURE_DEFAULT};
    t.options.expert = expert;
    return t;
}

/* NAME_WHAT, for the arrays of a case. */
static void save(witness *w, const char *name, const char *what, const double *data, size_t a,
                 size_t b)
{
    char *array = lb_xprintf("%s_%s", name, what);
    witness_save(w, array, data, a, b, 0);
    free(array);
}

static void save_rows(witness *w, const char *name, const char *what, const size_t *rows, size_t n)
{
    char *array = lb_xprintf("%s_%s", name, what);
    int *numbers = lb_xcalloc(n, sizeof *numbers);
    for (size_t i = 0; i < n; i++)
        numbers[i] = (int)rows[i];
    witness_save_ints(w, array, numbers, n);
    free(array);
    free(numbers);
}

static void save_weights(witness *w, const char *name, const char *what, size_t number,
                         lb_net_shape shape, uint64_t seed)
{
    char *array = lb_xprintf("%s%zu", what, number);
    lb_net *net = lb_net_new(shape, (lb_net_key){seed, (unsigned)number});
    save(w, name, array, lb_net_weights(net).data, lb_net_weights(net).n, 0);
    lb_net_free(net);
    free(array);
}

/* Initial weights of the experts and, under the number 15, of the gate. */
static void save_starts(witness *w, const char *name, const lb_nn_mixture_task *t)
{
    const lb_nn_mixture_options *o = &t->options;
    const size_t k = o->experts;
    lb_net_shape expert = {o->expert.n_hidden + 1, {lb_source_cols(t->data.x)}};
    const lb_net_shape hidden = {2, {F, o->gate_hidden, k}}, linear = {1, {F, k}};
    memcpy(expert.sizes + 1, o->expert.hidden, o->expert.n_hidden * sizeof *o->expert.hidden);
    expert.sizes[expert.layers] = 1;
    for (size_t j = 0; j < k; j++)
        save_weights(w, name, "start", j, expert, o->expert.training.seed);
    save_weights(w, name, "start", GATE_NUMBER, o->gate_hidden ? hidden : linear,
                 o->expert.training.seed);
}

/* For every epoch the order of the rows, and the masks of all layers of all experts side by side.
 */
static void save_chances(witness *w, const char *name, const lb_nn_mixture_task *t)
{
    const lb_mlp_options *o = &t->options.expert;
    const size_t epochs = o->training.epochs, n = t->data.n_train;
    size_t units = 0, *order = lb_xcalloc(epochs * n, sizeof *order);
    for (size_t l = 0; l < o->n_hidden; l++)
        units += t->options.experts * o->hidden[l];
    for (size_t e = 0; e < epochs; e++)
        lb_training_order(o->training.seed, e + 1, t->data.train, n, order + e * n);
    save_rows(w, name, "order", order, epochs * n);
    if (o->dropout > 0.0) {
        float *masks = lb_xcalloc(epochs * n * units, sizeof *masks), *mask = masks;
        char *array = lb_xprintf("%s_masks", name);
        for (size_t i = 0; i < epochs * n; i++)
            for (size_t j = 0; j < t->options.experts; j++)
                for (size_t l = 0; l < o->n_hidden; mask += o->hidden[l++])
                    lb_net_mask((lb_net_key){o->training.seed, (unsigned)j}, o->dropout, i / n + 1,
                                l + 1, order[i], o->hidden[l], mask);
        witness_save_floats(w, array, masks, epochs * n, units);
        free(array);
        free(masks);
    }
    free(order);
}

static void solve(witness *w, const char *name, const lb_nn_mixture_task *t)
{
    const size_t n = lb_source_rows(t->data.x), k = t->options.experts;
    double *yhat = lb_xcalloc(n, sizeof *yhat);
    double *p = lb_xcalloc(n * k, sizeof *p), *o = lb_xcalloc(n * k, sizeof *o);
    const lb_nn_prediction out = {{yhat, n}, lb_mat_of(p, n, k), lb_mat_of(o, n, k)};
    lb_nn_mixture *m = NULL;
    const double since = lb_clock();
    if (w->status == LB_OK)
        w->status = lb_nn_mixture_fit(t, 1, &m, &w->err);
    witness_timed(w, name, since);
    if (w->status == LB_OK)
        w->status = lb_nn_mixture_predict(m, t->data.x, t->gate, NULL, out, &w->err);
    if (w->status == LB_OK) {
        const lb_training *r = lb_nn_mixture_training(m);
        save_rows(w, name, "best_epoch", &r->best_epoch, 1);
        save(w, name, "train_loss", r->train_loss, r->epochs, 0);
        save(w, name, "val_loss", r->val_loss, r->epochs, 0);
        save(w, name, "yhat", yhat, n, 0);
        save(w, name, "weights", p, n, k);
        save(w, name, "experts", o, n, k);
        save_starts(w, name, t);
        save_chances(w, name, t);
    }
    lb_nn_mixture_free(m);
    free(yhat);
    free(p);
    free(o);
}

/* Two experts that were trained before, on unequal halves of the rows. */
static void solve_started(witness *w, const char *name, lb_nn_mixture_task t)
{
    enum { K = 2 };
    lb_mlp_task own[K] = {{t.data, t.options.expert}, {t.data, t.options.expert}};
    lb_mlp *expert[K] = {NULL};
    own[0].data.n_train = 90;
    own[1].data.train += 90;
    own[1].data.n_train -= 90;
    if (w->status == LB_OK)
        w->status = lb_mlp_fit(own, K, expert, &w->err);
    for (size_t j = 0; j < K && w->status == LB_OK; j++) {
        const lb_scaler *s = lb_mlp_scaler(expert[j]);
        const lb_vec weights = lb_net_weights(lb_mlp_net(expert[j]));
        const double y[] = {s->y_mean, s->y_sd};
        const char *const names[] = {"given", "mean", "sd", "y"};
        const lb_cvec arrays[] = {
            {weights.data, weights.n}, {s->mean, s->cols}, {s->sd, s->cols}, {y, 2}};
        for (size_t a = 0; a < 4; a++) {
            char *what = lb_xprintf("%s%zu", names[a], j);
            save(w, name, what, arrays[a].data, arrays[a].n, 0);
            free(what);
        }
    }
    t.options.experts = K;
    t.options.start = (const lb_mlp *const[]){expert[0], expert[1]};
    solve(w, name, &t);
    for (size_t j = 0; j < K; j++)
        lb_mlp_free(expert[j]);
}

/* A batch through the loss, float64 throughout, one expert all but dead. */
static void save_loss(witness *w)
{
    enum { N = 11, K = 4 };
    double y[N], o[N * K], z[N * K], p[N * K], d_o[N * K], d_z[N * K], loss[2];
    lb_rng r = lb_rng_make(17, 0);
    for (size_t i = 0; i < N; i++)
        y[i] = lb_rng_normal(&r);
    for (size_t i = 0; i < N * K; i++) {
        o[i] = 1.3 * lb_rng_normal(&r);
        p[i] = z[i] = 2.0 * lb_rng_normal(&r) - (i % K == 2 ? 30.0 : 0.0);
    }
    loss[0] = lb_nn_mixture_loss((lb_cvec){y, N}, (lb_cmat){o, N, K, K}, lb_mat_of(p, N, K), 0.37,
                                 lb_mat_of(d_o, N, K), lb_mat_of(d_z, N, K), &loss[1]);
    save(w, "loss", "y", y, N, 0);
    save(w, "loss", "outputs", o, N, K);
    save(w, "loss", "logits", z, N, K);
    save(w, "loss", "values", loss, 2, 0);
    save(w, "loss", "slope_outputs", d_o, N, K);
    save(w, "loss", "slope_logits", d_z, N, K);
}

int main(int argc, char **argv)
{
    witness w = witness_begin(argc, argv);
    problem q = make(w.full);
    const lb_adam_options adam = {3e-3, 0.9, 0.999, 1e-8};
    witness_save_floats(&w, "x", q.x, q.n, q.p);
    witness_save(&w, "gate", q.gate, q.n, F, 0);
    witness_save(&w, "y", q.y, q.n, 0, 0);
    save_rows(&w, "all", "val", q.data.val, q.data.n_val);
    if (w.full) {
        lb_nn_mixture_task t = task_of(&q, LB_NN_MIXTURE_DEFAULT.expert);
        t.options.expert.dropout = 0.0;
        t.options.expert.training.epochs = 5;
        t.options.balance = 0.05;
        solve(&w, "fit", &t);
    } else {
        const lb_mlp_options two = {{12, 7}, 2, 0.2, adam, {32, 30, 30, 9}};
        lb_nn_mixture_task balanced = task_of(&q, two), linear = balanced, started = balanced;
        balanced.options.balance = 0.05;
        balanced.options.gate_hidden = 5;
        linear.options.experts = 2;
        linear.options.gate_hidden = 0;
        linear.options.expert = (lb_mlp_options){{9}, 1, 0.0, adam, {48, 30, 30, 4}};
        started.options.balance = 0.02;
        started.options.expert.training.epochs = 12;
        solve(&w, "balanced", &balanced);
        solve(&w, "linear", &linear);
        solve_started(&w, "started", started);
        save_loss(&w);
    }
    free(q.x);
    free(q.gate);
    free(q.y);
    free(q.rows);
    return witness_end(&w);
}
