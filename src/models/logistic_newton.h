/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_LOGISTIC_NEWTON_H
#define LB_MODELS_LOGISTIC_NEWTON_H

#include "core/error.h"
#include "models/logistic_rows.h"

#include <stdbool.h>
#include <stddef.h>

/* Part of models/logistic: the objective of its header, and Newton's method down to its minimum,
 * over the rows of all folds but one. The unknowns v(class, column) belong to the packed columns,
 * element class * m + column, intercepts in column 0; they start at 0. */
typedef struct lb_logistic_newton lb_logistic_newton;

/** @param d    borrowed
 *  @param out  the fold left out, -1: none */
lb_logistic_newton *lb_logistic_newton_new(const lb_logistic_rows *d, int out);
void lb_logistic_newton_free(lb_logistic_newton *s); /* NULL is fine */

/** The penalty |w|^2 / (2 C) in terms of v = w sd; LB_EINVAL where it is out of range. */
lb_status lb_logistic_newton_penalise(lb_logistic_newton *s, double C, bool standardise,
                                      lb_error *err);

/** Factor the Hessian at the place where lb_logistic_newton_minimise() has left @p s. LB_ENUMERIC
 * if it cannot be. */
lb_status lb_logistic_newton_factor(lb_logistic_newton *s, lb_error *err);

/** The same from the sums over rows that the last lb_logistic_newton_factor() of @p other has left,
 * with the rows and the penalty of @p s: near enough where the two places are near. They may be
 * one and the same, with a new penalty. */
lb_status lb_logistic_newton_factor_as(lb_logistic_newton *s, const lb_logistic_newton *other,
                                       lb_error *err);

/** From the place where it is, and from the factor if there is one, to the minimum. LB_ENUMERIC if
 * it does not get there. */
lb_status lb_logistic_newton_minimise(lb_logistic_newton *s, lb_error *err);

/** Mean loss and accuracy, at the place where it is, of the rows of the fold that was left out. */
void lb_logistic_newton_score(lb_logistic_newton *s, double *log_loss, double *accuracy);

double *lb_logistic_newton_place(lb_logistic_newton *s); /* v (k m), until the next minimise() */
double lb_logistic_newton_gradient(const lb_logistic_newton *s); /* largest |g| / rows reached */
size_t lb_logistic_newton_steps(const lb_logistic_newton *s);    /* taken so far */

#endif
