/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/random.h"
#include "figure/palette.h"
#include "figure/scale.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>

Test(scale, linear_ticks_are_few_nice_and_inside)
{
    lb_rng r = lb_rng_make(7, 0);
    for (int i = 0; i < 2000; i++) {
        const double lo = 200 * lb_rng_uniform(&r) - 100;
        const double hi = lo + pow(10, 8 * lb_rng_uniform(&r) - 4);
        const size_t most = 3 + lb_rng_below(&r, 7);
        const lb_ticks t = lb_ticks_linear(lo, hi, most);
        cr_assert(t.n >= 1 && t.n <= most, "%zu ticks in %g..%g", t.n, lo, hi);
        cr_assert(t.at[0] >= lo - 1e-6 * (hi - lo) && t.at[t.n - 1] <= hi + 1e-6 * (hi - lo));
        for (size_t k = 1; k < t.n; k++) {
            const double step = t.at[k] - t.at[k - 1];
            const double m = step / pow(10, floor(log10(step) + 1e-6));
            cr_assert(fabs(m - 1) < 1e-3 || fabs(m - 2) < 1e-3 || fabs(m - 2.5) < 1e-3 ||
                          fabs(m - 5) < 1e-3,
                      "step %g", step);
            cr_assert(fabs(strtod(t.text[k], NULL) - t.at[k]) < 1e-6 * step, "'%s' is not %.9g",
                      t.text[k], t.at[k]);
        }
    }
}

Test(scale, a_unit_range_has_the_ticks_one_would_draw)
{
    lb_ticks t = lb_ticks_linear(0, 1, 6);
    cr_assert(eq(sz, t.n, 6));
    cr_expect(eq(str, t.text[1], "0.2"));
    t = lb_ticks_linear(-0.02, 0.061, 5);
    cr_expect(eq(str, t.text[0], "-0.02"));
}

Test(scale, log_ticks_are_powers_of_ten)
{
    lb_ticks t = lb_ticks_log(0.00075, 1333, 9);
    cr_assert(eq(sz, t.n, 7));
    cr_expect(eq(str, t.text[0], "10^{-3}"));
    cr_expect(epsilon_eq(dbl, t.at[6], 1000, 1e-9));
    const lb_ticks thinned = lb_ticks_log(1e-9, 1e9, 5);
    cr_expect(thinned.n <= 5 && thinned.n >= 3);
}

Test(scale, a_short_log_range_still_has_ticks)
{
    lb_ticks t = lb_ticks_log(3, 70, 6);
    cr_assert(t.n >= 3);
    cr_expect(eq(str, t.text[0], "5"));
}

Test(scale, a_format_takes_one_double_and_nothing_else)
{
    static const char *const good[] = {"%f", "%+.4f", "%.1f %%", "R² = %6.2e", "%'g"};
    static const char *const bad[] = {"", "%d", "%s", "%f %f", "%*f", "%n", "%", "%lf", "%.4"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_expect(lb_format_is_number(good[i]), "'%s' is fine", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect(not(lb_format_is_number(bad[i])), "'%s' is not", bad[i]);
}

Test(scale, a_number_that_rounds_to_zero_has_no_sign)
{
    static const struct {
        const char *format;
        double value;
        const char *text;
    } cases[] = {{"%.2f", -0.004, "0.00"},
                 {"%+.3f", -0.0004, "+0.000"},
                 {"%.3f", -0.0005001, "-0.001"},
                 {"%+.2f %%", -0.1, "-0.10 %"},
                 {"%.2f", 0.004, "0.00"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = lb_value_text(cases[i].format, cases[i].value);
        cr_expect(eq(str, text, (char *)cases[i].text));
        free(text);
    }
}

Test(palette, value_maps_grow_lighter_all_the_way)
{
    for (int map = LB_VIRIDIS; map <= LB_CIVIDIS; map++)
        for (int i = 1; i <= 500; i++)
            cr_assert(lb_luminance(lb_map_colour((lb_map)map, i / 500.0)) >
                          lb_luminance(lb_map_colour((lb_map)map, (i - 1) / 500.0)),
                      "map %d at %d", map, i);
}

Test(palette, the_balance_is_lightest_in_the_middle_and_alike_on_both_sides)
{
    for (int i = 18; i <= 250; i++) { /* within one stop of the middle it is level */
        const double out = i / 500.0, in = (i - 1) / 500.0;
        for (int side = -1; side <= 1; side += 2)
            cr_assert(lb_luminance(lb_map_colour(LB_BALANCE, 0.5 + side * out)) <
                          lb_luminance(lb_map_colour(LB_BALANCE, 0.5 + side * in)) + 1e-9,
                      "%d of 250 on side %d", i, side);
    }
    const lb_colour low = lb_map_colour(LB_BALANCE, 0.2), high = lb_map_colour(LB_BALANCE, 0.8);
    cr_expect(low.b > low.r && high.r > high.b, "blue is below, red above");
}

Test(palette, values_beyond_the_map_take_its_ends)
{
    const lb_colour end = lb_map_colour(LB_VIRIDIS, 1), far = lb_map_colour(LB_VIRIDIS, 7.3);
    cr_expect(epsilon_eq(dbl, end.g, far.g, 0));
    cr_expect(epsilon_eq(dbl, lb_map_colour(LB_VIRIDIS, -2).b, lb_map_colour(LB_VIRIDIS, 0).b, 0));
    cr_expect(epsilon_eq(dbl, lb_luminance(lb_map_colour(LB_CIVIDIS, NAN)), 1, 1e-12));
}

/* WCAG 2 asks for 4.5; black or white always reach 4.58 on something. */
Test(palette, text_can_be_read_on_every_cell)
{
    for (int map = LB_VIRIDIS; map <= LB_BALANCE; map++)
        for (int i = 0; i <= 200; i++) {
            const lb_colour cell = lb_map_colour((lb_map)map, i / 200.0);
            const double a = lb_luminance(cell), b = lb_luminance(lb_text_on(cell));
            const double contrast = (fmax(a, b) + 0.05) / (fmin(a, b) + 0.05);
            cr_assert(contrast >= 4.5, "%g", contrast);
        }
}

Test(palette, no_two_series_differ_by_colour_alone)
{
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < i; j++) {
            const lb_style a = lb_style_category(i), b = lb_style_category(j);
            cr_expect(a.marker != b.marker, "categories %zu and %zu", i, j);
            const lb_style c = lb_style_ordered(i, 6), d = lb_style_ordered(j, 6);
            cr_expect(c.marker != d.marker, "values %zu and %zu", i, j);
        }
    for (int i = LB_GLOBAL; i <= LB_CONDITIONAL; i++)
        for (int j = LB_GLOBAL; j < i; j++) {
            const lb_style a = lb_style_role((lb_role)i), b = lb_style_role((lb_role)j);
            cr_expect(a.marker != b.marker && a.dash != b.dash && a.hatch != b.hatch,
                      "roles %d and %d", i, j);
        }
}
