/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One claim that several records state under names of their own. */
#include "report/audit.h"

#include "core/memory.h"
#include "core/yaml.h"
#include "record/schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const lb_rule rules[] = {
    {"claims", LB_T_LIST, true, 0, 0, NULL},
    {"claims.*", LB_T_MAP, false, 0, 0, NULL},
    {"claims.*.claim", LB_T_TEXT, true, 0, 0, NULL},
    {"claims.*.keys", LB_T_TEXTS, true, 0, 0, NULL},
};
static const lb_schema schema = {rules, sizeof rules / sizeof *rules};

static const lb_archive *record_of(const char *key, const lb_archive *const *records, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *id = lb_archive_experiment(records[i]);
        if (strncmp(key, id, strlen(id)) == 0 && key[strlen(id)] == '.')
            return records[i];
    }
    return NULL;
}

/* Spectra of one's own may leave bins empty; those of the simulation fill them all. */
static bool is_simulated(const lb_archive *r)
{
    char key[32];
    snprintf(key, sizeof key, "%s.data.origin", lb_archive_experiment(r));
    const char *origin = lb_archive_text(r, key);
    return !origin || strcmp(origin, "simulated") == 0;
}

/* The same to the last digits that another order of summing could change. */
static bool same_number(const lb_number *x, const lb_number *y)
{
    const bool both = !isnan(x->value) && !isnan(y->value);
    return strcmp(x->rows, y->rows) == 0 && strcmp(x->kind, y->kind) == 0 &&
           (both ? fabs(x->value - y->value) <= 1e-6 * fmax(1, fabs(x->value))
                 : isnan(x->value) && isnan(y->value));
}

/* A key whose record is not there may come; one of no experiment, or that its record lacks, names
 * nothing (any more). @p x: the number, NULL if it is not there. */
static lb_status check_key(const lb_yaml *yaml, const lb_yaml_node *key, const lb_catalogue *all,
                           const lb_archive *r, const lb_number *x, lb_error *err)
{
    char *id = lb_xprintf("%.*s", (int)strcspn(key->text, "."), key->text);
    const char *folder, *near = r && !x ? lb_archive_nearest(r, key->text) : NULL;
    lb_status st = LB_OK;
    if (lb_catalogue_find(all, id, &folder, NULL) != LB_OK)
        st = lb_yaml_fail(yaml, key, LB_ENAME, err,
                          "'%s' belongs to no experiment under templates/experiments: correct it, "
                          "or take it out of the claim",
                          key->text);
    else if (r && !x && is_simulated(r))
        st = lb_yaml_fail(yaml, key, LB_ENAME, err,
                          "no number '%s' in %s%s%s%s If it is gone, take it out of the claim",
                          key->text, lb_archive_path(r), near ? ": did you mean '" : ".",
                          near ? near : "", near ? "'?" : "");
    free(id);
    return st;
}

/* Every key against the first whose record is there. */
static lb_status check_claim(lb_audit *a, const lb_yaml *yaml, const lb_yaml_node *claim,
                             const lb_catalogue *all, const lb_archive *const *records, size_t n,
                             lb_error *err)
{
    const lb_yaml_node *keys = lb_yaml_get(claim, "keys");
    const lb_number *first = NULL;
    const lb_archive *home = NULL;
    lb_card *card = NULL;
    const char *name = NULL;
    for (size_t i = 0; i < keys->n; i++) {
        const lb_archive *r = record_of(keys->items[i]->text, records, n);
        const lb_number *x = r ? lb_archive_number(r, keys->items[i]->text) : NULL;
        const lb_status st = check_key(yaml, keys->items[i], all, r, x, err);
        if (st != LB_OK)
            return st;
        if (!x)
            continue;
        a->own_compared += first != NULL;
        if (first && !same_number(first, x)) {
            if (!card) {
                card = lb_audit_own(a, LB_CARD_VALUES, LB_CAUSE_DRIFT, LB_REMEDY_SUSPECT,
                                    lb_yaml_get(claim, "claim")->text);
                lb_card_fact(card, 0, "2");
                lb_card_fact(card, 1, "%.6g", first->value);
                lb_card_fact(card, 2, "%.6g", x->value);
                lb_card_line(card, home, name, first);
            }
            lb_card_line(card, r, keys->items[i]->text, x);
        }
        if (!first) {
            first = x;
            home = r;
            name = keys->items[i]->text;
        }
    }
    return LB_OK;
}

lb_status lb_audit_same(lb_audit *a, const char *path, const lb_catalogue *all,
                        const lb_archive *const *records, size_t n, lb_error *err)
{
    lb_yaml *yaml = NULL;
    lb_status st = lb_yaml_load(path, &yaml, err);
    if (st == LB_OK)
        st = lb_schema_check(&schema, yaml, err);
    const lb_yaml_node *claims = st == LB_OK ? lb_yaml_get(yaml->root, "claims") : NULL;
    for (size_t i = 0; claims && i < claims->n && st == LB_OK; i++)
        st = check_claim(a, yaml, claims->items[i], all, records, n, err);
    lb_yaml_free(yaml);
    return st;
}
