/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figure/inside.h"

#include "core/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS_MOST = 3000 };

static double *copy(const double *v, size_t n)
{
    if (!v)
        return NULL;
    double *out = lb_xcalloc(n ? n : 1, sizeof *v);
    if (n)
        memcpy(out, v, n * sizeof *v);
    return out;
}

/* A new mark of the panel; its arrays are still to be set. */
static lb_mark *mark(lb_axes *a, lb_mark_kind kind, size_t n, lb_style style, const char *label)
{
    a->marks = lb_xrealloc(a->marks, a->n_marks + 1, sizeof *a->marks);
    lb_mark *m = &a->marks[a->n_marks++];
    *m = (lb_mark){.kind = kind, .n = n, .style = style, .label = label ? lb_xstrdup(label) : NULL};
    return m;
}

/* Refuse what cannot be seen: nothing, NaN throughout, infinity. */
static void check(lb_axes *a, const lb_mark *m, const double *v)
{
    size_t seen = 0;
    for (size_t i = 0; i < m->n && v; i++) {
        if (isinf(v[i])) {
            LB_FAIL(&a->figure->err, LB_EINVAL, "%s, panel %zu: '%s' has an infinite value at %zu",
                    a->figure->stem, a->index, m->label ? m->label : "series", i);
            return;
        }
        seen += !isnan(v[i]);
    }
    if (v && seen == 0)
        LB_FAIL(&a->figure->err, LB_EINVAL, "%s, panel %zu: '%s' is empty (%zu values, all NaN)",
                a->figure->stem, a->index, m->label ? m->label : "series", m->n);
}

static void check_format(lb_axes *a, const char *format)
{
    if (format && !lb_format_is_number(format))
        LB_FAIL(&a->figure->err, LB_EINVAL, "%s: '%s' is not a format of one double",
                a->figure->stem, format);
}

static lb_mark *series(lb_axes *a, lb_mark_kind kind, const double *x, const double *y, size_t n,
                       lb_style style, const char *label)
{
    lb_mark *m = mark(a, kind, n, style, label);
    m->x = copy(x, n);
    m->y = copy(y, n);
    check(a, m, x);
    check(a, m, y);
    return m;
}

void lb_plot_line(lb_axes *a, const double *x, const double *y, size_t n, lb_style style,
                  const char *label)
{
    series(a, LB_MARK_LINE, x, y, n, style, label);
}

void lb_plot_band(lb_axes *a, const double *x, const double *lo, const double *hi, size_t n,
                  lb_style style, const char *label)
{
    lb_mark *m = series(a, LB_MARK_BAND, x, NULL, n, style, label);
    m->lo = copy(lo, n);
    m->hi = copy(hi, n);
    check(a, m, lo);
    check(a, m, hi);
}

void lb_plot_points(lb_axes *a, const double *x, const double *y, size_t n, lb_style style,
                    const char *label)
{
    if (n > POINTS_MOST)
        LB_FAIL(&a->figure->err, LB_EINVAL,
                "%s: %zu points are too many for markers (at most %d); use lb_plot_density()",
                a->figure->stem, n, POINTS_MOST);
    series(a, LB_MARK_POINTS, x, y, n, style, label);
}

void lb_plot_errors(lb_axes *a, const double *x, const double *y, const double *lo,
                    const double *hi, size_t n, lb_style style, const char *label)
{
    lb_mark *m = series(a, LB_MARK_ERRORS, x, y, n, style, label);
    m->lo = copy(lo, n);
    m->hi = copy(hi, n);
}

static char **texts_copy(const char *const *texts, size_t n)
{
    char **out = lb_xcalloc(n ? n : 1, sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = texts[i] ? lb_xstrdup(texts[i]) : NULL;
    return out;
}

void lb_plot_highlight(lb_axes *a, double x, double y, lb_style style, const char *text)
{
    lb_mark *m = series(a, LB_MARK_HIGHLIGHT, &x, &y, 1, style, NULL);
    if (text)
        m->texts = texts_copy(&text, 1);
}

void lb_plot_labels(lb_axes *a, const double *x, const double *y, const char *const *texts,
                    size_t n, lb_style style)
{
    lb_mark *m = series(a, LB_MARK_LABELS, x, y, n, style, NULL);
    m->beside = true;
    m->texts = texts_copy(texts, n);
}

void lb_plot_values(lb_axes *a, const double *x, const double *y, size_t n, const char *format,
                    lb_style style)
{
    lb_mark *m = series(a, LB_MARK_LABELS, x, y, n, style, NULL);
    check_format(a, format);
    if (a->figure->err.status != LB_OK)
        return;
    m->texts = lb_xcalloc(n ? n : 1, sizeof *m->texts);
    for (size_t i = 0; i < n; i++)
        m->texts[i] = isnan(y[i]) ? NULL : lb_value_text(format, y[i]);
}

void lb_plot_bars(lb_axes *a, lb_bars b)
{
    lb_mark *m = series(a, LB_MARK_BARS, NULL, b.y, b.n, b.style, b.label);
    m->lo = copy(b.lo, b.n);
    m->hi = copy(b.hi, b.n);
    m->of = b.of ? b.of : 1;
    m->series = b.series;
    m->format = b.format ? lb_xstrdup(b.format) : NULL;
    m->values = b.values ? texts_copy(b.values, b.n) : NULL;
    m->texts = b.texts ? texts_copy(b.texts, b.n) : NULL;
    if (b.styles) {
        m->styles = lb_xcalloc(b.n ? b.n : 1, sizeof *b.styles);
        memcpy(m->styles, b.styles, b.n * sizeof *b.styles);
    }
    check_format(a, b.format);
    if (m->series >= m->of || b.n != a->x.n_names)
        LB_FAIL(&a->figure->err, LB_EINVAL,
                "%s: %zu bars for %zu names (lb_axes_x_names comes first), series %zu of %zu",
                a->figure->stem, b.n, a->x.n_names, m->series, m->of);
}

void lb_plot_number_bars(lb_axes *a, const lb_number *x, size_t n, lb_bars bars)
{
    double *y = lb_xcalloc(3 * n + 1, sizeof *y), *lo = y + n, *hi = lo + n;
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i].value;
        lo[i] = x[i].ci_lo;
        hi[i] = x[i].ci_hi;
    }
    bars.y = y;
    bars.lo = lo;
    bars.hi = hi;
    bars.n = n;
    lb_plot_bars(a, bars);
    free(y);
}

/* A mark of one or two points. */
static lb_mark *pair(lb_axes *a, lb_mark_kind kind, size_t n, double x0, double y0, double x1,
                     double y1, lb_style style, const char *label)
{
    return series(a, kind, (double[]){x0, x1}, (double[]){y0, y1}, n, style, label);
}

void lb_plot_bracket(lb_axes *a, double x0, double x1, const char *text)
{
    lb_mark *m = pair(a, LB_MARK_BRACKET, 2, x0, 0, x1, 0, lb_style_role(LB_NEUTRAL), NULL);
    m->texts = texts_copy((const char *[]){text, NULL}, 2);
}

void lb_plot_hline(lb_axes *a, double y, lb_style style, const char *label)
{
    pair(a, LB_MARK_HLINE, 1, 0, y, 0, y, style, label);
}

void lb_plot_vline(lb_axes *a, double x, lb_style style, const char *label)
{
    pair(a, LB_MARK_VLINE, 1, x, 0, x, 0, style, label);
}

void lb_plot_identity(lb_axes *a, const char *label)
{
    mark(a, LB_MARK_IDENTITY, 0, lb_style_role(LB_THRESHOLD), label);
}

void lb_plot_segment(lb_axes *a, double x0, double y0, double x1, double y1, lb_style style)
{
    pair(a, LB_MARK_SEGMENT, 2, x0, y0, x1, y1, style, NULL);
}

void lb_plot_span(lb_axes *a, double x0, double x1, lb_style style, const char *label)
{
    pair(a, LB_MARK_SPAN, 2, x0, 0, x1, 0, style, label);
}

void lb_plot_text(lb_axes *a, double x, double y, const char *text)
{
    lb_mark *m = pair(a, LB_MARK_TEXT, 1, x, y, x, y, lb_style_role(LB_NEUTRAL), NULL);
    m->texts = texts_copy(&text, 1);
}

void lb_plot_heat(lb_axes *a, lb_heat h)
{
    const size_t n = h.rows * h.cols;
    lb_mark *m = series(a, LB_MARK_HEAT, NULL, h.z, n, (lb_style){.colour = {0, 0, 0, 1}}, h.label);
    m->rows = h.rows;
    m->cols = h.cols;
    m->map = h.map;
    m->format = h.format ? lb_xstrdup(h.format) : NULL;
    m->values = h.values ? texts_copy(h.values, n) : NULL;
    m->texts = h.texts ? texts_copy(h.texts, n) : NULL;
    if (h.outline) {
        m->outline = lb_xcalloc(n ? n : 1, sizeof *m->outline);
        memcpy(m->outline, h.outline, n * sizeof *m->outline);
    }
    double lo = INFINITY, hi = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        lo = fmin(lo, h.z[i]);
        hi = fmax(hi, h.z[i]);
    }
    const bool given = h.lo < h.hi;
    m->from = given ? h.lo : lo;
    m->to = given ? h.hi : hi > lo ? hi : lo + 1;
    check_format(a, h.format);
    if (a->x.n_names != h.cols || a->y.n_names != h.rows)
        LB_FAIL(&a->figure->err, LB_ESHAPE,
                "%s: a %zu x %zu matrix with %zu row and %zu column names", a->figure->stem, h.rows,
                h.cols, a->y.n_names, a->x.n_names);
}

void lb_plot_density(lb_axes *a, const double *x, const double *y, size_t n, lb_style style,
                     const char *label)
{
    series(a, LB_MARK_DENSITY, x, y, n, style, label);
}

static int ascending(const void *p, const void *q)
{
    const double a = *(const double *)p, b = *(const double *)q;
    return (a > b) - (a < b);
}

/* Finite values, sorted; the caller frees. */
static double *sorted(const double *v, size_t n, size_t *kept)
{
    double *s = lb_xcalloc(n ? n : 1, sizeof *s);
    *kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(v[i]))
            s[(*kept)++] = v[i];
    qsort(s, *kept, sizeof *s, ascending);
    return s;
}

/* Linear interpolation between order statistics (Hyndman & Fan 1996, type 7). */
static double quantile(const double *s, size_t n, double q)
{
    const double at = q * (double)(n - 1);
    const size_t k = (size_t)at;
    return k + 1 < n ? s[k] + (at - (double)k) * (s[k + 1] - s[k]) : s[n - 1];
}

void lb_plot_histogram(lb_axes *a, const double *x, size_t n, size_t bins, lb_style style,
                       const char *label)
{
    lb_mark *m = mark(a, LB_MARK_HISTOGRAM, n, style, label);
    size_t kept;
    check(a, m, x);
    double *s = sorted(x, n, &kept);
    m->n = 0;
    if (a->figure->err.status == LB_OK) {
        const double range = s[kept - 1] - s[0];
        const double iqr = quantile(s, kept, 0.75) - quantile(s, kept, 0.25);
        const double width = 2 * iqr / cbrt((double)kept);
        if (bins == 0)
            bins = width > 0 ? (size_t)fmin(fmax(ceil(range / width), 5), 80) : 1;
        const double from = range > 0 ? s[0] : s[0] - 0.5,
                     step = (range > 0 ? range : 1) / (double)bins;
        m->n = bins;
        m->x = lb_xcalloc(bins + 1, sizeof *m->x);
        m->y = lb_xcalloc(bins, sizeof *m->y);
        for (size_t i = 0; i <= bins; i++)
            m->x[i] = from + (double)i * step;
        for (size_t i = 0; i < kept; i++) {
            const size_t k = (size_t)((s[i] - from) / step);
            m->y[k < bins ? k : bins - 1]++;
        }
    }
    free(s);
}

/* y = {low whisker, first quartile, median, third quartile, high whisker} */
void lb_plot_box(lb_axes *a, double at, const double *values, size_t n, lb_style style,
                 const char *label)
{
    lb_mark *m = mark(a, LB_MARK_BOX, n, style, label);
    size_t kept;
    check(a, m, values);
    double *s = sorted(values, n, &kept);
    m->n = 0;
    if (a->figure->err.status == LB_OK) {
        const double q1 = quantile(s, kept, 0.25), q3 = quantile(s, kept, 0.75);
        size_t lo = 0, hi = kept - 1;
        while (s[lo] < q1 - 1.5 * (q3 - q1))
            lo++;
        while (s[hi] > q3 + 1.5 * (q3 - q1))
            hi--;
        m->n = 5;
        m->x = copy((double[]){at, at, at, at, at}, 5);
        m->y =
            copy((double[]){fmin(s[lo], q1), q1, quantile(s, kept, 0.5), q3, fmax(s[hi], q3)}, 5);
    }
    free(s);
}
