/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_SWEEP_H
#define LB_MODELS_SWEEP_H

#include "core/error.h"
#include "linalg/mat.h"
#include "linalg/stream.h"
#include "models/ridge.h"

#include <stdbool.h>

/* The protocol every Ridge comparison of the programme shares: one Gram pass over the training
 * rows, several models that train on unions of its row groups (one bin, all bins, a metallicity
 * strip ...), every penalty of a grid from the same Gram, the penalty chosen per model on the
 * validation rows that belong to the model, and predictions for every test row. Test labels are not
 * an argument, so nothing can be chosen on them. */

/** Labelled rows: spectra, target and the group of each row (-1: row not used; NULL: training rows
 * all of group 0). A training row that is not used may hold anything; validation rows are all
 * predicted, and so must all be finite. */
typedef struct lb_labelled {
    lb_stream x;
    lb_cvec y;
    const int *group;
} lb_labelled;

/** One model of a sweep: the groups it trains on and is validated on. */
typedef struct lb_member {
    const char *name;
    const bool *use; /* [groups], borrowed for the life of the sweep */
} lb_member;

typedef struct lb_sweep_options {
    size_t groups;      /* of train and validation */
    lb_cvec alphas;     /* the given grid, ascending, all > 0 */
    int extend_decades; /* when the optimum sits on an end of the grid; 0: stay on the grid */
    bool least_squares; /* also fit alpha = 0 (minimum norm); never chosen, see @c yhat_ols */
    bool standardise;
} lb_sweep_options;

/** What one model came to. Everything is borrowed from the sweep. */
typedef struct lb_sweep_model {
    const char *name;
    size_t n_train, n_val;
    lb_cvec alphas;          /* the given grid first, then its extension (if any) */
    size_t n_grid;           /* how many of alphas are the given grid */
    lb_cvec r2_val;          /* per alpha, on the model's validation rows */
    lb_alpha_choice on_grid; /* best of the given grid, with the edge flag */
    lb_alpha_choice chosen;  /* best of the extended grid: the model that is scored */
    lb_cmat w;               /* (alphas, p) weights, a row per alpha */
    lb_cvec b;               /* per alpha: intercepts */
    lb_cmat yhat;            /* (alphas, test rows): predictions, a row per alpha */
    lb_cvec yhat_chosen;     /* the row of yhat that belongs to chosen */
    lb_cvec yhat_ols;        /* alpha = 0, or {NULL, 0} */
    lb_cvec condition;       /* estimated 2-norm condition of the penalised Gram, per alpha */
    double condition_ols;    /* of the Gram without penalty, or NAN */
    char method_ols;         /* 'c' Cholesky, 's' eigen-decomposition */
} lb_sweep_model;

typedef struct lb_sweep lb_sweep;

/**
 * Fit and select every member.
 * @param train, val  labelled rows; a model uses the rows whose group it uses
 * @param test        spectra only; predictions are made for all its rows
 * @return LB_OK; LB_ESHAPE (columns, lengths or numbers of groups disagree); LB_EINVAL (a group out
 *         of range, validation rows without groups; alphas as lb_penalty_search(); a member without
 * training rows, with fewer than two validation rows or with labels there that do not vary; a grid
 * that does not ascend); LB_ENUMERIC (NaN or infinity in a row that counts, or in a prediction);
 * what the streams return Source: penalty by hold-out validation, Hastie, Tibshirani & Friedman,
 * ESL 2nd ed., sec. 7.2.
 */
lb_status lb_sweep_run(const lb_labelled *train, const lb_labelled *val, const lb_stream *test,
                       const lb_member *members, size_t n, lb_sweep_options options, lb_sweep **out,
                       lb_error *err);

/** The same from statistics gathered before: @p gram holds the training rows in options.groups
 * groups. */
lb_status lb_sweep_fit(const lb_gram *gram, const lb_labelled *val, const lb_stream *test,
                       const lb_member *members, size_t n, lb_sweep_options options, lb_sweep **out,
                       lb_error *err);
void lb_sweep_free(lb_sweep *s);

lb_sweep_model lb_sweep_get(const lb_sweep *s, size_t member);

/**
 * What some members, each with its chosen penalty, say of other rows.
 * @param pick  [n] members
 * @param yhat  out (x->rows, n): column k is member pick[k], as lb_mixture_given() wants it
 * @return LB_OK; LB_ESHAPE; LB_ENUMERIC; what the stream reports
 */
lb_status lb_sweep_predict(const lb_sweep *s, const size_t *pick, size_t n, const lb_stream *x,
                           lb_mat yhat, lb_error *err);

#endif
