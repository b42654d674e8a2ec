/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/spectra.h"

#include "core/memory.h"
#include "data/shard.h"
#include "data/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { P = 24 };

static lb_spectra *open_as(const toy *t, const char *dir, const char *split)
{
    lb_spectra *s;
    char *name = lb_xprintf("%s_0", split);
    free(toy_write(t, dir, name));
    free(name);
    cr_assert(lb_spectra_open(dir, split, &s, NULL) == LB_OK);
    return s;
}

/* Seven causes in five rows, of 4,000. */
static void spoil(toy *t)
{
    t->flux[3 * P + 1] = NAN;
    t->flux[3 * P + 2] = INFINITY;
    t->error[300 * P + 23] = -INFINITY;
    t->labels[3 * LB_SHARD_LABELS + TEFF] = NAN;
    t->labels[700 * LB_SHARD_LABELS + LOGG] = INFINITY;
    t->labels[3999 * LB_SHARD_LABELS + MH] = NAN;
    t->error[10 * P] = 0.0f;
    t->error[10 * P + 1] = -1.0f;
}

Test(screening, counts_every_cause_and_refuses_each_row_once)
{
    toy t = toy_new(4000, P, 6);
    lb_screening x;
    spoil(&t);
    lb_spectra *s = open_as(&t, scratch_dir(), "train");
    cr_assert(lb_spectra_screen(s, &x, NULL) == LB_OK, "4 of 4000 are just allowed");
    cr_expect(eq(sz, x.rows, 4000));
    cr_expect(eq(sz, x.refused, 4));
    cr_expect(eq(sz, x.flux_bad, 1));
    cr_expect(eq(sz, x.error_bad, 1));
    cr_expect(eq(sz, x.teff_bad, 1));
    cr_expect(eq(sz, x.logg_bad, 1));
    cr_expect(eq(sz, x.mh_bad, 1));
    cr_expect(eq(sz, x.error_nonpositive_pixels, 3), "minus infinity is not positive either");
    cr_expect(eq(sz, x.error_nonpositive_rows, 2));
    cr_expect(x.keep[2] && !x.keep[3] && x.keep[10] && !x.keep[300] && !x.keep[700] &&
              !x.keep[3999]);
    lb_screening_free(&x);
    cr_expect(x.keep == NULL);
    lb_spectra_close(s);
    toy_free(&t);
}

Test(screening, more_than_one_row_in_a_thousand_stops)
{
    toy t = toy_new(3999, P, 6);
    lb_screening x;
    lb_error err = {0};
    t.labels[3998 * LB_SHARD_LABELS + LOGG] = NAN;
    t.flux[1] = NAN;
    t.flux[P] = NAN;
    t.error[7 * P] = NAN;
    lb_spectra *s = open_as(&t, scratch_dir(), "train");
    cr_expect(eq(int, lb_spectra_screen(s, &x, &err), LB_ENUMERIC));
    cr_expect(strstr(err.text, "4 of 3999 train rows (0.10 %)") &&
                  strstr(err.text, "flux 2, error 1, T_eff 0, log_g 1, M_H 0"),
              "%s", err.text);
    cr_assert(lb_spectra_inspect(s, &x, NULL) == LB_OK, "inspection only counts");
    cr_expect(eq(sz, x.refused, 4));
    lb_screening_free(&x);
    lb_spectra_close(s);
    toy_free(&t);
}

static lb_status disjoint(lb_spectra *a, lb_spectra *b, lb_error *err)
{
    lb_screening in_a, in_b;
    cr_assert(lb_spectra_inspect(a, &in_a, NULL) == LB_OK);
    cr_assert(lb_spectra_inspect(b, &in_b, NULL) == LB_OK);
    const lb_status st = lb_spectra_check_disjoint(a, &in_a, b, &in_b, err);
    lb_screening_free(&in_a);
    lb_screening_free(&in_b);
    return st;
}

Test(disjoint, a_spectrum_in_both_sets_is_found_and_named)
{
    char *dir = scratch_dir();
    toy a = toy_new(300, P, 1), b = toy_new(40, P, 2);
    memcpy(b.flux + 33 * P, a.flux + 271 * P, P * sizeof(float));
    memcpy(b.flux + 34 * P, a.flux + 271 * P, P * sizeof(float));
    lb_spectra *train = open_as(&a, dir, "train"), *test = open_as(&b, dir, "test");
    lb_error err = {0};
    cr_expect(eq(int, disjoint(train, test, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "2 spectra of test are in train too") &&
                  strstr(err.text, "test row 33") && strstr(err.text, "train row 271"),
              "%s", err.text);
    lb_spectra_close(train);
    lb_spectra_close(test);
    toy_free(&a);
    toy_free(&b);
}

Test(disjoint, one_differing_bit_is_another_spectrum_and_bad_rows_do_not_count)
{
    char *dir = scratch_dir();
    toy a = toy_new(30, P, 1), b = toy_new(4, P, 2);
    memcpy(b.flux, a.flux + 5 * P, P * sizeof(float));
    b.flux[P - 1] = nextafterf(b.flux[P - 1], 9.0f);
    for (int j = 0; j < P; j++)
        a.flux[j] = b.flux[P + j] = NAN; /* equal, but not spectra */
    lb_spectra *train = open_as(&a, dir, "train"), *test = open_as(&b, dir, "test");
    lb_error err = {0};
    cr_expect(eq(int, disjoint(train, test, &err), LB_OK), "%s", err.text);
    lb_spectra_close(train);
    lb_spectra_close(test);
    toy_free(&a);
    toy_free(&b);
}

Test(disjoint, sets_of_different_width_cannot_be_compared)
{
    char *dir = scratch_dir();
    toy a = toy_new(3, P, 1), b = toy_new(4, P + 1, 2);
    lb_spectra *train = open_as(&a, dir, "train"), *test = open_as(&b, dir, "test");
    cr_expect(eq(int, disjoint(train, test, NULL), LB_ESHAPE));
    lb_spectra_close(train);
    lb_spectra_close(test);
    toy_free(&a);
    toy_free(&b);
}

Test(snr, by_both_definitions)
{
    toy t = toy_new(3, 4, 1);
    static const float flux[] = {3, 4, 0, 0, 1, 2, 3, 4, 1, 1, 1, 1};
    static const float error[] = {1, 1, 1, 1, 1, 1, 1, 2, 0, -1, NAN, INFINITY};
    memcpy(t.flux, flux, sizeof flux);
    memcpy(t.error, error, sizeof error);
    lb_spectra *s = open_as(&t, scratch_dir(), "test");
    double norm[3], median[3];
    cr_assert(lb_spectra_snr(s, (lb_vec){norm, 3}, (lb_vec){median, 3}, NULL) == LB_OK);
    cr_expect(epsilon_eq(dbl, norm[0], 2.5, 1e-12), "5 / 2");
    cr_expect(epsilon_eq(dbl, median[0], 1.5, 1e-12), "of 3, 4, 0, 0");
    cr_expect(epsilon_eq(dbl, norm[1], sqrt(30.0 / 7.0), 1e-12));
    cr_expect(epsilon_eq(dbl, median[1], 2.0, 1e-12));
    cr_expect(isnan(norm[2]) && isnan(median[2]), "no usable pixel");
    cr_expect(eq(int, lb_spectra_snr(s, (lb_vec){norm, 2}, (lb_vec){median, 3}, NULL), LB_ESHAPE));
    lb_spectra_close(s);
    toy_free(&t);
}
