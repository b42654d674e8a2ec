/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/ceiling.h"

#include "core/memory.h"
#include "stats/quantile.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 720, SWEEP = 6 };
static const size_t full[] = {1, 0, 2};
static const double magnitude[SWEEP] = {18.0, 20.0, 21.5, 22.0, 22.5, 23.0};

static lb_ceiling *load(size_t rebin)
{
    lb_ceiling *c = NULL;
    lb_error err = {0};
    cr_assert(lb_ceiling_load("data/grid/stellar_grid.h5", "data/grid/sky_lines.tsv", rebin, &c,
                              &err) == LB_OK,
              "%s", err.text);
    return c;
}

static lb_survey nodes(const lb_ceiling *c, bool differences)
{
    lb_survey s;
    lb_error err = {0};
    cr_assert(lb_survey_nodes(c, differences, &s, &err) == LB_OK, "%s", err.text);
    cr_assert(eq(sz, s.n, NODES));
    return s;
}

static void sweep(const lb_survey *s, size_t n_params, double level, lb_survey_row rows[SWEEP])
{
    lb_error err = {0};
    cr_assert(lb_survey_sweep(s, full, n_params, magnitude, SWEEP, level, rows, &err) == LB_OK,
              "%s", err.text);
}

/* The method section of E20 with three parameters, and what it must come to. */
Test(ceiling, falls_with_the_signal_from_everything_to_nothing)
{
    lb_ceiling *c = load(1);
    lb_survey s = nodes(c, false);
    lb_survey_row row[SWEEP];
    double snr[SWEEP], median[SWEEP];
    sweep(&s, 3, 1.0, row);
    cr_expect(fabs(s.variance[1] - 5.0 / 3.0) < 1e-12, "nine equally weighted values, 1 to 5");
    cr_expect(s.step[0] == 250.0 && s.step[1] == 0.5 && s.step[2] == 0.5);
    for (int i = 0; i < SWEEP; i++) {
        const lb_bound_summary *b = &row[i].bounds;
        snr[i] = row[i].snr_median_pixel;
        median[i] = b->r2.median;
        cr_expect(b->n == NODES && b->failed == 0);
        cr_expect(b->crlb_decades > 3.0 && b->crlb_decades < 4.0, "%g", b->crlb_decades);
        cr_expect(b->r2.median <= 1.0 && (i == 0 || b->r2.median < median[i - 1]));
        cr_expect(b->r2_dataset <= b->r2.mean + 1e-12, "clipping only adds");
        cr_expect(fabs(row[i].snr_median_pixel / row[i].snr_exposure - 2.016) < 1e-3);
        cr_expect(fabs(row[i].snr_norm_ratio / row[i].snr_exposure - 1.0) < 1e-12);
        cr_expect(fabs(row[i].error_median * row[i].snr_exposure - 0.484) < 1e-3);
    }
    cr_expect(median[0] > 0.999 && median[SWEEP - 1] == 0.0);
    lb_number critical, cliff;
    cr_assert(lb_bound_critical_snr((lb_cvec){snr, SWEEP}, (lb_cvec){median, SWEEP}, 0.5, &critical,
                                    &cliff, NULL) == LB_OK);
    cr_expect(critical.value > snr[4] && critical.value < snr[3]);
    cr_expect(cliff.value == snr[SWEEP - 1]);
    lb_survey_free(&s);
    lb_ceiling_free(c);
}

/* The median of R2_max is 1/2 where the median of the CRLB is half the variance, and 0 where it is
 * the variance: what a fine sweep finds must be that. */
Test(ceiling, a_fine_sweep_finds_the_critical_snr_that_one_point_predicts)
{
    enum { FINE = 61 };
    lb_ceiling *c = load(8);
    lb_survey s = nodes(c, false);
    lb_survey_row row;
    lb_number critical, cliff;
    double snr[FINE], median[FINE], exact = 0.0;
    for (int i = 0; i < FINE; i++) {
        const double m = 21.5 + 0.025 * i;
        cr_assert(lb_survey_sweep(&s, full, 3, &m, 1, 1.0, &row, NULL) == LB_OK);
        snr[i] = row.snr_exposure;
        median[i] = row.bounds.r2.median;
        exact = snr[i] * sqrt(2.0 * row.bounds.crlb.median / s.variance[1]);
    }
    cr_assert(lb_bound_critical_snr((lb_cvec){snr, FINE}, (lb_cvec){median, FINE}, 0.5, &critical,
                                    &cliff, NULL) == LB_OK);
    cr_expect(fabs(critical.value / exact - 1.0) < 1e-3, "%g and %g", critical.value, exact);
    cr_expect(cliff.value < exact / sqrt(2.0) && cliff.value > 0.97 * exact / sqrt(2.0));
    lb_survey_free(&s);
    lb_ceiling_free(c);
}

Test(ceiling, spline_and_differences_give_one_ceiling)
{
    lb_ceiling *c = load(1);
    cr_assert(lb_ceiling_tabulate(c, NULL) == LB_OK);
    lb_survey s = nodes(c, false), d = nodes(c, true);
    lb_survey_row a[SWEEP], b[SWEEP];
    sweep(&s, 3, 1.0, a);
    sweep(&d, 3, 1.0, b);
    for (int i = 0; i < 4; i++) { /* down to a median of 0.7; below, it falls steeply */
        cr_expect(fabs(a[i].bounds.r2.median - b[i].bounds.r2.median) < 0.03);
        cr_expect(fabs(a[i].bounds.r2.mean - b[i].bounds.r2.mean) < 0.02);
    }
    cr_expect(fabs(a[0].bounds.decay.median - b[0].bounds.decay.median) < 0.03);
    cr_expect(fabs(log10(a[0].bounds.crlb.median / b[0].bounds.crlb.median)) < 0.05);
    cr_expect(fabs(a[0].snr_median_pixel / b[0].snr_median_pixel - 1.0) < 1e-12);
    lb_survey_free(&s);
    lb_survey_free(&d);
    lb_ceiling_free(c);
}

Test(ceiling, each_nuisance_parameter_costs_something)
{
    lb_ceiling *c = load(8);
    lb_survey s = nodes(c, false);
    lb_survey_row row[3][SWEEP];
    for (size_t k = 1; k <= 3; k++)
        sweep(&s, k, 1.0, row[k - 1]);
    cr_expect(row[0][2].bounds.decay.median == 1.0);
    for (int k = 1; k < 3; k++) {
        cr_expect(row[k][2].bounds.r2.median < row[k - 1][2].bounds.r2.median);
        cr_expect(row[k][2].bounds.sigma_min.p90 > row[k - 1][2].bounds.sigma_min.p90);
        cr_expect(row[k][2].bounds.decay.median < row[k - 1][2].bounds.decay.median);
    }
    lb_survey_free(&s);
    lb_ceiling_free(c);
}

Test(ceiling, a_noise_level_is_a_factor_of_the_error)
{
    lb_ceiling *c = load(8);
    lb_survey s = nodes(c, false);
    lb_survey_row one[SWEEP], fifth[SWEEP];
    sweep(&s, 3, 1.0, one);
    sweep(&s, 3, 0.2, fifth);
    for (int i = 0; i < SWEEP; i++) {
        cr_expect(fabs(fifth[i].bounds.crlb.median * 25.0 / one[i].bounds.crlb.median - 1) < 1e-12);
        cr_expect(fabs(fifth[i].snr_median_pixel / one[i].snr_median_pixel - 5.0) < 1e-12);
        cr_expect(fabs(fifth[i].error_median / one[i].error_median - 0.2) < 1e-12);
    }
    lb_survey_free(&s);
    lb_ceiling_free(c);
}

/* Averaging 8 pixels keeps the exposure and loses what lies between them: each pixel is sqrt(8)
 * more precise, and log g is known a little less well. */
Test(ceiling, averaging_pixels_loses_a_little)
{
    lb_ceiling *c = load(1), *r = load(8);
    lb_survey s = nodes(c, false), t = nodes(r, false);
    lb_survey_row fine[SWEEP], coarse[SWEEP];
    sweep(&s, 3, 1.0, fine);
    sweep(&t, 3, 1.0, coarse);
    cr_expect(fine[2].snr_exposure == coarse[2].snr_exposure);
    cr_expect(fabs(coarse[2].snr_median_pixel / fine[2].snr_median_pixel / sqrt(8.0) - 1) < 0.1);
    cr_expect(coarse[2].bounds.crlb.median > fine[2].bounds.crlb.median);
    cr_expect(coarse[2].bounds.crlb.median < 2.0 * fine[2].bounds.crlb.median, "%g",
              coarse[2].bounds.crlb.median / fine[2].bounds.crlb.median);
    lb_survey_free(&s);
    lb_survey_free(&t);
    lb_ceiling_free(c);
    lb_ceiling_free(r);
}

Test(ceiling, a_survey_has_the_same_bits_for_any_number_of_threads)
{
    lb_ceiling *c = load(8);
    omp_set_num_threads(1);
    lb_survey one = nodes(c, false);
    omp_set_num_threads(3);
    lb_survey three = nodes(c, false);
    cr_expect(memcmp(one.information, three.information, NODES * sizeof(lb_fisher)) == 0);
    cr_expect(memcmp(one.snr_median_pixel, three.snr_median_pixel, NODES * sizeof(double)) == 0);
    lb_survey_free(&one);
    lb_survey_free(&three);
    lb_ceiling_free(c);
}

/* Stars of a test set, each at its own magnitude: the ceiling a model is held against. */
Test(ceiling, stars_have_bounds_at_their_own_magnitude)
{
    lb_ceiling *c = load(8);
    lb_survey all = nodes(c, false), some;
    double labels[4][5] = {{0}}, snr[4];
    for (size_t i = 0; i < 4; i++) { /* nodes, within a wider table */
        lb_ceiling_node(c, 97 * i + 250, labels[i]);
        snr[i] = lb_ceiling_snr(20.5 + 0.5 * (double)i) / 0.2;
    }
    cr_assert(lb_survey_points(c, (lb_cmat){&labels[0][0], 4, 3, 5}, &some, NULL) == LB_OK);
    lb_bound own[4], grid[NODES];
    cr_assert(lb_survey_bounds(&some, full, 3, (lb_cvec){snr, 4}, own, NULL) == LB_OK);
    cr_assert(lb_survey_bounds(&all, full, 3, (lb_cvec){NULL, 0}, grid, NULL) == LB_OK);
    for (size_t i = 0; i < 4; i++) {
        const lb_bound *same = &grid[97 * i + 250];
        cr_expect(fabs(own[i].crlb * snr[i] * snr[i] / same->crlb - 1.0) < 1e-12);
        cr_expect(fabs(own[i].decay - same->decay) < 1e-12);
    }
    lb_survey_free(&some);
    lb_survey_free(&all);
    lb_ceiling_free(c);
}

Test(ceiling, a_map_shows_the_median_over_what_it_hides)
{
    lb_ceiling *c = load(8);
    double *values = lb_xcalloc(NODES, sizeof *values), map[80], profile[9], whole[1];
    for (size_t i = 0; i < NODES; i++) {
        double p[3];
        lb_ceiling_node(c, i, p);
        values[i] = p[0] + 10.0 * p[1] + 0.1 * p[2] * p[2];
    }
    const lb_cvec v = {values, NODES};
    const bool teff_mh[] = {true, false, true}, logg[] = {false, true, false}, none[3] = {false};
    cr_assert(lb_ceiling_map(c, v, teff_mh, (lb_vec){map, 80}, NULL) == LB_OK);
    const lb_cvec t = lb_grid_axis(lb_ceiling_grid(c), 0), m = lb_grid_axis(lb_ceiling_grid(c), 2);
    for (size_t i = 0; i < 80; i++) {
        const double expected = t.data[i / 8] + 30.0 + 0.1 * m.data[i % 8] * m.data[i % 8];
        cr_expect(fabs(map[i] - expected) < 1e-10, "median log g is 3");
    }
    cr_assert(lb_ceiling_map(c, v, logg, (lb_vec){profile, 9}, NULL) == LB_OK);
    for (size_t i = 1; i < 9; i++)
        cr_expect(fabs(profile[i] - profile[i - 1] - 5.0) < 1e-10);
    cr_assert(lb_ceiling_map(c, v, none, (lb_vec){whole, 1}, NULL) == LB_OK);
    lb_sort(values, NODES);
    cr_expect(eq(dbl, whole[0], lb_quantile(values, NODES, 0.5)));
    cr_expect(eq(int, lb_ceiling_map(c, v, logg, (lb_vec){profile, 8}, NULL), LB_ESHAPE));
    const lb_cvec fewer = {values, NODES - 1};
    cr_expect(eq(int, lb_ceiling_map(c, fewer, logg, (lb_vec){profile, 9}, NULL), LB_ESHAPE));
    free(values);
    lb_ceiling_free(c);
}

Test(ceiling, says_what_is_wrong_with_a_survey)
{
    lb_ceiling *c = load(8);
    lb_survey s = {0};
    lb_error err = {0};
    const double points[] = {5000, 4, 0, 5000, 5.5, 0};
    cr_expect(eq(int, lb_survey_nodes(c, true, &s, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "lb_ceiling_tabulate()") != NULL, "%s", err.text);
    lb_survey_free(&s);
    cr_expect(eq(int, lb_survey_points(c, (lb_cmat){points, 3, 2, 2}, &s, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_survey_points(c, (lb_cmat){points, 0, 3, 3}, &s, NULL), LB_EINVAL));
    err = (lb_error){0};
    cr_expect(eq(int, lb_survey_points(c, (lb_cmat){points, 2, 3, 3}, &s, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "point 1: logg = 5.5 is outside") != NULL, "%s", err.text);
    lb_survey_free(&s);
    lb_survey_free(&s);
    lb_ceiling_free(c);
}

Test(ceiling, says_what_is_wrong_with_a_sweep)
{
    lb_ceiling *c = load(8);
    lb_survey s;
    lb_survey_row row[2];
    lb_bound b[2];
    lb_error err = {0};
    const double points[] = {5000, 4, 0, 5500, 4, 0}, wild[] = {20.0, 1e4}, zero[] = {1.0, 0.0};
    cr_assert(lb_survey_points(c, (lb_cmat){points, 2, 3, 3}, &s, NULL) == LB_OK);
    const size_t teff[] = {0}, none[] = {3};
    cr_expect(eq(int, lb_survey_sweep(&s, full, 3, magnitude, 1, 1.0, row, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "variance 0") != NULL, "log g does not vary: %s", err.text);
    cr_expect(eq(int, lb_survey_sweep(&s, teff, 1, magnitude, 2, 1.0, row, NULL), LB_OK));
    cr_expect(eq(int, lb_survey_sweep(&s, teff, 1, magnitude, 2, 0.0, row, NULL), LB_EINVAL));
    cr_expect(
        eq(int, lb_survey_sweep(&s, teff, 1, magnitude, 2, (double)NAN, row, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_survey_sweep(&s, teff, 1, wild, 2, 1.0, row, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_survey_sweep(&s, none, 1, magnitude, 2, 1.0, row, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_survey_bounds(&s, teff, 1, (lb_cvec){zero, 2}, b, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_survey_bounds(&s, teff, 1, (lb_cvec){zero, 1}, b, NULL), LB_ESHAPE));
    lb_survey_free(&s);
    lb_ceiling_free(c);
}
