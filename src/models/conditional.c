/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/conditional.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "linalg/blas.h"
#include "linalg/cholesky.h"
#include "linalg/shifted.h"
#include "models/conditional_descent.h"
#include "models/penalty.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ = 1024, /* rows predicted at once, in pieces of CHUNK for one thread each */
    CHUNK = 64,
    A_STEP = 132, /* columns for every solution with a factor that costs as much as the factor */
};

/* Of conjugate gradients: the error of the weights in the norm of the system. */
#define FIT_TOLERANCE 1e-12
#define FOLD_TOLERANCE 1e-8

/* One member: its fits, its penalty, its predictions. */
typedef struct member {
    const char *name;
    lb_conditional_fit fit;
    lb_penalty penalty;
    size_t n_val, factorisations;
    double *test; /* (alphas, test rows) */
} member;

struct lb_conditional {
    member *members;
    size_t n, test_rows;
};

/* What the score of a member needs. */
typedef struct job {
    const lb_conditional_gram *g;
    const lb_conditional_labelled *val;
    const lb_conditional_rows *test;
    lb_conditional_system *all, **without; /* (folds) systems that leave one out */
    size_t folds;
    lb_cholesky *room;
    double rounding; /* a penalty below this is lost in the matrix that was loaded last */
    member *m;
} job;

/* --- prediction ---------------------------------------------------------------------------------
 */

/* Rows of x (at most CHUNK), position @p first in the stream. */
static void project_chunk(const lb_conditional_fit *fit, lb_cmatf x, double *scratch, lb_mat parts)
{
    const size_t columns = fit->n_alpha * fit->k;
    for (size_t i = 0; i < x.rows; i++) {
        for (size_t j = 0; j < x.cols; j++)
            scratch[i * x.cols + j] = (double)x.data[i * x.stride + j];
        memcpy(parts.data + i * parts.stride, fit->offset, columns * sizeof(double));
    }
    lb_gemm(false, true, 1.0, (lb_cmat){scratch, x.rows, x.cols, x.cols},
            (lb_cmat){fit->w, columns, fit->p, fit->p}, 1.0, parts);
}

lb_status lb_conditional_project(const lb_conditional_fit *fit, const lb_stream *x, lb_mat parts,
                                 lb_error *err)
{
    if (x->cols != fit->p || parts.rows != x->rows || parts.cols != fit->n_alpha * fit->k)
        return LB_FAIL(err, LB_ESHAPE,
                       "the model has %zu columns and %zu parts a row; x is %zux%zu, parts %zux%zu",
                       fit->p, fit->n_alpha * fit->k, x->rows, x->cols, parts.rows, parts.cols);
    lb_blas_prepare();
    lb_status st = LB_OK;
    float *block = lb_xaligned(READ * x->cols, sizeof *block);
    for (size_t first = 0; first < x->rows && st == LB_OK; first += READ) {
        const size_t n = x->rows - first < READ ? x->rows - first : READ;
        if ((st = x->read(x->self, first, (lb_matf){block, n, x->cols, x->cols}, err)) != LB_OK)
            break;
#pragma omp parallel if (n * x->cols * parts.cols >= LB_WORTH_THREADS)
        {
            double *scratch = lb_xaligned(CHUNK * x->cols, sizeof *scratch);
#pragma omp for schedule(dynamic, 1)
            for (size_t at = 0; at < n; at += CHUNK) {
                const size_t rows = n - at < CHUNK ? n - at : CHUNK;
                project_chunk(fit, (lb_cmatf){block + at * x->cols, rows, x->cols, x->cols},
                              scratch, lb_mat_rows(parts, first + at, first + at + rows));
            }
            free(scratch);
        }
    }
    free(block);
    return st;
}

/* The variables a model may ask for, the others 0. */
static void row_variables(lb_cmat variables, size_t row, double out[LB_CONDITION_VARIABLES])
{
    for (size_t k = 0; k < LB_CONDITION_VARIABLES; k++)
        out[k] = k < variables.cols ? variables.data[row * variables.stride + k] : 0.0;
}

lb_status lb_conditional_combine(const lb_conditional_fit *fit, lb_cmat parts, lb_cmat variables,
                                 lb_mat yhat, lb_error *err)
{
    size_t needed = 0;
    for (size_t i = 0; i < fit->k; i++)
        for (size_t v = 0; v < LB_CONDITION_VARIABLES; v++)
            needed = fit->term[i].power[v] && v >= needed ? v + 1 : needed;
    if (parts.cols != fit->n_alpha * fit->k || variables.rows != parts.rows ||
        variables.cols < needed || yhat.rows != fit->n_alpha || yhat.cols != parts.rows)
        return LB_FAIL(err, LB_ESHAPE,
                       "%zux%zu parts, %zux%zu base variables (%zu needed) and %zux%zu predictions "
                       "do not fit together",
                       parts.rows, parts.cols, variables.rows, variables.cols, needed, yhat.rows,
                       yhat.cols);
    for (size_t row = 0; row < parts.rows; row++) {
        double v[LB_CONDITION_VARIABLES];
        row_variables(variables, row, v);
        for (size_t a = 0; a < fit->n_alpha; a++) {
            const double *part = parts.data + row * parts.stride + a * fit->k;
            double sum = fit->b[a];
            for (size_t i = 0; i < fit->k; i++)
                sum += lb_monomial_value(fit->term[i], v) * part[i];
            if (!isfinite(sum))
                return LB_FAIL(err, LB_ENUMERIC, "the prediction for row %zu is %g", row, sum);
            yhat.data[a * yhat.stride + row] = sum;
        }
    }
    return LB_OK;
}

/* Both, for the alphas from @p from on: (alphas, rows), the caller's to free. */
static lb_status predict(const lb_conditional_fit *fit, size_t from,
                         const lb_conditional_rows *rows, double **out, lb_error *err)
{
    lb_conditional_fit part = *fit;
    part.n_alpha -= from;
    part.w += from * fit->k * fit->p;
    part.offset += from * fit->k;
    part.b += from;
    const size_t n = rows->x.rows, columns = part.n_alpha * part.k;
    const lb_mat parts = lb_mat_new(n, columns);
    *out = lb_xcalloc(part.n_alpha * n, sizeof **out);
    lb_status st = lb_conditional_project(&part, &rows->x, parts, err);
    if (st == LB_OK)
        st = lb_conditional_combine(&part, lb_mat_const(parts), rows->variables,
                                    lb_mat_of(*out, part.n_alpha, n), err);
    free(parts.data);
    return st;
}

/* --- many penalties -----------------------------------------------------------------------------
 */

/* The matrix itself is known to this only: a smaller penalty has no say in it. */
static double rounding_of(lb_cholesky *a, size_t n)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, *lb_cholesky_place(a, i, i));
    return (double)n * DBL_EPSILON * largest;
}

static lb_status factor(job *q, lb_descent *d, lb_error *err)
{
    const lb_cvec right = lb_conditional_system_right(d->system);
    lb_conditional_system_load(d->system, q->room);
    q->rounding = rounding_of(q->room, right.n);
    q->m->factorisations++;
    if (lb_cholesky_factor(q->room, d->alpha, NULL) != LB_OK)
        return LB_FAIL(err, LB_ENUMERIC,
                       "the normal matrix of %zu columns cannot be factored with alpha = %g: leave "
                       "out the smallest alphas, or centre and scale the conditions",
                       right.n, d->alpha);
    memcpy(d->w, right.data, right.n * sizeof *d->w);
    lb_cholesky_solve(q->room, (lb_vec){d->w, right.n});
    d->solved = true;
    return LB_OK;
}

/* The largest but one of the penalties with unsolved systems, since a factor serves a decade above
 * and one below and, where the eigenvalues are larger than alpha, everything below. */
static size_t next_pivot(const lb_descent *d, size_t alphas, size_t each)
{
    size_t pivot = alphas, larger = 0;
    for (size_t a = alphas; a-- > 0;) {
        size_t open = 0;
        for (size_t k = 0; k < each; k++)
            open += !d[a * each + k].solved;
        if (!open)
            continue;
        pivot = a;
        if (larger++)
            break;
    }
    return pivot;
}

/* Everything at the penalty of a pivot, and what else its factor serves. Rows of @p d: a penalty,
 * the fit on all rows and then those without a fold. */
static lb_status solve_round(job *q, lb_descent *d, size_t alphas, size_t pivot, lb_error *err)
{
    const size_t each = 1 + q->folds, n = q->m->fit.k * q->m->fit.p;
    lb_descent *first = d + pivot * each, **open = lb_xcalloc(alphas * each, sizeof *open);
    lb_status st = factor(q, first, err);
    size_t count = 0;
    for (size_t k = 0; k < alphas * each && st == LB_OK; k++) {
        if (d[k].solved)
            continue;
        memcpy(d[k].w, first->w, n * sizeof *d[k].w);
        open[count++] = &d[k];
    }
    lb_descend(q->room, first->alpha, open, count);
    for (size_t k = 0; k < each && st == LB_OK; k++)
        if (!first[k].solved)
            st = factor(q, &first[k], err);
    free(open);
    return st;
}

/* Without folds: the penalty of a pivot, and those that its factor serves. Rows of @p d: a penalty.
 */
static lb_status solve_near(job *q, lb_descent *d, size_t alphas, size_t pivot, lb_error *err)
{
    const lb_cvec right = lb_conditional_system_right(q->all);
    double *near = lb_xcalloc(alphas, sizeof *near);
    size_t *which = lb_xcalloc(alphas, sizeof *which), count = 0;
    bool *solved = lb_xcalloc(alphas, sizeof *solved);
    const lb_status st = factor(q, &d[pivot], err);
    for (size_t a = 0; a < alphas && st == LB_OK; a++)
        if (!d[a].solved && (a > pivot || d[a].alpha > q->rounding)) {
            near[count] = d[a].alpha;
            which[count++] = a;
        }
    lb_mat x = lb_mat_of(lb_xaligned(count * right.n + 1, sizeof(double)), count, right.n);
    if (st == LB_OK)
        lb_shifted_solve(q->room, d[pivot].alpha, right, (lb_cvec){near, count}, right.n / A_STEP,
                         x, solved);
    for (size_t c = 0; c < count; c++) {
        lb_descent *at = &d[which[c]];
        at->solved = solved[c];
        if (solved[c])
            memcpy(at->w, x.data + c * right.n, right.n * sizeof *at->w);
    }
    free(near);
    free(which);
    free(solved);
    free(x.data);
    return st;
}

static bool all_solved(const lb_descent *d, size_t n)
{
    while (n > 0 && d[n - 1].solved)
        n--;
    return n == 0;
}

/* Mean R2 over the folds, each from the model that was fitted without it, @p w (folds, k p). */
static double score_folds(const job *q, const double *w)
{
    const double **row = lb_xcalloc(q->folds, sizeof *row);
    double *each = lb_xcalloc(q->folds, sizeof *each), mean = 0.0;
    for (size_t k = 0; k < q->folds; k++)
        row[k] = w + k * q->m->fit.k * q->m->fit.p;
    lb_conditional_system_score(q->without, q->folds, row, each);
    for (size_t k = 0; k < q->folds; k++)
        mean += each[k] / (double)q->folds;
    free(row);
    free(each);
    return mean;
}

/* Weights of the penalties from number @p from on, and the mean R2 over the folds if there are any,
 * each from the model that was fitted without it. */
static lb_status fit_penalties(job *q, size_t from, double *r2, lb_error *err)
{
    const lb_conditional_fit *fit = &q->m->fit;
    const size_t n = fit->k * fit->p, alphas = fit->n_alpha - from, each = 1 + q->folds;
    lb_descent *d = lb_xcalloc(alphas * each, sizeof *d);
    double *without = lb_xaligned(alphas * q->folds * n + 1, sizeof *without);
    lb_status st = LB_OK;
    for (size_t a = 0; a < alphas; a++)
        for (size_t k = 0; k < each; k++)
            d[a * each + k] =
                k == 0 ? (lb_descent){q->all, fit->alpha[from + a], FIT_TOLERANCE,
                                      fit->w + (from + a) * n, false}
                       : (lb_descent){q->without[k - 1], fit->alpha[from + a], FOLD_TOLERANCE,
                                      without + (a * q->folds + k - 1) * n, false};
    while (st == LB_OK && !all_solved(d, alphas * each)) {
        const size_t pivot = next_pivot(d, alphas, each);
        st = (q->folds ? solve_round : solve_near)(q, d, alphas, pivot, err);
    }
    for (size_t a = 0; a < alphas && st == LB_OK; a++) {
        lb_conditional_system_finish(q->all, fit->w + (from + a) * n, &fit->b[from + a],
                                     fit->offset + (from + a) * fit->k);
        if (q->folds)
            r2[a] = score_folds(q, without + a * q->folds * n);
    }
    free(d);
    free(without);
    return st;
}

/* --- one member ---------------------------------------------------------------------------------
 */

/* R2 on the validation rows that count. */
static double r2_of(const lb_conditional_labelled *val, const double *yhat)
{
    double mean = 0.0, total = 0.0, residual = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < val->y.n; i++)
        if (!val->fold || val->fold[i] >= 0) {
            mean += val->y.data[i];
            n++;
        }
    mean /= (double)n;
    for (size_t i = 0; i < val->y.n; i++)
        if (!val->fold || val->fold[i] >= 0) {
            total += (val->y.data[i] - mean) * (val->y.data[i] - mean);
            residual += (val->y.data[i] - yhat[i]) * (val->y.data[i] - yhat[i]);
        }
    return 1.0 - residual / total;
}

static void fit_grow(lb_conditional_fit *fit, lb_cvec alphas)
{
    const size_t n = fit->n_alpha + alphas.n;
    fit->alpha = lb_xrealloc(fit->alpha, n, sizeof(double));
    fit->b = lb_xrealloc(fit->b, n, sizeof(double));
    fit->offset = lb_xrealloc(fit->offset, n * fit->k, sizeof(double));
    fit->w = lb_xrealloc(fit->w, n * fit->k * fit->p, sizeof(double));
    memcpy(fit->alpha + fit->n_alpha, alphas.data, alphas.n * sizeof(double));
    fit->n_alpha = n;
}

/* Fit, score and predict with some penalties. */
static lb_status score_member(void *self, lb_cvec alphas, double *r2, lb_error *err)
{
    job *q = self;
    member *m = q->m;
    lb_conditional_fit *fit = &m->fit;
    const size_t from = fit->n_alpha, test_rows = q->test->x.rows;
    double *on_val = NULL, *on_test = NULL;
    lb_status st = LB_OK;
    fit_grow(fit, alphas);
    if ((st = fit_penalties(q, from, r2, err)) != LB_OK ||
        (st = predict(fit, from, q->test, &on_test, err)) != LB_OK ||
        (!q->folds && (st = predict(fit, from, &q->val->rows, &on_val, err)) != LB_OK))
        goto done;
    for (size_t a = 0; a < alphas.n && !q->folds; a++)
        r2[a] = r2_of(q->val, on_val + a * q->val->rows.x.rows);
    m->test = lb_xrealloc(m->test, fit->n_alpha * test_rows, sizeof *m->test);
    memcpy(m->test + from * test_rows, on_test, alphas.n * test_rows * sizeof *m->test);
done:
    free(on_val);
    free(on_test);
    return st;
}

static lb_status run_member(job *q, const lb_conditional_member *given,
                            const lb_conditional_options *o, lb_error *err)
{
    member *m = q->m;
    lb_status st;
    m->name = given->name;
    m->fit.term = given->conditions.term;
    m->fit.k = given->conditions.n;
    m->fit.p = lb_conditional_gram_cols(q->g);
    q->without = lb_xcalloc(q->folds, sizeof *q->without);
    st = lb_conditional_system_new(q->g, given->conditions, -1, &q->all, err);
    for (size_t f = 0; f < q->folds && st == LB_OK; f++)
        st = lb_conditional_system_new(q->g, given->conditions, (int)f, &q->without[f], err);
    if (st == LB_OK) {
        m->fit.n_rows = lb_conditional_system_rows(q->all);
        q->room = lb_cholesky_new(m->fit.k * m->fit.p);
        st = lb_penalty_search(o->alphas, o->extend_decades, score_member, q, &m->penalty, err);
    }
    if (st != LB_OK)
        lb_error_within(err, "model '%s'", m->name);
    lb_cholesky_free(q->room);
    lb_conditional_system_free(q->all);
    for (size_t f = 0; f < q->folds; f++)
        lb_conditional_system_free(q->without[f]);
    free(q->without);
    return st;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

/* Labels of the rows whose fold is @p fold (-1: any from 0 on) must vary. */
static lb_status check_labels(const lb_conditional_labelled *set, int fold, const char *what,
                              size_t *count, lb_error *err)
{
    double first = 0.0;
    bool varies = false;
    size_t n = 0;
    for (size_t i = 0; i < set->y.n; i++) {
        const int number = set->fold ? set->fold[i] : 0;
        if (number < 0 || (fold >= 0 && number != fold))
            continue;
        if (!isfinite(set->y.data[i]))
            return LB_FAIL(err, LB_ENUMERIC, "the label of row %zu of the %s is %g", i, what,
                           set->y.data[i]);
        first = n++ ? first : set->y.data[i];
        varies = varies || set->y.data[i] != first;
    }
    if (count)
        *count = n;
    if (n < 2 || !varies)
        return LB_FAIL(err, LB_EINVAL,
                       "no penalty can be chosen on the %zu rows of the %s: their labels do not "
                       "vary (fold %d)",
                       n, what, fold);
    return LB_OK;
}

static lb_status check(const lb_conditional_labelled *train, const lb_conditional_labelled *val,
                       const lb_conditional_rows *test, lb_conditional_options o,
                       bool by_validation, lb_error *err)
{
    if (o.folds == 1 || (by_validation && !val))
        return LB_FAIL(err, LB_EINVAL,
                       "a penalty is chosen by two or more folds, or by validation rows");
    if (train->rows.x.cols != test->x.cols || test->variables.rows != test->x.rows ||
        train->y.n != train->rows.x.rows)
        return LB_FAIL(err, LB_ESHAPE,
                       "columns of training (%zu) and test rows (%zu), or their labels and base "
                       "variables, disagree",
                       train->rows.x.cols, test->x.cols);
    for (size_t f = 0; f < o.folds; f++) {
        const lb_status st = check_labels(train, (int)f, "training fold", NULL, err);
        if (st != LB_OK)
            return st;
    }
    if (by_validation && (val->rows.x.cols != train->rows.x.cols || val->y.n != val->rows.x.rows ||
                          val->rows.variables.rows != val->rows.x.rows))
        return LB_FAIL(err, LB_ESHAPE,
                       "validation rows: %zu x %zu, %zu labels, %zu base variables; training has "
                       "%zu columns",
                       val->rows.x.rows, val->rows.x.cols, val->y.n, val->rows.variables.rows,
                       train->rows.x.cols);
    return LB_OK;
}

lb_status lb_conditional_run(const lb_conditional_labelled *train,
                             const lb_conditional_labelled *val, const lb_conditional_rows *test,
                             const lb_conditional_member *members, size_t n,
                             lb_conditional_options o, lb_conditional **out, lb_error *err)
{
    lb_conditional_gram *g = NULL;
    lb_conditional *c = lb_xcalloc(1, sizeof *c);
    lb_conditions *wanted = lb_xcalloc(n, sizeof *wanted);
    size_t n_val = 0;
    bool by_validation = false;
    lb_status st;

    *out = NULL;
    c->members = lb_xcalloc(n, sizeof *c->members);
    c->n = n;
    c->test_rows = test->x.rows;
    for (size_t i = 0; i < n; i++) {
        wanted[i] = members[i].conditions;
        wanted[i].whole = members[i].by_validation || !o.folds;
        by_validation = by_validation || wanted[i].whole;
    }
    /* 1. One pass over the training rows. */
    if ((st = check(train, val, test, o, by_validation, err)) != LB_OK ||
        (by_validation && (st = check_labels(val, -1, "validation", &n_val, err)) != LB_OK) ||
        (st = lb_conditional_gram_accumulate(&train->rows.x, train->rows.variables, train->y,
                                             train->fold, o.folds ? o.folds : 1, wanted, n,
                                             o.memory, &g, err)) != LB_OK)
        goto done;
    /* 2. Every member: every penalty, the best of them, predictions. */
    for (size_t i = 0; i < n; i++) {
        job q = {.g = g, .val = val, .test = test, .m = &c->members[i]};
        q.folds = wanted[i].whole ? 0 : o.folds;
        c->members[i].n_val = wanted[i].whole ? n_val : 0;
        if ((st = run_member(&q, &members[i], &o, err)) != LB_OK)
            goto done;
    }
    *out = c;
    c = NULL;
done:
    lb_conditional_gram_free(g);
    lb_conditional_free(c);
    free(wanted);
    return st;
}

void lb_conditional_free(lb_conditional *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++) {
        member *m = &c->members[i];
        free(m->fit.alpha);
        free(m->fit.w);
        free(m->fit.offset);
        free(m->fit.b);
        free(m->test);
        lb_penalty_free(&m->penalty);
    }
    free(c->members);
    free(c);
}

lb_sweep_model lb_conditional_get(const lb_conditional *c, size_t i)
{
    const member *m = &c->members[i];
    const lb_penalty *s = &m->penalty;
    return (lb_sweep_model){
        .name = m->name,
        .n_train = m->fit.n_rows,
        .n_val = m->n_val,
        .alphas = {s->alphas, s->n},
        .n_grid = s->n_grid,
        .r2_val = {s->r2, s->n},
        .on_grid = s->on_grid,
        .chosen = s->chosen,
        .yhat = {m->test, s->n, c->test_rows, c->test_rows},
        .yhat_chosen = {m->test + s->chosen.index * c->test_rows, c->test_rows},
        .condition_ols = NAN,
    };
}

const lb_conditional_fit *lb_conditional_weights(const lb_conditional *c, size_t i)
{
    return &c->members[i].fit;
}

size_t lb_conditional_factorisations(const lb_conditional *c, size_t i)
{
    return c->members[i].factorisations;
}
