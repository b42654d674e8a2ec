/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figure/inside.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Text that has to find its place: value labels, the box of a panel, legends. */

static lb_box box_of(const lb_ink *k)
{
    return (lb_box){k->x, k->y, k->w, k->h};
}

static bool hinders(const lb_ink *k)
{
    return k->what[0] != 'a'; /* everything but "axes" and "arrow" */
}

void lb_request_add(lb_requests *r, lb_request item)
{
    r->items = lb_xrealloc(r->items, r->n + 1, sizeof item);
    r->items[r->n++] = item;
}

/* Area of text (first) and of marks (second) under a box; marks closer to (x, y) than @p clear are
 * the label's own. */
static void covered(const lb_canvas *c, lb_box b, const lb_request *q, double *text, double *marks)
{
    *text = *marks = 0;
    for (size_t i = 0; i < c->n; i++) {
        const lb_ink *k = &c->ink[i];
        if (!hinders(k))
            continue;
        const double area = lb_box_common(b, box_of(k));
        if (k->what[0] == 't')
            *text += area;
        else if (k->what[0] != 'p' || hypot(k->x + k->w / 2 - q->x, k->y + k->h / 2 - q->y) > 1)
            *marks += area;
    }
}

/* Where the label stands in its i-th attempt; false when there are no more. */
static bool attempt(const lb_request *q, lb_extent e, int i, double *x, double *y)
{
    static const double way[2][8][2] = {
        {{0, -1}, {0, 1}, {1, 0}, {-1, 0}, {1, -1}, {-1, -1}, {1, 1}, {-1, 1}},
        {{1, 0}, {1, 1}, {1, -1}, {-1, 0}, {0, 1}, {0, -1}, {-1, 1}, {-1, -1}},
    };
    static const double ring[] = {0, 2.5, 5, 8, 12, 17, 23, 30};
    if (q->column) { /* away from the bar, a quarter of a line at a time */
        if (i > 12)
            return false;
        *x = q->x;
        *y = q->y - q->column * (q->clear + e.h / 2 + i * 0.25 * q->type.size);
        return true;
    }
    if (i >= 8 * (int)(sizeof ring / sizeof ring[0]))
        return false;
    const double *w = way[q->beside][i % 8], far = q->clear + ring[i / 8];
    const double slant = w[0] != 0 && w[1] != 0 ? 0.7 : 1;
    *x = q->x + w[0] * (slant * far + e.w / 2);
    *y = q->y + w[1] * (slant * far + e.h / 2);
    return true;
}

/* A hairline to a label that had to go far. */
static void leader(const lb_request *q, lb_canvas *c, lb_box text)
{
    const lb_box b = lb_box_grow(text, 1.5);
    const double x = fmin(fmax(q->x, b.x), b.x + b.w), y = fmin(fmax(q->y, b.y), b.y + b.h);
    const double d = hypot(x - q->x, y - q->y);
    if (q->column || d < q->clear + 5)
        return;
    lb_canvas_pen(c, lb_grey(0.5, 1), 0.4, LB_SOLID);
    lb_canvas_line(c, q->x + (x - q->x) * q->clear / d, q->y + (y - q->y) * q->clear / d, x, y);
}

static bool place(const lb_request *q, lb_axes *a, lb_canvas *c)
{
    const lb_extent e = lb_canvas_measure(c, q->text, q->type);
    const lb_box room = {a->plot.x - 2, 0, a->plot.w + 9, a->plot.y + a->plot.h - 1};
    double best = INFINITY, bx = 0, by = 0, x, y;
    for (int i = 0; best > 0 && attempt(q, e, i, &x, &y); i++) {
        const lb_box b = lb_box_grow((lb_box){x - e.w / 2, y - e.h / 2, e.w, e.h}, 1.2);
        double text, marks;
        if (q->column < 0 && i == 0)
            a->lacking = fmax(a->lacking, (b.y + b.h - room.y - room.h) / a->plot.h);
        covered(c, b, q, &text, &marks);
        const bool out = b.x < room.x || b.x + b.w > room.x + room.w ||
                         (q->column >= 0 && b.y + b.h > room.y + room.h) ||
                         (!q->column && b.y < a->plot.y);
        const double cost = text > 0 || out ? INFINITY : marks > 0 ? marks + 0.4 * i : 0;
        if (cost < best) {
            best = cost;
            bx = x;
            by = y;
        }
    }
    if (isinf(best))
        return false;
    const lb_box b = {bx - e.w / 2, by - e.h / 2, e.w, e.h};
    leader(q, c, b);
    if (best > 0)
        lb_canvas_fill(c, lb_box_grow(b, 1), lb_grey(1, 0.8));
    lb_canvas_text(c, q->text, q->type, bx, by, 0.5, 0.5, false);
    return true;
}

void lb_requests_place(lb_requests *r, lb_axes *a, lb_canvas *c)
{
    for (size_t i = 0; i < r->n; i++) {
        if (!place(&r->items[i], a, c))
            a->figure->dropped++;
        free(r->items[i].text);
    }
    free(r->items);
    *r = (lb_requests){0};
}

/* --- a free place inside a panel ------------------------------------------------------------- */

static double area_under(const lb_axes *a, const lb_canvas *c, lb_box b)
{
    double area = 0;
    for (size_t k = 0; k < c->n; k++)
        if (hinders(&c->ink[k]) && c->ink[k].panel == a->index)
            area += lb_box_common(lb_box_grow(b, 3), lb_box_grow(box_of(&c->ink[k]), 0.1));
    return area;
}

/* The corners, then a grid from the top right (all of it, or its top and bottom): the first place
 * with nothing under it, else the one with least. Returns the area covered. */
static double free_place(const lb_axes *a, const lb_canvas *c, lb_extent e, bool edges, lb_box *out)
{
    enum { ACROSS = 13, DOWN = 9 };
    static const int corner[4][2] = {
        {0, 0}, {ACROSS - 1, 0}, {0, DOWN - 1}, {ACROSS - 1, DOWN - 1}};
    const lb_box r = lb_box_grow(a->plot, -5);
    double best = INFINITY;
    if (e.w > r.w || e.h > r.h)
        return INFINITY;
    for (int i = 0; i < 4 + ACROSS * DOWN && best > 0; i++) {
        const int u = i < 4 ? corner[i][0] : (i - 4) % ACROSS;
        const int v = i < 4 ? corner[i][1] : (i - 4) / ACROSS;
        if (edges && v % (DOWN - 1))
            continue;
        const lb_box b = {r.x + (1 - u / (ACROSS - 1.0)) * (r.w - e.w),
                          r.y + v / (DOWN - 1.0) * (r.h - e.h), e.w, e.h};
        const double area = area_under(a, c, b);
        if (area < best) {
            best = area;
            *out = b;
        }
    }
    return best;
}

void lb_axes_draw_box(lb_axes *a, lb_canvas *c)
{
    if (!a->box)
        return;
    lb_type type = lb_type_make(LB_SIZE_TICK, LB_INK);
    lb_box b = {a->plot.x, a->plot.y, 0, 0};
    type.align = PANGO_ALIGN_LEFT;
    const lb_extent e = lb_canvas_measure(c, a->box, type);
    free_place(a, c, (lb_extent){e.w + 9, e.h + 9}, false, &b);
    lb_canvas_fill(c, b, lb_grey(1, 0.9));
    lb_canvas_pen(c, lb_grey(0.75, 1), 0.4, LB_SOLID);
    lb_canvas_frame(c, b);
    lb_canvas_text(c, a->box, type, b.x + 4.5, b.y + 4.5, 0, 0, false);
    lb_canvas_record(c, "box", b, NAN, NULL);
}

/* --- legends --------------------------------------------------------------------------------- */

static const double swatch = 19, swatch_gap = 5, row = 11.5, item_gap = 14;

typedef struct entries {
    const lb_mark *m[64];
    size_t n;
} entries;

static void collect(const lb_axes *a, entries *e)
{
    for (size_t i = 0; i < a->n_marks; i++) {
        const lb_mark *m = &a->marks[i];
        bool known = !m->label || m->kind == LB_MARK_HEAT;
        for (size_t j = 0; j < e->n && !known; j++)
            known = strcmp(e->m[j]->label, m->label) == 0;
        if (!known && e->n < 64)
            e->m[e->n++] = m;
    }
}

static void draw_swatch(const lb_mark *m, lb_canvas *c, double x, double y)
{
    const lb_box area = {x, y - 3.5, swatch, 7};
    lb_style s = m->style;
    switch (m->kind) {
    case LB_MARK_BARS:
        lb_canvas_fill(c, area, s.colour);
        lb_canvas_hatch(c, area, s.hatch, lb_grey(1, 0.75));
        return;
    case LB_MARK_BAND:
    case LB_MARK_SPAN:
    case LB_MARK_HISTOGRAM:
    case LB_MARK_BOX:
    case LB_MARK_DENSITY:
        s.colour.a = m->kind == LB_MARK_BAND || m->kind == LB_MARK_SPAN || m->kind == LB_MARK_BOX
                         ? 0.2
                         : 0.55;
        lb_canvas_fill(c, area, s.colour);
        return;
    case LB_MARK_POINTS:
        s.size = fmax(s.size, 4.5); /* the dots of a cloud are too small to tell alone */
        break;
    case LB_MARK_ERRORS:
        lb_canvas_pen(c, s.colour, 0.8, LB_SOLID);
        lb_canvas_line(c, x + swatch / 2, y - 4.5, x + swatch / 2, y + 4.5);
        break;
    default:
        lb_canvas_pen(c, s.colour, s.width, s.dash);
        lb_canvas_line(c, x, y, x + swatch, y);
    }
    if (m->kind == LB_MARK_LINE || m->kind == LB_MARK_POINTS || m->kind == LB_MARK_ERRORS)
        lb_canvas_marker(c, x + swatch / 2, y, s, lb_grey(1, 1));
}

static lb_type legend_type(void)
{
    return lb_type_make(LB_SIZE_TICK, LB_INK);
}

static double item_width(const lb_mark *m, lb_canvas *c)
{
    return swatch + swatch_gap + lb_canvas_measure(c, m->label, legend_type()).w;
}

static void draw_item(const lb_mark *m, lb_canvas *c, double x, double y)
{
    draw_swatch(m, c, x, y);
    lb_canvas_text(c, m->label, legend_type(), x + swatch + swatch_gap, y, 0, 0.5, false);
}

static lb_extent column(const entries *e, const char *title, lb_canvas *c, double x, double y,
                        bool draw)
{
    lb_extent size = {0, (double)e->n * row - 4};
    const lb_type type = lb_type_make(LB_SIZE_TICK, LB_INK_SOFT);
    if (title) {
        const lb_extent t = lb_canvas_measure(c, title, type);
        if (draw)
            lb_canvas_text(c, title, type, x, y, 0, 0, false);
        size = (lb_extent){t.w, size.h + t.h + 6};
        y += t.h + 6;
    }
    for (size_t i = 0; i < e->n; i++) {
        size.w = fmax(size.w, item_width(e->m[i], c));
        if (draw)
            draw_item(e->m[i], c, x, y + 3.75 + (double)i * row);
    }
    return size;
}

bool lb_axes_draw_legend(lb_axes *a, lb_canvas *c)
{
    entries e = {.n = 0};
    lb_box b;
    collect(a, &e);
    if (e.n == 0)
        return true;
    const lb_extent size = column(&e, a->figure->legend_title, c, 0, 0, false);
    if (free_place(a, c, (lb_extent){size.w, size.h}, true, &b) > 0)
        return false;
    column(&e, a->figure->legend_title, c, b.x, b.y, true);
    lb_canvas_record(c, "legend", b, NAN, NULL);
    return true;
}

/* Items one after the other; if they need more than one row they stand in columns. */
static lb_extent flow(const entries *e, const char *title, lb_canvas *c, lb_box at, bool draw)
{
    double x = at.x, y = at.y + 3.75, widest = 0, all = 0;
    if (title) {
        const lb_type type = lb_type_make(LB_SIZE_TICK, LB_INK_SOFT);
        if (draw)
            lb_canvas_text(c, title, type, x, y, 0, 0.5, false);
        x += lb_canvas_measure(c, title, type).w + item_gap;
    }
    for (size_t i = 0; i < e->n; i++) {
        const double w = item_width(e->m[i], c) + item_gap;
        widest = fmax(widest, w);
        all += w;
    }
    const bool columns = x + all - item_gap > at.x + at.w;
    const double left = x;
    for (size_t i = 0; i < e->n; i++) {
        const double w = columns ? widest : item_width(e->m[i], c) + item_gap;
        if (x > left && x + w - item_gap > at.x + at.w) {
            x = left;
            y += row;
        }
        if (draw)
            draw_item(e->m[i], c, x, y);
        x += w;
    }
    return (lb_extent){at.w, y - at.y + 3.75 + 8};
}

lb_extent lb_legend_outside(lb_figure *f, lb_canvas *c, double x, double y, double width, bool draw)
{
    entries e = {.n = 0};
    lb_extent size;
    for (size_t i = 0; i < f->n; i++)
        collect(f->panels[i], &e);
    if (e.n == 0)
        return (lb_extent){0, 0};
    if (f->resolved == LB_PLACE_RIGHT)
        size = column(&e, f->legend_title, c, x, y, draw);
    else
        size = flow(&e, f->legend_title, c, (lb_box){x, y, width, 0}, draw);
    if (draw)
        lb_canvas_record(c, "legend", (lb_box){x, y, size.w, size.h}, NAN, NULL);
    return size;
}
