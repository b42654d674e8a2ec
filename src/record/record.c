/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "core/progress.h"
#include "record/condition.h"
#include "record/state.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lb_record *lb_record_new(const char *experiment, const lb_spec *spec)
{
    lb_record *r = lb_xcalloc(1, sizeof *r);
    r->experiment = lb_xstrdup(experiment);
    r->spec = spec;
    r->started = lb_clock();
    if (spec && strcmp(lb_spec_experiment(spec), experiment))
        FAIL(r, LB_ENAME, "the record of %s was given the spec of %s (%s)", experiment,
             lb_spec_experiment(spec), lb_spec_path(spec));
    return r;
}

lb_status lb_record_status(const lb_record *r)
{
    return r->err.status;
}

static void free_pairs(pairs *p)
{
    lb_layout_free(&lb_layout_pairs, p->rows, p->n);
}

void lb_record_abandon(lb_record *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_numbers; i++)
        free(r->numbers[i].key);
    for (size_t i = 0; i < r->n_series; i++) {
        free(r->series[i].name);
        free(r->series[i].values);
    }
    for (size_t i = 0; i < r->n_tables; i++) {
        free(r->tables[i].id);
        lb_layout_free(&lb_layout_pairs, r->tables[i].columns, r->tables[i].n_columns);
        lb_layout_free(&lb_layout_pairs, r->tables[i].cells, r->tables[i].n_cells);
    }
    lb_layout_free(&lb_layout_rowsets, r->rowsets, r->n_rowsets);
    lb_layout_free(&lb_layout_verdicts, r->verdicts, r->n_verdicts);
    free_pairs(&r->texts);
    free_pairs(&r->figures);
    free_pairs(&r->provenance);
    free_pairs(&r->run);
    lb_keys_free(&r->number_keys);
    lb_keys_free(&r->text_keys);
    free(r->numbers);
    free(r->series);
    free(r->tables);
    free(r->experiment);
    free(r);
}

/* --- numbers and texts --------------------------------------------------------------------- */

/* Is @p key well formed and new? Complains if not. */
static bool check_key(lb_record *r, const char *key)
{
    const size_t length = strlen(r->experiment), size = strlen(key);
    const char *last = strrchr(key, '.');
    size_t at;
    if (strncmp(key, r->experiment, length) || key[length] != '.')
        FAIL(r, LB_ENAME, "the key '%s' must start with '%s.'", key, r->experiment);
    else if (strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_.") != size)
        FAIL(r, LB_ENAME, "the key '%s' may hold only a-z, 0-9, '_' and '.'", key);
    else if (strstr(key, "..") || key[size - 1] == '.')
        FAIL(r, LB_ENAME, "the key '%s' has an empty part", key);
    else if (lb_field_is(last + 1))
        FAIL(r, LB_ENAME, "the key '%s' ends in '%s', which names a field of a number", key,
             last + 1);
    else if (lb_keys_find(&r->number_keys, key, &at) || lb_keys_find(&r->text_keys, key, &at))
        FAIL(r, LB_ENAME, "the key '%s' was recorded twice", key);
    return r->err.status == LB_OK;
}

/* Is it built from two scores? Only the legacy kind may say openly that their rows differ. */
static bool needs_rows(const lb_number *x)
{
    return (!strncmp(x->kind, "delta", 5) && !strstr(x->kind, "_unaligned")) ||
           !strcmp(x->kind, "share") || !strcmp(x->kind, "retention");
}

static bool check_number(lb_record *r, const char *key, const lb_number *x)
{
    if (!*x->kind)
        FAIL(r, LB_EINVAL, "%s has no kind", key);
    else if (isnan(x->value) && !*x->na)
        FAIL(r, LB_ENUMERIC,
             "%s is NaN and gives no reason: a number without a value is "
             "lb_number_na(kind, reason)",
             key);
    else if (isinf(x->value))
        FAIL(r, LB_ENUMERIC, "%s is infinite", key);
    else if (*x->na && !isnan(x->value))
        FAIL(r, LB_ENUMERIC, "%s is %g and also n/a (%s)", key, x->value, x->na);
    else if (isinf(x->ci_lo) || isinf(x->ci_hi) || isinf(x->se) || isinf(x->p_above) ||
             isinf(x->boot_mean) || isinf(x->p_positive))
        FAIL(r, LB_ENUMERIC, "%s has an infinite uncertainty", key);
    else if (isnan(x->ci_lo) != isnan(x->ci_hi) || x->ci_lo > x->ci_hi)
        FAIL(r, LB_EINVAL, "%s has the interval [%g, %g]", key, x->ci_lo, x->ci_hi);
    else if (isnan(x->ci_lo) && !isnan(x->boot_mean))
        FAIL(r, LB_EINVAL, "%s has a mean of resamples and no interval of them", key);
    else if (x->se < 0.0)
        FAIL(r, LB_EINVAL, "%s has the standard error %g", key, x->se);
    else if (needs_rows(x) && !*x->rows && !*x->na)
        FAIL(r, LB_EROWS,
             "%s is a %s of no row set: build it with stats/score.h or "
             "stats/bootstrap.h from two scores on the same rows",
             key, x->kind);
    return r->err.status == LB_OK;
}

void lb_record_number(lb_record *r, const char *key, lb_number x)
{
    if (r->err.status != LB_OK || !check_key(r, key) || !check_number(r, key, &x))
        return;
    struct entry *e = lb_push(&r->numbers, &r->n_numbers, sizeof *e);
    *e = (struct entry){lb_xstrdup(key), x};
    lb_keys_add(&r->number_keys, e->key, r->n_numbers - 1);
}

static lb_pair_row *add_pair(pairs *p, const char *key, const char *value)
{
    lb_pair_row *row = lb_push(&p->rows, &p->n, sizeof *row);
    *row = (lb_pair_row){lb_xstrdup(key), lb_xstrdup(value)};
    return row;
}

void lb_record_text(lb_record *r, const char *key, const char *value)
{
    if (r->err.status != LB_OK || !check_key(r, key))
        return;
    const lb_pair_row *row = add_pair(&r->texts, key, value);
    lb_keys_add(&r->text_keys, row->key, r->texts.n - 1);
}

void lb_record_rowset(lb_record *r, const char *name, const char *hash, size_t n)
{
    if (r->err.status != LB_OK)
        return;
    if (!*name || strpbrk(name, "\t\r\n") || strncmp(hash, "sha256:", 7)) {
        FAIL(r, LB_EINVAL, "a row set needs a name and a hash, not '%s' and '%s'", name, hash);
        return;
    }
    for (size_t i = 0; i < r->n_rowsets; i++) {
        const lb_rowset_row *known = &r->rowsets[i];
        if (strcmp(known->name, name))
            continue;
        if (strcmp(known->hash, hash) || known->n != n)
            FAIL(r, LB_EROWS, "two row sets are called '%s': %s with %zu rows and %s with %zu",
                 name, known->hash, (size_t)known->n, hash, n);
        return;
    }
    lb_rowset_row *row = lb_push(&r->rowsets, &r->n_rowsets, sizeof *row);
    *row = (lb_rowset_row){lb_xstrdup(name), lb_xstrdup(hash), n};
}

/* --- tables -------------------------------------------------------------------------------- */

static bool is_id(const char *id)
{
    const char *const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    return *id && *id != '.' && strspn(id, allowed) == strlen(id);
}

static table *find_table(lb_record *r, const char *id)
{
    if (r->err.status != LB_OK)
        return NULL;
    for (size_t i = 0; i < r->n_tables; i++)
        if (!strcmp(r->tables[i].id, id))
            return &r->tables[i];
    FAIL(r, LB_ENAME, "no table '%s' was started with lb_record_table()", id);
    return NULL;
}

bool lb_record_row_is_full(lb_record *r, const table *t)
{
    if (t->n_cells != t->rows * t->n_columns)
        FAIL(r, LB_ESHAPE, "row %zu of table %s has %zu cells for %zu columns", t->rows, t->id,
             t->n_cells - (t->rows - 1) * t->n_columns, t->n_columns);
    return r->err.status == LB_OK;
}

void lb_record_table(lb_record *r, const char *id, size_t ncols, const lb_column *columns)
{
    if (r->err.status != LB_OK)
        return;
    for (size_t i = 0; i < r->n_tables; i++)
        if (!strcmp(r->tables[i].id, id))
            FAIL(r, LB_ENAME, "table '%s' was started twice", id);
    if (!is_id(id))
        FAIL(r, LB_ENAME, "'%s' is no id for a table", id);
    if (!ncols)
        FAIL(r, LB_EINVAL, "table '%s' has no columns", id);
    if (r->err.status != LB_OK)
        return;
    table *t = lb_push(&r->tables, &r->n_tables, sizeof *t);
    t->id = lb_xstrdup(id);
    t->n_columns = ncols;
    t->columns = lb_xcalloc(ncols, sizeof *t->columns);
    for (size_t i = 0; i < ncols; i++)
        t->columns[i] = (lb_pair_row){lb_xstrdup(columns[i].name), lb_xstrdup(columns[i].format)};
}

void lb_record_row(lb_record *r, const char *id)
{
    table *t = find_table(r, id);
    if (t && lb_record_row_is_full(r, t))
        t->rows++;
}

static void add_cell(lb_record *r, const char *id, const char *key, const char *text)
{
    table *t = find_table(r, id);
    if (!t)
        return;
    if (t->n_cells == t->rows * t->n_columns) {
        FAIL(r, LB_ESHAPE,
             "table %s: the cell '%s' belongs to no row, or to a row that has its "
             "%zu cells",
             id, *key ? key : text, t->n_columns);
        return;
    }
    lb_pair_row *cell = lb_push(&t->cells, &t->n_cells, sizeof *cell);
    *cell = (lb_pair_row){lb_xstrdup(key), lb_xstrdup(text)};
}

void lb_record_cell_key(lb_record *r, const char *id, const char *key)
{
    if (r->err.status == LB_OK && !*key)
        FAIL(r, LB_ENAME, "table %s: a cell has an empty key", id);
    add_cell(r, id, key, "");
}

/* The formatted text, of any length; the caller frees it. */
static char *format_text(const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        abort(); /* out of memory */
    return text;
}

void lb_record_cell_text(lb_record *r, const char *id, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = format_text(format, args);
    va_end(args);
    add_cell(r, id, "", text);
    free(text);
}

/* --- figures and what they draw ------------------------------------------------------------- */

/* Would one name be both a dataset and a group, or the same dataset? */
static bool collide(const char *a, const char *b)
{
    const size_t m = strlen(a), n = strlen(b), shorter = m < n ? m : n;
    return !strncmp(a, b, shorter) && (m == n || (m < n ? b : a)[shorter] == '/');
}

static bool is_series_name(const char *name)
{
    char *copy = lb_xstrdup(name), *rest = copy;
    bool good = *name && name[strlen(name) - 1] != '/';
    for (char *part; good && (part = strsep(&rest, "/"));)
        good = is_id(part);
    free(copy);
    return good;
}

void lb_record_series(lb_record *r, const char *name, const double *values, size_t n)
{
    if (r->err.status != LB_OK)
        return;
    if (!is_series_name(name)) {
        FAIL(r, LB_ENAME, "'%s' is no name for a series: it looks like F01.1/noise_0.2/r2", name);
        return;
    }
    for (size_t i = 0; i < r->n_series; i++)
        if (collide(r->series[i].name, name)) {
            FAIL(r, LB_ENAME, "the series '%s' and '%s' exclude each other", r->series[i].name,
                 name);
            return;
        }
    series *s = lb_push(&r->series, &r->n_series, sizeof *s);
    *s = (series){lb_xstrdup(name), lb_xcalloc(n + 1, sizeof *values), n};
    if (n)
        memcpy(s->values, values, n * sizeof *values);
}

/* Add a pair whose key must be new. */
static bool has_pair(const pairs *p, const char *key)
{
    for (size_t i = 0; i < p->n; i++)
        if (!strcmp(p->rows[i].key, key))
            return true;
    return false;
}

static void add_unique(lb_record *r, pairs *p, const char *what, const char *key, const char *value)
{
    if (r->err.status != LB_OK)
        return;
    if (has_pair(p, key))
        FAIL(r, LB_ENAME, "%s '%s' was recorded twice", what, key);
    else if (!is_id(key))
        FAIL(r, LB_ENAME, "'%s' is no name for %s", key, what);
    else
        add_pair(p, key, value);
}

void lb_record_figure(lb_record *r, const char *id, const char *stem)
{
    if (r->err.status == LB_OK && !is_id(stem))
        FAIL(r, LB_ENAME, "figure %s: '%s' is no file name", id, stem);
    add_unique(r, &r->figures, "figure", id, stem);
}

static void add_formatted(lb_record *r, pairs *p, const char *what, const char *key,
                          const char *format, va_list args)
{
    char *value = format_text(format, args);
    add_unique(r, p, what, key, value);
    free(value);
}

void lb_record_provenance(lb_record *r, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_formatted(r, &r->provenance, "provenance", key, format, args);
    va_end(args);
}

void lb_record_run(lb_record *r, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_formatted(r, &r->run, "run", key, format, args);
    va_end(args);
}

void lb_record_published(lb_record *r, const char *key, const lb_published_entry *e)
{
    char *name = lb_xprintf(LB_RUN_PUBLISHED "%s", key), *line = lb_published_line(e);
    if (!has_pair(&r->run, name))
        lb_record_run(r, name, "%s", line);
    free(line);
    free(name);
}

void lb_record_figure_files(lb_record *r, const char *folder)
{
    for (size_t i = 0; i < r->figures.n && r->err.status == LB_OK; i++) {
        char hash[LB_HASH_SIZE], *path = lb_xprintf("%s/%s.svg", folder, r->figures.rows[i].value);
        char *key = lb_xprintf(LB_RUN_FIGURE "%s", r->figures.rows[i].key);
        if (lb_hash_file(path, hash, &r->err) == LB_OK)
            lb_record_run(r, key, "%s", hash);
        free(key);
        free(path);
    }
}

lb_status lb_record_missing(const lb_record *r, const char *key, lb_error *err)
{
    const char *near = lb_keys_nearest(&r->number_keys, key);
    return LB_FAIL(err, LB_ENAME, "%s was not recorded%s%s%s", key, near ? "; did you mean " : "",
                   near ? near : "", near ? "?" : "");
}
