/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_LINALG_GRAM_H
#define LB_LINALG_GRAM_H

#include "core/error.h"
#include "linalg/cholesky.h"
#include "linalg/mat.h"
#include "linalg/stream.h"

#include <stdbool.h>

/**
 * Sufficient statistics of linear models on groups of rows: per group the row count, the sums of x
 * and y, X'X, X'y and y'y, gathered in one pass over a stream. Any union of groups is the sum of
 * their statistics, so nine bins and the global model share one pass, and every penalty one matrix.
 *
 * Columns are shifted by a mean and scaled by a power of two near a standard deviation, both from
 * the first rows read: subtracting the shift loses nothing to cancellation, and the scaling is
 * exact. X'X is held in float64 as packed tiles of the lower triangle: 75 MB a group at 4,096
 * columns.
 *
 * The bits depend neither on the number of threads nor, in float64, on the CPU: a tile is always
 * computed by one thread, from the same blocks of rows in the same order (linalg/cross.h).
 */
typedef struct lb_gram lb_gram;

typedef struct lb_gram_options {
    size_t groups;
    bool float32;   /* multiply in single precision, twice as fast; see lb_gram_float32_is_safe() */
    bool keep_rows; /* also keep the rows of groups with fewer rows than columns: lb_gram_kept() */
    const lb_gram *like; /* take shift and scale from this one, so that lb_gram_between() can mix
                            the two; NULL: from the first rows */
} lb_gram_options;

/**
 * One pass over @p x.
 * @param y      (rows) label
 * @param group  (rows) 0 .. groups-1, or -1 for a row that belongs to no group and is not looked
 * at; NULL: every row is of group 0
 * @param out    receives the statistics; the caller frees them
 * @return LB_OK; LB_ESHAPE (y and x disagree); LB_EINVAL (no group, a group out of range, no
 * column); LB_ENUMERIC (NaN or infinity in a row that counts, named by row and column); or what the
 *         stream reports
 */
lb_status lb_gram_accumulate(const lb_stream *x, lb_cvec y, const int *group,
                             lb_gram_options options, lb_gram **out, lb_error *err);
void lb_gram_free(lb_gram *g); /* NULL is fine */

/** The power of two next to a standard deviation: dividing by it is exact. 1 where there is none.
 */
double lb_gram_scale(double sd);

/**
 * The statistics of rows X + v N at any v, from those at three values of v. X'X + v (X'N + N'X) +
 * v^2 N'N is a parabola in v, element by element, and three points give a parabola: spectra under
 * one draw of noise need three passes, however many noise levels are fitted. Lagrange's formula;
 * Press et al., Numerical Recipes, 3rd ed., sec. 3.2. Exact but for rounding, which grows with the
 * distance of @p wanted from the span of @p at: stay inside.
 * @param at     three different values of v
 * @param known  float64, of the same rows, groups and labels; known[1] and known[2] accumulated
 *               with options.like = known[0]
 * @return LB_OK; LB_EINVAL (values of v that are equal or not finite, other shift or scale,
 *         float32); LB_ESHAPE (columns, groups or rows differ)
 */
lb_status lb_gram_between(const lb_gram *const known[3], const double at[3], double wanted,
                          lb_gram **out, lb_error *err);

/**
 * The rows of a union, if every one of its groups kept them (options.keep_rows; 4 bytes a value, in
 * float64 only, lost in lb_gram_between()).
 * @param row  out, a pointer to each, borrowed from @p g; NULL: only the answer is wanted
 * @param y    out, their labels
 */
bool lb_gram_kept(const lb_gram *g, const bool *use, const float **row, double *y);

size_t lb_gram_cols(const lb_gram *g);
size_t lb_gram_groups(const lb_gram *g);
size_t lb_gram_rows(const lb_gram *g, size_t group);
bool lb_gram_is_float32(const lb_gram *g);

/** The centred moments of a union of groups. The caller owns the buffers and sets their sizes. */
typedef struct lb_moments {
    lb_mat xx;         /* (p, p) Xc'Xc, lower triangle; data NULL: not wanted */
    lb_cholesky *room; /* the same, ready to be factored; NULL: not wanted */
    lb_vec xy;         /* (p) Xc'yc */
    lb_vec mean, sd;   /* (p) of the columns; sd over n (ddof 0), 1 for a constant column */
    double y_mean, yy; /* yy = yc'yc */
    size_t n;
} lb_moments;

/**
 * Sum the groups marked in @p use (groups flags) and centre exactly: Xc'Xc = X'X - n mean mean'.
 * @param standardise  divide xx and xy by sd, as if the columns had been standardised first
 * @return LB_OK; LB_ESHAPE; LB_EINVAL if the groups hold no row
 */
lb_status lb_gram_moments(const lb_gram *g, const bool *use, bool standardise, lb_moments *m,
                          lb_error *err);

/**
 * Whether a float32 Gram is good enough. Measured on 32,768 x 4,096 spectra: with noise, rows well
 * above the number of columns, and alpha of 10 or more, R2 agrees with float64 to 1e-8; without
 * noise, with fewer than about two rows a column, or with a smaller alpha the factorisation may
 * fail.
 * @param noise  noise level of the spectra
 * @param rows   rows of the smallest model
 * @param alpha  smallest penalty of the grid
 */
bool lb_gram_float32_is_safe(double noise, size_t rows, size_t cols, double alpha);

#endif
