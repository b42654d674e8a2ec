/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/format.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Printed into a static buffer, "!N" for status N. */
static const char *show(lb_number x, const char *field, const char *format)
{
    static char s[512];
    lb_text out = {0};
    const lb_status st = lb_format_number(&x, field, format, true, &out, NULL);
    snprintf(s, sizeof s, "%s", st == LB_OK && out.s ? out.s : "");
    if (st != LB_OK)
        snprintf(s, sizeof s, "!%d", st);
    lb_text_free(&out);
    return s;
}

static lb_number with_se(double value, double se)
{
    lb_number x = lb_number_plain(value, "r2", "");
    x.se = se;
    x.ci_lo = value - 2.0 * se;
    x.ci_hi = value + 2.0 * se;
    return x;
}

static size_t decimals(const char *s)
{
    const char *point = strchr(s, '.');
    return point ? strspn(point + 1, "0123456789") : 0;
}

Test(format, never_more_decimals_than_the_uncertainty_supports)
{
    for (int e = -5; e <= 3; e++) {
        const lb_number x = with_se(2.17, 3.3 * pow(10.0, e));
        const size_t most = (size_t)lb_number_decimals(&x);
        static const char *const formats[] = {NULL, ".9f", ".3f", "+.6f", "f", ",.5f"};
        for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
            cr_expect(decimals(show(x, NULL, formats[i])) <= most, "se 3.3e%d, %s: %s", e,
                      formats[i] ? formats[i] : "default", show(x, NULL, formats[i]));
        cr_expect(decimals(show(x, "ci_lo", ".9f")) <= most, "%s", show(x, "ci_lo", ".9f"));
    }
}

Test(format, what_is_printed_is_the_value_rounded)
{
    double v = 1e-3;
    for (int i = 0; i < 200; i++, v *= -1.13) {
        lb_number x = lb_number_plain(v, "r2", "");
        char plain[512];
        snprintf(plain, sizeof plain, "%s", show(x, NULL, ".4f"));
        cr_expect(fabs(strtod(plain, NULL) - v) <= 0.5001e-4, "%.17g became %s", v, plain);
    }
}

Test(format, a_rounded_zero_has_no_sign)
{
    cr_expect_str_eq(show(lb_number_plain(-0.0004, "delta_r2", ""), NULL, "+.2f"), "0.00");
    cr_expect_str_eq(show(lb_number_plain(-0.0, "bias", ""), NULL, ".1f"), "0.0");
    cr_expect_str_eq(show(lb_number_plain(0.0004, "delta_r2", ""), NULL, "+.2f"), "0.00");
}

Test(format, kinds_have_their_own_way)
{
    cr_expect_str_eq(show(lb_number_count(1234567), NULL, NULL), "1,234,567");
    cr_expect_str_eq(show(lb_number_count(999), NULL, NULL), "999");
    cr_expect_str_eq(show(lb_number_plain(0.001, "alpha", ""), NULL, NULL), "0.001");
    cr_expect_str_eq(show(lb_number_plain(1e5, "alpha", ""), NULL, NULL), "1e5");
    cr_expect_str_eq(show(lb_number_plain(1e-5, "alpha", ""), NULL, NULL), "1e-5");
    cr_expect_str_eq(show(lb_number_plain(2.5e6, "alpha", ""), NULL, NULL), "2.5e6");
    cr_expect_str_eq(show(lb_number_plain(0.0, "alpha", ""), NULL, NULL), "0");
    cr_expect_str_eq(show(lb_number_plain(20251203, "seed", ""), NULL, NULL), "20251203");
    cr_expect_str_eq(show(lb_number_plain(0.05, "delta_r2", ""), NULL, NULL), "+0.0500");
    cr_expect_str_eq(show(lb_number_plain(-699.04, "r2", ""), NULL, NULL), "-699.04");
    cr_expect_str_eq(show(lb_number_plain(3.2e-9, "ratio", ""), NULL, NULL), "3.2e-9");
}

Test(format, percentages_keep_the_decimals_that_are_known)
{
    cr_expect_str_eq(show(with_se(0.81612, 0.012), NULL, "pct"), "81.6%");
    cr_expect_str_eq(show(with_se(0.81612, 0.12), NULL, "pct"), "82%");
    cr_expect_str_eq(show(lb_number_plain(0.5, "ratio", ""), NULL, "pct"), "50.0%");
    cr_expect_str_eq(show(lb_number_plain(0.5, "ratio", ""), NULL, ".0%"), "50%");
}

Test(format, a_reason_stands_for_a_missing_number_in_every_format)
{
    lb_number x = lb_number_na("r2", "n/a (n<10)");
    x.n = 3;
    static const char *const formats[] = {NULL, "ci", "pm", "pct", "+.3f", "unit"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        cr_expect_str_eq(show(x, NULL, formats[i]), "n/a (n<10)");
    cr_expect_str_eq(show(x, "n", NULL), "3", "its rows are known");
}

Test(format, nothing_is_invented)
{
    const lb_number plain = lb_number_plain(1.0, "r2", "");
    cr_expect_str_eq(show(lb_number_plain((double)NAN, "r2", ""), NULL, NULL), "!5");
    cr_expect_str_eq(show(lb_number_plain((double)INFINITY, "r2", ""), NULL, ".3f"), "!5");
    cr_expect_str_eq(show(plain, NULL, "ci"), "!5");
    cr_expect_str_eq(show(plain, NULL, "pm"), "!5");
    cr_expect_str_eq(show(plain, "se", NULL), "!5");
    cr_expect_str_eq(show(plain, "p_above", NULL), "!5");
    cr_expect_eq(LB_ENUMERIC, 5);
}

Test(format, only_the_formats_of_the_manual_exist)
{
    static const char *const good[] = {"",   "ci",  "pm",    "pct", "unit", "f", ".0f", "+.4f",
                                       ",d", ".1%", "+,.2f", ".3e", ".3g",  "+", ","};
    static const char *const bad[] = {"CI",   "%f", ".f",  ".10f", "+-f", "ff",   "4f", ".4",
                                      "+.4x", "n",  "pm2", " ",    "f+",  ".4f ", "%n", "%s"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect(lb_format_check(good[i], NULL) == LB_OK, "'%s' was refused", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(lb_format_check(bad[i], NULL) == LB_EFORMAT, "'%s' was taken", bad[i]);
}

Test(format, prose_has_a_real_minus_and_code_an_ascii_one)
{
    const lb_number x = with_se(-0.0123, 0.009);
    lb_text prose = {0}, code = {0};
    lb_format_number(&x, NULL, "pm", false, &prose, NULL);
    lb_format_number(&x, NULL, "pm", true, &code, NULL);
    cr_expect_str_eq(prose.s, "−0.0123 ± 0.0090");
    cr_expect_str_eq(code.s, "-0.0123 +/- 0.0090");
    lb_text_free(&prose);
    lb_text_free(&code);
}

Test(format, the_largest_double_fits)
{
    cr_expect(strlen(show(lb_number_plain(-1.7e308, "r2", ""), NULL, "+,.9f")) > 300);
}
