/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "record/ledger.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(ledger, .fini = fixture_clean);

/* The column line of a file that was frozen before the last column was kept. */
#define HEAD "key\tvalue\tci_lo\tci_hi\tse\tn\tkind\trows\ttolerance\n"

#define FULL_HEAD "key\tvalue\tci_lo\tci_hi\tse\tn\tkind\trows\ttolerance\toracle\n"

static void refuse(const char *text, lb_status status, const char *start, const char *part)
{
    lb_ledger *l = NULL;
    lb_error err = {0};
    cr_expect(eq(int, lb_ledger_parse(text, "f.tsv", &l, &err), status), "%s", text);
    cr_expect(eq(int, strncmp(err.text, start, strlen(start)), 0), "%s -> %s", text, err.text);
    cr_expect(ne(ptr, strstr(err.text, part), NULL), "%s -> %s", text, err.text);
    cr_expect(eq(ptr, l, NULL));
}

Test(ledger, holds_numbers_texts_row_sets_verdicts_and_tables_of_a_record)
{
    const char *path = fixture_path("e02.h5");
    fixture_write(path, 0.05);
    lb_archive *a = fixture_open(path);
    lb_spec *spec = fixture_spec();
    lb_ledger *l = lb_ledger_of(a, spec);
    cr_expect(eq(sz, l->n, 10));
    cr_expect(eq(str, l->profile, "quick"));
    const lb_line *gain = lb_ledger_find(l, "e02.delta_r2");
    cr_expect(eq(str, gain->rows, "test_covered"));
    cr_expect(eq(int, gain->tolerance.kind, LB_TOL_STATISTICAL));
    cr_expect(eq(int, lb_ledger_find(l, "e02.bins.covered")->tolerance.kind, LB_TOL_EXACT));
    cr_expect(eq(int, lb_ledger_find(l, "e02.fit.wall")->tolerance.kind, LB_TOL_MEASURED));
    cr_expect(eq(str, lb_ledger_find(l, "rowset:test_covered")->text, HASH_A));
    cr_expect(eq(sz, lb_ledger_find(l, "rowset:test_covered")->n, 816));
    cr_expect(eq(str, lb_ledger_find(l, "verdict:H1.2")->text, "PASS"));
    cr_expect(eq(int, gain->oracle, LB_ORACLE_YES));
    cr_expect(eq(int, lb_ledger_find(l, "e02.r2.global")->oracle, LB_ORACLE_NO));
    cr_expect(eq(ptr, (void *)lb_ledger_find(l, "e02.nothing"), NULL));
    lb_ledger_free(l);
    lb_spec_free(spec);
    lb_archive_close(a);
}

Test(ledger, written_and_parsed_again_it_is_the_same_to_the_last_bit)
{
    const char *path = fixture_path("e02.h5");
    fixture_write(path, 0.1 + 0.2); /* 0.30000000000000004 */
    lb_archive *a = fixture_open(path);
    lb_spec *spec = fixture_spec();
    lb_ledger *l = lb_ledger_of(a, spec), *back = NULL;
    lb_text first = {0}, second = {0};
    lb_error err = {0};
    lb_ledger_write(l, &first);
    cr_assert(eq(int, lb_ledger_parse(first.s, "f.tsv", &back, &err), LB_OK), "%s", err.text);
    lb_ledger_write(back, &second);
    cr_expect(eq(str, first.s, second.s));
    cr_expect(eq(dbl, lb_ledger_find(back, "e02.delta_r2")->value, 0.1 + 0.2));
    cr_expect(eq(str, lb_ledger_find(back, "e02.bin.3.r2")->text, "n/a (n<10)"));
    cr_expect(isnan(lb_ledger_find(back, "e02.bin.3.r2")->value));
    cr_expect(eq(int, lb_ledger_find(back, "e02.delta_r2")->oracle, LB_ORACLE_YES));
    cr_expect(eq(int, lb_ledger_find(back, "e02.bins.covered")->oracle, LB_ORACLE_NO));
    cr_expect(
        eq(str, lb_ledger_find(back, "e02.verdict_word")->text, "significant\tand\\valuable"));
    cr_expect(eq(int, lb_ledger_find(back, "e02.verdict_word")->what, LB_LINE_TEXT));
    lb_text_free(&first);
    lb_text_free(&second);
    lb_ledger_free(l);
    lb_ledger_free(back);
    lb_spec_free(spec);
    lb_archive_close(a);
}

Test(ledger, damaged_lines_are_named)
{
    refuse("", LB_EFORMAT, "f.tsv: ", "no column line");
    refuse("key\tvalue\n", LB_EFORMAT, "f.tsv:1: ", "column line");
    refuse("# loggbook frozen results, format 2\n" HEAD, LB_EFORMAT, "f.tsv:1: ", "format 1 only");
    refuse(HEAD "e02.x\t1\n", LB_EFORMAT, "f.tsv:2: ", "2 columns instead of 9");
    refuse(FULL_HEAD "e02.x\t1\n", LB_EFORMAT, "f.tsv:2: ", "2 columns instead of 10");
    refuse(FULL_HEAD "e02.x\t1\t\t\t\t\tr2\t\texact\tmaybe\n", LB_EFORMAT, "f.tsv:2: ", "'maybe'");
    refuse(HEAD "e02.x\t1\t\t\t\t\tr2\t\texact\tmore\n", LB_EFORMAT, "f.tsv:2: ", "10 columns");
    refuse(HEAD "\t1\t\t\t\t\tr2\t\texact\n", LB_EFORMAT, "f.tsv:2: ", "key is empty");
    refuse(HEAD "e02.x\t\t\t\t\t\tr2\t\texact\n", LB_EFORMAT, "f.tsv:2: ", "value is empty");
    refuse(HEAD "e02.x\t1x\t\t\t\t\tr2\t\texact\n", LB_EFORMAT, "f.tsv:2: ", "'1x'");
    refuse(HEAD "e02.x\tnan\t\t\t\t\tr2\t\texact\n", LB_EFORMAT, "f.tsv:2: ", "'nan'");
    refuse(HEAD "e02.x\tn/a: \t\t\t\t\tr2\t\texact\n", LB_EFORMAT, "f.tsv:2: ", "reason");
    refuse(HEAD "e02.x\t1\tlow\t\t\t\tr2\t\texact\n", LB_EFORMAT, "f.tsv:2: ", "ci_lo");
    refuse(HEAD "e02.x\t1\t0\thigh\t\t\tr2\t\texact\n", LB_EFORMAT, "f.tsv:2: ", "ci_hi");
    refuse(HEAD "e02.x\t1\t0\t2\t?\t\tr2\t\texact\n", LB_EFORMAT, "f.tsv:2: ", "se is");
    refuse(HEAD "e02.x\t1\t\t\t\t-3\tr2\t\texact\n", LB_EFORMAT, "f.tsv:2: ", "'-3'");
    refuse(HEAD "e02.x\t1\t\t\t\t\t\t\texact\n", LB_EFORMAT, "f.tsv:2: ", "kind is empty");
    refuse(HEAD "e02.x\t1\t\t\t\t\tr2\t\tloose\n", LB_EFORMAT, "f.tsv:2: ", "'loose'");
    refuse(HEAD "e02.x\t1\t\t\t\t\tr2\t\trtol=-1 atol=0\n", LB_EFORMAT, "f.tsv:2: ", "rtol=-1");
    refuse(HEAD "e02.x\t1\t\t\t\t\tr2\t\tse=nan\n", LB_EFORMAT, "f.tsv:2: ", "se=nan");
    refuse(HEAD "e02.x\t1\t\t\t\t\tr2\t\texact\ne02.x\t1\t\t\t\t\tr2\t\texact\n", LB_ENAME,
           "f.tsv:3: ", "twice");
}

Test(ledger, every_tolerance_survives_writing)
{
    static const char *const tolerances[] = {"exact", "measured", "se=0.25", "rtol=1e-06 atol=0"};
    for (size_t i = 0; i < 4; i++) {
        char text[256];
        lb_ledger *l = NULL;
        lb_text out = {0};
        snprintf(text, sizeof text, HEAD "e02.x\t1\t\t\t\t\tr2\t\t%s\r\n", tolerances[i]);
        cr_assert(eq(int, lb_ledger_parse(text, "f.tsv", &l, NULL), LB_OK));
        lb_tolerance_write(&l->lines[0].tolerance, &out);
        cr_expect(eq(str, out.s, (char *)tolerances[i]));
        lb_text_free(&out);
        lb_ledger_free(l);
    }
}

Test(ledger, a_missing_file_is_an_io_error)
{
    lb_ledger *l = NULL;
    cr_expect(eq(int, lb_ledger_load(fixture_path("none.tsv"), &l, NULL), LB_EIO));
    lb_ledger_free(NULL);
}

Test(ledger, files_without_the_last_column_do_not_say_who_was_an_oracle)
{
    lb_ledger *l = NULL;
    lb_text out = {0};
    cr_assert(
        eq(int, lb_ledger_parse(HEAD "e02.x\t1\t\t\t\t\tr2\t\texact\n", "f.tsv", &l, NULL), LB_OK));
    cr_expect(eq(int, l->lines[0].oracle, LB_ORACLE_UNKNOWN));
    lb_ledger_write(l, &out);
    cr_expect(eq(str, out.s, FULL_HEAD "e02.x\t1\t\t\t\t\tr2\t\texact\t?\n"));
    lb_text_free(&out);
    lb_ledger_free(l);
}
