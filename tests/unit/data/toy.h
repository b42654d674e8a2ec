/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_TESTS_DATA_TOY_H
#define LB_TESTS_DATA_TOY_H

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

/* A small set of spectra in memory that a test may spoil before it is written. */
typedef struct toy {
    size_t rows, pixels;
    const char *medium;
    double *wave;        /* 7000, 7001, ... */
    float *flux, *error; /* random, positive */
    double *labels;      /* rows x 6, inside the nine bins */
} toy;

enum { TEFF, LOGG, MH };

toy toy_new(size_t rows, size_t pixels, uint64_t seed);
void toy_free(toy *t);
char *toy_write(const toy *t, const char *dir, const char *name); /* dir/name/dataset.h5 */
void toy_make(const char *dir, const char *name, size_t rows, size_t pixels, uint64_t seed);

char *scratch_dir(void); /* a new one under TMPDIR, removed with its content at exit */
char *in_dir(const char *dir, const char *name);

/* Spoil a file from outside: open it for writing and do something to it. */
void with_file(const char *path, void (*spoil)(hid_t file));
void put_array(hid_t file, const char *name, hid_t type, int rank, const hsize_t *dims,
               const void *data);

#endif
