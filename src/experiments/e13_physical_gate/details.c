/* SPDX-License-Identifier: GPL-3.0-or-later */
/* E13: what the gate needs to see, how it does bin by bin, and nine experts for every row. */
#include "core/memory.h"
#include "experiments/e13_physical_gate/e13.h"
#include "study/by_bin.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- which features count ------------------------------------------------------------------------
 */

void e13_feature_key(const char *feature, char key[48])
{
    size_t i = 0;
    for (; feature[i] && i < 47; i++)
        key[i] = (char)tolower((unsigned char)feature[i]);
    key[i] = '\0';
}

const char *e13_family(const char *feature)
{
    return strncmp(feature, "PCA", 3) == 0 ? "PCA" : strstr(feature, "Na") ? "Na I" : "Ca II";
}

/* Mean over the classes of |coefficient| of the standardised feature. */
static void importance_of(const form *f, double *weight)
{
    const lb_mat x = f->in.train, w = f->gate.cv->model->w;
    for (size_t j = 0; j < f->in.n; j++) {
        double mean = 0.0, square = 0.0, sum = 0.0;
        for (size_t i = 0; i < x.rows; i++)
            mean += x.data[i * x.stride + j] / (double)x.rows;
        for (size_t i = 0; i < x.rows; i++)
            square += (x.data[i * x.stride + j] - mean) * (x.data[i * x.stride + j] - mean);
        for (size_t k = 0; k < w.rows; k++)
            sum += fabs(w.data[k * w.stride + j]);
        weight[j] = sum / (double)w.rows * sqrt(square / (double)x.rows);
    }
}

static size_t rank_of(const double *weight, size_t n, size_t j)
{
    size_t rank = 1;
    for (size_t i = 0; i < n; i++)
        rank += weight[i] > weight[j];
    return rank;
}

void e13_importance(lb_study *s, const draw *d, size_t which, double *weight)
{
    const lb_gate_inputs *in = &d->form[which].in;
    importance_of(&d->form[which], weight);
    for (size_t j = 0; j < in->n; j++) {
        char key[48];
        lb_number x = lb_number_plain(weight[j], "coefficient", "");
        x.digits = 2;
        e13_feature_key(in->name[j], key);
        lb_study_put(s, x, "%s.importance.%s", e13_form[which], key);
        lb_study_put(s, lb_number_count(rank_of(weight, in->n, j)), "%s.rank.%s", e13_form[which],
                     key);
        if (rank_of(weight, in->n, j) == 1)
            lb_study_put_text(s, in->name[j], "%s.first_feature", e13_form[which]);
    }
}

/* --- ablations of the three-expert gate ---------------------------------------------------------
 */

const char *const e13_ablation[] = {[NO_CHANGE] = "all",     [NO_PCA] = "no_teff_proxy",
                                    [CALCIUM] = "only_caii", [CALCIUM_SUM] = "only_ew_cat",
                                    [NO_SODIUM] = "no_na",   [PCA_ONLY] = "only_pca",
                                    [P90] = "p90",           [MEDIAN3] = "median3"};
const char *const e13_ablation_name[] = {[NO_CHANGE] = "all features",
                                         [NO_PCA] = "without PCA",
                                         [CALCIUM] = "Ca II only",
                                         [CALCIUM_SUM] = "EW of Ca II only",
                                         [NO_SODIUM] = "without Na I",
                                         [PCA_ONLY] = "PCA only",
                                         [P90] = "continuum: 90th percentile",
                                         [MEDIAN3] = "depth: median of 3 pixels"};

/* Columns of the full gate: depth and EW of Ca II 8498, 8542 and 8662, the EW of all three, depth
 * and EW of Na I, two principal components. */
static const struct {
    size_t n, column[11];
} KEPT[] = {
    [NO_CHANGE] = {11, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
    [NO_PCA] = {9, {0, 1, 2, 3, 4, 5, 6, 7, 8}},
    [CALCIUM] = {7, {0, 1, 2, 3, 4, 5, 6}},
    [CALCIUM_SUM] = {1, {6}},
    [NO_SODIUM] = {9, {0, 1, 2, 3, 4, 5, 6, 9, 10}},
    [PCA_ONLY] = {2, {9, 10}},
    [P90] = {11, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
    [MEDIAN3] = {11, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
};

/* Gate refitted on some of the features, or on features measured otherwise; soft routing. */
static void ablate(lb_study *s, const draw *d, const lb_domains *three, size_t a, lb_routed *out)
{
    static const lb_window_options how[ABLATIONS] = {
        [P90] = {LB_CONTINUUM_P90, LB_DEPTH_MIN},
        [MEDIAN3] = {LB_CONTINUUM_MEDIAN, LB_DEPTH_MEDIAN3}};
    lb_gate_inputs other = {0}, in;
    lb_named gate;
    if (a >= P90)
        lb_gate_inputs_with(s, &s->data, lb_spec_number(s->spec, "noise.focus"), d->seeds,
                            &lb_windows_four, how[a], d->pca, &other);
    if (!lb_study_ok(s))
        return;
    in = lb_gate_inputs_pick(a >= P90 ? &other : &d->form[THREE].in, KEPT[a].column, KEPT[a].n);
    lb_gate_name(s, &in, three, e13_gate_options(s->spec), &gate);
    const lb_experts experts = {.yhat = lb_mat_const(d->moe.yhat[THREE]),
                                .global = d->moe.global.yhat_chosen};
    lb_route(s, experts, lb_mat_const(gate.test), 0.0, out);
    lb_confusion *m = lb_gate_confusion(s, &s->data, s->data.all, three, lb_mat_const(gate.test));
    if (lb_study_ok(s)) {
        lb_number accuracy = lb_confusion_accuracy(m);
        accuracy.value *= 100.0;
        accuracy.se *= 100.0;
        snprintf(accuracy.unit, sizeof accuracy.unit, "%%");
        lb_study_put(s, accuracy, "a.ablation.accuracy.%s", e13_ablation[a]);
    }
    lb_confusion_free(m);
    lb_named_free(&gate);
    lb_gate_inputs_free(&in);
    lb_gate_inputs_free(&other);
}

/* What features add: the difference of two retentions, on the same resamples, and its numerator,
 * which has an interval even where the oracle's gain reaches zero. */
static void put_worth(lb_study *s, const lb_contest *t, size_t with, size_t without,
                      const char *key)
{
    double top[2 + ABLATIONS] = {0.0}, bottom[2 + ABLATIONS] = {0.0};
    top[2 + with] = bottom[ORACLE] = 1.0;
    top[2 + without] = bottom[GLOBAL] = -1.0;
    lb_study_put(s, lb_contest_ratio(t, top, bottom), "a.ablation.worth.%s", key);
    lb_study_put(s, lb_contest_delta(t, 2 + with, 2 + without), "a.ablation.worth_r2.%s", key);
}

void e13_ablations(lb_study *s, const draw *d, const lb_domains *three, result *r)
{
    lb_routed routed[ABLATIONS] = {{{0}, {0}, {0}, {0}}};
    lb_entry entries[2 + ABLATIONS];
    entries[GLOBAL] = (lb_entry){"global", d->moe.global.yhat_chosen, false};
    entries[ORACLE] = (lb_entry){"oracle", d->moe.mixture[THREE], true};
    for (size_t a = 0; a < ABLATIONS; a++) {
        ablate(s, d, three, a, &routed[a]);
        entries[2 + a] = (lb_entry){e13_ablation_name[a], routed[a].soft, false};
    }
    if (lb_study_ok(s)) {
        lb_contest *t = lb_contest_on(s, &s->data, s->data.all, entries, 2 + ABLATIONS);
        for (size_t a = 0; a < ABLATIONS; a++) {
            r->ablated[a] = lb_contest_retention(t, 2 + a, GLOBAL, ORACLE);
            lb_study_put(s, r->ablated[a], "a.ablation.rho.%s", e13_ablation[a]);
            lb_study_put(s, lb_contest_delta(t, 2 + a, GLOBAL), "a.ablation.dr2.%s",
                         e13_ablation[a]);
            lb_study_put(s, lb_contest_share(t, 2 + a, GLOBAL, 2 + NO_CHANGE),
                         "a.ablation.share.%s", e13_ablation[a]);
            lb_study_put(s, lb_number_count(KEPT[a].n), "a.ablation.dim.%s", e13_ablation[a]);
        }
        put_worth(s, t, NO_CHANGE, NO_PCA, "pca");
        put_worth(s, t, NO_PCA, CALCIUM, "na_beside_ca");
        put_worth(s, t, NO_CHANGE, NO_SODIUM, "na_beside_all");
        lb_study_put(s, lb_contest_delta(t, 2 + PCA_ONLY, 2 + NO_PCA),
                     "a.ablation.worth_r2.pca_over_windows");
        lb_contest_free(t);
    }
    for (size_t a = 0; a < ABLATIONS; a++)
        lb_routed_free(&routed[a]);
}

/* Other thresholds of trust, for both gates. */
void e13_taus(lb_study *s, const draw *d, size_t f)
{
    size_t n = 0;
    const double *tau = lb_spec_numbers(s->spec, "settings.taus", &n);
    const lb_experts experts = {.yhat = lb_mat_const(d->moe.yhat[f]),
                                .global = d->moe.global.yhat_chosen};
    const lb_cmat p = lb_mat_const(d->form[f].gate.test);
    lb_routed routed[MOST_TAUS] = {{{0}, {0}, {0}, {0}}};
    lb_entry entries[MOST_TAUS];
    n = n < MOST_TAUS ? n : MOST_TAUS;
    for (size_t i = 0; i < n; i++) {
        lb_route(s, experts, p, tau[i], &routed[i]);
        entries[i] = (lb_entry){"soft gate with fallback", routed[i].trusted, false};
    }
    if (lb_study_ok(s)) {
        lb_contest *t = lb_contest_on(s, &s->data, e13_rows(s, f), entries, n);
        for (size_t i = 0; i < n; i++) {
            lb_study_put(s, lb_contest_r2(t, i), "%s.tau_%.1f.r2", e13_form[f], tau[i]);
            lb_study_put(s, lb_gate_doubt(&s->data, e13_rows(s, f), p, tau[i]),
                         "%s.tau_%.1f.fallback_rate", e13_form[f], tau[i]);
        }
        lb_contest_free(t);
    }
    for (size_t i = 0; i < n; i++)
        lb_routed_free(&routed[i]);
}

/* --- cells and bins in detail -------------------------------------------------------------------
 */

/* Pooled score of the soft gate beside the mean of its scores in the cells or bins. */
static void put_suspicion(lb_study *s, size_t f, const char *part, const lb_number *pooled,
                          const lb_number *scores, size_t n)
{
    const lb_suspicion look = lb_suspect(s, pooled, scores, n);
    lb_study_put(s, look.weighted, "%s.weighted_%s_r2", e13_form[f], part);
    lb_study_put(s, lb_number_count(look.rows_differ), "%s.row_sets_differ", e13_form[f]);
    lb_study_put(s, lb_number_count(look.suspicious), "%s.suspicious", e13_form[f]);
}

void e13_cells(lb_study *s, const draw *d, const lb_domains *three, const result *r)
{
    const lb_cohort *c = &s->data;
    lb_number scores[LB_BINS_MAX];
    lb_entry entries[METHODS];
    bool *in_cell = lb_xcalloc(c->test.n, sizeof *in_cell);
    e13_entries(d, THREE, entries);
    for (size_t k = 0; k < three->n; k++) {
        char name[48];
        for (size_t i = 0; i < c->test.n; i++)
            in_cell[i] = three->test[i] == (int)k;
        snprintf(name, sizeof name, "test rows of [M/H] cell %zu", k);
        lb_rowset *rows = lb_rowset_where(c->all, name, in_cell);
        lb_contest *t = lb_contest_on(s, c, rows, &entries[SOFT], 1);
        scores[k] = lb_contest_r2(t, 0);
        lb_study_put(s, scores[k], "a.percell.r2_gate.cell%zu", k);
        lb_contest_free(t);
        lb_rowset_free(rows);
    }
    put_suspicion(s, THREE, "cell", &r->r2[THREE][SOFT], scores, three->n);
    free(in_cell);
}

static void bin_key(const lb_bins *b, size_t k, char key[32])
{
    static const char *const teff[] = {"cool", "mid", "hot"}, *const mh[] = {"poor", "solar",
                                                                             "rich"};
    if (b->n_teff == 3 && b->n_mh == 3)
        snprintf(key, 32, "bin%zu_%s_%s", k, teff[k / 3], mh[k % 3]);
    else
        snprintf(key, 32, "bin%zu", k);
}

static void run_bin(lb_study *s, const draw *d, size_t k, bin_result *out)
{
    const lb_cohort *c = &s->data;
    const bool served = c->merged_to[k] == (int)k;
    static const size_t scored[] = {ORACLE, GLOBAL, SOFT};
    static const char *const names[] = {"oracle", "global", "gate"};
    lb_bins_name(&c->bins, (int)k, out->name);
    bin_key(&c->bins, k, out->key);
    out->n = c->n_test[k];
    for (size_t m = 0; m < METHODS; m++)
        out->r2[m] = lb_number_na("r2", served ? "n/a (n<10)" : "n/a (merged)");
    out->rho = lb_number_na("retention", served ? "n/a (n<10)" : "n/a (merged)");
    lb_contest *t = NULL;
    lb_entry entries[METHODS];
    e13_entries(d, NINE, entries);
    if (served && out->n >= lb_spec_size(s->spec, "bins.minimum_test")) {
        t = lb_contest_on(s, c, c->in_bin[k], entries, METHODS);
        for (size_t m = 0; m < METHODS; m++)
            out->r2[m] = lb_contest_r2(t, m);
        out->rho = lb_contest_retention(t, SOFT, GLOBAL, ORACLE);
    }
    for (size_t j = 0; j < 3; j++)
        lb_study_put(s, out->r2[scored[j]], "b.perbin.r2_%s.%s", names[j], out->key);
    lb_study_put(s, out->rho, "b.perbin.rho.%s", out->key);
    lb_study_put(s, lb_number_count(out->n), "b.perbin.n.%s", out->key);
    lb_contest_free(t);
}

void e13_bins(lb_study *s, const draw *d, result *r)
{
    const lb_cohort *c = &s->data;
    lb_number scores[LB_BINS_MAX];
    bin_result *bin = r->bin;
    size_t ahead = 0, scored = 0, told = 0, bounded = 0;
    for (size_t k = 0; k < c->n_bins; k++) {
        run_bin(s, d, k, &bin[k]);
        scores[k] = bin[k].r2[SOFT];
        scored += !*bin[k].r2[SOFT].na;
        told += !*bin[k].rho.na;
        bounded += isfinite(bin[k].rho.ci_lo);
        ahead += bin[k].r2[SOFT].value >= bin[k].r2[GLOBAL].value;
    }
    lb_study_put(s, lb_number_count(scored), "b.n_bins_scored");
    lb_study_put(s, lb_number_count(told), "b.n_bins_with_rho");
    lb_study_put(s, lb_number_count(bounded), "b.n_bins_with_interval");
    lb_study_put(s, lb_number_count(ahead), "b.n_bins_ahead");
    put_suspicion(s, NINE, "bin", &r->r2[NINE][SOFT], scores, c->n_bins);
}

/* --- full coverage ------------------------------------------------------------------------------
 */

const char *const e13_strategy[] = {"global",          "edge_clamp",     "extra_expert",
                                    "global_fallback", "ten_class_gate", "oracle_fallback"};
const char *const e13_strategy_name[] = {"global Ridge",    "edge clamp",     "10th expert",
                                         "global fallback", "ten-class gate", "oracle + fallback"};
const char *const e13_set[] = {"r2_covered", "r2_oor", "r2_full"};

/* A gate with a tenth class for the rows outside all bins: it needs no label to know them. */
static void gate_of_ten(lb_study *s, const draw *d, const lb_domains *nine, lb_routed *out)
{
    const lb_cohort *c = &s->data;
    const size_t n = nine->n, rows = c->test.n;
    lb_domains ten = {.name = "nine bins and outside", .n = n + 1, .oracle = true};
    const int *from[] = {nine->train, nine->val, nine->test};
    int **to[] = {&ten.train, &ten.val, &ten.test};
    const size_t length[] = {c->train.n, c->val.n, c->test.n};
    for (size_t q = 0; q < 3; q++) {
        *to[q] = lb_xcalloc(length[q], sizeof(int));
        for (size_t i = 0; i < length[q]; i++)
            (*to[q])[i] = from[q][i] < 0 ? (int)n : from[q][i];
    }
    const lb_mat yhat = lb_mat_new(rows, n + 1);
    for (size_t i = 0; i < rows; i++) {
        memcpy(yhat.data + i * (n + 1), d->moe.yhat[NINE].data + i * n, n * sizeof(double));
        yhat.data[i * (n + 1) + n] = d->moe.yhat[OUTSIDE].data[i];
    }
    lb_named gate;
    lb_gate_name(s, &d->form[NINE].in, &ten, e13_gate_options(s->spec), &gate);
    lb_route(s, (lb_experts){.yhat = lb_mat_const(yhat), .global = d->moe.global.yhat_chosen},
             lb_mat_const(gate.test), 0.0, out);
    lb_confusion *m = lb_gate_confusion(s, c, c->all, &ten, lb_mat_const(gate.test));
    lb_gate_put_accuracy(s, m, "c");
    lb_confusion_free(m);
    lb_named_free(&gate);
    lb_domains_free(&ten);
    free(yhat.data);
}

/* The soft mixture with a stand-in on the rows that, by their true labels, lie outside. */
static lb_cvec covered_by(lb_study *s, const draw *d, const bool *outside, lb_cvec stand_in)
{
    const lb_cvec soft = d->form[NINE].routed.soft;
    const lb_vec out = {lb_xcalloc(soft.n, sizeof(double)), soft.n};
    memcpy(out.data, soft.data, soft.n * sizeof(double));
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_cover(outside, stand_in, out, NULL, s->err));
    return lb_vec_const(out);
}

void e13_coverage(lb_study *s, const draw *d, const lb_domains *domains, result *r)
{
    const lb_cohort *c = &s->data;
    bool *outside = lb_xcalloc(c->test.n, sizeof *outside);
    for (size_t i = 0; i < c->test.n; i++)
        outside[i] = domains[OUTSIDE].test[i] == 0;
    lb_rowset *rest = lb_rowset_where(c->all, "test rows outside the bins", outside);
    const lb_cvec tenth = covered_by(s, d, outside, lb_moe_expert(&d->moe, OUTSIDE, 0).yhat_chosen);
    const lb_cvec fallback = covered_by(s, d, outside, d->moe.global.yhat_chosen);
    lb_routed ten;
    gate_of_ten(s, d, &domains[NINE], &ten);
    const lb_entry entries[] = {
        [C_GLOBAL] = {"global", d->moe.global.yhat_chosen, false},
        [C_CLAMP] = {"edge clamp", d->form[NINE].routed.soft, false},
        [C_TENTH] = {"tenth expert", tenth, true},
        [C_FALLBACK] = {"global fallback", fallback, true},
        [C_GATED] = {"ten-class gate", ten.soft, false},
        [C_ORACLE] = {"oracle with fallback", d->moe.with_fallback[NINE], true}};
    const lb_rowset *sets[] = {[ON_COVERED] = c->covered, [ON_OUTSIDE] = rest, [ON_ALL] = c->all};
    for (size_t q = 0; q < C_SETS && lb_study_ok(s); q++) {
        lb_contest *t = lb_contest_on(s, c, sets[q], entries, STRATEGIES);
        for (size_t m = 0; m < STRATEGIES; m++) {
            r->coverage[m][q] = lb_contest_r2(t, m);
            lb_study_put(s, r->coverage[m][q], "c.%s.%s", e13_set[q], e13_strategy[m]);
            if (m == C_GLOBAL)
                continue;
            if (q == ON_ALL)
                lb_study_put(s, lb_contest_delta(t, m, C_GLOBAL), "c.dr2_full.%s", e13_strategy[m]);
            if (q == ON_OUTSIDE)
                lb_study_put(s, lb_contest_delta(t, m, C_GLOBAL), "c.dr2_oor.%s", e13_strategy[m]);
        }
        lb_contest_free(t);
    }
    lb_study_put(s, lb_number_count(c->n_train[c->outside]), "c.n_oor_train");
    lb_study_put(s, lb_number_count(lb_rowset_size(rest)), "c.n_oor_test");
    lb_routed_free(&ten);
    lb_rowset_free(rest);
    free((double *)tenth.data);
    free((double *)fallback.data);
    free(outside);
}
