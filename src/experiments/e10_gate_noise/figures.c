/* SPDX-License-Identifier: GPL-3.0-or-later */
/* E10: its figures. */
#include "core/memory.h"
#include "core/text.h"
#include "experiments/e10_gate_noise/e10.h"
#include "figure/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static char *title_for(const lb_study *s, const result *r, const char *what)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE];
    return lb_xprintf("%s\nE10, flux noise %.1f, %s training rows, all %s test rows, %zu draws",
                      what, r->noise, lb_count_text(s->data.train.n, train),
                      lb_count_text(s->data.test.n, test), r->told.draws);
}

static void take(const lb_number *x, size_t n, double *y, double *lo, double *hi)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i].value;
        lo[i] = x[i].ci_lo;
        hi[i] = x[i].ci_hi;
    }
}

static void predictor_line(const result *r, lb_axes *a)
{
    char label[64];
    lb_style style = lb_style_category(5);
    style.dash = LB_DASHDOT;
    snprintf(label, sizeof label, "RMSE of the predictor, %.2f dex", r->guess.test.rmse);
    lb_plot_vline(a, r->guess.test.rmse, style, label);
}

static void record(lb_study *s, const char *name, const double *y, size_t n)
{
    lb_record_series(s->record, name, y, n);
}

static void figure_scores(lb_study *s, const result *r)
{
    static const char *const names[] = {"hard routing, three bins", "conditional Ridge"};
    static const lb_role roles[] = {LB_MIXTURE, LB_CONDITIONAL};
    const size_t n = r->grid;
    double y[MOST_SIGMAS], lo[MOST_SIGMAS], hi[MOST_SIGMAS], x[MOST_SIGMAS];
    char label[64];
    char *stem = lb_study_figure(s, "F10.1"),
         *title = title_for(s, r, "The score when the gate is told a wrong metallicity");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.6, title,
                                 "R2 of hard routing and of the conditional model against the "
                                 "error of the told metallicity, with the global model.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x(a, "σ of the told [M/H] (dex)", -0.03, r->told.sigma[n - 1] + 0.06, LB_LINEAR);
    lb_axes_y(a, "R^{2}", NAN, NAN, LB_LINEAR);
    for (size_t m = HARD; m <= COND; m++) {
        lb_style band = lb_style_role(roles[m]);
        take(r->all.r2[m], n, y, lo, hi);
        snprintf(label, sizeof label, "%s, 95 %% CI", names[m]);
        lb_plot_band(a, r->told.sigma, lo, hi, n, band, label);
    }
    for (size_t m = HARD; m <= COND; m++) {
        take(r->all.r2[m], n, y, lo, hi);
        for (size_t q = 0; q < n; q++) {
            x[q] = r->told.sigma[q];
            lo[q] = y[q] - r->all.sd[m][q].value;
            hi[q] = y[q] + r->all.sd[m][q].value;
        }
        lb_plot_line(a, x, y, n, lb_style_role(roles[m]), names[m]);
        lb_plot_errors(a, x, y, lo, hi, n, lb_style_role(roles[m]), NULL);
        record(s, m == HARD ? "F10.1/hard" : "F10.1/cond", y, n);
    }
    snprintf(label, sizeof label, "global model %.4f", r->all.global.value);
    lb_plot_hline(a, r->all.global.value, lb_style_role(LB_GLOBAL), label);
    predictor_line(r, a);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_figure_note(f, "Whiskers: standard deviation over the draws. Bands: resampled rows and one "
                      "draw each.");
    record(s, "F10.1/sigma", r->told.sigma, n);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

/* What a panel of F10.2 shows of one of the sets. */
typedef struct retained {
    const result *r;
    const scores *of;
    size_t denominator;
    double lowest, highest;
} retained;

/* A gain that may be none has no share: figure_retention() says so. */
static bool has_share(const retained *x, size_t method)
{
    return !*x->of->rho[method][method == HARD ? OWN : x->denominator][0].na;
}

/* One panel of F10.2: the share of a gain that is kept, in per cent. */
static void panel_of_retention(const retained *p, lb_axes *a)
{
    static const char *const names[] = {"hard routing", "conditional"};
    static const lb_role roles[] = {LB_MIXTURE, LB_CONDITIONAL};
    const result *r = p->r;
    const size_t n = r->grid;
    const double last = r->told.sigma[n - 1] + 0.06, first = -0.03;
    const double apart = has_share(p, HARD) && has_share(p, COND) ? 0.008 : 0.0;
    double y[MOST_SIGMAS], lo[MOST_SIGMAS], hi[MOST_SIGMAS], x[MOST_SIGMAS];
    char label[32];
    lb_axes_x(a, "σ of the told [M/H] (dex)", first, last, LB_LINEAR);
    lb_axes_y(a, "gain kept (%)", p->lowest, p->highest, LB_LINEAR);
    lb_plot_band(a, (double[]){first, last}, (double[]){p->lowest, p->lowest}, (double[]){50, 50},
                 2, lb_style_role(LB_MUTED), "collapsed");
    for (size_t m = HARD; m <= COND; m++) {
        if (!has_share(p, m))
            continue;
        take(p->of->rho[m][m == HARD ? OWN : p->denominator], n, y, lo, hi);
        for (size_t q = 0; q < n; q++) {
            x[q] = r->told.sigma[q] + (m == HARD ? -apart : apart);
            y[q] *= 100.0;
            lo[q] *= 100.0;
            hi[q] *= 100.0;
        }
        lb_style line = lb_style_role(roles[m]);
        line.marker = LB_MARKER_NONE; /* the next call draws them, and one arrow is enough */
        lb_plot_line(a, x, y, n, line, NULL);
        lb_plot_errors(a, x, y, lo, hi, n, lb_style_role(roles[m]), names[m]);
    }
    lb_plot_hline(a, 100.0, lb_style_role(LB_REFERENCE), "100 %");
    for (size_t j = 0; j < LEVELS; j++) {
        lb_style line = lb_style_role(LB_THRESHOLD);
        line.dash = j == 0 ? LB_DOTTED : j == 1 ? LB_DASHDOT : LB_DASHED;
        snprintf(label, sizeof label, "%.0f %%", 100.0 * r->level[j]);
        lb_plot_hline(a, 100.0 * r->level[j], line, label);
    }
    if (p->of == &r->all) /* the predictor is one of the main set */
        predictor_line(r, a);
}

static void record_retention(lb_study *s, const result *r, const scores *of, const char *set)
{
    double y[MOST_SIGMAS];
    for (size_t c = 0; c < CURVES; c++) {
        char *series = lb_xprintf("F10.2/%s%s", set, e10_curve[c]);
        for (size_t q = 0; q < r->grid; q++)
            y[q] = of->rho[c == 0 ? HARD : COND][c == 2 ? COMMON : OWN][q].value;
        record(s, series, y, r->grid);
        free(series);
    }
}

/* Where the main set gives no common share, the denominator that decides, the larger set stands in
 * the left panel if it gives one. */
static void figure_retention(lb_study *s, const result *r)
{
    const bool hard = !*r->all.rho[HARD][OWN][0].na, cond = !*r->all.rho[COND][OWN][0].na;
    const bool larger = !hard && s->has_more && !*r->more.rho[HARD][OWN][0].na;
    /* Shares of a small gain scatter widely: what leaves this range is an arrow with its value. */
    const double lowest = -150.0, highest = hard ? 300.0 : larger ? 200.0 : 150.0;
    const double middle = 0.5 * r->told.sigma[r->grid - 1];
    char more[LB_COUNT_SIZE], main_set[LB_COUNT_SIZE];
    char *stem = lb_study_figure(s, "F10.2"),
         *title = title_for(s, r, "The share of the gain that is kept");
    char *left =
        larger ? lb_xprintf("common, larger set (n = %s)", lb_count_text(s->more.test.n, more))
               : lb_xprintf("common: gain of hard routing");
    char *right =
        larger ? lb_xprintf("own, main set (n = %s)", lb_count_text(s->data.test.n, main_set))
               : lb_xprintf("own: gain of each method");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.6, title,
                                 "Retention of hard routing and of the conditional model against "
                                 "the error of the told metallicity, on two denominators.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 2), *b = lb_figure_panel(f, 0, 1, 1, 2);
    const retained common = {r, larger ? &r->more : &r->all, COMMON, lowest, highest},
                   own = {r, &r->all, OWN, lowest, highest};
    lb_figure_share_y(f);
    lb_axes_title(a, left);
    lb_axes_title(b, right);
    panel_of_retention(&common, a);
    panel_of_retention(&own, b);
    if (!hard && !larger) /* an empty panel must say why it is empty */
        lb_plot_text(a, middle, -25.0,
                     "no share printed: the gain\nof hard routing without\nerror may be none");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_figure_note(f, hard && cond ? "Points of the two methods stand a little apart. Arrows: "
                                     "beyond the axis."
                      : larger     ? "Main set: the gain of hard routing without error may be "
                                     "none, so no share of it is printed. Arrows: beyond the axis."
                                   : "A method whose gain without error may be none has no share. "
                                     "Arrows: beyond the axis.");
    lb_study_take(s, lb_figure_close(f, s->err));
    record_retention(s, r, &r->all, "");
    if (larger)
        record_retention(s, r, &r->more, "large_");
    free(right);
    free(left);
    free(title);
    free(stem);
}

static void figure_bars(lb_study *s, const result *r)
{
    static const char *const labels[] = {"global", "hard routing", "conditional"};
    static const lb_role roles[] = {LB_GLOBAL, LB_MIXTURE, LB_CONDITIONAL};
    size_t n_at, n = 0, rows[MOST_SIGMAS];
    const double *at = lb_spec_numbers(s->spec, "settings.shown", &n_at);
    lb_number bars[3][MOST_SIGMAS];
    char name[MOST_SIGMAS][24];
    const char *name_of[MOST_SIGMAS];
    for (size_t q = 0; q < r->grid; q++)
        for (size_t j = 0; j < n_at; j++) {
            if (fabs(r->told.sigma[q] - at[j]) > 1e-9)
                continue;
            bars[0][n] = r->all.global;
            bars[1][n] = r->all.r2[HARD][q];
            bars[2][n] = r->all.r2[COND][q];
            snprintf(name[n], sizeof name[n], "σ = %g dex", at[j]);
            name_of[n] = name[n];
            rows[n++] = s->data.test.n;
        }
    char *stem = lb_study_figure(s, "F10.3"), *title = title_for(s, r, "At the errors that matter");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.4, title,
                                 "Bars of R2 of the global model, hard routing and the conditional "
                                 "model at two errors of the told metallicity.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, name_of, n);
    lb_axes_x_counts(a, rows, n);
    lb_axes_y(a, "R^{2}", 0.0, NAN, LB_LINEAR);
    for (size_t j = 0; j < 3; j++)
        lb_plot_number_bars(a, bars[j], n,
                            (lb_bars){.series = j,
                                      .of = 3,
                                      .style = lb_style_role(roles[j]),
                                      .format = "%.4f",
                                      .label = labels[j]});
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    for (size_t j = 0; j < 3; j++) {
        double y[MOST_SIGMAS];
        for (size_t i = 0; i < n; i++)
            y[i] = bars[j][i].value;
        record(s, j == 0 ? "F10.3/global" : j == 1 ? "F10.3/hard" : "F10.3/cond", y, n);
    }
    free(title);
    free(stem);
}

void e10_figures(lb_study *s, const result *r)
{
    figure_scores(s, r);
    figure_retention(s, r);
    figure_bars(s, r);
}
