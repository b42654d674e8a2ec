/* SPDX-License-Identifier: GPL-3.0-or-later */
/* E13: the figures. */
#include "core/memory.h"
#include "core/text.h"
#include "experiments/e13_physical_gate/e13.h"
#include "figure/plot.h"
#include "stats/quantile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "What it shows", then in grey the form, the noise and the sizes. */
static char *title_of(const lb_study *s, const char *what, size_t f)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE];
    return lb_xprintf(
        "%s\nE13%s, noise %.1f, %s training rows, %s %stest rows", what,
        f < OUTSIDE ? e13_form[f] : "", lb_spec_number(s->spec, "noise.focus"),
        lb_count_text(s->data.train.n, train),
        lb_count_text(lb_rowset_size(f == NINE ? s->data.covered : s->data.all), test),
        f == NINE ? "covered " : "");
}

typedef struct bar {
    const char *name, *text; /* text: a second line beside the value, NULL: none */
    lb_number x;
    lb_style style;
} bar;

/* Bars with intervals; an n/a number is a slot that says so. */
static void draw_bars(lb_axes *a, const bar *b, size_t n, const char *label, const char *format)
{
    enum { MOST = 16 };
    const char *names[MOST] = {NULL}, *texts[MOST] = {NULL};
    double y[MOST], lo[MOST], hi[MOST];
    lb_style styles[MOST];
    size_t rows[MOST];
    bool told = false, counted = true;
    for (size_t i = 0; i < n && i < MOST; i++) {
        names[i] = b[i].name;
        texts[i] = b[i].text ? b[i].text : "";
        told = told || b[i].text;
        y[i] = b[i].x.value;
        lo[i] = b[i].x.ci_lo;
        hi[i] = b[i].x.ci_hi;
        styles[i] = b[i].style;
        rows[i] = b[i].x.n;
        counted = counted && rows[i];
    }
    lb_axes_x_names(a, NULL, names, n);
    if (counted)
        lb_axes_x_counts(a, rows, n);
    lb_axes_y(a, label, NAN, NAN, LB_LINEAR);
    lb_plot_bars(a, (lb_bars){.y = y,
                              .lo = lo,
                              .hi = hi,
                              .n = n,
                              .styles = styles,
                              .format = format,
                              .texts = told ? texts : NULL});
}

/* Retentions: bars with intervals, or, where the oracle's gain reaches zero and they have none,
 * points. */
static void draw_retentions(lb_figure *f, lb_axes *a, const bar *b, size_t n, const char *label,
                            const char *format)
{
    enum { MOST = 16 };
    const char *names[MOST] = {NULL};
    double x[MOST], y[MOST];
    size_t rows[MOST];
    bool bare = false;
    for (size_t i = 0; i < n && i < MOST; i++) {
        names[i] = b[i].name;
        x[i] = (double)i;
        y[i] = b[i].x.value;
        rows[i] = b[i].x.n;
        bare = bare || e13_is_bare(&b[i].x);
    }
    if (!bare) {
        draw_bars(a, b, n, label, format);
        return;
    }
    lb_axes_x_names(a, NULL, names, n);
    lb_axes_x_counts(a, rows, n);
    lb_axes_y(a, label, NAN, NAN, LB_LINEAR);
    for (size_t i = 0; i < n && i < MOST; i++) {
        lb_style style = b[i].style;
        style.marker = LB_CIRCLE;
        style.size = 6.0;
        lb_plot_points(a, &x[i], &y[i], 1, style, NULL);
    }
    lb_plot_values(a, x, y, n, format, lb_style_role(LB_NEUTRAL));
    lb_figure_note(f, "Points: ρ without an interval, because that of the oracle's gain reaches "
                      "zero.");
}

static void threshold(const lb_study *s, lb_axes *a, const char *name, const char *what)
{
    char path[48], text[64];
    snprintf(path, sizeof path, "thresholds.%s", name);
    const double at = lb_spec_number(s->spec, path);
    snprintf(text, sizeof text, "%s %.2f", what, at);
    lb_style style = lb_style_role(LB_THRESHOLD);
    if (strcmp(name, "rho_good") == 0)
        style.dash = LB_DOTTED;
    lb_plot_hline(a, at, style, text);
}

static bool any_told(const lb_number *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!*x[i].na)
            return true;
    return false;
}

static lb_style style_of(size_t method)
{
    static const lb_role roles[] = {[GLOBAL] = LB_GLOBAL, [ORACLE] = LB_ORACLE};
    if (method <= ORACLE)
        return lb_style_role(roles[method]);
    lb_style style = lb_style_role(LB_MIXTURE);
    style.hatch = method == HARD ? LB_HATCH_UP : method == TRUSTED ? LB_HATCH_DOTS : LB_PLAIN;
    return style;
}

static void figure_confusion(lb_study *s, const draw *d, const lb_domains *domains, size_t f,
                             const char *id)
{
    const size_t n = domains[f].n;
    lb_confusion *m = lb_gate_confusion(s, &s->data, e13_rows(s, f), &domains[f],
                                        lb_mat_const(d->form[f].gate.test));
    if (!lb_study_ok(s))
        return;
    double *z = lb_xcalloc(n * n, sizeof *z);
    char names[LB_BINS_MAX][48];
    const char *name_of[LB_BINS_MAX];
    static const char *const cells[] = {"Metal-poor", "Solar", "Metal-rich"};
    for (size_t t = 0; t < n; t++) {
        char bin[32];
        if (f == NINE)
            lb_bins_name(&s->data.bins, (int)t, bin);
        snprintf(names[t], sizeof names[t], f == NINE ? "%s" : "%s", f == NINE ? bin : cells[t]);
        name_of[t] = names[t];
        const double rows = (double)lb_confusion_rows(m, t);
        for (size_t k = 0; k < n; k++) {
            const double count = (double)lb_confusion_count(m, t, k);
            z[t * n + k] = f == THREE ? count : rows > 0.0 ? count / rows : NAN;
        }
    }
    char *what = lb_xprintf("The cell the gate names: accuracy %.1f %%",
                            100.0 * lb_confusion_accuracy(m).value);
    char *stem = lb_study_figure(s, id), *title = title_of(s, what, f);
    lb_figure *fig = lb_figure_new(stem, f == NINE ? 6.5 : 5.6, f == NINE ? 5.8 : 4.4, title,
                                   "Heat map of true cells against the cells named by the gate.");
    lb_axes *a = lb_figure_panel(fig, 0, 0, 1, 1);
    lb_axes_x_names(a, "named by the gate", name_of, n);
    lb_axes_y_names(a, "true", name_of, n);
    lb_plot_heat(a, (lb_heat){.z = z,
                              .rows = n,
                              .cols = n,
                              .lo = 0.0,
                              .hi = f == NINE ? 1.0 : NAN,
                              .map = LB_CIVIDIS,
                              .format = f == NINE ? "%.2f" : "%.0f",
                              .label = f == NINE ? "share of the true cell" : "test rows"});
    lb_study_take(s, lb_figure_close(fig, s->err));
    lb_confusion_free(m);
    free(what);
    free(title);
    free(stem);
    free(z);
}

/* rho beside R2 for the three routings. */
static void figure_routings(lb_study *s, const result *r)
{
    bar score[5], rho[3];
    static const char *const names[] = {"global", "oracle", "hard", "soft", "soft + fallback"};
    for (size_t m = 0; m < METHODS; m++)
        score[m] = (bar){names[m], NULL, r->r2[THREE][m], style_of(m)};
    for (size_t m = HARD; m < METHODS; m++)
        rho[m - HARD] = (bar){names[m], NULL, r->rho[THREE][m], style_of(m)};
    char *stem = lb_study_figure(s, "F13.2");
    char *title = title_of(s, "Three ways of following the gate", THREE);
    lb_figure *f = lb_figure_new(stem, 6.5, 4.3, title,
                                 "Left: retained share of the oracle's gain for hard and soft "
                                 "routing, with thresholds. Right: their R2 beside global model "
                                 "and oracle.");
    const bool told = any_told(&r->rho[THREE][HARD], 3);
    if (told) {
        lb_axes *a = lb_figure_panel(f, 0, 0, 1, 2);
        draw_retentions(f, a, rho, 3, "retention ρ of the oracle's gain", "%.2f");
        threshold(s, a, "rho_min", "least");
        threshold(s, a, "rho_good", "usable");
    } else {
        lb_figure_note(f, "No retention: the oracle gains too little.");
    }
    lb_axes *b = lb_figure_panel(f, 0, told ? 1 : 0, 1, told ? 2 : 1);
    draw_bars(b, score, METHODS, "R^{2}", "%.3f");
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

/* Where a histogram of rho begins and ends. A ratio has outliers: the axis follows the interval, or
 * the middle of the draws if there is none, and what lies beyond is counted. */
static void range_of(const lb_number *rho, const rho_draws *d, double least, double *lo, double *hi)
{
    double *sorted = lb_xcalloc(d->n, sizeof *sorted);
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        if (isfinite(d->all[i]))
            sorted[n++] = d->all[i];
    lb_sort(sorted, n);
    *lo = fmin(least, e13_is_bare(rho) ? lb_quantile(sorted, n, 0.05) : rho->ci_lo) - 0.3;
    *hi = (e13_is_bare(rho) ? lb_quantile(sorted, n, 0.95) : rho->ci_hi) + 0.3;
    free(sorted);
}

static void mark_centre(lb_axes *a, const lb_number *rho, const rho_draws *d)
{
    char text[64];
    if (e13_is_bare(rho)) {
        snprintf(text, sizeof text, "median %.2f; no mean, no interval", d->median.value);
        lb_plot_vline(a, d->median.value, lb_style_role(LB_NEUTRAL), text);
        return;
    }
    lb_style interval = lb_style_category(0);
    interval.dash = LB_DOTTED;
    snprintf(text, sizeof text, "mean of all %.3f", d->mean.value);
    lb_plot_vline(a, d->mean.value, lb_style_role(LB_NEUTRAL), text);
    snprintf(text, sizeof text, "95 %% interval %.3f to %.3f", rho->ci_lo, rho->ci_hi);
    lb_plot_vline(a, rho->ci_lo, interval, text);
    lb_plot_vline(a, rho->ci_hi, interval, NULL);
}

/* Not drawn where there is no rho. */
static void figure_bootstrap(lb_study *s, const result *r)
{
    const lb_number *rho = &r->rho[THREE][TRUSTED];
    const rho_draws *d = &r->drawn[THREE];
    const double least = lb_spec_number(s->spec, "thresholds.rho_min");
    double lo, hi;
    size_t n = 0, beyond = 0;
    char text[192];
    if (*rho->na)
        return;
    double *draws = lb_xcalloc(d->n, sizeof *draws);
    range_of(rho, d, least, &lo, &hi);
    for (size_t i = 0; i < d->n; i++) {
        beyond += d->all[i] < lo || d->all[i] > hi;
        if (d->all[i] >= lo && d->all[i] <= hi)
            draws[n++] = d->all[i];
    }
    char *stem = lb_study_figure(s, "F13.3");
    char *title = title_of(s, "Bootstrap distribution of the retention, soft + fallback", THREE);
    lb_figure *f = lb_figure_new(stem, 6.4, 4.6, title,
                                 "Histogram of the resampled retention with its centre, the ends "
                                 "of its interval if it has one, and the decision thresholds.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_style strict = lb_style_role(LB_THRESHOLD);
    strict.dash = LB_DASHDOT;
    lb_axes_x(a, "retention ρ", lo, hi, LB_LINEAR);
    lb_axes_y(a, "resamples", 0.0, NAN, LB_LINEAR);
    snprintf(text, sizeof text, "%zu of %zu resamples", n, d->n);
    lb_plot_histogram(a, draws, n, 0, lb_style_role(LB_MIXTURE), text);
    mark_centre(a, rho, d);
    snprintf(text, sizeof text, "least %.2f", least);
    lb_plot_vline(a, least, lb_style_role(LB_THRESHOLD), text);
    snprintf(text, sizeof text, "usable %.2f", lb_spec_number(s->spec, "thresholds.rho_good"));
    lb_plot_vline(a, lb_spec_number(s->spec, "thresholds.rho_good"), strict, text);
    snprintf(text, sizeof text,
             "In %.1f %% of the resamples the oracle gains nothing: they have no ρ. Another %zu "
             "lie beyond the ends of the axis.",
             d->left_out.value, beyond);
    lb_figure_note(f, text);
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F13.3/draws", draws, n);
    free(draws);
    free(title);
    free(stem);
}

static void figure_ablations(lb_study *s, const lb_number *rho)
{
    bar b[ABLATIONS];
    if (!any_told(rho, ABLATIONS))
        return;
    for (size_t a = 0; a < ABLATIONS; a++) {
        b[a] = (bar){e13_ablation_name[a], NULL, rho[a], lb_style_role(LB_MIXTURE)};
        if (a >= P90)
            b[a].style = lb_style_role(LB_MUTED);
    }
    char *stem = lb_study_figure(s, "F13.4");
    char *title = title_of(s, "What the gate needs to see", THREE);
    lb_figure *f = lb_figure_new(stem, 6.5, 4.4, title,
                                 "Bars of the retention with all features and with groups of them "
                                 "left out, with both thresholds.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    draw_retentions(f, a, b, ABLATIONS, "retention ρ, soft routing", "%.2f");
    threshold(s, a, "rho_min", "least");
    threshold(s, a, "rho_good", "usable");
    lb_figure_note(f, "Grey: all features, measured otherwise.");
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_predicted(lb_study *s, const draw *d)
{
    static const char *const names[] = {"Global", "Oracle", "Hard", "Soft", "Soft + fallback"};
    static const size_t order[] = {ORACLE, GLOBAL, HARD, SOFT, TRUSTED};
    lb_entry entries[METHODS];
    e13_entries(d, THREE, entries);
    lb_contest *t = lb_contest_on(s, &s->data, s->data.all, entries, METHODS);
    char *stem = lb_study_figure(s, "F13.5");
    char *title = title_of(s, "Predicted against true log g, same rows", THREE);
    lb_figure *f = lb_figure_new(stem, 6.5, 5.4, title,
                                 "Five scatter plots of predicted against true log g: oracle, "
                                 "global model and the three routings.");
    lb_figure_share_y(f);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    for (size_t i = 0; i < METHODS && lb_study_ok(s); i++) {
        const size_t m = order[i];
        const lb_outcome *o = lb_contest_outcome(t, m);
        lb_axes *a = lb_figure_panel(f, i / 3, i % 3, 2, 3);
        lb_style style = style_of(m);
        style.marker = LB_CIRCLE;
        style.size = 2.0;
        char *head = lb_xprintf("%s: R^{2} = %.4f", names[m], lb_contest_r2(t, m).value);
        lb_axes_title(a, head);
        lb_axes_x(a, "true log g (dex)", 0.5, 5.5, LB_LINEAR);
        lb_axes_y(a, "predicted (dex)", -0.5, 6.5, LB_LINEAR);
        lb_plot_identity(a, "identity");
        lb_plot_points(a, o->y.data, o->yhat.data, o->y.n, style, NULL);
        free(head);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_contest_free(t);
    free(title);
    free(stem);
}

static void figure_importance(lb_study *s, const draw *d, size_t f, const double *weight,
                              const char *id)
{
    const lb_gate_inputs *in = &d->form[f].in;
    static const char *const families[] = {"Ca II", "Na I", "PCA"};
    const char *names[MOST_FEATURES];
    for (size_t j = 0; j < in->n; j++)
        names[j] = in->name[j];
    char *stem = lb_study_figure(s, id);
    char *title = title_of(s, "Which features the gate leans on", f);
    lb_figure *fig = lb_figure_new(stem, 6.5, 4.2, title,
                                   "Bars of the mean absolute coefficient of each standardised "
                                   "feature, coloured by family.");
    lb_axes *a = lb_figure_panel(fig, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, in->n);
    lb_axes_y(a, "mean |coefficient|, standardised", 0.0, NAN, LB_LINEAR);
    for (size_t g = 0; g < 3; g++) {
        double y[MOST_FEATURES];
        lb_style style = lb_style_category(g == 0 ? 4 : g == 1 ? 0 : 2);
        style.hatch = g == 0 ? LB_PLAIN : g == 1 ? LB_HATCH_UP : LB_HATCH_DOTS;
        for (size_t j = 0; j < in->n; j++) {
            y[j] = strcmp(e13_family(in->name[j]), families[g]) == 0 ? weight[j] : 0.0;
        }
        lb_plot_bars(a, (lb_bars){.y = y, .n = in->n, .style = style, .label = families[g]});
    }
    lb_study_take(s, lb_figure_close(fig, s->err));
    char *series = lb_xprintf("%s/coefficient", id);
    lb_record_series(s->record, series, weight, in->n);
    free(series);
    free(title);
    free(stem);
}

static void figure_nine(lb_study *s, const result *r)
{
    static const size_t methods[] = {GLOBAL, ORACLE, SOFT, TRUSTED};
    static const char *const names[] = {"global", "oracle", "soft", "soft + fallback"};
    char texts[4][32];
    bar b[4];
    for (size_t i = 0; i < 4; i++) {
        const lb_number *rho = &r->rho[NINE][methods[i]];
        if (methods[i] <= ORACLE)
            *texts[i] = '\0';
        else if (*rho->na)
            snprintf(texts[i], sizeof texts[i], "ρ n/a");
        else
            snprintf(texts[i], sizeof texts[i], "ρ = %.2f", rho->value);
        b[i] = (bar){names[i], texts[i], r->r2[NINE][methods[i]], style_of(methods[i])};
    }
    char *stem = lb_study_figure(s, "F13.7");
    char *title = title_of(s, "Nine experts behind the gate", NINE);
    lb_figure *f = lb_figure_new(stem, 6.4, 4.6, title,
                                 "Bars of R2 for global model, oracle, soft gate and soft gate "
                                 "with fallback, with the threshold and the retention.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    draw_bars(a, b, 4, "R^{2}", "%.4f");
    threshold(s, a, "r2_nine", "threshold");
    if (e13_is_bare(&r->rho[NINE][SOFT]))
        lb_figure_note(f, "ρ has no interval, because that of the oracle's gain reaches zero.");
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_bins(lb_study *s, const bin_result *bin)
{
    static const size_t methods[] = {ORACLE, GLOBAL, SOFT};
    static const char *const labels[] = {"oracle", "global", "gate, soft"};
    const size_t n = s->data.n_bins;
    double y[3][LB_BINS_MAX], lo[3][LB_BINS_MAX], hi[3][LB_BINS_MAX];
    const char *names[LB_BINS_MAX];
    size_t rows[LB_BINS_MAX];
    for (size_t k = 0; k < n; k++) {
        names[k] = bin[k].name;
        rows[k] = bin[k].n;
        for (size_t j = 0; j < 3; j++) {
            y[j][k] = bin[k].r2[methods[j]].value;
            lo[j][k] = bin[k].r2[methods[j]].ci_lo;
            hi[j][k] = bin[k].r2[methods[j]].ci_hi;
        }
    }
    char *stem = lb_study_figure(s, "F13.9");
    char *title = title_of(s, "Bin by bin", NINE);
    lb_figure *f = lb_figure_new(stem, 6.5, 4.6, title,
                                 "Grouped bars of R2 with intervals in each of the nine bins: "
                                 "oracle, global model and soft gate, from zero.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, n);
    lb_axes_x_counts(a, rows, n);
    lb_axes_y(a, "R^{2} on the rows of the bin", NAN, NAN, LB_LINEAR);
    for (size_t j = 0; j < 3; j++)
        lb_plot_bars(a, (lb_bars){.y = y[j],
                                  .lo = lo[j],
                                  .hi = hi[j],
                                  .n = n,
                                  .series = j,
                                  .of = 3,
                                  .style = style_of(methods[j]),
                                  .label = labels[j]});
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_rho_nine(lb_study *s, const result *r)
{
    static const char *const names[] = {"hard", "soft", "soft + fallback"};
    bar b[3];
    if (!any_told(&r->rho[NINE][HARD], 3))
        return;
    for (size_t m = HARD; m < METHODS; m++)
        b[m - HARD] = (bar){names[m - HARD], NULL, r->rho[NINE][m], style_of(m)};
    char *stem = lb_study_figure(s, "F13.10");
    char *title = title_of(s, "How much of the oracle's gain is kept", NINE);
    lb_figure *f = lb_figure_new(stem, 6.0, 4.4, title,
                                 "Bars of the retention for three routings with intervals, the "
                                 "threshold and the oracle's own level.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    draw_retentions(f, a, b, 3, "retention ρ of the oracle's gain", "%.3f");
    threshold(s, a, "rho_nine", "threshold");
    lb_plot_hline(a, 1.0, lb_style_role(LB_ORACLE), "oracle 1.00");
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_coverage(lb_study *s, const lb_number score[STRATEGIES][C_SETS])
{
    static const char *const labels[] = {"covered rows", "rows outside", "all rows"};
    char *stem = lb_study_figure(s, "F13.12");
    char *title = title_of(s, "Nine experts for every row", OUTSIDE);
    lb_figure *f = lb_figure_new(stem, 6.5, 4.6, title,
                                 "Grouped bars of R2 on covered rows, rows outside and all rows "
                                 "for the strategies of full coverage.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, e13_strategy_name, STRATEGIES);
    lb_axes_y(a, "R^{2}", NAN, NAN, LB_LINEAR);
    for (size_t q = 0; q < C_SETS; q++) {
        double y[STRATEGIES], lo[STRATEGIES], hi[STRATEGIES];
        lb_style style = lb_style_category(q == 0 ? 4 : q == 1 ? 0 : 2);
        style.hatch = q == 0 ? LB_PLAIN : q == 1 ? LB_HATCH_UP : LB_HATCH_DOTS;
        for (size_t m = 0; m < STRATEGIES; m++) {
            y[m] = score[m][q].value;
            lo[m] = score[m][q].ci_lo;
            hi[m] = score[m][q].ci_hi;
        }
        lb_text label = {0};
        char count[LB_COUNT_SIZE];
        lb_text_printf(&label, "%s, n = %s", labels[q], lb_count_text(score[0][q].n, count));
        lb_plot_bars(a, (lb_bars){.y = y,
                                  .lo = lo,
                                  .hi = hi,
                                  .n = STRATEGIES,
                                  .series = q,
                                  .of = C_SETS,
                                  .style = style,
                                  .format = "%.2f",
                                  .label = label.s});
        lb_text_free(&label);
    }
    lb_figure_note(f, "10th expert and both fallbacks are told by true labels which rows lie "
                      "outside; edge clamp and the ten-class gate are not.");
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_seeds(lb_study *s, const result *r)
{
    double x[2][MOST_SEEDS], y[2][MOST_SEEDS], lo[2][MOST_SEEDS], hi[2][MOST_SEEDS];
    char names[MOST_SEEDS][24];
    const char *name_of[MOST_SEEDS];
    for (size_t i = 0; i < r->n_seeds; i++) {
        snprintf(names[i], sizeof names[i], "seed %zu", (size_t)r->seed[i]);
        name_of[i] = names[i];
        for (size_t f = THREE; f <= NINE; f++) {
            x[f][i] = (double)i + (f == THREE ? -0.12 : 0.12);
            y[f][i] = r->seed_gain[f][i].value;
            lo[f][i] = r->seed_gain[f][i].ci_lo;
            hi[f][i] = r->seed_gain[f][i].ci_hi;
        }
    }
    char *stem = lb_study_figure(s, "F13.13");
    char *title = title_of(s, "The gain of the soft gate over noise draws", OUTSIDE);
    lb_figure *f = lb_figure_new(stem, 6.4, 4.2, title,
                                 "Gain of the soft gate over the global model with intervals for "
                                 "each noise draw, three experts and nine.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, name_of, r->n_seeds);
    lb_axes_y(a, "ΔR^{2} (soft gate - global)", NAN, NAN, LB_LINEAR);
    lb_plot_errors(a, x[THREE], y[THREE], lo[THREE], hi[THREE], r->n_seeds, lb_style_category(4),
                   "three experts, all rows");
    lb_plot_errors(a, x[NINE], y[NINE], lo[NINE], hi[NINE], r->n_seeds, lb_style_category(0),
                   "nine experts, covered rows");
    lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), "zero");
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F13.13/three", y[THREE], r->n_seeds);
    lb_record_series(s->record, "F13.13/nine", y[NINE], r->n_seeds);
    free(title);
    free(stem);
}

void e13_figures(lb_study *s, const draw *d, const lb_domains *domains, const result *r)
{
    figure_confusion(s, d, domains, THREE, "F13.1");
    figure_routings(s, r);
    figure_bootstrap(s, r);
    figure_ablations(s, r->ablated);
    figure_predicted(s, d);
    figure_importance(s, d, THREE, r->weight[THREE], "F13.6");
    figure_nine(s, r);
    figure_confusion(s, d, domains, NINE, "F13.8");
    figure_bins(s, r->bin);
    figure_rho_nine(s, r);
    figure_importance(s, d, NINE, r->weight[NINE], "F13.11");
    figure_coverage(s, r->coverage);
    figure_seeds(s, r);
}
