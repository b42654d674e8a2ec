/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "study/by_bin.h"
#include "study/moe.h"
#include "study/world.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct scene {
    lb_study s;
    lb_error err;
    lb_domains bins;
    lb_moe moe;
    lb_bin_entry entry[2];
    lb_bin_scores out[LB_BINS_MAX];
} scene;

static void scene_open(scene *t, lb_spec *spec)
{
    const world w = world_make();
    *t = (scene){.s = {.id = "e90", .profile = "toy", .spec = spec}};
    t->s.err = &t->err;
    cr_assert(eq(int, lb_cohort_open(w.dir, "", spec, &t->s.data, &t->err), LB_OK), "%s",
              t->err.text);
    t->s.record = lb_record_new("e90", spec);
    t->bins = lb_domains_bins(&t->s.data);
    lb_moe_fit(&t->s, &t->s.data, 0.5, lb_noise_seeds_of(spec), &t->bins, 1, &t->moe);
    t->entry[0] = (lb_bin_entry){{"global", t->moe.global.yhat_chosen, false}, "global", NULL};
    t->entry[1] = (lb_bin_entry){{"nine", t->moe.mixture[0], true}, "nine", "dr2"};
    cr_assert(lb_study_ok(&t->s), "%s", t->err.text);
}

static void scene_close(scene *t)
{
    lb_moe_free(&t->moe);
    lb_domains_free(&t->bins);
    world_study_close(&t->s);
}

Test(by_bin, compares_models_on_the_rows_of_each_bin)
{
    scene t;
    scene_open(&t, world_nine());
    const lb_cohort *c = &t.s.data;
    const lb_entry entries[] = {t.entry[0].entry, t.entry[1].entry};
    lb_by_bin(&t.s, c, "small.", t.entry, 2, t.out);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    size_t rows = 0;
    for (size_t k = 0; k < c->n_bins; k++) {
        lb_contest *own = lb_contest_on(&t.s, c, c->in_bin[k], entries, 2);
        cr_expect(eq(dbl, t.out[k].r2[1].value, lb_contest_r2(own, 1).value));
        cr_expect(eq(dbl, t.out[k].delta[1].value, lb_contest_delta(own, 1, 0).value));
        cr_expect(t.out[k].delta[1].oracle && !t.out[k].r2[0].oracle);
        cr_expect(isnan(t.out[k].delta[0].value), "a reference has no difference to itself");
        lb_contest_free(own);
        rows += t.out[k].n;
    }
    cr_expect(eq(sz, rows, lb_rowset_size(c->covered)));
    cr_expect(eq(str, t.out[3].key, "bin3_mid_poor"));
    cr_expect(eq(str, t.out[8].name, "Hot Metal-rich"));
    lb_by_bin(&t.s, c, "small.", t.entry, 2, t.out);
    cr_expect(eq(int, lb_record_status(t.s.record), LB_ENAME), "the keys were there before");
    scene_close(&t);
}

Test(by_bin, a_bin_that_another_serves_has_no_score)
{
    scene t;
    scene_open(&t, world_spec("3750, 3900, 6000", "-2, 0.5", 100));
    const lb_cohort *c = &t.s.data;
    lb_by_bin(&t.s, c, "", t.entry, 2, t.out);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_assert(eq(int, c->merged_to[0], 1), "a thin bin");
    cr_expect(eq(str, t.out[0].r2[1].na, "n/a (merged)"));
    cr_expect(isfinite(t.out[1].delta[1].value));
    cr_expect(eq(str, t.out[1].key, "bin1"));
    scene_close(&t);
}

Test(by_bin, what_was_not_run_has_the_same_keys)
{
    scene t;
    scene_open(&t, world_nine());
    lb_by_bin_na(&t.s, &t.s.data, "", t.entry, 2, "not run");
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    lb_study_put(&t.s, lb_number_count(1), "perbin.dr2.bin8_hot_rich");
    cr_expect(eq(int, lb_record_status(t.s.record), LB_ENAME));
    scene_close(&t);
}
