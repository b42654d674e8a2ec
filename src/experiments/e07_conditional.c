/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E07: one linear model whose weights vary smoothly with metallicity.
 *
 * Does phi = [x, m x] or [x, m x, m^2 x], m the true [M/H], replace the nine discrete experts? Both
 * are told true labels, and both are scored on the same rows.
 * Reads   spectra of the profile; templates/experiments/e07_conditional/spec.yaml
 * Writes  data/results/<profile>/e07_conditional.h5, figures e07_*
 */
#include "core/memory.h"
#include "figure/plot.h"
#include "models/conditional.h"
#include "stats/verdict.h"
#include "study/moe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORDERS = 3, MOE = 5, MODELS };
enum { GROUPS = LB_BINS_MAX }; /* strips of [M/H], at most */

/* Base variable 0 is m as it stands, variable 1 is m standardised on the training rows. */
static const lb_monomial literal[] = {{{0}}, {{1}}, {{2}}};
static const lb_monomial scaled[] = {{{0}}, {{0, 1}}, {{0, 2}}};

static const lb_conditional_member members[] = {
    {"order 0", .conditions = {.term = literal, .n = 1}},
    {"order 1", .conditions = {.term = literal, .n = 2}},
    {"order 2", .conditions = {.term = literal, .n = 3}},
    {"order 1, standardised", .conditions = {.term = scaled, .n = 2, .plain = true}},
    {"order 2, standardised", .conditions = {.term = scaled, .n = 3, .plain = true}},
};
static const char *const keys[MODELS] = {"order_0",        "order_1",        "order_2",
                                         "order_1_scaled", "order_2_scaled", "moe"};

/* Base variables of the three sets. */
typedef struct scalars {
    lb_mat train, val, test;
} scalars;

/* What the figures need; the numbers themselves are in the record. */
typedef struct result {
    lb_number all[MODELS], covered[MODELS], delta[ORDERS];
    double alpha[ORDERS], mae[MODELS];
    size_t pixels;
} result;

static lb_mat scalars_of(const lb_side *side, double mean, double sd)
{
    lb_mat v = lb_mat_new(side->n, 2);
    for (size_t i = 0; i < side->n; i++) {
        v.data[2 * i] = side->mh[i];
        v.data[2 * i + 1] = (side->mh[i] - mean) / sd;
    }
    return v;
}

static scalars scalars_open(const lb_cohort *c)
{
    double mean = 0.0, square = 0.0;
    for (size_t i = 0; i < c->train.n; i++)
        mean += c->train.mh[i] / (double)c->train.n;
    for (size_t i = 0; i < c->train.n; i++)
        square += (c->train.mh[i] - mean) * (c->train.mh[i] - mean) / (double)c->train.n;
    const double sd = square > 0.0 ? sqrt(square) : 1.0;
    return (scalars){scalars_of(&c->train, mean, sd), scalars_of(&c->val, mean, sd),
                     scalars_of(&c->test, mean, sd)};
}

/* region: protocol */
/* Every order from one pass of weighted Grams; penalties by validation at the same noise. */
static lb_conditional *fit(lb_study *s, const scalars *m, double noise, size_t n_members)
{
    const lb_cohort *c = &s->data;
    lb_conditional *out = NULL;
    lb_conditional_options o = {0};
    lb_exposure seen;
    if (!lb_study_ok(s))
        return NULL;
    o.alphas.data = lb_spec_numbers(s->spec, "ridge.alphas", &o.alphas.n);
    o.extend_decades = (int)lb_spec_size(s->spec, "ridge.extend_decades");
    lb_cohort_expose(c, noise, lb_noise_seeds_of(s->spec), &seen);
    const lb_conditional_labelled train = {
        {seen.train.x, lb_mat_const(m->train)}, {c->train.target, c->train.n}, NULL};
    const lb_conditional_labelled val = {
        {seen.val.x, lb_mat_const(m->val)}, {c->val.target, c->val.n}, NULL};
    const lb_conditional_rows test = {seen.test, lb_mat_const(m->test)};
    lb_study_take(s, lb_conditional_run(&train, &val, &test, members, n_members, o, &out, s->err));
    return out;
}
/* end region */

/* --- one noise level ----------------------------------------------------------------------------
 */

static void put_level(lb_study *s, const lb_conditional *c, double noise)
{
    lb_entry entries[ORDERS];
    if (!lb_study_ok(s))
        return;
    for (size_t k = 0; k < ORDERS; k++)
        entries[k] = (lb_entry){members[k].name, lb_conditional_get(c, k).yhat_chosen, k > 0};
    lb_contest *t = lb_contest_on(s, &s->data, s->data.all, entries, ORDERS);
    for (size_t k = 0; k < ORDERS; k++) {
        const lb_sweep_model m = lb_conditional_get(c, k);
        lb_study_put(s, lb_contest_r2(t, k), "noise_%.1f.%s.r2", noise, keys[k]);
        lb_study_put_alpha(s, &m, "noise_%.1f.%s.alpha", noise, keys[k]);
    }
    lb_study_put(s, lb_contest_delta(t, 1, 0), "noise_%.1f.order_1.delta_r2", noise);
    lb_study_put(s, lb_contest_delta(t, 2, 1), "noise_%.1f.order_2.step", noise);
    lb_contest_free(t);
}

/* --- the reference noise in detail --------------------------------------------------------------
 */

/* What the first publication divided: a score on all rows less one on covered rows, over a gain on
 * covered rows. */
static void put_published_share(lb_study *s, const lb_number *all, const lb_number *global_covered,
                                const lb_number *gain, const char *key)
{
    lb_number mixed = lb_number_na("r2", "failed");
    if (lb_study_ok(s))
        lb_study_take(s, lb_score_delta_unaligned(all, global_covered, &mixed, s->err));
    lb_number share = lb_number_plain(100.0 * mixed.value / gain->value, "share_unaligned", "%");
    share.digits = 1;
    share.oracle = true;
    lb_study_put(s, share, "%s.share_published", key);
}

static void put_order(lb_study *s, const lb_contest *all, const lb_contest *covered, size_t k,
                      const lb_conditional *c, result *r)
{
    const lb_sweep_model m = lb_conditional_get(c, k);
    r->all[k] = lb_contest_r2(all, k);
    r->covered[k] = lb_contest_r2(covered, k);
    r->mae[k] = lb_contest_mae(all, k).value;
    lb_study_put_alpha(s, &m, "%s.alpha", keys[k]);
    lb_study_put(s, lb_number_count(members[k].conditions.n * r->pixels), "%s.dim", keys[k]);
    lb_study_put(s, r->all[k], "%s.r2", keys[k]);
    lb_study_put(s, r->covered[k], "%s.r2.covered", keys[k]);
    lb_study_put(s, lb_contest_mae(all, k), "%s.mae", keys[k]);
    if (k == 0)
        return;
    const lb_number gain = lb_contest_delta(covered, MOE, 0);
    lb_study_put(s, lb_contest_delta(all, k, 0), "%s.delta_r2", keys[k]);
    lb_study_put(s, lb_contest_delta(covered, k, 0), "%s.delta_r2.covered", keys[k]);
    lb_study_put(s, lb_contest_share(all, k, 0, MOE), "%s.share.full", keys[k]);
    lb_study_put(s, lb_contest_share(covered, k, 0, MOE), "%s.share.covered", keys[k]);
    put_published_share(s, &r->all[k], &r->covered[0], &gain, keys[k]);
    if (k < ORDERS)
        r->delta[k] = lb_contest_delta(all, k, 0);
}

/* Orders, variants and the nine experts on the same rows; the experts with the global model as
 * fallback where all rows are scored. */
static void put_focus(lb_study *s, const lb_conditional *c, const lb_moe *moe, result *r)
{
    lb_entry all[MODELS], covered[MODELS];
    if (!lb_study_ok(s))
        return;
    for (size_t k = 0; k < MOE; k++)
        all[k] = covered[k] =
            (lb_entry){members[k].name, lb_conditional_get(c, k).yhat_chosen, k > 0};
    all[MOE] = (lb_entry){"nine experts + fallback", moe->with_fallback[0], true};
    covered[MOE] = (lb_entry){"nine experts", moe->mixture[0], true};
    lb_contest *a = lb_contest_on(s, &s->data, s->data.all, all, MODELS);
    lb_contest *b = lb_contest_on(s, &s->data, s->data.covered, covered, MODELS);
    for (size_t k = 0; k < MOE; k++)
        put_order(s, a, b, k, c, r);
    r->all[MOE] = lb_contest_r2(a, MOE);
    r->covered[MOE] = lb_contest_r2(b, MOE);
    r->mae[MOE] = lb_contest_mae(a, MOE).value;
    lb_study_put(s, r->all[MOE], "moe.r2");
    lb_study_put(s, r->covered[MOE], "moe.r2.covered");
    lb_study_put(s, lb_contest_delta(a, MOE, 0), "moe.delta_r2");
    lb_study_put(s, lb_contest_delta(b, MOE, 0), "moe.delta_r2.covered");
    lb_study_put(s, lb_contest_delta(a, 1, 0), "paired.order_1_0");
    lb_study_put(s, lb_contest_delta(a, 2, 1), "paired.order_2_1");
    lb_study_put(s, lb_contest_delta(a, 1, MOE), "paired.order_1_moe");
    lb_study_put(s, lb_contest_delta(b, 1, MOE), "paired.order_1_moe.covered");
    lb_study_put(s, lb_contest_delta(a, 3, 1), "paired.scaled_1");
    lb_study_put(s, lb_contest_delta(a, 4, 2), "paired.scaled_2");
    lb_study_put(s, lb_contest_delta(a, 4, 3), "paired.order_2_1_scaled");
    lb_contest_free(a);
    lb_contest_free(b);
}

/* Strips of [M/H], the two outside the bins included. */
static size_t group_edges(const lb_cohort *c, double *edges, char (*names)[48])
{
    const lb_bins *b = &c->bins;
    size_t n = 0;
    edges[0] = -INFINITY;
    for (size_t m = 0; m <= b->n_mh && n + 1 < GROUPS + 1; m++)
        edges[++n] = b->mh[m];
    edges[++n] = INFINITY;
    for (size_t g = 0; g < n; g++) {
        if (g == 0)
            snprintf(names[g], sizeof names[g], "below %.1f", edges[1]);
        else if (g + 1 == n)
            snprintf(names[g], sizeof names[g], "above %.1f", edges[g]);
        else
            snprintf(names[g], sizeof names[g], "%.1f to %.1f", edges[g], edges[g + 1]);
    }
    return n;
}

static void put_groups(lb_study *s, const lb_conditional *c, const lb_moe *moe)
{
    static const lb_column columns[] = {{"[M/H], dex", ""},   {"n test", ""},
                                        {"R² order 0", ""},   {"R² order 1", ""},
                                        {"R² order 2", ""},   {"R² experts + fallback", ""},
                                        {"ΔR² order 1", "+"}, {"95 % CI", "ci"}};
    const lb_cohort *d = &s->data;
    const size_t fewest = lb_spec_size(s->spec, "bins.minimum_test");
    double edges[GROUPS + 2];
    char names[GROUPS + 1][48];
    const size_t n = group_edges(d, edges, names);
    bool *keep = lb_xcalloc(d->test.n, sizeof *keep);
    lb_entry entries[ORDERS + 1];
    for (size_t k = 0; k < ORDERS; k++)
        entries[k] = (lb_entry){members[k].name, lb_conditional_get(c, k).yhat_chosen, k > 0};
    entries[ORDERS] = (lb_entry){"nine experts + fallback", moe->with_fallback[0], true};
    lb_record_table(s->record, "T07.3", sizeof columns / sizeof *columns, columns);
    for (size_t g = 0; g < n && lb_study_ok(s); g++) {
        size_t count = 0;
        for (size_t i = 0; i < d->test.n; i++)
            count += keep[i] = d->test.mh[i] >= edges[g] && d->test.mh[i] < edges[g + 1];
        lb_number none = lb_number_na("r2", "n/a (n<10)"), r2[ORDERS + 1], delta = none;
        for (size_t k = 0; k <= ORDERS; k++)
            r2[k] = none;
        if (count >= fewest) {
            char *name = lb_xprintf("test rows with [M/H] %s", names[g]);
            lb_rowset *rows = lb_rowset_where(d->all, name, keep);
            lb_contest *t = lb_contest_on(s, d, rows, entries, ORDERS + 1);
            for (size_t k = 0; k <= ORDERS; k++)
                r2[k] = lb_contest_r2(t, k);
            delta = lb_contest_delta(t, 1, 0);
            lb_contest_free(t);
            lb_rowset_free(rows);
            free(name);
        }
        lb_study_put(s, lb_number_count(count), "group_%zu.n_test", g);
        for (size_t k = 0; k < ORDERS; k++)
            lb_study_put(s, r2[k], "group_%zu.%s", g, keys[k]);
        lb_study_put(s, r2[ORDERS], "group_%zu.moe", g);
        lb_study_put(s, delta, "group_%zu.delta_r2", g);
        lb_study_row(
            s, "T07.3",
            "=%2$s|group_%1$zu.n_test|group_%1$zu.order_0|group_%1$zu.order_1|"
            "group_%1$zu.order_2|group_%1$zu.moe|group_%1$zu.delta_r2|group_%1$zu.delta_r2",
            g, names[g]);
    }
    free(keep);
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void table_orders(lb_study *s)
{
    static const lb_column columns[] = {{"model", ""},
                                        {"dim", ""},
                                        {"α", ""},
                                        {"R²", ""},
                                        {"95 % CI", "ci"},
                                        {"MAE, dex", ".3f"},
                                        {"ΔR² vs order 0", "+"},
                                        {"95 % CI", "ci"},
                                        {"share of MoE, all rows", ".2f"},
                                        {"share of MoE, covered", ".2f"},
                                        {"share as published, %", ""}};
    lb_record_table(s->record, "T07.1", sizeof columns / sizeof *columns, columns);
    lb_study_row(
        s, "T07.1",
        "=order 0|order_0.dim|order_0.alpha.marked|order_0.r2|order_0.r2|order_0.mae|=|=|=|="
        "|=");
    for (size_t k = 1; k < MOE; k++)
        lb_study_row(s, "T07.1",
                     "=%2$s|%1$s.dim|%1$s.alpha.marked|%1$s.r2|%1$s.r2|%1$s.mae|%1$s.delta_r2|"
                     "%1$s.delta_r2|%1$s.share.full|%1$s.share.covered|%1$s.share_published",
                     keys[k], members[k].name);
}

static void table_paired(lb_study *s)
{
    static const lb_column columns[] = {
        {"difference", ""}, {"rows", ""}, {"ΔR²", "+"}, {"95 % CI", "ci"}};
    static const char *const rows[][3] = {
        {"order 1 − order 0", "all", "paired.order_1_0"},
        {"order 2 − order 1", "all", "paired.order_2_1"},
        {"order 2 − order 1, m standardised, main effects", "all", "paired.order_2_1_scaled"},
        {"order 1 − experts with fallback", "all", "paired.order_1_moe"},
        {"order 1 − experts", "covered", "paired.order_1_moe.covered"},
        {"order 1: m standardised, main effects − as it stands", "all", "paired.scaled_1"},
        {"order 2: m standardised, main effects − as it stands", "all", "paired.scaled_2"}};
    lb_record_table(s->record, "T07.2", 4, columns);
    for (size_t q = 0; q < sizeof rows / sizeof *rows; q++)
        lb_study_row(s, "T07.2", "=%1$s|=%2$s|%3$s|%3$s", rows[q][0], rows[q][1], rows[q][2]);
}

static void table_levels(lb_study *s, const double *noise, size_t n)
{
    static const lb_column columns[] = {{"noise", ""},
                                        {"R² order 0", ""},
                                        {"R² order 1", ""},
                                        {"R² order 2", ""},
                                        {"order 1 − order 0", "+"},
                                        {"95 % CI", "ci"},
                                        {"order 2 − order 1", "+"},
                                        {"95 % CI", "ci"},
                                        {"α 0", ""},
                                        {"α 1", ""},
                                        {"α 2", ""}};
    lb_record_table(s->record, "T07.4", sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < n; i++)
        lb_study_row(s, "T07.4",
                     "=%1$.1f|noise_%1$.1f.order_0.r2|noise_%1$.1f.order_1.r2|"
                     "noise_%1$.1f.order_2.r2|noise_%1$.1f.order_1.delta_r2|"
                     "noise_%1$.1f.order_1.delta_r2|noise_%1$.1f.order_2.step|"
                     "noise_%1$.1f.order_2.step|noise_%1$.1f.order_0.alpha.marked|"
                     "noise_%1$.1f.order_1.alpha.marked|noise_%1$.1f.order_2.alpha.marked",
                     noise[i]);
}

/* --- figures ------------------------------------------------------------------------------------
 */

static lb_figure *figure(lb_study *s, const char *id, double width, double height,
                         const char *title, const char *alt)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE], *stem = lb_study_figure(s, id);
    char *text =
        lb_xprintf("%s\nE07, noise %.1f, %s training and %s test rows", title,
                   lb_spec_number(s->spec, "noise.focus"), lb_count_text(s->data.train.n, train),
                   lb_count_text(s->data.test.n, test));
    lb_figure *f = lb_figure_new(stem, width, height, text, alt);
    free(stem);
    free(text);
    return f;
}

static void panel_of_orders(lb_figure *f, size_t col, const lb_number *r2, const char *title,
                            const char *rows, const char *moe)
{
    static const size_t shown[] = {0, 1, 2, MOE};
    const char *names[] = {"order 0", "order 1", "order 2", moe};
    const lb_role roles[] = {LB_GLOBAL, LB_CONDITIONAL, LB_CONDITIONAL, LB_MIXTURE};
    double y[4], lo[4], hi[4];
    size_t count[4];
    lb_style styles[4];
    lb_axes *a = lb_figure_panel(f, 0, col, 1, 2);
    for (size_t k = 0; k < 4; k++) {
        y[k] = r2[shown[k]].value;
        lo[k] = r2[shown[k]].ci_lo;
        hi[k] = r2[shown[k]].ci_hi;
        count[k] = r2[shown[k]].n;
        styles[k] = lb_style_role(roles[k]);
    }
    lb_axes_title(a, title);
    lb_axes_x_names(a, NULL, names, 4);
    lb_axes_x_counts(a, count, 4);
    lb_axes_y(a, "R^{2}", 0.0, NAN, LB_LINEAR);
    lb_plot_bars(a,
                 (lb_bars){.y = y, .lo = lo, .hi = hi, .n = 4, .styles = styles, .format = "%.4f"});
    char text[2][64];
    snprintf(text[0], sizeof text[0], "global, %s: %.4f", rows, y[0]);
    snprintf(text[1], sizeof text[1], "experts, %s: %.4f", rows, y[3]);
    lb_plot_hline(a, y[0], lb_style_role(LB_GLOBAL), text[0]);
    lb_plot_hline(a, y[3], lb_style_role(LB_MIXTURE), text[1]);
}

static void figure_orders(lb_study *s, const result *r)
{
    lb_figure *f =
        figure(s, "F07.1", 6.9, 4.2, "Conditional orders and nine experts on one row set",
               "Bars of R2 with intervals for orders zero to two and the nine experts: "
               "on all test rows and on covered test rows.");
    lb_figure_share_y(f);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    panel_of_orders(f, 0, r->all, "all test rows", "all", "experts + fallback");
    panel_of_orders(f, 1, r->covered, "covered test rows", "covered", "experts");
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_trend(lb_study *s, const result *r)
{
    double x[ORDERS] = {0.0, 1.0, 2.0}, y[ORDERS], lo[ORDERS], hi[ORDERS];
    for (size_t k = 0; k < ORDERS; k++) {
        y[k] = r->all[k].value;
        lo[k] = r->all[k].ci_lo;
        hi[k] = r->all[k].ci_hi;
    }
    lb_figure *f = figure(s, "F07.2", 0, 3.9, "Score against the order of the condition",
                          "R2 on all test rows against the order with an interval band, and the "
                          "nine experts with fallback as a line.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes_x(a, "order in [M/H]", -0.15, 2.15, LB_LINEAR);
    lb_axes_x_ticks(a, x, ORDERS, "%.0f");
    lb_axes_y(a, "R^{2}, all test rows", NAN, NAN, LB_LINEAR);
    lb_plot_band(a, x, lo, hi, ORDERS, lb_style_role(LB_CONDITIONAL), "95 % interval");
    lb_plot_line(a, x, y, ORDERS, lb_style_role(LB_CONDITIONAL), "conditional Ridge");
    lb_plot_values(a, x, y, ORDERS, "%.4f", lb_style_role(LB_CONDITIONAL));
    char text[64];
    snprintf(text, sizeof text, "experts + fallback: %.4f", r->all[MOE].value);
    lb_plot_hline(a, r->all[MOE].value, lb_style_role(LB_MIXTURE), text);
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_alpha(lb_study *s, const result *r)
{
    const double x[ORDERS] = {0.0, 1.0, 2.0};
    char text[ORDERS][48];
    const char *texts[ORDERS];
    for (size_t k = 0; k < ORDERS; k++) {
        snprintf(text[k], sizeof text[k], "%g, %zu columns", r->alpha[k], (k + 1) * r->pixels);
        texts[k] = text[k];
    }
    lb_figure *f = figure(s, "F07.3", 0, 3.6, "Penalty chosen for each order",
                          "Chosen penalty on a logarithmic axis against the order, with the "
                          "number of columns of the design.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    double least = INFINITY, most = 0.0;
    for (size_t k = 0; k < ORDERS; k++) {
        least = fmin(least, r->alpha[k]);
        most = fmax(most, r->alpha[k]);
    }
    lb_axes_x(a, "order in [M/H]", -0.3, 2.7, LB_LINEAR);
    lb_axes_x_ticks(a, x, ORDERS, "%.0f");
    lb_axes_y(a, "chosen penalty", least / 10.0, most * 10.0, LB_LOG10);
    lb_plot_line(a, x, r->alpha, ORDERS, lb_style_role(LB_CONDITIONAL), NULL);
    lb_plot_labels(a, x, r->alpha, texts, ORDERS, lb_style_role(LB_CONDITIONAL));
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_predicted(lb_study *s, const lb_conditional *c, const result *r)
{
    const lb_cohort *d = &s->data;
    double edges[GROUPS + 2];
    char names[GROUPS + 1][48], label[64];
    const size_t n = group_edges(d, edges, names);
    double *x = lb_xcalloc(2 * d->test.n, sizeof *x), *y = x + d->test.n;
    lb_figure *f = figure(s, "F07.4", 6.9, 4.2, "Predicted against true log g by metallicity",
                          "Two scatter plots of predicted against true log g, coloured by strip "
                          "of metallicity: order zero and order one.");
    lb_figure_share_y(f);
    lb_figure_legend(f, LB_PLACE_ABOVE, "[M/H]");
    for (size_t k = 0; k < 2; k++) {
        lb_axes *a = lb_figure_panel(f, 0, k, 1, 2);
        const lb_cvec yhat = lb_conditional_get(c, k).yhat_chosen;
        lb_axes_title(a, members[k].name);
        lb_axes_x(a, "true log g (dex)", 0.5, 5.5, LB_LINEAR);
        lb_axes_y(a, "predicted log g (dex)", -0.5, 6.5, LB_LINEAR);
        for (size_t g = 0; g < n; g++) {
            size_t count = 0;
            for (size_t i = 0; i < d->test.n; i++)
                if (d->test.mh[i] >= edges[g] && d->test.mh[i] < edges[g + 1]) {
                    x[count] = d->test.target[i];
                    y[count++] = yhat.data[i];
                }
            lb_style style = lb_style_category(g);
            style.size = 3.2;
            snprintf(label, sizeof label, "%s", names[g]);
            if (count && count <= 3000)
                lb_plot_points(a, x, y, count, style, label);
            else if (count)
                lb_plot_density(a, x, y, count, style, label);
        }
        lb_plot_identity(a, NULL);
        char *box = lb_xprintf("R^{2} = %.4f\nMAE = %.3f dex\nn = %zu", r->all[k].value, r->mae[k],
                               d->test.n);
        lb_axes_box(a, box);
        free(box);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    free(x);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

/* The published decision, in words: which of the two models to keep. */
static void put_ladder(lb_study *s, const result *r)
{
    const lb_rung rung = lb_ladder(&r->delta[1], lb_spec_number(s->spec, "thresholds.valuable"));
    lb_study_put_text(s, lb_rung_word(rung), "order_1.ladder");
}

static void run(lb_study *s)
{
    size_t n;
    const double *levels = lb_spec_numbers(s->spec, "noise.levels", &n);
    const double focus = lb_spec_number(s->spec, "noise.focus");
    scalars m = scalars_open(&s->data);
    lb_domains nine = lb_domains_bins(&s->data);
    result *r = lb_xcalloc(1, sizeof *r);
    r->pixels = lb_spectra_wave(s->data.split.test).n;
    for (size_t i = 0; i < n && lb_study_ok(s); i++) {
        const bool in_detail = levels[i] == focus;
        lb_conditional *c = fit(s, &m, levels[i], in_detail ? MOE : ORDERS);
        put_level(s, c, levels[i]);
        if (in_detail && lb_study_ok(s)) {
            lb_moe moe;
            lb_moe_fit(s, &s->data, focus, lb_noise_seeds_of(s->spec), &nine, 1, &moe);
            put_focus(s, c, &moe, r);
            for (size_t k = 0; k < ORDERS; k++)
                r->alpha[k] = lb_conditional_get(c, k).chosen.alpha;
            if (lb_study_ok(s)) {
                put_groups(s, c, &moe);
                figure_predicted(s, c, r);
            }
            lb_moe_free(&moe);
        }
        lb_conditional_free(c);
    }
    if (lb_study_ok(s)) {
        put_ladder(s, r);
        table_orders(s);
        table_paired(s);
        table_levels(s, levels, n);
        figure_orders(s, r);
        figure_trend(s, r);
        figure_alpha(s, r);
    }
    free(r);
    lb_domains_free(&nine);
    free(m.train.data);
    free(m.val.data);
    free(m.test.data);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e07_conditional",
                             "One Ridge whose weights vary with [M/H], first and second order, "
                             "against nine experts.",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
