/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figure/canvas.h"

#include "core/memory.h"
#include "core/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double cap_height = 0.729; /* of DejaVu Sans, em */

lb_colour lb_grey(double level, double alpha)
{
    return (lb_colour){level, level, level, alpha};
}

double lb_round(double v)
{
    return round(v * 100) / 100;
}

bool lb_box_overlap(lb_box a, lb_box b)
{
    return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

double lb_box_common(lb_box a, lb_box b)
{
    const double w = fmin(a.x + a.w, b.x + b.w) - fmax(a.x, b.x);
    const double h = fmin(a.y + a.h, b.y + b.h) - fmax(a.y, b.y);
    return w > 0 && h > 0 ? w * h : 0;
}

lb_box lb_box_grow(lb_box b, double by)
{
    return (lb_box){b.x - by, b.y - by, b.w + 2 * by, b.h + 2 * by};
}

/* --- the canvas ------------------------------------------------------------------------------ */

static void unhinted(PangoContext *context)
{
    cairo_font_options_t *o = cairo_font_options_create();
    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(o, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(context, o);
    pango_cairo_context_set_resolution(context, 72);
    pango_context_set_round_glyph_positions(context, FALSE);
    pango_context_set_language(context, pango_language_from_string("en"));
    cairo_font_options_destroy(o);
}

void lb_canvas_open(lb_canvas *c, lb_error *err, const char *name)
{
    PangoFontMap *fonts = pango_cairo_font_map_get_default();
    *c = (lb_canvas){.err = err, .name = name};
    c->measure = pango_font_map_create_context(fonts);
    c->draw = pango_font_map_create_context(fonts);
    unhinted(c->measure);
    unhinted(c->draw);
}

static void forget(lb_canvas *c)
{
    for (size_t i = 0; i < c->n; i++)
        free((char *)c->ink[i].text);
    c->n = 0;
}

void lb_canvas_target(lb_canvas *c, cairo_t *cr)
{
    forget(c);
    c->cr = cr;
    c->panel = (size_t)-1;
    pango_cairo_update_context(cr, c->draw);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
}

void lb_canvas_close(lb_canvas *c)
{
    forget(c);
    free(c->ink);
    if (c->measure)
        g_object_unref(c->measure);
    if (c->draw)
        g_object_unref(c->draw);
    *c = (lb_canvas){0};
}

void lb_canvas_record(lb_canvas *c, const char *what, lb_box b, double value, const char *text)
{
    if (c->n == c->capacity) {
        c->capacity = c->capacity ? 2 * c->capacity : 256;
        c->ink = lb_xrealloc(c->ink, c->capacity, sizeof *c->ink);
    }
    c->ink[c->n++] =
        (lb_ink){b.x, b.y, b.w, b.h, what, text ? lb_xstrdup(text) : NULL, value, c->panel};
}

/* --- text ------------------------------------------------------------------------------------ */

static bool is_english(const char *s)
{
    if (!g_utf8_validate(s, -1, NULL))
        return false;
    for (; *s; s = g_utf8_next_char(s)) {
        const gunichar u = g_utf8_get_char(s);
        if ((u >= 0x2e80 && u <= 0xabff) || (u >= 0xac00 && u <= 0xd7ff) ||
            (u >= 0xf900 && u <= 0xfaff) || (u >= 0xfe10 && u <= 0xfe6f) || u >= 0xff00)
            return false;
    }
    return true;
}

/* Our notation to Pango markup: ^{..} and _{..}, a minus sign for a hyphen before a digit, and a
 * hyphen that does not break the line inside a word. */
static char *markup(const char *s, double size)
{
    lb_text out = {0};
    size_t open = 0;
    for (const char *p = s; *p; p++) {
        const bool in_word = p > s && isalnum((unsigned char)p[-1]);
        if ((*p == '^' || *p == '_') && p[1] == '{') {
            lb_text_printf(&out, "<span size=\"%d\" rise=\"%d\">", (int)(0.7 * size * PANGO_SCALE),
                           (int)((*p == '^' ? 0.36 : -0.16) * size * PANGO_SCALE));
            open++;
            p++;
        } else if (*p == '}' && open) {
            lb_text_add(&out, "</span>");
            open--;
        } else if (*p == '-' && !in_word && (isdigit((unsigned char)p[1]) || p[1] == '.')) {
            lb_text_add(&out, "\u2212");
        } else if (*p == '-' && in_word) {
            lb_text_add(&out, "\u2011");
        } else if (*p == '&' || *p == '<' || *p == '>') {
            lb_text_add(&out, *p == '&' ? "&amp;" : *p == '<' ? "&lt;" : "&gt;");
        } else {
            lb_text_addn(&out, p, 1);
        }
    }
    for (; open; open--)
        lb_text_add(&out, "</span>");
    return lb_text_take(&out);
}

lb_type lb_type_make(double size, lb_colour colour)
{
    return (lb_type){.size = size, .colour = colour, .align = PANGO_ALIGN_CENTER};
}

static PangoLayout *typeset(lb_canvas *c, PangoContext *context, const char *s, lb_type type)
{
    PangoLayout *layout = pango_layout_new(context);
    PangoFontDescription *font = pango_font_description_from_string("DejaVu Sans, Noto Sans");
    if (!is_english(s)) {
        LB_FAIL(c->err, LB_EINVAL, "%s: the text '%s' is not English UTF-8 (no CJK, no emoji)",
                c->name, s);
        s = "?";
    }
    pango_font_description_set_absolute_size(font, type.size * PANGO_SCALE);
    if (type.bold)
        pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_alignment(layout, type.align);
    if (type.wrap > 0) {
        pango_layout_set_width(layout, (int)(type.wrap * PANGO_SCALE));
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD);
    }
    char *m = markup(s, type.size);
    pango_layout_set_markup(layout, m, -1);
    if (pango_layout_get_unknown_glyphs_count(layout) > 0)
        LB_FAIL(c->err, LB_EINVAL, "%s: the text '%s' has a character that no font can draw",
                c->name, s);
    free(m);
    pango_font_description_free(font);
    return layout;
}

/* Cap line of the first line and baseline of the last, in pt below the top of the layout. */
static void lines(PangoLayout *layout, lb_type type, double *top, double *base)
{
    PangoLayoutIter *it = pango_layout_get_iter(layout);
    *top = pango_layout_iter_get_baseline(it) / (double)PANGO_SCALE - cap_height * type.size;
    while (pango_layout_iter_next_line(it))
        ;
    *base = pango_layout_iter_get_baseline(it) / (double)PANGO_SCALE;
    pango_layout_iter_free(it);
}

lb_extent lb_canvas_measure(lb_canvas *c, const char *s, lb_type type)
{
    PangoLayout *layout = typeset(c, c->measure, s, type);
    PangoRectangle logical;
    double top, base;
    pango_layout_get_extents(layout, NULL, &logical);
    lines(layout, type, &top, &base);
    g_object_unref(layout);
    return (lb_extent){logical.width / (double)PANGO_SCALE, base - top};
}

void lb_canvas_text(lb_canvas *c, const char *s, lb_type type, double x, double y, double ax,
                    double ay, bool upwards)
{
    if (!s || !*s)
        return;
    PangoLayout *layout = typeset(c, c->measure, s, type);
    PangoRectangle ink, logical;
    double top, base;
    pango_layout_get_extents(layout, &ink, &logical);
    lines(layout, type, &top, &base);
    g_object_unref(layout);

    const double pt = 1.0 / PANGO_SCALE, w = logical.width * pt, h = base - top;
    layout = typeset(c, c->draw, s, type);
    cairo_save(c->cr);
    cairo_set_source_rgba(c->cr, type.colour.r, type.colour.g, type.colour.b, type.colour.a);
    if (upwards) { /* the text's right is up, its bottom is right */
        const double ox = x - ax * h - top, oy = y + (1 - ay) * w + logical.x * pt;
        lb_canvas_record(c, "text",
                         (lb_box){ox + ink.y * pt, oy - (ink.x + ink.width) * pt, ink.height * pt,
                                  ink.width * pt},
                         NAN, s);
        cairo_translate(c->cr, lb_round(ox), lb_round(oy));
        cairo_rotate(c->cr, -G_PI / 2);
        cairo_move_to(c->cr, 0, 0);
    } else {
        const double ox = x - ax * w - logical.x * pt, oy = y - ay * h - top;
        lb_canvas_record(
            c, "text", (lb_box){ox + ink.x * pt, oy + ink.y * pt, ink.width * pt, ink.height * pt},
            NAN, s);
        cairo_move_to(c->cr, lb_round(ox), lb_round(oy));
    }
    pango_cairo_show_layout(c->cr, layout);
    cairo_restore(c->cr);
    g_object_unref(layout);
}

/* --- shapes ---------------------------------------------------------------------------------- */

static void source(lb_canvas *c, lb_colour k)
{
    cairo_set_source_rgba(c->cr, k.r, k.g, k.b, k.a);
}

void lb_canvas_pen(lb_canvas *c, lb_colour colour, double width, lb_dash dash)
{
    static const struct {
        int n;
        double on[4];
    } pattern[] = {[LB_SOLID] = {0, {0}},
                   [LB_DASHED] = {2, {4.5, 2.5}},
                   [LB_DOTTED] = {2, {1.2, 1.8}},
                   [LB_DASHDOT] = {4, {5, 2, 1.2, 2}}};
    source(c, colour);
    cairo_set_line_width(c->cr, width);
    cairo_set_dash(c->cr, pattern[dash].on, pattern[dash].n, 0);
}

void lb_canvas_line(lb_canvas *c, double x0, double y0, double x1, double y1)
{
    cairo_move_to(c->cr, lb_round(x0), lb_round(y0));
    cairo_line_to(c->cr, lb_round(x1), lb_round(y1));
    cairo_stroke(c->cr);
}

static void path(lb_canvas *c, lb_box b)
{
    const double x = lb_round(b.x), y = lb_round(b.y);
    cairo_rectangle(c->cr, x, y, lb_round(b.x + b.w) - x, lb_round(b.y + b.h) - y);
}

void lb_canvas_fill(lb_canvas *c, lb_box b, lb_colour colour)
{
    source(c, colour);
    path(c, b);
    cairo_fill(c->cr);
}

void lb_canvas_frame(lb_canvas *c, lb_box b)
{
    path(c, b);
    cairo_stroke(c->cr);
}

/* One diagonal through the box: points (b.x + s, b.y + b.h - (d - s)) with 0 <= s <= b.w. */
static void diagonal(lb_canvas *c, lb_box b, double d, bool up)
{
    const double s0 = fmax(0, d - b.h), s1 = fmin(b.w, d);
    if (s1 <= s0)
        return;
    const double y0 = d - s0, y1 = d - s1; /* height above the bottom if down, below top if up */
    cairo_move_to(c->cr, lb_round(b.x + s0), lb_round(up ? b.y + y0 : b.y + b.h - y0));
    cairo_line_to(c->cr, lb_round(b.x + s1), lb_round(up ? b.y + y1 : b.y + b.h - y1));
}

void lb_canvas_hatch(lb_canvas *c, lb_box b, lb_hatch hatch, lb_colour colour)
{
    const double step = hatch == LB_HATCH_DOTS ? 4.0 : 5.0;
    if (hatch == LB_PLAIN)
        return;
    lb_canvas_pen(c, colour, hatch == LB_HATCH_DOTS ? 1.1 : 0.7, LB_SOLID);
    if (hatch == LB_HATCH_DOTS) {
        cairo_set_line_cap(c->cr, CAIRO_LINE_CAP_ROUND);
        for (double y = b.y + b.h - 2; y > b.y + 1; y -= step)
            for (double x = b.x + 2; x < b.x + b.w - 1; x += step) {
                cairo_move_to(c->cr, lb_round(x), lb_round(y));
                cairo_close_path(c->cr);
            }
    } else {
        for (double d = step / 2; d < b.w + b.h; d += step)
            diagonal(c, b, d, hatch == LB_HATCH_UP);
    }
    cairo_stroke(c->cr);
    cairo_set_line_cap(c->cr, CAIRO_LINE_CAP_BUTT);
}

/* A closed regular outline: @p n corners, every other one drawn in to @p inner for a star. */
static void polygon(cairo_t *cr, double x, double y, double r, int n, double inner, double turn)
{
    for (int i = 0; i < n; i++) {
        const double a = turn + 2 * G_PI * i / n, q = i % 2 ? r * inner : r;
        cairo_line_to(cr, lb_round(x + q * sin(a)), lb_round(y - q * cos(a)));
    }
    cairo_close_path(cr);
}

void lb_canvas_marker(lb_canvas *c, double x, double y, lb_style s, lb_colour outline)
{
    const double r = s.size / 2;
    cairo_new_path(c->cr);
    switch (s.marker) {
    case LB_MARKER_NONE:
        return;
    case LB_CIRCLE:
        cairo_arc(c->cr, lb_round(x), lb_round(y), r, 0, 2 * G_PI);
        cairo_close_path(c->cr);
        break;
    case LB_SQUARE:
        path(c, (lb_box){x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r});
        break;
    case LB_DIAMOND:
        polygon(c->cr, x, y, 1.25 * r, 4, 1, 0);
        break;
    case LB_TRIANGLE:
        polygon(c->cr, x, y + 0.15 * r, 1.25 * r, 3, 1, 0);
        break;
    case LB_TRIANGLE_DOWN:
        polygon(c->cr, x, y - 0.15 * r, 1.25 * r, 3, 1, G_PI);
        break;
    case LB_STAR:
        polygon(c->cr, x, y, 1.6 * r, 10, 0.42, 0);
        break;
    case LB_CROSS:
        lb_canvas_pen(c, s.colour, 1.2, LB_SOLID);
        lb_canvas_line(c, x - r, y - r, x + r, y + r);
        lb_canvas_line(c, x - r, y + r, x + r, y - r);
        return;
    }
    source(c, s.hollow ? (lb_colour){1, 1, 1, 1} : s.colour);
    cairo_fill_preserve(c->cr);
    const bool black = outline.r + outline.g + outline.b == 0;
    lb_canvas_pen(c, s.hollow && !black ? s.colour : outline, s.hollow || black ? 1.0 : 0.5,
                  LB_SOLID);
    cairo_stroke(c->cr);
}
