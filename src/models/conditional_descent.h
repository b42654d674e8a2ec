/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_CONDITIONAL_DESCENT_H
#define LB_MODELS_CONDITIONAL_DESCENT_H

#include "linalg/cholesky.h"
#include "models/conditional_system.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Several systems of one model, (A_f + alpha I) w = r_f, by conjugate gradients from one factor of
 * a matrix that is near all of them: a neighbouring penalty, or the rows of all folds. Golub & Van
 * Loan, Matrix Computations, 4th ed., alg. 11.5.1. The number of steps grows with the square root
 * of the ratio between the two matrices, some ten for a factor of two and forty for a decade of
 * alpha where the eigenvalues are small. The systems go side by side, so that every Gram and the
 * factor are read once a step for all of them: eight cost little more than one.
 */
typedef struct lb_descent {
    lb_conditional_system *system; /* borrowed */
    double alpha;
    double tolerance; /* of the error of w, relative, in the norm of the system */
    double *w;        /* (K p) where to start, then the solution, or how far it came; borrowed */
    bool solved;      /* out */
} lb_descent;

/**
 * A system that would take too many steps is given up: more than sixty, or than all alphas that are
 * left would take with a factor of their own, which is as many each as the folds of the pole took.
 * @param u  the factor, U'U near every A_f + alpha I, made with alpha = @p pole
 * @param systems  those of one alpha stand together
 */
void lb_descend(lb_cholesky *u, double pole, lb_descent *const *systems, size_t count);

#endif
