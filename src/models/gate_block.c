/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/gate_block.h"

#include "core/cpu.h"
#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

enum { ROWS = LB_GATE_ROWS };

/* What a product does with its result: max(0, s), or the derivative of that at the value it came
 * to, which is 1 where positive and else 0. */
typedef enum ending { PLAIN, RELU, RELU_BACK } ending;

/* exp(x) for x <= 0, right to 2 ulp; below -708 it is 0. x = n ln 2 + r with n whole and
 * |r| <= ln 2 / 2 (Cody & Waite 1980, Software Manual for the Elementary Functions, ch. 6), and the
 * Taylor series of exp(r), whose next term is below 5e-18. NaN stays NaN. */
INLINE double exp_negative(double x)
{
    union {
        double f;
        uint64_t bits;
    } n = {.f = fma(x, 0x1.71547652b82fep+0, 0x1.8p52)}, power; /* n sits in the low bits */
    const double whole = n.f - 0x1.8p52;
    const double r = fma(-whole, 0x1.cf79abc9e3b39p-40, fma(-whole, 0x1.62e42fefap-1, x));
    double s = 1.0 / 6227020800.0;
    s = fma(s, r, 1.0 / 479001600.0);
    s = fma(s, r, 1.0 / 39916800.0);
    s = fma(s, r, 1.0 / 3628800.0);
    s = fma(s, r, 1.0 / 362880.0);
    s = fma(s, r, 1.0 / 40320.0);
    s = fma(s, r, 1.0 / 5040.0);
    s = fma(s, r, 1.0 / 720.0);
    s = fma(s, r, 1.0 / 120.0);
    s = fma(s, r, 1.0 / 24.0);
    s = fma(s, r, 1.0 / 6.0);
    s = fma(s, r, 0.5);
    s = fma(s * r, r, r);
    power.bits = (n.bits << 52) + 0x3ff0000000000000u; /* 2^n */
    const double result = fma(s, power.f, power.f);
    return x < -708.0 ? 0.0 : result;
}

/* Numbers that lie side by side, and their bits. */
typedef double lane __attribute__((vector_size(LB_GATE_LANES * sizeof(double)), may_alias));
typedef int64_t lane_bits __attribute__((vector_size(LB_GATE_LANES * sizeof(double)), may_alias));

/* g (m) += the column sums of d, where m is whole vectors: as many columns at a time as hide the
 * latency of an addition. */
INLINE void column_sums(size_t rows, const double *d, size_t m, double *g)
{
    enum { WIDE_SUMS = 4 };
    const size_t vectors = m / LB_GATE_LANES;
    const lane *from = (const lane *)d;
    lane *to = (lane *)g;
    size_t c = 0;
    for (; c + WIDE_SUMS <= vectors; c += WIDE_SUMS) {
        lane s0 = to[c], s1 = to[c + 1], s2 = to[c + 2], s3 = to[c + 3];
        for (size_t r = 0; r < rows; r++) {
            const lane *row = from + r * vectors + c;
            s0 += row[0];
            s1 += row[1];
            s2 += row[2];
            s3 += row[3];
        }
        to[c] = s0;
        to[c + 1] = s1;
        to[c + 2] = s2;
        to[c + 3] = s3;
    }
    for (; c < vectors; c++) {
        lane s = to[c];
        for (size_t r = 0; r < rows; r++)
            s += from[r * vectors + c];
        to[c] = s;
    }
}

/* z -> p = softmax(z), yhat = sum_k p_k e_k; residual = yhat - y. The last logit is 0. */
INLINE void mix(lb_gate_block *b, double *restrict yhat, double *restrict residual)
{
    const size_t k = b->shape.experts, zw = b->zw;
    double top[ROWS], sum[ROWS] = {0.0};
    double *restrict p = b->p;
    const double *restrict e = b->e, *restrict y = b->y, *restrict z = b->z;
    memset(top, 0, sizeof top);
    memset(p + (k - 1) * ROWS, 0, ROWS * sizeof *p);
    for (size_t j = 0; j + 1 < k; j++)
        for (size_t r = 0; r < ROWS; r++)
            p[j * ROWS + r] = z[r * zw + j];
    for (size_t j = 0; j + 1 < k; j++)
        for (size_t r = 0; r < ROWS; r++)
            top[r] = p[j * ROWS + r] > top[r] ? p[j * ROWS + r] : top[r];
    for (size_t j = 0; j < k; j++)
        for (size_t r = 0; r < ROWS; r++) {
            p[j * ROWS + r] = exp_negative(p[j * ROWS + r] - top[r]);
            sum[r] += p[j * ROWS + r];
        }
    for (size_t r = 0; r < ROWS; r++) {
        sum[r] = 1.0 / sum[r];
        yhat[r] = 0.0;
    }
    for (size_t j = 0; j < k; j++)
        for (size_t r = 0; r < ROWS; r++) {
            p[j * ROWS + r] *= sum[r];
            yhat[r] += p[j * ROWS + r] * e[j * ROWS + r];
        }
    for (size_t r = 0; r < ROWS; r++)
        residual[r] = yhat[r] - y[r];
}

/* dL/dz_k = 2 scale (yhat - y) p_k (e_k - yhat), from yhat = sum_k p_k e_k and
 * dp_j/dz_k = p_j ([j = k] - p_k). */
INLINE void mix_back(lb_gate_block *b, double scale, const double *restrict yhat,
                     const double *restrict residual)
{
    const size_t k = b->shape.experts, kw = b->kw;
    double *restrict dz = b->dz;
    const double *restrict p = b->p, *restrict e = b->e;
    for (size_t j = 0; j < k; j++) {
        double column[ROWS];
        for (size_t r = 0; r < ROWS; r++)
            column[r] = 2.0 * scale * residual[r] * p[j * ROWS + r] * (e[j * ROWS + r] - yhat[r]);
        for (size_t r = 0; r < ROWS; r++)
            dz[r * kw + j] = column[r];
    }
}

/* One double at a time: fma() is right everywhere, and fast where the CPU has it. */
#define NAME(x) x##_portable
#define TARGET
#define VEC double
#define LANES 1
#define LOAD(p) (*(p))
#define STORE(p, s) (*(p) = (s))
#define BROADCAST(x) (x)
#define FMA(a, b, c) fma(a, b, c)
#define WIDE 2
#define POSITIVE(s) ((s) < 0.0 ? 0.0 : (s))
#define WHERE_POSITIVE(h, s) ((h) > 0.0 ? (s) : 0.0)
#include "models/gate_kernel.h"

#if defined(__x86_64__)
#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define VEC __m256d
#define LANES 4
#define LOAD _mm256_load_pd
#define STORE _mm256_store_pd
#define BROADCAST _mm256_set1_pd
#define FMA _mm256_fmadd_pd
#define WIDE 2
#define POSITIVE(s) _mm256_max_pd(_mm256_setzero_pd(), s) /* NaN in s wins */
#define WHERE_POSITIVE(h, s) _mm256_and_pd(_mm256_cmp_pd(h, _mm256_setzero_pd(), _CMP_GT_OQ), s)
#include "models/gate_kernel.h"

#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx512f")))
#define VEC __m512d
#define LANES 8
#define LOAD _mm512_load_pd
#define STORE _mm512_store_pd
#define BROADCAST _mm512_set1_pd
#define FMA _mm512_fmadd_pd
#define WIDE 4
#define POSITIVE(s) _mm512_max_pd(_mm512_setzero_pd(), s)
#define WHERE_POSITIVE(h, s)                                                                       \
    _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(h, _mm512_setzero_pd(), _CMP_GT_OQ), s)
#include "models/gate_kernel.h"
#endif

lb_gate_kernel *lb_gate_kernel_version(int version)
{
#if defined(__x86_64__)
    if (version == 2 && __builtin_cpu_supports("avx512f"))
        return block_avx512;
    if (version == 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return block_avx2;
#endif
    return version == 0 ? block_portable : NULL;
}

static size_t whole_vectors(size_t n)
{
    return (n + LB_GATE_LANES - 1) / LB_GATE_LANES * LB_GATE_LANES;
}

static double *zeros(size_t n)
{
    double *p = lb_xaligned(n ? n : 1, sizeof *p);
    memset(p, 0, n * sizeof *p);
    return p;
}

lb_gate_block *lb_gate_block_new(lb_gate_shape shape)
{
    lb_gate_block *b = lb_xcalloc(1, sizeof *b);
    b->shape = shape;
    b->fw = whole_vectors(shape.features);
    b->hw = whole_vectors(shape.hidden);
    b->kw = whole_vectors(shape.experts);
    b->zw = whole_vectors(shape.experts - 1);
    b->inner = shape.hidden ? b->hw : b->fw;
    b->in_n = shape.hidden ? shape.hidden : shape.features;
    b->b1 = shape.features * b->hw;
    b->w2 = b->b1 + b->hw;
    b->b2 = b->w2 + shape.experts * b->inner;
    b->n_weights = b->b2 + b->kw;
    b->w = zeros(b->n_weights);
    b->w2t = zeros(b->in_n * b->zw);
    b->b2t = zeros(b->zw);
    b->x = zeros(ROWS * b->fw);
    b->h = zeros(ROWS * b->hw);
    b->z = zeros(ROWS * b->zw);
    b->dz = zeros(ROWS * b->kw);
    b->e = zeros(ROWS * shape.experts);
    b->p = zeros(ROWS * shape.experts);
    b->y = zeros(ROWS);
    for (int version = LB_GATE_KERNELS - 1; !b->kernel; version--)
        b->kernel = lb_gate_kernel_version(version);
    return b;
}

void lb_gate_block_free(lb_gate_block *b)
{
    if (!b)
        return;
    double *parts[] = {b->w, b->w2t, b->b2t, b->x, b->h, b->z, b->dz, b->e, b->p, b->y};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        free(parts[i]);
    free(b);
}

double *lb_gate_block_gradient(const lb_gate_block *b)
{
    return zeros(b->n_weights);
}

/* Where entry i of the plain block (W1, b1, W2, b2 as in lb_gate) lies in the padded one. */
static size_t place(const lb_gate_block *b, size_t i)
{
    const size_t h = b->shape.hidden, k = b->shape.experts, w1 = b->shape.features * h;
    if (i < w1)
        return i / h * b->hw + i % h;
    if (i < w1 + h)
        return b->b1 + (i - w1);
    if (i < w1 + h + b->in_n * k)
        return b->w2 + (i - w1 - h) % k * b->inner + (i - w1 - h) / k;
    return b->b2 + (i - w1 - h - b->in_n * k);
}

static size_t plain_weights(const lb_gate_block *b)
{
    const size_t h = b->shape.hidden, k = b->shape.experts;
    return b->shape.features * h + h + b->in_n * k + k;
}

void lb_gate_block_load(lb_gate_block *b, const double *plain)
{
    for (size_t i = 0; i < plain_weights(b); i++)
        b->w[place(b, i)] = plain[i];
    lb_gate_block_refresh(b);
}

void lb_gate_block_store(const lb_gate_block *b, const double *padded, double *plain)
{
    for (size_t i = 0; i < plain_weights(b); i++)
        plain[i] = padded[place(b, i)];
}

void lb_gate_block_refresh(lb_gate_block *b)
{
    const size_t last = b->shape.experts - 1;
    const double *w2 = b->w + b->w2, *b2 = b->w + b->b2, *zero = w2 + last * b->inner;
    for (size_t k = 0; k < last; k++) {
        for (size_t j = 0; j < b->in_n; j++)
            b->w2t[j * b->zw + k] = w2[k * b->inner + j] - zero[j];
        b->b2t[k] = b2[k] - b2[last];
    }
}

/* The features of a packed record and zeros up to the whole vector, at `to`. What follows them in
 * the record is masked out, since a call of memcpy() costs more than the copy. */
INLINE void take_features(const lb_gate_block *b, const double *record, const lane_bits *last,
                          double *to)
{
    const size_t tail = b->fw - LB_GATE_LANES;
    for (size_t c = 0; c < tail; c += LB_GATE_LANES)
        *(lane *)(to + c) = *(const lane *)(record + c);
    *(lane_bits *)(to + tail) = *(const lane_bits *)(record + tail) & *last;
}

/* Rows first .. first + rows - 1 of the order into the block. */
LB_FOR_EVERY_CPU static void take_rows(lb_gate_block *b, const double *records, size_t stride,
                                       const size_t *order, size_t first, size_t rows, size_t n)
{
    enum { LINE = 8 }; /* doubles of a cache line */
    const size_t f = b->shape.features, k = b->shape.experts;
    lane_bits last = {0};
    for (size_t c = 0; c < LB_GATE_LANES; c++)
        last[c] = b->fw - LB_GATE_LANES + c < f ? -1 : 0;
    for (size_t r = 0; r < rows; r++) {
        const size_t i = first + r, next = i + ROWS;
        const double *row = records + (order ? order[i] : i) * stride;
        if (order && next < n) /* shuffled rows come from far away: ask for them a block ahead */
            for (size_t c = 0; c < stride; c += LINE)
                __builtin_prefetch(records + order[next] * stride + c);
        take_features(b, row, &last, b->x + r * b->fw);
        double *e = b->e + r;
        for (size_t j = 0; j < k; j++)
            e[j * ROWS] = row[f + j];
        b->y[r] = row[f + k];
    }
}

double lb_gate_block_run(lb_gate_block *b, const double *records, size_t stride,
                         const size_t *order, size_t n, double scale, double *g)
{
    double total = 0.0;
    for (size_t first = 0; first < n; first += ROWS) {
        const size_t rows = n - first < ROWS ? n - first : ROWS;
        take_rows(b, records, stride, order, first, rows, n);
        total += b->kernel(b, rows, scale, g);
    }
    return total;
}
