/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_WINDOWS_H
#define LB_MODELS_WINDOWS_H

#include "core/error.h"
#include "linalg/mat.h"
#include "linalg/stream.h"

#include <stddef.h>

/**
 * Features of spectral lines: how deep a line is, how much light it takes away, how bright the
 * spectrum is there. A window is a core that holds the line and a band of continuum on either side.
 * With f the flux of a pixel and c one scalar of continuum for each spectrum and window,
 *
 *   depth = 1 - min over the core of f / c
 *   EW    = sum over the core of (1 - f / c)       in PIXELS: times the pixel step (0.4273 A at
 *           4,096 pixels, 3.42 A at 512) it is the equivalent width in Angstrom
 *   mean  = mean over the core of f itself, not of f / c, which would only repeat the EW
 *
 * Source: the programme's physical-window gate; equivalent width as in Gray 2005, The Observation
 * and Analysis of Stellar Photospheres, 3rd ed., ch. 13. A pixel belongs to a range if
 * lo <= wavelength < hi, so that a core and the band next to it share none.
 *
 *   double x[1000 * 13];                                    9 line features, then 4 PCA scores
 *   lb_windows_features(&lb_windows_four, (lb_window_options){0}, wave, "vacuum", flux,
 *                       (lb_mat){x, 1000, 9, 13}, NULL, &n_bad, &err);
 *   lb_pca_scores(pca, &stream, (lb_mat){x + 9, 1000, 4, 13}, &err);
 */
typedef struct lb_window {
    const char *name;                            /* "Ca II 8498" */
    double lo, hi;                               /* core, Angstrom in air */
    double left_lo, left_hi, right_lo, right_hi; /* the two bands of continuum, likewise */
} lb_window;

typedef enum lb_window_measure {
    LB_WINDOW_MEAN,
    LB_WINDOW_DEPTH,
    LB_WINDOW_EW,
} lb_window_measure;

/** One column of the features. */
typedef struct lb_window_feature {
    const char *name; /* "depth_8498", for tables */
    lb_window_measure measure;
    size_t first, last; /* windows of the set; first < last: the sum of their EW */
} lb_window_feature;

/** What an experiment passes: its windows, and its columns in their order. */
typedef struct lb_window_set {
    const lb_window *windows;
    size_t n_windows;
    const lb_window_feature *features;
    size_t n_features;
} lb_window_set;

/** Ca II 8498, 8542, 8662 and the Na I pair in one window: depth and EW of each, and the EW of the
 * three Ca II lines together, which is exactly the sum of its parts. 9 columns. */
extern const lb_window_set lb_windows_four;

/** Three Ca II, two Na I and three Mg I windows: mean, depth and EW of each, then the EW of the
 * three species. 27 columns. The Mg I windows all but coincide, and their columns with them. */
extern const lb_window_set lb_windows_eight;

/** The same with one window for the Mg I line at 8806.8: 18 columns and the EW of Ca II and Na I.
 */
extern const lb_window_set lb_windows_six;

typedef enum lb_window_continuum {
    LB_CONTINUUM_MEDIAN, /* median of the pixels of both bands together */
    LB_CONTINUUM_P90,    /* their 90th percentile, linear between order statistics (NumPy's) */
} lb_window_continuum;

typedef enum lb_window_depth {
    LB_DEPTH_MIN,     /* the lowest pixel: noise makes the line look deeper */
    LB_DEPTH_MEDIAN3, /* the lowest median of three neighbours, the middle one in the core */
} lb_window_depth;

typedef struct lb_window_options {
    lb_window_continuum continuum;
    lb_window_depth depth;
} lb_window_options;

/** A continuum at or below this is no continuum: depth and EW are 0 and the window is counted. */
#define LB_WINDOW_CONTINUUM_MIN 1e-6

/**
 * Features of the rows of @p flux. The bits of a row depend on that row alone: neither on the other
 * rows nor on the number of threads.
 * @param wave    (p) Angstrom, increasing
 * @param medium  of @p wave, as lb_spectra_medium() says: "vacuum" moves the windows there, "air"
 *                takes them as they are, and so does "unknown"; lb_windows_medium_note() says it
 * @param flux    (n, p) on any linear scale on which LB_WINDOW_CONTINUUM_MIN is next to nothing
 * @param out     (n, n_features), filled
 * @param bad     (n x n_windows) 1 where there was no continuum; NULL: not wanted
 * @param n_bad   number of those; NULL: not wanted
 * @return LB_OK; LB_ESHAPE (wave, flux and out disagree); LB_EINVAL (a window out of the range of
 *         the wavelengths or without a pixel in its core or a band, a range that ends before it
 *         begins, wave not increasing, a feature of no window, a medium that is none);
 *         LB_ENUMERIC (NaN or infinity in a pixel that a window uses; the row is named)
 */
lb_status lb_windows_features(const lb_window_set *set, lb_window_options how, lb_cvec wave,
                              const char *medium, lb_cmatf flux, lb_mat out, unsigned char *bad,
                              size_t *n_bad, lb_error *err);

/** The same of every row of a stream, in one pass; or what the stream reports. */
lb_status lb_windows_features_stream(const lb_window_set *set, lb_window_options how, lb_cvec wave,
                                     const char *medium, const lb_stream *flux, lb_mat out,
                                     unsigned char *bad, size_t *n_bad, lb_error *err);

/**
 * The edges of @p w on the wavelengths of @p medium: what the features use, and what a figure
 * shades.
 * @return LB_OK, or LB_EINVAL if the medium is none of "air", "vacuum", "unknown"
 */
lb_status lb_window_in_medium(const lb_window *w, const char *medium, lb_window *out,
                              lb_error *err);

/** A sentence for the report on what was done with the edges, or NULL for no medium. */
const char *lb_windows_medium_note(const char *medium);

/**
 * The wavelength in vacuum of one given in standard air (15 C, 1 atm, 450 ppm CO2), Angstrom:
 * Ciddor 1996, Applied Optics 35, 1566, eq. 1, whose index is a function of the vacuum wavelength,
 * solved by repetition to the last bit. For 2,300 to 17,000 A. 8542.09 becomes 8544.44.
 */
double lb_air_to_vacuum(double air_aa);

#endif
