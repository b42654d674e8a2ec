/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_TESTS_CROSSCHECK_NPY_H
#define LB_TESTS_CROSSCHECK_NPY_H

#include "core/error.h"

#include <stddef.h>

/* Arrays handed to Python: DIR/NAME.npy in NumPy's format 1.0. */

/** @param descr  NumPy's type: "<f8", "<f4", "<i4", "<u8"; @param item  its size in bytes */
lb_status npy_save(const char *dir, const char *name, const char *descr, size_t item,
                   const void *data, const size_t *shape, size_t rank, lb_error *err);

/** Doubles of shape (a), (a, b) or (a, b, c): trailing zeros are dimensions that are not there. */
lb_status npy_doubles(const char *dir, const char *name, const double *data, size_t a, size_t b,
                      size_t c, lb_error *err);

#endif
