/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "study/guess.h"
#include "study/routing.h"
#include "study/world.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>

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

static double rmse(lb_cvec yhat, const double *y)
{
    double sum = 0.0;
    for (size_t i = 0; i < yhat.n; i++)
        sum += (yhat.data[i] - y[i]) * (yhat.data[i] - y[i]);
    return sqrt(sum / (double)yhat.n);
}

Test(guess, knows_its_own_error_on_every_set_and_feeds_a_conditional_model)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    const lb_noise_seeds seeds = lb_noise_seeds_of(t.s.spec);
    lb_guess g;
    lb_guess_make(&t.s, c, 0.5, seeds, (lb_by_row){c->train.target, c->val.target, c->test.target},
                  5, 42, &g);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(epsilon_eq(dbl, g.val.rmse, rmse(g.val.yhat, c->val.target), 1e-12));
    cr_expect(epsilon_eq(dbl, g.test.rmse, rmse(g.test.yhat, c->test.target), 1e-12));
    cr_expect(epsilon_eq(dbl, g.train.rmse, rmse(g.train.yhat, c->train.target), 1e-12));
    cr_expect(gt(dbl, g.test.r2, 0.5), "the flux of this world knows log g");
    cr_expect(eq(ptr, (void *)g.value.test, (void *)g.test.yhat.data));
    cr_expect(eq(dbl, g.penalty.chosen.alpha, lb_outoffold_get(g.fit).chosen.alpha));
    lb_conditional *k = lb_guess_condition(&t.s, c, 0.5, seeds, &g);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(
        lt(dbl, rmse(lb_conditional_get(k, 0).yhat_chosen, c->test.target), 1.05 * g.test.rmse),
        "weights that vary with a good guess do no harm");
    lb_conditional_free(k);
    lb_guess_free(&g);
    scene_close(&t);
}

Test(guess, a_grid_of_its_own_takes_the_place_of_the_experts_grid)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    char *nine = world_spec_text("3750, 4500, 5250, 6000", "-2, -1, 0, 0.5", 5);
    char *text = lb_xprintf("%ssettings: {guess_alphas: [0.5, 5]}\n", nine);
    lb_spec_free(t.s.spec);
    cr_assert(lb_spec_parse(text, "spec.yaml", &t.s.spec, &t.err) == LB_OK, "%s", t.err.text);
    lb_guess g;
    lb_guess_make(&t.s, c, 0.5, lb_noise_seeds_of(t.s.spec),
                  (lb_by_row){c->train.target, c->val.target, c->test.target}, 5, 42, &g);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(eq(sz, g.penalty.n_grid, 2));
    cr_expect(eq(dbl, g.penalty.alphas.data[0], 0.5));
    lb_guess_free(&g);
    free(nine);
    free(text);
    scene_close(&t);
}

Test(guess, too_few_folds_stop_the_study)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    lb_guess g;
    lb_guess_make(&t.s, c, 0.5, lb_noise_seeds_of(t.s.spec),
                  (lb_by_row){c->train.mh, c->val.mh, c->test.mh}, 1, 42, &g);
    cr_expect(eq(int, t.s.status, LB_EINVAL));
    cr_expect(eq(ptr, g.fit, NULL));
    cr_expect(eq(ptr, lb_guess_condition(&t.s, c, 0.5, lb_noise_seeds_of(t.s.spec), &g), NULL));
    scene_close(&t);
}

Test(route, hard_takes_the_best_soft_the_mean_and_trusted_asks_for_confidence)
{
    scene t;
    scene_open(&t);
    const double yhat[] = {1.0, 3.0, 1.0, 3.0}, global[] = {7.0, 8.0};
    const double p[] = {0.75, 0.25, 0.5, 0.5};
    lb_routed r;
    lb_route(&t.s, (lb_experts){.yhat = {yhat, 2, 2, 2}, .global = {global, 2}},
             (lb_cmat){p, 2, 2, 2}, 0.6, &r);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(eq(dbl, r.hard.data[0], 1.0));
    cr_expect(eq(dbl, r.soft.data[0], 1.5));
    cr_expect(eq(dbl, r.trusted.data[0], 1.5));
    cr_expect(eq(dbl, r.soft.data[1], 2.0));
    cr_expect(eq(dbl, r.trusted.data[1], 8.0), "half is not enough for 0.6");
    cr_expect(eq(sz, r.use.fallback, 1));
    lb_routed_free(&r);
    const double bad[] = {0.75, 0.5, 0.5, 0.5};
    lb_route(&t.s, (lb_experts){.yhat = {yhat, 2, 2, 2}, .global = {global, 2}},
             (lb_cmat){bad, 2, 2, 2}, 0.6, &r);
    cr_expect(eq(int, t.s.status, LB_EINVAL), "probabilities add up to 1");
    cr_expect(eq(ptr, (void *)r.soft.data, NULL));
    scene_close(&t);
}

Test(route, a_gate_that_says_the_true_bin_is_never_wrong_and_never_in_doubt)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    lb_domains d = lb_domains_bins(c);
    double *p = lb_xcalloc(c->test.n * d.n, sizeof *p);
    for (size_t i = 0; i < c->test.n; i++)
        p[i * d.n + (size_t)(d.test[i] < 0 ? 0 : d.test[i])] = 1.0;
    const lb_cmat sure = {p, c->test.n, d.n, d.n};
    size_t *at = lb_test_positions(c, c->covered), n = lb_rowset_size(c->covered);
    for (size_t j = 0; j < n; j++) {
        cr_assert(ge(int, d.test[at[j]], 0), "covered");
        cr_assert(eq(sz, c->test.rows[at[j]], lb_rowset_index(c->covered)[j]));
    }
    lb_confusion *m = lb_gate_confusion(&t.s, c, c->covered, &d, sure);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(eq(dbl, lb_confusion_accuracy(m).value, 1.0));
    cr_expect(eq(dbl, lb_gate_doubt(c, c->covered, sure, 0.5).value, 0.0));
    p[at[3] * d.n + (size_t)d.test[at[3]]] = 0.4; /* one row is not so sure */
    p[at[3] * d.n + (size_t)(d.test[at[3]] == 0)] = 0.6;
    lb_confusion_free(m);
    m = lb_gate_confusion(&t.s, c, c->covered, &d, sure);
    cr_expect(eq(sz, lb_confusion_count(m, (size_t)d.test[at[3]], d.test[at[3]] == 0), 1));
    cr_expect(
        epsilon_eq(dbl, lb_gate_doubt(c, c->covered, sure, 0.7).value, 100.0 / (double)n, 1e-12));
    lb_gate_put_accuracy(&t.s, m, "toy");
    cr_expect(lb_study_ok(&t.s));
    lb_confusion_free(m);
    free(at);
    free(p);
    lb_domains_free(&d);
    scene_close(&t);
}
