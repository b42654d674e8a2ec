/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "core/file.h"
#include "core/memory.h"
#include "record/verify.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void start(void)
{
    setenv("SOURCE_DATE_EPOCH", "1767225600", 1); /* 2026-01-01 */
}

TestSuite(verify, .init = start, .fini = fixture_clean);

static char *record, *frozen;

/* A record with the gain 0.05, frozen. */
static void freeze(void)
{
    lb_spec *spec = fixture_spec();
    lb_text report = {0};
    lb_error err = {0};
    free(record);
    free(frozen);
    record = lb_xstrdup(fixture_path("e02.h5"));
    frozen = lb_xstrdup(fixture_path("frozen/e02.tsv"));
    fixture_write(record, 0.05);
    cr_assert(eq(int, lb_freeze(record, frozen, spec, "first numbers", &report, &err), LB_OK), "%s",
              err.text);
    lb_text_free(&report);
    lb_spec_free(spec);
}

static char *slurp(const char *path)
{
    char *text = NULL;
    cr_assert(eq(int, lb_file_read(path, &text, NULL, NULL), LB_OK));
    return text;
}

/* Replace the first @p old in the frozen file by @p new. */
static void tamper(const char *old, const char *new)
{
    char *text = slurp(frozen), *at = strstr(text, old);
    cr_assert(ne(ptr, at, NULL), "no '%s' in:\n%s", old, text);
    char *edited = lb_xprintf("%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    cr_assert(eq(int, lb_file_write(frozen, edited, strlen(edited), NULL), LB_OK));
    free(edited);
    free(text);
}

static void expect_verify(lb_status status, const char *part)
{
    lb_text report = {0};
    lb_error err = {0};
    cr_expect(eq(int, lb_verify(record, frozen, &report, &err), status), "%s", err.text);
    cr_expect(ne(ptr, strstr(report.s ? report.s : err.text, part), NULL), "'%s' in:\n%s%s", part,
              report.s ? report.s : "", err.text);
    lb_text_free(&report);
}

Test(verify, what_was_frozen_agrees)
{
    freeze();
    expect_verify(LB_OK, "e02 (quick): 9 entries agree");
}

Test(verify, losing_or_gaining_the_oracle_is_found)
{
    freeze();
    tamper("\trtol=1e-06 atol=1e-09\t-\n", "\trtol=1e-06 atol=1e-09\tyes\n");
    expect_verify(LB_EFINDING, "is no oracle number any more");
    freeze();
    tamper("\tyes\n", "\t-\n");
    expect_verify(LB_EFINDING, "became an oracle number");
    freeze();
    tamper("\tyes\n", "\t?\n"); /* frozen before that was kept */
    expect_verify(LB_OK, "9 entries agree");
}

Test(verify, another_key_in_a_cell_is_found)
{
    freeze();
    tamper("table:T02.1\tsha256:", "table:T02.1\tsha256:0");
    expect_verify(LB_EFINDING, "other keys stand in its cells");
}

Test(verify, files_frozen_before_tables_were_kept_still_agree)
{
    freeze();
    char *text = slurp(frozen), *line = strstr(text, "table:T02.1");
    cr_assert(ne(ptr, line, NULL));
    *line = '\0';
    cr_assert(eq(int, lb_file_write(frozen, text, strlen(text), NULL), LB_OK));
    free(text);
    expect_verify(LB_OK, "8 entries agree");
}

Test(verify, a_moved_number_is_found_with_its_standard_errors)
{
    freeze();
    tamper("e02.delta_r2\t0.05", "e02.delta_r2\t0.06");
    expect_verify(LB_EFINDING, "moved    e02.delta_r2  0.06    0.05  -0.01  1.14");
}

Test(verify, a_statistical_tolerance_forgives_half_a_standard_error)
{
    freeze();
    tamper("e02.delta_r2\t0.05", "e02.delta_r2\t0.0541");
    expect_verify(LB_OK, "agree");
    tamper("e02.delta_r2\t0.0541", "e02.delta_r2\t0.0545");
    expect_verify(LB_EFINDING, "moved");
}

Test(verify, a_numeric_tolerance_forgives_rounding_only)
{
    freeze();
    tamper("e02.r2.global\t0.86160000000000003", "e02.r2.global\t0.8616001");
    expect_verify(LB_OK, "agree");
    tamper("e02.r2.global\t0.8616001", "e02.r2.global\t0.861602");
    expect_verify(LB_EFINDING, "moved    e02.r2.global");
}

Test(verify, a_count_must_be_exact)
{
    freeze();
    tamper("e02.bins.covered\t9\t", "e02.bins.covered\t9.0000000001\t");
    expect_verify(LB_EFINDING, "must be exact");
}

Test(verify, intervals_and_standard_errors_are_checked_too)
{
    freeze();
    tamper("0.84450000000000003", "0.8345"); /* ci_lo of r2.global */
    expect_verify(LB_EFINDING, "interval [0.8345, 0.879] became [0.8445, 0.879]");
    tamper("\t0.0088000000000000005", "\t0.0099");
    expect_verify(LB_EFINDING, "standard error 0.0099 became 0.0088");
}

Test(verify, a_flipped_verdict_is_found_though_every_number_agrees)
{
    freeze();
    tamper("verdict:H1.2\tPASS", "verdict:H1.2\tFAIL");
    expect_verify(LB_EFINDING, "flipped  verdict:H1.2  FAIL    PASS");
    expect_verify(LB_EFINDING, "its metric e02.delta_r2 stayed inside its tolerance");
}

Test(verify, a_flip_by_a_small_move_over_the_threshold_is_found)
{
    freeze();
    fixture_write(record, 0.0302); /* PASS, frozen anew */
    unlink(frozen);
    lb_spec *spec = fixture_spec();
    lb_text report = {0};
    cr_assert(eq(int, lb_freeze(record, frozen, spec, "near the line", &report, NULL), LB_OK));
    fixture_write(record, 0.0298); /* 0.05 standard errors below, but INCONCLUSIVE */
    tamper("e02.r2.moe", "e02.r2.moe_old");
    expect_verify(LB_EFINDING, "flipped  verdict:H1.2");
    lb_text_free(&report);
    lb_spec_free(spec);
}

Test(verify, other_rows_are_found_though_their_number_is_the_same)
{
    freeze();
    tamper("rowset:test_covered\tsha256:a", "rowset:test_covered\tsha256:b");
    expect_verify(LB_EFINDING, "these are other rows");
}

Test(verify, another_row_set_n_kind_or_text_under_a_key_is_found)
{
    static const char *const edits[][3] = {
        {"\t816\tr2\ttest_covered", "\t816\tr2\ttest_all", "row set 'test_all' became"},
        {"\t816\tr2\ttest", "\t1000\tr2\ttest", "n 1000 became 816"},
        {"\t816\tdelta_r2\t", "\t816\tdelta_r2_unaligned\t", "kind 'delta_r2_unaligned' became"},
        {"significant", "robust", "another text"},
        {"n/a: n/a (n<10)", "n/a: n/a (n<2)", "was n/a (n<2), is n/a (n<10)"},
        {"n/a: n/a (n<10)", "0.5", "was a value, is n/a (n<10)"}};
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        freeze();
        tamper(edits[i][0], edits[i][1]);
        expect_verify(LB_EFINDING, edits[i][2]);
        unlink(frozen);
    }
}

Test(verify, missing_and_new_keys_are_findings)
{
    freeze();
    tamper("e02.r2.global", "e02.r2.globe");
    expect_verify(LB_EFINDING, "missing  e02.r2.globe ");
    expect_verify(LB_EFINDING, "new      e02.r2.global");
    expect_verify(LB_EFINDING, "1 missing, 1 new");
}

Test(verify, measured_numbers_need_only_be_there)
{
    freeze();
    tamper("e02.fit.wall\t1.25", "e02.fit.wall\t9.75");
    expect_verify(LB_OK, "agree");
    tamper("e02.fit.wall", "e02.fit.well");
    expect_verify(LB_EFINDING, "missing  e02.fit.well");
}

Test(verify, findings_come_flips_first_then_by_standard_errors)
{
    freeze();
    tamper("e02.r2.global\t0.86", "e02.r2.global\t0.96"); /* 11.4 s.e. */
    tamper("e02.delta_r2\t0.05", "e02.delta_r2\t0.09");   /* 4.55 s.e. */
    tamper("verdict:H1.2\tPASS", "verdict:H1.2\tFAIL");
    lb_text report = {0};
    cr_assert(eq(int, lb_verify(record, frozen, &report, NULL), LB_EFINDING));
    const char *flip = strstr(report.s, "flipped"), *gain = strstr(report.s, "moved    e02.delta");
    const char *global = strstr(report.s, "moved    e02.r2.global");
    cr_assert(flip && gain && global, "%s", report.s);
    cr_expect(lt(ptr, (void *)flip, (void *)global), "%s", report.s);
    cr_expect(lt(ptr, (void *)global, (void *)gain), "%s", report.s);
    lb_text_free(&report);
}

Test(verify, nothing_to_check_is_never_ok)
{
    lb_text report = {0};
    lb_error err = {0};
    freeze();
    const char *empty = "key\tvalue\tci_lo\tci_hi\tse\tn\tkind\trows\ttolerance\n";
    lb_file_write(frozen, empty, strlen(empty), NULL);
    cr_expect(eq(int, lb_verify(record, frozen, &report, &err), LB_ENAME));
    cr_expect(ne(ptr, strstr(err.text, "nothing to check"), NULL), "%s", err.text);
    unlink(frozen);
    err = (lb_error){0};
    cr_expect(eq(int, lb_verify(record, frozen, &report, &err), LB_EIO));
    cr_expect(ne(ptr, strstr(err.text, "make freeze REASON="), NULL), "%s", err.text);
    cr_expect(eq(int, lb_verify("none.h5", frozen, &report, NULL), LB_EIO));
    lb_file_write(frozen, "junk\n", 5, NULL);
    cr_expect(eq(int, lb_verify(record, frozen, &report, NULL), LB_EFORMAT));
    lb_text_free(&report);
}

Test(verify, other_profiles_and_experiments_do_not_compare)
{
    freeze();
    tamper("# profile: quick", "# profile: standard");
    expect_verify(LB_EINVAL, "of profile standard");
    tamper("# experiment: e02", "# experiment: e03");
    expect_verify(LB_EINVAL, "belongs to e03");
}

Test(freeze, writes_header_history_and_nothing_without_a_reason, .init = start,
     .fini = fixture_clean)
{
    lb_spec *spec = fixture_spec();
    lb_text report = {0};
    lb_error err = {0};
    record = lb_xstrdup(fixture_path("e02.h5"));
    frozen = lb_xstrdup(fixture_path("e02.tsv"));
    fixture_write(record, 0.05);
    cr_expect(eq(int, lb_freeze(record, frozen, spec, NULL, &report, &err), LB_EINVAL));
    cr_expect(ne(ptr, strstr(report.s, "10 entries are new"), NULL), "%s", report.s);
    cr_expect(eq(int, lb_freeze(record, frozen, spec, " \n", &report, NULL), LB_EINVAL));
    cr_expect(not(lb_file_exists(frozen)));
    cr_assert(eq(int, lb_freeze(record, frozen, spec, "two\nlines", &report, NULL), LB_OK));
    char *text = slurp(frozen);
    cr_expect(ne(ptr, strstr(text, "# date: 2026-01-01\n# reason: two lines\n"), NULL), "%s", text);
    cr_expect(ne(ptr, strstr(text, "first freeze, 10 entries\nkey\t"), NULL), "%s", text);
    cr_expect(ne(ptr, strstr(text, "test_covered\tse=0.5\tyes\n"), NULL), "%s", text);
    free(text);
    lb_text_free(&report);
    lb_spec_free(spec);
}

Test(freeze, shows_the_diff_first_and_keeps_the_history, .init = start, .fini = fixture_clean)
{
    lb_spec *spec = fixture_spec();
    lb_text report = {0};
    freeze();
    fixture_write(record, 0.06);
    cr_expect(eq(int, lb_freeze(record, frozen, spec, "", &report, NULL), LB_EINVAL));
    cr_expect(ne(ptr, strstr(report.s, "moved    e02.delta_r2"), NULL), "%s", report.s);
    expect_verify(LB_EFINDING, "moved");
    cr_expect(eq(int, lb_freeze(record, frozen, spec, "better alpha", &report, NULL), LB_OK));
    expect_verify(LB_OK, "agree");
    char *text = slurp(frozen);
    cr_expect(ne(ptr, strstr(text, "first numbers\n#     first freeze"), NULL), "%s", text);
    cr_expect(
        ne(ptr, strstr(text, "better alpha\n#     moved e02.delta_r2: 0.05 -> 0.06 (1.14"), NULL),
        "%s", text);
    free(text);
    lb_text_free(&report);
    lb_spec_free(spec);
}

Test(freeze, equal_results_leave_the_file_as_it_is, .init = start, .fini = fixture_clean)
{
    lb_spec *spec = fixture_spec();
    lb_text report = {0};
    freeze();
    char *before = slurp(frozen);
    cr_expect(eq(int, lb_freeze(record, frozen, spec, "again", &report, NULL), LB_OK));
    char *after = slurp(frozen);
    cr_expect(eq(str, before, after));
    tamper("se=0.5", "se=0.7"); /* a changed tolerance is a change */
    cr_expect(eq(int, lb_freeze(record, frozen, spec, "tighter", &report, NULL), LB_OK));
    free(after);
    after = slurp(frozen);
    cr_expect(ne(ptr, strstr(after, "only tolerances"), NULL), "%s", after);
    cr_expect(eq(ptr, strstr(after, "se=0.7"), NULL));
    free(before);
    free(after);
    lb_text_free(&report);
    lb_spec_free(spec);
}

Test(freeze, refuses_stale_records_empty_records_and_damaged_files, .init = start,
     .fini = fixture_clean)
{
    lb_spec *spec = fixture_spec(), *other = NULL;
    lb_text report = {0};
    freeze();
    char *text = lb_xprintf("%s# edited\n", fixture_spec_text);
    cr_assert(eq(int, lb_spec_parse(text, "spec.yaml", &other, NULL), LB_OK));
    cr_expect(eq(int, lb_freeze(record, frozen, other, "why", &report, NULL), LB_EFINDING));
    cr_expect(eq(int, lb_freeze("none.h5", frozen, spec, "why", &report, NULL), LB_EIO));
    lb_file_write(frozen, "junk\n", 5, NULL);
    cr_expect(eq(int, lb_freeze(record, frozen, spec, "why", &report, NULL), LB_EFORMAT));
    const char *empty = fixture_path("e09.h5");
    cr_assert(eq(int, lb_record_close(lb_record_new("e09", NULL), empty, NULL), LB_OK));
    cr_expect(eq(int, lb_freeze(empty, frozen, NULL, "why", &report, NULL), LB_ENAME));
    cr_expect(
        eq(int, lb_freeze(record, "/proc/nowhere/x.tsv", spec, "why", &report, NULL), LB_EIO));
    free(text);
    lb_text_free(&report);
    lb_spec_free(spec);
    lb_spec_free(other);
}
