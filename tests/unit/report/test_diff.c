/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/golden/diff: was/ and now/ are two states of a small project; expected.md is what a pull
 * request from one to the other would read. LB_GOLDEN=write writes what came out.
 */
#include "fixture.h"

#include "core/file.h"
#include "core/memory.h"
#include "record/record.h"
#include "report/built_from.h"
#include "report/diff.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *root; /* where the tests were started */

static void run(const char *command)
{
    cr_assert(system(command) == 0, "%s", command);
}

/* A repository whose HEAD is was/ and whose working tree is now/. */
static void start(void)
{
    fixture_make();
    root = getcwd(NULL, 0);
    char *command = lb_xprintf(
        "set -e; cp -R tests/golden/diff/was '%s/project'; cd '%s/project'; git init -q .; "
        "git add .; git -c user.name=t -c user.email=t@t commit -qm was; "
        "find . -name .git -prune -o -type f -exec rm {} +; cp -R '%s'/tests/golden/diff/now/. .",
        folder, folder, root);
    run(command);
    free(command);
    char *project = lb_xprintf("%s/project", folder);
    cr_assert(chdir(project) == 0);
    free(project);
}

static void stop(void)
{
    cr_assert(chdir(root) == 0);
    free(root);
    fixture_remove();
}

TestSuite(diff, .init = start, .fini = stop);

static lb_status read_diff(const char *a, const char *b, lb_diff *d, lb_error *err)
{
    const lb_places here = {.profile = "quick",
                            .results = "data/results/quick",
                            .frozen = "data/frozen/quick",
                            .figures = "figures"};
    return lb_diff_revisions_read(&here, "templates", "reports", a, b, NULL, 0, d, err);
}

static char *report_of(const lb_diff *d)
{
    lb_text out = {0};
    lb_diff_write(d, &out);
    return lb_text_take(&out);
}

Test(diff, reads_like_a_pull_request)
{
    lb_diff d;
    lb_error err = {0};
    char *want = NULL, *path = lb_xprintf("%s/tests/golden/diff/expected.md", root);
    cr_assert(read_diff("HEAD", "", &d, &err) == LB_OK, "%s", err.text);
    cr_expect(strncmp(d.a, "HEAD (", 6) == 0, "%s", d.a);
    free(d.a);
    d.a = lb_xstrdup("HEAD"); /* without the commit's name */
    char *got = report_of(&d);
    if (getenv("LB_GOLDEN"))
        lb_file_write(path, got, strlen(got), &err);
    cr_assert(lb_file_read(path, &want, NULL, &err) == LB_OK, "%s", err.text);
    cr_expect(strcmp(got, want) == 0, "--- want\n%s--- got\n%s", want, got);
    free(want);
    free(got);
    free(path);
    lb_diff_free(&d);
}

Test(diff, the_same_twice_is_no_difference_under_any_policy)
{
    lb_diff d;
    lb_error err = {0};
    cr_assert(read_diff("HEAD", "HEAD", &d, &err) == LB_OK, "%s", err.text);
    cr_expect(not(lb_diff_fails(&d, LB_FAIL_ANY)));
    char *report = report_of(&d);
    cr_expect(strncmp(report, "**No result moved: 14 values of 2 experiments", 44) == 0, "%s",
              report);
    cr_expect(strstr(report, "E90 ·") == NULL, "nothing changed in it:\n%s", report);
    free(report);
    lb_diff_free(&d);
}

/* HEAD against the working tree after @p command changed what HEAD has; does each policy forbid it?
 */
static void expect_policies(const char *command, bool verdict, bool drift, bool any)
{
    lb_diff d;
    lb_error err = {0};
    run("git checkout -q . && git clean -qfd");
    run(command);
    cr_assert(read_diff("HEAD", NULL, &d, &err) == LB_OK, "%s", err.text);
    cr_expect(not(lb_diff_fails(&d, LB_FAIL_NEVER)), "%s", command);
    cr_expect(eq(int, lb_diff_fails(&d, LB_FAIL_VERDICT), verdict), "%s", command);
    cr_expect(eq(int, lb_diff_fails(&d, LB_FAIL_DRIFT), drift), "%s", command);
    cr_expect(eq(int, lb_diff_fails(&d, LB_FAIL_ANY), any), "%s", command);
    lb_diff_free(&d);
}

#define FROZEN "data/frozen/quick/e90_golden.tsv"

Test(diff, each_policy_forbids_what_it_says)
{
    expect_policies("true", false, false, false);
    expect_policies("sed -i '/verdict:H1.2/s/PASS/FAIL/' " FROZEN, true, true, true);
    expect_policies("sed -i '/verdict:H1.2/d' " FROZEN, true, true, true);
    expect_policies("rm " FROZEN, true, true, true);
    expect_policies("sed -i 's/^e90.mae\t0.120/e90.mae\t0.121/' " FROZEN, false, true, true);
    expect_policies("sed -i '/^e90.lost/d' " FROZEN, false, true, true);
    expect_policies("sed -i 's/nine bins/ten bins/' " FROZEN, false, true, true);
    expect_policies("sed -i 's/aaaa/bbbb/' " FROZEN, false, true, true);
    expect_policies("sed -i 's/^e90.mae\t0.120/e90.mae\t0.12000001/' " FROZEN, false, false, true);
    expect_policies("sed -i '/^e90.lost/{p;s/lost/found/}' " FROZEN, false, false, true);
    expect_policies("sed -i 's/stays/remains/' reports/e90_golden.en.md", false, false, true);
    expect_policies("rm reports/e90_golden.zh.md", false, false, true);
    expect_policies("echo '<svg></svg>' >figures/e90_gain.svg", false, false, true);
    expect_policies("sed -i 's/measured/exact/;s/^e90.seconds\t12/e90.seconds\t13/' " FROZEN, false,
                    false, false);
    expect_policies("sed -i 's/12.2.0/13.1.0/' reports/*.en.md", false, false, false);
}

Test(diff, says_what_it_cannot_read)
{
    lb_diff d;
    lb_error err = {0};
    cr_expect(eq(int, read_diff("nowhere", "", &d, &err), LB_EIO));
    cr_expect(ne(ptr, strstr(err.text, "no revision 'nowhere'"), NULL), "%s", err.text);
    lb_diff_free(&d);
    cr_expect(eq(int, read_diff("--help", "", &d, NULL), LB_EIO));
    lb_diff_free(&d);
    run("echo junk >" FROZEN);
    cr_expect(eq(int, read_diff("HEAD", "", &d, NULL), LB_EFORMAT));
    lb_diff_free(&d);
    run("rm -rf data/results && mkdir -p data/results/quick && echo junk "
        ">data/results/quick/e90_golden.h5 && git checkout -q " FROZEN);
    cr_expect(eq(int, read_diff("HEAD", "", &d, NULL), LB_EFORMAT));
    lb_diff_free(&d);
    run("rm -rf .git");
    err = (lb_error){0};
    cr_expect(eq(int, read_diff("HEAD", "", &d, &err), LB_EIO));
    cr_expect(ne(ptr, strstr(err.text, "not a git repository"), NULL), "%s", err.text);
    lb_diff_free(&d);
}

Test(diff, an_experiment_neither_side_has_is_an_error)
{
    const lb_places here = {.profile = "quick",
                            .results = "data/results/quick",
                            .frozen = "data/frozen/quick",
                            .figures = "figures"};
    const char *names[] = {"e90", "e99"};
    lb_diff d;
    cr_expect(eq(
        int, lb_diff_revisions_read(&here, "templates", "reports", "HEAD", "", names, 2, &d, NULL),
        LB_ENAME));
    lb_diff_free(&d);
    cr_expect(eq(
        int, lb_diff_revisions_read(&here, "templates", "reports", "HEAD", "", names, 1, &d, NULL),
        LB_OK));
    cr_expect(eq(sz, d.n, 1));
    lb_diff_free(&d);
}

Test(diff, sources_are_those_a_program_is_built_from)
{
    const char *const folders[] = {"src", NULL};
    static const char *const want[] = {"src/core/sum.c", "src/core/sum.h", "src/core/sum_blocks.c",
                                       "src/experiments/e90_golden.c"};
    lb_snapshot *s;
    lb_names names;
    cr_assert(eq(int, lb_snapshot_take("HEAD", folders, &s, NULL), LB_OK));
    lb_built_from(s, "e90_golden", &names);
    cr_assert(eq(sz, names.n, 4));
    for (size_t i = 0; i < 4; i++)
        cr_expect(eq(str, names.at[i], (char *)want[i]));
    lb_names_free(&names);
    lb_built_from(s, "e99_none", &names);
    cr_expect(eq(sz, names.n, 0));
    lb_names_free(&names);
    lb_snapshot_free(s);
}

/* Twenty experiments of 200 numbers each, all of them @p value. */
static void write_many(const char *value)
{
    for (int e = 10; e < 30; e++) {
        lb_text out = {0};
        lb_text_printf(&out,
                       "# loggbook frozen results, format 1\n# experiment: e%d\n"
                       "key\tvalue\tci_lo\tci_hi\tse\tn\tkind\trows\ttolerance\toracle\n",
                       e);
        for (int i = 0; i < 200; i++)
            lb_text_printf(&out, "e%d.a_long_name.noise_0.%d\t%s\t\t\t0.1\t\tr2\t\texact\t-\n", e,
                           i, value);
        char *path = lb_xprintf("data/frozen/quick/e%d_x.tsv", e);
        cr_assert(lb_file_write(path, out.s, out.length, NULL) == LB_OK);
        lb_text_free(&out);
        free(path);
    }
}

Test(diff, fits_a_comment_however_much_changed)
{
    lb_diff d;
    lb_error err = {0};
    write_many("0.5");
    run("git add data; git -c user.name=t -c user.email=t@t commit -qm more");
    write_many("0.7");
    cr_assert(read_diff("HEAD", "", &d, &err) == LB_OK, "%s", err.text);
    char *report = report_of(&d);
    cr_expect(lt(sz, strlen(report), 65536));
    cr_expect(strstr(report, "4,000 of 4,016 values") != NULL, "%.300s", report);
    cr_expect(strstr(report, "\nShortened") != NULL);
    free(report);
    lb_diff_free(&d);
}

/* --- two files ---------------------------------------------------------------------------------
 */

/* An experiment with templates of its own, and a record of it with this gain. */
static char *write_record(const char *name, double gain, const char *drawn)
{
    char *path = lb_xprintf("%s/%s", folder, name);
    lb_spec *spec;
    lb_error err = {0};
    static const char page[] = "The gain is {{ e90.delta_r2 }}.\n\n{% if verdict(H1.2) == \"PASS\" "
                               "%}Build it.{% else %}Leave it.{% endif %}\n";
    cr_assert(lb_file_write("e90/report.en.md", page, strlen(page), &err) == LB_OK);
    cr_assert(lb_file_write("e90/report.zh.md", page, strlen(page), &err) == LB_OK);
    char *copy = lb_xprintf("cp '%s'/tests/golden/template/spec.yaml e90/", root);
    run(copy);
    free(copy);
    cr_assert(lb_file_write("drawn/e90_gain.svg", drawn, strlen(drawn), &err) == LB_OK);
    cr_assert(lb_spec_load("e90/spec.yaml", &spec, &err) == LB_OK, "%s", err.text);
    lb_record *r = lb_record_new("e90", spec);
    lb_number x = lb_number_plain(gain, "ratio", "");
    x.se = 0.01;
    lb_record_number(r, "e90.delta_r2", x);
    lb_record_figure(r, "F90.1", "e90_gain");
    lb_record_figure_files(r, "drawn");
    lb_record_provenance(r, "profile", "%s", "quick");
    lb_record_provenance(r, "data.train", "%s", *drawn == '1' ? "one" : "other");
    lb_record_judge(r);
    cr_assert(lb_record_close(r, path, &err) == LB_OK, "%s", err.text);
    lb_spec_free(spec);
    return path;
}

Test(diff, two_records_are_told_by_their_sentences_figures_and_inputs)
{
    lb_diff d;
    lb_error err = {0};
    char *a = write_record("a.h5", 0.05, "1"), *b = write_record("b.h5", 0.02, "2");
    cr_assert(lb_diff_files_read(&places, "e90", a, b, &d, &err) == LB_OK, "%s", err.text);
    char *report = report_of(&d);
    static const char *const parts[] = {"1 verdict flipped", "3.00 |", "- Build it.\n+ Leave it.\n",
                                        "Figures changed `F90.1`",
                                        "| data.train | `one` | `other` | E90"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *padded = lb_xstrdup(report), *to = padded;
        for (const char *s = report; *s; s++) /* the padding of tables is not the point */
            if (*s != ' ' || s[1] != ' ')
                *to++ = *s;
        *to = '\0';
        cr_expect(strstr(padded, parts[i]) != NULL, "'%s' in\n%s", parts[i], report);
        free(padded);
    }
    cr_expect(lb_diff_fails(&d, LB_FAIL_VERDICT));
    free(report);
    lb_diff_free(&d);
    cr_assert(eq(int, lb_diff_files_read(&places, "e90", a, a, &d, NULL), LB_OK));
    cr_expect(not(lb_diff_fails(&d, LB_FAIL_ANY)));
    cr_expect(eq(sz, d.at->n_pages, 2), "%s", d.at->remark);
    lb_diff_free(&d);
    free(a);
    free(b);
}

Test(diff, two_files_must_be_of_one_experiment)
{
    lb_diff d;
    lb_error err = {0};
    cr_expect(eq(
        int, lb_diff_files_read(&places, NULL, FROZEN, "data/frozen/quick/e91_quiet.tsv", &d, &err),
        LB_EINVAL));
    cr_expect(ne(ptr, strstr(err.text, "belongs to e90"), NULL), "%s", err.text);
    lb_diff_free(&d);
    cr_expect(eq(int, lb_diff_files_read(&places, NULL, FROZEN, "none.tsv", &d, NULL), LB_EIO));
    lb_diff_free(&d);
    run("head -c 3000 ../e90_golden.h5 >cut.h5");
    cr_expect(eq(int, lb_diff_files_read(&places, NULL, FROZEN, "cut.h5", &d, NULL), LB_EFORMAT));
    lb_diff_free(&d);
}

/* --- sentences ---------------------------------------------------------------------------------
 */

static void expect_sentences(const char *was, const char *now, size_t reworded, size_t renumbered,
                             size_t added, size_t removed)
{
    lb_sentences s;
    lb_sentences_compare(was, now, &s);
    cr_expect(eq(sz, lb_sentences_count(&s, LB_REWORDED), reworded), "'%s'", now);
    cr_expect(eq(sz, lb_sentences_count(&s, LB_RENUMBERED), renumbered), "'%s'", now);
    cr_expect(eq(sz, lb_sentences_count(&s, LB_ADDED), added), "'%s'", now);
    cr_expect(eq(sz, lb_sentences_count(&s, LB_REMOVED), removed), "'%s'", now);
    lb_sentences_free(&s);
}

Test(sentences, other_words_and_other_numbers_are_told_apart)
{
    expect_sentences("It gains 0.05. It works.", "It gains 0.05. It works.", 0, 0, 0, 0);
    expect_sentences("It gains 0.05. It works.", "It gains −1,234.5e-3†. It works.", 0, 1, 0, 0);
    expect_sentences("It gains 0.05 at last.", "It loses 0.05 at last.", 1, 0, 0, 0);
    expect_sentences("In E02 it gains.", "In E03 it gains.", 1, 0, 0, 0);
    expect_sentences("One. Two.", "One. Three stays alone. Two.", 0, 0, 1, 0);
    expect_sentences("One. Two.", "Two.", 0, 0, 0, 1);
    expect_sentences("One. Two.", "Two. One.", 0, 0, 1, 1);
}

Test(sentences, chinese_sentences_end_without_blanks)
{
    expect_sentences("增益为 0.05。模型有效。", "增益为 0.06。模型有效。", 0, 1, 0, 0);
    expect_sentences("增益为 0.05。模型有效。", "增益为 0.05。模型无效。", 1, 0, 0, 0);
}

Test(sentences, a_row_is_known_by_its_first_cell)
{
    expect_sentences("| 0.2 | 0.5 |\n| 0.5 | 0.6 |\n", "| 0.5 | 0.7 |\n", 0, 1, 0, 1);
    expect_sentences("| a  | 1 |\n|:---|--:|\n", "| a | 1 |\n|:--|--:|\n", 0, 0, 0, 0);
    expect_sentences("| compiler | `12` |\n", "| compiler | `13` |\n", 0, 0, 0, 0);
}

Test(sentences, what_changes_alike_in_many_places_is_told_once)
{
    lb_sentences s;
    lb_sentences_compare("# A\n\nOne.\n\n# B\n\nOne.\n",
                         "# A\n\nOne.\nNote.\n\n# B\n\nOne.\nNote.\n", &s);
    cr_assert(eq(sz, s.n, 1));
    cr_expect(eq(sz, s.at->places, 2));
    cr_expect(eq(str, s.at->heading, "A"));
    lb_sentences_free(&s);
}

Test(sentences, an_abbreviation_ends_none)
{
    lb_sentences s;
    lb_sentences_compare("", "1. Look, e.g. here. Then go.\n", &s);
    cr_assert(eq(sz, s.n, 2));
    cr_expect(eq(str, s.at[0].now, "1. Look, e.g. here."));
    lb_sentences_free(&s);
}
