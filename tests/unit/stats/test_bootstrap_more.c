/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "core/threads.h"
#include "outcomes.h"
#include "stats/bootstrap.h"
#include "stats/quantile.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Clusters, nested draws, combinations, ratios and BCa; the plain bootstrap is in test_bootstrap.c.
 */
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

TestSuite(bootstrap_more, .init = setup, .fini = teardown);

static lb_bootstrap *make(const lb_outcome *models, size_t m, lb_bootstrap_plan plan)
{
    lb_bootstrap *b = NULL;
    lb_error err = {0};
    cr_assert(eq(int, lb_bootstrap_new_plan(models, m, plan, &b, &err), LB_OK), "%s", err.text);
    return b;
}

/* --- slow, obvious versions ----------------------------------------------------------------------
 */

/* R2 of the listed rows, two passes. */
static double r2_of(const double *y, const double *yhat, const size_t *list, size_t n)
{
    double mean = 0.0, residual = 0.0, total = 0.0;
    for (size_t i = 0; i < n; i++)
        mean += y[list[i]] / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double d = y[list[i]] - mean, e = y[list[i]] - yhat[list[i]];
        total += d * d;
        residual += e * e;
    }
    return 1.0 - residual / total;
}

/* R2 without row i of n. */
static double r2_without(const double *y, const double *yhat, size_t n, size_t i)
{
    size_t *list = lb_xcalloc(n, sizeof *list), count = 0;
    for (size_t k = 0; k < n; k++)
        if (k != i)
            list[count++] = k;
    const double r2 = r2_of(y, yhat, list, count);
    free(list);
    return r2;
}

/* BCa from unsorted draws and jackknife values, in Efron & Tibshirani's own symbols. */
static void obvious_bca(double *draws, size_t count, const double *jack, size_t n, double value,
                        double level, double ci[2])
{
    const double dot = lb_mean(jack, n);
    double square = 0.0, cube = 0.0, below = 0.0;
    for (size_t i = 0; i < n; i++) {
        square += pow(dot - jack[i], 2);
        cube += pow(dot - jack[i], 3);
    }
    for (size_t d = 0; d < count; d++)
        below += draws[d] < value ? 1.0 : draws[d] == value ? 0.5 : 0.0;
    const double a = cube / (6.0 * pow(square, 1.5));
    const double z0 = gsl_cdf_ugaussian_Pinv(below / (double)count);
    lb_sort(draws, count);
    for (int k = 0; k < 2; k++) {
        const double z = gsl_cdf_ugaussian_Pinv(k ? (1.0 + level) / 2.0 : (1.0 - level) / 2.0);
        ci[k] = lb_quantile(draws, count, gsl_cdf_ugaussian_P(z0 + (z0 + z) / (1 - a * (z0 + z))));
    }
}

/* --- clusters ------------------------------------------------------------------------------------
 */

Test(bootstrap_more, rows_that_are_their_own_cluster_change_no_bit)
{
    enum { DRAWS = 40 };
    static size_t label[N_ALL];
    double plain[DRAWS], clustered[DRAWS];
    for (size_t i = 0; i < N_ALL; i++)
        label[i] = 7 * (N_ALL - i); /* any labels, in any order */
    lb_bootstrap *a = make(pair, 2, (lb_bootstrap_plan){.draws = DRAWS, .seed = 5});
    lb_bootstrap *b = make(pair, 2, (lb_bootstrap_plan){DRAWS, 5, 1, label});
    for (size_t k = 0; k < 2; k++) {
        lb_bootstrap_draws_r2(a, k, plain);
        lb_bootstrap_draws_r2(b, k, clustered);
        cr_expect(eq(int, memcmp(plain, clustered, sizeof plain), 0));
    }
    lb_bootstrap_free(a);
    lb_bootstrap_free(b);
}

/* Stars at 1 to 4 noise levels each, the levels one after the other: clusters of unequal size whose
 * rows are far apart. */
Test(bootstrap_more, every_draw_takes_whole_clusters)
{
    enum { STARS = 60, N = 150, DRAWS = 30 };
    static size_t star[N], list[4 * STARS];
    for (size_t i = 0; i < N; i++)
        star[i] = i % STARS;
    lb_rowset *set = lb_rowset_all("stacked", "d", N);
    const lb_outcome o = outcome(set, s.y, s.global, "m");
    lb_bootstrap *b = make(&o, 1, (lb_bootstrap_plan){DRAWS, 9, 1, star});
    double draws[DRAWS];
    lb_bootstrap_draws_r2(b, 0, draws);
    for (size_t d = 0; d < DRAWS; d++) {
        lb_rng r = lb_rng_make(9, d);
        size_t n = 0;
        for (size_t g = 0; g < STARS; g++) {
            const size_t picked = lb_rng_below(&r, STARS);
            for (size_t i = 0; i < N; i++)
                if (star[i] == picked)
                    list[n++] = i;
        }
        cr_expect(epsilon_eq(dbl, draws[d], r2_of(s.y, s.global, list, n), 1e-12));
    }
    lb_bootstrap_free(b);
    lb_rowset_free(set);
}

/* Five copies of each row know no more than one: the same draws, the same interval. */
Test(bootstrap_more, copies_of_a_star_add_no_information_when_they_are_clustered)
{
    enum { COPIES = 5, N = COPIES * N_ALL, DRAWS = 200 };
    static double y[N], yhat[N];
    static size_t star[N];
    for (size_t i = 0; i < N; i++) {
        star[i] = i % N_ALL;
        y[i] = s.y[star[i]];
        yhat[i] = s.global[star[i]];
    }
    lb_rowset *stacked = lb_rowset_new("stacked", "d", star, N);
    const lb_outcome o = outcome(stacked, y, yhat, "global");
    lb_bootstrap *one = make(&pair[1], 1, (lb_bootstrap_plan){.draws = DRAWS, .seed = 3});
    lb_bootstrap *five = make(&o, 1, (lb_bootstrap_plan){DRAWS, 3, 0, lb_rowset_index(stacked)});
    lb_bootstrap *naive = make(&o, 1, (lb_bootstrap_plan){.draws = DRAWS, .seed = 3});
    for (int kind = 0; kind < 2; kind++) {
        lb_number x1, x5, x0;
        lb_bootstrap_set_interval(one, kind ? LB_INTERVAL_BCA : LB_INTERVAL_PERCENTILE);
        lb_bootstrap_set_interval(five, kind ? LB_INTERVAL_BCA : LB_INTERVAL_PERCENTILE);
        cr_assert(eq(int, lb_bootstrap_r2(one, 0, &x1, NULL), LB_OK));
        cr_assert(eq(int, lb_bootstrap_r2(five, 0, &x5, NULL), LB_OK));
        cr_assert(eq(int, lb_bootstrap_r2(naive, 0, &x0, NULL), LB_OK));
        cr_expect(epsilon_eq(dbl, x5.ci_lo, x1.ci_lo, 1e-12));
        cr_expect(epsilon_eq(dbl, x5.ci_hi, x1.ci_hi, 1e-12));
        cr_expect(epsilon_eq(dbl, x5.se, x1.se, 1e-12));
        cr_expect(eq(sz, x5.n, N));
        cr_expect(epsilon_eq(dbl, x0.se, x1.se / sqrt(COPIES), 0.15 * x0.se), "too narrow");
    }
    lb_bootstrap_free(one);
    lb_bootstrap_free(five);
    lb_bootstrap_free(naive);
    lb_rowset_free(stacked);
}

Test(bootstrap_more, a_single_cluster_leaves_nothing_to_resample)
{
    static size_t label[N_ALL];
    lb_bootstrap *b = make(pair, 2, (lb_bootstrap_plan){10, 3, 1, label});
    const double weights[] = {1.0, -1.0};
    lb_number x[3];
    double draws[10];
    cr_expect(eq(int, lb_bootstrap_r2(b, 0, &x[0], NULL), LB_OK));
    cr_expect(eq(int, lb_bootstrap_combination(b, weights, 2, 0.0, &x[1], NULL), LB_OK));
    cr_expect(eq(int, lb_bootstrap_ratio(b, weights, weights, 2, &x[2], NULL), LB_OK));
    for (int k = 0; k < 3; k++) {
        cr_expect(eq(str, x[k].na, (char *)"n/a (a single cluster)"));
        cr_expect(isnan(x[k].value) && isnan(x[k].ci_lo));
    }
    lb_bootstrap_draws_ratio(b, weights, weights, draws);
    cr_expect(isnan(draws[0]));
    lb_bootstrap_free(b);
}

/* Two clusters of equal targets: half of all resamples have none but one of them. */
Test(bootstrap_more, clusters_without_variance_are_redrawn_and_counted)
{
    enum { DRAWS = 2000 };
    static double draws[DRAWS];
    const double y[] = {2.3, 3.1, 2.3, 3.1, 2.3}, yhat[] = {2.2, 3.0, 2.5, 3.3, 2.3};
    const size_t label[] = {1, 0, 1, 0, 1};
    lb_rowset *five = lb_rowset_all("five", "d", 5);
    const lb_outcome o = outcome(five, y, yhat, "m");
    lb_bootstrap *b = make(&o, 1, (lb_bootstrap_plan){DRAWS, 4, 1, label});
    const double redrawn = (double)lb_bootstrap_redrawn(b); /* geometric: mean 1, variance 2 */
    cr_expect(epsilon_eq(dbl, redrawn, (double)DRAWS, 4.0 * sqrt(2.0 * DRAWS)));
    lb_bootstrap_draws_r2(b, 0, draws);
    const size_t all[] = {0, 1, 2, 3, 4};
    for (size_t d = 0; d < DRAWS; d++)
        cr_expect(epsilon_eq(dbl, draws[d], r2_of(y, yhat, all, 5), 1e-12));
    lb_bootstrap_free(b);
    lb_rowset_free(five);
}

/* Two small clusters near 0, one near a million: a draw without the last has a variance of twelve
 * digits less than the squares around the mean of all rows. */
Test(bootstrap_more, small_variance_far_from_the_mean_keeps_its_digits)
{
    enum { N = 8, DRAWS = 200 };
    const double y[N] = {0, 1e6, 1, 3, 5, 7, 1e6 + 2, 1e6 + 3};
    const double yhat[N] = {0.5, 1e6, 1, 2, 5.5, 7, 1e6 + 1, 1e6 + 2.5};
    const size_t label[N] = {0, 2, 0, 0, 1, 1, 2, 2};
    double draws[DRAWS];
    size_t near = 0;
    lb_rowset *set = lb_rowset_all("far", "d", N);
    const lb_outcome o = outcome(set, y, yhat, "m");
    lb_bootstrap *b = make(&o, 1, (lb_bootstrap_plan){DRAWS, 3, 1, label});
    const size_t order[] = {0, 2, 1}; /* clusters are numbered as they appear */
    lb_bootstrap_draws_r2(b, 0, draws);
    for (size_t d = 0; d < DRAWS; d++) {
        lb_rng r = lb_rng_make(3, d);
        size_t list[3 * N], n = 0;
        bool far = false;
        for (size_t g = 0; g < 3; g++) {
            const size_t picked = order[lb_rng_below(&r, 3)];
            far |= picked == 2;
            for (size_t i = 0; i < N; i++)
                if (label[i] == picked)
                    list[n++] = i;
        }
        near += !far;
        cr_expect(epsilon_eq(dbl, draws[d], r2_of(y, yhat, list, n), 1e-9), "draw %zu", d);
    }
    cr_expect(gt(sz, near, 30), "8 of 27 draws are near");
    lb_bootstrap_free(b);
    lb_rowset_free(set);
}

/* --- nested draws --------------------------------------------------------------------------------
 */

enum { COLUMNS = 10 };

/* Two models under ten draws of one gate noise, and the global model, which has none. */
static void gate_noise(double (*yhat)[N_ALL], lb_outcome *models)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        lb_rng r = lb_rng_make(31, c);
        for (size_t i = 0; i < N_ALL; i++) {
            const double z = lb_rng_normal(&r);
            yhat[c][i] = s.mixture[i] + (0.08 + 0.02 * (double)c) * z;
            yhat[COLUMNS + c][i] = s.mixture[i] + 0.05 * z;
        }
        models[c] = outcome(rows, s.y, yhat[c], "hard");
        models[COLUMNS + c] = outcome(rows, s.y, yhat[COLUMNS + c], "conditional");
        models[2 * COLUMNS + c] = pair[1];
    }
}

Test(bootstrap_more, equal_columns_are_no_nesting)
{
    enum { DRAWS = 40 };
    const lb_outcome copies[] = {pair[0], pair[0], pair[0], pair[1], pair[1], pair[1]};
    double plain[DRAWS], nested[DRAWS];
    lb_number x[2];
    lb_bootstrap *a = make(pair, 2, (lb_bootstrap_plan){.draws = DRAWS, .seed = 5});
    lb_bootstrap *b = make(copies, 2, (lb_bootstrap_plan){DRAWS, 5, 3, NULL});
    lb_bootstrap_draws_delta(a, 0, 1, plain);
    lb_bootstrap_draws_delta(b, 0, 1, nested);
    cr_expect(eq(int, memcmp(plain, nested, sizeof plain), 0));
    lb_bootstrap_set_interval(a, LB_INTERVAL_BCA);
    lb_bootstrap_set_interval(b, LB_INTERVAL_BCA);
    cr_assert(eq(int, lb_bootstrap_delta(a, 0, 1, 0.03, &x[0], NULL), LB_OK));
    cr_assert(eq(int, lb_bootstrap_delta(b, 0, 1, 0.03, &x[1], NULL), LB_OK));
    cr_expect(epsilon_eq(dbl, x[0].value, x[1].value, 1e-15));
    cr_expect(epsilon_eq(dbl, x[0].ci_lo, x[1].ci_lo, 1e-10));
    lb_bootstrap_free(a);
    lb_bootstrap_free(b);
}

Test(bootstrap_more, each_nested_draw_is_one_column_on_its_rows_for_all_models)
{
    enum { DRAWS = 60 };
    static double yhat[2 * COLUMNS][N_ALL];
    lb_outcome models[3 * COLUMNS];
    double draws[3][DRAWS];
    size_t list[N_ALL], used = 0;
    gate_noise(yhat, models);
    lb_bootstrap *b = make(models, 3, (lb_bootstrap_plan){DRAWS, 12, COLUMNS, NULL});
    for (size_t k = 0; k < 3; k++)
        lb_bootstrap_draws_r2(b, k, draws[k]);
    for (size_t d = 0; d < DRAWS; d++) {
        lb_rng r = lb_rng_make(12, d), upper = lb_rng_make(12, (UINT64_C(1) << 63) + d);
        const size_t c = lb_rng_below(&upper, COLUMNS);
        used |= (size_t)1 << c;
        for (size_t i = 0; i < N_ALL; i++)
            list[i] = lb_rng_below(&r, N_ALL);
        cr_expect(epsilon_eq(dbl, draws[0][d], r2_of(s.y, yhat[c], list, N_ALL), 1e-12));
        cr_expect(epsilon_eq(dbl, draws[1][d], r2_of(s.y, yhat[COLUMNS + c], list, N_ALL), 1e-12));
        cr_expect(epsilon_eq(dbl, draws[2][d], r2_of(s.y, s.global, list, N_ALL), 1e-12));
    }
    cr_expect(eq(sz, used, ((size_t)1 << COLUMNS) - 1), "every column has its turn");
    lb_bootstrap_free(b);
}

/* Spread of one realisation = spread over rows + spread between columns; the mean over columns,
 * a combination of the columns as models, is surer. */
Test(bootstrap_more, a_nested_interval_is_of_one_realisation_and_the_value_of_the_mean)
{
    enum { DRAWS = 4000 };
    static double yhat[2 * COLUMNS][N_ALL];
    lb_outcome models[3 * COLUMNS];
    double weights[COLUMNS], column[COLUMNS];
    gate_noise(yhat, models);
    for (size_t c = 0; c < COLUMNS; c++) {
        lb_number x;
        lb_score_r2(&models[c], &x, NULL);
        column[c] = x.value;
        weights[c] = 1.0 / COLUMNS;
    }
    lb_bootstrap *nested = make(models, 3, (lb_bootstrap_plan){DRAWS, 12, COLUMNS, NULL});
    lb_bootstrap *crossed = make(models, COLUMNS, (lb_bootstrap_plan){.draws = DRAWS, .seed = 12});
    lb_number one, mean, kept;
    cr_assert(eq(int, lb_bootstrap_r2(nested, 0, &one, NULL), LB_OK));
    cr_assert(eq(int, lb_bootstrap_combination(crossed, weights, COLUMNS, 0, &mean, NULL), LB_OK));
    cr_expect(epsilon_eq(dbl, one.value, lb_mean(column, COLUMNS), 1e-14));
    cr_expect(epsilon_eq(dbl, mean.value, one.value, 1e-14));
    const double both = hypot(mean.se, lb_std(column, COLUMNS, 0));
    cr_expect(epsilon_eq(dbl, one.se, both, 0.05 * both), "%g, %g", one.se, both);
    cr_expect(gt(dbl, one.se, 1.2 * mean.se));
    cr_assert(eq(int, lb_bootstrap_retention(nested, 0, 2, 1, &kept, NULL), LB_OK));
    cr_expect(kept.ci_lo < kept.value && kept.value < 1.0 && kept.ci_hi < 1.0);
    lb_bootstrap_free(nested);
    lb_bootstrap_free(crossed);
}

/* --- combinations and ratios ---------------------------------------------------------------------
 */

static double third[N_ALL], fourth[N_ALL];

/* Models 0-3: mixture, global, and both at a higher noise level. */
static lb_bootstrap *four(size_t draws)
{
    lb_rng r = lb_rng_make(2, 2);
    for (size_t i = 0; i < N_ALL; i++) {
        const double z = 0.4 * lb_rng_normal(&r);
        third[i] = s.mixture[i] + z;
        fourth[i] = s.global[i] + z + 0.3 * lb_rng_normal(&r);
    }
    const lb_outcome models[] = {pair[0], pair[1], outcome(rows, s.y, third, "third"),
                                 outcome(rows, s.y, fourth, "fourth")};
    return make(models, 4, (lb_bootstrap_plan){.draws = draws, .seed = 77});
}

static bool same_number(const lb_number *a, const lb_number *b)
{
    return a->value == b->value && a->ci_lo == b->ci_lo && a->ci_hi == b->ci_hi && a->se == b->se &&
           !strcmp(a->rows, b->rows) && a->n == b->n && a->seed == b->seed;
}

Test(bootstrap_more, a_single_model_a_delta_and_a_share_are_special_combinations)
{
    lb_bootstrap *b = four(300);
    const double single[] = {0, 0, 1, 0}, delta[] = {1, 0, 0, -1}, part[] = {0, 1, 0, -1};
    lb_number x, y;
    cr_assert(eq(int, lb_bootstrap_combination(b, single, 4, 0.03, &x, NULL), LB_OK));
    cr_assert(eq(int, lb_bootstrap_r2(b, 2, &y, NULL), LB_OK));
    cr_expect(same_number(&x, &y));
    cr_expect(eq(str, x.kind, "r2"));
    cr_assert(eq(int, lb_bootstrap_combination(b, delta, 4, 0.03, &x, NULL), LB_OK));
    cr_assert(eq(int, lb_bootstrap_delta(b, 0, 3, 0.03, &y, NULL), LB_OK));
    cr_expect(same_number(&x, &y));
    cr_expect(eq(dbl, x.p_above, y.p_above));
    cr_expect(eq(str, x.kind, "delta_r2"));
    cr_assert(eq(int, lb_bootstrap_ratio(b, part, delta, 4, &x, NULL), LB_OK));
    cr_assert(eq(int, lb_bootstrap_share(b, 1, 3, 0, &y, NULL), LB_OK));
    cr_expect(same_number(&x, &y));
    cr_expect(eq(str, x.kind, "ratio"));
    lb_bootstrap_free(b);
}

Test(bootstrap_more, a_mean_over_levels_is_the_mean_in_every_draw)
{
    enum { DRAWS = 300 };
    lb_bootstrap *b = four(DRAWS);
    const double gain[] = {0.5, -0.5, 0.5, -0.5}, twice[] = {-1, 1, 1, -1};
    double low[DRAWS], high[DRAWS], mean[DRAWS];
    lb_number x, a, c;
    size_t above = 0;
    lb_bootstrap_draws_delta(b, 0, 1, low);
    lb_bootstrap_draws_delta(b, 2, 3, high);
    lb_bootstrap_draws_ratio(b, gain, NULL, mean);
    for (size_t d = 0; d < DRAWS; d++) {
        cr_expect(epsilon_eq(dbl, mean[d], 0.5 * (low[d] + high[d]), 1e-15));
        above += high[d] - low[d] > 0.02;
    }
    cr_assert(eq(int, lb_bootstrap_combination(b, gain, 4, 0.0, &x, NULL), LB_OK));
    cr_assert(eq(int, lb_bootstrap_delta(b, 0, 1, 0, &a, NULL), LB_OK));
    cr_assert(eq(int, lb_bootstrap_delta(b, 2, 3, 0, &c, NULL), LB_OK));
    cr_expect(epsilon_eq(dbl, x.value, 0.5 * (a.value + c.value), 1e-15));
    lb_sort(mean, DRAWS);
    cr_expect(eq(dbl, x.ci_lo, lb_quantile(mean, DRAWS, (1.0 - 0.95) / 2.0)));
    cr_expect(lt(dbl, x.se, 0.5 * (a.se + c.se)));
    cr_assert(eq(int, lb_bootstrap_combination(b, twice, 4, 0.02, &x, NULL), LB_OK));
    cr_expect(epsilon_eq(dbl, x.value, c.value - a.value, 1e-15), "difference of differences");
    cr_expect(eq(dbl, x.p_above, (double)above / DRAWS));
    lb_bootstrap_free(b);
}

Test(bootstrap_more, a_ratio_of_gains_has_the_rule_of_the_share)
{
    enum { DRAWS = 300 };
    lb_bootstrap *b = four(DRAWS);
    const double low[] = {1, -1, 0, 0}, high[] = {0, 0, 1, -1}, loss[] = {-1, 1, 0, 0};
    const double none[] = {1, -1 + 1e-15, 0, 0}, hair[] = {0.05, -0.05, 0, 0};
    double draws[DRAWS], top[DRAWS], bottom[DRAWS];
    lb_number x, a, c;
    cr_assert(eq(int, lb_bootstrap_ratio(b, high, low, 4, &x, NULL), LB_OK));
    lb_bootstrap_delta(b, 0, 1, 0, &a, NULL);
    lb_bootstrap_delta(b, 2, 3, 0, &c, NULL);
    lb_bootstrap_draws_ratio(b, high, low, draws);
    lb_bootstrap_draws_delta(b, 0, 1, bottom);
    lb_bootstrap_draws_delta(b, 2, 3, top);
    for (size_t d = 0; d < DRAWS; d++)
        cr_expect(eq(dbl, draws[d], top[d] / bottom[d]));
    cr_expect(eq(dbl, x.value, c.value / a.value));
    cr_expect(x.ci_lo < x.value && x.value < x.ci_hi);
    cr_expect(isnan(x.p_above));
    cr_expect(eq(int, lb_bootstrap_ratio(b, none, low, 4, &x, NULL), LB_OK), "rounding is no sum");
    lb_bootstrap_draws_ratio(b, high, loss, draws);
    cr_expect(isnan(draws[0]), "a negative denominator");
    cr_expect(eq(int, lb_bootstrap_ratio(b, high, loss, 4, &x, NULL), LB_OK));
    cr_expect(eq(str, x.na, LB_NA_DENOMINATOR));
    /* surely positive, but only 0.003: also below the 0.005 of "no headroom" */
    cr_expect(eq(int, lb_bootstrap_ratio(b, high, hair, 4, &x, NULL), LB_OK));
    cr_expect(eq(str, x.na, LB_NA_DENOMINATOR));
    cr_expect(isnan(x.value) && isnan(x.ci_lo) && isnan(x.se));
    lb_bootstrap_free(b);
}

Test(bootstrap_more, weights_that_are_neither_mean_nor_contrast_are_refused)
{
    lb_bootstrap *b = four(10);
    const double good[] = {1, -1, 0, 0};
    const double bad[][4] = {{1, 1, 0, 0},
                             {0.5, 0, 0, 0},
                             {0, 0, 0, 0},
                             {(double)NAN, 0, 0, 1},
                             {(double)INFINITY, 0, 0, 0},
                             {1, -0.9, 0, 0}};
    lb_number x;
    lb_error err = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_expect(eq(int, lb_bootstrap_combination(b, bad[i], 4, 0, &x, NULL), LB_EINVAL), "%zu",
                  i);
        cr_expect(eq(int, lb_bootstrap_ratio(b, bad[i], good, 4, &x, NULL), LB_EINVAL));
        cr_expect(eq(int, lb_bootstrap_ratio(b, good, bad[i], 4, &x, NULL), LB_EINVAL));
    }
    cr_expect(eq(int, lb_bootstrap_combination(b, good, 3, 0, &x, &err), LB_ESHAPE));
    cr_expect(strstr(err.text, "3 weights for a bootstrap of 4") != NULL, "%s", err.text);
    cr_expect(eq(int, lb_bootstrap_ratio(b, good, good, 5, &x, NULL), LB_ESHAPE));
    lb_bootstrap_free(b);
}

Test(bootstrap_more, an_oracle_with_a_weight_marks_the_number)
{
    lb_outcome models[] = {pair[0], pair[1], pair[1]};
    models[0].oracle = true;
    lb_bootstrap *b = make(models, 3, (lb_bootstrap_plan){.draws = 50, .seed = 1});
    const double with[] = {1, -0.5, -0.5}, without[] = {0, 0.5, 0.5};
    lb_number x;
    cr_assert(eq(int, lb_bootstrap_combination(b, with, 3, 0, &x, NULL), LB_OK));
    cr_expect(x.oracle);
    cr_assert(eq(int, lb_bootstrap_combination(b, without, 3, 0, &x, NULL), LB_OK));
    cr_expect(not(x.oracle));
    cr_assert(eq(int, lb_bootstrap_ratio(b, without, with, 3, &x, NULL), LB_OK));
    cr_expect(x.oracle);
    lb_bootstrap_free(b);
    const lb_outcome columns[] = {pair[0], models[0]};
    b = make(columns, 1, (lb_bootstrap_plan){10, 1, 2, NULL});
    cr_assert(eq(int, lb_bootstrap_r2(b, 0, &x, NULL), LB_OK));
    cr_expect(x.oracle, "one column is enough");
    lb_bootstrap_free(b);
}

/* --- BCa -----------------------------------------------------------------------------------------
 */

Test(bootstrap_more, bca_is_the_formula_on_the_obvious_jackknife)
{
    enum { DRAWS = 500, N = 80 };
    static double mixture[N], global[N], delta[N], share[N], draws[DRAWS];
    lb_rowset *few = lb_rowset_all("eighty", "d", N);
    const lb_outcome o[] = {outcome(few, s.y, s.mixture, "mixture"),
                            outcome(few, s.y, s.global, "global")};
    lb_bootstrap *b = make(o, 2, (lb_bootstrap_plan){.draws = DRAWS, .seed = 8});
    const double gain[] = {1, -1}, half[] = {0.5, -0.5};
    double ci[2];
    lb_number x;
    for (size_t i = 0; i < N; i++) {
        mixture[i] = r2_without(s.y, s.mixture, N, i);
        global[i] = r2_without(s.y, s.global, N, i);
        delta[i] = mixture[i] - global[i];
        share[i] = mixture[i] / delta[i];
    }
    lb_bootstrap_set_interval(b, LB_INTERVAL_BCA);
    lb_bootstrap_set_level(b, 0.9, NULL);
    cr_assert(eq(int, lb_bootstrap_r2(b, 1, &x, NULL), LB_OK));
    lb_bootstrap_draws_r2(b, 1, draws);
    obvious_bca(draws, DRAWS, global, N, x.value, 0.9, ci);
    cr_expect(epsilon_eq(dbl, x.ci_lo, ci[0], 1e-11));
    cr_expect(epsilon_eq(dbl, x.ci_hi, ci[1], 1e-11));
    cr_assert(eq(int, lb_bootstrap_delta(b, 0, 1, 0, &x, NULL), LB_OK));
    lb_bootstrap_draws_delta(b, 0, 1, draws);
    obvious_bca(draws, DRAWS, delta, N, x.value, 0.9, ci);
    cr_expect(epsilon_eq(dbl, x.ci_lo, ci[0], 1e-11));
    cr_expect(epsilon_eq(dbl, x.ci_hi, ci[1], 1e-11));
    const double top[] = {1, 0};
    cr_assert(eq(int, lb_bootstrap_ratio(b, top, gain, 2, &x, NULL), LB_OK));
    lb_bootstrap_draws_ratio(b, top, gain, draws);
    obvious_bca(draws, DRAWS, share, N, x.value, 0.9, ci);
    cr_expect(epsilon_eq(dbl, x.ci_lo, ci[0], 1e-10));
    cr_expect(epsilon_eq(dbl, x.ci_hi, ci[1], 1e-10));
    cr_assert(eq(int, lb_bootstrap_ratio(b, half, gain, 2, &x, NULL), LB_OK));
    cr_expect(eq(dbl, x.ci_lo, 0.5));
    cr_expect(eq(dbl, x.ci_hi, 0.5), "a value that does not vary");
    lb_bootstrap_set_interval(b, LB_INTERVAL_PERCENTILE);
    cr_assert(eq(int, lb_bootstrap_delta(b, 0, 1, 0, &x, NULL), LB_OK));
    lb_bootstrap_draws_delta(b, 0, 1, draws);
    lb_sort(draws, DRAWS);
    cr_expect(epsilon_eq(dbl, x.ci_hi, lb_quantile(draws, DRAWS, 0.95), 1e-15), "and back again");
    lb_bootstrap_free(b);
    lb_rowset_free(few);
}

/* Small integers, so that every order of the same rows has the very same R2: about a tenth of the
 * draws equal the estimate. */
Test(bootstrap_more, draws_equal_to_the_estimate_count_half)
{
    enum { DRAWS = 400, N = 4 };
    const double y[N] = {0, 4, 8, 12}, yhat[N] = {1, 4, 10, 11};
    double draws[DRAWS], jack[N], ci[2];
    size_t ties = 0;
    lb_rowset *set = lb_rowset_all("integers", "d", N);
    const lb_outcome o = outcome(set, y, yhat, "m");
    lb_bootstrap *b = make(&o, 1, (lb_bootstrap_plan){.draws = DRAWS, .seed = 6});
    lb_number x;
    lb_bootstrap_set_interval(b, LB_INTERVAL_BCA);
    cr_assert(eq(int, lb_bootstrap_set_level(b, 0.5, NULL), LB_OK));
    cr_assert(eq(int, lb_bootstrap_r2(b, 0, &x, NULL), LB_OK));
    lb_bootstrap_draws_r2(b, 0, draws);
    for (size_t d = 0; d < DRAWS; d++)
        ties += draws[d] == x.value;
    cr_assert(gt(sz, ties, DRAWS / 20));
    for (size_t i = 0; i < N; i++)
        jack[i] = r2_without(y, yhat, N, i);
    obvious_bca(draws, DRAWS, jack, N, x.value, 0.5, ci);
    cr_expect(epsilon_eq(dbl, x.ci_lo, ci[0], 1e-12));
    cr_expect(epsilon_eq(dbl, x.ci_hi, ci[1], 1e-12));
    lb_bootstrap_free(b);
    lb_rowset_free(set);
}

/* A cluster is one unit of the jackknife, and the columns of a model count by their mean. */
Test(bootstrap_more, bca_leaves_out_clusters_and_means_of_columns)
{
    enum { DRAWS = 400, STARS = 40, N = 2 * STARS };
    static double draws[DRAWS], jack[STARS];
    size_t star[N], others[N];
    for (size_t i = 0; i < N; i++)
        star[i] = i % STARS;
    lb_rowset *set = lb_rowset_all("stacked", "d", N);
    const lb_outcome o[] = {outcome(set, s.y, s.mixture, "m"), outcome(set, s.y, s.global, "m")};
    lb_bootstrap *b = make(o, 1, (lb_bootstrap_plan){DRAWS, 9, 2, star});
    for (size_t g = 0; g < STARS; g++) {
        size_t n = 0;
        for (size_t i = 0; i < N; i++)
            if (star[i] != g)
                others[n++] = i;
        jack[g] = 0.5 * (r2_of(s.y, s.mixture, others, n) + r2_of(s.y, s.global, others, n));
    }
    lb_number x;
    double ci[2];
    lb_bootstrap_set_interval(b, LB_INTERVAL_BCA);
    cr_assert(eq(int, lb_bootstrap_r2(b, 0, &x, NULL), LB_OK));
    lb_bootstrap_draws_r2(b, 0, draws);
    obvious_bca(draws, DRAWS, jack, STARS, x.value, 0.95, ci);
    cr_expect(epsilon_eq(dbl, x.ci_lo, ci[0], 1e-11));
    cr_expect(epsilon_eq(dbl, x.ci_hi, ci[1], 1e-11));
    lb_bootstrap_free(b);
    lb_rowset_free(set);
}

/* R2 of thirty heavy-tailed rows is skewed: BCa must spread its misses over both sides better than
 * the percentile interval does. */
Test(bootstrap_more, bca_misses_the_truth_more_evenly_than_percentiles)
{
    enum { N = 30, TRIALS = 600 };
    const double truth = 1.0 - 0.25 * 1.1 / (16.0 / 12.0);
    double y[N], yhat[N];
    int over[2] = {0, 0}, under[2] = {0, 0};
    lb_rowset *set = lb_rowset_all("thirty", "d", N);
    for (size_t t = 0; t < TRIALS; t++) {
        lb_rng r = lb_rng_make(78, t);
        for (size_t i = 0; i < N; i++) {
            /* nine of ten errors have variance 0.25 * 2/3, one of ten 0.25 * 5 */
            const double scale = lb_rng_uniform(&r) < 0.9 ? sqrt(2.0 / 3.0) : sqrt(5.0);
            y[i] = 1.0 + 4.0 * lb_rng_uniform(&r);
            yhat[i] = y[i] + 0.5 * scale * lb_rng_normal(&r);
        }
        const lb_outcome o = outcome(set, y, yhat, "m");
        lb_bootstrap *b = make(&o, 1, (lb_bootstrap_plan){.draws = 400, .seed = t});
        for (int kind = 0; kind < 2; kind++) {
            lb_number x;
            lb_bootstrap_set_interval(b, kind ? LB_INTERVAL_BCA : LB_INTERVAL_PERCENTILE);
            cr_assert(eq(int, lb_bootstrap_r2(b, 0, &x, NULL), LB_OK));
            over[kind] += x.ci_lo > truth;
            under[kind] += x.ci_hi < truth;
        }
        lb_bootstrap_free(b);
    }
    cr_expect(abs(over[1] - under[1]) < abs(over[0] - under[0]),
              "percentile %d over, %d under; BCa %d, %d", over[0], under[0], over[1], under[1]);
    lb_rowset_free(set);
}

Test(bootstrap_more, bca_says_when_a_row_cannot_be_left_out)
{
    const double y[] = {2.17, 2.17, 3.0, 2.17}, a[] = {2.2, 2.1, 2.9, 2.16};
    lb_rowset *set = lb_rowset_all("four", "d", 4);
    const lb_outcome o = outcome(set, y, a, "m");
    lb_bootstrap *b = make(&o, 1, (lb_bootstrap_plan){.draws = 200, .seed = 1});
    lb_number x;
    lb_error err = {0};
    cr_expect(eq(int, lb_bootstrap_r2(b, 0, &x, NULL), LB_OK));
    lb_bootstrap_set_interval(b, LB_INTERVAL_BCA);
    cr_expect(eq(int, lb_bootstrap_r2(b, 0, &x, &err), LB_ENUMERIC));
    cr_expect(strstr(err.text, "does not vary without one of the 4 rows") != NULL, "%s", err.text);
    lb_bootstrap_free(b);
    lb_rowset_free(set);
}

/* The whole gain is in one row, and a narrow level believes in it. */
Test(bootstrap_more, bca_says_when_a_ratio_loses_its_denominator)
{
    enum { N = 12 };
    double y[N], good[N], base[N];
    for (size_t i = 0; i < N; i++) {
        y[i] = (double)i;
        good[i] = y[i] + 0.11;
        base[i] = y[i] + (i == 5 ? 9.0 : 0.1);
    }
    lb_rowset *set = lb_rowset_all("twelve", "d", N);
    const lb_outcome o[] = {outcome(set, y, good, "good"), outcome(set, y, base, "base")};
    lb_bootstrap *b = make(o, 2, (lb_bootstrap_plan){.draws = 400, .seed = 2});
    const double gain[] = {1, -1}, top[] = {1, 0};
    lb_number x;
    lb_error err = {0};
    cr_assert(eq(int, lb_bootstrap_set_level(b, 0.2, NULL), LB_OK));
    lb_bootstrap_set_interval(b, LB_INTERVAL_BCA);
    cr_expect(eq(int, lb_bootstrap_ratio(b, top, gain, 2, &x, &err), LB_ENUMERIC), "%s", x.na);
    cr_expect(strstr(err.text, "denominator is not positive without") != NULL, "%s", err.text);
    lb_bootstrap_free(b);
    lb_rowset_free(set);
}

/* One bad row: acceleration near its largest, 1/6 in absolute value; a level of 1 - 1e-12 asks for
 * seven standard deviations. */
Test(bootstrap_more, bca_says_when_no_percentile_is_left)
{
    enum { N = 400 };
    static double y[N], yhat[N];
    for (size_t i = 0; i < N; i++) {
        y[i] = i % 2 ? 1.0 : 2.0;
        yhat[i] = y[i] + (i == 17 ? 3.0 : 1e-3);
    }
    lb_rowset *set = lb_rowset_all("many", "d", N);
    const lb_outcome o = outcome(set, y, yhat, "m");
    lb_bootstrap *b = make(&o, 1, (lb_bootstrap_plan){.draws = 500, .seed = 2});
    lb_number x;
    lb_error err = {0};
    lb_bootstrap_set_interval(b, LB_INTERVAL_BCA);
    cr_assert(eq(int, lb_bootstrap_set_level(b, 1.0 - 1e-12, NULL), LB_OK));
    cr_expect(eq(int, lb_bootstrap_r2(b, 0, &x, &err), LB_ENUMERIC), "[%g, %g]", x.ci_lo, x.ci_hi);
    cr_expect(strstr(err.text, "leave no percentile") != NULL, "%s", err.text);
    lb_bootstrap_free(b);
    lb_rowset_free(set);
}

/* --- all of it -----------------------------------------------------------------------------------
 */

Test(bootstrap_more, threads_do_not_change_a_bit_of_a_plan)
{
    enum { DRAWS = 64 };
    static double yhat[2 * COLUMNS][N_ALL];
    static size_t star[N_ALL];
    const size_t before = threads_now();
    lb_outcome models[3 * COLUMNS];
    double draws[2][DRAWS];
    lb_number x[2];
    gate_noise(yhat, models);
    for (size_t i = 0; i < N_ALL; i++)
        star[i] = i % 300;
    for (int t = 0; t < 2; t++) {
        omp_set_num_threads(t + 1);
        lb_bootstrap *b = make(models, 3, (lb_bootstrap_plan){DRAWS, 6, COLUMNS, star});
        lb_bootstrap_set_interval(b, LB_INTERVAL_BCA);
        lb_bootstrap_draws_r2(b, 0, draws[t]);
        cr_assert(eq(int, lb_bootstrap_delta(b, 0, 2, 0, &x[t], NULL), LB_OK));
        lb_bootstrap_free(b);
    }
    cr_expect(gt(sz, threads_now(), before), "two threads were at work");
    cr_expect(eq(int, memcmp(draws[0], draws[1], sizeof draws[0]), 0));
    cr_expect(same_number(&x[0], &x[1]));
}

Test(bootstrap_more, every_column_must_be_on_the_same_rows_and_targets)
{
    static double scratch[2 * N_COVERED], other[N_ALL];
    lb_rowset *covered = lb_rowset_where(rows, "covered", s.covered);
    lb_outcome columns[] = {pair[0], pair[0], pair[1], pair[1]};
    lb_bootstrap_plan plan = {.draws = 10, .seed = 1, .columns = 2};
    lb_bootstrap *b = NULL;
    cr_assert(eq(int, lb_outcome_on(pair[1], covered, scratch, &columns[3], NULL), LB_OK));
    cr_expect(eq(int, lb_bootstrap_new_plan(columns, 2, plan, &b, NULL), LB_EROWS));
    memcpy(other, s.y, sizeof other);
    other[4] += 1.0;
    columns[3] = outcome(rows, other, s.global, "global");
    cr_expect(eq(int, lb_bootstrap_new_plan(columns, 2, plan, &b, NULL), LB_EINVAL));
    columns[3] = pair[1];
    columns[3].yhat.n = 5;
    cr_expect(eq(int, lb_bootstrap_new_plan(columns, 2, plan, &b, NULL), LB_ESHAPE));
    columns[3] = pair[1];
    plan.draws = 1;
    cr_expect(eq(int, lb_bootstrap_new_plan(columns, 2, plan, &b, NULL), LB_EINVAL));
    plan.draws = 2;
    cr_expect(eq(int, lb_bootstrap_new_plan(columns, 0, plan, &b, NULL), LB_EINVAL));
    s.global[7] = (double)INFINITY;
    cr_expect(eq(int, lb_bootstrap_new_plan(columns, 2, plan, &b, NULL), LB_ENUMERIC));
    cr_expect(b == NULL);
    lb_rowset_free(covered);
}
