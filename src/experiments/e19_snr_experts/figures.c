/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figures of E19; the protocol is in e19_snr_experts.c. */
#include "experiments/e19_snr_experts/e19.h"

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
    char *title =
        lb_xprintf("%s\nE19, noise %.1f, %s training rows, %s test rows", what, r->noise,
                   lb_count_text(s->data.train.n, train), lb_count_text(s->data.test.n, test));
    lb_figure *f = lb_figure_new(stem, w, h, title, alt);
    free(title);
    free(stem);
    return f;
}

/* Bars of numbers with their intervals. */
static void bars_of(lb_axes *a, const lb_number *const *x, size_t n, size_t series, size_t of,
                    lb_role role, const lb_style *styles, const char *format, const char *label)
{
    enum { MOST = 8 };
    double y[MOST], lo[MOST], hi[MOST];
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

/* Overall: what four experts add, by each definition, against the line of the decision. */
static void figure_overall(lb_study *s, const result *r)
{
    static const char *const names[] = {"global", "oracle,\nratio of norms",
                                        "oracle,\nmedian per pixel"};
    const lb_number *x[] = {&r->by[NORM].r2[GLOBAL], &r->by[NORM].r2[ORACLE],
                            &r->by[PIXEL].r2[ORACLE]};
    const lb_style styles[] = {lb_style_role(LB_GLOBAL), lb_style_role(LB_ORACLE),
                               lb_style_role(LB_CONDITIONAL)};
    const size_t rows[] = {x[0]->n, x[1]->n, x[2]->n};
    const double line = x[0]->value + lb_spec_number(s->spec, "thresholds.dr2");
    char text[64];
    lb_figure *f = figure_new(s, "F19.1", r, 5.8, 4.3, "Four experts by true signal to noise",
                              "Bars of R2 for the global model and for the oracle by two "
                              "definitions, with the decision line above the global model.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, 3);
    lb_axes_x_counts(a, rows, 3);
    lb_axes_y(a, "R^{2}, all test rows", NAN, NAN, LB_LINEAR);
    bars_of(a, x, 3, 0, 0, LB_GLOBAL, styles, "%.4f", NULL);
    snprintf(text, sizeof text, "global + %.2f", lb_spec_number(s->spec, "thresholds.dr2"));
    lb_plot_hline(a, line, lb_style_role(LB_THRESHOLD), text);
    snprintf(text, sizeof text, "ΔR^{2} = %+.4f", r->by[NORM].delta.value);
    lb_plot_bracket(a, 0.0, 1.0, text);
    snprintf(text, sizeof text, "ΔR^{2} = %+.4f", r->by[PIXEL].delta.value);
    lb_plot_bracket(a, 0.0, 2.0, text);
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void name_intervals(lb_axes *a, const definition *d)
{
    size_t count[INTERVALS];
    for (size_t k = 0; k < INTERVALS; k++)
        count[k] = d->of[k].n_test;
    lb_axes_x_names(a, NULL, interval_names, INTERVALS);
    lb_axes_x_counts(a, count, INTERVALS);
}

/* Room for every bar of both definitions; a whisker of few rows may leave it, with its value. */
static double least_bar(const result *r)
{
    double least = 0.0;
    for (size_t d = 0; d < DEFINITIONS; d++)
        for (size_t k = 0; k < INTERVALS; k++)
            for (size_t j = GLOBAL; j <= SOFT; j++)
                least = fmin(least, r->by[d].of[k].r2[j].value); /* NAN is passed over */
    return least - 0.3;
}

/* A role, and grey where there are few rows; the hatch still tells the role. */
static lb_style style_of(const lb_study *s, lb_role role, const interval *x)
{
    lb_style style = lb_style_role(role);
    if (few_rows(s, x))
        style.colour = lb_style_role(LB_MUTED).colour;
    return style;
}

/* Interval by interval, two or three methods side by side on the same rows. */
static void intervals_panel(const lb_study *s, lb_axes *a, const result *r, size_t which,
                            const size_t *methods, size_t n)
{
    static const char *const labels[METHODS] = {"global", "oracle", "deployed gate"};
    static const lb_role roles[METHODS] = {LB_GLOBAL, LB_ORACLE, LB_MIXTURE};
    const definition *d = &r->by[which];
    name_intervals(a, d);
    lb_axes_y(a, "R^{2} inside the interval", least_bar(r), 1.0, LB_LINEAR);
    for (size_t j = 0; j < n; j++) {
        const lb_number *x[INTERVALS];
        lb_style styles[INTERVALS];
        for (size_t k = 0; k < INTERVALS; k++) {
            x[k] = &d->of[k].r2[methods[j]];
            styles[k] = style_of(s, roles[methods[j]], &d->of[k]);
        }
        bars_of(a, x, INTERVALS, j, n, roles[methods[j]], styles, NULL, labels[methods[j]]);
    }
}

/* The gain in each interval stands in its name, clear of whiskers that leave the axis. */
static void name_gains(lb_axes *a, const definition *d)
{
    char name[INTERVALS][32];
    const char *names[INTERVALS];
    for (size_t k = 0; k < INTERVALS; k++) {
        if (isfinite(d->of[k].delta.value))
            snprintf(name[k], sizeof name[k], "%s\nΔ %+.3f", interval_names[k],
                     d->of[k].delta.value);
        else
            snprintf(name[k], sizeof name[k], "%s\nΔ n/a", interval_names[k]);
        names[k] = name[k];
    }
    lb_axes_x_names(a, NULL, names, INTERVALS);
}

/* The rule is made for all rows; here is where it would stand in each interval. */
static void judge_intervals(lb_axes *a, const definition *d, double line)
{
    enum { POINTS = 3 }; /* both ends and a gap */
    double x[POINTS * INTERVALS], y[POINTS * INTERVALS];
    char text[64];
    lb_style style = lb_style_role(LB_THRESHOLD);
    style.marker = LB_MARKER_NONE;
    style.dash = LB_SOLID;
    for (size_t k = 0; k < INTERVALS; k++) {
        const double at = d->of[k].r2[GLOBAL].value + line;
        for (size_t j = 0; j < POINTS; j++) {
            x[POINTS * k + j] = (double)k + (j == 0 ? -0.45 : 0.45);
            y[POINTS * k + j] = j < 2 ? at : NAN;
        }
    }
    snprintf(text, sizeof text, "global of the interval + %.2f", line);
    lb_plot_line(a, x, y, POINTS * INTERVALS, style, text);
}

static void figure_intervals(lb_study *s, const result *r)
{
    static const size_t pair[] = {GLOBAL, ORACLE};
    const double line = lb_spec_number(s->spec, "thresholds.dr2");
    char text[64];
    lb_style overall = lb_style_role(LB_REFERENCE);
    overall.dash = LB_DASHED;
    lb_figure *f = figure_new(s, "F19.2", r, 6.5, 4.2, "Experts in their own interval",
                              "Grouped bars of R2 for global model and oracle in each interval of "
                              "signal to noise, by two definitions.");
    lb_figure_share_y(f);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    snprintf(text, sizeof text, "global, all rows: %.3f", r->by[NORM].r2[GLOBAL].value);
    for (size_t d = 0; d < DEFINITIONS; d++) {
        lb_axes *a = lb_figure_panel(f, 0, d, 1, 2);
        lb_axes_title(a, definition_names[d]);
        intervals_panel(s, a, r, d, pair, 2);
        name_gains(a, &r->by[d]);
        lb_plot_hline(a, r->by[NORM].r2[GLOBAL].value, overall, text);
        judge_intervals(a, &r->by[d], line);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_predicted(lb_study *s, const result *r)
{
    const definition *d = &r->by[NORM];
    const lb_moe *m = &r->fit[CHOSEN];
    const lb_cvec yhat[] = {m->global.yhat_chosen, m->mixture[NORM]};
    static const char *const names[] = {"global", "oracle"};
    const lb_side *test = &s->data.test;
    double *x = lb_xcalloc(2 * test->n, sizeof *x), *y = x + test->n;
    lb_figure *f = figure_new(s, "F19.3", r, 6.5, 4.4, "Predicted against true log g, same rows",
                              "Scatter plots of predicted against true log g for global model and "
                              "oracle, coloured by the interval of signal to noise.");
    lb_figure_share_y(f);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    for (size_t j = 0; j < 2; j++) {
        lb_axes *a = lb_figure_panel(f, 0, j, 1, 2);
        lb_axes_title(a, names[j]);
        lb_axes_x(a, "true log g (dex)", 0.5, 5.5, LB_LINEAR);
        lb_axes_y(a, "predicted log g (dex)", -0.5, 6.5, LB_LINEAR);
        lb_plot_identity(a, NULL);
        for (size_t k = 0; k < INTERVALS; k++) {
            char label[32];
            size_t n = 0;
            for (size_t i = 0; i < test->n; i++)
                if (d->test_interval[i] == (int)k) {
                    x[n] = test->target[i];
                    y[n++] = yhat[j].data[i];
                }
            if (!n)
                continue;
            lb_style style = lb_style_category(k);
            style.size = 2.4;
            snprintf(label, sizeof label, "%s, n=%zu", interval_names[k], n);
            (test->n > 3000 ? lb_plot_density : lb_plot_points)(a, x, y, n, style, label);
        }
        char *box = j == GLOBAL
                        ? lb_xprintf("R^{2} = %.3f", d->r2[j].value)
                        : lb_xprintf("R^{2} = %.3f\nΔ %+.3f, line %+.2f", d->r2[j].value,
                                     d->delta.value, lb_spec_number(s->spec, "thresholds.dr2"));
        lb_axes_box(a, box);
        free(box);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    free(x);
}

/* Gains of few rows keep their number on a hatched cell: they must not set the colours. */
static void figure_gains(lb_study *s, const result *r)
{
    double z[DEFINITIONS * INTERVALS], coloured[DEFINITIONS * INTERVALS];
    char text[DEFINITIONS * INTERVALS][24], note[160];
    const char *texts[DEFINITIONS * INTERVALS];
    double widest = 0.0;
    for (size_t d = 0; d < DEFINITIONS; d++)
        for (size_t k = 0; k < INTERVALS; k++) {
            const size_t i = d * INTERVALS + k;
            z[i] = r->by[d].of[k].delta.value;
            coloured[i] = few_rows(s, &r->by[d].of[k]) ? NAN : z[i];
            widest = fmax(widest, fabs(coloured[i])); /* NAN is passed over */
            snprintf(text[i], sizeof text[i], "n=%zu", r->by[d].of[k].n_test);
            texts[i] = text[i];
        }
    lb_figure *f = figure_new(s, "F19.4", r, 6.5, 3.6, "Gain of the expert in each interval",
                              "Map of the gain in R2 of the oracle over the global model, by "
                              "definition and interval.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, interval_names, INTERVALS);
    lb_axes_y_names(a, NULL, definition_names, DEFINITIONS);
    lb_plot_heat(a, (lb_heat){.z = coloured,
                              .rows = DEFINITIONS,
                              .cols = INTERVALS,
                              .lo = -widest,
                              .hi = widest,
                              .map = LB_BALANCE,
                              .format = "%+.3f",
                              .texts = texts,
                              .label = "ΔR^{2} (oracle - global)"});
    for (size_t i = 0; i < DEFINITIONS * INTERVALS; i++)
        if (isfinite(z[i]) && !isfinite(coloured[i])) {
            char *few = lb_xprintf("%+.3f\n%s", z[i], texts[i]);
            lb_plot_text(a, (double)(i % INTERVALS), (double)(i / INTERVALS), few);
            free(few);
        }
    snprintf(note, sizeof note,
             "Rule: a gain of at least %.2f over all rows passes. Hatched: fewer than %zu test "
             "rows.",
             lb_spec_number(s->spec, "thresholds.dr2"),
             lb_spec_size(s->spec, "settings.snr.few_rows"));
    lb_figure_note(f, note);
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F19.4/delta_r2", z, DEFINITIONS * INTERVALS);
}

/* Retention, with its interval where it has one, and accuracy (per cent). */
static char *rho_text(const lb_number *rho, double accuracy)
{
    if (*rho->na)
        return lb_xprintf("ρ n/a\naccuracy %.1f %%", accuracy);
    if (!isfinite(rho->ci_lo))
        return lb_xprintf("ρ = %.2f (no interval)\naccuracy %.1f %%", rho->value, accuracy);
    return lb_xprintf("ρ = %.2f (%.2f to %.2f)\naccuracy %.1f %%", rho->value, rho->ci_lo,
                      rho->ci_hi, accuracy);
}

static void figure_deployed(lb_study *s, const result *r)
{
    static const char *const names[] = {"global", "hard", "deployed", "with fallback", "oracle"};
    static const size_t order[] = {GLOBAL, HARD, SOFT, TRUSTED, ORACLE};
    static const lb_role roles[] = {LB_GLOBAL, LB_CONDITIONAL, LB_MIXTURE, LB_MUTED, LB_ORACLE};
    lb_style styles[METHODS];
    for (size_t i = 0; i < METHODS; i++)
        styles[i] = lb_style_role(roles[i]);
    lb_figure *f = figure_new(s, "F19.5", r, 6.5, 4.2, "What the gate makes of the experts",
                              "Bars of R2 for the global model, the gate in three ways and the "
                              "oracle, by two definitions.");
    lb_figure_share_y(f);
    double most = 0.0;
    for (size_t d = 0; d < DEFINITIONS; d++)
        for (size_t k = 0; k < METHODS; k++)
            most = fmax(most, r->by[d].r2[k].ci_hi);
    for (size_t d = 0; d < DEFINITIONS; d++) {
        const definition *x = &r->by[d];
        const lb_number *y[METHODS], *rho = &x->rho[SOFT];
        for (size_t i = 0; i < METHODS; i++)
            y[i] = &x->r2[order[i]];
        lb_axes *a = lb_figure_panel(f, 0, d, 1, 2);
        char *box = rho_text(rho, x->accuracy);
        lb_axes_title(a, definition_names[d]);
        lb_axes_box(a, box);
        lb_axes_x_names(a, NULL, names, METHODS);
        lb_axes_y(a, "R^{2}, all test rows", 0.0, 1.35 * most, LB_LINEAR);
        bars_of(a, y, METHODS, 0, 0, LB_GLOBAL, styles, "%.3f", NULL);
        free(box);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
}

/* Names of the experts: an expert of merged intervals has all their letters. */
static size_t expert_names(const definition *d, char name[INTERVALS][8])
{
    for (size_t e = 0; e < INTERVALS; e++)
        name[e][0] = '\0';
    for (size_t k = 0; k < INTERVALS; k++) {
        char *to = name[d->serves[k]];
        size_t at = 0;
        while (to[at])
            at++;
        to[at] = interval_names[k][0];
        to[at + 1] = '\0';
    }
    return d->experts.n;
}

static void figure_confusion(lb_study *s, const result *r)
{
    lb_figure *f = figure_new(s, "F19.6", r, 6.5, 3.9, "Which interval the error vector names",
                              "Confusion counts of the gate on all test rows, by two definitions.");
    for (size_t d = 0; d < DEFINITIONS; d++) {
        const definition *x = &r->by[d];
        char name[INTERVALS][8], title[64];
        const char *names[INTERVALS];
        double z[INTERVALS * INTERVALS];
        const size_t n = expert_names(x, name);
        for (size_t t = 0; t < n; t++) {
            names[t] = name[t];
            for (size_t k = 0; k < n; k++)
                z[t * n + k] = (double)x->confusion[t * INTERVALS + k];
        }
        snprintf(title, sizeof title, "%s: %.1f %%", definition_names[d], x->accuracy);
        lb_axes *a = lb_figure_panel(f, 0, d, 1, 2);
        lb_axes_title(a, title);
        lb_axes_x_names(a, "called", names, n);
        lb_axes_y_names(a, "true", names, n);
        lb_plot_heat(a, (lb_heat){.z = z,
                                  .rows = n,
                                  .cols = n,
                                  .lo = 0.0,
                                  .hi = NAN,
                                  .map = LB_CIVIDIS,
                                  .format = "%.0f",
                                  .label = "test rows"});
    }
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_gate_intervals(lb_study *s, const result *r)
{
    static const size_t three[] = {GLOBAL, ORACLE, SOFT};
    lb_figure *f = figure_new(s, "F19.7", r, 6.5, 4.2, "Oracle and gate in each interval",
                              "Grouped bars of R2 for global model, oracle and deployed gate in "
                              "each interval, by two definitions.");
    lb_figure_share_y(f);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    for (size_t d = 0; d < DEFINITIONS; d++) {
        lb_axes *a = lb_figure_panel(f, 0, d, 1, 2);
        lb_axes_title(a, definition_names[d]);
        intervals_panel(s, a, r, d, three, 3);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
}

/* Global model, oracle and gate on one line: retention is a ratio of two lengths of it. */
static void figure_line(lb_study *s, const result *r)
{
    static const char *const labels[] = {"global", "oracle", "deployed"};
    static const size_t method[] = {GLOBAL, ORACLE, SOFT};
    static const lb_role roles[] = {LB_GLOBAL, LB_ORACLE, LB_MIXTURE};
    static const double aside[] = {0.0, -0.13, 0.13}; /* of the line: the gate must not hide it */
    lb_figure *f = figure_new(s, "F19.8", r, 6.5, 3.4, "How far the gate gets",
                              "A number line of R2 for each definition with global model, oracle "
                              "and deployed gate.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    double least = INFINITY, most = -INFINITY;
    for (size_t d = 0; d < DEFINITIONS; d++)
        for (size_t j = 0; j < 3; j++) {
            least = fmin(least, r->by[d].r2[method[j]].value);
            most = fmax(most, r->by[d].r2[method[j]].value);
        }
    const double room = 0.15 * (most - least) + 1e-4;
    lb_axes_y_names(a, NULL, definition_names, DEFINITIONS);
    lb_axes_x(a, "R^{2}, all test rows", least - room, most + room, LB_LINEAR);
    for (size_t d = 0; d < DEFINITIONS; d++) {
        const definition *x = &r->by[d];
        lb_plot_segment(a, x->r2[GLOBAL].value, (double)d, x->r2[ORACLE].value, (double)d,
                        lb_style_role(LB_REFERENCE));
    }
    for (size_t j = 0; j < 3; j++) {
        double x[DEFINITIONS], y[DEFINITIONS];
        lb_style style = lb_style_role(roles[j]);
        style.size = 8.0;
        for (size_t d = 0; d < DEFINITIONS; d++) {
            x[d] = r->by[d].r2[method[j]].value;
            y[d] = (double)d + aside[j];
        }
        lb_plot_points(a, x, y, DEFINITIONS, style, labels[j]);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_shares(lb_study *s, const result *r)
{
    static const char *const labels[] = {"expected", "ratio of norms", "median per pixel"};
    static const lb_role roles[] = {LB_MUTED, LB_ORACLE, LB_CONDITIONAL};
    size_t n = 0;
    const double *expected = lb_spec_numbers(s->spec, "settings.snr.expected_share", &n);
    lb_figure *f = figure_new(s, "F19.9", r, 6.2, 4.2,
                              "Shares of the intervals: thresholds belong to a definition",
                              "Grouped bars of the share of training rows in each interval: "
                              "expected, by ratio of norms and by median per pixel.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, interval_names, INTERVALS);
    lb_axes_y(a, "training rows (%)", 0.0, NAN, LB_LINEAR);
    for (size_t j = 0; j < 3; j++) {
        double y[INTERVALS];
        for (size_t k = 0; k < INTERVALS; k++)
            y[k] = j == 0 ? (k < n ? expected[k] : NAN)
                          : 100.0 * (double)r->by[j - 1].of[k].n_train / (double)s->data.train.n;
        lb_plot_bars(a, (lb_bars){.y = y,
                                  .n = INTERVALS,
                                  .series = j,
                                  .of = 3,
                                  .style = lb_style_role(roles[j]),
                                  .format = "%.0f",
                                  .label = labels[j]});
    }
    lb_study_take(s, lb_figure_close(f, s->err));
}

void draw_figures(lb_study *s, const result *r)
{
    figure_overall(s, r);
    figure_intervals(s, r);
    figure_predicted(s, r);
    figure_gains(s, r);
    figure_deployed(s, r);
    figure_confusion(s, r);
    figure_gate_intervals(s, r);
    figure_line(s, r);
    figure_shares(s, r);
}
