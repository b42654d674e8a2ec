/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/weights.h"

#include "core/memory.h"
#include "stats/quantile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Element (i, j) for the rows at @p at alone, tightly packed. */
static lb_cmat take_rows(lb_cmat p, const size_t *at, size_t n)
{
    double *out = lb_xcalloc(n * p.cols + 1, sizeof *out);
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * p.cols, p.data + at[i] * p.stride, p.cols * sizeof *out);
    return (lb_cmat){out, n, p.cols, p.cols};
}

static void put_plain(lb_study *s, double value, const char *kind, size_t n, const char *name,
                      const char *key)
{
    lb_number x = lb_number_plain(value, kind, "");
    x.n = n;
    x.digits = 3;
    lb_study_put(s, x, "%s.%s", key, name);
}

/* What the true bin and the largest weight get; do the weights of every row sum to 1? */
static void put_sizes(lb_study *s, lb_cmat p, const int *expert_of, const size_t *at,
                      const char *name)
{
    double own = 0.0, top = 0.0, off = 0.0;
    for (size_t i = 0; i < p.rows; i++) {
        const double *row = p.data + i * p.stride;
        double sum = 0.0, largest = 0.0;
        for (size_t j = 0; j < p.cols; j++) {
            sum += row[j];
            largest = fmax(largest, row[j]);
        }
        own += row[expert_of[at[i]]];
        top += largest;
        off = fmax(off, fabs(sum - 1.0));
    }
    put_plain(s, own / (double)p.rows, "weight", p.rows, name, "weight.own");
    put_plain(s, top / (double)p.rows, "weight", p.rows, name, "weight.largest");
    lb_study_put(s, lb_number_count(off < 1e-9), "weight.sums_to_one.%s", name);
}

static void put_names(lb_study *s, const lb_confusion *m, const char *name)
{
    if (!lb_study_ok(s))
        return;
    lb_number accuracy = lb_confusion_accuracy(m);
    accuracy.value *= 100.0;
    accuracy.se *= 100.0;
    accuracy.digits = 2;
    snprintf(accuracy.unit, sizeof accuracy.unit, "%%");
    lb_study_put(s, accuracy, "gate_accuracy.%s", name);
    lb_study_put(s, lb_confusion_macro_f1(m), "macro_f1.%s", name);
}

void lb_weights_look(lb_study *s, const lb_cohort *c, const lb_rowset *rows, const lb_domains *d,
                     lb_cmat p, const char *name, lb_weights *out)
{
    *out = (lb_weights){0};
    if (!lb_study_ok(s))
        return;
    size_t *at = lb_test_positions(c, rows);
    const lb_cmat own = take_rows(p, at, lb_rowset_size(rows));
    int *one_class = lb_xcalloc(own.rows + 1, sizeof *one_class);
    *out = (lb_weights){.n = own.rows,
                        .k = own.cols,
                        .mean = lb_xcalloc(own.cols, sizeof(double)),
                        .entropy = lb_xcalloc(own.rows + 1, sizeof(double))};
    lb_study_take(s,
                  lb_weights_mean(own, one_class, lb_mat_of(out->mean, 1, own.cols), NULL, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_weights_entropy(own, true, (lb_vec){out->entropy, own.rows}, s->err));
    lb_confusion *m = lb_gate_confusion(s, c, rows, d, p);
    put_names(s, m, name);
    put_sizes(s, own, d->test, at, name);
    put_plain(s, lb_mean(out->entropy, out->n), "entropy", out->n, name, "entropy");
    lb_confusion_free(m);
    free(one_class);
    free((double *)own.data);
    free(at);
    if (!lb_study_ok(s))
        lb_weights_free(out);
}

void lb_weights_free(lb_weights *w)
{
    free(w->mean);
    free(w->entropy);
    *w = (lb_weights){0};
}
