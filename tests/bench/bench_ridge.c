/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench_ridge: the timed half of `tests/bench/bench.sh`, by the library calls of the experiments.
 *
 *   bench_ridge make DIR ROWS REBIN   spectra to fit (kept if they are there)
 *   bench_ridge run DIR TASK          TASK: one, six (alphas) or bins (nine bins + global, six
 * alphas) bench_ridge core                  the OpenBLAS kernel
 *
 * run prints "SECONDS PEAK_BYTES R2...": from opening the file to the scores of the last alpha on
 * the test rows, per model; the peak is that of the process.
 */
#include "core/memory.h"
#include "core/progress.h"
#include "data/bins.h"
#include "data/noise.h"
#include "data/simulate.h"
#include "linalg/blas.h"
#include "linalg/gram.h"
#include "models/ridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 9, MODELS = BINS + 1, TEST_ROWS = 1024 };

static const double noise = 0.2;
static const double one_alpha[] = {1.0}, six_alphas[] = {0.001, 0.01, 0.1, 1.0, 10.0, 100.0};

static lb_status make(const char *dir, size_t rows, size_t rebin, lb_error *err)
{
    const lb_profile profile = {.name = "bench",
                                .n_train = rows,
                                .n_val = 64,
                                .n_test = TEST_ROWS,
                                .shards = 1,
                                .rebin = rebin,
                                .stream = 99};
    const lb_simulation sim = {.profile = &profile,
                               .grid_path = "data/grid/stellar_grid.h5",
                               .sky_path = "data/grid/sky_lines.tsv",
                               .out = dir,
                               .seed = 20251203};
    lb_text report = {0};
    const lb_status st = lb_simulate(&sim, &report, err);
    lb_text_free(&report);
    return st;
}

/* R2 of the last alpha on the rows of @p group == k, or on all rows if k < 0. */
static double r2_of(lb_cmat yhat, lb_cvec y, const int *group, int k)
{
    double n = 0.0, sum = 0.0, squares = 0.0, rss = 0.0;
    for (size_t i = 0; i < y.n; i++) {
        if (k >= 0 && group[i] != k)
            continue;
        const double e = y.data[i] - yhat.data[i * yhat.stride + yhat.cols - 1];
        n += 1.0;
        sum += y.data[i];
        squares += y.data[i] * y.data[i];
        rss += e * e;
    }
    return 1.0 - rss / (squares - sum * sum / n);
}

/* Bins 0 .. 8, and 9 for the rows outside, which the global model needs too. */
static int *groups_of(const lb_spectra *s, bool bins)
{
    const size_t n = lb_spectra_rows(s);
    int *group = lb_xcalloc(n, sizeof *group);
    const lb_bins nine = lb_bins_nine();
    if (bins)
        lb_bins_assign(&nine, lb_spectra_label(s, "T_eff"), lb_spectra_label(s, "M_H"), group);
    for (size_t i = 0; i < n && bins; i++)
        group[i] = group[i] < 0 ? BINS : group[i];
    return group;
}

static lb_status run(const char *dir, const char *task, lb_error *err)
{
    const double start = lb_clock();
    const bool bins = strcmp(task, "bins") == 0, one = strcmp(task, "one") == 0;
    const size_t groups = bins ? BINS + 1 : 1, n_models = bins ? MODELS : 1;
    const lb_cvec alphas = one ? (lb_cvec){one_alpha, 1} : (lb_cvec){six_alphas, 6};
    lb_spectra *train = NULL, *test = NULL;
    lb_gram *gram = NULL;
    lb_ridge *models[MODELS] = {NULL};
    lb_mat yhat[MODELS] = {{0}};
    int *train_group = NULL, *test_group = NULL;
    bool use[MODELS][BINS + 1] = {{false}};
    lb_status st;
    if ((st = lb_spectra_open(dir, "train", &train, err)) != LB_OK ||
        (st = lb_spectra_open(dir, "test", &test, err)) != LB_OK)
        goto done;
    const lb_cvec y = lb_spectra_label(train, "log_g"), y_test = lb_spectra_label(test, "log_g");
    train_group = groups_of(train, bins);
    test_group = groups_of(test, bins);
    lb_noisy noisy = {train, noise, 42}, noisy_test = {test, noise, 44};
    const lb_stream x = lb_noisy_stream(&noisy), x_test = lb_noisy_stream(&noisy_test);
    if ((st = lb_gram_accumulate(&x, y, train_group, (lb_gram_options){.groups = groups}, &gram,
                                 err)) != LB_OK)
        goto done;
    const double summed = lb_clock();
    for (size_t m = 0; m < n_models; m++)
        for (size_t k = 0; k < groups; k++) /* the last model is the global one */
            use[0][m * groups + k] = m + 1 == n_models || k == m;
    if ((st = lb_ridge_fit_many(gram, use[0], n_models, alphas, (lb_ridge_options){0}, models,
                                err)) != LB_OK)
        goto done;
    const double fitted = lb_clock();
    for (size_t m = 0; m < n_models; m++)
        yhat[m] = lb_mat_new(y_test.n, alphas.n);
    if ((st = lb_ridge_predict((const lb_ridge *const *)models, n_models, &x_test, yhat, err)) !=
        LB_OK)
        goto done;
    const double end = lb_clock();
    printf("%.3f %zu", end - start, lb_peak_memory());
    for (size_t m = 0; m < n_models; m++)
        printf(" %.4f",
               r2_of(lb_mat_const(yhat[m]), y_test, test_group, m + 1 == n_models ? -1 : (int)m));
    printf("\n");
    fprintf(stderr, "  gram %.2f s, fits %.2f s, predictions %.2f s\n", summed - start,
            fitted - summed, end - fitted);
done:
    for (size_t m = 0; m < MODELS; m++) {
        lb_ridge_free(models[m]);
        free(yhat[m].data);
    }
    free(train_group);
    free(test_group);
    lb_gram_free(gram);
    lb_spectra_close(train);
    lb_spectra_close(test);
    return st;
}

int main(int argc, char **argv)
{
    lb_error err = {0};
    if (argc == 2 && strcmp(argv[1], "core") == 0)
        puts(lb_blas_core());
    else if (argc == 5 && strcmp(argv[1], "make") == 0)
        make(argv[2], strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10), &err);
    else if (argc == 4 && strcmp(argv[1], "run") == 0 && strstr("one six bins", argv[3]))
        run(argv[2], argv[3], &err);
    else
        LB_FAIL(&err, LB_EINVAL, "make DIR ROWS REBIN, run DIR one|six|bins, or core");
    if (err.status != LB_OK)
        fprintf(stderr, "bench_ridge: %s\n", err.text);
    return lb_exit_status(err.status);
}
