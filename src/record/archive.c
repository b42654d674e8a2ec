/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/archive.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "record/keys.h"
#include "record/layout.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct list {
    void *rows;
    size_t n;
} list;

typedef struct stored_table {
    char *id;
    list columns, cells;
} stored_table;

typedef struct stored_series {
    char *name;
    double *values;
    size_t n;
} stored_series;

struct lb_archive {
    char *path;
    list head, numbers, texts, rowsets, verdicts, figures, provenance, run;
    lb_number *values; /* one a row of numbers */
    lb_keys keys, text_keys;
    stored_table *stored_tables;
    size_t n_tables;
    stored_series *series;
    size_t n_series;
    /* the same lists as they are handed out */
    lb_table *table_views;
    lb_verdict *verdict_views;
    lb_rowset_entry *rowset_views;
};

/* --- names --------------------------------------------------------------------------------- */

/* "e02" of ".../e02_piecewise.h5", for "run `make e02`". */
static void guess_experiment(const char *path, char out[32])
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t n = strcspn(base, "_.");
    n = n < 31 ? n : 31;
    memcpy(out, base, n);
    out[n] = '\0';
}

static const char *pair_value(const list *l, const char *key)
{
    const lb_pair_row *rows = l->rows;
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(rows[i].key, key))
            return rows[i].value;
    return NULL;
}

/* --- reading ------------------------------------------------------------------------------- */

static lb_status read_table(hid_t file, stored_table *t, lb_error *err)
{
    char *columns = lb_xprintf("tables/%s/columns", t->id);
    char *cells = lb_xprintf("tables/%s/cells", t->id);
    size_t width = 0;
    lb_status st = lb_layout_read(file, columns, &lb_layout_columns, &t->columns.rows,
                                  &t->columns.n, NULL, err);
    if (st == LB_OK)
        st =
            lb_layout_read(file, cells, &lb_layout_cells, &t->cells.rows, &t->cells.n, &width, err);
    if (st == LB_OK && (width != t->columns.n || !width))
        st = LB_FAIL(err, LB_EFORMAT, "table %s has %zu columns but rows of %zu cells", t->id,
                     t->columns.n, width);
    free(columns);
    free(cells);
    return st;
}

static herr_t note_table(hid_t group, const char *name, const H5L_info_t *info, void *self)
{
    lb_archive *a = self;
    (void)group;
    (void)info;
    stored_table *t = lb_push(&a->stored_tables, &a->n_tables, sizeof *t);
    t->id = lb_xstrdup(name);
    return 0;
}

static lb_status read_tables(lb_archive *a, hid_t file, lb_error *err)
{
    lb_status st = LB_OK;
    if (H5Literate_by_name(file, "tables", H5_INDEX_NAME, H5_ITER_INC, NULL, note_table, a,
                           H5P_DEFAULT) < 0)
        return LB_FAIL(err, LB_EFORMAT, "the group 'tables' is missing");
    for (size_t i = 0; st == LB_OK && i < a->n_tables; i++)
        st = read_table(file, &a->stored_tables[i], err);
    return st;
}

static herr_t note_series(hid_t group, const char *name, const H5O_info_t *info, void *self)
{
    lb_archive *a = self;
    (void)group;
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    stored_series *s = lb_push(&a->series, &a->n_series, sizeof *s);
    s->name = lb_xstrdup(name);
    return 0;
}

static lb_status read_one_series(hid_t group, stored_series *s, lb_error *err)
{
    enum { MAX_VALUES = 100000000 };
    const hid_t set = H5Dopen2(group, s->name, H5P_DEFAULT);
    const hid_t space = set < 0 ? -1 : H5Dget_space(set);
    hsize_t n = 0;
    bool good = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
                H5Sget_simple_extent_dims(space, &n, NULL) == 1 && n <= MAX_VALUES;
    if (good) {
        s->n = (size_t)n;
        s->values = lb_xcalloc(s->n + 1, sizeof *s->values);
        good = !n || H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, s->values) >= 0;
    }
    if (space >= 0)
        H5Sclose(space);
    if (set >= 0)
        H5Dclose(set);
    return good ? LB_OK : LB_FAIL(err, LB_EFORMAT, "the series '%s' cannot be read", s->name);
}

static lb_status read_series(lb_archive *a, hid_t file, lb_error *err)
{
    lb_status st = LB_OK;
    const hid_t group = H5Gopen2(file, "series", H5P_DEFAULT);
    if (group < 0 || H5Ovisit(group, H5_INDEX_NAME, H5_ITER_INC, note_series, a) < 0)
        st = LB_FAIL(err, LB_EFORMAT, "the group 'series' is missing or damaged");
    for (size_t i = 0; st == LB_OK && i < a->n_series; i++)
        st = read_one_series(group, &a->series[i], err);
    if (group >= 0)
        H5Gclose(group);
    return st;
}

static lb_status check_head(lb_archive *a, lb_error *err)
{
    char *expected = lb_xprintf("loggbook record %d", LB_RECORD_FORMAT);
    const char *format = pair_value(&a->head, "format");
    lb_status st = LB_OK;
    if (!format || strcmp(format, expected))
        st = LB_FAIL(err, LB_EFORMAT, "its format is '%s', this program reads '%s'",
                     format ? format : "unknown", expected);
    else if (!pair_value(&a->head, "experiment") || !pair_value(&a->head, "name"))
        st = LB_FAIL(err, LB_EFORMAT, "it does not say which experiment it belongs to");
    free(expected);
    return st;
}

static lb_status read_lists(lb_archive *a, hid_t file, lb_error *err)
{
    const struct {
        const char *name;
        const lb_layout *layout;
        list *out;
    } lists[] = {{"numbers", &lb_layout_numbers, &a->numbers},
                 {"texts", &lb_layout_pairs, &a->texts},
                 {"rowsets", &lb_layout_rowsets, &a->rowsets},
                 {"verdicts", &lb_layout_verdicts, &a->verdicts},
                 {"figures", &lb_layout_figures, &a->figures},
                 {"provenance", &lb_layout_pairs, &a->provenance},
                 {"run", &lb_layout_pairs, &a->run}};
    lb_status st =
        lb_layout_read(file, "record", &lb_layout_pairs, &a->head.rows, &a->head.n, NULL, err);
    if (st != LB_OK || (st = check_head(a, err)) != LB_OK)
        return st;
    for (size_t i = 0; st == LB_OK && i < sizeof lists / sizeof *lists; i++)
        st = lb_layout_read(file, lists[i].name, lists[i].layout, &lists[i].out->rows,
                            &lists[i].out->n, NULL, err);
    if (st == LB_OK)
        st = read_tables(a, file, err);
    return st == LB_OK ? read_series(a, file, err) : st;
}

static lb_status index_numbers(lb_archive *a, lb_error *err)
{
    const lb_number_row *rows = a->numbers.rows;
    const lb_pair_row *texts = a->texts.rows;
    a->values = lb_xcalloc(a->numbers.n + 1, sizeof *a->values);
    for (size_t i = 0; i < a->numbers.n; i++) {
        a->values[i] = lb_number_of_row(&rows[i]);
        if (!lb_keys_add(&a->keys, rows[i].key, i))
            return LB_FAIL(err, LB_EFORMAT, "it holds '%s' twice", rows[i].key);
    }
    for (size_t i = 0; i < a->texts.n; i++)
        if (!lb_keys_add(&a->text_keys, texts[i].key, i))
            return LB_FAIL(err, LB_EFORMAT, "it holds '%s' twice", texts[i].key);
    return LB_OK;
}

static void make_table_views(lb_archive *a)
{
    a->table_views = lb_xcalloc(a->n_tables + 1, sizeof *a->table_views);
    for (size_t i = 0; i < a->n_tables; i++) {
        const stored_table *t = &a->stored_tables[i];
        const lb_pair_row *columns = t->columns.rows, *cells = t->cells.rows;
        lb_column *head = lb_xcalloc(t->columns.n, sizeof *head);
        lb_cell *body = lb_xcalloc(t->cells.n + 1, sizeof *body);
        for (size_t k = 0; k < t->columns.n; k++)
            head[k] = (lb_column){columns[k].key, columns[k].value};
        for (size_t k = 0; k < t->cells.n; k++)
            body[k] =
                *cells[k].key ? (lb_cell){cells[k].key, NULL} : (lb_cell){NULL, cells[k].value};
        a->table_views[i] = (lb_table){t->id, t->cells.n / t->columns.n, t->columns.n, head, body};
    }
}

static void make_views(lb_archive *a)
{
    const lb_verdict_row *verdicts = a->verdicts.rows;
    const lb_rowset_row *rowsets = a->rowsets.rows;
    make_table_views(a);
    a->verdict_views = lb_xcalloc(a->verdicts.n + 1, sizeof *a->verdict_views);
    for (size_t i = 0; i < a->verdicts.n; i++) {
        const lb_verdict_row *v = &verdicts[i];
        lb_number value = lb_number_plain(v->value, v->kind, v->unit);
        value.ci_lo = v->ci_lo;
        value.ci_hi = v->ci_hi;
        value.se = v->se;
        value.n = (size_t)v->n;
        value.digits = v->digits;
        memcpy(value.na, v->na, strnlen(v->na, sizeof value.na - 1));
        a->verdict_views[i] = (lb_verdict){v->id, v->outcome, v->metric, value, v->rule, v->detail};
    }
    a->rowset_views = lb_xcalloc(a->rowsets.n + 1, sizeof *a->rowset_views);
    for (size_t i = 0; i < a->rowsets.n; i++)
        a->rowset_views[i] =
            (lb_rowset_entry){rowsets[i].name, rowsets[i].hash, (size_t)rowsets[i].n};
}

/* Open the bytes of a file as HDF5: reading has happened already, so what fails is the format. */
static hid_t open_image(const char *path, char *bytes, size_t length)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, 1 << 20, 0);
    H5Pset_file_image(access, bytes, length);
    char *name = lb_xprintf("%s/image", path); /* HDF5 refuses the name of an existing file */
    const hid_t file = H5Fopen(name, H5F_ACC_RDONLY, access);
    free(name);
    H5Pclose(access);
    return file;
}

lb_status lb_archive_open(const char *path, lb_archive **out, lb_error *err)
{
    char experiment[32], *bytes = NULL;
    size_t length = 0;
    hid_t file = H5I_INVALID_HID;
    lb_error inner = {0};
    lb_archive *a = lb_xcalloc(1, sizeof *a);
    a->path = lb_xstrdup(path);
    guess_experiment(path, experiment);

    lb_status st = lb_file_read(path, &bytes, &length, &inner);
    if (st != LB_OK) {
        LB_FAIL(err, st, "%s: run `make %s`", inner.text, experiment);
        goto done;
    }
    if ((st = lb_seal_check(bytes, length, &length, &inner)) != LB_OK)
        ; /* told below */
    else if ((file = open_image(path, bytes, length)) < 0)
        st = LB_FAIL(&inner, LB_EFORMAT, "it is not an HDF5 file, or it is damaged");
    else if ((st = read_lists(a, file, &inner)) == LB_OK)
        st = index_numbers(a, &inner);
    if (st != LB_OK) {
        LB_FAIL(err, st, "%s is no readable record: %s; delete it and run `make %s`", path,
                inner.text, experiment);
        goto done;
    }
    make_views(a);
    *out = a;
    a = NULL;
done:
    if (file >= 0)
        H5Fclose(file);
    free(bytes);
    lb_archive_close(a);
    return st;
}

void lb_archive_close(lb_archive *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n_tables; i++) {
        stored_table *t = &a->stored_tables[i];
        free(t->id);
        lb_layout_free(&lb_layout_columns, t->columns.rows, t->columns.n);
        lb_layout_free(&lb_layout_cells, t->cells.rows, t->cells.n);
        if (a->table_views) {
            free((void *)a->table_views[i].columns);
            free((void *)a->table_views[i].cells);
        }
    }
    for (size_t i = 0; i < a->n_series; i++) {
        free(a->series[i].name);
        free(a->series[i].values);
    }
    lb_layout_free(&lb_layout_pairs, a->head.rows, a->head.n);
    lb_layout_free(&lb_layout_numbers, a->numbers.rows, a->numbers.n);
    lb_layout_free(&lb_layout_pairs, a->texts.rows, a->texts.n);
    lb_layout_free(&lb_layout_rowsets, a->rowsets.rows, a->rowsets.n);
    lb_layout_free(&lb_layout_verdicts, a->verdicts.rows, a->verdicts.n);
    lb_layout_free(&lb_layout_figures, a->figures.rows, a->figures.n);
    lb_layout_free(&lb_layout_pairs, a->provenance.rows, a->provenance.n);
    lb_layout_free(&lb_layout_pairs, a->run.rows, a->run.n);
    lb_keys_free(&a->keys);
    lb_keys_free(&a->text_keys);
    free(a->stored_tables);
    free(a->series);
    free(a->values);
    free(a->table_views);
    free(a->verdict_views);
    free(a->rowset_views);
    free(a->path);
    free(a);
}

/* --- handing out --------------------------------------------------------------------------- */

const char *lb_archive_path(const lb_archive *a)
{
    return a->path;
}

const char *lb_archive_experiment(const lb_archive *a)
{
    return pair_value(&a->head, "experiment");
}

const char *lb_archive_name(const lb_archive *a)
{
    return pair_value(&a->head, "name");
}

const lb_number *lb_archive_number(const lb_archive *a, const char *key)
{
    size_t at;
    return lb_keys_find(&a->keys, key, &at) ? &a->values[at] : NULL;
}

size_t lb_archive_count(const lb_archive *a)
{
    return a->numbers.n;
}

const char *lb_archive_key(const lb_archive *a, size_t i)
{
    return ((const lb_number_row *)a->numbers.rows)[i].key;
}

const lb_number *lb_archive_at(const lb_archive *a, size_t i)
{
    return &a->values[i];
}

const char *lb_archive_nearest(const lb_archive *a, const char *key)
{
    const char *two[2];
    size_t n = 0;
    if ((two[n] = lb_keys_nearest(&a->keys, key)))
        n++;
    if ((two[n] = lb_keys_nearest(&a->text_keys, key)))
        n++;
    return lb_nearest(key, two, n);
}

const char *lb_archive_text(const lb_archive *a, const char *key)
{
    size_t at;
    return lb_keys_find(&a->text_keys, key, &at) ? ((lb_pair_row *)a->texts.rows)[at].value : NULL;
}

/* lb_pair_row and lb_pair hold the same two pointers; the rows are handed out as read-only. */
_Static_assert(sizeof(lb_pair) == sizeof(lb_pair_row), "pairs are handed out as they are stored");

static const lb_pair *pairs(const list *l, size_t *n)
{
    *n = l->n;
    return l->rows;
}

const lb_pair *lb_archive_texts(const lb_archive *a, size_t *n)
{
    return pairs(&a->texts, n);
}

const lb_pair *lb_archive_figures(const lb_archive *a, size_t *n)
{
    return pairs(&a->figures, n);
}

/* What follows the prefix in s, NULL if it does not begin with it. */
static const char *after(const char *s, const char *prefix)
{
    const size_t n = strlen(prefix);
    return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

const char *lb_archive_figure_hash(const lb_archive *a, const char *id)
{
    size_t n;
    const lb_pair *run = lb_archive_run(a, &n);
    for (size_t i = 0; i < n; i++) {
        const char *of = after(run[i].key, LB_RUN_FIGURE);
        if (of && strcmp(of, id) == 0)
            return run[i].value;
    }
    return "";
}

const lb_pair *lb_archive_provenances(const lb_archive *a, size_t *n)
{
    return pairs(&a->provenance, n);
}

const lb_pair *lb_archive_run(const lb_archive *a, size_t *n)
{
    return pairs(&a->run, n);
}

const lb_table *lb_archive_tables(const lb_archive *a, size_t *n)
{
    *n = a->n_tables;
    return a->table_views;
}

const lb_table *lb_archive_table(const lb_archive *a, const char *id)
{
    for (size_t i = 0; i < a->n_tables; i++)
        if (!strcmp(a->table_views[i].id, id))
            return &a->table_views[i];
    return NULL;
}

const lb_verdict *lb_archive_verdicts(const lb_archive *a, size_t *n)
{
    *n = a->verdicts.n;
    return a->verdict_views;
}

const lb_verdict *lb_archive_verdict(const lb_archive *a, const char *id)
{
    for (size_t i = 0; i < a->verdicts.n; i++)
        if (!strcmp(a->verdict_views[i].id, id))
            return &a->verdict_views[i];
    return NULL;
}

const char *lb_archive_figure(const lb_archive *a, const char *id)
{
    return pair_value(&a->figures, id);
}

const lb_rowset_entry *lb_archive_rowsets(const lb_archive *a, size_t *n)
{
    *n = a->rowsets.n;
    return a->rowset_views;
}

const char *lb_archive_rowset_name(const lb_archive *a, const char *hash)
{
    for (size_t i = 0; i < a->rowsets.n; i++)
        if (!strcmp(a->rowset_views[i].hash, hash))
            return a->rowset_views[i].name;
    return "";
}

const double *lb_archive_series(const lb_archive *a, const char *name, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < a->n_series; i++)
        if (!strcmp(a->series[i].name, name)) {
            *n = a->series[i].n;
            return a->series[i].values;
        }
    return NULL;
}

size_t lb_archive_series_count(const lb_archive *a)
{
    return a->n_series;
}

const char *lb_archive_series_name(const lb_archive *a, size_t i)
{
    return a->series[i].name;
}

const char *lb_archive_provenance(const lb_archive *a, const char *key)
{
    const char *value = pair_value(&a->provenance, key);
    return value ? value : "";
}

lb_status lb_archive_check_spec(const lb_archive *a, const lb_spec *spec, lb_error *err)
{
    if (!strcmp(lb_archive_provenance(a, "spec.hash"), lb_spec_hash(spec)))
        return LB_OK;
    return LB_FAIL(err, LB_EFINDING,
                   "%s was made with another %s than the present one: run `make %s`", a->path,
                   lb_spec_path(spec), lb_spec_experiment(spec));
}

bool lb_archive_asked_published(const lb_archive *a)
{
    size_t n;
    const lb_pair *run = lb_archive_run(a, &n);
    for (size_t i = 0; i < n; i++)
        if (after(run[i].key, LB_RUN_PUBLISHED))
            return true;
    return false;
}

lb_status lb_archive_check_published(const lb_archive *a, const lb_published *p, lb_error *err)
{
    lb_status st = LB_OK;
    size_t n;
    const lb_pair *run = lb_archive_run(a, &n);
    for (size_t i = 0; i < n && st == LB_OK; i++) {
        const char *key = after(run[i].key, LB_RUN_PUBLISHED);
        char *now = key ? lb_published_line(lb_published_find(p, key)) : NULL;
        if (now && strcmp(now, run[i].value))
            st = LB_FAIL(err, LB_EFINDING,
                         "%s was made when the published '%s' read \"%s\", not \"%s\": delete it "
                         "and run `make %s`",
                         a->path, key, run[i].value, now, lb_archive_experiment(a));
        free(now);
    }
    return st;
}

/* --- names of conditions --------------------------------------------------------------------- */

lb_status lb_spec_value(const lb_spec *spec, const char *path, lb_value *out, lb_error *err)
{
    const lb_yaml_node *node = spec ? lb_spec_node(spec, path) : NULL;
    if (!node) {
        const char *near = spec ? lb_spec_nearest(spec, path) : NULL;
        return LB_FAIL(err, LB_ENAME, "'spec.%s' is not in the spec%s%s%s", path,
                       near ? "; did you mean 'spec." : "", near ? near : "", near ? "'?" : "");
    }
    if (node->kind != LB_YAML_SCALAR)
        return LB_FAIL(err, LB_EFORMAT, "'spec.%s' is a %s, not one value", path,
                       node->kind == LB_YAML_LIST ? "list" : "map");
    if (lb_yaml_number(node, &out->number))
        out->kind = LB_VALUE_NUMBER;
    else if (lb_yaml_bool(node, &out->truth))
        out->kind = LB_VALUE_TRUTH;
    else {
        out->kind = LB_VALUE_TEXT;
        out->text = node->text;
    }
    return LB_OK;
}

static lb_status archive_name(void *self, const char *name, lb_value *out, lb_error *err)
{
    const lb_archive_names *names = self;
    char key[256];
    if (!strncmp(name, "spec.", 5))
        return lb_spec_value(names->spec, name + 5, out, err);
    const char *field = lb_name_split(name, key, sizeof key);
    const lb_number *number = lb_archive_number(names->archive, key);
    const char *text = number ? NULL : lb_archive_text(names->archive, name);
    if (!number && !text) {
        const char *near = lb_archive_nearest(names->archive, key);
        return LB_FAIL(err, LB_ENAME, "%s has no key '%s'%s%s%s", names->archive->path, key,
                       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    *out = number ? lb_value_of(number, field) : (lb_value){.kind = LB_VALUE_TEXT, .text = text};
    return LB_OK;
}

static lb_status archive_verdict(void *self, const char *id, lb_value *out, lb_error *err)
{
    const lb_archive_names *names = self;
    const lb_verdict *v = lb_archive_verdict(names->archive, id);
    if (!v)
        return LB_FAIL(err, LB_ENAME, "%s has no verdict on '%s'", names->archive->path, id);
    *out = (lb_value){.kind = LB_VALUE_TEXT, .text = v->outcome};
    return LB_OK;
}

lb_scope lb_archive_scope(lb_archive_names *self)
{
    return (lb_scope){archive_name, archive_verdict, self};
}
