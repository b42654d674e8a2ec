/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_COPIES_H
#define LB_STUDY_COPIES_H

#include "data/rows.h"
#include "study/cohort.h"

/** One set of a cohort, every star once a noise level: star i at level l is row l * n + i. */
typedef struct lb_copies_side {
    lb_stream x;          /* levels * n rows */
    size_t n;             /* stars */
    double *target;       /* of every row, as are */
    double *noise;        /* its level, */
    int *level;           /* the number of that level, */
    uint64_t *star;       /* and its star, 0 .. n-1 */
    const lb_stream *one; /* [levels] each level by itself */
} lb_copies_side;

/**
 * A cohort at several noise levels at once, level after level: what a model sees that is trained on
 * all of them, and what any model is tested on. One pass over it serves the experts of the levels
 * (their rows are groups), the mixture of levels, and every model at every level.
 */
typedef struct lb_copies lb_copies;

/**
 * @param c      stays in place while the copies are used
 * @param noise  the levels
 * @param seeds  of the noise; level l draws with seeds + l * step, so with step 0 a star has the
 *               same z at all levels, and with step 1 and seeds further apart than there are levels
 *               each level of each set has a draw of its own
 */
lb_copies *lb_copies_new(const lb_cohort *c, const double *noise, size_t levels,
                         lb_noise_seeds seeds, uint64_t step);
void lb_copies_free(lb_copies *c); /* NULL is fine */

size_t lb_copies_levels(const lb_copies *c);
const lb_copies_side *lb_copies_train(const lb_copies *c); /* borrowed, as are the others */
const lb_copies_side *lb_copies_val(const lb_copies *c);
const lb_copies_side *lb_copies_test(const lb_copies *c);

#endif
