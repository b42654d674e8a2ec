/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/condition.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A world of names: a = 1, b.c = 2 (an oracle), zero = 0, text = "clean", flag = true, na is n/a.
 */
static lb_status world_name(void *self, const char *name, lb_value *out, lb_error *err)
{
    int *looked = self;
    ++*looked;
    static const struct {
        const char *name;
        lb_value value;
    } world[] = {{"a", {.kind = LB_VALUE_NUMBER, .number = 1}},
                 {"b.c", {.kind = LB_VALUE_NUMBER, .number = 2, .oracle = true}},
                 {"zero", {.kind = LB_VALUE_NUMBER, .number = 0}},
                 {"text", {.kind = LB_VALUE_TEXT, .text = "clean"}},
                 {"flag", {.kind = LB_VALUE_TRUTH, .truth = true}},
                 {"na", {.kind = LB_VALUE_UNKNOWN}}};
    for (size_t i = 0; i < sizeof world / sizeof *world; i++)
        if (!strcmp(name, world[i].name)) {
            *out = world[i].value;
            return LB_OK;
        }
    if (!strcmp(name, "broken"))
        return LB_FAIL(err, LB_EIO, "the disk is gone");
    return LB_FAIL(err, LB_ENAME, "no key '%s'", name);
}

static lb_status world_verdict(void *self, const char *id, lb_value *out, lb_error *err)
{
    (void)self;
    if (strcmp(id, "E01-a"))
        return LB_FAIL(err, LB_ENAME, "no hypothesis '%s'", id);
    *out = (lb_value){.kind = LB_VALUE_TEXT, .text = "PASS"};
    return LB_OK;
}

static int looked;
static const lb_scope world = {world_name, world_verdict, &looked};

static lb_status run(const char *text, lb_truth *out, lb_error *err)
{
    lb_condition *c = NULL;
    lb_status st = lb_condition_parse(text, &c, err);
    if (st == LB_OK)
        st = lb_condition_evaluate(c, &world, out, err);
    lb_condition_free(c);
    return st;
}

static void is(const char *text, lb_truth expected)
{
    lb_truth t = LB_UNKNOWN;
    lb_error err = {0};
    cr_expect(eq(int, run(text, &t, &err), LB_OK), "%s: %s", text, err.text);
    cr_expect(eq(int, t, expected), "%s", text);
}

static void refuse(const char *text, lb_status status, const char *start, const char *part)
{
    lb_truth t;
    lb_error err = {0};
    cr_expect(eq(int, run(text, &t, &err), status), "%s", text);
    cr_expect(eq(int, strncmp(err.text, start, strlen(start)), 0), "%s -> %s", text, err.text);
    cr_expect(ne(ptr, strstr(err.text, part), NULL), "%s -> %s", text, err.text);
}

Test(condition, comparisons_are_those_of_numbers)
{
    is("a < b.c", LB_TRUE);
    is("a <= 1", LB_TRUE);
    is("a > b.c", LB_FALSE);
    is("b.c >= 2.5", LB_FALSE);
    is("a == 1.0", LB_TRUE);
    is("a != 1", LB_FALSE);
    is("a > -1e-3", LB_TRUE);
    is(".5 < a", LB_TRUE);
}

Test(condition, products_bind_before_sums_before_comparisons_before_not_and_or)
{
    is("1 + 2 * 3 == 7", LB_TRUE);
    is("(1 + 2) * 3 == 9", LB_TRUE);
    is("8 - 3 - 2 == 3", LB_TRUE);
    is("8 / 4 / 2 == 1", LB_TRUE);
    is("-a + 2 == 1", LB_TRUE);
    is("- -a == 1", LB_TRUE);
    is("2 * -a == -2", LB_TRUE);
    is("not a > b.c", LB_TRUE);
    is("not (a < b.c) or flag", LB_TRUE);
    is("true or true and false", LB_TRUE);
    is("(true or true) and false", LB_FALSE);
    is("not false and false", LB_FALSE);
    is("(a < b.c) == (1 < 2)", LB_TRUE);
}

Test(condition, texts_and_truths_compare_by_equality)
{
    is("text == \"clean\"", LB_TRUE);
    is("text != 'clean'", LB_FALSE);
    is("flag", LB_TRUE);
    is("flag == false", LB_FALSE);
    is("verdict(E01-a) == \"PASS\"", LB_TRUE);
    is("verdict( E01-a ) != \"PASS\"", LB_FALSE);
}

Test(condition, unknown_spreads_unless_the_other_side_decides)
{
    is("na > 0", LB_UNKNOWN);
    is("not na > 0", LB_UNKNOWN);
    is("na + 1 == na + 1", LB_UNKNOWN);
    is("na == \"clean\"", LB_UNKNOWN);
    is("-na < 0", LB_UNKNOWN);
    is("a / zero > 1", LB_UNKNOWN);
    is("zero / zero == 1", LB_UNKNOWN);
    is("na > 0 and false", LB_FALSE);
    is("false and na > 0", LB_FALSE);
    is("na > 0 and true", LB_UNKNOWN);
    is("na > 0 or true", LB_TRUE);
    is("true or na > 0", LB_TRUE);
    is("na > 0 or false", LB_UNKNOWN);
    is("na", LB_UNKNOWN);
}

Test(condition, defined_guards_what_may_be_missing)
{
    is("defined(a)", LB_TRUE);
    is("defined(nothing)", LB_FALSE);
    is("defined(na)", LB_FALSE);
    is("defined(nothing) and nothing > 3", LB_FALSE);
    is("not defined(nothing) or nothing > 3", LB_TRUE);
    refuse("defined(broken)", LB_EIO, "column 9: ", "disk");
}

Test(condition, the_right_side_is_not_looked_at_when_the_left_decides)
{
    looked = 0;
    is("a > 5 and b.c > 0", LB_FALSE);
    cr_expect(eq(int, looked, 1));
}

Test(condition, syntax_errors_name_their_column)
{
    refuse("", LB_EFORMAT, "column 1: ", "ends here");
    refuse("a >", LB_EFORMAT, "column 4: ", "ends here");
    refuse("a > > 1", LB_EFORMAT, "column 5: ", "'>'");
    refuse("(a > 1", LB_EFORMAT, "column 7: ", "expected ')'");
    refuse("a > 1)", LB_EFORMAT, "column 6: ", "operator");
    refuse("a > 1 b", LB_EFORMAT, "column 7: ", "'b'");
    refuse("a = 1", LB_EFORMAT, "column 3: ", "'=='");
    refuse("a && flag", LB_EFORMAT, "column 3: ", "'and'");
    refuse("flag || flag", LB_EFORMAT, "column 6: ", "'or'");
    refuse("!flag", LB_EFORMAT, "column 1: ", "'not'");
    refuse("a ≥ 1", LB_EFORMAT, "column 3: ", "'>='");
    refuse("\"é\" ? 1", LB_EFORMAT, "column 5: ", "'?'");
    refuse("0 < a < 2", LB_EFORMAT, "column 7: ", "chain");
    refuse("1x < a", LB_EFORMAT, "column 1: ", "'1x'");
    refuse("0x1 < a", LB_EFORMAT, "column 1: ", "0x1");
    refuse("1e999 < a", LB_EFORMAT, "column 1: ", "number");
    refuse("a == \"x", LB_EFORMAT, "column 6: ", "closing");
    refuse("a..b > 1", LB_EFORMAT, "column 1: ", "empty parts");
    refuse("a. > 1", LB_EFORMAT, "column 1: ", "empty parts");
    refuse("verdict H1", LB_EFORMAT, "column 9: ", "'('");
    refuse("verdict()", LB_EFORMAT, "column 9: ", "id");
    refuse("verdict(H1 2)", LB_EFORMAT, "column 12: ", "')'");
    refuse("defined(1)", LB_EFORMAT, "column 9: ", "name");
    refuse("defined a", LB_EFORMAT, "column 9: ", "'('");
    refuse("and", LB_EFORMAT, "column 1: ", "value");
    refuse("a not > 1", LB_EFORMAT, "column 3: ", "operator");
}

Test(condition, deep_nesting_is_refused_not_a_crash)
{
    static const char *const openings[] = {"(", "-", "not "};
    for (size_t k = 0; k < 3; k++) {
        char text[4096] = "";
        for (size_t i = 0; i < 900; i++)
            strcat(text, openings[k]);
        refuse(text, LB_EFORMAT, "column ", "deeply");
    }
}

Test(condition, kinds_that_do_not_fit_are_errors_with_a_column)
{
    refuse("a", LB_EFORMAT, "column 1: ", "neither true nor false");
    refuse("flag and text", LB_EFORMAT, "column 10: ", "neither");
    refuse("text > 1", LB_EFORMAT, "column 6: ", "two numbers");
    refuse("text + 1 > 1", LB_EFORMAT, "column 6: ", "two numbers");
    refuse("-text > 1", LB_EFORMAT, "column 1: ", "two numbers");
    refuse("text == 1", LB_EFORMAT, "column 6: ", "two numbers");
    refuse("flag < flag", LB_EFORMAT, "column 6: ", "two numbers");
}

Test(condition, unknown_names_come_from_the_scope_with_their_column)
{
    refuse("a > 0 and nothing > 3", LB_ENAME, "column 11: ", "no key 'nothing'");
    refuse("verdict(H9) == 'PASS'", LB_ENAME, "column 9: ", "H9");
}

Test(condition, lists_each_name_once_and_verdicts_apart)
{
    lb_condition *c = NULL;
    size_t n = 0;
    cr_assert(eq(int, lb_condition_parse("b.c > a and defined(x.y) or a > verdict(H1.2)", &c, NULL),
                 LB_OK));
    const char *const *names = lb_condition_names(c, &n);
    cr_assert(eq(sz, n, 3));
    cr_expect(eq(str, (char *)names[0], "b.c"));
    cr_expect(eq(str, (char *)names[1], "a"));
    cr_expect(eq(str, (char *)names[2], "x.y"));
    const char *const *ids = lb_condition_verdicts(c, &n);
    cr_assert(eq(sz, n, 1));
    cr_expect(eq(str, (char *)ids[0], "H1.2"));
    lb_text out = {0};
    lb_condition_explain(c, &world, &out);
    cr_expect(eq(str, out.s, "b.c = 2 (oracle), a = 1, x.y = missing, verdict(H1.2) = missing"));
    lb_text_free(&out);
    lb_condition_free(c);
}

Test(condition, a_field_knows_whether_it_tells_of_an_oracle)
{
    lb_number x = lb_number_plain(0.05, "delta_r2", "");
    x.n = 816;
    cr_expect(eq(int, lb_value_of(&x, NULL).oracle, false));
    x.oracle = true;
    cr_expect(eq(int, lb_value_of(&x, NULL).oracle, true));
    x.ci_lo = 0.03;
    cr_expect(eq(int, lb_value_of(&x, "ci_lo").oracle, true));
    cr_expect(eq(int, lb_value_of(&x, "n").oracle, false), "a count of rows is nobody's score");
}

Test(condition, fields_are_cut_off_names)
{
    char key[64];
    cr_expect(eq(str, (char *)lb_name_split("e02.r2.ci_lo", key, sizeof key), "ci_lo"));
    cr_expect(eq(str, key, "e02.r2"));
    cr_expect(eq(ptr, (void *)lb_name_split("e02.noise_0.2", key, sizeof key), NULL));
    cr_expect(eq(str, key, "e02.noise_0.2"));
    cr_expect(eq(str, (char *)lb_name_split("e02.x.n", key, 3), "n"));
    cr_expect(eq(str, key, "e0"));
    lb_number x = lb_number_plain(2.17, "r2", "");
    x.ci_lo = 1;
    x.n = 7;
    cr_expect(eq(dbl, lb_value_of(&x, NULL).number, 2.17));
    cr_expect(eq(dbl, lb_value_of(&x, "ci_lo").number, 1));
    cr_expect(eq(dbl, lb_value_of(&x, "n").number, 7));
    cr_expect(eq(int, lb_value_of(&x, "ci_hi").kind, LB_VALUE_UNKNOWN));
    cr_expect(eq(int, lb_value_of(&x, "se").kind, LB_VALUE_UNKNOWN));
    cr_expect(eq(int, lb_value_of(&x, "p_above").kind, LB_VALUE_UNKNOWN));
}
