/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_GATE_H
#define LB_STUDY_GATE_H

#include "models/logistic.h"
#include "models/pca.h"
#include "models/windows.h"
#include "study/moe.h"

/**
 * What a gate looks at: a few features of every noisy spectrum, which any star has before a label
 * is known. Made on the same noisy rows that the experts see.
 */
typedef struct lb_gate_inputs {
    size_t n;
    char **name;             /* [n] "depth_8498" ... "PCA1" ... */
    lb_mat train, val, test; /* (rows of the set, n), as measured, not scaled */
    size_t bad_continuum;    /* windows without continuum, in all three sets together */
} lb_gate_inputs;

/**
 * The line features of @p set (NULL: none), then the scores of @p components principal components
 * of the noisy training spectra (0: none). Sticky in @p s: after a failure @p out is zero.
 */
void lb_gate_inputs_make(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                         const lb_window_set *set, size_t components, lb_gate_inputs *out);

/** The same with components that were fitted before (from lb_moe_rows_gram(), say; NULL: none), and
 * with another way of measuring the lines. */
void lb_gate_inputs_with(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                         const lb_window_set *set, lb_window_options how, const lb_pca *pca,
                         lb_gate_inputs *out);

/** Some of the columns, copied, in the given order: for ablations. */
lb_gate_inputs lb_gate_inputs_pick(const lb_gate_inputs *in, const size_t *columns, size_t n);
void lb_gate_inputs_free(lb_gate_inputs *in); /* zeroed is fine */

typedef struct lb_gate_naming {
    lb_cvec C;    /* grid of the inverse penalty, ascending */
    size_t folds; /* of the cross-validation that chooses it, stratified by domain */
    uint64_t seed;
} lb_gate_naming;

/**
 * A gate that names the domain of a row: multinomial logistic regression on standardised features,
 * fitted on the training rows that have an expert, C by cross-validation on them.
 */
typedef struct lb_named {
    size_t classes;
    lb_logistic_cv *cv;
    lb_mat train, val, test; /* (rows, classes) probabilities */
} lb_named;

/** Sticky in @p s: after a failure @p out is zero. */
void lb_gate_name(lb_study *s, const lb_gate_inputs *in, const lb_domains *d, lb_gate_naming o,
                  lb_named *out);
void lb_named_free(lb_named *g); /* zeroed is fine */

#endif
