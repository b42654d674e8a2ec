/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/philox.h"

#include <stddef.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { SIDE = LB_PHILOX_SIDE, ROUNDS = 10 };

static const uint32_t factor0 = 0xD2511F53, factor1 = 0xCD9E8D57; /* of a round */
static const uint32_t weyl0 = 0x9E3779B9, weyl1 = 0xBB67AE85;     /* from key to key */

static void side_portable(uint64_t key, uint64_t first, uint64_t second, uint32_t out[4][SIDE])
{
    for (uint64_t i = 0; i < SIDE; i++) {
        uint32_t c0 = (uint32_t)(first + i), c1 = (uint32_t)((first + i) >> 32);
        uint32_t c2 = (uint32_t)second, c3 = (uint32_t)(second >> 32);
        uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
        for (int round = 0; round < ROUNDS; round++, k0 += weyl0, k1 += weyl1) {
            const uint64_t a = (uint64_t)c0 * factor0, b = (uint64_t)c2 * factor1;
            c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
            c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
            c1 = (uint32_t)b;
            c3 = (uint32_t)a;
        }
        out[0][i] = c0;
        out[1][i] = c1;
        out[2][i] = c2;
        out[3][i] = c3;
    }
}

#if defined(__x86_64__)
/* A word in the lower half of 64 bits: there the product of two words has room, and what is left in
 * the upper half is never looked at. */
__attribute__((target("avx512f"))) static void side_avx512(uint64_t key, uint64_t first,
                                                           uint64_t second, uint32_t out[4][SIDE])
{
    enum { LANES = 8, PARTS = SIDE / LANES };
    const __m512i step = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i f0 = _mm512_set1_epi64(factor0), f1 = _mm512_set1_epi64(factor1);
    __m512i c[4][PARTS];
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int p = 0; p < PARTS; p++) {
        c[0][p] = _mm512_add_epi64(_mm512_set1_epi64((int64_t)(first + (uint64_t)p * LANES)), step);
        c[1][p] = _mm512_srli_epi64(c[0][p], 32);
        c[2][p] = _mm512_set1_epi64((int64_t)second);
        c[3][p] = _mm512_srli_epi64(c[2][p], 32);
    }
#pragma GCC unroll 10
    for (int round = 0; round < ROUNDS; round++, k0 += weyl0, k1 += weyl1)
#pragma GCC unroll 2
        for (int p = 0; p < PARTS; p++) {
            const __m512i a = _mm512_mul_epu32(c[0][p], f0), b = _mm512_mul_epu32(c[2][p], f1);
            c[0][p] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(b, 32), c[1][p],
                                                _mm512_set1_epi64(k0), 0x96); /* x ^ y ^ z */
            c[2][p] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(a, 32), c[3][p],
                                                _mm512_set1_epi64(k1), 0x96);
            c[1][p] = b;
            c[3][p] = a;
        }
    for (int k = 0; k < 4; k++)
        for (int p = 0; p < PARTS; p++)
            _mm256_storeu_si256((__m256i *)&out[k][p * LANES], _mm512_cvtepi64_epi32(c[k][p]));
}

__attribute__((target("avx2"))) static void side_avx2(uint64_t key, uint64_t first, uint64_t second,
                                                      uint32_t out[4][SIDE])
{
    enum { LANES = 4 };
    const __m256i step = _mm256_set_epi64x(3, 2, 1, 0);
    const __m256i f0 = _mm256_set1_epi64x(factor0), f1 = _mm256_set1_epi64x(factor1);
    const __m256i low = _mm256_set_epi32(0, 0, 0, 0, 6, 4, 2, 0); /* the lower halves, together */
    for (int i = 0; i < SIDE; i += LANES) {
        uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
        __m256i c[4];
        c[0] = _mm256_add_epi64(_mm256_set1_epi64x((int64_t)(first + (uint64_t)i)), step);
        c[1] = _mm256_srli_epi64(c[0], 32);
        c[2] = _mm256_set1_epi64x((int64_t)second);
        c[3] = _mm256_srli_epi64(c[2], 32);
        for (int round = 0; round < ROUNDS; round++, k0 += weyl0, k1 += weyl1) {
            const __m256i a = _mm256_mul_epu32(c[0], f0), b = _mm256_mul_epu32(c[2], f1);
            c[0] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(b, 32), c[1]),
                                    _mm256_set1_epi64x(k0));
            c[2] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(a, 32), c[3]),
                                    _mm256_set1_epi64x(k1));
            c[1] = b;
            c[3] = a;
        }
        for (int k = 0; k < 4; k++)
            _mm_storeu_si128((__m128i *)&out[k][i],
                             _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(c[k], low)));
    }
}
#endif

lb_philox_loop *lb_philox_version(int version)
{
#if defined(__x86_64__)
    if (version == 2 && __builtin_cpu_supports("avx512f"))
        return side_avx512;
    if (version == 1 && __builtin_cpu_supports("avx2"))
        return side_avx2;
#endif
    return version == 0 ? side_portable : NULL;
}

void lb_philox(uint64_t key, uint64_t first, uint64_t second, uint32_t out[4][SIDE])
{
    lb_philox_loop *best = NULL;
    for (int version = 2; !best; version--)
        best = lb_philox_version(version);
    best(key, first, second, out);
}
