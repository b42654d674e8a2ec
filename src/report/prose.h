/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_PROSE_H
#define LB_REPORT_PROSE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Where in a Markdown text a character stands. The filler asks, to know whether a number may carry
 * a link; the linter asks, to know whether a digit is a typed result. A line scanner, not a full
 * parser: indented code blocks count as prose.
 */
typedef enum lb_prose_kind {
    LB_PROSE,        /* words people read */
    LB_PROSE_MATH,   /* $..$ or $$..$$ */
    LB_PROSE_CODE,   /* `..` or a fenced block */
    LB_PROSE_TARGET, /* a link's target, a bare or bracketed URL */
    LB_PROSE_MARKUP, /* an HTML tag or comment, a {..} attribute */
} lb_prose_kind;

/** The scanner's state; zero-initialise at the start of a document. */
typedef struct lb_prose {
    lb_prose_kind kind;
    char close;    /* the character that ends the present stretch */
    size_t count;  /* how many of it */
    bool fence;    /* a fenced block, which only a fence at the start of a line ends */
    bool mid_line; /* something other than blanks stood on this line */
    char before;   /* the character before, 0 at the start of a line */
    size_t skip;   /* characters of an opener or closer still to pass */
    bool ends;     /* the stretch ends when they have passed */
} lb_prose;

/** Kind of the character *@p s, which is then passed. Looks ahead to the end of the string only.
 * Openers and closers belong to the stretch they bound. */
lb_prose_kind lb_prose_step(lb_prose *p, const char *s);

#endif
