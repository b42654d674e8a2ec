/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_LINALG_BLAS_H
#define LB_LINALG_BLAS_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stdbool.h>

/* The few BLAS and LAPACK calls the package makes, on row-major views.
 *
 * Threads: OpenBLAS always runs on one thread here. Its own threading changes the last bits with
 * the number of threads, so the package is parallel one level up instead: OpenMP over independent
 * tiles, alphas and models, each computed by one thread in a fixed order. Every function below
 * keeps to that and may be called from several threads at once.
 *
 * Failures: LAPACK's info != 0, and NaN or infinity where LAPACK does not look, become LB_ENUMERIC.
 */

/** Put OpenBLAS on one thread. The functions below rely on it; those that own a parallel region
 * call it before they enter one. Cheap, and harmless to repeat. */
void lb_blas_prepare(void);

/** Name of the OpenBLAS kernel in use ("SkylakeX", "Haswell" ...): part of a result's provenance.
 */
const char *lb_blas_core(void);

/** x'y in 32 partial sums of fixed order: the same bits on every CPU, which a BLAS does not
 * promise.
 */
double lb_dot(const double *x, const double *y, size_t n);

/** y = beta y + alpha A x, or A' x if @p transpose. */
void lb_gemv(bool transpose, double alpha, lb_cmat a, lb_cvec x, double beta, lb_vec y);

/** C = beta C + alpha op(A) op(B), op being the transpose where asked. */
void lb_gemm(bool transpose_a, bool transpose_b, double alpha, lb_cmat a, lb_cmat b, double beta,
             lb_mat c);
void lb_gemmf(bool transpose_a, bool transpose_b, float alpha, lb_cmatf a, lb_cmatf b, float beta,
              lb_matf c);

/**
 * Eigenvalues, ascending, and eigenvectors of a symmetric matrix (LAPACK dsyevd). Reads the lower
 * triangle of @p a; on return row i of @p a is the unit eigenvector of values[i].
 * Scratch: twice the size of @p a.
 * @return LB_OK, or LB_ENUMERIC (NaN or infinity in @p a, or no convergence)
 */
lb_status lb_eigen_symmetric(lb_mat a, lb_vec values, lb_error *err);

/**
 * Thin singular value decomposition A = U diag(s) V' (LAPACK dgesdd).
 * @param a   (n, p), overwritten
 * @param u   out (n, k), k = min(n, p)
 * @param s   out (k), descending
 * @param vt  out (k, p)
 * @return LB_OK; LB_ESHAPE; LB_ENUMERIC (NaN or infinity in @p a, or no convergence)
 */
lb_status lb_svd(lb_mat a, lb_mat u, lb_vec s, lb_mat vt, lb_error *err);

#endif
