/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/lexer.h"

#include "core/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Move @p place over the bytes from @p s; continuation bytes of UTF-8 take no column. */
static void advance(lb_position *place, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n') {
            place->line++;
            place->column = 1;
        } else if (((unsigned char)s[i] & 0xC0) != 0x80) {
            place->column++;
        }
    }
}

static void push(lb_tokens *t, lb_token token)
{
    if (t->n == t->capacity) {
        t->capacity = 2 * t->capacity + 64;
        t->at = lb_xrealloc(t->at, t->capacity, sizeof *t->at);
    }
    t->at[t->n++] = token;
}

/* "{#sec:data}" is an attribute of pandoc: a comment starts with a blank or has a "#}". */
static bool is_attribute(const char *s)
{
    s += 2;
    if (!isalpha((unsigned char)*s))
        return false;
    while (isalnum((unsigned char)*s) || *s == ':' || *s == '_' || *s == '-' || *s == '.')
        s++;
    return *s == '}' || *s == ' ';
}

static bool opens_tag(const char *s)
{
    return s[0] == '{' && (s[1] == '{' || s[1] == '%' || (s[1] == '#' && !is_attribute(s)));
}

/* The end of the tag opened at @p s, or NULL when another opens first or the text ends. */
static const char *tag_end(const char *s)
{
    const char close = s[1] == '{' ? '}' : s[1];
    for (const char *p = s + 2; *p; p++) {
        if (p[0] == close && p[1] == '}')
            return p;
        if (s[1] != '#' && p[0] == '{' && (p[1] == '{' || p[1] == '%'))
            return NULL;
    }
    return NULL;
}

static lb_token tag_token(const char *s, const char *end, lb_position place)
{
    const lb_token_kind kind = s[1] == '{'   ? LB_TOKEN_OUTPUT
                               : s[1] == '%' ? LB_TOKEN_BLOCK
                                             : LB_TOKEN_COMMENT;
    const char *first = s + 2, *last = end;
    while (first < last && isspace((unsigned char)*first))
        first++;
    while (last > first && isspace((unsigned char)last[-1]))
        last--;
    return (lb_token){kind, place, first, (size_t)(last - first)};
}

static bool is_blank(const lb_token *t)
{
    for (size_t i = 0; i < t->length; i++) {
        if (!isspace((unsigned char)t->s[i]))
            return false;
    }
    return true;
}

/* Empty the text of each line that holds block tags or comments and otherwise only blanks. */
static void drop_tag_lines(lb_tokens *t)
{
    size_t first = 0;
    while (first < t->n) {
        size_t last = first, tags = 0;
        bool only_tags = true;
        for (; last < t->n; last++) {
            const lb_token *token = &t->at[last];
            if (token->kind == LB_TOKEN_OUTPUT ||
                (token->kind == LB_TOKEN_TEXT && !is_blank(token)))
                only_tags = false;
            tags += token->kind == LB_TOKEN_BLOCK || token->kind == LB_TOKEN_COMMENT;
            if (token->kind == LB_TOKEN_TEXT && token->s[token->length - 1] == '\n')
                break;
        }
        for (size_t i = first; only_tags && tags > 0 && i <= last && i < t->n; i++) {
            if (t->at[i].kind == LB_TOKEN_TEXT)
                t->at[i].length = 0;
        }
        first = last + 1;
    }
}

lb_status lb_tokens_of(const char *source, lb_position start, lb_tokens *out, lb_error *err)
{
    lb_position place = start;
    *out = (lb_tokens){0};
    for (const char *s = source; *s;) {
        const char *next = s;
        if (opens_tag(s)) {
            const char *end = tag_end(s);
            if (!end) {
                lb_tokens_free(out);
                return lb_fail_at(err, LB_EFORMAT, place, "'%.2s' is never closed by '%c}'", s,
                                  s[1] == '{' ? '}' : s[1]);
            }
            push(out, tag_token(s, end, place));
            next = end + 2;
        } else {
            while (*next && *next != '\n' && !opens_tag(next))
                next++;
            next += *next == '\n';
            push(out, (lb_token){LB_TOKEN_TEXT, place, s, (size_t)(next - s)});
        }
        advance(&place, s, (size_t)(next - s));
        s = next;
    }
    drop_tag_lines(out);
    return LB_OK;
}

void lb_tokens_free(lb_tokens *t)
{
    free(t->at);
    *t = (lb_tokens){0};
}
