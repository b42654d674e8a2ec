/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/file.h"
#include "core/memory.h"
#include "data/toy.h"
#include "record/archive.h"
#include "stats/score.h"
#include "study/levels.h"
#include "study/moe.h"
#include "study/study.h"
#include "study/world.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- contests ----------------------------------------------------------------------------------
 */

typedef struct scene {
    lb_study s;
    lb_error err;
    double good[N_TEST], bad[N_TEST], partial[N_TEST]; /* partial: NAN outside the bins */
} scene;

static void scene_open(scene *t)
{
    *t = (scene){0};
    world_study_open(&t->s, &t->err);
    const lb_side *test = &t->s.data.test;
    for (size_t i = 0; i < test->n; i++) {
        const double wave = sin(12.9898 * (double)(i + 1));
        t->good[i] = test->target[i] + 0.2 * wave;
        t->bad[i] = test->target[i] + 0.5 * wave;
        t->partial[i] = test->group[i] == t->s.data.outside ? NAN : t->good[i];
    }
}

static void scene_close(scene *t)
{
    world_study_close(&t->s);
}

static lb_entry entry(const char *name, const double *yhat)
{
    return (lb_entry){name, {yhat, N_TEST}, false};
}

Test(contest, difference_is_that_of_the_two_scores_on_the_same_rows)
{
    scene t;
    scene_open(&t);
    const lb_entry entries[] = {entry("good", t.partial), entry("bad", t.bad)};
    lb_contest *c = lb_contest_on(&t.s, &t.s.data, t.s.data.covered, entries, 2);
    const lb_number a = lb_contest_r2(c, 0), b = lb_contest_r2(c, 1);
    const lb_number delta = lb_contest_delta(c, 0, 1);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(epsilon_eq(dbl, delta.value, a.value - b.value, 1e-14));
    cr_expect(gt(dbl, delta.value, 0.0));
    cr_expect(le(dbl, delta.ci_lo, delta.value));
    cr_expect(ge(dbl, delta.ci_hi, delta.value));
    cr_expect(eq(sz, delta.n, lb_rowset_size(t.s.data.covered)));
    cr_expect(strcmp(delta.rows, lb_rowset_hash(t.s.data.covered)) == 0);
    cr_expect(strcmp(a.rows, b.rows) == 0);
    lb_number by_hand;
    cr_assert(eq(int, lb_score_r2(lb_contest_outcome(c, 0), &by_hand, &t.err), LB_OK));
    cr_expect(epsilon_eq(dbl, a.value, by_hand.value, 1e-14));
    lb_contest_free(c);
    scene_close(&t);
}

Test(contest, other_scores_are_those_of_the_rows)
{
    scene t;
    scene_open(&t);
    double bias = 0.0, mae = 0.0, square = 0.0;
    for (size_t i = 0; i < N_TEST; i++) {
        const double e = t.bad[i] - t.s.data.test.target[i];
        bias += e / N_TEST;
        mae += fabs(e) / N_TEST;
        square += e * e / N_TEST;
    }
    const lb_entry e = entry("bad", t.bad);
    lb_contest *c = lb_contest_on(&t.s, &t.s.data, t.s.data.all, &e, 1);
    cr_expect(epsilon_eq(dbl, lb_contest_bias(c, 0).value, bias, 1e-12));
    cr_expect(epsilon_eq(dbl, lb_contest_mae(c, 0).value, mae, 1e-12));
    cr_expect(epsilon_eq(dbl, lb_contest_rmse(c, 0).value, sqrt(square), 1e-12));
    cr_expect(lb_study_ok(&t.s));
    lb_contest_free(c);
    scene_close(&t);
}

Test(contest, divides_by_the_gains_its_spec_allows)
{
    scene t;
    scene_open(&t);
    double hair[N_TEST];
    for (size_t i = 0; i < N_TEST; i++)
        hair[i] = t.bad[i] + 1e-4 * (t.good[i] - t.bad[i]);
    const lb_entry entries[] = {entry("global", t.bad), entry("a hair better", hair),
                                entry("oracle", t.good)};
    lb_contest *c = lb_contest_on(&t.s, &t.s.data, t.s.data.all, entries, 3);
    const lb_number gain = lb_contest_delta(c, 1, 0), whole = lb_contest_delta(c, 2, 0);
    const double least = lb_spec_number(t.s.spec, "retention.least_gain");
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_assert(gain.value > 0.0 && gain.value < least && whole.value > least);
    cr_expect(eq(str, lb_contest_retention(c, 2, 0, 1).na, LB_NA_HEADROOM));
    cr_expect(eq(str, lb_contest_retention(c, 1, 0, 2).na, ""));
    lb_contest_free(c);
    scene_close(&t);
}

Test(contest, what_is_made_of_several_scores_is_made_of_the_same_rows)
{
    scene t;
    scene_open(&t);
    double middle[N_TEST];
    for (size_t i = 0; i < N_TEST; i++)
        middle[i] = (t.good[i] + t.bad[i]) / 2.0;
    const lb_entry entries[] = {entry("global", t.bad), entry("method", middle),
                                entry("oracle", t.good)};
    const double mean[] = {0.5, 0.0, 0.5}, gain[] = {-1.0, 1.0, 0.0}, most[] = {-1.0, 0.0, 1.0};
    lb_contest *c = lb_contest_on(&t.s, &t.s.data, t.s.data.all, entries, 3);
    const lb_number bad = lb_contest_r2(c, 0), half = lb_contest_r2(c, 1);
    const lb_number good = lb_contest_r2(c, 2), kept = lb_contest_retention(c, 1, 0, 2);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(epsilon_eq(dbl, lb_contest_combination(c, mean).value, (bad.value + good.value) / 2.0,
                         1e-12));
    cr_expect(
        epsilon_eq(dbl, kept.value, (half.value - bad.value) / (good.value - bad.value), 1e-12));
    cr_expect(epsilon_eq(dbl, lb_contest_ratio(c, gain, most).value, kept.value, 1e-12));
    cr_expect(epsilon_eq(dbl, lb_contest_combination(c, gain).value,
                         lb_contest_delta(c, 1, 0).value, 1e-12));
    cr_expect(eq(dbl, lb_contest_delta_above(c, 1, 0, -9.0).p_above, 1.0));
    cr_expect(eq(dbl, lb_contest_delta_above(c, 1, 0, 9.0).p_above, 0.0));
    const size_t draws = lb_spec_size(t.s.spec, "bootstrap.resamples");
    double *ratio = lb_xcalloc(draws, sizeof *ratio);
    lb_contest_draws_ratio(c, gain, most, ratio);
    for (size_t d = 0; d < draws; d++)
        cr_expect(gt(dbl, ratio[d], 0.0));
    free(ratio);
    lb_contest_free(c);
    scene_close(&t);
}

Test(contest, another_target_and_several_columns_can_be_planned)
{
    scene t;
    scene_open(&t);
    const lb_cohort *d = &t.s.data;
    const lb_entry metal = {"[M/H] itself", {d->test.mh, N_TEST}, false};
    lb_contest *c = lb_contest_planned(
        &t.s, d, d->all, (lb_contest_plan){.target = d->test.mh, .unit = "dex"}, &metal, 1);
    cr_expect(eq(dbl, lb_contest_r2(c, 0).value, 1.0));
    lb_contest_free(c);
    const lb_entry noisy[] = {entry("draw 0", t.good), entry("draw 1", t.bad)};
    lb_contest *both =
        lb_contest_planned(&t.s, d, d->all, (lb_contest_plan){.columns = 2}, noisy, 1);
    lb_contest *one = lb_contest_on(&t.s, d, d->all, noisy, 2);
    cr_expect(epsilon_eq(dbl, lb_contest_r2(both, 0).value,
                         (lb_contest_r2(one, 0).value + lb_contest_r2(one, 1).value) / 2.0, 1e-12));
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    lb_contest_free(both);
    lb_contest_free(one);
    scene_close(&t);
}

/* Every test star twice, predicted well once and badly once: rows of the contest's own making, some
 * of which are scored, both copies of a star in a draw or none. */
Test(contest, stars_seen_several_times_are_drawn_together)
{
    scene t;
    scene_open(&t);
    const lb_cohort *d = &t.s.data;
    double y[2 * N_TEST], yhat[2 * N_TEST];
    size_t star[2 * N_TEST];
    bool keep[2 * N_TEST];
    for (size_t i = 0; i < 2 * N_TEST; i++) {
        star[i] = i % N_TEST;
        y[i] = d->test.target[i % N_TEST];
        yhat[i] = i < N_TEST ? t.good[i] : t.bad[i - N_TEST];
        keep[i] = i < N_TEST;
    }
    lb_rowset *copies = lb_rowset_all("copies", lb_rowset_dataset(d->all), 2 * N_TEST);
    lb_rowset *first = lb_rowset_where(copies, "first copies", keep);
    const lb_entry both = {"both", {yhat, 2 * N_TEST}, false}, good = entry("good", t.good);
    const lb_contest_plan plan = {.target = y, .given = copies, .cluster = star};
    lb_contest *all = lb_contest_planned(&t.s, d, copies, plan, &both, 1);
    lb_contest *some = lb_contest_planned(&t.s, d, first, plan, &both, 1);
    lb_contest *plain = lb_contest_on(&t.s, d, d->all, &good, 1);
    const lb_number a = lb_contest_r2(some, 0), b = lb_contest_r2(plain, 0);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(eq(dbl, a.value, b.value));
    cr_expect(eq(dbl, a.ci_lo, b.ci_lo));
    cr_expect(eq(sz, lb_contest_r2(all, 0).n, 2 * N_TEST));
    double mean = 0.0, residual = 0.0, total = 0.0;
    for (size_t i = 0; i < 2 * N_TEST; i++)
        mean += y[i] / (2 * N_TEST);
    for (size_t i = 0; i < 2 * N_TEST; i++) {
        residual += (y[i] - yhat[i]) * (y[i] - yhat[i]);
        total += (y[i] - mean) * (y[i] - mean);
    }
    cr_expect(epsilon_eq(dbl, lb_contest_r2(all, 0).value, 1.0 - residual / total, 1e-12));
    lb_contest_free(all);
    lb_contest_free(some);
    lb_contest_free(plain);
    lb_rowset_free(copies);
    lb_rowset_free(first);
    scene_close(&t);
}

/* The mistake this package exists for: a mixture that serves covered rows, scored beside a model
 * of all rows. */
Test(contest, a_mixture_of_covered_rows_cannot_be_scored_on_all_rows)
{
    scene t;
    scene_open(&t);
    const lb_entry entries[] = {entry("global", t.bad), entry("mixture", t.partial)};
    lb_contest *c = lb_contest_on(&t.s, &t.s.data, t.s.data.all, entries, 2);
    cr_expect(eq(int, t.s.status, LB_ENUMERIC));
    cr_expect(strstr(t.err.text, "mixture") != NULL, "%s", t.err.text);
    const lb_number delta = lb_contest_delta(c, 1, 0);
    cr_expect(isnan(delta.value), "nothing comes out after a refusal");
    cr_expect(isnan(lb_contest_r2(c, 0).value));
    lb_contest_free(c);
    scene_close(&t);
}

Test(contest, rows_of_another_data_set_are_refused)
{
    scene t;
    scene_open(&t);
    const lb_entry e = entry("global", t.bad);
    lb_rowset *foreign = lb_rowset_all("rows from elsewhere", "sha256:00", 20);
    lb_contest *c = lb_contest_on(&t.s, &t.s.data, foreign, &e, 1);
    cr_expect(eq(int, t.s.status, LB_EROWS));
    cr_expect(strstr(t.err.text, "rows from elsewhere") != NULL, "%s", t.err.text);
    lb_contest_free(c);
    lb_rowset_free(foreign);
    scene_close(&t);
}

Test(study, first_failure_stays)
{
    scene t;
    scene_open(&t);
    lb_study_take(&t.s, LB_OK);
    cr_expect(lb_study_ok(&t.s));
    lb_study_take(&t.s, LB_FAIL(&t.err, LB_EROWS, "the first"));
    lb_study_take(&t.s, LB_EIO);
    lb_study_take(&t.s, LB_OK);
    cr_expect(eq(int, t.s.status, LB_EROWS));
    cr_expect(eq(str, t.err.text, "the first"));
    cr_expect(not(lb_study_ok(&t.s)));
    scene_close(&t);
}

/* --- mixtures ----------------------------------------------------------------------------------
 */

Test(moe, mixture_serves_covered_rows_and_the_fallback_the_rest)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    lb_domains l[] = {lb_domains_bins(c), lb_domains_mh(c)};
    lb_moe m;
    lb_moe_fit(&t.s, c, 0.5, lb_noise_seeds_of(t.s.spec), l, 2, &m);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(eq(sz, m.global.n_train, N_TRAIN), "covered or not");
    for (size_t q = 0; q < 2; q++) {
        for (size_t i = 0; i < c->test.n; i++) {
            const int e = l[q].test[i];
            const double got = m.mixture[q].data[i], filled = m.with_fallback[q].data[i];
            if (e < 0) {
                cr_expect(isnan(got));
                cr_expect(eq(dbl, filled, m.global.yhat_chosen.data[i]));
            } else {
                const lb_sweep_model x = lb_moe_expert(&m, q, (size_t)e);
                cr_expect(eq(dbl, got, x.yhat_chosen.data[i]));
                cr_expect(eq(dbl, filled, got));
            }
        }
        for (size_t e = 0; e < l[q].n; e++)
            cr_expect(eq(sz, lb_moe_expert(&m, q, e).n_train,
                         lb_domains_count(l[q].train, c->train.n, e)));
    }
    lb_domains_free(&l[0]);
    lb_domains_free(&l[1]);
    lb_moe_free(&m);
    scene_close(&t);
}

/* What three passes give and what a pass at the level itself gives are one Gram. */
Test(levels, any_level_of_the_list_comes_out_as_if_it_had_been_gathered)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    const double noise[] = {0.5, 0.0, 0.1, 2.0, 1.0};
    lb_levels all, one;
    lb_levels_open(&t.s, c, lb_noise_seeds_of(t.s.spec), noise, 5, c->train.group, c->groups, &all);
    cr_expect(all.at[0] == 0.0 && all.at[1] == 1.0 && all.at[2] == 2.0);
    lb_levels_open(&t.s, c, lb_noise_seeds_of(t.s.spec), noise, 1, c->train.group, c->groups, &one);
    cr_expect(eq(ptr, one.known[0], NULL), "a single level needs no parabola");
    const double alpha[] = {0.1};
    for (size_t i = 0; i < 5; i++) {
        lb_gram *gram[] = {lb_levels_gram(&t.s, &all, noise[i]),
                           lb_levels_gram(&t.s, &one, noise[i])};
        lb_ridge *fit[2];
        cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
        for (int k = 0; k < 2; k++)
            cr_assert(
                eq(int, lb_ridge_fit(gram[k], NULL, (lb_cvec){alpha, 1}, &fit[k], NULL), LB_OK));
        cr_expect(eq(sz, fit[0]->n_rows, N_TRAIN));
        for (size_t j = 0; j < fit[0]->w.cols; j++)
            cr_expect(lt(dbl, fabs(fit[0]->w.data[j] - fit[1]->w.data[j]), 1e-5));
        for (int k = 0; k < 2; k++) {
            lb_gram_free(gram[k]);
            lb_ridge_free(fit[k]);
        }
    }
    lb_levels_close(&all);
    lb_levels_close(&one);
    scene_close(&t);
}

/* A penalty chosen on the test rows cannot score worse there than one of the same grid that was
 * chosen elsewhere. */
Test(moe, choosing_on_the_test_rows_flatters)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    lb_domains l = lb_domains_bins(c);
    lb_moe m;
    lb_moe_fit(&t.s, c, 0.5, lb_noise_seeds_of(t.s.spec), &l, 1, &m);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    const double *on_grid = m.global.yhat.data + m.global.on_grid.index * m.global.yhat.stride;
    const lb_entry honest = entry("global", on_grid);
    const lb_legacy legacy = lb_moe_legacy(&t.s, c, &m, 0);
    lb_contest *all = lb_contest_on(&t.s, c, c->all, &honest, 1);
    lb_contest *covered = lb_contest_on(&t.s, c, c->covered, &honest, 1);
    const double gain = legacy.mixture.value - legacy.global_all.value;
    cr_expect(ge(dbl, legacy.global_all.value, lb_contest_r2(all, 0).value));
    cr_expect(epsilon_eq(dbl, legacy.unaligned.value, gain, 1e-14));
    cr_expect(epsilon_eq(dbl, legacy.aligned.value,
                         legacy.mixture.value - legacy.global_covered.value, 1e-14));
    cr_expect(isnan(legacy.unaligned.ci_lo), "two row sets have no interval");
    cr_expect(strstr(legacy.unaligned.kind, "unaligned") != NULL);
    cr_expect(strcmp(legacy.mixture.rows, lb_rowset_hash(c->covered)) == 0);
    cr_expect(strcmp(legacy.global_all.rows, lb_rowset_hash(c->all)) == 0);
    cr_expect(lb_study_ok(&t.s), "%s", t.err.text);
    lb_contest_free(all);
    lb_contest_free(covered);
    lb_domains_free(&l);
    lb_moe_free(&m);
    scene_close(&t);
}

/* --- the program -------------------------------------------------------------------------------
 */

static void run_well(lb_study *s)
{
    lb_study_put(s, lb_number_count(3), "answer");
}

static void run_table(lb_study *s)
{
    lb_study_put(s, lb_number_count(3), "answer");
    lb_study_table(s, "T90.1", "what|value|ΔR²:+|95 % CI:ci");
    lb_study_row(s, "T90.1", "=the %s|answer|answer|= ", "answer");
}

static void run_badly(lb_study *s)
{
    lb_study_put(s, lb_number_count(3), "answer");
    lb_study_take(s, LB_FAIL(s->err, LB_ENUMERIC, "the sky fell"));
    lb_study_put(s, lb_number_count(4), "later");
}

typedef struct place {
    char *data, *spec, *results, *record;
} place;

static place place_make(void)
{
    setenv("OPENBLAS_CORETYPE", "Haswell", 1); /* a program would start itself again with it */
    const char *dir = scratch_dir();
    char *text = world_spec_text("3750, 4500, 5250, 6000", "-2, -1, 0, 0.5", 5);
    place p = {lb_xstrdup(world_make().dir), in_dir(dir, "spec.yaml"), in_dir(dir, "results"),
               in_dir(dir, "results/e90_toy.h5")};
    lb_error err = {0};
    cr_assert(eq(int, lb_file_write(p.spec, text, strlen(text), &err), LB_OK));
    free(text);
    return p;
}

static void place_free(place *p)
{
    free(p->data);
    free(p->spec);
    free(p->results);
    free(p->record);
}

static int main_with(void (*run)(lb_study *), const char *const *words, size_t n)
{
    char *argv[16] = {"e90_toy"};
    for (size_t i = 0; i < n; i++)
        argv[i + 1] = (char *)words[i];
    const lb_experiment e = {"e90_toy", "A toy.", run, false};
    optind = 0; /* getopt starts over */
    return lb_study_main((int)n + 1, argv, &e);
}

static int main_at(const place *p, const char *data, void (*run)(lb_study *))
{
    const char *words[] = {"--data",   data,        "--spec",   p->spec,     "--results",
                           p->results, "--figures", p->results, "--profile", "toy"};
    return main_with(run, words, 10);
}

Test(study_main, a_good_run_leaves_its_record)
{
    place p = place_make();
    lb_archive *a = NULL;
    lb_error err = {0};
    cr_assert(eq(int, main_at(&p, p.data, run_well), 0));
    cr_assert(eq(int, lb_archive_open(p.record, &a, &err), LB_OK), "%s", err.text);
    const lb_number *answer = lb_archive_number(a, "e90.answer");
    const lb_number *covered = lb_archive_number(a, "e90.data.n_train_covered");
    cr_assert(ne(ptr, (void *)answer, NULL));
    cr_expect(eq(dbl, answer->value, 3.0));
    cr_expect(eq(dbl, covered->value, N_TRAIN - N_TRAIN / 6));
    lb_archive_close(a);
    place_free(&p);
}

Test(study_main, a_table_is_its_columns_and_its_rows)
{
    place p = place_make();
    lb_archive *a = NULL;
    lb_error err = {0};
    cr_assert(eq(int, main_at(&p, p.data, run_table), 0));
    cr_assert(eq(int, lb_archive_open(p.record, &a, &err), LB_OK), "%s", err.text);
    const lb_table *t = lb_archive_table(a, "T90.1");
    cr_assert(t && t->rows == 1 && t->cols == 4);
    cr_expect(eq(str, (char *)t->columns[1].name, "value"));
    cr_expect(eq(str, (char *)t->columns[1].format, ""));
    cr_expect(eq(str, (char *)t->columns[2].name, "ΔR²"));
    cr_expect(eq(str, (char *)t->columns[2].format, "+"));
    cr_expect(eq(str, (char *)t->columns[3].format, "ci"));
    lb_archive_close(a);
    place_free(&p);
}

Test(study_main, a_failed_run_says_why_once_and_leaves_nothing, .init = cr_redirect_stderr)
{
    place p = place_make();
    cr_expect(eq(int, main_at(&p, p.data, run_badly), 2));
    fflush(stderr);
    cr_expect_stderr_eq_str("e90_toy: the sky fell\n");
    cr_expect(not(lb_file_exists(p.record)));
    place_free(&p);
}

Test(study_main, missing_data_and_missing_specs_are_status_2, .init = cr_redirect_stderr)
{
    place p = place_make();
    cr_expect(eq(int, main_at(&p, "/nowhere", run_well), 2));
    remove(p.spec);
    cr_expect(eq(int, main_at(&p, p.data, run_well), 2));
    cr_expect(not(lb_file_exists(p.results)));
    place_free(&p);
}

Test(study_main, bad_options_are_status_2, .init = cr_redirect_stderr)
{
    cr_expect(eq(int, main_with(run_well, (const char *[]){"--nonsense"}, 1), 2));
    cr_expect(eq(int, main_with(run_well, (const char *[]){"--data"}, 1), 2));
    cr_expect(eq(int, main_with(run_well, (const char *[]){"word"}, 1), 2));
}

Test(study_main, help_and_version_are_status_0, .init = cr_redirect_stdout)
{
    cr_expect(eq(int, main_with(run_well, (const char *[]){"--help"}, 1), 0));
    cr_expect(eq(int, main_with(run_well, (const char *[]){"--version"}, 1), 0));
}

Test(moe, one_pass_serves_several_fits)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    lb_domains l = lb_domains_mh(c);
    const double grid[] = {0.1, 1.0, 10.0}, fixed = 1.0;
    lb_moe whole, chosen, plain, scaled;
    lb_moe_fit(&t.s, c, 0.5, lb_noise_seeds_of(t.s.spec), &l, 1, &whole);
    lb_moe_rows *rows = lb_moe_gather(&t.s, c, 0.5, lb_noise_seeds_of(t.s.spec), &l, 1);
    lb_moe_fit_rows(&t.s, rows, (lb_moe_options){{grid, 3}, 2, false}, &chosen);
    lb_moe_fit_rows(&t.s, rows, (lb_moe_options){{&fixed, 1}, 2, false}, &plain);
    lb_moe_fit_rows(&t.s, rows, (lb_moe_options){{&fixed, 1}, 2, true}, &scaled);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(not(lb_gram_is_float32(lb_moe_rows_gram(rows))), "a penalty of 0.1 asks for float64");
    lb_moe_rows_free(rows);
    for (size_t i = 0; i < c->test.n; i++) {
        cr_expect(eq(dbl, whole.with_fallback[0].data[i], chosen.with_fallback[0].data[i]));
        const double *on_grid = chosen.global.yhat.data + chosen.global.yhat.stride;
        cr_expect(eq(dbl, plain.global.yhat_chosen.data[i], on_grid[i]), "1.0 is second of three");
    }
    cr_expect(eq(dbl, plain.global.chosen.alpha, 1.0), "one penalty is not extended");
    cr_expect(eq(int, plain.global.chosen.edge, 0));
    cr_expect(ne(dbl, plain.global.yhat_chosen.data[0], scaled.global.yhat_chosen.data[0]));
    lb_moe_free(&whole);
    lb_moe_free(&chosen);
    lb_moe_free(&plain);
    lb_moe_free(&scaled);
    lb_domains_free(&l);
    scene_close(&t);
}

Test(cohort, head_has_the_first_training_rows_and_all_others)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data, head = lb_cohort_head(c, 100);
    size_t groups[LB_BINS_MAX + 1] = {0}, sum = 0;
    for (size_t i = 0; i < 100; i++)
        groups[c->train.group[i]]++;
    for (size_t k = 0; k < c->groups; k++) {
        cr_expect(eq(sz, head.n_train[k], groups[k]));
        sum += head.n_train[k];
    }
    cr_expect(eq(sz, sum, 100));
    cr_expect(eq(sz, head.test.n, c->test.n));
    lb_domains l = lb_domains_mh(&head);
    lb_moe m;
    lb_moe_fit(&t.s, &head, 0.5, lb_noise_seeds_of(t.s.spec), &l, 1, &m);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(eq(sz, m.global.n_train, 100));
    lb_moe_free(&m);
    lb_domains_free(&l);
    cr_expect(eq(sz, lb_cohort_head(c, 9 * N_TRAIN).train.n, N_TRAIN), "no more than there are");
    scene_close(&t);
}

/* --- what was published ------------------------------------------------------------------------
 */

Test(published, is_there_by_key_or_stops_the_study)
{
    scene t;
    scene_open(&t);
    cr_expect(eq(dbl, lb_study_published_number(&t.s, "e%02d.noise_0.2.r2.global", 1), 0.8341));
    cr_expect(eq(str, (char *)lb_study_published(&t.s, "e16.duration")->value, "0:02:30"));
    cr_expect(lb_study_published(&t.s, "e01.no.such.key") == NULL);
    cr_expect(lb_study_ok(&t.s), "absence alone is no failure");
    cr_expect(eq(dbl, lb_study_published_number(&t.s, "e01.noise_0.2.r2.globul"), 0.0));
    cr_expect(eq(int, t.s.status, LB_ENAME));
    cr_expect(strstr(t.err.text, "did you mean 'e01.noise_0.2.r2.global'?") != NULL, "%s",
              t.err.text);
    cr_expect(lb_study_published(&t.s, "e16.duration") == NULL, "nothing after a failure");
    scene_close(&t);
}

Test(published, a_value_that_is_no_number_is_told)
{
    scene t;
    scene_open(&t);
    lb_study_published_number(&t.s, "e16.duration");
    cr_expect(eq(int, t.s.status, LB_EFORMAT));
    cr_expect(strstr(t.err.text, "'e16.duration' is '0:02:30', no number") != NULL, "%s",
              t.err.text);
    scene_close(&t);
}
