/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/suspicion.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

static lb_number r2(double value, size_t n)
{
    lb_number x = lb_number_plain(value, "r2", "");
    x.n = n;
    return x;
}

Test(suspicion, weighs_bins_by_their_rows)
{
    const lb_number pooled = r2(0.87, 400), bins[] = {r2(0.9, 300), r2(0.8, 100)};
    lb_suspicion s;
    cr_assert(eq(int, lb_suspicion_check(&pooled, bins, 2, &s, NULL), LB_OK));
    cr_expect(epsilon_eq(dbl, s.weighted.value, 0.875, 1e-15));
    cr_expect(epsilon_eq(dbl, s.gap, 0.005, 1e-15));
    cr_expect(not(s.suspicious));
    cr_expect(eq(sz, s.rows_in_bins, 400));
}

Test(suspicion, warns_of_a_gap_above_the_limit_in_either_direction)
{
    const lb_number bins[] = {r2(0.9, 300), r2(0.8, 100)};
    const double pooled[] = {0.8549, 0.8551, 0.8949, 0.8951};
    const bool expected[] = {true, false, false, true};
    for (int i = 0; i < 4; i++) {
        const lb_number p = r2(pooled[i], 400);
        lb_suspicion s;
        cr_assert(eq(int, lb_suspicion_check(&p, bins, 2, &s, NULL), LB_OK));
        cr_expect(s.suspicious == expected[i], "%s", s.text);
        cr_expect(expected[i] == (strstr(s.text, "suspicion") != NULL), "%s", s.text);
    }
}

/* The mix-up itself: bins of 816 rows beside a pooled score of 1,000. */
Test(suspicion, rows_that_do_not_add_up_are_proof)
{
    const lb_number pooled = r2(0.9, 1000), bins[] = {r2(0.9, 416), r2(0.9, 400)};
    lb_suspicion s;
    cr_assert(eq(int, lb_suspicion_check(&pooled, bins, 2, &s, NULL), LB_OK));
    cr_expect(s.rows_differ && s.suspicious);
    cr_expect(strstr(s.text, "816") && strstr(s.text, "1000"), "%s", s.text);
}

Test(suspicion, bins_scored_by_an_oracle_make_an_oracle_s_mean)
{
    lb_number bins[] = {r2(0.9, 300), r2(0.8, 100)};
    const lb_number pooled = r2(0.87, 400);
    lb_suspicion s;
    cr_assert(eq(int, lb_suspicion_check(&pooled, bins, 2, &s, NULL), LB_OK));
    cr_expect(not(s.weighted.oracle));
    bins[1].oracle = true;
    cr_assert(eq(int, lb_suspicion_check(&pooled, bins, 2, &s, NULL), LB_OK));
    cr_expect(s.weighted.oracle);
}

Test(suspicion, bins_without_a_score_are_left_out_and_counted)
{
    lb_number bins[] = {r2(0.9, 99), lb_number_na("r2", "n/a (n<2)")};
    bins[1].n = 1;
    const lb_number pooled = r2(0.9, 100);
    lb_suspicion s;
    cr_assert(eq(int, lb_suspicion_check(&pooled, bins, 2, &s, NULL), LB_OK));
    cr_expect(eq(sz, s.bins_left_out, 1));
    cr_expect(epsilon_eq(dbl, s.weighted.value, 0.9, 1e-15));
    cr_expect(not(s.suspicious));
    const lb_number one = r2(0.9, 1);
    cr_assert(eq(int, lb_suspicion_check(&one, &bins[1], 1, &s, NULL), LB_OK));
    cr_expect(isnan(s.gap) && s.weighted.na[0] && !s.suspicious, "%s", s.text);
}

Test(suspicion, only_r2_can_be_checked)
{
    const lb_number mae = lb_number_plain(0.3, "mae", "dex"), ok = r2(0.9, 3);
    lb_suspicion s;
    cr_expect(eq(int, lb_suspicion_check(&mae, &ok, 1, &s, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_suspicion_check(&ok, &mae, 1, &s, NULL), LB_EINVAL));
}
