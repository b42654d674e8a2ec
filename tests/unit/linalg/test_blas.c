/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/blas.h"
#include "linalg/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static lb_mat random_matrix(size_t n, size_t p, uint64_t seed)
{
    lb_mat a = lb_mat_new(n, p);
    lb_rng r = lb_rng_make(seed, 1);
    for (size_t i = 0; i < n * p; i++)
        a.data[i] = lb_rng_normal(&r);
    return a;
}

Test(blas, products_follow_their_transpose_flags)
{
    lb_mat a = random_matrix(3, 4, 1), b = random_matrix(3, 5, 2), c = random_matrix(4, 5, 3);
    lb_mat at = lb_mat_new(4, 3), bt = random_matrix(5, 3, 2);
    double expected[20], got[20];
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 4; j++)
            at.data[j * 3 + i] = a.data[i * 4 + j];
        for (size_t j = 0; j < 5; j++)
            bt.data[j * 3 + i] = b.data[i * 5 + j];
    }
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 5; j++) {
            expected[i * 5 + j] = 0.5 * c.data[i * 5 + j];
            for (size_t k = 0; k < 3; k++)
                expected[i * 5 + j] += 2.0 * a.data[k * 4 + i] * b.data[k * 5 + j];
        }
    for (int way = 0; way < 4; way++) {
        memcpy(got, c.data, sizeof got);
        lb_gemm(way & 1, way & 2, 2.0, lb_mat_const(way & 1 ? a : at),
                lb_mat_const(way & 2 ? bt : b), 0.5, lb_mat_of(got, 4, 5));
        cr_expect(lt(dbl, distance(got, expected, 20), 1e-14), "way %d", way);
    }
    double y[4] = {1, 1, 1, 1}, z[4] = {1, 1, 1, 1};
    const double x[3] = {0.3, -1.0, 2.0};
    lb_gemv(true, 1.0, lb_mat_const(a), (lb_cvec){x, 3}, 2.0, (lb_vec){y, 4});
    lb_gemv(false, 1.0, lb_mat_const(at), (lb_cvec){x, 3}, 2.0, (lb_vec){z, 4});
    cr_expect(lt(dbl, distance(y, z, 4), 1e-14));
    double count[100], ones[100];
    for (size_t i = 0; i < 100; i++)
        count[i] = (double)i, ones[i] = 1.0;
    for (size_t n = 0; n <= 100; n++)
        cr_expect(eq(dbl, lb_dot(count, ones, n), n ? 0.5 * (double)(n * (n - 1)) : 0.0));
    free(a.data), free(b.data), free(c.data), free(at.data), free(bt.data);
}

extern void openblas_set_num_threads(int n);

/* 3 x 3 information matrices: the threads OpenBLAS was started with must not move a bit. */
Test(blas, eigenvalues_of_small_matrices_do_not_depend_on_the_threads)
{
    for (size_t trial = 0; trial < 200; trial++) {
        double a[2][9], e[2][3];
        for (int way = 0; way < 2; way++) {
            for (size_t i = 0; i < 3; i++)
                for (size_t j = 0; j <= i; j++)
                    a[way][3 * i + j] = a[way][3 * j + i] =
                        cos((double)(trial * 9 + 3 * i + j)) * pow(30.0, (double)(i + j)) +
                        (i == j ? 2.0 * pow(30.0, 2.0 * (double)i) : 0.0);
            openblas_set_num_threads(1 + way);
            cr_assert(lb_eigen_symmetric(lb_mat_of(a[way], 3, 3), (lb_vec){e[way], 3}, NULL) ==
                      LB_OK);
        }
        cr_assert(memcmp(e[0], e[1], sizeof e[0]) == 0, "trial %zu", trial);
        cr_assert(memcmp(a[0], a[1], sizeof a[0]) == 0, "trial %zu", trial);
    }
}

Test(blas, eigenvectors_rebuild_the_matrix)
{
    const size_t n = 40;
    lb_mat a = random_matrix(n, n, 4), v = lb_mat_new(n, n);
    double e[40], worst = 0.0;
    memcpy(v.data, a.data, n * n * sizeof(double)); /* the upper triangle is not read */
    cr_assert(eq(int, lb_eigen_symmetric(v, (lb_vec){e, n}, NULL), LB_OK));
    for (size_t i = 0; i < n; i++) {
        cr_expect(i == 0 || e[i] >= e[i - 1]);
        for (size_t j = 0; j <= i; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < n; k++)
                sum += e[k] * v.data[k * n + i] * v.data[k * n + j];
            worst = fmax(worst, fabs(sum - a.data[i * n + j]));
        }
    }
    cr_expect(lt(dbl, worst, 1e-12));
    a.data[7 * n + 3] = NAN;
    cr_expect(eq(int, lb_eigen_symmetric(a, (lb_vec){e, n}, NULL), LB_ENUMERIC));
    cr_expect(eq(int, lb_eigen_symmetric(a, (lb_vec){e, n - 1}, NULL), LB_ESHAPE));
    free(a.data), free(v.data);
}

Test(blas, svd_rebuilds_tall_and_wide_matrices)
{
    const size_t sizes[][2] = {{9, 4}, {4, 9}, {5, 5}, {1, 3}, {3, 1}};
    for (size_t q = 0; q < 5; q++) {
        const size_t n = sizes[q][0], p = sizes[q][1], k = n < p ? n : p;
        lb_mat a = random_matrix(n, p, 5 + q), b = random_matrix(n, p, 5 + q);
        lb_mat u = random_matrix(n, k, 1), vt = random_matrix(k, p, 1);
        double s[5], worst = 0.0;
        cr_assert(eq(int, lb_svd(a, u, (lb_vec){s, k}, vt, NULL), LB_OK));
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < p; j++) {
                double sum = 0.0;
                for (size_t l = 0; l < k; l++)
                    sum += u.data[i * k + l] * s[l] * vt.data[l * p + j];
                worst = fmax(worst, fabs(sum - b.data[i * p + j]));
            }
        cr_expect(lt(dbl, worst, 1e-13), "%zux%zu", n, p);
        for (size_t l = 1; l < k; l++)
            cr_expect(le(dbl, s[l], s[l - 1]));
        b.data[n * p - 1] = INFINITY;
        cr_expect(eq(int, lb_svd(b, u, (lb_vec){s, k}, vt, NULL), LB_ENUMERIC));
        cr_expect(eq(int, lb_svd(b, u, (lb_vec){s, k + 1}, vt, NULL), LB_ESHAPE));
        free(a.data), free(b.data), free(u.data), free(vt.data);
    }
}

Test(blas, leaves_openblas_on_one_thread_and_names_its_kernel)
{
    extern int openblas_get_num_threads(void);
    lb_blas_prepare();
    cr_expect(eq(int, openblas_get_num_threads(), 1));
    cr_expect(gt(sz, strlen(lb_blas_core()), 0));
}
