/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_GRID_H
#define LB_DATA_GRID_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stddef.h>

/**
 * Grid of synthetic stellar spectra, packed as principal components at nodes in (T_eff, log g,
 * [M/H]) and interpolated between them. See data/grid/README.md for origin and limits.
 *
 * normalised flux = mean + coef @ components, ln(continuum) = cont_mean + cont_coef @
 * cont_components; the coefficients of both at a point are the tensor product of cubic splines
 * along the three axes (end condition: not a knot; de Boor, A Practical Guide to Splines, ch. IV).
 * Read-only once loaded, so any number of threads may evaluate it.
 */
typedef struct lb_grid lb_grid;

enum { LB_GRID_AXES = 3 }; /* 0 T_eff [K], 1 log g [dex], 2 [M/H] [dex] */

/** LB_EIO, LB_EFORMAT, LB_ENAME (a dataset is missing), LB_ESHAPE, LB_EINVAL (axis not increasing
 * or with fewer than 4 or more than 64 nodes). */
lb_status lb_grid_load(const char *path, lb_grid **out, lb_error *err);
void lb_grid_free(lb_grid *g);

size_t lb_grid_pixels(const lb_grid *g);
size_t lb_grid_coefficients(const lb_grid *g);    /* of both parts together */
lb_cvec lb_grid_wave(const lb_grid *g);           /* borrowed, Angstrom */
const char *lb_grid_medium(const lb_grid *g);     /* "air" ... */
lb_cvec lb_grid_axis(const lb_grid *g, int axis); /* borrowed nodes */
const char *lb_grid_hash(const lb_grid *g);       /* of the file */

/**
 * The packed coefficients at a point.
 * @param point  T_eff, log g, [M/H] inside the box (edges included)
 * @param coef   out, lb_grid_coefficients()
 * @return LB_OK; LB_EINVAL outside the box or NaN: nothing is extrapolated
 */
lb_status lb_grid_at(const lb_grid *g, const double point[LB_GRID_AXES], double *coef,
                     lb_error *err);

/** Unpack coefficients: @p norm (p, may be NULL) and @p flux (p), erg s-1 cm-2 A-1. */
void lb_grid_unpack(const lb_grid *g, const double *coef, double *norm, double *flux);

/**
 * The packed coefficients at a point, the same bits as lb_grid_at(), and their derivatives, those
 * of the spline itself: no step is chosen. The derivatives are continuous, also across a node, and
 * at an edge of the box they are the inward ones.
 * @param point   as for lb_grid_at()
 * @param coef    out, m = lb_grid_coefficients()
 * @param slopes  out, LB_GRID_AXES x m: row a is d coef / d point[a], per K, per dex, per dex
 * @return LB_OK; LB_EINVAL outside the box or NaN
 */
lb_status lb_grid_slopes(const lb_grid *g, const double point[LB_GRID_AXES], double *coef,
                         double *slopes, lb_error *err);

/**
 * Unpack both: with L = mean + coef @ components and C = cont_mean + cont_coef @ cont_components,
 * flux = L exp(C) and d flux = (dL + L dC) exp(C).
 * @param flux    out (p), the same bits as lb_grid_unpack()
 * @param dflux   out (LB_GRID_AXES, p): row a is d flux / d point[a]
 */
void lb_grid_unpack_slopes(const lb_grid *g, const double *coef, const double *slopes, double *flux,
                           lb_mat dflux);

#endif
