/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/schema.h"

#include "core/memory.h"
#include "core/text.h"
#include "record/condition.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct checker {
    const lb_rule *rules;
    size_t n;
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
static const lb_rule *child_rule(const checker *c, const char *parent, const char *key)
{
    const lb_rule *any = NULL;
    for (size_t i = 0; i < c->n; i++) {
        const char *word = child_of(c->rules[i].path, parent);
        if (word && !strcmp(word, key))
            return &c->rules[i];
        if (word && !strcmp(word, "*"))
            any = &c->rules[i];
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

static lb_status check_number(const checker *c, const lb_rule *r, const lb_yaml_node *node,
                              const char *key)
{
    const bool whole = r->type == LB_T_SIZE || r->type == LB_T_SIZES;
    double x;
    if (!lb_yaml_number(node, &x))
        return wrong_type(c, node, key, whole ? "a whole number" : "a number");
    if (whole && (x < 0.0 || x != floor(x) || x > 9007199254740992.0))
        return lb_yaml_fail(c->yaml, node, LB_EINVAL, c->err,
                            "'%s' is %s, must be a whole number between 0 and 2^53", key,
                            node->text);
    if ((r->check & LB_CHECK_POSITIVE) && x <= 0.0)
        return lb_yaml_fail(c->yaml, node, LB_EINVAL, c->err, "'%s' is %s, must be above 0", key,
                            node->text);
    if ((r->check & LB_CHECK_NOT_NEGATIVE) && x < 0.0)
        return lb_yaml_fail(c->yaml, node, LB_EINVAL, c->err, "'%s' is %s, must not be negative",
                            key, node->text);
    if ((r->check & LB_CHECK_FRACTION) && (x <= 0.0 || x >= 1.0))
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

static lb_status check_among(const checker *c, const lb_rule *r, const lb_yaml_node *node,
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

static lb_status check_text(const checker *c, const lb_rule *r, const lb_yaml_node *node,
                            const char *key)
{
    if (node->kind != LB_YAML_SCALAR || !*node->text)
        return wrong_type(c, node, key, "a text");
    if (r->among)
        return check_among(c, r, node, key);
    if ((r->check & LB_CHECK_DATE) && !is_date(node->text))
        return lb_yaml_fail(c->yaml, node, LB_EINVAL, c->err,
                            "'%s' is '%s', must be a date like 2026-11-21", key, node->text);
    if (r->check & LB_CHECK_OWN_KEY) {
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

static lb_status check_order(const checker *c, const lb_rule *r, const lb_yaml_node *list,
                             const char *key)
{
    if ((r->check & LB_CHECK_EDGES) && list->n < 2)
        return lb_yaml_fail(c->yaml, list, LB_EINVAL, c->err,
                            "'%s' needs at least two edges to enclose a bin", key);
    for (size_t i = 1; (r->check & (LB_CHECK_RISING | LB_CHECK_EDGES)) && i < list->n; i++) {
        double before = NAN, here = NAN;
        lb_yaml_number(list->items[i - 1], &before);
        lb_yaml_number(list->items[i], &here);
        if (!(here > before))
            return lb_yaml_fail(c->yaml, list->items[i], LB_EINVAL, c->err,
                                "'%s' must rise: %s does not lie above %s%s", key,
                                list->items[i]->text, list->items[i - 1]->text,
                                r->check & LB_CHECK_EDGES ? ", the bins would overlap" : "");
    }
    return LB_OK;
}

static lb_status check_list(const checker *c, const lb_rule *r, const lb_yaml_node *list,
                            const char *key)
{
    lb_status st = LB_OK;
    if (list->kind != LB_YAML_LIST)
        return wrong_type(c, list, key,
                          r->type == LB_T_TEXTS ? "a list of texts" : "a list of numbers");
    if (!list->n)
        return lb_yaml_fail(c->yaml, list, LB_EINVAL, c->err, "'%s' is an empty list", key);
    for (size_t i = 0; st == LB_OK && i < list->n; i++)
        st = r->type == LB_T_TEXTS ? check_text(c, r, list->items[i], key)
                                   : check_number(c, r, list->items[i], key);
    return st == LB_OK ? check_order(c, r, list, key) : st;
}

static lb_status check_node(const checker *c, const lb_rule *r, const lb_yaml_node *node,
                            const char *key);

/* @p path is the pattern of the map itself ("" is the root). */
static lb_status check_map(const checker *c, const char *path, const lb_yaml_node *map,
                           const char *key)
{
    const char **words = lb_xcalloc(c->n, sizeof *words);
    size_t n = 0;
    lb_status st = LB_OK;
    for (size_t i = 0; i < c->n; i++) {
        const char *word = child_of(c->rules[i].path, path);
        if (word && strcmp(word, "*"))
            words[n++] = word;
    }
    for (size_t i = 0; st == LB_OK && i < map->n; i++) {
        const lb_rule *r = child_rule(c, path, map->keys[i]);
        st = r ? check_node(c, r, map->items[i], map->keys[i])
               : unknown_key(c, map->items[i], map->keys[i], words, n);
    }
    for (size_t i = 0; st == LB_OK && i < c->n; i++) {
        const char *word = child_of(c->rules[i].path, path);
        if (word && c->rules[i].required && !lb_yaml_get(map, word))
            st = lb_yaml_fail_key(c->yaml, map, LB_ENAME, c->err, "%s%s%sthe key '%s' is missing",
                                  *path ? "'" : "", key, *path ? "': " : "", word);
    }
    free(words);
    return st;
}

static lb_status check_node(const checker *c, const lb_rule *r, const lb_yaml_node *node,
                            const char *key)
{
    lb_status st = LB_OK;
    switch (r->type) {
    case LB_T_TEXT:
        return check_text(c, r, node, key);
    case LB_T_WORDS:
        return check_words(c, node, key);
    case LB_T_NUMBER:
    case LB_T_SIZE:
        return check_number(c, r, node, key);
    case LB_T_FLAG: {
        bool flag;
        return lb_yaml_bool(node, &flag) ? LB_OK : wrong_type(c, node, key, "true or false");
    }
    case LB_T_NUMBERS:
    case LB_T_SIZES:
    case LB_T_TEXTS:
        return check_list(c, r, node, key);
    case LB_T_CONDITION:
        return check_condition(c, node, key);
    case LB_T_FREE:
        return node->kind == LB_YAML_MAP ? LB_OK : wrong_type(c, node, key, "a map");
    case LB_T_LIST:
        if (node->kind != LB_YAML_LIST)
            return wrong_type(c, node, key, "a list");
        for (size_t i = 0; st == LB_OK && i < node->n; i++)
            st = check_node(c, child_rule(c, r->path, "*"), node->items[i], key);
        return st;
    case LB_T_MAP:
        break;
    }
    return node->kind == LB_YAML_MAP ? check_map(c, r->path, node, key)
                                     : wrong_type(c, node, key, "a map");
}

lb_status lb_schema_check(const lb_schema *schema, const lb_yaml *yaml, lb_error *err)
{
    const checker c = {schema->rules, schema->n, yaml, err};
    if (yaml->root->kind != LB_YAML_MAP)
        return lb_yaml_fail(yaml, yaml->root, LB_EFORMAT, err, "this file is a map of settings");
    return check_map(&c, "", yaml->root, "");
}
