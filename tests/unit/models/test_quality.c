/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "models/quality.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static float *errors_make(size_t n, size_t p, uint64_t seed)
{
    float *e = lb_xcalloc(n * p, sizeof *e);
    lb_rng r = lb_rng_make(seed, 2);
    for (size_t k = 0; k < n * p; k++)
        e[k] = (float)(0.1 * exp(0.5 * lb_rng_normal(&r)));
    return e;
}

static lb_cmatf rows(const float *e, size_t n, size_t p)
{
    return (lb_cmatf){e, n, p, p};
}

static void ten(const float *e, size_t p, double out[10])
{
    cr_assert(
        eq(int, lb_quality_features(rows(e, 1, p), lb_mat_of(out, 1, 10), NULL, NULL), LB_OK));
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t p, double q)
{
    const double at = q * (double)(p - 1);
    const size_t i = (size_t)at;
    return i + 1 < p ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[i];
}

/* The slow, obvious version. */
static void by_hand(const float *e, size_t p, double out[10])
{
    double *s = lb_xcalloc(p, sizeof *s), sum = 0.0, m2 = 0.0, m3 = 0.0, m4 = 0.0;
    for (size_t j = 0; j < p; j++)
        sum += s[j] = (double)e[j];
    qsort(s, p, sizeof *s, by_value);
    const double mean = sum / (double)p;
    for (size_t j = 0; j < p && s[p - 1] > s[0]; j++) {
        m2 += pow(s[j] - mean, 2.0) / (double)p;
        m3 += pow(s[j] - mean, 3.0) / (double)p;
        m4 += pow(s[j] - mean, 4.0) / (double)p;
    }
    const double want[] = {mean,
                           sqrt(m2),
                           s[0],
                           s[p - 1],
                           quantile(s, p, 0.5),
                           sum,
                           quantile(s, p, 0.25),
                           quantile(s, p, 0.75),
                           m2 > 0.0 ? m3 / pow(m2, 1.5) : 0.0,
                           m2 > 0.0 ? m4 / (m2 * m2) - 3.0 : 0.0};
    memcpy(out, want, sizeof want);
    free(s);
}

Test(quality, ten_statistics_agree_with_the_definitions_for_any_number_of_pixels)
{
    static const size_t sizes[] = {1, 2, 3, 7, 8, 9, 100, 513, 4096};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        float *e = errors_make(1, sizes[k], k);
        double got[10], want[10];
        ten(e, sizes[k], got);
        by_hand(e, sizes[k], want);
        for (size_t j = 0; j < 10; j++)
            cr_expect(le(dbl, fabs(got[j] - want[j]), 1e-11 * fmax(1.0, fabs(want[j]))),
                      "p %zu: %s", sizes[k], lb_quality_names[j]);
        free(e);
    }
}

/* One sky line 1e30 times the rest puts all other pixels in one bucket; ties fill a few. */
Test(quality, order_statistics_survive_outliers_and_ties)
{
    float *e = errors_make(1, 4096, 3);
    double got[10], want[10];
    e[77] = 1e29f;
    ten(e, 4096, got);
    by_hand(e, 4096, want);
    for (size_t j = 2; j < 8; j++)
        cr_expect(le(dbl, fabs(got[j] - want[j]), 1e-14 * fabs(want[j])));
    for (size_t j = 0; j < 4096; j++)
        e[j] = 0.25f * (float)(1 + j % 3);
    ten(e, 4096, got);
    by_hand(e, 4096, want);
    cr_expect(eq(dbl, got[4], 0.5));
    for (size_t j = 2; j < 8; j++)
        cr_expect(le(dbl, fabs(got[j] - want[j]), 1e-14 * fabs(want[j])));
    free(e);
}

Test(quality, one_to_five_have_the_statistics_of_the_textbook)
{
    static const float e[] = {4, 1, 5, 3, 2};
    const double want[] = {3.0, sqrt(2.0), 1.0, 5.0, 3.0, 15.0, 2.0, 4.0, 0.0, -1.3};
    double got[10];
    ten(e, 5, got);
    for (size_t j = 0; j < 10; j++)
        cr_expect(lt(dbl, fabs(got[j] - want[j]), 1e-14), "%s", lb_quality_names[j]);
}

Test(quality, twice_the_errors_double_the_sizes_and_leave_the_shape)
{
    float *e = errors_make(1, 512, 9);
    double one[10], two[10];
    ten(e, 512, one);
    for (size_t j = 0; j < 512; j++)
        e[j] *= 2.0f;
    ten(e, 512, two);
    for (size_t j = 0; j < 10; j++)
        cr_expect(eq(dbl, two[j], (j < 8 ? 2.0 : 1.0) * one[j]), "%s", lb_quality_names[j]);
    free(e);
}

Test(quality, equal_errors_have_no_spread_and_no_shape)
{
    float e[300];
    double got[10];
    for (size_t j = 0; j < 300; j++)
        e[j] = 0.1f; /* its sum is not exact */
    ten(e, 300, got);
    cr_expect(eq(dbl, got[1], 0.0));
    cr_expect(eq(dbl, got[8], 0.0));
    cr_expect(eq(dbl, got[9], 0.0));
    cr_expect(eq(dbl, got[4], (double)0.1f));
}

Test(quality, an_error_that_is_none_is_replaced_and_counted)
{
    float e[] = {1, 2, -3, 0, NAN, INFINITY, -INFINITY, 3};
    const float clean[] = {1, 2, 1e-6f, 1e-6f, 1e-6f, 1e-6f, 1e-6f, 3};
    double got[10], want[10];
    size_t replaced = 0;
    cr_assert(
        eq(int, lb_quality_features(rows(e, 1, 8), lb_mat_of(got, 1, 10), &replaced, NULL), LB_OK));
    ten(clean, 8, want);
    cr_expect(eq(sz, replaced, 5));
    cr_expect(eq(int, memcmp(got, want, sizeof got), 0));
}

Test(quality, eleven_quantiles_run_from_the_smallest_to_the_largest)
{
    float *e = errors_make(1, 1001, 4);
    double q[11], t[10];
    cr_assert(
        eq(int, lb_quality_quantiles(rows(e, 1, 1001), lb_mat_of(q, 1, 11), NULL, NULL), LB_OK));
    ten(e, 1001, t);
    cr_expect(eq(dbl, q[0], t[2]));
    cr_expect(eq(dbl, q[5], t[4]));
    cr_expect(eq(dbl, q[10], t[3]));
    for (size_t k = 1; k < 11; k++) {
        size_t below = 0; /* 100 k pixels lie below the k-th decile of 1,001 */
        for (size_t j = 0; j < 1001; j++)
            below += (double)e[j] < q[k];
        cr_expect(eq(sz, below, 100 * k));
    }
    free(e);
}

/* e = s e0 + rest with rest orthogonal to e0: Pythagoras. */
Test(quality, scale_and_residual_are_the_sides_of_a_right_triangle)
{
    float *e = errors_make(2, 512, 6);
    double e0[512], shape[4], norm[2], square = 0.0;
    for (size_t j = 0; j < 512; j++) {
        e0[j] = 0.25 * (double)e[j]; /* row 0 is four times the mean */
        square += e0[j] * e0[j];
    }
    cr_assert(eq(
        int,
        lb_quality_shape(rows(e, 2, 512), (lb_cvec){e0, 512}, lb_mat_of(shape, 2, 2), NULL, NULL),
        LB_OK));
    cr_assert(eq(int, lb_quality_norms(rows(e, 2, 512), (lb_vec){norm, 2}, NULL, NULL), LB_OK));
    cr_expect(lt(dbl, fabs(shape[0] - 4.0), 1e-14));
    cr_expect(lt(dbl, shape[1], 1e-14));
    cr_expect(gt(dbl, shape[3], 0.1));
    cr_expect(
        lt(dbl, fabs(norm[1] - sqrt(shape[2] * shape[2] * square + shape[3] * shape[3])), 1e-14));
    free(e);
}

Test(quality, the_mean_error_adds_up_over_blocks)
{
    float *e = errors_make(10, 33, 8);
    double whole[33] = {0}, parts[33] = {0};
    size_t replaced = 9;
    e[5] = -1.0f;
    cr_assert(
        eq(int, lb_quality_add(rows(e, 10, 33), (lb_vec){whole, 33}, &replaced, NULL), LB_OK));
    cr_expect(eq(sz, replaced, 1));
    lb_quality_add(rows(e, 4, 33), (lb_vec){parts, 33}, NULL, NULL);
    lb_quality_add(rows(e + 4 * 33, 6, 33), (lb_vec){parts, 33}, NULL, NULL);
    cr_expect(eq(int, memcmp(whole, parts, sizeof whole), 0));
    double sum = 0.0;
    for (size_t i = 0; i < 10; i++)
        sum += (double)e[i * 33 + 7];
    cr_expect(eq(dbl, whole[7], sum));
    free(e);
}

Test(quality, relative_errors_times_their_scale_are_the_errors)
{
    const float flux[] = {2, 4, 3, /**/ 0, 0, 0, /**/ -1, -2, 5, /**/ 1, NAN, 1};
    const float error[] = {1, 2, 3, /**/ 1, 1, 1, /**/ 1, 1, 1, /**/ 1, 1, 1};
    float out[12];
    size_t no_scale = 0;
    cr_assert(eq(int,
                 lb_quality_relative(LB_RELATIVE_MEDIAN, rows(flux, 4, 3), rows(error, 4, 3),
                                     (lb_matf){out, 4, 3, 3}, &no_scale, NULL),
                 LB_OK));
    cr_expect(eq(sz, no_scale, 3)); /* dark, negative, NaN */
    for (size_t j = 0; j < 3; j++) {
        cr_expect(eq(flt, out[j] * 3.0f, error[j]));
        for (size_t i = 1; i < 4; i++)
            cr_expect(eq(flt, out[3 * i + j], 0.0f));
    }
    cr_assert(eq(int,
                 lb_quality_relative(LB_RELATIVE_NORM, rows(flux, 4, 3), rows(error, 4, 3),
                                     (lb_matf){out, 4, 3, 3}, &no_scale, NULL),
                 LB_OK));
    cr_expect(eq(sz, no_scale, 2)); /* a norm is never negative */
    cr_expect(lt(dbl, fabs((double)out[2] - 3.0 / sqrt(29.0)), 1e-7));
}

Test(quality, one_and_two_threads_give_the_same_bits)
{
    const size_t n = 150, p = 700, before = threads_now();
    float *e = errors_make(n, p, 12), *a = lb_xcalloc(n * p, sizeof *a);
    float *b = lb_xcalloc(n * p, sizeof *b);
    double *one = lb_xcalloc(n * 10, sizeof *one), *two = lb_xcalloc(n * 10, sizeof *two);
    size_t first, second;
    for (size_t k = 0; k < n; k++)
        e[k * p + k] = -1.0f;
    omp_set_num_threads(1);
    lb_quality_features(rows(e, n, p), lb_mat_of(one, n, 10), &first, NULL);
    lb_quality_relative(LB_RELATIVE_MEDIAN, rows(e, n, p), rows(e, n, p), (lb_matf){a, n, p, p},
                        NULL, NULL);
    omp_set_num_threads(2);
    lb_quality_features(rows(e, n, p), lb_mat_of(two, n, 10), &second, NULL);
    lb_quality_relative(LB_RELATIVE_MEDIAN, rows(e, n, p), rows(e, n, p), (lb_matf){b, n, p, p},
                        NULL, NULL);
    cr_expect(gt(sz, threads_now(), before), "two threads were at work");
    cr_expect(eq(sz, first, n));
    cr_expect(eq(sz, second, n));
    cr_expect(eq(int, memcmp(one, two, n * 10 * sizeof *one), 0));
    cr_expect(eq(int, memcmp(a, b, n * p * sizeof *a), 0));
    free(e);
    free(a);
    free(b);
    free(one);
    free(two);
}

Test(quality, refuse_sizes_that_disagree_and_a_mean_without_a_norm)
{
    float e[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    double out[20], e0[4] = {0};
    const lb_cmatf x = rows(e, 2, 4);
    lb_error err = {0};
    cr_expect(eq(int, lb_quality_features(x, lb_mat_of(out, 2, 9), NULL, &err), LB_ESHAPE));
    cr_expect(ne(ptr, strstr(err.text, "2x10"), NULL), "%s", err.text);
    cr_expect(
        eq(int, lb_quality_features(rows(e, 2, 0), lb_mat_of(out, 2, 10), NULL, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_quality_quantiles(x, lb_mat_of(out, 2, 1), NULL, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_quality_norms(x, (lb_vec){out, 3}, NULL, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_quality_add(x, (lb_vec){out, 3}, NULL, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_quality_shape(x, (lb_cvec){e0, 3}, lb_mat_of(out, 2, 2), NULL, NULL),
                 LB_ESHAPE));
    cr_expect(eq(int, lb_quality_shape(x, (lb_cvec){e0, 4}, lb_mat_of(out, 2, 3), NULL, NULL),
                 LB_ESHAPE));
    cr_expect(eq(int, lb_quality_shape(x, (lb_cvec){e0, 4}, lb_mat_of(out, 2, 2), NULL, NULL),
                 LB_ENUMERIC));
    const double bad[] = {(double)NAN, (double)INFINITY, 1e200};
    for (int i = 0; i < 3; i++) {
        e0[2] = bad[i];
        cr_expect(eq(int, lb_quality_shape(x, (lb_cvec){e0, 4}, lb_mat_of(out, 2, 2), NULL, NULL),
                     LB_ENUMERIC));
    }
    cr_expect(eq(
        int,
        lb_quality_relative(LB_RELATIVE_NORM, rows(e, 2, 3), x, (lb_matf){e, 2, 4, 4}, NULL, NULL),
        LB_ESHAPE));
    cr_expect(eq(
        int,
        lb_quality_relative(LB_RELATIVE_NORM, rows(e, 1, 4), x, (lb_matf){e, 2, 4, 4}, NULL, NULL),
        LB_ESHAPE));
    cr_expect(eq(int,
                 lb_quality_relative(LB_RELATIVE_NORM, x, x, (lb_matf){e, 2, 3, 3}, NULL, NULL),
                 LB_ESHAPE));
}
