/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_PIPE_H
#define LB_REPORT_PIPE_H

#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * A Markdown pipe table whose source reads as well as its rendering: columns padded to one width
 * (CJK and emoji count two), columns of numbers set to the right with their decimal points under
 * each other. Missing decimals are made up with figure spaces (U+2007, U+2008), which are as wide
 * as a digit and a point, so that the points also meet on the finished page.
 */
typedef struct lb_pipe lb_pipe;

lb_pipe *lb_pipe_new(size_t cols, const char *const *headings); /* copied */

/**
 * Add the next cell, row by row; '|' and newlines inside are made harmless.
 * @param markup  what is written (a number may be wrapped in a link); @p plain what the reader sees
 * @param number  right-aligned; a column is, when every cell that is not "n/a .." or "" is
 */
void lb_pipe_cell(lb_pipe *t, const char *markup, const char *plain, bool number);
void lb_pipe_text(lb_pipe *t, const char *text); /* markup and what the reader sees are the same */

/** Append the table, last newline included. The row must be complete. @p padded: bring the columns
 * to one width, for people who read the source. */
void lb_pipe_write(const lb_pipe *t, bool padded, lb_text *out);
void lb_pipe_free(lb_pipe *t);

#endif
