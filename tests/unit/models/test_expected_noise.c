/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/threads.h"
#include "linalg/toy.h"
#include "models/expected_noise.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <omp.h>

enum { GROUPS = 3 };
static const bool all_groups[GROUPS] = {true, true, true};
static const bool last_groups[GROUPS] = {false, true, true};
static const double few[] = {0.01, 1.0, 100.0};
static const lb_cvec grid = {few, 3};
enum { WIDE = 1024 }; /* columns from which on penalties share a factor */

/* Errors of a toy's pixels, of the size of its spread. */
static toy errors_of(const toy *t, uint64_t seed)
{
    toy e = toy_make(t->n, t->p, seed);
    lb_rng r = lb_rng_make(seed, 3);
    for (size_t k = 0; k < t->n * t->p; k++)
        e.x[k] = (float)(0.02 + 0.06 * lb_rng_uniform(&r));
    return e;
}

static lb_gram *gram(toy *t, const int *group)
{
    lb_gram *g = NULL;
    lb_error err = {0};
    const lb_stream s = toy_stream(t);
    cr_assert(
        eq(int,
           lb_gram_accumulate(&s, toy_y(t), group, (lb_gram_options){.groups = GROUPS}, &g, &err),
           LB_OK),
        "%s", err.text);
    return g;
}

static lb_mat squares(toy *e, const int *group)
{
    const lb_mat sums = lb_mat_new(GROUPS, e->p);
    const lb_stream s = toy_stream(e);
    cr_assert(eq(int, lb_error_squares(&s, group, sums, NULL), LB_OK));
    return sums;
}

/* One model on the groups of @p use at one level. */
static lb_ridge *fit(toy *t, toy *e, const bool *use, double level, lb_cvec alphas)
{
    lb_gram *g = gram(t, t->group);
    const lb_mat sums = squares(e, t->group);
    lb_ridge *r = NULL;
    lb_error err = {0};
    cr_assert(eq(int,
                 lb_expected_noise_fit(g, lb_mat_const(sums), use, 1, (lb_cvec){&level, 1}, alphas,
                                       &r, &err),
                 LB_OK),
              "%s", err.text);
    lb_gram_free(g);
    free(sums.data);
    return r;
}

/* --- laws ---------------------------------------------------------------------------------------
 */

/* At the minimum, X'(y - Xw - b) = (alpha + level^2 sum e^2) w and the residuals sum to zero. */
static void expect_minimum(const toy *t, const toy *e, const bool *use, double level,
                           const lb_ridge *r, double tolerance)
{
    double *g = lb_xcalloc(2 * t->p, sizeof *g), *squared = g + t->p;
    for (size_t k = 0; k < r->n_alpha; k++) {
        const double *w = r->w.data + k * r->w.stride;
        double sum = 0.0, worst = 0.0;
        memset(g, 0, 2 * t->p * sizeof *g);
        for (size_t i = 0; i < t->n; i++) {
            const float *x = t->x + i * t->p, *own = e->x + i * t->p;
            double residual = t->y[i] - r->b[k];
            if (t->group[i] < 0 || !use[t->group[i]])
                continue;
            for (size_t j = 0; j < t->p; j++)
                residual -= (double)x[j] * w[j];
            sum += residual;
            for (size_t j = 0; j < t->p; j++) {
                g[j] += residual * (double)x[j];
                squared[j] += own[j] > 0.0f ? (double)own[j] * (double)own[j] : 0.0;
            }
        }
        for (size_t j = 0; j < t->p; j++)
            worst = fmax(worst, fabs(g[j] - (r->alpha[k] + level * level * squared[j]) * w[j]));
        cr_expect(lt(dbl, worst, tolerance), "level %g, alpha %g", level, r->alpha[k]);
        cr_expect(lt(dbl, fabs(sum), tolerance));
    }
    free(g);
}

Test(expected_noise, solution_satisfies_the_normal_equations_of_the_expectation)
{
    const size_t sizes[][2] = {{500, 40}, {300, 100}, {60, 90}};
    for (size_t c = 0; c < 3; c++) {
        toy t = toy_make(sizes[c][0], sizes[c][1], 50 + c), e = errors_of(&t, 60 + c);
        e.x[5] = -0.3f;
        for (int level = 0; level < 3; level++) {
            lb_ridge *all = fit(&t, &e, all_groups, 0.7 * level, grid);
            lb_ridge *some = fit(&t, &e, last_groups, 0.7 * level, grid);
            expect_minimum(&t, &e, all_groups, 0.7 * level, all, 1e-8);
            expect_minimum(&t, &e, last_groups, 0.7 * level, some, 1e-8);
            lb_ridge_free(all);
            lb_ridge_free(some);
        }
        toy_free(&t);
        toy_free(&e);
    }
}

Test(expected_noise, level_zero_is_plain_ridge_bit_for_bit)
{
    toy t = toy_make(400, 30, 71), e = errors_of(&t, 72);
    lb_gram *g = gram(&t, t.group);
    lb_ridge *plain = NULL, *r = fit(&t, &e, last_groups, 0.0, grid);
    cr_assert(eq(int, lb_ridge_fit(g, last_groups, grid, &plain, NULL), LB_OK));
    cr_expect(eq(int, memcmp(r->w.data, plain->w.data, 3 * 30 * sizeof(double)), 0));
    cr_expect(eq(int, memcmp(r->b, plain->b, 3 * sizeof(double)), 0));
    cr_expect(eq(sz, r->n_rows, plain->n_rows));
    lb_ridge_free(r);
    lb_ridge_free(plain);
    lb_gram_free(g);
    toy_free(&t);
    toy_free(&e);
}

/* The clean rows M times over, each with noise of its own; all of group 0. */
static toy stack(const toy *t, const toy *e, size_t draws, double level)
{
    toy s = {.n = t->n * draws,
             .p = t->p,
             .x = lb_xcalloc(t->n * draws * t->p, sizeof(float)),
             .y = lb_xcalloc(t->n * draws, sizeof(double)),
             .group = lb_xcalloc(t->n * draws, sizeof(int))};
    for (size_t m = 0; m < draws; m++) {
        lb_rng r = lb_rng_make(97, m);
        for (size_t k = 0; k < t->n * t->p; k++)
            s.x[m * t->n * t->p + k] =
                t->x[k] + (float)(level * (double)e->x[k] * lb_rng_normal(&r));
        memcpy(s.y + m * t->n, t->y, t->n * sizeof *t->y);
    }
    return s;
}

/* Fewer rows than pixels, but the noise alone makes the smallest eigenvalue about 7: alpha 1 is
 * within reach of the factor of alpha 0.01, alpha 100 is not. */
Test(expected_noise, penalties_share_a_factor_and_have_the_weights_of_one_at_a_time)
{
    toy t = toy_make(700, WIDE, 77), e = errors_of(&t, 78);
    const double level = 2.0;
    lb_ridge *r = fit(&t, &e, all_groups, level, grid);
    cr_expect(eq(str, r->method, "clc"));
    expect_minimum(&t, &e, all_groups, level, r, 1e-8);
    for (size_t k = 0; k < 3; k++) {
        lb_ridge *alone = fit(&t, &e, all_groups, level, (lb_cvec){few + k, 1});
        cr_expect(eq(chr, alone->method[0], 'c'));
        cr_expect(lt(dbl, distance(r->w.data + k * r->w.stride, alone->w.data, WIDE), 1e-12));
        cr_expect(lt(dbl, fabs(r->b[k] - alone->b[0]), 1e-12));
        lb_ridge_free(alone);
    }
    lb_ridge_free(r);
    toy_free(&t);
    toy_free(&e);
}

Test(expected_noise, is_the_limit_of_many_stacked_noisy_draws)
{
    toy t = toy_make(300, 40, 81), e = errors_of(&t, 82);
    double previous = 0.0, first = 0.0, last = 0.0;
    memset(t.group, 0, t.n * sizeof *t.group);
    lb_ridge *limit = fit(&t, &e, all_groups, 1.5, (lb_cvec){&few[1], 1});
    for (size_t draws = 1; draws <= 64; draws *= 4) {
        const double alpha = few[1] * (double)draws;
        toy s = stack(&t, &e, draws, 1.5);
        lb_gram *g = gram(&s, s.group);
        lb_ridge *r = NULL;
        cr_assert(eq(int, lb_ridge_fit(g, NULL, (lb_cvec){&alpha, 1}, &r, NULL), LB_OK));
        last = distance(r->w.data, limit->w.data, t.p);
        first = draws == 1 ? last : first;
        if (draws > 1)
            cr_expect(lt(dbl, last, previous), "%zu draws", draws);
        previous = last;
        lb_ridge_free(r);
        lb_gram_free(g);
        toy_free(&s);
    }
    cr_expect(gt(dbl, first / last, 4.0), "64 times the draws: about 8 times nearer, not %g",
              first / last);
    cr_expect(lt(dbl, first / last, 16.0), "64 times the draws: about 8 times nearer, not %g",
              first / last);
    lb_ridge_free(limit);
    toy_free(&t);
    toy_free(&e);
}

Test(expected_noise, many_models_levels_and_threads_give_the_bits_of_one_fit)
{
    omp_set_num_threads(1);
    const size_t before = threads_now();
    toy t = toy_make(500, 60, 91), e = errors_of(&t, 92);
    const double levels[] = {0.3, 0.0, 2.0};
    const bool use[2 * GROUPS] = {true, true, true, false, true, true};
    lb_gram *g = gram(&t, t.group);
    const lb_mat sums = squares(&e, t.group);
    for (int threads = 1; threads <= 2; threads++) {
        lb_ridge *r[6] = {NULL};
        omp_set_num_threads(threads);
        cr_assert(eq(int,
                     lb_expected_noise_fit(g, lb_mat_const(sums), use, 2, (lb_cvec){levels, 3},
                                           grid, r, NULL),
                     LB_OK));
        for (size_t i = 0; i < 6; i++) {
            lb_ridge *one = fit(&t, &e, use + i / 3 * GROUPS, levels[i % 3], (lb_cvec){&few[1], 1});
            cr_expect(eq(int, memcmp(r[i]->w.data + 60, one->w.data, 60 * sizeof(double)), 0));
            cr_expect(eq(dbl, r[i]->b[1], one->b[0]));
            lb_ridge_free(one);
            lb_ridge_free(r[i]);
        }
    }
    cr_expect(gt(sz, threads_now(), before), "two threads were at work");
    free(sums.data);
    lb_gram_free(g);
    toy_free(&t);
    toy_free(&e);
}

Test(expected_noise, errors_that_are_no_positive_numbers_count_nothing)
{
    toy e = toy_make(7, 3, 5);
    const int group[] = {0, 1, 1, -1, 2, 0, 0};
    for (size_t k = 0; k < 21; k++)
        e.x[k] = 0.5f;
    e.x[0] = NAN;
    e.x[4] = INFINITY;
    e.x[8] = -2.0f;
    e.x[9] = 100.0f; /* row 3 is left out */
    const lb_mat sums = squares(&e, group);
    const double expected[] = {0.5, 0.75, 0.75, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25};
    for (size_t k = 0; k < 9; k++)
        cr_expect(eq(dbl, sums.data[k], expected[k]));
    free(sums.data);
    toy_free(&e);
}

Test(expected_noise, one_row_and_one_label_give_that_label)
{
    const double none[] = {0.0, 1.0};
    for (size_t n = 1; n <= 40; n += 39) {
        toy t = toy_make(n, 6, 17), e = errors_of(&t, 18);
        for (size_t i = 0; i < n; i++) {
            t.y[i] = 2.17;
            t.group[i] = 0;
        }
        lb_ridge *r = fit(&t, &e, all_groups, 0.5, (lb_cvec){none, 2});
        for (size_t k = 0; k < 2; k++) {
            cr_expect(epsilon_eq(dbl, r->b[k], 2.17, 1e-14));
            for (size_t j = 0; j < 6; j++)
                cr_expect(eq(dbl, r->w.data[k * 6 + j], 0.0));
        }
        lb_ridge_free(r);
        toy_free(&t);
        toy_free(&e);
    }
}

Test(expected_noise, constant_and_duplicated_pixels_are_fitted)
{
    toy t = toy_make(200, 20, 15), e = errors_of(&t, 16);
    for (size_t i = 0; i < t.n; i++) {
        t.x[i * 20 + 3] = 1.5f;
        t.x[i * 20 + 4] = t.x[i * 20 + 5];
        e.x[i * 20 + 7] = 0.0f;
    }
    const double none[] = {0.0, 1.0}; /* the noise alone makes the system regular */
    lb_ridge *r = fit(&t, &e, all_groups, 0.5, (lb_cvec){none, 2});
    expect_minimum(&t, &e, all_groups, 0.5, r, 1e-8);
    cr_expect(lt(dbl, fabs(r->w.data[3]), 1e-12));
    cr_expect(eq(chr, r->method[0], 'c'));
    lb_ridge_free(r);
    for (size_t i = 0; i < t.n; i++) /* constant and without error: shortest at alpha 0 */
        e.x[i * 20 + 3] = 0.0f;
    r = fit(&t, &e, all_groups, 0.5, (lb_cvec){none, 2});
    expect_minimum(&t, &e, all_groups, 0.5, r, 1e-8);
    cr_expect(lt(dbl, fabs(r->w.data[3]), 1e-12));
    cr_expect(eq(str, r->method, "sc"));
    lb_ridge_free(r);
    toy_free(&t);
    toy_free(&e);
}

/* --- the protocol -------------------------------------------------------------------------------
 */

static const lb_member members[] = {{"global", all_groups}, {"last two", last_groups}};

typedef struct sets {
    toy train, error, val, test;
} sets;

static sets sets_make(void)
{
    sets d = {
        .train = toy_make(200, 24, 1), .val = toy_make(150, 24, 2), .test = toy_make(120, 24, 3)};
    d.error = errors_of(&d.train, 4);
    return d;
}

static void sets_free(sets *d)
{
    toy_free(&d->train);
    toy_free(&d->error);
    toy_free(&d->val);
    toy_free(&d->test);
}

static lb_labelled labelled(toy *t)
{
    return (lb_labelled){toy_stream(t), toy_y(t), t->group};
}

static lb_status run(sets *d, const double *levels, size_t n_levels, lb_sweep_options o,
                     lb_expected_noise **out, lb_error *err)
{
    const lb_labelled train = labelled(&d->train);
    const lb_stream error = toy_stream(&d->error);
    lb_noise_level at[2];
    for (size_t l = 0; l < n_levels; l++)
        at[l] = (lb_noise_level){levels[l], labelled(&d->val), toy_stream(&d->test)};
    o.groups = GROUPS;
    o.alphas = o.alphas.n ? o.alphas : grid;
    return lb_expected_noise_run(&train, &error, at, n_levels, members, 2, o, out, err);
}

Test(expected_noise, at_level_zero_the_protocol_is_that_of_a_sweep)
{
    sets d = sets_make();
    const double levels[] = {1.0, 0.0}, high[] = {1e3, 1e4};
    const lb_sweep_options o = {.groups = GROUPS, .alphas = {high, 2}, .extend_decades = 2};
    const lb_labelled train = labelled(&d.train), val = labelled(&d.val);
    const lb_stream test = toy_stream(&d.test);
    lb_expected_noise *s = NULL;
    lb_sweep *plain = NULL;
    lb_error err = {0};
    cr_assert(eq(int, run(&d, levels, 2, o, &s, &err), LB_OK), "%s", err.text);
    cr_assert(eq(int, lb_sweep_run(&train, &val, &test, members, 2, o, &plain, &err), LB_OK));
    for (size_t m = 0; m < 2; m++) {
        const lb_sweep_model a = lb_expected_noise_get(s, 1, m), b = lb_sweep_get(plain, m);
        cr_assert(eq(sz, a.alphas.n, 4), "the optimum sits on the low end: two more decades");
        cr_expect(eq(sz, a.chosen.index, b.chosen.index));
        cr_expect(eq(int, a.on_grid.edge, b.on_grid.edge));
        cr_expect(eq(sz, a.n_train, b.n_train));
        cr_expect(eq(sz, a.n_val, b.n_val));
        for (size_t k = 0; k < 4; k++) {
            cr_expect(eq(dbl, a.alphas.data[k], b.alphas.data[k]));
            cr_expect(epsilon_eq(dbl, a.r2_val.data[k], b.r2_val.data[k], 1e-12));
            cr_expect(eq(dbl, a.condition.data[k], b.condition.data[k]));
        }
        cr_expect(lt(dbl, distance(a.yhat.data, b.yhat.data, 4 * 120), 1e-12));
        cr_expect(eq(str, (char *)a.name, (char *)b.name));
    }
    cr_expect(gt(dbl,
                 distance(lb_expected_noise_get(s, 0, 0).yhat.data,
                          lb_expected_noise_get(s, 1, 0).yhat.data, 120),
                 1e-6));
    lb_sweep_free(plain);
    lb_expected_noise_free(s);
    sets_free(&d);
}

static void expect_refusal(sets *d, double level, lb_sweep_options o, lb_status expected,
                           const char *says)
{
    lb_expected_noise *s = NULL;
    lb_error err = {0};
    cr_expect(eq(int, run(d, &level, 1, o, &s, &err), expected), "%s", says);
    cr_expect(strstr(err.text, says) != NULL, "'%s' does not say '%s'", err.text, says);
    cr_expect(eq(ptr, s, NULL));
}

Test(expected_noise, refuses_options_levels_and_penalties_it_cannot_use)
{
    sets d = sets_make();
    const double down[] = {1.0, 0.1};
    expect_refusal(&d, 1.0, (lb_sweep_options){.least_squares = true}, LB_EINVAL, "least squares");
    expect_refusal(&d, 1.0, (lb_sweep_options){.standardise = true}, LB_EINVAL, "standardised");
    expect_refusal(&d, -0.1, (lb_sweep_options){0}, LB_EINVAL, "noise level -0.1");
    expect_refusal(&d, (double)NAN, (lb_sweep_options){0}, LB_EINVAL, "noise level nan");
    expect_refusal(&d, 1.0, (lb_sweep_options){.alphas = {down, 2}}, LB_EINVAL, "ascend");
    expect_refusal(&d, 1.0, (lb_sweep_options){.extend_decades = -1}, LB_EINVAL, "decades");
    sets_free(&d);
}

Test(expected_noise, refuses_validation_rows_that_choose_nothing)
{
    sets d = sets_make();
    d.val.group[3] = 3;
    expect_refusal(&d, 1.0, (lb_sweep_options){0}, LB_EINVAL, "group 3");
    d.val.group[3] = -2;
    expect_refusal(&d, 1.0, (lb_sweep_options){0}, LB_EINVAL, "group -2");
    d.val.group[3] = 0;
    for (size_t i = 0; i < d.val.n; i++)
        d.val.y[i] = d.val.group[i] > 0 ? 2.17 : (double)i;
    expect_refusal(&d, 1.0, (lb_sweep_options){0}, LB_EINVAL, "do not vary");
    d.val.y[4] = (double)NAN;
    d.val.group[4] = 1;
    expect_refusal(&d, 1.0, (lb_sweep_options){0}, LB_ENUMERIC, "nan");
    sets_free(&d);
}

Test(expected_noise, says_which_shapes_disagree_and_what_the_streams_report)
{
    sets d = sets_make();
    d.error.n--;
    expect_refusal(&d, 1.0, (lb_sweep_options){0}, LB_ESHAPE, "199x24 errors");
    d.error.n++;
    d.test.p = 23;
    expect_refusal(&d, 1.0, (lb_sweep_options){0}, LB_ESHAPE, "test 23");
    d.test.p = 24;
    d.val.p = 23;
    expect_refusal(&d, 1.0, (lb_sweep_options){0}, LB_ESHAPE, "validation 23");
    d.val.p = 24;
    d.error.p = 23;
    expect_refusal(&d, 1.0, (lb_sweep_options){0}, LB_ESHAPE, "200x23 errors");
    d.error.p = 24;
    d.test.broken_from = 1;
    expect_refusal(&d, 1.0, (lb_sweep_options){0}, LB_EIO, "row 1");
    d.val.broken_from = 2;
    expect_refusal(&d, 1.0, (lb_sweep_options){0}, LB_EIO, "row 2");
    d.test.broken_from = d.val.broken_from = 0;
    d.error.broken_from = 60;
    expect_refusal(&d, 1.0, (lb_sweep_options){0}, LB_EIO, "row 60");
    d.error.broken_from = 0;
    const lb_labelled train = labelled(&d.train);
    const lb_stream error = toy_stream(&d.error);
    lb_noise_level seen = {1.0, labelled(&d.val), toy_stream(&d.test)};
    seen.val.y.n--;
    lb_expected_noise *none = NULL;
    cr_expect(
        eq(int,
           lb_expected_noise_run(&train, &error, &seen, 1, members, 2,
                                 (lb_sweep_options){.groups = GROUPS, .alphas = grid}, &none, NULL),
           LB_ESHAPE));
    cr_expect(eq(ptr, none, NULL));
    d.train.x[d.train.p] = NAN;
    d.train.group[1] = 0;
    expect_refusal(&d, 1.0, (lb_sweep_options){0}, LB_ENUMERIC, "row 1, column 0");
    sets_free(&d);
}

static lb_status fit_status(const lb_gram *g, lb_cmat sums, const bool *use, double level,
                            lb_cvec alphas)
{
    lb_ridge *r = (lb_ridge *)&level;
    const lb_status st =
        lb_expected_noise_fit(g, sums, use, 1, (lb_cvec){&level, 1}, alphas, &r, NULL);
    cr_expect(eq(ptr, r, NULL));
    lb_ridge_free(st == LB_OK ? r : NULL);
    return st;
}

Test(expected_noise, fit_says_which_argument_is_wrong)
{
    toy t = toy_make(100, 8, 25), e = errors_of(&t, 26);
    const bool none[GROUPS] = {false};
    const double negative = -1.0;
    lb_gram *g = gram(&t, t.group), *single = NULL;
    const lb_mat sums = squares(&e, t.group);
    const lb_cmat s = lb_mat_const(sums);
    const lb_stream x = toy_stream(&t), errors = toy_stream(&e);
    cr_expect(eq(int, fit_status(g, (lb_cmat){s.data, 2, 8, 8}, all_groups, 1.0, grid), LB_ESHAPE));
    cr_expect(eq(int, fit_status(g, (lb_cmat){s.data, 3, 7, 8}, all_groups, 1.0, grid), LB_ESHAPE));
    const double endless = (double)INFINITY;
    cr_expect(eq(int, fit_status(g, s, all_groups, 1.0, (lb_cvec){&endless, 1}), LB_EINVAL));
    lb_ridge *r = NULL;
    cr_expect(eq(int,
                 lb_expected_noise_fit(g, s, all_groups, 1, (lb_cvec){NULL, 0}, grid, &r, NULL),
                 LB_EINVAL));
    cr_expect(eq(int, fit_status(g, s, none, 1.0, grid), LB_EINVAL));
    cr_expect(eq(int, fit_status(g, s, all_groups, 1.0, (lb_cvec){&negative, 1}), LB_EINVAL));
    cr_expect(eq(int, fit_status(g, s, all_groups, 1.0, (lb_cvec){NULL, 0}), LB_EINVAL));
    cr_expect(eq(int, fit_status(g, s, all_groups, (double)INFINITY, grid), LB_EINVAL));
    const double bad[] = {(double)NAN, (double)INFINITY, -1e-9};
    for (int i = 0; i < 3; i++) {
        sums.data[2] = bad[i];
        cr_expect(eq(int, fit_status(g, s, all_groups, 1.0, grid), LB_EINVAL));
    }
    cr_assert(
        eq(int,
           lb_gram_accumulate(&x, toy_y(&t), t.group,
                              (lb_gram_options){.groups = GROUPS, .float32 = true}, &single, NULL),
           LB_OK));
    sums.data[2] = 1.0;
    cr_expect(eq(int, fit_status(single, s, all_groups, 1.0, grid), LB_EINVAL));
    cr_expect(
        eq(int, lb_error_squares(&errors, t.group, (lb_mat){sums.data, 3, 7, 8}, NULL), LB_ESHAPE));
    cr_expect(
        eq(int, lb_error_squares(&errors, t.group, (lb_mat){sums.data, 2, 8, 8}, NULL), LB_EINVAL));
    t.group[0] = -2;
    cr_expect(
        eq(int, lb_error_squares(&errors, t.group, (lb_mat){sums.data, 3, 8, 8}, NULL), LB_EINVAL));
    lb_gram_free(g);
    lb_gram_free(single);
    free(sums.data);
    toy_free(&t);
    toy_free(&e);
}
