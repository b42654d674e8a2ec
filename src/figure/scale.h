/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_FIGURE_SCALE_H
#define LB_FIGURE_SCALE_H

#include <stdbool.h>
#include <stddef.h>

/* Where an axis has its ticks and how numbers are written on a figure. */

enum { LB_TICKS_MAX = 24, LB_TICK_TEXT = 32 };
typedef struct lb_ticks {
    size_t n;
    double at[LB_TICKS_MAX];
    char text[LB_TICKS_MAX][LB_TICK_TEXT];
} lb_ticks;

/**
 * Multiples of 1, 2, 2.5 or 5 times a power of ten inside [lo, hi], at most @p most of them
 * (2 <= most <= LB_TICKS_MAX), all with the same decimals. After P. Heckbert, "Nice numbers for
 * graph labels", Graphics Gems (1990), but never outside the range. Needs lo < hi.
 */
lb_ticks lb_ticks_linear(double lo, double hi, size_t most);

/** Powers of ten inside [lo, hi] as "10^{k}"; below two decades 1, 2 and 5 times a power, written
 * out. Needs 0 < lo < hi. */
lb_ticks lb_ticks_log(double lo, double hi, size_t most);

/** True if @p format is printf's for exactly one double and nothing else. */
bool lb_format_is_number(const char *format);

/** @p v in such a format, without the sign of a number that is rounded to zero. The caller frees.
 */
char *lb_value_text(const char *format, double v);

#endif
