/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/threads.h"
#include "linalg/blas.h"
#include "linalg/toy.h"
#include "models/ridge.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <omp.h>

static const double six[] = {0.001, 0.01, 0.1, 1.0, 10.0, 100.0};
static const lb_cvec grid = {six, 6};

static lb_gram *gram(toy *t, bool float32)
{
    const lb_stream s = toy_stream(t);
    lb_gram *g = NULL;
    lb_error err = {0};
    cr_assert(eq(int,
                 lb_gram_accumulate(&s, toy_y(t), NULL,
                                    (lb_gram_options){.groups = 1, .float32 = float32}, &g, &err),
                 LB_OK),
              "%s", err.text);
    return g;
}

static lb_ridge *fit(toy *t, lb_cvec alphas)
{
    lb_gram *g = gram(t, false);
    lb_ridge *r = NULL;
    lb_error err = {0};
    cr_assert(eq(int, lb_ridge_fit(g, NULL, alphas, &r, &err), LB_OK), "%s", err.text);
    lb_gram_free(g);
    return r;
}

static lb_ridge *fit_one(toy *t, double alpha)
{
    return fit(t, (lb_cvec){&alpha, 1});
}

static double residual(const toy *t, const lb_ridge *r, size_t k, size_t i)
{
    double e = t->y[i] - r->b[k];
    for (size_t j = 0; j < t->p; j++)
        e -= (double)t->x[i * t->p + j] * r->w.data[k * r->w.stride + j];
    return e;
}

/* At the minimum, X'(y - Xw - b) = alpha w and the residuals sum to zero. */
static void expect_minimum(const toy *t, const lb_ridge *r, size_t k, double tolerance)
{
    double *gradient = lb_xcalloc(t->p, sizeof *gradient), sum = 0.0, worst = 0.0;
    for (size_t i = 0; i < t->n; i++) {
        const double e = residual(t, r, k, i);
        sum += e;
        for (size_t j = 0; j < t->p; j++)
            gradient[j] += e * (double)t->x[i * t->p + j];
    }
    for (size_t j = 0; j < t->p; j++)
        worst = fmax(worst, fabs(gradient[j] - r->alpha[k] * r->w.data[k * r->w.stride + j]));
    cr_expect(lt(dbl, worst, tolerance), "alpha %g by '%c'", r->alpha[k], r->method[k]);
    cr_expect(lt(dbl, fabs(sum), tolerance));
    free(gradient);
}

Test(ridge, solution_satisfies_the_normal_equations)
{
    const size_t sizes[][2] = {{500, 40}, {900, 300}, {100, 300}, {30, 70}, {2, 9}};
    for (size_t c = 0; c < 5; c++) {
        toy t = toy_make(sizes[c][0], sizes[c][1], 20 + c);
        lb_ridge *r = fit(&t, grid);
        for (size_t k = 0; k < r->n_alpha; k++) {
            cr_expect(eq(chr, r->method[k], 'c'));
            expect_minimum(&t, r, k, 1e-8);
        }
        cr_expect(eq(sz, r->n_rows, t.n));
        lb_ridge_free(r);
        toy_free(&t);
    }
}

Test(ridge, small_alpha_tends_to_least_squares_and_large_alpha_to_the_mean)
{
    toy t = toy_make(600, 30, 31);
    const double alphas[] = {1e12, 1e-10, 0.0};
    lb_ridge *r = fit(&t, (lb_cvec){alphas, 3});
    double mean = 0.0;
    for (size_t i = 0; i < t.n; i++)
        mean += t.y[i] / (double)t.n;
    cr_expect(lt(dbl, distance(r->w.data + t.p, r->w.data + 2 * t.p, t.p), 1e-9));
    cr_expect(eq(chr, r->method[2], 'c'), "well conditioned: no need for eigenvectors");
    expect_minimum(&t, r, 2, 1e-9);
    cr_expect(epsilon_eq(dbl, r->b[0], mean, 1e-8));
    lb_ridge_free(r);
    toy_free(&t);
}

/* The minimum-norm solution by the singular values of the centred matrix. */
static void minimum_norm(const toy *t, double *w)
{
    const size_t n = t->n, p = t->p, k = n < p ? n : p;
    lb_mat x = lb_mat_new(n, p);
    lb_mat u = lb_mat_new(n, k);
    lb_mat vt = lb_mat_new(k, p);
    double *s = lb_xcalloc(k, sizeof *s), ybar = 0.0;
    for (size_t i = 0; i < n; i++)
        ybar += t->y[i] / (double)n;
    for (size_t j = 0; j < p; j++) {
        double mean = 0.0;
        for (size_t i = 0; i < n; i++)
            mean += (double)t->x[i * p + j] / (double)n;
        for (size_t i = 0; i < n; i++)
            x.data[i * p + j] = (double)t->x[i * p + j] - mean;
        w[j] = 0.0;
    }
    cr_assert(eq(int, lb_svd(x, u, (lb_vec){s, k}, vt, NULL), LB_OK));
    for (size_t l = 0; l < k && s[l] > 1e-6 * s[0]; l++) {
        double c = 0.0;
        for (size_t i = 0; i < n; i++)
            c += u.data[i * k + l] * (t->y[i] - ybar);
        for (size_t j = 0; j < p; j++)
            w[j] += c / s[l] * vt.data[l * p + j];
    }
    free(x.data), free(u.data), free(vt.data), free(s);
}

Test(ridge, zero_alpha_is_the_shortest_least_squares_solution)
{
    const size_t sizes[][2] = {{20, 50}, {100, 290}, {400, 30}, {51, 50}};
    const double alphas[] = {0.0, 0.5};
    for (size_t c = 0; c < 4; c++) {
        toy t = toy_make(sizes[c][0], sizes[c][1], 40 + c);
        if (c == 2) /* two columns alike */
            for (size_t i = 0; i < t.n; i++)
                t.x[i * t.p + 9] = t.x[i * t.p + 3];
        double *w = lb_xcalloc(t.p, sizeof *w);
        lb_ridge *r = fit(&t, (lb_cvec){alphas, 2});
        minimum_norm(&t, w);
        cr_expect(eq(chr, r->method[0], c == 3 ? 'c' : 's'), "case %zu", c);
        cr_expect(ne(chr, r->method[1], 's'), "the others are not drawn along");
        cr_expect(lt(dbl, distance(r->w.data, w, t.p), 1e-7), "case %zu", c);
        cr_expect(isfinite(r->condition[0]));
        lb_ridge_free(r);
        free(w);
        toy_free(&t);
    }
}

/* A ridge solution is never longer than that without a penalty, however small the penalty is. */
Test(ridge, no_alpha_makes_weights_longer_than_the_shortest_least_squares_solution)
{
    const size_t sizes[][2] = {{20, 50}, {100, 290}, {400, 30}, {51, 50}, {3000, 60}};
    double alphas[23];
    for (int k = 0; k < 23; k++)
        alphas[k] = pow(10.0, k - 25);
    for (size_t c = 0; c < 5; c++) {
        toy t = toy_make(sizes[c][0], sizes[c][1], 47);
        for (size_t i = 0; i < t.n; i++) /* twins and a constant */
            t.x[i * t.p + 1] = t.x[i * t.p], t.x[i * t.p + 5] = t.x[i * t.p + 4],
                          t.x[i * t.p + 7] = 1.0f;
        double *w = lb_xcalloc(t.p, sizeof *w);
        minimum_norm(&t, w);
        lb_ridge *r = fit(&t, (lb_cvec){alphas, 23});
        for (size_t k = 0; k < 23; k++) {
            const double *here = r->w.data + k * r->w.stride;
            cr_expect(lt(dbl, lb_dot(here, here, t.p), 1.001 * lb_dot(w, w, t.p)),
                      "%zu rows, %zu columns, alpha %g", t.n, t.p, alphas[k]);
        }
        cr_expect(lt(dbl, distance(r->w.data, w, t.p), 1e-6), "case %zu", c);
        lb_ridge_free(r);
        free(w);
        toy_free(&t);
    }
}

Test(ridge, does_not_depend_on_the_order_or_number_of_alphas)
{
    toy t = toy_make(400, 60, 50);
    const double shuffled[] = {1.0, 0.001, 100.0};
    lb_ridge *r = fit(&t, (lb_cvec){shuffled, 3});
    for (size_t k = 0; k < 3; k++) {
        lb_ridge *one = fit_one(&t, shuffled[k]);
        cr_expect(eq(dbl, one->alpha[0], r->alpha[k]));
        cr_expect(eq(int, memcmp(one->w.data, r->w.data + k * t.p, t.p * sizeof(double)), 0));
        lb_ridge_free(one);
    }
    lb_ridge_free(r);
    toy_free(&t);
}

/* The same weights, whatever the route; alone, an alpha has its own factor. */
/* Every alpha of the grid is what a fit of it alone says, by @p method. */
static void expect_each_as_alone(const toy *t, const lb_gram *g, const lb_ridge *r, char method)
{
    for (size_t k = 0; k < 6; k++) {
        lb_ridge *alone;
        cr_assert(eq(int, lb_ridge_fit(g, NULL, (lb_cvec){six + k, 1}, &alone, NULL), LB_OK));
        cr_expect(eq(chr, alone->method[0], method));
        cr_expect(lt(dbl, distance(r->w.data + k * t->p, alone->w.data, t->p), 1e-9), "alpha %g",
                  six[k]);
        cr_expect(lt(dbl, fabs(r->b[k] - alone->b[0]), 1e-9));
        expect_minimum(t, r, k, 1e-7);
        lb_ridge_free(alone);
    }
}

Test(ridge, alphas_share_a_factor_where_the_eigenvalues_are_large_beside_them)
{
    const struct {
        size_t n;
        const char *methods;
    } cases[] = {{3000, "clllcc"}, {1100, "clcccc"}};
    for (size_t c = 0; c < 2; c++) {
        toy t = toy_make(cases[c].n, 1024, 56);
        lb_gram *g = gram(&t, false);
        lb_ridge *r;
        cr_assert(eq(int, lb_ridge_fit(g, NULL, grid, &r, NULL), LB_OK));
        cr_expect(eq(str, r->method, (char *)cases[c].methods));
        expect_each_as_alone(&t, g, r, 'c');
        lb_ridge_free(r);
        lb_gram_free(g);
        toy_free(&t);
    }
}

Test(ridge, condition_is_that_of_the_system)
{
    toy t = toy_make(800, 25, 51);
    lb_moments m = moments_make(t.p);
    lb_gram *g = gram(&t, false);
    const bool use = true;
    double e[25];
    const double alphas[] = {5.0, 0.05, 0.0};
    cr_assert(eq(int, lb_gram_moments(g, &use, false, &m, NULL), LB_OK));
    cr_assert(eq(int, lb_eigen_symmetric(m.xx, (lb_vec){e, 25}, NULL), LB_OK));
    lb_ridge *r = fit(&t, (lb_cvec){alphas, 3});
    for (size_t k = 0; k < 3; k++) {
        const double exact = (e[24] + alphas[k]) / (e[0] + alphas[k]);
        cr_expect(lt(dbl, fabs(log(r->condition[k] / exact)), log(2.0)), "%g for %g",
                  r->condition[k], exact);
    }
    lb_ridge_free(r);
    lb_gram_free(g);
    moments_free(&m);
    toy_free(&t);
}

/* Standardising inside equals standardising the matrix first. */
Test(ridge, standardised_fit_is_the_fit_of_the_standardised_matrix)
{
    toy t = toy_make(500, 270, 52), z = toy_make(500, 270, 52);
    double *sd = lb_xcalloc(t.p, sizeof *sd);
    for (size_t i = 0; i < t.n; i++)
        t.x[i * t.p + 17] = z.x[i * t.p + 17] = 3.0f; /* constant: stays as it is */
    for (size_t j = 0; j < t.p; j++) {
        double mean = 0.0;
        for (size_t i = 0; i < t.n; i++)
            mean += (double)t.x[i * t.p + j] / (double)t.n;
        for (size_t i = 0; i < t.n; i++)
            sd[j] += pow((double)t.x[i * t.p + j] - mean, 2.0) / (double)t.n;
        sd[j] = sd[j] > 0.0 ? sqrt(sd[j]) : 1.0;
        for (size_t i = 0; i < t.n; i++)
            z.x[i * t.p + j] = (float)(((double)t.x[i * t.p + j] - mean) / sd[j]);
    }
    lb_gram *g = gram(&t, false);
    const bool use = true;
    lb_ridge *inside = NULL, *outside = fit(&z, grid);
    cr_assert(eq(
        int,
        lb_ridge_fit_many(g, &use, 1, grid, (lb_ridge_options){.standardise = true}, &inside, NULL),
        LB_OK));
    for (size_t k = 0; k < grid.n; k++) {
        for (size_t j = 0; j < t.p; j++)
            outside->w.data[k * t.p + j] /= sd[j];
        cr_expect(lt(dbl, distance(inside->w.data + k * t.p, outside->w.data + k * t.p, t.p), 1e-5),
                  "float32 rounding of the standardised matrix");
        cr_expect(eq(dbl, inside->w.data[k * t.p + 17], 0.0));
    }
    lb_ridge_free(inside);
    lb_ridge_free(outside);
    lb_gram_free(g);
    free(sd);
    toy_free(&t);
    toy_free(&z);
}

/* Three models on one Gram: each equals its fit alone, with the same bits for any threads. */
Test(ridge, models_fitted_together_have_the_bits_of_models_fitted_alone)
{
    toy t = toy_make(1500, 280, 53);
    const lb_stream s = toy_stream(&t);
    const bool use[3][3] = {{true, false, false}, {false, true, true}, {true, true, true}};
    lb_gram *g = NULL;
    lb_ridge *one[3], *two[3], *alone;
    const lb_cvec grids[] = {grid, {six, 1}};
    cr_assert(eq(
        int, lb_gram_accumulate(&s, toy_y(&t), t.group, (lb_gram_options){.groups = 3}, &g, NULL),
        LB_OK));
    for (size_t q = 0; q < 2; q++) {
        omp_set_num_threads(1);
        cr_assert(eq(int,
                     lb_ridge_fit_many(g, use[0], 3, grids[q], (lb_ridge_options){0}, one, NULL),
                     LB_OK));
        omp_set_num_threads(2);
        cr_assert(eq(int,
                     lb_ridge_fit_many(g, use[0], 3, grids[q], (lb_ridge_options){0}, two, NULL),
                     LB_OK));
        for (size_t m = 0; m < 3; m++) {
            const size_t bytes = grids[q].n * t.p * sizeof(double);
            cr_assert(eq(int, lb_ridge_fit(g, use[m], grids[q], &alone, NULL), LB_OK));
            cr_expect(eq(int, memcmp(one[m]->w.data, two[m]->w.data, bytes), 0));
            cr_expect(eq(int, memcmp(one[m]->w.data, alone->w.data, bytes), 0));
            cr_expect(eq(int, memcmp(one[m]->condition, two[m]->condition, grids[q].n * 8), 0));
            lb_ridge_free(one[m]);
            lb_ridge_free(two[m]);
            lb_ridge_free(alone);
        }
    }
    lb_gram_free(g);
    toy_free(&t);
}

/* A Gram that keeps the rows of small groups. */
static lb_gram *keeping(toy *t, size_t groups)
{
    const lb_stream s = toy_stream(t);
    lb_gram *g = NULL;
    cr_assert(
        eq(int,
           lb_gram_accumulate(&s, toy_y(t), groups > 1 ? t->group : NULL,
                              (lb_gram_options){.groups = groups, .keep_rows = true}, &g, NULL),
           LB_OK));
    return g;
}

Test(ridge, in_dual_form_satisfies_the_normal_equations)
{
    const size_t sizes[][2] = {{100, 300}, {200, 300}, {30, 70}, {2, 9}, {1, 9}};
    for (size_t c = 0; c < 5; c++) {
        toy t = toy_make(sizes[c][0], sizes[c][1], 60 + c);
        lb_gram *g = keeping(&t, 1);
        lb_ridge *r = NULL;
        cr_assert(eq(int, lb_ridge_fit(g, NULL, grid, &r, NULL), LB_OK));
        for (size_t k = 0; k < r->n_alpha; k++) {
            cr_expect(eq(chr, r->method[k], 'd'));
            expect_minimum(&t, r, k, 1e-8);
        }
        lb_ridge_free(r);
        lb_gram_free(g);
        toy_free(&t);
    }
}

/* Few rows of several groups, plain and standardised, beside the same from X'X. */
Test(ridge, in_dual_form_is_the_fit_in_primal_form)
{
    toy t = toy_make(280, 270, 65);
    const bool use[2][3] = {{true, false, true}, {false, true, false}};
    const double alphas[] = {0.0, 0.001, 1.0, 100.0};
    for (size_t i = 0; i < t.n; i++)
        t.x[i * t.p + 17] = 3.0f; /* constant */
    for (int standardise = 0; standardise < 2; standardise++) {
        const lb_stream s = toy_stream(&t);
        const lb_ridge_options o = {.standardise = standardise};
        lb_gram *rows = keeping(&t, 3), *sums = NULL;
        lb_ridge *dual[2], *primal[2];
        cr_assert(eq(
            int,
            lb_gram_accumulate(&s, toy_y(&t), t.group, (lb_gram_options){.groups = 3}, &sums, NULL),
            LB_OK));
        cr_assert(eq(int, lb_ridge_fit_many(rows, use[0], 2, (lb_cvec){alphas, 4}, o, dual, NULL),
                     LB_OK));
        cr_assert(eq(int, lb_ridge_fit_many(sums, use[0], 2, (lb_cvec){alphas, 4}, o, primal, NULL),
                     LB_OK));
        for (size_t m = 0; m < 2; m++) {
            cr_expect(eq(str, dual[m]->method, "sddd"));
            cr_expect(eq(str, primal[m]->method, "sccc"));
            for (size_t k = 0; k < 4; k++) {
                const double *w = primal[m]->w.data + k * t.p;
                cr_expect(lt(dbl, distance(dual[m]->w.data + k * t.p, w, t.p), 1e-9));
                cr_expect(lt(dbl, fabs(dual[m]->b[k] - primal[m]->b[k]), 1e-8));
                cr_expect(lt(dbl, fabs(dual[m]->condition[k] / primal[m]->condition[k] - 1), 1e-6));
            }
            lb_ridge_free(dual[m]);
            lb_ridge_free(primal[m]);
        }
        lb_gram_free(rows);
        lb_gram_free(sums);
    }
    toy_free(&t);
}

Test(ridge, in_dual_form_alphas_share_a_factor_as_well)
{
    toy t = toy_make(1040, 2400, 66);
    lb_gram *g = keeping(&t, 1);
    lb_ridge *r;
    cr_assert(eq(int, lb_ridge_fit(g, NULL, grid, &r, NULL), LB_OK));
    cr_expect(eq(str, r->method, "dllldd"));
    expect_each_as_alone(&t, g, r, 'd');
    lb_ridge_free(r);
    lb_gram_free(g);
    toy_free(&t);
}

Test(ridge, in_dual_form_has_the_same_bits_for_one_and_two_threads_and_any_alphas)
{
    omp_set_num_threads(1);
    toy t = toy_make(200, 270, 66);
    lb_gram *g = keeping(&t, 1);
    const size_t before = threads_now();
    lb_ridge *one = NULL, *two = NULL;
    const bool use = true;
    cr_assert(eq(int, lb_ridge_fit(g, &use, grid, &one, NULL), LB_OK));
    omp_set_num_threads(2);
    cr_assert(eq(int, lb_ridge_fit(g, &use, (lb_cvec){six + 3, 1}, &two, NULL), LB_OK));
    cr_expect(gt(sz, threads_now(), before), "two threads were at work");
    cr_expect(eq(int, memcmp(one->w.data + 3 * t.p, two->w.data, t.p * sizeof(double)), 0));
    lb_ridge_free(one);
    lb_ridge_free(two);
    lb_gram_free(g);
    toy_free(&t);
}

Test(ridge, copes_with_one_row_constant_columns_and_constant_y)
{
    const double alphas[] = {0.0, 1.0};
    toy t = toy_make(1, 6, 54);
    lb_ridge *r = fit(&t, (lb_cvec){alphas, 2});
    for (size_t k = 0; k < 2; k++) {
        cr_expect(eq(dbl, r->b[k], t.y[0]));
        for (size_t j = 0; j < t.p; j++)
            cr_expect(eq(dbl, r->w.data[k * t.p + j], 0.0));
    }
    lb_ridge_free(r);
    toy_free(&t);
    t = toy_make(90, 6, 55);
    for (size_t i = 0; i < t.n; i++)
        t.x[i * t.p + 2] = 0.7f;
    r = fit(&t, (lb_cvec){alphas, 2});
    cr_expect(lt(dbl, fabs(r->w.data[2]), 1e-13));
    cr_expect(eq(dbl, r->w.data[t.p + 2], 0.0));
    cr_expect(eq(chr, r->method[0], 's'));
    expect_minimum(&t, r, 0, 1e-10);
    lb_ridge_free(r);
    for (size_t i = 0; i < t.n; i++)
        t.y[i] = 4.3;
    r = fit(&t, (lb_cvec){alphas, 2});
    for (size_t k = 0; k < 2; k++) {
        cr_expect(epsilon_eq(dbl, r->b[k], 4.3, 1e-14));
        cr_expect(lt(dbl, fabs(r->w.data[k * t.p]), 1e-14));
    }
    lb_ridge_free(r);
    toy_free(&t);
}

/* Ten columns that are sums of others, on a large scale: float64 can tell them apart from dependent
 * ones with the help of the penalty, float32 takes some for worse than dependent. */
static toy dependent(void)
{
    toy t = toy_make(3000, 20, 56);
    for (size_t i = 0; i < t.n; i++) {
        float *x = t.x + i * t.p;
        for (size_t j = 0; j < 10; j++)
            x[j] *= 1e5f;
        for (size_t j = 10; j < 20; j++)
            x[j] = x[j - 10] + x[(j - 9) % 10];
    }
    return t;
}

Test(ridge, says_so_when_a_float32_gram_is_too_coarse)
{
    toy t = dependent();
    const double alpha = 10.0;
    lb_gram *g = gram(&t, true);
    lb_ridge *r = NULL;
    lb_error err = {0};
    cr_expect(eq(int, lb_ridge_fit(g, NULL, (lb_cvec){&alpha, 1}, &r, &err), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(err.text, "float64"), NULL), "%s", err.text);
    cr_expect(eq(ptr, r, NULL));
    lb_gram_free(g);
    toy_free(&t);
}

Test(ridge, from_the_stream_falls_back_to_float64)
{
    toy t = dependent();
    const double alpha = 10.0;
    const bool use = true;
    const lb_stream s = toy_stream(&t);
    lb_ridge *r = NULL, *high = fit_one(&t, alpha);
    cr_assert(lb_gram_float32_is_safe(0.5, t.n, t.p, alpha), "the fallback is what is tested");
    cr_assert(eq(int,
                 lb_ridge_fit_stream(&s, toy_y(&t), NULL, 1, 0.5, &use, 1, (lb_cvec){&alpha, 1},
                                     (lb_ridge_options){0}, &r, NULL),
                 LB_OK));
    cr_expect(eq(int, memcmp(r->w.data, high->w.data, t.p * sizeof(double)), 0));
    lb_ridge_free(r);
    lb_ridge_free(high);
    toy_free(&t);
}

Test(ridge, from_the_stream_uses_float32_where_it_is_safe)
{
    toy t = toy_make(3000, 100, 57);
    const double alphas[] = {10.0, 100.0}, sharp[] = {0.1, 10.0};
    const bool use[3] = {true, true, true};
    const lb_stream s = toy_stream(&t);
    for (int safe = 0; safe < 2; safe++) {
        const lb_cvec a = {safe ? alphas : sharp, 2};
        lb_ridge *r = NULL, *high = NULL;
        lb_gram *g = NULL;
        cr_assert(eq(int,
                     lb_ridge_fit_stream(&s, toy_y(&t), t.group, 3, 1.0, use, 1, a,
                                         (lb_ridge_options){0}, &r, NULL),
                     LB_OK));
        cr_assert(
            eq(int,
               lb_gram_accumulate(&s, toy_y(&t), t.group, (lb_gram_options){.groups = 3}, &g, NULL),
               LB_OK));
        cr_assert(eq(int, lb_ridge_fit(g, use, a, &high, NULL), LB_OK));
        const double d = distance(r->w.data, high->w.data, 2 * t.p);
        cr_expect(safe ? d > 0.0 && d < 1e-6 : d == 0.0, "%g", d);
        lb_ridge_free(r);
        lb_ridge_free(high);
        lb_gram_free(g);
    }
    toy_free(&t);
}

Test(ridge, says_which_argument_is_wrong)
{
    toy t = toy_make(50, 4, 58);
    lb_gram *g = gram(&t, false);
    lb_ridge *r = NULL;
    lb_error err = {0};
    const double bad[] = {-0.1, NAN, INFINITY};
    const bool none = false, use = true;
    for (size_t k = 0; k < 3; k++)
        cr_expect(eq(int, lb_ridge_fit(g, NULL, (lb_cvec){bad + k, 1}, &r, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_ridge_fit(g, NULL, (lb_cvec){bad, 0}, &r, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_ridge_fit(g, &none, grid, &r, &err), LB_EINVAL));
    cr_expect(ne(ptr, strstr(err.text, "no row"), NULL), "%s", err.text);
    cr_expect(eq(ptr, r, NULL));
    for (size_t k = 0; k < 3; k++) {
        const double d[] = {0.0, 1.0, bad[k], 2.0};
        cr_expect(eq(int, lb_ridge_fit_loaded(g, (lb_cmat){d, 1, 4, 4}, &use, 1, grid, &r, NULL),
                     LB_EINVAL));
    }
    cr_expect(eq(int, lb_ridge_fit_loaded(g, (lb_cmat){six, 1, 3, 3}, &use, 1, grid, &r, NULL),
                 LB_ESHAPE));
    cr_expect(eq(int, lb_ridge_fit_loaded(g, (lb_cmat){six, 2, 4, 1}, &use, 1, grid, &r, NULL),
                 LB_ESHAPE));
    cr_expect(eq(ptr, r, NULL));
    const lb_stream s = toy_stream(&t);
    const lb_ridge_options plain = {0};
    cr_expect(eq(int,
                 lb_ridge_fit_stream(&s, toy_y(&t), NULL, 1, 0.2, &use, 1, (lb_cvec){bad, 1}, plain,
                                     &r, NULL),
                 LB_EINVAL));
    t.broken_from = 20;
    err = (lb_error){0};
    cr_expect(eq(int,
                 lb_ridge_fit_stream(&s, toy_y(&t), NULL, 1, 0.2, &use, 1, grid, plain, &r, &err),
                 LB_EIO));
    cr_expect(ne(ptr, strstr(err.text, "on fire"), NULL), "%s", err.text);
    lb_gram_free(g);
    lb_ridge_free(NULL);
    toy_free(&t);
}

/* One unit of a pixel that hardly moves would be worth more than a double can hold. */
Test(ridge, weights_beyond_the_range_of_a_double_are_refused)
{
    toy t = toy_make(50, 4, 59);
    const double none = 0.0;
    lb_ridge *r = NULL;
    lb_error err = {0};
    for (size_t i = 0; i < t.n * t.p; i++)
        t.x[i] = (t.x[i] - 1.0f) * 1e-20f;
    for (size_t i = 0; i < t.n; i++)
        t.y[i] *= 1e300;
    lb_gram *g = gram(&t, false);
    cr_expect(eq(int, lb_ridge_fit(g, NULL, (lb_cvec){&none, 1}, &r, &err), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(err.text, "not finite"), NULL), "%s", err.text);
    cr_expect(eq(ptr, r, NULL));
    lb_gram_free(g);
    toy_free(&t);
}

Test(ridge, predictions_are_the_linear_map_of_each_model)
{
    toy t = toy_make(1300, 70, 59);
    const lb_stream s = toy_stream(&t);
    const double one_alpha = 0.3;
    lb_ridge *models[2] = {fit(&t, grid), fit(&t, (lb_cvec){&one_alpha, 1})};
    lb_mat yhat[2] = {lb_mat_new(t.n, 6), lb_mat_new(t.n, 1)};
    double *again = lb_xcalloc(t.n * 6, sizeof *again);
    const lb_ridge *const *borrowed = (const lb_ridge *const *)models;
    omp_set_num_threads(1);
    cr_assert(eq(int, lb_ridge_predict(borrowed, 2, &s, yhat, NULL), LB_OK));
    memcpy(again, yhat[0].data, t.n * 6 * sizeof(double));
    omp_set_num_threads(2);
    cr_assert(eq(int, lb_ridge_predict(borrowed, 2, &s, yhat, NULL), LB_OK));
    cr_expect(eq(int, memcmp(again, yhat[0].data, t.n * 6 * sizeof(double)), 0));
    for (size_t m = 0; m < 2; m++)
        for (size_t i = 0; i < t.n; i++)
            for (size_t k = 0; k < models[m]->n_alpha; k++)
                cr_assert(epsilon_eq(dbl, yhat[m].data[i * yhat[m].stride + k],
                                     t.y[i] - residual(&t, models[m], k, i), 1e-11));
    lb_error err = {0};
    yhat[1].cols = 2;
    cr_expect(eq(int, lb_ridge_predict(borrowed, 2, &s, yhat, NULL), LB_ESHAPE));
    yhat[1].cols = 1;
    yhat[1].rows--;
    cr_expect(eq(int, lb_ridge_predict(borrowed, 2, &s, yhat, NULL), LB_ESHAPE));
    yhat[1].rows++;
    const lb_stream narrow = {s.rows, s.cols - 1, s.read, s.self, false};
    cr_expect(eq(int, lb_ridge_predict(borrowed, 2, &narrow, yhat, NULL), LB_ESHAPE));
    t.x[1290 * t.p + 3] = NAN;
    cr_expect(eq(int, lb_ridge_predict(borrowed, 2, &s, yhat, &err), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(err.text, "row 1290"), NULL), "%s", err.text);
    t.broken_from = 1200;
    cr_expect(eq(int, lb_ridge_predict(borrowed, 2, &s, yhat, NULL), LB_EIO));
    for (size_t m = 0; m < 2; m++) {
        free(yhat[m].data);
        lb_ridge_free(models[m]);
    }
    free(again);
    toy_free(&t);
}

static lb_alpha_choice choose(const double *r2)
{
    lb_alpha_choice c;
    cr_assert(eq(int, lb_ridge_choose(grid, (lb_cvec){r2, 6}, &c, NULL), LB_OK));
    return c;
}

Test(ridge, choice_takes_the_best_and_of_equals_the_larger_alpha)
{
    const double inside[] = {0.1, 0.2, 0.7, 0.7, 0.3, -1e9}, low[] = {0.9, 0.2, 0.1, 0, 0, 0},
                 high[] = {-3, -2.5, -2, -1.5, -1, -1}, flat[] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
    lb_alpha_choice c = choose(inside);
    cr_expect(eq(sz, c.index, 3));
    cr_expect(eq(dbl, c.alpha, 1.0));
    cr_expect(eq(dbl, c.r2, 0.7));
    cr_expect(eq(int, c.edge, 0));
    c = choose(low);
    cr_expect(eq(int, c.edge, -1));
    cr_expect(eq(sz, c.index, 0));
    c = choose(high);
    cr_expect(eq(int, c.edge, 1));
    cr_expect(eq(dbl, c.alpha, 100.0));
    cr_expect(eq(int, choose(flat).edge, 1));
    cr_assert(eq(int, lb_ridge_choose((lb_cvec){six, 1}, (lb_cvec){flat, 1}, &c, NULL), LB_OK));
    cr_expect(eq(int, c.edge, 0), "a grid of one has no edge");
}

Test(ridge, choice_refuses_scores_that_are_not_numbers)
{
    double r2[] = {0.1, 0.2, NAN, 0.1, 0.0, 0.0};
    const double unsorted[] = {1.0, 1.0};
    lb_alpha_choice c;
    lb_error err = {0};
    cr_expect(eq(int, lb_ridge_choose(grid, (lb_cvec){r2, 6}, &c, &err), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(err.text, "alpha 0.1"), NULL), "%s", err.text);
    r2[2] = -INFINITY;
    cr_expect(eq(int, lb_ridge_choose(grid, (lb_cvec){r2, 6}, &c, NULL), LB_ENUMERIC));
    cr_expect(eq(int, lb_ridge_choose(grid, (lb_cvec){r2, 5}, &c, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_ridge_choose((lb_cvec){six, 0}, (lb_cvec){r2, 0}, &c, NULL), LB_EINVAL));
    cr_expect(
        eq(int, lb_ridge_choose((lb_cvec){unsorted, 2}, (lb_cvec){r2, 2}, &c, NULL), LB_EINVAL));
}
