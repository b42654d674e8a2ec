/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/simulate.h"

#include "core/file.h"
#include "core/hash.h"
#include "core/memory.h"
#include "core/progress.h"
#include "core/random.h"
#include "data/ceiling.h"
#include "data/describe.h"
#include "data/elementary.h"
#include "data/shard.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512 }; /* rows made and written at a time */

static const char *const set_names[] = {"train", "val", "test"};

/* What every row needs. */
typedef struct setup {
    const lb_simulation *sim;
    lb_grid *grid;
    double *noise, noise_norm; /* sqrt(sky) at each pixel of the grid, and its norm */
    double *wave;              /* of the spectra written */
    size_t pixels;             /* likewise */
    char sky_hash[LB_HASH_SIZE];
} setup;

/* --- labels ------------------------------------------------------------------------------------
 */

lb_draw lb_simulate_draw(const lb_simulation *sim, const lb_grid *g, int set, size_t row)
{
    const uint64_t stream = (uint64_t)sim->profile->stream << 56 | (uint64_t)set << 48 | row;
    lb_rng r = lb_rng_make(sim->seed, stream);
    double u[LB_GRID_AXES];
    lb_draw d;
    for (int i = 0; i < LB_GRID_AXES; i++)
        u[i] = lb_rng_uniform(&r);
    d.magnitude = 20.5 + 2.0 * lb_rng_uniform(&r);
    const size_t free_axis = lb_rng_below(&r, LB_GRID_AXES);
    for (int i = 0; i < LB_GRID_AXES; i++) {
        const lb_cvec x = lb_grid_axis(g, i);
        if (sim->grid_locked && (size_t)i != free_axis)
            d.point[i] = x.data[(size_t)(u[i] * (double)x.n)];
        else
            d.point[i] = x.data[0] + u[i] * (x.data[x.n - 1] - x.data[0]);
    }
    return d;
}

/* --- sky ---------------------------------------------------------------------------------------
 */

static void add_line(double centre, double strength, lb_cvec wave, double *sky)
{
    const double sigma = centre / 5000.0 / 2.3548200450309493; /* FWHM = 2 sqrt(2 ln 2) sigma */
    for (size_t j = 0; j < wave.n; j++) {
        const double t = (wave.data[j] - centre) / sigma;
        if (fabs(t) < 30.0) /* beyond it the Gaussian is below 1e-195 */
            sky[j] += 2.0 * strength * lb_exp(-0.5 * t * t);
    }
}

lb_status lb_simulate_sky(const char *path, lb_cvec wave, double *sky, lb_error *err)
{
    char *text = NULL;
    lb_status st = lb_file_read(path, &text, NULL, err);
    if (st != LB_OK)
        return st;
    for (size_t j = 0; j < wave.n; j++)
        sky[j] = 1.0 + 0.3 * fmin(1.0, fmax(0.0, (wave.data[j] - 7600.0) / 1200.0));
    size_t number = 0, lines = 0;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) && st == LB_OK;) {
        double centre, strength;
        char *tab = strchr(line, '\t');
        number++;
        if (!*line || number == 1) /* the first line names the columns */
            continue;
        if (tab)
            *tab = '\0';
        if (!tab || !lb_parse_double(line, &centre) || !lb_parse_double(tab + 1, &strength) ||
            centre <= 0.0 || strength < 0.0)
            st = LB_FAIL(err, LB_EFORMAT,
                         "%s:%zu: expected a wavelength, a tab and a relative strength", path,
                         number);
        else
            add_line(centre, strength, wave, sky);
        lines++;
    }
    if (st == LB_OK && lines == 0)
        st = LB_FAIL(err, LB_EFORMAT, "%s holds no sky lines", path);
    free(text);
    return st;
}

/* --- one exposure ------------------------------------------------------------------------------
 */

/* Mean of each r pixels; the error of a mean of independent pixels is sqrt(sum e^2) / r. */
static void rebin(const double *flux, const double *error, size_t p, size_t r, float *flux_out,
                  float *error_out)
{
    for (size_t j = 0; j < p / r; j++) {
        double sum = 0.0, variance = 0.0;
        for (size_t i = j * r; i < (j + 1) * r; i++) {
            sum += flux[i];
            variance += error[i] * error[i];
        }
        flux_out[j] = (float)(sum / (double)r);
        error_out[j] = (float)(sqrt(variance) / (double)r);
    }
}

static double norm_ratio(const float *flux, const float *error, size_t p)
{
    double signal = 0.0, noise = 0.0;
    for (size_t j = 0; j < p; j++) {
        signal += (double)flux[j] * flux[j];
        noise += (double)error[j] * error[j];
    }
    return sqrt(signal / noise);
}

/* The spectrum at the labels of @p d as the instrument sees it; work holds 3 x pixels of the grid.
 */
static lb_status expose(const setup *s, const lb_draw *d, double *work, float *flux_out,
                        float *error_out, double *labels, lb_error *err)
{
    const size_t p = lb_grid_pixels(s->grid);
    double *flux = work, *error = work + p, *sorted = work + 2 * p, *coef = work + 3 * p;
    const lb_status st = lb_grid_at(s->grid, d->point, coef, err);
    if (st != LB_OK)
        return st;

    /* 1. The spectrum over its median, nothing below zero. */
    lb_grid_unpack(s->grid, coef, NULL, flux);
    memcpy(sorted, flux, p * sizeof *flux);
    const double median = gsl_stats_median(sorted, 1, p);
    double power = 0.0;
    for (size_t j = 0; j < p; j++) {
        flux[j] = fmax(0.0, flux[j] / median);
        power += flux[j] * flux[j];
    }
    /* 2. An error that follows the sky, scaled to the signal to noise of the magnitude. */
    const double snr = lb_ceiling_snr(d->magnitude);
    const double scale = sqrt(power) / (snr * s->noise_norm);
    for (size_t j = 0; j < p; j++)
        error[j] = scale * s->noise[j];
    /* 3. Pixels as the profile wants them, and the labels of pandas' columns. */
    rebin(flux, error, p, s->sim->profile->rebin, flux_out, error_out);
    memcpy(labels, d->point, sizeof d->point);
    labels[3] = d->magnitude;
    labels[4] = norm_ratio(flux_out, error_out, s->pixels);
    labels[5] = 0.0;
    return LB_OK;
}

/* --- one shard ---------------------------------------------------------------------------------
 */

typedef struct job {
    int set;
    size_t first, rows; /* of the set */
    char *path, *settings;
} job;

/* Rows first .. of a set into flux, error and labels, any of which may have data NULL. Any thread
 * may make any row. */
static lb_status make_rows(const setup *s, int set, size_t first, size_t rows, lb_matf flux,
                           lb_matf error, lb_mat labels, lb_error *err)
{
    const size_t p = s->pixels, full = lb_grid_pixels(s->grid);
    lb_status st = LB_OK;
#pragma omp parallel
    {
        double *work = lb_xaligned(3 * full + lb_grid_coefficients(s->grid), sizeof *work);
        float *unwanted = lb_xaligned(2 * p, sizeof *unwanted);
#pragma omp for schedule(dynamic, 8)
        for (size_t i = 0; i < rows; i++) {
            lb_error own = {0};
            double row_labels[LB_SHARD_LABELS];
            const lb_draw d = lb_simulate_draw(s->sim, s->grid, set, first + i);
            if (expose(s, &d, work, flux.data ? flux.data + i * flux.stride : unwanted,
                       error.data ? error.data + i * error.stride : unwanted + p,
                       labels.data ? labels.data + i * labels.stride : row_labels, &own) != LB_OK)
#pragma omp critical
                st = LB_FAIL(err, own.status, "%s row %zu of profile %s: %s", set_names[set],
                             first + i, s->sim->profile->name, own.text);
        }
        free(unwanted);
        free(work);
    }
    return st;
}

static lb_status make_shard(const setup *s, const job *j, lb_progress *bar, lb_error *err)
{
    const size_t p = s->pixels;
    const lb_matf flux = {lb_xaligned(BLOCK * p, sizeof(float)), BLOCK, p, p};
    const lb_matf error = {lb_xaligned(BLOCK * p, sizeof(float)), BLOCK, p, p};
    const lb_mat labels = lb_mat_new(BLOCK, LB_SHARD_LABELS);
    lb_shard *shard =
        lb_shard_new(j->path, j->rows, (lb_cvec){s->wave, p}, lb_grid_medium(s->grid), j->settings);
    lb_status st = LB_OK;
    for (size_t first = 0; first < j->rows && st == LB_OK; first += BLOCK) {
        const size_t k = j->rows - first < BLOCK ? j->rows - first : BLOCK;
        st = make_rows(s, j->set, j->first + first, k, flux, error, labels, err);
        if (st == LB_OK &&
            !lb_shard_add(shard, (lb_cmatf){flux.data, k, p, p}, (lb_cmatf){error.data, k, p, p},
                          (lb_cmat){labels.data, k, labels.cols, labels.cols}))
            break; /* closing tells why */
        lb_progress_step(bar, k);
    }
    if (st == LB_OK)
        st = lb_shard_close(shard, err);
    else
        lb_shard_abandon(shard);
    free(labels.data);
    free(error.data);
    free(flux.data);
    return st;
}

/* --- the whole profile ---------------------------------------------------------------------------
 */

static lb_status prepare(const lb_simulation *sim, setup *s, lb_error *err)
{
    s->sim = sim;
    lb_status st = lb_grid_load(sim->grid_path, &s->grid, err);
    if (st != LB_OK)
        return st;
    const lb_cvec wave = lb_grid_wave(s->grid);
    const size_t r = sim->profile->rebin;
    if (wave.n % r)
        return LB_FAIL(err, LB_ESHAPE, "%zu pixels of %s cannot be averaged by %zu", wave.n,
                       sim->grid_path, r);
    s->pixels = wave.n / r;
    s->wave = lb_xcalloc(s->pixels, sizeof *s->wave);
    for (size_t j = 0; j < s->pixels; j++) {
        for (size_t i = j * r; i < (j + 1) * r; i++)
            s->wave[j] += wave.data[i];
        s->wave[j] /= (double)r;
    }
    s->noise = lb_xcalloc(wave.n, sizeof *s->noise);
    st = lb_hash_file(sim->sky_path, s->sky_hash, err);
    if (st == LB_OK)
        st = lb_simulate_sky(sim->sky_path, wave, s->noise, err);
    double power = 0.0;
    for (size_t j = 0; j < wave.n && st == LB_OK; j++) {
        power += s->noise[j];
        s->noise[j] = sqrt(s->noise[j]);
    }
    s->noise_norm = sqrt(power);
    return st;
}

static void release(setup *s)
{
    lb_grid_free(s->grid);
    free(s->noise);
    free(s->wave);
}

/* One line with everything the bytes depend on. "exposure 1" counts changes of the rules above. */
static job plan(const setup *s, int set, size_t shard, size_t shards, size_t rows)
{
    const lb_simulation *sim = s->sim;
    const size_t first = shard * rows / shards, last = (shard + 1) * rows / shards;
    return (job){
        set, first, last - first,
        lb_xprintf("%s/%s_%zu/dataset.h5", sim->out ? sim->out : "", set_names[set], shard),
        lb_xprintf("exposure 1; profile %s; set %s; rows %zu to %zu; pixels %zu; labels %s; "
                   "seed %llu; grid %s; sky %s",
                   sim->profile->name, set_names[set], first, last, s->pixels,
                   sim->grid_locked ? "grid_locked" : "continuous", (unsigned long long)sim->seed,
                   lb_grid_hash(s->grid), s->sky_hash)};
}

/* A shard left over from another profile would be read along with ours. */
static lb_status check_no_other(const setup *s, int set, size_t shards, lb_error *err)
{
    char *path = lb_xprintf("%s/%s_%zu", s->sim->out, set_names[set], shards);
    const bool there = lb_file_exists(path);
    const lb_status st =
        there ? LB_FAIL(err, LB_EINVAL,
                        "%s does not belong to the profile %s (%zu %s shards); remove it or choose "
                        "another directory",
                        path, s->sim->profile->name, shards, set_names[set])
              : LB_OK;
    free(path);
    return st;
}

static lb_status make_set(const setup *s, int set, size_t shards, size_t rows, lb_progress *bar,
                          lb_text *report, lb_error *err)
{
    size_t made = 0;
    lb_status st = check_no_other(s, set, shards, err);
    for (size_t i = 0; i < shards && st == LB_OK; i++) {
        job j = plan(s, set, i, shards, rows);
        if (lb_shard_is_current(j.path, j.settings)) {
            lb_progress_step(bar, j.rows);
            lb_text_printf(report, "%s: kept, made earlier with the same settings\n", j.path);
        } else {
            const double start = lb_clock();
            st = make_shard(s, &j, bar, err);
            if (st == LB_OK)
                lb_text_printf(report, "%s: %zu rows in %.1f s\n", j.path, j.rows,
                               lb_clock() - start);
            made++;
        }
        free(j.path);
        free(j.settings);
    }
    lb_spectra *spectra = NULL;
    if (st == LB_OK && made)
        st = lb_spectra_open(s->sim->out, set_names[set], &spectra, err);
    if (spectra)
        st = lb_describe_spectra(spectra, false, report, err);
    lb_spectra_close(spectra);
    return st;
}

lb_status lb_simulate(const lb_simulation *sim, lb_text *report, lb_error *err)
{
    const lb_profile *profile = sim->profile;
    const size_t rows[] = {profile->n_train, profile->n_val, profile->n_test};
    const size_t shards[] = {profile->shards, 1, 1};
    setup s = {0};
    lb_progress bar = lb_progress_start("simulate", rows[0] + rows[1] + rows[2]);
    lb_status st = prepare(sim, &s, err);
    for (int set = 0; set < 3 && st == LB_OK; set++)
        st = make_set(&s, set, shards[set], rows[set], &bar, report, err);
    lb_progress_end(&bar);
    release(&s);
    return st;
}

/* --- rows without a file ------------------------------------------------------------------------
 */

typedef struct row_maker {
    lb_simulation sim;
    setup setup;
    int set;
} row_maker;

static lb_status make_on_demand(void *self, size_t first, lb_matf flux, lb_matf error,
                                lb_error *err)
{
    const row_maker *m = self;
    return make_rows(&m->setup, m->set, first, flux.data ? flux.rows : error.rows, flux, error,
                     (lb_mat){0}, err);
}

static void free_maker(void *self)
{
    row_maker *m = self;
    release(&m->setup);
    free(m);
}

/* The settings of all shards the set would have. */
static void identify(const setup *s, int set, size_t rows, char hash[LB_HASH_SIZE])
{
    const size_t shards = set == LB_SET_TRAIN ? s->sim->profile->shards : 1;
    lb_hash *h = lb_hash_new();
    for (size_t i = 0; i < shards; i++) {
        job j = plan(s, set, i, shards, rows);
        lb_hash_add(h, j.settings, strlen(j.settings) + 1);
        free(j.path);
        free(j.settings);
    }
    lb_hash_finish(h, hash);
}

lb_status lb_simulate_source(const lb_simulation *sim, int set, lb_spectra **out, lb_error *err)
{
    const size_t rows[] = {sim->profile->n_train, sim->profile->n_val, sim->profile->n_test};
    const size_t n = rows[set];
    row_maker *m = lb_xcalloc(1, sizeof *m);
    *out = NULL;
    *m = (row_maker){.sim = *sim, .set = set};
    const lb_status st = prepare(&m->sim, &m->setup, err);
    if (st != LB_OK) {
        free_maker(m);
        return st;
    }
    double *labels = lb_xcalloc(4 * n, sizeof *labels);
    for (size_t i = 0; i < n; i++) {
        const lb_draw d = lb_simulate_draw(&m->sim, m->setup.grid, set, i);
        for (size_t a = 0; a < LB_GRID_AXES; a++)
            labels[a * n + i] = d.point[a];
        labels[3 * n + i] = d.magnitude;
    }
    char hash[LB_HASH_SIZE], *origin = lb_xprintf("simulated, profile %s", sim->profile->name);
    identify(&m->setup, set, n, hash);
    *out = lb_spectra_of_maker((lb_spectra_made){.name = set_names[set],
                                                 .origin = origin,
                                                 .medium = lb_grid_medium(m->setup.grid),
                                                 .hash = hash,
                                                 .rows = n,
                                                 .wave = {m->setup.wave, m->setup.pixels},
                                                 .teff = labels,
                                                 .logg = labels + n,
                                                 .mh = labels + 2 * n,
                                                 .mag = labels + 3 * n},
                               (lb_spectra_maker){make_on_demand, free_maker, m});
    free(origin);
    free(labels);
    return LB_OK;
}
