/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figure/inside.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double margin = 9, gap = 12; /* round the figure; between panels */

/* --- ranges ---------------------------------------------------------------------------------- */

typedef struct range {
    double lo, hi;
    bool base; /* drawn from zero: bars, counts */
} range;

static void include(range *r, const lb_axis *x, const double *v, size_t n, lb_axes *a)
{
    for (size_t i = 0; i < n && v; i++) {
        if (isnan(v[i]) || (v[i] == 0 && x->zero))
            continue;
        if (x->kind == LB_LOG10 && v[i] <= 0) {
            LB_FAIL(&a->figure->err, LB_EINVAL, "%s: %g on the logarithmic axis '%s'",
                    a->figure->stem, v[i], x->label ? x->label : "");
            return;
        }
        r->lo = fmin(r->lo, v[i]);
        r->hi = fmax(r->hi, v[i]);
    }
}

static void include_mark(lb_axes *a, const lb_mark *m, range *x, range *y)
{
    const double zero = 0;
    switch (m->kind) {
    case LB_MARK_HISTOGRAM:
        include(x, &a->x, m->x, m->n + 1, a);
        include(y, &a->y, &zero, 1, a);
        include(y, &a->y, m->y, m->n, a);
        y->base = true;
        break;
    case LB_MARK_BARS:
        include(y, &a->y, &zero, 1, a);
        include(y, &a->y, m->y, m->n, a);
        include(y, &a->y, m->lo, m->n, a);
        include(y, &a->y, m->hi, m->n, a);
        y->base = true;
        break;
    case LB_MARK_VLINE:
    case LB_MARK_SPAN:
        include(x, &a->x, m->x, m->n, a);
        break;
    case LB_MARK_HLINE:
        include(y, &a->y, m->y, m->n, a);
        break;
    case LB_MARK_BRACKET:
    case LB_MARK_IDENTITY:
    case LB_MARK_HEAT:
    case LB_MARK_TEXT:
    case LB_MARK_LABELS:
        break;
    default:
        include(x, &a->x, m->x, m->n, a);
        include(y, &a->y, m->y, m->n, a);
        include(y, &a->y, m->lo, m->n, a);
        include(y, &a->y, m->hi, m->n, a);
    }
}

/* Ends of an axis: as given, or round the data with a margin of a twentieth. */
static void resolve(lb_axis *x, range r, double headroom, double footroom, bool vertical)
{
    if (x->n_names) {
        x->from = -0.5;
        x->to = (double)x->n_names - 0.5;
        return;
    }
    if (!(r.lo <= r.hi)) /* nothing but lines: any range will do */
        r = (range){isnan(x->lo) ? 0 : x->lo, isnan(x->hi) ? 1 : x->hi, false};
    const bool log = x->kind == LB_LOG10;
    double lo = log ? log10(r.lo) : r.lo, hi = log ? log10(r.hi) : r.hi;
    const bool from_zero = vertical && !log && lo >= 0 && (r.base || lo < 0.35 * hi);
    if (from_zero)
        lo = 0;
    if (hi - lo <= 1e-12 * fabs(hi)) {
        const double half = log || hi == 0 ? 0.5 : 0.1 * fabs(hi);
        lo -= from_zero ? 0 : half;
        hi += half;
    }
    const double pad = 0.05 * (hi - lo);
    if (!from_zero)
        lo -= pad;
    hi += pad;
    if (!isnan(x->lo))
        lo = log ? log10(x->lo) : x->lo;
    if (!isnan(x->hi))
        hi = log ? log10(x->hi) : x->hi;
    else
        hi = lo + (hi - lo) / (1 - fmin(headroom, 0.6));
    if (isnan(x->lo) && !from_zero)
        lo = hi - (hi - lo) / (1 - fmin(footroom, 0.6));
    x->from = log ? pow(10, lo) : lo;
    x->to = log ? pow(10, hi) : hi;
}

lb_status lb_figure_prepare(lb_figure *f)
{
    for (size_t i = 0; i < f->n; i++) {
        lb_axes *a = f->panels[i];
        range x = {INFINITY, -INFINITY, false}, y = x;
        double headroom = 0, footroom = 0;
        for (size_t j = 0; j < f->n; j++) {
            lb_axes *b = f->panels[j];
            range bx = {INFINITY, -INFINITY, false}, by = bx;
            for (size_t k = 0; k < b->n_marks; k++)
                include_mark(b, &b->marks[k], &bx, &by);
            if (b == a || (f->share_x && b->col == a->col))
                x = (range){fmin(x.lo, bx.lo), fmax(x.hi, bx.hi), x.base || bx.base};
            if (b == a || (f->share_y && b->row == a->row)) {
                y = (range){fmin(y.lo, by.lo), fmax(y.hi, by.hi), y.base || by.base};
                headroom = fmax(headroom, b->headroom);
                footroom = fmax(footroom, b->footroom);
            }
        }
        if (f->err.status != LB_OK)
            return f->err.status;
        resolve(&a->x, x, 0, 0, false);
        resolve(&a->y, y, headroom, footroom, true);
    }
    return LB_OK;
}

/* --- data to canvas -------------------------------------------------------------------------- */

double lb_axes_zero_room(const lb_axes *a)
{
    return a->x.zero ? 34 : 0;
}

static double share(const lb_axis *x, double v)
{
    if (x->kind == LB_LOG10)
        return v > 0 ? log(v / x->from) / log(x->to / x->from) : NAN;
    return (v - x->from) / (x->to - x->from);
}

double lb_axes_px(const lb_axes *a, double x)
{
    const double slot = lb_axes_zero_room(a);
    if (a->x.zero && x == 0)
        return a->plot.x + 0.42 * slot;
    return a->plot.x + slot + share(&a->x, x) * (a->plot.w - slot);
}

double lb_axes_py(const lb_axes *a, double y)
{
    const double t = share(&a->y, y);
    return a->y.n_names ? a->plot.y + t * a->plot.h : a->plot.y + (1 - t) * a->plot.h;
}

/* --- where panels stand ---------------------------------------------------------------------- */

static void choose_ticks(lb_axis *x, size_t most)
{
    x->shown = (lb_ticks){0};
    if (x->n_names)
        return;
    if (x->n_ticks) {
        for (size_t i = 0; i < x->n_ticks; i++) {
            if (x->ticks[i] < x->from || x->ticks[i] > x->to)
                continue;
            x->shown.at[x->shown.n] = x->ticks[i];
            snprintf(x->shown.text[x->shown.n++], LB_TICK_TEXT, x->format, x->ticks[i]);
        }
        return;
    }
    x->shown = x->kind == LB_LOG10 ? lb_ticks_log(x->from, x->to, most)
                                   : lb_ticks_linear(x->from, x->to, most);
}

lb_extent lb_axes_names_extent(const lb_axis *x, lb_canvas *c, lb_type type)
{
    lb_extent most = {0, 0};
    const size_t n = x->n_names ? x->n_names : x->shown.n;
    for (size_t i = 0; i < n; i++) {
        const lb_extent e = lb_canvas_measure(c, x->n_names ? x->names[i] : x->shown.text[i], type);
        most = (lb_extent){fmax(most.w, e.w), fmax(most.h, e.h)};
    }
    if (x->zero) {
        const lb_extent e = lb_canvas_measure(c, x->zero, type);
        most = (lb_extent){fmax(most.w, e.w), fmax(most.h, e.h)};
    }
    return most;
}

lb_type lb_axes_names_type(const lb_axes *a, lb_canvas *c)
{
    lb_type t = lb_type_make(LB_SIZE_TICK, LB_INK);
    if (!a->x.n_names)
        return t;
    t.wrap = a->plot.w / (double)a->x.n_names - 4;
    while (t.size > 5.5 && lb_axes_names_extent(&a->x, c, t).w > t.wrap + 0.5)
        t.size -= 0.5;
    return t;
}

bool lb_axes_has(const lb_axes *a, lb_mark_kind kind)
{
    for (size_t i = 0; i < a->n_marks; i++)
        if (a->marks[i].kind == kind)
            return true;
    return false;
}

static void measure_axes(lb_axes *a)
{
    lb_figure *f = a->figure;
    lb_canvas *c = &f->canvas;
    const double tick = 5.5; /* tick and the space behind it */
    if (a->graph)
        return;
    a->print_x = a->print_y = true;
    for (size_t i = 0; i < f->n; i++) {
        const lb_axes *b = f->panels[i];
        a->print_x &= !(f->share_x && b->col == a->col && b->row > a->row);
        a->print_y &= !(f->share_y && b->row == a->row && b->col < a->col);
    }
    choose_ticks(&a->x, (size_t)fmin(fmax((a->plot.w - lb_axes_zero_room(a)) / 34, 3), 9));
    choose_ticks(&a->y, (size_t)fmin(fmax(a->plot.h / 22, 4), 8));
    a->left = a->below = tick;
    if (a->print_x) {
        a->below += lb_axes_names_extent(&a->x, c, lb_axes_names_type(a, c)).h + 3;
        a->below += a->x.counts ? LB_SIZE_SMALL + 4 : 0;
        a->below += a->x.label && *a->x.label ? LB_SIZE_LABEL + 5 : 0;
    }
    if (a->print_y) {
        lb_type t = lb_type_make(LB_SIZE_TICK, LB_INK);
        t.wrap = a->y.n_names ? 110 : 0;
        a->left += lb_axes_names_extent(&a->y, c, t).w;
        a->left += a->y.label && *a->y.label ? LB_SIZE_LABEL + 6 : 0;
    }
}

/* One pass over the grid: margins are the widest of a column, the tallest of a row. */
static void place(lb_figure *f, lb_box grid)
{
    double left[LB_GRID_MOST] = {0}, right[LB_GRID_MOST] = {0};
    double above[LB_GRID_MOST] = {0}, below[LB_GRID_MOST] = {0};
    double w = grid.w - gap * (double)(f->cols - 1), h = grid.h - gap * (double)(f->rows - 1);
    for (size_t i = 0; i < f->n; i++) {
        const lb_axes *a = f->panels[i];
        const double bar = lb_heat_bar_width(a, &f->canvas);
        left[a->col] = fmax(left[a->col], a->left);
        right[a->col] = fmax(right[a->col], bar > 0 ? bar : 5);
        below[a->row] = fmax(below[a->row], a->below);
        above[a->row] = fmax(above[a->row], a->title || f->n > 1 ? 14 : 4);
    }
    for (size_t j = 0; j < f->cols; j++)
        w -= left[j] + right[j];
    for (size_t i = 0; i < f->rows; i++)
        h -= above[i] + below[i];
    w = fmax(w / (double)f->cols, 10);
    h = fmax(h / (double)f->rows, 10);
    for (size_t i = 0; i < f->n; i++) {
        lb_axes *a = f->panels[i];
        lb_box p = {grid.x + left[a->col], grid.y + above[a->row], w, h};
        for (size_t j = 0; j < a->col; j++)
            p.x += left[j] + w + right[j] + gap;
        for (size_t j = 0; j < a->row; j++)
            p.y += above[j] + h + below[j] + gap;
        if (a->square) {
            const double side = fmin(p.w, p.h);
            p.x += (p.w - side) / 2;
            p.w = p.h = side;
        }
        a->plot = p;
        a->left = left[a->col]; /* labels of stacked panels stand in one line */
    }
}

/* --- title and notes ------------------------------------------------------------------------- */

static bool leaves_zero_out(const lb_axes *a)
{
    return !a->graph && !a->y.n_names && a->y.kind == LB_LINEAR && (a->y.from > 0 || a->y.to < 0);
}

/* What the figure must say about itself, then what the caller wants said. */
static char *notes(const lb_figure *f)
{
    lb_text t = {0};
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++)
        if (leaves_zero_out(f->panels[i]) && f->n > 1)
            lb_text_printf(&t, "%s%c", n++ ? ", " : "The y axis does not start at zero: panel ",
                           (int)('a' + i));
        else if (leaves_zero_out(f->panels[i]))
            lb_text_printf(&t, "The y axis does not start at zero");
    if (t.length)
        lb_text_add(&t, ". ");
    for (size_t i = 0; i < f->n_notes; i++)
        lb_text_printf(&t, "%s ", f->notes[i]);
    if (f->outside)
        lb_text_printf(&t, "Outside the axes: %zu point%s. ", f->outside,
                       f->outside == 1 ? "" : "s");
    if (f->dropped)
        lb_text_printf(&t, "Value labels without room: %zu. ", f->dropped);
    if (t.length)
        t.s[t.length - 1] = '\0';
    return lb_text_take(&t);
}

static lb_type left_aligned(double size, lb_colour colour, double wrap)
{
    return (lb_type){.size = size, .colour = colour, .wrap = wrap, .align = PANGO_ALIGN_LEFT};
}

/* Title and the grey lines under it; the height they take. */
static double title(lb_figure *f, bool draw)
{
    const double wide = f->width - 2 * margin;
    lb_type big = left_aligned(LB_SIZE_TITLE, LB_INK, wide);
    const lb_type small = left_aligned(LB_SIZE_TICK, LB_INK_SOFT, wide);
    big.bold = true;
    char **part = g_strsplit(f->title, "\n", 2);
    double y = margin;
    if (draw)
        lb_canvas_text(&f->canvas, part[0], big, margin, y, 0, 0, false);
    y += lb_canvas_measure(&f->canvas, part[0], big).h;
    if (part[1]) {
        y += 5.5;
        if (draw)
            lb_canvas_text(&f->canvas, part[1], small, margin, y, 0, 0, false);
        y += lb_canvas_measure(&f->canvas, part[1], small).h;
    }
    g_strfreev(part);
    return y + 9;
}

static double footer(lb_figure *f, bool draw)
{
    const lb_type small = left_aligned(LB_SIZE_SMALL, LB_INK_SOFT, f->width - 2 * margin);
    char *text = notes(f);
    double h = 0;
    if (*text) {
        h = lb_canvas_measure(&f->canvas, text, small).h;
        if (draw)
            lb_canvas_text(&f->canvas, text, small, margin, f->height - margin + 1, 0, 1, false);
        h += 6;
    }
    free(text);
    return h;
}

static lb_box grid_of(lb_figure *f, bool draw)
{
    lb_box g = {margin, title(f, draw), f->width - 2 * margin, 0};
    g.h = f->height - margin + 3 - footer(f, draw) - g.y;
    if (f->resolved == LB_PLACE_ABOVE) {
        const double h = lb_legend_outside(f, &f->canvas, g.x, g.y, g.w, draw).h;
        g.y += h;
        g.h -= h;
    } else if (f->resolved == LB_PLACE_RIGHT) {
        const double w = lb_legend_outside(f, &f->canvas, 0, 0, g.w, false).w;
        if (draw)
            lb_legend_outside(f, &f->canvas, g.x + g.w - w, f->panels[0]->plot.y, g.w, true);
        g.w -= w + gap;
    }
    return g;
}

void lb_figure_layout(lb_figure *f)
{
    f->told = f->dropped + f->outside;
    for (size_t i = 0; i < f->n; i++)
        f->panels[i]->plot =
            (lb_box){0, 0, 0.7 * f->width / (double)f->cols, 0.7 * f->height / (double)f->rows};
    const lb_box grid = grid_of(f, false);
    for (int pass = 0; pass < 3; pass++) { /* ticks depend on the size and the size on the ticks */
        for (size_t i = 0; i < f->n; i++)
            measure_axes(f->panels[i]);
        place(f, grid);
    }
}

void lb_figure_draw(lb_figure *f)
{
    lb_canvas *c = &f->canvas;
    cairo_set_source_rgb(c->cr, 1, 1, 1);
    cairo_paint(c->cr);
    grid_of(f, true);
    f->dropped = f->outside = 0;
    for (size_t i = 0; i < f->n; i++) {
        lb_axes *a = f->panels[i];
        c->panel = i;
        a->lacking = 0;
        if (a->graph) {
            lb_graph_draw(a, c);
            continue;
        }
        lb_canvas_record(c, "axes", a->plot, NAN, NULL);
        lb_axes_draw(a, c);
        lb_axes_draw_marks(a, c);
        lb_axes_draw_box(a, c);
        if (f->resolved == LB_PLACE_AUTO && !lb_axes_draw_legend(a, c))
            f->resolved = LB_PLACE_ABOVE;
    }
    c->panel = (size_t)-1;
}
