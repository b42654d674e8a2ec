/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small programme of two toy records, as pages, and what stops it. */
#include "fixture.h"
#include "views/views.h"

#include "core/file.h"
#include "core/memory.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(views, .init = toys_make, .fini = toys_remove);

static char *page_of(const char *name)
{
    lb_error err = {0};
    char *path = lb_xprintf("%s/%s", toy_reports, name), *text;
    cr_assert(lb_file_read(path, &text, NULL, &err) == LB_OK, "%s", err.text);
    free(path);
    return text;
}

static void expect_golden(const char *name)
{
    lb_error err = {0};
    char *path = lb_xprintf("tests/golden/views/expected/%s", name), *want = NULL;
    char *got = page_of(name);
    if (lb_file_read(path, &want, NULL, &err) != LB_OK || strcmp(got, want) != 0)
        cr_expect(false, "%s differs; now it is:\n%s", path, got);
    free(got);
    free(want);
    free(path);
}

static lb_status write_views(lb_error *err)
{
    return lb_views_write(&toy_places, toy_templates, toy_reports, err);
}

static void expect_pages(bool there)
{
    char *path = lb_xprintf("%s/hub.en.md", toy_reports);
    char *graph = lb_xprintf("%s/programme_graph.svg", toy_places.figures);
    cr_expect(eq(int, lb_file_exists(path), there));
    cr_expect(eq(int, lb_file_exists(graph), there));
    free(graph);
    free(path);
}

/* The command in the scratch folder makes the views impossible: this status, these words, and
 * nothing is written. */
static void expect_refused(const char *command, lb_status st, const char *message)
{
    lb_error err = {0};
    if (command)
        toy_shell(command);
    cr_expect(eq(int, write_views(&err), st), "%s", err.text);
    cr_expect(strstr(err.text, message) != NULL, "'%s' is not in: %s", message, err.text);
    expect_pages(false);
}

Test(views, of_two_toys_are_what_stands_in_the_golden_pages)
{
    lb_error err = {0};
    cr_assert(write_views(&err) == LB_OK, "%s", err.text);
    static const char *const pages[] = {"hub.en.md",     "hub.zh.md",    "roadmap.en.md",
                                        "roadmap.zh.md", "kanban.en.md", "summary.en.md"};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        expect_golden(pages[i]);
    expect_pages(true);
}

Test(views, twice_give_the_same_bytes)
{
    lb_error err = {0};
    cr_assert(write_views(&err) == LB_OK, "%s", err.text);
    toy_shell("cp -r reports first && cp figures/programme_graph.svg first/");
    cr_assert(write_views(&err) == LB_OK, "%s", err.text);
    toy_shell("cp figures/programme_graph.svg reports/ && diff -r first reports");
}

Test(views, call_a_report_done_only_while_nothing_is_missing)
{
    lb_error err = {0};
    toy_shell("sed -i '/hypotheses/d' templates/experiments/e90_first/report.*.md");
    cr_assert(write_views(&err) == LB_OK, "%s", err.text);
    char *page = page_of("roadmap.en.md"), *summary = page_of("summary.en.md");
    cr_expect(strstr(page, "partial ⚠️") != NULL, "%s", page);
    cr_expect(strstr(page, "hypothesis H2 is not used in") != NULL, "%s", page);
    cr_expect(strncmp(summary, "Toys: 0 done, 1 negative, 1 partial", 35) == 0, "%s", summary);
    free(page);
    free(summary);
}

Test(views, call_a_report_without_its_page_or_a_field_incomplete)
{
    lb_error err = {0};
    toy_shell("rm reports/e91_second.zh.md");
    cr_assert(write_views(&err) == LB_OK, "%s", err.text);
    char *page = page_of("roadmap.en.md");
    cr_expect(strstr(page, "e91_second.zh.md:1:1: no such page") != NULL, "%s", page);
    free(page);
}

Test(views, refuse_a_record_of_another_profile)
{
    toy_record("e91", "e91_second", "standard", -0.02);
    expect_refused(NULL, LB_EINVAL, "is of profile standard");
}

Test(views, refuse_a_foreign_record)
{
    expect_refused("cp results/e90_first.h5 results/e91_second.h5", LB_EFINDING, "e91_second.h5");
}

Test(views, refuse_a_truncated_record)
{
    expect_refused("truncate -s 3000 results/e91_second.h5", LB_EFORMAT, "e91_second.h5");
}

Test(views, refuse_a_key_that_vanished)
{
    toy_record("e90", "e90_first", "quick", 0.0);
    expect_refused("sed -i 's/{{ e90.gain }}//' templates/experiments/e90_first/report.*.md",
                   LB_ENAME, "e90.gain");
}

Test(views, refuse_a_missing_translation)
{
    expect_refused("rm templates/views/hub.zh.md", LB_EIO, "hub.zh.md");
}

Test(views, refuse_languages_that_differ)
{
    expect_refused("echo '{{ view.n_gates }}' >> templates/views/hub.zh.md", LB_EFINDING,
                   "view.n_gates");
}

Test(views, refuse_a_name_nobody_knows)
{
    expect_refused("sed -i 's/view.n_ids }}/view.n_idx }}/' templates/views/kanban.*.md", LB_ENAME,
                   "did you mean 'view.n_ids'");
}

Test(views, refuse_a_gate_that_asks_for_no_hypothesis)
{
    expect_refused("sed -i 's/e91:H1\", opens/e91:H3\", opens/' templates/views/programme.yaml",
                   LB_ENAME, "has no hypothesis 'H3'");
}
