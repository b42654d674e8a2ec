/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E19: experts by signal to noise, and the gate that needs the error vector alone.
 *
 * With the true signal to noise known, do four experts beat one global model at noise 1, and does a
 * gate keep that which never sees a label? By both definitions of signal to noise in use, since
 * thresholds belong to one of them.
 * Reads   spectra of the profile, from shards or as a stream; data/published/published.tsv;
 *         templates/experiments/e19_snr_experts/spec.yaml
 * Writes  data/results/<profile>/e19_snr_experts.h5, figures e19_*
 */
#include "experiments/e19_snr_experts/e19.h"

#include "core/memory.h"
#include "data/quantile_bins.h"
#include "models/conditional.h"
#include "models/penalty.h"
#include "models/quality.h"
#include "stats/quantile.h"
#include "stats/verdict.h"
#include "study/by_bin.h"
#include "study/gate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- signal to noise ----------------------------------------------------------------------------
 */

/* region: snr */
/* The values at the working noise and at the resolution the thresholds were made for: averaging r
 * pixels raises both definitions by about sqrt(r). Noise v divides them by v. */
static double snr_scale(const lb_study *s, double noise)
{
    const double pixels = (double)lb_spectra_pixels(s->data.split.test);
    return sqrt(pixels / lb_spec_number(s->spec, "settings.snr.pixels")) / noise;
}

static void take_snr(lb_study *s, result *r)
{
    const lb_cohort *c = &s->data;
    const size_t n[3] = {c->train.n, c->val.n, c->test.n};
    const double scale = snr_scale(s, r->noise);
    lb_cohort_snr snr = {0};
    if (lb_study_ok(s))
        lb_study_take(s, lb_cohort_snr_of(c, &snr, s->err));
    if (!lb_study_ok(s)) {
        lb_cohort_snr_free(&snr);
        return;
    }
    double *const from[DEFINITIONS][3] = {{snr.norm_train, snr.norm_val, snr.norm_test},
                                          {snr.pixel_train, snr.pixel_val, snr.pixel_test}};
    size_t unassigned = 0;
    for (size_t d = 0; d < DEFINITIONS; d++)
        for (size_t q = 0; q < 3; q++) {
            r->by[d].snr[q] = from[d][q]; /* taken over */
            for (size_t i = 0; i < n[q]; i++) {
                unassigned += isnan(from[d][q][i]);
                from[d][q][i] *= scale;
            }
        }
    lb_study_put(s, lb_number_count(unassigned), "snr.unassigned");
}
/* end region */

/* H > 7, M (4, 7], L (2, 4], X <= 2: an interval holds its upper edge. What cannot be assigned
 * goes to X. */
static void upper_closed_edges(const lb_study *s, double edge[INTERVALS - 1])
{
    size_t n = 0;
    const double *given = lb_spec_numbers(s->spec, "settings.snr.edges", &n);
    for (size_t k = 0; k + 1 < INTERVALS && k < n; k++)
        edge[k] = nextafter(given[k], INFINITY);
}

static int interval_of(double snr, const double edge[INTERVALS - 1])
{
    int k = X;
    for (size_t e = 0; e + 1 < INTERVALS; e++)
        k += snr >= edge[e];
    return k;
}

/* The experts of a definition; an interval with too few training rows joins its neighbour. */
static void deal_rows(lb_study *s, definition *d, const char *name)
{
    const lb_cohort *c = &s->data;
    double edge[INTERVALS - 1], all[INTERVALS + 1] = {0};
    size_t count[INTERVALS] = {0};
    lb_quantile_bins bins;
    lb_text log = {0};
    upper_closed_edges(s, edge);
    d->test_interval = lb_xcalloc(c->test.n, sizeof *d->test_interval);
    for (size_t i = 0; i < c->train.n; i++)
        d->of[interval_of(d->snr[0][i], edge)].n_train++;
    for (size_t i = 0; i < c->test.n; i++) {
        d->test_interval[i] = interval_of(d->snr[2][i], edge);
        d->of[d->test_interval[i]].n_test++;
    }
    for (size_t k = 0; k < INTERVALS; k++)
        count[k] = d->of[k].n_train;
    lb_study_take(s, lb_quantile_bins_at(edge, INTERVALS - 1, &bins, s->err));
    lb_quantile_bins_merge(&bins, count, lb_spec_size(s->spec, "settings.snr.minimum_train"), &bins,
                           d->serves, &log);
    memcpy(all + 1, bins.edge, (bins.n - 1) * sizeof *all);
    const lb_by_row value = {d->snr[0], d->snr[1], d->snr[2]};
    d->experts = lb_domains_intervals(c, name, value, all, bins.n, true);
    if (log.s && log.length) /* one line a merge; the last one needs no end */
        log.s[log.length - 1] = '\0';
    lb_study_put_text(s, log.s ? log.s : "none", "%s.merged", name);
    lb_text_free(&log);
}

static void make_rowsets(lb_study *s, definition *d, const char *name)
{
    const lb_cohort *c = &s->data;
    bool *keep = lb_xcalloc(c->test.n, sizeof *keep);
    for (size_t k = 0; k < INTERVALS; k++) {
        if (!d->of[k].n_test)
            continue;
        for (size_t i = 0; i < c->test.n; i++)
            keep[i] = d->test_interval[i] == (int)k;
        char *text = lb_xprintf("test rows of %s by %s", interval_names[k], name);
        d->rows[k] = lb_rowset_where(c->all, text, keep);
        free(text);
    }
    free(keep);
}

static double median(const double *x, size_t n)
{
    double *sorted = lb_xcalloc(n, sizeof *sorted);
    memcpy(sorted, x, n * sizeof *sorted);
    lb_sort(sorted, n);
    const double m = lb_quantile(sorted, n, 0.5);
    free(sorted);
    return m;
}

static void put_snr(lb_study *s, definition *d, const char *key)
{
    const lb_cohort *c = &s->data;
    size_t n = 0, on_edge = 0;
    const double *edge = lb_spec_numbers(s->spec, "settings.snr.edges", &n);
    double largest = -INFINITY;
    for (size_t i = 0; i < c->train.n; i++) {
        largest = fmax(largest, d->snr[0][i]);
        for (size_t k = 0; k < n; k++)
            on_edge += d->snr[0][i] == edge[k];
    }
    lb_number x = lb_number_plain(median(d->snr[0], c->train.n), "snr", "");
    x.digits = 2;
    x.n = c->train.n;
    lb_study_put(s, x, "%s.snr_median", key);
    x.value = largest;
    lb_study_put(s, x, "%s.snr_max", key);
    lb_study_put(s, lb_number_count(on_edge), "%s.on_edge", key);
    for (size_t k = 0; k < INTERVALS; k++) {
        lb_number share =
            lb_number_plain(100.0 * (double)d->of[k].n_train / (double)c->train.n, "percent", "%");
        share.digits = 1;
        share.n = c->train.n;
        lb_study_put(s, lb_number_count(d->of[k].n_train), "%s.%s.n_train", key, interval_keys[k]);
        lb_study_put(s, lb_number_count(d->of[k].n_test), "%s.%s.n_test", key, interval_keys[k]);
        lb_study_put(s, share, "%s.%s.share", key, interval_keys[k]);
    }
}

/* Median of the values there are, and how many: signal to noise that cannot be assigned is NAN. */
static lb_number median_of(const double *x, size_t n, const char *kind)
{
    double *known = lb_xcalloc(n + 1, sizeof *known);
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i]))
            known[count++] = x[i];
    lb_number out = count ? lb_number_plain(median(known, count), kind, "")
                          : lb_number_na(kind, "n/a (no rows)");
    out.n = count;
    out.digits = 2;
    free(known);
    return out;
}

/* Both definitions on the same rows: their ratio, and what the lowest interval of the first is on
 * the scale its edge was made for. */
static void put_scales(lb_study *s, const result *r)
{
    const lb_cohort *c = &s->data;
    const definition *norm = &r->by[NORM], *pixel = &r->by[PIXEL];
    size_t edges = 0, n = 0, above = 0;
    const double *edge = lb_spec_numbers(s->spec, "settings.snr.edges", &edges);
    double *ratio = lb_xcalloc(c->train.n + 1, sizeof *ratio);
    double *in_x = lb_xcalloc(c->test.n + 1, sizeof *in_x);
    for (size_t i = 0; i < c->train.n; i++)
        ratio[i] = pixel->snr[0][i] / norm->snr[0][i];
    for (size_t i = 0; i < c->test.n; i++)
        if (norm->test_interval[i] == X) {
            above += pixel->snr[2][i] > edge[0];
            in_x[n++] = pixel->snr[2][i];
        }
    lb_number share = n ? lb_number_plain(100.0 * (double)above / (double)n, "percent", "%")
                        : lb_number_na("percent", "n/a (no rows)");
    share.n = n;
    share.digits = 1;
    lb_study_put(s, median_of(ratio, c->train.n, "ratio"), "snr.pixel_over_norm");
    lb_study_put(s, median_of(in_x, n, "snr"), "oracle.x.pixel_median");
    lb_study_put(s, share, "oracle.x.pixel_above");
    free(ratio);
    free(in_x);
}

/* --- models -------------------------------------------------------------------------------------
 */

/* region: models */
/* One pass over the training rows for both definitions: the global model and four experts each. The
 * published penalty first, whose fit alone is timed; then a penalty per model by validation, and
 * the published one in proportion to the rows. */
static void fit_models(lb_study *s, result *r)
{
    const double fixed = lb_spec_number(s->spec, "settings.alpha.standardised");
    const double scaled =
        fixed * (double)s->data.train.n / lb_spec_number(s->spec, "settings.alpha.rows");
    const lb_moe_options chosen = lb_moe_options_of(s->spec);
    const lb_domains experts[DEFINITIONS] = {r->by[NORM].experts, r->by[PIXEL].experts};
    const lb_cost cost = lb_cost_start(s);

    lb_moe_rows *rows =
        lb_moe_gather(s, &s->data, r->noise, lb_noise_seeds_of(s->spec), experts, DEFINITIONS);
    lb_moe_fit_rows(s, rows, (lb_moe_options){{&fixed, 1}, 0, true}, &r->fit[FIXED]);
    lb_cost_put(s, cost, "fit");
    lb_moe_fit_rows(s, rows, chosen, &r->fit[CHOSEN]);
    lb_moe_fit_rows(s, rows, (lb_moe_options){{&scaled, 1}, 0, true}, &r->fit[SCALED]);
    lb_study_put(s, lb_number_plain(scaled, "alpha", ""), "alpha.scaled");
    lb_moe_rows_free(rows);
    for (size_t f = 0; f < FITS; f++)
        r->fit[f].domains = NULL; /* the array above ends here; names are in the definitions */
}
/* end region */

static void put_penalties(lb_study *s, const result *r)
{
    const lb_moe *m = &r->fit[CHOSEN];
    lb_study_put_alpha(s, &m->global, "alpha.global");
    for (size_t d = 0; d < DEFINITIONS; d++)
        for (size_t k = 0; k < INTERVALS; k++) {
            const lb_sweep_model e =
                lb_sweep_get(m->sweep, m->first[d] + (size_t)r->by[d].serves[k]);
            lb_study_put_alpha(s, &e, "alpha.%s.%s", oracle_keys[d], interval_keys[k]);
        }
}

/* --- the gate -----------------------------------------------------------------------------------
 */

/* region: features */
/* Ten statistics of the error vector of every row, at the working noise: no flux, no label. */
static void features_of(lb_study *s, const lb_stream *errors, double noise, lb_mat out,
                        size_t *replaced)
{
    enum { BLOCK = 512 };
    const size_t p = errors->cols;
    float *block = lb_xaligned(BLOCK * p, sizeof *block);
    for (size_t first = 0; first < out.rows && lb_study_ok(s); first += BLOCK) {
        const size_t k = out.rows - first < BLOCK ? out.rows - first : BLOCK;
        size_t bad = 0;
        lb_study_take(s, errors->read(errors->self, first, (lb_matf){block, k, p, p}, s->err));
        for (size_t j = 0; j < k * p && noise != 1.0; j++)
            block[j] *= (float)noise;
        if (lb_study_ok(s))
            lb_study_take(s, lb_quality_features((lb_cmatf){block, k, p, p},
                                                 lb_mat_rows(out, first, first + k), &bad, s->err));
        *replaced += bad;
    }
    free(block);
}
/* end region */

/* Of the first training rows only: ten numbers need no more. */
static void make_inputs(lb_study *s, const lb_cohort *head, double noise, lb_gate_inputs *in)
{
    lb_cohort_errors errors;
    size_t replaced = 0;
    *in = (lb_gate_inputs){.n = LB_QUALITY_FEATURES,
                           .name = lb_xcalloc(LB_QUALITY_FEATURES, sizeof *in->name),
                           .train = lb_mat_new(head->train.n, LB_QUALITY_FEATURES),
                           .val = lb_mat_new(head->val.n, LB_QUALITY_FEATURES),
                           .test = lb_mat_new(head->test.n, LB_QUALITY_FEATURES)};
    for (size_t j = 0; j < LB_QUALITY_FEATURES; j++)
        in->name[j] = lb_xstrdup(lb_quality_names[j]);
    lb_cohort_errors_of(head, &errors);
    features_of(s, &errors.train, noise, in->train, &replaced);
    features_of(s, &errors.val, noise, in->val, &replaced);
    features_of(s, &errors.test, noise, in->test, &replaced);
    lb_study_put(s, lb_number_count(replaced), "gate.errors_replaced");
}

/* The deployed mixture on the training rows of each interval. */
static void put_train_intervals(lb_study *s, const lb_cohort *head, const result *r, size_t which,
                                const double *mixed)
{
    const definition *d = &r->by[which];
    const size_t fewest = lb_spec_size(s->spec, "bins.minimum_test");
    double edge[INTERVALS - 1] = {0.0};
    double *y = lb_xcalloc(2 * head->train.n, sizeof *y), *yhat = y + head->train.n;
    upper_closed_edges(s, edge);
    for (size_t k = 0; k < INTERVALS; k++) {
        size_t n = 0;
        for (size_t i = 0; i < head->train.n; i++)
            if (interval_of(d->snr[0][i], edge) == (int)k) {
                y[n] = head->train.target[i];
                yhat[n++] = mixed[i];
            }
        lb_number x = n < fewest ? lb_number_na("r2_train", "n/a (n<10)")
                                 : lb_number_plain(lb_r2(y, yhat, n), "r2_train", "");
        x.n = n;
        lb_study_put(s, x, "%s.%s.train_r2", gate_keys[which], interval_keys[k]);
    }
    free(y);
}

/* What every method but the hard gate says of the training rows of the gate. */
static void say_training_rows(lb_study *s, const lb_cohort *head, const result *r, size_t which,
                              lb_cmat p, double *const said[METHODS])
{
    const definition *d = &r->by[which];
    const lb_moe *m = &r->fit[CHOSEN];
    const size_t n = head->train.n, k = d->experts.n;
    const double tau = lb_spec_number(s->spec, "settings.gate.tau");
    const lb_mat yhat = lb_mat_new(n, k + 1);
    size_t *pick = lb_xcalloc(k + 1, sizeof *pick);
    for (size_t e = 0; e < k; e++)
        pick[e] = m->first[which] + e;
    lb_exposure seen;
    lb_cohort_expose(head, r->noise, lb_noise_seeds_of(s->spec), &seen);
    if (lb_study_ok(s)) /* the global model is member 0 and comes last */
        lb_study_take(s, lb_sweep_predict(m->sweep, pick, k + 1, &seen.train.x, yhat, s->err));
    for (size_t i = 0; i < n; i++)
        said[GLOBAL][i] = yhat.data[i * yhat.stride + k];
    const lb_experts e = {{yhat.data, n, k, yhat.stride}, NULL, {said[GLOBAL], n}};
    if (lb_study_ok(s))
        lb_study_take(
            s, lb_mixture_given(e, d->experts.train, (lb_vec){said[ORACLE], n}, NULL, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_soft(e, p, 0.0, (lb_vec){said[SOFT], n}, NULL, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_soft(e, p, tau, (lb_vec){said[TRUSTED], n}, NULL, s->err));
    free(pick);
    free(yhat.data);
}

/* The same mixture on the training rows of the gate, to see what is learned by heart. */
static void put_train_scores(lb_study *s, const lb_cohort *head, const result *r, size_t which,
                             lb_cmat p)
{
    static const char *const names[METHODS] = {[GLOBAL] = "global",
                                               [ORACLE] = "oracle",
                                               [SOFT] = "deployed",
                                               [TRUSTED] = "deployed_fallback"};
    const size_t n = head->train.n;
    double *said[METHODS];
    for (size_t j = 0; j < METHODS; j++)
        said[j] = lb_xcalloc(n, sizeof **said);
    say_training_rows(s, head, r, which, p, said);
    for (size_t j = 0; j < METHODS; j++) {
        if (!names[j])
            continue;
        lb_number x = lb_number_plain(lb_r2(head->train.target, said[j], n), "r2_train", "");
        x.n = n;
        x.oracle = j == ORACLE;
        lb_study_put(s, x, "%s.train_r2.%s", gate_keys[which], names[j]);
    }
    put_train_intervals(s, head, r, which, said[SOFT]);
    for (size_t j = 0; j < METHODS; j++)
        free(said[j]);
}

static lb_gate_naming gate_options(const lb_study *s)
{
    lb_gate_naming o = {.folds = lb_spec_size(s->spec, "settings.gate.folds"),
                        .seed = lb_spec_size(s->spec, "settings.gate.seed")};
    o.C.data = lb_spec_numbers(s->spec, "settings.gate.c", &o.C.n);
    return o;
}

/* Name the interval from the error vector, then mix the experts by what the gate gives them. */
static void run_gate(lb_study *s, const lb_cohort *head, const lb_gate_inputs *in, result *r,
                     size_t which)
{
    definition *d = &r->by[which];
    const lb_moe *m = &r->fit[CHOSEN];
    const double tau = lb_spec_number(s->spec, "settings.gate.tau");
    lb_named gate;
    lb_gate_name(s, in, &d->experts, gate_options(s), &gate);
    if (!lb_study_ok(s))
        return;
    const lb_cmat p = lb_mat_const(gate.test);
    const lb_experts e = {lb_mat_const(m->yhat[which]), NULL, m->global.yhat_chosen};
    lb_route(s, e, p, tau, &d->routed);
    lb_confusion *confusion = lb_gate_confusion(s, &s->data, s->data.all, &d->experts, p);
    lb_gate_put_accuracy(s, confusion, gate_keys[which]);
    lb_study_put(s, lb_gate_doubt(&s->data, s->data.all, p, tau), "%s.fallback_rate",
                 gate_keys[which]);
    lb_study_put(s, lb_number_plain(gate.cv->model->C, "inverse_penalty", ""), "%s.c",
                 gate_keys[which]);
    lb_study_put(s, lb_number_count(gate.cv->model->n_rows), "%s.n_train_gate", gate_keys[which]);
    put_train_scores(s, head, r, which, lb_mat_const(gate.train));
    if (lb_study_ok(s)) {
        d->accuracy = 100.0 * lb_confusion_accuracy(confusion).value;
        for (size_t t = 0; t < d->experts.n; t++)
            for (size_t k = 0; k < d->experts.n; k++)
                d->confusion[t * INTERVALS + k] = lb_confusion_count(confusion, t, k);
    }
    lb_confusion_free(confusion);
    lb_named_free(&gate);
}

/* --- scores -------------------------------------------------------------------------------------
 */

static void entries_of(const result *r, size_t fit, size_t which, lb_entry e[METHODS])
{
    const lb_moe *m = &r->fit[fit];
    const lb_routed *q = &r->by[which].routed;
    e[GLOBAL] = (lb_entry){"global", m->global.yhat_chosen, false};
    e[ORACLE] = (lb_entry){"oracle", m->mixture[which], true};
    e[SOFT] = (lb_entry){"deployed", q->soft, false};
    e[HARD] = (lb_entry){"deployed, hard", q->hard, false};
    e[TRUSTED] = (lb_entry){"deployed, fallback", q->trusted, false};
}

/* region: scores */
/* All methods on all test rows: the gain of the oracle, and the share of it that is kept. */
static void score(lb_study *s, result *r, size_t which)
{
    static const char *const names[METHODS] = {"global", "oracle", "deployed", "deployed_hard",
                                               "deployed_fallback"};
    const double line = lb_spec_number(s->spec, "thresholds.dr2");
    const char *key = oracle_keys[which], *gate = gate_keys[which];
    definition *d = &r->by[which];
    lb_entry entries[METHODS];
    entries_of(r, CHOSEN, which, entries);
    lb_contest *t = lb_contest_on(s, &s->data, s->data.all, entries, METHODS);
    d->delta = lb_contest_delta_above(t, ORACLE, GLOBAL, line);
    for (size_t k = 0; k < METHODS; k++) {
        d->r2[k] = lb_contest_r2(t, k);
        d->mae[k] = lb_contest_mae(t, k);
        d->rmse[k] = lb_contest_rmse(t, k);
        lb_study_put(s, d->r2[k], "%s.r2.%s", gate, names[k]);
        if (k <= ORACLE) {
            lb_study_put(s, d->r2[k], "%s.r2.%s", key, names[k]);
            lb_study_put(s, d->mae[k], "%s.mae.%s", key, names[k]);
            lb_study_put(s, d->rmse[k], "%s.rmse.%s", key, names[k]);
            continue;
        }
        d->rho[k] = lb_contest_retention(t, k, GLOBAL, ORACLE);
        lb_study_put(s, lb_contest_delta(t, k, GLOBAL), "%s.dr2.%s", gate, names[k]);
    }
    lb_study_put(s, d->delta, "%s.dr2", key);
    lb_study_put(s, d->rho[SOFT], "%s.rho", gate);
    lb_study_put(s, d->rho[HARD], "%s.rho_hard", gate);
    lb_study_put(s, lb_contest_delta(t, SOFT, ORACLE), "%s.dr2.deployed_minus_oracle", gate);
    lb_study_put_text(s, lb_rung_word(lb_ladder(&d->delta, line)), "%s.ladder", key);
    lb_contest_free(t);
}
/* end region */

bool few_rows(const lb_study *s, const interval *x)
{
    return x->n_test < lb_spec_size(s->spec, "settings.snr.few_rows");
}

static void score_interval(lb_study *s, result *r, size_t which, size_t k)
{
    definition *d = &r->by[which];
    interval *x = &d->of[k];
    lb_entry entries[METHODS];
    const char *key = oracle_keys[which], *name = interval_keys[k];
    for (size_t j = 0; j < METHODS; j++)
        x->r2[j] = lb_number_na("r2", "n/a (n<10)");
    x->delta = x->r2[0];
    x->mae = x->rmse = lb_number_na("mae", "n/a (n<10)");
    if (x->n_test >= lb_spec_size(s->spec, "bins.minimum_test")) {
        entries_of(r, CHOSEN, which, entries);
        lb_contest *t = lb_contest_on(s, &s->data, d->rows[k], entries, METHODS);
        for (size_t j = 0; j < METHODS; j++)
            x->r2[j] = lb_contest_r2(t, j);
        x->delta = lb_contest_delta(t, ORACLE, GLOBAL);
        x->mae = lb_contest_mae(t, ORACLE);
        x->rmse = lb_contest_rmse(t, ORACLE);
        lb_contest_free(t);
    }
    lb_study_put(s, x->r2[ORACLE], "%s.%s.r2_oracle", key, name);
    lb_study_put(s, x->r2[GLOBAL], "%s.%s.r2_global", key, name);
    lb_study_put(s, x->delta, "%s.%s.dr2", key, name);
    lb_study_put(s, x->mae, "%s.%s.mae", key, name);
    lb_study_put(s, x->rmse, "%s.%s.rmse", key, name);
    lb_study_put(s, x->r2[SOFT], "%s.%s.test_r2", gate_keys[which], name);
}

/* The scores of the intervals and the score of all rows must be able to be about the same rows. */
static void put_weighted(lb_study *s, const result *r, size_t which)
{
    static const size_t methods[] = {GLOBAL, ORACLE, SOFT};
    static const char *const names[] = {"global", "oracle", "deployed"};
    const definition *d = &r->by[which];
    for (size_t j = 0; j < 3; j++) {
        lb_number scores[INTERVALS];
        const char *key = methods[j] == SOFT ? gate_keys[which] : oracle_keys[which];
        for (size_t k = 0; k < INTERVALS; k++)
            scores[k] = d->of[k].r2[methods[j]];
        const lb_suspicion look = lb_suspect(s, &d->r2[methods[j]], scores, INTERVALS);
        lb_study_put(s, look.weighted, "%s.weighted_r2.%s", key, names[j]);
        lb_study_put_text(s, lb_suspicion_warning(&look), "%s.warning.%s", key, names[j]);
    }
}

/* The gain with the other penalties. */
static void score_fixed(lb_study *s, const result *r)
{
    static const char *const names[FITS] = {[FIXED] = "fixed", [SCALED] = "scaled"};
    for (size_t f = FIXED; f < FITS; f++)
        for (size_t d = 0; d < DEFINITIONS; d++) {
            const lb_moe *m = &r->fit[f];
            const lb_entry entries[] = {{"global", m->global.yhat_chosen, false},
                                        {"oracle", m->mixture[d], true}};
            lb_contest *t = lb_contest_on(s, &s->data, s->data.all, entries, 2);
            const lb_number delta = lb_contest_delta(t, 1, 0);
            if (d == NORM)
                lb_study_put(s, lb_contest_r2(t, 0), "%s.r2.global", names[f]);
            lb_study_put(s, lb_contest_r2(t, 1), "%s.%s.r2.oracle", names[f], oracle_keys[d]);
            lb_study_put(s, delta, "%s.%s.dr2", names[f], oracle_keys[d]);
            lb_study_put_text(
                s, lb_rung_word(lb_ladder(&delta, lb_spec_number(s->spec, "thresholds.dr2"))),
                "%s.%s.ladder", names[f], oracle_keys[d]);
            lb_contest_free(t);
        }
}

/* --- simpler models (Gate-4) --------------------------------------------------------------------
 */

/* Ridge on spectra in units of their noise: one model, no gate. */
static double *fit_whitened(lb_study *s, const lb_cohort *c, double noise)
{
    const lb_noise_seeds seeds = lb_noise_seeds_of(s->spec);
    const lb_side *sides[3] = {&c->train, &c->val, &c->test};
    const uint64_t seed[3] = {
        seeds.train, c->split.validation_was_cut ? seeds.train : seeds.validation, seeds.test};
    lb_noisy noisy[3];
    lb_stream_rows selected[3];
    lb_stream x[3];
    for (size_t q = 0; q < 3; q++) {
        noisy[q] = (lb_noisy){sides[q]->spectra, noise, seed[q]};
        selected[q] = (lb_stream_rows){lb_whitened_stream(&noisy[q]), sides[q]->rows, sides[q]->n};
        x[q] = lb_stream_of_rows(&selected[q]);
    }
    int *group = lb_xcalloc(c->train.n > c->val.n ? c->train.n : c->val.n, sizeof *group);
    const lb_labelled train = {x[0], {c->train.target, c->train.n}, group};
    const lb_labelled val = {x[1], {c->val.target, c->val.n}, group};
    lb_sweep_options o = {.groups = 1,
                          .extend_decades = (int)lb_spec_size(s->spec, "ridge.extend_decades"),
                          .standardise = true};
    o.alphas.data = lb_spec_numbers(s->spec, "settings.whitened_alphas", &o.alphas.n);
    const bool use = true;
    const lb_member member = {"whitened", &use};
    lb_sweep *sweep = NULL;
    double *yhat = lb_xcalloc(c->test.n, sizeof *yhat);
    if (lb_study_ok(s))
        lb_study_take(s, lb_sweep_run(&train, &val, &x[2], &member, 1, o, &sweep, s->err));
    if (lb_study_ok(s)) {
        const lb_sweep_model m = lb_sweep_get(sweep, 0);
        memcpy(yhat, m.yhat_chosen.data, c->test.n * sizeof *yhat);
        lb_study_put_alpha(s, &m, "alpha.whitened");
    }
    lb_sweep_free(sweep);
    free(group);
    return yhat;
}

/* ln of the mean error, about the mean of the training rows: signal to noise without the signal. */
static lb_cmat quality_of(const lb_mat features, double centre)
{
    double *x = lb_xcalloc(features.rows, sizeof *x);
    for (size_t i = 0; i < features.rows; i++)
        x[i] = log(features.data[i * features.stride]) - centre;
    return (lb_cmat){x, features.rows, 1, 1};
}

/* Weights that vary with that quality: [x, q x] and q itself. */
static double *fit_conditioned(lb_study *s, const lb_cohort *c, double noise,
                               const lb_gate_inputs *in)
{
    static const lb_monomial powers[] = {{{0}}, {{1}}};
    const lb_conditional_member member = {"conditioned", .conditions = {powers, 2, .plain = true}};
    lb_conditional_options o = {.extend_decades =
                                    (int)lb_spec_size(s->spec, "ridge.extend_decades")};
    lb_exposure seen;
    lb_conditional *fit = NULL;
    double *yhat = lb_xcalloc(c->test.n, sizeof *yhat);
    const lb_cmat raw = quality_of(in->train, 0.0);
    const double centre = lb_mean(raw.data, raw.rows);
    const lb_cmat train = quality_of(in->train, centre), val = quality_of(in->val, centre);
    const lb_cmat test = quality_of(in->test, centre);
    o.alphas.data = lb_spec_numbers(s->spec, "settings.conditioned_alphas", &o.alphas.n);
    lb_cohort_expose(c, noise, lb_noise_seeds_of(s->spec), &seen);
    const lb_conditional_labelled fit_rows = {{seen.train.x, train}, seen.train.y, NULL};
    const lb_conditional_labelled val_rows = {{seen.val.x, val}, seen.val.y, NULL};
    const lb_conditional_rows test_rows = {seen.test, test};
    if (lb_study_ok(s))
        lb_study_take(
            s, lb_conditional_run(&fit_rows, &val_rows, &test_rows, &member, 1, o, &fit, s->err));
    if (lb_study_ok(s)) {
        const lb_sweep_model m = lb_conditional_get(fit, 0);
        memcpy(yhat, m.yhat_chosen.data, c->test.n * sizeof *yhat);
        lb_study_put_alpha(s, &m, "alpha.conditioned");
    }
    lb_conditional_free(fit);
    free((double *)raw.data);
    free((double *)train.data);
    free((double *)val.data);
    free((double *)test.data);
    return yhat;
}

/* region: simpler */
/* Models that need no gate, against the deployed mixture on the same rows; the better of them, by
 * the test rows, is judged. Not on very large sets, where each would be one more pass. */
static void run_simpler(lb_study *s, const lb_gate_inputs *in, result *r)
{
    static const char *const names[SIMPLE] = {"whitened", "conditioned"};
    const lb_cohort *c = &s->data;
    const bool run = in->train.rows == c->train.n;
    double *yhat[SIMPLE] = {NULL};
    if (run) {
        yhat[WHITENED] = fit_whitened(s, c, r->noise);
        yhat[CONDITIONED] = fit_conditioned(s, c, r->noise, in);
    } else {
        lb_study_put_text(s, "—", "alpha.whitened.marked");
        lb_study_put_text(s, "—", "alpha.conditioned.marked");
    }
    const lb_entry entries[] = {{"whitened", {yhat[WHITENED], c->test.n}, false},
                                {"conditioned", {yhat[CONDITIONED], c->test.n}, false},
                                {"global", r->fit[CHOSEN].global.yhat_chosen, false},
                                {"deployed", r->by[NORM].routed.soft, false}};
    lb_contest *t = run ? lb_contest_on(s, c, c->all, entries, 4) : NULL;
    lb_number best = lb_number_na("delta_r2", "not run");
    for (size_t k = 0; k < SIMPLE; k++) {
        r->simple[k] = run ? lb_contest_r2(t, k) : lb_number_na("r2", "not run");
        r->simple_delta[k] = run ? lb_contest_delta(t, k, 3) : best;
        const lb_number gain =
            run ? lb_contest_delta(t, k, 2) : lb_number_na("delta_r2", "not run");
        lb_study_put(s, r->simple[k], "gate4.%s.r2", names[k]);
        lb_study_put(s, gain, "gate4.%s.dr2_global", names[k]);
        lb_study_put(s, r->simple_delta[k], "gate4.%s.dr2_deployed", names[k]);
        if (run && !(best.value >= r->simple_delta[k].value))
            best = r->simple_delta[k];
    }
    lb_study_put(s, best, "gate4.best_minus_deployed");
    lb_contest_free(t);
    free(yhat[WHITENED]);
    free(yhat[CONDITIONED]);
}
/* end region */

/* --- what the published numbers say about each other --------------------------------------------
 */

/* Rows of the published confusion matrix, and scores of the intervals weighted by their rows. */
static void run_published(lb_study *s)
{
    double confusion = 0.0, rows = 0.0, global = 0.0, oracle = 0.0, deployed = 0.0;
    for (size_t t = 0; t < INTERVALS; t++) {
        const double n = lb_study_published_number(s, "e19.oracle.%s.n_test", interval_names[t]);
        double own = 0.0;
        for (size_t k = 0; k < INTERVALS; k++) {
            char pair[8];
            snprintf(pair, sizeof pair, "%s.%s", interval_names[t], interval_names[k]);
            own += lb_study_published_number(s, "e19.gate.confusion.%s", pair);
        }
        confusion += own;
        rows += n;
        global += n * lb_study_published_number(s, "e19.oracle.%s.r2_global", interval_names[t]);
        oracle += n * lb_study_published_number(s, "e19.oracle.%s.r2_oracle", interval_names[t]);
        deployed += own * lb_study_published_number(s, "e19.gate.%s.test_r2", interval_names[t]);
    }
    lb_study_put(s, lb_number_count((size_t)confusion), "theirs.confusion_rows");
    lb_study_put(s, lb_number_count((size_t)rows), "theirs.interval_rows");
    lb_study_put(s, lb_number_plain(global / rows, "recomputed", ""), "theirs.weighted_global");
    lb_study_put(s, lb_number_plain(oracle / rows, "recomputed", ""), "theirs.weighted_oracle");
    lb_study_put(s, lb_number_plain(deployed / confusion, "recomputed", ""),
                 "theirs.weighted_deployed");
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void release(result *r)
{
    for (size_t f = 0; f < FITS; f++)
        lb_moe_free(&r->fit[f]);
    for (size_t d = 0; d < DEFINITIONS; d++) {
        definition *x = &r->by[d];
        for (size_t q = 0; q < 3; q++)
            free(x->snr[q]);
        for (size_t k = 0; k < INTERVALS; k++)
            lb_rowset_free(x->rows[k]);
        free(x->test_interval);
        lb_domains_free(&x->experts);
        lb_routed_free(&x->routed);
    }
    free(r);
}

static void run(lb_study *s)
{
    result *r = lb_xcalloc(1, sizeof *r);
    lb_gate_inputs in = {0};
    r->noise = lb_spec_number(s->spec, "noise.focus");
    const lb_cohort head = lb_cohort_head(&s->data, lb_spec_size(s->spec, "settings.gate.rows"));

    take_snr(s, r);
    for (size_t d = 0; d < DEFINITIONS && lb_study_ok(s); d++) {
        deal_rows(s, &r->by[d], oracle_keys[d]);
        make_rowsets(s, &r->by[d], definition_names[d]);
        put_snr(s, &r->by[d], oracle_keys[d]);
    }
    if (lb_study_ok(s))
        put_scales(s, r);
    if (lb_study_ok(s))
        fit_models(s, r);
    if (lb_study_ok(s)) {
        put_penalties(s, r);
        make_inputs(s, &head, r->noise, &in);
    }
    for (size_t d = 0; d < DEFINITIONS && lb_study_ok(s); d++) {
        run_gate(s, &head, &in, r, d);
        if (lb_study_ok(s))
            score(s, r, d);
        for (size_t k = 0; k < INTERVALS && lb_study_ok(s); k++)
            score_interval(s, r, d, k);
        put_weighted(s, r, d);
    }
    if (lb_study_ok(s)) {
        score_fixed(s, r);
        run_simpler(s, &in, r);
    }
    run_published(s);
    lb_cost_put_totals(s);
    if (lb_study_ok(s))
        make_tables(s, r);
    if (lb_study_ok(s))
        draw_figures(s, r);
    lb_gate_inputs_free(&in);
    release(r);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e19_snr_experts",
                             "Do four Ridge experts by signal to noise beat one global model at "
                             "noise 1, and does a gate on the error vector keep the gain?",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
