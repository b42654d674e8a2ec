/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_REFS_H
#define LB_REPORT_REFS_H

#include "report/findings.h"
#include "report/template.h"

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

typedef struct lb_refs {
    lb_ref *at;
    size_t n, capacity;
} lb_refs;

/** Collect them; a condition that cannot be read goes to @p out. Places borrow the template. */
lb_refs lb_refs_of(const lb_template *t, lb_findings *out);
const lb_ref *lb_refs_find(const lb_refs *r, lb_ref_kind kind, const char *name); /* or NULL */
void lb_refs_free(lb_refs *r);

const char *lb_ref_word(lb_ref_kind kind); /* "key", "table", ... */

/** Parity: what one of two languages uses and the other does not; headings also in their order. */
void lb_lint_parity(const lb_refs *a, const char *a_name, const lb_refs *b, const char *b_name,
                    lb_findings *out);

#endif
