/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_ELEMENTARY_H
#define LB_DATA_ELEMENTARY_H

#include <stdint.h>

/**
 * e^x for |x| < 700, relative error < 1e-15 or so; plain arithmetic, so a loop over it vectorises
 * and gives the same bits on every CPU (the C library picks its variant by CPU). Method: x = k ln 2
 * + r with |r| <= ln 2 / 2 (Cody & Waite's two-part ln 2), Taylor series to r^13, whose next term
 * is below 5e-18; 2^k by its bits.
 */
static inline double lb_exp(double x)
{
    const double shift = 0x1.8p52; /* adding it rounds to the nearest integer */
    const double k = (x * 1.4426950408889634 + shift) - shift;
    const double r = (x - k * 0x1.62e42fefa0000p-1) - k * 0x1.cf79abc9e3b3ap-40;
    double s = 1.0 / 6227020800.0;
    s = s * r + 1.0 / 479001600.0;
    s = s * r + 1.0 / 39916800.0;
    s = s * r + 1.0 / 3628800.0;
    s = s * r + 1.0 / 362880.0;
    s = s * r + 1.0 / 40320.0;
    s = s * r + 1.0 / 5040.0;
    s = s * r + 1.0 / 720.0;
    s = s * r + 1.0 / 120.0;
    s = s * r + 1.0 / 24.0;
    s = s * r + 1.0 / 6.0;
    s = s * r + 0.5;
    s = s * r + 1.0;
    s = s * r + 1.0;
    union {
        double value;
        uint64_t bits;
    } power = {.value = k + (shift + 1023.0)}; /* the low bits now hold k + 1023 */
    power.bits <<= 52;
    return s * power.value;
}

/** 10^x, relative error < 1e-15 |x| or so, likewise. */
static inline double lb_power_of_ten(double x)
{
    return lb_exp(2.302585092994046 * x);
}

#endif
