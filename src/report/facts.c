/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/facts.h"

#include "core/file.h"
#include "core/memory.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_KEY = 256 };

typedef struct source {
    lb_archive *record;
    lb_ledger *frozen; /* NULL if there is none */
} source;

struct lb_facts {
    lb_places places;
    const char *language;
    lb_spec *spec;
    source *sources; /* the first is this experiment's */
    size_t n_sources;
    lb_published *published;
    char **files;
    size_t n_files;
    lb_fact *used;
    size_t n_used, cap_used;
    lb_lent lent;
};

void lb_facts_depend(lb_facts *f, const char *path)
{
    for (size_t i = 0; i < f->n_files; i++) {
        if (strcmp(f->files[i], path) == 0)
            return;
    }
    f->files = lb_xrealloc(f->files, f->n_files + 1, sizeof *f->files);
    f->files[f->n_files++] = lb_xstrdup(path);
}

/* Open a record and, if it is there, its frozen reference. */
static lb_status add_source(lb_facts *f, const char *path, lb_error *err)
{
    source s = {0};
    lb_status st = lb_archive_open(path, &s.record, err);
    if (st != LB_OK)
        return st;
    lb_facts_depend(f, path);
    if (f->places.frozen) {
        char *frozen = lb_xprintf("%s/%s.tsv", f->places.frozen, lb_archive_name(s.record));
        if (lb_file_exists(frozen)) {
            st = lb_ledger_load(frozen, &s.frozen, err);
            lb_facts_depend(f, frozen);
        }
        free(frozen);
    }
    if (st != LB_OK) {
        lb_archive_close(s.record);
        return st;
    }
    f->sources = lb_xrealloc(f->sources, f->n_sources + 1, sizeof *f->sources);
    f->sources[f->n_sources++] = s;
    return LB_OK;
}

lb_facts *lb_facts_over_all(const lb_places *places, const char *language)
{
    lb_facts *f = lb_xcalloc(1, sizeof *f);
    f->places = *places;
    lb_facts_speak(f, language);
    return f;
}

void lb_facts_speak(lb_facts *f, const char *language)
{
    f->language = strcmp(language, "zh") == 0 ? "zh" : "en";
}

void lb_facts_lend(lb_facts *f, const lb_lent *lent)
{
    f->lent = *lent;
}

lb_status lb_facts_open(const lb_places *places, const char *folder, const char *language,
                        lb_facts **out, lb_error *err)
{
    lb_facts *f = lb_facts_over_all(places, language);
    char *spec = lb_xprintf("%s/spec.yaml", folder), *record = NULL;
    lb_status st = lb_spec_load(spec, &f->spec, err);
    if (st == LB_OK) {
        lb_facts_depend(f, spec);
        record = places->record ? lb_xstrdup(places->record)
                                : lb_xprintf("%s/%s.h5", places->results, lb_spec_name(f->spec));
        st = add_source(f, record, err);
    }
    if (st == LB_OK)
        st = lb_archive_check_spec(f->sources[0].record, f->spec, err);
    if (st == LB_OK && lb_archive_asked_published(f->sources[0].record)) {
        const lb_published *published;
        st = lb_facts_published(f, &published, err);
        if (st == LB_OK)
            st = lb_archive_check_published(f->sources[0].record, published, err);
    }
    free(spec);
    free(record);
    if (st != LB_OK) {
        lb_facts_close(f);
        f = NULL;
    }
    *out = f;
    return st;
}

void lb_facts_close(lb_facts *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n_sources; i++) {
        lb_archive_close(f->sources[i].record);
        lb_ledger_free(f->sources[i].frozen);
    }
    for (size_t i = 0; i < f->n_files; i++)
        free(f->files[i]);
    free(f->files);
    free(f->sources);
    free(f->used);
    lb_published_free(f->published);
    lb_spec_free(f->spec);
    free(f);
}

const lb_places *lb_facts_places(const lb_facts *f)
{
    return &f->places;
}

const lb_spec *lb_facts_spec(const lb_facts *f)
{
    return f->spec;
}

const lb_archive *lb_facts_record(const lb_facts *f)
{
    return f->spec ? f->sources[0].record : NULL;
}

const char *lb_facts_language(const lb_facts *f)
{
    return f->language;
}

/* --- looking up --------------------------------------------------------------------------------
 */

/* The source of experiment @p id ("e01"), opened when it is not yet. */
static lb_status source_of(lb_facts *f, const char *id, source **out, lb_error *err)
{
    for (size_t i = 0; i < f->n_sources; i++) {
        if (strcmp(lb_archive_experiment(f->sources[i].record), id) == 0) {
            *out = &f->sources[i];
            return LB_OK;
        }
    }
    char *pattern = lb_xprintf("%s/%s_*.h5", f->places.results, id);
    glob_t found = {0};
    const int none = glob(pattern, 0, NULL, &found);
    lb_status st;
    if (none)
        st = LB_FAIL(err, LB_EIO, "no record %s: run `make %s`", pattern, id);
    else
        st = add_source(f, found.gl_pathv[0], err);
    globfree(&found);
    free(pattern);
    if (st == LB_OK)
        *out = &f->sources[f->n_sources - 1];
    return st;
}

/* "e02.r2" -> "e02"; false when the name does not start with an experiment. */
static bool experiment_of(const char *name, char stop, char *id, size_t size)
{
    const char *end = strchr(name, stop);
    if (!end || !*end || (size_t)(end - name) >= size || name[0] != 'e' || end - name < 2)
        return false;
    memcpy(id, name, (size_t)(end - name));
    id[end - name] = '\0';
    return strspn(id + 1, "0123456789") == strlen(id + 1);
}

static void mark_used(lb_facts *f, const lb_fact *fact)
{
    for (size_t i = 0; i < f->n_used; i++) {
        if (strcmp(f->used[i].key, fact->key) == 0)
            return;
    }
    if (f->n_used == f->cap_used) {
        f->cap_used = 2 * f->cap_used + 64;
        f->used = lb_xrealloc(f->used, f->cap_used, sizeof *f->used);
    }
    f->used[f->n_used] = *fact;
    f->used[f->n_used++].field = NULL;
}

/* The record's own copy of @p key, which lives as long as the record. */
static bool find_in(const lb_archive *a, const char *key, lb_fact *out)
{
    size_t n;
    const lb_pair *texts = lb_archive_texts(a, &n);
    *out = (lb_fact){.record = a, .number = lb_archive_number(a, key)};
    for (size_t i = 0; out->number && !out->key && i < lb_archive_count(a); i++) {
        if (lb_archive_at(a, i) == out->number)
            out->key = lb_archive_key(a, i);
    }
    for (size_t i = 0; !out->key && i < n; i++) {
        if (strcmp(texts[i].key, key) == 0) {
            out->key = texts[i].key;
            out->text = texts[i].value;
        }
    }
    return out->key != NULL;
}

static lb_status find_lent(lb_facts *f, const char *name, lb_fact *out, lb_error *err)
{
    const char **keys = lb_xcalloc(f->lent.n_facts + 1, sizeof *keys);
    const lb_fact *found = NULL;
    for (size_t i = 0; i < f->lent.n_facts; i++) {
        keys[i] = f->lent.facts[i].key;
        found = strcmp(keys[i], name) == 0 ? &f->lent.facts[i] : found;
    }
    const char *near = lb_nearest(name, keys, f->lent.n_facts);
    free(keys);
    if (!found)
        return LB_FAIL(err, LB_ENAME, "nothing is known under '%s'%s%s%s", name,
                       near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
    *out = *found;
    return LB_OK;
}

/* "this.data.n_train" is a key of the report's own experiment: shared pages use it. */
static lb_status find_own(lb_facts *f, const char *name, lb_fact *out, lb_error *err)
{
    char *own = lb_xprintf("%s.%s", lb_spec_experiment(f->spec), name + strlen("this."));
    const lb_status st = lb_facts_find(f, own, out, err);
    if (st == LB_OK && out->field)
        out->field = name + strlen(name) - strlen(out->field);
    free(own);
    return st;
}

lb_status lb_facts_find(lb_facts *f, const char *name, lb_fact *out, lb_error *err)
{
    char id[16], key[MAX_KEY];
    if (strncmp(name, "view.", strlen("view.")) == 0)
        return find_lent(f, name, out, err);
    if (f->spec && strncmp(name, "this.", strlen("this.")) == 0)
        return find_own(f, name, out, err);
    if (!experiment_of(name, '.', id, sizeof id))
        return LB_FAIL(err, LB_ENAME, "'%s' is no key: keys start with an experiment, such as %s.",
                       name, f->spec ? lb_spec_experiment(f->spec) : "e02");
    source *s;
    const lb_status st = source_of(f, id, &s, err);
    if (st != LB_OK)
        return st;
    const char *field = NULL;
    if (!find_in(s->record, name, out)) {
        field = lb_name_split(name, key, sizeof key);
        if (!field || !find_in(s->record, key, out)) {
            const char *near = lb_archive_nearest(s->record, field ? key : name);
            return LB_FAIL(err, LB_ENAME, "no key '%s' in %s%s%s%s", field ? key : name,
                           lb_archive_path(s->record), near ? ": did you mean '" : "",
                           near ? near : "", near ? "'?" : "");
        }
    }
    if (field && out->text)
        return LB_FAIL(err, LB_ENAME, "'%s' is a text and has no field '%s'", out->key, field);
    mark_used(f, out);
    out->field = field;
    return LB_OK;
}

/* The record and the bare id of "T02.1" or "e01:T01.1". */
static lb_status owner_of(lb_facts *f, const char **id, source **out, lb_error *err)
{
    char experiment[16];
    const bool named = experiment_of(*id, ':', experiment, sizeof experiment);
    *out = f->spec ? &f->sources[0] : NULL;
    if (!named && f->spec)
        return LB_OK;
    if (!named)
        return LB_FAIL(err, LB_ENAME, "'%s' needs its experiment here, as in e02:%s", *id, *id);
    *id = strchr(*id, ':') + 1;
    return source_of(f, experiment, out, err);
}

static lb_status no_such(const char *what, const char *id, const lb_archive *a,
                         const char *const *ids, size_t n, lb_error *err)
{
    const char *near = lb_nearest(id, ids, n);
    return LB_FAIL(err, LB_ENAME, "no %s '%s' in %s%s%s%s", what, id, lb_archive_path(a),
                   near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

lb_status lb_facts_table(lb_facts *f, const char *id, const lb_table **out, lb_error *err)
{
    for (size_t i = 0; i < f->lent.n_tables; i++) {
        *out = &f->lent.tables[i];
        if (strcmp((*out)->id, id) == 0)
            return LB_OK;
    }
    source *s;
    lb_status st = owner_of(f, &id, &s, err);
    if (st != LB_OK)
        return st;
    *out = lb_archive_table(s->record, id);
    if (*out)
        return LB_OK;
    size_t n;
    const lb_table *tables = lb_archive_tables(s->record, &n);
    const char **ids = lb_xcalloc(n + 1, sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = tables[i].id;
    st = no_such("table", id, s->record, ids, n, err);
    free(ids);
    return st;
}

lb_status lb_facts_verdict(lb_facts *f, const char *id, const lb_verdict **out, lb_error *err)
{
    source *s;
    lb_status st = owner_of(f, &id, &s, err);
    if (st != LB_OK)
        return st;
    *out = lb_archive_verdict(s->record, id);
    if (*out)
        return LB_OK;
    size_t n;
    const lb_verdict *verdicts = lb_archive_verdicts(s->record, &n);
    const char **ids = lb_xcalloc(n + 1, sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = verdicts[i].id;
    st = no_such("verdict", id, s->record, ids, n, err);
    free(ids);
    return st;
}

lb_status lb_facts_published(lb_facts *f, const lb_published **out, lb_error *err)
{
    if (!f->published) {
        const lb_status st = lb_published_load(f->places.published, &f->published, err);
        if (st != LB_OK)
            return st;
        lb_facts_depend(f, f->places.published);
    }
    *out = f->published;
    return LB_OK;
}

const lb_line *lb_facts_frozen(lb_facts *f, const char *key)
{
    char id[16];
    for (size_t i = 0; experiment_of(key, '.', id, sizeof id) && i < f->n_sources; i++) {
        if (f->sources[i].frozen && strcmp(lb_archive_experiment(f->sources[i].record), id) == 0)
            return lb_ledger_find(f->sources[i].frozen, key);
    }
    return NULL;
}

/* --- conditions --------------------------------------------------------------------------------
 */

/* In a view, an experiment that has not run makes its numbers unknown, not the page impossible. */
static bool has_not_run(const lb_facts *f, const char *name)
{
    char id[16];
    glob_t found = {0};
    if (f->spec || !experiment_of(name, name[strcspn(name, ".:")], id, sizeof id))
        return false;
    char *pattern = lb_xprintf("%s/%s_*.h5", f->places.results, id);
    const bool none = glob(pattern, 0, NULL, &found) != 0;
    globfree(&found);
    free(pattern);
    return none;
}

static lb_status scope_name(void *self, const char *name, lb_value *out, lb_error *err)
{
    lb_facts *f = self;
    *out = (lb_value){.kind = LB_VALUE_UNKNOWN};
    if (has_not_run(f, name))
        return LB_OK;
    if (strncmp(name, "spec.", 5) == 0)
        return lb_spec_value(f->spec, name + 5, out, err);
    lb_fact fact;
    const lb_status st = lb_facts_find(f, name, &fact, err);
    if (st != LB_OK)
        return st;
    *out = fact.number ? lb_value_of(fact.number, fact.field)
                       : (lb_value){.kind = LB_VALUE_TEXT, .text = fact.text};
    return LB_OK;
}

static lb_status scope_verdict(void *self, const char *id, lb_value *out, lb_error *err)
{
    const lb_verdict *verdict;
    *out = (lb_value){.kind = LB_VALUE_TEXT, .text = "NOT RUN"};
    if (has_not_run(self, id))
        return LB_OK;
    const lb_status st = lb_facts_verdict(self, id, &verdict, err);
    if (st == LB_OK)
        *out = (lb_value){.kind = LB_VALUE_TEXT, .text = verdict->outcome};
    return st;
}

lb_scope lb_facts_scope(lb_facts *f)
{
    return (lb_scope){scope_name, scope_verdict, f};
}

size_t lb_facts_dependencies(const lb_facts *f)
{
    return f->n_files;
}

const char *lb_facts_dependency(const lb_facts *f, size_t i)
{
    return f->files[i];
}

size_t lb_facts_used(const lb_facts *f)
{
    return f->n_used;
}

const lb_fact *lb_facts_use(const lb_facts *f, size_t i)
{
    return &f->used[i];
}
