/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/ceiling.h"

#include "core/memory.h"
#include "data/simulate.h"
#include "data/spectra.h"
#include "data/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static const char committed[] = "data/grid/stellar_grid.h5", sky[] = "data/grid/sky_lines.tsv";

static lb_ceiling *load(const char *path, size_t rebin)
{
    lb_ceiling *c = NULL;
    lb_error err = {0};
    cr_assert(lb_ceiling_load(path, sky, rebin, &c, &err) == LB_OK, "%s", err.text);
    return c;
}

static lb_seen at(const lb_ceiling *c, const double *point, double magnitude, lb_ceiling_work *w)
{
    lb_seen seen;
    lb_error err = {0};
    cr_assert(lb_ceiling_at(c, point, magnitude, w, &seen, &err) == LB_OK, "%s", err.text);
    return seen;
}

static double norm(const double *x, size_t n)
{
    double sum = 0.0;
    for (size_t j = 0; j < n; j++)
        sum += x[j] * x[j];
    return sqrt(sum);
}

static double distance(const double *x, const double *y, size_t n)
{
    double sum = 0.0;
    for (size_t j = 0; j < n; j++)
        sum += (x[j] - y[j]) * (x[j] - y[j]);
    return sqrt(sum);
}

/* --- what the data sets hold ---------------------------------------------------------------------
 */

static void compare_row(const lb_ceiling *c, lb_spectra *s, size_t i, lb_ceiling_work *w)
{
    const size_t p = lb_ceiling_pixels(c);
    float *flux = lb_xcalloc(2 * p, sizeof *flux), *error = flux + p;
    const double point[] = {lb_spectra_label(s, "T_eff").data[i],
                            lb_spectra_label(s, "log_g").data[i],
                            lb_spectra_label(s, "M_H").data[i]};
    cr_assert(lb_spectra_read(s, i, (lb_matf){flux, 1, p, p}, (lb_matf){error, 1, p, p}, NULL) ==
              LB_OK);
    const lb_seen seen = at(c, point, lb_spectra_label(s, "mag").data[i], w);
    for (size_t j = 0; j < p; j++) {
        cr_assert(fabs(seen.flux.data[j] / (double)flux[j] - 1.0) < 1e-7, "pixel %zu", j);
        cr_assert(fabs(seen.error.data[j] / (double)error[j] - 1.0) < 1e-7, "pixel %zu", j);
    }
    cr_expect(fabs(seen.snr_norm_ratio / lb_spectra_label(s, "snr").data[i] - 1.0) < 1e-6);
    free(flux);
}

static void same_as_simulated(size_t rebin)
{
    const lb_profile profile = {"toy", 5, 2, 23, 1, rebin, NULL, 31};
    const lb_simulation sim = {&profile, committed, sky, scratch_dir(), false, 5};
    lb_text report = {0};
    lb_spectra *s = NULL;
    cr_assert(lb_simulate(&sim, &report, NULL) == LB_OK);
    cr_assert(lb_spectra_open(sim.out, "test", &s, NULL) == LB_OK);
    lb_ceiling *c = load(committed, rebin);
    lb_ceiling_work *w = lb_ceiling_work_new(c);
    double ratio[23], pixel[23];
    cr_assert(lb_spectra_snr(s, (lb_vec){ratio, 23}, (lb_vec){pixel, 23}, NULL) == LB_OK);
    for (size_t i = 0; i < 23; i++) {
        compare_row(c, s, i, w);
        const double point[] = {lb_spectra_label(s, "T_eff").data[i],
                                lb_spectra_label(s, "log_g").data[i],
                                lb_spectra_label(s, "M_H").data[i]};
        const lb_seen seen = at(c, point, lb_spectra_label(s, "mag").data[i], w);
        cr_expect(fabs(seen.snr_norm_ratio / ratio[i] - 1.0) < 1e-6);
        cr_expect(fabs(seen.snr_median_pixel / pixel[i] - 1.0) < 1e-6);
    }
    lb_ceiling_work_free(w);
    lb_ceiling_free(c);
    lb_spectra_close(s);
    lb_text_free(&report);
}

Test(ceiling, flux_error_and_signal_to_noise_are_those_of_simulated_exposures)
{
    same_as_simulated(1);
}

Test(ceiling, also_with_eight_pixels_averaged)
{
    same_as_simulated(8);
}

Test(ceiling, the_error_alone_follows_the_magnitude)
{
    lb_ceiling *c = load(committed, 1);
    lb_ceiling_work *w = lb_ceiling_work_new(c), *v = lb_ceiling_work_new(c);
    const double point[] = {5770, 4.44, 0.0};
    const double faint = lb_ceiling_magnitude(1.1), bright = lb_ceiling_magnitude(4.4);
    cr_expect(fabs(lb_ceiling_snr(faint) - 1.1) < 1e-12);
    cr_expect(fabs(lb_ceiling_snr(20.5) - 8.8) < 1e-12 &&
              fabs(lb_ceiling_snr(22.5) - 0.965) < 1e-3);
    const lb_seen a = at(c, point, faint, w), b = at(c, point, bright, v);
    const size_t p = lb_ceiling_pixels(c);
    cr_expect(memcmp(a.flux.data, b.flux.data, p * sizeof(double)) == 0);
    cr_expect(memcmp(a.slopes.data, b.slopes.data, 3 * p * sizeof(double)) == 0);
    for (size_t j = 0; j < p; j++)
        cr_assert(fabs(a.error.data[j] / b.error.data[j] - 4.0) < 1e-11);
    cr_expect(fabs(a.snr_norm_ratio - 1.1) < 1e-12);
    cr_expect(fabs(b.snr_median_pixel / a.snr_median_pixel - 4.0) < 1e-11);
    cr_expect(fabs(a.error_median / b.error_median - 4.0) < 1e-11);
    lb_ceiling_work_free(w);
    lb_ceiling_work_free(v);
    lb_ceiling_free(c);
}

/* --- slopes --------------------------------------------------------------------------------------
 */

/* Of the normalised flux: what the division by the median does is in it. */
static void check_slopes(size_t rebin)
{
    lb_ceiling *c = load(committed, rebin);
    lb_ceiling_work *w = lb_ceiling_work_new(c), *v = lb_ceiling_work_new(c);
    const size_t p = lb_ceiling_pixels(c);
    const double points[][3] = {{4433, 2.17, -0.7}, {5770, 4.44, 0.0}, {3901, 1.3, 0.6}};
    const double h[] = {1e-2, 1e-5, 1e-5};
    double *up = lb_xcalloc(p, sizeof *up);
    for (int i = 0; i < 3; i++) {
        const lb_seen seen = at(c, points[i], 21.5, w);
        for (size_t a = 0; a < 3; a++) {
            double near[3];
            memcpy(near, points[i], sizeof near);
            near[a] = points[i][a] + h[a];
            memcpy(up, at(c, near, 21.5, v).flux.data, p * sizeof *up);
            near[a] = points[i][a] - h[a];
            const double *down = at(c, near, 21.5, v).flux.data;
            for (size_t j = 0; j < p; j++)
                up[j] = (up[j] - down[j]) / (2.0 * h[a]);
            const double *slope = seen.slopes.data + a * seen.slopes.stride;
            cr_expect(distance(up, slope, p) < 1e-6 * norm(slope, p), "point %d axis %zu: %g", i, a,
                      distance(up, slope, p) / norm(slope, p));
        }
    }
    free(up);
    lb_ceiling_work_free(w);
    lb_ceiling_work_free(v);
    lb_ceiling_free(c);
}

Test(ceiling, slopes_are_the_limit_of_central_differences)
{
    check_slopes(1);
}

Test(ceiling, also_those_of_averaged_pixels)
{
    check_slopes(8);
}

/* |x - y| without what lies along @p flux: there, the median jumps from pixel to pixel. */
static double distance_across(const double *x, const double *y, const double *flux, size_t n)
{
    double along = 0.0, sum = 0.0;
    for (size_t j = 0; j < n; j++)
        along += (x[j] - y[j]) * flux[j];
    along /= norm(flux, n) * norm(flux, n);
    for (size_t j = 0; j < n; j++) {
        const double d = x[j] - y[j] - along * flux[j];
        sum += d * d;
    }
    return sqrt(sum);
}

static double mean(const double *x, size_t n)
{
    double sum = 0.0;
    for (size_t j = 0; j < n; j++)
        sum += x[j];
    return sum / (double)n;
}

/* out += factor * flux / mean(flux): a smooth function of the labels, whatever the median does. */
static void add_over_mean(const double *flux, size_t p, double factor, double *out)
{
    const double m = mean(flux, p);
    for (size_t j = 0; j < p; j++)
        out[j] += factor * flux[j] / m;
}

/* Differences over a finite step err by h^2: half the step, a quarter of the error. */
Test(ceiling, differences_approach_the_slopes_with_the_square_of_the_step)
{
    lb_ceiling *c = load(committed, 8);
    lb_ceiling_work *w = lb_ceiling_work_new(c), *v = lb_ceiling_work_new(c);
    const size_t p = lb_ceiling_pixels(c);
    const double point[] = {4875, 2.75, -0.75}; /* within one cell of the spline at each step */
    const double h[] = {50, 0.1, 0.1};
    double *slope = lb_xcalloc(2 * p, sizeof *slope), *difference = slope + p;
    const lb_seen s = at(c, point, 21.5, w);
    const double m = mean(s.flux.data, p);
    for (size_t a = 0; a < 3; a++) {
        const double *d = s.slopes.data + a * p;
        for (size_t j = 0; j < p; j++)
            slope[j] = (d[j] - s.flux.data[j] * mean(d, p) / m) / m;
        double before = NAN;
        for (double step = h[a]; step > h[a] / 20.0; step /= 2.0) {
            double up[3], down[3];
            memcpy(up, point, sizeof up);
            memcpy(down, point, sizeof down);
            up[a] += step;
            down[a] -= step;
            memset(difference, 0, p * sizeof *difference);
            add_over_mean(at(c, up, 21.5, v).flux.data, p, 0.5 / step, difference);
            add_over_mean(at(c, down, 21.5, v).flux.data, p, -0.5 / step, difference);
            const double error = distance(difference, slope, p);
            cr_expect(isnan(before) || fabs(before / error - 4.0) < 0.1, "axis %zu, %g: %g", a,
                      step, before / error);
            before = error;
        }
    }
    free(slope);
    lb_ceiling_work_free(w);
    lb_ceiling_work_free(v);
    lb_ceiling_free(c);
}

/* --- a grid whose slopes are known ---------------------------------------------------------------
 */

/*
 * Five pixels, A x B x C nodes. Flux over continuum: pixel 0 carries the cubic below, 1 the plane
 * of [M/H], 2 is constant and the median, 3 is 2, 4 is negative. The continuum is exp(brightness).
 */
enum { A = 5, B = 4, C = 6, P = 5 };
static const double x0[A] = {4000, 4250, 4500, 4750, 5000}, x1[B] = {1, 2, 3.5, 5},
                    x2[C] = {-2.5, -2, -1, 0, 0.5, 0.75};
static double cubic(double t) /* third derivative 6e-10 per K^3 */
{
    const double u = (t - 4100.0) / 1000.0;
    return 0.3 + 0.05 * u + 0.1 * u * u * u;
}

static char *toy_grid(double median, double beside)
{
    char *path = in_dir(scratch_dir(), "grid.h5");
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    double coef[A][B][C][2], cont[A][B][C][1];
    for (int i = 0; i < A; i++)
        for (int j = 0; j < B; j++)
            for (int k = 0; k < C; k++) {
                coef[i][j][k][0] = cubic(x0[i]);
                coef[i][j][k][1] = 0.2 * x2[k];
                cont[i][j][k][0] = 1e-3 * x0[i] + 0.1 * x1[j] * x1[j];
            }
    const double wave[P] = {7000, 7001, 7002, 7003, 7004}, mean[P] = {0, beside, median, 20, -1};
    const double components[2][P] = {{1, 0, 0, 0, 0}, {0, 1, 0, 0, 0}}, one[P] = {1, 1, 1, 1, 1};
    const double none[P] = {0};
    const hsize_t cd[] = {A, B, C, 2}, kd[] = {A, B, C, 1}, pd[] = {P}, md[] = {2, P};
    put_array(file, "teff", H5T_NATIVE_DOUBLE, 1, (const hsize_t[]){A}, x0);
    put_array(file, "logg", H5T_NATIVE_DOUBLE, 1, (const hsize_t[]){B}, x1);
    put_array(file, "mh", H5T_NATIVE_DOUBLE, 1, (const hsize_t[]){C}, x2);
    put_array(file, "wave", H5T_NATIVE_DOUBLE, 1, pd, wave);
    put_array(file, "mean", H5T_NATIVE_DOUBLE, 1, pd, mean);
    put_array(file, "components", H5T_NATIVE_DOUBLE, 2, md, &components[0][0]);
    put_array(file, "cont_mean", H5T_NATIVE_DOUBLE, 1, pd, none);
    put_array(file, "cont_components", H5T_NATIVE_DOUBLE, 1, pd, one);
    put_array(file, "coef", H5T_NATIVE_DOUBLE, 4, cd, &coef[0][0][0][0]);
    put_array(file, "cont_coef", H5T_NATIVE_DOUBLE, 4, kd, &cont[0][0][0][0]);
    H5Fclose(file);
    return path;
}

Test(ceiling, brightness_alone_and_pixels_at_zero_have_no_slope)
{
    char *path = toy_grid(4.0, 5.0);
    lb_ceiling *c = load(path, 1);
    lb_ceiling_work *w = lb_ceiling_work_new(c);
    const lb_seen s = at(c, (const double[]){4433, 2.17, -0.7}, 21.5, w);
    const double *t = s.slopes.data, *g = t + P, *m = g + P;
    cr_expect(fabs(s.flux.data[0] - cubic(4433) / 4.0) < 1e-13);
    cr_expect(s.flux.data[2] == 1.0 && s.flux.data[4] == 0.0);
    const double u = 0.333, slope = (0.05 + 0.3 * u * u) / 1000.0 / 4.0;
    cr_expect(fabs(t[0] - slope) < 1e-12 * slope, "%g %g", t[0], slope);
    cr_expect(fabs(m[1] - 0.05) < 1e-13);
    for (int j = 0; j < P; j++) {
        cr_expect(fabs(g[j]) < 1e-13, "log g changes the brightness only");
        if (j)
            cr_expect(fabs(t[j]) < 1e-15);
        if (j != 1)
            cr_expect(fabs(m[j]) < 1e-13);
    }
    cr_expect(t[4] == 0.0 && g[4] == 0.0 && m[4] == 0.0);
    lb_ceiling_work_free(w);
    lb_ceiling_free(c);
    free(path);
}

/* f = third derivative: inner nodes err by f h^2 / 6, the borders by f h^2 / 3 the other way. */
Test(ceiling, differences_of_a_cubic_err_by_exactly_their_remainder)
{
    char *path = toy_grid(4.0, 5.0);
    lb_ceiling *c = load(path, 1);
    lb_ceiling_work *w = lb_ceiling_work_new(c), *v = lb_ceiling_work_new(c);
    lb_seen seen;
    lb_error err = {0};
    cr_assert(lb_ceiling_tabulate(c, &err) == LB_OK, "%s", err.text);
    cr_assert(eq(sz, lb_ceiling_nodes(c), A * B * C));
    for (size_t i = 0; i < A * B * C; i++) {
        double point[3];
        lb_ceiling_node(c, i, point);
        cr_expect(eq(dbl, point[0], x0[i / (B * C)]));
        cr_expect(eq(dbl, point[1], x1[i / C % B]));
        cr_expect(eq(dbl, point[2], x2[i % C]));
        cr_assert(lb_ceiling_differences(c, i, 21.5, w, &seen, &err) == LB_OK, "%s", err.text);
        const lb_seen exact = at(c, point, 21.5, v);
        const bool border = i / (B * C) == 0 || i / (B * C) == A - 1;
        const double remainder = 6e-10 / 4.0 * 250 * 250 / (border ? -3.0 : 6.0);
        cr_expect(fabs(seen.slopes.data[0] - exact.slopes.data[0] - remainder) < 1e-15);
        cr_expect(fabs(seen.slopes.data[2 * P + 1] - 0.05) < 1e-13, "a plane has no remainder");
        cr_expect(distance(seen.flux.data, exact.flux.data, P) < 1e-13);
        cr_expect(distance(seen.error.data, exact.error.data, P) < 1e-13);
        cr_expect(fabs(seen.snr_median_pixel / exact.snr_median_pixel - 1.0) < 1e-12);
    }
    lb_ceiling_work_free(w);
    lb_ceiling_work_free(v);
    lb_ceiling_free(c);
    free(path);
}

/* --- the committed grid --------------------------------------------------------------------------
 */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/*
 * How well: the distance between both, relative to the length of the slope, has a median over the
 * nodes of 0.16, 0.12 and 0.26 along the three axes. Across the flux it is 0.02, 0.03 and 0.04: the
 * rest is the median, whose slope is that of a single pixel at a point and an average over a step.
 * Where not: one node in ten is off by more than 0.5, where the flux hardly changes or changes its
 * course within a step.
 */
Test(ceiling, spline_and_differences_agree_to_the_order_of_the_step)
{
    lb_ceiling *c = load(committed, 1);
    lb_ceiling_work *w = lb_ceiling_work_new(c), *v = lb_ceiling_work_new(c);
    const size_t p = lb_ceiling_pixels(c), n = lb_ceiling_nodes(c);
    double *off = lb_xcalloc(6 * n, sizeof *off), *across = off + 3 * n;
    const double most[] = {0.20, 0.15, 0.30}, most_across[] = {0.025, 0.03, 0.05};
    cr_assert(eq(sz, n, 720));
    cr_assert(lb_ceiling_tabulate(c, NULL) == LB_OK);
    for (size_t i = 0; i < n; i++) {
        lb_seen seen;
        double point[3];
        lb_ceiling_node(c, i, point);
        cr_assert(lb_ceiling_differences(c, i, 21.5, w, &seen, NULL) == LB_OK);
        const lb_seen spline = at(c, point, 21.5, v);
        for (size_t a = 0; a < 3; a++) {
            const double *x = seen.slopes.data + a * p, *y = spline.slopes.data + a * p;
            off[a * n + i] = distance(x, y, p) / norm(y, p);
            across[a * n + i] = distance_across(x, y, spline.flux.data, p) / norm(y, p);
        }
    }
    for (size_t a = 0; a < 3; a++) {
        qsort(off + a * n, n, sizeof *off, by_value);
        qsort(across + a * n, n, sizeof *off, by_value);
        const double m = off[a * n + n / 2], ma = across[a * n + n / 2];
        cr_expect(m < most[a], "axis %zu: median %g", a, m);
        cr_expect(ma < most_across[a], "axis %zu: median across the flux %g", a, ma);
        cr_expect(off[a * n + n * 9 / 10] < 0.6, "axis %zu: %g", a, off[a * n + n * 9 / 10]);
    }
    free(off);
    lb_ceiling_work_free(w);
    lb_ceiling_work_free(v);
    lb_ceiling_free(c);
}

Test(ceiling, the_table_has_the_same_bits_for_any_number_of_threads)
{
    double *slopes[2];
    for (int run = 0; run < 2; run++) {
        omp_set_num_threads(run ? 3 : 1);
        lb_ceiling *c = load(committed, 8);
        lb_ceiling_work *w = lb_ceiling_work_new(c);
        const size_t p = lb_ceiling_pixels(c);
        lb_seen seen;
        cr_assert(lb_ceiling_tabulate(c, NULL) == LB_OK);
        cr_assert(lb_ceiling_tabulate(c, NULL) == LB_OK, "made once");
        slopes[run] = lb_xcalloc(3 * p, sizeof(double));
        cr_assert(lb_ceiling_differences(c, 395, 21.5, w, &seen, NULL) == LB_OK);
        memcpy(slopes[run], seen.slopes.data, 3 * p * sizeof(double));
        lb_ceiling_work_free(w);
        lb_ceiling_free(c);
    }
    cr_expect(memcmp(slopes[0], slopes[1], 3 * 512 * sizeof(double)) == 0);
    free(slopes[0]);
    free(slopes[1]);
}

/* --- refusals ------------------------------------------------------------------------------------
 */

Test(ceiling, says_what_is_wrong_with_its_files)
{
    lb_ceiling *c = NULL;
    lb_error err = {0};
    cr_expect(eq(int, lb_ceiling_load("data/grid/nowhere.h5", sky, 1, &c, NULL), LB_EIO));
    cr_expect(eq(int, lb_ceiling_load(committed, "nowhere.tsv", 1, &c, NULL), LB_EIO));
    cr_expect(eq(int, lb_ceiling_load(committed, committed, 1, &c, NULL), LB_EFORMAT));
    cr_expect(eq(int, lb_ceiling_load(committed, sky, 0, &c, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_ceiling_load(committed, sky, 7, &c, &err), LB_ESHAPE));
    cr_expect(strstr(err.text, "4096 pixels") && strstr(err.text, "by 7"), "%s", err.text);
    cr_expect(c == NULL);
    lb_ceiling_free(NULL);
    lb_ceiling_work_free(NULL);
}

Test(ceiling, says_what_is_wrong_with_a_point)
{
    lb_ceiling *c = load(committed, 8);
    lb_ceiling_work *w = lb_ceiling_work_new(c);
    lb_seen s;
    lb_error err = {0};
    const double inside[] = {5000, 4, 0}, outside[] = {5000, 5.1, 0}, hole[] = {NAN, 4, 0};
    cr_expect(eq(int, lb_ceiling_at(c, outside, 21.5, w, &s, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_ceiling_at(c, hole, 21.5, w, &s, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_ceiling_at(c, inside, (double)NAN, w, &s, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_ceiling_at(c, inside, 1e3, w, &s, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_ceiling_differences(c, 3, 21.5, w, &s, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "lb_ceiling_tabulate()") != NULL);
    cr_assert(lb_ceiling_tabulate(c, NULL) == LB_OK);
    cr_expect(eq(int, lb_ceiling_differences(c, 720, 21.5, w, &s, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_ceiling_differences(c, 719, (double)INFINITY, w, &s, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_ceiling_differences(c, 719, 21.5, w, &s, NULL), LB_OK));
    lb_ceiling_work_free(w);
    lb_ceiling_free(c);
}

Test(ceiling, a_spectrum_without_light_at_its_median_is_refused)
{
    char *path = toy_grid(-50.0, -5.0); /* three of five pixels are negative */
    lb_ceiling *c = load(path, 1);
    lb_ceiling_work *w = lb_ceiling_work_new(c);
    lb_seen s;
    lb_error err = {0};
    const double point[] = {4250, 2, -1};
    cr_expect(eq(int, lb_ceiling_at(c, point, 21.5, w, &s, &err), LB_ENUMERIC));
    cr_expect(strstr(err.text, "T_eff 4250, log g 2, [M/H] -1 has median flux -") != NULL, "%s",
              err.text);
    cr_expect(eq(int, lb_ceiling_tabulate(c, NULL), LB_ENUMERIC));
    cr_expect(eq(int, lb_ceiling_differences(c, 3, 21.5, w, &s, NULL), LB_EINVAL), "no table");
    lb_ceiling_work_free(w);
    lb_ceiling_free(c);
    free(path);
}
