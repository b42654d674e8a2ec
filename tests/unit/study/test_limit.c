/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/limit.h"

#include "study/world.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

typedef struct scene {
    lb_study s;
    lb_error err;
} scene;

static void scene_open(scene *t)
{
    *t = (scene){0};
    world_study_open(&t->s, &t->err);
}

static void scene_close(scene *t)
{
    world_study_close(&t->s);
}

Test(limit, knowing_the_range_of_the_labels_never_hurts)
{
    scene t;
    lb_limit l;
    scene_open(&t);
    lb_limit_make(&t.s, &t.s.data, 1.0, &l);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_assert(eq(sz, l.n, t.s.data.test.n));
    cr_assert(gt(sz, l.n_inside, l.n / 2));
    for (size_t i = 0; i < l.n; i++) {
        if (!l.inside[i]) {
            cr_assert(isnan(l.posterior[i]) && isnan(l.snr_pixel[i]), "row %zu", i);
            continue;
        }
        cr_assert(l.posterior[i] > 0.0 && l.posterior[i] <= l.unbiased[i].crlb, "row %zu", i);
        cr_assert(l.snr_pixel[i] > 0.0);
    }
    lb_limit_free(&l);
    scene_close(&t);
}

Test(limit, twice_the_noise_is_four_times_the_variance_and_half_the_signal)
{
    scene t;
    lb_limit one, two;
    scene_open(&t);
    lb_limit_make(&t.s, &t.s.data, 1.0, &one);
    lb_limit_make(&t.s, &t.s.data, 2.0, &two);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    for (size_t i = 0; i < one.n; i++) {
        if (!one.inside[i])
            continue;
        cr_assert(epsilon_eq(dbl, two.unbiased[i].crlb / one.unbiased[i].crlb, 4.0, 1e-9));
        cr_assert(epsilon_eq(dbl, two.snr_pixel[i] / one.snr_pixel[i], 0.5, 1e-12));
        cr_assert(ge(dbl, two.posterior[i], one.posterior[i]));
    }
    lb_limit_free(&one);
    lb_limit_free(&two);
    scene_close(&t);
}

Test(limit, strata_hold_every_star_of_the_box_once_and_their_shares_are_shares)
{
    scene t;
    lb_limit l;
    scene_open(&t);
    lb_limit_make(&t.s, &t.s.data, 1.0, &l);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    double lo = INFINITY, hi = 0.0;
    for (size_t i = 0; i < l.n; i++)
        if (l.inside[i]) {
            lo = fmin(lo, l.snr_pixel[i]);
            hi = fmax(hi, l.snr_pixel[i]);
        }
    const double middle = (lo + hi) / 2.0;
    lb_rowset *faint = lb_limit_stratum(&t.s.data, &l, "faint", 0.0, middle);
    lb_rowset *bright = lb_limit_stratum(&t.s.data, &l, "bright", middle, INFINITY);
    lb_rowset *all = lb_limit_stratum(&t.s.data, &l, "all", 0.0, INFINITY);
    cr_assert(eq(sz, lb_rowset_size(faint) + lb_rowset_size(bright), l.n_inside));
    cr_assert(eq(sz, lb_rowset_size(all), l.n_inside));
    lb_limit_share a;
    lb_limit_of(&t.s, &t.s.data, &l, all, &a);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(eq(sz, a.n, l.n_inside));
    cr_expect(a.prior > 0.0 && a.prior < 1.0, "%g", a.prior);
    cr_expect(a.each.r2_dataset <= a.prior, "a bound without a prior is no higher");
    cr_expect(a.snr_median >= lo && a.snr_median <= hi);
    lb_rowset_free(faint);
    lb_rowset_free(bright);
    lb_rowset_free(all);
    lb_limit_free(&l);
    scene_close(&t);
}

Test(limit, a_level_that_is_none_is_refused)
{
    scene t;
    lb_limit l;
    scene_open(&t);
    lb_limit_make(&t.s, &t.s.data, 0.0, &l);
    cr_expect(eq(int, t.s.status, LB_EINVAL));
    cr_expect(l.unbiased == NULL);
    lb_limit_free(&l);
    scene_close(&t);
}
