/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E04: an expert for every noise level against one model trained on all levels.
 *
 * Five Ridge experts, each fitted and selected at one level; one mixed Ridge trained on the noisy
 * copies of all levels; and, because that one sees five times the rows, a mixed Ridge of as many
 * rows as an expert. Every model is scored at every level: what does a wrong guess of the level
 * cost, and which model is safe when the level is unknown?
 * Reads   spectra of the profile; templates/experiments/e04_noise_experts/spec.yaml
 * Writes  data/results/<profile>/e04_noise_experts.h5, figures e04_*
 */
#include "core/memory.h"
#include "core/random.h"
#include "core/text.h"
#include "figure/plot.h"
#include "stats/verdict.h"
#include "study/contest.h"
#include "study/copies.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8 }; /* noise levels */

/* One model a level each: the expert of that level; the mixed model; the one of equal size; the
 * mixed model with a penalty of its own for each level, chosen on validation rows; and the legacy
 * pair, penalties chosen on the test rows. */
enum { MATCHED, MIXED, EQUAL, TUNED, OLD_EXPERT, OLD_MIXED, KINDS };

/* Members of the sweep after the experts. */
enum { SWEEP_MIXED, SWEEP_EQUAL, SWEEP_MORE };

typedef struct candidate {
    char name[32];
    lb_number mean, least;
    size_t worst; /* level of the least score */
} candidate;

/* What tables and figures need; the numbers themselves are in the record. */
typedef struct result {
    size_t n, n_test, n_val;
    const double *noise;
    lb_copies *copies;
    lb_sweep *sweep;
    lb_contest *t;
    lb_number cross[MOST][MOST], r2[KINDS][MOST];
    lb_number delta[MOST], delta_equal[MOST];
    candidate with[MOST + 2]; /* experts, mixed, equal */
    size_t minimax, by_mean;  /* experts */
} result;

/* --- the models ---------------------------------------------------------------------------------
 */

/* region: models */
/* Rows of level l are group 2 l or, where the size control picked that copy of the star, 2 l + 1.
 * So one pass over all copies serves every expert (2 l and 2 l + 1), the mixed model (all groups)
 * and the mixed model of equal size (the odd ones). */
static void fit(lb_study *s, result *r)
{
    const lb_copies_side *train = lb_copies_train(r->copies), *val = lb_copies_val(r->copies);
    const lb_copies_side *test = lb_copies_test(r->copies);
    const size_t n = r->n, groups = 2 * n, members = n + SWEEP_MORE;
    int *of_train = lb_xcalloc(n * train->n, sizeof *of_train);
    int *of_val = lb_xcalloc(n * val->n, sizeof *of_val);
    bool(*use)[2 * MOST] = lb_xcalloc(members, sizeof *use);
    lb_member *member = lb_xcalloc(members, sizeof *member);

    lb_rng rng = lb_rng_make(lb_spec_size(s->spec, "settings.size_control_seed"), 0);
    for (size_t i = 0; i < train->n; i++) {
        const size_t picked = lb_rng_below(&rng, n);
        for (size_t l = 0; l < n; l++)
            of_train[l * train->n + i] = (int)(2 * l + (l == picked));
    }
    for (size_t i = 0; i < n * val->n; i++)
        of_val[i] = 2 * val->level[i] + 1; /* every copy helps to select every model that uses it */
    for (size_t g = 0; g < groups; g++) {
        use[g / 2][g] = true;
        use[n + SWEEP_MIXED][g] = true;
        use[n + SWEEP_EQUAL][g] = g % 2 == 1;
    }
    for (size_t m = 0; m < members; m++)
        member[m] = (lb_member){m < n ? "expert" : "mixed", use[m]};

    /* Validation rows are predicted too: they choose the penalty level by level. */
    const lb_stream known[] = {test->x, val->x};
    lb_joined both = {known, 2};
    const lb_stream predicted = lb_stream_joined(&both);
    const lb_labelled rows = {train->x, {train->target, n * train->n}, of_train};
    const lb_labelled chosen_on = {val->x, {val->target, n * val->n}, of_val};
    lb_sweep_options options = {.groups = groups};
    options.alphas.data = lb_spec_numbers(s->spec, "ridge.alphas", &options.alphas.n);
    options.extend_decades = (int)lb_spec_size(s->spec, "ridge.extend_decades");
    lb_study_take(s, lb_sweep_run(&rows, &chosen_on, &predicted, member, members, options,
                                  &r->sweep, s->err));
    free(of_train);
    free(of_val);
    free(use);
    free(member);
}
/* end region */

/* Of the first alphas of a model, that with the smallest squared error on rows first to first + n
 * (excluded) of what was predicted; a tie goes to the larger one. */
static size_t best_on(const lb_sweep_model *m, size_t alphas, size_t first, const double *y,
                      size_t n)
{
    size_t best = 0;
    double least = INFINITY;
    for (size_t a = 0; a < alphas; a++) {
        const double *yhat = m->yhat.data + a * m->yhat.stride + first;
        double sum = 0.0;
        for (size_t i = 0; i < n; i++)
            sum += (y[i] - yhat[i]) * (y[i] - yhat[i]);
        if (sum < least || (sum <= least && m->alphas.data[a] > m->alphas.data[best])) {
            least = sum;
            best = a;
        }
    }
    return best;
}

static size_t at_cross(const result *r, size_t expert, size_t level)
{
    return expert * r->n + level;
}

static size_t at(const result *r, size_t kind, size_t level)
{
    return (r->n + kind) * r->n + level;
}

/* Predictions at a level with the penalty of that index. */
static lb_cvec said(const result *r, const lb_sweep_model *m, size_t alpha, size_t level)
{
    return (lb_cvec){m->yhat.data + alpha * m->yhat.stride + level * r->n_test, r->n_test};
}

static lb_number level_of(const result *r, size_t level)
{
    lb_number x = lb_number_plain(r->noise[level], "level", "");
    x.digits = 1;
    return x;
}

static void put_legacy_alpha(lb_study *s, const lb_sweep_model *m, size_t alpha, const char *model,
                             double noise)
{
    lb_study_put(s, lb_number_plain(m->alphas.data[alpha], "alpha", ""),
                 "legacy.noise_%.1f.alpha.%s", noise, model);
}

/* All models at all levels, on the same test stars with the same noise. */
static void meet(lb_study *s, result *r)
{
    const lb_copies_side *val = lb_copies_val(r->copies);
    const double *y_test = s->data.test.target;
    const lb_sweep_model mixed = lb_sweep_get(r->sweep, r->n + SWEEP_MIXED);
    const lb_sweep_model equal = lb_sweep_get(r->sweep, r->n + SWEEP_EQUAL);
    lb_entry *e = lb_xcalloc((r->n + KINDS) * r->n, sizeof *e);
    for (size_t j = 0; j < r->n; j++) {
        const lb_sweep_model own = lb_sweep_get(r->sweep, j);
        const size_t on_val = r->n * r->n_test + j * r->n_val;
        /* The control may use all penalties the mixed model had; the legacy grid is as given. */
        const size_t tuned = best_on(&mixed, mixed.alphas.n, on_val, val->target, r->n_val);
        const size_t old_mixed = best_on(&mixed, mixed.n_grid, j * r->n_test, y_test, r->n_test);
        const size_t old_own = best_on(&own, own.n_grid, j * r->n_test, y_test, r->n_test);
        for (size_t i = 0; i < r->n; i++) {
            const lb_sweep_model m = lb_sweep_get(r->sweep, i);
            e[at_cross(r, i, j)] = (lb_entry){"expert", said(r, &m, m.chosen.index, j), false};
        }
        e[at(r, MATCHED, j)] = (lb_entry){"matched", said(r, &own, own.chosen.index, j), true};
        e[at(r, MIXED, j)] = (lb_entry){"mixed", said(r, &mixed, mixed.chosen.index, j), false};
        e[at(r, EQUAL, j)] = (lb_entry){"equal", said(r, &equal, equal.chosen.index, j), false};
        e[at(r, TUNED, j)] = (lb_entry){"tuned", said(r, &mixed, tuned, j), true};
        e[at(r, OLD_EXPERT, j)] = (lb_entry){"legacy expert", said(r, &own, old_own, j), true};
        e[at(r, OLD_MIXED, j)] = (lb_entry){"legacy mixed", said(r, &mixed, old_mixed, j), true};
        put_legacy_alpha(s, &own, old_own, "expert", r->noise[j]);
        put_legacy_alpha(s, &mixed, old_mixed, "mixed", r->noise[j]);
        lb_study_put(s, lb_number_plain(mixed.alphas.data[tuned], "alpha", ""),
                     "noise_%.1f.alpha.tuned", r->noise[j]);
        lb_study_put_alpha(s, &own, "noise_%.1f.alpha.expert", r->noise[j]);
    }
    lb_study_put_alpha(s, &mixed, "mixed.alpha");
    lb_study_put_alpha(s, &equal, "equal.alpha");
    lb_study_put(s, lb_number_count(mixed.n_train), "mixed.n_train");
    lb_study_put(s, lb_number_count(equal.n_train), "equal.n_train");
    lb_study_put(s, lb_number_count(mixed.n_val), "mixed.n_val");
    r->t = lb_contest_on(s, &s->data, s->data.all, e, (r->n + KINDS) * r->n);
    free(e);
}

/* --- level by level -----------------------------------------------------------------------------
 */

/* Mean over the levels of the score of one kind of model, minus that of another (KINDS: none). */
static lb_number mean_over_levels(const result *r, size_t kind, size_t minus)
{
    double *weights = lb_xcalloc((r->n + KINDS) * r->n, sizeof *weights);
    for (size_t j = 0; j < r->n; j++) {
        weights[at(r, kind, j)] += 1.0 / (double)r->n;
        if (minus < KINDS)
            weights[at(r, minus, j)] -= 1.0 / (double)r->n;
    }
    const lb_number x = lb_contest_combination(r->t, weights);
    free(weights);
    return x;
}

static void put_ladder(lb_study *s, const lb_number *delta, const char *key)
{
    const double valuable = lb_spec_number(s->spec, "thresholds.valuable");
    lb_study_put_text(s, lb_rung_word(lb_ladder(delta, valuable)), "%s", key);
}

/* region: levels */
/* Expert against the mixed models at one level, on the same rows. */
static void put_level(lb_study *s, result *r, size_t j)
{
    static const char *const names[] = {"expert", "mixed", "equal", "tuned"};
    const double v = r->noise[j];
    char key[32];
    for (size_t k = MATCHED; k <= TUNED; k++) {
        r->r2[k][j] = lb_contest_r2(r->t, at(r, k, j));
        lb_study_put(s, r->r2[k][j], "noise_%.1f.r2.%s", v, names[k]);
    }
    r->delta[j] = lb_contest_delta(r->t, at(r, MATCHED, j), at(r, MIXED, j));
    r->delta_equal[j] = lb_contest_delta(r->t, at(r, MATCHED, j), at(r, EQUAL, j));
    lb_study_put(s, r->delta[j], "noise_%.1f.delta_r2", v);
    lb_study_put(s, r->delta_equal[j], "noise_%.1f.delta_r2.equal", v);
    lb_study_put(s, lb_contest_delta(r->t, at(r, MIXED, j), at(r, EQUAL, j)),
                 "noise_%.1f.delta_r2.size", v);
    lb_study_put(s, lb_contest_delta(r->t, at(r, MATCHED, j), at(r, TUNED, j)),
                 "noise_%.1f.delta_r2.tuned", v);
    snprintf(key, sizeof key, "noise_%.1f.ladder", v);
    put_ladder(s, &r->delta[j], key);
    lb_study_put_text(s,
                      r->delta[j].ci_hi < 0.0   ? "below 0, significant"
                      : r->delta[j].value < 0.0 ? "below 0"
                                                : "",
                      "noise_%.1f.flag", v);
}
/* end region */

static void put_means(lb_study *s, const result *r)
{
    const lb_number gain = mean_over_levels(r, MATCHED, MIXED);
    lb_study_put(s, mean_over_levels(r, MATCHED, KINDS), "mean.r2.expert");
    lb_study_put(s, mean_over_levels(r, MIXED, KINDS), "mean.r2.mixed");
    lb_study_put(s, mean_over_levels(r, EQUAL, KINDS), "mean.r2.equal");
    lb_study_put(s, mean_over_levels(r, TUNED, KINDS), "mean.r2.tuned");
    lb_study_put(s, gain, "mean.delta_r2");
    lb_study_put(s, mean_over_levels(r, MATCHED, EQUAL), "mean.delta_r2.equal");
    lb_study_put(s, mean_over_levels(r, MATCHED, TUNED), "mean.delta_r2.tuned");
    lb_study_put(s, mean_over_levels(r, MIXED, EQUAL), "mean.delta_r2.size");
    put_ladder(s, &gain, "mean.ladder");
}

/* Levels at which the expert is ahead or behind, and the one at which it does worst. */
static void put_signs(lb_study *s, const result *r)
{
    size_t ahead = 0, negative = 0, lowest = 0;
    for (size_t j = 0; j < r->n; j++) {
        ahead += r->delta[j].ci_lo > 0.0;
        negative += r->delta[j].value < 0.0;
        lowest = r->delta[j].value < r->delta[lowest].value ? j : lowest;
    }
    lb_study_put(s, lb_number_count(r->n), "n_levels");
    lb_study_put(s, lb_number_count(ahead), "n_levels_ahead");
    lb_study_put(s, lb_number_count(negative), "n_levels_negative");
    lb_study_put(s, level_of(r, 0), "lowest_noise");
    lb_study_put(s, level_of(r, r->n - 1), "highest_level");
    lb_study_put(s, level_of(r, lowest), "lowest.level");
    lb_study_put(s, r->delta[lowest], "lowest.delta_r2");
    lb_study_put(s, r->delta_equal[lowest], "lowest.delta_r2.equal");
}

/* Noise in the training rows is a penalty that grows with the square of the level; copies of all
 * levels average it, so the mixed model is made for the root mean square of the levels. */
static void put_home(lb_study *s, const result *r)
{
    double sum = 0.0;
    size_t nearest = 0;
    for (size_t j = 0; j < r->n; j++)
        sum += r->noise[j] * r->noise[j] / (double)r->n;
    for (size_t j = 0; j < r->n; j++)
        if (fabs(r->noise[j] - sqrt(sum)) < fabs(r->noise[nearest] - sqrt(sum)))
            nearest = j;
    lb_study_put(s, lb_number_plain(sqrt(sum), "level", ""), "mixed.rms_level");
    lb_study_put(s, level_of(r, nearest), "mixed.nearest_level");
    lb_study_put(s, r->delta[nearest], "mixed.nearest.delta_r2");
    lb_study_put(s, r->delta_equal[nearest], "mixed.nearest.delta_r2.equal");
}

/* As it was first published: every penalty chosen on the test rows it is scored on, the mixed
 * model's anew at every level, which makes it several models. */
static void put_legacy(lb_study *s, const result *r)
{
    for (size_t j = 0; j <= r->n; j++) {
        const bool mean = j == r->n; /* after the levels */
        const size_t expert = at(r, OLD_EXPERT, j), mixed = at(r, OLD_MIXED, j);
        lb_number numbers[] = {
            mean ? mean_over_levels(r, OLD_EXPERT, KINDS) : lb_contest_r2(r->t, expert),
            mean ? mean_over_levels(r, OLD_MIXED, KINDS) : lb_contest_r2(r->t, mixed),
            mean ? mean_over_levels(r, OLD_EXPERT, OLD_MIXED)
                 : lb_contest_delta(r->t, expert, mixed)};
        static const char *const names[] = {"r2.expert", "r2.mixed", "delta_r2"};
        char row[32] = "mean";
        if (!mean)
            snprintf(row, sizeof row, "noise_%.1f", r->noise[j]);
        for (size_t q = 0; q < 3; q++) {
            snprintf(numbers[q].protocol, sizeof numbers[q].protocol, "legacy");
            lb_study_put(s, numbers[q], "legacy.%s.%s", row, names[q]);
        }
    }
}

/* --- the wrong expert ---------------------------------------------------------------------------
 */

static void put_cross(lb_study *s, result *r)
{
    size_t up = 0, down = 0, pairs = r->n * (r->n - 1) / 2;
    for (size_t i = 0; i < r->n; i++)
        for (size_t j = 0; j < r->n; j++) {
            r->cross[i][j] = lb_contest_r2(r->t, at_cross(r, i, j));
            lb_study_put(s, r->cross[i][j], "cross.train_%.1f.test_%.1f.r2", r->noise[i],
                         r->noise[j]);
            up += i < j && r->cross[i][j].value < 0.0;
            down += i > j && r->cross[i][j].value < 0.0;
        }
    /* The expert of the least noise upwards, that of the most noise downwards. */
    size_t worst_up = 1, worst_down = 0;
    for (size_t j = 1; j < r->n; j++) {
        if (r->cross[0][j].value < r->cross[0][worst_up].value)
            worst_up = j;
        if (r->cross[r->n - 1][j - 1].value < r->cross[r->n - 1][worst_down].value)
            worst_down = j - 1;
    }
    lb_study_put(s, r->cross[0][worst_up], "mismatch.up.worst");
    lb_study_put(s, level_of(r, worst_up), "mismatch.up.worst_level");
    lb_study_put(s, r->cross[r->n - 1][worst_down], "mismatch.down.worst");
    lb_study_put(s, lb_number_count(up), "mismatch.up.n_negative");
    lb_study_put(s, lb_number_count(down), "mismatch.down.n_negative");
    lb_study_put(s, lb_number_count(pairs), "mismatch.n_pairs");
}

/* Mean and least score over the test levels of entries first .. first + n - 1. */
static candidate judge(const result *r, size_t first, const char *name)
{
    candidate c = {.least = {.value = INFINITY}};
    double *weights = lb_xcalloc((r->n + KINDS) * r->n, sizeof *weights);
    for (size_t j = 0; j < r->n; j++) {
        const lb_number x = lb_contest_r2(r->t, first + j);
        weights[first + j] = 1.0 / (double)r->n;
        if (x.value < c.least.value) {
            c.least = x;
            c.worst = j;
        }
    }
    c.mean = lb_contest_combination(r->t, weights);
    snprintf(c.name, sizeof c.name, "%s", name);
    free(weights);
    return c;
}

static void put_candidate(lb_study *s, const result *r, const candidate *c, const char *key)
{
    lb_study_put(s, c->mean, "default.%s.mean_r2", key);
    lb_study_put(s, c->least, "default.%s.min_r2", key);
    lb_study_put(s, level_of(r, c->worst), "default.%s.worst_level", key);
}

/* The rule: of the experts, the one whose worst level is best; beside it the one with the best
 * mean. Both are then held against the mixed model. */
static void put_default(lb_study *s, result *r)
{
    char key[32];
    for (size_t i = 0; i < r->n; i++) {
        snprintf(key, sizeof key, "expert %.1f", r->noise[i]);
        r->with[i] = judge(r, at_cross(r, i, 0), key);
        snprintf(key, sizeof key, "expert_%.1f", r->noise[i]);
        put_candidate(s, r, &r->with[i], key);
        if (r->with[i].least.value > r->with[r->minimax].least.value)
            r->minimax = i;
        if (r->with[i].mean.value > r->with[r->by_mean].mean.value)
            r->by_mean = i;
    }
    r->with[r->n] = judge(r, at(r, MIXED, 0), "mixed");
    r->with[r->n + 1] = judge(r, at(r, EQUAL, 0), "mixed, equal size");
    put_candidate(s, r, &r->with[r->n], "mixed");
    put_candidate(s, r, &r->with[r->n + 1], "equal");

    const candidate *safe = &r->with[r->minimax], *good = &r->with[r->by_mean];
    const candidate *mixed = &r->with[r->n];
    lb_study_put(s, level_of(r, r->minimax), "default.minimax.level");
    lb_study_put(s, level_of(r, r->by_mean), "default.by_mean.level");
    put_candidate(s, r, safe, "minimax");
    put_candidate(s, r, good, "by_mean");
    lb_study_put(
        s, lb_contest_delta(r->t, at_cross(r, r->minimax, safe->worst), at(r, MIXED, mixed->worst)),
        "default.minimax.delta_r2.worst");
    double *weights = lb_xcalloc((r->n + KINDS) * r->n, sizeof *weights);
    for (size_t j = 0; j < r->n; j++) {
        weights[at_cross(r, r->minimax, j)] = 1.0 / (double)r->n;
        weights[at(r, MIXED, j)] = -1.0 / (double)r->n;
    }
    lb_study_put(s, lb_contest_combination(r->t, weights), "default.minimax.delta_r2.mean");
    free(weights);
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void table_levels(lb_study *s, const result *r)
{
    lb_study_table(s, "T04.1", "noise|R² expert|α|R² mixed|α|ΔR²:+|95 % CI:ci|n|verdict|sign");
    for (size_t j = 0; j < r->n; j++)
        lb_study_row(s, "T04.1",
                     "=%1$.1f|noise_%1$.1f.r2.expert|noise_%1$.1f.alpha.expert.marked|"
                     "noise_%1$.1f.r2.mixed|mixed.alpha.marked|noise_%1$.1f.delta_r2|"
                     "noise_%1$.1f.delta_r2|data.n_test|noise_%1$.1f.ladder|noise_%1$.1f.flag",
                     r->noise[j]);
    lb_study_row(s, "T04.1",
                 "=mean|mean.r2.expert|= |mean.r2.mixed|= |mean.delta_r2|mean.delta_r2|data.n_test|"
                 "mean.ladder|= ");
}

/* Rows are experts, columns test levels: the matched ones stand on the diagonal. */
static void table_cross(lb_study *s, const result *r)
{
    lb_column columns[MOST + 1] = {{"trained at", ""}};
    char heads[MOST][32];
    for (size_t i = 0; i < r->n; i++) {
        snprintf(heads[i], sizeof heads[i], "tested at %.1f", r->noise[i]);
        columns[i + 1] = (lb_column){heads[i], "diagonal"};
    }
    lb_record_table(s->record, "T04.2", r->n + 1, columns);
    for (size_t i = 0; i < r->n; i++) {
        lb_text cells = {0};
        lb_text_printf(&cells, "=%.1f", r->noise[i]);
        for (size_t j = 0; j < r->n; j++)
            lb_text_printf(&cells, "|cross.train_%.1f.test_%.1f.r2", r->noise[i], r->noise[j]);
        lb_study_row(s, "T04.2", "%s", cells.s);
        lb_text_free(&cells);
    }
}

static void row_of_default(lb_study *s, const candidate *c, const char *key, const char *chosen)
{
    lb_study_row(s, "T04.3",
                 "=%1$s|default.%2$s.mean_r2|default.%2$s.mean_r2|default.%2$s.min_r2|"
                 "default.%2$s.min_r2|default.%2$s.worst_level|=%3$s",
                 c->name, key, chosen);
}

static void table_default(lb_study *s, const result *r)
{
    char key[32];
    lb_study_table(s, "T04.3",
                   "model|mean R²|95 % CI:ci|least R²|95 % CI:ci|at noise:.1f|chosen by");
    for (size_t i = 0; i < r->n; i++) {
        const bool safe = i == r->minimax, good = i == r->by_mean;
        snprintf(key, sizeof key, "expert_%.1f", r->noise[i]);
        row_of_default(s, &r->with[i], key,
                       safe && good ? "minimax and mean"
                       : safe       ? "minimax"
                       : good       ? "mean"
                                    : " ");
    }
    row_of_default(s, &r->with[r->n], "mixed", " ");
    row_of_default(s, &r->with[r->n + 1], "equal", " ");
}

/* What the number of rows and what the penalty has to do with the gain. */
static void table_controls(lb_study *s, const result *r)
{
    lb_study_table(s, "T04.4",
                   "noise|R² mixed, equal size|expert − it:+|95 % CI:ci|mixed − it:+|95 % CI:ci|R² "
                   "mixed, α per level|α|expert − it:+|95 % CI:ci");
    for (size_t j = 0; j < r->n; j++)
        lb_study_row(s, "T04.4",
                     "=%1$.1f|noise_%1$.1f.r2.equal|noise_%1$.1f.delta_r2.equal|"
                     "noise_%1$.1f.delta_r2.equal|noise_%1$.1f.delta_r2.size|"
                     "noise_%1$.1f.delta_r2.size|noise_%1$.1f.r2.tuned|noise_%1$.1f.alpha.tuned|"
                     "noise_%1$.1f.delta_r2.tuned|noise_%1$.1f.delta_r2.tuned",
                     r->noise[j]);
    lb_study_row(s, "T04.4",
                 "=mean|mean.r2.equal|mean.delta_r2.equal|mean.delta_r2.equal|mean.delta_r2.size|"
                 "mean.delta_r2.size|mean.r2.tuned|= |mean.delta_r2.tuned|mean.delta_r2.tuned");
}

static void table_legacy(lb_study *s, const result *r)
{
    lb_study_table(s, "T04.5", "noise|R² expert|α|R² mixed*|α|ΔR²:+|ΔR² with one α:+");
    for (size_t j = 0; j < r->n; j++)
        lb_study_row(s, "T04.5",
                     "=%1$.1f|legacy.noise_%1$.1f.r2.expert|legacy.noise_%1$.1f.alpha.expert|"
                     "legacy.noise_%1$.1f.r2.mixed|legacy.noise_%1$.1f.alpha.mixed|"
                     "legacy.noise_%1$.1f.delta_r2|noise_%1$.1f.delta_r2",
                     r->noise[j]);
    lb_study_row(s, "T04.5",
                 "=mean|legacy.mean.r2.expert|= |legacy.mean.r2.mixed|= |legacy.mean.delta_r2|"
                 "mean.delta_r2");
}

/* --- figures ------------------------------------------------------------------------------------
 */

static char *title_for(const lb_study *s, const char *what)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE];
    return lb_xprintf("%s\nE04, %s training stars, %s test stars at every noise level", what,
                      lb_count_text(s->data.train.n, train), lb_count_text(s->data.test.n, test));
}

/* A named slot of an axis for every level. */
typedef struct slots {
    char text[MOST][24];
    const char *names[MOST];
} slots;

static void name_slots(const result *r, const char *format, slots *out)
{
    for (size_t j = 0; j < r->n; j++) {
        char *text = lb_xprintf(format, r->noise[j]);
        snprintf(out->text[j], sizeof out->text[j], "%s", text);
        out->names[j] = out->text[j];
        free(text);
    }
}

static void take(const lb_number *x, size_t n, double *y, double *lo, double *hi)
{
    for (size_t j = 0; j < n; j++) {
        y[j] = x[j].value;
        lo[j] = x[j].ci_lo;
        hi[j] = x[j].ci_hi;
    }
}

static void panel_scores(lb_figure *f, const result *r, const char *const *names)
{
    static const char *const labels[] = {"expert of the level", "mixed model"};
    const lb_role roles[] = {LB_MIXTURE, LB_GLOBAL};
    lb_axes *a = lb_figure_panel(f, 0, 0, 2, 1);
    lb_axes_x_names(a, NULL, names, r->n);
    lb_axes_y(a, "R^{2}", NAN, NAN, LB_LINEAR);
    for (size_t k = 0; k < 2; k++) {
        double y[MOST], lo[MOST], hi[MOST];
        take(r->r2[k], r->n, y, lo, hi);
        lb_plot_bars(a, (lb_bars){.y = y,
                                  .lo = lo,
                                  .hi = hi,
                                  .n = r->n,
                                  .series = k,
                                  .of = 2,
                                  .style = lb_style_role(roles[k]),
                                  .format = "%.3f",
                                  .label = labels[k]});
    }
}

static void panel_gains(const lb_study *s, lb_figure *f, const result *r, const char *const *names)
{
    const double valuable = lb_spec_number(s->spec, "thresholds.valuable");
    double y[MOST], lo[MOST], hi[MOST], x[MOST], e[MOST], elo[MOST], ehi[MOST];
    lb_style styles[MOST], hollow = lb_style_role(LB_NEUTRAL);
    size_t rows[MOST];
    char text[48];
    take(r->delta, r->n, y, lo, hi);
    take(r->delta_equal, r->n, e, elo, ehi);
    for (size_t j = 0; j < r->n; j++) {
        styles[j] = lb_style_role(y[j] < 0.0 ? LB_GLOBAL : LB_MIXTURE);
        if (y[j] < 0.0)
            styles[j].hatch = LB_HATCH_UP;
        rows[j] = r->n_test;
        x[j] = (double)j + 0.3;
    }
    hollow.hollow = true;
    lb_axes *a = lb_figure_panel(f, 1, 0, 2, 1);
    lb_axes_x_names(a, NULL, names, r->n);
    lb_axes_x_counts(a, rows, r->n);
    lb_axes_y(a, "ΔR^{2} (expert - mixed)", NAN, NAN, LB_LINEAR);
    lb_plot_bars(
        a, (lb_bars){.y = y, .lo = lo, .hi = hi, .n = r->n, .styles = styles, .format = "%+.4f"});
    lb_plot_errors(a, x, e, elo, ehi, r->n, hollow, "against the mixed model of equal size");
    snprintf(text, sizeof text, "threshold %.2f", valuable);
    lb_plot_hline(a, valuable, lb_style_role(LB_THRESHOLD), text);
    lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), "zero");
    lb_record_series(s->record, "F04.1/delta_r2", y, r->n);
    lb_record_series(s->record, "F04.1/delta_r2_equal", e, r->n);
}

static void figure_levels(lb_study *s, const result *r)
{
    slots at_level;
    name_slots(r, "noise %.1f", &at_level);
    char *stem = lb_study_figure(s, "F04.1"),
         *title = title_for(s, "Experts of one level against one mixed model");
    lb_figure *f = lb_figure_new(stem, 6.5, 6.2, title,
                                 "Top: R2 of the matched expert and of the mixed model at each "
                                 "noise level. Bottom: their difference with its interval, and the "
                                 "same against a mixed model of equal size.");
    panel_scores(f, r, at_level.names);
    panel_gains(s, f, r, at_level.names);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_cross(lb_study *s, const result *r)
{
    double z[MOST * MOST];
    char text[MOST * MOST][24];
    const char *values[MOST * MOST];
    bool diagonal[MOST * MOST];
    slots trained, tested;
    name_slots(r, "expert %.1f", &trained);
    name_slots(r, "noise %.1f", &tested);
    for (size_t i = 0; i < r->n * r->n; i++) {
        const lb_number *x = &r->cross[i / r->n][i % r->n];
        z[i] = x->value;
        const int decimals = lb_number_decimals(x);
        snprintf(text[i], sizeof text[i], "%.*f", decimals < 3 ? decimals : 3, x->value);
        values[i] = text[i];
        diagonal[i] = i / r->n == i % r->n;
    }
    char *stem = lb_study_figure(s, "F04.2"),
         *title = title_for(s, "Every expert at every level: R^{2}");
    lb_figure *f = lb_figure_new(stem, 6.4, 4.6, title,
                                 "Matrix of R2: rows are the level an expert was trained at, "
                                 "columns the level it is tested at; the diagonal is outlined.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_y_names(a, "trained at", trained.names, r->n);
    lb_axes_x_names(a, "tested at", tested.names, r->n);
    lb_plot_heat(a, (lb_heat){.z = z,
                              .rows = r->n,
                              .cols = r->n,
                              .lo = 0.0,
                              .hi = 1.0,
                              .map = LB_CIVIDIS,
                              .values = values,
                              .outline = diagonal,
                              .label = "R^{2}, colours from 0 to 1"});
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F04.2/r2", z, r->n * r->n);
    free(title);
    free(stem);
}

static void figure_unknown(lb_study *s, const result *r)
{
    const lb_number *score[] = {r->cross[0], r->cross[r->minimax], r->r2[MIXED], r->r2[MATCHED]};
    static const char *const series[] = {"lowest", "default", "mixed", "matched"};
    lb_style styles[] = {lb_style_category(4), lb_style_role(LB_CONDITIONAL),
                         lb_style_role(LB_GLOBAL), lb_style_role(LB_MIXTURE)};
    double x[MOST], y[MOST], lo[MOST], hi[MOST];
    char label[4][48] = {"", "", "mixed model", "matched expert"};
    slots at_level;
    name_slots(r, "%.1f", &at_level);
    for (size_t j = 0; j < r->n; j++)
        x[j] = (double)j; /* named slots: the levels are too uneven for a common scale */
    snprintf(label[0], sizeof label[0], "expert %.1f throughout", r->noise[0]);
    snprintf(label[1], sizeof label[1], "expert %.1f throughout, the default",
             r->noise[r->minimax]);
    styles[0].dash = LB_DOTTED;
    char *stem = lb_study_figure(s, "F04.3"),
         *title = title_for(s, "When the noise level is not known");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.6, title,
                                 "R2 against the noise level of the test spectra for the matched "
                                 "experts, the mixed model, the expert of the lowest level and the "
                                 "default expert.");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, "noise level of the test spectra", at_level.names, r->n);
    lb_axes_y(a, "R^{2}", 0.0, 1.05, LB_LINEAR);
    for (size_t k = 0; k < 4; k++) {
        take(score[k], r->n, y, lo, hi);
        lb_plot_line(a, x, y, r->n, styles[k], label[k]);
        if (k > 0) /* far below the axis there is no room for intervals */
            lb_plot_errors(a, x, y, lo, hi, r->n, styles[k], NULL);
        char *path = lb_xprintf("F04.3/%s", series[k]);
        lb_record_series(s->record, path, y, r->n);
        free(path);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void run(lb_study *s)
{
    result *r = lb_xcalloc(1, sizeof *r);
    r->noise = lb_spec_numbers(s->spec, "noise.levels", &r->n);
    if (r->n < 2 || r->n > MOST) {
        lb_study_take(
            s, LB_FAIL(s->err, LB_EINVAL, "%zu noise levels, must be 2 to %d", r->n, (int)MOST));
        free(r);
        return;
    }
    r->n_test = s->data.test.n;
    r->n_val = s->data.val.n;
    r->copies = lb_copies_new(&s->data, r->noise, r->n, lb_noise_seeds_of(s->spec), 0);
    fit(s, r);
    if (lb_study_ok(s)) {
        meet(s, r);
        for (size_t j = 0; j < r->n; j++)
            put_level(s, r, j);
        put_means(s, r);
        put_signs(s, r);
        put_home(s, r);
        put_legacy(s, r);
        put_cross(s, r);
        put_default(s, r);
    }
    if (lb_study_ok(s)) {
        table_levels(s, r);
        table_cross(s, r);
        table_default(s, r);
        table_controls(s, r);
        table_legacy(s, r);
        figure_levels(s, r);
        figure_cross(s, r);
        figure_unknown(s, r);
    }
    lb_contest_free(r->t);
    lb_sweep_free(r->sweep);
    lb_copies_free(r->copies);
    free(r);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e04_noise_experts",
                             "Ridge experts of one noise level each against one model trained on "
                             "all levels: matched, mismatched, and when the level is unknown.",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
