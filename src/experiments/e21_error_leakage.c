/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E21: do the errors of a spectrum give its gravity away?
 *
 * Ridge from the error vector alone to log g, its sanity checks, and the reductions of the error
 * vector that keep the signal to noise and drop the rest; on the errors as they are, and as a
 * positive control on errors to which the photon noise of the star was added, which do leak.
 * Reads   spectra of the profile; templates/experiments/e21_error_leakage/spec.yaml
 * Writes  data/results/<profile>/e21_error_leakage.h5, figures e21_*
 */
#include "core/memory.h"
#include "core/random.h"
#include "figure/plot.h"
#include "models/folds.h"
#include "models/lstsq.h"
#include "models/pca.h"
#include "models/quality.h"
#include "stats/quantile.h"
#include "study/contest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLAIN_ERRORS, CONTROL, VARIANTS };
static const char *const variants[VARIANTS] = {"base", "control"};
static const char *const repr_of[VARIANTS] = {"repr", "control.repr"};
enum { BLOCK = 512, MOST_ALPHAS = 12, TOP = 40, DECILES = 10 };

/* --- error vectors ------------------------------------------------------------------------------
 */

typedef enum form { PLAIN, BY_MEDIAN, BY_NORM, MASK, SHUFFLED, FLUX } form;

/* What is made of the error vectors of some rows, as a stream. */
typedef struct vectors {
    lb_stream flux, error;
    bool photon; /* with the photon noise of the star */
    form form;
    double share; /* of the variance at the median flux that is the star's, for the control */
    uint64_t seed;
} vectors;

/* region: control */
/* The simulated error follows the sky alone. A real one also has the star's own photons: variance
 * sky + star, so a line in the spectrum is a dip in the error. */
static void add_photons(float *error, const float *flux, size_t p, double share)
{
    for (size_t j = 0; j < p; j++)
        error[j] *= (float)sqrt(1.0 - share + share * fmax(flux[j], 0.0));
}
/* end region */

static void shuffle_pixels(float *x, size_t p, uint64_t seed, size_t row, size_t *order,
                           float *room)
{
    lb_rng r = lb_rng_make(seed, row);
    for (size_t j = 0; j < p; j++)
        order[j] = j;
    lb_rng_shuffle(&r, order, p);
    memcpy(room, x, p * sizeof *x);
    for (size_t j = 0; j < p; j++)
        x[j] = room[order[j]];
}

static lb_status read_vectors(void *self, size_t first, lb_matf x, lb_error *err)
{
    const vectors *v = self;
    const size_t n = x.rows, p = x.cols;
    if (v->form == FLUX)
        return v->flux.read(v->flux.self, first, x, err);
    float *room = lb_xcalloc((2 * n + 1) * p, sizeof *room), *flux = room + n * p;
    size_t *order = lb_xcalloc(p, sizeof *order);
    const lb_matf error = {room, n, p, p}, f = {flux, n, p, p};
    lb_status st = v->error.read(v->error.self, first, error, err);
    if (st == LB_OK && (v->photon || v->form == BY_MEDIAN || v->form == BY_NORM))
        st = v->flux.read(v->flux.self, first, f, err);
    for (size_t i = 0; i < n && st == LB_OK; i++) {
        if (v->photon)
            add_photons(room + i * p, flux + i * p, p, v->share);
        if (v->form == SHUFFLED)
            shuffle_pixels(room + i * p, p, v->seed, first + i, order, room + 2 * n * p);
        for (size_t j = 0; v->form == MASK && j < p; j++)
            room[i * p + j] = isfinite(room[i * p + j]) && room[i * p + j] > 0.0f;
    }
    if (st == LB_OK && (v->form == BY_MEDIAN || v->form == BY_NORM))
        st = lb_quality_relative(v->form == BY_NORM ? LB_RELATIVE_NORM : LB_RELATIVE_MEDIAN,
                                 lb_matf_const(f), lb_matf_const(error), x, NULL, err);
    else
        for (size_t i = 0; i < n && st == LB_OK; i++)
            memcpy(x.data + i * x.stride, room + i * p, p * sizeof *room);
    free(room);
    free(order);
    return st;
}

/* The rows of the audit, their two targets, and what reads them. Must stay where it is. */
typedef struct audit {
    lb_cohort c; /* the data set with its first training rows only */
    lb_exposure clean;
    lb_cohort_errors errors;
    lb_cohort_snr snr;
    lb_rowset *trained;
    double share, alpha; /* of the control; the penalty of checks and reductions */
    double least;        /* smallest penalty of the grid */
    uint64_t seed;
} audit;

static lb_stream stream_of(const audit *a, bool train, bool photon, form f, vectors *v)
{
    *v = (vectors){train ? a->clean.train.x : a->clean.test,
                   train ? a->errors.train : a->errors.test,
                   photon,
                   f,
                   a->share,
                   a->seed};
    return (lb_stream){v->error.rows, v->error.cols, read_vectors, v, v->error.threaded};
}

static lb_cvec logg_of(const audit *a, bool train)
{
    const lb_side *side = train ? &a->c.train : &a->c.test;
    return (lb_cvec){side->target, side->n};
}

static lb_cvec snr_of(const audit *a, bool train)
{
    return train ? (lb_cvec){a->snr.norm_train, a->c.train.n}
                 : (lb_cvec){a->snr.norm_test, a->c.test.n};
}

static audit *audit_open(lb_study *s)
{
    audit *a = lb_xcalloc(1, sizeof *a);
    size_t n;
    a->c = lb_cohort_head(&s->data, lb_spec_size(s->spec, "settings.rows"));
    a->share = lb_spec_number(s->spec, "settings.photon_share");
    a->alpha = lb_spec_number(s->spec, "settings.alpha");
    a->least = lb_spec_numbers(s->spec, "ridge.alphas", &n)[0];
    a->seed = lb_spec_size(s->spec, "protocol.split_seeds.test");
    lb_cohort_expose(&a->c, 0.0, lb_noise_seeds_of(s->spec), &a->clean);
    lb_cohort_errors_of(&a->c, &a->errors);
    if (lb_study_ok(s))
        lb_study_take(s, lb_cohort_snr_of(&a->c, &a->snr, s->err));
    a->trained = lb_rowset_new("training rows of the audit", lb_spectra_hash(a->c.split.train),
                               a->c.train.rows, a->c.train.n);
    lb_record_rowset(s->record, lb_rowset_name(a->trained), lb_rowset_hash(a->trained),
                     lb_rowset_size(a->trained));
    return a;
}

static void audit_close(audit *a)
{
    lb_cohort_snr_free(&a->snr);
    lb_rowset_free(a->trained);
    free(a);
}

/* --- fitting and scoring ------------------------------------------------------------------------
 */

typedef struct scores {
    lb_number train, test, mae, rmse;
} scores;

/* One model's predictions of training (NULL: not wanted) and test rows against one target. */
static scores score(lb_study *s, const audit *a, bool snr, const double *train, const double *test)
{
    scores out = {0};
    const lb_cvec y = snr ? snr_of(a, true) : logg_of(a, true);
    const lb_entry entry = {"errors", {test, a->c.test.n}, false};
    const lb_contest_plan plan = {.target = snr ? a->snr.norm_test : NULL, .unit = snr ? "" : NULL};
    if (!lb_study_ok(s))
        return out;
    lb_contest *t = lb_contest_planned(s, &a->c, a->c.all, plan, &entry, 1);
    out.test = lb_contest_r2(t, 0);
    out.mae = lb_contest_mae(t, 0);
    out.rmse = lb_contest_rmse(t, 0);
    lb_contest_free(t);
    const lb_outcome o = {a->trained, y, {train, a->c.train.n}, "errors", snr ? "" : NULL, false};
    if (train)
        lb_study_take(s, lb_score_r2(&o, &out.train, s->err));
    return out;
}

static lb_gram *gather(lb_study *s, const audit *a, bool photon, form f, lb_cvec y)
{
    vectors v;
    const lb_stream x = stream_of(a, true, photon, f, &v);
    lb_gram *g = NULL;
    if (lb_study_ok(s))
        lb_study_take(s,
                      lb_gram_accumulate(&x, y, NULL, (lb_gram_options){.groups = 1}, &g, s->err));
    return g;
}

static lb_ridge *fit(lb_study *s, const lb_gram *g, lb_cvec alphas, bool standardise)
{
    const bool all = true;
    lb_ridge *r = NULL;
    if (lb_study_ok(s))
        lb_study_take(
            s, lb_ridge_fit_many(g, &all, 1, alphas, (lb_ridge_options){standardise}, &r, s->err));
    return r;
}

/* Predictions, one row a penalty: (n_alpha, rows). NULL after a failure. */
static double *predict(lb_study *s, const audit *a, const lb_ridge *r, bool train, bool photon,
                       form f)
{
    vectors v;
    const lb_stream x = stream_of(a, train, photon, f, &v);
    if (!lb_study_ok(s))
        return NULL;
    double *out = lb_xcalloc(x.rows * r->n_alpha, sizeof *out);
    double *flat = lb_xcalloc(x.rows * r->n_alpha, sizeof *flat);
    const lb_mat yhat = lb_mat_of(flat, x.rows, r->n_alpha);
    lb_study_take(s, lb_ridge_predict(&r, 1, &x, &yhat, s->err));
    for (size_t i = 0; i < x.rows; i++)
        for (size_t k = 0; k < r->n_alpha; k++)
            out[k * x.rows + i] = flat[i * r->n_alpha + k];
    free(flat);
    return out;
}

/* Ridge of one penalty on vectors of all pixels; @p scaled: and with the smallest penalty of the
 * grid on standardised columns, which no scale of the input can hide a leak from. */
static scores wide(lb_study *s, const audit *a, bool photon, form f, bool snr, scores *scaled)
{
    lb_gram *g = gather(s, a, photon, f, snr ? snr_of(a, true) : logg_of(a, true));
    scores out = {0};
    for (int i = 0; i < (scaled ? 2 : 1); i++) {
        lb_ridge *r = fit(s, g, (lb_cvec){i ? &a->least : &a->alpha, 1}, i == 1);
        double *train = predict(s, a, r, true, photon, f);
        double *test = predict(s, a, r, false, photon, f);
        *(i ? scaled : &out) = score(s, a, snr, train, test);
        lb_ridge_free(r);
        free(train);
        free(test);
    }
    lb_gram_free(g);
    return out;
}

/* The same on a few features: Ridge as least squares with sqrt(alpha) times the identity below the
 * centred (standardised) features. alpha = 0: least squares. */
static scores narrow(lb_study *s, const audit *a, lb_cmat train, lb_cmat test, double alpha,
                     bool standardise, bool snr)
{
    const lb_cvec y = snr ? snr_of(a, true) : logg_of(a, true);
    const size_t n = train.rows, m = train.cols;
    double *x = lb_xcalloc((n + m) * m, sizeof *x), *z = lb_xcalloc(n + m, sizeof *z);
    double *mean = lb_xcalloc(2 * m, sizeof *mean), *scale = mean + m, y_mean = 0.0;
    double *yhat[2] = {lb_xcalloc(n, sizeof **yhat), lb_xcalloc(test.rows, sizeof **yhat)};
    lb_lstsq f = {0};
    scores out = {0};
    for (size_t i = 0; i < n; i++) {
        y_mean += y.data[i] / (double)n;
        for (size_t j = 0; j < m; j++)
            mean[j] += train.data[i * train.stride + j] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        z[i] = y.data[i] - y_mean;
        for (size_t j = 0; j < m; j++) {
            x[i * m + j] = train.data[i * train.stride + j] - mean[j];
            scale[j] += x[i * m + j] * x[i * m + j] / (double)n;
        }
    }
    for (size_t j = 0; j < m; j++) { /* what is rounding beside its mean is constant */
        const bool constant = scale[j] <= 1e-12 * mean[j] * mean[j];
        scale[j] = !standardise ? 1.0 : constant ? 0.0 : 1.0 / sqrt(scale[j]);
        for (size_t i = 0; i < n; i++)
            x[i * m + j] *= scale[j];
        x[(n + j) * m + j] = sqrt(alpha);
    }
    if (lb_study_ok(s))
        lb_study_take(s, lb_lstsq_fit((lb_cmat){x, alpha > 0.0 ? n + m : n, m, m},
                                      (lb_cvec){z, alpha > 0.0 ? n + m : n}, false, &f, s->err));
    const lb_cmat side[2] = {train, test};
    for (size_t k = 0; k < 2 && lb_study_ok(s); k++)
        for (size_t i = 0; i < side[k].rows; i++) {
            yhat[k][i] = y_mean;
            for (size_t j = 0; j < m; j++)
                yhat[k][i] +=
                    f.w.data[j] * scale[j] * (side[k].data[i * side[k].stride + j] - mean[j]);
        }
    out = score(s, a, snr, yhat[0], yhat[1]);
    lb_lstsq_free(&f);
    free(x);
    free(z);
    free(mean);
    free(yhat[0]);
    free(yhat[1]);
    return out;
}

/* --- features of the error vector ---------------------------------------------------------------
 */

typedef enum feature { STATISTICS, QUANTILES, NORM, SHAPE, PIXELS } feature;

typedef struct recipe {
    feature kind;
    lb_cvec mean;        /* SHAPE: mean error vector of the training rows */
    const size_t *pixel; /* PIXELS: which */
} recipe;

static lb_status make_features(const recipe *how, lb_cmatf x, lb_mat out, lb_error *err)
{
    switch (how->kind) {
    case STATISTICS:
        return lb_quality_features(x, out, NULL, err);
    case QUANTILES:
        return lb_quality_quantiles(x, out, NULL, err);
    case NORM:
        return lb_quality_norms(x, (lb_vec){out.data, out.rows}, NULL, err);
    case SHAPE:
        return lb_quality_shape(x, how->mean, out, NULL, err);
    case PIXELS:
        break;
    }
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < out.cols; j++)
            out.data[i * out.stride + j] = (double)x.data[i * x.stride + how->pixel[j]];
    return LB_OK;
}

/* The features of all rows of one set: (rows, m), freed by the caller. */
static lb_mat features(lb_study *s, const audit *a, bool train, bool photon, const recipe *how,
                       size_t m)
{
    vectors v;
    const lb_stream x = stream_of(a, train, photon, PLAIN, &v);
    const lb_mat out = lb_mat_new(x.rows, m);
    float *block = lb_xcalloc(BLOCK * x.cols, sizeof *block);
    for (size_t first = 0; first < x.rows && lb_study_ok(s); first += BLOCK) {
        const size_t n = x.rows - first < BLOCK ? x.rows - first : BLOCK;
        const lb_matf b = {block, n, x.cols, x.cols};
        lb_study_take(s, x.read(x.self, first, b, s->err));
        if (lb_study_ok(s))
            lb_study_take(s, make_features(how, lb_matf_const(b),
                                           lb_mat_rows(out, first, first + n), s->err));
    }
    free(block);
    return out;
}

/* What few features know: of log g with a penalty, of log g with the smallest penalty on
 * standardised features, of the signal to noise. NULL: not wanted. */
typedef struct known {
    scores *logg, *scaled, *snr;
} known;

static void ask(lb_study *s, const audit *a, lb_cmat train, lb_cmat test, double alpha, known out)
{
    if (out.logg)
        *out.logg = narrow(s, a, train, test, alpha, false, false);
    if (out.scaled)
        *out.scaled = narrow(s, a, train, test, a->least, true, false);
    if (out.snr)
        *out.snr = narrow(s, a, train, test, alpha, false, true);
}

static void few(lb_study *s, const audit *a, bool photon, const recipe *how, size_t m, double alpha,
                known out)
{
    const lb_mat train = features(s, a, true, photon, how, m);
    const lb_mat test = features(s, a, false, photon, how, m);
    ask(s, a, lb_mat_const(train), lb_mat_const(test), alpha, out);
    free(train.data);
    free(test.data);
}

/* --- one kind of error vector -------------------------------------------------------------------
 */

enum {
    SHUFFLE_PIXELS,
    SHUFFLE_SNR,
    MASK_ONLY,
    MASK_FED,
    TOP_PIXELS,
    AGGREGATE,
    FLUX_ONLY,
    GROUP_CV,
    CHECKS
};
static const struct {
    const char *key, *name;
} checks[CHECKS] = {{"shuffle_pixels", "pixels of the test rows shuffled"},
                    {"shuffle_snr", "labels shuffled within SNR groups"},
                    {"mask_only", "mask only, fitted again"},
                    {"mask_fed", "mask fed to the fit on errors"},
                    {"top40", "top pixels only"},
                    {"agg_stats", "ten statistics, least squares"},
                    {"flux_only", "flux instead of errors"},
                    {"group_cv", "SNR groups left out in turn"}};

enum { S0, S1A, S1B, S2, S2B, S3_11, S3_21, S3B, S4, STRATEGIES };
static const struct {
    const char *key, *name;
} strategies[STRATEGIES] = {{"s0", "S0 raw"},
                            {"s1a", "S1a over median flux"},
                            {"s1b", "S1b over norm of flux"},
                            {"s2", "S2 scale and residual"},
                            {"s2b", "S2b three components"},
                            {"s3_11", "S3 11 quantiles"},
                            {"s3_21", "S3 21 quantiles"},
                            {"s3b", "S3b ten statistics"},
                            {"s4", "S4 norm of error"}};

typedef struct variant {
    bool photon;
    size_t n_models; /* least squares, Ridge by rising penalty, standardised Ridge */
    char model[MOST_ALPHAS + 2][24];
    scores of_model[MOST_ALPHAS + 2];
    size_t worst;              /* the model with the largest test R2 */
    double *importance, share; /* [pixels] |w| over its mean; share of the top pixels */
    size_t top[TOP], pixels;
    double first; /* per cent of the variance in the first component */
    size_t rank;
    lb_number check[CHECKS];
    size_t n_features[STRATEGIES];
    scores logg[STRATEGIES], scaled[STRATEGIES], snr[STRATEGIES];
} variant;

static known known_of(variant *v, int k)
{
    return (known){&v->logg[k], &v->scaled[k], &v->snr[k]};
}

/* region: protocol */
/* From the error vector alone to log g: least squares and every penalty, errors as they come; and
 * once with standardised columns, which makes the same penalty another one. */
static void run_models(lb_study *s, const audit *a, variant *v, const lb_gram *g, lb_ridge **fitted)
{
    size_t n;
    const double *grid = lb_spec_numbers(s->spec, "ridge.alphas", &n);
    double alphas[MOST_ALPHAS + 1] = {0.0};
    n = n < MOST_ALPHAS ? n : MOST_ALPHAS;
    memcpy(alphas + 1, grid, n * sizeof *grid);
    lb_ridge *plain = fit(s, g, (lb_cvec){alphas, n + 1}, false);
    lb_ridge *scaled = fit(s, g, (lb_cvec){&a->alpha, 1}, true);
    double *train = predict(s, a, plain, true, v->photon, PLAIN);
    double *test = predict(s, a, plain, false, v->photon, PLAIN);
    double *scaled_train = predict(s, a, scaled, true, v->photon, PLAIN);
    double *scaled_test = predict(s, a, scaled, false, v->photon, PLAIN);
    v->n_models = n + 2;
    for (size_t m = 0; m < v->n_models && lb_study_ok(s); m++) {
        const bool last = m == n + 1;
        v->of_model[m] = score(s, a, false, last ? scaled_train : train + m * a->c.train.n,
                               last ? scaled_test : test + m * a->c.test.n);
        if (m == 0 || last)
            snprintf(v->model[m], sizeof v->model[m], "%s", last ? "standardised" : "ols");
        else
            snprintf(v->model[m], sizeof v->model[m], "ridge_%g", alphas[m]);
        if (v->of_model[m].test.value > v->of_model[v->worst].test.value)
            v->worst = m;
    }
    free(train);
    free(test);
    free(scaled_train);
    free(scaled_test);
    lb_ridge_free(scaled);
    *fitted = plain;
}
/* end region */

/* Which row of the fit has the penalty of the checks. */
static size_t row_of_alpha(const audit *a, const lb_ridge *r)
{
    size_t k = 0;
    while (k + 1 < r->n_alpha && r->alpha[k] != a->alpha)
        k++;
    return k;
}

static void weigh_pixels(const audit *a, const lb_ridge *r, variant *v)
{
    const double *w = r->w.data + row_of_alpha(a, r) * r->w.stride;
    const size_t p = r->w.cols;
    double total = 0.0, top = 0.0;
    v->pixels = p;
    v->importance = lb_xcalloc(p, sizeof *v->importance);
    for (size_t j = 0; j < p; j++)
        total += fabs(w[j]);
    for (size_t j = 0; j < p; j++)
        v->importance[j] = total > 0.0 ? fabs(w[j]) * (double)p / total : 0.0;
    bool *taken = lb_xcalloc(p, sizeof *taken);
    for (size_t k = 0; k < TOP; k++) {
        size_t best = p;
        for (size_t j = 0; j < p; j++)
            if (!taken[j] && (best == p || v->importance[j] > v->importance[best]))
                best = j;
        taken[best] = true;
        v->top[k] = best;
        top += v->importance[best] / (double)p;
    }
    v->share = 100.0 * top;
    free(taken);
}

/* Tenths of the training rows by signal to noise. */
static uint64_t *snr_groups(const audit *a)
{
    const lb_cvec snr = snr_of(a, true);
    uint64_t *group = lb_xcalloc(snr.n, sizeof *group);
    double *sorted = lb_xcalloc(snr.n, sizeof *sorted);
    memcpy(sorted, snr.data, snr.n * sizeof *sorted);
    lb_sort(sorted, snr.n);
    for (size_t i = 0; i < snr.n; i++)
        for (size_t k = 1; k < DECILES; k++)
            group[i] += snr.data[i] >= lb_quantile(sorted, snr.n, (double)k / DECILES);
    free(sorted);
    return group;
}

/* A model fitted on errors, asked about something else. */
static lb_number fed(lb_study *s, const audit *a, const lb_ridge *r, const variant *v, form f)
{
    const size_t k = row_of_alpha(a, r);
    double *test = predict(s, a, r, false, v->photon, f);
    scores out = {0};
    if (lb_study_ok(s))
        out = score(s, a, false, NULL, test + k * a->c.test.n);
    free(test);
    return out.test;
}

/* Labels dealt anew among training rows of like signal to noise: what is left is what signal to
 * noise knows. */
static lb_number shuffled_labels(lb_study *s, const audit *a, const variant *v)
{
    const lb_cvec y = logg_of(a, true);
    uint64_t *group = snr_groups(a);
    double *dealt = lb_xcalloc(y.n, sizeof *dealt);
    size_t *row = lb_xcalloc(2 * y.n, sizeof *row), *to = row + y.n;
    for (uint64_t k = 0; k < DECILES; k++) {
        size_t n = 0;
        lb_rng r = lb_rng_make(a->seed, k);
        for (size_t i = 0; i < y.n; i++)
            if (group[i] == k)
                row[n++] = i;
        memcpy(to, row, n * sizeof *row);
        lb_rng_shuffle(&r, to, n);
        for (size_t i = 0; i < n; i++)
            dealt[row[i]] = y.data[to[i]];
    }
    lb_gram *g = gather(s, a, v->photon, PLAIN, (lb_cvec){dealt, y.n});
    lb_ridge *r = fit(s, g, (lb_cvec){&a->alpha, 1}, false);
    const lb_number out = lb_study_ok(s) ? fed(s, a, r, v, PLAIN) : (lb_number){0};
    lb_gram_free(g);
    lb_ridge_free(r);
    free(group);
    free(dealt);
    free(row);
    return out;
}

/* Every training row predicted by a model that saw no row of its tenth in signal to noise. */
static lb_number left_out_groups(lb_study *s, const audit *a, const variant *v)
{
    enum { FOLDS = 5 };
    const lb_cvec y = logg_of(a, true);
    uint64_t *group = snr_groups(a);
    int *fold = lb_xcalloc(y.n, sizeof *fold);
    bool use[FOLDS * FOLDS];
    vectors vec;
    const lb_stream x = stream_of(a, true, v->photon, PLAIN, &vec);
    lb_gram *g = NULL;
    lb_ridge *r[FOLDS] = {NULL};
    double *flat = lb_xcalloc(FOLDS * y.n, sizeof *flat), *own = lb_xcalloc(y.n, sizeof *own);
    lb_mat yhat[FOLDS];
    lb_number out = {0};
    for (size_t k = 0; k < FOLDS; k++) {
        yhat[k] = lb_mat_of(flat + k * y.n, y.n, 1);
        for (size_t j = 0; j < FOLDS; j++)
            use[k * FOLDS + j] = j != k;
    }
    if (lb_study_ok(s))
        lb_study_take(s, lb_folds_make((lb_folds){FOLDS, a->seed, group, NULL}, y.n, fold, s->err));
    if (lb_study_ok(s))
        lb_study_take(
            s, lb_gram_accumulate(&x, y, fold, (lb_gram_options){.groups = FOLDS}, &g, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_ridge_fit_many(g, use, FOLDS, (lb_cvec){&a->alpha, 1},
                                           (lb_ridge_options){0}, r, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_ridge_predict((const lb_ridge *const *)r, FOLDS, &x, yhat, s->err));
    for (size_t i = 0; i < y.n && lb_study_ok(s); i++)
        own[i] = flat[(size_t)fold[i] * y.n + i];
    const lb_outcome o = {a->trained, y, {own, y.n}, "groups left out", NULL, false};
    if (lb_study_ok(s))
        lb_study_take(s, lb_score_r2(&o, &out, s->err));
    lb_gram_free(g);
    for (size_t k = 0; k < FOLDS; k++)
        lb_ridge_free(r[k]);
    free(group);
    free(fold);
    free(flat);
    free(own);
    return out;
}

static void run_checks(lb_study *s, const audit *a, variant *v, const lb_ridge *fitted)
{
    scores top = {0}, statistics = {0};
    if (!lb_study_ok(s))
        return;
    few(s, a, v->photon, &(recipe){.kind = PIXELS, .pixel = v->top}, TOP, a->alpha,
        (known){.logg = &top});
    few(s, a, v->photon, &(recipe){.kind = STATISTICS}, LB_QUALITY_FEATURES, 0.0,
        (known){.logg = &statistics});
    v->check[SHUFFLE_PIXELS] = fed(s, a, fitted, v, SHUFFLED);
    v->check[SHUFFLE_SNR] = shuffled_labels(s, a, v);
    v->check[MASK_ONLY] = wide(s, a, v->photon, MASK, false, NULL).test;
    v->check[MASK_FED] = fed(s, a, fitted, v, MASK);
    v->check[TOP_PIXELS] = top.test;
    v->check[AGGREGATE] = statistics.test;
    v->check[FLUX_ONLY] = wide(s, a, false, FLUX, false, NULL).test;
    v->check[GROUP_CV] = left_out_groups(s, a, v);
}

/* Scores of both targets on three principal components of the training errors. */
static void components(lb_study *s, const audit *a, variant *v, const lb_gram *g)
{
    enum { K = 3 };
    lb_pca *pca = NULL;
    lb_mat part[2];
    if (lb_study_ok(s))
        lb_study_take(s, lb_pca_fit(g, NULL, K, &pca, s->err));
    for (int test = 0; test < 2; test++) {
        vectors vec;
        const lb_stream x = stream_of(a, !test, v->photon, PLAIN, &vec);
        part[test] = lb_mat_new(x.rows, K);
        if (lb_study_ok(s))
            lb_study_take(s, lb_pca_scores(pca, &x, part[test], s->err));
    }
    if (lb_study_ok(s)) {
        v->first = 100.0 * pca->ratio.data[0];
        v->rank = pca->rank;
    }
    v->n_features[S2B] = K;
    ask(s, a, lb_mat_const(part[0]), lb_mat_const(part[1]), a->alpha, known_of(v, S2B));
    free(part[0].data);
    free(part[1].data);
    lb_pca_free(pca);
}

/* The mean error vector of the training rows. */
static lb_vec mean_of(lb_study *s, const lb_gram *g)
{
    const size_t p = lb_study_ok(s) ? lb_gram_cols(g) : 1;
    const bool all = true;
    double *room = lb_xcalloc(3 * p, sizeof *room);
    lb_moments m = {.mean = {room, p}, .xy = {room + p, p}, .sd = {room + 2 * p, p}};
    if (lb_study_ok(s))
        lb_study_take(s, lb_gram_moments(g, &all, false, &m, s->err));
    return (lb_vec){room, p};
}

static void run_strategies(lb_study *s, const audit *a, variant *v, const lb_gram *g)
{
    static const form forms[] = {[S0] = PLAIN, [S1A] = BY_MEDIAN, [S1B] = BY_NORM};
    const lb_vec mean = mean_of(s, g);
    const struct {
        int strategy;
        recipe how;
        size_t n;
    } small[] = {{S2, {.kind = SHAPE, .mean = lb_vec_const(mean)}, 2},
                 {S3_11, {.kind = QUANTILES}, 11},
                 {S3_21, {.kind = QUANTILES}, 21},
                 {S3B, {.kind = STATISTICS}, LB_QUALITY_FEATURES},
                 {S4, {.kind = NORM}, 1}};
    for (int k = S0; k <= S1B; k++) {
        v->n_features[k] = v->pixels;
        v->logg[k] = wide(s, a, v->photon, forms[k], false, &v->scaled[k]);
        v->snr[k] = wide(s, a, v->photon, forms[k], true, NULL);
    }
    components(s, a, v, g);
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        const int k = small[i].strategy;
        v->n_features[k] = small[i].n;
        few(s, a, v->photon, &small[i].how, small[i].n, a->alpha, known_of(v, k));
    }
    free(mean.data);
}

static void run_variant(lb_study *s, const audit *a, variant *v)
{
    lb_ridge *fitted = NULL;
    lb_gram *g = gather(s, a, v->photon, PLAIN, logg_of(a, true));
    run_models(s, a, v, g, &fitted);
    if (lb_study_ok(s)) {
        weigh_pixels(a, fitted, v);
        run_checks(s, a, v, fitted);
        run_strategies(s, a, v, g);
    }
    lb_ridge_free(fitted);
    lb_gram_free(g);
}

/* --- the record ---------------------------------------------------------------------------------
 */

static bool passes(const lb_study *s, const variant *v, size_t k)
{
    return v->logg[k].test.value < lb_spec_number(s->spec, "thresholds.leak") &&
           v->snr[k].test.value > lb_spec_number(s->spec, "thresholds.snr");
}

static void put_scores(lb_study *s, const scores *x, const char *key)
{
    lb_study_put(s, x->train, "%s.train_r2", key);
    lb_study_put(s, x->test, "%s.test_r2", key);
    lb_study_put(s, x->mae, "%s.mae", key);
    lb_study_put(s, x->rmse, "%s.rmse", key);
}

static lb_number plain(double value, const char *kind, const char *unit, int digits)
{
    lb_number x = lb_number_plain(value, kind, unit);
    x.digits = digits;
    return x;
}

static void put_variant(lb_study *s, const variant *v, const char *head, const char *repr)
{
    char key[64];
    size_t n_pass = 0, n_scaled = 0;
    for (size_t m = 0; m < v->n_models; m++) {
        snprintf(key, sizeof key, "%s.%s", head, v->model[m]);
        put_scores(s, &v->of_model[m], key);
    }
    lb_study_put(s, v->of_model[v->worst].test, "%s.worst.test_r2", head);
    lb_study_put_text(s, v->model[v->worst], "%s.worst.model", head);
    for (size_t k = 0; k < CHECKS; k++)
        lb_study_put(s, v->check[k], "%s.check.%s", head, checks[k].key);
    lb_study_put(s, plain(v->share, "percent", "%", 2), "%s.top40_share", head);
    lb_study_put(s, plain(v->first, "percent", "%", 2), "%s.first_component", head);
    lb_study_put(s, lb_number_count(v->rank), "%s.components", head);
    for (size_t k = 0; k < STRATEGIES; k++) {
        lb_study_put(s, lb_number_count(v->n_features[k]), "%s.%s.n_features", repr,
                     strategies[k].key);
        lb_study_put(s, v->logg[k].train, "%s.%s.logg_r2_train", repr, strategies[k].key);
        lb_study_put(s, v->logg[k].test, "%s.%s.logg_r2_test", repr, strategies[k].key);
        lb_study_put(s, v->scaled[k].test, "%s.%s.logg_r2_scaled", repr, strategies[k].key);
        lb_study_put(s, v->snr[k].train, "%s.%s.snr_r2_train", repr, strategies[k].key);
        lb_study_put(s, v->snr[k].test, "%s.%s.snr_r2_test", repr, strategies[k].key);
        lb_study_put_text(s, passes(s, v, k) ? "pass" : "fail", "%s.%s.pass", repr,
                          strategies[k].key);
        n_pass += passes(s, v, k);
        n_scaled +=
            passes(s, v, k) && v->scaled[k].test.value < lb_spec_number(s->spec, "thresholds.leak");
    }
    lb_study_put(s, lb_number_count(n_scaled), "%s.n_pass_scaled", repr);
    lb_study_put(s, lb_number_count(n_pass), "%s.n_pass", repr);
}

/* The rows of the audit and the signal to noise of its test rows. */
static void put_rows(lb_study *s, const audit *a)
{
    const lb_cvec snr = snr_of(a, false);
    if (!lb_study_ok(s))
        return;
    double *sorted = lb_xcalloc(snr.n, sizeof *sorted);
    memcpy(sorted, snr.data, snr.n * sizeof *sorted);
    lb_sort(sorted, snr.n);
    lb_study_put(s, lb_number_count(a->c.train.n), "audit.n_train");
    lb_study_put(s, plain(sorted[0], "snr", "", 2), "audit.snr_min");
    lb_study_put(s, plain(lb_quantile(sorted, snr.n, 0.5), "snr", "", 2), "audit.snr_median");
    lb_study_put(s, plain(sorted[snr.n - 1], "snr", "", 2), "audit.snr_max");
    free(sorted);
}

static void put_not_run(lb_study *s)
{
    lb_study_put(s, lb_number_na("r2", "not run (no LightGBM)"), "base.lightgbm.test_r2");
    lb_study_put(s, lb_number_count(STRATEGIES), "repr.n_strategies");
}

static void table_models(lb_study *s, const variant *v, const char *id, const char *head)
{
    static const lb_column columns[] = {{"model on the error vector", ""},
                                        {"train R²", ""},
                                        {"test R²", ""},
                                        {"95 % CI", "ci"},
                                        {"MAE, dex", ""},
                                        {"RMSE, dex", ""}};
    lb_record_table(s->record, id, sizeof columns / sizeof *columns, columns);
    for (size_t m = 0; m < v->n_models; m++) {
        char name[64];
        if (m == 0)
            snprintf(name, sizeof name, "least squares");
        else if (m + 1 == v->n_models)
            snprintf(name, sizeof name, "Ridge, standardised columns, α = %g",
                     lb_spec_number(s->spec, "settings.alpha"));
        else
            snprintf(name, sizeof name, "Ridge, α = %s", v->model[m] + strlen("ridge_"));
        lb_study_row(s, id,
                     "=%3$s|%1$s.%2$s.train_r2|%1$s.%2$s.test_r2|%1$s.%2$s.test_r2|%1$s.%2$s.mae|"
                     "%1$s.%2$s.rmse",
                     head, v->model[m], name);
    }
    if (!v->photon)
        lb_study_row(s, id, "=LightGBM|= |base.lightgbm.test_r2|= |= |= ");
}

static void table_checks(lb_study *s)
{
    static const lb_column columns[] = {{"check", ""},
                                        {"R², errors as simulated", ""},
                                        {"95 % CI", "ci"},
                                        {"R², control with photon noise", ""},
                                        {"95 % CI", "ci"}};
    lb_record_table(s->record, "T21.3", sizeof columns / sizeof *columns, columns);
    for (size_t k = 0; k < CHECKS; k++)
        lb_study_row(s, "T21.3",
                     "=%2$s|base.check.%1$s|base.check.%1$s|control.check.%1$s|"
                     "control.check.%1$s",
                     checks[k].key, checks[k].name);
}

static void table_strategies(lb_study *s, const char *id, const char *repr)
{
    static const lb_column columns[] = {
        {"reduction", ""},      {"features", ""},     {"log g R², train", ""},
        {"log g R², test", ""}, {"95 % CI", "ci"},    {"log g R², scale-free", ""},
        {"SNR R², train", ""},  {"SNR R², test", ""}, {"rule", ""}};
    lb_record_table(s->record, id, sizeof columns / sizeof *columns, columns);
    for (size_t k = 0; k < STRATEGIES; k++)
        lb_study_row(s, id,
                     "=%3$s|%1$s.%2$s.n_features|%1$s.%2$s.logg_r2_train|%1$s.%2$s.logg_r2_test|"
                     "%1$s.%2$s.logg_r2_test|%1$s.%2$s.logg_r2_scaled|%1$s.%2$s.snr_r2_train|%1$s.%"
                     "2$s.snr_r2_test|"
                     "%1$s.%2$s.pass",
                     repr, strategies[k].key, strategies[k].name);
}

/* --- figures ------------------------------------------------------------------------------------
 */

static const char *const variant_name[VARIANTS] = {"errors as simulated",
                                                   "control: with photon noise"};

static lb_style variant_style(size_t v)
{
    return lb_style_role(v == PLAIN_ERRORS ? LB_MIXTURE : LB_CONDITIONAL);
}

static char *title_for(const audit *a, const char *what)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE];
    return lb_xprintf("%s\nE21, %s training rows, %s test rows", what,
                      lb_count_text(a->c.train.n, train), lb_count_text(a->c.test.n, test));
}

static void threshold_line(const lb_study *s, lb_axes *a, const char *name, const char *format)
{
    char path[48], text[48];
    snprintf(path, sizeof path, "thresholds.%s", name);
    snprintf(text, sizeof text, format, lb_spec_number(s->spec, path));
    lb_plot_hline(a, lb_spec_number(s->spec, path), lb_style_role(LB_THRESHOLD), text);
}

/* Bars of both kinds of error vector side by side. */
static void pair_of_bars(lb_axes *a, const lb_number *const x[VARIANTS], size_t n)
{
    double y[VARIANTS][16], lo[VARIANTS][16], hi[VARIANTS][16];
    char text[16][24];
    const char *values[16];
    for (size_t v = 0; v < VARIANTS; v++) {
        for (size_t i = 0; i < n; i++) {
            const int most = lb_number_decimals(&x[v][i]), decimals = most < 3 ? most : 3;
            const bool is_zero = fabs(x[v][i].value) < 0.5 * pow(10.0, -decimals);
            snprintf(text[i], sizeof text[i], "%.*f", decimals, is_zero ? 0.0 : x[v][i].value);
            values[i] = text[i];
            y[v][i] = x[v][i].value;
            lo[v][i] = x[v][i].ci_lo;
            hi[v][i] = x[v][i].ci_hi;
        }
        lb_plot_bars(a, (lb_bars){.y = y[v],
                                  .lo = lo[v],
                                  .hi = hi[v],
                                  .n = n,
                                  .series = v,
                                  .of = VARIANTS,
                                  .style = variant_style(v),
                                  .values = values,
                                  .label = variant_name[v]});
    }
}

static void figure_models(lb_study *s, const audit *a, const variant *v)
{
    lb_number x[VARIANTS][MOST_ALPHAS + 2];
    char names[MOST_ALPHAS + 2][32];
    const char *name_of[MOST_ALPHAS + 2];
    const size_t n = v[0].n_models;
    for (size_t m = 0; m < n; m++) {
        for (size_t k = 0; k < VARIANTS; k++)
            x[k][m] = v[k].of_model[m].test;
        if (m == 0 || m + 1 == n)
            snprintf(names[m], sizeof names[m], m ? "standard- ised" : "least squares");
        else
            snprintf(names[m], sizeof names[m], "α = %s", v[0].model[m] + strlen("ridge_"));
        name_of[m] = names[m];
    }
    char *stem = lb_study_figure(s, "F21.1");
    char *title = title_for(a, "From the error vector alone to log g");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.6, title,
                                 "Bars of the test R2 of least squares and Ridge regressions on "
                                 "error vectors, as simulated and with photon noise added.");
    lb_axes *ax = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(ax, NULL, name_of, n);
    lb_axes_y(ax, "test R^{2} of log g", NAN, 1.12, LB_LINEAR);
    pair_of_bars(ax, (const lb_number *const[]){x[0], x[1]}, n);
    threshold_line(s, ax, "leak", "threshold %.2f");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_importance(lb_study *s, const audit *a, const variant *v)
{
    const lb_cvec wave = lb_spectra_wave(a->c.split.test);
    char *stem = lb_study_figure(s, "F21.2");
    char *title = title_for(a, "Which pixels the fits on errors lean on");
    lb_figure *f = lb_figure_new(stem, 6.5, 5.2, title,
                                 "Absolute weight of each pixel over the mean against wavelength, "
                                 "with the forty heaviest marked, for both kinds of errors.");
    lb_figure_share_x(f);
    for (size_t k = 0; k < VARIANTS; k++) {
        double x[TOP], y[TOP];
        for (size_t i = 0; i < TOP; i++) {
            x[i] = wave.data[v[k].top[i]];
            y[i] = v[k].importance[v[k].top[i]];
        }
        lb_axes *ax = lb_figure_panel(f, k, 0, VARIANTS, 1);
        lb_style line = variant_style(k), mark = lb_style_role(LB_NEUTRAL);
        line.marker = LB_MARKER_NONE;
        line.dash = LB_SOLID;
        line.width = 0.6;
        mark.marker = LB_TRIANGLE_DOWN;
        mark.size = 3.0;
        lb_axes_title(ax, variant_name[k]);
        lb_axes_x(ax, "wavelength (Å)", wave.data[0], wave.data[wave.n - 1], LB_LINEAR);
        lb_axes_y(ax, "|weight| over mean", 0.0, NAN, LB_LINEAR);
        lb_plot_line(ax, wave.data, v[k].importance, wave.n, line, NULL);
        lb_plot_points(ax, x, y, TOP, mark, "forty heaviest pixels");
        char *series = lb_xprintf("F21.2/%s", variants[k]);
        lb_record_series(s->record, series, v[k].importance, wave.n);
        free(series);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_histogram(lb_study *s, const audit *a, const variant *v)
{
    char *stem = lb_study_figure(s, "F21.3");
    char *title = title_for(a, "How the weight is spread over the pixels");
    lb_figure *f = lb_figure_new(stem, 6.5, 3.8, title,
                                 "Histograms of the absolute weight of each pixel over the mean, "
                                 "for both kinds of errors.");
    for (size_t k = 0; k < VARIANTS; k++) {
        lb_axes *ax = lb_figure_panel(f, 0, k, 1, VARIANTS);
        char text[64];
        lb_axes_title(ax, variant_name[k]);
        lb_axes_x(ax, "|weight| over mean", 0.0, NAN, LB_LINEAR);
        lb_axes_y(ax, "pixels", 0.0, NAN, LB_LINEAR);
        lb_plot_histogram(ax, v[k].importance, v[k].pixels, 40, variant_style(k), NULL);
        snprintf(text, sizeof text, "the %d heaviest hold\n%.1f %% of the weight", TOP, v[k].share);
        lb_axes_box(ax, text);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_checks(lb_study *s, const audit *a, const variant *v)
{
    const char *names[CHECKS];
    for (size_t k = 0; k < CHECKS; k++)
        names[k] = checks[k].name;
    char *stem = lb_study_figure(s, "F21.4");
    char *title = title_for(a, "Sanity checks of the audit");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.8, title,
                                 "Bars of R2 of log g for eight sanity checks, for both kinds of "
                                 "errors.");
    lb_axes *ax = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(ax, NULL, names, CHECKS);
    lb_axes_y(ax, "R^{2} of log g", -1.2, 1.15, LB_LINEAR);
    pair_of_bars(ax, (const lb_number *const[]){v[0].check, v[1].check}, CHECKS);
    threshold_line(s, ax, "leak", "threshold %.2f");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_strategies(lb_study *s, const audit *a, const variant *v)
{
    static const char *const names[STRATEGIES] = {"S0",    "S1a",   "S1b", "S2", "S2b",
                                                  "S3 11", "S3 21", "S3b", "S4"};
    enum { SERIES = 3 };
    static const char *const labels[SERIES] = {"log g", "log g, scale-free", "signal to noise"};
    const lb_style styles[SERIES] = {lb_style_role(LB_GLOBAL), lb_style_category(5),
                                     lb_style_role(LB_ORACLE)};
    char *stem = lb_study_figure(s, "F21.5");
    char *title = title_for(a, "What each reduction of the error vector still knows");
    lb_figure *f = lb_figure_new(stem, 6.5, 6.4, title,
                                 "Bars of the test R2 of log g and of the signal to noise for nine "
                                 "reductions, for both kinds of errors, with both thresholds.");
    for (size_t k = 0; k < VARIANTS; k++) {
        lb_axes *ax = lb_figure_panel(f, k, 0, VARIANTS, 1);
        lb_axes_title(ax, variant_name[k]);
        lb_axes_x_names(ax, NULL, names, STRATEGIES);
        lb_axes_y(ax, "test R^{2}", -0.15, 1.18, LB_LINEAR);
        for (size_t t = 0; t < SERIES; t++) {
            const scores *from[SERIES] = {v[k].logg, v[k].scaled, v[k].snr};
            double y[STRATEGIES];
            for (size_t i = 0; i < STRATEGIES; i++)
                y[i] = from[t][i].test.value;
            lb_plot_bars(ax, (lb_bars){.y = y,
                                       .n = STRATEGIES,
                                       .series = t,
                                       .of = SERIES,
                                       .style = styles[t],
                                       .format = "%.2f",
                                       .label = labels[t]});
        }
        threshold_line(s, ax, "leak", "log g below %.2f");
        lb_style line = lb_style_role(LB_THRESHOLD);
        line.dash = LB_DOTTED;
        lb_plot_hline(ax, lb_spec_number(s->spec, "thresholds.snr"), line,
                      "signal to noise above 0.5");
    }
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

/* Nine names on one spot cannot be read, one can. */
static void name_points(lb_axes *a, const double *x, const double *y, const char *const *names)
{
    const double spot = 0.02;
    const char *const all[] = {"all nine"};
    size_t far = 0;
    for (size_t i = 1; i < STRATEGIES; i++)
        far += fabs(x[i] - x[0]) > spot || fabs(y[i] - y[0]) > spot;
    lb_plot_labels(a, x, y, far ? names : all, far ? STRATEGIES : 1, lb_style_role(LB_NEUTRAL));
}

/* How far the two points of a reduction are moved off their value, which else hide each other: by
 * less than would take one over the threshold. */
static double half_gap(const variant *v, double threshold)
{
    double gap = 0.06;
    for (size_t k = 0; k < VARIANTS; k++)
        for (size_t i = 0; i < STRATEGIES; i++)
            gap = fmin(gap, 0.8 * fabs(v[k].snr[i].test.value - threshold));
    return gap;
}

static void figure_trade(lb_study *s, const audit *a, const variant *v)
{
    static const char *const names[STRATEGIES] = {"S0",    "S1a",   "S1b", "S2", "S2b",
                                                  "S3 11", "S3 21", "S3b", "S4"};
    const double leak = lb_spec_number(s->spec, "thresholds.leak");
    const double snr = lb_spec_number(s->spec, "thresholds.snr");
    const double apart = half_gap(v, snr);
    const double x_region[2] = {-0.06, leak}, lo[2] = {snr, snr}, hi[2] = {1.05, 1.05};
    char *stem = lb_study_figure(s, "F21.6");
    char *title = title_for(a, "Keep the signal to noise, drop the gravity");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.2, title,
                                 "Test R2 of the signal to noise against test R2 of log g, two "
                                 "joined points a reduction, the region that passes shaded.");
    lb_figure_share_y(f);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    for (size_t k = 0; k < VARIANTS; k++) {
        double x[STRATEGIES], y[STRATEGIES], free_x[STRATEGIES], free_y[STRATEGIES];
        lb_style hollow = variant_style(k), line = lb_style_role(LB_REFERENCE);
        hollow.hollow = true;
        line.width = 0.5;
        for (size_t i = 0; i < STRATEGIES; i++) {
            x[i] = v[k].logg[i].test.value;
            free_x[i] = v[k].scaled[i].test.value;
            y[i] = v[k].snr[i].test.value + apart;
            free_y[i] = v[k].snr[i].test.value - apart;
        }
        lb_axes *ax = lb_figure_panel(f, 0, k, 1, VARIANTS);
        lb_axes_title(ax, variant_name[k]);
        lb_axes_x(ax, "test R^{2} of log g", x_region[0], 1.0, LB_LINEAR);
        lb_axes_y(ax, "test R^{2} of signal to noise", 0.0, 1.05, LB_LINEAR);
        lb_plot_band(ax, x_region, lo, hi, 2, lb_style_role(LB_ORACLE), "passes");
        for (size_t i = 0; i < STRATEGIES; i++)
            lb_plot_segment(ax, x[i], y[i], free_x[i], free_y[i], line);
        lb_plot_points(ax, free_x, free_y, STRATEGIES, hollow, "scale-free");
        lb_plot_points(ax, x, y, STRATEGIES, variant_style(k), "by the rule");
        name_points(ax, free_x, free_y, names);
        char *series = lb_xprintf("F21.6/%s", variants[k]);
        lb_record_series(s->record, series, x, STRATEGIES);
        free(series);
    }
    char *note = lb_xprintf("A line joins the two points of a reduction: filled drawn %.2f above "
                            "their R^{2} of signal to noise, hollow as much below.",
                            apart);
    lb_figure_note(f, note);
    free(note);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void run(lb_study *s)
{
    audit *a = audit_open(s);
    variant v[VARIANTS] = {{.photon = false}, {.photon = true}};
    for (size_t k = 0; k < VARIANTS && lb_study_ok(s); k++) {
        run_variant(s, a, &v[k]);
        if (lb_study_ok(s))
            put_variant(s, &v[k], variants[k], repr_of[k]);
    }
    if (lb_study_ok(s)) {
        put_rows(s, a);
        put_not_run(s);
        table_models(s, &v[PLAIN_ERRORS], "T21.1", variants[PLAIN_ERRORS]);
        table_models(s, &v[CONTROL], "T21.2", variants[CONTROL]);
        table_checks(s);
        table_strategies(s, "T21.4", repr_of[PLAIN_ERRORS]);
        table_strategies(s, "T21.5", repr_of[CONTROL]);
        figure_models(s, a, v);
        figure_importance(s, a, v);
        figure_histogram(s, a, v);
        figure_checks(s, a, v);
        figure_strategies(s, a, v);
        figure_trade(s, a, v);
    }
    for (size_t k = 0; k < VARIANTS; k++)
        free(v[k].importance);
    audit_close(a);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e21_error_leakage",
                             "Do the errors of a spectrum give its gravity away? Ridge on error "
                             "vectors, sanity checks, reductions, and a control that leaks.",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
