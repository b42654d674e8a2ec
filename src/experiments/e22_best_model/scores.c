/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What E22 makes of the predictions: choices on validation rows, scores and ceilings on test rows.
 * The protocol is in e22_best_model.c. */
#include "experiments/e22_best_model/e22.h"

#include "core/memory.h"
#include "core/text.h"
#include "stats/quantile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- validation rows choose ---------------------------------------------------------------------
 */

double r2_of(const double *y, const double *yhat, const int *classed, int only, size_t n)
{
    double mean = 0.0, total = 0.0, residual = 0.0;
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        if (!classed || classed[i] == only) {
            mean += y[i];
            used++;
        }
    mean /= (double)used;
    for (size_t i = 0; i < n; i++)
        if (!classed || classed[i] == only) {
            total += (y[i] - mean) * (y[i] - mean);
            residual += (y[i] - yhat[i]) * (y[i] - yhat[i]);
        }
    return total > 0.0 ? 1.0 - residual / total : NAN;
}

static size_t best_of(const double r2[MODELS], size_t unless)
{
    size_t best = MODELS;
    for (size_t m = 0; m < MODELS; m++)
        if (isfinite(r2[m]) && (best == MODELS || r2[m] > r2[best]))
            best = m;
    return best == MODELS ? unless : best;
}

static double median_of(const double *x, const int *classed, int only, size_t n)
{
    double *in = lb_xcalloc(n + 1, sizeof *in);
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        if (only < 0 || classed[i] == only)
            in[used++] = x[i];
    lb_sort(in, used);
    const double m = lb_quantile(in, used, 0.5);
    free(in);
    return m;
}

/* Rows and validation scores of a class (-1: all rows) of one level. */
static void look(const lb_study *s, const result *r, const level *l, int only, cell *c)
{
    const lb_cohort *d = &s->data;
    const int *of_test = l->classed + r->n_val;
    for (size_t i = 0; i < r->n_val; i++)
        c->n_val += only < 0 || l->classed[i] == only;
    for (size_t i = 0; i < r->n_test; i++)
        c->n_test += only < 0 || of_test[i] == only;
    c->snr = l->noise > 0.0 ? median_of(l->snr + r->n_val, of_test, only, r->n_test) : NAN;
    c->scored = c->n_test >= lb_spec_size(s->spec, "settings.cells.minimum_test");
    const bool enough = c->n_val >= lb_spec_size(s->spec, "settings.cells.minimum_validation");
    for (size_t m = 0; m < MODELS; m++)
        c->val[m] =
            enough ? r2_of(d->val.target, l->yhat[m], only < 0 ? NULL : l->classed, only, r->n_val)
                   : NAN;
}

/* region: choice */
/* The model of a cell is the one with the best validation rows there, or at the whole level where
 * the cell has too few of them. In hindsight, test rows choose in the same way. */
static void choose_at(const lb_study *s, const result *r, level *l)
{
    const double *y = s->data.test.target;
    const int *of_test = l->classed + r->n_val;
    size_t best[MOST_CLASSES];
    double test[MODELS];
    look(s, r, l, -1, &l->whole);
    l->whole.chosen = best_of(l->whole.val, GLOBAL);
    for (size_t m = 0; m < MODELS; m++)
        test[m] = r2_of(y, l->yhat[m] + r->n_val, NULL, 0, r->n_test);
    const size_t best_at_level = best_of(test, GLOBAL);
    for (size_t k = 0; k < r->n_classes; k++) {
        cell *c = &l->of[k];
        look(s, r, l, (int)k, c);
        c->chosen = best_of(c->val, l->whole.chosen);
        for (size_t m = 0; m < MODELS; m++)
            test[m] = c->scored ? r2_of(y, l->yhat[m] + r->n_val, of_test, (int)k, r->n_test) : NAN;
        best[k] = best_of(test, best_at_level);
    }
    for (size_t e = POLICY; e < ENTRIES; e++)
        l->yhat[e] = lb_xcalloc(r->n_val + r->n_test, sizeof(double));
    for (size_t i = r->n_val; i < r->n_val + r->n_test; i++) {
        l->yhat[POLICY][i] = l->yhat[l->of[l->classed[i]].chosen][i];
        l->yhat[BY_LEVEL][i] = l->yhat[l->whole.chosen][i];
        l->yhat[HINDSIGHT][i] = l->yhat[best[l->classed[i]]][i];
    }
}
/* end region */

void choose(lb_study *s, result *r)
{
    double mean[MODELS] = {0.0};
    for (size_t i = 0; i < r->n_levels; i++) {
        choose_at(s, r, &r->at[i]);
        for (size_t m = 0; m < MODELS; m++)
            mean[m] += r->at[i].whole.val[m] / (double)r->n_levels;
    }
    const double *low = r->at[r->lowest].whole.val;
    r->single = best_of(mean, GLOBAL);
    r->mixture = low[REGRESSION] > low[NINE] ? REGRESSION : NINE;
    r->simple = low[CONDITIONAL] > low[GLOBAL] ? CONDITIONAL : GLOBAL;
    r->simple = low[EXPECTED] > low[r->simple] ? EXPECTED : r->simple;
}

/* --- test rows judge ----------------------------------------------------------------------------
 */

/* A contest whose entry e stands at e * stride + offset. */
typedef struct view {
    const lb_contest *t;
    size_t stride, offset;
} view;

static size_t at(view v, size_t e)
{
    return e * v.stride + v.offset;
}

static lb_number behind(view v, size_t i, size_t j)
{
    return lb_contest_delta(v.t, at(v, i), at(v, j));
}

/* region: leader */
/* The leader has the largest R2. A model is in the leader's set unless the lead over it is beyond
 * doubt: unless the paired interval of the lead lies above what shows in four decimals. */
static void judge(const lb_study *s, view v, cell *c)
{
    const double same = lb_spec_number(s->spec, "thresholds.same");
    for (size_t e = 0; e < ENTRIES; e++)
        c->r2[e] = lb_contest_r2(v.t, at(v, e));
    for (size_t m = 1; m < MODELS; m++)
        c->leader = c->r2[m].value > c->r2[c->leader].value ? m : c->leader;
    size_t next = MODELS;
    for (size_t m = 0; m < MODELS; m++) {
        c->in_set[m] = true;
        if (m == c->leader) {
            c->behind[m] = lb_number_na("delta_r2", "leads");
            continue;
        }
        c->behind[m] = behind(v, c->leader, m);
        c->in_set[m] = !(c->behind[m].ci_lo > same);
        next = next == MODELS || c->r2[m].value > c->r2[next].value ? m : next;
    }
    c->lead = c->behind[next];
    c->gain = behind(v, POLICY, GLOBAL);
}
/* end region */

static void judge_nothing(const lb_study *s, cell *c)
{
    char reason[sizeof c->lead.na];
    snprintf(reason, sizeof reason, "n/a (n<%zu)",
             lb_spec_size(s->spec, "settings.cells.minimum_test"));
    for (size_t e = 0; e < ENTRIES; e++)
        c->r2[e] = lb_number_na("r2", reason);
    for (size_t m = 0; m < MODELS; m++)
        c->behind[m] = lb_number_na("delta_r2", reason);
    c->lead = c->gain = lb_number_na("delta_r2", reason);
}

static lb_entry entry_of(const double *yhat, size_t n, size_t e)
{
    return (lb_entry){model_names[e], {yhat, n}, e == HINDSIGHT};
}

/* Every entry at every level on all test rows, for means over the levels. */
static lb_contest *meet_everywhere(lb_study *s, result *r)
{
    lb_entry entries[ENTRIES * MOST_LEVELS];
    for (size_t e = 0; e < ENTRIES; e++)
        for (size_t i = 0; i < r->n_levels; i++)
            entries[e * r->n_levels + i] = entry_of(r->at[i].yhat[e] + r->n_val, r->n_test, e);
    return lb_contest_on(s, &s->data, s->data.all, entries, ENTRIES * r->n_levels);
}

/* One class at one level. */
static void judge_cell(lb_study *s, const result *r, const level *l, size_t k, cell *c)
{
    const lb_cohort *d = &s->data;
    bool *keep = lb_xcalloc(r->n_test, sizeof *keep);
    lb_entry entries[ENTRIES];
    for (size_t i = 0; i < r->n_test; i++)
        keep[i] = l->classed[r->n_val + i] == (int)k;
    for (size_t e = 0; e < ENTRIES; e++)
        entries[e] = entry_of(l->yhat[e] + r->n_val, r->n_test, e);
    char *name = l->noise > 0.0 ? lb_xprintf("test rows at noise %.1f, signal to noise %s",
                                             l->noise, r->class_name[k])
                                : lb_xstrdup(lb_rowset_name(d->all));
    lb_rowset *rows = lb_rowset_where(d->all, name, keep);
    lb_contest *t = lb_contest_on(s, d, rows, entries, ENTRIES);
    judge(s, (view){t, 1, 0}, c);
    lb_contest_free(t);
    lb_rowset_free(rows);
    free(name);
    free(keep);
}

/* region: pooled */
/* A class over all levels with noise: every star once a level, all its copies in a draw or none. */
static void judge_pooled(lb_study *s, const result *r, const lb_rowset *copies, const double *y,
                         double *const *yhat, size_t k, cell *c)
{
    const size_t n = r->n_levels * r->n_test;
    bool *keep = lb_xcalloc(n, sizeof *keep);
    size_t *star = lb_xcalloc(n, sizeof *star);
    double *snr = lb_xcalloc(n + 1, sizeof *snr);
    lb_entry entries[ENTRIES];
    for (size_t i = 0; i < n; i++) {
        const level *l = &r->at[i / r->n_test];
        const size_t row = r->n_val + i % r->n_test;
        if (!(keep[i] = l->classed[row] == (int)k))
            continue;
        snr[c->n_test] = l->snr[row];
        star[c->n_test++] = i % r->n_test;
    }
    for (size_t i = 0; i < r->n_levels; i++)
        c->n_val += r->at[i].of[k].n_val;
    lb_sort(snr, c->n_test);
    c->snr = c->n_test ? lb_quantile(snr, c->n_test, 0.5) : NAN;
    c->scored = c->n_test >= lb_spec_size(s->spec, "settings.cells.minimum_test");
    for (size_t e = 0; e < ENTRIES; e++)
        entries[e] = entry_of(yhat[e], n, e);
    char *name = lb_xprintf("test rows at all noise levels, signal to noise %s", r->class_name[k]);
    lb_rowset *rows = lb_rowset_where(copies, name, keep);
    if (c->scored) {
        const lb_contest_plan plan = {.target = y, .given = copies, .cluster = star};
        lb_contest *t = lb_contest_planned(s, &s->data, rows, plan, entries, ENTRIES);
        judge(s, (view){t, 1, 0}, c);
        lb_contest_free(t);
    } else {
        judge_nothing(s, c);
    }
    lb_rowset_free(rows);
    free(name);
    free(snr);
    free(star);
    free(keep);
}
/* end region */

static void pool(lb_study *s, result *r)
{
    const size_t n = r->n_levels * r->n_test;
    double *y = lb_xcalloc(n, sizeof *y), *yhat[ENTRIES];
    for (size_t e = 0; e < ENTRIES; e++)
        yhat[e] = lb_xcalloc(n, sizeof(double));
    for (size_t i = 0; i < n; i++) {
        y[i] = s->data.test.target[i % r->n_test];
        for (size_t e = 0; e < ENTRIES; e++)
            yhat[e][i] = r->at[i / r->n_test].yhat[e][r->n_val + i % r->n_test];
    }
    lb_rowset *copies =
        lb_rowset_all("test rows at all noise levels", lb_rowset_dataset(s->data.all), n);
    for (size_t k = 0; k + 1 < r->n_classes && lb_study_ok(s); k++)
        judge_pooled(s, r, copies, y, yhat, k, &r->pooled[k]);
    lb_rowset_free(copies);
    for (size_t e = 0; e < ENTRIES; e++)
        free(yhat[e]);
    free(y);
}

/* --- the ceiling --------------------------------------------------------------------------------
 */

/* region: ceiling */
/* The limits of the test stars of a class (-1: all) at levels first .. last together, against the
 * variance of log g over these stars. Stars outside the box of the grid have none. */
static void find_ceiling(lb_study *s, const result *r, size_t first, size_t last, int only,
                         ceiling *out)
{
    const size_t most = (last - first + 1) * r->n_test;
    lb_bound *bound = lb_xcalloc(most, sizeof *bound);
    double *y = lb_xcalloc(most, sizeof *y), left = 0.0;
    lb_bound_summary all;
    *out = (ceiling){0, NAN, NAN, NAN};
    for (size_t i = first; i <= last; i++) {
        const level *l = &r->at[i];
        for (size_t j = 0; j < l->limit.n; j++) { /* none without noise */
            if (!l->limit.inside[j] || (only >= 0 && l->classed[r->n_val + j] != only))
                continue;
            left += l->limit.posterior[j];
            bound[out->n] = l->limit.unbiased[j];
            y[out->n++] = s->data.test.target[j];
        }
    }
    const double std = lb_std(y, out->n, 0), variance = std * std;
    if (lb_study_ok(s) && variance > 0.0) {
        lb_study_take(s, lb_bounds_summarise(bound, out->n, variance, &all, s->err));
        out->prior = 1.0 - left / (double)out->n / variance;
        out->unbiased = all.r2_dataset;
        out->median = all.r2.median;
    }
    free(bound);
    free(y);
}
/* end region */

/* --- into the record ----------------------------------------------------------------------------
 */

/* The leader first, then the others of its set. */
static void put_set(lb_study *s, const cell *c, const char *prefix)
{
    lb_text set = {0};
    size_t n = 0;
    lb_text_printf(&set, "%s", c->scored ? model_names[c->leader] : "—");
    for (size_t m = 0; m < MODELS && c->scored; m++) {
        n += c->in_set[m];
        if (c->in_set[m] && m != c->leader)
            lb_text_printf(&set, ", %s", model_names[m]);
    }
    lb_study_put_text(s, c->scored ? model_names[c->leader] : "—", "%s.winner", prefix);
    lb_study_put_text(s, set.s, "%s.set", prefix);
    lb_study_put(s, lb_number_count(n), "%s.n_set", prefix);
    lb_text_free(&set);
}

static lb_number gap_below(double top, const lb_number *r2)
{
    lb_number x = lb_number_plain(top - r2->value, "gap", "");
    x.ci_lo = top - r2->ci_hi;
    x.ci_hi = top - r2->ci_lo;
    x.n = r2->n;
    x.digits = 4;
    x.oracle = r2->oracle;
    return x;
}

static void put_ceiling(lb_study *s, const cell *c, const char *prefix)
{
    static const char *const keys[] = {"prior", "unbiased", "median"};
    const double top[] = {c->top.prior, c->top.unbiased, c->top.median};
    const bool known = c->scored && isfinite(c->top.prior);
    for (size_t q = 0; q < 3; q++) {
        lb_number x = known && isfinite(top[q]) ? lb_number_plain(top[q], "ceiling", "")
                                                : lb_number_na("ceiling", "n/a (no ceiling)");
        x.n = c->top.n;
        x.digits = 4;
        lb_study_put(s, x, "%s.ceiling.%s", prefix, keys[q]);
    }
    lb_study_put(s,
                 known ? gap_below(c->top.prior, &c->r2[POLICY])
                       : lb_number_na("gap", "n/a (no ceiling)"),
                 "%s.gap", prefix);
    lb_number share = lb_number_na("ratio", "n/a (no ceiling)");
    if (lb_study_ok(s) && known && c->top.prior >= 0.0)
        lb_study_take(s, lb_fisher_efficiency(&c->r2[POLICY], c->top.prior, &share, s->err));
    lb_study_put(s, share, "%s.efficiency", prefix);
}

static void put_cell(lb_study *s, const cell *c, const char *prefix)
{
    lb_number snr = isfinite(c->snr)
                        ? lb_number_plain(c->snr, "snr", "")
                        : lb_number_na("snr", c->n_test ? "no noise" : "n/a (no rows)");
    snr.digits = 1;
    lb_study_put(s, lb_number_count(c->n_val), "%s.n_val", prefix);
    lb_study_put(s, lb_number_count(c->n_test), "%s.n_test", prefix);
    lb_study_put(s, snr, "%s.snr", prefix);
    for (size_t e = 0; e < ENTRIES; e++)
        lb_study_put(s, c->r2[e], "%s.r2.%s", prefix, model_keys[e]);
    lb_study_put(s, c->lead, "%s.lead", prefix);
    lb_study_put(s, c->gain, "%s.gain", prefix);
    put_set(s, c, prefix);
    put_ceiling(s, c, prefix);
}

static void put_level(lb_study *s, result *r, size_t i)
{
    level *l = &r->at[i];
    const size_t n = r->n_levels;
    char prefix[48];
    snprintf(prefix, sizeof prefix, "noise_%.1f", l->noise);
    put_cell(s, &l->whole, prefix);
    lb_study_put_text(s, model_names[l->whole.chosen], "%s.chosen", prefix);
    lb_study_put_text(s, l->whole.in_set[l->whole.chosen] ? "yes" : "no", "%s.chosen_in_set",
                      prefix);
    for (size_t m = 0; m < MODELS; m++) {
        lb_number val = lb_number_plain(l->whole.val[m], "r2_validation", "");
        val.n = r->n_val;
        lb_study_put(s, val, "%s.validation.r2.%s", prefix, model_keys[m]);
        lb_study_put(s, l->whole.behind[m], "%s.behind.%s", prefix, model_keys[m]);
    }
    for (size_t e = 0; e <= POLICY; e++) {
        lb_study_put(s, lb_contest_mae(r->all, e * n + i), "%s.mae.%s", prefix, model_keys[e]);
        if (e == GLOBAL)
            continue;
        l->over_global[e] = lb_contest_delta(r->all, e * n + i, GLOBAL * n + i);
        lb_study_put(s, l->over_global[e], "%s.gain.%s", prefix, model_keys[e]);
    }
    for (size_t k = 0; k < r->n_classes; k++) {
        const cell *c = &l->of[k];
        if (!c->n_test)
            continue;
        snprintf(prefix, sizeof prefix, "noise_%.1f.s%zu", l->noise, k);
        put_cell(s, c, prefix);
        lb_study_put_text(s, model_names[c->chosen], "%s.chosen", prefix);
        lb_study_put_text(s,
                          !c->scored             ? "—"
                          : c->in_set[c->chosen] ? "yes"
                                                 : "no",
                          "%s.chosen_in_set", prefix);
    }
}

/* --- over all levels ----------------------------------------------------------------------------
 */

/* Mean over the levels of R2 of one entry, minus that of another (ENTRIES: none). */
static lb_number mean_over_levels(const result *r, size_t e, size_t minus)
{
    double weights[ENTRIES * MOST_LEVELS] = {0.0};
    for (size_t i = 0; i < r->n_levels; i++) {
        weights[e * r->n_levels + i] += 1.0 / (double)r->n_levels;
        if (minus < ENTRIES)
            weights[minus * r->n_levels + i] -= 1.0 / (double)r->n_levels;
    }
    return lb_contest_combination(r->all, weights);
}

/* A difference of two entries that are one and the same here. */
static lb_number mean_difference(const result *r, size_t e, size_t minus)
{
    if (e != minus)
        return mean_over_levels(r, e, minus);
    return lb_number_na("delta_r2", "the same model");
}

static void put_means(lb_study *s, const result *r)
{
    const size_t n = r->n_levels, low = r->lowest, high = r->highest;
    for (size_t e = 0; e < ENTRIES; e++) {
        lb_study_put(s, mean_over_levels(r, e, ENTRIES), "mean.r2.%s", model_keys[e]);
        if (e == GLOBAL)
            continue;
        lb_study_put(s, mean_over_levels(r, e, GLOBAL), "mean.gain.%s", model_keys[e]);
    }
    lb_study_put_text(s, model_names[r->single], "single.name");
    lb_study_put(s, mean_over_levels(r, r->single, ENTRIES), "single.mean.r2");
    lb_study_put(s, mean_difference(r, r->single, GLOBAL), "single.mean.gain");
    lb_study_put(s, mean_over_levels(r, POLICY, r->single), "mean.policy_minus_single");
    lb_study_put(s, mean_over_levels(r, POLICY, BY_LEVEL), "mean.policy_minus_by_level");
    lb_study_put(s, mean_over_levels(r, HINDSIGHT, POLICY), "mean.regret");
    lb_study_put_text(s, model_names[r->mixture], "lowest.mixture.name");
    lb_study_put_text(s, model_names[r->simple], "lowest.simple.name");
    lb_study_put(s, lb_contest_delta(r->all, r->mixture * n + low, r->simple * n + low),
                 "lowest.mixture_minus_simple");
    lb_study_put(s, lb_contest_delta(r->all, EXPECTED * n + high, GLOBAL * n + high),
                 "highest.expected_minus_global");
}

/* In how many cells each model leads, is tied with the leader, or is chosen. */
static void put_counts(lb_study *s, const result *r)
{
    size_t cells = 0, decided = 0, right = 0, leads[MODELS] = {0}, tied[MODELS] = {0};
    size_t chosen[MODELS] = {0}, levels[MODELS] = {0}, always = 0, right_levels = 0;
    for (size_t i = 0; i < r->n_levels; i++) {
        const level *l = &r->at[i];
        right_levels += l->whole.in_set[l->whole.chosen];
        for (size_t m = 0; m < MODELS; m++)
            levels[m] += l->whole.in_set[m];
        for (size_t k = 0; k < r->n_classes; k++) {
            const cell *c = &l->of[k];
            size_t set = 0;
            if (!c->scored)
                continue;
            for (size_t m = 0; m < MODELS; m++) {
                tied[m] += c->in_set[m];
                set += c->in_set[m];
            }
            cells++;
            decided += set == 1;
            right += c->in_set[c->chosen];
            leads[c->leader]++;
            chosen[c->chosen]++;
        }
    }
    for (size_t m = 0; m < MODELS; m++) {
        always += levels[m] == r->n_levels;
        lb_study_put(s, lb_number_count(leads[m]), "cells.leads.%s", model_keys[m]);
        lb_study_put(s, lb_number_count(tied[m]), "cells.in_set.%s", model_keys[m]);
        lb_study_put(s, lb_number_count(chosen[m]), "cells.chosen.%s", model_keys[m]);
        lb_study_put(s, lb_number_count(levels[m]), "levels.in_set.%s", model_keys[m]);
    }
    lb_study_put(s, lb_number_count(cells), "cells.scored");
    lb_study_put(s, lb_number_count(decided), "cells.decided");
    lb_study_put(s, lb_number_count(right), "cells.chosen_in_set");
    lb_study_put(s, lb_number_count(cells * (MODELS - 1)), "cells.comparisons");
    lb_study_put(s, lb_number_count(r->n_levels), "levels.count");
    lb_study_put(s, lb_number_count(right_levels), "levels.chosen_in_set");
    lb_study_put(s, lb_number_count(always), "levels.always_in_set");
    lb_study_put(s, lb_number_count(r->unfinished), "levels.gate_unfinished");
}

/* A level by what it is to rules and prose. */
static void put_named(lb_study *s, const result *r, size_t i, const char *name)
{
    const level *l = &r->at[i];
    lb_number v = lb_number_plain(l->noise, "level", "");
    v.digits = 1;
    lb_study_put(s, v, "%s.level", name);
    lb_study_put(s, l->whole.r2[POLICY], "%s.r2", name);
    put_ceiling(s, &l->whole, name);
}

/* Where the model chosen in each cell is nearest to the ceiling with prior and where it is
 * farthest, and in how many classes it is above the bound of unbiased estimators. */
static void put_gaps(lb_study *s, const result *r)
{
    static const char *const keys[2] = {"nearest", "farthest"};
    size_t found[2] = {MOST_CLASSES, MOST_CLASSES}, above = 0, n = 0;
    for (size_t k = 0; k + 1 < r->n_classes; k++) {
        const cell *c = &r->pooled[k];
        if (!c->scored || !(c->top.prior > 0.0))
            continue;
        const double share = c->r2[POLICY].value / c->top.prior;
        n++;
        above += c->r2[POLICY].value > c->top.unbiased;
        for (size_t q = 0; q < 2; q++) {
            const cell *old = found[q] < MOST_CLASSES ? &r->pooled[found[q]] : NULL;
            const double other = old ? old->r2[POLICY].value / old->top.prior : NAN;
            if (!old || (q ? share < other : share > other))
                found[q] = k;
        }
    }
    for (size_t q = 0; q < 2; q++) {
        const bool any = found[q] < MOST_CLASSES;
        const cell *c = any ? &r->pooled[found[q]] : NULL;
        lb_number top = any ? lb_number_plain(c->top.prior, "ceiling", "")
                            : lb_number_na("ceiling", "n/a (no ceiling)");
        top.digits = 3;
        lb_study_put_text(s, any ? r->class_name[found[q]] : "—", "%s.snr_class", keys[q]);
        lb_study_put(s, any ? c->r2[POLICY] : lb_number_na("r2", "n/a (no ceiling)"), "%s.r2",
                     keys[q]);
        lb_study_put(s, top, "%s.ceiling", keys[q]);
    }
    lb_study_put(s, lb_number_count(n), "classes.scored");
    lb_study_put(s, lb_number_count(above), "classes.above_unbiased");
}

static void put_costs(lb_study *s, const result *r)
{
    for (size_t m = 0; m < MODELS; m++) {
        lb_study_put(s, lb_number_count(r->spent[m].parameters), "cost.parameters.%s",
                     model_keys[m]);
        lb_study_put(s, lb_number_count(r->spent[m].largest), "cost.unknowns.%s", model_keys[m]);
        lb_study_put(s, lb_number_count(r->spent[m].systems), "cost.systems.%s", model_keys[m]);
        lb_study_put(s, lb_number_count(r->spent[m].passes), "cost.passes.%s", model_keys[m]);
    }
}

void score(lb_study *s, result *r)
{
    r->all = meet_everywhere(s, r);
    for (size_t i = 0; i < r->n_levels && lb_study_ok(s); i++) {
        level *l = &r->at[i];
        judge(s, (view){r->all, r->n_levels, i}, &l->whole);
        find_ceiling(s, r, i, i, -1, &l->whole.top);
        for (size_t k = 0; k < r->n_classes && lb_study_ok(s); k++) {
            if (l->of[k].scored)
                judge_cell(s, r, l, k, &l->of[k]);
            else
                judge_nothing(s, &l->of[k]);
            find_ceiling(s, r, i, i, (int)k, &l->of[k].top);
        }
    }
    pool(s, r);
    for (size_t k = 0; k + 1 < r->n_classes && lb_study_ok(s); k++) {
        char prefix[48];
        find_ceiling(s, r, 0, r->n_levels - 1, (int)k, &r->pooled[k].top);
        snprintf(prefix, sizeof prefix, "snr.s%zu", k);
        put_cell(s, &r->pooled[k], prefix);
    }
    if (lb_study_ok(s)) {
        for (size_t i = 0; i < r->n_levels; i++)
            put_level(s, r, i);
        put_means(s, r);
        put_counts(s, r);
        put_named(s, r, r->lowest, "lowest");
        put_named(s, r, r->reference, "reference");
        put_named(s, r, r->highest, "highest");
        put_gaps(s, r);
        put_costs(s, r);
        lb_study_put(s, lb_number_count(r->at[r->reference].limit.n_inside), "ceiling.n_inside");
    }
    lb_contest_free(r->all);
    r->all = NULL;
}
