/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E10: how fast do hard routing and smooth conditioning lose their gain when the metallicity they
 * are told is wrong?
 *
 * Three hand bins with an expert each, and one conditional Ridge whose weights are linear in [M/H],
 * both trained with true labels. At test time the label is off by a normal error of sigma, ten
 * draws, the same for both. Beside it the error of an actual predictor.
 * Reads   spectra of the profile and of its replication, spec.yaml of e10_gate_noise
 * Writes  data/results/<profile>/e10_gate_noise.h5, figures e10_*
 */
#include "core/memory.h"
#include "data/gate_noise.h"
#include "experiments/e10_gate_noise/e10.h"
#include "stats/quantile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const e10_method[METHODS] = {"hard",       "cond",       "nine",
                                         "hard_tuned", "cond_tuned", "cond_free"};
const char *const e10_curve[CURVES] = {"hard", "cond_own", "cond_common"};
const char *const e10_curve_name[CURVES] = {"hard routing", "conditional, own gain",
                                            "conditional, common gain"};
const char *const e10_rule[RULES] = {"cond_robust",     "hard_sensitive", "both_collapse",
                                     "hard_acceptable", "strict_60",      "strict_80"};

const char *e10_sigma_key(double sigma, char out[16])
{
    const bool tenths = fabs(10.0 * sigma - round(10.0 * sigma)) < 1e-9;
    snprintf(out, 16, tenths ? "sigma_%.1f" : "sigma_%.2f", sigma);
    return out;
}

/* --- scores -------------------------------------------------------------------------------------
 */

/* Positions in the contest: the global model, then method by method its sigmas, then what the
 * predictor says. */
static size_t at(const told *t, size_t method, size_t sigma)
{
    return 1 + method * t->n_sigma + sigma;
}

/* region: contest */
/* Every draw of a sigma is a column of one model: a resample takes rows and one draw, the same for
 * all, so the intervals hold both. */
static lb_contest *contest(lb_study *s, const told *t, const lb_rowset *rows,
                           double *const predictor[2], size_t *n_models)
{
    const size_t n = t->cohort->test.n, r = t->draws, models = at(t, t->methods, 0);
    lb_entry *e = lb_xcalloc((models + 2) * r, sizeof *e);
    for (size_t k = 0; k < r; k++) {
        e[k] = (lb_entry){"global", t->moe.global.yhat_chosen, false};
        for (size_t method = 0; method < t->methods; method++)
            for (size_t q = 0; q < t->n_sigma; q++)
                e[at(t, method, q) * r + k] =
                    (lb_entry){e10_method[method], {e10_yhat(t, method, q, k), n}, true};
        for (size_t j = 0; predictor && j < 2; j++)
            e[(models + j) * r + k] = (lb_entry){"told by the predictor", {predictor[j], n}, false};
    }
    *n_models = models + (predictor ? 2 : 0);
    lb_contest *out =
        lb_contest_planned(s, t->cohort, rows, (lb_contest_plan){.columns = r}, e, *n_models);
    free(e);
    return out;
}
/* end region */

/* Standard deviation over the draws of one sigma, divisor draws - 1. */
static lb_number spread(lb_study *s, const told *t, const lb_contest *c, size_t model)
{
    double *r2 = lb_xcalloc(t->draws, sizeof *r2);
    for (size_t k = 0; k < t->draws && lb_study_ok(s); k++) {
        lb_number x;
        lb_study_take(s, lb_score_r2(lb_contest_outcome(c, model * t->draws + k), &x, s->err));
        r2[k] = x.value;
    }
    lb_number sd = lb_number_plain(lb_std(r2, t->draws, 1), "std", "");
    sd.digits = 4;
    sd.oracle = true;
    free(r2);
    return sd;
}

static void score_methods(lb_study *s, const told *t, const lb_contest *c, scores *x)
{
    x->global = lb_contest_r2(c, 0);
    for (size_t method = 0; method < t->methods; method++)
        for (size_t q = 0; q < t->n_sigma; q++) {
            const size_t model = at(t, method, q);
            x->r2[method][q] = lb_contest_r2(c, model);
            if (method > NINE)
                continue;
            x->sd[method][q] = spread(s, t, c, model);
            x->rho[method][OWN][q] = lb_contest_retention(c, model, 0, at(t, method, 0));
            x->rho[method][COMMON][q] = lb_contest_retention(c, model, 0, at(t, HARD, 0));
        }
}

/* --- where a curve falls below a level ----------------------------------------------------------
 */

/* Linear between the sigmas; INFINITY when it never falls below, NAN without a curve. */
static double crossing(const double *sigma, const double *rho, size_t n, double level)
{
    for (size_t q = 0; q < n; q++) {
        if (isnan(rho[q]))
            return NAN;
        if (rho[q] < level && q == 0)
            return sigma[0];
        if (rho[q] < level)
            return sigma[q - 1] +
                   (sigma[q] - sigma[q - 1]) * (rho[q - 1] - level) / (rho[q - 1] - rho[q]);
    }
    return INFINITY;
}

static const lb_number *curve_of(const scores *x, size_t curve)
{
    return x->rho[curve == 0 ? HARD : COND][curve == 2 ? COMMON : OWN];
}

/* Percentiles of the crossing over the resamples; none when a tail never falls below the level. */
static void interval_of(const double *sigma, const double *draws, size_t n, size_t b, double level,
                        lb_number *x)
{
    double *at_level = lb_xcalloc(b, sizeof *at_level), *rho = lb_xcalloc(n, sizeof *rho);
    size_t used = 0;
    for (size_t d = 0; d < b; d++) {
        for (size_t q = 0; q < n; q++)
            rho[q] = draws[q * b + d];
        const double c = crossing(sigma, rho, n, level);
        if (!isnan(c))
            at_level[used++] = c;
    }
    lb_sort(at_level, used);
    const double lo = used ? lb_quantile(at_level, used, 0.025) : NAN;
    const double hi = used ? lb_quantile(at_level, used, 0.975) : NAN;
    if (isfinite(lo) && isfinite(hi) && lo <= x->value && x->value <= hi) {
        x->ci_lo = lo;
        x->ci_hi = hi;
    }
    free(at_level);
    free(rho);
}

static void find_crossings(lb_study *s, const result *r, const lb_contest *c, size_t n_models,
                           scores *x)
{
    const told *t = &r->told;
    const size_t b = lb_spec_size(s->spec, "bootstrap.resamples");
    double *draws = lb_xcalloc(r->grid * b, sizeof *draws);
    double *top = lb_xcalloc(2 * n_models, sizeof *top), *bottom = top + n_models;
    for (size_t curve = 0; curve < CURVES; curve++) {
        const size_t method = curve == 0 ? HARD : COND, whole = curve == 2 ? HARD : method;
        double rho[MOST_SIGMAS];
        for (size_t q = 0; q < r->grid; q++) {
            memset(top, 0, 2 * n_models * sizeof *top);
            top[at(t, method, q)] = bottom[at(t, whole, 0)] = 1.0;
            top[0] = bottom[0] = -1.0;
            lb_contest_draws_ratio(c, top, bottom, draws + q * b);
            rho[q] = curve_of(x, curve)[q].value;
        }
        for (size_t j = 0; j < LEVELS; j++) {
            const double sigma = crossing(t->sigma, rho, r->grid, r->level[j]);
            lb_number *out = &x->crossing[curve][j];
            *out = isnan(sigma)   ? lb_number_na("sigma", "n/a (no gain)")
                   : isinf(sigma) ? lb_number_na("sigma", "n/a (not reached)")
                                  : lb_number_plain(sigma, "sigma", "dex");
            out->digits = 2;
            out->oracle = true;
            if (isfinite(sigma))
                interval_of(t->sigma, draws, r->grid, b, r->level[j], out);
        }
    }
    free(draws);
    free(top);
}

/* --- numbers ------------------------------------------------------------------------------------
 */

static void put_larger_not_run(lb_study *s, const result *r)
{
    static const char *const keys[] = {"r2.hard", "r2.cond", "rho_own.hard", "rho_own.cond",
                                       "rho_common.cond"};
    lb_study_put(s, lb_number_na("r2", "not run"), "large.r2.global");
    for (size_t q = 0; q < r->grid; q++)
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            char sigma[16];
            lb_study_put(s, lb_number_na(i < 2 ? "r2" : "retention", "not run"), "large.%s.%s",
                         e10_sigma_key(r->told.sigma[q], sigma), keys[i]);
        }
}

static lb_number in_percent(lb_number x)
{
    if (!*x.na) {
        x.value *= 100.0;
        x.ci_lo *= 100.0;
        x.ci_hi *= 100.0;
        x.se *= 100.0;
    }
    snprintf(x.kind, sizeof x.kind, "percent");
    snprintf(x.unit, sizeof x.unit, "%%");
    return x;
}

/* On all test rows everything; on other row sets ("covered.") what their table shows. */
static void put_scores(lb_study *s, const told *t, const scores *x, size_t n_sigma,
                       const char *prefix)
{
    const bool full = !*prefix;
    lb_study_put(s, x->global, "%sr2.global", prefix);
    for (size_t q = 0; q < n_sigma; q++)
        for (size_t method = 0; method < (full ? t->methods : COND + 1); method++) {
            char sigma[16], key[64];
            const char *name = e10_method[method];
            snprintf(key, sizeof key, "%s%s", prefix, e10_sigma_key(t->sigma[q], sigma));
            lb_study_put(s, x->r2[method][q], "%s.r2.%s", key, name);
            if (method > NINE)
                continue; /* a variant is read by its score */
            lb_study_put(s, x->rho[method][OWN][q], "%s.rho_own.%s", key, name);
            if (method == COND)
                lb_study_put(s, x->rho[method][COMMON][q], "%s.rho_common.%s", key, name);
            if (full && method <= COND) {
                lb_study_put(s, x->sd[method][q], "%s.std.%s", key, name);
                lb_study_put(s, in_percent(x->rho[method][OWN][q]), "%s.retention.%s", key, name);
            }
        }
}

/* What the variants with penalties chosen anew at every sigma have chosen. */
static void put_tuned(lb_study *s, const told *t, size_t n_sigma)
{
    for (size_t q = 0; q < n_sigma; q++) {
        char sigma[16];
        e10_sigma_key(t->sigma[q], sigma);
        lb_study_put(s, lb_number_plain(t->alpha[q], "alpha", ""), "%s.alpha.cond_tuned", sigma);
        lb_study_put(s, lb_number_count(t->kept[q]), "%s.n_alpha_kept.hard", sigma);
    }
    lb_study_put(s, lb_number_count(t->hand.bins.n), "n_experts.hard");
}

static void put_flips(lb_study *s, const told *t)
{
    for (size_t q = 0; q < t->n_sigma; q++) {
        char sigma[16];
        lb_number x = lb_number_plain(t->flips[q], "percent", "%");
        x.digits = 1;
        x.n = t->cohort->test.n;
        if (q + 1 < t->n_sigma)
            lb_study_put(s, x, "%s.flips", e10_sigma_key(t->sigma[q], sigma));
        else
            lb_study_put(s, x, "predictor.sigma.flips");
    }
}

/* An actual predictor in place of the drawn errors, and drawn errors of its size. */
static void put_predictor(lb_study *s, const result *r)
{
    const lb_cohort *c = &s->data;
    const lb_entry entry = {"[M/H] predictor", r->guess.test.yhat, false};
    lb_contest *t =
        lb_contest_planned(s, c, c->all, (lb_contest_plan){.target = c->test.mh}, &entry, 1);
    lb_study_put(s, lb_contest_r2(t, 0), "predictor.r2");
    lb_study_put(s, lb_contest_rmse(t, 0), "predictor.rmse");
    lb_contest_free(t);
    lb_study_put_alpha(s, &r->guess.penalty, "predictor.alpha");
    for (size_t j = HARD; j <= COND; j++) {
        const char *name = e10_method[j];
        lb_study_put(s, r->all.r2[j][r->grid], "predictor.sigma.r2.%s", name);
        lb_study_put(s, r->all.rho[j][OWN][r->grid], "predictor.sigma.rho_own.%s", name);
        if (j == COND)
            lb_study_put(s, r->all.rho[j][COMMON][r->grid], "predictor.sigma.rho_common.cond");
        lb_study_put(s, r->all.predictor_r2[j], "predictor.actual.r2.%s", name);
        lb_study_put(s, r->all.predictor_rho[j][OWN], "predictor.actual.rho_own.%s", name);
        if (j == COND)
            lb_study_put(s, r->all.predictor_rho[j][COMMON], "predictor.actual.rho_common.cond");
    }
    int *named = lb_strata_deal(&r->told.hand, r->guess.test.yhat);
    double wrong = 0.0;
    for (size_t i = 0; i < c->test.n; i++)
        wrong += named[i] != r->told.hand.domains.test[i];
    lb_number flips = lb_number_plain(100.0 * wrong / (double)c->test.n, "percent", "%");
    flips.digits = 1;
    lb_study_put(s, flips, "predictor.actual.flips");
    free(named);
}

/* --- rules --------------------------------------------------------------------------------------
 */

/* A share of one of the sets, which have their sigmas in common; NAN where it is not printed. */
typedef struct shares {
    const result *r;
    const scores *of;
} shares;

static double rho_at(shares x, size_t method, size_t denominator, double sigma)
{
    for (size_t q = 0; q < x.r->grid; q++)
        if (fabs(x.r->told.sigma[q] - sigma) < 1e-9)
            return x.of->rho[method][denominator][q].value;
    return NAN;
}

/* region: rules */
/* The rules of the plan on one denominator of the conditional model; 1 true, 0 false, NAN unknown.
 */
static void judge_rules(const lb_study *s, shares x, size_t denominator, double rule[RULES])
{
    const lb_spec *p = s->spec;
    const double collapse = lb_spec_number(p, "thresholds.collapse"),
                 keep = lb_spec_number(p, "thresholds.keep_low"),
                 keep_high = lb_spec_number(p, "thresholds.keep_high");
    const double large = lb_spec_number(p, "thresholds.sigma_large"),
                 sensitive = lb_spec_number(p, "thresholds.sigma_sensitive"),
                 small = lb_spec_number(p, "thresholds.sigma_small"),
                 accepted = lb_spec_number(p, "thresholds.sigma_accepted");
    const double cond = rho_at(x, COND, denominator, large), hard = rho_at(x, HARD, OWN, large);
    rule[0] = cond >= keep;
    rule[1] = rho_at(x, HARD, OWN, sensitive) < collapse;
    rule[2] =
        rho_at(x, HARD, OWN, small) < collapse && rho_at(x, COND, denominator, small) < collapse;
    rule[3] = rho_at(x, HARD, OWN, accepted) >= collapse;
    rule[4] = cond >= keep && hard < collapse;
    rule[5] = cond >= keep_high && hard < collapse;
    /* A share that is not printed leaves its rule open, unless the other share settles it. */
    const bool no_cond = isnan(cond), no_hard = isnan(hard);
    const bool cond_holds = rho_at(x, COND, denominator, small) >= collapse,
               hard_holds = rho_at(x, HARD, OWN, small) >= collapse;
    const bool open[RULES] = {no_cond,
                              no_hard,
                              (no_cond && !hard_holds) || (no_hard && !cond_holds),
                              no_hard,
                              (no_cond && !(hard >= collapse)) || (no_hard && !(cond < keep)),
                              (no_cond && !(hard >= collapse)) || (no_hard && !(cond < keep_high))};
    for (size_t i = 0; i < RULES; i++)
        if (open[i])
            rule[i] = NAN;
}
/* end region */

/* @p of NULL: that set was not run. */
static void put_rules(lb_study *s, const result *r, const scores *of, const char *prefix)
{
    static const char *const names[] = {"own", "common"};
    const char *missing = of ? "n/a" : "not run";
    for (size_t d = OWN; d <= COMMON; d++) {
        double rule[RULES];
        for (size_t i = 0; i < RULES; i++)
            rule[i] = NAN;
        if (of)
            judge_rules(s, (shares){r, of}, d, rule);
        for (size_t i = 0; i < RULES; i++) {
            const bool known = !isnan(rule[i]);
            lb_study_put(s, known ? lb_number_count(rule[i] > 0.0) : lb_number_na("count", missing),
                         "%srule.%s.%s", prefix, e10_rule[i], names[d]);
            lb_study_put_text(s,
                              !known          ? missing
                              : rule[i] > 0.0 ? "true"
                                              : "false",
                              "%srule.%s.%s.word", prefix, e10_rule[i], names[d]);
        }
        lb_study_put_text(s,
                          !of                                                  ? "not run"
                          : isnan(rule[4]) || isnan(rule[2]) || isnan(rule[3]) ? "no verdict"
                          : rule[4] > 0.0 ? "move to conditioning"
                          : rule[2] > 0.0 ? "learn a latent gate"
                          : rule[3] > 0.0 ? "improve the predictor"
                                          : "no row of the plan",
                          "%sdecision.%s", prefix, names[d]);
    }
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void score_main(lb_study *s, result *r)
{
    const size_t n = s->data.test.n;
    double *told_m = lb_xcalloc(3 * n, sizeof *told_m);
    double *const predictor[] = {told_m + n, told_m + 2 * n};
    memcpy(told_m, r->guess.test.yhat.data, n * sizeof *told_m);
    lb_clamp((lb_vec){told_m, n}, r->told.lo, r->told.hi);
    e10_predict(s, &r->told, HARD, told_m, predictor[HARD]);
    e10_predict(s, &r->told, COND, told_m, predictor[COND]);
    size_t models;
    lb_contest *all = contest(s, &r->told, s->data.all, predictor, &models);
    score_methods(s, &r->told, all, &r->all);
    find_crossings(s, r, all, models, &r->all);
    for (size_t j = HARD; j <= COND; j++) {
        r->all.predictor_r2[j] = lb_contest_r2(all, models - 2 + j);
        for (size_t d = OWN; d <= COMMON; d++)
            r->all.predictor_rho[j][d] =
                lb_contest_retention(all, models - 2 + j, 0, at(&r->told, d == OWN ? j : HARD, 0));
    }
    const size_t hard = models - 2 + HARD, cond = models - 2 + COND; /* told by the predictor */
    lb_study_put(s, lb_contest_delta(all, hard, 0), "predictor.actual.delta_r2.hard");
    lb_study_put(s, lb_contest_delta(all, cond, 0), "predictor.actual.delta_r2.cond");
    lb_study_put(s, lb_contest_delta(all, cond, hard), "predictor.actual.cond_minus_hard");
    lb_study_put(s, lb_contest_delta(all, at(&r->told, HARD, 0), 0), "oracle.delta_r2.hard");
    lb_study_put(s, lb_contest_delta(all, at(&r->told, COND, 0), 0), "oracle.delta_r2.cond");
    lb_study_put(s, lb_contest_delta(all, at(&r->told, NINE, 0), 0), "oracle.delta_r2.nine");
    for (size_t q = 0; q < r->grid; q++) {
        char sigma[16];
        e10_sigma_key(r->told.sigma[q], sigma);
        lb_study_put(s, lb_contest_delta(all, at(&r->told, COND, q), at(&r->told, HARD, q)),
                     "%s.cond_minus_hard", sigma);
        lb_study_put(s, lb_contest_delta(all, at(&r->told, HARD, q), 0), "%s.delta_r2.hard", sigma);
        lb_study_put(s, lb_contest_delta(all, at(&r->told, COND, q), 0), "%s.delta_r2.cond", sigma);
    }
    lb_contest_free(all);
    lb_contest *covered = contest(s, &r->told, s->data.covered, NULL, &models);
    score_methods(s, &r->told, covered, &r->covered);
    lb_contest_free(covered);
    free(told_m);
}

static void put_main(lb_study *s, const result *r)
{
    put_scores(s, &r->told, &r->all, r->grid, "");
    put_scores(s, &r->told, &r->covered, r->grid, "covered.");
    put_flips(s, &r->told);
    put_tuned(s, &r->told, r->grid);
    put_predictor(s, r);
    put_rules(s, r, &r->all, "");
    for (size_t curve = 0; curve < CURVES; curve++)
        for (size_t j = 0; j < LEVELS; j++)
            lb_study_put(s, r->all.crossing[curve][j], "crossing.%s.at_%.0f", e10_curve[curve],
                         100.0 * r->level[j]);
    lb_study_put(s, lb_number_count(e10_zero_differs(&r->told)), "zero_differs");
    const lb_sweep_model cond = lb_conditional_get(r->told.cond, 0);
    lb_study_put_alpha(s, &r->told.moe.global, "alpha.global");
    lb_study_put_alpha(s, &cond, "alpha.cond");
    for (size_t e = 0; e < r->told.hand.bins.n; e++) {
        const lb_sweep_model m = lb_moe_expert(&r->told.moe, 0, e);
        lb_study_put_alpha(s, &m, "alpha.e%zu", e);
    }
}

static void run_main(lb_study *s, result *r)
{
    const lb_cohort *c = &s->data;
    size_t n_levels;
    const double *sigma = lb_spec_numbers(s->spec, "settings.sigma", &r->grid);
    const double *level = lb_spec_numbers(s->spec, "settings.levels", &n_levels);
    memcpy(r->level, level, LEVELS * sizeof *level);
    lb_guess_make(s, c, r->noise, lb_noise_seeds_of(s->spec),
                  (lb_by_row){c->train.mh, c->val.mh, c->test.mh},
                  lb_spec_size(s->spec, "settings.folds"),
                  lb_spec_size(s->spec, "settings.fold_seed"), &r->guess);
    e10_fit(s, c, r->noise, METHODS, &r->told);
    memcpy(r->told.sigma, sigma, r->grid * sizeof *sigma);
    r->told.sigma[r->grid] = r->guess.test.rmse;
    r->told.n_sigma = r->grid + 1;
    e10_tell(s, r->noise, &r->told);
    if (!lb_study_ok(s))
        return;
    score_main(s, r);
    put_main(s, r);
}

/* The contest once more on the larger set, without the variants. */
static void run_larger(lb_study *s, result *r)
{
    told *t = &r->larger;
    if (!s->has_more) {
        put_larger_not_run(s, r);
        put_rules(s, r, NULL, "large.");
        return;
    }
    e10_fit(s, &s->more, r->noise, COND + 1, t);
    memcpy(t->sigma, r->told.sigma, r->grid * sizeof *t->sigma);
    t->n_sigma = r->grid;
    e10_tell(s, r->noise, t);
    if (!lb_study_ok(s))
        return;
    size_t models;
    lb_contest *c = contest(s, t, s->more.all, NULL, &models);
    score_methods(s, t, c, &r->more);
    lb_contest_free(c);
    put_scores(s, t, &r->more, r->grid, "large.");
    put_rules(s, r, &r->more, "large.");
}

static void run(lb_study *s)
{
    result *r = lb_xcalloc(1, sizeof *r);
    r->noise = lb_spec_number(s->spec, "noise.focus");
    run_main(s, r);
    if (lb_study_ok(s))
        run_larger(s, r);
    if (lb_study_ok(s)) {
        e10_tables(s, r);
        e10_figures(s, r);
    }
    lb_guess_free(&r->guess);
    e10_free(&r->told);
    e10_free(&r->larger);
    free(r);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e10_gate_noise",
                             "Hard routing and smooth conditioning told a wrong metallicity.", run,
                             true};
    return lb_study_main(argc, argv, &e);
}
