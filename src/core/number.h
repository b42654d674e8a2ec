/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_CORE_NUMBER_H
#define LB_CORE_NUMBER_H

#include "core/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * One result, with what is needed to read and to trust it. A plain record; parts that do not apply
 * are NAN, 0 or "". Scores and differences of scores come from stats/score.h and
 * stats/bootstrap.h, which fill @c rows: that is how two row sets can never be mixed.
 */
typedef struct lb_number {
    double value;            /* NAN only together with a reason in na */
    double ci_lo, ci_hi, se; /* interval and standard error, unit of value */
    double p_above;          /* P(value > threshold) over the resamples, of a difference */
    double boot_mean;        /* mean over the resamples, of a difference; unit of value */
    double p_positive;       /* P(value > 0) over the resamples, of a difference */
    size_t n;                /* rows behind it */
    uint64_t seed;           /* of the draw it depends on */
    int digits;              /* decimals to print; -1: from the uncertainty, 4 without one */
    bool oracle;             /* a model behind it was given true labels at prediction time */
    char kind[24];           /* r2, delta_r2, delta_r2_unaligned, share, retention, mae, rmse, bias,
                                alpha, count, percent, ratio, snr, probability, seconds, bytes ... */
    char unit[16];           /* "dex", "K", "%", "" */
    char rows[LB_HASH_SIZE]; /* hash of the row set, "" if it belongs to none */
    char protocol[48];       /* named protocol, e.g. "clean", "legacy" */
    char na[48];             /* why there is no value, e.g. "n/a (n<10)" */
} lb_number;

lb_number lb_number_plain(double value, const char *kind, const char *unit);
lb_number lb_number_count(size_t n);
lb_number lb_number_na(const char *kind, const char *reason);

/** The mean over the resamples of a difference as a number of its own, with its standard error. */
lb_number lb_number_boot_mean(const lb_number *difference);

/**
 * Decimals that the uncertainty supports: two significant digits of the standard error (or of a
 * quarter of the interval), never more than @c digits when that is set, between 0 and 6.
 */
int lb_number_decimals(const lb_number *x);

#endif
