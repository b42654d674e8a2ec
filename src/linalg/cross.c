/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/cross.h"

#include "core/cpu.h"

#include <math.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { S = LB_CROSS_STRIP, WIDE = LB_CROSS_WIDE };

static void block_portable(size_t rows, const double *a, size_t down, size_t across,
                           const double *const b[WIDE], double sum[S][WIDE * S])
{
    for (int q = 0; q < WIDE; q++) {
        double s[S][S] = {{0.0}};
        for (size_t t = 0; t < rows; t++)
            for (int r = 0; r < S; r++)
                for (int c = 0; c < S; c++)
                    s[r][c] =
                        fma(a[t * down + (size_t)r * across], b[q][t * S + (size_t)c], s[r][c]);
        for (int r = 0; r < S; r++)
            for (int c = 0; c < S; c++)
                sum[r][q * S + c] = s[r][c];
    }
}

#if defined(__x86_64__)
__attribute__((target("avx512f"), always_inline)) static inline void
loop_avx512(size_t rows, const double *a, size_t down, size_t across, const double *const b[WIDE],
            double sum[S][WIDE * S])
{
    const double *b0 = b[0], *b1 = b[1], *b2 = b[2];
    __m512d s[S][WIDE];
    for (int r = 0; r < S; r++)
        for (int q = 0; q < WIDE; q++)
            s[r][q] = _mm512_setzero_pd();
    for (size_t t = 0; t < rows; t++, a += down, b0 += S, b1 += S, b2 += S) {
        const __m512d x0 = _mm512_load_pd(b0), x1 = _mm512_load_pd(b1), x2 = _mm512_load_pd(b2);
        for (int r = 0; r < S; r++) {
            const __m512d y = _mm512_set1_pd(a[(size_t)r * across]);
            s[r][0] = _mm512_fmadd_pd(y, x0, s[r][0]);
            s[r][1] = _mm512_fmadd_pd(y, x1, s[r][1]);
            s[r][2] = _mm512_fmadd_pd(y, x2, s[r][2]);
        }
    }
    for (int r = 0; r < S; r++)
        for (int q = 0; q < WIDE; q++)
            _mm512_store_pd(&sum[r][q * S], s[r][q]);
}

__attribute__((target("avx512f"))) static void block_avx512(size_t rows, const double *a,
                                                            size_t down, size_t across,
                                                            const double *const b[WIDE],
                                                            double sum[S][WIDE * S])
{
    if (down == S && across == 1) /* strips: known distances save instructions */
        loop_avx512(rows, a, S, 1, b, sum);
    else
        loop_avx512(rows, a, down, across, b, sum);
}

/* Sixteen registers hold four rows by one strip at a time. */
__attribute__((target("avx2,fma"))) static void block_avx2(size_t rows, const double *a,
                                                           size_t down, size_t across,
                                                           const double *const b[WIDE],
                                                           double sum[S][WIDE * S])
{
    enum { ROWS = 4 };
    for (int part = 0; part < WIDE * S / ROWS; part++) {
        const int q = part % WIDE, r0 = part / WIDE * ROWS;
        const double *x = b[q], *y = a + (size_t)r0 * across;
        __m256d s[ROWS][2];
        for (int r = 0; r < ROWS; r++)
            s[r][0] = s[r][1] = _mm256_setzero_pd();
        for (size_t t = 0; t < rows; t++, x += S, y += down) {
            const __m256d x0 = _mm256_load_pd(x), x1 = _mm256_load_pd(x + 4);
            for (int r = 0; r < ROWS; r++) {
                const __m256d v = _mm256_set1_pd(y[(size_t)r * across]);
                s[r][0] = _mm256_fmadd_pd(v, x0, s[r][0]);
                s[r][1] = _mm256_fmadd_pd(v, x1, s[r][1]);
            }
        }
        for (int r = 0; r < ROWS; r++) {
            _mm256_store_pd(&sum[r0 + r][q * S], s[r][0]);
            _mm256_store_pd(&sum[r0 + r][q * S + 4], s[r][1]);
        }
    }
}

#endif

lb_cross_loop *lb_cross_version(int version)
{
#if defined(__x86_64__)
    if (version == 2 && __builtin_cpu_supports("avx512f"))
        return block_avx512;
    if (version == 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return block_avx2;
#endif
    return version == 0 ? block_portable : NULL;
}

void lb_cross_block(size_t rows, const double *a, size_t down, size_t across,
                    const double *const b[WIDE], double sum[S][WIDE * S])
{
    lb_cross_loop *best = NULL;
    for (int version = 2; !best; version--)
        best = lb_cross_version(version);
    best(rows, a, down, across, b, sum);
}

/* Where a block of sums will go is fetched while it is summed. */
static void fetch(size_t i, size_t j, lb_mat c)
{
    for (size_t r = i; r < i + S && r < c.rows; r++)
        for (size_t q = j; q < j + WIDE * S && q < c.cols; q += S)
            __builtin_prefetch(&c.data[r * c.stride + q], 1);
}

/* Add a block of sums to C at (i, j), as far as C goes. */
LB_FOR_EVERY_CPU static void deposit(double sum[S][WIDE * S], size_t i, size_t j, lb_mat c)
{
    const size_t rows = c.rows - i < S ? c.rows - i : S;
    const size_t cols = c.cols - j < WIDE * S ? c.cols - j : WIDE * S;
    if (rows == S && cols == WIDE * S) { /* almost always: the compiler knows how far to go */
        for (size_t r = 0; r < S; r++)
            for (size_t q = 0; q < WIDE * S; q++)
                c.data[(i + r) * c.stride + j + q] += sum[r][q];
        return;
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t q = 0; q < cols; q++)
            c.data[(i + r) * c.stride + j + q] += sum[r][q];
}

/* The left side of a product: element (t, i) at data[i / S * next + t * down + i % S * across]. */
typedef struct side {
    const double *data;
    size_t rows, cols, next, down, across;
} side;

static void add(side a, lb_strips b, bool lower, lb_mat c)
{
    _Alignas(64) double sum[S][WIDE * S];
    const size_t strip_b = b.rows_max * S, strips = (b.cols + S - 1) / S;
    for (size_t t = 0; t < a.rows; t += LB_CROSS_CHAIN) {
        const size_t rows = a.rows - t < LB_CROSS_CHAIN ? a.rows - t : LB_CROSS_CHAIN;
        for (size_t j = 0; j < strips; j += WIDE) {
            const double *part[WIDE];
            for (size_t q = 0; q < WIDE; q++) /* beyond the last strip: repeat it, for nothing */
                part[q] = b.data + (j + q < strips ? j + q : strips - 1) * strip_b + t * S;
            for (size_t i = 0; i * S < a.cols; i++) {
                if (lower && i < j)
                    continue;
                fetch(i * S, j * S, c);
                lb_cross_block(rows, a.data + i * a.next + t * a.down, a.down, a.across, part, sum);
                deposit(sum, i * S, j * S, c);
            }
        }
    }
}

void lb_cross_add(lb_strips a, lb_strips b, bool lower, lb_mat c)
{
    add((side){a.data, a.rows, a.cols, a.rows_max * S, S, 1}, b, lower, c);
}

void lb_cross_add_rows(lb_cmat a, bool transpose, lb_strips b, lb_mat c)
{
    add(transpose ? (side){a.data, a.cols, a.rows, S * a.stride, 1, a.stride}
                  : (side){a.data, a.rows, a.cols, S, a.stride, 1},
        b, false, c);
}
