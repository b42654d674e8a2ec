/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_CORE_PROGRESS_H
#define LB_CORE_PROGRESS_H

#include <stddef.h>

/** A one-line bar on stderr, drawn only when stderr is a terminal. Plain value. */
typedef struct lb_progress {
    const char *what; /* borrowed */
    size_t total, done;
    int shown; /* last percentage drawn */
} lb_progress;

lb_progress lb_progress_start(const char *what, size_t total);
void lb_progress_step(lb_progress *p, size_t steps); /* from one thread at a time */
void lb_progress_end(lb_progress *p);                /* clears the line */

/** Wall clock in seconds since an arbitrary origin (monotonic). */
double lb_clock(void);

#endif
