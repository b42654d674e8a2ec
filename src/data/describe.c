/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/describe.h"

#include "core/memory.h"
#include "data/bins.h"
#include "data/shard.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything is said twice, for people and for programs, from the same values. */
typedef struct page {
    lb_text *out;
    bool keys;
} page;

typedef struct summary {
    size_t n; /* finite values */
    double lowest, median, mean, highest;
} summary;

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static summary summarise(lb_cvec x)
{
    double *sorted = lb_xcalloc(x.n, sizeof *sorted), sum = 0.0;
    summary s = {0, NAN, NAN, NAN, NAN};
    for (size_t i = 0; i < x.n; i++)
        if (isfinite(x.data[i]))
            sum += sorted[s.n++] = x.data[i];
    if (s.n > 0) {
        qsort(sorted, s.n, sizeof *sorted, ascending);
        s.lowest = sorted[0];
        s.highest = sorted[s.n - 1];
        s.median = 0.5 * (sorted[(s.n - 1) / 2] + sorted[s.n / 2]);
        s.mean = sum / (double)s.n;
    }
    free(sorted);
    return s;
}

static void say_range(const page *p, const char *key, const char *title, const char *unit,
                      lb_cvec x)
{
    const summary s = summarise(x);
    if (p->keys)
        lb_text_printf(
            p->out, "%s.min\t%.9g\n%s.median\t%.9g\n%s.mean\t%.9g\n%s.max\t%.9g\n%s.missing\t%zu\n",
            key, s.lowest, key, s.median, key, s.mean, key, s.highest, key, x.n - s.n);
    else
        lb_text_printf(p->out, "  %-34s %9.4g to %-9.4g median %-8.4g mean %-8.4g %s\n", title,
                       s.lowest, s.highest, s.median, s.mean, unit);
}

static void say_count(const page *p, const char *key, const char *title, size_t n)
{
    if (p->keys)
        lb_text_printf(p->out, "%s\t%zu\n", key, n);
    else
        lb_text_printf(p->out, "  %-34s %9zu\n", title, n);
}

static void say_head(const page *p, const lb_spectra *s)
{
    const lb_cvec wave = lb_spectra_wave(s);
    if (p->keys)
        lb_text_printf(p->out,
                       "set\t%s\nrows\t%zu\npixels\t%zu\nwave.min\t%.9g\nwave.max\t%.9g\n"
                       "wave.medium\t%s\nhash\t%s\n",
                       lb_spectra_name(s), lb_spectra_rows(s), wave.n, wave.data[0],
                       wave.data[wave.n - 1], lb_spectra_medium(s), lb_spectra_hash(s));
    else
        lb_text_printf(p->out, "%s\n  %zu rows x %zu pixels, %.1f to %.1f Angstrom (%s)\n  %s\n",
                       lb_spectra_name(s), lb_spectra_rows(s), wave.n, wave.data[0],
                       wave.data[wave.n - 1], lb_spectra_medium(s), lb_spectra_hash(s));
}

static void say_labels(const page *p, const lb_spectra *s)
{
    static const struct {
        const char *column, *title, *unit;
    } labels[] = {{"T_eff", "T_eff", "K"},
                  {"log_g", "log g", "dex"},
                  {"M_H", "[M/H]", "dex"},
                  {"mag", "magnitude", "mag"},
                  {"snr", "snr column (norm ratio if ours)", ""},
                  {"redshift", "redshift", ""}};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        const lb_cvec x = lb_spectra_label(s, labels[i].column);
        if (x.data)
            say_range(p, labels[i].column, labels[i].title, labels[i].unit, x);
    }
}

static lb_status say_snr(const page *p, lb_spectra *s, lb_error *err)
{
    const size_t n = lb_spectra_rows(s);
    const lb_vec norm = {lb_xcalloc(n, sizeof(double)), n};
    const lb_vec median = {lb_xcalloc(n, sizeof(double)), n};
    const lb_status st = lb_spectra_snr(s, norm, median, err);
    if (st == LB_OK) {
        say_range(p, "snr.norm_ratio", "SNR, norm ratio |flux|/|error|", "", lb_vec_const(norm));
        say_range(p, "snr.median_pixel", "SNR, median over pixels", "", lb_vec_const(median));
    }
    free(norm.data);
    free(median.data);
    return st;
}

static lb_status say_bad(const page *p, lb_spectra *s, lb_error *err)
{
    lb_screening t = {0};
    const lb_status st = lb_spectra_inspect(s, &t, err);
    if (st != LB_OK)
        return st;
    say_count(p, "bad.rows", "rows with NaN or infinity", t.refused);
    if (t.refused || p->keys) {
        say_count(p, "bad.flux", "  in flux", t.flux_bad);
        say_count(p, "bad.error", "  in error", t.error_bad);
        say_count(p, "bad.T_eff", "  in T_eff", t.teff_bad);
        say_count(p, "bad.log_g", "  in log_g", t.logg_bad);
        say_count(p, "bad.M_H", "  in M_H", t.mh_bad);
    }
    say_count(p, "bad.error_nonpositive_rows", "rows with an error <= 0", t.error_nonpositive_rows);
    say_count(p, "bad.error_nonpositive_pixels", "pixels with an error <= 0",
              t.error_nonpositive_pixels);
    lb_screening_free(&t);
    return LB_OK;
}

static void say_bins(const page *p, const lb_spectra *s)
{
    const lb_bins bins = lb_bins_nine();
    const lb_cvec teff = lb_spectra_label(s, "T_eff"), mh = lb_spectra_label(s, "M_H");
    int *group = lb_xcalloc(teff.n, sizeof *group);
    size_t count[LB_BINS_MAX] = {0}, covered = 0;
    lb_bins_assign(&bins, teff, mh, group);
    for (size_t i = 0; i < teff.n; i++)
        if (group[i] >= 0) {
            count[group[i]]++;
            covered++;
        }
    const double share = 100.0 * (double)covered / (double)teff.n;
    if (p->keys)
        lb_text_printf(p->out, "bins.covered\t%zu\nbins.coverage_percent\t%.9g\n", covered, share);
    else
        lb_text_printf(p->out, "  %-34s %9zu (%.1f %%)\n", "rows inside the nine bins", covered,
                       share);
    for (size_t k = 0; k < lb_bins_count(&bins); k++) {
        char name[32], key[32];
        lb_bins_name(&bins, (int)k, name);
        snprintf(key, sizeof key, "bins.%zu", k);
        char *title = lb_xprintf("  bin %zu %s", k, name);
        say_count(p, key, title, count[k]);
        free(title);
    }
    say_count(p, "bins.on_edge", "rows exactly on a bin edge", lb_bins_on_edge(&bins, teff, mh));
    free(group);
}

lb_status lb_describe_spectra(lb_spectra *s, bool keys, lb_text *out, lb_error *err)
{
    const page p = {out, keys};
    say_head(&p, s);
    say_labels(&p, s);
    lb_status st = say_snr(&p, s, err);
    if (st == LB_OK)
        st = say_bad(&p, s, err);
    if (st == LB_OK)
        say_bins(&p, s);
    return st;
}

lb_status lb_describe(const char *path, bool keys, lb_text *out, lb_error *err)
{
    lb_spectra *s = NULL;
    char stored[LB_HASH_SIZE], actual[LB_HASH_SIZE];
    lb_status st = lb_spectra_open_files(path, &path, 1, &s, err);
    if (st != LB_OK)
        return st;
    st = lb_describe_spectra(s, keys, out, err);
    lb_spectra_close(s);
    if (st == LB_OK)
        st = lb_shard_check(path, stored, actual, err);
    if (st != LB_OK)
        return st;
    const char *content = !*stored                      ? "not recorded (not written by simulate)"
                          : strcmp(stored, actual) == 0 ? "matches its stored hash"
                                                        : "CHANGED since simulate wrote it";
    lb_text_printf(out, keys ? "content\t%s\n" : "  content: %s\n", content);
    if (*stored && strcmp(stored, actual) != 0)
        return LB_FAIL(err, LB_EFINDING,
                       "%s was changed after simulate wrote it; make it again, or delete its "
                       "attribute 'content' if the change is meant",
                       path);
    return LB_OK;
}
