/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Toy data for the tests of linalg and models: a matrix in memory, served as a stream. */
#ifndef TESTS_LINALG_TOY_H
#define TESTS_LINALG_TOY_H

#include "core/memory.h"
#include "core/random.h"
#include "linalg/gram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct toy {
    size_t n, p;
    float *x;
    double *y;
    int *group;
    size_t broken_from; /* reading this row or a later one fails; 0: never */
    size_t most_reads;  /* after so many reads every other fails; 0: none does */
    size_t reads;
} toy;

static lb_status toy_read(void *self, size_t first, lb_matf x, lb_error *err)
{
    toy *t = self;
    if (t->most_reads && ++t->reads > t->most_reads)
        return LB_FAIL(err, LB_EIO, "the disk is on fire after %zu reads", t->most_reads);
    if (t->broken_from && first + x.rows > t->broken_from)
        return LB_FAIL(err, LB_EIO, "the disk is on fire at row %zu", t->broken_from);
    for (size_t i = 0; i < x.rows; i++)
        memcpy(x.data + i * x.stride, t->x + (first + i) * t->p, t->p * sizeof(float));
    return LB_OK;
}

static inline lb_stream toy_stream(toy *t)
{
    return (lb_stream){t->n, t->p, toy_read, t, false};
}

static inline lb_cvec toy_y(const toy *t)
{
    return (lb_cvec){t->y, t->n};
}

/* Correlated columns about 1, as continuum-normalised spectra are; y a linear map of them plus
 * noise; rows dealt to groups 0, 1, 2 and -1. */
static inline toy toy_make(size_t n, size_t p, uint64_t seed)
{
    toy t = {.n = n,
             .p = p,
             .x = lb_xcalloc(n * p, sizeof(float)),
             .y = lb_xcalloc(n, sizeof(double)),
             .group = lb_xcalloc(n, sizeof(int))};
    lb_rng r = lb_rng_make(seed, 0);
    for (size_t i = 0; i < n; i++) {
        const double common = lb_rng_normal(&r);
        t.y[i] = 2.17 + 0.3 * lb_rng_normal(&r) + common;
        for (size_t j = 0; j < p; j++) {
            const double own = lb_rng_normal(&r);
            t.x[i * p + j] = (float)(1.0 + 0.01 * (double)(j % 7) * common + 0.05 * own);
            t.y[i] += j % 5 == 0 ? 0.8 * own / (double)(j + 1) : 0.0;
        }
        t.group[i] = (int)lb_rng_below(&r, 4) - 1;
    }
    return t;
}

static inline void toy_free(toy *t)
{
    free(t->x);
    free(t->y);
    free(t->group);
}

static inline lb_moments moments_make(size_t p)
{
    return (lb_moments){.xx = lb_mat_new(p, p),
                        .xy = {lb_xcalloc(p, sizeof(double)), p},
                        .mean = {lb_xcalloc(p, sizeof(double)), p},
                        .sd = {lb_xcalloc(p, sizeof(double)), p}};
}

static inline void moments_free(lb_moments *m)
{
    free(m->xx.data);
    free(m->xy.data);
    free(m->mean.data);
    free(m->sd.data);
}

/* The slow, obvious version: centred moments of the rows for which use[group] holds. */
static inline lb_moments moments_by_hand(const toy *t, const bool *use)
{
    lb_moments m = moments_make(t->p);
    const size_t p = t->p;
#define COUNTS(i) (t->group[i] >= 0 && use[t->group[i]])
    for (size_t i = 0; i < t->n; i++)
        m.n += COUNTS(i);
    for (size_t i = 0; i < t->n; i++) {
        if (!COUNTS(i))
            continue;
        m.y_mean += t->y[i] / (double)m.n;
        for (size_t j = 0; j < p; j++)
            m.mean.data[j] += (double)t->x[i * p + j] / (double)m.n;
    }
    for (size_t i = 0; i < t->n; i++) {
        if (!COUNTS(i))
            continue;
        const double dy = t->y[i] - m.y_mean;
        m.yy += dy * dy;
        for (size_t j = 0; j < p; j++) {
            const double d = (double)t->x[i * p + j] - m.mean.data[j];
            m.xy.data[j] += d * dy;
            for (size_t k = 0; k <= j; k++)
                m.xx.data[j * p + k] += d * ((double)t->x[i * p + k] - m.mean.data[k]);
        }
    }
#undef COUNTS
    for (size_t j = 0; j < p; j++)
        m.sd.data[j] = sqrt(m.xx.data[j * p + j] / (double)m.n);
    return m;
}

/* Largest difference of n numbers, relative to the largest of them. */
static inline double distance(const double *a, const double *b, size_t n)
{
    double worst = 0.0, size = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(a[i] - b[i]) <= worst))
            worst = fabs(a[i] - b[i]);
        size = fmax(size, fabs(b[i]));
    }
    return size > 0.0 ? worst / size : worst;
}

#endif
