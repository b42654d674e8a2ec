/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <omp.h>
#include <pthread.h>
#include <stdio.h>

static const bool all[3] = {true, true, true};

static lb_status accumulate(toy *t, bool float32, lb_gram **g, lb_error *err)
{
    const lb_stream s = toy_stream(t);
    return lb_gram_accumulate(&s, toy_y(t), t->group,
                              (lb_gram_options){.groups = 3, .float32 = float32}, g, err);
}

static lb_moments moments(toy *t, const bool *use, bool float32, bool standardise)
{
    lb_gram *g = NULL;
    lb_moments m = moments_make(t->p);
    lb_error err = {0};
    m.room = lb_cholesky_new(t->p);
    cr_assert(eq(int, accumulate(t, float32, &g, &err), LB_OK), "%s", err.text);
    cr_assert(eq(int, lb_gram_moments(g, use, standardise, &m, &err), LB_OK), "%s", err.text);
    for (size_t i = 0; i < t->p; i++)
        for (size_t j = 0; j <= i; j++)
            cr_assert(eq(dbl, *lb_cholesky_place(m.room, j, i), m.xx.data[i * t->p + j]));
    lb_cholesky_free(m.room);
    m.room = NULL;
    lb_gram_free(g);
    return m;
}

static void expect_same_moments(const lb_moments *a, const lb_moments *b, double tolerance)
{
    const size_t p = a->mean.n;
    cr_expect(eq(sz, a->n, b->n));
    cr_expect(lt(dbl, distance(a->xx.data, b->xx.data, p * p), tolerance));
    cr_expect(lt(dbl, distance(a->xy.data, b->xy.data, p), tolerance));
    cr_expect(lt(dbl, distance(a->mean.data, b->mean.data, p), tolerance));
    cr_expect(lt(dbl, distance(a->sd.data, b->sd.data, p), tolerance));
    cr_expect(lt(dbl, fabs(a->yy - b->yy), tolerance * b->yy));
    cr_expect(lt(dbl, fabs(a->y_mean - b->y_mean), tolerance * fabs(b->y_mean)));
}

/* Sizes that leave ragged blocks and ragged tiles behind. */
Test(gram, is_what_the_sums_written_out_give)
{
    const size_t sizes[][2] = {{2500, 200}, {1024, 64}, {37, 65}, {90, 3}, {5, 1}};
    for (size_t s = 0; s < 5; s++) {
        toy t = toy_make(sizes[s][0], sizes[s][1], 11 + s);
        const bool use[3] = {true, false, true};
        lb_moments fast = moments(&t, use, false, false), slow = moments_by_hand(&t, use);
        expect_same_moments(&fast, &slow, 1e-12);
        moments_free(&fast);
        moments_free(&slow);
        toy_free(&t);
    }
}

Test(gram, of_a_union_is_the_sum_of_its_groups)
{
    toy t = toy_make(3000, 130, 5);
    lb_moments sum = moments(&t, all, false, false);
    for (size_t i = 0; i < t.n; i++)
        t.group[i] = t.group[i] < 0 ? -1 : 1;
    lb_moments one = moments(&t, all, false, false);
    expect_same_moments(&sum, &one, 1e-12);
    moments_free(&sum);
    moments_free(&one);
    toy_free(&t);
}

Test(gram, does_not_depend_on_the_order_of_rows_beyond_rounding)
{
    toy t = toy_make(2100, 70, 6);
    lb_moments before = moments(&t, all, false, false);
    for (size_t i = 0; i < t.n / 2; i++) { /* back to front */
        const size_t k = t.n - 1 - i;
        for (size_t j = 0; j < t.p; j++) {
            const float x = t.x[i * t.p + j];
            t.x[i * t.p + j] = t.x[k * t.p + j];
            t.x[k * t.p + j] = x;
        }
        const double y = t.y[i];
        const int g = t.group[i];
        t.y[i] = t.y[k], t.group[i] = t.group[k];
        t.y[k] = y, t.group[k] = g;
    }
    lb_moments after = moments(&t, all, false, false);
    expect_same_moments(&before, &after, 1e-12);
    moments_free(&before);
    moments_free(&after);
    toy_free(&t);
}

Test(gram, has_the_same_bits_for_one_and_two_threads)
{
    toy t = toy_make(2500, 333, 7);
    for (int float32 = 0; float32 < 2; float32++) {
        omp_set_num_threads(1);
        lb_moments one = moments(&t, all, float32, false);
        omp_set_num_threads(2);
        lb_moments two = moments(&t, all, float32, false);
        cr_expect(eq(int, memcmp(one.xx.data, two.xx.data, t.p * t.p * sizeof(double)), 0));
        cr_expect(eq(int, memcmp(one.xy.data, two.xy.data, t.p * sizeof(double)), 0));
        cr_expect(eq(int, memcmp(one.mean.data, two.mean.data, t.p * sizeof(double)), 0));
        moments_free(&one);
        moments_free(&two);
    }
    toy_free(&t);
}

/* Unshifted sums of squares of 1e4 would leave nothing of a spread of 0.05. */
Test(gram, keeps_its_digits_under_a_large_offset)
{
    toy t = toy_make(1500, 20, 8);
    for (size_t i = 0; i < t.n; i++) {
        t.y[i] += 1e9;
        for (size_t j = 0; j < t.p; j++)
            t.x[i * t.p + j] += 10000.0f;
    }
    lb_moments fast = moments(&t, all, false, false), slow = moments_by_hand(&t, all);
    cr_expect(lt(dbl, distance(fast.xx.data, slow.xx.data, t.p * t.p), 1e-11));
    cr_expect(
        lt(dbl, distance(fast.xy.data, slow.xy.data, t.p), 1e-6)); /* the oracle's own error */
    moments_free(&fast);
    moments_free(&slow);
    toy_free(&t);
}

Test(gram, in_float32_is_close_to_float64)
{
    toy t = toy_make(2500, 100, 9);
    lb_moments low = moments(&t, all, true, false), high = moments(&t, all, false, false);
    cr_expect(lt(dbl, distance(low.xx.data, high.xx.data, t.p * t.p), 2e-6));
    cr_expect(gt(dbl, distance(low.xx.data, high.xx.data, t.p * t.p), 1e-12), "really float32");
    cr_expect(lt(dbl, distance(low.xy.data, high.xy.data, t.p), 1e-13), "the rest stays float64");
    moments_free(&low);
    moments_free(&high);
    toy_free(&t);
}

Test(gram, standardised_has_ones_on_its_diagonal)
{
    toy t = toy_make(700, 30, 10);
    lb_moments m = moments(&t, all, false, true), plain = moments(&t, all, false, false);
    for (size_t j = 0; j < t.p; j++) {
        cr_expect(epsilon_eq(dbl, m.xx.data[j * t.p + j] / (double)m.n, 1.0, 1e-13));
        cr_expect(epsilon_eq(dbl, m.xy.data[j] * plain.sd.data[j] / plain.xy.data[j], 1.0, 1e-12));
    }
    moments_free(&m);
    moments_free(&plain);
    toy_free(&t);
}

Test(gram, sees_a_constant_column_also_when_only_one_group_is_constant)
{
    toy t = toy_make(900, 12, 12);
    for (size_t i = 0; i < t.n; i++) {
        t.x[i * t.p + 4] = 0.1f;
        for (size_t j = 7; j < 12 && t.group[i] == 1; j++)
            t.x[i * t.p + j] = 0.3f + 0.17f * (float)j; /* off the shift: rounding is left of it */
    }
    const bool second[3] = {false, true, false};
    lb_moments m = moments(&t, second, false, true);
    cr_expect(eq(dbl, m.sd.data[4], 1.0));
    cr_expect(eq(dbl, m.xx.data[4 * t.p + 4], 0.0));
    cr_expect(eq(dbl, m.mean.data[4], (double)0.1f));
    for (size_t j = 7; j < 12; j++) {
        cr_expect(eq(dbl, m.sd.data[j], 1.0));
        cr_expect(lt(dbl, fabs(m.xx.data[j * t.p + j]), 1e-11));
    }
    cr_expect(lt(dbl, m.sd.data[5], 0.2));
    moments_free(&m);
    toy_free(&t);
}

Test(gram, of_one_row_has_no_spread)
{
    toy t = toy_make(1, 5, 13);
    t.group[0] = 2;
    lb_moments m = moments(&t, all, false, false);
    cr_expect(eq(sz, m.n, 1));
    for (size_t j = 0; j < t.p; j++) {
        cr_expect(eq(dbl, m.mean.data[j], (double)t.x[j]));
        cr_expect(eq(dbl, m.xy.data[j], 0.0));
        cr_expect(eq(dbl, m.sd.data[j], 1.0));
        for (size_t k = 0; k <= j; k++)
            cr_expect(eq(dbl, m.xx.data[j * t.p + k], 0.0));
    }
    moments_free(&m);
    toy_free(&t);
}

Test(gram, counts_rows_and_leaves_empty_groups_empty)
{
    toy t = toy_make(200, 4, 14);
    size_t expected = 0;
    for (size_t i = 0; i < t.n; i++) {
        t.group[i] = t.group[i] == 1 ? -1 : t.group[i];
        expected += t.group[i] == 2;
    }
    lb_gram *g = NULL;
    cr_assert(eq(int, accumulate(&t, false, &g, NULL), LB_OK));
    cr_expect(eq(sz, lb_gram_cols(g), 4));
    cr_expect(eq(sz, lb_gram_groups(g), 3));
    cr_expect(eq(sz, lb_gram_rows(g, 1), 0));
    cr_expect(eq(sz, lb_gram_rows(g, 2), expected));
    cr_expect(eq(sz, lb_gram_rows(g, 9), 0));
    cr_expect(not(lb_gram_is_float32(g)));
    lb_moments m = moments_make(t.p), wrong = moments_make(t.p + 1);
    const bool second[3] = {false, true, false};
    cr_expect(eq(int, lb_gram_moments(g, second, false, &m, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_gram_moments(g, all, false, &wrong, NULL), LB_ESHAPE));
    moments_free(&m);
    moments_free(&wrong);
    lb_gram_free(g);
    toy_free(&t);
}

/* Group 0 has fewer rows than the 60 columns, the others more. */
Test(gram, keeps_the_rows_of_groups_with_fewer_rows_than_columns)
{
    toy t = toy_make(700, 60, 77);
    for (size_t i = 0; i < t.n; i++)
        t.group[i] = i % 14 == 3 ? 0 : 1;
    const lb_stream s = toy_stream(&t);
    const bool small[] = {true, false}, large[] = {false, true}, both[] = {true, true};
    const float *row[50];
    double y[50];
    for (int keep = 0; keep < 2; keep++) {
        lb_gram *g = NULL;
        cr_assert(
            eq(int,
               lb_gram_accumulate(&s, toy_y(&t), t.group,
                                  (lb_gram_options){.groups = 2, .keep_rows = keep}, &g, NULL),
               LB_OK));
        cr_expect(eq(int, lb_gram_kept(g, small, NULL, NULL), keep));
        cr_expect(not(lb_gram_kept(g, large, NULL, NULL)));
        cr_expect(not(lb_gram_kept(g, both, NULL, NULL)));
        if (keep) {
            cr_assert(eq(sz, lb_gram_rows(g, 0), 50));
            cr_assert(lb_gram_kept(g, small, row, y));
            for (size_t i = 0; i < 50; i++) {
                cr_expect(
                    eq(int, memcmp(row[i], t.x + (14 * i + 3) * t.p, t.p * sizeof(float)), 0));
                cr_expect(epsilon_eq(dbl, y[i], t.y[14 * i + 3], 1e-14));
            }
        }
        lb_gram_free(g);
    }
    toy_free(&t);
}

Test(gram, names_the_row_and_column_that_is_not_finite)
{
    const float bad[] = {NAN, INFINITY, -INFINITY};
    const size_t rows[] = {3, 1030, 1999};
    for (size_t b = 0; b < 3; b++)
        for (size_t r = 0; r < 3; r++) {
            toy t = toy_make(2000, 70, 15);
            lb_gram *g = NULL;
            lb_error err = {0};
            t.group[rows[r]] = 1;
            t.x[rows[r] * t.p + 66] = bad[b];
            char place[64];
            snprintf(place, sizeof place, "row %zu, column 66", rows[r]);
            cr_expect(eq(int, accumulate(&t, b == 1, &g, &err), LB_ENUMERIC));
            cr_expect(ne(ptr, strstr(err.text, place), NULL), "%s", err.text);
            cr_expect(eq(ptr, g, NULL));
            t.group[rows[r]] = -1; /* a row that is left out may hold anything */
            t.y[rows[r]] = NAN;
            cr_expect(eq(int, accumulate(&t, false, &g, NULL), LB_OK));
            lb_gram_free(g);
            toy_free(&t);
        }
}

Test(gram, refuses_arguments_that_make_no_sense)
{
    toy t = toy_make(50, 4, 16);
    const lb_stream s = toy_stream(&t), narrow = {t.n, 0, toy_read, &t, false};
    lb_gram *g = NULL;
    lb_error err = {0};
    const lb_cvec y = toy_y(&t), fewer = {t.y, t.n - 1};
    const lb_gram_options three = {.groups = 3}, two = {.groups = 2}, none = {.groups = 0};
    for (size_t i = 0; i < t.n; i++)
        t.group[i] = 2;
    cr_expect(eq(int, lb_gram_accumulate(&s, fewer, t.group, three, &g, &err), LB_ESHAPE));
    cr_expect(eq(int, lb_gram_accumulate(&s, y, t.group, two, &g, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_gram_accumulate(&s, y, t.group, none, &g, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_gram_accumulate(&narrow, y, t.group, three, &g, NULL), LB_EINVAL));
    t.group[7] = -2;
    cr_expect(eq(int, lb_gram_accumulate(&s, y, t.group, three, &g, NULL), LB_EINVAL));
    t.group[7] = 0;
    t.y[9] = NAN;
    err = (lb_error){0};
    cr_expect(eq(int, lb_gram_accumulate(&s, y, t.group, three, &g, &err), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(err.text, "row 9"), NULL), "%s", err.text);
    toy_free(&t);
}

Test(gram, passes_on_what_the_stream_reports)
{
    toy t = toy_make(3000, 8, 17);
    t.broken_from = 2999;
    lb_gram *g = NULL;
    lb_error err = {0};
    cr_expect(eq(int, accumulate(&t, false, &g, &err), LB_EIO));
    cr_expect(ne(ptr, strstr(err.text, "on fire"), NULL));
    cr_expect(eq(ptr, g, NULL));
    toy_free(&t);
}

Test(gram, of_a_stream_without_rows_is_empty)
{
    toy t = toy_make(1, 3, 18);
    const lb_stream s = {0, 3, toy_read, &t, false};
    lb_gram *g = NULL;
    cr_assert(eq(
        int,
        lb_gram_accumulate(&s, (lb_cvec){t.y, 0}, NULL, (lb_gram_options){.groups = 1}, &g, NULL),
        LB_OK));
    cr_expect(eq(sz, lb_gram_rows(g, 0), 0));
    lb_gram_free(g);
    toy_free(&t);
}

Test(gram, float32_is_for_noisy_tall_well_penalised_problems)
{
    cr_expect(lb_gram_float32_is_safe(0.2, 32000, 4096, 10.0));
    cr_expect(not(lb_gram_float32_is_safe(0.0, 32000, 4096, 10.0)));
    cr_expect(not(lb_gram_float32_is_safe(0.2, 8192, 4096, 10.0)));
    cr_expect(not(lb_gram_float32_is_safe(0.2, 32000, 4096, 1.0)));
    cr_expect(not(lb_gram_float32_is_safe(NAN, 32000, 4096, 10.0)));
    cr_expect(not(lb_gram_float32_is_safe(0.2, 32000, 4096, NAN)));
}

/* Rows x + v n, all in small multiples of powers of two so that single precision holds them. */
static lb_gram *seen_at(double v, size_t p, const lb_gram *like)
{
    toy x = toy_make(700, p, 31), noise = toy_make(700, p, 32);
    lb_gram *g = NULL;
    lb_error err = {0};
    for (size_t i = 0; i < x.n * p; i++)
        x.x[i] = nearbyintf(64.0f * x.x[i]) / 64.0f +
                 (float)v * nearbyintf(64.0f * (noise.x[i] - 1.0f)) / 64.0f;
    const lb_stream s = toy_stream(&x);
    cr_assert(eq(int,
                 lb_gram_accumulate(&s, toy_y(&x), x.group,
                                    (lb_gram_options){.groups = 3, .like = like}, &g, &err),
                 LB_OK),
              "%s", err.text);
    toy_free(&x);
    toy_free(&noise);
    return g;
}

static void expect_same_gram(const lb_gram *a, const lb_gram *b, const bool *use)
{
    const size_t p = lb_gram_cols(a);
    lb_moments ma = moments_make(p), mb = moments_make(p);
    cr_assert(eq(int, lb_gram_moments(a, use, false, &ma, NULL), LB_OK));
    cr_assert(eq(int, lb_gram_moments(b, use, false, &mb, NULL), LB_OK));
    expect_same_moments(&ma, &mb, 1e-12);
    moments_free(&ma);
    moments_free(&mb);
}

Test(gram_between, three_noise_levels_give_every_other)
{
    const double at[3] = {0.0, 0.5, 2.0}, wanted[] = {0.0, 0.125, 0.5, 1.0, 2.0};
    lb_gram *first = seen_at(at[0], 70, NULL);
    lb_gram *const known[3] = {first, seen_at(at[1], 70, first), seen_at(at[2], 70, first)};
    const bool some[3] = {true, false, true};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        lb_gram *mixed = NULL, *gathered = seen_at(wanted[i], 70, NULL);
        cr_assert(eq(int,
                     lb_gram_between((const lb_gram *const *)known, at, wanted[i], &mixed, NULL),
                     LB_OK));
        expect_same_gram(mixed, gathered, all);
        expect_same_gram(mixed, gathered, some);
        lb_gram_free(mixed);
        lb_gram_free(gathered);
    }
    for (int k = 0; k < 3; k++)
        lb_gram_free(known[k]);
}

Test(gram_between, refuses_what_is_no_parabola)
{
    lb_gram *first = seen_at(0.0, 6, NULL), *like = seen_at(0.5, 6, first);
    lb_gram *own = seen_at(2.0, 6, NULL), *wide = seen_at(2.0, 7, NULL), *out = NULL;
    toy t = toy_make(500, 6, 33);
    lb_gram *single = NULL, *fewer = NULL;
    cr_assert(eq(int, accumulate(&t, false, &fewer, NULL), LB_OK));
    cr_assert(eq(int, accumulate(&t, true, &single, NULL), LB_OK));
    const double at[3] = {0.0, 0.5, 2.0}, twice[3] = {0.0, 0.5, 0.5};
    const struct {
        const lb_gram *last;
        const double *at;
        double wanted;
        lb_status expected;
    } cases[] = {{own, at, 1.0, LB_EINVAL},   {wide, at, 1.0, LB_ESHAPE},
                 {fewer, at, 1.0, LB_ESHAPE}, {like, twice, 1.0, LB_EINVAL},
                 {like, at, NAN, LB_EINVAL},  {like, at, INFINITY, LB_EINVAL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const lb_gram *const known[3] = {first, like, cases[i].last};
        cr_expect(eq(int, lb_gram_between(known, cases[i].at, cases[i].wanted, &out, NULL),
                     cases[i].expected),
                  "case %zu", i);
        cr_expect(eq(ptr, out, NULL));
    }
    const lb_gram *const coarse[3] = {single, single, single};
    cr_expect(eq(int, lb_gram_between(coarse, at, 1.0, &out, NULL), LB_EINVAL));
    cr_expect(eq(ptr, out, NULL));
    lb_gram *const made[] = {first, like, own, wide, fewer, single};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        lb_gram_free(made[i]);
    toy_free(&t);
}

Test(gram_between, scale_of_another_width_is_refused)
{
    toy t = toy_make(50, 6, 34);
    lb_gram *narrow = seen_at(0.0, 5, NULL), *g = NULL;
    const lb_stream s = toy_stream(&t);
    cr_expect(eq(int,
                 lb_gram_accumulate(&s, toy_y(&t), t.group,
                                    (lb_gram_options){.groups = 3, .like = narrow}, &g, NULL),
                 LB_ESHAPE));
    lb_gram_free(narrow);
    toy_free(&t);
}

/* A stream that looks who reads it. */
typedef struct watched {
    toy t;
    pthread_t caller;
    size_t elsewhere; /* reads by another thread than the caller's */
} watched;

static lb_status watched_read(void *self, size_t first, lb_matf x, lb_error *err)
{
    watched *w = self;
    w->elsewhere += !pthread_equal(pthread_self(), w->caller);
    return toy_read(&w->t, first, x, err);
}

Test(gram, reads_ahead_unless_the_stream_uses_every_thread_itself)
{
    watched w = {toy_make(900, 40, 5), pthread_self(), 0};
    lb_gram *g[2] = {NULL};
    lb_error err = {0};
    for (int threaded = 0; threaded < 2; threaded++) {
        const lb_stream s = {900, 40, watched_read, &w, threaded};
        w.elsewhere = 0;
        cr_assert(eq(int,
                     lb_gram_accumulate(&s, toy_y(&w.t), w.t.group, (lb_gram_options){.groups = 3},
                                        &g[threaded], &err),
                     LB_OK),
                  "%s", err.text);
        cr_expect(eq(int, w.elsewhere == 0, threaded), "%zu reads by other threads", w.elsewhere);
    }
    lb_moments m[2] = {moments_make(40), moments_make(40)};
    for (int k = 0; k < 2; k++) {
        cr_assert(eq(int, lb_gram_moments(g[k], all, false, &m[k], &err), LB_OK));
        lb_gram_free(g[k]);
    }
    expect_same_moments(&m[0], &m[1], 1e-300); /* the same bits */
    moments_free(&m[0]);
    moments_free(&m[1]);
    toy_free(&w.t);
}
