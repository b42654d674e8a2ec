/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_DIFF_H
#define LB_REPORT_DIFF_H

#include "report/facts.h"
#include "report/moves.h"
#include "report/sentences.h"
#include "report/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

/* What changed between two states of the results, told as Markdown for a pull request: numbers by
 * standard errors, verdicts, sentences, figures, and the inputs that differ. */

/** Something that was one thing and is another; "" where it was not, or is no more. */
typedef struct lb_became {
    char *what, *was, *now;
} lb_became;

typedef struct lb_became_list {
    lb_became *at;
    size_t n;
} lb_became_list;

/** A finished page. */
typedef struct lb_page_change {
    char *path;
    bool was, now; /* is it there? */
    lb_sentences sentences;
} lb_page_change;

/** Note that @p what was, or with @p now is, @p value (copied). */
void lb_became_put(lb_became_list *l, const char *what, const char *value, bool now);
/** Drop those that stayed what they were; with @p both, also those known on one side only.
 * @return how many were known on both */
size_t lb_became_settle(lb_became_list *l, bool both);
void lb_became_free(lb_became_list *l);

/** One experiment, or (without id) the documents above the reports. */
typedef struct lb_change {
    char *id, *name;          /* "e02", "e02_piecewise" */
    char *title;              /* in English, "" if unknown */
    lb_ledger *was, *now;     /* NULL: no results on that side */
    lb_spec *spec_was, *spec; /* NULL where it cannot be read */
    lb_moves moves;           /* when both are there */
    lb_page_change *pages;
    size_t n_pages;
    lb_became_list figures; /* by path or id */
    lb_became_list inputs;  /* lines of provenance that differ */
    size_t inputs_known;    /* lines of provenance on both sides */
    lb_became_list files;   /* settings, templates, sources it is built from */
    size_t sources;         /* how many files of src/ it is built from */
    char *reasons;          /* of new freezes, one a line; "" */
    char *remark;           /* what could not be compared, and why; NULL: nothing */
} lb_change;

typedef struct lb_diff {
    char *a, *b, *profile;
    bool revisions; /* not two files */
    lb_change *at;
    size_t n;
    char *remark; /* about all of them; "" */
} lb_diff;

/** What a difference means for the exit status, from weak to strong. */
typedef enum lb_policy { LB_FAIL_NEVER, LB_FAIL_VERDICT, LB_FAIL_DRIFT, LB_FAIL_ANY } lb_policy;

/** "never", "verdict", "drift", "any". LB_EINVAL for another word. */
lb_status lb_policy_parse(const char *word, lb_policy *out, lb_error *err);

/**
 * Two states of the project. Of each: frozen values, finished pages and figures; the new side, when
 * it is the working tree, gives a record of the profile instead of its frozen file where it has
 * one.
 * @param a, b     git revisions; "" or NULL for @p b: the working tree
 * @param names    experiments to look at ("e02", "e02_piecewise"), none: all
 * @return LB_OK; the failures of lb_snapshot_take(), lb_ledger_parse(), lb_archive_open(); LB_EIO
 *         when neither side has results; LB_ENAME for an experiment that neither side has
 */
lb_status lb_diff_revisions_read(const lb_places *places, const char *templates,
                                 const char *reports, const char *a, const char *b,
                                 const char *const *names, size_t n_names, lb_diff *out,
                                 lb_error *err);

/**
 * Two files of one experiment, each a record (.h5) or a frozen TSV. Between two records figures are
 * compared by the hashes of their pictures and their series, sentences by filling today's templates
 * from either.
 * @param folder  templates/experiments/<name>, NULL if there is none: no sentences
 * @return LB_OK; LB_EINVAL: of two experiments or profiles; LB_EIO, LB_EFORMAT
 */
lb_status lb_diff_files_read(const lb_places *places, const char *folder, const char *a,
                             const char *b, lb_diff *out, lb_error *err);

void lb_diff_free(lb_diff *d);

/** Provenance of a record, and the machine it ran on, as one side of @p out. */
void lb_diff_record_inputs(const lb_archive *a, lb_became_list *out, bool now);

/** The report. */
void lb_diff_write(const lb_diff *d, lb_text *out);

/** Does @p d hold what @p policy forbids? VERDICT: one flipped or is gone; DRIFT: or anything
 * moved beyond its tolerance or is gone; ANY: or anything at all differs in numbers, sentences or
 * figures. Inputs alone do not count. */
bool lb_diff_fails(const lb_diff *d, lb_policy policy);

#endif
