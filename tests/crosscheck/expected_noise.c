/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ridge on noise in expectation: clean spectra, their errors, five noise levels, three groups. */
#include "crosscheck/witness.h"

#include "core/memory.h"
#include "core/progress.h"
#include "core/random.h"
#include "models/expected_noise.h"

#include <stdlib.h>
#include <string.h>

enum { GROUPS = 3, MODELS = 2, LEVELS = 5, ALPHAS = 6 };

static const double levels[LEVELS] = {0.0, 0.1, 0.2, 0.5, 1.0};
static const double alphas[ALPHAS] = {0.001, 0.01, 0.1, 1.0, 10.0, 100.0};
static const bool use[MODELS * GROUPS] = {true, true, true, false, true, false};

typedef struct block {
    size_t n, p;
    float *data;
} block;

static lb_status read_block(void *self, size_t first, lb_matf x, lb_error *err)
{
    const block *b = self;
    (void)err;
    for (size_t i = 0; i < x.rows; i++)
        memcpy(x.data + i * x.stride, b->data + (first + i) * b->p, b->p * sizeof(float));
    return LB_OK;
}

/* Spectra with lines that follow four labels, and errors that follow the pixel and the star; some
 * are no error at all. */
static void make(block *x, block *e, double *y, int *group)
{
    const size_t p = x->p;
    lb_rng r = lb_rng_make(11, 0);
    double *line = lb_xcalloc(4 * p, sizeof *line);
    for (size_t k = 0; k < 4 * p; k++)
        line[k] = 0.05 * lb_rng_normal(&r);
    for (size_t i = 0; i < x->n; i++) {
        double label[4];
        const double bright = 0.5 + lb_rng_uniform(&r);
        for (int k = 0; k < 4; k++)
            label[k] = lb_rng_normal(&r);
        y[i] = 3.0 + label[0] + 0.3 * label[1] * label[2];
        group[i] = (int)lb_rng_below(&r, GROUPS + 1) - 1;
        for (size_t j = 0; j < p; j++) {
            double flux = 1.0 + 0.01 * lb_rng_normal(&r);
            for (size_t k = 0; k < 4; k++)
                flux += label[k] * line[k * p + j];
            x->data[i * p + j] = (float)flux;
            e->data[i * p + j] = (float)(bright * (0.04 + 0.1 * (double)(j % 9)));
        }
        e->data[i * p + i % p] = i % 2 ? -1.0f : 0.0f;
    }
    free(line);
}

int main(int argc, char **argv)
{
    witness w = witness_begin(argc, argv);
    const size_t n = w.full ? 8192 : 1200, p = w.full ? 2048 : 256;
    block x = {n, p, lb_xcalloc(n * p, sizeof(float))},
          e = {n, p, lb_xcalloc(n * p, sizeof(float))};
    double *y = lb_xcalloc(n, sizeof *y);
    int *group = lb_xcalloc(n, sizeof *group);
    const lb_stream flux = {n, p, read_block, &x, false}, error = {n, p, read_block, &e, false};
    const lb_mat squares = lb_mat_new(GROUPS, p);
    lb_ridge *fits[MODELS * LEVELS] = {NULL};
    lb_gram *g = NULL;

    make(&x, &e, y, group);
    witness_save_floats(&w, "x", x.data, n, p);
    witness_save_floats(&w, "error", e.data, n, p);
    witness_save(&w, "y", y, n, 0, 0);
    witness_save_ints(&w, "group", group, n);
    const double since = lb_clock();
    if (w.status == LB_OK)
        w.status = lb_gram_accumulate(&flux, (lb_cvec){y, n}, group,
                                      (lb_gram_options){.groups = GROUPS}, &g, &w.err);
    if (w.status == LB_OK)
        w.status = lb_error_squares(&error, group, squares, &w.err);
    if (w.status == LB_OK)
        w.status =
            lb_expected_noise_fit(g, lb_mat_const(squares), use, MODELS, (lb_cvec){levels, LEVELS},
                                  (lb_cvec){alphas, ALPHAS}, fits, &w.err);
    witness_timed(&w, "levels", since);
    for (size_t i = 0; i < MODELS * LEVELS && w.status == LB_OK; i++) {
        char *name = lb_xprintf("w_%zu_%zu", i / LEVELS, i % LEVELS);
        char *intercept = lb_xprintf("b_%zu_%zu", i / LEVELS, i % LEVELS);
        witness_save(&w, name, fits[i]->w.data, ALPHAS, p, 0);
        witness_save(&w, intercept, fits[i]->b, ALPHAS, 0, 0);
        free(name);
        free(intercept);
    }
    for (size_t i = 0; i < MODELS * LEVELS; i++)
        lb_ridge_free(fits[i]);
    lb_gram_free(g);
    free(squares.data);
    free(x.data);
    free(e.data);
    free(y);
    free(group);
    return witness_end(&w);
}
