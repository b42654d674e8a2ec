/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_SPLIT_H
#define LB_DATA_SPLIT_H

#include "data/spectra.h"

#include <stdint.h>

/** A part of a split that an experiment uses: these rows of these spectra. Rows are increasing. */
typedef struct lb_part {
    lb_spectra *spectra;
    size_t *rows, n;
} lb_part;

/**
 * Training, validation and test data of one experiment, checked: same wavelengths, bad rows left
 * out and counted, no spectrum in two sets. Read the fields, free with lb_split_close().
 */
typedef struct lb_split {
    lb_spectra *train, *val, *test; /* val is NULL when the validation rows are cut from train */
    lb_screening train_screen, val_screen, test_screen; /* val_screen is zero when cut */
    bool *is_core;           /* per row of train: fit on it (kept and not cut for validation) */
    size_t n_core;           /* how many */
    lb_part core;            /* the same as row numbers */
    lb_part validation;      /* of val, or of train when cut */
    lb_part kept_test;       /* test rows that passed the screening */
    bool validation_was_cut; /* the report must say so */
    uint64_t cut_seed;
} lb_split;

/**
 * Open DIR/train_*, DIR/val_* and DIR/test_*. Without any val_* a random fifth of the kept training
 * rows (rounded, at least 1) becomes the validation set, drawn with @p cut_seed.
 * @param root  a directory, or what lb_source_open() understands
 * @return LB_OK or what lb_source_open(), _screen(), _check_same_grid() and _check_disjoint() say;
 *         LB_EINVAL if a set ends up without rows
 */
lb_status lb_split_open(const char *root, uint64_t cut_seed, lb_split *out, lb_error *err);
void lb_split_close(lb_split *s); /* zeroed is fine */

#endif
