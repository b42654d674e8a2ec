/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/multiply.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    R = LB_MULTIPLY_ROWS,
    C = LB_MULTIPLY_COLS,
    CHAIN = LB_MULTIPLY_CHAIN,
    BLOCKS = 16, /* of rows that go by while C columns of B stay in the first-level cache */
};

static void block_portable(size_t k, const float *const a[R], size_t step, const float *b,
                           size_t stride, bool add, float *c, size_t across)
{
    float s[R][C] = {{0.0f}};
    for (size_t t = 0; t < k; t++, b += stride)
        for (int r = 0; r < R; r++) {
            const float v = a[r][t * step];
            for (int q = 0; q < C; q++)
                s[r][q] = fmaf(v, b[q], s[r][q]);
        }
    for (int r = 0; r < R; r++, c += across)
        for (int q = 0; q < C; q++)
            c[q] = add ? c[q] + s[r][q] : s[r][q];
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void block_avx512(size_t k, const float *const a[R],
                                                            size_t step, const float *b,
                                                            size_t stride, bool add, float *c,
                                                            size_t across)
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
#pragma GCC unroll 8
    for (int r = 0; r < R; r++, c += across)
        for (int q = 0; q < 2; q++) {
            float *to = c + 16 * q;
            _mm512_storeu_ps(to, add ? _mm512_add_ps(_mm512_loadu_ps(to), s[r][q]) : s[r][q]);
        }
}

/* Sixteen registers hold four rows by half of the columns at a time. */
__attribute__((target("avx2,fma"))) static void block_avx2(size_t k, const float *const a[R],
                                                           size_t step, const float *b,
                                                           size_t stride, bool add, float *c,
                                                           size_t across)
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
        for (int r = 0; r < PART; r++)
            for (int q = 0; q < 2; q++) {
                float *to = c + (size_t)(r0 + r) * across + c0 + 8 * q;
                _mm256_storeu_ps(to, add ? _mm256_add_ps(_mm256_loadu_ps(to), s[r][q]) : s[r][q]);
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

/* A block at the edge of C: worked out beside it, taken over as far as C goes. */
static void block_at_edge(lb_multiply_loop *block, size_t k, const float *const a[R], size_t step,
                          const float *b, size_t stride, bool add, lb_matf c)
{
    _Alignas(64) float sum[R][C];
    block(k, a, step, b, stride, false, sum[0], C);
    for (size_t r = 0; r < c.rows; r++)
        for (size_t q = 0; q < c.cols; q++) {
            float *to = c.data + r * c.stride + q;
            *to = add ? *to + sum[r][q] : sum[r][q];
        }
}

/* Ask for part @p part of BLOCKS of k rows of B: the next columns, while these are at work. */
static void fetch(const float *b, size_t stride, size_t k, size_t part)
{
    for (size_t u = k * part / BLOCKS; u < k * (part + 1) / BLOCKS; u++) {
        __builtin_prefetch(b + u * stride, 0, 2);
        __builtin_prefetch(b + u * stride + C / 2, 0, 2);
    }
}

/* The last columns of k rows of B, filled up with zeros. */
static void fill_up(const float *b, size_t stride, size_t k, size_t cols, float *edge)
{
    memset(edge, 0, k * C * sizeof *edge);
    for (size_t u = 0; u < k; u++)
        memcpy(edge + u * C, b + u * stride, cols * sizeof *edge);
}

/* Blocks of rows of op(A) by C columns of B, k products on. The columns after these, if any, are
 * asked for at `next`. */
static void multiply_blocks(lb_multiply_loop *block, size_t k, const float *const (*a)[R],
                            size_t step, const float *b, size_t stride, const float *next, bool add,
                            lb_matf c)
{
    for (size_t i = 0; i < c.rows; i += R, a++) {
        const size_t rows = c.rows - i < R ? c.rows - i : R;
        const lb_matf part = {c.data + i * c.stride, rows, c.cols, c.stride};
        if (next)
            fetch(next, stride, k, i / R);
        if (rows == R && c.cols == C)
            block(k, *a, step, b, stride, add, part.data, part.stride);
        else
            block_at_edge(block, k, *a, step, b, stride, add, part);
    }
}

void lb_multiply(bool transpose_a, lb_cmatf a, lb_cmatf b, lb_matf c)
{
    _Alignas(64) float panel[BLOCKS][CHAIN * R], edge[CHAIN * C];
    const float *at[BLOCKS][R];
    lb_multiply_loop *const block = best_version();
    for (size_t t = 0; t < b.rows || t == 0; t += CHAIN) {
        const size_t k = b.rows - t < CHAIN ? b.rows - t : CHAIN;
        for (size_t i = 0, rows; i < c.rows; i += rows) {
            size_t step = 1;
            rows = c.rows - i < BLOCKS * R ? c.rows - i : BLOCKS * R;
            for (size_t r = 0; r < rows; r += R)
                step = rows_of_a(transpose_a, a, i + r, c.rows, t, k, panel[r / R], at[r / R]);
            for (size_t j = 0; j < c.cols; j += C) {
                const size_t cols = c.cols - j < C ? c.cols - j : C;
                const float *from = b.data + t * b.stride + j;
                const lb_matf to = {c.data + i * c.stride + j, rows, cols, c.stride};
                if (cols < C)
                    fill_up(from, b.stride, k, cols, edge);
                multiply_blocks(block, k, (const float *const(*)[R])at, step,
                                cols < C ? edge : from, cols < C ? C : b.stride,
                                c.cols - j >= 2 * C ? from + C : NULL, t > 0, to);
            }
        }
    }
}
