/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/classify.h"

#include "core/memory.h"
#include "linalg/probability.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lb_confusion {
    size_t classes, n, *count; /* count: classes x classes, a row a true class */
    char rows[LB_HASH_SIZE];
};

static lb_status check_label(const char *what, int label, size_t row, size_t classes, lb_error *err)
{
    if (label >= 0 && (size_t)label < classes)
        return LB_OK;
    return LB_FAIL(
        err, LB_EINVAL,
        "the %s class of row %zu is %d, must be 0 to %zu; leave rows without a class out "
        "of the row set",
        what, row, label, classes - 1);
}

/* A share of @p n rows with the standard error of a binomial proportion. */
static lb_number share_of(size_t part, size_t n, const char *kind, const char *rows)
{
    lb_number x = lb_number_plain((double)part / (double)n, kind, "");
    if (n == 0)
        x = lb_number_na(kind, "n/a (no rows)");
    else
        x.se = sqrt(x.value * (1.0 - x.value) / (double)n);
    x.n = n;
    snprintf(x.rows, sizeof x.rows, "%s", rows);
    return x;
}

/* --- confusion ----------------------------------------------------------------------------------
 */

lb_status lb_confusion_make(const lb_rowset *rows, const int *truth, const int *called,
                            size_t classes, lb_confusion **out, lb_error *err)
{
    *out = NULL;
    if (classes == 0)
        return LB_FAIL(err, LB_EINVAL, "a confusion of no classes");
    const size_t n = lb_rowset_size(rows);
    lb_status st = LB_OK;
    lb_confusion *c = lb_xcalloc(1, sizeof *c);
    c->classes = classes;
    c->n = n;
    c->count = lb_xcalloc(classes * classes, sizeof *c->count);
    snprintf(c->rows, sizeof c->rows, "%s", lb_rowset_hash(rows));
    for (size_t i = 0; i < n && st == LB_OK; i++) {
        if ((st = check_label("true", truth[i], i, classes, err)) == LB_OK &&
            (st = check_label("called", called[i], i, classes, err)) == LB_OK)
            c->count[(size_t)truth[i] * classes + (size_t)called[i]]++;
    }
    if (st == LB_OK)
        *out = c;
    else
        lb_confusion_free(c);
    return st;
}

void lb_confusion_free(lb_confusion *c)
{
    if (c)
        free(c->count);
    free(c);
}

size_t lb_confusion_classes(const lb_confusion *c)
{
    return c->classes;
}

size_t lb_confusion_count(const lb_confusion *c, size_t truth, size_t called)
{
    return c->count[truth * c->classes + called];
}

size_t lb_confusion_rows(const lb_confusion *c, size_t truth)
{
    size_t n = 0;
    for (size_t k = 0; k < c->classes; k++)
        n += lb_confusion_count(c, truth, k);
    return n;
}

lb_status lb_confusion_normalised(const lb_confusion *c, lb_mat out, lb_error *err)
{
    if (out.rows != c->classes || out.cols != c->classes)
        return LB_FAIL(err, LB_ESHAPE, "%zu classes into a %zux%zu matrix", c->classes, out.rows,
                       out.cols);
    for (size_t t = 0; t < c->classes; t++) {
        const size_t n = lb_confusion_rows(c, t);
        for (size_t k = 0; k < c->classes; k++)
            out.data[t * out.stride + k] =
                n ? (double)lb_confusion_count(c, t, k) / (double)n : 0.0;
    }
    return LB_OK;
}

lb_number lb_confusion_accuracy(const lb_confusion *c)
{
    size_t hits = 0;
    for (size_t k = 0; k < c->classes; k++)
        hits += lb_confusion_count(c, k, k);
    return share_of(hits, c->n, "accuracy", c->rows);
}

lb_number lb_confusion_recall(const lb_confusion *c, size_t truth)
{
    return share_of(lb_confusion_count(c, truth, truth), lb_confusion_rows(c, truth), "recall",
                    c->rows);
}

lb_number lb_confusion_macro_f1(const lb_confusion *c)
{
    double sum = 0.0;
    for (size_t k = 0; k < c->classes; k++) {
        size_t called = 0;
        for (size_t t = 0; t < c->classes; t++)
            called += lb_confusion_count(c, t, k);
        const size_t both = called + lb_confusion_rows(c, k); /* 2 tp + fp + fn */
        sum += both ? 2.0 * (double)lb_confusion_count(c, k, k) / (double)both : 0.0;
    }
    lb_number x = share_of(0, c->n, "macro_f1", c->rows);
    x.se = NAN;
    if (c->n)
        x.value = sum / (double)c->classes;
    return x;
}

/* --- reliability --------------------------------------------------------------------------------
 */

/* The interval of a confidence in [0, 1], by the very edges that are printed. */
static size_t interval_of(double confidence, const lb_reliability_bin *bins, size_t n)
{
    size_t b = (size_t)(confidence * (double)n);
    b = b < n ? b : n - 1;
    while (b > 0 && confidence < bins[b].lo)
        b--;
    while (b + 1 < n && confidence >= bins[b].hi)
        b++;
    return b;
}

static lb_number calibration_error(const lb_rowset *rows, const lb_reliability_bin *bins,
                                   size_t n_bins)
{
    const size_t n = lb_rowset_size(rows);
    lb_number x = share_of(0, n, "ece", lb_rowset_hash(rows));
    x.se = NAN;
    for (size_t b = 0; b < n_bins; b++)
        if (bins[b].n)
            x.value += (double)bins[b].n / (double)n * fabs(bins[b].accuracy - bins[b].confidence);
    return x;
}

static lb_status check_reliability(const lb_rowset *rows, lb_cmat p, const int *truth, int class_of,
                                   size_t n_bins, lb_error *err)
{
    if (p.rows != lb_rowset_size(rows))
        return LB_FAIL(err, LB_ESHAPE, "probabilities of %zu rows for the %zu rows of '%s'", p.rows,
                       lb_rowset_size(rows), lb_rowset_name(rows));
    if (n_bins == 0)
        return LB_FAIL(err, LB_EINVAL, "reliability in no interval");
    if (class_of < -1 || (class_of >= 0 && (size_t)class_of >= p.cols))
        return LB_FAIL(err, LB_EINVAL, "there is no class %d among %zu", class_of, p.cols);
    lb_status st = lb_probability_check(p, err);
    for (size_t i = 0; i < p.rows && st == LB_OK; i++)
        st = check_label("true", truth[i], i, p.cols, err);
    return st;
}

lb_status lb_reliability(const lb_rowset *rows, lb_cmat p, const int *truth, int class_of,
                         lb_reliability_bin *bins, size_t n_bins, lb_number *ece, lb_error *err)
{
    const lb_status st = check_reliability(rows, p, truth, class_of, n_bins, err);
    if (st != LB_OK)
        return st;
    for (size_t b = 0; b < n_bins; b++)
        bins[b] = (lb_reliability_bin){.lo = (double)b / (double)n_bins,
                                       .hi = (double)(b + 1) / (double)n_bins};
    for (size_t i = 0; i < p.rows; i++) {
        const size_t k = class_of < 0 ? lb_probability_top(p, i) : (size_t)class_of;
        const double confidence = fmin(p.data[i * p.stride + k], 1.0);
        lb_reliability_bin *b = &bins[interval_of(confidence, bins, n_bins)];
        b->n++;
        b->confidence += confidence;
        b->accuracy += (size_t)truth[i] == k;
    }
    for (size_t b = 0; b < n_bins; b++) {
        bins[b].confidence /= (double)bins[b].n; /* 0 / 0 is the NAN of an empty interval */
        bins[b].accuracy /= (double)bins[b].n;
    }
    *ece = calibration_error(rows, bins, n_bins);
    return LB_OK;
}

/* --- weights ------------------------------------------------------------------------------------
 */

lb_status lb_weights_entropy(lb_cmat p, bool normalise, lb_vec out, lb_error *err)
{
    if (out.n != p.rows)
        return LB_FAIL(err, LB_ESHAPE, "entropies of %zu rows into %zu places", p.rows, out.n);
    const lb_status st = lb_probability_check(p, err);
    if (st != LB_OK)
        return st;
    const double unit = normalise && p.cols > 1 ? log((double)p.cols) : 1.0;
    for (size_t i = 0; i < p.rows; i++) {
        double sum = 0.0;
        for (size_t k = 0; k < p.cols; k++) {
            const double w = p.data[i * p.stride + k];
            sum -= w > 0.0 ? w * log(w) : 0.0;
        }
        out.data[i] = fmax(sum, 0.0) / unit; /* a weight may be above 1 by the slack */
    }
    return LB_OK;
}

lb_status lb_weights_mean(lb_cmat p, const int *truth, lb_mat out, size_t *counts, lb_error *err)
{
    if (out.cols != p.cols)
        return LB_FAIL(err, LB_ESHAPE, "means of %zu classes into %zu columns", p.cols, out.cols);
    lb_status st = lb_probability_check(p, err);
    for (size_t i = 0; i < p.rows && st == LB_OK; i++)
        st = check_label("true", truth[i], i, out.rows, err);
    if (st != LB_OK)
        return st;
    size_t *n = lb_xcalloc(out.rows, sizeof *n);
    for (size_t t = 0; t < out.rows; t++)
        memset(out.data + t * out.stride, 0, out.cols * sizeof *out.data);
    for (size_t i = 0; i < p.rows; i++) {
        n[truth[i]]++;
        for (size_t k = 0; k < p.cols; k++)
            out.data[(size_t)truth[i] * out.stride + k] += p.data[i * p.stride + k];
    }
    for (size_t t = 0; t < out.rows; t++)
        for (size_t k = 0; k < out.cols; k++)
            out.data[t * out.stride + k] /= (double)n[t]; /* NAN without rows */
    if (counts)
        memcpy(counts, n, out.rows * sizeof *n);
    free(n);
    return LB_OK;
}
