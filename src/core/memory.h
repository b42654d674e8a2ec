/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_CORE_MEMORY_H
#define LB_CORE_MEMORY_H

#include <stddef.h>

/* Allocation that never returns NULL: out of memory (or n * size beyond size_t) aborts with one
 * line on stderr, so that no caller carries that branch. Everything is released with free(). */

void *lb_xcalloc(size_t n, size_t size);               /* zeroed */
void *lb_xrealloc(void *block, size_t n, size_t size); /* grown part not zeroed */
void *lb_xaligned(size_t n, size_t size);              /* 64-byte aligned, not zeroed, for BLAS */
/** Zeroed, 64-byte aligned, in huge pages where the system has them, and written before it is read:
 * += on untouched zero pages would make the kernel swap every page under all threads. */
void *lb_xlarge(size_t n, size_t size);
char *lb_xstrdup(const char *s);
char *lb_xprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Peak resident memory of this process so far, bytes. */
size_t lb_peak_memory(void);

#endif
