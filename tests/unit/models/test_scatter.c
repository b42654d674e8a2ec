/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "models/scatter.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 700, COLS = 501 };

typedef struct table {
    float *data;
    size_t rows, cols;
    bool broken;
} table;

static lb_status read_table(void *self, size_t first, lb_matf x, lb_error *err)
{
    const table *t = self;
    if (t->broken)
        return LB_FAIL(err, LB_EIO, "the disk is on fire");
    for (size_t i = 0; i < x.rows; i++)
        memcpy(x.data + i * x.stride, t->data + (first + i) * t->cols, t->cols * sizeof(float));
    return LB_OK;
}

static lb_stream stream_of(table *t)
{
    return (lb_stream){t->rows, t->cols, read_table, t, false};
}

/* Errors that vary over pixels and rows; a parabola under noise of the given level. */
static void make(double level, table *x, table *e)
{
    *x = (table){lb_xcalloc(ROWS * COLS, sizeof(float)), ROWS, COLS, false};
    *e = (table){lb_xcalloc(ROWS * COLS, sizeof(float)), ROWS, COLS, false};
    lb_rng rng = lb_rng_make(7, 0);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < COLS; j++) {
            const double u = (double)j / COLS;
            const double error = (0.02 + 0.001 * (double)(i % 30)) * (1.0 + 0.8 * sin(9.0 * u));
            e->data[i * COLS + j] = (float)error;
            x->data[i * COLS + j] =
                (float)(3.0 + u - 2.17 * u * u + level * error * lb_rng_normal(&rng));
        }
}

static void release(table *x, table *e, double *out)
{
    free(x->data);
    free(e->data);
    free(out);
}

static double *estimate(table *x, table *e, int order)
{
    const lb_stream flux = stream_of(x), error = stream_of(e);
    double *out = lb_xcalloc(x->rows, sizeof *out);
    lb_error err = {0};
    cr_assert(eq(int, lb_scatter(&flux, &error, order, (lb_vec){out, x->rows}, &err), LB_OK), "%s",
              err.text);
    return out;
}

Test(scatter, is_the_level_of_the_noise_whatever_its_errors)
{
    static const double levels[] = {0.17, 1.0};
    for (int l = 0; l < 2; l++)
        for (int order = 2; order <= 12; order += 2) {
            table x, e;
            make(levels[l], &x, &e);
            double *out = estimate(&x, &e, order), mean = 0.0, worst = 0.0;
            for (size_t i = 0; i < ROWS; i++) {
                mean += out[i] / ROWS;
                worst = fmax(worst, fabs(out[i] / levels[l] - 1.0));
            }
            cr_expect(lt(dbl, fabs(mean / levels[l] - 1.0), 0.02), "order %d: %g", order, mean);
            cr_expect(lt(dbl, worst, 0.5), "a row has some 500 pixels, correlated differences");
            release(&x, &e, out);
        }
}

Test(scatter, of_a_smooth_spectrum_without_noise_is_next_to_nothing)
{
    table x, e;
    make(0.0, &x, &e);
    double *out = estimate(&x, &e, 4);
    for (size_t i = 0; i < ROWS; i++)
        cr_assert(lt(dbl, out[i], 1e-4), "single precision is all that is left");
    release(&x, &e, out);
}

Test(scatter, does_not_mind_a_few_wild_pixels_nor_pixels_without_error)
{
    table x, e;
    make(0.4, &x, &e);
    double *before = estimate(&x, &e, 4);
    for (size_t j = 20; j < COLS; j += 100)
        x.data[j] += 50.0f;
    for (size_t j = 60; j < COLS; j += 100)
        e.data[j] = j % 200 ? 0.0f : (float)NAN;
    double *after = estimate(&x, &e, 4);
    cr_expect(lt(dbl, fabs(after[0] / before[0] - 1.0), 0.2));
    cr_expect(eq(dbl, after[1], before[1]));
    free(before);
    release(&x, &e, after);
}

/* A row by itself: coefficients 1, -2, 1 and errors 1, 2, 3 ... by hand. */
Test(scatter, is_the_median_of_weighted_differences)
{
    float flux[] = {1.0f, 2.0f, 5.0f, 4.0f, 4.5f}, error[] = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f};
    table x = {flux, 1, 5, false}, e = {error, 1, 5, false};
    double *out = estimate(&x, &e, 2);
    const double d[] = {2.0 / sqrt(1 + 16 + 9), 4.0 / sqrt(4 + 36 + 16), 1.5 / sqrt(9 + 64 + 25)};
    cr_expect(epsilon_eq(dbl, out[0], d[0] / 0.6744897501960817, 1e-12));
    free(out);
}

Test(scatter, one_and_two_threads_give_the_same_bits)
{
    const size_t before = threads_now();
    table x, e;
    make(0.4, &x, &e);
    omp_set_num_threads(1);
    double *one = estimate(&x, &e, 4);
    omp_set_num_threads(2);
    double *two = estimate(&x, &e, 4);
    cr_expect(gt(sz, threads_now(), before), "two threads were at work");
    cr_expect(eq(int, memcmp(one, two, ROWS * sizeof *one), 0));
    free(one);
    release(&x, &e, two);
}

Test(scatter, says_what_is_wrong)
{
    table x, e;
    make(0.4, &x, &e);
    lb_stream flux = stream_of(&x), error = stream_of(&e);
    double out[ROWS];
    lb_error err = {0};
    const lb_vec all = {out, ROWS};
    cr_expect(eq(int, lb_scatter(&flux, &error, 3, all, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_scatter(&flux, &error, 0, all, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_scatter(&flux, &error, 14, all, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_scatter(&flux, &error, 2, (lb_vec){out, ROWS - 1}, NULL), LB_ESHAPE));
    error.rows--;
    cr_expect(eq(int, lb_scatter(&flux, &error, 2, all, NULL), LB_ESHAPE));
    error.rows++;
    error.cols--;
    cr_expect(eq(int, lb_scatter(&flux, &error, 2, all, NULL), LB_ESHAPE));
    error.cols = flux.cols = 12; /* twelve pixels have no difference of order twelve */
    cr_expect(eq(int, lb_scatter(&flux, &error, 12, all, NULL), LB_ESHAPE));
    error.cols = flux.cols = COLS;
    for (int k = 0; k < 2; k++) {
        x.broken = k == 0;
        e.broken = k == 1;
        cr_expect(eq(int, lb_scatter(&flux, &error, 2, all, NULL), LB_EIO));
    }
    e.broken = false;
    x.data[600 * COLS + 3] = (float)NAN;
    cr_expect(eq(int, lb_scatter(&flux, &error, 2, all, &err), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(err.text, "row 600"), NULL), "%s", err.text);
    x.data[600 * COLS + 3] = 1.0f;
    for (size_t j = 0; j < COLS; j++)
        e.data[2 * COLS + j] = 0.0f;
    err = (lb_error){0};
    cr_expect(eq(int, lb_scatter(&flux, &error, 2, all, &err), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(err.text, "row 2 "), NULL), "%s", err.text);
    free(x.data);
    free(e.data);
}
