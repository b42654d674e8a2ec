/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E16: a gate trained on the final error against one trained to name the bin.
 *
 * Nine Ridge experts are fixed; gates that see thirteen features of the noisy spectrum mix them.
 * The gates learn on training rows that no expert was trained on; what comes of rows the experts
 * know is printed beside it, and so is a larger sample with its own baseline.
 * Reads   spectra of the profile and of its replication;
 *         templates/experiments/e16_regression_gate/spec.yaml
 * Writes  data/results/<profile>/e16_regression_gate.h5, figures e16_*
 */
#include "core/memory.h"
#include "core/text.h"
#include "figure/plot.h"
#include "stats/quantile.h"
#include "stats/seeds.h"
#include "stats/verdict.h"
#include "study/by_bin.h"
#include "study/gate.h"
#include "study/stack.h"
#include "study/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is scored. The first five are made of every sample, the others of the main one alone. */
enum {
    GLOBAL,
    ORACLE,   /* the expert of the true bin */
    CLASSIFY, /* three gates before experts that have not seen the rows of the gates */
    MLP,
    LINEAR,
    NAMED_ALL, /* the classification gate of all covered training rows */
    EARLY_MLP, /* stopped at the end of the published budget */
    EARLY_LINEAR,
    FULL_ORACLE, /* experts of all covered training rows */
    FULL_CLASSIFY,
    LEGACY_MLP, /* and gates that heard what these say of their own training rows: the leak */
    LEGACY_LINEAR,
    REFIT_MLP, /* the gates without the leak before the same experts */
    REFIT_LINEAR,
    METHODS,
    SHARED = NAMED_ALL
};
enum { GATES = 3, MOST_SEEDS = 8 };

/* Names, and keys of scores and differences: those of the published table where there are any. */
static const struct {
    const char *name, *r2, *delta;
} method[METHODS] = {{"global", "global.covered", "global"},
                     {"true bin", "oracle", "oracle"},
                     {"classification", "classify", NULL},
                     {"regression, MLP", "regress_mlp", "mlp"},
                     {"regression, linear", "regress_linear", "linear"},
                     {"classification, all rows", "named_all", "named_all"},
                     {"MLP in the budget", "early_mlp", "early_mlp"},
                     {"linear in the budget", "early_linear", "early_linear"},
                     {"true bin, all rows", "full_oracle", "full_oracle"},
                     {"classification", "legacy_classify", NULL},
                     {"MLP with the leak", "legacy_mlp", "legacy_mlp"},
                     {"linear with the leak", "legacy_linear", "legacy_linear"},
                     {"MLP, experts refitted", "refit_mlp", "refit_mlp"},
                     {"linear, experts refitted", "refit_linear", "refit_linear"}};
static const char *const gate_key[GATES] = {"classify", "mlp", "linear"};

/* One set of spectra with its experts, its gates and their predictions for the test rows. */
typedef struct sample {
    const lb_cohort *c;
    const char *prefix; /* of its keys */
    lb_domains bins;
    lb_held_out held;
    lb_gate_inputs in;
    lb_moe moe;
    lb_mat heard; /* what the experts say of the rows of the gates */
    lb_named named;
    size_t n_learned;
    lb_learned learned[2 * MOST_SEEDS]; /* MLP and linear gate of each seed, the protocol's first */
    lb_entry entry[METHODS];
    double *owned[METHODS];
    lb_number r2[METHODS], delta[METHODS];
    lb_bin_scores bin[LB_BINS_MAX];
} sample;

/* --- experts and gates --------------------------------------------------------------------------
 */

/* region: experts */
/* Experts that have not seen the rows of the gates, the features of every row, and what the experts
 * say of the rows of the gates. The components are those of the Gram the experts come from. */
static void fit_experts(lb_study *s, sample *x)
{
    const double noise = lb_spec_number(s->spec, "noise.focus");
    const lb_noise_seeds seeds = lb_noise_seeds_of(s->spec);
    const size_t components = lb_spec_size(s->spec, "settings.features.components");
    lb_pca *pca = NULL;
    x->bins = lb_domains_bins(x->c);
    lb_hold_out(s, x->c, &x->bins, lb_spec_size(s->spec, "settings.held.folds"),
                lb_spec_size(s->spec, "settings.held.val_folds"),
                lb_spec_size(s->spec, "settings.held.seed"), &x->held);
    lb_moe_rows *rows = lb_moe_gather(s, x->c, noise, seeds, &x->held.experts, 1);
    if (lb_study_ok(s))
        lb_study_take(s, lb_pca_fit(lb_moe_rows_gram(rows), NULL, components, &pca, s->err));
    lb_gate_inputs_with(s, x->c, noise, seeds, &lb_windows_four, (lb_window_options){0}, pca,
                        &x->in);
    if (lb_study_ok(s))
        lb_moe_fit_rows(s, rows, lb_moe_options_of(s->spec), &x->moe);
    x->heard = lb_mat_new(x->held.n, x->bins.n);
    lb_held_predict(s, x->c, noise, seeds, &x->moe, 0, &x->held, x->heard);
    lb_pca_free(pca);
    lb_moe_rows_free(rows);
}
/* end region */

static lb_gate_naming naming(const lb_spec *spec)
{
    lb_gate_naming o = {.folds = lb_spec_size(spec, "settings.classify.folds"),
                        .seed = lb_spec_size(spec, "settings.classify.seed")};
    o.C.data = lb_spec_numbers(spec, "settings.classify.C", &o.C.n);
    return o;
}

static lb_learn_plan plan_of(const lb_spec *spec, bool linear, uint64_t seed)
{
    return (lb_learn_plan){.hidden = linear ? 0 : lb_spec_size(spec, "settings.gate.hidden"),
                           .seed = seed,
                           .rate = lb_spec_number(spec, "settings.gate.rate"),
                           .batch = lb_spec_size(spec, "settings.gate.batch"),
                           .epochs = lb_spec_size(spec, "settings.gate.epochs"),
                           .patience = lb_spec_size(spec, "settings.gate.patience"),
                           .max_epochs = lb_spec_size(spec, "settings.gate.max_epochs")};
}

/* Gates on the rows put aside; @p heard is what some experts say of these. */
static void learn(lb_study *s, const sample *x, lb_mat heard, const lb_learn_plan *plan, size_t n,
                  lb_learned *out)
{
    const lb_learn_rows rows = {.held = &x->held,
                                .train = lb_mat_const(x->in.train),
                                .test = lb_mat_const(x->in.test),
                                .yhat = lb_mat_const(heard),
                                .target = x->c->train.target};
    lb_learn_gates(s, rows, plan, n, out);
}

/* What a gate makes of the experts on the test rows; the caller frees it. */
static lb_vec mixed(lb_study *s, lb_mat yhat, lb_mat p)
{
    const lb_vec out = {lb_xcalloc(yhat.rows + 1, sizeof(double)), yhat.rows};
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_soft((lb_experts){.yhat = lb_mat_const(yhat)}, lb_mat_const(p),
                                         0.0, out, NULL, s->err));
    return out;
}

static void enter(lb_study *s, sample *x, size_t m, lb_mat yhat, lb_mat p)
{
    const lb_vec out = mixed(s, yhat, p);
    x->owned[m] = out.data;
    x->entry[m] = (lb_entry){method[m].name, lb_vec_const(out), false};
}

/* region: gates */
/* Three gates before the same experts, from the same rows: one names the bin, two are trained on
 * the final error, with every seed. */
static void fit_gates(lb_study *s, sample *x)
{
    lb_learn_plan plan[2 * MOST_SEEDS];
    size_t n_seeds;
    const double *seed = lb_spec_numbers(s->spec, "seeds", &n_seeds);
    for (size_t i = 0; i < 2 * n_seeds; i++)
        plan[i] = plan_of(s->spec, i % 2, (uint64_t)seed[i / 2]);
    lb_gate_name(s, &x->in, &x->held.gate, naming(s->spec), &x->named);
    x->n_learned = 2 * n_seeds;
    learn(s, x, x->heard, plan, x->n_learned, x->learned);
    if (!lb_study_ok(s))
        return;
    x->entry[GLOBAL] = (lb_entry){method[GLOBAL].name, x->moe.global.yhat_chosen, false};
    x->entry[ORACLE] = (lb_entry){method[ORACLE].name, x->moe.mixture[0], true};
    enter(s, x, CLASSIFY, x->moe.yhat[0], x->named.test);
    enter(s, x, MLP, x->moe.yhat[0], x->learned[0].weights);
    enter(s, x, LINEAR, x->moe.yhat[0], x->learned[1].weights);
}
/* end region */

static void sample_free(sample *x)
{
    for (size_t m = 0; m < METHODS; m++)
        free(x->owned[m]);
    for (size_t i = 0; i < x->n_learned; i++)
        lb_learned_free(&x->learned[i]);
    lb_named_free(&x->named);
    free(x->heard.data);
    lb_moe_free(&x->moe);
    lb_gate_inputs_free(&x->in);
    lb_held_out_free(&x->held);
    lb_domains_free(&x->bins);
}

/* --- variants of the main sample ----------------------------------------------------------------
 */

/* The classification gate of all covered training rows, and the gates of the published budget. */
static void fit_variants(lb_study *s, sample *x)
{
    lb_learn_plan brief[2] = {x->learned[0].plan, x->learned[1].plan};
    lb_learned early[2];
    lb_named all;
    brief[0].max_epochs = brief[1].max_epochs = brief[0].epochs;
    lb_gate_name(s, &x->in, &x->bins, naming(s->spec), &all);
    learn(s, x, x->heard, brief, 2, early);
    if (lb_study_ok(s)) {
        enter(s, x, NAMED_ALL, x->moe.yhat[0], all.test);
        enter(s, x, EARLY_MLP, x->moe.yhat[0], early[0].weights);
        enter(s, x, EARLY_LINEAR, x->moe.yhat[0], early[1].weights);
    }
    lb_named_free(&all);
    lb_learned_free(&early[0]);
    lb_learned_free(&early[1]);
}

/* Error of the own expert on the rows of the gates: how well it knows them. */
static void put_heard(lb_study *s, const sample *x, lb_mat heard, const char *key)
{
    double sum = 0.0;
    for (size_t i = 0; i < x->held.n; i++) {
        const size_t row = x->held.rows[i], own = (size_t)x->bins.train[row];
        const double e = heard.data[i * heard.stride + own] - x->c->train.target[row];
        sum += e * e;
    }
    lb_number out = lb_number_plain(sqrt(sum / (double)x->held.n), "rmse", "dex");
    out.n = x->held.n;
    out.digits = 4;
    out.oracle = true; /* the own expert is that of the true bin */
    lb_study_put(s, out, "leak.rmse.%s", key);
}

/* Experts of all covered training rows, before gates that heard them on rows they were trained on
 * (the leak) and before the gates that did not. */
static void fit_full(lb_study *s, sample *x)
{
    const double noise = lb_spec_number(s->spec, "noise.focus");
    const lb_noise_seeds seeds = lb_noise_seeds_of(s->spec);
    const lb_learn_plan plan[2] = {x->learned[0].plan, x->learned[1].plan};
    lb_mat heard = lb_mat_new(x->held.n, x->bins.n);
    lb_moe full;
    lb_learned leaky[2];
    lb_weights w = {0};
    lb_moe_fit(s, x->c, noise, seeds, &x->bins, 1, &full);
    lb_held_predict(s, x->c, noise, seeds, &full, 0, &x->held, heard);
    learn(s, x, heard, plan, 2, leaky);
    if (lb_study_ok(s)) {
        x->owned[FULL_ORACLE] = lb_xcalloc(x->c->test.n, sizeof(double));
        memcpy(x->owned[FULL_ORACLE], full.mixture[0].data, x->c->test.n * sizeof(double));
        x->entry[FULL_ORACLE] =
            (lb_entry){method[FULL_ORACLE].name, {x->owned[FULL_ORACLE], x->c->test.n}, true};
        enter(s, x, FULL_CLASSIFY, full.yhat[0], x->named.test);
        enter(s, x, LEGACY_MLP, full.yhat[0], leaky[0].weights);
        enter(s, x, LEGACY_LINEAR, full.yhat[0], leaky[1].weights);
        enter(s, x, REFIT_MLP, full.yhat[0], x->learned[0].weights);
        enter(s, x, REFIT_LINEAR, full.yhat[0], x->learned[1].weights);
        put_heard(s, x, x->heard, "held_out");
        put_heard(s, x, heard, "in_sample");
        lb_weights_look(s, x->c, x->c->covered, &x->bins, lb_mat_const(leaky[0].weights),
                        "legacy_mlp", &w);
    }
    lb_weights_free(&w);
    lb_learned_free(&leaky[0]);
    lb_learned_free(&leaky[1]);
    lb_moe_free(&full);
    free(heard.data);
}

/* --- scores -------------------------------------------------------------------------------------
 */

/* The gate a method is measured against: the one that names the bin, before the same experts. */
static size_t baseline_of(size_t m)
{
    return m >= FULL_ORACLE ? FULL_CLASSIFY : CLASSIFY;
}

static void put_line(lb_study *s, const sample *x)
{
    const double valuable = lb_spec_number(s->spec, "thresholds.valuable");
    lb_number line = lb_number_plain(x->r2[CLASSIFY].value + valuable, "threshold", "");
    line.digits = 4;
    lb_study_put(s, line, "%starget", x->prefix);
    lb_study_put_text(s, lb_rung_word(lb_ladder(&x->delta[MLP], valuable)), "%sdr2.mlp.ladder",
                      x->prefix);
}

/* region: protocol */
/* The main sample: every method on the same covered rows, each gate against the gate that names the
 * bin before the same experts. */
static void score_main(lb_study *s, sample *x)
{
    lb_contest *t = lb_contest_on(s, x->c, x->c->covered, x->entry, METHODS);
    lb_contest *all = lb_contest_on(s, x->c, x->c->all, x->entry, 1);
    lb_study_put(s, lb_contest_r2(all, GLOBAL), "r2.global");
    lb_study_put(s, lb_contest_mae(all, GLOBAL), "mae.global");
    lb_study_put(s, lb_contest_rmse(all, GLOBAL), "rmse.global");
    for (size_t m = 0; m < METHODS; m++) {
        x->r2[m] = lb_contest_r2(t, m);
        lb_study_put(s, x->r2[m], "r2.%s", method[m].r2);
        lb_study_put(s, lb_contest_mae(t, m), "mae.%s", method[m].r2);
        lb_study_put(s, lb_contest_rmse(t, m), "rmse.%s", method[m].r2);
        if (!method[m].delta)
            continue;
        x->delta[m] = lb_contest_delta(t, m, baseline_of(m));
        lb_study_put(s, x->delta[m], "dr2.%s", method[m].delta);
    }
    for (size_t g = 0; g < GATES; g++)
        lb_study_put(s, lb_contest_retention(t, CLASSIFY + g, GLOBAL, ORACLE), "retention.%s",
                     gate_key[g]);
    lb_study_put(s, lb_contest_delta(t, MLP, NAMED_ALL), "dr2.mlp_named_all");
    lb_study_put(s, lb_contest_delta(t, LEGACY_MLP, REFIT_MLP), "leak.mlp");
    lb_study_put(s, lb_contest_delta(t, LEGACY_LINEAR, REFIT_LINEAR), "leak.linear");
    lb_contest_free(all);
    lb_contest_free(t);
}
/* end region */

/* The larger sample against its own baseline. Its score beside that of the main sample is about
 * other rows, and is called so. */
static void score_large(lb_study *s, sample *x, const lb_number *main_mlp)
{
    lb_contest *t = lb_contest_on(s, x->c, x->c->covered, x->entry, SHARED);
    for (size_t m = 0; m < SHARED; m++) {
        x->r2[m] = lb_contest_r2(t, m);
        lb_study_put(s, x->r2[m], "100k.r2.%s",
                     m == MLP || m == LINEAR ? method[m].delta : method[m].r2);
        if (m == MLP || m == LINEAR) {
            x->delta[m] = lb_contest_delta(t, m, CLASSIFY);
            lb_study_put(s, x->delta[m], "100k.dr2.%s", method[m].delta);
            lb_study_put(s, lb_number_boot_mean(&x->delta[m]), "100k.boot_mean.%s",
                         method[m].delta);
        }
    }
    lb_number apart = lb_number_na("delta_r2_unaligned", "n/a");
    if (lb_study_ok(s))
        lb_study_take(s, lb_score_delta_unaligned(&x->r2[MLP], main_mlp, &apart, s->err));
    lb_study_put(s, apart, "100k.vs_32k");
    lb_contest_free(t);
}

/* The same keys for a profile without a larger sample. */
static void put_large_na(lb_study *s, const lb_bin_entry *gates)
{
    static const char *const keys[] = {"r2.global.covered",
                                       "r2.oracle",
                                       "r2.classify",
                                       "r2.mlp",
                                       "r2.linear",
                                       "dr2.mlp",
                                       "dr2.linear",
                                       "boot_mean.mlp",
                                       "boot_mean.linear",
                                       "vs_32k",
                                       "target",
                                       "converged.mlp",
                                       "converged.linear",
                                       "best_epoch.mlp",
                                       "best_epoch.linear",
                                       "n_gate_train",
                                       "n_expert_train",
                                       "perbin.n_better",
                                       "perbin.n_scored",
                                       "seeds.mlp.mean",
                                       "seeds.mlp.std",
                                       "seeds.linear.mean",
                                       "seeds.linear.std",
                                       "seeds.mlp.n_above"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        lb_study_put(s, lb_number_na(strncmp(keys[i], "dr2", 3) ? "r2" : "delta_r2", "not run"),
                     "100k.%s", keys[i]);
    for (size_t g = 0; g < GATES; g++) {
        lb_study_put(s, lb_number_na("r2_weighted", "not run"), "100k.perbin.weighted_r2.%s",
                     gate_key[g]);
        lb_study_put_text(s, "not run", "100k.perbin.warning.%s", gate_key[g]);
    }
    lb_study_put_text(s, "not run", "100k.dr2.mlp.ladder");
    lb_by_bin_na(s, &s->data, "100k.", gates, GATES, "not run");
}

/* Mean and share above zero of the resamples; the draws of the regression gates are kept. */
static void put_resamples(lb_study *s, const sample *x, double *draws[GATES])
{
    static const size_t pair[][2] = {{CLASSIFY, CLASSIFY},        {MLP, CLASSIFY},
                                     {LINEAR, CLASSIFY},          {MLP, LINEAR},
                                     {LEGACY_MLP, FULL_CLASSIFY}, {LEGACY_LINEAR, FULL_CLASSIFY}};
    static const char *const key[] = {NULL,         "mlp",        "linear",
                                      "mlp_linear", "legacy_mlp", "legacy_linear"};
    lb_contest *t = lb_contest_on(s, x->c, x->c->covered, x->entry, METHODS);
    lb_study_put(s, lb_contest_delta(t, MLP, LINEAR), "dr2.mlp_linear");
    for (size_t i = 1; i < sizeof pair / sizeof *pair; i++) {
        const lb_number gain = lb_contest_delta(t, pair[i][0], pair[i][1]);
        lb_number positive = lb_number_plain(100.0 * gain.p_positive, "percent", "%");
        positive.digits = 1;
        lb_study_put(s, lb_number_boot_mean(&gain), "boot_mean.%s", key[i]);
        lb_study_put(s, positive, "boot_positive.%s", key[i]);
        if (i < GATES) {
            draws[i] = lb_xcalloc(lb_spec_size(s->spec, "bootstrap.resamples"), sizeof(double));
            lb_contest_draws(t, pair[i][0], pair[i][1], draws[i]);
        }
    }
    lb_contest_free(t);
}

static void put_seed_summary(lb_study *s, const sample *x, const lb_number *delta, const char *name)
{
    lb_seed_summary m;
    if (!lb_study_ok(s))
        return;
    lb_study_take(s,
                  lb_seeds_summarise(delta, x->n_learned / 2,
                                     lb_spec_number(s->spec, "thresholds.valuable"), &m, s->err));
    if (!lb_study_ok(s))
        return;
    lb_study_put(s, m.mean, "%sseeds.%s.mean", x->prefix, name);
    lb_study_put(s, m.std_sample, "%sseeds.%s.std", x->prefix, name);
    lb_study_put(s, m.lowest, "%sseeds.%s.lowest", x->prefix, name);
    lb_study_put(s, lb_number_count(m.above), "%sseeds.%s.n_above", x->prefix, name);
}

/* Every seed before the same experts, on the same rows, against the same classification gate. */
static void put_seeds(lb_study *s, const sample *x)
{
    lb_entry entry[1 + 2 * MOST_SEEDS] = {x->entry[CLASSIFY]};
    lb_vec own[2 * MOST_SEEDS];
    lb_number delta[2][MOST_SEEDS];
    for (size_t i = 0; i < x->n_learned; i++) {
        own[i] = mixed(s, x->moe.yhat[0], x->learned[i].weights);
        entry[1 + i] = (lb_entry){method[MLP + i % 2].name, lb_vec_const(own[i]), false};
    }
    lb_contest *t = lb_contest_on(s, x->c, x->c->covered, entry, 1 + x->n_learned);
    for (size_t i = 0; i < x->n_learned && lb_study_ok(s); i++) {
        const lb_learned *g = &x->learned[i];
        char *key = lb_xprintf("%sseed_%zu", x->prefix, (size_t)g->plan.seed);
        delta[i % 2][i / 2] = lb_contest_delta(t, 1 + i, 0);
        lb_study_put(s, delta[i % 2][i / 2], "%s.dr2.%s", key, gate_key[1 + i % 2]);
        lb_study_put(s, lb_number_count(g->best), "%s.best_epoch.%s", key, gate_key[1 + i % 2]);
        free(key);
    }
    put_seed_summary(s, x, delta[0], "mlp");
    put_seed_summary(s, x, delta[1], "linear");
    lb_contest_free(t);
    for (size_t i = 0; i < x->n_learned; i++)
        free(own[i].data);
}

/* The score of each gate and its scores in the bins must be able to be about the same rows. */
static void put_weighted(lb_study *s, const sample *x)
{
    for (size_t g = 0; g < GATES; g++) {
        lb_number scores[LB_BINS_MAX];
        for (size_t k = 0; k < x->c->n_bins; k++)
            scores[k] = x->bin[k].r2[g];
        const lb_suspicion look = lb_suspect(s, &x->r2[CLASSIFY + g], scores, x->c->n_bins);
        lb_study_put(s, look.weighted, "%sperbin.weighted_r2.%s", x->prefix, gate_key[g]);
        lb_study_put_text(s, lb_suspicion_warning(&look), "%sperbin.warning.%s", x->prefix,
                          gate_key[g]);
    }
}

/* What both samples report alike. */
static void put_sample(lb_study *s, sample *x, const lb_bin_entry *gates)
{
    lb_bin_entry own[GATES];
    size_t covered = 0, scored = 0, better = 0;
    for (size_t i = 0; i < x->c->train.n; i++)
        covered += x->bins.train[i] >= 0;
    for (size_t g = 0; g < GATES; g++)
        own[g] = (lb_bin_entry){x->entry[CLASSIFY + g], gates[g].r2, gates[g].delta};
    put_line(s, x);
    put_seeds(s, x);
    lb_by_bin(s, x->c, x->prefix, own, GATES, x->bin);
    put_weighted(s, x);
    for (size_t k = 0; k < x->c->n_bins; k++) {
        scored += isfinite(x->bin[k].delta[1].value);
        better += x->bin[k].delta[1].value > 0.0;
    }
    lb_study_put(s, lb_number_count(scored), "%sperbin.n_scored", x->prefix);
    lb_study_put(s, lb_number_count(better), "%sperbin.n_better", x->prefix);
    lb_study_put(s, lb_number_count(x->held.n), "%sn_gate_train", x->prefix);
    lb_study_put(s, lb_number_count(x->held.n_fit), "%sn_gate_fit", x->prefix);
    lb_study_put(s, lb_number_count(x->held.n - x->held.n_fit), "%sn_gate_stop", x->prefix);
    lb_study_put(s, lb_number_count(covered - x->held.n), "%sn_expert_train", x->prefix);
    lb_study_put(s, lb_number_count(x->in.bad_continuum), "%sbad_continuum", x->prefix);
    if (!lb_study_ok(s))
        return;
    lb_study_put(s, lb_number_plain(x->named.cv->model->C, "alpha", ""), "%sgate.penalty",
                 x->prefix);
    lb_learned_put(s, &x->learned[0], x->prefix, "mlp");
    lb_learned_put(s, &x->learned[1], x->prefix, "linear");
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void row_of_method(lb_study *s, const char *table, const char *head, size_t m,
                          const char *tail)
{
    char *delta =
        method[m].delta ? lb_xprintf("dr2.%1$s|dr2.%1$s", method[m].delta) : lb_xstrdup("=—|= ");
    char *scores = strcmp(table, "T16.1")
                       ? lb_xprintf("r2.%s", method[m].r2)
                       : lb_xprintf("r2.%1$s|r2.%1$s|mae.%1$s|rmse.%1$s", method[m].r2);
    lb_study_row(s, table, "=%s|%s|%s%s", head, scores, delta, tail);
    free(delta);
    free(scores);
}

static void tables_of_scores(lb_study *s)
{
    static const struct {
        const char *name;
        size_t m;
    } row[] = {{"global Ridge", GLOBAL},
               {"expert of the true bin", ORACLE},
               {"gate: classification", CLASSIFY},
               {"gate: regression, linear", LINEAR},
               {"gate: regression, MLP", MLP},
               {"gate: classification, all covered rows", NAMED_ALL},
               {"gate: linear, published budget", EARLY_LINEAR},
               {"gate: MLP, published budget", EARLY_MLP}};
    lb_study_table(s, "T16.1", "method|R²|95 % CI:ci|MAE, dex|RMSE, dex|ΔR²:+|CI of ΔR²:ci|n");
    lb_study_row(s, "T16.1",
                 "=global Ridge, all test rows|r2.global|r2.global|mae.global|rmse.global|=—|= |"
                 "data.n_test");
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row_of_method(s, "T16.1", row[i].name, row[i].m, "|data.n_test_covered");
    lb_study_table(s, "T16.6", "gate|learned from|mixes experts of|R²|ΔR²:+|95 % CI:ci");
    row_of_method(s, "T16.6", "classification|=names of bins|=other rows", CLASSIFY, "");
    row_of_method(s, "T16.6", "MLP|=held-out predictions|=other rows", MLP, "");
    row_of_method(s, "T16.6", "linear|=held-out predictions|=other rows", LINEAR, "");
    row_of_method(s, "T16.6", "classification|=names of bins|=all rows", FULL_CLASSIFY, "");
    row_of_method(s, "T16.6", "MLP, the leak|=in-sample predictions|=all rows", LEGACY_MLP, "");
    row_of_method(s, "T16.6", "linear, the leak|=in-sample predictions|=all rows", LEGACY_LINEAR,
                  "");
    row_of_method(s, "T16.6", "MLP, experts refitted|=held-out predictions|=all rows", REFIT_MLP,
                  "");
    row_of_method(s, "T16.6", "linear, experts refitted|=held-out predictions|=all rows",
                  REFIT_LINEAR, "");
}

static void tables_of_bins(lb_study *s, const sample *x)
{
    lb_study_table(s, "T16.2",
                   "k|name|n test|R² classify|R² MLP|Δ MLP:+|95 % CI:ci|R² linear|Δ linear:+|"
                   "95 % CI :ci");
    lb_study_table(s, "T16.9", "k|name|n test|R² classify|R² MLP|Δ MLP:+|95 % CI:ci");
    for (size_t k = 0; k < s->data.n_bins; k++) {
        lb_study_row(s, "T16.2",
                     "=%1$zu|=%2$s|perbin.n_test.%3$s|perbin.r2_classify.%3$s|perbin.r2_mlp.%3$s|"
                     "perbin.dr2_mlp.%3$s|perbin.dr2_mlp.%3$s|perbin.r2_linear.%3$s|"
                     "perbin.dr2_linear.%3$s|perbin.dr2_linear.%3$s",
                     k, x->bin[k].name, x->bin[k].key);
        lb_study_row(s, "T16.9",
                     "=%1$zu|=%2$s|100k.perbin.n_test.%3$s|100k.perbin.r2_classify.%3$s|"
                     "100k.perbin.r2_mlp.%3$s|100k.perbin.dr2_mlp.%3$s|100k.perbin.dr2_mlp.%3$s",
                     k, x->bin[k].name, x->bin[k].key);
    }
}

static void table_weighted(lb_study *s)
{
    lb_study_table(s, "T16.10", "set|gate|R², all covered rows|n-weighted R² of the bins|warning");
    for (size_t i = 0; i < 2 * GATES; i++) {
        const size_t g = i % GATES, m = CLASSIFY + g;
        const bool large = i >= GATES;
        lb_study_row(s, "T16.10",
                     "=%1$s|=%2$s|%3$sr2.%4$s|%3$sperbin.weighted_r2.%5$s|%3$sperbin.warning.%5$s",
                     large ? "larger" : "main", method[m].name, large ? "100k." : "",
                     large ? gate_key[g] : method[m].r2, gate_key[g]);
    }
}

static void table_resamples(lb_study *s)
{
    static const char *const row[][2] = {
        {"MLP − classification", "mlp"},
        {"linear − classification", "linear"},
        {"MLP − linear", "mlp_linear"},
        {"with the leak: MLP − classification", "legacy_mlp"},
        {"with the leak: linear − classification", "legacy_linear"}};
    lb_study_table(s, "T16.3", "comparison|ΔR²:+|mean:+|low and high:ci|above zero, %");
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        lb_study_row(s, "T16.3", "=%1$s|dr2.%2$s|boot_mean.%2$s|dr2.%2$s|boot_positive.%2$s",
                     row[i][0], row[i][1]);
}

static void tables_of_training(lb_study *s, const sample *x)
{
    lb_study_table(
        s, "T16.4",
        "set|gate|rows to learn|rows to stop|best epoch|epochs run|loss, dex²:.4f|converged|"
        "best in the budget|converged there");
    for (size_t i = 0; i < (s->has_more ? 4 : 2); i++)
        lb_study_row(s, "T16.4",
                     "=%1$s|=%4$s|%2$sn_gate_fit|%2$sn_gate_stop|%2$sbest_epoch.%3$s|"
                     "%2$sepochs.%3$s|%2$sbest_val_loss.%3$s|%2$sconverged.%3$s.word|"
                     "%2$sbudget.best_epoch.%3$s|%2$sbudget.converged.%3$s.word",
                     i < 2 ? "main" : "larger", i < 2 ? "" : "100k.", gate_key[1 + i % 2],
                     i % 2 ? "linear" : "MLP");
    lb_study_table(s, "T16.5", "seed|Δ MLP|95 % CI:ci|best epoch|Δ linear|95 % CI :ci|best epoch ");
    for (size_t i = 0; i < x->n_learned; i += 2)
        lb_study_row(s, "T16.5",
                     "=%1$zu|seed_%1$zu.dr2.mlp|seed_%1$zu.dr2.mlp|seed_%1$zu.best_epoch.mlp|"
                     "seed_%1$zu.dr2.linear|seed_%1$zu.dr2.linear|seed_%1$zu.best_epoch.linear",
                     (size_t)x->learned[i].plan.seed);
    lb_study_row(s, "T16.5", "=mean|seeds.mlp.mean|= |= |seeds.linear.mean|= |= ");
    lb_study_row(s, "T16.5", "=std, ddof 1|seeds.mlp.std|= |= |seeds.linear.std|= |= ");
}

static void tables_of_weights_and_sizes(lb_study *s)
{
    lb_study_table(s, "T16.7",
                   "gate|names the true bin, %|macro F1:.3f|weight of the true bin|largest weight|"
                   "entropy");
    for (size_t g = 0; g <= GATES; g++)
        lb_study_row(s, "T16.7",
                     "=%1$s|gate_accuracy.%2$s|macro_f1.%2$s|weight.own.%2$s|weight.largest.%2$s|"
                     "entropy.%2$s",
                     method[g < GATES ? CLASSIFY + g : LEGACY_MLP].name,
                     g < GATES ? gate_key[g] : "legacy_mlp");
    lb_study_table(
        s, "T16.8",
        "set|rows of experts|of gates|n test|R² global|R² classify|own line:.4f|R² linear|"
        "R² MLP|Δ linear:+|95 % CI:ci|Δ MLP:+|95 % CI :ci");
    lb_study_row(s, "T16.8",
                 "=main|n_expert_train|n_gate_train|data.n_test_covered|r2.global.covered|"
                 "r2.classify|target|r2.regress_linear|r2.regress_mlp|dr2.linear|dr2.linear|"
                 "dr2.mlp|dr2.mlp");
    lb_study_row(s, "T16.8",
                 "=larger|100k.n_expert_train|100k.n_gate_train|more.n_test_covered|"
                 "100k.r2.global.covered|100k.r2.classify|100k.target|100k.r2.linear|100k.r2.mlp|"
                 "100k.dr2.linear|100k.dr2.linear|100k.dr2.mlp|100k.dr2.mlp");
}

/* --- figures ------------------------------------------------------------------------------------
 */

/* "What it shows", then in grey the experiment, the noise and the sizes. */
static lb_figure *open_figure(lb_study *s, const sample *x, const char *id, double width,
                              double height, const char *what, const char *alt)
{
    char gate[LB_COUNT_SIZE], test[LB_COUNT_SIZE];
    char *stem = lb_study_figure(s, id);
    char *title =
        lb_xprintf("%s\nE16, noise %.1f, %s training rows of the gates, %s test rows", what,
                   lb_spec_number(s->spec, "noise.focus"), lb_count_text(x->held.n, gate),
                   lb_count_text(lb_rowset_size(x->c->covered), test));
    lb_figure *f = lb_figure_new(stem, width, height, title, alt);
    free(title);
    free(stem);
    return f;
}

static lb_style style_of(size_t gate)
{
    return gate == 0 ? lb_style_role(LB_MIXTURE) : lb_style_category(gate == 1 ? 5 : 4);
}

/* The decision threshold over a baseline; 0 is the axis of differences. */
static void threshold_line(const lb_study *s, lb_axes *a, double baseline, bool vertical)
{
    const double valuable = lb_spec_number(s->spec, "thresholds.valuable");
    lb_style style = lb_style_role(LB_THRESHOLD);
    char *text = baseline == 0.0
                     ? lb_xprintf("threshold %+.3f", valuable)
                     : lb_xprintf("%+.3f above it: %.4f", valuable, baseline + valuable);
    style.dash = LB_DOTTED;
    (vertical ? lb_plot_vline : lb_plot_hline)(a, baseline + valuable, style, text);
    free(text);
}

static void figure_scores(lb_study *s, const sample *x)
{
    static const char *const name[] = {"global", "classify", "linear", "MLP"};
    const lb_number r2[] = {x->r2[GLOBAL], x->r2[CLASSIFY], x->r2[LINEAR], x->r2[MLP]};
    const lb_number delta[] = {x->delta[LINEAR], x->delta[MLP]};
    const lb_style style[] = {lb_style_role(LB_GLOBAL), style_of(0), style_of(2), style_of(1)};
    lb_style baseline = style_of(0);
    lb_figure *f = open_figure(s, x, "F16.1", 6.5, 4.2, "Three gates before the same nine experts",
                               "Left: bars of R2 of the global model and of three gates. Right: "
                               "their difference to the classification gate with intervals.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 2);
    lb_axes_x_names(a, NULL, name, 4);
    lb_axes_y(a, "R^{2}", 0.0, 1.12, LB_LINEAR);
    lb_plot_number_bars(a, r2, 4, (lb_bars){.styles = style, .format = "%.4f"});
    char *text = lb_xprintf("classification %.4f", x->r2[CLASSIFY].value);
    baseline.dash = LB_DASHED;
    lb_plot_hline(a, x->r2[CLASSIFY].value, baseline, text);
    threshold_line(s, a, x->r2[CLASSIFY].value, false);
    lb_axes *b = lb_figure_panel(f, 0, 1, 1, 2);
    lb_axes_x_names(b, NULL, name + 2, 2);
    lb_axes_y(b, "ΔR^{2} against classification", NAN, NAN, LB_LINEAR);
    lb_plot_number_bars(b, delta, 2, (lb_bars){.styles = style + 2, .format = "%+.4f"});
    threshold_line(s, b, 0.0, false);
    lb_plot_hline(b, 0.0, lb_style_role(LB_REFERENCE), NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(text);
}

static void figure_bins(lb_study *s, const sample *x)
{
    const size_t n = x->c->n_bins;
    lb_number delta[LB_BINS_MAX];
    size_t count[LB_BINS_MAX];
    char *name[LB_BINS_MAX];
    for (size_t k = 0; k < n; k++) {
        name[k] = lb_xprintf("k=%zu %s", k, x->bin[k].name);
        count[k] = x->bin[k].n;
    }
    lb_figure *f = open_figure(s, x, "F16.2", 6.5, 4.4, "The gain, bin by bin",
                               "Bars of the gain of both regression gates over the "
                               "classification gate in nine bins, metal-poor bins shaded.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, (const char *const *)name, n);
    lb_axes_x_counts(a, count, n);
    lb_axes_y(a, "ΔR^{2} against classification", NAN, NAN, LB_LINEAR);
    lb_style shade = lb_style_role(LB_MUTED);
    shade.colour.a = 0.5;
    for (size_t k = 0; k < n; k += x->c->bins.n_mh)
        lb_plot_span(a, (double)k - 0.5, (double)k + 0.5, shade, k ? NULL : "metal-poor");
    for (size_t g = 1; g < GATES; g++) {
        for (size_t k = 0; k < n; k++)
            delta[k] = x->bin[k].delta[g];
        lb_plot_number_bars(a, delta, n,
                            (lb_bars){.series = g - 1,
                                      .of = 2,
                                      .style = style_of(g),
                                      .label = method[CLASSIFY + g].name});
    }
    lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), NULL);
    threshold_line(s, a, 0.0, false);
    lb_study_take(s, lb_figure_close(f, s->err));
    for (size_t k = 0; k < n; k++)
        free(name[k]);
}

static void figure_weights(lb_study *s, const sample *x, const lb_weights *w)
{
    static const char *const name[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8"};
    lb_figure *f = open_figure(s, x, "F16.3", 6.5, 5.4, "How the gates weight the experts",
                               "Top: mean weight of each expert for three gates. Bottom: "
                               "histograms of the entropy of the weights of single rows.");
    lb_figure_legend(f, LB_PLACE_NONE, NULL);
    lb_figure_share_y(f);
    for (size_t g = 0; g < GATES; g++) {
        lb_axes *a = lb_figure_panel(f, 0, g, 2, GATES);
        lb_axes_title(a, method[CLASSIFY + g].name);
        lb_axes_x_names(a, "expert k", name, w[g].k);
        lb_axes_y(a, "mean weight", 0.0, NAN, LB_LINEAR);
        lb_plot_bars(a, (lb_bars){.y = w[g].mean, .n = w[g].k, .style = style_of(g)});
    }
    for (size_t g = 0; g < GATES; g++) {
        lb_axes *b = lb_figure_panel(f, 1, g, 2, GATES);
        lb_axes_x(b, "entropy / ln K", 0.0, 1.0, LB_LINEAR);
        lb_axes_y(b, "test rows", 0.0, NAN, LB_LINEAR);
        lb_plot_histogram(b, w[g].entropy, w[g].n, 25, style_of(g), NULL);
        char *box = lb_xprintf("mean %.3f", lb_mean(w[g].entropy, w[g].n));
        char *series = lb_xprintf("F16.3/%s", gate_key[g]);
        lb_axes_box(b, box);
        lb_record_series(s->record, series, w[g].mean, w[g].k);
        free(box);
        free(series);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_bootstrap(lb_study *s, const sample *x, double *const *draws)
{
    static const char *const short_name[GATES] = {"classify", "MLP", "linear"};
    const size_t n = lb_spec_size(s->spec, "bootstrap.resamples");
    char count[LB_COUNT_SIZE];
    char *what = lb_xprintf("%s resamples of the gain", lb_count_text(n, count));
    lb_figure *f = open_figure(s, x, "F16.4", 6.5, 4.4, what,
                               "Histograms of the resampled gain of both regression gates over "
                               "the classification gate with mean, interval and zero.");
    for (size_t g = 1; g < GATES; g++) {
        const lb_number *d = &x->delta[CLASSIFY + g];
        lb_axes *a = lb_figure_panel(f, 0, g - 1, 1, 2);
        lb_style interval = lb_style_category(0);
        char *mean = lb_xprintf("%s: mean %+.4f", short_name[g], lb_mean(draws[g], n));
        char *ends = lb_xprintf("%s: 95 %% from %+.4f to %+.4f", short_name[g], d->ci_lo, d->ci_hi);
        char *series = lb_xprintf("F16.4/%s", gate_key[g]);
        interval.dash = LB_DASHED;
        lb_axes_title(a, method[CLASSIFY + g].name);
        lb_axes_x(a, "ΔR^{2} against classification", NAN, NAN, LB_LINEAR);
        lb_axes_y(a, "resamples", 0.0, NAN, LB_LINEAR);
        lb_plot_histogram(a, draws[g], n, 0, style_of(g), NULL);
        lb_plot_vline(a, lb_mean(draws[g], n), lb_style_role(LB_NEUTRAL), mean);
        lb_plot_vline(a, d->ci_lo, interval, ends);
        lb_plot_vline(a, d->ci_hi, interval, NULL);
        lb_plot_vline(a, 0.0, lb_style_role(LB_REFERENCE), "zero");
        threshold_line(s, a, 0.0, true);
        lb_record_series(s->record, series, draws[g], n);
        free(mean);
        free(ends);
        free(series);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    free(what);
}

static void figure_training(lb_study *s, const sample *x)
{
    const double budget = lb_spec_number(s->spec, "settings.gate.epochs");
    lb_figure *f = open_figure(s, x, "F16.5", 6.4, 4.4, "When is training over?",
                               "Loss of both regression gates on the rows that training stops on "
                               "against the epoch, with the published budget and the best epoch.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x(a, "epoch", NAN, NAN, LB_LOG10);
    lb_axes_y(a, "mean squared error of the mixture (dex^{2})", NAN, NAN, LB_LOG10);
    for (size_t g = 1; g < GATES; g++) {
        const lb_learned *l = &x->learned[g - 1];
        double *epoch = lb_xcalloc(l->epochs, sizeof *epoch);
        lb_style line = style_of(g);
        char *best = lb_xprintf("epoch %zu", l->best),
             *series = lb_xprintf("F16.5/%s", gate_key[g]);
        for (size_t i = 0; i < l->epochs; i++)
            epoch[i] = (double)(i + 1);
        line.marker = LB_MARKER_NONE;
        lb_plot_line(a, epoch, l->curve, l->epochs, line, method[CLASSIFY + g].name);
        lb_plot_highlight(a, (double)l->best, l->loss, style_of(g), best);
        lb_record_series(s->record, series, l->curve, l->epochs);
        free(best);
        free(series);
        free(epoch);
    }
    char *text = lb_xprintf("published budget: %.0f epochs", budget);
    lb_plot_vline(a, budget, lb_style_role(LB_THRESHOLD), text);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(text);
}

/* Each gain against its own baseline: main set, with the leak, experts refitted, larger set. */
static void figure_replication(lb_study *s, const sample *x, const sample *large)
{
    static const char *const name[] = {"held out", "with the leak", "experts refitted",
                                       "larger set"};
    static const size_t shown[][3] = {{MLP, LEGACY_MLP, REFIT_MLP},
                                      {LINEAR, LEGACY_LINEAR, REFIT_LINEAR}};
    const size_t n = s->has_more ? 4 : 3, covered = lb_rowset_size(x->c->covered);
    const size_t count[] = {covered, covered, covered,
                            s->has_more ? lb_rowset_size(large->c->covered) : 0};
    lb_figure *f =
        open_figure(s, x, "F16.6", 6.5, 4.4, "Each gain against its own classification gate",
                    "Bars of the gain of both regression gates: held out, with the "
                    "leak, with refitted experts and in the larger set.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, name, n);
    lb_axes_x_counts(a, count, n);
    lb_axes_y(a, "ΔR^{2} against classification", NAN, NAN, LB_LINEAR);
    for (size_t g = 0; g < 2; g++) {
        const lb_number delta[] = {x->delta[shown[g][0]], x->delta[shown[g][1]],
                                   x->delta[shown[g][2]], large->delta[MLP + g]};
        lb_plot_number_bars(a, delta, n,
                            (lb_bars){.series = g,
                                      .of = 2,
                                      .style = style_of(1 + g),
                                      .format = "%+.4f",
                                      .label = method[MLP + g].name});
    }
    threshold_line(s, a, 0.0, false);
    lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void run_main(lb_study *s, sample *x, const lb_bin_entry *gates)
{
    double *draws[GATES] = {NULL};
    lb_weights w[GATES] = {{0}};
    fit_experts(s, x);
    fit_gates(s, x);
    fit_variants(s, x);
    fit_full(s, x);
    if (!lb_study_ok(s))
        return;
    score_main(s, x);
    put_sample(s, x, gates);
    put_resamples(s, x, draws);
    const lb_mat p[] = {x->named.test, x->learned[0].weights, x->learned[1].weights};
    for (size_t g = 0; g < GATES; g++)
        lb_weights_look(s, x->c, x->c->covered, &x->bins, lb_mat_const(p[g]), gate_key[g], &w[g]);
    lb_study_put(s, lb_number_count(x->n_learned / 2), "seeds.count");
    lb_study_put(
        s,
        lb_number_count((size_t)lround(lb_spec_number(s->spec, "settings.published.covered_train") /
                                       (double)lb_spec_size(s->spec, "settings.held.folds"))),
        "trap.n_gate_train");
    lb_study_put(s,
                 lb_number_count((x->learned[0].best_in_budget < x->learned[0].plan.epochs) +
                                 (x->learned[1].best_in_budget < x->learned[1].plan.epochs)),
                 "n_converged_in_budget");
    if (lb_study_ok(s)) {
        figure_scores(s, x);
        figure_bins(s, x);
        figure_weights(s, x, w);
        figure_bootstrap(s, x, draws);
        figure_training(s, x);
    }
    for (size_t g = 0; g < GATES; g++) {
        lb_weights_free(&w[g]);
        free(draws[g]);
    }
}

static void run_large(lb_study *s, sample *x, const lb_number *main_mlp, const lb_bin_entry *gates)
{
    if (!s->has_more) {
        put_large_na(s, gates);
        return;
    }
    fit_experts(s, x);
    fit_gates(s, x);
    if (!lb_study_ok(s))
        return;
    score_large(s, x, main_mlp);
    put_sample(s, x, gates);
}

static void run(lb_study *s)
{
    static const lb_bin_entry gates[GATES] = {{.r2 = "classify"},
                                              {.r2 = "mlp", .delta = "dr2_mlp"},
                                              {.r2 = "linear", .delta = "dr2_linear"}};
    sample *x = lb_xcalloc(2, sizeof *x), *large = x + 1;
    x->c = &s->data;
    x->prefix = "";
    large->c = &s->more;
    large->prefix = "100k.";
    run_main(s, x, gates);
    run_large(s, large, &x->r2[MLP], gates);
    if (lb_study_ok(s)) {
        tables_of_scores(s);
        tables_of_bins(s, x);
        table_weighted(s);
        table_resamples(s);
        tables_of_training(s, x);
        tables_of_weights_and_sizes(s);
        figure_replication(s, x, large);
    }
    sample_free(x);
    sample_free(large);
    free(x);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e16_regression_gate",
                             "A gate trained on the final error against one trained to name the "
                             "bin, before nine fixed experts, without and with the stacking leak.",
                             run, true};
    return lb_study_main(argc, argv, &e);
}
