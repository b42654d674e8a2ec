/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E09: which wavelengths carry log g in each expert?
 *
 * The weights of the nine experts of E02 at the reference noise, side by side: how alike they are,
 * how their energy is spread, which pixels are heavy, and what lines lie there.
 * Reads   spectra of the profile; templates/experiments/e09_coefficients/spec.yaml
 * Writes  data/results/<profile>/e09_coefficients.h5, figures e09_*
 */
#include "core/memory.h"
#include "experiments/e09_coefficients/e09.h"
#include "figure/plot.h"
#include "models/windows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 10, SHOWN = 20 };

const char *const e09_teff_name[PARTS] = {"cool", "middle", "hot"};
const char *const e09_mh_name[PARTS] = {"metal-poor", "solar", "metal-rich"};
const char *const e09_mh_key[PARTS] = {"mh_low", "mh_mid", "mh_high"};

/* --- statistics of weights ----------------------------------------------------------------------
 */

double e09_correlation(const double *a, const double *b, size_t p)
{
    double ma = 0.0, mb = 0.0, ab = 0.0, aa = 0.0, bb = 0.0;
    for (size_t j = 0; j < p; j++) {
        ma += a[j] / (double)p;
        mb += b[j] / (double)p;
    }
    for (size_t j = 0; j < p; j++) {
        ab += (a[j] - ma) * (b[j] - mb);
        aa += (a[j] - ma) * (a[j] - ma);
        bb += (b[j] - mb) * (b[j] - mb);
    }
    return aa > 0.0 && bb > 0.0 ? ab / sqrt(aa * bb) : NAN;
}

static int falling(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* region: share */
/* Share of the energy sum w^2 that the ten largest w^2 hold. */
static double top_share(const double *w, size_t p)
{
    double *square = lb_xcalloc(p, sizeof *square), top = 0.0, total = 0.0;
    for (size_t j = 0; j < p; j++)
        square[j] = w[j] * w[j];
    qsort(square, p, sizeof *square, falling);
    for (size_t j = 0; j < p; j++) {
        top += j < TOP ? square[j] : 0.0;
        total += square[j];
    }
    free(square);
    return total > 0.0 ? 100.0 * top / total : NAN;
}
/* end region */

/* Spread of every pixel over the training rows of one expert. */
static void spreads(lb_study *s, const lb_stream *x, const int *expert_of, int e, double *sd)
{
    const size_t p = x->cols;
    double *sum = lb_xcalloc(2 * p, sizeof *sum), *square = sum + p, n = 0.0;
    float *row = lb_xcalloc(p, sizeof *row);
    for (size_t i = 0; i < x->rows && lb_study_ok(s); i++) {
        if (expert_of[i] != e)
            continue;
        lb_study_take(s, x->read(x->self, i, (lb_matf){row, 1, p, p}, s->err));
        n += 1.0;
        for (size_t j = 0; j < p; j++) {
            const double d = (double)row[j] - sum[j];
            sum[j] += d / n; /* running mean: Welford 1962, Technometrics 4, 419 */
            square[j] += d * ((double)row[j] - sum[j]);
        }
    }
    for (size_t j = 0; j < p; j++)
        sd[j] = n > 0.0 ? sqrt(square[j] / n) : 0.0;
    free(sum);
    free(row);
}

static const double *row_of_alpha(const lb_sweep_model *m, double alpha)
{
    for (size_t a = 0; a < m->alphas.n; a++)
        if (m->alphas.data[a] == alpha)
            return m->w.data + a * m->w.stride;
    return NULL;
}

static const double *by_importance;
static int heavier(const void *a, const void *b)
{
    const double x = by_importance[*(const size_t *)a], y = by_importance[*(const size_t *)b];
    return (x < y) - (x > y);
}

static void rank_pixels(weights *w)
{
    w->importance = lb_xcalloc(w->p, sizeof *w->importance);
    w->by_weight = lb_xcalloc(w->p, sizeof *w->by_weight);
    w->rank = lb_xcalloc(w->p, sizeof *w->rank);
    for (size_t j = 0; j < w->p; j++) {
        for (size_t i = 0; i < w->n; i++)
            w->importance[j] += fabs(w->e[i].w[j]) / (double)w->n;
        w->abs_mean += w->importance[j] / (double)w->p;
        w->by_weight[j] = j;
    }
    for (size_t j = 0; j < w->p; j++)
        w->importance[j] /= w->abs_mean;
    by_importance = w->importance;
    qsort(w->by_weight, w->p, sizeof *w->by_weight, heavier);
    for (size_t j = 0; j < w->p; j++)
        w->rank[w->by_weight[j]] = j + 1;
}

/* --- the experts --------------------------------------------------------------------------------
 */

static void put_expert(lb_study *s, const lb_moe *moe, weights *w, expert *x)
{
    const lb_cohort *c = &s->data;
    const int e = moe->domains[0].of_bin[x->k];
    const lb_sweep_model m = lb_moe_expert(moe, 0, (size_t)e);
    const lb_entry entry = {"expert", moe->mixture[0], true};
    lb_number r2 = lb_number_na("r2", "n/a (n<10)"), rmse = lb_number_na("rmse", "n/a (n<10)");
    double var = 0.0;
    lb_bins_name(&c->bins, (int)x->k, x->name);
    x->w = m.w.data + m.chosen.index * m.w.stride;
    x->b = m.b.data[m.chosen.index];
    x->fixed = row_of_alpha(&m, lb_spec_number(s->spec, "thresholds.fixed_alpha"));
    x->alpha = m.chosen.alpha;
    for (size_t j = 0; j < w->p; j++) {
        x->abs_mean += fabs(x->w[j]) / (double)w->p;
        x->energy += x->w[j] * x->w[j];
    }
    for (size_t j = 0; j < w->p; j++)
        var += (fabs(x->w[j]) - x->abs_mean) * (fabs(x->w[j]) - x->abs_mean) / (double)w->p;
    x->top_share = top_share(x->w, w->p);
    if (c->n_test[x->k] >= lb_spec_size(s->spec, "bins.minimum_test")) {
        lb_contest *t = lb_contest_on(s, c, c->in_bin[x->k], &entry, 1);
        r2 = lb_contest_r2(t, 0);
        rmse = lb_contest_rmse(t, 0);
        lb_contest_free(t);
    }
    x->r2 = r2.value;
    x->rmse = rmse.value;
    lb_study_put_alpha(s, &m, "k%zu.alpha", x->k);
    lb_study_put(s, r2, "k%zu.r2", x->k);
    lb_study_put(s, rmse, "k%zu.rmse", x->k);
    lb_study_put(s, lb_number_count(c->n_train[x->k]), "k%zu.n_train", x->k);
    lb_study_put(s, lb_number_count(c->n_test[x->k]), "k%zu.n_test", x->k);
    lb_study_put(s, lb_number_plain(x->abs_mean, "coefficient", ""), "k%zu.abs_w_mean", x->k);
    lb_study_put(s, lb_number_plain(sqrt(var), "coefficient", ""), "k%zu.abs_w_std", x->k);
    lb_study_put(s, lb_number_plain(x->energy, "energy", ""), "k%zu.energy", x->k);
    lb_number share = lb_number_plain(x->top_share, "percent", "%");
    share.digits = 1;
    lb_study_put(s, share, "k%zu.top10_share", x->k);
    share.value = top_share(x->scaled, w->p);
    lb_study_put(s, share, "k%zu.top10_share_scaled", x->k);
}

static void read_experts(lb_study *s, const lb_moe *moe, weights *w)
{
    const lb_cohort *c = &s->data;
    lb_exposure seen;
    lb_cohort_expose(c, lb_spec_number(s->spec, "noise.focus"), lb_noise_seeds_of(s->spec), &seen);
    w->p = seen.test.cols;
    w->wave = lb_spectra_wave(c->split.test).data;
    w->medium = lb_spectra_medium(c->split.test);
    for (size_t k = 0; k < c->n_bins; k++) {
        if (c->merged_to[k] != (int)k)
            continue;
        expert *x = &w->e[w->n++];
        x->k = k;
        x->scaled = lb_xcalloc(w->p, sizeof *x->scaled);
        spreads(s, &seen.train.x, c->train.group, (int)k, x->scaled);
        const lb_sweep_model m = lb_moe_expert(moe, 0, (size_t)moe->domains[0].of_bin[k]);
        for (size_t j = 0; j < w->p; j++)
            x->scaled[j] *= m.w.data[m.chosen.index * m.w.stride + j];
        put_expert(s, moe, w, x);
    }
    rank_pixels(w);
}

static void weights_free(weights *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->e[i].scaled);
    free(w->importance);
    free(w->by_weight);
    free(w->rank);
}

/* --- how alike the experts are ------------------------------------------------------------------
 */

typedef bool pair_kind(const lb_bins *b, size_t i, size_t j, size_t which);

static bool any_pair(const lb_bins *b, size_t i, size_t j, size_t which)
{
    (void)b, (void)i, (void)j, (void)which;
    return true;
}

static bool same_mh(const lb_bins *b, size_t i, size_t j, size_t which)
{
    return i % b->n_mh == j % b->n_mh && (which == PARTS || i % b->n_mh == which);
}

static bool same_teff(const lb_bins *b, size_t i, size_t j, size_t which)
{
    return i / b->n_mh == j / b->n_mh && (which == PARTS || i / b->n_mh == which);
}

static bool other_mh(const lb_bins *b, size_t i, size_t j, size_t which)
{
    (void)which;
    return i % b->n_mh != j % b->n_mh;
}

static bool both_differ(const lb_bins *b, size_t i, size_t j, size_t which)
{
    return other_mh(b, i, j, which) && i / b->n_mh != j / b->n_mh;
}

/* which: low-mid 0, mid-high 1, low-high 2 */
static bool strips_apart(const lb_bins *b, size_t i, size_t j, size_t which)
{
    static const size_t low[] = {0, 1, 0}, high[] = {1, 2, 2};
    const size_t a = i % b->n_mh, c = j % b->n_mh;
    return (a == low[which] && c == high[which]) || (c == low[which] && a == high[which]);
}

static const struct {
    const char *key, *name;
    pair_kind *holds;
    size_t which;
} kinds[] = {
    {"all", "all pairs", any_pair, 0},
    {"mh_low", "same [M/H], metal-poor", same_mh, 0},
    {"mh_mid", "same [M/H], solar", same_mh, 1},
    {"mh_high", "same [M/H], metal-rich", same_mh, 2},
    {"within_mh", "same [M/H]", same_mh, PARTS},
    {"teff_cool", "same T_eff, cool", same_teff, 0},
    {"teff_mid", "same T_eff, middle", same_teff, 1},
    {"teff_hot", "same T_eff, hot", same_teff, 2},
    {"within_teff", "same T_eff", same_teff, PARTS},
    {"across_mh", "other [M/H]", other_mh, 0},
    {"low_mid", "metal-poor against solar", strips_apart, 0},
    {"mid_high", "solar against metal-rich", strips_apart, 1},
    {"low_high", "metal-poor against metal-rich", strips_apart, 2},
    {"both_differ", "both labels differ", both_differ, 0},
};

static const double *variant(const expert *x, int which)
{
    return which == 0 ? x->w : which == 1 ? x->fixed : x->scaled;
}

/* Mean correlation of the pairs of a kind; three variants of the weights. */
static lb_number mean_correlation(lb_study *s, const weights *w, size_t kind, int which)
{
    double sum = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++)
        for (size_t j = i + 1; j < w->n; j++) {
            if (!kinds[kind].holds(&s->data.bins, w->e[i].k, w->e[j].k, kinds[kind].which))
                continue;
            const double *a = variant(&w->e[i], which), *b = variant(&w->e[j], which);
            const double r = a && b ? e09_correlation(a, b, w->p) : NAN;
            sum += isfinite(r) ? r : 0.0;
            n += isfinite(r);
        }
    return n ? lb_number_plain(sum / (double)n, "correlation", "")
             : lb_number_na("correlation", "n/a (no such pair)");
}

/* How many experts chose a larger penalty than the one all share in the variant, and a smaller. */
static void put_choices(lb_study *s, const weights *w)
{
    const double fixed = lb_spec_number(s->spec, "thresholds.fixed_alpha");
    size_t larger = 0, smaller = 0;
    for (size_t i = 0; i < w->n; i++) {
        larger += w->e[i].alpha > fixed;
        smaller += w->e[i].alpha < fixed;
    }
    lb_study_put(s, lb_number_count(larger), "n_alpha_above_fixed");
    lb_study_put(s, lb_number_count(smaller), "n_alpha_below_fixed");
}

static void put_correlations(lb_study *s, const weights *w)
{
    static const char *const variants[] = {"corr", "corr_fixed", "corr_scaled"};
    const double different = lb_spec_number(s->spec, "thresholds.different");
    size_t pairs = 0, below = 0;
    for (size_t i = 0; i < w->n; i++)
        for (size_t j = i + 1; j < w->n; j++) {
            const double r = e09_correlation(w->e[i].w, w->e[j].w, w->p);
            lb_study_put(s,
                         isfinite(r) ? lb_number_plain(r, "correlation", "")
                                     : lb_number_na("correlation", "n/a (no variance)"),
                         "corr.k%zu.k%zu", w->e[i].k, w->e[j].k);
            pairs++;
            below += r < different;
        }
    for (size_t q = 0; q < sizeof kinds / sizeof *kinds; q++)
        for (int v = 0; v < 3; v++)
            lb_study_put(s, mean_correlation(s, w, q, v), "%s.%s", variants[v], kinds[q].key);
    lb_number share =
        lb_number_plain(100.0 * (double)below / (double)(pairs ? pairs : 1), "percent", "%");
    share.digits = 1;
    lb_study_put(s, lb_number_count(pairs), "corr.n_pairs");
    lb_study_put(s, share, "corr.share_different");
}

/* Means over the bins of a strip, and how many temperature rows have low [M/H] above high. */
static void put_groups(lb_study *s, const weights *w)
{
    static const char *const names[2][PARTS] = {{"mh_low", "mh_mid", "mh_high"},
                                                {"teff_cool", "teff_mid", "teff_hot"}};
    const lb_bins *b = &s->data.bins;
    for (int axis = 0; axis < 2; axis++)
        for (size_t g = 0; g < PARTS; g++) {
            double r2 = 0.0, mean = 0.0, share = 0.0;
            size_t n = 0, scored = 0;
            for (size_t i = 0; i < w->n; i++) {
                const expert *x = &w->e[i];
                if ((axis ? x->k / b->n_mh : x->k % b->n_mh) != g)
                    continue;
                n++;
                scored += isfinite(x->r2);
                r2 += isfinite(x->r2) ? x->r2 : 0.0;
                mean += x->abs_mean;
                share += x->top_share;
            }
            lb_number score = scored ? lb_number_plain(r2 / (double)scored, "mean_r2", "")
                                     : lb_number_na("mean_r2", "n/a (no bin scored)");
            lb_number top = n ? lb_number_plain(share / (double)n, "percent", "%")
                              : lb_number_na("percent", "n/a (no expert)");
            score.oracle = true;
            top.digits = 1;
            lb_study_put(s, score, "group.%s.r2_mean", names[axis][g]);
            lb_study_put(s, top, "group.%s.top10_share", names[axis][g]);
            lb_study_put(s,
                         n ? lb_number_plain(mean / (double)n, "coefficient", "")
                           : lb_number_na("coefficient", "n/a (no expert)"),
                         "group.%s.abs_w_mean", names[axis][g]);
        }
    size_t rows = 0, above = 0;
    for (size_t i = 0; i < w->n; i++)
        for (size_t j = 0; j < w->n; j++) {
            const size_t a = w->e[i].k, c = w->e[j].k;
            if (a / b->n_mh != c / b->n_mh || a % b->n_mh != 0 || c % b->n_mh != b->n_mh - 1)
                continue;
            rows++;
            above += w->e[i].top_share > w->e[j].top_share;
        }
    lb_study_put(s, lb_number_count(rows), "n_teff_rows");
    lb_study_put(s, lb_number_count(above), "n_rows_low_above_high");
}

/* --- named lines --------------------------------------------------------------------------------
 */

static const struct {
    const char *key, *name, *element;
    double air, lo, hi; /* line and window, Angstrom in air */
} lines[] = {
    {"ca2_8498", "Ca II 8498", "Ca II", 8498.02, 8490.0, 8510.0},
    {"ca2_8542", "Ca II 8542", "Ca II", 8542.09, 8530.0, 8555.0},
    {"ca2_8662", "Ca II 8662", "Ca II", 8662.14, 8650.0, 8675.0},
    {"na1_8183", "Na I 8183", "Na I", 8183.26, 8180.0, 8202.0},
    {"na1_8195", "Na I 8195", "Na I", 8194.82, 8180.0, 8202.0},
    {"mg1_8807", "Mg I 8807", "Mg I", 8806.76, 8796.76, 8816.76},
    {"pa12", "H Paschen 12", "H", 8750.47, 8745.47, 8755.47},
    {"pa14", "H Paschen 14", "H", 8598.39, 8593.39, 8603.39},
    {"fe1_8689", "Fe I 8689", "Fe I", 8688.62, 8685.62, 8691.62},
    {"k1_7665", "K I 7665", "K I", 7664.91, 7661.91, 7667.91},
    {"k1_7699", "K I 7699", "K I", 7698.97, 7695.97, 7701.97},
    {"h_alpha", "H alpha", "H", 6562.80, 6560.0, 6566.0},
    {"h_beta", "H beta", "H", 4861.33, 4858.0, 4864.0},
    {"h_gamma", "H gamma", "H", 4340.47, 4337.0, 4343.0},
    {"ca2_k", "Ca II K", "Ca II", 3933.66, 3930.0, 3937.0},
    {"ca2_h", "Ca II H", "Ca II", 3968.47, 3965.0, 3972.0},
    {"mg_b", "Mg b", "Mg I", 5172.68, 5167.0, 5184.0},
};
enum { LINES = sizeof lines / sizeof *lines };

/* Wavelength of the data's medium. */
static double in_medium(const weights *w, double air)
{
    return strcmp(w->medium, "vacuum") == 0 ? lb_air_to_vacuum(air) : air;
}

static size_t nearest(const weights *w, double wave)
{
    size_t best = 0;
    for (size_t j = 1; j < w->p; j++)
        if (fabs(w->wave[j] - wave) < fabs(w->wave[best] - wave))
            best = j;
    return best;
}

static bool covered(const weights *w, double wave)
{
    return wave >= w->wave[0] && wave <= w->wave[w->p - 1];
}

static lb_number importance_at(const weights *w, double wave)
{
    lb_number x = covered(w, wave)
                      ? lb_number_plain(w->importance[nearest(w, wave)], "importance", "")
                      : lb_number_na("importance", "n/a (not covered)");
    x.digits = 2;
    return x;
}

static void put_line(lb_study *s, const weights *w, size_t q, double *strongest)
{
    const double lo = in_medium(w, lines[q].lo), hi = in_medium(w, lines[q].hi);
    const bool has = covered(w, in_medium(w, lines[q].air));
    double most = 0.0, sum = 0.0;
    size_t n = 0, rank = w->p;
    for (size_t j = 0; j < w->p && has; j++) {
        if (w->wave[j] < lo || w->wave[j] >= hi)
            continue;
        most = fmax(most, w->importance[j]);
        rank = w->rank[j] < rank ? w->rank[j] : rank;
        sum += w->importance[j];
        n++;
    }
    lb_number none = lb_number_na("importance", "n/a (not covered)");
    lb_number max = n ? lb_number_plain(most, "importance", "") : none;
    lb_number mean = n ? lb_number_plain(sum / (double)n, "importance", "") : none;
    max.digits = mean.digits = 2;
    *strongest = n ? fmax(*strongest, most) : *strongest;
    lb_study_put(s, importance_at(w, in_medium(w, lines[q].air)), "line.%s.importance",
                 lines[q].key);
    lb_study_put(s, importance_at(w, lb_air_to_vacuum(lines[q].air)), "line.%s.at_vacuum",
                 lines[q].key);
    lb_study_put(s, max, "line.%s.window_max", lines[q].key);
    lb_study_put(s, mean, "line.%s.window_mean", lines[q].key);
    lb_study_put(s, n ? lb_number_count(rank) : lb_number_na("count", "n/a (not covered)"),
                 "line.%s.rank", lines[q].key);
}

/* The heaviest pixel of each element the hypothesis names, and how many pass the threshold. */
static void put_lines(lb_study *s, const weights *w)
{
    static const char *const elements[] = {"Ca II", "Mg I", "Fe I"};
    static const char *const keys[] = {"ca", "mg", "fe"};
    const double physical = lb_spec_number(s->spec, "thresholds.importance");
    double strongest[3] = {0.0}, ignored;
    size_t physical_elements = 0;
    for (size_t q = 0; q < LINES; q++) {
        double *of = &ignored;
        for (size_t e = 0; e < 3; e++)
            of = strcmp(lines[q].element, elements[e]) ? of : &strongest[e];
        ignored = 0.0;
        put_line(s, w, q, of);
    }
    for (size_t e = 0; e < 3; e++) {
        lb_number x = lb_number_plain(strongest[e], "importance", "");
        x.digits = 2;
        lb_study_put(s, x, "element.%s.max", keys[e]);
        physical_elements += strongest[e] > physical;
    }
    lb_study_put(s, lb_number_count(physical_elements), "n_elements_physical");
}

/* The named line nearest to a wavelength, and how far it is. */
static size_t nearest_line(const weights *w, double wave, double *offset)
{
    size_t best = 0;
    for (size_t q = 1; q < LINES; q++)
        if (fabs(in_medium(w, lines[q].air) - wave) < fabs(in_medium(w, lines[best].air) - wave))
            best = q;
    *offset = wave - in_medium(w, lines[best].air);
    return best;
}

static void put_top(lb_study *s, const weights *w)
{
    lb_study_put(s, lb_number_plain(w->abs_mean, "coefficient", ""), "abs_w_mean");
    for (size_t r = 0; r < SHOWN; r++) {
        const size_t j = w->by_weight[r];
        double offset, mean = 0.0;
        const size_t q = nearest_line(w, w->wave[j], &offset);
        for (size_t i = 0; i < w->n; i++)
            mean += fabs(w->e[i].w[j]) / (double)w->n;
        lb_number wave = lb_number_plain(w->wave[j], "wavelength", "A");
        lb_number away = lb_number_plain(offset, "wavelength", "A");
        lb_number as_vacuum =
            lb_number_plain(w->wave[j] - lb_air_to_vacuum(lines[q].air), "wavelength", "A");
        lb_number heavy = lb_number_plain(w->importance[j], "importance", "");
        wave.digits = 1;
        heavy.digits = away.digits = as_vacuum.digits = 2;
        lb_study_put(s, wave, "top.%02zu.wavelength", r + 1);
        lb_study_put(s, lb_number_plain(mean, "coefficient", ""), "top.%02zu.abs_w", r + 1);
        lb_study_put(s, heavy, "top.%02zu.importance", r + 1);
        lb_study_put_text(s, lines[q].name, "top.%02zu.line", r + 1);
        lb_study_put(s, away, "top.%02zu.offset", r + 1);
        lb_study_put(s, as_vacuum, "top.%02zu.offset_vacuum", r + 1);
    }
}

/* --- where rich and poor experts differ ---------------------------------------------------------
 */

/* Mean over a window of `width` pixels about each pixel. */
static void smooth(const double *x, size_t p, size_t width, double *out)
{
    for (size_t j = 0; j < p; j++) {
        const size_t half = width / 2, from = j < half ? 0 : j - half;
        const size_t to = j + half + 1 < p ? j + half + 1 : p;
        double sum = 0.0;
        for (size_t i = from; i < to; i++)
            sum += x[i];
        out[j] = sum / (double)(to - from);
    }
}

const expert *e09_expert(const weights *w, size_t k)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->e[i].k == k)
            return &w->e[i];
    return NULL;
}

/* Pixels a window of the figures and of T09.6 spans: about three Angstrom. */
static size_t window_of(const weights *w)
{
    const double step = (w->wave[w->p - 1] - w->wave[0]) / (double)(w->p - 1);
    const size_t n = (size_t)(3.0 / step + 0.5);
    return n < 1 ? 1 : n;
}

/* The same in Angstrom, as smooth() rounds it: an odd number of pixels. */
static double width_of(const weights *w)
{
    const double step = (w->wave[w->p - 1] - w->wave[0]) / (double)(w->p - 1);
    return (double)(window_of(w) / 2 * 2 + 1) * step;
}

/* Metal-rich minus metal-poor of one temperature row: signed, and of magnitudes. NULL without both
 * experts. */
static double *difference(const lb_study *s, const weights *w, size_t row, bool of_magnitudes)
{
    const size_t n = s->data.bins.n_mh;
    const expert *low = e09_expert(w, row * n), *high = e09_expert(w, row * n + n - 1);
    if (!low || !high)
        return NULL;
    double *raw = lb_xcalloc(2 * w->p, sizeof *raw), *out = raw + w->p;
    for (size_t j = 0; j < w->p; j++)
        raw[j] = of_magnitudes ? fabs(high->w[j]) - fabs(low->w[j]) : high->w[j] - low->w[j];
    smooth(raw, w->p, window_of(w), out);
    memcpy(raw, out, w->p * sizeof *raw);
    return raw;
}

/* The same at two named lines, where the published reading looked; and in how many temperature rows
 * the metal-rich weight is the heavier one there. */
static void put_differences_at(lb_study *s, const weights *w, const char *line)
{
    size_t q = 0, heavier_rich = 0;
    while (strcmp(lines[q].key, line))
        q++;
    const size_t j = nearest(w, in_medium(w, lines[q].air));
    for (size_t row = 0; row < s->data.bins.n_teff; row++) {
        double *d = difference(s, w, row, false), *m = difference(s, w, row, true);
        const lb_number none = lb_number_na("coefficient", "n/a (no expert)");
        lb_study_put(s, d ? lb_number_plain(d[j], "coefficient", "") : none, "diff.t%zu.%s.signed",
                     row, line);
        lb_study_put(s, m ? lb_number_plain(m[j], "coefficient", "") : none,
                     "diff.t%zu.%s.magnitude", row, line);
        heavier_rich += m && m[j] > 0.0;
        free(d);
        free(m);
    }
    lb_study_put(s, lb_number_count(heavier_rich), "n_rows_rich_heavier.%s", line);
}

static void put_differences(lb_study *s, const weights *w)
{
    static const lb_column columns[] = {{"T_eff row", ""},       {"wavelength, Å", ""},
                                        {"w high − w low", "+"}, {"|w| high − |w| low", "+"},
                                        {"nearest line", ""},    {"offset, Å", "+"}};
    const size_t shown = 3, width = 4 * window_of(w);
    lb_record_table(s->record, "T09.6", sizeof columns / sizeof *columns, columns);
    for (size_t row = 0; row < s->data.bins.n_teff; row++) {
        double *d = difference(s, w, row, false), *m = difference(s, w, row, true);
        for (size_t r = 0; r < shown && d; r++) {
            size_t best = 0;
            for (size_t j = 1; j < w->p; j++)
                best = fabs(d[j]) > fabs(d[best]) ? j : best;
            double offset;
            const size_t q = nearest_line(w, w->wave[best], &offset);
            lb_number wave = lb_number_plain(w->wave[best], "wavelength", "A");
            lb_number away = lb_number_plain(offset, "wavelength", "A");
            wave.digits = away.digits = 1;
            lb_study_put(s, wave, "diff.t%zu.%zu.wavelength", row, r + 1);
            lb_study_put(s, lb_number_plain(d[best], "coefficient", ""), "diff.t%zu.%zu.signed",
                         row, r + 1);
            lb_study_put(s, lb_number_plain(m[best], "coefficient", ""), "diff.t%zu.%zu.magnitude",
                         row, r + 1);
            lb_study_put(s, away, "diff.t%zu.%zu.offset", row, r + 1);
            lb_study_row(s, "T09.6",
                         "=%1$s|diff.t%2$zu.%3$zu.wavelength|diff.t%2$zu.%3$zu.signed|"
                         "diff.t%2$zu.%3$zu.magnitude|=%4$s|diff.t%2$zu.%3$zu.offset",
                         row < PARTS ? e09_teff_name[row] : "", row, r + 1, lines[q].name);
            for (size_t j = 0; j < w->p; j++) /* the next one must be elsewhere */
                if (j + width >= best && j <= best + width)
                    d[j] = 0.0;
        }
        free(d);
        free(m);
    }
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void table_experts(lb_study *s, const weights *w)
{
    static const lb_column columns[] = {{"k", ""},
                                        {"name", ""},
                                        {"T_eff, K", ""},
                                        {"[M/H], dex", ""},
                                        {"group", ""},
                                        {"n train", ""},
                                        {"n test", ""},
                                        {"α", ""},
                                        {"R²", ""},
                                        {"mean |w|", ".4f"},
                                        {"std |w|", ".4f"},
                                        {"energy Σw²", ".2f"},
                                        {"top-10 share, %", ""},
                                        {"the same of w × sd(x), %", ""}};
    const lb_bins *b = &s->data.bins;
    lb_record_table(s->record, "T09.1", sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < w->n; i++) {
        const size_t k = w->e[i].k, t = k / b->n_mh, m = k % b->n_mh;
        lb_study_row(s, "T09.1",
                     "=%1$zu|=%2$s|=%3$.0f to %4$.0f|=%5$.1f to %6$.1f|=%7$s|k%1$zu.n_train|"
                     "k%1$zu.n_test|k%1$zu.alpha.marked|k%1$zu.r2|k%1$zu.abs_w_mean|"
                     "k%1$zu.abs_w_std|k%1$zu.energy|k%1$zu.top10_share|k%1$zu.top10_share_scaled",
                     k, w->e[i].name, b->teff[t], b->teff[t + 1], b->mh[m], b->mh[m + 1],
                     m < PARTS ? e09_mh_name[m] : "");
    }
}

static void table_groups(lb_study *s)
{
    static const lb_column columns[] = {{"group", ""},
                                        {"mean R²", ""},
                                        {"mean |w|", ".4f"},
                                        {"top-10 share, %", ""},
                                        {"correlation within", ".3f"}};
    static const char *const rows[][2] = {{"metal-poor", "mh_low"},     {"solar", "mh_mid"},
                                          {"metal-rich", "mh_high"},    {"cool", "teff_cool"},
                                          {"middle T_eff", "teff_mid"}, {"hot", "teff_hot"}};
    lb_record_table(s->record, "T09.2", sizeof columns / sizeof *columns, columns);
    for (size_t q = 0; q < sizeof rows / sizeof *rows; q++)
        lb_study_row(s, "T09.2",
                     "=%1$s|group.%2$s.r2_mean|group.%2$s.abs_w_mean|group.%2$s.top10_share|"
                     "corr.%2$s",
                     rows[q][0], rows[q][1]);
}

static void table_correlations(lb_study *s, const weights *w)
{
    lb_column columns[1 + LB_BINS_MAX] = {{"k", ""}};
    static const lb_column means[] = {
        {"pairs", ""}, {"chosen α", ".3f"}, {"α fixed", ".3f"}, {"w × sd(x)", ".3f"}};
    char heads[LB_BINS_MAX][24];
    for (size_t i = 0; i < w->n; i++) {
        snprintf(heads[i], sizeof heads[i], "k=%zu", w->e[i].k);
        columns[1 + i] = (lb_column){heads[i], ".3f"};
    }
    lb_record_table(s->record, "T09.3", 1 + w->n, columns);
    for (size_t i = 0; i < w->n; i++) {
        char cells[1024];
        size_t at = (size_t)snprintf(cells, sizeof cells, "=%zu", w->e[i].k);
        for (size_t j = 0; j < w->n; j++)
            at += (size_t)(j < i ? snprintf(cells + at, sizeof cells - at, "|corr.k%zu.k%zu",
                                            w->e[j].k, w->e[i].k)
                                 : snprintf(cells + at, sizeof cells - at, "|=%s",
                                            i == j ? "1" : ""));
        lb_study_row(s, "T09.3", "%s", cells);
    }
    lb_record_table(s->record, "T09.3b", sizeof means / sizeof *means, means);
    for (size_t q = 0; q < sizeof kinds / sizeof *kinds; q++)
        lb_study_row(s, "T09.3b", "=%1$s|corr.%2$s|corr_fixed.%2$s|corr_scaled.%2$s", kinds[q].name,
                     kinds[q].key);
}

static void table_lines(lb_study *s)
{
    static const lb_column columns[] = {{"line", ""},
                                        {"air, Å", ""},
                                        {"vacuum, Å", ""},
                                        {"window, Å", ""},
                                        {"at the line", ""},
                                        {"at its vacuum place", ""},
                                        {"largest in window", ""},
                                        {"mean in window", ""},
                                        {"rank of the largest", ""}};
    lb_record_table(s->record, "T09.4", sizeof columns / sizeof *columns, columns);
    for (size_t q = 0; q < LINES; q++)
        lb_study_row(
            s, "T09.4",
            "=%1$s|=%2$.2f|=%3$.2f|=%4$.1f–%5$.1f|line.%6$s.importance|"
            "line.%6$s.at_vacuum|line.%6$s.window_max|line.%6$s.window_mean|line.%6$s.rank",
            lines[q].name, lines[q].air, lb_air_to_vacuum(lines[q].air), lines[q].lo, lines[q].hi,
            lines[q].key);
}

static void table_top(lb_study *s)
{
    static const lb_column columns[] = {{"rank", ""},
                                        {"wavelength, Å", ""},
                                        {"mean |w|", ".3f"},
                                        {"importance", ""},
                                        {"nearest line", ""},
                                        {"offset, Å", "+"},
                                        {"offset if vacuum, Å", "+"}};
    lb_record_table(s->record, "T09.5", sizeof columns / sizeof *columns, columns);
    for (size_t r = 1; r <= SHOWN; r++)
        lb_study_row(s, "T09.5",
                     "=%1$zu|top.%1$02zu.wavelength|top.%1$02zu.abs_w|top.%1$02zu.importance|"
                     "top.%1$02zu.line|top.%1$02zu.offset|top.%1$02zu.offset_vacuum",
                     r);
}

/* --- figures ------------------------------------------------------------------------------------
 */

static double largest(const double *x, size_t n)
{
    double most = 0.0;
    for (size_t j = 0; j < n; j++)
        most = fmax(most, fabs(x[j]));
    return most;
}

static char *subtitle(const lb_study *s, const char *title)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE];
    return lb_xprintf("%s\nE09, noise %.1f, %s training and %s test rows in bins", title,
                      lb_spec_number(s->spec, "noise.focus"),
                      lb_count_text(s->data.train.n - s->data.n_train[s->data.outside], train),
                      lb_count_text(s->data.test.n - s->data.n_test[s->data.outside], test));
}

static lb_figure *figure(lb_study *s, const char *id, double width, double height,
                         const char *title, const char *alt)
{
    char *stem = lb_study_figure(s, id), *text = subtitle(s, title);
    lb_figure *f = lb_figure_new(stem, width, height, text, alt);
    free(stem);
    free(text);
    return f;
}

/* Short names with the metallicity group in front: what the matrix is about. */
static void name_experts(const lb_study *s, const weights *w, char (*out)[32], const char **names)
{
    static const char *const groups[] = {"poor", "solar", "rich"};
    for (size_t i = 0; i < w->n; i++) {
        const size_t m = w->e[i].k % s->data.bins.n_mh;
        snprintf(out[i], sizeof out[i], "%s k=%zu", m < PARTS ? groups[m] : "group", w->e[i].k);
        names[i] = out[i];
    }
}

static void figure_correlations(lb_study *s, const weights *w)
{
    double z[LB_BINS_MAX * LB_BINS_MAX];
    char text[LB_BINS_MAX][32];
    const char *names[LB_BINS_MAX];
    lb_style group[LB_BINS_MAX];
    name_experts(s, w, text, names);
    for (size_t i = 0; i < w->n; i++)
        group[i] = lb_style_category(w->e[i].k % s->data.bins.n_mh);
    for (size_t i = 0; i < w->n; i++)
        for (size_t j = 0; j < w->n; j++)
            z[i * w->n + j] = j > i ? NAN : e09_correlation(w->e[i].w, w->e[j].w, w->p);
    lb_figure *f = figure(s, "F09.1", 6.5, 5.4, "How alike the weights of the experts are",
                          "Lower triangle of the matrix of correlations between the weight "
                          "vectors of the nine experts, with numbers.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, w->n);
    lb_axes_y_names(a, NULL, names, w->n);
    lb_axes_name_colours(a, group, w->n);
    lb_plot_heat(a, (lb_heat){.z = z,
                              .rows = w->n,
                              .cols = w->n,
                              .lo = 0.0,
                              .hi = 1.0,
                              .map = LB_CIVIDIS,
                              .format = "%.2f",
                              .label = "correlation of weights"});
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_energy(lb_study *s, const weights *w)
{
    const lb_bins *b = &s->data.bins;
    double *y = lb_xcalloc(2 * w->p, sizeof *y), *square = y + w->p;
    char note[96];
    lb_figure *f = figure(s, "F09.2", 6.5, 6.4, "Where the energy of the weights lies",
                          "Smoothed squared weights against wavelength, one panel a temperature "
                          "row, one line a metallicity.");
    lb_figure_share_x(f);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    for (size_t t = 0; t < b->n_teff; t++) {
        lb_axes *a = lb_figure_panel(f, t, 0, b->n_teff, 1);
        lb_axes_title(a, t < PARTS ? e09_teff_name[t] : "");
        lb_axes_x(a, "wavelength (Å)", w->wave[0], w->wave[w->p - 1], LB_LINEAR);
        double most = 0.0;
        for (size_t m = 0; m < b->n_mh; m++) {
            const expert *x = e09_expert(w, t * b->n_mh + m);
            if (!x)
                continue;
            for (size_t j = 0; j < w->p; j++)
                square[j] = x->w[j] * x->w[j];
            smooth(square, w->p, window_of(w), y);
            lb_style style = lb_style_category(m);
            style.marker = LB_MARKER_NONE;
            style.dash = LB_SOLID; /* peaks this narrow would fall between dashes */
            style.width = 0.7;
            lb_plot_line(a, w->wave, y, w->p, style, m < PARTS ? e09_mh_name[m] : NULL);
            most = fmax(most, largest(y, w->p));
        }
        lb_axes_y(a, "w^{2}", 1e-5 * most, 2.0 * most, LB_LOG10);
    }
    snprintf(note, sizeof note, "running mean over %.1f Å", width_of(w));
    lb_figure_note(f, note);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(y);
}

static void figure_difference(lb_study *s, const weights *w)
{
    const lb_bins *b = &s->data.bins;
    double *zero = lb_xcalloc(3 * w->p, sizeof *zero), *up = zero + w->p, *down = up + w->p;
    char note[96];
    size_t drawn = 0;
    lb_figure *f = figure(s, "F09.3", 6.5, 6.0, "Metal-rich minus metal-poor weights",
                          "Difference of the weights of the metal-rich and the metal-poor expert "
                          "against wavelength, one panel a temperature row.");
    lb_figure_share_x(f);
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    for (size_t t = 0; t < b->n_teff; t++) {
        double *d = difference(s, w, t, false);
        lb_axes *a = lb_figure_panel(f, t, 0, b->n_teff, 1);
        lb_axes_title(a, t < PARTS ? e09_teff_name[t] : "");
        lb_axes_x(a, "wavelength (Å)", w->wave[0], w->wave[w->p - 1], LB_LINEAR);
        const double most = d ? 1.08 * largest(d, w->p) : 1.0;
        lb_axes_y(a, "w_{rich} - w_{poor}", -most, most, LB_LINEAR);
        for (size_t j = 0; j < w->p; j++) {
            up[j] = d ? fmax(d[j], 0.0) : 0.0;
            down[j] = d ? fmin(d[j], 0.0) : 0.0;
        }
        lb_style rich = lb_style_role(LB_GLOBAL), poor = lb_style_role(LB_MIXTURE);
        rich.marker = poor.marker = LB_MARKER_NONE;
        rich.dash = LB_SOLID;
        rich.width = poor.width = 0.6;
        lb_plot_band(a, w->wave, zero, up, w->p, rich, NULL);
        lb_plot_band(a, w->wave, down, zero, w->p, poor, NULL);
        lb_plot_line(a, w->wave, up, w->p, rich, "w rich above w poor");
        lb_plot_line(a, w->wave, down, w->p, poor, "w rich below w poor");
        lb_plot_hline(a, 0.0, lb_style_role(LB_REFERENCE), NULL);
        drawn += d != NULL;
        free(d);
    }
    snprintf(note, sizeof note,
             "running mean over %.1f Å; %zu of %zu temperature rows have both "
             "experts",
             width_of(w), drawn, b->n_teff);
    lb_figure_note(f, note);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(zero);
}

static void figure_top(lb_study *s, const weights *w)
{
    double y[SHOWN];
    char text[SHOWN][64];
    const char *names[SHOWN];
    for (size_t r = 0; r < SHOWN; r++) {
        const size_t j = w->by_weight[r];
        double offset;
        const size_t q = nearest_line(w, w->wave[j], &offset);
        y[r] = w->importance[j];
        const bool paschen = !strncmp(lines[q].name, "H Paschen ", 10); /* too wide for a bar */
        if (fabs(offset) < 10.0)
            snprintf(text[r], sizeof text[r], "%.1f %s%s", w->wave[j], paschen ? "Pa " : "",
                     lines[q].name + (paschen ? 10 : 0));
        else
            snprintf(text[r], sizeof text[r], "%.1f", w->wave[j]);
        names[r] = text[r];
    }
    lb_figure *f = figure(s, "F09.4", 6.9, 4.6, "The twenty heaviest pixels",
                          "Bars of the importance of the twenty heaviest pixels with the named "
                          "line nearest to each.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, "wavelength (Å) and the line within ten Å", names, SHOWN);
    lb_axes_y(a, "importance", 0.0, NAN, LB_LINEAR);
    lb_plot_bars(
        a, (lb_bars){.y = y, .n = SHOWN, .style = lb_style_role(LB_MIXTURE), .format = "%.1f"});
    char label[64];
    const double physical = lb_spec_number(s->spec, "thresholds.importance");
    snprintf(label, sizeof label, "threshold %.1f", physical);
    lb_plot_hline(a, physical, lb_style_role(LB_THRESHOLD), label);
    lb_study_take(s, lb_figure_close(f, s->err));
}

/* Expert by wavelength, the weights averaged over stretches of equal width, in units of the sd. */
static void figure_map(lb_study *s, const weights *w)
{
    enum { STRETCHES = 64 };
    static double z[LB_BINS_MAX * STRETCHES];
    char text[LB_BINS_MAX][32], wave[STRETCHES][16];
    const char *names[LB_BINS_MAX], *ticks[STRETCHES];
    name_experts(s, w, text, names);
    for (size_t i = 0; i < w->n; i++) {
        const double sd = sqrt(w->e[i].energy / (double)w->p);
        for (size_t q = 0; q < STRETCHES; q++) {
            const size_t from = q * w->p / STRETCHES, to = (q + 1) * w->p / STRETCHES;
            size_t heaviest = from;
            for (size_t j = from; j < to; j++)
                heaviest = fabs(w->e[i].w[j]) > fabs(w->e[i].w[heaviest]) ? j : heaviest;
            z[i * STRETCHES + q] = sd > 0.0 ? w->e[i].w[heaviest] / sd : NAN;
        }
    }
    for (size_t q = 0; q < STRETCHES; q++) {
        wave[q][0] = '\0';
        if (q % 8 == 0)
            snprintf(wave[q], sizeof wave[q], "%.0f", w->wave[q * w->p / STRETCHES]);
        ticks[q] = wave[q];
    }
    lb_figure *f = figure(s, "F09.5", 6.9, 4.2, "Weights by expert and wavelength",
                          "Heat map of the heaviest weight in each of sixty-four stretches of "
                          "wavelength for each expert, clipped at three standard deviations.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, "wavelength (Å)", ticks, STRETCHES);
    lb_axes_y_names(a, NULL, names, w->n);
    lb_plot_heat(a, (lb_heat){.z = z,
                              .rows = w->n,
                              .cols = STRETCHES,
                              .lo = -3.0,
                              .hi = 3.0,
                              .map = LB_BALANCE,
                              .label = "heaviest weight / sd"});
    lb_style line = lb_style_role(LB_REFERENCE);
    line.width = 2.0;
    for (size_t i = 1; i < w->n; i++) /* part the temperature rows */
        if (w->e[i].k / s->data.bins.n_mh != w->e[i - 1].k / s->data.bins.n_mh)
            lb_plot_hline(a, (double)i - 0.5, line, NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
}

static void figure_mean(lb_study *s, const weights *w)
{
    double *y = lb_xcalloc(2 * w->p, sizeof *y), *square = y + w->p;
    char note[96];
    for (size_t j = 0; j < w->p; j++)
        for (size_t i = 0; i < w->n; i++)
            square[j] += w->e[i].w[j] * w->e[i].w[j] / (double)w->n;
    smooth(square, w->p, window_of(w), y);
    lb_figure *f = figure(s, "F09.6", 6.9, 4.2, "Mean energy of the weights and named lines",
                          "Mean squared weight over the experts against wavelength with vertical "
                          "marks at named lines.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x(a, "wavelength (Å)", w->wave[0], w->wave[w->p - 1], LB_LINEAR);
    lb_axes_y(a, "mean w^{2}", 0.0, 1.08 * largest(y, w->p), LB_LINEAR);
    lb_style line = lb_style_role(LB_MIXTURE), mark;
    line.marker = LB_MARKER_NONE;
    line.width = 0.8;
    lb_plot_line(a, w->wave, y, w->p, line, NULL);
    static const char *const elements[] = {"Ca II", "Na I", "Mg I", "H", "Fe I", "K I"};
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    for (size_t e = 0; e < sizeof elements / sizeof *elements; e++) {
        bool named = false;
        for (size_t q = 0; q < LINES; q++) {
            const double at = in_medium(w, lines[q].air);
            if (strcmp(lines[q].element, elements[e]) || !covered(w, at))
                continue;
            mark = e + 1 < 6 ? lb_style_category(e + 1) : lb_style_role(LB_THRESHOLD);
            mark.dash = (lb_dash)((e + 1) % 4); /* the next category is too pale for a line */
            mark.width = 0.9;
            lb_plot_vline(a, at, mark, named ? NULL : elements[e]);
            named = true;
        }
    }
    snprintf(note, sizeof note, "running mean over %.1f Å", width_of(w));
    lb_figure_note(f, note);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(y);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void run(lb_study *s)
{
    lb_domains bins = lb_domains_bins(&s->data);
    weights *w = lb_xcalloc(1, sizeof *w);
    lb_moe moe;
    lb_moe_fit(s, &s->data, lb_spec_number(s->spec, "noise.focus"), lb_noise_seeds_of(s->spec),
               &bins, 1, &moe);
    if (lb_study_ok(s))
        read_experts(s, &moe, w);
    if (lb_study_ok(s)) {
        put_correlations(s, w);
        put_choices(s, w);
        put_groups(s, w);
        put_lines(s, w);
        put_top(s, w);
        put_differences(s, w);
        put_differences_at(s, w, "mg1_8807");
        put_differences_at(s, w, "pa12");
        e09_why(s, w);
        table_experts(s, w);
        table_groups(s);
        table_correlations(s, w);
        table_lines(s);
        table_top(s);
    }
    if (lb_study_ok(s)) {
        figure_correlations(s, w);
        figure_energy(s, w);
        figure_difference(s, w);
        figure_top(s, w);
        figure_map(s, w);
        figure_mean(s, w);
    }
    weights_free(w);
    free(w);
    lb_moe_free(&moe);
    lb_domains_free(&bins);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e09_coefficients",
                             "Which wavelengths carry log g in each of nine Ridge experts.", run,
                             false};
    return lb_study_main(argc, argv, &e);
}
