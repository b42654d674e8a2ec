/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef E10_GATE_NOISE_H
#define E10_GATE_NOISE_H

#include "study/guess.h"
#include "study/strata.h"

/* What the program and its parts (told, tables, figures) share. */

/** Ways of using a told metallicity. The first two are the contest; the others are variants: nine
 * bins with the true temperature, penalties chosen anew at every sigma, and no clamp. */
enum { HARD, COND, NINE, HARD_TUNED, COND_TUNED, COND_FREE, METHODS };
enum { MOST_SIGMAS = 12, LEVELS = 3, CURVES = 3, RULES = 6 };
enum { OWN, COMMON }; /* denominators: the gain of the method itself, or of the hard oracle */

extern const char *const e10_method[METHODS];    /* parts of keys */
extern const char *const e10_curve[CURVES];      /* "hard", "cond_own", "cond_common" */
extern const char *const e10_curve_name[CURVES]; /* the same for readers */
extern const char *const e10_rule[RULES];

/**
 * The models of one cohort, trained with true labels, and what they say of the test rows when they
 * are told a wrong metallicity: @c draws times for each sigma, the same errors for every method.
 */
typedef struct told {
    const lb_cohort *cohort;
    size_t methods; /* the first so many are there */
    size_t n_sigma, draws;
    double sigma[MOST_SIGMAS];
    double lo, hi; /* range of the training labels, to which told values are clamped */
    lb_strata hand;
    lb_domains domains[2]; /* of the hand bins (borrowed from them), of nine bins */
    lb_moe moe;
    lb_conditional *cond;
    lb_mat parts;              /* of the conditional model, test rows */
    double *yhat;              /* (methods, n_sigma, draws, test rows) */
    double flips[MOST_SIGMAS]; /* per cent of the test rows told another hand bin */
    double alpha[MOST_SIGMAS]; /* penalty of the conditional model chosen anew at each sigma */
    size_t kept[MOST_SIGMAS];  /* of the hand experts, how many then keep their penalty */
} told;

/** Fit everything. Sticky in @p s: after a failure only e10_free() may follow. */
void e10_fit(lb_study *s, const lb_cohort *c, double noise, size_t methods, told *t);
/** Predictions of every method for every sigma and draw; sigmas may be set in between. */
void e10_tell(lb_study *s, double noise, told *t);
/** One method told @p m (test rows) with the penalties chosen once; @p out test rows. */
void e10_predict(lb_study *s, const told *t, size_t method, const double *m, double *out);
double *e10_yhat(const told *t, size_t method, size_t sigma, size_t draw);
/** Told values that reach the prediction unchanged at sigma 0: draws that differ from the models'
 * own predictions. */
size_t e10_zero_differs(const told *t);
void e10_free(told *t);

/** Scores of the methods on one row set. */
typedef struct scores {
    lb_number global, r2[METHODS][MOST_SIGMAS], rho[METHODS][2][MOST_SIGMAS];
    lb_number sd[METHODS][MOST_SIGMAS];             /* over the draws */
    lb_number crossing[CURVES][LEVELS];             /* sigma at which a curve falls below a level */
    lb_number predictor_r2[2], predictor_rho[2][2]; /* told what the predictor says: HARD, COND */
} scores;

/** What the tables and figures need; the numbers themselves are in the record. */
typedef struct result {
    double noise;
    size_t grid; /* sigmas of the grid; the one after it is the predictor's error */
    lb_guess guess;
    told told, larger;
    scores all, covered, more;
    double level[LEVELS]; /* of retention */
} result;

const char *e10_sigma_key(double sigma, char out[16]); /* "sigma_0.05" */
void e10_tables(lb_study *s, const result *r);
void e10_figures(lb_study *s, const result *r);

#endif
