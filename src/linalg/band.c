/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/band.h"

#include "core/memory.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* LAPACK by its Fortran symbols, column-major; a size_t at the end is a character's hidden length.
 */
extern void dsytrd_sy2sb_(const char *uplo, const int *n, const int *kd, double *a, const int *lda,
                          double *ab, const int *ldab, double *tau, double *work, const int *lwork,
                          int *info, size_t);
extern void dormqr_(const char *side, const char *trans, const int *m, const int *n, const int *k,
                    const double *a, const int *lda, const double *tau, double *c, const int *ldc,
                    double *work, const int *lwork, int *info, size_t, size_t);
extern void dpbtrf_(const char *uplo, const int *n, const int *kd, double *ab, const int *ldab,
                    int *info, size_t);

struct lb_band {
    lb_mat q;       /* borrowed: reflectors, one panel of LB_BAND_WIDTH columns after another */
    double *tau;    /* (p) */
    double *t;      /* (p, width + 1): row j holds T(j, j), T(j + 1, j) ... */
    double *factor; /* same shape: L of the last lb_band_factor() */
    int p;
};

static const int width = LB_BAND_WIDTH, stored = LB_BAND_WIDTH + 1;

lb_status lb_band_reduce(lb_mat a, lb_band **out, lb_error *err)
{
    *out = NULL;
    if (a.rows != a.cols || a.rows <= LB_BAND_WIDTH)
        return LB_FAIL(err, LB_ESHAPE, "band of width %d of a %zux%zu matrix", width, a.rows,
                       a.cols);
    for (size_t i = 0; i < a.rows; i++)
        for (size_t j = i; j < a.cols; j++)
            if (!isfinite(a.data[i * a.stride + j]))
                return LB_FAIL(err, LB_ENUMERIC, "band: element (%zu, %zu) is %g", i, j,
                               a.data[i * a.stride + j]);
    lb_band *b = lb_xcalloc(1, sizeof *b);
    b->q = a;
    b->p = (int)a.rows;
    b->tau = lb_xcalloc(a.rows, sizeof *b->tau);
    b->t = lb_xcalloc(a.rows * (size_t)stored, sizeof *b->t);
    b->factor = lb_xcalloc(a.rows * (size_t)stored, sizeof *b->factor);
    const int lda = (int)a.stride, ask = -1;
    double size = 0.0;
    int info = 0;
    dsytrd_sy2sb_("L", &b->p, &width, a.data, &lda, b->t, &stored, b->tau, &size, &ask, &info, 1);
    const int lwork = (int)size;
    double *work = lb_xaligned((size_t)lwork, sizeof *work);
    dsytrd_sy2sb_("L", &b->p, &width, a.data, &lda, b->t, &stored, b->tau, work, &lwork, &info, 1);
    free(work);
    *out = b;
    return LB_OK; /* info < 0 alone is possible: an argument of ours, checked above */
}

void lb_band_free(lb_band *b)
{
    if (!b)
        return;
    free(b->tau);
    free(b->t);
    free(b->factor);
    free(b);
}

void lb_band_rotate(const lb_band *b, bool back, lb_mat x)
{
    const int columns = (int)x.rows, ldc = (int)x.stride, lda = (int)b->q.stride;
    const int panels = (b->p - 1) / width;
    const int lwork = width * (columns > width ? columns : width) + 65 * 64;
    double *work = lb_xaligned((size_t)lwork, sizeof *work);
    for (int step = 0; step < panels; step++) {
        const int at =
            (back ? panels - 1 - step : step) * width; /* Q = H1 H2 ...: Q' starts with H1 */
        const int rows = b->p - at - width, k = rows < width ? rows : width;
        int info = 0;
        dormqr_("L", back ? "N" : "T", &rows, &columns, &k,
                b->q.data + (size_t)at * b->q.stride + at + width, &lda, b->tau + at,
                x.data + at + width, &ldc, work, &lwork, &info, 1, 1);
    }
    free(work);
}

lb_status lb_band_factor(lb_band *b, double shift, lb_error *err)
{
    int info = 0;
    memcpy(b->factor, b->t, (size_t)b->p * (size_t)stored * sizeof *b->t);
    for (int j = 0; j < b->p; j++)
        b->factor[j * stored] += shift;
    dpbtrf_("L", &b->p, &width, b->factor, &stored, &info, 1);
    if (info)
        return LB_FAIL(err, LB_ENUMERIC,
                       "band Cholesky: pivot %d of %d is not positive with shift %g: the matrix is "
                       "not positive definite to working precision",
                       info, b->p, shift);
    for (int j = 0; j < b->p; j++)
        if (!isfinite(b->factor[j * stored]))
            return LB_FAIL(err, LB_ENUMERIC, "band Cholesky: pivot %d is %g with shift %g", j,
                           b->factor[j * stored], shift);
    return LB_OK;
}

void lb_band_solve(const lb_band *b, lb_vec x)
{
    cblas_dtbsv(CblasColMajor, CblasLower, CblasNoTrans, CblasNonUnit, b->p, width, b->factor,
                stored, x.data, 1);
    cblas_dtbsv(CblasColMajor, CblasLower, CblasTrans, CblasNonUnit, b->p, width, b->factor, stored,
                x.data, 1);
}

void lb_band_multiply(const lb_band *b, lb_cvec x, lb_vec y)
{
    cblas_dsbmv(CblasColMajor, CblasLower, b->p, width, 1.0, b->t, stored, x.data, 1, 0.0, y.data,
                1);
}
