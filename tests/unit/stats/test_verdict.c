/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/verdict.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

static lb_number delta(double value, double lo, double hi)
{
    lb_number x = lb_number_plain(value, "delta_r2", "");
    x.ci_lo = lo;
    x.ci_hi = hi;
    return x;
}

static char *word(lb_number x)
{
    return (char *)lb_rung_word(lb_ladder(&x, 0.03));
}

Test(verdict, ladder_of_the_published_gains)
{
    cr_expect(eq(str, word(delta(0.0500, 0.0329, 0.0674)), "robust"));
    cr_expect(eq(str, word(delta(0.0410, 0.0269, 0.0552)), "valuable, significant"));
    cr_expect(eq(str, word(delta(0.0214, 0.0050, 0.0400)), "significant"));
    cr_expect(eq(str, word(delta(0.0344, -0.001, 0.0700)), "valuable, not significant"));
    cr_expect(eq(str, word(delta(0.0037, -0.013, 0.0200)), "not distinguishable from 0"));
    cr_expect(eq(str, word(delta(-0.0534, -0.07, -0.030)), "worse"));
}

/* valuable is >=, the other two are strict; comparisons use unrounded numbers. */
Test(verdict, thresholds_are_compared_unrounded_and_as_written)
{
    cr_expect(eq(str, word(delta(0.03, 0.001, 0.06)), "valuable, significant"));
    cr_expect(eq(str, word(delta(0.029999, 0.001, 0.06)), "significant"));
    cr_expect(eq(str, word(delta(0.05, 0.03, 0.07)), "valuable, significant"));
    cr_expect(eq(str, word(delta(0.05, 0.030001, 0.07)), "robust"));
    cr_expect(eq(str, word(delta(0.02, 0.0, 0.04)), "not distinguishable from 0"));
    cr_expect(eq(str, word(delta(-0.02, -0.04, 0.0)), "not distinguishable from 0"));
}

Test(verdict, says_when_there_is_nothing_to_judge)
{
    lb_number x = lb_number_na("delta_r2", "n/a (n<2)");
    cr_expect(eq(str, word(x), "n/a"));
    cr_expect(eq(str, word(delta(0.05, (double)NAN, (double)NAN)), "valuable, no interval"));
    cr_expect(
        eq(str, word(delta(0.02, (double)NAN, (double)NAN)), "below the threshold, no interval"));
    x = delta(0.0782, 0.06, 0.09);
    strcpy(x.kind, "delta_r2_unaligned");
    cr_expect(eq(str, word(x), "not judged"));
}
