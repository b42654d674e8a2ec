/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STATS_ROWSET_H
#define LB_STATS_ROWSET_H

#include "core/error.h"
#include "core/hash.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Which rows of which data set a score was computed on: an index vector with an identity. Every
 * score carries the hash of its row set, and scores on different sets refuse to be subtracted or
 * divided (stats/score.h). A gain of 0.078 that is really 0.050 is what comes out when one model is
 * scored on 816 rows and the other on 1,000; this type is why it cannot come out here.
 *
 * Immutable. The hash is SHA-256 over the data set's own hash, the number of rows and the row
 * numbers in order (64-bit little-endian); the name is for people and does not enter it. So two
 * ways to the same rows give one identity, and one name for two sets does not hide the difference.
 */
typedef struct lb_rowset lb_rowset;

/**
 * The rows @p rows (n of them, copied, in the order of the outcomes that will use them).
 * @param name          what people call the set: "covered", "all test rows"
 * @param dataset_hash  identity of the split the numbers index into (lb_spectra_hash())
 * @return never NULL; release with lb_rowset_free()
 */
lb_rowset *lb_rowset_new(const char *name, const char *dataset_hash, const size_t *rows, size_t n);

/** Rows 0 .. n-1. */
lb_rowset *lb_rowset_all(const char *name, const char *dataset_hash, size_t n);

/** The rows of @p parent with keep[i] true; @p keep has one entry per row of the parent. */
lb_rowset *lb_rowset_where(const lb_rowset *parent, const char *name, const bool *keep);

/**
 * The rows that are in both, in the order of @p a: what two models must be scored on to be
 * compared. LB_EROWS if the sets belong to different data.
 */
lb_status lb_rowset_common(const lb_rowset *a, const lb_rowset *b, const char *name,
                           lb_rowset **out, lb_error *err);

void lb_rowset_free(lb_rowset *r); /* NULL is fine */

/* Borrowed, valid until lb_rowset_free(). */
const char *lb_rowset_name(const lb_rowset *r);
const char *lb_rowset_hash(const lb_rowset *r);    /* "sha256:..." */
const char *lb_rowset_dataset(const lb_rowset *r); /* the data set's hash as given */
const size_t *lb_rowset_index(const lb_rowset *r); /* lb_rowset_size() row numbers */
size_t lb_rowset_size(const lb_rowset *r);

bool lb_rowset_same(const lb_rowset *a, const lb_rowset *b);

/**
 * The row set behind @p hash for a message: "'covered' (816 rows, sha256:1a2b3c4d5e6f)". The name
 * is known while the set is alive; otherwise the quotes are left out.
 */
enum { LB_ROWSET_TEXT = 160 };
void lb_rowset_describe(const char *hash, size_t n, char out[LB_ROWSET_TEXT]);

/**
 * The one refusal of the package.
 * @return LB_OK when both hashes are equal and not empty; else LB_EROWS, naming @p what, both sets,
 *         their sizes and hashes, and the remedy
 */
lb_status lb_rowset_require_same(const char *what, const char *hash_a, size_t n_a,
                                 const char *hash_b, size_t n_b, lb_error *err);

#endif
