/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/import.h"

#include "core/file.h"
#include "core/hash.h"
#include "core/memory.h"
#include "core/text.h"
#include "record/record.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct import {
    json_t *root;
    lb_record *record;
    const char *experiment;
    lb_error *err;
} import;

#define BAD(in, key, ...) bad_entry((in), (key), lb_xprintf(__VA_ARGS__))

/* Takes @p why. */
static lb_status bad_entry(import *in, const char *key, char *why)
{
    const lb_status st = LB_FAIL(in->err, LB_EFORMAT, "%s: %s", key, why);
    free(why);
    return st;
}

/* --- fields ------------------------------------------------------------------------------------
 */

/* Every field of @p o is one of @p known, a list that ends in NULL. */
static lb_status check_fields(import *in, const char *key, const json_t *o,
                              const char *const *known)
{
    const char *field;
    json_t *value;
    size_t n = 0;
    while (known[n])
        n++;
    json_object_foreach((json_t *)o, field, value)
    {
        bool found = false;
        for (size_t i = 0; i < n && !found; i++)
            found = strcmp(field, known[i]) == 0;
        const char *near = found ? NULL : lb_nearest(field, known, n);
        if (!found)
            return LB_FAIL(in->err, LB_ENAME, "%s: no field '%s'%s%s%s", key, field,
                           near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    return LB_OK;
}

/* A number or null into *out, which keeps its default when the field is not there. */
static lb_status take_real(import *in, const char *key, const json_t *o, const char *field,
                           double *out)
{
    const json_t *x = json_object_get(o, field);
    if (json_is_number(x))
        *out = json_number_value(x);
    else if (x && !json_is_null(x))
        return BAD(in, key, "%s is no number", field);
    return LB_OK;
}

/* A whole number from zero on. */
static lb_status take_count(import *in, const char *key, const json_t *o, const char *field,
                            json_int_t *out)
{
    const json_t *x = json_object_get(o, field);
    if (!x)
        return LB_OK;
    *out = json_integer_value(x);
    return json_is_integer(x) && *out >= 0 ? LB_OK : BAD(in, key, "%s is no whole number", field);
}

/* A text that fits into @p size bytes. */
static lb_status take_text(import *in, const char *key, const json_t *o, const char *field,
                           char *out, size_t size)
{
    const json_t *x = json_object_get(o, field);
    if (!x || json_is_null(x))
        return LB_OK;
    if (!json_is_string(x))
        return BAD(in, key, "%s is no text", field);
    const char *s = json_string_value(x);
    if (strlen(s) >= size)
        return BAD(in, key, "%s is longer than %zu characters: '%s'", field, size - 1, s);
    memcpy(out, s, strlen(s) + 1);
    return LB_OK;
}

static lb_status take_interval(import *in, const char *key, const json_t *o, lb_number *x)
{
    const json_t *ci = json_object_get(o, "ci");
    if (!ci || json_is_null(ci))
        return LB_OK;
    const json_t *lo = json_array_get(ci, 0), *hi = json_array_get(ci, 1);
    if (json_array_size(ci) != 2 || !json_is_number(lo) || !json_is_number(hi))
        return BAD(in, key, "ci is not [low, high]");
    x->ci_lo = json_number_value(lo);
    x->ci_hi = json_number_value(hi);
    return LB_OK;
}

/* The hash of the row set that "rowset" names. */
static lb_status take_rows(import *in, const char *key, const json_t *o, lb_number *x)
{
    const char *name = json_string_value(json_object_get(o, "rowset"));
    lb_status st = take_text(in, key, o, "rows", x->rows, sizeof x->rows);
    if (st != LB_OK || !name || !*name)
        return st;
    char *entry = lb_xprintf("rowset:%s", name);
    const char *hash =
        json_string_value(json_object_get(json_object_get(in->root, entry), "value"));
    if (!hash)
        st = LB_FAIL(in->err, LB_ENAME, "%s: there is no entry '%s' with a hash", key, entry);
    else if (*x->rows && strcmp(x->rows, hash) != 0)
        st = BAD(in, key, "rows is not the hash of '%s'", entry);
    else if (strlen(hash) >= sizeof x->rows)
        st = BAD(in, entry, "'%s' is no hash", hash);
    else
        memcpy(x->rows, hash, strlen(hash) + 1);
    free(entry);
    return st;
}

/* --- entries -----------------------------------------------------------------------------------
 */

static lb_status add_number(import *in, const char *key, const json_t *o)
{
    static const char *const known[] = {"value",      "kind",   "unit",   "ci",       "se",
                                        "n",          "rows",   "seed",   "rowset",   "p_above",
                                        "na",         "digits", "oracle", "protocol", "boot_mean",
                                        "p_positive", NULL};
    lb_number x = lb_number_plain(NAN, "", "");
    json_int_t n = 0, seed = 0, digits = -1;
    lb_status st = check_fields(in, key, o, known);
    if (st == LB_OK)
        st = take_real(in, key, o, "value", &x.value);
    if (st == LB_OK)
        st = take_real(in, key, o, "se", &x.se);
    if (st == LB_OK)
        st = take_real(in, key, o, "p_above", &x.p_above);
    if (st == LB_OK)
        st = take_real(in, key, o, "boot_mean", &x.boot_mean);
    if (st == LB_OK)
        st = take_real(in, key, o, "p_positive", &x.p_positive);
    if (st == LB_OK)
        st = take_interval(in, key, o, &x);
    if (st == LB_OK)
        st = take_count(in, key, o, "n", &n);
    if (st == LB_OK)
        st = take_count(in, key, o, "seed", &seed);
    if (st == LB_OK)
        st = take_count(in, key, o, "digits", &digits);
    if (st == LB_OK)
        st = take_text(in, key, o, "kind", x.kind, sizeof x.kind);
    if (st == LB_OK)
        st = take_text(in, key, o, "unit", x.unit, sizeof x.unit);
    if (st == LB_OK)
        st = take_text(in, key, o, "protocol", x.protocol, sizeof x.protocol);
    if (st == LB_OK)
        st = take_text(in, key, o, "na", x.na, sizeof x.na);
    if (st == LB_OK)
        st = take_rows(in, key, o, &x);
    const json_t *oracle = json_object_get(o, "oracle");
    if (st == LB_OK && oracle && !json_is_boolean(oracle))
        st = BAD(in, key, "oracle is neither true nor false");
    if (st != LB_OK)
        return st;
    x.n = (size_t)n;
    x.seed = (uint64_t)seed;
    x.digits = (int)digits;
    x.oracle = json_is_true(oracle);
    lb_record_number(in->record, key, x);
    return LB_OK;
}

static lb_status add_rowset(import *in, const char *key, const char *name, const json_t *o)
{
    json_int_t n = 0;
    const char *hash = json_string_value(json_object_get(o, "value"));
    if (!hash || !json_object_get(o, "n"))
        return BAD(in, key, "a row set has its hash as value, and n");
    const lb_status st = take_count(in, key, o, "n", &n);
    if (st == LB_OK)
        lb_record_rowset(in->record, name, hash, (size_t)n);
    return st;
}

static lb_status add_cells(import *in, const char *key, const char *id, const json_t *row)
{
    size_t i;
    json_t *cell;
    lb_record_row(in->record, id);
    json_array_foreach((json_t *)row, i, cell)
    {
        const char *own = json_string_value(json_object_get(cell, "key"));
        const char *text = json_string_value(json_object_get(cell, "text"));
        if (json_object_size(cell) != 1 || (!own && !text))
            return BAD(in, key, "a cell is {\"key\": KEY} or {\"text\": TEXT}");
        if (own)
            lb_record_cell_key(in->record, id, own);
        else
            lb_record_cell_text(in->record, id, "%s", text);
    }
    return LB_OK;
}

static lb_status add_table(import *in, const char *key, const char *id, const json_t *o)
{
    const json_t *columns = json_object_get(o, "columns"), *rows = json_object_get(o, "rows");
    const size_t n = json_array_size(columns);
    lb_column *c = lb_xcalloc(n + 1, sizeof *c);
    lb_status st = LB_OK;
    if (n == 0 || !json_is_array(rows))
        st = BAD(in, key, "a table has columns and rows");
    for (size_t i = 0; i < n && st == LB_OK; i++) {
        const json_t *column = json_array_get(columns, i);
        c[i].name = json_string_value(json_object_get(column, "name"));
        c[i].format = json_string_value(json_object_get(column, "format"));
        c[i].format = c[i].format ? c[i].format : "";
        if (!c[i].name)
            st = BAD(in, key, "column %zu has no name", i);
    }
    if (st == LB_OK)
        lb_record_table(in->record, id, n, c);
    for (size_t i = 0; i < json_array_size(rows) && st == LB_OK; i++)
        st = add_cells(in, key, id, json_array_get(rows, i));
    free(c);
    return st;
}

/* The part of "PREFIX:NAME" after the colon, NULL for another prefix. */
static const char *name_after(const char *key, const char *prefix)
{
    const size_t n = strlen(prefix);
    return strncmp(key, prefix, n) == 0 && key[n] == ':' ? key + n + 1 : NULL;
}

/* What stands under a key of the experiment, or of one of the prefixes. */
static lb_status add_entry(import *in, const char *key, const json_t *o)
{
    const char *kind = json_string_value(json_object_get(o, "kind")), *name;
    const char *text = json_string_value(json_object_get(o, "value"));
    const size_t n = strlen(in->experiment);
    if (!kind)
        return BAD(in, key, "it is no object with a kind");
    if (strcmp(kind, "verdict") == 0 || strcmp(kind, "setting") == 0)
        return LB_OK;
    if ((name = name_after(key, "rowset")))
        return add_rowset(in, key, name, o);
    if ((name = name_after(key, "table")))
        return add_table(in, key, name, o);
    if (strncmp(key, in->experiment, n) == 0 && key[n] == '.' && strcmp(kind, "text") != 0)
        return add_number(in, key, o);
    const char *figure = name_after(key, "figure"), *origin = name_after(key, "provenance");
    if (!figure && !origin && (strncmp(key, in->experiment, n) != 0 || key[n] != '.'))
        return LB_FAIL(in->err, LB_ENAME, "'%s' is no key of %s: they begin with '%s.'", key,
                       in->experiment, in->experiment);
    if (!text)
        return BAD(in, key, "its value is no text");
    if (figure)
        lb_record_figure(in->record, figure, text);
    else if (origin && strncmp(origin, "imported.", 9) != 0) {
        char *mine = lb_xprintf("imported.%s", origin);
        lb_record_provenance(in->record, mine, "%s", text);
        free(mine);
    } else if (!origin)
        lb_record_text(in->record, key, text);
    return LB_OK;
}

/* --- the file ----------------------------------------------------------------------------------
 */

static lb_status parse(const char *path, json_t **root, char hash[LB_HASH_SIZE], lb_error *err)
{
    char *text;
    size_t length;
    json_error_t at;
    const lb_status st = lb_file_read(path, &text, &length, err);
    if (st != LB_OK)
        return st;
    lb_hash_bytes(text, length, hash);
    *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &at);
    free(text);
    if (!*root)
        return LB_FAIL(err, LB_EFORMAT, "%s:%d:%d: %s", path, at.line, at.column, at.text);
    if (!json_is_object(*root) || json_object_size(*root) == 0)
        return LB_FAIL(err, LB_EFORMAT,
                       "%s: it is no object of numbers, such as {\"e23.r2\": {\"value\": 0.9, "
                       "\"kind\": \"r2\"}}",
                       path);
    return LB_OK;
}

lb_status lb_import(const char *json, const lb_spec *spec, const char *profile, const char *figures,
                    const char *path, lb_error *err)
{
import in = {.experiment = lb_spec_experiment(spec), .err = err };
    char hash[LB_HASH_SIZE];
    const char *slash = strrchr(json, '/'), *key;
    json_t *entry;
    lb_status st = parse(json, &in.root, hash, err);
    if (st != LB_OK) {
        json_decref(in.root);
        return st;
    }
    in.record = lb_record_new(in.experiment, spec);
    lb_record_provenance(in.record, "profile", "%s", profile);
    lb_record_provenance(in.record, "imported.from", "%s", slash ? slash + 1 : json);
    lb_record_provenance(in.record, "imported.hash", "%s", hash);
    json_object_foreach(in.root, key, entry)
    {
        if (st == LB_OK)
            st = add_entry(&in, key, entry);
    }
    if (st == LB_OK) {
        lb_record_judge(in.record);
        lb_record_figure_files(in.record, figures);
        st = lb_record_close(in.record, path, err);
        in.record = NULL;
    }
    if (st != LB_OK)
        lb_error_within(err, "%s", json);
    lb_record_abandon(in.record);
    json_decref(in.root);
    return st;
}
