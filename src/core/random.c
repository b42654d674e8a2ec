/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/random.h"

#include "core/philox.h"

#include <Random123/philox.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { SIDE = LB_PHILOX_SIDE }; /* blocks at a time, two numbers of 64 bits each */

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

/* The numbers of SIDE blocks from where the stream stands. */
static void side_by_side(const lb_rng *r, uint64_t *out)
{
    uint32_t w[4][SIDE];
    lb_philox(r->seed, r->position >> 2, r->stream, w);
    for (size_t i = 0; i < SIDE; i++) {
        out[2 * i] = (uint64_t)w[1][i] << 32 | w[0][i];
        out[2 * i + 1] = (uint64_t)w[3][i] << 32 | w[2][i];
    }
}

void lb_rng_bits(lb_rng *r, uint64_t *out, size_t n)
{
    size_t i = 0;
    if (n && (r->position & 3u)) /* the second half of a block */
        out[i++] = next_long(r);
    for (; i + 2 * SIDE <= n; i += 2 * SIDE, r->position += 4 * SIDE)
        side_by_side(r, out + i);
    if (i + 2 <= n) {
        uint64_t rest[2 * SIDE];
        const size_t whole = (n - i) / 2 * 2;
        side_by_side(r, rest);
        memcpy(out + i, rest, whole * sizeof *rest);
        r->position += 2 * whole;
        i += whole;
    }
    if (i < n)
        out[i] = next_long(r);
}

/* Whether x % n is as likely as any other: x lies below the last whole multiple of n. */
static bool is_fair(uint64_t x, uint64_t n)
{
    return x <= UINT64_MAX - n || x < UINT64_MAX - UINT64_MAX % n;
}

size_t lb_rng_below(lb_rng *r, size_t n)
{
    uint64_t x;
    do
        x = next_long(r);
    while (!is_fair(x, n));
    return (size_t)(x % n);
}

/* x % n, with inverse = (2^64 - 1) / n: the quotient comes out at most two too small. */
static size_t remainder_of(uint64_t x, uint64_t n, uint64_t inverse)
{
    uint64_t rest = x - (uint64_t)((unsigned __int128)x * inverse >> 64) * n;
    rest -= rest >= n ? n : 0;
    rest -= rest >= n ? n : 0;
    return (size_t)rest;
}

void lb_rng_below_each(lb_rng *r, size_t n, size_t *out, size_t count)
{
    uint64_t x[2 * SIDE];
    const uint64_t inverse = UINT64_MAX / n;
    for (size_t done = 0; done < count;) {
        const size_t most = count - done < 2 * SIDE ? count - done : 2 * SIDE;
        size_t fair = 0;
        lb_rng_bits(r, x, most);
        for (size_t k = 0; k < most; k++) { /* what is rejected is written over */
            out[done + fair] = remainder_of(x[k], n, inverse);
            fair += is_fair(x[k], n);
        }
        done += fair;
    }
}

void lb_rng_shuffle(lb_rng *r, size_t *items, size_t n)
{
    uint64_t x[2 * SIDE];
    for (size_t i = n; i > 1;) {
        const size_t most = i - 1 < 2 * SIDE ? i - 1 : 2 * SIDE;
        lb_rng_bits(r, x, most);
        for (size_t k = 0; k < most; k++) {
            if (!is_fair(x[k], i))
                continue;
            const size_t j = (size_t)(x[k] % i), kept = items[--i];
            items[i] = items[j];
            items[j] = kept;
        }
    }
}
