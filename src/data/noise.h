/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_NOISE_H
#define LB_DATA_NOISE_H

#include "data/spectra.h"
#include "linalg/stream.h"

#include <stdint.h>

/**
 * z[j] ~ N(0, 1) for the pixels j = 0 .. p-1 of one row, a function of (seed, row, j) alone: Philox
 * 4x32-10 (Salmon et al. 2011) with key = seed and counter (b, 0x6E6F6973, row), then Box-Muller in
 * single precision on 24-bit uniforms, so |z| <= 5.77. Word pairs (0, 1) and (2, 3) of block b =
 * 64 q + i give the cosine and the sine of pixels 256 q + 64 {0, 1} + i and 256 q + 64 {2, 3} + i.
 * The same bits on every x86-64 and for every thread count and block size. Thread-safe.
 */
void lb_normal_row(uint64_t seed, uint64_t row, size_t p, float *z);

/** A split seen through noise. Plain value; the spectra are borrowed. */
typedef struct lb_noisy {
    lb_spectra *spectra;
    double level;  /* nu >= 0, in units of the error of each pixel */
    uint64_t seed; /* of the split: train 42, validation 43, test 44 by default */
} lb_noisy;

/**
 * x + level * error * z, in single precision, z of lb_normal_row(seed, row in the split). Level 0
 * returns the flux bit for bit. A pixel whose error is not a positive finite number gets no noise.
 * @param self  must outlive the stream
 */
lb_stream lb_noisy_stream(lb_noisy *self);

/**
 * The same noisy rows, each pixel over the standard deviation of its noise, level * error: white
 * noise of variance 1 on every row and pixel. A pixel whose error is not a positive finite number
 * becomes 0. Reading fails with LB_EINVAL at level 0, where there is no noise to be whitened.
 * @param self  must outlive the stream
 */
lb_stream lb_whitened_stream(lb_noisy *self);

/** The error vectors themselves, as stored: 1 sigma per pixel at level 1. */
lb_stream lb_error_stream(lb_spectra *spectra);

#endif
