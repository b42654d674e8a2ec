/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_COHORT_H
#define LB_STUDY_COHORT_H

#include "core/text.h"
#include "data/bins.h"
#include "data/noise.h"
#include "data/rows.h"
#include "data/split.h"
#include "models/sweep.h"
#include "record/spec.h"
#include "stats/rowset.h"

#include <stdbool.h>
#include <stdint.h>

/** The rows of one set that are used: screened, with their labels and their group. */
typedef struct lb_side {
    lb_spectra *spectra; /* borrowed from the split */
    const size_t *rows;  /* row numbers in the split, borrowed */
    size_t n;
    double *target, *teff, *mh; /* [n] */
    int *bin;                   /* [n] bin k by the labels, -1 outside all bins */
    int *group;                 /* [n] bin whose expert serves the row; `outside` if none does */
} lb_side;

/**
 * A data set as every experiment of the programme sees it: three disjoint sets of rows, sorted into
 * bins of (T_eff, [M/H]), with the row sets on which models may be compared. Read the fields.
 */
typedef struct lb_cohort {
    lb_split split;
    lb_bins bins;
    lb_side train, val, test;
    size_t n_bins, groups;           /* groups = n_bins + 1 */
    int outside;                     /* the group of uncovered rows: n_bins */
    int merged_to[LB_BINS_MAX];      /* expert that serves each bin, -1: none */
    size_t n_train[LB_BINS_MAX + 1]; /* rows a group, `outside` last */
    size_t n_val[LB_BINS_MAX + 1], n_test[LB_BINS_MAX + 1];
    lb_text merges;                 /* what was merged and why, "" if nothing was */
    lb_rowset *all, *covered;       /* of the test rows */
    lb_rowset *in_bin[LB_BINS_MAX]; /* test rows of each group, NULL where there are none */
} lb_cohort;

/**
 * Open the spectra under @p root, screen them, and sort them by the bins of @p spec.
 * @param prefix  put before the names of the row sets ("" or "larger set: ")
 * @return LB_OK or what lb_split_open(), lb_bins_check() and lb_bins_merge() say; LB_EINVAL when no
 *         test row is covered
 */
lb_status lb_cohort_open(const char *root, const char *prefix, const lb_spec *spec, lb_cohort *out,
                         lb_error *err);
void lb_cohort_close(lb_cohort *c); /* zeroed is fine */

/** @p c with its first @p n_train training rows only (all of them if it has fewer), which are a
 * random draw as good as any: for what needs no more rows, a gate of a few features. Borrows
 * everything from @p c: not to be closed. */
lb_cohort lb_cohort_head(const lb_cohort *c, size_t n_train);

/** A cohort seen at one noise level with one draw of the noise. Holds what its streams point to, so
 * it must stay where it is while they are used. */
typedef struct lb_exposure {
    lb_noisy noisy[3];
    lb_stream_rows selected[3];
    lb_labelled train, val;
    lb_stream test;
} lb_exposure;

/** Seeds of the noise draw: one each for training, validation and test rows. */
typedef struct lb_noise_seeds {
    uint64_t train, validation, test;
} lb_noise_seeds;

/** The seeds of the protocol (protocol.split_seeds of the spec). */
lb_noise_seeds lb_noise_seeds_of(const lb_spec *spec);

/** @p c and @p out must both stay in place while the streams are used. Validation rows that were
 * cut from the training set keep the noise of their training row. */
void lb_cohort_expose(const lb_cohort *c, double level, lb_noise_seeds seeds, lb_exposure *out);

/** The error vectors of the three sets (1 sigma per pixel at noise level 1), as streams. Like an
 * exposure, both must stay in place. */
typedef struct lb_cohort_errors {
    lb_stream_rows selected[3];
    lb_stream train, val, test;
} lb_cohort_errors;

void lb_cohort_errors_of(const lb_cohort *c, lb_cohort_errors *out);

/** Signal to noise of every row at noise level 1, at level v it is 1 / v of that. Two definitions
 * that differ by about a factor of two (data/spectra.h): thresholds belong to one of them. */
typedef struct lb_cohort_snr {
    double *norm_train, *norm_val, *norm_test;    /* |flux| / |error| */
    double *pixel_train, *pixel_val, *pixel_test; /* median over pixels of flux / error */
} lb_cohort_snr;

/** @return LB_OK or what the spectra report; @p out is freed by lb_cohort_snr_free() */
lb_status lb_cohort_snr_of(const lb_cohort *c, lb_cohort_snr *out, lb_error *err);
void lb_cohort_snr_free(lb_cohort_snr *r); /* zeroed is fine */

#endif
