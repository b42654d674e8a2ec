/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_E19_H
#define LB_E19_H

/* What the parts of E19 share: the protocol (e19_snr_experts.c), its tables (tables.c) and figures
 * (figures.c). */
#include "study/moe.h"
#include "study/routing.h"

enum { NORM, PIXEL, DEFINITIONS };    /* of signal to noise */
enum { CHOSEN, FIXED, SCALED, FITS }; /* as in E18 */
enum { GLOBAL, ORACLE, SOFT, HARD, TRUSTED, METHODS };
enum { X, L, M, H, INTERVALS };         /* of signal to noise, rising */
enum { WHITENED, CONDITIONED, SIMPLE }; /* the simpler models of Gate-4 */

static const char *const interval_names[INTERVALS] = {"X", "L", "M", "H"};
static const char *const interval_keys[INTERVALS] = {"x", "l", "m", "h"};
static const char *const oracle_keys[DEFINITIONS] = {"oracle", "pixel"};
static const char *const gate_keys[DEFINITIONS] = {"gate", "pixel_gate"};
static const char *const definition_names[DEFINITIONS] = {"ratio of norms", "median per pixel"};

/** One interval under one definition. */
typedef struct interval {
    size_t n_train, n_test;
    lb_number r2[METHODS], delta, mae, rmse;
} interval;

/** One definition of signal to noise: who serves which row, and what came of it. */
typedef struct definition {
    double *snr[3];             /* training, validation, test rows, at the working noise */
    int *test_interval;         /* [test rows] X .. H, before any merging */
    lb_domains experts;         /* after merging */
    int serves[INTERVALS];      /* expert of each interval */
    lb_rowset *rows[INTERVALS]; /* test rows of each, NULL where there are none */
    interval of[INTERVALS];
    lb_number r2[METHODS], mae[METHODS], rmse[METHODS], delta, rho[METHODS];
    lb_routed routed;
    size_t confusion[INTERVALS * INTERVALS];
    double accuracy; /* per cent */
} definition;

typedef struct result {
    double noise;
    definition by[DEFINITIONS];
    lb_moe fit[FITS];
    lb_number simple[SIMPLE], simple_delta[SIMPLE]; /* R2, and less the deployed mixture */
} result;

/** Too few test rows for a score that says something: shown, but greyed or marked. */
bool few_rows(const lb_study *s, const interval *x);

/** Both sticky in @p s. */
void make_tables(lb_study *s, const result *r);
void draw_figures(lb_study *s, const result *r);

#endif
