/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables, figures and quoted code. */
#include "core/file.h"
#include "core/memory.h"
#include "report/cards.h"
#include "report/format.h"
#include "report/path.h"
#include "report/pipe.h"
#include "report/reason.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* --- tables ------------------------------------------------------------------------------------
 */

static bool has_format(const lb_table *t, size_t col, const char *format)
{
    return t->columns[col].format && strcmp(t->columns[col].format, format) == 0;
}

/* Columns of the format "best" compete: the largest value of a row is printed bold. */
static bool is_contender(const lb_table *t, size_t col)
{
    return has_format(t, col, "best");
}

/* Columns of the format "diagonal" form a matrix: what meets its own level is printed bold. */
static bool is_diagonal(const lb_table *t, size_t row, size_t col)
{
    size_t before = 0;
    for (size_t j = 0; j < col; j++)
        before += has_format(t, j, "diagonal");
    return has_format(t, col, "diagonal") && before == row;
}

static bool is_best(lb_page *p, const lb_table *t, size_t row, size_t col, double value)
{
    for (size_t j = 0; j < t->cols; j++) {
        const lb_cell *cell = &t->cells[row * t->cols + j];
        lb_fact other;
        if (is_contender(t, j) && cell->key &&
            lb_facts_find(p->facts, cell->key, &other, NULL) == LB_OK && other.number &&
            other.number->value > value)
            return false;
    }
    return is_contender(t, col) && isfinite(value);
}

static void embolden(lb_text *text)
{
    char *bare = lb_text_take(text);
    lb_text_printf(text, "**%s**", bare);
    free(bare);
}

/* Why cell @p i of @p t has no value: "n/a (..)", NULL if it has one or does not say. */
static const char *missing(lb_page *p, const lb_table *t, size_t i)
{
    lb_fact fact;
    if (!t->cells[i].key || lb_facts_find(p->facts, t->cells[i].key, &fact, NULL) != LB_OK ||
        !fact.number)
        return NULL;
    char *reason = lb_reason(fact.number->na, false);
    const bool says = reason != NULL;
    free(reason);
    return says ? fact.number->na : NULL;
}

/* The reason most cells without a value give, two at least: it stands once, under the table, and
 * they say "n/a"; the others say why. NULL if there is none; borrowed. */
static const char *shared_reason(lb_page *p, const lb_table *t)
{
    const size_t n = t->rows * t->cols;
    const char **reasons = lb_xcalloc(n + 1, sizeof *reasons), *shared = NULL;
    size_t most = 1;
    for (size_t i = 0; i < n; i++)
        reasons[i] = missing(p, t, i);
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t k = i; k < n && reasons[i]; k++)
            same += reasons[k] && strcmp(reasons[k], reasons[i]) == 0;
        if (same > most) {
            most = same;
            shared = reasons[i];
        }
    }
    free(reasons);
    return shared;
}

static lb_status add_cell(lb_page *p, const lb_table *t, size_t row, size_t col, const char *shared,
                          lb_pipe *pipe)
{
    const lb_cell *cell = &t->cells[row * t->cols + col];
    const char *format = t->columns[col].format;
    if (lb_format_emphasises(format))
        format = NULL;
    if (!cell->key) {
        lb_pipe_text(pipe, cell->text);
        return LB_OK;
    }
    lb_fact fact;
    lb_text markup = {0}, plain = {0};
    lb_status st = lb_facts_find(p->facts, cell->key, &fact, p->err);
    if (st == LB_OK && fact.number && (*fact.number->na || !isfinite(fact.number->ci_lo)) &&
        format && strcmp(format, "ci") == 0) {
        lb_pipe_text(pipe, "—"); /* no interval; why a number is n/a stands in its own column */
        return LB_OK;
    }
    if (st == LB_OK && shared && fact.number && strcmp(fact.number->na, shared) == 0) {
        lb_pipe_text(pipe, "n/a");
        return LB_OK;
    }
    if (st == LB_OK)
        st = lb_page_fact_to(p, &fact, fact.number ? format : NULL, &markup, &plain);
    if (st == LB_OK && fact.number &&
        (is_diagonal(t, row, col) || is_best(p, t, row, col, fact.number->value))) {
        embolden(&markup);
        embolden(&plain);
    }
    if (st == LB_OK)
        lb_pipe_cell(pipe, markup.s ? markup.s : "", plain.s ? plain.s : "",
                     fact.number && !*fact.number->na);
    else
        lb_error_within(p->err, "table %s, row %zu, column '%s'", t->id, row + 1,
                        t->columns[col].name);
    lb_text_free(&markup);
    lb_text_free(&plain);
    return st;
}

static lb_status add_cells(lb_page *p, const lb_table *t, const char *shared)
{
    const char **headings = lb_xcalloc(t->cols, sizeof *headings);
    for (size_t j = 0; j < t->cols; j++)
        headings[j] = t->columns[j].name;
    lb_pipe *pipe = lb_pipe_new(t->cols, headings);
    lb_status st = LB_OK;
    for (size_t i = 0; i < t->rows && st == LB_OK; i++) {
        for (size_t j = 0; j < t->cols && st == LB_OK; j++)
            st = add_cell(p, t, i, j, shared, pipe);
    }
    if (st == LB_OK)
        lb_pipe_write(pipe, p->dialect == LB_CLEAN, &p->out);
    lb_pipe_free(pipe);
    free(headings);
    return st;
}

/* "Table" or "表"; pandoc's filters write it themselves from the identifier. */
static const char *word_for(const lb_page *p, const char *en, const char *zh)
{
    return lb_page_is_chinese(p) ? zh : en;
}

/* "n/a: denominator not distinguishable from 0." */
static void add_reason(lb_page *p, const char *shared)
{
    char *reason = lb_reason(shared, lb_page_is_chinese(p));
    lb_text_printf(&p->out, word_for(p, "\nn/a: %s.\n", "\nn/a：%s。\n"), reason);
    free(reason);
}

lb_status lb_card_table(lb_page *p, const char *id)
{
    const lb_table *t;
    lb_status st = lb_facts_table(p->facts, id, &t, p->err);
    if (st != LB_OK)
        return st;
    char *path = lb_xprintf("tables.%s", id), *caption = NULL;
    st = lb_page_sentence(p, path, &caption);
    const char *shared = st == LB_OK ? shared_reason(p, t) : NULL;
    if (st == LB_OK && p->dialect == LB_CLEAN)
        lb_text_printf(&p->out, "**%s %s.** %s\n\n", word_for(p, "Table", "表"), t->id, caption);
    if (st == LB_OK)
        st = add_cells(p, t, shared);
    if (st == LB_OK && p->dialect == LB_ANNOTATED)
        lb_text_printf(&p->out, "\n: %s {#tbl:%s}\n", caption, t->id);
    if (st == LB_OK && shared)
        add_reason(p, shared);
    if (st == LB_OK && p->out.length > 0)
        p->out.s[--p->out.length] = '\0'; /* the template's own newline follows */
    free(caption);
    free(path);
    return st;
}

/* --- figures -----------------------------------------------------------------------------------
 */

/* The first sentence, which a reader without the picture hears. */
static size_t first_sentence(const char *s)
{
    const char *western = strstr(s, ". "), *chinese = strstr(s, "。");
    if (chinese && (!western || chinese < western))
        return (size_t)(chinese - s);
    if (western)
        return (size_t)(western - s);
    const size_t n = strlen(s);
    return n > 0 && s[n - 1] == '.' ? n - 1 : n;
}

/* For an attribute, in place. */
static const char *without_quotes(char *s)
{
    for (char *c = s; *c; c++)
        *c = *c == '"' ? '\'' : *c == '\n' ? ' ' : *c;
    return s;
}

/* The file of figure @p id: named by the spec, drawn by the run, and still there. */
static lb_status figure_file(lb_page *p, const char *id, char **out)
{
    const lb_spec *spec = lb_facts_spec(p->facts);
    const lb_archive *record = lb_facts_record(p->facts);
    char *path = lb_xprintf("figures.%s.file", id);
    const char *stem = lb_spec_text(spec, path, "en");
    const char *drawn = lb_archive_figure(record, id);
    lb_status st = LB_OK;
    *out = NULL;
    if (!*stem) {
        const lb_yaml_node *all = lb_spec_node(spec, "figures");
        const char *near = all ? lb_nearest(id, (const char *const *)all->keys, all->n) : NULL;
        st = LB_FAIL(p->err, LB_ENAME, "no figure '%s' in %s%s%s%s", id, lb_spec_path(spec),
                     near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
    } else if (!drawn) {
        st = LB_FAIL(p->err, LB_ENAME, "figure %s was not drawn by the run behind %s", id,
                     lb_archive_path(record));
    } else if (strcmp(drawn, stem) != 0) {
        st = LB_FAIL(p->err, LB_ENAME, "figure %s is '%s' in %s but '%s' in %s", id, stem,
                     lb_spec_path(spec), drawn, lb_archive_path(record));
    } else {
        *out = lb_xprintf("%s/%s.svg", lb_facts_places(p->facts)->figures, stem);
        if (!lb_file_exists(*out))
            st = LB_FAIL(p->err, LB_EIO, "no file %s for figure %s: run `make %s`", *out, id,
                         lb_spec_experiment(spec));
    }
    if (st != LB_OK) {
        free(*out);
        *out = NULL;
    }
    free(path);
    return st;
}

lb_status lb_card_figure(lb_page *p, const char *id)
{
    char *file = NULL, *caption = NULL, *plain = NULL;
    char *path = lb_xprintf("figures.%s", id);
    lb_page clean = {.facts = p->facts, .dialect = LB_CLEAN, .folder = p->folder, .err = p->err};
    lb_status st = figure_file(p, id, &file);
    if (st == LB_OK)
        st = lb_page_sentence(p, path, &caption);
    if (st == LB_OK)
        st = lb_page_sentence(&clean, path, &plain);
    if (st == LB_OK) {
        char *link = lb_relative_path(p->folder, file);
        const char *word = word_for(p, "Figure", "图");
        const int alt = (int)first_sentence(plain);
        if (p->dialect == LB_CLEAN)
            lb_text_printf(&p->out, "![%s %s. %.*s](%s)\n\n**%s %s.** %s", word, id, alt, plain,
                           link, word, id, caption);
        else
            lb_text_printf(&p->out, "![%s](%s){#fig:%s alt=\"%s %s. %.*s\"}", caption, link, id,
                           word, id, alt, without_quotes(plain));
        lb_facts_depend(p->facts, file);
        free(link);
    }
    free(file);
    free(caption);
    free(plain);
    free(path);
    return st;
}

/* --- code --------------------------------------------------------------------------------------
 */

static const char *code_language(const char *file)
{
    static const struct {
        const char *ending, *name;
    } known[] = {{".c", "c"},         {".h", "c"},       {".py", "python"},
                 {".sh", "bash"},     {".yaml", "yaml"}, {".lua", "lua"},
                 {".md", "markdown"}, {".tsv", "text"},  {"Makefile", "make"}};
    const size_t n = strlen(file);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const size_t e = strlen(known[i].ending);
        if (n >= e && strcmp(file + n - e, known[i].ending) == 0)
            return known[i].name;
    }
    return "text";
}

static const char *next_line(const char *s)
{
    const char *end = strchr(s, '\n');
    return end ? end + 1 : s + strlen(s);
}

/* Does the line at @p s hold "region: NAME" as a whole word, or "end region"? */
static bool line_marks(const char *s, const char *mark)
{
    const size_t n = (size_t)(next_line(s) - s), m = strlen(mark);
    for (size_t i = 0; i + m <= n; i++) {
        if (strncmp(s + i, mark, m) == 0 &&
            (i + m == n || !(isalnum((unsigned char)s[i + m]) || s[i + m] == '_')))
            return true;
    }
    return false;
}

/* The lines of region @p name: [*first, *last). */
static lb_status find_region(const char *source, const char *file, const char *name,
                             const char **first, const char **last, lb_error *err)
{
    char *mark = lb_xprintf("region: %s", name);
    const char *s = source;
    while (*s && !line_marks(s, mark))
        s = next_line(s);
    free(mark);
    if (!*s)
        return LB_FAIL(err, LB_ENAME, "no region '%s' in %s", name, file);
    *first = next_line(s);
    for (s = *first; *s; s = next_line(s)) {
        if (line_marks(s, "end region")) {
            *last = s;
            return LB_OK;
        }
        if (line_marks(s, "region:"))
            break;
    }
    return LB_FAIL(err, LB_EFORMAT, "region '%s' of %s has no 'end region'", name, file);
}

/* Blanks that all lines but empty ones share. */
static size_t shared_indent(const char *s, const char *last)
{
    size_t least = SIZE_MAX;
    for (; s < last; s = next_line(s)) {
        const size_t n = strspn(s, " ");
        if (s[n] != '\n' && n < least)
            least = n;
    }
    return least == SIZE_MAX ? 0 : least;
}

static void add_code(const char *first, const char *last, const char *language, lb_text *out)
{
    const size_t indent = shared_indent(first, last);
    lb_text_printf(out, "```%s\n", language);
    for (const char *s = first; s < last; s = next_line(s)) {
        const size_t n = (size_t)(next_line(s) - s), skip = strspn(s, " ") < indent ? 0 : indent;
        lb_text_addn(out, s + (n > skip ? skip : 0), n > skip ? n - skip : n);
    }
    if (out->s[out->length - 1] != '\n')
        lb_text_add(out, "\n");
    lb_text_add(out, "```");
}

lb_status lb_card_code(lb_page *p, const char *what)
{
    const char *region = strchr(what, '#');
    const int n = region ? (int)(region - what) : (int)strlen(what);
    char *file = lb_xprintf("%.*s", n, what), *source = NULL;
    const char *root = lb_facts_places(p->facts)->sources;
    char *path = strcmp(root, ".") == 0 ? lb_xstrdup(file) : lb_xprintf("%s/%s", root, file);
    lb_status st = lb_file_read(path, &source, NULL, p->err);
    const char *first = source, *last = NULL;
    if (st == LB_OK && region)
        st = find_region(source, file, region + 1, &first, &last, p->err);
    else if (st == LB_OK)
        last = source + strlen(source);
    if (st == LB_OK) {
        add_code(first, last, code_language(file), &p->out);
        lb_facts_depend(p->facts, path);
    }
    free(source);
    free(path);
    free(file);
    return st;
}
