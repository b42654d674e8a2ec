/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_FIGURE_FIGURE_H
#define LB_FIGURE_FIGURE_H

#include "core/error.h"
#include "figure/palette.h"

#include <stddef.h>

/* A figure is opened, filled and closed; nothing is drawn before lb_figure_close(), which lays
 * everything out, checks it and writes STEM.svg, STEM.pdf and STEM.png (192 dpi). Sticky: after a
 * failure every further call does nothing and lb_figure_close() reports the first one. So: twenty
 * plotting lines, one check.
 *
 * Text is UTF-8 in English. "^{2}" and "_{eff}" raise and lower, a hyphen in front of a digit is
 * printed as a minus sign, "\n" starts a line. CJK text, emoji and characters without a glyph are
 * refused. Everything passed in is copied. Bytes are the same on every run with the same libraries.
 *
 * Values: NaN is skipped (a line breaks there, a bar reads "n/a"). A series that is empty or NaN
 * throughout is an error, never an empty picture. Infinity is an error. */

typedef struct lb_figure lb_figure;
typedef struct lb_axes lb_axes; /* one panel; belongs to its figure */

/**
 * @param stem    path without extension, e.g. "figures/e01_r2_vs_alpha"; directories are made
 * @param width_in, height_in  inches; 0 means 6 and 5
 * @param title   first line bold (what it shows); further lines grey (experiment, noise, sizes)
 * @param alt     alternative text: a sentence that replaces the picture (SVG <desc>)
 */
lb_figure *lb_figure_new(const char *stem, double width_in, double height_in, const char *title,
                         const char *alt);

/**
 * The panel at (@p row, @p col) of a grid of @p rows x @p cols. All panels of a figure name the
 * same grid. With two panels or more each gets a letter (a, b, ...). Never NULL.
 */
lb_axes *lb_figure_panel(lb_figure *f, size_t row, size_t col, size_t rows, size_t cols);

/** Panels of a column share the x range and print it once, at the bottom; likewise rows and y. */
void lb_figure_share_x(lb_figure *f);
void lb_figure_share_y(lb_figure *f);

/** Where legends go. Labels that occur in several panels are listed once outside. */
typedef enum lb_place {
    LB_PLACE_AUTO,  /* inside each panel where no data are; if there is no such place, ABOVE */
    LB_PLACE_ABOVE, /* rows between title and panels */
    LB_PLACE_RIGHT, /* one column right of the panels */
    LB_PLACE_NONE,
} lb_place;
void lb_figure_legend(lb_figure *f, lb_place place, const char *title /* or NULL */);

/** A small grey line under the panels (what was thinned, how a band is defined). */
void lb_figure_note(lb_figure *f, const char *text);

/**
 * Lay out, check, write the three files under their final names (each atomically) and free.
 * @return LB_OK; LB_EINVAL for an empty series, an infinite value, a bad format, a text that is not
 *         English, leaves the canvas or overlaps another (the message quotes it); LB_EIO
 */
lb_status lb_figure_close(lb_figure *f, lb_error *err);
void lb_figure_abandon(lb_figure *f); /* free without writing; NULL is fine */

/* --- axes ------------------------------------------------------------------------------------ */

typedef enum lb_scale_kind { LB_LINEAR, LB_LOG10 } lb_scale_kind;

/**
 * Label and range of an axis; NAN for @p lo or @p hi takes that end from the data, with a margin.
 * A linear y axis that leaves zero out says so under the figure, by itself.
 * Values outside a fixed range are clipped. Bars, lines and errors beyond a fixed y range
 * become arrows at the edge with their value beside them; those of a scatter or density are counted
 * in a line under the figure.
 */
void lb_axes_x(lb_axes *a, const char *label, double lo, double hi, lb_scale_kind kind);
void lb_axes_y(lb_axes *a, const char *label, double lo, double hi, lb_scale_kind kind);

/** Named slots at 0, 1, ... n-1 instead of numbers; long names are wrapped. On y the first name is
 * on top. */
void lb_axes_x_names(lb_axes *a, const char *label, const char *const *names, size_t n);
void lb_axes_y_names(lb_axes *a, const char *label, const char *const *names, size_t n);
/** The names of both axes in the colours of @p styles, one for each name of either: groups of rows
 * and columns of a matrix. */
void lb_axes_name_colours(lb_axes *a, const lb_style *styles, size_t n);
void lb_axes_x_counts(lb_axes *a, const size_t *n, size_t count); /* "n = 90" under each name */

/** Ticks exactly here (few levels of noise, say). */
void lb_axes_x_ticks(lb_axes *a, const double *at, size_t n, const char *format);

/** A slot left of a logarithmic x axis, behind a break, for x = 0 (e.g. "OLS"). */
void lb_axes_x_zero(lb_axes *a, const char *name);

void lb_axes_title(lb_axes *a, const char *title); /* over one panel */
void lb_axes_square(lb_axes *a);                   /* equal sides, for predicted against true */
/** A text box in the emptiest corner (R2, MAE, n). */
void lb_axes_box(lb_axes *a, const char *text);

/* --- geometry, for tests --------------------------------------------------------------------- */

/** What was put where: pt from the top left corner. */
typedef struct lb_ink {
    double x, y, w, h;
    const char *what; /* "text", "bar", "whisker", "cell", "point", "legend", "axes", "line" ... */
    const char *text; /* NULL unless what is "text" */
    double value;     /* of a bar, cell or point, else NAN */
    size_t panel;     /* index in order of creation, (size_t)-1 for the figure itself */
} lb_ink;

/** Lay out and check without writing. The array lives until the figure is changed or closed. */
lb_status lb_figure_measure(lb_figure *f, const lb_ink **ink, size_t *n, lb_error *err);

#endif
