/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_LINALG_PROBABILITY_H
#define LB_LINALG_PROBABILITY_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stddef.h>

/* Rows of probabilities: element (i, k) is what a gate gives row i for class k. One check for all
 * that take them, so that a matrix is good everywhere or nowhere. */

/** How far a row may sum from 1. */
#define LB_PROBABILITY_SLACK 1e-6

/**
 * @return LB_OK; LB_EINVAL (no column; a negative probability; a row whose sum is off by more than
 *         LB_PROBABILITY_SLACK); LB_ENUMERIC (NaN or infinity). The row is named, the first one.
 *         A matrix without rows is fine.
 */
lb_status lb_probability_check(lb_cmat p, lb_error *err);

/** The class with the largest probability of row @p i; the first of equals. */
size_t lb_probability_top(lb_cmat p, size_t i);

#endif
