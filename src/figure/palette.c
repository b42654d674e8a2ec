/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figure/palette.h"

#include <math.h>
#include <stdint.h>

static lb_colour rgb(uint32_t hex)
{
    return (lb_colour){(hex >> 16 & 255) / 255.0, (hex >> 8 & 255) / 255.0, (hex & 255) / 255.0, 1};
}

/* Okabe & Ito without black, in the order in which neighbours differ most. */
static const uint32_t okabe_ito[] = {0x0072b2, 0xd55e00, 0x009e73, 0xe69f00,
                                     0x56b4e9, 0xcc79a7, 0xf0e442};
enum { CATEGORIES = sizeof okabe_ito / sizeof okabe_ito[0] };

lb_style lb_style_role(lb_role role)
{
    static const struct {
        uint32_t colour;
        lb_marker marker;
        lb_dash dash;
        lb_hatch hatch;
        double width;
    } look[] = {
        [LB_GLOBAL] = {0xd55e00, LB_SQUARE, LB_DASHED, LB_HATCH_UP, 1.3},
        [LB_MIXTURE] = {0x0072b2, LB_CIRCLE, LB_SOLID, LB_PLAIN, 1.3},
        [LB_ORACLE] = {0x009e73, LB_TRIANGLE, LB_DASHDOT, LB_HATCH_DOTS, 1.3},
        [LB_CONDITIONAL] = {0xe69f00, LB_DIAMOND, LB_DOTTED, LB_HATCH_DOWN, 1.3},
        [LB_NEUTRAL] = {0x4d4d4d, LB_CIRCLE, LB_SOLID, LB_PLAIN, 1.0},
        [LB_MUTED] = {0xb3b3b3, LB_CIRCLE, LB_SOLID, LB_PLAIN, 1.0},
        [LB_THRESHOLD] = {0x1a1a1a, LB_MARKER_NONE, LB_DASHED, LB_PLAIN, 0.9},
        [LB_REFERENCE] = {0x808080, LB_MARKER_NONE, LB_SOLID, LB_PLAIN, 0.6},
    };
    return (lb_style){.colour = rgb(look[role].colour),
                      .marker = look[role].marker,
                      .dash = look[role].dash,
                      .hatch = look[role].hatch,
                      .width = look[role].width,
                      .size = 5.0};
}

static const lb_marker markers[] = {LB_CIRCLE,  LB_SQUARE,        LB_TRIANGLE,
                                    LB_DIAMOND, LB_TRIANGLE_DOWN, LB_CROSS};
enum { MARKERS = sizeof markers / sizeof markers[0] };

lb_style lb_style_category(size_t i)
{
    return (lb_style){.colour = rgb(okabe_ito[i % CATEGORIES]),
                      .marker = markers[i % MARKERS],
                      .dash = (lb_dash)(i % 4),
                      .hatch = (lb_hatch)((i + i / 4) % 4),
                      .width = 1.3,
                      .size = 5.0};
}

lb_style lb_style_ordered(size_t i, size_t n)
{
    /* The last tenth of viridis is too pale for a line on white. */
    const double t = n > 1 ? 0.9 * (double)i / (double)(n - 1) : 0.4;
    return (lb_style){.colour = lb_map_colour(LB_VIRIDIS, t),
                      .marker = markers[i % MARKERS],
                      .dash = LB_SOLID,
                      .hatch = (lb_hatch)(i % 4),
                      .width = 1.3,
                      .size = 4.5};
}

/* Sixteen equidistant stops, linear between them: viridis by van der Walt & Smith (2015, CC0),
 * cividis by Nunez, Anderton & Renslow (2018, PLoS ONE 13, e0199239), the balance from the eleven
 * classes of RdBu by Harrower & Brewer (2003, Cartogr. J. 40, 27), which the colour-blind can read.
 */
enum { STOPS = 16 };
static const uint32_t stops[][STOPS] = {
    [LB_VIRIDIS] = {0x440154, 0x481a6c, 0x472f7d, 0x414487, 0x39568c, 0x31688e, 0x2a788e, 0x23888e,
                    0x1f988b, 0x22a884, 0x35b779, 0x54c568, 0x7ad151, 0xa5db36, 0xd2e21b, 0xfde725},
    [LB_CIVIDIS] = {0x002051, 0x022c65, 0x14386d, 0x2b446e, 0x42506e, 0x575c6e, 0x696970, 0x787573,
                    0x868276, 0x948f78, 0xa49d78, 0xb6ab73, 0xcaba6a, 0xe0c95d, 0xf2d950, 0xfdea45},
    [LB_BALANCE] = {0x053061, 0x185493, 0x2c75b4, 0x4393c3, 0x78b4d5, 0xa7d0e4, 0xd1e5f0, 0xeaf1f5,
                    0xf9eee7, 0xfddbc7, 0xf7b799, 0xea8e70, 0xd6604d, 0xbe3036, 0x991027, 0x67001f},
};

lb_colour lb_map_colour(lb_map map, double t)
{
    if (isnan(t))
        return (lb_colour){1, 1, 1, 1};
    const double at = fmin(fmax(t, 0), 1) * (STOPS - 1);
    const size_t k = at >= STOPS - 1 ? STOPS - 2 : (size_t)at;
    const double u = at - (double)k;
    const lb_colour p = rgb(stops[map][k]), q = rgb(stops[map][k + 1]);
    return (lb_colour){p.r + u * (q.r - p.r), p.g + u * (q.g - p.g), p.b + u * (q.b - p.b), 1};
}

static double linear(double v)
{
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

double lb_luminance(lb_colour c)
{
    return 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b);
}

lb_colour lb_text_on(lb_colour background)
{
    const double l = lb_luminance(background);
    const double white = 1.05 / (l + 0.05), black = (l + 0.05) / 0.05;
    return white > black ? (lb_colour){1, 1, 1, 1} : (lb_colour){0, 0, 0, 1};
}
