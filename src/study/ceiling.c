/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/ceiling.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "stats/quantile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { X = LB_GRID_AXES };
static const char *const axis_names[X] = {"T_eff", "log g", "[M/H]"};

/* --- visiting the points -------------------------------------------------------------------------
 */

/* One point: its spectrum at exposure SNR 1, and what that tells. */
static lb_status visit(const lb_ceiling *c, bool differences, lb_survey *s, size_t i,
                       lb_ceiling_work *work, lb_error *err)
{
    const double magnitude = lb_ceiling_magnitude(1.0);
    lb_seen seen;
    lb_status st = differences ? lb_ceiling_differences(c, i, magnitude, work, &seen, err)
                               : lb_ceiling_at(c, s->points + X * i, magnitude, work, &seen, err);
    if (st == LB_OK)
        st = lb_fisher_information(seen.slopes, seen.error, &s->information[i], err);
    if (st != LB_OK) {
        lb_error_within(err, "point %zu", i);
        return st;
    }
    s->snr_norm_ratio[i] = seen.snr_norm_ratio;
    s->snr_median_pixel[i] = seen.snr_median_pixel;
    s->error_median[i] = seen.error_median;
    return LB_OK;
}

static lb_status visit_all(const lb_ceiling *c, bool differences, lb_survey *s, lb_error *err)
{
    lb_status st = LB_OK;
#pragma omp parallel if (s->n * lb_ceiling_pixels(c) >= LB_WORTH_THREADS)
    {
        lb_ceiling_work *work = lb_ceiling_work_new(c);
#pragma omp for schedule(dynamic, 8)
        for (size_t i = 0; i < s->n; i++) {
            lb_error own = {0};
            if (visit(c, differences, s, i, work, &own) != LB_OK)
#pragma omp critical
                st = LB_FAIL(err, own.status, "%s", own.text);
        }
        lb_ceiling_work_free(work);
    }
    return st;
}

/* Steps of the grid, and the variance of each parameter over the points. */
static lb_status measure(const lb_ceiling *c, lb_survey *s, lb_error *err)
{
    double *column = lb_xcalloc(s->n, sizeof *column);
    lb_status st = LB_OK;
    for (int a = 0; a < X && st == LB_OK; a++) {
        lb_axis_check axis = {0};
        st = lb_fisher_check_axis(axis_names[a], lb_grid_axis(lb_ceiling_grid(c), a), &axis, err);
        s->step[a] = axis.step;
        for (size_t i = 0; i < s->n; i++)
            column[i] = s->points[X * i + (size_t)a];
        const double std = lb_std(column, s->n, 0);
        s->variance[a] = std * std;
    }
    free(column);
    return st;
}

static lb_survey survey_of(size_t n)
{
    return (lb_survey){.n = n,
                       .points = lb_xcalloc(X * n, sizeof(double)),
                       .information = lb_xcalloc(n, sizeof(lb_fisher)),
                       .snr_norm_ratio = lb_xcalloc(n, sizeof(double)),
                       .snr_median_pixel = lb_xcalloc(n, sizeof(double)),
                       .error_median = lb_xcalloc(n, sizeof(double))};
}

lb_status lb_survey_nodes(const lb_ceiling *c, bool differences, lb_survey *out, lb_error *err)
{
    *out = survey_of(lb_ceiling_nodes(c));
    for (size_t i = 0; i < out->n; i++)
        lb_ceiling_node(c, i, out->points + X * i);
    const lb_status st = measure(c, out, err);
    return st == LB_OK ? visit_all(c, differences, out, err) : st;
}

lb_status lb_survey_points(const lb_ceiling *c, lb_cmat points, lb_survey *out, lb_error *err)
{
    *out = (lb_survey){0};
    if (points.cols != X)
        return LB_FAIL(err, LB_ESHAPE, "points have %zu labels, not %d", points.cols, X);
    if (points.rows == 0)
        return LB_FAIL(err, LB_EINVAL, "a survey of no points");
    *out = survey_of(points.rows);
    for (size_t i = 0; i < out->n; i++)
        memcpy(out->points + X * i, points.data + i * points.stride, X * sizeof(double));
    const lb_status st = measure(c, out, err);
    return st == LB_OK ? visit_all(c, false, out, err) : st;
}

void lb_survey_free(lb_survey *s)
{
    free(s->points);
    free(s->information);
    free(s->snr_norm_ratio);
    free(s->snr_median_pixel);
    free(s->error_median);
    *s = (lb_survey){0};
}

/* --- bounds --------------------------------------------------------------------------------------
 */

lb_status lb_survey_bounds(const lb_survey *s, const size_t *params, size_t n_params, lb_cvec snr,
                           lb_bound *out, lb_error *err)
{
    lb_status st = LB_OK;
    if (snr.data && snr.n != s->n)
        return LB_FAIL(err, LB_ESHAPE, "%zu points, %zu signal-to-noise ratios", s->n, snr.n);
    for (size_t i = 0; i < s->n && st == LB_OK; i++) {
        if (snr.data && !(snr.data[i] > 0.0 && isfinite(snr.data[i])))
            return LB_FAIL(err, LB_EINVAL, "SNR of point %zu is %g, must be > 0", i, snr.data[i]);
        st = lb_fisher_bound(&s->information[i], params, n_params, s->step, &out[i], err);
        if (st == LB_OK && snr.data)
            out[i] = lb_bound_rescaled(out[i], 1.0 / snr.data[i]);
    }
    return st;
}

static double median_of(const double *x, size_t n, double *scratch)
{
    memcpy(scratch, x, n * sizeof *x);
    lb_sort(scratch, n);
    return lb_quantile(scratch, n, 0.5);
}

lb_status lb_survey_sweep(const lb_survey *s, const size_t *params, size_t n_params,
                          const double *magnitude, size_t n_magnitudes, double level,
                          lb_survey_row *rows, lb_error *err)
{
    if (!(level > 0.0 && isfinite(level)))
        return LB_FAIL(err, LB_EINVAL, "noise level %g, must be > 0", level);
    lb_bound *at_one = lb_xcalloc(s->n, sizeof *at_one), *b = lb_xcalloc(s->n, sizeof *b);
    double *scratch = lb_xcalloc(s->n, sizeof *scratch);
    lb_status st = lb_survey_bounds(s, params, n_params, (lb_cvec){NULL, 0}, at_one, err);
    const double norm_ratio = median_of(s->snr_norm_ratio, s->n, scratch);
    const double median_pixel = median_of(s->snr_median_pixel, s->n, scratch);
    const double error = median_of(s->error_median, s->n, scratch);
    for (size_t m = 0; m < n_magnitudes && st == LB_OK; m++) {
        const double snr = lb_ceiling_snr(magnitude[m]) / level;
        lb_survey_row row = {.magnitude = magnitude[m],
                             .level = level,
                             .snr_exposure = snr,
                             .snr_norm_ratio = norm_ratio * snr,
                             .snr_median_pixel = median_pixel * snr,
                             .error_median = error / snr};
        if (!(magnitude[m] >= -100.0 && magnitude[m] <= 100.0)) {
            st = LB_FAIL(err, LB_EINVAL, "magnitude %g, must be within -100 and 100", magnitude[m]);
            break;
        }
        for (size_t i = 0; i < s->n; i++)
            b[i] = lb_bound_rescaled(at_one[i], 1.0 / snr);
        st = lb_bounds_summarise(b, s->n, s->variance[params[0]], &row.bounds, err);
        rows[m] = row;
    }
    free(at_one);
    free(b);
    free(scratch);
    return st;
}

/* --- maps ----------------------------------------------------------------------------------------
 */

lb_status lb_ceiling_map(const lb_ceiling *c, lb_cvec values, const bool keep[X], lb_vec out,
                         lb_error *err)
{
    const size_t n = lb_ceiling_nodes(c);
    size_t count[X], shown = 1;
    for (int a = 0; a < X; a++) {
        count[a] = lb_grid_axis(lb_ceiling_grid(c), a).n;
        shown *= keep[a] ? count[a] : 1;
    }
    if (values.n != n || out.n != shown)
        return LB_FAIL(err, LB_ESHAPE,
                       "a map of %zu values into %zu cells; the grid has %zu nodes "
                       "and this map %zu cells",
                       values.n, out.n, n, shown);
    double *cells = lb_xcalloc(n, sizeof *cells); /* shown x n / shown */
    size_t *filled = lb_xcalloc(shown, sizeof *filled);
    for (size_t i = 0; i < n; i++) {
        const size_t at[X] = {i / (count[1] * count[2]), i / count[2] % count[1], i % count[2]};
        size_t cell = 0;
        for (int a = 0; a < X; a++)
            if (keep[a])
                cell = cell * count[a] + at[a];
        cells[cell * (n / shown) + filled[cell]++] = values.data[i];
    }
    for (size_t i = 0; i < shown; i++) {
        lb_sort(cells + i * (n / shown), n / shown);
        out.data[i] = lb_quantile(cells + i * (n / shown), n / shown, 0.5);
    }
    free(cells);
    free(filled);
    return LB_OK;
}
