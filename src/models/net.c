/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/net.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "core/random.h"
#include "linalg/multiply.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    TILE_WEIGHTS = 8192, /* weights that it steps at a time: their gradient stays in the cache */
    PIECE = 256,         /* weights that are stepped at a time */
    DRAWS = 96,          /* random numbers of a mask that are drawn at a time */
    WORTH_A_THREAD = 1 << 18, /* products below which a parallel region costs more than it gives */
};

/* Rows first .. first + rows - 1 of the block [W; b] of a layer; b is row `inputs`, alone. */
typedef struct tile {
    size_t layer, first, rows;
} tile;

struct lb_net {
    lb_net_shape shape;
    lb_net_key key;
    size_t offset[LB_NET_LAYERS_MAX + 1], n_weights; /* offset[l] of layer l, 1 .. layers */
    double *weights;
    size_t stride[LB_NET_LAYERS_MAX + 1];  /* of a row of A_l, D_l and of W_l in float32 */
    float *copy[LB_NET_LAYERS_MAX + 1];    /* [W; b] of layer l, (inputs + 1) rows, zero-padded */
    lb_matf turned[LB_NET_LAYERS_MAX + 1]; /* W_l' of layers 2 .. layers */
    tile *tiles;
    size_t n_tiles;
};

struct lb_net_work {
    size_t rows_max, rows;
    lb_matf a[LB_NET_LAYERS_MAX + 1], d[LB_NET_LAYERS_MAX + 1];
    float factor; /* of what dropout keeps */
};

static lb_rng rng_of(lb_net_key key, uint64_t epoch, size_t l, size_t row)
{
    return lb_rng_make(key.seed, epoch << 48 | (uint64_t)key.number << 44 | (uint64_t)l << 40 |
                                     (uint64_t)row);
}

static void cut_tiles(lb_net *net)
{
    for (size_t l = 1; l <= net->shape.layers; l++) {
        const size_t inputs = net->shape.sizes[l - 1], units = net->shape.sizes[l];
        const size_t blocks = TILE_WEIGHTS / units / LB_MULTIPLY_ROWS;
        const size_t most = (blocks ? blocks : 1) * LB_MULTIPLY_ROWS;
        for (size_t i = 0, rows; i <= inputs; i += rows) {
            rows = i == inputs ? 1 : inputs - i < most ? inputs - i : most;
            net->tiles = lb_xrealloc(net->tiles, net->n_tiles + 1, sizeof *net->tiles);
            net->tiles[net->n_tiles++] = (tile){l, i, rows};
        }
    }
}

/* Room for layer l in float32: the copy of [W; b], and of W' where errors go back through it. */
static void make_copies(lb_net *net, size_t l)
{
    const size_t inputs = net->shape.sizes[l - 1], units = net->shape.sizes[l];
    const size_t across = lb_multiply_stride(inputs);
    net->stride[l] = lb_multiply_stride(units);
    net->copy[l] = lb_xlarge((inputs + 1) * net->stride[l], sizeof(float));
    if (l > 1)
        net->turned[l] =
            (lb_matf){lb_xaligned(units * across, sizeof(float)), units, inputs, across};
}

lb_net *lb_net_new(lb_net_shape shape, lb_net_key key)
{
    lb_net *net = lb_xcalloc(1, sizeof *net);
    net->shape = shape;
    net->key = key;
    for (size_t l = 1; l <= shape.layers; l++) {
        net->offset[l] = net->n_weights;
        net->n_weights += (shape.sizes[l - 1] + 1) * shape.sizes[l];
        make_copies(net, l);
    }
    net->weights = lb_xlarge(net->n_weights, sizeof(double));
    for (size_t l = 1; l <= shape.layers; l++) {
        const double variance = (l < shape.layers ? 2.0 : 1.0) / (double)shape.sizes[l - 1];
        const double bound = sqrt(3.0 * variance);
        lb_rng r = rng_of(key, 0, l, 0);
        for (size_t i = 0; i < shape.sizes[l - 1] * shape.sizes[l]; i++)
            net->weights[net->offset[l] + i] = bound * (2.0 * lb_rng_uniform(&r) - 1.0);
    }
    cut_tiles(net);
    lb_net_refresh(net);
    return net;
}

void lb_net_free(lb_net *net)
{
    if (!net)
        return;
    for (size_t l = 1; l <= net->shape.layers; l++) {
        free(net->copy[l]);
        free(net->turned[l].data);
    }
    free(net->weights);
    free(net->tiles);
    free(net);
}

lb_net_shape lb_net_shape_of(const lb_net *net)
{
    return net->shape;
}

lb_vec lb_net_weights(const lb_net *net)
{
    return (lb_vec){net->weights, net->n_weights};
}

size_t lb_net_offset(const lb_net *net, size_t l)
{
    return net->offset[l];
}

static size_t place(const lb_net *net, tile t) /* of its first weight */
{
    return net->offset[t.layer] + t.first * net->shape.sizes[t.layer];
}

LB_FOR_EVERY_CPU static void narrow(size_t n, const double *restrict from, float *restrict to)
{
    for (size_t j = 0; j < n; j++)
        to[j] = (float)from[j];
}

/* Rows first .. first + rows - 1 of the block of layer l into its copy. */
static void refresh_rows(const lb_net *net, size_t l, size_t first, size_t rows)
{
    const size_t units = net->shape.sizes[l];
    for (size_t i = first; i < first + rows; i++)
        narrow(units, net->weights + net->offset[l] + i * units, net->copy[l] + i * net->stride[l]);
}

/* The copy of W' after that of W. */
static void turn_tile(const lb_net *net, tile t)
{
    const lb_matf turned = net->turned[t.layer];
    const float *from = net->copy[t.layer] + t.first * net->stride[t.layer];
    if (t.layer == 1 || t.first == net->shape.sizes[t.layer - 1])
        return;
    for (size_t j = 0; j < net->shape.sizes[t.layer]; j++)
        for (size_t i = 0; i < t.rows; i++)
            turned.data[j * turned.stride + t.first + i] = from[i * net->stride[t.layer] + j];
}

void lb_net_refresh(lb_net *net)
{
    for (size_t i = 0; i < net->n_tiles; i++) {
        refresh_rows(net, net->tiles[i].layer, net->tiles[i].first, net->tiles[i].rows);
        turn_tile(net, net->tiles[i]);
    }
}

lb_net_work *lb_net_work_new(const lb_net *net, size_t rows)
{
    lb_net_work *w = lb_xcalloc(1, sizeof *w);
    w->rows_max = rows;
    for (size_t l = 1; l <= net->shape.layers; l++) {
        const size_t units = net->shape.sizes[l], stride = net->stride[l];
        w->a[l] = (lb_matf){lb_xaligned(rows * stride, sizeof(float)), rows, units, stride};
        w->d[l] = (lb_matf){lb_xaligned(rows * stride, sizeof(float)), rows, units, stride};
    }
    return w;
}

void lb_net_work_free(lb_net_work *w)
{
    if (!w)
        return;
    for (size_t l = 0; l <= LB_NET_LAYERS_MAX; l++) {
        free(w->a[l].data);
        free(w->d[l].data);
    }
    free(w);
}

/* Sixteen bits a unit, three units a draw. */
static unsigned drop_below(double rate)
{
    return (unsigned)lround(rate * 65536.0);
}

static float kept_factor(double rate)
{
    return (float)(65536.0 / (65536.0 - (double)drop_below(rate)));
}

/* The upper 48 bits of every number, 16 a unit, from below. */
LB_FOR_EVERY_CPU static void thin(const uint64_t *restrict numbers, size_t n, unsigned below,
                                  float factor, float *restrict mask)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 3; k++)
            mask[3 * i + k] =
                (unsigned)(numbers[i] >> (16 + 16 * k) & 0xFFFF) < below ? 0.0f : factor;
}

void lb_net_mask(lb_net_key key, double rate, uint64_t epoch, size_t l, size_t row, size_t n,
                 float *mask)
{
    uint64_t numbers[DRAWS];
    float units[3 * DRAWS];
    lb_rng r = rng_of(key, epoch, l, row);
    for (size_t j = 0, here; j < n; j += here) {
        here = n - j < 3 * DRAWS ? n - j : 3 * DRAWS;
        lb_rng_bits(&r, numbers, (here + 2) / 3);
        thin(numbers, (here + 2) / 3, drop_below(rate), kept_factor(rate), units);
        memcpy(mask + j, units, here * sizeof *mask);
    }
}

/* Rows first .. first + rows - 1 of a batch. */
typedef struct slice {
    size_t first, rows;
} slice;

static lb_cmatf rows_of(lb_cmatf m, slice s)
{
    return (lb_cmatf){m.data + s.first * m.stride, s.rows, m.cols, m.stride};
}

static lb_matf room_for(lb_matf m, slice s)
{
    return (lb_matf){m.data + s.first * m.stride, s.rows, m.cols, m.stride};
}

static bool worth_threads(const lb_net *net, size_t rows)
{
    return rows * net->n_weights > WORTH_A_THREAD;
}

/* Rows of a slice: one for each thread, since every slice reads all weights. */
static size_t slice_rows(const lb_net *net, size_t rows)
{
    const bool shared = worth_threads(net, rows) && !omp_in_parallel();
    const size_t threads = shared ? (size_t)omp_get_max_threads() : 1;
    const size_t blocks = (rows + LB_MULTIPLY_ROWS - 1) / LB_MULTIPLY_ROWS;
    return (blocks + threads - 1) / threads * LB_MULTIPLY_ROWS;
}

static slice slice_from(size_t first, size_t most, size_t rows)
{
    return (slice){first, rows - first < most ? rows - first : most};
}

/* A = max(Z + b, 0) . M for one row; no mask: 1. */
LB_FOR_EVERY_CPU static void bend(size_t n, const float *restrict bias, const float *restrict mask,
                                  float *restrict row)
{
    for (size_t j = 0; j < n; j++) {
        const float z = row[j] + bias[j];
        row[j] = z > 0.0f ? z : 0.0f;
    }
    if (mask)
        for (size_t j = 0; j < n; j++)
            row[j] *= mask[j];
}

/* A from Z for the rows of a slice; the last layer only adds b. */
static void activate(const lb_net *net, lb_net_work *work, size_t l, slice s,
                     const lb_net_dropout *dropout)
{
    const lb_matf z = room_for(work->a[l], s);
    const float *bias = net->copy[l] + net->shape.sizes[l - 1] * net->stride[l];
    for (size_t i = 0; i < s.rows; i++) {
        float *row = z.data + i * z.stride;
        float *mask = room_for(work->d[l], s).data + i * z.stride; /* D is free until we go back */
        if (l == net->shape.layers) {
            for (size_t j = 0; j < z.cols; j++)
                row[j] += bias[j];
            continue;
        }
        if (dropout)
            lb_net_mask(net->key, dropout->rate, dropout->epoch, l, dropout->rows[s.first + i],
                        z.cols, mask);
        bend(z.cols, bias, dropout ? mask : NULL, row);
    }
}

lb_cmatf lb_net_forward(const lb_net *net, lb_net_work *work, lb_cmatf x,
                        const lb_net_dropout *dropout)
{
    if (dropout && drop_below(dropout->rate) == 0)
        dropout = NULL;
    work->rows = x.rows;
    work->factor = dropout ? kept_factor(dropout->rate) : 1.0f;
    const size_t most = slice_rows(net, x.rows);
#pragma omp parallel for schedule(static) if (worth_threads(net, x.rows))
    for (size_t first = 0; first < x.rows; first += most) {
        const slice s = slice_from(first, most, x.rows);
        for (size_t l = 1; l <= net->shape.layers;
             l++) { /* A_l = max(A_(l-1) W_l + b_l, 0) . M_l */
            const lb_cmatf a = rows_of(l == 1 ? x : lb_matf_const(work->a[l - 1]), s);
            const lb_cmatf w = {net->copy[l], a.cols, net->shape.sizes[l], net->stride[l]};
            lb_multiply(false, a, w, room_for(work->a[l], s));
            activate(net, work, l, s, dropout);
        }
    }
    return rows_of(lb_matf_const(work->a[net->shape.layers]), (slice){0, x.rows});
}

/* D = E . M . [A > 0] for one row. What dropout or ReLU made zero has no slope; the rest went
 * forward with the factor of what is kept. */
LB_FOR_EVERY_CPU static void bend_back(size_t n, const float *restrict a, float factor,
                                       float *restrict d)
{
    for (size_t j = 0; j < n; j++)
        d[j] *= a[j] > 0.0f ? factor : 0.0f;
}

/* D_l of all layers from D_L. */
static void backward(const lb_net *net, lb_net_work *work)
{
    const size_t most = slice_rows(net, work->rows);
#pragma omp parallel for schedule(static) if (worth_threads(net, work->rows))
    for (size_t first = 0; first < work->rows; first += most) {
        const slice s = slice_from(first, most, work->rows);
        for (size_t l = net->shape.layers; l > 1; l--) { /* D_(l-1) = (D_l W_l') . M . [A > 0] */
            const lb_matf out = room_for(work->d[l - 1], s), a = room_for(work->a[l - 1], s);
            lb_multiply(false, rows_of(lb_matf_const(work->d[l]), s), lb_matf_const(net->turned[l]),
                        out);
            for (size_t r = 0; r < s.rows; r++)
                bend_back(out.cols, a.data + r * a.stride, work->factor, out.data + r * out.stride);
        }
    }
}

lb_matf lb_net_output_gradient(lb_net_work *work)
{
    size_t last = LB_NET_LAYERS_MAX;
    while (!work->d[last].data)
        last--;
    lb_matf d = work->d[last];
    d.rows = work->rows;
    return d;
}

static bool is_bias(const lb_net *net, tile t)
{
    return t.first == net->shape.sizes[t.layer - 1];
}

/* dW_l = A_(l-1)' D_l of one tile. */
static void weight_gradient(const lb_net *net, const lb_net_work *work, lb_cmatf x, tile t,
                            float *gradient)
{
    const size_t units = net->shape.sizes[t.layer];
    const lb_cmatf d = {work->d[t.layer].data, work->rows, units, work->d[t.layer].stride};
    const lb_cmatf all = t.layer == 1 ? x : lb_matf_const(work->a[t.layer - 1]);
    const lb_cmatf a = {all.data + t.first, work->rows, t.rows, all.stride};
    lb_multiply(true, a, d, (lb_matf){gradient, t.rows, units, units});
}

/* db_l = column sums of D_l. */
static void bias_gradient(const lb_net *net, const lb_net_work *work, size_t l, double *gradient)
{
    const lb_matf d = work->d[l];
    memset(gradient, 0, net->shape.sizes[l] * sizeof *gradient);
    for (size_t i = 0; i < work->rows; i++)
        for (size_t j = 0; j < net->shape.sizes[l]; j++)
            gradient[j] += (double)d.data[i * d.stride + j];
}

LB_FOR_EVERY_CPU static void widen(size_t n, const float *restrict from, double *restrict to)
{
    for (size_t j = 0; j < n; j++)
        to[j] = (double)from[j];
}

static size_t largest_tile(const lb_net *net)
{
    size_t most = 0;
    for (size_t i = 0; i < net->n_tiles; i++) {
        const size_t size = net->tiles[i].rows * net->shape.sizes[net->tiles[i].layer];
        most = size > most ? size : most;
    }
    return most;
}

void lb_net_gradient(const lb_net *net, lb_net_work *work, lb_cmatf x, lb_vec gradient)
{
    float *scratch = lb_xaligned(largest_tile(net), sizeof *scratch);
    backward(net, work);
    for (size_t i = 0; i < net->n_tiles; i++) {
        const tile t = net->tiles[i];
        double *out = gradient.data + place(net, t);
        if (is_bias(net, t)) {
            bias_gradient(net, work, t.layer, out);
        } else {
            weight_gradient(net, work, x, t, scratch);
            widen(t.rows * net->shape.sizes[t.layer], scratch, out);
        }
    }
    free(scratch);
}

/* A thread's room for the gradient of a tile, and for PIECE weights of it or more. */
typedef struct step_room {
    float *tile;
    double *piece;
} step_room;

/* Weights of a tile by their gradient, a piece at a time while it is in the first-level cache. */
static void step_weights(lb_net *net, tile t, lb_adam *adam, step_room room)
{
    const size_t units = net->shape.sizes[t.layer], most = PIECE / units ? PIECE / units : 1;
    for (size_t i = 0, rows; i < t.rows; i += rows) {
        rows = t.rows - i < most ? t.rows - i : most;
        const size_t first = place(net, t) + i * units, n = rows * units;
        widen(n, room.tile + i * units, room.piece);
        lb_adam_part(adam, first, n, room.piece, net->weights + first);
        refresh_rows(net, t.layer, t.first + i, rows);
    }
    turn_tile(net, t);
}

static void step_bias(lb_net *net, const lb_net_work *work, tile t, lb_adam *adam, double *gradient)
{
    const size_t first = place(net, t);
    bias_gradient(net, work, t.layer, gradient);
    lb_adam_part(adam, first, net->shape.sizes[t.layer], gradient, net->weights + first);
    refresh_rows(net, t.layer, t.first, 1);
}

void lb_net_step(lb_net *net, lb_net_work *work, lb_cmatf x, lb_adam *adam)
{
    const size_t size = largest_tile(net);
    backward(net, work); /* by the weights of the forward pass: before any of them moves */
    lb_adam_next(adam);
#pragma omp parallel if (worth_threads(net, work->rows))
    {
        const step_room room = {lb_xaligned(size, sizeof(float)),
                                lb_xaligned(size > PIECE ? size : PIECE, sizeof(double))};
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < net->n_tiles; i++) {
            const tile t = net->tiles[i];
            if (is_bias(net, t)) {
                step_bias(net, work, t, adam, room.piece);
            } else {
                weight_gradient(net, work, x, t, room.tile);
                step_weights(net, t, adam, room);
            }
        }
        free(room.tile);
        free(room.piece);
    }
}
