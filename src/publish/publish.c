/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "publish/publish.h"

#include "core/file.h"
#include "core/memory.h"
#include "publish/bundle.h"
#include "publish/crate.h"
#include "publish/manifest.h"
#include "publish/site.h"
#include "record/verify.h"
#include "report/fill.h"
#include "report/folder.h"

#include <stdlib.h>
#include <string.h>

typedef struct edition {
    const lb_places *places;
    const char *templates, *reports;
    char *part; /* the folder that grows */
    lb_site site;
    lb_error *err;
} edition;

/* The finished "reports/hub.en.html" */
static char *page_path(const edition *d, const char *name, int language, const char *ending)
{
    return lb_xprintf("%s/%s.%s.%s", d->reports, name, lb_language[language], ending);
}

/* --- what must be there ------------------------------------------------------------------------
 */

/* The record says what is frozen. */
static lb_status check_record(const edition *d, const lb_exhibit *e)
{
    lb_text report = {0};
    lb_ledger *now = lb_ledger_of(e->record, NULL);
    lb_status st = lb_ledger_compare(e->frozen, now, &report, d->err);
    if (st == LB_EFINDING) {
        *d->err = (lb_error){0};
        st = LB_FAIL(d->err, LB_EINVAL, "%s differs from %s: see `make verify`",
                     lb_archive_path(e->record), e->frozen->source);
    }
    lb_ledger_free(now);
    lb_text_free(&report);
    return st;
}

static lb_status open_exhibit(edition *d, const lb_member *m, lb_exhibit *e)
{
    *e = (lb_exhibit){.name = lb_spec_name(m->spec), .member = m};
    if (!m->facts)
        return LB_FAIL(d->err, LB_EIO, "%s/%s.h5 does not exist: run `make %s`", d->places->results,
                       e->name, m->id);
    e->record = lb_facts_record(m->facts);
    char *frozen = lb_xprintf("%s/%s.tsv", d->places->frozen, e->name);
    const lb_status st = lb_ledger_load(frozen, &e->frozen, d->err);
    free(frozen);
    return st == LB_OK ? check_record(d, e) : st;
}

/* Every form of every report and document, before anything is written. */
static lb_status need_pages(const edition *d)
{
    static const char *const endings[] = {"md", "html", "pdf", "tex"};
    enum { FORMS = sizeof endings / sizeof *endings, DOCUMENT_FORMS = 3 }; /* no LaTeX of these */
    char *first = NULL;
    size_t missing = 0;
    for (size_t i = 0; i < (d->site.n + LB_DOCUMENTS) * LB_LANGUAGES * FORMS; i++) {
        const size_t at = i / (LB_LANGUAGES * FORMS);
        const bool report = at < d->site.n;
        char *path =
            page_path(d, report ? d->site.items[at].name : lb_document_name(at - d->site.n),
                      (int)(i / FORMS % LB_LANGUAGES), endings[i % FORMS]);
        if ((!report && i % FORMS >= DOCUMENT_FORMS) || lb_file_exists(path)) {
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
                               "%s does not exist (%zu of the finished pages are missing): run "
                               "`make reports views`",
                               first, missing);
    free(first);
    return st;
}

/* The audit says what its record says, and that is of this profile. */
static lb_status check_audit(const edition *d, int language)
{
    lb_places places = *d->places;
    char *results = lb_xprintf("build/%s/audit", places.profile);
    char *folder = lb_xprintf("%s/audit", places.shared);
    char *path = page_path(d, lb_document_name(LB_AUDIT), language, "md");
    places.results = results;
    places.frozen = NULL;
    const lb_status st = lb_fill_compare(&places, folder, lb_language[language], path, d->err);
    free(path);
    free(folder);
    free(results);
    return st;
}

/* No report lacks anything (report/complete.h). */
static lb_status check_complete(const edition *d)
{
    for (size_t i = 0; i < d->site.n; i++) {
        const char *lacks = d->site.items[i].member->lacks;
        if (*lacks)
            return LB_FAIL(d->err, LB_EINVAL, "%s is not complete: %.*s", d->site.items[i].name,
                           (int)strcspn(lacks, "\n"), lacks);
    }
    return LB_OK;
}

/* The documents above the reports say what the records say today. */
static lb_status check_documents(const edition *d)
{
    lb_status st = lb_views_compare(&d->site.survey, d->templates, d->reports, d->err);
    for (int l = 0; l < LB_LANGUAGES && st == LB_OK; l++)
        st = check_audit(d, l);
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

/* --- one page ----------------------------------------------------------------------------------
 */

/* A report, or a document above them, in one language. */
typedef struct page {
    const edition *d;
    const char *name;
    const lb_exhibit *item; /* NULL: a document */
    int language;
} page;

static char *source_of(const page *p, const char *ending)
{
    return page_path(p->d, p->name, p->language, ending);
}

static char *target_of(const page *p, const char *folder, const char *ending)
{
    return lb_xprintf("%s/%s/%s.%s.%s", p->d->part, folder, p->name, lb_language[p->language],
                      ending);
}

static lb_status write_text(const char *path, const lb_text *text, lb_error *err)
{
    return lb_file_write(path, text->s ? text->s : "", text->length, err);
}

static lb_status put_html(const page *p)
{
    char *from = source_of(p, "html"), *to = target_of(p, "reports", "html"), *text = NULL;
    lb_text out = {0};
    lb_status st = lb_file_read(from, &text, NULL, p->d->err);
    if (st == LB_OK) {
        const lb_finished finished = {p->name, p->item, p->language, from, text};
        st = lb_site_adopt(&p->d->site, &finished, &out, p->d->err);
    }
    if (st == LB_OK)
        st = write_text(to, &out, p->d->err);
    lb_text_free(&out);
    free(text);
    free(to);
    free(from);
    return st;
}

static lb_status put_numbers(const page *p)
{
    char *to = target_of(p, "numbers", "html");
    lb_text out = {0};
    lb_site_numbers(&p->d->site, p->item, p->language, &out);
    const lb_status st = write_text(to, &out, p->d->err);
    lb_text_free(&out);
    free(to);
    return st;
}

static lb_status put_pdf(const page *p)
{
    char *from = source_of(p, "pdf"), *to = target_of(p, "pdf", "pdf"), *data = NULL;
    size_t n = 0;
    lb_status st = lb_file_read(from, &data, &n, p->d->err);
    const char *tail = data && n > 32 ? data + n - 32 : "";
    if (st == LB_OK && (strncmp(data, "%PDF-", 5) != 0 || !memmem(tail, 32, "%%EOF", 5)))
        st = LB_FAIL(p->d->err, LB_EFORMAT, "%s is no whole PDF: delete it and run `make pdf`",
                     from);
    if (st == LB_OK)
        st = lb_file_write(to, data, n, p->d->err);
    free(data);
    free(to);
    free(from);
    return st;
}

/* The figure a page shows as "../figures/NAME"; NAME ends before @p stop. */
static lb_status put_figures(const page *p, const char *text)
{
    static const char link[] = "](../figures/";
    lb_status st = LB_OK;
    for (const char *s = strstr(text, link); s && st == LB_OK; s = strstr(s, link)) {
        s += strlen(link);
        const int length = (int)strcspn(s, ")");
        char *from = lb_xprintf("%s/%.*s", p->d->places->figures, length, s);
        char *to = lb_xprintf("%s/figures/%.*s", p->d->part, length, s);
        if (!lb_file_exists(to))
            st = lb_file_copy(from, to, p->d->err);
        free(to);
        free(from);
    }
    return st;
}

static lb_status put_markdown(const page *p)
{
    char *from = source_of(p, "md"), *to = target_of(p, "markdown", "md"), *text = NULL;
    lb_status st = lb_file_read(from, &text, NULL, p->d->err);
    if (st == LB_OK)
        st = put_figures(p, text);
    if (st == LB_OK)
        st = lb_file_copy(from, to, p->d->err);
    free(text);
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
static void bundle_source(const page *p, const char *tex, lb_bundle *b, lb_text *out)
{
    static const char figure[] = "{../figures/", emoji[] = "\\emoji{", path[] = "\\graphicspath{";
    char *pictures = lb_xprintf("%s/pandoc/emoji", p->d->templates);
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
                        is_figure ? p->d->places->figures : pictures);
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

/* The bytes of the UTF-8 character at @p s. */
static int character_length(const char *s)
{
    const unsigned char c = (unsigned char)*s;
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/* Can pdflatex set every sign? It knows Latin letters and a few marks; the rest must be declared in
 * the file itself (templates/pandoc/report.tex). */
static lb_status check_signs(const char *tex, const char *path, lb_error *err)
{
    static const char known[] = "–—‘’“”†‡•…€™";
    for (const char *s = tex; *s;) {
        const int n = character_length(s);
        char *sign = lb_xprintf("%.*s", n, s), *declared = lb_xprintf("\\newunicodechar{%s}", sign);
        const bool fine =
            n < 2 || (unsigned char)*s < 0xC6 || strstr(known, sign) || strstr(tex, declared);
        const lb_status st =
            fine ? LB_OK
                 : LB_FAIL(err, LB_EFORMAT,
                           "%s: pdflatex, which arXiv runs, has no '%s': declare it in "
                           "templates/pandoc/report.tex",
                           path, sign);
        free(declared);
        free(sign);
        if (!fine)
            return st;
        s += n;
    }
    return LB_OK;
}

/* For people: how to build it, and what must be installed. The same in every bundle of a language.
 */
static const char *const bundle_readme[LB_LANGUAGES] = {
    "Build: pdflatex NAME.tex, three times. Everything else is in this folder; the fonts are "
    "Latin\n"
    "Modern, which every TeX Live has. This is how arXiv builds it (00README.json says so).\n"
    "\n"
    "The PDF beside this bundle was built with xelatex, which needs these fonts installed:\n"
    "FreeSerif, FreeSans, DejaVu Sans Mono, TeX Gyre Termes Math, and (loaded, though no English\n"
    "report prints with them) Noto Serif CJK SC, Noto Sans CJK SC, Noto Sans Mono CJK SC.\n",
    "Build: xelatex NAME.tex, three times. Figures and pictures of emoji are in this folder; "
    "these\n"
    "fonts are not, and must be installed: FreeSerif, FreeSans, DejaVu Sans Mono, TeX Gyre Termes\n"
    "Math, Noto Serif CJK SC, Noto Sans CJK SC, Noto Sans Mono CJK SC.\n"
    "\n"
    "arXiv runs no XeLaTeX (latex and pdflatex only), so it cannot build this bundle. Submit the\n"
    "English one.\n"};

/* A bundle that builds where it is unpacked; 00README.json tells arXiv which file and compiler. */
static lb_status put_bundle(const page *p)
{
    static const char *const compilers[LB_LANGUAGES] = {"pdflatex", "xelatex"};
    const char *readme = bundle_readme[p->language];
    char *from = source_of(p, "tex"), *to = target_of(p, "tex", "tar.gz"), *tex = NULL;
    char *name = lb_xprintf("%s.%s.tex", p->name, lb_language[p->language]);
    char *process =
        lb_xprintf("{\n  \"process\": {\"compiler\": \"%s\"},\n  \"sources\": [\n"
                   "    {\"filename\": \"%s\", \"usage\": \"toplevel\"},\n"
                   "    {\"filename\": \"README.txt\", \"usage\": \"ignore\"}\n  ]\n}\n",
                   compilers[p->language], name);
    lb_status st = lb_file_read(from, &tex, NULL, p->d->err);
    if (st == LB_OK && !strstr(tex, "\\end{document}"))
        st = LB_FAIL(p->d->err, LB_EFORMAT, "%s is cut short: delete it and run `make pdf`", from);
    if (st == LB_OK && p->language == LB_EN)
        st = check_signs(tex, from, p->d->err);
    if (st == LB_OK)
        st = lb_make_parent(to, p->d->err);
    if (st == LB_OK) {
        lb_bundle *b = lb_bundle_new(to);
        lb_text source = {0};
        bundle_source(p, tex, b, &source);
        lb_bundle_add(b, name, source.s, source.length);
        lb_bundle_add(b, "00README.json", process, strlen(process));
        lb_bundle_add(b, "README.txt", readme, strlen(readme));
        st = lb_bundle_close(b, p->d->err);
        lb_text_free(&source);
    }
    free(process);
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

static lb_status put_report(const page *p)
{
    char *path = source_of(p, "md");
    lb_status st = lb_fill_compare(p->d->places, p->item->member->folder, lb_language[p->language],
                                   path, p->d->err);
    st = st == LB_OK ? put_markdown(p) : st;
    st = st == LB_OK ? put_html(p) : st;
    st = st == LB_OK ? put_numbers(p) : st;
    st = st == LB_OK ? put_pdf(p) : st;
    st = st == LB_OK ? put_bundle(p) : st;
    free(path);
    return st;
}

static lb_status put_exhibit(const edition *d, const lb_exhibit *e)
{
    lb_status st = put_copy(d, lb_archive_path(e->record), "records", e->name, ".h5");
    if (st == LB_OK)
        st = put_copy(d, e->frozen->source, "frozen", e->name, ".tsv");
    if (st == LB_OK)
        st = put_copy(d, lb_spec_path(e->member->spec), "specs", e->name, ".yaml");
    for (int l = 0; l < LB_LANGUAGES && st == LB_OK; l++)
        st = put_report(&(page){d, e->name, e, l});
    return st;
}

static lb_status put_documents(const edition *d)
{
    lb_status st = LB_OK;
    for (size_t i = 0; i < LB_DOCUMENTS * LB_LANGUAGES && st == LB_OK; i++) {
        const page p = {d, lb_document_name(i / LB_LANGUAGES), NULL, (int)(i % LB_LANGUAGES)};
        st = put_markdown(&p);
        st = st == LB_OK ? put_html(&p) : st;
        st = st == LB_OK ? put_pdf(&p) : st;
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

static lb_status open_all(edition *d)
{
    lb_site *site = &d->site;
    lb_status st = lb_site_open(d->templates, site, d->err);
    if (st == LB_OK)
        st = lb_survey_open(d->places, d->templates, d->reports, &site->survey, d->err);
    if (st == LB_OK && lb_file_exists(d->places->published))
        st = lb_published_load(d->places->published, &site->published, d->err);
    site->items = lb_xcalloc(site->survey.n + 1, sizeof *site->items);
    for (; site->n < site->survey.n && st == LB_OK; site->n++)
        st = open_exhibit(d, &site->survey.members[site->n], &site->items[site->n]);
    st = st == LB_OK ? need_pages(d) : st;
    st = st == LB_OK ? check_complete(d) : st;
    return st == LB_OK ? check_documents(d) : st;
}

static lb_status build(edition *d, size_t *files)
{
    lb_status st = lb_folder_remove(d->part, d->err);
    for (size_t i = 0; i < d->site.n && st == LB_OK; i++)
        st = put_exhibit(d, &d->site.items[i]);
    st = st == LB_OK ? put_documents(d) : st;
    for (int l = 0; l < LB_LANGUAGES && st == LB_OK; l++)
        st = put_index(d, l);
    return st == LB_OK ? put_metadata(d, files) : st;
}

lb_status lb_publish(const lb_places *places, const char *templates, const char *reports,
                     const char *target, lb_text *text, lb_error *err)
{
    edition d = {.places = places, .templates = templates, .reports = reports, .err = err};
    size_t files = 0;
    d.site.profile = places->profile;
    d.site.version = LB_VERSION;
    d.part = lb_file_part(target);
    lb_status st = check_target(target, err);
    if (st == LB_OK)
        st = open_all(&d);
    if (st == LB_OK) {
        st = build(&d, &files);
        if (st == LB_OK)
            st = lb_folder_replace(d.part, target, err);
        if (st != LB_OK)
            lb_folder_remove(d.part, NULL);
    }
    if (st == LB_OK)
        lb_text_printf(text, "%s: %zu files of %zu experiments, version %s, profile %s\n", target,
                       files, d.site.n, LB_VERSION, places->profile);
    lb_site_close(&d.site);
    free(d.part);
    return st;
}

/* What keeps a report from being published is no answer but a failure. */
lb_status lb_command_publish(lb_job *j)
{
    const lb_status st =
        lb_publish(&j->places, j->o->templates, j->reports, j->args[0], &j->out, j->err);
    return st == LB_EFINDING ? LB_EINVAL : st;
}

lb_status lb_command_publish_check(lb_job *j)
{
    return lb_manifest_check(j->args[0], &j->out, j->err);
}
