/* SPDX-License-Identifier: GPL-3.0-or-later */
/* E09: why one expert scores higher than another. Three things can differ between bins: how much
 * log g varies, how much the pixels say of it, and what the weights make of that. */
#include "core/memory.h"
#include "experiments/e09_coefficients/e09.h"
#include "linalg/cholesky.h"
#include "stats/fisher.h"

#include <math.h>
#include <stdlib.h>

enum { LABELS = 3 }; /* log g, T_eff, [M/H] */

/* What is known of the stars of one expert; NAN where it cannot be had. */
typedef struct cause {
    double label_mean[LABELS], label_cross[LABELS * LABELS];
    double *slope;   /* (LABELS, p) d flux / d label at the other labels fixed */
    double *error_2; /* [p] mean squared error vector of the test rows, at noise level 1 */
    double n_train, n_test;
    double sd;            /* of log g, test rows */
    double misfit, noise; /* parts of the RMSE, see read_test_rows() */
    double response;      /* root mean square over pixels of the slope in log g */
    double least;         /* standard error that the pixels allow, the other labels unknown */
    double left;          /* per cent of the information that these leave */
    double pixels;        /* that share the information */
} cause;

static void labels_of(const lb_side *side, size_t i, double out[LABELS])
{
    out[0] = side->target[i];
    out[1] = side->teff[i];
    out[2] = side->mh[i];
}

/* The cause of each group of rows, NULL without an expert. */
static void by_group(const weights *w, cause *causes, cause **of)
{
    for (size_t i = 0; i < w->n; i++)
        of[w->e[i].k] = &causes[i];
}

/* --- what the pixels say ------------------------------------------------------------------------
 */

static void centre_labels(const lb_side *train, cause *const *of)
{
    double label[LABELS];
    for (size_t i = 0; i < train->n; i++) {
        cause *x = of[train->group[i]];
        labels_of(train, i, label);
        for (int a = 0; a < LABELS && x; a++)
            x->label_mean[a] += label[a];
        if (x)
            x->n_train += 1.0;
    }
}

/* region: slopes */
/* Least squares in each bin, on its training spectra without noise: flux = mean + slopes * (labels
 * - their mean). So each slope is at the other labels fixed. */
static void add_slopes(lb_study *s, const weights *w, cause *const *of)
{
    const lb_side *train = &s->data.train;
    lb_exposure clean;
    lb_cohort_expose(&s->data, 0.0, lb_noise_seeds_of(s->spec), &clean);
    const lb_stream *x = &clean.train.x;
    float *row = lb_xcalloc(w->p, sizeof *row);
    for (size_t i = 0; i < train->n && lb_study_ok(s); i++) {
        double label[LABELS];
        cause *c = of[train->group[i]];
        if (!c)
            continue;
        lb_study_take(s, x->read(x->self, i, (lb_matf){row, 1, w->p, w->p}, s->err));
        labels_of(train, i, label);
        for (int a = 0; a < LABELS; a++)
            label[a] -= c->label_mean[a] / c->n_train;
        for (int a = 0; a < LABELS; a++) {
            for (int b = 0; b < LABELS; b++)
                c->label_cross[a * LABELS + b] += label[a] * label[b];
            for (size_t j = 0; j < w->p; j++)
                c->slope[(size_t)a * w->p + j] += label[a] * (double)row[j];
        }
    }
    free(row);
}

static bool solve_slopes(cause *c, size_t p)
{
    lb_cholesky *f = lb_cholesky_new(LABELS);
    double y[LABELS];
    for (size_t a = 0; a < LABELS; a++)
        for (size_t b = a; b < LABELS; b++)
            *lb_cholesky_place(f, a, b) = c->label_cross[a * LABELS + b];
    const bool solved = lb_cholesky_factor(f, 0.0, NULL) == LB_OK; /* else a label is constant */
    for (size_t j = 0; j < p && solved; j++) {
        for (size_t a = 0; a < LABELS; a++)
            y[a] = c->slope[a * p + j];
        lb_cholesky_solve(f, (lb_vec){y, LABELS});
        for (size_t a = 0; a < LABELS; a++)
            c->slope[a * p + j] = y[a];
    }
    lb_cholesky_free(f);
    return solved;
}
/* end region */

/* Fisher information of the pixels (stats/fisher.h), and how many share that on log g: the squared
 * sum of what each gives over the sum of squares, p if all give the same and 1 if one gives all. */
static void inform(lb_study *s, cause *c, size_t p, double level)
{
    static const size_t log_g_first[LABELS] = {0, 1, 2};
    double *sigma = lb_xcalloc(p, sizeof *sigma), sum = 0.0, squares = 0.0, response = 0.0;
    lb_fisher info;
    lb_bound bound;
    for (size_t j = 0; j < p; j++) {
        sigma[j] = level * sqrt(c->error_2[j]);
        if (!(sigma[j] > 0.0)) { /* no usable error in any row: the pixel says nothing */
            sigma[j] = 1.0;
            for (size_t a = 0; a < LABELS; a++)
                c->slope[a * p + j] = 0.0;
        }
        const double each = pow(c->slope[j] / sigma[j], 2.0);
        sum += each;
        squares += each * each;
        response += c->slope[j] * c->slope[j] / (double)p;
    }
    lb_study_take(s, lb_fisher_information((lb_cmat){c->slope, LABELS, p, p}, (lb_cvec){sigma, p},
                                           &info, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_fisher_bound(&info, log_g_first, LABELS, NULL, &bound, s->err));
    if (lb_study_ok(s)) {
        c->response = sqrt(response);
        c->least = bound.sigma_min;
        c->left = 100.0 * bound.decay;
        c->pixels = squares > 0.0 ? sum * sum / squares : NAN;
    }
    free(sigma);
}

/* --- what the weights make of it ----------------------------------------------------------------
 */

/* region: parts */
/* The error of a prediction has two parts. Misfit is what the same weights get wrong on the spectra
 * without noise. The other is the noise that goes through the weights, of variance sum w^2 sigma^2.
 * They are independent: their squares add up to the squared RMSE, apart from the luck of the draw.
 */
static void add_row(cause *c, const expert *e, double y, const float *x, const float *error,
                    double level, size_t p)
{
    double clean = e->b, noise = 0.0;
    for (size_t j = 0; j < p; j++) {
        const double sigma = error[j] > 0.0f && isfinite(error[j]) ? (double)error[j] : 0.0;
        clean += e->w[j] * (double)x[j];
        noise += pow(e->w[j] * level * sigma, 2.0);
        c->error_2[j] += sigma * sigma;
    }
    c->misfit += (clean - y) * (clean - y);
    c->noise += noise;
    c->n_test += 1.0;
}
/* end region */

static void read_test_rows(lb_study *s, const weights *w, cause *causes, cause *const *of)
{
    const lb_side *test = &s->data.test;
    const double level = lb_spec_number(s->spec, "noise.focus");
    lb_exposure clean;
    lb_cohort_errors errors;
    lb_cohort_expose(&s->data, 0.0, lb_noise_seeds_of(s->spec), &clean);
    lb_cohort_errors_of(&s->data, &errors);
    float *x = lb_xcalloc(2 * w->p, sizeof *x), *error = x + w->p;
    for (size_t i = 0; i < test->n && lb_study_ok(s); i++) {
        cause *c = of[test->group[i]];
        if (!c)
            continue;
        const lb_matf row = {x, 1, w->p, w->p}, row_error = {error, 1, w->p, w->p};
        lb_study_take(s, clean.test.read(clean.test.self, i, row, s->err));
        if (lb_study_ok(s))
            lb_study_take(s, errors.test.read(errors.test.self, i, row_error, s->err));
        add_row(c, &w->e[c - causes], test->target[i], x, error, level, w->p);
    }
    free(x);
}

/* Spread of log g over the test rows of every expert, divisor n: R2 is 1 - (RMSE / it)^2. */
static void measure_spread(const lb_side *test, const weights *w, cause *causes)
{
    for (size_t i = 0; i < w->n; i++) {
        double n = 0.0, mean = 0.0, square = 0.0;
        for (size_t q = 0; q < test->n; q++) {
            if (test->group[q] != (int)w->e[i].k)
                continue;
            const double d = test->target[q] - mean;
            n += 1.0;
            mean += d / n;
            square += d * (test->target[q] - mean);
        }
        causes[i].sd = sqrt(square / n);
    }
}

/* --- numbers ------------------------------------------------------------------------------------
 */

enum { SD, RMSE, MISFIT, NOISE, RESPONSE, LEAST, LEFT, PIXELS, QUANTITIES };
static const struct {
    const char *key, *kind, *unit;
    int digits;
    bool mean_square; /* a group is the root of the mean square of its bins, else their mean */
    bool oracle;
} quantities[QUANTITIES] = {
    [SD] = {"sd_logg", "std", "dex", 3, true, false},
    [RMSE] = {"rmse", "rmse", "dex", 3, true, true},
    [MISFIT] = {"rmse_misfit", "error", "dex", 3, true, true},
    [NOISE] = {"rmse_noise", "error", "dex", 3, true, true},
    [RESPONSE] = {"response", "slope", "", 4, true, false},
    [LEAST] = {"least_error", "error", "dex", 3, true, false},
    [LEFT] = {"information_left", "percent", "%", 1, false, false},
    [PIXELS] = {"information_pixels", "pixels", "", 0, false, false},
};

static double value_of(const expert *e, const cause *c, int q)
{
    const double of[QUANTITIES] = {c->sd,       e->rmse,  c->misfit, c->noise,
                                   c->response, c->least, c->left,   c->pixels};
    return of[q];
}

static lb_number number_of(int q, double value)
{
    lb_number x = isfinite(value) ? lb_number_plain(value, quantities[q].kind, quantities[q].unit)
                                  : lb_number_na(quantities[q].kind, "n/a (too few rows)");
    x.digits = quantities[q].digits;
    x.oracle = quantities[q].oracle;
    return x;
}

/* Over the bins of a strip of metallicity that have a value. */
static double of_strip(const lb_study *s, const weights *w, const cause *causes, size_t strip,
                       int q)
{
    double sum = 0.0, n = 0.0;
    for (size_t i = 0; i < w->n; i++) {
        const double x = value_of(&w->e[i], &causes[i], q);
        if (w->e[i].k % s->data.bins.n_mh != strip || !isfinite(x))
            continue;
        sum += quantities[q].mean_square ? x * x : x;
        n += 1.0;
    }
    return quantities[q].mean_square ? sqrt(sum / n) : sum / n;
}

/* By how much metal-rich experts score above metal-poor ones, the mean over the temperature rows
 * that have both; and by how much if log g varied in the metal-rich bins as in the metal-poor ones.
 */
static void put_gap(lb_study *s, const weights *w, const cause *causes)
{
    const lb_bins *b = &s->data.bins;
    double gap = 0.0, same_spread = 0.0, n = 0.0;
    for (size_t t = 0; t < b->n_teff; t++) {
        const expert *poor = e09_expert(w, t * b->n_mh),
                     *rich = e09_expert(w, t * b->n_mh + b->n_mh - 1);
        if (!poor || !rich || !isfinite(poor->r2) || !isfinite(rich->r2))
            continue;
        gap += rich->r2 - poor->r2;
        same_spread += 1.0 - pow(rich->rmse / causes[poor - w->e].sd, 2.0) - poor->r2;
        n += 1.0;
    }
    lb_number x[2] = {lb_number_na("gap", "n/a (no row has both)"),
                      lb_number_na("gap", "n/a (no row has both)")};
    if (n > 0.0) {
        x[0] = lb_number_plain(gap / n, "gap", "");
        x[1] = lb_number_plain(same_spread / n, "gap", "");
    }
    x[0].oracle = x[1].oracle = true;
    x[0].digits = x[1].digits = 3;
    lb_study_put(s, x[0], "gap.r2");
    lb_study_put(s, x[1], "gap.r2_same_spread");
}

static void put_ratio(lb_study *s, double x, const char *which)
{
    lb_number ratio = isfinite(x) ? lb_number_plain(x, "ratio", "")
                                  : lb_number_na("ratio", "n/a (too few experts)");
    ratio.digits = 2;
    ratio.oracle = true;
    lb_study_put(s, ratio, "error_over_least.%s", which);
}

/* Do the experts stand in the order of what their pixels allow, and how far above it? */
static void put_order(lb_study *s, const weights *w, const cause *causes)
{
    double least[LB_BINS_MAX], rmse[LB_BINS_MAX], nearest = NAN, farthest = NAN;
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++) {
        least[n] = log(causes[i].least);
        rmse[n] = log(w->e[i].rmse);
        if (!isfinite(least[n]) || !isfinite(rmse[n]))
            continue;
        nearest = fmin(nearest, w->e[i].rmse / causes[i].least);
        farthest = fmax(farthest, w->e[i].rmse / causes[i].least);
        n++;
    }
    const double r = n > 2 ? e09_correlation(least, rmse, n) : NAN;
    lb_number x = isfinite(r) ? lb_number_plain(r, "correlation", "")
                              : lb_number_na("correlation", "n/a (too few experts)");
    x.digits = 2;
    lb_study_put(s, x, "corr_error_least");
    put_ratio(s, nearest, "smallest");
    put_ratio(s, farthest, "largest");
}

/* Do misfit and noise make up the error? Sums of squares over all experts. */
static void put_parts(lb_study *s, const weights *w, const cause *causes)
{
    double parts = 0.0, whole = 0.0;
    for (size_t i = 0; i < w->n; i++) {
        const double rmse = w->e[i].rmse;
        if (!isfinite(rmse))
            continue;
        parts += causes[i].misfit * causes[i].misfit + causes[i].noise * causes[i].noise;
        whole += rmse * rmse;
    }
    lb_number x = whole > 0.0 ? lb_number_plain(parts / whole, "ratio", "")
                              : lb_number_na("ratio", "n/a (no bin scored)");
    x.digits = 2;
    x.oracle = true;
    lb_study_put(s, x, "error_parts");
}

static void put_numbers(lb_study *s, const weights *w, const cause *causes)
{
    for (size_t i = 0; i < w->n; i++)
        for (int q = 0; q < QUANTITIES; q++)
            if (q != RMSE) /* which is recorded with the score */
                lb_study_put(s, number_of(q, value_of(&w->e[i], &causes[i], q)), "k%zu.%s",
                             w->e[i].k, quantities[q].key);
    for (size_t g = 0; g < PARTS; g++) {
        size_t rows = 0;
        for (int q = 0; q < QUANTITIES; q++)
            lb_study_put(s, number_of(q, of_strip(s, w, causes, g, q)), "group.%s.%s",
                         e09_mh_key[g], quantities[q].key);
        for (size_t i = 0; i < w->n; i++)
            rows += w->e[i].k % s->data.bins.n_mh == g ? s->data.n_train[w->e[i].k] : 0;
        lb_study_put(s, lb_number_count(rows), "group.%s.n_train", e09_mh_key[g]);
    }
    put_gap(s, w, causes);
    put_order(s, w, causes);
    put_parts(s, w, causes);
}

static void table_why(lb_study *s, const weights *w)
{
    lb_study_table(s, "T09.7",
                   "k|name|n train|sd of log g, dex|RMSE, dex|misfit, dex|noise, dex|"
                   "response, per dex|least error, dex|information left, %|"
                   "pixels that share it");
    for (size_t i = 0; i < w->n; i++)
        lb_study_row(s, "T09.7",
                     "=%1$zu|=%2$s|k%1$zu.n_train|k%1$zu.sd_logg|k%1$zu.rmse|k%1$zu.rmse_misfit|"
                     "k%1$zu.rmse_noise|k%1$zu.response|k%1$zu.least_error|"
                     "k%1$zu.information_left|k%1$zu.information_pixels",
                     w->e[i].k, w->e[i].name);
    for (size_t g = 0; g < PARTS; g++)
        lb_study_row(s, "T09.7",
                     "= |=%1$s|group.%2$s.n_train|group.%2$s.sd_logg|group.%2$s.rmse|"
                     "group.%2$s.rmse_misfit|group.%2$s.rmse_noise|group.%2$s.response|"
                     "group.%2$s.least_error|group.%2$s.information_left|"
                     "group.%2$s.information_pixels",
                     e09_mh_name[g], e09_mh_key[g]);
}

/* Sums over test rows to means; what has too few rows to be scored has no numbers either. */
static void finish(lb_study *s, const weights *w, cause *causes)
{
    const double level = lb_spec_number(s->spec, "noise.focus");
    for (size_t i = 0; i < w->n && lb_study_ok(s); i++) {
        cause *c = &causes[i];
        c->response = c->least = c->left = c->pixels = NAN;
        c->misfit = isfinite(w->e[i].r2) ? sqrt(c->misfit / c->n_test) : NAN;
        c->noise = isfinite(w->e[i].r2) ? sqrt(c->noise / c->n_test) : NAN;
        c->sd = isfinite(w->e[i].r2) ? c->sd : NAN;
        if (!isfinite(w->e[i].r2) || !solve_slopes(c, w->p))
            continue;
        for (size_t j = 0; j < w->p; j++)
            c->error_2[j] /= c->n_test;
        inform(s, c, w->p, level);
    }
}

void e09_why(lb_study *s, const weights *w)
{
    cause *causes = lb_xcalloc(w->n, sizeof *causes), *of[LB_BINS_MAX + 1] = {NULL};
    double *room = lb_xcalloc((LABELS + 1) * w->p * w->n, sizeof *room);
    for (size_t i = 0; i < w->n; i++) {
        causes[i].slope = room + (LABELS + 1) * w->p * i;
        causes[i].error_2 = causes[i].slope + LABELS * w->p;
    }
    by_group(w, causes, of);
    centre_labels(&s->data.train, of);
    measure_spread(&s->data.test, w, causes);
    add_slopes(s, w, of);
    read_test_rows(s, w, causes, of);
    finish(s, w, causes);
    if (lb_study_ok(s)) {
        put_numbers(s, w, causes);
        table_why(s, w);
    }
    free(room);
    free(causes);
}
