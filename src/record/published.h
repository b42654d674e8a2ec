/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_PUBLISHED_H
#define LB_RECORD_PUBLISHED_H

#include "core/error.h"

#include <stddef.h>

#define LB_PUBLISHED "data/published/published.tsv"

/**
 * What was published elsewhere: LB_PUBLISHED, one value a line, tab-separated
 *   key value unit_or_kind ci_low ci_high n_test conditions source
 * Values and ends of intervals are kept as printed there, since digits matter; @c number is the
 * value when the text is a number (a trailing % is dropped), else NAN, and so are @c ci_lo and @c
 * ci_hi.
 */
typedef struct lb_published_entry {
    const char *key, *value, *unit, *lo, *hi, *n, *conditions, *source; /* "" if absent */
    double number, ci_lo, ci_hi;                                        /* NAN if absent */
} lb_published_entry;

typedef struct lb_published lb_published;

/** LB_EIO; LB_EFORMAT "file:line: ..."; LB_ENAME for a repeated key. The caller owns *out. */
lb_status lb_published_load(const char *path, lb_published **out, lb_error *err);
void lb_published_free(lb_published *p); /* NULL is fine */

const lb_published_entry *lb_published_find(const lb_published *p, const char *key); /* or NULL */
const char *lb_published_nearest(const lb_published *p, const char *key);            /* or NULL */
/** The entry in one line, for a run to keep what it computed from; "" for NULL. The caller frees
 * it. */
char *lb_published_line(const lb_published_entry *e);

size_t lb_published_count(const lb_published *p);
const lb_published_entry *lb_published_at(const lb_published *p, size_t i); /* order of the file */

#endif
