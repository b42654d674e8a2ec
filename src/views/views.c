/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/views.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/digits.h"
#include "report/page.h"
#include "report/path.h"
#include "report/refs.h"
#include "views/picture.h"
#include "views/sheets.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"summary", "framework", "hub", "roadmap", "kanban", "cards"};
static const char *const languages[] = {"en", "zh"};
enum { N_NAMES = sizeof names / sizeof *names };

/* The pages while they are made. */
typedef struct book {
    const lb_survey *survey;
    lb_template *templates[N_NAMES][2];
    char *pages[N_NAMES][2];
    lb_error *err;
} book;

static lb_status load_templates(book *b, const char *templates)
{
    lb_status st = LB_OK;
    for (size_t i = 0; i < 2 * N_NAMES && st == LB_OK; i++) {
        char *path = lb_xprintf("%s/views/%s.%s.md", templates, names[i / 2], languages[i % 2]);
        st = lb_template_load(path, b->survey->places->shared, languages[i % 2],
                              &b->templates[i / 2][i % 2], b->err);
        free(path);
    }
    return st;
}

/* Digits in prose, and what one language shows and the other does not. */
static lb_status lint(book *b)
{
    lb_findings found = {0};
    lb_programme_lint(&b->survey->programme, &found);
    for (size_t i = 0; i < N_NAMES; i++) {
        lb_refs refs[2];
        char *paths[2];
        for (size_t k = 0; k < 2; k++) {
            lb_lint_digits(b->templates[i][k], NULL, &found);
            refs[k] = lb_refs_of(b->templates[i][k], &found);
            paths[k] = lb_xprintf("%s.%s.md", names[i], languages[k]);
        }
        lb_lint_parity(&refs[0], paths[0], &refs[1], paths[1], &found);
        for (size_t k = 0; k < 2; k++) {
            lb_refs_free(&refs[k]);
            free(paths[k]);
        }
    }
    lb_status st = LB_OK;
    if (found.errors > 0)
        st = LB_FAIL(b->err, LB_EFINDING, "%.*s%s", (int)strcspn(found.lines.s, "\n"),
                     found.lines.s, found.errors > 1 ? " (and more)" : "");
    lb_findings_free(&found);
    return st;
}

/* All pages in one language. */
static lb_status fill(book *b, size_t language, const char *out, const char *figure)
{
    lb_sheets sheets;
    lb_facts *facts = b->survey->facts;
    lb_status st = lb_sheets_make(b->survey, languages[language], out, figure, &sheets, b->err);
    lb_facts_lend(facts, &sheets.lent);
    for (size_t i = 0; i < N_NAMES && st == LB_OK; i++) {
        lb_page page = {.facts = facts, .folder = out, .err = b->err};
        st = lb_page_fill(&page, b->templates[i][language]);
        if (st == LB_OK)
            b->pages[i][language] = lb_page_finish(&page);
        lb_text_free(&page.out);
    }
    lb_facts_lend(facts, &(lb_lent){0});
    lb_sheets_free(&sheets);
    return st;
}

static lb_status write_pages(const book *b, const char *out)
{
    lb_status st = LB_OK;
    for (size_t i = 0; i < 2 * N_NAMES && st == LB_OK; i++) {
        char *path = lb_xprintf("%s/%s.%s.md", out, names[i / 2], languages[i % 2]);
        const char *page = b->pages[i / 2][i % 2];
        st = lb_file_write(path, page, strlen(page), b->err);
        free(path);
    }
    return st;
}

static lb_status make(const lb_survey *s, const char *templates, const char *out, lb_error *err)
{
    book b = {.survey = s, .err = err};
    char *stem = lb_xprintf("%s/programme_graph", s->places->figures);
    char *file = lb_xprintf("%s.svg", stem), *link = lb_relative_path(out, file);
    lb_status st = load_templates(&b, templates);
    if (st == LB_OK)
        st = lint(&b);
    for (size_t k = 0; k < 2 && st == LB_OK; k++)
        st = fill(&b, k, out, link);
    if (st == LB_OK)
        st = lb_picture_draw(s, stem, err);
    if (st == LB_OK)
        st = write_pages(&b, out);
    for (size_t i = 0; i < 2 * N_NAMES; i++) {
        lb_template_free(b.templates[i / 2][i % 2]);
        free(b.pages[i / 2][i % 2]);
    }
    free(link);
    free(file);
    free(stem);
    return st;
}

lb_status lb_views_write(const lb_places *places, const char *templates, const char *out,
                         lb_error *err)
{
    lb_survey survey;
    lb_status st = lb_survey_open(places, templates, out, &survey, err);
    if (st != LB_OK)
        return st;
    st = make(&survey, templates, out, err);
    lb_survey_close(&survey);
    return st;
}

lb_status lb_command_views(lb_job *j)
{
    if (!j->o->out)
        return LB_FAIL(j->err, LB_EINVAL, "views needs --out DIR, the folder of the reports");
    return lb_views_write(&j->places, j->o->templates, j->o->out, j->err);
}
