/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/blas.h"

#include "core/cpu.h"
#include "core/memory.h"

#include <cblas.h> /* OpenBLAS's; gsl_blas.h must not come near this file */
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* LAPACK by its Fortran symbols; a size_t at the end is the hidden length of a character argument.
 * LAPACK is column-major: its lower triangle is our upper one, its columns are our rows. */
extern void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda,
                    double *w, double *work, const int *lwork, int *iwork, const int *liwork,
                    int *info, size_t, size_t);
extern void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda,
                    double *s, double *u, const int *ldu, double *vt, const int *ldvt, double *work,
                    const int *lwork, int *iwork, int *info, size_t);

void lb_blas_prepare(void)
{
    if (openblas_get_num_threads() != 1)
        openblas_set_num_threads(1);
}

const char *lb_blas_core(void)
{
    return openblas_get_corename();
}

LB_FOR_EVERY_CPU double lb_dot(const double *restrict x, const double *restrict y, size_t n)
{
    enum { LANES = 32 };
    double part[LANES] = {0.0}, sum = 0.0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t c = 0; c < LANES; c++)
            part[c] += x[i + c] * y[i + c];
    for (; i < n; i++)
        sum += x[i] * y[i];
    for (size_t c = 0; c < LANES; c++)
        sum += part[c];
    return sum;
}

void lb_gemv(bool transpose, double alpha, lb_cmat a, lb_cvec x, double beta, lb_vec y)
{
    cblas_dgemv(CblasRowMajor, transpose ? CblasTrans : CblasNoTrans, (int)a.rows, (int)a.cols,
                alpha, a.data, (int)a.stride, x.data, 1, beta, y.data, 1);
}

void lb_gemm(bool transpose_a, bool transpose_b, double alpha, lb_cmat a, lb_cmat b, double beta,
             lb_mat c)
{
    cblas_dgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, (int)c.rows, (int)c.cols,
                (int)(transpose_a ? a.rows : a.cols), alpha, a.data, (int)a.stride, b.data,
                (int)b.stride, beta, c.data, (int)c.stride);
}

void lb_gemmf(bool transpose_a, bool transpose_b, float alpha, lb_cmatf a, lb_cmatf b, float beta,
              lb_matf c)
{
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, (int)c.rows, (int)c.cols,
                (int)(transpose_a ? a.rows : a.cols), alpha, a.data, (int)a.stride, b.data,
                (int)b.stride, beta, c.data, (int)c.stride);
}

lb_status lb_eigen_symmetric(lb_mat a, lb_vec values, lb_error *err)
{
    const int n = (int)a.rows, lda = (int)a.stride, ask = -1;
    if (a.cols != a.rows || values.n != a.rows)
        return LB_FAIL(err, LB_ESHAPE, "eigenvalues of a %zux%zu matrix into a vector of %zu",
                       a.rows, a.cols, values.n);
    for (size_t i = 0; i < a.rows; i++)
        for (size_t j = 0; j <= i; j++)
            if (!isfinite(a.data[i * a.stride + j]))
                return LB_FAIL(err, LB_ENUMERIC, "eigenvalues: element (%zu, %zu) is %g", i, j,
                               a.data[i * a.stride + j]);
    double size = 0.0;
    int isize = 0, info = 0;
    lb_blas_prepare(); /* LAPACK rounds differently on several threads, even at 3 x 3 */
    dsyevd_("V", "U", &n, a.data, &lda, values.data, &size, &ask, &isize, &ask, &info, 1, 1);
    const int lwork = (int)size, liwork = isize;
    double *work = lb_xaligned((size_t)lwork, sizeof *work);
    int *iwork = lb_xaligned((size_t)liwork, sizeof *iwork);
    dsyevd_("V", "U", &n, a.data, &lda, values.data, work, &lwork, iwork, &liwork, &info, 1, 1);
    free(work);
    free(iwork);
    if (info)
        return LB_FAIL(err, LB_ENUMERIC, "eigenvalues of a %dx%d matrix: no convergence (info %d)",
                       n, n, info);
    return LB_OK;
}

lb_status lb_svd(lb_mat a, lb_mat u, lb_vec s, lb_mat vt, lb_error *err)
{
    const size_t k = a.rows < a.cols ? a.rows : a.cols;
    if (u.rows != a.rows || u.cols != k || s.n != k || vt.rows != k || vt.cols != a.cols)
        return LB_FAIL(err, LB_ESHAPE, "SVD of %zux%zu needs u %zux%zu, s %zu, vt %zux%zu", a.rows,
                       a.cols, a.rows, k, k, k, a.cols);
    for (size_t i = 0; i < a.rows; i++)
        for (size_t j = 0; j < a.cols; j++)
            if (!isfinite(a.data[i * a.stride + j]))
                return LB_FAIL(err, LB_ENUMERIC, "SVD: element (%zu, %zu) is %g", i, j,
                               a.data[i * a.stride + j]);
    /* LAPACK sees A' = V S U': what it calls left is our V', and the other way round. */
    const int m = (int)a.cols, n = (int)a.rows, lda = (int)a.stride, ldu = (int)vt.stride,
              ldvt = (int)u.stride, ask = -1;
    int info = 0, *iwork = lb_xcalloc(8 * k, sizeof *iwork);
    double size = 0.0;
    dgesdd_("S", &m, &n, a.data, &lda, s.data, vt.data, &ldu, u.data, &ldvt, &size, &ask, iwork,
            &info, 1);
    const int lwork = (int)size;
    double *work = lb_xcalloc((size_t)lwork, sizeof *work);
    dgesdd_("S", &m, &n, a.data, &lda, s.data, vt.data, &ldu, u.data, &ldvt, work, &lwork, iwork,
            &info, 1);
    free(work);
    free(iwork);
    if (info)
        return LB_FAIL(err, LB_ENUMERIC, "SVD of a %zux%zu matrix: no convergence (info %d)",
                       a.rows, a.cols, info);
    return LB_OK;
}
