/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef E09_COEFFICIENTS_H
#define E09_COEFFICIENTS_H

#include "study/moe.h"

/* What the program and its part (why) share. */

enum { PARTS = 3 }; /* strips of an axis that have names */

extern const char *const e09_teff_name[PARTS]; /* "cool" ... */
extern const char *const e09_mh_name[PARTS];   /* "metal-poor" ... */
extern const char *const e09_mh_key[PARTS];    /* "mh_low" ... */

/** One expert: its bin, its weights at the chosen penalty, at alpha = 1, and times the spread of
 * each pixel over its training rows; its scores on the test rows of the bin are NAN where these are
 * too few. */
typedef struct expert {
    size_t k;
    char name[32];
    const double *w, *fixed;
    double *scaled;
    double b; /* intercept that belongs to w */
    double alpha, abs_mean, energy, top_share, r2, rmse;
} expert;

typedef struct weights {
    expert e[LB_BINS_MAX];
    size_t n, p;
    const double *wave;
    const char *medium;
    double abs_mean;    /* over experts and pixels */
    double *importance; /* [p] mean over experts of |w|, over abs_mean */
    size_t *by_weight;  /* [p] pixels by falling importance */
    size_t *rank;       /* [p] 1: the heaviest */
} weights;

const expert *e09_expert(const weights *w, size_t k); /* of bin k, or NULL */

/** Pearson's; NAN without variance. */
double e09_correlation(const double *a, const double *b, size_t p);

/** Why one expert scores higher than another: numbers and table T09.7. Sticky in @p s. */
void e09_why(lb_study *s, const weights *w);

#endif
