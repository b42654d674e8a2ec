/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/text.h"

#include "core/memory.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lb_text_addn(lb_text *t, const char *s, size_t n)
{
    if (t->length + n + 1 > t->capacity) {
        t->capacity = 2 * (t->length + n + 32);
        t->s = lb_xrealloc(t->s, t->capacity, 1);
    }
    memcpy(t->s + t->length, s, n);
    t->length += n;
    t->s[t->length] = '\0';
}

void lb_text_add(lb_text *t, const char *s)
{
    lb_text_addn(t, s, strlen(s));
}

void lb_text_printf(lb_text *t, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const size_t n = (size_t)vsnprintf(NULL, 0, format, args);
    char *s = lb_xcalloc(n + 1, 1);
    vsnprintf(s, n + 1, format, again);
    va_end(again);
    va_end(args);
    lb_text_addn(t, s, n);
    free(s);
}

void lb_text_add_grouped(lb_text *t, const char *digits)
{
    const size_t whole = strspn(digits, "0123456789");
    for (size_t i = 0; i < whole; i++) {
        if (i > 0 && (whole - i) % 3 == 0)
            lb_text_add(t, ",");
        lb_text_addn(t, digits + i, 1);
    }
    lb_text_add(t, digits + whole);
}

const char *lb_count_text(size_t n, char out[LB_COUNT_SIZE])
{
    lb_text text = {0};
    char digits[LB_COUNT_SIZE];
    snprintf(digits, sizeof digits, "%zu", n);
    lb_text_add_grouped(&text, digits);
    snprintf(out, LB_COUNT_SIZE, "%s", text.s);
    lb_text_free(&text);
    return out;
}

char *lb_text_take(lb_text *t)
{
    char *s = t->s ? t->s : lb_xstrdup("");
    *t = (lb_text){0};
    return s;
}

void lb_text_free(lb_text *t)
{
    free(t->s);
    *t = (lb_text){0};
}

/* Levenshtein distance by the two-row recurrence (Wagner & Fischer 1974). */
static size_t edit_distance(const char *a, const char *b)
{
    const size_t m = strlen(a), n = strlen(b);
    size_t *row = lb_xcalloc(n + 1, sizeof *row);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            const size_t replace = diagonal + (a[i - 1] != b[j - 1]);
            const size_t erase = row[j] + 1, insert = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = replace < erase ? replace : erase;
            if (insert < row[j])
                row[j] = insert;
        }
    }
    const size_t distance = row[n];
    free(row);
    return distance;
}

const char *lb_nearest(const char *word, const char *const *candidates, size_t n)
{
    const char *best = NULL;
    size_t limit = 1 + strlen(word) / 3;
    for (size_t i = 0; i < n; i++) {
        const size_t d = edit_distance(word, candidates[i]);
        if (d < limit || (d == limit && !best)) {
            best = candidates[i];
            limit = d;
        }
    }
    return best;
}

static uint32_t next_codepoint(const unsigned char **s)
{
    const unsigned char *p = *s;
    const int extra = *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : *p >= 0xC0 ? 1 : 0;
    uint32_t c = extra ? *p & (0x3Fu >> extra) : *p;
    p++;
    for (int i = 0; i < extra && (*p & 0xC0) == 0x80; i++)
        c = c << 6 | (*p++ & 0x3Fu);
    *s = p;
    return c;
}

static bool is_wide(uint32_t c)
{
    return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
           (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0xFE30 && c <= 0xFE4F) || (c >= 0xFF00 && c <= 0xFF60) ||
           (c >= 0x1F300 && c <= 0x1FAFF) || c == 0x2705 || c == 0x274C || c == 0x23F3;
}

size_t lb_text_width(const char *s)
{
    size_t width = 0;
    const unsigned char *p = (const unsigned char *)s;
    while (*p) {
        const uint32_t c = next_codepoint(&p);
        if (c == 0xFE0F || c == 0x200D || (c >= 0x300 && c <= 0x36F))
            continue;
        width += is_wide(c) ? 2 : 1;
    }
    return width;
}

bool lb_parse_double(const char *s, double *out)
{
    if (!*s || strspn(s, "+-.0123456789eE") != strlen(s))
        return false;
    char *end;
    const double value = strtod(s, &end);
    if (*end || end == s || !isfinite(value))
        return false;
    *out = value;
    return true;
}

bool lb_parse_size(const char *s, size_t *out)
{
    if (!isdigit((unsigned char)*s) || strspn(s, "0123456789") != strlen(s))
        return false;
    errno = 0;
    const unsigned long long value = strtoull(s, NULL, 10);
    if (errno || value > SIZE_MAX)
        return false;
    *out = (size_t)value;
    return true;
}
