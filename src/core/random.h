/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_CORE_RANDOM_H
#define LB_CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, SC'11, "Parallel random numbers:
 * as easy as 1, 2, 3"; Random123). A number depends on its key and position alone, so the same bits
 * come out whatever the thread count, block size or order of evaluation. */

/** A sequential stream keyed by (seed, stream): streams of one seed are independent. Plain value.
 */
typedef struct lb_rng {
    uint64_t seed, stream, position;
    uint32_t buffer[4];
} lb_rng;

lb_rng lb_rng_make(uint64_t seed, uint64_t stream);
double lb_rng_uniform(lb_rng *r);                        /* [0, 1), 53 bits */
double lb_rng_normal(lb_rng *r);                         /* N(0, 1), Box-Muller */
size_t lb_rng_below(lb_rng *r, size_t n);                /* 0 .. n-1 without modulo bias, n > 0 */
void lb_rng_shuffle(lb_rng *r, size_t *items, size_t n); /* Fisher-Yates */

/** @p count numbers as from lb_rng_below(), several times as fast. */
void lb_rng_below_each(lb_rng *r, size_t n, size_t *out, size_t count);

/** The next @p n numbers of 64 bits, likewise. Each stands for one lb_rng_uniform(), which is its
 * upper 53 bits, or for one lb_rng_below(), unless that rejects it. */
void lb_rng_bits(lb_rng *r, uint64_t *out, size_t n);

#endif
