/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/conditional_descent.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "linalg/blas.h"
#include "linalg/cross.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    S = LB_CROSS_STRIP,
    WIDE = LB_CROSS_WIDE,
    PANEL = 8 * WIDE, /* strips of the factor solved at a time */
    GROUPS = 5,       /* of S right-hand sides solved at a time */
    ALONE = 1024,     /* columns of the factor that one thread solves faster than two */
    STEPS = 60,       /* at most */
    TRIAL = 10,       /* after so many the pace is judged */
};

/* --- a factor and several right-hand sides ------------------------------------------------------
 */

/* Right-hand sides, S side by side: group g (p, S) from data + g * size on. The factor, which comes
 * from memory, is read once for all groups. */
typedef struct sides {
    double *data;
    size_t groups, size;
} sides;

static double *row_of(const sides *z, size_t group, size_t row)
{
    return z->data + group * z->size + row * S;
}

/* z -= what the columns before @p first of U'z have to say about strips begin .. end-1. */
static void from_above(lb_cholesky *u, size_t p, size_t first, size_t begin, size_t end,
                       const sides *z)
{
    _Alignas(64) double sum[S][WIDE * S];
    for (size_t k = 0; k < first; k += LB_CROSS_CHAIN) {
        const size_t rows = first - k < LB_CROSS_CHAIN ? first - k : LB_CROSS_CHAIN;
        const double *b[WIDE];
        for (size_t q = 0; q < WIDE; q++)
            b[q] = lb_cholesky_place(u, k, (begin + q < end ? begin + q : end - 1) * S);
        for (size_t g = 0; g < z->groups; g++) {
            double *out = row_of(z, g, begin * S);
            lb_cross_block(rows, row_of(z, g, k), S, 1, b, sum);
            for (size_t c = 0; c < (end - begin) * S && begin * S + c < p; c++)
                for (size_t r = 0; r < S; r++)
                    out[c * S + r] -= sum[r][c];
        }
    }
}

/* U'z = b within columns first .. last-1 of one group. */
static void solve_lower(lb_cholesky *u, size_t first, size_t last, double *z)
{
    for (size_t j = first; j < last; j++) {
        for (size_t k = first; k < j; k++) {
            const double e = *lb_cholesky_place(u, k, j);
            for (size_t r = 0; r < S; r++)
                z[j * S + r] -= e * z[k * S + r];
        }
        const double pivot = *lb_cholesky_place(u, j, j);
        for (size_t r = 0; r < S; r++)
            z[j * S + r] /= pivot;
    }
}

/* Ux = z within columns first .. last-1 of one group. */
static void solve_upper(lb_cholesky *u, size_t first, size_t last, double *z)
{
    for (size_t j = last; j-- > first;) {
        const double pivot = *lb_cholesky_place(u, j, j);
        for (size_t r = 0; r < S; r++)
            z[j * S + r] /= pivot;
        for (size_t k = first; k < j; k++) {
            const double e = *lb_cholesky_place(u, k, j);
            for (size_t r = 0; r < S; r++)
                z[k * S + r] -= e * z[j * S + r];
        }
    }
}

/* One row of S right-hand sides. */
typedef double lanes __attribute__((vector_size(S * sizeof(double))));

/* S rows of z -= strips of U, @p apart from one another, times x, S rows a strip. */
LB_FOR_EVERY_CPU static void subtract_strips(const double *restrict u, size_t apart, size_t strips,
                                             const lanes *restrict x, lanes *restrict z)
{
    lanes sum[S];
    for (size_t i = 0; i < S; i++)
        sum[i] = z[i];
    for (size_t s = 0; s < strips; s++)
        for (size_t c = 0; c < S; c++)
            for (size_t i = 0; i < S; i++)
                sum[i] -= u[s * apart + i * S + c] * x[s * S + c];
    for (size_t i = 0; i < S; i++)
        z[i] = sum[i];
}

/* Rows begin .. end-1 of z -= columns first .. last-1 of U times x. */
static void from_right(lb_cholesky *u, size_t first, size_t last, size_t begin, size_t end,
                       const sides *z)
{
    lanes x[GROUPS][PANEL * S] = {{{0.0}}}; /* beyond the last column: nothing */
    const double *strip = lb_cholesky_place(u, begin, first);
    const size_t strips = (last - first + S - 1) / S;
    const size_t apart = strips > 1 ? (size_t)(lb_cholesky_place(u, begin, first + S) - strip) : 0;
    for (size_t g = 0; g < z->groups; g++)
        memcpy(x[g], row_of(z, g, first), (last - first) * sizeof **x);
    for (size_t k = begin; k < end; k += S)
        for (size_t g = 0; g < z->groups; g++)
            subtract_strips(strip + (k - begin) * S, apart, strips, x[g], (lanes *)row_of(z, g, k));
}

/* Solve U'U x = b in place, p unknowns. */
static void solve_several(lb_cholesky *u, size_t p, const sides *z)
{
    const size_t step = PANEL * S, strips = (p + S - 1) / S;
    for (size_t first = 0; first < p; first += step) {
        const size_t last = first + step < p ? first + step : p, end = (last + S - 1) / S;
#pragma omp parallel for schedule(static, 1) if (first >= ALONE)
        for (size_t s = first / S; s < end; s += WIDE)
            from_above(u, p, first, s, s + WIDE < end ? s + WIDE : end, z);
#pragma omp parallel for schedule(static, 1) if (z->groups > 1)
        for (size_t g = 0; g < z->groups; g++)
            solve_lower(u, first, last, row_of(z, g, 0));
    }
    for (size_t at = (strips + PANEL - 1) / PANEL; at-- > 0;) {
        const size_t first = at * step, last = first + step < p ? first + step : p;
#pragma omp parallel for schedule(static, 1) if (z->groups > 1)
        for (size_t g = 0; g < z->groups; g++)
            solve_upper(u, first, last, row_of(z, g, 0));
#pragma omp parallel for schedule(static, 1) if (first >= ALONE)
        for (size_t begin = 0; begin < first; begin += step)
            from_right(u, first, last, begin, begin + step, z);
    }
}

/* --- conjugate gradients -----------------------------------------------------------------------
 */

/* One system on its way: vectors of n. */
typedef struct runner {
    lb_descent *at;
    double *r, *z, *d, *q;  /* residual, preconditioned residual, direction, A direction */
    double rz, first, goal; /* r'z now, before the first step, and where it is to go */
} runner;

/* z = (U'U)^-1 r for every system. */
static void precondition(lb_cholesky *u, runner *f, size_t count, size_t n)
{
    double *block = lb_xaligned(GROUPS * n * S, sizeof *block);
    for (size_t from = 0; from < count; from += GROUPS * S) {
        const size_t here = count - from < GROUPS * S ? count - from : GROUPS * S;
        const sides z = {block, (here + S - 1) / S, n * S};
        memset(block, 0, z.groups * n * S * sizeof *block);
        for (size_t k = 0; k < here; k++)
            for (size_t i = 0; i < n; i++)
                row_of(&z, k / S, i)[k % S] = f[from + k].r[i];
        solve_several(u, n, &z);
        for (size_t k = 0; k < here; k++)
            for (size_t i = 0; i < n; i++)
                f[from + k].z[i] = row_of(&z, k / S, i)[k % S];
    }
    free(block);
}

/* q = (A + alpha I) v for every system, v = w at the start and the direction later. */
static void multiply(const runner *f, size_t count, bool start, size_t n)
{
    lb_conditional_system **s = lb_xcalloc(count, sizeof *s);
    const double **v = lb_xcalloc(count, sizeof *v);
    double **out = lb_xcalloc(count, sizeof *out);
    for (size_t k = 0; k < count; k++) {
        s[k] = f[k].at->system;
        v[k] = start ? f[k].at->w : f[k].d;
        out[k] = f[k].q;
    }
    lb_conditional_system_multiply(s, count, v, out);
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < n; i++)
            out[k][i] += f[k].at->alpha * v[k][i];
    free(s);
    free(v);
    free(out);
}

/* The next direction, z being known; false at the end of the way. The error r'(U'U)^-1 r is
 * measured against w'b, which is the square of the solution in the norm of the system. */
static bool turn(runner *f, int step, size_t n)
{
    const double rz = lb_dot(f->r, f->z, n), beta = step ? rz / f->rz : 0.0;
    const double size =
        fmax(0.0, lb_dot(f->at->w, lb_conditional_system_right(f->at->system).data, n));
    f->goal = f->at->tolerance * f->at->tolerance * size;
    f->rz = rz;
    f->first = step ? f->first : rz;
    f->at->solved = rz >= 0.0 && !(rz > f->goal);
    if (f->at->solved || !(rz > 0.0) || step == STEPS)
        return false;
    for (size_t i = 0; i < n; i++)
        f->d[i] = f->z[i] + beta * f->d[i];
    return true;
}

/* Those that at their pace will arrive in so many steps. */
static size_t keep(runner *f, size_t count, int step, int steps)
{
    size_t left = 0;
    for (size_t k = 0; k < count; k++)
        if (log(f[k].goal / f[k].first) * step >= log(f[k].rz / f[k].first) * steps)
            f[left++] = f[k];
    return left;
}

/* How many alphas there are; the systems of one stand together. */
static int count_alphas(const runner *f, size_t count)
{
    int n = 0;
    for (size_t k = 0; k < count; k++)
        n += k == 0 || f[k].at->alpha != f[k - 1].at->alpha;
    return n;
}

static bool any_at(const runner *f, size_t count, double alpha)
{
    size_t k = 0;
    while (k < count && f[k].at->alpha != alpha)
        k++;
    return k < count;
}

/* False if the matrix turns out not to be positive definite. */
static bool advance(const runner *f, size_t n)
{
    const double curvature = lb_dot(f->d, f->q, n), length = f->rz / curvature;
    if (!(curvature > 0.0))
        return false;
    for (size_t i = 0; i < n; i++) {
        f->at->w[i] += length * f->d[i];
        f->r[i] -= length * f->q[i];
    }
    return true;
}

void lb_descend(lb_cholesky *u, double pole, lb_descent *const *systems, size_t count)
{
    if (count == 0)
        return;
    const size_t n = lb_conditional_system_right(systems[0]->system).n;
    double *vectors = lb_xaligned(4 * n * count, sizeof *vectors);
    runner *f = lb_xcalloc(count, sizeof *f);
    memset(vectors, 0, 4 * n * count * sizeof *vectors);
    for (size_t k = 0; k < count; k++) {
        double *r = vectors + 4 * n * k;
        f[k] = (runner){.at = systems[k], .r = r, .z = r + n, .d = r + 2 * n, .q = r + 3 * n};
    }
    multiply(f, count, true, n);
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < n; i++)
            f[k].r[i] = lb_conditional_system_right(f[k].at->system).data[i] - f[k].q[i];
    bool nearest = any_at(f, count, pole);
    for (int step = 0; count > 0; step++) {
        size_t left = 0;
        precondition(u, f, count, n);
        for (size_t k = 0; k < count; k++)
            if (turn(&f[k], step, n))
                f[left++] = f[k];
        count = left;
        if (nearest && !any_at(f, count, pole)) {
            /* with a factor of its own an alpha would take as many steps as the pole's systems */
            count = keep(f, count, step, (1 + count_alphas(f, count)) * step);
            nearest = false;
        }
        if (step == TRIAL)
            count = keep(f, count, step, STEPS);
        if (count > 0)
            multiply(f, count, false, n);
        left = 0;
        for (size_t k = 0; k < count; k++)
            if (advance(&f[k], n))
                f[left++] = f[k];
        count = left;
    }
    free(vectors);
    free(f);
}
