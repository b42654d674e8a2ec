/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_STACK_H
#define LB_STUDY_STACK_H

#include "study/moe.h"

/**
 * Stacking without a leak: a gate that learns from the error of the mixture must hear what the
 * experts say of rows they were not trained on, or it trusts those that know their rows by heart.
 * So some of the training rows are put aside for it.
 *
 *   lb_held_out held;
 *   lb_hold_out(s, c, &bins, 5, 5, 42, &held);            one row in five, of every bin
 *   lb_moe_fit(s, c, level, seeds, &held.experts, 1, &moe);
 *   lb_held_predict(s, c, level, seeds, &moe, 0, &held, yhat);
 *   lb_learn_gates(s, (lb_learn_rows){&held, features, test_features, yhat, target}, plan, n,
 * gate);
 */
typedef struct lb_held_out {
    lb_domains experts; /* as given, but no expert trains on a row of the gate */
    lb_domains gate;    /* as given, but only those rows train: for lb_gate_name() */
    size_t *rows;       /* [n] their numbers in the training set: n_fit to learn from, ascending, */
    size_t n, n_fit;    /* then n - n_fit to stop on, ascending */
} lb_held_out;

/**
 * Put aside one fold of the training rows that have an expert, stratified by expert, and one fold
 * of these to stop on.
 * @param folds, val_folds  at least 2
 * Sticky in @p s: after a failure @p out is zero.
 */
void lb_hold_out(lb_study *s, const lb_cohort *c, const lb_domains *d, size_t folds,
                 size_t val_folds, uint64_t seed, lb_held_out *out);
void lb_held_out_free(lb_held_out *h); /* zeroed is fine */

/** Every expert of domains[which] on the rows put aside, as noisy as when the experts trained.
 * @param yhat  out (held->n, experts). Sticky in @p s. */
void lb_held_predict(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                     const lb_moe *m, size_t which, const lb_held_out *held, lb_mat yhat);

/** What gates learn from. Everything is borrowed. */
typedef struct lb_learn_rows {
    const lb_held_out *held;
    lb_cmat train, test;  /* features of all training rows, and of the rows to be weighted */
    lb_cmat yhat;         /* (held->n, experts), from lb_held_predict() */
    const double *target; /* [training rows] */
} lb_learn_rows;

/** How one gate is trained (models/gate.h). */
typedef struct lb_learn_plan {
    size_t hidden; /* 0: the softmax-linear gate */
    uint64_t seed; /* of its first weights and of the order of its rows */
    double rate;
    size_t batch, epochs, patience;
    size_t max_epochs; /* as long as the last epoch is the best one */
} lb_learn_plan;

typedef struct lb_learned {
    lb_learn_plan plan;
    size_t epochs, best;   /* that were run; the best of them, counted from 1 */
    size_t best_in_budget; /* the best of the first plan.epochs */
    bool converged;        /* the best is not the last. False: no verdict on this gate */
    double loss;           /* of the best epoch on the rows to stop on, dex^2 */
    double *curve;         /* [epochs] that loss epoch by epoch */
    lb_mat weights;        /* (test rows, experts), each row sums to 1 */
} lb_learned;

/** Train @p n gates, as many at a time as there are threads: each is the work of one, so the bits
 * do not depend on their number. Sticky in @p s: after a failure @p out is zero. */
void lb_learn_gates(lb_study *s, lb_learn_rows rows, const lb_learn_plan *plan, size_t n,
                    lb_learned *out);
void lb_learned_free(lb_learned *g); /* zeroed is fine */

/**
 * Record how a training went, under "<prefix>": best_epoch.NAME, epochs.NAME, best_val_loss.NAME,
 * converged.NAME (1 or 0) with converged.NAME.word, and of the first plan.epochs alone
 * budget.best_epoch.NAME, budget.converged.NAME and its word.
 */
void lb_learned_put(lb_study *s, const lb_learned *g, const char *prefix, const char *name);

#endif
