/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/threads.h"
#include "linalg/toy.h"
#include "models/folds.h"
#include "models/outoffold.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <omp.h>

enum { N = 180, P = 24, K = 4 };

static const double grid_values[] = {1e-6, 1e-4, 1e-2, 1.0, 1e2};
static const lb_cvec grid = {grid_values, 5};

static toy train, test;
static int fold[N];
static lb_error err;

static void start(void)
{
    err = (lb_error){0};
    train = toy_make(N, P, 1);
    test = toy_make(50, P, 2);
    lb_folds_make((lb_folds){.k = K, .seed = 42}, N, fold, &err);
}

static void stop(void)
{
    toy_free(&train);
    toy_free(&test);
}

TestSuite(outoffold, .init = start, .fini = stop);

static lb_outoffold_options options(void)
{
    return (lb_outoffold_options){.folds = K, .alphas = grid};
}

static lb_status run(lb_outoffold_options o, lb_outoffold **out)
{
    const lb_stream x = toy_stream(&train);
    const lb_known sets[] = {{toy_stream(&test), toy_y(&test)}, {toy_stream(&test), {NULL, 0}}};
    return lb_outoffold_run(&x, toy_y(&train), fold, o, sets, 2, out, &err);
}

static lb_outoffold *good(lb_outoffold_options o)
{
    lb_outoffold *out = NULL;
    cr_assert(eq(int, run(o, &out), LB_OK), "%s", err.text);
    return out;
}

/* The same by another way: fit on a copy of the rows outside the fold (f = K: on all that are in a
 * fold). */
static lb_ridge *fit_without(int f, double alpha, bool standardise)
{
    int *group = lb_xcalloc(N, sizeof *group);
    lb_gram *g = NULL;
    lb_ridge *r = NULL;
    const bool use = true;
    const lb_stream x = toy_stream(&train);
    for (size_t i = 0; i < N; i++)
        group[i] = fold[i] < 0 || fold[i] == f ? -1 : 0;
    cr_assert(lb_gram_accumulate(&x, toy_y(&train), group, (lb_gram_options){.groups = 1}, &g,
                                 &err) == LB_OK);
    cr_assert(lb_ridge_fit_many(g, &use, 1, (lb_cvec){&alpha, 1}, (lb_ridge_options){standardise},
                                &r, &err) == LB_OK);
    lb_gram_free(g);
    free(group);
    return r;
}

static double predicted(const lb_ridge *r, const float *x)
{
    double y = r->b[0];
    for (size_t j = 0; j < P; j++)
        y += (double)x[j] * r->w.data[j];
    return y;
}

/* Pooled out-of-fold predictions at one penalty. */
static void by_hand(double alpha, bool standardise, double *yhat)
{
    for (int f = 0; f < K; f++) {
        lb_ridge *r = fit_without(f, alpha, standardise);
        for (size_t i = 0; i < N; i++)
            if (fold[i] == f)
                yhat[i] = predicted(r, train.x + i * P);
        lb_ridge_free(r);
    }
}

static double r2_by_hand(const double *yhat, double *rmse)
{
    double mean = 0.0, n = 0.0, total = 0.0, left = 0.0;
    for (size_t i = 0; i < N; i++)
        if (fold[i] >= 0) {
            mean += train.y[i];
            n += 1.0;
        }
    for (size_t i = 0; i < N; i++)
        if (fold[i] >= 0) {
            total += pow(train.y[i] - mean / n, 2.0);
            left += pow(train.y[i] - yhat[i], 2.0);
        }
    *rmse = sqrt(left / n);
    return 1.0 - left / total;
}

Test(outoffold, each_row_is_predicted_by_the_model_that_has_not_seen_its_fold)
{
    double want[N];
    for (int standardise = 0; standardise < 2; standardise++) {
        lb_outoffold_options o = options();
        o.standardise = standardise;
        lb_outoffold *out = good(o);
        const lb_outoffold_result r = lb_outoffold_get(out);
        by_hand(r.chosen.alpha, standardise, want);
        cr_expect(eq(sz, r.train.yhat.n, N));
        cr_expect(lt(dbl, distance(r.train.yhat.data, want, N), 1e-10));
        lb_outoffold_free(out);
    }
}

Test(outoffold, the_penalty_is_the_best_of_the_pooled_predictions)
{
    lb_outoffold *out = good(options());
    const lb_outoffold_result r = lb_outoffold_get(out);
    double yhat[N], rmse, best = -INFINITY;
    for (size_t k = 0; k < grid.n; k++) {
        by_hand(grid.data[k], false, yhat);
        const double r2 = r2_by_hand(yhat, &rmse);
        cr_expect(epsilon_eq(dbl, r.r2.data[k], r2, 1e-10));
        best = fmax(best, r2);
    }
    cr_expect(epsilon_eq(dbl, r.chosen.r2, best, 1e-10));
    cr_expect(eq(sz, r.n_grid, grid.n));
    cr_expect(eq(sz, r.alphas.n, grid.n));
    cr_expect(eq(int, r.chosen.edge, 0), "chosen inside: this toy must not sit on an end");
    by_hand(r.chosen.alpha, false, yhat);
    cr_expect(epsilon_eq(dbl, r.train.r2, r2_by_hand(yhat, &rmse), 1e-10));
    cr_expect(epsilon_eq(dbl, r.train.rmse, rmse, 1e-10));
    lb_outoffold_free(out);
}

Test(outoffold, other_sets_are_predicted_by_the_model_of_all_folds)
{
    lb_outoffold *out = good(options());
    const lb_outoffold_result r = lb_outoffold_get(out);
    lb_ridge *full = fit_without(K, r.chosen.alpha, false);
    double sum = 0.0;
    for (size_t i = 0; i < test.n; i++) {
        const double y = predicted(full, test.x + i * P);
        cr_expect(epsilon_eq(dbl, r.sets[0].yhat.data[i], y, 1e-10));
        cr_expect(eq(dbl, r.sets[1].yhat.data[i], r.sets[0].yhat.data[i]));
        sum += pow(test.y[i] - y, 2.0);
    }
    cr_expect(epsilon_eq(dbl, r.sets[0].rmse, sqrt(sum / (double)test.n), 1e-10));
    cr_expect(isnan(r.sets[1].rmse) && isnan(r.sets[1].r2), "without labels no scores");
    cr_expect(eq(sz, r.full->n_rows, N));
    cr_expect(eq(sz, r.full->n_alpha, 1));
    lb_ridge_free(full);
    lb_outoffold_free(out);
}

Test(outoffold, predictions_out_of_fold_are_worse_than_those_in_sample)
{
    lb_outoffold *out = good(options());
    const lb_outoffold_result r = lb_outoffold_get(out);
    double left = 0.0;
    for (size_t i = 0; i < N; i++)
        left += pow(train.y[i] - predicted(r.full, train.x + i * P), 2.0);
    cr_expect(gt(dbl, r.train.rmse, sqrt(left / N)));
    lb_outoffold_free(out);
}

Test(outoffold, rows_outside_the_folds_take_the_full_fit_and_count_for_nothing)
{
    for (size_t i = 0; i < N; i += 6)
        fold[i] = -1;
    train.y[6] = NAN; /* a label nobody asks for */
    lb_outoffold *out = good(options());
    const lb_outoffold_result r = lb_outoffold_get(out);
    double yhat[N], rmse;
    by_hand(r.chosen.alpha, false, yhat);
    cr_expect(epsilon_eq(dbl, r.train.r2, r2_by_hand(yhat, &rmse), 1e-10));
    for (size_t i = 0; i < N; i += 6)
        cr_expect(epsilon_eq(dbl, r.train.yhat.data[i], predicted(r.full, train.x + i * P), 1e-10));
    cr_expect(eq(sz, r.full->n_rows, N - N / 6));
    lb_outoffold_free(out);
}

Test(outoffold, an_optimum_at_the_end_of_the_grid_extends_it)
{
    const double low[] = {1e-6, 1e-5}, high[] = {1e4, 1e5};
    lb_outoffold_options o = options();
    o.extend_decades = 2;
    o.alphas = (lb_cvec){low, 2};
    lb_outoffold *out = good(o);
    lb_outoffold_result r = lb_outoffold_get(out);
    cr_expect(eq(int, r.on_grid.edge, 1));
    cr_expect(eq(sz, r.alphas.n, 4));
    cr_expect(eq(sz, r.n_grid, 2));
    cr_expect(epsilon_eq(dbl, r.alphas.data[3], 1e-3, 1e-18));
    cr_expect(eq(int, r.chosen.edge, 1));
    cr_expect(eq(dbl, r.chosen.alpha, r.alphas.data[r.chosen.index]));
    cr_expect(eq(dbl, r.chosen.r2, r.r2.data[r.chosen.index]));
    cr_expect(eq(dbl, r.train.r2, r.chosen.r2));
    lb_outoffold_free(out);
    o.alphas = (lb_cvec){high, 2};
    out = good(o);
    r = lb_outoffold_get(out);
    cr_expect(eq(int, r.on_grid.edge, -1));
    cr_expect(epsilon_eq(dbl, r.alphas.data[2], 1e2, 1e-10));
    cr_expect(epsilon_eq(dbl, r.alphas.data[3], 1e3, 1e-9));
    cr_expect(epsilon_eq(dbl, r.chosen.alpha, 1e2, 1e-10), "smaller is better here");
    lb_outoffold_free(out);
    o.extend_decades = 0;
    out = good(o);
    cr_expect(eq(sz, lb_outoffold_get(out).alphas.n, 2));
    lb_outoffold_free(out);
}

Test(outoffold, more_columns_than_rows_and_twin_columns_are_fine)
{
    toy_free(&train);
    train = toy_make(N, P, 7);
    for (size_t i = 0; i < N; i++) {
        fold[i] = i < 16 ? (int)i % K : -1; /* 12 rows to fit 24 columns on */
        train.x[i * P + 3] = train.x[i * P + 2];
        train.x[i * P + 5] = 1.0f;
    }
    lb_outoffold *out = good(options());
    const lb_outoffold_result r = lb_outoffold_get(out);
    cr_expect(isfinite(r.train.r2) && isfinite(r.train.rmse));
    cr_expect(epsilon_eq(dbl, r.full->w.data[2], r.full->w.data[3], 1e-9), "twins share");
    cr_expect(epsilon_eq(dbl, r.full->w.data[5], 0.0, 1e-12), "a constant says nothing");
    lb_outoffold_free(out);
}

Test(outoffold, one_and_two_threads_give_the_same_bits)
{
    enum { MANY = 700, WIDE = 60 };
    static int folds[MANY];
    toy t = toy_make(MANY, WIDE, 5);
    const lb_stream x = toy_stream(&t);
    const lb_known set = {x, toy_y(&t)};
    const size_t before = threads_now();
    lb_outoffold *out[2];
    cr_assert(eq(int, lb_folds_make((lb_folds){.k = K, .seed = 42}, MANY, folds, &err), LB_OK));
    for (int k = 0; k < 2; k++) {
        omp_set_num_threads(k + 1);
        cr_assert(eq(int, lb_outoffold_run(&x, toy_y(&t), folds, options(), &set, 1, &out[k], &err),
                     LB_OK),
                  "%s", err.text);
    }
    cr_expect(gt(sz, threads_now(), before), "two threads were at work");
    const lb_outoffold_result a = lb_outoffold_get(out[0]), b = lb_outoffold_get(out[1]);
    cr_expect(memcmp(a.train.yhat.data, b.train.yhat.data, MANY * sizeof(double)) == 0);
    cr_expect(memcmp(a.sets[0].yhat.data, b.sets[0].yhat.data, MANY * sizeof(double)) == 0);
    lb_outoffold_free(out[0]);
    lb_outoffold_free(out[1]);
    toy_free(&t);
}

/* --- refusals -----------------------------------------------------------------------------------
 */

static void expect(lb_outoffold_options o, lb_status status, const char *words)
{
    lb_outoffold *out = NULL;
    err = (lb_error){0};
    cr_expect(eq(int, run(o, &out), status));
    cr_expect(strstr(err.text, words) != NULL, "'%s' in: %s", words, err.text);
    cr_expect(out == NULL);
    lb_outoffold_free(out);
}

Test(outoffold, says_what_is_wrong_with_the_folds)
{
    lb_outoffold_options o = options();
    o.folds = 1;
    expect(o, LB_EINVAL, "1 folds");
    o.folds = K + 1;
    expect(o, LB_EINVAL, "fold 4 of 5 holds no row");
    o.folds = K - 1;
    expect(o, LB_EINVAL, "group 3");
}

Test(outoffold, says_what_is_wrong_with_the_penalties)
{
    static const double zero[] = {0.0, 1.0}, down[] = {2.0, 1.0}, nan[] = {NAN}, inf[] = {INFINITY};
    lb_outoffold_options o = options();
    o.alphas = (lb_cvec){zero, 2};
    expect(o, LB_EINVAL, "alpha 0 is 0");
    o.alphas = (lb_cvec){down, 2};
    expect(o, LB_EINVAL, "alpha 1 is 1");
    o.alphas = (lb_cvec){nan, 1};
    expect(o, LB_EINVAL, "alpha 0 is nan");
    o.alphas = (lb_cvec){inf, 1};
    expect(o, LB_EINVAL, "inf");
    o.alphas = (lb_cvec){zero, 0};
    expect(o, LB_EINVAL, "no alpha");
}

Test(outoffold, says_what_is_wrong_with_the_rows)
{
    const lb_stream x = toy_stream(&train);
    lb_outoffold *out = NULL;
    lb_stream narrow = toy_stream(&test);
    narrow.cols--;
    const lb_known sets[] = {{toy_stream(&test), toy_y(&test)}, {narrow, {NULL, 0}}},
                   few[] = {{toy_stream(&test), {test.y, 3}}};
    cr_expect(eq(int, lb_outoffold_run(&x, toy_y(&train), fold, options(), sets, 2, &out, &err),
                 LB_ESHAPE));
    cr_expect(strstr(err.text, "set 1 is 50x23") != NULL, "%s", err.text);
    cr_expect(eq(int, lb_outoffold_run(&x, toy_y(&train), fold, options(), few, 1, &out, NULL),
                 LB_ESHAPE));
    cr_expect(eq(
        int, lb_outoffold_run(&x, (lb_cvec){train.y, N - 1}, fold, options(), NULL, 0, &out, NULL),
        LB_ESHAPE));
    const double label = test.y[3];
    test.y[3] = NAN;
    expect(options(), LB_ENUMERIC, "row 3 of set 0");
    test.y[3] = label;
    train.x[40 * P + 3] = NAN;
    expect(options(), LB_ENUMERIC, "row 40, column 3");
    train.x[40 * P + 3] = 1.0f;
    test.x[7 * P] = INFINITY;
    expect(options(), LB_ENUMERIC, "row 7");
    test.x[7 * P] = 1.0f;
    for (size_t i = 0; i < N; i++)
        train.y[i] *= 1e200;
    expect(options(), LB_ENUMERIC, "R2");
    for (size_t i = 0; i < N; i++)
        train.y[i] /= 1e200;
    test.broken_from = 7;
    expect(options(), LB_EIO, "on fire");
    test.broken_from = 0;
    train.broken_from = 100;
    expect(options(), LB_EIO, "on fire");
}

/* The Gram pass, the predictions out of fold, those of the penalties beyond the grid. */
Test(outoffold, whichever_read_fails_its_message_is_passed_on)
{
    static const double low[] = {1e-9, 1e-8};
    lb_outoffold_options o = options();
    lb_outoffold *out = NULL;
    size_t most = 0;
    lb_status st;
    o.alphas = (lb_cvec){low, 2};
    o.extend_decades = 2;
    do {
        train.reads = 0;
        train.most_reads = ++most;
        err = (lb_error){0};
        st = run(o, &out);
        cr_expect(st == LB_OK || (st == LB_EIO && strstr(err.text, "on fire") && !out), "%s",
                  err.text);
    } while (st != LB_OK && most < 50);
    cr_expect(eq(int, st, LB_OK));
    cr_expect(gt(sz, most, 3));
    lb_outoffold_free(out);
}

Test(outoffold, a_label_that_does_not_vary_has_no_penalty)
{
    for (size_t i = 0; i < N; i++)
        train.y[i] = 2.17;
    expect(options(), LB_EINVAL, "2.17 in every row");
}
