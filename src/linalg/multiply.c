/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/multiply.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { R = LB_MULTIPLY_ROWS, C = LB_MULTIPLY_COLS, CHAIN = LB_MULTIPLY_CHAIN };

static void block_portable(size_t k, const float *const a[R], size_t step, const float *b,
                           size_t stride, float sum[R][C])
{
    memset(sum, 0, R * sizeof *sum);
    for (size_t t = 0; t < k; t++, b += stride)
        for (int r = 0; r < R; r++) {
            const float v = a[r][t * step];
            for (int c = 0; c < C; c++)
                sum[r][c] = fmaf(v, b[c], sum[r][c]);
        }
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void block_avx512(size_t k, const float *const a[R],
                                                            size_t step, const float *b,
                                                            size_t stride, float sum[R][C])
{
    __m512 s[R][2];
    for (int r = 0; r < R; r++)
        s[r][0] = s[r][1] = _mm512_setzero_ps();
    for (size_t t = 0, u = 0; t < k; t++, u += step, b += stride) {
        const __m512 x0 = _mm512_loadu_ps(b), x1 = _mm512_loadu_ps(b + 16);
#pragma GCC unroll 8
        for (int r = 0; r < R; r++) {
            const __m512 v = _mm512_set1_ps(a[r][u]);
            s[r][0] = _mm512_fmadd_ps(v, x0, s[r][0]);
            s[r][1] = _mm512_fmadd_ps(v, x1, s[r][1]);
        }
    }
    for (int r = 0; r < R; r++) {
        _mm512_storeu_ps(sum[r], s[r][0]);
        _mm512_storeu_ps(sum[r] + 16, s[r][1]);
    }
}

/* Sixteen registers hold four rows by half of the columns at a time. */
__attribute__((target("avx2,fma"))) static void block_avx2(size_t k, const float *const a[R],
                                                           size_t step, const float *b,
                                                           size_t stride, float sum[R][C])
{
    enum { PART = 4, HALF = C / 2 };
    for (int part = 0; part < R / PART * 2; part++) {
        const int r0 = part / 2 * PART, c0 = part % 2 * HALF;
        const float *row = b + c0;
        __m256 s[PART][2];
        for (int r = 0; r < PART; r++)
            s[r][0] = s[r][1] = _mm256_setzero_ps();
        for (size_t t = 0, u = 0; t < k; t++, u += step, row += stride) {
            const __m256 x0 = _mm256_loadu_ps(row), x1 = _mm256_loadu_ps(row + 8);
#pragma GCC unroll 4
            for (int r = 0; r < PART; r++) {
                const __m256 v = _mm256_set1_ps(a[r0 + r][u]);
                s[r][0] = _mm256_fmadd_ps(v, x0, s[r][0]);
                s[r][1] = _mm256_fmadd_ps(v, x1, s[r][1]);
            }
        }
        for (int r = 0; r < PART; r++) {
            _mm256_storeu_ps(sum[r0 + r] + c0, s[r][0]);
            _mm256_storeu_ps(sum[r0 + r] + c0 + 8, s[r][1]);
        }
    }
}
#endif

lb_multiply_loop *lb_multiply_version(int version)
{
#if defined(__x86_64__)
    if (version == 2 && __builtin_cpu_supports("avx512f"))
        return block_avx512;
    if (version == 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return block_avx2;
#endif
    return version == 0 ? block_portable : NULL;
}

static lb_multiply_loop *best_version(void)
{
    lb_multiply_loop *best = NULL;
    for (int version = 2; !best; version--)
        best = lb_multiply_version(version);
    return best;
}

/* Where the register block finds R rows of op(A) from row i and product t on; rows beyond the last
 * repeat it, for nothing. A' is copied, since its elements would each come from a row of its own.
 */
static size_t rows_of_a(bool transpose, lb_cmatf a, size_t i, size_t m, size_t t, size_t k,
                        float *panel, const float *at[R])
{
    const size_t here = m - i < R ? m - i : R;
    if (!transpose) {
        for (size_t r = 0; r < R; r++)
            at[r] = a.data + (i + (r < here ? r : here - 1)) * a.stride + t;
        return 1;
    }
    for (size_t u = 0; u < k; u++) {
        const float *from = a.data + (t + u) * a.stride + i;
        __builtin_prefetch(from + 2 * R, 0, 2); /* a line of each row, for the block after next */
        if (here == R)
            memcpy(panel + u * R, from, R * sizeof *panel);
        else
            for (size_t r = 0; r < R; r++)
                panel[u * R + r] = from[r < here ? r : here - 1];
    }
    for (size_t r = 0; r < R; r++)
        at[r] = panel + r;
    return R;
}

/* Add a block of sums to C at (i, j), or put it there, as far as C goes. */
static void deposit(float sum[R][C], bool add, size_t i, size_t j, lb_matf c)
{
    const size_t rows = c.rows - i < R ? c.rows - i : R, cols = c.cols - j < C ? c.cols - j : C;
    for (size_t r = 0; r < rows; r++) {
        float *out = c.data + (i + r) * c.stride + j;
        for (size_t q = 0; q < cols; q++)
            out[q] = add ? out[q] + sum[r][q] : sum[r][q];
    }
}

void lb_multiply(bool transpose_a, lb_cmatf a, lb_cmatf b, lb_matf c)
{
    _Alignas(64) float sum[R][C] = {{0.0f}}, panel[CHAIN * R], edge[CHAIN * C];
    lb_multiply_loop *const block = best_version();
    const size_t inner = b.rows, whole = c.cols / C * C; /* columns in whole blocks */
    for (size_t t = 0; t < inner || t == 0; t += CHAIN) {
        const size_t k = inner - t < CHAIN ? inner - t : CHAIN;
        const float *const row = b.data + t * b.stride;
        for (size_t u = 0; u < k && whole < c.cols; u++) { /* the last columns, filled up */
            memset(edge + u * C, 0, C * sizeof *edge);
            memcpy(edge + u * C, row + u * b.stride + whole, (c.cols - whole) * sizeof *edge);
        }
        for (size_t i = 0; i < c.rows; i += R) {
            const float *at[R];
            const size_t step = rows_of_a(transpose_a, a, i, c.rows, t, k, panel, at);
            for (size_t j = 0; j < c.cols; j += C) {
                const bool last = j == whole;
                block(k, at, step, last ? edge : row + j, last ? C : b.stride, sum);
                deposit(sum, t > 0, i, j, c);
            }
        }
    }
}
