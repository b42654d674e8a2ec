/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "models/gate.h"
#include "models/gate_block.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <float.h>
#include <math.h>
#include <omp.h>

/* Rows whose expert k is right near feature 0 = k - K/2 and worse away from it. */
typedef struct rows {
    double *x, *e, *y;
    lb_gate_rows view;
} rows;

static rows rows_make(size_t n, size_t f, size_t k, uint64_t stream)
{
    rows d = {lb_xcalloc(n * f, sizeof(double)),
              lb_xcalloc(n * k, sizeof(double)),
              lb_xcalloc(n, sizeof(double)),
              {{0}, {0}, {0}}};
    lb_rng rng = lb_rng_make(3, stream);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < f; j++)
            d.x[i * f + j] = 2.17 * (double)j + (1.0 + (double)j) * lb_rng_normal(&rng);
        d.y[i] = 1.0 + 4.0 * lb_rng_uniform(&rng);
        for (size_t j = 0; j < k; j++)
            d.e[i * k + j] = d.y[i] + 0.5 * (d.x[i * f] - ((double)j - 0.5 * (double)k)) +
                             0.1 * lb_rng_normal(&rng);
    }
    d.view = (lb_gate_rows){{d.x, n, f, f}, {d.e, n, k, k}, {d.y, n}};
    return d;
}

static void rows_free(rows *d)
{
    free(d->x);
    free(d->e);
    free(d->y);
}

static lb_gate *gate_make(size_t f, size_t h, size_t k, uint64_t seed)
{
    lb_gate *g = NULL;
    lb_error err = {0};
    cr_assert(eq(int, lb_gate_new((lb_gate_shape){f, h, k}, seed, &g, &err), LB_OK), "%s",
              err.text);
    return g;
}

static lb_gate_curve train(lb_gate *g, const rows *t, const rows *v, lb_gate_options o)
{
    lb_gate_curve c = {0};
    lb_error err = {0};
    cr_assert(eq(int, lb_gate_train(g, t->view, v->view, o, &c, &err), LB_OK), "%s", err.text);
    return c;
}

static lb_gate_options quick(size_t epochs)
{
    lb_gate_options o = LB_GATE_DEFAULT;
    o.adam.rate = 0.02;
    o.batch = 50;
    o.epochs = o.max_epochs = epochs;
    return o;
}

static double loss_of(const lb_gate *g, const rows *d)
{
    double loss = (double)NAN;
    lb_error err = {0};
    cr_assert(eq(int, lb_gate_loss(g, d->view, (lb_vec){0}, &loss, &err), LB_OK), "%s", err.text);
    return loss;
}

/* The same in plain loops and with libm: one row's weights. */
static void plain_weights(const lb_gate *g, const double *x, double *p)
{
    const size_t f = g->shape.features, h = g->shape.hidden, k = g->shape.experts;
    const size_t inner = h ? h : f;
    double s[64], u[64], top = -INFINITY, sum = 0.0;
    for (size_t j = 0; j < f; j++)
        s[j] = (x[j] - g->mean.data[j]) * g->inverse.data[j];
    for (size_t i = 0; i < inner; i++) {
        u[i] = h ? g->b1.data[i] : s[i];
        for (size_t j = 0; h && j < f; j++)
            u[i] += s[j] * g->w1.data[j * h + i];
        u[i] = h ? fmax(u[i], 0.0) : u[i];
    }
    for (size_t j = 0; j < k; j++) {
        p[j] = g->b2.data[j];
        for (size_t i = 0; i < inner; i++)
            p[j] += u[i] * g->w2.data[i * k + j];
        top = fmax(top, p[j]);
    }
    for (size_t j = 0; j < k; j++)
        sum += p[j] = exp(p[j] - top);
    for (size_t j = 0; j < k; j++)
        p[j] /= sum;
}

static const lb_gate_shape shapes[] = {{13, 64, 9}, {13, 0, 9}, {1, 1, 1},  {1, 0, 2}, {5, 7, 8},
                                       {16, 8, 10}, {3, 0, 1},  {2, 17, 3}, {9, 3, 17}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* --- forward and backward
 * -----------------------------------------------------------------------*/

Test(gate, weights_and_loss_are_those_of_the_plain_loops)
{
    for (size_t c = 0; c < SHAPES; c++) {
        const size_t f = shapes[c].features, k = shapes[c].experts, n = 77;
        rows d = rows_make(n, f, k, c);
        lb_gate *g = gate_make(f, shapes[c].hidden, k, 5 + c);
        double *p = lb_xcalloc(n * k, sizeof *p), q[64], loss = 0.0;
        cr_assert(eq(int, lb_gate_weights(g, d.view.x, lb_mat_of(p, n, k), NULL), LB_OK));
        for (size_t i = 0; i < n; i++) {
            double yhat = 0.0, sum = 0.0;
            plain_weights(g, d.x + i * f, q);
            for (size_t j = 0; j < k; j++) {
                cr_expect(epsilon_eq(dbl, p[i * k + j], q[j], 1e-12), "shape %zu row %zu", c, i);
                yhat += q[j] * d.e[i * k + j];
                sum += p[i * k + j];
            }
            cr_expect(epsilon_eq(dbl, sum, 1.0, (double)k * DBL_EPSILON));
            loss += (yhat - d.y[i]) * (yhat - d.y[i]) / (double)n;
        }
        cr_expect(epsilon_eq(dbl, loss_of(g, &d), loss, 1e-12 * (1.0 + loss)), "shape %zu", c);
        free(p);
        lb_gate_free(g);
        rows_free(&d);
    }
}

Test(gate, gradient_is_the_central_difference_of_the_loss)
{
    const double step = 1e-5;
    for (size_t c = 0; c < SHAPES; c++) {
        rows d = rows_make(45, shapes[c].features, shapes[c].experts, c);
        lb_gate *g = gate_make(shapes[c].features, shapes[c].hidden, shapes[c].experts, 1 + c);
        const size_t n = g->weights.n;
        double *gradient = lb_xcalloc(n, sizeof *gradient), loss, largest = 1e-3;
        cr_assert(eq(int, lb_gate_loss(g, d.view, (lb_vec){gradient, n}, &loss, NULL), LB_OK));
        for (size_t i = 0; i < n; i++)
            largest = fmax(largest, fabs(gradient[i]));
        for (size_t i = 0; i < n; i++) {
            const double kept = g->weights.data[i];
            g->weights.data[i] = kept + step;
            const double up = loss_of(g, &d);
            g->weights.data[i] = kept - step;
            const double down = loss_of(g, &d);
            g->weights.data[i] = kept;
            cr_expect(epsilon_eq(dbl, gradient[i], (up - down) / (2.0 * step), 1e-6 * largest),
                      "shape %zu weight %zu", c, i);
        }
        free(gradient);
        lb_gate_free(g);
        rows_free(&d);
    }
}

Test(gate, every_instruction_set_gives_the_same_bits)
{
    for (size_t c = 0; c < SHAPES; c++) {
        const size_t n = 75, stride = (shapes[c].features + shapes[c].experts + 8) / 8 * 8;
        lb_rng rng = lb_rng_make(8, c);
        double *records = lb_xaligned(n * stride, sizeof *records), first = 0.0, *g = NULL;
        for (size_t i = 0; i < n * stride; i++)
            records[i] = lb_rng_normal(&rng);
        lb_gate *gate = gate_make(shapes[c].features, shapes[c].hidden, shapes[c].experts, c);
        for (int version = 0; version < LB_GATE_KERNELS; version++) {
            lb_gate_block *b = lb_gate_block_new(shapes[c]);
            b->kernel = lb_gate_kernel_version(version);
            if (b->kernel) {
                lb_gate_block_load(b, gate->weights.data);
                double *slope = lb_gate_block_gradient(b);
                const double sum = lb_gate_block_run(b, records, stride, NULL, n, 0.01, slope);
                if (!g) {
                    first = sum;
                    g = lb_xcalloc(b->n_weights, sizeof *g);
                    memcpy(g, slope, b->n_weights * sizeof *g);
                }
                cr_expect(eq(dbl, sum, first));
                for (size_t i = 0; i < b->n_weights; i++)
                    cr_expect(eq(dbl, slope[i], g[i]), "shape %zu version %d", c, version);
                for (size_t i = 0; i < shapes[c].experts; i++)
                    for (size_t j = b->in_n; j < b->inner; j++)
                        cr_expect(eq(dbl, slope[b->w2 + i * b->inner + j], 0.0), "a padded weight");
                free(slope);
            }
            lb_gate_block_free(b);
        }
        free(g);
        free(records);
        lb_gate_free(gate);
    }
    cr_expect(lb_gate_kernel_version(LB_GATE_KERNELS) == NULL);
}

/* With one feature x, logits (w x, 0): p0 / p1 = exp(w x), down to where exp gives up. */
Test(gate, exponential_is_right_to_two_ulp_over_its_whole_range)
{
    lb_gate *g = gate_make(1, 0, 2, 1);
    memset(g->weights.data, 0, g->weights.n * sizeof(double));
    g->w2.data[0] = 1.0;
    for (double x = -708.0; x <= 0.0; x += 0.0371) {
        double p[2];
        cr_assert(
            eq(int, lb_gate_weights(g, (lb_cmat){&x, 1, 1, 1}, lb_mat_of(p, 1, 2), NULL), LB_OK));
        const double e = exp(x);
        /* one rounding in 1 + e, one in its inverse, one in the product, two ulp of exp */
        cr_expect(epsilon_eq(dbl, p[0] / (e / (1.0 + e)), 1.0, 4.0 * DBL_EPSILON), "exp(%g)", x);
        cr_expect(epsilon_eq(dbl, p[0] + p[1], 1.0, 2.0 * DBL_EPSILON));
    }
    const double far[] = {-1e4, -709.0, 709.0, 1e4, 1e300};
    for (size_t i = 0; i < 5; i++) {
        double p[2];
        cr_assert(eq(int, lb_gate_weights(g, (lb_cmat){far + i, 1, 1, 1}, lb_mat_of(p, 1, 2), NULL),
                     LB_OK));
        cr_expect(eq(dbl, p[0], far[i] > 0.0 ? 1.0 : 0.0));
        cr_expect(eq(dbl, p[1], far[i] > 0.0 ? 0.0 : 1.0));
    }
    lb_gate_free(g);
}

/* --- training
 * -----------------------------------------------------------------------------------*/

/* The example of the header, and what a gate is for: each row's nearby experts carry it. */
Test(gate, both_forms_beat_the_best_single_expert_and_the_mean)
{
    const size_t hidden[] = {0, 16};
    rows t = rows_make(600, 3, 4, 1), v = rows_make(200, 3, 4, 2);
    double single = INFINITY, mean = 0.0;
    for (size_t k = 0; k < 4; k++) {
        double loss = 0.0;
        for (size_t i = 0; i < 200; i++)
            loss += pow(v.e[i * 4 + k] - v.y[i], 2.0) / 200.0;
        single = fmin(single, loss);
    }
    for (size_t i = 0; i < 200; i++)
        mean += pow((v.e[i * 4] + v.e[i * 4 + 1] + v.e[i * 4 + 2] + v.e[i * 4 + 3]) / 4.0 - v.y[i],
                    2.0) /
                200.0;
    for (size_t m = 0; m < 2; m++) {
        lb_gate *g = gate_make(3, hidden[m], 4, 9);
        lb_gate_curve c = train(g, &t, &v, quick(60));
        cr_expect(lt(dbl, loss_of(g, &v), 0.5 * fmin(single, mean)), "hidden %zu", hidden[m]);
        cr_expect(lt(dbl, c.train[c.epochs - 1], c.train[0]));
        lb_gate_curve_free(&c);
        lb_gate_free(g);
    }
    rows_free(&t);
    rows_free(&v);
}

/* The rows of one batch as a set of their own. */
static rows rows_pick(const rows *d, const size_t *which, size_t n)
{
    const size_t f = d->view.x.cols, k = d->view.experts.cols;
    rows b = rows_make(n, f, k, 0);
    for (size_t i = 0; i < n; i++) {
        memcpy(b.x + i * f, d->x + which[i] * f, f * sizeof(double));
        memcpy(b.e + i * k, d->e + which[i] * k, k * sizeof(double));
        b.y[i] = d->y[which[i]];
    }
    return b;
}

Test(gate, training_is_adam_down_the_gradients_of_the_batches_in_the_shuffled_order)
{
    enum { N = 107, BATCH = 40 };
    rows t = rows_make(N, 3, 4, 1);
    lb_gate *g = gate_make(3, 5, 4, 2), *mine = gate_make(3, 5, 4, 2);
    const size_t n = g->weights.n;
    lb_gate_options o = quick(2);
    o.batch = BATCH;
    lb_gate_curve c = train(g, &t, &t, o);
    cr_assert(eq(sz, c.best, 2));
    memcpy(mine->mean.data, g->mean.data, 3 * sizeof(double));
    memcpy(mine->inverse.data, g->inverse.data, 3 * sizeof(double));
    lb_adam *adam = lb_adam_new(n, o.adam);
    double *gradient = lb_xcalloc(n, sizeof *gradient), loss;
    size_t order[N];
    for (size_t epoch = 1; epoch <= 2; epoch++) {
        double met = 0.0;
        lb_gate_order(o.seed, epoch, order, N);
        for (size_t first = 0; first < N; first += BATCH) {
            const size_t size = N - first < BATCH ? N - first : BATCH;
            rows b = rows_pick(&t, order + first, size);
            cr_assert(
                eq(int, lb_gate_loss(mine, b.view, (lb_vec){gradient, n}, &loss, NULL), LB_OK));
            lb_adam_step(adam, gradient, mine->weights.data);
            met += loss * (double)size / N;
            rows_free(&b);
        }
        cr_expect(epsilon_eq(dbl, c.train[epoch - 1], met, 1e-12));
        cr_expect(epsilon_eq(dbl, c.validation[epoch - 1], loss_of(mine, &t), 1e-12));
    }
    for (size_t i = 0; i < n; i++)
        cr_expect(epsilon_eq(dbl, g->weights.data[i], mine->weights.data[i], 1e-11), "weight %zu",
                  i);
    lb_adam_free(adam);
    free(gradient);
    lb_gate_curve_free(&c);
    lb_gate_free(g);
    lb_gate_free(mine);
    rows_free(&t);
}

Test(gate, keeps_the_weights_of_the_best_epoch)
{
    rows t = rows_make(60, 5, 4, 1), v = rows_make(40, 5, 4, 2); /* few rows: it overfits */
    lb_gate *g = gate_make(5, 32, 4, 9);
    lb_gate_options o = quick(300);
    o.adam.rate = 0.05;
    lb_gate_curve c = train(g, &t, &v, o);
    cr_expect(lt(sz, c.best, c.epochs));
    for (size_t i = 0; i < c.epochs; i++) /* none is smaller, and those before are larger */
        cr_expect(i + 1 < c.best ? c.validation[i] > c.validation[c.best - 1]
                                 : c.validation[i] >= c.validation[c.best - 1]);
    cr_expect(epsilon_eq(dbl, loss_of(g, &v), c.validation[c.best - 1], 1e-14));
    lb_gate_curve_free(&c);
    lb_gate_free(g);
    rows_free(&t);
    rows_free(&v);
}

Test(gate, stops_by_patience_by_budget_or_goes_on_while_the_last_epoch_is_the_best)
{
    rows t = rows_make(200, 3, 4, 1), v = rows_make(80, 3, 4, 2);
    lb_gate_options o = quick(400);
    o.patience = 4;
    lb_gate *g = gate_make(3, 0, 4, 9);
    lb_gate_curve spent = train(g, &t, &v, o);
    cr_expect(spent.patience_spent && spent.converged);
    cr_expect(eq(sz, spent.epochs, spent.best + 4));
    lb_gate_free(g);

    /* A budget that ends while the loss still falls: no verdict. */
    o.epochs = o.max_epochs = 6;
    g = gate_make(3, 0, 4, 9);
    lb_gate_curve brief = train(g, &t, &v, o);
    cr_expect(not(brief.patience_spent));
    cr_expect(not(brief.converged));
    cr_expect(eq(sz, brief.epochs, 6));
    cr_expect(eq(sz, brief.best, 6));
    lb_gate_free(g);

    /* The second chance is the longer run itself, weight for weight. */
    o.max_epochs = 400;
    lb_gate *again = gate_make(3, 0, 4, 9), *whole = gate_make(3, 0, 4, 9);
    lb_gate_curve more = train(again, &t, &v, o);
    o.epochs = 400;
    lb_gate_curve all = train(whole, &t, &v, o);
    cr_expect(more.converged && more.patience_spent);
    cr_assert(eq(sz, more.epochs, all.epochs));
    for (size_t i = 0; i < all.epochs; i++)
        cr_expect(eq(dbl, more.validation[i], all.validation[i]));
    for (size_t i = 0; i < whole->weights.n; i++)
        cr_expect(eq(dbl, again->weights.data[i], whole->weights.data[i]));

    /* A budget that ends after the best epoch is the end, patience or not. */
    lb_gate *inside = gate_make(3, 0, 4, 9);
    o.epochs = all.best + 1;
    lb_gate_curve ended = train(inside, &t, &v, o);
    cr_expect(eq(sz, ended.epochs, all.best + 1));
    cr_expect(ended.converged);
    cr_expect(not(ended.patience_spent));
    lb_gate_curve *curves[] = {&spent, &brief, &more, &all, &ended};
    for (size_t i = 0; i < 5; i++)
        lb_gate_curve_free(curves[i]);
    lb_gate_free(again);
    lb_gate_free(whole);
    lb_gate_free(inside);
    rows_free(&t);
    rows_free(&v);
}

/* Large enough that two threads share a batch; the last one of an epoch has 12 rows, all of the
 * first half. */
Test(gate, seed_alone_decides_whatever_the_threads)
{
    rows t = rows_make(300, 13, 9, 1), v = rows_make(90, 13, 9, 2);
    lb_gate *g[4];
    lb_gate_curve c[4];
    const size_t before = threads_now();
    for (int i = 0; i < 4; i++) { /* 1 thread, 2 threads, another start, another shuffle */
        lb_gate_options o = quick(5);
        o.batch = 96;
        o.seed += i == 3;
        omp_set_num_threads(i == 1 ? 2 : 1);
        g[i] = gate_make(13, 64, 9, i == 2 ? 78 : 77);
        c[i] = train(g[i], &t, &v, o);
        cr_expect(eq(sz, threads_now() - before, i > 0), "run %d", i);
    }
    for (size_t i = 0; i < g[0]->weights.n; i++)
        cr_expect(eq(dbl, g[0]->weights.data[i], g[1]->weights.data[i]));
    for (size_t e = 0; e < 5; e++) {
        cr_expect(eq(dbl, c[0].train[e], c[1].train[e]));
        cr_expect(eq(dbl, c[0].validation[e], c[1].validation[e]));
    }
    cr_expect(ne(dbl, c[0].train[4], c[2].train[4]));
    cr_expect(ne(dbl, c[0].train[4], c[3].train[4]));
    for (int i = 0; i < 4; i++) {
        lb_gate_curve_free(c + i);
        lb_gate_free(g[i]);
    }
    rows_free(&t);
    rows_free(&v);
}

Test(gate, order_is_a_permutation_of_seed_and_epoch)
{
    enum { N = 500 };
    size_t a[N], b[N], seen[N] = {0};
    lb_gate_order(42, 7, a, N);
    lb_gate_order(42, 7, b, N);
    cr_expect(memcmp(a, b, sizeof a) == 0);
    for (size_t i = 0; i < N; i++)
        seen[a[i]]++;
    for (size_t i = 0; i < N; i++)
        cr_expect(eq(sz, seen[i], 1));
    lb_gate_order(42, 8, b, N);
    cr_expect(memcmp(a, b, sizeof a) != 0);
    lb_gate_order(43, 7, b, N);
    cr_expect(memcmp(a, b, sizeof a) != 0);
}

/* One batch of all rows: the mean loss met in the first epoch is the loss at the start. */
Test(gate, a_batch_beyond_the_rows_is_all_of_them)
{
    rows t = rows_make(70, 4, 3, 1);
    lb_gate *g = gate_make(4, 9, 3, 5), *scaled = gate_make(4, 9, 3, 5);
    lb_gate_options o = quick(1);
    o.batch = 1000;
    lb_gate_curve c = train(g, &t, &t, o);
    memcpy(scaled->mean.data, g->mean.data, 4 * sizeof(double));
    memcpy(scaled->inverse.data, g->inverse.data, 4 * sizeof(double));
    cr_expect(epsilon_eq(dbl, c.train[0], loss_of(scaled, &t), 1e-13));
    lb_gate_curve_free(&c);
    lb_gate_free(g);
    lb_gate_free(scaled);
    rows_free(&t);
}

/* --- awkward inputs
 * -----------------------------------------------------------------------------*/

Test(gate, units_of_the_features_do_not_matter_and_a_constant_one_is_dropped)
{
    rows t = rows_make(200, 3, 4, 1), v = rows_make(60, 3, 4, 2);
    for (size_t i = 0; i < 200; i++)
        t.x[i * 3 + 2] = 0.1;
    lb_gate *g = gate_make(3, 6, 4, 9), *other = gate_make(3, 6, 4, 9);
    lb_gate_curve c = train(g, &t, &v, quick(8));
    cr_expect(eq(dbl, g->inverse.data[2], 0.0));
    for (size_t i = 0; i < 200; i++)
        t.x[i * 3] = 1e6 + 250.0 * t.x[i * 3];
    for (size_t i = 0; i < 60; i++) {
        v.x[i * 3] = 1e6 + 250.0 * v.x[i * 3];
        v.x[i * 3 + 2] = 1e9; /* never seen in training: of no effect */
    }
    lb_gate_curve d = train(other, &t, &v, quick(8));
    for (size_t i = 0; i < 8; i++)
        cr_expect(epsilon_eq(dbl, c.validation[i], d.validation[i], 1e-9));
    lb_gate_curve_free(&c);
    lb_gate_curve_free(&d);
    lb_gate_free(g);
    lb_gate_free(other);
    rows_free(&t);
    rows_free(&v);
}

Test(gate, one_row_one_expert_wide_rows_and_duplicates_are_fitted)
{
    const lb_gate_shape odd[] = {{3, 5, 4}, {3, 5, 1}, {40, 6, 3}, {3, 0, 4}};
    const size_t n[] = {1, 30, 12, 1};
    for (size_t c = 0; c < 4; c++) {
        const size_t f = odd[c].features, k = odd[c].experts;
        rows t = rows_make(n[c], f, k, c), v = rows_make(20, f, k, 50 + c);
        for (size_t i = 0; i < n[c]; i++) /* the last feature is the first again */
            t.x[i * f + f - 1] = t.x[i * f];
        lb_gate *g = gate_make(f, odd[c].hidden, k, 2), *start = gate_make(f, odd[c].hidden, k, 2);
        lb_gate_curve curve = train(g, &t, &v, quick(15));
        for (size_t i = 0; i < curve.epochs; i++)
            cr_expect(isfinite(curve.train[i]) && isfinite(curve.validation[i]));
        if (k == 1) { /* nothing to learn: no step, and patience ends it */
            cr_expect(curve.patience_spent);
            cr_expect(eq(sz, curve.best, 1));
            for (size_t i = 0; i < g->weights.n; i++)
                cr_expect(eq(dbl, g->weights.data[i], start->weights.data[i]));
        } else {
            cr_expect(lt(dbl, curve.train[curve.epochs - 1], curve.train[0]));
        }
        lb_gate_curve_free(&curve);
        lb_gate_free(g);
        lb_gate_free(start);
        rows_free(&t);
        rows_free(&v);
    }
}

Test(gate, experts_that_agree_leave_the_weights_where_they_were)
{
    rows t = rows_make(90, 3, 4, 1), v = rows_make(30, 3, 4, 2);
    for (size_t i = 0; i < 90 * 4; i++)
        t.e[i] = 2.17;
    lb_gate *g = gate_make(3, 5, 4, 2), *start = gate_make(3, 5, 4, 2);
    lb_gate_curve c = train(g, &t, &v, quick(15));
    for (size_t i = 0; i < g->weights.n; i++)
        cr_expect(epsilon_eq(dbl, g->weights.data[i], start->weights.data[i], 1e-6));
    lb_gate_curve_free(&c);
    lb_gate_free(g);
    lb_gate_free(start);
    rows_free(&t);
    rows_free(&v);
}

/* --- failures
 * -----------------------------------------------------------------------------------*/

/* The call fails with @p expected and a text naming @p word; gate and curve are as they were. */
static void refused(const rows *t, const rows *v, lb_gate_options o, lb_status expected,
                    const char *word)
{
    lb_gate *g = gate_make(3, 5, 4, 2), *start = gate_make(3, 5, 4, 2);
    lb_gate_curve c = {0};
    lb_error err = {0};
    cr_expect(eq(int, lb_gate_train(g, t->view, v->view, o, &c, &err), expected), "%s", word);
    cr_expect(strstr(err.text, word) != NULL, "'%s' names no '%s'", err.text, word);
    cr_expect(c.epochs == 0 && c.train == NULL);
    cr_expect(memcmp(g->weights.data, start->weights.data, g->weights.n * sizeof(double)) == 0);
    cr_expect(eq(dbl, g->mean.data[0], 0.0));
    cr_expect(eq(dbl, g->inverse.data[0], 1.0));
    lb_gate_free(g);
    lb_gate_free(start);
}

Test(gate, says_which_option_is_wrong)
{
    rows t = rows_make(30, 3, 4, 1), v = rows_make(20, 3, 4, 2);
    lb_gate_options o[5] = {quick(5), quick(5), quick(5), quick(5), quick(5)};
    o[0].batch = 0;
    o[1].epochs = 0;
    o[2].patience = 0;
    o[3].max_epochs = 4;
    o[4].adam.rate = (double)NAN;
    const char *words[] = {"batch 0", "epochs 0", "patience 0", "max_epochs 4", "rate is nan"};
    for (size_t i = 0; i < 5; i++)
        refused(&t, &v, o[i], LB_EINVAL, words[i]);
    lb_gate *g = NULL;
    cr_expect(eq(int, lb_gate_new((lb_gate_shape){0, 5, 4}, 1, &g, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_gate_new((lb_gate_shape){3, 5, 0}, 1, &g, NULL), LB_EINVAL));
    cr_expect(g == NULL);
    lb_gate_free(NULL);
    rows_free(&t);
    rows_free(&v);
}

Test(gate, says_where_the_rows_are_wrong)
{
    rows t = rows_make(30, 3, 4, 1), v = rows_make(20, 3, 4, 2);
    const lb_gate_rows right = t.view, held = v.view;
    t.view.x.cols = 2;
    refused(&t, &v, quick(5), LB_ESHAPE, "2 features");
    t.view = right;
    v.view.experts.cols = 3;
    refused(&t, &v, quick(5), LB_ESHAPE, "validation rows have 3 features and 3 experts");
    v.view = held;
    t.view.y.n = 29;
    refused(&t, &v, quick(5), LB_ESHAPE, "29 of y");
    t.view = right;
    v.view.experts.rows = 19;
    refused(&t, &v, quick(5), LB_ESHAPE, "19 of experts");
    v.view.x.rows = v.view.experts.rows = v.view.y.n = 0;
    refused(&t, &v, quick(5), LB_EINVAL, "no validation rows");
    v.view = held;
    t.view.x.rows = t.view.experts.rows = t.view.y.n = 0;
    refused(&t, &v, quick(5), LB_EINVAL, "no training rows");
    rows_free(&t);
    rows_free(&v);
}

Test(gate, numbers_that_are_none_stop_it)
{
    rows t = rows_make(30, 3, 4, 1), v = rows_make(20, 3, 4, 2);
    double *const places[] = {t.x + 7, t.e + 9, t.y + 4, v.x + 58, v.e + 79, v.y + 19};
    const char *const words[] = {
        "training rows: feature 1 of row 2",    "expert 1 of row 2",  "target 0 of row 4",
        "validation rows: feature 1 of row 19", "expert 3 of row 19", "target 0 of row 19"};
    for (size_t i = 0; i < 6; i++) {
        const double kept = *places[i];
        *places[i] = i % 2 ? (double)INFINITY : (double)NAN;
        refused(&t, &v, quick(5), LB_ENUMERIC, words[i]);
        *places[i] = kept;
    }
    for (size_t i = 0; i < 30; i++)
        t.x[i * 3] = i % 2 ? 1e200 : -1e200;
    refused(&t, &v, quick(5), LB_ENUMERIC, "feature 0 has mean");
    for (size_t i = 0; i < 30; i++)
        t.x[i * 3] = i % 2 ? 1e-200 : -1e-200;
    refused(&t, &v, quick(5), LB_ENUMERIC, "change its unit");
    for (size_t i = 0; i < 30; i++)
        t.x[i * 3] = 1e308;
    refused(&t, &v, quick(5), LB_ENUMERIC, "feature 0 has mean inf");
    const double kept = v.y[3];
    for (size_t i = 0; i < 30; i++)
        t.x[i * 3] = (double)i;
    v.y[3] = 1e200;
    refused(&t, &v, quick(5), LB_ENUMERIC, "inf in validation at epoch 1");
    v.y[3] = kept;
    for (size_t i = 0; i < 30; i++) {
        t.x[i * 3] = (double)i;
        t.y[i] = 1e200;
    }
    refused(&t, &v, quick(5), LB_ENUMERIC, "epoch 1");
    rows_free(&t);
    rows_free(&v);
}

Test(gate, loss_and_weights_check_what_they_are_given)
{
    rows d = rows_make(30, 3, 4, 1);
    lb_gate *g = gate_make(3, 5, 4, 2);
    double p[120], loss = 0.37;
    lb_vec gradient = {p, 7};
    lb_gate_rows short_rows = d.view, none = d.view;
    short_rows.y.n = 5;
    none.x.rows = none.experts.rows = none.y.n = 0;
    cr_expect(eq(int, lb_gate_loss(g, d.view, gradient, &loss, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_gate_loss(g, short_rows, (lb_vec){0}, &loss, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_gate_loss(g, none, (lb_vec){0}, &loss, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_gate_weights(g, d.view.x, lb_mat_of(p, 29, 4), NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_gate_weights(g, d.view.x, lb_mat_of(p, 30, 3), NULL), LB_ESHAPE));
    const lb_cmat narrow = {d.x, 30, 2, 3};
    cr_expect(eq(int, lb_gate_weights(g, narrow, lb_mat_of(p, 30, 4), NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_gate_weights(g, none.x, lb_mat_of(p, 0, 4), NULL), LB_OK));
    d.x[4] = (double)NAN;
    cr_expect(eq(int, lb_gate_weights(g, d.view.x, lb_mat_of(p, 30, 4), NULL), LB_ENUMERIC));
    cr_expect(eq(int, lb_gate_loss(g, d.view, (lb_vec){0}, &loss, NULL), LB_ENUMERIC));
    d.x[4] = 0.0;
    for (size_t i = 0; i < g->weights.n; i++) { /* NaN in any weight is told, not swallowed */
        const double kept = g->weights.data[i];
        g->weights.data[i] = (double)NAN;
        cr_expect(eq(int, lb_gate_loss(g, d.view, (lb_vec){0}, &loss, NULL), LB_ENUMERIC), "%zu",
                  i);
        cr_expect(eq(int, lb_gate_weights(g, d.view.x, lb_mat_of(p, 30, 4), NULL), LB_ENUMERIC));
        g->weights.data[i] = kept;
    }
    cr_expect(eq(dbl, loss, 0.37));
    lb_gate_free(g);
    rows_free(&d);
}
