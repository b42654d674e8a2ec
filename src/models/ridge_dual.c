/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/ridge_dual.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "linalg/cross.h"

#include <stdlib.h>
#include <string.h>

enum {
    S = LB_CROSS_STRIP,
    TILE = 48,               /* rows of the model a tile of Xc Xc' */
    PIXELS = LB_CROSS_CHAIN, /* columns multiplied at a time */
};

struct lb_ridge_dual {
    size_t n, p, n_tiles;
    const float **row; /* (n) borrowed from the Gram */
    const double *mean, *sd;
    bool standardise;
    double *y;     /* (n) centred */
    double *tiles; /* Xc Xc': tile (I, J), J <= I, TILE x TILE each, row-major, padded by zeros */
    double lift;   /* added to every element */
    lb_cholesky *room;
};

bool lb_ridge_dual_pays(size_t n, size_t p)
{
    return 20 * n <= 17 * p;
}

static double *tile(const lb_ridge_dual *d, size_t i, size_t j)
{
    return d->tiles + (i * (i + 1) / 2 + j) * TILE * TILE;
}

/* Columns first .. first + count - 1 of the centred rows of tile I, as strips of Xc'. */
static void pack(const lb_ridge_dual *d, size_t i, size_t first, size_t count, double *strips)
{
    for (size_t r = 0; r < TILE; r++) {
        const size_t k = i * TILE + r;
        double *out = strips + (k / S) * PIXELS * S + k % S;
        for (size_t j = 0; j < count; j++) {
            const double x = k < d->n ? (double)d->row[k][first + j] - d->mean[first + j] : 0.0;
            out[j * S] = d->standardise ? x / d->sd[first + j] : x;
        }
    }
}

static void multiply(lb_ridge_dual *d)
{
    const size_t pairs = d->n_tiles * (d->n_tiles + 1) / 2, strip = PIXELS * TILE;
    const bool share = d->n * d->n * d->p / 2 >= LB_WORTH_THREADS;
    double *strips = lb_xaligned(d->n_tiles * strip, sizeof *strips);
    for (size_t first = 0; first < d->p; first += PIXELS) {
        const size_t count = d->p - first < PIXELS ? d->p - first : PIXELS;
#pragma omp parallel for schedule(dynamic, 1) if (share)
        for (size_t i = 0; i < d->n_tiles; i++)
            pack(d, i, first, count, strips);
#pragma omp parallel for schedule(dynamic, 1) if (share)
        for (size_t pair = 0; pair < pairs; pair++) {
            size_t i = 0;
            while ((i + 1) * (i + 2) / 2 <= pair)
                i++;
            const size_t j = pair - i * (i + 1) / 2;
            const lb_strips a = {strips + i * strip, count, TILE, PIXELS};
            const lb_strips b = {strips + j * strip, count, TILE, PIXELS};
            lb_cross_add(a, b, i == j, lb_mat_of(tile(d, i, j), TILE, TILE));
        }
    }
    free(strips);
}

lb_ridge_dual *lb_ridge_dual_new(const lb_gram *g, const bool *use, bool standardise,
                                 const lb_moments *m)
{
    lb_ridge_dual *d = lb_xcalloc(1, sizeof *d);
    *d = (lb_ridge_dual){.n = m->n,
                         .p = lb_gram_cols(g),
                         .n_tiles = (m->n + TILE - 1) / TILE,
                         .row = lb_xcalloc(m->n, sizeof *d->row),
                         .mean = m->mean.data,
                         .sd = m->sd.data,
                         .standardise = standardise,
                         .y = lb_xcalloc(m->n, sizeof *d->y),
                         .room = lb_cholesky_new(m->n)};
    lb_gram_kept(g, use, d->row, d->y);
    for (size_t i = 0; i < d->n; i++)
        d->y[i] -= m->y_mean;
    const size_t size = d->n_tiles * (d->n_tiles + 1) / 2 * TILE * TILE;
    d->tiles = lb_xaligned(size, sizeof *d->tiles);
    memset(d->tiles, 0, size * sizeof *d->tiles);
    multiply(d);
    for (size_t i = 0; i < d->n; i++)
        d->lift += tile(d, i / TILE, i / TILE)[i % TILE * (TILE + 1)] / (double)d->n;
    d->lift /= (double)d->n; /* the vector of ones has the length sqrt(n) */
    return d;
}

void lb_ridge_dual_free(lb_ridge_dual *d)
{
    if (!d)
        return;
    lb_cholesky_free(d->room);
    free(d->row);
    free(d->y);
    free(d->tiles);
    free(d);
}

lb_cholesky *lb_ridge_dual_room(lb_ridge_dual *d)
{
    return d->room;
}

lb_cvec lb_ridge_dual_right(const lb_ridge_dual *d)
{
    return (lb_cvec){d->y, d->n};
}

void lb_ridge_dual_load(lb_ridge_dual *d)
{
    for (size_t i = 0; i < d->n; i += S) /* a strip of the room, line by line */
        for (size_t j = 0; j < d->n && j < i + S; j++) {
            const double *at = tile(d, i / TILE, j / TILE) + i % TILE * TILE + j % TILE;
            double *line = lb_cholesky_place(d->room, j, i);
            for (size_t c = j > i ? j - i : 0; c < S && i + c < d->n; c++)
                line[c] = at[c * TILE] + d->lift;
        }
}

void lb_ridge_dual_weights(const lb_ridge_dual *d, lb_cvec c, lb_vec w)
{
    memset(w.data, 0, w.n * sizeof *w.data);
    for (size_t i = 0; i < d->n; i++)
        for (size_t j = 0; j < d->p; j++)
            w.data[j] += ((double)d->row[i][j] - d->mean[j]) * c.data[i];
    for (size_t j = 0; j < d->p && d->standardise; j++)
        w.data[j] /= d->sd[j];
}
