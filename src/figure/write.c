/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figure/inside.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each file is made in memory and then written whole. */

static const double png_scale = 192.0 / 72.0;

static cairo_status_t append(void *closure, const unsigned char *data, unsigned int length)
{
    lb_text_addn(closure, (const char *)data, length);
    return CAIRO_STATUS_SUCCESS;
}

/* Draw onto the surface and finish it; the first trouble cairo had. */
static cairo_status_t render(lb_figure *f, cairo_surface_t *surface, double scale)
{
    cairo_t *cr = cairo_create(surface);
    cairo_scale(cr, scale, scale);
    lb_canvas_target(&f->canvas, cr);
    lb_figure_draw(f);
    cairo_show_page(cr);
    const cairo_status_t st = cairo_status(cr);
    cairo_destroy(cr);
    return st;
}

static cairo_status_t make_png(lb_figure *f, lb_text *out)
{
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(f->width * png_scale),
                                                    (int)(f->height * png_scale));
    cairo_status_t st = render(f, s, png_scale);
    if (st == CAIRO_STATUS_SUCCESS)
        st = cairo_surface_write_to_png_stream(s, append, out);
    cairo_surface_destroy(s);
    return st;
}

/* The title for those who hear it: "R^{2} against noise\nE01" as "R2 against noise: E01". */
static char *plain_title(const lb_figure *f)
{
    lb_text out = {0};
    for (const char *p = f->title; *p; p++)
        if ((*p == '^' || *p == '_') && p[1] == '{')
            p++;
        else if (*p == '\n')
            lb_text_add(&out, ": ");
        else if (*p != '}')
            lb_text_addn(&out, p, 1);
    return lb_text_take(&out);
}

static cairo_status_t make_pdf(lb_figure *f, lb_text *out)
{
    cairo_surface_t *s = cairo_pdf_surface_create_for_stream(append, out, f->width, f->height);
    /* cairo takes the clock otherwise, and the bytes would never be the same twice */
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATE_DATE, "2026-01-01T00:00:00Z");
    char *title = plain_title(f);
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_TITLE, title);
    free(title);
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_SUBJECT, f->alt);
    cairo_status_t st = render(f, s, 1);
    cairo_surface_finish(s);
    st = st == CAIRO_STATUS_SUCCESS ? cairo_surface_status(s) : st;
    cairo_surface_destroy(s);
    return st;
}

static void add_escaped(lb_text *t, const char *s)
{
    for (; *s; s++)
        if (*s == '&' || *s == '<' || *s == '>')
            lb_text_add(t, *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : "&gt;");
        else
            lb_text_addn(t, *s == '\n' ? " " : s, 1);
}

/* Length of a property at @p s that only repeats the default, or 0. */
static size_t default_property(const char *s)
{
    static const char *const property[] = {"fill-rule:nonzero;", "fill-opacity:1;",
                                           "stroke-opacity:1;", "stroke-linecap:butt;",
                                           "stroke-miterlimit:10;"};
    for (size_t i = 0; i < sizeof property / sizeof property[0]; i++)
        if (strncmp(s, property[i], strlen(property[i])) == 0)
            return strlen(property[i]);
    return 0;
}

/* Copy @p length bytes of SVG with numbers to 0.01 pt, which is what a printer can show and a third
 * shorter; transformations keep theirs. */
static void add_rounded(lb_text *out, const char *s, size_t length)
{
    for (const char *end = s + length; s < end;) {
        const size_t whole = strspn(s, "0123456789");
        const size_t part = whole && s[whole] == '.' ? strspn(s + whole + 1, "0123456789") : 0;
        size_t n = whole ? whole : 1;
        const size_t skipped = *s == 'f' || *s == 's' ? default_property(s) : 0;
        if (skipped) {
            n = skipped;
        } else if (strncmp(s, "matrix(", 7) == 0) {
            n = strcspn(s, ")");
            lb_text_addn(out, s, n);
        } else if (part > 2) {
            n = whole + 1 + part;
            char text[64];
            snprintf(text, sizeof text, "%.2f", strtod(s, NULL));
            size_t keep = strlen(text);
            while (text[keep - 1] == '0')
                keep--;
            lb_text_addn(out, text, text[keep - 1] == '.' ? keep - 1 : keep);
        } else {
            n += part ? 1 + part : 0;
            lb_text_addn(out, s, n);
        }
        s += n;
    }
}

/* The next number in an id or reference of a surface or image, and how long it is; or NULL. */
static const char *surface_number(const char *s, size_t *digits)
{
    static const char *const name[] = {"surface", "image"};
    for (; (s = strpbrk(s, "\"#")); s++)
        for (size_t i = 0; i < 2; i++) {
            const size_t n = strlen(name[i]);
            *digits = strncmp(s + 1, name[i], n) ? 0 : strspn(s + 1 + n, "0123456789");
            if (*digits > 0 && *digits < 20)
                return s + 1 + n;
        }
    return NULL;
}

/* The number of a surface in the order of appearance. cairo counts all surfaces of the process,
 * which would make the bytes depend on the figures drawn before. */
static size_t surface_rank(char known[][24], size_t *n, size_t most, const char *id, size_t digits)
{
    size_t k = 0;
    while (k < *n && (strlen(known[k]) != digits || strncmp(known[k], id, digits)))
        k++;
    if (k == *n && *n < most)
        snprintf(known[(*n)++], 24, "%.*s", (int)digits, id);
    return k + 1;
}

/* Title and description after the <svg ...> tag; short numbers; surfaces numbered from one. */
static void finish_svg(const lb_figure *f, const char *svg, lb_text *out)
{
    enum { SURFACES = 64 };
    const char *tag = strstr(svg, "<svg "), *rest = tag ? strchr(tag, '>') : NULL;
    char known[SURFACES][24];
    size_t n = 0;
    if (!rest)
        return;
    lb_text_addn(out, svg, (size_t)(rest - svg));
    lb_text_add(out, " role=\"img\">\n<title>");
    char *title = plain_title(f);
    add_escaped(out, title);
    free(title);
    lb_text_add(out, "</title>\n<desc>");
    add_escaped(out, f->alt);
    lb_text_add(out, "</desc>");
    for (const char *p = rest + 1, *hit; *p;) {
        size_t digits;
        if (!(hit = surface_number(p, &digits))) {
            add_rounded(out, p, strlen(p));
            break;
        }
        add_rounded(out, p, (size_t)(hit - p));
        lb_text_printf(out, "%zu", surface_rank(known, &n, SURFACES, hit, digits));
        p = hit + digits;
    }
}

static cairo_status_t make_svg(lb_figure *f, lb_text *out)
{
    lb_text raw = {0};
    cairo_surface_t *s = cairo_svg_surface_create_for_stream(append, &raw, f->width, f->height);
    cairo_status_t st = render(f, s, 1);
    cairo_surface_finish(s);
    st = st == CAIRO_STATUS_SUCCESS ? cairo_surface_status(s) : st;
    cairo_surface_destroy(s);
    if (st == CAIRO_STATUS_SUCCESS)
        finish_svg(f, raw.s, out);
    lb_text_free(&raw);
    return st;
}

lb_status lb_figure_write(lb_figure *f, lb_error *err)
{
    static const struct {
        const char *extension;
        cairo_status_t (*make)(lb_figure *, lb_text *);
    } file[] = {{"svg", make_svg}, {"pdf", make_pdf}, {"png", make_png}};
    lb_status st = LB_OK;
    for (size_t i = 0; i < sizeof file / sizeof file[0] && st == LB_OK; i++) {
        lb_text data = {0};
        char *path = lb_xprintf("%s.%s", f->stem, file[i].extension);
        const cairo_status_t drawn = file[i].make(f, &data);
        if (drawn != CAIRO_STATUS_SUCCESS || !data.s)
            st = LB_FAIL(err, LB_EIO, "%s: cannot be drawn: %s", path,
                         cairo_status_to_string(drawn));
        else
            st = lb_file_write(path, data.s, data.length, err);
        lb_text_free(&data);
        free(path);
    }
    return st;
}
