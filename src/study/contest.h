/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_CONTEST_H
#define LB_STUDY_CONTEST_H

#include "stats/bootstrap.h"
#include "study/study.h"

/** One model's predictions for all test rows of a cohort. */
typedef struct lb_entry {
    const char *name;
    lb_cvec yhat;
    bool oracle; /* true labels were used at prediction time */
} lb_entry;

/**
 * Models on one row set: scores, paired differences, shares and means, all from the same rows and
 * the same resamples, whose number, seed and coverage the spec names. Made by lb_contest_on(),
 * freed by lb_contest_free(); belongs to its study and is sticky like it: after a failure its
 * numbers are n/a. Entries are named by their position.
 */
typedef struct lb_contest lb_contest;

lb_contest *lb_contest_on(lb_study *s, const lb_cohort *c, const lb_rowset *rows,
                          const lb_entry *entries, size_t n);

/** What is out of the ordinary about a contest; zero is the ordinary one. */
typedef struct lb_contest_plan {
    const double
        *target;      /* [test rows, or given] what is predicted; NULL: the target of the cohort */
    const char *unit; /* of it; NULL: "dex" */
    size_t columns;   /* predictions per model and row, see lb_bootstrap_plan; 0: 1 */
    /* The rows that target and entries are given for, when these are not the test rows: stars seen
     * at several noise levels, say. The contest's own rows are some of them. NULL: all test rows.
     */
    const lb_rowset *given;
    const size_t *cluster; /* [rows] those with one label are drawn together, see
                              lb_bootstrap_plan; NULL: each by itself */
} lb_contest_plan;

/** @param entries  n * columns: column r of model k is entry k * columns + r */
lb_contest *lb_contest_planned(lb_study *s, const lb_cohort *c, const lb_rowset *rows,
                               lb_contest_plan plan, const lb_entry *entries, size_t n);
void lb_contest_free(lb_contest *c); /* NULL is fine */

lb_number lb_contest_r2(const lb_contest *c, size_t i); /* with its bootstrap interval */
lb_number lb_contest_mae(const lb_contest *c, size_t i);
lb_number lb_contest_rmse(const lb_contest *c, size_t i);
lb_number lb_contest_bias(const lb_contest *c, size_t i);

/** R2 of i minus R2 of j; p_above is P(difference > thresholds.valuable of the spec), or of another
 * threshold. */
lb_number lb_contest_delta(const lb_contest *c, size_t i, size_t j);
lb_number lb_contest_delta_above(const lb_contest *c, size_t i, size_t j, double threshold);

/** (part - reference) / (full - reference), and the same named retention: of what the oracle gains
 * over the global model, the share a method keeps. What gain is large enough to divide by is the
 * retention of the spec, see lb_headroom. */
lb_number lb_contest_share(const lb_contest *c, size_t part, size_t reference, size_t full);
lb_number lb_contest_retention(const lb_contest *c, size_t method, size_t global, size_t oracle);

/** sum of weights[k] * R2 of k over all models: a mean (weights add up to 1) or a contrast (to 0);
 * and a contrast divided by another. See lb_bootstrap_combination(), lb_bootstrap_ratio(). */
lb_number lb_contest_combination(const lb_contest *c, const double *weights);
lb_number lb_contest_ratio(const lb_contest *c, const double *top, const double *bottom);

/** The draws behind a difference and behind a ratio; as many as lb_bootstrap_draws() of the spec's
 * bootstrap.resamples. */
void lb_contest_draws(const lb_contest *c, size_t i, size_t j, double *out);
void lb_contest_draws_ratio(const lb_contest *c, const double *top, const double *bottom,
                            double *out);

const lb_outcome *lb_contest_outcome(const lb_contest *c, size_t i); /* borrowed */

#endif
