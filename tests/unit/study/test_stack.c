/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "study/stack.h"
#include "study/world.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { FEATURES = 2 };

typedef struct scene {
    lb_study s;
    lb_error err;
    lb_domains d;
    lb_held_out held;
    double *features; /* T_eff and [M/H] of the training rows, then of the test rows */
} scene;

static void scene_open(scene *t)
{
    *t = (scene){0};
    world_study_open(&t->s, &t->err);
    const lb_cohort *c = &t->s.data;
    t->d = lb_domains_mh(c);
    lb_hold_out(&t->s, c, &t->d, 4, 5, 42, &t->held);
    cr_assert(lb_study_ok(&t->s), "%s", t->err.text);
    t->features = lb_xcalloc((c->train.n + c->test.n) * FEATURES, sizeof(double));
    for (size_t i = 0; i < c->train.n + c->test.n; i++) {
        const bool train = i < c->train.n;
        const lb_side *side = train ? &c->train : &c->test;
        t->features[FEATURES * i] = side->teff[train ? i : i - c->train.n];
        t->features[FEATURES * i + 1] = side->mh[train ? i : i - c->train.n];
    }
}

static void scene_close(scene *t)
{
    free(t->features);
    lb_held_out_free(&t->held);
    lb_domains_free(&t->d);
    world_study_close(&t->s);
}

Test(hold_out, a_row_trains_an_expert_or_the_gate_and_never_both)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    const lb_held_out *h = &t.held;
    size_t aside = 0;
    for (size_t i = 0; i < c->train.n; i++) {
        const int e = h->experts.train[i], g = h->gate.train[i];
        cr_assert(e < 0 || g < 0, "row %zu", i);
        cr_assert(eq(int, e < 0 ? g : e, t.d.train[i]), "row %zu keeps its expert", i);
        aside += g >= 0;
    }
    cr_expect(eq(sz, h->n, aside));
    for (size_t i = 0; i < h->n; i++) {
        cr_assert(ge(int, h->gate.train[h->rows[i]], 0), "a row put aside");
        cr_assert(i == 0 || i == h->n_fit || h->rows[i] > h->rows[i - 1], "ascending");
    }
    for (size_t i = h->n_fit; i < h->n; i++)
        for (size_t j = 0; j < h->n_fit; j++)
            cr_assert(ne(sz, h->rows[i], h->rows[j]), "learned from and stopped on");
    for (size_t i = 0; i < c->test.n; i++)
        cr_assert(eq(int, h->experts.test[i], t.d.test[i]));
    scene_close(&t);
}

Test(hold_out, every_expert_gives_the_same_part_of_its_rows)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    for (size_t e = 0; e < t.d.n; e++) {
        const size_t all = lb_domains_count(t.d.train, c->train.n, e);
        const size_t gate = lb_domains_count(t.held.gate.train, c->train.n, e);
        size_t stop = 0;
        for (size_t i = t.held.n_fit; i < t.held.n; i++)
            stop += t.held.gate.train[t.held.rows[i]] == (int)e;
        cr_expect(gate >= all / 4 && gate <= all / 4 + 1, "%zu of %zu", gate, all);
        cr_expect(stop >= gate / 5 && stop <= gate / 5 + 1, "%zu of %zu", stop, gate);
    }
    scene_close(&t);
}

Test(held_predict, says_what_the_experts_say_of_these_rows_of_the_training_set)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    const lb_noise_seeds seeds = lb_noise_seeds_of(t.s.spec);
    lb_moe moe;
    lb_moe_fit(&t.s, c, 0.5, seeds, &t.held.experts, 1, &moe);
    lb_mat some = lb_mat_new(t.held.n, t.d.n), all = lb_mat_new(c->train.n, t.d.n);
    lb_exposure seen;
    lb_cohort_expose(c, 0.5, seeds, &seen);
    lb_moe_predict(&t.s, &moe, 0, &seen.train.x, all);
    lb_held_predict(&t.s, c, 0.5, seeds, &moe, 0, &t.held, some);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    for (size_t i = 0; i < t.held.n; i++)
        for (size_t e = 0; e < t.d.n; e++)
            cr_assert(epsilon_eq(dbl, some.data[i * t.d.n + e],
                                 all.data[t.held.rows[i] * t.d.n + e], 1e-12));
    free(some.data);
    free(all.data);
    lb_moe_free(&moe);
    scene_close(&t);
}

/* Two experts, one right for cool stars, the other for hot ones, both far off elsewhere. */
static lb_mat two_experts(const scene *t)
{
    const lb_cohort *c = &t->s.data;
    lb_mat yhat = lb_mat_new(t->held.n, 2);
    for (size_t i = 0; i < t->held.n; i++) {
        const size_t row = t->held.rows[i];
        const double y = c->train.target[row];
        const bool hot = c->train.teff[row] > 4875.0;
        yhat.data[2 * i] = hot ? y + 2.0 : y;
        yhat.data[2 * i + 1] = hot ? y : y - 2.0;
    }
    return yhat;
}

static lb_learn_rows lesson_of(const scene *t, lb_mat yhat)
{
    const lb_cohort *c = &t->s.data;
    return (lb_learn_rows){
        .held = &t->held,
        .train = {t->features, c->train.n, FEATURES, FEATURES},
        .test = {t->features + c->train.n * FEATURES, c->test.n, FEATURES, FEATURES},
        .yhat = lb_mat_const(yhat),
        .target = c->train.target};
}

static const lb_learn_plan plans[] = {{8, 1, 0.05, 32, 40, 10, 400},
                                      {0, 1, 0.05, 32, 40, 10, 400},
                                      {0, 2, 0.05, 32, 40, 10, 400},
                                      {0, 1, 0.001, 32, 3, 10, 3}};
enum { PLANS = sizeof plans / sizeof *plans };

Test(learn_gates, find_who_is_right_where)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    lb_mat yhat = two_experts(&t);
    lb_learned gate[PLANS];
    lb_learn_gates(&t.s, lesson_of(&t, yhat), plans, PLANS, gate);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    for (size_t g = 0; g < PLANS; g++) {
        cr_expect(eq(sz, gate[g].plan.hidden, plans[g].hidden));
        cr_expect(eq(dbl, gate[g].loss, gate[g].curve[gate[g].best - 1]));
        cr_expect(le(sz, gate[g].best_in_budget, plans[g].epochs));
        cr_expect(eq(int, gate[g].converged, gate[g].best < gate[g].epochs));
        for (size_t i = 0; i < c->test.n; i++) {
            const double *p = gate[g].weights.data + 2 * i;
            cr_assert(epsilon_eq(dbl, p[0] + p[1], 1.0, 1e-12));
            if (g < 3 && fabs(c->test.teff[i] - 4875.0) > 400.0)
                cr_expect(gt(dbl, c->test.teff[i] > 4875.0 ? p[1] : p[0], 0.6), "gate %zu", g);
        }
    }
    cr_expect(not(gate[3].converged), "three short steps are not enough, and it says so");
    cr_expect(ne(dbl, gate[1].loss, gate[2].loss), "another seed is another gate");
    lb_learned_put(&t.s, &gate[0], "", "mlp");
    lb_learned_put(&t.s, &gate[1], "", "linear");
    cr_expect(lb_study_ok(&t.s));
    lb_study_put(&t.s, lb_number_count(1), "budget.converged.mlp");
    cr_expect(eq(int, lb_record_status(t.s.record), LB_ENAME), "it is there already");
    for (size_t g = 0; g < PLANS; g++)
        lb_learned_free(&gate[g]);
    free(yhat.data);
    scene_close(&t);
}

Test(learn_gates, have_the_same_bits_for_any_number_of_threads)
{
    scene t;
    scene_open(&t);
    lb_mat yhat = two_experts(&t);
    lb_learned one[PLANS], many[PLANS];
    omp_set_num_threads(1);
    lb_learn_gates(&t.s, lesson_of(&t, yhat), plans, PLANS, one);
    omp_set_num_threads(3);
    lb_learn_gates(&t.s, lesson_of(&t, yhat), plans, PLANS, many);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    for (size_t g = 0; g < PLANS; g++) {
        const lb_mat p = one[g].weights;
        cr_assert(eq(sz, one[g].epochs, many[g].epochs));
        cr_expect(
            eq(int, memcmp(p.data, many[g].weights.data, p.rows * p.cols * sizeof(double)), 0));
        lb_learned_free(&one[g]);
        lb_learned_free(&many[g]);
    }
    free(yhat.data);
    scene_close(&t);
}

Test(learn_gates, a_prediction_that_is_none_stops_the_study)
{
    scene t;
    scene_open(&t);
    lb_mat yhat = two_experts(&t);
    yhat.data[5] = NAN;
    lb_learned gate[PLANS];
    lb_learn_gates(&t.s, lesson_of(&t, yhat), plans, PLANS, gate);
    cr_expect(eq(int, t.s.status, LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(t.err.text, "expert"), NULL), "%s", t.err.text);
    for (size_t g = 0; g < PLANS; g++)
        cr_expect(eq(ptr, gate[g].weights.data, NULL));
    lb_held_out again;
    lb_hold_out(&t.s, &t.s.data, &t.d, 4, 5, 42, &again);
    cr_expect(eq(ptr, again.rows, NULL), "nothing is done after a failure");
    free(yhat.data);
    scene_close(&t);
}
