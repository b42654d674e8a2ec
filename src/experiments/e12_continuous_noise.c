/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E12: the noise level as a continuous input of one model.
 *
 * Can one Ridge whose weights vary with the noise level replace an expert for every level, and does
 * that remove the level at which the experts fall behind? Experts, mixed model and conditioned
 * models train on the same stars, with a noise draw of its own for every copy of a star; penalties
 * by cross-validation over stars. The level is true at first, then estimated from the spectrum.
 * Reads   spectra of the profile; templates/experiments/e12_continuous_noise/spec.yaml
 * Writes  data/results/<profile>/e12_continuous_noise.h5, figures e12_*
 */
#include "core/memory.h"
#include "core/text.h"
#include "figure/plot.h"
#include "models/conditional.h"
#include "models/folds.h"
#include "models/scatter.h"
#include "stats/quantile.h"
#include "study/by_bin.h"
#include "study/contest.h"
#include "study/copies.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8 }; /* noise levels */

/* Models on the copies of all levels, and after them what is made of them. */
enum { MIXED, FIRST, SECOND, SATURATING, MODELS };
enum { EXPERT = MODELS, FIRST_BLIND, SECOND_BLIND, KINDS };

static const char *const KEYS[KINDS] = {"mixed",  "cond_1",       "cond_2",      "saturating",
                                        "expert", "cond_1.blind", "cond_2.blind"};

/* What tables and figures need; the numbers themselves are in the record. */
typedef struct result {
    size_t n, n_test;
    const double *noise;
    double most;   /* the highest level */
    double sigma0; /* of the saturating condition */
    size_t focus;  /* the level of the dip */
    lb_copies *copies;
    int *fold;           /* of every training row; all copies of a star are in one */
    lb_conditional *all; /* members MIXED .. SATURATING */
    lb_conditional *expert[MOST];
    double *estimate;        /* level of every test row, from its spectrum */
    double *yhat[KINDS];     /* of every test row, true level or (blind) the estimated one */
    size_t adopted, blind;   /* FIRST or SECOND, and the same with estimated levels */
    lb_contest *t, *covered; /* on all test rows; on those inside the bins */
    lb_number r2[KINDS][MOST], delta[KINDS][MOST], gap[KINDS][MOST]; /* to mixed, to expert */
} result;

/* --- the models ---------------------------------------------------------------------------------
 */

/* Base variables of rows: the level n, and u = 1 / (1 + n^2 / sigma0^2), which falls from one to
 * zero as noise takes over. */
static lb_mat variables_of(const result *r, const double *noise, size_t rows)
{
    lb_mat v = lb_mat_new(rows, 2);
    for (size_t i = 0; i < rows; i++) {
        v.data[2 * i] = noise[i];
        v.data[2 * i + 1] = 1.0 / (1.0 + noise[i] * noise[i] / (r->sigma0 * r->sigma0));
    }
    return v;
}

/* region: models */
static const lb_monomial POWERS[] = {{{0}}, {{1}}, {{2}}}; /* 1, n, n^2 */
static const lb_monomial FALLING[] = {{{0}}, {{0, 1}}};    /* 1, u */

static lb_conditional_options options_of(const lb_study *s)
{
    lb_conditional_options o = {.folds = lb_spec_size(s->spec, "settings.folds")};
    o.alphas.data = lb_spec_numbers(s->spec, "ridge.alphas", &o.alphas.n);
    o.extend_decades = (int)lb_spec_size(s->spec, "ridge.extend_decades");
    return o;
}

/* One pass over the copies of all levels serves the mixed model and the conditioned ones. */
static void fit_all(lb_study *s, result *r)
{
    const lb_copies_side *train = lb_copies_train(r->copies), *test = lb_copies_test(r->copies);
    const bool plain = lb_spec_flag(s->spec, "settings.plain");
    const lb_conditional_member members[MODELS] = {
        [MIXED] = {"mixed", .conditions = {.term = POWERS, .n = 1}},
        [FIRST] = {"first order", .conditions = {POWERS, 2, .plain = plain}},
        [SECOND] = {"second order", .conditions = {POWERS, 3, .plain = plain}},
        [SATURATING] = {"saturating", .conditions = {FALLING, 2, .plain = plain}}};
    lb_mat on_train = variables_of(r, train->noise, train->x.rows);
    lb_mat on_test = variables_of(r, test->noise, test->x.rows);
    const lb_conditional_labelled rows = {
        {train->x, lb_mat_const(on_train)}, {train->target, train->x.rows}, r->fold};
    const lb_conditional_rows known = {test->x, lb_mat_const(on_test)};
    lb_study_take(s, lb_conditional_run(&rows, NULL, &known, members, MODELS, options_of(s),
                                        &r->all, s->err));
    free(on_train.data);
    free(on_test.data);
}

/* The same Ridge, the same folds, one level: its expert. */
static void fit_expert(lb_study *s, result *r, size_t level)
{
    const lb_copies_side *train = lb_copies_train(r->copies), *test = lb_copies_test(r->copies);
    const lb_conditional_member member = {"expert", .conditions = {.term = POWERS, .n = 1}};
    lb_mat on_train = variables_of(r, train->noise + level * train->n, train->n);
    lb_mat on_test = variables_of(r, test->noise + level * test->n, test->n);
    const lb_conditional_labelled rows = {
        {train->one[level], lb_mat_const(on_train)}, {train->target, train->n}, r->fold};
    const lb_conditional_rows known = {test->one[level], lb_mat_const(on_test)};
    if (lb_study_ok(s))
        lb_study_take(s, lb_conditional_run(&rows, NULL, &known, &member, 1, options_of(s),
                                            &r->expert[level], s->err));
    free(on_train.data);
    free(on_test.data);
}
/* end region */

/* Folds over stars: the copies of a star are never on both sides. */
static void make_folds(lb_study *s, result *r)
{
    const lb_copies_side *train = lb_copies_train(r->copies);
    r->fold = lb_xcalloc(train->x.rows, sizeof *r->fold);
    const lb_folds folds = {.k = lb_spec_size(s->spec, "settings.folds"),
                            .seed = lb_spec_size(s->spec, "settings.fold_seed"),
                            .group = train->star};
    lb_study_take(s, lb_folds_make(folds, train->x.rows, r->fold, s->err));
}

/* --- the level, when nobody tells it ------------------------------------------------------------
 */

/* Scatter over error of the spectra of a set at one level. */
static double *scatter_of(lb_study *s, const lb_stream *x, const lb_stream *error)
{
    double *out = lb_xcalloc(x->rows, sizeof *out);
    const int order = (int)lb_spec_size(s->spec, "settings.difference_order");
    if (lb_study_ok(s))
        lb_study_take(s, lb_scatter(x, error, order, (lb_vec){out, x->rows}, s->err));
    return out;
}

/* region: estimate */
/* The scatter of a test spectrum over its errors, less what the lines of validation spectra without
 * noise leave of it (in quadrature), and not beyond the levels that were trained on. */
static void estimate_levels(lb_study *s, result *r)
{
    const lb_copies_side *val = lb_copies_val(r->copies), *test = lb_copies_test(r->copies);
    lb_cohort_errors errors;
    lb_exposure clean;
    lb_cohort_errors_of(&s->data, &errors);
    lb_cohort_expose(&s->data, 0.0, lb_noise_seeds_of(s->spec), &clean);
    double *lines = scatter_of(s, &clean.val.x, &errors.val);
    lb_sort(lines, val->n);
    const double floor = lb_quantile(lines, val->n, 0.5);
    for (size_t l = 0; l < r->n; l++) {
        double *scatter = scatter_of(s, &test->one[l], &errors.test);
        for (size_t i = 0; i < test->n; i++) {
            const double square = scatter[i] * scatter[i] - floor * floor;
            r->estimate[l * test->n + i] = fmin(sqrt(fmax(0.0, square)), r->most);
        }
        free(scatter);
    }
    lb_number lines_leave = lb_number_plain(floor, "level", "");
    lines_leave.digits = 4;
    lb_study_put(s, lines_leave, "estimate.floor");
    free(lines);
}
/* end region */

/* What a conditioned model says when it is given those levels. */
static void predict_blind(lb_study *s, result *r, size_t model, double *yhat)
{
    const lb_copies_side *test = lb_copies_test(r->copies);
    const lb_conditional_fit *fit = lb_conditional_weights(r->all, model);
    const size_t rows = test->x.rows, chosen = lb_conditional_get(r->all, model).chosen.index;
    lb_mat parts = lb_mat_new(rows, fit->n_alpha * fit->k);
    lb_mat of_alpha = lb_mat_new(fit->n_alpha, rows);
    lb_mat variables = variables_of(r, r->estimate, rows);
    lb_study_take(s, lb_conditional_project(fit, &test->x, parts, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_conditional_combine(fit, lb_mat_const(parts), lb_mat_const(variables),
                                                of_alpha, s->err));
    memcpy(yhat, of_alpha.data + chosen * of_alpha.stride, rows * sizeof *yhat);
    free(parts.data);
    free(of_alpha.data);
    free(variables.data);
}

static void predict(lb_study *s, result *r)
{
    const size_t rows = r->n * r->n_test;
    for (size_t k = 0; k < KINDS; k++)
        r->yhat[k] = lb_xcalloc(rows, sizeof(double));
    for (size_t k = 0; k < MODELS; k++)
        memcpy(r->yhat[k], lb_conditional_get(r->all, k).yhat_chosen.data, rows * sizeof(double));
    for (size_t l = 0; l < r->n; l++)
        memcpy(r->yhat[EXPERT] + l * r->n_test,
               lb_conditional_get(r->expert[l], 0).yhat_chosen.data, r->n_test * sizeof(double));
    r->estimate = lb_xcalloc(rows, sizeof *r->estimate);
    estimate_levels(s, r);
    if (lb_study_ok(s))
        predict_blind(s, r, FIRST, r->yhat[FIRST_BLIND]);
    if (lb_study_ok(s))
        predict_blind(s, r, SECOND, r->yhat[SECOND_BLIND]);
}

/* --- scores -------------------------------------------------------------------------------------
 */

static size_t at(const result *r, size_t kind, size_t level)
{
    return kind * r->n + level;
}

/* All models at all levels on the same stars. The level is an input like any other that is only
 * known here because it was simulated. */
static void meet(lb_study *s, result *r)
{
    lb_entry *e = lb_xcalloc(KINDS * r->n, sizeof *e);
    for (size_t k = 0; k < KINDS; k++)
        for (size_t j = 0; j < r->n; j++)
            e[at(r, k, j)] =
                (lb_entry){KEYS[k],
                           {r->yhat[k] + j * r->n_test, r->n_test},
                           k == FIRST || k == SECOND || k == SATURATING || k == EXPERT};
    r->t = lb_contest_on(s, &s->data, s->data.all, e, KINDS * r->n);
    r->covered = lb_contest_on(s, &s->data, s->data.covered, e, KINDS * r->n);
    free(e);
}

/* Mean over the levels of the score of one kind of model, minus that of another (KINDS: none). */
static lb_number mean_on(const lb_contest *t, const result *r, size_t kind, size_t minus)
{
    double weights[KINDS * MOST] = {0.0};
    for (size_t j = 0; j < r->n; j++) {
        weights[at(r, kind, j)] += 1.0 / (double)r->n;
        if (minus < KINDS)
            weights[at(r, minus, j)] -= 1.0 / (double)r->n;
    }
    return lb_contest_combination(t, weights);
}

static lb_number mean_over_levels(const result *r, size_t kind, size_t minus)
{
    return mean_on(r->t, r, kind, minus);
}

/* region: scores */
static void put_scores(lb_study *s, result *r)
{
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t j = 0; j < r->n; j++) {
            r->r2[k][j] = lb_contest_r2(r->t, at(r, k, j));
            r->delta[k][j] = lb_contest_delta(r->t, at(r, k, j), at(r, MIXED, j));
            r->gap[k][j] = lb_contest_delta(r->t, at(r, k, j), at(r, EXPERT, j));
            lb_study_put(s, r->r2[k][j], "noise_%.1f.r2.%s", r->noise[j], KEYS[k]);
            if (k == FIRST || k == SECOND || k == SATURATING || k == EXPERT)
                lb_study_put(s, r->delta[k][j], "noise_%.1f.delta_r2.%s", r->noise[j], KEYS[k]);
            if (k == FIRST || k == SECOND || k == SATURATING)
                lb_study_put(s, r->gap[k][j], "noise_%.1f.gap.%s", r->noise[j], KEYS[k]);
        }
        lb_study_put(s, mean_over_levels(r, k, KINDS), "mean.r2.%s", KEYS[k]);
        if (k == FIRST || k == SECOND || k == SATURATING || k == EXPERT)
            lb_study_put(s, mean_over_levels(r, k, MIXED), "mean.delta_r2.%s", KEYS[k]);
    }
    lb_study_put(s, mean_over_levels(r, SATURATING, EXPERT), "mean.gap.saturating");
}
/* end region */

/* The expert of a level is the global Ridge of that level: the baseline that belongs beside every
 * table, on covered rows too; and for each of the four models of the main table the mean of its
 * scores inside the bins, weighted by their rows. */
static void put_covered(lb_study *s, const result *r)
{
    static const size_t kinds[] = {EXPERT, MIXED, FIRST, SECOND};
    lb_suspicion worst = {0};
    size_t suspicious = 0, rows_differ = 0;
    for (size_t q = 0; q < sizeof kinds / sizeof *kinds; q++) {
        const size_t k = kinds[q];
        for (size_t j = 0; j < r->n && lb_study_ok(s); j++) {
            const lb_suspicion look = lb_suspect_bins(s, &s->data, r->covered, at(r, k, j));
            lb_study_put(s, lb_contest_r2(r->covered, at(r, k, j)), "noise_%.1f.r2.%s.covered",
                         r->noise[j], KEYS[k]);
            lb_study_put(s, look.weighted, "noise_%.1f.r2_weighted.%s", r->noise[j], KEYS[k]);
            suspicious += look.suspicious;
            rows_differ += look.rows_differ;
            if ((q == 0 && j == 0) || fabs(look.gap) > fabs(worst.gap))
                worst = look;
        }
        lb_study_put(s, mean_on(r->covered, r, k, KINDS), "mean.r2.%s.covered", KEYS[k]);
    }
    lb_number gap = lb_number_plain(worst.gap, "gap", "");
    gap.digits = 4;
    lb_study_put(s, gap, "covered.largest_gap");
    lb_study_put(s, lb_number_count(suspicious), "covered.suspicious");
    lb_study_put(s, lb_number_count(rows_differ), "covered.rows_differ");
    lb_study_put(s, lb_number_count(r->n * sizeof kinds / sizeof *kinds), "covered.compared");
    lb_study_put_text(s, worst.text, "covered.suspicion");
}

/* What the estimated level costs either order, adopted or not. */
static void put_blind(lb_study *s, const result *r)
{
    static const size_t orders[][2] = {{FIRST, FIRST_BLIND}, {SECOND, SECOND_BLIND}};
    for (size_t q = 0; q < 2; q++) {
        const size_t told = orders[q][0], blind = orders[q][1];
        for (size_t j = 0; j < r->n; j++)
            lb_study_put(s, lb_contest_delta(r->t, at(r, blind, j), at(r, told, j)),
                         "noise_%.1f.cost.%s", r->noise[j], KEYS[told]);
        lb_study_put(s, mean_over_levels(r, blind, told), "mean.cost.%s", KEYS[told]);
        lb_study_put(s, mean_over_levels(r, blind, MIXED), "mean.delta_r2.%s", KEYS[blind]);
    }
}

/* The order is chosen by cross-validation, not on the test rows: the second one must add as much
 * there as the rule asks of it. */
static void choose_order(lb_study *s, result *r)
{
    const double first = lb_conditional_get(r->all, FIRST).chosen.r2;
    const double second = lb_conditional_get(r->all, SECOND).chosen.r2;
    const bool adopt = second - first >= lb_spec_number(s->spec, "thresholds.second_order");
    r->adopted = adopt ? SECOND : FIRST;
    r->blind = adopt ? SECOND_BLIND : FIRST_BLIND;
    lb_number gain = lb_number_plain(second - first, "cv_gain", "");
    gain.digits = 4;
    lb_study_put(s, gain, "cv.second_order");
    lb_study_put(s, lb_number_count(adopt ? 2 : 1), "adopted.order");
    lb_study_put_text(s, adopt ? "second order" : "first order", "adopted.name");
}

/* What the hypotheses ask of the adopted model. */
static void put_adopted(lb_study *s, const result *r)
{
    lb_study_put(s, mean_over_levels(r, r->adopted, KINDS), "adopted.mean.r2");
    lb_study_put(s, mean_over_levels(r, r->adopted, EXPERT), "adopted.mean.gap");
    lb_study_put(s, mean_over_levels(r, r->adopted, MIXED), "adopted.mean.delta_r2");
    lb_study_put(s, mean_over_levels(r, SECOND, FIRST), "mean.delta_r2.second_order");
    lb_study_put(s, mean_over_levels(r, SATURATING, FIRST), "mean.delta_r2.saturating_over_first");
    lb_study_put(s, mean_over_levels(r, SATURATING, SECOND),
                 "mean.delta_r2.saturating_over_second");
    lb_study_put(s, r->delta[r->adopted][r->focus], "dip.delta_r2.adopted");
    lb_study_put(s, r->delta[EXPERT][r->focus], "dip.delta_r2.expert");
    lb_study_put(s, mean_over_levels(r, r->blind, KINDS), "blind.mean.r2");
    lb_study_put(s, mean_over_levels(r, r->blind, r->adopted), "blind.mean.cost");
    lb_study_put(s, mean_over_levels(r, r->blind, MIXED), "blind.mean.delta_r2");
    for (size_t j = 0; j < r->n; j++) {
        lb_study_put(s, r->r2[r->adopted][j], "noise_%.1f.r2.adopted", r->noise[j]);
        lb_study_put(s, r->r2[r->blind][j], "noise_%.1f.r2.blind", r->noise[j]);
        lb_study_put(s, lb_contest_delta(r->t, at(r, r->blind, j), at(r, r->adopted, j)),
                     "noise_%.1f.cost.blind", r->noise[j]);
    }
}

static lb_number spread(const lb_number *x, size_t n, bool oracle)
{
    double y[MOST];
    for (size_t j = 0; j < n; j++)
        y[j] = x[j].value;
    lb_number out = lb_number_plain(lb_std(y, n, 0), "std", "");
    out.digits = 4;
    out.oracle = oracle;
    return out;
}

/* How evenly a model does over the levels: standard deviations (ddof 0) of its score and of its
 * difference to the mixed model, and the level at which it is furthest behind the expert. */
static void put_stability(lb_study *s, const result *r)
{
    for (size_t k = 0; k < KINDS; k++) {
        lb_study_put(s, spread(r->r2[k], r->n, r->r2[k][0].oracle), "std.r2.%s", KEYS[k]);
        if (k != MIXED)
            lb_study_put(s, spread(r->delta[k], r->n, r->delta[k][0].oracle), "std.delta_r2.%s",
                         KEYS[k]);
        if (k == EXPERT)
            continue;
        size_t worst = 0;
        for (size_t j = 1; j < r->n; j++)
            worst = r->gap[k][j].value < r->gap[k][worst].value ? j : worst;
        lb_number level = lb_number_plain(r->noise[worst], "level", "");
        level.digits = 1;
        lb_study_put(s, r->gap[k][worst], "worst.gap.%s", KEYS[k]);
        lb_study_put(s, level, "worst.level.%s", KEYS[k]);
    }
    lb_study_put(s, spread(r->delta[r->adopted], r->n, true), "std.delta_r2.adopted");
}

/* Mean, bias and root mean square error of the estimated level. */
static void put_estimate(lb_study *s, const result *r)
{
    for (size_t j = 0; j < r->n; j++) {
        const double *x = r->estimate + j * r->n_test;
        double mean = 0.0, square = 0.0;
        for (size_t i = 0; i < r->n_test; i++) {
            mean += x[i] / (double)r->n_test;
            square += (x[i] - r->noise[j]) * (x[i] - r->noise[j]) / (double)r->n_test;
        }
        lb_number numbers[] = {lb_number_plain(mean, "level", ""),
                               lb_number_plain(mean - r->noise[j], "bias", ""),
                               lb_number_plain(sqrt(square), "rmse", "")};
        static const char *const names[] = {"mean", "bias", "rmse"};
        for (size_t q = 0; q < 3; q++) {
            numbers[q].digits = 4;
            numbers[q].n = r->n_test;
            lb_study_put(s, numbers[q], "estimate.noise_%.1f.%s", r->noise[j], names[q]);
        }
    }
}

static void put_models(lb_study *s, const result *r)
{
    const size_t p = lb_copies_train(r->copies)->x.cols;
    for (size_t k = 0; k < MODELS; k++) {
        const lb_sweep_model m = lb_conditional_get(r->all, k);
        lb_number cv = lb_number_plain(m.chosen.r2, "r2_cv", "");
        cv.digits = 4;
        lb_study_put_alpha(s, &m, "alpha.%s", KEYS[k]);
        lb_study_put(s, cv, "cv.%s", KEYS[k]);
        lb_study_put(s, lb_number_count(lb_conditional_weights(r->all, k)->k * p), "dim.%s",
                     KEYS[k]);
    }
    for (size_t j = 0; j < r->n; j++) {
        const lb_sweep_model m = lb_conditional_get(r->expert[j], 0);
        lb_study_put_alpha(s, &m, "noise_%.1f.alpha.expert", r->noise[j]);
    }
    lb_study_put(s, lb_number_count(lb_copies_train(r->copies)->x.rows), "n_train_copies");
    lb_study_put(s, lb_number_count(r->n), "n_levels");
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void tables_of_levels(lb_study *s, const result *r)
{
    lb_study_table(s, "T12.1", "noise|R² expert|α|R² mixed|α|R² cond-1|α|R² cond-2|α|n");
    lb_study_table(s, "T12.2",
                   "noise|expert − mixed:+|95 % CI:ci|cond-1 − mixed:+|95 % CI:ci|"
                   "cond-2 − mixed:+|95 % CI:ci|n");
    lb_study_table(s, "T12.4",
                   "noise|mean estimate:.4f|bias:+.4f|RMSE:.4f|R², true level|"
                   "R², estimated level|difference:+|95 % CI:ci");
    lb_study_table(s, "T12.7",
                   "noise|R² expert = global|in bins|R² mixed|in bins|R² cond-1|in bins|R² cond-2|"
                   "in bins|n");
    lb_study_table(s, "T12.8",
                   "noise|cond-1, true level|estimated|difference:+|95 % CI:ci|"
                   "cond-2, true level|estimated|difference:+|95 % CI:ci");
    lb_study_table(s, "T12.6", "noise|R² saturating|− mixed:+|95 % CI:ci|− expert:+|95 % CI:ci");
    for (size_t j = 0; j < r->n; j++) {
        const double v = r->noise[j];
        lb_study_row(s, "T12.1",
                     "=%1$.1f|noise_%1$.1f.r2.expert|noise_%1$.1f.alpha.expert.marked|"
                     "noise_%1$.1f.r2.mixed|alpha.mixed.marked|noise_%1$.1f.r2.cond_1|"
                     "alpha.cond_1.marked|noise_%1$.1f.r2.cond_2|alpha.cond_2.marked|data.n_test",
                     v);
        lb_study_row(s, "T12.2",
                     "=%1$.1f|noise_%1$.1f.delta_r2.expert|noise_%1$.1f.delta_r2.expert|"
                     "noise_%1$.1f.delta_r2.cond_1|noise_%1$.1f.delta_r2.cond_1|"
                     "noise_%1$.1f.delta_r2.cond_2|noise_%1$.1f.delta_r2.cond_2|data.n_test",
                     v);
        lb_study_row(s, "T12.4",
                     "=%1$.1f|estimate.noise_%1$.1f.mean|estimate.noise_%1$.1f.bias|"
                     "estimate.noise_%1$.1f.rmse|noise_%1$.1f.r2.adopted|noise_%1$.1f.r2.blind|"
                     "noise_%1$.1f.cost.blind|noise_%1$.1f.cost.blind",
                     v);
        lb_study_row(s, "T12.7",
                     "=%1$.1f|noise_%1$.1f.r2.expert.covered|noise_%1$.1f.r2_weighted.expert|"
                     "noise_%1$.1f.r2.mixed.covered|noise_%1$.1f.r2_weighted.mixed|"
                     "noise_%1$.1f.r2.cond_1.covered|noise_%1$.1f.r2_weighted.cond_1|"
                     "noise_%1$.1f.r2.cond_2.covered|noise_%1$.1f.r2_weighted.cond_2|"
                     "data.n_test_covered",
                     v);
        lb_study_row(s, "T12.8",
                     "=%1$.1f|noise_%1$.1f.r2.cond_1|noise_%1$.1f.r2.cond_1.blind|"
                     "noise_%1$.1f.cost.cond_1|noise_%1$.1f.cost.cond_1|noise_%1$.1f.r2.cond_2|"
                     "noise_%1$.1f.r2.cond_2.blind|noise_%1$.1f.cost.cond_2|"
                     "noise_%1$.1f.cost.cond_2",
                     v);
        lb_study_row(s, "T12.6",
                     "=%1$.1f|noise_%1$.1f.r2.saturating|noise_%1$.1f.delta_r2.saturating|"
                     "noise_%1$.1f.delta_r2.saturating|noise_%1$.1f.gap.saturating|"
                     "noise_%1$.1f.gap.saturating",
                     v);
    }
    lb_study_row(s, "T12.1",
                 "=mean|mean.r2.expert|= |mean.r2.mixed|= |mean.r2.cond_1|= |mean.r2.cond_2|= |"
                 "data.n_test");
    lb_study_row(s, "T12.2",
                 "=mean|mean.delta_r2.expert|mean.delta_r2.expert|mean.delta_r2.cond_1|"
                 "mean.delta_r2.cond_1|mean.delta_r2.cond_2|mean.delta_r2.cond_2|data.n_test");
    lb_study_row(s, "T12.4",
                 "=mean|= |= |= |adopted.mean.r2|blind.mean.r2|blind.mean.cost|blind.mean.cost");
    lb_study_row(s, "T12.7",
                 "=mean|mean.r2.expert.covered|= |mean.r2.mixed.covered|= |mean.r2.cond_1.covered|"
                 "= |mean.r2.cond_2.covered|= |data.n_test_covered");
    lb_study_row(s, "T12.8",
                 "=mean|mean.r2.cond_1|mean.r2.cond_1.blind|mean.cost.cond_1|mean.cost.cond_1|"
                 "mean.r2.cond_2|mean.r2.cond_2.blind|mean.cost.cond_2|mean.cost.cond_2");
    lb_study_row(s, "T12.6",
                 "=mean|mean.r2.saturating|mean.delta_r2.saturating|mean.delta_r2.saturating|"
                 "mean.gap.saturating|mean.gap.saturating");
}

static void table_stability(lb_study *s)
{
    static const char *const names[] = {"mixed",
                                        "cond-1",
                                        "cond-2",
                                        "saturating",
                                        "expert",
                                        "cond-1, estimated level",
                                        "cond-2, estimated level"};
    lb_study_table(s, "T12.3",
                   "model|std of R²|std of the difference to mixed|"
                   "worst gap to the expert:+|95 % CI:ci|at noise:.1f");
    for (size_t k = 0; k < KINDS; k++) {
        char *gap = k == EXPERT
                        ? lb_xstrdup("= |= |= ")
                        : lb_xprintf("worst.gap.%1$s|worst.gap.%1$s|worst.level.%1$s", KEYS[k]);
        char *delta = k == MIXED ? lb_xstrdup("=0") : lb_xprintf("std.delta_r2.%s", KEYS[k]);
        lb_study_row(s, "T12.3", "=%s|std.r2.%s|%s|%s", names[k], KEYS[k], delta, gap);
        free(gap);
        free(delta);
    }
}

static void table_models(lb_study *s)
{
    static const char *const names[MODELS] = {"mixed", "cond-1", "cond-2", "saturating"};
    static const char *const features[MODELS] = {"x", "x, n x", "x, n x, n² x", "x, u x"};
    lb_study_table(s, "T12.5",
                   "model|features|columns|training rows|α|R², cross-validation|"
                   "mean R², test|95 % CI:ci");
    for (size_t k = 0; k < MODELS; k++)
        lb_study_row(s, "T12.5",
                     "=%1$s|=%2$s|dim.%3$s|n_train_copies|alpha.%3$s.marked|cv.%3$s|mean.r2.%3$s|"
                     "mean.r2.%3$s",
                     names[k], features[k], KEYS[k]);
    lb_study_row(s, "T12.5",
                 "=experts, one a level|=x|dim.mixed|data.n_train|= |= |mean.r2.expert|"
                 "mean.r2.expert");
}

/* --- figures ------------------------------------------------------------------------------------
 */

static char *title_for(const lb_study *s, const char *what)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE];
    return lb_xprintf("%s\nE12, %s training stars, %s test stars at every noise level", what,
                      lb_count_text(s->data.train.n, train), lb_count_text(s->data.test.n, test));
}

/* Published scores of one kind of model at our levels, NAN where there is none. */
static size_t published(lb_study *s, const result *r, const char *suffix, double *y)
{
    size_t found = 0;
    for (size_t j = 0; j < r->n; j++) {
        const lb_published_entry *e =
            lb_study_published(s, "e12.prior.n%.1f.%s", r->noise[j], suffix);
        y[j] = e ? e->number : NAN;
        found += isfinite(y[j]);
    }
    return found;
}

/* Levels in named slots, since they are too uneven for a common scale; the dip shaded. */
static lb_axes *axes_of_levels(lb_figure *f, const result *r, char name[MOST][8])
{
    const char *names[MOST];
    for (size_t j = 0; j < r->n; j++) {
        snprintf(name[j], sizeof name[j], "%.1f", r->noise[j]);
        names[j] = name[j];
    }
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, "noise level", names, r->n);
    lb_plot_span(a, (double)r->focus - 0.5, (double)r->focus + 0.5, lb_style_role(LB_REFERENCE),
                 "level of the published dip");
    return a;
}

static void curve(lb_study *s, lb_axes *a, const result *r, const lb_number *score, double shift,
                  lb_style style, const char *label, const char *series)
{
    double x[MOST], y[MOST], lo[MOST], hi[MOST];
    for (size_t j = 0; j < r->n; j++) {
        x[j] = (double)j + shift;
        y[j] = score[j].value;
        lo[j] = score[j].ci_lo;
        hi[j] = score[j].ci_hi;
    }
    lb_plot_line(a, x, y, r->n, style, label);
    lb_plot_errors(a, x, y, lo, hi, r->n, style, NULL);
    lb_record_series(s->record, series, y, r->n);
}

static lb_style second_style(void)
{
    lb_style style = lb_style_category(5);
    style.marker = LB_TRIANGLE_DOWN;
    style.dash = LB_DASHDOT;
    return style;
}

static void figure_scores(lb_study *s, const result *r)
{
    double x[MOST], y[MOST];
    char name[MOST][8];
    lb_style hollow[2] = {lb_style_role(LB_MIXTURE), lb_style_role(LB_GLOBAL)};
    static const char *const theirs[2] = {"r2_expert", "r2_mixed"};
    static const char *const labels[2] = {"published expert (other data)",
                                          "published mixed (other data)"};
    char *stem = lb_study_figure(s, "F12.1"),
         *title = title_for(s, "One conditioned model against experts and mixed model");
    lb_figure *f = lb_figure_new(stem, 6.5, 5.2, title,
                                 "R2 against the noise level: experts, mixed model, conditioned "
                                 "models of first and second order, and published values.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = axes_of_levels(f, r, name);
    lb_axes_y(a, "R^{2}", NAN, NAN, LB_LINEAR);
    curve(s, a, r, r->r2[EXPERT], -0.12, lb_style_role(LB_MIXTURE), "expert of the level",
          "F12.1/expert");
    curve(s, a, r, r->r2[MIXED], -0.04, lb_style_role(LB_GLOBAL), "mixed model", "F12.1/mixed");
    curve(s, a, r, r->r2[FIRST], 0.04, lb_style_role(LB_CONDITIONAL), "conditioned, first order",
          "F12.1/cond_1");
    curve(s, a, r, r->r2[SECOND], 0.12, second_style(), "conditioned, second order",
          "F12.1/cond_2");
    for (size_t k = 0; k < 2; k++) {
        for (size_t j = 0; j < r->n; j++)
            x[j] = (double)j + 0.25;
        hollow[k].hollow = true;
        if (published(s, r, theirs[k], y) > 0)
            lb_plot_points(a, x, y, r->n, hollow[k], labels[k]);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_gains(lb_study *s, const result *r)
{
    double y[MOST];
    char name[MOST][8], label[64];
    lb_style mark = lb_style_role(LB_NEUTRAL);
    char *stem = lb_study_figure(s, "F12.2"),
         *title = title_for(s, "What each model gains over the mixed model");
    lb_figure *f = lb_figure_new(stem, 6.5, 5.0, title,
                                 "Difference of R2 to the mixed model against the noise level for "
                                 "experts and conditioned models, with zero and the published dip "
                                 "of the expert.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = axes_of_levels(f, r, name);
    lb_axes_y(a, "ΔR^{2} (model - mixed)", NAN, NAN, LB_LINEAR);
    curve(s, a, r, r->delta[EXPERT], -0.08, lb_style_role(LB_MIXTURE), "expert of the level",
          "F12.2/expert");
    curve(s, a, r, r->delta[FIRST], 0.0, lb_style_role(LB_CONDITIONAL), "conditioned, first order",
          "F12.2/cond_1");
    curve(s, a, r, r->delta[SECOND], 0.08, second_style(), "conditioned, second order",
          "F12.2/cond_2");
    if (published(s, r, "dr2", y) > 0 && isfinite(y[r->focus])) {
        const double x = (double)r->focus + 0.25;
        snprintf(label, sizeof label, "published dip of the expert, %.3f", y[r->focus]);
        mark.hollow = true;
        lb_plot_points(a, &x, &y[r->focus], 1, mark, label);
    }
    lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), "zero: the mixed model");
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static bool settle(lb_study *s, result *r)
{
    const double focus = lb_spec_number(s->spec, "noise.focus");
    r->noise = lb_spec_numbers(s->spec, "noise.levels", &r->n);
    r->n_test = s->data.test.n;
    r->sigma0 = lb_spec_number(s->spec, "settings.sigma0");
    if (r->n < 2 || r->n > MOST) {
        lb_study_take(
            s, LB_FAIL(s->err, LB_EINVAL, "%zu noise levels, must be 2 to %d", r->n, (int)MOST));
        return false;
    }
    r->most = r->noise[r->n - 1];
    for (size_t j = 0; j < r->n; j++)
        if (fabs(r->noise[j] - focus) < fabs(r->noise[r->focus] - focus))
            r->focus = j;
    return true;
}

static void run(lb_study *s)
{
    result *r = lb_xcalloc(1, sizeof *r);
    if (settle(s, r)) {
        r->copies = lb_copies_new(&s->data, r->noise, r->n, lb_noise_seeds_of(s->spec), 1);
        make_folds(s, r);
        if (lb_study_ok(s))
            fit_all(s, r);
        for (size_t j = 0; j < r->n; j++)
            fit_expert(s, r, j);
    }
    if (lb_study_ok(s)) {
        predict(s, r);
        meet(s, r);
        put_scores(s, r);
        choose_order(s, r);
        put_adopted(s, r);
        put_covered(s, r);
        put_blind(s, r);
        put_stability(s, r);
        put_estimate(s, r);
        put_models(s, r);
    }
    if (lb_study_ok(s)) {
        tables_of_levels(s, r);
        table_stability(s);
        table_models(s);
        figure_scores(s, r);
        figure_gains(s, r);
    }
    lb_contest_free(r->t);
    lb_contest_free(r->covered);
    for (size_t k = 0; k < KINDS; k++)
        free(r->yhat[k]);
    free(r->estimate);
    for (size_t j = 0; j < MOST; j++)
        lb_conditional_free(r->expert[j]);
    lb_conditional_free(r->all);
    free(r->fold);
    lb_copies_free(r->copies);
    free(r);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e12_continuous_noise",
                             "One Ridge whose weights vary with the noise level against an expert "
                             "for every level and one mixed model.",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
