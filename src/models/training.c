/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/training.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "core/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORTH_A_THREAD = 1 << 16, /* values below which a parallel region costs more than it gives */
    BLOCK = 256,              /* rows read at a time */
    LINE = 16,                /* floats of a cache line */
    PIECE = 512,              /* columns that a thread sums at a time */
    ORDER = 0xFF, /* keeps the order apart from the masks of net.c, which end at layer 8 */
};

size_t lb_source_rows(lb_source x)
{
    return x.matrix.data ? x.matrix.rows : x.stream->rows;
}

size_t lb_source_cols(lb_source x)
{
    return x.matrix.data ? x.matrix.cols : x.stream->cols;
}

lb_status lb_source_check(lb_source x, size_t cols, const size_t *rows, size_t n, lb_error *err)
{
    const size_t all = lb_source_rows(x);
    if (lb_source_cols(x) != cols)
        return LB_FAIL(err, LB_ESHAPE, "the model has %zu inputs, the rows have %zu columns", cols,
                       lb_source_cols(x));
    for (size_t i = 0; i < n; i++)
        if ((rows ? rows[i] : i) >= all)
            return LB_FAIL(err, LB_EINVAL, "row number %zu, but there are %zu rows",
                           rows ? rows[i] : i, all);
    return LB_OK;
}

static size_t number(const size_t *rows, size_t first, size_t i)
{
    return rows ? rows[first + i] : first + i;
}

/* Rows of a stream, runs of neighbours in one call. */
static lb_status read_stream(const lb_stream *x, const size_t *rows, size_t first, lb_matf out,
                             lb_error *err)
{
    lb_status st = LB_OK;
#pragma omp critical(lb_source_stream) /* streams are read from one thread at a time */
    for (size_t i = 0, run; i < out.rows && st == LB_OK; i += run) {
        const size_t from = number(rows, first, i);
        run = 1;
        while (i + run < out.rows && number(rows, first, i + run) == from + run)
            run++;
        st = x->read(x->self, from, (lb_matf){out.data + i * out.stride, run, out.cols, out.stride},
                     err);
    }
    return st;
}

/* One row as it is: in memory where it lies, from a stream it has been put into @p out already. */
static const float *raw_row(lb_source x, const size_t *rows, size_t first, lb_matf out, size_t i)
{
    return x.matrix.data ? x.matrix.data + number(rows, first, i) * x.matrix.stride
                         : out.data + i * out.stride;
}

static lb_status bad_value(const float *row, size_t cols, size_t which, lb_error *err)
{
    size_t j = 0;
    while (j + 1 < cols && isfinite(row[j]))
        j++;
    return LB_FAIL(err, LB_ENUMERIC, "row %zu, column %zu is %g; leave such rows out", which, j,
                   (double)row[j]);
}

/* By the bits, so that compilers take several at a time: the exponent of NaN and infinity is all
 * ones. */
LB_FOR_EVERY_CPU static bool all_finite(const float *x, size_t n)
{
    uint32_t most = 0;
    for (size_t j = 0; j < n; j++) {
        uint32_t bits;
        memcpy(&bits, x + j, sizeof bits);
        bits &= 0x7FFFFFFF;
        most = bits > most ? bits : most;
    }
    return most < 0x7F800000;
}

/* One row, perhaps in place, while the next is asked for: rows lie anywhere. */
LB_FOR_EVERY_CPU static void standardise(const lb_scaler *s, const float *from, const float *next,
                                         float *to)
{
    size_t j = 0;
    for (; j + LINE <= s->cols; j += LINE) {
        float line[LINE];
        __builtin_prefetch(next + j);
        for (size_t k = 0; k < LINE; k++)
            line[k] = (from[j + k] - s->centre[j + k]) * s->inverse[j + k];
        memcpy(to + j, line, sizeof line);
    }
    for (; j < s->cols; j++)
        to[j] = (from[j] - s->centre[j]) * s->inverse[j];
}

lb_status lb_scaler_read(const lb_scaler *s, lb_source x, const size_t *rows, size_t first,
                         lb_matf out, lb_error *err)
{
    size_t bad = out.rows; /* the first row that is not finite */
    const lb_status st = x.matrix.data ? LB_OK : read_stream(x.stream, rows, first, out, err);
    if (st != LB_OK)
        return st;
#pragma omp parallel for reduction(min : bad) if (out.rows * out.cols > WORTH_A_THREAD)
    for (size_t i = 0; i < out.rows; i++) {
        const float *from = raw_row(x, rows, first, out, i);
        const float *next = i + 1 < out.rows ? raw_row(x, rows, first, out, i + 1) : from;
        float *to = out.data + i * out.stride;
        standardise(s, from, next, to);
        if (!all_finite(to, out.cols) && i < bad)
            bad = i;
    }
    if (bad == out.rows)
        return LB_OK;
    return bad_value(out.data + bad * out.stride, out.cols, number(rows, first, bad), err);
}

static lb_status check_rows(const lb_training_rows *d, const size_t *rows, size_t n,
                            const char *what, lb_error *err)
{
    const size_t all = lb_source_rows(d->x);
    if (n == 0)
        return LB_FAIL(err, LB_EINVAL, "no %s row", what);
    for (size_t i = 0; i < n; i++) {
        if (rows[i] >= all)
            return LB_FAIL(err, LB_EINVAL, "%s row number %zu, but there are %zu rows", what,
                           rows[i], all);
        if (!isfinite(d->y.data[rows[i]]))
            return LB_FAIL(err, LB_ENUMERIC, "the label of row %zu is %g; leave such rows out",
                           rows[i], d->y.data[rows[i]]);
    }
    return LB_OK;
}

static void mean_and_variance(const double *y, const size_t *rows, size_t n, double *mean,
                              double *variance)
{
    const double shift = y[rows[0]]; /* makes the variance of a constant exactly 0 */
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += y[rows[i]] - shift;
    *mean = shift + sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (y[rows[i]] - *mean) * (y[rows[i]] - *mean);
    *variance = squares / (double)n;
}

/* Sums of (x - shift) and of its square, column by column. */
typedef struct sums {
    const float *shift; /* the first row: a constant column then has the variance 0 exactly */
    double *first, *second;
} sums;

LB_FOR_EVERY_CPU static void add_row(const float *restrict row, const float *restrict shift,
                                     size_t n, double *restrict first, double *restrict second)
{
    for (size_t j = 0; j < n; j++) {
        const double d = (double)row[j] - (double)shift[j];
        first[j] += d;
        second[j] += d * d;
    }
}

/* Add a block of rows, each thread its own columns. */
static void add_block(lb_source x, const size_t *rows, size_t first, lb_matf block, sums s)
{
#pragma omp parallel for schedule(static) if (block.rows * block.cols > WORTH_A_THREAD)
    for (size_t j = 0; j < block.cols; j += PIECE) {
        const size_t n = block.cols - j < PIECE ? block.cols - j : PIECE;
        for (size_t i = 0; i < block.rows; i++)
            add_row(raw_row(x, rows, first, block, i) + j, s.shift + j, n, s.first + j,
                    s.second + j);
    }
}

/* A sum that is not finite means a row that is not: name it. */
static lb_status check_sums(const lb_training_rows *d, size_t first, lb_matf block, sums s,
                            lb_error *err)
{
    bool finite = true;
    for (size_t j = 0; j < block.cols; j++)
        finite = finite && isfinite(s.first[j]);
    for (size_t i = 0; i < block.rows && !finite; i++) {
        const float *row = raw_row(d->x, d->train, first, block, i);
        if (!all_finite(row, block.cols))
            return bad_value(row, block.cols, d->train[first + i], err);
    }
    return LB_OK;
}

static lb_status column_statistics(const lb_training_rows *d, lb_scaler *s, lb_error *err)
{
    const size_t p = s->cols;
    float *block = d->x.matrix.data ? NULL : lb_xaligned(BLOCK * p, sizeof *block);
    float *shift = lb_xcalloc(p, sizeof *shift);
    double *sum = lb_xcalloc(2 * p, sizeof *sum);
    const sums total = {shift, sum, sum + p};
    const double n = (double)d->n_train;
    lb_status st = LB_OK;

    for (size_t first = 0; first < d->n_train; first += BLOCK) {
        const size_t rows = d->n_train - first < BLOCK ? d->n_train - first : BLOCK;
        const lb_matf x = {block, rows, p, p};
        if (block && (st = read_stream(d->x.stream, d->train, first, x, err)) != LB_OK)
            goto done;
        if (first == 0)
            memcpy(shift, raw_row(d->x, d->train, 0, x, 0), p * sizeof *shift);
        add_block(d->x, d->train, first, x, total);
        if ((st = check_sums(d, first, x, total, err)) != LB_OK)
            goto done;
    }
    for (size_t j = 0; j < p; j++) {
        const double off = total.first[j] / n, variance = total.second[j] / n - off * off;
        s->mean[j] = (double)shift[j] + off;
        s->sd[j] = variance > 0.0 ? sqrt(variance) : 1.0;
        s->centre[j] = (float)s->mean[j];
        s->inverse[j] = (float)(1.0 / s->sd[j]);
    }
done:
    free(block);
    free(shift);
    free(sum);
    return st;
}

lb_status lb_scaler_fit(const lb_training_rows *d, lb_scaler *out, lb_error *err)
{
    const size_t rows = lb_source_rows(d->x), p = lb_source_cols(d->x);
    lb_status st;
    *out = (lb_scaler){0};
    if (d->y.n != rows)
        return LB_FAIL(err, LB_ESHAPE, "x has %zu rows, y has %zu", rows, d->y.n);
    if (p == 0)
        return LB_FAIL(err, LB_EINVAL, "the rows have no column");
    if ((st = check_rows(d, d->train, d->n_train, "training", err)) != LB_OK ||
        (st = check_rows(d, d->val, d->n_val, "validation", err)) != LB_OK)
        return st;
    *out = (lb_scaler){.cols = p,
                       .mean = lb_xcalloc(p, sizeof(double)),
                       .sd = lb_xcalloc(p, sizeof(double)),
                       .centre = lb_xcalloc(p, sizeof(float)),
                       .inverse = lb_xcalloc(p, sizeof(float))};
    double unused, variance;
    mean_and_variance(d->y.data, d->val, d->n_val, &unused, &out->y_variance_val);
    mean_and_variance(d->y.data, d->train, d->n_train, &out->y_mean, &variance);
    out->y_sd = variance > 0.0 ? sqrt(variance) : 1.0;
    if ((st = column_statistics(d, out, err)) != LB_OK)
        lb_scaler_free(out);
    return st;
}

void lb_scaler_free(lb_scaler *s)
{
    free(s->mean);
    free(s->sd);
    free(s->centre);
    free(s->inverse);
    *s = (lb_scaler){0};
}

void lb_training_free(lb_training *t)
{
    free(t->train_loss);
    free(t->val_loss);
    *t = (lb_training){0};
}

void lb_training_order(uint64_t seed, uint64_t epoch, const size_t *train, size_t n, size_t *out)
{
    lb_rng r = lb_rng_make(seed, epoch << 48 | (uint64_t)ORDER << 40);
    memcpy(out, train, n * sizeof *out);
    lb_rng_shuffle(&r, out, n);
}

lb_status lb_training_check(lb_training_options o, lb_error *err)
{
    if (o.batch == 0 || o.epochs == 0 || o.patience == 0)
        return LB_FAIL(err, LB_EINVAL,
                       "batches of %zu rows, %zu epochs, patience %zu: each must be at least 1",
                       o.batch, o.epochs, o.patience);
    if (o.epochs > 65535)
        return LB_FAIL(err, LB_EINVAL, "%zu epochs, at most 65535", o.epochs);
    return LB_OK;
}

/* One epoch: every training row once. */
static lb_status run_epoch(lb_trainee t, const lb_training_rows *d, uint64_t epoch,
                           lb_training_options o, size_t *order, double *train_loss, lb_error *err)
{
    double squares = 0.0;
    lb_training_order(o.seed, epoch, d->train, d->n_train, order);
    for (size_t first = 0; first < d->n_train; first += o.batch) {
        const size_t n = d->n_train - first < o.batch ? d->n_train - first : o.batch;
        const lb_status st = t.learn(t.self, epoch, order + first, n, &squares, err);
        if (st != LB_OK)
            return st;
    }
    *train_loss = squares / (double)d->n_train;
    return LB_OK;
}

lb_status lb_training_run(lb_trainee t, const lb_training_rows *d, double val_variance,
                          lb_training_options o, lb_training *out, lb_error *err)
{
    size_t *order = lb_xcalloc(d->n_train, sizeof *order);
    lb_status st = LB_OK;
    *out = (lb_training){.val_variance = val_variance, .best_loss = INFINITY};
    out->train_loss = lb_xcalloc(o.epochs, sizeof(double));
    out->val_loss = lb_xcalloc(o.epochs, sizeof(double));
    for (size_t e = 1; e <= o.epochs && e - out->best_epoch <= o.patience; e++) {
        double *train = &out->train_loss[e - 1], *val = &out->val_loss[e - 1];
        if ((st = run_epoch(t, d, e, o, order, train, err)) != LB_OK ||
            (st = t.score(t.self, d->val, d->n_val, val, err)) != LB_OK)
            goto done;
        if (!isfinite(*train) || !isfinite(*val)) {
            st = LB_FAIL(err, LB_ENUMERIC,
                         "epoch %zu: the loss is %g on training and %g on validation rows; lower "
                         "the learning rate",
                         e, *train, *val);
            goto done;
        }
        out->epochs = e;
        if (*val < out->best_loss) {
            out->best_loss = *val;
            out->best_epoch = e;
            t.keep(t.self);
        }
    }
    t.restore(t.self);
    out->at_limit = out->best_epoch == o.epochs;
    out->undertrained =
        out->best_epoch <= LB_UNDERTRAINED_EPOCHS || out->best_loss > out->val_variance;
done:
    free(order);
    if (st != LB_OK)
        lb_training_free(out);
    return st;
}

static size_t *largest_first(size_t n, const double *work)
{
    size_t *order = lb_xcalloc(n, sizeof *order);
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && work[order[at - 1]] < work[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return order;
}

lb_status lb_training_share(size_t n, const double *work, const char *what,
                            lb_status (*job)(void *self, size_t i, lb_error *err), void *self,
                            lb_error *err)
{
    size_t *order = largest_first(n, work);
    lb_error *errors = lb_xcalloc(n, sizeof *errors);
    lb_status st = LB_OK;
    double together = 0.0;
    for (size_t i = 0; i < n; i++)
        together += work[i];
#pragma omp parallel for schedule(dynamic, 1) if (n > 1 && together >= (double)LB_WORTH_THREADS)
    for (size_t i = 0; i < n; i++)
        job(self, order[i], &errors[order[i]]);
    for (size_t i = 0; i < n && st == LB_OK; i++)
        if ((st = errors[i].status) != LB_OK) {
            if (err && err->status == LB_OK)
                *err = errors[i];
            if (err && n > 1)
                lb_error_within(err, "%s %zu", what, i);
        }
    free(order);
    free(errors);
    return st;
}
