/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/number.h"

#include <math.h>
#include <stdio.h>

lb_number lb_number_plain(double value, const char *kind, const char *unit)
{
    lb_number x = {.value = value,
                   .ci_lo = NAN,
                   .ci_hi = NAN,
                   .se = NAN,
                   .p_above = NAN,
                   .boot_mean = NAN,
                   .p_positive = NAN,
                   .digits = -1};
    snprintf(x.kind, sizeof x.kind, "%s", kind);
    snprintf(x.unit, sizeof x.unit, "%s", unit);
    return x;
}

lb_number lb_number_count(size_t n)
{
    lb_number x = lb_number_plain((double)n, "count", "");
    x.digits = 0;
    return x;
}

lb_number lb_number_na(const char *kind, const char *reason)
{
    lb_number x = lb_number_plain(NAN, kind, "");
    snprintf(x.na, sizeof x.na, "%s", reason);
    return x;
}

lb_number lb_number_boot_mean(const lb_number *difference)
{
    lb_number x = *difference;
    x.value = x.boot_mean;
    x.ci_lo = x.ci_hi = x.p_above = x.boot_mean = x.p_positive = NAN;
    return x;
}

int lb_number_decimals(const lb_number *x)
{
    const int wanted = x->digits >= 0 ? x->digits : 4;
    double se = x->se;
    if (!isfinite(se))
        se = (x->ci_hi - x->ci_lo) / 4.0; /* a 95 % interval spans about four standard errors */
    if (!isfinite(se) || se <= 0.0)
        return wanted;
    int supported = 1 - (int)floor(log10(se));
    if (supported < 0)
        supported = 0;
    if (supported > 6)
        supported = 6;
    return x->digits >= 0 && x->digits < supported ? x->digits : supported;
}
