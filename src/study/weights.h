/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_WEIGHTS_H
#define LB_STUDY_WEIGHTS_H

#include "study/routing.h"

/** What the weights of a gate are like on some test rows. Mean weights alone cannot tell a gate
 * that is sure of every row from one that spreads them evenly; the entropy of each row can. */
typedef struct lb_weights {
    size_t n, k;     /* rows, experts */
    double *mean;    /* [k] mean weight of each expert */
    double *entropy; /* [n] of each row over ln k: 0 one expert alone, 1 all alike */
} lb_weights;

/**
 * Records gate_accuracy.NAME (the largest weight names the true bin, per cent), macro_f1.NAME,
 * weight.own.NAME and weight.largest.NAME (means over the rows of what the true bin and the
 * largest get), entropy.NAME, and weight.sums_to_one.NAME (1 if every row does, to 1e-9).
 * @param rows  test rows that all have an expert in @p d
 * @param p     (test rows, experts) what the gate says
 * Sticky in @p s: after a failure @p out is zero.
 */
void lb_weights_look(lb_study *s, const lb_cohort *c, const lb_rowset *rows, const lb_domains *d,
                     lb_cmat p, const char *name, lb_weights *out);
void lb_weights_free(lb_weights *w); /* zeroed is fine */

#endif
