/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/shifted.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "linalg/blas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A Lanczos process: M V = V T up to the last vector. */
typedef struct lanczos {
    size_t p, n;            /* length of a vector; steps done */
    double *v;              /* (steps + 1, p) orthonormal, the first along M b */
    double *diagonal, *off; /* (steps) of T: T(i, i), and T(i, i + 1) or what is beyond the last */
    double size;            /* |M b| */
} lanczos;

enum {
    TRIAL = 8, /* after so many steps, or this share of all that are allowed, the pace is judged */
};

LB_FOR_EVERY_CPU static void add(double factor, const double *restrict a, size_t n,
                                 double *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] += factor * a[i];
}

static double *vector(const lanczos *l, size_t i)
{
    return l->v + i * l->p;
}

/* Vector i becomes a unit vector; returns its length. */
static double normalise(const lanczos *l, size_t i)
{
    double *v = vector(l, i);
    const double length = sqrt(lb_dot(v, v, l->p));
    for (size_t j = 0; j < l->p && length > 0.0; j++)
        v[j] /= length;
    return length;
}

/* The next vector: M times the last, less what lies along those before; twice, for what rounding
 * left of it. */
static void step(lanczos *l, const lb_cholesky *u)
{
    double *next = vector(l, l->n + 1);
    memcpy(next, vector(l, l->n), l->p * sizeof *next);
    lb_cholesky_solve(u, (lb_vec){next, l->p});
    for (int twice = 0; twice < 2; twice++)
        for (size_t i = l->n + 1; i-- > 0;) {
            const double along = lb_dot(next, vector(l, i), l->p);
            l->diagonal[l->n] += i == l->n ? along : 0.0;
            add(-along, vector(l, i), l->p, next);
        }
    l->off[l->n] = normalise(l, l->n + 1);
    l->n++;
}

/* The pivots of I + shift T - less I, T tridiagonal: positive if its eigenvalues are. */
static bool eliminate(const lanczos *l, double shift, double less, double *pivot)
{
    bool positive = true;
    for (size_t i = 0; i < l->n; i++) {
        const double above = i ? shift * l->off[i - 1] : 0.0;
        pivot[i] = 1.0 - less + shift * l->diagonal[i] - (i ? above * above / pivot[i - 1] : 0.0);
        positive = positive && pivot[i] > 0.0;
    }
    return positive;
}

/* (I + shift T) y = size e1 from its pivots. */
static void solve_tridiagonal(const lanczos *l, double shift, const double *pivot, double *y)
{
    for (size_t i = 0; i < l->n; i++)
        y[i] = i ? -shift * l->off[i - 1] * y[i - 1] / pivot[i - 1] : l->size;
    for (size_t i = l->n; i-- > 0;)
        y[i] = (y[i] - (i + 1 < l->n ? shift * l->off[i] * y[i + 1] : 0.0)) / pivot[i];
}

/* The smallest eigenvalue of I + shift T, from below and to a tenth. */
static double smallest(const lanczos *l, double shift, double below, double *room)
{
    double above = 1.0;
    while (below > 0.0 && above > 1.1 * below) { /* 0: out of range, and no residual will do */
        const double middle = sqrt(below * above);
        *(eliminate(l, shift, middle, room) ? &below : &above) = middle;
    }
    return below;
}

/* The residual relative to y. */
static double residual_of(const lanczos *l, double shift, const double *y)
{
    const double size = sqrt(lb_dot(y, y, l->n));
    return size == 0.0 ? 0.0 : fabs(shift * l->off[l->n - 1] * y[l->n - 1]) / size;
}

/* Whether a residual that fell to this so far will reach its goal in time. */
static bool in_time(const lanczos *l, double residual, double goal, size_t steps)
{
    return l->n < TRIAL || l->n < steps / TRIAL ||
           log(residual) * (double)steps < log(goal) * (double)l->n;
}

static void combine(const lanczos *l, const double *y, double *x)
{
    memset(x, 0, l->p * sizeof *x);
    for (size_t i = 0; i < l->n; i++)
        add(y[i], vector(l, i), l->p, x);
}

/* What the process says of one alpha by now: true when there is nothing more to be done for it. The
 * error is at most the residual over the smallest eigenvalue of I + shift M, which above the pole
 * is 1 or more; below, that of T takes its place. */
static bool settle(const lanczos *l, double alpha, double pole, size_t steps, double *room,
                   double *x, bool *solved)
{
    const double shift = alpha - pole;
    double *y = room + steps;
    const double goal =
        LB_SHIFTED_TOLERANCE * (shift < 0.0 ? smallest(l, shift, 0.5 * alpha / pole, room) : 1.0);
    if (!eliminate(l, shift, 0.0, room))
        return true;
    solve_tridiagonal(l, shift, room, y);
    const double residual = residual_of(l, shift, y);
    *solved = residual <= goal;
    if (*solved)
        combine(l, y, x);
    return *solved || !in_time(l, residual, goal, steps);
}

void lb_shifted_solve(const lb_cholesky *u, double pole, lb_cvec b, lb_cvec alphas, size_t steps,
                      lb_mat x, bool *solved)
{
    lanczos l = {.p = b.n};
    size_t open = alphas.n;
    memset(solved, 0, alphas.n * sizeof *solved);
    if (open == 0 || steps == 0)
        return;
    bool *settled = lb_xcalloc(alphas.n, sizeof *settled);
    l.v = lb_xaligned((steps + 1) * l.p, sizeof *l.v);
    l.diagonal = lb_xcalloc(4 * steps, sizeof *l.diagonal);
    l.off = l.diagonal + steps;
    memcpy(l.v, b.data, l.p * sizeof *l.v);
    lb_cholesky_solve(u, (lb_vec){l.v, l.p});
    l.size = normalise(&l, 0);
    while (open > 0 && l.n < steps) {
        step(&l, u);
        for (size_t k = 0; k < alphas.n; k++) {
            if (settled[k])
                continue;
            settled[k] = settle(&l, alphas.data[k], pole, steps, l.off + steps,
                                x.data + k * x.stride, &solved[k]);
            open -= settled[k];
        }
    }
    free(settled);
    free(l.v);
    free(l.diagonal);
}
