/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_ADAM_H
#define LB_MODELS_ADAM_H

#include "core/error.h"

#include <stddef.h>

/* Adam, the optimiser of the networks. With g the gradient at step t = 1, 2, ...
 *
 *     m = beta1 m + (1 - beta1) g              v = beta2 v + (1 - beta2) g^2
 *     w = w - [rate / (1 - beta1^t)] m / (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * element by element; m and v start at zero. Source: Kingma & Ba (2015), ICLR, Algorithm 1, epsilon
 * outside the square root as there and in PyTorch's torch.optim.Adam. There is no weight decay.
 *
 *     lb_adam *adam = lb_adam_new(n, LB_ADAM_DEFAULT);
 *     while (...)
 *         lb_adam_step(adam, gradient, weights);      gradient: of the batch's mean loss
 *     lb_adam_free(adam);
 */

typedef struct lb_adam_options {
    double rate;         /* learning rate, > 0, unit of a weight: no step is much longer */
    double beta1, beta2; /* memory of the mean and of the square, in [0, 1) */
    double epsilon;      /* > 0, unit of a gradient */
} lb_adam_options;

#define LB_ADAM_DEFAULT ((lb_adam_options){1e-3, 0.9, 0.999, 1e-8}) /* of the paper */

/** The two moments of n weights and the step count. */
typedef struct lb_adam lb_adam;

/** @return LB_OK, or LB_EINVAL naming the option outside its range (NaN and infinity are). */
lb_status lb_adam_check(lb_adam_options options, lb_error *err);

/** Start at step 0 for @p n weights. The options have passed lb_adam_check(). */
lb_adam *lb_adam_new(size_t n, lb_adam_options options);
void lb_adam_free(lb_adam *a);

/**
 * One step down @p gradient; both arrays hold n doubles and do not overlap. O(n), one thread.
 * Nothing is tested here: a NaN or infinite gradient makes its own weight NaN for good and no
 * other, so the caller looks at its loss. A gradient of zero from the start leaves its weight as
 * it was.
 */
void lb_adam_step(lb_adam *a, const double *gradient, double *weights);

/**
 * The same step in parts, which threads may share: lb_adam_next() once, then each part once.
 * Weights first .. first + n - 1; both arrays hold @p n doubles, of these weights.
 */
void lb_adam_next(lb_adam *a);
void lb_adam_part(lb_adam *a, size_t first, size_t n, const double *gradient, double *weights);

#endif
