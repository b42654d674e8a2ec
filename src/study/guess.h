/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_GUESS_H
#define LB_STUDY_GUESS_H

#include "models/conditional.h"
#include "models/outoffold.h"
#include "study/moe.h"

/**
 * What Ridge makes of a label of every star of a cohort, for models that need the label when nobody
 * knows it: a gate, or weights that vary with it. Training rows are guessed out of fold
 * (models/outoffold.h), validation and test rows by the fit of all training rows, so that a model
 * trained on the guesses meets the same kind of guess in use.
 */
typedef struct lb_guess {
    lb_outoffold *fit;
    lb_predicted train, val, test; /* predictions with rmse and R2; borrowed from fit */
    lb_by_row value;               /* the same predictions, for lb_domains_intervals() */
    lb_sweep_model penalty;        /* alphas and choice only, for lb_study_put_alpha() */
} lb_guess;

/**
 * @param truth  the label: c->train.mh, c->val.mh, c->test.mh, say
 * @param folds  of the training rows, shuffled with @p seed
 * Penalties as `ridge` of the spec, on the grid settings.guess_alphas if there is one. Sticky in @p
 * s: after a failure @p out is zero.
 */
void lb_guess_make(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                   lb_by_row truth, size_t folds, uint64_t seed, lb_guess *out);
void lb_guess_free(lb_guess *g); /* zeroed is fine */

/**
 * Conditional Ridge of first order for the target of the cohort, [x, m x] with m the guess on every
 * row (models/conditional.h, member 0); the penalty by validation. NULL after a failure.
 */
lb_conditional *lb_guess_condition(lb_study *s, const lb_cohort *c, double level,
                                   lb_noise_seeds seeds, const lb_guess *g);

#endif
