/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/programme.h"

#include "core/file.h"
#include "core/memory.h"
#include "record/schema.h"
#include "report/digits.h"

#include <stdlib.h>
#include <string.h>

static const lb_rule rules[] = {
    {"title", LB_T_WORDS, true, 0, 0, NULL},
    {"question", LB_T_WORDS, true, 0, 0, NULL},
    {"goal", LB_T_WORDS, true, 0, 0, NULL},
    {"author", LB_T_TEXT, true, 0, 0, NULL},
    {"epsilon", LB_T_TEXT, true, 0, 0, NULL},
    {"protocol", LB_T_TEXT, true, 0, 0, NULL},
    {"main", LB_T_MAP, true, 0, 0, NULL},
    {"main.text", LB_T_WORDS, true, 0, 0, NULL},
    {"main.expected", LB_T_WORDS, true, 0, 0, NULL},
    {"main.decided_by", LB_T_TEXTS, true, 0, 0, NULL},
    {"main.yes", LB_T_WORDS, true, 0, 0, NULL},
    {"main.partly", LB_T_WORDS, true, 0, 0, NULL},
    {"main.no", LB_T_WORDS, true, 0, 0, NULL},
    {"main.open", LB_T_WORDS, true, 0, 0, NULL},
    {"phases", LB_T_MAP, true, 0, 0, NULL},
    {"phases.*", LB_T_MAP, false, 0, 0, NULL},
    {"phases.*.title", LB_T_WORDS, true, 0, 0, NULL},
    {"questions", LB_T_MAP, true, 0, 0, NULL},
    {"questions.*", LB_T_MAP, false, 0, 0, NULL},
    {"questions.*.text", LB_T_WORDS, true, 0, 0, NULL},
    {"questions.*.expected", LB_T_WORDS, true, 0, 0, NULL},
    {"questions.*.decided_by", LB_T_TEXTS, true, 0, 0, NULL},
    {"questions.*.yes", LB_T_WORDS, true, 0, 0, NULL},
    {"questions.*.partly", LB_T_WORDS, true, 0, 0, NULL},
    {"questions.*.no", LB_T_WORDS, true, 0, 0, NULL},
    {"questions.*.open", LB_T_WORDS, true, 0, 0, NULL},
    {"experiments", LB_T_MAP, true, 0, 0, NULL},
    {"experiments.*", LB_T_MAP, false, 0, 0, NULL},
    {"experiments.*.phase", LB_T_TEXT, true, 0, 0, NULL},
    {"experiments.*.question", LB_T_TEXT, true, 0, 0, NULL},
    {"experiments.*.decides", LB_T_TEXT, true, 0, 0, NULL},
    {"experiments.*.model", LB_T_WORDS, true, 0, 0, NULL},
    {"experiments.*.next", LB_T_TEXTS, false, 0, 0, NULL},
    {"experiments.*.score", LB_T_TEXT, false, 0, 0, NULL},
    {"experiments.*.gain", LB_T_TEXT, false, 0, 0, NULL},
    {"gates", LB_T_MAP, false, 0, 0, NULL},
    {"gates.*", LB_T_MAP, false, 0, 0, NULL},
    {"gates.*.title", LB_T_WORDS, true, 0, 0, NULL},
    {"gates.*.asks", LB_T_TEXT, true, 0, 0, NULL},
    {"gates.*.opens", LB_T_TEXTS, true, 0, 0, NULL},
    {"planned", LB_T_MAP, false, 0, 0, NULL},
    {"planned.*", LB_T_MAP, false, 0, 0, NULL},
    {"planned.*.title", LB_T_WORDS, true, 0, 0, NULL},
    {"planned.*.phase", LB_T_TEXT, true, 0, 0, NULL},
    {"planned.*.priority", LB_T_TEXT, true, 0, 0, "P0|P1|P2"},
    {"planned.*.needs", LB_T_TEXTS, true, 0, 0, NULL},
    {"planned.*.when", LB_T_CONDITION, true, 0, 0, NULL},
    {"planned.*.why", LB_T_WORDS, true, 0, 0, NULL},
    {"planned.*.otherwise", LB_T_WORDS, true, 0, 0, NULL},
    {"planned.*.topic", LB_T_TEXT, true, 0, 0, NULL},
    {"planned.*.estimate", LB_T_TEXT, true, 0, 0, "hours|days|weeks"},
    {"planned.*.closes", LB_T_TEXTS, false, 0, 0, NULL},
    {"statements", LB_T_MAP, false, 0, 0, NULL},
    {"statements.*", LB_T_MAP, false, 0, 0, NULL},
    {"statements.*.kind", LB_T_TEXT, true, 0, 0, "consensus|insight|principle|card"},
    {"statements.*.holds", LB_T_CONDITION, true, 0, 0, NULL},
    {"statements.*.firm", LB_T_CONDITION, false, 0, 0, NULL},
    {"statements.*.text", LB_T_WORDS, true, 0, 0, NULL},
    {"statements.*.otherwise", LB_T_WORDS, true, 0, 0, NULL},
    {"statements.*.because", LB_T_WORDS, true, 0, 0, NULL},
    {"statements.*.so", LB_T_WORDS, true, 0, 0, NULL},
    {"statements.*.evidence", LB_T_TEXTS, true, 0, 0, NULL},
    {"statements.*.problem", LB_T_WORDS, false, 0, 0, NULL},
    {"statements.*.macro", LB_T_WORDS, false, 0, 0, NULL},
    {"statements.*.model", LB_T_WORDS, false, 0, 0, NULL},
    {"statements.*.detail", LB_T_WORDS, false, 0, 0, NULL},
    {"statements.*.figure", LB_T_TEXT, false, 0, 0, NULL},
    {"routes", LB_T_MAP, false, 0, 0, NULL},
    {"routes.*", LB_T_MAP, false, 0, 0, NULL},
    {"routes.*.title", LB_T_WORDS, true, 0, 0, NULL},
    {"routes.*.open", LB_T_CONDITION, true, 0, 0, NULL},
    {"routes.*.gain", LB_T_TEXT, true, 0, 0, NULL},
    {"routes.*.why", LB_T_WORDS, true, 0, 0, NULL},
    {"routes.*.instead", LB_T_WORDS, true, 0, 0, NULL},
    {"models", LB_T_LIST, false, 0, 0, NULL},
    {"models.*", LB_T_MAP, false, 0, 0, NULL},
    {"models.*.key", LB_T_TEXT, true, 0, 0, NULL},
    {"models.*.label", LB_T_WORDS, true, 0, 0, NULL},
    {"models.*.condition", LB_T_WORDS, true, 0, 0, NULL},
    {"quantities", LB_T_LIST, false, 0, 0, NULL},
    {"quantities.*", LB_T_MAP, false, 0, 0, NULL},
    {"quantities.*.key", LB_T_TEXT, true, 0, 0, NULL},
    {"quantities.*.label", LB_T_WORDS, true, 0, 0, NULL},
    {"numbers", LB_T_LIST, true, 0, 0, NULL},
    {"numbers.*", LB_T_MAP, false, 0, 0, NULL},
    {"numbers.*.key", LB_T_TEXT, true, 0, 0, NULL},
    {"numbers.*.label", LB_T_WORDS, true, 0, 0, NULL},
    {"numbers.*.condition", LB_T_WORDS, true, 0, 0, NULL},
};
static const lb_schema schema = {rules, sizeof rules / sizeof *rules};

const char *lb_programme_text(const lb_yaml_node *entry, const char *key)
{
    const lb_yaml_node *node = lb_yaml_get(entry, key);
    return node && node->kind == LB_YAML_SCALAR ? node->text : "";
}

/* --- what one line cannot say about another ------------------------------------------------- */

/* @p node names an entry of @p part. */
static lb_status check_name(const lb_programme *p, const lb_yaml_node *node,
                            const lb_yaml_node *part, const char *what, lb_error *err)
{
    if (lb_yaml_get(part, node->text))
        return LB_OK;
    const char *near = lb_nearest(node->text, (const char *const *)part->keys, part->n);
    return lb_yaml_fail(p->yaml, node, LB_ENAME, err, "no %s '%s' in this file%s%s%s", what,
                        node->text, near ? ": did you mean '" : "", near ? near : "",
                        near ? "'?" : "");
}

static lb_status check_experiment(const lb_programme *p, const lb_yaml_node *e, lb_error *err)
{
    lb_status st = check_name(p, lb_yaml_get(e, "phase"), p->phases, "phase", err);
    if (st == LB_OK)
        st = check_name(p, lb_yaml_get(e, "question"), p->questions, "question", err);
    const lb_yaml_node *next = lb_yaml_get(e, "next");
    for (size_t i = 0; next && i < next->n && st == LB_OK; i++)
        if (strcmp(next->items[i]->text, "inbox") != 0 &&
            !lb_yaml_get(p->planned, next->items[i]->text))
            st = check_name(p, next->items[i], p->experiments, "experiment or plan", err);
    return st;
}

/* What a gate opens is an experiment or something planned. */
static lb_status check_opens(const lb_programme *p, const lb_yaml_node *gate, lb_error *err)
{
    const lb_yaml_node *opens = lb_yaml_get(gate, "opens");
    lb_status st = LB_OK;
    for (size_t i = 0; i < opens->n && st == LB_OK; i++)
        if (!lb_yaml_get(p->planned, opens->items[i]->text))
            st = check_name(p, opens->items[i], p->experiments, "experiment or plan", err);
    return st;
}

static lb_status check_plan(const lb_programme *p, const lb_yaml_node *plan, lb_error *err)
{
    const lb_yaml_node *needs = lb_yaml_get(plan, "needs");
    lb_status st = check_name(p, lb_yaml_get(plan, "phase"), p->phases, "phase", err);
    for (size_t i = 0; i < needs->n && st == LB_OK; i++)
        st = check_name(p, needs->items[i], p->experiments, "experiment", err);
    return st;
}

/* A card without its layers would be an insight. */
static lb_status check_card(const lb_programme *p, const lb_yaml_node *s, lb_error *err)
{
    static const char *const parts[] = {"problem", "macro", "model", "detail"};
    for (size_t i = 0; i < 4; i++)
        if (!lb_yaml_get(s, parts[i]))
            return lb_yaml_fail(p->yaml, lb_yaml_get(s, "kind"), LB_ENAME, err, "a card needs '%s'",
                                parts[i]);
    return LB_OK;
}

/* A consensus is worded without numbers: they change, it should not. */
static lb_status check_statement(const lb_programme *p, const lb_yaml_node *s, lb_error *err)
{
    const lb_yaml_node *text = lb_yaml_get(s, "text");
    if (strcmp(lb_programme_text(s, "kind"), "card") == 0)
        return check_card(p, s, err);
    if (strcmp(lb_programme_text(s, "kind"), "consensus") != 0)
        return LB_OK;
    for (size_t i = 0; i < text->n; i++)
        if (strstr(text->items[i]->text, "{{"))
            return lb_yaml_fail(p->yaml, text->items[i], LB_EINVAL, err,
                                "a consensus quotes no number: move it to the evidence");
    return LB_OK;
}

static lb_status check_each(const lb_programme *p, const lb_yaml_node *part,
                            lb_status (*check)(const lb_programme *, const lb_yaml_node *,
                                               lb_error *),
                            lb_error *err)
{
    lb_status st = LB_OK;
    for (size_t i = 0; i < part->n && st == LB_OK; i++)
        st = check(p, part->items[i], err);
    return st;
}

/* --- loading ------------------------------------------------------------------------------- */

static const lb_yaml_node *part_of(const lb_yaml_node *root, const char *key)
{
    static const lb_yaml_node none = {.kind = LB_YAML_MAP};
    const lb_yaml_node *part = lb_yaml_get(root, key);
    return part ? part : &none;
}

static lb_status take(lb_yaml *yaml, lb_programme *out, lb_error *err)
{
    const lb_yaml_node *root = yaml->root;
    *out = (lb_programme){.yaml = yaml,
                          .phases = part_of(root, "phases"),
                          .questions = part_of(root, "questions"),
                          .experiments = part_of(root, "experiments"),
                          .gates = part_of(root, "gates"),
                          .planned = part_of(root, "planned"),
                          .statements = part_of(root, "statements"),
                          .numbers = part_of(root, "numbers")};
    lb_status st = lb_schema_check(&schema, yaml, err);
    if (st == LB_OK)
        st = check_each(out, out->experiments, check_experiment, err);
    if (st == LB_OK)
        st = check_each(out, out->gates, check_opens, err);
    if (st == LB_OK)
        st = check_each(out, out->planned, check_plan, err);
    if (st == LB_OK)
        st = check_each(out, out->statements, check_statement, err);
    if (st != LB_OK)
        lb_programme_free(out);
    return st;
}

lb_status lb_programme_load(const char *path, lb_programme *out, lb_error *err)
{
    lb_yaml *yaml = NULL;
    *out = (lb_programme){0};
    const lb_status st = lb_yaml_load(path, &yaml, err);
    return st == LB_OK ? take(yaml, out, err) : st;
}

lb_status lb_programme_parse(const char *text, const char *name, lb_programme *out, lb_error *err)
{
    lb_yaml *yaml = NULL;
    *out = (lb_programme){0};
    const lb_status st = lb_yaml_parse(text, strlen(text), name, &yaml, err);
    return st == LB_OK ? take(yaml, out, err) : st;
}

void lb_programme_free(lb_programme *p)
{
    lb_yaml_free(p->yaml);
    *p = (lb_programme){0};
}

/* --- lint ---------------------------------------------------------------------------------- */

static void lint_node(const lb_programme *p, const lb_yaml_node *node, const char *key,
                      lb_findings *out)
{
    if (node->kind != LB_YAML_SCALAR) {
        for (size_t i = 0; i < node->n; i++)
            lint_node(p, node->items[i], node->kind == LB_YAML_MAP ? node->keys[i] : "", out);
        return;
    }
    if (strcmp(key, "en") != 0 && strcmp(key, "zh") != 0)
        return;
    lb_error err = {0};
    lb_template *t;
    const lb_position start = {p->yaml->name, node->line, node->column};
    if (lb_template_parse(node->text, start, NULL, "", &t, &err) != LB_OK) {
        lb_find_text(out, err.text);
        return;
    }
    lb_lint_digits(t, NULL, out);
    lb_template_free(t);
}

void lb_programme_lint(const lb_programme *p, lb_findings *out)
{
    lint_node(p, p->yaml->root, "", out);
}
