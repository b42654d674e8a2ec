/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_PCA_H
#define LB_MODELS_PCA_H

#include "core/error.h"
#include "linalg/gram.h"
#include "linalg/mat.h"
#include "linalg/stream.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * The leading principal components of the rows of a stream: the eigenvectors of Xc'Xc, Xc = X -
 * mean, with the largest eigenvalues.
 *
 * By subspace iteration (Saad 2011, Numerical Methods for Large Eigenvalue Problems, rev. ed., sec.
 * 5.2): k + 12 orthonormal vectors from a fixed random start, a Rayleigh-Ritz step in their span,
 * and a Chebyshev polynomial of Xc'Xc that damps what lies below the smallest Ritz value (Zhou,
 * Saad, Tiago & Chelikowsky 2006, J. Comput. Phys. 219, 172) before the next. It ends when
 *
 *   |Xc'Xc v - lambda v| <= LB_PCA_TOLERANCE lambda,  or  LB_PCA_FLOOR lambda_1 where that is more,
 *
 * for each component v asked for, which then is off by about this much over the gap to the next
 * eigenvalue. Components of equal variance span the right space, in a basis that is arbitrary. Up
 * to 128 columns, or fewer than 2 (k + 12), or if the iteration does not end (eigenvalues that
 * differ in their sixth digit only), all eigenvectors are computed instead (LAPACK; some 40 s and
 * 0.5 GB at 4,096 columns).
 *
 * Sign: the loading of largest magnitude is positive; of equal ones the first. Two loadings of
 * opposite sign that agree to rounding leave the sign to rounding.
 *
 * The bits do not depend on the number of threads.
 *
 *   lb_pca *pca = NULL;
 *   if ((st = lb_pca_fit(gram, NULL, 4, &pca, err)) != LB_OK ||
 *       (st = lb_pca_scores(pca, &test_spectra, scores, err)) != LB_OK) ...
 *   lb_pca_free(pca);
 */
#define LB_PCA_TOLERANCE 1e-10
#define LB_PCA_FLOOR 1e-14

typedef struct lb_pca {
    lb_mat components; /* (k, p) unit rows, orthogonal, by falling variance; 0 from rank on */
    lb_vec mean;       /* (p) of the rows it was fitted on */
    lb_vec variance;   /* (k) of the scores of those rows, divisor n - 1; 0 from rank on */
    lb_vec ratio;      /* (k) variance / total; NAN if there is no variance at all */
    double total;      /* variance summed over all columns */
    size_t n_rows;
    size_t rank;     /* components that exist: at most k and n - 1, fewer if X has lower rank */
    size_t products; /* of Xc'Xc with the block of vectors; 0: all eigenvectors were computed */
} lb_pca;

/**
 * From a Gram that exists, as when Ridge is fitted on the same spectra. Of a float32 Gram the
 * components are good to about 1e-6, and rank counts variances above 1e-7 of the largest (float64:
 * above p * DBL_EPSILON).
 * @param use  (groups) flags of the groups that count; NULL: all
 * @param k    1 .. p
 * @param out  receives the fit; the caller frees it
 * @return LB_OK; LB_EINVAL (k out of range, no row); LB_ENUMERIC (no convergence in LAPACK)
 */
lb_status lb_pca_fit(const lb_gram *g, const bool *use, size_t k, lb_pca **out, lb_error *err);

/**
 * From all rows of a stream. From 1,024 columns on without a Gram: one pass for the mean and one
 * for each product, a dozen or so where the eigenvalues are well apart; the first of them multiply
 * in single precision, until it is of no more use. After 40 passes, or with fewer columns, by a
 * float64 Gram and lb_pca_fit(). Where reading is dear, as with noise made on demand, or Ridge
 * needs the Gram anyway, that is the better way to begin with.
 * @return as lb_pca_fit(); LB_ENUMERIC also for NaN or infinity in a row, which is named; or what
 *         the stream reports
 */
lb_status lb_pca_fit_stream(const lb_stream *x, size_t k, lb_pca **out, lb_error *err);
void lb_pca_free(lb_pca *m); /* NULL is fine */

/**
 * Scores (x - mean) v of every row. Those of a row depend on that row alone, to the last bit.
 * @param scores  (x->rows, k)
 * @return LB_OK; LB_ESHAPE; LB_ENUMERIC (a score is NaN or infinite; the row is named); or what the
 *         stream reports
 */
lb_status lb_pca_scores(const lb_pca *m, const lb_stream *x, lb_mat scores, lb_error *err);

#endif
