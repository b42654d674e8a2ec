/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_SCATTER_H
#define LB_MODELS_SCATTER_H

#include "core/error.h"
#include "linalg/mat.h"
#include "linalg/stream.h"

/**
 * How noisy a spectrum is, in units of its own error vector, told from the spectrum alone: its
 * scatter from pixel to pixel. The central difference of even order m,
 *   d_j = sum_k (-1)^k C(m, k) x_{j+k},
 * lets pass what changes from one pixel to the next and hardly anything that a spectrograph has
 * smeared over several pixels. Under noise level v, d_j has the standard deviation v s_j with
 * s_j^2 = sum_k C(m, k)^2 e_{j+k}^2, so v is the median of |d_j| / s_j over that of |N(0, 1)|. A
 * median does not mind a few pixels that real structure disturbs. What is left of lines adds to the
 * estimate in quadrature, so it is too high where there is little noise.
 * Source: Stoehr et al. 2008, ASP Conf. Ser. 394, 505 (DER_SNR), who take the median of second
 * differences; here the errors are weighted in and the order is free.
 */

/**
 * @param x, error  row for row, of equal sizes, more than @p order columns
 * @param order     2, 4 ... 12
 * @param out       (x->rows) the estimates, >= 0
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (an order that is none of these); LB_ENUMERIC (a row with NaN
 *         or infinity, or without a pixel to use, named); what the streams report
 * Differences that reach a pixel whose error is not a positive finite number are left out. The bits
 * do not depend on the threads.
 */
lb_status lb_scatter(const lb_stream *x, const lb_stream *error, int order, lb_vec out,
                     lb_error *err);

#endif
