/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_LOGISTIC_H
#define LB_MODELS_LOGISTIC_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stdbool.h>

/**
 * Multinomial logistic regression with an L2 penalty: which bin does a star belong to?
 *
 *   p_ik = exp(b_k + w_k'x_i) / sum over l of exp(b_l + w_l'x_i),
 *   minimise  sum over rows of -log p_i,label(i)  +  |w|^2 / (2 C),   intercepts not penalised.
 *
 * This is scikit-learn's objective, C included. Source: Hastie, Tibshirani & Friedman, ESL 2nd ed.,
 * sec. 4.4 and 18.3.2; the Hessian, (diag(p) - pp') (x) xx' summed over rows: Bohning 1992, Ann.
 * Inst. Statist. Math. 44, 197.
 *
 * Method: Newton on centred columns of unit spread (the penalty is carried over, so the answer is
 * that for x as it comes), with the whole Hessian and linalg/cholesky.h, which has the same bits on
 * every CPU: GSL's Cholesky has those of the BLAS under it. A factor is kept while its steps still
 * shrink the gradient tenfold. A step is shortened until the objective falls (Armijo,
 * or near the bottom the approximate Wolfe rule of Hager & Zhang 2005, SIAM J. Optim. 16, 170).
 * Adding one number to all w_kj of a feature, or to all b_k, changes no probability: coefficients
 * and intercepts are those that sum to 0 over the classes, and the Hessian is raised along that
 * direction, where the gradient has no part. Ends when no element of the gradient of objective /
 * rows, in those columns, exceeds LB_LOGISTIC_GRADIENT and the next step would move no coefficient
 * by more than 1e-8 of the largest.
 *
 * Cost a Hessian: rows * K(K-1)/2 * m(m+1)/2 multiplications, K classes, m = features + 1. Made for
 * tens of features: K m is at most LB_LOGISTIC_UNKNOWNS.
 *
 * Threads share fixed parts of the rows, which are summed in a fixed order, or the folds: one and
 * two threads give the same bits. A small problem runs on one.
 *
 * What awkward data come to:
 *   constant feature     dropped and counted, coefficient 0, which is also its optimum
 *   duplicated feature   the penalty shares the weight equally; any exact sum of others likewise
 *   separable classes    a finite answer, C decides how far out
 *   class without a row  not fitted: w_k = 0, b_k = -INFINITY, p_k = 0 exactly
 *   n < features, n = 2  fitted: the penalty makes the answer unique
 *   one class alone (as with n = 1), no row: LB_EINVAL
 *   NaN or infinity      LB_ENUMERIC in a row that is used; a row of label -1 is not looked at
 */
typedef struct lb_logistic {
    lb_mat w;      /* (classes, features) coefficients, per unit of x as it comes */
    double *b;     /* (classes) intercepts */
    size_t *rows;  /* (classes) rows it was fitted on; 0: class unknown to the model */
    bool *dropped; /* (features) constant on those rows */
    size_t n_rows, n_dropped;
    double C;
    double gradient;   /* largest element of the gradient reached, see above */
    size_t iterations; /* steps taken; of lb_logistic_fit_cv(): over all C so far */
} lb_logistic;

#define LB_LOGISTIC_GRADIENT 1e-8
#define LB_LOGISTIC_UNKNOWNS 4096

/**
 * Fit one model. Worked example, a gate on features of 26,609 stars for nine bins:
 *
 *     lb_logistic *gate = NULL;
 *     if ((st = lb_logistic_fit(features, bin, 9, 1.0, true, &gate, err)) != LB_OK)
 *         goto done;
 *     st = lb_logistic_proba(gate, test_features, p, err);   (p(i, k): weight of expert k for i)
 *
 * @param x            (n, features) in any units
 * @param label        (n) 0 .. classes-1, or -1: row not used
 * @param C            inverse penalty, > 0
 * @param standardise  penalise coefficients of columns of zero mean and unit standard deviation
 *                     (ddof 0, rows used), like scikit-learn's StandardScaler before the fit; w and
 *                     b are for x as it comes all the same
 * @param out          receives the model; the caller frees it
 * @return LB_OK; LB_EINVAL (no column, a label out of range, fewer than two classes with rows, C
 *         not positive or so small or large that the penalty overflows, too many unknowns);
 *         LB_ENUMERIC (NaN or infinity in a used row, named; a column whose standard deviation is
 *         outside 1e-100 .. 1e100; no convergence, which takes separable data with next to no
 *         penalty)
 */
lb_status lb_logistic_fit(lb_cmat x, const int *label, size_t classes, double C, bool standardise,
                          lb_logistic **out, lb_error *err);
void lb_logistic_free(lb_logistic *m); /* NULL is fine */

/** k-fold cross-validation over a grid of C, and the model refitted on all rows with the best. */
typedef struct lb_logistic_cv {
    size_t n_grid;
    double *C;        /* (n_grid) as given */
    double *log_loss; /* (n_grid) mean over folds of the fold's mean -log p of the true class */
    double *accuracy; /* (n_grid) mean over folds of the share of rows whose largest p is true */
    size_t best;      /* index of the smallest log-loss; a tie (to 1e-8) goes to the smaller C */
    int edge;         /* -1: best is the first C of the grid, +1: the last, 0: inside; 0 of one C */
    lb_logistic *model; /* fitted on all rows used, C[best] */
} lb_logistic_cv;

/**
 * C is chosen by log-loss, where scikit-learn's default is accuracy: the probabilities serve as
 * weights of experts, log-loss scores exactly them, and it is a smooth function of C; accuracy
 * moves in steps of one row and often ties. Both are reported.
 *
 * Columns are scaled once, on all rows used, as make_pipeline(StandardScaler(),
 * LogisticRegressionCV()) does. C runs upwards, each fit on all rows starting from the last; a
 * fold's fit starts from there too, with the Hessian of all rows less that of the fold.
 *
 * @param Cs     ascending, no two equal, each as in lb_logistic_fit()
 * @param fold   (n) 0 .. folds-1 for every row used; rows of one star belong in one fold
 * @param folds  at least 2, none empty
 * @return as lb_logistic_fit(); LB_EINVAL also for a grid that is empty or not ascending, a fold
 *         out of range or empty, and a class that has rows in one fold only (it could not be
 *         learned without that fold)
 */
lb_status lb_logistic_fit_cv(lb_cmat x, const int *label, size_t classes, lb_cvec Cs,
                             const int *fold, size_t folds, bool standardise, lb_logistic_cv **out,
                             lb_error *err);
void lb_logistic_cv_free(lb_logistic_cv *cv); /* NULL is fine */

/**
 * Probabilities of the classes. Any finite model and row have an answer, logits of 1e308 and beyond
 * included; each row sums to 1 to rounding.
 * @param x  (n, features)
 * @param p  out (n, classes)
 * @return LB_OK; LB_ESHAPE; LB_ENUMERIC (NaN or infinity in x, named by row and column)
 */
lb_status lb_logistic_proba(const lb_logistic *m, lb_cmat x, lb_mat p, lb_error *err);

#endif
