/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "core/file.h"
#include "core/memory.h"
#include "record/layout.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(archive, .fini = fixture_clean);

/* Give a file the seal of a record. */
static void seal(const char *path)
{
    char *bytes = NULL, line[LB_SEAL_SIZE];
    size_t length = 0;
    cr_assert(eq(int, lb_file_read(path, &bytes, &length, NULL), LB_OK));
    lb_seal_make(bytes, length, line);
    FILE *f = fopen(path, "ab");
    cr_assert(eq(int, fputs(line, f) >= 0, 1));
    fclose(f);
    free(bytes);
}

static void refuses(const char *path, lb_status status, const char *part)
{
    lb_archive *a = NULL;
    lb_error err = {0};
    cr_expect(eq(int, lb_archive_open(path, &a, &err), status), "%s", err.text);
    cr_expect(ne(ptr, strstr(err.text, part), NULL), "'%s' in: %s", part, err.text);
    cr_expect(ne(ptr, strstr(err.text, "run `make e02`"), NULL), "%s", err.text);
    cr_expect(eq(ptr, a, NULL));
}

Test(archive, a_missing_record_says_how_to_make_it)
{
    refuses(fixture_path("e02_piecewise.h5"), LB_EIO, "cannot read");
}

Test(archive, garbage_empty_and_truncated_files_are_told_apart_from_records)
{
    const char *path = fixture_path("e02_piecewise.h5");
    char *bytes = NULL;
    size_t length = 0;
    cr_assert(eq(int, lb_file_write(path, "not HDF5", 8, NULL), LB_OK));
    refuses(path, LB_EFORMAT, "cut short");
    cr_assert(eq(int, lb_file_write(path, "", 0, NULL), LB_OK));
    refuses(path, LB_EFORMAT, "cut short");
    seal(path);
    refuses(path, LB_EFORMAT, "not an HDF5 file");
    fixture_write(path, 0.05);
    cr_assert(eq(int, lb_file_read(path, &bytes, &length, NULL), LB_OK));
    for (size_t keep = length / 8; keep < length; keep += length / 8) {
        cr_assert(eq(int, lb_file_write(path, bytes, keep, NULL), LB_OK));
        refuses(path, LB_EFORMAT, "delete it");
    }
    free(bytes);
}

Test(archive, every_changed_byte_breaks_the_seal)
{
    const char *path = fixture_path("e02_piecewise.h5");
    char *bytes = NULL;
    size_t length = 0;
    fixture_write(path, 0.05);
    cr_assert(eq(int, lb_file_read(path, &bytes, &length, NULL), LB_OK));
    for (size_t i = 0; i < length; i += 61) {
        bytes[i] = (char)~bytes[i];
        cr_assert(eq(int, lb_file_write(path, bytes, length, NULL), LB_OK));
        lb_archive *a = NULL;
        cr_expect(eq(int, lb_archive_open(path, &a, NULL), LB_EFORMAT), "byte %zu", i);
        bytes[i] = (char)~bytes[i];
    }
    free(bytes);
}

/* An HDF5 file with one dataset "record" of the given format text, and nothing else. */
static void write_head(const char *path, const char *format)
{
    lb_pair_row rows[] = {{(char *)"format", (char *)format},
                          {(char *)"experiment", (char *)"e02"},
                          {(char *)"name", (char *)"x"}};
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert(eq(int, lb_layout_write(file, "record", &lb_layout_pairs, rows, 3, 0, NULL), LB_OK));
    H5Fclose(file);
}

Test(archive, other_hdf5_files_and_old_formats_are_refused)
{
    const char *path = fixture_path("e02_piecewise.h5");
    H5Fclose(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    refuses(path, LB_EFORMAT, "no record of this program");
    seal(path);
    refuses(path, LB_EFORMAT, "'record' is missing");
    write_head(path, "loggbook record 0");
    seal(path);
    refuses(path, LB_EFORMAT, "'loggbook record 0', this program reads 'loggbook record 2'");
    write_head(path, "loggbook record 2");
    seal(path);
    refuses(path, LB_EFORMAT, "'numbers' is missing");
}

Test(archive, a_list_with_a_missing_or_misplaced_field_is_refused)
{
    const char *path = fixture_path("e02_piecewise.h5");
    write_head(path, "loggbook record 2");
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    lb_layout_write(file, "numbers", &lb_layout_pairs, NULL, 0, 0, NULL);
    H5Fclose(file);
    seal(path);
    refuses(path, LB_EFORMAT, "no field 'ci_lo'");
    write_head(path, "loggbook record 2");
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hsize_t n = 3;
    const hid_t space = H5Screate_simple(1, &n, NULL);
    H5Dclose(H5Dcreate2(file, "numbers", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT,
                        H5P_DEFAULT));
    H5Sclose(space);
    H5Fclose(file);
    seal(path);
    refuses(path, LB_EFORMAT, "does not hold rows");
}

Test(archive, another_spec_makes_the_record_stale)
{
    const char *path = fixture_path("e02.h5");
    fixture_write(path, 0.05);
    lb_archive *a = fixture_open(path);
    lb_spec *same = fixture_spec(), *other = NULL;
    lb_error err = {0};
    char text[4096];
    snprintf(text, sizeof text, "%s# a comment\n", fixture_spec_text);
    cr_assert(eq(int, lb_spec_parse(text, "spec.yaml", &other, NULL), LB_OK));
    cr_expect(eq(int, lb_archive_check_spec(a, same, NULL), LB_OK));
    cr_expect(eq(int, lb_archive_check_spec(a, other, &err), LB_EFINDING));
    cr_expect(ne(ptr, strstr(err.text, "run `make e02`"), NULL), "%s", err.text);
    lb_spec_free(same);
    lb_spec_free(other);
    lb_archive_close(a);
}

/* What the record keeps of the value is compared, not the file: other lines may change. */
Test(archive, a_published_value_that_was_computed_from_and_changed_makes_it_stale)
{
    static const char head[] =
        "key\tvalue\tunit_or_kind\tci_low\tci_high\tn_test\tconditions\tsource\n";
    static const struct {
        const char *lines;
        lb_status status;
    } later[] = {{"e02.a\t0.050\tR2\t\t\t816\t\ts\n", LB_OK},
                 {"e02.a\t0.050\tR2\t\t\t816\t\tother source\ne03.b\t7\t\t\t\t\t\t\n", LB_OK},
                 {"e02.a\t0.05\tR2\t\t\t816\t\ts\n", LB_EFINDING},
                 {"e02.a\t0.050\tR2\t\t\t1000\t\ts\n", LB_EFINDING},
                 {"e03.b\t7\t\t\t\t\t\t\n", LB_EFINDING},
                 {"e02.a\t0.050\tR2\t\t\t816\t\ts\ne02.c\t1\t\t\t\t\t\t\n", LB_EFINDING}};
    const char *path = fixture_path("e02.h5"), *file = fixture_path("p.tsv");
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        char *text = lb_xprintf("%s%s", head, later[0].lines);
        lb_published *p = NULL;
        lb_error err = {0};
        lb_file_write(file, text, strlen(text), NULL);
        cr_assert(eq(int, lb_published_load(file, &p, NULL), LB_OK));
        lb_record *r = lb_record_new("e02", NULL);
        for (int again = 0; again < 2; again++) {
            lb_record_published(r, "e02.a", lb_published_find(p, "e02.a"));
            lb_record_published(r, "e02.c", NULL);
        }
        cr_assert(eq(int, lb_record_close(r, path, &err), LB_OK), "%s", err.text);
        lb_published_free(p);
        free(text);

        text = lb_xprintf("%s%s", head, later[i].lines);
        lb_file_write(file, text, strlen(text), NULL);
        cr_assert(eq(int, lb_published_load(file, &p, NULL), LB_OK));
        lb_archive *a = fixture_open(path);
        cr_expect(lb_archive_asked_published(a));
        cr_expect(eq(int, lb_archive_check_published(a, p, &err), later[i].status), "%s",
                  later[i].lines);
        if (later[i].status != LB_OK)
            cr_expect(strstr(err.text, "delete it and run `make e02`") != NULL, "%s", err.text);
        lb_archive_close(a);
        lb_published_free(p);
        free(text);
    }
    fixture_write(path, 0.05);
    lb_archive *a = fixture_open(path);
    cr_expect(lb_archive_asked_published(a) == false);
    lb_archive_close(a);
}

Test(archive, conditions_see_keys_fields_texts_settings_and_verdicts)
{
    static const char *const truths[] = {
        "e02.delta_r2 > 0.04 and e02.delta_r2.ci_lo < 0.04",
        "e02.delta_r2.n == 816",
        "e02.delta_r2 >= spec.thresholds.valuable",
        "spec.protocol.name == \"clean\"",
        "verdict(H1.2) == \"PASS\"",
        "e02.verdict_word != \"\"",
        "not defined(e02.bin.3.r2) and not defined(e02.nothing) and not defined(spec.nothing)"};
    const char *path = fixture_path("e02.h5");
    fixture_write(path, 0.05);
    lb_archive_names names = {fixture_open(path), fixture_spec()};
    const lb_scope scope = lb_archive_scope(&names);
    for (size_t i = 0; i < sizeof truths / sizeof *truths; i++) {
        lb_condition *c = NULL;
        lb_truth t = LB_UNKNOWN;
        lb_error err = {0};
        cr_assert(eq(int, lb_condition_parse(truths[i], &c, NULL), LB_OK));
        cr_expect(eq(int, lb_condition_evaluate(c, &scope, &t, &err), LB_OK), "%s", err.text);
        cr_expect(eq(int, t, LB_TRUE), "%s", truths[i]);
        lb_condition_free(c);
    }
    static const char *const wrong[][2] = {{"e02.delta_r > 0", "did you mean 'e02.delta_r2'"},
                                           {"spec.thresholds.valuabel > 0", "valuable'?"},
                                           {"spec.thresholds > 0", "a map"},
                                           {"verdict(H9) == 'PASS'", "no verdict on 'H9'"}};
    for (size_t i = 0; i < 4; i++) {
        lb_condition *c = NULL;
        lb_truth t;
        lb_error err = {0};
        cr_assert(eq(int, lb_condition_parse(wrong[i][0], &c, NULL), LB_OK));
        cr_expect(ne(int, lb_condition_evaluate(c, &scope, &t, &err), LB_OK));
        cr_expect(ne(ptr, strstr(err.text, wrong[i][1]), NULL), "%s", err.text);
        lb_condition_free(c);
    }
    lb_archive_close((lb_archive *)names.archive);
    lb_spec_free((lb_spec *)names.spec);
}

Test(archive, nearest_looks_at_numbers_and_texts)
{
    const char *path = fixture_path("e02.h5");
    fixture_write(path, 0.05);
    lb_archive *a = fixture_open(path);
    cr_expect(eq(str, (char *)lb_archive_nearest(a, "e02.r2.globl"), "e02.r2.global"));
    cr_expect(eq(str, (char *)lb_archive_nearest(a, "e02.verdict_wrod"), "e02.verdict_word"));
    cr_expect(eq(ptr, (void *)lb_archive_nearest(a, "zzzzzzzzzzzzzzz"), NULL));
    cr_expect(eq(ptr, (void *)lb_archive_text(a, "e02.r2.global"), NULL));
    lb_archive_close(a);
    lb_archive_close(NULL);
}
