/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/random.h"

#include "core/philox.h"

#include <Random123/philox.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

/* Known answers of Random123 (tests/kat_vectors, philox4x32, 10 rounds). */
static const struct {
    uint32_t counter[4], key[2], expected[4];
} kat[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

Test(random, philox_of_this_compiler_gives_the_known_answers)
{
    for (size_t i = 0; i < sizeof kat / sizeof *kat; i++) {
        philox4x32_ctr_t c;
        philox4x32_key_t k;
        memcpy(c.v, kat[i].counter, sizeof kat[i].counter);
        memcpy(k.v, kat[i].key, sizeof kat[i].key);
        const philox4x32_ctr_t out = philox4x32(c, k);
        for (int j = 0; j < 4; j++)
            cr_expect(eq(u32, out.v[j], kat[i].expected[j]), "vector %zu, word %d", i, j);
    }
}

/* The 53-bit uniform of two 32-bit words, low word first. */
static double of_words(uint32_t low, uint32_t high)
{
    return (double)(((uint64_t)high << 32 | low) >> 11) * 0x1p-53;
}

/* Block b of stream s under seed k is philox(counter = (b, s), key = k). */
Test(random, the_stream_is_philox_in_the_documented_order)
{
    lb_rng zero = lb_rng_make(0, 0);
    cr_expect(eq(dbl, lb_rng_uniform(&zero), of_words(kat[0].expected[0], kat[0].expected[1])));
    cr_expect(eq(dbl, lb_rng_uniform(&zero), of_words(kat[0].expected[2], kat[0].expected[3])));

    const uint64_t seed = 0x123456789abcdef0u, stream = 0xfedcba9876543210u;
    lb_rng r = lb_rng_make(seed, stream);
    for (uint32_t b = 0; b < 5; b++) {
        const philox4x32_ctr_t c = {{b, 0, (uint32_t)stream, (uint32_t)(stream >> 32)}};
        const philox4x32_key_t k = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
        const philox4x32_ctr_t w = philox4x32(c, k);
        cr_expect(eq(dbl, lb_rng_uniform(&r), of_words(w.v[0], w.v[1])));
        cr_expect(eq(dbl, lb_rng_uniform(&r), of_words(w.v[2], w.v[3])));
    }
}

Test(random, seed_and_stream_are_both_part_of_the_key)
{
    lb_rng a = lb_rng_make(42, 0), b = lb_rng_make(43, 0), c = lb_rng_make(42, 1);
    lb_rng again = lb_rng_make(42, 0);
    const double x = lb_rng_uniform(&a);
    cr_expect(ne(dbl, x, lb_rng_uniform(&b)));
    cr_expect(ne(dbl, x, lb_rng_uniform(&c)));
    cr_expect(eq(dbl, x, lb_rng_uniform(&again)));
}

/* 100 cells, 100,000 draws: chi-square with 99 degrees of freedom has mean 99 and sd 14. */
Test(random, uniforms_fill_the_interval_evenly)
{
    enum { CELLS = 100, N = 100000 };
    size_t count[CELLS] = {0};
    lb_rng r = lb_rng_make(20251203, 3);
    for (size_t i = 0; i < N; i++) {
        const double u = lb_rng_uniform(&r);
        cr_assert(u >= 0.0 && u < 1.0);
        count[(size_t)(u * CELLS)]++;
    }
    double chi2 = 0.0;
    for (size_t k = 0; k < CELLS; k++) {
        const double d = (double)count[k] - (double)N / CELLS;
        chi2 += d * d / ((double)N / CELLS);
    }
    cr_expect(chi2 > 99 - 4 * 14 && chi2 < 99 + 4 * 14, "chi-square %g", chi2);
}

/* Moments of N(0, 1) within five standard errors of their estimates. */
Test(random, normals_have_the_moments_of_a_normal)
{
    enum { N = 200000 };
    double m[5] = {0}, lag = 0.0, before = 0.0;
    lb_rng r = lb_rng_make(7, 7);
    for (size_t i = 0; i < N; i++) {
        const double z = lb_rng_normal(&r);
        cr_assert(isfinite(z));
        for (int k = 1; k < 5; k++)
            m[k] += pow(z, k) / N;
        lag += z * before / N;
        before = z;
    }
    const double s = 5.0 / sqrt(N);
    cr_expect(epsilon_eq(dbl, m[1], 0.0, s));
    cr_expect(epsilon_eq(dbl, m[2], 1.0, s * sqrt(2)));
    cr_expect(epsilon_eq(dbl, m[3], 0.0, s * sqrt(15)));
    cr_expect(epsilon_eq(dbl, m[4], 3.0, s * sqrt(96)));
    cr_expect(epsilon_eq(dbl, lag, 0.0, s));
}

/* 7 does not divide 2^64, so a plain remainder would be biased; here every count is within five
 * standard errors, and the bound itself is never returned. */
Test(random, below_is_unbiased)
{
    enum { K = 7, N = 140000 };
    size_t count[K] = {0};
    lb_rng r = lb_rng_make(1, 2);
    for (size_t i = 0; i < N; i++) {
        const size_t k = lb_rng_below(&r, K);
        cr_assert(lt(sz, k, K));
        count[k]++;
    }
    for (size_t k = 0; k < K; k++)
        cr_expect(epsilon_eq(dbl, (double)count[k], (double)N / K, 5.0 * sqrt((double)N / K)));
}

/* With n = 3 * 2^62 a plain remainder puts 1/2 instead of 1/3 of the draws into the lowest third.
 */
Test(random, below_rejects_the_uneven_tail)
{
    enum { N = 20000 };
    const size_t n = (size_t)3 << 62;
    size_t low = 0;
    lb_rng r = lb_rng_make(5, 5);
    for (size_t i = 0; i < N; i++)
        low += lb_rng_below(&r, n) < n / 3;
    cr_expect(epsilon_eq(dbl, (double)low / N, 1.0 / 3.0, 5.0 * sqrt(2.0 / 9.0 / N)));
}

Test(random, below_one_is_zero)
{
    lb_rng r = lb_rng_make(9, 9);
    for (int i = 0; i < 10; i++)
        cr_expect(eq(sz, lb_rng_below(&r, 1), 0));
}

Test(random, shuffle_keeps_every_item_and_moves_each_everywhere)
{
    enum { N = 5, TRIALS = 20000 };
    size_t at[N][N] = {{0}};
    lb_rng r = lb_rng_make(3, 1);
    for (size_t t = 0; t < TRIALS; t++) {
        size_t items[N] = {0, 1, 2, 3, 4}, seen = 0;
        lb_rng_shuffle(&r, items, N);
        for (size_t i = 0; i < N; i++) {
            seen |= (size_t)1 << items[i];
            at[items[i]][i]++;
        }
        cr_assert(eq(sz, seen, 31));
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            cr_expect(epsilon_eq(dbl, (double)at[i][j], TRIALS / 5.0, 5.0 * sqrt(TRIALS * 0.16)));
    lb_rng_shuffle(&r, NULL, 0);
}

/* Counters next to a carry into the second word, keys and counters with all kinds of bits. */
Test(random, every_version_of_philox_gives_the_bits_of_random123)
{
    const uint64_t cases[][3] = {{0, 0, 0},
                                 {0x123456789abcdef0, 0x00000007fffffff9, 0xfedcba9876543210},
                                 {UINT64_MAX, UINT64_MAX - 5, UINT64_MAX}};
    for (size_t q = 0; q < sizeof cases / sizeof *cases; q++)
        for (int version = 0; version <= 2; version++) {
            lb_philox_loop *loop = lb_philox_version(version);
            uint32_t out[4][LB_PHILOX_SIDE];
            const philox4x32_key_t key = {{(uint32_t)cases[q][0], (uint32_t)(cases[q][0] >> 32)}};
            if (!loop)
                continue;
            loop(cases[q][0], cases[q][1], cases[q][2], out);
            for (uint64_t i = 0; i < LB_PHILOX_SIDE; i++) {
                const uint64_t first = cases[q][1] + i, second = cases[q][2];
                const philox4x32_ctr_t c = {{(uint32_t)first, (uint32_t)(first >> 32),
                                             (uint32_t)second, (uint32_t)(second >> 32)}};
                const philox4x32_ctr_t w = philox4x32(c, key);
                for (int k = 0; k < 4; k++)
                    cr_expect(eq(u32, out[k][i], w.v[k]), "case %zu version %d", q, version);
            }
        }
    cr_expect(lb_philox_version(3) == NULL);
}

/* From even and odd places in a block, as many as fit no whole number of blocks. */
Test(random, bits_are_the_uniforms_to_come)
{
    enum { N = 111 };
    for (size_t n = 0; n < N; n++)
        for (int before = 0; before < 3; before++) {
            uint64_t bits[N];
            lb_rng one = lb_rng_make(77, 5), many;
            for (int i = 0; i < before; i++)
                lb_rng_uniform(&one);
            many = one;
            lb_rng_bits(&many, bits, n);
            for (size_t i = 0; i < n; i++)
                cr_assert(eq(dbl, (double)(bits[i] >> 11) * 0x1p-53, lb_rng_uniform(&one)));
            cr_assert(eq(dbl, lb_rng_uniform(&many), lb_rng_uniform(&one)), "%zu then one", n);
        }
}

/* The largest are rejected about as often as not. */
Test(random, below_each_is_below_again_and_again)
{
    enum { N = 333 };
    const size_t most[] = {
        1, 2, 3, 10000, (size_t)1 << 32, ((size_t)1 << 63) + 1, (size_t)3 << 62, SIZE_MAX};
    for (size_t q = 0; q < sizeof most / sizeof *most; q++) {
        size_t each[N];
        lb_rng one = lb_rng_make(8, q), many = one;
        lb_rng_below_each(&many, most[q], each, N);
        for (size_t i = 0; i < N; i++)
            cr_assert(eq(sz, each[i], lb_rng_below(&one, most[q])), "below %zu", most[q]);
        cr_assert(eq(dbl, lb_rng_uniform(&many), lb_rng_uniform(&one)), "below %zu", most[q]);
    }
}

/* Fisher and Yates, one number at a time. */
Test(random, shuffle_swaps_from_the_end)
{
    enum { N = 100 };
    size_t items[N], slow[N];
    lb_rng one = lb_rng_make(4, 4), many = one;
    for (size_t i = 0; i < N; i++)
        items[i] = slow[i] = i;
    for (size_t i = N; i > 1; i--) {
        const size_t j = lb_rng_below(&one, i), kept = slow[i - 1];
        slow[i - 1] = slow[j];
        slow[j] = kept;
    }
    lb_rng_shuffle(&many, items, N);
    cr_expect(eq(int, memcmp(items, slow, sizeof items), 0));
}
