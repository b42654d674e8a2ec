/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/contest.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>

struct lb_contest {
    lb_study *study;
    lb_outcome *outcome;
    double **scratch;
    size_t n, models; /* outcomes; models, of one or more outcomes each */
    lb_bootstrap *bootstrap;
    double threshold;
};

/* The predictions of every entry on the rows. */
static void take_outcomes(lb_contest *t, const lb_cohort *c, const lb_rowset *rows,
                          lb_contest_plan plan, const lb_entry *entries)
{
    lb_study *s = t->study;
    const lb_rowset *given = plan.given ? plan.given : c->all;
    const double *target = plan.target ? plan.target : c->test.target;
    for (size_t i = 0; i < t->n && lb_study_ok(s); i++) {
        const lb_outcome full = {.rows = given,
                                 .y = {target, lb_rowset_size(given)},
                                 .yhat = entries[i].yhat,
                                 .model = entries[i].name,
                                 .unit = plan.unit,
                                 .oracle = entries[i].oracle};
        t->scratch[i] = lb_xcalloc(2 * lb_rowset_size(rows), sizeof(double));
        lb_study_take(s, lb_outcome_on(full, rows, t->scratch[i], &t->outcome[i], s->err));
    }
}

lb_contest *lb_contest_planned(lb_study *s, const lb_cohort *c, const lb_rowset *rows,
                               lb_contest_plan plan, const lb_entry *entries, size_t n)
{
    const size_t columns = plan.columns ? plan.columns : 1;
    lb_contest *t = lb_xcalloc(1, sizeof *t);
    *t = (lb_contest){.study = s, .n = n * columns, .models = n};
    t->outcome = lb_xcalloc(t->n, sizeof *t->outcome);
    t->scratch = lb_xcalloc(t->n, sizeof *t->scratch);
    if (lb_spec_has(s->spec, "thresholds.valuable"))
        t->threshold = lb_spec_number(s->spec, "thresholds.valuable");
    take_outcomes(t, c, rows, plan, entries);
    if (!lb_study_ok(s))
        return t;
    lb_record_rowset(s->record, lb_rowset_name(rows), lb_rowset_hash(rows), lb_rowset_size(rows));
    const lb_bootstrap_plan draw = {.draws = lb_spec_size(s->spec, "bootstrap.resamples"),
                                    .seed = lb_spec_size(s->spec, "bootstrap.seed"),
                                    .columns = columns,
                                    .cluster = plan.cluster};
    lb_study_take(s, lb_bootstrap_new_plan(t->outcome, n, draw, &t->bootstrap, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_bootstrap_set_level(
                             t->bootstrap, lb_spec_number(s->spec, "bootstrap.level"), s->err));
    if (lb_study_ok(s) && lb_spec_has(s->spec, "retention"))
        lb_bootstrap_set_headroom(t->bootstrap,
                                  (lb_headroom){lb_spec_number(s->spec, "retention.least_gain"),
                                                lb_spec_flag(s->spec, "retention.real")});
    return t;
}

lb_contest *lb_contest_on(lb_study *s, const lb_cohort *c, const lb_rowset *rows,
                          const lb_entry *entries, size_t n)
{
    return lb_contest_planned(s, c, rows, (lb_contest_plan){0}, entries, n);
}

void lb_contest_free(lb_contest *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++)
        free(t->scratch[i]);
    free(t->scratch);
    free(t->outcome);
    lb_bootstrap_free(t->bootstrap);
    free(t);
}

static const lb_number NOTHING = {.value = NAN, .na = "failed"};

static lb_number plain_score(const lb_contest *t, size_t i,
                             lb_status (*score)(const lb_outcome *, lb_number *, lb_error *))
{
    lb_number x = NOTHING;
    if (lb_study_ok(t->study))
        lb_study_take(t->study, score(&t->outcome[i], &x, t->study->err));
    return x;
}

lb_number lb_contest_r2(const lb_contest *t, size_t i)
{
    lb_number x = NOTHING;
    if (lb_study_ok(t->study))
        lb_study_take(t->study, lb_bootstrap_r2(t->bootstrap, i, &x, t->study->err));
    return x;
}

lb_number lb_contest_mae(const lb_contest *t, size_t i)
{
    return plain_score(t, i, lb_score_mae);
}

lb_number lb_contest_rmse(const lb_contest *t, size_t i)
{
    return plain_score(t, i, lb_score_rmse);
}

lb_number lb_contest_bias(const lb_contest *t, size_t i)
{
    return plain_score(t, i, lb_score_bias);
}

lb_number lb_contest_delta_above(const lb_contest *t, size_t i, size_t j, double threshold)
{
    lb_number x = NOTHING;
    if (lb_study_ok(t->study))
        lb_study_take(t->study,
                      lb_bootstrap_delta(t->bootstrap, i, j, threshold, &x, t->study->err));
    return x;
}

lb_number lb_contest_delta(const lb_contest *t, size_t i, size_t j)
{
    return lb_contest_delta_above(t, i, j, t->threshold);
}

lb_number lb_contest_share(const lb_contest *t, size_t part, size_t reference, size_t full)
{
    lb_number x = NOTHING;
    if (lb_study_ok(t->study))
        lb_study_take(t->study,
                      lb_bootstrap_share(t->bootstrap, part, reference, full, &x, t->study->err));
    return x;
}

lb_number lb_contest_retention(const lb_contest *t, size_t method, size_t global, size_t oracle)
{
    lb_number x = NOTHING;
    if (lb_study_ok(t->study))
        lb_study_take(t->study, lb_bootstrap_retention(t->bootstrap, method, global, oracle, &x,
                                                       t->study->err));
    return x;
}

lb_number lb_contest_combination(const lb_contest *t, const double *weights)
{
    lb_number x = NOTHING;
    if (lb_study_ok(t->study))
        lb_study_take(t->study, lb_bootstrap_combination(t->bootstrap, weights, t->models,
                                                         t->threshold, &x, t->study->err));
    return x;
}

lb_number lb_contest_ratio(const lb_contest *t, const double *top, const double *bottom)
{
    lb_number x = NOTHING;
    if (lb_study_ok(t->study))
        lb_study_take(t->study,
                      lb_bootstrap_ratio(t->bootstrap, top, bottom, t->models, &x, t->study->err));
    return x;
}

void lb_contest_draws(const lb_contest *t, size_t i, size_t j, double *out)
{
    if (lb_study_ok(t->study))
        lb_bootstrap_draws_delta(t->bootstrap, i, j, out);
}

void lb_contest_draws_ratio(const lb_contest *t, const double *top, const double *bottom,
                            double *out)
{
    if (lb_study_ok(t->study))
        lb_bootstrap_draws_ratio(t->bootstrap, top, bottom, out);
}

const lb_outcome *lb_contest_outcome(const lb_contest *t, size_t i)
{
    return &t->outcome[i];
}
