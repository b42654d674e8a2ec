/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/quantile.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

/* numpy.quantile([1, 2, 4, 8, 16], q), NumPy 1.24, method "linear". */
Test(quantile, is_the_linear_definition_of_numpy)
{
    const double x[] = {1, 2, 4, 8, 16};
    const double q[] = {0.0, 0.025, 0.1, 0.25, 0.5, 0.6, 0.975, 1.0};
    const double expected[] = {1.0, 1.1, 1.4, 2.0, 4.0, 5.6, 15.2, 16.0};
    for (int i = 0; i < 8; i++)
        cr_expect(epsilon_eq(dbl, lb_quantile(x, 5, q[i]), expected[i], 1e-14), "q = %g", q[i]);
}

Test(quantile, of_one_value_is_the_value_and_of_none_is_nan)
{
    const double x = 2.17;
    cr_expect(eq(dbl, lb_quantile(&x, 1, 0.975), 2.17));
    cr_expect(isnan(lb_quantile(&x, 0, 0.5)));
}

/* Interpolating between equal neighbours must not leave them. */
Test(quantile, stays_between_its_neighbours)
{
    const double x[] = {0.1, 0.1, 0.30000000000000004, 0.30000000000000004};
    for (double q = 0.0; q <= 1.0; q += 0.01) {
        const double v = lb_quantile(x, 4, q);
        cr_expect(v >= x[0] && v <= x[3]);
    }
    cr_expect(eq(dbl, lb_quantile(x, 4, 0.2), 0.1));
}

Test(quantile, sort_orders_and_takes_nothing)
{
    double x[] = {3, -1, 2.17, -1};
    lb_sort(x, 4);
    cr_expect(x[0] == -1 && x[1] == -1 && x[2] == 2.17 && x[3] == 3);
    lb_sort(x, 0);
    lb_sort(NULL, 0);
}

Test(quantile, moments_by_hand)
{
    const double x[] = {1, 2, 4, 5};
    cr_expect(eq(dbl, lb_mean(x, 4), 3.0));
    cr_expect(epsilon_eq(dbl, lb_std(x, 4, 0), sqrt(2.5), 1e-15));
    cr_expect(epsilon_eq(dbl, lb_std(x, 4, 1), sqrt(10.0 / 3.0), 1e-15));
    cr_expect(isnan(lb_mean(x, 0)));
    cr_expect(isnan(lb_std(x, 1, 1)));
    cr_expect(eq(dbl, lb_std(x, 1, 0), 0.0));
}
