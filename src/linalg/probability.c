/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/probability.h"

#include <math.h>

lb_status lb_probability_check(lb_cmat p, lb_error *err)
{
    if (p.cols == 0)
        return LB_FAIL(err, LB_EINVAL, "probabilities of no class");
    for (size_t i = 0; i < p.rows; i++) {
        const double *row = p.data + i * p.stride;
        double sum = 0.0;
        for (size_t k = 0; k < p.cols; k++) {
            if (!isfinite(row[k]))
                return LB_FAIL(err, LB_ENUMERIC, "the probability of class %zu in row %zu is %g", k,
                               i, row[k]);
            if (row[k] < 0.0)
                return LB_FAIL(err, LB_EINVAL, "the probability of class %zu in row %zu is %g", k,
                               i, row[k]);
            sum += row[k];
        }
        if (fabs(sum - 1.0) > LB_PROBABILITY_SLACK)
            return LB_FAIL(err, LB_EINVAL,
                           "the probabilities of row %zu sum to %.9g, must be 1 within %g", i, sum,
                           LB_PROBABILITY_SLACK);
    }
    return LB_OK;
}

size_t lb_probability_top(lb_cmat p, size_t i)
{
    const double *row = p.data + i * p.stride;
    size_t top = 0;
    for (size_t k = 1; k < p.cols; k++)
        top = row[k] > row[top] ? k : top;
    return top;
}
