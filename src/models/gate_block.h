/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_GATE_BLOCK_H
#define LB_MODELS_GATE_BLOCK_H

#include "models/gate.h"

/* The arithmetic of a gate, for models/gate.c alone: a few rows forward and backward while they are
 * in the first-level cache. A layer's outputs lie side by side, padded with zeros to whole vectors,
 * so that each product below is a broadcast times a vector, without a sum across lanes:
 *
 *     h (row, H) += x[row][f] W1[f][:]         dW1[f][:] += x[row][f] dh[row][:]
 *     z (row, K-1) += h[row][j] V[j][:]        dW2'[k][:] += dz[row][k] h[row][:]
 *                                              dh[row][:] += dz[row][k] W2'[k][:]
 *
 * Softmax knows differences of logits only: column k of V is that of W2 less the last one, and the
 * last logit is 0. Nine experts then fill one vector of eight.
 * A padded weight has a gradient of zero and stays zero under Adam.
 */

enum {
    LB_GATE_LANES = 8,  /* doubles of the widest vector */
    LB_GATE_ROWS = 32,  /* rows of a full block */
    LB_GATE_KERNELS = 3 /* portable, AVX2, AVX-512 */
};

typedef struct lb_gate_block lb_gate_block;

/** One block forward and, unless @p g is NULL, backward: scale times the gradient is added to it.
 * @return the sum of squared errors of its rows */
typedef double lb_gate_kernel(lb_gate_block *b, size_t rows, double scale, double *g);

struct lb_gate_block {
    lb_gate_shape shape;
    size_t fw, hw;      /* F, H rounded up to whole vectors */
    size_t kw, zw;      /* K, K - 1 likewise */
    size_t inner, in_n; /* width and true size of the last layer's input: H, or F without hidden */
    size_t n_weights;   /* padded block: W1 (F, hw), b1 (hw), W2' (K, inner), b2 (kw) */
    double *w;          /* weights */
    size_t b1, w2, b2;  /* where the parts begin; W1 at 0 */
    double *w2t, *b2t;  /* V (in_n, zw) and its biases (zw) */
    double *x, *h;      /* (rows, fw); (rows, hw): hidden units, then the derivatives by them */
    double *z, *dz;     /* (rows, zw): logits; (rows, kw): derivatives by all K of them */
    double *e, *p;      /* (K, rows): predictions of the experts, weights of the mixture */
    double *y;          /* (rows) */
    lb_gate_kernel *kernel;
};

lb_gate_block *lb_gate_block_new(lb_gate_shape shape);
void lb_gate_block_free(lb_gate_block *b);

/** A padded block of zeros, for a gradient; the caller's. */
double *lb_gate_block_gradient(const lb_gate_block *b);

/** Weights and gradient between the gate's plain block and the padded one. Each change of w ends
 * with lb_gate_block_refresh(), which remakes w2t and b2t. */
void lb_gate_block_load(lb_gate_block *b, const double *plain);
void lb_gate_block_store(const lb_gate_block *b, const double *padded, double *plain);
void lb_gate_block_refresh(lb_gate_block *b);

/**
 * Run rows of packed records, @p stride doubles each, aligned and of whole vectors: features (F,
 * scaled), experts (K), truth. @p order names them, NULL: the first @p n. Unless @p g is NULL,
 * scale times the gradient of the sum of squares is added to it. @return the sum of squared errors,
 * in the order given
 */
double lb_gate_block_run(lb_gate_block *b, const double *records, size_t stride,
                         const size_t *order, size_t n, double scale, double *g);

/** The kernels: 0 portable, 1 AVX2, 2 AVX-512; NULL where the CPU lacks it. Equal bits. A new block
 * has the widest. */
lb_gate_kernel *lb_gate_kernel_version(int version);

#endif
