/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/by_bin.h"

#include "core/memory.h"

#include <stdio.h>
#include <stdlib.h>

void lb_bin_key(const lb_bins *b, size_t k, char out[LB_BIN_KEY])
{
    static const char *const teff[] = {"cool", "mid", "hot"};
    static const char *const mh[] = {"poor", "solar", "rich"};
    if (b->n_teff == 3 && b->n_mh == 3)
        snprintf(out, LB_BIN_KEY, "bin%zu_%s_%s", k, teff[k / 3], mh[k % 3]);
    else
        snprintf(out, LB_BIN_KEY, "bin%zu", k);
}

static void put(lb_study *s, const char *prefix, const lb_bin_entry *entries, size_t n,
                const lb_bin_scores *b)
{
    for (size_t i = 0; i < n; i++) {
        lb_study_put(s, b->r2[i], "%sperbin.r2_%s.%s", prefix, entries[i].r2, b->key);
        if (i)
            lb_study_put(s, b->delta[i], "%sperbin.%s.%s", prefix, entries[i].delta, b->key);
    }
}

static lb_bin_scores without_score(const lb_cohort *c, size_t k, const char *reason)
{
    lb_bin_scores b = {.n = c->n_test[k]};
    lb_bins_name(&c->bins, (int)k, b.name);
    lb_bin_key(&c->bins, k, b.key);
    for (size_t i = 0; i < LB_BIN_ENTRIES; i++) {
        b.r2[i] = lb_number_na("r2", reason);
        b.delta[i] = lb_number_na("delta_r2", reason);
    }
    return b;
}

static lb_bin_scores score(lb_study *s, const lb_cohort *c, size_t k, const lb_entry *entries,
                           size_t n)
{
    char few[32];
    const size_t fewest = lb_spec_size(s->spec, "bins.minimum_test");
    snprintf(few, sizeof few, "n/a (n<%zu)", fewest > 2 ? fewest : 2);
    lb_bin_scores b = without_score(c, k, c->merged_to[k] != (int)k ? "n/a (merged)" : few);
    if (c->merged_to[k] != (int)k || b.n < fewest || b.n < 2)
        return b;
    lb_contest *t = lb_contest_on(s, c, c->in_bin[k], entries, n);
    for (size_t i = 0; i < n; i++) {
        b.r2[i] = lb_contest_r2(t, i);
        if (i)
            b.delta[i] = lb_contest_delta(t, i, 0);
    }
    lb_contest_free(t);
    return b;
}

lb_suspicion lb_suspect(lb_study *s, const lb_number *pooled, const lb_number *parts, size_t n)
{
    lb_suspicion out = {0};
    if (lb_study_ok(s))
        lb_study_take(s, lb_suspicion_check(pooled, parts, n, &out, s->err));
    return out;
}

lb_suspicion lb_suspect_bins(lb_study *s, const lb_cohort *c, const lb_contest *t, size_t i)
{
    lb_number pooled = {0}, bins[LB_BINS_MAX];
    if (!lb_study_ok(s))
        return (lb_suspicion){0};
    const lb_outcome *whole = lb_contest_outcome(t, i);
    double *scratch = lb_xcalloc(2 * lb_rowset_size(c->covered), sizeof *scratch);
    for (size_t k = 0; k < c->n_bins; k++) {
        lb_outcome part;
        bins[k] = lb_number_na("r2", "n/a (merged)");
        if (!c->in_bin[k] || !lb_study_ok(s))
            continue;
        lb_study_take(s, lb_outcome_on(*whole, c->in_bin[k], scratch, &part, s->err));
        if (lb_study_ok(s))
            lb_study_take(s, lb_score_r2(&part, &bins[k], s->err));
    }
    if (lb_study_ok(s))
        lb_study_take(s, lb_score_r2(whole, &pooled, s->err));
    free(scratch);
    return lb_suspect(s, &pooled, bins, c->n_bins);
}

/* Can the pooled score of an entry and its scores in the bins be about the same rows? */
static void suspect(lb_study *s, const lb_cohort *c, const char *prefix, const lb_entry *entry,
                    size_t i, const lb_bin_scores *b)
{
    lb_number scores[LB_BINS_MAX];
    for (size_t k = 0; k < c->n_bins; k++)
        scores[k] = b[k].r2[i];
    lb_contest *t = lb_contest_on(s, c, c->covered, entry, 1);
    const lb_number pooled = lb_contest_r2(t, 0);
    const lb_suspicion look = lb_suspect(s, &pooled, scores, c->n_bins);
    lb_study_put(s, look.weighted, "%sperbin.weighted_r2", prefix);
    lb_study_put(s, lb_number_count(look.rows_differ), "%sperbin.rows_differ", prefix);
    lb_study_put_text(s, look.text, "%sperbin.suspicion", prefix);
    lb_contest_free(t);
}

void lb_by_bin(lb_study *s, const lb_cohort *c, const char *prefix, const lb_bin_entry *entries,
               size_t n, lb_bin_scores *out)
{
    lb_entry entry[LB_BIN_ENTRIES];
    for (size_t i = 0; i < n; i++)
        entry[i] = entries[i].entry;
    for (size_t k = 0; k < c->n_bins; k++) {
        out[k] = score(s, c, k, entry, n);
        lb_study_put(s, lb_number_count(out[k].n), "%sperbin.n_test.%s", prefix, out[k].key);
        put(s, prefix, entries, n, &out[k]);
    }
    suspect(s, c, prefix, &entry[n - 1], n - 1, out);
}

void lb_by_bin_na(lb_study *s, const lb_cohort *c, const char *prefix, const lb_bin_entry *entries,
                  size_t n, const char *reason)
{
    for (size_t k = 0; k < c->n_bins; k++) {
        const lb_bin_scores b = without_score(c, k, reason);
        lb_study_put(s, lb_number_na("count", reason), "%sperbin.n_test.%s", prefix, b.key);
        put(s, prefix, entries, n, &b);
    }
    lb_study_put(s, lb_number_na("r2_weighted", reason), "%sperbin.weighted_r2", prefix);
    lb_study_put(s, lb_number_na("count", reason), "%sperbin.rows_differ", prefix);
    lb_study_put_text(s, reason, "%sperbin.suspicion", prefix);
}
