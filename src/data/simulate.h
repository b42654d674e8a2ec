/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_SIMULATE_H
#define LB_DATA_SIMULATE_H

#include "core/error.h"
#include "core/text.h"
#include "data/grid.h"
#include "data/profile.h"
#include "data/spectra.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * Simulated exposures. A row is a function of (seed, profile, set, row): its labels, its magnitude,
 * the interpolated spectrum over its median with negative values set to 0, and an error
 * proportional to the square root of the sky, scaled so that |flux| / |error| = 8.8 * 10^(-0.48 (i
 * - 20.5)). Sky: 1, rising linearly to 1.3 between 7600 and 8800 A, plus for each OH line 2 *
 * strength * Gaussian(FWHM = wavelength / 5000). The rules are those of data/grid/README.md. With
 * rebin = r, r neighbouring pixels become their mean and the error that of a mean of independent
 * pixels, sqrt(sum e^2) / r; signal to noise rises by about sqrt(r) by both definitions.
 */
typedef struct lb_simulation {
    const lb_profile *profile;
    const char *grid_path, *sky_path; /* data/grid/stellar_grid.h5, data/grid/sky_lines.tsv */
    const char *out;                  /* directory that receives train_0/dataset.h5 ... */
    bool grid_locked; /* two labels of a row, drawn anew each row, sit on nodes of the grid */
    uint64_t seed;
} lb_simulation;

/** The seed of the package's own profiles, and where their grid and sky are. */
#define LB_SIMULATION_SEED 20251203
#define LB_SIMULATION_GRID "data/grid/stellar_grid.h5"
#define LB_SIMULATION_SKY "data/grid/sky_lines.tsv"

/** One row of labels: T_eff, log g, [M/H] and the magnitude i. Exposed for tests. */
typedef struct lb_draw {
    double point[LB_GRID_AXES], magnitude;
} lb_draw;
enum { LB_SET_TRAIN, LB_SET_VAL, LB_SET_TEST };
lb_draw lb_simulate_draw(const lb_simulation *sim, const lb_grid *g, int set, size_t row);

/**
 * The sky of @p sky_path at each wavelength (p). LB_EIO, LB_EFORMAT (names file and line).
 */
lb_status lb_simulate_sky(const char *sky_path, lb_cvec wave, double *sky, lb_error *err);

/**
 * Write all shards of the profile that are not there yet with the same settings. Memory: one block
 * of rows a thread, whatever the profile.
 * @param report  what was made and kept, achieved signal to noise, coverage of the nine bins
 * @return LB_OK; LB_EIO (disk full, unwritable); LB_EINVAL (other training shards in @c out that
 *         would be read along); what lb_grid_load() and lb_simulate_sky() say
 */
lb_status lb_simulate(const lb_simulation *sim, lb_text *report, lb_error *err);

/**
 * The same rows without a file: each is made when it is read, with the bits that the shards would
 * hold. Every pass makes them anew, about 0.2 ms of one core a row of 4,096 pixels. The label "snr"
 * is missing, which is known only of made rows (lb_spectra_snr()). The hash is that of the
 * settings: it identifies the data as well as the hash of their content, and is another.
 * @param sim  profile must outlive @p out; @c out is not used
 * @param set  LB_SET_TRAIN ...
 * @param out  the caller closes it
 * @return LB_OK; what lb_grid_load() and lb_simulate_sky() say
 */
lb_status lb_simulate_source(const lb_simulation *sim, int set, lb_spectra **out, lb_error *err);

#endif
