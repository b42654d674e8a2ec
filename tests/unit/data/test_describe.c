/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/describe.h"

#include "data/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *describe(const char *path, bool keys, lb_status wanted, lb_error *err)
{
    lb_text out = {0};
    cr_expect(eq(int, lb_describe(path, keys, &out, err), wanted));
    return lb_text_take(&out);
}

Test(describe, says_what_is_in_a_shard)
{
    toy t = toy_new(9, 6, 1);
    for (int i = 0; i < 9; i++) {
        t.labels[6 * i] = 4600.0; /* bins 4 and 5 */
        t.labels[6 * i + 2] = i < 4 ? -0.5 : 0.25;
    }
    t.labels[6 * 8] = 7000.0;
    t.flux[3] = NAN;
    t.error[4] = 0.0f;
    char *path = toy_write(&t, scratch_dir(), "test_0");
    char *text = describe(path, false, LB_OK, NULL), *keys = describe(path, true, LB_OK, NULL);
    cr_expect(strstr(text, "9 rows x 6 pixels, 7000.0 to 7005.0 Angstrom (air)") != NULL, "%s",
              text);
    cr_expect(strstr(text, "content: matches its stored hash") != NULL, "%s", text);
    static const char *const lines[] = {"rows\t9\n",
                                        "pixels\t6\n",
                                        "wave.medium\tair\n",
                                        "T_eff.min\t4600\n",
                                        "T_eff.max\t7000\n",
                                        "mag.median\t21\n",
                                        "bad.rows\t1\n",
                                        "bad.flux\t1\n",
                                        "bad.error\t0\n",
                                        "bad.error_nonpositive_pixels\t1\n",
                                        "bins.covered\t8\n",
                                        "bins.4\t4\n",
                                        "bins.5\t4\n",
                                        "snr.norm_ratio.median\t",
                                        "snr.median_pixel.median\t",
                                        "content\tmatches its stored hash\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cr_expect(strstr(keys, lines[i]) != NULL, "%s in\n%s", lines[i], keys);
    free(text);
    free(keys);
    free(path);
    toy_free(&t);
}

Test(describe, foreign_files_have_no_stored_hash)
{
    char *text = describe("tests/unit/data/fixtures/fixed.h5", false, LB_OK, NULL);
    cr_expect(strstr(text, "7 rows x 12 pixels") && strstr(text, "content: not recorded"), "%s",
              text);
    free(text);
}

static void change_an_error(hid_t file)
{
    const hid_t set = H5Dopen2(file, "dataset/arrays/error/value", H5P_DEFAULT);
    float x[9 * 6];
    H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    x[53] *= 2.0f;
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dclose(set);
}

Test(describe, a_shard_changed_behind_our_back_is_a_finding)
{
    toy t = toy_new(9, 6, 1);
    char *path = toy_write(&t, scratch_dir(), "test_0");
    lb_error err = {0};
    with_file(path, change_an_error);
    char *text = describe(path, false, LB_EFINDING, &err);
    cr_expect(strstr(text, "CHANGED") && strstr(err.text, path), "%s", err.text);
    free(text);
    free(path);
    toy_free(&t);
}

Test(describe, a_file_that_is_no_shard_is_an_error)
{
    lb_error err = {0};
    free(describe("Makefile", false, LB_EFORMAT, &err));
    free(describe("nowhere.h5", true, LB_EIO, NULL));
    free(describe("data/grid/stellar_grid.h5", true, LB_ENAME, NULL));
    cr_expect(strstr(err.text, "Makefile") != NULL);
}
