/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_CEILING_H
#define LB_DATA_CEILING_H

#include "core/error.h"
#include "data/grid.h"
#include "linalg/mat.h"

#include <stddef.h>

/**
 * What the information ceiling needs to know about the data sets: the noise-free spectrum of a star
 * as they hold it, the error of its pixels, and how the spectrum moves with the labels.
 *
 * The spectrum is that of data/simulate.h: surface flux over its median, negative values 0, error
 * proportional to sqrt(sky) and scaled to the magnitude, r neighbouring pixels averaged where the
 * profile asks for it (the test holds the two against each other, row by row). With F the surface
 * flux and m its median over the pixels,
 *   mu = F / m,   d mu = dF / m - mu dm / m,   dm = mean of dF over the one or two pixels at which
 * the median sits (of equal ones, the first). A pixel at 0 has slope 0. So mu is continuous, but
 * has a kink wherever the median moves on to another pixel, and the part of its slope that lies
 * along mu jumps there.
 *
 * Slopes come twice, by ways that share neither the spline's derivative nor that of the median:
 *   lb_ceiling_at()          from the spline of the grid, exact, at any point of the box;
 *   lb_ceiling_differences() from the spectra at three neighbouring nodes, by the parabola through
 *                            them: (mu[+1] - mu[-1]) / 2h at inner nodes of an even axis, one-sided
 *                            at the borders. Error: h^2/6 times the third derivative, at a border
 *                            twice that and more.
 * An error's own dependence on the labels is not among them: it counts as known.
 *
 * Example: slopes and error of a solar twin at magnitude 21.5.
 *   lb_ceiling *c;
 *   lb_ceiling_load("data/grid/stellar_grid.h5", "data/grid/sky_lines.tsv", 1, &c, err);
 *   lb_ceiling_work *work = lb_ceiling_work_new(c);
 *   lb_seen seen;
 *   lb_ceiling_at(c, (const double[]){5770.0, 4.44, 0.0}, 21.5, work, &seen, err);
 *   ... seen.slopes (3, p) and seen.error (p) go to lb_fisher_information() ...
 */
typedef struct lb_ceiling lb_ceiling;

/**
 * @param sky_path  as in lb_simulation
 * @param rebin     neighbouring pixels averaged into one, 1 or more (lb_profile)
 * @return LB_OK; what lb_grid_load() and lb_simulate_sky() say; LB_EINVAL (rebin 0); LB_ESHAPE (the
 *         pixels cannot be averaged by it)
 */
lb_status lb_ceiling_load(const char *grid_path, const char *sky_path, size_t rebin,
                          lb_ceiling **out, lb_error *err);
void lb_ceiling_free(lb_ceiling *c); /* NULL is fine */

const lb_grid *lb_ceiling_grid(const lb_ceiling *c); /* borrowed */
size_t lb_ceiling_pixels(const lb_ceiling *c);       /* p, after averaging */
size_t lb_ceiling_nodes(const lb_ceiling *c);        /* of the grid, [M/H] running fastest */
void lb_ceiling_node(const lb_ceiling *c, size_t node, double point[LB_GRID_AXES]);

/** |flux| / |error| of an exposure before pixels are averaged, 8.8 * 10^(-0.48 (magnitude - 20.5)),
 * the same for every star; and the magnitude that has it. Errors scale as 1 / this. */
double lb_ceiling_snr(double magnitude);
double lb_ceiling_magnitude(double snr);

/** Scratch of one thread. */
typedef struct lb_ceiling_work lb_ceiling_work;
lb_ceiling_work *lb_ceiling_work_new(const lb_ceiling *c);
void lb_ceiling_work_free(lb_ceiling_work *w); /* NULL is fine */

/** One star at one magnitude; the arrays belong to the work object and last until its next use. */
typedef struct lb_seen {
    lb_cvec flux, error;     /* (p), in units of the median flux */
    lb_cmat slopes;          /* (LB_GRID_AXES, p): d flux / d T_eff [1/K], log g, [M/H] [1/dex] */
    double snr_norm_ratio;   /* |flux| / |error| over these pixels */
    double snr_median_pixel; /* median over these pixels of flux / error */
    double error_median;     /* over these pixels */
} lb_seen;

/**
 * Flux, error and slopes at a point, by the spline.
 * @param point  inside the box of the grid
 * @return LB_OK; LB_EINVAL (outside; magnitude not within -100 and 100); LB_ENUMERIC (median flux
 * not above 0)
 */
lb_status lb_ceiling_at(const lb_ceiling *c, const double point[LB_GRID_AXES], double magnitude,
                        lb_ceiling_work *work, lb_seen *out, lb_error *err);

/** Spectra of all nodes, which the differences are taken of: nodes x p doubles (24 MB for 720 x
 * 4,096), kept by @p c. By all threads, the same bits for any number. LB_ENUMERIC as above. */
lb_status lb_ceiling_tabulate(lb_ceiling *c, lb_error *err);

/** Flux, error and slopes at a node, by differences. LB_EINVAL (no such node, magnitude,
 * lb_ceiling_tabulate() not called). */
lb_status lb_ceiling_differences(const lb_ceiling *c, size_t node, double magnitude,
                                 lb_ceiling_work *work, lb_seen *out, lb_error *err);

#endif
