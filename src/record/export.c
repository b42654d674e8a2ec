/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/export.h"

#include "core/memory.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* jansson takes valid UTF-8 only; anything else becomes null rather than a missing key. */
static json_t *string(const char *s)
{
    json_t *j = json_string(s);
    return j ? j : json_null();
}

/* An entry "PREFIX NAME" with its kind and, unless NULL, its value; borrowed. */
static json_t *add_entry(json_t *root, const char *prefix, const char *name, const char *kind,
                         const char *value)
{
    json_t *o = json_object();
    char *key = lb_xprintf("%s%s", prefix, name);
    json_object_set_new(o, "kind", json_string(kind));
    if (value)
        json_object_set_new(o, "value", string(value));
    json_object_set_new(root, key, o);
    free(key);
    return o;
}

static json_t *real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *number_object(const lb_archive *a, const lb_number *x)
{
    json_t *ci = isfinite(x->ci_lo) ? json_array() : json_null(), *o = json_object();
    if (json_is_array(ci)) {
        json_array_append_new(ci, json_real(x->ci_lo));
        json_array_append_new(ci, json_real(x->ci_hi));
    }
    json_object_set_new(o, "value", real(x->value));
    json_object_set_new(o, "kind", string(x->kind));
    json_object_set_new(o, "unit", string(x->unit));
    json_object_set_new(o, "ci", ci);
    json_object_set_new(o, "se", real(x->se));
    json_object_set_new(o, "p_above", real(x->p_above));
    json_object_set_new(o, "boot_mean", real(x->boot_mean));
    json_object_set_new(o, "p_positive", real(x->p_positive));
    json_object_set_new(o, "n", json_integer((json_int_t)x->n));
    json_object_set_new(o, "rows", string(x->rows));
    json_object_set_new(o, "rowset", string(*x->rows ? lb_archive_rowset_name(a, x->rows) : ""));
    json_object_set_new(o, "digits", json_integer(lb_number_decimals(x)));
    json_object_set_new(o, "seed", json_integer((json_int_t)x->seed));
    json_object_set_new(o, "oracle", json_boolean(x->oracle));
    json_object_set_new(o, "protocol", string(x->protocol));
    json_object_set_new(o, "na", *x->na ? string(x->na) : json_null());
    return o;
}

static void add_numbers(json_t *root, const lb_archive *a)
{
    size_t n;
    for (size_t i = 0; i < lb_archive_count(a); i++)
        json_object_set_new(root, lb_archive_key(a, i), number_object(a, lb_archive_at(a, i)));
    const lb_pair *texts = lb_archive_texts(a, &n);
    for (size_t i = 0; i < n; i++)
        add_entry(root, "", texts[i].key, "text", texts[i].value);
}

static void add_verdicts(json_t *root, const lb_archive *a)
{
    size_t n;
    const lb_verdict *v = lb_archive_verdicts(a, &n);
    for (size_t i = 0; i < n; i++) {
        json_t *o = add_entry(root, "verdict:", v[i].id, "verdict", v[i].outcome);
        json_object_set_new(o, "metric", string(v[i].metric));
        json_object_set_new(o, "rule", string(v[i].rule));
    }
}

static void add_rowsets(json_t *root, const lb_archive *a)
{
    size_t n;
    const lb_rowset_entry *rows = lb_archive_rowsets(a, &n);
    for (size_t i = 0; i < n; i++) {
        json_t *o = add_entry(root, "rowset:", rows[i].name, "rowset", rows[i].hash);
        json_object_set_new(o, "n", json_integer((json_int_t)rows[i].n));
    }
}

static json_t *table_row(const lb_table *t, size_t row)
{
    json_t *cells = json_array();
    for (size_t j = 0; j < t->cols; j++) {
        const lb_cell *cell = &t->cells[row * t->cols + j];
        json_t *o = json_object();
        json_object_set_new(o, cell->key ? "key" : "text",
                            string(cell->key ? cell->key : cell->text));
        json_array_append_new(cells, o);
    }
    return cells;
}

static void add_tables(json_t *root, const lb_archive *a)
{
    size_t n;
    const lb_table *t = lb_archive_tables(a, &n);
    for (size_t i = 0; i < n; i++) {
        json_t *o = add_entry(root, "table:", t[i].id, "table", NULL);
        json_t *columns = json_array(), *rows = json_array();
        for (size_t j = 0; j < t[i].cols; j++) {
            json_t *c = json_object();
            json_object_set_new(c, "name", string(t[i].columns[j].name));
            json_object_set_new(c, "format", string(t[i].columns[j].format));
            json_array_append_new(columns, c);
        }
        for (size_t k = 0; k < t[i].rows; k++)
            json_array_append_new(rows, table_row(&t[i], k));
        json_object_set_new(o, "columns", columns);
        json_object_set_new(o, "rows", rows);
    }
}

static void add_figures(json_t *root, const lb_archive *a)
{
    size_t n;
    const lb_pair *figures = lb_archive_figures(a, &n);
    for (size_t i = 0; i < n; i++) {
        json_t *o = add_entry(root, "figure:", figures[i].key, "figure", figures[i].value);
        json_object_set_new(o, "sha256", string(lb_archive_figure_hash(a, figures[i].key)));
    }
}

static void add_provenance(json_t *root, const lb_archive *a)
{
    size_t n;
    const lb_pair *pairs = lb_archive_provenances(a, &n);
    for (size_t i = 0; i < n; i++)
        add_entry(root, "provenance:", pairs[i].key, "provenance", pairs[i].value);
}

/* Every scalar below @p node, by its path. */
static void add_settings(json_t *root, const char *path, const lb_yaml_node *node)
{
    if (node->kind == LB_YAML_SCALAR) {
        add_entry(root, "spec", path, "setting", node->text);
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        char *below = node->kind == LB_YAML_MAP ? lb_xprintf("%s.%s", path, node->keys[i])
                                                : lb_xprintf("%s.%zu", path, i);
        add_settings(root, below, node->items[i]);
        free(below);
    }
}

void lb_export_json(const lb_archive *a, const lb_spec *spec, lb_text *out)
{
    json_t *root = json_object();
    add_numbers(root, a);
    add_verdicts(root, a);
    add_rowsets(root, a);
    add_tables(root, a);
    add_figures(root, a);
    add_provenance(root, a);
    if (spec)
        add_settings(root, "", lb_spec_node(spec, ""));
    char *text = json_dumps(root, JSON_SORT_KEYS | JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    if (!text)
        abort(); /* out of memory */
    lb_text_printf(out, "%s\n", text);
    free(text);
    json_decref(root);
}
