/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/sheet.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Verdicts of the experiments of a question with this outcome: "E02 H1.2, E03 H1.2". */
static char *with_outcome(const lb_sheets *t, const char *question, const char *outcome)
{
    lb_text out = {0};
    for (size_t i = 0; i < t->survey->n; i++) {
        const lb_member *m = &t->survey->members[i];
        const lb_yaml_node *all = lb_spec_node(m->spec, "hypotheses");
        if (!m->entry || strcmp(lb_programme_text(m->entry, "question"), question) != 0)
            continue;
        for (size_t k = 0; all && k < all->n; k++) {
            const lb_verdict *v;
            const char *is = lb_sheet_outcome(m, all->keys[k], &v);
            if (!is || strcmp(is, outcome) != 0)
                continue;
            char *name = lb_sheet_reference(t, m);
            lb_text_printf(&out, "%s%s %s", out.length ? ", " : "", name, all->keys[k]);
            free(name);
        }
    }
    return lb_text_take(&out);
}

/* Questions some of whose hypotheses passed while others failed. */
static void put_within(lb_sheets *t)
{
    static const lb_column columns[] = {
        {"id", NULL}, {"text", NULL}, {"passed", NULL}, {"failed", NULL}};
    const lb_yaml_node *all = t->survey->programme.questions;
    size_t n = 0;
    LB_BEGIN(t, "conflicts", columns);
    for (size_t i = 0; i < all->n; i++) {
        char *passed = with_outcome(t, all->keys[i], "PASS");
        char *failed = with_outcome(t, all->keys[i], "FAIL");
        if (*passed && *failed) {
            n++;
            lb_sheet_row(t);
            lb_sheet_put(t, all->keys[i]);
            lb_sheet_give(t, lb_sheet_words(t, lb_yaml_get(all->items[i], "text")));
            lb_sheet_put(t, passed);
            lb_sheet_put(t, failed);
        }
        free(failed);
        free(passed);
    }
    lb_sheet_count(t, "n_conflicts", n);
}

/* Does the number of a spec's published: row differ from ours in sign, or lie on the other side of
 * the threshold it names? */
static bool disagrees(const lb_member *m, const lb_yaml_node *row, double theirs, double ours)
{
    char *path = lb_xprintf("thresholds.%s", lb_programme_text(row, "threshold"));
    const double limit = lb_spec_number(m->spec, path);
    free(path);
    return (theirs > 0) != (ours > 0) || (isfinite(limit) && (theirs >= limit) != (ours >= limit));
}

static size_t put_published(lb_sheets *t, const lb_member *m, const lb_published *published)
{
    const lb_yaml_node *rows = lb_spec_node(m->spec, "published");
    size_t n = 0;
    for (size_t i = 0; m->facts && rows && i < rows->n && t->st == LB_OK; i++) {
        const char *key = lb_programme_text(rows->items[i], "ours");
        const char *theirs = lb_programme_text(rows->items[i], "theirs");
        const lb_number *ours = lb_archive_number(lb_facts_record(m->facts), key);
        const lb_published_entry *entry = lb_published_find(published, *theirs ? theirs : key);
        if (!ours || !entry || !isfinite(ours->value) || !isfinite(entry->number) ||
            !disagrees(m, rows->items[i], entry->number, ours->value))
            continue;
        lb_sheet_row(t);
        lb_sheet_give(t, lb_sheet_reference(t, m));
        lb_sheet_give(t, lb_xprintf("`%s`", key));
        lb_sheet_give(t, *entry->value == '-' ? lb_xprintf("−%s", entry->value + 1)
                                              : lb_xstrdup(entry->value));
        lb_sheet_number(t, key, NULL);
        lb_sheet_put(t, entry->source);
        n++;
    }
    return n;
}

/* What was published and what we found, where they differ in sign or verdict. */
void lb_make_conflicts(lb_sheets *t)
{
    static const lb_column columns[] = {{"ref", NULL},  {"key", NULL}, {"theirs", NULL},
                                        {"ours", NULL}, {"ci", "ci"},  {"source", NULL}};
    const lb_published *published = NULL;
    size_t n = 0;
    put_within(t);
    t->st = lb_facts_published(t->survey->facts, &published, t->err);
    LB_BEGIN(t, "disagreements", columns);
    for (size_t i = 0; i < t->survey->n && t->st == LB_OK; i++)
        n += put_published(t, &t->survey->members[i], published);
    lb_sheet_count(t, "n_disagreements", n);
}
