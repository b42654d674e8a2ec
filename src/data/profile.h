/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_PROFILE_H
#define LB_DATA_PROFILE_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>

/** How much data a run uses. One of the named profiles of this package; constant. */
typedef struct lb_profile {
    const char *name;
    size_t n_train, n_val, n_test; /* rows of each set */
    size_t shards;                 /* the training rows are spread evenly over this many files */
    size_t rebin;                  /* neighbouring pixels averaged into one; 1 keeps all 4,096 */
    const char *replication;       /* profile of the larger-sample test, or NULL */
    unsigned stream;               /* keys the random streams: two profiles share no spectrum */
} lb_profile;

/**
 * The profile called @p name: quick, quick_large, standard, large or million.
 * @return a constant, or NULL with LB_ENAME in @p err, which names the nearest one
 */
const lb_profile *lb_profile_find(const char *name, lb_error *err);

/** Whether its training rows are too many to lie on a disk (33 GB a million): they are then made as
 * they are read (data/source.h). */
bool lb_profile_is_streamed(const lb_profile *p);

#endif
