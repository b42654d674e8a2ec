/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was put in otherwise: provenance, sources, and the reasons people gave. */
#include "report/diff_words.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

/* --- inputs ------------------------------------------------------------------------------------
 */

static char *short_hash(const char *s)
{
    const char *colon = strncmp(s, "sha256:", 7) == 0 ? s + 7 : s;
    const size_t n = strlen(colon);
    return !*s ? lb_xstrdup("—") : n >= 40 ? lb_xprintf("`%.10s…`", colon) : lb_xprintf("`%s`", s);
}

static bool same_input(const lb_became *a, const lb_became *b)
{
    return strcmp(a->what, b->what) == 0 && strcmp(a->was, b->was) == 0 &&
           strcmp(a->now, b->now) == 0;
}

static bool has_input(const lb_change *c, const lb_became *x)
{
    for (size_t i = 0; i < c->inputs.n; i++)
        if (same_input(&c->inputs.at[i], x))
            return true;
    return false;
}

static void write_inputs(const lb_diff *d, lb_text *out)
{
    static const char *const heads[] = {"input", "was", "now", "experiments"};
    lb_pipe *t = lb_pipe_new(4, heads);
    bool *mark = lb_xcalloc(d->n + 1, sizeof *mark);
    size_t rows = 0;
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->at[i].inputs.n; k++) {
            const lb_became *x = &d->at[i].inputs.at[k];
            bool told = false;
            lb_text ids = {0};
            for (size_t j = 0; j < d->n; j++) {
                mark[j] = has_input(&d->at[j], x);
                told = told || (mark[j] && j < i);
            }
            if (told)
                continue;
            lb_put_cell(t, lb_xstrdup(x->what));
            lb_put_cell(t, short_hash(x->was));
            lb_put_cell(t, short_hash(x->now));
            lb_diff_ids(d, mark, &ids);
            lb_put_cell(t, lb_text_take(&ids));
            rows++;
        }
    if (rows) {
        lb_text_add(out, "\n");
        lb_pipe_write(t, true, out);
    } else {
        size_t known = 0;
        for (size_t i = 0; i < d->n; i++)
            known += d->at[i].inputs_known;
        lb_text_add(out, known ? "\nRecorded provenance is the same on both sides: data, settings, "
                                 "program version, libraries, compiler.\n"
                               : "\nProvenance is not recorded on both sides.\n");
    }
    free(mark);
    lb_pipe_free(t);
}

static bool has_file(const lb_change *c, const char *path)
{
    for (size_t i = 0; i < c->files.n; i++)
        if (strcmp(c->files.at[i].what, path) == 0)
            return true;
    return false;
}

/* Which experiments that both sides have are built from this file? false: none, or not a source */
static bool mark_users(const lb_diff *d, const char *path, bool *mark)
{
    bool any = false;
    for (size_t j = 0; j < d->n; j++) {
        const lb_change *c = &d->at[j];
        mark[j] = c->was && c->now && strncmp(path, "src/", 4) == 0 && has_file(c, path);
        any = any || mark[j];
    }
    return any;
}

static bool is_first_user(const bool *mark, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (mark[j])
            return false;
    return mark[i];
}

static int by_what(const void *a, const void *b)
{
    return strcmp(((const lb_became *)a)->what, ((const lb_became *)b)->what);
}

/* One row a folder and set of experiments; @p users says which set a file belongs to. */
static void write_sources(const lb_became_list *files, lb_text *out)
{
    static const char *const heads[] = {"folder", "sources that differ", "experiments"};
    lb_pipe *t = lb_pipe_new(3, heads);
    for (size_t i = 0; i < files->n; i++) {
        const char *path = files->at[i].what, *users = files->at[i].now;
        const int folder = (int)(strrchr(path, '/') - path) + 1;
        lb_text names = {0};
        bool told = false;
        for (size_t k = 0; k < files->n; k++) {
            const char *other = files->at[k].what, *base = other + folder;
            if (strncmp(path, other, (size_t)folder) != 0 || strchr(base, '/') ||
                strcmp(users, files->at[k].now) != 0)
                continue;
            told = told || k < i;
            lb_text_printf(&names, "%s%s", names.length ? ", " : "", base);
        }
        if (!told) {
            lb_put_cell(t, lb_xprintf("`%.*s`", folder, path));
            lb_put_cell(t, lb_xstrdup(names.s));
            lb_put_cell(t, lb_xstrdup(users));
        }
        lb_text_free(&names);
    }
    lb_pipe_write(t, false, out);
    lb_pipe_free(t);
}

/* Sources that differ, each once, with the experiments that both sides have and build from it. */
static void write_files(const lb_diff *d, lb_text *out)
{
    bool *mark = lb_xcalloc(d->n + 1, sizeof *mark);
    lb_became_list files = {0};
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->at[i].files.n; k++) {
            const char *path = d->at[i].files.at[k].what;
            lb_text ids = {0};
            if (!mark_users(d, path, mark) || !is_first_user(mark, i))
                continue;
            lb_diff_ids(d, mark, &ids);
            lb_became_put(&files, path, ids.s, true);
            lb_text_free(&ids);
        }
    if (files.n) {
        qsort(files.at, files.n, sizeof *files.at, by_what);
        lb_text_printf(out,
                       "\n<details><summary>%zu source file%s of experiments that both sides have "
                       "differ%s</summary>\n\n",
                       files.n, lb_plural(files.n), files.n == 1 ? "s" : "");
        write_sources(&files, out);
        lb_text_add(out, "\n</details>\n");
    }
    lb_became_free(&files);
    free(mark);
}

static bool has_reason(const lb_change *c, const char *line, size_t n)
{
    for (const char *at = c->reasons ? c->reasons : ""; *at;) {
        const size_t m = strcspn(at, "\n");
        if (m == n && strncmp(at, line, n) == 0)
            return true;
        at += m + (at[m] == '\n');
    }
    return false;
}

/* What was said when the new values were frozen. */
static void write_reasons(const lb_diff *d, lb_text *out)
{
    bool *mark = lb_xcalloc(d->n + 1, sizeof *mark), begun = false;
    for (size_t i = 0; i < d->n; i++)
        for (const char *line = d->at[i].reasons ? d->at[i].reasons : ""; *line;) {
            const size_t n = strcspn(line, "\n");
            bool told = false;
            for (size_t j = 0; j < d->n; j++) {
                mark[j] = has_reason(&d->at[j], line, n);
                told = told || (mark[j] && j < i);
            }
            if (!told) {
                lb_text_printf(out, "%s- ",
                               begun ? "" : "\nReasons given when values were frozen:\n\n");
                lb_diff_ids(d, mark, out);
                lb_text_printf(out, ": %.*s\n", (int)n, line);
                begun = true;
            }
            line += n + (line[n] == '\n');
        }
    free(mark);
}

void lb_diff_write_inputs(const lb_diff *d, lb_text *out)
{
    lb_text_add(out, "\n## What was put in\n");
    write_inputs(d, out);
    write_files(d, out);
    write_reasons(d, out);
}
