/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/noise.h"

#include "core/memory.h"
#include "data/toy.h"

#include <Random123/philox.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { P = 777 }; /* not a multiple of anything */

/* The contract of the header in double precision with the C library: slow and obvious. */
static double slow_normal(uint64_t seed, uint64_t row, size_t j)
{
    const uint32_t q = (uint32_t)(j / 256), lane = (uint32_t)(j / 64 % 4), i = (uint32_t)(j % 64);
    const philox4x32_ctr_t counter = {
        {64 * q + i, 0x6E6F6973u, (uint32_t)row, (uint32_t)(row >> 32)}};
    const philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    const philox4x32_ctr_t w = philox4x32(counter, key);
    const uint32_t a = w.v[lane & 2], b = w.v[(lane & 2) + 1];
    const double radius = sqrt(-2.0 * log(((double)(a >> 8) + 1.0) * 0x1p-24));
    const double quarter = (double)(b >> 30),
                 within = (double)((b >> 8) & 0x3FFFFF) * 0x1p-22 - 0.5;
    const double angle = M_PI / 2.0 * (quarter + within);
    return radius * (lane & 1 ? sin(angle) : cos(angle));
}

Test(noise, agrees_with_random123_and_the_c_library)
{
    float z[P];
    for (uint64_t row = 0; row < 50; row++) {
        lb_normal_row(0x123456789ABCDEFu + row, row << 30, P, z);
        for (size_t j = 0; j < P; j++) {
            const double slow = slow_normal(0x123456789ABCDEFu + row, row << 30, j);
            cr_assert(fabs(z[j] - slow) < 2e-6, "row %d pixel %zu: %.9g and %.9g", (int)row, j,
                      z[j], slow);
        }
    }
}

Test(noise, has_the_moments_of_a_normal)
{
    enum { ROWS = 500, COLS = 4096 };
    const double n = (double)ROWS * COLS;
    float z[COLS];
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0, lag = 0, largest = 0;
    for (uint64_t row = 0; row < ROWS; row++) {
        lb_normal_row(42, row, COLS, z);
        for (size_t j = 0; j < COLS; j++) {
            const double x = z[j];
            m1 += x;
            m2 += x * x;
            m3 += x * x * x;
            m4 += x * x * x * x;
            lag += j ? x * z[j - 1] : 0.0;
            largest = fmax(largest, fabs(x));
        }
    }
    /* five standard errors: of the mean 1/sqrt n, variance sqrt(2/n), third sqrt(15/n), fourth
     * sqrt(96/n) */
    cr_expect(fabs(m1 / n) < 5.0 * sqrt(1.0 / n));
    cr_expect(fabs(m2 / n - 1.0) < 5.0 * sqrt(2.0 / n));
    cr_expect(fabs(m3 / n) < 5.0 * sqrt(15.0 / n));
    cr_expect(fabs(m4 / n - 3.0) < 5.0 * sqrt(96.0 / n));
    cr_expect(fabs(lag / n) < 5.0 * sqrt(1.0 / n));
    cr_expect(largest > 4.5 && largest <= 5.77);
}

Test(noise, a_pixel_does_not_depend_on_how_many_there_are)
{
    float whole[P], part[P];
    lb_normal_row(43, 17, P, whole);
    for (size_t p = 1; p < P; p += 97) {
        lb_normal_row(43, 17, p, part);
        cr_expect(memcmp(whole, part, p * sizeof *part) == 0, "%zu pixels", p);
    }
}

Test(noise, rows_and_seeds_are_not_alike)
{
    float a[P], b[P], c[P];
    double ab = 0, ac = 0;
    lb_normal_row(42, 5, P, a);
    lb_normal_row(42, 6, P, b);
    lb_normal_row(43, 5, P, c);
    for (size_t j = 0; j < P; j++) {
        ab += a[j] * b[j];
        ac += a[j] * c[j];
    }
    cr_expect(fabs(ab) < 5.0 * sqrt((double)P));
    cr_expect(fabs(ac) < 5.0 * sqrt((double)P));
}

/* All rows of the toy through a stream, in blocks. */
static float *read_all(lb_spectra *s, double level, size_t block)
{
    const size_t n = lb_spectra_rows(s), p = lb_spectra_pixels(s);
    lb_noisy noisy = {s, level, 42};
    const lb_stream stream = lb_noisy_stream(&noisy);
    float *x = lb_xcalloc(n * p, sizeof *x);
    lb_error err = {0};
    for (size_t i = 0; i < n; i += block) {
        const size_t k = n - i < block ? n - i : block;
        cr_assert(stream.read(stream.self, i, (lb_matf){x + i * p, k, p, p}, &err) == LB_OK, "%s",
                  err.text);
    }
    return x;
}

static lb_spectra *open_toy(const toy *t)
{
    const char *dir = scratch_dir();
    lb_spectra *s;
    free(toy_write(t, dir, "train_0"));
    cr_assert(lb_spectra_open(dir, "train", &s, NULL) == LB_OK);
    return s;
}

Test(noise, does_not_depend_on_threads_or_block_size)
{
    toy t = toy_new(300, P, 3);
    lb_spectra *s = open_toy(&t);
    omp_set_num_threads(1);
    float *reference = read_all(s, 0.37, 300);
    for (size_t block = 1; block < 300; block += 83) {
        omp_set_num_threads(block % 2 ? 3 : 2);
        float *x = read_all(s, 0.37, block);
        cr_expect(memcmp(x, reference, 300 * P * sizeof *x) == 0, "blocks of %zu", block);
        free(x);
    }
    free(reference);
    lb_spectra_close(s);
    toy_free(&t);
}

Test(noise, is_level_times_error_times_z)
{
    toy t = toy_new(9, P, 3);
    lb_spectra *s = open_toy(&t);
    float *x = read_all(s, 0.37, 4), z[P];
    for (size_t i = 0; i < 9; i++) {
        lb_normal_row(42, i, P, z);
        for (size_t j = 0; j < P; j++) {
            const double expected =
                t.flux[i * P + j] + 0.37 * (double)t.error[i * P + j] * (double)z[j];
            cr_assert(fabs(x[i * P + j] - expected) < 4e-7 * (1.0 + fabs(expected)));
        }
    }
    free(x);
    lb_spectra_close(s);
    toy_free(&t);
}

Test(noise, level_zero_returns_the_flux_bit_for_bit)
{
    toy t = toy_new(5, P, 3);
    t.flux[3] = -0.0f;
    t.flux[4] = NAN;
    lb_spectra *s = open_toy(&t);
    float *x = read_all(s, 0.0, 5);
    cr_expect(memcmp(x, t.flux, 5 * P * sizeof *x) == 0);
    free(x);
    lb_spectra_close(s);
    toy_free(&t);
}

Test(noise, pixels_without_a_usable_error_get_none)
{
    toy t = toy_new(1, P, 3);
    static const float useless[] = {0.0f, -0.1f, NAN, INFINITY, -INFINITY};
    memcpy(t.error, useless, sizeof useless);
    lb_spectra *s = open_toy(&t);
    float *x = read_all(s, 1.0, 1);
    cr_expect(memcmp(x, t.flux, 5 * sizeof *x) == 0);
    cr_expect(x[5] != t.flux[5] && x[6] != t.flux[6]);
    free(x);
    lb_spectra_close(s);
    toy_free(&t);
}

Test(noise, refuses_a_level_that_is_no_level)
{
    toy t = toy_new(2, 8, 3);
    lb_spectra *s = open_toy(&t);
    float x[8];
    const double levels[] = {-0.1, NAN, INFINITY};
    for (int i = 0; i < 3; i++) {
        lb_noisy noisy = {s, levels[i], 42};
        const lb_stream stream = lb_noisy_stream(&noisy);
        cr_expect(eq(int, stream.read(stream.self, 0, (lb_matf){x, 1, 8, 8}, NULL), LB_EINVAL));
    }
    lb_spectra_close(s);
    toy_free(&t);
}

Test(noise, whitened_rows_are_the_noisy_ones_over_their_noise)
{
    toy t = toy_new(9, P, 3);
    static const float useless[] = {0.0f, -0.1f, NAN, INFINITY};
    memcpy(t.error, useless, sizeof useless);
    lb_spectra *s = open_toy(&t);
    float *noisy = read_all(s, 0.5, 4), *x = lb_xcalloc(9 * P, sizeof *x);
    lb_noisy view = {s, 0.5, 42};
    const lb_stream white = lb_whitened_stream(&view);
    lb_error err = {0};
    cr_assert(white.read(white.self, 0, (lb_matf){x, 9, P, P}, &err) == LB_OK, "%s", err.text);
    for (size_t i = 0; i < 9 * P; i++)
        if (i < 4)
            cr_expect(eq(flt, x[i], 0.0f), "pixel %zu has no error", i);
        else
            cr_assert(eq(flt, x[i], noisy[i] / (0.5f * t.error[i])));
    view.level = 0.0;
    cr_expect(eq(int, white.read(white.self, 0, (lb_matf){x, 1, P, P}, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "whitened") != NULL, "%s", err.text);
    free(x);
    free(noisy);
    lb_spectra_close(s);
    toy_free(&t);
}
