/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/file.h"
#include "core/memory.h"
#include "core/random.h"
#include "figure/plot.h"

#include <cairo.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Figures are tested by what is drawn where; two tests at the end look at files and pixels. */

static char dir[] = "/tmp/lb_figure_XXXXXX";

static void make_dir(void)
{
    cr_assert(mkdtemp(dir) != NULL);
}

static void remove_dir(void)
{
    char *command = lb_xprintf("rm -r '%s'", dir);
    cr_expect(eq(int, system(command), 0));
    free(command);
}

TestSuite(figure, .init = make_dir, .fini = remove_dir);

/* One figure under test and what was measured of it. */
static lb_figure *fig;
static const lb_ink *ink;
static size_t inks;
static lb_error err;

static lb_axes *one_panel(void)
{
    char *stem = lb_xprintf("%s/sub/plot", dir);
    fig = lb_figure_new(stem, 0, 0, "What it shows\nE01 and its sizes", "One sentence.");
    free(stem);
    return lb_figure_panel(fig, 0, 0, 1, 1);
}

static lb_status measure(void)
{
    err = (lb_error){0};
    return lb_figure_measure(fig, &ink, &inks, &err);
}

/* Measure, insisting on success. */
static void drawn(void)
{
    cr_assert(eq(int, measure(), LB_OK), "%s", err.text);
}

static size_t count(const char *what)
{
    size_t n = 0;
    for (size_t i = 0; i < inks; i++)
        n += strcmp(ink[i].what, what) == 0;
    return n;
}

/* The k-th thing of a kind. */
static lb_ink get(const char *what, size_t k)
{
    for (size_t i = 0; i < inks; i++)
        if (strcmp(ink[i].what, what) == 0 && k-- == 0)
            return ink[i];
    cr_fatal("there is no such %s", what);
}

static const lb_ink *text(const char *part)
{
    for (size_t i = 0; i < inks; i++)
        if (ink[i].text && strstr(ink[i].text, part))
            return &ink[i];
    return NULL;
}

static bool overlap(lb_ink a, lb_ink b)
{
    return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

static double mid_x(lb_ink a)
{
    return a.x + a.w / 2;
}

static double mid_y(lb_ink a)
{
    return a.y + a.h / 2;
}

static const char *const three[] = {"Nine bins", "[M/H] only", "T_{eff} only"};

/* --- bars ------------------------------------------------------------------------------------ */

static lb_axes *three_bars(void)
{
    lb_axes *a = one_panel();
    lb_axes_x_names(a, "Partition", three, 3);
    lb_axes_x_counts(a, (size_t[]){816, 1816, 59}, 3);
    lb_axes_y(a, "ΔR²", NAN, NAN, LB_LINEAR);
    lb_plot_bars(a, (lb_bars){.y = (double[]){0.05, 0.0344, -0.0214},
                              .lo = (double[]){0.0329, 0.02, -0.034},
                              .hi = (double[]){0.0674, 0.049, -0.01},
                              .n = 3,
                              .style = lb_style_role(LB_MIXTURE),
                              .format = "%+.4f",
                              .texts = (const char *[]){"100%", NULL, "(share)"},
                              .label = "experts"});
    return a;
}

Test(figure, bars_are_as_long_as_their_values)
{
    three_bars();
    drawn();
    cr_assert(eq(sz, count("bar"), 3));
    const lb_ink a = get("bar", 0), b = get("bar", 1), c = get("bar", 2);
    cr_expect(epsilon_eq(dbl, a.h / b.h, 0.05 / 0.0344, 1e-6));
    cr_expect(epsilon_eq(dbl, c.h / b.h, 0.0214 / 0.0344, 1e-6));
    cr_expect(epsilon_eq(dbl, a.y + a.h, b.y + b.h, 1e-9), "they stand on one line");
    cr_expect(epsilon_eq(dbl, c.y, b.y + b.h, 1e-9), "and negative ones hang from it");
    lb_figure_abandon(fig);
}

Test(figure, whiskers_end_where_the_interval_does)
{
    three_bars();
    drawn();
    const lb_ink bar = get("bar", 0), w = get("whisker", 0);
    cr_expect(epsilon_eq(dbl, w.h / bar.h, (0.0674 - 0.0329) / 0.05, 1e-6));
    cr_expect(epsilon_eq(dbl, (bar.y + bar.h - w.y) / bar.h, 0.0674 / 0.05, 1e-6));
    cr_expect(epsilon_eq(dbl, mid_x(w), mid_x(bar), 1e-9));
    lb_figure_abandon(fig);
}

Test(figure, bars_of_results_are_their_values_with_their_intervals)
{
    lb_number x[3] = {lb_number_plain(0.05, "delta_r2", ""),
                      lb_number_plain(0.0344, "delta_r2", ""),
                      lb_number_na("delta_r2", "n/a (merged)")};
    x[0].ci_lo = 0.0329;
    x[0].ci_hi = 0.0674;
    lb_axes *a = one_panel();
    lb_axes_x_names(a, "Partition", three, 3);
    lb_plot_number_bars(a, x, 3, (lb_bars){.style = lb_style_role(LB_MIXTURE), .format = "%+.4f"});
    drawn();
    cr_expect(eq(sz, count("bar"), 2));
    cr_expect(eq(sz, count("whisker"), 1), "no interval, no whisker");
    const lb_ink bar = get("bar", 0), w = get("whisker", 0);
    cr_expect(epsilon_eq(dbl, bar.h / get("bar", 1).h, 0.05 / 0.0344, 1e-6));
    cr_expect(epsilon_eq(dbl, w.h / bar.h, (0.0674 - 0.0329) / 0.05, 1e-6));
    cr_expect(text("n/a") != NULL);
    lb_figure_abandon(fig);
}

Test(figure, values_stand_over_bars_and_counts_under_names)
{
    three_bars();
    drawn();
    const lb_ink bar = get("bar", 0), w = get("whisker", 0);
    const lb_ink *value = text("+0.0500"), *n = text("n = 1,816"), *name = text("[M/H] only");
    cr_assert(value && n && name);
    cr_expect(value->y + value->h <= w.y);
    cr_expect(epsilon_eq(dbl, mid_x(*value), mid_x(bar), 1.0));
    cr_expect(n->y > name->y + name->h);
    cr_expect(epsilon_eq(dbl, mid_x(*n), mid_x(*name), 1.0));
    const lb_ink *below = text("-0.0214\n(share)");
    cr_assert(below != NULL);
    cr_expect(below->y >= get("whisker", 2).y + get("whisker", 2).h, "under a negative bar");
    lb_figure_abandon(fig);
}

Test(figure, grouped_bars_stand_side_by_side)
{
    lb_axes *a = one_panel();
    lb_axes_x_names(a, "Noise", three, 3);
    for (size_t s = 0; s < 2; s++)
        lb_plot_bars(a, (lb_bars){.y = (double[]){0.9, 0.8 + 0.05 * (double)s, 0.7},
                                  .n = 3,
                                  .series = s,
                                  .of = 2,
                                  .style = lb_style_category(s),
                                  .format = "%.4f",
                                  .label = s ? "large" : "small"});
    lb_plot_bracket(a, 0.8, 1.2, "+6.2%");
    drawn();
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < i; j++)
            cr_expect(not(overlap(get("bar", i), get("bar", j))), "%zu and %zu", i, j);
    cr_expect(get("bar", 0).x < get("bar", 3).x && get("bar", 3).x < get("bar", 1).x);
    cr_expect(get("bracket", 0).y + get("bracket", 0).h <= text("0.8500")->y, "over the values");
    lb_figure_abandon(fig);
}

Test(figure, a_bracket_stands_over_what_leaves_the_axis_below)
{
    lb_axes *a = one_panel();
    lb_axes_x_names(a, "Train", three, 3);
    lb_axes_y(a, "R²", -0.5, 1, LB_LINEAR);
    lb_plot_errors(a, (double[]){0, 1}, (double[]){0.2, 0.1}, (double[]){-3, -2},
                   (double[]){0.6, 0.5}, 2, lb_style_role(LB_NEUTRAL), NULL);
    lb_plot_bracket(a, 0, 1, "+0.1");
    drawn();
    cr_expect(get("bracket", 0).y + get("bracket", 0).h <= get("whisker", 0).y);
    lb_figure_abandon(fig);
}

Test(figure, a_missing_bar_says_so)
{
    lb_axes *a = one_panel();
    lb_axes_x_names(a, "Noise", three, 3);
    lb_plot_bars(a, (lb_bars){.y = (double[]){0.9, NAN, 0.7}, .n = 3, .format = "%.2f"});
    drawn();
    cr_expect(eq(sz, count("bar"), 2));
    cr_expect(text("n/a") != NULL);
    cr_expect(eq(ptr, (void *)text("nan"), NULL));
    lb_figure_abandon(fig);
}

Test(figure, a_bar_cut_by_a_fixed_axis_shows_its_true_value)
{
    lb_axes *a = one_panel();
    lb_axes_x_names(a, "Train", three, 3);
    lb_axes_y(a, "R²", 0, 1, LB_LINEAR);
    lb_plot_bars(a, (lb_bars){.y = (double[]){0.5, -699, 0.7}, .n = 3, .format = "%.1f"});
    drawn();
    const lb_ink *value = text("-699.0");
    const lb_ink frame = get("axes", 0);
    cr_assert(value != NULL);
    cr_expect(eq(sz, count("point"), 1), "an arrow head");
    cr_expect(value->y > frame.y && value->y + value->h < frame.y + frame.h);
    lb_figure_abandon(fig);
}

/* --- lines, points, axes --------------------------------------------------------------------- */

static const double alphas[] = {0.01, 0.1, 1, 10};

Test(figure, decades_are_equally_far_apart)
{
    lb_axes *a = one_panel();
    lb_axes_x(a, "α", NAN, NAN, LB_LOG10);
    lb_plot_points(a, alphas, (double[]){0.3, 0.5, 0.9, 0.1}, 4, lb_style_category(0), NULL);
    drawn();
    const double step = mid_x(get("point", 1)) - mid_x(get("point", 0));
    for (size_t i = 2; i < 4; i++)
        cr_expect(epsilon_eq(dbl, mid_x(get("point", i)) - mid_x(get("point", i - 1)), step, 1e-6));
    cr_expect(text("10^{-2}") != NULL);
    const double up = mid_y(get("point", 1)) - mid_y(get("point", 2)); /* 0.5 -> 0.9 */
    cr_expect(epsilon_eq(dbl, (mid_y(get("point", 0)) - mid_y(get("point", 1))) / up, 0.5, 1e-6));
    lb_figure_abandon(fig);
}

Test(figure, zero_has_a_slot_left_of_a_logarithmic_axis)
{
    lb_axes *a = one_panel();
    lb_axes_x(a, "α", NAN, NAN, LB_LOG10);
    lb_axes_x_zero(a, "OLS");
    lb_plot_line(a, alphas, (double[]){0.3, 0.5, 0.9, 0.1}, 4, lb_style_ordered(0, 2), "noise 0.2");
    lb_style star = lb_style_ordered(0, 2);
    star.marker = LB_STAR;
    lb_plot_points(a, (double[]){0}, (double[]){0.25}, 1, star, NULL);
    lb_plot_highlight(a, 1, 0.9, lb_style_ordered(0, 2), "0.9000");
    drawn();
    const lb_ink frame = get("axes", 0), zero = get("point", 4), first = get("point", 0);
    cr_expect(mid_x(zero) > frame.x && mid_x(zero) < first.x - 10);
    cr_expect(epsilon_eq(dbl, mid_x(*text("OLS")), mid_x(zero), 1.0));
    cr_expect(text("0.9000") != NULL);
    lb_figure_abandon(fig);
}

Test(figure, a_line_breaks_at_nan)
{
    lb_axes *a = one_panel();
    const double x[] = {0, 1, 2, 3, 4, 5};
    lb_plot_line(a, x, (double[]){1, 1, NAN, NAN, 1, 1}, 6, lb_style_category(0), NULL);
    drawn();
    cr_expect(eq(sz, count("point"), 4));
    const double from = mid_x(get("point", 1)), to = mid_x(get("point", 2));
    for (size_t i = 0; i < count("line"); i++)
        cr_expect(get("line", i).x + get("line", i).w <= from + 1 || get("line", i).x >= to - 1);
    lb_figure_abandon(fig);
}

Test(figure, values_beyond_a_fixed_range_become_arrows_with_their_number)
{
    lb_axes *a = one_panel();
    lb_axes_y(a, "R²", 0, 1, LB_LINEAR);
    lb_plot_line(a, (double[]){0, 1, 2}, (double[]){0.9, 0.5, -699}, 3, lb_style_category(0), "x");
    drawn();
    const lb_ink frame = get("axes", 0), arrow = get("point", 2);
    cr_expect(text("-699") != NULL);
    cr_expect(arrow.y >= frame.y && arrow.y + arrow.h <= frame.y + frame.h + 1);
    lb_figure_abandon(fig);
}

Test(figure, an_axis_that_leaves_zero_out_says_so)
{
    lb_axes *a = one_panel();
    lb_plot_line(a, (double[]){0, 1}, (double[]){0.83, 0.92}, 2, lb_style_category(0), NULL);
    drawn();
    cr_expect(text("does not start at zero") != NULL);
    lb_figure_abandon(fig);

    a = one_panel();
    lb_plot_line(a, (double[]){0, 1}, (double[]){0.05, 0.92}, 2, lb_style_category(0), NULL);
    drawn();
    cr_expect(eq(ptr, (void *)text("does not start at zero"), NULL));
    cr_expect(text("0.0") != NULL, "and one that can start there does");
    lb_figure_abandon(fig);
}

Test(figure, square_panels_have_equal_sides)
{
    lb_axes *a = one_panel();
    lb_axes_square(a);
    lb_axes_x(a, "True log g (dex)", 0.5, 5.5, LB_LINEAR);
    lb_axes_y(a, "Predicted log g (dex)", 0.5, 5.5, LB_LINEAR);
    lb_plot_points(a, (double[]){1, 4.17}, (double[]){1, 4.17}, 2, lb_style_category(0), NULL);
    lb_plot_identity(a, "y = x");
    lb_axes_box(a, "R² = 1.0000\nn = 2");
    drawn();
    const lb_ink frame = get("axes", 0), p = get("point", 1);
    cr_expect(epsilon_eq(dbl, frame.w, frame.h, 1e-9));
    cr_expect(epsilon_eq(dbl, mid_x(p) - frame.x, frame.y + frame.h - mid_y(p), 1e-6));
    cr_expect(not(overlap(*text("n = 2"), p)));
    lb_figure_abandon(fig);
}

/* --- heat map, density, histogram, box ------------------------------------------------------- */

Test(figure, cells_tile_the_panel_and_show_exact_numbers)
{
    lb_axes *a = one_panel();
    const double z[6] = {0.9991, 0.9130, NAN, 0.2, -699, 0.5};
    const bool best[6] = {true};
    lb_axes_x_names(a, "α", three, 3);
    lb_axes_y_names(a, "Noise", (const char *[]){"0.0", "0.1"}, 2);
    lb_plot_heat(a, (lb_heat){.z = z,
                              .rows = 2,
                              .cols = 3,
                              .lo = 0,
                              .hi = 1,
                              .format = "%.4f",
                              .outline = best,
                              .label = "R²"});
    drawn();
    const lb_ink frame = get("axes", 0);
    double area = 0;
    for (size_t i = 0; i < 6; i++)
        area += get("cell", i).w * get("cell", i).h;
    cr_expect(epsilon_eq(dbl, area, frame.w * frame.h, 1e-6));
    cr_expect(get("cell", 3).y > get("cell", 0).y, "row 0 is on top");
    cr_expect(mid_y(*text("0.1")) > mid_y(*text("0.0")));
    cr_expect(text("-699.0000") != NULL);
    cr_expect(eq(sz, count("arrow"), 1), "one end of the colour bar is passed");
    for (size_t i = 0; i < inks; i++)
        if (ink[i].text)
            cr_expect(not(overlap(ink[i], get("cell", 2))), "NaN has no number");
    lb_figure_abandon(fig);
}

Test(figure, cells_and_bars_may_bring_texts_of_their_own)
{
    static const char *const own[] = {"0.913", "-699", "0.0"};
    lb_axes *a = one_panel();
    lb_axes_x_names(a, "α", three, 3);
    lb_axes_y_names(a, "Noise", (const char *[]){"0.0"}, 1);
    lb_plot_heat(a, (lb_heat){.z = (double[]){0.9130, -699, 0.04},
                              .rows = 1,
                              .cols = 3,
                              .lo = 0,
                              .hi = 1,
                              .values = own});
    drawn();
    for (size_t i = 0; i < 3; i++)
        cr_expect(text(own[i]) != NULL, "%s", own[i]);
    lb_figure_abandon(fig);
    a = one_panel();
    lb_axes_x_names(a, "α", three, 3);
    lb_plot_bars(a, (lb_bars){.y = (double[]){0.9130, -0.3, 0.04},
                              .n = 3,
                              .values = own,
                              .style = lb_style_role(LB_GLOBAL)});
    drawn();
    for (size_t i = 0; i < 3; i++)
        cr_expect(text(own[i]) != NULL, "%s", own[i]);
    lb_figure_abandon(fig);
}

Test(figure, one_point_outside_is_one_point)
{
    lb_axes *a = one_panel();
    lb_axes_x(a, "x", 0, 3, LB_LINEAR);
    lb_axes_y(a, "y", 0, 3, LB_LINEAR);
    double x[70], y[70];
    for (size_t i = 0; i < 70; i++) {
        x[i] = 0.04 * (double)i;
        y[i] = i == 35 ? 7 : x[i];
    }
    lb_plot_points(a, x, y, 70, lb_style_role(LB_MIXTURE), NULL);
    drawn();
    cr_expect(text("Outside the axes: 1 point.") != NULL);
    lb_figure_abandon(fig);
}

Test(figure, a_density_counts_every_point_and_names_those_outside)
{
    enum { N = 32000 };
    double *x = lb_xcalloc(N, sizeof *x), *y = lb_xcalloc(N, sizeof *y);
    lb_rng r = lb_rng_make(11, 0);
    size_t outside = 0;
    for (size_t i = 0; i < N; i++) {
        x[i] = 3750 + 2250 * lb_rng_uniform(&r);
        y[i] = -2.5 + 3.25 * lb_rng_uniform(&r);
        outside += y[i] < -2;
    }
    lb_axes *a = one_panel();
    lb_axes_x(a, "T_{eff} (K)", 3700, 6050, LB_LINEAR);
    lb_axes_y(a, "[M/H] (dex)", -2, 1, LB_LINEAR);
    lb_plot_density(a, x, y, N, lb_style_role(LB_MIXTURE), NULL);
    drawn();
    double sum = 0;
    for (size_t i = 0; i < count("density") && i < 20; i++)
        cr_expect(get("density", i).value >= 1);
    for (size_t i = 0; i < inks; i++)
        sum += strcmp(ink[i].what, "density") == 0 ? ink[i].value : 0;
    cr_expect(epsilon_eq(dbl, sum, (double)(N - outside), 0));
    char note[64];
    snprintf(note, sizeof note, "Outside the axes: %zu points", outside);
    cr_expect(text(note) != NULL);
    free(x);
    free(y);
    lb_figure_abandon(fig);
}

Test(figure, a_histogram_keeps_every_draw)
{
    double draws[1001];
    lb_rng r = lb_rng_make(2, 0);
    for (size_t i = 0; i < 1001; i++)
        draws[i] = i == 500 ? NAN : 0.05 + 0.0088 * lb_rng_normal(&r);
    lb_axes *a = one_panel();
    lb_plot_histogram(a, draws, 1001, 0, lb_style_role(LB_MIXTURE), NULL);
    lb_plot_vline(a, 0, lb_style_role(LB_REFERENCE), "no gain");
    lb_plot_vline(a, 0.03, lb_style_role(LB_THRESHOLD), "valuable: 0.03");
    drawn();
    double sum = 0, widest = 0, narrowest = INFINITY;
    for (size_t i = 0; i < count("bar"); i++) {
        sum += get("bar", i).value;
        widest = fmax(widest, get("bar", i).w);
        narrowest = fmin(narrowest, get("bar", i).w);
    }
    cr_expect(epsilon_eq(dbl, sum, 1000, 0));
    cr_expect(epsilon_eq(dbl, widest, narrowest, 1e-6));
    cr_expect(count("bar") > 10 && count("bar") < 80);
    cr_expect(get("line", 0).x < get("bar", 0).x, "the range takes in the reference at zero");
    lb_figure_abandon(fig);
}

Test(figure, one_value_makes_a_histogram_of_one_bar)
{
    lb_plot_histogram(one_panel(), (double[]){2.17, 2.17, 2.17}, 3, 0, lb_style_category(0), NULL);
    drawn();
    cr_assert(eq(sz, count("bar"), 1));
    cr_expect(epsilon_eq(dbl, get("bar", 0).value, 3, 0));
    lb_figure_abandon(fig);
}

Test(figure, a_box_spans_the_quartiles_and_leaves_outliers_out)
{
    const double v[] = {9, 1, 2, 3, 4, 5, 6, 7, 100};
    lb_axes *a = one_panel();
    lb_axes_x_names(a, NULL, three, 1);
    lb_plot_box(a, 0, v, 9, lb_style_role(LB_MIXTURE), NULL);
    lb_plot_points(a, (double[]){0, 0}, (double[]){3, 7}, 2, lb_style_category(0), NULL);
    drawn();
    const lb_ink box = get("box", 0), whisker = get("whisker", 0);
    cr_expect(epsilon_eq(dbl, box.value, 5, 0));
    cr_expect(epsilon_eq(dbl, box.y + box.h, mid_y(get("point", 0)), 1e-6));
    cr_expect(epsilon_eq(dbl, box.y, mid_y(get("point", 1)), 1e-6));
    cr_expect(epsilon_eq(dbl, whisker.h / box.h, 8.0 / 4.0, 1e-6), "from 1 to 9");
    lb_figure_abandon(fig);
}

/* --- text finds its place -------------------------------------------------------------------- */

static void expect_no_overlap(void)
{
    for (size_t i = 0; i < inks; i++)
        for (size_t j = 0; j < i; j++)
            if (ink[i].text && ink[j].text)
                cr_expect(not(overlap(ink[i], ink[j])), "'%s' and '%s'", ink[i].text, ink[j].text);
}

Test(figure, close_points_get_labels_side_by_side)
{
    const double x[] = {1, 1.01, 1.02, 1.0}, y[] = {0.5, 0.501, 0.5005, 0.4995};
    const char *names[] = {"seed 42", "seed 123", "seed 456", "seed 789"};
    lb_axes *a = one_panel();
    lb_axes_x(a, NULL, 0, 2, LB_LINEAR);
    lb_axes_y(a, NULL, 0, 1, LB_LINEAR);
    lb_plot_points(a, x, y, 4, lb_style_category(0), NULL);
    lb_plot_labels(a, x, y, names, 4, lb_style_category(0));
    drawn();
    expect_no_overlap();
    for (size_t i = 0; i < 4; i++)
        cr_expect(text(names[i]) != NULL, "%s is there", names[i]);
    lb_figure_abandon(fig);
}

/* Whatever the scores: no text on text, none cut off (drawn() insists), no label lost. */
Test(figure, random_scores_keep_all_their_labels)
{
    static const double noise[] = {0, 0.1, 0.2, 0.5, 1};
    static const char *const name[] = {"0.0", "0.1", "0.2", "0.5", "1.0"};
    lb_rng r = lb_rng_make(17, 0);
    for (int round = 0; round < 60; round++) {
        const double scale = pow(10, -3 * lb_rng_uniform(&r));
        double y[2][5], lo[5], hi[5];
        lb_axes *a = one_panel();
        if (round % 2)
            lb_axes_x_names(a, "Noise", name, 5);
        else
            lb_axes_x_ticks(a, noise, 5, "%.1f");
        for (size_t s = 0; s < 2; s++) {
            for (size_t i = 0; i < 5; i++) {
                y[s][i] = scale * (lb_rng_uniform(&r) - 0.2);
                lo[i] = y[s][i] - 0.1 * scale * lb_rng_uniform(&r);
                hi[i] = y[s][i] + 0.1 * scale * lb_rng_uniform(&r);
            }
            const lb_style style = lb_style_category(s);
            if (round % 2) {
                lb_plot_bars(
                    a, (lb_bars){y[s], lo, hi, 5, s, 2, style, NULL, "%+.4f", NULL, NULL, name[s]});
            } else {
                lb_plot_line(a, noise, y[s], 5, style, name[s]);
                lb_plot_errors(a, noise, y[s], lo, hi, 5, style, NULL);
                lb_plot_values(a, noise, y[s], 5, "%+.4f", style);
            }
        }
        lb_plot_hline(a, 0.03, lb_style_role(LB_THRESHOLD), "valuable: 0.03");
        drawn();
        cr_expect(eq(ptr, (void *)text("without room"), NULL), "round %d", round);
        lb_figure_abandon(fig);
    }
}

Test(figure, labels_without_room_are_left_out_and_counted)
{
    double x[200], y[200];
    for (size_t i = 0; i < 200; i++) {
        x[i] = 0.5 + 1e-5 * (double)i;
        y[i] = 0.5;
    }
    lb_axes *a = one_panel();
    lb_axes_x(a, NULL, 0, 1, LB_LINEAR);
    lb_axes_y(a, NULL, 0, 1, LB_LINEAR);
    lb_plot_values(a, x, y, 200, "%.4f", lb_style_category(0));
    drawn();
    expect_no_overlap();
    cr_expect(text("Value labels without room: ") != NULL);
    lb_figure_abandon(fig);
}

Test(figure, a_legend_avoids_the_data_and_names_the_threshold)
{
    lb_axes *a = one_panel();
    double x[50], y[50];
    for (size_t i = 0; i < 50; i++) {
        x[i] = (double)i;
        y[i] = 1 - exp(-(double)i / 9); /* fills the top right corner */
    }
    lb_plot_line(a, x, y, 50, lb_style_role(LB_MIXTURE), "nine experts");
    lb_plot_hline(a, 0.03, lb_style_role(LB_THRESHOLD), "valuable: 0.03");
    drawn();
    const lb_ink legend = get("legend", 0);
    cr_expect(text("valuable: 0.03") && overlap(*text("valuable: 0.03"), legend));
    for (size_t i = 0; i < count("line"); i++)
        cr_expect(not(overlap(legend, get("line", i))));
    cr_expect(overlap(legend, get("axes", 0)));
    lb_figure_abandon(fig);
}

Test(figure, a_legend_without_room_inside_goes_above)
{
    lb_axes *a = one_panel();
    double x[40], y[40];
    for (size_t s = 0; s < 8; s++) {
        for (size_t i = 0; i < 40; i++) {
            x[i] = (double)i;
            y[i] = (double)s + 0.3 * sin((double)i);
        }
        char name[16];
        snprintf(name, sizeof name, "series %zu", s);
        lb_plot_line(a, x, y, 40, lb_style_category(s), name);
    }
    drawn();
    const lb_ink legend = get("legend", 0);
    cr_expect(legend.y + legend.h <= get("axes", 0).y);
    cr_expect(text("series 7") != NULL);
    lb_figure_abandon(fig);
}

Test(figure, panels_in_a_grid_are_aligned_lettered_and_share_an_axis)
{
    char *stem = lb_xprintf("%s/grid", dir);
    fig = lb_figure_new(stem, 6, 7, "Three scores", "Three panels.");
    free(stem);
    lb_figure_share_x(fig);
    lb_figure_legend(fig, LB_PLACE_RIGHT, "Noise");
    for (size_t r = 0; r < 3; r++) {
        lb_axes *a = lb_figure_panel(fig, r, 0, 3, 1);
        lb_axes_x(a, "Ridge penalty", NAN, NAN, LB_LOG10);
        lb_axes_y(a, "MAE (dex)", NAN, NAN, LB_LINEAR);
        lb_axes_title(a, "A panel");
        lb_plot_line(a, alphas, (double[]){0, 1 + 1000 * (double)r, 2, 3}, r == 1 ? 4 : 3,
                     lb_style_category(0), "0.2");
    }
    drawn();
    for (size_t r = 1; r < 3; r++) {
        cr_expect(epsilon_eq(dbl, get("axes", r).x, get("axes", 0).x, 1e-9));
        cr_expect(epsilon_eq(dbl, get("axes", r).h, get("axes", 0).h, 1e-9));
        cr_expect(get("axes", r).y > get("axes", r - 1).y + get("axes", r - 1).h);
    }
    size_t labels = 0, entries = 0;
    for (size_t i = 0; i < inks; i++) {
        labels += ink[i].text && strcmp(ink[i].text, "Ridge penalty") == 0;
        entries += ink[i].text && strcmp(ink[i].text, "0.2") == 0 && ink[i].panel == (size_t)-1;
    }
    cr_expect(eq(sz, labels, 1));
    cr_expect(eq(sz, entries, 1), "a label is in the legend once");
    cr_expect(epsilon_eq(dbl, mid_x(get("point", 0)), mid_x(get("point", 3)), 1e-9), "same range");
    cr_expect(get("legend", 0).x > get("axes", 0).x + get("axes", 0).w);
    lb_figure_abandon(fig);
}

Test(figure, the_title_of_a_panel_takes_no_room_from_the_data)
{
    char *stem = lb_xprintf("%s/titled", dir);
    fig = lb_figure_new(stem, 6, 4, "Two panels", "One with a title, one without.");
    free(stem);
    lb_figure_legend(fig, LB_PLACE_ABOVE, NULL);
    for (size_t i = 0; i < 2; i++) {
        lb_axes *a = lb_figure_panel(fig, 0, i, 1, 2);
        lb_axes_x(a, "Ridge penalty", NAN, NAN, LB_LOG10);
        lb_axes_y(a, "MAE (dex)", NAN, NAN, LB_LINEAR);
        if (i == 1)
            lb_axes_title(a, "A panel");
        lb_plot_line(a, alphas, (double[]){0, 1, 3, 2}, 4, lb_style_category(0), "0.2");
    }
    drawn();
    for (size_t i = 0; i < 4; i++)
        cr_expect(epsilon_eq(dbl, get("point", i).y, get("point", i + 4).y, 1e-9));
    lb_figure_abandon(fig);
}

/* --- refusals -------------------------------------------------------------------------------- */

static void refused(lb_status status, const char *part)
{
    cr_expect(eq(int, measure(), status));
    cr_expect(strstr(err.text, part) != NULL, "'%s' is not in '%s'", part, err.text);
    lb_figure_abandon(fig);
}

static void plot_two(lb_axes *a, double y0, double y1)
{
    lb_plot_line(a, (double[]){1, 2}, (double[]){y0, y1}, 2, lb_style_category(0), "noise 0.2");
}

Test(figure, nothing_to_see_is_an_error)
{
    plot_two(one_panel(), NAN, NAN);
    refused(LB_EINVAL, "'noise 0.2' is empty (2 values, all NaN)");
    lb_plot_points(one_panel(), NULL, (double[]){0}, 0, lb_style_category(0), "none");
    refused(LB_EINVAL, "'none' is empty");
    plot_two(one_panel(), 1, INFINITY);
    refused(LB_EINVAL, "infinite value at 1");
    lb_plot_histogram(one_panel(), (double[]){NAN}, 1, 0, lb_style_category(0), "draws");
    refused(LB_EINVAL, "'draws' is empty");
    lb_plot_box(one_panel(), 0, (double[]){NAN}, 1, lb_style_category(0), "seeds");
    refused(LB_EINVAL, "'seeds' is empty");
    fig = lb_figure_new("/tmp/none", 0, 0, "Title", "Alt");
    refused(LB_EINVAL, "no panel");
}

Test(figure, the_first_failure_is_the_one_reported)
{
    lb_axes *a = one_panel();
    plot_two(a, NAN, NAN);
    plot_two(a, INFINITY, 0);
    refused(LB_EINVAL, "all NaN");
}

Test(figure, text_that_is_not_english_is_refused)
{
    static const char *const bad[] = {"九分箱", "かな", "✅ done 🎯", "（n）", "\xff\xfe"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        lb_axes *a = one_panel();
        plot_two(a, 0, 1);
        lb_axes_title(a, bad[i]);
        refused(LB_EINVAL, i == 4 ? "is not English" : bad[i]);
    }
    lb_axes *a = one_panel();
    plot_two(a, 0, 1);
    lb_axes_title(a, "ΔR² ≥ 0.03, α*, T_{eff}, 95% – “robust” & <b>");
    drawn();
    lb_figure_abandon(fig);
}

Test(figure, text_that_leaves_the_canvas_is_named)
{
    lb_axes *a = one_panel();
    plot_two(a, 0, 1);
    lb_axes_title(a, "A title so long that no figure of six inches could hold it in one line, "
                     "however small the type and however narrow the letters of the font");
    refused(LB_EINVAL, "leaves the canvas");
}

Test(figure, text_on_text_is_named)
{
    lb_axes *a = one_panel();
    plot_two(a, 0, 1);
    lb_plot_text(a, 1.5, 0.8, "k = 3\nn = 3,278");
    lb_plot_text(a, 1.51, 0.8, "k = 4");
    refused(LB_EINVAL, "overlaps 'k = 3");
}

Test(figure, wrong_arguments_are_named)
{
    lb_axes *a = one_panel();
    lb_plot_values(a, (double[]){1}, (double[]){1}, 1, "%d", lb_style_category(0));
    refused(LB_EINVAL, "'%d' is not a format");
    a = one_panel();
    lb_axes_x_names(a, NULL, three, 3);
    lb_plot_bars(a, (lb_bars){.y = (double[]){1, 2}, .n = 2});
    refused(LB_EINVAL, "2 bars for 3 names");
    a = one_panel();
    lb_axes_x_names(a, NULL, three, 3);
    lb_axes_x_counts(a, (size_t[]){1, 2}, 2);
    refused(LB_EINVAL, "2 counts for 3 names");
    a = one_panel();
    lb_axes_x_names(a, NULL, three, 3);
    lb_axes_name_colours(a, (lb_style[]){lb_style_category(0)}, 1);
    refused(LB_EINVAL, "1 colours for 3 and 0 names");
    a = one_panel();
    lb_axes_x_names(a, NULL, three, 0);
    refused(LB_EINVAL, "has no names");
    a = one_panel();
    lb_axes_x_ticks(a, (double[]){1}, 1, "%s");
    refused(LB_EINVAL, "in the format '%s'");
    a = one_panel();
    lb_axes_y(a, "R²", 1, 0, LB_LINEAR);
    refused(LB_EINVAL, "the range of 'R²' is 1 to 0");
    a = one_panel();
    lb_axes_x(a, "α", NAN, NAN, LB_LOG10);
    lb_plot_line(a, (double[]){0, 1}, (double[]){1, 2}, 2, lb_style_category(0), NULL);
    refused(LB_EINVAL, "0 on the logarithmic axis 'α'");
    a = one_panel();
    lb_plot_heat(a, (lb_heat){.z = (double[]){1, 2}, .rows = 1, .cols = 2});
    refused(LB_ESHAPE, "1 x 2 matrix");
}

Test(figure, too_many_markers_are_refused)
{
    double *x = lb_xcalloc(3001, sizeof *x);
    lb_plot_points(one_panel(), x, x, 3001, lb_style_category(0), NULL);
    refused(LB_EINVAL, "use lb_plot_density()");
    free(x);
}

Test(figure, panels_must_fit_their_grid)
{
    one_panel();
    lb_figure_panel(fig, 0, 0, 1, 1);
    refused(LB_EINVAL, "is there twice");
    one_panel();
    lb_figure_panel(fig, 0, 1, 1, 2);
    refused(LB_EINVAL, "1 x 1 is set");
    fig = lb_figure_new("/tmp/none", 0, 0, "Title", "");
    refused(LB_EINVAL, "alternative text");
}

/* --- files ----------------------------------------------------------------------------------- */

static const char *const extension[] = {"svg", "pdf", "png"};

static char *contents(const char *stem, const char *ext, size_t *length)
{
    char *path = lb_xprintf("%s/%s.%s", dir, stem, ext), *data = NULL;
    cr_assert(eq(int, lb_file_read(path, &data, length, NULL), LB_OK), "%s", path);
    free(path);
    return data;
}

/* A figure with everything that takes bytes: raster, many points, gradient, text. */
static lb_status write_rich(const char *name)
{
    enum { N = 3000 };
    char *stem = lb_xprintf("%s/%s", dir, name);
    double *x = lb_xcalloc(N, sizeof *x), *y = lb_xcalloc(N, sizeof *y), z[9];
    lb_rng r = lb_rng_make(5, 0);
    for (size_t i = 0; i < N; i++) {
        x[i] = lb_rng_normal(&r);
        y[i] = x[i] + lb_rng_normal(&r);
    }
    for (size_t i = 0; i < 9; i++)
        z[i] = (double)i;
    fig = lb_figure_new(stem, 7, 4, "Everything <at> once\nand a \"second\" line", "R² & more.");
    lb_plot_density(lb_figure_panel(fig, 0, 0, 1, 3), x, y, N, lb_style_category(0), "density");
    lb_plot_points(lb_figure_panel(fig, 0, 1, 1, 3), x, y, 1000, lb_style_category(0), "points");
    lb_axes *a = lb_figure_panel(fig, 0, 2, 1, 3);
    lb_axes_x_names(a, NULL, (const char *[]){"a", "b", "c"}, 3);
    lb_axes_y_names(a, NULL, (const char *[]){"a", "b", "c"}, 3);
    lb_plot_heat(a, (lb_heat){.z = z, .rows = 3, .cols = 3, .format = "%.1f", .label = "R²"});
    free(stem);
    free(x);
    free(y);
    err = (lb_error){0};
    return lb_figure_close(fig, &err);
}

Test(figure, the_same_figure_has_the_same_bytes)
{
    cr_assert(eq(int, write_rich("first"), LB_OK), "%s", err.text);
    cr_assert(eq(int, write_rich("again/first"), LB_OK), "%s", err.text);
    for (size_t i = 0; i < 3; i++) {
        size_t na, nb;
        char *a = contents("first", extension[i], &na),
             *b = contents("again/first", extension[i], &nb);
        cr_expect(na == nb && memcmp(a, b, na) == 0, "%s differs", extension[i]);
        free(a);
        free(b);
        char *part = lb_xprintf("%s/first.%s.part", dir, extension[i]);
        cr_expect(not(lb_file_exists(part)));
        free(part);
    }
}

Test(figure, names_take_the_colours_of_their_groups)
{
    char *svg[2];
    for (int coloured = 0; coloured < 2; coloured++) {
        const char *name = coloured ? "coloured" : "ink";
        char *stem = lb_xprintf("%s/%s", dir, name);
        fig = lb_figure_new(stem, 4, 3, "Groups", "Two groups.");
        lb_axes *a = lb_figure_panel(fig, 0, 0, 1, 1);
        lb_axes_x_names(a, NULL, three, 2);
        if (coloured)
            lb_axes_name_colours(a, (lb_style[]){lb_style_category(1), lb_style_category(2)}, 2);
        lb_plot_bars(a, (lb_bars){.y = (double[]){1, 2}, .n = 2});
        cr_assert(eq(int, lb_figure_close(fig, &err), LB_OK), "%s", err.text);
        size_t n;
        svg[coloured] = contents(name, "svg", &n);
        free(stem);
    }
    cr_expect(ne(str, svg[0], svg[1]));
    free(svg[0]);
    free(svg[1]);
}

Test(figure, an_svg_is_small_described_and_stands_alone)
{
    size_t n;
    cr_assert(eq(int, write_rich("first"), LB_OK), "%s", err.text);
    char *svg = contents("first", "svg", &n);
    cr_expect(n < 150000, "%zu bytes", n);
    cr_expect(strstr(svg, "<title>Everything &lt;at&gt; once: and a \"second\" line</title>") !=
              NULL);
    cr_expect(strstr(svg, "<desc>R² &amp; more.</desc>") != NULL);
    cr_expect(strstr(svg, "</svg>") != NULL);
    cr_expect(eq(ptr, strstr(svg, "href=\"http"), NULL));
    free(svg);
}

/* A pixel of the PNG at (x, y) pt, as 0xrrggbb. */
static unsigned pixel(const char *name, double x, double y)
{
    char *path = lb_xprintf("%s/%s.png", dir, name);
    cairo_surface_t *s = cairo_image_surface_create_from_png(path);
    cr_assert(eq(int, cairo_surface_status(s), CAIRO_STATUS_SUCCESS));
    unsigned v;
    const double scale = 192.0 / 72.0;
    memcpy(&v,
           cairo_image_surface_get_data(s) +
               (size_t)(y * scale) * (size_t)cairo_image_surface_get_stride(s) +
               4 * (size_t)(x * scale),
           4);
    cairo_surface_destroy(s);
    free(path);
    return v & 0xffffff;
}

Test(figure, pixels_have_the_colour_of_their_role)
{
    lb_axes *a = one_panel();
    lb_axes_x_names(a, NULL, three, 3);
    lb_plot_bars(a,
                 (lb_bars){.y = (double[]){1, 2, 3}, .n = 3, .style = lb_style_role(LB_MIXTURE)});
    drawn();
    const lb_ink bar = get("bar", 1), frame = get("axes", 0);
    cr_assert(eq(int, lb_figure_close(fig, &err), LB_OK), "%s", err.text);
    cr_expect(eq(uint, pixel("sub/plot", mid_x(bar), mid_y(bar)), 0x0072b2));
    cr_expect(eq(uint, pixel("sub/plot", mid_x(bar), bar.y - 8), 0xffffff));
    cr_expect(eq(uint, pixel("sub/plot", frame.x + frame.w - 2, frame.y + 2), 0xffffff));
}

/* cairo's coordinates end at some eight million points and wrap around beyond. */
Test(figure, a_line_that_ends_far_beyond_does_not_come_back)
{
    size_t n;
    char *stem = lb_xprintf("%s/far", dir);
    fig = lb_figure_new(stem, 0, 0, "What it shows\nE01 and its sizes", "One sentence.");
    lb_axes *a = lb_figure_panel(fig, 0, 0, 1, 1);
    lb_axes_y(a, "R²", 0, 1, LB_LINEAR);
    lb_plot_line(a, (double[]){0, 1, 2, 3}, (double[]){0.9, -3491, -87301, 0.5}, 4,
                 lb_style_category(0), "x");
    err = (lb_error){0};
    cr_assert(eq(int, lb_figure_close(fig, &err), LB_OK), "%s", err.text);
    char *svg = contents("far", "svg", &n);
    size_t paths = 0;
    for (const char *d = svg; (d = strstr(d, " d=\"")) != NULL; paths++)
        for (d += 4; *d && *d != '"';) {
            char *end;
            const double v = strtod(d, &end);
            cr_expect(fabs(v) < 20000, "%g", v);
            d = end > d ? end : d + 1;
        }
    cr_expect(gt(sz, paths, 0));
    free(svg);
    free(stem);
}

Test(figure, a_refused_figure_leaves_no_file)
{
    plot_two(one_panel(), NAN, NAN);
    cr_expect(eq(int, lb_figure_close(fig, &err), LB_EINVAL));
    char *path = lb_xprintf("%s/sub/plot.svg", dir);
    cr_expect(not(lb_file_exists(path)));
    free(path);
}

Test(figure, a_place_that_cannot_be_written_is_named)
{
    char *file = lb_xprintf("%s/file", dir), *stem = lb_xprintf("%s/file/plot", dir);
    cr_assert(eq(int, lb_file_write(file, "x", 1, NULL), LB_OK));
    fig = lb_figure_new(stem, 0, 0, "Title", "Alt");
    plot_two(lb_figure_panel(fig, 0, 0, 1, 1), 0, 1);
    err = (lb_error){0};
    cr_expect(eq(int, lb_figure_close(fig, &err), LB_EIO));
    cr_expect(strstr(err.text, file) != NULL, "%s", err.text);
    free(file);
    free(stem);
    lb_figure_abandon(NULL);
}
