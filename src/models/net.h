/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_MODELS_NET_H
#define LB_MODELS_NET_H

#include "core/error.h"
#include "linalg/mat.h"
#include "linalg/stream.h"
#include "models/adam.h"

#include <stddef.h>
#include <stdint.h>

/* The network under mlp.h and nn_mixture.h: dense layers, ReLU and dropout between them, a linear
 * output. With A_0 the rows of a batch and layers l = 1 .. L,
 *
 *     Z_l = A_(l-1) W_l + b_l      A_l = max(Z_l, 0) . M_l      output = Z_L
 *
 * where M_l is 1, or while training the dropout mask: 0 with probability q, else 1 / (1 - q)
 * ("inverted" dropout; Srivastava et al. 2014, JMLR 15, 1929). Backward (Rumelhart, Hinton &
 * Williams 1986, Nature 323, 533), with D_l = dloss/dZ_l and D_L given by the caller,
 *
 *     dW_l = A_(l-1)' D_l                   db_l = column sums of D_l
 *     D_(l-1) = (D_l W_l') . M_(l-1) . [A_(l-1) > 0]
 *
 * Weights and Adam are float64, products float32 (linalg/multiply.h). Every element of every array
 * is computed by one thread in one order: the bits depend neither on the number of threads nor on
 * the CPU. Networks too small for it run on the calling thread.
 */
typedef struct lb_net lb_net;

enum { LB_NET_LAYERS_MAX = 8 };

/** The sizes of a network: inputs, units of each hidden layer, outputs; layers + 1 numbers. */
typedef struct lb_net_shape {
    size_t layers, sizes[LB_NET_LAYERS_MAX + 1];
} lb_net_shape;

/** Keys of a network's random numbers: networks of one seed and different numbers are independent.
 */
typedef struct lb_net_key {
    uint64_t seed;
    unsigned number; /* 0 .. 15 */
} lb_net_key;

/**
 * Random weights: uniform, of variance 2 / inputs for layers before a ReLU (He et al. 2015, ICCV,
 * eq. 10) and 1 / inputs for the output; biases 0. 1 to LB_NET_LAYERS_MAX layers, no size 0.
 */
lb_net *lb_net_new(lb_net_shape shape, lb_net_key key);
void lb_net_free(lb_net *net); /* NULL is fine */

lb_net_shape lb_net_shape_of(const lb_net *net);

/**
 * All weights as one block: per layer W (inputs x units, row-major) and then b (units). After
 * writing to it call lb_net_refresh(), which renews the float32 copies that the products use.
 */
lb_vec lb_net_weights(const lb_net *net);
void lb_net_refresh(lb_net *net);

/** Where the block of layer @p l (1 .. layers) starts in it: W first, b after inputs * units. */
size_t lb_net_offset(const lb_net *net, size_t l);

/** What dropout needs to know of a training batch; rate 0 or a NULL pointer: none. */
typedef struct lb_net_dropout {
    double rate;        /* in [0, 1); applied in steps of 1 / 65,536 */
    uint64_t epoch;     /* from 1, below 65,536 */
    const size_t *rows; /* of each row of the batch, its number among all data */
} lb_net_dropout;

/** Mask M_l of one row, @p n units of layer @p l: a function of key, epoch, row and unit alone. */
void lb_net_mask(lb_net_key key, double rate, uint64_t epoch, size_t l, size_t row, size_t n,
                 float *mask);

/** Room for the activations of up to @p rows rows, about 8 bytes a row and unit. */
typedef struct lb_net_work lb_net_work;
lb_net_work *lb_net_work_new(const lb_net *net, size_t rows);
void lb_net_work_free(lb_net_work *work);

/**
 * Forward: the outputs of a batch.
 * @param x  (rows, inputs), finite; not more rows than @p work has room for
 * @return (rows, outputs), borrowed from @p work until its next use
 */
lb_cmatf lb_net_forward(const lb_net *net, lb_net_work *work, lb_cmatf x,
                        const lb_net_dropout *dropout);

/** D_L (rows, outputs) of the batch that went forward last: the caller fills it, then goes back. */
lb_matf lb_net_output_gradient(lb_net_work *work);

/** Backward for the batch that went forward last, with its x: the gradient of all weights. */
void lb_net_gradient(const lb_net *net, lb_net_work *work, lb_cmatf x, lb_vec gradient);

/** Backward and one step of Adam, the gradient never leaving the cache. The same weights as
 * lb_net_gradient() followed by lb_adam_step() and lb_net_refresh().
 * @param adam  for as many weights as the network has */
void lb_net_step(lb_net *net, lb_net_work *work, lb_cmatf x, lb_adam *adam);

#endif
