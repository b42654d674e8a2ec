/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figure/inside.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *s)
{
    return s ? lb_xstrdup(s) : NULL;
}

static void set(char **slot, const char *s)
{
    free(*slot);
    *slot = copy(s);
}

lb_figure *lb_figure_new(const char *stem, double width_in, double height_in, const char *title,
                         const char *alt)
{
    lb_figure *f = lb_xcalloc(1, sizeof *f);
    f->stem = lb_xstrdup(stem);
    f->title = lb_xstrdup(title ? title : "");
    f->alt = lb_xstrdup(alt ? alt : "");
    f->width = 72 * (width_in > 0 ? width_in : 6);
    f->height = 72 * (height_in > 0 ? height_in : 5);
    lb_canvas_open(&f->canvas, &f->err, f->stem);
    if (!*f->title || !*f->alt)
        LB_FAIL(&f->err, LB_EINVAL, "%s: a figure needs a title and an alternative text", stem);
    return f;
}

lb_axes *lb_figure_panel(lb_figure *f, size_t row, size_t col, size_t rows, size_t cols)
{
    if (row >= rows || col >= cols || rows > LB_GRID_MOST || cols > LB_GRID_MOST ||
        (f->n && (rows != f->rows || cols != f->cols)))
        LB_FAIL(&f->err, LB_EINVAL,
                "%s: panel (%zu, %zu) of a %zu x %zu grid, where %zu x %zu is set", f->stem, row,
                col, rows, cols, f->n ? f->rows : rows, f->n ? f->cols : cols);
    for (size_t i = 0; i < f->n; i++)
        if (f->panels[i]->row == row && f->panels[i]->col == col)
            LB_FAIL(&f->err, LB_EINVAL, "%s: panel (%zu, %zu) is there twice", f->stem, row, col);
    f->rows = rows;
    f->cols = cols;
    lb_axes *a = lb_xcalloc(1, sizeof *a);
    a->figure = f;
    a->index = f->n;
    a->row = row;
    a->col = col;
    a->x.lo = a->x.hi = a->y.lo = a->y.hi = NAN;
    f->panels = lb_xrealloc(f->panels, f->n + 1, sizeof *f->panels);
    f->panels[f->n++] = a;
    return a;
}

void lb_figure_share_x(lb_figure *f)
{
    f->share_x = true;
}

void lb_figure_share_y(lb_figure *f)
{
    f->share_y = true;
}

void lb_figure_legend(lb_figure *f, lb_place place, const char *title)
{
    f->place = place;
    set(&f->legend_title, title);
}

void lb_figure_note(lb_figure *f, const char *text)
{
    f->notes = lb_xrealloc(f->notes, f->n_notes + 1, sizeof *f->notes);
    f->notes[f->n_notes++] = lb_xstrdup(text);
}

/* --- axes ------------------------------------------------------------------------------------ */

static void axis(lb_axes *a, lb_axis *x, const char *label, double lo, double hi,
                 lb_scale_kind kind)
{
    set(&x->label, label);
    x->lo = lo;
    x->hi = hi;
    x->kind = kind;
    if (isinf(lo) || isinf(hi) || lo >= hi || (kind == LB_LOG10 && (lo <= 0 || hi <= 0)))
        LB_FAIL(&a->figure->err, LB_EINVAL, "%s: the range of '%s' is %g to %g", a->figure->stem,
                label ? label : "", lo, hi);
}

void lb_axes_x(lb_axes *a, const char *label, double lo, double hi, lb_scale_kind kind)
{
    axis(a, &a->x, label, lo, hi, kind);
}

void lb_axes_y(lb_axes *a, const char *label, double lo, double hi, lb_scale_kind kind)
{
    axis(a, &a->y, label, lo, hi, kind);
}

static void names_free(lb_axis *x)
{
    for (size_t i = 0; i < x->n_names; i++)
        free(x->names[i]);
    free(x->names);
    x->names = NULL;
    x->n_names = 0;
}

static void axis_names(lb_axes *a, lb_axis *x, const char *label, const char *const *names,
                       size_t n)
{
    set(&x->label, label);
    names_free(x);
    if (n == 0) {
        LB_FAIL(&a->figure->err, LB_EINVAL, "%s: the axis '%s' has no names", a->figure->stem,
                label ? label : "");
        return;
    }
    x->names = lb_xcalloc(n, sizeof *x->names);
    x->n_names = n;
    for (size_t i = 0; i < n; i++)
        x->names[i] = lb_xstrdup(names[i]);
}

void lb_axes_x_names(lb_axes *a, const char *label, const char *const *names, size_t n)
{
    axis_names(a, &a->x, label, names, n);
}

void lb_axes_y_names(lb_axes *a, const char *label, const char *const *names, size_t n)
{
    axis_names(a, &a->y, label, names, n);
}

void lb_axes_name_colours(lb_axes *a, const lb_style *styles, size_t n)
{
    if ((a->x.n_names && a->x.n_names != n) || (a->y.n_names && a->y.n_names != n)) {
        LB_FAIL(&a->figure->err, LB_EINVAL, "%s: %zu colours for %zu and %zu names",
                a->figure->stem, n, a->x.n_names, a->y.n_names);
        return;
    }
    free(a->name_styles);
    a->name_styles = lb_xcalloc(n, sizeof *styles);
    memcpy(a->name_styles, styles, n * sizeof *styles);
}

void lb_axes_x_counts(lb_axes *a, const size_t *n, size_t count)
{
    if (count != a->x.n_names) {
        LB_FAIL(&a->figure->err, LB_EINVAL, "%s: %zu counts for %zu names", a->figure->stem, count,
                a->x.n_names);
        return;
    }
    free(a->x.counts);
    a->x.counts = lb_xcalloc(count, sizeof *n);
    memcpy(a->x.counts, n, count * sizeof *n);
}

void lb_axes_x_ticks(lb_axes *a, const double *at, size_t n, const char *format)
{
    if (n == 0 || n > LB_TICKS_MAX || !lb_format_is_number(format)) {
        LB_FAIL(&a->figure->err, LB_EINVAL, "%s: %zu ticks in the format '%s'", a->figure->stem, n,
                format);
        return;
    }
    free(a->x.ticks);
    a->x.ticks = lb_xcalloc(n, sizeof *at);
    memcpy(a->x.ticks, at, n * sizeof *at);
    a->x.n_ticks = n;
    set(&a->x.format, format);
}

void lb_axes_x_zero(lb_axes *a, const char *name)
{
    set(&a->x.zero, name);
}

void lb_axes_title(lb_axes *a, const char *title)
{
    set(&a->title, title);
}

void lb_axes_square(lb_axes *a)
{
    a->square = true;
}

void lb_axes_box(lb_axes *a, const char *text)
{
    set(&a->box, text);
}

/* --- checking and closing -------------------------------------------------------------------- */

static bool is_text(const lb_ink *i)
{
    return i->what[0] == 't' && i->text;
}

/* Every text inside the canvas, and none on another. */
static lb_status check(lb_figure *f)
{
    const lb_canvas *c = &f->canvas;
    for (size_t i = 0; i < c->n; i++) {
        const lb_ink *p = &c->ink[i];
        if (!is_text(p))
            continue;
        if (p->x < 0 || p->y < 0 || p->x + p->w > f->width || p->y + p->h > f->height)
            return LB_FAIL(&f->err, LB_EINVAL,
                           "%s: the text '%s' leaves the canvas (%.0f..%.0f x %.0f..%.0f pt of "
                           "%.0f x %.0f); make the figure larger or the text shorter",
                           f->stem, p->text, p->x, p->x + p->w, p->y, p->y + p->h, f->width,
                           f->height);
        for (size_t j = 0; j < i; j++) {
            const lb_ink *q = &c->ink[j];
            if (is_text(q) && lb_box_overlap(lb_box_grow((lb_box){p->x, p->y, p->w, p->h}, -0.3),
                                             (lb_box){q->x, q->y, q->w, q->h}))
                return LB_FAIL(&f->err, LB_EINVAL,
                               "%s: the text '%s' overlaps '%s' at (%.0f, %.0f) pt; make the "
                               "figure larger or a text shorter",
                               f->stem, p->text, q->text, p->x, p->y);
        }
    }
    return LB_OK;
}

/* How far labels stand over the top of their panel, as a share of its height. */
static double overflow(const lb_figure *f, const lb_axes *a)
{
    double most = 0;
    for (size_t i = 0; i < f->canvas.n; i++) {
        const lb_ink *p = &f->canvas.ink[i];
        if (p->panel == a->index && is_text(p) && p->x + p->w / 2 > a->plot.x)
            most = fmax(most, (a->plot.y - p->y) / a->plot.h);
    }
    return most;
}

/* Draw into the void until labels fit between the top and the bottom of their panels. */
static lb_status settle(lb_figure *f)
{
    cairo_surface_t *nowhere = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_t *cr = cairo_create(nowhere);
    f->resolved = f->place;
    for (size_t i = 0; i < f->n; i++)
        f->panels[i]->headroom = f->panels[i]->footroom = 0;
    for (int pass = 0, again = 1; again && pass < 12 && f->err.status == LB_OK; pass++) {
        again = 0;
        lb_canvas_target(&f->canvas, cr);
        if (lb_figure_prepare(f) != LB_OK)
            break;
        const lb_place before = f->resolved;
        lb_figure_layout(f);
        lb_figure_draw(f);
        if (f->resolved != before || f->told != f->dropped + f->outside)
            again = 1;
        for (size_t i = 0; i < f->n && again != 1; i++) {
            lb_axes *a = f->panels[i];
            const double over = overflow(f, a);
            if (over > 0.002 && isnan(a->y.hi) && a->y.n_names == 0) {
                a->headroom += over + 0.01;
                again = 2;
            }
            if (a->lacking > 0.002 && isnan(a->y.lo)) {
                a->footroom += a->lacking + 0.01;
                again = 2;
            }
        }
    }
    cairo_destroy(cr);
    cairo_surface_destroy(nowhere);
    return f->err.status;
}

lb_status lb_figure_measure(lb_figure *f, const lb_ink **ink, size_t *n, lb_error *err)
{
    if (f->err.status == LB_OK && f->n == 0)
        LB_FAIL(&f->err, LB_EINVAL, "%s: the figure has no panel", f->stem);
    if (f->err.status == LB_OK && settle(f) == LB_OK)
        check(f);
    if (f->err.status != LB_OK)
        return LB_FAIL(err, f->err.status, "%s", f->err.text);
    *ink = f->canvas.ink;
    *n = f->canvas.n;
    return LB_OK;
}

static void texts_free(char **texts, size_t n)
{
    for (size_t i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
}

static void mark_free(lb_mark *m)
{
    texts_free(m->texts, m->n);
    texts_free(m->values, m->n);
    free(m->x);
    free(m->y);
    free(m->lo);
    free(m->hi);
    free(m->styles);
    free(m->label);
    free(m->format);
    free(m->outline);
}

static void axis_free(lb_axis *x)
{
    names_free(x);
    free(x->label);
    free(x->counts);
    free(x->ticks);
    free(x->format);
    free(x->zero);
}

void lb_figure_abandon(lb_figure *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++) {
        lb_axes *a = f->panels[i];
        for (size_t j = 0; j < a->n_marks; j++)
            mark_free(&a->marks[j]);
        free(a->marks);
        lb_graph_free(a->graph);
        axis_free(&a->x);
        axis_free(&a->y);
        free(a->title);
        free(a->name_styles);
        free(a->box);
        free(a);
    }
    for (size_t i = 0; i < f->n_notes; i++)
        free(f->notes[i]);
    free(f->notes);
    free(f->panels);
    free(f->stem);
    free(f->title);
    free(f->alt);
    free(f->legend_title);
    lb_canvas_close(&f->canvas);
    free(f);
}

lb_status lb_figure_close(lb_figure *f, lb_error *err)
{
    const lb_ink *ink;
    size_t n;
    lb_status st = lb_figure_measure(f, &ink, &n, err);
    if (st == LB_OK)
        st = lb_figure_write(f, err);
    lb_figure_abandon(f);
    return st;
}
