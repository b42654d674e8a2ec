/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/simulate.h"

#include "core/file.h"
#include "core/memory.h"
#include "data/shard.h"
#include "data/source.h"
#include "data/spectra.h"
#include "data/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const lb_profile fine = {"toy", 37, 11, 11, 2, 1, NULL, 11};
static const lb_profile coarse = {"coarse", 37, 11, 11, 2, 8, NULL, 11}; /* the same draws */
static const lb_profile other = {"other", 37, 11, 11, 1, 8, NULL, 12};

static lb_simulation simulation(const lb_profile *profile, const char *out)
{
    return (lb_simulation){.profile = profile,
                           .grid_path = "data/grid/stellar_grid.h5",
                           .sky_path = "data/grid/sky_lines.tsv",
                           .out = out,
                           .seed = 5};
}

static void run(const lb_simulation *sim)
{
    lb_text report = {0};
    lb_error err = {0};
    cr_assert(lb_simulate(sim, &report, &err) == LB_OK, "%s", err.text);
    lb_text_free(&report);
}

static void hash_of(const char *dir, const char *shard, char out[LB_HASH_SIZE])
{
    char *path = lb_xprintf("%s/%s/dataset.h5", dir, shard);
    cr_assert(lb_hash_file(path, out, NULL) == LB_OK, "%s", path);
    free(path);
}

Test(simulate, bytes_do_not_depend_on_threads)
{
    lb_simulation sim = simulation(&fine, scratch_dir());
    char one[LB_HASH_SIZE], three[LB_HASH_SIZE];
    omp_set_num_threads(1);
    run(&sim);
    hash_of(sim.out, "train_1", one);
    omp_set_num_threads(3);
    sim.out = scratch_dir();
    run(&sim);
    hash_of(sim.out, "train_1", three);
    cr_expect(eq(str, one, three));
}

Test(simulate, a_finished_shard_is_kept_and_a_lost_one_made_again)
{
    lb_simulation sim = simulation(&coarse, scratch_dir());
    run(&sim);
    char *kept = in_dir(sim.out, "train_0/dataset.h5"),
         *lost = in_dir(sim.out, "train_1/dataset.h5");
    char before[LB_HASH_SIZE], after[LB_HASH_SIZE];
    struct stat first, second;
    hash_of(sim.out, "train_1", before);
    stat(kept, &first);
    remove(lost);
    lb_text report = {0};
    cr_assert(lb_simulate(&sim, &report, NULL) == LB_OK);
    stat(kept, &second);
    hash_of(sim.out, "train_1", after);
    cr_expect(eq(str, before, after));
    cr_expect(first.st_ino == second.st_ino && first.st_mtim.tv_nsec == second.st_mtim.tv_nsec);
    cr_expect(strstr(report.s, "train_0/dataset.h5: kept") != NULL, "%s", report.s);
    cr_expect(strstr(report.s, "train_1/dataset.h5: 19 rows") != NULL, "%s", report.s);
    lb_text_free(&report);
    free(kept);
    free(lost);
}

Test(simulate, other_settings_replace_the_shards)
{
    lb_simulation sim = simulation(&coarse, scratch_dir());
    char a[LB_HASH_SIZE], b[LB_HASH_SIZE], c[LB_HASH_SIZE];
    run(&sim);
    hash_of(sim.out, "test_0", a);
    sim.seed++;
    run(&sim);
    hash_of(sim.out, "test_0", b);
    sim.seed--;
    run(&sim);
    hash_of(sim.out, "test_0", c);
    cr_expect(ne(str, a, b));
    cr_expect(eq(str, a, c));
}

Test(simulate, shards_of_another_profile_are_not_read_along)
{
    lb_simulation sim = simulation(&coarse, scratch_dir());
    lb_text report = {0};
    lb_error err = {0};
    run(&sim);
    sim.profile = &other; /* one training shard instead of two */
    cr_expect(eq(int, lb_simulate(&sim, &report, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "train_1") && strstr(err.text, "remove it"), "%s", err.text);
    lb_text_free(&report);
}

static lb_spectra *open_set(const char *dir, const char *split)
{
    lb_spectra *s;
    lb_error err = {0};
    cr_assert(lb_spectra_open(dir, split, &s, &err) == LB_OK, "%s", err.text);
    return s;
}

Test(simulate, the_norm_ratio_follows_the_magnitude_and_the_median_is_one)
{
    enum { P = 4096 };
    const lb_simulation sim = simulation(&fine, scratch_dir());
    run(&sim);
    lb_spectra *s = open_set(sim.out, "train");
    const size_t n = lb_spectra_rows(s);
    cr_assert(eq(sz, n, 37));
    double norm[37], median[37];
    float x[P];
    lb_spectra_snr(s, (lb_vec){norm, n}, (lb_vec){median, n}, NULL);
    for (size_t i = 0; i < n; i++) {
        const double mag = lb_spectra_label(s, "mag").data[i];
        cr_expect(mag >= 20.5 && mag <= 22.5);
        cr_expect(epsilon_eq(dbl, norm[i], 8.8 * pow(10.0, -0.48 * (mag - 20.5)), 1e-6));
        cr_expect(epsilon_eq(dbl, norm[i], lb_spectra_label(s, "snr").data[i], 1e-9));
        cr_expect(median[i] > 1.8 * norm[i] && median[i] < 2.3 * norm[i]);
        cr_expect(eq(dbl, lb_spectra_label(s, "redshift").data[i], 0.0));
        size_t below = 0, above = 0;
        lb_spectra_read(s, i, (lb_matf){x, 1, P, P}, (lb_matf){0}, NULL);
        for (int j = 0; j < P; j++) {
            below += x[j] < 1.0f;
            above += x[j] > 1.0f;
            cr_assert(x[j] >= 0.0f);
        }
        cr_expect(below <= P / 2 && above <= P / 2);
    }
    lb_spectra_close(s);
}

Test(simulate, rebinning_keeps_the_mean_flux_and_the_error_of_a_mean)
{
    enum { P = 4096, R = 8 };
    const lb_simulation a = simulation(&fine, scratch_dir()),
                        b = simulation(&coarse, scratch_dir());
    run(&a);
    run(&b);
    lb_spectra *all = open_set(a.out, "val"), *few = open_set(b.out, "val");
    cr_assert(eq(sz, lb_spectra_pixels(few), P / R));
    static float x[P], e[P], y[P / R], f[P / R];
    for (size_t i = 0; i < 11; i++) {
        lb_spectra_read(all, i, (lb_matf){x, 1, P, P}, (lb_matf){e, 1, P, P}, NULL);
        lb_spectra_read(few, i, (lb_matf){y, 1, P / R, P / R}, (lb_matf){f, 1, P / R, P / R}, NULL);
        for (int j = 0; j < P / R; j++) {
            double mean = 0, variance = 0;
            for (int k = j * R; k < (j + 1) * R; k++) {
                mean += x[k] / (double)R;
                variance += (double)e[k] * e[k] / (R * R);
            }
            cr_assert(fabs(y[j] - mean) < 3e-7 && fabs(f[j] - sqrt(variance)) < 1e-6 * f[j]);
        }
    }
    cr_expect(epsilon_eq(dbl, lb_spectra_wave(few).data[0],
                         (lb_spectra_wave(all).data[0] + lb_spectra_wave(all).data[7]) / 2, 1e-8));
    lb_spectra_close(all);
    lb_spectra_close(few);
}

Test(simulate, a_row_does_not_depend_on_the_shard_it_is_in)
{
    enum { P = 512, N = 37 };
    const lb_profile whole = {"whole", N, 11, 11, 1, 8, NULL, 11};
    const lb_simulation a = simulation(&coarse, scratch_dir()),
                        b = simulation(&whole, scratch_dir());
    static float x[N * P], y[N * P];
    run(&a);
    run(&b);
    lb_spectra *two = open_set(a.out, "train"), *one = open_set(b.out, "train");
    cr_expect(eq(sz, lb_spectra_shards(two), 2));
    lb_spectra_read(two, 0, (lb_matf){x, N, P, P}, (lb_matf){0}, NULL);
    lb_spectra_read(one, 0, (lb_matf){y, N, P, P}, (lb_matf){0}, NULL);
    cr_expect(memcmp(x, y, sizeof x) == 0);
    lb_spectra_close(two);
    lb_spectra_close(one);
}

/* A grid of one spectrum, 1, 2, 3 and -1, whatever the labels. */
static char *flat_grid(void)
{
    char *path = in_dir(scratch_dir(), "grid.h5");
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const double nodes[] = {1, 2, 3, 4}, zeros[64] = {0}, wave[] = {7000, 7001, 7002, 7003};
    const double mean[] = {1, 2, 3, -1};
    const struct {
        const char *name;
        const double *data;
        hsize_t n;
    } arrays[] = {{"teff", nodes, 4},      {"logg", nodes, 4},
                  {"mh", nodes, 4},        {"wave", wave, 4},
                  {"mean", mean, 4},       {"components", zeros, 4},
                  {"cont_mean", zeros, 4}, {"cont_components", zeros, 4},
                  {"coef", zeros, 64},     {"cont_coef", zeros, 64}};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        put_array(file, arrays[i].name, H5T_NATIVE_DOUBLE, 1, &arrays[i].n, arrays[i].data);
    H5Fclose(file);
    return path;
}

Test(simulate, flux_is_over_its_median_and_never_negative)
{
    const lb_profile tiny = {"tiny", 2, 1, 1, 1, 1, NULL, 13};
    lb_simulation sim = simulation(&tiny, scratch_dir());
    char *grid = flat_grid();
    sim.grid_path = grid;
    run(&sim);
    lb_spectra *s = open_set(sim.out, "test");
    float x[4];
    lb_spectra_read(s, 0, (lb_matf){x, 1, 4, 4}, (lb_matf){0}, NULL);
    const double expected[] = {1 / 1.5, 2 / 1.5, 3 / 1.5, 0};
    for (int j = 0; j < 4; j++)
        cr_expect(epsilon_eq(dbl, x[j], expected[j], 1e-7));
    lb_spectra_close(s);
    free(grid);
}

Test(simulate, draws_fill_the_box_and_sets_share_nothing)
{
    lb_grid *g;
    cr_assert(lb_grid_load("data/grid/stellar_grid.h5", &g, NULL) == LB_OK);
    const lb_simulation sim = simulation(&fine, ""), sim2 = simulation(&other, "");
    double sum[3] = {0};
    enum { N = 20000 };
    for (size_t i = 0; i < N; i++) {
        const lb_draw d = lb_simulate_draw(&sim, g, LB_SET_TRAIN, i);
        const lb_draw v = lb_simulate_draw(&sim, g, LB_SET_VAL, i);
        const lb_draw o = lb_simulate_draw(&sim2, g, LB_SET_TRAIN, i);
        for (int a = 0; a < 3; a++) {
            const lb_cvec x = lb_grid_axis(g, a);
            cr_assert(d.point[a] >= x.data[0] && d.point[a] <= x.data[x.n - 1]);
            cr_assert(d.point[a] != v.point[a] && d.point[a] != o.point[a]);
            sum[a] += (d.point[a] - x.data[0]) / (x.data[x.n - 1] - x.data[0]) / N;
        }
    }
    for (int a = 0; a < 3; a++) /* five standard errors of a uniform mean */
        cr_expect(fabs(sum[a] - 0.5) < 5.0 * sqrt(1.0 / 12.0 / N));
    lb_grid_free(g);
}

Test(simulate, grid_locked_labels_leave_one_axis_free)
{
    lb_grid *g;
    cr_assert(lb_grid_load("data/grid/stellar_grid.h5", &g, NULL) == LB_OK);
    lb_simulation sim = simulation(&fine, "");
    sim.grid_locked = true;
    size_t free_axis[3] = {0};
    for (size_t i = 0; i < 3000; i++) {
        const lb_draw d = lb_simulate_draw(&sim, g, LB_SET_TEST, i);
        int locked = 0;
        for (int a = 0; a < 3; a++) {
            const lb_cvec x = lb_grid_axis(g, a);
            bool on_node = false;
            for (size_t k = 0; k < x.n; k++)
                on_node = on_node || d.point[a] == x.data[k];
            locked += on_node;
            free_axis[a] += !on_node;
        }
        cr_assert(eq(int, locked, 2));
    }
    for (int a = 0; a < 3; a++)
        cr_expect(free_axis[a] > 850 && free_axis[a] < 1150, "%zu", free_axis[a]);
    lb_grid_free(g);
}

Test(simulate, the_sky_is_a_ramp_with_lines)
{
    char *path = in_dir(scratch_dir(), "sky.tsv");
    const char text[] = "wavelength\tstrength\n8000.0\t3\n";
    double wave[] = {7000, 7600, 7999.2, 8000, 8000.8, 8200, 8800, 9000}, sky[8];
    lb_file_write(path, text, strlen(text), NULL);
    cr_assert(lb_simulate_sky(path, (lb_cvec){wave, 8}, sky, NULL) == LB_OK);
    cr_expect(eq(dbl, sky[0], 1.0));
    cr_expect(eq(dbl, sky[1], 1.0));
    cr_expect(epsilon_eq(dbl, sky[3], 1.1 + 6.0, 1e-12), "2 x strength at the centre");
    cr_expect(epsilon_eq(dbl, sky[4], 1.1002 + 3.0, 1e-9), "half of it at half the FWHM of 1.6 A");
    cr_expect(epsilon_eq(dbl, sky[5], 1.15, 1e-12));
    cr_expect(epsilon_eq(dbl, sky[6], 1.3, 1e-12));
    cr_expect(epsilon_eq(dbl, sky[7], 1.3, 1e-12));
    free(path);
}

Test(simulate, a_bad_sky_file_is_named_with_its_line)
{
    char *path = in_dir(scratch_dir(), "sky.tsv");
    const double wave = 8000;
    double sky;
    lb_error err = {0};
    lb_file_write(path, "w\ts\n8000\t3\n8001 4\n", 18, NULL);
    cr_expect(eq(int, lb_simulate_sky(path, (lb_cvec){&wave, 1}, &sky, &err), LB_EFORMAT));
    cr_expect(strstr(err.text, "sky.tsv:3: expected a wavelength") != NULL, "%s", err.text);
    lb_file_write(path, "w\ts\n", 4, NULL);
    cr_expect(eq(int, lb_simulate_sky(path, (lb_cvec){&wave, 1}, &sky, NULL), LB_EFORMAT));
    cr_expect(eq(int, lb_simulate_sky("/nowhere", (lb_cvec){&wave, 1}, &sky, NULL), LB_EIO));
    free(path);
}

Test(simulate, an_unwritable_directory_or_missing_grid_stops)
{
    lb_simulation sim = simulation(&coarse, "/dev/null/spectra");
    lb_text report = {0};
    lb_error err = {0}, grid = {0};
    cr_expect(eq(int, lb_simulate(&sim, &report, &err), LB_EIO));
    cr_expect(strstr(err.text, "/dev/null") != NULL, "%s", err.text);
    sim.grid_path = "data/grid/absent.h5";
    cr_expect(eq(int, lb_simulate(&sim, &report, &grid), LB_EIO));
    cr_expect(strstr(grid.text, "absent.h5") != NULL, "%s", grid.text);
    sim = simulation(&(lb_profile){"odd", 3, 1, 1, 1, 7, NULL, 13}, scratch_dir());
    cr_expect(eq(int, lb_simulate(&sim, &report, NULL), LB_ESHAPE), "4096 pixels by 7");
    lb_text_free(&report);
}

/* --- rows without a file ------------------------------------------------------------------------
 */

static lb_spectra *source(const lb_simulation *sim, int set)
{
    lb_spectra *s;
    lb_error err = {0};
    cr_assert(lb_simulate_source(sim, set, &s, &err) == LB_OK, "%s", err.text);
    return s;
}

static void expect_same_rows(lb_spectra *made, lb_spectra *stored)
{
    static const char *const columns[] = {"T_eff", "log_g", "M_H", "mag"};
    const size_t n = lb_spectra_rows(stored), p = lb_spectra_pixels(stored), size = n * p;
    float *x = lb_xcalloc(4 * size, sizeof *x), *e = x + size, *y = e + size, *f = y + size;
    cr_assert(eq(sz, lb_spectra_rows(made), n));
    cr_assert(eq(sz, lb_spectra_pixels(made), p));
    lb_spectra_read(stored, 0, (lb_matf){y, n, p, p}, (lb_matf){f, n, p, p}, NULL);
    for (size_t first = 0, k; first < n; first += k) { /* in blocks of 7, as nobody wrote them */
        k = n - first < 7 ? n - first : 7;
        const lb_matf flux = {x + first * p, k, p, p}, error = {e + first * p, k, p, p};
        cr_assert(lb_spectra_read(made, first, flux, error, NULL) == LB_OK);
    }
    cr_expect(memcmp(x, y, size * sizeof *x) == 0, "flux, bit for bit");
    cr_expect(memcmp(e, f, size * sizeof *e) == 0, "error, bit for bit");
    memset(x, 0, 2 * size * sizeof *x);
    lb_spectra_read(made, 3, (lb_matf){x, 5, p, p}, (lb_matf){0}, NULL);
    lb_spectra_read(made, 3, (lb_matf){0}, (lb_matf){e, 5, p, p}, NULL);
    cr_expect(memcmp(x, y + 3 * p, 5 * p * sizeof *x) == 0, "flux alone");
    cr_expect(memcmp(e, f + 3 * p, 5 * p * sizeof *e) == 0, "error alone");
    for (size_t c = 0; c < 4; c++)
        cr_expect(memcmp(lb_spectra_label(made, columns[c]).data,
                         lb_spectra_label(stored, columns[c]).data, n * sizeof(double)) == 0,
                  "%s", columns[c]);
    cr_expect(
        memcmp(lb_spectra_wave(made).data, lb_spectra_wave(stored).data, p * sizeof(double)) == 0);
    cr_expect(eq(str, (char *)lb_spectra_medium(made), (char *)lb_spectra_medium(stored)));
    free(x);
}

Test(source, made_rows_are_those_of_the_shards_bit_for_bit)
{
    static const char *const names[] = {"train", "val", "test"};
    const lb_profile *const profiles[] = {&fine, &coarse};
    for (size_t i = 0; i < 2; i++) {
        const lb_simulation sim = simulation(profiles[i], scratch_dir());
        run(&sim);
        for (int set = LB_SET_TRAIN; set <= LB_SET_TEST; set++) {
            lb_spectra *stored = open_set(sim.out, names[set]), *made = source(&sim, set);
            cr_expect(lb_spectra_is_made(made) && !lb_spectra_is_made(stored));
            expect_same_rows(made, stored);
            cr_expect(lb_spectra_check_same_grid(made, stored, NULL) == LB_OK);
            cr_expect(gt(dbl, lb_spectra_seconds_making(made), 0.0));
            cr_expect(eq(dbl, lb_spectra_seconds_making(stored), 0.0));
            lb_spectra_close(stored);
            lb_spectra_close(made);
        }
    }
}

Test(source, its_identity_is_that_of_its_settings)
{
    lb_simulation sim = simulation(&coarse, NULL);
    lb_spectra *train = source(&sim, LB_SET_TRAIN), *again = source(&sim, LB_SET_TRAIN);
    lb_spectra *test = source(&sim, LB_SET_TEST);
    sim.seed++;
    lb_spectra *seeded = source(&sim, LB_SET_TRAIN);
    const char *hash = lb_spectra_hash(train);
    cr_expect(strncmp(hash, "sha256:", 7) == 0);
    cr_expect(strcmp(hash, lb_spectra_hash(again)) == 0);
    cr_expect(strcmp(hash, lb_spectra_hash(test)) != 0);
    cr_expect(strcmp(hash, lb_spectra_hash(seeded)) != 0);
    lb_spectra_close(train);
    lb_spectra_close(again);
    lb_spectra_close(test);
    lb_spectra_close(seeded);
}

Test(source, is_screened_and_kept_apart_without_making_a_row)
{
    const lb_simulation sim = simulation(&coarse, NULL);
    lb_spectra *train = source(&sim, LB_SET_TRAIN), *test = source(&sim, LB_SET_TEST);
    lb_screening screen, in_test;
    lb_error err = {0};
    cr_assert(lb_spectra_screen(train, &screen, &err) == LB_OK);
    cr_assert(lb_spectra_screen(test, &in_test, &err) == LB_OK);
    cr_expect(eq(sz, screen.rows, 37));
    cr_expect(eq(sz, screen.refused, 0));
    cr_expect(screen.keep[36]);
    cr_expect(lb_spectra_check_disjoint(train, &screen, test, &in_test, &err) == LB_OK, "%s",
              err.text);
    cr_expect(eq(dbl, lb_spectra_seconds_making(train), 0.0), "no row was made");
    lb_spectra *same = source(&sim, LB_SET_TRAIN);
    cr_expect(eq(int, lb_spectra_check_disjoint(train, &screen, same, &screen, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "simulated, profile coarse") != NULL, "%s", err.text);
    lb_screening_free(&screen);
    lb_screening_free(&in_test);
    lb_spectra_close(train);
    lb_spectra_close(same);
    lb_spectra_close(test);
}

Test(source, a_root_names_a_directory_or_a_profile)
{
    lb_spectra *s;
    lb_error err = {0};
    cr_expect(lb_source_is_simulated("simulate:quick"));
    cr_expect(not(lb_source_is_simulated("data/spectra/quick")));
    cr_assert(lb_source_open("simulate:quick", "test", &s, &err) == LB_OK, "%s", err.text);
    cr_expect(eq(sz, lb_spectra_rows(s), 500));
    cr_expect(eq(str, (char *)lb_spectra_name(s), "test"));
    lb_spectra_close(s);
    cr_expect(eq(int, lb_source_open("simulate:quik", "test", &s, &err), LB_ENAME));
    cr_expect(strstr(err.text, "quick") != NULL, "%s", err.text);
    const lb_simulation sim = simulation(&coarse, scratch_dir());
    run(&sim);
    cr_assert(lb_source_open(sim.out, "val", &s, NULL) == LB_OK);
    cr_expect(not(lb_spectra_is_made(s)));
    lb_spectra_close(s);
}
