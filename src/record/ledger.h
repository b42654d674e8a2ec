/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_LEDGER_H
#define LB_RECORD_LEDGER_H

#include "core/error.h"
#include "core/text.h"
#include "record/archive.h"
#include "record/spec.h"

#include <stddef.h>

/**
 * A flat list of results for comparison, from a record or from a frozen TSV file
 * (data/frozen/<profile>/<name>.tsv). Tab-separated columns
 *   key value ci_lo ci_hi se n kind rows tolerance oracle
 * one line a number (17 digits), text (kind "text"), row set ("rowset:NAME", its hash as value),
 * verdict ("verdict:ID") and table ("table:ID", the hash of the keys in its cells; kind "table"),
 * in the order of recording; absent parts are empty; a value that is n/a stands as "n/a: reason".
 * Lines that start with '#' are the header: format, experiment, profile, version, date, reason and
 * the history of every freeze. rows is the name of the row set. oracle is "yes" for a number with a
 * model behind it that was given true labels, else "-"; files frozen before it was kept have nine
 * columns, and what they do not say ("?") is not compared.
 */
typedef enum lb_line_kind {
    LB_LINE_NUMBER,
    LB_LINE_TEXT,
    LB_LINE_ROWSET,
    LB_LINE_VERDICT
} lb_line_kind;

typedef enum lb_oracle { LB_ORACLE_UNKNOWN, LB_ORACLE_NO, LB_ORACLE_YES } lb_oracle;

typedef struct lb_line {
    lb_line_kind what;
    char *key;
    double value, ci_lo, ci_hi, se; /* NAN where absent */
    char *text;                     /* text, hash, outcome, or why a number is n/a; else "" */
    size_t n;
    char *kind, *rows;
    lb_tolerance tolerance;
    lb_oracle oracle; /* of a number */
} lb_line;

typedef struct lb_ledger {
    char *source;                         /* file it came from, for messages */
    char *experiment, *profile, *version; /* "" if unknown */
    char *history;                        /* the history lines as they stand, "" if none */
    size_t n;
    lb_line *lines;
} lb_ledger;

/** From a record; tolerances from @p spec (may be NULL: the defaults). */
lb_ledger *lb_ledger_of(const lb_archive *a, const lb_spec *spec);
/** From a TSV file. LB_EIO; LB_EFORMAT "file:line: ..."; LB_ENAME for a repeated key. */
lb_status lb_ledger_load(const char *path, lb_ledger **out, lb_error *err);
lb_status lb_ledger_parse(const char *text, const char *name, lb_ledger **out, lb_error *err);
void lb_ledger_free(lb_ledger *l);

const lb_line *lb_ledger_find(const lb_ledger *l, const char *key); /* NULL if absent */

/** The column line and one line an entry. */
void lb_ledger_write(const lb_ledger *l, lb_text *out);
/** "exact", "measured", "rtol=1e-06 atol=1e-09", "se=0.5". */
void lb_tolerance_write(const lb_tolerance *t, lb_text *out);

#endif
