/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/penalty.h"

#include "core/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double lb_r2(const double *y, const double *yhat, size_t n)
{
    double mean = 0.0, total = 0.0, residual = 0.0;
    for (size_t i = 0; i < n; i++)
        mean += y[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        total += (y[i] - mean) * (y[i] - mean);
        residual += (y[i] - yhat[i]) * (y[i] - yhat[i]);
    }
    return 1.0 - residual / total;
}

lb_status lb_penalty_check(lb_cvec grid, int decades, lb_error *err)
{
    if (grid.n == 0)
        return LB_FAIL(err, LB_EINVAL, "no alpha to fit");
    for (size_t k = 0; k < grid.n; k++)
        if (!(grid.data[k] > 0.0) || isinf(grid.data[k]) ||
            (k && !(grid.data[k] > grid.data[k - 1])))
            return LB_FAIL(err, LB_EINVAL, "alpha %zu is %g: they must be positive and ascend", k,
                           grid.data[k]);
    if (decades < 0)
        return LB_FAIL(err, LB_EINVAL, "the grid of alphas cannot be extended by %d decades",
                       decades);
    if (!(grid.data[0] * pow(10.0, -decades) >= DBL_MIN) ||
        isinf(grid.data[grid.n - 1] * pow(10.0, decades)))
        return LB_FAIL(err, LB_EINVAL,
                       "%d decades beyond alphas from %g to %g leave the range of a "
                       "double",
                       decades, grid.data[0], grid.data[grid.n - 1]);
    return LB_OK;
}

static lb_status append(lb_penalty *s, const double *alphas, size_t n, lb_penalty_score *score,
                        void *self, lb_error *err)
{
    s->alphas = lb_xrealloc(s->alphas, s->n + n, sizeof *s->alphas);
    s->r2 = lb_xrealloc(s->r2, s->n + n, sizeof *s->r2);
    memcpy(s->alphas + s->n, alphas, n * sizeof *alphas);
    const lb_status st = score(self, (lb_cvec){s->alphas + s->n, n}, s->r2 + s->n, err);
    s->n += n;
    return st;
}

void lb_penalty_beyond(lb_cvec grid, int edge, int decades, double *out)
{
    for (int d = 0; d < decades; d++)
        out[d] = edge < 0 ? grid.data[0] * pow(10.0, d - decades)
                          : grid.data[grid.n - 1] * pow(10.0, d + 1);
}

static lb_status extend(lb_penalty *s, int decades, lb_penalty_score *score, void *self,
                        lb_error *err)
{
    double *beyond = lb_xcalloc((size_t)decades, sizeof *beyond);
    lb_penalty_beyond((lb_cvec){s->alphas, s->n_grid}, s->on_grid.edge, decades, beyond);
    const lb_status st = append(s, beyond, (size_t)decades, score, self, err);
    free(beyond);
    for (size_t k = s->n_grid; k < s->n && st == LB_OK; k++) {
        const double gain = s->r2[k] - s->chosen.r2;
        if (gain > 0.0 || (gain == 0.0 && s->alphas[k] > s->chosen.alpha))
            s->chosen = (lb_alpha_choice){k, s->alphas[k], s->r2[k], s->on_grid.edge};
    }
    return st;
}

lb_status lb_penalty_search(lb_cvec grid, int decades, lb_penalty_score *score, void *self,
                            lb_penalty *out, lb_error *err)
{
    *out = (lb_penalty){0};
    lb_status st = lb_penalty_check(grid, decades, err);
    if (st != LB_OK || (st = append(out, grid.data, grid.n, score, self, err)) != LB_OK)
        return st;
    out->n_grid = out->n;
    st = lb_ridge_choose(grid, (lb_cvec){out->r2, out->n}, &out->on_grid, err);
    out->chosen = out->on_grid;
    if (st == LB_OK && decades > 0 && out->on_grid.edge)
        st = extend(out, decades, score, self, err);
    return st;
}

void lb_penalty_free(lb_penalty *s)
{
    free(s->alphas);
    free(s->r2);
    *s = (lb_penalty){0};
}
