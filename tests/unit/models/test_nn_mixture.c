/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "models/nn_mixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { N = 500, P = 9, TRAIN = 400 };

/* y is one line where the gate's first feature is positive and another where it is not. */
typedef struct world {
    float x[N * P];
    double gate[N * 2], y[N];
    size_t rows[N];
    size_t reads_left; /* then every read from the stream fails; 0: none does */
} world;

static world *make(void)
{
    world *w = lb_xcalloc(1, sizeof *w);
    lb_rng r = lb_rng_make(8, 0);
    for (size_t i = 0; i < N; i++) {
        double z[P];
        for (size_t j = 0; j < P; j++) {
            z[j] = lb_rng_normal(&r);
            w->x[i * P + j] = (float)(1.0 + 0.03 * z[j]);
        }
        w->gate[2 * i] = 4500.0 + 600.0 * lb_rng_normal(&r);
        w->gate[2 * i + 1] = lb_rng_normal(&r);
        w->y[i] = 3.0 + (w->gate[2 * i] > 4500.0 ? z[1] + z[2] : 1.0 - z[1] - z[2]);
        w->y[i] += 0.05 * lb_rng_normal(&r);
        w->rows[i] = i;
    }
    return w;
}

static lb_status read_world(void *self, size_t first, lb_matf x, lb_error *err)
{
    world *w = self;
    if (w->reads_left && --w->reads_left == 0) {
        w->reads_left = 1; /* and so on */
        return LB_FAIL(err, LB_EIO, "the stream is at its end");
    }
    for (size_t i = 0; i < x.rows; i++)
        memcpy(x.data + i * x.stride, w->x + (first + i) * P, P * sizeof(float));
    return LB_OK;
}

/* Two linear experts. */
static lb_nn_mixture_task task_of(const world *w)
{
    lb_nn_mixture_task t = {{.x.matrix = {w->x, N, P, P},
                             .y = {w->y, N},
                             .train = w->rows,
                             .n_train = TRAIN,
                             .val = w->rows + TRAIN,
                             .n_val = N - TRAIN},
                            {w->gate, N, 2, 2},
                            LB_NN_MIXTURE_DEFAULT};
    t.options.experts = 2;
    t.options.gate_hidden = 0;
    t.options.expert.n_hidden = 0;
    t.options.expert.dropout = 0.0;
    t.options.expert.adam.rate = 2e-2;
    t.options.expert.training =
        (lb_training_options){.batch = 32, .epochs = 80, .patience = 80, .seed = 6};
    return t;
}

static lb_nn_mixture *fit(lb_nn_mixture_task t)
{
    lb_nn_mixture *m = NULL;
    lb_error err = {0};
    cr_assert(eq(int, lb_nn_mixture_fit(&t, 1, &m, &err), LB_OK), "%s", err.text);
    return m;
}

/* yhat, p and o of all rows. */
typedef struct answer {
    double yhat[N], p[N * 3], o[N * 3];
} answer;

static answer *predict(const lb_nn_mixture *m, const lb_nn_mixture_task *t)
{
    answer *a = lb_xcalloc(1, sizeof *a);
    const size_t k = lb_nn_mixture_experts(m);
    const lb_nn_prediction out = {{a->yhat, N}, lb_mat_of(a->p, N, k), lb_mat_of(a->o, N, k)};
    lb_error err = {0};
    cr_assert(eq(int, lb_nn_mixture_predict(m, t->data.x, t->gate, NULL, out, &err), LB_OK), "%s",
              err.text);
    return a;
}

Test(nn_mixture, slopes_are_central_differences)
{
    enum { ROWS = 6, K = 3 };
    double y[ROWS], o[ROWS * K], z[ROWS * K], p[ROWS * K], d_o[ROWS * K], d_z[ROWS * K];
    double unused_o[ROWS * K], unused_z[ROWS * K], squares;
    lb_rng r = lb_rng_make(2, 0);
    for (size_t i = 0; i < ROWS; i++)
        y[i] = lb_rng_normal(&r);
    for (size_t i = 0; i < ROWS * K; i++)
        o[i] = lb_rng_normal(&r), z[i] = lb_rng_normal(&r);
#define LOSS(by_o, by_z)                                                                           \
    (memcpy(p, z, sizeof p),                                                                       \
     lb_nn_mixture_loss((lb_cvec){y, ROWS}, (lb_cmat){o, ROWS, K, K}, lb_mat_of(p, ROWS, K), 0.7,  \
                        lb_mat_of(by_o, ROWS, K), lb_mat_of(by_z, ROWS, K), &squares))
    const double loss = LOSS(d_o, d_z), h = 1e-5;
    double entropy = 0.0, by_hand = 0.0;
    for (size_t j = 0; j < K; j++) {
        double mean = 0.0;
        for (size_t i = 0; i < ROWS; i++)
            mean += p[i * K + j] / ROWS;
        entropy -= mean * log(mean);
    }
    for (size_t i = 0; i < ROWS; i++) {
        double yhat = 0.0;
        for (size_t j = 0; j < K; j++)
            yhat += p[i * K + j] * o[i * K + j];
        by_hand += (yhat - y[i]) * (yhat - y[i]);
    }
    cr_expect(epsilon_eq(dbl, squares, by_hand, 1e-12));
    cr_expect(epsilon_eq(dbl, loss, by_hand / ROWS - 0.7 * entropy, 1e-12));
    for (int which = 0; which < 2; which++) {
        double *at = which ? z : o;
        const double *slope = which ? d_z : d_o;
        for (size_t i = 0; i < ROWS * K; i++) {
            const double kept = at[i];
            at[i] = kept + h;
            const double above = LOSS(unused_o, unused_z);
            at[i] = kept - h;
            const double below = LOSS(unused_o, unused_z);
            at[i] = kept;
            cr_expect(epsilon_eq(dbl, slope[i], (above - below) / (2.0 * h), 1e-9));
        }
    }
    for (size_t i = 0; i < ROWS; i++) /* an expert that gets nothing */
        z[i * K] = -2000.0;
    cr_expect(isfinite(LOSS(d_o, d_z)));
    for (size_t i = 0; i < ROWS * K; i++)
        cr_expect(isfinite(d_z[i]));
#undef LOSS
}

Test(nn_mixture, two_lines_and_a_gate_find_the_two_regimes)
{
    world *w = make();
    lb_nn_mixture_task t = task_of(w);
    lb_nn_mixture *m = fit(t);
    lb_mlp *line = NULL;
    const lb_mlp_task single = {t.data, t.options.expert};
    const lb_training *r = lb_nn_mixture_training(m);
    cr_assert(eq(int, lb_mlp_fit(&single, 1, &line, NULL), LB_OK));
    cr_expect(gt(dbl, lb_mlp_training(line)->best_loss, 0.7 * r->val_variance));
    cr_expect(lt(dbl, r->best_loss, 0.15 * r->val_variance), "%g of %g", r->best_loss,
              r->val_variance);
    cr_expect(not(r->undertrained));
    lb_mlp_free(line);
    lb_nn_mixture_free(m);
    free(w);
}

Test(nn_mixture, weights_are_probabilities_and_mix_the_experts)
{
    world *w = make();
    lb_nn_mixture_task t = task_of(w);
    t.options = LB_NN_MIXTURE_DEFAULT;
    t.options.expert.hidden[0] = t.options.expert.hidden[1] = 6;
    t.options.expert.training.epochs = 4;
    lb_nn_mixture *m = fit(t);
    answer *a = predict(m, &t);
    double loss = 0.0, only[2];
    for (size_t i = 0; i < N; i++) {
        double sum = 0.0, mixed = 0.0;
        for (size_t k = 0; k < 3; k++) {
            cr_expect(ge(dbl, a->p[i * 3 + k], 0.0));
            sum += a->p[i * 3 + k];
            mixed += a->p[i * 3 + k] * a->o[i * 3 + k];
        }
        cr_expect(epsilon_eq(dbl, sum, 1.0, 1e-12));
        cr_expect(epsilon_eq(dbl, mixed, a->yhat[i], 1e-12));
        if (i >= TRAIN)
            loss += pow(a->yhat[i] - w->y[i], 2.0) / (N - TRAIN);
    }
    cr_expect(epsilon_eq(dbl, loss, lb_nn_mixture_training(m)->best_loss, 1e-12));
    const size_t rows[] = {410, 3};
    cr_expect(eq(int,
                 lb_nn_mixture_predict(m, t.data.x, t.gate, rows,
                                       (lb_nn_prediction){.yhat = {only, 2}}, NULL),
                 LB_OK));
    cr_expect(eq(dbl, only[0], a->yhat[410]));
    cr_expect(eq(dbl, only[1], a->yhat[3]));
    lb_nn_mixture_free(m);
    free(a), free(w);
}

Test(nn_mixture, of_one_expert_is_the_perceptron_bit_for_bit)
{
    world *w = make();
    lb_nn_mixture_task t = task_of(w);
    t.options.experts = 1;
    t.options.balance = 0.3;
    t.options.expert = (lb_mlp_options){{10, 7}, 2, 0.2, LB_ADAM_DEFAULT, {50, 6, 6, 11}};
    const lb_mlp_task single = {t.data, t.options.expert};
    double yhat[N];
    lb_mlp *mlp = NULL;
    lb_nn_mixture *m = fit(t);
    answer *a = predict(m, &t);
    cr_assert(eq(int, lb_mlp_fit(&single, 1, &mlp, NULL), LB_OK));
    cr_assert(eq(int, lb_mlp_predict(mlp, t.data.x, NULL, (lb_vec){yhat, N}, NULL), LB_OK));
    cr_expect(eq(int, memcmp(yhat, a->yhat, sizeof yhat), 0));
    lb_mlp_free(mlp);
    lb_nn_mixture_free(m);
    free(a), free(w);
}

/* Entropy of the mean weights over all rows, in nats. */
static double entropy_of(lb_nn_mixture_task t, double balance)
{
    t.options.balance = balance;
    lb_nn_mixture *m = fit(t);
    answer *a = predict(m, &t);
    const size_t k = t.options.experts;
    double entropy = 0.0;
    for (size_t j = 0; j < k; j++) {
        double mean = 0.0;
        for (size_t i = 0; i < N; i++)
            mean += a->p[i * k + j] / N;
        entropy -= mean * log(mean);
    }
    lb_nn_mixture_free(m);
    free(a);
    return entropy;
}

Test(nn_mixture, entropy_term_spreads_the_rows_over_the_experts)
{
    world *w = make();
    lb_nn_mixture_task t = task_of(w);
    t.options.experts = 3;
    for (size_t i = 0; i < N; i++) /* one regime: nothing else asks for several experts */
        w->y[i] = (double)w->x[i * P + 1] + (w->gate[2 * i] > 5400.0 ? 0.3 : 0.0);
    const double without = entropy_of(t, 0.0), with = entropy_of(t, 10.0);
    cr_expect(gt(dbl, with, without + 0.2), "%g, %g", with, without);
    cr_expect(gt(dbl, with, 0.95 * log(3.0)), "%g", with);
    free(w);
}

Test(nn_mixture, starts_from_experts_that_were_trained_on_their_own_rows)
{
    world *w = make();
    lb_nn_mixture_task t = task_of(w);
    t.options.expert = (lb_mlp_options){{8, 5}, 2, 0.0, LB_ADAM_DEFAULT, {50, 5, 5, 11}};
    for (size_t i = 0; i < N; i++)
        w->x[i * P + 5] = 1.5f; /* constant to every scaler */
    lb_mlp_task own[2] = {{t.data, t.options.expert}, {t.data, t.options.expert}};
    lb_mlp *expert[2] = {NULL};
    own[0].data.n_train = 150;
    own[1].data.train += 150;
    own[1].data.n_train -= 150;
    cr_assert(eq(int, lb_mlp_fit(own, 2, expert, NULL), LB_OK));
    t.options.start = (const lb_mlp *const[]){expert[0], expert[1]};
    t.options.expert.training.epochs = 1;
    t.options.expert.adam.rate = 1e-12; /* as good as no step */
    lb_nn_mixture *m = fit(t);
    answer *a = predict(m, &t);
    for (size_t k = 0; k < 2; k++) {
        double yhat[N];
        cr_assert(
            eq(int, lb_mlp_predict(expert[k], t.data.x, NULL, (lb_vec){yhat, N}, NULL), LB_OK));
        for (size_t i = 0; i < N; i++)
            cr_expect(epsilon_eq(dbl, a->o[i * 2 + k], yhat[i], 1e-5));
    }
    t.options.expert.hidden[1] = 6;
    lb_nn_mixture *none = NULL;
    cr_expect(eq(int, lb_nn_mixture_fit(&t, 1, &none, NULL), LB_ESHAPE));
    lb_mlp_free(expert[0]);
    lb_mlp_free(expert[1]);
    lb_nn_mixture_free(m);
    free(a), free(w);
}

Test(nn_mixture, threads_and_company_do_not_change_a_bit)
{
    world *w = make();
    const int before = omp_get_max_threads();
    lb_nn_mixture_task t = task_of(w);
    t.options.expert = (lb_mlp_options){{300, 40}, 2, 0.2, LB_ADAM_DEFAULT, {200, 2, 2, 11}};
    const lb_nn_mixture_task tasks[2] = {t, t};
    omp_set_num_threads(1);
    lb_nn_mixture *alone = fit(t), *together[2];
    omp_set_num_threads(2);
    const size_t threads = threads_now();
    lb_nn_mixture *shared = fit(t);
    cr_expect(gt(sz, threads_now(), threads), "two threads were at work");
    cr_assert(eq(int, lb_nn_mixture_fit(tasks, 2, together, NULL), LB_OK));
    omp_set_num_threads(before);
    answer *a = predict(alone, &t), *b = predict(shared, &t), *c = predict(together[1], &t);
    cr_expect(eq(int, memcmp(a, b, sizeof *a), 0), "on two threads");
    cr_expect(eq(int, memcmp(a, c, sizeof *a), 0), "in company");
    lb_nn_mixture_free(alone), lb_nn_mixture_free(shared);
    lb_nn_mixture_free(together[0]), lb_nn_mixture_free(together[1]);
    free(a), free(b), free(c), free(w);
}

Test(nn_mixture, says_which_argument_is_wrong)
{
    world *w = make();
    lb_nn_mixture_task t;
    lb_nn_mixture *m = NULL;
#define REFUSES(change, code, words)                                                               \
    do {                                                                                           \
        lb_error err = {0};                                                                        \
        t = task_of(w);                                                                            \
        change;                                                                                    \
        cr_expect(eq(int, lb_nn_mixture_fit(&t, 1, &m, &err), code), "%s", err.text);              \
        cr_expect(strstr(err.text, words) != NULL, "'%s' does not say '%s'", err.text, words);     \
        cr_expect(eq(ptr, m, NULL));                                                               \
    } while (0)
    REFUSES(t.options.experts = 0, LB_EINVAL, "0 experts");
    REFUSES(t.options.experts = LB_NN_EXPERTS_MAX + 1, LB_EINVAL, "9 experts");
    REFUSES(t.options.balance = -1.0, LB_EINVAL, "balance");
    REFUSES(t.options.balance = (double)NAN, LB_EINVAL, "balance");
    REFUSES(t.options.balance = (double)INFINITY, LB_EINVAL, "balance");
    REFUSES(t.options.expert.dropout = 1.0, LB_EINVAL, "dropout");
    REFUSES(t.options.expert.adam.rate = 0.0, LB_EINVAL, "learning rate");
    REFUSES(t.gate.cols = 0, LB_EINVAL, "no gate feature");
    REFUSES(t.gate.rows = N - 1, LB_ESHAPE, "gate features 499");
    REFUSES(t.data.n_val = 0, LB_EINVAL, "no validation row");
    REFUSES(t.data.n_train = 0, LB_EINVAL, "no training row");
    REFUSES(t.data.y.n = N - 1, LB_ESHAPE, "y has 499");
    REFUSES(t.options.expert.adam.rate = 1e200, LB_ENUMERIC, "lower the learning rate");
    REFUSES(w->gate[2 * 17] = NAN, LB_ENUMERIC, "gate features: row 17, column 0");
    w->gate[2 * 17] = 4000.0;
    REFUSES(w->x[17 * P + 4] = NAN, LB_ENUMERIC, "row 17, column 4");
    w->x[17 * P + 4] = 1.0f;
#undef REFUSES
    lb_nn_mixture_task two[2] = {task_of(w), task_of(w)};
    lb_nn_mixture *out[2];
    lb_error err = {0};
    two[1].options.experts = 0;
    cr_expect(eq(int, lb_nn_mixture_fit(two, 2, out, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "mixture 1: 0 experts") != NULL, "%s", err.text);
    cr_expect(eq(ptr, out[0], NULL));
    free(w);
}

Test(nn_mixture, passes_on_what_the_stream_says)
{
    world *w = make();
    const lb_stream stream = {N, P, read_world, w, false};
    lb_nn_mixture_task t = task_of(w);
    t.options.expert.training.epochs = 2;
    lb_nn_mixture *in_memory = fit(t), *m = NULL;
    answer *a = predict(in_memory, &t);
    t.data.x = (lb_source){.stream = &stream};
    for (size_t reads = 1; reads < 900; reads = 2 * reads + 7) { /* scaling, learning, scoring */
        lb_error err = {0};
        w->reads_left = reads;
        cr_expect(eq(int, lb_nn_mixture_fit(&t, 1, &m, &err), LB_EIO), "%zu reads", reads);
        cr_expect(strstr(err.text, "at its end") != NULL, "%s", err.text);
        cr_expect(eq(ptr, m, NULL));
    }
    w->reads_left = 0;
    m = fit(t);
    answer *b = predict(m, &t);
    cr_expect(eq(int, memcmp(a, b, sizeof *a), 0), "from a stream");
    w->reads_left = 1;
    cr_expect(eq(int,
                 lb_nn_mixture_predict(m, t.data.x, t.gate, NULL,
                                       (lb_nn_prediction){.yhat = {a->yhat, N}}, NULL),
                 LB_EIO));
    lb_nn_mixture_free(in_memory), lb_nn_mixture_free(m);
    free(a), free(b), free(w);
}

Test(nn_mixture, one_row_one_label_and_constant_inputs_have_an_answer)
{
    world *w = make();
    lb_nn_mixture_task t = task_of(w);
    t.options.expert.training.epochs = 20;
    t.options.balance = 0.1;
    t.data.n_train = 1; /* also: more columns than rows */
    lb_nn_mixture *m = fit(t);
    answer *a = predict(m, &t);
    cr_expect(epsilon_eq(dbl, a->yhat[w->rows[0]], w->y[w->rows[0]], 1e-6));
    lb_nn_mixture_free(m);
    free(a);

    t = task_of(w);
    t.options.expert.training.epochs = 20;
    t.data.n_val = 1; /* no variance: nothing can beat a constant there */
    m = fit(t);
    cr_expect(eq(dbl, lb_nn_mixture_training(m)->val_variance, 0.0));
    cr_expect(lb_nn_mixture_training(m)->undertrained);
    lb_nn_mixture_free(m);

    t = task_of(w);
    for (size_t i = 0; i < N; i++) { /* one label; a gate that knows nothing; a repeated column */
        w->y[i] = 2.5;
        w->gate[2 * i] = w->gate[2 * i + 1] = 7.0;
        w->x[i * P + 1] = w->x[i * P];
    }
    m = fit(t);
    a = predict(m, &t);
    for (size_t i = 0; i < N; i++) {
        cr_expect(epsilon_eq(dbl, a->yhat[i], 2.5, 0.2));
        cr_expect(eq(dbl, a->p[2 * i], a->p[0]), "constant features tell no rows apart");
    }
    lb_nn_mixture_free(m);
    free(a), free(w);
}

Test(nn_mixture, predicts_only_what_fits_it)
{
    world *w = make();
    lb_nn_mixture_task t = task_of(w);
    t.options.expert.training.epochs = 1;
    lb_nn_mixture *m = fit(t);
    double yhat[N], p[N * 2];
    const size_t beyond = N;
    lb_source narrow = {.matrix = {w->x, N, P - 1, P}};
    const lb_cmat short_gate = {w->gate, N - 1, 2, 2}, thin_gate = {w->gate, N, 1, 2};
    const lb_nn_prediction out = {.yhat = {yhat, N}};
    const lb_nn_prediction uneven = {.yhat = {yhat, N}, .weights = lb_mat_of(p, N - 1, 2)};
    const lb_nn_prediction wide = {.weights = lb_mat_of(p, N / 2, 3)};
    cr_expect(eq(int, lb_nn_mixture_predict(m, narrow, t.gate, NULL, out, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_nn_mixture_predict(m, t.data.x, short_gate, NULL, out, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_nn_mixture_predict(m, t.data.x, thin_gate, NULL, out, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_nn_mixture_predict(m, t.data.x, t.gate, NULL, uneven, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_nn_mixture_predict(m, t.data.x, t.gate, NULL, wide, NULL), LB_ESHAPE));
    cr_expect(eq(int,
                 lb_nn_mixture_predict(m, t.data.x, t.gate, &beyond,
                                       (lb_nn_prediction){.yhat = {yhat, 1}}, NULL),
                 LB_EINVAL));
    w->gate[3] = INFINITY;
    cr_expect(eq(int, lb_nn_mixture_predict(m, t.data.x, t.gate, NULL, out, NULL), LB_ENUMERIC));
    lb_nn_mixture_free(m);
    lb_nn_mixture_free(NULL);
    free(w);
}
