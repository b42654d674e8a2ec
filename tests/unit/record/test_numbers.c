/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "core/file.h"
#include "record/export.h"
#include "record/numbers.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(numbers, .fini = fixture_clean);
TestSuite(published, .fini = fixture_clean);

#define HEAD "key\tvalue\tunit_or_kind\tci_low\tci_high\tn_test\tconditions\tsource\n"

static lb_archive *archive(double gain)
{
    const char *path = fixture_path("e02.h5");
    fixture_write(path, gain);
    return fixture_open(path);
}

static lb_status load(const char *text, lb_published **out, lb_error *err)
{
    const char *path = fixture_path("p.tsv");
    cr_assert(eq(int, lb_file_write(path, text, strlen(text), NULL), LB_OK));
    return lb_published_load(path, out, err);
}

Test(numbers, json_holds_every_number_to_the_last_bit)
{
    lb_archive *a = archive(0.1 + 0.2);
    lb_text out = {0};
    lb_export_json(a, NULL, &out);
    json_t *root = json_loads(out.s, 0, NULL);
    cr_assert(ne(ptr, root, NULL), "%s", out.s);
    static const char *const beside[] = {"verdict:H1.2", "table:T02.1", "figure:F02.1",
                                         "provenance:program", "rowset:test_covered"};
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        cr_expect(json_object_get(root, beside[i]) != NULL, "%s is not exported", beside[i]);
    json_t *x = json_object_get(root, "e02.delta_r2");
    cr_expect(eq(dbl, json_real_value(json_object_get(x, "value")), 0.1 + 0.2));
    cr_expect(
        eq(dbl, json_real_value(json_array_get(json_object_get(x, "ci"), 0)), 0.1 + 0.2 - 0.0171));
    cr_expect(eq(int, (int)json_integer_value(json_object_get(x, "n")), 816));
    cr_expect(eq(str, (char *)json_string_value(json_object_get(x, "rows")), HASH_A));
    cr_expect(eq(str, (char *)json_string_value(json_object_get(x, "rowset")), "test_covered"));
    cr_expect(eq(int, (int)json_integer_value(json_object_get(x, "digits")), 4));
    cr_expect(eq(int, json_typeof(json_object_get(x, "oracle")), JSON_TRUE));
    x = json_object_get(root, "e02.r2.global");
    cr_expect(eq(int, json_typeof(json_object_get(x, "oracle")), JSON_FALSE));
    x = json_object_get(root, "e02.bin.3.r2");
    cr_expect(eq(int, json_typeof(json_object_get(x, "value")), JSON_NULL));
    cr_expect(eq(int, json_typeof(json_object_get(x, "ci")), JSON_NULL));
    cr_expect(eq(str, (char *)json_string_value(json_object_get(x, "na")), "n/a (n<10)"));
    x = json_object_get(root, "e02.verdict_word");
    cr_expect(eq(str, (char *)json_string_value(json_object_get(x, "kind")), "text"));
    cr_expect(lt(ptr, strstr(out.s, "e02.bin.3"), strstr(out.s, "e02.delta_r2")),
              "keys are sorted");
    json_decref(root);
    lb_text_free(&out);
    lb_archive_close(a);
}

Test(numbers, tsv_is_a_ledger)
{
    lb_archive *a = archive(0.05);
    lb_text out = {0};
    lb_ledger *l = NULL;
    lb_numbers_tsv(a, &out);
    cr_assert(eq(int, lb_ledger_parse(out.s, "numbers", &l, NULL), LB_OK));
    cr_expect(eq(sz, l->n, 10));
    cr_expect(eq(int, lb_ledger_find(l, "e02.r2.moe")->oracle, LB_ORACLE_YES));
    lb_ledger_free(l);
    lb_text_free(&out);
    lb_archive_close(a);
}

Test(numbers, why_tells_the_whole_trail)
{
    static const char *const parts[] = {"e02.delta_r2\n",
                                        "0.050000000000000003",
                                        "[0.0329",
                                        "816",
                                        "test_covered (sha256:",
                                        "delta_r2",
                                        "clean",
                                        "oracle       yes: a model behind it was given true labels",
                                        "20251203",
                                        "H1.2 PASS",
                                        "frozen",
                                        "tolerance ",
                                        "published    0.078 [0.03, 0.1], n 816",
                                        "program",
                                        "version",
                                        "git.commit",
                                        "spec.hash",
                                        "data.train",
                                        "recorded in "};
    lb_archive *a = archive(0.05);
    lb_ledger *frozen = lb_ledger_of(a, NULL);
    lb_published *p = NULL;
    lb_text out = {0};
    cr_assert(eq(int, load(HEAD "e02.delta_r2\t0.078\tdR2\t0.03\t0.1\t816\tfocus\tsrc\n", &p, NULL),
                 LB_OK));
    cr_assert(eq(int, lb_why(a, "e02.delta_r2", frozen, p, &out, NULL), LB_OK));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_expect(ne(ptr, strstr(out.s, parts[i]), NULL), "'%s' in:\n%s", parts[i], out.s);
    lb_text_free(&out);
    cr_expect(eq(int, lb_why(a, "e02.bin.3.r2", NULL, NULL, &out, NULL), LB_OK));
    cr_expect(ne(ptr, strstr(out.s, "n/a (n<10)"), NULL), "%s", out.s);
    cr_expect(eq(int, lb_why(a, "e02.verdict_word", frozen, NULL, &out, NULL), LB_OK));
    lb_error err = {0};
    cr_expect(eq(int, lb_why(a, "e02.delta_r3", NULL, NULL, &out, &err), LB_ENAME));
    cr_expect(ne(ptr, strstr(err.text, "did you mean 'e02.delta_r2'?"), NULL), "%s", err.text);
    lb_text_free(&out);
    lb_published_free(p);
    lb_ledger_free(frozen);
    lb_archive_close(a);
}

Test(published, values_keep_their_digits_and_give_numbers_where_they_are_some)
{
    lb_published *p = NULL;
    cr_assert(eq(int,
                 load(HEAD "e02.a\t0.050\tdR2\t0.01\t\t816\tfocus\tsrc\n"
                           "e02.b\t81.6%\tpercent\t\t\t\t\tsrc\n"
                           "e02.c\t77.9k\tcount\t\t\t\t\t\n",
                      &p, NULL),
                 LB_OK));
    const lb_published_entry *e = lb_published_find(p, "e02.a");
    cr_expect(eq(str, (char *)e->value, "0.050"));
    cr_expect(eq(dbl, e->number, 0.05));
    cr_expect(eq(dbl, e->ci_lo, 0.01));
    cr_expect(isnan(e->ci_hi));
    cr_expect(eq(str, (char *)e->conditions, "focus"));
    cr_expect(eq(dbl, lb_published_find(p, "e02.b")->number, 81.6));
    cr_expect(isnan(lb_published_find(p, "e02.c")->number));
    cr_expect(eq(ptr, (void *)lb_published_find(p, "e02.d"), NULL));
    cr_expect(eq(str, (char *)lb_published_nearest(p, "e02.x"), "e02.a"));
    cr_expect(eq(sz, lb_published_count(p), 3));
    cr_expect(eq(str, (char *)lb_published_at(p, 1)->key, "e02.b"));
    lb_published_free(p);
}

Test(published, the_file_of_the_package_loads)
{
    lb_published *p = NULL;
    lb_error err = {0};
    cr_assert(eq(int, lb_published_load("data/published/published.tsv", &p, &err), LB_OK), "%s",
              err.text);
    cr_expect(gt(sz, lb_published_count(p), 2000));
    cr_expect(eq(dbl, lb_published_find(p, "e01.noise_0.2.r2.global")->number, 0.8341));
    lb_published_free(p);
}

Test(published, damaged_files_are_refused)
{
    static const char *const bad[][2] = {{"", "first line"},
                                         {"key\tvalue\n", "first line"},
                                         {HEAD "a\t1\n", ":2: a line needs 8 columns"},
                                         {HEAD "\t1\t\t\t\t\t\t\n", ":2: key or value is empty"},
                                         {HEAD "a\t\t\t\t\t\t\t\n", ":2: key or value is empty"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lb_published *p = NULL;
        lb_error err = {0};
        cr_expect(eq(int, load(bad[i][0], &p, &err), LB_EFORMAT), "%s", bad[i][1]);
        cr_expect(ne(ptr, strstr(err.text, bad[i][1]), NULL), "%s", err.text);
    }
    lb_published *p = NULL;
    cr_expect(eq(int, load(HEAD "a\t1\t\t\t\t\t\t\na\t2\t\t\t\t\t\t\n", &p, NULL), LB_ENAME));
    cr_expect(eq(int, lb_published_load(fixture_path("none.tsv"), &p, NULL), LB_EIO));
    lb_published_free(NULL);
}
