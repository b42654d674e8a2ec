/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/frame.h"

#include "data/h5.h"
#include "data/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char fixtures[] = "tests/unit/data/fixtures";
enum { MOST = 64 };

static lb_status open_frame(const char *path, hid_t *file, lb_frame **f, lb_error *err)
{
    const lb_status st = lb_h5_open(path, file, err);
    return st == LB_OK ? lb_frame_open(*file, path, "dataset/params", f, err) : st;
}

static void expect_column(const lb_frame *f, const char *file, const char *name, double first,
                          double step)
{
    double x[MOST];
    lb_error err = {0};
    cr_assert(lb_frame_read(f, name, x, &err) == LB_OK, "%s", err.text);
    for (size_t i = 0; i < lb_frame_rows(f); i++)
        cr_assert(x[i] > first + step * (double)i - 1e-6 * (1 + fabs(first)) &&
                      x[i] < first + step * (double)i + 1e-6 * (1 + fabs(first)),
                  "%s %s[%zu] = %.9g", file, name, i, x[i]);
}

Test(frame, every_pandas_layout_gives_the_same_columns)
{
    static const char *const files[] = {
        "table.h5",      "table_data_columns.h5", "table_mixed.h5",  "table_wide.h5", "fixed.h5",
        "fixed_wide.h5", "fixed_square.h5",       "float64_gzip.h5", "chunked.h5"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        hid_t file;
        lb_frame *f;
        lb_error err = {0};
        char *path = in_dir(fixtures, files[i]);
        cr_assert(open_frame(path, &file, &f, &err) == LB_OK, "%s", err.text);
        cr_expect(eq(sz, lb_frame_rows(f), strcmp(files[i], "fixed_square.h5") ? 7 : 6));
        expect_column(f, files[i], "T_eff", 4000.0, 217.5);
        expect_column(f, files[i], "log_g", 1.25, 0.5);
        expect_column(f, files[i], "M_H", -2.17, 0.375);
        expect_column(f, files[i], "mag", 20.5, 0.25);
        expect_column(f, files[i], "snr", 8.8, -1.0);
        expect_column(f, files[i], "redshift", 0.0, 0.0);
        if (lb_frame_has(f, "rv")) {
            expect_column(f, files[i], "rv", 0.0, 0.25);
            expect_column(f, files[i], "id", 10.0, 1.0);
        }
        lb_frame_close(f);
        H5Fclose(file);
        free(path);
    }
}

static void expect_failure(const char *fixture, const char *column, lb_status status,
                           const char *says)
{
    hid_t file;
    lb_frame *f;
    lb_error err = {0};
    double x[MOST];
    char *path = in_dir(fixtures, fixture);
    cr_assert(open_frame(path, &file, &f, NULL) == LB_OK);
    cr_expect(eq(int, lb_frame_read(f, column, x, &err), status));
    cr_expect(strstr(err.text, says) && strstr(err.text, fixture), "%s", err.text);
    lb_frame_close(f);
    H5Fclose(file);
    free(path);
}

Test(frame, an_absent_column_gets_the_nearest_and_the_list)
{
    expect_failure("table.h5", "logg", LB_ENAME,
                   "has no column 'logg', did you mean 'log_g'?; it has index, T_eff, log_g");
    expect_failure("fixed.h5", "Teff", LB_ENAME, "did you mean 'T_eff'?");
}

Test(frame, texts_and_truth_values_are_listed_but_not_numbers)
{
    expect_failure("table_mixed.h5", "name", LB_EFORMAT, "column 'name'");
    expect_failure("table_wide.h5", "name", LB_EFORMAT, "is not numeric");
    expect_failure("table_wide.h5", "good", LB_EFORMAT, "is not numeric");
    expect_failure("fixed_wide.h5", "good", LB_EFORMAT, "is not numeric");
}

/* --- files that are no frames --------------------------------------------------------------------
 */

static void no_params(hid_t file)
{
    (void)file;
}

static void empty_group(hid_t file)
{
    H5Gclose(lb_h5_group(file, "dataset"));
    H5Gclose(lb_h5_group(file, "dataset/params"));
}

static void a_matrix(hid_t file)
{
    const hsize_t dims[] = {2, 2};
    put_array(file, "dataset/params", H5T_NATIVE_DOUBLE, 2, dims, (const double[]){1, 2, 3, 4});
}

static void plain_columns(hid_t file)
{
    const hsize_t n[] = {3};
    put_array(file, "dataset/params/T_eff", H5T_NATIVE_DOUBLE, 1, n, (const double[]){1, 2, 3});
    put_array(file, "dataset/params/log_g", H5T_NATIVE_FLOAT, 1, n, (const float[]){4, 5, 6});
}

static void plain_compound(hid_t file)
{
    const hsize_t n[] = {3};
    const hid_t row = H5Tcreate(H5T_COMPOUND, 16);
    H5Tinsert(row, "T_eff", 0, H5T_NATIVE_DOUBLE);
    H5Tinsert(row, "log_g", 8, H5T_NATIVE_DOUBLE);
    put_array(file, "dataset/params", row, 1, n, (const double[]){1, 4, 2, 5, 3, 6});
    H5Tclose(row);
}

/* A block whose names are pickled in a way this program does not read. */
static void strange_pickle(hid_t file)
{
    static const char *const columns[] = {"a", "b"};
    const double x[] = {1, 2};
    H5Gclose(lb_h5_group(file, "dataset"));
    lb_frame_write(file, "", "dataset/params", columns, (lb_cmat){x, 1, 2, 2}, NULL);
    const hid_t table = H5Dopen2(file, "dataset/params/table", H5P_DEFAULT);
    H5Adelete(table, "values_block_0_kind");
    lb_h5_put_text(table, "values_block_0_kind", "\x80\x04]q", H5T_CSET_ASCII);
    H5Dclose(table);
}

static lb_status try_frame(void (*fill)(hid_t), lb_frame **f, hid_t *file, lb_error *err)
{
    char *path = in_dir(scratch_dir(), "a.h5");
    H5Fclose(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    with_file(path, fill);
    const lb_status st = open_frame(path, file, f, err);
    free(path);
    return st;
}

Test(frame, says_what_to_write_instead)
{
    const struct {
        void (*fill)(hid_t);
        lb_status status;
        const char *says;
    } cases[] = {{no_params, LB_ENAME, "format='table'"},
                 {empty_group, LB_EFORMAT, "holds no columns"},
                 {a_matrix, LB_EFORMAT, "not a table of named columns"},
                 {strange_pickle, LB_EFORMAT, "data_columns=True"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hid_t file;
        lb_frame *f;
        lb_error err = {0};
        cr_expect(eq(int, try_frame(cases[i].fill, &f, &file, &err), cases[i].status));
        cr_expect(strstr(err.text, cases[i].says) != NULL, "%s", err.text);
        cr_expect(f == NULL);
    }
}

Test(frame, plain_compounds_and_columns_will_do)
{
    void (*const fills[])(hid_t) = {plain_columns, plain_compound};
    for (int i = 0; i < 2; i++) {
        hid_t file;
        lb_frame *f;
        cr_assert(try_frame(fills[i], &f, &file, NULL) == LB_OK);
        expect_column(f, "plain", "T_eff", 1.0, 1.0);
        expect_column(f, "plain", "log_g", 4.0, 1.0);
        lb_frame_close(f);
    }
}

static void many_rows(hid_t file)
{
    enum { N = 40000 };
    static const char *const columns[] = {"a", "\xC3\xA9toile"};
    static double x[N][2];
    for (int i = 0; i < N; i++) {
        x[i][0] = i;
        x[i][1] = -2.0 * i;
    }
    H5Gclose(lb_h5_group(file, "dataset"));
    cr_assert(lb_frame_write(file, "", "dataset/params", columns, (lb_cmat){&x[0][0], N, 2, 2},
                             NULL) == LB_OK);
}

Test(frame, what_is_written_is_read_back_in_blocks)
{
    hid_t file;
    lb_frame *f;
    static double x[40000];
    cr_assert(try_frame(many_rows, &f, &file, NULL) == LB_OK);
    cr_assert(eq(sz, lb_frame_rows(f), 40000));
    cr_assert(lb_frame_read(f, "a", x, NULL) == LB_OK);
    for (int i = 0; i < 40000; i++)
        cr_assert(x[i] == i);
    lb_frame_close(f);
}
