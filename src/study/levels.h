/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_LEVELS_H
#define LB_STUDY_LEVELS_H

#include "linalg/gram.h"
#include "study/study.h"

/**
 * The training rows of a cohort as sufficient statistics at many noise levels under one draw of the
 * noise: three passes over the rows serve them all (lb_gram_between()). Noisy spectra are rounded
 * to single precision, so a Gram that was not gathered from them differs by some 1e-8 of the noise.
 *
 *   lb_levels levels;
 *   lb_levels_open(s, c, seeds, noise, n, NULL, 1, &levels);
 *   for (size_t i = 0; i < n; i++) {
 *       lb_gram *gram = lb_levels_gram(s, &levels, noise[i]);
 *       ... lb_sweep_fit(gram, ...) ...
 *       lb_gram_free(gram);
 *   }
 *   lb_levels_close(&levels);
 */
typedef struct lb_levels {
    const lb_cohort *cohort; /* borrowed, as is group */
    const int *group;
    size_t groups;
    lb_noise_seeds seeds;
    double at[3]; /* levels that were gathered */
    lb_gram
        *known[3]; /* their statistics; NULL: with three levels or fewer each is a pass anyway */
} lb_levels;

/**
 * @param noise  the @p n levels that will be asked for
 * @param group  of every training row, below @p groups; NULL: all rows alike
 * Sticky in @p s. Memory: up to four times the statistics of all groups.
 */
void lb_levels_open(lb_study *s, const lb_cohort *c, lb_noise_seeds seeds, const double *noise,
                    size_t n, const int *group, size_t groups, lb_levels *out);

/** The statistics at one of those levels, freed by the caller; NULL after a failure. */
lb_gram *lb_levels_gram(lb_study *s, const lb_levels *l, double noise);
void lb_levels_close(lb_levels *l);

#endif
