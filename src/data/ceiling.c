/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/ceiling.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "data/elementary.h"
#include "data/simulate.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { X = LB_GRID_AXES };

struct lb_ceiling {
    lb_grid *grid;
    size_t native, rebin, pixels; /* pixels = native / rebin */
    double *noise;                /* pixels: sqrt(sky), averaged like an error */
    double noise_norm, noise_norm_native, noise_median;
    double *table, *power; /* of all nodes: flux (nodes x pixels), |flux|^2 before averaging */
};

struct lb_ceiling_work {
    double *coef, *slope_coef;      /* m, X x m */
    double *native, *native_slopes; /* p, X x p of the grid */
    double *flux, *slopes, *error;  /* after averaging */
    double *sorted;                 /* p of the grid */
};

/* --- set up --------------------------------------------------------------------------------------
 */

static double median_of(const double *x, size_t n, double *scratch)
{
    memcpy(scratch, x, n * sizeof *x);
    return gsl_stats_median(scratch, 1, n);
}

static double square_sum(const double *x, size_t n)
{
    double sum = 0.0;
    for (size_t j = 0; j < n; j++)
        sum += x[j] * x[j];
    return sum;
}

/* sqrt(sky) at each pixel; a mean of r independent pixels has the error sqrt(sum e^2) / r. */
static lb_status prepare_noise(lb_ceiling *c, const char *sky_path, lb_error *err)
{
    double *sky = lb_xcalloc(c->native, sizeof *sky);
    c->noise = lb_xaligned(c->pixels, sizeof *c->noise);
    const lb_status st = lb_simulate_sky(sky_path, lb_grid_wave(c->grid), sky, err);
    double all = 0.0;
    for (size_t j = 0; j < c->pixels && st == LB_OK; j++) {
        double sum = 0.0;
        for (size_t i = j * c->rebin; i < (j + 1) * c->rebin; i++)
            sum += sky[i];
        c->noise[j] = sqrt(sum) / (double)c->rebin;
        all += sum;
    }
    if (st == LB_OK) {
        c->noise_norm_native = sqrt(all);
        c->noise_norm = sqrt(square_sum(c->noise, c->pixels));
        c->noise_median = median_of(c->noise, c->pixels, sky);
    }
    free(sky);
    return st;
}

lb_status lb_ceiling_load(const char *grid_path, const char *sky_path, size_t rebin,
                          lb_ceiling **out, lb_error *err)
{
    *out = NULL;
    if (rebin == 0)
        return LB_FAIL(err, LB_EINVAL, "pixels cannot be averaged by 0");
    lb_ceiling *c = lb_xcalloc(1, sizeof *c);
    lb_status st = lb_grid_load(grid_path, &c->grid, err);
    if (st != LB_OK)
        goto done;
    c->native = lb_grid_pixels(c->grid);
    c->rebin = rebin;
    c->pixels = c->native / rebin;
    if (c->native % rebin) {
        st = LB_FAIL(err, LB_ESHAPE, "%zu pixels of %s cannot be averaged by %zu", c->native,
                     grid_path, rebin);
        goto done;
    }
    if ((st = prepare_noise(c, sky_path, err)) != LB_OK)
        goto done;
    *out = c;
    c = NULL; /* the caller owns it now */
done:
    lb_ceiling_free(c);
    return st;
}

void lb_ceiling_free(lb_ceiling *c)
{
    if (!c)
        return;
    lb_grid_free(c->grid);
    free(c->noise);
    free(c->table);
    free(c->power);
    free(c);
}

const lb_grid *lb_ceiling_grid(const lb_ceiling *c)
{
    return c->grid;
}

size_t lb_ceiling_pixels(const lb_ceiling *c)
{
    return c->pixels;
}

size_t lb_ceiling_nodes(const lb_ceiling *c)
{
    size_t n = 1;
    for (int a = 0; a < X; a++)
        n *= lb_grid_axis(c->grid, a).n;
    return n;
}

/* Position of a node on each axis. */
static void indices(const lb_ceiling *c, size_t node, size_t at[X])
{
    for (int a = X - 1; a >= 0; a--) {
        at[a] = node % lb_grid_axis(c->grid, a).n;
        node /= lb_grid_axis(c->grid, a).n;
    }
}

void lb_ceiling_node(const lb_ceiling *c, size_t node, double point[X])
{
    size_t at[X];
    indices(c, node, at);
    for (int a = 0; a < X; a++)
        point[a] = lb_grid_axis(c->grid, a).data[at[a]];
}

double lb_ceiling_snr(double magnitude)
{
    return 8.8 * lb_power_of_ten(-0.48 * (magnitude - 20.5));
}

double lb_ceiling_magnitude(double snr)
{
    return 20.5 - log10(snr / 8.8) / 0.48;
}

lb_ceiling_work *lb_ceiling_work_new(const lb_ceiling *c)
{
    const size_t m = lb_grid_coefficients(c->grid);
    lb_ceiling_work *w = lb_xcalloc(1, sizeof *w);
    w->coef = lb_xcalloc(m, sizeof *w->coef);
    w->slope_coef = lb_xcalloc(X * m, sizeof *w->slope_coef);
    w->native = lb_xaligned(c->native, sizeof *w->native);
    w->native_slopes = lb_xaligned(X * c->native, sizeof *w->native_slopes);
    w->flux = lb_xaligned(c->pixels, sizeof *w->flux);
    w->slopes = lb_xaligned(X * c->pixels, sizeof *w->slopes);
    w->error = lb_xaligned(c->pixels, sizeof *w->error);
    w->sorted = lb_xaligned(c->native, sizeof *w->sorted);
    return w;
}

void lb_ceiling_work_free(lb_ceiling_work *w)
{
    if (!w)
        return;
    free(w->coef);
    free(w->slope_coef);
    free(w->native);
    free(w->native_slopes);
    free(w->flux);
    free(w->slopes);
    free(w->error);
    free(w->sorted);
    free(w);
}

/* --- one spectrum --------------------------------------------------------------------------------
 */

static void average(const double *x, size_t pixels, size_t r, double *out)
{
    for (size_t j = 0; j < pixels; j++) {
        double sum = 0.0;
        for (size_t i = j * r; i < (j + 1) * r; i++)
            sum += x[i];
        out[j] = sum / (double)r;
    }
}

/* The pixels at which the median sits, one twice if their number is odd; and the median. */
static double median_pixels(const double *flux, size_t p, double *scratch, size_t at[2])
{
    const size_t k[2] = {(p - 1) / 2, p / 2};
    double value[2];
    memcpy(scratch, flux, p * sizeof *flux);
    for (int i = 0; i < 2; i++) {
        value[i] = gsl_stats_select(scratch, 1, p, k[i]);
        at[i] = 0;
        while (at[i] + 1 < p && flux[at[i]] != value[i])
            at[i]++;
    }
    return (value[0] + value[1]) / 2.0;
}

static lb_status check_median(double median, const double point[X], lb_error *err)
{
    if (median > 0.0 && isfinite(median))
        return LB_OK;
    return LB_FAIL(err, LB_ENUMERIC,
                   "the spectrum at T_eff %g, log g %g, [M/H] %g has median flux %g", point[0],
                   point[1], point[2], median);
}

/* Divide by the median, flux first, then its slopes if there are any; returns |flux|^2. */
static double normalise(size_t p, double median, const size_t at[2], double *flux, double *slopes)
{
    double power = 0.0;
    for (size_t j = 0; j < p; j++) {
        flux[j] = fmax(0.0, flux[j] / median);
        power += flux[j] * flux[j];
    }
    for (size_t a = 0; a < X && slopes; a++) {
        double *row = slopes + a * p;
        const double dm = (row[at[0]] + row[at[1]]) / 2.0;
        for (size_t j = 0; j < p; j++)
            row[j] = flux[j] > 0.0 ? (row[j] - flux[j] * dm) / median : 0.0;
    }
    return power;
}

/* Error and signal to noise of a flux whose norm before averaging is sqrt(power). */
static void finish(const lb_ceiling *c, double power, double magnitude, lb_ceiling_work *w,
                   lb_seen *out)
{
    const size_t p = c->pixels;
    const double scale = sqrt(power) / (lb_ceiling_snr(magnitude) * c->noise_norm_native);
    for (size_t j = 0; j < p; j++) {
        w->error[j] = scale * c->noise[j];
        w->sorted[j] = w->flux[j] / w->error[j];
    }
    *out = (lb_seen){.flux = {w->flux, p},
                     .error = {w->error, p},
                     .slopes = {w->slopes, X, p, p},
                     .snr_norm_ratio = sqrt(square_sum(w->flux, p)) / (scale * c->noise_norm),
                     .snr_median_pixel = gsl_stats_median(w->sorted, 1, p),
                     .error_median = scale * c->noise_median};
}

static lb_status check_magnitude(double magnitude, lb_error *err)
{
    if (magnitude >= -100.0 && magnitude <= 100.0)
        return LB_OK;
    return LB_FAIL(err, LB_EINVAL, "magnitude %g, must be within -100 and 100", magnitude);
}

lb_status lb_ceiling_at(const lb_ceiling *c, const double point[X], double magnitude,
                        lb_ceiling_work *w, lb_seen *out, lb_error *err)
{
    const size_t p = c->native;
    size_t at[2];
    lb_status st = check_magnitude(magnitude, err);
    if (st == LB_OK)
        st = lb_grid_slopes(c->grid, point, w->coef, w->slope_coef, err);
    if (st != LB_OK)
        return st;
    lb_grid_unpack_slopes(c->grid, w->coef, w->slope_coef, w->native,
                          lb_mat_of(w->native_slopes, X, p));
    const double median = median_pixels(w->native, p, w->sorted, at);
    if ((st = check_median(median, point, err)) != LB_OK)
        return st;
    const double power = normalise(p, median, at, w->native, w->native_slopes);
    average(w->native, c->pixels, c->rebin, w->flux);
    for (size_t a = 0; a < X; a++)
        average(w->native_slopes + a * p, c->pixels, c->rebin, w->slopes + a * c->pixels);
    finish(c, power, magnitude, w, out);
    return LB_OK;
}

/* --- differences ---------------------------------------------------------------------------------
 */

static lb_status tabulate_node(lb_ceiling *c, size_t node, lb_ceiling_work *w, lb_error *err)
{
    double point[X];
    lb_ceiling_node(c, node, point);
    lb_status st = lb_grid_at(c->grid, point, w->coef, err);
    if (st != LB_OK)
        return st;
    lb_grid_unpack(c->grid, w->coef, NULL, w->native);
    const double median = median_of(w->native, c->native, w->sorted);
    if ((st = check_median(median, point, err)) != LB_OK)
        return st;
    c->power[node] = normalise(c->native, median, NULL, w->native, NULL);
    average(w->native, c->pixels, c->rebin, c->table + node * c->pixels);
    return LB_OK;
}

lb_status lb_ceiling_tabulate(lb_ceiling *c, lb_error *err)
{
    const size_t n = lb_ceiling_nodes(c);
    lb_status st = LB_OK;
    if (c->table)
        return LB_OK;
    c->table = lb_xaligned(n * c->pixels, sizeof *c->table);
    c->power = lb_xcalloc(n, sizeof *c->power);
#pragma omp parallel if (n * c->pixels >= LB_WORTH_THREADS)
    {
        lb_ceiling_work *w = lb_ceiling_work_new(c);
#pragma omp for schedule(static)
        for (size_t i = 0; i < n; i++) {
            lb_error own = {0};
            if (tabulate_node(c, i, w, &own) != LB_OK)
#pragma omp critical
                st = LB_FAIL(err, own.status, "%s", own.text);
        }
        lb_ceiling_work_free(w);
    }
    if (st != LB_OK) {
        free(c->table);
        free(c->power);
        c->table = c->power = NULL;
    }
    return st;
}

/* Weights of the values at x[0..2] in the slope at t of the parabola through them. */
static void parabola_slope(const double *x, double t, double w[3])
{
    for (int i = 0; i < 3; i++) {
        const double a = x[(i + 1) % 3], b = x[(i + 2) % 3];
        w[i] = (2.0 * t - a - b) / ((x[i] - a) * (x[i] - b));
    }
}

lb_status lb_ceiling_differences(const lb_ceiling *c, size_t node, double magnitude,
                                 lb_ceiling_work *w, lb_seen *out, lb_error *err)
{
    const size_t p = c->pixels, n = lb_ceiling_nodes(c);
    size_t at[X], stride = n;
    const lb_status st = check_magnitude(magnitude, err);
    if (st != LB_OK)
        return st;
    if (node >= n)
        return LB_FAIL(err, LB_EINVAL, "no node %zu, the grid has %zu", node, n);
    if (!c->table)
        return LB_FAIL(err, LB_EINVAL,
                       "differences need the table of all nodes; call "
                       "lb_ceiling_tabulate() first");
    indices(c, node, at);
    for (size_t a = 0; a < X; a++) {
        const lb_cvec axis = lb_grid_axis(c->grid, (int)a);
        const size_t last = axis.n - 3, before = at[a] ? at[a] - 1 : 0;
        const size_t first = before < last ? before : last; /* of the three nodes */
        double weight[3];
        parabola_slope(axis.data + first, axis.data[at[a]], weight);
        stride /= axis.n;
        const double *low = c->table + (node + first * stride - at[a] * stride) * p;
        const double *mid = low + stride * p, *high = mid + stride * p;
        double *slope = w->slopes + a * p;
        for (size_t j = 0; j < p; j++)
            slope[j] = weight[0] * low[j] + weight[1] * mid[j] + weight[2] * high[j];
    }
    memcpy(w->flux, c->table + node * p, p * sizeof *w->flux);
    finish(c, c->power[node], magnitude, w, out);
    return LB_OK;
}
