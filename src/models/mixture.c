/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/mixture.h"

#include "linalg/probability.h"

#include <math.h>
#include <stdint.h>

lb_status lb_mixture_gather(const lb_cvec *columns, size_t experts, lb_mat yhat, bool *absent,
                            lb_error *err)
{
    if (yhat.cols != experts)
        return LB_FAIL(err, LB_ESHAPE, "%zu experts for a table of %zu columns", experts,
                       yhat.cols);
    for (size_t k = 0; k < experts; k++) {
        absent[k] = !columns[k].data;
        if (!absent[k] && columns[k].n != yhat.rows)
            return LB_FAIL(err, LB_ESHAPE, "expert %zu predicts %zu rows of %zu", k, columns[k].n,
                           yhat.rows);
        for (size_t i = 0; i < yhat.rows; i++)
            yhat.data[i * yhat.stride + k] = absent[k] ? NAN : columns[k].data[i];
    }
    return LB_OK;
}

/* --- one row ------------------------------------------------------------------------------------
 */

static bool is_absent(const lb_experts *e, size_t k)
{
    return e->absent && e->absent[k];
}

static lb_status refuse(double value, const char *model, size_t row, lb_error *err)
{
    return LB_FAIL(err, LB_ENUMERIC, "%s predicts %g for row %zu", model, value, row);
}

static lb_status take_expert(const lb_experts *e, size_t row, size_t k, double *out, lb_error *err)
{
    *out = e->yhat.data[row * e->yhat.stride + k];
    return isfinite(*out)
               ? LB_OK
               : LB_FAIL(err, LB_ENUMERIC, "expert %zu predicts %g for row %zu", k, *out, row);
}

static lb_status take_global(const lb_experts *e, size_t row, lb_mixture_use *use, double *out,
                             lb_error *err)
{
    if (!e->global.data) {
        *out = NAN;
        use->uncovered++;
        return LB_OK;
    }
    *out = e->global.data[row];
    use->fallback++;
    return isfinite(*out) ? LB_OK : refuse(*out, "the global model", row, err);
}

/* The probability that the present experts share; what the absent ones got is counted as lost. */
static double present(const lb_experts *e, const double *p, lb_mixture_use *use)
{
    double sum = 0.0, lost = 0.0;
    for (size_t k = 0; k < e->yhat.cols; k++)
        *(is_absent(e, k) ? &lost : &sum) += p[k];
    use->renormalised += lost > 0.0;
    use->lost += lost / (double)use->rows;
    return sum;
}

/* The present expert with the largest probability. */
static size_t top(const lb_experts *e, const double *p)
{
    size_t best = SIZE_MAX;
    for (size_t k = 0; k < e->yhat.cols; k++)
        if (!is_absent(e, k) && (best == SIZE_MAX || p[k] > p[best]))
            best = k;
    return best;
}

/* --- all rows -----------------------------------------------------------------------------------
 */

static lb_status check_shapes(const lb_experts *e, lb_vec yhat, lb_error *err)
{
    if (yhat.n != e->yhat.rows || (e->global.data && e->global.n != yhat.n))
        return LB_FAIL(err, LB_ESHAPE, "experts predict %zu rows, the global model %zu, wanted %zu",
                       e->yhat.rows, e->global.n, yhat.n);
    return LB_OK;
}

static lb_status check_gate(const lb_experts *e, lb_cmat p, lb_vec yhat, lb_error *err)
{
    if (p.rows != e->yhat.rows || p.cols != e->yhat.cols)
        return LB_FAIL(err, LB_ESHAPE,
                       "probabilities are %zux%zu, predictions of the experts %zux%zu", p.rows,
                       p.cols, e->yhat.rows, e->yhat.cols);
    const lb_status st = check_shapes(e, yhat, err);
    return st == LB_OK ? lb_probability_check(p, err) : st;
}

static void report(lb_mixture_use *use, lb_mixture_use found)
{
    if (use)
        *use = found;
}

lb_status lb_mixture_given(lb_experts e, const int *bin, lb_vec yhat, lb_mixture_use *use,
                           lb_error *err)
{
    lb_mixture_use found = {.rows = yhat.n};
    lb_status st = check_shapes(&e, yhat, err);
    for (size_t i = 0; i < yhat.n && st == LB_OK; i++) {
        if (bin[i] < -1 || (bin[i] >= 0 && (size_t)bin[i] >= e.yhat.cols))
            return LB_FAIL(err, LB_EINVAL, "row %zu is of bin %d, but there are %zu experts", i,
                           bin[i], e.yhat.cols);
        if (bin[i] < 0 || is_absent(&e, (size_t)bin[i]))
            st = take_global(&e, i, &found, &yhat.data[i], err);
        else
            st = take_expert(&e, i, (size_t)bin[i], &yhat.data[i], err);
    }
    report(use, found);
    return st;
}

lb_status lb_mixture_hard(lb_experts e, lb_cmat p, lb_vec yhat, lb_mixture_use *use, lb_error *err)
{
    lb_mixture_use found = {.rows = yhat.n};
    lb_status st = check_gate(&e, p, yhat, err);
    for (size_t i = 0; i < yhat.n && st == LB_OK; i++) {
        const double *row = p.data + i * p.stride;
        if (present(&e, row, &found) > 0.0)
            st = take_expert(&e, i, top(&e, row), &yhat.data[i], err);
        else
            st = take_global(&e, i, &found, &yhat.data[i], err);
    }
    report(use, found);
    return st;
}

/* sum p_k yhat_k over the present experts, divided by what they share. */
static lb_status blend(const lb_experts *e, const double *p, double shared, size_t row, double *out,
                       lb_error *err)
{
    double sum = 0.0, expert;
    for (size_t k = 0; k < e->yhat.cols; k++) {
        if (is_absent(e, k) || p[k] == 0.0)
            continue;
        const lb_status st = take_expert(e, row, k, &expert, err);
        if (st != LB_OK)
            return st;
        sum += p[k] * expert;
    }
    *out = sum / shared;
    return LB_OK;
}

lb_status lb_mixture_soft(lb_experts e, lb_cmat p, double tau, lb_vec yhat, lb_mixture_use *use,
                          lb_error *err)
{
    lb_mixture_use found = {.rows = yhat.n};
    lb_status st = check_gate(&e, p, yhat, err);
    if (st == LB_OK && !(tau >= 0.0 && tau <= 1.0))
        st = LB_FAIL(err, LB_EINVAL, "tau = %g, must be between 0 and 1", tau);
    if (st == LB_OK && tau > 0.0 && !e.global.data)
        st = LB_FAIL(err, LB_EINVAL, "tau = %g without a global model to fall back on", tau);
    for (size_t i = 0; i < yhat.n && st == LB_OK; i++) {
        const double *row = p.data + i * p.stride;
        const double shared = present(&e, row, &found);
        if (shared > 0.0 && row[top(&e, row)] >= tau)
            st = blend(&e, row, shared, i, &yhat.data[i], err);
        else
            st = take_global(&e, i, &found, &yhat.data[i], err);
    }
    report(use, found);
    return st;
}

lb_status lb_mixture_cover(const bool *outside, lb_cvec stand_in, lb_vec yhat, size_t *n_outside,
                           lb_error *err)
{
    size_t n = 0;
    if (stand_in.data && stand_in.n != yhat.n)
        return LB_FAIL(err, LB_ESHAPE, "the stand-in predicts %zu rows of %zu", stand_in.n, yhat.n);
    for (size_t i = 0; i < yhat.n; i++) {
        if (!outside[i])
            continue;
        if (stand_in.data && !isfinite(stand_in.data[i]))
            return refuse(stand_in.data[i], "the stand-in", i, err);
        yhat.data[i] = stand_in.data ? stand_in.data[i] : NAN;
        n++;
    }
    if (n_outside)
        *n_outside = n;
    return LB_OK;
}
