/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_SPECTRA_H
#define LB_DATA_SPECTRA_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The spectra of one split ("train", "val" or "test"): its shards in the order of their names, rows
 * numbered 0 .. n-1 through all of them. Labels are in memory, flux and error are read in blocks on
 * demand. Not for use from two threads at once.
 *
 * A shard is an HDF5 file in the layout of the PFS simulations: "spectrumdataset/wave" (p,
 * Angstrom), "dataset/arrays/flux/value" and "dataset/arrays/error/value" (n x p; any float type,
 * contiguous, chunked or compressed) and a pandas DataFrame at "dataset/params" (see data/frame.h)
 * with at least T_eff [K], log_g [dex], M_H [dex]; mag, snr and redshift are read when present.
 */
typedef struct lb_spectra lb_spectra;

/**
 * Open ROOT/SPLIT_<anything>/dataset.h5, all of them.
 * @param out  the caller closes it. Stays NULL with LB_OK when @p split is "val" and there is no
 *             val_* directory (see data/split.h, which then cuts one)
 * @return LB_OK; LB_EIO (nothing there, unreadable); LB_EFORMAT (not HDF5, truncated, filter
 *         missing, unreadable DataFrame); LB_ENAME (dataset or column missing); LB_ESHAPE (flux,
 *         error, wave, params disagree, or shards differ in their wavelengths); LB_EINVAL (wave not
 *         increasing)
 */
lb_status lb_spectra_open(const char *root, const char *split, lb_spectra **out, lb_error *err);

/** The same from explicit files; @p name is what messages call the set. */
lb_status lb_spectra_open_files(const char *name, const char *const *paths, size_t n,
                                lb_spectra **out, lb_error *err);

/** Rows that no file holds: they are made when they are read. */
typedef struct lb_spectra_maker {
    /** Rows first .. of the set; flux or error may have data NULL. Called from one thread, and the
     * same bits whenever a row is asked for. */
    lb_status (*make)(void *self, size_t first, lb_matf flux, lb_matf error, lb_error *err);
    void (*free)(void *self);
    void *self;
} lb_spectra_maker;

/** What is known of such a set before a row is made. Everything is copied. */
typedef struct lb_spectra_made {
    const char *name, *origin, *medium, *hash; /* origin: for messages, in place of a path */
    size_t rows;
    lb_cvec wave;
    const double *teff, *logg, *mh, *mag; /* [rows]: they decide a spectrum, to the last bit */
} lb_spectra_made;

/** A set of made rows, in all calls like one that was read from files. Takes over the maker. */
lb_spectra *lb_spectra_of_maker(lb_spectra_made what, lb_spectra_maker maker);
bool lb_spectra_is_made(const lb_spectra *s);
double lb_spectra_seconds_making(const lb_spectra *s); /* wall time in the maker so far; files: 0 */

void lb_spectra_close(lb_spectra *s); /* NULL is fine */

size_t lb_spectra_rows(const lb_spectra *s);
size_t lb_spectra_pixels(const lb_spectra *s);
size_t lb_spectra_shards(const lb_spectra *s);
const char *lb_spectra_name(const lb_spectra *s);   /* "train" ... */
lb_cvec lb_spectra_wave(const lb_spectra *s);       /* borrowed, p, Angstrom, increasing */
const char *lb_spectra_medium(const lb_spectra *s); /* "air", "vacuum" or "unknown" */

/** Borrowed column of the DataFrame, n; {NULL, 0} if absent. */
lb_cvec lb_spectra_label(const lb_spectra *s, const char *column);

/**
 * "sha256:..." over the hashes of the shards: the identity of the split. A shard written by
 * `simulate` carries the hash of its content (data/shard.h, which also checks it); of any other
 * file the bytes are hashed once, when it is opened.
 */
const char *lb_spectra_hash(const lb_spectra *s);

/** "train row 12 (DIR/train_0/dataset.h5 row 12)" for messages. */
void lb_spectra_row_name(const lb_spectra *s, size_t row, char *out, size_t size);

/**
 * Rows first .. first+k-1, k = rows of the view, p columns each.
 * @param flux, error  filled; either may have data NULL and is then not read
 * @return LB_OK; LB_ESHAPE; LB_EFORMAT (damaged file or missing filter)
 */
lb_status lb_spectra_read(lb_spectra *s, size_t first, lb_matf flux, lb_matf error, lb_error *err);

/** Scratch of at least @p floats floats, lent until the next call; for readers that need error too.
 */
float *lb_spectra_scratch(lb_spectra *s, size_t floats);

/** LB_ESHAPE, naming both, unless @p a and @p b have the same wavelengths (to 2e-7 of each) and
 * media that do not contradict each other. */
lb_status lb_spectra_check_same_grid(const lb_spectra *a, const lb_spectra *b, lb_error *err);

/** What is wrong with the rows of a split, counted by cause (one row may have several). */
typedef struct lb_screening {
    size_t rows, refused;
    size_t flux_bad, error_bad;                              /* rows with NaN or infinity */
    size_t teff_bad, logg_bad, mh_bad;                       /* likewise in a label */
    size_t error_nonpositive_pixels, error_nonpositive_rows; /* not refused: no noise there */
    unsigned char *keep;                                     /* rows; 0 = refused */
    uint64_t *hash; /* rows; of the pixels or, of made rows, of labels and magnitude */
} lb_screening;

/** Count only; refuses nothing by itself. One pass in blocks. LB_EFORMAT as lb_spectra_read(). Of
 * made rows the labels alone are looked at: their maker gives no NaN and no error of 0, and
 * whatever sums over them (linalg/gram.h) refuses one all the same. */
lb_status lb_spectra_inspect(lb_spectra *s, lb_screening *out, lb_error *err);

/**
 * lb_spectra_inspect(), then LB_ENUMERIC with the count per cause if more than 0.1 % of the rows
 * are refused (@p out is then freed).
 */
lb_status lb_spectra_screen(lb_spectra *s, lb_screening *out, lb_error *err);
void lb_screening_free(lb_screening *x); /* leaves it zeroed */

/**
 * LB_EINVAL, naming the rows, if the spectrum of a kept row of @p b (all pixels, bit for bit) is
 * one of @p a too. Rows are read again only where hashes agree; of two made sets none is made:
 * equal labels and magnitude stand for equal pixels.
 * @param in_a, in_b  what lb_spectra_inspect() said of the two
 * @return LB_OK; LB_EINVAL (also if only one of them is made); LB_ESHAPE; as lb_spectra_read()
 */
lb_status lb_spectra_check_disjoint(lb_spectra *a, const lb_screening *in_a, lb_spectra *b,
                                    const lb_screening *in_b, lb_error *err);

/**
 * Signal to noise of each row by both definitions in use, over pixels with a finite error > 0:
 * |flux| / |error| (Euclidean norms), and the median over pixels of flux / error. NAN without such
 * a pixel.
 * @param norm_ratio, median_pixel  n each
 */
lb_status lb_spectra_snr(lb_spectra *s, lb_vec norm_ratio, lb_vec median_pixel, lb_error *err);

#endif
