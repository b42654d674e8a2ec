/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/digits.h"
#include "report/lint.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(lint, .init = fixture_make, .fini = fixture_remove);

/* --- digits, against files: NAME.template.md and NAME.expected.txt in tests/golden/lint ---------
 */

static void check_digits(const char *path)
{
    lb_error err = {0};
    lb_template *t;
    lb_findings found = {0};
    lb_facts *f = facts_open("en");
    char *want_path =
        lb_xprintf("%.*sexpected.txt", (int)(strlen(path) - strlen("template.md")), path);
    char *want;
    cr_assert(lb_template_load(path, NULL, "en", &t, &err) == LB_OK, "%s", err.text);
    lb_lint_digits(t, lb_facts_spec(f), &found);
    const char *got = found.lines.s ? found.lines.s : "";
    if (getenv("LB_GOLDEN"))
        lb_file_write(want_path, got, strlen(got), &err);
    cr_assert(lb_file_read(want_path, &want, NULL, &err) == LB_OK, "%s", err.text);
    cr_expect(strcmp(got, want) == 0, "%s:\n--- want\n%s--- got\n%s", path, want, got);
    free(want);
    free(want_path);
    lb_findings_free(&found);
    lb_template_free(t);
    lb_facts_close(f);
}

Test(lint, typed_digits_are_found_and_names_are_left_alone)
{
    glob_t found = {0};
    cr_assert(glob("tests/golden/lint/*.template.md", 0, NULL, &found) == 0, "no templates");
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_digits(found.gl_pathv[i]);
    cr_expect(found.gl_pathc >= 2, "files are missing");
    globfree(&found);
}

/* --- a whole experiment ------------------------------------------------------------------------
 */

static const char body[] = "# {{ spec.title }}\n"
                           "{{ verdict H1.2 }} {{ e90.delta_r2 }} {{ spec.thresholds.valuable }}\n"
                           "{% claim e90.loss < 0 %}Lost.{% else %}Won.{% endclaim %}\n"
                           "## Data\n{{ table T90.1 }}\n\n{{ figure F90.1 }}\n"
                           "## Numbers\n{{ published }}\n{{ code fit.c#fit }}\n"
                           "{{ e90.best }} {{ e90.mae }} {{ e90.coverage }} {{ e90.ruin }}\n"
                           "{{ e90.tiny }} {{ e90.zero }} {{ published e90.delta_r2 }}\n";

static void put(const char *name, const char *text)
{
    lb_error err = {0};
    char *path = lb_xprintf("%s/exp/%s", folder, name);
    cr_assert(lb_file_write(path, text, strlen(text), &err) == LB_OK, "%s", err.text);
    free(path);
}

/* Copy of the golden spec with @p from replaced by @p to. */
static void put_spec(const char *from, const char *to)
{
    lb_error err = {0};
    char *text;
    cr_assert(lb_file_read("tests/golden/template/spec.yaml", &text, NULL, &err) == LB_OK);
    const char *at = strstr(text, from);
    cr_assert(at != NULL, "no '%s' in the spec", from);
    char *changed = lb_xprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    put("spec.yaml", changed);
    free(changed);
    free(text);
}

/* Lint the folder with these two reports; the caller frees the findings. */
static lb_status lint(const char *en, const char *zh, lb_findings *out)
{
    lb_error err = {0};
    char *path = lb_xprintf("%s/exp", folder);
    put("report.en.md", en);
    put("report.zh.md", zh);
    const lb_status st = lb_lint_experiment(&places, path, out, &err);
    if (err.text[0])
        lb_find_text(out, err.text);
    free(path);
    return st;
}

static bool says(const lb_findings *f, const char *what)
{
    return f->lines.s && strstr(f->lines.s, what);
}

/* One change to the English report must be found, with these words. */
static void expect_finding(const char *from, const char *to, const char *words)
{
    lb_findings found = {0};
    const char *at = strstr(body, from);
    cr_assert(at != NULL, "no '%s' in the report", from);
    char *en = lb_xprintf("%.*s%s%s", (int)(at - body), body, to, at + strlen(from));
    put_spec("e90", "e90");
    cr_expect(lint(en, body, &found) == LB_EFINDING, "'%s' was not found", to);
    cr_expect(says(&found, words), "'%s' is not in:\n%s", words, found.lines.s);
    lb_findings_free(&found);
    free(en);
}

Test(lint, a_good_experiment_has_no_finding)
{
    lb_findings found = {0};
    put_spec("e90", "e90");
    cr_expect(lint(body, body, &found) == LB_OK, "%s", found.lines.s ? found.lines.s : "");
    cr_expect(found.errors == 0);
    lb_findings_free(&found);
}

Test(lint, each_kind_of_damage_is_found)
{
    expect_finding("{{ e90.mae }}", "{{ e90.mea }}", "did you mean 'e90.mae'");
    expect_finding("{{ e90.mae }}", "0.12", "the number '0.12' is typed");
    expect_finding("{{ verdict H1.2 }}", "{{ verdict H1.9 }}", "no verdict 'H1.9'");
    expect_finding("valuable", "valuble", "did you mean 'thresholds.valuable'");
    expect_finding("{{ table T90.1 }}", "{{ table T90.3 }}", "table 'T90.3' is not declared");
    expect_finding("{{ figure F90.1 }}", "{{ figure F90.3 }}", "figure 'F90.3' is not declared");
    expect_finding("e90.loss < 0", "e90.loss < ", "in the condition");
    expect_finding("e90.loss < 0", "e90.los < 0", "did you mean 'e90.loss'");
    expect_finding("{{ published e90.delta_r2 }}", "{{ published e90.d }}", "nothing published");
}

Test(lint, the_two_languages_must_agree)
{
    expect_finding("{{ e90.mae }}", "", "the key 'e90.mae' is not in");
    expect_finding("{{ e90.mae }}", "{{ e90.mae }} {{ e90.mae }}",
                   "do not show the same values: see 'e90.mae'");
    expect_finding("{{ e90.mae }} {{ e90.coverage }} {{ e90.ruin }}\n{{ e90.tiny }}",
                   "{{ e90.tiny }} {{ e90.coverage }} {{ e90.ruin }}\n{{ e90.mae }}",
                   "do not show the same values: see 'e90.");
    expect_finding("{{ verdict H1.2 }}", "", "the verdict 'H1.2' is not in");
    expect_finding("{{ table T90.1 }}", "", "the table 'T90.1' is not in");
    expect_finding("{{ figure F90.1 }}", "", "the figure 'F90.1' is not in");
    expect_finding("e90.loss < 0", "e90.loss < 1", "the claim 'e90.loss < 1' is not in");
    expect_finding("{{ code fit.c#fit }}", "", "the code 'fit.c#fit' is not in");
    expect_finding("{{ published }}", "", "the card 'published' is not in");
    expect_finding("## Numbers\n", "", "the heading '## Numbers' is not in");
    expect_finding("## Data\n", "## Date\n", "'## Data' stands where");
}

Test(lint, what_the_spec_declares_must_be_shown)
{
    lb_findings found = {0};
    put_spec("tables:\n", "tables:\n  T90.2: {en: \"Lost.\", zh: \"失。\"}\n");
    lint(body, body, &found);
    cr_expect(says(&found, "table T90.2 is declared but no report shows it"), "%s", found.lines.s);
    lb_findings_free(&found);
}

Test(lint, digits_in_captions_and_claims_are_found)
{
    lb_findings found = {0};
    put_spec("The gain. It is", "The gain over 3 seeds. It is");
    lint(body, body, &found);
    cr_expect(says(&found, "the number '3' is typed"), "%s", found.lines.s);
    lb_findings_free(&found);
}

Test(lint, figure_files_are_neither_missing_nor_left_over)
{
    lb_error err = {0};
    lb_findings found = {0};
    char *stray = lb_xprintf("%s/e90_old.svg", places.figures);
    char *wanted = lb_xprintf("%s/e90_gain.svg", places.figures);
    lb_file_write(stray, "<svg/>", 6, &err);
    remove(wanted);
    put_spec("e90", "e90");
    cr_expect(lint(body, body, &found) == LB_EFINDING);
    cr_expect(says(&found, "e90_old.svg:1:1: no figure"), "%s", found.lines.s);
    cr_expect(says(&found, "e90_gain.svg for figure F90.1"), "%s", found.lines.s);
    lb_findings_free(&found);
    free(stray);
    free(wanted);
}

/* Keys that tables or the scope card show count as shown: of seventeen, one is left over at first.
 */
Test(lint, numbers_that_no_report_shows_are_counted_in_one_warning)
{
    lb_findings found = {0};
    put_spec("e90", "e90");
    char *en = lb_xprintf("%s", body), *at = strstr(en, "{{ e90.mae }}");
    cr_expect(lint(en, en, &found) == LB_OK);
    cr_expect(says(&found, "warning: 1 of 17 numbers are shown by no report, e90.n_test"), "%s",
              found.lines.s);
    lb_findings_free(&found);
    found = (lb_findings){0};
    memset(at, ' ', strlen("{{ e90.mae }}"));
    cr_expect(lint(en, en, &found) == LB_OK);
    cr_expect(says(&found, "warning: 2 of 17 numbers are shown by no report, first e90."), "%s",
              found.lines.s);
    lb_findings_free(&found);
    free(en);
}

Test(lint, without_a_record_the_text_is_still_checked)
{
    lb_findings found = {0};
    places.results = "/nonexistent";
    put_spec("e90", "e90");
    cr_expect(lint(body, body, &found) == LB_OK, "%s", found.lines.s);
    cr_expect(says(&found, "no such record"));
    lb_findings_free(&found);
    cr_expect(lint("Typed 17.\n", body, &found) == LB_EFINDING);
    lb_findings_free(&found);
}

Test(lint, unreadable_input_is_no_finding)
{
    lb_findings found = {0};
    put_spec("e90", "e90");
    cr_expect(lint("{% if %}", body, &found) == LB_EFORMAT);
    lb_findings_free(&found);
    put_spec("mvp:", "nvp:");
    cr_expect(lint(body, body, &found) == LB_ENAME);
    lb_findings_free(&found);
}

/* --- finished pages ----------------------------------------------------------------------------
 */

static lb_status lint_page(const char *name, const char *text, lb_findings *found)
{
    lb_error err = {0};
    char *path = lb_xprintf("%s/%s", folder, name);
    lb_file_write(path, text, strlen(text), &err);
    const lb_status st = lb_lint_page(path, found, &err);
    free(path);
    return st;
}

Test(lint, a_finished_page_holds_no_placeholder)
{
    static const char *const bad[] = {"a {{ key }}", "{% if x %}", "TODO: write", "R² = NaN.",
                                      "is nan, or",  "up to −inf", "| TBD |"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lb_findings found = {0};
        cr_expect(lint_page("page.en.md", bad[i], &found) == LB_EFINDING, "'%s' passed", bad[i]);
        lb_findings_free(&found);
    }
    lb_findings found = {0};
    cr_expect(lint_page("page.en.md",
                        "Information about nanometres, TODOs\n`{{ key }}`\n```\nNaN TODO\n```\n",
                        &found) == LB_OK,
              "%s", found.lines.s);
    cr_expect(lb_lint_page("/nonexistent.md", &found, NULL) == LB_EIO);
    lb_findings_free(&found);
}

Test(lint, an_english_page_holds_no_chinese_sign)
{
    static const char *const chinese[] = {"It took 18.5 分钟.", "`码`", "full stop。", "（width）"};
    for (size_t i = 0; i < sizeof chinese / sizeof *chinese; i++) {
        lb_findings found = {0};
        cr_expect(lint_page("page.en.md", chinese[i], &found) == LB_EFINDING, "'%s' passed",
                  chinese[i]);
        lb_findings_free(&found);
        cr_expect(lint_page("page.zh.md", chinese[i], &found) == LB_OK, "%s", found.lines.s);
        lb_findings_free(&found);
    }
    lb_findings found = {0};
    cr_expect(lint_page("page.en.md",
                        "ΔR² ≥ 0.03 – “a” → 1,000 ✅ ❌ 🟡 ρ², 3 Å",
                        &found) == LB_OK,
              "%s", found.lines.s);
    lb_findings_free(&found);
}
