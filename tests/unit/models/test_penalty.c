/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/penalty.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

/* Scores that depend on log10 alpha alone. */
typedef struct scorer {
    double (*score)(double decade);
    int calls, fail_at;
} scorer;

static lb_status score(void *self, lb_cvec alphas, double *r2, lb_error *err)
{
    scorer *s = self;
    if (++s->calls == s->fail_at)
        return LB_FAIL(err, LB_EIO, "call %d", s->calls);
    for (size_t k = 0; k < alphas.n; k++)
        r2[k] = s->score(log10(alphas.data[k]));
    return LB_OK;
}

static double peak_inside(double d)
{
    return 0.9 - fabs(d);
}
static double peak_far_down(double d)
{
    return 0.9 - 0.01 * fabs(d + 9.0);
}
static double peak_just_above(double d)
{
    return 0.9 - fabs(d - 3.0);
}
static double flat_above(double d)
{
    return fmin(d, 2.0);
}
static double flat_below(double d)
{
    return -fmax(d, -2.0);
}
static double hole(double d)
{
    return d > 1.5 ? (double)NAN : d;
}
static double hole_beyond(double d)
{
    return d > 3.5 ? (double)NAN : d;
}

static const double five[] = {0.01, 0.1, 1.0, 10.0, 100.0};
static const lb_cvec grid = {five, 5};

static lb_penalty search(double (*f)(double), int decades)
{
    scorer s = {f, 0, 0};
    lb_penalty p;
    lb_error err = {0};
    cr_assert(eq(int, lb_penalty_search(grid, decades, score, &s, &p, &err), LB_OK), "%s",
              err.text);
    return p;
}

static void expect(double (*f)(double), int decades, size_t n, double alpha, int edge)
{
    lb_penalty p = search(f, decades);
    cr_expect(eq(sz, p.n, n));
    cr_expect(eq(sz, p.n_grid, 5));
    cr_expect(epsilon_eq(dbl, p.chosen.alpha, alpha, 1e-9 * alpha));
    cr_expect(eq(dbl, p.alphas[p.chosen.index], p.chosen.alpha));
    cr_expect(eq(dbl, p.r2[p.chosen.index], p.chosen.r2));
    cr_expect(eq(int, p.chosen.edge, edge));
    cr_expect(eq(int, p.on_grid.edge, edge));
    lb_penalty_free(&p);
    cr_expect(eq(ptr, p.alphas, NULL));
}

Test(penalty, an_optimum_inside_the_grid_needs_no_extension)
{
    expect(peak_inside, 2, 5, 1.0, 0);
}

Test(penalty, an_optimum_on_an_end_extends_the_grid_beyond_it)
{
    expect(peak_far_down, 2, 7, 1e-4, -1);
    expect(peak_far_down, 0, 5, 1e-2, -1);
    expect(peak_just_above, 2, 7, 1e3, 1);
}

Test(penalty, a_tie_goes_to_the_larger_alpha_on_the_grid_and_beyond)
{
    expect(flat_above, 2, 7, 1e4, 1);
    expect(flat_below, 2, 7, 1e-2, -1);
}

Test(penalty, a_score_that_is_no_number_is_refused_on_the_grid_and_never_chosen_beyond)
{
    scorer s = {hole, 0, 0};
    lb_penalty p;
    cr_expect(eq(int, lb_penalty_search(grid, 0, score, &s, &p, NULL), LB_ENUMERIC));
    lb_penalty_free(&p);
    expect(hole_beyond, 2, 7, 1e3, 1);
}

static lb_status refused(lb_cvec alphas, int decades, int fail_at)
{
    scorer s = {peak_far_down, 0, fail_at};
    lb_penalty p;
    const lb_status st = lb_penalty_search(alphas, decades, score, &s, &p, NULL);
    lb_penalty_free(&p);
    return st;
}

Test(penalty, says_what_is_wrong_and_hands_on_what_the_score_reports)
{
    const double down[] = {1.0, 0.1}, zero[] = {0.0}, endless[] = {(double)INFINITY};
    cr_expect(eq(int, refused((lb_cvec){NULL, 0}, 0, 0), LB_EINVAL));
    cr_expect(eq(int, refused((lb_cvec){down, 2}, 0, 0), LB_EINVAL));
    cr_expect(eq(int, refused((lb_cvec){zero, 1}, 0, 0), LB_EINVAL));
    cr_expect(eq(int, refused((lb_cvec){endless, 1}, 0, 0), LB_EINVAL));
    cr_expect(eq(int, refused(grid, -1, 0), LB_EINVAL));
    cr_expect(eq(int, refused(grid, 2, 1), LB_EIO));
    cr_expect(eq(int, refused(grid, 2, 2), LB_EIO));
}
