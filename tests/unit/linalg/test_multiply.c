/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "core/random.h"
#include "linalg/multiply.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static lb_matf random_matrix(size_t rows, size_t cols, size_t stride, uint64_t seed)
{
    lb_matf a = {lb_xcalloc(rows * stride + 1, sizeof(float)), rows, cols, stride};
    lb_rng r = lb_rng_make(seed, 0);
    for (size_t i = 0; i < rows * stride; i++)
        a.data[i] = i % stride < cols ? (float)lb_rng_normal(&r) : NAN; /* never to be read */
    return a;
}

static float element(bool transpose, lb_matf a, size_t i, size_t t)
{
    return transpose ? a.data[t * a.stride + i] : a.data[i * a.stride + t];
}

/* The contract in its slow, obvious form. */
static float by_hand(bool transpose, lb_matf a, lb_matf b, size_t i, size_t j)
{
    float total = 0.0f;
    for (size_t t = 0; t < b.rows; t += LB_MULTIPLY_CHAIN) {
        float chain = 0.0f;
        for (size_t u = t; u < b.rows && u < t + LB_MULTIPLY_CHAIN; u++)
            chain = fmaf(element(transpose, a, i, u), b.data[u * b.stride + j], chain);
        total = t ? total + chain : chain;
    }
    return total;
}

Test(multiply, sums_every_element_in_the_order_of_its_contract)
{
    const size_t sizes[][3] = {{1, 1, 1},   {8, 32, 256}, {9, 33, 257}, {17, 31, 600},
                               {64, 96, 7}, {3, 70, 512}, {5, 2, 0},    {267, 65, 300}};
    for (size_t q = 0; q < sizeof sizes / sizeof *sizes; q++) {
        const size_t m = sizes[q][0], n = sizes[q][1], k = sizes[q][2];
        for (int transpose = 0; transpose < 2; transpose++) {
            lb_matf a = transpose ? random_matrix(k, m, m + 3, q) : random_matrix(m, k, k + 1, q);
            lb_matf b = random_matrix(k, n, n + 2, 100 + q), c = random_matrix(m, n, n + 5, 200);
            lb_multiply(transpose, lb_matf_const(a), lb_matf_const(b), c);
            for (size_t i = 0; i < m; i++) {
                for (size_t j = 0; j < n; j++)
                    cr_assert(eq(flt, c.data[i * c.stride + j], by_hand(transpose, a, b, i, j)),
                              "%zux%zux%zu at (%zu, %zu)", m, k, n, i, j);
                cr_assert(isnan(c.data[i * c.stride + n]), "beyond the columns of C");
            }
            free(a.data), free(b.data), free(c.data);
        }
    }
}

Test(multiply, has_the_same_bits_on_every_cpu)
{
    enum { R = LB_MULTIPLY_ROWS, C = LB_MULTIPLY_COLS };
    lb_matf a = random_matrix(R, 256, 260, 1), b = random_matrix(256, C, 48, 2);
    const float *at[R];
    float expected[R][C], got[R][C];
    for (size_t r = 0; r < R; r++)
        at[r] = a.data + r * a.stride;
    for (size_t k = 0; k <= 256; k += 64) {
        lb_multiply_version(0)(k, at, 1, b.data, b.stride, false, expected[0], C);
        for (int version = 1; version <= 2; version++) {
            lb_multiply_loop *loop = lb_multiply_version(version);
            if (!loop)
                continue;
            loop(k, at, 1, b.data, b.stride, false, got[0], C);
            cr_expect(eq(int, memcmp(got, expected, sizeof got), 0), "version %d, k %zu", version,
                      k);
        }
    }
    cr_expect(eq(ptr, (void *)lb_multiply_version(3), NULL));
    free(a.data), free(b.data);
}

Test(multiply, gives_the_same_bits_however_c_is_cut)
{
    lb_matf a = random_matrix(50, 300, 304, 5), b = random_matrix(300, 70, 80, 6);
    lb_matf whole = random_matrix(50, 70, 70, 7), cut = random_matrix(50, 70, 70, 8);
    lb_multiply(false, lb_matf_const(a), lb_matf_const(b), whole);
    for (size_t i = 0; i < 50; i += 13) {
        const size_t rows = 50 - i < 13 ? 50 - i : 13;
        lb_multiply(false, (lb_cmatf){a.data + i * a.stride, rows, 300, a.stride}, lb_matf_const(b),
                    (lb_matf){cut.data + i * 70, rows, 70, 70});
    }
    cr_expect(eq(int, memcmp(whole.data, cut.data, 50 * 70 * sizeof(float)), 0));
    free(a.data), free(b.data), free(whole.data), free(cut.data);
}

Test(multiply, strides_hold_whole_blocks_off_the_powers_of_two)
{
    cr_expect(eq(sz, lb_multiply_stride(1), 48));
    cr_expect(eq(sz, lb_multiply_stride(256), 272));
    cr_expect(eq(sz, lb_multiply_stride(4096), 4112));
}
