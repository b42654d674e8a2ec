/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small problem runs on the thread that asks for it. */
#include "core/threads.h"
#include "linalg/toy.h"
#include "models/conditional.h"
#include "models/expected_noise.h"
#include "models/gate.h"
#include "models/logistic.h"
#include "models/nn_mixture.h"
#include "models/outoffold.h"
#include "models/pca.h"
#include "models/quality.h"
#include "models/scatter.h"
#include "models/windows.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <omp.h>

enum { N = 300, P = 8, K = 3 };

static toy t;
static int label[N];
static double room[N * 16], features[N * 2];
static size_t before, row[N];
static lb_error err;
static const double penalties[] = {0.1, 10.0};
static const lb_cvec grid = {penalties, 2};

static void start(void)
{
    omp_set_num_threads(4);
    before = threads_now();
    err = (lb_error){0};
    t = toy_make(N, P, 3);
    for (size_t i = 0; i < N; i++) {
        row[i] = i;
        label[i] = (int)(i % K);
        features[2 * i] = (double)t.x[i * P];
        features[2 * i + 1] = (double)t.x[i * P + 1];
    }
}

static void stop(void)
{
    toy_free(&t);
}

TestSuite(small_problem, .init = start, .fini = stop);

/* Of a call that was made just now. (What is expected in .fini fails no test.) */
static void expect_ok(lb_status st)
{
    cr_assert(eq(int, st, LB_OK), "%s", err.text);
    cr_expect(eq(sz, threads_now(), before), "a thread was started");
}

Test(small_problem, of_ridge_starts_no_thread)
{
    const lb_stream x = toy_stream(&t);
    const bool use[] = {true, false, false, true, true, true};
    lb_ridge *r[2];
    expect_ok(lb_ridge_fit_stream(&x, toy_y(&t), t.group, 3, 0.0, use, 2, grid,
                                  (lb_ridge_options){0}, r, &err));
    const lb_mat yhat[] = {lb_mat_of(room, N, 2), lb_mat_of(room + 2 * N, N, 2)};
    expect_ok(lb_ridge_predict((const lb_ridge *const *)r, 2, &x, yhat, &err));
    lb_ridge_free(r[0]);
    lb_ridge_free(r[1]);
}

Test(small_problem, of_wide_ridge_starts_no_thread)
{
    toy few = {.n = 5, .p = P, .x = t.x, .y = t.y};
    const lb_stream x = toy_stream(&few);
    const bool use = true;
    lb_gram *g = NULL;
    lb_ridge *r = NULL;
    expect_ok(lb_gram_accumulate(&x, toy_y(&few), NULL,
                                 (lb_gram_options){.groups = 1, .keep_rows = true}, &g, &err));
    expect_ok(lb_ridge_fit(g, &use, grid, &r, &err));
    cr_expect(eq(chr, r->method[0], 'd'));
    lb_ridge_free(r);
    lb_gram_free(g);
}

Test(small_problem, of_conditional_ridge_starts_no_thread)
{
    const lb_monomial powers[] = {{{0}}, {{1}}, {{2}}};
    const lb_conditional_member member = {"m", .conditions = {powers, 3, .plain = true}};
    const lb_conditional_rows rows = {toy_stream(&t), {features, N, 1, 2}};
    const lb_conditional_labelled train = {rows, toy_y(&t), label};
    lb_conditional *c = NULL;
    expect_ok(lb_conditional_run(&train, NULL, &rows, &member, 1,
                                 (lb_conditional_options){.alphas = grid, .folds = K}, &c, &err));
    lb_conditional_free(c);
}

Test(small_problem, of_ridge_on_expected_noise_starts_no_thread)
{
    const lb_stream x = toy_stream(&t), error = x;
    const bool use[] = {true, true, true};
    const double levels[] = {0.1, 0.5};
    double sums[K * P];
    lb_gram *g = NULL;
    lb_ridge *r[2];
    expect_ok(lb_error_squares(&error, t.group, lb_mat_of(sums, K, P), &err));
    expect_ok(lb_gram_accumulate(&x, toy_y(&t), t.group, (lb_gram_options){.groups = K}, &g, &err));
    expect_ok(lb_expected_noise_fit(g, (lb_cmat){sums, K, P, P}, use, 1, (lb_cvec){levels, 2}, grid,
                                    r, &err));
    lb_ridge_free(r[0]);
    lb_ridge_free(r[1]);
    lb_gram_free(g);
}

Test(small_problem, of_out_of_fold_ridge_starts_no_thread)
{
    const lb_stream x = toy_stream(&t);
    lb_outoffold *o = NULL;
    expect_ok(lb_outoffold_run(&x, toy_y(&t), label,
                               (lb_outoffold_options){.folds = K, .alphas = grid}, NULL, 0, &o,
                               &err));
    lb_outoffold_free(o);
}

Test(small_problem, of_principal_components_starts_no_thread)
{
    const lb_stream x = toy_stream(&t);
    lb_pca *m = NULL;
    expect_ok(lb_pca_fit_stream(&x, 2, &m, &err));
    expect_ok(lb_pca_scores(m, &x, lb_mat_of(room, N, 2), &err));
    lb_pca_free(m);
}

Test(small_problem, of_logistic_regression_starts_no_thread)
{
    lb_logistic_cv *cv = NULL;
    int fold[N];
    for (int i = 0; i < N; i++)
        fold[i] = i / K % 2;
    expect_ok(
        lb_logistic_fit_cv((lb_cmat){features, N, 2, 2}, label, K, grid, fold, 2, true, &cv, &err));
    lb_logistic_cv_free(cv);
}

Test(small_problem, of_error_features_and_scatter_starts_no_thread)
{
    const lb_cmatf error = {t.x, N, P, P};
    const lb_stream x = toy_stream(&t);
    size_t replaced;
    expect_ok(lb_quality_features(error, lb_mat_of(room, N, LB_QUALITY_FEATURES), &replaced, &err));
    expect_ok(lb_scatter(&x, &x, 2, (lb_vec){room, N}, &err));
}

Test(small_problem, of_line_features_starts_no_thread)
{
    enum { WIDE = 512, ROWS = 5 };
    static float flux[ROWS * WIDE];
    double wave[WIDE];
    for (size_t j = 0; j < WIDE; j++)
        wave[j] = 7100.0 + 3.42 * (double)j;
    for (size_t i = 0; i < ROWS * WIDE; i++)
        flux[i] = 1.0f;
    expect_ok(lb_windows_features(&lb_windows_four, (lb_window_options){0}, (lb_cvec){wave, WIDE},
                                  "air", (lb_cmatf){flux, ROWS, WIDE, WIDE},
                                  lb_mat_of(room, ROWS, 9), NULL, NULL, &err));
}

Test(small_problem, of_networks_starts_no_thread)
{
    lb_nn_mixture_task task = {.data = {.x.matrix = {t.x, N, P, P},
                                        .y = toy_y(&t),
                                        .train = row,
                                        .n_train = 40,
                                        .val = row + 40,
                                        .n_val = 20},
                               .gate = {features, N, 2, 2},
                               .options = LB_NN_MIXTURE_DEFAULT};
    task.options.expert.hidden[0] = task.options.expert.hidden[1] = 8;
    task.options.expert.training.epochs = 2;
    const lb_mlp_task one = {task.data, task.options.expert};
    lb_nn_mixture *m = NULL;
    lb_mlp *net = NULL;
    expect_ok(lb_nn_mixture_fit(&task, 1, &m, &err));
    expect_ok(lb_mlp_fit(&one, 1, &net, &err));
    lb_nn_mixture_free(m);
    lb_mlp_free(net);
}

Test(small_problem, of_a_gate_starts_no_thread_nor_does_any_other)
{
    lb_gate *g = NULL;
    lb_gate_curve curve = {0};
    const lb_gate_rows rows = {{features, N, 2, 2}, {features, N, 2, 2}, toy_y(&t)};
    lb_gate_options o = LB_GATE_DEFAULT;
    o.epochs = o.max_epochs = 3;
    expect_ok(lb_gate_new((lb_gate_shape){2, 8, 2}, 1, &g, &err));
    expect_ok(lb_gate_train(g, rows, rows, o, &curve, &err));
    lb_gate_curve_free(&curve);
    lb_gate_free(g);
}
