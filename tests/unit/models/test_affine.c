/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/affine.h"

#include "core/random.h"
#include "models/lstsq.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

enum { N = 90 };
static double x[N], y[N], w[N];

static void setup(void)
{
    lb_rng r = lb_rng_make(17, 0);
    for (size_t i = 0; i < N; i++) {
        x[i] = 1.0 + 4.0 * lb_rng_uniform(&r);
        y[i] = 1.1 * x[i] - 0.2 + 0.3 * lb_rng_normal(&r);
        w[i] = lb_rng_uniform(&r) * (x[i] < 2.0 ? 1.0 : 0.15); /* as a gate: more on one side */
    }
}

TestSuite(affine, .init = setup);

static const lb_cvec ones = {NULL, 0};

static lb_affine fit(const double *yhat, const double *truth, const double *weight, size_t n)
{
    lb_affine f;
    lb_error err = {0};
    cr_assert(eq(int,
                 lb_affine_fit((lb_cvec){yhat, n}, (lb_cvec){truth, n},
                               (lb_cvec){weight, weight ? n : 0}, 3, &f, &err),
                 LB_OK),
              "%s", err.text);
    return f;
}

static void expect_same(const lb_affine *f, const lb_affine *g, double eps)
{
    cr_expect(epsilon_eq(dbl, f->a, g->a, eps));
    cr_expect(epsilon_eq(dbl, f->b, g->b, eps));
    cr_expect(epsilon_eq(dbl, f->se_a, g->se_a, eps));
    cr_expect(epsilon_eq(dbl, f->se_b, g->se_b, eps));
    cr_expect(epsilon_eq(dbl, f->cov_ab, g->cov_ab, eps));
    cr_expect(epsilon_eq(dbl, f->residual_sd, g->residual_sd, eps));
    cr_expect(epsilon_eq(dbl, f->f, g->f, eps * (1.0 + g->f)));
    cr_expect(epsilon_eq(dbl, f->p, g->p, eps));
    cr_expect(epsilon_eq(dbl, f->dof, g->dof, eps * g->dof));
}

Test(affine, the_example_of_the_header_comes_out)
{
    const double yhat[] = {1, 2, 3, 4}, truth[] = {1.1, 1.9, 3.2, 3.8};
    const lb_affine f = fit(yhat, truth, NULL, 4);
    cr_expect(epsilon_eq(dbl, f.a, 0.94, 1e-14));
    cr_expect(epsilon_eq(dbl, f.b, 0.15, 1e-14));
    cr_expect(epsilon_eq(dbl, f.se_a, sqrt(0.041 / 5.0), 1e-14));
    cr_expect(epsilon_eq(dbl, f.se_b, sqrt(0.041 * 1.5), 1e-14));
    cr_expect(epsilon_eq(dbl, f.cov_ab, -0.0205, 1e-14));
    cr_expect(epsilon_eq(dbl, f.residual_sd, sqrt(0.041), 1e-14));
    cr_expect(epsilon_eq(dbl, f.f, 0.009 / 0.041, 1e-13));
    cr_expect(epsilon_eq(dbl, f.p, 0.82, 1e-13), "RSS / RSS of the identity, with two and two df");
    cr_expect(eq(dbl, f.dof, 2.0));
    cr_expect(eq(sz, f.rows, 4));
    cr_expect(eq(int, f.reason, LB_AFFINE_FITTED));
}

/* At the minimum the weighted residuals are orthogonal to the prediction and to one. */
Test(affine, solution_satisfies_the_weighted_normal_equations)
{
    const lb_affine f = fit(x, y, w, N);
    double along = 0.0, sum = 0.0;
    for (size_t i = 0; i < N; i++) {
        const double e = w[i] * (y[i] - f.a * x[i] - f.b);
        along += e * x[i];
        sum += e;
    }
    cr_expect(epsilon_eq(dbl, along, 0.0, 1e-12));
    cr_expect(epsilon_eq(dbl, sum, 0.0, 1e-12));
}

Test(affine, without_weights_it_is_the_least_squares_of_the_house)
{
    double design[N][2];
    lb_lstsq ols;
    for (size_t i = 0; i < N; i++) {
        design[i][0] = x[i];
        design[i][1] = 1.0;
    }
    cr_assert(eq(int,
                 lb_lstsq_fit((lb_cmat){&design[0][0], N, 2, 2}, (lb_cvec){y, N}, true, &ols, NULL),
                 LB_OK));
    const lb_affine f = fit(x, y, NULL, N);
    cr_expect(epsilon_eq(dbl, f.a, ols.w.data[0], 1e-13));
    cr_expect(epsilon_eq(dbl, f.b, ols.w.data[1], 1e-13));
    cr_expect(epsilon_eq(dbl, f.se_a, ols.se.data[0], 1e-13));
    cr_expect(epsilon_eq(dbl, f.se_b, ols.se.data[1], 1e-13));
    cr_expect(epsilon_eq(dbl, f.residual_sd, ols.residual_sd, 1e-13));
    lb_lstsq_free(&ols);
}

/* F from the two sums of squares, as a textbook has it. */
Test(affine, the_test_compares_the_sums_of_squares)
{
    const lb_affine f = fit(x, y, NULL, N);
    double free_fit = 0.0, as_it_is = 0.0;
    for (size_t i = 0; i < N; i++) {
        free_fit += pow(y[i] - f.a * x[i] - f.b, 2);
        as_it_is += pow(y[i] - x[i], 2);
    }
    const double ratio = (as_it_is - free_fit) / 2.0 / (free_fit / (N - 2));
    cr_expect(epsilon_eq(dbl, f.f, ratio, 1e-10 * ratio));
    /* With two numerator degrees of freedom the tail is elementary. */
    cr_expect(epsilon_eq(dbl, f.p, pow(1.0 + 2.0 * ratio / (N - 2), -(N - 2) / 2.0), 1e-13));
}

Test(affine, equal_weights_of_any_scale_are_no_weights)
{
    double equal[N];
    const lb_affine plain = fit(x, y, NULL, N);
    for (int scale = -300; scale <= 300; scale += 100) {
        for (size_t i = 0; i < N; i++)
            equal[i] = 0.3 * pow(10.0, scale);
        const lb_affine f = fit(x, y, equal, N);
        expect_same(&f, &plain, 1e-12);
    }
}

Test(affine, weights_of_zero_and_one_pick_rows_whatever_the_others_hold)
{
    double xs[N], ys[N];
    size_t n = 0;
    for (size_t i = 0; i < N; i++) {
        w[i] = i % 3 == 1;
        if (w[i] == 1.0) {
            xs[n] = x[i];
            ys[n++] = y[i];
        } else
            x[i] = y[i] = (double)NAN;
    }
    const lb_affine picked = fit(x, y, w, N), alone = fit(xs, ys, NULL, n);
    expect_same(&picked, &alone, 1e-12);
    cr_expect(eq(sz, picked.rows, n));
}

/* A gate gives a little to everyone: rows of almost no weight must not count as observations. */
Test(affine, rows_of_almost_no_weight_do_not_shrink_the_errors)
{
    for (size_t i = 0; i < N; i++)
        w[i] = i % 3 == 1 ? 1.0 : 0.0;
    const lb_affine without = fit(x, y, w, N);
    for (size_t i = 0; i < N; i++)
        w[i] = i % 3 == 1 ? 1.0 : 1e-9;
    const lb_affine with = fit(x, y, w, N);
    expect_same(&with, &without, 1e-6);
    cr_expect(eq(sz, with.rows, N));
    cr_expect(epsilon_eq(dbl, with.rows_effective, N / 3.0, 1e-6));
}

Test(affine, the_scale_of_graded_weights_does_not_matter)
{
    const lb_affine f = fit(x, y, w, N);
    for (size_t i = 0; i < N; i++)
        w[i] *= 1e-200;
    const lb_affine g = fit(x, y, w, N);
    expect_same(&g, &f, 1e-12);
}

/* Repeat with equal noise: standard errors, covariance and p-values are what they say. */
static void repeat(const double *weight, double *z_a, double *z_b, double *cov, double *rejected)
{
    enum { TRIALS = 4000 };
    double saa = 0.0, sbb = 0.0, sab = 0.0, expected = 0.0;
    *rejected = 0.0;
    for (size_t t = 0; t < TRIALS; t++) {
        double truth[N];
        lb_rng r = lb_rng_make(91, t);
        for (size_t i = 0; i < N; i++)
            truth[i] = x[i] + 0.3 * lb_rng_normal(&r);
        const lb_affine f = fit(x, truth, weight, N);
        saa += pow((f.a - 1.0) / f.se_a, 2) / TRIALS;
        sbb += pow(f.b / f.se_b, 2) / TRIALS;
        sab += (f.a - 1.0) * f.b / TRIALS;
        expected += f.cov_ab / TRIALS;
        *rejected += (f.p < 0.05) / (double)TRIALS;
    }
    *z_a = saa;
    *z_b = sbb;
    *cov = sab / expected;
}

Test(affine, standard_errors_and_test_hold_in_repetition)
{
    double z_a, z_b, cov, rejected;
    for (int weighted = 0; weighted < 2; weighted++) {
        repeat(weighted ? w : NULL, &z_a, &z_b, &cov, &rejected);
        cr_expect(epsilon_eq(dbl, z_a, 1.0, 0.12), "%d: %g", weighted, z_a);
        cr_expect(epsilon_eq(dbl, z_b, 1.0, 0.12), "%d: %g", weighted, z_b);
        cr_expect(epsilon_eq(dbl, cov, 1.0, 0.12), "%d: %g", weighted, cov);
        cr_expect(rejected > 0.035 && rejected < 0.065, "%d: %g", weighted, rejected);
    }
}

Test(affine, a_perfect_expert_is_left_alone_to_the_last_bit)
{
    const lb_affine f = fit(x, x, w, N);
    cr_expect(eq(dbl, f.a, 1.0));
    cr_expect(eq(dbl, f.b, 0.0));
    cr_expect(eq(dbl, f.residual_sd, 0.0));
    cr_expect(eq(dbl, f.f, 0.0));
    cr_expect(eq(dbl, f.p, 1.0));
}

Test(affine, an_exact_line_is_found_and_is_not_the_identity)
{
    double line[N];
    for (size_t i = 0; i < N; i++) {
        x[i] = (double)i;
        line[i] = 2.0 * x[i] - 4.5;
    }
    const lb_affine f = fit(x, line, NULL, N);
    cr_expect(eq(dbl, f.a, 2.0));
    cr_expect(eq(dbl, f.b, -4.5));
    cr_expect(eq(dbl, f.p, 0.0));
    cr_expect(isinf(f.f));
    const lb_affine g = lb_affine_shrink(&f);
    cr_expect(eq(dbl, g.a, 2.0), "nothing to draw it back");
}

Test(affine, a_constant_target_makes_a_flat_line)
{
    double flat[N];
    for (size_t i = 0; i < N; i++)
        flat[i] = 2.5;
    const lb_affine f = fit(x, flat, NULL, N);
    cr_expect(epsilon_eq(dbl, f.a, 0.0, 1e-14));
    cr_expect(epsilon_eq(dbl, f.b, 2.5, 1e-13));
    cr_expect(eq(int, f.reason, LB_AFFINE_FITTED));
    cr_expect(lt(dbl, f.p, 1e-300));
}

/* Figures of the first study drew y = a yhat + b over x = truth. An expert that is right on average
 * but noisy needs no calibration; regressed the wrong way round it seems to need one. */
Test(affine, the_swapped_regression_is_not_the_inverse)
{
    enum { MANY = 4000 };
    static double yhat[MANY], truth[MANY];
    double xy = 0.0, xx = 0.0, yy = 0.0;
    lb_rng r = lb_rng_make(5, 5);
    for (size_t i = 0; i < MANY; i++) {
        yhat[i] = 3.0 + lb_rng_normal(&r);
        truth[i] = yhat[i] + 0.5 * lb_rng_normal(&r);
    }
    lb_affine f = fit(yhat, truth, NULL, MANY), g;
    cr_assert(
        eq(int,
           lb_affine_fit_swapped((lb_cvec){yhat, MANY}, (lb_cvec){truth, MANY}, ones, 3, &g, NULL),
           LB_OK));
    for (size_t i = 0; i < MANY; i++) {
        xx += pow(yhat[i] - 3.0, 2);
        yy += pow(truth[i] - 3.0, 2);
        xy += (yhat[i] - 3.0) * (truth[i] - 3.0);
    }
    cr_expect(epsilon_eq(dbl, f.a * g.a, xy * xy / (xx * yy), 1e-3), "squared correlation");
    cr_expect(gt(dbl, f.p, 0.01), "a = %g, b = %g", f.a, f.b);
    cr_expect(lt(dbl, g.p, 1e-12));
    cr_expect(epsilon_eq(dbl, g.a, 0.8, 0.02), "shrunk by the noise of the truth given yhat");
    cr_expect(gt(dbl, 1.0 / g.a, 1.2 * f.a));
}

/* Noise that belongs to the prediction makes a < 1: calibration then gains nothing but shrinkage.
 */
Test(affine, calibrating_never_loses_on_its_own_rows)
{
    const lb_affine f = fit(x, y, NULL, N);
    double before = 0.0, after = 0.0, calibrated[N];
    cr_assert(eq(int, lb_affine_apply(&f, (lb_cmat){x, N, 1, 1}, lb_mat_of(calibrated, N, 1), NULL),
                 LB_OK));
    for (size_t i = 0; i < N; i++) {
        before += pow(y[i] - x[i], 2);
        after += pow(y[i] - calibrated[i], 2);
        cr_expect(eq(dbl, calibrated[i], f.a * x[i] + f.b));
    }
    cr_expect(lt(dbl, after, before));
    const lb_affine again = fit(calibrated, y, NULL, N);
    cr_expect(epsilon_eq(dbl, again.a, 1.0, 1e-12));
    cr_expect(epsilon_eq(dbl, again.b, 0.0, 1e-12));
    cr_expect(epsilon_eq(dbl, again.p, 1.0, 1e-9), "nothing is left to calibrate");
}

/* --- identities, each with its reason ----------------------------------------------------------
 */

static void expect_identity(const lb_affine *f, lb_affine_reason reason)
{
    cr_expect(eq(int, f->reason, reason));
    cr_expect(eq(dbl, f->a, 1.0));
    cr_expect(eq(dbl, f->b, 0.0));
    cr_expect(isnan(f->se_a) && isnan(f->se_b) && isnan(f->cov_ab));
    cr_expect(isnan(f->f) && isnan(f->p) && isnan(f->residual_sd));
    const lb_affine g = lb_affine_shrink(f);
    cr_expect(eq(dbl, g.a, 1.0));
    cr_expect(eq(dbl, g.b, 0.0));
}

Test(affine, no_rows_and_no_weight_are_the_identity)
{
    lb_affine f = fit(x, y, NULL, 0);
    expect_identity(&f, LB_AFFINE_NO_ROWS);
    memset(w, 0, sizeof w);
    f = fit(x, y, w, N);
    expect_identity(&f, LB_AFFINE_NO_ROWS);
    cr_expect(eq(sz, f.rows, 0));
}

Test(affine, too_few_rows_are_the_identity_and_the_fewest_allowed_are_a_fit)
{
    for (size_t n = 1; n <= 24; n++) {
        lb_affine f;
        cr_assert(
            eq(int,
               lb_affine_fit((lb_cvec){x, n}, (lb_cvec){y, n}, ones, LB_AFFINE_MIN_ROWS, &f, NULL),
               LB_OK));
        cr_expect(eq(sz, f.rows, n));
        if (n < LB_AFFINE_MIN_ROWS)
            expect_identity(&f, LB_AFFINE_FEW_ROWS);
        else
            cr_expect(eq(int, f.reason, LB_AFFINE_FITTED), "%zu", n);
    }
}

Test(affine, few_effective_rows_are_few_rows)
{
    for (size_t i = 0; i < N; i++)
        w[i] = i < 10 ? 1.0 : 1e-4;
    lb_affine f;
    cr_assert(eq(int,
                 lb_affine_fit((lb_cvec){x, N}, (lb_cvec){y, N}, (lb_cvec){w, N}, 20, &f, NULL),
                 LB_OK));
    expect_identity(&f, LB_AFFINE_FEW_ROWS);
    cr_expect(eq(sz, f.rows, N));
    cr_expect(lt(dbl, f.rows_effective, 10.5));
}

Test(affine, constant_predictions_get_an_offset_and_no_slope)
{
    double mean = 0.0, square = 0.0;
    for (size_t i = 0; i < N; i++) {
        x[i] = i % 2 ? 3.0 : 3.0 + 4e-16;
        mean += (y[i] - x[i]) / N;
    }
    for (size_t i = 0; i < N; i++)
        square += pow(y[i] - x[i] - mean, 2) / (N - 1);
    const lb_affine f = fit(x, y, NULL, N);
    cr_expect(eq(int, f.reason, LB_AFFINE_CONSTANT));
    cr_expect(eq(dbl, f.a, 1.0));
    cr_expect(epsilon_eq(dbl, f.b, mean, 1e-14));
    cr_expect(epsilon_eq(dbl, f.residual_sd, sqrt(square), 1e-13));
    cr_expect(epsilon_eq(dbl, f.se_b, sqrt(square / N), 1e-13));
    cr_expect(isnan(f.se_a) && isnan(f.p));
    const lb_affine g = lb_affine_shrink(&f);
    cr_expect(eq(dbl, g.b, f.b));
    memset(x, 0, sizeof x);
    cr_expect(eq(int, fit(x, y, NULL, N).reason, LB_AFFINE_CONSTANT), "all zero");
}

Test(affine, every_reason_has_a_word)
{
    cr_expect(eq(str, (char *)lb_affine_word(LB_AFFINE_FITTED), (char *)"fitted"));
    cr_expect(eq(str, (char *)lb_affine_word(LB_AFFINE_NO_ROWS), (char *)"identity (no rows)"));
    cr_expect(strstr(lb_affine_word(LB_AFFINE_FEW_ROWS), "too few") != NULL);
    cr_expect(strstr(lb_affine_word(LB_AFFINE_CONSTANT), "offset only") != NULL);
    cr_expect(eq(str, (char *)lb_affine_word((lb_affine_reason)99), (char *)"?"));
}

/* --- shrunk ------------------------------------------------------------------------------------
 */

Test(affine, shrinking_keeps_what_the_test_supports)
{
    const lb_affine f = fit(x, y, NULL, N), g = lb_affine_shrink(&f);
    cr_assert(gt(dbl, f.f, 1.0));
    const double keep = 1.0 - 1.0 / f.f;
    cr_expect(eq(dbl, g.shrink, keep));
    cr_expect(eq(dbl, f.shrink, 1.0));
    cr_expect(epsilon_eq(dbl, g.a - 1.0, keep * (f.a - 1.0), 1e-15));
    cr_expect(epsilon_eq(dbl, g.b, keep * f.b, 1e-15));
    cr_expect(epsilon_eq(dbl, g.se_a * g.se_a, keep * f.se_a * f.se_a, 1e-15));
    cr_expect(epsilon_eq(dbl, g.cov_ab, keep * f.cov_ab, 1e-15));
    cr_expect(eq(dbl, g.p, f.p));
    lb_rng r = lb_rng_make(3, 8);
    for (size_t i = 0; i < N; i++)
        y[i] = x[i] + 0.3 * lb_rng_normal(&r);
    const lb_affine h = fit(x, y, NULL, N), left = lb_affine_shrink(&h);
    cr_assert(lt(dbl, h.f, 1.0), "this draw says nothing");
    cr_expect(eq(dbl, left.a, 1.0));
    cr_expect(eq(dbl, left.b, 0.0));
    cr_expect(eq(dbl, left.se_a, 0.0));
}

/* Where there is nothing to correct, shrinking must cost less on new rows than the free fit. */
Test(affine, shrinking_a_needless_calibration_costs_less)
{
    enum { TRIALS = 400, ROWS = 25 };
    double cost[2] = {0.0, 0.0};
    for (size_t t = 0; t < TRIALS; t++) {
        lb_rng r = lb_rng_make(66, t);
        for (size_t i = 0; i < ROWS; i++)
            y[i] = x[i] + 0.3 * lb_rng_normal(&r);
        const lb_affine f = fit(x, y, NULL, ROWS), g = lb_affine_shrink(&f);
        for (size_t i = ROWS; i < N; i++) {
            cost[0] += pow(f.a * x[i] + f.b - x[i], 2);
            cost[1] += pow(g.a * x[i] + g.b - x[i], 2);
        }
    }
    cr_expect(lt(dbl, cost[1], 0.6 * cost[0]), "%g, %g", cost[1], cost[0]);
}

/* --- experts -----------------------------------------------------------------------------------
 */

enum { K = 4 };
static double table[N][K];
static int bin[N];
static const bool absent[K] = {false, false, false, true};

/* Bins 0 and 1 hold 44 rows each, bin 2 one, bin 3 none; one row belongs to nobody. */
static void experts(void)
{
    for (size_t i = 0; i < N; i++) {
        bin[i] = i == 7 ? 2 : i == 8 ? -1 : (int)(i % 2);
        for (size_t k = 0; k < K; k++)
            table[i][k] = k == 3 ? (double)NAN : x[i] + 0.05 * (double)k * sin((double)i);
    }
}

Test(affine, every_expert_is_fitted_on_the_rows_of_its_bin)
{
    lb_affine cal[K];
    double xs[N], ys[N];
    size_t n = 0;
    experts();
    cr_assert(eq(int,
                 lb_affine_fit_bins((lb_cmat){&table[0][0], N, K, K}, (lb_cvec){y, N}, bin, absent,
                                    20, cal, NULL),
                 LB_OK));
    for (size_t i = 0; i < N; i++)
        if (bin[i] == 1) {
            xs[n] = table[i][1];
            ys[n++] = y[i];
        }
    const lb_affine alone = fit(xs, ys, NULL, n);
    expect_same(&cal[1], &alone, 1e-12);
    cr_expect(eq(sz, cal[1].rows, n));
    expect_identity(&cal[2], LB_AFFINE_FEW_ROWS);
    expect_identity(&cal[3], LB_AFFINE_NO_ROWS);
}

Test(affine, a_gate_of_certainties_is_the_fit_by_bins)
{
    lb_affine hard[K], soft[K];
    double p[N][K];
    experts();
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < K; k++)
            p[i][k] = bin[i] == (int)k;
    const lb_cmat yhat = {&table[0][0], N, K, K};
    lb_affine_fit_bins(yhat, (lb_cvec){y, N}, bin, absent, 20, hard, NULL);
    cr_assert(eq(int,
                 lb_affine_fit_gate(yhat, (lb_cvec){y, N}, (lb_cmat){&p[0][0], N, K, K}, absent, 20,
                                    soft, NULL),
                 LB_OK));
    for (size_t k = 0; k < 2; k++)
        expect_same(&soft[k], &hard[k], 0.0);
    cr_expect(eq(int, soft[2].reason, hard[2].reason));
    cr_expect(eq(int, soft[3].reason, hard[3].reason));
}

Test(affine, a_soft_gate_weights_the_rows)
{
    lb_affine soft[2];
    double p[N][2], second[N];
    experts();
    for (size_t i = 0; i < N; i++) {
        p[i][0] = 1.0 - w[i];
        p[i][1] = w[i];
        second[i] = table[i][1];
    }
    cr_assert(eq(int,
                 lb_affine_fit_gate((lb_cmat){&table[0][0], N, 2, K}, (lb_cvec){y, N},
                                    (lb_cmat){&p[0][0], N, 2, 2}, NULL, 20, soft, NULL),
                 LB_OK));
    const lb_affine alone = fit(second, y, w, N);
    expect_same(&soft[1], &alone, 0.0);
}

Test(affine, apply_works_in_place_and_leaves_absent_experts_absent)
{
    lb_affine cal[K];
    experts();
    const lb_mat yhat = lb_mat_of(&table[0][0], N, K);
    lb_affine_fit_bins(lb_mat_const(yhat), (lb_cvec){y, N}, bin, absent, 20, cal, NULL);
    const double before = table[5][1], kept = table[5][2];
    cr_assert(eq(int, lb_affine_apply(cal, lb_mat_const(yhat), yhat, NULL), LB_OK));
    cr_expect(eq(dbl, table[5][1], cal[1].a * before + cal[1].b));
    cr_expect(eq(dbl, table[5][2], kept));
    cr_expect(isnan(table[5][3]));
}

Test(affine, the_scale_of_the_labels_changes_no_test_and_beyond_the_range_is_refused)
{
    lb_affine unit, far;
    cr_assert(
        eq(int, lb_affine_fit((lb_cvec){x, N}, (lb_cvec){y, N}, ones, 3, &unit, NULL), LB_OK));
    for (int decades = 77; decades <= 150; decades += 73) {
        double big_x[N], big_y[N];
        for (int i = 0; i < N; i++) {
            big_x[i] = x[i] * pow(10.0, decades);
            big_y[i] = y[i] * pow(10.0, decades);
        }
        const lb_status st =
            lb_affine_fit((lb_cvec){big_x, N}, (lb_cvec){big_y, N}, ones, 3, &far, NULL);
        if (decades == 77 || st == LB_OK) {
            cr_assert(eq(int, st, LB_OK));
            cr_expect(epsilon_eq(dbl, far.p, unit.p, 1e-9));
            cr_expect(epsilon_eq(dbl, far.se_a, unit.se_a, 1e-9));
        } else {
            cr_expect(eq(int, st, LB_ENUMERIC));
        }
    }
}

Test(affine, says_which_argument_is_wrong)
{
    lb_affine f, cal[K];
    lb_error err = {0};
    const lb_cvec vx = {x, N}, vy = {y, N};
    cr_expect(eq(int, lb_affine_fit((lb_cvec){x, 5}, vy, ones, 3, &f, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_affine_fit(vx, vy, (lb_cvec){w, 5}, 3, &f, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_affine_fit(vx, vy, ones, 2, &f, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_affine_fit_swapped(vx, vy, ones, 0, &f, NULL), LB_EINVAL));
    const double bad[] = {-0.1, (double)NAN, (double)INFINITY};
    for (int i = 0; i < 3; i++) {
        w[3] = bad[i];
        cr_expect(eq(int, lb_affine_fit(vx, vy, (lb_cvec){w, N}, 3, &f, NULL), LB_EINVAL));
    }
    w[3] = 0.5;
    experts();
    const lb_cmat yhat = {&table[0][0], N, K, K}, weights = {&table[0][0], N, 2, K};
    const lb_cmat fewer = {&table[0][0], N - 1, K, K};
    cr_expect(eq(int, lb_affine_fit_gate(yhat, vy, weights, absent, 3, cal, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_affine_fit_gate(yhat, vy, fewer, absent, 3, cal, NULL), LB_ESHAPE));
    cr_expect(
        eq(int, lb_affine_fit_bins(yhat, (lb_cvec){y, 4}, bin, absent, 3, cal, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_affine_apply(cal, yhat, lb_mat_of(x, N, 1), NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_affine_apply(cal, yhat, lb_mat_of(&table[0][0], 2, K), NULL), LB_ESHAPE));
    bin[0] = K;
    cr_expect(eq(int, lb_affine_fit_bins(yhat, vy, bin, absent, 3, cal, NULL), LB_EINVAL));
    bin[0] = -2;
    cr_expect(eq(int, lb_affine_fit_bins(yhat, vy, bin, absent, 3, cal, NULL), LB_EINVAL));
    bin[0] = 1;
    table[9][1] = (double)NAN;
    cr_expect(eq(int, lb_affine_fit_bins(yhat, vy, bin, absent, 3, cal, &err), LB_ENUMERIC));
    cr_expect(strstr(err.text, "expert 1: row 9") != NULL, "%s", err.text);
    y[4] = (double)INFINITY;
    cr_expect(eq(int, lb_affine_fit(vx, vy, ones, 3, &f, NULL), LB_ENUMERIC));
    y[4] = 1.0;
    for (size_t i = 0; i < N; i++)
        x[i] *= 1e200;
    cr_expect(eq(int, lb_affine_fit(vx, vy, ones, 3, &f, &err), LB_ENUMERIC), "overflow");
    for (size_t i = 0; i < N; i++)
        x[i] = 1e-170 * (double)i;
    cr_expect(eq(int, lb_affine_fit(vx, vy, ones, 3, &f, &err), LB_ENUMERIC), "underflow");
}
