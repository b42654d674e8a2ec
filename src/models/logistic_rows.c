/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/logistic_rows.h"

#include "core/memory.h"
#include "models/logistic.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = LB_LOGISTIC_CHUNK,
    PARTS = 8,        /* what threads share: about so many parts of the rows */
    SERIAL = 1 << 22, /* multiplications a Hessian below which threads do not pay */
};

void lb_logistic_rows_free(lb_logistic_rows *d)
{
    free(d->known), free(d->column), free(d->mean), free(d->sd), free(d->parts);
    free(d->x), free(d->label);
}

/* Rows by class, and what can be wrong with labels and folds. counts: (classes). */
static lb_status count_rows(size_t n, const int *label, size_t classes, const int *fold,
                            size_t folds, size_t *counts, lb_error *err)
{
    lb_status st = LB_OK;
    size_t *in_fold = lb_xcalloc(folds * (classes + 1), sizeof *in_fold), known = 0;
    for (size_t i = 0; i < n && st == LB_OK; i++) {
        if (label[i] == -1)
            continue;
        const int f = fold ? fold[i] : 0;
        if (label[i] < 0 || (size_t)label[i] >= classes)
            st = LB_FAIL(err, LB_EINVAL, "label %d of row %zu, must be -1 .. %zu - 1", label[i], i,
                         classes);
        else if (f < 0 || (size_t)f >= folds)
            st = LB_FAIL(err, LB_EINVAL, "fold %d of row %zu, must be 0 .. %zu - 1", f, i, folds);
        else {
            counts[label[i]]++;
            in_fold[(size_t)f * (classes + 1) + (size_t)label[i]]++;
            in_fold[(size_t)f * (classes + 1) + classes]++;
        }
    }
    for (size_t k = 0; k < classes; k++)
        known += counts[k] > 0;
    if (st == LB_OK && known < 2)
        st = LB_FAIL(err, LB_EINVAL,
                     "logistic regression on rows of %zu class%s: there must be two to tell apart",
                     known, known == 1 ? "" : "es");
    for (size_t f = 0; f < folds && folds > 1 && st == LB_OK; f++) {
        if (in_fold[f * (classes + 1) + classes] == 0)
            st = LB_FAIL(err, LB_EINVAL, "fold %zu of %zu has no row", f, folds);
        for (size_t k = 0; k < classes && st == LB_OK; k++)
            if (counts[k] > 0 && in_fold[f * (classes + 1) + k] == counts[k])
                st = LB_FAIL(err, LB_EINVAL,
                             "all %zu rows of class %zu are in fold %zu, so it cannot be learned "
                             "without that fold: spread them, or leave the class out (label -1)",
                             counts[k], k, f);
    }
    free(in_fold);
    return st;
}

/* Column by column over the rows used: mean and standard deviation, or constant. A range of a few
 * ulps counts as constant. */
static lb_status scale_columns(lb_logistic_rows *d, lb_cmat x, const int *label, bool *dropped,
                               lb_error *err)
{
    for (size_t j = 0; j < x.cols; j++) {
        double low = INFINITY, high = -INFINITY, sum = 0.0, squares = 0.0, origin = 0.0;
        size_t n = 0;
        for (size_t i = 0; i < x.rows; i++) {
            if (label[i] == -1)
                continue;
            const double value = x.data[i * x.stride + j];
            if (!isfinite(value))
                return LB_FAIL(err, LB_ENUMERIC, "x[%zu][%zu] is %g: leave the row out (label -1)",
                               i, j, value);
            origin = n++ ? origin : value;
            low = value < low ? value : low;
            high = value > high ? value : high;
            sum += value - origin;
        }
        dropped[j] = high - low <= 8.0 * DBL_EPSILON * fmax(fabs(low), fabs(high));
        if (dropped[j])
            continue;
        const double mean = origin + sum / (double)n;
        for (size_t i = 0; i < x.rows; i++)
            if (label[i] != -1) {
                const double away = x.data[i * x.stride + j] - mean;
                squares += away * away;
            }
        const double sd = sqrt(squares / (double)n);
        if (!(sd >= 1e-100 && sd <= 1e100))
            return LB_FAIL(err, LB_ENUMERIC,
                           "column %zu of x runs from %g to %g: rescale it, its standard deviation "
                           "must be in 1e-100 .. 1e100",
                           j, low, high);
        d->column[d->m - 1] = j;
        d->mean[d->m - 1] = mean;
        d->sd[d->m - 1] = sd;
        d->m++;
    }
    return LB_OK;
}

/* Where the rows of each fold go. */
static void lay_out(lb_logistic_rows *d, const int *label, const int *fold, size_t n, size_t folds)
{
    const size_t most = (PARTS + folds - 1) / folds;
    d->parts = lb_xcalloc(folds * most, sizeof *d->parts);
    for (size_t f = 0; f < folds; f++) {
        size_t rows = 0;
        for (size_t i = 0; i < n; i++)
            rows += label[i] != -1 && (!fold || (size_t)fold[i] == f);
        const size_t share = (rows + most - 1) / most, size = (share + CHUNK - 1) / CHUNK * CHUNK;
        for (size_t done = 0; done < rows; done += size) {
            const size_t here = rows - done < size ? rows - done : size;
            d->parts[d->n_parts++] = (lb_logistic_part){d->packed, here, (int)f};
            d->packed += (here + CHUNK - 1) / CHUNK * CHUNK;
        }
        d->n += rows;
    }
}

static void pack_row(lb_logistic_rows *d, size_t at, const double *x, double label)
{
    double *slot = d->x + at / CHUNK * d->m * CHUNK + at % CHUNK;
    slot[0] = 1.0;
    for (size_t j = 1; j < d->m; j++)
        slot[j * CHUNK] = (x[d->column[j - 1]] - d->mean[j - 1]) / d->sd[j - 1];
    d->label[at] = label;
}

/* The parts of a fold follow each other, so its rows are read once, in the order of x. */
static void pack(lb_logistic_rows *d, lb_cmat x, const int *label, const int *fold)
{
    d->x = lb_xaligned(d->packed * d->m, sizeof *d->x);
    d->label = lb_xaligned(d->packed, sizeof *d->label);
    memset(d->x, 0, d->packed * d->m * sizeof *d->x);
    for (size_t i = 0; i < d->packed; i++)
        d->label[i] = -1.0;
    size_t at = 0;
    for (size_t p = 0; p < d->n_parts; p++) {
        const lb_logistic_part *to = &d->parts[p];
        if (p > 0 && to->fold != to[-1].fold)
            at = 0;
        for (size_t r = 0; r < to->rows; at++) {
            if (label[at] == -1 || (fold && fold[at] != to->fold))
                continue;
            size_t k = 0;
            while (d->known[k] != (size_t)label[at])
                k++;
            pack_row(d, to->first + r++, x.data + at * x.stride, (double)k);
        }
    }
}

lb_status lb_logistic_rows_make(lb_logistic_rows *d, lb_cmat x, const int *label, size_t classes,
                                const int *fold, size_t folds, size_t *counts, bool *dropped,
                                lb_error *err)
{
    *d = (lb_logistic_rows){.m = 1};
    if (x.cols == 0)
        return LB_FAIL(err, LB_EINVAL, "logistic regression on a %zux0 matrix", x.rows);
    lb_status st = count_rows(x.rows, label, classes, fold, folds, counts, err);
    if (st != LB_OK)
        return st;
    d->known = lb_xcalloc(classes, sizeof *d->known);
    d->column = lb_xcalloc(x.cols, sizeof *d->column);
    d->mean = lb_xcalloc(x.cols, sizeof *d->mean);
    d->sd = lb_xcalloc(x.cols, sizeof *d->sd);
    for (size_t k = 0; k < classes; k++)
        if (counts[k] > 0)
            d->known[d->k++] = k;
    if ((st = scale_columns(d, x, label, dropped, err)) != LB_OK)
        return st;
    if (d->k * d->m > LB_LOGISTIC_UNKNOWNS)
        return LB_FAIL(err, LB_EINVAL,
                       "%zu classes and %zu features make %zu unknowns, at most %d fit a Newton "
                       "step: fewer features, for instance principal components",
                       d->k, d->m - 1, d->k * d->m, LB_LOGISTIC_UNKNOWNS);
    d->pairs = d->k * (d->k - 1) / 2;
    d->products = d->m * (d->m + 1) / 2;
    lay_out(d, label, fold, x.rows, folds);
    d->threads = d->n * d->pairs * d->products >= SERIAL;
    pack(d, x, label, fold);
    return LB_OK;
}
