/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E01: one global Ridge model over noise, the baseline.
 *
 * What R2 does one linear map of the spectrum reach at each noise level? Every later gain is
 * measured from here.
 * Reads   spectra of the profile and of its replication;
 * templates/experiments/e01_baseline/spec.yaml Writes  data/results/<profile>/e01_baseline.h5,
 * figures e01_*
 */
#include "core/memory.h"
#include "core/text.h"
#include "figure/plot.h"
#include "study/contest.h"
#include "study/levels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RIDGE, LEAST_SQUARES };
enum { MOST_ALPHAS = 24 };

/* One noise level of one data set, for the figures; the numbers themselves are in the record. */
typedef struct level_result {
    double noise;
    size_t n_grid;
    double alpha[MOST_ALPHAS], r2[MOST_ALPHAS], mae[MOST_ALPHAS], rmse[MOST_ALPHAS];
    size_t on_grid; /* index of the choice on the given grid */
    lb_number full, covered, ols;
    double chosen_alpha;
} level_result;

/* --- protocol -----------------------------------------------------------------------------------
 */

/* region: protocol */
/* Fit all penalties on training rows at this noise, choose on validation rows at the same noise. */
static lb_sweep *fit_global(lb_study *s, const lb_levels *levels, double noise, bool least_squares)
{
    static const bool everything[] = {true};
    const lb_member global = {"global", everything};
    lb_sweep_options options = {.groups = 1, .least_squares = least_squares};
    options.alphas.data = lb_spec_numbers(s->spec, "ridge.alphas", &options.alphas.n);
    options.extend_decades = (int)lb_spec_size(s->spec, "ridge.extend_decades");
    options.standardise = lb_spec_flag(s->spec, "ridge.standardise");
    lb_exposure seen;
    lb_sweep *sweep = NULL;
    lb_gram *train = lb_levels_gram(s, levels, noise);
    lb_cohort_expose(levels->cohort, noise, levels->seeds, &seen);
    int *one_group = lb_xcalloc(seen.val.x.rows, sizeof *one_group); /* all rows alike */
    seen.val.group = one_group;
    if (lb_study_ok(s))
        lb_study_take(
            s, lb_sweep_fit(train, &seen.val, &seen.test, &global, 1, options, &sweep, s->err));
    lb_gram_free(train);
    free(one_group);
    return sweep;
}
/* end region */

/* Scores of every penalty of the grid on the test rows: a map, from which nothing is chosen. */
static void put_landscape(lb_study *s, const lb_sweep_model *m, level_result *r)
{
    const lb_cohort *c = &s->data;
    lb_entry entries[MOST_ALPHAS];
    r->n_grid = m->n_grid;
    r->on_grid = m->on_grid.index;
    for (size_t a = 0; a < m->n_grid; a++)
        entries[a] = (lb_entry){"global", {m->yhat.data + a * m->yhat.stride, c->test.n}, false};
    lb_contest *t = lb_contest_on(s, c, c->all, entries, m->n_grid);
    for (size_t a = 0; a < m->n_grid; a++) {
        const double alpha = m->alphas.data[a];
        const lb_number r2 = lb_contest_r2(t, a), mae = lb_contest_mae(t, a);
        const lb_number rmse = lb_contest_rmse(t, a);
        lb_study_put(s, r2, "alpha_sweep.noise_%.1f.alpha_%g.r2", r->noise, alpha);
        lb_study_put(s, mae, "alpha_sweep.noise_%.1f.alpha_%g.mae", r->noise, alpha);
        lb_study_put(s, rmse, "alpha_sweep.noise_%.1f.alpha_%g.rmse", r->noise, alpha);
        r->alpha[a] = alpha;
        r->r2[a] = r2.value;
        r->mae[a] = mae.value;
        r->rmse[a] = rmse.value;
    }
    lb_contest_free(t);
}

/* The choice on the grid's end, its extension, and the legacy choice on the test rows. */
static void put_choices(lb_study *s, const lb_sweep_model *m, const level_result *r)
{
    const lb_cohort *c = &s->data;
    size_t on_test = 0;
    for (size_t a = 1; a < r->n_grid; a++)
        if (r->r2[a] >= r->r2[on_test])
            on_test = a;
    const lb_entry entries[] = {
        {"on the given grid", {m->yhat.data + m->on_grid.index * m->yhat.stride, c->test.n}, false},
        {"chosen on the test rows", {m->yhat.data + on_test * m->yhat.stride, c->test.n}, false}};
    lb_contest *t = lb_contest_on(s, c, c->all, entries, 2);
    lb_number legacy = lb_contest_r2(t, 1);
    snprintf(legacy.protocol, sizeof legacy.protocol, "legacy");
    lb_study_put(s, lb_contest_r2(t, 0), "noise_%.1f.r2.global.on_grid", r->noise);
    lb_study_put(s, legacy, "noise_%.1f.r2.global.test_alpha", r->noise);
    lb_study_put(s, lb_number_plain(m->alphas.data[on_test], "alpha", ""),
                 "noise_%.1f.alpha.global.test_alpha", r->noise);
    lb_contest_free(t);
}

/* Ridge and least squares on the same rows. */
static void put_least_squares(lb_study *s, const lb_sweep_model *m, level_result *r)
{
    const lb_cohort *c = &s->data;
    const lb_entry entries[] = {[RIDGE] = {"ridge", m->yhat_chosen, false},
                                [LEAST_SQUARES] = {"least squares", m->yhat_ols, false}};
    lb_contest *t = lb_contest_on(s, c, c->all, entries, 2);
    const lb_number delta = lb_contest_delta(t, RIDGE, LEAST_SQUARES);
    r->ols = lb_contest_r2(t, LEAST_SQUARES);
    lb_number relative = lb_number_plain(100.0 * delta.value / r->ols.value, "percent", "%");
    relative.digits = 1;
    if (!(r->ols.value > 0.0))
        relative = lb_number_na("percent", "n/a (least squares R2 <= 0)");
    lb_study_put(s, r->ols, "ridge_vs_ols.noise_%.1f.r2.ols", r->noise);
    lb_study_put(s, delta, "ridge_vs_ols.noise_%.1f.delta_r2", r->noise);
    lb_study_put(s, relative, "ridge_vs_ols.noise_%.1f.rel_gain", r->noise);
    lb_study_put(s, lb_number_plain(m->condition_ols, "condition", ""),
                 "ridge_vs_ols.noise_%.1f.condition", r->noise);
    lb_study_put_text(s, m->method_ols == 's' ? "eigenvectors" : "Cholesky",
                      "ridge_vs_ols.noise_%.1f.method", r->noise);
    lb_contest_free(t);
}

static void run_level(lb_study *s, const lb_levels *levels, double noise, level_result *r)
{
    const lb_cohort *c = &s->data;
    lb_sweep *sweep = fit_global(s, levels, noise, true);
    *r = (level_result){.noise = noise};
    if (!lb_study_ok(s))
        return;
    const lb_sweep_model m = lb_sweep_get(sweep, 0);
    const lb_entry ridge = {"global", m.yhat_chosen, false};
    lb_contest *all = lb_contest_on(s, c, c->all, &ridge, 1);
    lb_contest *covered = lb_contest_on(s, c, c->covered, &ridge, 1);
    r->full = lb_contest_r2(all, RIDGE);
    r->covered = lb_contest_r2(covered, RIDGE);
    r->chosen_alpha = m.chosen.alpha;
    lb_study_put(s, r->full, "noise_%.1f.r2.global", noise);
    lb_study_put(s, r->covered, "noise_%.1f.r2.global.covered", noise);
    lb_study_put(s, lb_contest_mae(all, RIDGE), "noise_%.1f.mae.global", noise);
    lb_study_put(s, lb_contest_rmse(all, RIDGE), "noise_%.1f.rmse.global", noise);
    lb_study_put(s, lb_contest_bias(all, RIDGE), "noise_%.1f.bias.global", noise);
    lb_study_put_alpha(s, &m, "noise_%.1f.alpha.global", noise);
    put_landscape(s, &m, r);
    put_choices(s, &m, r);
    put_least_squares(s, &m, r);
    lb_contest_free(all);
    lb_contest_free(covered);
    lb_sweep_free(sweep);
}

/* --- the larger sample --------------------------------------------------------------------------
 */

typedef struct size_result {
    double noise, base, more, gain;
} size_result;

/* The two scores belong to two test sets: their ratio is no paired difference and has no interval.
 */
static size_result run_size(lb_study *s, const lb_levels *levels, const level_result *base)
{
    size_result r = {base->noise, base->full.value, NAN, NAN};
    lb_number more = lb_number_na("r2", "not run"), alpha = lb_number_na("alpha", "not run");
    lb_number gain = lb_number_na("percent", "not run");
    if (s->has_more) {
        const lb_cohort *c = &s->more;
        lb_sweep *sweep = fit_global(s, levels, base->noise, false);
        if (!lb_study_ok(s))
            return r;
        const lb_sweep_model m = lb_sweep_get(sweep, 0);
        const lb_entry ridge = {"global, larger set", m.yhat_chosen, false};
        lb_contest *t = lb_contest_on(s, c, c->all, &ridge, 1);
        more = lb_contest_r2(t, RIDGE);
        r.more = more.value;
        r.gain = 100.0 * (r.more - r.base) / r.base;
        alpha = lb_number_plain(m.chosen.alpha, "alpha", "");
        gain = lb_number_plain(r.gain, "percent", "%");
        gain.digits = 2;
        lb_contest_free(t);
        lb_sweep_free(sweep);
    }
    lb_study_put(s, more, "size.noise_%.1f.r2_more", base->noise);
    lb_study_put(s, alpha, "size.noise_%.1f.alpha_more", base->noise);
    lb_study_put(s, gain, "size.noise_%.1f.gain", base->noise);
    return r;
}

/* --- summaries ----------------------------------------------------------------------------------
 */

static void put_summaries(lb_study *s, const level_result *level, const size_result *size, size_t n)
{
    size_t decreases = 0;
    double least = INFINITY, sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double delta = level[i].full.value - level[i].ols.value;
        decreases += i > 0 && level[i].chosen_alpha < level[i - 1].chosen_alpha;
        least = delta < least ? delta : least;
        sum += size[i].gain;
    }
    lb_number mean = lb_number_plain(sum / (double)n, "percent", "%");
    mean.digits = 2;
    lb_study_put(s, lb_number_count(decreases), "alpha_decreases");
    lb_study_put(s, lb_number_plain(least, "smallest_gain", ""), "ridge_vs_ols.min_delta_r2");
    lb_study_put(s, s->has_more ? mean : lb_number_na("percent", "not run"), "size.mean_gain");
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void table_baseline(lb_study *s, const level_result *level, size_t n)
{
    static const lb_column columns[] = {
        {"noise", ""},       {"α*", ""},       {"R², all rows", ""}, {"95 % CI", "ci"},
        {"R², covered", ""}, {"MAE, dex", ""}, {"RMSE, dex", ""},    {"bias, dex", "+"},
        {"n all", ""},       {"n covered", ""}};
    lb_record_table(s->record, "T01.1", sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < n; i++)
        lb_study_row(
            s, "T01.1",
            "=%1$.1f|noise_%1$.1f.alpha.global.marked|noise_%1$.1f.r2.global|"
            "noise_%1$.1f.r2.global|noise_%1$.1f.r2.global.covered|noise_%1$.1f.mae.global|"
            "noise_%1$.1f.rmse.global|noise_%1$.1f.bias.global|data.n_test|"
            "data.n_test_covered",
            level[i].noise);
}

static void table_landscape(lb_study *s, const level_result *level, size_t n)
{
    lb_column columns[2 + MOST_ALPHAS] = {{"noise", ""}, {"least squares", ""}};
    char heads[MOST_ALPHAS][24];
    for (size_t a = 0; a < level[0].n_grid; a++) {
        snprintf(heads[a], sizeof heads[a], "α = %g", level[0].alpha[a]);
        columns[2 + a] = (lb_column){heads[a], "best"};
    }
    lb_record_table(s->record, "T01.2", 2 + level[0].n_grid, columns);
    for (size_t i = 0; i < n; i++) {
        lb_text cells = {0};
        lb_text_printf(&cells, "=%1$.1f|ridge_vs_ols.noise_%1$.1f.r2.ols", level[i].noise);
        for (size_t a = 0; a < level[i].n_grid; a++)
            lb_text_printf(&cells, "|alpha_sweep.noise_%.1f.alpha_%g.r2", level[i].noise,
                           level[i].alpha[a]);
        lb_study_row(s, "T01.2", "%s", cells.s);
        lb_text_free(&cells);
    }
}

static void table_least_squares(lb_study *s, const level_result *level, size_t n)
{
    static const lb_column columns[] = {
        {"noise", ""},     {"R² least squares", ""}, {"R² Ridge", ""},     {"ΔR²", "+"},
        {"95 % CI", "ci"}, {"relative, %", "+"},     {"condition", ".1e"}, {"solver", ""}};
    lb_record_table(s->record, "T01.3", sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < n; i++)
        lb_study_row(s, "T01.3",
                     "=%1$.1f|ridge_vs_ols.noise_%1$.1f.r2.ols|noise_%1$.1f.r2.global|"
                     "ridge_vs_ols.noise_%1$.1f.delta_r2|ridge_vs_ols.noise_%1$.1f.delta_r2|"
                     "ridge_vs_ols.noise_%1$.1f.rel_gain|ridge_vs_ols.noise_%1$.1f.condition|"
                     "ridge_vs_ols.noise_%1$.1f.method",
                     level[i].noise);
}

static void table_size(lb_study *s, const level_result *level, size_t n)
{
    static const lb_column columns[] = {{"noise", ""},     {"R², main set", ""},
                                        {"α* main", ""},   {"R², larger set", ""},
                                        {"α* larger", ""}, {"relative gain, %", "+"}};
    lb_record_table(s->record, "T01.4", sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < n; i++)
        lb_study_row(s, "T01.4",
                     "=%1$.1f|noise_%1$.1f.r2.global|noise_%1$.1f.alpha.global|"
                     "size.noise_%1$.1f.r2_more|size.noise_%1$.1f.alpha_more|"
                     "size.noise_%1$.1f.gain",
                     level[i].noise);
    lb_study_row(s, "T01.4", "=mean|= |= |= |= |size.mean_gain");
}

static void table_choices(lb_study *s, const level_result *level, size_t n)
{
    static const lb_column columns[] = {{"noise", ""},
                                        {"α on the grid", ""},
                                        {"edge", ""},
                                        {"R² on the grid", ""},
                                        {"α extended", ""},
                                        {"R² extended", ""},
                                        {"α on test, legacy", ""},
                                        {"R² legacy", ""}};
    lb_record_table(s->record, "T01.5", sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < n; i++)
        lb_study_row(s, "T01.5",
                     "=%1$.1f|noise_%1$.1f.alpha.global.on_grid|noise_%1$.1f.alpha.global.edge|"
                     "noise_%1$.1f.r2.global.on_grid|noise_%1$.1f.alpha.global|"
                     "noise_%1$.1f.r2.global|noise_%1$.1f.alpha.global.test_alpha|"
                     "noise_%1$.1f.r2.global.test_alpha",
                     level[i].noise);
}

/* --- figures ------------------------------------------------------------------------------------
 */

static char *title_of(const lb_study *s, const char *what)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE];
    return lb_xprintf("%s\nE01, %s training and %s test rows", what,
                      lb_count_text(s->data.train.n, train), lb_count_text(s->data.test.n, test));
}

/* "0.2 (15)": the level and the median ratio of norms |flux| / |noise| it leaves. */
static void level_label(const lb_study *s, double noise, char *label, size_t size)
{
    if (noise > 0.0)
        snprintf(label, size, "%.1f (%.3g)", noise, s->median_snr / noise);
    else
        snprintf(label, size, "%.1f (no noise)", noise);
}

static void figure_landscape(lb_study *s, const level_result *level, size_t n)
{
    char *stem = lb_study_figure(s, "F01.1"), *title = title_of(s, "R^{2} against the penalty");
    double *path = lb_xcalloc(2 * n, sizeof *path);
    lb_figure *f = lb_figure_new(stem, 6.5, 4.6, title,
                                 "R2 against the penalty on a logarithmic axis, a curve for each "
                                 "noise level, with the chosen penalties joined.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x(a, "penalty α", level[0].alpha[0] / 1.6, level[0].alpha[level[0].n_grid - 1] * 1.6,
              LB_LOG10);
    lb_axes_x_zero(a, "OLS");
    lb_axes_y(a, "R^{2} on the test rows", NAN, 1.04, LB_LINEAR);
    lb_figure_legend(f, LB_PLACE_RIGHT, "noise (median SNR)");
    for (size_t i = 0; i < n; i++) {
        lb_style style = lb_style_ordered(i, n);
        char label[48], value[24];
        level_label(s, level[i].noise, label, sizeof label);
        lb_plot_line(a, level[i].alpha, level[i].r2, level[i].n_grid, style, label);
        style.marker = LB_STAR;
        style.size = 9.0;
        lb_plot_points(a, (double[]){0.0}, &level[i].ols.value, 1, style, NULL);
        path[i] = level[i].alpha[level[i].on_grid];
        path[n + i] = level[i].r2[level[i].on_grid];
        snprintf(value, sizeof value, "%.3f", path[n + i]);
        lb_plot_highlight(a, path[i], path[n + i], lb_style_ordered(i, n), value);
        char *series = lb_xprintf("F01.1/noise_%.1f", level[i].noise);
        lb_record_series(s->record, series, level[i].r2, level[i].n_grid);
        free(series);
    }
    lb_style joined = lb_style_role(LB_REFERENCE);
    joined.dash = LB_DASHED;
    lb_plot_line(a, path, path + n, n, joined, "chosen");
    lb_record_series(s->record, "F01.1/alpha", level[0].alpha, level[0].n_grid);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(path);
    free(title);
    free(stem);
}

static void figure_scores(lb_study *s, const level_result *level, size_t n)
{
    static const char *const labels[] = {"R^{2}", "MAE (dex)", "RMSE (dex)"};
    char *stem = lb_study_figure(s, "F01.2"),
         *title = title_of(s, "Three scores against the penalty");
    lb_figure *f = lb_figure_new(stem, 6.6, 8.0, title,
                                 "Three stacked panels with R2, mean absolute error and root mean "
                                 "square error against the penalty, a curve for each noise level.");
    lb_figure_share_x(f);
    lb_figure_legend(f, LB_PLACE_RIGHT, "noise level");
    for (size_t panel = 0; panel < 3; panel++) {
        lb_axes *a = lb_figure_panel(f, panel, 0, 3, 1);
        lb_axes_x(a, "penalty α", level[0].alpha[0] / 1.6,
                  level[0].alpha[level[0].n_grid - 1] * 1.6, LB_LOG10);
        lb_axes_y(a, labels[panel], panel == 0 ? NAN : 0.0, NAN, LB_LINEAR);
        for (size_t i = 0; i < n; i++) {
            const double *y = panel == 0 ? level[i].r2 : panel == 1 ? level[i].mae : level[i].rmse;
            char label[16];
            snprintf(label, sizeof label, "%.1f", level[i].noise);
            lb_plot_line(a, level[i].alpha, y, level[i].n_grid, lb_style_ordered(i, n), label);
        }
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_noise(lb_study *s, const level_result *level, size_t n)
{
    double *x = lb_xcalloc(7 * n, sizeof *x), *full = x + n, *covered = x + 4 * n;
    for (size_t i = 0; i < n; i++) {
        const lb_number *scores[] = {&level[i].full, &level[i].covered};
        x[i] = level[i].noise;
        for (size_t j = 0; j < 2; j++) {
            double *at = j == 0 ? full : covered;
            at[i] = scores[j]->value;
            at[n + i] = scores[j]->ci_lo;
            at[2 * n + i] = scores[j]->ci_hi;
        }
    }
    char *stem = lb_study_figure(s, "F01.3"), *title = title_of(s, "The baseline over noise"),
         label[48];
    lb_figure *f = lb_figure_new(stem, 0, 0, title,
                                 "R2 against the noise level for all test rows and for the covered "
                                 "rows, with bootstrap intervals.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    const lb_style red = lb_style_role(LB_GLOBAL);
    lb_style other = lb_style_role(LB_NEUTRAL);
    lb_axes_x(a, "noise level", -0.1, x[n - 1] + 0.1, LB_LINEAR);
    lb_axes_x_ticks(a, x, n, "%.1f");
    lb_axes_y(a, "R^{2}", 0.0, 1.06, LB_LINEAR);
    snprintf(label, sizeof label, "all test rows (n = %zu)", lb_rowset_size(s->data.all));
    lb_plot_line(a, x, full, n, red, label);
    lb_plot_errors(a, x, full, full + n, full + 2 * n, n, red, NULL);
    snprintf(label, sizeof label, "covered rows (n = %zu)", lb_rowset_size(s->data.covered));
    lb_plot_line(a, x, covered, n, other, label);
    lb_plot_errors(a, x, covered, covered + n, covered + 2 * n, n, other, NULL);
    lb_plot_values(a, x, full, n, "%.3f", red);
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F01.3/noise", x, n);
    lb_record_series(s->record, "F01.3/all", full, n);
    lb_record_series(s->record, "F01.3/covered", covered, n);
    free(title);
    free(stem);
    free(x);
}

static void figure_heat(lb_study *s, const level_result *level, size_t n)
{
    const size_t k = level[0].n_grid;
    double *z = lb_xcalloc(n * k, sizeof *z);
    bool *frame = lb_xcalloc(n * k, sizeof *frame);
    char rows[MOST_ALPHAS][16], cols[MOST_ALPHAS][24];
    const char *row_names[MOST_ALPHAS], *col_names[MOST_ALPHAS];
    for (size_t i = 0; i < n; i++) {
        snprintf(rows[i], sizeof rows[i], "%.1f", level[i].noise);
        row_names[i] = rows[i];
        memcpy(z + i * k, level[i].r2, k * sizeof *z);
        frame[i * k + level[i].on_grid] = true;
    }
    for (size_t a = 0; a < k; a++) {
        snprintf(cols[a], sizeof cols[a], "%g", level[0].alpha[a]);
        col_names[a] = cols[a];
    }
    char *stem = lb_study_figure(s, "F01.4"),
         *title = title_of(s, "R^{2} for every noise level and penalty");
    lb_figure *f = lb_figure_new(stem, 6.6, 4.0, title,
                                 "Heat map of R2 with a row for each noise level and a column for "
                                 "each penalty; frames mark the choice on validation rows.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, "penalty α", col_names, k);
    lb_axes_y_names(a, "noise level", row_names, n);
    lb_plot_heat(a, (lb_heat){.z = z,
                              .rows = n,
                              .cols = k,
                              .lo = 0.0,
                              .hi = 1.0,
                              .map = LB_CIVIDIS,
                              .format = "%.3f",
                              .outline = frame,
                              .label = "R^{2} on the test rows"});
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F01.4/r2", z, n * k);
    free(title);
    free(stem);
    free(frame);
    free(z);
}

static void figure_size(lb_study *s, const level_result *level, const size_result *size, size_t n)
{
    double *y = lb_xcalloc(2 * n, sizeof *y);
    char names[MOST_ALPHAS][16], texts[MOST_ALPHAS][24], label[64], count[LB_COUNT_SIZE];
    const char *name_of[MOST_ALPHAS], *text_of[MOST_ALPHAS];
    for (size_t i = 0; i < n; i++) {
        y[i] = size[i].base;
        y[n + i] = size[i].more;
        snprintf(names[i], sizeof names[i], "%.1f", level[i].noise);
        snprintf(texts[i], sizeof texts[i], "%+.2f %%", size[i].gain);
        name_of[i] = names[i];
        text_of[i] = texts[i];
    }
    char *stem = lb_study_figure(s, "F01.5");
    lb_figure *f = lb_figure_new(stem, 6.6, 4.3,
                                 "More training rows\nE01, each set scored on its own test rows",
                                 "Grouped bars of R2 for the main and the larger training set at "
                                 "each noise level with the relative gain in percent.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_style light = lb_style_role(LB_GLOBAL), dark = lb_style_role(LB_CONDITIONAL);
    light.hatch = LB_HATCH_UP;
    lb_axes_x_names(a, "noise level", name_of, n);
    lb_axes_y(a, "R^{2}", 0.0, 1.16, LB_LINEAR);
    snprintf(label, sizeof label, "%s training rows", lb_count_text(s->data.train.n, count));
    lb_plot_bars(a, (lb_bars){.y = y,
                              .n = n,
                              .series = 0,
                              .of = s->has_more ? 2 : 0,
                              .style = light,
                              .format = "%.3f",
                              .label = label});
    if (s->has_more) {
        snprintf(label, sizeof label, "%s training rows", lb_count_text(s->more.train.n, count));
        lb_plot_bars(a, (lb_bars){.y = y + n,
                                  .n = n,
                                  .series = 1,
                                  .of = 2,
                                  .style = dark,
                                  .format = "%.3f",
                                  .texts = text_of,
                                  .label = label});
    } else {
        lb_figure_note(f, "The larger set was not run.");
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F01.5/main", y, n);
    if (s->has_more)
        lb_record_series(s->record, "F01.5/larger", y + n, n);
    free(stem);
    free(y);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void run(lb_study *s)
{
    size_t n, n_alphas;
    const double *noise = lb_spec_numbers(s->spec, "noise.levels", &n);
    lb_spec_numbers(s->spec, "ridge.alphas", &n_alphas);
    if (n > MOST_ALPHAS || n_alphas > MOST_ALPHAS) {
        lb_study_take(s, LB_FAIL(s->err, LB_EINVAL, "%s: at most %d noise levels and penalties",
                                 lb_spec_path(s->spec), MOST_ALPHAS));
        return;
    }
    level_result *level = lb_xcalloc(n, sizeof *level);
    size_result *size = lb_xcalloc(n, sizeof *size);
    lb_levels rows, more = {0};
    lb_levels_open(s, &s->data, lb_noise_seeds_of(s->spec), noise, n, NULL, 1, &rows);
    for (size_t i = 0; i < n && lb_study_ok(s); i++)
        run_level(s, &rows, noise[i], &level[i]);
    lb_levels_close(&rows);
    if (s->has_more)
        lb_levels_open(s, &s->more, lb_noise_seeds_of(s->spec), noise, n, NULL, 1, &more);
    for (size_t i = 0; i < n && lb_study_ok(s); i++)
        size[i] = run_size(s, &more, &level[i]);
    lb_levels_close(&more);
    put_summaries(s, level, size, n);
    if (lb_study_ok(s)) {
        table_baseline(s, level, n);
        table_landscape(s, level, n);
        table_least_squares(s, level, n);
        table_size(s, level, n);
        table_choices(s, level, n);
        figure_landscape(s, level, n);
        figure_scores(s, level, n);
        figure_noise(s, level, n);
        figure_heat(s, level, n);
        figure_size(s, level, size, n);
    }
    free(size);
    free(level);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e01_baseline",
                             "One global Ridge model over the noise levels: the baseline of every "
                             "later comparison.",
                             run, true};
    return lb_study_main(argc, argv, &e);
}
