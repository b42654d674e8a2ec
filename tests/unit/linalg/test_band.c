/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/band.h"
#include "linalg/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* A symmetric positive definite matrix, both triangles. */
static lb_mat spd(size_t p, double ridge)
{
    lb_mat a = lb_mat_of(lb_xcalloc(p * p, sizeof(double)), p, p);
    lb_rng r = lb_rng_make(p, 3);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j <= i; j++)
            a.data[i * p + j] = a.data[j * p + i] = 0.3 * lb_rng_normal(&r);
    for (size_t i = 0; i < p; i++)
        a.data[i * p + i] += ridge + (double)i;
    return a;
}

/* Widths around multiples of the band, where the last panel is short. */
Test(band, solves_every_shifted_system)
{
    const size_t sizes[] = {65, 66, 127, 128, 129, 193, 300};
    for (size_t s = 0; s < 7; s++) {
        const size_t p = sizes[s];
        lb_mat a = spd(p, 40.0), work = spd(p, 40.0);
        lb_band *band = NULL;
        double *b = lb_xcalloc(2 * p, sizeof *b), *x = b + p;
        cr_assert(eq(int, lb_band_reduce(work, &band, NULL), LB_OK));
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j < i; j++)
                cr_assert(eq(dbl, work.data[i * p + j], a.data[i * p + j]), "lower triangle kept");
        for (double shift = 0.0; shift < 100.0; shift += 37.0) {
            for (size_t i = 0; i < p; i++)
                x[i] = b[i] = sin((double)i);
            lb_band_rotate(band, false, lb_mat_of(x, 1, p));
            cr_assert(eq(int, lb_band_factor(band, shift, NULL), LB_OK));
            lb_band_solve(band, (lb_vec){x, p});
            lb_band_rotate(band, true, lb_mat_of(x, 1, p));
            for (size_t i = 0; i < p; i++) {
                double left = shift * x[i] - b[i];
                for (size_t j = 0; j < p; j++)
                    left += a.data[i * p + j] * x[j];
                cr_assert(lt(dbl, fabs(left), 1e-12 * (double)p), "p %zu shift %g row %zu", p,
                          shift, i);
            }
        }
        lb_band_free(band);
        free(a.data);
        free(work.data);
        free(b);
    }
}

Test(band, multiplies_as_the_matrix_does_in_its_own_basis)
{
    const size_t p = 150;
    lb_mat a = spd(p, 10.0), work = spd(p, 10.0);
    double *v = lb_xcalloc(3 * p, sizeof *v), *tv = v + p, *av = v + 2 * p;
    lb_band *band = NULL;
    cr_assert(eq(int, lb_band_reduce(work, &band, NULL), LB_OK));
    for (size_t i = 0; i < p; i++)
        v[i] = cos((double)i);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            av[i] += a.data[i * p + j] * v[j];
    lb_band_rotate(band, false, lb_mat_of(v, 1, p)); /* Q T Q'v */
    lb_band_multiply(band, (lb_cvec){v, p}, (lb_vec){tv, p});
    lb_band_rotate(band, true, lb_mat_of(tv, 1, p));
    cr_expect(lt(dbl, distance(tv, av, p), 1e-13));
    lb_band_free(band);
    free(v);
    free(a.data);
    free(work.data);
}

Test(band, refuses_nan_small_and_indefinite_matrices)
{
    lb_mat a = spd(80, 40.0);
    lb_band *band = NULL;
    lb_error err = {0};
    cr_expect(eq(int, lb_band_reduce(lb_mat_of(a.data, 64, 64), &band, NULL), LB_ESHAPE));
    a.data[3 * 80 + 70] = NAN;
    cr_expect(eq(int, lb_band_reduce(a, &band, &err), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(err.text, "(3, 70)"), NULL), "%s", err.text);
    cr_expect(eq(ptr, band, NULL));
    a.data[3 * 80 + 70] = 0.1;
    cr_assert(eq(int, lb_band_reduce(a, &band, NULL), LB_OK));
    cr_expect(eq(int, lb_band_factor(band, -60.0, NULL), LB_ENUMERIC));
    cr_expect(eq(int, lb_band_factor(band, NAN, NULL), LB_ENUMERIC));
    cr_expect(eq(int, lb_band_factor(band, 1.0, NULL), LB_OK), "a failure leaves the band usable");
    lb_band_free(band);
    lb_band_free(NULL);
    free(a.data);
}
