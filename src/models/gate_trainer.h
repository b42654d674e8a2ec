/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_GATE_TRAINER_H
#define LB_MODELS_GATE_TRAINER_H

#include "models/gate_block.h"

/* Epochs of a gate, for models/gate.c alone. The gradient of a batch is the sum of those of its two
 * halves, whoever computes them: one thread, or two that take a half each. Two threads have weights
 * and moments of their own, equal ones since both take every step, and share the gradients only:
 *
 *     thread 0    gradient of half 0 | both there? | step | gradient of half 0 | ...
 *     thread 1    gradient of half 1 | both there? | step | gradient of half 1 | ...
 */

/** Rows packed for lb_gate_block_run(). */
typedef struct lb_gate_packed {
    double *records; /* (n, stride) */
    size_t stride, n;
} lb_gate_packed;

typedef struct lb_gate_trainer lb_gate_trainer;

/** At the weights of @p g, for batches of so many rows. Two threads where OpenMP has them and a
 * batch has enough to do for both. */
lb_gate_trainer *lb_gate_trainer_new(const lb_gate *g, size_t batch, lb_adam_options adam);
void lb_gate_trainer_free(lb_gate_trainer *t); /* NULL is fine */

/** One pass over the training rows in @p order: a step of Adam a batch. @return the mean of the
 * losses that the batches met; in *held_loss that of the held rows afterwards */
double lb_gate_trainer_epoch(lb_gate_trainer *t, lb_gate_packed rows, const size_t *order,
                             lb_gate_packed held, double *held_loss);

/** The block with today's weights, for lb_gate_block_store(). */
const lb_gate_block *lb_gate_trainer_block(const lb_gate_trainer *t);

#endif
