/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_FIGURE_PLOT_H
#define LB_FIGURE_PLOT_H

#include "core/number.h"
#include "figure/figure.h"

#include <stdbool.h>

/* What can be drawn into a panel, in the order of the calls. Arrays are copied; @p label enters the
 * legend (NULL: not). A @p format is printf's for one double ("%+.4f", "%.1f %%"). */

/** Polyline with markers (style.marker) through (x, y); NaN in y breaks it. */
void lb_plot_line(lb_axes *a, const double *x, const double *y, size_t n, lb_style style,
                  const char *label);

/** Shaded area between lo and hi. */
void lb_plot_band(lb_axes *a, const double *x, const double *lo, const double *hi, size_t n,
                  lb_style style, const char *label);

/** Markers. Above 3,000 points use lb_plot_density(): the file stays small. */
void lb_plot_points(lb_axes *a, const double *x, const double *y, size_t n, lb_style style,
                    const char *label);

/** Markers with whiskers from lo to hi (ends of the interval, not lengths). */
void lb_plot_errors(lb_axes *a, const double *x, const double *y, const double *lo,
                    const double *hi, size_t n, lb_style style, const char *label);

/** One marker with a black outline and its text: an optimum. */
void lb_plot_highlight(lb_axes *a, double x, double y, lb_style style, const char *text);

/**
 * Texts at points: names are tried right of the point first, values above it, then all round and
 * further away, in the end with a leader; the first place free of other text and of marks wins,
 * then one free of text. A text for which there is none is left out, and the figure says how many.
 */
void lb_plot_labels(lb_axes *a, const double *x, const double *y, const char *const *texts,
                    size_t n, lb_style style);
void lb_plot_values(lb_axes *a, const double *x, const double *y, size_t n, const char *format,
                    lb_style style);

/** Bars over the named slots of x (lb_axes_x_names), from zero. */
typedef struct lb_bars {
    const double *y, *lo, *hi; /* n heights; n ends of the intervals, or NULL */
    size_t n;
    size_t series, of;         /* side by side: this is series 0.. of `of`; of = 0 means alone */
    lb_style style;            /* of all bars ... */
    const lb_style *styles;    /* ... unless there are n of them here */
    const char *format;        /* value over each bar, NULL: none ... */
    const char *const *values; /* ... or n texts in its place, each with decimals of its own */
    const char *const *texts;  /* n second lines beside the value (a share), NULL: none */
    const char *label;         /* in the legend */
} lb_bars;
void lb_plot_bars(lb_axes *a, lb_bars bars);

/** Bars of results: heights and ends of the intervals are those of @p x, n/a reads as such and has
 * none. Everything else is as @p bars says. */
void lb_plot_number_bars(lb_axes *a, const lb_number *x, size_t n, lb_bars bars);

/** A bracket over the slots x0 and x1 with a text (a difference). Placed over what is there. */
void lb_plot_bracket(lb_axes *a, double x0, double x1, const char *text);

/** Lines over the whole panel, beside the panel's own data range; they widen y (x) to be seen. */
void lb_plot_hline(lb_axes *a, double y, lb_style style, const char *label);
void lb_plot_vline(lb_axes *a, double x, lb_style style, const char *label);
void lb_plot_identity(lb_axes *a, const char *label); /* y = x */
void lb_plot_segment(lb_axes *a, double x0, double y0, double x1, double y1, lb_style style);

/** Shade x from x0 to x1 over the whole height. */
void lb_plot_span(lb_axes *a, double x0, double x1, lb_style style, const char *label);

/** A text centred at a data point on a white box, in the way of nothing: the caller chose it. */
void lb_plot_text(lb_axes *a, double x, double y, const char *text);

/**
 * Matrix of cells with a colour bar; cell (r, c) is z[r * cols + c], row 0 on top. Give the panel
 * lb_axes_x_names and lb_axes_y_names of matching lengths. NaN cells are hatched. Values outside
 * lo..hi take the end colours, their exact number is printed, and the bar gets an arrow head.
 */
typedef struct lb_heat {
    const double *z;
    size_t rows, cols;
    double lo, hi; /* both 0 or NAN: from the data */
    lb_map map;
    const char *format;        /* number in each cell, NULL: none ... */
    const char *const *values; /* ... or rows * cols texts in its place */
    const char *const *texts; /* rows * cols second lines, NULL: none; a NULL element: none there */
    const bool *outline;      /* rows * cols: cells with a black frame (the best), NULL: none */
    const char *label;        /* of the colour bar */
} lb_heat;
void lb_plot_heat(lb_axes *a, lb_heat heat);

/**
 * Many points as counts on a fine grid of about 60 x 60 cells (square-root ramp from white to the
 * colour of the style; a cell with one point is visible). A raster of a few kilobytes.
 */
void lb_plot_density(lb_axes *a, const double *x, const double *y, size_t n, lb_style style,
                     const char *label);

/** Counts of x in equal bins; @p bins = 0 takes the width by Freedman & Diaconis (1981). */
void lb_plot_histogram(lb_axes *a, const double *x, size_t n, size_t bins, lb_style style,
                       const char *label);

/** Tukey's box at @p at: quartiles, median, whiskers to the last value within 1.5 IQR. */
void lb_plot_box(lb_axes *a, double at, const double *values, size_t n, lb_style style,
                 const char *label);

#endif
