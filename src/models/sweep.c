/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/sweep.h"

#include "core/memory.h"
#include "linalg/gram.h"
#include "models/penalty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Predictions of one model, a row per alpha, so that one alpha's predictions are contiguous. */
typedef struct table {
    double *data;
    size_t alphas, rows;
} table;

typedef struct member {
    const char *name;
    const bool *use;
    size_t n_train, n_val, n_alpha, n_grid, p;
    double *alphas, *r2_val, *condition, *y_val, *w, *b;
    lb_alpha_choice on_grid, chosen;
    table val, test, ols_test;
    double condition_ols;
    char method_ols;
} member;

struct lb_sweep {
    member *members;
    size_t n;
};

static void table_append(table *t, lb_cmat yhat, size_t column, const bool *keep)
{
    size_t rows = 0;
    for (size_t i = 0; i < yhat.rows; i++)
        rows += !keep || keep[i];
    t->rows = rows;
    t->data = lb_xrealloc(t->data, (t->alphas + 1) * rows, sizeof *t->data);
    double *out = t->data + t->alphas++ * rows;
    for (size_t i = 0; i < yhat.rows; i++)
        if (!keep || keep[i])
            *out++ = yhat.data[i * yhat.stride + column];
}

/* Predict a set of rows with several fits of the same number of alphas. */
static lb_status predict(lb_ridge *const *fits, size_t n, const lb_stream *x, lb_mat **out,
                         lb_error *err)
{
    lb_mat *yhat = lb_xcalloc(n, sizeof *yhat);
    for (size_t m = 0; m < n; m++)
        yhat[m] = lb_mat_new(x->rows, fits[m]->n_alpha);
    const lb_status st = lb_ridge_predict((const lb_ridge *const *)fits, n, x, yhat, err);
    *out = yhat;
    return st;
}

static void free_predictions(lb_mat *yhat, size_t n)
{
    for (size_t m = 0; yhat && m < n; m++)
        free(yhat[m].data);
    free(yhat);
}

/* Which validation rows belong to the member. */
static bool *rows_of(const lb_labelled *set, const bool *use)
{
    bool *keep = lb_xcalloc(set->x.rows, sizeof *keep);
    for (size_t i = 0; i < set->x.rows; i++)
        keep[i] = set->group[i] >= 0 && use[set->group[i]];
    return keep;
}

/* Take over what a fit of some alphas says; alpha = 0 goes to the least-squares fields. */
static void absorb(member *m, const lb_ridge *fit, lb_cmat val, lb_cmat test, const bool *keep)
{
    for (size_t k = 0; k < fit->n_alpha; k++) {
        if (fit->alpha[k] == 0.0) {
            table_append(&m->ols_test, test, k, NULL);
            m->condition_ols = fit->condition[k];
            m->method_ols = fit->method[k];
            continue;
        }
        table_append(&m->val, val, k, keep);
        table_append(&m->test, test, k, NULL);
        const size_t i = m->n_alpha++;
        m->alphas = lb_xrealloc(m->alphas, m->n_alpha, sizeof(double));
        m->r2_val = lb_xrealloc(m->r2_val, m->n_alpha, sizeof(double));
        m->condition = lb_xrealloc(m->condition, m->n_alpha, sizeof(double));
        m->w = lb_xrealloc(m->w, m->n_alpha * m->p, sizeof(double));
        m->b = lb_xrealloc(m->b, m->n_alpha, sizeof(double));
        memcpy(m->w + i * m->p, fit->w.data + k * fit->w.stride, m->p * sizeof(double));
        m->b[i] = fit->b[k];
        m->alphas[i] = fit->alpha[k];
        m->condition[i] = fit->condition[k];
        m->r2_val[i] = lb_r2(m->y_val, m->val.data + i * m->val.rows, m->val.rows);
    }
}

/* Fit the members marked in pick with the given alphas and absorb the results. */
static lb_status fit_members(lb_sweep *s, const size_t *pick, size_t n, const lb_gram *gram,
                             lb_cvec alphas, const lb_labelled *val, const lb_stream *test,
                             const lb_sweep_options *o, lb_error *err)
{
    bool *use = lb_xcalloc(n * o->groups, sizeof *use);
    lb_ridge **fits = lb_xcalloc(n, sizeof *fits);
    lb_mat *on_val = NULL, *on_test = NULL;
    lb_status st;

    for (size_t j = 0; j < n; j++)
        memcpy(use + j * o->groups, s->members[pick[j]].use, o->groups * sizeof *use);
    if ((st = lb_ridge_fit_many(gram, use, n, alphas, (lb_ridge_options){o->standardise}, fits,
                                err)) != LB_OK ||
        (st = predict(fits, n, &val->x, &on_val, err)) != LB_OK ||
        (st = predict(fits, n, test, &on_test, err)) != LB_OK)
        goto done;
    for (size_t j = 0; j < n; j++) {
        member *m = &s->members[pick[j]];
        bool *keep = rows_of(val, m->use);
        absorb(m, fits[j], lb_mat_const(on_val[j]), lb_mat_const(on_test[j]), keep);
        free(keep);
    }
done:
    free_predictions(on_val, n);
    free_predictions(on_test, n);
    for (size_t j = 0; j < n; j++)
        lb_ridge_free(fits[j]);
    free(fits);
    free(use);
    return st;
}

static lb_status start_member(member *m, const lb_member *given, const lb_gram *gram,
                              const lb_labelled *val, size_t groups, lb_error *err)
{
    m->name = given->name;
    m->use = given->use;
    m->p = lb_gram_cols(gram);
    m->condition_ols = NAN;
    for (size_t g = 0; g < groups; g++)
        m->n_train += m->use[g] ? lb_gram_rows(gram, g) : 0;
    m->y_val = lb_xcalloc(val->x.rows, sizeof(double));
    for (size_t i = 0; i < val->x.rows; i++)
        if (val->group[i] >= 0 && m->use[val->group[i]])
            m->y_val[m->n_val++] = val->y.data[i];
    if (m->n_train == 0)
        return LB_FAIL(err, LB_EINVAL, "model '%s' has no training rows", m->name);
    if (m->n_val < 2)
        return LB_FAIL(err, LB_EINVAL,
                       "model '%s' has %zu validation rows, two are needed to choose its penalty: "
                       "give more validation rows or raise bins.minimum_train so that it merges",
                       m->name, m->n_val);
    bool varies = false;
    for (size_t i = 1; i < m->n_val; i++)
        varies = varies || m->y_val[i] != m->y_val[0];
    if (!varies)
        return LB_FAIL(err, LB_EINVAL,
                       "the validation rows of model '%s' all have the label %g: no penalty can be "
                       "chosen on them",
                       m->name, m->y_val[0]);
    return LB_OK;
}

/* The optimum of the given grid, the decades beyond it if it sits on an end, the final choice. */
static lb_status choose_on_grid(member *m, lb_error *err)
{
    m->n_grid = m->n_alpha;
    const lb_cvec alphas = {m->alphas, m->n_grid}, score = {m->r2_val, m->n_grid};
    const lb_status st = lb_ridge_choose(alphas, score, &m->on_grid, err);
    m->chosen = m->on_grid;
    if (st != LB_OK)
        lb_error_within(err, "model '%s'", m->name);
    return st;
}

static void choose_extended(member *m)
{
    for (size_t k = m->n_grid; k < m->n_alpha; k++) {
        const double gain = m->r2_val[k] - m->chosen.r2;
        if (gain > 0.0 || (gain == 0.0 && m->alphas[k] > m->chosen.alpha))
            m->chosen = (lb_alpha_choice){k, m->alphas[k], m->r2_val[k], m->on_grid.edge};
    }
}

static lb_status extend(lb_sweep *s, int edge, const lb_gram *gram, const lb_labelled *val,
                        const lb_stream *test, const lb_sweep_options *o, lb_error *err)
{
    size_t *pick = lb_xcalloc(s->n, sizeof *pick), n = 0;
    double *beyond = lb_xcalloc((size_t)o->extend_decades, sizeof *beyond);
    lb_status st = LB_OK;
    for (size_t m = 0; m < s->n; m++)
        if (s->members[m].on_grid.edge == edge)
            pick[n++] = m;
    lb_penalty_beyond(o->alphas, edge, o->extend_decades, beyond);
    if (n)
        st = fit_members(s, pick, n, gram, (lb_cvec){beyond, (size_t)o->extend_decades}, val, test,
                         o, err);
    for (size_t j = 0; j < n && st == LB_OK; j++)
        choose_extended(&s->members[pick[j]]);
    free(beyond);
    free(pick);
    return st;
}

static lb_status check_rows(const lb_gram *gram, const lb_labelled *val, const lb_stream *test,
                            size_t groups, lb_error *err)
{
    if (lb_gram_cols(gram) != val->x.cols || lb_gram_cols(gram) != test->cols ||
        val->y.n != val->x.rows)
        return LB_FAIL(err, LB_ESHAPE,
                       "columns of training (%zu), validation (%zu) and test (%zu) rows disagree",
                       lb_gram_cols(gram), val->x.cols, test->cols);
    if (lb_gram_groups(gram) != groups)
        return LB_FAIL(err, LB_ESHAPE, "the training rows are in %zu groups, the models use %zu",
                       lb_gram_groups(gram), groups);
    if (!val->group)
        return LB_FAIL(err, LB_EINVAL, "the validation rows have no groups");
    for (size_t i = 0; i < val->x.rows; i++)
        if (val->group[i] < -1 || (val->group[i] >= 0 && (size_t)val->group[i] >= groups))
            return LB_FAIL(err, LB_EINVAL, "validation row %zu is of group %d of %zu", i,
                           val->group[i], groups);
    return LB_OK;
}

lb_status lb_sweep_fit(const lb_gram *gram, const lb_labelled *val, const lb_stream *test,
                       const lb_member *members, size_t n, lb_sweep_options options, lb_sweep **out,
                       lb_error *err)
{
    lb_sweep *s = lb_xcalloc(1, sizeof *s);
    size_t *every = lb_xcalloc(n, sizeof *every);
    const size_t n_first = options.alphas.n + (options.least_squares ? 1 : 0);
    double *first = lb_xcalloc(n_first, sizeof *first); /* the zero of least squares comes last */
    lb_status st;

    *out = NULL;
    s->members = lb_xcalloc(n, sizeof *s->members);
    s->n = n;
    if ((st = lb_penalty_check(options.alphas, options.extend_decades, err)) != LB_OK)
        goto done;
    memcpy(first, options.alphas.data, options.alphas.n * sizeof *first);
    if ((st = check_rows(gram, val, test, options.groups, err)) != LB_OK)
        goto done;
    for (size_t m = 0; m < n; m++) {
        every[m] = m;
        if ((st = start_member(&s->members[m], &members[m], gram, val, options.groups, err)) !=
            LB_OK)
            goto done;
    }
    /* 1. Every model and penalty of the grid; the penalty by validation. */
    if ((st = fit_members(s, every, n, gram, (lb_cvec){first, n_first}, val, test, &options,
                          err)) != LB_OK)
        goto done;
    for (size_t m = 0; m < n; m++)
        if ((st = choose_on_grid(&s->members[m], err)) != LB_OK)
            goto done;
    /* 2. Beyond the end of the grid where the optimum sits on it. */
    if (options.extend_decades > 0 &&
        ((st = extend(s, -1, gram, val, test, &options, err)) != LB_OK ||
         (st = extend(s, +1, gram, val, test, &options, err)) != LB_OK))
        goto done;
    *out = s;
    s = NULL;
done:
    lb_sweep_free(s);
    free(every);
    free(first);
    return st;
}

lb_status lb_sweep_run(const lb_labelled *train, const lb_labelled *val, const lb_stream *test,
                       const lb_member *members, size_t n, lb_sweep_options options, lb_sweep **out,
                       lb_error *err)
{
    lb_gram *gram = NULL;
    *out = NULL;
    lb_status st = lb_gram_accumulate(
        &train->x, train->y, train->group,
        (lb_gram_options){.groups = options.groups, .keep_rows = true}, &gram, err);
    if (st == LB_OK)
        st = lb_sweep_fit(gram, val, test, members, n, options, out, err);
    lb_gram_free(gram);
    return st;
}

void lb_sweep_free(lb_sweep *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        member *m = &s->members[i];
        free(m->alphas);
        free(m->r2_val);
        free(m->condition);
        free(m->w);
        free(m->b);
        free(m->y_val);
        free(m->val.data);
        free(m->test.data);
        free(m->ols_test.data);
    }
    free(s->members);
    free(s);
}

lb_sweep_model lb_sweep_get(const lb_sweep *s, size_t i)
{
    const member *m = &s->members[i];
    const size_t rows = m->test.rows;
    return (lb_sweep_model){
        .name = m->name,
        .n_train = m->n_train,
        .n_val = m->n_val,
        .alphas = {m->alphas, m->n_alpha},
        .n_grid = m->n_grid,
        .r2_val = {m->r2_val, m->n_alpha},
        .on_grid = m->on_grid,
        .chosen = m->chosen,
        .w = {m->w, m->n_alpha, m->p, m->p},
        .b = {m->b, m->n_alpha},
        .yhat = {m->test.data, m->n_alpha, rows, rows},
        .yhat_chosen = {m->test.data + m->chosen.index * rows, rows},
        .yhat_ols = {m->ols_test.data, m->ols_test.data ? rows : 0},
        .condition = {m->condition, m->n_alpha},
        .condition_ols = m->condition_ols,
        .method_ols = m->method_ols,
    };
}

lb_status lb_sweep_predict(const lb_sweep *s, const size_t *pick, size_t n, const lb_stream *x,
                           lb_mat yhat, lb_error *err)
{
    if (yhat.cols != n)
        return LB_FAIL(err, LB_ESHAPE, "room for %zu members, %zu are to predict", yhat.cols, n);
    lb_ridge *fits = lb_xcalloc(n, sizeof *fits);
    const lb_ridge **models = lb_xcalloc(n, sizeof *models);
    lb_mat *columns = lb_xcalloc(n, sizeof *columns);
    for (size_t k = 0; k < n; k++) {
        const member *m = &s->members[pick[k]];
        fits[k] = (lb_ridge){.w = lb_mat_of(m->w + m->chosen.index * m->p, 1, m->p),
                             .b = m->b + m->chosen.index,
                             .n_alpha = 1};
        models[k] = &fits[k];
        columns[k] = (lb_mat){yhat.data + k, yhat.rows, 1, yhat.stride};
    }
    const lb_status st = lb_ridge_predict(models, n, x, columns, err);
    free(columns);
    free(models);
    free(fits);
    return st;
}
