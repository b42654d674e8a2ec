/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_LINALG_CROSS_H
#define LB_LINALG_CROSS_H

#include "linalg/mat.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * The inner loop of a Gram matrix: C += A'B for tall A and B that are packed in strips.
 *
 * Every element of C is a sum over rows by fused multiply-add, LB_CROSS_CHAIN rows at a time and in
 * their order, so its bits are the same on every CPU: an AVX-512, an AVX2 and a portable loop give
 * one result (a BLAS differs from kernel to kernel, and chooses its kernel by CPU). The layout and
 * the register block follow Goto & van de Geijn 2008, ACM TOMS 34, 12.
 */
enum {
    LB_CROSS_STRIP = 8,   /* columns a strip */
    LB_CROSS_WIDE = 3,    /* strips of B in a register block */
    LB_CROSS_CHAIN = 256, /* rows summed in registers before they are added to C */
};

/** A tall matrix in strips of LB_CROSS_STRIP columns: element (i, j) is
 * data[(j / STRIP) * rows_max * STRIP + i * STRIP + j % STRIP]. The last strip is padded; its
 * padding must be finite. Data 64-byte aligned. */
typedef struct lb_strips {
    const double *data;
    size_t rows, cols, rows_max; /* rows_max >= rows: what the strips have room for */
} lb_strips;

/** Doubles that the strips of @p cols columns take. */
static inline size_t lb_strips_size(size_t rows_max, size_t cols)
{
    return (cols + LB_CROSS_STRIP - 1) / LB_CROSS_STRIP * LB_CROSS_STRIP * rows_max;
}

/**
 * C += A'B, on one thread.
 * @param c      (a.cols, b.cols)
 * @param lower  only elements (i, j) with j <= i are wanted; some others may be added to as well
 */
void lb_cross_add(lb_strips a, lb_strips b, bool lower, lb_mat c);

/**
 * C += A'B or, if @p transpose, C += AB, where A lies row by row: for tiles that are used too
 * seldom to be laid out in strips first. The columns of the left factor, A or A', must be a
 * multiple of LB_CROSS_STRIP.
 */
void lb_cross_add_rows(lb_cmat a, bool transpose, lb_strips b, lb_mat c);

/**
 * The register block alone: sum(r, q * STRIP + c) = sum over rows t of A(t, r) b[q](t, c), for
 * LB_CROSS_STRIP columns of A, A(t, r) = a[t * down + r * across], and LB_CROSS_WIDE strips of B,
 * 64-byte aligned. A strip has down = LB_CROSS_STRIP, across = 1; a row-major matrix of n columns
 * has down = n, across = 1, and its transpose down = 1, across = n.
 */
typedef void lb_cross_loop(size_t rows, const double *a, size_t down, size_t across,
                           const double *const b[LB_CROSS_WIDE],
                           double sum[LB_CROSS_STRIP][LB_CROSS_WIDE * LB_CROSS_STRIP]);
lb_cross_loop lb_cross_block;

/** Its versions, for tests: 0 portable, 1 AVX2, 2 AVX-512; NULL if this machine cannot run it. */
lb_cross_loop *lb_cross_version(int version);

#endif
