/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `loggbook audit`: everything that was printed, against everything else. */
#include "report/commands.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/audit_write.h"
#include "report/fill.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

/* What an audit reads, open until it has been written. */
typedef struct reading {
    lb_published *published, *quoted; /* quoted: what summaries of the programme printed on */
    lb_archive **records;
    size_t n;
    lb_register entries;
    lb_audit audit;
} reading;

static void reading_close(reading *r)
{
    lb_audit_free(&r->audit);
    lb_register_free(&r->entries);
    for (size_t i = 0; i < r->n; i++)
        lb_archive_close(r->records[i]);
    free(r->records);
    lb_published_free(r->quoted);
    lb_published_free(r->published);
}

/* "data/published/published.tsv" -> "data/published/<name>" */
static char *beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return lb_xprintf("%.*s%s", slash ? (int)(slash - path + 1) : 0, path, name);
}

static lb_status read_published(const lb_job *j, reading *r)
{
    char *quoted = beside(j->places.published, "quoted.tsv");
    lb_status st = lb_published_load(j->places.published, &r->published, j->err);
    if (st == LB_OK && lb_file_exists(quoted))
        st = lb_published_load(quoted, &r->quoted, j->err);
    free(quoted);
    if (st != LB_OK)
        return st;
    lb_claims_read(r->published, &r->audit.claims);
    if (r->quoted)
        lb_claims_read(r->quoted, &r->audit.claims);
    lb_audit_published(&r->audit);
    return LB_OK;
}

static lb_status open_record(const lb_job *j, const char *path, reading *r)
{
    lb_archive *a;
    const lb_status st = lb_archive_open(path, &a, j->err);
    if (st != LB_OK)
        return st;
    r->records = lb_xrealloc(r->records, r->n + 1, sizeof *r->records);
    r->records[r->n++] = a;
    const char *name = lb_archive_name(a), *at = strstr(path, name);
    if (*name && (!at || strcmp(at + strlen(name), ".h5") != 0))
        return LB_FAIL(j->err, LB_EINVAL, "%s holds the record of %s: delete it", path, name);
    const char *profile = lb_archive_provenance(a, "profile");
    if (*profile && strcmp(profile, j->places.profile) != 0)
        return LB_FAIL(j->err, LB_EFORMAT,
                       "%s is a record of the profile %s, not %s: delete it and run `make %s`",
                       path, profile, j->places.profile, lb_archive_experiment(a));
    return LB_OK;
}

static lb_status read_records(lb_job *j, reading *r)
{
    lb_status st = lb_catalogue_read(j->o->templates, &j->all, j->err);
    for (size_t i = 0; i < j->all.n && st == LB_OK; i++) {
        const char *slash = strrchr(j->all.folders[i], '/');
        char *path =
            lb_xprintf("%s/%s.h5", j->places.results, slash ? slash + 1 : j->all.folders[i]);
        if (lb_file_exists(path))
            st = open_record(j, path, r);
        free(path);
    }
    if (st == LB_OK && r->n == 0)
        st = LB_FAIL(j->err, LB_EIO, "no record in %s: run `make PROFILE=%s records`",
                     j->places.results, j->places.profile);
    for (size_t i = 0; i < r->n && st == LB_OK; i++) {
        lb_audit_record(&r->audit, r->records[i]);
        for (size_t k = 0; k < i; k++)
            lb_audit_pair(&r->audit, r->records[k], r->records[i]);
    }
    char *same = lb_xprintf("%s/audit/same.yaml", j->places.shared);
    if (st == LB_OK)
        st = lb_audit_same(&r->audit, same, &j->all, (const lb_archive *const *)r->records, r->n,
                           j->err);
    free(same);
    return st;
}

/* The finished reports of the profile; with those of `standard`, which visitors read, the README.
 */
static lb_status read_pages(const lb_job *j, bool standard, reading *r)
{
    char *pattern = standard ? lb_xstrdup("reports/*.md")
                             : lb_xprintf("build/%s/reports/*.md", j->places.profile);
    glob_t found = {0};
    lb_status st = LB_OK;
    glob(pattern, 0, NULL, &found);
    if (standard)
        glob("README.md", GLOB_APPEND, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc && st == LB_OK; i++) {
        char *text;
        const char *slash = strrchr(found.gl_pathv[i], '/');
        if (strncmp(slash ? slash + 1 : found.gl_pathv[i], "audit.", 6) == 0)
            continue; /* it quotes what others printed */
        st = lb_file_read(found.gl_pathv[i], &text, NULL, j->err);
        if (st != LB_OK)
            break;
        lb_audit_page(&r->audit, found.gl_pathv[i], text, (const lb_archive *const *)r->records,
                      r->n);
        free(text);
    }
    globfree(&found);
    free(pattern);
    return st;
}

static lb_status read_register(const lb_job *j, reading *r)
{
    char *path = beside(j->places.published, "register.tsv");
    const lb_status st = lb_register_load(path, r->published, &r->entries, j->err);
    free(path);
    if (st == LB_OK)
        lb_register_score(&r->entries, &r->audit);
    return st;
}

/* The report in one language, and for pandoc where that is asked for. */
static lb_status fill_report(const lb_job *j, const lb_places *places, const char *folder,
                             const char *language, const char *home, lb_text *page)
{
    const char *drafts = j->o->annotated;
    char *draft = drafts ? lb_xprintf("%s/audit.%s.md", drafts, language) : NULL;
    const lb_fill_outputs outputs = {.annotated = draft, .home = home};
    const lb_status st = lb_fill(places, folder, language, &outputs, page, j->err);
    free(draft);
    return st;
}

/* The record of the audit, then its report in both languages. */
static lb_status write_report(const lb_job *j, const reading *r, const char *home)
{
    static const char *const languages[] = {"en", "zh"};
    lb_places places = j->places;
    char *folder = lb_xprintf("%s/audit", j->places.shared);
    char *results = lb_xprintf("build/%s/audit", j->places.profile);
    char *record = lb_xprintf("%s/e00_audit.h5", results);
    places.results = results;
    places.frozen = NULL;
    lb_text pages[2] = {{0}};
    lb_status st = lb_audit_write(&r->audit, &r->entries, folder, &j->places, record, j->err);
    for (size_t i = 0; i < 2 && st == LB_OK; i++)
        st = fill_report(j, &places, folder, languages[i], home, &pages[i]);
    for (size_t i = 0; i < 2 && st == LB_OK; i++) { /* both or none */
        char *page = lb_xprintf("%s/audit.%s.md", home, languages[i]);
        st = lb_file_write(page, pages[i].s, pages[i].length, j->err);
        free(page);
    }
    lb_text_free(&pages[0]);
    lb_text_free(&pages[1]);
    free(record);
    free(results);
    free(folder);
    return st;
}

static void summarise(lb_job *j, const reading *r, const char *home, size_t own)
{
    lb_text_printf(&j->out,
                   "%zu published numbers: %zu contradictions, %zu of the %zu in the register "
                   "(%zu missed, %zu not among the published numbers)\n",
                   r->audit.claims.n, r->audit.n - own, r->entries.found, r->entries.n,
                   r->entries.missed, r->entries.absent);
    lb_text_printf(&j->out,
                   "%zu numbers of %zu records, %zu pages: %zu contradictions of our own\n",
                   r->audit.own_numbers, r->n, r->audit.own_pages, own);
    for (size_t i = 0; i < r->audit.n; i++) {
        const lb_card *card = &r->audit.cards[i];
        if (card->own)
            lb_text_printf(&j->out, "%s: %s %s %s\n", lb_card_word(card->kind), card->subject,
                           card->facts[0], card->facts[1]);
    }
    lb_text_printf(&j->out, "%s/audit.en.md\n%s/audit.zh.md\n", home, home);
}

lb_status lb_command_audit(lb_job *j)
{
    reading r = {0};
    size_t own = 0;
    const bool standard = strcmp(j->places.profile, "standard") == 0;
    char *home = j->o->out  ? lb_xstrdup(j->o->out)
                 : standard ? lb_xstrdup("reports")
                            : lb_xprintf("build/%s", j->places.profile);
    lb_status st = read_published(j, &r);
    if (st == LB_OK)
        st = read_records(j, &r);
    if (st == LB_OK)
        st = read_pages(j, standard, &r);
    if (st == LB_OK)
        st = read_register(j, &r);
    if (st == LB_OK)
        st = write_report(j, &r, home);
    for (size_t i = 0; i < r.audit.n; i++)
        own += r.audit.cards[i].own != NULL;
    if (st == LB_OK)
        summarise(j, &r, home, own);
    reading_close(&r);
    free(home);
    return st == LB_OK && own > 0 ? LB_EFINDING : st;
}
