/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/gate.h"

#include "core/memory.h"
#include "core/random.h"
#include "models/gate_trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

lb_status lb_gate_new(lb_gate_shape s, uint64_t seed, lb_gate **out, lb_error *err)
{
    *out = NULL;
    if (s.features == 0 || s.experts == 0)
        return LB_FAIL(err, LB_EINVAL, "a gate from %zu features to %zu experts: needs one of each",
                       s.features, s.experts);
    const size_t inner = s.hidden ? s.hidden : s.features, n1 = s.features * s.hidden;
    lb_gate *g = lb_xcalloc(1, sizeof *g);
    g->shape = s;
    g->mean = lb_vec_new(s.features);
    g->inverse = lb_vec_new(s.features);
    for (size_t f = 0; f < s.features; f++)
        g->inverse.data[f] = 1.0;
    g->weights.n = n1 + s.hidden + inner * s.experts + s.experts;
    g->weights.data = lb_xcalloc(g->weights.n, sizeof(double));
    g->w1 = lb_mat_of(g->weights.data, s.features, s.hidden);
    g->b1 = (lb_vec){g->weights.data + n1, s.hidden};
    g->w2 = lb_mat_of(g->b1.data + s.hidden, inner, s.experts);
    g->b2 = (lb_vec){g->w2.data + inner * s.experts, s.experts};

    lb_rng rng = lb_rng_make(seed, 0);
    for (size_t i = 0; i < g->weights.n; i++) {
        const size_t inputs = i < n1 + s.hidden ? s.features : inner;
        g->weights.data[i] = (2.0 * lb_rng_uniform(&rng) - 1.0) / sqrt((double)inputs);
    }
    *out = g;
    return LB_OK;
}

void lb_gate_free(lb_gate *g)
{
    if (!g)
        return;
    free(g->mean.data);
    free(g->inverse.data);
    free(g->weights.data);
    free(g);
}

void lb_gate_curve_free(lb_gate_curve *c)
{
    free(c->train);
    free(c->validation);
    *c = (lb_gate_curve){0};
}

void lb_gate_order(uint64_t seed, size_t epoch, size_t *order, size_t n)
{
    lb_rng rng = lb_rng_make(seed, epoch);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    lb_rng_shuffle(&rng, order, n);
}

/* --- rows
 * ---------------------------------------------------------------------------------------*/

static lb_status check_finite(lb_cmat m, const char *what, lb_error *err)
{
    for (size_t i = 0; i < m.rows; i++)
        for (size_t j = 0; j < m.cols; j++)
            if (!isfinite(m.data[i * m.stride + j]))
                return LB_FAIL(err, LB_ENUMERIC, "%s %zu of row %zu is %g", what, j, i,
                               m.data[i * m.stride + j]);
    return LB_OK;
}

static lb_status check_rows(const lb_gate *g, lb_gate_rows d, const char *which, lb_error *err)
{
    const lb_cmat y = {d.y.data, d.y.n, 1, 1};
    lb_status st;
    if (d.x.cols != g->shape.features || d.experts.cols != g->shape.experts)
        return LB_FAIL(err, LB_ESHAPE,
                       "%s rows have %zu features and %zu experts, the gate %zu and %zu", which,
                       d.x.cols, d.experts.cols, g->shape.features, g->shape.experts);
    if (d.x.rows != d.y.n || d.experts.rows != d.y.n)
        return LB_FAIL(err, LB_ESHAPE, "%s: %zu rows of features, %zu of experts, %zu of y", which,
                       d.x.rows, d.experts.rows, d.y.n);
    if (d.y.n == 0)
        return LB_FAIL(err, LB_EINVAL, "no %s rows for the gate", which);
    if ((st = check_finite(d.x, "feature", err)) != LB_OK ||
        (st = check_finite(d.experts, "expert", err)) != LB_OK ||
        (st = check_finite(y, "target", err)) != LB_OK)
        lb_error_within(err, "%s rows", which);
    return st;
}

static size_t record_stride(lb_gate_shape s)
{
    return (s.features + s.experts + 1 + 7) / 8 * 8; /* whole cache lines */
}

/* The rows as lb_gate_block_run() wants them; without experts and truth those are zero. */
static double *pack(lb_gate_shape s, const double *mean, const double *inverse, lb_cmat x,
                    lb_cmat experts, lb_cvec y)
{
    const size_t stride = record_stride(s), k = s.experts;
    double *records = lb_xaligned(x.rows ? x.rows * stride : 1, sizeof *records);
    for (size_t i = 0; i < x.rows; i++) {
        double *row = records + i * stride;
        memset(row, 0, stride * sizeof *row);
        for (size_t f = 0; f < x.cols; f++)
            row[f] = (x.data[i * x.stride + f] - mean[f]) * inverse[f];
        if (!y.data)
            continue;
        memcpy(row + x.cols, experts.data + i * experts.stride, k * sizeof *row);
        row[x.cols + k] = y.data[i];
    }
    return records;
}

static lb_gate_packed pack_rows(lb_gate_shape s, const double *mean, const double *inverse,
                                lb_gate_rows d)
{
    return (lb_gate_packed){pack(s, mean, inverse, d.x, d.experts, d.y), record_stride(s), d.y.n};
}

/* Mean and 1 / standard deviation of every column; 0 for a column with one value. Row by row, as
 * they lie in memory. */
static lb_status scaling(lb_cmat x, double *mean, double *inverse, lb_error *err)
{
    const double n = (double)x.rows;
    double *squares = lb_xcalloc(x.cols, sizeof *squares);
    bool *varies = lb_xcalloc(x.cols, sizeof *varies);
    lb_status st = LB_OK;
    for (size_t i = 0; i < x.rows; i++)
        for (size_t f = 0; f < x.cols; f++) {
            mean[f] += x.data[i * x.stride + f];
            varies[f] |= x.data[i * x.stride + f] != x.data[f];
        }
    for (size_t f = 0; f < x.cols; f++)
        mean[f] /= n;
    for (size_t i = 0; i < x.rows; i++)
        for (size_t f = 0; f < x.cols; f++) {
            const double d = x.data[i * x.stride + f] - mean[f];
            squares[f] += d * d;
        }
    for (size_t f = 0; f < x.cols && st == LB_OK; f++) {
        inverse[f] = varies[f] ? 1.0 / sqrt(squares[f] / n) : 0.0;
        if (!isfinite(mean[f]) || !isfinite(inverse[f]) || (inverse[f] == 0.0 && varies[f]))
            st = LB_FAIL(err, LB_ENUMERIC,
                         "feature %zu has mean %g and variance %g: change its unit", f, mean[f],
                         squares[f] / n);
    }
    free(squares);
    free(varies);
    return st;
}

/* --- training
 * -----------------------------------------------------------------------------------*/

static lb_status check_options(lb_gate_options o, lb_error *err)
{
    if (o.batch == 0 || o.epochs == 0 || o.patience == 0)
        return LB_FAIL(err, LB_EINVAL,
                       "a gate with batch %zu, epochs %zu, patience %zu: each is at least 1",
                       o.batch, o.epochs, o.patience);
    if (o.max_epochs < o.epochs)
        return LB_FAIL(err, LB_EINVAL, "max_epochs %zu is below epochs %zu", o.max_epochs,
                       o.epochs);
    return lb_adam_check(o.adam, err);
}

/* Note the losses of one more epoch; true if it is the best so far. */
static bool add_epoch(lb_gate_curve *c, double train, double validation)
{
    const size_t n = ++c->epochs;
    c->train = lb_xrealloc(c->train, n, sizeof(double));
    c->validation = lb_xrealloc(c->validation, n, sizeof(double));
    c->train[n - 1] = train;
    c->validation[n - 1] = validation;
    const bool best = c->best == 0 || validation < c->validation[c->best - 1];
    if (best)
        c->best = n;
    return best;
}

/* Patience; the budget, unless its last epoch is the best; and the end of any second chance. */
static bool finished(lb_gate_curve *c, lb_gate_options o)
{
    c->patience_spent = c->epochs - c->best >= o.patience;
    c->converged = c->best < c->epochs;
    return c->patience_spent || c->epochs >= o.max_epochs ||
           (c->epochs == o.epochs && c->converged);
}

lb_status lb_gate_train(lb_gate *g, lb_gate_rows train, lb_gate_rows validation, lb_gate_options o,
                        lb_gate_curve *curve, lb_error *err)
{
    const size_t n = train.y.n, f = g->shape.features;
    lb_gate_trainer *t = NULL;
    lb_gate_packed rows = {0}, held = {0};
    const lb_gate_block *b;
    double *best = NULL, *scale = NULL;
    size_t *order = NULL;
    lb_gate_curve c = {0};
    lb_status st;

    if ((st = check_options(o, err)) != LB_OK ||
        (st = check_rows(g, train, "training", err)) != LB_OK ||
        (st = check_rows(g, validation, "validation", err)) != LB_OK)
        return st;
    /* 1. Features in units of their standard deviation, rows packed. */
    scale = lb_xcalloc(2 * f, sizeof *scale);
    if ((st = scaling(train.x, scale, scale + f, err)) != LB_OK)
        goto done;
    rows = pack_rows(g->shape, scale, scale + f, train);
    held = pack_rows(g->shape, scale, scale + f, validation);
    /* 2. Epochs of Adam; the best weights are kept aside. */
    t = lb_gate_trainer_new(g, o.batch < n ? o.batch : n, o.adam);
    b = lb_gate_trainer_block(t);
    best = lb_xcalloc(b->n_weights, sizeof *best);
    order = lb_xcalloc(n, sizeof *order);
    do {
        double score;
        lb_gate_order(o.seed, c.epochs + 1, order, n);
        const double loss = lb_gate_trainer_epoch(t, rows, order, held, &score);
        if (!isfinite(loss) || !isfinite(score)) {
            st = LB_FAIL(err, LB_ENUMERIC,
                         "the gate's loss is %g in training and %g in validation at epoch %zu: "
                         "lower the learning rate (%g) or change the unit of y",
                         loss, score, c.epochs + 1, o.adam.rate);
            goto done;
        }
        if (add_epoch(&c, loss, score))
            memcpy(best, b->w, b->n_weights * sizeof *best);
    } while (!finished(&c, o));
    /* 3. The best epoch is the result. */
    lb_gate_block_store(b, best, g->weights.data);
    memcpy(g->mean.data, scale, f * sizeof *scale);
    memcpy(g->inverse.data, scale + f, f * sizeof *scale);
    lb_gate_curve_free(curve);
    *curve = c;
    c = (lb_gate_curve){0};
done:
    lb_gate_curve_free(&c);
    lb_gate_trainer_free(t);
    free(rows.records);
    free(held.records);
    free(best);
    free(scale);
    free(order);
    return st;
}

/* --- loss and weights
 * ---------------------------------------------------------------------------*/

lb_status lb_gate_loss(const lb_gate *g, lb_gate_rows rows, lb_vec gradient, double *loss,
                       lb_error *err)
{
    const double n = (double)rows.y.n;
    lb_status st = check_rows(g, rows, "scored", err);
    if (st != LB_OK)
        return st;
    if (gradient.data && gradient.n != g->weights.n)
        return LB_FAIL(err, LB_ESHAPE, "gradient has %zu entries, the gate %zu weights", gradient.n,
                       g->weights.n);
    lb_gate_block *b = lb_gate_block_new(g->shape);
    double *slope = gradient.data ? lb_gate_block_gradient(b) : NULL;
    lb_gate_packed p = pack_rows(g->shape, g->mean.data, g->inverse.data, rows);
    lb_gate_block_load(b, g->weights.data);
    const double value = lb_gate_block_run(b, p.records, p.stride, NULL, p.n, 1.0 / n, slope) / n;
    if (!isfinite(value)) {
        st = LB_FAIL(err, LB_ENUMERIC, "the gate's loss over %zu rows is %g", rows.y.n, value);
    } else {
        *loss = value;
        if (slope)
            lb_gate_block_store(b, slope, gradient.data);
    }
    lb_gate_block_free(b);
    free(slope);
    free(p.records);
    return st;
}

lb_status lb_gate_weights(const lb_gate *g, lb_cmat x, lb_mat p, lb_error *err)
{
    const size_t k = g->shape.experts;
    if (x.cols != g->shape.features || p.cols != k || p.rows != x.rows)
        return LB_FAIL(err, LB_ESHAPE,
                       "x is %zux%zu, p %zux%zu, the gate leads from %zu features to %zu experts",
                       x.rows, x.cols, p.rows, p.cols, g->shape.features, k);
    lb_status st = check_finite(x, "feature", err);
    if (st != LB_OK)
        return st;
    lb_gate_block *b = lb_gate_block_new(g->shape);
    const size_t stride = record_stride(g->shape);
    double *records =
        pack(g->shape, g->mean.data, g->inverse.data, x, (lb_cmat){0}, (lb_cvec){NULL, x.rows});
    lb_gate_block_load(b, g->weights.data);
    for (size_t first = 0; first < x.rows && st == LB_OK; first += LB_GATE_ROWS) {
        const size_t n = x.rows - first < LB_GATE_ROWS ? x.rows - first : LB_GATE_ROWS;
        lb_gate_block_run(b, records + first * stride, stride, NULL, n, 0.0, NULL);
        for (size_t r = 0; r < n; r++)
            for (size_t j = 0; j < k; j++)
                p.data[(first + r) * p.stride + j] = b->p[j * LB_GATE_ROWS + r];
        st = check_finite((lb_cmat){p.data + first * p.stride, n, k, p.stride}, "weight", err);
    }
    lb_gate_block_free(b);
    free(records);
    return st;
}
