/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/seeds.h"

#include "stats/rowset.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

static lb_rowset *rows;

static void setup(void)
{
    rows = lb_rowset_all("covered", "d", 816);
}

static void teardown(void)
{
    lb_rowset_free(rows);
}

TestSuite(seeds, .init = setup, .fini = teardown);

static lb_number gain(double value, uint64_t seed)
{
    lb_number x = lb_number_plain(value, "delta_r2", "");
    strcpy(x.rows, lb_rowset_hash(rows));
    x.n = 816;
    x.seed = seed;
    x.ci_lo = x.value - 0.01;
    x.ci_hi = x.value + 0.01;
    x.boot_mean = x.value;
    x.p_positive = x.p_above = 1.0;
    return x;
}

/* The five published seeds: mean 0.0445, std 0.0064 (ddof 0), band 0.0320 to 0.0571, 14 %. */
Test(seeds, reproduces_the_published_five_seed_summary)
{
    const lb_number v[] = {gain(0.0500, 42), gain(0.0533, 123), gain(0.0415, 456),
                           gain(0.0425, 789), gain(0.0354, 1024)};
    lb_seed_summary s;
    cr_assert(eq(int, lb_seeds_summarise(v, 5, 0.03, &s, NULL), LB_OK));
    cr_expect(epsilon_eq(dbl, s.mean.value, 0.04454, 1e-12));
    cr_expect(epsilon_eq(dbl, s.std_pop.value, 0.0064, 5e-5));
    cr_expect(epsilon_eq(dbl, s.std_sample.value, s.std_pop.value * sqrt(5.0 / 4.0), 1e-15));
    cr_expect(epsilon_eq(dbl, s.relative.value, 0.144, 1e-3));
    cr_expect(epsilon_eq(dbl, s.spread_lo.value, 0.0320, 1e-4));
    cr_expect(epsilon_eq(dbl, s.spread_hi.value, 0.0571, 1e-4));
    cr_expect(eq(dbl, s.lowest.value, 0.0354));
    cr_expect(s.all_above);
    cr_expect(eq(sz, s.above, 5));
    cr_expect(eq(str, s.mean.kind, "delta_r2"));
    cr_expect(eq(str, s.spread_lo.kind, "seed_spread"));
    cr_expect(eq(str, s.mean.rows, (char *)lb_rowset_hash(rows)));
    cr_expect(isnan(s.mean.ci_lo), "the spread is not an interval of the mean");
    cr_expect(isnan(s.mean.boot_mean) && isnan(s.mean.p_positive) && isnan(s.mean.p_above));
    cr_expect(isnan(s.lowest.boot_mean), "and the lowest has lost its own");
}

Test(seeds, a_value_on_the_threshold_is_not_above_it)
{
    const lb_number v[] = {gain(0.03, 1), gain(0.04, 2)};
    lb_seed_summary s;
    cr_assert(eq(int, lb_seeds_summarise(v, 2, 0.03, &s, NULL), LB_OK));
    cr_expect(eq(sz, s.above, 1));
    cr_expect(not(s.all_above));
}

Test(seeds, one_seed_and_a_zero_mean_have_no_spread_to_divide)
{
    const lb_number one = gain(0.05, 42), two[] = {gain(0.01, 1), gain(-0.01, 2)};
    lb_seed_summary s;
    cr_assert(eq(int, lb_seeds_summarise(&one, 1, 0.03, &s, NULL), LB_OK));
    cr_expect(eq(str, s.std_sample.na, "n/a (one seed)"));
    cr_expect(eq(dbl, s.std_pop.value, 0.0));
    cr_assert(eq(int, lb_seeds_summarise(two, 2, 0.03, &s, NULL), LB_OK));
    cr_expect(eq(str, s.relative.na, "n/a (the mean is 0)"));
}

Test(seeds, one_oracle_makes_the_summary_an_oracles)
{
    for (size_t at = 0; at < 3; at++) {
        lb_number v[] = {gain(0.05, 1), gain(0.04, 2)};
        lb_seed_summary s;
        if (at < 2)
            v[at].oracle = true;
        cr_assert(eq(int, lb_seeds_summarise(v, 2, 0, &s, NULL), LB_OK));
        cr_expect(eq(int, s.mean.oracle &&s.lowest.oracle &&s.std_sample.oracle, at < 2));
        cr_expect(eq(int, s.mean.oracle || s.lowest.oracle || s.std_sample.oracle, at < 2));
    }
}

Test(seeds, refuses_other_rows_other_kinds_and_missing_values)
{
    lb_seed_summary s;
    lb_error err = {0};
    lb_rowset *all = lb_rowset_all("all", "d", 1000);
    lb_number v[] = {gain(0.05, 1), gain(0.04, 2)};
    cr_expect(eq(int, lb_seeds_summarise(v, 0, 0, &s, NULL), LB_EINVAL));
    strcpy(v[1].rows, lb_rowset_hash(all));
    v[1].n = 1000;
    cr_expect(eq(int, lb_seeds_summarise(v, 2, 0, &s, &err), LB_EROWS));
    cr_expect(strstr(err.text, "'covered' (816") && strstr(err.text, "'all' (1000"), "%s",
              err.text);
    v[1] = gain(0.04, 2);
    strcpy(v[1].kind, "r2");
    cr_expect(eq(int, lb_seeds_summarise(v, 2, 0, &s, NULL), LB_EINVAL));
    v[1] = gain(0.04, 2);
    strcpy(v[1].unit, "dex");
    cr_expect(eq(int, lb_seeds_summarise(v, 2, 0, &s, NULL), LB_EINVAL));
    v[1] = gain((double)NAN, 2);
    cr_expect(eq(int, lb_seeds_summarise(v, 2, 0, &s, NULL), LB_ENUMERIC));
    v[1] = gain(0.04, 2);
    strcpy(v[1].na, "n/a (n<2)");
    cr_expect(eq(int, lb_seeds_summarise(v, 2, 0, &s, NULL), LB_ENUMERIC));
    lb_rowset_free(all);
}
