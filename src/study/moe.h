/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_MOE_H
#define LB_STUDY_MOE_H

#include "study/contest.h"

/**
 * A way of dealing rows to experts: which expert trains on a row, chooses its penalty on it, or
 * serves it. Nine bins, strips of metallicity, intervals of any label or prediction.
 */
typedef struct lb_domains {
    const char *name;        /* borrowed */
    size_t n;                /* experts */
    int *train, *val, *test; /* expert of each row of the cohort's three sets, -1: none. Owned */
    int of_bin[LB_BINS_MAX]; /* domains of bins: expert of each bin, -1: none */
    bool oracle;             /* the test rows are dealt by their true labels */
} lb_domains;

/* By true labels; bins without training rows have no expert. */
lb_domains lb_domains_bins(const lb_cohort *c); /* one expert a bin (after merging) */
lb_domains lb_domains_mh(const lb_cohort *c);   /* one a metallicity strip, covered rows only */
lb_domains lb_domains_teff(const lb_cohort *c); /* one a temperature strip, covered rows only */

/** One value per row of each set of the cohort: a label, or what a model says of it. */
typedef struct lb_by_row {
    const double *train, *val, *test;
} lb_by_row;

/**
 * By intervals of a value: expert k where edges[k] <= value < edges[k + 1], the first and the last
 * interval open to infinity, so that every row has an expert.
 * @param edges   n + 1 ascending edges, of which the outer two are not looked at
 * @param oracle  the test values are true labels
 */
lb_domains lb_domains_intervals(const lb_cohort *c, const char *name, lb_by_row value,
                                const double *edges, size_t n, bool oracle);
void lb_domains_free(lb_domains *l); /* zeroed is fine */

/** Rows of @p expert_of that belong to expert @p e. */
size_t lb_domains_count(const int *expert_of, size_t rows, size_t e);

/**
 * The global Ridge and the experts of one or more ways of dealing (domains[0], domains[1] ...),
 * fitted and selected in one sweep. The global model trains on all rows, dealt to an expert or not.
 */
typedef struct lb_moe {
    lb_sweep *sweep;
    const lb_domains *domains; /* borrowed */
    lb_sweep_model global;
    size_t n_domains, n_test;
    size_t *first;          /* index in the sweep of the first expert of each */
    lb_mat *yhat;           /* each (test rows, experts): every expert on every row */
    lb_cvec *mixture;       /* each per test row: the expert's prediction, NAN without one */
    lb_cvec *with_fallback; /* the same with the global model where no expert serves */
} lb_moe;

/**
 * @param domains  n ways of dealing, borrowed for the life of @p out. Rows are told apart as finely
 * as all of them together do; a Gram is held for each part (75 MB at 4,096 pixels) Sticky in @p s:
 * after a failure @p out is zero. Fails (LB_EINVAL) when an expert has no training or fewer than
 * two validation rows.
 */
void lb_moe_fit(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                const lb_domains *domains, size_t n, lb_moe *out);
void lb_moe_free(lb_moe *m); /* zeroed is fine */

/**
 * The training rows as sufficient statistics, for several fits from one pass: fixed penalties and
 * chosen ones, columns standardised and as they come. lb_moe_fit() is lb_moe_gather(), one
 * lb_moe_fit_rows() and lb_moe_rows_free().
 */
typedef struct lb_moe_rows lb_moe_rows;

/** How one of the fits is made; the settings of the spec are {ridge.alphas, ridge.extend_decades,
 * ridge.standardise}. A single penalty is a fixed one: there is nothing to choose. */
typedef struct lb_moe_options {
    lb_cvec alphas; /* ascending */
    int extend_decades;
    bool standardise;
} lb_moe_options;

lb_moe_options lb_moe_options_of(const lb_spec *spec); /* its arrays are borrowed */

/**
 * @param domains  as for lb_moe_fit(), borrowed for the life of the result
 * @return freed by lb_moe_rows_free(); NULL after a failure. Sticky in @p s.
 */
lb_moe_rows *lb_moe_gather(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                           const lb_domains *domains, size_t n);
void lb_moe_fit_rows(lb_study *s, const lb_moe_rows *rows, lb_moe_options options, lb_moe *out);
void lb_moe_rows_free(lb_moe_rows *r); /* NULL is fine */

/** The statistics themselves, borrowed; their groups are the parts all domains tell apart. */
const lb_gram *lb_moe_rows_gram(const lb_moe_rows *r);

lb_sweep_model lb_moe_expert(const lb_moe *m, size_t which, size_t expert);

/** Every expert of domains[which] on other rows: @p yhat out (x->rows, experts). Sticky in @p s. */
void lb_moe_predict(lb_study *s, const lb_moe *m, size_t which, const lb_stream *x, lb_mat yhat);

/** The scores of the legacy protocol, every penalty chosen on the test rows themselves: kept to
 * show what that does. */
typedef struct lb_legacy {
    lb_number global_all;     /* R2 of the global model on all test rows */
    lb_number global_covered; /* and on the covered ones */
    lb_number mixture;        /* R2 of the mixture on covered rows */
    lb_number unaligned;      /* mixture - global_all: two row sets, no interval */
    lb_number aligned;        /* mixture - global_covered */
} lb_legacy;

lb_legacy lb_moe_legacy(lb_study *s, const lb_cohort *c, const lb_moe *m, size_t which);

#endif
