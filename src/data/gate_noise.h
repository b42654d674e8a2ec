/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_GATE_NOISE_H
#define LB_DATA_GATE_NOISE_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stddef.h>
#include <stdint.h>

/* A gate that is told a label wrongly: how much does routing lose (experiment E10)? An example, one
 * draw of the error for two methods and all levels:
 *
 *   lb_gate_noise(seed, draw, rows, sigma, mh, told, err);  // both methods see these very values
 *   lb_clamp(told, -2.0, 0.5);                              // nobody leaves the bins
 *   lb_bins_assign(&bins, teff, told, bin);
 */

/**
 * out[i] = x[i] + sigma z, z ~ N(0, 1) a function of (seed, draw, row) alone: core/random.h, stream
 * 0x67 << 56 | draw << 40 | row. It knows nothing of sigma, so the levels of one draw share their
 * errors, and nothing of the order of rows, so every method and every subset of rows sees the same.
 * sigma = 0 returns x bit for bit.
 * @param rows  [x.n] row numbers in the data set, below 2^40; NULL: 0, 1, 2 ...
 * @param out   (x.n), may be x itself
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (sigma negative, NaN or infinite; a draw of 65,536 or above;
 * a row number too large); LB_ENUMERIC (x is NaN or infinite)
 */
lb_status lb_gate_noise(uint64_t seed, size_t draw, const size_t *rows, double sigma, lb_cvec x,
                        lb_vec out, lb_error *err);

/** x[i] into [lo, hi], lo <= hi: the nearest bin takes what lies beyond. NaN stays NaN. Also the
 * edge clamp of labels outside the grid. @return how many values moved */
size_t lb_clamp(lb_vec x, double lo, double hi);

#endif
