/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_CORE_CPU_H
#define LB_CORE_CPU_H

#include <limits.h> /* says whether this is glibc, which chooses at load time */

/**
 * A function so marked is compiled once per instruction set, and the one that fits the CPU is
 * chosen when the program is loaded. No operation is contracted or reordered (Makefile), so all of
 * them give the same bits. For inner loops that spend time; clang and the address sanitizer do
 * without.
 */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) &&                            \
    !defined(__SANITIZE_ADDRESS__)
#define LB_FOR_EVERY_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LB_FOR_EVERY_CPU
#endif

/**
 * Multiplications below which a parallel region costs more than it gives: waking a thread that
 * sleeps takes some ten microseconds. A small problem runs on the thread that calls.
 */
#define LB_WORTH_THREADS ((size_t)1 << 18)

#endif
