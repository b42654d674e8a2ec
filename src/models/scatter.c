/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/scatter.h"

#include "core/cpu.h"
#include "core/memory.h"

#include <math.h>
#include <stdlib.h>

enum { READ = 512, MOST = 12 };

/* Median of |N(0, 1)|. */
#define MEDIAN_ABS_NORMAL 0.6744897501960817

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* C(order, k) with alternating sign. */
static void difference(int order, double c[MOST + 1])
{
    c[0] = 1.0;
    for (int k = 1; k <= order; k++)
        c[k] = -c[k - 1] * (double)(order - k + 1) / (double)k;
}

/* The estimate for one spectrum; NAN without a usable pixel, infinite where x is not finite. */
static double scatter_of_row(const float *x, const float *e, size_t p, const double *c, int order,
                             double *room)
{
    size_t n = 0;
    for (size_t j = 0; j + (size_t)order < p; j++) {
        double d = 0.0, variance = 0.0;
        for (int k = 0; k <= order; k++) {
            const double error = e[j + (size_t)k], part = c[k] * error;
            d += c[k] * x[j + (size_t)k];
            variance += error > 0.0 && isfinite(error) ? part * part : NAN;
        }
        if (!isfinite(d))
            return INFINITY;
        if (variance > 0.0)
            room[n++] = fabs(d) / sqrt(variance);
    }
    if (!n)
        return NAN;
    qsort(room, n, sizeof *room, by_value);
    return (room[(n - 1) / 2] + room[n / 2]) / 2.0 / MEDIAN_ABS_NORMAL;
}

static lb_status check(const lb_stream *x, const lb_stream *error, int order, lb_vec out,
                       lb_error *err)
{
    if (order < 2 || order > MOST || order % 2)
        return LB_FAIL(err, LB_EINVAL, "differences of order %d, must be 2, 4 ... %d", order,
                       (int)MOST);
    if (x->rows != error->rows || x->cols != error->cols || out.n != x->rows ||
        x->cols <= (size_t)order)
        return LB_FAIL(err, LB_ESHAPE,
                       "spectra %zux%zu, errors %zux%zu, %zu estimates, differences of order %d",
                       x->rows, x->cols, error->rows, error->cols, out.n, order);
    return LB_OK;
}

lb_status lb_scatter(const lb_stream *x, const lb_stream *error, int order, lb_vec out,
                     lb_error *err)
{
    double c[MOST + 1];
    lb_status st = check(x, error, order, out, err);
    if (st != LB_OK)
        return st;
    difference(order, c);
    const size_t p = x->cols;
    float *block = lb_xaligned(2 * READ * p, sizeof *block), *errors = block + READ * p;
    for (size_t first = 0; first < x->rows && st == LB_OK; first += READ) {
        const size_t n = x->rows - first < READ ? x->rows - first : READ;
        if ((st = x->read(x->self, first, (lb_matf){block, n, p, p}, err)) != LB_OK ||
            (st = error->read(error->self, first, (lb_matf){errors, n, p, p}, err)) != LB_OK)
            break;
#pragma omp parallel if (n * p * (size_t)order >= LB_WORTH_THREADS)
        {
            double *room = lb_xcalloc(p, sizeof *room);
#pragma omp for schedule(dynamic, 8)
            for (size_t i = 0; i < n; i++)
                out.data[first + i] =
                    scatter_of_row(block + i * p, errors + i * p, p, c, order, room);
            free(room);
        }
        for (size_t i = first; i < first + n && st == LB_OK; i++)
            if (!isfinite(out.data[i]))
                st = LB_FAIL(err, LB_ENUMERIC, "row %zu has %s", i,
                             isnan(out.data[i]) ? "no pixel with a usable error"
                                                : "a flux that is NaN or infinite");
    }
    free(block);
    return st;
}
