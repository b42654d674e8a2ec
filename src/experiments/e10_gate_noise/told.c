/* SPDX-License-Identifier: GPL-3.0-or-later */
/* E10: the models, trained with true labels, and what they say when told wrong ones. */
#include "core/memory.h"
#include "data/gate_noise.h"
#include "experiments/e10_gate_noise/e10.h"
#include "models/ridge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double *e10_yhat(const told *t, size_t method, size_t sigma, size_t draw)
{
    return t->yhat + ((method * t->n_sigma + sigma) * t->draws + draw) * t->cohort->test.n;
}

/* --- experts ------------------------------------------------------------------------------------
 */

/* The expert of the nine bins for a row with this temperature that is told this metallicity; the
 * nearest bin takes what lies outside all of them. */
static void deal_nine(const lb_cohort *c, const lb_domains *d, const double *teff, const double *m,
                      size_t n, int *expert_of)
{
    const lb_bins *b = &c->bins;
    double *x = lb_xcalloc(2 * n, sizeof *x), *y = x + n;
    memcpy(x, teff, n * sizeof *x);
    memcpy(y, m, n * sizeof *y);
    lb_clamp((lb_vec){x, n}, b->teff[0], b->teff[b->n_teff]);
    lb_clamp((lb_vec){y, n}, b->mh[0], b->mh[b->n_mh]);
    lb_bins_assign(b, (lb_cvec){x, n}, (lb_cvec){y, n}, expert_of);
    for (size_t i = 0; i < n; i++) {
        const int bin = expert_of[i] < 0 ? -1 : c->merged_to[expert_of[i]];
        expert_of[i] = bin < 0 ? -1 : d->of_bin[bin];
    }
    free(x);
}

static lb_domains nine_bins(const lb_cohort *c)
{
    lb_domains d = lb_domains_bins(c);
    deal_nine(c, &d, c->train.teff, c->train.mh, c->train.n, d.train);
    deal_nine(c, &d, c->val.teff, c->val.mh, c->val.n, d.val);
    deal_nine(c, &d, c->test.teff, c->test.mh, c->test.n, d.test);
    return d;
}

static void label_range(told *t)
{
    const lb_side *train = &t->cohort->train;
    t->lo = t->hi = train->mh[0];
    for (size_t i = 1; i < train->n; i++) {
        t->lo = fmin(t->lo, train->mh[i]);
        t->hi = fmax(t->hi, train->mh[i]);
    }
}

/* region: models */
/* Three experts on hand bins with open ends, nine for the variant, and one conditional model whose
 * weights are linear in [M/H]; all trained and validated with true labels. */
void e10_fit(lb_study *s, const lb_cohort *c, double noise, size_t methods, told *t)
{
    const lb_by_row mh = {c->train.mh, c->val.mh, c->test.mh};
    const lb_guess true_labels = {.value = mh};
    const lb_noise_seeds seeds = lb_noise_seeds_of(s->spec);
    size_t n_edges;
    const double *edges = lb_spec_numbers(s->spec, "settings.hand_edges", &n_edges);
    *t = (told){.cohort = c, .methods = methods};
    t->draws = lb_spec_size(s->spec, "settings.draws");
    label_range(t);
    lb_strata_at(s, c, "hand [M/H] bins", mh, edges, n_edges, true, &t->hand);
    t->domains[0] = t->hand.domains;
    if (methods > NINE)
        t->domains[1] = nine_bins(c);
    lb_moe_fit(s, c, noise, seeds, t->domains, methods > NINE ? 2 : 1, &t->moe);
    t->cond = lb_guess_condition(s, c, noise, seeds, &true_labels);
    if (!lb_study_ok(s))
        return;
    lb_exposure seen;
    const lb_conditional_fit *w = lb_conditional_weights(t->cond, 0);
    const size_t parts = w->n_alpha * w->k;
    lb_cohort_expose(c, noise, seeds, &seen);
    t->parts = lb_mat_new(c->test.n, parts);
    lb_study_take(s, lb_conditional_project(w, &seen.test, t->parts, s->err));
}
/* end region */

/* The conditional model with alpha number @p a, told @p m. */
static void condition(lb_study *s, const told *t, lb_mat parts, size_t a, const double *m,
                      double *out)
{
    const lb_conditional_fit *w = lb_conditional_weights(t->cond, 0);
    const size_t n = parts.rows;
    const lb_mat all = lb_mat_new(w->n_alpha, n);
    if (lb_study_ok(s))
        lb_study_take(
            s, lb_conditional_combine(w, lb_mat_const(parts), (lb_cmat){m, n, 1, 1}, all, s->err));
    memcpy(out, all.data + a * n, n * sizeof *out);
    free(all.data);
}

void e10_predict(lb_study *s, const told *t, size_t method, const double *m, double *out)
{
    const lb_side *test = &t->cohort->test;
    if (method != HARD && method != NINE) {
        condition(s, t, t->parts, lb_conditional_get(t->cond, 0).chosen.index, m, out);
        return;
    }
    int *expert_of = method == HARD ? lb_strata_deal(&t->hand, (lb_cvec){m, test->n})
                                    : lb_xcalloc(test->n, sizeof *expert_of);
    const lb_mat yhat = t->moe.yhat[method == NINE];
    if (method == NINE)
        deal_nine(t->cohort, &t->domains[1], test->teff, m, test->n, expert_of);
    for (size_t i = 0; i < test->n; i++)
        out[i] = expert_of[i] < 0 ? t->moe.global.yhat_chosen.data[i]
                                  : yhat.data[i * yhat.stride + (size_t)expert_of[i]];
    free(expert_of);
}

/* --- penalties chosen anew at every sigma -------------------------------------------------------
 */

enum { MOST_EXPERTS = 8 };

/* Validation rows, every penalty: of each hand expert (rows, alphas), and of the conditional model
 * the parts that do not know the metallicity. */
typedef struct tuning {
    lb_mat yhat[MOST_EXPERTS];
    lb_mat parts;
    size_t alpha[MOST_EXPERTS], cond_alpha; /* chosen for the sigma at hand */
} tuning;

static void tuning_open(lb_study *s, const told *t, double noise, tuning *u)
{
    const lb_cohort *c = t->cohort;
    const lb_conditional_fit *w = lb_conditional_weights(t->cond, 0);
    lb_exposure seen;
    *u = (tuning){0};
    lb_cohort_expose(c, noise, lb_noise_seeds_of(s->spec), &seen);
    u->parts = lb_mat_new(c->val.n, w->n_alpha * w->k);
    lb_study_take(s, lb_conditional_project(w, &seen.val.x, u->parts, s->err));
    for (size_t e = 0; e < t->hand.bins.n && e < MOST_EXPERTS && lb_study_ok(s); e++) {
        const lb_sweep_model m = lb_moe_expert(&t->moe, 0, e);
        const lb_ridge fit = {.w = lb_mat_of((double *)m.w.data, m.w.rows, m.w.cols),
                              .b = (double *)m.b.data,
                              .alpha = (double *)m.alphas.data,
                              .n_alpha = m.w.rows};
        const lb_ridge *one = &fit;
        u->yhat[e] = lb_mat_new(c->val.n, fit.n_alpha);
        lb_study_take(s, lb_ridge_predict(&one, 1, &seen.val.x, &u->yhat[e], s->err));
    }
}

static void tuning_close(tuning *u)
{
    free(u->parts.data);
    for (size_t e = 0; e < MOST_EXPERTS; e++)
        free(u->yhat[e].data);
}

/* Validation rows told as wrongly as the test rows, other errors; null sigma leaves the choice as
 * it was. */
static void tell_validation(lb_study *s, const told *t, double sigma, size_t draw, double *m)
{
    const lb_side *val = &t->cohort->val;
    const lb_vec out = {m, val->n};
    if (lb_study_ok(s))
        lb_study_take(s, lb_gate_noise(lb_spec_size(s->spec, "settings.seed_validation"), draw,
                                       val->rows, sigma, (lb_cvec){val->mh, val->n}, out, s->err));
    lb_clamp(out, t->lo, t->hi);
}

/* The first penalty of the least error; a tie goes to the larger one. */
static size_t least(const double *sum, size_t n)
{
    size_t best = 0;
    for (size_t a = 1; a < n; a++)
        if (sum[a] <= sum[best])
            best = a;
    return best;
}

/* Squared errors over all draws, for every penalty: of each expert on the rows it is sent, of the
 * conditional model on all. */
static void tune(lb_study *s, const told *t, double sigma, tuning *u)
{
    const lb_side *val = &t->cohort->val;
    const lb_conditional_fit *w = lb_conditional_weights(t->cond, 0);
    const lb_mat cond = lb_mat_new(w->n_alpha, val->n);
    size_t most = w->n_alpha;
    for (size_t e = 0; e < t->hand.bins.n; e++)
        most = u->yhat[e].cols > most ? u->yhat[e].cols : most;
    double *m = lb_xcalloc(val->n, sizeof *m);
    double *sum = lb_xcalloc((MOST_EXPERTS + 1) * most, sizeof *sum);
    for (size_t r = 0; r < t->draws && lb_study_ok(s); r++) {
        tell_validation(s, t, sigma, r, m);
        int *expert_of = lb_strata_deal(&t->hand, (lb_cvec){m, val->n});
        lb_study_take(s, lb_conditional_combine(w, lb_mat_const(u->parts),
                                                (lb_cmat){m, val->n, 1, 1}, cond, s->err));
        for (size_t i = 0; i < val->n; i++) {
            const size_t e = (size_t)expert_of[i];
            for (size_t a = 0; a < u->yhat[e].cols; a++) {
                const double error = u->yhat[e].data[i * u->yhat[e].cols + a] - val->target[i];
                sum[e * most + a] += error * error;
            }
            for (size_t a = 0; a < w->n_alpha; a++) {
                const double error = cond.data[a * val->n + i] - val->target[i];
                sum[MOST_EXPERTS * most + a] += error * error;
            }
        }
        free(expert_of);
    }
    for (size_t e = 0; e < t->hand.bins.n; e++)
        u->alpha[e] = least(sum + e * most, u->yhat[e].cols);
    u->cond_alpha = least(sum + MOST_EXPERTS * most, w->n_alpha);
    free(sum);
    free(m);
    free(cond.data);
}

static void predict_tuned(lb_study *s, const told *t, const tuning *u, size_t method,
                          const double *m, double *out)
{
    const size_t n = t->cohort->test.n;
    if (method == COND_TUNED) {
        condition(s, t, t->parts, u->cond_alpha, m, out);
        return;
    }
    int *expert_of = lb_strata_deal(&t->hand, (lb_cvec){m, n});
    for (size_t i = 0; i < n; i++) {
        const lb_sweep_model x = lb_moe_expert(&t->moe, 0, (size_t)expert_of[i]);
        out[i] = x.yhat.data[u->alpha[expert_of[i]] * x.yhat.stride + i];
    }
    free(expert_of);
}

/* --- telling ------------------------------------------------------------------------------------
 */

/* region: telling */
/* One draw: the same wrong metallicities for every method, clamped to the range of the training
 * labels; hand bins are open, so the nearest one takes what lies outside. */
static void tell_once(lb_study *s, told *t, const tuning *u, size_t q, size_t r)
{
    const lb_side *test = &t->cohort->test;
    const uint64_t seed = lb_spec_size(s->spec, "settings.seed");
    double *m = lb_xcalloc(2 * test->n, sizeof *m), *free_m = m + test->n;
    if (lb_study_ok(s))
        lb_study_take(s, lb_gate_noise(seed, r, test->rows, t->sigma[q],
                                       (lb_cvec){test->mh, test->n}, (lb_vec){m, test->n}, s->err));
    memcpy(free_m, m, test->n * sizeof *m);
    lb_clamp((lb_vec){m, test->n}, t->lo, t->hi);
    for (size_t method = 0; method < t->methods && lb_study_ok(s); method++) {
        double *out = e10_yhat(t, method, q, r);
        if (method == HARD_TUNED || method == COND_TUNED)
            predict_tuned(s, t, u, method, m, out);
        else
            e10_predict(s, t, method, method == COND_FREE ? free_m : m, out);
    }
    int *expert_of = lb_strata_deal(&t->hand, (lb_cvec){m, test->n});
    for (size_t i = 0; i < test->n; i++)
        t->flips[q] +=
            (expert_of[i] != t->hand.domains.test[i]) * 100.0 / (double)(test->n * t->draws);
    free(expert_of);
    free(m);
}
/* end region */

void e10_tell(lb_study *s, double noise, told *t)
{
    tuning u = {0};
    if (!lb_study_ok(s))
        return;
    t->yhat = lb_xcalloc(t->methods * t->n_sigma * t->draws * t->cohort->test.n, sizeof *t->yhat);
    if (t->methods > HARD_TUNED)
        tuning_open(s, t, noise, &u);
    for (size_t q = 0; q < t->n_sigma && lb_study_ok(s); q++) {
        if (t->methods > HARD_TUNED) {
            tune(s, t, t->sigma[q], &u);
            t->alpha[q] = lb_conditional_weights(t->cond, 0)->alpha[u.cond_alpha];
            for (size_t e = 0; e < t->hand.bins.n; e++)
                t->kept[q] += u.alpha[e] == lb_moe_expert(&t->moe, 0, e).chosen.index;
        }
        for (size_t r = 0; r < t->draws; r++)
            tell_once(s, t, &u, q, r);
    }
    tuning_close(&u);
}

size_t e10_zero_differs(const told *t)
{
    const size_t n = t->cohort->test.n;
    const double *own[] = {t->moe.mixture[0].data, lb_conditional_get(t->cond, 0).yhat_chosen.data};
    size_t differ = 0;
    for (size_t r = 0; r < t->draws; r++)
        for (size_t method = HARD; method <= COND; method++)
            for (size_t i = 0; i < n; i++)
                differ += fabs(e10_yhat(t, method, 0, r)[i] - own[method][i]) > 1e-9;
    return differ;
}

void e10_free(told *t)
{
    lb_moe_free(&t->moe);
    lb_conditional_free(t->cond);
    lb_strata_free(&t->hand); /* and with it domains[0] */
    lb_domains_free(&t->domains[1]);
    free(t->parts.data);
    free(t->yhat);
    *t = (told){0};
}
