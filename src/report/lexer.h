/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_LEXER_H
#define LB_REPORT_LEXER_H

#include "report/template.h"

#include <stdbool.h>

typedef enum lb_token_kind {
    LB_TOKEN_TEXT,    /* at most one line, its newline included */
    LB_TOKEN_OUTPUT,  /* {{ .. }}: what stands between, trimmed */
    LB_TOKEN_BLOCK,   /* {% .. %} */
    LB_TOKEN_COMMENT, /* {# .. #} */
} lb_token_kind;

typedef struct lb_token {
    lb_token_kind kind;
    lb_position place; /* of its first character */
    const char *s;     /* borrowed from the source, not terminated */
    size_t length;
} lb_token;

/** Tokens of a source text. Release with lb_tokens_free(). */
typedef struct lb_tokens {
    lb_token *at;
    size_t n, capacity;
} lb_tokens;

/**
 * Cut @p source into tokens; lines that hold only block tags and comments lose their blanks and
 * newline. The tokens borrow @p source and @c start.file.
 * @return LB_OK; LB_EFORMAT pointing at the opener of a tag that is not closed
 */
lb_status lb_tokens_of(const char *source, lb_position start, lb_tokens *out, lb_error *err);
void lb_tokens_free(lb_tokens *t);

#endif
