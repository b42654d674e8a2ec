/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E02: nine local Ridge experts against one global Ridge.
 *
 * Is log g a simpler function of the spectrum inside boxes of (T_eff, [M/H])? The box of a test row
 * is taken from its true labels, so the gain is what routing could give at best.
 * Reads   spectra of the profile; templates/experiments/e02_piecewise/spec.yaml
 * Writes  data/results/<profile>/e02_piecewise.h5, figures e02_*
 */
#include "core/memory.h"
#include "core/text.h"
#include "figure/plot.h"
#include "stats/verdict.h"
#include "study/by_bin.h"
#include "study/moe.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { GLOBAL, MIXTURE };

/* What the figures need of one noise level; the numbers themselves are in the record. */
typedef struct level_result {
    double noise;
    lb_number aligned, unaligned;
} level_result;

/* --- one noise level ----------------------------------------------------------------------------
 */

/* region: protocol */
/* Fit, choose the penalties on validation rows, score both models on the same covered rows. */
static level_result run_level(lb_study *s, double noise, const lb_domains *bins, lb_moe *moe)
{
    const lb_cohort *c = &s->data;
    lb_moe_fit(s, c, noise, lb_noise_seeds_of(s->spec), bins, 1, moe);
    const lb_entry entries[] = {[GLOBAL] = {"global", moe->global.yhat_chosen, false},
                                [MIXTURE] = {"mixture", moe->mixture[0], true}};
    lb_contest *covered = lb_contest_on(s, c, c->covered, entries, 2);
    lb_contest *all = lb_contest_on(s, c, c->all, entries, 1);

    lb_study_put(s, lb_contest_r2(all, GLOBAL), "noise_%.1f.r2.global", noise);
    lb_study_put(s, lb_contest_r2(covered, GLOBAL), "noise_%.1f.r2.global.covered", noise);
    lb_study_put(s, lb_contest_r2(covered, MIXTURE), "noise_%.1f.r2.moe", noise);
    lb_study_put(s, lb_contest_mae(covered, GLOBAL), "noise_%.1f.mae.global.covered", noise);
    lb_study_put(s, lb_contest_mae(covered, MIXTURE), "noise_%.1f.mae.moe", noise);
    lb_study_put(s, lb_contest_rmse(covered, GLOBAL), "noise_%.1f.rmse.global.covered", noise);
    lb_study_put(s, lb_contest_rmse(covered, MIXTURE), "noise_%.1f.rmse.moe", noise);
    level_result r = {.noise = noise, .aligned = lb_contest_delta(covered, MIXTURE, GLOBAL)};
    lb_study_put(s, r.aligned, "noise_%.1f.delta_r2.aligned", noise);
    lb_study_put_text(
        s, lb_rung_word(lb_ladder(&r.aligned, lb_spec_number(s->spec, "thresholds.valuable"))),
        "noise_%.1f.ladder", noise);
    lb_contest_free(covered);
    lb_contest_free(all);
    return r;
}
/* end region */

/* The same level as it was first published. Shown once, to see the inflation. */
static void run_legacy(lb_study *s, const lb_moe *moe, level_result *r)
{
    r->unaligned = lb_moe_legacy(s, &s->data, moe, 0).unaligned;
    lb_study_put(s, r->unaligned, "noise_%.1f.delta_r2", r->noise);
}

static void put_penalties(lb_study *s, const lb_moe *moe, double noise)
{
    lb_study_put_alpha(s, &moe->global, "alpha.noise_%.1f.global", noise);
    for (size_t k = 0; k < s->data.n_bins; k++) {
        const int e = moe->domains[0].of_bin[k];
        if (e < 0)
            continue;
        const lb_sweep_model expert = lb_moe_expert(moe, 0, (size_t)e);
        lb_study_put_alpha(s, &expert, "alpha.noise_%.1f.k%zu", noise, k);
    }
}

/* --- the focus level in detail ------------------------------------------------------------------
 */

typedef struct bin_result {
    char name[32];
    lb_number r2, delta;
} bin_result;

static void put_bin_without_score(lb_study *s, size_t k, const char *reason)
{
    const char *quantities[] = {"r2.expert", "r2.global", "delta_r2", "mae",
                                "r2_minus_global_full"};
    for (size_t q = 0; q < sizeof quantities / sizeof *quantities; q++)
        lb_study_put(s, lb_number_na("r2", reason), "k%zu.%s", k, quantities[q]);
}

/* Expert and global model on the test rows of one bin. */
static void put_bin(lb_study *s, const lb_moe *moe, size_t k, const lb_number *global_all,
                    bin_result *out)
{
    const lb_cohort *c = &s->data;
    const size_t fewest = lb_spec_size(s->spec, "bins.minimum_test");
    const lb_entry entries[] = {[GLOBAL] = {"global", moe->global.yhat_chosen, false},
                                [MIXTURE] = {"expert", moe->mixture[0], true}};
    lb_bins_name(&c->bins, (int)k, out->name);
    out->r2 = out->delta = lb_number_na("r2", "n/a");
    lb_study_put(s, lb_number_count(c->n_train[k]), "k%zu.n_train", k);
    lb_study_put(s, lb_number_count(c->n_test[k]), "k%zu.n_test", k);
    if (c->merged_to[k] != (int)k || c->n_test[k] < fewest) {
        put_bin_without_score(s, k, c->merged_to[k] != (int)k ? "n/a (merged)" : "n/a (n<10)");
        return;
    }
    lb_contest *t = lb_contest_on(s, c, c->in_bin[k], entries, 2);
    out->r2 = lb_contest_r2(t, MIXTURE);
    out->delta = lb_contest_delta(t, MIXTURE, GLOBAL);
    lb_number legacy = lb_number_na("r2", "n/a");
    if (lb_study_ok(s))
        lb_study_take(s, lb_score_delta_unaligned(&out->r2, global_all, &legacy, s->err));
    lb_study_put(s, out->r2, "k%zu.r2.expert", k);
    lb_study_put(s, lb_contest_r2(t, GLOBAL), "k%zu.r2.global", k);
    lb_study_put(s, out->delta, "k%zu.delta_r2", k);
    lb_study_put(s, lb_contest_mae(t, MIXTURE), "k%zu.mae", k);
    lb_study_put(s, legacy, "k%zu.r2_minus_global_full", k);
    lb_contest_free(t);
}

/* Unweighted mean of the bin scores of a metallicity or temperature strip. */
static void put_group_means(lb_study *s, const bin_result *bin)
{
    static const char *const names[2][3] = {{"mh_low", "mh_mid", "mh_high"},
                                            {"teff_cool", "teff_mid", "teff_hot"}};
    const lb_bins *b = &s->data.bins;
    for (size_t axis = 0; axis < 2; axis++) {
        for (size_t strip = 0; strip < 3; strip++) {
            double sum = 0.0;
            size_t n = 0;
            for (size_t k = 0; k < s->data.n_bins; k++) {
                const size_t at = axis == 0 ? k % b->n_mh : k / b->n_mh;
                if (at == strip && isfinite(bin[k].r2.value)) {
                    sum += bin[k].r2.value;
                    n++;
                }
            }
            lb_number mean = n ? lb_number_plain(sum / (double)n, "mean_r2", "")
                               : lb_number_na("mean_r2", "n/a (no bin scored)");
            mean.oracle = true; /* of experts that true labels chose */
            lb_study_put(s, mean, "mean_bin_r2.%s", names[axis][strip]);
        }
    }
}

/* The pooled score and the scores of the bins must be able to be about the same rows. */
static void put_suspicion(lb_study *s, const lb_number *pooled, const bin_result *bin)
{
    lb_number scores[LB_BINS_MAX];
    for (size_t k = 0; k < s->data.n_bins; k++)
        scores[k] = bin[k].r2;
    const lb_suspicion look = lb_suspect(s, pooled, scores, s->data.n_bins);
    lb_number gap = lb_number_plain(look.gap, "r2_gap", "");
    gap.oracle = look.weighted.oracle;
    lb_study_put(s, look.weighted, "weighted_bin_r2");
    lb_study_put(s, gap, "weighted_minus_pooled");
    lb_study_put(s, lb_number_count(look.rows_differ), "row_sets_differ");
    lb_study_put_text(s, look.text, "suspicion");
}

/* --- what is counted ----------------------------------------------------------------------------
 */

static void put_counts(lb_study *s, const level_result *level, size_t n_levels,
                       const bin_result *bin)
{
    const lb_cohort *c = &s->data;
    const double valuable = lb_spec_number(s->spec, "thresholds.valuable");
    size_t useful = 0, improved = 0, scored = 0, least_train = SIZE_MAX, least_test = SIZE_MAX;
    for (size_t i = 0; i < n_levels; i++)
        useful += level[i].aligned.value >= valuable;
    for (size_t k = 0; k < c->n_bins; k++) {
        if (c->merged_to[k] != (int)k)
            continue;
        scored += isfinite(bin[k].delta.value);
        improved += bin[k].delta.ci_lo > 0.0;
        least_train = c->n_train[k] < least_train ? c->n_train[k] : least_train;
        least_test = c->n_test[k] < least_test ? c->n_test[k] : least_test;
    }
    lb_study_put(s, lb_number_count(n_levels), "n_levels");
    lb_study_put(s, lb_number_count(useful), "n_levels_valuable");
    lb_study_put(s, lb_number_count(scored), "n_bins");
    lb_study_put(s, lb_number_count(improved), "n_bins_improved");
    lb_study_put(s, lb_number_count(least_train), "min_n_train");
    lb_study_put(s, lb_number_count(least_test), "min_n_test");
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void table_levels(lb_study *s, const level_result *level, size_t n)
{
    static const lb_column columns[] = {
        {"noise", ""},           {"R² global, all rows", ""}, {"R² global, covered", ""},
        {"R² MoE, covered", ""}, {"ΔR² unaligned", "+"},      {"ΔR² aligned", "+"},
        {"95 % CI", "ci"},       {"n covered", ""},           {"coverage, %", ""},
        {"verdict", ""}};
    lb_record_table(s->record, "T02.1", sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < n; i++)
        lb_study_row(s, "T02.1",
                     "=%1$.1f|noise_%1$.1f.r2.global|noise_%1$.1f.r2.global.covered|"
                     "noise_%1$.1f.r2.moe|noise_%1$.1f.delta_r2|noise_%1$.1f.delta_r2.aligned|"
                     "noise_%1$.1f.delta_r2.aligned|data.n_test_covered|data.coverage_test|"
                     "noise_%1$.1f.ladder",
                     level[i].noise);
}

static void table_bins(lb_study *s, const bin_result *bin, double focus)
{
    static const lb_column columns[] = {{"k", ""},         {"name", ""},
                                        {"T_eff, K", ""},  {"[M/H], dex", ""},
                                        {"n train", ""},   {"n test", ""},
                                        {"α", ""},         {"edge", ""},
                                        {"R² expert", ""}, {"R² global", ""},
                                        {"ΔR²", "+"},      {"95 % CI", "ci"},
                                        {"MAE, dex", ""},  {"expert − global on all rows", "+"}};
    const lb_bins *b = &s->data.bins;
    lb_record_table(s->record, "T02.2", sizeof columns / sizeof *columns, columns);
    for (size_t k = 0; k < s->data.n_bins; k++) {
        const size_t t = k / b->n_mh, m = k % b->n_mh;
        if (s->data.merged_to[k] != (int)k)
            continue;
        lb_study_row(s, "T02.2",
                     "=%1$zu|=%2$s|=%3$.0f–%4$.0f|=%5$.1f to %6$.1f|k%1$zu.n_train|k%1$zu.n_test|"
                     "alpha.noise_%7$.1f.k%1$zu|alpha.noise_%7$.1f.k%1$zu.edge|k%1$zu.r2.expert|"
                     "k%1$zu.r2.global|k%1$zu.delta_r2|k%1$zu.delta_r2|k%1$zu.mae|"
                     "k%1$zu.r2_minus_global_full",
                     k, bin[k].name, b->teff[t], b->teff[t + 1], b->mh[m], b->mh[m + 1], focus);
    }
}

static void table_groups(lb_study *s)
{
    static const lb_column columns[] = {
        {"axis", ""}, {"low or cool", ""}, {"middle", ""}, {"high or hot", ""}};
    lb_record_table(s->record, "T02.3", 4, columns);
    lb_study_row(s, "T02.3", "=[M/H]|mean_bin_r2.mh_low|mean_bin_r2.mh_mid|mean_bin_r2.mh_high");
    lb_study_row(s, "T02.3",
                 "=T_eff|mean_bin_r2.teff_cool|mean_bin_r2.teff_mid|mean_bin_r2.teff_hot");
}

static void table_numbering(lb_study *s, const bin_result *bin)
{
    static const lb_column columns[] = {{"k (here)", ""}, {"name", ""}, {"main framework", ""}};
    lb_record_table(s->record, "T02.4", 3, columns);
    for (size_t k = 0; k < s->data.n_bins; k++)
        lb_study_row(s, "T02.4", "=%1$zu|=%2$s|=Bin %3$zu", k, bin[k].name, k + 1);
}

/* Chosen penalties; an optimum on the end of the given grid carries an arrow. */
static void table_penalties(lb_study *s, const level_result *level, size_t n, const lb_domains *l)
{
    lb_column columns[2 + LB_BINS_MAX] = {{"noise", ""}, {"global", ""}};
    char heads[LB_BINS_MAX][24];
    size_t used = 2;
    for (size_t k = 0; k < s->data.n_bins; k++) {
        if (l->of_bin[k] < 0)
            continue;
        snprintf(heads[k], sizeof heads[k], "k=%zu", k);
        columns[used++] = (lb_column){heads[k], ""};
    }
    lb_record_table(s->record, "T02.5", used, columns);
    for (size_t i = 0; i < n; i++) {
        lb_text cells = {0};
        lb_text_printf(&cells, "=%1$.1f|alpha.noise_%1$.1f.global.marked", level[i].noise);
        for (size_t k = 0; k < s->data.n_bins; k++)
            if (l->of_bin[k] >= 0)
                lb_text_printf(&cells, "|alpha.noise_%.1f.k%zu.marked", level[i].noise, k);
        lb_study_row(s, "T02.5", "%s", cells.s);
        lb_text_free(&cells);
    }
}

/* --- figures ------------------------------------------------------------------------------------
 */

/* One panel of F02.1: where the rows of a set lie, bin by bin. */
static void panel_of_rows(lb_figure *f, size_t col, const lb_cohort *c, const lb_side *side,
                          const size_t *count, const char *title)
{
    const lb_bins *b = &c->bins;
    lb_axes *a = lb_figure_panel(f, 0, col, 1, 2);
    double *x[2], *y[2];
    size_t n[2] = {0, 0};
    for (int j = 0; j < 2; j++) {
        x[j] = lb_xcalloc(side->n, sizeof(double));
        y[j] = lb_xcalloc(side->n, sizeof(double));
    }
    for (size_t i = 0; i < side->n; i++) {
        const int j = side->bin[i] < 0;
        x[j][n[j]] = side->teff[i];
        y[j][n[j]++] = side->mh[i];
    }
    lb_axes_title(a, title);
    lb_axes_x(a, "T_{eff} (K)", fmin(3700, b->teff[0] - 50), fmax(6050, b->teff[b->n_teff] + 50),
              LB_LINEAR);
    lb_axes_y(a, "[M/H] (dex)", fmin(-2.6, b->mh[0] - 0.1), fmax(0.85, b->mh[b->n_mh] + 0.1),
              LB_LINEAR);
    void (*draw)(lb_axes *, const double *, const double *, size_t, lb_style, const char *) =
        side->n > 3000 ? lb_plot_density : lb_plot_points;
    lb_style inside = lb_style_role(LB_MIXTURE), outside = lb_style_role(LB_MUTED);
    inside.size = outside.size = 2.0;
    draw(a, x[0], y[0], n[0], inside, "in a bin");
    if (n[1])
        draw(a, x[1], y[1], n[1], outside, "outside all bins");
    lb_style edge = lb_style_role(LB_REFERENCE);
    edge.dash = LB_DASHED;
    for (size_t t = 0; t <= b->n_teff; t++)
        lb_plot_segment(a, b->teff[t], b->mh[0], b->teff[t], b->mh[b->n_mh], edge);
    for (size_t m = 0; m <= b->n_mh; m++)
        lb_plot_segment(a, b->teff[0], b->mh[m], b->teff[b->n_teff], b->mh[m], edge);
    for (size_t k = 0; k < c->n_bins; k++) {
        const size_t t = k / b->n_mh, m = k % b->n_mh;
        char text[48];
        snprintf(text, sizeof text, "k=%zu\nn=%zu", k, count[k]);
        lb_plot_text(a, (b->teff[t] + b->teff[t + 1]) / 2, (b->mh[m] + b->mh[m + 1]) / 2, text);
    }
    for (int j = 0; j < 2; j++) {
        free(x[j]);
        free(y[j]);
    }
}

static void figure_rows(lb_study *s)
{
    const lb_cohort *c = &s->data;
    char title[2][64 + 2 * LB_COUNT_SIZE], count[2][LB_COUNT_SIZE];
    char *stem = lb_study_figure(s, "F02.1");
    snprintf(title[0], sizeof title[0], "training: %s rows, %s outside",
             lb_count_text(c->train.n, count[0]), lb_count_text(c->n_train[c->outside], count[1]));
    snprintf(title[1], sizeof title[1], "test: %s rows, %s outside",
             lb_count_text(c->test.n, count[0]), lb_count_text(c->n_test[c->outside], count[1]));
    lb_figure *f = lb_figure_new(stem, 6.5, 4.3, "The nine bins\nE02",
                                 "Training and test rows in the plane of temperature and "
                                 "metallicity with the bin edges and the rows per bin.");
    panel_of_rows(f, 0, c, &c->train, c->n_train, title[0]);
    panel_of_rows(f, 1, c, &c->test, c->n_test, title[1]);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(stem);
}

static char *sizes_line(const lb_study *s, const char *figure, double noise)
{
    char count[LB_COUNT_SIZE];
    return lb_xprintf("%s, noise %.1f, %s training rows", figure, noise,
                      lb_count_text(s->data.train.n, count));
}

static void figure_bins(lb_study *s, const bin_result *bin, const lb_number *global,
                        const lb_number *mixture, const lb_number *delta, double noise)
{
    const lb_cohort *c = &s->data;
    double y[LB_BINS_MAX + 2], lo[LB_BINS_MAX + 2], hi[LB_BINS_MAX + 2];
    const char *names[LB_BINS_MAX + 2];
    char name[LB_BINS_MAX][64], text[64];
    lb_style styles[LB_BINS_MAX + 2];
    size_t count[LB_BINS_MAX + 2], n = 0;
    for (size_t k = 0; k < c->n_bins; k++) {
        if (c->merged_to[k] != (int)k)
            continue;
        snprintf(name[n], sizeof name[n], "k=%zu %.31s", k, bin[k].name);
        names[n] = name[n];
        y[n] = bin[k].r2.value;
        lo[n] = bin[k].r2.ci_lo;
        hi[n] = bin[k].r2.ci_hi;
        styles[n] = lb_style_role(LB_ORACLE);
        count[n++] = c->n_test[k];
    }
    const lb_number *pooled[2] = {global, mixture};
    const lb_role roles[2] = {LB_GLOBAL, LB_MIXTURE};
    static const char *const pooled_names[2] = {"Global", "MoE"};
    for (size_t j = 0; j < 2; j++, n++) {
        names[n] = pooled_names[j];
        y[n] = pooled[j]->value;
        lo[n] = pooled[j]->ci_lo;
        hi[n] = pooled[j]->ci_hi;
        styles[n] = lb_style_role(roles[j]);
        count[n] = lb_rowset_size(c->covered);
    }
    char *stem = lb_study_figure(s, "F02.2"), *sizes = sizes_line(s, "E02", noise);
    char *title = lb_xprintf("Each expert in its own bin\n%s", sizes);
    lb_figure *f = lb_figure_new(stem, 6.9, 4.3, title,
                                 "Bars of R2 with intervals: nine experts on the test rows of "
                                 "their bins, then global model and mixture on all covered rows.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, n);
    lb_axes_x_counts(a, count, n);
    lb_axes_y(a, "R^{2}", 0.0, NAN, LB_LINEAR);
    lb_plot_bars(a,
                 (lb_bars){.y = y, .lo = lo, .hi = hi, .n = n, .styles = styles, .format = "%.3f"});
    snprintf(text, sizeof text, "global, covered rows: %.4f", global->value);
    lb_plot_hline(a, global->value, lb_style_role(LB_GLOBAL), text);
    snprintf(text, sizeof text, "ΔR^{2} = %+.4f", delta->value);
    lb_plot_bracket(a, (double)(n - 2), (double)(n - 1), text);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(sizes);
    free(stem);
}

static void figure_predicted(lb_study *s, const lb_moe *moe, double noise)
{
    const lb_cohort *c = &s->data;
    const lb_entry entries[] = {[GLOBAL] = {"global", moe->global.yhat_chosen, false},
                                [MIXTURE] = {"mixture", moe->mixture[0], true}};
    static const char *const names[] = {"Global Ridge", "Nine-expert mixture"};
    const lb_role roles[] = {LB_GLOBAL, LB_MIXTURE};
    lb_contest *t = lb_contest_on(s, c, c->covered, entries, 2);
    char *stem = lb_study_figure(s, "F02.3"), *sizes = sizes_line(s, "E02", noise);
    char *title = lb_xprintf("Predicted against true log g, same rows\n%s", sizes);
    lb_figure *f = lb_figure_new(stem, 6.5, 3.9, title,
                                 "Two scatter plots of predicted against true log g with the "
                                 "identity line: global model and mixture.");
    lb_figure_share_y(f);
    for (size_t j = 0; j < 2 && lb_study_ok(s); j++) {
        const lb_outcome *o = lb_contest_outcome(t, j);
        lb_axes *a = lb_figure_panel(f, 0, j, 1, 2);
        lb_style style = lb_style_role(roles[j]);
        style.size = 2.6;
        lb_axes_title(a, names[j]);
        lb_axes_x(a, "true log g (dex)", 0.5, 5.5, LB_LINEAR);
        lb_axes_y(a, "predicted log g (dex)", -0.5, 6.5, LB_LINEAR);
        lb_plot_identity(a, "identity");
        lb_plot_points(a, o->y.data, o->yhat.data, o->y.n, style, NULL);
        char *box = lb_xprintf("R^{2} = %.4f\nMAE = %.3f dex\nn = %zu", lb_contest_r2(t, j).value,
                               lb_contest_mae(t, j).value, o->y.n);
        lb_axes_box(a, box);
        free(box);
        char *series = lb_xprintf("F02.3/%s", entries[j].name);
        lb_record_series(s->record, series, o->yhat.data, o->yhat.n);
        free(series);
        if (j == 0)
            lb_record_series(s->record, "F02.3/true", o->y.data, o->y.n);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_contest_free(t);
    free(title);
    free(sizes);
    free(stem);
}

static void figure_gain(lb_study *s, const level_result *level, size_t n)
{
    double *x = lb_xcalloc(5 * n, sizeof *x), *y = x + n, *lo = y + n, *hi = lo + n, *bad = hi + n;
    const double valuable = lb_spec_number(s->spec, "thresholds.valuable");
    char text[48], count[2][LB_COUNT_SIZE];
    for (size_t i = 0; i < n; i++) {
        x[i] = level[i].noise;
        y[i] = level[i].aligned.value;
        lo[i] = level[i].aligned.ci_lo;
        hi[i] = level[i].aligned.ci_hi;
        bad[i] = level[i].unaligned.value;
    }
    char *stem = lb_study_figure(s, "F02.4");
    char *title = lb_xprintf("Gain of the mixture over the noise levels\nE02, %s training rows, "
                             "%s covered test rows",
                             lb_count_text(s->data.train.n, count[0]),
                             lb_count_text(lb_rowset_size(s->data.covered), count[1]));
    lb_figure *f = lb_figure_new(stem, 0, 0, title,
                                 "Difference of R2 between mixture and global model against the "
                                 "noise level, with intervals and the decision threshold.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_style hollow = lb_style_role(LB_NEUTRAL);
    hollow.hollow = true;
    hollow.dash = LB_DOTTED;
    lb_axes_x(a, "noise level", -0.05, 1.05, LB_LINEAR);
    lb_axes_x_ticks(a, x, n, "%.1f");
    lb_axes_y(a, "ΔR^{2} (MoE - global)", NAN, NAN, LB_LINEAR);
    lb_plot_line(a, x, bad, n, hollow, "unaligned, legacy protocol");
    lb_plot_line(a, x, y, n, lb_style_role(LB_MIXTURE), "aligned rows");
    lb_plot_errors(a, x, y, lo, hi, n, lb_style_role(LB_MIXTURE), NULL);
    lb_plot_values(a, x, y, n, "%+.4f", lb_style_role(LB_MIXTURE));
    snprintf(text, sizeof text, "threshold %.2f", valuable);
    lb_plot_hline(a, valuable, lb_style_role(LB_THRESHOLD), text);
    lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F02.4/noise", x, n);
    lb_record_series(s->record, "F02.4/aligned", y, n);
    lb_record_series(s->record, "F02.4/unaligned", bad, n);
    free(title);
    free(stem);
    free(x);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

/* Everything about the noise level the report dwells on. */
static void run_focus(lb_study *s, const lb_moe *moe, double noise, bin_result *bin)
{
    const lb_cohort *c = &s->data;
    const lb_entry entries[] = {[GLOBAL] = {"global", moe->global.yhat_chosen, false},
                                [MIXTURE] = {"mixture", moe->mixture[0], true}};
    lb_contest *all = lb_contest_on(s, c, c->all, entries, 1);
    lb_contest *covered = lb_contest_on(s, c, c->covered, entries, 2);
    const lb_number on_all = lb_contest_r2(all, GLOBAL), global = lb_contest_r2(covered, GLOBAL);
    const lb_number mixture = lb_contest_r2(covered, MIXTURE);
    const lb_number delta = lb_contest_delta(covered, MIXTURE, GLOBAL);
    for (size_t k = 0; k < c->n_bins; k++)
        put_bin(s, moe, k, &on_all, &bin[k]);
    put_group_means(s, bin);
    put_suspicion(s, &mixture, bin);
    if (lb_study_ok(s)) {
        figure_bins(s, bin, &global, &mixture, &delta, noise);
        figure_predicted(s, moe, noise);
    }
    lb_contest_free(all);
    lb_contest_free(covered);
}

static void run(lb_study *s)
{
    size_t n;
    const double *levels = lb_spec_numbers(s->spec, "noise.levels", &n);
    const double focus = lb_spec_number(s->spec, "noise.focus");
    lb_domains bins = lb_domains_bins(&s->data);
    level_result *level = lb_xcalloc(n, sizeof *level);
    bin_result bin[LB_BINS_MAX] = {0};

    for (size_t i = 0; i < n && lb_study_ok(s); i++) {
        lb_moe moe;
        level[i] = run_level(s, levels[i], &bins, &moe);
        run_legacy(s, &moe, &level[i]);
        put_penalties(s, &moe, levels[i]);
        if (levels[i] == focus)
            run_focus(s, &moe, focus, bin);
        lb_moe_free(&moe);
    }
    if (lb_study_ok(s)) {
        put_counts(s, level, n, bin);
        table_levels(s, level, n);
        table_bins(s, bin, focus);
        table_groups(s);
        table_numbering(s, bin);
        table_penalties(s, level, n, &bins);
        figure_rows(s);
        figure_gain(s, level, n);
    }
    lb_domains_free(&bins);
    free(level);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e02_piecewise",
                             "Nine local Ridge experts in (T_eff, [M/H]) bins against one global "
                             "Ridge, over the noise levels.",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
