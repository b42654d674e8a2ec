/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/gram.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "linalg/blas.h"
#include "linalg/cross.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = LB_CROSS_CHAIN, /* rows read at once, and rows of a group multiplied at once */
    TILE_MAX = 48,          /* columns of a tile: what is wasted on the diagonal stays small */
    TILE_MIN = 24,          /* whole register blocks */
};

/* One group: its sums, and the rows that wait to be multiplied. Both spring up with its first row.
 */
typedef struct group {
    size_t n;
    double *tiles;    /* packed: tile (I, J), J <= I, row-major, of its own size */
    double *sum, *xy; /* (p) of the shifted, scaled columns, and of their products with t */
    double st, stt;   /* sums of t = (y - shift) / scale */
    float *rows;      /* (room, p) as read, from the last on that was multiplied or, if they are
                         kept, from the first on */
    double *t;        /* (room) */
    size_t *position; /* (room) row in the stream, for messages */
    size_t room, waiting;
    bool keep;
} group;

struct lb_gram {
    size_t p, n_groups, tile, n_tiles; /* tile: columns a tile; n_tiles: tiles along an edge */
    size_t *offset;                    /* of tile I (I + 1) / 2 + J in group.tiles */
    bool float32, scaled;              /* scaled: shift and scale are set */
    double *shift, *scale, y_shift, y_scale;
    group *groups;
    double *strips; /* (BLOCK, p) of the block being multiplied, in strips; or, in float32, */
    float *panel;   /* column tile after column tile */
};

size_t lb_gram_cols(const lb_gram *g)
{
    return g->p;
}

size_t lb_gram_groups(const lb_gram *g)
{
    return g->n_groups;
}

size_t lb_gram_rows(const lb_gram *g, size_t k)
{
    return k < g->n_groups ? g->groups[k].n : 0;
}

bool lb_gram_is_float32(const lb_gram *g)
{
    return g->float32;
}

bool lb_gram_float32_is_safe(double noise, size_t rows, size_t cols, double alpha)
{
    return noise > 0.0 && rows > 2 * cols && alpha >= 10.0;
}

static size_t tile_width(const lb_gram *g, size_t i)
{
    return i + 1 < g->n_tiles ? g->tile : g->p - i * g->tile;
}

static lb_gram *gram_new(size_t p, lb_gram_options options)
{
    lb_gram *g = lb_xcalloc(1, sizeof *g);
    g->p = p;
    g->n_groups = options.groups;
    g->float32 = options.float32;
    g->tile = (p / 8 + TILE_MIN - 1) / TILE_MIN * TILE_MIN;
    g->tile = g->tile < TILE_MIN ? TILE_MIN : g->tile > TILE_MAX ? TILE_MAX : g->tile;
    g->n_tiles = (p + g->tile - 1) / g->tile;
    g->offset = lb_xcalloc(g->n_tiles * (g->n_tiles + 1) / 2 + 1, sizeof *g->offset);
    for (size_t i = 0, k = 0; i < g->n_tiles; i++)
        for (size_t j = 0; j <= i; j++, k++)
            g->offset[k + 1] = g->offset[k] + tile_width(g, i) * tile_width(g, j);
    g->shift = lb_xcalloc(p, sizeof *g->shift);
    g->scale = lb_xcalloc(p, sizeof *g->scale);
    for (size_t j = 0; j < p; j++)
        g->scale[j] = 1.0;
    g->y_scale = 1.0;
    if (options.like) {
        memcpy(g->shift, options.like->shift, p * sizeof *g->shift);
        memcpy(g->scale, options.like->scale, p * sizeof *g->scale);
        g->y_shift = options.like->y_shift;
        g->y_scale = options.like->y_scale;
        g->scaled = true;
    }
    g->groups = lb_xcalloc(options.groups, sizeof *g->groups);
    if (options.float32) {
        g->panel = lb_xaligned(BLOCK * p, sizeof *g->panel);
    } else {
        g->strips = lb_xlarge(lb_strips_size(BLOCK, p), sizeof(double)); /* padding included */
    }
    return g;
}

static void free_rows(group *k)
{
    free(k->rows);
    free(k->t);
    free(k->position);
    k->rows = NULL;
    k->t = NULL;
    k->position = NULL;
}

void lb_gram_free(lb_gram *g)
{
    if (!g)
        return;
    for (size_t k = 0; k < g->n_groups; k++) {
        free_rows(&g->groups[k]);
        free(g->groups[k].tiles);
        free(g->groups[k].sum);
        free(g->groups[k].xy);
    }
    free(g->groups);
    free(g->offset);
    free(g->shift);
    free(g->scale);
    free(g->panel);
    free(g->strips);
    free(g);
}

double lb_gram_scale(double sd)
{
    return sd > 0.0 && isfinite(sd) ? exp2(nearbyint(log2(sd))) : 1.0;
}

/* Shift and scale of every column and of y from the rows of this block that count. Values that are
 * not finite are left out here: the sums of flush() find them and name their place. */
static void set_scaling(lb_gram *g, lb_cmatf x, const double *y, const int *of_row)
{
    double *sum = lb_xcalloc(2 * g->p, sizeof *sum), *square = sum + g->p, ysum = 0.0, ysq = 0.0;
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) { /* the mean, then the spread about it */
        n = 0;
        for (size_t i = 0; i < x.rows; i++) {
            if (of_row && of_row[i] < 0)
                continue;
            n++;
            for (size_t j = 0; j < g->p; j++) {
                const double v = x.data[i * x.stride + j];
                const double d = isfinite(v) ? v - g->shift[j] : 0.0;
                sum[j] += d;
                square[j] += d * d;
            }
            ysum += y[i] - g->y_shift;
            ysq += (y[i] - g->y_shift) * (y[i] - g->y_shift);
        }
        if (pass == 0) {
            for (size_t j = 0; j < g->p; j++) {
                g->shift[j] = n ? sum[j] / (double)n : 0.0;
                sum[j] = square[j] = 0.0;
            }
            g->y_shift = n ? ysum / (double)n : 0.0;
            ysum = ysq = 0.0;
        }
    }
    for (size_t j = 0; j < g->p && n; j++)
        g->scale[j] = lb_gram_scale(sqrt(square[j] / (double)n));
    if (n)
        g->y_scale = lb_gram_scale(sqrt(ysq / (double)n));
    g->scaled = n > 0;
    free(sum);
}

static void group_start(lb_gram *g, group *k)
{
    if (!k->tiles) {
        k->tiles = lb_xlarge(g->offset[g->n_tiles * (g->n_tiles + 1) / 2], sizeof(double));
        k->sum = lb_xcalloc(g->p, sizeof *k->sum);
        k->xy = lb_xcalloc(g->p, sizeof *k->xy);
    }
    k->rows = lb_xaligned(k->room * g->p, sizeof *k->rows);
    k->t = lb_xcalloc(k->room, sizeof *k->t);
    k->position = lb_xcalloc(k->room, sizeof *k->position);
}

/* Which of the rows of the group is the first that waits. */
static size_t first_waiting(const group *k)
{
    return k->keep ? k->n - k->waiting : 0;
}

/* Columns first .. first + w - 1 of the waiting rows: shift, scale, add to the sums, and lay them
 * out for the multiplication. */
LB_FOR_EVERY_CPU static void fill_panel(const lb_gram *g, group *k, size_t first, size_t w)
{
    const double *shift = g->shift + first;
    double inverse[TILE_MAX], d[TILE_MAX], *sum = k->sum + first, *xy = k->xy + first;
    for (size_t j = 0; j < w; j++)
        inverse[j] = 1.0 / g->scale[first + j];
    const size_t waits = first_waiting(k);
    for (size_t i = 0; i < k->waiting; i++) {
        const float *row = k->rows + (waits + i) * g->p + first;
        const double t = k->t[waits + i];
        for (size_t j = 0; j < w; j++) {
            d[j] = ((double)row[j] - shift[j]) * inverse[j];
            sum[j] += d[j];
            xy[j] += d[j] * t;
        }
        if (g->float32) {
            float *out = g->panel + first * BLOCK + i * w;
            for (size_t j = 0; j < w; j++)
                out[j] = (float)d[j];
        } else {
            double *out = g->strips + first * BLOCK + i * LB_CROSS_STRIP;
            for (size_t j = 0; j < w; j += LB_CROSS_STRIP)
                memcpy(out + j * BLOCK, d + j,
                       (w - j < LB_CROSS_STRIP ? w - j : LB_CROSS_STRIP) * sizeof *d);
        }
    }
}

static lb_strips strips_of_tile(const lb_gram *g, const group *k, size_t i)
{
    return (lb_strips){g->strips + i * g->tile * BLOCK, k->waiting, tile_width(g, i), BLOCK};
}

/* Single precision for one block of rows, then into float64. */
static void add_tile_float32(const lb_gram *g, const group *k, size_t i, size_t j, lb_mat c)
{
    const size_t wi = c.rows, wj = c.cols;
    const lb_cmatf a = {g->panel + i * g->tile * BLOCK, k->waiting, wi, wi};
    const lb_cmatf b = {g->panel + j * g->tile * BLOCK, k->waiting, wj, wj};
    float *part = lb_xaligned(wi * wj, sizeof *part);
    lb_gemmf(true, false, 1.0f, a, b, 0.0f, (lb_matf){part, wi, wj, wj});
    for (size_t e = 0; e < wi * wj; e++)
        c.data[e] += (double)part[e];
    free(part);
}

/* Tile (I, J) of the group += panel_I' panel_J. */
static void add_tile(const lb_gram *g, group *k, size_t i, size_t j)
{
    const lb_mat c =
        lb_mat_of(k->tiles + g->offset[i * (i + 1) / 2 + j], tile_width(g, i), tile_width(g, j));
    if (g->float32)
        add_tile_float32(g, k, i, j, c);
    else
        lb_cross_add(strips_of_tile(g, k, i), strips_of_tile(g, k, j), i == j, c);
}

/* A sum that is not finite means a row that is not: find and name it. */
static lb_status check_finite(const lb_gram *g, const group *k, lb_error *err)
{
    for (size_t j = 0; j < g->p; j++) {
        if (isfinite(k->sum[j]) && isfinite(k->xy[j]))
            continue;
        for (size_t i = first_waiting(k); i < first_waiting(k) + k->waiting; i++)
            if (!isfinite(k->rows[i * g->p + j]))
                return LB_FAIL(err, LB_ENUMERIC,
                               "row %zu, column %zu is %g; leave such rows out (group -1)",
                               k->position[i], j, (double)k->rows[i * g->p + j]);
        return LB_FAIL(err, LB_ENUMERIC, "the sums of column %zu overflow", j);
    }
    return LB_OK;
}

/* Multiply the waiting rows of a group into its tiles. */
static lb_status flush(lb_gram *g, group *k, lb_error *err)
{
    const size_t pairs = g->n_tiles * (g->n_tiles + 1) / 2;
    if (!k->waiting)
        return LB_OK;
    const bool share = k->waiting * g->p * g->p / 2 >= LB_WORTH_THREADS;
#pragma omp parallel for schedule(dynamic, 1) if (share)
    for (size_t i = 0; i < g->n_tiles; i++)
        fill_panel(g, k, i * g->tile, tile_width(g, i));
    const lb_status st = check_finite(g, k, err);
    if (st != LB_OK)
        return st;
#pragma omp parallel for schedule(dynamic, 1) if (share)
    for (size_t pair = 0; pair < pairs; pair++) {
        size_t i = 0;
        while ((i + 1) * (i + 2) / 2 <= pair)
            i++;
        add_tile(g, k, i, pair - i * (i + 1) / 2);
    }
    k->waiting = 0;
    return LB_OK;
}

/* Hand the rows of a block, stream position @p first on, to their groups. */
static lb_status add_block(lb_gram *g, lb_cmatf x, const double *y, const int *of_row, size_t first,
                           lb_error *err)
{
    for (size_t i = 0; i < x.rows; i++) {
        const int number = of_row ? of_row[i] : 0;
        if (number < 0)
            continue;
        group *k = &g->groups[number];
        if (!k->rows)
            group_start(g, k);
        const double t = (y[i] - g->y_shift) / g->y_scale;
        const size_t at = k->keep ? k->n : k->waiting;
        memcpy(k->rows + at * g->p, x.data + i * x.stride, g->p * sizeof(float));
        k->t[at] = t;
        k->position[at] = first + i;
        k->waiting++;
        k->n++;
        k->st += t;
        k->stt += t * t;
        if (k->waiting == BLOCK) {
            const lb_status st = flush(g, k, err);
            if (st != LB_OK)
                return st;
        }
    }
    return LB_OK;
}

static lb_status check_arguments(const lb_stream *x, lb_cvec y, const int *of_row, size_t groups,
                                 lb_error *err)
{
    if (y.n != x->rows)
        return LB_FAIL(err, LB_ESHAPE, "x has %zu rows, y has %zu", x->rows, y.n);
    if (groups == 0 || x->cols == 0)
        return LB_FAIL(err, LB_EINVAL, "%zu groups of rows with %zu columns: nothing to sum",
                       groups, x->cols);
    for (size_t i = 0; i < y.n; i++) {
        const int number = of_row ? of_row[i] : 0;
        if (number < -1 || (number >= 0 && (size_t)number >= groups))
            return LB_FAIL(err, LB_EINVAL, "row %zu is of group %d, but there are %zu groups", i,
                           number, groups);
        if (number >= 0 && !isfinite(y.data[i]))
            return LB_FAIL(err, LB_ENUMERIC, "the label of row %zu is %g", i, y.data[i]);
    }
    return LB_OK;
}

static lb_status check_like(const lb_stream *x, const lb_gram *like, lb_error *err)
{
    if (like && like->p != x->cols)
        return LB_FAIL(err, LB_ESHAPE, "x has %zu columns, the Gram whose scale it takes has %zu",
                       x->cols, like->p);
    return LB_OK;
}

/* One block of a stream, and how its reading ended. */
typedef struct block {
    const lb_stream *x;
    size_t first;
    lb_matf rows;
    lb_status st;
    lb_error err;
    pthread_t reader;
    bool running;
} block;

static void *read_block(void *self)
{
    block *b = self;
    b->st = b->x->read(b->x->self, b->first, b->rows, &b->err);
    return NULL;
}

/* Read the block from row @p first on, if there is one, in a thread of its own; at once if there is
 * none to be had, if the stream has its own, or if there is nothing to multiply meanwhile. */
static void start_reading(block *b, size_t first)
{
    if (first >= b->x->rows)
        return;
    b->first = first;
    b->rows.rows = b->x->rows - first < BLOCK ? b->x->rows - first : BLOCK;
    b->running = first > 0 && !b->x->threaded &&
                 b->rows.rows * b->x->cols * b->x->cols >= LB_WORTH_THREADS &&
                 pthread_create(&b->reader, NULL, read_block, b) == 0;
    if (!b->running)
        read_block(b);
}

static void wait_for(block *b)
{
    if (b->running)
        pthread_join(b->reader, NULL);
    b->running = false;
}

/* Room for all rows of a group that keeps them, for those of a block otherwise. */
static void plan_rows(lb_gram *g, const int *of_row, size_t rows, bool keep)
{
    size_t *count = lb_xcalloc(g->n_groups, sizeof *count);
    for (size_t i = 0; i < rows; i++)
        if (!of_row || of_row[i] >= 0)
            count[of_row ? of_row[i] : 0]++;
    for (size_t k = 0; k < g->n_groups; k++) {
        g->groups[k].keep = keep && !g->float32 && count[k] < g->p;
        g->groups[k].room = g->groups[k].keep ? count[k] : BLOCK;
    }
    free(count);
}

/* Every block of the stream; while one is multiplied, the next is read. */
static lb_status accumulate(lb_gram *g, const lb_stream *x, const double *y, const int *of_row,
                            lb_error *err)
{
    lb_status st = LB_OK;
    float *data = lb_xaligned(2 * BLOCK * x->cols, sizeof *data);
    block b[2] = {{.x = x, .rows = {data, 0, x->cols, x->cols}},
                  {.x = x, .rows = {data + BLOCK * x->cols, 0, x->cols, x->cols}}};
    start_reading(&b[0], 0);
    for (size_t first = 0, now = 0; first < x->rows && st == LB_OK; first += BLOCK, now = 1 - now) {
        const lb_cmatf rows = lb_matf_const(b[now].rows);
        const int *numbers = of_row ? of_row + first : NULL;
        wait_for(&b[now]);
        if ((st = b[now].st) != LB_OK) {
            LB_FAIL(err, st, "%s", b[now].err.text);
            break;
        }
        start_reading(&b[1 - now], first + BLOCK);
        if (!g->scaled)
            set_scaling(g, rows, y + first, numbers);
        st = add_block(g, rows, y + first, numbers, first, err);
    }
    wait_for(&b[0]);
    wait_for(&b[1]);
    for (size_t k = 0; k < g->n_groups && st == LB_OK; k++)
        st = flush(g, &g->groups[k], err);
    free(data);
    return st;
}

lb_status lb_gram_accumulate(const lb_stream *x, lb_cvec y, const int *of_row,
                             lb_gram_options options, lb_gram **out, lb_error *err)
{
    *out = NULL;
    lb_status st;
    if ((st = check_arguments(x, y, of_row, options.groups, err)) != LB_OK ||
        (st = check_like(x, options.like, err)) != LB_OK)
        return st;
    lb_blas_prepare();
    lb_gram *g = gram_new(x->cols, options);
    plan_rows(g, of_row, x->rows, options.keep_rows);
    st = accumulate(g, x, y.data, of_row, err);
    for (size_t k = 0; k < g->n_groups; k++)
        if (!g->groups[k].keep)
            free_rows(&g->groups[k]);
    free(g->panel);
    free(g->strips);
    g->panel = NULL;
    g->strips = NULL;
    if (st == LB_OK)
        *out = g;
    else
        lb_gram_free(g);
    return st;
}

/* Whether two Grams can be mixed: the same rows in the same units. */
static lb_status check_alike(const lb_gram *a, const lb_gram *b, lb_error *err)
{
    const size_t bytes = a->p * sizeof(double);
    if (a->p != b->p || a->n_groups != b->n_groups)
        return LB_FAIL(err, LB_ESHAPE, "Grams of %zu columns in %zu groups and of %zu in %zu", a->p,
                       a->n_groups, b->p, b->n_groups);
    for (size_t k = 0; k < a->n_groups; k++)
        if (a->groups[k].n != b->groups[k].n)
            return LB_FAIL(err, LB_ESHAPE, "group %zu has %zu rows in one Gram, %zu in the other",
                           k, a->groups[k].n, b->groups[k].n);
    if (a->float32 || b->float32 || memcmp(a->shift, b->shift, bytes) ||
        memcmp(a->scale, b->scale, bytes) || a->y_shift != b->y_shift || a->y_scale != b->y_scale)
        return LB_FAIL(err, LB_EINVAL,
                       "Grams of other shift, scale or precision cannot be mixed: accumulate the "
                       "later ones in float64 with options.like = the first");
    return LB_OK;
}

/* Group k of three Grams with the given weights. */
static void mix_group(lb_gram *g, const lb_gram *const known[3], const double weight[3], size_t k)
{
    const group *a = &known[0]->groups[k], *b = &known[1]->groups[k], *c = &known[2]->groups[k];
    const size_t size = g->offset[g->n_tiles * (g->n_tiles + 1) / 2];
    group *out = &g->groups[k];
    *out = (group){.n = a->n, .st = a->st, .stt = a->stt};
    if (!a->n)
        return;
    out->tiles = lb_xlarge(size, sizeof(double));
    out->sum = lb_xcalloc(g->p, sizeof *out->sum);
    out->xy = lb_xcalloc(g->p, sizeof *out->xy);
#pragma omp parallel for if (size >= LB_WORTH_THREADS)
    for (size_t e = 0; e < size; e++)
        out->tiles[e] = weight[0] * a->tiles[e] + weight[1] * b->tiles[e] + weight[2] * c->tiles[e];
    for (size_t j = 0; j < g->p; j++) {
        out->sum[j] = weight[0] * a->sum[j] + weight[1] * b->sum[j] + weight[2] * c->sum[j];
        out->xy[j] = weight[0] * a->xy[j] + weight[1] * b->xy[j] + weight[2] * c->xy[j];
    }
}

lb_status lb_gram_between(const lb_gram *const known[3], const double at[3], double wanted,
                          lb_gram **out, lb_error *err)
{
    double weight[3];
    lb_status st;
    *out = NULL;
    for (int i = 0; i < 3; i++) {
        const double u = at[(i + 1) % 3], v = at[(i + 2) % 3];
        weight[i] = (wanted - u) * (wanted - v) / ((at[i] - u) * (at[i] - v));
        if (!isfinite(weight[i]))
            return LB_FAIL(err, LB_EINVAL, "no parabola through %g, %g and %g gives a value at %g",
                           at[0], at[1], at[2], wanted);
    }
    if ((st = check_alike(known[0], known[1], err)) != LB_OK ||
        (st = check_alike(known[0], known[2], err)) != LB_OK)
        return st;
    lb_gram *g =
        gram_new(known[0]->p, (lb_gram_options){.groups = known[0]->n_groups, .like = known[0]});
    free(g->strips);
    g->strips = NULL;
    for (size_t k = 0; k < g->n_groups; k++)
        mix_group(g, known, weight, k);
    *out = g;
    return LB_OK;
}

bool lb_gram_kept(const lb_gram *g, const bool *use, const float **row, double *y)
{
    size_t n = 0;
    for (size_t k = 0; k < g->n_groups; k++) {
        const group *q = &g->groups[k];
        if (!use[k] || !q->n)
            continue;
        if (!q->keep)
            return false;
        for (size_t i = 0; row && i < q->n; i++, n++) {
            row[n] = q->rows + i * g->p;
            y[n] = g->y_shift + g->y_scale * q->t[i];
        }
    }
    return true;
}

/* Element (j, j) of the union, centred, in the scaled units. */
static double spread(const lb_gram *g, const bool *use, size_t j, double sum, double n)
{
    const size_t i = j / g->tile, r = j % g->tile;
    double total = 0.0;
    for (size_t k = 0; k < g->n_groups; k++)
        if (use[k] && g->groups[k].n)
            total += g->groups[k].tiles[g->offset[i * (i + 3) / 2] + r * tile_width(g, i) + r];
    return total - sum * sum / n;
}

/* The sd of every column. */
static void standard_deviations(const lb_gram *g, const bool *use, const double *sum, lb_moments *m)
{
    const double n = (double)m->n;
    /* What rounding can leave of a column that is constant but off the shift: the error of a sum of
     * n squares of its offset. */
    const double rounding = (64.0 + sqrt(n)) * (g->float32 ? FLT_EPSILON : DBL_EPSILON);
    for (size_t j = 0; j < g->p; j++) {
        const double variance = spread(g, use, j, sum[j], n) / n, mean = sum[j] / n;
        const bool constant = !(variance > rounding * mean * mean);
        m->sd.data[j] = constant ? 1.0 : sqrt(variance) * g->scale[j];
    }
}

/* Row r (from the diagonal down to column 0 of it, if it lies there) of tile (I, J) of the union,
 * centred and in its final units. */
LB_FOR_EVERY_CPU static void tile_row(const lb_gram *g, const bool *use, size_t i, size_t j,
                                      size_t r, const double *sum, const double *unit, double n,
                                      double *out)
{
    const size_t width = tile_width(g, j), count = i == j ? r + 1 : width;
    const size_t row = i * g->tile + r, j0 = j * g->tile;
    const size_t at = g->offset[i * (i + 1) / 2 + j] + r * width;
    memset(out, 0, width * sizeof *out);
    for (size_t k = 0; k < g->n_groups; k++) {
        if (!use[k] || !g->groups[k].n)
            continue;
        const double *tile = g->groups[k].tiles + at;
        for (size_t c = 0; c < count; c++)
            out[c] += tile[c];
    }
    for (size_t c = 0; c < count; c++)
        out[c] = (out[c] - sum[row] * sum[j0 + c] / n) * (unit[row] * unit[j0 + c]);
}

/* Tile (I, J) to its places in m, LB_CROSS_STRIP rows at a time as the room wants them. */
static void place_tile(const lb_gram *g, const bool *use, size_t i, size_t j, const double *sum,
                       const double *unit, const lb_moments *m)
{
    enum { S = LB_CROSS_STRIP };
    const size_t rows = tile_width(g, i), width = tile_width(g, j), j0 = j * g->tile;
    double part[S][TILE_MAX];
    for (size_t r0 = 0; r0 < rows; r0 += S) {
        const size_t here = rows - r0 < S ? rows - r0 : S, row = i * g->tile + r0;
        for (size_t r = 0; r < here; r++) {
            tile_row(g, use, i, j, r0 + r, sum, unit, (double)m->n, part[r]);
            for (size_t c = 0; m->xx.data && c < width && j0 + c <= row + r; c++)
                m->xx.data[(row + r) * m->xx.stride + j0 + c] = part[r][c];
        }
        if (!m->room)
            continue;
        for (size_t c = 0; c < width && j0 + c < row + here; c++) {
            double *out = lb_cholesky_place(m->room, j0 + c, row);
            for (size_t r = 0; r < here; r++)
                out[r] = part[r][c];
        }
    }
}

static bool sizes_agree(const lb_gram *g, const lb_moments *m)
{
    const size_t p = g->p;
    return (!m->xx.data || (m->xx.rows == p && m->xx.cols == p)) && m->xy.n == p &&
           m->mean.n == p && m->sd.n == p;
}

/* Counts and sums of the union: n, sum of t, sum of t^2, and sum (p), m->xy (p) of the columns. */
static void add_up(const lb_gram *g, const bool *use, double *sum, double *st, double *stt,
                   lb_moments *m)
{
    memset(m->xy.data, 0, g->p * sizeof(double));
    m->n = 0;
    for (size_t k = 0; k < g->n_groups; k++) {
        const group *q = &g->groups[k];
        if (!use[k] || !q->n)
            continue;
        m->n += q->n;
        *st += q->st;
        *stt += q->stt;
        for (size_t j = 0; j < g->p; j++) {
            sum[j] += q->sum[j];
            m->xy.data[j] += q->xy[j];
        }
    }
}

lb_status lb_gram_moments(const lb_gram *g, const bool *use, bool standardise, lb_moments *m,
                          lb_error *err)
{
    if (!sizes_agree(g, m))
        return LB_FAIL(err, LB_ESHAPE, "the Gram has %zu columns, the moments were made for %zu",
                       g->p, m->xy.n);
    double *sum = lb_xcalloc(2 * g->p, sizeof *sum), *unit = sum + g->p, st = 0.0, stt = 0.0;
    add_up(g, use, sum, &st, &stt, m);
    const double n = (double)m->n;
    if (m->n == 0) {
        free(sum);
        return LB_FAIL(err, LB_EINVAL, "the groups of this model hold no row");
    }
    standard_deviations(g, use, sum, m);
    for (size_t j = 0; j < g->p; j++) {
        unit[j] = standardise ? g->scale[j] / m->sd.data[j] : g->scale[j];
        m->xy.data[j] = (m->xy.data[j] - sum[j] * st / n) * unit[j] * g->y_scale;
        m->mean.data[j] = g->shift[j] + g->scale[j] * (sum[j] / n);
    }
    m->y_mean = g->y_shift + g->y_scale * (st / n);
    m->yy = (stt - st * st / n) * g->y_scale * g->y_scale;
    const bool share = (m->xx.data || m->room) && g->p * g->p >= LB_WORTH_THREADS;
#pragma omp parallel for schedule(dynamic, 1) if (share)
    for (size_t i = m->xx.data || m->room ? g->n_tiles : 0; i > 0; i--) /* the longest row first */
        for (size_t j = 0; j < i; j++)
            place_tile(g, use, i - 1, j, sum, unit, m);
    free(sum);
    return LB_OK;
}
