/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E03: does the gain of the mixture survive a rigorous protocol?
 *
 * The gain of nine experts over the global model, corrected step by step: aligned rows, penalties
 * chosen without the test rows, the uncovered rows included through a fallback, other noise draws,
 * a larger sample; and which axis of the partition supplies it.
 * Reads   spectra of the profile and of its replication;
 * templates/experiments/e03_validation/spec.yaml Writes  data/results/<profile>/e03_validation.h5,
 * figures e03_*
 */
#include "core/memory.h"
#include "core/text.h"
#include "figure/plot.h"
#include "stats/seeds.h"
#include "stats/verdict.h"
#include "study/moe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GLOBAL, NINE, MH, TEFF, MODELS };
enum { MOST_SEEDS = 16 };

/* What the figures and tables need; the numbers themselves are in the record. */
typedef struct result {
    lb_number unaligned, test_alpha, val_alpha, fallback;
    lb_number ablation[MODELS], share[MODELS];
    lb_number main_global, main_moe, boot_mean;
    double *draws;
    size_t n_draws;
    size_t n_seeds;
    uint64_t seeds[MOST_SEEDS];
    lb_number by_seed[MOST_SEEDS], seed_global[MOST_SEEDS], seed_moe[MOST_SEEDS];
    lb_seed_summary summary;
    size_t n_large;
    double large_noise[MOST_SEEDS];
    lb_number large_global[MOST_SEEDS], large_moe[MOST_SEEDS], large_delta[MOST_SEEDS];
} result;

static void put_ladder(lb_study *s, const lb_number *delta, const char *key)
{
    const double valuable = lb_spec_number(s->spec, "thresholds.valuable");
    lb_study_put_text(s, lb_rung_word(lb_ladder(delta, valuable)), "%s.ladder", key);
}

/* --- the corrections, one by one ----------------------------------------------------------------
 */

/* The legacy protocol: penalties chosen on the test rows. Scored twice: on different rows, as it
 * was first published, and on the same rows. */
static void run_legacy(lb_study *s, const lb_moe *moe, result *r)
{
    const lb_legacy legacy = lb_moe_legacy(s, &s->data, moe, 0);
    r->unaligned = legacy.unaligned;
    r->test_alpha = legacy.aligned;
    lb_study_put(s, legacy.global_all, "legacy.r2.global");
    lb_study_put(s, legacy.mixture, "legacy.r2.moe");
    lb_study_put(s, legacy.global_covered, "legacy.r2.global.covered");
    lb_study_put(s, r->unaligned, "small.noise_0.2.delta_r2.unaligned");
    lb_study_put(s, r->test_alpha, "small.noise_0.2.delta_r2.test_alpha");
    put_ladder(s, &r->unaligned, "small.noise_0.2.delta_r2.unaligned");
    put_ladder(s, &r->test_alpha, "small.noise_0.2.delta_r2.test_alpha");
}

/* The axis whose three experts gain more. Gains of the single axes overlap: their sum may exceed
 * the gain of all nine. */
static void put_leading_axis(lb_study *s, const result *r)
{
    const bool mh_leads = r->ablation[MH].value >= r->ablation[TEFF].value;
    lb_number sum =
        lb_number_plain(r->ablation[MH].value + r->ablation[TEFF].value, "sum_of_gains", "");
    sum.oracle = r->ablation[MH].oracle;
    lb_study_put(s, mh_leads ? r->ablation[MH] : r->ablation[TEFF], "ablation.best_axis.delta_r2");
    lb_study_put_text(s, mh_leads ? "[M/H]" : "T_eff", "ablation.best_axis.name");
    lb_study_put(s, sum, "ablation.sum_of_single_axes");
}

/* What the resamples say about the aligned gain; the draws are kept for the histogram. */
static void put_bootstrap(lb_study *s, const lb_contest *t, result *r)
{
    lb_number above = lb_number_plain(100.0 * r->val_alpha.p_above, "percent", "%");
    above.digits = 1;
    above.oracle = r->val_alpha.oracle;
    put_ladder(s, &r->val_alpha, "small.noise_0.2.delta_r2.val_alpha");
    r->boot_mean = lb_number_boot_mean(&r->val_alpha);
    lb_study_put(s, r->boot_mean, "small.noise_0.2.bootstrap.mean");
    lb_study_put(s, above, "small.noise_0.2.bootstrap.above_threshold");
    r->n_draws = lb_spec_size(s->spec, "bootstrap.resamples");
    r->draws = lb_xcalloc(r->n_draws, sizeof *r->draws);
    lb_contest_draws(t, NINE, GLOBAL, r->draws);
}

/* region: protocol */
/* Penalties by validation, both models on the covered rows, nine experts and three along one axis.
 */
static void run_aligned(lb_study *s, const lb_moe *moe, result *r)
{
    const lb_cohort *c = &s->data;
    const lb_entry entries[MODELS] = {[GLOBAL] = {"global", moe->global.yhat_chosen, false},
                                      [NINE] = {"nine experts", moe->mixture[0], true},
                                      [MH] = {"three experts, [M/H]", moe->mixture[1], true},
                                      [TEFF] = {"three experts, T_eff", moe->mixture[2], true}};
    static const char *const keys[MODELS] = {NULL, "full", "mh_only", "teff_only"};
    lb_contest *t = lb_contest_on(s, c, c->covered, entries, MODELS);
    r->val_alpha = lb_contest_delta(t, NINE, GLOBAL);
    r->main_global = lb_contest_r2(t, GLOBAL);
    r->main_moe = lb_contest_r2(t, NINE);
    lb_study_put(s, r->main_global, "small.noise_0.2.r2.global");
    lb_study_put(s, r->main_moe, "small.noise_0.2.r2.moe");
    lb_study_put(s, r->val_alpha, "small.noise_0.2.delta_r2.val_alpha");
    for (size_t m = NINE; m < MODELS; m++) {
        r->ablation[m] = lb_contest_delta(t, m, GLOBAL);
        r->share[m] = lb_contest_share(t, m, GLOBAL, NINE);
        lb_study_put(s, r->ablation[m], "ablation.%s.delta_r2", keys[m]);
        lb_study_put(s, r->share[m], "ablation.%s.share", keys[m]);
        lb_study_put(s, lb_number_count(moe->domains[m - NINE].n), "ablation.%s.n_experts",
                     keys[m]);
    }
    lb_study_put(s, lb_contest_delta(t, MH, TEFF), "ablation.mh_minus_teff.delta_r2");
    put_bootstrap(s, t, r);
    lb_contest_free(t);
    put_leading_axis(s, r);
}
/* end region */

/* Full coverage: the global model speaks for the rows outside the bins. */
static void run_fallback(lb_study *s, const lb_moe *moe, result *r)
{
    const lb_cohort *c = &s->data;
    const lb_entry entries[] = {[GLOBAL] = {"global", moe->global.yhat_chosen, false},
                                [NINE] = {"mixture + fallback", moe->with_fallback[0], true}};
    lb_contest *t = lb_contest_on(s, c, c->all, entries, 2);
    r->fallback = lb_contest_delta(t, NINE, GLOBAL);
    lb_study_put(s, lb_contest_r2(t, GLOBAL), "fallback.r2.global");
    lb_study_put(s, lb_contest_r2(t, NINE), "fallback.r2.moe");
    lb_study_put(s, r->fallback, "small.noise_0.2.delta_r2.fallback");
    put_ladder(s, &r->fallback, "small.noise_0.2.delta_r2.fallback");
    lb_contest_free(t);
}

/* --- other noise draws --------------------------------------------------------------------------
 */

/* Score one noise draw on the covered rows of a cohort. */
static lb_number score_draw(lb_study *s, const lb_cohort *c, const lb_moe *moe, const char *key,
                            lb_number *global, lb_number *mixture)
{
    const lb_entry entries[] = {[GLOBAL] = {"global", moe->global.yhat_chosen, false},
                                [NINE] = {"nine experts", moe->mixture[0], true}};
    lb_contest *t = lb_contest_on(s, c, c->covered, entries, 2);
    const lb_number delta = lb_contest_delta(t, NINE, GLOBAL);
    *global = lb_contest_r2(t, GLOBAL);
    *mixture = lb_contest_r2(t, NINE);
    lb_study_put(s, *global, "%s.r2.global", key);
    lb_study_put(s, *mixture, "%s.r2.moe", key);
    lb_study_put(s, delta, "%s.delta_r2", key);
    lb_contest_free(t);
    return delta;
}

/* The mean of each score over the seeds, and how far the seeds spread. */
static void put_seed_summary(lb_study *s, result *r)
{
    const double valuable = lb_spec_number(s->spec, "thresholds.valuable");
    lb_seed_summary global, moe;
    if (!lb_study_ok(s))
        return;
    lb_study_take(s, lb_seeds_summarise(r->seed_global, r->n_seeds, valuable, &global, s->err));
    lb_study_take(s, lb_seeds_summarise(r->seed_moe, r->n_seeds, valuable, &moe, s->err));
    lb_study_take(s, lb_seeds_summarise(r->by_seed, r->n_seeds, valuable, &r->summary, s->err));
    if (!lb_study_ok(s))
        return;
    const lb_seed_summary *m = &r->summary;
    lb_study_put(s, global.mean, "seeds.mean_r2.global");
    lb_study_put(s, moe.mean, "seeds.mean_r2.moe");
    lb_study_put(s, m->mean, "small.noise_0.2.delta_r2.multiseed_mean");
    lb_study_put(s, m->std_pop, "small.noise_0.2.delta_r2.multiseed_std");
    lb_study_put(s, m->std_sample, "small.noise_0.2.delta_r2.multiseed_std_sample");
    lb_study_put(s, m->relative, "seeds.relative_std");
    lb_study_put(s, m->spread_lo, "seeds.spread_lo");
    lb_study_put(s, m->spread_hi, "seeds.spread_hi");
    lb_study_put(s, m->lowest, "seeds.lowest");
    lb_study_put(s, lb_number_count(m->above), "seeds.n_above");
    lb_study_put(s, lb_number_count(r->n_seeds), "seeds.count");
    put_ladder(s, &m->mean, "small.noise_0.2.delta_r2.multiseed_mean");
}

/* A seed drives the noise of all three sets; its validation and test draws take the next two. */
static void run_seeds(lb_study *s, const lb_moe *first, const lb_domains *nine, double noise,
                      result *r)
{
    const lb_noise_seeds protocol = lb_noise_seeds_of(s->spec);
    const double *list = lb_spec_numbers(s->spec, "seeds", &r->n_seeds);
    for (size_t i = 0; i < r->n_seeds && lb_study_ok(s); i++) {
        const uint64_t seed = (uint64_t)list[i];
        const bool is_first = seed == protocol.train;
        char key[32];
        lb_moe moe = {0};
        snprintf(key, sizeof key, "seed_%zu", (size_t)seed);
        r->seeds[i] = seed;
        if (!is_first)
            lb_moe_fit(s, &s->data, noise, (lb_noise_seeds){seed, seed + 1, seed + 2}, nine, 1,
                       &moe);
        r->by_seed[i] = score_draw(s, &s->data, is_first ? first : &moe, key, &r->seed_global[i],
                                   &r->seed_moe[i]);
        lb_moe_free(&moe);
    }
    put_seed_summary(s, r);
}

/* --- the larger sample --------------------------------------------------------------------------
 */

static void put_large_not_run(lb_study *s, double noise)
{
    const char *quantities[] = {"r2.global", "r2.moe", "delta_r2"};
    for (size_t q = 0; q < 3; q++)
        lb_study_put(s, lb_number_na(q < 2 ? "r2" : "delta_r2", "not run"), "large.noise_%.1f.%s",
                     noise, quantities[q]);
    char *key = lb_xprintf("large.noise_%.1f.delta_r2", noise);
    lb_study_put_text(s, "not run", "%s.ladder", key);
    free(key);
}

static void run_large(lb_study *s, result *r)
{
    const double *levels = lb_spec_numbers(s->spec, "replication.noise", &r->n_large);
    for (size_t i = 0; i < r->n_large && lb_study_ok(s); i++) {
        r->large_noise[i] = levels[i];
        if (!s->has_more) {
            put_large_not_run(s, levels[i]);
            continue;
        }
        lb_domains nine = lb_domains_bins(&s->more);
        char key[32];
        lb_moe moe;
        snprintf(key, sizeof key, "large.noise_%.1f", levels[i]);
        lb_moe_fit(s, &s->more, levels[i], lb_noise_seeds_of(s->spec), &nine, 1, &moe);
        r->large_delta[i] =
            score_draw(s, &s->more, &moe, key, &r->large_global[i], &r->large_moe[i]);
        snprintf(key, sizeof key, "large.noise_%.1f.delta_r2", levels[i]);
        put_ladder(s, &r->large_delta[i], key);
        lb_moe_free(&moe);
        lb_domains_free(&nine);
    }
    const lb_number *d = &r->large_delta[0];
    const bool inside = r->val_alpha.value >= d->ci_lo && r->val_alpha.value <= d->ci_hi;
    lb_study_put(s, s->has_more ? lb_number_count(inside) : lb_number_na("count", "not run"),
                 "large.small_point_inside");
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void row_of_configuration(lb_study *s, const char *name, const char *global, const char *moe,
                                 const char *delta, bool covered)
{
    lb_study_row(s, "T03.1",
                 "=%1$s|%2$s|%3$s|small.noise_0.2.delta_r2.%4$s|small.noise_0.2.delta_r2.%4$s|%5$s|"
                 "%6$s|small.noise_0.2.delta_r2.%4$s.ladder",
                 name, global, moe, delta, covered ? "data.coverage_test" : "=100",
                 covered ? "data.n_test_covered" : "data.n_test");
}

static void table_configurations(lb_study *s)
{
    static const lb_column columns[] = {
        {"configuration", ""}, {"R² global", ""},   {"R² MoE", ""}, {"ΔR²", "+"},
        {"95 % CI", "ci"},     {"coverage, %", ""}, {"n", ""},      {"verdict", ""}};
    const char *global = "small.noise_0.2.r2.global", *moe = "small.noise_0.2.r2.moe";
    lb_record_table(s->record, "T03.1", 8, columns);
    row_of_configuration(s, "legacy: unaligned rows, α on test", "legacy.r2.global",
                         "legacy.r2.moe", "unaligned", true);
    row_of_configuration(s, "aligned rows, α on test", "legacy.r2.global.covered", "legacy.r2.moe",
                         "test_alpha", true);
    row_of_configuration(s, "aligned rows, α on validation", global, moe, "val_alpha", true);
    row_of_configuration(s, "+ fallback, all rows", "fallback.r2.global", "fallback.r2.moe",
                         "fallback", false);
    row_of_configuration(s, "mean over the seeds", "seeds.mean_r2.global", "seeds.mean_r2.moe",
                         "multiseed_mean", true);
}

static void table_ablation(lb_study *s)
{
    static const lb_column columns[] = {{"partition", ""}, {"experts", ""},
                                        {"ΔR²", "+"},      {"95 % CI", "ci"},
                                        {"share", ""},     {"95 % CI of share", "ci"},
                                        {"n", ""},         {"coverage, %", ""}};
    static const char *const names[] = {"T_eff × [M/H]", "[M/H] only", "T_eff only"};
    static const char *const keys[] = {"full", "mh_only", "teff_only"};
    lb_record_table(s->record, "T03.2", 8, columns);
    for (size_t i = 0; i < 3; i++) {
        char *share = i == 0 ? lb_xstrdup("=1|=—") /* the whole of itself */
                             : lb_xprintf("ablation.%1$s.share|ablation.%1$s.share", keys[i]);
        lb_study_row(s, "T03.2",
                     "=%1$s|ablation.%2$s.n_experts|ablation.%2$s.delta_r2|ablation.%2$s.delta_r2|"
                     "%3$s|data.n_test_covered|data.coverage_test",
                     names[i], keys[i], share);
        free(share);
    }
}

static void table_seeds(lb_study *s, const result *r)
{
    static const lb_column columns[] = {
        {"seed", ""}, {"ΔR²", ""}, {"95 % CI", "ci"}, {"R² global", ""}, {"R² MoE", ""}};
    lb_record_table(s->record, "T03.3", 5, columns);
    for (size_t i = 0; i < r->n_seeds; i++)
        lb_study_row(s, "T03.3",
                     "=%1$zu|seed_%1$zu.delta_r2|seed_%1$zu.delta_r2|seed_%1$zu.r2.global|"
                     "seed_%1$zu.r2.moe",
                     (size_t)r->seeds[i]);
    lb_study_row(s, "T03.3",
                 "=mean|small.noise_0.2.delta_r2.multiseed_mean|= |seeds.mean_r2.global|"
                 "seeds.mean_r2.moe");
    lb_study_row(s, "T03.3", "=std, ddof 0|small.noise_0.2.delta_r2.multiseed_std|= |= |= ");
    lb_study_row(s, "T03.3", "=std, ddof 1|small.noise_0.2.delta_r2.multiseed_std_sample|= |= |= ");
    lb_study_row(s, "T03.3", "=std / mean|seeds.relative_std|= |= |= ");
    lb_study_row(s, "T03.3", "=spread, lower end|seeds.spread_lo|= |= |= ");
    lb_study_row(s, "T03.3", "=spread, upper end|seeds.spread_hi|= |= |= ");
}

static void row_of_size(lb_study *s, const char *set, const char *prefix, const char *data,
                        const char *delta, double noise)
{
    lb_study_row(s, "T03.4",
                 "=%1$s|%2$s.n_train|=%3$.1f|%4$s.r2.global|%4$s.r2.moe|%4$s.%5$s|%4$s.%5$s|"
                 "%2$s.n_test_covered|%4$s.%5$s.ladder",
                 set, data, noise, prefix, delta);
}

static void table_sizes(lb_study *s, const result *r, double noise)
{
    static const lb_column columns[] = {{"set", ""},       {"n train", ""},   {"noise", ""},
                                        {"R² global", ""}, {"R² MoE", ""},    {"ΔR²", "+"},
                                        {"95 % CI", "ci"}, {"n covered", ""}, {"verdict", ""}};
    lb_record_table(s->record, "T03.4", 9, columns);
    row_of_size(s, "main", "small.noise_0.2", "data", "delta_r2.val_alpha", noise);
    for (size_t i = 0; i < r->n_large; i++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "large.noise_%.1f", r->large_noise[i]);
        row_of_size(s, "larger", prefix, "more", "delta_r2", r->large_noise[i]);
    }
}

/* --- figures ------------------------------------------------------------------------------------
 */

/* "What it shows", then in grey the experiment, the noise (NAN: several) and the sizes. */
static char *title_for(const lb_cohort *c, const char *what, double noise)
{
    char train[LB_COUNT_SIZE], covered[LB_COUNT_SIZE], level[32] = "";
    if (isfinite(noise))
        snprintf(level, sizeof level, "noise %.1f, ", noise);
    return lb_xprintf("%s\nE03, %s%s training rows, %s covered test rows", what, level,
                      lb_count_text(c->train.n, train),
                      lb_count_text(lb_rowset_size(c->covered), covered));
}

static void threshold_line(const lb_study *s, lb_axes *a)
{
    const double valuable = lb_spec_number(s->spec, "thresholds.valuable");
    char text[32];
    snprintf(text, sizeof text, "threshold %.2f", valuable);
    lb_plot_hline(a, valuable, lb_style_role(LB_THRESHOLD), text);
}

static void figure_configurations(lb_study *s, const result *r, double noise)
{
    static const char *const names[] = {"legacy, unaligned", "aligned, α on test",
                                        "aligned, α on validation", "with fallback",
                                        "mean over seeds"};
    const lb_number *bars[] = {&r->unaligned, &r->test_alpha, &r->val_alpha, &r->fallback,
                               &r->summary.mean};
    enum { N = sizeof bars / sizeof *bars };
    double y[N], lo[N], hi[N];
    size_t rows[N];
    lb_style styles[N];
    for (size_t i = 0; i < N; i++) {
        y[i] = bars[i]->value;
        lo[i] = bars[i]->ci_lo;
        hi[i] = bars[i]->ci_hi;
        rows[i] = i == 3 ? lb_rowset_size(s->data.all) : lb_rowset_size(s->data.covered);
        styles[i] = lb_style_role(i == 0 ? LB_MUTED : LB_MIXTURE);
        if (i == 0)
            styles[i].hatch = LB_HATCH_UP;
    }
    char *stem = lb_study_figure(s, "F03.1"),
         *title = title_for(&s->data, "The gain, correction by correction", noise);
    lb_figure *f = lb_figure_new(stem, 6.5, 4.4, title,
                                 "Bars of the gain in R2 for the legacy protocol, aligned rows, "
                                 "penalties by validation, fallback and the mean over seeds.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, N);
    lb_axes_x_counts(a, rows, N);
    lb_axes_y(a, "ΔR^{2} (MoE - global)", NAN, NAN, LB_LINEAR);
    lb_plot_bars(
        a, (lb_bars){.y = y, .lo = lo, .hi = hi, .n = N, .styles = styles, .format = "%+.4f"});
    threshold_line(s, a);
    lb_figure_note(f, "The legacy bar subtracts scores on two different row sets and has no "
                      "interval; the mean over seeds shows no interval either.");
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F03.1/delta_r2", y, N);
    free(title);
    free(stem);
}

static void figure_seeds(lb_study *s, const result *r, double noise)
{
    double x[MOST_SEEDS], y[MOST_SEEDS], lo[MOST_SEEDS], hi[MOST_SEEDS];
    char seeds[MOST_SEEDS][24], label[48];
    const char *names[1 + MOST_SEEDS] = {"distribution"};
    for (size_t i = 0; i < r->n_seeds; i++) {
        x[i] = (double)(i + 1); /* a slot each, or the intervals would hide each other */
        y[i] = r->by_seed[i].value;
        lo[i] = r->by_seed[i].ci_lo;
        hi[i] = r->by_seed[i].ci_hi;
        snprintf(seeds[i], sizeof seeds[i], "seed %zu", (size_t)r->seeds[i]);
        names[i + 1] = seeds[i];
    }
    char *stem = lb_study_figure(s, "F03.2"),
         *title = title_for(&s->data, "The gain over noise draws", noise);
    lb_figure *f = lb_figure_new(stem, 6.4, 4.8, title,
                                 "Box and labelled points of the gain for each seed of the noise "
                                 "draw, with intervals, the mean and the decision threshold.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, 1 + r->n_seeds);
    lb_axes_y(a, "ΔR^{2} (MoE - global)", NAN, NAN, LB_LINEAR);
    lb_plot_box(a, 0.0, y, r->n_seeds, lb_style_role(LB_MIXTURE), NULL);
    lb_plot_errors(a, x, y, lo, hi, r->n_seeds, lb_style_role(LB_MIXTURE), "one seed, 95 % CI");
    lb_plot_values(a, x, y, r->n_seeds, "%+.4f", lb_style_role(LB_NEUTRAL));
    snprintf(label, sizeof label, "mean %+.4f", r->summary.mean.value);
    lb_plot_hline(a, r->summary.mean.value, lb_style_role(LB_REFERENCE), label);
    threshold_line(s, a);
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F03.2/delta_r2", y, r->n_seeds);
    free(title);
    free(stem);
}

static void figure_ablation(lb_study *s, const result *r, double noise)
{
    static const char *const names[] = {"nine experts", "three, [M/H] only", "three, T_{eff} only"};
    double y[3], lo[3], hi[3];
    char texts[3][32];
    const char *text_of[3];
    lb_style styles[3] = {lb_style_role(LB_MIXTURE), lb_style_category(2), lb_style_category(4)};
    size_t rows[3];
    for (size_t i = 0; i < 3; i++) {
        const lb_number *d = &r->ablation[NINE + i], *share = &r->share[NINE + i];
        y[i] = d->value;
        lo[i] = d->ci_lo;
        hi[i] = d->ci_hi;
        if (*share->na)
            snprintf(texts[i], sizeof texts[i], "share n/a");
        else
            snprintf(texts[i], sizeof texts[i], "%.0f %% of the gain", 100.0 * share->value);
        text_of[i] = texts[i];
        rows[i] = lb_rowset_size(s->data.covered);
    }
    char *stem = lb_study_figure(s, "F03.3"),
         *title = title_for(&s->data, "Which axis supplies the gain", noise);
    lb_figure *f = lb_figure_new(stem, 6.4, 4.8, title,
                                 "Bars of the gain for nine experts, three along metallicity and "
                                 "three along temperature, with the share of the full gain.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, 3);
    lb_axes_x_counts(a, rows, 3);
    lb_axes_y(a, "ΔR^{2} against the global model", NAN, NAN, LB_LINEAR);
    lb_plot_bars(a, (lb_bars){.y = y,
                              .lo = lo,
                              .hi = hi,
                              .n = 3,
                              .styles = styles,
                              .format = "%+.4f",
                              .texts = text_of});
    threshold_line(s, a);
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F03.3/delta_r2", y, 3);
    free(title);
    free(stem);
}

static void figure_bootstrap(lb_study *s, const result *r, double noise)
{
    const double valuable = lb_spec_number(s->spec, "thresholds.valuable");
    char text[64], count[LB_COUNT_SIZE];
    char *stem = lb_study_figure(s, "F03.4"),
         *title = title_for(&s->data, "Bootstrap distribution of the gain", noise);
    lb_figure *f = lb_figure_new(stem, 6.4, 4.6, title,
                                 "Histogram of the resampled gain with its mean, its interval, "
                                 "zero and the decision threshold.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_style interval = lb_style_category(0);
    interval.dash = LB_DOTTED;
    lb_axes_x(a, "ΔR^{2} (MoE - global)", NAN, NAN, LB_LINEAR);
    lb_axes_y(a, "resamples", 0.0, NAN, LB_LINEAR);
    snprintf(text, sizeof text, "%s resamples", lb_count_text(r->n_draws, count));
    lb_plot_histogram(a, r->draws, r->n_draws, 0, lb_style_role(LB_MIXTURE), text);
    snprintf(text, sizeof text, "mean %+.4f", r->boot_mean.value);
    lb_plot_vline(a, r->boot_mean.value, lb_style_role(LB_NEUTRAL), text);
    snprintf(text, sizeof text, "95 %% interval %+.4f to %+.4f", r->val_alpha.ci_lo,
             r->val_alpha.ci_hi);
    lb_plot_vline(a, r->val_alpha.ci_lo, interval, text);
    lb_plot_vline(a, r->val_alpha.ci_hi, interval, NULL);
    lb_plot_vline(a, 0.0, lb_style_role(LB_REFERENCE), "zero");
    snprintf(text, sizeof text, "threshold %.2f", valuable);
    lb_plot_vline(a, valuable, lb_style_role(LB_THRESHOLD), text);
    snprintf(text, sizeof text, "%.1f %% of the resamples\nexceed %.2f",
             100.0 * r->val_alpha.p_above, valuable);
    lb_axes_box(a, text);
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F03.4/draws", r->draws, r->n_draws);
    free(title);
    free(stem);
}

/* The main set first, then the larger one at each of its noise levels (none if it was not run). */
static void figure_large(lb_study *s, const result *r, double noise)
{
    enum { MOST = MOST_SEEDS + 1 };
    const size_t n = 1 + (s->has_more ? r->n_large : 0);
    double y[2][MOST], lo[2][MOST], hi[2][MOST], d[MOST], dlo[MOST], dhi[MOST];
    char names[MOST][32];
    const char *name_of[MOST];
    size_t rows[MOST];
    for (size_t i = 0; i < n; i++) {
        const bool main_set = i == 0;
        const lb_number *score[] = {main_set ? &r->main_global : &r->large_global[i - 1],
                                    main_set ? &r->main_moe : &r->large_moe[i - 1]};
        const lb_number *delta = main_set ? &r->val_alpha : &r->large_delta[i - 1];
        for (size_t j = 0; j < 2; j++) {
            y[j][i] = score[j]->value;
            lo[j][i] = score[j]->ci_lo;
            hi[j][i] = score[j]->ci_hi;
        }
        d[i] = delta->value;
        dlo[i] = delta->ci_lo;
        dhi[i] = delta->ci_hi;
        rows[i] = lb_rowset_size(main_set ? s->data.covered : s->more.covered);
        snprintf(names[i], sizeof names[i], "%s\nnoise %.1f", main_set ? "main" : "larger",
                 main_set ? noise : r->large_noise[i - 1]);
        name_of[i] = names[i];
    }
    char *stem = lb_study_figure(s, "F03.5");
    char *title = s->has_more ? title_for(&s->more, "The larger replication", NAN)
                              : title_for(&s->data, "The larger replication was not run", noise);
    lb_figure *f = lb_figure_new(stem, 6.5, 4.0, title,
                                 "Left: R2 of global model and mixture at two noise levels. Right: "
                                 "their difference with interval and decision threshold.");
    const char *labels[] = {"global", "mixture"};
    const lb_role roles[] = {LB_GLOBAL, LB_MIXTURE};
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 2);
    lb_axes_x_names(a, NULL, name_of, n);
    lb_axes_x_counts(a, rows, n);
    lb_axes_y(a, "R^{2}", 0.0, 1.12, LB_LINEAR);
    for (size_t j = 0; j < 2; j++)
        lb_plot_bars(a, (lb_bars){.y = y[j],
                                  .lo = lo[j],
                                  .hi = hi[j],
                                  .n = n,
                                  .series = j,
                                  .of = 2,
                                  .style = lb_style_role(roles[j]),
                                  .format = "%.4f",
                                  .label = labels[j]});
    lb_axes *b = lb_figure_panel(f, 0, 1, 1, 2);
    lb_axes_x_names(b, NULL, name_of, n);
    lb_axes_x_counts(b, rows, n);
    lb_axes_y(b, "ΔR^{2} (MoE - global)", NAN, NAN, LB_LINEAR);
    lb_plot_bars(b, (lb_bars){.y = d,
                              .lo = dlo,
                              .hi = dhi,
                              .n = n,
                              .style = lb_style_role(LB_ORACLE),
                              .format = "%+.4f"});
    threshold_line(s, b);
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F03.5/delta_r2", d, n);
    free(title);
    free(stem);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void run(lb_study *s)
{
    const double noise = lb_spec_number(s->spec, "noise.focus");
    lb_domains domains[] = {lb_domains_bins(&s->data), lb_domains_mh(&s->data),
                            lb_domains_teff(&s->data)};
    result *r = lb_xcalloc(1, sizeof *r);
    lb_moe moe;

    lb_moe_fit(s, &s->data, noise, lb_noise_seeds_of(s->spec), domains, 3, &moe);
    if (lb_study_ok(s)) {
        run_legacy(s, &moe, r);
        run_aligned(s, &moe, r);
        run_fallback(s, &moe, r);
        run_seeds(s, &moe, domains, noise, r);
        run_large(s, r);
    }
    if (lb_study_ok(s)) {
        table_configurations(s);
        table_ablation(s);
        table_seeds(s, r);
        table_sizes(s, r, noise);
        figure_configurations(s, r, noise);
        figure_seeds(s, r, noise);
        figure_ablation(s, r, noise);
        figure_bootstrap(s, r, noise);
    }
    if (lb_study_ok(s))
        figure_large(s, r, noise);
    lb_moe_free(&moe);
    for (size_t q = 0; q < 3; q++)
        lb_domains_free(&domains[q]);
    free(r->draws);
    free(r);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e03_validation",
                             "The gain of nine Ridge experts under a rigorous protocol: aligned "
                             "rows, validation, bootstrap, seeds, fallback, ablation, replication.",
                             run, true};
    return lb_study_main(argc, argv, &e);
}
