/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pipe tables, places in prose, links between folders. */
#include "report/oracle.h"
#include "report/path.h"
#include "report/pipe.h"
#include "report/prose.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* --- tables ------------------------------------------------------------------------------------
 */

static char *table(size_t cols, const char *const *cells, size_t n, bool padded)
{
    lb_text out = {0};
    lb_pipe *t = lb_pipe_new(cols, cells);
    for (size_t i = cols; i < n; i++)
        lb_pipe_text(t, cells[i]);
    lb_pipe_write(t, padded, &out);
    lb_pipe_free(t);
    return lb_text_take(&out);
}

Test(pipe, every_line_has_the_same_width_in_cells)
{
    static const char *const cells[] = {"模型", "R²",  "✅",          "混合", "0.91",   "—",
                                        "x|y",  "1.5", "n/a (n<10)", "",     "−10.25", "3"};
    char *s = table(3, cells, 12, true), *rest = NULL;
    size_t width = 0, lines = 0;
    for (char *line = strtok_r(s, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), lines++) {
        if (lines > 0)
            cr_expect(lb_text_width(line) == width, "'%s'", line);
        width = lb_text_width(line);
    }
    cr_expect(lines == 5);
    free(s);
}

Test(pipe, decimal_points_stand_under_each_other)
{
    static const char *const cells[] = {"R2", "0.9116", "−699.04", "1,234", "n/a (n<10)"};
    char *s = table(1, cells, 5, true);
    /* Past the point: 4 digits; 2 and 2 figure spaces; the point itself and 4 of them. */
    cr_expect(strstr(s, "   0.9116 |") != NULL, "%s", s);
    cr_expect(strstr(s, " −699.04\u2007\u2007 |") != NULL, "%s", s);
    cr_expect(strstr(s, "| 1,234\u2008\u2007\u2007\u2007\u2007 |") != NULL, "%s", s);
    free(s);
}

Test(pipe, the_mark_of_an_oracle_takes_a_place_of_its_own)
{
    static const char *const cells[] = {"R2", "0.9116†", "0.862", "0.8946"};
    char *s = table(1, cells, 4, true);
    cr_expect(strstr(s, "| 0.9116† |") != NULL, "%s", s);
    cr_expect(strstr(s, "| 0.862\u2007\u2007 |") != NULL, "%s", s);
    cr_expect(strstr(s, "| 0.8946\u2007 |") != NULL, "%s", s);
    free(s);
}

Test(pipe, a_column_with_words_is_set_left)
{
    static const char *const cells[] = {"a", "b", "1", "x", "2", "2"};
    char *s = table(2, cells, 6, false);
    cr_expect_str_eq(s, "| a | b |\n|-:|:-|\n| 1 | x |\n| 2 | 2 |\n");
    free(s);
}

/* --- marks of oracle numbers --------------------------------------------------------------------
 */

#define NOTE                                                                                       \
    "† A model behind this number was given true labels when it predicted (oracle): nobody has " \
    "them in use, so it is no deployable score.\n"

static char *explained(const char *page)
{
    lb_text out = {0};
    lb_oracle_explain(page, "en", &out);
    return lb_text_take(&out);
}

Test(oracle, each_table_with_a_mark_explains_it_once)
{
    static const char *const pages[][2] = {
        {"no table\n", "no table\n"},
        {"| a |\n|---|\n| 1 |\n\nend\n", "| a |\n|---|\n| 1 |\n\nend\n"},
        {"| a |\n|---|\n| 1† |\n| 2† |\n\nend\n",
         "| a |\n|---|\n| 1† |\n| 2† |\n\n" NOTE "\nend\n"},
        {"| a† |\n\n| b† |", "| a† |\n\n" NOTE "\n| b† |\n\n" NOTE},
        {"| 1† |\n\n: Words {#tbl:T1}\n\nend\n", "| 1† |\n\n: Words {#tbl:T1}\n\n" NOTE "\nend\n"},
        {"| 1† |\nend\n", "| 1† |\n\n" NOTE "\nend\n"},
        {"so 1†.\n\n| 2† |\n", "so 1†.\n\n| 2† |\n\n" NOTE},
        {"so 1†.\n\n| 2 |\n", "so 1†.\n\n| 2 |\n\n" NOTE},
        {"```\n| 1† |\n```\n", "```\n| 1† |\n```\n"},
        {"", ""}};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        char *s = explained(pages[i][0]);
        cr_expect_str_eq(s, pages[i][1]);
        free(s);
    }
}

Test(oracle, counts_and_missing_values_carry_no_mark)
{
    lb_number x = lb_number_plain(0.9, "r2", "");
    cr_expect_eq(lb_oracle_marks(&x, NULL), false);
    x.oracle = true;
    cr_expect_eq(lb_oracle_marks(&x, NULL), true);
    cr_expect_eq(lb_oracle_marks(&x, "ci_lo"), true);
    cr_expect_eq(lb_oracle_marks(&x, "n"), false);
    x = lb_number_na("r2", "n/a (n<10)");
    x.oracle = true;
    cr_expect_eq(lb_oracle_marks(&x, NULL), false);
}

/* --- prose -------------------------------------------------------------------------------------
 */

/* One letter a character: p prose, m math, c code, t target, x markup. */
static const char *kinds(const char *s)
{
    static char out[256];
    lb_prose p = {0};
    size_t n = 0;
    for (; *s; s++)
        out[n++] = "pmctx"[lb_prose_step(&p, s)];
    out[n] = '\0';
    return out;
}

Test(prose, every_character_has_its_kind)
{
    cr_expect_str_eq(kinds("a `b` c"), "ppcccpp");
    cr_expect_str_eq(kinds("``a ` b`` c"), "cccccccccpp");
    cr_expect_str_eq(kinds("$a$ 5$ b"), "mmmppppp");
    cr_expect_str_eq(kinds("$$a$$b"), "mmmmmp");
    cr_expect_str_eq(kinds("\\$5\\$"), "ppppp");
    cr_expect_str_eq(kinds("[a](b)c"), "ppptttp");
    cr_expect_str_eq(kinds("https://a b"), "tttttttttpp");
    cr_expect_str_eq(kinds("<b>c</b>"), "xxxpxxxx");
    cr_expect_str_eq(kinds("a < b {.c}"), "ppppppxxxx");
    cr_expect_str_eq(kinds("```c\na\n```\nb"), "ccccccccccpp");
    cr_expect_str_eq(kinds("~~~\n```\n~~~\nb"), "cccccccccccpp");
    cr_expect_str_eq(kinds("`a\n\nb"), "ccccp");
}

/* --- paths -------------------------------------------------------------------------------------
 */

static void expect_link(const char *from, const char *to, const char *want)
{
    char *link = lb_relative_path(from, to);
    cr_expect_str_eq(link, want);
    free(link);
}

Test(path, links_start_at_the_page)
{
    expect_link("reports", "figures/a.svg", "../figures/a.svg");
    expect_link("/a/b/c", "/a/d/e.svg", "../../d/e.svg");
    expect_link("/a/b", "/a/bc/e.svg", "../bc/e.svg");
    expect_link("/a", "/a/e.svg", "e.svg");
    expect_link(".", "./x/../figures/a.svg", "figures/a.svg");
    expect_link("/", "/a.svg", "a.svg");
    expect_link("build/quick/reports", "build/quick/figures/a.svg", "../figures/a.svg");
}

Test(path, the_folder_of_a_file)
{
    static const char *const cases[][2] = {
        {"a/b.md", "a"}, {"b.md", "."}, {"/b.md", "/"}, {"a/b/c.md", "a/b"}};
    for (size_t i = 0; i < 4; i++) {
        char *got = lb_folder_of(cases[i][0]);
        cr_expect_str_eq(got, cases[i][1]);
        free(got);
    }
}
