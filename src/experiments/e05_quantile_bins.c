/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E05: metallicity bins of equal counts against bins by hand.
 *
 * K experts on quantiles of the training [M/H], K = 2 .. 6, every test row covered. Do they gain
 * what the hand layouts gain on the same rows, and at which K? The published sweep fixed the
 * penalty at the smallest of its grid; that version is repeated beside the validated one.
 * Reads   spectra of the profile; templates/experiments/e05_quantile_bins/spec.yaml
 * Writes  data/results/<profile>/e05_quantile_bins.h5, figures e05_*
 */
#include "core/memory.h"
#include "core/text.h"
#include "figure/plot.h"
#include "models/mixture.h"
#include "stats/verdict.h"
#include "study/strata.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_K = 8, MOST_BINS = LB_QUANTILE_BINS_MAX, MOST_LEVELS = 8 };
enum { GLOBAL, HAND_MH, HAND_NINE, FIRST_K, MOST_MODELS = FIRST_K + 2 * MOST_K };

typedef struct bin_score {
    lb_number expert, global, legacy, delta;
    double rows_per_pixel;
    bool warned; /* near the interpolation peak with next to no penalty */
} bin_score;

/* What the tables and figures need; the numbers themselves are in the record. */
typedef struct result {
    size_t n_k, n_levels, focus;
    size_t k[MOST_K];
    lb_strata layout[MOST_K + 1]; /* of k[i] quantiles, then the hand bins in [M/H] */
    double noise[MOST_LEVELS];
    lb_number delta[MOST_LEVELS][MOST_K], r2[MOST_K], legacy[MOST_K];
    lb_number hand[2]; /* [M/H] only; nine bins with fallback */
    size_t best, chosen;
    bin_score bin[MOST_K][MOST_BINS];
} result;

/* --- the layouts --------------------------------------------------------------------------------
 */

/* region: layouts */
/* Quantiles of the training labels; a bin with too few test rows joins its smaller neighbour. */
static void make_layouts(lb_study *s, result *r)
{
    const lb_cohort *c = &s->data;
    const lb_by_row mh = {c->train.mh, c->val.mh, c->test.mh};
    const size_t fewest = lb_spec_size(s->spec, "thresholds.rows_to_keep");
    size_t n_edges;
    const double *k = lb_spec_numbers(s->spec, "settings.k", &r->n_k);
    const double *edges = lb_spec_numbers(s->spec, "settings.hand_edges", &n_edges);
    for (size_t i = 0; i < r->n_k; i++) {
        lb_strata *l = &r->layout[i];
        r->k[i] = (size_t)k[i];
        lb_strata_quantiles(s, c, "quantile bins", mh, r->k[i], fewest, true, l);
        lb_study_put(s, lb_number_count(l->bins.n), "k_%zu.k_eff", r->k[i]);
        lb_study_put_text(s, l->any_merged ? l->merges.s : "none", "k_%zu.merges", r->k[i]);
    }
    lb_strata_at(s, c, "hand [M/H] bins", mh, edges, n_edges, true, &r->layout[r->n_k]);
}
/* end region */

/* --- one noise level ----------------------------------------------------------------------------
 */

/* The experts of a layout at a fixed penalty of the grid, each on the test rows of its bin. */
static lb_cvec at_fixed_alpha(const lb_moe *m, size_t which, double alpha)
{
    double *yhat = lb_xcalloc(m->n_test, sizeof *yhat);
    for (size_t e = 0; e < m->domains[which].n; e++) {
        const lb_sweep_model x = lb_moe_expert(m, which, e);
        size_t a = 0;
        while (a + 1 < x.n_grid && x.alphas.data[a] < alpha)
            a++;
        for (size_t i = 0; i < m->n_test; i++)
            if (m->domains[which].test[i] == (int)e)
                yhat[i] = x.yhat.data[a * x.yhat.stride + i];
    }
    return (lb_cvec){yhat, m->n_test};
}

/* R2 of a layout on all validation rows, every row by the expert of its bin. */
static double validation_r2(lb_study *s, const lb_cohort *c, const lb_moe *m, size_t which,
                            const lb_exposure *seen)
{
    const size_t n = c->val.n, k = m->domains[which].n;
    lb_mat yhat = lb_mat_new(n, k);
    double *y = lb_xcalloc(n, sizeof *y), mean = 0.0, total = 0.0, rest = 0.0;
    const lb_experts experts = {.yhat = lb_mat_const(yhat)};
    lb_moe_predict(s, m, which, &seen->val.x, yhat);
    if (lb_study_ok(s))
        lb_study_take(
            s, lb_mixture_given(experts, m->domains[which].val, (lb_vec){y, n}, NULL, s->err));
    for (size_t i = 0; i < n; i++)
        mean += c->val.target[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        total += (c->val.target[i] - mean) * (c->val.target[i] - mean);
        rest += (c->val.target[i] - y[i]) * (c->val.target[i] - y[i]);
    }
    free(y);
    free(yhat.data);
    return 1.0 - rest / total;
}

/* K by the validation rows: what a user would have chosen, who has no test labels. */
static void choose_k(lb_study *s, result *r, const lb_moe *moe)
{
    const lb_cohort *c = &s->data;
    lb_exposure seen;
    double best = -INFINITY;
    lb_cohort_expose(c, r->noise[r->focus], lb_noise_seeds_of(s->spec), &seen);
    for (size_t i = 0; i < r->n_k && lb_study_ok(s); i++) {
        const double r2 = validation_r2(s, c, moe, i, &seen);
        lb_number x = lb_number_plain(r2, "r2", "");
        x.n = c->val.n;
        x.oracle = true;
        lb_study_put(s, x, "k_%zu.r2.validation", r->k[i]);
        if (r2 > best) {
            best = r2;
            r->chosen = i;
        }
    }
}

static void put_ladder(lb_study *s, const lb_number *delta, const char *key)
{
    const double valuable = lb_spec_number(s->spec, "thresholds.valuable");
    lb_study_put_text(s, lb_rung_word(lb_ladder(delta, valuable)), "%s.ladder", key);
}

/* Gains on all test rows at a level that is not the focus. */
static void score_level(lb_study *s, result *r, size_t level, const lb_moe *moe)
{
    lb_entry entries[FIRST_K + MOST_K] = {{"global", moe->global.yhat_chosen, false},
                                          {"hand [M/H]", moe->mixture[r->n_k], true}};
    for (size_t i = 0; i < r->n_k; i++)
        entries[2 + i] = (lb_entry){"quantile bins", moe->mixture[i], true};
    lb_contest *t = lb_contest_on(s, &s->data, s->data.all, entries, 2 + r->n_k);
    size_t best = 0;
    for (size_t i = 0; i < r->n_k; i++) {
        r->delta[level][i] = lb_contest_delta(t, 2 + i, GLOBAL);
        lb_study_put(s, r->delta[level][i], "noise_%.1f.k_%zu.delta_r2", r->noise[level], r->k[i]);
        if (r->delta[level][i].value > r->delta[level][best].value)
            best = i;
    }
    lb_study_put(s, lb_contest_r2(t, GLOBAL), "noise_%.1f.r2.global", r->noise[level]);
    lb_study_put(s, lb_contest_delta(t, HAND_MH, GLOBAL), "noise_%.1f.hand_mh.delta_r2",
                 r->noise[level]);
    lb_study_put(s, lb_number_count(r->k[best]), "noise_%.1f.best_k", r->noise[level]);
    lb_contest_free(t);
}

/* --- the focus level ----------------------------------------------------------------------------
 */

static void mark_legacy(lb_number *x)
{
    snprintf(x->protocol, sizeof x->protocol, "legacy");
}

/* region: scores */
/* Every layout, the hand bins and the global model on the same rows: all test rows. */
static void put_layouts(lb_study *s, result *r, const lb_contest *t)
{
    lb_study_put(s, lb_contest_r2(t, GLOBAL), "r2.global");
    for (size_t i = 0; i < r->n_k; i++) {
        const size_t k = r->k[i], with_k = FIRST_K + i, legacy = FIRST_K + r->n_k + i;
        char key[32];
        snprintf(key, sizeof key, "k_%zu", k);
        r->r2[i] = lb_contest_r2(t, with_k);
        r->delta[r->focus][i] = lb_contest_delta(t, with_k, GLOBAL);
        r->legacy[i] = lb_contest_delta(t, legacy, GLOBAL);
        lb_number legacy_r2 = lb_contest_r2(t, legacy);
        mark_legacy(&r->legacy[i]);
        mark_legacy(&legacy_r2);
        lb_study_put(s, lb_contest_r2(t, GLOBAL), "%s.r2.global", key);
        lb_study_put(s, r->r2[i], "%s.r2.moe", key);
        lb_study_put(s, r->delta[r->focus][i], "%s.delta_r2", key);
        lb_study_put(s, legacy_r2, "legacy.%s.r2.moe", key);
        lb_study_put(s, r->legacy[i], "legacy.%s.delta_r2", key);
        lb_study_put(s, lb_contest_delta(t, with_k, legacy), "legacy.%s.cost", key);
        put_ladder(s, &r->delta[r->focus][i], key);
        if (r->delta[r->focus][i].value > r->delta[r->focus][r->best].value)
            r->best = i;
    }
}

/* The best K against the layouts by hand, paired; and the K that validation rows choose. */
static void put_comparison(lb_study *s, result *r, const lb_contest *t)
{
    static const char *const names[] = {"hand_mh", "hand_nine"};
    const size_t best = FIRST_K + r->best, chosen = FIRST_K + r->chosen;
    for (size_t h = 0; h < 2; h++) {
        r->hand[h] = lb_contest_delta(t, HAND_MH + h, GLOBAL);
        lb_study_put(s, lb_contest_r2(t, HAND_MH + h), "%s.r2.moe", names[h]);
        lb_study_put(s, r->hand[h], "%s.delta_r2", names[h]);
        put_ladder(s, &r->hand[h], names[h]);
        lb_study_put(s, lb_contest_delta(t, best, HAND_MH + h), "best.minus_%s", names[h]);
        lb_study_put(s, lb_contest_delta(t, chosen, HAND_MH + h), "chosen.minus_%s", names[h]);
    }
    lb_study_put(s, lb_number_count(r->k[r->best]), "best_k");
    lb_study_put(s, r->delta[r->focus][r->best], "best.delta_r2");
    lb_study_put(s, r->r2[r->best], "best.r2");
    put_ladder(s, &r->delta[r->focus][r->best], "best");
    lb_study_put(s, lb_number_count(r->k[r->chosen]), "chosen_k");
    lb_study_put(s, r->delta[r->focus][r->chosen], "chosen.delta_r2");
}
/* end region */

/* Is the optimum inside the expected range of K resolved? The best inside minus the best outside.
 */
static void put_location(lb_study *s, const result *r, const lb_contest *t)
{
    const double low = lb_spec_number(s->spec, "thresholds.k_low"),
                 high = lb_spec_number(s->spec, "thresholds.k_high");
    size_t side[2] = {MOST_K, MOST_K}; /* best inside, best outside */
    for (size_t i = 0; i < r->n_k; i++) {
        const double k = (double)r->k[i];
        size_t *top = &side[k < low || k > high];
        if (*top == MOST_K || r->delta[r->focus][i].value > r->delta[r->focus][*top].value)
            *top = i;
    }
    const bool both = side[0] < MOST_K && side[1] < MOST_K;
    lb_study_put(s,
                 both ? lb_contest_delta(t, FIRST_K + side[0], FIRST_K + side[1])
                      : lb_number_na("delta_r2", "n/a (no K on one side)"),
                 "inside_minus_outside");
    lb_study_put(s, both ? lb_number_count(r->k[side[1]]) : lb_number_na("count", "n/a"),
                 "best_outside_k");
}

static void score_focus(lb_study *s, result *r, const lb_moe *moe, const lb_moe *nine)
{
    const double alpha = lb_spec_number(s->spec, "settings.legacy_alpha");
    lb_entry entries[MOST_MODELS] = {
        [GLOBAL] = {"global", moe->global.yhat_chosen, false},
        [HAND_MH] = {"hand [M/H]", moe->mixture[r->n_k], true},
        [HAND_NINE] = {"nine bins + fallback", nine->with_fallback[0], true}};
    for (size_t i = 0; i < r->n_k; i++) {
        entries[FIRST_K + i] = (lb_entry){"quantile bins", moe->mixture[i], true};
        entries[FIRST_K + r->n_k + i] =
            (lb_entry){"quantile bins, fixed penalty", at_fixed_alpha(moe, i, alpha), true};
    }
    lb_contest *t = lb_contest_on(s, &s->data, s->data.all, entries, FIRST_K + 2 * r->n_k);
    put_layouts(s, r, t);
    put_comparison(s, r, t);
    put_location(s, r, t);
    lb_contest_free(t);
    for (size_t i = 0; i < r->n_k; i++)
        free((double *)entries[FIRST_K + r->n_k + i].yhat.data);
}

/* --- bin by bin ---------------------------------------------------------------------------------
 */

static lb_rowset *rows_of(const lb_cohort *c, const lb_domains *d, size_t k, size_t e)
{
    char name[48];
    bool *keep = lb_xcalloc(c->test.n, sizeof *keep);
    for (size_t i = 0; i < c->test.n; i++)
        keep[i] = d->test[i] == (int)e;
    snprintf(name, sizeof name, "quantile bin %zu of %zu", e, k);
    lb_rowset *rows = lb_rowset_where(c->all, name, keep);
    free(keep);
    return rows;
}

/* Global model, expert, and expert with the fixed penalty, on the test rows of one bin. */
static void score_bin(lb_study *s, const lb_strata *l, size_t k, size_t e, const lb_entry *entries,
                      bin_score *out)
{
    if (l->n_test[e] < lb_spec_size(s->spec, "bins.minimum_test")) {
        out->expert = out->global = out->legacy = lb_number_na("r2", "n/a (n<10)");
        out->delta = lb_number_na("delta_r2", "n/a (n<10)");
        return;
    }
    lb_rowset *rows = rows_of(&s->data, &l->domains, k, e);
    lb_contest *t = lb_contest_on(s, &s->data, rows, entries, 3);
    out->global = lb_contest_r2(t, 0);
    out->expert = lb_contest_r2(t, 1);
    out->legacy = lb_contest_r2(t, 2);
    out->delta = lb_contest_delta(t, 1, 0);
    mark_legacy(&out->legacy);
    lb_contest_free(t);
    lb_rowset_free(rows);
}

/* Rows per pixel near one, where a fit with next to no penalty passes through its noise. */
static bool near_peak(const lb_study *s, double rows_per_pixel)
{
    return rows_per_pixel > lb_spec_number(s->spec, "thresholds.peak_low") &&
           rows_per_pixel < lb_spec_number(s->spec, "thresholds.peak_high");
}

/* "below −1.406", "−1.406 to −0.860", "from −0.860" */
static void describe(const lb_quantile_bins *b, size_t e, char out[48])
{
    char end[2][16] = {"", ""};
    for (size_t j = 0; j < 2; j++)
        if (e + j > 0 && e + j < b->n)
            snprintf(end[j], sizeof end[j], "%s%.3f", b->edge[e + j - 1] < 0.0 ? "−" : "",
                     fabs(b->edge[e + j - 1]));
    if (*end[0] && *end[1])
        snprintf(out, 48, "%s to %s", end[0], end[1]);
    else
        snprintf(out, 48, "%s%s%s", *end[0] ? "from " : *end[1] ? "below " : "all", end[0], end[1]);
}

static void put_bin(lb_study *s, const lb_strata *l, size_t k, size_t e, const lb_sweep_model *m,
                    bin_score *b)
{
    char interval[48], key[32];
    snprintf(key, sizeof key, "k_%zu.b%zu", k, e);
    describe(&l->bins, e, interval);
    b->rows_per_pixel = (double)l->n_train[e] / (double)lb_spectra_wave(s->data.split.test).n;
    b->warned = near_peak(s, b->rows_per_pixel) &&
                m->chosen.alpha <= lb_spec_number(s->spec, "thresholds.peak_alpha");
    lb_number ratio = lb_number_plain(b->rows_per_pixel, "ratio", "");
    ratio.digits = 2;
    lb_study_put_text(s, interval, "%s.interval", key);
    lb_study_put_text(s, l->merged[e] ? "yes" : "no", "%s.merged", key);
    lb_study_put_text(s, b->warned ? "near the peak" : "none", "%s.warning", key);
    lb_study_put(s, lb_number_count(l->n_train[e]), "%s.n_train", key);
    lb_study_put(s, lb_number_count(l->n_test[e]), "%s.n_test", key);
    lb_study_put(s, ratio, "%s.rows_per_pixel", key);
    lb_study_put_alpha(s, m, "%s.alpha", key);
    lb_study_put(s, b->expert, "%s.r2", key);
    lb_study_put(s, b->global, "%s.r2.global", key);
    lb_study_put(s, b->legacy, "%s.r2.legacy", key);
    lb_study_put(s, b->delta, "%s.delta_r2", key);
}

/* What the bins of all layouts say together. */
typedef struct tally {
    size_t bins, edge, smallest, warned, at_peak, improved, thinnest, merged;
} tally;

static void put_layout_bins(lb_study *s, result *r, size_t i, const lb_moe *moe, tally *all)
{
    const lb_strata *l = &r->layout[i];
    const lb_cvec legacy = at_fixed_alpha(moe, i, lb_spec_number(s->spec, "settings.legacy_alpha"));
    const lb_entry entries[] = {{"global", moe->global.yhat_chosen, false},
                                {"expert", moe->mixture[i], true},
                                {"expert, fixed penalty", legacy, true}};
    for (size_t e = 0; e < l->bins.n && lb_study_ok(s); e++) {
        bin_score *b = &r->bin[i][e];
        const lb_sweep_model m = lb_moe_expert(moe, i, e);
        score_bin(s, l, r->k[i], e, entries, b);
        put_bin(s, l, r->k[i], e, &m, b);
        all->bins++;
        all->edge += m.on_grid.edge != 0;
        all->smallest += m.on_grid.index == 0;
        all->warned += b->warned;
        all->at_peak += near_peak(s, b->rows_per_pixel);
        all->improved += b->expert.value > b->global.value;
        all->thinnest = l->n_train[e] < all->thinnest ? l->n_train[e] : all->thinnest;
    }
    all->merged += l->any_merged;
    free((double *)legacy.data);
}

static void put_bins(lb_study *s, result *r, const lb_moe *moe)
{
    tally t = {.thinnest = s->data.train.n};
    for (size_t i = 0; i < r->n_k; i++)
        put_layout_bins(s, r, i, moe, &t);
    const struct {
        const char *key;
        size_t n;
    } counts[] = {{"n_bins", t.bins},
                  {"n_bins_edge", t.edge},
                  {"n_bins_smallest_alpha", t.smallest},
                  {"n_bins_warned", t.warned},
                  {"n_bins_at_peak", t.at_peak},
                  {"n_bins_improved", t.improved},
                  {"thinnest_bin", t.thinnest},
                  {"n_layouts_merged", t.merged}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        lb_study_put(s, lb_number_count(counts[i].n), "%s", counts[i].key);
    lb_study_put_alpha(s, &moe->global, "alpha.global");
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void table_layouts(lb_study *s, const result *r)
{
    static const lb_column columns[] = {
        {"layout", ""}, {"bins", ""}, {"coverage, %", ""}, {"n test", ""},  {"R² global", ""},
        {"R² MoE", ""}, {"ΔR²", "+"}, {"95 % CI", "ci"},   {"verdict", ""}, {"α on edge", ""}};
    lb_record_table(s->record, "T05.1", sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < r->n_k; i++)
        lb_study_row(s, "T05.1",
                     "=quantile, K = %1$zu|k_%1$zu.n_experts|k_%1$zu.coverage|data.n_test|"
                     "k_%1$zu.r2.global|k_%1$zu.r2.moe|k_%1$zu.delta_r2|k_%1$zu.delta_r2|"
                     "k_%1$zu.ladder|k_%1$zu.n_edge",
                     r->k[i]);
    static const char *const names[][2] = {{"hand, [M/H] only", "hand_mh"},
                                           {"hand, nine bins + fallback", "hand_nine"}};
    for (size_t h = 0; h < 2; h++)
        lb_study_row(s, "T05.1",
                     "=%1$s|%2$s.n_experts|%2$s.coverage|data.n_test|r2.global|%2$s.r2.moe|"
                     "%2$s.delta_r2|%2$s.delta_r2|%2$s.ladder|%2$s.n_edge",
                     names[h][0], names[h][1]);
}

static void table_bins(lb_study *s, const result *r)
{
    static const lb_column columns[] = {
        {"K", ""},       {"bin", ""},       {"[M/H], dex", ""},
        {"n train", ""}, {"n test", ""},    {"n train / pixels", ""},
        {"α", ""},       {"R² expert", ""}, {"R² global", ""},
        {"ΔR²", "+"},    {"95 % CI", "ci"}, {"merged", ""},
        {"warning", ""}};
    lb_record_table(s->record, "T05.2", sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < r->n_k; i++)
        for (size_t e = 0; e < r->layout[i].bins.n; e++)
            lb_study_row(s, "T05.2",
                         "=%1$zu|=%2$zu|k_%1$zu.b%2$zu.interval|k_%1$zu.b%2$zu.n_train|"
                         "k_%1$zu.b%2$zu.n_test|k_%1$zu.b%2$zu.rows_per_pixel|"
                         "k_%1$zu.b%2$zu.alpha.marked|k_%1$zu.b%2$zu.r2|k_%1$zu.b%2$zu.r2.global|"
                         "k_%1$zu.b%2$zu.delta_r2|k_%1$zu.b%2$zu.delta_r2|k_%1$zu.b%2$zu.merged|"
                         "k_%1$zu.b%2$zu.warning",
                         r->k[i], e);
}

static void table_legacy(lb_study *s, const result *r)
{
    static const lb_column columns[] = {{"K", ""},
                                        {"R², α fixed", ""},
                                        {"ΔR², α fixed", "+"},
                                        {"95 % CI", "ci"},
                                        {"R², lowest bin, α fixed", ""},
                                        {"R², lowest bin, α by validation", ""},
                                        {"R², α by validation", ""},
                                        {"gained by validation", "+"},
                                        {"95 % CI", "ci"}};
    lb_record_table(s->record, "T05.3", sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < r->n_k; i++)
        lb_study_row(s, "T05.3",
                     "=%1$zu|legacy.k_%1$zu.r2.moe|legacy.k_%1$zu.delta_r2|"
                     "legacy.k_%1$zu.delta_r2|k_%1$zu.b0.r2.legacy|k_%1$zu.b0.r2|k_%1$zu.r2.moe|"
                     "legacy.k_%1$zu.cost|legacy.k_%1$zu.cost",
                     r->k[i]);
}

static void table_levels(lb_study *s, const result *r)
{
    lb_column columns[4 + MOST_K] = {{"noise", ""}, {"R² global", ""}};
    char heads[MOST_K][40];
    size_t used = 2;
    for (size_t i = 0; i < r->n_k; i++) {
        snprintf(heads[i], sizeof heads[i], "ΔR², K = %zu", r->k[i]);
        columns[used++] = (lb_column){heads[i], "+"};
    }
    columns[used++] = (lb_column){"ΔR², hand [M/H]", "+"};
    columns[used++] = (lb_column){"best K", ""};
    lb_record_table(s->record, "T05.4", used, columns);
    for (size_t level = 0; level < r->n_levels; level++) {
        lb_text cells = {0};
        lb_text_printf(&cells, "=%1$.1f|noise_%1$.1f.r2.global", r->noise[level]);
        for (size_t i = 0; i < r->n_k; i++)
            lb_text_printf(&cells, "|noise_%.1f.k_%zu.delta_r2", r->noise[level], r->k[i]);
        lb_study_row(s, "T05.4", "%2$s|noise_%1$.1f.hand_mh.delta_r2|noise_%1$.1f.best_k",
                     r->noise[level], cells.s);
        lb_text_free(&cells);
    }
}

/* --- figures ------------------------------------------------------------------------------------
 */

static char *title_for(const lb_study *s, const char *what, double noise)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE], level[32] = "";
    if (isfinite(noise))
        snprintf(level, sizeof level, "noise %.1f, ", noise);
    return lb_xprintf("%s\nE05, %s%s training rows, all %s test rows", what, level,
                      lb_count_text(s->data.train.n, train), lb_count_text(s->data.test.n, test));
}

static void threshold_line(const lb_study *s, lb_axes *a)
{
    const double valuable = lb_spec_number(s->spec, "thresholds.valuable");
    char text[32];
    snprintf(text, sizeof text, "threshold %.2f", valuable);
    lb_plot_hline(a, valuable, lb_style_role(LB_THRESHOLD), text);
    lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), NULL);
}

/* A panel over K, with room at both sides and one tick a layout. */
static void axis_of_k(lb_axes *a, const result *r, double *x)
{
    for (size_t i = 0; i < r->n_k; i++)
        x[i] = (double)r->k[i];
    lb_axes_x(a, "bins of equal counts, K", x[0] - 0.5, x[r->n_k - 1] + 0.8, LB_LINEAR);
    lb_axes_x_ticks(a, x, r->n_k, "%.0f");
}

static void take(const lb_number *delta, size_t n, double *y, double *lo, double *hi)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = delta[i].value;
        lo[i] = delta[i].ci_lo;
        hi[i] = delta[i].ci_hi;
    }
}

static void figure_gain(lb_study *s, const result *r)
{
    static const char *const names[] = {"hand, [M/H] only", "hand, nine bins + fallback"};
    double x[MOST_K], y[MOST_K], lo[MOST_K], hi[MOST_K];
    char texts[MOST_K][40], label[64];
    const char *text_of[MOST_K];
    char *stem = lb_study_figure(s, "F05.1"),
         *title = title_for(s, "Bins of equal counts against bins by hand", r->noise[r->focus]);
    lb_figure *f = lb_figure_new(stem, 6.5, 4.6, title,
                                 "Gain in R2 over the global model against the number of quantile "
                                 "bins, with intervals, the hand layouts and the threshold.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    axis_of_k(a, r, x);
    lb_axes_y(a, "ΔR^{2} (MoE - global)", NAN, NAN, LB_LINEAR);
    take(r->delta[r->focus], r->n_k, y, lo, hi);
    for (size_t i = 0; i < r->n_k; i++) {
        snprintf(texts[i], sizeof texts[i], "%+.4f\n(R^{2} %.4f)%s", y[i], r->r2[i].value,
                 i == r->best ? "\nbest K" : "");
        text_of[i] = texts[i];
    }
    for (size_t h = 0; h < 2; h++) {
        lb_style line = lb_style_category(h ? 4 : 2);
        line.dash = h ? LB_DASHDOT : LB_DOTTED;
        snprintf(label, sizeof label, "%s %+.4f", names[h], r->hand[h].value);
        lb_plot_hline(a, r->hand[h].value, line, label);
    }
    threshold_line(s, a);
    lb_plot_errors(a, x, y, lo, hi, r->n_k, lb_style_role(LB_MIXTURE), "quantile bins, 95 % CI");
    lb_plot_labels(a, x, y, text_of, r->n_k, lb_style_role(LB_MIXTURE));
    lb_plot_highlight(a, x[r->best], y[r->best], lb_style_role(LB_MIXTURE), NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F05.1/k", x, r->n_k);
    lb_record_series(s->record, "F05.1/delta_r2", y, r->n_k);
    free(title);
    free(stem);
}

/* Score of every expert in its own bin; what a layout does not have is hatched. */
static void figure_bins(lb_study *s, const result *r)
{
    size_t cols = 0;
    for (size_t i = 0; i < r->n_k; i++)
        cols = r->layout[i].bins.n > cols ? r->layout[i].bins.n : cols;
    double *z = lb_xcalloc(r->n_k * cols, sizeof *z);
    char(*text)[24] = lb_xcalloc(r->n_k * cols, sizeof *text);
    const char **text_of = lb_xcalloc(r->n_k * cols, sizeof *text_of);
    char row[MOST_K][32], col[MOST_BINS][32];
    const char *row_of[MOST_K], *col_of[MOST_BINS];
    for (size_t i = 0; i < r->n_k; i++) {
        snprintf(row[i], sizeof row[i], "K = %zu", r->k[i]);
        row_of[i] = row[i];
        for (size_t e = 0; e < cols; e++) {
            const size_t at = i * cols + e;
            const bool there = e < r->layout[i].bins.n;
            z[at] = there ? r->bin[i][e].expert.value : NAN;
            if (there) {
                snprintf(text[at], sizeof text[at], "n = %zu", r->layout[i].n_test[e]);
                text_of[at] = text[at];
            }
        }
    }
    for (size_t e = 0; e < cols; e++) {
        snprintf(col[e], sizeof col[e], "bin %zu", e);
        col_of[e] = col[e];
    }
    char *stem = lb_study_figure(s, "F05.2"),
         *title = title_for(s, "Each expert in its own bin, poor to rich", r->noise[r->focus]);
    lb_figure *f = lb_figure_new(stem, 6.5, 4.4, title,
                                 "Heat map of the R2 of every expert in its bin, one row for each "
                                 "number of bins, with the test rows in each cell.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, col_of, cols);
    lb_axes_y_names(a, NULL, row_of, r->n_k);
    lb_plot_heat(a, (lb_heat){.z = z,
                              .rows = r->n_k,
                              .cols = cols,
                              .map = LB_CIVIDIS,
                              .format = "%.3f",
                              .texts = text_of,
                              .label = "R^{2} of the expert"});
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F05.2/r2", z, r->n_k * cols);
    free(title);
    free(stem);
    free(z);
    free(text);
    free(text_of);
}

/* Left of F05.3: the gain by K. Right: every bin against its rows per pixel. */
static void panel_of_peak(lb_study *s, const result *r, const char *label, lb_axes *a)
{
    double x[MOST_K * MOST_BINS], y[2][MOST_K * MOST_BINS], most = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < r->n_k; i++)
        for (size_t e = 0; e < r->layout[i].bins.n; e++) {
            const bin_score *b = &r->bin[i][e];
            if (!isfinite(b->expert.value))
                continue;
            x[n] = b->rows_per_pixel;
            y[0][n] = b->legacy.value;
            y[1][n++] = b->expert.value;
            most = fmax(most, b->rows_per_pixel);
        }
    lb_style fixed = lb_style_role(LB_NEUTRAL);
    fixed.hollow = true;
    lb_axes_title(a, "every bin");
    lb_axes_x(a, "training rows per pixel", 0.0, 1.1 * most, LB_LINEAR);
    lb_axes_y(a, "R^{2} in the bin", NAN, NAN, LB_LINEAR);
    lb_plot_points(a, x, y[0], n, fixed, label);
    lb_plot_points(a, x, y[1], n, lb_style_role(LB_MIXTURE), "α by validation");
    lb_plot_vline(a, 1.0, lb_style_role(LB_REFERENCE), "one row per pixel");
    lb_record_series(s->record, "F05.3/rows_per_pixel", x, n);
    lb_record_series(s->record, "F05.3/r2_fixed", y[0], n);
    lb_record_series(s->record, "F05.3/r2_validated", y[1], n);
}

static void figure_legacy(lb_study *s, const result *r)
{
    double x[MOST_K], y[MOST_K], lo[MOST_K], hi[MOST_K];
    lb_style fixed = lb_style_role(LB_NEUTRAL);
    fixed.hollow = true;
    fixed.dash = LB_DASHED;
    char label[48];
    snprintf(label, sizeof label, "α fixed at %g",
             lb_spec_number(s->spec, "settings.legacy_alpha"));
    char *stem = lb_study_figure(s, "F05.3"),
         *title = title_for(s, "What a fixed penalty does to small bins", r->noise[r->focus]);
    lb_figure *f = lb_figure_new(stem, 6.5, 4.2, title,
                                 "Left: gain against the number of bins with the smallest penalty "
                                 "and with validated ones. Right: score of each bin against its "
                                 "training rows per pixel.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 2);
    lb_axes_title(a, "all test rows");
    axis_of_k(a, r, x);
    lb_axes_y(a, "ΔR^{2} (MoE - global)", NAN, NAN, LB_LINEAR);
    take(r->legacy, r->n_k, y, lo, hi);
    lb_plot_line(a, x, y, r->n_k, fixed, label);
    lb_plot_errors(a, x, y, lo, hi, r->n_k, fixed, NULL);
    lb_record_series(s->record, "F05.3/delta_fixed", y, r->n_k);
    take(r->delta[r->focus], r->n_k, y, lo, hi);
    lb_plot_line(a, x, y, r->n_k, lb_style_role(LB_MIXTURE), "α by validation");
    lb_plot_errors(a, x, y, lo, hi, r->n_k, lb_style_role(LB_MIXTURE), NULL);
    threshold_line(s, a);
    panel_of_peak(s, r, label, lb_figure_panel(f, 0, 1, 1, 2));
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_levels(lb_study *s, const result *r)
{
    double at[MOST_K], x[MOST_K], y[MOST_K], lo[MOST_K], hi[MOST_K];
    char label[32];
    char *stem = lb_study_figure(s, "F05.4"),
         *title = title_for(s, "The sweep at other noise levels", NAN);
    lb_figure *f = lb_figure_new(stem, 6.5, 4.4, title,
                                 "Gain against the number of quantile bins, one line for each "
                                 "noise level, with intervals and the decision threshold.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    axis_of_k(a, r, at);
    lb_axes_y(a, "ΔR^{2} (MoE - global)", NAN, NAN, LB_LINEAR);
    for (size_t level = 0; level < r->n_levels; level++) {
        const lb_style style = lb_style_ordered(level, r->n_levels);
        for (size_t i = 0; i < r->n_k; i++)
            x[i] = at[i] + 0.08 * ((double)level - 0.5 * (double)(r->n_levels - 1));
        take(r->delta[level], r->n_k, y, lo, hi);
        snprintf(label, sizeof label, "noise %.1f", r->noise[level]);
        lb_plot_line(a, x, y, r->n_k, style, label);
        lb_plot_errors(a, x, y, lo, hi, r->n_k, style, NULL);
        char *series = lb_xprintf("F05.4/noise_%.1f", r->noise[level]);
        lb_record_series(s->record, series, y, r->n_k);
        free(series);
    }
    threshold_line(s, a);
    lb_figure_note(f, "Points are moved sideways so that intervals do not cover each other.");
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

/* Whom the experts of a way of dealing serve, and how many chose the end of the grid. */
static void put_service(lb_study *s, const lb_moe *m, size_t which, const char *key)
{
    const lb_domains *d = &m->domains[which];
    size_t served = 0, edge = 0;
    for (size_t i = 0; i < s->data.test.n; i++)
        served += d->test[i] >= 0;
    for (size_t e = 0; e < d->n; e++)
        edge += lb_moe_expert(m, which, e).on_grid.edge != 0;
    lb_number coverage =
        lb_number_plain(100.0 * (double)served / (double)s->data.test.n, "percent", "%");
    coverage.digits = 1;
    lb_study_put(s, coverage, "%s.coverage", key);
    lb_study_put(s, lb_number_count(edge), "%s.n_edge", key);
    lb_study_put(s, lb_number_count(d->n), "%s.n_experts", key);
}

static void put_services(lb_study *s, const result *r, const lb_moe *moe, const lb_moe *nine)
{
    char key[32];
    for (size_t i = 0; i < r->n_k; i++) {
        snprintf(key, sizeof key, "k_%zu", r->k[i]);
        put_service(s, moe, i, key);
    }
    put_service(s, moe, r->n_k, "hand_mh");
    put_service(s, nine, 0, "hand_nine");
}

static void run_focus(lb_study *s, result *r, const lb_moe *moe)
{
    lb_domains bins = lb_domains_bins(&s->data);
    lb_moe nine;
    lb_moe_fit(s, &s->data, r->noise[r->focus], lb_noise_seeds_of(s->spec), &bins, 1, &nine);
    if (lb_study_ok(s)) {
        choose_k(s, r, moe);
        score_focus(s, r, moe, &nine);
        put_services(s, r, moe, &nine);
        put_bins(s, r, moe);
    }
    lb_moe_free(&nine);
    lb_domains_free(&bins);
}

static void report(lb_study *s, const result *r)
{
    table_layouts(s, r);
    table_bins(s, r);
    table_legacy(s, r);
    table_levels(s, r);
    figure_gain(s, r);
    figure_bins(s, r);
    figure_legacy(s, r);
    figure_levels(s, r);
}

static void run(lb_study *s)
{
    const double focus = lb_spec_number(s->spec, "noise.focus");
    result *r = lb_xcalloc(1, sizeof *r);
    const double *levels = lb_spec_numbers(s->spec, "noise.levels", &r->n_levels);
    lb_domains domains[MOST_K + 1];
    make_layouts(s, r);
    for (size_t i = 0; i <= r->n_k; i++)
        domains[i] = r->layout[i].domains; /* still the layout's own */
    for (size_t i = 0; i < r->n_levels && lb_study_ok(s); i++) {
        lb_moe moe;
        r->noise[i] = levels[i];
        lb_moe_fit(s, &s->data, levels[i], lb_noise_seeds_of(s->spec), domains, r->n_k + 1, &moe);
        if (lb_study_ok(s))
            score_level(s, r, i, &moe);
        if (levels[i] == focus) {
            r->focus = i;
            run_focus(s, r, &moe);
        }
        lb_moe_free(&moe);
    }
    if (lb_study_ok(s))
        report(s, r);
    for (size_t i = 0; i <= r->n_k; i++)
        lb_strata_free(&r->layout[i]);
    free(r);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e05_quantile_bins",
                             "Metallicity bins of equal counts, K = 2 to 6, against bins by hand "
                             "and one global Ridge.",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
