/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/cohort.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

static double *gather(lb_cvec label, const lb_part *part)
{
    double *out = lb_xcalloc(part->n, sizeof *out);
    for (size_t i = 0; i < part->n; i++)
        out[i] = label.data[part->rows[i]];
    return out;
}

static lb_status side_open(const lb_part *part, const char *target, const lb_bins *bins,
                           lb_side *side, lb_error *err)
{
    const lb_cvec y = lb_spectra_label(part->spectra, target);
    if (!y.data)
        return LB_FAIL(err, LB_ENAME, "the %s set has no label '%s' (protocol.label of the spec)",
                       lb_spectra_name(part->spectra), target);
    *side = (lb_side){.spectra = part->spectra, .rows = part->rows, .n = part->n};
    side->target = gather(y, part);
    side->teff = gather(lb_spectra_label(part->spectra, "T_eff"), part);
    side->mh = gather(lb_spectra_label(part->spectra, "M_H"), part);
    side->bin = lb_xcalloc(part->n, sizeof *side->bin);
    side->group = lb_xcalloc(part->n, sizeof *side->group);
    lb_bins_assign(bins, (lb_cvec){side->teff, side->n}, (lb_cvec){side->mh, side->n}, side->bin);
    return LB_OK;
}

static void side_close(lb_side *s)
{
    free(s->target);
    free(s->teff);
    free(s->mh);
    free(s->bin);
    free(s->group);
}

static lb_status bins_of(const lb_spec *spec, lb_bins *out, lb_error *err)
{
    size_t n_teff = 0, n_mh = 0;
    const double *teff = lb_spec_numbers(spec, "bins.teff_edges", &n_teff);
    const double *mh = lb_spec_numbers(spec, "bins.mh_edges", &n_mh);
    if (n_teff < 2 || n_mh < 2 || n_teff > LB_BINS_EDGES || n_mh > LB_BINS_EDGES)
        return LB_FAIL(err, LB_EINVAL, "%s: bins need 2 to %d edges an axis, not %zu and %zu",
                       lb_spec_path(spec), LB_BINS_EDGES, n_teff, n_mh);
    *out = (lb_bins){.n_teff = n_teff - 1, .n_mh = n_mh - 1};
    memcpy(out->teff, teff, n_teff * sizeof *teff);
    memcpy(out->mh, mh, n_mh * sizeof *mh);
    out->seed_text = strcmp(lb_spec_text(spec, "protocol.edge_rule", "en"), "seed_text") == 0;
    return lb_bins_check(out, err);
}

/* The group of a row is the bin that serves it after merging; uncovered rows form a group too. */
static void side_group(lb_side *s, const lb_cohort *c, size_t *count)
{
    for (size_t i = 0; i < s->n; i++) {
        const int k = s->bin[i], served = k < 0 ? -1 : c->merged_to[k];
        s->group[i] = served < 0 ? c->outside : served;
        count[s->group[i]]++;
    }
}

static lb_status group_rows(lb_cohort *c, const lb_spec *spec, lb_error *err)
{
    size_t in_bin[LB_BINS_MAX] = {0};
    for (size_t i = 0; i < c->train.n; i++)
        if (c->train.bin[i] >= 0)
            in_bin[c->train.bin[i]]++;
    const lb_status st = lb_bins_merge(&c->bins, in_bin, lb_spec_size(spec, "bins.minimum_train"),
                                       c->merged_to, &c->merges, err);
    if (st != LB_OK)
        return st;
    side_group(&c->train, c, c->n_train);
    side_group(&c->val, c, c->n_val);
    side_group(&c->test, c, c->n_test);
    return LB_OK;
}

static void make_rowsets(lb_cohort *c, const char *prefix)
{
    char *all = lb_xprintf("%sall test rows", prefix);
    char *covered = lb_xprintf("%scovered test rows", prefix);
    bool *keep = lb_xcalloc(c->test.n, sizeof *keep);
    c->all = lb_rowset_new(all, lb_spectra_hash(c->split.test), c->test.rows, c->test.n);
    for (size_t i = 0; i < c->test.n; i++)
        keep[i] = c->test.group[i] != c->outside;
    c->covered = lb_rowset_where(c->all, covered, keep);
    for (size_t k = 0; k < c->n_bins; k++) {
        char bin[32], *name;
        if (!c->n_test[k])
            continue;
        for (size_t i = 0; i < c->test.n; i++)
            keep[i] = c->test.group[i] == (int)k;
        lb_bins_name(&c->bins, (int)k, bin);
        name = lb_xprintf("%stest rows of k=%zu %s", prefix, k, bin);
        c->in_bin[k] = lb_rowset_where(c->all, name, keep);
        free(name);
    }
    free(keep);
    free(all);
    free(covered);
}

lb_status lb_cohort_open(const char *root, const char *prefix, const lb_spec *spec, lb_cohort *out,
                         lb_error *err)
{
    const char *target = lb_spec_text(spec, "protocol.label", "en");
    lb_cohort c = {0};
    lb_status st;

    if ((st = bins_of(spec, &c.bins, err)) != LB_OK)
        return st;
    c.n_bins = lb_bins_count(&c.bins);
    c.groups = c.n_bins + 1;
    c.outside = (int)c.n_bins;
    if ((st = lb_split_open(root, lb_noise_seeds_of(spec).validation, &c.split, err)) != LB_OK)
        return st;
    if ((st = side_open(&c.split.core, target, &c.bins, &c.train, err)) != LB_OK ||
        (st = side_open(&c.split.validation, target, &c.bins, &c.val, err)) != LB_OK ||
        (st = side_open(&c.split.kept_test, target, &c.bins, &c.test, err)) != LB_OK ||
        (st = group_rows(&c, spec, err)) != LB_OK)
        goto fail;
    make_rowsets(&c, prefix);
    if (lb_rowset_size(c.covered) == 0) {
        st = LB_FAIL(err, LB_EINVAL, "%s: no test row lies in the bins of %s", root,
                     lb_spec_path(spec));
        goto fail;
    }
    *out = c;
    return LB_OK;
fail:
    lb_cohort_close(&c);
    return st;
}

void lb_cohort_close(lb_cohort *c)
{
    side_close(&c->train);
    side_close(&c->val);
    side_close(&c->test);
    lb_text_free(&c->merges);
    lb_rowset_free(c->all);
    lb_rowset_free(c->covered);
    for (size_t k = 0; k < c->n_bins; k++)
        lb_rowset_free(c->in_bin[k]);
    lb_split_close(&c->split);
    *c = (lb_cohort){0};
}

lb_cohort lb_cohort_head(const lb_cohort *c, size_t n_train)
{
    lb_cohort head = *c;
    if (n_train < c->train.n)
        head.train.n = n_train;
    memset(head.n_train, 0, sizeof head.n_train);
    for (size_t i = 0; i < head.train.n; i++)
        head.n_train[head.train.group[i]]++;
    return head;
}

lb_noise_seeds lb_noise_seeds_of(const lb_spec *spec)
{
    return (lb_noise_seeds){lb_spec_size(spec, "protocol.split_seeds.train"),
                            lb_spec_size(spec, "protocol.split_seeds.validation"),
                            lb_spec_size(spec, "protocol.split_seeds.test")};
}

void lb_cohort_expose(const lb_cohort *c, double level, lb_noise_seeds seeds, lb_exposure *out)
{
    const lb_side *sides[3] = {&c->train, &c->val, &c->test};
    const uint64_t seed[3] = {
        seeds.train, c->split.validation_was_cut ? seeds.train : seeds.validation, seeds.test};
    lb_stream streams[3];
    for (int i = 0; i < 3; i++) {
        out->noisy[i] = (lb_noisy){sides[i]->spectra, level, seed[i]};
        out->selected[i] =
            (lb_stream_rows){lb_noisy_stream(&out->noisy[i]), sides[i]->rows, sides[i]->n};
        streams[i] = lb_stream_of_rows(&out->selected[i]);
    }
    out->train = (lb_labelled){streams[0], {c->train.target, c->train.n}, c->train.group};
    out->val = (lb_labelled){streams[1], {c->val.target, c->val.n}, c->val.group};
    out->test = streams[2];
}

void lb_cohort_errors_of(const lb_cohort *c, lb_cohort_errors *out)
{
    const lb_side *sides[3] = {&c->train, &c->val, &c->test};
    lb_stream *const streams[3] = {&out->train, &out->val, &out->test};
    for (int i = 0; i < 3; i++) {
        out->selected[i] =
            (lb_stream_rows){lb_error_stream(sides[i]->spectra), sides[i]->rows, sides[i]->n};
        *streams[i] = lb_stream_of_rows(&out->selected[i]);
    }
}

static lb_status snr_of_side(const lb_side *side, double **norm, double **pixel, lb_error *err)
{
    const size_t n = lb_spectra_rows(side->spectra);
    double *all = lb_xcalloc(2 * n, sizeof *all);
    *norm = lb_xcalloc(side->n, sizeof **norm);
    *pixel = lb_xcalloc(side->n, sizeof **pixel);
    const lb_status st = lb_spectra_snr(side->spectra, (lb_vec){all, n}, (lb_vec){all + n, n}, err);
    for (size_t i = 0; i < side->n; i++) {
        (*norm)[i] = all[side->rows[i]];
        (*pixel)[i] = all[n + side->rows[i]];
    }
    free(all);
    return st;
}

lb_status lb_cohort_snr_of(const lb_cohort *c, lb_cohort_snr *out, lb_error *err)
{
    lb_status st;
    *out = (lb_cohort_snr){0};
    if ((st = snr_of_side(&c->train, &out->norm_train, &out->pixel_train, err)) != LB_OK ||
        (st = snr_of_side(&c->val, &out->norm_val, &out->pixel_val, err)) != LB_OK)
        return st;
    return snr_of_side(&c->test, &out->norm_test, &out->pixel_test, err);
}

void lb_cohort_snr_free(lb_cohort_snr *r)
{
    free(r->norm_train);
    free(r->norm_val);
    free(r->norm_test);
    free(r->pixel_train);
    free(r->pixel_val);
    free(r->pixel_test);
    *r = (lb_cohort_snr){0};
}
