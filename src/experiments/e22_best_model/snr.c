/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signal to noise in E22 as any user would know it: from each noisy spectrum and its errors. The
 * protocol is in e22_best_model.c. */
#include "experiments/e22_best_model/e22.h"

#include "core/memory.h"
#include "stats/quantile.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Median over the pixels of noisy flux over the error of that noise, pixels without an error left
 * out; both belong to every spectrum that is delivered. */
static double median_ratio(const float *flux, const float *error, double noise, float *room,
                           size_t p)
{
    size_t n = 0;
    for (size_t j = 0; j < p; j++)
        if (error[j] > 0.0f)
            room[n++] = flux[j] / error[j];
    if (!n)
        return 0.0;
    qsort(room, n, sizeof *room, by_value);
    return 0.5 * ((double)room[(n - 1) / 2] + (double)room[n / 2]) / noise;
}

/* region: snr */
/* Signal to noise of some rows from the noisy spectra themselves, per pixel of the resolution that
 * the classes are made for. */
static void estimate_snr(lb_study *s, const lb_stream *x, const lb_stream *error, double noise,
                         double *snr)
{
    enum { BLOCK = 256 };
    const size_t p = x->cols;
    const double scale = sqrt((double)p / lb_spec_number(s->spec, "settings.snr.pixels"));
    float *flux = lb_xcalloc((2 * BLOCK + 1) * p, sizeof *flux);
    float *sigma = flux + BLOCK * p, *room = sigma + BLOCK * p;
    for (size_t first = 0; first < x->rows && lb_study_ok(s); first += BLOCK) {
        const size_t n = x->rows - first < BLOCK ? x->rows - first : BLOCK;
        lb_study_take(s, x->read(x->self, first, (lb_matf){flux, n, p, p}, s->err));
        if (lb_study_ok(s))
            lb_study_take(s, error->read(error->self, first, (lb_matf){sigma, n, p, p}, s->err));
        for (size_t i = 0; i < n; i++)
            snr[first + i] = scale * median_ratio(flux + i * p, sigma + i * p, noise, room, p);
    }
    free(flux);
}
/* end region */

/* A class holds its upper edge; spectra without noise have a class of their own, the last. */
void classify_snr(lb_study *s, const result *r, level *l)
{
    size_t n_edges;
    const double *edge = lb_spec_numbers(s->spec, "settings.snr.edges", &n_edges);
    lb_cohort_errors errors;
    lb_cohort_errors_of(&s->data, &errors);
    l->snr = lb_xcalloc(l->known.rows, sizeof *l->snr);
    l->classed = lb_xcalloc(l->known.rows, sizeof *l->classed);
    if (l->noise > 0.0) {
        estimate_snr(s, &l->seen.val.x, &errors.val, l->noise, l->snr);
        estimate_snr(s, &l->seen.test, &errors.test, l->noise, l->snr + r->n_val);
    }
    for (size_t i = 0; i < l->known.rows; i++) {
        l->classed[i] = l->noise > 0.0 ? 0 : (int)r->n_classes - 1;
        for (size_t e = 0; e < n_edges && l->noise > 0.0; e++)
            l->classed[i] += l->snr[i] > edge[e];
    }
}

/* How far the estimates are from what the spectra without noise have. */
void check_snr(lb_study *s, const result *r)
{
    const level *l = &r->at[r->reference];
    const double scale =
        sqrt((double)l->known.cols / lb_spec_number(s->spec, "settings.snr.pixels"));
    lb_cohort_snr truth = {0};
    double *off = lb_xcalloc(r->n_test, sizeof *off);
    if (lb_study_ok(s))
        lb_study_take(s, lb_cohort_snr_of(&s->data, &truth, s->err));
    for (size_t i = 0; i < r->n_test && lb_study_ok(s); i++)
        off[i] =
            100.0 * fabs(l->snr[r->n_val + i] * l->noise / (scale * truth.pixel_test[i]) - 1.0);
    lb_sort(off, r->n_test);
    lb_number x = lb_number_plain(lb_quantile(off, r->n_test, 0.5), "percent", "%");
    x.digits = 1;
    x.n = r->n_test;
    lb_study_put(s, x, "snr.off_median");
    x.value = lb_quantile(off, r->n_test, 0.95);
    lb_study_put(s, x, "snr.off_p95");
    lb_cohort_snr_free(&truth);
    free(off);
}
