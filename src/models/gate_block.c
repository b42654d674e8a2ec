/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/gate_block.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { LANES = LB_GATE_LANES, ROWS = LB_GATE_ROWS, DEEP = 4, MOST = 4 };

typedef double vec __attribute__((vector_size(LANES * sizeof(double)), may_alias));
typedef long long mask __attribute__((vector_size(LANES * sizeof(double)), may_alias));

typedef enum ending { PLAIN, RELU, RELU_DERIVATIVE } ending;

/* exp(x) for x <= 0, right to 2 ulp; below -708 it is 0. x = n ln 2 + r with n whole and
 * |r| <= ln 2 / 2 (Cody & Waite 1980, Software Manual for the Elementary Functions, ch. 6), and the
 * Taylor series of exp(r), whose next term is below 5e-18. NaN stays NaN. */
INLINE double exp_negative(double x)
{
    union {
        double f;
        uint64_t bits;
    } n = {.f = x * 0x1.71547652b82fep+0 + 0x1.8p52}, power; /* n sits in the low bits */
    const double whole = n.f - 0x1.8p52;
    const double r = (x - whole * 0x1.62e42fefap-1) - whole * 0x1.cf79abc9e3b39p-40;
    double s = 1.0 / 6227020800.0;
    s = s * r + 1.0 / 479001600.0;
    s = s * r + 1.0 / 39916800.0;
    s = s * r + 1.0 / 3628800.0;
    s = s * r + 1.0 / 362880.0;
    s = s * r + 1.0 / 40320.0;
    s = s * r + 1.0 / 5040.0;
    s = s * r + 1.0 / 720.0;
    s = s * r + 1.0 / 120.0;
    s = s * r + 1.0 / 24.0;
    s = s * r + 1.0 / 6.0;
    s = s * r + 0.5;
    s = s * r * r + r;
    power.bits = (n.bits << 52) + 0x3ff0000000000000u; /* 2^n */
    const double result = s * power.f + power.f;
    return x < -708.0 ? 0.0 : result;
}

/* out (4, 8 vn) = ending(bias + a w), a (4, n), w (n, ...). */
INLINE void product_tile(const int vn, ending end, const double *a, size_t as, size_t n,
                         const double *w, size_t ws, const double *bias, double *out)
{
    vec s[DEEP][MOST];
    for (int v = 0; v < vn; v++)
        for (int r = 0; r < DEEP; r++)
            s[r][v] = bias ? *(const vec *)(bias + v * LANES) : (vec){0.0};
    for (size_t i = 0; i < n; i++, w += ws) {
        vec c[MOST];
        for (int v = 0; v < vn; v++)
            c[v] = *(const vec *)(w + v * LANES);
        for (int r = 0; r < DEEP; r++) {
            const double scalar = a[(size_t)r * as + i];
            for (int v = 0; v < vn; v++)
                s[r][v] += scalar * c[v];
        }
    }
    const vec zero = {0.0};
    for (int r = 0; r < DEEP; r++)
        for (int v = 0; v < vn; v++) {
            vec *to = (vec *)(out + (size_t)r * ws + v * LANES);
            if (end == RELU) /* written so that NaN stays */
                *to = (vec)((mask)s[r][v] & ~(mask)(s[r][v] < zero));
            else if (end == RELU_DERIVATIVE)
                *to = (vec)((mask)s[r][v] & (mask)(*to > zero));
            else
                *to = s[r][v];
        }
}

/* out (rows, m) = ending(bias + a w); a (rows, n), w (n, m), m whole vectors. Rows up to the next
 * multiple of four are written too. */
INLINE void product(const int wide, ending end, size_t rows, const double *a, size_t as, size_t n,
                    const double *w, size_t m, const double *bias, double *out)
{
    for (size_t r = 0; r < rows; r += DEEP) {
        size_t c = 0;
        for (; c + (size_t)wide * LANES <= m; c += (size_t)wide * LANES)
            product_tile(wide, end, a + r * as, as, n, w + c, m, bias ? bias + c : NULL,
                         out + r * m + c);
        for (; c < m; c += LANES)
            product_tile(1, end, a + r * as, as, n, w + c, m, bias ? bias + c : NULL,
                         out + r * m + c);
    }
}

/* g (rn, 8 vn) += a' d. */
INLINE void outer_tile(const int rn, const int vn, size_t rows, const double *a, size_t as,
                       const double *d, size_t m, double *g)
{
    vec s[DEEP][MOST];
    for (int i = 0; i < rn; i++)
        for (int v = 0; v < vn; v++)
            s[i][v] = *(const vec *)(g + (size_t)i * m + v * LANES);
    for (size_t r = 0; r < rows; r++, a += as, d += m) {
        vec c[MOST];
        for (int v = 0; v < vn; v++)
            c[v] = *(const vec *)(d + v * LANES);
        for (int i = 0; i < rn; i++)
            for (int v = 0; v < vn; v++)
                s[i][v] += a[i] * c[v];
    }
    for (int i = 0; i < rn; i++)
        for (int v = 0; v < vn; v++)
            *(vec *)(g + (size_t)i * m + v * LANES) = s[i][v];
}

INLINE void outer_rows(const int rn, const int wide, size_t rows, const double *a, size_t as,
                       const double *d, size_t m, double *g)
{
    size_t c = 0;
    for (; c + (size_t)wide * LANES <= m; c += (size_t)wide * LANES)
        outer_tile(rn, wide, rows, a, as, d + c, m, g + c);
    for (; c < m; c += LANES)
        outer_tile(rn, 1, rows, a, as, d + c, m, g + c);
}

/* g (n, m) += a' d over the rows; a (rows, n), d (rows, m). */
INLINE void outer(const int wide, size_t rows, const double *a, size_t as, size_t n,
                  const double *d, size_t m, double *g)
{
    size_t i = 0;
    for (; (n - i) % DEEP; i += DEEP - 1) { /* nine is 3 + 3 + 3, thirteen 3 + 3 + 3 + 4 */
        if (n - i < DEEP - 1)
            break;
        outer_rows(DEEP - 1, wide, rows, a + i, as, d, m, g + i * m);
    }
    for (; i + DEEP <= n; i += DEEP)
        outer_rows(DEEP, wide, rows, a + i, as, d, m, g + i * m);
    for (; i < n; i++)
        outer_rows(1, wide, rows, a + i, as, d, m, g + i * m);
}

/* g (m) += the column sums of d. */
INLINE void column_sums(size_t rows, const double *d, size_t m, double *g)
{
    for (size_t r = 0; r < rows; r++, d += m)
        for (size_t c = 0; c < m; c++)
            g[c] += d[c];
}

/* z -> p = softmax(z), yhat = sum_k p_k e_k; residual = yhat - y. */
INLINE void mix(lb_gate_block *b, double *restrict yhat, double *restrict residual)
{
    const size_t k = b->shape.experts, kw = b->kw;
    double top[ROWS], sum[ROWS] = {0.0};
    double *restrict p = b->p;
    const double *restrict e = b->e, *restrict y = b->y, *restrict z = b->z;
    for (size_t j = 0; j < k; j++)
        for (size_t r = 0; r < ROWS; r++)
            p[j * ROWS + r] = z[r * kw + j];
    memcpy(top, p, sizeof top);
    for (size_t j = 1; j < k; j++)
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
    double *restrict z = b->z;
    const double *restrict p = b->p, *restrict e = b->e;
    for (size_t j = 0; j < k; j++) {
        double dz[ROWS];
        for (size_t r = 0; r < ROWS; r++)
            dz[r] = 2.0 * scale * residual[r] * p[j * ROWS + r] * (e[j * ROWS + r] - yhat[r]);
        for (size_t r = 0; r < ROWS; r++)
            z[r * kw + j] = dz[r];
    }
}

INLINE double block(const int wide, lb_gate_block *b, size_t rows, double scale, bool backward)
{
    const size_t f = b->shape.features, k = b->shape.experts;
    const bool linear = b->shape.hidden == 0;
    const double *in = linear ? b->x : b->h;
    double yhat[ROWS], residual[ROWS], total = 0.0;

    /* Forward: h = max(0, x W1 + b1), z = h W2 + b2, yhat = softmax(z)' e. */
    if (!linear)
        product(wide, RELU, rows, b->x, b->fw, f, b->w, b->hw, b->w + b->b1, b->h);
    product(wide, PLAIN, rows, in, b->inner, b->in_n, b->w2t, b->kw, b->w + b->b2, b->z);
    mix(b, yhat, residual);
    for (size_t r = 0; r < rows; r++)
        total += residual[r] * residual[r];
    if (!backward)
        return total;

    /* Backward, each line the derivative of its partner above: dW2' += dz' h, db2 += sum dz,
     * dh = dz W2' where h > 0, dW1 += x' dh, db1 += sum dh. */
    mix_back(b, scale, yhat, residual);
    outer(wide, rows, b->z, b->kw, k, in, b->inner, b->g + b->w2);
    column_sums(rows, b->z, b->kw, b->g + b->b2);
    if (!linear) {
        product(wide, RELU_DERIVATIVE, rows, b->z, b->kw, k, b->w + b->w2, b->hw, NULL, b->h);
        outer(wide, rows, b->x, b->fw, f, b->h, b->hw, b->g);
        column_sums(rows, b->h, b->hw, b->g + b->b1);
    }
    return total;
}

static double block_portable(lb_gate_block *b, size_t rows, double scale, bool backward)
{
    return block(1, b, rows, scale, backward);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static double block_avx2(lb_gate_block *b, size_t rows,
                                                         double scale, bool backward)
{
    return block(1, b, rows, scale, backward);
}

__attribute__((target("avx512f"))) static double block_avx512(lb_gate_block *b, size_t rows,
                                                              double scale, bool backward)
{
    return block(2, b, rows, scale, backward);
}
#endif

lb_gate_kernel *lb_gate_kernel_version(int version)
{
#if defined(__x86_64__)
    if (version == 2 && __builtin_cpu_supports("avx512f"))
        return block_avx512;
    if (version == 1 && __builtin_cpu_supports("avx2"))
        return block_avx2;
#endif
    return version == 0 ? block_portable : NULL;
}

static size_t whole_vectors(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
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
    b->inner = shape.hidden ? b->hw : b->fw;
    b->in_n = shape.hidden ? shape.hidden : shape.features;
    b->b1 = shape.features * b->hw;
    b->w2 = b->b1 + b->hw;
    b->b2 = b->w2 + shape.experts * b->inner;
    b->n_weights = b->b2 + b->kw;
    b->w = zeros(b->n_weights);
    b->g = zeros(b->n_weights);
    b->w2t = zeros(b->in_n * b->kw);
    b->x = zeros(ROWS * b->fw);
    b->h = zeros(ROWS * b->hw);
    b->z = zeros(ROWS * b->kw);
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
    double *parts[] = {b->w, b->g, b->w2t, b->x, b->h, b->z, b->e, b->p, b->y};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        free(parts[i]);
    free(b);
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
    const double *w2 = b->w + b->w2;
    for (size_t k = 0; k < b->shape.experts; k++)
        for (size_t j = 0; j < b->in_n; j++)
            b->w2t[j * b->kw + k] = w2[k * b->inner + j];
}

double lb_gate_block_run(lb_gate_block *b, const double *records, size_t stride,
                         const size_t *order, size_t n, double scale, bool backward)
{
    const size_t k = b->shape.experts;
    double total = 0.0;
    for (size_t first = 0; first < n; first += ROWS) {
        const size_t rows = n - first < ROWS ? n - first : ROWS;
        for (size_t r = 0; r < rows; r++) {
            const double *row = records + (order ? order[first + r] : first + r) * stride;
            memcpy(b->x + r * b->fw, row, b->fw * sizeof *row);
            for (size_t j = 0; j < k; j++)
                b->e[j * ROWS + r] = row[b->fw + j];
            b->y[r] = row[b->fw + k];
        }
        total += b->kernel(b, rows, scale, backward);
    }
    return total;
}
