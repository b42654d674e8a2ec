/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figure/inside.h"

#include <math.h>
#include <stdio.h>

static const double tick = 3, space = 2.5, hair = 0.6;

static double bottom(const lb_axes *a)
{
    return a->plot.y + a->plot.h;
}

/* Twice a short slash: the axis is broken between the slot for zero and the scale. */
static void draw_break(const lb_axes *a, lb_canvas *c)
{
    const double x = a->plot.x + 0.84 * lb_axes_zero_room(a), y = bottom(a);
    for (int i = -1; i <= 1; i += 2)
        lb_canvas_line(c, x + 1.5 * i - 1.5, y + 3, x + 1.5 * i + 1.5, y - 3);
}

static void draw_spines(const lb_axes *a, lb_canvas *c)
{
    const double x = a->plot.x, y = bottom(a), slot = lb_axes_zero_room(a);
    lb_canvas_pen(c, LB_INK, hair, LB_SOLID);
    lb_canvas_line(c, x, a->plot.y, x, y);
    lb_canvas_line(c, x, y, x + (a->x.zero ? 0.84 * slot - 1.5 : a->plot.w), y);
    if (a->x.zero) {
        lb_canvas_line(c, x + 0.84 * slot + 1.5, y, x + a->plot.w, y);
        draw_break(a, c);
    }
    if (lb_axes_has(a, LB_MARK_BARS) && a->y.from < 0 && a->y.to > 0)
        lb_canvas_line(c, x, lb_axes_py(a, 0), x + a->plot.w, lb_axes_py(a, 0));
}

/* Ticks at 2..9 times each power of ten, as one path. */
static void draw_minor(const lb_axes *a, lb_canvas *c, const lb_axis *x, bool vertical)
{
    if (x->kind != LB_LOG10 || x->n_ticks)
        return;
    for (double decade = pow(10, floor(log10(x->from))); decade < x->to; decade *= 10)
        for (int k = 2; k < 10; k++) {
            const double v = k * decade;
            if (v < x->from || v > x->to)
                continue;
            const double at = lb_round(vertical ? lb_axes_py(a, v) : lb_axes_px(a, v));
            cairo_move_to(c->cr, vertical ? a->plot.x - tick / 2 : at, vertical ? at : bottom(a));
            cairo_line_to(c->cr, vertical ? a->plot.x : at, vertical ? at : bottom(a) + tick / 2);
        }
    cairo_stroke(c->cr);
}

/* A count with commas between the thousands. */
static void count_text(char *out, size_t size, const char *before, size_t n)
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%zu", n);
    int k = snprintf(out, size, "%s", before);
    for (int i = 0; i < length; i++)
        k += snprintf(out + k, size - (size_t)k, "%s%c", i && (length - i) % 3 == 0 ? "," : "",
                      digits[i]);
}

/* @p type in the colour of name @p i, if the names have colours. */
static lb_type type_of_name(const lb_axes *a, const lb_axis *x, size_t i, lb_type type)
{
    if (x->n_names && a->name_styles)
        type.colour = a->name_styles[i].colour;
    return type;
}

static void draw_x(const lb_axes *a, lb_canvas *c, bool bare)
{
    const lb_type type = lb_axes_names_type(a, c);
    const size_t n = a->x.n_names ? a->x.n_names : a->x.shown.n;
    double y = bottom(a) + (bare ? 0 : tick) + space + (bare ? 2 : 0);
    lb_canvas_pen(c, LB_INK, hair, LB_SOLID);
    if (!bare && !a->x.n_names)
        draw_minor(a, c, &a->x, false);
    for (size_t i = 0; i < n; i++) {
        const double x = lb_axes_px(a, a->x.n_names ? (double)i : a->x.shown.at[i]);
        lb_canvas_pen(c, LB_INK, hair, LB_SOLID);
        if (!bare && !a->x.n_names)
            lb_canvas_line(c, x, bottom(a), x, bottom(a) + tick);
        if (a->print_x)
            lb_canvas_text(c, a->x.n_names ? a->x.names[i] : a->x.shown.text[i],
                           type_of_name(a, &a->x, i, type), x, y, 0.5, 0, false);
    }
    if (!a->print_x)
        return;
    if (a->x.zero)
        lb_canvas_text(c, a->x.zero, type, lb_axes_px(a, 0), y, 0.5, 0, false);
    y += lb_axes_names_extent(&a->x, c, type).h;
    if (a->x.counts) {
        y += 5;
        for (size_t i = 0; i < n; i++) {
            char text[48];
            count_text(text, sizeof text, n > 8 && i ? "" : "n = ", a->x.counts[i]);
            lb_canvas_text(c, text, lb_type_make(LB_SIZE_SMALL, LB_INK_SOFT),
                           lb_axes_px(a, (double)i), y, 0.5, 0, false);
        }
        y += LB_SIZE_SMALL;
    }
    lb_canvas_text(c, a->x.label, lb_type_make(LB_SIZE_LABEL, LB_INK), a->plot.x + a->plot.w / 2,
                   y + 7, 0.5, 0, false);
}

static void draw_y(const lb_axes *a, lb_canvas *c, bool bare)
{
    lb_type type = lb_type_make(LB_SIZE_TICK, LB_INK);
    const size_t n = a->y.n_names ? a->y.n_names : a->y.shown.n;
    const double x = a->plot.x - (bare ? 2 : tick) - space;
    type.align = PANGO_ALIGN_RIGHT;
    type.wrap = a->y.n_names ? 110 : 0;
    lb_canvas_pen(c, LB_INK, hair, LB_SOLID);
    if (!bare && !a->y.n_names)
        draw_minor(a, c, &a->y, true);
    for (size_t i = 0; i < n; i++) {
        const double y = lb_axes_py(a, a->y.n_names ? (double)i : a->y.shown.at[i]);
        lb_canvas_pen(c, LB_INK, hair, LB_SOLID);
        if (!bare && !a->y.n_names)
            lb_canvas_line(c, a->plot.x - tick, y, a->plot.x, y);
        if (a->print_y)
            lb_canvas_text(c, a->y.n_names ? a->y.names[i] : a->y.shown.text[i],
                           type_of_name(a, &a->y, i, type), x, y, 1, 0.5, false);
    }
    if (a->print_y)
        lb_canvas_text(c, a->y.label, lb_type_make(LB_SIZE_LABEL, LB_INK), a->plot.x - a->left,
                       a->plot.y + a->plot.h / 2, 0, 0.5, true);
}

void lb_axes_draw(lb_axes *a, lb_canvas *c)
{
    const bool bare = lb_axes_has(a, LB_MARK_HEAT);
    const double above = a->plot.y - 6;
    double x = a->plot.x;
    if (!bare)
        draw_spines(a, c);
    draw_x(a, c, bare);
    draw_y(a, c, bare);
    if (a->figure->n > 1) {
        lb_type bold = lb_type_make(LB_SIZE_TITLE, LB_INK);
        bold.bold = true;
        lb_canvas_text(c, (char[]){(char)('a' + a->index), '\0'}, bold, a->plot.x - a->left, above,
                       0, 1, false);
        x = fmax(x, a->plot.x - a->left + 14);
    }
    if (a->title) { /* stands over the panel on purpose, so the panel makes no room for it */
        const size_t panel = c->panel;
        c->panel = (size_t)-1;
        lb_canvas_text(c, a->title, lb_type_make(LB_SIZE_LABEL, LB_INK), x, above, 0, 1, false);
        c->panel = panel;
    }
}
