/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figures of E18; the protocol is in e18_oracle_headroom.c. */
#include "experiments/e18_oracle_headroom/e18.h"

#include "core/memory.h"
#include "core/text.h"
#include "figure/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static lb_figure *figure_new(lb_study *s, const char *id, const result *r, double w, double h,
                             const char *what, const char *alt)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE];
    char *stem = lb_study_figure(s, id);
    char *title = lb_xprintf("%s\nE18, noise %.1f, %s training rows, %s covered test rows", what,
                             r->noise, lb_count_text(s->data.train.n, train),
                             lb_count_text(lb_rowset_size(s->data.covered), test));
    lb_figure *f = lb_figure_new(stem, w, h, title, alt);
    free(title);
    free(stem);
    return f;
}

static void line_at(lb_axes *a, double y, const char *what, lb_role role)
{
    char text[48];
    snprintf(text, sizeof text, "%s %.2f", what, y);
    lb_plot_hline(a, y, lb_style_role(role), text);
}

/* Bars of numbers with their intervals; styles NULL: all as `role`. */
static void bars_of(lb_axes *a, const lb_number *const *x, size_t n, size_t series, size_t of,
                    lb_role role, const lb_style *styles, const char *format, const char *label)
{
    double y[BINS], lo[BINS], hi[BINS];
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i]->value;
        lo[i] = x[i]->ci_lo;
        hi[i] = x[i]->ci_hi;
    }
    lb_plot_bars(a, (lb_bars){.y = y,
                              .lo = lo,
                              .hi = hi,
                              .n = n,
                              .series = series,
                              .of = of,
                              .style = lb_style_role(role),
                              .styles = styles,
                              .format = format,
                              .label = label});
}

/* One number of each cell: where it is found in a bin_result. */
#define EACH_BIN(r, field, out)                                                                    \
    const lb_number *out[BINS];                                                                    \
    for (size_t k_ = 0; k_ < BINS; k_++)                                                           \
    out[k_] = &(r)->bin[k_].field

static void name_bins(const lb_study *s, const result *r, lb_axes *a)
{
    char name[BINS][40];
    const char *names[BINS];
    for (size_t k = 0; k < BINS; k++) {
        snprintf(name[k], sizeof name[k], "k=%zu %s", k, r->bin[k].name);
        names[k] = name[k];
    }
    lb_axes_x_names(a, NULL, names, BINS);
    lb_axes_x_counts(a, s->data.n_test, BINS);
}

/* A 3 x 3 map: rows by temperature, columns by metallicity, whole words on both. A range that is
 * the same on both sides of zero is one of differences. */
static void heat_of(const lb_study *s, lb_axes *a, const double *z, double lo, double hi,
                    const char *format, const size_t *count, const char *title, const char *label)
{
    const bool balanced = lo < 0.0 && hi == -lo;
    static const char *const strip[] = {"metal-poor", "solar", "metal-rich"};
    const lb_bins *b = &s->data.bins;
    char row[3][40], text[BINS][32];
    const char *rows[3], *texts[BINS];
    for (size_t t = 0; t < 3; t++) {
        snprintf(row[t], sizeof row[t], "%.0f–%.0f K", b->teff[t], b->teff[t + 1]);
        rows[t] = row[t];
    }
    for (size_t k = 0; k < BINS; k++) {
        snprintf(text[k], sizeof text[k], "n=%zu", count ? count[k] : 0);
        texts[k] = text[k];
    }
    lb_axes_title(a, title);
    lb_axes_x_names(a, NULL, strip, 3);
    lb_axes_y_names(a, NULL, rows, 3);
    lb_plot_heat(a, (lb_heat){.z = z,
                              .rows = 3,
                              .cols = 3,
                              .lo = lo,
                              .hi = hi,
                              .map = balanced ? LB_BALANCE : LB_CIVIDIS,
                              .format = format,
                              .texts = count ? texts : NULL,
                              .label = label});
}

static void values_of(const lb_number *const *x, double *z)
{
    for (size_t k = 0; k < BINS; k++)
        z[k] = x[k]->value;
}

static void bars_of_gain(lb_study *s, const result *r, lb_axes *a)
{
    EACH_BIN(r, delta, delta);
    lb_style styles[BINS];
    const double low = lb_spec_number(s->spec, "thresholds.dr2_scaling"),
                 middle = lb_spec_number(s->spec, "thresholds.dr2_continue"),
                 high = lb_spec_number(s->spec, "thresholds.dr2_strong");
    double least = 0.0, most = 1.1 * high;
    char slot[BINS][24];
    const char *names[BINS];
    for (size_t k = 0; k < BINS; k++) {
        const double d = delta[k]->value;
        styles[k] = lb_style_role(d >= high     ? LB_ORACLE
                                  : d >= middle ? LB_MIXTURE
                                  : d >= low    ? LB_CONDITIONAL
                                                : LB_MUTED);
        snprintf(slot[k], sizeof slot[k], "%zu", k);
        names[k] = slot[k];
        least = fmin(least, isfinite(delta[k]->ci_lo) ? delta[k]->ci_lo : 0.0);
        most = fmax(most, isfinite(delta[k]->ci_hi) ? delta[k]->ci_hi : 0.0);
    }
    lb_axes_x_names(a, "cell k", names, BINS);
    lb_axes_y(a, "ΔR^{2} (oracle - global)", 1.05 * least, 1.05 * most, LB_LINEAR);
    bars_of(a, delta, BINS, 0, 0, LB_ORACLE, styles, NULL, NULL);
    line_at(a, low, "line", LB_REFERENCE);
    line_at(a, middle, "continue", LB_THRESHOLD);
    line_at(a, high, "strong", LB_NEUTRAL);
}

static void figure_dashboard(lb_study *s, const result *r)
{
    EACH_BIN(r, oracle, oracle);
    EACH_BIN(r, global, global);
    double z[2][BINS], hi = 0.0, lo = 0.0;
    values_of(oracle, z[0]);
    values_of(global, z[1]);
    for (size_t k = 0; k < 2 * BINS; k++) {
        hi = fmax(hi, z[k / BINS][k % BINS]);
        lo = fmin(lo, z[k / BINS][k % BINS]);
    }
    lb_figure *f = figure_new(s, "F18.1", r, 6.5, 6.6, "Oracle headroom at a glance",
                              "Four panels: overall R2 of global model and oracle, gain per cell, "
                              "and maps of R2 per cell for oracle and global model.");
    static const char *const names[] = {"global", "oracle"};
    const lb_number *overall[] = {&r->r2[COVERED][GLOBAL], &r->r2[COVERED][ORACLE]};
    const lb_style styles[] = {lb_style_role(LB_GLOBAL), lb_style_role(LB_ORACLE)};
    char text[48];
    lb_axes *a = lb_figure_panel(f, 0, 0, 2, 2);
    snprintf(text, sizeof text, "overall, covered: ΔR^{2} = %+.4f", r->delta.value);
    lb_axes_title(a, text);
    lb_axes_x_names(a, NULL, names, 2);
    lb_axes_y(a, "R^{2}", fmin(0.0, 1.1 * overall[1]->ci_lo), fmax(0.7, 1.1 * overall[1]->ci_hi),
              LB_LINEAR);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_figure_note(f, "Panel b: green from the highest line on, blue from the middle one, orange "
                      "from the lowest, grey below it.");
    bars_of(a, overall, 2, 0, 0, LB_GLOBAL, styles, "%.3f", NULL);
    line_at(a, lb_spec_number(s->spec, "thresholds.r2_oracle"), "threshold", LB_THRESHOLD);
    lb_axes *b = lb_figure_panel(f, 0, 1, 2, 2);
    lb_axes_title(b, "gain per cell");
    bars_of_gain(s, r, b);
    heat_of(s, lb_figure_panel(f, 1, 0, 2, 2), z[0], lo, hi, "%.2f", NULL, "oracle", "R^{2}");
    heat_of(s, lb_figure_panel(f, 1, 1, 2, 2), z[1], lo, hi, "%.2f", NULL, "global", "R^{2}");
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F18.1/oracle", z[0], BINS);
    lb_record_series(s->record, "F18.1/global", z[1], BINS);
}

/* The remaining maps: gain, rows, error. */
static void figure_maps(lb_study *s, const result *r)
{
    const lb_cohort *c = &s->data;
    EACH_BIN(r, delta, delta);
    EACH_BIN(r, mae, mae);
    double z[BINS], train[BINS], test[BINS], widest = 0.0;
    values_of(delta, z);
    for (size_t k = 0; k < BINS; k++)
        widest = fmax(widest, fabs(z[k]));
    lb_figure *f = figure_new(s, "F18.2", r, 6.0, 4.4, "Gain of the oracle in each cell",
                              "Map of the gain in R2 of the oracle over the global model, with the "
                              "test rows of each cell.");
    heat_of(s, lb_figure_panel(f, 0, 0, 1, 1), z, -widest, widest, "%+.3f", c->n_test, NULL,
            "ΔR^{2} (oracle - global)");
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F18.2/delta_r2", z, BINS);
    for (size_t k = 0; k < BINS; k++) {
        train[k] = (double)c->n_train[k];
        test[k] = (double)c->n_test[k];
    }
    f = figure_new(s, "F18.5", r, 6.5, 3.6, "Rows in each cell",
                   "Maps of the number of training and of test rows per cell.");
    heat_of(s, lb_figure_panel(f, 0, 0, 1, 2), train, NAN, NAN, "%.0f", NULL, "training", "rows");
    heat_of(s, lb_figure_panel(f, 0, 1, 1, 2), test, NAN, NAN, "%.0f", NULL, "test", "rows");
    lb_study_take(s, lb_figure_close(f, s->err));
    values_of(mae, z);
    f = figure_new(s, "F18.6", r, 6.0, 4.4, "Mean absolute error of the oracle in each cell",
                   "Map of the mean absolute error of the oracle per cell, with the test rows.");
    heat_of(s, lb_figure_panel(f, 0, 0, 1, 1), z, NAN, NAN, "%.2f", c->n_test, NULL, "MAE (dex)");
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F18.6/mae", z, BINS);
}

/* Two scores side by side in every cell. */
static void figure_pairs(lb_study *s, const result *r)
{
    char text[48];
    EACH_BIN(r, oracle, oracle);
    EACH_BIN(r, global, global);
    EACH_BIN(r, soft, soft);
    lb_figure *f = figure_new(s, "F18.3", r, 6.5, 4.2, "Oracle and global model in each cell",
                              "Grouped bars of R2 per cell for global model and oracle, with the "
                              "overall score of the global model.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    name_bins(s, r, a);
    lb_axes_y(a, "R^{2} inside the cell", NAN, NAN, LB_LINEAR);
    bars_of(a, global, BINS, 0, 2, LB_GLOBAL, NULL, NULL, "global");
    bars_of(a, oracle, BINS, 1, 2, LB_ORACLE, NULL, NULL, "oracle");
    snprintf(text, sizeof text, "global, all cells: %.3f", r->r2[COVERED][GLOBAL].value);
    lb_style overall = lb_style_role(LB_REFERENCE);
    overall.dash = LB_DASHED;
    lb_plot_hline(a, r->r2[COVERED][GLOBAL].value, overall, text);
    lb_study_take(s, lb_figure_close(f, s->err));
    f = figure_new(s, "F18.10", r, 6.5, 4.2, "Oracle and soft gate in each cell",
                   "Grouped bars of R2 per cell for the oracle and the soft gate.");
    a = lb_figure_panel(f, 0, 0, 1, 1);
    name_bins(s, r, a);
    lb_axes_y(a, "R^{2} inside the cell", NAN, NAN, LB_LINEAR);
    bars_of(a, oracle, BINS, 0, 2, LB_ORACLE, NULL, NULL, "oracle");
    bars_of(a, soft, BINS, 1, 2, LB_MIXTURE, NULL, NULL, "soft gate");
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_amplification(lb_study *s, const result *r)
{
    char name[2][48], text[64];
    const char *names[] = {name[0], name[1]};
    const lb_number *gain[] = {&r->gain[0], &r->gain[1]};
    const size_t rows[] = {r->gain[0].n, r->gain[1].n};
    const lb_style styles[] = {lb_style_role(LB_MUTED), lb_style_role(LB_ORACLE)};
    lb_figure *f = figure_new(
        s, "F18.4", r, 5.6, 4.2, "The gain at two noise levels, same rows",
        "Bars of the gain at the reference noise and at noise one, with the ratio of the two.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    snprintf(name[0], sizeof name[0], "noise %.1f, measured", r->reference);
    snprintf(name[1], sizeof name[1], "noise %.1f, measured", r->noise);
    lb_axes_x_names(a, NULL, names, 2);
    lb_axes_x_counts(a, rows, 2);
    lb_axes_y(a, "ΔR^{2} (oracle - global)", NAN, NAN, LB_LINEAR);
    bars_of(a, gain, 2, 0, 0, LB_ORACLE, styles, "%+.4f", NULL);
    line_at(a, lb_spec_number(s->spec, "thresholds.dr2_continue"), "continue", LB_THRESHOLD);
    if (*r->amplification.na)
        snprintf(text, sizeof text, "ratio n/a");
    else if (!isfinite(r->amplification.ci_lo))
        snprintf(text, sizeof text, "ratio %.2f (no interval)", r->amplification.value);
    else
        snprintf(text, sizeof text, "ratio %.2f (%.2f to %.2f)", r->amplification.value,
                 r->amplification.ci_lo, r->amplification.ci_hi);
    lb_plot_bracket(a, 0.0, 1.0, text);
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_methods(lb_study *s, const result *r)
{
    static const char *const names[] = {"global", "hard gate", "soft gate", "oracle"};
    static const size_t order[] = {GLOBAL, HARD, SOFT, ORACLE};
    static const lb_role roles[] = {LB_GLOBAL, LB_CONDITIONAL, LB_MIXTURE, LB_ORACLE};
    const lb_number *x[4];
    lb_style styles[4];
    char text[48];
    for (size_t i = 0; i < 4; i++) {
        x[i] = &r->r2[COVERED][order[i]];
        styles[i] = lb_style_role(roles[i]);
    }
    lb_figure *f = figure_new(
        s, "F18.7", r, 5.8, 4.2, "What the gate makes of the experts",
        "Bars of R2 for the global model, hard and soft gate and the oracle on the covered rows.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, 4);
    lb_axes_y(a, "R^{2}, covered rows", NAN, NAN, LB_LINEAR);
    bars_of(a, x, 4, 0, 0, LB_GLOBAL, styles, "%.4f", NULL);
    snprintf(text, sizeof text, "ΔR^{2} = %+.4f", x[2]->value - x[0]->value);
    lb_plot_bracket(a, 0.0, 2.0, text);
    snprintf(text, sizeof text, "ΔR^{2} = %+.4f", r->delta.value);
    lb_plot_bracket(a, 0.0, 3.0, text);
    lb_study_take(s, lb_figure_close(f, s->err));
}

/* Where the oracle gains nothing there is nothing to keep a share of: the gains themselves then. */
static void figure_retention(lb_study *s, const result *r)
{
    static const char *const names[] = {"hard gate", "soft gate", "oracle"};
    const lb_number *rho[] = {&r->rho[COVERED][HARD], &r->rho[COVERED][SOFT]};
    const lb_number *gain[] = {&r->gate_gain[HARD], &r->gate_gain[SOFT], &r->delta};
    const lb_style styles[] = {lb_style_role(LB_CONDITIONAL), lb_style_role(LB_MIXTURE),
                               lb_style_role(LB_ORACLE)};
    const bool none = *rho[0]->na && *rho[1]->na;
    lb_figure *f = figure_new(s, "F18.8", r, 5.6, 4.0,
                              none ? "The oracle gains nothing of which a gate could keep a share"
                                   : "Share of the oracle's gain that the gate keeps",
                              "Bars of the retention of the hard and of the soft gate with the two "
                              "decision lines, or of their gains where there is no retention.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, none ? 3 : 2);
    lb_axes_y(a, none ? "ΔR^{2} against the global model" : "retention ρ", NAN, NAN, LB_LINEAR);
    if (none) {
        bars_of(a, gain, 3, 0, 0, LB_MIXTURE, styles, "%+.4f", NULL);
        line_at(a, lb_spec_number(s->spec, "thresholds.dr2_continue"), "continue", LB_THRESHOLD);
    } else {
        if (!isfinite(rho[0]->ci_lo) || !isfinite(rho[1]->ci_lo))
            lb_figure_note(f, "No interval: that of the oracle's gain reaches zero, so the share "
                              "may be anything.");
        bars_of(a, rho, 2, 0, 0, LB_MIXTURE, styles, "%.3f", NULL);
        line_at(a, lb_spec_number(s->spec, "thresholds.rho_deploy"), "deploy", LB_THRESHOLD);
        line_at(a, lb_spec_number(s->spec, "thresholds.rho_abandon"), "give up", LB_REFERENCE);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void square_heat(lb_study *s, const result *r, const char *id, const double *z,
                        const char *what, const char *alt, const char *x, const char *label)
{
    char slot[BINS][24], full[BINS][48];
    const char *short_names[BINS] = {NULL}, *names[BINS] = {NULL};
    const size_t n = r->bins.n;
    for (size_t k = BINS; k-- > 0;) { /* an expert of merged cells has the name of the first */
        const int e = r->bins.of_bin[k];
        if (e < 0)
            continue;
        snprintf(slot[e], sizeof slot[e], "k=%zu", k);
        snprintf(full[e], sizeof full[e], "k=%zu %s", k, r->bin[k].name);
        short_names[e] = slot[e];
        names[e] = full[e];
    }
    lb_figure *f = figure_new(s, id, r, 6.5, 5.2, what, alt);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, x, short_names, n);
    lb_axes_y_names(a, "true cell", names, n);
    lb_plot_heat(a, (lb_heat){.z = z,
                              .rows = n,
                              .cols = n,
                              .lo = 0.0,
                              .hi = 1.0,
                              .map = LB_CIVIDIS,
                              .format = "%.2f",
                              .label = label});
    lb_study_take(s, lb_figure_close(f, s->err));
    char *series = lb_xprintf("%s/matrix", id);
    lb_record_series(s->record, series, z, n * n);
    free(series);
}

static void figure_routing(lb_study *s, const result *r)
{
    char *what =
        lb_xprintf("Where the gate sends covered rows: accuracy %.1f %%", 100.0 * r->accuracy_here);
    square_heat(s, r, "F18.9", r->mean_p, "Mean probability that the gate gives each cell",
                "Matrix of mean gate probabilities, true cell by predicted cell.",
                "cell given probability", "mean probability");
    square_heat(s, r, "F18.12", r->sent, what,
                "Confusion matrix of the gate, each row divided by its sum.", "cell called",
                "share of the row");
    free(what);
}

static void figure_predicted(lb_study *s, const result *r)
{
    const lb_moe *m = &r->fit[CHOSEN];
    const lb_cvec yhat[] = {m->global.yhat_chosen, r->routed[CHOSEN].soft, m->mixture[0]};
    static const char *const names[] = {"global", "soft gate", "oracle"};
    static const size_t method[] = {GLOBAL, SOFT, ORACLE};
    static const char *const strips[] = {"metal-poor", "solar", "metal-rich"};
    const lb_side *test = &s->data.test;
    double *x = lb_xcalloc(2 * test->n, sizeof *x), *y = x + test->n;
    lb_figure *f = figure_new(s, "F18.11", r, 6.5, 3.6, "Predicted against true log g, same rows",
                              "Scatter plots of predicted against true log g for global model, "
                              "soft gate and oracle, coloured by the metallicity of the cell.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_figure_share_y(f);
    for (size_t j = 0; j < 3; j++) {
        lb_axes *a = lb_figure_panel(f, 0, j, 1, 3);
        lb_axes_title(a, names[j]);
        lb_axes_x(a, "true log g (dex)", 0.5, 5.5, LB_LINEAR);
        lb_axes_y(a, "predicted log g (dex)", -0.5, 6.5, LB_LINEAR);
        lb_plot_identity(a, NULL);
        for (size_t strip = 0; strip < 3; strip++) {
            size_t n = 0;
            for (size_t i = 0; i < test->n; i++)
                if (test->group[i] != s->data.outside && (size_t)test->group[i] % 3 == strip) {
                    x[n] = test->target[i];
                    y[n++] = yhat[j].data[i];
                }
            lb_style style = lb_style_category(strip);
            style.size = 2.2;
            (test->n > 3000 ? lb_plot_density : lb_plot_points)(a, x, y, n, style, strips[strip]);
        }
        char *box = lb_xprintf("R^{2} = %.3f", r->r2[COVERED][method[j]].value);
        lb_axes_box(a, box);
        free(box);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    free(x);
}

void draw_figures(lb_study *s, const result *r)
{
    figure_dashboard(s, r);
    figure_maps(s, r);
    figure_pairs(s, r);
    figure_amplification(s, r);
    figure_methods(s, r);
    figure_retention(s, r);
    figure_routing(s, r);
    figure_predicted(s, r);
}
