/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E08: experts split by log g itself.
 *
 * How high is the ceiling if the gate knows the answer, how much of it is the answer leaking
 * through the gate, and what is left with a gate that has to find out? Reads   spectra of the
 * profile; templates/experiments/e08_logg_gate/spec.yaml Writes
 * data/results/<profile>/e08_logg_gate.h5, figures e08_*
 */
#include "core/memory.h"
#include "figure/plot.h"
#include "linalg/probability.h"
#include "stats/quantile.h"
#include "study/gate.h"
#include "study/guess.h"
#include "study/routing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BINS = 8, MOST_LAYOUTS = 4 };
enum { GLOBAL, NULL_ORACLE, ORACLE, NULL_PSEUDO, PSEUDO, HARD, SOFT, RETRAINED, MODELS };

static const struct {
    const char *key, *gate, *routing;
    bool oracle;
} models[MODELS] = {
    [GLOBAL] = {"global", "none", "one model", false},
    [NULL_ORACLE] = {"null_oracle", "true log g", "mean of the bin, no spectrum", true},
    [ORACLE] = {"oracle", "true log g", "hard", true},
    [NULL_PSEUDO] = {"null_pseudo", "predicted log g", "mean of the bin, no spectrum", false},
    [PSEUDO] = {"pseudo", "predicted log g", "hard", false},
    [HARD] = {"learned_hard", "learned from the flux", "hard", false},
    [SOFT] = {"learned_soft", "learned from the flux", "soft", false},
    [RETRAINED] = {"retrained", "predicted log g", "hard, experts trained on predicted bins",
                   false},
};

/* One number of bins K, and what its models say of every test row. */
typedef struct layout {
    size_t k;
    double edges[MOST_BINS + 1];
    int *pseudo;          /* bin of each test row by the prediction of the global model */
    double *yhat[MODELS]; /* [test rows] */
    lb_mat said;          /* (test rows, K) probabilities of the learned gate */
    lb_number r2[MODELS], kept[MODELS];
} layout;

/* --- bins of log g ------------------------------------------------------------------------------
 */

/* region: edges */
/* Quantiles of the training labels, moved to the nearest value half way between two nodes of the
 * grid (2.25, 2.75 ...): labels that sit on a node never sit on an edge. */
static void choose_edges(const lb_cohort *c, size_t k, double *edges)
{
    double *sorted = lb_xcalloc(c->train.n, sizeof *sorted);
    memcpy(sorted, c->train.target, c->train.n * sizeof *sorted);
    lb_sort(sorted, c->train.n);
    edges[0] = -INFINITY;
    edges[k] = INFINITY;
    for (size_t q = 1; q < k; q++) {
        const double at = lb_quantile(sorted, c->train.n, (double)q / (double)k);
        edges[q] = 0.5 * nearbyint((at - 0.25) / 0.5) + 0.25;
    }
    free(sorted);
}
/* end region */

static int bin_of(const double *edges, size_t k, double y)
{
    int bin = 0;
    for (size_t q = 1; q < k; q++)
        bin += y >= edges[q];
    return bin;
}

/* Mean label of the training rows in each bin, by their true or their out-of-fold predicted bin. */
static void bin_means(const lb_cohort *c, const double *value, const layout *l, double *mean)
{
    size_t count[MOST_BINS] = {0};
    for (size_t k = 0; k < l->k; k++)
        mean[k] = 0.0;
    for (size_t i = 0; i < c->train.n; i++) {
        const int k = bin_of(l->edges, l->k, value[i]);
        mean[k] += c->train.target[i];
        count[k]++;
    }
    for (size_t k = 0; k < l->k; k++)
        mean[k] /= (double)(count[k] ? count[k] : 1);
}

/* --- one number of bins -------------------------------------------------------------------------
 */

/* region: gates */
/* The same experts behind five gates: the answer itself, the prediction of the global model, a
 * classifier of the flux scored hard and soft; and the two gates without any expert. */
static void predict(lb_study *s, const lb_moe *moe, size_t which, const lb_guess *guess, layout *l)
{
    const lb_cohort *c = &s->data;
    double truth[MOST_BINS], guessed[MOST_BINS];
    const lb_experts experts = {.yhat = lb_mat_const(moe->yhat[which])};
    lb_routed learned;
    bin_means(c, c->train.target, l, truth);
    bin_means(c, guess->value.train, l, guessed);
    l->pseudo = lb_xcalloc(c->test.n, sizeof *l->pseudo);
    for (int m = 0; m < MODELS; m++)
        l->yhat[m] = lb_xcalloc(c->test.n, sizeof *l->yhat[m]);
    for (size_t i = 0; i < c->test.n; i++) {
        l->pseudo[i] = bin_of(l->edges, l->k, moe->global.yhat_chosen.data[i]);
        l->yhat[GLOBAL][i] = moe->global.yhat_chosen.data[i];
        l->yhat[NULL_ORACLE][i] = truth[moe->domains[which].test[i]];
        l->yhat[NULL_PSEUDO][i] = guessed[l->pseudo[i]];
        l->yhat[ORACLE][i] = moe->mixture[which].data[i];
        l->yhat[RETRAINED][i] = moe->mixture[which + 1].data[i];
    }
    lb_study_take(s, lb_mixture_given(experts, l->pseudo, (lb_vec){l->yhat[PSEUDO], c->test.n},
                                      NULL, s->err));
    lb_route(s, experts, lb_mat_const(l->said), 0.0, &learned);
    for (size_t i = 0; i < c->test.n && lb_study_ok(s); i++) {
        l->yhat[HARD][i] = learned.hard.data[i];
        l->yhat[SOFT][i] = learned.soft.data[i];
    }
    lb_routed_free(&learned);
}
/* end region */

static void put_accuracy(lb_study *s, const layout *l, const int *called, const int *truth,
                         const char *key)
{
    lb_confusion *m = NULL;
    if (lb_study_ok(s))
        lb_study_take(s, lb_confusion_make(s->data.all, truth, called, l->k, &m, s->err));
    if (lb_study_ok(s)) {
        lb_number x = lb_confusion_accuracy(m);
        lb_study_put(s, x, "bins_%zu.accuracy.%s", l->k, key);
    }
    lb_confusion_free(m);
}

/* The gate that does best with experts of the true bins: of a claim that some gate gains enough,
 * the one that decides. */
static void put_best(lb_study *s, const lb_contest *t, const layout *l)
{
    size_t best = PSEUDO;
    for (size_t m = PSEUDO; m <= SOFT; m++)
        best = l->r2[m].value > l->r2[best].value ? m : best;
    lb_study_put(s, lb_contest_delta(t, best, GLOBAL), "bins_%zu.delta_r2.best_gate", l->k);
}

static void score(lb_study *s, layout *l, const int *truth)
{
    const lb_cohort *c = &s->data;
    lb_entry entries[MODELS];
    for (int m = 0; m < MODELS; m++)
        entries[m] = (lb_entry){models[m].key, {l->yhat[m], c->test.n}, models[m].oracle};
    lb_contest *t = lb_contest_on(s, c, c->all, entries, MODELS);
    for (size_t m = 0; m < MODELS; m++) {
        l->r2[m] = lb_contest_r2(t, m);
        lb_study_put(s, l->r2[m], "bins_%zu.r2.%s", l->k, models[m].key);
        if (m != GLOBAL)
            lb_study_put(s, lb_contest_delta(t, m, GLOBAL), "bins_%zu.delta_r2.%s", l->k,
                         models[m].key);
        l->kept[m] = lb_contest_retention(t, m, GLOBAL, ORACLE);
        l->kept[m].digits = 2; /* the share and its interval with the same decimals */
        if (m >= PSEUDO)
            lb_study_put(s, l->kept[m], "bins_%zu.rho.%s", l->k, models[m].key);
    }
    lb_study_put(s, lb_contest_delta(t, ORACLE, NULL_ORACLE), "bins_%zu.excess.oracle", l->k);
    lb_study_put(s, lb_contest_delta(t, PSEUDO, NULL_PSEUDO), "bins_%zu.excess.pseudo", l->k);
    lb_study_put(s, lb_contest_delta(t, NULL_ORACLE, GLOBAL), "bins_%zu.null_minus_global", l->k);
    put_best(s, t, l);
    lb_contest_free(t);
    int *called = lb_xcalloc(c->test.n, sizeof *called);
    for (size_t i = 0; i < c->test.n; i++)
        called[i] = (int)lb_probability_top(lb_mat_const(l->said), i);
    put_accuracy(s, l, l->pseudo, truth, "pseudo");
    put_accuracy(s, l, called, truth, "learned");
    free(called);
}

static void put_bins(lb_study *s, const lb_moe *moe, size_t which, const layout *l)
{
    const lb_cohort *c = &s->data;
    for (size_t k = 0; k < l->k; k++) {
        const lb_sweep_model m = lb_moe_expert(moe, which, k);
        const lb_domains *d = &moe->domains[which];
        lb_study_put_alpha(s, &m, "bins_%zu.expert%zu.alpha", l->k, k);
        lb_study_put(s, lb_number_count(m.n_train), "bins_%zu.expert%zu.n_train", l->k, k);
        lb_study_put(s, lb_number_count(lb_domains_count(d->test, c->test.n, k)),
                     "bins_%zu.expert%zu.n_test", l->k, k);
    }
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void table_gates(lb_study *s, const layout *l, size_t n)
{
    static const lb_column columns[] = {{"K", ""},    {"gate", ""},      {"routing", ""},
                                        {"R²", ""},   {"95 % CI", "ci"}, {"ΔR² vs global", "+"},
                                        {"ρ", ".2f"}, {"ρ CI", "ci"},    {"bin accuracy", ".3f"},
                                        {"n", ""}};
    lb_record_table(s->record, "T08.1", sizeof columns / sizeof *columns, columns);
    for (size_t q = 0; q < n; q++)
        for (int m = 0; m < MODELS; m++) {
            char gain[64], kept[128], accuracy[64];
            snprintf(gain, sizeof gain, m == GLOBAL ? "=" : "bins_%zu.delta_r2.%s", l[q].k,
                     models[m].key);
            snprintf(kept, sizeof kept,
                     m < PSEUDO ? "=|=" : "bins_%1$zu.rho.%2$s|bins_%1$zu.rho.%2$s", l[q].k,
                     models[m].key);
            snprintf(accuracy, sizeof accuracy,
                     m == PSEUDO || m == RETRAINED || m == NULL_PSEUDO ? "bins_%zu.accuracy.pseudo"
                     : m == HARD || m == SOFT                          ? "bins_%zu.accuracy.learned"
                                                                       : "=",
                     l[q].k);
            lb_study_row(s, "T08.1",
                         "=%1$zu|=%2$s|=%3$s|bins_%1$zu.r2.%4$s|bins_%1$zu.r2.%4$s|%5$s|%6$s|%7$s|"
                         "data.n_test",
                         l[q].k, models[m].gate, models[m].routing, models[m].key, gain, kept,
                         accuracy);
        }
}

static void table_excess(lb_study *s, const layout *l, size_t n)
{
    static const lb_column columns[] = {{"K", ""},       {"null oracle", ""}, {"oracle", ""},
                                        {"excess", "+"}, {"95 % CI", "ci"},   {"null pseudo", ""},
                                        {"pseudo", ""},  {"excess", "+"},     {"95 % CI", "ci"}};
    lb_record_table(s->record, "T08.2", sizeof columns / sizeof *columns, columns);
    for (size_t q = 0; q < n; q++)
        lb_study_row(
            s, "T08.2",
            "=%1$zu|bins_%1$zu.r2.null_oracle|bins_%1$zu.r2.oracle|bins_%1$zu.excess.oracle|"
            "bins_%1$zu.excess.oracle|bins_%1$zu.r2.null_pseudo|bins_%1$zu.r2.pseudo|"
            "bins_%1$zu.excess.pseudo|bins_%1$zu.excess.pseudo",
            l[q].k);
}

static void table_bins(lb_study *s, const layout *l, size_t n)
{
    static const lb_column columns[] = {{"K", ""},       {"bin", ""},    {"log g, dex", ""},
                                        {"n train", ""}, {"n test", ""}, {"α", ""}};
    lb_record_table(s->record, "T08.3", sizeof columns / sizeof *columns, columns);
    for (size_t q = 0; q < n; q++)
        for (size_t k = 0; k < l[q].k; k++) {
            char range[48];
            if (k == 0)
                snprintf(range, sizeof range, "below %.2f", l[q].edges[1]);
            else if (k + 1 == l[q].k)
                snprintf(range, sizeof range, "%.2f and above", l[q].edges[k]);
            else
                snprintf(range, sizeof range, "%.2f to %.2f", l[q].edges[k], l[q].edges[k + 1]);
            lb_study_row(s, "T08.3",
                         "=%1$zu|=%2$zu|=%3$s|bins_%1$zu.expert%2$zu.n_train|"
                         "bins_%1$zu.expert%2$zu.n_test|bins_%1$zu.expert%2$zu.alpha.marked",
                         l[q].k, k, range);
        }
}

/* --- figures ------------------------------------------------------------------------------------
 */

static lb_figure *figure(lb_study *s, const char *id, double width, double height,
                         const char *title, const char *alt)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE], *stem = lb_study_figure(s, id);
    char *text =
        lb_xprintf("%s\nE08, noise %.1f, %s training and %s test rows", title,
                   lb_spec_number(s->spec, "noise.focus"), lb_count_text(s->data.train.n, train),
                   lb_count_text(s->data.test.n, test));
    lb_figure *f = lb_figure_new(stem, width, height, text, alt);
    free(stem);
    free(text);
    return f;
}

/* Two shares of the oracle's gain on its own bar: lines across the group would push the values of
 * the other bars away from them. */
static void draw_ticks(lb_axes *a, size_t group, const layout *l, size_t bar, size_t bars)
{
    static const double shares[] = {0.70, 0.50};
    const double width = 0.82 / (double)bars; /* of a bar in a group, see lb_plot_bars() */
    const double from = (double)group + width * ((double)bar - (double)bars / 2.0);
    for (size_t m = 0; m < 2; m++) {
        const double at =
            l->r2[GLOBAL].value + shares[m] * (l->r2[ORACLE].value - l->r2[GLOBAL].value);
        lb_style tick = lb_style_role(LB_THRESHOLD), ground = tick;
        tick.dash = m ? LB_DOTTED : LB_DASHED;
        ground.dash = LB_SOLID; /* white, so that the tick is seen on the hatched bar */
        ground.colour = (lb_colour){1, 1, 1, 1};
        ground.width = 3.0;
        lb_plot_segment(a, from, at, from + width, at, ground);
        lb_plot_segment(a, from, at, from + width, at, tick);
    }
}

static void figure_gates(lb_study *s, const layout *l, size_t n)
{
    static const int shown[] = {GLOBAL, NULL_ORACLE, ORACLE, PSEUDO, HARD, SOFT};
    static const char *const labels[] = {"global",         "null oracle",   "oracle",
                                         "predicted gate", "learned, hard", "learned, soft"};
    enum { SERIES = sizeof shown / sizeof *shown };
    double y[MOST_LAYOUTS], lo[MOST_LAYOUTS], hi[MOST_LAYOUTS];
    char text[MOST_LAYOUTS][24];
    const char *names[MOST_LAYOUTS];
    const lb_style styles[SERIES] = {lb_style_role(LB_GLOBAL), lb_style_role(LB_MUTED),
                                     lb_style_role(LB_ORACLE), lb_style_role(LB_MIXTURE),
                                     lb_style_category(4),     lb_style_category(5)};
    lb_figure *f = figure(s, "F08.1", 6.9, 4.6, "Experts by log g behind each gate",
                          "Grouped bars of R2 with intervals for each number of bins: global "
                          "model, null oracle, oracle, predicted gate, learned gate hard and "
                          "soft, with ticks at 0.70 and 0.50 of the oracle gain on its bar.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    for (size_t q = 0; q < n; q++) {
        snprintf(text[q], sizeof text[q], "K = %zu", l[q].k);
        names[q] = text[q];
    }
    lb_axes_x_names(a, NULL, names, n);
    lb_axes_y(a, "R^{2}", NAN, NAN, LB_LINEAR);
    for (size_t m = 0; m < SERIES; m++) {
        for (size_t q = 0; q < n; q++) {
            const lb_number *x = &l[q].r2[shown[m]];
            y[q] = x->value;
            lo[q] = x->ci_lo;
            hi[q] = x->ci_hi;
        }
        lb_plot_bars(a, (lb_bars){.y = y,
                                  .lo = lo,
                                  .hi = hi,
                                  .n = n,
                                  .series = m,
                                  .of = SERIES,
                                  .style = styles[m],
                                  .format = "%.2f", /* a third decimal is wider than a bar */
                                  .label = labels[m]});
    }
    for (size_t q = 0; q < n; q++)
        draw_ticks(a, q, &l[q], 2, SERIES);
    lb_figure_note(f, "ticks on the bar of the oracle: 0.70 (dashed) and 0.50 (dotted) of its gain "
                      "over the global model");
    lb_study_take(s, lb_figure_close(f, s->err));
}

/* Confusion of the predicted and of the learned gate, share of each true bin in percent. */
static void panel_of_confusion(lb_study *s, lb_axes *a, const char *title, const layout *l,
                               const int *truth, const int *called)
{
    lb_confusion *m = NULL;
    double z[MOST_BINS * MOST_BINS];
    char text[MOST_BINS][16], count[MOST_BINS * MOST_BINS][24];
    const char *names[MOST_BINS], *counts[MOST_BINS * MOST_BINS];
    lb_study_take(s, lb_confusion_make(s->data.all, truth, called, l->k, &m, s->err));
    if (!lb_study_ok(s))
        return;
    lb_study_take(s, lb_confusion_normalised(m, lb_mat_of(z, l->k, l->k), s->err));
    for (size_t k = 0; k < l->k; k++) {
        snprintf(text[k], sizeof text[k], "bin %zu", k);
        names[k] = text[k];
        for (size_t j = 0; j < l->k; j++) {
            snprintf(count[k * l->k + j], sizeof count[0], "n = %zu", lb_confusion_count(m, k, j));
            counts[k * l->k + j] = count[k * l->k + j];
        }
    }
    char *whole = lb_xprintf("%s, accuracy %.3f", title, lb_confusion_accuracy(m).value);
    lb_axes_title(a, whole);
    lb_axes_x_names(a, "named by the gate", names, l->k);
    lb_axes_y_names(a, "true bin", names, l->k);
    lb_plot_heat(a, (lb_heat){.z = z,
                              .rows = l->k,
                              .cols = l->k,
                              .lo = 0.0,
                              .hi = 1.0,
                              .map = LB_CIVIDIS,
                              .format = "%.2f",
                              .texts = counts,
                              .label = "share of the true bin"});
    free(whole);
    lb_confusion_free(m);
}

static void figure_confusion(lb_study *s, const layout *l, const int *truth)
{
    const lb_cohort *c = &s->data;
    int *called = lb_xcalloc(c->test.n, sizeof *called);
    char *title = lb_xprintf("Which bin a gate names, K = %zu", l->k);
    for (size_t i = 0; i < c->test.n; i++)
        called[i] = (int)lb_probability_top(lb_mat_const(l->said), i);
    lb_figure *f = figure(s, "F08.2", 6.9, 3.9, title,
                          "Two confusion matrices, of the predicted gate and of the learned gate, "
                          "normalised by row with counts.");
    panel_of_confusion(s, lb_figure_panel(f, 0, 0, 1, 2), "predicted", l, truth, l->pseudo);
    panel_of_confusion(s, lb_figure_panel(f, 0, 1, 1, 2), "learned", l, truth, called);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(called);
    free(title);
}

static void figure_predicted(lb_study *s, const layout *l)
{
    const lb_cohort *c = &s->data;
    static const int shown[] = {ORACLE, PSEUDO};
    static const char *const names[] = {"oracle gate", "predicted gate"};
    const lb_role roles[] = {LB_ORACLE, LB_MIXTURE};
    char *title = lb_xprintf("Steps at the edges of the bins, K = %zu", l->k);
    lb_figure *f = figure(s, "F08.3", 6.5, 3.9, title,
                          "Two scatter plots of predicted against true log g with the edges of "
                          "the bins: oracle gate and predicted gate.");
    lb_figure_share_y(f);
    for (size_t j = 0; j < 2; j++) {
        lb_axes *a = lb_figure_panel(f, 0, j, 1, 2);
        lb_style style = lb_style_role(roles[j]), edge = lb_style_role(LB_REFERENCE);
        style.size = 2.4;
        edge.dash = LB_DOTTED;
        lb_axes_title(a, names[j]);
        lb_axes_x(a, "true log g (dex)", 0.5, 5.5, LB_LINEAR);
        lb_axes_y(a, "predicted log g (dex)", 0.0, 6.0, LB_LINEAR);
        lb_plot_identity(a, "identity");
        void (*draw)(lb_axes *, const double *, const double *, size_t, lb_style, const char *) =
            c->test.n > 3000 ? lb_plot_density : lb_plot_points;
        draw(a, c->test.target, l->yhat[shown[j]], c->test.n, style, NULL);
        for (size_t q = 1; q < l->k; q++)
            lb_plot_vline(a, l->edges[q], edge, q == 1 ? "edge of a bin" : NULL);
        char *box = lb_xprintf("R^{2} = %.4f\nn = %zu", l->r2[shown[j]].value, c->test.n);
        lb_axes_box(a, box);
        free(box);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static size_t open_layouts(lb_study *s, const lb_guess *guess, layout *l, lb_domains *domains)
{
    const lb_cohort *c = &s->data;
    const lb_by_row truth = {c->train.target, c->val.target, c->test.target};
    const size_t least = lb_spec_size(s->spec, "bins.minimum_train");
    size_t n, used = 0;
    const double *bins = lb_spec_numbers(s->spec, "settings.bins", &n);
    for (size_t q = 0; q < n && lb_study_ok(s); q++) {
        layout *x = &l[used];
        *x = (layout){.k = (size_t)bins[q]};
        if (n > MOST_LAYOUTS || x->k < 2 || x->k > MOST_BINS) {
            lb_study_take(s, LB_FAIL(s->err, LB_EINVAL,
                                     "%s: settings.bins: at most %d numbers from 2 to %d",
                                     lb_spec_path(s->spec), MOST_LAYOUTS, MOST_BINS));
            return 0;
        }
        choose_edges(c, x->k, x->edges);
        lb_domains *d = &domains[2 * used];
        d[0] = lb_domains_intervals(c, "true log g", truth, x->edges, x->k, true);
        d[1] = lb_domains_intervals(c, "predicted log g", guess->value, x->edges, x->k, false);
        bool thin = false;
        for (size_t k = 0; k < x->k; k++)
            thin = thin || lb_domains_count(d[0].train, c->train.n, k) < least ||
                   lb_domains_count(d[1].train, c->train.n, k) < least;
        if (thin) { /* a bin below the minimum: a lower K has to do */
            lb_domains_free(&d[0]);
            lb_domains_free(&d[1]);
            continue;
        }
        used++;
    }
    lb_study_put(s, lb_number_count(n), "n_layouts_asked");
    lb_study_put(s, lb_number_count(used), "n_layouts");
    return used;
}

/* The gate that learns the bin from ten principal components of the noisy flux. */
static void learn(lb_study *s, const lb_gate_inputs *in, const lb_domains *d, layout *l)
{
    size_t n;
    const double *C = lb_spec_numbers(s->spec, "settings.C", &n);
    const lb_gate_naming o = {.C = {C, n},
                              .folds = lb_spec_size(s->spec, "settings.folds"),
                              .seed = lb_spec_size(s->spec, "settings.seed")};
    lb_named gate;
    lb_gate_name(s, in, d, o, &gate);
    if (!lb_study_ok(s))
        return;
    lb_study_put(s, lb_number_plain(gate.cv->C[gate.cv->best], "inverse_penalty", ""),
                 "bins_%zu.inverse_penalty", l->k);
    l->said = gate.test;
    gate.test.data = NULL;
    lb_named_free(&gate);
}

static void run(lb_study *s)
{
    const lb_cohort *c = &s->data;
    const double noise = lb_spec_number(s->spec, "noise.focus");
    const lb_noise_seeds seeds = lb_noise_seeds_of(s->spec);
    const lb_by_row truth = {c->train.target, c->val.target, c->test.target};
    layout l[MOST_LAYOUTS] = {{0}};
    lb_domains domains[2 * MOST_LAYOUTS] = {{0}};
    lb_guess guess;
    lb_gate_inputs in;
    lb_moe moe = {0};

    lb_guess_make(s, c, noise, seeds, truth, lb_spec_size(s->spec, "settings.folds"),
                  lb_spec_size(s->spec, "settings.seed"), &guess);
    lb_gate_inputs_make(s, c, noise, seeds, NULL, lb_spec_size(s->spec, "settings.components"),
                        &in);
    const size_t n = lb_study_ok(s) ? open_layouts(s, &guess, l, domains) : 0;
    lb_moe_fit(s, c, noise, seeds, domains, 2 * n, &moe);
    for (size_t q = 0; q < n && lb_study_ok(s); q++) {
        learn(s, &in, &domains[2 * q], &l[q]);
        if (!lb_study_ok(s))
            break;
        predict(s, &moe, 2 * q, &guess, &l[q]);
        score(s, &l[q], domains[2 * q].test);
        put_bins(s, &moe, 2 * q, &l[q]);
    }
    if (lb_study_ok(s)) {
        size_t focus = 0;
        for (size_t q = 0; q < n; q++)
            focus = (double)l[q].k == lb_spec_number(s->spec, "settings.focus") ? q : focus;
        lb_study_put_alpha(s, &moe.global, "alpha.global");
        table_gates(s, l, n);
        table_excess(s, l, n);
        table_bins(s, l, n);
        figure_gates(s, l, n);
        figure_confusion(s, &l[focus], domains[2 * focus].test);
        figure_predicted(s, &l[focus]);
    }
    for (size_t q = 0; q < n; q++) {
        free(l[q].pseudo);
        free(l[q].said.data);
        for (int m = 0; m < MODELS; m++)
            free(l[q].yhat[m]);
        lb_domains_free(&domains[2 * q]);
        lb_domains_free(&domains[2 * q + 1]);
    }
    lb_moe_free(&moe);
    lb_gate_inputs_free(&in);
    lb_guess_free(&guess);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e08_logg_gate",
                             "Experts split by log g itself: ceiling, leak, and what a gate that "
                             "must find out keeps.",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
