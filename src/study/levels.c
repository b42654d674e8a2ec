/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/levels.h"

#include <math.h>

static lb_gram *gather(lb_study *s, const lb_levels *l, double noise, const lb_gram *like)
{
    lb_exposure seen;
    lb_gram *gram = NULL;
    if (!lb_study_ok(s))
        return NULL;
    lb_cohort_expose(l->cohort, noise, l->seeds, &seen);
    lb_study_take(s, lb_gram_accumulate(&seen.train.x, seen.train.y, l->group,
                                        (lb_gram_options){.groups = l->groups, .like = like}, &gram,
                                        s->err));
    return gram;
}

void lb_levels_open(lb_study *s, const lb_cohort *c, lb_noise_seeds seeds, const double *noise,
                    size_t n, const int *group, size_t groups, lb_levels *out)
{
    *out = (lb_levels){.cohort = c, .group = group, .groups = groups, .seeds = seeds};
    if (n <= 3)
        return;
    /* The ends, and the level nearest to the middle between them: nothing is extrapolated. */
    double least = noise[0], most = noise[0], middle = NAN;
    for (size_t i = 1; i < n; i++) {
        least = fmin(least, noise[i]);
        most = fmax(most, noise[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (noise[i] > least && noise[i] < most &&
            !(fabs(noise[i] - 0.5 * (least + most)) >= fabs(middle - 0.5 * (least + most))))
            middle = noise[i];
    out->at[0] = least;
    out->at[1] = middle;
    out->at[2] = most;
    for (int k = 0; k < 3; k++)
        out->known[k] = gather(s, out, out->at[k], k ? out->known[0] : NULL);
}

lb_gram *lb_levels_gram(lb_study *s, const lb_levels *l, double noise)
{
    lb_gram *gram = NULL;
    if (!l->known[0])
        return gather(s, l, noise, NULL);
    if (lb_study_ok(s))
        lb_study_take(
            s, lb_gram_between((const lb_gram *const *)l->known, l->at, noise, &gram, s->err));
    return gram;
}

void lb_levels_close(lb_levels *l)
{
    for (int k = 0; k < 3; k++)
        lb_gram_free(l->known[k]);
    *l = (lb_levels){0};
}
