/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_E18_H
#define LB_E18_H

/* What the two files of E18 share: the protocol (e18_oracle_headroom.c) and its figures
 * (figures.c). */
#include "models/pca.h"
#include "study/routing.h"

enum { GLOBAL, ORACLE, SOFT, HARD, TRUSTED, METHODS };
/* The penalty: by validation; as published; the same per training row; as published on raw flux. */
enum { CHOSEN, FIXED, SCALED, PLAIN, FITS };
enum { COVERED, CLAMPED, FALLBACK, SETS };
enum { BINS = 9, MOST_SEEDS = 8, MOST_LEVELS = 8 };

typedef struct bin_result {
    char name[32], key[32]; /* "Cool Metal-poor", "bin0_cool_poor" */
    lb_number oracle, global, soft, delta, mae;
} bin_result;

/* What the tables and figures need; the numbers themselves are in the record. */
typedef struct result {
    double noise, reference;
    lb_domains bins;
    lb_moe fit[FITS];
    double *clamped;        /* oracle whose cells are extended to every test row */
    lb_pca *pca;            /* of the noisy training spectra */
    lb_routed routed[FITS]; /* what the gate makes of the experts */
    lb_number r2[SETS][METHODS], rho[SETS][METHODS], delta, unaligned;
    lb_number gate_gain[METHODS]; /* over the global model, covered rows */
    bin_result bin[BINS];
    size_t n_levels;
    double level[MOST_LEVELS];
    double accuracy_here;                          /* of the gate at the noise of this experiment */
    double mean_p[BINS * BINS], sent[BINS * BINS]; /* true cell by cell */
    lb_number gain[2]; /* at the reference noise and at the noise of this experiment */
    lb_number amplification;
} result;

/** All figures; sticky in @p s. */
void draw_figures(lb_study *s, const result *r);

#endif
