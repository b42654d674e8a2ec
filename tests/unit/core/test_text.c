/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/text.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

Test(text, grows_without_losing_anything)
{
    lb_text t = {0};
    for (int i = 0; i < 1000; i++)
        lb_text_printf(&t, "%d,", i % 10);
    cr_expect(eq(sz, t.length, 2000));
    cr_expect(eq(sz, strlen(t.s), 2000));
    cr_expect(eq(int, strncmp(t.s + 1990, "5,6,7,8,9,", 10), 0));
    lb_text_addn(&t, "abcdef", 2);
    cr_expect(eq(str, t.s + 2000, "ab"));
    lb_text_add(&t, "");
    cr_expect(eq(sz, t.length, 2002));
    lb_text_free(&t);
    cr_expect(t.s == NULL && t.length == 0);
}

Test(text, take_gives_the_string_away)
{
    lb_text t = {0};
    char *empty = lb_text_take(&t);
    cr_expect(eq(str, empty, ""));
    lb_text_add(&t, "x");
    char *x = lb_text_take(&t);
    cr_expect(eq(str, x, "x"));
    cr_expect(t.s == NULL);
    free(empty);
    free(x);
}

static const char *const keys[] = {"alphas", "bootstrap", "noise", "thresholds"};

Test(text, nearest_finds_the_slip_of_the_finger)
{
    cr_expect(eq(str, (char *)lb_nearest("alpha", keys, 4), "alphas"));
    cr_expect(eq(str, (char *)lb_nearest("bootsrtap", keys, 4), "bootstrap"));
    cr_expect(eq(str, (char *)lb_nearest("treshold", keys, 4), "thresholds"));
    cr_expect(eq(str, (char *)lb_nearest("noise", keys, 4), "noise"));
}

Test(text, nearest_offers_nothing_far_fetched)
{
    cr_expect(lb_nearest("replication", keys, 4) == NULL);
    cr_expect(lb_nearest("noise", keys, 0) == NULL);
}

Test(text, width_counts_columns_not_bytes)
{
    cr_expect(eq(sz, lb_text_width(""), 0));
    cr_expect(eq(sz, lb_text_width("delta"), 5));
    cr_expect(eq(sz, lb_text_width("\xce\x94R\xc2\xb2"), 3));        /* ΔR² */
    cr_expect(eq(sz, lb_text_width("\xe5\x88\x86\xe7\xae\xb1"), 4)); /* 分箱 */
    cr_expect(eq(sz, lb_text_width("e\xcc\x81"), 1));                /* e + accent */
    cr_expect(eq(sz, lb_text_width("\xe2\x9c\x85"), 2));             /* ✅ */
    cr_expect(eq(sz, lb_text_width("\xf0\x9f\x9f\xa1"), 2));         /* 🟡 */
    cr_expect(eq(sz, lb_text_width("\xe2\x9a\xa0\xef\xb8\x8f"), 1), "⚠ + selector");
}

/* Bytes that are not UTF-8 must not run past the end. */
Test(text, width_survives_broken_utf8)
{
    const char *const broken[] = {"\xe5", "\xf0\x9f", "a\xc3", "\x80\x80", "\xff"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        cr_expect(le(sz, lb_text_width(broken[i]), 4), "case %zu", i);
}

Test(text, numbers_are_the_whole_string_or_none)
{
    double x = 0;
    cr_expect(lb_parse_double("2.17", &x) && x == 2.17);
    cr_expect(lb_parse_double("-1e-3", &x) && x == -1e-3);
    cr_expect(lb_parse_double("+4", &x) && x == 4.0);
    const char *const bad[] = {"",    " 1",  "1 ",    "1e-3x", "0x10", "nan", "inf",
                               "1_0", "1,5", "1e999", ".",     "e5",   "--1", "1e"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(not(lb_parse_double(bad[i], &x)), "'%s'", bad[i]);
}

Test(text, sizes_are_digits_only)
{
    size_t n = 0;
    cr_expect(lb_parse_size("0", &n) && n == 0);
    cr_expect(lb_parse_size("18446744073709551615", &n) && n == SIZE_MAX);
    const char *const bad[] = {"", "-1", "+1", " 1", "1.0", "0x1", "18446744073709551616"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(not(lb_parse_size(bad[i], &n)), "'%s'", bad[i]);
}
