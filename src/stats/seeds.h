/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STATS_SEEDS_H
#define LB_STATS_SEEDS_H

#include "core/error.h"
#include "core/number.h"

#include <stdbool.h>
#include <stddef.h>

/** One score over several seeds (noise draws), on the same rows. */
typedef struct lb_seed_summary {
    lb_number mean;                 /* kind of the inputs; se = std_sample / sqrt(k) */
    lb_number std_pop;              /* divisor k (ddof 0), kind "std" */
    lb_number std_sample;           /* divisor k - 1 (ddof 1), kind "std"; n/a for one seed */
    lb_number relative;             /* std_pop / |mean|, kind "ratio"; n/a when the mean is 0 */
    lb_number spread_lo, spread_hi; /* mean -+ 1.96 std_pop, kind "seed_spread": the spread across
                                       seeds, NOT a confidence interval of the mean */
    lb_number lowest;               /* the smallest value */
    size_t above;                   /* how many exceed the threshold strictly */
    bool all_above;
} lb_seed_summary;

/**
 * @param values     k >= 1 numbers of one kind on one row set, one per seed
 * @param threshold  for @c above
 * @return LB_OK; LB_EROWS naming both row sets when two differ; LB_EINVAL (k = 0, kinds differ);
 *         LB_ENUMERIC (a value is n/a)
 */
lb_status lb_seeds_summarise(const lb_number *values, size_t k, double threshold,
                             lb_seed_summary *out, lb_error *err);

#endif
