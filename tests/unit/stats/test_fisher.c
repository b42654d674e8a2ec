/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/fisher.h"

#include "core/memory.h"
#include "core/random.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { P = 300, MOST = LB_FISHER_MAX }; /* neither a multiple of a block nor of a lane */

/* Random slopes and errors of k parameters; column j of a wider matrix, so that strides count. */
typedef struct problem {
    double slopes[MOST][P + 7], sigma[P];
    size_t k;
} problem;

static problem problem_make(size_t k, uint64_t seed)
{
    problem q = {.k = k};
    lb_rng r = lb_rng_make(seed, 20);
    for (size_t j = 0; j < P; j++) {
        const double common = lb_rng_uniform(&r) - 0.5;
        q.sigma[j] = 0.1 + lb_rng_uniform(&r);
        for (size_t i = 0; i < k; i++)
            q.slopes[i][j] = common + (double)(i + 1) * (lb_rng_uniform(&r) - 0.4);
    }
    return q;
}

static lb_cmat slopes_of(const problem *q)
{
    return (lb_cmat){&q->slopes[0][0], q->k, P, P + 7};
}

static lb_fisher fisher_of(const problem *q)
{
    lb_fisher f;
    lb_error err = {0};
    cr_assert(lb_fisher_information(slopes_of(q), (lb_cvec){q->sigma, P}, &f, &err) == LB_OK, "%s",
              err.text);
    return f;
}

static lb_bound bound_of(const lb_fisher *f, size_t n, const size_t *params)
{
    lb_bound b;
    lb_error err = {0};
    cr_assert(lb_fisher_bound(f, params, n, NULL, &b, &err) == LB_OK, "%s", err.text);
    return b;
}

static bool close_to(double a, double b, double rtol)
{
    return fabs(a - b) <= rtol * fabs(b);
}

/* --- laws ----------------------------------------------------------------------------------------
 */

Test(fisher, information_is_the_sum_over_pixels)
{
    const problem q = problem_make(3, 1);
    const lb_fisher f = fisher_of(&q);
    cr_expect(eq(sz, f.k, 3));
    for (size_t a = 0; a < 3; a++)
        for (size_t b = 0; b < 3; b++) {
            double sum = 0.0;
            for (size_t j = 0; j < P; j++)
                sum += q.slopes[a][j] * q.slopes[b][j] / (q.sigma[j] * q.sigma[j]);
            cr_expect(close_to(f.value[a][b], sum, 1e-12));
        }
}

/* y = a + b x with error s: Var(b) = s^2 / Sxx, Var(a) = s^2 (1/n + mean(x)^2 / Sxx). */
Test(fisher, the_bound_of_a_straight_line_is_the_variance_of_least_squares)
{
    enum { N = 11 };
    double slopes[2][N], sigma[N], mean = 0.0, sxx = 0.0;
    for (int j = 0; j < N; j++) {
        slopes[0][j] = 1.0;
        slopes[1][j] = 0.3 * j * j - 2.17;
        sigma[j] = 0.37;
        mean += slopes[1][j] / N;
    }
    for (int j = 0; j < N; j++)
        sxx += (slopes[1][j] - mean) * (slopes[1][j] - mean);
    lb_fisher f;
    cr_assert(lb_fisher_information((lb_cmat){&slopes[0][0], 2, N, N}, (lb_cvec){sigma, N}, &f,
                                    NULL) == LB_OK);
    const double s2 = 0.37 * 0.37;
    const lb_bound a = bound_of(&f, 2, (const size_t[]){0, 1}),
                   b = bound_of(&f, 2, (const size_t[]){1, 0});
    cr_expect(close_to(a.crlb, s2 * (1.0 / N + mean * mean / sxx), 1e-12));
    cr_expect(close_to(b.crlb, s2 / sxx, 1e-12));
    cr_expect(close_to(b.sigma_min, sqrt(s2 / sxx), 1e-12));
    cr_expect(close_to(bound_of(&f, 1, (const size_t[]){0}).crlb, s2 / N, 1e-12));
}

/* Generalised least squares has covariance (J' Sigma^-1 J)^-1: its diagonal, by Cholesky. */
Test(fisher, bounds_are_the_diagonal_of_the_inverse)
{
    enum { K = 5 };
    const problem q = problem_make(K, 2);
    const lb_fisher f = fisher_of(&q);
    gsl_matrix *m = gsl_matrix_alloc(K, K);
    for (size_t i = 0; i < K; i++)
        for (size_t j = 0; j < K; j++)
            gsl_matrix_set(m, i, j, f.value[i][j]);
    cr_assert(eq(int, gsl_linalg_cholesky_decomp1(m), 0));
    cr_assert(eq(int, gsl_linalg_cholesky_invert(m), 0));
    for (size_t g = 0; g < K; g++) {
        size_t params[K] = {g};
        for (size_t i = 0, at = 1; i < K; i++)
            if (i != g)
                params[at++] = i;
        cr_expect(close_to(bound_of(&f, K, params).crlb, gsl_matrix_get(m, g, g), 1e-11));
    }
    gsl_matrix_free(m);
}

Test(fisher, more_nuisance_parameters_never_leave_more_information)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        const problem q = problem_make(MOST, seed);
        const lb_fisher f = fisher_of(&q);
        const size_t params[MOST] = {3, 0, 7, 1, 6, 2, 5, 4};
        double before = f.value[3][3];
        for (size_t n = 1; n <= MOST; n++) {
            const lb_bound b = bound_of(&f, n, params);
            cr_expect(eq(dbl, b.information, f.value[3][3]));
            cr_expect(b.effective <= before * (1.0 + 1e-14) && b.effective > 0.0);
            cr_expect(close_to(b.decay, b.effective / b.information, 1e-14));
            before = b.effective;
        }
    }
}

Test(fisher, units_of_the_parameters_do_not_matter)
{
    problem q = problem_make(3, 3);
    const size_t params[] = {1, 0, 2};
    const double step[] = {2.0, 0.5, 0.25}, unit[] = {1e-7, 3.0, 1e5};
    const lb_fisher f = fisher_of(&q);
    lb_bound plain, other;
    cr_assert(lb_fisher_bound(&f, params, 3, step, &plain, NULL) == LB_OK);
    for (size_t i = 0; i < 3; i++) /* theta in units of `unit` */
        for (size_t j = 0; j < P; j++)
            q.slopes[i][j] *= unit[i];
    const double step_too[] = {2.0 / 1e-7, 0.5 / 3.0, 0.25 / 1e5};
    const lb_fisher g = fisher_of(&q);
    cr_assert(lb_fisher_bound(&g, params, 3, step_too, &other, NULL) == LB_OK);
    cr_expect(close_to(other.decay, plain.decay, 1e-12));
    cr_expect(close_to(other.condition, plain.condition, 1e-10), "in units of the steps");
    cr_expect(close_to(other.crlb * 9.0, plain.crlb, 1e-12));
    cr_expect(close_to(lb_bound_r2(&other, 1.7e-3 / 9.0), lb_bound_r2(&plain, 1.7e-3), 1e-12));
    cr_expect(lb_bound_r2(&plain, 1.7e-3) > 0.1 && lb_bound_r2(&plain, 1.7e-3) < 0.9999);
    /* Without steps only the condition number changes. */
    const lb_bound bare = bound_of(&g, 3, params);
    cr_expect(eq(dbl, bare.crlb, other.crlb));
    cr_expect(bare.condition > 1e10);
    cr_expect(bare.singular == false);
}

Test(fisher, errors_twice_as_big_make_the_bound_four_times_as_large)
{
    problem q = problem_make(3, 4);
    const size_t params[] = {2, 0, 1};
    const lb_fisher f = fisher_of(&q);
    const lb_bound b = bound_of(&f, 3, params), scaled = lb_bound_rescaled(b, 2.0);
    for (size_t j = 0; j < P; j++)
        q.sigma[j] *= 2.0;
    const lb_fisher g = fisher_of(&q);
    const lb_bound twice = bound_of(&g, 3, params);
    cr_expect(eq(dbl, twice.crlb, 4.0 * b.crlb)); /* powers of two: exact */
    cr_expect(eq(dbl, scaled.crlb, twice.crlb));
    cr_expect(eq(dbl, scaled.sigma_min, twice.sigma_min));
    cr_expect(eq(dbl, scaled.information, twice.information));
    cr_expect(eq(dbl, scaled.effective, twice.effective));
    cr_expect(eq(dbl, scaled.decay, b.decay));
    cr_expect(eq(dbl, scaled.condition, b.condition));
}

/* --- degenerate ----------------------------------------------------------------------------------
 */

Test(fisher, two_nuisance_parameters_of_one_effect_count_as_singular_and_cost_no_more_than_one)
{
    problem q = problem_make(3, 5);
    for (size_t j = 0; j < P; j++)
        q.slopes[2][j] = 1e3 * q.slopes[0][j];
    const lb_fisher f = fisher_of(&q);
    const lb_bound both = bound_of(&f, 3, (const size_t[]){1, 0, 2}),
                   one = bound_of(&f, 2, (const size_t[]){1, 0});
    cr_expect(both.singular && !one.singular);
    cr_expect(close_to(both.crlb, one.crlb, 1e-10));
    cr_expect(isinf(both.condition) || both.condition > 1e14);
    lb_bound_summary s;
    cr_assert(lb_bounds_summarise((const lb_bound[]){both, one}, 2, 1.0, &s, NULL) == LB_OK);
    cr_expect(eq(sz, s.failed, 1));
}

Test(fisher, a_nuisance_parameter_without_effect_costs_nothing_but_is_singular)
{
    problem q = problem_make(3, 6);
    memset(q.slopes[2], 0, sizeof q.slopes[2]);
    const lb_fisher f = fisher_of(&q);
    const lb_bound with = bound_of(&f, 3, (const size_t[]){0, 1, 2}),
                   without = bound_of(&f, 2, (const size_t[]){0, 1});
    cr_expect(with.singular && isinf(with.condition));
    cr_expect(close_to(with.crlb, without.crlb, 1e-12));
}

Test(fisher, nothing_is_left_of_a_parameter_that_another_imitates)
{
    problem q = problem_make(2, 7);
    for (size_t j = 0; j < P; j++)
        q.slopes[1][j] = -0.37 * q.slopes[0][j];
    const lb_fisher f = fisher_of(&q);
    const lb_bound b = bound_of(&f, 2, (const size_t[]){0, 1});
    cr_expect(eq(dbl, b.effective, 0.0));
    cr_expect(isinf(b.crlb));
    cr_expect(isinf(b.sigma_min));
    cr_expect(eq(dbl, b.decay, 0.0));
    cr_expect(b.information > 0.0);
    cr_expect(b.singular == false);
    cr_expect(eq(dbl, lb_bound_r2(&b, 2.17), 0.0));
    cr_expect(isinf(lb_bound_rescaled(b, 0.1).crlb));
}

Test(fisher, a_parameter_that_moves_nothing_has_no_bound_and_no_decay)
{
    problem q = problem_make(2, 8);
    memset(q.slopes[0], 0, sizeof q.slopes[0]);
    const lb_fisher f = fisher_of(&q);
    for (size_t n = 1; n <= 2; n++) {
        const lb_bound b = bound_of(&f, n, (const size_t[]){0, 1});
        cr_expect(eq(dbl, b.information, 0.0));
        cr_expect(eq(dbl, b.effective, 0.0));
        cr_expect(isinf(b.crlb));
        cr_expect(isnan(b.decay) && isinf(b.condition));
        cr_expect(eq(dbl, lb_bound_r2(&b, 1.0), 0.0));
    }
}

Test(fisher, fewer_pixels_than_parameters_are_singular)
{
    const double slopes[3][1] = {{1.0}, {2.17}, {-0.5}}, sigma[] = {0.37};
    lb_fisher f;
    cr_assert(lb_fisher_information((lb_cmat){&slopes[0][0], 3, 1, 1}, (lb_cvec){sigma, 1}, &f,
                                    NULL) == LB_OK);
    const lb_bound b = bound_of(&f, 3, (const size_t[]){0, 1, 2});
    cr_expect(b.singular && isinf(b.crlb));
    cr_expect(close_to(bound_of(&f, 1, (const size_t[]){0}).crlb, 0.37 * 0.37, 1e-14));
}

/* --- refusals ------------------------------------------------------------------------------------
 */

static void refuses(lb_cmat slopes, lb_cvec sigma, lb_status status, const char *words)
{
    lb_fisher f;
    lb_error err = {0};
    cr_expect(eq(int, lb_fisher_information(slopes, sigma, &f, &err), status));
    cr_expect(strstr(err.text, words) != NULL, "'%s' lacks '%s'", err.text, words);
}

Test(fisher, information_says_what_is_wrong)
{
    problem q = problem_make(MOST, 9);
    const lb_cmat slopes = slopes_of(&q);
    const lb_cvec sigma = {q.sigma, P};
    refuses(slopes, (lb_cvec){q.sigma, P - 1}, LB_ESHAPE, "8x300, sigma has 299");
    refuses((lb_cmat){slopes.data, 0, P, P}, sigma, LB_EINVAL, "0 parameters");
    refuses((lb_cmat){slopes.data, MOST + 1, P, 0}, sigma, LB_EINVAL, "9 parameters");
    refuses((lb_cmat){slopes.data, 1, 0, 1}, (lb_cvec){q.sigma, 0}, LB_EINVAL, "0 pixels");
    const double bad_sigma[] = {0.0, -1.0, (double)NAN, (double)INFINITY};
    for (int i = 0; i < 4; i++) {
        const double kept = q.sigma[271];
        q.sigma[271] = bad_sigma[i];
        refuses(slopes, sigma, LB_ENUMERIC, "sigma of pixel 271");
        q.sigma[271] = kept;
    }
    q.slopes[4][13] = (double)NAN;
    refuses(slopes, sigma, LB_ENUMERIC, "parameter 4 at pixel 13 is nan");
    q.slopes[4][13] = -(double)INFINITY;
    refuses(slopes, sigma, LB_ENUMERIC, "parameter 4 at pixel 13 is -inf");
    q.slopes[4][13] = 1e200;
    refuses(slopes, sigma, LB_ENUMERIC, "overflows");
}

Test(fisher, bound_says_what_is_wrong)
{
    const problem q = problem_make(3, 10);
    lb_fisher f = fisher_of(&q);
    lb_bound b;
    lb_error err = {0};
    const size_t good[] = {1, 0, 2}, twice[] = {1, 0, 1}, none[] = {3};
    cr_expect(eq(int, lb_fisher_bound(&f, good, 0, NULL, &b, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_fisher_bound(&f, good, 4, NULL, &b, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_fisher_bound(&f, twice, 3, NULL, &b, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "parameter 1 comes twice") != NULL, "%s", err.text);
    cr_expect(eq(int, lb_fisher_bound(&f, none, 1, NULL, &b, NULL), LB_EINVAL));
    const double bad[] = {0.0, -2.0, (double)NAN, (double)INFINITY};
    for (int i = 0; i < 4; i++) {
        const double step[] = {bad[i], 1.0, 1.0};
        cr_expect(eq(int, lb_fisher_bound(&f, good, 3, step, &b, NULL), LB_EINVAL));
        cr_expect(eq(int, lb_fisher_bound(&f, good, 1, step, &b, NULL), LB_OK), "not used");
    }
    f.value[0][1] = f.value[1][0] = (double)NAN;
    cr_expect(eq(int, lb_fisher_bound(&f, good, 3, NULL, &b, NULL), LB_ENUMERIC));
}

Test(fisher, r2_is_between_0_and_1_and_nothing_without_variance)
{
    const lb_bound b = {.crlb = 0.5};
    cr_expect(eq(dbl, lb_bound_r2(&b, 2.0), 0.75));
    cr_expect(eq(dbl, lb_bound_r2(&b, 0.25), 0.0));
    cr_expect(isnan(lb_bound_r2(&b, 0.0)) && isnan(lb_bound_r2(&b, (double)NAN)));
}

/* --- many points ---------------------------------------------------------------------------------
 */

static lb_bound point(double crlb, double condition)
{
    return (lb_bound){.information = 2.0 / crlb,
                      .effective = 1.0 / crlb,
                      .crlb = crlb,
                      .sigma_min = sqrt(crlb),
                      .decay = 0.5,
                      .condition = condition};
}

Test(fisher, the_summary_is_over_clipped_local_values)
{
    const lb_bound b[] = {point(0.5, 3), point(0.01, 2), point(4.0, 9), point(0.25, 5),
                          point(1.0, 7)};
    lb_bound_summary s;
    cr_assert(lb_bounds_summarise(b, 5, 2.0, &s, NULL) == LB_OK);
    cr_expect(eq(sz, s.n, 5));
    cr_expect(eq(sz, s.failed, 0));
    cr_expect(close_to(s.r2.median, 0.75, 1e-15) && close_to(s.r2.max, 0.995, 1e-15));
    cr_expect(eq(dbl, s.r2.min, 0.0));
    cr_expect(close_to(s.r2.p10, 0.2, 1e-15));
    cr_expect(close_to(s.r2.p90, 0.6 * 0.995 + 0.4 * 0.875, 1e-14));
    cr_expect(close_to(s.r2.mean, (0.75 + 0.995 + 0.0 + 0.875 + 0.5) / 5, 1e-15));
    cr_expect(close_to(s.r2.std, 0.3524968084961905, 1e-12)); /* numpy.std */
    cr_expect(close_to(s.r2_zero, 0.2, 1e-15));
    cr_expect(close_to(s.r2_dataset, 1.0 - (5.76 / 5) / 2.0, 1e-15));
    cr_expect(close_to(s.crlb_decades, log10(400.0), 1e-14));
    cr_expect(close_to(s.sigma_min.median, sqrt(0.5), 1e-15));
    cr_expect(eq(dbl, s.decay.median, 0.5));
    cr_expect(eq(dbl, s.condition.max, 9.0));
}

/* The published trap: extremes listed as deciles. */
Test(fisher, deciles_are_not_extremes)
{
    lb_bound b[101];
    lb_bound_summary s;
    for (int i = 0; i <= 100; i++)
        b[i] = point(1.0 + i, 1.0);
    cr_assert(lb_bounds_summarise(b, 101, 200.0, &s, NULL) == LB_OK);
    cr_expect(close_to(s.crlb.p10, 11.0, 1e-14) && close_to(s.crlb.p90, 91.0, 1e-14));
    cr_expect(eq(dbl, s.crlb.min, 1.0));
    cr_expect(eq(dbl, s.crlb.max, 101.0));
}

Test(fisher, singular_points_are_counted_and_left_out)
{
    lb_bound b[] = {point(0.5, 3), point(1e9, (double)INFINITY), point(0.7, 4)};
    b[1].singular = true;
    lb_bound_summary s;
    cr_assert(lb_bounds_summarise(b, 3, 2.0, &s, NULL) == LB_OK);
    cr_expect(eq(sz, s.n, 3));
    cr_expect(eq(sz, s.failed, 1));
    cr_expect(close_to(s.crlb.max, 0.7, 1e-15));
    cr_expect(eq(dbl, s.condition.max, 4.0));
    b[0].singular = b[2].singular = true;
    lb_error err = {0};
    cr_expect(eq(int, lb_bounds_summarise(b, 3, 2.0, &s, &err), LB_ENUMERIC));
    cr_expect(strstr(err.text, "all 3 points") != NULL);
}

Test(fisher, blind_points_are_at_the_top_of_the_bounds)
{
    lb_bound b[] = {point(0.5, 3), point(0.7, 4), point(0.6, 2), point(1, 1), point(1, 1)};
    b[3] = b[4] = (lb_bound){.crlb = INFINITY, .sigma_min = INFINITY, .decay = NAN, .condition = 1};
    lb_bound_summary s;
    cr_assert(lb_bounds_summarise(b, 5, 2.0, &s, NULL) == LB_OK);
    cr_expect(close_to(s.crlb.median, 0.7, 1e-15) && isinf(s.crlb.p90) && isinf(s.crlb.mean));
    cr_expect(close_to(s.crlb.p10, 0.54, 1e-14));
    cr_expect(isinf(s.r2_dataset) && s.r2_dataset < 0.0 && isinf(s.crlb_decades));
    cr_expect(close_to(s.r2_zero, 0.4, 1e-15));
    cr_expect(eq(dbl, s.r2.min, 0.0));
    cr_expect(eq(dbl, s.decay.median, 0.5), "of those that have one");
    cr_assert(lb_bounds_summarise(b + 3, 2, 2.0, &s, NULL) == LB_OK);
    cr_expect(isnan(s.decay.median));
    cr_expect(eq(dbl, s.r2.max, 0.0));
    cr_expect(isinf(s.crlb.p10));
}

Test(fisher, one_point_is_its_own_summary)
{
    const lb_bound b = point(0.5, 3);
    lb_bound_summary s;
    cr_assert(lb_bounds_summarise(&b, 1, 2.0, &s, NULL) == LB_OK);
    cr_expect(eq(dbl, s.r2.median, 0.75));
    cr_expect(eq(dbl, s.r2.p10, 0.75));
    cr_expect(eq(dbl, s.r2.std, 0.0));
    cr_expect(eq(dbl, s.crlb_decades, 0.0));
}

Test(fisher, a_summary_says_what_is_wrong)
{
    lb_bound b = point(0.5, 3);
    lb_bound_summary s;
    cr_expect(eq(int, lb_bounds_summarise(&b, 0, 2.0, &s, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_bounds_summarise(&b, 1, 0.0, &s, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_bounds_summarise(&b, 1, (double)NAN, &s, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_bounds_summarise(&b, 1, (double)INFINITY, &s, NULL), LB_EINVAL));
    lb_bound hole = b;
    hole.crlb = (double)NAN;
    cr_expect(eq(int, lb_bounds_summarise(&hole, 1, 2.0, &s, NULL), LB_EINVAL));
    hole = b;
    hole.condition = (double)NAN;
    cr_expect(eq(int, lb_bounds_summarise(&hole, 1, 2.0, &s, NULL), LB_EINVAL));
}

/* --- a sweep -------------------------------------------------------------------------------------
 */

static void critical(size_t n, const double *snr, const double *median, double level, lb_number *at,
                     lb_number *cliff)
{
    lb_error err = {0};
    cr_assert(lb_bound_critical_snr((lb_cvec){snr, n}, (lb_cvec){median, n}, level, at, cliff,
                                    &err) == LB_OK,
              "%s", err.text);
}

/* The published sweep: "about 4" in the text, 3.5 by interpolation. */
Test(fisher, critical_snr_is_where_the_median_crosses_the_level)
{
    const double snr[] = {87.4, 24.0, 7.1, 4.6, 3.0, 1.9};
    const double r2[] = {0.9994, 0.9906, 0.8914, 0.7396, 0.3658, 0.0};
    lb_number at, cliff, at_up, cliff_up;
    critical(6, snr, r2, 0.5, &at, &cliff);
    const double share = (0.5 - 0.3658) / (0.7396 - 0.3658);
    cr_expect(close_to(at.value, 3.0 * pow(4.6 / 3.0, share), 1e-14));
    cr_expect(at.value > 3.45 && at.value < 3.55, "%g", at.value);
    cr_expect(eq(dbl, cliff.value, 1.9));
    cr_expect(eq(str, at.kind, "snr"));
    cr_expect(eq(str, cliff.kind, "snr"));
    double snr_up[6], r2_up[6];
    for (int i = 0; i < 6; i++) {
        snr_up[i] = snr[5 - i];
        r2_up[i] = r2[5 - i];
    }
    critical(6, snr_up, r2_up, 0.5, &at_up, &cliff_up);
    cr_expect(eq(dbl, at_up.value, at.value));
    cr_expect(eq(dbl, cliff_up.value, 1.9));
    critical(6, snr, r2, 0.3658, &at, &cliff);
    cr_expect(eq(dbl, at.value, 3.0), "on the level at a point of the sweep");
}

Test(fisher, a_sweep_that_does_not_cross_says_so)
{
    const double snr[] = {10, 5, 2}, high[] = {0.99, 0.9, 0.8}, low[] = {0.4, 0.0, 0.0};
    lb_number at, cliff;
    critical(3, snr, high, 0.5, &at, &cliff);
    cr_expect(eq(str, at.na, "n/a (above it everywhere)"));
    cr_expect(isnan(at.value));
    cr_expect(eq(str, cliff.na, "n/a (never 0)"));
    critical(3, snr, low, 0.5, &at, &cliff);
    cr_expect(eq(str, at.na, "n/a (never reached)"));
    cr_expect(eq(dbl, cliff.value, 5.0), "the largest of them");
    critical(1, snr, high, 0.99, &at, &cliff);
    cr_expect(eq(dbl, at.value, 10.0));
}

Test(fisher, several_crossings_give_the_one_at_the_largest_snr)
{
    const double snr[] = {1, 2, 4, 8}, wild[] = {0.1, 0.7, 0.3, 0.9};
    lb_number at, cliff;
    critical(4, snr, wild, 0.5, &at, &cliff);
    cr_expect(at.value > 4.0 && at.value < 8.0);
}

Test(fisher, a_sweep_says_what_is_wrong)
{
    const double snr[] = {10, 5, 2}, r2[] = {0.9, 0.5, 0.1};
    lb_number at, cliff;
#define SWEEP(n, m, x, y, level)                                                                   \
    lb_bound_critical_snr((lb_cvec){x, n}, (lb_cvec){y, m}, level, &at, &cliff, NULL)
    cr_expect(eq(int, SWEEP(3, 2, snr, r2, 0.5), LB_ESHAPE));
    cr_expect(eq(int, SWEEP(0, 0, snr, r2, 0.5), LB_EINVAL));
    cr_expect(eq(int, SWEEP(3, 3, snr, r2, 1.5), LB_EINVAL));
    cr_expect(eq(int, SWEEP(3, 3, snr, r2, (double)NAN), LB_EINVAL));
    const double turns[] = {10, 5, 7}, stays[] = {10, 5, 5}, zero[] = {10, 5, 0};
    const double endless[] = {INFINITY, 5, 2}, negative[] = {0.9, 0.5, -0.1};
    cr_expect(eq(int, SWEEP(3, 3, endless, r2, 0.5), LB_EINVAL));
    cr_expect(eq(int, SWEEP(3, 3, snr, negative, 0.5), LB_EINVAL));
    cr_expect(eq(int, SWEEP(3, 3, turns, r2, 0.5), LB_EINVAL));
    cr_expect(eq(int, SWEEP(3, 3, stays, r2, 0.5), LB_EINVAL));
    cr_expect(eq(int, SWEEP(3, 3, zero, r2, 0.5), LB_EINVAL));
    const double hole[] = {0.9, (double)NAN, 0.1}, above[] = {1.1, 0.5, 0.1};
    cr_expect(eq(int, SWEEP(3, 3, snr, hole, 0.5), LB_EINVAL));
    cr_expect(eq(int, SWEEP(3, 3, snr, above, 0.5), LB_EINVAL));
#undef SWEEP
}

/* --- health and use ------------------------------------------------------------------------------
 */

Test(fisher, an_axis_of_a_grid_has_few_values_at_even_steps)
{
    const double mh[] = {-2.5, 0.75, -2, -1.5, -1, -0.5, 0, 0.5, -2.5, 0.5};
    lb_axis_check c;
    cr_assert(lb_fisher_check_axis("[M/H]", (lb_cvec){mh, 10}, &c, NULL) == LB_OK);
    cr_expect(eq(sz, c.distinct, 8));
    cr_expect(eq(dbl, c.step, 0.5));
    cr_expect(c.regular == false && c.irregularity > 0.1, "the last step is half as wide");
    cr_assert(lb_fisher_check_axis("[M/H]", (lb_cvec){mh + 2, 6}, &c, NULL) == LB_OK);
    cr_expect(c.regular);
    cr_expect(eq(dbl, c.irregularity, 0.0));
    cr_expect(eq(sz, c.distinct, 6));
    const double rounded[] = {0.1 * 3, 0.3, 0.6, 0.9};
    cr_assert(lb_fisher_check_axis("x", (lb_cvec){rounded, 4}, &c, NULL) == LB_OK);
    cr_expect(eq(sz, c.distinct, 3), "0.1 * 3 is 0.3");
    cr_assert(lb_fisher_check_axis("O_M", (lb_cvec){(const double[]){0, 0}, 2}, &c, NULL) == LB_OK);
    cr_expect(eq(sz, c.distinct, 1));
    cr_expect(isnan(c.step));
    cr_expect(c.regular == false);
}

Test(fisher, random_labels_are_no_grid)
{
    enum { N = 40000 };
    double *x = lb_xcalloc(N, sizeof *x);
    lb_rng r = lb_rng_make(11, 20);
    lb_axis_check c;
    lb_error err = {0};
    for (size_t i = 0; i < N; i++)
        x[i] = lb_rng_uniform(&r);
    cr_expect(eq(int, lb_fisher_check_axis("log g", (lb_cvec){x, N}, &c, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "log g has 39") && strstr(err.text, "not grid points"), "%s",
              err.text);
    x[7] = (double)NAN;
    cr_expect(eq(int, lb_fisher_check_axis("log g", (lb_cvec){x, N}, &c, NULL), LB_ENUMERIC));
    cr_expect(eq(int, lb_fisher_check_axis("log g", (lb_cvec){x, 0}, &c, NULL), LB_EINVAL));
    free(x);
}

Test(fisher, efficiency_is_the_share_of_the_ceiling_on_the_same_rows)
{
    lb_number r2 = lb_number_plain(0.6, "r2", ""), out;
    r2.ci_lo = 0.5;
    r2.ci_hi = 0.7;
    r2.n = 816;
    strcpy(r2.rows, "sha256:abc");
    cr_assert(lb_fisher_efficiency(&r2, 0.8, &out, NULL) == LB_OK);
    cr_expect(close_to(out.value, 0.75, 1e-15) && close_to(out.ci_hi, 0.875, 1e-15));
    cr_expect(eq(str, out.kind, "ratio"));
    cr_expect(eq(str, out.rows, "sha256:abc"));
    cr_expect(eq(sz, out.n, 816));
    cr_assert(lb_fisher_efficiency(&r2, 0.0, &out, NULL) == LB_OK);
    cr_expect(eq(str, out.na, "n/a (ceiling is 0)"));
    cr_expect(isnan(out.value));
    cr_expect(isnan(out.ci_lo));
    cr_expect(eq(int, lb_fisher_efficiency(&r2, 1.5, &out, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_fisher_efficiency(&r2, (double)NAN, &out, NULL), LB_EINVAL));
    const lb_number mae = lb_number_plain(0.3, "mae", "dex"),
                    none = lb_number_na("r2", "n/a (n<2)");
    cr_expect(eq(int, lb_fisher_efficiency(&mae, 0.8, &out, NULL), LB_EINVAL));
    cr_assert(lb_fisher_efficiency(&none, 0.8, &out, NULL) == LB_OK);
    cr_expect(eq(str, out.na, "n/a (n<2)"));
    cr_expect(isnan(out.value));
}
