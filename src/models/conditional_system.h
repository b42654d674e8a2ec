/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_CONDITIONAL_SYSTEM_H
#define LB_MODELS_CONDITIONAL_SYSTEM_H

#include "linalg/cholesky.h"
#include "models/conditional_gram.h"

/**
 * The normal equations of one model on all folds but one, the unpenalised columns Z (the intercept;
 * with @c plain also the conditions) projected out (Frisch & Waugh 1933, Econometrica 1, 387):
 * A = Phi' Q Phi and r = Phi' Q y with Q = 1 - Z (Z'Z)^-1 Z'; a column of Z that depends on those
 * before it is left out. The weights solve (A + alpha I) w = r, condition after condition.
 */
typedef struct lb_conditional_system lb_conditional_system;

/** @param left_out  a fold, or -1: none. LB_EINVAL if no row is left. */
lb_status lb_conditional_system_new(const lb_conditional_gram *g, lb_conditions c, int left_out,
                                    lb_conditional_system **out, lb_error *err);
void lb_conditional_system_free(lb_conditional_system *s); /* NULL is fine */

size_t lb_conditional_system_rows(const lb_conditional_system *s);   /* it is fitted on */
lb_cvec lb_conditional_system_right(const lb_conditional_system *s); /* r, (K p), borrowed */

/** Put A into @p room, made for K p. */
void lb_conditional_system_load(const lb_conditional_system *s, lb_cholesky *room);

/**
 * out[f] = A_f v[f] for several systems of one model that differ in the fold they leave out; every
 * Gram is read once for all of them.
 * @param v, out  (n) vectors of K p
 */
void lb_conditional_system_multiply(lb_conditional_system *const *s, size_t n,
                                    const double *const *v, double *const *out);

/**
 * The rest of the model that @p w (K p) belongs to: yhat = b + sum_i c_i (offset_i + x'w_i).
 * @param offset  (K)
 */
void lb_conditional_system_finish(const lb_conditional_system *s, const double *w, double *b,
                                  double *offset);

/**
 * R2 of several such models, each on the fold it left out, from the statistics of that fold.
 * @param w   (n) weights of K p
 * @param r2  out (n); NAN where the labels of the fold do not vary
 */
void lb_conditional_system_score(lb_conditional_system *const *s, size_t n, const double *const *w,
                                 double *r2);

#endif
