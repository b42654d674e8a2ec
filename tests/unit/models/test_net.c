/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "models/net.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 70 };

static const lb_net_shape shape = {3, {11, 7, 5, 2}};
static const lb_net_key key = {42, 3};

typedef struct batch {
    float x[ROWS * 11];
    double y[ROWS * 2];
    size_t rows[ROWS];
} batch;

static batch make(void)
{
    batch b;
    lb_rng r = lb_rng_make(9, 0);
    for (size_t i = 0; i < ROWS * 11; i++)
        b.x[i] = (float)lb_rng_normal(&r);
    for (size_t i = 0; i < ROWS * 2; i++)
        b.y[i] = lb_rng_normal(&r);
    for (size_t i = 0; i < ROWS; i++)
        b.rows[i] = 1000 + 3 * i;
    return b;
}

static lb_cmatf inputs(const batch *b)
{
    return (lb_cmatf){b->x, ROWS, 11, 11};
}

/* The obvious network in float64: outputs of one row. */
static void row_by_hand(const lb_net *net, const batch *b, const lb_net_dropout *d, size_t i,
                        double *out)
{
    const lb_net_shape s = lb_net_shape_of(net);
    double a[16], z[16];
    float mask[16];
    for (size_t j = 0; j < s.sizes[0]; j++)
        a[j] = (double)b->x[i * 11 + j];
    for (size_t l = 1; l <= s.layers; l++) {
        const double *w = lb_net_weights(net).data + lb_net_offset(net, l);
        lb_net_mask(key, d ? d->rate : 0.0, d ? d->epoch : 1, l, b->rows[i], s.sizes[l], mask);
        for (size_t u = 0; u < s.sizes[l]; u++) {
            z[u] = w[s.sizes[l - 1] * s.sizes[l] + u];
            for (size_t j = 0; j < s.sizes[l - 1]; j++)
                z[u] += a[j] * w[j * s.sizes[l] + u];
            if (l < s.layers)
                z[u] = (z[u] > 0.0 ? z[u] : 0.0) * (double)mask[u];
        }
        memcpy(a, z, sizeof a);
    }
    memcpy(out, a, s.sizes[s.layers] * sizeof *out);
}

/* Loss of the batch: half the sum of squares over both outputs. */
static double loss_by_hand(const lb_net *net, const batch *b, const lb_net_dropout *d)
{
    double loss = 0.0, out[2];
    for (size_t i = 0; i < ROWS; i++) {
        row_by_hand(net, b, d, i, out);
        for (size_t k = 0; k < 2; k++)
            loss += 0.5 * (out[k] - b->y[2 * i + k]) * (out[k] - b->y[2 * i + k]);
    }
    return loss;
}

/* Forward, and the gradient of that loss by its outputs. */
static void forward(const lb_net *net, lb_net_work *work, const batch *b, const lb_net_dropout *d)
{
    const lb_cmatf out = lb_net_forward(net, work, inputs(b), d);
    const lb_matf slope = lb_net_output_gradient(work);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < 2; k++)
            slope.data[i * slope.stride + k] =
                (float)((double)out.data[i * out.stride + k] - b->y[2 * i + k]);
}

Test(net, forward_is_the_obvious_network)
{
    const batch b = make();
    const lb_net_dropout d = {0.3, 4, b.rows};
    lb_net *net = lb_net_new(shape, key);
    lb_net_work *work = lb_net_work_new(net, ROWS);
    for (int masked = 0; masked < 2; masked++) {
        const lb_cmatf out = lb_net_forward(net, work, inputs(&b), masked ? &d : NULL);
        for (size_t i = 0; i < ROWS; i++) {
            double expected[2];
            row_by_hand(net, &b, masked ? &d : NULL, i, expected);
            for (size_t k = 0; k < 2; k++)
                cr_expect(epsilon_eq(dbl, (double)out.data[i * out.stride + k], expected[k], 2e-5));
        }
    }
    lb_net_work_free(work);
    lb_net_free(net);
}

Test(net, gradient_is_the_central_difference)
{
    const batch b = make();
    const lb_net_dropout d = {0.3, 4, b.rows};
    for (int masked = 0; masked < 2; masked++) {
        lb_net *net = lb_net_new(shape, key);
        lb_net_work *work = lb_net_work_new(net, ROWS);
        const lb_vec w = lb_net_weights(net);
        double *gradient = lb_xcalloc(w.n, sizeof *gradient), worst = 0.0, size = 0.0;
        for (size_t q = 0; q < w.n;
             q++) /* no bias of 0: a row that is all dropped sits on a kink */
            w.data[q] += 0.1 * cos((double)q);
        lb_net_refresh(net);
        forward(net, work, &b, masked ? &d : NULL);
        lb_net_gradient(net, work, inputs(&b), (lb_vec){gradient, w.n});
        for (size_t q = 0; q < w.n; q++) {
            const double h = 1e-6, kept = w.data[q];
            w.data[q] = kept + h;
            const double above = loss_by_hand(net, &b, masked ? &d : NULL);
            w.data[q] = kept - h;
            const double below = loss_by_hand(net, &b, masked ? &d : NULL);
            w.data[q] = kept;
            worst = fmax(worst, fabs(gradient[q] - (above - below) / (2.0 * h)));
            size = fmax(size, fabs(gradient[q]));
        }
        cr_expect(lt(dbl, worst, 1e-6 * size), "worst %g of %g", worst, size);
        free(gradient);
        lb_net_work_free(work);
        lb_net_free(net);
    }
}

Test(net, step_is_the_gradient_and_then_adam)
{
    const batch b = make();
    lb_net *fast = lb_net_new(shape, key), *slow = lb_net_new(shape, key);
    lb_net_work *work = lb_net_work_new(fast, ROWS);
    const lb_vec w = lb_net_weights(slow);
    double *gradient = lb_xcalloc(w.n, sizeof *gradient);
    lb_adam *tiles = lb_adam_new(lb_net_weights(fast).n, LB_ADAM_DEFAULT);
    lb_adam *adam = lb_adam_new(w.n, LB_ADAM_DEFAULT);
    for (int step = 0; step < 5; step++) {
        forward(fast, work, &b, NULL);
        lb_net_step(fast, work, inputs(&b), tiles);
        forward(slow, work, &b, NULL);
        lb_net_gradient(slow, work, inputs(&b), (lb_vec){gradient, w.n});
        lb_adam_step(adam, gradient, w.data);
        lb_net_refresh(slow);
    }
    cr_expect(eq(int, memcmp(lb_net_weights(fast).data, w.data, w.n * sizeof(double)), 0));
    lb_adam_free(adam);
    lb_adam_free(tiles);
    free(gradient);
    lb_net_work_free(work);
    lb_net_free(fast);
    lb_net_free(slow);
}

/* Large enough to be shared among threads, with sizes that fit no block. */
static double *train_large(int threads)
{
    const lb_net_shape large = {3, {333, 75, 41, 1}};
    const size_t n = 201;
    const int before = omp_get_max_threads();
    size_t rows[201];
    float *x = lb_xcalloc(n * 333, sizeof *x);
    lb_rng r = lb_rng_make(1, 0);
    omp_set_num_threads(threads);
    for (size_t i = 0; i < n * 333; i++)
        x[i] = (float)lb_rng_normal(&r);
    for (size_t i = 0; i < n; i++)
        rows[i] = i;
    lb_net *net = lb_net_new(large, key);
    lb_net_work *work = lb_net_work_new(net, n);
    lb_adam *adam = lb_adam_new(lb_net_weights(net).n, LB_ADAM_DEFAULT);
    for (uint64_t e = 1; e <= 3; e++) {
        const lb_net_dropout d = {0.2, e, rows};
        const lb_cmatf in = {x, n, 333, 333}, out = lb_net_forward(net, work, in, &d);
        const lb_matf slope = lb_net_output_gradient(work);
        for (size_t i = 0; i < n; i++)
            slope.data[i * slope.stride] = out.data[i * out.stride] - x[i * 333];
        lb_net_step(net, work, in, adam);
    }
    const lb_vec w = lb_net_weights(net);
    double *copy = lb_xcalloc(w.n, sizeof *copy);
    memcpy(copy, w.data, w.n * sizeof *copy);
    lb_adam_free(adam);
    lb_net_work_free(work);
    lb_net_free(net);
    free(x);
    omp_set_num_threads(before);
    return copy;
}

Test(net, one_and_two_threads_give_the_same_bits)
{
    const size_t before = threads_now();
    double *one = train_large(1), *two = train_large(2);
    cr_expect(gt(sz, threads_now(), before), "two threads were at work");
    const size_t n = 334 * 75 + 76 * 41 + 42;
    cr_expect(eq(int, memcmp(one, two, n * sizeof *one), 0));
    free(one);
    free(two);
}

Test(net, starts_with_the_variances_of_he_and_of_a_linear_output)
{
    lb_net *net = lb_net_new((lb_net_shape){2, {400, 100, 60}}, key);
    const double *w = lb_net_weights(net).data, expected[] = {2.0 / 400.0, 1.0 / 100.0};
    const size_t count[] = {400 * 100, 100 * 60}, units[] = {100, 60};
    cr_expect(eq(sz, lb_net_weights(net).n, 401 * 100 + 101 * 60));
    for (size_t l = 1; l <= 2; l++) {
        const double *block = w + lb_net_offset(net, l);
        double squares = 0.0;
        for (size_t i = 0; i < count[l - 1]; i++)
            squares += block[i] * block[i];
        cr_expect(epsilon_eq(dbl, squares / (double)count[l - 1] / expected[l - 1], 1.0, 0.05));
        for (size_t j = 0; j < units[l - 1]; j++)
            cr_expect(eq(dbl, block[count[l - 1] + j], 0.0));
    }
    lb_net_free(net);
}

Test(net, masks_depend_on_every_part_of_their_key_and_keep_the_mean)
{
    enum { N = 30000 };
    static float mask[N], other[N];
    lb_net_mask(key, 0.2, 1, 1, 7, N, mask);
    double mean = 0.0, dropped = 0.0;
    for (size_t i = 0; i < N; i++) {
        mean += (double)mask[i] / N;
        dropped += (mask[i] == 0.0f) / (double)N;
    }
    cr_expect(epsilon_eq(dbl, mean, 1.0, 0.02));
    cr_expect(epsilon_eq(dbl, dropped, 0.2, 0.01));
    lb_net_mask(key, 0.2, 1, 1, 7, 100, other);
    cr_expect(eq(int, memcmp(mask, other, 100 * sizeof *mask), 0), "a unit's mask is its own");
    const struct {
        lb_net_key key;
        uint64_t epoch;
        size_t l, row;
    } others[] = {{{43, 3}, 1, 1, 7},
                  {{42, 4}, 1, 1, 7},
                  {{42, 3}, 2, 1, 7},
                  {{42, 3}, 1, 2, 7},
                  {{42, 3}, 1, 1, 8}};
    for (size_t i = 0; i < 5; i++) {
        lb_net_mask(others[i].key, 0.2, others[i].epoch, others[i].l, others[i].row, N, other);
        double both = 0.0;
        for (size_t j = 0; j < N; j++)
            both += (mask[j] == 0.0f && other[j] == 0.0f) / (double)N;
        cr_expect(epsilon_eq(dbl, both, 0.04, 0.005), "case %zu: independent", i);
    }
}

Test(net, frees_nothing_gladly)
{
    lb_net_free(NULL);
    lb_net_work_free(NULL);
    lb_adam_free(NULL);
}
