/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_LINALG_STREAM_H
#define LB_LINALG_STREAM_H

#include "core/error.h"
#include "linalg/mat.h"

#include <stdbool.h>

/**
 * A tall matrix that is read in blocks of rows: what models fit on without knowing files. The
 * provider (data/spectra.h makes one of noisy spectra) fills any block of rows on demand; the same
 * rows always come out with the same bits.
 */
typedef struct lb_stream {
    size_t rows, cols;
    /** Fill @p x (k x cols, k = x.rows) with rows first .. first+k-1. Called from one thread at a
     * time, not always the same one, and perhaps while earlier rows are being multiplied. */
    lb_status (*read)(void *self, size_t first, lb_matf x, lb_error *err);
    void *self;    /* owned by the provider, which outlives the stream */
    bool threaded; /* read() uses every thread by itself: reading ahead would only take them away
                      from whoever multiplies */
} lb_stream;

#endif
