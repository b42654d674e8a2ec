/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figure/inside.h"

#include "core/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One function a kind; draw_mark() at the end chooses. What is drawn is recorded, text waits in
 * the requests until all marks stand. */

typedef struct pass {
    lb_axes *a;
    lb_canvas *c;
    lb_requests *requests;
} pass;

static lb_colour with_alpha(lb_colour k, double alpha)
{
    k.a *= alpha;
    return k;
}

static lb_type label_type(lb_colour colour)
{
    return lb_type_make(LB_SIZE_SMALL, colour);
}

/* Dark enough to be read on white. */
static lb_colour readable(lb_colour k)
{
    const double f = lb_luminance(k) > 0.25 ? 0.6 : 0.85;
    return (lb_colour){f * k.r, f * k.g, f * k.b, 1};
}

static bool within(const lb_axes *a, double px, double py)
{
    const double e = 1e-6;
    return px >= a->plot.x - e && px <= a->plot.x + a->plot.w + e && py >= a->plot.y - e &&
           py <= a->plot.y + a->plot.h + e;
}

/* Cut what follows to the panel, a little beyond it. */
static void clip(pass p)
{
    const lb_box b = lb_box_grow(p.a->plot, 0.5);
    cairo_save(p.c->cr);
    cairo_rectangle(p.c->cr, b.x, b.y, b.w, b.h);
    cairo_clip(p.c->cr);
}

/* Record a straight piece as boxes of at most 5 pt, so that text can go beside a slope. */
static void record_piece(pass p, double x0, double y0, double x1, double y1)
{
    const int n = (int)(hypot(x1 - x0, y1 - y0) / 5) + 1;
    if (n > 1000)
        return;
    for (int i = 0; i < n; i++) {
        const double ax = x0 + (x1 - x0) * i / n, ay = y0 + (y1 - y0) * i / n;
        const double bx = x0 + (x1 - x0) * (i + 1) / n, by = y0 + (y1 - y0) * (i + 1) / n;
        const lb_box box = {fmin(ax, bx) - 0.5, fmin(ay, by) - 0.5, fabs(bx - ax) + 1,
                            fabs(by - ay) + 1};
        if (lb_box_overlap(box, lb_box_grow(p.a->plot, 1)))
            lb_canvas_record(p.c, "line", box, NAN, NULL);
    }
}

static void record_point(pass p, double x, double y, double size, double value)
{
    lb_canvas_record(p.c, "point", (lb_box){x - size / 2, y - size / 2, size, size}, value, NULL);
}

/* A value beyond a fixed end of y: an arrow head at the edge and its text, which is taken over. */
static void draw_beyond(pass p, double x, double value, lb_style s, char *text)
{
    const bool up = value > p.a->y.to;
    const double y = up ? p.a->plot.y + 4 : p.a->plot.y + p.a->plot.h - 4;
    s.marker = up ? LB_TRIANGLE : LB_TRIANGLE_DOWN;
    lb_canvas_marker(p.c, x, y, s, lb_grey(1, 1));
    record_point(p, x, y, s.size, value);
    lb_request_add(p.requests, (lb_request){.x = x,
                                            .y = y,
                                            .clear = s.size / 2 + 2,
                                            .text = text,
                                            .type = label_type(readable(s.colour))});
}

static void draw_markers(pass p, const lb_mark *m)
{
    for (size_t i = 0; i < m->n; i++) {
        const double x = lb_axes_px(p.a, m->x[i]), y = lb_axes_py(p.a, m->y[i]);
        if (isnan(x) || isnan(m->y[i]) || m->style.marker == LB_MARKER_NONE)
            continue;
        if (!within(p.a, x, p.a->plot.y))
            continue;
        if (!within(p.a, x, y)) {
            draw_beyond(p, x, m->y[i], m->style,
                        lb_xprintf(fabs(m->y[i]) < 1000 ? "%.3g" : "%.0f", m->y[i]));
            continue;
        }
        lb_canvas_marker(p.c, x, y, m->style, lb_grey(1, 1));
        record_point(p, x, y, m->style.size, m->y[i]);
    }
}

enum { FAR = 10000 }; /* points: far beyond any figure, well within cairo's numbers */

/* Cut the piece from (x0, y0) to (x1, y1) at y = edge, where that end lies beyond it. */
static void cut(double *x0, double *y0, double x1, double y1, double edge, bool above)
{
    if (above ? *y0 > edge && y1 <= edge : *y0 < edge && y1 >= edge) {
        *x0 += (x1 - *x0) * (edge - *y0) / (y1 - *y0);
        *y0 = edge;
    }
}

/* A piece of a line that may end far beyond the panel. cairo keeps coordinates in 24.8 fixed point:
 * an end some million points away wraps around and the line comes back through the panel. So a
 * piece is cut a long way out, and one that lies out there altogether is left out. */
static void add_piece(pass p, double x0, double y0, double x1, double y1, bool joined)
{
    const double far = FAR, ax = x0, ay = y0;
    if (fmin(y0, y1) > far || fmax(y0, y1) < -far)
        return;
    for (int above = 0; above < 2; above++) {
        const double edge = above ? far : -far;
        cut(&x0, &y0, x1, y1, edge, above);
        cut(&x1, &y1, x0, y0, edge, above);
    }
    if (!joined || x0 != ax || y0 != ay)
        cairo_move_to(p.c->cr, lb_round(x0), lb_round(y0));
    cairo_line_to(p.c->cr, lb_round(x1), lb_round(y1));
}

static void draw_line(pass p, const lb_mark *m)
{
    bool down = false, joined = false; /* joined: cairo's pen rests where the next piece starts */
    double x0 = 0, y0 = 0;
    clip(p);
    for (size_t i = 0; i < m->n; i++) {
        const double x = lb_axes_px(p.a, m->x[i]), y = lb_axes_py(p.a, m->y[i]);
        if (isnan(x) || isnan(y)) {
            down = joined = false;
            continue;
        }
        if (down) {
            add_piece(p, x0, y0, x, y, joined);
            joined = fabs(y) <= FAR;
            record_piece(p, x0, y0, x, y);
        }
        down = true;
        x0 = x;
        y0 = y;
    }
    lb_canvas_pen(p.c, m->style.colour, m->style.width, m->style.dash);
    cairo_stroke(p.c->cr);
    cairo_restore(p.c->cr);
    draw_markers(p, m);
}

static void draw_band(pass p, const lb_mark *m)
{
    clip(p);
    for (size_t i = 0; i < m->n;) { /* one closed area for each run without NaN */
        size_t end = i;
        while (end < m->n && !isnan(m->x[end]) && !isnan(m->lo[end]) && !isnan(m->hi[end]))
            end++;
        for (size_t j = i; j < end; j++)
            cairo_line_to(p.c->cr, lb_round(lb_axes_px(p.a, m->x[j])),
                          lb_round(lb_axes_py(p.a, m->hi[j])));
        for (size_t j = end; j-- > i;)
            cairo_line_to(p.c->cr, lb_round(lb_axes_px(p.a, m->x[j])),
                          lb_round(lb_axes_py(p.a, m->lo[j])));
        cairo_close_path(p.c->cr);
        i = end > i ? end : i + 1;
    }
    lb_canvas_pen(p.c, with_alpha(m->style.colour, 0.18), 0, LB_SOLID);
    cairo_fill(p.c->cr);
    cairo_restore(p.c->cr);
}

static void draw_whisker(pass p, double x, double lo, double hi, lb_colour colour)
{
    const double y0 = lb_axes_py(p.a, lo), y1 = lb_axes_py(p.a, hi), cap = 2.2;
    if (isnan(y0) || isnan(y1))
        return;
    clip(p);
    lb_canvas_pen(p.c, colour, 0.8, LB_SOLID);
    lb_canvas_line(p.c, x, y0, x, y1);
    lb_canvas_line(p.c, x - cap, y0, x + cap, y0);
    lb_canvas_line(p.c, x - cap, y1, x + cap, y1);
    cairo_restore(p.c->cr);
    lb_canvas_record(p.c, "whisker", (lb_box){x - cap, fmin(y0, y1), 2 * cap, fabs(y1 - y0)}, NAN,
                     NULL);
}

static void draw_errors(pass p, const lb_mark *m)
{
    for (size_t i = 0; i < m->n && m->lo && m->hi; i++)
        if (!isnan(m->y[i]))
            draw_whisker(p, lb_axes_px(p.a, m->x[i]), m->lo[i], m->hi[i], m->style.colour);
    draw_markers(p, m);
}

/* Many round points are one stroked path of dots: a tenth of the bytes of filled circles. */
static void draw_points(pass p, const lb_mark *m)
{
    enum { FEW = 60 };
    if (m->n <= FEW || m->style.marker != LB_CIRCLE) {
        draw_markers(p, m);
        return;
    }
    cairo_save(p.c->cr);
    cairo_set_line_cap(p.c->cr, CAIRO_LINE_CAP_ROUND);
    for (size_t i = 0; i < m->n; i++) {
        const double x = lb_axes_px(p.a, m->x[i]), y = lb_axes_py(p.a, m->y[i]);
        if (isnan(x) || isnan(y))
            continue;
        if (!within(p.a, x, y)) {
            p.a->figure->outside++;
            continue;
        }
        cairo_move_to(p.c->cr, round(10 * x) / 10, round(10 * y) / 10);
        cairo_close_path(p.c->cr);
        record_point(p, x, y, m->style.size, m->y[i]);
    }
    lb_canvas_pen(p.c, with_alpha(m->style.colour, 0.7), m->style.size, LB_SOLID);
    cairo_stroke(p.c->cr);
    cairo_restore(p.c->cr);
}

static void draw_highlight(pass p, const lb_mark *m)
{
    const double x = lb_axes_px(p.a, m->x[0]), y = lb_axes_py(p.a, m->y[0]);
    lb_style s = m->style;
    s.size += 2;
    lb_canvas_marker(p.c, x, y, s, lb_grey(0, 1));
    record_point(p, x, y, s.size, m->y[0]);
    if (m->texts)
        lb_request_add(p.requests, (lb_request){.x = x,
                                                .y = y,
                                                .clear = s.size / 2 + 2,
                                                .text = lb_xstrdup(m->texts[0]),
                                                .type = label_type(readable(s.colour))});
}

/* From the top down, so that crowded names keep the order of their points. */
static void draw_labels(pass p, const lb_mark *m)
{
    bool *done = lb_xcalloc(m->n, sizeof *done);
    for (size_t round = 0; round < m->n; round++) {
        size_t i = m->n;
        for (size_t j = 0; j < m->n; j++)
            if (!done[j] && (i == m->n || lb_axes_py(p.a, m->y[j]) < lb_axes_py(p.a, m->y[i])))
                i = j;
        done[i] = true;
        const double x = lb_axes_px(p.a, m->x[i]), y = lb_axes_py(p.a, m->y[i]);
        if (m->texts && m->texts[i] && within(p.a, x, y))
            lb_request_add(p.requests, (lb_request){.x = x,
                                                    .y = y,
                                                    .clear = m->style.size / 2 + 2,
                                                    .beside = m->beside,
                                                    .text = lb_xstrdup(m->texts[i]),
                                                    .type = label_type(readable(m->style.colour))});
    }
    free(done);
}

/* --- bars ------------------------------------------------------------------------------------ */

static lb_box bar_box(const lb_axes *a, const lb_mark *m, size_t i)
{
    const double slot = a->plot.w / (double)a->x.n_names, used = m->of > 1 ? 0.82 : 0.66;
    const double w = fmin(slot * used / (double)m->of, 54);
    const double x = lb_axes_px(a, (double)i) + w * ((double)m->series - (double)m->of / 2);
    const double zero = lb_axes_py(a, fmin(fmax(0, a->y.from), a->y.to));
    const double top = lb_axes_py(a, fmin(fmax(m->y[i], a->y.from), a->y.to));
    const double inset = m->of > 1 ? 0.6 : 0;
    return (lb_box){x + inset, fmin(zero, top), w - 2 * inset, fabs(zero - top)};
}

/* The value of a bar or cell, NULL for none. The caller frees. */
static char *value_of(const lb_mark *m, size_t i)
{
    if (m->values)
        return lb_xstrdup(m->values[i]);
    return m->format ? lb_value_text(m->format, m->y[i]) : NULL;
}

/* "value", "text" or both on two lines; NULL for none. The caller frees. */
static char *value_and_text(const lb_mark *m, size_t i)
{
    const char *second = m->texts ? m->texts[i] : NULL;
    char *value = value_of(m, i);
    if (!value || !second)
        return value ? value : second ? lb_xstrdup(second) : NULL;
    char *both = lb_xprintf("%s\n%s", value, second);
    free(value);
    return both;
}

static void draw_bar(pass p, const lb_mark *m, size_t i)
{
    lb_style s = m->styles ? m->styles[i] : m->style;
    const lb_box b = bar_box(p.a, m, i);
    const bool down = m->y[i] < 0, cut = m->y[i] < p.a->y.from || m->y[i] > p.a->y.to;
    const double x = b.x + b.w / 2;
    char *text = value_and_text(m, i);
    lb_canvas_fill(p.c, b, s.colour);
    lb_canvas_hatch(p.c, b, s.hatch, lb_grey(1, 0.75));
    lb_canvas_record(p.c, "bar", b, m->y[i], NULL);
    if (cut) {
        s.size = 5;
        draw_beyond(p, x, m->y[i], s, text ? text : lb_xprintf("%.3g", m->y[i]));
        return;
    }
    double end = down ? b.y + b.h : b.y;
    if (m->lo && m->hi && !isnan(m->lo[i]) && !isnan(m->hi[i])) {
        draw_whisker(p, x, m->lo[i], m->hi[i], LB_INK);
        end = down ? fmin(lb_axes_py(p.a, m->lo[i]), p.a->plot.y + p.a->plot.h)
                   : fmax(lb_axes_py(p.a, m->hi[i]), p.a->plot.y);
    }
    if (!text)
        return;
    const double room = p.a->plot.w / (double)p.a->x.n_names / (double)m->of - (m->of > 1 ? 0 : 2);
    lb_type type = label_type(LB_INK);
    while (type.size > 5.5 && lb_canvas_measure(p.c, text, type).w > room)
        type.size -= 0.5;
    lb_request_add(
        p.requests,
        (lb_request){
            .x = x, .y = end, .clear = 3, .column = down ? -1 : 1, .text = text, .type = type});
}

static void draw_bars(pass p, const lb_mark *m)
{
    for (size_t i = 0; i < m->n; i++) {
        if (!isnan(m->y[i])) {
            draw_bar(p, m, i);
        } else if (m->format || m->values) { /* an empty slot says why it is empty */
            const double slot = p.a->plot.w / (double)p.a->x.n_names;
            const double x = lb_axes_px(p.a, (double)i) +
                             0.82 * slot * (((double)m->series + 0.5) / (double)m->of - 0.5);
            lb_request_add(p.requests, (lb_request){.x = x,
                                                    .y = lb_axes_py(p.a, fmax(0, p.a->y.from)),
                                                    .clear = 3,
                                                    .column = 1,
                                                    .text = lb_xstrdup("n/a"),
                                                    .type = label_type(LB_INK_SOFT)});
        }
    }
}

static void draw_histogram(pass p, const lb_mark *m)
{
    const double base = lb_axes_py(p.a, 0);
    for (size_t i = 0; i < m->n; i++) {
        const double x0 = lb_axes_px(p.a, m->x[i]), x1 = lb_axes_px(p.a, m->x[i + 1]);
        const double y = lb_axes_py(p.a, m->y[i]);
        const lb_box b = {x0, y, x1 - x0, base - y};
        lb_canvas_fill(p.c, b, with_alpha(m->style.colour, 0.55));
        lb_canvas_pen(p.c, lb_grey(1, 1), 0.4, LB_SOLID);
        lb_canvas_frame(p.c, b);
        lb_canvas_record(p.c, "bar", b, m->y[i], NULL);
    }
}

static void draw_box(pass p, const lb_mark *m)
{
    const double half = 16, x = lb_axes_px(p.a, m->x[0]);
    double y[5];
    for (int i = 0; i < 5; i++)
        y[i] = lb_axes_py(p.a, m->y[i]);
    const lb_box b = {x - half, y[3], 2 * half, y[1] - y[3]};
    lb_canvas_fill(p.c, b, with_alpha(m->style.colour, 0.2));
    lb_canvas_pen(p.c, m->style.colour, 0.9, LB_SOLID);
    lb_canvas_frame(p.c, b);
    lb_canvas_line(p.c, x, y[0], x, y[1]);
    lb_canvas_line(p.c, x, y[3], x, y[4]);
    lb_canvas_line(p.c, x - half / 2, y[0], x + half / 2, y[0]);
    lb_canvas_line(p.c, x - half / 2, y[4], x + half / 2, y[4]);
    lb_canvas_pen(p.c, m->style.colour, 1.6, LB_SOLID);
    lb_canvas_line(p.c, x - half, y[2], x + half, y[2]);
    lb_canvas_record(p.c, "box", b, m->y[2], NULL);
    lb_canvas_record(p.c, "whisker", (lb_box){x - half / 2, y[4], half, y[0] - y[4]}, NAN, NULL);
}

/* --- lines over the panel -------------------------------------------------------------------- */

static void draw_straight(pass p, double x0, double y0, double x1, double y1, lb_style s)
{
    clip(p);
    lb_canvas_pen(p.c, s.colour, s.width, s.dash);
    lb_canvas_line(p.c, x0, y0, x1, y1);
    cairo_restore(p.c->cr);
    record_piece(p, x0, y0, x1, y1);
}

static void draw_reference(pass p, const lb_mark *m)
{
    const lb_box b = p.a->plot;
    if (m->kind == LB_MARK_HLINE) {
        const double y = lb_axes_py(p.a, m->y[0]);
        draw_straight(p, b.x, y, b.x + b.w, y, m->style);
    } else if (m->kind == LB_MARK_VLINE) {
        const double x = lb_axes_px(p.a, m->x[0]);
        draw_straight(p, x, b.y, x, b.y + b.h, m->style);
    } else if (m->kind == LB_MARK_SEGMENT) {
        draw_straight(p, lb_axes_px(p.a, m->x[0]), lb_axes_py(p.a, m->y[0]),
                      lb_axes_px(p.a, m->x[1]), lb_axes_py(p.a, m->y[1]), m->style);
    } else {
        const double lo = fmax(p.a->x.from, p.a->y.from), hi = fmin(p.a->x.to, p.a->y.to);
        if (lo < hi)
            draw_straight(p, lb_axes_px(p.a, lo), lb_axes_py(p.a, lo), lb_axes_px(p.a, hi),
                          lb_axes_py(p.a, hi), m->style);
    }
}

static void draw_span(pass p, const lb_mark *m)
{
    const double x0 = lb_axes_px(p.a, m->x[0]), x1 = lb_axes_px(p.a, m->x[1]);
    clip(p);
    lb_canvas_fill(p.c, (lb_box){fmin(x0, x1), p.a->plot.y, fabs(x1 - x0), p.a->plot.h},
                   with_alpha(m->style.colour, 0.12));
    cairo_restore(p.c->cr);
}

/* --- rasters --------------------------------------------------------------------------------- */

/* Small squares of one colour each; ARGB32 premultiplied, cell (i, j) with j = 0 on top. */
static void draw_raster(pass p, const uint32_t *cell, int cols, int rows)
{
    enum { SCALE = 6 }; /* pixels a side, so that no viewer can blur them */
    cairo_surface_t *image =
        cairo_image_surface_create(CAIRO_FORMAT_ARGB32, cols * SCALE, rows * SCALE);
    unsigned char *data = cairo_image_surface_get_data(image);
    const int stride = cairo_image_surface_get_stride(image);
    for (int y = 0; y < rows * SCALE; y++)
        for (int x = 0; x < cols * SCALE; x++)
            memcpy(data + (size_t)y * (size_t)stride + 4 * (size_t)x,
                   &cell[y / SCALE * cols + x / SCALE], 4);
    cairo_surface_mark_dirty(image);
    const lb_box b = p.a->plot;
    cairo_save(p.c->cr);
    cairo_translate(p.c->cr, lb_round(b.x), lb_round(b.y));
    cairo_scale(p.c->cr, b.w / (cols * SCALE), b.h / (rows * SCALE));
    cairo_set_source_surface(p.c->cr, image, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(p.c->cr), CAIRO_FILTER_NEAREST);
    cairo_paint(p.c->cr);
    cairo_restore(p.c->cr);
    cairo_surface_destroy(image);
}

static uint32_t premultiplied(lb_colour k, double alpha)
{
    const uint32_t a = (uint32_t)lround(255 * alpha), r = (uint32_t)lround(255 * alpha * k.r),
                   g = (uint32_t)lround(255 * alpha * k.g), b = (uint32_t)lround(255 * alpha * k.b);
    return a << 24 | r << 16 | g << 8 | b;
}

static void draw_density(pass p, const lb_mark *m)
{
    const lb_box plot = p.a->plot;
    const int cols = (int)fmin(fmax(plot.w / 3.2, 8), 96),
              rows = (int)fmin(fmax(plot.h / 3.2, 8), 96);
    const size_t cells = (size_t)(cols * rows);
    uint32_t *count = lb_xcalloc(cells, sizeof *count);
    uint32_t most = 0;
    for (size_t i = 0; i < m->n; i++) {
        const double x = lb_axes_px(p.a, m->x[i]), y = lb_axes_py(p.a, m->y[i]);
        if (isnan(x) || isnan(y))
            continue;
        if (!within(p.a, x, y)) {
            p.a->figure->outside++;
            continue;
        }
        const int cx = (int)fmin(fmax((x - plot.x) / plot.w * cols, 0), cols - 1);
        const int cy = (int)fmin(fmax((y - plot.y) / plot.h * rows, 0), rows - 1);
        uint32_t *k = &count[cy * cols + cx];
        most = ++*k > most ? *k : most;
    }
    for (size_t i = 0; i < cells; i++) {
        const uint32_t k = count[i];
        if (k) {
            const lb_box b = {plot.x + plot.w * (double)(i % (size_t)cols) / cols,
                              plot.y + plot.h * (double)(i / (size_t)cols) / rows, plot.w / cols,
                              plot.h / rows};
            lb_canvas_record(p.c, "density", b, k, NULL);
        }
        count[i] = k ? premultiplied(m->style.colour, 0.1 + 0.65 * sqrt((double)k / most)) : 0;
    }
    draw_raster(p, count, cols, rows);
    free(count);
}

/* --- heat map -------------------------------------------------------------------------------- */

enum { BAR_GAP = 9, BAR_WIDTH = 9, BAR_LABEL = 19 };

static const lb_mark *heat_of(const lb_axes *a)
{
    for (size_t i = 0; i < a->n_marks; i++)
        if (a->marks[i].kind == LB_MARK_HEAT)
            return &a->marks[i];
    return NULL;
}

double lb_heat_bar_width(const lb_axes *a, lb_canvas *c)
{
    const lb_mark *m = heat_of(a);
    if (!m)
        return 0;
    const lb_ticks t = lb_ticks_linear(m->from, m->to, 6);
    double w = 0;
    for (size_t i = 0; i < t.n; i++)
        w = fmax(w, lb_canvas_measure(c, t.text[i], lb_type_make(LB_SIZE_TICK, LB_INK)).w);
    return BAR_GAP + BAR_WIDTH + 5 + w + (m->label ? BAR_LABEL - 5 : 0);
}

static void draw_arrow_head(pass p, lb_box bar, bool up, lb_colour colour)
{
    const double y = up ? bar.y - 1 : bar.y + bar.h + 1;
    cairo_move_to(p.c->cr, bar.x, y);
    cairo_line_to(p.c->cr, bar.x + bar.w, y);
    cairo_line_to(p.c->cr, bar.x + bar.w / 2, up ? y - 6 : y + 6);
    cairo_close_path(p.c->cr);
    lb_canvas_pen(p.c, colour, 0, LB_SOLID);
    cairo_fill(p.c->cr);
    lb_canvas_record(p.c, "arrow", (lb_box){bar.x, up ? y - 6 : y, bar.w, 6}, NAN, NULL);
}

static void draw_colour_bar(pass p, const lb_mark *m)
{
    const lb_box plot = p.a->plot;
    const lb_box bar = {plot.x + plot.w + BAR_GAP, plot.y + 7, BAR_WIDTH, plot.h - 14};
    cairo_pattern_t *ramp = cairo_pattern_create_linear(0, bar.y + bar.h, 0, bar.y);
    for (int i = 0; i <= 15; i++) {
        const lb_colour k = lb_map_colour(m->map, i / 15.0);
        cairo_pattern_add_color_stop_rgb(ramp, i / 15.0, k.r, k.g, k.b);
    }
    cairo_set_source(p.c->cr, ramp);
    cairo_rectangle(p.c->cr, bar.x, bar.y, bar.w, bar.h);
    cairo_fill(p.c->cr);
    cairo_pattern_destroy(ramp);
    lb_canvas_record(p.c, "colour bar", bar, NAN, NULL);
    bool below = false, above = false;
    for (size_t i = 0; i < m->n; i++) {
        below |= m->y[i] < m->from;
        above |= m->y[i] > m->to;
    }
    if (below)
        draw_arrow_head(p, bar, false, lb_map_colour(m->map, 0));
    if (above)
        draw_arrow_head(p, bar, true, lb_map_colour(m->map, 1));
    const lb_ticks t = lb_ticks_linear(m->from, m->to, 6);
    for (size_t i = 0; i < t.n; i++) {
        const double y = bar.y + bar.h * (1 - (t.at[i] - m->from) / (m->to - m->from));
        lb_canvas_pen(p.c, LB_INK, 0.6, LB_SOLID);
        lb_canvas_line(p.c, bar.x + bar.w, y, bar.x + bar.w + 2.5, y);
        lb_canvas_text(p.c, t.text[i], lb_type_make(LB_SIZE_TICK, LB_INK), bar.x + bar.w + 5, y, 0,
                       0.5, false);
    }
    if (m->label)
        lb_canvas_text(p.c, m->label, lb_type_make(LB_SIZE_LABEL, LB_INK),
                       plot.x + plot.w + lb_heat_bar_width(p.a, p.c) - 2, plot.y + plot.h / 2, 1,
                       0.5, true);
}

static void draw_cell(pass p, const lb_mark *m, size_t i, lb_box b)
{
    const double v = m->y[i];
    const lb_colour k =
        isnan(v) ? lb_grey(0.96, 1) : lb_map_colour(m->map, (v - m->from) / (m->to - m->from));
    lb_canvas_fill(p.c, b, k);
    if (isnan(v))
        lb_canvas_hatch(p.c, b, LB_HATCH_UP, lb_grey(0.7, 1));
    lb_canvas_pen(p.c, lb_grey(1, 1), 0.8, LB_SOLID);
    lb_canvas_frame(p.c, b);
    lb_canvas_record(p.c, "cell", b, v, NULL);
    char *text = isnan(v) || !(m->format || m->values) ? NULL : value_and_text(m, i);
    if (!text)
        return;
    lb_type type = lb_type_make(8, lb_text_on(k));
    type.bold = m->outline && m->outline[i];
    while (type.size > 5 && lb_canvas_measure(p.c, text, type).w > b.w - 4)
        type.size -= 0.5;
    lb_canvas_text(p.c, text, type, b.x + b.w / 2, b.y + b.h / 2, 0.5, 0.5, false);
    free(text);
}

static void draw_heat(pass p, const lb_mark *m)
{
    const lb_box plot = p.a->plot;
    const double w = plot.w / (double)m->cols, h = plot.h / (double)m->rows;
    for (size_t i = 0; i < m->n; i++)
        draw_cell(
            p, m, i,
            (lb_box){plot.x + w * (double)(i % m->cols), plot.y + h * (double)(i / m->cols), w, h});
    for (size_t i = 0; i < m->n && m->outline; i++) {
        const lb_box b = {plot.x + w * (double)(i % m->cols), plot.y + h * (double)(i / m->cols), w,
                          h};
        lb_canvas_pen(p.c, lb_grey(0, 1), 1.4, LB_SOLID);
        if (m->outline[i])
            lb_canvas_frame(p.c, lb_box_grow(b, -0.7));
    }
    draw_colour_bar(p, m);
}

/* --- in the end ------------------------------------------------------------------------------ */

static double top_between(pass p, double x0, double x1)
{
    double top = p.a->plot.y + p.a->plot.h;
    for (size_t i = 0; i < p.c->n; i++) {
        const lb_ink *k = &p.c->ink[i];
        if (k->panel == p.a->index && k->what[0] != 'a' && k->what[0] != 'l' && k->x < x1 &&
            k->x + k->w > x0 && k->y < p.a->plot.y + p.a->plot.h)
            top = fmin(top, k->y);
    }
    return top;
}

static void draw_bracket(pass p, const lb_mark *m)
{
    const double x0 = lb_axes_px(p.a, fmin(m->x[0], m->x[1])),
                 x1 = lb_axes_px(p.a, fmax(m->x[0], m->x[1]));
    const double y = top_between(p, x0 - 8, x1 + 8) - 9;
    lb_canvas_pen(p.c, LB_INK, 0.7, LB_SOLID);
    lb_canvas_line(p.c, x0, y + 4, x0, y);
    lb_canvas_line(p.c, x0, y, x1, y);
    lb_canvas_line(p.c, x1, y, x1, y + 4);
    lb_canvas_record(p.c, "bracket", (lb_box){x0, y, x1 - x0, 4}, NAN, NULL);
    lb_canvas_text(p.c, m->texts[0], label_type(LB_INK), (x0 + x1) / 2, y - 3.5, 0.5, 1, false);
}

static void draw_text(pass p, const lb_mark *m)
{
    const lb_type type = lb_type_make(LB_SIZE_SMALL, LB_INK);
    const lb_extent e = lb_canvas_measure(p.c, m->texts[0], type);
    const double x = lb_axes_px(p.a, m->x[0]), y = lb_axes_py(p.a, m->y[0]);
    const lb_box b = {x - e.w / 2 - 3, y - e.h / 2 - 3, e.w + 6, e.h + 6};
    lb_canvas_fill(p.c, b, lb_grey(1, 0.94));
    lb_canvas_pen(p.c, lb_grey(0.65, 1), 0.4, LB_SOLID);
    lb_canvas_frame(p.c, b);
    lb_canvas_text(p.c, m->texts[0], type, x, y, 0.5, 0.5, false);
}

static void draw_mark(pass p, const lb_mark *m)
{
    static void (*const draw[LB_MARK_KINDS])(pass, const lb_mark *) = {
        [LB_MARK_LINE] = draw_line,           [LB_MARK_BAND] = draw_band,
        [LB_MARK_POINTS] = draw_points,       [LB_MARK_ERRORS] = draw_errors,
        [LB_MARK_HIGHLIGHT] = draw_highlight, [LB_MARK_LABELS] = draw_labels,
        [LB_MARK_BARS] = draw_bars,           [LB_MARK_BRACKET] = draw_bracket,
        [LB_MARK_HLINE] = draw_reference,     [LB_MARK_VLINE] = draw_reference,
        [LB_MARK_IDENTITY] = draw_reference,  [LB_MARK_SEGMENT] = draw_reference,
        [LB_MARK_SPAN] = draw_span,           [LB_MARK_TEXT] = draw_text,
        [LB_MARK_HEAT] = draw_heat,           [LB_MARK_DENSITY] = draw_density,
        [LB_MARK_HISTOGRAM] = draw_histogram, [LB_MARK_BOX] = draw_box,
    };
    draw[m->kind](p, m);
}

/* Areas first, then lines over the panel, then data, then what stands on data. */
static int rank(lb_mark_kind kind)
{
    switch (kind) {
    case LB_MARK_SPAN:
    case LB_MARK_BAND:
    case LB_MARK_DENSITY:
    case LB_MARK_HEAT:
        return 0;
    case LB_MARK_BARS:
    case LB_MARK_HISTOGRAM:
    case LB_MARK_BOX:
        return 1;
    case LB_MARK_HLINE:
    case LB_MARK_VLINE:
    case LB_MARK_SEGMENT:
        return 2;
    case LB_MARK_HIGHLIGHT:
        return 4;
    case LB_MARK_IDENTITY:
        return 5;
    case LB_MARK_TEXT:
        return 6;
    case LB_MARK_BRACKET:
        return 7; /* over the labels, which are placed before it */
    default:
        return 3;
    }
}

void lb_axes_draw_marks(lb_axes *a, lb_canvas *c)
{
    lb_requests requests = {0};
    const pass p = {a, c, &requests};
    for (int r = 0; r <= 7; r++) {
        if (r == 7)
            lb_requests_place(&requests, a, c);
        for (size_t i = 0; i < a->n_marks; i++)
            if (rank(a->marks[i].kind) == r)
                draw_mark(p, &a->marks[i]);
    }
}
