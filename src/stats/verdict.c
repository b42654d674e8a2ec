/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/verdict.h"

#include <math.h>
#include <string.h>

lb_rung lb_ladder(const lb_number *delta, double threshold)
{
    if (strcmp(delta->kind, "delta_r2"))
        return LB_RUNG_NOT_JUDGED;
    if (delta->na[0] || isnan(delta->value))
        return LB_RUNG_NA;
    const bool valuable = delta->value >= threshold;
    if (isnan(delta->ci_lo) || isnan(delta->ci_hi))
        return valuable ? LB_RUNG_VALUABLE_NO_INTERVAL : LB_RUNG_BELOW_NO_INTERVAL;
    if (delta->ci_lo > threshold && delta->ci_lo > 0.0)
        return LB_RUNG_ROBUST;
    if (delta->ci_lo > 0.0)
        return valuable ? LB_RUNG_VALUABLE : LB_RUNG_SIGNIFICANT;
    if (valuable)
        return LB_RUNG_VALUABLE_ONLY;
    return delta->ci_hi < 0.0 ? LB_RUNG_WORSE : LB_RUNG_NOISE;
}

const char *lb_rung_word(lb_rung rung)
{
    switch (rung) {
    case LB_RUNG_NOT_JUDGED:
        return "not judged";
    case LB_RUNG_NA:
        return "n/a";
    case LB_RUNG_WORSE:
        return "worse";
    case LB_RUNG_NOISE:
        return "not distinguishable from 0";
    case LB_RUNG_BELOW_NO_INTERVAL:
        return "below the threshold, no interval";
    case LB_RUNG_VALUABLE_NO_INTERVAL:
        return "valuable, no interval";
    case LB_RUNG_VALUABLE_ONLY:
        return "valuable, not significant";
    case LB_RUNG_SIGNIFICANT:
        return "significant";
    case LB_RUNG_VALUABLE:
        return "valuable, significant";
    case LB_RUNG_ROBUST:
        return "robust";
    }
    return "not judged";
}
