/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/threads.h"
#include "linalg/toy.h"
#include "models/windows.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <omp.h>
#include <stdio.h>

/* Noisy spectra of @p p pixels from 7100.2 to 8849.8 A, each with its own brightness. */
typedef struct sky {
    size_t n, p;
    double *wave;
    float *flux;
} sky;

static sky sky_make(size_t n, size_t p)
{
    sky s = {n, p, lb_xcalloc(p, sizeof(double)), lb_xcalloc(n * p, sizeof(float))};
    lb_rng r = lb_rng_make(5, 17);
    for (size_t j = 0; j < p; j++)
        s.wave[j] = 7100.2 + (8849.8 - 7100.2) * (double)j / (double)(p - 1);
    for (size_t i = 0; i < n; i++) {
        const double level = 0.3 + 2.0 * lb_rng_uniform(&r);
        for (size_t j = 0; j < p; j++)
            s.flux[i * p + j] = (float)(level * (1.0 + 0.1 * lb_rng_normal(&r)));
    }
    return s;
}

/* Every pixel 1. */
static sky sky_flat(size_t n, size_t p)
{
    sky s = sky_make(n, p);
    for (size_t k = 0; k < n * p; k++)
        s.flux[k] = 1.0f;
    return s;
}

static void sky_free(sky *s)
{
    free(s->wave);
    free(s->flux);
}

static lb_cmatf sky_view(const sky *s)
{
    return (lb_cmatf){s->flux, s->n, s->p, s->p};
}

static lb_cvec sky_wave(const sky *s)
{
    return (lb_cvec){s->wave, s->p};
}

/* Features of all rows; the caller frees them. */
static double *measure(const sky *s, const lb_window_set *set, lb_window_options how,
                       const char *medium, size_t *n_bad)
{
    double *out = lb_xcalloc(s->n * set->n_features, sizeof *out);
    lb_error err = {0};
    cr_assert(eq(int,
                 lb_windows_features(set, how, sky_wave(s), medium, sky_view(s),
                                     lb_mat_of(out, s->n, set->n_features), NULL, n_bad, &err),
                 LB_OK),
              "%s", err.text);
    return out;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The slow, obvious version of one window of one spectrum in air. */
static void by_hand(const sky *s, size_t row, const lb_window *w, lb_window_options how,
                    double out[3])
{
    const float *f = s->flux + row * s->p;
    double *side = lb_xcalloc(s->p, sizeof *side), sum = 0.0, ew = 0.0, least = INFINITY;
    size_t n_side = 0, n_core = 0;
    for (size_t j = 0; j < s->p; j++) {
        const double at = s->wave[j];
        if ((at >= w->left_lo && at < w->left_hi) || (at >= w->right_lo && at < w->right_hi))
            side[n_side++] = f[j];
    }
    qsort(side, n_side, sizeof *side, by_value);
    const double q = how.continuum == LB_CONTINUUM_P90 ? 0.9 : 0.5;
    const double position = q * (double)(n_side - 1), t = position - floor(position);
    const size_t k = (size_t)position;
    const double c = side[k] + t * (side[k + 1 < n_side ? k + 1 : k] - side[k]);
    for (size_t j = 0; j < s->p; j++) {
        if (s->wave[j] < w->lo || s->wave[j] >= w->hi)
            continue;
        double v = f[j];
        if (how.depth == LB_DEPTH_MEDIAN3) {
            double three[] = {f[j - 1], f[j], f[j + 1]};
            qsort(three, 3, sizeof *three, by_value);
            v = three[1];
        }
        sum += f[j];
        ew += 1.0 - f[j] / c;
        least = fmin(least, v / c);
        n_core++;
    }
    out[0] = sum / (double)n_core;
    out[1] = 1.0 - least;
    out[2] = ew;
    free(side);
}

Test(windows, agree_with_the_definitions_at_4096_and_at_512_pixels)
{
    static const lb_window_options options[] = {{LB_CONTINUUM_MEDIAN, LB_DEPTH_MIN},
                                                {LB_CONTINUUM_P90, LB_DEPTH_MIN},
                                                {LB_CONTINUUM_MEDIAN, LB_DEPTH_MEDIAN3}};
    static const size_t pixels[] = {4096, 512};
    for (size_t q = 0; q < 6; q++) {
        sky s = sky_make(37, pixels[q / 3]);
        double *out = measure(&s, &lb_windows_eight, options[q % 3], "air", NULL);
        for (size_t i = 0; i < s.n; i++)
            for (size_t w = 0; w < 8; w++) {
                double want[3];
                by_hand(&s, i, &lb_windows_eight.windows[w], options[q % 3], want);
                for (size_t k = 0; k < 3; k++)
                    cr_expect(lt(dbl, fabs(out[i * 27 + 3 * w + k] - want[k]), 1e-12));
            }
        free(out);
        sky_free(&s);
    }
}

/* Bands of 1 to 60 pixels: every size of the sorting network. */
Test(windows, sort_bands_of_any_number_of_pixels)
{
    sky s = sky_make(19, 4096);
    const double step = s.wave[1] - s.wave[0];
    for (size_t size = 1; size <= 30; size++) {
        const double lo = s.wave[1000] - 0.5 * step, hi = lo + 5.0 * step;
        const lb_window w = {
            "any", lo, hi, lo - (double)size * step, lo, hi, hi + (double)(2 * size - 1) * step};
        const lb_window_feature f = {"EW_any", LB_WINDOW_EW, 0, 0};
        const lb_window_set set = {&w, 1, &f, 1};
        double *out = measure(&s, &set, (lb_window_options){0}, "air", NULL), want[3];
        for (size_t i = 0; i < s.n; i++) {
            by_hand(&s, i, &w, (lb_window_options){0}, want);
            cr_expect(lt(dbl, fabs(out[i] - want[2]), 1e-12));
        }
        free(out);
    }
    sky_free(&s);
}

Test(windows, a_box_of_depth_d_over_m_pixels_has_depth_d_and_an_ew_of_d_m_pixels)
{
    sky s = sky_flat(2, 4096);
    size_t m = 0;
    for (size_t j = 0; j < s.p; j++)
        if (fabs(s.wave[j] - 8542.0) < 3.0) {
            s.flux[j] = 0.625f;
            m++;
        }
    double *out = measure(&s, &lb_windows_four, (lb_window_options){0}, "air", NULL);
    const double want[9] = {0, 0, 0.375, 0.375 * (double)m, 0, 0, 0.375 * (double)m, 0, 0};
    cr_expect(gt(sz, m, 10));
    for (size_t k = 0; k < 9; k++) {
        cr_expect(lt(dbl, fabs(out[k] - want[k]), 1e-12), "%s", lb_windows_four.features[k].name);
        cr_expect(eq(dbl, out[9 + k], 0.0)); /* the flat spectrum */
    }
    free(out);
    sky_free(&s);
}

Test(windows, brightness_changes_the_mean_alone)
{
    sky s = sky_make(20, 4096);
    double *one = measure(&s, &lb_windows_six, (lb_window_options){0}, "vacuum", NULL);
    for (size_t k = 0; k < s.n * s.p; k++)
        s.flux[k] *= 2.0f;
    double *two = measure(&s, &lb_windows_six, (lb_window_options){0}, "vacuum", NULL);
    for (size_t i = 0; i < s.n; i++)
        for (size_t k = 0; k < 20; k++) {
            const int mean = lb_windows_six.features[k].measure == LB_WINDOW_MEAN;
            cr_expect(eq(dbl, two[i * 20 + k], (mean ? 2.0 : 1.0) * one[i * 20 + k]));
        }
    free(one);
    free(two);
    sky_free(&s);
}

Test(windows, the_total_is_the_exact_sum_of_its_lines)
{
    sky s = sky_make(20, 4096);
    double *out = measure(&s, &lb_windows_four, (lb_window_options){0}, "air", NULL);
    for (const double *x = out; x < out + 20 * 9; x += 9)
        cr_expect(eq(dbl, x[6], x[1] + x[3] + x[5]));
    free(out);
    sky_free(&s);
}

/* The tables of the programme: order of the columns as in its logs. */
Test(windows, columns_have_the_published_order_and_a_name_each)
{
    static const char *const nine[] = {"depth_8498", "EW_8498",    "depth_8542",
                                       "EW_8542",    "depth_8662", "EW_8662",
                                       "EW_CaT",     "depth_Na",   "EW_Na"};
    cr_assert(eq(sz, lb_windows_four.n_features, 9));
    for (size_t k = 0; k < 9; k++)
        cr_expect(eq(str, (char *)lb_windows_four.features[k].name, (char *)nine[k]));
    cr_expect(eq(sz, lb_windows_eight.n_features, 27)); /* with ten PCA scores: 37 */
    cr_expect(eq(str, (char *)lb_windows_eight.features[3].name, "mean_CaII_8542"));
    cr_expect(eq(str, (char *)lb_windows_eight.features[26].name, "MgI_EW_total"));
    cr_expect(eq(sz, lb_windows_six.n_features, 20));
    const lb_window *na = &lb_windows_four.windows[3];
    cr_expect(eq(dbl, na->left_lo, 8170.0));
    cr_expect(eq(dbl, na->right_hi, 8210.0));
}

/* --- air and vacuum ----------------------------------------------------------------------------
 */

Test(windows, vacuum_wavelengths_of_the_lines_are_the_known_ones)
{
    static const double lines[][2] = {{8498.02, 8500.36}, {8542.09, 8544.44}, {8662.14, 8664.52},
                                      {8806.76, 8809.18}, {8750.47, 8752.88}, {8598.39, 8600.75},
                                      {8688.62, 8691.01}, {7664.91, 7667.02}, {7698.97, 7701.09}};
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
        cr_expect(lt(dbl, fabs(lb_air_to_vacuum(lines[k][0]) - lines[k][1]), 0.0075));
    const double v = lb_air_to_vacuum(8542.09), s2 = 1e8 / (v * v); /* it solves its equation */
    const double n = 1.0 + 0.05792105 / (238.0185 - s2) + 0.00167917 / (57.362 - s2);
    cr_expect(lt(dbl, fabs(v / n - 8542.09), 2e-12));
}

/* The same spectra on wavelengths in vacuum give the same features, to the last bit. */
Test(windows, measure_the_same_light_in_either_medium)
{
    sky s = sky_make(20, 4096);
    double *air = measure(&s, &lb_windows_eight, (lb_window_options){0}, "air", NULL);
    double *unknown = measure(&s, &lb_windows_eight, (lb_window_options){0}, "unknown", NULL);
    double *unmoved = measure(&s, &lb_windows_eight, (lb_window_options){0}, "vacuum", NULL);
    for (size_t j = 0; j < s.p; j++)
        s.wave[j] = lb_air_to_vacuum(s.wave[j]);
    double *vacuum = measure(&s, &lb_windows_eight, (lb_window_options){0}, "vacuum", NULL);
    cr_expect(eq(int, memcmp(air, vacuum, 20 * 27 * sizeof *air), 0));
    cr_expect(eq(int, memcmp(air, unknown, 20 * 27 * sizeof *air), 0));
    cr_expect(ne(int, memcmp(air, unmoved, 20 * 27 * sizeof *air), 0));
    cr_expect(ne(ptr, strstr(lb_windows_medium_note("vacuum"), "Ciddor"), NULL));
    cr_expect(ne(ptr, strstr(lb_windows_medium_note("unknown"), "do not say"), NULL));
    cr_expect(ne(ptr, (void *)lb_windows_medium_note("air"), NULL));
    cr_expect(eq(ptr, (void *)lb_windows_medium_note("water"), NULL));
    free(air);
    free(unknown);
    free(unmoved);
    free(vacuum);
    sky_free(&s);
}

/* --- awkward spectra ---------------------------------------------------------------------------
 */

Test(windows, a_dark_spectrum_has_no_continuum_and_is_counted)
{
    sky s = sky_flat(3, 4096);
    unsigned char bad[3 * 4];
    double out[3 * 9];
    size_t n_bad = 99;
    for (size_t j = 0; j < s.p; j++) {
        s.flux[s.p + j] = 0.0f; /* row 1: dark throughout; row 2: negative around Na I */
        s.flux[2 * s.p + j] = s.wave[j] < 8300.0 ? -1.0f : 1.0f;
    }
    cr_assert(eq(int,
                 lb_windows_features(&lb_windows_four, (lb_window_options){0}, sky_wave(&s), "air",
                                     sky_view(&s), lb_mat_of(out, 3, 9), bad, &n_bad, NULL),
                 LB_OK));
    static const unsigned char want[] = {0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1};
    cr_expect(eq(sz, n_bad, 5));
    cr_expect(eq(int, memcmp(bad, want, sizeof want), 0));
    for (size_t k = 0; k < 27; k++)
        cr_expect(eq(dbl, out[k], 0.0));
    sky_free(&s);
}

Test(windows, the_median_of_three_does_not_see_one_cold_pixel_at_the_edge_of_the_core_or_in_it)
{
    sky s = sky_flat(2, 4096);
    size_t first = 0;
    while (s.wave[first] < 8530.0)
        first++;
    s.flux[first] = 0.2f;
    s.flux[s.p + first + 20] = 0.2f;
    double *min = measure(&s, &lb_windows_four, (lb_window_options){0}, "air", NULL);
    double *three =
        measure(&s, &lb_windows_four, (lb_window_options){0, LB_DEPTH_MEDIAN3}, "air", NULL);
    for (size_t i = 0; i < 2; i++) {
        cr_expect(lt(dbl, fabs(min[9 * i + 2] - 0.8), 1e-7));
        cr_expect(eq(dbl, three[9 * i + 2], 0.0));
        cr_expect(eq(dbl, min[9 * i + 3], three[9 * i + 3]));
    }
    free(min);
    free(three);
    sky_free(&s);
}

Test(windows, rows_do_not_depend_on_their_company_or_on_threads)
{
    const size_t before = threads_now();
    sky s = sky_make(203, 512);
    size_t bad_one, bad_two;
    s.flux[0] = NAN; /* in no window: not looked at */
    omp_set_num_threads(1);
    double *one = measure(&s, &lb_windows_eight, (lb_window_options){0}, "vacuum", &bad_one);
    omp_set_num_threads(2);
    double *two = measure(&s, &lb_windows_eight, (lb_window_options){0}, "vacuum", &bad_two);
    cr_expect(gt(sz, threads_now(), before), "two threads were at work");
    cr_expect(eq(int, memcmp(one, two, 203 * 27 * sizeof *one), 0));
    cr_expect(eq(sz, bad_one, bad_two));
    const sky alone = {1, s.p, s.wave, s.flux + 101 * s.p};
    double *row = measure(&alone, &lb_windows_eight, (lb_window_options){0}, "vacuum", NULL);
    cr_expect(eq(int, memcmp(row, one + 101 * 27, 27 * sizeof *row), 0));
    free(one);
    free(two);
    free(row);
    sky_free(&s);
}

/* As an experiment does it: the features of a stream go to the first columns of a wider matrix. */
Test(windows, a_stream_gives_the_same_features_into_any_columns)
{
    sky s = sky_make(1100, 512);
    s.flux[700 * s.p + 400] = -50.0f; /* in the Ca II 8498 core */
    toy t = {.n = s.n, .p = s.p, .x = s.flux};
    const lb_stream x = toy_stream(&t);
    double *whole = measure(&s, &lb_windows_four, (lb_window_options){0}, "vacuum", NULL);
    double *wide = lb_xcalloc(s.n * 13, sizeof *wide);
    size_t n_bad = 99;
    cr_assert(
        eq(int,
           lb_windows_features_stream(&lb_windows_four, (lb_window_options){0}, sky_wave(&s),
                                      "vacuum", &x, (lb_mat){wide, s.n, 9, 13}, NULL, &n_bad, NULL),
           LB_OK));
    cr_expect(eq(sz, n_bad, 0));
    for (size_t i = 0; i < s.n; i++) {
        cr_expect(eq(int, memcmp(wide + i * 13, whole + i * 9, 9 * sizeof *wide), 0));
        cr_expect(eq(dbl, wide[i * 13 + 9], 0.0));
    }
    t.broken_from = 900;
    cr_expect(
        eq(int,
           lb_windows_features_stream(&lb_windows_four, (lb_window_options){0}, sky_wave(&s),
                                      "vacuum", &x, (lb_mat){wide, s.n, 9, 13}, NULL, NULL, NULL),
           LB_EIO));
    free(whole);
    free(wide);
    sky_free(&s);
}

/* --- refusals ----------------------------------------------------------------------------------
 */

static lb_status refuse(const sky *s, const lb_window_set *set, const char *medium, size_t rows,
                        const char *expected)
{
    double *out = lb_xcalloc(s->n * 27, sizeof *out);
    lb_error err = {0};
    const lb_status st =
        lb_windows_features(set, (lb_window_options){0}, sky_wave(s), medium, sky_view(s),
                            lb_mat_of(out, rows, set->n_features), NULL, NULL, &err);
    cr_expect(ne(ptr, strstr(err.text, expected), NULL), "'%s' in '%s'", expected, err.text);
    free(out);
    return st;
}

Test(windows, name_the_first_broken_row_and_its_window)
{
    static const double places[] = {8495.0, 8525.0, 8680.0}; /* a core, a left and a right band */
    static const char *const names[] = {"Ca II 8498", "Ca II 8542", "Ca II 8662"};
    for (size_t k = 0; k < 3; k++) {
        sky s = sky_make(300, 512);
        size_t j = 0;
        while (s.wave[j] < places[k])
            j++;
        s.flux[250 * s.p + j] = INFINITY;
        s.flux[141 * s.p + j] = NAN;
        char expected[64];
        snprintf(expected, sizeof expected, "row 141 holds NaN or infinity in the window %s",
                 names[k]);
        cr_expect(eq(int, refuse(&s, &lb_windows_four, "air", s.n, expected), LB_ENUMERIC));
        sky_free(&s);
    }
}

Test(windows, say_which_argument_is_wrong)
{
    sky s = sky_make(2, 512);
    const lb_window_feature depth = {"depth_x", LB_WINDOW_DEPTH, 0, 0};
    const lb_window_feature two = {"depth_of_two", LB_WINDOW_DEPTH, 0, 1};
    const lb_window_feature far = {"EW_far", LB_WINDOW_EW, 0, 2};
    const lb_window_feature turned = {"EW_turned", LB_WINDOW_EW, 1, 0};
    const lb_window out_of_range[] = {{"Mg b", 5160, 5190, 5150, 5160, 5190, 5200}};
    const lb_window at_the_end[] = {{"red", 8835, 8845, 8825, 8835, 8845, 8855}};
    const lb_window thin[] = {{"thin", 8000.0, 8000.5, 7990, 8000, 8000.5, 8010}};
    const lb_window backwards[] = {{"back", 8000, 8020, 8000, 7990, 8020, 8030}};
    const lb_window no_number[] = {{"nan", 8000, (double)NAN, 7990, 8000, 8020, 8030}};
    cr_expect(eq(int, refuse(&s, &lb_windows_four, "air", 1, "go to 1x9"), LB_ESHAPE));
    cr_expect(eq(int, refuse(&s, &lb_windows_four, "water", 2, "'water'"), LB_EINVAL));
    cr_expect(eq(int, refuse(&s, &(lb_window_set){out_of_range, 1, &depth, 1}, "air", 2, "Mg b"),
                 LB_EINVAL));
    cr_expect(eq(
        int, refuse(&s, &(lb_window_set){at_the_end, 1, &depth, 1}, "air", 2, "right band, 8845"),
        LB_EINVAL));
    cr_expect(
        eq(int, refuse(&s, &(lb_window_set){thin, 1, &depth, 1}, "air", 2, "they are 3.42 A apart"),
           LB_EINVAL));
    cr_expect(eq(int,
                 refuse(&s, &(lb_window_set){backwards, 1, &depth, 1}, "air", 2, "left band runs"),
                 LB_EINVAL));
    cr_expect(eq(int, refuse(&s, &(lb_window_set){no_number, 1, &depth, 1}, "air", 2, "core runs"),
                 LB_EINVAL));
    cr_expect(eq(
        int,
        refuse(&s, &(lb_window_set){lb_windows_four.windows, 4, &two, 1}, "air", 2, "only the EW"),
        LB_EINVAL));
    cr_expect(eq(
        int,
        refuse(&s, &(lb_window_set){lb_windows_four.windows, 2, &far, 1}, "air", 2, "there are 2"),
        LB_EINVAL));
    cr_expect(
        eq(int,
           refuse(&s, &(lb_window_set){lb_windows_four.windows, 2, &turned, 1}, "air", 2, "1 to 0"),
           LB_EINVAL));
    double narrow[18];
    cr_expect(eq(int,
                 lb_windows_features(&lb_windows_four, (lb_window_options){0}, sky_wave(&s), "air",
                                     sky_view(&s), lb_mat_of(narrow, 2, 8), NULL, NULL, NULL),
                 LB_ESHAPE));
    const lb_cvec short_wave = {s.wave, s.p - 1};
    cr_expect(eq(int,
                 lb_windows_features(&lb_windows_four, (lb_window_options){0}, short_wave, "air",
                                     sky_view(&s), lb_mat_of(narrow, 2, 9), NULL, NULL, NULL),
                 LB_ESHAPE));
    s.wave[100] = s.wave[99];
    cr_expect(eq(int, refuse(&s, &lb_windows_four, "air", 2, "must increase"), LB_EINVAL));
    const sky tiny = {2, 2, s.wave, s.flux};
    cr_expect(eq(int, refuse(&tiny, &lb_windows_four, "air", 2, "2 pixels"), LB_EINVAL));
    sky_free(&s);
}

Test(windows, no_rows_give_no_features)
{
    sky s = sky_make(0, 512);
    size_t n_bad = 7;
    double *out = measure(&s, &lb_windows_four, (lb_window_options){0}, "air", &n_bad);
    cr_expect(eq(sz, n_bad, 0));
    free(out);
    sky_free(&s);
}

/* Between core and band lies a pixel that only the median of three looks at. */
Test(windows, look_at_the_pixels_they_use_and_at_no_other)
{
    sky s = sky_make(1, 512);
    const double step = s.wave[1] - s.wave[0], lo = s.wave[100] - 0.5 * step, hi = lo + 5.0 * step;
    const lb_window w = {"gap", lo, hi, lo - 9.0 * step, lo - step, hi + step, hi + 9.0 * step};
    const lb_window_feature f = {"depth_gap", LB_WINDOW_DEPTH, 0, 0};
    const lb_window_set set = {&w, 1, &f, 1};
    double out;
    for (size_t j = 99; j <= 105; j += 6) {
        const float was = s.flux[j];
        s.flux[j] = NAN;
        for (int depth = LB_DEPTH_MIN; depth <= LB_DEPTH_MEDIAN3; depth++)
            cr_expect(eq(int,
                         lb_windows_features(&set, (lb_window_options){0, (lb_window_depth)depth},
                                             sky_wave(&s), "air", sky_view(&s),
                                             lb_mat_of(&out, 1, 1), NULL, NULL, NULL),
                         depth == LB_DEPTH_MIN ? LB_OK : LB_ENUMERIC));
        s.flux[j] = was;
    }
    sky_free(&s);
}
