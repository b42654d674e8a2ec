/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/grid.h"

#include "core/memory.h"
#include "data/elementary.h"
#include "data/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char committed[] = "data/grid/stellar_grid.h5";

enum { A = 5, B = 4, C = 6, P = 3 };
static const double x0[A] = {3750, 4000, 4100, 5000, 6000}, x1[B] = {1, 2, 3.5, 5},
                    x2[C] = {-2.5, -2, -1, 0, 0.5, 0.75};

/* Cubic in each direction: what a not-a-knot spline must return exactly. */
static double cubic(double t, double g, double m, int c)
{
    const double u = (t - 5000.0) / 1000.0;
    return (1.0 + u - 0.5 * u * u + 0.25 * u * u * u) * (2.0 - g + 0.1 * g * g * g) *
               (1.0 + m * m - 0.3 * m * m * m) +
           c;
}

static const char *missing; /* dataset left out */
static void put(hid_t file, const char *name, int rank, const hsize_t *dims, const double *data)
{
    if (!missing || strcmp(missing, name) != 0)
        put_array(file, name, H5T_NATIVE_DOUBLE, rank, dims, data);
}

static char *toy_grid(const double *teff, hsize_t n_teff)
{
    char *path = in_dir(scratch_dir(), "grid.h5");
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    double coef[A][B][C][2], cont[A][B][C][1];
    for (int i = 0; i < A; i++)
        for (int j = 0; j < B; j++)
            for (int k = 0; k < C; k++) {
                coef[i][j][k][0] = cubic(x0[i], x1[j], x2[k], 0);
                coef[i][j][k][1] = cubic(x0[i], x1[j], x2[k], 1);
                cont[i][j][k][0] = 0.1 * x2[k];
            }
    const double wave[P] = {7000, 7001, 7002}, mean[P] = {1, 2, 3};
    const double components[2][P] = {{1, 0, 1}, {0, 1, -1}}, one[P] = {1, 1, 1};
    const hsize_t cd[] = {A, B, C, 2}, kd[] = {A, B, C, 1}, pd[] = {P}, md[] = {2, P};
    put(file, "teff", 1, &n_teff, teff);
    put(file, "logg", 1, (const hsize_t[]){B}, x1);
    put(file, "mh", 1, (const hsize_t[]){C}, x2);
    put(file, "wave", 1, pd, wave);
    put(file, "mean", 1, pd, mean);
    put(file, "components", 2, md, &components[0][0]);
    put(file, "cont_mean", 1, pd, one);
    put(file, "cont_components", 1, pd, one);
    put(file, "coef", 4, cd, &coef[0][0][0][0]);
    put(file, "cont_coef", 4, kd, &cont[0][0][0][0]);
    H5Fclose(file);
    return path;
}

Test(grid, reproduces_cubics_between_the_nodes_and_at_the_edges)
{
    lb_grid *g;
    char *path = toy_grid(x0, A);
    cr_assert(lb_grid_load(path, &g, NULL) == LB_OK);
    for (double t = 3750; t <= 6000; t += 173)
        for (double l = 1; l <= 5; l += 0.43)
            for (double m = -2.5; m <= 0.75; m += 0.31) {
                double coef[3];
                cr_assert(lb_grid_at(g, (const double[]){t, l, m}, coef, NULL) == LB_OK);
                const double expected = cubic(t, l, m, 0);
                cr_assert(fabs(coef[0] - expected) < 1e-11 * (1 + fabs(expected)));
                cr_assert(fabs(coef[1] - expected - 1) < 1e-11 * (1 + fabs(expected)));
                cr_assert(fabs(coef[2] - 0.1 * m) < 1e-12);
            }
    lb_grid_free(g);
    free(path);
}

Test(grid, unpacks_norm_and_continuum)
{
    lb_grid *g;
    char *path = toy_grid(x0, A);
    cr_assert(lb_grid_load(path, &g, NULL) == LB_OK);
    double norm[P], flux[P];
    lb_grid_unpack(g, (const double[]){0.5, 0.25, -1.5}, norm, flux);
    const double expected[P] = {1.5, 2.25, 3.25};
    for (int j = 0; j < P; j++) {
        cr_expect(epsilon_eq(dbl, norm[j], expected[j], 1e-15));
        cr_expect(epsilon_eq(dbl, flux[j], expected[j] * exp(1.0 - 1.5), 1e-14));
    }
    lb_grid_free(g);
    free(path);
}

Test(grid, the_committed_one_reproduces_its_nodes)
{
    lb_grid *g;
    lb_error err = {0};
    cr_assert(lb_grid_load(committed, &g, &err) == LB_OK, "%s", err.text);
    cr_expect(eq(sz, lb_grid_pixels(g), 4096));
    cr_expect(eq(sz, lb_grid_coefficients(g), 48));
    cr_expect(eq(str, (char *)lb_grid_medium(g), "air"));
    const hid_t file = H5Fopen(committed, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t set = H5Dopen2(file, "coef", H5P_DEFAULT);
    static double stored[10][9][8][40];
    H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, stored);
    H5Dclose(set);
    H5Fclose(file);
    for (int i = 0; i < 10; i += 3)
        for (int j = 0; j < 9; j += 4)
            for (int k = 0; k < 8; k++) {
                const double point[] = {lb_grid_axis(g, 0).data[i], lb_grid_axis(g, 1).data[j],
                                        lb_grid_axis(g, 2).data[k]};
                double coef[48];
                cr_assert(lb_grid_at(g, point, coef, NULL) == LB_OK);
                for (int c = 0; c < 40; c++)
                    cr_assert(fabs(coef[c] - stored[i][j][k][c]) < 1e-9);
            }
    lb_grid_free(g);
}

/* d cubic / d T_eff, log g, [M/H] of above. */
static void cubic_slopes(double t, double g, double m, double d[3])
{
    const double u = (t - 5000.0) / 1000.0;
    const double f = 1.0 + u - 0.5 * u * u + 0.25 * u * u * u, df = 1.0 - u + 0.75 * u * u;
    const double h = 2.0 - g + 0.1 * g * g * g, dh = -1.0 + 0.3 * g * g;
    const double k = 1.0 + m * m - 0.3 * m * m * m, dk = 2.0 * m - 0.9 * m * m;
    d[0] = df / 1000.0 * h * k;
    d[1] = f * dh * k;
    d[2] = f * h * dk;
}

Test(grid, slopes_of_cubics_are_exact_between_the_nodes_at_them_and_at_the_edges)
{
    lb_grid *g;
    char *path = toy_grid(x0, A);
    cr_assert(lb_grid_load(path, &g, NULL) == LB_OK);
    const double t[] = {3750, 3801.7, 4000, 4733, 6000}, l[] = {1, 2, 2.17, 3.5, 5},
                 m[] = {-2.5, -0.37, 0, 0.6, 0.75};
    for (int i = 0; i < 125; i++) {
        const double point[] = {t[i % 5], l[i / 5 % 5], m[i / 25]};
        double coef[3], same[3], slopes[3][3], exact[3];
        cr_assert(lb_grid_slopes(g, point, coef, &slopes[0][0], NULL) == LB_OK);
        cr_assert(lb_grid_at(g, point, same, NULL) == LB_OK);
        cr_expect(memcmp(coef, same, sizeof same) == 0, "the value has the bits of lb_grid_at()");
        cubic_slopes(point[0], point[1], point[2], exact);
        for (int a = 0; a < 3; a++) {
            const double unit = a == 0 ? 1e-3 : 1.0; /* per K */
            cr_expect(fabs(slopes[a][0] - exact[a]) < 1e-10 * (unit + fabs(exact[a])));
            cr_expect(fabs(slopes[a][1] - exact[a]) < 1e-10 * (unit + fabs(exact[a])));
            cr_expect(fabs(slopes[a][2] - (a == 2 ? 0.1 : 0.0)) < 1e-12);
        }
    }
    lb_grid_free(g);
    free(path);
}

Test(grid, slopes_are_the_limit_of_central_differences)
{
    lb_grid *g;
    cr_assert(lb_grid_load(committed, &g, NULL) == LB_OK);
    const double point[] = {4433, 2.17, -0.7}, h[] = {0.5, 1e-3, 1e-3};
    const size_t p = lb_grid_pixels(g);
    double coef[48], slopes[3 * 48];
    double *flux = lb_xcalloc(7 * p, sizeof *flux), *same = flux + p, *dflux = flux + 2 * p;
    double *up = flux + 5 * p, *down = flux + 6 * p;
    cr_assert(lb_grid_slopes(g, point, coef, slopes, NULL) == LB_OK);
    lb_grid_unpack_slopes(g, coef, slopes, flux, lb_mat_of(dflux, 3, p));
    lb_grid_unpack(g, coef, NULL, same);
    cr_expect(memcmp(flux, same, p * sizeof *flux) == 0, "the flux has the bits of unpack()");
    for (int a = 0; a < 3; a++) {
        double near[3], largest = 0.0, worst = 0.0;
        memcpy(near, point, sizeof near);
        near[a] = point[a] + h[a];
        lb_grid_at(g, near, coef, NULL);
        lb_grid_unpack(g, coef, NULL, up);
        near[a] = point[a] - h[a];
        lb_grid_at(g, near, coef, NULL);
        lb_grid_unpack(g, coef, NULL, down);
        for (size_t j = 0; j < p; j++) {
            const double d = dflux[(size_t)a * p + j];
            largest = fmax(largest, fabs(d));
            worst = fmax(worst, fabs((up[j] - down[j]) / (2.0 * h[a]) - d));
        }
        cr_expect(worst < 1e-6 * largest, "axis %d: %g of %g", a, worst, largest);
    }
    free(flux);
    lb_grid_free(g);
}

Test(grid, slopes_have_no_jump_at_a_node)
{
    lb_grid *g;
    cr_assert(lb_grid_load(committed, &g, NULL) == LB_OK);
    double coef[48], below[3 * 48], at[3 * 48];
    lb_grid_slopes(g, (const double[]){4750 - 1e-6, 2.5, -1}, coef, below, NULL);
    lb_grid_slopes(g, (const double[]){4750, 2.5, -1}, coef, at, NULL);
    for (int c = 0; c < 3 * 48; c++)
        cr_expect(fabs(below[c] - at[c]) < 1e-7 * (1e-3 + fabs(at[c])));
    lb_grid_free(g);
}

Test(grid, is_smooth_across_a_node)
{
    lb_grid *g;
    cr_assert(lb_grid_load(committed, &g, NULL) == LB_OK);
    double below[48], at[48], above[48];
    const double h = 1e-3;
    lb_grid_at(g, (const double[]){4750 - h, 2.2, -0.7}, below, NULL);
    lb_grid_at(g, (const double[]){4750, 2.2, -0.7}, at, NULL);
    lb_grid_at(g, (const double[]){4750 + h, 2.2, -0.7}, above, NULL);
    for (int c = 0; c < 48; c++) /* no kink: slopes on both sides agree */
        cr_expect(fabs((above[c] - at[c]) - (at[c] - below[c])) < 1e-9);
    lb_grid_free(g);
}

Test(grid, extrapolates_nothing)
{
    lb_grid *g;
    lb_error err = {0};
    double coef[48];
    cr_assert(lb_grid_load(committed, &g, NULL) == LB_OK);
    cr_expect(eq(int, lb_grid_at(g, (const double[]){6000, 5, 0.75}, coef, NULL), LB_OK));
    cr_expect(eq(int, lb_grid_at(g, (const double[]){6000.1, 5, 0.75}, coef, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "teff = 6000.1 is outside the grid, 3750 to 6000") != NULL);
    cr_expect(eq(int, lb_grid_at(g, (const double[]){5000, 0.99, 0}, coef, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_grid_at(g, (const double[]){5000, 4, NAN}, coef, NULL), LB_EINVAL));
    double slopes[3 * 48];
    const double outside[] = {6000.1, 5, 0.75}, hole[] = {5000, 4, NAN};
    cr_expect(eq(int, lb_grid_slopes(g, outside, coef, slopes, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_grid_slopes(g, hole, coef, slopes, NULL), LB_EINVAL));
    lb_grid_free(g);
}

Test(grid, says_what_is_wrong_with_a_file)
{
    lb_grid *g = NULL;
    lb_error err = {0};
    cr_expect(eq(int, lb_grid_load("data/grid/nowhere.h5", &g, NULL), LB_EIO));
    cr_expect(eq(int, lb_grid_load("data/grid/sky_lines.tsv", &g, NULL), LB_EFORMAT));
    missing = "cont_coef";
    char *path = toy_grid(x0, A);
    cr_expect(eq(int, lb_grid_load(path, &g, &err), LB_ENAME));
    cr_expect(strstr(err.text, "cont_coef") && strstr(err.text, path), "%s", err.text);
    free(path);
    missing = NULL;
    path = toy_grid(x0, A - 1);
    cr_expect(eq(int, lb_grid_load(path, &g, NULL), LB_ESHAPE), "coef does not fit the nodes");
    free(path);
    path = toy_grid(x0, 3);
    cr_expect(eq(int, lb_grid_load(path, &g, NULL), LB_EINVAL), "three nodes make no cubic");
    free(path);
    path = toy_grid((const double[]){3750, 4000, 4000, 5000, 6000}, A);
    cr_expect(eq(int, lb_grid_load(path, &g, NULL), LB_EINVAL), "nodes must increase");
    free(path);
    path = toy_grid((const double[]){3750, 4000, NAN, 5000, 6000}, A);
    cr_expect(eq(int, lb_grid_load(path, &g, NULL), LB_EINVAL));
    free(path);
    cr_expect(g == NULL);
}

static void spoil_mean(hid_t file)
{
    const double mean[P] = {1, INFINITY, 3};
    const hsize_t dims[] = {P};
    H5Ldelete(file, "mean", H5P_DEFAULT);
    put_array(file, "mean", H5T_NATIVE_DOUBLE, 1, dims, mean);
}

Test(grid, refuses_infinity)
{
    lb_grid *g;
    char *path = toy_grid(x0, A);
    with_file(path, spoil_mean);
    cr_expect(eq(int, lb_grid_load(path, &g, NULL), LB_ENUMERIC));
    free(path);
}

Test(grid, own_exponential_agrees_with_the_library)
{
    for (double x = -690.0; x < 690.0; x += 0.37)
        cr_assert(fabs(lb_exp(x) / exp(x) - 1.0) < 4e-16 + 1e-18 * fabs(x), "x = %g: %g", x,
                  lb_exp(x) / exp(x) - 1.0);
    cr_expect(eq(dbl, lb_exp(0.0), 1.0));
    cr_expect(epsilon_eq(dbl, lb_power_of_ten(-0.96), pow(10, -0.96), 1e-16));
}
