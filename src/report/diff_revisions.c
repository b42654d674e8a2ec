/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two states of the project: what each had frozen, had written, had drawn, and was built from. */
#include "report/diff.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/built_from.h"
#include "report/template.h"

#include <stdlib.h>
#include <string.h>

/* What is compared, and where it lies. */
typedef struct work {
    const lb_places *places;
    const char *templates, *reports;
    lb_snapshot *a, *b;
    bool records;        /* b is the working tree: its records speak before its frozen files */
    bool pages, figures; /* both sides have some */
    lb_names names;      /* of experiments, sorted */
    lb_error *err;
} work;

/* --- which experiments -------------------------------------------------------------------------
 */

static void add_name(lb_names *names, const char *name, size_t length)
{
    for (size_t i = 0; i < names->n; i++)
        if (strncmp(names->at[i], name, length) == 0 && !names->at[i][length])
            return;
    names->at = lb_xrealloc(names->at, names->n + 1, sizeof *names->at);
    names->at[names->n++] = lb_xprintf("%.*s", (int)length, name);
}

/* If @p path is FOLDER/NAME+end, the length of NAME, which starts at *name. */
static size_t name_in(const char *path, const char *folder, const char *end, const char **name)
{
    const size_t n = strlen(folder), length = strlen(path), tail = strlen(end);
    if (strncmp(path, folder, n) != 0 || path[n] != '/' || length < n + 1 + tail ||
        strcmp(path + length - tail, end) != 0)
        return 0;
    *name = path + n + 1;
    const size_t m = length - n - 1 - tail;
    return memchr(*name, '/', m) ? 0 : m;
}

static char *record_path(const work *w, const char *name, size_t length)
{
    return lb_xprintf("%s/%.*s.h5", w->places->results, (int)length, name);
}

/* If @p path lies in the templates of an experiment, the length of its name, which starts at *name.
 */
static size_t template_of(const work *w, const char *path, const char **name)
{
    const size_t n = strlen(w->templates);
    static const char folder[] = "/experiments/";
    if (strncmp(path, w->templates, n) != 0 || strncmp(path + n, folder, strlen(folder)) != 0)
        return 0;
    *name = path + n + strlen(folder);
    return strcspn(*name, "/");
}

/* Those that have something frozen, or a record in the working tree. */
static void add_names(work *w, const lb_snapshot *s)
{
    for (size_t i = 0; i < lb_snapshot_count(s); i++) {
        const char *name = NULL, *path = lb_snapshot_path(s, i);
        size_t n = name_in(path, w->places->frozen, ".tsv", &name);
        if (!n && w->records && (n = template_of(w, path, &name)) > 0) {
            char *record = record_path(w, name, n);
            n = lb_file_exists(record) ? n : 0;
            free(record);
        }
        if (n)
            add_name(&w->names, name, n);
    }
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_named(const char *name, const char *word)
{
    const size_t n = strlen(word);
    return strncmp(name, word, n) == 0 && (!name[n] || (name[n] == '_' && !strchr(word, '_')));
}

/* Only those that were asked for. */
static lb_status select_names(work *w, const char *const *words, size_t n)
{
    lb_names kept = {0};
    lb_status st = LB_OK;
    for (size_t k = 0; k < n && st == LB_OK; k++) {
        size_t found = 0;
        for (size_t i = 0; i < w->names.n; i++) {
            if (is_named(w->names.at[i], words[k])) {
                add_name(&kept, w->names.at[i], strlen(w->names.at[i]));
                found++;
            }
        }
        if (!found) {
            char *hint = lb_suggestion(words[k], (const char *const *)w->names.at, w->names.n);
            st = LB_FAIL(w->err, LB_ENAME, "neither %s nor %s has results of '%s' in %s%s",
                         lb_snapshot_name(w->a), lb_snapshot_name(w->b), words[k],
                         w->places->frozen, hint);
            free(hint);
        }
    }
    if (n) {
        lb_names_free(&w->names);
        w->names = kept;
    }
    return st;
}

/* --- one experiment ----------------------------------------------------------------------------
 */

static lb_spec *spec_of(const work *w, const lb_snapshot *s, const char *name)
{
    char *path = lb_xprintf("%s/experiments/%s/spec.yaml", w->templates, name);
    const char *text = lb_snapshot_text(s, path, NULL);
    lb_spec *spec = NULL;
    if (text && lb_spec_parse(text, path, &spec, NULL) != LB_OK)
        spec = NULL; /* of a state whose settings were shaped otherwise */
    free(path);
    return spec;
}

/* Provenance as a finished page states it. */
static void read_inputs(const char *page, lb_became_list *out, bool now)
{
    while (page && *page) {
        lb_input_row row;
        if (lb_page_input(page, &row)) {
            char *key = lb_xprintf("%.*s", row.key_length, row.key),
                 *value = lb_xprintf("%.*s", row.value_length, row.value);
            lb_became_put(out, key, value, now);
            free(value);
            free(key);
        }
        page += strcspn(page, "\n");
        page += *page == '\n';
    }
}

/* The frozen file; *out stays NULL if there is none. */
static lb_status read_frozen(const work *w, const lb_snapshot *s, const char *name, lb_ledger **out)
{
    char *path = lb_xprintf("%s/%s.tsv", w->places->frozen, name);
    char *label = lb_xprintf("%s of %s", path, lb_snapshot_name(s));
    const char *text = lb_snapshot_text(s, path, NULL);
    const lb_status st = text ? lb_ledger_parse(text, label, out, w->err) : LB_OK;
    free(label);
    free(path);
    return st;
}

static bool is_frozen_otherwise(const work *w, const char *name)
{
    char *path = lb_xprintf("%s/%s.tsv", w->places->frozen, name);
    const char *was = lb_snapshot_text(w->a, path, NULL), *now = lb_snapshot_text(w->b, path, NULL);
    free(path);
    return was && now && strcmp(was, now) != 0;
}

/* The record of the working tree takes the place of what is frozen there. */
static lb_status read_record(const work *w, lb_change *c)
{
    char *path = record_path(w, c->name, strlen(c->name));
    lb_archive *a = NULL;
    lb_text remark = {0};
    lb_status st = LB_OK;
    if (w->records && lb_file_exists(path)) {
        st = lb_archive_open(path, &a, w->err);
        if (st == LB_OK) {
            lb_ledger_free(c->now);
            c->now = lb_ledger_of(a, c->spec);
            lb_diff_record_inputs(a, &c->inputs, true);
            if (c->spec && lb_archive_check_spec(a, c->spec, NULL) != LB_OK)
                lb_text_printf(&remark,
                               "The record was made with another `spec.yaml` than that of "
                               "the working tree: run `make %s`. ",
                               c->id);
            if (is_frozen_otherwise(w, c->name))
                lb_text_printf(&remark,
                               "Here the record speaks; its frozen file has changed too, "
                               "see `loggbook verify %s`.",
                               c->id);
        }
        lb_archive_close(a);
    }
    if (remark.length)
        c->remark = lb_text_take(&remark);
    free(path);
    return st;
}

/* Reasons in the history of @p now that @p was does not have. */
static char *new_reasons(const lb_ledger *was, const lb_ledger *now)
{
    lb_text out = {0};
    for (const char *line = now ? now->history : ""; *line;) {
        const int n = (int)strcspn(line, "\n");
        char *text = lb_xprintf("%.*s", n, line);
        const size_t start = strspn(text, "# ");
        if (start == 4 && !(was && strstr(was->history, text)))
            lb_text_printf(&out, "%s\n", text + start);
        free(text);
        line += n + (line[n] == '\n');
    }
    return lb_text_take(&out);
}

static lb_status compare_results(const work *w, lb_change *c)
{
    lb_status st = read_frozen(w, w->a, c->name, &c->was);
    if (st == LB_OK)
        st = read_frozen(w, w->b, c->name, &c->now);
    if (st == LB_OK) {
        c->reasons = new_reasons(c->was, c->now);
        st = read_record(w, c);
    }
    return st == LB_OK && c->was && c->now ? lb_moves_find(c->was, c->now, &c->moves, w->err) : st;
}

static void compare_page(const work *w, lb_change *c, const char *path)
{
    const char *was = lb_snapshot_text(w->a, path, NULL), *now = lb_snapshot_text(w->b, path, NULL);
    if (!was && !now)
        return;
    c->pages = lb_xrealloc(c->pages, c->n_pages + 1, sizeof *c->pages);
    lb_page_change *p = &c->pages[c->n_pages++];
    *p = (lb_page_change){.path = lb_xstrdup(path), .was = was, .now = now};
    if (was && now)
        lb_sentences_compare(was, now, &p->sentences);
}

static void compare_pages(const work *w, lb_change *c)
{
    static const char *const languages[] = {"en", "zh"};
    for (size_t k = 0; k < 2 && w->pages; k++) {
        char *path = lb_xprintf("%s/%s.%s.md", w->reports, c->name, languages[k]);
        compare_page(w, c, path);
        free(path);
    }
}

/* A file as it was and is, by its hash; nothing is noted where neither side has it. */
static void compare_file(const work *w, const char *path, lb_became_list *out)
{
    char hash[LB_HASH_SIZE];
    size_t n;
    for (int now = 0; now < 2; now++) {
        const char *text = lb_snapshot_text(now ? w->b : w->a, path, &n);
        if (!text)
            continue;
        lb_hash_bytes(text, n, hash);
        lb_became_put(out, path, hash, now);
    }
}

static bool starts(const char *path, const char *folder, const char *name)
{
    const size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && path[n] == '/' &&
           strncmp(path + n + 1, name, strlen(name)) == 0;
}

/* All files of either side whose path is FOLDER/NAME... */
static void compare_files(const work *w, const char *folder, const char *name, lb_became_list *out)
{
    for (int now = 0; now < 2; now++) {
        const lb_snapshot *s = now ? w->b : w->a;
        for (size_t i = 0; i < lb_snapshot_count(s); i++)
            if (starts(lb_snapshot_path(s, i), folder, name))
                compare_file(w, lb_snapshot_path(s, i), out);
    }
    lb_became_settle(out, false);
}

static void compare_sources(const work *w, lb_change *c)
{
    char *folder = lb_xprintf("%s/experiments", w->templates),
         *templates = lb_xprintf("%s/", c->name);
    lb_names names;
    compare_files(w, folder, templates, &c->files);
    for (int now = 0; now < 2; now++) {
        lb_built_from(now ? w->b : w->a, c->name, &names);
        for (size_t i = 0; i < names.n; i++)
            compare_file(w, names.at[i], &c->files);
        c->sources = names.n;
        lb_names_free(&names);
    }
    lb_became_settle(&c->files, false);
    free(templates);
    free(folder);
}

static lb_status compare_experiment(const work *w, const char *name, lb_change *c)
{
    *c = (lb_change){.name = lb_xstrdup(name),
                     .id = lb_xprintf("%.*s", (int)strcspn(name, "_"), name),
                     .spec_was = spec_of(w, w->a, name),
                     .spec = spec_of(w, w->b, name)};
    char *page = lb_xprintf("%s/%s.en.md", w->reports, name), *figures = lb_xprintf("%s_", c->id);
    read_inputs(lb_snapshot_text(w->a, page, NULL), &c->inputs, false);
    read_inputs(lb_snapshot_text(w->b, page, NULL), &c->inputs, true);
    const lb_status st = compare_results(w, c);
    c->inputs_known = lb_became_settle(&c->inputs, true);
    const lb_spec *spec = c->spec ? c->spec : c->spec_was;
    c->title = lb_xstrdup(spec ? lb_spec_text(spec, "title", "en") : "");
    compare_pages(w, c);
    if (w->figures)
        compare_files(w, w->places->figures, figures, &c->figures);
    compare_sources(w, c);
    free(figures);
    free(page);
    return st;
}

/* --- what stands above the experiments ---------------------------------------------------------
 */

static bool is_of_experiment(const work *w, const char *base)
{
    for (size_t i = 0; i < w->names.n; i++) {
        const char *name = w->names.at[i];
        if (strncmp(base, name, strlen(name)) == 0 || /* its page, or a figure of its */
            strncmp(base, name, strcspn(name, "_") + 1) == 0)
            return true;
    }
    return false;
}

static void compare_documents(const work *w, lb_change *c)
{
    char *views = lb_xprintf("%s/views", w->templates);
    *c = (lb_change){.id = lb_xstrdup(""), .name = lb_xstrdup(""), .title = lb_xstrdup("")};
    compare_files(w, views, "", &c->files);
    for (int now = 0; now < 2; now++) {
        const lb_snapshot *s = now ? w->b : w->a;
        for (size_t i = 0; i < lb_snapshot_count(s); i++) {
            const char *path = lb_snapshot_path(s, i), *name;
            if (now && lb_snapshot_text(w->a, path, NULL))
                continue; /* met before */
            if (w->pages && name_in(path, w->reports, ".md", &name) && !is_of_experiment(w, name))
                compare_page(w, c, path);
            if (w->figures && name_in(path, w->places->figures, ".svg", &name) &&
                !is_of_experiment(w, name))
                compare_file(w, path, &c->figures);
        }
    }
    lb_became_settle(&c->figures, false);
    free(views);
}

static bool has_any(const lb_snapshot *s, const char *folder, const char *end)
{
    const char *name;
    for (size_t i = 0; i < lb_snapshot_count(s); i++)
        if (name_in(lb_snapshot_path(s, i), folder, end, &name))
            return true;
    return false;
}

static void look_around(work *w, lb_diff *out)
{
    lb_text remark = {0};
    size_t records = 0;
    w->pages = has_any(w->a, w->reports, ".md") && has_any(w->b, w->reports, ".md");
    w->figures =
        has_any(w->a, w->places->figures, ".svg") && has_any(w->b, w->places->figures, ".svg");
    for (size_t i = 0; i < w->names.n && w->records; i++) {
        char *path = record_path(w, w->names.at[i], strlen(w->names.at[i]));
        records += lb_file_exists(path);
        free(path);
    }
    if (records)
        lb_text_printf(&remark,
                       " The working tree speaks through %zu records in `%s` and %zu "
                       "frozen files.",
                       records, w->places->results, w->names.n - records);
    if (!w->pages)
        lb_text_printf(&remark, " Sentences are not compared: not both sides have `%s`.",
                       w->reports);
    if (!w->figures)
        lb_text_printf(&remark, " Figures are not compared: not both sides have `%s`.",
                       w->places->figures);
    out->remark = lb_text_take(&remark);
}

static lb_status compare_all(work *w, bool all, lb_diff *out)
{
    lb_status st = LB_OK;
    look_around(w, out);
    out->at = lb_xcalloc(w->names.n + 1, sizeof *out->at);
    for (size_t i = 0; i < w->names.n && st == LB_OK; i++)
        st = compare_experiment(w, w->names.at[i], &out->at[out->n++]);
    if (st == LB_OK && all)
        compare_documents(w, &out->at[out->n++]);
    return st;
}

lb_status lb_diff_revisions_read(const lb_places *places, const char *templates,
                                 const char *reports, const char *a, const char *b,
                                 const char *const *names, size_t n_names, lb_diff *out,
                                 lb_error *err)
{
    const char *const folders[] = {"src",   templates,       places->frozen,
                                   reports, places->figures, NULL};
    work w = {.places = places,
              .templates = templates,
              .reports = reports,
              .records = !b || !*b,
              .err = err};
    *out = (lb_diff){.profile = lb_xstrdup(places->profile), .revisions = true};
    lb_status st = lb_snapshot_take(a, folders, &w.a, err);
    if (st == LB_OK)
        st = lb_snapshot_take(b, folders, &w.b, err);
    if (st == LB_OK) {
        out->a = lb_xstrdup(lb_snapshot_name(w.a));
        out->b = lb_xstrdup(lb_snapshot_name(w.b));
        add_names(&w, w.a);
        add_names(&w, w.b);
        if (w.names.n)
            qsort(w.names.at, w.names.n, sizeof *w.names.at, by_bytes);
        else
            st = LB_FAIL(err, LB_EIO, "neither %s nor %s has anything frozen in %s", out->a, out->b,
                         places->frozen);
    }
    if (st == LB_OK)
        st = select_names(&w, names, n_names);
    if (st == LB_OK)
        st = compare_all(&w, n_names == 0, out);
    lb_names_free(&w.names);
    lb_snapshot_free(w.a);
    lb_snapshot_free(w.b);
    return st;
}
