/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/cholesky.h"

#include "core/memory.h"
#include "linalg/cross.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { S = LB_CROSS_STRIP, WIDE = LB_CROSS_WIDE, BLOCK = 128 /* rows of U, a multiple of S */ };

/* U in strips of S columns; the matrix is padded with an identity to a multiple of S. */
struct lb_cholesky {
    size_t p, n_strips, rows; /* rows = S * n_strips */
    double *u;
};

/* Row k of strip s: elements (k, s * S) ... */
static double *line(const lb_cholesky *f, size_t s, size_t k)
{
    return f->u + (s * f->rows + k) * S;
}

lb_cholesky *lb_cholesky_new(size_t p)
{
    lb_cholesky *f = lb_xcalloc(1, sizeof *f);
    f->p = p;
    f->n_strips = (p + S - 1) / S;
    f->rows = f->n_strips * S;
    f->u = lb_xaligned(lb_strips_size(f->rows, p), sizeof *f->u);
    return f;
}

void lb_cholesky_free(lb_cholesky *f)
{
    if (!f)
        return;
    free(f->u);
    free(f);
}

/* Rows first .. last-1 of U := those of A + shift I, from the diagonal on. */
static void load(lb_cholesky *f, lb_cmat a, double shift, size_t first, size_t last)
{
    for (size_t j = first; j < f->rows; j++) {
        double *out = line(f, j / S, 0) + j % S;
        for (size_t k = first; k < last; k++) {
            const double pad = j == k ? 1.0 : 0.0;
            out[k * S] = k > j ? 0.0 : j < f->p && k < f->p ? a.data[j * a.stride + k] : pad;
        }
        if (j < last && j < f->p)
            out[j * S] += shift;
    }
}

/* U(i, j) -= sum of U(k, i) U(k, j) over from <= k < to, for the S rows i of strip @p si and the
 * WIDE strips from sj on. */
static void subtract(lb_cholesky *f, size_t si, size_t sj, size_t from, size_t to)
{
    _Alignas(64) double sum[S][WIDE * S];
    const double *b[WIDE];
    for (size_t q = 0; q < WIDE; q++)
        b[q] = line(f, sj + q < f->n_strips ? sj + q : f->n_strips - 1, from);
    lb_cross_block(to - from, line(f, si, from), b, sum);
    for (size_t q = 0; q < WIDE && sj + q < f->n_strips; q++)
        for (size_t r = 0; r < S; r++) {
            double *out = line(f, sj + q, si * S + r);
            for (size_t c = 0; c < S; c++)
                out[c] -= sum[r][q * S + c];
        }
}

/* The S x S triangle on the diagonal of strip s. */
static lb_status factor_corner(lb_cholesky *f, size_t s, lb_error *err)
{
    for (size_t k = 0; k < S; k++) {
        double *row = line(f, s, s * S + k);
        for (size_t m = 0; m < k; m++) {
            const double *above = line(f, s, s * S + m);
            for (size_t c = k; c < S; c++)
                row[c] -= above[k] * above[c];
        }
        const double pivot = row[k];
        if (!(pivot > 0.0) || isinf(pivot)) /* written so that NaN fails too */
            return LB_FAIL(err, LB_ENUMERIC,
                           "Cholesky: pivot %zu of %zu is %g: not positive definite to working "
                           "precision",
                           s * S + k, f->p, pivot);
        for (size_t c = k; c < S; c++)
            row[c] /= sqrt(pivot);
    }
    return LB_OK;
}

/* The S rows of U right of that triangle T: strip t of them := T'^-1 times what stands there. */
static void solve_strip(lb_cholesky *f, size_t s, size_t t)
{
    for (size_t k = 0; k < S; k++) {
        double *row = line(f, t, s * S + k);
        for (size_t m = 0; m < k; m++) {
            const double *above = line(f, t, s * S + m), u = line(f, s, s * S + m)[k];
            for (size_t c = 0; c < S; c++)
                row[c] -= u * above[c];
        }
        const double pivot = line(f, s, s * S + k)[k];
        for (size_t c = 0; c < S; c++)
            row[c] /= pivot;
    }
}

lb_status lb_cholesky_factor(lb_cholesky *f, lb_cmat a, double shift, lb_error *err)
{
    if (a.rows != f->p || a.cols != f->p)
        return LB_FAIL(err, LB_ESHAPE, "Cholesky of a %zux%zu matrix in room for %zu", a.rows,
                       a.cols, f->p);
    for (size_t first = 0; first < f->rows; first += BLOCK) {
        const size_t last = first + BLOCK < f->rows ? first + BLOCK : f->rows;
        load(f, a, shift, first, last);
        /* 1. What all rows above contribute to this block of rows, a chain of rows at a time. */
        for (size_t k = 0; k < first; k += LB_CROSS_CHAIN) {
            const size_t to = k + LB_CROSS_CHAIN < first ? k + LB_CROSS_CHAIN : first;
            for (size_t sj = first / S; sj < f->n_strips; sj += WIDE)
                for (size_t si = first / S; si < last / S && si < sj + WIDE; si++)
                    subtract(f, si, sj, k, to);
        }
        /* 2. Within the block, S rows at a time. */
        for (size_t si = first / S; si < last / S; si++) {
            for (size_t sj = si; si * S > first && sj < f->n_strips; sj += WIDE)
                subtract(f, si, sj, first, si * S);
            const lb_status st = factor_corner(f, si, err);
            if (st != LB_OK)
                return st;
            for (size_t sj = si + 1; sj < f->n_strips; sj++)
                solve_strip(f, si, sj);
        }
    }
    return LB_OK;
}

void lb_cholesky_solve(const lb_cholesky *f, lb_vec x)
{
    double *z = lb_xcalloc(f->rows, sizeof *z);
    memcpy(z, x.data, f->p * sizeof *z);
    for (size_t s = 0; s < f->n_strips; s++) { /* U'z = b, downwards */
        double *here = z + s * S;
        for (size_t k = 0; k < s * S; k++)
            for (size_t c = 0; c < S; c++)
                here[c] -= line(f, s, k)[c] * z[k];
        for (size_t c = 0; c < S; c++) {
            for (size_t m = 0; m < c; m++)
                here[c] -= line(f, s, s * S + m)[c] * here[m];
            here[c] /= line(f, s, s * S + c)[c];
        }
    }
    for (size_t s = f->n_strips; s-- > 0;) { /* Ux = z, upwards */
        double *here = z + s * S;
        for (size_t c = S; c-- > 0;) {
            const double *row = line(f, s, s * S + c);
            for (size_t m = c + 1; m < S; m++)
                here[c] -= row[m] * here[m];
            here[c] /= row[c];
        }
        for (size_t k = 0; k < s * S; k++) {
            double sum = 0.0;
            for (size_t c = 0; c < S; c++)
                sum += line(f, s, k)[c] * here[c];
            z[k] -= sum;
        }
    }
    memcpy(x.data, z, f->p * sizeof *z);
    free(z);
}
