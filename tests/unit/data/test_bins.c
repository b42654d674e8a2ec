/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/bins.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int bin_of(const lb_bins *b, double teff, double mh)
{
    int k;
    lb_bins_assign(b, (lb_cvec){&teff, 1}, (lb_cvec){&mh, 1}, &k);
    return k;
}

Test(bins, partition_the_box)
{
    const lb_bins b = lb_bins_nine();
    size_t count[9] = {0};
    for (int i = 0; i < 225; i++)
        for (int j = 0; j < 250; j++) {
            const double teff = 3750.0 + 10.0 * i + 5.0, mh = -2.0 + 0.01 * j + 0.005;
            const int k = bin_of(&b, teff, mh);
            cr_assert(k >= 0 && k < 9);
            cr_assert(teff >= b.teff[k / 3] && teff <= b.teff[k / 3 + 1]);
            cr_assert(mh >= b.mh[k % 3] && mh <= b.mh[k % 3 + 1]);
            count[k]++;
        }
    cr_expect(eq(sz, count[0], 7500)); /* 75 x 100 */
    cr_expect(eq(sz, count[8], 3750));
}

Test(bins, a_lower_edge_belongs_to_its_bin_and_the_last_upper_edge_too)
{
    const lb_bins b = lb_bins_nine();
    cr_expect(eq(int, bin_of(&b, 3750, -2.0), 0));
    cr_expect(eq(int, bin_of(&b, 4500, -1.0), 4));
    cr_expect(eq(int, bin_of(&b, 5250, 0.0), 8));
    cr_expect(eq(int, bin_of(&b, 6000, 0.5), 8));
    cr_expect(eq(int, bin_of(&b, 6000.001, 0.5), -1));
    cr_expect(eq(int, bin_of(&b, 5000, -2.001), -1));
    cr_expect(eq(int, bin_of(&b, NAN, 0.0), -1));
    cr_expect(eq(int, bin_of(&b, 5000, NAN), -1));
}

Test(bins, the_seed_text_closes_the_middle_metallicity_bin)
{
    lb_bins b = lb_bins_nine();
    b.seed_text = true;
    cr_expect(eq(int, bin_of(&b, 4000, -1.0), 1));
    cr_expect(eq(int, bin_of(&b, 4000, 0.0), 1));
    cr_expect(eq(int, bin_of(&b, 4000, nextafter(0.0, 1.0)), 2));
    cr_expect(eq(int, bin_of(&b, 5250, -1.5), 6), "temperatures keep the rule");
}

Test(bins, rows_on_an_edge_are_counted_once)
{
    const lb_bins b = lb_bins_nine();
    const double teff[] = {4500, 4501, 3750, 5250, 5000}, mh[] = {-1.0, 0.25, 0.3, 0.2, 0.5};
    cr_expect(eq(sz, lb_bins_on_edge(&b, (lb_cvec){teff, 5}, (lb_cvec){mh, 5}), 4));
}

Test(bins, have_names)
{
    lb_bins b = lb_bins_nine();
    char name[32];
    lb_bins_name(&b, 0, name);
    cr_expect(eq(str, name, "Cool Metal-poor"));
    lb_bins_name(&b, 5, name);
    cr_expect(eq(str, name, "Mid Metal-rich"));
    b.n_teff = 1;
    lb_bins_name(&b, 2, name);
    cr_expect(eq(str, name, "T0 M2"));
}

Test(bins, edges_must_increase)
{
    const lb_bins good = lb_bins_nine();
    lb_bins b = good;
    lb_error err = {0};
    cr_expect(eq(int, lb_bins_check(&b, NULL), LB_OK));
    b.mh[1] = 0.1;
    cr_expect(eq(int, lb_bins_check(&b, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "edge 2 of the [M/H] bins is 0 after 0.1") != NULL, "%s", err.text);
    b = good;
    b.teff[2] = b.teff[1];
    cr_expect(eq(int, lb_bins_check(&b, NULL), LB_EINVAL), "an empty bin");
    b = good;
    b.teff[0] = NAN;
    cr_expect(eq(int, lb_bins_check(&b, NULL), LB_EINVAL));
    b = good;
    b.n_teff = 0;
    cr_expect(eq(int, lb_bins_check(&b, NULL), LB_EINVAL));
    b.n_teff = 8;
    cr_expect(eq(int, lb_bins_check(&b, NULL), LB_EINVAL));
    b = good;
    b.n_mh = 2;
    b.seed_text = true;
    cr_expect(eq(int, lb_bins_check(&b, NULL), LB_EINVAL));
}

static void merge(const size_t n_train[9], int to[9], char **log)
{
    const lb_bins b = lb_bins_nine();
    lb_text text = {0};
    cr_assert(lb_bins_merge(&b, n_train, 100, to, &text, NULL) == LB_OK);
    *log = lb_text_take(&text);
}

Test(bins, nothing_is_merged_above_the_minimum)
{
    int to[9];
    char *log;
    merge((const size_t[]){100, 200, 300, 400, 500, 600, 700, 800, 900}, to, &log);
    for (int k = 0; k < 9; k++)
        cr_expect(eq(int, to[k], k));
    cr_expect(eq(str, log, ""));
    free(log);
}

Test(bins, a_small_bin_joins_the_smaller_temperature_neighbour_of_its_column)
{
    int to[9];
    char *log;
    merge((const size_t[]){500, 200, 300, 400, 50, 600, 700, 150, 900}, to, &log);
    cr_expect(eq(int, to[4], 7), "150 rows against 200");
    cr_expect(eq(int, to[7], 7));
    cr_expect(strstr(log, "bin 4 (Mid Solar) has 50 training rows, below 100: merged along T_eff "
                          "with bin 7 (Hot Solar, 150 rows)") != NULL,
              "%s", log);
    free(log);
}

Test(bins, what_is_still_small_joins_across_metallicity)
{
    int to[9];
    char *log;
    merge((const size_t[]){500, 30, 300, 400, 0, 250, 700, 0, 900}, to, &log);
    cr_expect(eq(int, to[1], 2), "no temperature neighbour has rows; 300 against 500");
    cr_expect(eq(int, to[4], -1));
    cr_expect(eq(int, to[7], -1));
    cr_expect(strstr(log, "bin 4 (Mid Solar) has no training rows") != NULL);
    free(log);
    merge((const size_t[]){500, 30, 300, 400, 40, 250, 700, 120, 900}, to, &log);
    cr_expect(eq(int, to[1], 5), "30 + 40 along T_eff, then the smallest [M/H] neighbour of both");
    cr_expect(eq(int, to[4], 5));
    cr_expect(eq(int, to[7], 7));
    free(log);
}

Test(bins, a_lonely_bin_stays_and_says_so)
{
    int to[9];
    char *log;
    merge((const size_t[]){0, 0, 0, 0, 60, 0, 0, 0, 0}, to, &log);
    cr_expect(eq(int, to[4], 4));
    cr_expect(strstr(log, "stays at 60 training rows") != NULL);
    free(log);
}

Test(bins, merging_wants_good_bins)
{
    lb_bins b = lb_bins_nine();
    int to[9];
    lb_text log = {0};
    b.n_mh = 0;
    cr_expect(eq(int, lb_bins_merge(&b, (const size_t[9]){0}, 100, to, &log, NULL), LB_EINVAL));
}
