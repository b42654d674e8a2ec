/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/views.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/cards.h"
#include "report/digits.h"
#include "report/fill.h"
#include "report/page.h"
#include "report/path.h"
#include "report/refs.h"
#include "views/picture.h"
#include "views/sheets.h"

#include <stdlib.h>
#include <string.h>

const char *const lb_view_name[LB_VIEWS] = {"summary", "framework", "hub",
                                            "roadmap", "kanban",    "cards"};
static const char *const languages[] = {"en", "zh"};
enum { DIALECTS = 2 };

/* The pages while they are made, in both dialects. */
typedef struct book {
    const lb_survey *survey;
    const char *out, *figure; /* folder of the pages; the picture, as a link from there */
    lb_template *templates[LB_VIEWS][2];
    char *pages[DIALECTS][LB_VIEWS][2];
    lb_error *err;
} book;

static lb_status load_templates(book *b, const char *templates)
{
    lb_status st = LB_OK;
    for (size_t i = 0; i < 2 * LB_VIEWS && st == LB_OK; i++) {
        char *path =
            lb_xprintf("%s/views/%s.%s.md", templates, lb_view_name[i / 2], languages[i % 2]);
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
    for (size_t i = 0; i < LB_VIEWS; i++) {
        lb_refs refs[2];
        char *paths[2];
        for (size_t k = 0; k < 2; k++) {
            lb_lint_digits(b->templates[i][k], NULL, &found);
            refs[k] = lb_refs_of(b->templates[i][k], &found);
            paths[k] = lb_xprintf("%s.%s.md", lb_view_name[i], languages[k]);
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

/* The provenance of every number that the page links to. */
static lb_status add_appendix(const book *b, const char *language, lb_page *page)
{
    static const char link[] = "](#n-";
    lb_facts *shown = lb_facts_over_all(b->survey->places, language);
    lb_page notes = {.facts = shown, .dialect = LB_ANNOTATED, .folder = b->out, .err = b->err};
    lb_status st = LB_OK;
    for (const char *s = strstr(page->out.s, link); s && st == LB_OK; s = strstr(s, link)) {
        s += strlen(link);
        char *key = lb_xprintf("%.*s", (int)strcspn(s, ")"), s);
        for (char *c = strchr(key, '-'); c; c = strchr(c, '-'))
            *c = '.';
        lb_fact fact;
        st = lb_facts_find(shown, key, &fact, b->err);
        free(key);
    }
    if (st == LB_OK)
        st = lb_card_appendix(&notes);
    if (notes.out.s)
        lb_text_add(&page->out, notes.out.s);
    lb_text_free(&notes.out);
    lb_facts_close(shown);
    return st;
}

/* All pages in one language and dialect. */
static lb_status fill(book *b, size_t language, lb_dialect dialect)
{
    lb_sheets sheets;
    lb_facts *facts = b->survey->facts;
    lb_status st =
        lb_sheets_make(b->survey, languages[language], dialect, b->out, b->figure, &sheets, b->err);
    lb_facts_lend(facts, &sheets.lent);
    for (size_t i = 0; i < LB_VIEWS && st == LB_OK; i++) {
        lb_page page = {.facts = facts, .dialect = dialect, .folder = b->out, .err = b->err};
        st = lb_page_fill(&page, b->templates[i][language]);
        if (st == LB_OK && dialect == LB_ANNOTATED)
            st = add_appendix(b, languages[language], &page);
        if (st == LB_OK)
            b->pages[dialect][i][language] = lb_page_finish(&page);
        lb_text_free(&page.out);
    }
    lb_facts_lend(facts, &(lb_lent){0});
    lb_sheets_free(&sheets);
    return st;
}

/* Templates read and checked, every page of the dialects up to @p last filled. */
static lb_status make(book *b, const char *templates, lb_dialect last)
{
    lb_status st = load_templates(b, templates);
    if (st == LB_OK)
        st = lint(b);
    for (size_t i = 0; i < 2 * ((size_t)last + 1) && st == LB_OK; i++)
        st = fill(b, i % 2, (lb_dialect)(i / 2));
    return st;
}

static void book_free(book *b)
{
    for (size_t i = 0; i < 2 * LB_VIEWS; i++) {
        lb_template_free(b->templates[i / 2][i % 2]);
        for (size_t k = 0; k < DIALECTS; k++)
            free(b->pages[k][i / 2][i % 2]);
    }
}

static char *path_of(const char *folder, size_t i)
{
    return lb_xprintf("%s/%s.%s.md", folder, lb_view_name[i / 2], languages[i % 2]);
}

static lb_status write_pages(const book *b, lb_dialect dialect, const char *folder)
{
    lb_status st = LB_OK;
    for (size_t i = 0; i < 2 * LB_VIEWS && st == LB_OK; i++) {
        char *path = path_of(folder, i);
        const char *page = b->pages[dialect][i / 2][i % 2];
        st = lb_file_write(path, page, strlen(page), b->err);
        free(path);
    }
    return st;
}

static char *graph_of(const lb_places *places, const char *ending)
{
    return lb_xprintf("%s/programme_graph%s", places->figures, ending);
}

lb_status lb_views_write(const lb_places *places, const char *templates, const char *out,
                         const char *drafts, lb_error *err)
{
    lb_survey survey;
    lb_status st = lb_survey_open(places, templates, out, &survey, err);
    if (st != LB_OK)
        return st;
    char *stem = graph_of(places, ""), *file = graph_of(places, ".svg");
    char *figure = lb_relative_path(out, file);
    book b = {.survey = &survey, .out = out, .figure = figure, .err = err};
    st = make(&b, templates, drafts ? LB_ANNOTATED : LB_CLEAN);
    if (st == LB_OK)
        st = lb_picture_draw(&survey, stem, err);
    if (st == LB_OK)
        st = write_pages(&b, LB_CLEAN, out);
    if (st == LB_OK && drafts)
        st = write_pages(&b, LB_ANNOTATED, drafts);
    book_free(&b);
    free(figure);
    free(file);
    free(stem);
    lb_survey_close(&survey);
    return st;
}

lb_status lb_views_compare(const lb_survey *s, const char *templates, const char *pages,
                           lb_error *err)
{
    char *file = graph_of(s->places, ".svg"), *figure = lb_relative_path(pages, file);
    book b = {.survey = s, .out = pages, .figure = figure, .err = err};
    lb_status st = make(&b, templates, LB_CLEAN);
    for (size_t i = 0; i < 2 * LB_VIEWS && st == LB_OK; i++) {
        char *path = path_of(pages, i);
        st = lb_page_compare(path, b.pages[LB_CLEAN][i / 2][i % 2], err);
        free(path);
    }
    book_free(&b);
    free(figure);
    free(file);
    return st;
}

lb_status lb_command_views(lb_job *j)
{
    if (!j->o->out)
        return LB_FAIL(j->err, LB_EINVAL, "views needs --out DIR, the folder of the reports");
    return lb_views_write(&j->places, j->o->templates, j->o->out, j->o->annotated, j->err);
}
