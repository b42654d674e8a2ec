/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/noise.h"

#include "core/cpu.h"
#include "core/philox.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    LANES = 64,        /* Philox blocks computed side by side */
    GROUP = 4 * LANES, /* pixels they give */
    TAG = 0x6E6F6973,  /* keeps noise apart from the sequential streams of core/random.h */
};

/* -2 ln u for u = (w + 1) / 2^24, w < 2^24. u = m 2^e with m in [1/sqrt 2, sqrt 2), and ln m by the
 * series of 2 artanh((m - 1) / (m + 1)), whose next term is below 3e-9 of the result. */
INLINE float minus_two_log(uint32_t w)
{
    union {
        float f;
        int32_t i;
    } u = {.f = (float)(int32_t)(w + 1) * 0x1p-24f};
    const int32_t e = (u.i - 0x3F3504F3) >> 23; /* 0x3F3504F3 is 1/sqrt 2 */
    u.i -= (int32_t)((uint32_t)e << 23);
    const float s = (u.f - 1.0f) / (u.f + 1.0f), t = s * s;
    const float series = 2.0f + t * (2.0f / 3 + t * (2.0f / 5 + t * (2.0f / 7 + t * (2.0f / 9))));
    const float minus_log = -(s * series + (float)e * 0.693147181f);
    return 2.0f * (minus_log > 0.0f ? minus_log : 0.0f);
}

/* cos and sin of 2 pi w / 2^32: the top two bits are the quadrant, the next 22 an angle in
 * [-pi/4, pi/4) about its middle (Taylor to x^8 and x^9, error < 2e-9). */
INLINE void cos_sin(uint32_t w, float *c, float *s)
{
    const uint32_t quadrant = w >> 30;
    const float x = ((float)(int32_t)((w >> 8) & 0x3FFFFF) * 0x1p-22f - 0.5f) * 1.57079633f;
    const float t = x * x;
    const float sine =
        x * (1.0f + t * (-1.0f / 6 + t * (1.0f / 120 + t * (-1.0f / 5040 + t * (1.0f / 362880)))));
    const float cosine =
        1.0f + t * (-0.5f + t * (1.0f / 24 + t * (-1.0f / 720 + t * (1.0f / 40320))));
    const float first = quadrant & 1 ? sine : cosine, second = quadrant & 1 ? cosine : sine;
    *c = (quadrant + 1) & 2 ? -first : first;
    *s = quadrant & 2 ? -second : second;
}

/* Pixels GROUP q .. GROUP q + 255: words of the counters (block, TAG, row). */
INLINE void normal_group(uint64_t seed, uint64_t row, uint32_t q, float *restrict z)
{
    uint32_t w[4][LANES];
    for (uint32_t i = 0; i < LANES; i += LB_PHILOX_SIDE) {
        uint32_t side[4][LB_PHILOX_SIDE];
        lb_philox(seed, (uint64_t)TAG << 32 | (q * LANES + i), row, side);
        for (int k = 0; k < 4; k++)
            memcpy(w[k] + i, side[k], sizeof side[k]);
    }
    for (int pair = 0; pair < 2; pair++) { /* Box & Muller 1958 */
        const uint32_t *u = w[2 * pair], *v = w[2 * pair + 1];
        float *even = z + 2 * pair * LANES, *odd = even + LANES;
        for (int i = 0; i < LANES; i++) {
            float c, s;
            cos_sin(v[i], &c, &s);
            const float radius = sqrtf(minus_two_log(u[i] >> 8));
            even[i] = radius * c;
            odd[i] = radius * s;
        }
    }
}

LB_FOR_EVERY_CPU void lb_normal_row(uint64_t seed, uint64_t row, size_t p, float *z)
{
    size_t j = 0;
    for (; j + GROUP <= p; j += GROUP)
        normal_group(seed, row, (uint32_t)(j / GROUP), z + j);
    if (j < p) {
        float rest[GROUP];
        normal_group(seed, row, (uint32_t)(j / GROUP), rest);
        memcpy(z + j, rest, (p - j) * sizeof *z);
    }
}

LB_FOR_EVERY_CPU static void add_noise(uint64_t seed, uint64_t row, float level, size_t p,
                                       const float *restrict error, float *restrict x)
{
    for (size_t j = 0; j < p; j += GROUP) {
        float z[GROUP];
        const size_t m = p - j < GROUP ? p - j : GROUP;
        normal_group(seed, row, (uint32_t)(j / GROUP), z);
        for (size_t i = 0; i < m; i++) {
            const float e = error[j + i], size = e > 0.0f && e <= FLT_MAX ? level * e : 0.0f;
            x[j + i] += size * z[i];
        }
    }
}

LB_FOR_EVERY_CPU static void whiten(float level, size_t p, const float *restrict error,
                                    float *restrict x)
{
    for (size_t j = 0; j < p; j++)
        x[j] = error[j] > 0.0f && error[j] <= FLT_MAX ? x[j] / (level * error[j]) : 0.0f;
}

static lb_status read_rows(const lb_noisy *noisy, bool whitened, size_t first, lb_matf x,
                           lb_error *err)
{
    enum {
        BLOCK = 512
    }; /* rows at a time; handed out in eights, so that a busy core holds nobody up */
    lb_status st = LB_OK;
    for (size_t done = 0; done < x.rows && st == LB_OK; done += BLOCK) {
        const size_t k = x.rows - done < BLOCK ? x.rows - done : BLOCK;
        float *scratch = lb_spectra_scratch(noisy->spectra, k * x.cols);
        const lb_matf flux = {x.data + done * x.stride, k, x.cols, x.stride};
        const lb_matf error = {scratch, k, x.cols, x.cols};
        st = lb_spectra_read(noisy->spectra, first + done, flux, error, err);
        if (st != LB_OK)
            break;
#pragma omp parallel for schedule(dynamic, 8) if (k * x.cols >= LB_WORTH_THREADS)
        for (size_t i = 0; i < k; i++) {
            float *row = flux.data + i * flux.stride;
            add_noise(noisy->seed, first + done + i, (float)noisy->level, x.cols,
                      scratch + i * x.cols, row);
            if (whitened)
                whiten((float)noisy->level, x.cols, scratch + i * x.cols, row);
        }
    }
    return st;
}

static lb_status check_level(const lb_noisy *noisy, lb_error *err)
{
    if (!(noisy->level >= 0.0 && isfinite(noisy->level)))
        return LB_FAIL(err, LB_EINVAL, "noise level %g, must be a number >= 0", noisy->level);
    return LB_OK;
}

static lb_status read_noisy(void *self, size_t first, lb_matf x, lb_error *err)
{
    const lb_noisy *noisy = self;
    const lb_status st = check_level(noisy, err);
    if (st != LB_OK)
        return st;
    return noisy->level == 0.0 ? lb_spectra_read(noisy->spectra, first, x, (lb_matf){0}, err)
                               : read_rows(noisy, false, first, x, err);
}

static lb_status read_whitened(void *self, size_t first, lb_matf x, lb_error *err)
{
    const lb_noisy *noisy = self;
    const lb_status st = check_level(noisy, err);
    if (st == LB_OK && noisy->level == 0.0)
        return LB_FAIL(err, LB_EINVAL, "at noise level 0 there is no noise to be whitened");
    return st == LB_OK ? read_rows(noisy, true, first, x, err) : st;
}

lb_stream lb_whitened_stream(lb_noisy *self)
{
    lb_stream x = lb_noisy_stream(self);
    x.read = read_whitened;
    return x;
}

lb_stream lb_noisy_stream(lb_noisy *self)
{
    return (lb_stream){.rows = lb_spectra_rows(self->spectra),
                       .cols = lb_spectra_pixels(self->spectra),
                       .threaded = lb_spectra_is_made(self->spectra),
                       .read = read_noisy,
                       .self = self};
}

static lb_status read_errors(void *self, size_t first, lb_matf x, lb_error *err)
{
    return lb_spectra_read(self, first, (lb_matf){0}, x, err);
}

lb_stream lb_error_stream(lb_spectra *spectra)
{
    return (lb_stream){.rows = lb_spectra_rows(spectra),
                       .cols = lb_spectra_pixels(spectra),
                       .threaded = lb_spectra_is_made(spectra),
                       .read = read_errors,
                       .self = spectra};
}
