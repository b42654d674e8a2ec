/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STATS_SUSPICION_H
#define LB_STATS_SUSPICION_H

#include "core/error.h"
#include "core/number.h"

#include <stdbool.h>
#include <stddef.h>

/** Difference between pooled and weighted R2 that raises the warning (specification 0.4). */
#define LB_SUSPICIOUS_GAP 0.02

/** A look at whether a pooled R2 and the R2 of its bins can be about the same rows. */
typedef struct lb_suspicion {
    lb_number weighted;   /* sum n_k R2_k / sum n_k over bins with a value, kind "r2_weighted" */
    double gap;           /* weighted - pooled; NAN if either is n/a */
    size_t rows_in_bins;  /* sum of n_k over all bins */
    size_t bins_left_out; /* bins without a value */
    bool rows_differ;     /* rows_in_bins is not the n of the pooled score */
    bool suspicious;      /* rows_differ, or |gap| > LB_SUSPICIOUS_GAP */
    char text[240];       /* one sentence saying what was compared and found */
} lb_suspicion;

/**
 * Compare the pooled R2 of a set with the n-weighted mean of the R2 inside its bins. The two are
 * not the same quantity (bins have less variance to explain than the whole), so a warning asks for
 * a look and is no proof; rows that do not add up are proof.
 * @return LB_OK; LB_EINVAL if a kind is not r2
 */
lb_status lb_suspicion_check(const lb_number *pooled, const lb_number *bins, size_t k,
                             lb_suspicion *out, lb_error *err);

/** "row-set suspicion" or "none", for a column of warnings. */
const char *lb_suspicion_warning(const lb_suspicion *s);

#endif
