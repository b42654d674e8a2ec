/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_REGISTER_H
#define LB_REPORT_REGISTER_H

#include "core/error.h"
#include "report/audit.h"

/**
 * The contradictions that people found by reading: data/published/register.tsv, tab-separated
 *   id value_a value_b keys_a keys_b
 * with the keys of published.tsv (commas between them) under which either value was printed; empty
 * where it was no number, or not among the published ones. The audit never reads it before it has
 * finished: it only measures how many of them the rules find by themselves.
 */
typedef enum lb_register_state {
    LB_REGISTER_FOUND,  /* one card sets a row of either side against the other */
    LB_REGISTER_MISSED, /* both sides are printed, no card joins them */
    LB_REGISTER_ABSENT  /* one side is no published number: nothing to find it in */
} lb_register_state;

typedef struct lb_register_entry {
    const char *id, *value_a, *value_b, *keys_a, *keys_b; /* never NULL */
    lb_register_state state;
    size_t card; /* position of the first card that joins both sides */
} lb_register_entry;

typedef struct lb_register {
    char *text; /* the file; the entries point into it */
    lb_register_entry *at;
    size_t n, found, missed, absent;
} lb_register;

/** LB_EIO; LB_EFORMAT "file:line: ..."; LB_ENAME for a key that is not in @p published. Free *out
 * with lb_register_free() whatever the status. */
lb_status lb_register_load(const char *path, const lb_published *published, lb_register *out,
                           lb_error *err);
void lb_register_score(lb_register *r, const lb_audit *a);
void lb_register_free(lb_register *r);

#endif
