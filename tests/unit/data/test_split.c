/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/split.h"

#include "data/shard.h"
#include "data/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *three_sets(void)
{
    char *dir = scratch_dir();
    toy_make(dir, "train_0", 30, 8, 1);
    toy_make(dir, "train_1", 23, 8, 2);
    toy_make(dir, "val_0", 10, 8, 3);
    toy_make(dir, "test_0", 12, 8, 4);
    return dir;
}

Test(split, uses_the_validation_set_that_is_there)
{
    lb_split s;
    cr_assert(lb_split_open(three_sets(), 7, &s, NULL) == LB_OK);
    cr_expect(not(s.validation_was_cut));
    cr_expect(s.validation.spectra == s.val);
    cr_expect(eq(sz, s.validation.n, 10));
    cr_expect(eq(sz, s.n_core, 53));
    cr_expect(eq(sz, s.kept_test.n, 12));
    lb_split_close(&s);
    cr_expect(s.train == NULL);
    lb_split_close(&s);
}

static lb_split cut(uint64_t seed, double bad)
{
    char *dir = scratch_dir();
    toy t = toy_new(1003, 8, 1);
    t.labels[17 * LB_SHARD_LABELS] = bad;
    free(toy_write(&t, dir, "train_0"));
    toy_free(&t);
    toy_make(dir, "test_0", 12, 8, 4);
    lb_split s;
    lb_error err = {0};
    cr_assert(lb_split_open(dir, seed, &s, &err) == LB_OK, "%s", err.text);
    return s;
}

Test(split, cuts_a_fifth_of_the_kept_training_rows_when_there_is_none)
{
    lb_split s = cut(7, NAN);
    cr_expect(s.validation_was_cut);
    cr_expect(s.val == NULL);
    cr_expect(s.validation.spectra == s.train);
    cr_expect(eq(sz, s.validation.n, 200), "of 1002");
    cr_expect(eq(sz, s.n_core, 802));
    int uses[1003] = {0};
    for (size_t i = 0; i < s.validation.n; i++)
        uses[s.validation.rows[i]]++;
    for (size_t i = 0; i < s.core.n; i++) {
        uses[s.core.rows[i]]++;
        cr_expect(s.is_core[s.core.rows[i]]);
    }
    size_t core = 0;
    for (size_t i = 0; i < 1003; i++) {
        cr_expect(eq(int, uses[i], i != 17), "row %zu", i);
        core += s.is_core[i];
    }
    cr_expect(eq(sz, core, s.n_core));
    lb_split_close(&s);
}

Test(split, the_cut_depends_on_the_seed_alone)
{
    lb_split a = cut(7, 5000), b = cut(7, 5000), c = cut(8, 5000);
    cr_expect(eq(sz, a.validation.n, 201), "of 1003");
    cr_expect(memcmp(a.validation.rows, b.validation.rows, 201 * sizeof(size_t)) == 0);
    cr_expect(memcmp(a.validation.rows, c.validation.rows, 201 * sizeof(size_t)) != 0);
    for (size_t i = 1; i < 201; i++)
        cr_expect(a.validation.rows[i] > a.validation.rows[i - 1]);
    lb_split_close(&a);
    lb_split_close(&b);
    lb_split_close(&c);
}

Test(split, passes_on_what_is_wrong)
{
    lb_split s;
    lb_error err = {0};
    cr_expect(eq(int, lb_split_open("/nowhere", 7, &s, NULL), LB_EIO));
    char *dir = three_sets();
    toy_make(dir, "test_0", 12, 8, 1);
    cr_expect(eq(int, lb_split_open(dir, 7, &s, &err), LB_EINVAL), "test = start of train");
    cr_expect(strstr(err.text, "12 spectra of test are in train too") != NULL, "%s", err.text);
    dir = three_sets();
    toy_make(dir, "val_0", 12, 8, 4);
    cr_expect(eq(int, lb_split_open(dir, 7, &s, NULL), LB_EINVAL), "validation = test");
    dir = three_sets();
    toy_make(dir, "val_0", 12, 9, 3);
    cr_expect(eq(int, lb_split_open(dir, 7, &s, NULL), LB_ESHAPE));
    cr_expect(s.train == NULL && s.core.rows == NULL, "nothing is left to free");
}

Test(split, a_set_without_usable_rows_is_refused)
{
    char *dir = scratch_dir();
    toy_make(dir, "train_0", 1, 8, 1);
    toy_make(dir, "test_0", 12, 8, 4);
    lb_split s;
    lb_error err = {0};
    cr_expect(eq(int, lb_split_open(dir, 7, &s, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "1 to train on, 0 for validation, 12 to test") != NULL, "%s",
              err.text);
}
