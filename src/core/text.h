/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_CORE_TEXT_H
#define LB_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** A string that grows. Zero-initialise; release with lb_text_free(). @c s is NUL-terminated once
 * anything was added, NULL before. */
typedef struct lb_text {
    char *s;
    size_t length, capacity;
} lb_text;

void lb_text_add(lb_text *t, const char *s);
void lb_text_addn(lb_text *t, const char *s, size_t n);
void lb_text_printf(lb_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Add digits with thousands separators: "1234567.8" as "1,234,567.8". */
void lb_text_add_grouped(lb_text *t, const char *digits);
char *
lb_text_take(lb_text *t); /* the caller owns the string ("" if nothing was added); t is empty */
void lb_text_free(lb_text *t);

/**
 * The candidate nearest to @p word by edit distance (Levenshtein), for "did you mean".
 * @return a borrowed candidate, or NULL if none is closer than about a third of the word
 */
const char *lb_nearest(const char *word, const char *const *candidates, size_t n);

/** 32000 as "32,000". @return @p out */
enum { LB_COUNT_SIZE = 32 };
const char *lb_count_text(size_t n, char out[LB_COUNT_SIZE]);

/** Columns a terminal needs for UTF-8 text: CJK and emoji count 2, combining marks 0. */
size_t lb_text_width(const char *s);

/** Strict number: the whole of @p s is a finite decimal number (no hex, no trailing junk). */
bool lb_parse_double(const char *s, double *out);
bool lb_parse_size(const char *s, size_t *out); /* digits only */

#endif
