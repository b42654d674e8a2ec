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
    return lb_views_write(&toy_places, toy_templates, toy_reports, NULL, err);
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

/* How many links "](#n-KEY)" @p page holds; each must find its "{#n-KEY title=...". */
static size_t count_links(const char *page)
{
    static const char link[] = "](#n-";
    size_t n = 0;
    for (const char *s = strstr(page, link); s; s = strstr(s, link), n++) {
        s += strlen(link);
        char *goal = lb_xprintf("{#n-%.*s title=\"", (int)strcspn(s, ")"), s);
        cr_expect(strstr(page, goal) != NULL, "no %s", goal);
        free(goal);
    }
    return n;
}

Test(views, for_pandoc_lead_every_number_of_a_record_to_its_provenance_and_no_count)
{
    lb_error err = {0};
    size_t links = 0;
    char *drafts = lb_xprintf("%s/drafts", toy_folder);
    cr_assert(lb_views_write(&toy_places, toy_templates, toy_reports, drafts, &err) == LB_OK, "%s",
              err.text);
    for (size_t i = 0; i < LB_VIEWS; i++) {
        char *name = lb_xprintf("../drafts/%s.zh.md", lb_view_name[i]), *page = page_of(name);
        links += count_links(page);
        cr_expect(strstr(page, "(#n-view") == NULL, "%s", page);
        free(page);
        free(name);
    }
    cr_expect(gt(sz, links, 0));
    expect_golden("hub.en.md"); /* the same page as without drafts */
    free(drafts);
}

/* How often the word of a verdict stands in the draft, each time inside its mark. */
static size_t count_marked(const char *page, const char *word, const char *class)
{
    char *mark = lb_xprintf("%s]{.verdict .%s title=\"", word, class);
    size_t n = 0;
    for (const char *s = strstr(page, word); s; s = strstr(s + 1, word), n++)
        cr_expect(s[-1] == '[' && strncmp(s, mark, strlen(mark)) == 0, "bare: %.60s", s);
    free(mark);
    return n;
}

Test(views, for_pandoc_mark_every_verdict_wherever_it_stands)
{
    lb_error err = {0};
    char *drafts = lb_xprintf("%s/drafts", toy_folder);
    cr_assert(lb_views_write(&toy_places, toy_templates, toy_reports, drafts, &err) == LB_OK, "%s",
              err.text);
    char *hub = page_of("../drafts/hub.zh.md"), *roadmap = page_of("../drafts/roadmap.en.md");
    cr_expect(eq(sz, count_marked(hub, "PASS ✅", "pass"), 3));
    cr_expect(eq(sz, count_marked(hub, "FAIL ❌", "fail"), 4));
    cr_expect(eq(sz, count_marked(hub, "NOT RUN ⏳", "not-run"), 4));
    cr_expect(gt(sz, count_marked(roadmap, "PASS ✅", "pass"), 1));
    cr_expect(strstr(hub, "title=\"e92:H2 · 尚无记录\"") != NULL, "%s", hub);
    free(roadmap);
    free(hub);
    free(drafts);
}

static lb_status compare_views(lb_error *err)
{
    lb_survey survey;
    *err = (lb_error){0};
    cr_assert(lb_survey_open(&toy_places, toy_templates, toy_reports, &survey, err) == LB_OK);
    const lb_status st = lb_views_compare(&survey, toy_templates, toy_reports, err);
    lb_survey_close(&survey);
    return st;
}

Test(views, know_a_finished_page_that_is_stale_or_gone)
{
    lb_error err = {0};
    cr_assert(write_views(&err) == LB_OK, "%s", err.text);
    cr_expect(eq(int, compare_views(&err), LB_OK), "%s", err.text);
    toy_shell("sed -i 's/done/ready/' reports/kanban.zh.md reports/summary.en.md");
    cr_expect(eq(int, compare_views(&err), LB_EFINDING));
    cr_expect(strstr(err.text, "summary.en.md:") != NULL, "%s", err.text);
    toy_shell("rm reports/summary.en.md");
    cr_expect(eq(int, compare_views(&err), LB_EIO));
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

/* The command spoils the second toy, which is then partial for this reason. */
static void expect_partial(const char *command, bool record_again, const char *reason)
{
    lb_error err = {0};
    toy_shell(command);
    if (record_again)
        toy_record("e91", "e91_second", "quick", -0.02);
    cr_assert(write_views(&err) == LB_OK, "%s", err.text);
    char *page = page_of("roadmap.en.md"), *line = strstr(page, "\n[E91]");
    cr_assert(line != NULL);
    line[1 + strcspn(line + 1, "\n")] = '\0';
    cr_expect(strstr(line, "partial ⚠️") != NULL, "%s", line);
    cr_expect(strstr(line, reason) != NULL, "'%s' is not in: %s", reason, line);
    free(page);
}

Test(views, call_a_report_with_an_empty_field_of_its_spec_partial)
{
    expect_partial("sed -i '/^priority/d' templates/experiments/e91_second/spec.yaml", true,
                   "the required field 'priority' is empty");
}

Test(views, call_a_report_with_a_missing_figure_partial)
{
    expect_partial("printf 'figures:\\n  F1: {file: e91_gain, en: A, zh: B}\\n' "
                   ">> templates/experiments/e91_second/spec.yaml",
                   true, "figure");
}

Test(views, call_a_report_with_an_empty_section_or_field_partial)
{
    expect_partial("printf '\\n## Insights\\n\\n## Next\\n\\nMore.\\n' >> reports/e91_second.en.md",
                   false, "the section '## Insights' is empty");
    expect_partial("printf '\\n| Scope | |\\n' >> reports/e91_second.zh.md", false,
                   "the field 'Scope' is empty");
}

Test(views, call_a_report_with_a_todo_partial)
{
    expect_partial("echo TODO >> reports/e91_second.en.md", false, "'TODO' is left");
}

Test(views, refuse_a_record_of_another_profile)
{
    toy_record("e91", "e91_second", "standard", -0.02);
    expect_refused(NULL, LB_EINVAL, "is of profile standard");
}

Test(views, refuse_a_foreign_record)
{
    expect_refused("cp results/e90_first.h5 results/e91_second.h5", LB_EINVAL,
                   "e91_second.h5 holds the record of e90_first, not of e91_second");
}

Test(views, refuse_a_truncated_record)
{
    expect_refused("truncate -s 3000 results/e91_second.h5", LB_EFORMAT, "e91_second.h5");
}

Test(views, refuse_a_record_of_an_older_spec)
{
    expect_refused("sed -i 's/valuable: 0.03/valuable: 0.04/' "
                   "templates/experiments/e91_second/spec.yaml",
                   LB_EINVAL, "spec.yaml than the present one");
}

Test(views, refuse_a_protocol_of_nobody)
{
    expect_refused("sed -i 's/protocol: e90/protocol: e19/' templates/views/programme.yaml",
                   LB_ENAME, "no experiment 'e19' whose protocol");
    expect_refused(
        "sed -i 's/protocol: e19/protocol: e90/; s/thresholds.valuable\"/thresholds.x\"/' "
        "templates/views/programme.yaml",
        LB_ENAME, "'e90:thresholds.x' names no number of a spec");
}

Test(views, mark_what_was_measured_on_other_spectra_as_stale)
{
    lb_error err = {0};
    toy_spectra = "sha256:fedcba9876543210";
    toy_record("e91", "e91_second", "quick", -0.02);
    cr_assert(write_views(&err) == LB_OK, "%s", err.text);
    char *hub = page_of("hub.en.md"), *board = page_of("kanban.en.md");
    cr_expect(strstr(hub, "(e91_second.en.md) stale ⚠️ data.train") != NULL, "%s", hub);
    cr_expect(strstr(hub, "(e90_first.en.md) stale") == NULL, "the frozen protocol is its own");
    cr_expect(strstr(board, "(e91_second.en.md) stale ⚠️") != NULL, "in every view: %s", board);
    free(board);
    free(hub);
}

/* A history with a flipped verdict, a number that moved by two standard errors and one that did not
 * move, and one that was measured for the first time. */
Test(views, tell_changes_of_knowledge_from_other_changes)
{
    lb_error err = {0};
    toy_shell("mkdir -p frozen && printf '%s\n' "
              "'# loggbook frozen results, format 1' '# experiment: e90' '# profile: quick' "
              "'# history, newest last:' '#   2026-11-20 0.1.0: First' "
              "'#     first freeze, 3 entries' '#   2026-11-22 0.1.1: Again' "
              "'#     flipped verdict:H1: FAIL -> PASS' "
              "'#     moved e90.gain: 0.03 -> 0.05 (2.67 s.e.)' "
              "'#     moved e90.share: 0.50 -> 0.51 (0.10 s.e.)' '#     new e90.more: - -> 1' "
              "'key\tvalue\tci_lo\tci_hi\tse\tn\tkind\trows\ttolerance\toracle' "
              "| sed 's/\\\\t/\t/g' > frozen/e90_first.tsv");
    cr_assert(write_views(&err) == LB_OK, "%s", err.text);
    char *hub = page_of("hub.en.md"), *roadmap = page_of("roadmap.en.md");
    cr_expect(strstr(hub, "2026-11-22 [E90](e90_first.en.md) H1: FAIL → PASS; "
                          "`e90.gain: 0.03 → 0.05 (2.67 s.e.)`; 1") != NULL,
              "%s", hub);
    cr_expect(strstr(hub, "e90.share: 0.50") == NULL, "%s", hub);
    cr_expect(strstr(hub, "2026-11-20 [E90]") == NULL, "a first freeze changes nothing: %s", hub);
    cr_expect(strstr(roadmap, "[E90](e90_first.en.md) 2026-11-21 2026-11-20 2026-11-22 2") != NULL,
              "%s", roadmap);
    free(roadmap);
    free(hub);
}

Test(views, want_every_next_step_of_a_report_placed)
{
    expect_refused("sed -i 's/next: \\[e91, inbox\\]/next: [e91]/' templates/views/programme.yaml",
                   LB_EINVAL, "report.en.md proposes 2 next steps");
    expect_refused("sed -i 's/next: \\[e91\\]/next: [e91, N7]/' templates/views/programme.yaml",
                   LB_ENAME, "no experiment or plan 'N7'");
}

static size_t occurrences(const char *text, const char *word)
{
    size_t n = 0;
    for (const char *s = strstr(text, word); s; s = strstr(s + strlen(word), word))
        n++;
    return n;
}

/* The first line of the toys' kanban lists its columns. */
Test(views, put_every_id_into_exactly_one_column)
{
    lb_error err = {0};
    static const char *const ids[] = {"[E90]", "[E91]", " E92 ", " N1 "};
    for (int damaged = 0; damaged < 2; damaged++) {
        if (damaged) /* incomplete, running, and a gate that moves the plan */
            toy_shell("rm reports/e91_second.zh.md && : > results/e90_first.h5.part");
        cr_assert(write_views(&err) == LB_OK, "%s", err.text);
        char *page = page_of("kanban.en.md");
        page[strcspn(page, "\n")] = '\0';
        for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
            cr_expect(eq(sz, occurrences(page, ids[i]), 1), "%s in: %s", ids[i], page);
        free(page);
    }
}

Test(views, of_the_programme_say_what_matters_in_the_first_thirty_lines_of_the_hub)
{
    static const char *const needed[] = {"**State.**",     "**R².**",     "**Route.**",
                                         "**Protocol.**",  "**If**",      "**So**",
                                         "view.authority", "table focus", "table consensus"};
    for (size_t k = 0; k < 2; k++) {
        lb_error err = {0};
        char *text, *end;
        cr_assert(lb_file_read(k ? "templates/views/hub.zh.md" : "templates/views/hub.en.md", &text,
                               NULL, &err) == LB_OK);
        end = text;
        for (int i = 0; i < 30; i++)
            end = strchr(end, '\n') + 1;
        *end = '\0';
        for (size_t i = k ? 6 : 0; i < sizeof needed / sizeof *needed; i++)
            cr_expect(strstr(text, needed[i]) != NULL, "%s: no %s", k ? "zh" : "en", needed[i]);
        free(text);
    }
}

Test(views, refuse_a_key_that_vanished)
{
    toy_record("e90", "e90_first", "quick", 0.0);
    expect_refused("sed -i 's/{{ e90.gain }}//' templates/experiments/e90_first/report.*.md",
                   LB_ENAME, "e90.gain");
}

Test(views, refuse_a_number_of_no_experiment)
{
    expect_refused("sed -i 's/gain: e91.gain/gain: e19.gain/' templates/views/programme.yaml",
                   LB_ENAME, "'e19.gain' belongs to no experiment");
}

Test(views, refuse_a_name_for_a_number_that_vanished)
{
    expect_refused("printf 'quantities:\\n  - {key: e90.gone, label: {en: \"a\", zh: \"b\"}}\\n' "
                   ">> templates/views/programme.yaml",
                   LB_ENAME, "no key 'e90.gone'");
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
