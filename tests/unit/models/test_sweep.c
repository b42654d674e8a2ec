/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/toy.h"
#include "models/sweep.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { GROUPS = 3, P = 24 };
enum { GLOBAL, FIRST, LAST_TWO, MEMBERS };

static const bool all_groups[GROUPS] = {true, true, true};
static const bool first_group[GROUPS] = {true, false, false};
static const bool last_groups[GROUPS] = {false, true, true};
static const bool no_group[GROUPS] = {false, false, false};
static const lb_member members[MEMBERS] = {
    {"global", all_groups}, {"first", first_group}, {"last two", last_groups}};

static const double wide[] = {1e-4, 1e-2, 1.0, 1e2, 1e4};
static const lb_cvec wide_grid = {wide, 5};

typedef struct sets {
    toy train, val, test;
} sets;

static sets sets_make(void)
{
    return (sets){toy_make(150, P, 1), toy_make(200, P, 2), toy_make(120, P, 3)};
}

static void sets_free(sets *d)
{
    toy_free(&d->train);
    toy_free(&d->val);
    toy_free(&d->test);
}

static lb_labelled labelled(toy *t)
{
    return (lb_labelled){toy_stream(t), toy_y(t), t->group};
}

static lb_status run(sets *d, const lb_member *m, size_t n, lb_sweep_options o, lb_sweep **out,
                     lb_error *err)
{
    const lb_labelled train = labelled(&d->train), val = labelled(&d->val);
    const lb_stream test = toy_stream(&d->test);
    o.groups = GROUPS;
    return lb_sweep_run(&train, &val, &test, m, n, o, out, err);
}

static lb_sweep *sweep(sets *d, lb_sweep_options o)
{
    lb_sweep *s = NULL;
    lb_error err = {0};
    cr_assert(eq(int, run(d, members, MEMBERS, o, &s, &err), LB_OK), "%s", err.text);
    return s;
}

static bool counts(const toy *t, size_t i, const bool *use)
{
    return t->group[i] >= 0 && use[t->group[i]];
}

/* --- the same by another way -------------------------------------------------------------------
 */

static lb_ridge *direct_fit(sets *d, const bool *use, lb_cvec alphas)
{
    lb_gram *g = NULL;
    lb_ridge *r = NULL;
    lb_error err = {0};
    const lb_stream x = toy_stream(&d->train);
    cr_assert(eq(int,
                 lb_gram_accumulate(&x, toy_y(&d->train), d->train.group,
                                    (lb_gram_options){.groups = GROUPS}, &g, &err),
                 LB_OK));
    cr_assert(eq(int, lb_ridge_fit(g, use, alphas, &r, &err), LB_OK), "%s", err.text);
    lb_gram_free(g);
    return r;
}

static double predicted(const toy *t, size_t i, const lb_ridge *r, size_t k)
{
    double y = r->b[k];
    for (size_t j = 0; j < t->p; j++)
        y += (double)t->x[i * t->p + j] * r->w.data[k * r->w.stride + j];
    return y;
}

static double r2_by_hand(const toy *t, const bool *use, const lb_ridge *r, size_t k)
{
    double mean = 0.0, n = 0.0, total = 0.0, left = 0.0;
    for (size_t i = 0; i < t->n; i++)
        if (counts(t, i, use)) {
            mean += t->y[i];
            n += 1.0;
        }
    for (size_t i = 0; i < t->n; i++)
        if (counts(t, i, use)) {
            total += (t->y[i] - mean / n) * (t->y[i] - mean / n);
            left += (t->y[i] - predicted(t, i, r, k)) * (t->y[i] - predicted(t, i, r, k));
        }
    return 1.0 - left / total;
}

/* --- laws --------------------------------------------------------------------------------------
 */

Test(sweep, each_model_is_the_ridge_of_its_own_groups)
{
    sets d = sets_make();
    lb_sweep *s = sweep(&d, (lb_sweep_options){.alphas = wide_grid});
    for (size_t m = 0; m < MEMBERS; m++) {
        const lb_sweep_model x = lb_sweep_get(s, m);
        lb_ridge *r = direct_fit(&d, members[m].use, wide_grid);
        cr_expect(eq(str, (char *)x.name, (char *)members[m].name));
        cr_expect(eq(sz, x.n_train, r->n_rows));
        for (size_t k = 0; k < wide_grid.n; k++)
            for (size_t i = 0; i < d.test.n; i++)
                cr_assert(epsilon_eq(dbl, x.yhat.data[k * x.yhat.stride + i],
                                     predicted(&d.test, i, r, k), 1e-11),
                          "%s, alpha %g, row %zu", x.name, wide[k], i);
        lb_ridge_free(r);
    }
    lb_sweep_free(s);
    sets_free(&d);
}

Test(sweep, global_model_is_the_member_with_every_group)
{
    sets d = sets_make();
    lb_sweep *s = sweep(&d, (lb_sweep_options){.alphas = wide_grid});
    const lb_sweep_model x = lb_sweep_get(s, GLOBAL);
    size_t n_train = 0, n_val = 0;
    for (size_t i = 0; i < d.train.n; i++)
        n_train += d.train.group[i] >= 0;
    for (size_t i = 0; i < d.val.n; i++)
        n_val += d.val.group[i] >= 0;
    cr_expect(eq(sz, x.n_train, n_train));
    cr_expect(eq(sz, x.n_val, n_val));
    cr_expect(eq(sz, lb_sweep_get(s, FIRST).n_train + lb_sweep_get(s, LAST_TWO).n_train, n_train));
    cr_expect(eq(sz, lb_sweep_get(s, FIRST).n_val + lb_sweep_get(s, LAST_TWO).n_val, n_val));
    lb_sweep_free(s);
    sets_free(&d);
}

Test(sweep, chosen_penalty_has_the_largest_r2_on_the_validation_rows_of_the_model)
{
    sets d = sets_make();
    lb_sweep *s = sweep(&d, (lb_sweep_options){.alphas = wide_grid});
    for (size_t m = 0; m < MEMBERS; m++) {
        const lb_sweep_model x = lb_sweep_get(s, m);
        lb_ridge *r = direct_fit(&d, members[m].use, wide_grid);
        size_t best = 0;
        for (size_t k = 0; k < wide_grid.n; k++) {
            const double want = r2_by_hand(&d.val, members[m].use, r, k);
            cr_expect(epsilon_eq(dbl, x.r2_val.data[k], want, 1e-11), "%s, %g", x.name, wide[k]);
            if (want >= r2_by_hand(&d.val, members[m].use, r, best))
                best = k;
        }
        cr_expect(eq(sz, x.chosen.index, best));
        cr_expect(eq(dbl, x.chosen.alpha, wide[best]));
        cr_expect(eq(dbl, x.chosen.r2, x.r2_val.data[best]));
        cr_expect(eq(ptr, (void *)x.yhat_chosen.data, (void *)(x.yhat.data + best * d.test.n)));
        lb_ridge_free(r);
    }
    lb_sweep_free(s);
    sets_free(&d);
}

/* Test labels are no argument; the test spectra must not matter to the choice either. */
Test(sweep, test_rows_do_not_enter_the_choice)
{
    sets d = sets_make(), other = sets_make();
    for (size_t i = 0; i < other.test.n * P; i++)
        other.test.x[i] = 3.0f - other.test.x[i];
    lb_sweep *a = sweep(&d, (lb_sweep_options){.alphas = wide_grid});
    lb_sweep *b = sweep(&other, (lb_sweep_options){.alphas = wide_grid});
    for (size_t m = 0; m < MEMBERS; m++) {
        const lb_sweep_model x = lb_sweep_get(a, m), y = lb_sweep_get(b, m);
        cr_expect(eq(sz, x.chosen.index, y.chosen.index));
        for (size_t k = 0; k < wide_grid.n; k++)
            cr_expect(eq(dbl, x.r2_val.data[k], y.r2_val.data[k]));
        cr_expect(ne(dbl, x.yhat_chosen.data[0], y.yhat_chosen.data[0]));
    }
    lb_sweep_free(a);
    lb_sweep_free(b);
    sets_free(&d);
    sets_free(&other);
}

/* --- the ends of the grid ----------------------------------------------------------------------
 */

static void expect_extension(const double *grid, int edge, const double *beyond, size_t decades)
{
    sets d = sets_make();
    lb_sweep *s =
        sweep(&d, (lb_sweep_options){.alphas = {grid, 3}, .extend_decades = (int)decades});
    const lb_sweep_model x = lb_sweep_get(s, GLOBAL);
    const size_t n = edge ? 3 + decades : 3;
    cr_expect(eq(int, x.on_grid.edge, edge));
    cr_expect(eq(int, x.chosen.edge, edge), "the flag is that of the given grid");
    cr_expect(eq(sz, x.n_grid, 3));
    cr_assert(eq(sz, x.alphas.n, n));
    cr_assert(eq(sz, x.r2_val.n, n));
    cr_assert(eq(sz, x.yhat.rows, n));
    for (size_t k = 0; k < 3; k++)
        cr_expect(eq(dbl, x.alphas.data[k], grid[k]));
    for (size_t k = 3; k < n; k++)
        cr_expect(epsilon_eq(dbl, x.alphas.data[k] / beyond[k - 3], 1.0, 1e-12));
    for (size_t k = 0; k < n; k++)
        cr_expect(le(dbl, x.r2_val.data[k], x.chosen.r2));
    for (size_t k = 0; k < 3; k++)
        cr_expect(le(dbl, x.r2_val.data[k], x.on_grid.r2));
    cr_expect(eq(dbl, x.chosen.alpha, x.alphas.data[x.chosen.index]));
    lb_sweep_free(s);
    sets_free(&d);
}

Test(sweep, optimum_on_the_upper_end_is_followed_two_decades_up)
{
    expect_extension((double[]){1e-8, 1e-7, 1e-6}, +1, (double[]){1e-5, 1e-4}, 2);
}

Test(sweep, optimum_on_the_lower_end_is_followed_two_decades_down)
{
    expect_extension((double[]){1e5, 1e6, 1e7}, -1, (double[]){1e3, 1e4}, 2);
}

Test(sweep, optimum_inside_is_not_extended)
{
    expect_extension((double[]){1e-9, 1e-3, 1e9}, 0, NULL, 2);
}

Test(sweep, without_extension_the_flag_remains)
{
    expect_extension((double[]){1e5, 1e6, 1e7}, -1, NULL, 0);
}

Test(sweep, extension_that_is_better_is_chosen_and_the_best_of_the_grid_is_kept)
{
    sets d = sets_make();
    const double high[] = {1e5, 1e6};
    lb_sweep *s = sweep(&d, (lb_sweep_options){.alphas = {high, 2}, .extend_decades = 2});
    const lb_sweep_model x = lb_sweep_get(s, GLOBAL);
    cr_expect(eq(dbl, x.on_grid.alpha, 1e5));
    cr_expect(epsilon_eq(dbl, x.chosen.alpha, 1e3, 1e-9));
    cr_expect(gt(dbl, x.chosen.r2, x.on_grid.r2));
    lb_sweep_free(s);
    sets_free(&d);
}

/* Members at different ends are extended each on its own side, the others not at all. */
Test(sweep, extension_of_one_model_leaves_the_others_alone)
{
    sets d = sets_make();
    /* Group 0 learns the opposite of the truth: no penalty is enough. */
    for (size_t i = 0; i < d.train.n; i++)
        if (d.train.group[i] == 0)
            d.train.y[i] = 5.0 - d.train.y[i];
    const double grid[] = {1e-6, 1e-2, 1e4};
    lb_sweep *s = sweep(&d, (lb_sweep_options){.alphas = {grid, 3}, .extend_decades = 2});
    cr_expect(eq(int, lb_sweep_get(s, FIRST).on_grid.edge, +1));
    cr_expect(eq(sz, lb_sweep_get(s, FIRST).alphas.n, 5));
    cr_expect(eq(int, lb_sweep_get(s, LAST_TWO).on_grid.edge, 0));
    cr_expect(eq(sz, lb_sweep_get(s, LAST_TWO).alphas.n, 3));
    lb_sweep_free(s);
    sets_free(&d);
}

/* --- least squares -----------------------------------------------------------------------------
 */

Test(sweep, least_squares_is_fitted_on_demand_and_never_chosen)
{
    sets d = sets_make();
    const double zero = 0.0;
    lb_ridge *r = direct_fit(&d, all_groups, (lb_cvec){&zero, 1});
    lb_sweep *with = sweep(&d, (lb_sweep_options){.alphas = wide_grid, .least_squares = true});
    lb_sweep *without = sweep(&d, (lb_sweep_options){.alphas = wide_grid});
    const lb_sweep_model x = lb_sweep_get(with, GLOBAL), y = lb_sweep_get(without, GLOBAL);
    cr_assert(eq(sz, x.yhat_ols.n, d.test.n));
    for (size_t i = 0; i < d.test.n; i++)
        cr_expect(epsilon_eq(dbl, x.yhat_ols.data[i], predicted(&d.test, i, r, 0), 1e-10));
    cr_expect(gt(dbl, x.condition_ols, 1.0));
    cr_expect(eq(chr, x.method_ols, 'c'));
    cr_expect(eq(sz, x.alphas.n, wide_grid.n), "0 is not in the grid");
    cr_expect(eq(sz, x.chosen.index, y.chosen.index));
    cr_expect(eq(sz, y.yhat_ols.n, 0));
    cr_expect(eq(ptr, (void *)y.yhat_ols.data, NULL));
    cr_expect(isnan(y.condition_ols));
    lb_sweep_free(with);
    lb_sweep_free(without);
    lb_ridge_free(r);
    sets_free(&d);
}

/* --- other rows --------------------------------------------------------------------------------
 */

Test(sweep, says_the_same_of_its_test_rows_whenever_it_is_asked)
{
    sets d = sets_make();
    lb_sweep *s = sweep(&d, (lb_sweep_options){.alphas = wide_grid});
    const size_t pick[] = {LAST_TWO, GLOBAL};
    const lb_stream x = toy_stream(&d.test);
    lb_mat yhat = lb_mat_new(d.test.n, 2);
    cr_assert(eq(int, lb_sweep_predict(s, pick, 2, &x, yhat, NULL), LB_OK));
    for (size_t k = 0; k < 2; k++) {
        const lb_sweep_model m = lb_sweep_get(s, pick[k]);
        for (size_t i = 0; i < d.test.n; i++) {
            double by_hand = m.b.data[m.chosen.index];
            for (size_t j = 0; j < m.w.cols; j++)
                by_hand +=
                    m.w.data[m.chosen.index * m.w.stride + j] * (double)d.test.x[i * d.test.p + j];
            cr_expect(epsilon_eq(dbl, yhat.data[2 * i + k], m.yhat_chosen.data[i], 1e-12));
            cr_expect(epsilon_eq(dbl, by_hand, m.yhat_chosen.data[i], 1e-9));
        }
    }
    const lb_stream narrow = {x.rows, x.cols - 1, x.read, x.self, false};
    cr_expect(eq(int, lb_sweep_predict(s, pick, 2, &narrow, yhat, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_sweep_predict(s, pick, 1, &x, yhat, NULL), LB_ESHAPE));
    yhat.cols = 1;
    cr_expect(eq(int, lb_sweep_predict(s, pick, 2, &x, yhat, NULL), LB_ESHAPE));
    free(yhat.data);
    lb_sweep_free(s);
    sets_free(&d);
}

/* --- refusals ----------------------------------------------------------------------------------
 */

static void expect_refusal(sets *d, const lb_member *m, lb_status status, const char *word)
{
    lb_sweep *s = (lb_sweep *)d; /* must become NULL */
    lb_error err = {0};
    cr_expect(eq(int, run(d, m, 1, (lb_sweep_options){.alphas = wide_grid}, &s, &err), status));
    cr_expect(strstr(err.text, word) != NULL, "no '%s' in: %s", word, err.text);
    cr_expect(eq(ptr, s, NULL));
    sets_free(d);
}

Test(sweep, a_model_without_training_rows_is_refused_by_name)
{
    sets d = sets_make();
    const lb_member m = {"nobody", no_group};
    expect_refusal(&d, &m, LB_EINVAL, "'nobody' has no training rows");
}

Test(sweep, one_validation_row_is_refused_by_name)
{
    sets d = sets_make();
    const lb_member m = {"thin", first_group};
    bool seen = false;
    for (size_t i = 0; i < d.val.n; i++)
        if (d.val.group[i] == 0) {
            d.val.group[i] = seen ? 1 : 0;
            seen = true;
        }
    expect_refusal(&d, &m, LB_EINVAL, "'thin' has 1 validation rows");
}

Test(sweep, no_validation_row_is_refused_by_name)
{
    sets d = sets_make();
    const lb_member m = {"blind", first_group};
    for (size_t i = 0; i < d.val.n; i++)
        d.val.group[i] = 1;
    expect_refusal(&d, &m, LB_EINVAL, "'blind' has 0 validation rows");
}

Test(sweep, validation_labels_that_are_all_equal_cannot_choose)
{
    sets d = sets_make();
    const lb_member m = {"flat", first_group};
    for (size_t i = 0; i < d.val.n; i++)
        d.val.y[i] = 2.0;
    expect_refusal(&d, &m, LB_EINVAL, "'flat'");
}

Test(sweep, penalties_must_ascend_be_positive_and_stay_in_range)
{
    sets d = sets_make();
    const double down[] = {1.0, 0.1}, zero[] = {0.0, 1.0},
                 far[] = {1.0, 1e300}, *const grids[] = {down, zero, far};
    const char *const words[] = {"ascend", "positive", "range"};
    lb_sweep *s = NULL;
    for (size_t k = 0; k < 3; k++) {
        lb_error err = {0};
        const lb_sweep_options o = {.alphas = {grids[k], 2}, .extend_decades = 9};
        cr_expect(eq(int, run(&d, members, 1, o, &s, &err), LB_EINVAL));
        cr_expect(strstr(err.text, words[k]) != NULL, "%s", err.text);
    }
    cr_expect(eq(int, run(&d, members, 1, (lb_sweep_options){0}, &s, NULL), LB_EINVAL));
    sets_free(&d);
}

Test(sweep, sets_with_different_columns_are_refused)
{
    sets d = sets_make();
    toy_free(&d.val);
    d.val = toy_make(200, P + 1, 2);
    expect_refusal(&d, members, LB_ESHAPE, "24");
    d = sets_make();
    toy_free(&d.test);
    d.test = toy_make(20, P - 1, 2);
    expect_refusal(&d, members, LB_ESHAPE, "23");
}

Test(sweep, a_validation_row_of_a_group_that_does_not_exist_is_refused)
{
    const int wrong[] = {GROUPS, -2};
    for (int k = 0; k < 2; k++) {
        sets d = sets_make();
        d.val.group[7] = wrong[k];
        expect_refusal(&d, members, LB_EINVAL, "validation row 7 is of group");
    }
}

Test(sweep, a_single_training_row_gives_its_label)
{
    sets d = sets_make();
    toy_free(&d.train);
    d.train = toy_make(1, P, 1); /* fewer rows than columns as well */
    d.train.group[0] = 0;
    const lb_member m = {"one row", first_group};
    lb_sweep *s = NULL;
    cr_assert(eq(int, run(&d, &m, 1, (lb_sweep_options){.alphas = wide_grid}, &s, NULL), LB_OK));
    for (size_t i = 0; i < d.test.n; i++)
        cr_expect(eq(dbl, lb_sweep_get(s, 0).yhat_chosen.data[i], d.train.y[0]));
    lb_sweep_free(s);
    sets_free(&d);
}

Test(sweep, labels_and_groups_that_do_not_fit_are_refused)
{
    sets d = sets_make();
    lb_labelled train = labelled(&d.train), val = labelled(&d.val);
    const lb_stream test = toy_stream(&d.test);
    const lb_sweep_options two = {.groups = GROUPS - 1, .alphas = wide_grid},
                           three = {.groups = GROUPS, .alphas = wide_grid};
    lb_gram *g = NULL;
    lb_sweep *s = NULL;
    cr_assert(eq(int,
                 lb_gram_accumulate(&train.x, train.y, train.group,
                                    (lb_gram_options){.groups = GROUPS}, &g, NULL),
                 LB_OK));
    cr_expect(eq(int, lb_sweep_fit(g, &val, &test, members, 1, two, &s, NULL), LB_ESHAPE));
    val.y.n--;
    cr_expect(eq(int, lb_sweep_fit(g, &val, &test, members, 1, three, &s, NULL), LB_ESHAPE));
    val.y.n++;
    train.y.n--;
    cr_expect(eq(int, lb_sweep_run(&train, &val, &test, members, 1, three, &s, NULL), LB_ESHAPE));
    cr_expect(eq(ptr, s, NULL));
    lb_gram_free(g);
    sets_free(&d);
}

Test(sweep, a_stream_that_breaks_ends_the_sweep_with_its_message)
{
    sets d = sets_make();
    d.train.broken_from = 140;
    expect_refusal(&d, members, LB_EIO, "on fire at row 140");
    d = sets_make();
    d.val.broken_from = 100;
    expect_refusal(&d, members, LB_EIO, "on fire at row 100");
    d = sets_make();
    d.test.broken_from = 50;
    expect_refusal(&d, members, LB_EIO, "on fire at row 50");
    for (int which = 0; which < 2; which++) { /* read again, beyond the end of the grid */
        const double high[] = {1e6, 1e7};
        lb_sweep *s = NULL;
        lb_error err = {0};
        d = sets_make();
        *(which ? &d.val.most_reads : &d.test.most_reads) = 1;
        cr_expect(eq(int,
                     run(&d, members, 1,
                         (lb_sweep_options){.alphas = {high, 2}, .extend_decades = 2}, &s, &err),
                     LB_EIO));
        cr_expect(strstr(err.text, "after 1 reads") != NULL, "%s", err.text);
        cr_expect(eq(ptr, s, NULL));
        sets_free(&d);
    }
}

Test(sweep, a_nan_in_a_training_row_that_counts_is_refused)
{
    sets d = sets_make();
    for (size_t i = 0; i < d.train.n; i++)
        if (d.train.group[i] < 0)
            d.train.x[i * P] = NAN; /* does not count */
    lb_sweep_free(sweep(&d, (lb_sweep_options){.alphas = wide_grid}));
    for (size_t i = 0; i < d.train.n; i++)
        if (d.train.group[i] == 2) {
            d.train.x[i * P] = NAN;
            break;
        }
    expect_refusal(&d, members, LB_ENUMERIC, "row");
}
