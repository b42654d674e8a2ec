/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/spec.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "record/condition.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the shape ----------------------------------------------------------------------------- */

typedef enum type {
    T_MAP,   /* its entries have their own lines; "*" stands for any key or list element */
    T_LIST,  /* of maps */
    T_TEXT,  /* a scalar that is not empty */
    T_WORDS, /* a text for readers, as a map of en and zh */
    T_NUMBER,
    T_SIZE,    /* a whole number >= 0 */
    T_FLAG,    /* true or false */
    T_NUMBERS, /* a list of numbers, not empty */
    T_SIZES,
    T_TEXTS,
    T_CONDITION, /* of the language in condition.h */
    T_FREE       /* a map with anything in it */
} type;

/* What a value must also be. */
enum {
    POSITIVE = 1,     /* > 0 */
    NOT_NEGATIVE = 2, /* >= 0 */
    FRACTION = 4,     /* between 0 and 1, both excluded */
    RISING = 8,       /* a list, each above the one before */
    EDGES = 16,       /* the same, at least two */
    OWN_KEY = 32,     /* a key of this experiment */
    DATE = 64
};

typedef struct rule {
    const char *path;
    type type;
    bool required;     /* in the map it belongs to */
    int check;         /* flags above */
    double least;      /* the smallest number allowed, if above 0 */
    const char *among; /* words allowed, separated by '|' */
} rule;

static const rule schema[] = {
    {"experiment", T_TEXT, true, 0, 0, NULL},
    {"name", T_TEXT, true, 0, 0, NULL},
    {"registry", T_TEXT, false, 0, 0, NULL},
    {"title", T_WORDS, true, 0, 0, NULL},
    {"topic", T_TEXT, false, 0, 0, NULL},
    {"mvp", T_TEXT, false, 0, 0, NULL},
    {"author", T_TEXT, true, 0, 0, NULL},
    {"date", T_TEXT, true, DATE, 0, NULL},
    {"priority", T_TEXT, false, 0, 0, "P0|P1|P2"},
    {"question", T_WORDS, true, 0, 0, NULL},
    {"upstream", T_LIST, false, 0, 0, NULL},
    {"upstream.*", T_MAP, false, 0, 0, NULL},
    {"upstream.*.type", T_TEXT, true, 0, 0, NULL},
    {"upstream.*.title", T_WORDS, true, 0, 0, NULL},
    {"upstream.*.link", T_TEXT, false, 0, 0, NULL},
    {"protocol", T_MAP, true, 0, 0, NULL},
    {"protocol.name", T_TEXT, true, 0, 0, NULL},
    {"protocol.label", T_TEXT, false, 0, 0, NULL},
    {"protocol.edge_rule", T_TEXT, false, 0, 0, "code|seed_text"},
    {"protocol.split_seeds", T_MAP, false, 0, 0, NULL},
    {"protocol.split_seeds.train", T_SIZE, true, 0, 0, NULL},
    {"protocol.split_seeds.validation", T_SIZE, true, 0, 0, NULL},
    {"protocol.split_seeds.test", T_SIZE, true, 0, 0, NULL},
    {"noise", T_MAP, false, 0, 0, NULL},
    {"noise.levels", T_NUMBERS, true, RISING | NOT_NEGATIVE, 0, NULL},
    {"noise.focus", T_NUMBER, false, NOT_NEGATIVE, 0, NULL},
    {"bins", T_MAP, false, 0, 0, NULL},
    {"bins.teff_edges", T_NUMBERS, true, EDGES | POSITIVE, 0, NULL},
    {"bins.mh_edges", T_NUMBERS, true, EDGES, 0, NULL},
    {"bins.minimum_train", T_SIZE, false, 0, 0, NULL},
    {"bins.minimum_test", T_SIZE, false, 0, 0, NULL},
    {"ridge", T_MAP, false, 0, 0, NULL},
    {"ridge.alphas", T_NUMBERS, true, RISING | POSITIVE, 0, NULL},
    {"ridge.extend_decades", T_SIZE, false, 0, 0, NULL},
    {"ridge.standardise", T_FLAG, false, 0, 0, NULL},
    {"bootstrap", T_MAP, false, 0, 0, NULL},
    {"bootstrap.resamples", T_SIZE, true, 0, 100, NULL},
    {"bootstrap.level", T_NUMBER, false, FRACTION, 0, NULL},
    {"bootstrap.seed", T_SIZE, true, 0, 0, NULL},
    {"seeds", T_SIZES, false, 0, 0, NULL},
    {"thresholds", T_MAP, false, 0, 0, NULL},
    {"thresholds.*", T_NUMBER, false, 0, 0, NULL},
    {"replication", T_MAP, false, 0, 0, NULL},
    {"replication.noise", T_NUMBERS, false, RISING | NOT_NEGATIVE, 0, NULL},
    {"settings", T_FREE, false, 0, 0, NULL},
    {"hypotheses", T_MAP, false, 0, 0, NULL},
    {"hypotheses.*", T_MAP, false, 0, 0, NULL},
    {"hypotheses.*.claim", T_WORDS, true, 0, 0, NULL},
    {"hypotheses.*.metric", T_TEXT, true, OWN_KEY, 0, NULL},
    {"hypotheses.*.pass", T_CONDITION, true, 0, 0, NULL},
    {"hypotheses.*.partial", T_CONDITION, false, 0, 0, NULL},
    {"hypotheses.*.fail", T_CONDITION, false, 0, 0, NULL},
    {"hypotheses.*.if_pass", T_WORDS, false, 0, 0, NULL},
    {"hypotheses.*.if_partial", T_WORDS, false, 0, 0, NULL},
    {"hypotheses.*.if_fail", T_WORDS, false, 0, 0, NULL},
    {"tables", T_MAP, false, 0, 0, NULL},
    {"tables.*", T_WORDS, false, 0, 0, NULL},
    {"figures", T_MAP, false, 0, 0, NULL},
    {"figures.*", T_MAP, false, 0, 0, NULL},
    {"figures.*.file", T_TEXT, true, 0, 0, NULL},
    {"figures.*.en", T_TEXT, true, 0, 0, NULL},
    {"figures.*.zh", T_TEXT, true, 0, 0, NULL},
    {"published", T_LIST, false, 0, 0, NULL},
    {"published.*", T_MAP, false, 0, 0, NULL},
    {"published.*.ours", T_TEXT, true, OWN_KEY, 0, NULL},
    {"published.*.theirs", T_TEXT, false, 0, 0, NULL},
    {"published.*.threshold", T_TEXT, false, 0, 0, NULL},
    {"tolerance", T_MAP, false, 0, 0, NULL},
    {"tolerance.*", T_MAP, false, 0, 0, NULL},
    {"tolerance.*.kind", T_TEXT, true, 0, 0, "exact|numeric|statistical|measured"},
    {"tolerance.*.rtol", T_NUMBER, false, NOT_NEGATIVE, 0, NULL},
    {"tolerance.*.atol", T_NUMBER, false, NOT_NEGATIVE, 0, NULL},
    {"tolerance.*.se", T_NUMBER, false, POSITIVE, 0, NULL},
    {"literals", T_TEXTS, false, 0, 0, NULL},
};
enum { N_RULES = sizeof schema / sizeof *schema };

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

/* --- finding rules ------------------------------------------------------------------------- */

/* The last part of @p path if it is a child of @p parent ("" is the root), else NULL. */
static const char *child_of(const char *path, const char *parent)
{
    const size_t length = strlen(parent);
    if (strncmp(path, parent, length) || (length && path[length] != '.'))
        return NULL;
    const char *rest = path + length + (length > 0);
    return *rest && !strchr(rest, '.') ? rest : NULL;
}

/* The line for @p key below @p parent: its own, or that of "*". */
static const rule *child_rule(const char *parent, const char *key)
{
    const rule *any = NULL;
    for (size_t i = 0; i < N_RULES; i++) {
        const char *word = child_of(schema[i].path, parent);
        if (word && !strcmp(word, key))
            return &schema[i];
        if (word && !strcmp(word, "*"))
            any = &schema[i];
    }
    return any;
}

static lb_status unknown_key(const checker *c, const lb_yaml_node *node, const char *key,
                             const char *const *words, size_t n)
{
    const char *near = lb_nearest(key, words, n);
    if (near)
        return lb_yaml_fail_key(c->yaml, node, LB_ENAME, c->err,
                                "unknown key '%s': did you mean '%s'?", key, near);
    lb_text list = {0};
    for (size_t i = 0; i < n; i++)
        lb_text_printf(&list, "%s%s", i ? ", " : "", words[i]);
    const lb_status st = lb_yaml_fail_key(c->yaml, node, LB_ENAME, c->err,
                                          "unknown key '%s'; known here: %s", key, list.s);
    lb_text_free(&list);
    return st;
}

/* --- scalars ------------------------------------------------------------------------------- */

static lb_status wrong_type(const checker *c, const lb_yaml_node *node, const char *key,
                            const char *wanted)
{
    if (node->kind != LB_YAML_SCALAR)
        return lb_yaml_fail(c->yaml, node, LB_EFORMAT, c->err, "'%s' must be %s, not a %s", key,
                            wanted, node->kind == LB_YAML_LIST ? "list" : "map");
    if (!*node->text && !node->quoted)
        return lb_yaml_fail(c->yaml, node, LB_EFORMAT, c->err,
                            "'%s' must be %s, but nothing is written here", key, wanted);
    return lb_yaml_fail(c->yaml, node, LB_EFORMAT, c->err, "'%s' must be %s, not '%.60s'%s", key,
                        wanted, node->text, node->quoted ? " (a text, because of its quotes)" : "");
}

static lb_status check_number(const checker *c, const rule *r, const lb_yaml_node *node,
                              const char *key)
{
    const bool whole = r->type == T_SIZE || r->type == T_SIZES;
    double x;
    if (!lb_yaml_number(node, &x))
        return wrong_type(c, node, key, whole ? "a whole number" : "a number");
    if (whole && (x < 0.0 || x != floor(x) || x > 9007199254740992.0))
        return lb_yaml_fail(c->yaml, node, LB_EINVAL, c->err,
                            "'%s' is %s, must be a whole number between 0 and 2^53", key,
                            node->text);
    if ((r->check & POSITIVE) && x <= 0.0)
        return lb_yaml_fail(c->yaml, node, LB_EINVAL, c->err, "'%s' is %s, must be above 0", key,
                            node->text);
    if ((r->check & NOT_NEGATIVE) && x < 0.0)
        return lb_yaml_fail(c->yaml, node, LB_EINVAL, c->err, "'%s' is %s, must not be negative",
                            key, node->text);
    if ((r->check & FRACTION) && (x <= 0.0 || x >= 1.0))
        return lb_yaml_fail(c->yaml, node, LB_EINVAL, c->err,
                            "'%s' is %s, must lie between 0 and 1", key, node->text);
    if (r->least > 0.0 && x < r->least)
        return lb_yaml_fail(c->yaml, node, LB_EINVAL, c->err, "'%s' is %s, must be at least %g",
                            key, node->text, r->least);
    return LB_OK;
}

static bool is_date(const char *s)
{
    int year, month, day, used = 0;
    return strlen(s) == 10 && sscanf(s, "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3 &&
           used == 10 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static lb_status check_among(const checker *c, const rule *r, const lb_yaml_node *node,
                             const char *key)
{
    const size_t length = strlen(node->text);
    for (const char *word = r->among; word; word = strchr(word, '|')) {
        word += *word == '|';
        if (strcspn(word, "|") == length && !strncmp(word, node->text, length))
            return LB_OK;
    }
    return lb_yaml_fail(c->yaml, node, LB_EINVAL, c->err, "'%s' is '%s', must be one of %s", key,
                        node->text, r->among);
}

static lb_status check_text(const checker *c, const rule *r, const lb_yaml_node *node,
                            const char *key)
{
    if (node->kind != LB_YAML_SCALAR || !*node->text)
        return wrong_type(c, node, key, "a text");
    if (r->among)
        return check_among(c, r, node, key);
    if ((r->check & DATE) && !is_date(node->text))
        return lb_yaml_fail(c->yaml, node, LB_EINVAL, c->err,
                            "'%s' is '%s', must be a date like 2026-11-21", key, node->text);
    if (r->check & OWN_KEY) {
        const lb_yaml_node *prefix = lb_yaml_get(c->yaml->root, "experiment");
        const size_t length = prefix && prefix->kind == LB_YAML_SCALAR ? strlen(prefix->text) : 0;
        if (length && (strncmp(node->text, prefix->text, length) || node->text[length] != '.'))
            return lb_yaml_fail(c->yaml, node, LB_ENAME, c->err,
                                "'%s' is '%s', but the keys of this experiment start with '%s.'",
                                key, node->text, prefix->text);
    }
    return LB_OK;
}

static lb_status check_words(const checker *c, const lb_yaml_node *node, const char *key)
{
    static const char *const languages[] = {"en", "zh"};
    if (node->kind != LB_YAML_MAP)
        return wrong_type(c, node, key, "a map with the texts en and zh");
    for (size_t i = 0; i < node->n; i++)
        if (strcmp(node->keys[i], "en") && strcmp(node->keys[i], "zh"))
            return unknown_key(c, node->items[i], node->keys[i], languages, 2);
    for (size_t i = 0; i < 2; i++) {
        const lb_yaml_node *text = lb_yaml_get(node, languages[i]);
        if (!text)
            return lb_yaml_fail_key(c->yaml, node, LB_EINVAL, c->err,
                                    "'%s' has no '%s' text: both languages are required", key,
                                    languages[i]);
        if (text->kind != LB_YAML_SCALAR || !*text->text)
            return wrong_type(c, text, languages[i], "a text");
    }
    return LB_OK;
}

static lb_status check_condition(const checker *c, const lb_yaml_node *node, const char *key)
{
    if (node->kind != LB_YAML_SCALAR || !*node->text)
        return wrong_type(c, node, key, "a condition");
    lb_condition *condition = NULL;
    lb_error inner = {0};
    lb_status st = lb_condition_parse(node->text, &condition, &inner);
    if (st != LB_OK)
        st = lb_yaml_fail(c->yaml, node, st, c->err, "condition '%s', %s", node->text, inner.text);
    lb_condition_free(condition);
    return st;
}

/* --- lists and maps ------------------------------------------------------------------------ */

static lb_status check_order(const checker *c, const rule *r, const lb_yaml_node *list,
                             const char *key)
{
    if ((r->check & EDGES) && list->n < 2)
        return lb_yaml_fail(c->yaml, list, LB_EINVAL, c->err,
                            "'%s' needs at least two edges to enclose a bin", key);
    for (size_t i = 1; (r->check & (RISING | EDGES)) && i < list->n; i++) {
        double before = NAN, here = NAN;
        lb_yaml_number(list->items[i - 1], &before);
        lb_yaml_number(list->items[i], &here);
        if (!(here > before))
            return lb_yaml_fail(c->yaml, list->items[i], LB_EINVAL, c->err,
                                "'%s' must rise: %s does not lie above %s%s", key,
                                list->items[i]->text, list->items[i - 1]->text,
                                r->check & EDGES ? ", the bins would overlap" : "");
    }
    return LB_OK;
}

static lb_status check_list(const checker *c, const rule *r, const lb_yaml_node *list,
                            const char *key)
{
    lb_status st = LB_OK;
    if (list->kind != LB_YAML_LIST)
        return wrong_type(c, list, key,
                          r->type == T_TEXTS ? "a list of texts" : "a list of numbers");
    if (!list->n)
        return lb_yaml_fail(c->yaml, list, LB_EINVAL, c->err, "'%s' is an empty list", key);
    for (size_t i = 0; st == LB_OK && i < list->n; i++)
        st = r->type == T_TEXTS ? check_text(c, r, list->items[i], key)
                                : check_number(c, r, list->items[i], key);
    return st == LB_OK ? check_order(c, r, list, key) : st;
}

static lb_status check_node(const checker *c, const rule *r, const lb_yaml_node *node,
                            const char *key);

/* @p path is the pattern of the map itself ("" is the root). */
static lb_status check_map(const checker *c, const char *path, const lb_yaml_node *map,
                           const char *key)
{
    const char *words[N_RULES];
    size_t n = 0;
    lb_status st = LB_OK;
    for (size_t i = 0; i < N_RULES; i++) {
        const char *word = child_of(schema[i].path, path);
        if (word && strcmp(word, "*"))
            words[n++] = word;
    }
    for (size_t i = 0; st == LB_OK && i < map->n; i++) {
        const rule *r = child_rule(path, map->keys[i]);
        st = r ? check_node(c, r, map->items[i], map->keys[i])
               : unknown_key(c, map->items[i], map->keys[i], words, n);
    }
    for (size_t i = 0; st == LB_OK && i < N_RULES; i++) {
        const char *word = child_of(schema[i].path, path);
        if (word && schema[i].required && !lb_yaml_get(map, word))
            st = lb_yaml_fail_key(c->yaml, map, LB_ENAME, c->err, "%s%s%sthe key '%s' is missing",
                                  *path ? "'" : "", key, *path ? "': " : "", word);
    }
    return st;
}

static lb_status check_node(const checker *c, const rule *r, const lb_yaml_node *node,
                            const char *key)
{
    lb_status st = LB_OK;
    switch (r->type) {
    case T_TEXT:
        return check_text(c, r, node, key);
    case T_WORDS:
        return check_words(c, node, key);
    case T_NUMBER:
    case T_SIZE:
        return check_number(c, r, node, key);
    case T_FLAG: {
        bool flag;
        return lb_yaml_bool(node, &flag) ? LB_OK : wrong_type(c, node, key, "true or false");
    }
    case T_NUMBERS:
    case T_SIZES:
    case T_TEXTS:
        return check_list(c, r, node, key);
    case T_CONDITION:
        return check_condition(c, node, key);
    case T_FREE:
        return node->kind == LB_YAML_MAP ? LB_OK : wrong_type(c, node, key, "a map");
    case T_LIST:
        if (node->kind != LB_YAML_LIST)
            return wrong_type(c, node, key, "a list");
        for (size_t i = 0; st == LB_OK && i < node->n; i++)
            st = check_node(c, child_rule(r->path, "*"), node->items[i], key);
        return st;
    case T_MAP:
        break;
    }
    return node->kind == LB_YAML_MAP ? check_map(c, r->path, node, key)
                                     : wrong_type(c, node, key, "a map");
}

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
    const lb_yaml_node *root = s->yaml->root;
    if (root->kind != LB_YAML_MAP)
        return lb_yaml_fail(s->yaml, root, LB_EFORMAT, err, "a spec is a map of settings");
    lb_status st = check_map(&c, "", root, "");
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
    return s->yaml->name;
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
    return lb_yaml_at(s->yaml->root, path);
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
    return lb_nearest(path, (const char *const *)s->paths, s->n_paths);
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
