/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/pipe.h"

#include "core/memory.h"
#include "report/oracle.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct cell {
    char *markup;
    bool number;
    size_t decimals; /* characters from the point on, the mark of an oracle number included, what
                        the reader sees; 0 without */
    bool empty;      /* says nothing about its column: "", "n/a ..", a dash */
} cell;

struct lb_pipe {
    size_t cols, n, capacity; /* the first row is the heading */
    cell *cells;
};

/* What a cell may not hold, made harmless. */
static char *escape(const char *s)
{
    lb_text out = {0};
    for (; *s; s++) {
        if (*s == '|')
            lb_text_add(&out, "\\|");
        else if (*s == '\n')
            lb_text_add(&out, " ");
        else
            lb_text_addn(&out, s, 1);
    }
    return lb_text_take(&out);
}

/* Characters after the whole part of a plain number: ".0500" has 5, ".0500†" 6; SIZE_MAX for
 * anything else. */
static size_t tail_of(const char *plain)
{
    const char *s = plain;
    if (strncmp(s, "\u2212", 3) == 0)
        s += 3;
    else if (*s == '+' || *s == '-')
        s++;
    s += strspn(s, "0123456789,");
    const char *tail = s;
    s += *s == '.';
    s += strspn(s, "0123456789");
    if (*s == '%')
        s++;
    const size_t n = (size_t)(s - tail);
    if (s > plain && strcmp(s, LB_ORACLE_MARK) == 0)
        return n + 1;
    return *s || s == plain ? SIZE_MAX : n;
}

void lb_pipe_cell(lb_pipe *t, const char *markup, const char *plain, bool number)
{
    if (t->n == t->capacity) {
        t->capacity = 2 * t->capacity + 32;
        t->cells = lb_xrealloc(t->cells, t->capacity, sizeof *t->cells);
    }
    t->cells[t->n++] =
        (cell){.markup = escape(markup),
               .number = number,
               .decimals = tail_of(plain),
               .empty = !*plain || strncmp(plain, "n/a", 3) == 0 || strcmp(plain, "—") == 0};
}

void lb_pipe_text(lb_pipe *t, const char *text)
{
    lb_pipe_cell(t, text, text, tail_of(text) != SIZE_MAX);
}

lb_pipe *lb_pipe_new(size_t cols, const char *const *headings)
{
    lb_pipe *t = lb_xcalloc(1, sizeof *t);
    t->cols = cols;
    for (size_t j = 0; j < cols; j++)
        lb_pipe_cell(t, headings[j], headings[j], false);
    return t;
}

/* A column of numbers is one with at least one, and nothing else but empty cells. */
static bool is_numeric(const lb_pipe *t, size_t col)
{
    bool any = false;
    for (size_t i = t->cols + col; i < t->n; i += t->cols) {
        if (t->cells[i].number)
            any = true;
        else if (!t->cells[i].empty)
            return false;
    }
    return any;
}

/* The decimals to make up in a numeric column, or 0 when some number is no plain decimal. */
static size_t column_tail(const lb_pipe *t, size_t col)
{
    size_t longest = 0;
    for (size_t i = t->cols + col; i < t->n; i += t->cols) {
        const cell *c = &t->cells[i];
        if (!c->number)
            continue;
        if (c->decimals == SIZE_MAX)
            return 0;
        if (c->decimals > longest)
            longest = c->decimals;
    }
    return longest;
}

/* The markup of cell @p i with its decimals made up to @p tail. The caller frees it. */
static char *made_up(const cell *c, size_t tail)
{
    lb_text out = {0};
    lb_text_add(&out, c->markup);
    if (c->number && c->decimals != SIZE_MAX) {
        for (size_t k = c->decimals; k < tail; k++)
            lb_text_add(&out, k == 0 ? "\u2008" : "\u2007");
    }
    return lb_text_take(&out);
}

static void fill(lb_text *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        lb_text_add(out, s);
}

static void write_rule(const size_t *width, const bool *numeric, size_t cols, lb_text *out)
{
    lb_text_add(out, "|");
    for (size_t j = 0; j < cols; j++) {
        lb_text_add(out, numeric[j] ? "-" : ":");
        fill(out, "-", width[j]);
        lb_text_add(out, numeric[j] ? ":|" : "-|");
    }
    lb_text_add(out, "\n");
}

void lb_pipe_write(const lb_pipe *t, bool padded, lb_text *out)
{
    char **texts = lb_xcalloc(t->n, sizeof *texts);
    size_t *width = lb_xcalloc(t->cols, sizeof *width);
    bool *numeric = lb_xcalloc(t->cols, sizeof *numeric);
    for (size_t j = 0; j < t->cols; j++) {
        numeric[j] = is_numeric(t, j);
        const size_t tail = numeric[j] ? column_tail(t, j) : 0;
        for (size_t i = j; i < t->n; i += t->cols) {
            texts[i] = made_up(&t->cells[i], tail);
            const size_t w = lb_text_width(texts[i]);
            width[j] = padded && w > width[j] ? w : width[j];
        }
    }
    for (size_t i = 0; i < t->n; i++) {
        const size_t j = i % t->cols, pad = padded ? width[j] - lb_text_width(texts[i]) : 0;
        lb_text_add(out, j == 0 ? "| " : " | ");
        fill(out, " ", numeric[j] ? pad : 0);
        lb_text_add(out, texts[i]);
        fill(out, " ", numeric[j] ? 0 : pad);
        if (j + 1 == t->cols)
            lb_text_add(out, " |\n");
        if (i + 1 == t->cols)
            write_rule(width, numeric, t->cols, out);
        free(texts[i]);
    }
    free(texts);
    free(width);
    free(numeric);
}

void lb_pipe_free(lb_pipe *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++)
        free(t->cells[i].markup);
    free(t->cells);
    free(t);
}
