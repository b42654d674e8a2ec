/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole reports: files, front matter, dependencies, commands, new experiments. */
#include "fixture.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/cards.h"
#include "report/commands.h"
#include "report/fill.h"
#include "report/lint.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(fill, .init = fixture_make, .fini = fixture_remove);

/* A folder like templates/experiments/e90_golden with the given report, English. */
static char *experiment(const char *report)
{
    lb_error err = {0};
    char *home = lb_xprintf("%s/exp", folder), *spec;
    char *to = lb_xprintf("%s/spec.yaml", home), *page = lb_xprintf("%s/report.en.md", home);
    size_t n;
    cr_assert(lb_file_read("tests/golden/template/spec.yaml", &spec, &n, &err) == LB_OK);
    cr_assert(lb_file_write(to, spec, n, &err) == LB_OK);
    cr_assert(lb_file_write(page, report, strlen(report), &err) == LB_OK);
    free(spec);
    free(to);
    free(page);
    return home;
}

static char *in_scratch(const char *name)
{
    return lb_xprintf("%s/%s", folder, name);
}

static char *read_text(const char *path)
{
    lb_error err = {0};
    char *text;
    cr_assert(lb_file_read(path, &text, NULL, &err) == LB_OK, "%s", err.text);
    return text;
}

Test(fill, writes_both_dialects_and_what_they_came_from)
{
    lb_error err = {0};
    char *home = experiment("{{ e90.delta_r2 }}\n\n{{ figure F90.1 }}\n\n{% include note %}\n"
                            "{{ code fit.c#fit }}\n{{ e91.r2 }}\n");
    char *clean = in_scratch("reports/a.md"), *annotated = in_scratch("b.md"), *d = in_scratch("d");
    const lb_fill_outputs outputs = {.clean = clean, .annotated = annotated, .depfile = d};
    cr_assert(lb_fill(&places, home, "en", &outputs, NULL, &err) == LB_OK, "%s", err.text);
    char *a = read_text(clean), *b = read_text(annotated), *deps = read_text(d);
    cr_expect(strncmp(a,
                      "---\ntitle: \"E90 · Golden\"\nauthor: \"loggbook\"\ndate: \"2026-11-21\"\n"
                      "lang: en\n---\n\n+0.0500\n",
                      80) == 0,
              "%s", a);
    cr_expect(strstr(a, "](../figures/e90_gain.svg)") != NULL);
    cr_expect(strstr(b, "](../figures/e90_gain.svg)") != NULL, "links start at the clean page");
    cr_expect(strstr(b, "[+0.0500](#n-e90-delta_r2)") != NULL, "a number leads to its trail");
    const char *anchor = strstr(b, "{#n-e90-delta_r2 title=\"e90.delta_r2 · 95% CI [");
    cr_assert(anchor != NULL, "the appendix anchors every number");
    cr_expect(strncmp(strchr(anchor, ']'), "] · n 816 · rows covered sha256:", 30) == 0, "%s", b);
    cr_expect(strstr(a, "Provenance of numbers") == NULL);
    cr_expect(strstr(b, "| Key | Value | Interval | n | Rows | Seed | Frozen |\n|:-|:-|") != NULL,
              "values of any magnitude read from the left: %s", b);
    static const char *const from[] = {
        "exp/report.en.md", "exp/spec.yaml", "e90_golden.h5", "e91_other.h5",
        "e90_gain.svg",     "note.en.md",    "fit.c"};
    for (size_t i = 0; i < sizeof from / sizeof *from; i++)
        cr_expect(strstr(deps, from[i]) != NULL, "%s is not in %s", from[i], deps);
    free(a);
    free(b);
    free(deps);
    free(home);
    free(clean);
    free(annotated);
    free(d);
}

Test(fill, twice_gives_the_same_bytes)
{
    lb_error err = {0};
    lb_text a = {0}, b = {0};
    char *home = experiment("{{ scope }}\n\n{{ provenance }}\n\n{{ table T90.1 }}\n");
    const lb_fill_outputs none = {0};
    cr_assert(lb_fill(&places, home, "en", &none, &a, &err) == LB_OK, "%s", err.text);
    cr_assert(lb_fill(&places, home, "en", &none, &b, &err) == LB_OK, "%s", err.text);
    cr_expect_str_eq(a.s, b.s);
    cr_expect(strstr(a.s, "`make e90 PROFILE=quick`") != NULL, "%s", a.s);
    cr_expect(strstr(a.s, "4,096") != NULL, "the scope card shows the scope keys");
    cr_expect(strstr(a.s, "git") == NULL, "a committed page cannot name its own commit: %s", a.s);
    lb_text_free(&a);
    lb_text_free(&b);
    free(home);
}

Test(fill, a_reason_that_cells_share_stands_once_under_the_table)
{
    lb_error err = {0};
    lb_text en = {0}, single = {0};
    const lb_fill_outputs none = {0};
    char *home = experiment("{{ table T90.8 }}\n");
    cr_assert(lb_fill(&places, home, "en", &none, &en, &err) == LB_OK, "%s", err.text);
    cr_expect(strstr(en.s, " n/a | ") != NULL, "%s", en.s);
    cr_expect(strstr(en.s, "\n\nn/a: n<10.\n") != NULL, "%s", en.s);
    cr_expect(strstr(en.s, "n/a (") == NULL, "%s", en.s);
    free(home);
    home = experiment("{{ table T90.1 }}\n");
    cr_assert(lb_fill(&places, home, "en", &none, &single, &err) == LB_OK, "%s", err.text);
    cr_expect(strstr(single.s, "n/a (n<10) |") != NULL, "a single one says why itself: %s",
              single.s);
    lb_text_free(&en);
    lb_text_free(&single);
    free(home);
}

Test(fill, the_diagonal_of_a_matrix_is_bold_whatever_is_larger)
{
    lb_error err = {0};
    lb_text en = {0};
    const lb_fill_outputs none = {0};
    char *home = experiment("{{ table T90.7 }}\n"
                            "{% for r in table T90.7 %}{{ r.tested_at_0_1 }};{% endfor %}\n");
    cr_assert(lb_fill(&places, home, "en", &none, &en, &err) == LB_OK, "%s", err.text);
    cr_expect(strstr(en.s, "|        0.1 |     **0.862** |        0.9116 |\n") != NULL, "%s", en.s);
    cr_expect(strstr(en.s, "|        0.2 |        0.9116 |     **0.862** |\n") != NULL, "%s", en.s);
    cr_expect(strstr(en.s, "0.862;0.9116;\n") != NULL, "a cell alone is not bold: %s", en.s);
    lb_text_free(&en);
    free(home);
}

Test(fill, a_failure_writes_nothing)
{
    static const struct {
        const char *report;
        lb_status st;
    } bad[] = {{"{{ e90.none }}\n", LB_ENAME},
               {"Typed 0.05.\n", LB_EFINDING},
               {"{% claim e90.loss > 0 %}x{% endclaim %}\n", LB_EFINDING},
               {"{% if true %}\n", LB_EFORMAT},
               {"{{ figure F90.2 }}\n", LB_ENAME}};
    char *clean = in_scratch("a.md"), *annotated = in_scratch("b.md"), *d = in_scratch("d");
    const lb_fill_outputs outputs = {.clean = clean, .annotated = annotated, .depfile = d};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lb_error err = {0};
        char *home = experiment(bad[i].report);
        cr_expect(lb_fill(&places, home, "en", &outputs, NULL, &err) == bad[i].st, "%s: %s",
                  bad[i].report, err.text);
        cr_expect(strstr(err.text, "report.en.md:1:") != NULL, "%s", err.text);
        cr_expect(!lb_file_exists(clean) && !lb_file_exists(annotated) && !lb_file_exists(d));
        free(home);
    }
    free(clean);
    free(annotated);
    free(d);
}

Test(fill, a_missing_figure_stops_the_report)
{
    lb_error err = {0};
    char *home = experiment("{{ figure F90.1 }}\n"),
         *svg = lb_xprintf("%s/e90_gain.svg", places.figures);
    const lb_fill_outputs none = {0};
    remove(svg);
    cr_expect(lb_fill(&places, home, "en", &none, NULL, &err) == LB_EIO);
    cr_expect(strstr(err.text, "e90_gain.svg") != NULL, "%s", err.text);
    free(svg);
    free(home);
}

Test(fill, a_record_of_another_spec_is_refused)
{
    lb_error err = {0};
    char *home = experiment("x\n"), *path = lb_xprintf("%s/spec.yaml", home),
         *spec = read_text(path);
    const lb_fill_outputs none = {0};
    char *changed = lb_xprintf("%s# changed\n", spec);
    lb_file_write(path, changed, strlen(changed), &err);
    cr_expect(lb_fill(&places, home, "en", &none, NULL, &err) == LB_EFINDING);
    cr_expect(strstr(err.text, "make e90") != NULL, "%s", err.text);
    free(changed);
    free(spec);
    free(path);
    free(home);
}

Test(fill, a_record_that_computed_from_another_published_value_is_refused)
{
    lb_error err = {0};
    char *home = experiment("x\n"), *text = read_text(places.published);
    char *file = in_scratch("published.tsv"), *digits = strstr(text, "0.8616");
    lb_places elsewhere = places;
    const lb_fill_outputs none = {0};
    elsewhere.published = file;
    lb_file_write(file, text, strlen(text), &err);
    cr_expect(lb_fill(&elsewhere, home, "en", &none, NULL, &err) == LB_OK, "%s", err.text);
    digits[5] = '7';
    lb_file_write(file, text, strlen(text), &err);
    cr_expect(lb_fill(&elsewhere, home, "en", &none, NULL, &err) == LB_EFINDING);
    cr_expect(strstr(err.text, "'e03.r2.global' read \"0.8616|") != NULL, "%s", err.text);
    free(file);
    free(text);
    free(home);
}

Test(fill, an_unwritable_place_is_told)
{
    lb_error err = {0};
    char *home = experiment("x\n");
    const lb_fill_outputs outputs = {.clean = "/proc/nothing/a.md"};
    cr_expect(lb_fill(&places, home, "en", &outputs, NULL, &err) == LB_EIO);
    cr_expect(strstr(err.text, "/proc/nothing") != NULL, "%s", err.text);
    free(home);
}

/* --- commands ----------------------------------------------------------------------------------
 */

static lb_status run(lb_status (*command)(lb_job *j), const char *templates, char **args, size_t n,
                     lb_text *out)
{
    lb_error err = {0};
    const lb_options o = {.profile = "quick", .templates = templates, .language = "en"};
    lb_job j = {.o = &o, .args = args, .n = n, .places = places, .err = &err};
    const lb_status st = command(&j);
    lb_text_add(out, j.out.s ? j.out.s : "");
    lb_text_add(out, err.text);
    lb_text_free(&j.out);
    lb_catalogue_free(&j.all);
    return st;
}

/* The scratch folder as "templates" with one experiment. */
static void install(const char *report)
{
    char *home = experiment(report), *command;
    command = lb_xprintf("mkdir -p %s/t/experiments && rm -rf %s/t/experiments/e90_golden && "
                         "cp -r %s %s/t/experiments/e90_golden",
                         folder, folder, home, folder);
    cr_assert(system(command) == 0);
    free(command);
    free(home);
}

static void expect_command(lb_status (*command)(lb_job *j), const char *arg, lb_status st,
                           const char *words)
{
    lb_text out = {0};
    char *templates = in_scratch("t"), *args[] = {(char *)arg};
    const lb_status got = run(command, templates, args, arg ? 1 : 0, &out);
    cr_expect(got == st, "status %d: %s", got, out.s);
    cr_expect(strstr(out.s, words) != NULL, "no '%s' in: %s", words, out.s);
    lb_text_free(&out);
    free(templates);
}

Test(fill, commands_find_experiments_by_id_and_name)
{
    install("{{ e90.best }}\n");
    expect_command(lb_command_fill, "e90", LB_OK, "nine bins");
    expect_command(lb_command_fill, "e90_golden", LB_OK, "nine bins");
    expect_command(lb_command_fill, "e90_goldne", LB_ENAME, "did you mean 'e90_golden'");
    expect_command(lb_command_numbers, "e90", LB_OK, "\"e90.delta_r2\"");
    expect_command(lb_command_why, "e90.delta_r2", LB_OK, "e90.delta_r2");
    expect_command(lb_command_why, "e90.delta_r3", LB_ENAME, "did you mean");
}

Test(fill, nothing_checked_is_never_fine)
{
    install("x\n");
    expect_command(lb_command_verify, "e90", LB_EIO, "freeze");
    expect_command(lb_command_lint, "/nonexistent.md", LB_EIO, "nonexistent");
    lb_text out = {0};
    cr_expect(run(lb_command_verify, "/nonexistent", NULL, 0, &out) == LB_EIO, "%s", out.s);
    cr_expect(run(lb_command_lint, "/nonexistent", NULL, 0, &out) == LB_EIO, "%s", out.s);
    cr_expect(run(lb_command_freeze, "/nonexistent", NULL, 0, &out) == LB_EIO, "%s", out.s);
    lb_text_free(&out);
}

Test(fill, freeze_then_verify_then_drift)
{
    install("x\n");
    char *frozen = in_scratch("frozen");
    places.frozen = frozen;
    expect_command(lb_command_freeze, "e90", LB_EINVAL, "REASON");
    lb_text out = {0};
    lb_error err = {0};
    char *templates = in_scratch("t");
    const lb_options o = {.profile = "quick", .templates = templates, .reason = "first"};
    lb_job j = {.o = &o, .places = places, .err = &err};
    cr_expect(lb_command_freeze(&j) == LB_OK, "%s", err.text);
    lb_text_free(&j.out);
    lb_catalogue_free(&j.all);
    expect_command(lb_command_verify, NULL, LB_OK, "");
    char *path = lb_xprintf("%s/e90_golden.tsv", frozen), *tsv = read_text(path);
    char *at = strstr(tsv, "\ne90.r2.moe\t0.9");
    cr_assert(at != NULL, "%s", tsv);
    at[strlen("\ne90.r2.moe\t0.")] = '8';
    lb_file_write(path, tsv, strlen(tsv), &err);
    expect_command(lb_command_verify, NULL, LB_EFINDING, "e90.r2.moe");
    lb_text_free(&out);
    free(tsv);
    free(path);
    free(templates);
    free(frozen);
}

Test(fill, lint_tells_a_stale_record_and_goes_on)
{
    install("x\n");
    char *command = lb_xprintf("cd %s/t/experiments/e90_golden && cp report.en.md report.zh.md && "
                               "echo '# changed' >> spec.yaml",
                               folder);
    cr_assert(system(command) == 0);
    expect_command(lb_command_lint, "e90", LB_EFINDING, "was made with another");
    expect_command(lb_command_lint, NULL, LB_EFINDING, "1 checked, ");
    free(command);
}

/* --- a new experiment --------------------------------------------------------------------------
 */

Test(fill, a_new_experiment_gets_its_name_everywhere)
{
    lb_error err = {0};
    char *command = lb_xprintf("mkdir -p %s/r/templates && cp -r templates/new %s/r/templates/new",
                               folder, folder);
    char *root = in_scratch("r"),
         *path = lb_xprintf("%s/templates/experiments/e22_idea/spec.yaml", root);
    cr_assert(system(command) == 0);
    cr_expect(lb_experiment_new(root, "e22_idea", &err) == LB_OK, "%s", err.text);
    lb_spec *spec;
    cr_assert(lb_spec_load(path, &spec, &err) == LB_OK, "%s", err.text);
    cr_expect_str_eq(lb_spec_name(spec), "e22_idea");
    cr_expect_str_eq(lb_spec_experiment(spec), "e22");
    lb_spec_free(spec);
    static const char *const bad[] = {"idea", "e2_x", "e22", "e22_", "E22_x", "e22_x/y", "e22_X"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(lb_experiment_new(root, bad[i], NULL) == LB_EINVAL, "'%s'", bad[i]);
    cr_expect(lb_experiment_new(root, "e22_other", NULL) == LB_ENAME, "the number is taken");
    cr_expect(lb_experiment_new("/nonexistent", "e23_x", NULL) == LB_EIO);
    free(path);
    free(root);
    free(command);
}

Test(fill, the_skeleton_passes_its_own_lint)
{
    lb_error err = {0};
    lb_findings found = {0};
    char *command = lb_xprintf("mkdir -p %s/r/templates && cp -r templates/new %s/r/templates/new",
                               folder, folder);
    char *root = in_scratch("r"), *home = lb_xprintf("%s/templates/experiments/e22_idea", root);
    places.shared = "templates/views"; /* the pages it includes */
    cr_assert(system(command) == 0);
    cr_assert(lb_experiment_new(root, "e22_idea", &err) == LB_OK, "%s", err.text);
    cr_expect(lb_lint_experiment(&places, home, &found, &err) == LB_OK, "%s%s", err.text,
              found.lines.s ? found.lines.s : "");
    lb_findings_free(&found);
    free(home);
    free(root);
    free(command);
}
