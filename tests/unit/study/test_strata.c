/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/strata.h"
#include "study/world.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

typedef struct scene {
    lb_study s;
    lb_error err;
    lb_by_row mh;
} scene;

static void scene_open(scene *t)
{
    *t = (scene){0};
    world_study_open(&t->s, &t->err);
    t->mh = (lb_by_row){t->s.data.train.mh, t->s.data.val.mh, t->s.data.test.mh};
}

static void scene_close(scene *t)
{
    world_study_close(&t->s);
}

Test(strata, every_row_has_a_layer_and_the_counts_say_which)
{
    scene t;
    lb_strata q;
    scene_open(&t);
    lb_strata_quantiles(&t.s, &t.s.data, "K = 4", t.mh, 4, 0, true, &q);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(eq(sz, q.domains.n, q.bins.n));
    cr_expect(q.domains.oracle && !q.any_merged, "nothing to merge");
    size_t train = 0, test = 0;
    for (size_t e = 0; e < q.bins.n; e++) {
        cr_expect(eq(sz, q.n_train[e], lb_domains_count(q.domains.train, N_TRAIN, e)));
        cr_expect(eq(sz, q.n_test[e], lb_domains_count(q.domains.test, N_TEST, e)));
        cr_expect(not(q.merged[e]));
        train += q.n_train[e];
        test += q.n_test[e];
    }
    cr_expect(eq(sz, train, N_TRAIN));
    cr_expect(eq(sz, test, N_TEST));
    int *again = lb_strata_deal(&q, (lb_cvec){t.s.data.val.mh, N_VAL});
    for (size_t i = 0; i < N_VAL; i++)
        cr_expect(eq(int, again[i], q.domains.val[i]));
    free(again);
    lb_strata_free(&q);
    scene_close(&t);
}

Test(strata, a_layer_with_too_few_test_rows_joins_its_neighbour)
{
    scene t;
    lb_strata q;
    scene_open(&t);
    lb_strata_quantiles(&t.s, &t.s.data, "K = 6", t.mh, 6, 40, true, &q);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(lt(sz, q.bins.n, 6));
    cr_expect(q.any_merged && q.merges.length > 0, "the log says so");
    bool marked = false;
    for (size_t e = 0; e < q.bins.n; e++) {
        cr_expect(ge(sz, q.n_test[e], 40));
        marked = marked || q.merged[e];
    }
    cr_expect(marked, "a joined layer is marked");
    lb_strata_free(&q);
    scene_close(&t);
}

Test(strata, by_hand_a_value_on_an_edge_belongs_above_it)
{
    scene t;
    lb_strata q;
    const double edges[] = {-1.0, 0.0}, values[] = {-7.0, -1.0, -0.5, 0.0, 7.0};
    const int expected[] = {0, 1, 1, 2, 2};
    scene_open(&t);
    lb_strata_at(&t.s, &t.s.data, "hand", t.mh, edges, 2, false, &q);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(eq(sz, q.domains.n, 3));
    cr_expect(not(q.domains.oracle));
    int *layer = lb_strata_deal(&q, (lb_cvec){values, 5});
    for (size_t i = 0; i < 5; i++)
        cr_expect(eq(int, layer[i], expected[i]));
    free(layer);
    lb_strata_free(&q);
    scene_close(&t);
}

Test(strata, wrong_edges_stop_the_study)
{
    scene t;
    lb_strata q;
    const double edges[] = {0.0, -1.0};
    scene_open(&t);
    lb_strata_at(&t.s, &t.s.data, "hand", t.mh, edges, 2, false, &q);
    cr_expect(eq(int, t.s.status, LB_EINVAL));
    cr_expect(eq(ptr, q.domains.train, NULL));
    lb_strata_quantiles(&t.s, &t.s.data, "late", t.mh, 2, 0, true, &q);
    cr_expect(eq(ptr, q.domains.train, NULL));
    lb_strata_free(&q);
    scene_close(&t);
}

Test(strata, no_layer_at_all_stops_the_study)
{
    scene t;
    lb_strata q;
    scene_open(&t);
    lb_strata_quantiles(&t.s, &t.s.data, "none", t.mh, 0, 0, true, &q);
    cr_expect(eq(int, t.s.status, LB_EINVAL));
    cr_expect(eq(ptr, q.domains.train, NULL));
    scene_close(&t);
}
