/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/expected_noise.h"

#include "core/memory.h"
#include "models/penalty.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256 }; /* rows read at once */

/* --- the errors ---------------------------------------------------------------------------------
 */

static void add_squares(lb_cmatf e, const int *group, lb_mat sums)
{
    for (size_t i = 0; i < e.rows; i++) {
        const float *row = e.data + i * e.stride;
        const int number = group ? group[i] : 0;
        if (number < 0)
            continue;
        double *out = sums.data + (size_t)number * sums.stride;
        for (size_t j = 0; j < e.cols; j++)
            out[j] += row[j] > 0.0f && row[j] <= FLT_MAX ? (double)row[j] * (double)row[j] : 0.0;
    }
}

lb_status lb_error_squares(const lb_stream *error, const int *group, lb_mat sums, lb_error *err)
{
    lb_status st = LB_OK;
    if (sums.cols != error->cols)
        return LB_FAIL(err, LB_ESHAPE, "errors of %zu pixels, sums of %zu", error->cols, sums.cols);
    for (size_t i = 0; i < error->rows; i++) {
        const int number = group ? group[i] : 0;
        if (number < -1 || (number >= 0 && (size_t)number >= sums.rows))
            return LB_FAIL(err, LB_EINVAL, "row %zu is of group %d, but there are %zu groups", i,
                           number, sums.rows);
    }
    for (size_t k = 0; k < sums.rows; k++)
        memset(sums.data + k * sums.stride, 0, sums.cols * sizeof(double));
    float *block = lb_xaligned(BLOCK * error->cols, sizeof *block);
    for (size_t first = 0; first < error->rows && st == LB_OK; first += BLOCK) {
        const size_t n = error->rows - first < BLOCK ? error->rows - first : BLOCK;
        const lb_matf rows = {block, n, error->cols, error->cols};
        if ((st = error->read(error->self, first, rows, err)) == LB_OK)
            add_squares(lb_matf_const(rows), group ? group + first : NULL, sums);
    }
    free(block);
    return st;
}

/* --- the fits -----------------------------------------------------------------------------------
 */

/* One call of lb_expected_noise_fit(). */
typedef struct job {
    const lb_gram *g;
    lb_cmat squares;
    const bool *use;
    lb_cvec levels, alphas;
    lb_ridge **fits;
} job;

static lb_status check(const job *q, lb_error *err)
{
    const size_t p = lb_gram_cols(q->g), groups = lb_gram_groups(q->g);
    if (q->squares.rows != groups || q->squares.cols != p)
        return LB_FAIL(err, LB_ESHAPE,
                       "the Gram has %zu groups of %zu columns, the squares %zux%zu", groups, p,
                       q->squares.rows, q->squares.cols);
    if (lb_gram_is_float32(q->g))
        return LB_FAIL(err, LB_EINVAL, "the Gram of the clean spectra must be float64");
    if (q->levels.n == 0)
        return LB_FAIL(err, LB_EINVAL, "no noise level to fit");
    for (size_t l = 0; l < q->levels.n; l++)
        if (!(q->levels.data[l] >= 0.0) || isinf(q->levels.data[l]))
            return LB_FAIL(err, LB_EINVAL, "noise level %g, must be finite and not negative",
                           q->levels.data[l]);
    for (size_t e = 0; e < groups * p; e++) {
        const double sum = q->squares.data[e / p * q->squares.stride + e % p];
        if (!(sum >= 0.0) || isinf(sum))
            return LB_FAIL(err, LB_EINVAL, "the squared errors of group %zu, pixel %zu sum to %g",
                           e / p, e % p, sum);
    }
    return LB_OK;
}

/* level^2 sum(e^2) of every model, which is what the noise adds to the diagonal of Xc'Xc. */
static lb_mat expected(const job *q, size_t n_models, double level)
{
    const size_t groups = q->squares.rows, p = q->squares.cols;
    const lb_mat out = lb_mat_new(n_models, p);
    for (size_t m = 0; m < n_models; m++)
        for (size_t j = 0; j < p; j++) {
            double sum = 0.0;
            for (size_t i = 0; i < groups; i++)
                sum += q->use[m * groups + i] ? q->squares.data[i * q->squares.stride + j] : 0.0;
            out.data[m * out.stride + j] = level * level * sum;
        }
    return out;
}

/* Every model at level number @p l. */
static lb_status fit_level(const job *q, size_t n_models, size_t l, lb_error *err)
{
    const double level = q->levels.data[l];
    const lb_mat noise = level > 0.0 ? expected(q, n_models, level) : (lb_mat){0};
    lb_ridge **fits = lb_xcalloc(n_models, sizeof *fits);
    const lb_status st =
        lb_ridge_fit_loaded(q->g, lb_mat_const(noise), q->use, n_models, q->alphas, fits, err);
    for (size_t m = 0; m < n_models; m++)
        q->fits[m * q->levels.n + l] = fits[m];
    free(noise.data);
    free(fits);
    return st;
}

lb_status lb_expected_noise_fit(const lb_gram *clean, lb_cmat squares, const bool *use,
                                size_t n_models, lb_cvec levels, lb_cvec alphas, lb_ridge **out,
                                lb_error *err)
{
    const job q = {clean, squares, use, levels, alphas, out};
    const size_t n = n_models * levels.n;
    for (size_t i = 0; i < n; i++)
        out[i] = NULL;
    lb_status st = check(&q, err);
    for (size_t l = 0; l < levels.n && st == LB_OK; l++)
        st = fit_level(&q, n_models, l, err);
    for (size_t i = 0; i < n && st != LB_OK; i++) {
        lb_ridge_free(out[i]);
        out[i] = NULL;
    }
    return st;
}

/* --- fit and select -----------------------------------------------------------------------------
 */

/* One member at one level. */
typedef struct model {
    const char *name;
    lb_penalty penalty;
    double *condition, *test; /* (alphas), (alphas, test rows) */
    size_t n_alpha, n_train, n_val, test_rows;
} model;

struct lb_expected_noise {
    model *models; /* level by level */
    size_t n_members, n;
};

typedef struct task {
    const lb_gram *g;
    lb_cmat squares;
    const lb_noise_level *at;
    const bool *use;
    model *m;
} task;

static bool counts(const task *q, size_t i)
{
    const int number = q->at->val.group[i];
    return number >= 0 && q->use[number];
}

/* R2 of a column of predictions on the validation rows of the member. */
static double r2_of(const task *q, lb_mat yhat, size_t k)
{
    const double *y = q->at->val.y.data;
    double mean = 0.0, total = 0.0, residual = 0.0;
    for (size_t i = 0; i < yhat.rows; i++)
        mean += counts(q, i) ? y[i] / (double)q->m->n_val : 0.0;
    for (size_t i = 0; i < yhat.rows; i++) {
        const double e = y[i] - yhat.data[i * yhat.stride + k];
        total += counts(q, i) ? (y[i] - mean) * (y[i] - mean) : 0.0;
        residual += counts(q, i) ? e * e : 0.0;
    }
    return 1.0 - residual / total;
}

static lb_status score(void *self, lb_cvec alphas, double *r2, lb_error *err)
{
    task *q = self;
    model *m = q->m;
    const size_t n_val = q->at->val.x.rows, n_test = q->at->test.rows, from = m->n_alpha;
    const lb_mat val = lb_mat_new(n_val, alphas.n);
    const lb_mat test = lb_mat_new(n_test, alphas.n);
    lb_ridge *fit = NULL;
    lb_status st;
    if ((st = lb_expected_noise_fit(q->g, q->squares, q->use, 1, (lb_cvec){&q->at->level, 1},
                                    alphas, &fit, err)) != LB_OK ||
        (st = lb_ridge_predict((const lb_ridge *const *)&fit, 1, &q->at->val.x, &val, err)) !=
            LB_OK ||
        (st = lb_ridge_predict((const lb_ridge *const *)&fit, 1, &q->at->test, &test, err)) !=
            LB_OK)
        goto done;
    m->n_alpha += alphas.n;
    m->n_train = fit->n_rows;
    m->condition = lb_xrealloc(m->condition, m->n_alpha, sizeof(double));
    m->test = lb_xrealloc(m->test, m->n_alpha * n_test, sizeof(double));
    for (size_t k = 0; k < alphas.n; k++) {
        r2[k] = r2_of(q, val, k);
        m->condition[from + k] = fit->condition[k];
        for (size_t i = 0; i < n_test; i++)
            m->test[(from + k) * n_test + i] = test.data[i * test.stride + k];
    }
done:
    lb_ridge_free(fit);
    free(val.data);
    free(test.data);
    return st;
}

/* Two validation rows with different labels, at least. */
static lb_status check_validation(task *q, size_t groups, lb_error *err)
{
    const lb_labelled *val = &q->at->val;
    bool varies = false;
    double first = 0.0;
    if (val->y.n != val->x.rows || val->x.cols != lb_gram_cols(q->g) ||
        q->at->test.cols != lb_gram_cols(q->g))
        return LB_FAIL(err, LB_ESHAPE,
                       "training has %zu columns, validation %zu and %zu labels for %zu rows, test "
                       "%zu",
                       lb_gram_cols(q->g), val->x.cols, val->y.n, val->x.rows, q->at->test.cols);
    if (!val->group)
        return LB_FAIL(err, LB_EINVAL, "the validation rows have no groups");
    for (size_t i = 0; i < val->y.n; i++) {
        if (val->group[i] < -1 || (val->group[i] >= 0 && (size_t)val->group[i] >= groups))
            return LB_FAIL(err, LB_EINVAL, "validation row %zu is of group %d of %zu", i,
                           val->group[i], groups);
        if (!counts(q, i))
            continue;
        first = q->m->n_val++ ? first : val->y.data[i];
        varies = varies || val->y.data[i] != first;
    }
    if (!varies)
        return LB_FAIL(err, LB_EINVAL,
                       "no penalty can be chosen on the %zu validation rows of model '%s': their "
                       "labels do not vary",
                       q->m->n_val, q->m->name);
    return LB_OK;
}

/* Every member at every level, from the sums. */
static lb_status select_all(lb_expected_noise *s, const lb_gram *g, lb_cmat squares,
                            const lb_noise_level *levels, const lb_member *members,
                            const lb_sweep_options *o, lb_error *err)
{
    for (size_t i = 0; i < s->n; i++) {
        const lb_noise_level *at = &levels[i / s->n_members];
        const lb_member *given = &members[i % s->n_members];
        model *m = &s->models[i];
        task q = {g, squares, at, given->use, m};
        m->name = given->name;
        m->test_rows = at->test.rows;
        lb_status st = check_validation(&q, o->groups, err);
        if (st == LB_OK)
            st = lb_penalty_search(o->alphas, o->extend_decades, score, &q, &m->penalty, err);
        if (st != LB_OK) {
            lb_error_within(err, "model '%s' at noise level %g", m->name, at->level);
            return st;
        }
    }
    return LB_OK;
}

lb_status lb_expected_noise_run(const lb_labelled *train, const lb_stream *error,
                                const lb_noise_level *levels, size_t n_levels,
                                const lb_member *members, size_t n, lb_sweep_options o,
                                lb_expected_noise **out, lb_error *err)
{
    lb_gram *g = NULL;
    lb_expected_noise *s = lb_xcalloc(1, sizeof *s);
    const lb_mat squares = lb_mat_new(o.groups, train->x.cols);
    lb_status st;

    *out = NULL;
    s->models = lb_xcalloc(n_levels * n, sizeof *s->models);
    s->n_members = n;
    s->n = n_levels * n;
    if (o.least_squares || o.standardise) {
        st = LB_FAIL(err, LB_EINVAL, "expected noise: no least squares, no standardised columns");
        goto done;
    }
    if (error->rows != train->x.rows || error->cols != train->x.cols) {
        st = LB_FAIL(err, LB_ESHAPE, "%zux%zu spectra with %zux%zu errors", train->x.rows,
                     train->x.cols, error->rows, error->cols);
        goto done;
    }
    if ((st = lb_gram_accumulate(&train->x, train->y, train->group,
                                 (lb_gram_options){.groups = o.groups}, &g, err)) != LB_OK ||
        (st = lb_error_squares(error, train->group, squares, err)) != LB_OK ||
        (st = select_all(s, g, lb_mat_const(squares), levels, members, &o, err)) != LB_OK)
        goto done;
    *out = s;
    s = NULL;
done:
    lb_gram_free(g);
    free(squares.data);
    lb_expected_noise_free(s);
    return st;
}

void lb_expected_noise_free(lb_expected_noise *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        free(s->models[i].condition);
        free(s->models[i].test);
        lb_penalty_free(&s->models[i].penalty);
    }
    free(s->models);
    free(s);
}

lb_sweep_model lb_expected_noise_get(const lb_expected_noise *s, size_t level, size_t member)
{
    const model *m = &s->models[level * s->n_members + member];
    const lb_penalty *found = &m->penalty;
    return (lb_sweep_model){
        .name = m->name,
        .n_train = m->n_train,
        .n_val = m->n_val,
        .alphas = {found->alphas, found->n},
        .n_grid = found->n_grid,
        .r2_val = {found->r2, found->n},
        .on_grid = found->on_grid,
        .chosen = found->chosen,
        .yhat = {m->test, found->n, m->test_rows, m->test_rows},
        .yhat_chosen = {m->test + found->chosen.index * m->test_rows, m->test_rows},
        .condition = {m->condition, found->n},
        .condition_ols = NAN,
    };
}
