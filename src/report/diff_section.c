/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changed in one experiment; long lists are folded, and cut where nobody would read on. */
#include "report/diff_words.h"

#include "core/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WRAP = 100 }; /* columns of a quoted sentence */
/* A smaller move is counted, not listed: standard errors, and relative where none is known. */
static const double small_errors = 0.1, small_relative = 1e-3;

static const lb_line *line_of(const lb_move *m)
{
    return m->was ? m->was : m->now;
}

/* Begin a part that is opened by a click, or where nothing is folded tell that it is there; then
 * false. */
static bool open_fold(const lb_limits *k, lb_text *out, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool open_fold(const lb_limits *k, lb_text *out, const char *format, ...)
{
    char summary[256];
    va_list args;
    va_start(args, format);
    vsnprintf(summary, sizeof summary, format, args);
    va_end(args);
    if (k->folded)
        lb_text_printf(out, "\n<details><summary>%s</summary>\n\n", summary);
    else
        lb_text_printf(out, "\nNot shown: %s.\n", summary);
    return k->folded > 0;
}

/* @p n of a list, of which @p shown were shown. */
static void close_fold(size_t n, size_t shown, lb_text *out)
{
    if (n > shown)
        lb_text_printf(out, "\nand %zu more.\n", n - shown);
    lb_text_add(out, "\n</details>\n");
}

/* --- one experiment: numbers -------------------------------------------------------------------
 */

static bool is_small(const lb_move *m)
{
    if (!m->beyond)
        return true;
    if (*m->remark || m->was->tolerance.kind == LB_TOL_EXACT)
        return false;
    return isnan(m->errors) ? m->relative < small_relative : m->errors < small_errors;
}

/* What changed besides the value, or instead of it. */
static char *show_remark(const lb_move *m)
{
    const lb_line *was = m->was, *now = m->now;
    lb_text out = {0};
    lb_listing l = {.out = &out};
    if (*m->remark)
        lb_list_item(&l, "%s", m->remark);
    if (isnan(m->relative) && (was->ci_lo != now->ci_lo || was->ci_hi != now->ci_hi) &&
        isfinite(was->ci_lo + now->ci_lo))
        lb_list_item(&l, "interval [%.6g, %.6g] became [%.6g, %.6g]", was->ci_lo, was->ci_hi,
                     now->ci_lo, now->ci_hi);
    else if (isnan(m->relative) && !isnan(m->errors))
        lb_list_item(&l, "standard error %.6g became %.6g", was->se, now->se);
    return lb_text_take(&out);
}

static void number_row(const lb_move *m, lb_pipe *t)
{
    const double move = m->now->value - m->was->value;
    lb_put_cell(t, lb_xprintf("`%s`", m->was->key));
    lb_put_cell(t, lb_show_line(m->was, lb_show_scale(m->was, m->now)));
    lb_put_cell(t, lb_show_line(m->now, lb_show_scale(m->was, m->now)));
    lb_put_cell(t, isfinite(move) && move != 0.0 ? lb_xprintf("%+.2g", move) : lb_xstrdup("—"));
    lb_put_cell(t, lb_show_errors(m->errors));
    lb_put_cell(t, show_remark(m));
}

/* Of the moves worth lb_listing, with a known standard error or without, those from first to first
 * + most; how many there are is returned. */
static size_t number_table(const lb_moves *m, bool known, size_t first, size_t most, lb_text *out)
{
    static const char *const heads[] = {"number", "was", "now", "move", "in s.e.", "also"};
    lb_pipe *t = lb_pipe_new(6, heads);
    size_t listed = 0;
    for (size_t i = 0; i < m->n; i++) {
        const lb_move *x = &m->at[i];
        if (x->kind == LB_MOVE_NUMBER && !is_small(x) && isnan(x->errors) != known &&
            listed++ >= first && listed <= first + most)
            number_row(x, t);
    }
    if (listed > first)
        lb_pipe_write(t, true, out);
    lb_pipe_free(t);
    return listed;
}

static void write_small(const lb_moves *m, lb_text *out)
{
    size_t beyond = 0, within = 0;
    double most = NAN;
    for (size_t i = 0; i < m->n; i++) {
        const lb_move *x = &m->at[i];
        if (x->kind != LB_MOVE_NUMBER || !is_small(x))
            continue;
        beyond += x->beyond;
        within += !x->beyond;
        if (x->beyond && isnan(most))
            most = x->errors; /* they are sorted */
    }
    if (!beyond && !within)
        return;
    lb_listing l = {.out = out};
    lb_text_add(out, "\n");
    if (beyond) {
        char *by = lb_show_errors(most);
        lb_list_item(&l, "%zu more moved beyond the tolerance, but by %s s.e. at most", beyond, by);
        free(by);
    }
    if (within)
        lb_list_item(&l, "%zu number%s moved within the tolerance", within, lb_plural(within));
    lb_text_add(out, ".\n");
}

static void write_known(const lb_moves *m, bool known, size_t in_sight, const lb_limits *k,
                        lb_text *out)
{
    lb_text table = {0};
    const size_t listed = number_table(m, known, 0, in_sight, &table);
    if (listed && in_sight)
        lb_text_printf(out, "%s\n%s", known ? "" : "\nNo standard error is known of these:\n",
                       table.s);
    lb_text_free(&table);
    if (listed > in_sight && open_fold(k, out, "%zu %snumber%s%s", listed - in_sight,
                                       in_sight ? "more " : "", lb_plural(listed - in_sight),
                                       known ? "" : " of which no standard error is known")) {
        number_table(m, known, in_sight, k->folded, out);
        close_fold(listed, in_sight + k->folded, out);
    }
}

static void write_numbers(const lb_moves *m, const lb_limits *k, lb_text *out)
{
    lb_text none = {0};
    const bool some = number_table(m, true, 0, 0, &none) > 0;
    write_known(m, true, k->numbers, k, out);
    write_known(m, false, some ? 0 : k->numbers, k, out);
    write_small(m, out);
    lb_text_free(&none);
}

/* --- one experiment: keys, texts, row sets -----------------------------------------------------
 */

static void write_texts(const lb_moves *m, const lb_limits *k, lb_text *out)
{
    static const char *const heads[] = {"text, table or row set", "was", "now"};
    lb_pipe *t = lb_pipe_new(3, heads);
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        const lb_move *x = &m->at[i];
        if ((x->kind != LB_MOVE_TEXT && x->kind != LB_MOVE_ROWSET) || n++ >= k->numbers + k->folded)
            continue;
        lb_put_cell(t, lb_xprintf("`%s`", x->was->key));
        lb_put_cell(t, lb_show_line(x->was, NAN));
        lb_put_cell(t, lb_show_line(x->now, NAN));
    }
    if (n && n <= k->numbers) {
        lb_text_add(out, "\n");
        lb_pipe_write(t, true, out);
    } else if (n && open_fold(k, out, "%zu texts, tables or row sets", n)) {
        lb_pipe_write(t, true, out);
        close_fold(n, k->numbers + k->folded, out);
    }
    lb_pipe_free(t);
}

static void write_keys(const lb_moves *m, lb_move_kind kind, const lb_limits *k, lb_text *out)
{
    lb_text names = {0};
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (m->at[i].kind != kind || n++ >= k->names)
            continue;
        const lb_line *line = line_of(&m->at[i]);
        lb_text_printf(&names, "%s`%s`", n > 1 ? ", " : "", line->key);
        if (line->what == LB_LINE_VERDICT)
            lb_text_printf(&names, " %s", line->text);
    }
    if (n > k->names)
        lb_text_printf(&names, " and %zu more", n - k->names);
    if (n)
        lb_text_printf(out, "\n%zu key%s %s: %s.\n", n, n > 1 ? "s are" : " is",
                       kind == LB_MOVE_GONE ? "gone" : "new", names.s);
    lb_text_free(&names);
}

/* --- one experiment: sentences -----------------------------------------------------------------
 */

/* A sentence behind "- " or "+ ", in lines that need no scrolling. */
static void quote(const char *s, char sign, lb_text *out)
{
    while (s && *s) {
        size_t n = 0, blank = 0, width = 0;
        while (s[n] && width < WRAP) {
            size_t step = 1;
            while (((unsigned char)s[n + step] & 0xc0) == 0x80)
                step++;
            width += step > 2 ? 2 : 1;
            n += step;
            if (s[n] == ' ')
                blank = n;
        }
        if (s[n] && s[n] != ' ' && blank > n / 2)
            n = blank;
        lb_text_printf(out, "%c %.*s\n", sign, (int)n, s);
        s += n + strspn(s + n, " ");
    }
}

static void quote_one(const lb_sentence *x, const char **heading, lb_text *out)
{
    if (!*heading)
        lb_text_add(out, "```diff\n");
    if (!*heading || x->places > 1 || strcmp(*heading, x->heading) != 0) {
        lb_text_printf(out, "@@ %s", x->heading);
        if (x->places > 1)
            lb_text_printf(out, ", and %zu more place%s", x->places - 1, lb_plural(x->places - 1));
        lb_text_add(out, " @@\n");
    }
    *heading = x->places > 1 ? "" : x->heading;
    quote(x->was, '-', out);
    quote(x->now, '+', out);
}

/* Changes of words, what says something else before what is said no more or for the first time; or
 * of numbers, without the rows of tables. Those from first to first + most; how many there are is
 * returned. */
static size_t quote_all(const lb_sentences *s, bool words, size_t first, size_t most, lb_text *out)
{
    static const lb_rewording order[] = {LB_REWORDED, LB_REMOVED, LB_ADDED, LB_RENUMBERED};
    const char *heading = NULL;
    size_t n = 0;
    for (size_t k = words ? 0 : 3; k < (words ? 3 : 4); k++)
        for (size_t i = 0; i < s->n; i++) {
            const lb_sentence *x = &s->at[i];
            if (x->what == order[k] && (words || !x->row) && n++ >= first && n <= first + most)
                quote_one(x, &heading, out);
        }
    if (heading)
        lb_text_add(out, "```\n");
    return n;
}

static void describe_page(const lb_page_change *p, lb_text *out)
{
    const lb_sentences *s = &p->sentences;
    const size_t reworded = lb_sentences_count(s, LB_REWORDED),
                 added = lb_sentences_count(s, LB_ADDED),
                 removed = lb_sentences_count(s, LB_REMOVED),
                 renumbered = lb_sentences_count(s, LB_RENUMBERED);
    lb_listing l = {.out = out};
    lb_text_printf(out, "\n`%s`: ", p->path);
    if (reworded)
        lb_list_item(&l, "%zu sentence%s or row%s reworded", reworded, lb_plural(reworded),
                     lb_plural(reworded));
    if (added)
        lb_list_item(&l, "%zu added", added);
    if (removed)
        lb_list_item(&l, "%zu removed", removed);
    if (renumbered)
        lb_list_item(&l, "%zu with other numbers, or marks on them, only", renumbered);
    lb_text_add(out, ".\n");
}

static void write_page(const lb_page_change *p, size_t in_sight, const lb_limits *k, lb_text *out)
{
    const lb_sentences *s = &p->sentences;
    lb_text shown = {0};
    if (p->was != p->now || !s->n)
        return;
    describe_page(p, out);
    const size_t words = quote_all(s, true, 0, in_sight, &shown);
    if (shown.length)
        lb_text_printf(out, "\n%s", shown.s);
    lb_text_free(&shown);
    if (words > in_sight && open_fold(k, out, "%zu %schange%s of words", words - in_sight,
                                      in_sight ? "more " : "", lb_plural(words - in_sight))) {
        quote_all(s, true, in_sight, k->quoted, out);
        close_fold(words, in_sight + k->quoted, out);
    }
    const size_t numbers = quote_all(s, false, 0, k->quoted, &shown);
    if (numbers && k->folded && !lb_page_is_of(p, "zh")) { /* which has the numbers of the other */
        open_fold(k, out, "%zu sentence%s with other numbers", numbers, lb_plural(numbers));
        lb_text_add(out, shown.s);
        close_fold(numbers, k->quoted, out);
    }
    lb_text_free(&shown);
}

static void write_new_pages(const lb_change *c, lb_text *out)
{
    for (int now = 0; now < 2; now++) {
        size_t n = 0;
        for (size_t i = 0; i < c->n_pages; i++) {
            const lb_page_change *p = &c->pages[i];
            if (p->was == p->now || p->now != (now == 1))
                continue;
            lb_text_printf(out,
                           n++   ? ", `%s`"
                           : now ? "\nNew pages: `%s`"
                                 : "\nGone pages: `%s`",
                           p->path);
        }
        if (n)
            lb_text_add(out, ".\n");
    }
}

/* --- one experiment ----------------------------------------------------------------------------
 */

static void write_figures(const lb_became_list *figures, const lb_limits *k, lb_text *out)
{
    static const char *const words[] = {"changed", "new", "gone"};
    lb_listing l = {.out = out};
    for (size_t w = 0; w < 3; w++) {
        size_t n = 0;
        for (size_t i = 0; i < figures->n; i++) {
            if (strcmp(lb_became_word(&figures->at[i]), words[w]) != 0)
                continue;
            if (!n++)
                lb_list_item(&l, "%s%s ", l.begun ? "" : "\nFigures ", words[w]);
            if (n <= k->names)
                lb_text_printf(out, "%s`%s`", n > 1 ? ", " : "", figures->at[i].what);
        }
        if (n > k->names)
            lb_text_printf(out, " and %zu more", n - k->names);
    }
    if (l.begun)
        lb_text_add(out, ".\n");
}

/* One line: what was put in otherwise. Settings and templates by name, sources by number. */
static void write_causes(const lb_change *c, lb_text *out)
{
    size_t sources = 0;
    bool program = false;
    lb_listing l = {.out = out};
    char *own = lb_xprintf("src/experiments/%s", c->name);
    lb_text_add(out, "\nInputs that differ: ");
    for (size_t i = 0; i < c->files.n; i++) {
        const char *path = c->files.at[i].what, *slash = strrchr(path, '/');
        const bool of_src = strncmp(path, "src/", 4) == 0;
        sources += of_src;
        program = program || strncmp(path, own, strlen(own)) == 0;
        if (!of_src)
            lb_list_item(&l, "`%s` (%s)", slash ? slash + 1 : path,
                         lb_became_word(&c->files.at[i]));
    }
    if (program)
        lb_list_item(&l, "its program");
    if (sources)
        lb_list_item(&l, "%zu of the %zu source files it is built from", sources, c->sources);
    for (size_t i = 0; i < c->inputs.n; i++)
        lb_list_item(&l, "%s", c->inputs.at[i].what);
    if (!l.begun)
        lb_text_add(out, "none that is kept: settings, templates, sources and recorded provenance "
                         "are the same");
    lb_text_add(out, ".\n");
    free(own);
}

static void write_experiment(const lb_diff *d, const lb_change *c, const lb_limits *k, lb_text *out)
{
    const lb_tally t = lb_tally_of(c);
    if (!lb_is_worth_telling(c, &t) && !c->remark)
        return;
    if (*c->title)
        lb_text_printf(out, "\n## %s\n", c->title);
    else
        lb_text_printf(out, "\n## E%s\n", c->id + 1);
    if (c->remark)
        lb_text_printf(out, "\n%s\n", c->remark);
    if (d->revisions && lb_is_worth_telling(c, &t))
        write_causes(c, out);
    write_numbers(&c->moves, k, out);
    write_texts(&c->moves, k, out);
    write_keys(&c->moves, LB_MOVE_GONE, k, out);
    write_keys(&c->moves, LB_MOVE_NEW, k, out);
    for (size_t i = 0; i < c->n_pages; i++)
        write_page(&c->pages[i], lb_page_is_of(&c->pages[i], "zh") ? 0 : k->sentences, k, out);
    write_new_pages(c, out);
    write_figures(&c->figures, k, out);
}

static void write_documents(const lb_change *c, const lb_limits *k, lb_text *out)
{
    const lb_tally t = lb_tally_of(c);
    if (!lb_is_worth_telling(c, &t))
        return;
    lb_text_add(out, "\n## Documents above the reports\n");
    if (c->files.n)
        lb_text_printf(out, "\n%zu of their templates changed.\n", c->files.n);
    for (size_t i = 0; i < c->n_pages; i++)
        write_page(&c->pages[i], 0, k, out);
    write_new_pages(c, out);
    write_figures(&c->figures, k, out);
}

void lb_diff_write_sections(const lb_diff *d, const lb_limits *k, lb_text *out)
{
    for (size_t i = 0; i < d->n; i++) {
        const lb_change *c = &d->at[i];
        if (!*c->id)
            write_documents(c, k, out);
        else if (c->was && c->now)
            write_experiment(d, c, k, out);
    }
}
