/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "models/lstsq.h"
#include "models/mlp.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { N = 400, P = 12, TRAIN = 320 };

/* Spectra near 1 whose label is a product of two of their features: nothing a linear model sees. */
typedef struct world {
    float x[N * P];
    double y[N];
    size_t rows[N];
    size_t broken;     /* reading this row from the stream fails; 0: none does */
    size_t reads_left; /* then every read fails; 0: none does */
} world;

static world *make(void)
{
    world *w = lb_xcalloc(1, sizeof *w);
    lb_rng r = lb_rng_make(5, 0);
    for (size_t i = 0; i < N; i++) {
        double z[P];
        for (size_t j = 0; j < P; j++)
            z[j] = lb_rng_normal(&r);
        for (size_t j = 0; j < P; j++)
            w->x[i * P + j] = (float)(1.0 + 0.03 * z[j]);
        w->y[i] = 3.0 + z[0] * z[1] + 0.05 * lb_rng_normal(&r);
        w->rows[i] = i;
    }
    lb_rng_shuffle(&r, w->rows, N);
    return w;
}

static lb_mlp_task task_of(const world *w)
{
    lb_mlp_task t = {{.x.matrix = {w->x, N, P, P},
                      .y = {w->y, N},
                      .train = w->rows,
                      .n_train = TRAIN,
                      .val = w->rows + TRAIN,
                      .n_val = N - TRAIN},
                     LB_MLP_DEFAULT};
    t.options.hidden[0] = t.options.hidden[1] = 24;
    t.options.dropout = 0.05;
    t.options.adam.rate = 5e-3;
    t.options.training =
        (lb_training_options){.batch = 32, .epochs = 60, .patience = 15, .seed = 3};
    return t;
}

static lb_mlp *fit(lb_mlp_task t)
{
    lb_mlp *m = NULL;
    lb_error err = {0};
    cr_assert(eq(int, lb_mlp_fit(&t, 1, &m, &err), LB_OK), "%s", err.text);
    return m;
}

static lb_vec predict(const lb_mlp *m, const lb_mlp_task *t, const size_t *rows, size_t n)
{
    lb_vec yhat = {lb_xcalloc(n, sizeof(double)), n};
    lb_error err = {0};
    cr_assert(eq(int, lb_mlp_predict(m, t->data.x, rows, yhat, &err), LB_OK), "%s", err.text);
    return yhat;
}

static void expect_failure(lb_mlp_task t, lb_status status, const char *text)
{
    lb_mlp *m = NULL;
    lb_error err = {0};
    cr_expect(eq(int, lb_mlp_fit(&t, 1, &m, &err), status), "%s", err.text);
    cr_expect(strstr(err.text, text) != NULL, "'%s' does not say '%s'", err.text, text);
    cr_expect(eq(ptr, m, NULL));
}

static lb_status read_world(void *self, size_t first, lb_matf x, lb_error *err)
{
    world *w = self;
    if (w->reads_left && --w->reads_left == 0) {
        w->reads_left = 1; /* and so on */
        return LB_FAIL(err, LB_EIO, "the stream is at its end");
    }
    for (size_t i = 0; i < x.rows; i++) {
        if (w->broken && first + i == w->broken)
            return LB_FAIL(err, LB_EIO, "row %zu is gone", w->broken);
        memcpy(x.data + i * x.stride, w->x + (first + i) * P, P * sizeof(float));
    }
    return LB_OK;
}

Test(mlp, learns_what_no_linear_model_can)
{
    world *w = make();
    lb_mlp_task t = task_of(w), linear = t;
    linear.options.n_hidden = 0;
    linear.options.dropout = 0.0;
    lb_mlp *m = fit(t), *line = fit(linear);
    const lb_training *a = lb_mlp_training(m), *b = lb_mlp_training(line);
    cr_expect(lt(dbl, a->best_loss, 0.25 * a->val_variance));
    cr_expect(gt(dbl, b->best_loss, 0.8 * b->val_variance));
    cr_expect(lt(dbl, a->train_loss[a->epochs - 1], a->train_loss[0]));
    cr_expect(not(a->undertrained));
    lb_mlp_free(m);
    lb_mlp_free(line);
    free(w);
}

Test(mlp, without_hidden_layers_tends_to_least_squares)
{
    world *w = make();
    lb_mlp_task t = task_of(w);
    lb_lstsq exact;
    double *design = lb_xcalloc(TRAIN * (P + 1), sizeof *design), *y = lb_xcalloc(TRAIN, sizeof *y);
    for (size_t i = 0; i < N; i++)
        w->y[i] += 20.0 * (double)w->x[i * P + 4] - 9.0 * (double)w->x[i * P + 7];
    for (size_t i = 0; i < TRAIN; i++) {
        design[i * (P + 1)] = 1.0;
        for (size_t j = 0; j < P; j++)
            design[i * (P + 1) + 1 + j] = (double)w->x[w->rows[i] * P + j];
        y[i] = w->y[w->rows[i]];
    }
    cr_assert(eq(int,
                 lb_lstsq_fit((lb_cmat){design, TRAIN, P + 1, P + 1}, (lb_cvec){y, TRAIN}, true,
                              &exact, NULL),
                 LB_OK));
    t.data.val = t.data.train; /* to its end, not to where validation would stop it */
    t.data.n_val = TRAIN;
    t.options.n_hidden = 0;
    t.options.dropout = 0.0;
    t.options.adam.rate = 2e-3;
    t.options.training =
        (lb_training_options){.batch = TRAIN, .epochs = 3000, .patience = 3000, .seed = 1};
    lb_mlp *m = fit(t);
    const lb_vec yhat = predict(m, &t, t.data.train, TRAIN);
    for (size_t i = 0; i < TRAIN; i++) {
        double expected = 0.0;
        for (size_t j = 0; j <= P; j++)
            expected += design[i * (P + 1) + j] * exact.w.data[j];
        cr_expect(epsilon_eq(dbl, yhat.data[i], expected, 2e-3));
    }
    lb_mlp_free(m);
    lb_lstsq_free(&exact);
    free(yhat.data), free(design), free(y), free(w);
}

Test(mlp, stops_after_its_patience_and_returns_to_the_best_weights)
{
    world *w = make();
    lb_mlp_task t = task_of(w);
    t.options.training.patience = 4;
    t.options.training.epochs = 500;
    lb_mlp *m = fit(t);
    const lb_training *r = lb_mlp_training(m);
    const lb_vec yhat = predict(m, &t, t.data.val, t.data.n_val);
    double loss = 0.0;
    for (size_t i = 0; i < yhat.n; i++)
        loss += pow(yhat.data[i] - w->y[t.data.val[i]], 2.0) / (double)yhat.n;
    cr_expect(eq(sz, r->epochs, r->best_epoch + 4));
    cr_expect(not(r->at_limit));
    for (size_t e = 0; e < r->epochs; e++)
        cr_expect(ge(dbl, r->val_loss[e], r->best_loss));
    cr_expect(eq(dbl, r->val_loss[r->best_epoch - 1], r->best_loss));
    cr_expect(epsilon_eq(dbl, loss, r->best_loss, 1e-12));
    lb_mlp_free(m);
    free(yhat.data), free(w);
}

Test(mlp, says_when_it_was_not_trained_enough)
{
    world *w = make();
    lb_mlp_task t = task_of(w);
    t.options.training.epochs = 3;
    lb_mlp *m = fit(t);
    cr_expect(lb_mlp_training(m)->undertrained, "the best of three epochs is an early one");
    cr_expect(lb_mlp_training(m)->at_limit);
    lb_mlp_free(m);
    t = task_of(w);
    for (size_t i = TRAIN; i < N; i++) /* validation rows that have nothing to do with the others */
        w->y[w->rows[i]] = 100.0 + (double)(i % 3);
    m = fit(t);
    cr_expect(gt(dbl, lb_mlp_training(m)->best_loss, lb_mlp_training(m)->val_variance));
    cr_expect(lb_mlp_training(m)->undertrained, "worse than a constant");
    lb_mlp_free(m);
    free(w);
}

Test(mlp, threads_company_and_streams_do_not_change_a_bit)
{
    world *w = make();
    const int before = omp_get_max_threads();
    const lb_stream stream = {N, P, read_world, w, false};
    lb_mlp_task tasks[3] = {task_of(w), task_of(w), task_of(w)};
    tasks[1].data.n_train = 200;
    tasks[1].options.hidden[1] = 9;
    tasks[2].data.x = (lb_source){.stream = &stream};
    omp_set_num_threads(1);
    lb_mlp *alone = fit(tasks[0]), *small = fit(tasks[1]), *together[3];
    omp_set_num_threads(2);
    const size_t threads = threads_now();
    cr_assert(eq(int, lb_mlp_fit(tasks, 3, together, NULL), LB_OK));
    cr_expect(gt(sz, threads_now(), threads), "two threads were at work");
    lb_mlp *shared = fit(tasks[0]);
    omp_set_num_threads(before);
    const lb_vec a = predict(alone, &tasks[0], NULL, N),
                 b = predict(together[0], &tasks[0], NULL, N),
                 c = predict(together[2], &tasks[2], NULL, N),
                 d = predict(shared, &tasks[0], NULL, N), e = predict(small, &tasks[0], NULL, N),
                 f = predict(together[1], &tasks[0], NULL, N);
    cr_expect(eq(int, memcmp(a.data, b.data, N * sizeof(double)), 0), "in company");
    cr_expect(eq(int, memcmp(a.data, c.data, N * sizeof(double)), 0), "from a stream");
    cr_expect(eq(int, memcmp(a.data, d.data, N * sizeof(double)), 0), "on two threads");
    cr_expect(eq(int, memcmp(e.data, f.data, N * sizeof(double)), 0), "the smaller of them");
    for (int i = 0; i < 3; i++)
        lb_mlp_free(together[i]);
    lb_mlp_free(alone), lb_mlp_free(shared), lb_mlp_free(small);
    free(a.data), free(b.data), free(c.data), free(d.data), free(e.data), free(f.data), free(w);
}

Test(mlp, seeds_make_different_networks)
{
    world *w = make();
    lb_mlp_task t = task_of(w), u = t;
    u.options.training.seed = 4;
    lb_mlp *a = fit(t), *b = fit(u);
    cr_expect(ne(dbl, lb_mlp_training(a)->best_loss, lb_mlp_training(b)->best_loss));
    lb_mlp_free(a);
    lb_mlp_free(b);
    free(w);
}

Test(mlp, standardises_by_the_training_rows_alone)
{
    world *w = make();
    lb_mlp_task t = task_of(w);
    t.options.training.epochs = 5;
    for (size_t i = 0; i < N; i++)
        w->x[i * P + 3] = 1.25f; /* constant */
    w->x[w->rows[TRAIN - 1] * P + 5] = NAN;
    t.data.n_train = TRAIN - 1; /* the row that is left out may hold anything */
    lb_mlp *m = fit(t);
    const lb_scaler *s = lb_mlp_scaler(m);
    double mean = 0.0, squares = 0.0, y_mean = 0.0;
    for (size_t i = 0; i < t.data.n_train; i++) {
        mean += (double)w->x[w->rows[i] * P + 6] / (double)t.data.n_train;
        y_mean += w->y[w->rows[i]] / (double)t.data.n_train;
    }
    for (size_t i = 0; i < t.data.n_train; i++)
        squares += pow((double)w->x[w->rows[i] * P + 6] - mean, 2.0) / (double)t.data.n_train;
    cr_expect(epsilon_eq(dbl, s->mean[6], mean, 1e-12));
    cr_expect(epsilon_eq(dbl, s->sd[6], sqrt(squares), 1e-12));
    cr_expect(epsilon_eq(dbl, s->y_mean, y_mean, 1e-12));
    cr_expect(eq(dbl, s->sd[3], 1.0));
    cr_expect(eq(dbl, s->mean[3], 1.25));

    for (size_t i = 0; i < N; i++)
        w->x[i * P + 3] = 77.0f; /* another constant says as little */
    lb_mlp *again = fit(t);
    cr_expect(eq(dbl, lb_mlp_training(m)->best_loss, lb_mlp_training(again)->best_loss));
    lb_mlp_free(m);
    lb_mlp_free(again);
    free(w);
}

Test(mlp, one_row_one_label_wide_and_repeated_columns_have_an_answer)
{
    world *w = make();
    lb_mlp_task t = task_of(w);
    t.options.training.epochs = 20;
    t.data.n_train = 1; /* also: more columns than rows */
    lb_mlp *m = fit(t);
    lb_vec yhat = predict(m, &t, t.data.train, 1);
    cr_expect(epsilon_eq(dbl, yhat.data[0], w->y[t.data.train[0]], 1e-6));
    lb_mlp_free(m);
    free(yhat.data);

    t = task_of(w);
    t.data.n_val = 1; /* no variance: nothing can beat a constant there */
    m = fit(t);
    cr_expect(eq(dbl, lb_mlp_training(m)->val_variance, 0.0));
    cr_expect(lb_mlp_training(m)->undertrained);
    lb_mlp_free(m);

    t = task_of(w);
    for (size_t i = 0; i < N; i++)
        w->x[i * P + 1] = w->x[i * P];
    m = fit(t);
    cr_expect(gt(sz, lb_mlp_training(m)->epochs, 0));
    lb_mlp_free(m);

    t = task_of(w);
    for (size_t i = 0; i < N; i++)
        w->y[i] = 2.5;
    m = fit(t);
    yhat = predict(m, &t, NULL, N);
    for (size_t i = 0; i < N; i++)
        cr_expect(epsilon_eq(dbl, yhat.data[i], 2.5, 0.2));
    lb_mlp_free(m);
    free(yhat.data);
    free(w);
}

Test(mlp, counts_the_weights_of_the_published_network)
{
    const lb_mlp_options o = LB_MLP_DEFAULT;
    cr_expect(eq(sz, lb_mlp_weights(4096, &o), 1114881));
}

Test(mlp, refuses_options_outside_their_range)
{
    world *w = make();
    lb_mlp_task t;
#define REFUSES(change, text) t = task_of(w), change, expect_failure(t, LB_EINVAL, text)
    REFUSES(t.options.n_hidden = LB_MLP_HIDDEN_MAX + 1, "hidden layers");
    REFUSES(t.options.hidden[1] = 0, "hidden layer 2 has no unit");
    REFUSES(t.options.dropout = 1.0, "dropout");
    REFUSES(t.options.dropout = (double)NAN, "dropout");
    REFUSES(t.options.training.batch = 0, "at least 1");
    REFUSES(t.options.training.epochs = 0, "at least 1");
    REFUSES(t.options.training.patience = 0, "at least 1");
    REFUSES(t.options.training.epochs = 70000, "65535");
    REFUSES(t.options.adam.rate = -1.0, "learning rate");
    REFUSES(t.data.n_train = 0, "no training row");
    REFUSES(t.data.n_val = 0, "no validation row");
    REFUSES(t.data.x.matrix.cols = 0, "no column");
    REFUSES(w->rows[3] = N, "row number 400");
#undef REFUSES
    free(w);
}

Test(mlp, names_the_row_that_is_not_finite)
{
    world *w = make();
    lb_mlp_task t = task_of(w);
    lb_vec yhat = {lb_xcalloc(N, sizeof(double)), N};
    lb_error err = {0};
    lb_mlp *m = fit(t);
    t.data.y.n = N - 1;
    expect_failure(t, LB_ESHAPE, "y has 399");
    t = task_of(w);
    w->x[w->rows[11] * P + 2] = INFINITY;
    expect_failure(t, LB_ENUMERIC, "column 2 is inf");
    cr_expect(eq(int, lb_mlp_predict(m, t.data.x, NULL, yhat, &err), LB_ENUMERIC));
    cr_expect(strstr(err.text, "column 2 is inf") != NULL, "%s", err.text);
    w->x[w->rows[11] * P + 2] = 1.0f;
    w->x[w->rows[TRAIN + 7] * P + 9] = NAN; /* a validation row */
    expect_failure(t, LB_ENUMERIC, "column 9 is");
    w->x[w->rows[TRAIN + 7] * P + 9] = 1.0f;
    for (size_t j = 0; j < P; j++)
        w->x[w->rows[11] * P + j] = 3e38f;
    cr_expect(eq(int, lb_mlp_predict(m, t.data.x, NULL, yhat, &err), LB_ENUMERIC));
    for (size_t j = 0; j < P; j++)
        w->x[w->rows[11] * P + j] = 1.0f;
    w->y[w->rows[5]] = NAN;
    expect_failure(t, LB_ENUMERIC, "the label of row");
    w->y[w->rows[5]] = 1.0;
    t.options.adam.rate = 1e30;
    expect_failure(t, LB_ENUMERIC, "lower the learning rate");
    lb_mlp_free(m);
    free(yhat.data), free(w);
}

Test(mlp, passes_on_what_the_stream_says_and_which_network_failed)
{
    world *w = make();
    const lb_stream stream = {N, P, read_world, w, false};
    lb_mlp_task tasks[2] = {task_of(w), task_of(w)};
    lb_mlp *m[2];
    lb_error err = {0};
    tasks[1].data.x = (lb_source){.stream = &stream};
    w->broken = w->rows[20];
    cr_expect(eq(int, lb_mlp_fit(tasks, 2, m, &err), LB_EIO));
    cr_expect(strstr(err.text, "network 1: row") != NULL, "%s", err.text);
    cr_expect(eq(ptr, m[0], NULL));
    cr_expect(eq(ptr, m[1], NULL));
    cr_expect(eq(int, lb_mlp_fit(tasks, 2, m, NULL), LB_EIO));
    w->broken = 0;
    tasks[1].options.training.epochs = 2;
    for (size_t reads = 1; reads < 1000; reads = 3 * reads + 5) { /* scaling, learning, scoring */
        w->reads_left = reads;
        err = (lb_error){0};
        cr_expect(eq(int, lb_mlp_fit(tasks + 1, 1, m, &err), LB_EIO), "%zu reads", reads);
        cr_expect(strstr(err.text, "at its end") != NULL, "%s", err.text);
        cr_expect(eq(ptr, m[0], NULL));
    }
    w->reads_left = 0;
    lb_vec yhat = {lb_xcalloc(N, sizeof(double)), N};
    m[0] = fit(tasks[1]);
    w->reads_left = 1;
    cr_expect(eq(int, lb_mlp_predict(m[0], tasks[1].data.x, NULL, yhat, NULL), LB_EIO));
    lb_mlp_free(m[0]);
    free(yhat.data);
    free(w);
}

Test(mlp, predicts_only_rows_that_fit_it)
{
    world *w = make();
    lb_mlp_task t = task_of(w);
    t.options.training.epochs = 2;
    lb_mlp *m = fit(t);
    const size_t beyond = N;
    double yhat[N + 1];
    lb_source narrow = {.matrix = {w->x, N, P - 1, P}};
    cr_expect(eq(int, lb_mlp_predict(m, narrow, NULL, (lb_vec){yhat, N}, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_mlp_predict(m, t.data.x, &beyond, (lb_vec){yhat, 1}, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_mlp_predict(m, t.data.x, NULL, (lb_vec){yhat, N + 1}, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_mlp_predict(m, t.data.x, NULL, (lb_vec){yhat, 0}, NULL), LB_OK));
    lb_mlp_free(m);
    lb_mlp_free(NULL);
    free(w);
}
