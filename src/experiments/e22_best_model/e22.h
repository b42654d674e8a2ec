/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_E22_H
#define LB_E22_H

/* What the parts of E22 share: the protocol (e22_best_model.c), its scores (scores.c), tables and
 * figures. */
#include "study/contest.h"
#include "study/limit.h"

/* The five models; after them what is made of them: per cell of noise and signal to noise the model
 * that validation rows choose, the same per noise level, and what test rows would have chosen. */
enum { GLOBAL, NINE, CONDITIONAL, REGRESSION, EXPECTED, MODELS };
enum { POLICY = MODELS, BY_LEVEL, HINDSIGHT, ENTRIES };
enum { MOST_LEVELS = 8, MOST_CLASSES = 8 };

static const char *const model_keys[ENTRIES] = {"global",   "nine",   "conditional", "regression",
                                                "expected", "policy", "by_level",    "hindsight"};
static const char *const model_names[ENTRIES] = {
    "global",         "nine bins",          "conditional",         "regression gate",
    "expected noise", "chosen in the cell", "chosen at the level", "best in hindsight"};

/** The limits of some test stars together, of those inside the box of the grid. */
typedef struct ceiling {
    size_t n;
    double prior;    /* 1 - mean posterior variance / variance: with the scatter of labels known */
    double unbiased; /* 1 - mean Cramer-Rao bound / variance: no unbiased estimator pools to more */
    double median;   /* of the stars' own unbiased bounds, clipped to 0 ... 1 */
} ceiling;

/** Some rows at one or more noise levels: who is best there, and how near the ceiling. */
typedef struct cell {
    size_t n_val, n_test;
    double snr;         /* median of the estimates of its test rows */
    double val[MODELS]; /* R2 on its validation rows, NAN if they are too few */
    size_t chosen;      /* by these, or by the level's where they are too few */
    bool scored;
    lb_number r2[ENTRIES];
    size_t leader;            /* largest R2 on the test rows, of the five */
    lb_number behind[MODELS]; /* R2 of the leader less that of each; n/a for the leader */
    bool in_set[MODELS];      /* the lead over it is not beyond doubt */
    lb_number lead;           /* over the next one */
    lb_number gain;           /* chosen in the cell less global */
    ceiling top;
} cell;

/** One noise level. Predictions are for the validation rows and then the test rows. */
typedef struct level {
    double noise;
    lb_exposure seen;
    lb_stream parts[2];
    lb_joined joined;
    lb_stream known; /* validation rows, then test rows */
    size_t form;     /* of the gate trained on the final error: 0 hidden layer, 1 linear */
    double *yhat[ENTRIES];
    double *snr;  /* of every known row, as estimated; infinite without noise */
    int *classed; /* class of signal to noise of every known row */
    lb_limit limit;
    cell whole, of[MOST_CLASSES];
    lb_number over_global[ENTRIES]; /* R2 less that of the global model */
} level;

/** What a model costs, counted. */
typedef struct cost {
    size_t parameters; /* of the model as deployed, at the level where it has most */
    size_t largest;    /* unknowns of its largest linear system */
    size_t systems;    /* factored over all levels */
    size_t passes;     /* over the training rows, over all levels */
} cost;

typedef struct result {
    size_t n_val, n_test; /* rows */
    size_t n_levels, lowest, reference, highest;
    level at[MOST_LEVELS];
    size_t n_classes; /* of signal to noise, and one more for spectra without noise */
    char class_name[MOST_CLASSES][32];
    cell pooled[MOST_CLASSES]; /* all noise levels together */
    size_t single;          /* the model that validation rows prefer on average over the levels */
    size_t mixture, simple; /* the better of each at the lowest noise, by validation rows */
    cost spent[MODELS];
    size_t unfinished; /* regression gates in use whose best epoch was the last */
    lb_contest *all;   /* every entry at every level on all test rows */
} result;

/** snr.c: estimates of signal to noise and their classes at one level; how far they are off. */
void classify_snr(lb_study *s, const result *r, level *l);
void check_snr(lb_study *s, const result *r);

/** R2 on the rows of one class of signal to noise (@p classed NULL: on all @p n); NAN where it has
 * none. */
double r2_of(const double *y, const double *yhat, const int *classed, int only, size_t n);

/** scores.c: what validation rows choose, then who is best in every cell, at every level and over
 * all of them. Sticky in @p s. */
void choose(lb_study *s, result *r);
void score(lb_study *s, result *r);

/** tables.c and figures.c */
void make_tables(lb_study *s, const result *r);
void draw_figures(lb_study *s, const result *r);

#endif
