/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E06: metallicity read off the spectrum in place of the true one.
 *
 * A global Ridge guesses [M/H], the guess names the expert. How much of the gain of the true label
 * is left? Training rows are guessed out of fold, so that nothing is trained on guesses better than
 * those in use. Three layouts, experts trained on true bins and on guessed ones, routing hard and
 * soft.
 * Reads   spectra of the profile; templates/experiments/e06_pseudo_gate/spec.yaml
 * Writes  data/results/<profile>/e06_pseudo_gate.h5, figures e06_*
 */
#include "core/memory.h"
#include "figure/plot.h"
#include "stats/classify.h"
#include "study/guess.h"
#include "study/routing.h"
#include "study/strata.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYOUTS = 3, HAND = LAYOUTS - 1 };
enum { ON_LABELS, ON_GUESSES, VARIANTS }; /* what the experts were trained on */
enum { GLOBAL, FIRST, PER_LAYOUT = 1 + VARIANTS, SOFT = FIRST + LAYOUTS * PER_LAYOUT, TRUSTED };
enum { MODELS = TRUSTED + 1, MOST_DISTANCES = 8 };

static const size_t quantiles_of[HAND] = {2, 3};
static const char *const layout_key[LAYOUTS] = {"k_2", "k_3", "hand"};
static const char *const layout_name[LAYOUTS] = {"quantile, K = 2", "quantile, K = 3",
                                                 "hand [M/H], open ends"};
static const char *const variant_key[VARIANTS] = {"labels", "guesses"};
static const char *const variant_name[VARIANTS] = {"true bins", "guessed bins"};

/* Positions in the contest: the global model, then of each layout its oracle and its variants. */
static size_t oracle_of(size_t layout)
{
    return FIRST + layout * PER_LAYOUT;
}

static size_t pseudo_of(size_t layout, size_t variant)
{
    return oracle_of(layout) + 1 + variant;
}

/* Rows so far from the nearest edge, in true [M/H]. */
typedef struct distance {
    double from, to; /* dex */
    size_t n, misrouted;
    double cost; /* in R2: what routing by the guess loses on these rows */
} distance;

/* What the tables and figures need; the numbers themselves are in the record. */
typedef struct result {
    double noise;
    lb_guess guess;
    lb_strata truth[LAYOUTS], guessed[LAYOUTS];
    lb_cvec yhat[MODELS];
    int *called[LAYOUTS][VARIANTS]; /* test rows: the expert the guess names */
    lb_number oracle[LAYOUTS], pseudo[LAYOUTS][VARIANTS], rho[LAYOUTS][VARIANTS];
    lb_confusion *confusion[LAYOUTS][VARIANTS];
    size_t n_distances;
    distance near[MOST_DISTANCES];
} result;

/* --- bins and experts ---------------------------------------------------------------------------
 */

/* region: layouts */
/* The bins of every layout, by the true label and by the guess of it. Hand edges stay where they
 * are; quantile edges are those of whichever the experts are trained on. */
static void make_layouts(lb_study *s, result *r)
{
    const lb_cohort *c = &s->data;
    const lb_by_row truth = {c->train.mh, c->val.mh, c->test.mh};
    const size_t fewest = lb_spec_size(s->spec, "thresholds.rows_to_keep");
    size_t n_edges;
    const double *edges = lb_spec_numbers(s->spec, "settings.hand_edges", &n_edges);
    for (size_t i = 0; i < HAND; i++) {
        const size_t k = quantiles_of[i];
        lb_strata_quantiles(s, c, "true bins", truth, k, fewest, true, &r->truth[i]);
        lb_strata_quantiles(s, c, "guessed bins", r->guess.value, k, fewest, false, &r->guessed[i]);
    }
    lb_strata_at(s, c, "true bins", truth, edges, n_edges, true, &r->truth[HAND]);
    lb_strata_at(s, c, "guessed bins", r->guess.value, edges, n_edges, false, &r->guessed[HAND]);
}

/* Experts of all layouts in one sweep, trained and validated on the bins of @p layouts. */
static void fit(lb_study *s, const result *r, const lb_strata *layouts, lb_domains *domains,
                lb_moe *moe)
{
    for (size_t i = 0; i < LAYOUTS; i++)
        domains[i] = layouts[i].domains; /* still the layout's own */
    lb_moe_fit(s, &s->data, r->noise, lb_noise_seeds_of(s->spec), domains, LAYOUTS, moe);
}
/* end region */

static lb_cvec copied(lb_cvec x)
{
    double *y = lb_xcalloc(x.n, sizeof *y);
    memcpy(y, x.data, x.n * sizeof *y);
    return (lb_cvec){y, x.n};
}

/* region: routing */
/* Test rows by the expert their guessed metallicity names. */
static lb_cvec routed(lb_study *s, lb_cmat yhat, const int *called)
{
    const lb_vec out = {lb_xcalloc(yhat.rows, sizeof(double)), yhat.rows};
    const lb_experts experts = {.yhat = yhat};
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_given(experts, called, out, NULL, s->err));
    return lb_vec_const(out);
}

/* The guess is off by a normal error of the out-of-fold size: the chance that the true value lies
 * in each bin. */
static void weigh(const lb_strata *bins, lb_cvec guess, double sigma, lb_mat p)
{
    for (size_t i = 0; i < guess.n; i++) {
        double below = 0.0;
        for (size_t e = 0; e < bins->bins.n; e++) {
            const bool last = e + 1 == bins->bins.n;
            const double upto =
                last ? 1.0 : gsl_cdf_ugaussian_P((bins->bins.edge[e] - guess.data[i]) / sigma);
            p.data[i * p.stride + e] = upto - below;
            below = upto;
        }
    }
}
/* end region */

/* The hand layout once more, experts weighted, and the global model where no weight is large. */
static void route_softly(lb_study *s, result *r, const lb_moe *moe)
{
    const lb_strata *hand = &r->truth[HAND];
    const lb_cvec guess = r->guess.test.yhat;
    const double tau = lb_spec_number(s->spec, "settings.tau");
    const lb_mat p = lb_mat_new(guess.n, hand->bins.n);
    const lb_experts experts = {.yhat = lb_mat_const(moe->yhat[HAND]),
                                .global = moe->global.yhat_chosen};
    lb_routed all;
    weigh(hand, guess, r->guess.train.rmse, p);
    lb_route(s, experts, lb_mat_const(p), tau, &all);
    if (lb_study_ok(s)) {
        r->yhat[SOFT] = copied(all.soft);
        r->yhat[TRUSTED] = copied(all.trusted);
        lb_study_put(s, lb_number_count(all.use.fallback), "soft_fallback.n_global");
    }
    lb_routed_free(&all);
    free(p.data);
}

static void put_experts(lb_study *s, const result *r, const lb_moe *moe, size_t i, size_t v)
{
    for (size_t e = 0; e < moe->domains[i].n; e++) {
        char key[48];
        const lb_sweep_model m = lb_moe_expert(moe, i, e);
        const size_t n_test = lb_domains_count(r->called[i][v], s->data.test.n, e);
        snprintf(key, sizeof key, "%s.%s.e%zu", layout_key[i], variant_key[v], e);
        lb_study_put_alpha(s, &m, "%s.alpha", key);
        lb_study_put(s, lb_number_count(m.n_train), "%s.n_train", key);
        lb_study_put(s, lb_number_count(n_test), "%s.n_test", key);
    }
}

static void predict(lb_study *s, result *r)
{
    lb_domains domains[VARIANTS][LAYOUTS];
    lb_moe moe[VARIANTS];
    fit(s, r, r->truth, domains[ON_LABELS], &moe[ON_LABELS]);
    fit(s, r, r->guessed, domains[ON_GUESSES], &moe[ON_GUESSES]);
    if (lb_study_ok(s)) {
        r->yhat[GLOBAL] = copied(moe[ON_LABELS].global.yhat_chosen);
        lb_study_put_alpha(s, &moe[ON_LABELS].global, "alpha.global");
        for (size_t i = 0; i < LAYOUTS; i++) {
            const lb_strata *bins[VARIANTS] = {&r->truth[i], &r->guessed[i]};
            r->yhat[oracle_of(i)] = copied(moe[ON_LABELS].mixture[i]);
            for (size_t v = 0; v < VARIANTS; v++) {
                r->called[i][v] = lb_strata_deal(bins[v], r->guess.test.yhat);
                r->yhat[pseudo_of(i, v)] = routed(s, lb_mat_const(moe[v].yhat[i]), r->called[i][v]);
                put_experts(s, r, &moe[v], i, v);
            }
        }
        route_softly(s, r, &moe[ON_LABELS]);
    }
    for (size_t v = 0; v < VARIANTS; v++)
        lb_moe_free(&moe[v]);
}

/* --- scores -------------------------------------------------------------------------------------
 */

/* The rule of H2.2 in a word, for every layout; the record judges the deciding one. */
static const char *word_for(const lb_study *s, const lb_number *rho)
{
    if (*rho->na)
        return "no verdict";
    if (rho->value >= lb_spec_number(s->spec, "thresholds.deployable"))
        return "deployable";
    return rho->value < lb_spec_number(s->spec, "thresholds.bottleneck")
               ? "the gate is the bottleneck"
               : "undecided";
}

/* The ratio of the two gains as it was first published: no rule for its denominator. */
static lb_number raw_ratio(const lb_number *part, const lb_number *whole)
{
    lb_number x = lb_number_plain(100.0 * part->value / whole->value, "percent", "%");
    x.digits = 1;
    x.oracle = true;
    snprintf(x.protocol, sizeof x.protocol, "legacy");
    return x;
}

static void score_layout(lb_study *s, result *r, const lb_contest *t, size_t i)
{
    const size_t oracle = oracle_of(i);
    const char *key = layout_key[i];
    r->oracle[i] = lb_contest_delta(t, oracle, GLOBAL);
    lb_study_put(s, lb_contest_r2(t, oracle), "%s.oracle.r2", key);
    lb_study_put(s, r->oracle[i], "%s.oracle.delta_r2", key);
    for (size_t v = 0; v < VARIANTS; v++) {
        const size_t pseudo = pseudo_of(i, v);
        r->pseudo[i][v] = lb_contest_delta(t, pseudo, GLOBAL);
        r->rho[i][v] = lb_contest_retention(t, pseudo, GLOBAL, oracle);
        r->rho[i][v].digits = 2; /* the share and its interval with the same decimals */
        lb_study_put(s, lb_contest_r2(t, pseudo), "%s.%s.r2", key, variant_key[v]);
        lb_study_put(s, r->pseudo[i][v], "%s.%s.delta_r2", key, variant_key[v]);
        lb_study_put(s, lb_contest_delta(t, pseudo, oracle), "%s.%s.minus_oracle", key,
                     variant_key[v]);
        lb_study_put(s, r->rho[i][v], "%s.%s.retention", key, variant_key[v]);
        lb_study_put(s, raw_ratio(&r->pseudo[i][v], &r->oracle[i]), "%s.%s.ratio_of_points", key,
                     variant_key[v]);
        lb_study_put_text(s, word_for(s, &r->rho[i][v]), "%s.%s.word", key, variant_key[v]);
    }
    lb_study_put(s, lb_contest_delta(t, pseudo_of(i, ON_GUESSES), pseudo_of(i, ON_LABELS)),
                 "%s.guesses.minus_labels", key);
}

/* region: scores */
/* Global model, oracles, routing by the guess and soft routing, all on the same test rows. */
static void score(lb_study *s, result *r)
{
    lb_entry entries[MODELS] = {[GLOBAL] = {"global", r->yhat[GLOBAL], false},
                                [SOFT] = {"soft", r->yhat[SOFT], false},
                                [TRUSTED] = {"soft with fallback", r->yhat[TRUSTED], false}};
    for (size_t i = 0; i < LAYOUTS; i++) {
        entries[oracle_of(i)] = (lb_entry){"oracle", r->yhat[oracle_of(i)], true};
        for (size_t v = 0; v < VARIANTS; v++)
            entries[pseudo_of(i, v)] = (lb_entry){"pseudo", r->yhat[pseudo_of(i, v)], false};
    }
    lb_contest *t = lb_contest_on(s, &s->data, s->data.all, entries, MODELS);
    lb_study_put(s, lb_contest_r2(t, GLOBAL), "r2.global");
    for (size_t i = 0; i < LAYOUTS; i++)
        score_layout(s, r, t, i);
    static const char *const soft[] = {"soft", "soft_fallback"};
    for (size_t j = 0; j < 2; j++) {
        lb_study_put(s, lb_contest_r2(t, SOFT + j), "%s.r2", soft[j]);
        lb_study_put(s, lb_contest_delta(t, SOFT + j, GLOBAL), "%s.delta_r2", soft[j]);
        lb_number kept = lb_contest_retention(t, SOFT + j, GLOBAL, oracle_of(HAND));
        kept.digits = 2;
        lb_study_put(s, kept, "%s.retention", soft[j]);
        lb_study_put(s, lb_contest_delta(t, SOFT + j, pseudo_of(HAND, ON_LABELS)), "%s.minus_hard",
                     soft[j]);
        lb_study_put(s, lb_contest_delta(t, SOFT + j, oracle_of(HAND)), "%s.minus_oracle", soft[j]);
    }
    lb_study_put(s, lb_contest_delta(t, TRUSTED, SOFT), "soft_fallback.minus_soft");
    lb_contest_free(t);
}
/* end region */

/* --- the guess ----------------------------------------------------------------------------------
 */

static void put_predictor(lb_study *s, const result *r)
{
    const lb_cohort *c = &s->data;
    const lb_entry entry = {"[M/H] predictor", r->guess.test.yhat, false};
    lb_contest *t =
        lb_contest_planned(s, c, c->all, (lb_contest_plan){.target = c->test.mh}, &entry, 1);
    lb_study_put(s, lb_contest_r2(t, 0), "mh_predictor.r2");
    lb_study_put(s, lb_contest_rmse(t, 0), "mh_predictor.rmse");
    lb_study_put(s, lb_contest_mae(t, 0), "mh_predictor.mae");
    lb_study_put(s, lb_contest_bias(t, 0), "mh_predictor.bias");
    lb_contest_free(t);
    lb_number fold = lb_number_plain(r->guess.train.rmse, "rmse", "dex");
    fold.n = c->train.n;
    fold.digits = 4;
    lb_study_put(s, fold, "mh_predictor.rmse_out_of_fold");
    lb_study_put_alpha(s, &r->guess.penalty, "mh_predictor.alpha");
}

/* Counts by true bin, a true bin in each group: "215 6 0 / 4 200 3 / 0 2 70". */
static char *counts_of(const lb_confusion *m)
{
    lb_text text = {0};
    for (size_t t = 0; t < lb_confusion_classes(m); t++) {
        lb_text_printf(&text, "%s", t ? " / " : "");
        for (size_t k = 0; k < lb_confusion_classes(m); k++)
            lb_text_printf(&text, "%s%zu", k ? " " : "", lb_confusion_count(m, t, k));
    }
    return lb_text_take(&text);
}

/* Does the guess name the bin of the true label? Bins of a variant are those of its experts: for
 * guessed quantiles the true bin is that of the true quantiles. */
static void put_agreement(lb_study *s, result *r)
{
    const lb_cohort *c = &s->data;
    for (size_t i = 0; i < LAYOUTS && lb_study_ok(s); i++) {
        for (size_t v = 0; v < VARIANTS && lb_study_ok(s); v++) {
            const size_t a = r->truth[i].bins.n, b = r->guessed[i].bins.n;
            lb_study_take(s, lb_confusion_make(c->all, r->truth[i].domains.test, r->called[i][v],
                                               a > b ? a : b, &r->confusion[i][v], s->err));
            if (!lb_study_ok(s))
                return;
            const lb_confusion *m = r->confusion[i][v];
            size_t wrong = 0;
            for (size_t t = 0; t < lb_confusion_classes(m); t++)
                wrong += lb_confusion_rows(m, t) - lb_confusion_count(m, t, t);
            lb_number accuracy = lb_confusion_accuracy(m);
            accuracy.value *= 100.0;
            accuracy.se *= 100.0;
            snprintf(accuracy.kind, sizeof accuracy.kind, "percent");
            snprintf(accuracy.unit, sizeof accuracy.unit, "%%");
            char *counts = counts_of(m);
            lb_study_put(s, accuracy, "%s.%s.gate_accuracy", layout_key[i], variant_key[v]);
            lb_study_put(s, lb_number_count(wrong), "%s.%s.n_misrouted", layout_key[i],
                         variant_key[v]);
            lb_study_put_text(s, counts, "%s.%s.confusion", layout_key[i], variant_key[v]);
            free(counts);
        }
    }
}

/* --- what wrong bins cost, by the distance to the nearest edge ----------------------------------
 */

static double nearest_edge(const lb_quantile_bins *b, double x)
{
    double least = INFINITY;
    for (size_t e = 0; e + 1 < b->n; e++)
        least = fmin(least, fabs(x - b->edge[e]));
    return least;
}

/* Squared error that routing adds, row by row, over the total sum of squares: the parts add up to
 * R2 of the oracle minus R2 of the pseudo gate. */
static void measure_cost(lb_study *s, result *r)
{
    const lb_side *test = &s->data.test;
    const double *oracle = r->yhat[oracle_of(HAND)].data,
                 *pseudo = r->yhat[pseudo_of(HAND, ON_LABELS)].data;
    const double *from = lb_spec_numbers(s->spec, "settings.distances", &r->n_distances);
    double mean = 0.0, total = 0.0;
    for (size_t d = 0; d < r->n_distances; d++)
        r->near[d] =
            (distance){.from = from[d], .to = d + 1 < r->n_distances ? from[d + 1] : INFINITY};
    for (size_t i = 0; i < test->n; i++)
        mean += test->target[i] / (double)test->n;
    for (size_t i = 0; i < test->n; i++)
        total += (test->target[i] - mean) * (test->target[i] - mean);
    for (size_t i = 0; i < test->n; i++) {
        const double y = test->target[i], away = nearest_edge(&r->truth[HAND].bins, test->mh[i]);
        size_t d = 0;
        while (d + 1 < r->n_distances && away >= from[d + 1])
            d++;
        r->near[d].n++;
        r->near[d].misrouted += r->called[HAND][ON_LABELS][i] != r->truth[HAND].domains.test[i];
        r->near[d].cost +=
            ((y - pseudo[i]) * (y - pseudo[i]) - (y - oracle[i]) * (y - oracle[i])) / total;
    }
}

static void put_cost(lb_study *s, const result *r)
{
    double sum = 0.0;
    for (size_t d = 0; d < r->n_distances; d++) {
        const distance *x = &r->near[d];
        lb_number cost = lb_number_plain(x->cost, "r2_loss", "");
        lb_number share =
            x->n ? lb_number_plain(100.0 * (double)x->misrouted / (double)x->n, "percent", "%")
                 : lb_number_na("percent", "n/a (no rows)");
        cost.digits = 4;
        cost.oracle = true;
        share.digits = 1;
        lb_study_put(s, lb_number_count(x->n), "cost.d%zu.n_test", d);
        lb_study_put(s, lb_number_count(x->misrouted), "cost.d%zu.n_misrouted", d);
        lb_study_put(s, share, "cost.d%zu.misrouted", d);
        lb_study_put(s, cost, "cost.d%zu.r2", d);
        sum += x->cost;
    }
    lb_number all = lb_number_plain(sum, "r2_loss", "");
    all.digits = 4;
    all.oracle = true;
    lb_study_put(s, all, "cost.total");
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void table_retention(lb_study *s)
{
    lb_study_table(s, "T06.1",
                   "layout|experts trained on|R² global|R² oracle|R² pseudo|gain oracle:+|"
                   "95 % CI:ci|gain pseudo:+|95 % CI:ci|ρ|95 % CI:ci|verdict");
    for (size_t i = 0; i < LAYOUTS; i++)
        for (size_t v = 0; v < VARIANTS; v++)
            lb_study_row(s, "T06.1",
                         "=%1$s|=%2$s|r2.global|%3$s.oracle.r2|%3$s.%4$s.r2|%3$s.oracle.delta_r2|"
                         "%3$s.oracle.delta_r2|%3$s.%4$s.delta_r2|%3$s.%4$s.delta_r2|"
                         "%3$s.%4$s.retention|%3$s.%4$s.retention|%3$s.%4$s.word",
                         layout_name[i], variant_name[v], layout_key[i], variant_key[v]);
}

static void table_predictor(lb_study *s)
{
    lb_study_table(s, "T06.2",
                   "layout|bins of the gate|R² of the guess|RMSE, dex|bin accuracy, %|misrouted|"
                   "counts: true bins / called");
    for (size_t i = 0; i < LAYOUTS; i++)
        for (size_t v = 0; v < VARIANTS; v++)
            lb_study_row(s, "T06.2",
                         "=%1$s|=%2$s|mh_predictor.r2|mh_predictor.rmse|%3$s.%4$s.gate_accuracy|"
                         "%3$s.%4$s.n_misrouted|%3$s.%4$s.confusion",
                         layout_name[i], variant_name[v], layout_key[i], variant_key[v]);
}

static void table_routing(lb_study *s)
{
    static const char *const rows[][2] = {
        {"hard", "hand.labels"}, {"soft", "soft"}, {"soft + fallback", "soft_fallback"}};
    lb_study_table(s, "T06.3",
                   "routing|R²|gain:+|95 % CI:ci|ρ|95 % CI:ci|against the oracle:+|"
                   "95 % CI:ci|n test");
    for (size_t i = 0; i < 3; i++)
        lb_study_row(s, "T06.3",
                     "=%1$s|%2$s.r2|%2$s.delta_r2|%2$s.delta_r2|%2$s.retention|%2$s.retention|"
                     "%2$s.minus_oracle|%2$s.minus_oracle|data.n_test",
                     rows[i][0], rows[i][1]);
}

static void table_cost(lb_study *s, const result *r)
{
    lb_study_table(s, "T06.4",
                   "distance to the nearest edge, dex|n test|misrouted|misrouted, %|"
                   "cost in R²:+.4f");
    for (size_t d = 0; d < r->n_distances; d++) {
        char range[32];
        if (isfinite(r->near[d].to))
            snprintf(range, sizeof range, "%.2f to %.2f", r->near[d].from, r->near[d].to);
        else
            snprintf(range, sizeof range, "from %.2f", r->near[d].from);
        lb_study_row(s, "T06.4",
                     "=%1$s|cost.d%2$zu.n_test|cost.d%2$zu.n_misrouted|cost.d%2$zu.misrouted|"
                     "cost.d%2$zu.r2",
                     range, d);
    }
    lb_study_row(s, "T06.4", "=all|data.n_test|hand.labels.n_misrouted|= |cost.total");
}

static void table_experts(lb_study *s, const result *r)
{
    lb_study_table(s, "T06.5", "layout|trained on|expert|[M/H] from, dex|n train|n test|α");
    for (size_t i = 0; i < LAYOUTS; i++)
        for (size_t v = 0; v < VARIANTS; v++) {
            const lb_quantile_bins *b = v == ON_LABELS ? &r->truth[i].bins : &r->guessed[i].bins;
            for (size_t e = 0; e < b->n; e++) {
                char from[32] = "open";
                if (e)
                    snprintf(from, sizeof from, "%s%.3f", b->edge[e - 1] < 0.0 ? "−" : "",
                             fabs(b->edge[e - 1]));
                lb_study_row(s, "T06.5",
                             "=%1$s|=%2$s|=%5$zu|=%6$s|%3$s.%4$s.e%5$zu.n_train|"
                             "%3$s.%4$s.e%5$zu.n_test|%3$s.%4$s.e%5$zu.alpha.marked",
                             layout_name[i], variant_name[v], layout_key[i], variant_key[v], e,
                             from);
            }
        }
}

/* --- figures ------------------------------------------------------------------------------------
 */

static char *title_for(const lb_study *s, const result *r, const char *what)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE];
    return lb_xprintf("%s\nE06, noise %.1f, %s training rows, all %s test rows", what, r->noise,
                      lb_count_text(s->data.train.n, train), lb_count_text(s->data.test.n, test));
}

static void ratio_text(const lb_number *rho, char out[32])
{
    if (*rho->na)
        snprintf(out, 32, "ρ n/a");
    else
        snprintf(out, 32, "ρ = %.2f", rho->value);
}

static void figure_gains(lb_study *s, const result *r)
{
    static const char *const names[LAYOUTS] = {"quantile\nK = 2", "quantile\nK = 3",
                                               "hand [M/H]\nopen ends"};
    static const char *const labels[] = {"oracle", "guess, experts of true bins",
                                         "guess, experts of guessed bins"};
    const double kept[] = {lb_spec_number(s->spec, "thresholds.deployable"),
                           lb_spec_number(s->spec, "thresholds.bottleneck")};
    const lb_style styles[] = {lb_style_role(LB_ORACLE), lb_style_role(LB_MIXTURE),
                               lb_style_category(3)};
    char text[VARIANTS][LAYOUTS][32], label[48];
    const char *text_of[VARIANTS][LAYOUTS];
    size_t rows[LAYOUTS];
    lb_number pseudo[VARIANTS][LAYOUTS];
    for (size_t i = 0; i < LAYOUTS; i++) {
        rows[i] = s->data.test.n;
        for (size_t v = 0; v < VARIANTS; v++) {
            pseudo[v][i] = r->pseudo[i][v];
            ratio_text(&r->rho[i][v], text[v][i]);
            text_of[v][i] = text[v][i];
        }
    }
    char *stem = lb_study_figure(s, "F06.1"),
         *title = title_for(s, r, "What is left when metallicity is guessed");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.8, title,
                                 "Bars of the gain of oracle and guessed routing for three layouts "
                                 "with intervals, and 70 and 50 per cent of each oracle gain.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, LAYOUTS);
    lb_axes_x_counts(a, rows, LAYOUTS);
    lb_axes_y(a, "ΔR^{2} against the global model", NAN, NAN, LB_LINEAR);
    for (size_t j = 0; j < 1 + VARIANTS; j++)
        lb_plot_number_bars(a, j ? pseudo[j - 1] : r->oracle, LAYOUTS,
                            (lb_bars){.series = j,
                                      .of = 1 + VARIANTS,
                                      .style = styles[j],
                                      .format = "%+.3f",
                                      .texts = j ? text_of[j - 1] : NULL,
                                      .label = labels[j]});
    for (size_t j = 0; j < 2; j++) {
        lb_style line = lb_style_role(LB_THRESHOLD);
        line.marker = LB_MARKER_NONE;
        line.dash = j ? LB_DOTTED : LB_DASHED;
        snprintf(label, sizeof label, "%.0f %% of the oracle gain", 100.0 * kept[j]);
        bool named = false;
        for (size_t i = 0; i < LAYOUTS; i++) {
            if (*r->rho[i][ON_LABELS].na) /* no share, no part of it */
                continue;
            const double level = kept[j] * r->oracle[i].value;
            lb_plot_line(a, (double[]){(double)i - 0.45, (double)i + 0.45},
                         (double[]){level, level}, 2, line, named ? NULL : label);
            named = true;
        }
    }
    lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), NULL);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    for (size_t i = 0; i < LAYOUTS; i++) {
        char *series = lb_xprintf("F06.1/%s", layout_key[i]);
        lb_record_series(s->record, series,
                         (double[]){r->oracle[i].value, r->pseudo[i][ON_LABELS].value,
                                    r->pseudo[i][ON_GUESSES].value},
                         3);
        free(series);
    }
    free(title);
    free(stem);
}

static void figure_confusion(lb_study *s, const result *r)
{
    static const char *const names[] = {"poor", "middle", "rich"};
    const lb_confusion *m = r->confusion[HAND][ON_LABELS];
    enum { MOST = 8 };
    const size_t k = lb_confusion_classes(m);
    double z[MOST * MOST];
    char text[MOST * MOST][24], own[MOST][16];
    const char *text_of[MOST * MOST], *name_of[MOST];
    if (k > MOST)
        return;
    for (size_t t = 0; t < k; t++) {
        snprintf(own[t], sizeof own[t], "bin %zu", t % 100);
        name_of[t] = k == 3 ? names[t] : own[t];
        for (size_t c = 0; c < k; c++) {
            const double share =
                (double)lb_confusion_count(m, t, c) / fmax(1.0, (double)lb_confusion_rows(m, t));
            z[t * k + c] = (double)lb_confusion_count(m, t, c);
            snprintf(text[t * k + c], sizeof text[0], "%.1f %%", 100.0 * share);
            text_of[t * k + c] = text[t * k + c];
        }
    }
    char *stem = lb_study_figure(s, "F06.2"),
         *title = title_for(s, r, "Which bin the guess names, hand layout");
    lb_figure *f = lb_figure_new(stem, 5.6, 4.4, title,
                                 "Confusion matrix of true and named metallicity bins with counts "
                                 "and the share of each true bin.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, "bin named by the guess", name_of, k);
    lb_axes_y_names(a, "true bin", name_of, k);
    lb_plot_heat(a, (lb_heat){.z = z,
                              .rows = k,
                              .cols = k,
                              .map = LB_CIVIDIS,
                              .format = "%.0f",
                              .texts = text_of,
                              .label = "test rows"});
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F06.2/counts", z, k * k);
    free(title);
    free(stem);
}

/* Guess against truth, one colour a bin that the guess names; rows in a wrong bin are crosses. */
static void figure_guess(lb_study *s, const result *r)
{
    const lb_side *test = &s->data.test;
    const lb_quantile_bins *b = &r->truth[HAND].bins;
    const int *truth = r->truth[HAND].domains.test, *called = r->called[HAND][ON_LABELS];
    double *x = lb_xcalloc(2 * test->n, sizeof *x), *y = x + test->n;
    char label[48];
    char *stem = lb_study_figure(s, "F06.3"),
         *title = title_for(s, r, "Guessed against true metallicity");
    lb_figure *f = lb_figure_new(stem, 6.0, 5.6, title,
                                 "Scatter of guessed against true metallicity, coloured by the bin "
                                 "the guess names, with the bin edges and the identity line.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x(a, "true [M/H] (dex)", -2.7, 0.95, LB_LINEAR);
    lb_axes_y(a, "guessed [M/H] (dex)", NAN, NAN, LB_LINEAR);
    for (int wrong = 0; wrong < 2; wrong++)
        for (size_t e = 0; e < b->n; e++) {
            size_t n = 0;
            for (size_t i = 0; i < test->n; i++)
                if (called[i] == (int)e && (truth[i] != called[i]) == wrong) {
                    x[n] = test->mh[i];
                    y[n++] = r->guess.test.yhat.data[i];
                }
            lb_style style = lb_style_category(e);
            style.size = wrong ? 5.5 : 2.6;
            style.marker = wrong ? LB_CROSS : LB_CIRCLE;
            snprintf(label, sizeof label, wrong ? "in bin %zu by mistake" : "routed to bin %zu", e);
            if (n)
                lb_plot_points(a, x, y, n, style, label);
        }
    lb_plot_identity(a, "identity");
    for (size_t e = 0; e + 1 < b->n; e++) {
        lb_style edge = lb_style_role(LB_THRESHOLD);
        edge.dash = LB_DOTTED;
        lb_plot_vline(a, b->edge[e], edge, e ? NULL : "edges of the bins");
        lb_plot_hline(a, b->edge[e], edge, NULL);
    }
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F06.3/true", test->mh, test->n);
    lb_record_series(s->record, "F06.3/guessed", r->guess.test.yhat.data, test->n);
    free(title);
    free(stem);
    free(x);
}

static void figure_cost(lb_study *s, const result *r)
{
    double share[MOST_DISTANCES], cost[MOST_DISTANCES];
    char name[MOST_DISTANCES][32];
    const char *name_of[MOST_DISTANCES];
    size_t rows[MOST_DISTANCES];
    for (size_t d = 0; d < r->n_distances; d++) {
        const distance *x = &r->near[d];
        share[d] = x->n ? 100.0 * (double)x->misrouted / (double)x->n : NAN;
        cost[d] = x->cost;
        rows[d] = x->n;
        if (isfinite(x->to))
            snprintf(name[d], sizeof name[d], "%.2f to %.2f", x->from, x->to);
        else
            snprintf(name[d], sizeof name[d], "from %.2f", x->from);
        name_of[d] = name[d];
    }
    char *stem = lb_study_figure(s, "F06.4"),
         *title = title_for(s, r, "Where wrong bins are, and what they cost");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.2, title,
                                 "Left: share of misrouted rows by distance to the nearest edge. "
                                 "Right: what they cost in R2, adding up to the loss.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 2);
    lb_axes_x_names(a, "distance to the edge (dex)", name_of, r->n_distances);
    lb_axes_x_counts(a, rows, r->n_distances);
    lb_axes_y(a, "misrouted (%)", 0.0, NAN, LB_LINEAR);
    lb_plot_bars(a, (lb_bars){.y = share,
                              .n = r->n_distances,
                              .style = lb_style_role(LB_MIXTURE),
                              .format = "%.1f"});
    a = lb_figure_panel(f, 0, 1, 1, 2);
    lb_axes_x_names(a, "distance to the edge (dex)", name_of, r->n_distances);
    lb_axes_x_counts(a, rows, r->n_distances);
    lb_axes_y(a, "cost in R^{2} (oracle - guess)", NAN, NAN, LB_LINEAR);
    lb_plot_bars(a, (lb_bars){.y = cost,
                              .n = r->n_distances,
                              .style = lb_style_role(LB_GLOBAL),
                              .format = "%+.4f"});
    lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F06.4/misrouted", share, r->n_distances);
    lb_record_series(s->record, "F06.4/cost", cost, r->n_distances);
    free(title);
    free(stem);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void report(lb_study *s, const result *r)
{
    table_retention(s);
    table_predictor(s);
    table_routing(s);
    table_cost(s, r);
    table_experts(s, r);
    figure_gains(s, r);
    figure_confusion(s, r);
    figure_guess(s, r);
    figure_cost(s, r);
}

static void release(result *r)
{
    lb_guess_free(&r->guess);
    for (size_t m = 0; m < MODELS; m++)
        free((double *)r->yhat[m].data);
    for (size_t i = 0; i < LAYOUTS; i++) {
        lb_strata_free(&r->truth[i]);
        lb_strata_free(&r->guessed[i]);
        for (size_t v = 0; v < VARIANTS; v++) {
            free(r->called[i][v]);
            lb_confusion_free(r->confusion[i][v]);
        }
    }
    free(r);
}

static void run(lb_study *s)
{
    const lb_cohort *c = &s->data;
    result *r = lb_xcalloc(1, sizeof *r);
    r->noise = lb_spec_number(s->spec, "noise.focus");
    lb_guess_make(s, c, r->noise, lb_noise_seeds_of(s->spec),
                  (lb_by_row){c->train.mh, c->val.mh, c->test.mh},
                  lb_spec_size(s->spec, "settings.folds"),
                  lb_spec_size(s->spec, "settings.fold_seed"), &r->guess);
    make_layouts(s, r);
    if (lb_study_ok(s))
        predict(s, r);
    if (lb_study_ok(s)) {
        score(s, r);
        put_predictor(s, r);
        put_agreement(s, r);
        measure_cost(s, r);
        put_cost(s, r);
    }
    if (lb_study_ok(s))
        report(s, r);
    release(r);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e06_pseudo_gate",
                             "Experts named by a guessed metallicity against experts named by the "
                             "true one.",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
