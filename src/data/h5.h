/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_H5_H
#define LB_DATA_H5_H

#include "core/error.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

/* The few HDF5 calls of this layer, with messages for people. @p path is the file's name for them.
 */

/** Open for reading, HDF5's own messages off. LB_EIO (says why), LB_EFORMAT (not HDF5, truncated).
 */
lb_status lb_h5_open(const char *path, hid_t *file, lb_error *err);

/** LB_ENAME "FILE has no dataset 'x' ...". */
lb_status lb_h5_dataset(hid_t file, const char *path, const char *name, hid_t *set, lb_error *err);

bool lb_h5_has(hid_t file, const char *name); /* every group on the way exists too */

/** Sizes of up to @p rank dimensions (missing ones 1); the number of dimensions, -1 on failure. */
int lb_h5_extent(hid_t set, int rank, hsize_t *dims);

/** Text attribute the caller frees; NULL if absent or not text. */
char *lb_h5_text(hid_t object, const char *attribute);

/** Explain a failed H5Dread: a filter that is not installed (by name), or a damaged file. */
lb_status lb_h5_unreadable(hid_t set, const char *path, const char *name, lb_error *err);

/** Whole dataset of @p n numbers as double. LB_ENAME, LB_ESHAPE, LB_EFORMAT. */
lb_status lb_h5_read_doubles(hid_t file, const char *path, const char *name, size_t n, double *out,
                             lb_error *err);
lb_status lb_h5_count(hid_t file, const char *path, const char *name, size_t *n, lb_error *err);

/** Scalar text attribute; pandas expects UTF-8 for text and ASCII for pickles. False on failure. */
bool lb_h5_put_text(hid_t object, const char *attribute, const char *text, H5T_cset_t charset);

/** Group made without timestamps, or the existing one; negative on failure. The caller closes it.
 */
hid_t lb_h5_group(hid_t parent, const char *name);

#endif
