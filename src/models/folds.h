/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_FOLDS_H
#define LB_MODELS_FOLDS_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

/**
 * k-fold cross-validation by group: all rows of a group (the noisy copies of one star) go to one
 * fold, so a model is never tested on a star it has seen. The distinct groups, in the order of
 * their numbers, are shuffled with the seed, brought into the order of their classes, and dealt out
 * one by one. Hence the folds differ by at most one group, in all and within every class, and the
 * fold of a star depends on the set of stars alone, not on the order or number of its rows. Folds
 * as numbers per row fit lb_gram_accumulate() as its groups. Source: Hastie, Tibshirani & Friedman,
 * ESL 2nd ed., sec. 7.10.
 *
 *   int fold[N];
 *   lb_folds_make((lb_folds){.k = 5, .seed = 42, .group = star, .class_of = bin}, N, fold, err);
 */
typedef struct lb_folds {
    size_t k; /* folds, at least 2 */
    uint64_t seed;
    const uint64_t *group; /* [n] number of the group of each row; NULL: every row is its own */
    const int *class_of;   /* [n] class of each row; NULL: one class. -1 leaves the row out */
} lb_folds;

/**
 * @param fold  out [n]: 0 .. k-1, or -1 for a row that was left out
 * @return LB_OK; LB_EINVAL (k < 2; fewer groups than folds; a group with rows of two classes, named
 *         by two of its rows; a class below -1). A class with fewer groups than folds is legal:
 * some folds then test none of it.
 */
lb_status lb_folds_make(lb_folds f, size_t n, int *fold, lb_error *err);

#endif
