/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "core/file.h"
#include "core/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(template, .init = fixture_make, .fini = fixture_remove);

static void expect_page(const char *text, const char *want)
{
    lb_error err = {0};
    char *got = fill_text(text, "en", LB_CLEAN, &err);
    cr_expect(got && strcmp(got, want) == 0, "'%s' became '%s' %s", text, got ? got : "", err.text);
    free(got);
}

static void expect_error(const char *text, lb_status st, const char *words)
{
    lb_error err = {0};
    char *got = fill_text(text, "en", LB_CLEAN, &err);
    cr_expect(got == NULL, "'%s' became '%s'", text, got ? got : "");
    cr_expect(err.status == st, "status %d: %s", err.status, err.text);
    cr_expect(strstr(err.text, words) != NULL, "no '%s' in: %s", words, err.text);
    free(got);
}

Test(template, text_without_tags_comes_out_unchanged)
{
    static const char *const texts[] = {"",
                                        "a",
                                        "\n\n",
                                        "a {b} } }} %} #}",
                                        "$\\frac{a}{b_{i}}$ {#id} {.class}",
                                        "没有换行",
                                        "tab\tand  blanks  \n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_page(texts[i], texts[i]);
}

Test(template, lines_of_tags_leave_no_line)
{
    expect_page("a\n{# c #}\nb\n", "a\nb\n");
    expect_page("a\n  {% if true %}  \nb\n{% endif %}\nc\n", "a\nb\nc\n");
    expect_page("{% if true %}\nb\n{% endif %}", "b\n");
    expect_page("x {# c #}\ny\n", "x \ny\n");
    expect_page("{% if true %}a{% endif %}\n", "a\n");
    expect_page("{% if true %}\n{{ e90.n_test }}\n{% endif %}\n", "32,000\n");
    expect_page("{# a\n   b #}\nc\n", "c\n");
}

Test(template, the_first_true_branch_is_shown_and_only_it)
{
    expect_page("{% if 1 > 2 %}a{% elif 2 > 1 %}b{% elif 3 > 1 %}c{% else %}d{% endif %}", "b");
    expect_page("{% if 1 > 2 %}a{% elif 2 > 3 %}b{% else %}d{% endif %}", "d");
    expect_page("{% if 1 > 2 %}{{ e90.nothing }}{% endif %}.", ".");
    expect_page("{% claim 1 < 2 %}yes{% endclaim %}{% claim 2 < 1 %}no{% else %}yes{% endclaim %}",
                "yesyes");
}

Test(template, a_message_points_at_line_and_column)
{
    expect_error("one\ntwo {{ e90.none }}", LB_ENAME, "test.md:2:5: ");
    expect_error("金属丰度 {{ e90.none }}", LB_ENAME, "test.md:1:6: ");
    expect_error("{% if true %}\n\n {{ e90.none }}\n{% endif %}", LB_ENAME, "test.md:3:2: ");
    expect_error("{% for r in table T90.1 %}\n{{ r.none }}{% endfor %}", LB_ENAME, "test.md:2:1: ");
    expect_error("{% if true %}\n{% endif\n", LB_EFORMAT, "test.md:2:1: ");
    expect_error("\n{% if true %}{% claim true %}{% endclaim %}", LB_EFORMAT, "test.md:2:1: ");
}

Test(template, a_message_in_an_included_file_names_that_file)
{
    lb_error err = {0};
    char *path = lb_xprintf("%s/part.md", folder), *text = "ok\n{{ e90.none }}\n";
    cr_assert(lb_file_write(path, text, strlen(text), &err) == LB_OK);
    places.shared = folder;
    expect_error("{% include part.md %}", LB_ENAME, "/part.md:2:1: no key 'e90.none'");
    expect_error("{% include a b %}", LB_EFORMAT, "include NAME");
    free(path);
}

Test(template, loops_end_with_their_variable)
{
    expect_page("{% for r in table T90.1 %}{% for q in table T90.1 %}{{ q.model }}/{{ r.model }} "
                "{% endfor %}{% endfor %}",
                "global/global mixture 混合/global a|b/global global/mixture 混合 mixture "
                "混合/mixture 混合 a|b/mixture 混合 global/a|b mixture 混合/a|b a|b/a|b ");
    expect_error("{% for r in table T90.1 %}{% endfor %}{{ r.model }}", LB_ENAME, "is no key");
}

Test(template, a_caption_that_cannot_be_filled_names_the_spec)
{
    lb_error err = {0};
    lb_template *t;
    cr_expect(lb_template_parse("{% include x %}", (lb_position){"s", 3, 4}, NULL, "en", &t,
                                &err) == LB_EFORMAT);
    cr_expect_str_eq(err.text, "s:3:4: no include here");
    cr_expect(t == NULL);
}

Test(template, blocks_inside_each_other_have_an_end)
{
    lb_text deep = {0};
    for (int i = 0; i < 1000; i++)
        lb_text_add(&deep, "{% if true %}");
    expect_error(deep.s, LB_EFORMAT, "blocks inside each other");
    lb_text_free(&deep);
}

Test(template, a_missing_file_is_said_to_be_missing)
{
    lb_error err = {0};
    lb_template *t;
    cr_expect(lb_template_load("/nonexistent.md", NULL, "en", &t, &err) == LB_EIO);
    cr_expect(t == NULL);
}

Test(template, both_dialects_use_the_same_keys)
{
    lb_error err = {0};
    size_t used[2];
    for (int d = 0; d < 2; d++) {
        lb_template *t;
        lb_facts *f = facts_open("en");
        lb_page page = {.facts = f, .dialect = (lb_dialect)d, .folder = folder, .err = &err};
        cr_assert(lb_template_load("tests/golden/template/cards.template.md", NULL, "en", &t,
                                   &err) == LB_OK);
        cr_assert(lb_page_fill(&page, t) == LB_OK, "%s", err.text);
        used[d] = lb_facts_used(f);
        lb_text_free(&page.out);
        lb_template_free(t);
        lb_facts_close(f);
    }
    cr_expect(used[0] == used[1] && used[0] > 5);
}

/* --- no input crashes --------------------------------------------------------------------------
 */

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u; /* Knuth; quality does not matter here */
    return *state >> 8;
}

/* Delete, repeat, overwrite or move a stretch. */
static char *mutate(const char *s, unsigned *state)
{
    const size_t n = strlen(s), at = next_random(state) % n, len = next_random(state) % 12;
    const size_t end = at + len < n ? at + len : n, to = next_random(state) % n;
    static const char *const pieces[] = {"{{", "}}",   "{%", "%}", "{#",    "#}", " | ",   "`",
                                         "$",  "e90.", "\n", ".",  "endif", "if", "claim", "\xff"};
    switch (next_random(state) % 4) {
    case 0:
        return lb_xprintf("%.*s%s", (int)at, s, s + end);
    case 1:
        return lb_xprintf("%.*s%.*s%s", (int)to, s, (int)(end - at), s + at, s + to);
    case 2:
        return lb_xprintf("%.*s%s%s", (int)at, s, pieces[next_random(state) % 16], s + at);
    default:
        return lb_xprintf("%.*s%s%s", (int)at, s, pieces[next_random(state) % 16], s + end);
    }
}

Test(template, mutated_templates_never_crash)
{
    static const char *const seeds[] = {"tests/golden/template/numbers.template.md",
                                        "tests/golden/template/blocks.template.md",
                                        "tests/golden/template/cards.template.md"};
    unsigned state = 2017;
    size_t filled = 0, refused = 0;
    lb_facts *f = facts_open("en");
    for (size_t k = 0; k < 3; k++) {
        lb_error io = {0};
        char *source;
        cr_assert(lb_file_read(seeds[k], &source, NULL, &io) == LB_OK);
        for (int i = 0; i < 1500; i++) {
            lb_error err = {0};
            lb_template *t;
            char *a = mutate(source, &state), *b = i % 2 ? mutate(a, &state) : lb_xstrdup(a);
            lb_page page = {.facts = f,
                            .dialect = i % 3 ? LB_CLEAN : LB_ANNOTATED,
                            .folder = folder,
                            .err = &err};
            lb_status st =
                lb_template_parse(b, (lb_position){"fuzz", 1, 1}, places.shared, "en", &t, &err);
            if (st == LB_OK)
                st = lb_page_fill(&page, t);
            cr_expect((st == LB_OK) == (err.text[0] == '\0'), "a failure without a message");
            cr_expect(st == LB_OK || strstr(err.text, ":") != NULL);
            filled += st == LB_OK;
            refused += st != LB_OK;
            lb_text_free(&page.out);
            lb_template_free(t);
            free(a);
            free(b);
        }
        free(source);
    }
    lb_facts_close(f);
    cr_expect(filled > 100 && refused > 100, "%zu filled, %zu refused", filled, refused);
}
