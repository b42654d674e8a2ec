/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the package makes of a data set at one noise level, as .npy files for records.py.
 *
 * Usage: crosscheck_export DATA OUT LEVEL SEED_TRAIN SEED_VAL SEED_TEST SEED_BOOTSTRAP
 *
 * Model 0 is the global Ridge, model 1 + k the expert of bin k. A is the number of penalties, the
 * first of which is 0 (least squares of minimum norm).
 *   x_SET, y_SET, group_SET   noisy rows as the stream gives them, log g, bin (-1 outside)
 *   normal, normal_rows       the noise contract itself for a few rows, also beyond 2^32
 *   alphas                    (A)
 *   w, b, condition           (10, A, p), (10, A), (10, A)
 *   yhat_val, yhat_test       (10, n, A)
 *   r2_val, r2_test           (10, A): each model on its own rows
 *   chosen                    (10) index of the penalty with the best validation R2
 *   scores                    R2, MAE, RMSE, bias of global and mixture on the covered test rows
 *   delta                     value, ci_lo, ci_hi, se, p_above 0.03
 *   draws                     (1000) of the difference
 */
#include "core/memory.h"
#include "core/text.h"
#include "crosscheck/npy.h"
#include "data/bins.h"
#include "data/noise.h"
#include "data/spectra.h"
#include "models/ridge.h"
#include "stats/bootstrap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 9, MODELS = 1 + BINS, ALPHAS = 7, GROUPS = BINS + 1, DRAWS = 1000 };
static const double alphas[ALPHAS] = {0.0, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0};
#define THRESHOLD 0.03

typedef struct side {
    const char *name;
    lb_spectra *spectra;
    lb_noisy noisy;
    lb_stream x;
    size_t n;
    int *group;          /* bin, -1 outside */
    lb_rowset *all;      /* its rows */
    double *y;           /* log g */
    lb_mat yhat[MODELS]; /* n x ALPHAS */
} side;

/* --- one set of rows ----------------------------------------------------------------------------
 */

static lb_status side_open(const char *root, const char *name, double level, uint64_t seed, side *s,
                           lb_error *err)
{
    *s = (side){.name = name};
    lb_status st = lb_spectra_open(root, name, &s->spectra, err);
    if (st != LB_OK)
        return st;
    if (!s->spectra)
        return LB_FAIL(err, LB_EIO, "%s has no %s_* directory", root, name);
    s->n = lb_spectra_rows(s->spectra);
    s->noisy = (lb_noisy){s->spectra, level, seed};
    s->x = lb_noisy_stream(&s->noisy);
    s->y = lb_xcalloc(s->n, sizeof *s->y);
    memcpy(s->y, lb_spectra_label(s->spectra, "log_g").data, s->n * sizeof *s->y);
    s->all = lb_rowset_all(name, lb_spectra_hash(s->spectra), s->n);
    s->group = lb_xcalloc(s->n, sizeof *s->group);
    const lb_bins bins = lb_bins_nine();
    lb_bins_assign(&bins, lb_spectra_label(s->spectra, "T_eff"),
                   lb_spectra_label(s->spectra, "M_H"), s->group);
    return LB_OK;
}

static void side_close(side *s)
{
    for (size_t m = 0; m < MODELS; m++)
        free(s->yhat[m].data);
    free(s->y);
    free(s->group);
    lb_rowset_free(s->all);
    lb_spectra_close(s->spectra);
}

static lb_status side_save(const char *dir, side *s, lb_error *err)
{
    const size_t shape[] = {s->n, s->x.cols};
    float *x = lb_xcalloc(s->n * s->x.cols, sizeof *x);
    char name[32];
    lb_status st = s->x.read(s->x.self, 0, (lb_matf){x, s->n, s->x.cols, s->x.cols}, err);
    snprintf(name, sizeof name, "x_%s", s->name);
    if (st == LB_OK)
        st = npy_save(dir, name, "<f4", sizeof *x, x, shape, 2, err);
    snprintf(name, sizeof name, "group_%s", s->name);
    if (st == LB_OK)
        st = npy_save(dir, name, "<i4", sizeof *s->group, s->group, shape, 1, err);
    snprintf(name, sizeof name, "y_%s", s->name);
    if (st == LB_OK)
        st = npy_doubles(dir, name, s->y, s->n, 0, 0, err);
    free(x);
    return st;
}

/* 1,003 pixels: not a multiple of four nor of any block of the generator. */
static lb_status save_normals(const char *dir, uint64_t seed, lb_error *err)
{
    enum { ROWS = 4, PIXELS = 1003 };
    static const uint64_t rows[ROWS] = {0, 1, 31999, 0x123456789ABu};
    static float z[ROWS][PIXELS];
    const size_t shape[] = {ROWS, PIXELS};
    for (size_t i = 0; i < ROWS; i++)
        lb_normal_row(seed, rows[i], PIXELS, z[i]);
    const lb_status st = npy_save(dir, "normal", "<f4", sizeof z[0][0], z, shape, 2, err);
    return st == LB_OK ? npy_save(dir, "normal_rows", "<u8", sizeof *rows, rows, shape, 1, err)
                       : st;
}

/* --- models -------------------------------------------------------------------------------------
 */

/* Group g of the Gram: bin g, or BINS for rows outside, which only the global model uses. */
static lb_status fit(const side *train, lb_ridge **models, lb_error *err)
{
    bool use[MODELS][GROUPS] = {{false}};
    int *group = lb_xcalloc(train->n, sizeof *group);
    lb_gram *gram = NULL;
    for (size_t i = 0; i < train->n; i++)
        group[i] = train->group[i] < 0 ? BINS : train->group[i];
    for (size_t g = 0; g < GROUPS; g++)
        use[0][g] = true;
    for (size_t k = 0; k < BINS; k++)
        use[1 + k][k] = true;
    lb_status st = lb_gram_accumulate(&train->x, (lb_cvec){train->y, train->n}, group,
                                      (lb_gram_options){.groups = GROUPS}, &gram, err);
    if (st == LB_OK)
        st = lb_ridge_fit_many(gram, use[0], MODELS, (lb_cvec){alphas, ALPHAS},
                               (lb_ridge_options){false}, models, err);
    lb_gram_free(gram);
    free(group);
    return st;
}

static lb_status save_models(const char *dir, lb_ridge *const *models, lb_error *err)
{
    const size_t p = models[0]->w.cols;
    double *w = lb_xcalloc(MODELS * ALPHAS * p, sizeof *w);
    double b[MODELS][ALPHAS], condition[MODELS][ALPHAS];
    for (size_t m = 0; m < MODELS; m++)
        for (size_t a = 0; a < ALPHAS; a++) {
            b[m][a] = models[m]->b[a];
            condition[m][a] = models[m]->condition[a];
            memcpy(w + (m * ALPHAS + a) * p, models[m]->w.data + a * models[m]->w.stride,
                   p * sizeof *w);
        }
    lb_status st;
    if ((st = npy_doubles(dir, "alphas", alphas, ALPHAS, 0, 0, err)) == LB_OK &&
        (st = npy_doubles(dir, "w", w, MODELS, ALPHAS, p, err)) == LB_OK &&
        (st = npy_doubles(dir, "b", b[0], MODELS, ALPHAS, 0, err)) == LB_OK)
        st = npy_doubles(dir, "condition", condition[0], MODELS, ALPHAS, 0, err);
    free(w);
    return st;
}

static lb_status predict(const char *dir, lb_ridge *const *models, side *s, lb_error *err)
{
    const size_t size = s->n * ALPHAS;
    double *all = lb_xcalloc(MODELS * size, sizeof *all);
    for (size_t m = 0; m < MODELS; m++)
        s->yhat[m] = lb_mat_of(lb_xcalloc(size, sizeof(double)), s->n, ALPHAS);
    lb_status st = lb_ridge_predict((const lb_ridge *const *)models, MODELS, &s->x, s->yhat, err);
    for (size_t m = 0; m < MODELS; m++)
        memcpy(all + m * size, s->yhat[m].data, size * sizeof *all);
    char name[32];
    snprintf(name, sizeof name, "yhat_%s", s->name);
    if (st == LB_OK)
        st = npy_doubles(dir, name, all, MODELS, s->n, ALPHAS, err);
    free(all);
    return st;
}

/* --- scores -------------------------------------------------------------------------------------
 */

/* R2 of every model and penalty on the rows the model is for: all, or those of its bin. */
static lb_status score(const char *dir, const side *s, double r2[MODELS][ALPHAS], lb_error *err)
{
    bool *keep = lb_xcalloc(s->n, sizeof *keep);
    double *yhat = lb_xcalloc(s->n, sizeof *yhat), *scratch = lb_xcalloc(2 * s->n, sizeof *scratch);
    lb_status st = LB_OK;
    for (size_t m = 0; m < MODELS && st == LB_OK; m++) {
        for (size_t i = 0; i < s->n; i++)
            keep[i] = m == 0 || s->group[i] == (int)m - 1;
        lb_rowset *rows = lb_rowset_where(s->all, "rows of the model", keep);
        for (size_t a = 0; a < ALPHAS && st == LB_OK; a++) {
            for (size_t i = 0; i < s->n; i++)
                yhat[i] = s->yhat[m].data[i * ALPHAS + a];
            const lb_outcome full = {.rows = s->all, .y = {s->y, s->n}, .yhat = {yhat, s->n}};
            lb_outcome own;
            lb_number x;
            if ((st = lb_outcome_on(full, rows, scratch, &own, err)) == LB_OK &&
                (st = lb_score_r2(&own, &x, err)) == LB_OK)
                r2[m][a] = x.value;
        }
        lb_rowset_free(rows);
    }
    char name[32];
    snprintf(name, sizeof name, "r2_%s", s->name);
    if (st == LB_OK)
        st = npy_doubles(dir, name, r2[0], MODELS, ALPHAS, 0, err);
    free(keep);
    free(yhat);
    free(scratch);
    return st;
}

static lb_status choose(const char *dir, double r2[MODELS][ALPHAS], size_t chosen[MODELS],
                        lb_error *err)
{
    int32_t index[MODELS];
    const size_t shape[] = {MODELS};
    for (size_t m = 0; m < MODELS; m++) {
        lb_alpha_choice c;
        const lb_status st = lb_ridge_choose((lb_cvec){alphas + 1, ALPHAS - 1},
                                             (lb_cvec){r2[m] + 1, ALPHAS - 1}, &c, err);
        if (st != LB_OK)
            return st;
        chosen[m] = c.index + 1;
        index[m] = (int32_t)chosen[m];
    }
    return npy_save(dir, "chosen", "<i4", sizeof *index, index, shape, 1, err);
}

static lb_status save_contest(const char *dir, const lb_outcome *pair, uint64_t seed, lb_error *err)
{
    lb_bootstrap *b = NULL;
    lb_number x, mae, rmse, bias;
    double scores[2][4], draws[DRAWS];
    lb_status st;
    for (size_t m = 0; m < 2; m++) {
        if ((st = lb_score_r2(&pair[m], &x, err)) != LB_OK ||
            (st = lb_score_mae(&pair[m], &mae, err)) != LB_OK ||
            (st = lb_score_rmse(&pair[m], &rmse, err)) != LB_OK ||
            (st = lb_score_bias(&pair[m], &bias, err)) != LB_OK)
            return st;
        memcpy(scores[m], (double[]){x.value, mae.value, rmse.value, bias.value}, sizeof scores[m]);
    }
    if ((st = lb_bootstrap_new(pair, 2, DRAWS, seed, &b, err)) != LB_OK ||
        (st = lb_bootstrap_delta(b, 1, 0, THRESHOLD, &x, err)) != LB_OK)
        goto done;
    lb_bootstrap_draws_delta(b, 1, 0, draws);
    const double delta[] = {x.value, x.ci_lo, x.ci_hi, x.se, x.p_above};
    if ((st = npy_doubles(dir, "scores", scores[0], 2, 4, 0, err)) == LB_OK &&
        (st = npy_doubles(dir, "delta", delta, 5, 0, 0, err)) == LB_OK)
        st = npy_doubles(dir, "draws", draws, DRAWS, 0, 0, err);
done:
    lb_bootstrap_free(b);
    return st;
}

/* Global against mixture on the covered test rows. */
static lb_status contest(const char *dir, const side *test, const size_t chosen[MODELS],
                         uint64_t seed, lb_error *err)
{
    const size_t n = test->n;
    double *yhat = lb_xcalloc(2 * n, sizeof *yhat), *scratch = lb_xcalloc(4 * n, sizeof *scratch);
    bool *covered = lb_xcalloc(n, sizeof *covered);
    for (size_t i = 0; i < n; i++) {
        const size_t m = (size_t)(1 + test->group[i]); /* the global model outside */
        covered[i] = test->group[i] >= 0;
        yhat[i] = test->yhat[0].data[i * ALPHAS + chosen[0]];
        yhat[n + i] = test->yhat[m].data[i * ALPHAS + chosen[m]];
    }
    lb_rowset *rows = lb_rowset_where(test->all, "covered", covered);
    lb_outcome pair[2];
    lb_status st = LB_OK;
    for (size_t m = 0; m < 2 && st == LB_OK; m++)
        st = lb_outcome_on((lb_outcome){.rows = test->all,
                                        .y = {test->y, n},
                                        .yhat = {yhat + m * n, n},
                                        .model = m ? "mixture" : "global"},
                           rows, scratch + m * 2 * n, &pair[m], err);
    if (st == LB_OK)
        st = save_contest(dir, pair, seed, err);
    lb_rowset_free(rows);
    free(yhat);
    free(scratch);
    free(covered);
    return st;
}

static lb_status export(const char *data, const char *dir, double level, const uint64_t seed[4],
                        lb_error *err)
{
    enum { TRAIN, VAL, TEST, SIDES };
    static const char *const names[SIDES] = {"train", "val", "test"};
    side sides[SIDES] = {{0}};
    lb_ridge *models[MODELS] = {NULL};
    double r2[SIDES][MODELS][ALPHAS];
    size_t chosen[MODELS];
    lb_status st = save_normals(dir, seed[TRAIN], err);

    for (int s = 0; s < SIDES && st == LB_OK; s++)
        if ((st = side_open(data, names[s], level, seed[s], &sides[s], err)) == LB_OK)
            st = side_save(dir, &sides[s], err);
    if (st != LB_OK || (st = fit(&sides[TRAIN], models, err)) != LB_OK ||
        (st = save_models(dir, models, err)) != LB_OK)
        goto done;
    for (int s = VAL; s < SIDES; s++)
        if ((st = predict(dir, models, &sides[s], err)) != LB_OK ||
            (st = score(dir, &sides[s], r2[s], err)) != LB_OK)
            goto done;
    if ((st = choose(dir, r2[VAL], chosen, err)) == LB_OK)
        st = contest(dir, &sides[TEST], chosen, seed[SIDES], err);
done:
    for (size_t m = 0; m < MODELS; m++)
        lb_ridge_free(models[m]);
    for (int s = 0; s < SIDES; s++)
        side_close(&sides[s]);
    return st;
}

int main(int argc, char **argv)
{
    double level;
    size_t given[4];
    uint64_t seed[4];
    bool ok = argc == 8 && lb_parse_double(argv[3], &level);
    for (int i = 0; i < 4 && ok; i++) {
        ok = lb_parse_size(argv[4 + i], &given[i]);
        seed[i] = given[i];
    }
    if (!ok) {
        fprintf(stderr, "usage: crosscheck_export DATA OUT LEVEL SEED_TRAIN SEED_VAL SEED_TEST "
                        "SEED_BOOTSTRAP\n");
        return 2;
    }
    lb_error err = {0};
    const lb_status st = export(argv[1], argv[2], level, seed, &err);
    if (st != LB_OK)
        fprintf(stderr, "crosscheck_export: %s\n", err.text);
    return lb_exit_status(st);
}
