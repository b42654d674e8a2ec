/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_PENALTY_H
#define LB_MODELS_PENALTY_H

#include "core/error.h"
#include "linalg/mat.h"
#include "models/ridge.h"

/** 1 - sum (y - yhat)^2 / sum (y - ybar)^2: what validation rows choose by. Published scores know
 * their rows (stats/score.h). */
double lb_r2(const double *y, const double *yhat, size_t n);

/**
 * The penalty of one model: the best of a grid, then the decades beyond it when the best one sits
 * on an end. The rule of the whole programme, here for models that make their own scores.
 * Source: by hold-out or by folds, Hastie, Tibshirani & Friedman, ESL 2nd ed., sec. 7.2 and 7.10.
 */
typedef struct lb_penalty {
    double *alphas, *r2; /* (n) the grid first, then its extension, in the order they were scored */
    size_t n, n_grid;
    lb_alpha_choice on_grid; /* best of the grid, with the edge flag */
    lb_alpha_choice chosen;  /* best of all; keeps that edge flag */
} lb_penalty;

/** Score some penalties: @p r2 is (alphas.n), filled. Called once, or twice with an extension. */
typedef lb_status lb_penalty_score(void *self, lb_cvec alphas, double *r2, lb_error *err);

/**
 * @param grid     ascending, all > 0
 * @param decades  how far to go beyond an end; 0: stay on the grid
 * @param out      receives the scores; lb_penalty_free() also after a failure
 * @return LB_OK; LB_EINVAL (empty, not ascending, not positive, decades < 0 or beyond
 *         the range of a double); LB_ENUMERIC (a score
 *         on the grid that is not finite); what @p score reports
 */
lb_status lb_penalty_search(lb_cvec grid, int decades, lb_penalty_score *score, void *self,
                            lb_penalty *out, lb_error *err);
void lb_penalty_free(lb_penalty *s); /* leaves it zeroed */

/** LB_OK, or LB_EINVAL as lb_penalty_search(); also where the decades leave the range of a double.
 */
lb_status lb_penalty_check(lb_cvec grid, int decades, lb_error *err);

/** The decades beyond that end of @p grid which @p edge names (-1: the first, +1: the last),
 * ascending. @p out: @p decades of them */
void lb_penalty_beyond(lb_cvec grid, int edge, int decades, double *out);

#endif
