/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E20: how much of the variance of log g can a spectrum tell at most?
 *
 * Fisher information of log g at every node of the grid, temperature and metallicity unknown, swept
 * over signal to noise; the same at the test set's own stars, beside the scores of the global model
 * and the nine experts; and the mistakes that made an earlier ceiling of the programme invalid.
 * Reads   the embedded grid; spectra of the profile; templates/experiments/e20_ceiling/spec.yaml;
 *         data/published/published.tsv, for the crossing of the published points
 * Writes  data/results/<profile>/e20_ceiling.h5, figures e20_*
 */
#include "core/memory.h"
#include "figure/plot.h"
#include "stats/quantile.h"
#include "study/limit.h"
#include "study/moe.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 12, FINE = 241, SUBSETS = 4, STRATA = 4, GLOBAL = 0, MIXTURE = 1 };

/* Which labels are unknown besides log g; the last is the ceiling of this report. */
static const struct {
    const char *key, *name;
    size_t params[3], n;
} subsets[SUBSETS] = {{"none", "nothing else", {1}, 1},
                      {"teff", "T_eff", {1, 0}, 2},
                      {"mh", "[M/H]", {1, 2}, 2},
                      {"both", "T_eff and [M/H]", {1, 0, 2}, 3}};
enum { BOTH = SUBSETS - 1 };
static const char *const strata[STRATA] = {"x", "l", "m", "h"};

typedef struct result {
    lb_ceiling *grid;
    lb_survey nodes, spline;       /* slopes by differences; by the spline */
    double per_exposure;           /* median SNR per pixel of the nodes at exposure SNR 1 */
    const double *magnitude, *snr; /* [n] of the published sweep */
    size_t n, focus;
    lb_survey_row row[MOST], row_of[SUBSETS][MOST];
    lb_survey_row fine[SUBSETS][FINE];
    double fine_snr[FINE];
    lb_number critical[SUBSETS];
    lb_bound *at_focus; /* [nodes] at the SNR of the focus magnitude */
    lb_limit limit;
    lb_rowset *stratum[STRATA]; /* faint to bright; NULL: none */
    lb_limit_share all, share[STRATA];
    lb_number r2_all[2], r2[STRATA][2];
} result;

static void put(lb_study *s, double value, const char *kind, const char *unit, int digits,
                const char *format, ...) __attribute__((format(printf, 6, 7)));

static void put(lb_study *s, double value, const char *kind, const char *unit, int digits,
                const char *format, ...)
{
    char key[96];
    va_list args;
    va_start(args, format);
    vsnprintf(key, sizeof key, format, args);
    va_end(args);
    lb_number x =
        isfinite(value) ? lb_number_plain(value, kind, unit) : lb_number_na(kind, "n/a (infinite)");
    x.digits = digits;
    lb_study_put(s, x, "%s", key);
}

/* --- the grid -----------------------------------------------------------------------------------
 */

/* A grid has few values an axis; labels drawn at random have as many as there are stars. */
static void check_axes(lb_study *s, result *r)
{
    static const char *const keys[LB_GRID_AXES] = {"teff", "logg", "mh"};
    size_t most = 0;
    for (int a = 0; a < LB_GRID_AXES && lb_study_ok(s); a++) {
        lb_axis_check axis;
        lb_study_take(s, lb_fisher_check_axis(keys[a], lb_grid_axis(lb_ceiling_grid(r->grid), a),
                                              &axis, s->err));
        lb_study_put(s, lb_number_count(axis.distinct), "grid.%s.values", keys[a]);
        put(s, axis.step, "step", a ? "dex" : "K", a ? 2 : 0, "grid.%s.step", keys[a]);
        put(s, axis.irregularity, "ratio", "", 3, "grid.%s.irregularity", keys[a]);
        most = axis.distinct > most ? axis.distinct : most;
    }
    lb_study_put(s, lb_number_count(most), "grid.most_values");
    lb_study_put(s, lb_number_count(lb_ceiling_nodes(r->grid)), "grid.n_nodes");
}

/* Magnitude at which the median node has this signal to noise per pixel. Magnitudes of exposures of
 * different length do not compare; signal to noise does. */
static double magnitude_of(const result *r, double snr)
{
    return lb_ceiling_magnitude(snr / r->per_exposure);
}

static void sweep(lb_study *s, const lb_survey *nodes, size_t subset, double magnitude,
                  double level, lb_survey_row *out)
{
    if (lb_study_ok(s))
        lb_study_take(s, lb_survey_sweep(nodes, subsets[subset].params, subsets[subset].n,
                                         &magnitude, 1, level, out, s->err));
}

static void put_row(lb_study *s, const lb_survey_row *row, const char *prefix, double magnitude)
{
    const lb_bound_summary *b = &row->bounds;
    put(s, row->snr_median_pixel, "snr", "", 1, "%s.mag%.1f.snr", prefix, magnitude);
    put(s, row->magnitude, "magnitude", "", 2, "%s.mag%.1f.own_magnitude", prefix, magnitude);
    put(s, row->error_median, "flux", "", 4, "%s.mag%.1f.error_median", prefix, magnitude);
    put(s, b->r2.median, "r2max", "", 4, "%s.mag%.1f.r2max_median", prefix, magnitude);
    put(s, b->r2.p10, "r2max", "", 4, "%s.mag%.1f.r2max_p10", prefix, magnitude);
    put(s, b->r2.p90, "r2max", "", 4, "%s.mag%.1f.r2max_p90", prefix, magnitude);
    put(s, b->r2.mean, "r2max", "", 4, "%s.mag%.1f.r2max_mean", prefix, magnitude);
    put(s, b->r2.std, "r2max", "", 4, "%s.mag%.1f.r2max_std", prefix, magnitude);
    put(s, 100.0 * b->r2_zero, "percent", "%", 1, "%s.mag%.1f.zero", prefix, magnitude);
    put(s, b->r2_dataset, "r2max", "", 4, "%s.mag%.1f.r2max_pooled", prefix, magnitude);
    put(s, b->decay.median, "ratio", "", 4, "%s.mag%.1f.schur", prefix, magnitude);
    put(s, b->crlb_decades, "decades", "", 2, "%s.mag%.1f.crlb_orders", prefix, magnitude);
    put(s, b->sigma_min.p10, "sigma", "dex", 4, "%s.mag%.1f.sigma_p10", prefix, magnitude);
    put(s, b->sigma_min.median, "sigma", "dex", 4, "%s.mag%.1f.sigma_median", prefix, magnitude);
    put(s, b->sigma_min.p90, "sigma", "dex", 4, "%s.mag%.1f.sigma_p90", prefix, magnitude);
    lb_study_put(s, lb_number_count(b->failed), "%s.mag%.1f.failed", prefix, magnitude);
}

/* region: protocol */
/* The published magnitudes at the signal to noise published for them, then a fine sweep for the
 * signal to noise at which the median ceiling is one half; each with and without the other labels
 * known. */
static void run_sweeps(lb_study *s, result *r)
{
    const double lo = lb_spec_number(s->spec, "settings.fine_snr_lo");
    const double hi = lb_spec_number(s->spec, "settings.fine_snr_hi");
    for (size_t k = 0; k < SUBSETS; k++) {
        double median[FINE];
        for (size_t i = 0; i < r->n; i++)
            sweep(s, &r->nodes, k, magnitude_of(r, r->snr[i]), 1.0, &r->row_of[k][i]);
        for (size_t i = 0; i < FINE; i++) {
            r->fine_snr[i] = hi * pow(lo / hi, (double)i / (FINE - 1));
            sweep(s, &r->nodes, k, magnitude_of(r, r->fine_snr[i]), 1.0, &r->fine[k][i]);
            median[i] = r->fine[k][i].bounds.r2.median;
        }
        lb_number cliff = {0};
        if (!lb_study_ok(s))
            return;
        lb_study_take(s,
                      lb_bound_critical_snr((lb_cvec){r->fine_snr, FINE}, (lb_cvec){median, FINE},
                                            lb_spec_number(s->spec, "thresholds.half"),
                                            &r->critical[k], &cliff, s->err));
        r->critical[k].digits = cliff.digits = 2;
        lb_study_put(s, r->critical[k], "nuisance.%s.critical_snr", subsets[k].key);
        if (k == BOTH) {
            lb_study_put(s, r->critical[k], "critical_snr");
            lb_study_put(s, cliff, "cliff_snr");
        }
    }
    for (size_t i = 0; i < r->n; i++) {
        r->row[i] = r->row_of[BOTH][i];
        put_row(s, &r->row[i], "3d", r->magnitude[i]);
    }
}
/* end region */

/* What is said about the focus magnitude alone; published as V2. */
static void put_focus(lb_study *s, result *r)
{
    const lb_bound_summary *b = &r->row[r->focus].bounds;
    const double exposure = lb_ceiling_snr(magnitude_of(r, r->snr[r->focus]));
    double *raw = lb_xcalloc(r->nodes.n, sizeof *raw);
    r->at_focus = lb_xcalloc(r->nodes.n, sizeof *r->at_focus);
    if (lb_study_ok(s))
        lb_study_take(s, lb_survey_bounds(&r->nodes, subsets[BOTH].params, 3, (lb_cvec){NULL, 0},
                                          r->at_focus, s->err));
    for (size_t i = 0; i < r->nodes.n && lb_study_ok(s); i++) {
        lb_bound plain;
        lb_study_take(s, lb_fisher_bound(&r->nodes.information[i], subsets[BOTH].params, 3, NULL,
                                         &plain, s->err));
        r->at_focus[i] = lb_bound_rescaled(r->at_focus[i], 1.0 / exposure);
        raw[i] = plain.condition;
    }
    lb_sort(raw, r->nodes.n);
    put(s, b->r2.median, "r2max", "", 4, "v2.r2max_median");
    put(s, b->r2.mean, "r2max", "", 4, "v2.r2max_mean");
    put(s, b->r2.std, "r2max", "", 4, "v2.r2max_std");
    put(s, b->r2.p10, "r2max", "", 4, "v2.r2max_p10");
    put(s, b->r2.p90, "r2max", "", 4, "v2.r2max_p90");
    put(s, b->crlb.min, "crlb", "dex2", 5, "v2.crlb_min");
    put(s, b->crlb.p10, "crlb", "dex2", 4, "v2.crlb_p10");
    put(s, b->crlb.median, "crlb", "dex2", 4, "v2.crlb_median");
    put(s, b->crlb.p90, "crlb", "dex2", 3, "v2.crlb_p90");
    put(s, b->crlb.max, "crlb", "dex2", 2, "v2.crlb_max");
    put(s, b->crlb_decades, "decades", "", 2, "v2.crlb_orders");
    put(s, b->decay.median, "ratio", "", 4, "v2.schur_median");
    put(s, b->decay.p10, "ratio", "", 4, "v2.schur_p10");
    put(s, b->condition.median, "condition", "", 0, "v2.cond_steps_median");
    put(s, lb_quantile(raw, r->nodes.n, 0.5), "condition", "", 0, "v2.cond_median");
    put(s, raw[r->nodes.n - 1], "condition", "", 0, "v2.cond_max");
    lb_study_put(s, lb_number_count(r->nodes.n), "v2.n_points");
    put(s, r->nodes.variance[1], "variance", "dex2", 4, "variance_logg");
    /* The median is one half where the median CRLB is half the variance: no sweep needed. */
    put(s, r->snr[r->focus] * sqrt(2.0 * b->crlb.median / r->nodes.variance[1]), "snr", "", 2,
        "critical_snr.exact");
    free(raw);
}

/* What each unknown label costs, and the six-point interpolation beside the fine one. */
static void put_nuisance(lb_study *s, const result *r)
{
    const double alone = r->row_of[0][r->focus].bounds.r2.median;
    double snr[MOST], median[MOST];
    lb_number coarse = {0}, cliff = {0};
    for (size_t k = 0; k < SUBSETS; k++) {
        const lb_bound_summary *b = &r->row_of[k][r->focus].bounds;
        put(s, b->r2.median, "r2max", "", 4, "nuisance.%s.r2max_median", subsets[k].key);
        put(s, b->decay.median, "ratio", "", 4, "nuisance.%s.schur", subsets[k].key);
        put(s, b->sigma_min.median, "sigma", "dex", 4, "nuisance.%s.sigma_median", subsets[k].key);
        put(s, 100.0 * (b->r2.median / alone - 1.0), "percent", "%", 2, "nuisance.%s.delta",
            subsets[k].key);
    }
    for (size_t i = 0; i < r->n; i++) {
        snr[i] = r->snr[i];
        median[i] = r->row[i].bounds.r2.median;
    }
    if (lb_study_ok(s))
        lb_study_take(s, lb_bound_critical_snr((lb_cvec){snr, r->n}, (lb_cvec){median, r->n},
                                               lb_spec_number(s->spec, "thresholds.half"), &coarse,
                                               &cliff, s->err));
    coarse.digits = 2;
    lb_study_put(s, coarse, "critical_snr.six_points");
}

/* Where the published medians cross one half, by the interpolation our own points get. */
static void cross_published(lb_study *s, const result *r, const char *table, lb_number *critical,
                            lb_number *cliff)
{
    double snr[MOST], median[MOST];
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        const lb_published_entry *x =
            lb_study_published(s, "e20.%s.mag%.1f.snr", table, r->magnitude[i]);
        const lb_published_entry *y =
            lb_study_published(s, "e20.%s.mag%.1f.r2max_median", table, r->magnitude[i]);
        if (!x || !y)
            continue;
        snr[n] = x->number;
        median[n++] = y->number;
    }
    if (lb_study_ok(s))
        lb_study_take(s, lb_bound_critical_snr((lb_cvec){snr, n}, (lb_cvec){median, n},
                                               lb_spec_number(s->spec, "thresholds.half"), critical,
                                               cliff, s->err));
    critical->digits = cliff->digits = 2;
}

/* Two tables of the source give the same medians at different signal to noise. */
static void put_published(lb_study *s, const result *r)
{
    lb_number sweep_critical = {0}, sweep_cliff = {0}, curve_critical = {0}, curve_cliff = {0};
    cross_published(s, r, "3d", &sweep_critical, &sweep_cliff);
    cross_published(s, r, "curve", &curve_critical, &curve_cliff);
    lb_study_put(s, sweep_critical, "critical_snr.published_3d");
    lb_study_put(s, sweep_cliff, "cliff_snr.published_3d");
    lb_study_put(s, curve_critical, "critical_snr.published_curve");
}

/* Errors times a noise level are errors of a fainter star. */
static void run_levels(lb_study *s, const result *r)
{
    size_t n;
    const double *level = lb_spec_numbers(s->spec, "settings.levels", &n);
    static const lb_column columns[] = {{"noise level", ""},
                                        {"SNR per pixel", ""},
                                        {"R²_max, median", ""},
                                        {"p10", ""},
                                        {"p90", ""},
                                        {"nodes with R²_max = 0, %", ""},
                                        {"σ_min, median, dex", ""}};
    if (lb_study_ok(s))
        lb_record_table(s->record, "T20.7", sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < n; i++) {
        lb_survey_row row = {0};
        sweep(s, &r->nodes, BOTH, magnitude_of(r, r->snr[r->focus]), level[i], &row);
        put(s, row.snr_median_pixel, "snr", "", 1, "level_%.1f.snr", level[i]);
        put(s, row.bounds.r2.median, "r2max", "", 4, "level_%.1f.r2max_median", level[i]);
        put(s, row.bounds.r2.p10, "r2max", "", 4, "level_%.1f.r2max_p10", level[i]);
        put(s, row.bounds.r2.p90, "r2max", "", 4, "level_%.1f.r2max_p90", level[i]);
        put(s, 100.0 * row.bounds.r2_zero, "percent", "%", 1, "level_%.1f.zero", level[i]);
        put(s, row.bounds.crlb.median, "crlb", "dex2", 6, "level_%.1f.crlb_median", level[i]);
        put(s, row.bounds.sigma_min.median, "sigma", "dex", 4, "level_%.1f.sigma_median", level[i]);
        lb_study_row(s, "T20.7",
                     "=%1$.1f|level_%1$.1f.snr|level_%1$.1f.r2max_median|level_%1$.1f.r2max_p10|"
                     "level_%1$.1f.r2max_p90|level_%1$.1f.zero|level_%1$.1f.sigma_median",
                     level[i]);
    }
}

/* The curve table of the source gives two magnitudes another signal to noise than the table it was
 * drawn from: what that alone does to the ceiling. */
static void run_other_labels(lb_study *s, const result *r)
{
    size_t n;
    const double *snr = lb_spec_numbers(s->spec, "settings.curve_snr", &n);
    for (size_t i = 0; i < n && i < r->n; i++) {
        lb_survey_row row = {0};
        if (snr[i] == r->snr[i])
            continue;
        sweep(s, &r->nodes, BOTH, magnitude_of(r, snr[i]), 1.0, &row);
        put(s, snr[i], "snr", "", 1, "curve.mag%.1f.snr", r->magnitude[i]);
        put(s, row.bounds.r2.median, "r2max", "", 4, "curve.mag%.1f.r2max_median", r->magnitude[i]);
        put(s, row.bounds.sigma_min.median, "sigma", "dex", 4, "curve.mag%.1f.sigma_median",
            r->magnitude[i]);
    }
}

/* Median ceiling of the nodes in each of the nine bins, at the focus: who is hard? */
static void put_map(lb_study *s, const result *r)
{
    const lb_bins *b = &s->data.bins;
    double *value = lb_xcalloc(r->nodes.n, sizeof *value), worst = INFINITY;
    char name[32], worst_name[32] = "";
    static const lb_column columns[] = {
        {"k", ""}, {"name", ""}, {"nodes", ""}, {"R²_max, median", ""}};
    if (lb_study_ok(s))
        lb_record_table(s->record, "T20.8", 4, columns);
    for (size_t k = 0; k < lb_bins_count(b) && r->at_focus; k++) {
        size_t n = 0;
        for (size_t i = 0; i < r->nodes.n; i++) {
            int bin;
            lb_bins_assign(b, (lb_cvec){r->nodes.points + 3 * i, 1},
                           (lb_cvec){r->nodes.points + 3 * i + 2, 1}, &bin);
            if (bin == (int)k)
                value[n++] = lb_bound_r2(&r->at_focus[i], r->nodes.variance[1]);
        }
        lb_sort(value, n);
        const double median = lb_quantile(value, n, 0.5);
        lb_bins_name(b, (int)k, name);
        put(s, median, "r2max", "", 4, "map.k%zu.r2max_median", k);
        lb_study_put(s, lb_number_count(n), "map.k%zu.nodes", k);
        lb_study_row(s, "T20.8", "=%1$zu|=%2$s|map.k%1$zu.nodes|map.k%1$zu.r2max_median", k, name);
        if (median < worst) {
            worst = median;
            snprintf(worst_name, sizeof worst_name, "%s", name);
        }
    }
    lb_study_put_text(s, worst_name, "map.worst");
    put(s, worst, "r2max", "", 4, "map.worst.r2max");
    free(value);
}

/* --- is it healthy? -----------------------------------------------------------------------------
 */

static void put_health(lb_study *s, const lb_bound_summary *b, size_t values, const char *key)
{
    lb_study_put(s, lb_number_count(b->n), "%s.points", key);
    lb_study_put(s, lb_number_count(values), "%s.values", key);
    put(s, b->r2.median, "r2max", "", 4, "%s.r2max_median", key);
    put(s, b->r2.p90, "r2max", "", 4, "%s.r2max_p90", key);
    put(s, b->decay.median, "ratio", "", 4, "%s.schur", key);
    put(s, b->crlb_decades, "decades", "", 2, "%s.crlb_orders", key);
    put(s, b->condition.median, "condition", "", 0, "%s.cond_steps_median", key);
}

/* Condition numbers of n information matrices: in steps of the grid, and in kelvin and dex. Changes
 * n values of @p plain. */
static void put_condition(lb_study *s, const lb_bound_summary *b, double *plain, size_t n,
                          const char *key)
{
    lb_sort(plain, n);
    put(s, b->condition.p90, "condition", "", 0, "%s.cond_steps_p90", key);
    put(s, b->condition.max, "condition", "", 0, "%s.cond_steps_max", key);
    put(s, lb_quantile(plain, n, 0.5), "condition", "", 0, "%s.cond_median", key);
    put(s, plain[n - 1], "condition", "", 0, "%s.cond_max", key);
}

/* The same for the nodes of the grid. */
static void put_condition_of_nodes(lb_study *s, const lb_survey *nodes, const lb_bound_summary *b,
                                   const char *key)
{
    double *plain = lb_xcalloc(nodes->n, sizeof *plain);
    for (size_t i = 0; i < nodes->n && lb_study_ok(s); i++) {
        lb_bound x = {0};
        lb_study_take(
            s, lb_fisher_bound(&nodes->information[i], subsets[BOTH].params, 3, NULL, &x, s->err));
        plain[i] = x.condition;
    }
    put_condition(s, b, plain, nodes->n, key);
    free(plain);
}

typedef struct labelled {
    double label;
    size_t row;
} labelled;

static int by_label(const void *a, const void *b)
{
    const labelled *x = a, *y = b;
    return x->label != y->label ? (x->label > y->label) - (x->label < y->label)
                                : (x->row > y->row) - (x->row < y->row);
}

/* region: broken */
/* Slopes as the invalid first ceiling took them: between neighbours on the sorted axis, among stars
 * that differ in everything else too. */
static void broken_slopes(lb_cmatf flux, const double *label, double *slope)
{
    const size_t n = flux.rows, p = flux.cols;
    labelled *order = lb_xcalloc(n, sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = (labelled){label[i], i};
    qsort(order, n, sizeof *order, by_label);
    for (size_t k = 0; k < n; k++) {
        const labelled *lo = &order[k > 0 ? k - 1 : 0], *hi = &order[k + 1 < n ? k + 1 : n - 1];
        const float *f0 = flux.data + lo->row * p, *f1 = flux.data + hi->row * p;
        const double gap = fmax(hi->label - lo->label, 1e-12);
        for (size_t j = 0; j < p; j++)
            slope[order[k].row * 3 * p + j] = ((double)f1[j] - f0[j]) / gap;
    }
    free(order);
}
/* end region */

/* The bound at each star from such slopes, all at one signal to noise; and the condition number in
 * kelvin and dex. */
static void broken_bounds(lb_study *s, const result *r, const double *slopes, lb_cmatf flux,
                          lb_cmatf error, lb_bound *b, double *condition)
{
    const double exposure = lb_ceiling_snr(magnitude_of(r, r->snr[r->focus]));
    const size_t p = error.cols;
    double *sigma = lb_xcalloc(p, sizeof *sigma);
    for (size_t i = 0; i < error.rows && lb_study_ok(s); i++) {
        const float *f = flux.data + i * p, *e = error.data + i * p;
        double ff = 0.0, ee = 0.0;
        lb_fisher info;
        lb_bound plain = {0};
        for (size_t j = 0; j < p; j++) {
            ff += (double)f[j] * f[j];
            ee += (double)e[j] * e[j];
        }
        for (size_t j = 0; j < p; j++)
            sigma[j] = e[j] * sqrt(ff / ee) / exposure;
        lb_study_take(s, lb_fisher_information((lb_cmat){slopes + 3 * p * i, 3, p, p},
                                               (lb_cvec){sigma, p}, &info, s->err));
        if (lb_study_ok(s))
            lb_study_take(
                s, lb_fisher_bound(&info, subsets[BOTH].params, 3, r->nodes.step, &b[i], s->err));
        if (lb_study_ok(s))
            lb_study_take(s, lb_fisher_bound(&info, subsets[BOTH].params, 3, NULL, &plain, s->err));
        condition[i] = plain.condition;
    }
    free(sigma);
}

/* Random labels taken for a grid, on the stars of the test set. The check of the axes refuses them;
 * this shows why. */
static void run_broken(lb_study *s, const result *r)
{
    const lb_cohort *c = &s->data;
    const size_t p = lb_spectra_pixels(c->test.spectra);
    const size_t most = lb_spec_size(s->spec, "settings.broken_rows");
    const size_t n = c->test.n < most ? c->test.n : most;
    float *rows = lb_xcalloc(2 * n * p, sizeof *rows);
    double *slopes = lb_xcalloc(3 * n * p, sizeof *slopes);
    const lb_matf flux = {rows, n, p, p}, error = {rows + n * p, n, p, p};
    const double *label[3] = {c->test.teff, c->test.target, c->test.mh};
    lb_bound *b = lb_xcalloc(n, sizeof *b);
    double *condition = lb_xcalloc(n, sizeof *condition);
    lb_bound_summary summary = {0};
    lb_axis_check axis = {0};
    lb_exposure clean;
    lb_cohort_errors errors;
    lb_error why = {0};
    const lb_status refused = lb_fisher_check_axis("log g", (lb_cvec){label[1], n}, &axis, &why);
    lb_study_put(s, lb_number_count(refused != LB_OK), "v1.refused");
    lb_study_put_text(s, refused != LB_OK ? why.text : "accepted", "v1.refusal");
    lb_cohort_expose(c, 0.0, lb_noise_seeds_of(s->spec), &clean);
    lb_cohort_errors_of(c, &errors);
    if (lb_study_ok(s))
        lb_study_take(s, clean.test.read(clean.test.self, 0, flux, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, errors.test.read(errors.test.self, 0, error, s->err));
    for (size_t a = 0; a < 3 && lb_study_ok(s); a++)
        broken_slopes(lb_matf_const(flux), label[a], slopes + a * p);
    broken_bounds(s, r, slopes, lb_matf_const(flux), lb_matf_const(error), b, condition);
    if (lb_study_ok(s))
        lb_study_take(s, lb_bounds_summarise(b, n, r->nodes.variance[1], &summary, s->err));
    put_health(s, &summary, n, "v1");
    put_condition(s, &summary, condition, n, "v1");
    free(rows);
    free(slopes);
    free(condition);
    free(b);
}

static void run_health(lb_study *s, result *r)
{
    static const lb_column columns[] = {{"ceiling", ""},
                                        {"points", ""},
                                        {"most values an axis", ""},
                                        {"R²_max, median", ""},
                                        {"p90", ""},
                                        {"Schur decay", ""},
                                        {"CRLB, decades", ""},
                                        {"condition, in steps", ""}};
    static const char *const rows[3][2] = {{"v1", "random labels as a grid"},
                                           {"differences", "grid, differences"},
                                           {"spline", "grid, spline"}};
    lb_survey_row row = {0};
    size_t values = 0;
    for (int a = 0; a < LB_GRID_AXES; a++) {
        const size_t n = lb_grid_axis(lb_ceiling_grid(r->grid), a).n;
        values = n > values ? n : values;
    }
    sweep(s, &r->spline, BOTH, magnitude_of(r, r->snr[r->focus]), 1.0, &row);
    put_health(s, &row.bounds, values, "spline");
    put_health(s, &r->row[r->focus].bounds, values, "differences");
    put_condition_of_nodes(s, &r->spline, &row.bounds, "spline");
    put_condition_of_nodes(s, &r->nodes, &r->row[r->focus].bounds, "differences");
    run_broken(s, r);
    if (!lb_study_ok(s))
        return;
    lb_record_table(s->record, "T20.4", sizeof columns / sizeof *columns, columns);
    lb_study_table(s, "T20.9",
                   "ceiling|in steps, median:.0f|in steps, p90:.0f|in steps, largest:.0f|"
                   "in K and dex, median:.2e|in K and dex, largest:.2e");
    for (size_t i = 0; i < 3; i++) {
        lb_study_row(s, "T20.4",
                     "=%2$s|%1$s.points|%1$s.values|%1$s.r2max_median|%1$s.r2max_p90|%1$s.schur|"
                     "%1$s.crlb_orders|%1$s.cond_steps_median",
                     rows[i][0], rows[i][1]);
        lb_study_row(s, "T20.9",
                     "=%2$s|%1$s.cond_steps_median|%1$s.cond_steps_p90|%1$s.cond_steps_max|"
                     "%1$s.cond_median|%1$s.cond_max",
                     rows[i][0], rows[i][1]);
    }
}

/* --- models against the ceiling -----------------------------------------------------------------
 */

static void put_share(lb_study *s, const lb_limit_share *a, const char *key)
{
    lb_study_put(s, lb_number_count(a->n), "snr.%s.rows", key);
    put(s, a->snr_median, "snr", "", 1, "snr.%s.median", key);
    put(s, a->each.r2.median, "r2max", "", 4, "snr.%s.ceiling", key);
    put(s, a->each.r2_dataset, "r2max", "", 4, "snr.%s.pooled", key);
    put(s, a->prior, "r2max", "", 4, "snr.%s.prior", key);
}

/* Score and efficiency of both models on one row set. */
static void put_models(lb_study *s, const lb_moe *moe, const lb_rowset *rows,
                       const lb_limit_share *a, const char *key, lb_number r2[2])
{
    static const char *const names[] = {"global", "moe"};
    const lb_entry entries[] = {{"global", moe->global.yhat_chosen, false},
                                {"mixture + fallback", moe->with_fallback[0], true}};
    lb_contest *t = lb_contest_on(s, &s->data, rows, entries, 2);
    for (size_t m = 0; m < 2; m++) {
        lb_number share = {0}, prior = {0};
        r2[m] = lb_contest_r2(t, m);
        if (lb_study_ok(s))
            lb_study_take(s, lb_fisher_efficiency(&r2[m], a->each.r2.median, &share, s->err));
        if (lb_study_ok(s))
            lb_study_take(s, lb_fisher_efficiency(&r2[m], a->prior, &prior, s->err));
        share.digits = prior.digits = 2;
        lb_study_put(s, r2[m], "snr.%s.r2.%s", key, names[m]);
        lb_study_put(s, share, "snr.%s.efficiency.%s", key, names[m]);
        lb_study_put(s, prior, "snr.%s.of_prior.%s", key, names[m]);
    }
    lb_contest_free(t);
}

static void put_no_models(lb_study *s, size_t n, const char *key)
{
    static const char *const kinds[] = {
        "median", "ceiling",           "pooled",         "prior",           "r2.global",
        "r2.moe", "efficiency.global", "efficiency.moe", "of_prior.global", "of_prior.moe"};
    lb_study_put(s, lb_number_count(n), "snr.%s.rows", key);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        lb_study_put(s, lb_number_na("r2max", "n/a (n<10)"), "snr.%s.%s", key, kinds[i]);
}

/* The mistake of comparing the median ceiling at one magnitude with a score pooled over many. */
static void put_gaps(lb_study *s, const result *r)
{
    const double focus = r->row[r->focus].bounds.r2.median, global = r->r2_all[GLOBAL].value;
    size_t below = 0;
    for (size_t i = 0; i < r->limit.n; i++)
        below += r->limit.inside[i] && r->limit.snr_pixel[i] < r->critical[BOTH].value;
    put(s, focus - global, "gap", "", 4, "v2.gap_ridge");
    lb_study_put(s, lb_number_na("gap", "not run (no LightGBM)"), "v2.gap_lgbm");
    put(s, r->all.each.r2.median - global, "gap", "", 4, "gap.own_stars");
    put(s, r->all.prior - global, "gap", "", 4, "gap.prior");
    put(s, 100.0 * (double)below / (double)r->limit.n_inside, "percent", "%", 1,
        "test.below_critical");
    put(s, r->limit.snr_mismatch, "ratio", "", 6, "test.snr_mismatch");
}

/* Mean residual of the global model at both ends of the range: the pull towards the middle. */
static void put_ends(lb_study *s, const lb_moe *moe)
{
    const double low = lb_spec_number(s->spec, "settings.end_low");
    const double high = lb_spec_number(s->spec, "settings.end_high");
    const lb_side *t = &s->data.test;
    double sum[2] = {0.0, 0.0};
    size_t n[2] = {0, 0};
    for (size_t i = 0; i < t->n; i++) {
        const int end = t->target[i] < low ? 0 : t->target[i] > high ? 1 : -1;
        if (end < 0)
            continue;
        sum[end] += moe->global.yhat_chosen.data[i] - t->target[i];
        n[end]++;
    }
    put(s, n[0] ? sum[0] / (double)n[0] : NAN, "bias", "dex", 3, "residual.low");
    put(s, n[1] ? sum[1] / (double)n[1] : NAN, "bias", "dex", 3, "residual.high");
}

static void run_models(lb_study *s, result *r, const lb_moe *moe)
{
    const lb_cohort *c = &s->data;
    size_t n_edges;
    const double *edge = lb_spec_numbers(s->spec, "settings.snr_edges", &n_edges);
    const size_t fewest = lb_spec_size(s->spec, "bins.minimum_test");
    lb_rowset *inside = lb_limit_stratum(c, &r->limit, "test rows inside the grid", 0.0, INFINITY);
    lb_limit_of(s, c, &r->limit, inside, &r->all);
    put_share(s, &r->all, "all");
    put_models(s, moe, inside, &r->all, "all", r->r2_all);
    for (size_t k = 0; k < STRATA && lb_study_ok(s); k++) {
        char *name = lb_xprintf("test rows of SNR class %c", "XLMH"[k]);
        r->stratum[k] = lb_limit_stratum(c, &r->limit, name, k ? edge[k - 1] : 0.0,
                                         k < n_edges ? edge[k] : INFINITY);
        r->share[k].n = lb_rowset_size(r->stratum[k]);
        if (r->share[k].n < fewest) {
            put_no_models(s, r->share[k].n, strata[k]);
        } else {
            lb_limit_of(s, c, &r->limit, r->stratum[k], &r->share[k]);
            put_share(s, &r->share[k], strata[k]);
            put_models(s, moe, r->stratum[k], &r->share[k], strata[k], r->r2[k]);
        }
        free(name);
    }
    lb_rowset_free(inside);
    put_gaps(s, r);
    put_ends(s, moe);
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void table_sweep(lb_study *s, const result *r)
{
    static const lb_column one[] = {{"magnitude there", ""},
                                    {"SNR per pixel", ""},
                                    {"magnitude here", ""},
                                    {"R²_max, median", ""},
                                    {"p90", ""},
                                    {"p10", ""},
                                    {"mean", ""},
                                    {"std", ""},
                                    {"R²_max = 0, %", ""},
                                    {"pooled bound", ""},
                                    {"Schur", ""},
                                    {"CRLB, decades", ""},
                                    {"failed", ""}};
    static const lb_column two[] = {{"magnitude there", ""}, {"SNR per pixel", ""},
                                    {"median error", ""},    {"σ_min p10, dex", ""},
                                    {"median", ""},          {"p90", ""}};
    static const lb_column three[] = {{"magnitude there", ""},
                                      {"SNR per pixel", ""},
                                      {"3-D here", ""},
                                      {"5-D here", ""},
                                      {"Δ here", ""}};
    lb_record_table(s->record, "T20.1", sizeof one / sizeof *one, one);
    lb_record_table(s->record, "T20.2", sizeof two / sizeof *two, two);
    lb_record_table(s->record, "T20.3", sizeof three / sizeof *three, three);
    for (size_t i = 0; i < r->n; i++) {
        lb_study_row(
            s, "T20.1",
            "=%1$.1f|3d.mag%1$.1f.snr|3d.mag%1$.1f.own_magnitude|3d.mag%1$.1f.r2max_median|"
            "3d.mag%1$.1f.r2max_p90|3d.mag%1$.1f.r2max_p10|3d.mag%1$.1f.r2max_mean|"
            "3d.mag%1$.1f.r2max_std|3d.mag%1$.1f.zero|3d.mag%1$.1f.r2max_pooled|"
            "3d.mag%1$.1f.schur|3d.mag%1$.1f.crlb_orders|3d.mag%1$.1f.failed",
            r->magnitude[i]);
        lb_study_row(s, "T20.2",
                     "=%1$.1f|3d.mag%1$.1f.snr|3d.mag%1$.1f.error_median|3d.mag%1$.1f.sigma_p10|"
                     "3d.mag%1$.1f.sigma_median|3d.mag%1$.1f.sigma_p90",
                     r->magnitude[i]);
        lb_study_row(s, "T20.3",
                     "=%1$.1f|3d.mag%1$.1f.snr|3d.mag%1$.1f.r2max_median|=not possible with this "
                     "grid|=—",
                     r->magnitude[i]);
    }
}

static void table_nuisance(lb_study *s)
{
    static const lb_column columns[] = {{"unknown besides log g", ""}, {"R²_max, median", ""},
                                        {"against nothing, %", ""},    {"σ_min, median, dex", ""},
                                        {"Schur decay", ""},           {"critical SNR", ""}};
    lb_record_table(s->record, "T20.6", sizeof columns / sizeof *columns, columns);
    for (size_t k = 0; k < SUBSETS; k++)
        lb_study_row(s, "T20.6",
                     "=%2$s|nuisance.%1$s.r2max_median|nuisance.%1$s.delta|"
                     "nuisance.%1$s.sigma_median|nuisance.%1$s.schur|nuisance.%1$s.critical_snr",
                     subsets[k].key, subsets[k].name);
}

/* A class of few rows is marked beside its name: its scores say little. */
static void table_models(lb_study *s, const result *r)
{
    static const lb_column columns[] = {{"SNR class", ""},     {"n", ""},
                                        {"median SNR", ""},    {"R²_max, median", ""},
                                        {"pooled bound", ""},  {"with prior", ""},
                                        {"R² global", ""},     {"of the median", ""},
                                        {"of the prior", ""},  {"R² nine experts", ""},
                                        {"of the median", ""}, {"of the prior", ""}};
    const size_t shown = lb_spec_size(s->spec, "settings.minimum_shown");
    size_t n;
    const double *edge = lb_spec_numbers(s->spec, "settings.snr_edges", &n);
    lb_record_table(s->record, "T20.5", sizeof columns / sizeof *columns, columns);
    for (size_t k = STRATA; k-- > 0;) {
        char range[32], few[32] = "";
        if (k == STRATA - 1)
            snprintf(range, sizeof range, "above %g", edge[k - 1]);
        else if (k == 0)
            snprintf(range, sizeof range, "to %g", edge[0]);
        else
            snprintf(range, sizeof range, "%g to %g", edge[k - 1], edge[k]);
        if (r->share[k].n < shown)
            snprintf(few, sizeof few, " (n < %zu)", shown);
        lb_study_row(s, "T20.5",
                     "=%2$c, %3$s%4$s|snr.%1$s.rows|snr.%1$s.median|snr.%1$s.ceiling|"
                     "snr.%1$s.pooled|snr.%1$s.prior|snr.%1$s.r2.global|"
                     "snr.%1$s.efficiency.global|snr.%1$s.of_prior.global|snr.%1$s.r2.moe|"
                     "snr.%1$s.efficiency.moe|snr.%1$s.of_prior.moe",
                     strata[k], "XLMH"[k], range, few);
    }
    lb_study_row(s, "T20.5",
                 "=all|snr.all.rows|snr.all.median|snr.all.ceiling|snr.all.pooled|snr.all.prior|"
                 "snr.all.r2.global|snr.all.efficiency.global|snr.all.of_prior.global|"
                 "snr.all.r2.moe|snr.all.efficiency.moe|snr.all.of_prior.moe");
}

/* --- figures ------------------------------------------------------------------------------------
 */

static const char *const snr_label = "median SNR per pixel";

static lb_figure *open_figure(lb_study *s, const char *id, double w, double h, const char *what,
                              const char *alt)
{
    char *stem = lb_study_figure(s, id);
    lb_figure *f = lb_figure_new(stem, w, h, what, alt);
    free(stem);
    return f;
}

/* A threshold of the spec, its value in the legend. */
static void threshold_line(const lb_study *s, lb_axes *a, const char *name, lb_style style,
                           const char *format)
{
    char path[48], text[48];
    snprintf(path, sizeof path, "thresholds.%s", name);
    snprintf(text, sizeof text, format, lb_spec_number(s->spec, path));
    lb_plot_hline(a, lb_spec_number(s->spec, path), style, text);
}

/* One quantity of the fine sweep, and its spread over the nodes. */
typedef struct curve {
    double y[FINE], lo[FINE], hi[FINE];
} curve;

static void ceiling_curve(const result *r, size_t subset, bool sigma, curve *out)
{
    for (size_t i = 0; i < FINE; i++) {
        const lb_bound_summary *b = &r->fine[subset][i].bounds;
        const lb_spread *q = sigma ? &b->sigma_min : &b->r2;
        out->y[i] = q->median;
        out->lo[i] = q->p10;
        out->hi[i] = q->p90;
    }
}

/* A class of few test rows is in the table only: its intervals would flatten every other. */
static bool has_rows(const lb_study *s, const lb_limit_share *a)
{
    return a->variance > 0.0 && a->n >= lb_spec_size(s->spec, "settings.minimum_shown");
}

static void note_few(const lb_study *s, lb_figure *f, const char *before)
{
    char *note = lb_xprintf("%sClasses of fewer than %zu test rows are in the table only.", before,
                            lb_spec_size(s->spec, "settings.minimum_shown"));
    lb_figure_note(f, note);
    free(note);
}

/* Scores of a model in the SNR classes, at the median SNR of each. */
static void model_points(const lb_study *s, lb_axes *a, const result *r, size_t m, lb_style style,
                         const char *label)
{
    double x[STRATA], y[STRATA], lo[STRATA], hi[STRATA];
    size_t n = 0;
    for (size_t k = 0; k < STRATA; k++) {
        if (!has_rows(s, &r->share[k]))
            continue;
        x[n] = r->share[k].snr_median * (m == GLOBAL ? 0.985 : 1.015); /* side by side */
        y[n] = r->r2[k][m].value;
        lo[n] = r->r2[k][m].ci_lo;
        hi[n++] = r->r2[k][m].ci_hi;
    }
    if (n)
        lb_plot_errors(a, x, y, lo, hi, n, style, label);
}

static void figure_ceiling(lb_study *s, const result *r)
{
    char text[64], names[MOST][16];
    const char *name_of[MOST];
    double x[MOST], y[MOST], px[STRATA], py[STRATA];
    size_t shown = 0;
    curve c;
    ceiling_curve(r, BOTH, false, &c);
    lb_figure *f =
        open_figure(s, "F20.1", 6.5, 5.2,
                    "The ceiling of R^{2} against signal to noise\nE20, all nodes of the "
                    "grid, T_{eff} and [M/H] unknown",
                    "Median and 10 to 90 per cent band of the largest R2 an unbiased "
                    "estimator reaches, with the scores of two models.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x(a, snr_label, r->fine_snr[FINE - 1], r->fine_snr[0], LB_LOG10);
    lb_axes_y(a, "R^{2}_{max}", NAN, 1.05, LB_LINEAR);
    lb_style style = lb_style_role(LB_ORACLE), prior = lb_style_role(LB_CONDITIONAL);
    lb_plot_band(a, r->fine_snr, c.lo, c.hi, FINE, style, "nodes, p10 to p90");
    style.marker = LB_MARKER_NONE;
    style.dash = LB_SOLID;
    lb_plot_line(a, r->fine_snr, c.y, FINE, style, "median of the nodes");
    for (size_t i = 0; i < r->n; i++) {
        x[i] = r->snr[i];
        y[i] = r->row[i].bounds.r2.median;
        snprintf(names[i], sizeof names[i], "mag %.1f", r->magnitude[i]);
        name_of[i] = names[i];
    }
    lb_plot_points(a, x, y, r->n, lb_style_role(LB_ORACLE), "at the published SNR");
    lb_plot_labels(a, x, y, name_of, r->n, lb_style_role(LB_NEUTRAL));
    for (size_t k = 0; k < STRATA; k++)
        if (has_rows(s, &r->share[k])) {
            px[shown] = r->share[k].snr_median;
            py[shown++] = r->share[k].prior;
        }
    if (shown)
        lb_plot_points(a, px, py, shown, prior, "test stars, with prior");
    model_points(s, a, r, GLOBAL, lb_style_role(LB_GLOBAL), "global Ridge, by SNR class");
    model_points(s, a, r, MIXTURE, lb_style_role(LB_MIXTURE),
                 "nine experts (oracle), by SNR class");
    lb_style dotted = lb_style_role(LB_GLOBAL);
    dotted.dash = LB_DOTTED;
    snprintf(text, sizeof text, "global, all test rows: %.3f", r->r2_all[GLOBAL].value);
    lb_plot_hline(a, r->r2_all[GLOBAL].value, dotted, text);
    dotted = lb_style_role(LB_MIXTURE);
    dotted.dash = LB_DOTTED;
    snprintf(text, sizeof text, "nine experts, all test rows: %.3f", r->r2_all[MIXTURE].value);
    lb_plot_hline(a, r->r2_all[MIXTURE].value, dotted, text);
    if (isfinite(r->critical[BOTH].value)) {
        snprintf(text, sizeof text, "critical SNR %.2f", r->critical[BOTH].value);
        lb_plot_vline(a, r->critical[BOTH].value, lb_style_role(LB_THRESHOLD), text);
    }
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    note_few(s, f,
             "Whiskers: bootstrap intervals of the scores of models, on test rows of one SNR "
             "class each, at noise level one.\n");
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F20.1/snr", r->fine_snr, FINE);
    lb_record_series(s->record, "F20.1/median", c.y, FINE);
    lb_record_series(s->record, "F20.1/p10", c.lo, FINE);
    lb_record_series(s->record, "F20.1/p90", c.hi, FINE);
}

static void figure_sigma(lb_study *s, const result *r)
{
    curve c;
    ceiling_curve(r, BOTH, true, &c);
    lb_figure *f = open_figure(s, "F20.2", 6.2, 4.6,
                               "The smallest error an unbiased estimator can have\nE20, all nodes "
                               "of the grid, T_{eff} and [M/H] unknown",
                               "Smallest standard error of log g against signal to noise, median "
                               "and band, both axes logarithmic.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x(a, snr_label, r->fine_snr[FINE - 1], r->fine_snr[0], LB_LOG10);
    lb_axes_y(a, "σ_{min} of log g (dex)", NAN, NAN, LB_LOG10);
    lb_style style = lb_style_role(LB_ORACLE);
    lb_plot_band(a, r->fine_snr, c.lo, c.hi, FINE, style, "nodes, p10 to p90");
    style.marker = LB_MARKER_NONE;
    style.dash = LB_SOLID;
    lb_plot_line(a, r->fine_snr, c.y, FINE, style, "median of the nodes");
    lb_style line = lb_style_role(LB_THRESHOLD);
    threshold_line(s, a, "sigma_good", line, "%.1f dex");
    line.dash = LB_DOTTED;
    threshold_line(s, a, "sigma_fair", line, "%.1f dex");
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F20.2/sigma_min", c.y, FINE);
}

static void figure_magnitudes(lb_study *s, const result *r)
{
    char names[MOST][40];
    const char *name_of[MOST];
    double y[2][MOST];
    static const char *const labels[] = {"median of the nodes", "90th percentile"};
    for (size_t i = 0; i < r->n; i++) {
        snprintf(names[i], sizeof names[i], "mag %.1f\nSNR %.1f", r->magnitude[i], r->snr[i]);
        name_of[i] = names[i];
        y[0][i] = r->row[i].bounds.r2.median;
        y[1][i] = r->row[i].bounds.r2.p90;
    }
    lb_figure *f = open_figure(s, "F20.3", 6.5, 4.0,
                               "The ceiling at the published magnitudes\nE20, all nodes of the "
                               "grid at the SNR published for each magnitude",
                               "Bars of the median and the 90th percentile of the largest R2 at "
                               "six magnitudes.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, name_of, r->n);
    lb_axes_y(a, "R^{2}_{max}", 0.0, 1.15, LB_LINEAR);
    const lb_style styles[] = {lb_style_role(LB_ORACLE), lb_style_category(5)};
    for (size_t j = 0; j < 2; j++)
        lb_plot_bars(a, (lb_bars){.y = y[j],
                                  .n = r->n,
                                  .series = j,
                                  .of = 2,
                                  .style = styles[j],
                                  .format = "%.3f",
                                  .label = labels[j]});
    threshold_line(s, a, "headroom", lb_style_role(LB_THRESHOLD), "threshold %.2f");
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F20.3/median", y[0], r->n);
}

static void quantile_line(lb_axes *a, const double *sorted, size_t n, double q, lb_dash dash,
                          const char *format)
{
    char text[64];
    lb_style style = lb_style_role(LB_NEUTRAL);
    style.dash = dash;
    style.marker = LB_MARKER_NONE;
    const double x = lb_quantile(sorted, n, q);
    snprintf(text, sizeof text, format, x);
    lb_plot_vline(a, x, style, text);
}

/* Three histograms over the nodes at the focus: log CRLB, R2_max, log condition. */
static void figure_histogram(lb_study *s, const result *r, const char *id, const char *what,
                             const char *alt, const char *axis,
                             double (*of)(const lb_bound *, double), size_t bins, bool quantiles)
{
    double *x = lb_xcalloc(r->nodes.n, sizeof *x);
    for (size_t i = 0; i < r->nodes.n; i++)
        x[i] = of(&r->at_focus[i], r->nodes.variance[1]);
    char *title =
        lb_xprintf("%s\nE20, all nodes of the grid at SNR %.1f per pixel", what, r->snr[r->focus]);
    lb_figure *f = open_figure(s, id, 6.0, 4.0, title, alt);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x(a, axis, NAN, NAN, LB_LINEAR);
    lb_axes_y(a, "nodes", 0.0, NAN, LB_LINEAR);
    lb_plot_histogram(a, x, r->nodes.n, bins, lb_style_role(LB_ORACLE), NULL);
    lb_sort(x, r->nodes.n);
    quantile_line(a, x, r->nodes.n, 0.5, LB_SOLID, "median %.2f");
    if (quantiles) {
        quantile_line(a, x, r->nodes.n, 0.1, LB_DASHED, "p10 %.2f");
        quantile_line(a, x, r->nodes.n, 0.9, LB_DASHDOT, "p90 %.2f");
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    char *series = lb_xprintf("%s/sorted", id);
    lb_record_series(s->record, series, x, r->nodes.n);
    free(series);
    free(title);
    free(x);
}

static double log_crlb(const lb_bound *b, double variance)
{
    (void)variance;
    return log10(b->crlb);
}

static double log_condition(const lb_bound *b, double variance)
{
    (void)variance;
    return log10(b->condition);
}

static const char **axis_names(lb_cvec axis, const char *format, char (*text)[16])
{
    const char **names = lb_xcalloc(axis.n, sizeof *names);
    for (size_t i = 0; i < axis.n; i++) {
        snprintf(text[i], sizeof text[i], format, axis.data[i]);
        names[i] = text[i];
    }
    return names;
}

/* Medians over the axis that is not shown, so that no node is painted over. */
static void panel_map(lb_study *s, const result *r, lb_axes *a, lb_cvec value, size_t across,
                      size_t down, const char *label)
{
    static const char *const axes[] = {"T_{eff} (K)", "log g (dex)", "[M/H] (dex)"};
    static const char *const formats[] = {"%.0f", "%.1f", "%.2f"};
    const lb_cvec x = lb_grid_axis(lb_ceiling_grid(r->grid), (int)across);
    const lb_cvec y = lb_grid_axis(lb_ceiling_grid(r->grid), (int)down);
    const size_t first = across < down ? across : down;
    bool keep[LB_GRID_AXES] = {false, false, false};
    keep[across] = keep[down] = true;
    double *map = lb_xcalloc(2 * x.n * y.n, sizeof *map), *z = map + x.n * y.n;
    char text[2][64][16];
    if (lb_study_ok(s))
        lb_study_take(s, lb_ceiling_map(r->grid, value, keep, (lb_vec){map, x.n * y.n}, s->err));
    for (size_t i = 0; i < y.n; i++)
        for (size_t j = 0; j < x.n; j++)
            z[i * x.n + j] = first == across ? map[j * y.n + i] : map[i * x.n + j];
    const char **xn = axis_names(x, formats[across], text[0]);
    const char **yn = axis_names(y, formats[down], text[1]);
    lb_axes_x_names(a, axes[across], xn, x.n);
    lb_axes_y_names(a, axes[down], yn, y.n);
    lb_plot_heat(a, (lb_heat){.z = z,
                              .rows = y.n,
                              .cols = x.n,
                              .lo = 0.0,
                              .hi = 1.0,
                              .map = LB_CIVIDIS,
                              .format = "%.2f",
                              .label = label});
    free(xn);
    free(yn);
    free(map);
}

static void figure_maps(lb_study *s, const result *r)
{
    double *value = lb_xcalloc(r->nodes.n, sizeof *value);
    for (size_t i = 0; i < r->nodes.n; i++)
        value[i] = lb_bound_r2(&r->at_focus[i], r->nodes.variance[1]);
    const lb_cvec v = {value, r->nodes.n};
    char *title = lb_xprintf("Where the ceiling is low\nE20, SNR %.1f per pixel; each cell is the "
                             "median over the axis not shown",
                             r->snr[r->focus]);
    lb_figure *f = open_figure(s, "F20.6", 6.5, 8.6, title,
                               "Three heat maps of the largest R2: temperature and metallicity, "
                               "temperature and gravity, metallicity and gravity.");
    panel_map(s, r, lb_figure_panel(f, 0, 0, 3, 1), v, 0, 2, "R^{2}_{max}");
    panel_map(s, r, lb_figure_panel(f, 1, 0, 3, 1), v, 0, 1, "R^{2}_{max}");
    panel_map(s, r, lb_figure_panel(f, 2, 0, 3, 1), v, 2, 1, "R^{2}_{max}");
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F20.6/r2max", value, r->nodes.n);
    free(title);
    free(value);
}

static void figure_schur(lb_study *s, const result *r)
{
    lb_figure *f = open_figure(s, "F20.8", 6.5, 4.2,
                               "What the other labels leave of the information\nE20, all nodes of "
                               "the grid, median and p10 to p90",
                               "Share of the information on log g that is left when temperature, "
                               "metallicity or both are unknown, at six magnitudes.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    static const char *const labels[] = {NULL, "T_{eff} unknown", "[M/H] unknown", "both unknown"};
    lb_axes_x(a, "magnitude in the source (SNR as published)", 17.6, 23.4, LB_LINEAR);
    lb_axes_y(a, "Schur decay I_{eff} / I_{gg}", 0.0, 1.02, LB_LINEAR);
    for (size_t k = 1; k < SUBSETS; k++) {
        double x[MOST], y[MOST], lo[MOST], hi[MOST];
        for (size_t i = 0; i < r->n; i++) {
            const lb_spread *d = &r->row_of[k][i].bounds.decay;
            x[i] = r->magnitude[i] + 0.07 * ((double)k - 2.0);
            y[i] = d->median;
            lo[i] = d->p10;
            hi[i] = d->p90;
        }
        const lb_style style = k == BOTH ? lb_style_role(LB_ORACLE) : lb_style_category(k + 3);
        lb_plot_errors(a, x, y, lo, hi, r->n, style, labels[k]);
    }
    lb_axes_x_ticks(a, r->magnitude, r->n, "%.1f");
    threshold_line(s, a, "schur", lb_style_role(LB_THRESHOLD), "threshold %.1f");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_models(lb_study *s, const result *r)
{
    static const char *const labels[] = {"median ceiling, unbiased", "ceiling with prior",
                                         "global Ridge", "nine experts (oracle)"};
    const lb_role roles[] = {LB_ORACLE, LB_CONDITIONAL, LB_GLOBAL, LB_MIXTURE};
    double y[4][STRATA + 1], lo[4][STRATA + 1], hi[4][STRATA + 1];
    char names[STRATA + 1][40];
    const char *name_of[STRATA + 1];
    size_t count[STRATA + 1], n = 0;
    for (size_t k = STRATA + 1; k-- > 0;) { /* bright to faint, then all */
        const size_t j = k ? k - 1 : STRATA;
        const lb_limit_share *a = j < STRATA ? &r->share[j] : &r->all;
        const lb_number *score = j < STRATA ? r->r2[j] : r->r2_all;
        if (!has_rows(s, a))
            continue;
        if (j < STRATA)
            snprintf(names[n], sizeof names[n], "class %c\nSNR %.1f", "XLMH"[j], a -> snr_median);
        else
            snprintf(names[n], sizeof names[n], "all\nSNR %.1f", a->snr_median);
        name_of[n] = names[n];
        count[n] = a->n;
        y[0][n] = a->each.r2.median;
        y[1][n] = a->prior;
        for (size_t m = 0; m < 2; m++)
            lo[m][n] = hi[m][n] = NAN;
        for (size_t m = 0; m < 2; m++) {
            y[2 + m][n] = score[m].value;
            lo[2 + m][n] = score[m].ci_lo;
            hi[2 + m][n] = score[m].ci_hi;
        }
        n++;
    }
    char train[LB_COUNT_SIZE];
    char *title = lb_xprintf("Models against the ceiling of their own test stars\nE20, noise 1.0, "
                             "%s training rows",
                             lb_count_text(s->data.train.n, train));
    lb_figure *f = open_figure(s, "F20.9", 6.5, 4.8, title,
                               "Bars by signal to noise class: ceiling, ceiling with prior, global "
                               "model and nine experts.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, name_of, n);
    lb_axes_x_counts(a, count, n);
    double least = 0.0; /* and room for labels below bars */
    for (size_t i = 0; i < n; i++)
        least = fmin(least, fmin(lo[2][i], lo[3][i]));
    lb_axes_y(a, "R^{2}", least < 0.0 ? least - 0.15 : 0.0, 1.15, LB_LINEAR);
    for (size_t m = 0; m < 4; m++)
        lb_plot_bars(a, (lb_bars){.y = y[m],
                                  .lo = m < 2 ? NULL : lo[m],
                                  .hi = m < 2 ? NULL : hi[m],
                                  .n = n,
                                  .series = m,
                                  .of = 4,
                                  .style = lb_style_role(roles[m]),
                                  .format = "%.2f",
                                  .label = labels[m]});
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    note_few(s, f, "");
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F20.9/global", y[2], n);
    lb_record_series(s->record, "F20.9/experts", y[3], n);
    free(title);
}

static void figure_nuisance(lb_study *s, const result *r)
{
    static const char *const labels[] = {"log g alone", "T_{eff} unknown", "[M/H] unknown",
                                         "both unknown (3-D)"};
    const double small = lb_spec_number(s->spec, "thresholds.class_small");
    const double robust = lb_spec_number(s->spec, "thresholds.robust");
    double loss[MOST];
    char names[MOST][16];
    const char *name_of[MOST];
    lb_style styles[MOST];
    lb_figure *f = open_figure(s, "F20.10", 6.5, 4.4,
                               "What unknown labels cost\nE20, medians of all nodes; five labels "
                               "are not possible with this grid",
                               "Left: ceiling against signal to noise with none, one or both other "
                               "labels unknown. Right: relative loss at six magnitudes.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 2), *b = lb_figure_panel(f, 0, 1, 1, 2);
    lb_axes_x(a, snr_label, r->fine_snr[FINE - 1], r->fine_snr[0], LB_LOG10);
    lb_axes_y(a, "R^{2}_{max}, median", -0.02, 1.03, LB_LINEAR);
    for (size_t k = 0; k < SUBSETS; k++) {
        curve c;
        lb_style style = lb_style_ordered(k, SUBSETS);
        ceiling_curve(r, k, false, &c);
        style.marker = LB_MARKER_NONE;
        lb_plot_line(a, r->fine_snr, c.y, FINE, style, labels[k]);
    }
    for (size_t i = 0; i < r->n; i++) {
        const double alone = r->row_of[0][i].bounds.r2.median;
        loss[i] = alone > 0.0 ? 100.0 * (r->row[i].bounds.r2.median / alone - 1.0) : NAN;
        snprintf(names[i], sizeof names[i], "%.1f", r->magnitude[i]);
        name_of[i] = names[i];
        styles[i] = lb_style_category(loss[i] > small ? 2 : loss[i] > robust ? 0 : 5);
    }
    lb_axes_x_names(b, "magnitude in the source", name_of, r->n);
    lb_axes_y(b, "both unknown against none (%)", NAN, 0.0, LB_LINEAR);
    lb_plot_bars(b, (lb_bars){.y = loss, .n = r->n, .styles = styles, .format = "%.1f"});
    lb_style line = lb_style_role(LB_REFERENCE);
    threshold_line(s, b, "class_small", line, "class limit %.0f %%");
    line.dash = LB_DASHED;
    threshold_line(s, b, "robust", line, "class limit %.0f %%");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F20.10/loss", loss, r->n);
}

/* Half-width of the band: median sigma_min of the test stars whose log g lies within a step. */
static size_t sigma_by_logg(const lb_study *s, const result *r, double step, double *x,
                            double *sigma, size_t most)
{
    const lb_side *t = &s->data.test;
    double *in = lb_xcalloc(t->n, sizeof *in);
    size_t used = 0;
    for (double lo = 1.0; lo < 5.0 - 1e-9 && used < most; lo += step) {
        size_t n = 0;
        for (size_t i = 0; i < t->n; i++)
            if (r->limit.inside[i] && t->target[i] >= lo && t->target[i] < lo + step)
                in[n++] = r->limit.unbiased[i].sigma_min;
        if (!n)
            continue;
        lb_sort(in, n);
        x[used] = lo + step / 2.0;
        sigma[used++] = lb_quantile(in, n, 0.5);
    }
    free(in);
    return used;
}

static void figure_residuals(lb_study *s, const result *r, const lb_moe *moe)
{
    enum { STEPS = 64 };
    const lb_side *t = &s->data.test;
    const double step = lb_spec_number(s->spec, "settings.residual_step");
    const lb_cvec yhat[2] = {moe->global.yhat_chosen, moe->with_fallback[0]};
    static const char *const names[] = {"global Ridge", "nine experts (oracle)"};
    const lb_role roles[] = {LB_GLOBAL, LB_MIXTURE};
    double x[STEPS], hi[STEPS], lo[STEPS], *res = lb_xcalloc(t->n, sizeof *res);
    char count[LB_COUNT_SIZE];
    const size_t n = sigma_by_logg(s, r, step, x, hi, STEPS);
    for (size_t i = 0; i < n; i++)
        lo[i] = -hi[i];
    char *title = lb_xprintf("Residuals and the smallest error possible\nE20, noise 1.0, %s test "
                             "rows; band by true log g in steps of %.1f dex",
                             lb_count_text(t->n, count), step);
    lb_figure *f = open_figure(s, "F20.11", 6.5, 4.4, title,
                               "Residuals of two models against true log g with a band of plus and "
                               "minus the median smallest error of the stars at each log g.");
    lb_figure_share_y(f);
    for (size_t m = 0; m < 2; m++) {
        lb_axes *a = lb_figure_panel(f, 0, m, 1, 2);
        lb_style style = lb_style_role(roles[m]);
        style.size = 2.4;
        for (size_t i = 0; i < t->n; i++)
            res[i] = yhat[m].data[i] - t->target[i];
        lb_axes_title(a, names[m]);
        lb_axes_x(a, "true log g (dex)", 0.9, 5.1, LB_LINEAR);
        lb_axes_y(a, "predicted - true (dex)", -4.0, 4.0, LB_LINEAR);
        lb_plot_band(a, x, lo, hi, n, lb_style_role(LB_ORACLE), "median σ_{min}, both ways");
        lb_plot_points(a, t->target, res, t->n, style, NULL);
        lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), NULL);
        char *series = lb_xprintf("F20.11/%s", m ? "experts" : "global");
        lb_record_series(s->record, series, res, t->n);
        free(series);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(res);
}

static void draw(lb_study *s, const result *r, const lb_moe *moe)
{
    figure_ceiling(s, r);
    figure_sigma(s, r);
    figure_magnitudes(s, r);
    figure_histogram(s, r, "F20.4", "Smallest variance, node by node",
                     "Histogram of the logarithm of the Cramer-Rao bound with its quantiles.",
                     "log_{10} of the CRLB (dex^{2})", log_crlb, 40, true);
    figure_histogram(s, r, "F20.5", "The ceiling, node by node",
                     "Histogram of the largest R2 over the nodes of the grid.", "R^{2}_{max}",
                     lb_bound_r2, 40, true);
    figure_maps(s, r);
    figure_histogram(s, r, "F20.7", "Condition of the information matrix, in steps of the grid",
                     "Histogram of the logarithm of the condition number over the nodes.",
                     "log_{10} of the condition number", log_condition, 40, false);
    figure_schur(s, r);
    figure_models(s, r);
    figure_nuisance(s, r);
    if (lb_study_ok(s))
        figure_residuals(s, r, moe);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

/* Load the grid, visit its nodes by both ways, find the settings of the sweep. */
static void prepare(lb_study *s, result *r)
{
    size_t n_snr;
    const double focus = lb_spec_number(s->spec, "settings.focus_magnitude");
    lb_survey_row one = {0};
    r->magnitude = lb_spec_numbers(s->spec, "settings.magnitudes", &r->n);
    r->snr = lb_spec_numbers(s->spec, "settings.snr", &n_snr);
    if (r->n != n_snr || r->n > MOST || r->n == 0)
        lb_study_take(s,
                      LB_FAIL(s->err, LB_EINVAL, "settings: %zu magnitudes, %zu SNR", r->n, n_snr));
    for (size_t i = 0; i < r->n; i++)
        r->focus = r->magnitude[i] == focus ? i : r->focus;
    if (lb_study_ok(s))
        lb_study_take(s, lb_ceiling_load("data/grid/stellar_grid.h5", "data/grid/sky_lines.tsv", 1,
                                         &r->grid, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_ceiling_tabulate(r->grid, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_survey_nodes(r->grid, true, &r->nodes, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_survey_nodes(r->grid, false, &r->spline, s->err));
    sweep(s, &r->nodes, BOTH, lb_ceiling_magnitude(1.0), 1.0, &one);
    r->per_exposure = one.snr_median_pixel;
}

static void clear(result *r)
{
    lb_survey_free(&r->nodes);
    lb_survey_free(&r->spline);
    lb_ceiling_free(r->grid);
    lb_limit_free(&r->limit);
    for (size_t k = 0; k < STRATA; k++)
        lb_rowset_free(r->stratum[k]);
    free(r->at_focus);
    free(r);
}

static void run(lb_study *s)
{
    result *r = lb_xcalloc(1, sizeof *r);
    lb_domains nine = lb_domains_bins(&s->data);
    const double noise = lb_spec_number(s->spec, "noise.focus");
    lb_moe moe = {0};
    prepare(s, r);
    if (lb_study_ok(s)) {
        check_axes(s, r);
        run_sweeps(s, r);
        put_focus(s, r);
        put_nuisance(s, r);
        put_published(s, r);
        run_levels(s, r);
        run_other_labels(s, r);
        put_map(s, r);
        run_health(s, r);
        lb_study_put(s, lb_number_na("percent", "not possible with this grid"), "v3a.delta");
        lb_limit_make(s, &s->data, noise, &r->limit);
        lb_moe_fit(s, &s->data, noise, lb_noise_seeds_of(s->spec), &nine, 1, &moe);
    }
    if (lb_study_ok(s))
        run_models(s, r, &moe);
    if (lb_study_ok(s)) {
        table_sweep(s, r);
        table_nuisance(s);
        table_models(s, r);
        draw(s, r, &moe);
    }
    lb_moe_free(&moe);
    lb_domains_free(&nine);
    clear(r);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e20_ceiling",
                             "The information ceiling: how much of the variance of log g a "
                             "spectrum can tell at most, against signal to noise.",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
