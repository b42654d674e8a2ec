/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/conditional_system.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "linalg/blas.h"
#include "linalg/cross.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = LB_CONDITION_TILE, S = LB_CROSS_STRIP };

/* Below this share of its own square a column lies in the span of others. */
#define DEPENDENT 1e-12

/* With x - mu = scale (d + delta), block i of the design is C_i d + c_i delta', scaled. Z = z_0 ...
 * of conditions and 1, Z'Z = R R'; a tilde marks what R^-1 was applied to. */
struct lb_conditional_system {
    const lb_conditional_gram *g;
    lb_conditions c;
    lb_fold_choice rows;
    size_t p, k, q;       /* columns, conditions, columns of Z */
    size_t *of_z;         /* (q) condition that is column l > 0 of Z; column 0 is the constant */
    size_t *pair, *alone; /* (k, k), (k) the products c_i c_j and c_i */
    double *root;         /* (q, q) R, lower; a zero on the diagonal: the column is left out */
    double *t;            /* (k, q, p) R^-1 Z'C_i d */
    double *cz, *zy;      /* (k, q), (q) R^-1 Z'c_i and R^-1 Z't */
    bool *spanned;        /* (k) c_i lies in the span of Z: delta then drops out */
    double *delta;        /* (p) */
    double *mean;         /* (p) mu: of the columns if centred, else 0 */
    double *e;            /* (k, k, p) d'C_i r_j, r_j = Q c_j; of i, j with j not spanned */
    double *rho, *rho_y;  /* (k, k), (k) r_i'r_j and r_i't */
    double *right;        /* (k, p) */
    lb_conditional_sums sums;
};

void lb_conditional_system_free(lb_conditional_system *s)
{
    if (!s)
        return;
    free(s->of_z);
    free(s->pair);
    free(s->alone);
    free(s->root);
    free(s->t);
    free(s->cz);
    free(s->zy);
    free(s->spanned);
    free(s->delta);
    free(s->mean);
    free(s->e);
    free(s->rho);
    free(s->rho_y);
    free(s->right);
    free(s->sums.u);
    free(s->sums.uy);
    free(s);
}

size_t lb_conditional_system_rows(const lb_conditional_system *s)
{
    return s->sums.n;
}

lb_cvec lb_conditional_system_right(const lb_conditional_system *s)
{
    return (lb_cvec){s->right, s->k * s->p};
}

/* --- the unpenalised columns --------------------------------------------------------------------
 */

static lb_monomial times(lb_monomial a, lb_monomial b)
{
    for (int v = 0; v < LB_CONDITION_VARIABLES; v++)
        a.power[v] = (unsigned char)(a.power[v] + b.power[v]);
    return a;
}

/* The products of the model, and its columns Z: 1 and, if plain, every condition that is not 1. */
static void name_products(lb_conditional_system *s)
{
    s->pair = lb_xcalloc(s->k * s->k, sizeof *s->pair);
    s->alone = lb_xcalloc(s->k, sizeof *s->alone);
    s->of_z = lb_xcalloc(s->k + 1, sizeof *s->of_z);
    s->q = 1;
    for (size_t i = 0; i < s->k; i++) {
        s->alone[i] = lb_conditional_gram_product(s->g, s->c.term[i]);
        for (size_t j = 0; j < s->k; j++)
            s->pair[i * s->k + j] =
                lb_conditional_gram_product(s->g, times(s->c.term[i], s->c.term[j]));
        if (s->c.plain && s->alone[i] != 0)
            s->of_z[s->q++] = i;
    }
}

/* The product c_i z_l; i == k: z_l alone. */
static size_t with_z(const lb_conditional_system *s, size_t i, size_t l)
{
    if (i == s->k)
        return l ? s->alone[s->of_z[l]] : 0;
    return l ? s->pair[i * s->k + s->of_z[l]] : s->alone[i];
}

/* R, column by column; one that depends on those before it gets none. */
static void factor_plain(lb_conditional_system *s)
{
    const size_t q = s->q;
    s->root = lb_xcalloc(q * q, sizeof *s->root);
    for (size_t l = 0; l < q; l++) {
        const double own = s->sums.u[l ? with_z(s, s->of_z[l], l) : 0];
        double pivot = own;
        for (size_t m = 0; m < l; m++) {
            double e = s->sums.u[with_z(s, l ? s->of_z[l] : s->k, m)];
            for (size_t h = 0; h < m; h++)
                e -= s->root[l * q + h] * s->root[m * q + h];
            s->root[l * q + m] = s->root[m * q + m] > 0.0 ? e / s->root[m * q + m] : 0.0;
            pivot -= s->root[l * q + m] * s->root[l * q + m];
        }
        s->root[l * q + l] = pivot > DEPENDENT * own ? sqrt(pivot) : 0.0;
    }
}

/* x := R^-1 x for x (q) at the given step. */
static void apply_root(const lb_conditional_system *s, double *x, size_t step)
{
    for (size_t l = 0; l < s->q; l++) {
        for (size_t m = 0; m < l; m++)
            x[l * step] -= s->root[l * s->q + m] * x[m * step];
        x[l * step] = s->root[l * s->q + l] > 0.0 ? x[l * step] / s->root[l * s->q + l] : 0.0;
    }
}

/* Everything of Z and the conditions that has no pixel in it. */
static void find_scalars(lb_conditional_system *s)
{
    const size_t k = s->k, q = s->q;
    factor_plain(s);
    s->cz = lb_xcalloc(k * q, sizeof *s->cz);
    s->zy = lb_xcalloc(q, sizeof *s->zy);
    s->rho = lb_xcalloc(k * k, sizeof *s->rho);
    s->rho_y = lb_xcalloc(k, sizeof *s->rho_y);
    s->spanned = lb_xcalloc(k, sizeof *s->spanned);
    for (size_t l = 0; l < q; l++)
        s->zy[l] = s->sums.uy[with_z(s, k, l)];
    apply_root(s, s->zy, 1);
    for (size_t i = 0; i < k; i++) {
        for (size_t l = 0; l < q; l++)
            s->cz[i * q + l] = s->sums.u[with_z(s, i, l)];
        apply_root(s, s->cz + i * q, 1);
        const double own = s->sums.u[s->pair[i * k + i]];
        s->spanned[i] = !(own - lb_dot(s->cz + i * q, s->cz + i * q, q) > DEPENDENT * own);
    }
    for (size_t i = 0; i < k; i++) {
        if (s->spanned[i])
            continue;
        s->rho_y[i] = s->sums.uy[s->alone[i]] - lb_dot(s->cz + i * q, s->zy, q);
        for (size_t j = 0; j < k; j++)
            if (!s->spanned[j])
                s->rho[i * k + j] =
                    s->sums.u[s->pair[i * k + j]] - lb_dot(s->cz + i * q, s->cz + j * q, q);
    }
}

/* --- the vectors --------------------------------------------------------------------------------
 */

static void find_mean(lb_conditional_system *s)
{
    const double *shift = lb_conditional_gram_shift(s->g).data;
    const double *scale = lb_conditional_gram_scale(s->g).data;
    s->mean = lb_xcalloc(s->p, sizeof *s->mean);
    s->delta = lb_xcalloc(s->p, sizeof *s->delta);
    if (s->c.centre)
        lb_conditional_gram_vectors(s->g, s->rows, 0, s->delta, NULL);
    for (size_t r = 0; r < s->p; r++) {
        const double mean = s->delta[r] / (double)s->sums.n;
        s->mean[r] = s->c.centre ? shift[r] + scale[r] * mean : 0.0;
        s->delta[r] = s->c.centre ? -mean : shift[r] / scale[r];
    }
}

static void find_vectors(lb_conditional_system *s)
{
    const size_t k = s->k, q = s->q, p = s->p;
    s->t = lb_xcalloc(k * q * p, sizeof *s->t);
    s->e = lb_xcalloc(k * k * p, sizeof *s->e);
    for (size_t i = 0; i < k; i++) {
        double *t = s->t + i * q * p;
        for (size_t l = 0; l < q; l++)
            lb_conditional_gram_vectors(s->g, s->rows, with_z(s, i, l), t + l * p, NULL);
        for (size_t r = 0; r < p; r++)
            apply_root(s, t + r, p);
        for (size_t j = 0; j < k; j++) {
            double *e = s->e + (i * k + j) * p;
            if (s->spanned[j])
                continue;
            lb_conditional_gram_vectors(s->g, s->rows, s->pair[i * k + j], e, NULL);
            for (size_t l = 0; l < q; l++)
                for (size_t r = 0; r < p; r++)
                    e[r] -= t[l * p + r] * s->cz[j * q + l];
        }
    }
}

static void find_right(lb_conditional_system *s)
{
    const double *scale = lb_conditional_gram_scale(s->g).data;
    s->right = lb_xcalloc(s->k * s->p, sizeof *s->right);
    for (size_t i = 0; i < s->k; i++) {
        double *right = s->right + i * s->p;
        lb_conditional_gram_vectors(s->g, s->rows, s->alone[i], NULL, right);
        for (size_t l = 0; l < s->q; l++)
            for (size_t r = 0; r < s->p; r++)
                right[r] -= s->t[(i * s->q + l) * s->p + r] * s->zy[l];
        for (size_t r = 0; r < s->p; r++)
            right[r] = scale[r] * (right[r] + s->delta[r] * s->rho_y[i]);
    }
}

lb_status lb_conditional_system_new(const lb_conditional_gram *g, lb_conditions c, int left_out,
                                    lb_conditional_system **out, lb_error *err)
{
    lb_conditional_system *s = lb_xcalloc(1, sizeof *s);
    *out = NULL;
    s->g = g;
    s->c = c;
    s->rows = (lb_fold_choice){left_out, false};
    s->p = lb_conditional_gram_cols(g);
    s->k = c.n;
    s->sums.u = lb_xcalloc(lb_conditional_gram_products(g), sizeof(double));
    s->sums.uy = lb_xcalloc(lb_conditional_gram_products(g), sizeof(double));
    lb_conditional_gram_sums(g, s->rows, &s->sums);
    if (s->sums.n == 0) {
        lb_conditional_system_free(s);
        return LB_FAIL(err, LB_EINVAL, "no row is left to fit without fold %d", left_out);
    }
    name_products(s);
    find_scalars(s);
    find_mean(s);
    find_vectors(s);
    find_right(s);
    *out = s;
    return LB_OK;
}

/* --- the matrix ---------------------------------------------------------------------------------
 */

/* Add to v[0 .. n-1] what Z and delta make of the elements (row r of block i; columns first ... of
 * block j), and scale. */
static void correct(const lb_conditional_system *s, size_t i, size_t r, size_t j, size_t first,
                    size_t n, double *v)
{
    const double *scale = lb_conditional_gram_scale(s->g).data, *delta = s->delta + first;
    const size_t p = s->p, k = s->k;
    for (size_t l = 0; l < s->q; l++) {
        const double f = s->t[(i * s->q + l) * p + r];
        const double *t = s->t + (j * s->q + l) * p + first;
        for (size_t c = 0; c < n; c++)
            v[c] -= f * t[c];
    }
    if (!s->spanned[j]) {
        const double f = s->e[(i * k + j) * p + r] + s->delta[r] * s->rho[i * k + j];
        for (size_t c = 0; c < n; c++)
            v[c] += f * delta[c];
    }
    if (!s->spanned[i])
        for (size_t c = 0; c < n; c++)
            v[c] += s->delta[r] * s->e[(j * k + i) * p + first + c];
    for (size_t c = 0; c < n; c++)
        v[c] *= scale[r] * scale[first + c];
}

/* Elements (row; first column ...) of A, as far as they go. */
static void write_run(lb_cholesky *room, size_t row, size_t column, const double *v, size_t n)
{
    while (n > 0) {
        const size_t here = S - column % S < n ? S - column % S : n;
        memcpy(lb_cholesky_place(room, row, column), v, here * sizeof *v);
        column += here;
        v += here;
        n -= here;
    }
}

/* Tile (I, J) of D' diag(c_i c_j) D, i <= j, to its places: rows I and columns J of block (i, j)
 * ...
 */
static void place_tile(const lb_conditional_system *s, size_t i, size_t j, size_t r0, size_t height,
                       size_t c0, size_t width, const double *tile, lb_cholesky *room)
{
    double v[TILE];
    for (size_t a = 0; a < height; a++) {
        memcpy(v, tile + a * TILE, width * sizeof *v);
        correct(s, i, r0 + a, j, c0, width, v);
        write_run(room, i * s->p + r0 + a, j * s->p + c0, v, width);
    }
}

/* ... and rows J, columns I of it, from the diagonal of A on. */
static void place_mirror(const lb_conditional_system *s, size_t i, size_t j, size_t r0,
                         size_t height, size_t c0, size_t width, const double *tile,
                         lb_cholesky *room)
{
    double v[TILE];
    for (size_t b = 0; b < width; b++) {
        const size_t from = i == j && r0 == c0 ? b : 0;
        for (size_t a = from; a < height; a++)
            v[a - from] = tile[a * TILE + b];
        correct(s, i, c0 + b, j, r0 + from, height - from, v);
        write_run(room, i * s->p + c0 + b, j * s->p + r0 + from, v, height - from);
    }
}

/* Row I of the tiles of every product. */
static void load_row(const lb_conditional_system *s, size_t ti, lb_cholesky *room)
{
    const size_t r0 = ti * TILE, height = s->p - r0 < TILE ? s->p - r0 : TILE;
    double *tile = lb_xaligned((size_t)TILE * TILE, sizeof *tile);
    for (size_t tj = 0; tj <= ti; tj++)
        for (size_t u = 0; u < lb_conditional_gram_products(s->g); u++) {
            const size_t c0 = tj * TILE, width = s->p - c0 < TILE ? s->p - c0 : TILE;
            bool summed = false;
            for (size_t i = 0; i < s->k; i++)
                for (size_t j = i; j < s->k; j++) {
                    if (s->pair[i * s->k + j] != u)
                        continue;
                    if (!summed)
                        lb_conditional_gram_tile(s->g, s->rows, u, ti, tj, tile);
                    summed = true;
                    if (i != j)
                        place_tile(s, i, j, r0, height, c0, width, tile, room);
                    if (i == j || ti != tj)
                        place_mirror(s, i, j, r0, height, c0, width, tile, room);
                }
        }
    free(tile);
}

void lb_conditional_system_load(const lb_conditional_system *s, lb_cholesky *room)
{
    const size_t n_tiles = (s->p + TILE - 1) / TILE;
#pragma omp parallel for schedule(dynamic, 1) if (s->k * s->k * s->p * s->p >= LB_WORTH_THREADS)
    for (size_t i = n_tiles; i > 0; i--) /* the longest row of tiles first */
        load_row(s, i - 1, room);
}

/* --- products with vectors ----------------------------------------------------------------------
 */

/* out = out (D' diag(c_i c_j) D v, v scaled) with Z and delta, scaled. */
static void correct_product(const lb_conditional_system *s, const double *v, double *out)
{
    const double *scale = lb_conditional_gram_scale(s->g).data;
    const size_t p = s->p, k = s->k, q = s->q;
    for (size_t l = 0; l < q; l++) {
        double f = 0.0;
        for (size_t j = 0; j < k; j++)
            f += lb_dot(s->t + (j * q + l) * p, v + j * p, p);
        for (size_t i = 0; i < k; i++)
            for (size_t r = 0; r < p; r++)
                out[i * p + r] -= f * s->t[(i * q + l) * p + r];
    }
    for (size_t j = 0; j < k; j++) {
        if (s->spanned[j])
            continue;
        const double f = lb_dot(s->delta, v + j * p, p);
        double back = 0.0; /* block row j: delta (c_j'Q C_i d v_i) */
        for (size_t i = 0; i < k; i++) {
            const double *e = s->e + (i * k + j) * p;
            for (size_t r = 0; r < p; r++)
                out[i * p + r] += f * (e[r] + s->delta[r] * s->rho[i * k + j]);
            back += lb_dot(e, v + i * p, p);
        }
        for (size_t r = 0; r < p; r++)
            out[j * p + r] += back * s->delta[r];
    }
    for (size_t i = 0; i < k; i++)
        for (size_t r = 0; r < p; r++)
            out[i * p + r] *= scale[r];
}

/* scale v, a copy. */
static double *scaled(const lb_conditional_system *s, const double *v)
{
    const double *scale = lb_conditional_gram_scale(s->g).data;
    double *out = lb_xcalloc(s->k * s->p, sizeof *out);
    for (size_t e = 0; e < s->k * s->p; e++)
        out[e] = scale[e % s->p] * v[e];
    return out;
}

/* out[f] = D' diag(c_i c_j) D (scale v[f]) on the rows system f is fitted on, or on the fold it
 * left out; u[f] receives scale v[f]. */
static void multiply(lb_conditional_system *const *s, size_t n, bool only, const double *const *v,
                     double **u, double *const *out)
{
    lb_fold_choice *rows = lb_xcalloc(n, sizeof *rows);
    for (size_t f = 0; f < n; f++) {
        rows[f] = (lb_fold_choice){s[f]->rows.fold, only};
        u[f] = scaled(s[f], v[f]);
    }
    lb_conditional_gram_multiply(s[0]->g, rows, n, s[0]->alone, s[0]->pair, s[0]->k,
                                 (const double *const *)u, out);
    free(rows);
}

/* Of what is done for each of n systems once their products with the Grams are there. */
static bool worth_threads(const lb_conditional_system *s, size_t n)
{
    return n > 1 && n * s->k * s->p * (s->k + s->q) >= LB_WORTH_THREADS;
}

void lb_conditional_system_multiply(lb_conditional_system *const *s, size_t n,
                                    const double *const *v, double *const *out)
{
    double **u = lb_xcalloc(n, sizeof *u);
    multiply(s, n, false, v, u, out);
#pragma omp parallel for schedule(dynamic, 1) if (worth_threads(s[0], n))
    for (size_t f = 0; f < n; f++)
        correct_product(s[f], u[f], out[f]);
    for (size_t f = 0; f < n; f++)
        free(u[f]);
    free(u);
}

/* --- the rest of the model ----------------------------------------------------------------------
 */

/* Coefficients gamma (q) of Z for the weights u = scale w: R' gamma = R^-1 Z'(t - Phi w). */
static void plain_part(const lb_conditional_system *s, const double *u, double *gamma)
{
    const size_t q = s->q, p = s->p;
    for (size_t l = 0; l < q; l++) {
        gamma[l] = s->zy[l];
        for (size_t i = 0; i < s->k; i++)
            gamma[l] -= lb_dot(s->t + (i * q + l) * p, u + i * p, p) +
                        s->cz[i * q + l] * lb_dot(s->delta, u + i * p, p);
    }
    for (size_t l = q; l-- > 0;) {
        for (size_t m = l + 1; m < q; m++)
            gamma[l] -= s->root[m * q + l] * gamma[m];
        gamma[l] = s->root[l * q + l] > 0.0 ? gamma[l] / s->root[l * q + l] : 0.0;
    }
}

void lb_conditional_system_finish(const lb_conditional_system *s, const double *w, double *b,
                                  double *offset)
{
    double *u = scaled(s, w), *gamma = lb_xcalloc(s->q, sizeof *gamma);
    plain_part(s, u, gamma);
    *b = lb_conditional_gram_y_shift(s->g) + gamma[0];
    for (size_t i = 0; i < s->k; i++)
        offset[i] = -lb_dot(s->mean, w + i * s->p, s->p);
    for (size_t l = 1; l < s->q; l++)
        offset[s->of_z[l]] += gamma[l];
    free(u);
    free(gamma);
}

/* With yhat = b + sum_i c_i (theta_i + d'u_i) for t, the squared residuals of a fold from its sums:
 * tt - 2 (...)'(...) t + (...)'(...), @p du = D' diag(c_i c_j) D u of it. */
static double r2_of_fold(const lb_conditional_system *s, const double *u, const double *du)
{
    const size_t k = s->k, p = s->p, n_products = lb_conditional_gram_products(s->g);
    const lb_fold_choice rows = {s->rows.fold, true};
    lb_conditional_sums f = {.u = lb_xcalloc(2 * n_products, sizeof(double))};
    double *gamma = lb_xcalloc(s->q + k + 1, sizeof *gamma), *theta = gamma + s->q, *d;
    f.uy = f.u + n_products;
    lb_conditional_gram_sums(s->g, rows, &f);
    plain_part(s, u, gamma);
    for (size_t i = 0; i < k; i++) /* theta_k belongs to the constant */
        theta[i] = lb_dot(s->delta, u + i * p, p);
    theta[k] = gamma[0];
    for (size_t l = 1; l < s->q; l++)
        theta[s->of_z[l]] += gamma[l];
    double sum = f.yy + lb_dot(u, du, k * p);
    d = lb_xcalloc(2 * p, sizeof *d);
    for (size_t i = 0; i <= k; i++) {
        const size_t alone = i < k ? s->alone[i] : 0;
        sum -= 2.0 * theta[i] * f.uy[alone];
        for (size_t j = 0; j <= k; j++) {
            const size_t both = i == k   ? (j < k ? s->alone[j] : 0)
                                : j == k ? alone
                                         : s->pair[i * k + j];
            sum += theta[i] * theta[j] * f.u[both];
            if (j == k)
                continue;
            lb_conditional_gram_vectors(s->g, rows, both, d, d + p);
            sum += 2.0 * theta[i] * lb_dot(d, u + j * p, p);
            if (i == k)
                sum -= 2.0 * lb_dot(d + p, u + j * p, p);
        }
    }
    const double total = f.yy - f.uy[0] * f.uy[0] / (double)f.n;
    free(d);
    free(f.u);
    free(gamma);
    return total > 0.0 ? 1.0 - sum / total : (double)NAN;
}

void lb_conditional_system_score(lb_conditional_system *const *s, size_t n, const double *const *w,
                                 double *r2)
{
    double **u = lb_xcalloc(2 * n, sizeof *u), **du = u + n;
    for (size_t f = 0; f < n; f++)
        du[f] = lb_xcalloc(s[f]->k * s[f]->p, sizeof **du);
    multiply(s, n, true, w, u, du);
#pragma omp parallel for schedule(dynamic, 1) if (worth_threads(s[0], n))
    for (size_t f = 0; f < n; f++)
        r2[f] = r2_of_fold(s[f], u[f], du[f]);
    for (size_t f = 0; f < 2 * n; f++)
        free(u[f]);
    free(u);
}
