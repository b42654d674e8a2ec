/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/diff_words.h"

#include "core/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- counting ----------------------------------------------------------------------------------
 */

bool lb_page_is_of(const lb_page_change *p, const char *language)
{
    const size_t n = strlen(p->path);
    return n > 6 && strncmp(p->path + n - 5, language, 2) == 0;
}

static void count_moves(const lb_moves *m, lb_tally *t)
{
    t->compared += m->compared;
    for (size_t i = 0; i < m->n; i++) {
        const lb_move *x = &m->at[i];
        t->flipped += x->kind == LB_MOVE_VERDICT;
        t->beyond += x->kind == LB_MOVE_NUMBER && x->beyond;
        t->within += x->kind == LB_MOVE_NUMBER && !x->beyond;
        t->texts += x->kind == LB_MOVE_TEXT;
        t->rowsets += x->kind == LB_MOVE_ROWSET;
        t->gone += x->kind == LB_MOVE_GONE;
        t->added += x->kind == LB_MOVE_NEW;
        if (x->beyond && !isnan(x->errors) && (!t->worst || x->errors > t->worst->errors))
            t->worst = x;
    }
}

lb_tally lb_tally_of(const lb_change *c)
{
    lb_tally t = {.figures = c->figures.n};
    count_moves(&c->moves, &t);
    for (size_t i = 0; i < c->n_pages; i++) {
        const lb_sentences *s = &c->pages[i].sentences;
        const int zh = lb_page_is_of(&c->pages[i], "zh");
        t.numbers[zh] += lb_sentences_count(s, LB_RENUMBERED);
        t.words[zh] += lb_sentences_count(s, LB_REWORDED) + lb_sentences_count(s, LB_ADDED) +
                       lb_sentences_count(s, LB_REMOVED);
    }
    return t;
}

bool lb_is_worth_telling(const lb_change *c, const lb_tally *t)
{
    bool pages = false; /* on one side only */
    for (size_t i = 0; i < c->n_pages; i++)
        pages = pages || c->pages[i].was != c->pages[i].now;
    return c->moves.n > t->within || t->words[0] || t->words[1] || t->numbers[0] || t->numbers[1] ||
           t->figures || pages;
}

lb_tally lb_tally_all(const lb_diff *d)
{
    lb_tally all = {0};
    for (size_t i = 0; i < d->n; i++) {
        const lb_change *c = &d->at[i];
        const lb_tally t = lb_tally_of(c);
        for (int k = 0; k < 2; k++) {
            all.words[k] += t.words[k];
            all.numbers[k] += t.numbers[k];
        }
        all.figures += c->was || !c->now ? t.figures : 0;
        count_moves(&c->moves, &all);
        if (!*c->id)
            continue;
        all.fresh += !c->was && c->now;
        all.lost += c->was && !c->now;
        all.experiments += c->was && c->now;
        all.changed += c->was && c->now && lb_is_worth_telling(c, &t);
    }
    return all;
}

/* --- words -------------------------------------------------------------------------------------
 */

void lb_list_item(lb_listing *l, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lb_text_printf(l->out, "%s%s", l->begun ? "; " : "", text);
    l->begun = true;
}

const char *lb_plural(size_t n)
{
    return n == 1 ? "" : "s";
}

char *lb_grouped(size_t n)
{
    char text[LB_COUNT_SIZE];
    return lb_xstrdup(lb_count_text(n, text));
}

/* A value with the digits in which a move, or else an error, of @p scale is seen. */
static char *show_value(double x, double scale)
{
    if (isnan(x))
        return lb_xstrdup("n/a");
    if (x == floor(x) && fabs(x) < 1e9 && (isnan(scale) || scale == floor(scale)))
        return lb_xprintf("%.0f", x);
    if ((x != 0.0 && fabs(x) < 1e-4) || fabs(x) >= 1e7 || !(scale > 0.0) || isinf(scale))
        return lb_xprintf("%.6g", x);
    const double digits = ceil(-log10(scale)) + 1.0;
    return lb_xprintf("%.*f", digits < 0.0 ? 0 : digits > 12.0 ? 12 : (int)digits, x);
}

/* The smaller of move and error of a pair of lines; one of them may be NULL. */
double lb_show_scale(const lb_line *was, const lb_line *now)
{
    const double error = lb_line_error(was ? was : now);
    const double move = was && now ? fabs(now->value - was->value) : NAN;
    return move > 0.0 && !(error < move) ? move : isnan(error) ? move : error;
}

/* The first characters of a long text. */
static char *shorten(const char *text)
{
    enum { MOST = 60 };
    size_t n = strlen(text);
    if (n <= MOST)
        return lb_xstrdup(text);
    for (n = MOST; ((unsigned char)text[n] & 0xc0) == 0x80;) /* not within one */
        n--;
    return lb_xprintf("%.*s…", (int)n, text);
}

char *lb_show_line(const lb_line *line, double scale)
{
    if (!line)
        return lb_xstrdup("—");
    if (line->what == LB_LINE_ROWSET || strcmp(line->kind, "table") == 0)
        return lb_xprintf("`%.15s…`", line->text);
    if (*line->text)
        return shorten(line->text);
    return line->what == LB_LINE_NUMBER ? show_value(line->value, scale) : lb_xstrdup("(empty)");
}

char *lb_show_errors(double errors)
{
    if (isnan(errors))
        return lb_xstrdup("—");
    if (errors == 0.0)
        return lb_xstrdup("0");
    return errors < 0.01 ? lb_xstrdup("<0.01")
                         : lb_xprintf(errors < 9.95 ? "%.2f" : "%.0f", errors);
}

void lb_put_cell(lb_pipe *t, char *text)
{
    lb_pipe_text(t, text);
    free(text);
}

/* "E02, E03", "E04 to E22"; "" for none. */
void lb_diff_ids(const lb_diff *d, const bool *mark, lb_text *out)
{
    const char *gap = "";
    for (size_t i = 0; i < d->n; i++) {
        size_t last = i;
        if (!mark[i])
            continue;
        while (last + 1 < d->n && mark[last + 1])
            last++;
        if (last < i + 2)
            last = i;
        lb_text_printf(out, "%sE%s", gap, d->at[i].id + 1);
        if (last > i)
            lb_text_printf(out, " to E%s", d->at[last].id + 1);
        gap = ", ";
        i = last;
    }
}

const char *lb_became_word(const lb_became *b)
{
    return !*b->was ? "new" : !*b->now ? "gone" : "changed";
}
