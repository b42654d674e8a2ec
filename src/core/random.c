/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/random.h"

#include <Random123/philox.h>
#include <math.h>

lb_rng lb_rng_make(uint64_t seed, uint64_t stream)
{
    return (lb_rng){.seed = seed, .stream = stream};
}

/* Block b of the stream: counter (b, stream), key seed; four 32-bit words. */
static uint32_t next_word(lb_rng *r)
{
    const unsigned lane = (unsigned)(r->position & 3u);
    if (lane == 0) {
        const uint64_t b = r->position >> 2;
        const philox4x32_ctr_t counter = {
            {(uint32_t)b, (uint32_t)(b >> 32), (uint32_t)r->stream, (uint32_t)(r->stream >> 32)}};
        const philox4x32_key_t key = {{(uint32_t)r->seed, (uint32_t)(r->seed >> 32)}};
        const philox4x32_ctr_t word = philox4x32(counter, key);
        for (int i = 0; i < 4; i++)
            r->buffer[i] = word.v[i];
    }
    r->position++;
    return r->buffer[lane];
}

static uint64_t next_long(lb_rng *r)
{
    const uint64_t low = next_word(r);
    return (uint64_t)next_word(r) << 32 | low;
}

double lb_rng_uniform(lb_rng *r)
{
    return (double)(next_long(r) >> 11) * 0x1p-53;
}

double lb_rng_normal(lb_rng *r)
{
    const double u = 1.0 - lb_rng_uniform(r); /* (0, 1] keeps the logarithm finite */
    const double v = lb_rng_uniform(r);
    return sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * v);
}

size_t lb_rng_below(lb_rng *r, size_t n)
{
    const uint64_t range = (uint64_t)n, limit = UINT64_MAX - UINT64_MAX % range;
    uint64_t x;
    do
        x = next_long(r);
    while (x >= limit);
    return (size_t)(x % range);
}

void lb_rng_shuffle(lb_rng *r, size_t *items, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        const size_t j = lb_rng_below(r, i), kept = items[i - 1];
        items[i - 1] = items[j];
        items[j] = kept;
    }
}
