/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/conditional_gram.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "linalg/cross.h"
#include "linalg/gram.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    S = LB_CROSS_STRIP,
    BLOCK = LB_CROSS_CHAIN,                 /* rows read at once, and multiplied at once */
    TILE = LB_CONDITION_TILE,               /* whole register blocks */
    WIDTH = LB_CROSS_STRIP * LB_CROSS_WIDE, /* vectors multiplied at once are a multiple of this */
    TOGETHER = 7, /* Grams summed at a time: their panels stay in the second cache */
    VALUES = 8,   /* so many different values of the base variables are always worth a Gram each */
};

/* Rows of one fold and, by value, of one value of the base variables: their weighted sums, and the
 * rows that wait to be multiplied. */
typedef struct cell {
    size_t fold;     /* n_folds: all of them, for products that no fold is asked for */
    size_t from, to; /* its weights */
    double **tiles;  /* [weights] packed tiles (I, J), J <= I, of the columns d; NULL: not wanted */
    double *sum, *xy;   /* (weights, p): sums of weight * d and of weight * d * (y - y_shift) */
    float *rows;        /* (BLOCK, p) as read */
    double *y, *weight; /* (BLOCK), (weights, BLOCK) */
    size_t *position;   /* (BLOCK) row in the stream, for messages */
    size_t waiting;
} cell;

/* Scalars of a fold. */
typedef struct fold {
    size_t n;
    double *u, *uy, yy; /* (products) sums of a product and of product * t; sum of t^2 */
} fold;

struct lb_conditional_gram {
    size_t p, n_folds, n_products, n_values, n_cells, n_tiles;
    size_t n_weights, n_split; /* the first n_split of them fold by fold */
    lb_monomial *product;      /* (n_products) the first is 1 */
    bool *wanted;              /* (n_products) has a Gram */
    bool *split;               /* (n_products) is asked for fold by fold */
    size_t *weight_of;         /* (n_weights) the product, if n_values is 0 */
    double *part; /* (n_values or n_products, n_products) how much of each product is in the Gram of
                     a value or, if n_values is 0, of a product */
    double *variables; /* (n_values, LB_CONDITION_VARIABLES) */
    bool scaled;
    double *shift, *scale, y_shift; /* d = (x - shift) / scale, t = y - y_shift */
    cell *cells;                    /* fold by fold */
    fold *folds;
    double *strips; /* (BLOCK, p) the rows being multiplied */
};

double lb_monomial_value(lb_monomial m, const double *variables)
{
    double v = 1.0;
    for (int k = 0; k < LB_CONDITION_VARIABLES; k++)
        for (int power = 0; power < m.power[k]; power++)
            v *= variables[k];
    return v;
}

size_t lb_conditional_gram_cols(const lb_conditional_gram *g)
{
    return g->p;
}

size_t lb_conditional_gram_products(const lb_conditional_gram *g)
{
    return g->n_products;
}

lb_cvec lb_conditional_gram_shift(const lb_conditional_gram *g)
{
    return (lb_cvec){g->shift, g->p};
}

lb_cvec lb_conditional_gram_scale(const lb_conditional_gram *g)
{
    return (lb_cvec){g->scale, g->p};
}

double lb_conditional_gram_y_shift(const lb_conditional_gram *g)
{
    return g->y_shift;
}

/* --- which products, which values --------------------------------------------------------------
 */

static lb_monomial times(lb_monomial a, lb_monomial b)
{
    for (int k = 0; k < LB_CONDITION_VARIABLES; k++)
        a.power[k] = (unsigned char)(a.power[k] + b.power[k]);
    return a;
}

static bool same(lb_monomial a, lb_monomial b)
{
    return !memcmp(a.power, b.power, sizeof a.power);
}

/* n_products if it is not there. */
size_t lb_conditional_gram_product(const lb_conditional_gram *g, lb_monomial m)
{
    size_t u = 0;
    while (u < g->n_products && !same(g->product[u], m))
        u++;
    return u;
}

static void include(lb_conditional_gram *g, lb_monomial m, bool wanted, bool split)
{
    const size_t u = lb_conditional_gram_product(g, m);
    if (u == g->n_products) {
        g->product = lb_xrealloc(g->product, u + 1, sizeof *g->product);
        g->wanted = lb_xrealloc(g->wanted, u + 1, sizeof *g->wanted);
        g->split = lb_xrealloc(g->split, u + 1, sizeof *g->split);
        g->product[u] = m;
        g->wanted[u] = g->split[u] = false;
        g->n_products++;
    }
    g->wanted[u] = g->wanted[u] || wanted;
    g->split[u] = g->split[u] || split;
}

static lb_status check_conditions(lb_conditions c, size_t variables, lb_error *err)
{
    if (c.n == 0)
        return LB_FAIL(err, LB_EINVAL, "a conditional model without a condition");
    for (size_t i = 0; i < c.n; i++) {
        for (size_t k = 0; k < LB_CONDITION_VARIABLES; k++) {
            if (c.term[i].power[k] && k >= variables)
                return LB_FAIL(err, LB_EINVAL,
                               "condition %zu is of base variable %zu, but there are %zu", i, k,
                               variables);
            if (c.term[i].power[k] > 100)
                return LB_FAIL(err, LB_EINVAL,
                               "condition %zu has base variable %zu to the power %d", i, k,
                               c.term[i].power[k]);
        }
        for (size_t j = 0; j < i; j++)
            if (same(c.term[i], c.term[j]))
                return LB_FAIL(err, LB_EINVAL, "conditions %zu and %zu are the same", j, i);
    }
    return LB_OK;
}

/* The products of every model: 1, c_i, c_i c_j. */
static void find_products(lb_conditional_gram *g, const lb_conditions *models, size_t n)
{
    include(g, (lb_monomial){{0}}, false, true);
    for (size_t m = 0; m < n; m++)
        for (size_t i = 0; i < models[m].n; i++) {
            const bool split = g->n_folds == 1 || !models[m].whole;
            include(g, models[m].term[i], false, split);
            for (size_t j = 0; j <= i; j++)
                include(g, times(models[m].term[i], models[m].term[j]), true, split);
        }
}

static size_t count_wanted(const lb_conditional_gram *g)
{
    size_t n = 0;
    for (size_t u = 0; u < g->n_products; u++)
        n += g->wanted[u];
    return n;
}

/* Base variables of row i that count, the others 0. */
static void row_variables(const lb_conditional_gram *g, lb_cmat variables, size_t i, double *out)
{
    for (size_t k = 0; k < LB_CONDITION_VARIABLES; k++) {
        bool counts = false;
        for (size_t u = 0; u < g->n_products; u++)
            counts = counts || g->product[u].power[k];
        out[k] = counts ? variables.data[i * variables.stride + k] : 0.0;
    }
}

/* Number of the value of a row; n_values if it is new. */
static size_t find_value(const lb_conditional_gram *g, const double *v)
{
    size_t l = 0;
    while (l < g->n_values &&
           memcmp(g->variables + l * LB_CONDITION_VARIABLES, v, LB_CONDITION_VARIABLES * sizeof *v))
        l++;
    return l;
}

/* The values of the base variables, if they are few. */
static void find_values(lb_conditional_gram *g, lb_cmat variables, const int *of_row)
{
    const size_t wanted = count_wanted(g), most = wanted > VALUES ? wanted : VALUES;
    g->variables = lb_xcalloc(most * LB_CONDITION_VARIABLES, sizeof *g->variables);
    for (size_t i = 0; i < variables.rows; i++) {
        double v[LB_CONDITION_VARIABLES];
        if (of_row && of_row[i] < 0)
            continue;
        row_variables(g, variables, i, v);
        const size_t l = find_value(g, v);
        if (l == most) {
            g->n_values = 0;
            return;
        }
        if (l == g->n_values) {
            memcpy(g->variables + l * LB_CONDITION_VARIABLES, v, sizeof v);
            g->n_values++;
        }
    }
    g->part = lb_xcalloc(g->n_values * g->n_products, sizeof *g->part);
    for (size_t l = 0; l < g->n_values; l++)
        for (size_t u = 0; u < g->n_products; u++)
            g->part[l * g->n_products + u] =
                lb_monomial_value(g->product[u], g->variables + l * LB_CONDITION_VARIABLES);
}

/* Whether variable k is a + b * variable l in every row that counts. */
static bool is_affine(const lb_conditional_gram *g, lb_cmat variables, const int *of_row, size_t k,
                      size_t l, double *a, double *b)
{
    double v[LB_CONDITION_VARIABLES], lo = INFINITY, hi = -INFINITY, at_lo = 0.0, at_hi = 0.0;
    for (size_t i = 0; i < variables.rows; i++) {
        if (of_row && of_row[i] < 0)
            continue;
        row_variables(g, variables, i, v);
        at_lo = v[l] < lo ? v[k] : at_lo;
        at_hi = v[l] > hi ? v[k] : at_hi;
        lo = fmin(lo, v[l]);
        hi = fmax(hi, v[l]);
    }
    *b = (at_hi - at_lo) / (hi - lo);
    *a = at_lo - *b * lo;
    const double rounding = 16.0 * DBL_EPSILON * (fabs(*a) + fabs(*b) * fmax(fabs(lo), fabs(hi)));
    for (size_t i = 0; i < variables.rows; i++) {
        row_variables(g, variables, i, v);
        if (!(of_row && of_row[i] < 0) && !(fabs(v[k] - (*a + *b * v[l])) <= rounding))
            return false;
    }
    return true;
}

static lb_monomial power_of(size_t variable, size_t power)
{
    lb_monomial m = {{0}};
    m.power[variable] = (unsigned char)power;
    return m;
}

/* v_k^q = (a + b v_l)^q, the binomial theorem: no Gram of its own if the powers of v_l have one. */
static void expand(lb_conditional_gram *g, size_t u, size_t q, size_t l, double a, double b)
{
    const double ab[LB_CONDITION_VARIABLES] = {a, b};
    double binomial = 1.0;
    for (size_t r = 0; r <= q; r++) {
        const size_t w = lb_conditional_gram_product(g, power_of(l, r));
        if (w == g->n_products || !g->wanted[w] || (g->split[u] && !g->split[w]))
            return;
    }
    g->wanted[u] = false;
    g->part[u * g->n_products + u] = 0.0;
    for (size_t r = 0; r <= q; r++) {
        const size_t w = lb_conditional_gram_product(g, power_of(l, r));
        const lb_monomial powers = {{(unsigned char)(q - r), (unsigned char)r}};
        g->part[w * g->n_products + u] = binomial * lb_monomial_value(powers, ab);
        binomial *= (double)(q - r) / (double)(r + 1);
    }
}

/* Powers of a variable that is an affine function of one before it. */
static void find_expansions(lb_conditional_gram *g, lb_cmat variables, const int *of_row)
{
    double a, b;
    for (size_t k = 1; k < LB_CONDITION_VARIABLES; k++)
        for (size_t l = 0; l < k; l++) {
            if (!is_affine(g, variables, of_row, k, l, &a, &b))
                continue;
            for (size_t u = 0; u < g->n_products; u++)
                if (g->wanted[u] && g->product[u].power[k] &&
                    same(g->product[u], power_of(k, g->product[u].power[k])))
                    expand(g, u, g->product[u].power[k], l, a, b);
        }
}

/* Which products are weights of a Gram or of sums, and what the others are made of. */
static void find_weights(lb_conditional_gram *g, lb_cmat variables, const int *of_row)
{
    const size_t n = g->n_products;
    g->part = lb_xcalloc(n * n, sizeof *g->part);
    g->weight_of = lb_xcalloc(n, sizeof *g->weight_of);
    for (size_t u = 0; u < n; u++)
        g->part[u * n + u] = 1.0;
    find_expansions(g, variables, of_row);
    for (int split = 1; split >= 0; split--) {
        for (size_t u = 0; u < n; u++)
            if (g->part[u * n + u] != 0.0 && g->split[u] == split)
                g->weight_of[g->n_weights++] = u;
        g->n_split = split ? g->n_weights : g->n_split;
    }
}

/* Fold by fold; then one for what is asked for of all folds only. */
static size_t count_cells(const lb_conditional_gram *g)
{
    return g->n_values ? g->n_folds * g->n_values : g->n_folds + (g->n_weights > g->n_split);
}

/* The share of Gram w of a cell in product u. */
static double share(const lb_conditional_gram *g, const cell *c, size_t w, size_t u)
{
    const size_t row = g->n_values ? (size_t)(c - g->cells) % g->n_values : g->weight_of[w];
    return g->part[row * g->n_products + u];
}

/* --- allocation ---------------------------------------------------------------------------------
 */

static size_t tile_width(const lb_conditional_gram *g, size_t i)
{
    return i + 1 < g->n_tiles ? TILE : g->p - i * TILE;
}

/* Where tile (I, J) lies: the rows of tiles above it are I * TILE columns long and full. */
static size_t tile_place(const lb_conditional_gram *g, size_t i, size_t j)
{
    return TILE * TILE * (i * (i + 1) / 2) + tile_width(g, i) * TILE * j;
}

static size_t tiles_size(const lb_conditional_gram *g)
{
    const size_t last = g->n_tiles - 1;
    return tile_place(g, last, last) + tile_width(g, last) * tile_width(g, last);
}

static void start_waiting(const lb_conditional_gram *g, cell *c)
{
    c->rows = lb_xaligned(BLOCK * g->p, sizeof *c->rows);
    c->y = lb_xcalloc(BLOCK, sizeof *c->y);
    c->weight = lb_xcalloc(g->n_weights * BLOCK, sizeof *c->weight);
    c->position = lb_xcalloc(BLOCK, sizeof *c->position);
}

static void free_waiting(cell *c)
{
    free(c->rows);
    free(c->y);
    free(c->weight);
    free(c->position);
    c->rows = NULL;
    c->y = c->weight = NULL;
    c->position = NULL;
}

static void cell_start(const lb_conditional_gram *g, cell *c)
{
    c->tiles = lb_xcalloc(g->n_weights, sizeof *c->tiles);
    for (size_t w = c->from; w < c->to; w++)
        if (g->n_values || g->wanted[g->weight_of[w]])
            c->tiles[w] = lb_xlarge(tiles_size(g), sizeof(double));
    c->sum = lb_xcalloc(g->n_weights * g->p, sizeof *c->sum);
    c->xy = lb_xcalloc(g->n_weights * g->p, sizeof *c->xy);
    start_waiting(g, c);
}

void lb_conditional_gram_free(lb_conditional_gram *g)
{
    if (!g)
        return;
    for (size_t k = 0; g->cells && k < g->n_cells; k++) {
        cell *c = &g->cells[k];
        free_waiting(c);
        for (size_t w = 0; c->tiles && w < g->n_weights; w++)
            free(c->tiles[w]);
        free(c->tiles);
        free(c->sum);
        free(c->xy);
    }
    for (size_t f = 0; g->folds && f < g->n_folds; f++) {
        free(g->folds[f].u);
        free(g->folds[f].uy);
    }
    free(g->cells);
    free(g->folds);
    free(g->product);
    free(g->wanted);
    free(g->split);
    free(g->weight_of);
    free(g->part);
    free(g->variables);
    free(g->shift);
    free(g->scale);
    free(g->strips);
    free(g);
}

size_t lb_conditional_gram_count(const lb_conditional_gram *g)
{
    size_t n = 0;
    for (size_t k = 0; k < g->n_cells; k++)
        for (size_t w = 0; g->cells[k].tiles && w < g->n_weights; w++)
            n += g->cells[k].tiles[w] != NULL;
    return n;
}

static lb_status check_memory(const lb_conditional_gram *g, const lb_conditions *models, size_t n,
                              size_t memory, lb_error *err)
{
    size_t grams = g->n_values ? g->n_cells : 0;
    double largest = 0.0;
    for (size_t w = 0; w < g->n_weights && !g->n_values; w++)
        if (g->wanted[g->weight_of[w]])
            grams += w < g->n_split ? g->n_folds : 1;
    for (size_t m = 0; m < n; m++)
        largest = fmax(largest, (double)(models[m].n * g->p));
    const double bytes = 8.0 * ((double)grams * (double)tiles_size(g) + largest * largest / 2.0);
    if (memory && bytes > (double)memory)
        return LB_FAIL(
            err, LB_EINVAL,
            "%zu Grams of %zu columns and a normal matrix of %.0f take %.2f GB, %.2f are "
            "allowed: fewer folds or conditions",
            grams, g->p, largest, bytes / 1e9, (double)memory / 1e9);
    return LB_OK;
}

static lb_conditional_gram *gram_new(size_t p, size_t folds)
{
    lb_conditional_gram *g = lb_xcalloc(1, sizeof *g);
    g->p = p;
    g->n_tiles = (p + TILE - 1) / TILE;
    g->n_folds = folds;
    return g;
}

static void gram_start(lb_conditional_gram *g)
{
    g->shift = lb_xcalloc(g->p, sizeof *g->shift);
    g->scale = lb_xcalloc(g->p, sizeof *g->scale);
    for (size_t j = 0; j < g->p; j++)
        g->scale[j] = 1.0;
    g->folds = lb_xcalloc(g->n_folds, sizeof *g->folds);
    for (size_t f = 0; f < g->n_folds; f++) {
        g->folds[f].u = lb_xcalloc(g->n_products, sizeof(double));
        g->folds[f].uy = lb_xcalloc(g->n_products, sizeof(double));
    }
    g->cells = lb_xcalloc(g->n_cells, sizeof *g->cells);
    for (size_t k = 0; k < g->n_cells; k++) {
        cell *c = &g->cells[k];
        c->fold = k / (g->n_values ? g->n_values : 1);
        c->from = c->fold < g->n_folds ? 0 : g->n_split;
        c->to = c->fold < g->n_folds ? g->n_split : g->n_weights;
    }
    g->strips = lb_xlarge(lb_strips_size(BLOCK, g->n_tiles * TILE), sizeof(double));
}

/* --- the pass -----------------------------------------------------------------------------------
 */

/* Shift and scale of the columns and the shift of y from the rows of this block that count. Values
 * that are not finite are left out: flush() finds them. */
static void set_scaling(lb_conditional_gram *g, lb_cmatf x, const double *y, const int *of_row)
{
    double *square = lb_xcalloc(g->p, sizeof *square), ysum = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < x.rows; i++) {
        if (of_row && of_row[i] < 0)
            continue;
        n++;
        ysum += y[i];
        for (size_t j = 0; j < g->p; j++) {
            const double v = x.data[i * x.stride + j];
            g->shift[j] += isfinite(v) ? v : 0.0;
        }
    }
    for (size_t j = 0; j < g->p && n; j++)
        g->shift[j] /= (double)n;
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < g->p && !(of_row && of_row[i] < 0); j++) {
            const double v = x.data[i * x.stride + j], d = isfinite(v) ? v - g->shift[j] : 0.0;
            square[j] += d * d;
        }
    for (size_t j = 0; j < g->p && n; j++)
        g->scale[j] = lb_gram_scale(sqrt(square[j] / (double)n));
    g->y_shift = n ? ysum / (double)n : 0.0;
    g->scaled = n > 0;
    free(square);
}

/* Tile I of the waiting rows: shift, scale, lay out in strips, and add to the sums. */
LB_FOR_EVERY_CPU static void fill_panel(const lb_conditional_gram *g, cell *c, size_t tile)
{
    const size_t first = tile * TILE, width = tile_width(g, tile);
    double inverse[TILE], d[TILE] = {0.0};
    for (size_t j = 0; j < width; j++)
        inverse[j] = 1.0 / g->scale[first + j];
    for (size_t i = 0; i < c->waiting; i++) {
        const float *row = c->rows + i * g->p + first;
        for (size_t j = 0; j < width; j++)
            d[j] = ((double)row[j] - g->shift[first + j]) * inverse[j];
        for (size_t j = 0; j < TILE; j += S)
            memcpy(g->strips + (first + j) * BLOCK + i * S, d + j, S * sizeof *d);
        for (size_t w = c->from; w < c->to; w++) {
            const double weight = c->weight[w * BLOCK + i], t = weight * c->y[i];
            double *sum = c->sum + w * g->p + first, *xy = c->xy + w * g->p + first;
            for (size_t j = 0; j < width; j++) {
                sum[j] += weight * d[j];
                xy[j] += t * d[j];
            }
        }
    }
}

static lb_strips strips_of_tile(const lb_conditional_gram *g, const cell *c, size_t i)
{
    return (lb_strips){g->strips + i * TILE * BLOCK, c->waiting, tile_width(g, i), BLOCK};
}

/* Panel I of the waiting rows, each times its weight. */
static void weigh(const lb_conditional_gram *g, const cell *c, size_t i, size_t w, double *out)
{
    const lb_strips a = strips_of_tile(g, c, i);
    const double *weight = c->weight + w * BLOCK;
    for (size_t strip = 0; strip < TILE / S; strip++)
        for (size_t r = 0; r < c->waiting; r++)
            for (size_t k = 0; k < S; k++)
                out[(strip * BLOCK + r) * S + k] = a.data[(strip * BLOCK + r) * S + k] * weight[r];
}

/* Row I of the tiles of Grams from .. to-1 += (weight * panel_I)' panel_J, J = 0 .. I: a panel
 * comes from memory once for all of them. */
static void add_tiles(const lb_conditional_gram *g, cell *c, size_t i, size_t from, size_t to,
                      double *scratch)
{
    lb_strips a[TOGETHER];
    for (size_t w = from; w < to; w++) {
        a[w - from] = strips_of_tile(g, c, i);
        if (g->n_values || !c->tiles[w])
            continue;
        weigh(g, c, i, w, scratch + (w - from) * BLOCK * TILE);
        a[w - from].data = scratch + (w - from) * BLOCK * TILE;
    }
    for (size_t j = 0; j <= i; j++)
        for (size_t w = from; w < to; w++)
            if (c->tiles[w])
                lb_cross_add(a[w - from], strips_of_tile(g, c, j), i == j,
                             lb_mat_of(c->tiles[w] + tile_place(g, i, j), a[w - from].cols,
                                       tile_width(g, j)));
}

/* A sum that is not finite means a row that is not: find and name it. */
static lb_status check_finite(const lb_conditional_gram *g, const cell *c, lb_error *err)
{
    for (size_t e = c->from * g->p; e < c->to * g->p; e++) {
        if (isfinite(c->sum[e]) && isfinite(c->xy[e]))
            continue;
        const size_t j = e % g->p;
        for (size_t i = 0; i < c->waiting; i++)
            if (!isfinite(c->rows[i * g->p + j]))
                return LB_FAIL(err, LB_ENUMERIC,
                               "row %zu, column %zu is %g; leave such rows out (fold -1)",
                               c->position[i], j, (double)c->rows[i * g->p + j]);
        return LB_FAIL(err, LB_ENUMERIC, "the sums of column %zu overflow", j);
    }
    return LB_OK;
}

static lb_status flush(lb_conditional_gram *g, cell *c, lb_error *err)
{
    if (!c->waiting)
        return LB_OK;
    const size_t weights = c->to - c->from;
    const bool share = c->waiting * g->p * g->p / 2 * weights >= LB_WORTH_THREADS;
#pragma omp parallel for schedule(dynamic, 1) if (share)
    for (size_t i = 0; i < g->n_tiles; i++)
        fill_panel(g, c, i);
    const lb_status st = check_finite(g, c, err);
    if (st != LB_OK)
        return st;
    const size_t parts = (weights + TOGETHER - 1) / TOGETHER;
#pragma omp parallel if (share)
    {
        double *scratch = lb_xaligned(TOGETHER * BLOCK * TILE, sizeof *scratch);
#pragma omp for schedule(dynamic, 1)
        for (size_t unit = 0; unit < g->n_tiles * parts; unit++) { /* the longest first */
            const size_t from = c->from + unit % parts * TOGETHER, to = from + TOGETHER;
            add_tiles(g, c, g->n_tiles - 1 - unit / parts, from, to < c->to ? to : c->to, scratch);
        }
        free(scratch);
    }
    c->waiting = 0;
    return LB_OK;
}

/* One row, position @p at in the stream, to a cell. */
static lb_status add_to_cell(lb_conditional_gram *g, cell *c, const float *x, const double *v,
                             double t, size_t at, lb_error *err)
{
    if (!c->tiles)
        cell_start(g, c);
    memcpy(c->rows + c->waiting * g->p, x, g->p * sizeof *x);
    c->y[c->waiting] = t;
    c->position[c->waiting] = at;
    for (size_t w = c->from; w < c->to; w++)
        c->weight[w * BLOCK + c->waiting] =
            g->n_values ? 1.0 : lb_monomial_value(g->product[g->weight_of[w]], v);
    return ++c->waiting == BLOCK ? flush(g, c, err) : LB_OK;
}

/* To those of its fold and, if there is one, of all folds. */
static lb_status add_row(lb_conditional_gram *g, const float *x, const double *v, double y,
                         size_t number, size_t at, lb_error *err)
{
    cell *c = &g->cells[g->n_values ? number * g->n_values + find_value(g, v) : number];
    cell *last = &g->cells[g->n_cells - 1];
    fold *f = &g->folds[number];
    const double t = y - g->y_shift;
    for (size_t u = 0; u < g->n_products; u++) {
        const double value = lb_monomial_value(g->product[u], v);
        f->u[u] += value;
        f->uy[u] += value * t;
    }
    f->n++;
    f->yy += t * t;
    const lb_status st = add_to_cell(g, c, x, v, t, at, err);
    return st == LB_OK && last->fold == g->n_folds ? add_to_cell(g, last, x, v, t, at, err) : st;
}

static lb_status read_all(lb_conditional_gram *g, const lb_stream *x, lb_cmat variables, lb_cvec y,
                          const int *of_row, lb_error *err)
{
    lb_status st = LB_OK;
    float *block = lb_xaligned(BLOCK * g->p, sizeof *block);
    for (size_t first = 0; first < x->rows && st == LB_OK; first += BLOCK) {
        const size_t n = x->rows - first < BLOCK ? x->rows - first : BLOCK;
        const lb_matf rows = {block, n, g->p, g->p};
        const int *numbers = of_row ? of_row + first : NULL;
        if ((st = x->read(x->self, first, rows, err)) != LB_OK)
            break;
        if (!g->scaled)
            set_scaling(g, lb_matf_const(rows), y.data + first, numbers);
        for (size_t i = 0; i < n && st == LB_OK; i++) {
            double v[LB_CONDITION_VARIABLES];
            if (numbers && numbers[i] < 0)
                continue;
            row_variables(g, variables, first + i, v);
            st = add_row(g, block + i * g->p, v, y.data[first + i],
                         numbers ? (size_t)numbers[i] : 0, first + i, err);
        }
    }
    for (size_t k = 0; k < g->n_cells && st == LB_OK; k++)
        st = flush(g, &g->cells[k], err);
    free(block);
    return st;
}

static lb_status check_row(const lb_conditional_gram *g, lb_cmat variables, double y, size_t i,
                           lb_error *err)
{
    double v[LB_CONDITION_VARIABLES];
    if (!isfinite(y))
        return LB_FAIL(err, LB_ENUMERIC, "the label of row %zu is %g", i, y);
    row_variables(g, variables, i, v);
    for (size_t k = 0; k < LB_CONDITION_VARIABLES; k++)
        if (!isfinite(v[k]))
            return LB_FAIL(err, LB_ENUMERIC, "base variable %zu of row %zu is %g", k, i, v[k]);
    for (size_t u = 0; u < g->n_products; u++)
        if (!isfinite(lb_monomial_value(g->product[u], v)))
            return LB_FAIL(err, LB_ENUMERIC,
                           "a product of conditions overflows in row %zu: scale the base variables",
                           i);
    return LB_OK;
}

static lb_status check_rows(const lb_conditional_gram *g, lb_cmat variables, lb_cvec y,
                            const int *of_row, lb_error *err)
{
    size_t used = 0;
    for (size_t i = 0; i < y.n; i++) {
        const int number = of_row ? of_row[i] : 0;
        if (number < -1 || (number >= 0 && (size_t)number >= g->n_folds))
            return LB_FAIL(err, LB_EINVAL, "row %zu is of fold %d, but there are %zu folds", i,
                           number, g->n_folds);
        if (number < 0)
            continue;
        used++;
        const lb_status st = check_row(g, variables, y.data[i], i, err);
        if (st != LB_OK)
            return st;
    }
    return used ? LB_OK : LB_FAIL(err, LB_EINVAL, "there is no row to fit");
}

static lb_status check_shapes(const lb_stream *x, lb_cmat variables, lb_cvec y, size_t folds,
                              lb_error *err)
{
    if (y.n != x->rows || variables.rows != x->rows || variables.cols > LB_CONDITION_VARIABLES)
        return LB_FAIL(err, LB_ESHAPE,
                       "x has %zu rows, y %zu, the base variables %zu in %zu columns (at most %d)",
                       x->rows, y.n, variables.rows, variables.cols, LB_CONDITION_VARIABLES);
    if (folds == 0 || x->cols == 0)
        return LB_FAIL(err, LB_EINVAL, "%zu folds of rows with %zu columns: nothing to sum", folds,
                       x->cols);
    return LB_OK;
}

lb_status lb_conditional_gram_accumulate(const lb_stream *x, lb_cmat variables, lb_cvec y,
                                         const int *of_row, size_t folds,
                                         const lb_conditions *models, size_t n_models,
                                         size_t memory, lb_conditional_gram **out, lb_error *err)
{
    *out = NULL;
    lb_status st = check_shapes(x, variables, y, folds, err);
    for (size_t m = 0; m < n_models && st == LB_OK; m++)
        st = check_conditions(models[m], variables.cols, err);
    if (st != LB_OK)
        return st;
    lb_conditional_gram *g = gram_new(x->cols, folds);
    find_products(g, models, n_models);
    if ((st = check_rows(g, variables, y, of_row, err)) != LB_OK)
        goto done;
    find_values(g, variables, of_row);
    if (g->n_values)
        g->n_weights = g->n_split = 1;
    else
        find_weights(g, variables, of_row);
    g->n_cells = count_cells(g);
    if ((st = check_memory(g, models, n_models, memory, err)) != LB_OK)
        goto done;
    gram_start(g);
    if ((st = read_all(g, x, variables, y, of_row, err)) != LB_OK)
        goto done;
    for (size_t k = 0; k < g->n_cells; k++)
        free_waiting(&g->cells[k]);
    *out = g;
    g = NULL;
done:
    lb_conditional_gram_free(g);
    return st;
}

/* --- what models ask for ------------------------------------------------------------------------
 */

static bool chosen(lb_fold_choice rows, size_t f)
{
    return ((int)f == rows.fold) == rows.only;
}

void lb_conditional_gram_sums(const lb_conditional_gram *g, lb_fold_choice rows,
                              lb_conditional_sums *out)
{
    memset(out->u, 0, g->n_products * sizeof(double));
    memset(out->uy, 0, g->n_products * sizeof(double));
    out->n = 0;
    out->yy = 0.0;
    for (size_t f = 0; f < g->n_folds; f++) {
        if (!chosen(rows, f))
            continue;
        out->n += g->folds[f].n;
        out->yy += g->folds[f].yy;
        for (size_t u = 0; u < g->n_products; u++) {
            out->u[u] += g->folds[f].u[u];
            out->uy[u] += g->folds[f].uy[u];
        }
    }
}

void lb_conditional_gram_vectors(const lb_conditional_gram *g, lb_fold_choice rows, size_t u,
                                 double *d, double *dt)
{
    for (size_t j = 0; j < g->p; j++) {
        if (d)
            d[j] = 0.0;
        if (dt)
            dt[j] = 0.0;
    }
    for (const cell *c = g->cells; c < g->cells + g->n_cells; c++)
        for (size_t w = c->from; c->tiles && chosen(rows, c->fold) && w < c->to; w++) {
            const double part = share(g, c, w, u);
            for (size_t j = 0; j < g->p && part != 0.0; j++) {
                if (d)
                    d[j] += part * c->sum[w * g->p + j];
                if (dt)
                    dt[j] += part * c->xy[w * g->p + j];
            }
        }
}

void lb_conditional_gram_tile(const lb_conditional_gram *g, lb_fold_choice rows, size_t u, size_t i,
                              size_t j, double *out)
{
    const size_t height = tile_width(g, i), width = tile_width(g, j), at = tile_place(g, i, j);
    memset(out, 0, (size_t)TILE * TILE * sizeof *out);
    for (const cell *c = g->cells; c < g->cells + g->n_cells; c++)
        for (size_t w = c->from; c->tiles && chosen(rows, c->fold) && w < c->to; w++) {
            const double part = share(g, c, w, u);
            if (!c->tiles[w] || part == 0.0)
                continue;
            for (size_t a = 0; a < height; a++)
                for (size_t b = 0; b < width; b++)
                    out[a * TILE + b] += part * c->tiles[w][at + a * width + b];
        }
    for (size_t a = 0; i == j && a < height; a++)
        for (size_t b = a + 1; b < width; b++)
            out[a * TILE + b] = out[b * TILE + a];
}

/* --- products with vectors ----------------------------------------------------------------------
 */

/* One call of lb_conditional_gram_multiply(). */
typedef struct product {
    const lb_conditional_gram *g;
    const lb_fold_choice *rows;
    size_t n, k;
    const size_t *alone, *pair;
    const double *const *v;
    double *const *out;
    size_t width; /* vectors a Gram is multiplied by, padded */
} product;

/* A tile (rows, columns) in strips, and its mirror image in strips. On the diagonal the tile holds
 * its lower triangle only, and the strips get both. */
static void lay_out(const double *tile, size_t height, size_t width, bool diagonal, double *strips,
                    double *mirror)
{
    for (size_t a = 0; a < height; a++)
        for (size_t b = 0; b < width; b += S) {
            const size_t end = diagonal && a + 1 < width ? a + 1 : width;
            const double *e = tile + a * width + b;
            double *strip = strips + (b * TILE + a * S), *turned = mirror + (a / S * TILE + b) * S;
            turned += a % S;
            for (size_t c = 0; c < S && b + S <= end; c++)
                strip[c] = turned[c * S] = e[c];
            for (size_t c = 0; b + c < end && b + S > end; c++)
                strip[c] = turned[c * S] = e[c];
        }
    for (size_t k = 0; k < (size_t)TILE * TILE && diagonal; k++) /* the one beside the other */
        strips[k] = k % S + k / S / TILE * S < k / S % TILE ? strips[k] : mirror[k];
}

/* A tile that is ragged, or on the diagonal where only its lower triangle is there, times vectors.
 * @param strips  scratch, two tiles, zero where no tile reaches */
static void multiply_laid_out(const double *tile, size_t height, size_t width, bool diagonal,
                              lb_strips vi, lb_strips vj, double *strips, lb_mat out_i,
                              lb_mat out_j)
{
    double *mirror = strips + TILE * TILE;
    lay_out(tile, height, width, diagonal, strips, mirror);
    lb_cross_add((lb_strips){strips, height, width, TILE}, vi, false, out_j);
    if (!diagonal)
        lb_cross_add((lb_strips){mirror, width, height, TILE}, vj, false, out_i);
}

/* Gram times vectors: rows of tile (I, J) and, off the diagonal, of its mirror image. */
static void multiply_tile(const lb_conditional_gram *g, const double *tile, size_t i, size_t j,
                          lb_strips v, double *strips, lb_mat out)
{
    const size_t height = tile_width(g, i), width = tile_width(g, j);
    const lb_strips vi = {v.data + i * TILE * S, height, v.cols, v.rows_max};
    const lb_strips vj = {v.data + j * TILE * S, width, v.cols, v.rows_max};
    const lb_mat out_i = lb_mat_rows(out, i * TILE, i * TILE + height);
    const lb_mat out_j = lb_mat_rows(out, j * TILE, j * TILE + width);
    if (i == j || height % S || width % S) {
        multiply_laid_out(tile, height, width, i == j, vi, vj, strips, out_i, out_j);
        return;
    }
    const lb_cmat t = {tile, height, width, width};
    lb_cross_add_rows(t, false, vi, out_j);
    lb_cross_add_rows(t, true, vj, out_i);
}

/* Whether Gram w of a cell stands in column j of the blocks. With a Gram a value it stands in all
 * of them, c_i c_j times: one vector, the sum of c_j v_j, serves every row of blocks, and it is
 * that of column 0. */
static bool stands_in(const product *q, const cell *c, size_t w, size_t j)
{
    if (q->g->n_values)
        return j == 0;
    bool there = false;
    for (size_t i = 0; i < q->k; i++)
        there = there || share(q->g, c, w, q->pair[i * q->k + j]) != 0.0;
    return there && c->tiles[w];
}

/* How many vectors Gram w of a cell is multiplied by. */
static size_t columns_of(const product *q, const cell *c, size_t w)
{
    size_t n = 0;
    for (size_t f = 0; c->tiles && f < q->n; f++)
        for (size_t j = 0; j < q->k && chosen(q->rows[f], c->fold); j++)
            n += stands_in(q, c, w, j);
    return n;
}

/* The vectors that Gram w of a cell is multiplied by, in strips; their number is returned. */
static size_t gather(const product *q, const cell *c, size_t w, double *strips)
{
    const size_t p = q->g->p, rows = q->g->n_tiles * TILE;
    size_t column = 0;
    for (size_t f = 0; f < q->n; f++)
        for (size_t j = 0; j < q->k && chosen(q->rows[f], c->fold); j++) {
            if (!stands_in(q, c, w, j))
                continue;
            double *out = strips + column / S * rows * S + column % S;
            for (size_t m = j; m < (q->g->n_values ? q->k : j + 1); m++) {
                const double part = q->g->n_values ? share(q->g, c, w, q->alone[m]) : 1.0;
                for (size_t r = 0; r < p; r++)
                    out[r * S] += part * q->v[f][m * p + r];
            }
            column++;
        }
    return column;
}

static void multiply_gram(const product *q, const cell *c, size_t w, lb_mat out)
{
    const lb_conditional_gram *g = q->g;
    const size_t rows = g->n_tiles * TILE;
    double *strips = lb_xaligned(q->width * rows, sizeof *strips);
    double *scratch = lb_xaligned(2 * TILE * TILE, sizeof *scratch);
    memset(strips, 0, q->width * rows * sizeof *strips);
    memset(scratch, 0, 2 * TILE * TILE * sizeof *scratch);
    memset(out.data, 0, out.rows * out.stride * sizeof *out.data);
    const size_t columns = gather(q, c, w, strips);
    for (size_t i = 0; i < g->n_tiles; i++)
        for (size_t j = 0; j <= i; j++) {
            const double *tile = c->tiles[w] + tile_place(g, i, j), *next = tile + TILE * TILE;
            for (size_t e = 0; e < TILE * TILE && i + 1 < g->n_tiles; e += S)
                __builtin_prefetch(next + e, 0, 2); /* it comes from memory while this one counts */
            multiply_tile(g, tile, i, j, (lb_strips){strips, rows, columns, rows}, scratch, out);
        }
    free(strips);
    free(scratch);
}

/* Add what Gram w of the cell came to, rows first .. last-1, to where its products stand. */
static void scatter(const product *q, const cell *c, size_t w, const double *in, size_t first,
                    size_t last)
{
    size_t column = 0;
    for (size_t f = 0; f < q->n; f++)
        for (size_t j = 0; j < q->k && chosen(q->rows[f], c->fold); j++) {
            if (!stands_in(q, c, w, j))
                continue;
            for (size_t i = 0; i < q->k; i++) {
                const double part =
                    share(q->g, c, w, q->g->n_values ? q->alone[i] : q->pair[i * q->k + j]);
                double *out = q->out[f] + i * q->g->p;
                for (size_t r = first; r < last && part != 0.0; r++)
                    out[r] += part * in[r * q->width + column];
            }
            column++;
        }
}

void lb_conditional_gram_multiply(const lb_conditional_gram *g, const lb_fold_choice *rows,
                                  size_t n, const size_t *alone, const size_t *pair, size_t k,
                                  const double *const *v, double *const *out)
{
    product q = {g, rows, n, k, alone, pair, v, out, 0};
    const size_t units = g->n_cells * g->n_weights;
    for (size_t e = 0; e < units; e++) {
        const size_t columns = columns_of(&q, &g->cells[e / g->n_weights], e % g->n_weights);
        q.width = columns > q.width ? columns : q.width;
    }
    q.width = (q.width + WIDTH - 1) / WIDTH * WIDTH;
    double **parts = lb_xcalloc(units, sizeof *parts);
    const bool share = units * g->p * g->p * q.width >= LB_WORTH_THREADS;
#pragma omp parallel for schedule(dynamic, 1) if (share)
    for (size_t e = 0; e < units; e++) {
        const cell *c = &g->cells[e / g->n_weights];
        if (columns_of(&q, c, e % g->n_weights) == 0)
            continue;
        parts[e] = lb_xaligned(g->p * q.width, sizeof **parts);
        multiply_gram(&q, c, e % g->n_weights, lb_mat_of(parts[e], g->p, q.width));
    }
    for (size_t f = 0; f < n; f++)
        memset(out[f], 0, k * g->p * sizeof **out);
#pragma omp parallel for schedule(dynamic, 1) if (share)
    for (size_t i = 0; i < g->n_tiles; i++)
        for (size_t e = 0; e < units; e++)
            if (parts[e])
                scatter(&q, &g->cells[e / g->n_weights], e % g->n_weights, parts[e], i * TILE,
                        i * TILE + tile_width(g, i));
    for (size_t e = 0; e < units; e++)
        free(parts[e]);
    free(parts);
}
