/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/score.h"

#include "core/memory.h"
#include "stats/quantile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *model_of(const lb_outcome *o)
{
    return o->model ? o->model : "model";
}

lb_status lb_outcome_check(const lb_outcome *o, lb_error *err)
{
    const size_t n = lb_rowset_size(o->rows);
    if (o->y.n != n || o->yhat.n != n)
        return LB_FAIL(err, LB_ESHAPE,
                       "'%s' has %zu targets and %zu predictions for the %zu rows of '%s'",
                       model_of(o), o->y.n, o->yhat.n, n, lb_rowset_name(o->rows));
    for (size_t i = 0; i < n; i++)
        if (!isfinite(o->y.data[i]) || !isfinite(o->yhat.data[i]))
            return LB_FAIL(err, LB_ENUMERIC, "'%s', row %zu of '%s': target %g, prediction %g",
                           model_of(o), lb_rowset_index(o->rows)[i], lb_rowset_name(o->rows),
                           o->y.data[i], o->yhat.data[i]);
    return LB_OK;
}

/* A row number and its place in the outcome, sortable. */
typedef struct place {
    size_t row, at;
} place;

static int by_row(const void *a, const void *b)
{
    const size_t x = ((const place *)a)->row, y = ((const place *)b)->row;
    return (x > y) - (x < y);
}

lb_status lb_outcome_on(lb_outcome full, const lb_rowset *subset, double *scratch, lb_outcome *out,
                        lb_error *err)
{
    const size_t n = lb_rowset_size(full.rows), m = lb_rowset_size(subset);
    if (full.y.n != n || full.yhat.n != n)
        return lb_outcome_check(&full, err);
    if (strcmp(lb_rowset_dataset(full.rows), lb_rowset_dataset(subset)))
        return LB_FAIL(err, LB_EROWS,
                       "'%s' is scored on '%s', which belongs to other data than '%s'",
                       model_of(&full), lb_rowset_name(full.rows), lb_rowset_name(subset));
    lb_status st = LB_OK;
    place *places = lb_xcalloc(n, sizeof *places);
    for (size_t i = 0; i < n; i++)
        places[i] = (place){lb_rowset_index(full.rows)[i], i};
    qsort(places, n, sizeof *places, by_row);
    for (size_t i = 0; i < m && st == LB_OK; i++) {
        const place wanted = {lb_rowset_index(subset)[i], 0};
        const place *found = bsearch(&wanted, places, n, sizeof *places, by_row);
        if (!found) {
            st = LB_FAIL(err, LB_EROWS,
                         "row %zu of '%s' (%zu rows) is not among the %zu rows of '%s' that '%s' "
                         "was scored on",
                         wanted.row, lb_rowset_name(subset), m, n, lb_rowset_name(full.rows),
                         model_of(&full));
            break;
        }
        scratch[i] = full.y.data[found->at];
        scratch[m + i] = full.yhat.data[found->at];
    }
    free(places);
    if (st != LB_OK)
        return st;
    *out = full;
    out->rows = subset;
    out->y = (lb_cvec){scratch, m};
    out->yhat = (lb_cvec){scratch + m, m};
    return LB_OK;
}

/* An empty number of this outcome: everything but the value. */
static lb_number blank(const lb_outcome *o, const char *kind, const char *unit)
{
    lb_number x = lb_number_plain(NAN, kind, unit);
    x.n = lb_rowset_size(o->rows);
    x.oracle = o->oracle;
    memcpy(x.rows, lb_rowset_hash(o->rows), sizeof x.rows);
    return x;
}

static void set_na(lb_number *x, const char *reason)
{
    x->value = NAN;
    snprintf(x->na, sizeof x->na, "%s", reason);
}

lb_status lb_score_r2(const lb_outcome *o, lb_number *out, lb_error *err)
{
    const lb_status st = lb_outcome_check(o, err);
    if (st != LB_OK)
        return st;
    *out = blank(o, "r2", "");
    const size_t n = o->y.n;
    const double ybar = lb_mean(o->y.data, n);
    double residual = 0.0, total = 0.0;
    bool varies = false;
    for (size_t i = 0; i < n; i++) {
        const double e = o->y.data[i] - o->yhat.data[i], d = o->y.data[i] - ybar;
        residual += e * e;
        total += d * d;
        varies |= o->y.data[i] != o->y.data[0];
    }
    out->value = 1.0 - residual / total;
    if (n < 2)
        set_na(out, "n/a (n<2)");
    else if (!varies)
        set_na(out, "n/a (zero target variance)");
    else if (!(total > 0.0) || !isfinite((residual + total) * (double)n * (double)n))
        return LB_FAIL(err, LB_ENUMERIC,
                       "R2 of '%s': the sums of squares %g and %g leave the range of a double",
                       model_of(o), residual, total);
    return LB_OK;
}

/* Mean of f(e), e = yhat - y, with its standard error; @p f may be NULL for e itself. */
static lb_status mean_error(const lb_outcome *o, const char *kind, double (*f)(double),
                            lb_number *out, lb_error *err)
{
    const lb_status st = lb_outcome_check(o, err);
    if (st != LB_OK)
        return st;
    const size_t n = o->y.n;
    double *e = lb_xcalloc(n, sizeof *e);
    for (size_t i = 0; i < n; i++) {
        e[i] = o->yhat.data[i] - o->y.data[i];
        if (f)
            e[i] = f(e[i]);
    }
    *out = blank(o, kind, o->unit ? o->unit : "dex");
    out->value = lb_mean(e, n);
    out->se = lb_std(e, n, 1) / sqrt((double)n);
    free(e);
    if (!n)
        set_na(out, "n/a (no rows)");
    else if (!isfinite(out->value) || (n > 1 && !isfinite(out->se)))
        return LB_FAIL(err, LB_ENUMERIC, "%s of '%s': the errors leave the range of a double", kind,
                       model_of(o));
    return LB_OK;
}

static double square(double x)
{
    return x * x;
}

lb_status lb_score_mae(const lb_outcome *o, lb_number *out, lb_error *err)
{
    return mean_error(o, "mae", fabs, out, err);
}

lb_status lb_score_bias(const lb_outcome *o, lb_number *out, lb_error *err)
{
    return mean_error(o, "bias", NULL, out, err);
}

lb_status lb_score_rmse(const lb_outcome *o, lb_number *out, lb_error *err)
{
    const lb_status st = mean_error(o, "rmse", square, out, err);
    if (st != LB_OK || out->na[0])
        return st;
    out->value = sqrt(out->value);
    /* d sqrt(m) = dm / (2 sqrt(m)); a perfect prediction has no error to have an error. */
    out->se = out->value > 0.0 ? out->se / (2.0 * out->value) : 0.0;
    return LB_OK;
}

static bool is_score(const char *kind)
{
    static const char *const scores[] = {"r2", "mae", "rmse", "bias"};
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++)
        if (strcmp(kind, scores[i]) == 0)
            return true;
    return false;
}

static void combine(const lb_number *a, const lb_number *b, const char *kind, lb_number *out)
{
    *out = lb_number_plain(a->value - b->value, kind, a->unit);
    out->n = a->n;
    out->oracle = a->oracle || b->oracle;
    memcpy(out->rows, a->rows, sizeof out->rows);
    if (a->na[0] || b->na[0])
        set_na(out, a->na[0] ? a->na : b->na);
}

lb_status lb_score_delta(const lb_number *a, const lb_number *b, lb_number *out, lb_error *err)
{
    if (!is_score(a->kind) || strcmp(a->kind, b->kind) || strcmp(a->unit, b->unit))
        return LB_FAIL(err, LB_EINVAL,
                       "a difference needs two scores of one kind, not '%s' [%s] and '%s' [%s]",
                       a->kind, a->unit, b->kind, b->unit);
    char kind[sizeof out->kind];
    snprintf(kind, sizeof kind, "delta_%.10s", a->kind);
    const lb_status st = lb_rowset_require_same(kind, a->rows, a->n, b->rows, b->n, err);
    if (st != LB_OK)
        return st;
    combine(a, b, kind, out);
    return LB_OK;
}

lb_status lb_score_delta_unaligned(const lb_number *a, const lb_number *b, lb_number *out,
                                   lb_error *err)
{
    if (strcmp(a->kind, "r2") || strcmp(b->kind, "r2"))
        return LB_FAIL(err, LB_EINVAL,
                       "the unaligned difference is one of two r2, not '%s' and '%s'", a->kind,
                       b->kind);
    combine(a, b, "delta_r2_unaligned", out);
    out->n = 0;
    out->rows[0] = '\0';
    return LB_OK;
}
