/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/limit.h"

#include "core/memory.h"
#include "stats/quantile.h"
#include "study/routing.h"

#include <math.h>
#include <stdlib.h>

static const char *const grid_path = "data/grid/stellar_grid.h5";
static const char *const sky_path = "data/grid/sky_lines.tsv";
static const size_t logg_first[LB_GRID_AXES] = {1, 0, 2};

/* --- the stars ----------------------------------------------------------------------------------
 */

static bool in_box(const lb_grid *g, const double point[LB_GRID_AXES])
{
    for (int a = 0; a < LB_GRID_AXES; a++) {
        const lb_cvec axis = lb_grid_axis(g, a);
        if (!(point[a] >= axis.data[0] && point[a] <= axis.data[axis.n - 1]))
            return false;
    }
    return true;
}

/* Labels of the test stars inside the box, row by row, and which these are. */
static double *points_inside(const lb_cohort *c, const lb_grid *g, lb_limit *l)
{
    const double *logg = lb_spectra_label(c->test.spectra, "log_g").data;
    double *points = lb_xcalloc(LB_GRID_AXES * l->n, sizeof *points);
    for (size_t i = 0; i < l->n; i++) {
        double *p = points + LB_GRID_AXES * l->n_inside;
        p[0] = c->test.teff[i];
        p[1] = logg[c->test.rows[i]];
        p[2] = c->test.mh[i];
        l->inside[i] = in_box(g, p);
        l->n_inside += l->inside[i];
    }
    return points;
}

/* The survey of these stars, each at exposure SNR 1. */
static void survey(lb_study *s, size_t rebin, const double *points, size_t n, lb_survey *out)
{
    lb_ceiling *grid = NULL;
    if (lb_study_ok(s))
        lb_study_take(s, lb_ceiling_load(grid_path, sky_path, rebin, &grid, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_survey_points(grid, (lb_cmat){points, n, LB_GRID_AXES, LB_GRID_AXES},
                                          out, s->err));
    lb_ceiling_free(grid);
}

/* --- their limits -------------------------------------------------------------------------------
 */

/* Variance of log g that the spectrum leaves, when labels scatter by @p variance beforehand. */
static lb_status posterior(const lb_survey *s, size_t i, double snr, double *out, lb_error *err)
{
    lb_fisher known = s->information[i];
    lb_bound b = {0};
    for (size_t a = 0; a < LB_GRID_AXES; a++) {
        for (size_t j = 0; j < LB_GRID_AXES; j++)
            known.value[a][j] *= snr * snr;
        if (s->variance[a] > 0.0)
            known.value[a][a] += 1.0 / s->variance[a];
    }
    const lb_status st = lb_fisher_bound(&known, logg_first, LB_GRID_AXES, s->step, &b, err);
    *out = b.crlb;
    return st;
}

/* @p norm: measured |flux| / |error| of each test row at level 1. */
static lb_status limits(const lb_survey *own, const lb_survey *pixels, const double *norm,
                        lb_limit *l, lb_error *err)
{
    lb_status st = LB_OK;
    for (size_t i = 0, k = 0; i < l->n && st == LB_OK; i++) {
        l->posterior[i] = l->snr_pixel[i] = NAN;
        if (!l->inside[i])
            continue;
        const double exposure = norm[i] / own->snr_norm_ratio[k] / l->level;
        if (!(exposure > 0.0))
            return LB_FAIL(err, LB_EINVAL, "test row %zu has a signal to noise of %g", i, norm[i]);
        st = lb_fisher_bound(&own->information[k], logg_first, LB_GRID_AXES, own->step,
                             &l->unbiased[i], err);
        l->unbiased[i] = lb_bound_rescaled(l->unbiased[i], 1.0 / exposure);
        if (st == LB_OK)
            st = posterior(own, k, exposure, &l->posterior[i], err);
        l->snr_pixel[i] = pixels->snr_median_pixel[k++] * exposure;
    }
    return st;
}

/* Do flux and error of the rows follow the magnitudes they carry? */
static double mismatch(const lb_cohort *c, const lb_survey *own, const double *norm,
                       const lb_limit *l)
{
    const lb_cvec mag = lb_spectra_label(c->test.spectra, "mag");
    double worst = mag.data ? 0.0 : NAN;
    for (size_t i = 0, k = 0; mag.data && i < l->n; i++) {
        if (!l->inside[i])
            continue;
        const double expected =
            own->snr_norm_ratio[k++] * lb_ceiling_snr(mag.data[c->test.rows[i]]);
        worst = fmax(worst, fabs(norm[i] / expected - 1.0));
    }
    return worst;
}

/* |flux| / |error| of the test rows. */
static double *norms(lb_study *s, const lb_cohort *c)
{
    const size_t all = lb_spectra_rows(c->test.spectra);
    double *both = lb_xcalloc(2 * all, sizeof *both), *out = lb_xcalloc(c->test.n, sizeof *out);
    lb_study_take(
        s, lb_spectra_snr(c->test.spectra, (lb_vec){both, all}, (lb_vec){both + all, all}, s->err));
    for (size_t i = 0; i < c->test.n; i++)
        out[i] = both[c->test.rows[i]];
    free(both);
    return out;
}

void lb_limit_make(lb_study *s, const lb_cohort *c, double level, lb_limit *out)
{
    lb_ceiling *grid = NULL;
    lb_survey own = {0}, pixels = {0};
    *out = (lb_limit){0};
    if (lb_study_ok(s) && !(level > 0.0))
        lb_study_take(s, LB_FAIL(s->err, LB_EINVAL, "noise level %g, must be > 0", level));
    if (lb_study_ok(s))
        lb_study_take(s, lb_ceiling_load(grid_path, sky_path, 1, &grid, s->err));
    if (!lb_study_ok(s))
        return;
    const size_t n = c->test.n, p = lb_spectra_pixels(c->test.spectra);
    const size_t rebin = lb_ceiling_pixels(grid) % p == 0 ? lb_ceiling_pixels(grid) / p : 1;
    *out = (lb_limit){.n = n,
                      .level = level,
                      .snr_pixel = lb_xcalloc(n, sizeof(double)),
                      .unbiased = lb_xcalloc(n, sizeof(lb_bound)),
                      .posterior = lb_xcalloc(n, sizeof(double)),
                      .inside = lb_xcalloc(n, sizeof(bool))};
    double *points = points_inside(c, lb_ceiling_grid(grid), out), *norm = norms(s, c);
    lb_ceiling_free(grid);
    survey(s, rebin, points, out->n_inside, &own);
    if (rebin > 1)
        survey(s, 1, points, out->n_inside, &pixels);
    if (lb_study_ok(s)) {
        lb_study_take(s, limits(&own, rebin > 1 ? &pixels : &own, norm, out, s->err));
        out->snr_mismatch = mismatch(c, &own, norm, out);
    }
    lb_survey_free(&own);
    lb_survey_free(&pixels);
    free(points);
    free(norm);
    if (!lb_study_ok(s))
        lb_limit_free(out);
}

void lb_limit_free(lb_limit *l)
{
    free(l->snr_pixel);
    free(l->unbiased);
    free(l->posterior);
    free(l->inside);
    *l = (lb_limit){0};
}

/* --- some of them together ----------------------------------------------------------------------
 */

lb_rowset *lb_limit_stratum(const lb_cohort *c, const lb_limit *l, const char *name, double lo,
                            double hi)
{
    bool *keep = lb_xcalloc(l->n, sizeof *keep);
    for (size_t i = 0; i < l->n; i++)
        keep[i] = l->inside[i] && l->snr_pixel[i] > lo && l->snr_pixel[i] <= hi;
    lb_rowset *rows = lb_rowset_where(c->all, name, keep);
    free(keep);
    return rows;
}

void lb_limit_of(lb_study *s, const lb_cohort *c, const lb_limit *l, const lb_rowset *rows,
                 lb_limit_share *out)
{
    *out = (lb_limit_share){.n = lb_rowset_size(rows)};
    if (!lb_study_ok(s))
        return;
    size_t *at = lb_test_positions(c, rows);
    lb_bound *b = lb_xcalloc(out->n, sizeof *b);
    double *y = lb_xcalloc(2 * out->n, sizeof *y), *snr = y + out->n, left = 0.0;
    for (size_t i = 0; i < out->n; i++) {
        b[i] = l->unbiased[at[i]];
        y[i] = c->test.target[at[i]];
        snr[i] = l->snr_pixel[at[i]];
        left += l->posterior[at[i]] / (double)out->n;
    }
    const double std = lb_std(y, out->n, 0);
    out->variance = std * std;
    lb_study_take(s, lb_bounds_summarise(b, out->n, out->variance, &out->each, s->err));
    out->prior = 1.0 - left / out->variance;
    lb_sort(snr, out->n);
    out->snr_median = lb_quantile(snr, out->n, 0.5);
    free(at);
    free(b);
    free(y);
}
