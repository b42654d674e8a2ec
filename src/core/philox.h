/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_CORE_PHILOX_H
#define LB_CORE_PHILOX_H

#include <stdint.h>

/* Philox4x32-10 (Salmon et al. 2011, SC'11) of many counters side by side: the bits of Random123's
 * philox4x32(), which takes them one by one. */

enum { LB_PHILOX_SIDE = 16 };

/**
 * The blocks of counters first .. first + LB_PHILOX_SIDE - 1, word k of block i in out[k][i].
 * @param first   words 0 (low half) and 1 of the first counter
 * @param second  words 2 (low half) and 3 of all of them
 */
void lb_philox(uint64_t key, uint64_t first, uint64_t second, uint32_t out[4][LB_PHILOX_SIDE]);

/** Its versions, for tests: 0 portable, 1 AVX2, 2 AVX-512; NULL if this machine cannot run it. */
typedef void lb_philox_loop(uint64_t key, uint64_t first, uint64_t second,
                            uint32_t out[4][LB_PHILOX_SIDE]);
lb_philox_loop *lb_philox_version(int version);

#endif
