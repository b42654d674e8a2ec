/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E11: weights that vary with metallicity and temperature, block by block.
 *
 * First order in [M/H] leaves something to the nine experts: do T_eff, the cross term and squares
 * recover it? Every model is told the true labels of the star, so every score here is an upper
 * limit; all are scored on the same rows.
 * Reads   spectra of the profile; templates/experiments/e11_conditional_pp/spec.yaml
 * Writes  data/results/<profile>/e11_conditional_pp.h5, figures e11_*
 */
#include "core/memory.h"
#include "core/text.h"
#include "figure/plot.h"
#include "models/conditional.h"
#include "models/folds.h"
#include "models/lstsq.h"
#include "models/penalty.h"
#include "study/by_bin.h"
#include "study/moe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is fitted, in the order of its number of blocks, then what it is compared with. */
enum { CHECK, T_ONLY, S0, S1, S2, S3, S3_CROSS, STEPS, GLOBAL = STEPS, MOE, LABELS, MODELS };
enum { ON_ALL, ON_COVERED, SETS };

/* Base variables: 0 is m = [M/H], 1 is t = T_eff, both standardised on the training rows. */
static const lb_monomial only_t[] = {{{0}}, {{0, 1}}};
static const lb_monomial with_cross[] = {{{0}}, {{1}}, {{0, 1}}, {{1, 1}}, {{2}}};
static const lb_monomial squares[] = {{{0}}, {{1}}, {{0, 1}}, {{2}}, {{0, 2}}};

static const struct {
    const char *key, *name, *features;
    lb_conditions conditions;
} steps[STEPS] = {
    {"global_cv", "global, folds", "x", {.term = with_cross, .n = 1}},
    {"t_only", "t only", "x, t x", {.term = only_t, .n = 2}},
    {"step0", "S0", "x, m x", {.term = with_cross, .n = 2}},
    {"step1", "S1", "x, m x, t x", {.term = with_cross, .n = 3}},
    {"step2", "S2", "x, m x, t x, m t x", {.term = with_cross, .n = 4}},
    {"step3", "S3", "x, m x, t x, m² x, t² x", {.term = squares, .n = 5}},
    {"step3_cross", "S3′", "x, m x, t x, m t x, m² x", {.term = with_cross, .n = 5}},
};
static const char *const keys[MODELS] = {"global_cv", "t_only",      "step0",  "step1", "step2",
                                         "step3",     "step3_cross", "global", "moe",   "labels"};
static const char *const sets[SETS] = {"all", "covered"};

/* What each block of the design adds to the model without it. */
enum { BLOCKS = 6 };
static const struct {
    const char *key, *name, *words;
    size_t with, without;
} blocks[BLOCKS] = {
    {"m", "m x to global", "m x: S0 − global", S0, GLOBAL},
    {"t_alone", "t x to global", "t x alone: t only − global", T_ONLY, GLOBAL},
    {"t", "t x to S0", "t x: S1 − S0", S1, S0},
    {"mt", "m t x to S1", "m t x: S2 − S1", S2, S1},
    {"squares", "m^{2} x, t^{2} x to S1", "m² x, t² x: S3 − S1", S3, S1},
    {"mm", "m^{2} x to S2", "m² x: S3′ − S2", S3_CROSS, S2},
};

/* m and t of the three sets, a row a star. */
typedef struct scalars {
    lb_mat train, val, test;
    double correlation;
} scalars;

typedef struct fitted {
    lb_conditional *fit;
    size_t n_folds;                /* steps[0 .. n_folds) choose their penalty by folds */
    lb_sweep_model model[STEPS];   /* borrowed from the fit */
    double r2_val[STEPS];          /* of the chosen penalty on validation rows */
    lb_alpha_choice by_val[STEPS]; /* what validation rows would choose among its penalties */
    lb_alpha_choice by_val_on_grid[STEPS]; /* and among those of the spec, with the end it is on */
} fitted;

/* What the figures need; the numbers themselves are in the record. */
typedef struct result {
    lb_number r2[SETS][MODELS], block[SETS][BLOCKS];
    size_t final; /* the step that validation rows prefer */
} result;

/* --- the conditions -----------------------------------------------------------------------------
 */

static void moments(const double *x, size_t n, double *mean, double *sd)
{
    double square = 0.0;
    *mean = 0.0;
    for (size_t i = 0; i < n; i++)
        *mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        square += (x[i] - *mean) * (x[i] - *mean) / (double)n;
    *sd = square > 0.0 ? sqrt(square) : 1.0;
}

static lb_mat scalars_of(const lb_side *side, const double mean[2], const double sd[2])
{
    lb_mat v = lb_mat_new(side->n, 2);
    for (size_t i = 0; i < side->n; i++) {
        v.data[2 * i] = (side->mh[i] - mean[0]) / sd[0];
        v.data[2 * i + 1] = (side->teff[i] - mean[1]) / sd[1];
    }
    return v;
}

static scalars scalars_open(const lb_cohort *c)
{
    double mean[2], sd[2];
    moments(c->train.mh, c->train.n, &mean[0], &sd[0]);
    moments(c->train.teff, c->train.n, &mean[1], &sd[1]);
    scalars v = {scalars_of(&c->train, mean, sd), scalars_of(&c->val, mean, sd),
                 scalars_of(&c->test, mean, sd), 0.0};
    for (size_t i = 0; i < c->train.n; i++)
        v.correlation += v.train.data[2 * i] * v.train.data[2 * i + 1] / (double)c->train.n;
    return v;
}

/* --- fitting ------------------------------------------------------------------------------------
 */

/* region: protocol */
/* Penalties of the smaller models by folds of the training rows, of the larger ones, where a fold
 * costs as much as everything else together, by validation rows. One pass of weighted Grams. */
static void fit(lb_study *s, const lb_exposure *seen, const scalars *v, fitted *f)
{
    const lb_cohort *c = &s->data;
    const size_t most = lb_spec_size(s->spec, "settings.fold_blocks");
    int *fold = lb_xcalloc(c->train.n, sizeof *fold);
    const lb_conditional_labelled train = {
        {seen->train.x, lb_mat_const(v->train)}, {c->train.target, c->train.n}, fold};
    const lb_conditional_labelled val = {
        {seen->val.x, lb_mat_const(v->val)}, {c->val.target, c->val.n}, NULL};
    const lb_conditional_rows test = {seen->test, lb_mat_const(v->test)};
    const lb_folds plan = {.k = lb_spec_size(s->spec, "settings.folds"),
                           .seed = lb_spec_size(s->spec, "settings.fold_seed")};
    lb_conditional_options o = {
        .extend_decades = (int)lb_spec_size(s->spec, "ridge.extend_decades"),
        .folds = plan.k,
        .memory = (size_t)(1e9 * lb_spec_number(s->spec, "settings.memory_gb"))};
    lb_conditional_member members[STEPS];
    o.alphas.data = lb_spec_numbers(s->spec, "ridge.alphas", &o.alphas.n);
    for (size_t k = 0; k < STEPS; k++) {
        members[k] = (lb_conditional_member){steps[k].name, steps[k].conditions,
                                             .by_validation = steps[k].conditions.n > most};
        members[k].conditions.plain = lb_spec_flag(s->spec, "settings.plain_columns");
        f->n_folds += !members[k].by_validation;
    }
    lb_study_take(s, lb_folds_make(plan, c->train.n, fold, s->err));
    if (lb_study_ok(s))
        lb_study_take(s,
                      lb_conditional_run(&train, &val, &test, members, STEPS, o, &f->fit, s->err));
    free(fold);
}
/* end region */

/* Every penalty of a model that was chosen by folds, on the validation rows it never looked at. */
static void look_at_validation(lb_study *s, const lb_exposure *seen, const scalars *v, fitted *f,
                               size_t k)
{
    const lb_conditional_fit *w = lb_conditional_weights(f->fit, k);
    const lb_cvec y = {s->data.val.target, s->data.val.n};
    size_t n_grid;
    lb_mat parts = lb_mat_new(y.n, w->n_alpha * w->k);
    lb_mat yhat = lb_mat_new(w->n_alpha, y.n);
    lb_study_take(s, lb_conditional_project(w, &seen->val.x, parts, s->err));
    if (lb_study_ok(s))
        lb_study_take(
            s, lb_conditional_combine(w, lb_mat_const(parts), lb_mat_const(v->val), yhat, s->err));
    const double *grid = lb_spec_numbers(s->spec, "ridge.alphas", &n_grid);
    lb_alpha_choice *on_grid = &f->by_val_on_grid[k];
    bool first = true;
    f->by_val[k] = f->model[k].chosen;
    for (size_t a = 0; a < w->n_alpha && lb_study_ok(s); a++) {
        const double r2 = lb_r2(y.data, yhat.data + a * y.n, y.n);
        if (a == 0 || r2 > f->by_val[k].r2)
            f->by_val[k] = (lb_alpha_choice){.index = a, .alpha = w->alpha[a], .r2 = r2};
        if (a == f->model[k].chosen.index)
            f->r2_val[k] = r2;
        if (w->alpha[a] < grid[0] || w->alpha[a] > grid[n_grid - 1] ||
            (!first && r2 <= on_grid->r2))
            continue;
        *on_grid = (lb_alpha_choice){.index = a, .alpha = w->alpha[a], .r2 = r2};
        on_grid->edge = w->alpha[a] == grid[0] ? -1 : w->alpha[a] == grid[n_grid - 1];
        first = false;
    }
    free(parts.data);
    free(yhat.data);
}

static fitted fitted_open(lb_study *s, const scalars *v)
{
    fitted f = {0};
    lb_exposure seen;
    lb_cohort_expose(&s->data, lb_spec_number(s->spec, "noise.focus"), lb_noise_seeds_of(s->spec),
                     &seen);
    fit(s, &seen, v, &f);
    for (size_t k = 0; k < STEPS && lb_study_ok(s); k++) {
        f.model[k] = lb_conditional_get(f.fit, k);
        f.r2_val[k] = f.model[k].r2_val.data[f.model[k].chosen.index];
        f.by_val[k] = f.model[k].chosen;
        if (k < f.n_folds)
            look_at_validation(s, &seen, v, &f, k);
    }
    return f;
}

/* What the labels that condition the models say of log g by themselves, without a spectrum: least
 * squares on all monomials up to the second degree. The caller frees the predictions. */
static double *labels_alone(lb_study *s, const scalars *v)
{
    enum { TERMS = 6 };
    const lb_mat *side[] = {&v->train, &v->test};
    lb_mat x[2];
    lb_lstsq line = {0};
    for (size_t q = 0; q < 2; q++) {
        x[q] = lb_mat_new(side[q]->rows, TERMS);
        for (size_t i = 0; i < side[q]->rows; i++) {
            const double m = side[q]->data[2 * i], t = side[q]->data[2 * i + 1];
            const double row[TERMS] = {1.0, m, t, m * t, m * m, t * t};
            memcpy(x[q].data + i * TERMS, row, sizeof row);
        }
    }
    double *yhat = lb_xcalloc(v->test.rows, sizeof *yhat);
    if (lb_study_ok(s))
        lb_study_take(s, lb_lstsq_fit(lb_mat_const(x[0]),
                                      (lb_cvec){s->data.train.target, s->data.train.n}, true, &line,
                                      s->err));
    for (size_t i = 0; i < v->test.rows && lb_study_ok(s); i++)
        for (size_t j = 0; j < TERMS; j++)
            yhat[i] += x[1].data[i * TERMS + j] * line.w.data[j];
    lb_lstsq_free(&line);
    free(x[0].data);
    free(x[1].data);
    return yhat;
}

/* --- numbers ------------------------------------------------------------------------------------
 */

/* Everything on one row set; the experts have the global model as fallback where all rows count. */
static void put_set(lb_study *s, const lb_contest *t, size_t set, result *r)
{
    const char *on = sets[set];
    for (size_t k = 0; k < MODELS; k++) {
        r->r2[set][k] = lb_contest_r2(t, k);
        lb_study_put(s, r->r2[set][k], "%s.r2.%s", on, keys[k]);
        lb_study_put(s, lb_contest_mae(t, k), "%s.mae.%s", on, keys[k]);
        if (k == GLOBAL)
            continue;
        lb_study_put(s, lb_contest_delta(t, k, GLOBAL), "%s.delta_r2.%s", on, keys[k]);
        if (k >= GLOBAL || k == CHECK)
            continue;
        lb_study_put(s, lb_contest_delta(t, k, MOE), "%s.minus_moe.%s", on, keys[k]);
        lb_study_put(s, lb_contest_retention(t, k, GLOBAL, MOE), "%s.retention.%s", on, keys[k]);
        if (k != S0)
            lb_study_put(s, lb_contest_delta(t, k, S0), "%s.minus_step0.%s", on, keys[k]);
    }
    for (size_t b = 0; b < BLOCKS; b++) {
        r->block[set][b] = lb_contest_delta(t, blocks[b].with, blocks[b].without);
        lb_study_put(s, r->block[set][b], "%s.block.%s", on, blocks[b].key);
    }
    lb_study_put(s, r->r2[set][r->final], "%s.final.r2", on);
    lb_study_put(s, lb_contest_delta(t, r->final, GLOBAL), "%s.final.delta_r2", on);
    lb_study_put(s, lb_contest_delta(t, r->final, MOE), "%s.final.minus_moe", on);
    lb_study_put(s, lb_contest_retention(t, r->final, GLOBAL, MOE), "%s.final.retention", on);
}

/* Beside every pooled R2 claimed on covered rows, that of the bins weighted by their rows. */
static void put_weighted(lb_study *s, const lb_contest *covered)
{
    size_t suspicious = 0, rows_differ = 0;
    for (size_t k = T_ONLY; k < MODELS && lb_study_ok(s); k++) {
        const lb_suspicion look = lb_suspect_bins(s, &s->data, covered, k);
        lb_number gap = lb_number_plain(look.gap, "gap", "");
        gap.digits = 4;
        lb_study_put(s, look.weighted, "covered.r2_weighted.%s", keys[k]);
        lb_study_put(s, gap, "covered.weighted_gap.%s", keys[k]);
        lb_study_put_text(s, lb_suspicion_warning(&look), "covered.warning.%s", keys[k]);
        suspicious += look.suspicious;
        rows_differ += look.rows_differ;
    }
    lb_study_put(s, lb_number_count(MODELS - T_ONLY), "covered.compared");
    lb_study_put(s, lb_number_count(suspicious), "covered.suspicious");
    lb_study_put(s, lb_number_count(rows_differ), "covered.rows_differ");
}

/* Quadratic terms are asked about only where the models without them stay under the target. */
static void put_quadratic(lb_study *s, const lb_contest *t, const fitted *f)
{
    const double target = lb_spec_number(s->spec, "thresholds.target");
    const size_t k = f->r2_val[S3_CROSS] > f->r2_val[S3] ? S3_CROSS : S3;
    const bool met = lb_contest_delta(t, S1, GLOBAL).value >= target ||
                     lb_contest_delta(t, S2, GLOBAL).value >= target;
    lb_study_put_text(s, steps[k].name, "quadratic.name");
    lb_study_put(s, lb_contest_delta(t, k, GLOBAL), "quadratic.all.delta_r2");
    lb_study_put(s,
                 met ? lb_number_na("delta_r2", "n/a (target met without)")
                     : lb_contest_delta(t, k, GLOBAL),
                 "quadratic.needed");
}

/* A score on all rows less the global score on covered rows, over a gain on covered rows: what was
 * published, and why it means nothing. */
static void put_published_share(lb_study *s, const result *r)
{
    lb_number mixed = lb_number_na("r2", "failed"), gain = mixed;
    if (lb_study_ok(s))
        lb_study_take(s, lb_score_delta_unaligned(&r->r2[ON_ALL][S0], &r->r2[ON_COVERED][GLOBAL],
                                                  &mixed, s->err));
    if (lb_study_ok(s))
        lb_study_take(
            s, lb_score_delta(&r->r2[ON_COVERED][MOE], &r->r2[ON_COVERED][GLOBAL], &gain, s->err));
    lb_number share = lb_number_plain(100.0 * mixed.value / gain.value, "share_unaligned", "%");
    share.digits = 1;
    share.oracle = true;
    if (lb_study_ok(s))
        lb_study_put(s, share, "retention_published.step0");
}

static void put_fits(lb_study *s, const fitted *f)
{
    const size_t pixels = lb_spectra_wave(s->data.split.test).n;
    for (size_t k = 0; k < STEPS && lb_study_ok(s); k++) {
        const size_t columns = steps[k].conditions.n * pixels;
        const double bytes = 8.0 * (double)columns * (double)s->data.train.n;
        lb_number gb = lb_number_plain(bytes / 1e9, "size", "GB");
        gb.digits = 2;
        lb_study_put(s, lb_number_count(columns), "dim.%s", keys[k]);
        lb_study_put(s, gb, "design.%s", keys[k]);
        lb_study_put_alpha(s, &f->model[k], "alpha.%s", keys[k]);
        lb_study_put_text(s, k < f->n_folds ? "folds" : "validation", "chosen_by.%s", keys[k]);
        lb_study_put(s, lb_number_plain(f->r2_val[k], "r2", ""), "validation.r2.%s", keys[k]);
    }
}

/* Folds or validation rows: which penalty each chooses, and what that changes on the test rows. */
static void put_choices(lb_study *s, const fitted *f)
{
    lb_entry entries[2 * STEPS];
    const size_t n = f->n_folds;
    for (size_t k = 0; k < n && lb_study_ok(s); k++) {
        const lb_sweep_model *m = &f->model[k];
        const size_t a = f->by_val[k].index;
        entries[2 * k] = (lb_entry){steps[k].name, m->yhat_chosen, k > 0};
        entries[2 * k + 1] =
            (lb_entry){"by validation", {m->yhat.data + a * m->yhat.stride, m->yhat.cols}, k > 0};
    }
    lb_study_table(s, "T11.4",
                   "model|α by folds|α by validation rows|ΔR², folds − validation:+|95 % CI:ci");
    if (!n || !lb_study_ok(s))
        return;
    lb_contest *t = lb_contest_on(s, &s->data, s->data.all, entries, 2 * n);
    for (size_t k = 0; k < n; k++) {
        const lb_sweep_model by_val = {.chosen = f->by_val[k], .on_grid = f->by_val_on_grid[k]};
        lb_study_put_alpha(s, &by_val, "alpha_validation.%s", keys[k]);
        lb_study_put(s, lb_contest_delta(t, 2 * k, 2 * k + 1), "choice.%s", keys[k]);
        lb_study_row(s, "T11.4",
                     "=%2$s|alpha.%1$s.marked|alpha_validation.%1$s.marked|choice.%1$s|choice.%1$s",
                     keys[k], steps[k].name);
    }
    lb_contest_free(t);
}

static size_t preferred(const fitted *f)
{
    size_t best = S0;
    for (size_t k = S0; k < STEPS; k++)
        if (f->r2_val[k] > f->r2_val[best])
            best = k;
    return best;
}

static void put_all(lb_study *s, const fitted *f, const lb_moe *moe, const double *labels,
                    result *r)
{
    lb_entry entries[MODELS];
    const lb_cohort *d = &s->data;
    if (!lb_study_ok(s))
        return;
    r->final = preferred(f);
    lb_study_put_text(s, steps[r->final].name, "final.name");
    lb_study_put_text(s, steps[r->final].features, "final.features");
    for (size_t k = 0; k < STEPS; k++)
        entries[k] = (lb_entry){steps[k].name, f->model[k].yhat_chosen, k != CHECK};
    entries[GLOBAL] = (lb_entry){"global", moe->global.yhat_chosen, false};
    entries[LABELS] = (lb_entry){"labels alone", {labels, d->test.n}, true};
    entries[MOE] = (lb_entry){"nine experts + fallback", moe->with_fallback[0], true};
    lb_contest *all = lb_contest_on(s, d, d->all, entries, MODELS);
    entries[MOE] = (lb_entry){"nine experts", moe->mixture[0], true};
    lb_contest *covered = lb_contest_on(s, d, d->covered, entries, MODELS);
    if (lb_study_ok(s)) {
        put_set(s, all, ON_ALL, r);
        put_set(s, covered, ON_COVERED, r);
        put_weighted(s, covered);
        put_quadratic(s, all, f);
        put_published_share(s, r);
    }
    lb_contest_free(all);
    lb_contest_free(covered);
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void table_steps(lb_study *s)
{
    lb_study_table(s, "T11.1",
                   "step|features|dim|α|R² all|R² covered|ΔR² vs S0:+|95 % CI:ci|retention all:.2f|"
                   "retention covered:.2f");
    for (size_t k = T_ONLY; k < STEPS; k++)
        lb_study_row(s, "T11.1",
                     k == S0 ? "=%2$s|=%3$s|dim.%1$s|alpha.%1$s.marked|all.r2.%1$s|covered.r2.%1$s|"
                               "=|=|all.retention.%1$s|covered.retention.%1$s"
                             : "=%2$s|=%3$s|dim.%1$s|alpha.%1$s.marked|all.r2.%1$s|covered.r2.%1$s|"
                               "all.minus_step0.%1$s|all.minus_step0.%1$s|all.retention.%1$s|"
                               "covered.retention.%1$s",
                     keys[k], steps[k].name, steps[k].features);
}

static void table_anchors(lb_study *s)
{
    static const char *const names[][SETS] = {
        {"global Ridge", "global Ridge"},
        {"nine experts + fallback", "nine experts, oracle"},
        {"labels alone, no spectrum", "labels alone, no spectrum"}};
    lb_study_table(s, "T11.2", "anchor|rows|n|R²|95 % CI:ci|ΔR² vs global:+|95 % CI:ci");
    for (size_t k = GLOBAL; k < MODELS; k++)
        for (size_t q = 0; q < SETS; q++)
            lb_study_row(s, "T11.2",
                         k == GLOBAL ? "=%3$s|=%1$s|%1$s.r2.%2$s.n|%1$s.r2.%2$s|%1$s.r2.%2$s|=|="
                                     : "=%3$s|=%1$s|%1$s.r2.%2$s.n|%1$s.r2.%2$s|%1$s.r2.%2$s|"
                                       "%1$s.delta_r2.%2$s|%1$s.delta_r2.%2$s",
                         sets[q], keys[k], names[k - GLOBAL][q]);
}

/* Every step against all three it is measured by, one table a row set. */
static void tables_of_pairs(lb_study *s)
{
    static const char *const ids[SETS] = {"T11.6", "T11.7"};
    static const char *const columns[SETS] = {
        "step|− S0:+|95 % CI:ci|− global:+|95 % CI:ci|− (experts + fallback):+|95 % CI:ci|n",
        "step|− S0:+|95 % CI:ci|− global:+|95 % CI:ci|− experts:+|95 % CI:ci|n"};
    for (size_t q = 0; q < SETS; q++) {
        lb_study_table(s, ids[q], columns[q]);
        for (size_t k = T_ONLY; k < STEPS; k++)
            lb_study_row(s, ids[q],
                         k == S0 ? "=%3$s|=|=|%1$s.delta_r2.%2$s|%1$s.delta_r2.%2$s|"
                                   "%1$s.minus_moe.%2$s|%1$s.minus_moe.%2$s|%1$s.r2.%2$s.n"
                                 : "=%3$s|%1$s.minus_step0.%2$s|%1$s.minus_step0.%2$s|"
                                   "%1$s.delta_r2.%2$s|%1$s.delta_r2.%2$s|%1$s.minus_moe.%2$s|"
                                   "%1$s.minus_moe.%2$s|%1$s.r2.%2$s.n",
                         sets[q], keys[k], steps[k].name);
    }
}

static void table_weighted(lb_study *s)
{
    static const char *const anchors[] = {"global Ridge", "nine experts", "labels alone"};
    lb_study_table(s, "T11.8", "model|R² covered, pooled|R² in bins|difference:+.4f|warning");
    for (size_t k = T_ONLY; k < MODELS; k++)
        lb_study_row(s, "T11.8",
                     "=%2$s|covered.r2.%1$s|covered.r2_weighted.%1$s|covered.weighted_gap.%1$s|"
                     "covered.warning.%1$s",
                     keys[k], k < STEPS ? steps[k].name : anchors[k - GLOBAL]);
}

static void table_blocks(lb_study *s)
{
    lb_study_table(s, "T11.3", "block|ΔR² all:+|95 % CI:ci|ΔR² covered:+|95 % CI:ci");
    for (size_t b = 0; b < BLOCKS; b++)
        lb_study_row(s, "T11.3",
                     "=%2$s|all.block.%1$s|all.block.%1$s|covered.block.%1$s|covered.block.%1$s",
                     blocks[b].key, blocks[b].words);
    lb_study_row(s, "T11.3",
                 "=chosen step − experts|all.final.minus_moe|all.final.minus_moe|"
                 "covered.final.minus_moe|covered.final.minus_moe");
}

/* In which bins S1 (model 3) or the experts lead beyond doubt: how many, and which. */
static void put_leads(lb_study *s, const lb_bin_scores *bins)
{
    static const char *const leader[] = {"step1", "moe"};
    for (size_t q = 0; q < 2; q++) {
        size_t n = 0;
        lb_text names = {0};
        for (size_t k = 0; k < s->data.n_bins; k++) {
            const lb_number *d = &bins[k].delta[3];
            if (!*d->na && (q == 0 ? d->ci_lo > 0.0 : d->ci_hi < 0.0))
                lb_text_printf(&names, "%s%s", n++ ? ", " : "", bins[k].name);
        }
        lb_study_put(s, lb_number_count(n), "perbin.n_ahead.%s", leader[q]);
        lb_study_put_text(s, n ? names.s : "none", "perbin.ahead.%s", leader[q]);
        lb_text_free(&names);
    }
}

/* Where the experts keep what is left of their lead. */
static void table_bins(lb_study *s, const fitted *f, const lb_moe *moe)
{
    if (!lb_study_ok(s))
        return;
    const lb_bin_entry entries[] = {
        {{"nine experts", moe->mixture[0], true}, "moe", NULL},
        {{"global", moe->global.yhat_chosen, false}, "global", "dr2_global"},
        {{"S0", f->model[S0].yhat_chosen, true}, "step0", "dr2_step0"},
        {{"S1", f->model[S1].yhat_chosen, true}, "step1", "dr2_step1"}};
    lb_bin_scores bins[LB_BINS_MAX];
    lb_by_bin(s, &s->data, "", entries, 4, bins);
    lb_study_table(s, "T11.5",
                   "bin|n test|R² global|R² S0|R² S1|R² experts|S1 − experts:+|95 % CI:ci");
    for (size_t k = 0; k < s->data.n_bins && lb_study_ok(s); k++)
        lb_study_row(s, "T11.5",
                     "=%2$zu %3$s|perbin.n_test.%1$s|perbin.r2_global.%1$s|perbin.r2_step0.%1$s|"
                     "perbin.r2_step1.%1$s|perbin.r2_moe.%1$s|perbin.dr2_step1.%1$s|"
                     "perbin.dr2_step1.%1$s",
                     bins[k].key, k, bins[k].name);
    if (lb_study_ok(s))
        put_leads(s, bins);
}

/* --- figures ------------------------------------------------------------------------------------
 */

static lb_figure *figure(lb_study *s, const char *id, double height, const char *title,
                         const char *alt)
{
    char train[LB_COUNT_SIZE], all[LB_COUNT_SIZE], covered[LB_COUNT_SIZE];
    char *stem = lb_study_figure(s, id);
    char *text = lb_xprintf(
        "%s\nE11, noise %.1f, %s training rows, n = %s test rows (%s covered); conditions are "
        "true labels",
        title, lb_spec_number(s->spec, "noise.focus"), lb_count_text(s->data.train.n, train),
        lb_count_text(s->data.test.n, all),
        lb_count_text(lb_rowset_size(s->data.covered), covered));
    lb_figure *f = lb_figure_new(stem, 6.5, height, text, alt);
    free(stem);
    free(text);
    return f;
}

static void panel_of_steps(lb_study *s, lb_figure *f, const result *r, size_t set)
{
    enum { N = STEPS - T_ONLY };
    const lb_number *r2 = r->r2[set];
    const char *names[N], *texts[N];
    char text[N][24], label[3][64];
    lb_axes *a = lb_figure_panel(f, set, 0, SETS, 1);
    for (size_t k = 0; k < N; k++) {
        const size_t before = T_ONLY + k <= S0         ? GLOBAL
                              : T_ONLY + k == S3       ? S1
                              : T_ONLY + k == S3_CROSS ? S2
                                                       : T_ONLY + k - 1;
        names[k] = k ? steps[T_ONLY + k].name : "t only";
        snprintf(text[k], sizeof text[k], "%+.4f", r2[T_ONLY + k].value - r2[before].value);
        texts[k] = text[k];
    }
    lb_axes_title(a, set == ON_ALL ? "all test rows" : "covered test rows");
    lb_axes_x_names(a, NULL, names, N);
    lb_axes_y(a, "R^{2}", NAN, NAN, LB_LINEAR);
    lb_plot_number_bars(
        a, r2 + T_ONLY, N,
        (lb_bars){.style = lb_style_role(LB_CONDITIONAL), .format = "%.4f", .texts = texts});
    snprintf(label[0], sizeof label[0], "global, %s: %.4f", sets[set], r2[GLOBAL].value);
    snprintf(label[1], sizeof label[1], "experts%s, %s: %.4f", set == ON_ALL ? " + fallback" : "",
             sets[set], r2[MOE].value);
    lb_plot_hline(a, r2[GLOBAL].value, lb_style_role(LB_GLOBAL), label[0]);
    lb_plot_hline(a, r2[MOE].value, lb_style_role(LB_MIXTURE), label[1]);
    if (set == ON_COVERED) {
        const double line = lb_spec_number(s->spec, "thresholds.final_r2");
        snprintf(label[2], sizeof label[2], "reference of the plan: %.3f", line);
        lb_plot_hline(a, line, lb_style_role(LB_REFERENCE), label[2]);
    }
}

static void figure_steps(lb_study *s, const result *r)
{
    lb_figure *f =
        figure(s, "F11.1", 6.6, "Score of each step between the global model and experts",
               "Bars of R2 with intervals for the model with temperature alone and the "
               "steps S0 to S3 and S3 prime, on all and on covered test rows; lines for "
               "the global model and the nine experts.");
    lb_figure_share_x(f);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    panel_of_steps(s, f, r, ON_ALL);
    panel_of_steps(s, f, r, ON_COVERED);
    lb_figure_note(f, "Second number: increment over the model without the newest block "
                      "(S0 and t only: global; S3: S1; S3′: S2).");
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_blocks(lb_study *s, const result *r)
{
    enum { LEFT = 2 };
    static const char *const cut[] = {"strict", "effective", "cross"};
    lb_figure *f = figure(s, "F11.2", 6.6, "What each interaction block adds",
                          "Bars with intervals of the increment of R2 by interaction block, on all "
                          "and on covered test rows, with the decision thresholds.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    for (size_t p = 0; p < 2; p++) {
        const size_t from = p ? LEFT : 0, n = p ? BLOCKS - LEFT : LEFT;
        const char *names[BLOCKS];
        for (size_t b = 0; b < n; b++)
            names[b] = blocks[from + b].name;
        lb_axes *a = lb_figure_panel(f, p, 0, 2, 1);
        lb_axes_title(a, p ? "further blocks" : "first block");
        lb_axes_x_names(a, NULL, names, n);
        lb_axes_y(a, "increment of R^{2}", NAN, NAN, LB_LINEAR);
        for (size_t q = 0; q < SETS; q++)
            lb_plot_number_bars(a, r->block[q] + from, n,
                                (lb_bars){.series = q,
                                          .of = SETS,
                                          .style = lb_style_category(q ? 4 : 0),
                                          .format = "%+.4f",
                                          .label = q ? "covered rows" : "all rows"});
        lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), NULL);
        for (size_t i = 0; i < 3 && p; i++) {
            char path[48], label[48];
            lb_style style = lb_style_role(LB_THRESHOLD);
            style.dash = i == 0 ? LB_DOTTED : i == 1 ? LB_DASHED : LB_DASHDOT;
            snprintf(path, sizeof path, "thresholds.%s", cut[i]);
            snprintf(label, sizeof label, "%s: %.3f",
                     i == 0   ? "stop-loss of t"
                     : i == 1 ? "t is effective"
                              : "t fails below, m t effective",
                     lb_spec_number(s->spec, path));
            lb_plot_hline(a, lb_spec_number(s->spec, path), style, label);
        }
    }
    lb_study_take(s, lb_figure_close(f, s->err));
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void run(lb_study *s)
{
    const double focus = lb_spec_number(s->spec, "noise.focus");
    scalars v = scalars_open(&s->data);
    lb_domains nine = lb_domains_bins(&s->data);
    lb_moe moe;
    result *r = lb_xcalloc(1, sizeof *r);
    lb_study_put(s, lb_number_plain(v.correlation, "correlation", ""), "correlation");
    fitted f = fitted_open(s, &v);
    double *labels = labels_alone(s, &v);
    lb_moe_fit(s, &s->data, focus, lb_noise_seeds_of(s->spec), &nine, 1, &moe);
    put_fits(s, &f);
    put_all(s, &f, &moe, labels, r);
    put_choices(s, &f);
    if (lb_study_ok(s)) {
        table_steps(s);
        table_anchors(s);
        tables_of_pairs(s);
        table_weighted(s);
        table_blocks(s);
        table_bins(s, &f, &moe);
        figure_steps(s, r);
        figure_blocks(s, r);
    }
    lb_moe_free(&moe);
    lb_domains_free(&nine);
    lb_conditional_free(f.fit);
    free(labels);
    free(r);
    free(v.train.data);
    free(v.val.data);
    free(v.test.data);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e11_conditional_pp",
                             "One Ridge whose weights vary with [M/H] and T_eff, block by block, "
                             "against nine experts.",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
