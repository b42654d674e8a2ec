/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/adam.h"

#include "core/cpu.h"
#include "core/memory.h"

#include <math.h>
#include <stdlib.h>

struct lb_adam {
    lb_adam_options options;
    size_t n;
    double steps, rate, scale; /* so far; rate / (1 - beta1^t) and 1 / sqrt(1 - beta2^t) */
    double *mean, *square;     /* m and v */
};

lb_status lb_adam_check(lb_adam_options o, lb_error *err)
{
    if (!(o.rate > 0.0 && isfinite(o.rate)))
        return LB_FAIL(err, LB_EINVAL, "Adam's learning rate is %g, must be positive", o.rate);
    if (!(o.beta1 >= 0.0 && o.beta1 < 1.0))
        return LB_FAIL(err, LB_EINVAL, "Adam's beta1 is %g, must lie in [0, 1)", o.beta1);
    if (!(o.beta2 >= 0.0 && o.beta2 < 1.0))
        return LB_FAIL(err, LB_EINVAL, "Adam's beta2 is %g, must lie in [0, 1)", o.beta2);
    if (!(o.epsilon > 0.0 && isfinite(o.epsilon)))
        return LB_FAIL(err, LB_EINVAL, "Adam's epsilon is %g, must be positive", o.epsilon);
    return LB_OK;
}

lb_adam *lb_adam_new(size_t n, lb_adam_options options)
{
    lb_adam *a = lb_xcalloc(1, sizeof *a);
    a->options = options;
    a->n = n;
    a->mean = lb_xlarge(n, sizeof(double));
    a->square = lb_xlarge(n, sizeof(double));
    return a;
}

void lb_adam_free(lb_adam *a)
{
    if (!a)
        return;
    free(a->mean);
    free(a->square);
    free(a);
}

void lb_adam_next(lb_adam *a)
{
    const lb_adam_options o = a->options;
    a->steps += 1.0;
    a->rate = o.rate / (1.0 - pow(o.beta1, a->steps));
    a->scale = 1.0 / sqrt(1.0 - pow(o.beta2, a->steps));
}

LB_FOR_EVERY_CPU void lb_adam_part(lb_adam *a, size_t first, size_t n,
                                   const double *restrict gradient, double *restrict weights)
{
    const lb_adam_options o = a->options;
    double *restrict mean = a->mean + first, *restrict square = a->square + first;
    const double rate = a->rate, scale = a->scale;
    const double keep1 = o.beta1, new1 = 1.0 - o.beta1, keep2 = o.beta2, new2 = 1.0 - o.beta2;
    for (size_t i = 0; i < n; i++) {
        const double g = gradient[i];
        mean[i] = keep1 * mean[i] + new1 * g;
        square[i] = keep2 * square[i] + new2 * g * g;
        weights[i] -= rate * mean[i] / (sqrt(square[i]) * scale + o.epsilon);
    }
}

void lb_adam_step(lb_adam *a, const double *gradient, double *weights)
{
    lb_adam_next(a);
    lb_adam_part(a, 0, a->n, gradient, weights);
}
