/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Line features, error features and scatter of made-up noisy spectra, for
 * tests/crosscheck/features.py. */
#include "core/memory.h"
#include "core/progress.h"
#include "core/random.h"
#include "crosscheck/witness.h"
#include "models/quality.h"
#include "models/scatter.h"
#include "models/windows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS = 5 };

typedef struct spectra {
    size_t n, p;
    double *wave;
    float *flux, *error;
} spectra;

/* A continuum near 1, twelve lines, noise whose size varies with wavelength; one row has no
 * continuum at all. */
static spectra make(size_t n, size_t p)
{
    static const double lines[] = {8185.5, 8197.1, 8500.4, 8544.4, 8664.5, 8809.2};
    spectra s = {n, p, lb_xcalloc(p, sizeof(double)), lb_xcalloc(n * p, sizeof(float)),
                 lb_xcalloc(n * p, sizeof(float))};
    for (size_t j = 0; j < p; j++)
        s.wave[j] = 7100.2 + (8849.8 - 7100.2) * (double)j / (double)(p - 1);
    lb_rng r = lb_rng_make(11, 4);
    for (size_t i = 0; i < n; i++) {
        const double level = i == 1 ? 0.0 : 0.5 + lb_rng_uniform(&r), deep = lb_rng_uniform(&r);
        const double faint = 0.02 + 0.1 * lb_rng_uniform(&r);
        for (size_t j = 0; j < p; j++) {
            double f = level, e = faint * (1.0 + 0.5 * sin(0.01 * (double)j));
            for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
                const double d = (s.wave[j] - lines[k]) / 3.0;
                if (fabs(d) < 6.0)
                    f -= level * deep * 0.7 * exp(-d * d);
            }
            if (j % 97 == 13)
                e *= 5.0; /* sky lines */
            f += (double)(i != 1) * e * (lb_rng_uniform(&r) - 0.5);
            s.flux[i * p + j] = (float)f;
            s.error[i * p + j] = (float)(e * (0.9 + 0.2 * lb_rng_uniform(&r)));
        }
    }
    return s;
}

static lb_cmatf view(const spectra *s, const float *data)
{
    return (lb_cmatf){data, s->n, s->p, s->p};
}

static void windows(witness *w, const spectra *s, const lb_window_set *set, const char *name,
                    const char *task, lb_window_options how)
{
    double *out = lb_xcalloc(s->n * set->n_features, sizeof *out);
    size_t n_bad = 0;
    double best = INFINITY;
    for (int k = 0; k < REPEATS && w->status == LB_OK; k++) {
        const double since = lb_clock();
        w->status =
            lb_windows_features(set, how, (lb_cvec){s->wave, s->p}, "vacuum", view(s, s->flux),
                                lb_mat_of(out, s->n, set->n_features), NULL, &n_bad, &w->err);
        best = fmin(best, lb_clock() - since);
    }
    if (task)
        witness_timed(w, task, lb_clock() - best);
    witness_save(w, name, out, s->n, set->n_features, 0);
    free(out);
}

static void save_windows(witness *w, const lb_window_set *set, const char *name)
{
    double *edges = lb_xcalloc(set->n_windows * 6, sizeof *edges);
    for (size_t k = 0; k < set->n_windows; k++) {
        const lb_window *v = &set->windows[k];
        const double row[] = {v->lo, v->hi, v->left_lo, v->left_hi, v->right_lo, v->right_hi};
        for (size_t j = 0; j < 6; j++)
            edges[k * 6 + j] = row[j];
    }
    witness_save(w, name, edges, set->n_windows, 6, 0);
    free(edges);
}

static void quality(witness *w, const spectra *s)
{
    double *ten = lb_xcalloc(s->n * LB_QUALITY_FEATURES, sizeof *ten);
    double *q = lb_xcalloc(s->n * 21, sizeof *q), *norm = lb_xcalloc(s->n, sizeof *norm);
    double *mean = lb_xcalloc(s->p, sizeof *mean), *shape = lb_xcalloc(s->n * 2, sizeof *shape);
    float *relative = lb_xcalloc(s->n * s->p, sizeof *relative);
    const lb_cmatf error = view(s, s->error), flux = view(s, s->flux);
    const lb_matf map = {relative, s->n, s->p, s->p};
    size_t count = 0;
    double best = INFINITY;
    for (int k = 0; k < REPEATS && w->status == LB_OK; k++) {
        const double since = lb_clock();
        w->status =
            lb_quality_features(error, lb_mat_of(ten, s->n, LB_QUALITY_FEATURES), &count, &w->err);
        best = fmin(best, lb_clock() - since);
    }
    witness_timed(w, "quality features", lb_clock() - best);
    if (w->status == LB_OK)
        w->status = lb_quality_quantiles(error, lb_mat_of(q, s->n, 21), &count, &w->err);
    if (w->status == LB_OK)
        w->status = lb_quality_norms(error, (lb_vec){norm, s->n}, &count, &w->err);
    if (w->status == LB_OK)
        w->status = lb_quality_add(error, (lb_vec){mean, s->p}, &count, &w->err);
    for (size_t j = 0; j < s->p; j++)
        mean[j] /= (double)s->n;
    if (w->status == LB_OK)
        w->status = lb_quality_shape(error, (lb_cvec){mean, s->p}, lb_mat_of(shape, s->n, 2),
                                     &count, &w->err);
    witness_save(w, "ten", ten, s->n, LB_QUALITY_FEATURES, 0);
    witness_save(w, "quantiles", q, s->n, 21, 0);
    witness_save(w, "norms", norm, s->n, 0, 0);
    witness_save(w, "shape", shape, s->n, 2, 0);
    if (w->status == LB_OK && !w->full)
        w->status = lb_quality_relative(LB_RELATIVE_MEDIAN, flux, error, map, &count, &w->err);
    if (!w->full)
        witness_save_floats(w, "over_median", relative, s->n, s->p);
    if (w->status == LB_OK && !w->full)
        w->status = lb_quality_relative(LB_RELATIVE_NORM, flux, error, map, &count, &w->err);
    if (!w->full)
        witness_save_floats(w, "over_norm", relative, s->n, s->p);
    free(ten);
    free(q);
    free(norm);
    free(mean);
    free(shape);
    free(relative);
}

static lb_status read_rows(void *self, size_t first, lb_matf x, lb_error *err)
{
    const lb_cmatf *from = self;
    (void)err;
    for (size_t i = 0; i < x.rows; i++)
        memcpy(x.data + i * x.stride, from->data + (first + i) * from->stride,
               x.cols * sizeof(float));
    return LB_OK;
}

/* How noisy the spectra look, in units of the errors. */
static void scatter(witness *w, const spectra *s)
{
    lb_cmatf flux = view(s, s->flux), error = view(s, s->error);
    const lb_stream x = {s->n, s->p, read_rows, &flux, false};
    const lb_stream e = {s->n, s->p, read_rows, &error, false};
    double *out = lb_xcalloc(s->n, sizeof *out);
    const double since = lb_clock();
    if (w->status == LB_OK)
        w->status = lb_scatter(&x, &e, 4, (lb_vec){out, s->n}, &w->err);
    witness_timed(w, "scatter", since);
    witness_save(w, "scatter", out, s->n, 0, 0);
    free(out);
}

int main(int argc, char **argv)
{
    witness w = witness_begin(argc, argv);
    spectra s = make(w.full ? 10000 : 300, 4096);
    save_windows(&w, &lb_windows_four, "edges4");
    save_windows(&w, &lb_windows_eight, "edges8");
    witness_save(&w, "wave", s.wave, s.p, 0, 0);
    witness_save_floats(&w, "flux", s.flux, s.n, s.p);
    witness_save_floats(&w, "error", s.error, s.n, s.p);
    windows(&w, &s, &lb_windows_four, "four", "4 windows", (lb_window_options){0});
    windows(&w, &s, &lb_windows_four, "four_p90", NULL,
            (lb_window_options){LB_CONTINUUM_P90, LB_DEPTH_MEDIAN3});
    windows(&w, &s, &lb_windows_eight, "eight", "8 windows", (lb_window_options){0});
    quality(&w, &s);
    scatter(&w, &s);
    free(s.wave);
    free(s.flux);
    free(s.error);
    return witness_end(&w);
}
