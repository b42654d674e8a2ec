/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/gate_trainer.h"

#include "core/cpu.h"
#include "core/memory.h"

#include <omp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { HALVES = 2, LINE = 64 /* bytes of a cache line */ };

/* Whoever takes steps: weights, moments, and room for the gradient of a whole batch. */
typedef struct learner {
    lb_gate_block *block;
    lb_adam *adam;
    double *gradient;
} learner;

typedef struct half {
    double *gradient[2];    /* of even and odd steps: one is read, the next is written */
    double loss, held_loss; /* sums of squares of an epoch */
    _Alignas(LINE) atomic_size_t ready; /* steps whose gradient is there */
} half;

struct lb_gate_trainer {
    half halves[HALVES];
    learner learners[HALVES];
    size_t n_learners; /* one, who takes both halves, or two */
    size_t batch, steps;
};

/* Multiplications of a batch from which two threads share it: those that are awake need about a
 * microsecond to meet. */
static const size_t worth_meeting = (size_t)1 << 16;

lb_gate_trainer *lb_gate_trainer_new(const lb_gate *g, size_t batch, lb_adam_options adam)
{
    lb_gate_trainer *t = lb_xaligned(1, sizeof *t);
    const bool shared = batch > LB_GATE_ROWS && batch * g->weights.n >= worth_meeting &&
                        omp_get_max_threads() >= HALVES && !omp_in_parallel();
    memset(t, 0, sizeof *t);
    t->batch = batch;
    t->n_learners = shared ? HALVES : 1;
    for (learner *l = t->learners; l < t->learners + t->n_learners; l++) {
        l->block = lb_gate_block_new(g->shape);
        l->adam = lb_adam_new(l->block->n_weights, adam);
        l->gradient = lb_gate_block_gradient(l->block);
        lb_gate_block_load(l->block, g->weights.data);
    }
    for (half *h = t->halves; h < t->halves + HALVES; h++) {
        for (size_t odd = 0; odd < 2; odd++)
            h->gradient[odd] = lb_gate_block_gradient(t->learners[0].block);
        atomic_init(&h->ready, 0);
    }
    return t;
}

void lb_gate_trainer_free(lb_gate_trainer *t)
{
    if (!t)
        return;
    for (learner *l = t->learners; l < t->learners + t->n_learners; l++) {
        lb_gate_block_free(l->block);
        lb_adam_free(l->adam);
        free(l->gradient);
    }
    for (half *h = t->halves; h < t->halves + HALVES; h++)
        for (size_t odd = 0; odd < 2; odd++)
            free(h->gradient[odd]);
    free(t);
}

const lb_gate_block *lb_gate_trainer_block(const lb_gate_trainer *t)
{
    return t->learners[0].block;
}

/* Where half i of n rows begins, and where it ends; the first has whole blocks. */
static size_t begin_of(size_t i, size_t n)
{
    const size_t blocks = (n + LB_GATE_ROWS - 1) / LB_GATE_ROWS;
    const size_t cut = (blocks + 1) / 2 * LB_GATE_ROWS;
    return i == 0 ? 0 : i == 1 && cut < n ? cut : n;
}

/* The gradient of half i of a batch of n rows. */
static void half_gradient(half *h, size_t i, lb_gate_block *b, lb_gate_packed rows,
                          const size_t *order, size_t n, size_t steps)
{
    const size_t first = begin_of(i, n);
    double *g = h->gradient[steps % 2];
    memset(g, 0, b->n_weights * sizeof *g);
    h->loss += lb_gate_block_run(b, rows.records, rows.stride, order + first,
                                 begin_of(i + 1, n) - first, 1.0 / (double)n, g);
    atomic_store_explicit(&h->ready, steps + 1, memory_order_release);
}

/* Until the half has its gradient of so many steps. Its thread is microseconds away, unless another
 * program has its core: then it may need this one. */
static void await(const half *h, size_t steps)
{
    enum { LOOKS = 20000 };
    for (size_t look = 0; atomic_load_explicit(&h->ready, memory_order_acquire) < steps; look++)
        if (look >= LOOKS)
            sched_yield();
}

LB_FOR_EVERY_CPU static void add(size_t n, const double *restrict a, const double *restrict b,
                                 double *restrict sum)
{
    for (size_t i = 0; i < n; i++)
        sum[i] = a[i] + b[i];
}

static void take_step(learner *l, const half halves[HALVES], size_t steps)
{
    add(l->block->n_weights, halves[0].gradient[steps % 2], halves[1].gradient[steps % 2],
        l->gradient);
    lb_adam_step(l->adam, l->gradient, l->block->w);
    lb_gate_block_refresh(l->block);
}

static size_t batch_from(const lb_gate_trainer *t, size_t first, size_t n)
{
    return n - first < t->batch ? n - first : t->batch;
}

/* What thread `me` of `team` does in an epoch: every half and every learner that is its own. */
static void learn(lb_gate_trainer *t, size_t me, size_t team, lb_gate_packed rows,
                  const size_t *order, lb_gate_packed held)
{
    size_t steps = t->steps;
    for (size_t first = 0; first < rows.n; first += t->batch, steps++) {
        for (size_t i = me; i < HALVES; i += team)
            half_gradient(t->halves + i, i, t->learners[i % t->n_learners].block, rows,
                          order + first, batch_from(t, first, rows.n), steps);
        for (size_t i = 0; i < HALVES; i++)
            await(t->halves + i, steps + 1);
        for (size_t i = me; i < t->n_learners; i += team)
            take_step(t->learners + i, t->halves, steps);
    }
    for (size_t i = me; i < HALVES; i += team) {
        const size_t first = begin_of(i, held.n);
        t->halves[i].held_loss = lb_gate_block_run(
            t->learners[i % t->n_learners].block, held.records + first * held.stride, held.stride,
            NULL, begin_of(i + 1, held.n) - first, 0.0, NULL);
    }
}

double lb_gate_trainer_epoch(lb_gate_trainer *t, lb_gate_packed rows, const size_t *order,
                             lb_gate_packed held, double *held_loss)
{
    t->halves[0].loss = t->halves[1].loss = 0.0;
#pragma omp parallel num_threads((int)t->n_learners) if (t->n_learners > 1)
    learn(t, (size_t)omp_get_thread_num(), (size_t)omp_get_num_threads(), rows, order, held);
    t->steps += (rows.n + t->batch - 1) / t->batch;
    *held_loss = (t->halves[0].held_loss + t->halves[1].held_loss) / (double)held.n;
    return (t->halves[0].loss + t->halves[1].loss) / (double)rows.n;
}
