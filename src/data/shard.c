/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/shard.h"

#include "core/file.h"
#include "core/memory.h"
#include "data/frame.h"
#include "data/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const lb_shard_labels[LB_SHARD_LABELS] = {"T_eff", "log_g", "M_H",
                                                      "mag",   "snr",   "redshift"};

struct lb_shard {
    lb_error err; /* the first failure */
    char *path, *part, *settings;
    hid_t file, flux, error;
    size_t rows, done;
    lb_cvec wave;
    double *labels; /* rows x LB_SHARD_LABELS */
    lb_hash *flux_hash, *error_hash;
};

static bool working(const lb_shard *s)
{
    return s->err.status == LB_OK;
}

/*
 * HDF5 1.10 crashes at exit after a file whose last writes failed. So that a full disk ends in a
 * message, what HDF5 still wants to write to a lost file goes to memory: a few kB.
 */
static void divert(hid_t file)
{
    void *handle = NULL;
    if (file < 0 || H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) < 0)
        return;
    const int memory = memfd_create("lost", MFD_CLOEXEC);
    if (memory >= 0) {
        dup2(memory, *(int *)handle);
        close(memory);
    }
}

static void fail_write(lb_shard *s)
{
    LB_FAIL(&s->err, LB_EIO, "cannot write %s: %s; free some space or choose another directory",
            s->part, errno ? strerror(errno) : "HDF5 gave no reason");
    divert(s->file);
}

/* A dataset at a path whose groups exist, whole in one piece, without timestamps. */
static hid_t make_dataset(hid_t file, const char *name, hid_t type, int rank, const hsize_t *dims)
{
    const hid_t space = H5Screate_simple(rank, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_layout(plist, H5D_CONTIGUOUS);
    H5Pset_alloc_time(plist, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(plist, H5D_FILL_TIME_NEVER);
    H5Pset_obj_track_times(plist, false);
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Pclose(plist);
    H5Sclose(space);
    return set;
}

static bool make_groups(hid_t file)
{
    static const char *const groups[] = {"spectrumdataset", "dataset", "dataset/arrays",
                                         "dataset/arrays/flux", "dataset/arrays/error"};
    bool ok = true;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        const hid_t group = lb_h5_group(file, groups[i]);
        ok = ok && group >= 0;
        if (group >= 0)
            H5Gclose(group);
    }
    return ok;
}

static bool write_wave(hid_t file, lb_cvec wave, const char *medium)
{
    const hsize_t n = wave.n;
    const hid_t set = make_dataset(file, "spectrumdataset/wave", H5T_IEEE_F64LE, 1, &n);
    const bool ok =
        set >= 0 &&
        H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, wave.data) >= 0 &&
        lb_h5_put_text(set, "medium", medium, H5T_CSET_UTF8) &&
        lb_h5_put_text(set, "unit", "Angstrom", H5T_CSET_UTF8);
    if (set >= 0)
        H5Dclose(set);
    return ok;
}

/* Take the room now: a disk that is too full is known at once. File systems that cannot reserve
 * space are left alone. */
static bool reserve(int file, int mode, size_t bytes)
{
    const off_t margin = 1 << 16;
    return fallocate(file, mode, 0, (off_t)bytes + margin) == 0 || errno == EOPNOTSUPP ||
           errno == ENOSYS;
}

/* Before HDF5 has anything that it would insist on writing. */
static bool has_room(const char *part, size_t bytes)
{
    const int file = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    const bool room = file >= 0 && reserve(file, 0, bytes);
    const int why = errno;
    if (file >= 0)
        close(file);
    errno = why;
    return room;
}

static bool reserve_for_hdf5(hid_t file, size_t bytes)
{
    void *handle = NULL;
    return H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0 &&
           H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 &&
           reserve(*(int *)handle, FALLOC_FL_KEEP_SIZE, bytes);
}

lb_shard *lb_shard_new(const char *path, size_t rows, lb_cvec wave, const char *medium,
                       const char *settings)
{
    lb_shard *s = lb_xcalloc(1, sizeof *s);
    const hsize_t dims[2] = {rows, wave.n};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    s->path = lb_xstrdup(path);
    s->part = lb_file_part(path);
    s->settings = lb_xstrdup(settings);
    s->file = s->flux = s->error = H5I_INVALID_HID;
    s->rows = rows;
    s->wave = wave;
    s->labels = lb_xcalloc(rows * LB_SHARD_LABELS, sizeof *s->labels);
    s->flux_hash = lb_hash_new();
    s->error_hash = lb_hash_new();
    if (lb_make_parent(path, &s->err) != LB_OK)
        return s;
    const size_t bytes =
        rows * (2 * wave.n * sizeof(float) + (1 + LB_SHARD_LABELS) * sizeof(double));
    errno = 0;
    if (has_room(s->part, bytes))
        s->file = H5Fcreate(s->part, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (s->file < 0 || !make_groups(s->file) || !write_wave(s->file, wave, medium)) {
        fail_write(s);
        return s;
    }
    s->flux = make_dataset(s->file, "dataset/arrays/flux/value", H5T_IEEE_F32LE, 2, dims);
    s->error = make_dataset(s->file, "dataset/arrays/error/value", H5T_IEEE_F32LE, 2, dims);
    if (s->flux < 0 || s->error < 0 || !reserve_for_hdf5(s->file, bytes))
        fail_write(s);
    return s;
}

static bool write_rows(hid_t set, hsize_t first, lb_cmatf x)
{
    const hsize_t start[2] = {first, 0}, count[2] = {x.rows, x.cols};
    const hid_t space = H5Dget_space(set), memory = H5Screate_simple(2, count, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    errno = 0;
    const bool ok = H5Dwrite(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, x.data) >= 0;
    H5Sclose(memory);
    H5Sclose(space);
    return ok;
}

bool lb_shard_add(lb_shard *s, lb_cmatf flux, lb_cmatf error, lb_cmat labels)
{
    if (!working(s))
        return false;
    const size_t k = flux.rows, p = s->wave.n;
    if (s->done + k > s->rows || error.rows != k || labels.rows != k || flux.cols != p ||
        error.cols != p || flux.stride != p || error.stride != p ||
        labels.cols != LB_SHARD_LABELS) {
        LB_FAIL(
            &s->err, LB_ESHAPE,
            "%s: rows %zu to %zu of %zu do not fit: flux %zux%zu, error %zux%zu, labels %zux%zu",
            s->path, s->done, s->done + k, s->rows, k, flux.cols, error.rows, error.cols,
            labels.rows, labels.cols);
        return false;
    }
    for (size_t i = 0; i < k; i++)
        memcpy(s->labels + (s->done + i) * LB_SHARD_LABELS, labels.data + i * labels.stride,
               LB_SHARD_LABELS * sizeof(double));
#pragma omp parallel sections
    {
#pragma omp section
        lb_hash_add(s->flux_hash, flux.data, k * p * sizeof(float));
#pragma omp section
        lb_hash_add(s->error_hash, error.data, k * p * sizeof(float));
    }
    if (!write_rows(s->flux, s->done, flux) || !write_rows(s->error, s->done, error))
        fail_write(s);
    s->done += k;
    return working(s);
}

/* One hash of the four, so that the arrays can be hashed side by side. */
static void content_hash(lb_cvec wave, const double *labels, size_t rows, lb_hash *flux,
                         lb_hash *error, char out[LB_HASH_SIZE])
{
    char part[4][LB_HASH_SIZE];
    lb_hash *whole = lb_hash_new();
    lb_hash_bytes(wave.data, wave.n * sizeof *wave.data, part[0]);
    lb_hash_bytes(labels, rows * LB_SHARD_LABELS * sizeof *labels, part[1]);
    lb_hash_finish(flux, part[2]);
    lb_hash_finish(error, part[3]);
    for (int i = 0; i < 4; i++)
        lb_hash_add(whole, part[i], strlen(part[i]));
    lb_hash_finish(whole, out);
}

static bool close_sets(lb_shard *s)
{
    bool ok = true;
    if (s->flux >= 0)
        ok = H5Dclose(s->flux) >= 0 && ok;
    if (s->error >= 0)
        ok = H5Dclose(s->error) >= 0 && ok;
    s->flux = s->error = H5I_INVALID_HID;
    return ok;
}

static bool close_file(lb_shard *s)
{
    errno = 0;
    const bool ok = s->file < 0 || H5Fclose(s->file) >= 0;
    s->file = H5I_INVALID_HID;
    return ok;
}

/*
 * Where space could not be reserved the disk may be full by now, and HDF5 does not survive a failed
 * last flush. So our own write goes first, where the labels will be; they need at least as much.
 */
static bool has_room_for_labels(const lb_shard *s)
{
    void *handle = NULL;
    struct stat info;
    const size_t bytes = s->rows * (1 + LB_SHARD_LABELS) * sizeof(double);
    errno = 0;
    if (H5Fflush(s->file, H5F_SCOPE_GLOBAL) < 0 ||
        H5Fget_vfd_handle(s->file, H5P_DEFAULT, &handle) < 0 || fstat(*(int *)handle, &info) != 0)
        return false;
    char *zeros = lb_xcalloc(bytes, 1);
    const bool room = pwrite(*(int *)handle, zeros, bytes, info.st_size) == (ssize_t)bytes;
    free(zeros);
    return room;
}

static void finish(lb_shard *s)
{
    char content[LB_HASH_SIZE];
    const lb_cmat labels = {s->labels, s->rows, LB_SHARD_LABELS, LB_SHARD_LABELS};
    if (s->done != s->rows) {
        LB_FAIL(&s->err, LB_ESHAPE, "%s: %zu rows came, %zu were announced", s->path, s->done,
                s->rows);
        return;
    }
    content_hash(s->wave, s->labels, s->rows, s->flux_hash, s->error_hash, content);
    s->flux_hash = s->error_hash = NULL;
    if (!has_room_for_labels(s)) {
        fail_write(s);
        return;
    }
    errno = 0;
    if (lb_frame_write(s->file, s->part, "dataset/params", lb_shard_labels, labels, &s->err)) {
        divert(s->file);
        return;
    }
    if (!lb_h5_put_text(s->file, "settings", s->settings, H5T_CSET_UTF8) ||
        !lb_h5_put_text(s->file, "content", content, H5T_CSET_UTF8) || !close_sets(s) ||
        !close_file(s))
        fail_write(s);
    else
        lb_file_commit(s->path, &s->err);
}

static void release(lb_shard *s)
{
    char unused[LB_HASH_SIZE];
    close_sets(s);
    close_file(s);
    if (s->flux_hash)
        lb_hash_finish(s->flux_hash, unused);
    if (s->error_hash)
        lb_hash_finish(s->error_hash, unused);
    free(s->labels);
    free(s->settings);
    free(s->part);
    free(s->path);
    free(s);
}

lb_status lb_shard_close(lb_shard *s, lb_error *err)
{
    if (working(s))
        finish(s);
    const lb_status st = s->err.status;
    if (st == LB_OK) {
        release(s);
        return LB_OK;
    }
    if (err && err->status == LB_OK)
        *err = s->err;
    lb_shard_abandon(s);
    return st;
}

void lb_shard_abandon(lb_shard *s)
{
    if (!s)
        return;
    close_sets(s);
    close_file(s);
    remove(s->part);
    release(s);
}

bool lb_shard_is_current(const char *path, const char *settings)
{
    hid_t file;
    if (!lb_file_exists(path) || lb_h5_open(path, &file, NULL) != LB_OK)
        return false;
    char *there = lb_h5_text(file, "settings");
    const bool same = there && strcmp(there, settings) == 0;
    free(there);
    H5Fclose(file);
    return same;
}

/* Hash a rows x p dataset of float32 row block by row block. */
static lb_status hash_array(hid_t file, const char *path, const char *name, lb_hash *hash,
                            lb_error *err)
{
    enum { BLOCK = 512 };
    hid_t set = H5I_INVALID_HID;
    hsize_t dims[2];
    lb_status st = lb_h5_dataset(file, path, name, &set, err);
    if (st != LB_OK)
        return st;
    lb_h5_extent(set, 2, dims);
    const hid_t space = H5Dget_space(set);
    float *block = lb_xcalloc(BLOCK * dims[1], sizeof *block);
    for (hsize_t first = 0; first < dims[0] && st == LB_OK; first += BLOCK) {
        const hsize_t k = dims[0] - first < BLOCK ? dims[0] - first : BLOCK;
        const hsize_t start[2] = {first, 0}, count[2] = {k, dims[1]};
        const hid_t memory = H5Screate_simple(2, count, NULL);
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
        if (H5Dread(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, block) < 0)
            st = lb_h5_unreadable(set, path, name, err);
        else
            lb_hash_add(hash, block, k * dims[1] * sizeof *block);
        H5Sclose(memory);
    }
    free(block);
    H5Sclose(space);
    H5Dclose(set);
    return st;
}

static lb_status read_labels(hid_t file, const char *path, double **labels, size_t *rows,
                             lb_error *err)
{
    lb_frame *frame = NULL;
    lb_status st = lb_frame_open(file, path, "dataset/params", &frame, err);
    if (st != LB_OK)
        return st;
    *rows = lb_frame_rows(frame);
    *labels = lb_xcalloc(*rows * LB_SHARD_LABELS, sizeof **labels);
    double *column = lb_xcalloc(*rows, sizeof *column);
    for (int c = 0; c < LB_SHARD_LABELS && st == LB_OK; c++) {
        st = lb_frame_read(frame, lb_shard_labels[c], column, err);
        for (size_t i = 0; i < *rows && st == LB_OK; i++)
            (*labels)[i * LB_SHARD_LABELS + (size_t)c] = column[i];
    }
    free(column);
    lb_frame_close(frame);
    return st;
}

static lb_status recompute(hid_t file, const char *path, char actual[LB_HASH_SIZE], lb_error *err)
{
    static const char wave_name[] = "spectrumdataset/wave";
    size_t pixels = 0, rows = 0;
    double *wave = NULL, *labels = NULL;
    lb_hash *flux = lb_hash_new(), *error = lb_hash_new();
    lb_status st = lb_h5_count(file, path, wave_name, &pixels, err);
    if (st == LB_OK) {
        wave = lb_xcalloc(pixels, sizeof *wave);
        st = lb_h5_read_doubles(file, path, wave_name, pixels, wave, err);
    }
    if (st == LB_OK)
        st = read_labels(file, path, &labels, &rows, err);
    if (st == LB_OK)
        st = hash_array(file, path, "dataset/arrays/flux/value", flux, err);
    if (st == LB_OK)
        st = hash_array(file, path, "dataset/arrays/error/value", error, err);
    content_hash((lb_cvec){wave, st == LB_OK ? pixels : 0}, labels, st == LB_OK ? rows : 0, flux,
                 error, actual);
    free(labels);
    free(wave);
    return st;
}

lb_status lb_shard_check(const char *path, char stored[LB_HASH_SIZE], char actual[LB_HASH_SIZE],
                         lb_error *err)
{
    hid_t file = H5I_INVALID_HID;
    stored[0] = actual[0] = '\0';
    lb_status st = lb_h5_open(path, &file, err);
    if (st != LB_OK)
        return st;
    char *content = lb_h5_text(file, "content");
    if (content) {
        snprintf(stored, LB_HASH_SIZE, "%s", content);
        st = recompute(file, path, actual, err);
    }
    free(content);
    H5Fclose(file);
    return st;
}
