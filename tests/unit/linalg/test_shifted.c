/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/shifted.h"
#include "linalg/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* B'B for a random B of n rows, in a room. */
static lb_cholesky *product(size_t n, size_t p)
{
    double *b = lb_xcalloc(n * p, sizeof *b);
    lb_cholesky *a = lb_cholesky_new(p);
    lb_rng r = lb_rng_make(n + p, 3);
    for (size_t i = 0; i < n * p; i++)
        b[i] = lb_rng_normal(&r);
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < n; k++)
                sum += b[k * p + i] * b[k * p + j];
            *lb_cholesky_place(a, i, j) = sum;
        }
    free(b);
    return a;
}

/* The factor of a + shift I. */
static lb_cholesky *factor(lb_cholesky *a, size_t p, double shift)
{
    lb_cholesky *u = lb_cholesky_new(p);
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++)
            *lb_cholesky_place(u, i, j) = *lb_cholesky_place(a, i, j);
    cr_assert(eq(int, lb_cholesky_factor(u, shift, NULL), LB_OK));
    return u;
}

static double *right_side(size_t p)
{
    double *b = lb_xcalloc(p, sizeof *b);
    for (size_t i = 0; i < p; i++)
        b[i] = sin((double)i + 1.0);
    return b;
}

/* x is what a factor of A + alpha I itself gives. */
static void expect_solved(lb_cholesky *a, const double *b, size_t p, double alpha, bool solved,
                          const double *x)
{
    double *direct = lb_xcalloc(p, sizeof *direct);
    lb_cholesky *own = factor(a, p, alpha);
    memcpy(direct, b, p * sizeof *b);
    lb_cholesky_solve(own, (lb_vec){direct, p});
    cr_expect(solved, "p %zu alpha %g", p, alpha);
    cr_expect(lt(dbl, distance(x, direct, p), 1e-12), "p %zu alpha %g", p, alpha);
    lb_cholesky_free(own);
    free(direct);
}

Test(shifted, one_factor_solves_every_system_that_a_factor_of_its_own_solves)
{
    const size_t sizes[][2] = {{1, 1}, {9, 2}, {300, 33}, {2000, 300}};
    const double alphas[] = {0.1, 3.0, 50.0, 500.0, 0.1 + 1e-9}, poles[] = {0.1, 20.0, 600.0};
    for (size_t s = 0; s < 12; s++) {
        const size_t p = sizes[s % 4][1];
        const double pole = poles[s / 4];
        lb_cholesky *a = product(sizes[s % 4][0], p), *u = factor(a, p, pole);
        double *b = right_side(p), *x = lb_xcalloc(5 * p, sizeof *x);
        bool solved[5];
        lb_shifted_solve(u, pole, (lb_cvec){b, p}, (lb_cvec){alphas, 5}, 80, lb_mat_of(x, 5, p),
                         solved);
        for (size_t k = 0; k < 5; k++)
            expect_solved(a, b, p, alphas[k], solved[k], x + k * p);
        lb_cholesky_free(a);
        lb_cholesky_free(u);
        free(b);
        free(x);
    }
}

/* The smallest eigenvalue lies far below the pole: a residual says less of the error there. */
Test(shifted, errors_below_the_pole_are_as_small_as_above)
{
    const size_t p = 300;
    const double alphas[] = {1e-3, 1.0}, pole = 1e4;
    lb_cholesky *a = product(400, p), *u = factor(a, p, pole);
    double *b = right_side(p), *x = lb_xcalloc(2 * p, sizeof *x);
    bool solved[2];
    lb_shifted_solve(u, pole, (lb_cvec){b, p}, (lb_cvec){alphas, 2}, 300, lb_mat_of(x, 2, p),
                     solved);
    for (size_t k = 0; k < 2; k++)
        expect_solved(a, b, p, alphas[k], solved[k], x + k * p);
    lb_cholesky_free(a);
    lb_cholesky_free(u);
    free(b);
    free(x);
}

/* Fewer rows than columns: the smallest eigenvalue is 0, so alpha / pole alone counts. */
Test(shifted, an_alpha_out_of_reach_is_given_up_and_its_row_left_alone)
{
    const size_t p = 300;
    const double alphas[] = {2e-3, 1e3};
    lb_cholesky *a = product(200, p), *u = factor(a, p, 1e-3);
    double *b = right_side(p), *x = lb_xcalloc(2 * p, sizeof *x);
    bool solved[2];
    for (size_t j = 0; j < p; j++)
        x[p + j] = 7.0;
    lb_shifted_solve(u, 1e-3, (lb_cvec){b, p}, (lb_cvec){alphas, 2}, 30, lb_mat_of(x, 2, p),
                     solved);
    cr_expect(solved[0]);
    cr_expect(eq(int, solved[1], false));
    for (size_t j = 0; j < p; j++)
        cr_assert(eq(dbl, x[p + j], 7.0));
    lb_cholesky_free(a);
    lb_cholesky_free(u);
    free(b);
    free(x);
}

/* As many rows as columns: eigenvalues of every size down to 0. */
Test(shifted, an_alpha_far_below_many_eigenvalues_below_the_pole_is_given_up)
{
    const size_t p = 300;
    const double alphas[] = {1e-6, 50.0};
    lb_cholesky *a = product(p, p), *u = factor(a, p, 100.0);
    double *b = right_side(p), *x = lb_xcalloc(2 * p, sizeof *x);
    bool solved[2];
    x[0] = 7.0;
    lb_shifted_solve(u, 100.0, (lb_cvec){b, p}, (lb_cvec){alphas, 2}, 60, lb_mat_of(x, 2, p),
                     solved);
    cr_expect(eq(int, solved[0], false));
    cr_expect(eq(dbl, x[0], 7.0));
    cr_expect(solved[1]);
    lb_cholesky_free(a);
    lb_cholesky_free(u);
    free(b);
    free(x);
}

Test(shifted, a_ratio_of_penalties_out_of_range_is_given_up_and_comes_to_an_end)
{
    const double alpha = 1e-300;
    lb_cholesky *a = product(40, 10), *u = factor(a, 10, 1.0);
    double b[10] = {1.0, 2.0}, x[10];
    bool solved = true;
    lb_shifted_solve(u, 1e300, (lb_cvec){b, 10}, (lb_cvec){&alpha, 1}, 10, lb_mat_of(x, 1, 10),
                     &solved);
    cr_expect(not(solved));
    lb_cholesky_free(a);
    lb_cholesky_free(u);
}

Test(shifted, nothing_to_solve_gives_nothing_and_nan_is_not_solved)
{
    const double alphas[] = {2.0, 3.0};
    lb_cholesky *a = product(40, 10), *u = factor(a, 10, 1.0);
    double b[10] = {0.0}, x[20] = {1.0};
    bool solved[2] = {true, true};
    lb_shifted_solve(u, 1.0, (lb_cvec){b, 10}, (lb_cvec){alphas, 0}, 10, lb_mat_of(x, 0, 10),
                     solved);
    lb_shifted_solve(u, 1.0, (lb_cvec){b, 10}, (lb_cvec){alphas, 2}, 0, lb_mat_of(x, 2, 10),
                     solved);
    cr_expect(eq(int, solved[0], false), "without a step nothing is solved");
    lb_shifted_solve(u, 1.0, (lb_cvec){b, 10}, (lb_cvec){alphas, 2}, 10, lb_mat_of(x, 2, 10),
                     solved);
    cr_expect(solved[0] && solved[1]);
    for (size_t j = 0; j < 20; j++)
        cr_expect(eq(dbl, x[j], 0.0), "no right side, no solution");
    b[3] = NAN;
    lb_shifted_solve(u, 1.0, (lb_cvec){b, 10}, (lb_cvec){alphas, 2}, 10, lb_mat_of(x, 2, 10),
                     solved);
    cr_expect(eq(int, solved[0] || solved[1], false));
    lb_cholesky_free(a);
    lb_cholesky_free(u);
}
