/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/routing.h"

#include "core/memory.h"

#include <stdlib.h>

void lb_route(lb_study *s, lb_experts e, lb_cmat p, double tau, lb_routed *out)
{
    *out = (lb_routed){0};
    if (!lb_study_ok(s))
        return;
    const size_t n = e.yhat.rows;
    const lb_vec hard = {lb_xcalloc(n, sizeof(double)), n};
    const lb_vec soft = {lb_xcalloc(n, sizeof(double)), n};
    const lb_vec trusted = {lb_xcalloc(n, sizeof(double)), n};
    *out =
        (lb_routed){.hard = {hard.data, n}, .soft = {soft.data, n}, .trusted = {trusted.data, n}};
    lb_study_take(s, lb_mixture_hard(e, p, hard, NULL, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_soft(e, p, 0.0, soft, NULL, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_soft(e, p, tau, trusted, &out->use, s->err));
    if (!lb_study_ok(s))
        lb_routed_free(out);
}

void lb_routed_free(lb_routed *r)
{
    free((double *)r->hard.data);
    free((double *)r->soft.data);
    free((double *)r->trusted.data);
    *r = (lb_routed){0};
}
