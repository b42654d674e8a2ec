/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/threads.h"
#include "stats/bootstrap.h"

#include "outcomes.h"
#include "stats/quantile.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <omp.h>
#include <string.h>

static sample s;
static lb_rowset *rows;
static lb_outcome pair[2]; /* 0 mixture, 1 global */

static void setup(void)
{
    fill(&s);
    rows = lb_rowset_all("all", "sha256:test", N_ALL);
    pair[0] = outcome(rows, s.y, s.mixture, "mixture");
    pair[1] = outcome(rows, s.y, s.global, "global");
}

static void teardown(void)
{
    lb_rowset_free(rows);
}

TestSuite(bootstrap, .init = setup, .fini = teardown);

static lb_bootstrap *make(const lb_outcome *models, size_t m, size_t draws, uint64_t seed)
{
    lb_bootstrap *b = NULL;
    lb_error err = {0};
    cr_assert(eq(int, lb_bootstrap_new(models, m, draws, seed, &b, &err), LB_OK), "%s", err.text);
    return b;
}

/* The slow, obvious resample: same stream, two passes, one model at a time. */
static double obvious_r2(const double *y, const double *yhat, size_t n, uint64_t seed, size_t draw)
{
    lb_rng r = lb_rng_make(seed, draw);
    double yy[N_ALL], ee = 0.0, total = 0.0, mean = 0.0;
    for (size_t i = 0; i < n; i++) {
        const size_t k = lb_rng_below(&r, n);
        yy[i] = y[k];
        mean += y[k] / (double)n;
        ee += (y[k] - yhat[k]) * (y[k] - yhat[k]);
    }
    for (size_t i = 0; i < n; i++)
        total += (yy[i] - mean) * (yy[i] - mean);
    return 1.0 - ee / total;
}

Test(bootstrap, every_draw_equals_the_obvious_resample)
{
    enum { DRAWS = 50 };
    lb_bootstrap *b = make(pair, 2, DRAWS, 99);
    double mixture[DRAWS], delta[DRAWS];
    lb_bootstrap_draws_r2(b, 0, mixture);
    lb_bootstrap_draws_delta(b, 0, 1, delta);
    for (size_t d = 0; d < DRAWS; d++) {
        const double m = obvious_r2(s.y, s.mixture, N_ALL, 99, d);
        const double g = obvious_r2(s.y, s.global, N_ALL, 99, d);
        cr_expect(epsilon_eq(dbl, mixture[d], m, 1e-12));
        cr_expect(epsilon_eq(dbl, delta[d], m - g, 1e-12), "paired: both on the same rows");
    }
    lb_bootstrap_free(b);
}

Test(bootstrap, threads_do_not_change_a_bit)
{
    enum { DRAWS = 640 };
    const size_t before = threads_now();
    double one[DRAWS], three[DRAWS];
    omp_set_num_threads(1);
    lb_bootstrap *a = make(pair, 2, DRAWS, 7);
    omp_set_num_threads(3);
    lb_bootstrap *b = make(pair, 2, DRAWS, 7);
    cr_expect(gt(sz, threads_now(), before), "three threads were at work");
    lb_bootstrap_draws_delta(a, 0, 1, one);
    lb_bootstrap_draws_delta(b, 0, 1, three);
    cr_expect(eq(int, memcmp(one, three, sizeof one), 0));
    lb_bootstrap_free(a);
    lb_bootstrap_free(b);
}

Test(bootstrap, a_small_one_starts_no_thread)
{
    omp_set_num_threads(4);
    const size_t before = threads_now();
    lb_bootstrap *b = make(pair, 2, 5, 7);
    cr_expect(eq(sz, threads_now(), before));
    lb_bootstrap_free(b);
}

Test(bootstrap, a_model_gives_the_same_draws_in_any_company)
{
    enum { DRAWS = 32 };
    double alone[DRAWS], second[DRAWS];
    lb_bootstrap *a = make(&pair[1], 1, DRAWS, 7), *b = make(pair, 2, DRAWS, 7);
    lb_bootstrap_draws_r2(a, 0, alone);
    lb_bootstrap_draws_r2(b, 1, second);
    cr_expect(eq(int, memcmp(alone, second, sizeof alone), 0));
    lb_bootstrap_free(a);
    lb_bootstrap_free(b);
}

Test(bootstrap, the_number_carries_estimate_interval_rows_and_seed)
{
    enum { DRAWS = 400 };
    lb_bootstrap *b = make(pair, 2, DRAWS, 20251203);
    double draws[DRAWS];
    lb_number x, r_mix, r_glo, point;
    cr_assert(eq(int, lb_bootstrap_delta(b, 0, 1, 0.03, &x, NULL), LB_OK));
    lb_score_r2(&pair[0], &r_mix, NULL);
    lb_score_r2(&pair[1], &r_glo, NULL);
    lb_score_delta(&r_mix, &r_glo, &point, NULL);
    lb_bootstrap_draws_delta(b, 0, 1, draws);
    size_t above = 0;
    for (size_t d = 0; d < DRAWS; d++)
        above += draws[d] > 0.03;
    cr_expect(epsilon_eq(dbl, x.boot_mean, lb_mean(draws, DRAWS), 1e-14));
    lb_sort(draws, DRAWS);
    cr_expect(eq(dbl, x.value, point.value));
    cr_expect(eq(dbl, x.ci_lo, lb_quantile(draws, DRAWS, 0.025)));
    cr_expect(epsilon_eq(dbl, x.ci_hi, lb_quantile(draws, DRAWS, 0.975), 1e-15));
    cr_expect(epsilon_eq(dbl, x.se, lb_std(draws, DRAWS, 1), 1e-15));
    cr_expect(eq(dbl, x.p_above, (double)above / DRAWS));
    cr_expect(eq(str, x.kind, "delta_r2"));
    cr_expect(eq(str, x.rows, (char *)lb_rowset_hash(rows)));
    cr_expect(eq(sz, x.n, N_ALL));
    cr_expect(eq(u64, x.seed, 20251203));
    cr_expect(eq(sz, lb_bootstrap_draws(b), DRAWS));
    cr_expect(eq(sz, lb_bootstrap_redrawn(b), 0));
    cr_expect(isnan(r_mix.boot_mean) && isnan(r_mix.p_positive), "a score is no difference");
    lb_bootstrap_free(b);
}

/* A target of n rows and two predictions, with noise of 0.5 and of @p other. */
static void draw_noisy(size_t n, double other, double *y, double *a, double *c)
{
    lb_rng r = lb_rng_make(3, 1);
    for (size_t i = 0; i < n; i++) {
        y[i] = 1.0 + 4.0 * lb_rng_uniform(&r);
        a[i] = y[i] + 0.5 * lb_rng_normal(&r);
        c[i] = y[i] + other * lb_rng_normal(&r);
    }
}

Test(bootstrap, a_difference_says_how_often_it_is_positive_whatever_the_threshold)
{
    enum { DRAWS = 300, N = 40 };
    double y[N], a[N], c[N], draws[DRAWS];
    draw_noisy(N, 0.5, y, a, c);
    lb_rowset *few = lb_rowset_all("forty", "d", N);
    const lb_outcome o[] = {outcome(few, y, a, "a"), outcome(few, y, c, "c")};
    lb_bootstrap *b = make(o, 2, DRAWS, 2);
    lb_number low, high, sum;
    const double weights[] = {1, -1};
    lb_bootstrap_draws_delta(b, 0, 1, draws);
    size_t positive = 0;
    for (size_t d = 0; d < DRAWS; d++)
        positive += draws[d] > 0.0;
    cr_assert(positive > 10 && positive < DRAWS - 10, "%zu of %d", positive, DRAWS);
    cr_assert(eq(int, lb_bootstrap_delta(b, 0, 1, -9.0, &low, NULL), LB_OK));
    cr_assert(eq(int, lb_bootstrap_delta(b, 0, 1, 9.0, &high, NULL), LB_OK));
    cr_assert(eq(int, lb_bootstrap_combination(b, weights, 2, NAN, &sum, NULL), LB_OK));
    cr_expect(eq(dbl, low.p_above, 1.0));
    cr_expect(eq(dbl, high.p_above, 0.0));
    cr_expect(eq(dbl, low.p_positive, (double)positive / DRAWS));
    cr_expect(eq(dbl, high.p_positive, low.p_positive));
    cr_expect(eq(dbl, sum.p_positive, low.p_positive));
    cr_expect(eq(dbl, sum.boot_mean, low.boot_mean));
    lb_bootstrap_free(b);
    lb_rowset_free(few);
}

/* For a bias-free mean-square ratio the percentile interval and the delta method must be close. */
Test(bootstrap, standard_error_agrees_with_linearisation)
{
    lb_bootstrap *b = make(pair, 2, 1000, 5);
    lb_number x;
    cr_assert(eq(int, lb_bootstrap_r2(b, 1, &x, NULL), LB_OK));
    /* influence of row i on R2 = 1 - E/T: -(e^2 - (1 - R2) d^2) / (T / n) */
    const double ybar = lb_mean(s.y, N_ALL);
    double influence[N_ALL], total = 0.0;
    for (size_t i = 0; i < N_ALL; i++)
        total += (s.y[i] - ybar) * (s.y[i] - ybar) / N_ALL;
    for (size_t i = 0; i < N_ALL; i++) {
        const double e = s.y[i] - s.global[i], d = s.y[i] - ybar;
        influence[i] = -(e * e - (1.0 - x.value) * d * d) / total;
    }
    const double se = lb_std(influence, N_ALL, 0) / sqrt(N_ALL);
    cr_expect(epsilon_eq(dbl, x.se, se, 0.08 * se), "bootstrap %g, linearised %g", x.se, se);
    lb_bootstrap_free(b);
}

Test(bootstrap, a_wider_level_gives_a_wider_interval)
{
    lb_bootstrap *b = make(pair, 2, 200, 5);
    lb_number narrow, wide;
    cr_expect(eq(int, lb_bootstrap_set_level(b, 0.5, NULL), LB_OK));
    cr_assert(eq(int, lb_bootstrap_delta(b, 0, 1, 0, &narrow, NULL), LB_OK));
    cr_expect(eq(int, lb_bootstrap_set_level(b, 0.99, NULL), LB_OK));
    cr_assert(eq(int, lb_bootstrap_delta(b, 0, 1, 0, &wide, NULL), LB_OK));
    cr_expect(lt(dbl, wide.ci_lo, narrow.ci_lo));
    cr_expect(gt(dbl, wide.ci_hi, narrow.ci_hi));
    for (int i = 0; i < 4; i++)
        cr_expect(eq(int,
                     lb_bootstrap_set_level(b, ((double[]){0.0, 1.0, -0.3, (double)NAN})[i], NULL),
                     LB_EINVAL));
    lb_bootstrap_free(b);
}

Test(bootstrap, models_on_different_rows_are_refused)
{
    static double scratch[2 * N_COVERED];
    lb_rowset *covered = lb_rowset_where(rows, "covered", s.covered);
    lb_outcome mixed[2] = {pair[0], pair[1]};
    lb_bootstrap *b = NULL;
    lb_error err = {0};
    cr_assert(eq(int, lb_outcome_on(pair[0], covered, scratch, &mixed[0], NULL), LB_OK));
    cr_expect(eq(int, lb_bootstrap_new(mixed, 2, 10, 1, &b, &err), LB_EROWS));
    cr_expect(strstr(err.text, "'covered' (816 rows") && strstr(err.text, "'all' (1000 rows"), "%s",
              err.text);
    lb_rowset_free(covered);
}

Test(bootstrap, different_targets_on_the_same_rows_are_refused)
{
    static double other[N_ALL];
    memcpy(other, s.y, sizeof other);
    other[17] += 0.5;
    lb_outcome models[2] = {pair[0], outcome(rows, other, s.global, "global")};
    lb_bootstrap *b = NULL;
    lb_error err = {0};
    cr_expect(eq(int, lb_bootstrap_new(models, 2, 10, 1, &b, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "row 17") != NULL, "%s", err.text);
}

Test(bootstrap, says_which_argument_is_wrong)
{
    lb_bootstrap *b = NULL;
    lb_number x;
    cr_expect(eq(int, lb_bootstrap_new(pair, 0, 10, 1, &b, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_bootstrap_new(pair, 2, 1, 1, &b, NULL), LB_EINVAL));
    lb_outcome bad = pair[0];
    bad.yhat.n = 3;
    cr_expect(eq(int, lb_bootstrap_new(&bad, 1, 10, 1, &b, NULL), LB_ESHAPE));
    s.mixture[3] = (double)NAN;
    cr_expect(eq(int, lb_bootstrap_new(pair, 2, 10, 1, &b, NULL), LB_ENUMERIC));
    const double huge[] = {1e200, -1e200};
    lb_rowset *two = lb_rowset_all("two", "d", 2);
    const lb_outcome beyond = outcome(two, huge, huge, "m"); /* squares no double can hold */
    cr_expect(eq(int, lb_bootstrap_new(&beyond, 1, 10, 1, &b, NULL), LB_ENUMERIC));
    lb_rowset_free(two);
    b = make(&pair[1], 1, 100, 1);
    cr_expect(eq(int, lb_bootstrap_r2(b, 1, &x, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_bootstrap_delta(b, 0, 1, 0, &x, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_bootstrap_delta(b, 1, 0, 0, &x, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_bootstrap_share(b, 1, 0, 0, &x, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_bootstrap_retention(b, 0, 0, 1, &x, NULL), LB_EINVAL));
    lb_bootstrap_free(b);
    lb_bootstrap_free(NULL);
}

Test(bootstrap, a_model_compared_with_itself_gains_exactly_nothing)
{
    lb_bootstrap *b = make(pair, 2, 50, 3);
    lb_number x;
    cr_assert(eq(int, lb_bootstrap_delta(b, 1, 1, 0.0, &x, NULL), LB_OK));
    cr_expect(eq(dbl, x.value, 0.0));
    cr_expect(eq(dbl, x.ci_lo, 0.0));
    cr_expect(eq(dbl, x.ci_hi, 0.0));
    cr_expect(eq(dbl, x.p_above, 0.0), "strictly above");
    lb_bootstrap_free(b);
}

/* Three rows, two of them equal: (2/3)^3 + (1/3)^3 = 1/3 of all resamples have no variance. */
Test(bootstrap, resamples_without_variance_are_redrawn_and_counted)
{
    enum { DRAWS = 3000 };
    static double draws[DRAWS];
    const double y[] = {2.17, 2.17, 3.0}, yhat[] = {2.2, 2.1, 2.9};
    lb_rowset *three = lb_rowset_all("three", "d", 3);
    const lb_outcome o = outcome(three, y, yhat, "m");
    lb_bootstrap *b = make(&o, 1, DRAWS, 11);
    /* redraws per draw are geometric: mean (1/3)/(2/3) = 0.5, variance 0.75 */
    const double redrawn = (double)lb_bootstrap_redrawn(b);
    cr_expect(epsilon_eq(dbl, redrawn, 0.5 * DRAWS, 4.0 * sqrt(0.75 * DRAWS)));
    lb_bootstrap_draws_r2(b, 0, draws);
    for (size_t d = 0; d < DRAWS; d++)
        cr_expect(isfinite(draws[d]) && draws[d] <= 1.0);
    lb_bootstrap_free(b);
    lb_rowset_free(three);
}

/* A large offset must not eat the digits of the variance. */
Test(bootstrap, survives_a_large_offset_of_the_target)
{
    enum { DRAWS = 20 };
    static double y[N_ALL], yhat[N_ALL];
    double near[DRAWS], far[DRAWS];
    for (size_t i = 0; i < N_ALL; i++) {
        y[i] = s.y[i] + 1e6;
        yhat[i] = s.global[i] + 1e6;
    }
    const lb_outcome shifted = outcome(rows, y, yhat, "shifted");
    lb_bootstrap *a = make(&pair[1], 1, DRAWS, 4), *b = make(&shifted, 1, DRAWS, 4);
    lb_bootstrap_draws_r2(a, 0, near);
    lb_bootstrap_draws_r2(b, 0, far);
    for (size_t d = 0; d < DRAWS; d++)
        cr_expect(epsilon_eq(dbl, near[d], far[d], 1e-8));
    lb_bootstrap_free(a);
    lb_bootstrap_free(b);
}

Test(bootstrap, nothing_to_resample_is_not_available_everywhere)
{
    enum { DRAWS = 5 };
    const double same[] = {2.17, 2.17, 2.17};
    double draws[DRAWS];
    for (size_t n = 0; n <= 3; n++) {
        lb_rowset *few = lb_rowset_all("few", "d", n);
        const lb_outcome o[2] = {outcome(few, same, same, "a"), outcome(few, same, same, "b")};
        lb_bootstrap *b = make(o, 2, DRAWS, 1);
        const char *reason = n < 2 ? "n/a (n<2)" : "n/a (zero target variance)";
        lb_number x[4];
        cr_expect(eq(int, lb_bootstrap_r2(b, 0, &x[0], NULL), LB_OK));
        cr_expect(eq(int, lb_bootstrap_delta(b, 0, 1, 0, &x[1], NULL), LB_OK));
        cr_expect(eq(int, lb_bootstrap_share(b, 0, 1, 0, &x[2], NULL), LB_OK));
        cr_expect(eq(int, lb_bootstrap_retention(b, 0, 1, 0, &x[3], NULL), LB_OK));
        for (int k = 0; k < 4; k++) {
            cr_expect(eq(str, x[k].na, (char *)reason), "number %d of %zu rows", k, n);
            cr_expect(isnan(x[k].value) && isnan(x[k].boot_mean) && isnan(x[k].p_positive));
            cr_expect(eq(sz, x[k].n, n));
        }
        lb_bootstrap_draws_r2(b, 1, draws);
        cr_expect(isnan(draws[DRAWS - 1]));
        lb_bootstrap_free(b);
        lb_rowset_free(few);
    }
}

Test(bootstrap, share_and_retention_have_intervals_and_know_their_kind)
{
    static double half[N_ALL];
    for (size_t i = 0; i < N_ALL; i++)
        half[i] = i % 2 ? s.mixture[i] : s.global[i];
    const lb_outcome three[] = {outcome(rows, s.y, half, "half"), pair[1], pair[0]};
    lb_bootstrap *b = make(three, 3, 500, 6);
    lb_number share, kept, r2[3];
    cr_assert(eq(int, lb_bootstrap_share(b, 0, 1, 2, &share, NULL), LB_OK));
    cr_assert(eq(int, lb_bootstrap_retention(b, 0, 1, 2, &kept, NULL), LB_OK));
    for (int k = 0; k < 3; k++)
        lb_score_r2(&three[k], &r2[k], NULL);
    const double point = (r2[0].value - r2[1].value) / (r2[2].value - r2[1].value);
    cr_expect(epsilon_eq(dbl, share.value, point, 1e-14));
    cr_expect(share.ci_lo < share.value && share.value < share.ci_hi);
    cr_expect(share.ci_lo > 0.3 && share.ci_hi < 0.7, "[%g, %g]", share.ci_lo, share.ci_hi);
    cr_expect(eq(str, share.kind, "share"));
    cr_expect(eq(str, kept.kind, "retention"));
    cr_expect(eq(dbl, kept.value, share.value));
    cr_assert(eq(int, lb_bootstrap_retention(b, 2, 1, 2, &kept, NULL), LB_OK));
    cr_expect(eq(dbl, kept.value, 1.0));
    cr_expect(eq(dbl, kept.ci_lo, 1.0));
    lb_bootstrap_free(b);
}

/* 7.3 % "retained" of a gain of 0.0037 inside +-0.017 is what this rule is for. */
Test(bootstrap, no_ratio_over_a_gain_that_may_be_zero)
{
    static double hair[N_ALL], noise[N_ALL];
    lb_rng r = lb_rng_make(8, 8);
    for (size_t i = 0; i < N_ALL; i++) {
        hair[i] = s.y[i] + 0.985 * (s.global[i] - s.y[i]); /* sure, but below 0.01 */
        noise[i] = s.y[i] + 0.97 * (s.global[i] - s.y[i]) + 0.25 * lb_rng_normal(&r);
    }
    const lb_outcome models[] = {outcome(rows, s.y, hair, "hair"), pair[1], pair[0],
                                 outcome(rows, s.y, noise, "noise")};
    lb_bootstrap *b = make(models, 4, 300, 6);
    lb_number gain, x;
    cr_assert(eq(int, lb_bootstrap_delta(b, 0, 1, 0, &gain, NULL), LB_OK));
    cr_assert(gain.ci_lo > 0.0 && gain.value < LB_SMALLEST_GAIN, "%g", gain.value);
    cr_expect(eq(int, lb_bootstrap_retention(b, 2, 1, 0, &x, NULL), LB_OK));
    cr_expect(eq(str, x.na, LB_NA_DENOMINATOR));
    cr_expect(eq(sz, strlen(LB_NA_DENOMINATOR) + 1, strlen(x.na) + 1), "the reason fits its field");
    cr_expect(isnan(x.value) && isnan(x.ci_lo));
    cr_expect(eq(int, lb_bootstrap_share(b, 2, 1, 3, &x, NULL), LB_OK));
    cr_expect(eq(str, x.na, LB_NA_DENOMINATOR), "a worse 'oracle'");
    lb_bootstrap_set_headroom(b, (lb_headroom){0.5 * gain.value, false});
    cr_expect(eq(int, lb_bootstrap_retention(b, 2, 1, 0, &x, NULL), LB_OK));
    cr_expect(x.ci_lo < x.value && x.value < x.ci_hi, "small, but sure");
    cr_expect(eq(int, lb_bootstrap_share(b, 2, 1, 3, &x, NULL), LB_OK));
    cr_expect(eq(str, x.na, LB_NA_HEADROOM), "a worse 'oracle'");
    lb_bootstrap_free(b);
}

/* A gain of 0.05 on forty noisy rows: large, but its interval holds zero. */
Test(bootstrap, no_ratio_when_the_interval_of_the_gain_holds_zero)
{
    enum { N = 40 };
    double y[N], a[N], c[N];
    draw_noisy(N, 0.55, y, a, c);
    lb_rowset *few = lb_rowset_all("forty", "d", N);
    const lb_outcome o[] = {outcome(few, y, a, "a"), outcome(few, y, c, "c")};
    lb_bootstrap *b = make(o, 2, 500, 2);
    lb_number d, x;
    cr_assert(eq(int, lb_bootstrap_delta(b, 0, 1, 0, &d, NULL), LB_OK));
    const bool first = d.value > 0.0; /* whichever is ahead */
    cr_assert(eq(int, lb_bootstrap_delta(b, !first, first, 0, &d, NULL), LB_OK));
    cr_assert(d.value >= LB_SMALLEST_GAIN && d.ci_lo <= 0.0, "%g [%g, %g]", d.value, d.ci_lo,
              d.ci_hi);
    cr_expect(eq(int, lb_bootstrap_retention(b, !first, first, !first, &x, NULL), LB_OK));
    cr_expect(eq(str, x.na, LB_NA_DENOMINATOR));
    /* where only the size of the gain is asked for: a value, and no interval, for it has no end */
    lb_bootstrap_set_headroom(b, (lb_headroom){0.005, false});
    cr_expect(eq(int, lb_bootstrap_retention(b, !first, first, !first, &x, NULL), LB_OK));
    cr_expect(eq(dbl, x.value, 1.0));
    cr_expect(eq(str, x.na, ""));
    cr_expect(isnan(x.ci_lo) && isnan(x.ci_hi) && isnan(x.se));
    cr_expect(eq(int, lb_number_decimals(&x), 2));
    lb_bootstrap_set_headroom(b, (lb_headroom){2.0 * d.value, false});
    cr_expect(eq(int, lb_bootstrap_retention(b, !first, first, !first, &x, NULL), LB_OK));
    cr_expect(eq(str, x.na, LB_NA_HEADROOM));
    cr_expect(isnan(x.value));
    lb_bootstrap_free(b);
    lb_rowset_free(few);
}

/* One row decides everything: the estimate 0.999 is nowhere near what resamples of the other rows
 * give, and a narrow level leaves it outside. Such a number must not be printed. */
Test(bootstrap, an_estimate_outside_its_interval_is_an_error)
{
    enum { N = 30 };
    double y[N], yhat[N];
    for (size_t i = 0; i < N; i++) {
        y[i] = i ? (double)(i % 2) : 1000.0;
        yhat[i] = i ? 0.5 : 1000.0;
    }
    lb_rowset *few = lb_rowset_all("few", "d", N);
    const lb_outcome o = outcome(few, y, yhat, "m");
    lb_bootstrap *b = make(&o, 1, 200, 2);
    lb_number x;
    lb_error err = {0};
    cr_expect(eq(int, lb_bootstrap_set_level(b, 0.05, NULL), LB_OK));
    cr_expect(eq(int, lb_bootstrap_r2(b, 0, &x, &err), LB_ENUMERIC), "%g [%g, %g]", x.value,
              x.ci_lo, x.ci_hi);
    cr_expect(strstr(err.text, "outside its own bootstrap interval") != NULL, "%s", err.text);
    lb_bootstrap_free(b);
    lb_rowset_free(few);
}

/* Coverage: over repeated samples the nominal 90 % interval holds the true R2 about that often. */
Test(bootstrap, intervals_cover_the_truth_about_as_often_as_they_say)
{
    enum { N = 200, TRIALS = 300 };
    double y[N], yhat[N];
    const double truth = 1.0 - 0.25 / (16.0 / 12.0); /* uniform on [1, 5], error sd 0.5 */
    lb_rowset *set = lb_rowset_all("set", "d", N);
    size_t covered = 0;
    for (size_t t = 0; t < TRIALS; t++) {
        lb_rng r = lb_rng_make(77, t);
        for (size_t i = 0; i < N; i++) {
            y[i] = 1.0 + 4.0 * lb_rng_uniform(&r);
            yhat[i] = y[i] + 0.5 * lb_rng_normal(&r);
        }
        const lb_outcome o = outcome(set, y, yhat, "m");
        lb_bootstrap *b = make(&o, 1, 200, t);
        lb_number x;
        lb_bootstrap_set_level(b, 0.9, NULL);
        cr_assert(eq(int, lb_bootstrap_r2(b, 0, &x, NULL), LB_OK));
        covered += x.ci_lo <= truth && truth <= x.ci_hi;
        lb_bootstrap_free(b);
    }
    cr_expect(covered > 0.84 * TRIALS && covered < 0.95 * TRIALS, "%zu of %d", covered, TRIALS);
    lb_rowset_free(set);
}
