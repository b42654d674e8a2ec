/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/anova.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

/* By hand: means 2, 5 and 8 about 5; between 3 * (9 + 0 + 9) = 54, within 6 * 1 = 6. */
static const double values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
static const int classes[] = {0, 0, 0, 1, 1, 1, 2, 2, 2};

Test(anova, agrees_with_the_sums_by_hand)
{
    lb_anova a;
    cr_assert(eq(int, lb_anova_of((lb_cvec){values, 9}, 1, classes, 3, &a, NULL), LB_OK));
    cr_expect(epsilon_eq(dbl, a.f, (54.0 / 2.0) / (6.0 / 6.0), 1e-12));
    cr_expect(epsilon_eq(dbl, a.share, 0.9, 1e-12));
    cr_expect(eq(sz, a.n, 9));
}

Test(anova, f_grows_with_the_rows_and_the_share_does_not)
{
    enum { COPIES = 7 };
    double x[9 * COPIES];
    int k[9 * COPIES];
    lb_anova one, many;
    for (int i = 0; i < 9 * COPIES; i++) {
        x[i] = values[i % 9];
        k[i] = classes[i % 9];
    }
    lb_anova_of((lb_cvec){values, 9}, 1, classes, 3, &one, NULL);
    lb_anova_of((lb_cvec){x, 9 * COPIES}, 1, k, 3, &many, NULL);
    cr_expect(epsilon_eq(dbl, many.share, one.share, 1e-12));
    cr_expect(gt(dbl, many.f, 6.0 * one.f));
}

Test(anova, rows_without_a_class_and_classes_without_rows_do_not_count)
{
    const double x[] = {1, 9, 2, 3, 9,
                        4, 5, 9, 6}; /* every second value of a table of two columns */
    const int k[] = {0, 0, -1, 4, 4};
    lb_anova a;
    cr_assert(eq(int, lb_anova_of((lb_cvec){x, 5}, 2, k, 5, &a, NULL), LB_OK));
    cr_expect(eq(sz, a.n, 4));
    cr_expect(eq(sz, a.classes, 2));
    cr_expect(epsilon_eq(dbl, a.share, 16.0 / 17.0, 1e-12));
}

/* Not a matter of rounding: 0.1 has no exact mean, and all the same it is one value. */
Test(anova, a_constant_is_refused_and_classes_without_spread_have_an_infinite_f)
{
    double same[12], steps[12], huge[12];
    int k[12];
    lb_anova a;
    for (int i = 0; i < 12; i++) {
        k[i] = i % 3;
        same[i] = 0.1;
        steps[i] = 0.1 * (1 + k[i]);
        huge[i] = i % 2 ? 1e200 : -1e200;
    }
    for (size_t n = 4; n <= 12; n++)
        cr_expect(eq(int, lb_anova_of((lb_cvec){same, n}, 1, k, 3, &a, NULL), LB_ENUMERIC));
    cr_assert(eq(int, lb_anova_of((lb_cvec){steps, 12}, 1, k, 3, &a, NULL), LB_OK));
    cr_expect(isinf(a.f));
    cr_expect(eq(dbl, a.share, 1.0));
    cr_expect(eq(int, lb_anova_of((lb_cvec){huge, 12}, 1, k, 3, &a, NULL), LB_ENUMERIC));
}

Test(anova, says_what_it_cannot_do)
{
    const double x[] = {1, 2, NAN, 3}, same[] = {7, 7, 7, 7};
    const int k[] = {0, 1, 0, 1}, far[] = {0, 1, 2, 1}, one[] = {0, 0, 0, 0}, out[] = {0, 1, -1, 1};
    const int below[] = {0, 1, -2, 1};
    lb_anova a;
    lb_error err = {0};
    cr_expect(eq(int, lb_anova_of((lb_cvec){x, 4}, 1, k, 2, &a, &err), LB_ENUMERIC));
    cr_expect(eq(int, lb_anova_of((lb_cvec){same, 4}, 1, k, 2, &a, NULL), LB_ENUMERIC));
    cr_expect(eq(int, lb_anova_of((lb_cvec){same, 4}, 1, far, 2, &a, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_anova_of((lb_cvec){same, 4}, 1, below, 2, &a, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_anova_of((lb_cvec){same, 4}, 1, one, 2, &a, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_anova_of((lb_cvec){x, 2}, 1, k, 2, &a, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_anova_of((lb_cvec){x, 4}, 1, out, 2, &a, NULL), LB_OK));
}
