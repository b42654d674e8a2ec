/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/gate_noise.h"

#include "core/random.h"

#include <math.h>

#define TAG ((uint64_t)0x67 << 56) /* keeps these streams apart from others of the same seed */
enum { ROW_BITS = 40, MOST_DRAWS = 65536 };

lb_status lb_gate_noise(uint64_t seed, size_t draw, const size_t *rows, double sigma, lb_cvec x,
                        lb_vec out, lb_error *err)
{
    if (out.n != x.n)
        return LB_FAIL(err, LB_ESHAPE, "%zu labels into %zu places", x.n, out.n);
    if (!(sigma >= 0.0) || isinf(sigma))
        return LB_FAIL(err, LB_EINVAL, "sigma = %g, must be finite and not negative", sigma);
    if (draw >= MOST_DRAWS)
        return LB_FAIL(err, LB_EINVAL, "draw %zu, must be below %d", draw, MOST_DRAWS);
    for (size_t i = 0; i < x.n; i++) {
        const uint64_t row = rows ? rows[i] : i;
        if (row >> ROW_BITS)
            return LB_FAIL(err, LB_EINVAL, "row %llu is beyond 2^%d", (unsigned long long)row,
                           ROW_BITS);
        if (!isfinite(x.data[i]))
            return LB_FAIL(err, LB_ENUMERIC, "the label of row %llu is %g", (unsigned long long)row,
                           x.data[i]);
        lb_rng r = lb_rng_make(seed, TAG | (uint64_t)draw << ROW_BITS | row);
        out.data[i] = sigma > 0.0 ? x.data[i] + sigma * lb_rng_normal(&r) : x.data[i];
    }
    return LB_OK;
}

size_t lb_clamp(lb_vec x, double lo, double hi)
{
    size_t moved = 0;
    for (size_t i = 0; i < x.n; i++) {
        const double was = x.data[i];
        x.data[i] = was < lo ? lo : was > hi ? hi : was;
        moved += was < lo || was > hi;
    }
    return moved;
}
