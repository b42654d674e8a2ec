/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/spectra.h"

#include "core/hash.h"
#include "core/memory.h"
#include "core/progress.h"
#include "data/frame.h"
#include "data/h5.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char FLUX[] = "dataset/arrays/flux/value";
static const char ERROR[] = "dataset/arrays/error/value";
static const char WAVE[] = "spectrumdataset/wave";
static const char PARAMS[] = "dataset/params";

enum { REQUIRED = 3, COLUMNS = 6 };
static const char *const columns[COLUMNS] = {"T_eff", "log_g", "M_H", "mag", "snr", "redshift"};

typedef struct shard {
    char *path;
    hid_t file, flux, error;
    size_t first, rows; /* its place in the split */
} shard;

struct lb_spectra {
    char *name;
    size_t rows, pixels, n_shards;
    shard *shards;
    double *wave, *labels[COLUMNS];
    char *medium;
    char hash[LB_HASH_SIZE];
    float *scratch;
    size_t scratch_size;
    lb_spectra_maker maker; /* of rows that no file holds; make is NULL when there are shards */
    char *origin;           /* then, in place of a path */
    double seconds;         /* in the maker */
};

/* --- opening one shard --------------------------------------------------------------------------
 */

/*
 * Rows come in blocks, but a compressed chunk is unpacked whole: the cache holds one row of chunks,
 * within reason, so that none is unpacked twice.
 */
static hid_t open_rows(hid_t file, const char *name)
{
    enum { CACHE_MOST = 256 << 20 };
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t plist = H5Dget_create_plist(set);
    hsize_t chunk[2], dims[2];
    if (H5Pget_layout(plist) == H5D_CHUNKED && H5Pget_chunk(plist, 2, chunk) == 2 &&
        lb_h5_extent(set, 2, dims) == 2) {
        const hid_t type = H5Dget_type(set), access = H5Pcreate(H5P_DATASET_ACCESS);
        const size_t across = (size_t)((dims[1] + chunk[1] - 1) / chunk[1]);
        const size_t need = across * (size_t)(chunk[0] * chunk[1]) * H5Tget_size(type);
        H5Pset_chunk_cache(access, 100 * across + 1, need < CACHE_MOST ? need : CACHE_MOST, 1.0);
        H5Dclose(set);
        set = H5Dopen2(file, name, access);
        H5Pclose(access);
        H5Tclose(type);
    }
    H5Pclose(plist);
    return set;
}

/* A rows x pixels dataset of numbers. */
static lb_status open_array(const shard *sh, const char *name, hid_t *set, size_t dims[2],
                            lb_error *err)
{
    hid_t probe = H5I_INVALID_HID;
    hsize_t extent[2];
    const lb_status st = lb_h5_dataset(sh->file, sh->path, name, &probe, err);
    if (st != LB_OK)
        return st;
    const int rank = lb_h5_extent(probe, 2, extent);
    const hid_t type = H5Dget_type(probe);
    const H5T_class_t class = H5Tget_class(type);
    H5Tclose(type);
    H5Dclose(probe);
    if (rank != 2)
        return LB_FAIL(err, LB_ESHAPE, "%s: '%s' has %d dimensions, expected 2 (rows x pixels)",
                       sh->path, name, rank);
    if (class != H5T_FLOAT && class != H5T_INTEGER)
        return LB_FAIL(err, LB_EFORMAT, "%s: '%s' does not hold numbers", sh->path, name);
    dims[0] = extent[0];
    dims[1] = extent[1];
    *set = open_rows(sh->file, name);
    return LB_OK;
}

static lb_status read_wave(const shard *sh, size_t n, double *wave, lb_error *err)
{
    const lb_status st = lb_h5_read_doubles(sh->file, sh->path, WAVE, n, wave, err);
    if (st != LB_OK)
        return st;
    for (size_t j = 0; j < n; j++)
        if (!isfinite(wave[j]) || wave[j] <= (j ? wave[j - 1] : 0.0))
            return LB_FAIL(err, LB_EINVAL,
                           "%s: '%s' must be positive and increasing, but pixel %zu is %g after %g",
                           sh->path, WAVE, j, wave[j], j ? wave[j - 1] : 0.0);
    return LB_OK;
}

/* The shard says vacuum or air on the wavelengths; anything else is unknown. */
static const char *read_medium(const shard *sh)
{
    const hid_t set = H5Dopen2(sh->file, WAVE, H5P_DEFAULT);
    char *text = lb_h5_text(set, "medium");
    const char *medium = !text                         ? "unknown"
                         : strcmp(text, "air") == 0    ? "air"
                         : strcmp(text, "vacuum") == 0 ? "vacuum"
                                                       : "unknown";
    free(text);
    H5Dclose(set);
    return medium;
}

static lb_status check_wave(const char *a_name, const double *a, const char *b_name,
                            const double *b, size_t n, lb_error *err)
{
    for (size_t j = 0; j < n; j++)
        if (fabs(a[j] - b[j]) > 2e-7 * a[j]) /* room for wavelengths stored as float32 */
            return LB_FAIL(err, LB_ESHAPE,
                           "the wavelengths of %s and %s differ: pixel %zu is %.4f and %.4f; "
                           "resample one of them",
                           a_name, b_name, j, a[j], b[j]);
    return LB_OK;
}

/* Media of two files; one that does not say agrees with any. */
static lb_status check_medium(const char *a_name, const char *a, const char *b_name, const char *b,
                              lb_error *err)
{
    if (strcmp(a, b) == 0 || strcmp(a, "unknown") == 0 || strcmp(b, "unknown") == 0)
        return LB_OK;
    return LB_FAIL(err, LB_ESHAPE,
                   "wavelengths are in %s in %s and in %s in %s; convert one of them", a, a_name, b,
                   b_name);
}

/* Flux, error, wave and params must agree with each other and with the shards before. */
static lb_status open_arrays(lb_spectra *s, shard *sh, lb_error *err)
{
    size_t flux[2], error[2], n_wave;
    lb_status st = open_array(sh, FLUX, &sh->flux, flux, err);
    if (st == LB_OK)
        st = open_array(sh, ERROR, &sh->error, error, err);
    if (st == LB_OK)
        st = lb_h5_count(sh->file, sh->path, WAVE, &n_wave, err);
    if (st != LB_OK)
        return st;
    if (flux[0] != error[0] || flux[1] != error[1] || n_wave != flux[1])
        return LB_FAIL(err, LB_ESHAPE,
                       "%s: shapes disagree: flux is %zux%zu, error %zux%zu, wave %zu", sh->path,
                       flux[0], flux[1], error[0], error[1], n_wave);
    if (flux[0] == 0 || flux[1] == 0)
        return LB_FAIL(err, LB_ESHAPE, "%s holds no spectra (flux is %zux%zu)", sh->path, flux[0],
                       flux[1]);
    if (s->wave && s->pixels != flux[1])
        return LB_FAIL(err, LB_ESHAPE, "%s has %zu pixels, %s has %zu; shards of a set must agree",
                       s->shards[0].path, s->pixels, sh->path, flux[1]);
    sh->rows = flux[0];
    double *wave = lb_xcalloc(flux[1], sizeof *wave);
    st = read_wave(sh, flux[1], wave, err);
    if (st == LB_OK && s->wave) {
        st = check_wave(s->shards[0].path, s->wave, sh->path, wave, s->pixels, err);
        if (st == LB_OK)
            st = check_medium(s->shards[0].path, s->medium, sh->path, read_medium(sh), err);
    } else if (st == LB_OK) {
        s->wave = wave;
        s->pixels = flux[1];
        s->medium = lb_xstrdup(read_medium(sh));
        wave = NULL;
    }
    free(wave);
    return st;
}

static lb_status read_labels(lb_spectra *s, const shard *sh, lb_error *err)
{
    lb_frame *frame = NULL;
    lb_status st = lb_frame_open(sh->file, sh->path, PARAMS, &frame, err);
    if (st == LB_OK && lb_frame_rows(frame) != sh->rows)
        st = LB_FAIL(err, LB_ESHAPE, "%s: '%s' has %zu rows, flux has %zu", sh->path, PARAMS,
                     lb_frame_rows(frame), sh->rows);
    for (int c = 0; c < COLUMNS && st == LB_OK; c++) {
        const bool absent = c >= REQUIRED && !lb_frame_has(frame, columns[c]);
        if (sh->first > 0 && c >= REQUIRED && absent == (s->labels[c] != NULL)) {
            st = LB_FAIL(err, LB_ENAME, "column '%s' is in some shards of %s only, look at %s",
                         columns[c], s->name, sh->path);
        } else if (!absent) {
            s->labels[c] = lb_xrealloc(s->labels[c], sh->first + sh->rows, sizeof **s->labels);
            st = lb_frame_read(frame, columns[c], s->labels[c] + sh->first, err);
        }
    }
    lb_frame_close(frame);
    return st;
}

/* The hash simulate left in the file, or that of the file's bytes. */
static lb_status hash_shard(const shard *sh, char out[LB_HASH_SIZE], lb_error *err)
{
    char *content = lb_h5_text(sh->file, "content");
    lb_status st = LB_OK;
    if (content && strncmp(content, "sha256:", 7) == 0 && strlen(content) < LB_HASH_SIZE)
        snprintf(out, LB_HASH_SIZE, "%s", content);
    else
        st = lb_hash_file(sh->path, out, err);
    free(content);
    return st;
}

static lb_status open_shard(lb_spectra *s, const char *path, lb_hash *hash, lb_error *err)
{
    s->shards = lb_xrealloc(s->shards, s->n_shards + 1, sizeof *s->shards);
    shard *sh = &s->shards[s->n_shards++];
    *sh = (shard){lb_xstrdup(path), H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, s->rows, 0};
    char own[LB_HASH_SIZE];
    lb_status st = lb_h5_open(path, &sh->file, err);
    if (st == LB_OK)
        st = open_arrays(s, sh, err);
    if (st == LB_OK)
        st = read_labels(s, sh, err);
    if (st == LB_OK)
        st = hash_shard(sh, own, err);
    if (st != LB_OK)
        return st;
    lb_hash_add(hash, own, strlen(own));
    s->rows += sh->rows;
    return LB_OK;
}

lb_status lb_spectra_open_files(const char *name, const char *const *paths, size_t n,
                                lb_spectra **out, lb_error *err)
{
    *out = NULL;
    if (n == 0)
        return LB_FAIL(err, LB_EIO, "no file given for the %s spectra", name);
    lb_spectra *s = lb_xcalloc(1, sizeof *s);
    lb_hash *hash = lb_hash_new();
    lb_status st = LB_OK;
    s->name = lb_xstrdup(name);
    for (size_t i = 0; i < n && st == LB_OK; i++)
        st = open_shard(s, paths[i], hash, err);
    lb_hash_finish(hash, s->hash);
    if (st == LB_OK)
        *out = s;
    else
        lb_spectra_close(s);
    return st;
}

lb_spectra *lb_spectra_of_maker(lb_spectra_made what, lb_spectra_maker maker)
{
    const double *labels[] = {what.teff, what.logg, what.mh, what.mag};
    lb_spectra *s = lb_xcalloc(1, sizeof *s);
    s->name = lb_xstrdup(what.name);
    s->origin = lb_xstrdup(what.origin);
    s->medium = lb_xstrdup(what.medium);
    snprintf(s->hash, sizeof s->hash, "%s", what.hash);
    s->rows = what.rows;
    s->pixels = what.wave.n;
    s->wave = lb_xcalloc(what.wave.n, sizeof *s->wave);
    memcpy(s->wave, what.wave.data, what.wave.n * sizeof *s->wave);
    for (int c = 0; c < 4; c++) { /* in the order of `columns` */
        s->labels[c] = lb_xcalloc(what.rows, sizeof **s->labels);
        memcpy(s->labels[c], labels[c], what.rows * sizeof **s->labels);
    }
    s->maker = maker;
    return s;
}

bool lb_spectra_is_made(const lb_spectra *s)
{
    return s->maker.make != NULL;
}

double lb_spectra_seconds_making(const lb_spectra *s)
{
    return s->seconds;
}

void lb_spectra_close(lb_spectra *s)
{
    if (!s)
        return;
    if (s->maker.free)
        s->maker.free(s->maker.self);
    free(s->origin);
    for (size_t i = 0; i < s->n_shards; i++) {
        shard *sh = &s->shards[i];
        if (sh->flux >= 0)
            H5Dclose(sh->flux);
        if (sh->error >= 0)
            H5Dclose(sh->error);
        if (sh->file >= 0)
            H5Fclose(sh->file);
        free(sh->path);
    }
    for (int c = 0; c < COLUMNS; c++)
        free(s->labels[c]);
    free(s->shards);
    free(s->wave);
    free(s->medium);
    free(s->scratch);
    free(s->name);
    free(s);
}

/* --- finding the shards of a split
 * ---------------------------------------------------------------- */

/* train_2 before train_10: digits compare as numbers. */
static int by_name(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

/* ROOT/SPLIT_*, sorted, as paths of dataset.h5; a directory without that file is named later. */
static lb_status list_shards(const char *root, const char *split, char ***paths, size_t *n,
                             lb_error *err)
{
    *paths = NULL;
    *n = 0;
    DIR *dir = opendir(root);
    if (!dir)
        return LB_FAIL(err, LB_EIO,
                       "cannot read the data directory %s: %s; make it with build/bin/simulate, or "
                       "set DATA=DIR to a directory with train_*/dataset.h5",
                       root, strerror(errno));
    const size_t length = strlen(split);
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct stat info;
        if (strncmp(entry->d_name, split, length) != 0 || entry->d_name[length] != '_')
            continue;
        char *folder = lb_xprintf("%s/%s", root, entry->d_name);
        if (stat(folder, &info) == 0 && S_ISDIR(info.st_mode)) {
            *paths = lb_xrealloc(*paths, *n + 1, sizeof **paths);
            (*paths)[(*n)++] = lb_xprintf("%s/dataset.h5", folder);
        }
        free(folder);
    }
    closedir(dir);
    if (*n)
        qsort(*paths, *n, sizeof **paths, by_name);
    return LB_OK;
}

lb_status lb_spectra_open(const char *root, const char *split, lb_spectra **out, lb_error *err)
{
    char **paths;
    size_t n;
    *out = NULL;
    lb_status st = list_shards(root, split, &paths, &n, err);
    if (st != LB_OK)
        return st;
    if (n > 0)
        st = lb_spectra_open_files(split, (const char *const *)paths, n, out, err);
    else if (strcmp(split, "val") != 0)
        st = LB_FAIL(
            err, LB_EIO,
            "%s has no %s_*/dataset.h5; make it with build/bin/simulate or copy your shards "
            "there",
            root, split);
    for (size_t i = 0; i < n; i++)
        free(paths[i]);
    free(paths);
    return st;
}

/* --- looking -------------------------------------------------------------------------------------
 */

size_t lb_spectra_rows(const lb_spectra *s)
{
    return s->rows;
}

size_t lb_spectra_pixels(const lb_spectra *s)
{
    return s->pixels;
}

size_t lb_spectra_shards(const lb_spectra *s)
{
    return s->n_shards;
}

const char *lb_spectra_name(const lb_spectra *s)
{
    return s->name;
}

lb_cvec lb_spectra_wave(const lb_spectra *s)
{
    return (lb_cvec){s->wave, s->pixels};
}

const char *lb_spectra_medium(const lb_spectra *s)
{
    return s->medium;
}

const char *lb_spectra_hash(const lb_spectra *s)
{
    return s->hash;
}

lb_cvec lb_spectra_label(const lb_spectra *s, const char *column)
{
    for (int c = 0; c < COLUMNS; c++)
        if (strcmp(column, columns[c]) == 0 && s->labels[c])
            return (lb_cvec){s->labels[c], s->rows};
    return (lb_cvec){NULL, 0};
}

static const shard *shard_of(const lb_spectra *s, size_t row)
{
    size_t i = 0;
    while (row >= s->shards[i].first + s->shards[i].rows)
        i++;
    return &s->shards[i];
}

void lb_spectra_row_name(const lb_spectra *s, size_t row, char *out, size_t size)
{
    if (s->maker.make) {
        snprintf(out, size, "%s row %zu (%s)", s->name, row, s->origin);
        return;
    }
    const shard *sh = shard_of(s, row);
    snprintf(out, size, "%s row %zu (%s row %zu)", s->name, row, sh->path, row - sh->first);
}

float *lb_spectra_scratch(lb_spectra *s, size_t floats)
{
    if (floats > s->scratch_size) {
        free(s->scratch);
        s->scratch = lb_xaligned(floats, sizeof *s->scratch);
        s->scratch_size = floats;
    }
    return s->scratch;
}

lb_status lb_spectra_check_same_grid(const lb_spectra *a, const lb_spectra *b, lb_error *err)
{
    const char *pa = a->maker.make ? a->origin : a->shards[0].path;
    const char *pb = b->maker.make ? b->origin : b->shards[0].path;
    if (a->pixels != b->pixels)
        return LB_FAIL(err, LB_ESHAPE, "%s has %zu pixels, %s has %zu; all sets must agree", pa,
                       a->pixels, pb, b->pixels);
    const lb_status st = check_wave(pa, a->wave, pb, b->wave, a->pixels, err);
    return st == LB_OK ? check_medium(pa, a->medium, pb, b->medium, err) : st;
}

/* --- reading rows --------------------------------------------------------------------------------
 */

static lb_status read_block(hid_t set, const char *path, const char *name, hsize_t first, lb_matf x,
                            lb_error *err)
{
    const hsize_t start[2] = {first, 0}, count[2] = {x.rows, x.cols};
    const hsize_t shape[2] = {x.rows, x.stride}, zero[2] = {0, 0};
    const hid_t space = H5Dget_space(set), memory = H5Screate_simple(2, shape, NULL);
    lb_status st = LB_OK;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* every thread has its own, and rows are read ahead */
    if (x.stride != x.cols)
        H5Sselect_hyperslab(memory, H5S_SELECT_SET, zero, NULL, count, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    if (H5Dread(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, x.data) < 0)
        st = lb_h5_unreadable(set, path, name, err);
    H5Sclose(memory);
    H5Sclose(space);
    return st;
}

static lb_matf rows_of(lb_matf x, size_t first, size_t n)
{
    return (lb_matf){x.data + first * x.stride, n, x.cols, x.stride};
}

lb_status lb_spectra_read(lb_spectra *s, size_t first, lb_matf flux, lb_matf error, lb_error *err)
{
    const size_t n = flux.data ? flux.rows : error.rows;
    const size_t cols = flux.data ? flux.cols : error.cols;
    lb_status st = LB_OK;
    if (first + n > s->rows || cols != s->pixels ||
        (flux.data && error.data && (flux.rows != error.rows || flux.cols != error.cols)))
        return LB_FAIL(err, LB_ESHAPE, "rows %zu to %zu of %zu columns asked of %s, %zux%zu", first,
                       first + n, cols, s->name, s->rows, s->pixels);
    if (s->maker.make) {
        const double start = lb_clock();
        st = s->maker.make(s->maker.self, first, flux, error, err);
        s->seconds += lb_clock() - start;
        return st;
    }
    for (size_t done = 0, k; done < n && st == LB_OK; done += k) {
        const shard *sh = shard_of(s, first + done);
        const size_t local = first + done - sh->first, left = sh->rows - local;
        k = n - done < left ? n - done : left;
        if (flux.data)
            st = read_block(sh->flux, sh->path, FLUX, local, rows_of(flux, done, k), err);
        if (error.data && st == LB_OK)
            st = read_block(sh->error, sh->path, ERROR, local, rows_of(error, done, k), err);
    }
    return st;
}
