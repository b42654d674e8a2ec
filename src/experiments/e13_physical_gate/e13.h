/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef E13_PHYSICAL_GATE_H
#define E13_PHYSICAL_GATE_H

#include "study/gate.h"
#include "study/guess.h"
#include "study/routing.h"

/* What the program and its parts (details, tables, figures) share. */

enum { THREE, NINE, OUTSIDE, DOMAINS }; /* ways of dealing rows to experts */
enum { GLOBAL, ORACLE, HARD, SOFT, TRUSTED, METHODS };
enum { PSEUDO = METHODS, CONDITIONAL, RIVALS };
enum { NO_CHANGE, NO_PCA, CALCIUM, CALCIUM_SUM, NO_SODIUM, PCA_ONLY, P90, MEDIAN3, ABLATIONS };
enum { C_GLOBAL, C_CLAMP, C_TENTH, C_FALLBACK, C_GATED, C_ORACLE, STRATEGIES };
enum { ON_COVERED, ON_OUTSIDE, ON_ALL, C_SETS };
enum { MOST_SEEDS = 16, MOST_TAUS = 16, MOST_FEATURES = 32 };

/** Parts of keys: "a" and "b", "soft_fallback", "only_caii", "edge_clamp", "r2_covered" ... */
extern const char *const e13_form[2],
    *const e13_method[RIVALS], *const e13_ablation[ABLATIONS], *const e13_strategy[STRATEGIES],
                                                                   *const e13_set[C_SETS];
/** The same for readers. */
extern const char *const e13_method_name[RIVALS], *const e13_ablation_name[ABLATIONS],
                                                      *const e13_strategy_name[STRATEGIES];

/** One gate: what it looks at, what it says, and the predictions that follow from it. */
typedef struct form {
    lb_gate_inputs in;
    lb_named gate;
    lb_routed routed;
} form;

/** Everything that one draw of the noise decides. */
typedef struct draw {
    lb_noise_seeds seeds;
    lb_moe moe;
    lb_pca *pca;
    form form[2];
} draw;

/** One bin of form b on its own test rows. */
typedef struct bin_result {
    char name[32], key[32];
    size_t n;
    lb_number r2[METHODS], rho;
} bin_result;

/** What the resamples of a retention say beside its interval. */
typedef struct rho_draws {
    double *all; /* NAN where the oracle gains nothing */
    size_t n;
    lb_number mean, median, left_out; /* left_out: per cent of the resamples that have none */
} rho_draws;

/** What tables and figures need besides the record. */
typedef struct result {
    size_t best; /* routing chosen on validation rows */
    lb_number r2[2][RIVALS], rho[2][RIVALS];
    rho_draws drawn[2]; /* soft + fallback of the three, soft of the nine */
    lb_number ablated[ABLATIONS], coverage[STRATEGIES][C_SETS];
    double weight[2][MOST_FEATURES]; /* importance of each feature */
    bin_result bin[LB_BINS_MAX];
    size_t n_seeds;
    uint64_t seed[MOST_SEEDS];
    lb_number seed_rho[2][MOST_SEEDS], seed_gain[2][MOST_SEEDS];
} result;

const lb_rowset *e13_rows(const lb_study *s, size_t which); /* that a form is scored on */
lb_gate_naming e13_gate_options(const lb_spec *spec);
void e13_entries(const draw *d, size_t which, lb_entry e[METHODS]);
const char *e13_family(const char *feature); /* "Ca II", "Na I" or "PCA" */
/** A retention without interval: that of the oracle's gain reaches zero. */
bool e13_is_bare(const lb_number *rho);
/** "depth_Na" as part of a key. */
void e13_feature_key(const char *feature, char key[48]);

/* details.c */
void e13_ablations(lb_study *s, const draw *d, const lb_domains *three, result *r);
void e13_taus(lb_study *s, const draw *d, size_t which);
void e13_importance(lb_study *s, const draw *d, size_t which, double *weight);
void e13_cells(lb_study *s, const draw *d, const lb_domains *three, const result *r);
void e13_bins(lb_study *s, const draw *d, result *r);
void e13_coverage(lb_study *s, const draw *d, const lb_domains *domains, result *r);

/* tables.c, figures.c */
void e13_tables(lb_study *s, const draw *d, const lb_domains *domains, const result *r);
void e13_figures(lb_study *s, const draw *d, const lb_domains *domains, const result *r);

#endif
