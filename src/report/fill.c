/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/fill.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/cards.h"
#include "report/digits.h"
#include "report/path.h"

#include <stdlib.h>
#include <string.h>

/* A YAML string in double quotes. */
static void add_quoted(const char *s, lb_text *out)
{
    lb_text_add(out, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            lb_text_add(out, "\\");
        lb_text_addn(out, *s == '\n' ? " " : s, 1);
    }
    lb_text_add(out, "\"\n");
}

static void add_front_matter(const lb_facts *f, lb_text *out)
{
    static const char *const fields[] = {"title", "author", "date"};
    const lb_spec *spec = lb_facts_spec(f);
    const char *language = lb_facts_language(f);
    lb_text_add(out, "---\n");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        lb_text_printf(out, "%s: ", fields[i]);
        add_quoted(lb_spec_text(spec, fields[i], language), out);
    }
    lb_text_printf(out, "lang: %s\n---\n\n", strcmp(language, "zh") == 0 ? "zh-CN" : "en");
}

/* One dialect of the whole page. */
static lb_status render(lb_facts *f, const lb_template *t, lb_dialect dialect, const char *folder,
                        char **out, lb_error *err)
{
    lb_page page = {.facts = f, .dialect = dialect, .folder = folder, .err = err};
    add_front_matter(f, &page.out);
    page.scanned = page.out.length;
    lb_status st = lb_page_fill(&page, t);
    if (st == LB_OK && dialect == LB_ANNOTATED)
        st = lb_card_appendix(&page);
    *out = NULL;
    if (st == LB_OK)
        *out = lb_page_finish(&page);
    lb_text_free(&page.out);
    return st;
}

/* Digits in prose stop the build: the finished page could not tell them from results. */
static lb_status refuse_digits(const lb_facts *f, const lb_template *t, lb_error *err)
{
    lb_findings found = {0};
    lb_lint_digits(t, lb_facts_spec(f), &found);
    lb_lint_spec_digits(lb_facts_spec(f), &found);
    lb_status st = LB_OK;
    if (found.errors > 0) {
        const size_t n = strcspn(found.lines.s, "\n");
        st = LB_FAIL(err, LB_EFINDING, "%.*s%s", (int)n, found.lines.s,
                     found.errors > 1 ? " (and more: see `loggbook lint`)" : "");
    }
    lb_findings_free(&found);
    return st;
}

/* "out: file file", with blanks escaped as make wants them. */
static char *depfile_text(const lb_facts *f, const lb_template *t, const lb_fill_outputs *o,
                          const char *template_path)
{
    lb_text out = {0};
    const size_t included = lb_template_files(t), n = lb_facts_dependencies(f);
    lb_text_printf(&out, "%s%s%s: %s", o->clean ? o->clean : "",
                   o->clean && o->annotated ? " " : "", o->annotated ? o->annotated : "",
                   template_path);
    for (size_t i = 0; i < included + n; i++) {
        const char *path =
            i < included ? lb_template_file(t, i) : lb_facts_dependency(f, i - included);
        lb_text_add(&out, " \\\n  ");
        for (; *path; path++)
            lb_text_printf(&out, "%s%c", *path == ' ' ? "\\" : "", *path);
    }
    lb_text_add(&out, "\n");
    /* A file that is gone must rebuild the report, not stop make. */
    for (size_t i = 0; i < included + n; i++)
        lb_text_printf(&out, "%s:\n",
                       i < included ? lb_template_file(t, i)
                                    : lb_facts_dependency(f, i - included));
    return lb_text_take(&out);
}

static lb_status write_one(const char *path, const char *text, lb_error *err)
{
    return path ? lb_file_write(path, text, strlen(text), err) : LB_OK;
}

lb_status lb_fill(const lb_places *places, const char *folder, const char *language,
                  const lb_fill_outputs *outputs, lb_text *text, lb_error *err)
{
    lb_facts *facts = NULL;
    lb_template *template = NULL;
    char *path = lb_xprintf("%s/report.%s.md", folder, language);
    char *home = outputs->home ? lb_xstrdup(outputs->home)
                               : lb_folder_of(outputs->clean ? outputs->clean : ".");
    char *deps = NULL;
    char *clean = NULL, *annotated = NULL;
    lb_status st = lb_facts_open(places, folder, language, &facts, err);
    if (st == LB_OK)
        st = lb_template_load(path, places->shared, language, &template, err);
    if (st == LB_OK)
        st = refuse_digits(facts, template, err);
    if (st == LB_OK)
        st = render(facts, template, LB_CLEAN, home, &clean, err);
    if (st == LB_OK && outputs->annotated)
        st = render(facts, template, LB_ANNOTATED, home, &annotated, err);
    if (st == LB_OK) {
        deps = depfile_text(facts, template, outputs, path);
        st = write_one(outputs->clean, clean, err);
    }
    if (st == LB_OK)
        st = write_one(outputs->annotated, annotated, err);
    if (st == LB_OK)
        st = write_one(outputs->depfile, deps, err);
    if (st == LB_OK && !outputs->clean && text)
        lb_text_add(text, clean);
    free(deps);
    free(annotated);
    free(clean);
    free(home);
    free(path);
    lb_template_free(template);
    lb_facts_close(facts);
    return st;
}

/* The lines at @p a and @p b, which differ. */
static lb_status fail_line(const char *page, size_t line, const char *a, const char *b,
                           lb_error *err)
{
    const int m = (int)strcspn(a, "\n"), n = (int)strcspn(b, "\n");
    return LB_FAIL(err, LB_EFINDING, "%s:%zu: '%.*s' is not what template and record give, '%.*s'",
                   page, line, m, a, n, b);
}

lb_status lb_page_compare(const char *page, const char *expected, lb_error *err)
{
    char *finished = NULL;
    lb_status st = lb_file_read(page, &finished, NULL, err);
    if (st == LB_OK && strcmp(finished, expected) != 0) {
        size_t line = 1, start = 0;
        for (size_t i = 0; finished[i] && finished[i] == expected[i]; i++) {
            if (finished[i] == '\n') {
                line++;
                start = i + 1;
            }
        }
        st = fail_line(page, line, finished + start, expected + start, err);
    }
    free(finished);
    return st;
}

lb_status lb_fill_compare(const lb_places *places, const char *folder, const char *language,
                          const char *page, lb_error *err)
{
    char *home = lb_folder_of(page);
    const lb_fill_outputs outputs = {.home = home};
    lb_text filled = {0};
    lb_status st = lb_fill(places, folder, language, &outputs, &filled, err);
    if (st == LB_OK)
        st = lb_page_compare(page, filled.s, err);
    lb_text_free(&filled);
    free(home);
    return st;
}
