/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/moe.h"

#include "core/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PARTITIONS = 4 };

/* Bins that hold training rows, gathered by the strip (or bin) they belong to. */
static lb_partition partition_by(const lb_cohort *c, const char *name, size_t strips,
                                 size_t (*strip_of)(const lb_bins *b, size_t k))
{
    lb_partition p = {.name = name};
    int expert_of_strip[LB_BINS_MAX];
    for (size_t j = 0; j < strips; j++)
        expert_of_strip[j] = -1;
    for (size_t g = 0; g <= LB_BINS_MAX; g++)
        p.expert_of[g] = -1;
    for (size_t k = 0; k < c->n_bins; k++) {
        const size_t strip = strip_of(&c->bins, k);
        if (!c->n_train[k])
            continue;
        if (expert_of_strip[strip] < 0)
            expert_of_strip[strip] = (int)p.n++;
        p.expert_of[k] = expert_of_strip[strip];
        p.use[p.expert_of[k]][k] = true;
    }
    return p;
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

lb_partition lb_partition_bins(const lb_cohort *c)
{
    return partition_by(c, "nine bins", c->n_bins, own_strip);
}

lb_partition lb_partition_mh(const lb_cohort *c)
{
    return partition_by(c, "[M/H] only", c->bins.n_mh, mh_strip);
}

lb_partition lb_partition_teff(const lb_cohort *c)
{
    return partition_by(c, "T_eff only", c->bins.n_teff, teff_strip);
}

static lb_sweep_options options_of(const lb_spec *spec, const lb_cohort *c)
{
    lb_sweep_options o = {.groups = c->groups};
    o.alphas.data = lb_spec_numbers(spec, "ridge.alphas", &o.alphas.n);
    o.extend_decades = (int)lb_spec_size(spec, "ridge.extend_decades");
    o.standardise = lb_spec_flag(spec, "ridge.standardise");
    return o;
}

/* Route the test rows of one partition, without and with the global model as fallback. */
static void route(lb_moe *m, const lb_cohort *c, size_t q)
{
    int member_of[LB_BINS_MAX + 1];
    for (size_t g = 0; g < c->groups; g++) {
        const int e = m->partitions[q].expert_of[g];
        member_of[g] = e < 0 ? -1 : m->first[q] + e;
    }
    double *bare = lb_xcalloc(m->n_test, sizeof *bare);
    double *full = lb_xcalloc(m->n_test, sizeof *full);
    lb_sweep_route(m->sweep, c->test.group, member_of, (lb_cvec){0}, (lb_vec){bare, m->n_test});
    lb_sweep_route(m->sweep, c->test.group, member_of, m->global.yhat_chosen,
                   (lb_vec){full, m->n_test});
    m->mixture[q] = (lb_cvec){bare, m->n_test};
    m->with_fallback[q] = (lb_cvec){full, m->n_test};
}

void lb_moe_fit(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                const lb_partition *partitions, size_t n, lb_moe *out)
{
    *out = (lb_moe){.partitions = partitions, .n_test = c->test.n};
    if (!lb_study_ok(s))
        return;
    static bool every[LB_BINS_MAX + 1];
    lb_member members[1 + MOST_PARTITIONS * LB_BINS_MAX];
    size_t n_members = 0;
    for (size_t g = 0; g <= LB_BINS_MAX; g++)
        every[g] = true;
    members[n_members++] = (lb_member){"global", every};
    for (size_t q = 0; q < n; q++) {
        out->first[q] = (int)n_members;
        for (size_t e = 0; e < partitions[q].n; e++)
            members[n_members++] = (lb_member){partitions[q].name, partitions[q].use[e]};
    }
    lb_exposure seen;
    lb_cohort_expose(c, level, seeds, &seen);
    lb_study_take(s, lb_sweep_run(&seen.train, &seen.val, &seen.test, members, n_members,
                                  options_of(s->spec, c), &out->sweep, s->err));
    if (!lb_study_ok(s))
        return;
    out->global = lb_sweep_get(out->sweep, 0);
    for (size_t q = 0; q < n; q++)
        route(out, c, q);
}

void lb_moe_free(lb_moe *m)
{
    for (size_t q = 0; q < MOST_PARTITIONS; q++) {
        free((double *)m->mixture[q].data);
        free((double *)m->with_fallback[q].data);
    }
    lb_sweep_free(m->sweep);
    *m = (lb_moe){0};
}

lb_sweep_model lb_moe_expert(const lb_moe *m, size_t partition, size_t expert)
{
    return lb_sweep_get(m->sweep, (size_t)m->first[partition] + expert);
}

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

static void predict_legacy(const lb_moe *m, const lb_cohort *c, size_t partition, double *mixture,
                           double *global)
{
    const lb_side *test = &c->test;
    const lb_partition *p = &m->partitions[partition];
    bool *keep = lb_xcalloc(test->n, sizeof *keep);
    for (size_t i = 0; i < test->n; i++) {
        keep[i] = true;
        mixture[i] = NAN;
    }
    const size_t g = best_on_test(&m->global, test, keep);
    memcpy(global, m->global.yhat.data + g * m->global.yhat.stride, test->n * sizeof *global);
    for (size_t e = 0; e < p->n; e++) {
        const lb_sweep_model expert = lb_moe_expert(m, partition, e);
        for (size_t i = 0; i < test->n; i++)
            keep[i] = p->expert_of[test->group[i]] == (int)e;
        const size_t a = best_on_test(&expert, test, keep);
        for (size_t i = 0; i < test->n; i++)
            if (keep[i])
                mixture[i] = expert.yhat.data[a * expert.yhat.stride + i];
    }
    free(keep);
}

lb_legacy lb_moe_legacy(lb_study *s, const lb_cohort *c, const lb_moe *m, size_t partition)
{
    enum { GLOBAL, MIXTURE };
    lb_legacy r = {0};
    if (!lb_study_ok(s))
        return r;
    double *mixture = lb_xcalloc(c->test.n, sizeof *mixture);
    double *global = lb_xcalloc(c->test.n, sizeof *global);
    predict_legacy(m, c, partition, mixture, global);
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
