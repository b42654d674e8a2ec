/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_SHARD_H
#define LB_DATA_SHARD_H

#include "core/error.h"
#include "core/hash.h"
#include "linalg/mat.h"

#include <stdbool.h>
#include <stddef.h>

/* Writing one shard (layout in data/spectra.h) so that it is there whole or not at all, with bytes
 * that depend on its content alone. Root attributes: "settings" (how it was made), "content" (hash
 * of wave, labels, flux and error, in this order, each by its own SHA-256). */

enum { LB_SHARD_LABELS = 6 };
extern const char *const lb_shard_labels[LB_SHARD_LABELS]; /* T_eff log_g M_H mag snr redshift */

typedef struct lb_shard lb_shard;

/**
 * Begin path.part. Sticky: after a failure the other calls do nothing and _close tells.
 * @param rows      of the finished shard
 * @param wave      Angstrom, kept until _close; @p medium "air" or "vacuum"
 * @param settings  one line; a shard with the same line need not be made again
 */
lb_shard *lb_shard_new(const char *path, size_t rows, lb_cvec wave, const char *medium,
                       const char *settings);

/** The next rows: flux and error k x p, labels k x LB_SHARD_LABELS. False once anything failed. */
bool lb_shard_add(lb_shard *s, lb_cmatf flux, lb_cmatf error, lb_cmat labels);

/** Finish and rename. LB_EIO (disk full, no permission); LB_ESHAPE (not all rows came). Frees. */
lb_status lb_shard_close(lb_shard *s, lb_error *err);
void lb_shard_abandon(lb_shard *s); /* removes path.part; NULL is fine */

/** True if @p path is a finished shard made with exactly these settings. */
bool lb_shard_is_current(const char *path, const char *settings);

/** Recompute the content hash of one of our shards. @p stored is "" for a foreign file. Streams. */
lb_status lb_shard_check(const char *path, char stored[LB_HASH_SIZE], char actual[LB_HASH_SIZE],
                         lb_error *err);

#endif
