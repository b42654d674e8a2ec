/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_BY_BIN_H
#define LB_STUDY_BY_BIN_H

#include "stats/suspicion.h"
#include "study/contest.h"

/** A model and what its keys are called; entry 0 of a comparison is the reference of the others. */
typedef struct lb_bin_entry {
    lb_entry entry;
    const char *r2;    /* "mlp" in e16.perbin.r2_mlp.bin3_mid_poor */
    const char *delta; /* "dr2_mlp", likewise; not looked at for the reference */
} lb_bin_entry;

enum { LB_BIN_ENTRIES = 4, LB_BIN_KEY = 32 };

/** Scores on the test rows of one bin; n/a where it is served by another or has too few rows. */
typedef struct lb_bin_scores {
    char name[32], key[LB_BIN_KEY];                      /* "Mid Metal-poor", "bin3_mid_poor" */
    size_t n;                                            /* test rows */
    lb_number r2[LB_BIN_ENTRIES], delta[LB_BIN_ENTRIES]; /* delta[0] is n/a */
} lb_bin_scores;

/** "bin3_mid_poor" for three by three bins, as the published numbers are called; else "bin3". */
void lb_bin_key(const lb_bins *b, size_t k, char out[LB_BIN_KEY]);

/**
 * Models on the test rows of every bin. Records under "<prefix>perbin." n_test.BIN, r2_NAME.BIN and
 * DELTA.BIN; and, about the last entry, whether its pooled score and those of the bins can be about
 * the same rows (stats/suspicion.h): weighted_r2, rows_differ and the text suspicion.
 * @param n    entries, 2 .. LB_BIN_ENTRIES
 * @param out  [c->n_bins]
 * Sticky in @p s.
 */
void lb_by_bin(lb_study *s, const lb_cohort *c, const char *prefix, const lb_bin_entry *entries,
               size_t n, lb_bin_scores *out);

/** The same keys, every number n/a for @p reason: a comparison that was not made. */
void lb_by_bin_na(lb_study *s, const lb_cohort *c, const char *prefix, const lb_bin_entry *entries,
                  size_t n, const char *reason);

/** lb_suspicion_check() of @p n @p parts of a pooled score, such as those of the bins. Sticky. */
lb_suspicion lb_suspect(lb_study *s, const lb_number *pooled, const lb_number *parts, size_t n);

/** The same for entry @p i of a contest on the covered rows and its scores in the bins. Sticky. */
lb_suspicion lb_suspect_bins(lb_study *s, const lb_cohort *c, const lb_contest *t, size_t i);

#endif
