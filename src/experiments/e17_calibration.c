/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E17: does an expert only need another offset and scale?
 *
 * Each of nine experts is corrected by y = a yhat + b, fitted on the validation rows of its true
 * bin; the gate that names the bin mixes them as before. Beside it: the fit drawn towards the
 * identity, the fit weighted by the gate, and the regression with the axes swapped.
 * Reads   spectra of the profile; data/published/published.tsv;
 *         templates/experiments/e17_calibration/spec.yaml
 * Writes  data/results/<profile>/e17_calibration.h5, figures e17_*
 */
#include "core/memory.h"
#include "core/text.h"
#include "figure/plot.h"
#include "models/affine.h"
#include "stats/quantile.h"
#include "stats/verdict.h"
#include "study/by_bin.h"
#include "study/gate.h"
#include "study/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GLOBAL, ORACLE, UNCAL, FITTED, SHRUNK, WEIGHTED, SWAPPED, METHODS, FITS = METHODS - FITTED };

static const struct {
    const char *name, *r2, *delta;
} method[METHODS] = {{"global Ridge", "global.covered", "global"},
                     {"expert of the true bin", "oracle", "oracle"},
                     {"mixture", "uncalibrated", NULL},
                     {"mixture, calibrated", "calibrated", ""},
                     {"calibrated, shrunk", "shrunk", "shrunk"},
                     {"calibrated, weighted by the gate", "weighted", "weighted"},
                     {"axes swapped (wrong)", "swapped", "swapped"}};

/* The covered validation rows: what a calibration may be fitted on. */
typedef struct rows {
    size_t n;
    int *bin;         /* [n] expert of the true bin */
    double *y;        /* [n] dex */
    lb_mat yhat, p;   /* (n, experts) what every expert says, and what the gate gives it */
    double *own_yhat; /* [n] of the expert of the true bin */
} rows;

typedef struct work {
    const lb_cohort *c;
    lb_domains bins;
    lb_moe moe;
    lb_named gate;
    rows val;
    lb_affine fit[FITS][LB_BINS_MAX]; /* fitted, shrunk, weighted, swapped */
    lb_entry entry[METHODS];
    double *owned[METHODS];
    lb_number r2[METHODS], delta[METHODS], val_before[LB_BINS_MAX], val_after[LB_BINS_MAX];
    lb_bin_scores bin[LB_BINS_MAX];
} work;

/* --- experts, gate, validation rows -------------------------------------------------------------
 */

/* Nine experts and the gate that names their bin, both of all covered training rows. */
static void fit_mixture(lb_study *s, work *w)
{
    const double noise = lb_spec_number(s->spec, "noise.focus");
    const lb_noise_seeds seeds = lb_noise_seeds_of(s->spec);
    lb_gate_naming naming = {.folds = lb_spec_size(s->spec, "settings.classify.folds"),
                             .seed = lb_spec_size(s->spec, "settings.classify.seed")};
    naming.C.data = lb_spec_numbers(s->spec, "settings.classify.C", &naming.C.n);
    lb_gate_inputs in;
    lb_pca *pca = NULL;
    w->bins = lb_domains_bins(w->c);
    lb_moe_rows *gathered = lb_moe_gather(s, w->c, noise, seeds, &w->bins, 1);
    if (lb_study_ok(s))
        lb_study_take(s, lb_pca_fit(lb_moe_rows_gram(gathered), NULL,
                                    lb_spec_size(s->spec, "settings.features.components"), &pca,
                                    s->err));
    lb_gate_inputs_with(s, w->c, noise, seeds, &lb_windows_four, (lb_window_options){0}, pca, &in);
    lb_gate_name(s, &in, &w->bins, naming, &w->gate);
    if (lb_study_ok(s))
        lb_moe_fit_rows(s, gathered, lb_moe_options_of(s->spec), &w->moe);
    lb_gate_inputs_free(&in);
    lb_pca_free(pca);
    lb_moe_rows_free(gathered);
}

/* What every expert and the gate say of the covered validation rows. */
static void hear_validation(lb_study *s, work *w)
{
    const lb_side *side = &w->c->val;
    const size_t k = w->bins.n;
    lb_exposure seen;
    lb_mat all = lb_mat_new(side->n, k);
    lb_cohort_expose(w->c, lb_spec_number(s->spec, "noise.focus"), lb_noise_seeds_of(s->spec),
                     &seen);
    if (lb_study_ok(s))
        lb_moe_predict(s, &w->moe, 0, &seen.val.x, all);
    rows *v = &w->val;
    *v = (rows){.bin = lb_xcalloc(side->n, sizeof(int)),
                .y = lb_xcalloc(side->n, sizeof(double)),
                .own_yhat = lb_xcalloc(side->n, sizeof(double)),
                .yhat = lb_mat_new(side->n, k),
                .p = lb_mat_new(side->n, k)};
    for (size_t i = 0; i < side->n && lb_study_ok(s); i++) {
        const int own = w->bins.val[i];
        if (own < 0)
            continue;
        v->bin[v->n] = own;
        v->y[v->n] = side->target[i];
        v->own_yhat[v->n] = all.data[i * k + (size_t)own];
        memcpy(v->yhat.data + v->n * k, all.data + i * k, k * sizeof(double));
        memcpy(v->p.data + v->n * k, w->gate.val.data + i * k, k * sizeof(double));
        v->n++;
    }
    v->yhat.rows = v->p.rows = v->n;
    free(all.data);
}

/* --- calibration --------------------------------------------------------------------------------
 */

/* The rows of one expert, one after the other: predictions, then truths. */
static size_t own_rows(const rows *v, size_t e, double *yhat, double *y)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        if (v->bin[i] == (int)e) {
            yhat[n] = v->own_yhat[i];
            y[n++] = v->y[i];
        }
    return n;
}

/* region: calibration */
/* Every expert by least squares on the validation rows of its true bin; drawn towards the identity;
 * on all covered validation rows with the weights of the gate; and, to show it, the regression of
 * the prediction on the truth. */
static void calibrate(lb_study *s, work *w)
{
    const size_t fewest = lb_spec_size(s->spec, "settings.calibration.minimum_rows");
    const lb_cmat yhat = lb_mat_const(w->val.yhat);
    const lb_cvec y = {w->val.y, w->val.n};
    double *own = lb_xcalloc(2 * w->val.n + 1, sizeof *own);
    if (lb_study_ok(s))
        lb_study_take(s, lb_affine_fit_bins(yhat, y, w->val.bin, NULL, fewest, w->fit[0], s->err));
    for (size_t e = 0; e < w->bins.n; e++)
        w->fit[1][e] = lb_affine_shrink(&w->fit[0][e]);
    if (lb_study_ok(s))
        lb_study_take(s, lb_affine_fit_gate(yhat, y, lb_mat_const(w->val.p), NULL, fewest,
                                            w->fit[2], s->err));
    for (size_t e = 0; e < w->bins.n && lb_study_ok(s); e++) {
        const size_t n = own_rows(&w->val, e, own, own + w->val.n);
        lb_study_take(s, lb_affine_fit_swapped((lb_cvec){own, n}, (lb_cvec){own + w->val.n, n},
                                               (lb_cvec){NULL, 0}, fewest, &w->fit[3][e], s->err));
    }
    free(own);
}

/* The untouched gate mixes what the experts say after a calibration (NULL: as they are). */
static void mix(lb_study *s, work *w, size_t m, const lb_affine *fit)
{
    const lb_mat yhat = w->moe.yhat[0];
    const lb_mat out = lb_mat_new(yhat.rows, yhat.cols);
    const lb_vec mixed = {lb_xcalloc(yhat.rows + 1, sizeof(double)), yhat.rows};
    if (fit && lb_study_ok(s))
        lb_study_take(s, lb_affine_apply(fit, lb_mat_const(yhat), out, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_soft((lb_experts){.yhat = lb_mat_const(fit ? out : yhat)},
                                         lb_mat_const(w->gate.test), 0.0, mixed, NULL, s->err));
    w->owned[m] = mixed.data;
    w->entry[m] = (lb_entry){method[m].name, lb_vec_const(mixed), false};
    free(out.data);
}
/* end region */

/* --- scores -------------------------------------------------------------------------------------
 */

static double *residuals_of(const lb_outcome *o)
{
    double *e = lb_xcalloc(o->y.n + 1, sizeof *e);
    for (size_t j = 0; j < o->y.n; j++)
        e[j] = o->yhat.data[j] - o->y.data[j];
    return e;
}

static lb_number residual_sd(const lb_contest *t, size_t i)
{
    const lb_outcome *o = lb_contest_outcome(t, i);
    double *e = residuals_of(o);
    lb_number x = lb_number_plain(lb_std(e, o->y.n, 0), "std", "dex");
    x.n = o->y.n;
    x.digits = 4;
    x.oracle = o->oracle;
    free(e);
    return x;
}

/* How much R2 the noise of the fitted numbers is expected to cost: two numbers an expert raise the
 * mean squared error of its rows by 2 residual_sd^2 / n_val. */
static lb_number expected_cost(const work *w, const lb_contest *t)
{
    const lb_outcome *o = lb_contest_outcome(t, UNCAL);
    const double spread = lb_std(o->y.data, o->y.n, 0);
    double sum = 0.0;
    for (size_t k = 0; k < w->c->n_bins; k++) {
        const int e = w->bins.of_bin[k];
        if (e < 0 || w->c->merged_to[k] != (int)k || w->fit[0][e].reason != LB_AFFINE_FITTED)
            continue;
        const lb_affine *f = &w->fit[0][e];
        sum += (double)w->c->n_test[k] * 2.0 * f->residual_sd * f->residual_sd / (double)f->rows;
    }
    lb_number x = lb_number_plain(sum / ((double)o->y.n * spread * spread), "r2_cost", "");
    x.digits = 4;
    return x;
}

/* region: protocol */
/* All on the same covered test rows, against the mixture without calibration. */
static void score(lb_study *s, work *w)
{
    lb_contest *t = lb_contest_on(s, w->c, w->c->covered, w->entry, METHODS);
    lb_contest *all = lb_contest_on(s, w->c, w->c->all, w->entry, 1);
    lb_study_put(s, lb_contest_r2(all, GLOBAL), "r2.global");
    lb_study_put(s, lb_contest_mae(all, GLOBAL), "mae.global");
    lb_study_put(s, lb_contest_rmse(all, GLOBAL), "rmse.global");
    lb_study_put(s, lb_contest_bias(all, GLOBAL), "bias.global");
    for (size_t m = 0; m < METHODS && lb_study_ok(s); m++) {
        w->r2[m] = lb_contest_r2(t, m);
        lb_study_put(s, w->r2[m], "r2.%s", method[m].r2);
        lb_study_put(s, lb_contest_mae(t, m), "mae.%s", method[m].r2);
        lb_study_put(s, lb_contest_rmse(t, m), "rmse.%s", method[m].r2);
        lb_study_put(s, lb_contest_bias(t, m), "bias.%s", method[m].r2);
        lb_study_put(s, residual_sd(t, m), "sigma.%s", method[m].r2);
        if (m == UNCAL)
            continue;
        w->delta[m] = lb_contest_delta(t, m, UNCAL);
        lb_study_put(s, w->delta[m], "dr2%s%s", *method[m].delta ? "." : "", method[m].delta);
    }
    lb_study_put(s, lb_contest_delta(t, SHRUNK, FITTED), "dr2.shrunk_fitted");
    lb_study_put(s, lb_contest_delta(t, WEIGHTED, FITTED), "dr2.weighted_fitted");
    lb_study_put(s, lb_contest_delta(t, UNCAL, GLOBAL), "dr2.over_global");
    lb_study_put(s, lb_contest_retention(t, UNCAL, GLOBAL, ORACLE), "retention.uncalibrated");
    lb_study_put(s, lb_contest_retention(t, FITTED, GLOBAL, ORACLE), "retention.calibrated");
    if (lb_study_ok(s))
        lb_study_put(s, expected_cost(w, t), "expected_cost");
    lb_contest_free(all);
    lb_contest_free(t);
}
/* end region */

/* R2 of one expert on the validation rows of its bin, with a calibration. */
static lb_number r2_on_validation(const rows *v, size_t e, double a, double b)
{
    double *yhat = lb_xcalloc(2 * v->n + 1, sizeof *yhat), *y = yhat + v->n, rss = 0.0;
    const size_t n = own_rows(v, e, yhat, y);
    const double spread = lb_std(y, n, 0);
    for (size_t i = 0; i < n; i++)
        rss += pow(y[i] - a * yhat[i] - b, 2.0);
    lb_number x = n > 1 && spread > 0.0
                      ? lb_number_plain(1.0 - rss / ((double)n * spread * spread), "r2", "")
                      : lb_number_na("r2", "n/a (n<2)");
    x.n = n;
    x.digits = 4;
    x.oracle = true; /* the rows are dealt by their true bin */
    free(yhat);
    return x;
}

static lb_number coefficient(double value, double se, const char *kind, const char *unit, size_t n)
{
    lb_number x = lb_number_plain(value, kind, unit);
    if (isfinite(se)) {
        x.se = se;
        x.ci_lo = value - 1.959964 * se;
        x.ci_hi = value + 1.959964 * se;
    }
    x.n = n;
    x.digits = 3;
    return x;
}

static lb_number p_value(double p)
{
    lb_number x = isfinite(p) ? lb_number_plain(p, "probability", "")
                              : lb_number_na("probability", "n/a (not fitted)");
    x.digits = 4;
    return x;
}

static bool flagged(const lb_study *s, const lb_affine *f)
{
    return fabs(f->a - 1.0) > lb_spec_number(s->spec, "settings.calibration.flag_scale") ||
           fabs(f->b) > lb_spec_number(s->spec, "settings.calibration.flag_offset");
}

/* Coefficients of the expert of bin k, what they do on the rows of the fit, how sure they are. A
 * bin that another serves has none. */
static void put_expert(lb_study *s, work *w, size_t k)
{
    static const char *const prefix[FITS] = {"", "shrunk.", "weighted.", "swapped."};
    const bool absent = w->c->merged_to[k] != (int)k;
    const lb_number na = lb_number_na("scale", "n/a (merged)");
    const size_t e = absent ? 0 : (size_t)w->bins.of_bin[k];
    for (size_t i = 0; i < FITS; i++) {
        const lb_affine *f = &w->fit[i][e];
        lb_study_put(s, absent ? na : coefficient(f->a, f->se_a, "scale", "", f->rows),
                     "%sa.expert%zu", prefix[i], k);
        lb_study_put(s, absent ? na : coefficient(f->b, f->se_b, "offset", "dex", f->rows),
                     "%sb.expert%zu", prefix[i], k);
    }
    const lb_affine *f = &w->fit[0][e];
    w->val_before[k] = absent ? na : r2_on_validation(&w->val, e, 1.0, 0.0);
    w->val_after[k] = absent ? na : r2_on_validation(&w->val, e, f->a, f->b);
    lb_study_put(s, absent ? na : p_value(f->p), "p.expert%zu", k);
    lb_study_put(s, absent ? na : lb_number_count(w->val_before[k].n), "n_val.expert%zu", k);
    lb_study_put(s, w->val_before[k], "r2_val_before.expert%zu", k);
    lb_study_put(s, w->val_after[k], "r2_val_after.expert%zu", k);
    lb_study_put_text(s, !absent && flagged(s, f) ? "flagged" : "", "flag.expert%zu", k);
}

/* The experts in numbers, and how many stand out. */
static void put_experts(lb_study *s, work *w)
{
    const double level = lb_spec_number(s->spec, "settings.calibration.test_level");
    size_t n_flagged = 0, rejected = 0, nominal = 0, steeper = 0, identity = 0;
    double product = 0.0;
    for (size_t k = 0; k < w->c->n_bins; k++)
        put_expert(s, w, k);
    for (size_t e = 0; e < w->bins.n; e++) {
        const lb_affine *f = &w->fit[0][e];
        n_flagged += flagged(s, f);
        rejected += f->p < level / (double)w->bins.n;
        nominal += f->p < level;
        steeper += f->a > 1.0;
        identity += f->reason != LB_AFFINE_FITTED;
        /* Both slopes multiply to the squared correlation, at most 1. */
        product = fmax(product, f->a * w->fit[3][e].a);
    }
    lb_study_put(s, lb_number_count(w->bins.n), "n_experts");
    lb_study_put(s, lb_number_count(n_flagged), "n_flagged");
    lb_study_put(s, lb_number_count(rejected), "n_rejected");
    lb_study_put(s, lb_number_count(nominal), "n_nominal");
    lb_study_put(s, lb_number_count(steeper), "n_steeper");
    lb_study_put(s, lb_number_count(identity), "n_not_fitted");
    lb_study_put(s, lb_number_count(w->val.n), "n_val_covered");
    lb_study_put(s, lb_number_plain(product, "ratio", ""), "check.slopes_product");
}

static void put_bins(lb_study *s, work *w)
{
    const lb_bin_entry entries[] = {{w->entry[UNCAL], "uncal", NULL},
                                    {w->entry[FITTED], "cal", "dr2"}};
    size_t scored = 0, better = 0;
    lb_by_bin(s, w->c, "", entries, 2, w->bin);
    for (size_t k = 0; k < w->c->n_bins; k++) {
        scored += isfinite(w->bin[k].delta[1].value);
        better += w->bin[k].delta[1].value > 0.0;
    }
    lb_study_put(s, lb_number_count(scored), "perbin.n_scored");
    lb_study_put(s, lb_number_count(better), "perbin.n_better");
}

/* The score of both mixtures and their scores in the bins must be able to be about the same rows.
 */
static void put_weighted(lb_study *s, const work *w)
{
    static const size_t mixtures[] = {UNCAL, FITTED};
    static const char *const keys[] = {"uncal", "cal"};
    for (size_t i = 0; i < 2; i++) {
        lb_number scores[LB_BINS_MAX];
        for (size_t k = 0; k < w->c->n_bins; k++)
            scores[k] = w->bin[k].r2[i];
        const lb_suspicion look = lb_suspect(s, &w->r2[mixtures[i]], scores, w->c->n_bins);
        lb_study_put(s, look.weighted, "perbin.weighted_r2.%s", keys[i]);
        lb_study_put_text(s, lb_suspicion_warning(&look), "perbin.warning.%s", keys[i]);
    }
}

/* Validation rows of the published experts together, which no page there adds up. */
static void put_published_rows(lb_study *s, size_t experts)
{
    double count = 0.0;
    for (size_t k = 0; k < experts; k++)
        count += lb_study_published_number(s, "e17.fig.n_val.expert%zu", k);
    lb_study_put(s, lb_number_count((size_t)count), "theirs.n_val_covered");
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void tables(lb_study *s, const work *w)
{
    static const size_t order[] = {GLOBAL, ORACLE, UNCAL, FITTED, SHRUNK, WEIGHTED, SWAPPED};
    static const char *const fit_names[] = {"as fitted", "shrunk", "weighted by the gate",
                                            "axes swapped (wrong)"};
    static const char *const prefix[] = {"", "shrunk.", "weighted.", "swapped."};
    lb_study_table(s, "T17.1",
                   "model|R²|95 % CI:ci|MAE, dex|RMSE, dex|σ, dex|bias, dex|ΔR²:+|CI of ΔR²:ci|n");
    lb_study_row(s, "T17.1",
                 "=global Ridge, all test rows|r2.global|r2.global|mae.global|rmse.global|= |"
                 "bias.global|=—|= |data.n_test");
    for (size_t i = 0; i < METHODS; i++) {
        const size_t m = order[i];
        char *delta = m == UNCAL    ? lb_xstrdup("=—|= ")
                      : m == FITTED ? lb_xstrdup("dr2|dr2")
                                    : lb_xprintf("dr2.%1$s|dr2.%1$s", method[m].delta);
        lb_study_row(s, "T17.1",
                     "=%1$s|r2.%2$s|r2.%2$s|mae.%2$s|rmse.%2$s|sigma.%2$s|bias.%2$s|%3$s|"
                     "data.n_test_covered",
                     method[m].name, method[m].r2, delta);
        free(delta);
    }
    lb_study_table(s, "T17.2", "k|name|n val|a:pm|b, dex:pm|p|flag|R² before|R² after");
    lb_study_table(s, "T17.3", "k|name|n test|R² before|R² after|ΔR²:+|95 % CI:ci");
    for (size_t k = 0; k < w->c->n_bins; k++) {
        if (w->c->merged_to[k] != (int)k)
            continue;
        lb_study_row(s, "T17.2",
                     "=%1$zu|=%2$s|n_val.expert%1$zu|a.expert%1$zu|b.expert%1$zu|p.expert%1$zu|"
                     "flag.expert%1$zu|r2_val_before.expert%1$zu|r2_val_after.expert%1$zu",
                     k, w->bin[k].name);
        lb_study_row(s, "T17.3",
                     "=%1$zu|=%2$s|perbin.n_test.%3$s|perbin.r2_uncal.%3$s|perbin.r2_cal.%3$s|"
                     "perbin.dr2.%3$s|perbin.dr2.%3$s",
                     k, w->bin[k].name, w->bin[k].key);
    }
    lb_study_table(s, "T17.4", "fit|a, k = 3|b, k = 3|a, k = 6|b, k = 6|R²|ΔR²:+|95 % CI:ci");
    for (size_t i = 0; i < FITS; i++)
        lb_study_row(s, "T17.4",
                     "=%1$s|%2$sa.expert3|%2$sb.expert3|%2$sa.expert6|%2$sb.expert6|r2.%3$s|"
                     "dr2%4$s%5$s|dr2%4$s%5$s",
                     fit_names[i], prefix[i], method[FITTED + i].r2,
                     *method[FITTED + i].delta ? "." : "", method[FITTED + i].delta);
    lb_study_table(s, "T17.5", "model|R², all covered rows|n-weighted R² of the bins|n|warning");
    lb_study_row(s, "T17.5",
                 "=%s|r2.uncalibrated|perbin.weighted_r2.uncal|data.n_test_covered|"
                 "perbin.warning.uncal",
                 method[UNCAL].name);
    lb_study_row(s, "T17.5",
                 "=%s|r2.calibrated|perbin.weighted_r2.cal|data.n_test_covered|perbin.warning.cal",
                 method[FITTED].name);
}

/* --- figures ------------------------------------------------------------------------------------
 */

static lb_figure *open_figure(lb_study *s, const work *w, const char *id, double width,
                              double height, const char *what, bool validation, const char *alt)
{
    char count[LB_COUNT_SIZE];
    const size_t n = validation ? w->val.n : lb_rowset_size(w->c->covered);
    char *stem = lb_study_figure(s, id);
    char *title = lb_xprintf("%s\nE17, noise %.1f, %s covered %s rows", what,
                             lb_spec_number(s->spec, "noise.focus"), lb_count_text(n, count),
                             validation ? "validation" : "test");
    lb_figure *f = lb_figure_new(stem, width, height, title, alt);
    free(title);
    free(stem);
    return f;
}

/* Metal-poor, solar, metal-rich. */
static lb_style style_of_bin(const work *w, size_t k)
{
    static const size_t category[] = {0, 3, 1};
    return lb_style_category(category[(k % w->c->bins.n_mh) % 3]);
}

static void draw_line(lb_axes *a, double slope, double offset, double lo, double hi, lb_style style)
{
    lb_plot_segment(a, lo, slope * lo + offset, hi, slope * hi + offset, style);
}

/* One expert on its validation rows, on the axes its calibration is made for. */
static void panel_of_expert(lb_study *s, const work *w, lb_figure *f, size_t k, double *x)
{
    const size_t e = (size_t)w->bins.of_bin[k];
    const lb_affine *fit = &w->fit[0][e];
    double *y = x + w->val.n;
    const size_t n = own_rows(&w->val, e, x, y);
    lb_axes *a = lb_figure_panel(f, k / w->c->bins.n_mh, k % w->c->bins.n_mh, w->c->bins.n_teff,
                                 w->c->bins.n_mh);
    lb_style points = style_of_bin(w, k), line = points;
    points.size = 2.4;
    line.dash = LB_SOLID;
    line.width = 1.6;
    char *title = lb_xprintf("k=%zu %s, n=%zu", k, w->bin[k].name, n);
    char *box =
        lb_xprintf("R^{2} %.3f to %.3f\na = %.3f, b = %+.3f%s", w->val_before[k].value,
                   w->val_after[k].value, fit->a, fit->b, flagged(s, fit) ? "\nflagged" : "");
    lb_axes_title(a, title);
    lb_axes_x(a, "predicted log g (dex)", 0.0, 6.0, LB_LINEAR);
    lb_axes_y(a, "true log g (dex)", 0.0, 7.6, LB_LINEAR);
    lb_plot_points(a, x, y, n, points, NULL);
    lb_plot_identity(a, "identity");
    draw_line(a, fit->a, fit->b, (0.6 - fit->b) / fit->a, (5.4 - fit->b) / fit->a, line);
    lb_axes_box(a, box);
    free(title);
    free(box);
}

static void figure_experts(lb_study *s, const work *w)
{
    double *scratch = lb_xcalloc(2 * w->val.n + 1, sizeof *scratch);
    lb_figure *f = open_figure(s, w, "F17.1", 6.5, 7.6, "Each expert and its calibration", true,
                               "Nine panels of true against predicted log g on validation rows "
                               "with the identity and the calibration line of each expert.");
    lb_figure_share_x(f);
    lb_figure_share_y(f);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    for (size_t k = 0; k < w->c->n_bins; k++)
        if (w->c->merged_to[k] == (int)k)
            panel_of_expert(s, w, f, k, scratch);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(scratch);
}

static void figure_coefficients(lb_study *s, const work *w)
{
    lb_number x[2][LB_BINS_MAX];
    lb_style style[LB_BINS_MAX];
    const char *name[LB_BINS_MAX];
    size_t n = 0, count[LB_BINS_MAX];
    for (size_t k = 0; k < w->c->n_bins; k++) {
        if (w->c->merged_to[k] != (int)k)
            continue;
        const lb_affine *f = &w->fit[0][w->bins.of_bin[k]];
        x[0][n] = coefficient(f->a, f->se_a, "scale", "", f->rows);
        x[1][n] = coefficient(f->b, f->se_b, "offset", "dex", f->rows);
        name[n] = w->bin[k].name;
        style[n] = style_of_bin(w, k);
        count[n++] = f->rows;
    }
    lb_figure *f = open_figure(s, w, "F17.2", 6.5, 6.0, "Slope and offset of nine experts", true,
                               "Bars of slope and offset of nine experts with intervals, coloured "
                               "by metallicity, with lines at one and zero.");
    const char *labels[] = {"slope a", "offset b (dex)"};
    for (size_t i = 0; i < 2; i++) {
        lb_axes *a = lb_figure_panel(f, i, 0, 2, 1);
        lb_axes_x_names(a, NULL, name, n);
        lb_axes_x_counts(a, count, n);
        lb_axes_y(a, labels[i], i ? NAN : 0.0, NAN, LB_LINEAR);
        lb_plot_number_bars(a, x[i], n, (lb_bars){.styles = style, .format = i ? "%+.3f" : "%.3f"});
        lb_plot_hline(a, i ? 0.0 : 1.0, lb_style_role(LB_THRESHOLD),
                      "no calibration: a = 1, b = 0");
    }
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_bins(lb_study *s, const work *w)
{
    const size_t n = w->c->n_bins;
    lb_number r2[2][LB_BINS_MAX];
    const char *name[LB_BINS_MAX], *text[LB_BINS_MAX];
    size_t count[LB_BINS_MAX];
    for (size_t k = 0; k < n; k++) {
        r2[0][k] = w->bin[k].r2[0];
        r2[1][k] = w->bin[k].r2[1];
        name[k] = w->bin[k].name;
        count[k] = w->bin[k].n;
        text[k] = isfinite(w->bin[k].delta[1].value)
                      ? lb_xprintf("Δ %+.4f", w->bin[k].delta[1].value)
                      : lb_xstrdup("");
    }
    lb_figure *f = open_figure(s, w, "F17.3", 6.5, 4.4, "Before and after, bin by bin", false,
                               "Pairs of bars of R2 of the mixture in nine bins, before and after "
                               "calibration, with the difference over each pair.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    const char *labels[] = {"mixture", "mixture, calibrated"};
    lb_axes_x_names(a, NULL, name, n);
    lb_axes_x_counts(a, count, n);
    lb_axes_y(a, "R^{2}", 0.0, 1.15, LB_LINEAR);
    for (size_t i = 0; i < 2; i++)
        lb_plot_number_bars(a, r2[i], n,
                            (lb_bars){.series = i,
                                      .of = 2,
                                      .style = i ? lb_style_category(5) : lb_style_role(LB_MIXTURE),
                                      .label = labels[i]});
    for (size_t k = 0; k < n; k++)
        if (*text[k])
            lb_plot_bracket(a, (double)k - 0.2, (double)k + 0.2, text[k]);
    lb_study_take(s, lb_figure_close(f, s->err));
    for (size_t k = 0; k < n; k++)
        free((char *)text[k]);
}

static void figure_scores(lb_study *s, const work *w)
{
    static const size_t shown[] = {GLOBAL, UNCAL, FITTED, SHRUNK, WEIGHTED};
    static const char *const word[] = {"global", "mixture", "calibrated", "shrunk", "weighted"};
    enum { N = sizeof shown / sizeof *shown };
    const lb_style style[N] = {lb_style_role(LB_GLOBAL), lb_style_role(LB_MIXTURE),
                               lb_style_category(5), lb_style_category(4), lb_style_category(6)};
    const double line = lb_spec_number(s->spec, "thresholds.line_r2");
    lb_number r2[N];
    char *name[N];
    for (size_t i = 0; i < N; i++) { /* the value stands in the name, clear of the line */
        r2[i] = w->r2[shown[i]];
        name[i] = lb_xprintf("%s\n%.4f", word[i], r2[i].value);
    }
    lb_figure *f = open_figure(s, w, "F17.4", 6.4, 4.4, "Calibration over all covered rows", false,
                               "Bars of R2 of global model, mixture and calibrated mixtures with "
                               "intervals, the difference and a dashed line at a score of 0.90.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes_x_names(a, NULL, (const char *const *)name, N);
    lb_axes_y(a, "R^{2}", 0.0, 1.15, LB_LINEAR);
    lb_plot_number_bars(a, r2, N, (lb_bars){.styles = style});
    char *text = lb_xprintf("ΔR^{2} = %+.4f", w->delta[FITTED].value);
    char *label = lb_xprintf("R^{2} = %.2f", line);
    lb_plot_bracket(a, 1.0, 2.0, text);
    lb_plot_hline(a, line, lb_style_role(LB_THRESHOLD), label);
    lb_study_take(s, lb_figure_close(f, s->err));
    for (size_t i = 0; i < N; i++)
        free(name[i]);
    free(text);
    free(label);
}

/* The same axis for what is compared. */
static double widest_residual(const lb_contest *t, const size_t *models, size_t n)
{
    double widest = 0.0;
    for (size_t k = 0; k < n; k++) {
        const lb_outcome *o = lb_contest_outcome(t, models[k]);
        for (size_t i = 0; i < o->y.n; i++)
            widest = fmax(widest, fabs(o->yhat.data[i] - o->y.data[i]));
    }
    return 1.05 * widest;
}

static void figure_residuals(lb_study *s, const work *w)
{
    static const size_t both[] = {UNCAL, FITTED};
    const lb_style style[] = {lb_style_role(LB_MIXTURE), lb_style_category(5)};
    lb_contest *t = lb_contest_on(s, w->c, w->c->covered, w->entry, METHODS);
    const double widest = lb_study_ok(s) ? widest_residual(t, both, 2) : NAN;
    lb_figure *f = open_figure(s, w, "F17.5", 6.5, 6.0, "Residuals before and after", false,
                               "Top: histograms of the residuals before and after calibration. "
                               "Bottom: residuals against the prediction.");
    lb_figure_share_y(f);
    lb_figure_share_x(f);
    for (size_t i = 0; i < 4 && lb_study_ok(s); i++) {
        const lb_outcome *o = lb_contest_outcome(t, both[i % 2]);
        double *e = residuals_of(o);
        lb_axes *a = lb_figure_panel(f, i / 2, i % 2, 2, 2);
        lb_style points = style[i % 2];
        points.size = 2.4;
        char *box =
            lb_xprintf("σ = %.4f dex\nbias = %+.4f dex", lb_std(e, o->y.n, 0), lb_mean(e, o->y.n));
        char *series = lb_xprintf("F17.5/%s", method[both[i % 2]].r2);
        lb_axes_x(a, "predicted - true log g (dex)", -widest, widest, LB_LINEAR);
        if (i < 2) {
            lb_axes_title(a, method[both[i]].name);
            lb_axes_y(a, "test rows", 0.0, NAN, LB_LINEAR);
            lb_plot_histogram(a, e, o->y.n, 40, style[i], NULL);
            lb_axes_box(a, box);
            lb_record_series(s->record, series, e, o->y.n);
        } else {
            lb_axes_y(a, "predicted log g (dex)", 0.0, NAN, LB_LINEAR);
            lb_plot_points(a, e, o->yhat.data, o->y.n, points, NULL);
        }
        lb_plot_vline(a, 0.0, lb_style_role(LB_REFERENCE), NULL);
        free(series);
        free(box);
        free(e);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_contest_free(t);
}

/* The same rows of one expert on both pairs of axes, with the right and the wrong lines. */
static void figure_trap(lb_study *s, const work *w, size_t k)
{
    if (w->c->merged_to[k] != (int)k)
        return;
    const size_t e = (size_t)w->bins.of_bin[k];
    const lb_affine *fit = &w->fit[0][e], *swapped = &w->fit[3][e];
    double *yhat = lb_xcalloc(2 * w->val.n + 1, sizeof *yhat), *y = yhat + w->val.n;
    const size_t n = own_rows(&w->val, e, yhat, y);
    lb_style points = style_of_bin(w, k), right = lb_style_category(2),
             wrong = lb_style_category(1), other = lb_style_category(5);
    points.size = 2.6;
    right.dash = LB_SOLID;
    wrong.dash = LB_DASHED;
    other.dash = LB_DOTTED;
    right.marker = wrong.marker = other.marker = LB_MARKER_NONE;
    char *what = lb_xprintf("One calibration, two pairs of axes: k=%zu %s", k, w->bin[k].name);
    lb_figure *f = open_figure(s, w, "F17.6", 6.5, 4.4, what, true,
                               "Left: truth against prediction with the calibration line. Right: "
                               "prediction against truth, where that line is another one.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 2), *b = lb_figure_panel(f, 0, 1, 1, 2);
    const double x[] = {0.8, 5.2};
    const double inverse[] = {(x[0] - fit->b) / fit->a, (x[1] - fit->b) / fit->a};
    const double mistaken[] = {fit->a * x[0] + fit->b, fit->a * x[1] + fit->b};
    const double flat[] = {swapped->a * x[0] + swapped->b, swapped->a * x[1] + swapped->b};
    lb_axes_title(a, "as fitted");
    lb_axes_x(a, "predicted log g (dex)", -0.5, 6.5, LB_LINEAR);
    lb_axes_y(a, "true log g (dex)", -0.5, 6.5, LB_LINEAR);
    lb_plot_points(a, yhat, y, n, points, NULL);
    lb_plot_identity(a, "identity");
    lb_plot_line(a, inverse, x, 2, right, "calibration, y = a ŷ + b");
    lb_axes_title(b, "axes swapped");
    lb_axes_x(b, "true log g (dex)", -0.5, 6.5, LB_LINEAR);
    lb_axes_y(b, "predicted log g (dex)", -0.5, 6.5, LB_LINEAR);
    lb_plot_points(b, y, yhat, n, points, NULL);
    lb_plot_identity(b, "identity");
    lb_plot_line(b, x, inverse, 2, right, "calibration, y = a ŷ + b");
    lb_plot_line(b, x, mistaken, 2, wrong, "wrong: a x + b with x = truth");
    lb_plot_line(b, x, flat, 2, other, "wrong: regression of ŷ on y");
    lb_study_take(s, lb_figure_close(f, s->err));
    free(what);
    free(yhat);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void work_free(work *w)
{
    for (size_t m = 0; m < METHODS; m++)
        free(w->owned[m]);
    free(w->val.bin);
    free(w->val.y);
    free(w->val.own_yhat);
    free(w->val.yhat.data);
    free(w->val.p.data);
    lb_named_free(&w->gate);
    lb_moe_free(&w->moe);
    lb_domains_free(&w->bins);
    free(w);
}

static void run(lb_study *s)
{
    work *w = lb_xcalloc(1, sizeof *w);
    lb_weights look = {0};
    w->c = &s->data;
    fit_mixture(s, w);
    hear_validation(s, w);
    calibrate(s, w);
    if (lb_study_ok(s)) {
        w->entry[GLOBAL] = (lb_entry){method[GLOBAL].name, w->moe.global.yhat_chosen, false};
        w->entry[ORACLE] = (lb_entry){method[ORACLE].name, w->moe.mixture[0], true};
        for (size_t m = UNCAL; m < METHODS; m++)
            mix(s, w, m, m == UNCAL ? NULL : w->fit[m - FITTED]);
        score(s, w);
        put_experts(s, w);
        put_bins(s, w);
        put_weighted(s, w);
        put_published_rows(s, w->c->n_bins);
        lb_weights_look(s, w->c, w->c->covered, &w->bins, lb_mat_const(w->gate.test), "classify",
                        &look);
    }
    if (lb_study_ok(s)) {
        tables(s, w);
        figure_experts(s, w);
        figure_coefficients(s, w);
        figure_bins(s, w);
        figure_scores(s, w);
        figure_residuals(s, w);
        figure_trap(s, w, 6);
    }
    lb_weights_free(&look);
    work_free(w);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e17_calibration",
                             "Affine calibration of nine experts on validation rows, before the "
                             "gate that names the bin.",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
