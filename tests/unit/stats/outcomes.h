/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_TEST_OUTCOMES_H
#define LB_TEST_OUTCOMES_H

#include "core/random.h"
#include "stats/score.h"

#include <stddef.h>

/* A test set of 1,000 rows as in the specification: two models, of which 816 rows are covered. The
 * target outside the covered rows is harder, so that the row set matters. */
enum { N_ALL = 1000, N_COVERED = 816 };

typedef struct sample {
    double y[N_ALL], global[N_ALL], mixture[N_ALL];
    bool covered[N_ALL];
} sample;

static inline void fill(sample *s)
{
    lb_rng r = lb_rng_make(20251203, 0);
    for (size_t i = 0; i < N_ALL; i++) {
        s->covered[i] = i % 125 < 102; /* 816 of 1,000 */
        s->y[i] = 1.0 + 4.0 * lb_rng_uniform(&r);
        const double hard = s->covered[i] ? 1.0 : 2.0, shared = 0.3 * hard * lb_rng_normal(&r);
        s->global[i] = s->y[i] + shared + 0.27 * lb_rng_normal(&r);
        s->mixture[i] = s->y[i] + shared + 0.05 * lb_rng_normal(&r);
    }
}

static inline lb_outcome outcome(const lb_rowset *rows, const double *y, const double *yhat,
                                 const char *model)
{
    const size_t n = lb_rowset_size(rows);
    return (lb_outcome){.rows = rows, .y = {y, n}, .yhat = {yhat, n}, .model = model};
}

#endif
