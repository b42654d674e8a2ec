/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_FIGURE_INSIDE_H
#define LB_FIGURE_INSIDE_H

#include "figure/canvas.h"
#include "figure/plot.h"
#include "figure/scale.h"

/* Private to src/figure: what a figure remembers between its opening and its drawing.
 *
 *   figure.c   opening, axes settings, checking, closing     plot.c    one mark per call
 *   layout.c   ranges, margins, where panels stand           axes.c    axes, ticks, titles
 *   marks.c    drawing of marks                              labels.c  labels, boxes, legends
 *   write.c    the three files                               graph.c   nodes and arrows
 */

enum { LB_GRID_MOST = 16 }; /* rows or columns of panels */

typedef enum lb_mark_kind {
    LB_MARK_LINE,
    LB_MARK_BAND,
    LB_MARK_POINTS,
    LB_MARK_ERRORS,
    LB_MARK_HIGHLIGHT,
    LB_MARK_LABELS,
    LB_MARK_BARS,
    LB_MARK_BRACKET,
    LB_MARK_HLINE,
    LB_MARK_VLINE,
    LB_MARK_IDENTITY,
    LB_MARK_SEGMENT,
    LB_MARK_SPAN,
    LB_MARK_TEXT,
    LB_MARK_HEAT,
    LB_MARK_DENSITY,
    LB_MARK_HISTOGRAM,
    LB_MARK_BOX,
    LB_MARK_KINDS
} lb_mark_kind;

/** One plotting call. Which arrays are there depends on the kind; all are owned. */
typedef struct lb_mark {
    lb_mark_kind kind;
    size_t n;
    double *x, *y, *lo, *hi; /* heat: y holds the cells; histogram: x edges (n + 1), y counts */
    lb_style style, *styles;
    char *label, *format, **texts, **values;
    size_t series, of, rows, cols;
    bool beside; /* labels right of their points rather than above */
    bool *outline;
    double from, to; /* colour range */
    lb_map map;
} lb_mark;

typedef struct lb_axis {
    char *label;
    double lo, hi; /* as given, NAN for "from the data" */
    lb_scale_kind kind;
    char **names;
    size_t n_names;
    size_t *counts;
    double *ticks;
    size_t n_ticks;
    char *format, *zero;
    /* resolved by the layout */
    double from, to;
    lb_ticks shown;
} lb_axis;

/** A panel of nodes and arrows (graph.h) instead of axes and marks. */
typedef struct lb_graph lb_graph;

struct lb_axes {
    lb_figure *figure;
    size_t index, row, col;
    lb_axis x, y;
    char *title, *box;
    lb_style *name_styles; /* whose colours the names of x and y have; NULL: all in ink */
    bool square;
    lb_mark *marks;
    size_t n_marks;
    lb_graph *graph;           /* NULL: axes and marks */
    double headroom, footroom; /* shares of the height kept free above and below the data */
    double lacking;            /* what labels under bars were short of, share of the height */
    lb_box plot;               /* where the data are */
    double left, below;        /* room the axes take, pt */
    bool print_x, print_y;     /* tick labels here, or in another panel that shares the axis */
};

struct lb_figure {
    char *stem, *title, *alt, *legend_title, **notes;
    size_t n_notes;
    double width, height; /* pt */
    size_t rows, cols;
    bool share_x, share_y;
    lb_place place, resolved;
    lb_axes **panels;
    size_t n;
    size_t dropped, outside; /* labels without room; points beyond the axes */
    size_t told;             /* their sum when the notes were laid out */
    lb_canvas canvas;
    lb_error err;
};

/** Type sizes, pt, and the inks of text and axes. */
#define LB_SIZE_TITLE 9.5
#define LB_SIZE_LABEL 8.5
#define LB_SIZE_TICK 7.5
#define LB_SIZE_SMALL 7.0
#define LB_INK lb_grey(0.12, 1)
#define LB_INK_SOFT lb_grey(0.38, 1)

lb_status lb_figure_prepare(lb_figure *f); /* ranges of every axis */
void lb_figure_layout(lb_figure *f);       /* where each panel stands, given the ranges */
void lb_figure_draw(lb_figure *f);         /* everything, onto the canvas */
lb_status lb_figure_write(lb_figure *f, lb_error *err);

/** Data to canvas, pt. NAN where a logarithmic axis has no place for the value. */
double lb_axes_px(const lb_axes *a, double x);
double lb_axes_py(const lb_axes *a, double y);
double lb_axes_zero_room(const lb_axes *a); /* width of the slot for x = 0 */

void lb_axes_draw(lb_axes *a, lb_canvas *c); /* spines, ticks, names, titles */
void lb_axes_draw_marks(lb_axes *a, lb_canvas *c);
void lb_graph_draw(lb_axes *a, lb_canvas *c);
void lb_graph_free(lb_graph *g);                          /* NULL is fine */
double lb_heat_bar_width(const lb_axes *a, lb_canvas *c); /* room right of the panel */
lb_extent lb_axes_names_extent(const lb_axis *x, lb_canvas *c, lb_type type); /* widest, tallest */
lb_type lb_axes_names_type(const lb_axes *a, lb_canvas *c); /* that lets x names fit their slots */
bool lb_axes_has(const lb_axes *a, lb_mark_kind kind);

/* Labels that wait until every mark is drawn. */
typedef struct lb_request {
    double x, y, clear; /* point and free distance from it, pt */
    int column;         /* +1: only upwards (bars), -1: only downwards, 0: all round */
    bool beside;        /* tried right of the point first, not above it */
    char *text;         /* owned */
    lb_type type;
} lb_request;
typedef struct lb_requests {
    lb_request *items;
    size_t n;
} lb_requests;
void lb_request_add(lb_requests *r, lb_request item);
void lb_requests_place(lb_requests *r, lb_axes *a, lb_canvas *c); /* and free */

void lb_axes_draw_box(lb_axes *a, lb_canvas *c);
/** Legend inside the panel; false if there is no free place. */
bool lb_axes_draw_legend(lb_axes *a, lb_canvas *c);
lb_extent lb_legend_outside(lb_figure *f, lb_canvas *c, double x, double y, double width,
                            bool draw); /* ABOVE: rows within width; RIGHT: a column */

#endif
