/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/publish.h"

#include "core/file.h"
#include "core/memory.h"
#include "record/verify.h"
#include "report/bundle.h"
#include "report/crate.h"
#include "report/fill.h"
#include "report/folder.h"
#include "report/manifest.h"
#include "report/site.h"

#include <stdlib.h>
#include <string.h>

typedef struct edition {
    const lb_places *places;
    const char *templates, *reports;
    char *part; /* the folder that grows */
    lb_site site;
    lb_error *err;
} edition;

/* --- what must be there ------------------------------------------------------------------------
 */

/* The record is of this profile and experiment, and says what is frozen. */
static lb_status check_record(const edition *d, const lb_exhibit *e)
{
    const lb_archive *a = lb_facts_record(e->facts[LB_EN]);
    const char *profile = lb_archive_provenance(a, "profile");
    if (strcmp(lb_archive_name(a), e->name) != 0)
        return LB_FAIL(d->err, LB_EINVAL, "%s is the record of '%s', not of %s: run `make %s`",
                       lb_archive_path(a), lb_archive_name(a), e->name, e->name);
    if (strcmp(profile, d->places->profile) != 0)
        return LB_FAIL(d->err, LB_EINVAL, "%s is a record of the profile '%s', not of '%s'",
                       lb_archive_path(a), profile, d->places->profile);
    lb_text report = {0};
    lb_ledger *now = lb_ledger_of(a, NULL);
    lb_status st = lb_ledger_compare(e->frozen, now, &report, d->err);
    if (st == LB_EFINDING) {
        *d->err = (lb_error){0};
        st = LB_FAIL(d->err, LB_EINVAL, "%s differs from %s: see `make verify`", lb_archive_path(a),
                     e->frozen->source);
    }
    lb_ledger_free(now);
    lb_text_free(&report);
    return st;
}

static lb_status open_exhibit(edition *d, const char *folder, lb_exhibit *e)
{
    lb_status st = LB_OK;
    for (int l = 0; l < LB_LANGUAGES && st == LB_OK; l++)
        st = lb_facts_open(d->places, folder, lb_language[l], &e->facts[l], d->err);
    if (st != LB_OK)
        return st;
    e->name = lb_spec_name(lb_facts_spec(e->facts[LB_EN]));
    char *frozen = lb_xprintf("%s/%s.tsv", d->places->frozen, e->name);
    st = lb_ledger_load(frozen, &e->frozen, d->err);
    free(frozen);
    return st == LB_OK ? check_record(d, e) : st;
}

/* Every form of every report, before anything is written. */
static lb_status need_reports(const edition *d)
{
    static const char *const endings[] = {"md", "html", "pdf", "tex"};
    char *first = NULL;
    size_t missing = 0;
    for (size_t i = 0; i < d->site.n * LB_LANGUAGES * 4; i++) {
        const lb_exhibit *e = &d->site.items[i / (LB_LANGUAGES * 4)];
        char *path = lb_xprintf("%s/%s.%s.%s", d->reports, e->name,
                                lb_language[i / 4 % LB_LANGUAGES], endings[i % 4]);
        if (lb_file_exists(path)) {
            free(path);
            continue;
        }
        missing++;
        if (first)
            free(path);
        else
            first = path;
    }
    const lb_status st =
        missing == 0 ? LB_OK
                     : LB_FAIL(d->err, LB_EIO,
                               "%s does not exist (%zu of the finished reports are missing): run "
                               "`make reports`",
                               first, missing);
    free(first);
    return st;
}

/* What is replaced must be an edition: nobody's files are lost to a mistyped name. */
static lb_status check_target(const char *target, lb_error *err)
{
    char *manifest = lb_xprintf("%s/" LB_MANIFEST, target);
    const bool fine = !lb_file_exists(target) || lb_file_exists(manifest);
    free(manifest);
    return fine ? LB_OK
                : LB_FAIL(err, LB_EIO,
                          "%s is there, but holds no " LB_MANIFEST ": move it away first", target);
}

/* --- one report --------------------------------------------------------------------------------
 */

typedef struct report {
    const edition *d;
    const lb_exhibit *e;
    size_t at;
    int language;
} report;

/* "reports/e02_piecewise.en.html" */
static char *source_of(const report *r, const char *ending)
{
    return lb_xprintf("%s/%s.%s.%s", r->d->reports, r->e->name, lb_language[r->language], ending);
}

static char *target_of(const report *r, const char *folder, const char *ending)
{
    return lb_xprintf("%s/%s/%s.%s.%s", r->d->part, folder, r->e->name, lb_language[r->language],
                      ending);
}

static lb_status write_text(const char *path, const lb_text *text, lb_error *err)
{
    return lb_file_write(path, text->s ? text->s : "", text->length, err);
}

static lb_status put_html(const report *r)
{
    char *from = source_of(r, "html"), *to = target_of(r, "reports", "html"), *page = NULL;
    lb_text out = {0};
    lb_status st = lb_file_read(from, &page, NULL, r->d->err);
    if (st == LB_OK)
        st = lb_site_report(&r->d->site, r->at, r->language, page, from, &out, r->d->err);
    if (st == LB_OK)
        st = write_text(to, &out, r->d->err);
    lb_text_free(&out);
    free(page);
    free(to);
    free(from);
    return st;
}

static lb_status put_numbers(const report *r)
{
    char *to = target_of(r, "numbers", "html");
    lb_text out = {0};
    lb_site_numbers(&r->d->site, r->at, r->language, &out);
    const lb_status st = write_text(to, &out, r->d->err);
    lb_text_free(&out);
    free(to);
    return st;
}

static lb_status put_pdf(const report *r)
{
    char *from = source_of(r, "pdf"), *to = target_of(r, "pdf", "pdf"), *data = NULL;
    size_t n = 0;
    lb_status st = lb_file_read(from, &data, &n, r->d->err);
    const char *tail = data && n > 32 ? data + n - 32 : "";
    if (st == LB_OK && (strncmp(data, "%PDF-", 5) != 0 || !memmem(tail, 32, "%%EOF", 5)))
        st = LB_FAIL(r->d->err, LB_EFORMAT, "%s is no whole PDF: delete it and run `make pdf`",
                     from);
    if (st == LB_OK)
        st = lb_file_write(to, data, n, r->d->err);
    free(data);
    free(to);
    free(from);
    return st;
}

/* The figure a page shows as "../figures/NAME"; NAME ends before @p stop. */
static lb_status put_figures(const report *r, const char *page)
{
    static const char link[] = "](../figures/";
    lb_status st = LB_OK;
    for (const char *s = strstr(page, link); s && st == LB_OK; s = strstr(s, link)) {
        s += strlen(link);
        const int length = (int)strcspn(s, ")");
        char *from = lb_xprintf("%s/%.*s", r->d->places->figures, length, s);
        char *to = lb_xprintf("%s/figures/%.*s", r->d->part, length, s);
        if (!lb_file_exists(to))
            st = lb_file_copy(from, to, r->d->err);
        free(to);
        free(from);
    }
    return st;
}

static lb_status put_markdown(const report *r, const char *folder)
{
    char *from = source_of(r, "md"), *to = target_of(r, "markdown", "md"), *page = NULL;
    lb_status st = lb_fill_compare(r->d->places, folder, lb_language[r->language], from, r->d->err);
    if (st == LB_OK)
        st = lb_file_read(from, &page, NULL, r->d->err);
    if (st == LB_OK)
        st = put_figures(r, page);
    if (st == LB_OK)
        st = lb_file_copy(from, to, r->d->err);
    free(page);
    free(to);
    free(from);
    return st;
}

/* --- LaTeX -------------------------------------------------------------------------------------
 */

static bool starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

/* Add the file that a link in braces names, once: "FOLDER/NAME" from @p from/NAME. */
static void bundle_once(lb_bundle *b, lb_text *done, const char *folder, const char *name,
                        const char *from)
{
    char *inside = lb_xprintf("%s/%s", folder, name), *line = lb_xprintf("\n%s\n", inside);
    if (!strstr(done->s, line)) {
        char *path = lb_xprintf("%s/%s", from, name);
        lb_bundle_add_file(b, inside, path);
        lb_text_add(done, line + 1);
        free(path);
    }
    free(line);
    free(inside);
}

/* The LaTeX source as it must be when figures lie below it, and those files with it. */
static void bundle_source(const report *r, const char *tex, lb_bundle *b, lb_text *out)
{
    static const char figure[] = "{../figures/", emoji[] = "\\emoji{", path[] = "\\graphicspath{";
    char *pictures = lb_xprintf("%s/pandoc/emoji", r->d->templates);
    lb_text done = {0};
    lb_text_add(&done, "\n");
    for (const char *s = tex; *s;) {
        const bool is_figure = starts(s, figure);
        if (starts(s, path)) {
            lb_text_add(out, "\\graphicspath{{./}}");
            s += strcspn(s, "\n");
        } else if (is_figure || (starts(s, emoji) && s[strlen(emoji)] != '#')) {
            const char *start = s + strlen(is_figure ? figure : emoji);
            char *name =
                lb_xprintf("%.*s%s", (int)strcspn(start, "}"), start, is_figure ? "" : ".png");
            bundle_once(b, &done, is_figure ? "figures" : "emoji", name,
                        is_figure ? r->d->places->figures : pictures);
            lb_text_add(out, is_figure ? "{figures/" : emoji);
            s = start;
            free(name);
        } else {
            lb_text_addn(out, s++, 1);
        }
    }
    lb_text_free(&done);
    free(pictures);
}

/* A bundle that builds where it is unpacked; 00README.json tells arXiv which file and compiler. */
static lb_status put_bundle(const report *r)
{
    char *from = source_of(r, "tex"), *to = target_of(r, "tex", "tar.gz"), *tex = NULL;
    char *name = lb_xprintf("%s.%s.tex", r->e->name, lb_language[r->language]);
    char *readme = lb_xprintf("{\n  \"process\": {\"compiler\": \"xelatex\"},\n  \"sources\": "
                              "[{\"filename\": \"%s\", \"usage\": \"toplevel\"}]\n}\n",
                              name);
    lb_status st = lb_file_read(from, &tex, NULL, r->d->err);
    if (st == LB_OK && !strstr(tex, "\\end{document}"))
        st = LB_FAIL(r->d->err, LB_EFORMAT, "%s is cut short: delete it and run `make pdf`", from);
    if (st == LB_OK)
        st = lb_make_parent(to, r->d->err);
    if (st == LB_OK) {
        lb_bundle *b = lb_bundle_new(to);
        lb_text source = {0};
        bundle_source(r, tex, b, &source);
        lb_bundle_add(b, name, source.s, source.length);
        lb_bundle_add(b, "00README.json", readme, strlen(readme));
        st = lb_bundle_close(b, r->d->err);
        lb_text_free(&source);
    }
    free(readme);
    free(name);
    free(tex);
    free(to);
    free(from);
    return st;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static lb_status put_copy(const edition *d, const char *from, const char *folder, const char *name,
                          const char *ending)
{
    char *to = lb_xprintf("%s/%s/%s%s", d->part, folder, name, ending);
    const lb_status st = lb_file_copy(from, to, d->err);
    free(to);
    return st;
}

static lb_status put_exhibit(const edition *d, size_t at, const char *folder)
{
    const lb_exhibit *e = &d->site.items[at];
    const lb_spec *spec = lb_facts_spec(e->facts[LB_EN]);
    lb_status st =
        put_copy(d, lb_archive_path(lb_facts_record(e->facts[LB_EN])), "records", e->name, ".h5");
    if (st == LB_OK)
        st = put_copy(d, e->frozen->source, "frozen", e->name, ".tsv");
    if (st == LB_OK)
        st = put_copy(d, lb_spec_path(spec), "specs", e->name, ".yaml");
    for (int l = 0; l < LB_LANGUAGES && st == LB_OK; l++) {
        const report r = {d, e, at, l};
        st = put_markdown(&r, folder);
        st = st == LB_OK ? put_html(&r) : st;
        st = st == LB_OK ? put_numbers(&r) : st;
        st = st == LB_OK ? put_pdf(&r) : st;
        st = st == LB_OK ? put_bundle(&r) : st;
    }
    return st;
}

static lb_status put_index(const edition *d, int language)
{
    char *path = lb_xprintf("%s/index%s.html", d->part, language == LB_EN ? "" : ".zh");
    lb_text out = {0};
    lb_status st = lb_site_index(&d->site, language, &out, d->err);
    if (st == LB_OK)
        st = write_text(path, &out, d->err);
    lb_text_free(&out);
    free(path);
    return st;
}

/* For machines, the last of all: they tell of every other file. */
static lb_status put_metadata(const edition *d, size_t *files)
{
    char *numbers = lb_xprintf("%s/numbers.json", d->part);
    char *crate = lb_xprintf("%s/ro-crate-metadata.json", d->part);
    char *makefile = lb_xprintf("%s/Makefile", d->places->sources);
    lb_text out = {0};
    lb_crate_numbers(&d->site, &out);
    lb_status st = write_text(numbers, &out, d->err);
    out.length = 0;
    if (st == LB_OK)
        st = put_copy(d, makefile, "workflow", "Makefile", "");
    if (st == LB_OK)
        st = lb_crate_metadata(&d->site, d->part, &out, d->err);
    if (st == LB_OK)
        st = write_text(crate, &out, d->err);
    if (st == LB_OK)
        st = lb_manifest_write(d->part, files, d->err);
    lb_text_free(&out);
    free(makefile);
    free(crate);
    free(numbers);
    return st;
}

static lb_status open_all(edition *d, const lb_catalogue *all)
{
    lb_status st = lb_site_open(d->templates, &d->site, d->err);
    if (st == LB_OK && lb_file_exists(d->places->published))
        st = lb_published_load(d->places->published, &d->site.published, d->err);
    d->site.items = lb_xcalloc(all->n, sizeof *d->site.items);
    for (; d->site.n < all->n && st == LB_OK; d->site.n++)
        st = open_exhibit(d, all->folders[d->site.n], &d->site.items[d->site.n]);
    return st == LB_OK ? need_reports(d) : st;
}

static lb_status build(edition *d, const lb_catalogue *all, size_t *files)
{
    lb_status st = lb_folder_remove(d->part, d->err);
    for (size_t i = 0; i < all->n && st == LB_OK; i++)
        st = put_exhibit(d, i, all->folders[i]);
    for (int l = 0; l < LB_LANGUAGES && st == LB_OK; l++)
        st = put_index(d, l);
    return st == LB_OK ? put_metadata(d, files) : st;
}

lb_status lb_publish(const lb_places *places, const char *templates, const lb_catalogue *all,
                     const char *reports, const char *target, lb_text *text, lb_error *err)
{
    edition d = {.places = places, .templates = templates, .reports = reports, .err = err};
    size_t files = 0;
    d.site.profile = places->profile;
    d.site.version = LB_VERSION;
    d.part = lb_file_part(target);
    lb_status st = check_target(target, err);
    if (st == LB_OK)
        st = open_all(&d, all);
    if (st == LB_OK) {
        st = build(&d, all, &files);
        if (st == LB_OK)
            st = lb_folder_replace(d.part, target, err);
        if (st != LB_OK)
            lb_folder_remove(d.part, NULL);
    }
    if (st == LB_OK)
        lb_text_printf(text, "%s: %zu files of %zu experiments, version %s, profile %s\n", target,
                       files, all->n, LB_VERSION, places->profile);
    lb_site_close(&d.site);
    free(d.part);
    return st;
}
