/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/windows.h"

#include "core/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    LANES = 16, /* rows measured side by side, one a lane of the vector registers */
    READ = 512, /* rows of a stream held at once */
};

/* --- the windows of the programme --------------------------------------------------------------
 * The bands are the 10 A on either side of the core. Those of the two Na I windows hold the other
 * line of the pair; the median bears it. */

#define BETWEEN(label, from, to)                                                                   \
    {                                                                                              \
        label, from, to, (from)-10.0, from, to, (to) + 10.0                                        \
    }
#define AROUND(label, centre, half) BETWEEN(label, (centre) - (half), (centre) + (half))
#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SET(windows, features)                                                                     \
    {                                                                                              \
        windows, COUNT(windows), features, COUNT(features)                                         \
    }

static const lb_window four_windows[] = {
    BETWEEN("Ca II 8498", 8490.0, 8510.0),
    BETWEEN("Ca II 8542", 8530.0, 8555.0),
    BETWEEN("Ca II 8662", 8650.0, 8675.0),
    BETWEEN("Na I", 8180.0, 8200.0),
};
static const lb_window_feature four_features[] = {
    {"depth_8498", LB_WINDOW_DEPTH, 0, 0}, {"EW_8498", LB_WINDOW_EW, 0, 0},
    {"depth_8542", LB_WINDOW_DEPTH, 1, 1}, {"EW_8542", LB_WINDOW_EW, 1, 1},
    {"depth_8662", LB_WINDOW_DEPTH, 2, 2}, {"EW_8662", LB_WINDOW_EW, 2, 2},
    {"EW_CaT", LB_WINDOW_EW, 0, 2},        {"depth_Na", LB_WINDOW_DEPTH, 3, 3},
    {"EW_Na", LB_WINDOW_EW, 3, 3},
};
const lb_window_set lb_windows_four = SET(four_windows, four_features);

#define CALCIUM_AND_SODIUM                                                                         \
    AROUND("Ca II 8498", 8498.0, 10.0), AROUND("Ca II 8542", 8542.0, 12.0),                        \
        AROUND("Ca II 8662", 8662.0, 12.0), AROUND("Na I 8183", 8183.0, 8.0),                      \
        AROUND("Na I 8195", 8195.0, 8.0)
#define THREE(label, k)                                                                            \
    {"mean_" label, LB_WINDOW_MEAN, k, k}, {"depth_" label, LB_WINDOW_DEPTH, k, k},                \
    {                                                                                              \
        "EW_" label, LB_WINDOW_EW, k, k                                                            \
    }

static const lb_window eight_windows[] = {
    CALCIUM_AND_SODIUM,
    AROUND("Mg I 8806", 8806.0, 5.0),
    AROUND("Mg I 8807", 8807.0, 5.0),
    AROUND("Mg I 8808", 8808.0, 5.0),
};
static const lb_window_feature eight_features[] = {
    THREE("CaII_8498", 0),
    THREE("CaII_8542", 1),
    THREE("CaII_8662", 2),
    THREE("NaI_8183", 3),
    THREE("NaI_8195", 4),
    THREE("MgI_8806", 5),
    THREE("MgI_8807", 6),
    THREE("MgI_8808", 7),
    {"CaII_EW_total", LB_WINDOW_EW, 0, 2},
    {"NaI_EW_total", LB_WINDOW_EW, 3, 4},
    {"MgI_EW_total", LB_WINDOW_EW, 5, 7},
};
const lb_window_set lb_windows_eight = SET(eight_windows, eight_features);

static const lb_window six_windows[] = {
    CALCIUM_AND_SODIUM,
    AROUND("Mg I 8806.8", 8806.8, 6.0),
};
static const lb_window_feature six_features[] = {
    THREE("CaII_8498", 0),
    THREE("CaII_8542", 1),
    THREE("CaII_8662", 2),
    THREE("NaI_8183", 3),
    THREE("NaI_8195", 4),
    THREE("MgI", 5),
    {"CaII_EW_total", LB_WINDOW_EW, 0, 2},
    {"NaI_EW_total", LB_WINDOW_EW, 3, 4},
};
const lb_window_set lb_windows_six = SET(six_windows, six_features);

/* --- air and vacuum ----------------------------------------------------------------------------
 */

double lb_air_to_vacuum(double air)
{
    double vacuum = air;
    for (int round = 0; round < 6; round++) {              /* each round adds some five digits */
        const double s2 = (1e4 / vacuum) * (1e4 / vacuum); /* wavenumber squared, 1 / micron^2 */
        vacuum = air * (1.0 + 0.05792105 / (238.0185 - s2) + 0.00167917 / (57.362 - s2));
    }
    return vacuum;
}

const char *lb_windows_medium_note(const char *medium)
{
    if (strcmp(medium, "vacuum") == 0)
        return "The windows are written in air and were moved to vacuum (Ciddor 1996), the medium "
               "of the data.";
    if (strcmp(medium, "air") == 0)
        return "The windows are written in air, the medium of the data.";
    if (strcmp(medium, "unknown") == 0)
        return "The data do not say whether their wavelengths are in air or vacuum; the windows "
               "were taken as written, in air.";
    return NULL;
}

lb_status lb_window_in_medium(const lb_window *w, const char *medium, lb_window *out, lb_error *err)
{
    if (!lb_windows_medium_note(medium))
        return LB_FAIL(err, LB_EINVAL,
                       "wavelengths in '%s'; the medium must be air, vacuum or unknown", medium);
    *out = *w;
    if (strcmp(medium, "vacuum") != 0)
        return LB_OK;
    double *const edges[] = {&out->lo,      &out->hi,       &out->left_lo,
                             &out->left_hi, &out->right_lo, &out->right_hi};
    for (size_t k = 0; k < COUNT(edges); k++)
        *edges[k] = lb_air_to_vacuum(*edges[k]);
    return LB_OK;
}

/* --- from wavelengths to pixels ----------------------------------------------------------------
 */

/* Pixels first .. last-1. */
typedef struct range {
    size_t first, last;
} range;

/* Two places of a sorting network: the smaller value goes to a. */
typedef struct comparator {
    uint32_t a, b;
} comparator;

typedef struct pixels {
    range core, left, right;
    comparator *network; /* sorts the pixels of both bands */
    size_t n_network;
} pixels;

/* What holds for every row: made once a call. */
typedef struct plan {
    const lb_window_set *set;
    lb_window_options how;
    pixels *px;    /* n_windows */
    size_t widest; /* most pixels in the two bands of a window */
} plan;

static size_t first_at_or_above(lb_cvec wave, double edge)
{
    size_t lo = 0, hi = wave.n;
    while (lo < hi) {
        const size_t middle = lo + (hi - lo) / 2;
        if (wave.data[middle] < edge)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

static lb_status find_pixels(lb_cvec wave, const char *window, const char *part, double lo,
                             double hi, range *out, lb_error *err)
{
    if (!(lo < hi)) /* written so that NaN fails too */
        return LB_FAIL(err, LB_EINVAL, "window %s: its %s runs from %g to %g A", window, part, lo,
                       hi);
    if (lo < wave.data[0] || hi > wave.data[wave.n - 1])
        return LB_FAIL(err, LB_EINVAL,
                       "window %s: its %s, %.2f to %.2f A, leaves the spectra, which go from %.2f "
                       "to %.2f A; leave the window out",
                       window, part, lo, hi, wave.data[0], wave.data[wave.n - 1]);
    *out = (range){first_at_or_above(wave, lo), first_at_or_above(wave, hi)};
    if (out->first == out->last)
        return LB_FAIL(err, LB_EINVAL,
                       "window %s: its %s, %.2f to %.2f A, holds no pixel (they are %.2f A apart); "
                       "make it wider",
                       window, part, lo, hi,
                       (wave.data[wave.n - 1] - wave.data[0]) / (double)(wave.n - 1));
    return LB_OK;
}

/* Merge exchange for any n (Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M): no step
 * depends on the values, so the lanes sort in step. @p out may be NULL, to count. */
static size_t sorting_network(size_t n, comparator *out)
{
    size_t top = 1, count = 0;
    while (2 * top < n)
        top *= 2;
    for (size_t p = top; p > 0 && n > 1; p /= 2) {
        size_t q = top, r = 0, d = p;
        for (;;) {
            for (size_t i = 0; i + d < n; i++)
                if ((i & p) == r) {
                    if (out)
                        out[count] = (comparator){(uint32_t)i, (uint32_t)(i + d)};
                    count++;
                }
            if (q == p)
                break;
            d = q - p;
            q /= 2;
            r = p;
        }
    }
    return count;
}

static lb_status plan_window(plan *k, size_t w, lb_cvec wave, const char *medium, lb_error *err)
{
    lb_window at;
    pixels *px = &k->px[w];
    lb_status st = lb_window_in_medium(&k->set->windows[w], medium, &at, err);
    if (st != LB_OK)
        return st;
    if ((st = find_pixels(wave, at.name, "core", at.lo, at.hi, &px->core, err)) != LB_OK ||
        (st = find_pixels(wave, at.name, "left band", at.left_lo, at.left_hi, &px->left, err)) !=
            LB_OK ||
        (st = find_pixels(wave, at.name, "right band", at.right_lo, at.right_hi, &px->right,
                          err)) != LB_OK)
        return st;
    const size_t n = px->left.last - px->left.first + px->right.last - px->right.first;
    px->n_network = sorting_network(n, NULL);
    px->network = lb_xcalloc(px->n_network + 1, sizeof *px->network);
    sorting_network(n, px->network);
    k->widest = n > k->widest ? n : k->widest;
    return LB_OK;
}

static void plan_free(plan *k)
{
    for (size_t w = 0; k->px && w < k->set->n_windows; w++)
        free(k->px[w].network);
    free(k->px);
}

/* Everything that can be wrong before a pixel is looked at. */
static lb_status plan_make(const lb_window_set *set, lb_window_options how, lb_cvec wave,
                           const char *medium, size_t rows, size_t cols, lb_mat out, plan *k,
                           lb_error *err)
{
    *k = (plan){.set = set, .how = how};
    if (cols != wave.n || out.rows != rows || out.cols != set->n_features)
        return LB_FAIL(err, LB_ESHAPE,
                       "%zu wavelengths, flux is %zux%zu, %zu features go to %zux%zu", wave.n, rows,
                       cols, set->n_features, out.rows, out.cols);
    if (wave.n < 3)
        return LB_FAIL(err, LB_EINVAL, "spectra of %zu pixels hold no window", wave.n);
    for (size_t j = 1; j < wave.n; j++)
        if (!(wave.data[j] > wave.data[j - 1]))
            return LB_FAIL(err, LB_EINVAL, "wavelengths must increase: %g A comes before %g A",
                           wave.data[j - 1], wave.data[j]);
    for (size_t j = 0; j < set->n_features; j++) {
        const lb_window_feature *f = &set->features[j];
        if (f->first > f->last || f->last >= set->n_windows ||
            (f->first < f->last && f->measure != LB_WINDOW_EW))
            return LB_FAIL(err, LB_EINVAL,
                           "feature %s is of windows %zu to %zu; there are %zu, and only the EW "
                           "adds up",
                           f->name, f->first, f->last, set->n_windows);
    }
    k->px = lb_xcalloc(set->n_windows, sizeof *k->px);
    lb_status st = LB_OK;
    for (size_t w = 0; w < set->n_windows && st == LB_OK; w++)
        st = plan_window(k, w, wave, medium, err);
    return st;
}

/* --- one window of LANES rows ------------------------------------------------------------------
 */

/* What a window says about each lane. */
typedef struct measured {
    double mean[LANES], depth[LANES], ew[LANES];
    unsigned char bad[LANES];
} measured;

/* Pixels of a range to x (pixels, LANES); lanes without a row repeat the last one. */
static void load(lb_cmatf flux, range r, float (*x)[LANES])
{
    for (size_t l = 0; l < LANES; l++) {
        const float *row = flux.data + (l < flux.rows ? l : flux.rows - 1) * flux.stride + r.first;
        for (size_t j = 0; j < r.last - r.first; j++)
            x[j][l] = row[j];
    }
}

/* The value at position q (n - 1) of sorted pixels, linear in between (Hyndman & Fan 1996,
 * definition 7). At q = 1/2 it is the median: the mean of the middle two. */
static void quantile(float (*x)[LANES], size_t n, double q, double *out)
{
    const double position = q * (double)(n - 1);
    const size_t i = (size_t)position, above = i + 1 < n ? i + 1 : i;
    const double t = position - (double)i;
    for (int l = 0; l < LANES; l++) {
        const double a = (double)x[i][l], b = (double)x[above][l];
        out[l] = t < 0.5 ? a + (b - a) * t : b - (b - a) * (1.0 - t);
    }
}

static void exchange(float *restrict a, float *restrict b)
{
#pragma omp simd
    for (int l = 0; l < LANES; l++) {
        const float low = a[l] < b[l] ? a[l] : b[l], high = a[l] < b[l] ? b[l] : a[l];
        a[l] = low;
        b[l] = high;
    }
}

static void continuum(const plan *k, const pixels *px, lb_cmatf flux, float (*x)[LANES],
                      double *out)
{
    const size_t left = px->left.last - px->left.first, right = px->right.last - px->right.first;
    load(flux, px->left, x);
    load(flux, px->right, x + left);
    for (size_t c = 0; c < px->n_network; c++)
        exchange(x[px->network[c].a], x[px->network[c].b]);
    quantile(x, left + right, k->how.continuum == LB_CONTINUUM_P90 ? 0.9 : 0.5, out);
}

static float median3(float a, float b, float c)
{
    const float low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* The lowest pixel of the core, or the lowest median of three. At the first and the last pixel of
 * the spectrum the three are those that exist. */
static double lowest(const float *row, size_t p, range core, lb_window_depth depth)
{
    float least = INFINITY;
    for (size_t j = core.first; j < core.last; j++) {
        float v = row[j];
        if (depth == LB_DEPTH_MEDIAN3) {
            const size_t at = j == 0 ? 1 : j + 1 == p ? p - 2 : j;
            v = median3(row[at - 1], row[at], row[at + 1]);
        }
        least = v < least ? v : least;
    }
    return (double)least;
}

/* sum(1 - f/c) = n - sum(f)/c, and min(f/c) = min(f)/c because c > 0: one division a window. */
static void measure(const plan *k, const pixels *px, lb_cmatf flux, float (*x)[LANES],
                    measured *out)
{
    const double n = (double)(px->core.last - px->core.first);
    double c[LANES];
    continuum(k, px, flux, x, c);
    for (size_t l = 0; l < flux.rows; l++) {
        const float *row = flux.data + l * flux.stride;
        double sum = 0.0;
        for (size_t j = px->core.first; j < px->core.last; j++)
            sum += (double)row[j];
        out->mean[l] = sum / n;
        out->bad[l] = !(c[l] > LB_WINDOW_CONTINUUM_MIN);
        out->ew[l] = out->bad[l] ? 0.0 : n - sum / c[l];
        out->depth[l] =
            out->bad[l] ? 0.0 : 1.0 - lowest(row, flux.cols, px->core, k->how.depth) / c[l];
    }
}

/* --- rows --------------------------------------------------------------------------------------
 */

static bool all_finite(const float *row, range r)
{
    float worst = 0.0f; /* 0 * x is 0 unless x is NaN or infinite, in whatever order */
#pragma omp simd reduction(+ : worst)
    for (size_t j = r.first; j < r.last; j++)
        worst += 0.0f * row[j];
    return worst == 0.0f;
}

/* The first window of this row with NaN or infinity in a pixel it uses; n_windows: none. */
static size_t broken_window(const plan *k, const float *row, size_t p)
{
    size_t w = 0;
    for (; w < k->set->n_windows; w++) {
        range core = k->px[w].core;
        if (k->how.depth == LB_DEPTH_MEDIAN3) { /* the neighbours count as well */
            core.first -= core.first > 0;
            core.last += core.last < p;
        }
        if (!all_finite(row, core) || !all_finite(row, k->px[w].left) ||
            !all_finite(row, k->px[w].right))
            break;
    }
    return w;
}

static double feature(const lb_window_feature *f, const measured *m, size_t lane)
{
    double sum = 0.0;
    switch (f->measure) {
    case LB_WINDOW_MEAN:
        return m[f->first].mean[lane];
    case LB_WINDOW_DEPTH:
        return m[f->first].depth[lane];
    case LB_WINDOW_EW:
        for (size_t w = f->first; w <= f->last; w++)
            sum += m[w].ew[lane];
        break;
    }
    return sum;
}

/* At most LANES rows. Returns the number of windows without a continuum. */
static size_t some_rows(const plan *k, lb_cmatf flux, float (*x)[LANES], measured *m, lb_mat out,
                        unsigned char *bad)
{
    const lb_window_set *set = k->set;
    size_t n_bad = 0;
    for (size_t w = 0; w < set->n_windows; w++)
        measure(k, &k->px[w], flux, x, &m[w]);
    for (size_t l = 0; l < flux.rows; l++) {
        for (size_t j = 0; j < set->n_features; j++)
            out.data[l * out.stride + j] = feature(&set->features[j], m, l);
        for (size_t w = 0; w < set->n_windows; w++) {
            n_bad += m[w].bad[l];
            if (bad)
                bad[l * set->n_windows + w] = m[w].bad[l];
        }
    }
    return n_bad;
}

/* Rows of @p flux, the first of them row @p first of the whole. The first broken row is named,
 * whichever thread meets one first. */
static lb_status block(const plan *k, lb_cmatf flux, size_t first, lb_mat out, unsigned char *bad,
                       size_t *n_bad, lb_error *err)
{
    const size_t n_windows = k->set->n_windows;
    size_t total = 0, broken = SIZE_MAX;
#pragma omp parallel reduction(+ : total) reduction(min : broken) if (flux.rows >= 8 * LANES)
    {
        float(*x)[LANES] = lb_xaligned(k->widest + 1, sizeof *x);
        measured *m = lb_xcalloc(n_windows, sizeof *m);
#pragma omp for schedule(static)
        for (size_t i = 0; i < flux.rows; i += LANES) {
            const size_t n = flux.rows - i < LANES ? flux.rows - i : LANES;
            const lb_cmatf rows = {flux.data + i * flux.stride, n, flux.cols, flux.stride};
            for (size_t l = n; l > 0; l--)
                if (broken_window(k, rows.data + (l - 1) * rows.stride, rows.cols) < n_windows)
                    broken = i + l - 1 < broken ? i + l - 1 : broken;
            total += some_rows(k, rows, x, m, lb_mat_rows(out, first + i, first + i + n),
                               bad ? bad + (first + i) * n_windows : NULL);
        }
        free(x);
        free(m);
    }
    *n_bad += total;
    if (broken == SIZE_MAX)
        return LB_OK;
    const size_t w = broken_window(k, flux.data + broken * flux.stride, flux.cols);
    return LB_FAIL(err, LB_ENUMERIC, "row %zu holds NaN or infinity in the window %s; leave it out",
                   first + broken, k->set->windows[w].name);
}

lb_status lb_windows_features(const lb_window_set *set, lb_window_options how, lb_cvec wave,
                              const char *medium, lb_cmatf flux, lb_mat out, unsigned char *bad,
                              size_t *n_bad, lb_error *err)
{
    plan k;
    size_t count = 0;
    lb_status st = plan_make(set, how, wave, medium, flux.rows, flux.cols, out, &k, err);
    if (st == LB_OK)
        st = block(&k, flux, 0, out, bad, &count, err);
    if (n_bad)
        *n_bad = count;
    plan_free(&k);
    return st;
}

lb_status lb_windows_features_stream(const lb_window_set *set, lb_window_options how, lb_cvec wave,
                                     const char *medium, const lb_stream *flux, lb_mat out,
                                     unsigned char *bad, size_t *n_bad, lb_error *err)
{
    plan k;
    size_t count = 0;
    float *rows = lb_xaligned(READ * flux->cols, sizeof *rows);
    lb_status st = plan_make(set, how, wave, medium, flux->rows, flux->cols, out, &k, err);
    for (size_t first = 0; first < flux->rows && st == LB_OK; first += READ) {
        const size_t n = flux->rows - first < READ ? flux->rows - first : READ;
        st = flux->read(flux->self, first, (lb_matf){rows, n, flux->cols, flux->cols}, err);
        if (st == LB_OK)
            st = block(&k, (lb_cmatf){rows, n, flux->cols, flux->cols}, first, out, bad, &count,
                       err);
    }
    if (n_bad)
        *n_bad = count;
    free(rows);
    plan_free(&k);
    return st;
}
