/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/grid.h"

#include "core/hash.h"
#include "core/memory.h"
#include "data/elementary.h"
#include "data/h5.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NODES = 64 }; /* of an axis */
static const char *const axis_names[LB_GRID_AXES] = {"teff", "logg", "mh"};

/* Nodes of an axis and the matrix that turns values at them into second derivatives of the spline.
 */
typedef struct axis {
    double *x, *curvature; /* n; n x n */
    size_t n;
} axis;

struct lb_grid {
    axis axes[LB_GRID_AXES];
    size_t pixels, n_line, n_cont; /* coefficients of normalised flux and of ln(continuum) */
    double *wave, *mean, *components, *cont_mean, *cont_components;
    double *nodes; /* n0 x n1 x n2 x (n_line + n_cont) */
    char *medium;
    char hash[LB_HASH_SIZE];
};

/*
 * Cubic spline by its second derivatives M at the nodes (de Boor 1978, ch. IV): continuity of the
 * slope at inner nodes, h[i-1] M[i-1] + 2 (h[i-1] + h[i]) M[i] + h[i] M[i+1] = 6 (difference of the
 * chord slopes), and at each end one third derivative over the first two intervals ("not a knot").
 * The system is linear in the values, so M = curvature @ values, once for all coefficients.
 */
static lb_status solve_spline(axis *a, const char *path, lb_error *err)
{
    const size_t n = a->n, end = n - 1;
    gsl_matrix *left = gsl_matrix_calloc(n, n), *inverse = gsl_matrix_alloc(n, n);
    gsl_matrix *right = gsl_matrix_calloc(n, n);
    gsl_permutation *order = gsl_permutation_alloc(n);
    gsl_matrix_view out = gsl_matrix_view_array(a->curvature, n, n);
    int sign;
    const double *x = a->x;
    for (size_t i = 1; i < end; i++) {
        const double before = x[i] - x[i - 1], after = x[i + 1] - x[i];
        gsl_matrix_set(left, i, i - 1, before);
        gsl_matrix_set(left, i, i, 2.0 * (before + after));
        gsl_matrix_set(left, i, i + 1, after);
        gsl_matrix_set(right, i, i - 1, 6.0 / before);
        gsl_matrix_set(right, i, i, -6.0 / before - 6.0 / after);
        gsl_matrix_set(right, i, i + 1, 6.0 / after);
    }
    gsl_matrix_set(left, 0, 0, x[2] - x[1]);
    gsl_matrix_set(left, 0, 1, -(x[2] - x[0]));
    gsl_matrix_set(left, 0, 2, x[1] - x[0]);
    gsl_matrix_set(left, end, end, x[end - 1] - x[end - 2]);
    gsl_matrix_set(left, end, end - 1, -(x[end] - x[end - 2]));
    gsl_matrix_set(left, end, end - 2, x[end] - x[end - 1]);
    int failed = gsl_linalg_LU_decomp(left, order, &sign);
    failed = failed || gsl_linalg_LU_invert(left, order, inverse);
    if (!failed) /* curvature = inverse @ right */
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                double sum = 0.0;
                for (size_t k = 0; k < n; k++)
                    sum += gsl_matrix_get(inverse, i, k) * gsl_matrix_get(right, k, j);
                gsl_matrix_set(&out.matrix, i, j, sum);
            }
    gsl_permutation_free(order);
    gsl_matrix_free(right);
    gsl_matrix_free(inverse);
    gsl_matrix_free(left);
    return failed ? LB_FAIL(err, LB_ENUMERIC, "%s: no spline through its nodes", path) : LB_OK;
}

static lb_status load_axis(hid_t file, const char *path, const char *name, axis *a, lb_error *err)
{
    lb_status st = lb_h5_count(file, path, name, &a->n, err);
    if (st != LB_OK)
        return st;
    if (a->n < 4 || a->n > MOST_NODES)
        return LB_FAIL(err, LB_EINVAL, "%s: axis '%s' has %zu nodes, must be 4 to %d", path, name,
                       a->n, MOST_NODES);
    a->x = lb_xcalloc(a->n, sizeof *a->x);
    a->curvature = lb_xcalloc(a->n * a->n, sizeof *a->curvature);
    st = lb_h5_read_doubles(file, path, name, a->n, a->x, err);
    for (size_t i = 1; i < a->n && st == LB_OK; i++)
        if (!(a->x[i] > a->x[i - 1]))
            st = LB_FAIL(err, LB_EINVAL, "%s: axis '%s' does not increase at node %zu", path, name,
                         i);
    return st == LB_OK ? solve_spline(a, path, err) : st;
}

static lb_status load_array(hid_t file, const char *path, const char *name, size_t n, double **out,
                            lb_error *err)
{
    *out = lb_xaligned(n, sizeof **out);
    lb_status st = lb_h5_read_doubles(file, path, name, n, *out, err);
    for (size_t i = 0; i < n && st == LB_OK; i++)
        if (!isfinite((*out)[i]))
            st = LB_FAIL(err, LB_ENUMERIC, "%s: '%s' holds NaN or infinity", path, name);
    return st;
}

/* Both sets of coefficients side by side at each node. */
static lb_status load_nodes(hid_t file, const char *path, lb_grid *g, lb_error *err)
{
    const size_t a = g->n_line, b = g->n_cont;
    const size_t n = g->axes[0].n * g->axes[1].n * g->axes[2].n;
    double *line = NULL, *cont = NULL;
    lb_status st = load_array(file, path, "coef", n * a, &line, err);
    if (st == LB_OK)
        st = load_array(file, path, "cont_coef", n * b, &cont, err);
    g->nodes = lb_xcalloc(n * (a + b), sizeof *g->nodes);
    for (size_t i = 0; i < n && st == LB_OK; i++) {
        memcpy(g->nodes + i * (a + b), line + i * a, a * sizeof *line);
        memcpy(g->nodes + i * (a + b) + a, cont + i * b, b * sizeof *cont);
    }
    free(line);
    free(cont);
    return st;
}

static lb_status load(hid_t file, const char *path, lb_grid *g, lb_error *err)
{
    size_t line = 0, cont = 0;
    lb_status st = LB_OK;
    for (int i = 0; i < LB_GRID_AXES && st == LB_OK; i++)
        st = load_axis(file, path, axis_names[i], &g->axes[i], err);
    if (st == LB_OK)
        st = lb_h5_count(file, path, "wave", &g->pixels, err);
    if (st == LB_OK)
        st = lb_h5_count(file, path, "components", &line, err);
    if (st == LB_OK)
        st = lb_h5_count(file, path, "cont_components", &cont, err);
    if (st != LB_OK)
        return st;
    if (g->pixels == 0)
        return LB_FAIL(err, LB_ESHAPE, "%s: 'wave' is empty", path);
    g->n_line = line / g->pixels;
    g->n_cont = cont / g->pixels;
    st = load_array(file, path, "wave", g->pixels, &g->wave, err);
    if (st == LB_OK)
        st = load_array(file, path, "mean", g->pixels, &g->mean, err);
    if (st == LB_OK)
        st = load_array(file, path, "components", g->n_line * g->pixels, &g->components, err);
    if (st == LB_OK)
        st = load_array(file, path, "cont_mean", g->pixels, &g->cont_mean, err);
    if (st == LB_OK)
        st = load_array(file, path, "cont_components", g->n_cont * g->pixels, &g->cont_components,
                        err);
    return st == LB_OK ? load_nodes(file, path, g, err) : st;
}

lb_status lb_grid_load(const char *path, lb_grid **out, lb_error *err)
{
    hid_t file = H5I_INVALID_HID;
    *out = NULL;
    gsl_set_error_handler_off();
    lb_status st = lb_h5_open(path, &file, err);
    if (st != LB_OK)
        return st;
    lb_grid *g = lb_xcalloc(1, sizeof *g);
    st = load(file, path, g, err);
    if (st == LB_OK)
        st = lb_hash_file(path, g->hash, err);
    if (st == LB_OK) {
        const hid_t wave = H5Dopen2(file, "wave", H5P_DEFAULT);
        g->medium = lb_h5_text(wave, "medium");
        H5Dclose(wave);
        if (!g->medium)
            g->medium = lb_xstrdup("unknown");
        *out = g;
    } else {
        lb_grid_free(g);
    }
    H5Fclose(file);
    return st;
}

void lb_grid_free(lb_grid *g)
{
    if (!g)
        return;
    for (int i = 0; i < LB_GRID_AXES; i++) {
        free(g->axes[i].x);
        free(g->axes[i].curvature);
    }
    free(g->wave);
    free(g->mean);
    free(g->components);
    free(g->cont_mean);
    free(g->cont_components);
    free(g->nodes);
    free(g->medium);
    free(g);
}

size_t lb_grid_pixels(const lb_grid *g)
{
    return g->pixels;
}

size_t lb_grid_coefficients(const lb_grid *g)
{
    return g->n_line + g->n_cont;
}

lb_cvec lb_grid_wave(const lb_grid *g)
{
    return (lb_cvec){g->wave, g->pixels};
}

const char *lb_grid_medium(const lb_grid *g)
{
    return g->medium;
}

lb_cvec lb_grid_axis(const lb_grid *g, int i)
{
    return (lb_cvec){g->axes[i].x, g->axes[i].n};
}

const char *lb_grid_hash(const lb_grid *g)
{
    return g->hash;
}

static size_t interval(const axis *a, double t) /* the one that starts at this node holds t */
{
    size_t i = 0;
    while (i + 2 < a->n && t >= a->x[i + 1])
        i++;
    return i;
}

/*
 * Weights of the node values in the spline at t: with u, v the distances to the nodes around it
 * over their step h, s(t) = v y[i] + u y[i+1] + h^2/6 ((v^3 - v) M[i] + (u^3 - u) M[i+1]).
 */
static void spline_weights(const axis *a, double t, double *w)
{
    const size_t i = interval(a, t);
    const double h = a->x[i + 1] - a->x[i], u = (t - a->x[i]) / h, v = 1.0 - u;
    const double low = h * h / 6.0 * (v * v * v - v), high = h * h / 6.0 * (u * u * u - u);
    for (size_t j = 0; j < a->n; j++)
        w[j] = low * a->curvature[i * a->n + j] + high * a->curvature[(i + 1) * a->n + j];
    w[i] += v;
    w[i + 1] += u;
}

/* And in its slope, from u' = 1/h, v' = -1/h:
 * s'(t) = (y[i+1] - y[i]) / h + h/6 ((1 - 3 v^2) M[i] + (3 u^2 - 1) M[i+1]). */
static void slope_weights(const axis *a, double t, double *w)
{
    const size_t i = interval(a, t);
    const double h = a->x[i + 1] - a->x[i], u = (t - a->x[i]) / h, v = 1.0 - u;
    const double low = h / 6.0 * (1.0 - 3.0 * v * v), high = h / 6.0 * (3.0 * u * u - 1.0);
    for (size_t j = 0; j < a->n; j++)
        w[j] = low * a->curvature[i * a->n + j] + high * a->curvature[(i + 1) * a->n + j];
    w[i] -= 1.0 / h;
    w[i + 1] += 1.0 / h;
}

static lb_status point_weights(const lb_grid *g, const double point[LB_GRID_AXES],
                               double weight[LB_GRID_AXES][MOST_NODES], lb_error *err)
{
    for (int i = 0; i < LB_GRID_AXES; i++) {
        const axis *a = &g->axes[i];
        if (!(point[i] >= a->x[0] && point[i] <= a->x[a->n - 1]))
            return LB_FAIL(err, LB_EINVAL, "%s = %g is outside the grid, %g to %g", axis_names[i],
                           point[i], a->x[0], a->x[a->n - 1]);
        spline_weights(a, point[i], weight[i]);
    }
    return LB_OK;
}

lb_status lb_grid_at(const lb_grid *g, const double point[LB_GRID_AXES], double *coef,
                     lb_error *err)
{
    double weight[LB_GRID_AXES][MOST_NODES];
    const size_t m = lb_grid_coefficients(g);
    const lb_status st = point_weights(g, point, weight, err);
    if (st != LB_OK)
        return st;
    memset(coef, 0, m * sizeof *coef);
    const double *node = g->nodes;
    for (size_t i = 0; i < g->axes[0].n; i++)
        for (size_t j = 0; j < g->axes[1].n; j++)
            for (size_t k = 0; k < g->axes[2].n; k++, node += m) {
                const double w = weight[0][i] * weight[1][j] * weight[2][k];
                for (size_t c = 0; c < m; c++)
                    coef[c] += w * node[c];
            }
    return LB_OK;
}

lb_status lb_grid_slopes(const lb_grid *g, const double point[LB_GRID_AXES], double *coef,
                         double *slopes, lb_error *err)
{
    enum { X = LB_GRID_AXES };
    double weight[X][MOST_NODES], slope[X][MOST_NODES];
    const size_t m = lb_grid_coefficients(g);
    const lb_status st = point_weights(g, point, weight, err);
    if (st != LB_OK)
        return st;
    for (int i = 0; i < X; i++)
        slope_weights(&g->axes[i], point[i], slope[i]);
    memset(coef, 0, m * sizeof *coef);
    memset(slopes, 0, X * m * sizeof *slopes);
    const double *node = g->nodes;
    for (size_t i = 0; i < g->axes[0].n; i++)
        for (size_t j = 0; j < g->axes[1].n; j++)
            for (size_t k = 0; k < g->axes[2].n; k++, node += m) {
                const double w[1 + X] = {weight[0][i] * weight[1][j] * weight[2][k],
                                         slope[0][i] * weight[1][j] * weight[2][k],
                                         weight[0][i] * slope[1][j] * weight[2][k],
                                         weight[0][i] * weight[1][j] * slope[2][k]};
                if (w[0] == 0.0 && w[1] == 0.0 && w[2] == 0.0 && w[3] == 0.0)
                    continue; /* at a node, all but its neighbours along the axes */
                for (size_t c = 0; c < m; c++) {
                    coef[c] += w[0] * node[c];
                    slopes[c] += w[1] * node[c];
                    slopes[m + c] += w[2] * node[c];
                    slopes[2 * m + c] += w[3] * node[c];
                }
            }
    return LB_OK;
}

/* out[j] = mean[j] + sum_c coef[c] components[c][j] over one tile of pixels, the terms added in the
 * order of c, four to a pass; without a mean, from 0. */
static void combine(const double *restrict mean, const double *restrict components, size_t pixels,
                    const double *restrict coef, size_t m, size_t first, size_t n,
                    double *restrict out)
{
    size_t c = 0;
    if (mean)
        memcpy(out, mean + first, n * sizeof *out);
    else
        memset(out, 0, n * sizeof *out);
    for (; c + 4 <= m; c += 4) {
        const double a = coef[c], b = coef[c + 1], d = coef[c + 2], e = coef[c + 3];
        const double *row = components + c * pixels + first;
        for (size_t j = 0; j < n; j++)
            out[j] = (((out[j] + a * row[j]) + b * row[pixels + j]) + d * row[2 * pixels + j]) +
                     e * row[3 * pixels + j];
    }
    for (; c < m; c++) {
        const double a = coef[c], *row = components + c * pixels + first;
        for (size_t j = 0; j < n; j++)
            out[j] += a * row[j];
    }
}

enum { TILE = 512 }; /* pixels unpacked at a time */

void lb_grid_unpack(const lb_grid *g, const double *coef, double *norm, double *flux)
{
    double line[TILE], cont[TILE];
    for (size_t first = 0; first < g->pixels; first += TILE) {
        const size_t n = g->pixels - first < TILE ? g->pixels - first : TILE;
        combine(g->mean, g->components, g->pixels, coef, g->n_line, first, n, line);
        combine(g->cont_mean, g->cont_components, g->pixels, coef + g->n_line, g->n_cont, first, n,
                cont);
        for (size_t j = 0; j < n; j++)
            flux[first + j] = line[j] * lb_exp(cont[j]);
        if (norm)
            memcpy(norm + first, line, n * sizeof *line);
    }
}

void lb_grid_unpack_slopes(const lb_grid *g, const double *coef, const double *slopes, double *flux,
                           lb_mat dflux)
{
    double line[TILE], cont[TILE], dline[TILE], dcont[TILE];
    const size_t p = g->pixels, m = lb_grid_coefficients(g);
    for (size_t first = 0; first < p; first += TILE) {
        const size_t n = p - first < TILE ? p - first : TILE;
        combine(g->mean, g->components, p, coef, g->n_line, first, n, line);
        combine(g->cont_mean, g->cont_components, p, coef + g->n_line, g->n_cont, first, n, cont);
        for (size_t j = 0; j < n; j++) {
            cont[j] = lb_exp(cont[j]);
            flux[first + j] = line[j] * cont[j];
        }
        for (size_t a = 0; a < LB_GRID_AXES; a++) {
            const double *slope = slopes + a * m;
            double *out = dflux.data + a * dflux.stride + first;
            combine(NULL, g->components, p, slope, g->n_line, first, n, dline);
            combine(NULL, g->cont_components, p, slope + g->n_line, g->n_cont, first, n, dcont);
            for (size_t j = 0; j < n; j++)
                out[j] = (dline[j] + line[j] * dcont[j]) * cont[j];
        }
    }
}
