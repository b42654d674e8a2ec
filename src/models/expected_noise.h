/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_EXPECTED_NOISE_H
#define LB_MODELS_EXPECTED_NOISE_H

#include "core/error.h"
#include "linalg/gram.h"
#include "linalg/mat.h"
#include "linalg/stream.h"
#include "models/ridge.h"
#include "models/sweep.h"

#include <stdbool.h>

/**
 * Ridge trained on noise in expectation instead of on one draw of it. For spectra x + level e z
 * with z ~ N(0, 1) per pixel, E[(X + N)'(X + N)] = X'X + level^2 diag(sum of e^2) and E[(X + N)'y]
 * = X'y: one float64 pass over the clean spectra and one over their errors give every noise level,
 * every union of groups and every penalty. It is the limit of stacking M noisy draws of every star,
 * with M alpha for the penalty, and differs from the fit on one draw by what that draw happened to
 * be (Bishop 1995, Neural Computation 7, 108: noise is a penalty, here sum of e_j^2 on pixel j).
 *
 * Solved by models/ridge.h. Above level 0 the noise makes the smallest eigenvalue of the system
 * large beside most penalties, so the factor of the smallest alpha serves them (method 'l').
 *
 * What awkward data come to: for the same reason constant and repeated pixels and more pixels than
 * rows are fitted at alpha 0 too; what is left singular, a pixel without error that does not vary,
 * has the shortest weights. One row, or one label in all rows: w = 0, b = that label.
 *
 * Worked example: all levels of E04 for a global model and nine bins
 *
 *   lb_noise_level levels[5] = {{0.0, val_0, test_0}, {0.1, val_1, test_1}, ...};
 *   lb_expected_noise_run(&clean, &error, levels, 5, members, 10, options, &fits, err);
 *   lb_expected_noise_get(fits, 1, 0).yhat_chosen            // level 0.1, the global model
 *
 * where val_1 and test_1 are seen at level 0.1.
 */

/**
 * Sums of e^2 per group and pixel, one pass. An error that is not a positive finite number counts
 * 0, as in data/noise.h: there is no noise there.
 * @param group  (rows) 0 .. groups-1, or -1: row left out; NULL: all 0
 * @param sums   out (groups, error->cols)
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (a group out of range); what the stream reports
 */
lb_status lb_error_squares(const lb_stream *error, const int *group, lb_mat sums, lb_error *err);

/**
 * Fit every model at every level and penalty. Level 0 is plain Ridge (models/ridge.h), bit for bit.
 * @param clean    float64, of the spectra without noise
 * @param squares  (groups, p) of lb_error_squares()
 * @param use      (n_models x groups) flags, one row a model
 * @param levels   finite, >= 0
 * @param alphas   finite, >= 0
 * @param out      (n_models x levels) fits, level by level within a model, each freed by the
 *                 caller; all NULL after a failure
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (float32 Gram, no row in a model, a level or alpha out of
 *         range, a sum of squares that is negative or not finite); what lb_ridge_fit_loaded()
 *         returns besides. Threads, bits and scratch as there
 */
lb_status lb_expected_noise_fit(const lb_gram *clean, lb_cmat squares, const bool *use,
                                size_t n_models, lb_cvec levels, lb_cvec alphas, lb_ridge **out,
                                lb_error *err);

/** A noise level with the validation and test rows seen at it. */
typedef struct lb_noise_level {
    double level;
    lb_labelled val;
    lb_stream test;
} lb_noise_level;

typedef struct lb_expected_noise lb_expected_noise;

/**
 * Fit and select every member at every level: the protocol of models/sweep.h.
 * @param train    the clean spectra
 * @param error    their errors, row for row
 * @param options  least_squares and standardise must be off
 * @return as lb_sweep_run() and lb_expected_noise_fit()
 */
lb_status lb_expected_noise_run(const lb_labelled *train, const lb_stream *error,
                                const lb_noise_level *levels, size_t n_levels,
                                const lb_member *members, size_t n, lb_sweep_options options,
                                lb_expected_noise **out, lb_error *err);
void lb_expected_noise_free(lb_expected_noise *s); /* NULL is fine */

/** As models/sweep.h; there is no least-squares fit, and w and b are NULL. */
lb_sweep_model lb_expected_noise_get(const lb_expected_noise *s, size_t level, size_t member);

#endif
