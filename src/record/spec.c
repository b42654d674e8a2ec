/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/spec.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "record/condition.h"
#include "record/schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the shape ----------------------------------------------------------------------------- */

static const lb_rule spec_rules[] = {
    {"experiment", LB_T_TEXT, true, 0, 0, NULL},
    {"name", LB_T_TEXT, true, 0, 0, NULL},
    {"registry", LB_T_TEXT, false, 0, 0, NULL},
    {"title", LB_T_WORDS, true, 0, 0, NULL},
    {"topic", LB_T_TEXT, false, 0, 0, NULL},
    {"mvp", LB_T_TEXT, false, 0, 0, NULL},
    {"author", LB_T_TEXT, true, 0, 0, NULL},
    {"date", LB_T_TEXT, true, LB_CHECK_DATE, 0, NULL},
    {"priority", LB_T_TEXT, false, 0, 0, "P0|P1|P2"},
    {"question", LB_T_WORDS, true, 0, 0, NULL},
    {"upstream", LB_T_LIST, false, 0, 0, NULL},
    {"upstream.*", LB_T_MAP, false, 0, 0, NULL},
    {"upstream.*.type", LB_T_TEXT, true, 0, 0, NULL},
    {"upstream.*.title", LB_T_WORDS, true, 0, 0, NULL},
    {"upstream.*.link", LB_T_TEXT, false, 0, 0, NULL},
    {"protocol", LB_T_MAP, true, 0, 0, NULL},
    {"protocol.name", LB_T_TEXT, true, 0, 0, NULL},
    {"protocol.label", LB_T_TEXT, false, 0, 0, NULL},
    {"protocol.edge_rule", LB_T_TEXT, false, 0, 0, "code|seed_text"},
    {"protocol.split_seeds", LB_T_MAP, false, 0, 0, NULL},
    {"protocol.split_seeds.train", LB_T_SIZE, true, 0, 0, NULL},
    {"protocol.split_seeds.validation", LB_T_SIZE, true, 0, 0, NULL},
    {"protocol.split_seeds.test", LB_T_SIZE, true, 0, 0, NULL},
    {"noise", LB_T_MAP, false, 0, 0, NULL},
    {"noise.levels", LB_T_NUMBERS, true, LB_CHECK_RISING | LB_CHECK_NOT_NEGATIVE, 0, NULL},
    {"noise.focus", LB_T_NUMBER, false, LB_CHECK_NOT_NEGATIVE, 0, NULL},
    {"bins", LB_T_MAP, false, 0, 0, NULL},
    {"bins.teff_edges", LB_T_NUMBERS, true, LB_CHECK_EDGES | LB_CHECK_POSITIVE, 0, NULL},
    {"bins.mh_edges", LB_T_NUMBERS, true, LB_CHECK_EDGES, 0, NULL},
    {"bins.minimum_train", LB_T_SIZE, false, 0, 0, NULL},
    {"bins.minimum_test", LB_T_SIZE, false, 0, 0, NULL},
    {"ridge", LB_T_MAP, false, 0, 0, NULL},
    {"ridge.alphas", LB_T_NUMBERS, true, LB_CHECK_RISING | LB_CHECK_POSITIVE, 0, NULL},
    {"ridge.extend_decades", LB_T_SIZE, false, 0, 0, NULL},
    {"ridge.standardise", LB_T_FLAG, false, 0, 0, NULL},
    {"bootstrap", LB_T_MAP, false, 0, 0, NULL},
    {"bootstrap.resamples", LB_T_SIZE, true, 0, 100, NULL},
    {"bootstrap.level", LB_T_NUMBER, false, LB_CHECK_FRACTION, 0, NULL},
    {"bootstrap.seed", LB_T_SIZE, true, 0, 0, NULL},
    {"retention", LB_T_MAP, false, 0, 0, NULL},
    {"retention.least_gain", LB_T_NUMBER, true, LB_CHECK_POSITIVE, 0, NULL},
    {"retention.real", LB_T_FLAG, true, 0, 0, NULL},
    {"seeds", LB_T_SIZES, false, 0, 0, NULL},
    {"thresholds", LB_T_MAP, false, 0, 0, NULL},
    {"thresholds.*", LB_T_NUMBER, false, 0, 0, NULL},
    {"replication", LB_T_MAP, false, 0, 0, NULL},
    {"replication.noise", LB_T_NUMBERS, false, LB_CHECK_RISING | LB_CHECK_NOT_NEGATIVE, 0, NULL},
    {"settings", LB_T_FREE, false, 0, 0, NULL},
    {"hypotheses", LB_T_MAP, false, 0, 0, NULL},
    {"hypotheses.*", LB_T_MAP, false, 0, 0, NULL},
    {"hypotheses.*.claim", LB_T_WORDS, true, 0, 0, NULL},
    {"hypotheses.*.metric", LB_T_TEXT, true, LB_CHECK_OWN_KEY, 0, NULL},
    {"hypotheses.*.pass", LB_T_CONDITION, true, 0, 0, NULL},
    {"hypotheses.*.partial", LB_T_CONDITION, false, 0, 0, NULL},
    {"hypotheses.*.fail", LB_T_CONDITION, false, 0, 0, NULL},
    {"hypotheses.*.if_pass", LB_T_WORDS, false, 0, 0, NULL},
    {"hypotheses.*.if_partial", LB_T_WORDS, false, 0, 0, NULL},
    {"hypotheses.*.if_fail", LB_T_WORDS, false, 0, 0, NULL},
    {"tables", LB_T_MAP, false, 0, 0, NULL},
    {"tables.*", LB_T_WORDS, false, 0, 0, NULL},
    {"figures", LB_T_MAP, false, 0, 0, NULL},
    {"figures.*", LB_T_MAP, false, 0, 0, NULL},
    {"figures.*.file", LB_T_TEXT, true, 0, 0, NULL},
    {"figures.*.en", LB_T_TEXT, true, 0, 0, NULL},
    {"figures.*.zh", LB_T_TEXT, true, 0, 0, NULL},
    {"published", LB_T_LIST, false, 0, 0, NULL},
    {"published.*", LB_T_MAP, false, 0, 0, NULL},
    {"published.*.ours", LB_T_TEXT, true, LB_CHECK_OWN_KEY, 0, NULL},
    {"published.*.theirs", LB_T_TEXT, false, 0, 0, NULL},
    {"published.*.threshold", LB_T_TEXT, false, 0, 0, NULL},
    {"tolerance", LB_T_MAP, false, 0, 0, NULL},
    {"tolerance.*", LB_T_MAP, false, 0, 0, NULL},
    {"tolerance.*.kind", LB_T_TEXT, true, 0, 0, "exact|numeric|statistical|measured"},
    {"tolerance.*.rtol", LB_T_NUMBER, false, LB_CHECK_NOT_NEGATIVE, 0, NULL},
    {"tolerance.*.atol", LB_T_NUMBER, false, LB_CHECK_NOT_NEGATIVE, 0, NULL},
    {"tolerance.*.se", LB_T_NUMBER, false, LB_CHECK_POSITIVE, 0, NULL},
    {"literals", LB_T_TEXTS, false, 0, 0, NULL},
};
static const lb_schema schema = {spec_rules, sizeof spec_rules / sizeof *spec_rules};

typedef struct vector {
    const lb_yaml_node *node;
    double *values;
} vector;

struct lb_spec {
    lb_yaml *yaml;
    char hash[LB_HASH_SIZE];
    vector *vectors; /* every list of numbers of the tree */
    size_t n_vectors;
    char **paths; /* every path of the tree, for "did you mean" */
    size_t n_paths;
};

typedef struct checker {
    const lb_yaml *yaml;
    lb_error *err;
} checker;

/* --- what one line cannot say about another ------------------------------------------------- */

static lb_status check_names(const checker *c)
{
    const lb_yaml_node *experiment = lb_yaml_get(c->yaml->root, "experiment");
    const lb_yaml_node *name = lb_yaml_get(c->yaml->root, "name");
    const size_t length = strlen(experiment->text);
    if (strspn(experiment->text, "abcdefghijklmnopqrstuvwxyz0123456789") != length)
        return lb_yaml_fail(c->yaml, experiment, LB_EINVAL, c->err,
                            "'experiment' is '%s', must be lower-case letters and digits like e02",
                            experiment->text);
    if (strspn(name->text, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name->text) ||
        strncmp(name->text, experiment->text, length) || name->text[length] != '_')
        return lb_yaml_fail(c->yaml, name, LB_EINVAL, c->err,
                            "'name' is '%s', must look like %s_what_it_is (lower case)", name->text,
                            experiment->text);
    return LB_OK;
}

static lb_status check_focus(const checker *c)
{
    const lb_yaml_node *focus = lb_yaml_at(c->yaml->root, "noise.focus");
    const lb_yaml_node *levels = lb_yaml_at(c->yaml->root, "noise.levels");
    double wanted, level;
    if (!focus || !lb_yaml_number(focus, &wanted))
        return LB_OK;
    for (size_t i = 0; i < levels->n; i++)
        if (lb_yaml_number(levels->items[i], &level) && level == wanted)
            return LB_OK;
    return lb_yaml_fail(c->yaml, focus, LB_EINVAL, c->err, "'focus' is %s, which is no noise level",
                        focus->text);
}

/* A verdict rule may use keys of its own experiment, spec paths and earlier verdicts. */
static lb_status check_rule_names(const checker *c, const lb_spec *s, const lb_yaml_node *rule_node,
                                  size_t earlier)
{
    const lb_yaml_node *hypotheses = lb_yaml_get(c->yaml->root, "hypotheses");
    const char *prefix = lb_spec_experiment(s);
    const size_t length = strlen(prefix);
    lb_condition *condition = NULL;
    lb_status st = lb_condition_parse(rule_node->text, &condition, c->err);
    size_t n = 0;
    const char *const *names = st == LB_OK ? lb_condition_names(condition, &n) : NULL;
    for (size_t i = 0; st == LB_OK && i < n; i++) {
        if (!strncmp(names[i], "spec.", 5)) {
            if (lb_spec_has(s, names[i] + 5))
                continue;
            const char *near = lb_spec_nearest(s, names[i] + 5);
            st = lb_yaml_fail(
                c->yaml, rule_node, LB_ENAME, c->err, "'%s' is not in this file%s%s%s", names[i],
                near ? ": did you mean 'spec." : "", near ? near : "", near ? "'?" : "");
        } else if (strncmp(names[i], prefix, length) || names[i][length] != '.') {
            st = lb_yaml_fail(c->yaml, rule_node, LB_ENAME, c->err,
                              "'%s': a rule may use keys that start with '%s.' and spec.…",
                              names[i], prefix);
        }
    }
    const char *const *ids = st == LB_OK ? lb_condition_verdicts(condition, &n) : NULL;
    for (size_t i = 0; st == LB_OK && i < n; i++) {
        size_t k = 0;
        while (k < earlier && strcmp(hypotheses->keys[k], ids[i]))
            k++;
        if (k == earlier)
            st =
                lb_yaml_fail(c->yaml, rule_node, LB_ENAME, c->err,
                             "verdict(%s): no hypothesis of that id stands above this one", ids[i]);
    }
    lb_condition_free(condition);
    return st;
}

static lb_status check_rules(const checker *c, const lb_spec *s)
{
    static const char *const rules[] = {"pass", "partial", "fail"};
    const lb_yaml_node *hypotheses = lb_yaml_get(c->yaml->root, "hypotheses");
    lb_status st = LB_OK;
    for (size_t i = 0; st == LB_OK && hypotheses && i < hypotheses->n; i++)
        for (size_t k = 0; st == LB_OK && k < 3; k++) {
            const lb_yaml_node *node = lb_yaml_get(hypotheses->items[i], rules[k]);
            if (node)
                st = check_rule_names(c, s, node, i);
        }
    return st;
}

static lb_status check_spec(const lb_spec *s, lb_error *err)
{
    const checker c = {s->yaml, err};
    lb_status st = lb_schema_check(&schema, s->yaml, err);
    if (st == LB_OK)
        st = check_names(&c);
    if (st == LB_OK)
        st = check_focus(&c);
    if (st == LB_OK)
        st = check_rules(&c, s);
    return st;
}

/* --- loading ------------------------------------------------------------------------------- */

static void index_node(lb_spec *s, const lb_yaml_node *node, const char *path)
{
    if (*path) {
        s->paths = lb_xrealloc(s->paths, s->n_paths + 1, sizeof *s->paths);
        s->paths[s->n_paths++] = lb_xstrdup(path);
    }
    bool numbers = node->kind == LB_YAML_LIST && node->n > 0;
    double x;
    for (size_t i = 0; numbers && i < node->n; i++)
        numbers = lb_yaml_number(node->items[i], &x);
    if (numbers) {
        vector v = {node, lb_xcalloc(node->n, sizeof *v.values)};
        for (size_t i = 0; i < node->n; i++)
            lb_yaml_number(node->items[i], &v.values[i]);
        s->vectors = lb_xrealloc(s->vectors, s->n_vectors + 1, sizeof *s->vectors);
        s->vectors[s->n_vectors++] = v;
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        char *child = node->kind == LB_YAML_MAP
                          ? lb_xprintf("%s%s%s", path, *path ? "." : "", node->keys[i])
                          : lb_xprintf("%s%s%zu", path, *path ? "." : "", i);
        index_node(s, node->items[i], child);
        free(child);
    }
}

static lb_status take(lb_yaml *yaml, const char *text, size_t length, lb_spec **out, lb_error *err)
{
    lb_spec *s = lb_xcalloc(1, sizeof *s);
    s->yaml = yaml;
    lb_hash_bytes(text, length, s->hash);
    index_node(s, yaml->root, "");
    const lb_status st = check_spec(s, err);
    if (st == LB_OK)
        *out = s;
    else
        lb_spec_free(s);
    return st;
}

lb_status lb_spec_parse(const char *text, const char *name, lb_spec **out, lb_error *err)
{
    lb_yaml *yaml = NULL;
    const lb_status st = lb_yaml_parse(text, strlen(text), name, &yaml, err);
    return st == LB_OK ? take(yaml, text, strlen(text), out, err) : st;
}

lb_status lb_spec_load(const char *path, lb_spec **out, lb_error *err)
{
    char *text = NULL;
    size_t length = 0;
    lb_yaml *yaml = NULL;
    lb_status st = lb_file_read(path, &text, &length, err);
    if (st == LB_OK)
        st = lb_yaml_parse(text, length, path, &yaml, err);
    if (st == LB_OK)
        st = take(yaml, text, length, out, err);
    free(text);
    return st;
}

void lb_spec_free(lb_spec *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_vectors; i++)
        free(s->vectors[i].values);
    for (size_t i = 0; i < s->n_paths; i++)
        free(s->paths[i]);
    free(s->vectors);
    free(s->paths);
    lb_yaml_free(s->yaml);
    free(s);
}

/* --- reading ------------------------------------------------------------------------------- */

const char *lb_spec_path(const lb_spec *s)
{
    return s ? s->yaml->name : "";
}

const char *lb_spec_hash(const lb_spec *s)
{
    return s->hash;
}

const char *lb_spec_experiment(const lb_spec *s)
{
    return lb_spec_text(s, "experiment", "en");
}

const char *lb_spec_name(const lb_spec *s)
{
    return lb_spec_text(s, "name", "en");
}

const lb_yaml_node *lb_spec_node(const lb_spec *s, const char *path)
{
    return s ? lb_yaml_at(s->yaml->root, path) : NULL;
}

bool lb_spec_has(const lb_spec *s, const char *path)
{
    return lb_spec_node(s, path) != NULL;
}

const char *lb_spec_text(const lb_spec *s, const char *path, const char *lang)
{
    const lb_yaml_node *node = lb_spec_node(s, path);
    if (node && node->kind == LB_YAML_MAP)
        node = lb_yaml_get(node, lang);
    return node && node->kind == LB_YAML_SCALAR ? node->text : "";
}

double lb_spec_number(const lb_spec *s, const char *path)
{
    double x;
    return lb_yaml_number(lb_spec_node(s, path), &x) ? x : NAN;
}

size_t lb_spec_size(const lb_spec *s, const char *path)
{
    const double x = lb_spec_number(s, path);
    return x >= 0.0 && x <= 9007199254740992.0 && x == floor(x) ? (size_t)x : 0;
}

bool lb_spec_flag(const lb_spec *s, const char *path)
{
    bool flag = false;
    return lb_yaml_bool(lb_spec_node(s, path), &flag) && flag;
}

const double *lb_spec_numbers(const lb_spec *s, const char *path, size_t *n)
{
    const lb_yaml_node *node = lb_spec_node(s, path);
    *n = 0;
    for (size_t i = 0; i < s->n_vectors; i++)
        if (node && s->vectors[i].node == node) {
            *n = node->n;
            return s->vectors[i].values;
        }
    return NULL;
}

const char *lb_spec_nearest(const lb_spec *s, const char *path)
{
    return s ? lb_nearest(path, (const char *const *)s->paths, s->n_paths) : NULL;
}

lb_status lb_spec_require(const lb_spec *s, const char *const *paths, size_t n, lb_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!lb_spec_has(s, paths[i]))
            return LB_FAIL(err, LB_ENAME, "%s: this experiment needs '%s', which is missing",
                           lb_spec_path(s), paths[i]);
    return LB_OK;
}

/* --- tolerances ---------------------------------------------------------------------------- */

static lb_tolerance tolerance_at(const lb_yaml_node *node)
{
    lb_tolerance t = {LB_TOL_NUMERIC, 1e-6, 1e-9, 0.5};
    const char *kind = lb_yaml_get(node, "kind")->text;
    if (!strcmp(kind, "exact"))
        t.kind = LB_TOL_EXACT;
    else if (!strcmp(kind, "statistical"))
        t.kind = LB_TOL_STATISTICAL;
    else if (!strcmp(kind, "measured"))
        t.kind = LB_TOL_MEASURED;
    lb_yaml_number(lb_yaml_get(node, "rtol"), &t.rtol);
    lb_yaml_number(lb_yaml_get(node, "atol"), &t.atol);
    lb_yaml_number(lb_yaml_get(node, "se"), &t.errors);
    return t;
}

lb_tolerance lb_spec_tolerance(const lb_spec *s, const char *number_kind)
{
    const lb_yaml_node *all = s ? lb_spec_node(s, "tolerance") : NULL;
    const lb_yaml_node *own = lb_yaml_get(all, number_kind), *rest = lb_yaml_get(all, "default");
    lb_tolerance t = {LB_TOL_NUMERIC, 1e-6, 1e-9, 0.5};
    if (own)
        return tolerance_at(own);
    if (!strcmp(number_kind, "count") || !strcmp(number_kind, "alpha") ||
        !strcmp(number_kind, "seed")) {
        t.kind = LB_TOL_EXACT;
        return t;
    }
    if (!strcmp(number_kind, "seconds") || !strcmp(number_kind, "bytes")) {
        t.kind = LB_TOL_MEASURED;
        return t;
    }
    return rest ? tolerance_at(rest) : t;
}
