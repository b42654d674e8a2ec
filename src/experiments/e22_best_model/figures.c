/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figures of E22; the protocol is in e22_best_model.c. */
#include "experiments/e22_best_model/e22.h"

#include "core/memory.h"
#include "core/text.h"
#include "figure/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAP = MOST_LEVELS * MOST_CLASSES };

static const char *const snr_label =
    "signal to noise per pixel, estimated from each noisy spectrum";
static const char *const short_names[MODELS] = {"global", "nine", "cond.", "gate", "exp."};

/* "What it shows", then in grey the experiment and the sizes. */
static lb_figure *open_figure(lb_study *s, const result *r, const char *id, double width,
                              double height, const char *what, const char *alt)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE];
    char *stem = lb_study_figure(s, id);
    char *title = lb_xprintf("%s\nE22, noise %.1f to %.1f, %s training rows, %s test rows", what,
                             r->at[0].noise, r->at[r->highest].noise,
                             lb_count_text(s->data.train.n, train), lb_count_text(r->n_test, test));
    lb_figure *f = lb_figure_new(stem, width, height, title, alt);
    free(title);
    free(stem);
    return f;
}

static lb_style style_of(size_t e)
{
    static const lb_marker marker[] = {LB_SQUARE,   LB_CIRCLE,        LB_DIAMOND,
                                       LB_TRIANGLE, LB_TRIANGLE_DOWN, LB_STAR};
    static const lb_dash dash[] = {LB_DASHED, LB_SOLID, LB_DOTTED, LB_DASHDOT, LB_SOLID, LB_SOLID};
    lb_style x = e == GLOBAL        ? lb_style_role(LB_GLOBAL)
                 : e == NINE        ? lb_style_role(LB_MIXTURE)
                 : e == CONDITIONAL ? lb_style_role(LB_CONDITIONAL)
                 : e == REGRESSION  ? lb_style_category(5)
                 : e == EXPECTED    ? lb_style_category(4)
                                    : lb_style_role(LB_NEUTRAL);
    x.marker = marker[e];
    x.dash = dash[e];
    x.hatch = (lb_hatch)(e % 4);
    return x;
}

static lb_style style_of_ceiling(bool unbiased)
{
    lb_style x = lb_style_role(LB_ORACLE);
    x.marker = LB_MARKER_NONE;
    x.dash = unbiased ? LB_DOTTED : LB_SOLID;
    x.width = unbiased ? 1.3 : 2.6;
    return x;
}

/* --- against signal to noise --------------------------------------------------------------------
 */

/* The cells that have a score, in the order of their signal to noise. */
static size_t scored(const result *r, const cell *of, const cell **out)
{
    size_t n = 0;
    for (size_t k = 0; k + 1 < r->n_classes; k++)
        if (of[k].scored)
            out[n++] = &of[k];
    return n;
}

/* Both ceilings, the five models, and with its intervals the one chosen cell by cell. */
static void panel_of_classes(lb_axes *a, const cell *const *c, size_t n, double least)
{
    double x[MOST_CLASSES], y[MOST_CLASSES], lo[MOST_CLASSES], hi[MOST_CLASSES];
    for (size_t k = 0; k < n; k++) {
        x[k] = c[k]->snr;
        y[k] = c[k]->top.prior;
        lo[k] = fmax(c[k]->top.unbiased, least - 1.0); /* out of sight either way */
    }
    lb_plot_line(a, x, y, n, style_of_ceiling(false), "ceiling with prior");
    lb_plot_line(a, x, lo, n, style_of_ceiling(true), "ceiling, unbiased estimators");
    for (size_t m = 0; m < MODELS; m++) {
        for (size_t k = 0; k < n; k++)
            y[k] = c[k]->r2[m].value;
        lb_plot_line(a, x, y, n, style_of(m), model_names[m]);
    }
    for (size_t k = 0; k < n; k++) {
        y[k] = c[k]->r2[POLICY].value;
        lo[k] = c[k]->r2[POLICY].ci_lo;
        hi[k] = c[k]->r2[POLICY].ci_hi;
    }
    lb_plot_errors(a, x, y, lo, hi, n, style_of(POLICY), "chosen in each cell, 95 %");
    lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), NULL);
}

static double least_score(const cell *const *c, size_t n)
{
    double least = 0.0;
    for (size_t k = 0; k < n; k++)
        for (size_t e = 0; e <= POLICY; e++)
            least = fmin(least, c[k]->r2[e].value);
    return least - 0.1;
}

static void edges_of(const lb_study *s, lb_axes *a)
{
    size_t n;
    const double *edge = lb_spec_numbers(s->spec, "settings.snr.edges", &n);
    lb_style style = lb_style_role(LB_MUTED);
    style.dash = LB_DOTTED;
    style.width = 0.6;
    for (size_t k = 0; k < n; k++)
        lb_plot_vline(a, edge[k], style, NULL);
}

static void figure_main(lb_study *s, const result *r)
{
    const cell *c[MOST_CLASSES];
    const size_t n = scored(r, r->pooled, c);
    if (!n)
        return;
    const double least = least_score(c, n);
    lb_figure *f = open_figure(s, r, "F22.1", 6.5, 5.6,
                               "Five deployable models and the ceiling they could reach",
                               "R2 against signal to noise for five models, for the model chosen "
                               "cell by cell, and for two ceilings.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x(a, snr_label, c[0]->snr / 1.2, c[n - 1]->snr * 1.2, LB_LOG10);
    lb_axes_y(a, "R^{2}, test rows of all noise levels", least, 1.03, LB_LINEAR);
    edges_of(s, a);
    panel_of_classes(a, c, n, least);
    lb_text note = {0};
    lb_text_printf(&note,
                   "Points at the medians of classes of signal to noise (dotted edges) with");
    for (size_t k = 0; k < n; k++)
        lb_text_printf(&note, "%s %zu", k + 1 == n ? " and" : k ? "," : "", c[k]->n_test);
    lb_text_printf(&note, " test rows.%s",
                   c[0]->top.unbiased < least
                       ? "\nWhere the dotted curve leaves the axis, the bound is below it."
                       : "");
    lb_figure_note(f, note.s);
    lb_text_free(&note);
    lb_study_take(s, lb_figure_close(f, s->err));
    for (size_t e = 0; e <= POLICY; e++) {
        double y[MOST_CLASSES];
        for (size_t k = 0; k < n; k++)
            y[k] = c[k]->r2[e].value;
        char *name = lb_xprintf("F22.1/%s", model_keys[e]);
        lb_record_series(s->record, name, y, n);
        free(name);
    }
}

static void figure_levels_by_snr(lb_study *s, const result *r)
{
    double least = 0.0, x_lo = INFINITY, x_hi = 0.0;
    size_t noisy = 0, at = 0;
    const cell *c[MOST_CLASSES];
    for (size_t i = 0; i < r->n_levels; i++) {
        const size_t n = scored(r, r->at[i].of, c);
        if (!(r->at[i].noise > 0.0) || !n)
            continue;
        noisy++;
        least = fmin(least, least_score(c, n));
        x_lo = fmin(x_lo, c[0]->snr);
        x_hi = fmax(x_hi, c[n - 1]->snr);
    }
    if (!noisy)
        return;
    lb_figure *f = open_figure(s, r, "F22.5", 6.5, 7.0, "Models and ceiling at each noise level",
                               "Panels of R2 against signal to noise, one a noise level, with "
                               "five models, the chosen one and two ceilings.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_figure_share_x(f);
    lb_figure_share_y(f);
    for (size_t i = 0; i < r->n_levels; i++) {
        const size_t n = scored(r, r->at[i].of, c);
        if (!(r->at[i].noise > 0.0) || !n)
            continue;
        char title[32];
        lb_axes *a = lb_figure_panel(f, at / 2, at % 2, (noisy + 1) / 2, noisy > 1 ? 2 : 1);
        at++;
        snprintf(title, sizeof title, "noise %.1f", r->at[i].noise);
        lb_axes_title(a, title);
        lb_axes_x(a, "signal to noise per pixel, estimated", x_lo / 1.3, x_hi * 1.3, LB_LOG10);
        lb_axes_y(a, "R^{2}", fmax(least, -0.8), 1.03, LB_LINEAR);
        edges_of(s, a);
        panel_of_classes(a, c, n, fmax(least, -0.8));
    }
    lb_study_take(s, lb_figure_close(f, s->err));
}

/* --- against the noise level --------------------------------------------------------------------
 */

static void figure_levels(lb_study *s, const result *r)
{
    char names[MOST_LEVELS][16];
    const char *name[MOST_LEVELS];
    double x[MOST_LEVELS], y[MOST_LEVELS], lo[MOST_LEVELS], hi[MOST_LEVELS];
    const size_t n = r->n_levels;
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "%.1f", r->at[i].noise);
        name[i] = names[i];
    }
    lb_figure *f = open_figure(s, r, "F22.2", 6.5, 4.8, "Five models over the noise levels",
                               "Left: R2 against the noise level for five models, the chosen one "
                               "and the ceiling. Right: differences to the global model.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 2), *b = lb_figure_panel(f, 0, 1, 1, 2);
    lb_axes_x_names(a, "noise level", name, n);
    lb_axes_y(a, "R^{2}, all test rows", NAN, 1.03, LB_LINEAR);
    lb_axes_x_names(b, "noise level", name, n);
    lb_axes_y(b, "R^{2} less that of the global model", NAN, NAN, LB_LINEAR);
    for (size_t i = 0; i < n; i++) {
        x[i] = (double)i;
        y[i] = r->at[i].whole.top.prior;
    }
    lb_plot_line(a, x, y, n, style_of_ceiling(false), "ceiling with prior");
    for (size_t e = 0; e <= POLICY; e++) {
        for (size_t i = 0; i < n; i++) {
            x[i] = (double)i;
            y[i] = r->at[i].whole.r2[e].value;
        }
        lb_plot_line(a, x, y, n, style_of(e), e == POLICY ? "chosen in each cell" : model_names[e]);
        for (size_t i = 0; i < n && e != GLOBAL; i++) {
            const lb_number d = r->at[i].over_global[e];
            x[i] = (double)i + 0.13 * ((double)e - 3.0);
            y[i] = d.value;
            lo[i] = d.ci_lo;
            hi[i] = d.ci_hi;
        }
        if (e != GLOBAL)
            lb_plot_errors(b, x, y, lo, hi, n, style_of(e),
                           e == POLICY ? "chosen in each cell" : model_names[e]);
    }
    const double valuable = lb_spec_number(s->spec, "thresholds.valuable");
    char *text = lb_xprintf("threshold %+.2f", valuable);
    lb_plot_hline(b, valuable, lb_style_role(LB_THRESHOLD), text);
    lb_plot_hline(b, 0.0, lb_style_role(LB_REFERENCE), NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(text);
}

/* --- maps ---------------------------------------------------------------------------------------
 */

typedef struct map {
    double z[MAP];
    char text[MAP][24];
    const char *texts[MAP], *rows[MOST_LEVELS], *cols[MOST_CLASSES];
    char row_name[MOST_LEVELS][16];
    bool outline[MAP];
} map;

static map *map_new(const result *r)
{
    map *m = lb_xcalloc(1, sizeof *m);
    for (size_t i = 0; i < r->n_levels; i++) {
        snprintf(m->row_name[i], sizeof m->row_name[i], "%.1f", r->at[i].noise);
        m->rows[i] = m->row_name[i];
    }
    for (size_t k = 0; k < r->n_classes; k++)
        m->cols[k] = r->class_name[k];
    for (size_t j = 0; j < MAP; j++)
        m->z[j] = NAN;
    return m;
}

static void draw_map(lb_axes *a, const result *r, const map *m, const char *title,
                     const char *label, bool frames)
{
    lb_axes_title(a, title);
    lb_axes_x_names(a, "signal to noise per pixel, estimated", m->cols, r->n_classes);
    lb_axes_y_names(a, "noise level", m->rows, r->n_levels);
    lb_plot_heat(a, (lb_heat){.z = m->z,
                              .rows = r->n_levels,
                              .cols = r->n_classes,
                              .lo = NAN,
                              .hi = NAN,
                              .map = LB_CIVIDIS,
                              .format = "%.3f",
                              .texts = m->texts,
                              .outline = frames ? m->outline : NULL,
                              .label = label});
}

static bool any_cell(const result *r)
{
    for (size_t i = 0; i < r->n_levels; i++)
        for (size_t k = 0; k < r->n_classes; k++)
            if (r->at[i].of[k].scored)
                return true;
    return false;
}

/* Which model: as chosen, with its gain, and in hindsight, with its lead. */
static void figure_winners(lb_study *s, const result *r)
{
    lb_figure *f = open_figure(s, r, "F22.3", 6.5, 7.4, "Which model, where",
                               "Two maps of noise level against signal to noise: the model that "
                               "validation rows choose with its gain over the global model, and "
                               "the best on the test rows with its lead over the next.");
    lb_figure_legend(f, LB_PLACE_NONE, NULL);
    for (size_t q = 0; q < 2; q++) {
        map *m = map_new(r);
        for (size_t i = 0; i < r->n_levels; i++)
            for (size_t k = 0; k < r->n_classes; k++) {
                const cell *c = &r->at[i].of[k];
                const size_t j = i * r->n_classes + k;
                if (!c->scored)
                    continue;
                m->z[j] = q ? c->lead.value : c->gain.value;
                snprintf(m->text[j], sizeof m->text[j], "%s",
                         short_names[q ? c->leader : c->chosen]);
                m->texts[j] = m->text[j];
                m->outline[j] = q ? c->lead.ci_lo > 0.0 : c->gain.ci_lo > 0.0;
            }
        draw_map(lb_figure_panel(f, q, 0, 2, 1), r, m,
                 q ? "best on the test rows: known only afterwards" : "chosen by validation rows",
                 q ? "lead over the next" : "gain over the global model", true);
        free(m);
    }
    lb_figure_note(f, "nine: nine bins, cond.: conditional, gate: regression gate, exp.: expected "
                      "noise.\nFramed: the 95 % interval lies above zero. Hatched: no or too few "
                      "rows.");
    lb_study_take(s, lb_figure_close(f, s->err));
}

/* What is left to the ceiling: model by model over signal to noise, and the chosen one as a map. */
static void figure_gap(lb_study *s, const result *r)
{
    const cell *c[MOST_CLASSES];
    const size_t n = scored(r, r->pooled, c);
    double x[MOST_CLASSES], y[MOST_CLASSES], lo[MOST_CLASSES], hi[MOST_CLASSES];
    map *m = map_new(r);
    bool any = false;
    if (!n) {
        free(m);
        return;
    }
    lb_figure *f = open_figure(s, r, "F22.4", 6.5, 8.0, "How much is left to the ceiling",
                               "Top: ceiling with prior less R2 of each model against signal to "
                               "noise. Bottom: the same for the chosen model as a map.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = lb_figure_panel(f, 0, 0, 2, 1), *b = lb_figure_panel(f, 1, 0, 2, 1);
    lb_axes_x(a, snr_label, c[0]->snr / 1.2, c[n - 1]->snr * 1.2, LB_LOG10);
    lb_axes_y(a, "ceiling with prior - R^{2}", NAN, NAN, LB_LINEAR);
    edges_of(s, a);
    for (size_t e = 0; e <= POLICY; e++) {
        for (size_t k = 0; k < n; k++) {
            x[k] = c[k]->snr;
            y[k] = c[k]->top.prior - c[k]->r2[e].value;
            lo[k] = c[k]->top.prior - c[k]->r2[e].ci_hi;
            hi[k] = c[k]->top.prior - c[k]->r2[e].ci_lo;
        }
        if (e < POLICY)
            lb_plot_line(a, x, y, n, style_of(e), model_names[e]);
        else
            lb_plot_errors(a, x, y, lo, hi, n, style_of(e), "chosen in each cell, 95 %");
    }
    lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), NULL);
    for (size_t i = 0; i < r->n_levels; i++)
        for (size_t k = 0; k < r->n_classes; k++) {
            const cell *one = &r->at[i].of[k];
            const size_t j = i * r->n_classes + k;
            if (!one->scored || !isfinite(one->top.prior))
                continue;
            any = true;
            m->z[j] = one->top.prior - one->r2[POLICY].value;
            snprintf(m->text[j], sizeof m->text[j], "of %.2f", one->top.prior);
            m->texts[j] = m->text[j];
        }
    draw_map(b, r, m, "chosen in each cell", "ceiling with prior - R^{2}", false);
    if (any)
        lb_study_take(s, lb_figure_close(f, s->err));
    else
        lb_figure_abandon(f);
    free(m);
}

void draw_figures(lb_study *s, const result *r)
{
    figure_main(s, r);
    figure_levels(s, r);
    if (any_cell(r))
        figure_winners(s, r);
    figure_gap(s, r);
    figure_levels_by_snr(s, r);
}
