/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_REFS_H
#define LB_REPORT_REFS_H

#include "report/findings.h"
#include "report/template.h"

#include <stdbool.h>
#include <stddef.h>

/** Everything a template refers to, each once, in order of first use. */
typedef enum lb_ref_kind {
    LB_REF_KEY,  /* a key of a record, its field cut off */
    LB_REF_SPEC, /* a setting, without "spec." */
    LB_REF_TABLE,
    LB_REF_FIGURE,
    LB_REF_VERDICT,
    LB_REF_CODE,
    LB_REF_PUBLISHED,
    LB_REF_CLAIM,   /* a condition, its blanks made single */
    LB_REF_CARD,    /* hypotheses, scope, provenance, published */
    LB_REF_HEADING, /* "## Data" */
} lb_ref_kind;

typedef struct lb_ref {
    lb_ref_kind kind;
    char *name;
    lb_position place;
} lb_ref;

/** A value where it is shown: a key with its field, a setting, a verdict or a published value. */
typedef struct lb_shown {
    lb_node_kind kind;
    const char *name; /* as written; borrowed from the template */
    lb_position place;
} lb_shown;

typedef struct lb_refs {
    lb_ref *at;
    size_t n, capacity;
    lb_shown *shown; /* every one, in the order of the text */
    size_t n_shown, shown_capacity;
} lb_refs;

/** Collect them; a condition that cannot be read goes to @p out. Places borrow the template. */
lb_refs lb_refs_of(const lb_template *t, lb_findings *out);
const lb_ref *lb_refs_find(const lb_refs *r, lb_ref_kind kind, const char *name); /* or NULL */
void lb_refs_free(lb_refs *r);

const char *lb_ref_word(lb_ref_kind kind); /* "key", "table", ... */

/** Parity: what one of two languages uses and the other does not; headings also in their order. */
void lb_lint_parity(const lb_refs *a, const char *a_name, const lb_refs *b, const char *b_name,
                    lb_findings *out);

/** Line by line, both languages show the same values, in whatever order a sentence needs them. The
 * values @p is_text says yes to are words, which one language may need where the other has its own.
 * Told is the first line that differs. */
void lb_lint_lines(const lb_refs *a, const char *a_name, const lb_refs *b,
                   bool (*is_text)(void *self, const lb_shown *value), void *self,
                   lb_findings *out);

#endif
