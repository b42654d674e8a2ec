/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passes over all rows of a split: what is bad, what is double, how noisy. */
#include "core/memory.h"
#include "data/spectra.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512 }; /* rows at a time */

/* --- screening ---------------------------------------------------------------------------------
 */

static size_t count_nonfinite(const float *x, size_t p)
{
    size_t bad = 0;
    for (size_t j = 0; j < p; j++)
        bad += !(fabsf(x[j]) <= 3.4028234664e38f); /* NaN fails the comparison too */
    return bad;
}

static size_t count_nonpositive(const float *x, size_t p)
{
    size_t n = 0;
    for (size_t j = 0; j < p; j++)
        n += x[j] <= 0.0f;
    return n;
}

/* FNV-1a over 32-bit words in eight lanes; equal hashes are compared pixel by pixel later. */
static uint64_t hash_row(const float *x, size_t p)
{
    enum { LANES = 8 };
    uint64_t lane[LANES], whole = 1469598103934665603u;
    for (int i = 0; i < LANES; i++)
        lane[i] = whole + (uint64_t)i;
    for (size_t j = 0; j < p; j++) {
        uint32_t bits;
        memcpy(&bits, x + j, sizeof bits);
        lane[j % LANES] = (lane[j % LANES] ^ bits) * 1099511628211u;
    }
    for (int i = 0; i < LANES; i++)
        whole = (whole ^ (lane[i] ^ lane[i] >> 32)) * 1099511628211u;
    return whole;
}

/* Of a made row: its spectrum is a function of these. */
static uint64_t hash_labels(const lb_spectra *s, size_t row)
{
    static const char *const columns[] = {"T_eff", "log_g", "M_H", "mag"};
    double value[4];
    float words[8];
    for (int c = 0; c < 4; c++)
        value[c] = lb_spectra_label(s, columns[c]).data[row];
    memcpy(words, value, sizeof words);
    return hash_row(words, 8);
}

/* A row's part of the counts; bits of cause. */
enum { FLUX = 1, ERROR = 2 };
typedef struct verdict {
    int bad;
    size_t nonpositive;
    uint64_t hash;
} verdict;

static void judge_rows(lb_matf flux, lb_matf error, verdict *out)
{
#pragma omp parallel for schedule(dynamic, 8)
    for (size_t i = 0; i < flux.rows; i++) {
        const float *x = flux.data + i * flux.stride, *e = error.data + i * error.stride;
        out[i].bad = (count_nonfinite(x, flux.cols) ? FLUX : 0) |
                     (count_nonfinite(e, flux.cols) ? ERROR : 0);
        out[i].nonpositive = count_nonpositive(e, flux.cols);
        out[i].hash = hash_row(x, flux.cols);
    }
}

static bool add_row(lb_screening *t, const verdict *v, double teff, double logg, double mh)
{
    const bool bad_teff = !isfinite(teff), bad_logg = !isfinite(logg), bad_mh = !isfinite(mh);
    t->flux_bad += (v->bad & FLUX) != 0;
    t->error_bad += (v->bad & ERROR) != 0;
    t->teff_bad += bad_teff;
    t->logg_bad += bad_logg;
    t->mh_bad += bad_mh;
    t->error_nonpositive_pixels += v->nonpositive;
    t->error_nonpositive_rows += v->nonpositive > 0;
    return !v->bad && !bad_teff && !bad_logg && !bad_mh;
}

lb_status lb_spectra_inspect(lb_spectra *s, lb_screening *out, lb_error *err)
{
    const size_t n = lb_spectra_rows(s), p = lb_spectra_pixels(s);
    const double *teff = lb_spectra_label(s, "T_eff").data;
    const double *logg = lb_spectra_label(s, "log_g").data;
    const double *mh = lb_spectra_label(s, "M_H").data;
    lb_screening t = {.rows = n, .keep = lb_xcalloc(n, 1), .hash = lb_xcalloc(n, sizeof *t.hash)};
    if (lb_spectra_is_made(s)) {
        for (size_t row = 0; row < n; row++) {
            t.keep[row] = add_row(&t, &(verdict){0}, teff[row], logg[row], mh[row]);
            t.hash[row] = hash_labels(s, row);
            t.refused += !t.keep[row];
        }
        *out = t;
        return LB_OK;
    }
    float *data = lb_xaligned(2 * BLOCK * p, sizeof *data);
    verdict *verdicts = lb_xcalloc(BLOCK, sizeof *verdicts);
    lb_status st = LB_OK;
    for (size_t first = 0; first < n && st == LB_OK; first += BLOCK) {
        const size_t k = n - first < BLOCK ? n - first : BLOCK;
        const lb_matf flux = {data, k, p, p}, error = {data + BLOCK * p, k, p, p};
        if ((st = lb_spectra_read(s, first, flux, error, err)) != LB_OK)
            break;
        judge_rows(flux, error, verdicts);
        for (size_t i = 0; i < k; i++) {
            const size_t row = first + i;
            t.keep[row] = add_row(&t, &verdicts[i], teff[row], logg[row], mh[row]);
            t.hash[row] = verdicts[i].hash;
            t.refused += !t.keep[row];
        }
    }
    free(verdicts);
    free(data);
    if (st == LB_OK)
        *out = t;
    else
        lb_screening_free(&t);
    return st;
}

lb_status lb_spectra_screen(lb_spectra *s, lb_screening *out, lb_error *err)
{
    lb_status st = lb_spectra_inspect(s, out, err);
    if (st != LB_OK || out->refused * 1000 <= out->rows)
        return st;
    st = LB_FAIL(err, LB_ENUMERIC,
                 "%zu of %zu %s rows (%.2f %%) hold NaN or infinity, more than the 0.1 %% that may "
                 "be left out: flux %zu, error %zu, T_eff %zu, log_g %zu, M_H %zu rows; repair or "
                 "remove them",
                 out->refused, out->rows, lb_spectra_name(s),
                 100.0 * (double)out->refused / (double)out->rows, out->flux_bad, out->error_bad,
                 out->teff_bad, out->logg_bad, out->mh_bad);
    lb_screening_free(out);
    return st;
}

void lb_screening_free(lb_screening *x)
{
    free(x->keep);
    free(x->hash);
    *x = (lb_screening){0};
}

/* --- doubles -----------------------------------------------------------------------------------
 */

typedef struct fingerprint {
    uint64_t hash;
    size_t row;
} fingerprint;

static int by_hash(const void *a, const void *b)
{
    const fingerprint *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Fingerprints of the kept rows, sorted. */
static fingerprint *fingerprints(const lb_screening *t, size_t *n)
{
    fingerprint *out = lb_xcalloc(t->rows, sizeof *out);
    *n = 0;
    for (size_t row = 0; row < t->rows; row++)
        if (t->keep[row])
            out[(*n)++] = (fingerprint){t->hash[row], row};
    qsort(out, *n, sizeof *out, by_hash);
    return out;
}

static lb_status same_row(lb_spectra *a, size_t i, lb_spectra *b, size_t j, bool *same,
                          lb_error *err)
{
    const size_t p = lb_spectra_pixels(a);
    float *x = lb_xcalloc(2 * p, sizeof *x), *y = x + p;
    lb_status st = lb_spectra_read(a, i, (lb_matf){x, 1, p, p}, (lb_matf){0}, err);
    if (st == LB_OK)
        st = lb_spectra_read(b, j, (lb_matf){y, 1, p, p}, (lb_matf){0}, err);
    *same = st == LB_OK && memcmp(x, y, p * sizeof *x) == 0;
    free(x);
    return st;
}

/* Walk both sorted lists; count doubles and keep the first pair. */
static lb_status match(lb_spectra *a, const fingerprint *fa, size_t na, lb_spectra *b,
                       const fingerprint *fb, size_t nb, size_t *doubles, size_t pair[2],
                       lb_error *err)
{
    lb_status st = LB_OK;
    for (size_t i = 0, j = 0; j < nb && st == LB_OK; j++) {
        while (i < na && fa[i].hash < fb[j].hash)
            i++;
        bool same = false;
        for (size_t k = i; k < na && fa[k].hash == fb[j].hash && !same && st == LB_OK; k++) {
            st = same_row(a, fa[k].row, b, fb[j].row, &same, err);
            if (same && (*doubles)++ == 0) {
                pair[0] = fa[k].row;
                pair[1] = fb[j].row;
            }
        }
    }
    return st;
}

lb_status lb_spectra_check_disjoint(lb_spectra *a, const lb_screening *in_a, lb_spectra *b,
                                    const lb_screening *in_b, lb_error *err)
{
    size_t na, nb, doubles = 0, pair[2];
    if (lb_spectra_pixels(a) != lb_spectra_pixels(b))
        return LB_FAIL(err, LB_ESHAPE, "%s has %zu pixels, %s has %zu", lb_spectra_name(a),
                       lb_spectra_pixels(a), lb_spectra_name(b), lb_spectra_pixels(b));
    if (lb_spectra_is_made(a) != lb_spectra_is_made(b))
        return LB_FAIL(err, LB_EINVAL,
                       "rows that are made (%s) cannot be told apart from rows that are read (%s)",
                       lb_spectra_name(lb_spectra_is_made(a) ? a : b),
                       lb_spectra_name(lb_spectra_is_made(a) ? b : a));
    fingerprint *fa = fingerprints(in_a, &na), *fb = fingerprints(in_b, &nb);
    lb_status st = match(a, fa, na, b, fb, nb, &doubles, pair, err);
    if (st == LB_OK && doubles > 0) {
        char left[400], right[400];
        lb_spectra_row_name(a, pair[0], left, sizeof left);
        lb_spectra_row_name(b, pair[1], right, sizeof right);
        st = LB_FAIL(err, LB_EINVAL,
                     "%zu spectra of %s are in %s too, the first is %s = %s; scores would be too "
                     "good, take them out of one set",
                     doubles, lb_spectra_name(b), lb_spectra_name(a), right, left);
    }
    free(fa);
    free(fb);
    return st;
}

/* --- signal to noise
 * ------------------------------------------------------------------------------ */

static void row_snr(const float *x, const float *e, size_t p, double *ratio, double *norm,
                    double *median)
{
    double signal = 0.0, noise = 0.0;
    size_t used = 0;
    for (size_t j = 0; j < p; j++) {
        if (!(e[j] > 0.0f && isfinite(e[j]) && isfinite(x[j])))
            continue;
        signal += (double)x[j] * x[j];
        noise += (double)e[j] * e[j];
        ratio[used++] = (double)x[j] / e[j];
    }
    *norm = used ? sqrt(signal / noise) : NAN;
    *median = used ? gsl_stats_median(ratio, 1, used) : NAN;
}

lb_status lb_spectra_snr(lb_spectra *s, lb_vec norm_ratio, lb_vec median_pixel, lb_error *err)
{
    const size_t n = lb_spectra_rows(s), p = lb_spectra_pixels(s);
    if (norm_ratio.n != n || median_pixel.n != n)
        return LB_FAIL(err, LB_ESHAPE, "signal to noise of %zu rows asked into %zu and %zu values",
                       n, norm_ratio.n, median_pixel.n);
    float *data = lb_xaligned(2 * BLOCK * p, sizeof *data);
    lb_status st = LB_OK;
    for (size_t first = 0; first < n && st == LB_OK; first += BLOCK) {
        const size_t k = n - first < BLOCK ? n - first : BLOCK;
        const lb_matf flux = {data, k, p, p}, error = {data + BLOCK * p, k, p, p};
        if ((st = lb_spectra_read(s, first, flux, error, err)) != LB_OK)
            break;
#pragma omp parallel
        {
            double *ratio = lb_xcalloc(p, sizeof *ratio);
#pragma omp for schedule(dynamic, 8)
            for (size_t i = 0; i < k; i++)
                row_snr(flux.data + i * p, error.data + i * p, p, ratio,
                        norm_ratio.data + first + i, median_pixel.data + first + i);
            free(ratio);
        }
    }
    free(data);
    return st;
}
