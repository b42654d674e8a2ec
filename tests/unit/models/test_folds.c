/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/random.h"
#include "models/folds.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

enum { N = 300, K = 5, CLASSES = 3 };

static uint64_t star[N];
static int class_of[N], fold[N], again[N];
static lb_error err;

/* Some 80 stars, each with a few noisy copies in any order; a star is of one class. */
static void start(void)
{
    lb_rng r = lb_rng_make(5, 0);
    err = (lb_error){0};
    for (size_t i = 0; i < N; i++) {
        star[i] = 1000003u * lb_rng_below(&r, 83);
        class_of[i] = star[i] % 7 < 4 ? 0 : star[i] % 7 < 6 ? 1 : 2;
    }
}

TestSuite(folds, .init = start);

static lb_folds grouped(void)
{
    return (lb_folds){.k = K, .seed = 42, .group = star};
}

static size_t spread(const size_t *count)
{
    size_t least = count[0], most = count[0];
    for (size_t f = 1; f < K; f++) {
        least = count[f] < least ? count[f] : least;
        most = count[f] > most ? count[f] : most;
    }
    return most - least;
}

/* Is row i the first of its star? */
static bool is_first(size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (star[j] == star[i])
            return false;
    return true;
}

Test(folds, a_star_is_never_in_two_folds)
{
    cr_assert(eq(int, lb_folds_make(grouped(), N, fold, &err), LB_OK));
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < i; j++)
            if (star[i] == star[j])
                cr_assert(eq(int, fold[i], fold[j]));
}

Test(folds, folds_differ_by_at_most_one_star)
{
    size_t stars[K] = {0}, of_class[CLASSES][K] = {{0}};
    lb_folds f = grouped();
    f.class_of = class_of;
    cr_assert(eq(int, lb_folds_make(f, N, fold, &err), LB_OK));
    for (size_t i = 0; i < N; i++) {
        cr_assert(fold[i] >= 0 && fold[i] < K);
        if (is_first(i)) {
            stars[fold[i]]++;
            of_class[class_of[i]][fold[i]]++;
        }
    }
    cr_expect(le(sz, spread(stars), 1));
    for (size_t c = 0; c < CLASSES; c++)
        cr_expect(le(sz, spread(of_class[c]), 1), "class %zu", c);
}

Test(folds, every_fold_of_single_rows_has_its_share)
{
    size_t rows[K] = {0};
    cr_assert(eq(int, lb_folds_make((lb_folds){.k = K, .seed = 1}, 23, fold, &err), LB_OK));
    for (size_t i = 0; i < 23; i++)
        rows[fold[i]]++;
    cr_expect(le(sz, spread(rows), 1));
}

Test(folds, the_seed_decides_and_nothing_else)
{
    lb_folds f = grouped();
    lb_folds_make(f, N, fold, &err);
    lb_folds_make(f, N, again, &err);
    cr_expect(memcmp(fold, again, sizeof fold) == 0);
    f.seed++;
    lb_folds_make(f, N, again, &err);
    cr_expect(memcmp(fold, again, sizeof fold) != 0);
}

Test(folds, the_order_of_the_rows_does_not_move_a_star)
{
    uint64_t backwards[N];
    lb_folds f = grouped();
    lb_folds_make(f, N, fold, &err);
    for (size_t i = 0; i < N; i++)
        backwards[i] = star[N - 1 - i];
    f.group = backwards;
    lb_folds_make(f, N, again, &err);
    for (size_t i = 0; i < N; i++)
        cr_assert(eq(int, again[i], fold[N - 1 - i]));
}

Test(folds, rows_without_a_class_are_left_out)
{
    size_t out = 0;
    lb_folds f = {.k = K, .seed = 3, .class_of = class_of};
    for (size_t i = 0; i < N; i += 4)
        class_of[i] = -1;
    cr_assert(eq(int, lb_folds_make(f, N, fold, &err), LB_OK));
    for (size_t i = 0; i < N; i++) {
        cr_expect(eq(int, fold[i] == -1, class_of[i] == -1));
        out += fold[i] < 0;
    }
    cr_expect(eq(sz, out, N / 4));
}

Test(folds, a_rare_class_is_in_some_folds_only)
{
    const int two[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1};
    int seen[K] = {0}, folds_with = 0;
    cr_assert(eq(int, lb_folds_make((lb_folds){.k = K, .seed = 9, .class_of = two}, 10, fold, &err),
                 LB_OK));
    for (size_t i = 8; i < 10; i++)
        seen[fold[i]]++;
    for (size_t f = 0; f < K; f++)
        folds_with += seen[f] > 0;
    cr_expect(eq(int, folds_with, 2));
}

Test(folds, as_many_folds_as_stars_leave_one_out)
{
    int seen[K] = {0};
    cr_assert(eq(int, lb_folds_make((lb_folds){.k = K, .seed = 2}, K, fold, &err), LB_OK));
    for (size_t i = 0; i < K; i++)
        seen[fold[i]]++;
    for (size_t f = 0; f < K; f++)
        cr_expect(eq(int, seen[f], 1));
}

Test(folds, says_why_there_are_no_folds)
{
    cr_expect(eq(int, lb_folds_make((lb_folds){.k = 1}, N, fold, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "1 folds") != NULL, "%s", err.text);
    err = (lb_error){0};
    cr_expect(eq(int, lb_folds_make((lb_folds){.k = K}, K - 1, fold, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "4 groups of rows cannot fill 5 folds") != NULL, "%s", err.text);
    cr_expect(eq(int, lb_folds_make((lb_folds){.k = K}, 0, fold, NULL), LB_EINVAL), "no row");
    lb_folds f = grouped();
    f.class_of = class_of;
    class_of[17] = class_of[17] == 2 ? 1 : 2;
    err = (lb_error){0};
    cr_expect(eq(int, lb_folds_make(f, N, fold, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "17") && strstr(err.text, "of classes"), "%s", err.text);
    class_of[17] = -2;
    err = (lb_error){0};
    cr_expect(eq(int, lb_folds_make(f, N, fold, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "row 17 is of class -2") != NULL, "%s", err.text);
}

Test(folds, a_group_half_left_out_keeps_its_other_half_together)
{
    const uint64_t pair[] = {8, 8, 9, 9, 7, 7};
    const int some[] = {0, -1, 0, 0, -1, 0};
    cr_assert(eq(int,
                 lb_folds_make((lb_folds){.k = 3, .seed = 4, .group = pair, .class_of = some}, 6,
                               fold, &err),
                 LB_OK));
    cr_expect(eq(int, fold[1], -1));
    cr_expect(eq(int, fold[4], -1));
    cr_expect(eq(int, fold[2], fold[3]));
}
