/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/rowset.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static const size_t three[] = {2, 5, 7};

/* The identity is the data, the count and the row numbers in order; nothing else. */
Test(rowset, hash_is_that_of_the_documented_bytes)
{
    static const unsigned char bytes[] = {'d', 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0,
                                          0,   0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0};
    const size_t rows[] = {3, 0x201};
    char expected[LB_HASH_SIZE];
    lb_hash_bytes(bytes, sizeof bytes, expected);
    lb_rowset *r = lb_rowset_new("r", "d", rows, 2);
    cr_expect(eq(str, (char *)lb_rowset_hash(r), expected));
    lb_rowset_free(r);
}

Test(rowset, two_ways_to_the_same_rows_are_one_set)
{
    lb_rowset *all = lb_rowset_all("all", "sha256:data", 8);
    bool keep[8] = {[2] = true, [5] = true, [7] = true};
    lb_rowset *a = lb_rowset_new("by number", "sha256:data", three, 3);
    lb_rowset *b = lb_rowset_where(all, "by mask", keep);
    cr_expect(lb_rowset_same(a, b));
    cr_expect(eq(str, (char *)lb_rowset_name(b), "by mask"));
    cr_expect(eq(sz, lb_rowset_size(b), 3));
    cr_expect(eq(sz, lb_rowset_index(b)[1], 5));
    lb_rowset_free(a);
    lb_rowset_free(b);
    lb_rowset_free(all);
}

Test(rowset, another_row_order_count_or_data_set_is_another_set)
{
    const size_t other_row[] = {2, 5, 8}, other_order[] = {5, 2, 7};
    lb_rowset *base = lb_rowset_new("test", "sha256:data", three, 3);
    lb_rowset *others[] = {
        lb_rowset_new("test", "sha256:data", other_row, 3),
        lb_rowset_new("test", "sha256:data", other_order, 3),
        lb_rowset_new("test", "sha256:data", three, 2),
        lb_rowset_new("test", "sha256:date", three, 3),
        lb_rowset_new("test", "sha256:data", NULL, 0),
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        cr_expect(not(lb_rowset_same(base, others[i])), "other set %zu", i);
        lb_rowset_free(others[i]);
    }
    lb_rowset_free(base);
}

Test(rowset, where_composes_in_row_numbers_of_the_data)
{
    lb_rowset *all = lb_rowset_all("all", "d", 6);
    const bool first[6] = {false, true, true, false, true, true};
    const bool second[4] = {false, true, true, false};
    lb_rowset *a = lb_rowset_where(all, "a", first); /* 1 2 4 5 */
    lb_rowset *b = lb_rowset_where(a, "b", second);  /* 2 4 */
    cr_expect(eq(sz, lb_rowset_size(b), 2));
    cr_expect(eq(sz, lb_rowset_index(b)[0], 2));
    cr_expect(eq(sz, lb_rowset_index(b)[1], 4));
    cr_expect(eq(str, (char *)lb_rowset_dataset(b), "d"));
    lb_rowset_free(all);
    lb_rowset_free(a);
    lb_rowset_free(b);
}

Test(rowset, common_rows_are_the_same_set_from_either_side)
{
    const size_t left[] = {1, 4, 6, 9}, right[] = {0, 4, 5, 6};
    lb_rowset *a = lb_rowset_new("left", "d", left, 4), *b = lb_rowset_new("right", "d", right, 4);
    lb_rowset *ab = NULL, *ba = NULL;
    cr_assert(eq(int, lb_rowset_common(a, b, "both", &ab, NULL), LB_OK));
    cr_assert(eq(int, lb_rowset_common(b, a, "both", &ba, NULL), LB_OK));
    cr_expect(lb_rowset_same(ab, ba));
    cr_expect(eq(sz, lb_rowset_size(ab), 2));
    cr_expect(eq(sz, lb_rowset_index(ab)[1], 6));
    lb_rowset_free(a);
    lb_rowset_free(b);
    lb_rowset_free(ab);
    lb_rowset_free(ba);
}

Test(rowset, sets_of_different_data_have_nothing_in_common)
{
    lb_rowset *a = lb_rowset_all("val", "sha256:1", 4), *b = lb_rowset_all("test", "sha256:2", 4);
    lb_rowset *c = NULL;
    lb_error err = {0};
    cr_expect(eq(int, lb_rowset_common(a, b, "both", &c, &err), LB_EROWS));
    cr_expect(strstr(err.text, "'val'") && strstr(err.text, "'test'"), "%s", err.text);
    lb_rowset_free(a);
    lb_rowset_free(b);
}

Test(rowset, the_name_in_messages_lives_as_long_as_the_set)
{
    lb_rowset *a = lb_rowset_all("covered", "d", 4);
    char hash[LB_HASH_SIZE], text[LB_ROWSET_TEXT];
    strcpy(hash, lb_rowset_hash(a));
    lb_rowset_describe(hash, 4, text);
    cr_expect(strncmp(text, "'covered' (4 rows, sha256:", 26) == 0, "%s", text);
    lb_rowset_free(a);
    lb_rowset_describe(hash, 4, text);
    cr_expect(strncmp(text, "(4 rows, sha256:", 16) == 0, "%s", text);
}

Test(rowset, nothing_is_not_a_row_set)
{
    cr_expect(eq(int, lb_rowset_require_same("a delta", "", 3, "", 3, NULL), LB_EROWS));
    cr_expect(eq(int, lb_rowset_require_same("a delta", "sha256:1", 3, "", 3, NULL), LB_EROWS));
    cr_expect(
        eq(int, lb_rowset_require_same("a delta", "sha256:1", 3, "sha256:1", 3, NULL), LB_OK));
}

Test(rowset, free_takes_null_and_an_empty_set)
{
    lb_rowset_free(NULL);
    lb_rowset *r = lb_rowset_new("empty", "d", NULL, 0);
    cr_expect(eq(sz, lb_rowset_size(r), 0));
    lb_rowset_free(r);
}
