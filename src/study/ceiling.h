/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_CEILING_H
#define LB_STUDY_CEILING_H

#include "core/error.h"
#include "data/ceiling.h"
#include "linalg/mat.h"
#include "stats/fisher.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * The information ceiling over many points: data/ceiling.h makes the slopes and errors, one point
 * after the other, stats/fisher.h turns them into information.
 *
 * Errors scale as 1 / SNR for every star alike, so the information of a point at all magnitudes is
 * one matrix times SNR^2: each point is visited once, whatever the sweep.
 *
 * Example: E20 with three parameters, and the nuisance cost of T_eff and [M/H].
 *   lb_survey survey;
 *   lb_survey_nodes(c, false, &survey, err);
 *   const size_t full[] = {1, 0, 2}, none[] = {1};
 *   const double magnitude[] = {18.0, 20.0, 21.5, 22.0, 22.5, 23.0};
 *   lb_survey_row three[6], one[6];
 *   lb_survey_sweep(&survey, full, 3, magnitude, 6, 1.0, three, err);
 *   lb_survey_sweep(&survey, none, 1, magnitude, 6, 1.0, one, err);
 *   ... three[i].snr_median_pixel against three[i].bounds.r2.median: the figure ...
 */
typedef struct lb_survey {
    size_t n;
    double *points;            /* n x LB_GRID_AXES: T_eff [K], log g, [M/H] [dex] */
    lb_fisher *information;    /* n, at exposure SNR 1 (lb_ceiling_snr()), as are the next three */
    double *snr_norm_ratio;    /* n: |flux| / |error| over the pixels as averaged */
    double *snr_median_pixel;  /* n: median over pixels of flux / error */
    double *error_median;      /* n: median over pixels, in units of the median flux */
    double step[LB_GRID_AXES]; /* median step of the grid on each axis */
    double variance[LB_GRID_AXES]; /* of each parameter over the points, divisor n */
} lb_survey;

/**
 * At all nodes of the grid, in the order of lb_ceiling_node().
 * @param differences  slopes from the neighbouring nodes (lb_ceiling_tabulate() first) instead of
 *                     the spline
 * @param out          release with lb_survey_free(), also after a failure
 * @return LB_OK, or what lb_ceiling_at(), lb_ceiling_differences(), lb_fisher_information() and
 *         lb_fisher_check_axis() say
 * By all threads; the same bits for any number.
 */
lb_status lb_survey_nodes(const lb_ceiling *c, bool differences, lb_survey *out, lb_error *err);

/** At points of one's own (n, LB_GRID_AXES), the stars of a test set for one: by the spline, and
 * not asked to be a grid. LB_EINVAL (n = 0; outside the box), LB_ESHAPE, LB_ENUMERIC. */
lb_status lb_survey_points(const lb_ceiling *c, lb_cmat points, lb_survey *out, lb_error *err);
void lb_survey_free(lb_survey *s); /* zeroed is fine */

/**
 * The bound on params[0] at each point, params[1 ...] unknown (lb_fisher_bound()).
 * @param snr  (n) exposure SNR of each point over the noise level, > 0; {NULL, 0}: 1 for all
 * @param out  n bounds
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (parameters; SNR not > 0); LB_ENUMERIC
 */
lb_status lb_survey_bounds(const lb_survey *s, const size_t *params, size_t n_params, lb_cvec snr,
                           lb_bound *out, lb_error *err);

/** One magnitude of a sweep; signal to noise and error are medians over the points. */
typedef struct lb_survey_row {
    double magnitude, level;
    double snr_exposure;     /* lb_ceiling_snr(magnitude) / level */
    double snr_norm_ratio;   /* |flux| / |error|, pixels as averaged */
    double snr_median_pixel; /* median over pixels of flux / error */
    double error_median;
    lb_bound_summary bounds;
} lb_survey_row;

/**
 * All points at each magnitude, R2_max against the variance of params[0] over the points.
 * @param level  noise level, > 0: errors are multiplied by it, 1 for the exposure as it is
 * @param rows   out, one a magnitude
 * @return LB_OK; LB_EINVAL (level, parameters, magnitude, a parameter that does not vary);
 *         LB_ENUMERIC (every point singular)
 */
lb_status lb_survey_sweep(const lb_survey *s, const size_t *params, size_t n_params,
                          const double *magnitude, size_t n_magnitudes, double level,
                          lb_survey_row *rows, lb_error *err);

/**
 * A map: the median over the axes that are not shown, so that nothing is painted over. Keep two
 * axes for a panel, one for a profile (sigma_min by log g).
 * @param values  one a node, in the order of lb_ceiling_node(); no NaN
 * @param keep    true for the axes shown
 * @param out     (product of their nodes), the later axis running fastest
 * @return LB_OK; LB_ESHAPE (values or out)
 */
lb_status lb_ceiling_map(const lb_ceiling *c, lb_cvec values, const bool keep[LB_GRID_AXES],
                         lb_vec out, lb_error *err);

#endif
