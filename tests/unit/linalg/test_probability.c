/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/probability.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

static lb_status check(const double *p, size_t rows, size_t cols, lb_error *err)
{
    return lb_probability_check((lb_cmat){p, rows, cols, cols}, err);
}

Test(probability, rows_that_sum_to_one_pass_within_the_slack)
{
    const double p[] = {0.25, 0.75, 1.0, 0.0, 0.5 + 0.9e-6, 0.5};
    cr_expect(eq(int, check(p, 3, 2, NULL), LB_OK));
    cr_expect(eq(int, check(p, 0, 2, NULL), LB_OK), "no row, no complaint");
}

Test(probability, says_which_row_is_no_distribution)
{
    const struct {
        double p[4];
        lb_status status;
        const char *words;
    } bad[] = {{{0.5, 0.5, 0.5 + 1.1e-6, 0.5}, LB_EINVAL, "row 1 sum to 1.0000011"},
               {{0.5, 0.5, 1.2, -0.2}, LB_EINVAL, "class 1 in row 1 is -0.2"},
               {{0.5, 0.5, NAN, 1.0}, LB_ENUMERIC, "class 0 in row 1 is nan"},
               {{INFINITY, 0.5, 0.5, 0.5}, LB_ENUMERIC, "class 0 in row 0 is inf"},
               {{0.0, 0.0, 0.5, 0.5}, LB_EINVAL, "row 0 sum to 0"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lb_error err = {0};
        cr_expect(eq(int, check(bad[i].p, 2, 2, &err), bad[i].status), "case %zu", i);
        cr_expect(strstr(err.text, bad[i].words) != NULL, "'%s' in: %s", bad[i].words, err.text);
    }
    cr_expect(eq(int, check(NULL, 0, 0, NULL), LB_EINVAL), "no class");
}

Test(probability, the_first_of_equal_classes_is_the_top_one)
{
    const double p[] = {0.25, 0.375, 0.375, 9.0, 0.5, 0.2, 0.3, 9.0}; /* stride 4 */
    const lb_cmat m = {p, 2, 3, 4};
    cr_expect(eq(sz, lb_probability_top(m, 0), 1));
    cr_expect(eq(sz, lb_probability_top(m, 1), 0));
}
