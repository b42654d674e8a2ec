/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_LINALG_MULTIPLY_H
#define LB_LINALG_MULTIPLY_H

#include "linalg/mat.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Single-precision matrix products for networks, with the same bits on every CPU.
 *
 * Every element of C is a sum by fused multiply-add, LB_MULTIPLY_CHAIN products at a time and in
 * their order, each chain from zero and then added to the others. No element depends on how C is
 * cut into tiles, so callers may share the tiles of C among any number of threads. An AVX-512, an
 * AVX2 and a portable loop give one result; a BLAS differs from kernel to kernel, and some versions
 * choose an AVX2 kernel on CPUs that could do twice as much. Register block as in linalg/cross.h,
 * but on rows as they lie: the matrices of a mini-batch are too small to be worth packing.
 */
enum {
    LB_MULTIPLY_ROWS = 8,  /* rows of a register block */
    LB_MULTIPLY_COLS = 32, /* its columns */
    LB_MULTIPLY_CHAIN = 256,
};

/**
 * C = A B, or A'B if @p transpose_a, on one thread. C overlaps neither A nor B; an empty inner
 * dimension gives zeros. Fastest where the row strides are not a multiple of a power of two above
 * 1 KiB (see lb_multiply_stride()).
 * @param a  (m, k), or (k, m) if @p transpose_a
 * @param b  (k, n)
 * @param c  out (m, n)
 */
void lb_multiply(bool transpose_a, lb_cmatf a, lb_cmatf b, lb_matf c);

/** A row stride for @p cols columns that keeps neighbouring rows out of each other's cache sets. */
static inline size_t lb_multiply_stride(size_t cols)
{
    return (cols + LB_MULTIPLY_COLS - 1) / LB_MULTIPLY_COLS * LB_MULTIPLY_COLS + 16;
}

/** The register block alone: c(r, q) = or, if @p add, += the sum over t < k of
 * a[r][t * step] b[t * stride + q]; rows of c lie @p across apart. */
typedef void lb_multiply_loop(size_t k, const float *const a[LB_MULTIPLY_ROWS], size_t step,
                              const float *b, size_t stride, bool add, float *c, size_t across);

/** Its versions, for tests: 0 portable, 1 AVX2, 2 AVX-512; NULL if this machine cannot run it. */
lb_multiply_loop *lb_multiply_version(int version);

#endif
