/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_FRAME_H
#define LB_DATA_FRAME_H

#include "core/error.h"
#include "linalg/mat.h"

#include <hdf5.h>
#include <stdbool.h>

/**
 * A pandas DataFrame in an HDF5 file, read by column. Understood: to_hdf(format="table") with
 * data_columns none, some or all; format="fixed"; a plain compound dataset; a group of plain 1-D
 * datasets. Integer and float columns are read as double; others are listed but not readable.
 * Layout facts: pandas 1.5 / PyTables 3.7 source, files checked in tests/unit/data/fixtures.
 */
typedef struct lb_frame lb_frame;

/**
 * @param file   open file, @p path its name for messages, @p node the object, e.g. "dataset/params"
 * @return LB_OK; LB_ENAME (no such object); LB_EFORMAT (not a DataFrame this reads: says what to
 * do)
 */
lb_status lb_frame_open(hid_t file, const char *path, const char *node, lb_frame **out,
                        lb_error *err);
void lb_frame_close(lb_frame *f); /* NULL is fine */
size_t lb_frame_rows(const lb_frame *f);
bool lb_frame_has(const lb_frame *f, const char *column);

/**
 * @param out  lb_frame_rows() values
 * @return LB_OK; LB_ENAME (absent: lists the columns and the nearest); LB_EFORMAT (not numeric, or
 *         unreadable)
 */
lb_status lb_frame_read(const lb_frame *f, const char *column, double *out, lb_error *err);

/**
 * Write @p values (n x n_columns) as a DataFrame in pandas' "table" layout at @p node, whose parent
 * group exists. pandas.read_hdf() returns it with the index 0 .. n-1. No timestamps.
 * @return LB_OK; LB_EIO
 */
lb_status lb_frame_write(hid_t file, const char *path, const char *node, const char *const *columns,
                         lb_cmat values, lb_error *err);

#endif
