/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/sheet.h"

#include "core/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- statements and numbers --------------------------------------------------------------------
 */

/* Lines of a table: what was measured, its value, interval, rows and source. */
static char *results(lb_sheets *t, const lb_yaml_node *list)
{
    lb_text out = {0};
    for (size_t i = 0; list && i < list->n; i++) {
        const char *key = list->items[i]->text;
        char *ci, *value = lb_sheet_value(t, key, list->items[i], &ci);
        char *what = lb_sheet_quantity(t, key), *rows = lb_sheet_rows(t, key, list->items[i]);
        const lb_member *m = lb_sheet_owner(t, key);
        char *source = m ? lb_sheet_reference(t, m) : lb_xstrdup("—");
        lb_text_printf(&out, "%s| %zu | %s | %s | %s | %s | %s |", i ? "\n" : "", i + 1, what,
                       value, *ci ? ci : "—", *rows ? rows : "—", source);
        free(source);
        free(rows);
        free(what);
        free(value);
        free(ci);
    }
    return lb_text_take(&out);
}

/* "![caption](../figures/e03_x.svg)" of "e03:F03.1", "" if it has not been drawn. */
static char *picture(lb_sheets *t, const lb_yaml_node *named)
{
    const char *colon = named ? strchr(named->text, ':') : NULL;
    const lb_member *m = colon ? lb_sheet_owner(t, named->text) : NULL;
    char *node = lb_xprintf("figures.%s", colon ? colon + 1 : "");
    if (named && (!m || !lb_spec_has(m->spec, node)))
        t->st =
            lb_yaml_fail(t->survey->programme.yaml, named, LB_ENAME, t->err,
                         "'%s' names no figure of an experiment, as e03:F03.1 does", named->text);
    char *out = m && m->facts && t->st == LB_OK ? lb_sheet_figure(t, m, colon + 1, node) : NULL;
    free(node);
    return out ? out : lb_xstrdup("");
}

/* What was asked always; what was learned only while it holds. */
static void put_layers(lb_sheets *t, const lb_yaml_node *s, bool holds)
{
    static const char *const parts[] = {"problem", "macro", "model", "detail"};
    for (size_t i = 0; i < 4; i++) {
        const lb_yaml_node *node = lb_yaml_get(s, parts[i]);
        char *text = node && (i == 0 || holds) ? lb_sheet_words(t, node) : lb_xstrdup("");
        lb_sheet_put(t, text);
        free(text);
    }
    lb_sheet_block(t, results(t, lb_yaml_get(s, "evidence")));
    lb_sheet_block(t, picture(t, lb_yaml_get(s, "figure")));
}

static void put_statement(lb_sheets *t, const char *id, const lb_yaml_node *s)
{
    lb_truth holds = LB_UNKNOWN, firm = LB_UNKNOWN;
    t->st = lb_survey_truth(t->survey, lb_yaml_get(s, "holds"), &holds, t->err);
    if (t->st == LB_OK)
        t->st = lb_survey_truth(t->survey, lb_yaml_get(s, "firm"), &firm, t->err);
    lb_sheet_row(t);
    lb_sheet_put(t, id);
    if (holds == LB_UNKNOWN)
        lb_sheet_put(t, lb_sheet_pick(t, "Not known: a record or a value is missing.",
                                      "未知：缺少记录或数值。"));
    else
        lb_sheet_give(t,
                      lb_sheet_words(t, lb_yaml_get(s, holds == LB_TRUE ? "text" : "otherwise")));
    lb_sheet_put(t, lb_state_word(lb_state_of_statement(holds), t->language));
    lb_sheet_put(t, lb_confidence_word(holds, firm, t->language));
    lb_sheet_give(t, lb_xprintf("`%s`", lb_programme_text(s, "holds")));
    if (holds == LB_TRUE) {
        lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(s, "because")));
        lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(s, "so")));
    } else { /* reasons and consequences of what does not hold */
        lb_sheet_put(t, "—");
        lb_sheet_put(t, "—");
    }
    lb_sheet_give(t, lb_sheet_evidence(t, lb_yaml_get(s, "evidence")));
    put_layers(t, s, holds == LB_TRUE);
}

void lb_make_statements(lb_sheets *t)
{
    static const lb_column columns[] = {{"id", NULL},         {"text", NULL},     {"status", NULL},
                                        {"confidence", NULL}, {"rule", NULL},     {"because", NULL},
                                        {"so", NULL},         {"evidence", NULL}, {"problem", NULL},
                                        {"macro", NULL},      {"model", NULL},    {"detail", NULL},
                                        {"results", NULL},    {"figure", NULL}};
    static const char *const kinds[] = {"consensus", "insight", "principle", "card"};
    const lb_yaml_node *all = t->survey->programme.statements;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t n = 0;
        LB_BEGIN(t, kinds[k], columns);
        for (size_t i = 0; i < all->n && t->st == LB_OK; i++)
            if (strcmp(lb_programme_text(all->items[i], "kind"), kinds[k]) == 0) {
                put_statement(t, all->keys[i], all->items[i]);
                n++;
            }
        char *name = lb_xprintf("n_%s", kinds[k]);
        lb_sheet_count(t, name, n);
        free(name);
    }
}

/* Numbers with what they mean and the rows they were measured on. */
static void put_numbers(lb_sheets *t, const char *id, const lb_yaml_node *all)
{
    static const lb_column columns[] = {{"label", NULL},     {"value", NULL}, {"ci", "ci"},
                                        {"condition", NULL}, {"rows", NULL},  {"ref", NULL},
                                        {"key", NULL}};
    lb_sheet_begin(t, id, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; all && i < all->n && t->st == LB_OK; i++) {
        const lb_yaml_node *key = lb_yaml_get(all->items[i], "key");
        const lb_member *m = lb_sheet_owner(t, key->text);
        lb_sheet_row(t);
        lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(all->items[i], "label")));
        lb_sheet_number(t, key->text, key);
        lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(all->items[i], "condition")));
        char *rows = lb_sheet_rows(t, key->text, key);
        lb_sheet_put(t, rows);
        free(rows);
        lb_sheet_give(t, m ? lb_sheet_reference(t, m) : lb_xstrdup("—"));
        lb_sheet_give(t, lb_xprintf("`%s`", key->text));
    }
}

/* The first models in one line, each with its interval and the condition it holds under. */
static void put_authority(lb_sheets *t, const lb_yaml_node *all)
{
    enum { SHOWN = 4 };
    lb_text out = {0};
    for (size_t i = 0; all && i < all->n && i < SHOWN; i++) {
        const lb_yaml_node *key = lb_yaml_get(all->items[i], "key");
        char *ci, *value = lb_sheet_value(t, key->text, key, &ci);
        char *name = lb_sheet_words(t, lb_yaml_get(all->items[i], "label"));
        char *where = lb_sheet_words(t, lb_yaml_get(all->items[i], "condition"));
        lb_text_printf(&out, "%s%s %s%s%s%s%s%s", i ? " · " : "", name, value, *ci ? " " : "", ci,
                       lb_sheet_pick(t, " (", "（"), where, lb_sheet_pick(t, ")", "）"));
        free(where);
        free(name);
        free(value);
        free(ci);
    }
    lb_sheet_fact(t, "authority", lb_text_take(&out));
}

/* A name for a number that is not there (any more) would be read by nobody. */
static void check_quantities(lb_sheets *t)
{
    const lb_yaml_node *all = lb_yaml_get(t->survey->programme.yaml->root, "quantities");
    for (size_t i = 0; all && i < all->n; i++) {
        const lb_yaml_node *key = lb_yaml_get(all->items[i], "key");
        lb_fact fact;
        lb_sheet_find(t, key->text, key, &fact);
    }
}

void lb_make_numbers(lb_sheets *t)
{
    const lb_programme *p = &t->survey->programme;
    const lb_yaml_node *models = lb_yaml_get(p->yaml->root, "models");
    check_quantities(t);
    put_numbers(t, "numbers", p->numbers);
    put_numbers(t, "models", models);
    put_authority(t, models);
    lb_sheet_count(t, "n_numbers", p->numbers->n);
}

/* --- routes --------------------------------------------------------------------------------------
 */

/* Ways the work could go on: open while its condition is true, closed when it is false; the first
 * open one is recommended. */
void lb_make_routes(lb_sheets *t)
{
    static const lb_column columns[] = {{"id", NULL},   {"title", NULL}, {"status", NULL},
                                        {"gain", NULL}, {"ci", "ci"},    {"rows", NULL},
                                        {"why", NULL},  {"rule", NULL},  {"ref", NULL}};
    const lb_yaml_node *all = lb_yaml_get(t->survey->programme.yaml->root, "routes");
    const char *recommended = NULL;
    LB_BEGIN(t, "routes", columns);
    for (size_t i = 0; all && i < all->n && t->st == LB_OK; i++) {
        const lb_yaml_node *r = all->items[i], *gain = lb_yaml_get(r, "gain");
        lb_truth open = LB_UNKNOWN;
        t->st = lb_survey_truth(t->survey, lb_yaml_get(r, "open"), &open, t->err);
        const bool first = open == LB_TRUE && !recommended;
        recommended = first ? all->keys[i] : recommended;
        lb_sheet_row(t);
        lb_sheet_put(t, all->keys[i]);
        lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(r, "title")));
        lb_sheet_put(t, first              ? lb_sheet_pick(t, "recommended ✅", "推荐 ✅")
                        : open == LB_TRUE  ? lb_sheet_pick(t, "open 🟡", "可行 🟡")
                        : open == LB_FALSE ? lb_sheet_pick(t, "closed 🗑️", "已关闭 🗑️")
                                           : lb_sheet_pick(t, "undecided ⏳", "未定 ⏳"));
        lb_sheet_number(t, gain->text, gain);
        char *rows = lb_sheet_rows(t, gain->text, gain);
        lb_sheet_put(t, rows);
        free(rows);
        lb_sheet_give(t,
                      open == LB_UNKNOWN
                          ? lb_xstrdup("—")
                          : lb_sheet_words(t, lb_yaml_get(r, open == LB_TRUE ? "why" : "instead")));
        lb_sheet_give(t, lb_xprintf("`%s`", lb_programme_text(r, "open")));
        const lb_member *m = lb_sheet_owner(t, gain->text);
        lb_sheet_give(t, m ? lb_sheet_reference(t, m) : lb_xstrdup("—"));
    }
    const lb_yaml_node *chosen = recommended ? lb_yaml_get(all, recommended) : NULL;
    lb_sheet_fact(t, "route",
                  chosen ? lb_sheet_words(t, lb_yaml_get(chosen, "title"))
                         : lb_xstrdup(lb_sheet_pick(t, "none yet", "尚无")));
    lb_sheet_fact(t, "route_why",
                  chosen ? lb_sheet_words(t, lb_yaml_get(chosen, "why")) : lb_xstrdup("—"));
}
