/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/cholesky.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "linalg/cross.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    S = LB_CROSS_STRIP,
    WIDE = LB_CROSS_WIDE,
    BLOCK = 192,     /* rows of U finished at a time, a multiple of S */
    CHAIN = 1024,    /* rows above whose products are summed before they are subtracted */
    TASK = 4 * WIDE, /* strips a thread takes at a time, at least, */
    MOST = 8 * TASK, /* and at most: all of them read the same rows of U again */
};

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

double *lb_cholesky_place(lb_cholesky *f, size_t i, size_t j)
{
    return line(f, j / S, i) + j % S;
}

void lb_cholesky_multiply(const lb_cholesky *f, lb_cvec x, lb_vec y)
{
    memset(y.data, 0, y.n * sizeof *y.data);
    for (size_t s = 0; s < f->n_strips; s++) {
        const size_t j0 = s * S, n = f->p - j0 < S ? f->p - j0 : S;
        for (size_t i = 0; i < j0; i++) { /* an element counts in its own row and in its mirror's */
            const double *u = line(f, s, i);
            double sum = 0.0;
            for (size_t c = 0; c < n; c++) {
                sum += u[c] * x.data[j0 + c];
                y.data[j0 + c] += u[c] * x.data[i];
            }
            y.data[i] += sum;
        }
        for (size_t r = 0; r < n; r++)
            for (size_t c = 0; c < n; c++)
                y.data[j0 + r] += line(f, s, j0 + (r < c ? r : c))[r < c ? c : r] * x.data[j0 + c];
    }
}

/* Column q of a block of sums, S x S, from a strip. */
LB_FOR_EVERY_CPU static void take_off(double sum[S][WIDE * S], size_t q, double *restrict out)
{
    for (size_t r = 0; r < S; r++)
        for (size_t c = 0; c < S; c++)
            out[r * S + c] -= sum[r][q * S + c];
}

/* U(i, j) -= sum of U(k, i) U(k, j) over from <= k < to, for the S rows i of strip si and the
 * columns j of up to WIDE strips: sj .. end-1. */
static void subtract(lb_cholesky *f, size_t si, size_t sj, size_t end, size_t from, size_t to)
{
    _Alignas(64) double sum[S][WIDE * S];
    const double *b[WIDE];
    for (size_t q = 0; q < WIDE; q++)
        b[q] = line(f, sj + q < end ? sj + q : end - 1, from);
    lb_cross_block(to - from, line(f, si, from), S, 1, b, sum);
    for (size_t q = 0; q < WIDE && sj + q < end; q++)
        take_off(sum, q, line(f, sj + q, si * S));
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

/* x (S, S) := T'^-1 x for a triangle T on the diagonal, of WIDE x side by side: none waits for
 * another. */
LB_FOR_EVERY_CPU static void solve_corners(const double *restrict t, double *const x[WIDE])
{
    double row[S][WIDE][S];
    for (size_t k = 0; k < S; k++) {
        for (size_t q = 0; q < WIDE; q++)
            memcpy(row[k][q], x[q] + k * S, sizeof row[k][q]);
        for (size_t m = 0; m < k; m++)
            for (size_t q = 0; q < WIDE; q++)
                for (size_t c = 0; c < S; c++)
                    row[k][q][c] -= t[m * S + k] * row[m][q][c];
        for (size_t q = 0; q < WIDE; q++)
            for (size_t c = 0; c < S; c++)
                row[k][q][c] /= t[k * S + k];
    }
    for (size_t k = 0; k < S; k++)
        for (size_t q = 0; q < WIDE; q++)
            memcpy(x[q] + k * S, row[k][q], sizeof row[k][q]);
}

/* The S rows of U right of the triangle of strip s, strips begin .. end-1 of them. */
static void solve_strips(lb_cholesky *f, size_t s, size_t begin, size_t end)
{
    for (size_t t = begin; t < end; t += WIDE) {
        double *x[WIDE];
        for (size_t q = 0; q < WIDE; q++) /* beyond the last strip: it again, to the same end */
            x[q] = line(f, t + q < end ? t + q : end - 1, s * S);
        solve_corners(line(f, s, s * S), x);
    }
}

/* What all rows above contribute to rows first .. last-1 in strips begin .. end-1. */
static void from_above(lb_cholesky *f, size_t first, size_t last, size_t begin, size_t end)
{
    for (size_t k = 0; k < first; k += CHAIN) {
        const size_t to = k + CHAIN < first ? k + CHAIN : first;
        for (size_t sj = begin; sj < end; sj += WIDE)
            for (size_t si = first / S; si < last / S && si < sj + WIDE; si++)
                subtract(f, si, sj, end, k, to);
    }
}

/* The square on the diagonal, rows and columns first .. last-1. */
static lb_status factor_square(lb_cholesky *f, size_t first, size_t last, lb_error *err)
{
    const size_t end = last / S;
#pragma omp parallel for schedule(dynamic, 1) if (first > 0)
    for (size_t sj = first / S; sj < end; sj += WIDE)
        from_above(f, first, last, sj, sj + WIDE < end ? sj + WIDE : end);
    for (size_t si = first / S; si < end; si++) {
        for (size_t sj = si; si * S > first && sj < end; sj += WIDE)
            subtract(f, si, sj, end, first, si * S);
        const lb_status st = factor_corner(f, si, err);
        if (st != LB_OK)
            return st;
        solve_strips(f, si, si + 1, end);
    }
    return LB_OK;
}

/* Strips begin .. end-1 right of that square. */
static void finish_strips(lb_cholesky *f, size_t first, size_t last, size_t begin, size_t end)
{
    from_above(f, first, last, begin, end);
    for (size_t si = first / S; si < last / S; si++) {
        for (size_t sj = begin; si * S > first && sj < end; sj += WIDE)
            subtract(f, si, sj, end, first, si * S);
        solve_strips(f, si, begin, end);
    }
}

/* Of so many strips, eight tasks where they are long enough: threads end together. */
static size_t task_of(size_t strips)
{
    const size_t task = strips / 8 / WIDE * WIDE;
    return task < TASK ? TASK : task > MOST ? MOST : task;
}

lb_status lb_cholesky_factor(lb_cholesky *f, double shift, lb_error *err)
{
    for (size_t j = 0; j < f->p; j++)
        *lb_cholesky_place(f, j, j) += shift;
    for (size_t j = f->p; j < f->rows; j++)
        for (size_t i = 0; i <= j; i++)
            *lb_cholesky_place(f, i, j) = i == j ? 1.0 : 0.0;
    for (size_t first = 0; first < f->rows; first += BLOCK) {
        const size_t last = first + BLOCK < f->rows ? first + BLOCK : f->rows;
        const lb_status st = factor_square(f, first, last, err);
        if (st != LB_OK)
            return st;
        const size_t task = task_of(f->n_strips - last / S);
#pragma omp parallel for schedule(dynamic, 1) if (last < f->rows)
        for (size_t s = last / S; s < f->n_strips; s += task)
            finish_strips(f, first, last, s, s + task < f->n_strips ? s + task : f->n_strips);
    }
    return LB_OK;
}

/* z (S) -= the sums of u(k, .) x(k) over n rows of a strip. */
LB_FOR_EVERY_CPU static void pull(const double *restrict u, const double *restrict x, size_t n,
                                  double *restrict z)
{
    double sum[S];
    memcpy(sum, z, sizeof sum);
    for (size_t k = 0; k < n; k++)
        for (size_t c = 0; c < S; c++)
            sum[c] -= u[k * S + c] * x[k];
    memcpy(z, sum, sizeof sum);
}

/* x(k) -= u(k, .) z for n rows of a strip. */
LB_FOR_EVERY_CPU static void push(const double *restrict u, const double *restrict z, size_t n,
                                  double *restrict x)
{
    double here[S];
    memcpy(here, z, sizeof here);
    for (size_t k = 0; k < n; k++) {
        double sum = 0.0;
        for (size_t c = 0; c < S; c++)
            sum += u[k * S + c] * here[c];
        x[k] -= sum;
    }
}

void lb_cholesky_solve(const lb_cholesky *f, lb_vec x)
{
    double *z = lb_xcalloc(f->rows, sizeof *z);
    memcpy(z, x.data, f->p * sizeof *z);
    for (size_t s = 0; s < f->n_strips; s++) { /* U'z = b, downwards */
        double *here = z + s * S;
        pull(line(f, s, 0), z, s * S, here);
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
        push(line(f, s, 0), here, s * S, z);
    }
    memcpy(x.data, z, f->p * sizeof *z);
    free(z);
}
