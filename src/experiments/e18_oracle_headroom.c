/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E18: oracle headroom at noise 1, and the soft gate that can be deployed.
 *
 * Where the noise equals the error of the instrument, does splitting by true (T_eff, [M/H]) still
 * pay, and how much of that does a gate keep which sees the noisy spectrum alone?
 * Reads   spectra of the profile, from shards or as a stream; data/published/published.tsv;
 *         templates/experiments/e18_oracle_headroom/spec.yaml
 * Writes  data/results/<profile>/e18_oracle_headroom.h5, figures e18_*
 */
#include "experiments/e18_oracle_headroom/e18.h"

#include "core/memory.h"
#include "core/progress.h"
#include "core/text.h"
#include "stats/anova.h"
#include "stats/quantile.h"
#include "stats/seeds.h"
#include "stats/verdict.h"
#include "study/by_bin.h"
#include "study/gate.h"
#include "study/quote.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the models ---------------------------------------------------------------------------------
 */

/* region: models */
/* One pass over the training rows, four fits from it. A penalty acts against a sum over rows, so
 * the published one, which belongs to a million rows, is also taken in proportion to ours. */
static void fit_models(lb_study *s, result *r)
{
    const double fixed = lb_spec_number(s->spec, "settings.alpha.standardised");
    const double plain = lb_spec_number(s->spec, "settings.alpha.raw_flux");
    const double scaled =
        fixed * (double)s->data.train.n / lb_spec_number(s->spec, "settings.alpha.rows");
    const lb_moe_options o[FITS] = {[CHOSEN] = lb_moe_options_of(s->spec),
                                    [FIXED] = {{&fixed, 1}, 0, true},
                                    [SCALED] = {{&scaled, 1}, 0, true},
                                    [PLAIN] = {{&plain, 1}, 0, false}};
    const lb_cost cost = lb_cost_start(s);
    lb_moe_rows *rows =
        lb_moe_gather(s, &s->data, r->noise, lb_noise_seeds_of(s->spec), &r->bins, 1);
    lb_study_put(s, lb_number_plain(scaled, "alpha", ""), "alpha.scaled");
    for (size_t f = 0; f < FITS; f++)
        lb_moe_fit_rows(s, rows, o[f], &r->fit[f]);
    lb_cost_put(s, cost, "fit");
    if (lb_study_ok(s))
        lb_study_take(s, lb_pca_fit(lb_moe_rows_gram(rows), NULL,
                                    lb_spec_size(s->spec, "settings.gate.components"), &r->pca,
                                    s->err));
    lb_moe_rows_free(rows);
}
/* end region */

/* Expert of each test row when the outermost cells reach out to rows beyond them. */
static int *clamped_experts(const lb_cohort *c, const lb_domains *d)
{
    const lb_bins *b = &c->bins;
    const size_t n = c->test.n;
    double *teff = lb_xcalloc(2 * n, sizeof *teff), *mh = teff + n;
    int *expert = lb_xcalloc(n, sizeof *expert);
    memcpy(teff, c->test.teff, n * sizeof *teff);
    memcpy(mh, c->test.mh, n * sizeof *mh);
    for (size_t i = 0; i < n; i++) {
        teff[i] = fmin(fmax(teff[i], b->teff[0]), b->teff[b->n_teff]);
        mh[i] = fmin(fmax(mh[i], b->mh[0]), b->mh[b->n_mh]);
    }
    lb_bins_assign(b, (lb_cvec){teff, n}, (lb_cvec){mh, n}, expert);
    for (size_t i = 0; i < n; i++)
        expert[i] =
            expert[i] < 0 || c->merged_to[expert[i]] < 0 ? -1 : d->of_bin[c->merged_to[expert[i]]];
    free(teff);
    return expert;
}

static void clamp_oracle(lb_study *s, result *r)
{
    const size_t n = s->data.test.n;
    int *expert = clamped_experts(&s->data, &r->bins);
    const lb_experts e = {lb_mat_const(r->fit[CHOSEN].yhat[0]), NULL,
                          r->fit[CHOSEN].global.yhat_chosen};
    r->clamped = lb_xcalloc(n, sizeof *r->clamped);
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_given(e, expert, (lb_vec){r->clamped, n}, NULL, s->err));
    free(expert);
}

/* --- headroom -----------------------------------------------------------------------------------
 */

static const char *const keys_of_others[FITS] = {
    [FIXED] = "fixed.covered", [SCALED] = "scaled.covered", [PLAIN] = "plain.covered"};

static lb_contest *headroom_on(lb_study *s, const lb_cohort *c, const lb_moe *m,
                               const lb_rowset *rows, lb_cvec oracle)
{
    const lb_entry entries[] = {
        [GLOBAL] = {"global", m->global.yhat_chosen, false}, [ORACLE] = {"oracle", oracle, true}};
    return lb_contest_on(s, c, rows, entries, 2);
}

static void put_headroom(lb_study *s, const lb_contest *t, const char *key)
{
    const double continues = lb_spec_number(s->spec, "thresholds.dr2_continue");
    const lb_number delta = lb_contest_delta_above(t, ORACLE, GLOBAL, continues);
    lb_study_put(s, lb_contest_r2(t, ORACLE), "%s.r2.oracle", key);
    lb_study_put(s, lb_contest_r2(t, GLOBAL), "%s.r2.global", key);
    lb_study_put(s, delta, "%s.dr2", key);
    lb_study_put_text(s, lb_rung_word(lb_ladder(&delta, continues)), "%s.ladder", key);
}

/* The published configuration, then the same difference on other rows and with other penalties. */
static void run_headroom(lb_study *s, result *r)
{
    const lb_cohort *c = &s->data;
    const lb_moe *m = &r->fit[CHOSEN];
    lb_contest *all = headroom_on(s, c, m, c->all, m->with_fallback[0]);
    lb_contest *covered = headroom_on(s, c, m, c->covered, m->mixture[0]);
    lb_contest *clamped = headroom_on(s, c, m, c->all, (lb_cvec){r->clamped, c->test.n});
    const lb_number on_all = lb_contest_r2(all, GLOBAL), oracle = lb_contest_r2(covered, ORACLE);
    r->delta = lb_contest_delta_above(covered, ORACLE, GLOBAL,
                                      lb_spec_number(s->spec, "thresholds.dr2_continue"));
    if (lb_study_ok(s))
        lb_study_take(s, lb_score_delta_unaligned(&oracle, &on_all, &r->unaligned, s->err));
    lb_study_put(s, oracle, "r2.oracle");
    lb_study_put(s, on_all, "r2.global");
    lb_study_put(s, lb_contest_r2(covered, GLOBAL), "r2.global.covered");
    lb_study_put(s, r->unaligned, "dr2.oracle_minus_global");
    lb_study_put(s, r->delta, "dr2.aligned");
    put_headroom(s, covered, "chosen.covered");
    put_headroom(s, clamped, "chosen.clamped");
    put_headroom(s, all, "chosen.fallback");
    lb_contest_free(all);
    lb_contest_free(covered);
    lb_contest_free(clamped);
    for (size_t f = FIXED; f < FITS; f++) {
        lb_contest *t = headroom_on(s, c, &r->fit[f], c->covered, r->fit[f].mixture[0]);
        put_headroom(s, t, keys_of_others[f]);
        lb_contest_free(t);
    }
    /* A penalty that suits the experts may cost the global model: also against its better one. */
    lb_contest *t = headroom_on(s, c, m, c->covered, r->fit[SCALED].mixture[0]);
    lb_study_put(s, lb_contest_delta(t, ORACLE, GLOBAL), "%s.dr2_vs_chosen",
                 keys_of_others[SCALED]);
    lb_contest_free(t);
    lb_study_put_alpha(s, &r->fit[CHOSEN].global, "alpha.global");
}

/* "Cool Metal-poor" of bin 0 becomes "bin0_cool_poor". */
static void key_of(const char *name, size_t k, char out[32])
{
    int at = snprintf(out, 32, "bin%zu_", k);
    for (const char *p = name; *p && at < 31; p++) {
        if (strncmp(p, "Metal-", 6) == 0)
            p += 6;
        out[at++] = (char)(isalnum((unsigned char)*p) ? tolower((unsigned char)*p) : '_');
    }
    out[at] = '\0';
}

static void put_bin(lb_study *s, result *r, size_t k)
{
    const lb_cohort *c = &s->data;
    bin_result *b = &r->bin[k];
    const bool scored =
        c->merged_to[k] == (int)k && c->n_test[k] >= lb_spec_size(s->spec, "bins.minimum_test");
    const char *reason = c->merged_to[k] != (int)k ? "n/a (merged)" : "n/a (n<10)";
    lb_bins_name(&c->bins, (int)k, b->name);
    key_of(b->name, k, b->key);
    b->oracle = b->global = b->soft = b->delta = lb_number_na("r2", reason);
    b->mae = lb_number_na("mae", reason);
    if (scored) {
        const lb_moe *m = &r->fit[CHOSEN];
        const lb_entry entries[] = {[GLOBAL] = {"global", m->global.yhat_chosen, false},
                                    [ORACLE] = {"oracle", m->mixture[0], true},
                                    [SOFT] = {"soft", r->routed[CHOSEN].soft, false}};
        lb_contest *t = lb_contest_on(s, c, c->in_bin[k], entries, 3);
        b->oracle = lb_contest_r2(t, ORACLE);
        b->global = lb_contest_r2(t, GLOBAL);
        b->soft = lb_contest_r2(t, SOFT);
        b->delta = lb_contest_delta(t, ORACLE, GLOBAL);
        b->mae = lb_contest_mae(t, ORACLE);
        lb_contest_free(t);
    }
    lb_study_put(s, b->oracle, "perbin.r2_oracle.%s", b->key);
    lb_study_put(s, b->global, "fig.r2_global.%s", b->key);
    lb_study_put(s, b->soft, "16g.fig.r2_soft.%s", b->key);
    lb_study_put(s, b->delta, "perbin.dr2_vs_global.%s", b->key);
    lb_study_put(s, b->mae, "fig.mae_oracle.%s", b->key);
    lb_study_put(s, lb_number_count(c->n_train[k]), "16g.n_train.%s", b->key);
    lb_study_put(s, lb_number_count(c->n_test[k]), "16g.n_test.%s", b->key);
    const int e = r->bins.of_bin[k];
    if (e >= 0) {
        const lb_sweep_model expert = lb_moe_expert(&r->fit[CHOSEN], 0, (size_t)e);
        lb_study_put_alpha(s, &expert, "alpha.%s", b->key);
    } else {
        lb_study_put_text(s, "—", "alpha.%s.marked", b->key);
    }
}

/* Two readings of "the metal-poor cells are hit hardest". */
static void put_metal_poor(lb_study *s, const result *r)
{
    const size_t n_mh = s->data.bins.n_mh;
    double mean = 0.0;
    size_t scored = 0, poor = 0, below = 0, lowest = 0;
    for (size_t k = 0; k < BINS; k++) {
        scored += isfinite(r->bin[k].delta.value);
        mean += isfinite(r->bin[k].delta.value) ? r->bin[k].delta.value : 0.0;
        poor += k % n_mh == 0;
    }
    mean /= (double)(scored ? scored : 1);
    for (size_t k = 0; k < BINS; k += n_mh) {
        size_t lower = 0; /* cells that score less than this one */
        for (size_t j = 0; j < BINS; j++)
            lower += r->bin[j].oracle.value < r->bin[k].oracle.value;
        below += r->bin[k].delta.value < mean;
        lowest += lower < poor;
    }
    lb_number plain = lb_number_plain(mean, "mean_dr2", "");
    plain.oracle = true; /* as are the gains it is the mean of */
    lb_study_put(s, plain, "perbin.mean_dr2");
    lb_study_put(s, lb_number_count(poor), "poor.cells");
    lb_study_put(s, lb_number_count(below), "poor.dr2_below_mean");
    lb_study_put(s, lb_number_count(lowest), "poor.among_lowest_r2");
}

/* The pooled score and those of the cells must be able to be about the same rows. */
static void put_suspicion(lb_study *s, const result *r)
{
    lb_number scores[BINS];
    for (size_t k = 0; k < BINS; k++)
        scores[k] = r->bin[k].oracle;
    const lb_suspicion look = lb_suspect(s, &r->r2[COVERED][ORACLE], scores, BINS);
    lb_study_put(s, look.weighted, "perbin.weighted_r2");
    lb_study_put(s, lb_number_count(look.rows_in_bins), "perbin.rows");
    lb_study_put(s, lb_number_count(look.rows_differ), "perbin.rows_differ");
    lb_study_put_text(s, look.text, "perbin.suspicion");
}

/* The same look at every method, and the mean gain of the cells weighted by their test rows. */
static void put_weighted(lb_study *s, const result *r)
{
    static const char *const names[] = {[GLOBAL] = "global", [ORACLE] = "oracle", [SOFT] = "soft"};
    double gain = 0.0;
    size_t rows = 0;
    for (size_t m = GLOBAL; m <= SOFT; m++) {
        lb_number scores[BINS];
        for (size_t k = 0; k < BINS; k++)
            scores[k] = m == GLOBAL   ? r->bin[k].global
                        : m == ORACLE ? r->bin[k].oracle
                                      : r->bin[k].soft;
        const lb_suspicion look = lb_suspect(s, &r->r2[COVERED][m], scores, BINS);
        lb_study_put(s, look.weighted, "perbin.weighted_r2.%s", names[m]);
        lb_study_put_text(s, lb_suspicion_warning(&look), "perbin.warning.%s", names[m]);
    }
    for (size_t k = 0; k < BINS; k++)
        if (isfinite(r->bin[k].delta.value)) {
            rows += s->data.n_test[k];
            gain += (double)s->data.n_test[k] * r->bin[k].delta.value;
        }
    lb_number mean = rows ? lb_number_plain(gain / (double)rows, "mean_dr2", "")
                          : lb_number_na("mean_dr2", "n/a (no cells)");
    mean.n = rows;
    mean.oracle = true;
    lb_study_put(s, mean, "perbin.weighted_dr2");
}

/* --- the gate -----------------------------------------------------------------------------------
 */

typedef struct feature_rank {
    const char *name;
    lb_anova test;
} feature_rank;

static int by_f(const void *a, const void *b)
{
    const double x = ((const feature_rank *)a)->test.f, y = ((const feature_rank *)b)->test.f;
    return (x < y) - (x > y);
}

static lb_number f_statistic(double f)
{
    lb_number x = lb_number_plain(f, "f_statistic", "");
    x.digits = 0;
    return x;
}

static void put_features(lb_study *s, const lb_gate_inputs *in, const lb_domains *d)
{
    feature_rank *rank = lb_xcalloc(in->n, sizeof *rank);
    size_t above = 0;
    const size_t shown = lb_spec_size(s->spec, "settings.features_shown");
    const double least = lb_spec_number(s->spec, "thresholds.f_statistic");
    for (size_t j = 0; j < in->n && lb_study_ok(s); j++) {
        rank[j].name = in->name[j];
        lb_study_take(s, lb_anova_of((lb_cvec){in->train.data + j, in->train.rows},
                                     in->train.stride, d->train, d->n, &rank[j].test, s->err));
        above += rank[j].test.f > least;
        if (strcmp(in->name[j], "CaII_EW_total") == 0)
            lb_study_put(s, f_statistic(rank[j].test.f), "feat.caii_f_stat");
    }
    qsort(rank, in->n, sizeof *rank, by_f);
    for (size_t j = 0; j < shown && j < in->n; j++) {
        lb_study_put_text(s, rank[j].name, "feat.rank_%zu.name", j + 1);
        lb_study_put(s, f_statistic(rank[j].test.f), "feat.rank_%zu.f", j + 1);
        lb_study_put(s, lb_number_plain(rank[j].test.share, "variance_share", ""),
                     "feat.rank_%zu.between", j + 1);
    }
    lb_study_put(s, lb_number_count(in->n), "16g.feature_dim");
    lb_study_put(s, lb_number_count(above), "feat.n_above_f");
    free(rank);
}

static lb_gate_naming gate_options(const lb_study *s)
{
    lb_gate_naming o = {.folds = lb_spec_size(s->spec, "settings.gate.folds"),
                        .seed = lb_spec_size(s->spec, "settings.gate.seed")};
    o.C.data = lb_spec_numbers(s->spec, "settings.gate.c", &o.C.n);
    return o;
}

/* region: retention */
/* All methods on one row set: what the gate keeps of the oracle's gain over the global model. */
static void score_methods(lb_study *s, result *r, size_t set)
{
    static const char *const keys[SETS] = {"16g", "16g.clamped", "16g.fallback"};
    static const char *const methods[METHODS] = {"global", "oracle", "soft", "hard", "trusted"};
    const lb_cohort *c = &s->data;
    const lb_moe *m = &r->fit[CHOSEN];
    const lb_cvec oracle[SETS] = {m->mixture[0], {r->clamped, c->test.n}, m->with_fallback[0]};
    const lb_entry entries[METHODS] = {
        [GLOBAL] = {"global", m->global.yhat_chosen, false},
        [ORACLE] = {"oracle", oracle[set], true},
        [SOFT] = {"soft gate", r->routed[CHOSEN].soft, false},
        [HARD] = {"hard gate", r->routed[CHOSEN].hard, false},
        [TRUSTED] = {"soft gate, fallback", r->routed[CHOSEN].trusted, false}};
    lb_contest *t = lb_contest_on(s, c, set == COVERED ? c->covered : c->all, entries, METHODS);
    for (size_t k = 0; k < METHODS; k++) {
        r->r2[set][k] = lb_contest_r2(t, k);
        lb_study_put(s, r->r2[set][k], "%s.r2.%s", keys[set], methods[k]);
        if (k < SOFT)
            continue;
        r->rho[set][k] = lb_contest_retention(t, k, GLOBAL, ORACLE);
        lb_study_put(s, r->rho[set][k], "%s.rho.%s", keys[set], methods[k]);
        const lb_number gain = lb_contest_delta(t, k, GLOBAL);
        lb_study_put(s, gain, "%s.dr2.%s", keys[set], methods[k]);
        if (set == COVERED)
            r->gate_gain[k] = gain;
    }
    lb_study_put(s, lb_contest_delta(t, SOFT, HARD), "%s.dr2.soft_minus_hard", keys[set]);
    lb_contest_free(t);
}
/* end region */

/* What the gate keeps with the other penalties. */
static void score_others(lb_study *s, const result *r)
{
    for (size_t f = FIXED; f < FITS; f++) {
        const lb_moe *m = &r->fit[f];
        const lb_entry entries[] = {[GLOBAL] = {"global", m->global.yhat_chosen, false},
                                    [ORACLE] = {"oracle", m->mixture[0], true},
                                    [SOFT] = {"soft gate", r->routed[f].soft, false}};
        lb_contest *t = lb_contest_on(s, &s->data, s->data.covered, entries, 3);
        lb_study_put(s, lb_contest_r2(t, SOFT), "%s.r2.soft", keys_of_others[f]);
        lb_study_put(s, lb_contest_retention(t, SOFT, GLOBAL, ORACLE), "%s.rho.soft",
                     keys_of_others[f]);
        lb_contest_free(t);
    }
}

/* The matrices of the figures: what the gate gives to each cell, and where it sends the rows. */
static void keep_matrices(lb_study *s, const lb_confusion *m, lb_cmat p, result *r)
{
    const size_t n = lb_rowset_size(s->data.covered), k = r->bins.n;
    size_t *at = lb_test_positions(&s->data, s->data.covered);
    int *truth = lb_xcalloc(n, sizeof *truth);
    double *covered = lb_xcalloc(n * k, sizeof *covered);
    for (size_t j = 0; j < n; j++) {
        truth[j] = r->bins.test[at[j]];
        memcpy(covered + j * k, p.data + at[j] * p.stride, k * sizeof *covered);
    }
    lb_study_take(s, lb_weights_mean((lb_cmat){covered, n, k, k}, truth, lb_mat_of(r->mean_p, k, k),
                                     NULL, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_confusion_normalised(m, lb_mat_of(r->sent, k, k), s->err));
    r->accuracy_here = lb_confusion_accuracy(m).value;
    free(covered);
    free(truth);
    free(at);
}

/* Of the rows that the gate misnames, those it sends to a cell that shares an edge with theirs. */
static void put_neighbours(lb_study *s, const lb_confusion *m, const lb_domains *d)
{
    const int n_mh = (int)s->data.bins.n_mh;
    size_t wrong = 0, next = 0;
    for (int j = 0; j < BINS; j++)
        for (int k = 0; k < BINS; k++) {
            const bool cells = s->data.merged_to[j] == j && s->data.merged_to[k] == k;
            if (j == k || !cells || d->of_bin[j] < 0 || d->of_bin[k] < 0)
                continue;
            const size_t rows = lb_confusion_count(m, (size_t)d->of_bin[j], (size_t)d->of_bin[k]);
            wrong += rows;
            next += abs(j / n_mh - k / n_mh) + abs(j % n_mh - k % n_mh) == 1 ? rows : 0;
        }
    lb_number share = lb_number_na("percent", "none misnamed");
    if (wrong) {
        share = lb_number_plain(100.0 * (double)next / (double)wrong, "percent", "%");
        share.digits = 1;
        share.n = wrong;
    }
    lb_study_put(s, share, "16g.sent_next");
}

/* The gate of the report: line features and principal components, C by cross-validation. */
static void run_gate(lb_study *s, const lb_domains *d, const lb_gate_inputs *in, result *r,
                     double *C)
{
    lb_named gate;
    lb_gate_name(s, in, d, gate_options(s), &gate);
    if (!lb_study_ok(s))
        return;
    const lb_cmat p = lb_mat_const(gate.test);
    *C = gate.cv->model->C;
    lb_study_put(s, lb_number_plain(*C, "inverse_penalty", ""), "16g.c");
    lb_study_put(s, lb_number_count(gate.cv->model->n_rows), "16g.n_train_gate");
    lb_study_put(s, lb_number_count(in->bad_continuum), "16g.bad_continuum");
    lb_study_put(
        s, lb_gate_doubt(&s->data, s->data.all, p, lb_spec_number(s->spec, "settings.gate.tau")),
        "16g.doubt");
    put_features(s, in, d);
    for (size_t f = 0; f < FITS; f++) {
        const lb_experts e = {lb_mat_const(r->fit[f].yhat[0]), NULL, r->fit[f].global.yhat_chosen};
        lb_route(s, e, p, lb_spec_number(s->spec, "settings.gate.tau"), &r->routed[f]);
    }
    lb_confusion *m = lb_gate_confusion(s, &s->data, s->data.covered, &r->bins, p);
    lb_gate_put_accuracy(s, m, "16g");
    if (lb_study_ok(s)) {
        keep_matrices(s, m, p, r);
        put_neighbours(s, m, &r->bins);
    }
    lb_confusion_free(m);
    lb_named_free(&gate);
}

/* A gate with a penalty that is known already, on features of its own. */
static void run_gate_again(lb_study *s, const lb_domains *d, const lb_gate_inputs *in, double C,
                           const result *r, const char *key)
{
    lb_logistic *model = NULL;
    const size_t n = s->data.test.n;
    const lb_mat p = lb_mat_new(n, d->n);
    if (lb_study_ok(s))
        lb_study_take(
            s, lb_logistic_fit(lb_mat_const(in->train), d->train, d->n, C, true, &model, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_logistic_proba(model, lb_mat_const(in->test), p, s->err));
    lb_confusion *m = lb_gate_confusion(s, &s->data, s->data.covered, &r->bins, lb_mat_const(p));
    lb_gate_put_accuracy(s, m, key);
    lb_confusion_free(m);
    lb_logistic_free(model);
    free(p.data);
}

/* Spread of a feature over the stars against what the noise does to it, star by star. */
static void put_feature_snr(lb_study *s, const lb_gate_inputs *clean, const lb_gate_inputs *noisy)
{
    const size_t n = clean->test.rows;
    double *signal = lb_xcalloc(2 * n, sizeof *signal), *noise = signal + n;
    for (size_t j = 0; j < clean->n; j++) {
        if (strcmp(clean->name[j], "CaII_EW_total") != 0)
            continue;
        for (size_t i = 0; i < n; i++) {
            signal[i] = clean->test.data[i * clean->test.stride + j];
            noise[i] = noisy->test.data[i * noisy->test.stride + j] - signal[i];
        }
        lb_number snr = lb_number_plain(lb_std(signal, n, 0) / lb_std(noise, n, 0), "snr", "");
        snr.n = n;
        lb_study_put(s, snr, "feat.snr");
    }
    free(signal);
}

/* Components at another noise, from a Gram: one pass, where reading may mean simulating. */
static lb_pca *components_at(lb_study *s, const lb_cohort *c, double noise)
{
    lb_pca *pca = NULL;
    lb_gram *gram = NULL;
    lb_exposure seen;
    lb_cohort_expose(c, noise, lb_noise_seeds_of(s->spec), &seen);
    if (lb_study_ok(s))
        lb_study_take(s, lb_gram_accumulate(&seen.train.x, seen.train.y, NULL,
                                            (lb_gram_options){.groups = 1}, &gram, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_pca_fit(gram, NULL, lb_spec_size(s->spec, "settings.gate.components"),
                                    &pca, s->err));
    lb_gram_free(gram);
    return pca;
}

/* The gate of the report at this noise; the same features at the other levels; fewer windows. */
static void run_gates(lb_study *s, result *r)
{
    const lb_cohort head = lb_cohort_head(&s->data, lb_spec_size(s->spec, "settings.gate.rows"));
    const double *levels = lb_spec_numbers(s->spec, "noise.levels", &r->n_levels);
    const lb_noise_seeds seeds = lb_noise_seeds_of(s->spec);
    lb_domains d = lb_domains_bins(&head);
    lb_gate_inputs noisy, in;
    const lb_window_options how = {0};
    double C = 1.0;
    char key[32];
    lb_gate_inputs_with(s, &head, r->noise, seeds, &lb_windows_eight, how, r->pca, &noisy);
    if (lb_study_ok(s))
        run_gate(s, &d, &noisy, r, &C);
    for (size_t i = 0; i < r->n_levels && lb_study_ok(s); i++) {
        const bool own = levels[i] == r->noise;
        if (!own) {
            lb_pca *pca = components_at(s, &head, levels[i]);
            lb_gate_inputs_with(s, &head, levels[i], seeds, &lb_windows_eight, how, pca, &in);
            lb_pca_free(pca);
        }
        if (levels[i] == 0.0 && lb_study_ok(s))
            put_feature_snr(s, &in, &noisy);
        snprintf(key, sizeof key, "feat.n%.1f", levels[i]);
        r->level[i] = levels[i];
        run_gate_again(s, &d, own ? &noisy : &in, C, r, key);
        if (!own)
            lb_gate_inputs_free(&in);
    }
    lb_gate_inputs_with(s, &head, r->noise, seeds, &lb_windows_six, how, r->pca, &in);
    if (lb_study_ok(s))
        run_gate_again(s, &d, &in, C, r, "16g.six_windows");
    lb_gate_inputs_free(&in);
    lb_gate_inputs_free(&noisy);
    lb_domains_free(&d);
}

/* --- the other noise, the other seeds -----------------------------------------------------------
 */

/* The gain at the reference noise on the same rows and from as many training rows, penalties by
 * validation at both levels; and its ratio, which only such a pair can have. */
static void run_amplification(lb_study *s, result *r)
{
    const lb_cohort *c = &s->data;
    lb_moe low = {0};
    const lb_moe_options o = lb_moe_options_of(s->spec);
    lb_moe_rows *rows = lb_moe_gather(s, c, r->reference, lb_noise_seeds_of(s->spec), &r->bins, 1);
    if (lb_study_ok(s))
        lb_moe_fit_rows(s, rows, o, &low);
    lb_moe_rows_free(rows);
    if (!lb_study_ok(s))
        return;
    const lb_moe *high = &r->fit[CHOSEN];
    const lb_entry entries[] = {{"global, reference noise", low.global.yhat_chosen, false},
                                {"oracle, reference noise", low.mixture[0], true},
                                {"global", high->global.yhat_chosen, false},
                                {"oracle", high->mixture[0], true}};
    lb_contest *t = lb_contest_on(s, c, c->covered, entries, 4);
    const double bottom[] = {-1.0, 1.0, 0.0, 0.0}, top[] = {0.0, 0.0, -1.0, 1.0};
    r->gain[0] = lb_contest_delta(t, 1, 0);
    r->gain[1] = lb_contest_delta(t, 3, 2);
    r->amplification = lb_contest_ratio(t, top, bottom);
    lb_study_put(s, lb_contest_r2(t, 0), "reference.r2.global");
    lb_study_put(s, lb_contest_r2(t, 1), "reference.r2.oracle");
    lb_study_put(s, r->gain[0], "reference.dr2");
    lb_study_put(s, r->amplification, "noise_amplification");
    lb_contest_free(t);
    lb_moe_free(&low);
}

/* Fit and score under another draw of the noise, or on another cohort. */
static lb_number gain_of(lb_study *s, const lb_cohort *c, const lb_domains *d, double noise,
                         lb_noise_seeds seeds, const char *key)
{
    const lb_moe_options o = lb_moe_options_of(s->spec);
    lb_moe m = {0};
    lb_moe_rows *rows = lb_moe_gather(s, c, noise, seeds, d, 1);
    if (lb_study_ok(s))
        lb_moe_fit_rows(s, rows, o, &m);
    lb_moe_rows_free(rows);
    if (!lb_study_ok(s))
        return lb_number_na("delta_r2", "failed");
    lb_contest *t = headroom_on(s, c, &m, c->covered, m.mixture[0]);
    const lb_number delta = lb_contest_delta(t, ORACLE, GLOBAL);
    lb_study_put(s, lb_contest_r2(t, GLOBAL), "%s.r2.global", key);
    lb_study_put(s, lb_contest_r2(t, ORACLE), "%s.r2.oracle", key);
    lb_study_put(s, delta, "%s.dr2", key);
    lb_contest_free(t);
    lb_moe_free(&m);
    return delta;
}

/* Other draws of the noise; the first is the protocol's own. Not on very large sets. */
static void run_seeds(lb_study *s, const result *r)
{
    size_t n = 0, above_reference = 0;
    const double *list = lb_spec_numbers(s->spec, "seeds", &n);
    const bool run = s->data.train.n <= lb_spec_size(s->spec, "settings.seeds_rows_most");
    lb_number delta[MOST_SEEDS];
    lb_seed_summary m = {.mean = lb_number_na("delta_r2", "not run"),
                         .std_sample = lb_number_na("std", "not run")};
    for (size_t i = 0; i < n && i < MOST_SEEDS && lb_study_ok(s); i++) {
        const uint64_t seed = (uint64_t)list[i];
        char key[32];
        snprintf(key, sizeof key, "seed_%zu", (size_t)seed);
        if (!run) {
            lb_study_put(s, lb_number_na("delta_r2", "not run"), "%s.dr2", key);
            continue;
        }
        delta[i] = gain_of(s, &s->data, &r->bins, r->noise,
                           (lb_noise_seeds){seed, seed + 1, seed + 2}, key);
        above_reference += delta[i].value > r->gain[0].value;
    }
    if (run && lb_study_ok(s))
        lb_study_take(s, lb_seeds_summarise(delta, n,
                                            lb_spec_number(s->spec, "thresholds.dr2_continue"), &m,
                                            s->err));
    lb_study_put(s, m.mean, "seeds.mean_dr2");
    lb_study_put(s, m.std_sample, "seeds.std");
    lb_study_put(s, lb_number_count(run ? n : 0), "seeds.run");
    lb_study_put(s, lb_number_count(m.above), "seeds.n_above");
    lb_study_put(s, lb_number_count(above_reference), "seeds.n_above_reference");
}

/* The larger set of the replication, for how the gain goes with the number of rows. */
static void run_larger(lb_study *s, const result *r)
{
    static const char *const quantities[] = {"r2.global", "r2.oracle", "dr2"};
    if (s->has_more) {
        lb_domains d = lb_domains_bins(&s->more);
        gain_of(s, &s->more, &d, r->noise, lb_noise_seeds_of(s->spec), "larger");
        lb_domains_free(&d);
        return;
    }
    for (size_t q = 0; q < 3; q++)
        lb_study_put(s, lb_number_na(q < 2 ? "r2" : "delta_r2", "not run"), "larger.%s",
                     quantities[q]);
}

/* --- what the published numbers say about each other --------------------------------------------
 */

/* A count as it was printed: "62.7k" is 62,700. */
static double published_count(lb_study *s, const char *format, const char *key)
{
    const lb_published_entry *e = lb_study_published(s, format, key);
    const size_t length = e ? strlen(e->value) : 0;
    if (length && e->value[length - 1] == 'k')
        return 1000.0 * strtod(e->value, NULL);
    return lb_study_published_number(s, format, key);
}

/* Sums over the nine cells of the published tables; scores weighted by their own test rows. */
static void put_published_sums(lb_study *s, const result *r)
{
    double rows = 0.0, train = 0.0, rows_printed = 0.0, train_printed = 0.0;
    double oracle = 0.0, global = 0.0, soft = 0.0, gain = 0.0;
    for (size_t k = 0; k < BINS; k++) {
        const char *key = r->bin[k].key;
        const double n = published_count(s, "e18.16g.n_test.%s", key);
        rows += n;
        train += published_count(s, "e18.16g.n_train.%s", key);
        rows_printed += published_count(s, "e18.perbin.n_test_printed.%s", key);
        train_printed += published_count(s, "e18.perbin.n_train_printed.%s", key);
        oracle += n * lb_study_published_number(s, "e18.perbin.r2_oracle.%s", key);
        global += n * lb_study_published_number(s, "e18.fig.r2_global.%s", key);
        soft += n * lb_study_published_number(s, "e18.16g.fig.r2_soft.%s", key);
        gain += lb_study_published_number(s, "e18.perbin.dr2_vs_global.%s", key) / (double)BINS;
    }
    oracle /= rows;
    global /= rows;
    soft /= rows;
    lb_study_put(s, lb_number_count((size_t)rows), "theirs.rows_of_figure");
    lb_study_put(s, lb_number_count((size_t)train), "theirs.train_of_figure");
    lb_study_put(s, lb_number_count((size_t)rows_printed), "theirs.rows_of_table");
    lb_study_put(s, lb_number_count((size_t)train_printed), "theirs.train_of_table");
    lb_study_put(s, lb_number_plain(oracle, "recomputed", ""), "theirs.weighted_oracle");
    lb_study_put(s, lb_number_plain(global, "recomputed", ""), "theirs.weighted_global");
    lb_study_put(s, lb_number_plain(soft, "recomputed", ""), "theirs.weighted_soft");
    lb_study_put(s, lb_number_plain(oracle - global, "recomputed", ""), "theirs.aligned_gain");
    lb_study_put(s, lb_number_plain(gain, "recomputed", ""), "theirs.mean_dr2");
    lb_study_put(s, lb_number_plain((soft - global) / (oracle - global), "recomputed", ""),
                 "theirs.aligned_retention");
    lb_study_put(
        s,
        lb_number_plain((oracle - global) / lb_study_published_number(s, "e18.ref.dr2_noise02"),
                        "recomputed", ""),
        "theirs.aligned_amplification");
}

/* The global model at this noise has more than one published value. */
static void put_published_globals(lb_study *s)
{
    static const lb_column columns[] = {
        {"published as", ""}, {"R² global", ""}, {"n test", ""}, {"conditions", ""}};
    static const char *const keys[] = {"base.noise1.ridge.1ktest",  "e18.r2.global",
                                       "e19.oracle.r2.global",      "base.noise1.ridge.10ktest",
                                       "base.noise1.ridge.500test", "e19.gate.r2.global"};
    enum { N = sizeof keys / sizeof *keys };
    double value[N];
    size_t different = 0;
    lb_record_table(s->record, "T18.8", 4, columns);
    for (size_t i = 0; i < N; i++) {
        const lb_published_entry *e = lb_study_published(s, "%s", keys[i]);
        bool seen = false;
        value[i] = e ? e->number : NAN;
        for (size_t j = 0; j < i; j++)
            seen = seen || value[j] == value[i];
        different += e && !seen;
        lb_study_row(s, "T18.8", "=`%s`|=%s|=%s|=%s", keys[i], e ? e->value : "n/a", e ? e->n : "",
                     e ? e->conditions : "");
    }
    lb_study_put(s, lb_number_count(different), "theirs.global_values");
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void table_headroom(lb_study *s)
{
    static const lb_column columns[] = {
        {"configuration", ""}, {"R² oracle", ""}, {"R² global", ""}, {"ΔR²", "+"},
        {"95 % CI", "ci"},     {"row set", ""},   {"n", ""},         {"verdict", ""}};
    static const struct {
        const char *what, *key, *rows, *n;
    } rows[] = {
        {"α by validation", "chosen.covered", "covered", "data.n_test_covered"},
        {"the same, oracle cells extended", "chosen.clamped", "all", "data.n_test"},
        {"the same, global model outside", "chosen.fallback", "all", "data.n_test"},
        {"published α", "fixed.covered", "covered", "data.n_test_covered"},
        {"published α per training row", "scaled.covered", "covered", "data.n_test_covered"},
        {"published α on raw flux", "plain.covered", "covered", "data.n_test_covered"}};
    lb_record_table(s->record, "T18.1", 8, columns);
    lb_study_row(
        s, "T18.1",
        "=published recipe: rows differ|r2.oracle|r2.global|dr2.oracle_minus_global|=none|=covered "
        "− all|=two sets|=not judged");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        lb_study_row(s, "T18.1",
                     "=%1$s|%2$s.r2.oracle|%2$s.r2.global|%2$s.dr2|%2$s.dr2|=%3$s|%4$s|%2$s.ladder",
                     rows[i].what, rows[i].key, rows[i].rows, rows[i].n);
}

static void table_bins(lb_study *s, const result *r)
{
    static const lb_column columns[] = {
        {"k", ""},       {"name", ""},      {"R² oracle", ""},      {"R² global", ""},
        {"ΔR²", "+"},    {"95 % CI", "ci"}, {"R² soft", ""},        {"MAE, dex", ""},
        {"n train", ""}, {"n test", ""},    {"α by validation", ""}};
    lb_record_table(s->record, "T18.2", 11, columns);
    for (size_t k = 0; k < BINS; k++)
        lb_study_row(s, "T18.2",
                     "=%1$zu|=%2$s|perbin.r2_oracle.%3$s|fig.r2_global.%3$s|perbin.dr2_vs_global.%"
                     "3$s|perbin.dr2_vs_global.%3$s|16g.fig.r2_soft.%3$s|fig.mae_oracle.%3$s|16g.n_"
                     "train.%3$s|16g.n_test.%3$s|alpha.%3$s.marked",
                     k, r->bin[k].name, r->bin[k].key);
}

static void table_gate(lb_study *s)
{
    static const lb_column columns[] = {
        {"row set", ""}, {"R² global", ""},         {"R² oracle", ""}, {"R² soft", ""},
        {"R² hard", ""}, {"R² soft, fallback", ""}, {"ρ soft", ""},    {"95 % CI", "ci"},
        {"ρ hard", ""},  {"95 % CI ", "ci"},        {"n", ""},         {"accuracy, %", ".1f"}};
    static const char *const names[SETS] = {"covered", "all, oracle cells extended",
                                            "all, global model outside"};
    static const char *const keys[SETS] = {"16g", "16g.clamped", "16g.fallback"};
    lb_record_table(s->record, "T18.3", 12, columns);
    for (size_t k = 0; k < SETS; k++)
        lb_study_row(s, "T18.3",
                     "=%1$s|%2$s.r2.global|%2$s.r2.oracle|%2$s.r2.soft|%2$s.r2.hard|%2$s.r2."
                     "trusted|%2$s.rho.soft|%2$s.rho.soft|%2$s.rho.hard|%2$s.rho.hard|%3$s|%4$s",
                     names[k], keys[k], k == COVERED ? "data.n_test_covered" : "data.n_test",
                     k == COVERED ? "16g.gate_accuracy" : "=—");
}

static void table_weighted(lb_study *s)
{
    static const lb_column columns[] = {{"model", ""},
                                        {"R², all covered rows", ""},
                                        {"n-weighted R² of the cells", ""},
                                        {"n", ""},
                                        {"warning", ""}};
    static const char *const names[] = {"global", "oracle", "soft"};
    lb_record_table(s->record, "T18.10", 5, columns);
    for (size_t m = 0; m < 3; m++)
        lb_study_row(s, "T18.10",
                     "=%1$s|16g.r2.%1$s|perbin.weighted_r2.%1$s|data.n_test_covered|"
                     "perbin.warning.%1$s",
                     names[m]);
    lb_study_row(s, "T18.10",
                 "=oracle − global|dr2.aligned|perbin.weighted_dr2|"
                 "data.n_test_covered|= ");
}

static void table_features(lb_study *s)
{
    static const lb_column columns[] = {
        {"feature", ""}, {"F", ""}, {"share of variance between cells", ""}};
    const size_t shown = lb_spec_size(s->spec, "settings.features_shown");
    lb_record_table(s->record, "T18.6", 3, columns);
    for (size_t j = 1; j <= shown; j++)
        lb_study_row(s, "T18.6", "feat.rank_%1$zu.name|feat.rank_%1$zu.f|feat.rank_%1$zu.between",
                     j);
}

static void table_sweep(lb_study *s, const result *r)
{
    static const lb_column columns[] = {
        {"noise", ""}, {"accuracy, %", ""}, {"macro F1", ""}, {"n", ""}};
    lb_record_table(s->record, "T18.4", 4, columns);
    for (size_t i = 0; i < r->n_levels; i++)
        lb_study_row(s, "T18.4",
                     "=%1$.1f|feat.n%1$.1f.gate_accuracy|feat.n%1$.1f.macro_f1|data.n_test_covered",
                     r->level[i]);
}

static void table_amplification(lb_study *s, const result *r)
{
    static const lb_column columns[] = {{"noise", ""}, {"R² oracle", ""}, {"R² global", ""},
                                        {"ΔR²", "+"},  {"95 % CI", "ci"}, {"row set", ""},
                                        {"n", ""},     {"n train", ""}};
    lb_record_table(s->record, "T18.5", 8, columns);
    lb_study_row(s, "T18.5",
                 "=%.1f|reference.r2.oracle|reference.r2.global|reference.dr2|reference.dr2|="
                 "covered|data.n_test_covered|data.n_train",
                 r->reference);
    lb_study_row(s, "T18.5",
                 "=%.1f|chosen.covered.r2.oracle|chosen.covered.r2.global|chosen.covered.dr2|"
                 "chosen.covered.dr2|=covered|data.n_test_covered|data.n_train",
                 r->noise);
}

static void table_seeds(lb_study *s)
{
    /* No format: a difference has its sign by kind, a standard deviation has none. */
    static const lb_column columns[] = {{"seed", ""}, {"ΔR²", ""}, {"95 % CI", "ci"}};
    size_t n = 0;
    const double *list = lb_spec_numbers(s->spec, "seeds", &n);
    lb_record_table(s->record, "T18.7", 3, columns);
    for (size_t i = 0; i < n; i++)
        lb_study_row(s, "T18.7", "=%1$zu|seed_%1$zu.dr2|seed_%1$zu.dr2", (size_t)list[i]);
    lb_study_row(s, "T18.7", "=mean|seeds.mean_dr2|= ");
    lb_study_row(s, "T18.7", "=std, ddof 1|seeds.std|= ");
}

/* This run beside the one on a million rows, which is quoted from its frozen file. */
static void table_scaling(lb_study *s)
{
    static const lb_column columns[] = {
        {"profile", ""},       {"training rows", ""}, {"validation rows", ""},
        {"n covered", ""},     {"R² global", ""},     {"R² oracle", ""},
        {"ΔR²", "+"},          {"95 % CI", "ci"},     {"ρ soft", ""},
        {"simulation, s", ""}, {"Ridge fit, s", ""},  {"peak memory, GB", ""}};
    static const char *const quoted[] = {
        "data.n_train",    "data.n_test", "data.n_test_covered", "r2.global.covered",
        "r2.oracle",       "dr2.aligned", "16g.rho.soft",        "16g.gate_accuracy",
        "cost.simulation", "cost.fit",    "cost.memory",         "data.n_val"};
    lb_study_quote(s, "million", quoted, sizeof quoted / sizeof *quoted);
    lb_record_table(s->record, "T18.9", 12, columns);
    lb_study_row(s, "T18.9",
                 "=%s|data.n_train|data.n_val|data.n_test_covered|r2.global.covered|r2.oracle|"
                 "dr2.aligned|dr2.aligned|16g.rho.soft|=—|=—|=—",
                 s->profile);
    lb_study_row(s, "T18.9",
                 "=larger set|more.n_train|more.n_val|more.n_test_covered|larger.r2.global|"
                 "larger.r2.oracle|larger.dr2|larger.dr2|=—|=—|=—|=—");
    lb_study_row(s, "T18.9",
                 "=million|million.data.n_train|million.data.n_val|million.data.n_test_covered|"
                 "million.r2.global.covered|million.r2.oracle|million.dr2.aligned|"
                 "million.dr2.aligned|million.16g.rho.soft|million.cost.simulation|"
                 "million.cost.fit|million.cost.memory");
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void report(lb_study *s, const result *r)
{
    table_headroom(s);
    table_bins(s, r);
    table_gate(s);
    table_sweep(s, r);
    table_features(s);
    table_amplification(s, r);
    table_seeds(s);
    table_scaling(s);
    table_weighted(s);
    if (lb_study_ok(s))
        draw_figures(s, r);
}

static void run(lb_study *s)
{
    result *r = lb_xcalloc(1, sizeof *r);
    r->noise = lb_spec_number(s->spec, "noise.focus");
    r->reference = lb_spec_number(s->spec, "settings.reference_noise");
    r->bins = lb_domains_bins(&s->data);
    if (s->data.n_bins != BINS)
        lb_study_take(s, LB_FAIL(s->err, LB_EINVAL, "%s: this experiment is about nine cells",
                                 lb_spec_path(s->spec)));

    fit_models(s, r);
    if (lb_study_ok(s)) {
        clamp_oracle(s, r);
        run_headroom(s, r);
        run_gates(s, r);
    }
    for (size_t k = 0; k < BINS && lb_study_ok(s); k++)
        put_bin(s, r, k);
    for (size_t set = 0; set < SETS && lb_study_ok(s); set++)
        score_methods(s, r, set);
    if (lb_study_ok(s)) {
        score_others(s, r);
        put_metal_poor(s, r);
        put_suspicion(s, r);
        put_weighted(s, r);
        run_amplification(s, r);
        run_seeds(s, r);
        run_larger(s, r);
        put_published_sums(s, r);
        put_published_globals(s);
    }
    lb_cost_put_totals(s);
    if (lb_study_ok(s))
        report(s, r);
    for (size_t f = 0; f < FITS; f++) {
        lb_moe_free(&r->fit[f]);
        lb_routed_free(&r->routed[f]);
    }
    lb_pca_free(r->pca);
    lb_domains_free(&r->bins);
    free(r->clamped);
    free(r);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e18_oracle_headroom",
                             "Does splitting by (T_eff, [M/H]) pay at noise 1, and how much of it "
                             "does a gate keep that sees the noisy spectrum alone?",
                             run, true};
    return lb_study_main(argc, argv, &e);
}
