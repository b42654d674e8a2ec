/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/prose.h"

#include <ctype.h>
#include <string.h>

static size_t run_of(const char *s, char c)
{
    size_t n = 0;
    while (s[n] == c)
        n++;
    return n;
}

static void enter(lb_prose *p, lb_prose_kind kind, char close, size_t count, size_t opener)
{
    p->kind = kind;
    p->close = close;
    p->count = count;
    p->skip = opener;
    p->ends = false;
}

/* Does *s open something? Enters it. */
static void open_at(lb_prose *p, const char *s)
{
    const size_t ticks = run_of(s, '`'), tildes = run_of(s, '~');
    if (!p->mid_line && (ticks >= 3 || tildes >= 3)) {
        enter(p, LB_PROSE_CODE, *s, ticks + tildes, ticks + tildes);
        p->fence = true;
    } else if (ticks > 0) {
        enter(p, LB_PROSE_CODE, '`', ticks, ticks);
    } else if (s[0] == '$' && s[1] == '$') {
        enter(p, LB_PROSE_MATH, '$', 2, 2);
    } else if (s[0] == '$' && !isspace((unsigned char)s[1])) { /* also right before a tag */
        enter(p, LB_PROSE_MATH, '$', 1, 1);
    } else if (p->before == ']' && *s == '(') {
        enter(p, LB_PROSE_TARGET, ')', 1, 1);
    } else if (strncmp(s, "http://", 7) == 0 || strncmp(s, "https://", 8) == 0) {
        enter(p, LB_PROSE_TARGET, ' ', 1, 1);
    } else if (s[0] == '<' && (isalpha((unsigned char)s[1]) || s[1] == '/' || s[1] == '!')) {
        enter(p, LB_PROSE_MARKUP, '>', 1, 1);
    } else if (s[0] == '{' && (isalpha((unsigned char)s[1]) || s[1] == '.' || s[1] == '#')) {
        enter(p, LB_PROSE_MARKUP, '}', 1, 1);
    }
}

/* Does the present stretch end at *s? */
static void close_at(lb_prose *p, const char *s)
{
    if (p->fence) {
        if (!p->mid_line && run_of(s, p->close) >= p->count) {
            p->skip = run_of(s, p->close);
            p->ends = true;
        }
    } else if (p->close == ' ') { /* a bare URL */
        p->ends = !s[1] || isspace((unsigned char)s[1]) || strchr(")>|*", s[1]) ||
                  (unsigned char)s[1] >= 0x80;
        p->skip = 1;
    } else if (p->close == '`') { /* exactly as many backticks as opened it */
        const size_t n = run_of(s, '`');
        p->skip = n;
        p->ends = n == p->count;
    } else if (run_of(s, p->close) >= p->count) {
        p->skip = p->count;
        p->ends = true;
    }
}

static void leave(lb_prose *p)
{
    p->kind = LB_PROSE;
    p->fence = p->ends = false;
    p->skip = 0;
}

lb_prose_kind lb_prose_step(lb_prose *p, const char *s)
{
    const bool escaped = p->before == '\\';
    if (p->skip == 0 && !escaped) {
        if (p->kind == LB_PROSE)
            open_at(p, s);
        else
            close_at(p, s);
    }
    const lb_prose_kind kind = p->kind;
    if (p->skip > 0 && --p->skip == 0 && p->ends)
        leave(p);
    if (*s == '\n') {
        /* Inline stretches do not cross a blank line; a bare URL not even a line's end. */
        if (p->kind != LB_PROSE && !p->fence && (!p->mid_line || p->close == ' '))
            leave(p);
        p->mid_line = false;
        p->before = 0;
    } else {
        p->mid_line = p->mid_line || !isspace((unsigned char)*s);
        p->before = escaped && *s == '\\' ? 0 : *s;
    }
    return kind;
}
