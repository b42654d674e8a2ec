/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/quote.h"

#include "core/file.h"
#include "core/memory.h"
#include "record/ledger.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The row set of a line, recorded under a name that says where it belongs. */
static void quote_rows(lb_study *s, const lb_ledger *from, const lb_line *line, const char *profile,
                       lb_number *x)
{
    char *key = lb_xprintf("rowset:%s", line->rows);
    const lb_line *set = lb_ledger_find(from, key);
    free(key);
    if (!set || !lb_study_ok(s))
        return;
    char *name = lb_xprintf("%s: %s", profile, line->rows);
    lb_record_rowset(s->record, name, set->text, set->n);
    snprintf(x->rows, sizeof x->rows, "%s", set->text);
    free(name);
}

static lb_number quoted(lb_study *s, const lb_ledger *from, const char *profile, const char *key)
{
    char *full = lb_xprintf("%s.%s", s->id, key);
    const lb_line *line = from ? lb_ledger_find(from, full) : NULL;
    free(full);
    if (!line || line->what != LB_LINE_NUMBER)
        return lb_number_na("quoted", "not run");
    if (isnan(line->value))
        return lb_number_na(line->kind, *line->text ? line->text : "n/a");
    lb_number x = lb_number_plain(line->value, line->kind, "");
    x.ci_lo = line->ci_lo;
    x.ci_hi = line->ci_hi;
    x.se = line->se;
    x.n = line->n;
    x.oracle = line->oracle == LB_ORACLE_YES;
    if (strcmp(line->kind, "count") == 0 || strcmp(line->kind, "seconds") == 0)
        x.digits = 0;
    if (strcmp(line->kind, "bytes") == 0)
        x.digits = 2;
    snprintf(x.protocol, sizeof x.protocol, "%s profile", profile);
    if (*line->rows)
        quote_rows(s, from, line, profile, &x);
    return x;
}

void lb_study_quote_file(lb_study *s, const char *path, const char *profile,
                         const char *const *keys, size_t n)
{
    lb_ledger *from = NULL;
    char hash[LB_HASH_SIZE];
    if (path && lb_study_ok(s))
        lb_study_take(s, lb_ledger_load(path, &from, s->err));
    if (path && lb_study_ok(s))
        lb_study_take(s, lb_hash_file(path, hash, s->err));
    if (path && lb_study_ok(s)) {
        char *key = lb_xprintf("quoted.%s", profile);
        lb_record_provenance(s->record, key, "%s", hash);
        free(key);
    }
    for (size_t i = 0; i < n && lb_study_ok(s); i++)
        lb_study_put(s, quoted(s, from, profile, keys[i]), "%s.%s", profile, keys[i]);
    lb_ledger_free(from);
}

void lb_study_quote(lb_study *s, const char *profile, const char *const *keys, size_t n)
{
    char *path = lb_xprintf("data/frozen/%s/%s.tsv", profile, lb_spec_name(s->spec));
    const bool there = strcmp(s->profile, "standard") == 0 && lb_file_exists(path);
    lb_study_quote_file(s, there ? path : NULL, profile, keys, n);
    free(path);
}
