/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/spectra.h"

#include "core/memory.h"
#include "data/frame.h"
#include "data/shard.h"
#include "data/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLUX_ERROR_WAVE_ROWS = 7, FIXTURE_PIXELS = 12 };

static void expect_error(lb_status st, const lb_error *err, lb_status wanted, const char *says,
                         const char *says_too)
{
    cr_expect(eq(int, st, wanted));
    cr_expect(strstr(err->text, says) && strstr(err->text, says_too), "%s", err->text);
}

Test(spectra, from_pandas_and_pytables_are_read_whatever_their_storage)
{
    static const char *const files[] = {"table.h5",      "table_mixed.h5",  "fixed.h5",
                                        "fixed_wide.h5", "float64_gzip.h5", "chunked.h5"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        enum { N = FLUX_ERROR_WAVE_ROWS, P = FIXTURE_PIXELS };
        char *path = in_dir("tests/unit/data/fixtures", files[f]);
        lb_spectra *s;
        lb_error err = {0};
        cr_assert(lb_spectra_open_files("mine", (const char *const *)&path, 1, &s, &err) == LB_OK,
                  "%s", err.text);
        cr_assert(eq(sz, lb_spectra_rows(s), N));
        cr_assert(eq(sz, lb_spectra_pixels(s), P));
        cr_expect(epsilon_eq(dbl, lb_spectra_wave(s).data[3], 7100.2 + 4.5, 1e-9));
        cr_expect(eq(str, (char *)lb_spectra_medium(s), "unknown"));
        cr_expect(epsilon_eq(dbl, lb_spectra_label(s, "T_eff").data[2], 4435.0, 1e-9));
        float x[N * P], e[N * P];
        cr_assert(lb_spectra_read(s, 1, (lb_matf){x, 5, P, P}, (lb_matf){e, 5, P, P}, &err) ==
                  LB_OK);
        for (int i = 0; i < 5; i++)
            for (int j = 0; j < P; j++) {
                cr_expect(epsilon_eq(flt, x[i * P + j], (float)(2 + i + j / 100.0), 1e-6f));
                cr_expect(epsilon_eq(flt, e[i * P + j], (float)(0.11 + i / 100.0), 1e-7f));
            }
        lb_spectra_close(s);
        free(path);
    }
}

Test(spectra, shards_follow_each_other_in_the_order_of_their_numbers)
{
    char *dir = scratch_dir();
    toy_make(dir, "train_10", 3, 16, 10);
    toy_make(dir, "train_2", 4, 16, 2);
    toy_make(dir, "training", 9, 16, 3); /* not ours: no underscore */
    lb_spectra *s;
    cr_assert(lb_spectra_open(dir, "train", &s, NULL) == LB_OK);
    cr_expect(eq(sz, lb_spectra_rows(s), 7));
    cr_expect(eq(sz, lb_spectra_shards(s), 2));
    float x[7 * 20], e[7 * 16];
    toy two = toy_new(4, 16, 2), ten = toy_new(3, 16, 10);
    cr_assert(lb_spectra_read(s, 0, (lb_matf){x, 7, 16, 20}, (lb_matf){e, 7, 16, 16}, NULL) ==
              LB_OK);
    for (size_t i = 0; i < 7; i++) {
        const toy *t = i < 4 ? &two : &ten;
        const size_t local = i < 4 ? i : i - 4;
        cr_expect(memcmp(x + i * 20, t->flux + local * 16, 64) == 0);
        cr_expect(memcmp(e + i * 16, t->error + local * 16, 64) == 0);
        cr_expect(eq(dbl, lb_spectra_label(s, "log_g").data[i],
                     t->labels[local * LB_SHARD_LABELS + LOGG]));
    }
    char name[400];
    lb_spectra_row_name(s, 5, name, sizeof name);
    cr_expect(strncmp(name, "train row 5 (", 13) == 0 && strstr(name, "train_10/dataset.h5 row 1"));
    cr_expect(lb_spectra_label(s, "mass").data == NULL);
    lb_spectra_close(s);
    toy_free(&two);
    toy_free(&ten);
}

Test(spectra, the_hash_is_that_of_the_content)
{
    char *a = scratch_dir(), *b = scratch_dir(), *c = scratch_dir();
    toy_make(a, "train_0", 3, 16, 1);
    toy_make(b, "train_7", 3, 16, 1);
    toy_make(c, "train_0", 3, 16, 2);
    lb_spectra *x, *y, *z;
    lb_spectra_open(a, "train", &x, NULL);
    lb_spectra_open(b, "train", &y, NULL);
    lb_spectra_open(c, "train", &z, NULL);
    cr_expect(eq(str, (char *)lb_spectra_hash(x), (char *)lb_spectra_hash(y)));
    cr_expect(ne(str, (char *)lb_spectra_hash(x), (char *)lb_spectra_hash(z)));
    cr_expect(strncmp(lb_spectra_hash(x), "sha256:", 7) == 0);
    lb_spectra_close(x);
    lb_spectra_close(y);
    lb_spectra_close(z);
}

Test(spectra, a_missing_validation_set_is_no_error_but_a_missing_other_one_is)
{
    char *dir = scratch_dir();
    lb_spectra *s = NULL;
    lb_error err = {0}, none = {0};
    cr_expect(eq(int, lb_spectra_open(dir, "val", &s, NULL), LB_OK));
    cr_expect(s == NULL);
    expect_error(lb_spectra_open(dir, "train", &s, &err), &err, LB_EIO, "has no train_*", dir);
    expect_error(lb_spectra_open("/nowhere", "val", &s, &none), &none, LB_EIO, "/nowhere",
                 "build/bin/simulate");
    cr_expect(eq(int, lb_spectra_open_files("no", NULL, 0, &s, NULL), LB_EIO));
}

/* --- files that are wrong
 * --------------------------------------------------------------------------- */

static void no_flux(hid_t f)
{
    H5Ldelete(f, "dataset/arrays/flux/value", H5P_DEFAULT);
}

static void no_error_group(hid_t f)
{
    H5Ldelete(f, "dataset/arrays/error", H5P_DEFAULT);
}

static void no_wave(hid_t f)
{
    H5Ldelete(f, "spectrumdataset/wave", H5P_DEFAULT);
}

static void no_labels(hid_t f)
{
    H5Ldelete(f, "dataset/params", H5P_DEFAULT);
}

static void replace(hid_t f, const char *name, hid_t type, int rank, hsize_t a, hsize_t b)
{
    const hsize_t dims[] = {a, b};
    double *zeros = lb_xcalloc(4096, sizeof *zeros);
    H5Ldelete(f, name, H5P_DEFAULT);
    put_array(f, name, type, rank, dims, zeros);
    free(zeros);
}

static void short_error(hid_t f)
{
    replace(f, "dataset/arrays/error/value", H5T_NATIVE_FLOAT, 2, 3, 16);
}

static void narrow_flux(hid_t f)
{
    replace(f, "dataset/arrays/flux/value", H5T_NATIVE_FLOAT, 2, 4, 15);
}

static void flat_flux(hid_t f)
{
    replace(f, "dataset/arrays/flux/value", H5T_NATIVE_FLOAT, 1, 64, 0);
}

static void text_flux(hid_t f)
{
    replace(f, "dataset/arrays/flux/value", H5T_C_S1, 2, 4, 16);
}

static void flat_wave(hid_t f)
{
    replace(f, "spectrumdataset/wave", H5T_NATIVE_DOUBLE, 1, 16, 0);
}

static void long_wave(hid_t f)
{
    replace(f, "spectrumdataset/wave", H5T_NATIVE_DOUBLE, 1, 17, 0);
}

static void empty_arrays(hid_t f)
{
    replace(f, "dataset/arrays/flux/value", H5T_NATIVE_FLOAT, 2, 0, 16);
    replace(f, "dataset/arrays/error/value", H5T_NATIVE_FLOAT, 2, 0, 16);
}

static const double few[4 * 2] = {4000, 1, 4100, 2, 4200, 3, 4300, 4};

static void two_labels(hid_t f)
{
    static const char *const columns[] = {"T_eff", "log_g"};
    H5Ldelete(f, "dataset/params", H5P_DEFAULT);
    lb_frame_write(f, "", "dataset/params", columns, (lb_cmat){few, 4, 2, 2}, NULL);
}

static void few_rows(hid_t f)
{
    static const char *const columns[] = {"T_eff", "log_g"};
    H5Ldelete(f, "dataset/params", H5P_DEFAULT);
    lb_frame_write(f, "", "dataset/params", columns, (lb_cmat){few, 3, 2, 2}, NULL);
}

Test(spectra, a_wrong_shard_is_named_with_what_is_wrong)
{
    const struct {
        void (*spoil)(hid_t);
        lb_status status;
        const char *says;
    } cases[] = {
        {no_flux, LB_ENAME, "no dataset 'dataset/arrays/flux/value'"},
        {no_error_group, LB_ENAME, "no dataset 'dataset/arrays/error/value'"},
        {no_wave, LB_ENAME, "no dataset 'spectrumdataset/wave'"},
        {no_labels, LB_ENAME, "no 'dataset/params'"},
        {two_labels, LB_ENAME, "no column 'M_H'"},
        {few_rows, LB_ESHAPE, "'dataset/params' has 3 rows, flux has 4"},
        {short_error, LB_ESHAPE, "flux is 4x16, error 3x16, wave 16"},
        {narrow_flux, LB_ESHAPE, "flux is 4x15, error 4x16, wave 16"},
        {long_wave, LB_ESHAPE, "flux is 4x16, error 4x16, wave 17"},
        {flat_flux, LB_ESHAPE, "has 1 dimensions, expected 2"},
        {text_flux, LB_EFORMAT, "does not hold numbers"},
        {flat_wave, LB_EINVAL, "must be positive and increasing, but pixel 0 is 0"},
        {empty_arrays, LB_ESHAPE, "holds no spectra"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *dir = scratch_dir();
        toy t = toy_new(4, 16, 1);
        char *path = toy_write(&t, dir, "test_0");
        lb_spectra *s;
        lb_error err = {0};
        with_file(path, cases[i].spoil);
        expect_error(lb_spectra_open(dir, "test", &s, &err), &err, cases[i].status, cases[i].says,
                     path);
        cr_expect(s == NULL);
        free(path);
        toy_free(&t);
    }
}

Test(spectra, truncated_missing_or_foreign_files_are_told_apart)
{
    char *dir = scratch_dir();
    toy t = toy_new(4, 16, 1);
    char *path = toy_write(&t, dir, "test_0");
    lb_spectra *s;
    lb_error truncated = {0}, foreign = {0}, missing = {0}, folder = {0};
    cr_assert(truncate(path, 3000) == 0);
    expect_error(lb_spectra_open(dir, "test", &s, &truncated), &truncated, LB_EFORMAT, "truncated",
                 path);
    FILE *f = fopen(path, "w");
    fputs("not a spectrum", f);
    fclose(f);
    expect_error(lb_spectra_open(dir, "test", &s, &foreign), &foreign, LB_EFORMAT,
                 "is not an HDF5 file", path);
    remove(path);
    expect_error(lb_spectra_open(dir, "test", &s, &missing), &missing, LB_EIO,
                 "No such file or directory", path);
    cr_assert(mkdir(path, 0777) == 0);
    expect_error(lb_spectra_open(dir, "test", &s, &folder), &folder, LB_EIO, "Is a directory",
                 path);
    free(path);
    toy_free(&t);
}

Test(spectra, shards_of_a_set_must_share_their_wavelengths)
{
    char *dir = scratch_dir();
    toy t = toy_new(4, 16, 1);
    lb_spectra *s;
    lb_error err = {0}, medium = {0}, pixels = {0};
    free(toy_write(&t, dir, "train_0"));
    t.wave[5] *= 1 + 1e-7; /* float32 storage would do that */
    free(toy_write(&t, dir, "train_1"));
    cr_assert(lb_spectra_open(dir, "train", &s, NULL) == LB_OK);
    lb_spectra_close(s);
    t.wave[5] = 7005.01;
    free(toy_write(&t, dir, "train_1"));
    expect_error(lb_spectra_open(dir, "train", &s, &err), &err, LB_ESHAPE,
                 "pixel 5 is 7005.0000 and 7005.0100", "train_1");
    t.wave[5] = 7005.0;
    t.medium = "vacuum";
    free(toy_write(&t, dir, "train_1"));
    expect_error(lb_spectra_open(dir, "train", &s, &medium), &medium, LB_ESHAPE, "in air in",
                 "in vacuum in");
    toy_make(dir, "train_1", 4, 17, 1);
    expect_error(lb_spectra_open(dir, "train", &s, &pixels), &pixels, LB_ESHAPE, "has 16 pixels",
                 "has 17");
    toy_free(&t);
}

Test(spectra, splits_must_share_their_wavelengths_too)
{
    char *dir = scratch_dir();
    toy t = toy_new(4, 16, 1);
    lb_spectra *a, *b;
    lb_error err = {0};
    free(toy_write(&t, dir, "train_0"));
    t.wave[15] += 1.0;
    free(toy_write(&t, dir, "test_0"));
    lb_spectra_open(dir, "train", &a, NULL);
    lb_spectra_open(dir, "test", &b, NULL);
    cr_expect(eq(int, lb_spectra_check_same_grid(a, a, NULL), LB_OK));
    expect_error(lb_spectra_check_same_grid(a, b, &err), &err, LB_ESHAPE, "train_0", "test_0");
    lb_spectra_close(a);
    lb_spectra_close(b);
    toy_free(&t);
}

Test(spectra, an_optional_column_is_in_all_shards_or_in_none)
{
    char *dir = scratch_dir();
    lb_spectra *s;
    lb_error err = {0};
    toy t = toy_new(7, FIXTURE_PIXELS, 1);
    for (int j = 0; j < FIXTURE_PIXELS; j++)
        t.wave[j] = 7100.2 + 1.5 * j;
    free(toy_write(&t, dir, "train_0"));
    char *path = toy_write(&t, dir, "train_1");
    const hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    static const char *const columns[] = {"T_eff", "log_g", "M_H"};
    double labels[7 * 3];
    for (int i = 0; i < 21; i++)
        labels[i] = i;
    H5Ldelete(f, "dataset/params", H5P_DEFAULT);
    lb_frame_write(f, "", "dataset/params", columns, (lb_cmat){labels, 7, 3, 3}, NULL);
    H5Fclose(f);
    expect_error(lb_spectra_open(dir, "train", &s, &err), &err, LB_ENAME, "column 'mag'",
                 "train_1");
    free(path);
    toy_free(&t);
}

/* A filter that exists while the file is written and is gone when it is read. */
static size_t copy(unsigned flags, size_t n, const unsigned values[], size_t bytes, size_t *size,
                   void **buffer)
{
    (void)flags, (void)n, (void)values, (void)size, (void)buffer;
    return bytes;
}

static void filtered_flux(hid_t f)
{
    static const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, 299,  1,    1,
                                        "notinstalled",   NULL, NULL, copy};
    const hsize_t dims[] = {4, 16}, chunk[] = {2, 16};
    static const float x[64];
    H5Zregister(&filter);
    H5Ldelete(f, "dataset/arrays/flux/value", H5P_DEFAULT);
    const hid_t space = H5Screate_simple(2, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 2, chunk);
    H5Pset_filter(plist, 299, H5Z_FLAG_MANDATORY, 0, NULL);
    const hid_t set = H5Dcreate2(f, "dataset/arrays/flux/value", H5T_NATIVE_FLOAT, space,
                                 H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dclose(set);
    H5Pclose(plist);
    H5Sclose(space);
    H5Fflush(f, H5F_SCOPE_GLOBAL);
}

Test(spectra, a_missing_filter_is_named)
{
    char *dir = scratch_dir();
    toy t = toy_new(4, 16, 1);
    char *path = toy_write(&t, dir, "test_0");
    lb_spectra *s;
    lb_error err = {0};
    float x[64];
    with_file(path, filtered_flux);
    H5Zunregister(299);
    cr_assert(lb_spectra_open(dir, "test", &s, NULL) == LB_OK);
    expect_error(lb_spectra_read(s, 0, (lb_matf){x, 4, 16, 16}, (lb_matf){0}, &err), &err,
                 LB_EFORMAT, "filter 'notinstalled' (number 299)", path);
    lb_spectra_close(s);
    free(path);
    toy_free(&t);
}

Test(spectra, rows_and_columns_must_be_there)
{
    char *dir = scratch_dir();
    toy_make(dir, "test_0", 4, 16, 1);
    lb_spectra *s;
    float x[5 * 16];
    lb_spectra_open(dir, "test", &s, NULL);
    const lb_matf none = {0};
    cr_expect(eq(int, lb_spectra_read(s, 2, (lb_matf){x, 3, 16, 16}, none, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_spectra_read(s, 0, (lb_matf){x, 3, 15, 16}, none, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_spectra_read(s, 0, (lb_matf){x, 2, 16, 16}, (lb_matf){x, 1, 16, 16}, NULL),
                 LB_ESHAPE));
    cr_expect(eq(int, lb_spectra_read(s, 4, (lb_matf){x, 0, 16, 16}, none, NULL), LB_OK));
    lb_spectra_close(s);
    lb_spectra_close(NULL);
}
