/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/cholesky.h"
#include "linalg/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <omp.h>

/* The lower triangle of B'B for a random B with a few rows more than columns. */
static lb_mat spd(size_t p)
{
    const size_t n = p + 5;
    double *b = lb_xcalloc(n * p, sizeof *b);
    lb_mat a = lb_mat_new(p, p);
    lb_rng r = lb_rng_make(p, 3);
    for (size_t i = 0; i < n * p; i++)
        b[i] = lb_rng_normal(&r);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j <= i; j++)
            for (size_t k = 0; k < n; k++)
                a.data[i * p + j] += b[k * p + i] * b[k * p + j];
    free(b);
    return a;
}

/* Factor a + shift I. */
static lb_status factor(lb_cholesky *f, lb_mat a, double shift, lb_error *err)
{
    for (size_t i = 0; i < a.rows; i++)
        for (size_t j = 0; j <= i; j++)
            *lb_cholesky_place(f, j, i) = a.data[i * a.stride + j];
    return lb_cholesky_factor(f, shift, err);
}

static double element(lb_mat a, size_t i, size_t j)
{
    return a.data[(i > j ? i : j) * a.stride + (i > j ? j : i)];
}

/* Sizes about the strips, register blocks, blocks of rows and chains. */
Test(cholesky, solves_every_shifted_system)
{
    const size_t sizes[] = {1, 2, 7, 8, 9, 24, 25, 100, 127, 129, 300, 402};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t p = sizes[s];
        lb_mat a = spd(p);
        lb_cholesky *f = lb_cholesky_new(p);
        double *x = lb_xcalloc(p, sizeof *x);
        for (double shift = 1000.0; shift > 0.1; shift /= 37.0) {
            for (size_t i = 0; i < p; i++)
                x[i] = sin((double)i + 1.0);
            cr_assert(eq(int, factor(f, a, shift, NULL), LB_OK));
            lb_cholesky_solve(f, (lb_vec){x, p});
            for (size_t i = 0; i < p; i++) {
                double left = shift * x[i] - sin((double)i + 1.0), size = 1.0;
                for (size_t j = 0; j < p; j++) {
                    left += element(a, i, j) * x[j];
                    size += fabs(element(a, i, j) * x[j]);
                }
                cr_assert(lt(dbl, fabs(left), 1e-13 * size), "p %zu shift %g row %zu", p, shift, i);
            }
        }
        lb_cholesky_free(f);
        free(a.data);
        free(x);
    }
}

Test(cholesky, refuses_nan_infinity_and_indefinite_matrices_wherever_they_are)
{
    const double bad[] = {NAN, INFINITY, -INFINITY, 1e9};
    const size_t p = 290, places[][2] = {{0, 0},     {5, 5},    {5, 0},     {200, 3},
                                         {289, 289}, {289, 17}, {289, 288}, {128, 127}};
    lb_mat a = spd(p);
    lb_cholesky *f = lb_cholesky_new(p);
    for (size_t k = 0; k < 8; k++)
        for (size_t b = 0; b < 4; b++) {
            double *at = a.data + places[k][0] * p + places[k][1];
            const double kept = *at;
            lb_error err = {0};
            if (places[k][0] == places[k][1] && bad[b] == 1e9)
                continue; /* large on the diagonal is fine */
            *at = bad[b];
            cr_expect(eq(int, factor(f, a, 0.5, &err), LB_ENUMERIC), "%g at %zu, %zu", bad[b],
                      places[k][0], places[k][1]);
            cr_expect(ne(ptr, strstr(err.text, "pivot"), NULL));
            *at = kept;
        }
    cr_expect(eq(int, factor(f, a, -1e3, NULL), LB_ENUMERIC));
    cr_expect(eq(int, factor(f, a, NAN, NULL), LB_ENUMERIC));
    cr_expect(eq(int, factor(f, a, 0.5, NULL), LB_OK));
    double zero[9] = {0};
    lb_cholesky *small = lb_cholesky_new(3);
    cr_expect(eq(int, factor(small, lb_mat_of(zero, 3, 3), 0.0, NULL), LB_ENUMERIC));
    lb_cholesky_free(small);
    lb_cholesky_free(f);
    lb_cholesky_free(NULL);
    free(a.data);
}

Test(cholesky, multiplies_by_the_matrix_before_it_is_factored)
{
    const size_t sizes[] = {1, 7, 8, 41, 130};
    for (size_t q = 0; q < 5; q++) {
        const size_t p = sizes[q];
        lb_mat a = spd(p);
        lb_cholesky *f = lb_cholesky_new(p);
        double *x = lb_xcalloc(3 * p, sizeof *x), *y = x + p, *expected = x + 2 * p;
        for (size_t i = 0; i < p; i++) {
            x[i] = cos((double)i);
            for (size_t j = 0; j <= i; j++)
                *lb_cholesky_place(f, j, i) = a.data[i * p + j];
        }
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j < p; j++)
                expected[i] += element(a, i, j) * x[j];
        lb_cholesky_multiply(f, (lb_cvec){x, p}, (lb_vec){y, p});
        cr_expect(lt(dbl, distance(y, expected, p), 1e-14), "%zu", p);
        lb_cholesky_free(f);
        free(a.data);
        free(x);
    }
}

Test(cholesky, has_the_same_bits_for_one_and_two_threads)
{
    const size_t p = 500;
    lb_mat a = spd(p);
    lb_cholesky *one = lb_cholesky_new(p), *two = lb_cholesky_new(p);
    omp_set_num_threads(1);
    cr_assert(eq(int, factor(one, a, 0.1, NULL), LB_OK));
    omp_set_num_threads(2);
    cr_assert(eq(int, factor(two, a, 0.1, NULL), LB_OK));
    for (size_t j = 0; j < p; j++)
        for (size_t i = 0; i <= j; i++)
            cr_assert(eq(dbl, *lb_cholesky_place(one, i, j), *lb_cholesky_place(two, i, j)));
    lb_cholesky_free(one);
    lb_cholesky_free(two);
    free(a.data);
}
