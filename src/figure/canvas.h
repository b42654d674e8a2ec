/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_FIGURE_CANVAS_H
#define LB_FIGURE_CANVAS_H

#include "figure/figure.h"

#include <cairo.h>
#include <pango/pangocairo.h>
#include <stdbool.h>

/* Private to src/figure: what ink is put down with. Coordinates are pt from the top left corner.
 * Everything drawn is also recorded as a box, so that a figure can be checked and labels can be
 * placed where nothing is. A drawing is run once into the void (to lay it out and to check it) and
 * then once for each file; text is always measured with the same unhinted context, so the four
 * runs agree. */

typedef struct lb_box {
    double x, y, w, h;
} lb_box;

typedef struct lb_canvas {
    cairo_t *cr;
    PangoContext *measure, *draw; /* measuring is independent of the surface */
    lb_ink *ink;
    size_t n, capacity;
    size_t panel;     /* stamped on what is recorded */
    lb_error *err;    /* the figure's; first failure wins */
    const char *name; /* of the figure, for messages */
} lb_canvas;

/** Text attributes; zero wrap means one line unless it has "\n". */
typedef struct lb_type {
    double size; /* pt */
    bool bold;
    lb_colour colour;
    double wrap;          /* pt */
    PangoAlignment align; /* of several lines */
} lb_type;

typedef struct lb_extent {
    double w, h; /* of the box from the cap line of the first line to the base of the last */
} lb_extent;

void lb_canvas_open(lb_canvas *c, lb_error *err, const char *name);
void lb_canvas_target(lb_canvas *c, cairo_t *cr); /* draw here now; forget what was recorded */
void lb_canvas_close(lb_canvas *c);

void lb_canvas_record(lb_canvas *c, const char *what, lb_box box, double value, const char *text);

lb_extent lb_canvas_measure(lb_canvas *c, const char *s, lb_type type);
/** Text with the point (ax, ay) of its box at (x, y): 0 left or top, 1 right or bottom. A text
 * turned by a quarter reads upwards and is anchored after turning. */
void lb_canvas_text(lb_canvas *c, const char *s, lb_type type, double x, double y, double ax,
                    double ay, bool upwards);
lb_type lb_type_make(double size, lb_colour colour);

void lb_canvas_pen(lb_canvas *c, lb_colour colour, double width, lb_dash dash);
void lb_canvas_line(lb_canvas *c, double x0, double y0, double x1, double y1);
void lb_canvas_fill(lb_canvas *c, lb_box box, lb_colour colour);
void lb_canvas_frame(lb_canvas *c, lb_box box);
void lb_canvas_hatch(lb_canvas *c, lb_box box, lb_hatch hatch, lb_colour colour);
/** A marker in its style with an outline of its own colour (white round a filled one). */
void lb_canvas_marker(lb_canvas *c, double x, double y, lb_style style, lb_colour outline);

lb_colour lb_grey(double level, double alpha);
bool lb_box_overlap(lb_box a, lb_box b);
double lb_box_common(lb_box a, lb_box b); /* area, pt^2 */
lb_box lb_box_grow(lb_box b, double by);
double lb_round(double v); /* to 0.01 pt, which keeps SVG files short */

#endif
