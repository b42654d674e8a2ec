/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/moe.h"

#include "core/memory.h"
#include "models/mixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- domains ------------------------------------------------------------------------------------
 */

static lb_domains domains_new(const lb_cohort *c, const char *name, bool oracle)
{
    lb_domains l = {.name = name,
                    .train = lb_xcalloc(c->train.n, sizeof(int)),
                    .val = lb_xcalloc(c->val.n, sizeof(int)),
                    .test = lb_xcalloc(c->test.n, sizeof(int)),
                    .oracle = oracle};
    for (size_t k = 0; k < LB_BINS_MAX; k++)
        l.of_bin[k] = -1;
    return l;
}

/* Bins that hold training rows, gathered by the strip (or bin) they belong to. */
static lb_domains domains_by(const lb_cohort *c, const char *name, size_t strips,
                             size_t (*strip_of)(const lb_bins *b, size_t k))
{
    lb_domains l = domains_new(c, name, true);
    int expert_of_strip[LB_BINS_MAX];
    for (size_t j = 0; j < strips; j++)
        expert_of_strip[j] = -1;
    for (size_t k = 0; k < c->n_bins; k++) {
        int *expert = &expert_of_strip[strip_of(&c->bins, k)];
        if (c->n_train[k] && *expert < 0)
            *expert = (int)l.n++;
        l.of_bin[k] = c->n_train[k] ? *expert : -1;
    }
    const lb_side *sides[] = {&c->train, &c->val, &c->test};
    int *const of_row[] = {l.train, l.val, l.test};
    for (int q = 0; q < 3; q++)
        for (size_t i = 0; i < sides[q]->n; i++)
            of_row[q][i] = sides[q]->group[i] == c->outside ? -1 : l.of_bin[sides[q]->group[i]];
    return l;
}

static size_t own_strip(const lb_bins *b, size_t k)
{
    (void)b;
    return k;
}

static size_t mh_strip(const lb_bins *b, size_t k)
{
    return k % b->n_mh;
}

static size_t teff_strip(const lb_bins *b, size_t k)
{
    return k / b->n_mh;
}

lb_domains lb_domains_bins(const lb_cohort *c)
{
    return domains_by(c, "nine bins", c->n_bins, own_strip);
}

lb_domains lb_domains_mh(const lb_cohort *c)
{
    return domains_by(c, "[M/H] only", c->bins.n_mh, mh_strip);
}

lb_domains lb_domains_teff(const lb_cohort *c)
{
    return domains_by(c, "T_eff only", c->bins.n_teff, teff_strip);
}

static void deal(const double *value, size_t rows, const double *edges, size_t n, int *expert_of)
{
    for (size_t i = 0; i < rows; i++) {
        expert_of[i] = 0;
        for (size_t k = 1; k < n; k++)
            expert_of[i] += value[i] >= edges[k];
    }
}

lb_domains lb_domains_intervals(const lb_cohort *c, const char *name, lb_by_row value,
                                const double *edges, size_t n, bool oracle)
{
    lb_domains l = domains_new(c, name, oracle);
    l.n = n;
    deal(value.train, c->train.n, edges, n, l.train);
    deal(value.val, c->val.n, edges, n, l.val);
    deal(value.test, c->test.n, edges, n, l.test);
    return l;
}

void lb_domains_free(lb_domains *l)
{
    free(l->train);
    free(l->val);
    free(l->test);
    *l = (lb_domains){0};
}

size_t lb_domains_count(const int *expert_of, size_t rows, size_t e)
{
    size_t n = 0;
    for (size_t i = 0; i < rows; i++)
        n += expert_of[i] == (int)e;
    return n;
}

/* --- the parts that all domains together tell apart ---------------------------------------------
 */

typedef struct parts {
    const lb_domains *domains;
    size_t n_domains, n;
    int *key;         /* (n, n_domains) expert of each part, one column for each domains */
    int *train, *val; /* part of each row */
} parts;

static int part_of(parts *p, const int *key)
{
    for (size_t k = 0; k < p->n; k++)
        if (!memcmp(p->key + k * p->n_domains, key, p->n_domains * sizeof *key))
            return (int)k;
    p->key = lb_xrealloc(p->key, (p->n + 1) * p->n_domains, sizeof *key);
    memcpy(p->key + p->n * p->n_domains, key, p->n_domains * sizeof *key);
    return (int)p->n++;
}

static parts parts_of(const lb_cohort *c, const lb_domains *domains, size_t n)
{
    parts p = {.domains = domains,
               .n_domains = n,
               .train = lb_xcalloc(c->train.n, sizeof(int)),
               .val = lb_xcalloc(c->val.n, sizeof(int))};
    int *key = lb_xcalloc(n, sizeof *key);
    for (size_t i = 0; i < c->train.n; i++) {
        for (size_t q = 0; q < n; q++)
            key[q] = domains[q].train[i];
        p.train[i] = part_of(&p, key);
    }
    for (size_t i = 0; i < c->val.n; i++) {
        for (size_t q = 0; q < n; q++)
            key[q] = domains[q].val[i];
        p.val[i] = part_of(&p, key);
    }
    free(key);
    return p;
}

static void parts_free(parts *p)
{
    free(p->key);
    free(p->train);
    free(p->val);
}

/* --- the fit ------------------------------------------------------------------------------------
 */

lb_moe_options lb_moe_options_of(const lb_spec *spec)
{
    lb_moe_options o = {.standardise = lb_spec_flag(spec, "ridge.standardise"),
                        .extend_decades = (int)lb_spec_size(spec, "ridge.extend_decades")};
    o.alphas.data = lb_spec_numbers(spec, "ridge.alphas", &o.alphas.n);
    return o;
}

/* Route the test rows of domains q, without and with the global model as fallback. */
static void route(lb_study *s, lb_moe *m, size_t q)
{
    const lb_domains *l = &m->domains[q];
    lb_cvec *columns = lb_xcalloc(l->n, sizeof *columns);
    bool *absent = lb_xcalloc(l->n, sizeof *absent);
    m->yhat[q] = lb_mat_new(m->n_test, l->n);
    const lb_vec bare = {lb_xcalloc(m->n_test, sizeof(double)), m->n_test};
    const lb_vec full = {lb_xcalloc(m->n_test, sizeof(double)), m->n_test};
    m->mixture[q] = lb_vec_const(bare);
    m->with_fallback[q] = lb_vec_const(full);
    for (size_t e = 0; e < l->n; e++)
        columns[e] = lb_moe_expert(m, q, e).yhat_chosen;
    lb_study_take(s, lb_mixture_gather(columns, l->n, m->yhat[q], absent, s->err));
    lb_experts experts = {.yhat = lb_mat_const(m->yhat[q])};
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_given(experts, l->test, bare, NULL, s->err));
    experts.global = m->global.yhat_chosen;
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_given(experts, l->test, full, NULL, s->err));
    free(columns);
    free(absent);
}

struct lb_moe_rows {
    const lb_cohort *cohort;
    parts parts;
    size_t n;         /* models: the global one and all experts */
    size_t *first;    /* index of the first expert of each domains */
    bool *use;        /* (n, parts) what each model trains on */
    lb_exposure seen; /* its streams point into it */
    lb_gram *gram;
};

/* The global model uses every part; an expert those that name it. */
static void deal_parts(lb_moe_rows *r)
{
    const parts *p = &r->parts;
    r->n = 1;
    for (size_t q = 0; q < p->n_domains; q++) {
        r->first[q] = r->n;
        r->n += p->domains[q].n;
    }
    r->use = lb_xcalloc(r->n * p->n, sizeof *r->use);
    for (size_t k = 0; k < p->n; k++) {
        r->use[k] = true;
        for (size_t q = 0; q < p->n_domains; q++) {
            const int expert = p->key[k * p->n_domains + q];
            if (expert >= 0)
                r->use[(r->first[q] + (size_t)expert) * p->n + k] = true;
        }
    }
}

lb_moe_rows *lb_moe_gather(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                           const lb_domains *domains, size_t n)
{
    if (!lb_study_ok(s))
        return NULL;
    lb_moe_rows *r = lb_xcalloc(1, sizeof *r);
    *r = (lb_moe_rows){
        .cohort = c, .parts = parts_of(c, domains, n), .first = lb_xcalloc(n, sizeof *r->first)};
    deal_parts(r);
    lb_cohort_expose(c, level, seeds, &r->seen);
    r->seen.train.group = r->parts.train;
    r->seen.val.group = r->parts.val;
    const lb_gram_options options = {.groups = r->parts.n, .keep_rows = true};
    lb_study_take(s, lb_gram_accumulate(&r->seen.train.x, r->seen.train.y, r->seen.train.group,
                                        options, &r->gram, s->err));
    if (lb_study_ok(s))
        return r;
    lb_moe_rows_free(r);
    return NULL;
}

void lb_moe_rows_free(lb_moe_rows *r)
{
    if (!r)
        return;
    parts_free(&r->parts);
    lb_gram_free(r->gram);
    free(r->first);
    free(r->use);
    free(r);
}

const lb_gram *lb_moe_rows_gram(const lb_moe_rows *r)
{
    return r->gram;
}

static void fit(lb_study *s, const lb_moe_rows *r, lb_moe_options o, lb_moe *m)
{
    const parts *p = &r->parts;
    const lb_sweep_options options = {.groups = p->n,
                                      .alphas = o.alphas,
                                      .extend_decades = o.extend_decades,
                                      .standardise = o.standardise};
    lb_member *members = lb_xcalloc(r->n, sizeof *members);
    members[0] = (lb_member){"global", r->use};
    for (size_t q = 0; q < p->n_domains; q++)
        for (size_t e = r->first[q]; e < r->first[q] + p->domains[q].n; e++)
            members[e] = (lb_member){p->domains[q].name, r->use + e * p->n};
    lb_study_take(s, lb_sweep_fit(r->gram, &r->seen.val, &r->seen.test, members, r->n, options,
                                  &m->sweep, s->err));
    free(members);
}

void lb_moe_fit_rows(lb_study *s, const lb_moe_rows *r, lb_moe_options options, lb_moe *out)
{
    *out = (lb_moe){0};
    if (!lb_study_ok(s))
        return;
    const size_t n = r->parts.n_domains;
    *out = (lb_moe){.domains = r->parts.domains,
                    .n_domains = n,
                    .n_test = r->cohort->test.n,
                    .first = lb_xcalloc(n, sizeof *out->first),
                    .yhat = lb_xcalloc(n, sizeof *out->yhat),
                    .mixture = lb_xcalloc(n, sizeof *out->mixture),
                    .with_fallback = lb_xcalloc(n, sizeof *out->with_fallback)};
    memcpy(out->first, r->first, n * sizeof *out->first);
    fit(s, r, options, out);
    if (lb_study_ok(s))
        out->global = lb_sweep_get(out->sweep, 0);
    for (size_t q = 0; q < n && lb_study_ok(s); q++)
        route(s, out, q);
    if (!lb_study_ok(s))
        lb_moe_free(out);
}

void lb_moe_fit(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                const lb_domains *domains, size_t n, lb_moe *out)
{
    *out = (lb_moe){0};
    lb_moe_rows *rows = lb_moe_gather(s, c, level, seeds, domains, n);
    if (lb_study_ok(s))
        lb_moe_fit_rows(s, rows, lb_moe_options_of(s->spec), out);
    lb_moe_rows_free(rows);
}

void lb_moe_free(lb_moe *m)
{
    for (size_t q = 0; q < m->n_domains; q++) {
        free(m->yhat[q].data);
        free((double *)m->mixture[q].data);
        free((double *)m->with_fallback[q].data);
    }
    free(m->first);
    free(m->yhat);
    free(m->mixture);
    free(m->with_fallback);
    lb_sweep_free(m->sweep);
    *m = (lb_moe){0};
}

lb_sweep_model lb_moe_expert(const lb_moe *m, size_t which, size_t expert)
{
    return lb_sweep_get(m->sweep, m->first[which] + expert);
}

void lb_moe_predict(lb_study *s, const lb_moe *m, size_t which, const lb_stream *x, lb_mat yhat)
{
    const size_t n = m->domains[which].n;
    size_t *pick = lb_xcalloc(n, sizeof *pick);
    for (size_t e = 0; e < n; e++)
        pick[e] = m->first[which] + e;
    if (lb_study_ok(s))
        lb_study_take(s, lb_sweep_predict(m->sweep, pick, n, x, yhat, s->err));
    free(pick);
}

/* --- the legacy protocol ------------------------------------------------------------------------
 */

/* The given-grid penalty with the smallest squared error on the test rows marked in keep. */
static size_t best_on_test(const lb_sweep_model *model, const lb_side *test, const bool *keep)
{
    size_t best = 0;
    double least = INFINITY;
    for (size_t a = 0; a < model->n_grid; a++) {
        const double *yhat = model->yhat.data + a * model->yhat.stride;
        double sum = 0.0;
        for (size_t i = 0; i < test->n; i++)
            sum += keep[i] ? (test->target[i] - yhat[i]) * (test->target[i] - yhat[i]) : 0.0;
        if (sum <= least) { /* a tie goes to the larger penalty */
            least = sum;
            best = a;
        }
    }
    return best;
}

static void predict_legacy(const lb_moe *m, const lb_cohort *c, size_t which, double *mixture,
                           double *global)
{
    const lb_side *test = &c->test;
    const lb_domains *l = &m->domains[which];
    bool *keep = lb_xcalloc(test->n, sizeof *keep);
    for (size_t i = 0; i < test->n; i++) {
        keep[i] = true;
        mixture[i] = NAN;
    }
    const size_t g = best_on_test(&m->global, test, keep);
    memcpy(global, m->global.yhat.data + g * m->global.yhat.stride, test->n * sizeof *global);
    for (size_t e = 0; e < l->n; e++) {
        const lb_sweep_model expert = lb_moe_expert(m, which, e);
        for (size_t i = 0; i < test->n; i++)
            keep[i] = l->test[i] == (int)e;
        const size_t a = best_on_test(&expert, test, keep);
        for (size_t i = 0; i < test->n; i++)
            if (keep[i])
                mixture[i] = expert.yhat.data[a * expert.yhat.stride + i];
    }
    free(keep);
}

lb_legacy lb_moe_legacy(lb_study *s, const lb_cohort *c, const lb_moe *m, size_t which)
{
    enum { GLOBAL, MIXTURE };
    lb_legacy r = {0};
    if (!lb_study_ok(s))
        return r;
    double *mixture = lb_xcalloc(c->test.n, sizeof *mixture);
    double *global = lb_xcalloc(c->test.n, sizeof *global);
    predict_legacy(m, c, which, mixture, global);
    const lb_entry entries[] = {[GLOBAL] = {"global, legacy", {global, c->test.n}, false},
                                [MIXTURE] = {"mixture, legacy", {mixture, c->test.n}, true}};
    lb_contest *all = lb_contest_on(s, c, c->all, entries, 1);
    lb_contest *covered = lb_contest_on(s, c, c->covered, entries, 2);
    r.global_all = lb_contest_r2(all, GLOBAL);
    r.global_covered = lb_contest_r2(covered, GLOBAL);
    r.mixture = lb_contest_r2(covered, MIXTURE);
    r.aligned = lb_contest_delta(covered, MIXTURE, GLOBAL);
    if (lb_study_ok(s))
        lb_study_take(s, lb_score_delta_unaligned(&r.mixture, &r.global_all, &r.unaligned, s->err));
    lb_number *numbers[] = {&r.global_all, &r.global_covered, &r.mixture, &r.unaligned, &r.aligned};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        snprintf(numbers[i]->protocol, sizeof numbers[i]->protocol, "legacy");
    lb_contest_free(all);
    lb_contest_free(covered);
    free(mixture);
    free(global);
    return r;
}
