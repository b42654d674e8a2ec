/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_ROWS_H
#define LB_DATA_ROWS_H

#include "linalg/stream.h"

/** Some rows of a stream, in a given order. Plain value; base and rows are borrowed. */
typedef struct lb_stream_rows {
    lb_stream base;
    const size_t
        *rows; /* n row numbers of base, any order; neighbours in sequence are read at once */
    size_t n;
} lb_stream_rows;

/**
 * The stream whose row i is row rows[i] of the base, with the same bits. Reading fails with
 * LB_ESHAPE when a number is beyond the base.
 * @param self  must outlive the stream
 */
lb_stream lb_stream_of_rows(lb_stream_rows *self);

/** Several streams of equally many columns, one below the other. Plain value; parts are borrowed.
 */
typedef struct lb_joined {
    const lb_stream *parts;
    size_t n;
} lb_joined;

/**
 * The stream that holds the rows of parts[0], then those of parts[1] ..., with the same bits.
 * @param self  at least one part; must outlive the stream
 */
lb_stream lb_stream_joined(lb_joined *self);

#endif
