/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/number.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

static int decimals(double se, double lo, double hi, int digits)
{
    lb_number x = lb_number_plain(0.05, "delta_r2", "");
    x.se = se;
    x.ci_lo = lo;
    x.ci_hi = hi;
    x.digits = digits;
    return lb_number_decimals(&x);
}

Test(number, shows_two_significant_digits_of_the_standard_error)
{
    const double none = (double)NAN;
    cr_expect(eq(int, decimals(0.0087, none, none, -1), 4));
    cr_expect(eq(int, decimals(0.012, none, none, -1), 3));
    cr_expect(eq(int, decimals(0.1, none, none, -1), 2));
    cr_expect(eq(int, decimals(0.0999, none, none, -1), 3));
    cr_expect(eq(int, decimals(3.4, none, none, -1), 1));
    cr_expect(eq(int, decimals(140.0, none, none, -1), 0), "never negative");
    cr_expect(eq(int, decimals(1e-12, none, none, -1), 6), "never more than six");
}

Test(number, takes_a_quarter_of_the_interval_when_there_is_no_standard_error)
{
    const double none = (double)NAN;
    cr_expect(eq(int, decimals(none, 0.0329, 0.0674, -1), 4));
    cr_expect(eq(int, decimals(none, 0.1, 0.5, -1), 2));
}

Test(number, asked_digits_are_a_ceiling_not_a_wish)
{
    const double none = (double)NAN;
    cr_expect(eq(int, decimals(0.0087, none, none, 2), 2));
    cr_expect(eq(int, decimals(0.0087, none, none, 6), 4));
    cr_expect(eq(int, decimals(none, none, none, 6), 6), "no uncertainty, no ceiling");
    cr_expect(eq(int, decimals(none, none, none, -1), 4));
    cr_expect(eq(int, decimals(0.0, none, none, -1), 4), "a zero error supports nothing");
    cr_expect(eq(int, decimals((double)INFINITY, 0.1, 0.5, -1), 2));
}

Test(number, makers_leave_nothing_undefined)
{
    const lb_number plain = lb_number_plain(2.17, "rmse", "dex"), n = lb_number_count(816);
    cr_expect(eq(dbl, plain.value, 2.17));
    cr_expect(isnan(plain.ci_lo) && isnan(plain.ci_hi) && isnan(plain.se) && isnan(plain.p_above));
    cr_expect(eq(str, (char *)plain.unit, "dex"));
    cr_expect(eq(str, (char *)plain.rows, ""));
    cr_expect(eq(int, plain.digits, -1));
    cr_expect(eq(dbl, n.value, 816.0));
    cr_expect(eq(int, lb_number_decimals(&n), 0));
    cr_expect(eq(str, (char *)n.kind, "count"));
}

Test(number, not_available_says_why)
{
    const lb_number x = lb_number_na("r2", "n/a (n<10)");
    cr_expect(isnan(x.value));
    cr_expect(eq(str, (char *)x.na, "n/a (n<10)"));
    char longer[200];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    const lb_number cut = lb_number_na(longer, longer);
    cr_expect(eq(sz, strlen(cut.na), sizeof cut.na - 1));
    cr_expect(eq(sz, strlen(cut.kind), sizeof cut.kind - 1));
}
