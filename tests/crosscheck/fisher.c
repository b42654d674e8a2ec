/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The information ceiling for fisher.py. The check averages 8 pixels into one, the benchmark takes
 * all of them. SLOPES is "spline" or "nodes" (differences), k the number of unknown parameters.
 *   teff ... cont_coef             the grid as its file has it, each array in a row
 *   magnitude, rebin
 *   points                         (n, 3) the nodes
 *   sample                         nodes whose spectra follow
 *   flux, error                    (samples, p) at magnitude 21.5
 *   slopes_SLOPES                  (samples, 3, p)
 *   between, slopes_between        points off the nodes, and their slopes
 *   information_SLOPES             (n, 3, 3) at exposure SNR 1
 *   snr                            (n, 2) norm ratio, median per pixel, likewise
 *   bounds_SLOPES_k                (n, 4) CRLB, sigma_min, decay, condition, likewise
 *   summary_SLOPES_k               (magnitudes, 20) see put_summary()
 *   critical                       critical SNR and cliff of the sweep by the spline, k = 3
 */
#include "core/memory.h"
#include "core/progress.h"
#include "crosscheck/witness.h"
#include "data/h5.h"
#include "study/ceiling.h"

#include <math.h>
#include <stdlib.h>

enum { MAGNITUDES = 6, SAMPLES = 7, BETWEEN = 4, COLUMNS = 20, REPEATS = 3 };
static const char grid_path[] = "data/grid/stellar_grid.h5", sky_path[] = "data/grid/sky_lines.tsv";
static const double magnitude[MAGNITUDES] = {18.0, 20.0, 21.5, 22.0, 22.5, 23.0};
static const size_t full[] = {1, 0, 2};
static const int sample[SAMPLES] = {0, 71, 290, 355, 396, 643, 719};
static const double between[BETWEEN][3] = {
    {5770, 4.44, 0.0}, {4433, 2.17, -0.7}, {3801, 1.1, 0.7}, {5999, 4.9, -2.4}};

static void put_grid(witness *w)
{
    static const char *const names[] = {"teff",     "logg",      "mh",
                                        "wave",     "mean",      "components",
                                        "coef",     "cont_mean", "cont_components",
                                        "cont_coef"};
    hid_t file = H5I_INVALID_HID;
    if (w->status == LB_OK)
        w->status = lb_h5_open(grid_path, &file, &w->err);
    for (size_t i = 0; i < sizeof names / sizeof *names && w->status == LB_OK; i++) {
        size_t n = 0;
        w->status = lb_h5_count(file, grid_path, names[i], &n, &w->err);
        double *x = lb_xcalloc(n, sizeof *x);
        if (w->status == LB_OK)
            w->status = lb_h5_read_doubles(file, grid_path, names[i], n, x, &w->err);
        witness_save(w, names[i], x, n, 0, 0);
        free(x);
    }
    if (file >= 0)
        H5Fclose(file);
}

/* Copies of the spectra of one way to take slopes. */
static void put_spectra(witness *w, const lb_ceiling *c, bool differences, const char *name)
{
    const size_t p = lb_ceiling_pixels(c);
    lb_ceiling_work *work = lb_ceiling_work_new(c);
    double *flux = lb_xcalloc(SAMPLES * p, sizeof *flux),
           *error = lb_xcalloc(SAMPLES * p, sizeof *error);
    double *slopes = lb_xcalloc(SAMPLES * 3 * p, sizeof *slopes);
    for (size_t i = 0; i < SAMPLES && w->status == LB_OK; i++) {
        double point[3];
        lb_seen seen = {0};
        lb_ceiling_node(c, (size_t)sample[i], point);
        w->status = differences
                        ? lb_ceiling_differences(c, (size_t)sample[i], 21.5, work, &seen, &w->err)
                        : lb_ceiling_at(c, point, 21.5, work, &seen, &w->err);
        for (size_t j = 0; j < p && w->status == LB_OK; j++) {
            flux[i * p + j] = seen.flux.data[j];
            error[i * p + j] = seen.error.data[j];
            for (size_t a = 0; a < 3; a++)
                slopes[(i * 3 + a) * p + j] = seen.slopes.data[a * seen.slopes.stride + j];
        }
    }
    witness_save(w, "flux", flux, SAMPLES, p, 0);
    witness_save(w, "error", error, SAMPLES, p, 0);
    witness_save(w, name, slopes, SAMPLES, 3, p);
    free(flux);
    free(error);
    free(slopes);
    lb_ceiling_work_free(work);
}

static void put_between(witness *w, const lb_ceiling *c)
{
    const size_t p = lb_ceiling_pixels(c);
    lb_ceiling_work *work = lb_ceiling_work_new(c);
    double *slopes = lb_xcalloc(BETWEEN * 3 * p, sizeof *slopes);
    for (size_t i = 0; i < BETWEEN && w->status == LB_OK; i++) {
        lb_seen seen = {0};
        w->status = lb_ceiling_at(c, between[i], 21.5, work, &seen, &w->err);
        for (size_t j = 0; j < 3 * p && w->status == LB_OK; j++)
            slopes[i * 3 * p + j] = seen.slopes.data[j];
    }
    witness_save(w, "between", &between[0][0], BETWEEN, 3, 0);
    witness_save(w, "slopes_between", slopes, BETWEEN, 3, p);
    free(slopes);
    lb_ceiling_work_free(work);
}

static void put_spread(const lb_spread *s, double out[3])
{
    out[0] = s->p10;
    out[1] = s->median;
    out[2] = s->p90;
}

static void put_summary(const lb_survey_row *r, double out[COLUMNS])
{
    const lb_bound_summary *b = &r->bounds;
    out[0] = r->snr_norm_ratio;
    out[1] = r->snr_median_pixel;
    put_spread(&b->r2, out + 2);
    out[5] = b->r2.mean;
    out[6] = b->r2.std;
    out[7] = b->r2_zero;
    out[8] = b->r2_dataset;
    put_spread(&b->crlb, out + 9);
    out[12] = b->crlb_decades;
    put_spread(&b->sigma_min, out + 13);
    put_spread(&b->decay, out + 16);
    out[19] = b->condition.median;
}

static void put_bounds(witness *w, const lb_survey *s, const char *kind, size_t k)
{
    lb_bound *b = lb_xcalloc(s->n, sizeof *b);
    double *rows = lb_xcalloc(4 * s->n, sizeof *rows), summary[MAGNITUDES][COLUMNS] = {{0}};
    lb_survey_row sweep[MAGNITUDES];
    if (w->status == LB_OK)
        w->status = lb_survey_bounds(s, full, k, (lb_cvec){NULL, 0}, b, &w->err);
    if (w->status == LB_OK)
        w->status = lb_survey_sweep(s, full, k, magnitude, MAGNITUDES, 1.0, sweep, &w->err);
    for (size_t i = 0; i < s->n && w->status == LB_OK; i++) {
        rows[4 * i] = b[i].crlb;
        rows[4 * i + 1] = b[i].sigma_min;
        rows[4 * i + 2] = b[i].decay;
        rows[4 * i + 3] = b[i].condition;
    }
    double snr[MAGNITUDES], median[MAGNITUDES];
    for (int m = 0; m < MAGNITUDES && w->status == LB_OK; m++) {
        put_summary(&sweep[m], summary[m]);
        snr[m] = sweep[m].snr_median_pixel;
        median[m] = sweep[m].bounds.r2.median;
    }
    char *name = lb_xprintf("bounds_%s_%zu", kind, k),
         *table = lb_xprintf("summary_%s_%zu", kind, k);
    witness_save(w, name, rows, s->n, 4, 0);
    witness_save(w, table, &summary[0][0], MAGNITUDES, COLUMNS, 0);
    lb_number critical = {0}, cliff = {0};
    if (w->status == LB_OK)
        w->status = lb_bound_critical_snr((lb_cvec){snr, MAGNITUDES}, (lb_cvec){median, MAGNITUDES},
                                          0.5, &critical, &cliff, &w->err);
    if (k == 3 && kind[0] == 's')
        witness_save(w, "critical", (const double[]){critical.value, cliff.value}, 2, 0, 0);
    free(name);
    free(table);
    free(rows);
    free(b);
}

static void put_survey(witness *w, const lb_survey *s, const char *kind)
{
    double *info = lb_xcalloc(9 * s->n, sizeof *info), *snr = lb_xcalloc(2 * s->n, sizeof *snr);
    for (size_t i = 0; i < s->n; i++) {
        for (size_t a = 0; a < 9; a++)
            info[9 * i + a] = s->information[i].value[a / 3][a % 3];
        snr[2 * i] = s->snr_norm_ratio[i];
        snr[2 * i + 1] = s->snr_median_pixel[i];
    }
    char *name = lb_xprintf("information_%s", kind);
    witness_save(w, name, info, s->n, 3, 3);
    witness_save(w, "snr", snr, s->n, 2, 0);
    witness_save(w, "points", s->points, s->n, 3, 0);
    for (size_t k = 1; k <= 3; k++)
        put_bounds(w, s, kind, k);
    free(name);
    free(snr);
    free(info);
}

/* From the loaded grid to the table of six magnitudes; the best of a few runs. */
static void run(witness *w, size_t rebin, bool differences, const char *kind)
{
    double best = INFINITY;
    for (int i = 0; i < (w->full ? REPEATS : 1) && w->status == LB_OK; i++) {
        lb_survey s = {0};
        lb_survey_row rows[MAGNITUDES];
        lb_ceiling *c = NULL;
        w->status = lb_ceiling_load(grid_path, sky_path, rebin, &c, &w->err);
        const double since = lb_clock();
        if (w->status == LB_OK && differences)
            w->status = lb_ceiling_tabulate(c, &w->err);
        if (w->status == LB_OK)
            w->status = lb_survey_nodes(c, differences, &s, &w->err);
        if (w->status == LB_OK)
            w->status = lb_survey_sweep(&s, full, 3, magnitude, MAGNITUDES, 1.0, rows, &w->err);
        best = fmin(best, lb_clock() - since);
        if (i == 0 && w->status == LB_OK)
            put_survey(w, &s, kind);
        lb_survey_free(&s);
        lb_ceiling_free(c);
    }
    witness_timed(w, kind, lb_clock() - best);
}

int main(int argc, char **argv)
{
    witness w = witness_begin(argc, argv);
    const size_t rebin = w.full ? 1 : 8;
    lb_ceiling *c = NULL;
    put_grid(&w);
    witness_save(&w, "magnitude", magnitude, MAGNITUDES, 0, 0);
    witness_save(&w, "rebin", (const double[]){(double)rebin}, 1, 0, 0);
    witness_save_ints(&w, "sample", sample, SAMPLES);
    if (w.status == LB_OK)
        w.status = lb_ceiling_load(grid_path, sky_path, rebin, &c, &w.err);
    if (w.status == LB_OK)
        w.status = lb_ceiling_tabulate(c, &w.err);
    if (w.status == LB_OK) {
        put_spectra(&w, c, true, "slopes_nodes");
        put_spectra(&w, c, false, "slopes_spline");
        put_between(&w, c);
    }
    lb_ceiling_free(c);
    run(&w, rebin, false, "spline");
    run(&w, rebin, true, "nodes");
    return witness_end(&w);
}
