/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_LINALG_MAT_H
#define LB_LINALG_MAT_H

#include "core/memory.h"

#include <stddef.h>

/* Views: a pointer and sizes, row-major, nobody's memory. Pass by value. Element (i, j) of a matrix
 * is data[i * stride + j]. The c-versions are read-only; the f-versions are single precision
 * (spectra as stored). */
typedef struct lb_vec {
    double *data;
    size_t n;
} lb_vec;
typedef struct lb_cvec {
    const double *data;
    size_t n;
} lb_cvec;
typedef struct lb_mat {
    double *data;
    size_t rows, cols, stride;
} lb_mat;
typedef struct lb_cmat {
    const double *data;
    size_t rows, cols, stride;
} lb_cmat;
typedef struct lb_matf {
    float *data;
    size_t rows, cols, stride;
} lb_matf;
typedef struct lb_cmatf {
    const float *data;
    size_t rows, cols, stride;
} lb_cmatf;

static inline lb_cvec lb_vec_const(lb_vec v)
{
    return (lb_cvec){v.data, v.n};
}
static inline lb_cmat lb_mat_const(lb_mat m)
{
    return (lb_cmat){m.data, m.rows, m.cols, m.stride};
}
static inline lb_cmatf lb_matf_const(lb_matf m)
{
    return (lb_cmatf){m.data, m.rows, m.cols, m.stride};
}
static inline lb_mat lb_mat_of(double *data, size_t rows, size_t cols)
{
    return (lb_mat){data, rows, cols, cols};
}
static inline lb_mat lb_mat_rows(lb_mat m, size_t first, size_t last) /* rows first .. last-1 */
{
    return (lb_mat){m.data + first * m.stride, last - first, m.cols, m.stride};
}

/* New and zero; the caller frees the data. */
static inline lb_vec lb_vec_new(size_t n)
{
    return (lb_vec){lb_xcalloc(n, sizeof(double)), n};
}
static inline lb_mat lb_mat_new(size_t rows, size_t cols)
{
    return lb_mat_of(lb_xcalloc(rows * cols, sizeof(double)), rows, cols);
}

#endif
