/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/lint.h"

#include "core/file.h"
#include "core/hash.h"
#include "core/memory.h"
#include "report/digits.h"
#include "report/prose.h"
#include "report/refs.h"

#include <ctype.h>
#include <glob.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The two reports of an experiment, parsed. */
typedef struct reports {
    char *path[2]; /* English, Chinese */
    lb_template *template[2];
    lb_refs refs[2];
} reports;

static const char *const languages[] = {"en", "zh"};

static void reports_free(reports *r)
{
    for (size_t i = 0; i < 2; i++) {
        lb_refs_free(&r->refs[i]);
        lb_template_free(r->template[i]);
        free(r->path[i]);
    }
}

static lb_status reports_load(const lb_places *places, const char *folder, reports *r,
                              lb_findings *out, lb_error *err)
{
    lb_status st = LB_OK;
    for (size_t i = 0; i < 2 && st == LB_OK; i++) {
        r->path[i] = lb_xprintf("%s/report.%s.md", folder, languages[i]);
        st = lb_template_load(r->path[i], places->shared, languages[i], &r->template[i], err);
        if (st == LB_OK)
            r->refs[i] = lb_refs_of(r->template[i], out);
    }
    return st;
}

/* Does either language refer to it? */
static bool is_shown(const reports *r, lb_ref_kind kind, const char *name)
{
    return lb_refs_find(&r->refs[0], kind, name) || lb_refs_find(&r->refs[1], kind, name);
}

/* --- without a record --------------------------------------------------------------------------
 */

/* What the spec declares must be shown. */
static void check_declared(const lb_spec *spec, const char *part, lb_ref_kind kind,
                           const reports *r, lb_findings *out)
{
    const lb_yaml_node *map = lb_spec_node(spec, part);
    for (size_t i = 0; map && i < map->n; i++) {
        const lb_yaml_node *item = map->items[i];
        const lb_position place = {lb_spec_path(spec), item->key_line, item->key_column};
        if (!is_shown(r, kind, map->keys[i]))
            lb_find(out, place, "%s %s is declared but no report shows it", lb_ref_word(kind),
                    map->keys[i]);
    }
}

/* What a report shows must be declared, for its caption. */
static void check_captions(const lb_spec *spec, const char *part, lb_ref_kind kind,
                           const lb_refs *refs, lb_findings *out)
{
    const lb_yaml_node *map = lb_spec_node(spec, part);
    for (size_t i = 0; i < refs->n; i++) {
        const lb_ref *r = &refs->at[i];
        if (r->kind != kind || strchr(r->name, ':') || lb_yaml_get(map, r->name))
            continue;
        char *hint =
            map ? lb_suggestion(r->name, (const char *const *)map->keys, map->n) : lb_xstrdup("");
        lb_find(out, r->place, "%s '%s' is not declared in %s%s", lb_ref_word(kind), r->name,
                lb_spec_path(spec), hint);
        free(hint);
    }
}

static void check_settings(const lb_spec *spec, const lb_refs *refs, lb_findings *out)
{
    for (size_t i = 0; i < refs->n; i++) {
        const lb_ref *r = &refs->at[i];
        if (r->kind != LB_REF_SPEC || lb_spec_has(spec, r->name))
            continue;
        const char *near = lb_spec_nearest(spec, r->name);
        lb_find(out, r->place, "no setting '%s' in %s%s%s%s", r->name, lb_spec_path(spec),
                near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
}

static void check_templates(const lb_spec *spec, const reports *r, lb_findings *out)
{
    for (size_t i = 0; i < 2; i++) {
        lb_lint_digits(r->template[i], spec, out);
        check_captions(spec, "tables", LB_REF_TABLE, &r->refs[i], out);
        check_captions(spec, "figures", LB_REF_FIGURE, &r->refs[i], out);
        check_settings(spec, &r->refs[i], out);
    }
    lb_lint_spec_digits(spec, out);
    check_declared(spec, "tables", LB_REF_TABLE, r, out);
    check_declared(spec, "figures", LB_REF_FIGURE, r, out);
    lb_lint_parity(&r->refs[0], r->path[0], &r->refs[1], r->path[1], out);
}

/* --- with the record ---------------------------------------------------------------------------
 */

/* Does what @p r refers to exist? */
static lb_status look_up(lb_facts *f, const lb_ref *r, lb_error *err)
{
    lb_fact fact;
    const lb_table *table;
    const lb_verdict *verdict;
    const lb_published *published;
    switch (r->kind) {
    case LB_REF_KEY:
        return lb_facts_find(f, r->name, &fact, err);
    case LB_REF_TABLE:
        return lb_facts_table(f, r->name, &table, err);
    case LB_REF_VERDICT:
        return lb_facts_verdict(f, r->name, &verdict, err);
    case LB_REF_PUBLISHED:
        if (lb_facts_published(f, &published, err) != LB_OK)
            return err->status;
        if (lb_published_find(published, r->name))
            return LB_OK;
        return LB_FAIL(err, LB_ENAME, "nothing published under '%s'", r->name);
    default:
        return LB_OK;
    }
}

static void check_names(lb_facts *f, const lb_refs *refs, lb_findings *out)
{
    for (size_t i = 0; i < refs->n; i++) {
        lb_error err = {0};
        if (look_up(f, &refs->at[i], &err) != LB_OK)
            lb_find(out, refs->at[i].place, "%s", err.text);
    }
}

/* The file must be the very picture the run drew, when the record says which that is. */
static void check_picture(lb_facts *f, const char *id, const char *path, lb_position place,
                          lb_findings *out)
{
    const char *drawn = lb_archive_figure_hash(lb_facts_record(f), id);
    char now[LB_HASH_SIZE];
    if (*drawn && lb_hash_file(path, now, NULL) == LB_OK && strcmp(drawn, now) != 0)
        lb_find(out, place, "%s is not the picture that the run drew for figure %s: run `make %s`",
                path, id, lb_spec_experiment(lb_facts_spec(f)));
}

/* Figures that were declared and drawn must be there; files of the experiment that nobody declares,
 * or that the run behind the record did not draw, must not. A run may leave a figure out (a
 * retention that cannot be printed has no histogram): a report that shows it all the same cannot be
 * filled. */
static void check_figure_files(lb_facts *f, lb_findings *out)
{
    const lb_spec *spec = lb_facts_spec(f);
    const char *folder = lb_facts_places(f)->figures;
    const lb_yaml_node *map = lb_spec_node(spec, "figures");
    lb_text known = {0};
    for (size_t i = 0; map && i < map->n; i++) {
        const lb_yaml_node *item = map->items[i], *stem = lb_yaml_get(item, "file");
        char *path = lb_xprintf("%s/%s.svg", folder, stem ? stem->text : map->keys[i]);
        const lb_position place = {lb_spec_path(spec), item->key_line, item->key_column};
        const bool drawn = lb_archive_figure(lb_facts_record(f), map->keys[i]) != NULL;
        if (drawn && !lb_file_exists(path))
            lb_find(out, place, "no file %s for figure %s", path, map->keys[i]);
        if (!drawn && lb_file_exists(path))
            lb_find(out, place, "%s is of another run: this one did not draw figure %s", path,
                    map->keys[i]);
        if (drawn)
            check_picture(f, map->keys[i], path, place, out);
        lb_text_printf(&known, "%s\n", path);
        free(path);
    }
    char *pattern = lb_xprintf("%s/%s_*.svg", folder, lb_spec_experiment(spec));
    glob_t found = {0};
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            char *line = lb_xprintf("%s\n", found.gl_pathv[i]);
            if (!known.s || !strstr(known.s, line))
                lb_find(out, (lb_position){found.gl_pathv[i], 1, 1},
                        "no figure of %s is drawn here", lb_spec_path(spec));
            free(line);
        }
    }
    globfree(&found);
    free(pattern);
    lb_text_free(&known);
}

/* Does some setting below @p node hold the number @p seed? */
static bool is_declared(const lb_yaml_node *node, double seed)
{
    double value;
    if (node->kind == LB_YAML_SCALAR)
        return lb_yaml_number(node, &value) && value == seed;
    for (size_t i = 0; i < node->n; i++) {
        if (is_declared(node->items[i], seed))
            return true;
    }
    return false;
}

/* A number drawn with a seed that the spec does not know is of another protocol. */
static void check_seeds(lb_facts *f, lb_findings *out)
{
    const lb_archive *a = lb_facts_record(f);
    const lb_spec *spec = lb_facts_spec(f);
    for (size_t i = 0; i < lb_archive_count(a); i++) {
        const uint64_t seed = lb_archive_at(a, i)->seed;
        if (seed && !is_declared(lb_spec_node(spec, ""), (double)seed))
            lb_find(out, (lb_position){lb_archive_path(a), 1, 1},
                    "%s was drawn with seed %llu, which %s does not declare", lb_archive_key(a, i),
                    (unsigned long long)seed, lb_spec_path(spec));
    }
}

/* Mark what the tables, verdicts, the published table and that of the differences show. */
static void use_indirect(lb_facts *f)
{
    size_t n;
    lb_fact fact;
    const lb_archive *a = lb_facts_record(f);
    const lb_table *tables = lb_archive_tables(a, &n);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < tables[i].rows * tables[i].cols; k++) {
            if (tables[i].cells[k].key)
                lb_facts_find(f, tables[i].cells[k].key, &fact, NULL);
        }
    }
    const lb_verdict *verdicts = lb_archive_verdicts(a, &n);
    for (size_t i = 0; i < n; i++)
        lb_facts_find(f, verdicts[i].metric, &fact, NULL);
    for (size_t i = 0; i < lb_archive_count(a); i++)
        if (isfinite(lb_archive_at(a, i)->boot_mean))
            lb_facts_find(f, lb_archive_key(a, i), &fact, NULL);
    const lb_yaml_node *rows = lb_spec_node(lb_facts_spec(f), "published");
    for (size_t i = 0; rows && i < rows->n; i++)
        lb_facts_find(f, lb_yaml_get(rows->items[i], "ours")->text, &fact, NULL);
}

/* One line however many there are: a record may keep more than its report shows. */
static void warn_unused(lb_facts *f, lb_findings *out)
{
    const lb_archive *a = lb_facts_record(f);
    char *scope = lb_xprintf("%s.scope.", lb_archive_experiment(a));
    const char *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < lb_archive_count(a); i++) {
        const char *key = lb_archive_key(a, i);
        bool used = strncmp(key, scope, strlen(scope)) == 0;
        for (size_t k = 0; k < lb_facts_used(f) && !used; k++)
            used = strcmp(lb_facts_use(f, k)->key, key) == 0;
        if (used)
            continue;
        first = first ? first : key;
        n++;
    }
    if (n)
        lb_find_warning(out, (lb_position){lb_archive_path(a), 1, 1},
                        "%zu of %zu numbers are shown by no report, %s%s", n, lb_archive_count(a),
                        n > 1 ? "first " : "", first);
    free(scope);
}

/* Words of the record: a sentence in Chinese may need others. */
static bool is_text(void *self, const lb_shown *value)
{
    lb_fact fact;
    return value->kind == LB_NODE_VALUE && lb_facts_find(self, value->name, &fact, NULL) == LB_OK &&
           !fact.number;
}

static lb_status check_record(const lb_places *places, const char *folder, const reports *r,
                              lb_findings *out, lb_error *err)
{
    lb_facts *f;
    const lb_status st = lb_facts_open(places, folder, "en", &f, err);
    if (st != LB_OK)
        return st;
    check_names(f, &r->refs[0], out);
    check_names(f, &r->refs[1], out);
    lb_lint_lines(&r->refs[0], r->path[0], &r->refs[1], is_text, f, out);
    check_figure_files(f, out);
    check_seeds(f, out);
    use_indirect(f);
    warn_unused(f, out);
    lb_facts_close(f);
    return LB_OK;
}

lb_status lb_lint_experiment(const lb_places *places, const char *folder, lb_findings *out,
                             lb_error *err)
{
    reports r = {0};
    lb_spec *spec = NULL;
    char *path = lb_xprintf("%s/spec.yaml", folder), *record = NULL;
    const size_t before = out->errors;
    lb_status st = lb_spec_load(path, &spec, err);
    if (st == LB_OK)
        st = reports_load(places, folder, &r, out, err);
    if (st == LB_OK) {
        check_templates(spec, &r, out);
        record = lb_xprintf("%s/%s.h5", places->results, lb_spec_name(spec));
        if (lb_file_exists(record))
            st = check_record(places, folder, &r, out, err);
        else
            lb_find_warning(out, (lb_position){record, 1, 1},
                            "no such record: keys, verdicts and figures were not checked");
    }
    if (st == LB_OK && out->errors > before)
        st = LB_EFINDING;
    reports_free(&r);
    lb_spec_free(spec);
    free(record);
    free(path);
    return st;
}

/* --- finished pages ----------------------------------------------------------------------------
 */

static bool is_boundary(char c)
{
    return !isalnum((unsigned char)c) && c != '_';
}

/* What may not stand at *s in a finished page, or NULL. */
static const char *forbidden_at(const char *s, char before)
{
    static const char *const words[] = {"TODO", "FIXME", "TBD", "XXX", "NaN", "nan", "inf"};
    if (s[0] == '{' && (s[1] == '{' || s[1] == '%'))
        return s[1] == '{' ? "{{" : "{%";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strncmp(s, words[i], strlen(words[i])) == 0 && is_boundary(before) &&
            is_boundary(s[strlen(words[i])]))
            return words[i];
    }
    return NULL;
}

/* Does *s begin a Chinese sign in UTF-8: punctuation, Han or full width? */
static bool is_chinese(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    return (u[0] == 0xE3 && u[1] == 0x80) || (u[0] >= 0xE4 && u[0] <= 0xE9) ||
           (u[0] == 0xEF && u[1] == 0xBC);
}

lb_status lb_lint_page(const char *path, lb_findings *out, lb_error *err)
{
    char *text;
    const lb_status st = lb_file_read(path, &text, NULL, err);
    if (st != LB_OK)
        return st;
    const size_t before = out->errors;
    lb_prose prose = {0};
    lb_position place = {path, 1, 1};
    const bool english = strstr(path, ".en.md") != NULL;
    for (const char *s = text; *s; s++) {
        const lb_prose_kind kind = lb_prose_step(&prose, s);
        const char *found = kind == LB_PROSE_CODE ? NULL : forbidden_at(s, s > text ? s[-1] : '\n');
        if (found)
            lb_find(out, place, "'%s' is left in a finished page", found);
        if (english && is_chinese(s))
            lb_find(out, place,
                    "'%.3s' on an English page: pdflatex, which arXiv runs, has no such sign", s);
        place.column += ((unsigned char)*s & 0xC0) != 0x80;
        if (*s == '\n')
            place = (lb_position){path, place.line + 1, 1};
    }
    free(text);
    return out->errors > before ? LB_EFINDING : LB_OK;
}
