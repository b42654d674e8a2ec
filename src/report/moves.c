/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/moves.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double lb_line_error(const lb_line *line)
{
    const double se =
        isfinite(line->se) ? line->se : (line->ci_hi - line->ci_lo) / (2.0 * 1.959963984540054);
    return se > 0.0 ? se : NAN;
}

static bool same(double x, double y)
{
    return (isnan(x) && isnan(y)) || x == y;
}

/* May x have become y? A value that comes or goes never may. */
static bool allowed(const lb_line *was, double x, double y)
{
    const lb_tolerance *t = &was->tolerance;
    const double se = lb_line_error(was);
    double room = t->atol + t->rtol * fabs(x);
    if (same(x, y))
        return true;
    if (t->kind == LB_TOL_EXACT)
        room = 0.0;
    else if (t->kind == LB_TOL_STATISTICAL)
        room = isfinite(se) ? t->errors * se : 1e-6 * fabs(x);
    return fabs(y - x) <= room;
}

/* How far the value moved or, where it stood still, an end of the interval or the standard error.
 */
static double farthest(const lb_line *was, const lb_line *now)
{
    const double moves[] = {now->ci_lo - was->ci_lo, now->ci_hi - was->ci_hi, now->se - was->se};
    const double move = fabs(now->value - was->value);
    double most = 0.0;
    for (size_t i = 0; i < 3; i++)
        if (fabs(moves[i]) > most) /* not where one is absent */
            most = fabs(moves[i]);
    return isnan(move) || move > 0.0 ? move : most;
}

static void compare_values(lb_move *m)
{
    const lb_line *was = m->was, *now = m->now;
    const double move = now->value - was->value;
    m->beyond = !allowed(was, was->value, now->value) || !allowed(was, was->ci_lo, now->ci_lo) ||
                !allowed(was, was->ci_hi, now->ci_hi) || !allowed(was, was->se, now->se);
    if (isfinite(move) && move != 0.0)
        m->relative = was->value != 0.0 ? fabs(move / was->value) : INFINITY;
    m->errors = farthest(was, now) /
                (isfinite(lb_line_error(was)) ? lb_line_error(was) : lb_line_error(now));
    if (m->errors == 0.0)
        m->errors = NAN;
}

static void remark_numbers(const lb_move *m, lb_text *out)
{
    const lb_line *was = m->was, *now = m->now;
    const char *gap = "";
    if (*was->text || *now->text) /* n/a on one side: all of it is other */
        return;
    if (strcmp(was->kind, now->kind)) {
        lb_text_printf(out, "kind %s became %s", was->kind, now->kind);
        gap = "; ";
    }
    if (strcmp(was->rows, now->rows)) {
        lb_text_printf(out, "%srows '%s' became '%s'", gap, was->rows, now->rows);
        gap = "; ";
    }
    if (was->n != now->n) {
        lb_text_printf(out, "%sn %zu became %zu", gap, was->n, now->n);
        gap = "; ";
    }
    if (was->oracle != LB_ORACLE_UNKNOWN && now->oracle != LB_ORACLE_UNKNOWN &&
        was->oracle != now->oracle) {
        lb_text_printf(out, "%s%s", gap,
                       now->oracle == LB_ORACLE_YES ? "now given true labels (oracle)"
                                                    : "no oracle any more");
    }
}

/* Does the line differ? Fills the rest of @p m, whose two lines are there. */
static bool compare_lines(lb_move *m)
{
    const lb_line *was = m->was, *now = m->now;
    const bool numbers = was->what == LB_LINE_NUMBER && now->what == LB_LINE_NUMBER;
    lb_text remark = {0};
    m->kind = was->what == LB_LINE_VERDICT  ? LB_MOVE_VERDICT
              : was->what == LB_LINE_ROWSET ? LB_MOVE_ROWSET
              : numbers                     ? LB_MOVE_NUMBER
                                            : LB_MOVE_TEXT;
    m->beyond = false;
    if (was->tolerance.kind == LB_TOL_MEASURED)
        return false;
    if (numbers) {
        compare_values(m);
        remark_numbers(m, &remark);
        m->beyond = m->beyond || remark.length > 0;
    }
    m->remark = lb_text_take(&remark);
    if (was->what != now->what || strcmp(was->text, now->text))
        m->beyond = true;
    if (m->kind == LB_MOVE_VERDICT && strcmp(was->rows, now->rows)) /* it judges something else */
        m->beyond = true;
    return m->beyond || !isnan(m->relative) || !isnan(m->errors);
}

/* --- all lines ---------------------------------------------------------------------------------
 */

static lb_move *push(lb_moves *m, lb_move_kind kind, const lb_line *was, const lb_line *now)
{
    m->at = lb_xrealloc(m->at, m->n + 1, sizeof *m->at);
    m->at[m->n] = (lb_move){
        .kind = kind, .was = was, .now = now, .errors = NAN, .relative = NAN, .beyond = true};
    return &m->at[m->n++];
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp((*(const lb_line *const *)a)->key, (*(const lb_line *const *)b)->key);
}

static int larger_first(double x, double y)
{
    const double a = isnan(x) ? -1.0 : x, b = isnan(y) ? -1.0 : y;
    return a == b ? 0 : a > b ? -1 : 1;
}

static int by_weight(const void *left, const void *right)
{
    const lb_move *a = left, *b = right;
    int order = (a->kind > b->kind) - (a->kind < b->kind);
    if (!order)
        order = larger_first(a->errors, b->errors);
    if (!order)
        order = larger_first(a->relative, b->relative);
    return order ? order : strcmp((a->was ? a->was : a->now)->key, (b->was ? b->was : b->now)->key);
}

static const lb_line **sorted(const lb_ledger *l)
{
    const lb_line **lines = lb_xcalloc(l->n + 1, sizeof *lines);
    for (size_t i = 0; i < l->n; i++)
        lines[i] = &l->lines[i];
    qsort(lines, l->n, sizeof *lines, compare_keys);
    return lines;
}

/* Files frozen before tables were kept have none: all of them would be new. */
static bool keeps_tables(const lb_ledger *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->lines[i].kind, "table") == 0)
            return true;
    return false;
}

static void add_new(lb_moves *out, const lb_line *line, bool tables)
{
    if (tables || strcmp(line->kind, "table") != 0)
        push(out, LB_MOVE_NEW, NULL, line)->remark = lb_xstrdup("");
}

static lb_status check_pair(const lb_ledger *a, const lb_ledger *b, lb_error *err)
{
    if (*a->experiment && *b->experiment && strcmp(a->experiment, b->experiment) != 0)
        return LB_FAIL(err, LB_EINVAL, "%s belongs to %s, %s to %s: compare two of one experiment",
                       a->source, a->experiment, b->source, b->experiment);
    if (*a->profile && *b->profile && strcmp(a->profile, b->profile) != 0)
        return LB_FAIL(err, LB_EINVAL,
                       "%s is of profile %s, %s of profile %s: compare two of one profile",
                       a->source, a->profile, b->source, b->profile);
    return LB_OK;
}

lb_status lb_moves_find(const lb_ledger *was, const lb_ledger *now, lb_moves *out, lb_error *err)
{
    *out = (lb_moves){0};
    const lb_status st = check_pair(was, now, err);
    if (st != LB_OK)
        return st;
    const lb_line **a = sorted(was), **b = sorted(now);
    const bool tables = keeps_tables(was);
    size_t i = 0, k = 0;
    while (i < was->n || k < now->n) { /* two sorted lists, side by side */
        const int order = i == was->n ? 1 : k == now->n ? -1 : strcmp(a[i]->key, b[k]->key);
        if (order < 0) {
            push(out, LB_MOVE_GONE, a[i++], NULL)->remark = lb_xstrdup("");
        } else if (order > 0) {
            add_new(out, b[k++], tables);
        } else {
            out->compared += a[i]->tolerance.kind != LB_TOL_MEASURED;
            if (!compare_lines(push(out, LB_MOVE_NUMBER, a[i++], b[k++])))
                free(out->at[--out->n].remark); /* it agrees */
        }
    }
    if (out->n)
        qsort(out->at, out->n, sizeof *out->at, by_weight);
    free(a);
    free(b);
    return LB_OK;
}

void lb_moves_free(lb_moves *m)
{
    for (size_t i = 0; i < m->n; i++)
        free(m->at[i].remark);
    free(m->at);
    *m = (lb_moves){0};
}
