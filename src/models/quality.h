/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_QUALITY_H
#define LB_MODELS_QUALITY_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stddef.h>

/**
 * What the error vector of a spectrum (1 sigma per pixel) says about its quality: ten statistics
 * for the signal-to-noise gate, and the other reductions that the leakage audit tries in their
 * place. (Its three PCA scores are models/pca.h on a stream of error vectors.)
 *
 * All functions take blocks of rows; a row's numbers depend on that row alone, so neither the
 * blocks nor the threads change a bit. All replace an error that is not positive or not finite by
 * LB_QUALITY_FLOOR and count it in @p replaced, which they set (NULL: not wanted). Sums over pixels
 * are in double.
 *
 *   double x[1000 * LB_QUALITY_FEATURES];
 *   size_t replaced;
 *   lb_quality_features(error, lb_mat_of(x, 1000, LB_QUALITY_FEATURES), &replaced, &err);
 */
#define LB_QUALITY_FLOOR 1e-6

enum { LB_QUALITY_FEATURES = 10 };

/** "mean", "std", "min", "max", "median", "sum", "q25", "q75", "skewness", "kurtosis". */
extern const char *const lb_quality_names[LB_QUALITY_FEATURES];

/**
 * The ten statistics over the pixels, in the order of lb_quality_names. std has divisor p; median
 * and quartiles are linear between order statistics (Hyndman & Fan 1996, definition 7, NumPy's);
 * with m_k the k-th central moment skewness is m3 / m2^1.5 and kurtosis m4 / m2^2 - 3, both 0 where
 * all errors are equal and there is no shape to speak of.
 * @param error  (n, p), p > 0
 * @param out    (n, LB_QUALITY_FEATURES)
 * @return LB_OK, or LB_ESHAPE (also for p = 0)
 */
lb_status lb_quality_features(lb_cmatf error, lb_mat out, size_t *replaced, lb_error *err);

/**
 * Evenly spaced quantiles from the smallest to the largest error: 11 columns are the deciles.
 * @param out  (n, m), m > 1
 * @return LB_OK; LB_ESHAPE
 */
lb_status lb_quality_quantiles(lb_cmatf error, lb_mat out, size_t *replaced, lb_error *err);

/** Euclidean norm of each row to @p out (n). LB_OK or LB_ESHAPE. */
lb_status lb_quality_norms(lb_cmatf error, lb_vec out, size_t *replaced, lb_error *err);

/** Add the rows to @p sum (p), one after the other: over all training rows, divided by their
 * number, the mean error vector of lb_quality_shape(). LB_OK or LB_ESHAPE. */
lb_status lb_quality_add(lb_cmatf error, lb_vec sum, size_t *replaced, lb_error *err);

/**
 * Each error vector e against the mean e0 of the training rows: how large, and how far from its
 * shape.
 * @param e0   (p) finite, not all 0
 * @param out  (n, 2): s = e'e0 / |e0|^2, and |e - s e0|
 * @return LB_OK; LB_ESHAPE; LB_ENUMERIC (NaN, infinity or nothing but 0 in e0)
 */
lb_status lb_quality_shape(lb_cmatf error, lb_cvec e0, lb_mat out, size_t *replaced, lb_error *err);

typedef enum lb_quality_scale {
    LB_RELATIVE_MEDIAN, /* error / median(flux) */
    LB_RELATIVE_NORM,   /* error / |flux|, the Euclidean norm */
} lb_quality_scale;

/**
 * Error relative to the flux, pixel by pixel. A row whose median or norm is not above
 * LB_QUALITY_FLOOR, or that holds NaN or infinity in its flux, has no scale: it becomes 0
 * throughout and is counted in @p no_scale.
 * @param out       (n, p)
 * @param no_scale  rows without a scale; NULL: not wanted
 * @return LB_OK; LB_ESHAPE
 */
lb_status lb_quality_relative(lb_quality_scale scale, lb_cmatf flux, lb_cmatf error, lb_matf out,
                              size_t *no_scale, lb_error *err);

#endif
