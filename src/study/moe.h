/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_MOE_H
#define LB_STUDY_MOE_H

#include "study/study.h"

/**
 * A partition of the bins: which expert serves each group of rows. Nine bins, three metallicity
 * strips, three temperature strips.
 */
typedef struct lb_partition {
    const char *name;
    size_t n;                               /* experts */
    bool use[LB_BINS_MAX][LB_BINS_MAX + 1]; /* groups expert e trains on */
    int expert_of[LB_BINS_MAX + 1];         /* per group; -1: none */
} lb_partition;

/* Bins without training rows have no expert. */
lb_partition lb_partition_bins(const lb_cohort *c); /* one expert a bin (after merging) */
lb_partition lb_partition_mh(const lb_cohort *c);   /* one a metallicity strip, covered rows only */
lb_partition lb_partition_teff(const lb_cohort *c); /* one a temperature strip, covered rows only */

/**
 * The global Ridge and the experts of one or more partitions, fitted and selected in one sweep.
 * The global model trains on all rows, covered or not.
 */
typedef struct lb_moe {
    lb_sweep *sweep;
    const lb_partition *partitions; /* borrowed */
    lb_sweep_model global;
    size_t n_test;
    int first[4];       /* index in the sweep of each partition's first expert */
    lb_cvec mixture[4]; /* per partition, per test row: the expert's prediction, NAN uncovered */
    lb_cvec with_fallback[4]; /* the same with the global model where no expert serves */
} lb_moe;

/**
 * @param partitions  1 to 4, borrowed for the life of @p out
 * Sticky in @p s: after a failure @p out is zero.
 */
void lb_moe_fit(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                const lb_partition *partitions, size_t n, lb_moe *out);
void lb_moe_free(lb_moe *m); /* zeroed is fine */

lb_sweep_model lb_moe_expert(const lb_moe *m, size_t partition, size_t expert);

/** The scores of the legacy protocol, every penalty chosen on the test rows themselves: kept to
 * show what that does. */
typedef struct lb_legacy {
    lb_number global_all;     /* R2 of the global model on all test rows */
    lb_number global_covered; /* and on the covered ones */
    lb_number mixture;        /* R2 of the mixture on covered rows */
    lb_number unaligned;      /* mixture - global_all: two row sets, no interval */
    lb_number aligned;        /* mixture - global_covered */
} lb_legacy;

lb_legacy lb_moe_legacy(lb_study *s, const lb_cohort *c, const lb_moe *m, size_t partition);

#endif
