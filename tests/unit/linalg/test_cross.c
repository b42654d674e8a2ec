/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/cross.h"
#include "linalg/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static lb_strips strips(size_t rows, size_t cols, size_t rows_max, uint64_t seed)
{
    double *data = lb_xaligned(lb_strips_size(rows_max, cols), sizeof *data);
    lb_rng r = lb_rng_make(seed, 2);
    for (size_t i = 0; i < lb_strips_size(rows_max, cols); i++)
        data[i] = lb_rng_normal(&r);
    return (lb_strips){data, rows, cols, rows_max};
}

static double at(lb_strips a, size_t i, size_t j)
{
    return a.data[j / LB_CROSS_STRIP * a.rows_max * LB_CROSS_STRIP + i * LB_CROSS_STRIP +
                  j % LB_CROSS_STRIP];
}

/* The definition of the header, word for word. */
static double element(lb_strips a, lb_strips b, size_t i, size_t j, double c)
{
    for (size_t first = 0; first < a.rows; first += LB_CROSS_CHAIN) {
        double sum = 0.0;
        for (size_t t = first; t < a.rows && t < first + LB_CROSS_CHAIN; t++)
            sum = fma(at(a, t, i), at(b, t, j), sum);
        c += sum;
    }
    return c;
}

/* Ragged strips, ragged register blocks, one and several chains. */
Test(cross, has_the_bits_of_the_definition)
{
    const size_t sizes[][3] = {{1, 1, 1},     {5, 8, 8},     {256, 24, 24}, {257, 9, 25},
                               {600, 33, 17}, {40, 64, 100}, {513, 31, 49}};
    for (size_t s = 0; s < 7; s++) {
        const size_t rows = sizes[s][0], m = sizes[s][1], n = sizes[s][2], stride = n + 3;
        lb_strips a = strips(rows, m, rows + 5, 1), b = strips(rows, n, rows, 2);
        double *c = lb_xcalloc(m * stride, sizeof *c);
        for (size_t i = 0; i < m * stride; i++)
            c[i] = 0.1 * (double)i;
        lb_cross_add(a, b, false, (lb_mat){c, m, n, stride});
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < stride; j++) {
                const double before = 0.1 * (double)(i * stride + j);
                const double expected = j < n ? element(a, b, i, j, before) : before;
                cr_assert(eq(dbl, c[i * stride + j], expected), "%zux%zux%zu", rows, m, n);
            }
        free((void *)a.data);
        free((void *)b.data);
        free(c);
    }
}

Test(cross, every_version_of_the_loop_has_the_same_bits)
{
    lb_strips a = strips(301, 8, 301, 4), b = strips(301, 24, 301, 5);
    const double *part[LB_CROSS_WIDE];
    _Alignas(64) double first[8][24], other[8][24];
    for (size_t q = 0; q < LB_CROSS_WIDE; q++)
        part[q] = b.data + q * b.rows_max * LB_CROSS_STRIP;
    lb_cross_block(301, a.data, LB_CROSS_STRIP, 1, part, first);
    cr_assert(ne(ptr, (void *)lb_cross_version(0), NULL));
    for (int version = 0; version < 3; version++) {
        lb_cross_loop *loop = lb_cross_version(version);
        if (!loop)
            continue;
        loop(301, a.data, LB_CROSS_STRIP, 1, part, other);
        cr_expect(eq(int, memcmp(first, other, sizeof first), 0), "version %d", version);
    }
    cr_expect(eq(ptr, (void *)lb_cross_version(3), NULL));
    free((void *)a.data);
    free((void *)b.data);
}

/* A of 40 columns and 88 rows, inside a wider matrix. */
Test(cross, a_matrix_that_lies_row_by_row_gives_the_bits_of_its_strips)
{
    enum { ROWS = 88, COLS = 40, STRIDE = 43 };
    lb_strips a = strips(ROWS, COLS, ROWS, 6), turned = strips(COLS, ROWS, COLS, 7);
    lb_strips b = strips(ROWS, 29, ROWS + 2, 8);
    double *plain = lb_xcalloc(ROWS * STRIDE, sizeof *plain), *c[4];
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < COLS; j++) {
            plain[i * STRIDE + j] = at(a, i, j);
            ((double *)turned.data)[i / LB_CROSS_STRIP * COLS * LB_CROSS_STRIP +
                                    j * LB_CROSS_STRIP + i % LB_CROSS_STRIP] = at(a, i, j);
        }
    for (int k = 0; k < 4; k++)
        c[k] = lb_xcalloc(ROWS * 29, sizeof *c[k]);
    const lb_cmat rows = {plain, ROWS, COLS, STRIDE};
    const lb_strips few = {b.data, COLS, b.cols, b.rows_max};
    lb_cross_add(a, b, false, lb_mat_of(c[0], COLS, 29));
    lb_cross_add_rows(rows, false, b, lb_mat_of(c[1], COLS, 29));
    lb_cross_add(turned, few, false, lb_mat_of(c[2], ROWS, 29));
    lb_cross_add_rows(rows, true, few, lb_mat_of(c[3], ROWS, 29));
    cr_expect(eq(int, memcmp(c[0], c[1], COLS * 29 * sizeof(double)), 0));
    cr_expect(eq(int, memcmp(c[2], c[3], ROWS * 29 * sizeof(double)), 0));
    cr_expect(ne(dbl, c[2][28], 0.0));
    for (int k = 0; k < 4; k++)
        free(c[k]);
    free(plain);
    free((void *)a.data);
    free((void *)b.data);
    free((void *)turned.data);
}

Test(cross, lower_computes_the_whole_lower_triangle)
{
    lb_strips a = strips(300, 61, 300, 3);
    double *c = lb_xcalloc(61 * 61, sizeof *c);
    lb_cross_add(a, a, true, lb_mat_of(c, 61, 61));
    for (size_t i = 0; i < 61; i++)
        for (size_t j = 0; j <= i; j++)
            cr_assert(eq(dbl, c[i * 61 + j], element(a, a, i, j, 0.0)));
    cr_expect(eq(dbl, c[60], 0.0), "the far corner is left out");
    free((void *)a.data);
    free(c);
}
