/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/routing.h"

#include "core/memory.h"
#include "linalg/probability.h"

#include <stdio.h>
#include <stdlib.h>

void lb_route(lb_study *s, lb_experts e, lb_cmat p, double tau, lb_routed *out)
{
    *out = (lb_routed){0};
    if (!lb_study_ok(s))
        return;
    const size_t n = e.yhat.rows;
    const lb_vec hard = {lb_xcalloc(n, sizeof(double)), n};
    const lb_vec soft = {lb_xcalloc(n, sizeof(double)), n};
    const lb_vec trusted = {lb_xcalloc(n, sizeof(double)), n};
    *out =
        (lb_routed){.hard = {hard.data, n}, .soft = {soft.data, n}, .trusted = {trusted.data, n}};
    lb_study_take(s, lb_mixture_hard(e, p, hard, NULL, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_soft(e, p, 0.0, soft, NULL, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_soft(e, p, tau, trusted, &out->use, s->err));
    if (!lb_study_ok(s))
        lb_routed_free(out);
}

void lb_routed_free(lb_routed *r)
{
    free((double *)r->hard.data);
    free((double *)r->soft.data);
    free((double *)r->trusted.data);
    *r = (lb_routed){0};
}

size_t *lb_test_positions(const lb_cohort *c, const lb_rowset *rows)
{
    const size_t n = lb_rowset_size(rows), *index = lb_rowset_index(rows);
    size_t *at = lb_xcalloc(n + 1, sizeof *at), i = 0;
    for (size_t j = 0; j < n; j++, i++) {
        while (c->test.rows[i] != index[j])
            i++;
        at[j] = i;
    }
    return at;
}

lb_confusion *lb_gate_confusion(lb_study *s, const lb_cohort *c, const lb_rowset *rows,
                                const lb_domains *d, lb_cmat p)
{
    lb_confusion *m = NULL;
    if (!lb_study_ok(s))
        return NULL;
    const size_t n = lb_rowset_size(rows);
    size_t *at = lb_test_positions(c, rows);
    int *truth = lb_xcalloc(2 * n, sizeof *truth), *called = truth + n;
    for (size_t j = 0; j < n; j++) {
        truth[j] = d->test[at[j]];
        called[j] = (int)lb_probability_top(p, at[j]);
    }
    lb_study_take(s, lb_confusion_make(rows, truth, called, d->n, &m, s->err));
    free(truth);
    free(at);
    return m;
}

static lb_number in_per_cent(lb_number x)
{
    x.value *= 100.0;
    x.se *= 100.0;
    x.digits = 2;
    snprintf(x.unit, sizeof x.unit, "%%");
    return x;
}

void lb_gate_put_accuracy(lb_study *s, const lb_confusion *m, const char *key)
{
    if (!lb_study_ok(s))
        return;
    size_t correct = 0;
    for (size_t k = 0; k < lb_confusion_classes(m); k++) {
        correct += lb_confusion_count(m, k, k);
        lb_number recall = in_per_cent(lb_confusion_recall(m, k));
        recall.rows[0] = '\0'; /* of the rows of one true class, not of the whole set */
        lb_study_put(s, recall, "%s.recall%zu", key, k);
    }
    lb_study_put(s, in_per_cent(lb_confusion_accuracy(m)), "%s.gate_accuracy", key);
    lb_study_put(s, lb_confusion_macro_f1(m), "%s.macro_f1", key);
    lb_study_put(s, lb_number_count(correct), "%s.gate_correct", key);
}

lb_number lb_gate_doubt(const lb_cohort *c, const lb_rowset *rows, lb_cmat p, double tau)
{
    const size_t n = lb_rowset_size(rows);
    size_t *at = lb_test_positions(c, rows), doubtful = 0;
    for (size_t j = 0; j < n; j++)
        doubtful += p.data[at[j] * p.stride + lb_probability_top(p, at[j])] < tau;
    free(at);
    lb_number x = n ? lb_number_plain(100.0 * (double)doubtful / (double)n, "percent", "%")
                    : lb_number_na("percent", "n/a (no rows)");
    x.n = n;
    x.digits = 2;
    snprintf(x.rows, sizeof x.rows, "%s", lb_rowset_hash(rows));
    return x;
}
