/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/suspicion.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void describe(lb_suspicion *s, const lb_number *pooled)
{
    if (s->rows_differ)
        snprintf(s->text, sizeof s->text,
                 "row-set suspicion: the bins hold %zu rows, the pooled score has %zu",
                 s->rows_in_bins, pooled->n);
    else if (isnan(s->gap))
        snprintf(s->text, sizeof s->text, "pooled and weighted R2 cannot be compared: one is n/a");
    else
        snprintf(s->text, sizeof s->text,
                 "%sn-weighted R2 of the bins %.4f, pooled R2 %.4f, gap %+.4f (limit %.2f)",
                 s->suspicious ? "row-set suspicion: " : "", s->weighted.value, pooled->value,
                 s->gap, LB_SUSPICIOUS_GAP);
}

lb_status lb_suspicion_check(const lb_number *pooled, const lb_number *bins, size_t k,
                             lb_suspicion *out, lb_error *err)
{
    if (strcmp(pooled->kind, "r2"))
        return LB_FAIL(err, LB_EINVAL, "the pooled score is '%s', not r2", pooled->kind);
    double sum = 0.0;
    size_t scored = 0;
    bool oracle = false;
    *out = (lb_suspicion){0};
    for (size_t i = 0; i < k; i++) {
        if (strcmp(bins[i].kind, "r2"))
            return LB_FAIL(err, LB_EINVAL, "the score of bin %zu is '%s', not r2", i, bins[i].kind);
        out->rows_in_bins += bins[i].n;
        if (bins[i].na[0]) {
            out->bins_left_out++;
            continue;
        }
        sum += (double)bins[i].n * bins[i].value;
        oracle = oracle || bins[i].oracle;
        scored += bins[i].n;
    }
    out->weighted = scored ? lb_number_plain(sum / (double)scored, "r2_weighted", "")
                           : lb_number_na("r2_weighted", "n/a (no bin has a score)");
    out->weighted.n = scored;
    out->weighted.oracle = oracle;
    out->gap = out->weighted.value - pooled->value;
    out->rows_differ = out->rows_in_bins != pooled->n;
    out->suspicious = out->rows_differ || fabs(out->gap) > LB_SUSPICIOUS_GAP;
    describe(out, pooled);
    return LB_OK;
}

const char *lb_suspicion_warning(const lb_suspicion *s)
{
    return s->suspicious ? "row-set suspicion" : "none";
}
