/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_FIGURE_PALETTE_H
#define LB_FIGURE_PALETTE_H

#include <stdbool.h>
#include <stddef.h>

/* Colours and the styles made of them. Nothing is told by colour alone: every style also carries a
 * marker, a dash and a hatch of its own. */

typedef struct lb_colour {
    double r, g, b, a; /* sRGB and opacity, 0..1 */
} lb_colour;

typedef enum lb_marker {
    LB_MARKER_NONE,
    LB_CIRCLE,
    LB_SQUARE,
    LB_DIAMOND,
    LB_TRIANGLE,
    LB_TRIANGLE_DOWN,
    LB_STAR,
    LB_CROSS,
} lb_marker;
typedef enum lb_dash { LB_SOLID, LB_DASHED, LB_DOTTED, LB_DASHDOT } lb_dash;
typedef enum lb_hatch { LB_PLAIN, LB_HATCH_UP, LB_HATCH_DOWN, LB_HATCH_DOTS } lb_hatch;

/** How a mark looks. Plain record: take one of the presets below and change a field. */
typedef struct lb_style {
    lb_colour colour;
    lb_marker marker;
    lb_dash dash;
    lb_hatch hatch; /* of bars */
    double width;   /* stroke, pt */
    double size;    /* marker diameter, pt */
    bool hollow;    /* marker white inside */
} lb_style;

/** What a series means in this programme; the same thing has the same look in every figure. */
typedef enum lb_role {
    LB_GLOBAL,      /* vermilion, square, dashed */
    LB_MIXTURE,     /* blue, circle, solid */
    LB_ORACLE,      /* bluish green, triangle */
    LB_CONDITIONAL, /* orange, diamond */
    LB_NEUTRAL,     /* dark grey */
    LB_MUTED,       /* light grey, for what stands in the background */
    LB_THRESHOLD,   /* black dashed line: a decision threshold */
    LB_REFERENCE,   /* grey thin line: zero, identity, a mean */
} lb_role;

lb_style lb_style_role(lb_role role);

/** The @p i-th category by Okabe & Ito (2008, "Color universal design"); after 7 they repeat. */
lb_style lb_style_category(size_t i);

/** Step @p i of @p n ordered values (noise levels, sizes): viridis, with markers and dashes. */
lb_style lb_style_ordered(size_t i, size_t n);

/** Viridis and cividis climb in lightness; the balance is lightest in the middle, for values with a
 * sign: give it a range that has zero there. */
typedef enum lb_map { LB_VIRIDIS, LB_CIVIDIS, LB_BALANCE } lb_map;

/** Colour of @p t in 0..1 (clamped; NaN is white). */
lb_colour lb_map_colour(lb_map map, double t);

/** Black or white, whichever contrasts more with @p background (WCAG 2 relative luminance). */
lb_colour lb_text_on(lb_colour background);
double lb_luminance(lb_colour c); /* 0 black .. 1 white */

#endif
