/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/guess.h"

#include "core/memory.h"
#include "models/folds.h"

#include <stdlib.h>

static lb_outoffold_options options_of(const lb_spec *spec, size_t folds)
{
    static const char *const own = "settings.guess_alphas";
    lb_outoffold_options o = {.folds = folds};
    o.alphas.data =
        lb_spec_numbers(spec, lb_spec_has(spec, own) ? own : "ridge.alphas", &o.alphas.n);
    o.extend_decades = (int)lb_spec_size(spec, "ridge.extend_decades");
    o.standardise = lb_spec_flag(spec, "ridge.standardise");
    return o;
}

void lb_guess_make(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                   lb_by_row truth, size_t folds, uint64_t seed, lb_guess *out)
{
    *out = (lb_guess){0};
    if (!lb_study_ok(s))
        return;
    int *fold = lb_xcalloc(c->train.n, sizeof *fold);
    lb_exposure seen;
    lb_cohort_expose(c, level, seeds, &seen);
    const lb_known sets[] = {{seen.val.x, {truth.val, c->val.n}},
                             {seen.test, {truth.test, c->test.n}}};
    lb_study_take(s, lb_folds_make((lb_folds){.k = folds, .seed = seed}, c->train.n, fold, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_outoffold_run(&seen.train.x, (lb_cvec){truth.train, c->train.n}, fold,
                                          options_of(s->spec, folds), sets, 2, &out->fit, s->err));
    free(fold);
    if (!lb_study_ok(s))
        return;
    const lb_outoffold_result r = lb_outoffold_get(out->fit);
    out->train = r.train;
    out->val = r.sets[0];
    out->test = r.sets[1];
    out->value = (lb_by_row){r.train.yhat.data, r.sets[0].yhat.data, r.sets[1].yhat.data};
    out->penalty = (lb_sweep_model){.name = "guess",
                                    .n_train = c->train.n,
                                    .alphas = r.alphas,
                                    .n_grid = r.n_grid,
                                    .on_grid = r.on_grid,
                                    .chosen = r.chosen};
}

void lb_guess_free(lb_guess *g)
{
    lb_outoffold_free(g->fit);
    *g = (lb_guess){0};
}

lb_conditional *lb_guess_condition(lb_study *s, const lb_cohort *c, double level,
                                   lb_noise_seeds seeds, const lb_guess *g)
{
    static const lb_monomial first_order[] = {{{0}}, {{1}}}; /* 1, m */
    static const lb_conditional_member member = {"[x, m x]",
                                                 .conditions = {first_order, 2, .plain = true}};
    lb_conditional *out = NULL;
    if (!lb_study_ok(s))
        return NULL;
    lb_conditional_options o = {0};
    o.alphas.data = lb_spec_numbers(s->spec, "ridge.alphas", &o.alphas.n);
    o.extend_decades = (int)lb_spec_size(s->spec, "ridge.extend_decades");
    lb_exposure seen;
    lb_cohort_expose(c, level, seeds, &seen);
    const lb_conditional_labelled train = {
        {seen.train.x, {g->value.train, c->train.n, 1, 1}}, seen.train.y, NULL};
    const lb_conditional_labelled val = {
        {seen.val.x, {g->value.val, c->val.n, 1, 1}}, seen.val.y, NULL};
    const lb_conditional_rows test = {seen.test, {g->value.test, c->test.n, 1, 1}};
    lb_study_take(s, lb_conditional_run(&train, &val, &test, &member, 1, o, &out, s->err));
    return out;
}
