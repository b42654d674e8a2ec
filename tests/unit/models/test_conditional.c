/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/threads.h"
#include "linalg/blas.h"
#include "linalg/toy.h"
#include "models/conditional.h"
#include "models/conditional_system.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <omp.h>
#include <stdio.h>

/* Base variables: 0 is m, 1 is t, continuous; 2 is a level of 0, 0.5 or 1. */
enum { V = 3, FOLDS = 5 };
static const lb_monomial one[] = {{{0}}};
static const lb_monomial in_m[] = {{{0}}, {{1}}, {{2}}};
static const lb_monomial in_m_and_t[] = {{{0}}, {{1}}, {{0, 1}}, {{1, 1}}};
static const lb_monomial in_level[] = {{{0}}, {{0, 0, 1}}, {{0, 0, 2}}};

static const double few[] = {0.01, 1.0, 100.0};
static const lb_cvec grid = {few, 3};

typedef struct set {
    toy t;
    double *variables;
    int *fold;
} set;

/* A toy whose label also depends on m x. */
static set set_make(size_t n, size_t p, uint64_t seed)
{
    set s = {toy_make(n, p, seed), lb_xcalloc(n * V, sizeof(double)), lb_xcalloc(n, sizeof(int))};
    lb_rng r = lb_rng_make(seed, 7);
    for (size_t i = 0; i < n; i++) {
        double *v = s.variables + i * V;
        v[0] = 0.8 * lb_rng_normal(&r) - 0.37;
        v[1] = lb_rng_normal(&r) + 0.4 * v[0];
        v[2] = (double)lb_rng_below(&r, 3) / 2.0;
        s.t.y[i] +=
            v[0] * (3.0 * (double)s.t.x[i * p] - 2.0 * (double)s.t.x[i * p + 1]) + 0.2 * v[1];
        s.fold[i] = (int)(i % FOLDS);
    }
    return s;
}

static void set_free(set *s)
{
    toy_free(&s->t);
    free(s->variables);
    free(s->fold);
}

static lb_cmat variables_of(const set *s)
{
    return (lb_cmat){s->variables, s->t.n, V, V};
}

static lb_conditional_labelled labelled(set *s)
{
    return (lb_conditional_labelled){{toy_stream(&s->t), variables_of(s)}, toy_y(&s->t), NULL};
}

typedef struct sets {
    set train, val, test;
} sets;

static sets sets_make(size_t n, size_t p)
{
    return (sets){set_make(n, p, 1), set_make(150, p, 2), set_make(120, p, 3)};
}

static void sets_free(sets *d)
{
    set_free(&d->train);
    set_free(&d->val);
    set_free(&d->test);
}

static lb_status run(sets *d, const lb_conditional_member *m, size_t n, lb_conditional_options o,
                     lb_conditional **out, lb_error *err)
{
    lb_conditional_labelled train = labelled(&d->train);
    const lb_conditional_labelled val = labelled(&d->val);
    const lb_conditional_rows test = labelled(&d->test).rows;
    if (!o.alphas.n)
        o.alphas = grid;
    if (o.folds)
        train.fold = d->train.fold;
    return lb_conditional_run(&train, &val, &test, m, n, o, out, err);
}

static lb_conditional *fit(sets *d, lb_conditions c, lb_conditional_options o)
{
    lb_conditional *out = NULL;
    lb_error err = {0};
    const lb_conditional_member m = {"a model", .conditions = c};
    cr_assert(eq(int, run(d, &m, 1, o, &out, &err), LB_OK), "%s", err.text);
    return out;
}

/* --- the same by another way -------------------------------------------------------------------
 */

/* The design as it is written down: c_i x, then 1 and, if plain, the c_i that are not 1. */
typedef struct design {
    size_t n, p, q; /* penalised, unpenalised columns */
    lb_mat phi, z;
} design;

static design design_make(const set *s, lb_conditions c)
{
    const size_t n = s->t.n, p = s->t.p;
    design d = {n, c.n * p, 1, {0}, {0}};
    d.phi = lb_mat_new(n, d.p);
    d.z = lb_mat_new(n, c.n + 1);
    double *mean = lb_xcalloc(p, sizeof *mean);
    for (size_t i = 0; i < n && c.centre; i++)
        for (size_t j = 0; j < p; j++)
            mean[j] += (double)s->t.x[i * p + j] / (double)n;
    for (size_t i = 0; i < n; i++) {
        d.z.data[i * d.z.stride] = 1.0;
        d.q = 1;
        for (size_t k = 0; k < c.n; k++) {
            const double value = lb_monomial_value(c.term[k], s->variables + i * V);
            for (size_t j = 0; j < p; j++)
                d.phi.data[i * d.p + k * p + j] = value * ((double)s->t.x[i * p + j] - mean[j]);
            if (c.plain &&
                !(c.term[k].power[0] == 0 && c.term[k].power[1] == 0 && c.term[k].power[2] == 0))
                d.z.data[i * d.z.stride + d.q++] = value;
        }
    }
    free(mean);
    return d;
}

static void design_free(design *d)
{
    free(d->phi.data);
    free(d->z.data);
}

/* At the minimum, Phi'(y - yhat) = alpha w and Z'(y - yhat) = 0. */
static void expect_minimum(const set *s, lb_conditions c, const lb_conditional_fit *f, size_t a,
                           double tolerance)
{
    design d = design_make(s, c);
    double *residual = lb_xcalloc(d.n, sizeof *residual), worst = 0.0, plain = 0.0;
    const double *w = f->w + a * d.p;
    for (size_t i = 0; i < d.n; i++) {
        residual[i] = s->t.y[i] - f->b[a];
        for (size_t k = 0; k < c.n; k++) {
            double part = f->offset[a * c.n + k];
            for (size_t j = 0; j < f->p; j++)
                part += (double)s->t.x[i * f->p + j] * w[k * f->p + j];
            residual[i] -= lb_monomial_value(c.term[k], s->variables + i * V) * part;
        }
    }
    for (size_t j = 0; j < d.p; j++) {
        double g = -f->alpha[a] * w[j];
        for (size_t i = 0; i < d.n; i++)
            g += d.phi.data[i * d.p + j] * residual[i];
        worst = fmax(worst, fabs(g));
    }
    for (size_t l = 0; l < d.q; l++) {
        double g = 0.0;
        for (size_t i = 0; i < d.n; i++)
            g += d.z.data[i * d.z.stride + l] * residual[i];
        plain = fmax(plain, fabs(g));
    }
    cr_expect(lt(dbl, worst, tolerance), "alpha %g: gradient %g", f->alpha[a], worst);
    cr_expect(lt(dbl, plain, tolerance), "alpha %g: plain columns %g", f->alpha[a], plain);
    free(residual);
    design_free(&d);
}

Test(conditional, solution_satisfies_the_normal_equations)
{
    const struct {
        lb_conditions c;
        size_t n, p;
    } cases[] = {
        {{in_m, 2, .plain = false}, 400, 30},
        {{in_m, 3, .plain = true}, 500, 53},
        {{in_m, 3, .centre = true}, 500, 24},
        {{in_m_and_t, 4, .plain = true, .centre = true}, 600, 61},
        {{in_m_and_t, 4, .plain = false}, 40, 30},
        {{in_level, 3, .plain = true}, 300, 50},
        {{in_level, 3, .plain = false}, 300, 101},
        {{in_m + 1, 2, .plain = false}, 300, 20},
        {{in_m + 1, 1, .plain = true}, 300, 20},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        sets d = sets_make(cases[k].n, cases[k].p);
        lb_conditional *c = fit(&d, cases[k].c, (lb_conditional_options){0});
        for (size_t a = 0; a < 3; a++)
            expect_minimum(&d.train, cases[k].c, lb_conditional_weights(c, 0), a, 2e-8);
        lb_conditional_free(c);
        sets_free(&d);
    }
}

static lb_sweep *plain_ridge(sets *d, const int *group, const int *val_group, size_t groups,
                             const lb_member *members, size_t n, lb_cvec alphas, int decades)
{
    lb_sweep *s = NULL;
    lb_error err = {0};
    const lb_labelled train = {toy_stream(&d->train.t), toy_y(&d->train.t), group};
    const lb_labelled val = {toy_stream(&d->val.t), toy_y(&d->val.t), val_group};
    const lb_stream test = toy_stream(&d->test.t);
    cr_assert(eq(int,
                 lb_sweep_run(&train, &val, &test, members, n,
                              (lb_sweep_options){
                                  .groups = groups, .alphas = alphas, .extend_decades = decades},
                              &s, &err),
                 LB_OK),
              "%s", err.text);
    return s;
}

Test(conditional, one_constant_condition_is_plain_ridge)
{
    sets d = sets_make(300, 40);
    int *zeros = lb_xcalloc(300, sizeof *zeros);
    const bool yes[] = {true};
    const double low[] = {1e4, 1e6};
    lb_sweep *s =
        plain_ridge(&d, zeros, zeros, 1, &(lb_member){"all", yes}, 1, (lb_cvec){low, 2}, 2);
    lb_conditional *c = fit(&d, (lb_conditions){one, 1, .plain = true},
                            (lb_conditional_options){.alphas = {low, 2}, .extend_decades = 2});
    const lb_sweep_model a = lb_sweep_get(s, 0), b = lb_conditional_get(c, 0);
    cr_assert(eq(sz, b.alphas.n, 4), "the optimum sits on the low end: two more decades");
    cr_expect(eq(int, b.on_grid.edge, -1));
    cr_expect(eq(sz, b.chosen.index, a.chosen.index));
    cr_expect(eq(sz, b.n_grid, 2));
    cr_expect(eq(sz, b.n_train, 300));
    cr_expect(eq(sz, b.n_val, 150));
    for (size_t k = 0; k < 4; k++) {
        cr_expect(eq(dbl, b.alphas.data[k], a.alphas.data[k]));
        cr_expect(epsilon_eq(dbl, b.r2_val.data[k], a.r2_val.data[k], 1e-12));
        cr_expect(lt(dbl, distance(b.yhat.data + k * 120, a.yhat.data + k * 120, 120), 1e-12));
    }
    cr_expect(eq(ptr, (void *)b.yhat_chosen.data, (void *)(b.yhat.data + b.chosen.index * 120)));
    lb_sweep_free(s);
    lb_conditional_free(c);
    free(zeros);
    sets_free(&d);
}

/* Variables 0 and 1 become the indicators of two classes, and 2 their number. */
static void make_indicators(set *s)
{
    for (size_t i = 0; i < s->t.n; i++) {
        const bool second = s->variables[i * V] > 0.0;
        s->variables[i * V] = second ? 0.0 : 1.0;
        s->variables[i * V + 1] = second ? 1.0 : 0.0;
        s->fold[i] = second;
    }
}

Test(conditional, on_indicators_equals_a_model_for_each_class)
{
    sets d = sets_make(400, 30);
    const lb_monomial indicators[] = {{{1}}, {{0, 1}}};
    const bool first[] = {true, false}, second[] = {false, true};
    const lb_member members[] = {{"first", first}, {"second", second}};
    make_indicators(&d.train);
    make_indicators(&d.val);
    make_indicators(&d.test);
    lb_sweep *s = plain_ridge(&d, d.train.fold, d.val.fold, 2, members, 2, grid, 0);
    lb_conditional *c =
        fit(&d, (lb_conditions){indicators, 2, .plain = true}, (lb_conditional_options){0});
    for (size_t a = 0; a < 3; a++)
        for (size_t i = 0; i < 120; i++)
            cr_expect(epsilon_eq(dbl, lb_conditional_get(c, 0).yhat.data[a * 120 + i],
                                 lb_sweep_get(s, (size_t)d.test.fold[i]).yhat.data[a * 120 + i],
                                 1e-10));
    lb_sweep_free(s);
    lb_conditional_free(c);
    sets_free(&d);
}

static double centring_moves(lb_conditions c, double alpha)
{
    sets d = sets_make(400, 25);
    const lb_conditional_options o = {.alphas = {&alpha, 1}};
    c.centre = false;
    lb_conditional *raw = fit(&d, c, o);
    c.centre = true;
    lb_conditional *centred = fit(&d, c, o);
    const double moved = distance(lb_conditional_get(centred, 0).yhat.data,
                                  lb_conditional_get(raw, 0).yhat.data, 120);
    lb_conditional_free(raw);
    lb_conditional_free(centred);
    sets_free(&d);
    return moved;
}

Test(conditional, centring_changes_nothing_where_the_conditions_are_plain_columns_too)
{
    cr_expect(lt(dbl, centring_moves((lb_conditions){in_m, 3, .plain = true}, 1e-9), 1e-9));
    cr_expect(lt(dbl, centring_moves((lb_conditions){in_m_and_t, 4, .plain = true}, 30.0), 1e-9));
    cr_expect(lt(dbl, centring_moves((lb_conditions){one, 1, .plain = false}, 3.0), 1e-9));
    cr_expect(gt(dbl, centring_moves((lb_conditions){in_m, 3, .plain = false}, 3.0), 1e-4),
              "without them m mean(x) is a column that centring takes away");
}

/* --- folds --------------------------------------------------------------------------------------
 */

/* R2 on fold f of the model without it, by a run whose validation rows are that fold. */
static void without_fold(sets *d, lb_conditions c, lb_cvec alphas, int f, double *r2)
{
    const lb_conditional_member m = {"one fold", .conditions = c};
    lb_conditional *out = NULL;
    lb_error err = {0};
    lb_conditional_labelled train = labelled(&d->train), val = train;
    const lb_conditional_rows test = labelled(&d->test).rows;
    int *fitted = lb_xcalloc(d->train.t.n, sizeof *fitted), *held = lb_xcalloc(d->train.t.n, 4);
    for (size_t i = 0; i < d->train.t.n; i++) {
        fitted[i] = d->train.fold[i] < 0 || d->train.fold[i] == f ? -1 : 0;
        held[i] = d->train.fold[i] == f ? 0 : -1;
    }
    train.fold = fitted;
    val.fold = held;
    cr_assert(eq(int,
                 lb_conditional_run(&train, &val, &test, &m, 1,
                                    (lb_conditional_options){.alphas = alphas}, &out, &err),
                 LB_OK),
              "%s", err.text);
    for (size_t a = 0; a < alphas.n; a++)
        r2[a] += lb_conditional_get(out, 0).r2_val.data[a] / FOLDS;
    lb_conditional_free(out);
    free(fitted);
    free(held);
}

static void expect_folds(sets *d, lb_conditions c, lb_cvec alphas, bool factored)
{
    double by_hand[2] = {0.0};
    lb_conditional *out = fit(d, c, (lb_conditional_options){.alphas = alphas, .folds = FOLDS});
    for (int f = 0; f < FOLDS; f++)
        without_fold(d, c, alphas, f, by_hand);
    cr_expect(eq(int, lb_conditional_factorisations(out, 0) > alphas.n, factored),
              "%zu factorisations", lb_conditional_factorisations(out, 0));
    for (size_t a = 0; a < alphas.n; a++)
        cr_expect(epsilon_eq(dbl, lb_conditional_get(out, 0).r2_val.data[a], by_hand[a], 1e-8));
    cr_expect(eq(sz, lb_conditional_get(out, 0).n_val, 0));
    lb_conditional_free(out);
}

Test(conditional, scores_of_folds_are_those_of_models_fitted_without_them)
{
    const double two[] = {0.01, 10.0};
    const lb_cvec alphas = {two, 2};
    sets d = sets_make(500, 26);
    d.train.fold[3] = d.train.fold[400] = -1;
    expect_folds(&d, (lb_conditions){one, 1, .plain = true}, alphas, false);
    expect_folds(&d, (lb_conditions){in_m, 3, .plain = true}, alphas, false);
    expect_folds(&d, (lb_conditions){in_m_and_t, 4, .plain = false}, alphas, false);
    expect_folds(&d, (lb_conditions){in_level, 3, .plain = true, .centre = true}, alphas, false);
    sets_free(&d);
}

Test(conditional, folds_without_which_the_matrix_is_singular_are_factored)
{
    const double small[] = {1e-5};
    sets d = sets_make(330, 100);
    expect_folds(&d, (lb_conditions){in_m, 3, .plain = true}, (lb_cvec){small, 1}, true);
    sets_free(&d);
}

Test(conditional, a_factor_serves_its_neighbours_while_alpha_is_small)
{
    const double close_by[] = {1e-5, 1e-4, 1e-3, 100.0, 200.0};
    const lb_conditions c = {in_level, 2, .plain = true};
    sets d = sets_make(3000, 640);
    lb_conditional *out = fit(&d, c, (lb_conditional_options){.alphas = {close_by, 5}});
    cr_expect(lt(sz, lb_conditional_factorisations(out, 0), 4));
    for (size_t a = 0; a < 5; a++)
        expect_minimum(&d.train, c, lb_conditional_weights(out, 0), a, 1e-7);
    lb_conditional_free(out);
    sets_free(&d);
}

/* Nine decades of penalties in five folds: fifty-four systems, more than one go of the factor
 * takes, and more decades than one factor serves. */
static void expect_side_by_side(sets *d, lb_conditions c)
{
    enum { DECADES = 9 };
    double alphas[DECADES];
    for (int a = 0; a < DECADES; a++)
        alphas[a] = pow(10.0, a - 4);
    const lb_conditional_options o = {.alphas = {alphas, DECADES}, .folds = FOLDS};
    lb_conditional *together = fit(d, c, o);
    const lb_sweep_model many = lb_conditional_get(together, 0);
    cr_expect(gt(sz, lb_conditional_factorisations(together, 0), 1));
    cr_expect(lt(sz, lb_conditional_factorisations(together, 0), DECADES));
    for (size_t a = 0; a < DECADES; a++) {
        lb_conditional *alone =
            fit(d, c, (lb_conditional_options){.alphas = {&alphas[a], 1}, .folds = FOLDS});
        const lb_sweep_model single = lb_conditional_get(alone, 0);
        cr_expect(epsilon_eq(dbl, many.r2_val.data[a], single.r2_val.data[0], 1e-7), "alpha %g",
                  alphas[a]);
        cr_expect(lt(dbl, distance(many.yhat.data + a * 120, single.yhat.data, 120), 1e-9),
                  "alpha %g", alphas[a]);
        lb_conditional_free(alone);
    }
    lb_conditional_free(together);
}

Test(conditional, penalties_and_folds_side_by_side_are_those_one_at_a_time)
{
    sets d = sets_make(700, 56);
    expect_side_by_side(&d, (lb_conditions){in_m, 3, .plain = true});
    expect_side_by_side(&d, (lb_conditions){in_level, 2, .plain = true});
    sets_free(&d);
}

static size_t factors(sets *d, size_t folds, const double *alphas, size_t n)
{
    const lb_conditions c = {in_m, 2, .plain = true};
    lb_conditional *out =
        fit(d, c, (lb_conditional_options){.alphas = {alphas, n}, .folds = folds});
    const size_t count = lb_conditional_factorisations(out, 0);
    lb_conditional_free(out);
    return count;
}

/* Columns of every size: eigenvalues on both sides of the penalties. */
Test(conditional, a_factor_takes_penalties_on_both_sides)
{
    enum { N = 300, P = 1400 };
    const double around[] = {0.5, 1.0, 2.0};
    sets d = sets_make(N, P);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < P; j++)
            d.train.t.x[i * P + j] *= (float)pow(10.0, -3.0 * (double)j / P);
    cr_expect(eq(sz, factors(&d, 0, around, 3), 1));
    sets_free(&d);
}

Test(conditional, beside_folds_a_penalty_far_away_takes_a_factor_of_its_own)
{
    const double around[] = {1.0, 10.0, 100.0}, far[] = {3e3, 3e5};
    sets d = sets_make(700, 300);
    cr_expect(lt(sz, factors(&d, FOLDS, around, 3), 3));
    cr_expect(eq(sz, factors(&d, FOLDS, far, 2), 2));
    sets_free(&d);
}

/* --- bits ---------------------------------------------------------------------------------------
 */

Test(conditional, bits_do_not_depend_on_threads_or_on_the_other_models)
{
    const size_t before = threads_now();
    sets d = sets_make(300, 59);
    const double alpha = 10.0;
    const lb_conditional_member both[] = {{"m", .conditions = {in_m, 2, .plain = true}},
                                          {"m^2", .conditions = {in_m, 3, .plain = true}}};
    lb_conditional *c[3] = {NULL};
    lb_error err = {0};
    const lb_conditional_options o = {.alphas = {&alpha, 1}, .folds = FOLDS};
    for (int threads = 1; threads <= 2; threads++) {
        omp_set_num_threads(threads);
        cr_assert(eq(int, run(&d, both, 2, o, &c[threads - 1], &err), LB_OK), "%s", err.text);
    }
    cr_expect(gt(sz, threads_now(), before), "two threads were at work");
    cr_assert(eq(int, run(&d, both, 1, o, &c[2], &err), LB_OK), "%s", err.text);
    for (size_t m = 0; m < 2; m++) {
        const lb_sweep_model a = lb_conditional_get(c[0], m), b = lb_conditional_get(c[1], m);
        cr_expect(eq(int, memcmp(a.yhat.data, b.yhat.data, 120 * sizeof(double)), 0));
        cr_expect(eq(int, memcmp(a.r2_val.data, b.r2_val.data, sizeof(double)), 0));
    }
    cr_expect(eq(int,
                 memcmp(lb_conditional_get(c[0], 0).yhat.data,
                        lb_conditional_get(c[2], 0).yhat.data, 120 * sizeof(double)),
                 0));
    for (int k = 0; k < 3; k++)
        lb_conditional_free(c[k]);
    sets_free(&d);
}

Test(conditional, a_member_by_validation_beside_members_by_folds_is_the_one_it_is_alone)
{
    sets d = sets_make(300, 59);
    const lb_conditional_member all[] = {
        {"m", .conditions = {in_m, 2, .plain = true}},
        {"second", .conditions = {in_m, 3, .plain = true}, .by_validation = true},
        {"m and t", .conditions = {in_m_and_t, 4, .plain = true}, .by_validation = true}};
    lb_conditional *c = NULL;
    lb_error err = {0};
    cr_assert(eq(int, run(&d, all, 3, (lb_conditional_options){.folds = FOLDS}, &c, &err), LB_OK),
              "%s", err.text);
    for (size_t m = 0; m < 3; m++) {
        const lb_conditional_options o = {.folds = all[m].by_validation ? 0 : FOLDS};
        lb_conditional *own = fit(&d, all[m].conditions, o);
        const lb_sweep_model a = lb_conditional_get(c, m), b = lb_conditional_get(own, 0);
        cr_expect(eq(sz, a.n_val, m ? 150 : 0));
        cr_expect(eq(sz, a.n_train, b.n_train));
        cr_expect(eq(sz, a.alphas.n, b.alphas.n));
        cr_expect(lt(dbl, distance(a.r2_val.data, b.r2_val.data, b.r2_val.n), 1e-10), "%s", a.name);
        cr_expect(lt(dbl, distance(a.yhat.data, b.yhat.data, b.alphas.n * 120), 1e-10), "%s",
                  a.name);
        lb_conditional_free(own);
    }
    lb_conditional_free(c);
    sets_free(&d);
}

/* --- the statistics -----------------------------------------------------------------------------
 */

static lb_conditional_gram *gram(set *s, const lb_conditions *c, size_t n, size_t folds)
{
    lb_conditional_gram *g = NULL;
    lb_error err = {0};
    const lb_stream x = toy_stream(&s->t);
    cr_assert(
        eq(int,
           lb_conditional_gram_accumulate(&x, variables_of(s), toy_y(&s->t),
                                          folds > 1 ? s->fold : NULL, folds, c, n, 0, &g, &err),
           LB_OK),
        "%s", err.text);
    return g;
}

Test(conditional, only_distinct_products_are_accumulated)
{
    const lb_monomial three[] = {{{0}}, {{1}}, {{0, 1}}, {{2}}, {{0, 2}}};
    const lb_conditions cases[] = {{one, 1, .plain = true},
                                   {in_m, 3, .plain = true},
                                   {in_m_and_t, 4, .plain = true},
                                   {three, 5, .plain = true},
                                   {in_level, 3, .plain = true}};
    const size_t grams[] = {1, 5, 9, 13, 3};
    set s = set_make(300, 20, 5);
    for (size_t k = 0; k < 5; k++) {
        lb_conditional_gram *g = gram(&s, &cases[k], 1, 1);
        cr_expect(eq(sz, lb_conditional_gram_count(g), grams[k]));
        lb_conditional_gram_free(g);
    }
    lb_conditional_gram *g = gram(&s, cases, 4, FOLDS);
    cr_expect(eq(sz, lb_conditional_gram_count(g), 13 * FOLDS), "all four models share one pass");
    lb_conditional_gram_free(g);
    const lb_conditions mixed[] = {cases[1], {in_m_and_t, 4, .plain = true, .whole = true}};
    g = gram(&s, mixed, 2, FOLDS);
    cr_expect(eq(sz, lb_conditional_gram_count(g), 5 * FOLDS + 6), "no fold asks for those of t");
    lb_conditional_gram_free(g);
    set_free(&s);
}

Test(conditional, the_product_with_the_matrix_is_that_of_the_loaded_matrix)
{
    const lb_conditions cases[] = {{in_m, 3, .plain = true},
                                   {in_m_and_t, 4, .plain = false},
                                   {in_m, 2, .centre = true},
                                   {in_level, 3, .plain = false}};
    set s = set_make(400, 59, 9);
    for (size_t k = 0; k < 4; k++) {
        const size_t n = cases[k].n * 59;
        lb_conditional_gram *g = gram(&s, &cases[k], 1, FOLDS);
        lb_conditional_system *system = NULL;
        cr_assert(eq(int, lb_conditional_system_new(g, cases[k], 2, &system, NULL), LB_OK));
        lb_cholesky *room = lb_cholesky_new(n);
        double *x = lb_xcalloc(3 * n, sizeof *x), *fast = x + n, *slow = fast + n;
        for (size_t i = 0; i < n; i++)
            x[i] = sin((double)(7 * i));
        lb_conditional_system_load(system, room);
        lb_cholesky_multiply(room, (lb_cvec){x, n}, (lb_vec){slow, n});
        lb_conditional_system_multiply(&system, 1, (const double *const[]){x}, &fast);
        cr_expect(lt(dbl, distance(fast, slow, n), 1e-12));
        free(x);
        lb_cholesky_free(room);
        lb_conditional_system_free(system);
        lb_conditional_gram_free(g);
    }
    set_free(&s);
}

static const lb_monomial in_t[] = {{{0}}, {{0, 1}}, {{0, 2}}};

/* Variable 1 is variable 0 standardised, but for an error in one row. */
static set standardised(size_t n, size_t p, double error)
{
    set s = set_make(n, p, 21);
    for (size_t i = 0; i < n; i++)
        s.variables[i * V + 1] = (s.variables[i * V] + 0.37) / 0.8 + (i == 5 ? error : 0.0);
    return s;
}

Test(conditional, powers_of_a_standardised_variable_need_no_gram_of_their_own)
{
    const lb_conditions both[] = {{in_m, 3, .plain = false}, {in_t, 3, .plain = true}};
    const double errors[] = {0.0, 1e-9};
    const size_t grams[] = {5, 9};
    for (size_t k = 0; k < 2; k++) {
        set s = standardised(300, 20, errors[k]);
        lb_conditional_gram *g = gram(&s, both, 2, FOLDS);
        cr_expect(eq(sz, lb_conditional_gram_count(g), grams[k] * FOLDS));
        lb_conditional_gram_free(g);
        g = gram(&s, both + 1, 1, 1);
        cr_expect(eq(sz, lb_conditional_gram_count(g), 5), "alone it has its own");
        lb_conditional_gram_free(g);
        set_free(&s);
    }
}

Test(conditional, a_standardised_variable_beside_its_origin_gives_the_system_it_gives_alone)
{
    const lb_conditions both[] = {{in_m, 3, .plain = false}, {in_t, 3, .plain = true}};
    const lb_conditions in_whole[] = {{in_m, 3, .plain = false, .whole = true}, both[1]};
    enum { N = 3 * 59 };
    set s = standardised(400, 59, 0.0);
    double x[N], loaded[3][N], fast[3][N];
    for (size_t i = 0; i < N; i++)
        x[i] = sin((double)(7 * i));
    for (size_t k = 0; k < 3; k++) { /* beside it, alone, beside one that has no folds */
        lb_conditional_gram *g =
            k == 2 ? gram(&s, in_whole, 2, FOLDS) : gram(&s, both + k, 2 - k, FOLDS);
        lb_conditional_system *system = NULL;
        cr_assert(eq(int, lb_conditional_system_new(g, both[1], 2, &system, NULL), LB_OK));
        lb_cholesky *room = lb_cholesky_new(N);
        lb_conditional_system_load(system, room);
        lb_cholesky_multiply(room, (lb_cvec){x, N}, (lb_vec){loaded[k], N});
        lb_conditional_system_multiply(&system, 1, (const double *const[]){x},
                                       (double *const[]){fast[k]});
        lb_cholesky_free(room);
        lb_conditional_system_free(system);
        lb_conditional_gram_free(g);
    }
    for (size_t k = 0; k < 3; k++) {
        cr_expect(lt(dbl, distance(loaded[k], loaded[1], N), 1e-12), "case %zu", k);
        cr_expect(lt(dbl, distance(fast[k], fast[1], N), 1e-12), "case %zu", k);
        cr_expect(lt(dbl, distance(fast[k], loaded[k], N), 1e-12), "case %zu", k);
    }
    set_free(&s);
}

/* --- prediction in two steps --------------------------------------------------------------------
 */

Test(conditional, other_conditions_are_combined_with_the_same_projection)
{
    sets d = sets_make(300, 20);
    const lb_conditions terms = {in_m, 3, .plain = true};
    lb_conditional *c = fit(&d, terms, (lb_conditional_options){0});
    const lb_conditional_fit *f = lb_conditional_weights(c, 0);
    const lb_stream x = toy_stream(&d.test.t);
    const lb_mat parts = lb_mat_new(120, 9);
    const lb_mat yhat = lb_mat_new(3, 120);
    cr_assert(eq(int, lb_conditional_project(f, &x, parts, NULL), LB_OK));
    cr_assert(eq(int,
                 lb_conditional_combine(f, lb_mat_const(parts), variables_of(&d.test), yhat, NULL),
                 LB_OK));
    cr_expect(
        eq(int, memcmp(yhat.data, lb_conditional_get(c, 0).yhat.data, 360 * sizeof(double)), 0));
    for (size_t i = 0; i < 120; i++)
        d.test.variables[i * V] = 0.0;
    cr_assert(eq(int,
                 lb_conditional_combine(f, lb_mat_const(parts), variables_of(&d.test), yhat, NULL),
                 LB_OK));
    for (size_t i = 0; i < 120; i++) /* at m = 0 the other blocks vanish */
        cr_expect(epsilon_eq(dbl, yhat.data[i], f->b[0] + parts.data[i * 9], 1e-12));
    d.test.variables[5 * V] = (double)INFINITY;
    lb_error err = {0};
    cr_expect(eq(int,
                 lb_conditional_combine(f, lb_mat_const(parts), variables_of(&d.test), yhat, &err),
                 LB_ENUMERIC));
    cr_expect(strstr(err.text, "row 5") != NULL);
    cr_expect(eq(int,
                 lb_conditional_combine(f, (lb_cmat){parts.data, 120, 8, 9}, variables_of(&d.test),
                                        yhat, NULL),
                 LB_ESHAPE));
    cr_expect(eq(int, lb_conditional_project(f, &x, lb_mat_rows(parts, 0, 119), NULL), LB_ESHAPE));
    cr_expect(
        eq(int, lb_conditional_project(f, &x, (lb_mat){parts.data, 120, 8, 9}, NULL), LB_ESHAPE));
    const lb_stream narrow = {x.rows, x.cols - 1, x.read, x.self, false};
    cr_expect(eq(int, lb_conditional_project(f, &narrow, parts, NULL), LB_ESHAPE));
    const lb_cmat none = {d.test.variables, 120, 0, V}, late = {d.test.variables, 119, V, V};
    cr_expect(eq(int, lb_conditional_combine(f, lb_mat_const(parts), none, yhat, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_conditional_combine(f, lb_mat_const(parts), late, yhat, NULL), LB_ESHAPE));
    cr_expect(eq(int,
                 lb_conditional_combine(f, lb_mat_const(parts), variables_of(&d.test),
                                        lb_mat_rows(yhat, 0, 2), NULL),
                 LB_ESHAPE));
    cr_expect(eq(int,
                 lb_conditional_combine(f, lb_mat_const(parts), variables_of(&d.test),
                                        (lb_mat){yhat.data, 3, 119, 120}, NULL),
                 LB_ESHAPE));
    d.test.t.broken_from = 10;
    cr_expect(eq(int, lb_conditional_project(f, &x, parts, NULL), LB_EIO));
    free(parts.data);
    free(yhat.data);
    lb_conditional_free(c);
    sets_free(&d);
}

/* --- awkward input ------------------------------------------------------------------------------
 */

/* Every finite weight satisfies the normal equations whatever the columns are. */
static void expect_fit(sets *d, lb_conditions c, double tolerance)
{
    lb_conditional *out = fit(d, c, (lb_conditional_options){0});
    for (size_t a = 0; a < 3; a++)
        expect_minimum(&d->train, c, lb_conditional_weights(out, 0), a, tolerance);
    lb_conditional_free(out);
}

Test(conditional, constant_duplicated_and_zero_columns_and_conditions_are_fitted)
{
    sets d = sets_make(200, 20);
    for (size_t i = 0; i < 200; i++) {
        float *x = d.train.t.x + i * 20;
        x[3] = 1.5F; /* constant */
        x[4] = x[5]; /* duplicated */
        x[6] = 0.0F;
    }
    expect_fit(&d, (lb_conditions){in_m, 3, .plain = true}, 1e-8);
    for (size_t i = 0; i < 200; i++)
        d.train.variables[i * V] = 0.7; /* m does not vary: 1, m and m^2 are one column */
    expect_fit(&d, (lb_conditions){in_m, 3, .plain = true}, 1e-8);
    expect_fit(&d, (lb_conditions){in_m, 3, .plain = false}, 1e-8);
    for (size_t i = 0; i < 200; i++)
        d.train.variables[i * V] = 0.0; /* the blocks of m vanish */
    expect_fit(&d, (lb_conditions){in_m, 3, .plain = true}, 1e-8);
    sets_free(&d);
}

Test(conditional, a_single_training_row_gives_its_label)
{
    sets d = sets_make(1, 8);
    lb_conditional *c =
        fit(&d, (lb_conditions){in_m, 3, .plain = true}, (lb_conditional_options){0});
    for (size_t i = 0; i < 120; i++)
        cr_expect(epsilon_eq(dbl, lb_conditional_get(c, 0).yhat.data[i], d.train.t.y[0], 1e-12));
    lb_conditional_free(c);
    sets_free(&d);
}

static void expect_refusal(sets *d, lb_conditions c, lb_conditional_options o, lb_status expected,
                           const char *says)
{
    lb_conditional *out = NULL;
    lb_error err = {0};
    const lb_conditional_member m = {"a model", .conditions = c};
    const lb_status st = run(d, &m, 1, o, &out, &err);
    cr_expect(eq(int, st, expected), "%s", says);
    cr_expect(strstr(err.text, says) != NULL, "'%s' does not say '%s'", err.text, says);
    cr_expect(eq(ptr, out, NULL));
    lb_conditional_free(out);
}

static const lb_conditions usual = {in_m, 2, .plain = true};

Test(conditional, refuses_conditions_it_cannot_have)
{
    sets d = sets_make(60, 8);
    const lb_monomial twice[] = {{{1}}, {{1}}}, strange[] = {{{0, 0, 0, 1}}}, high[] = {{{200}}};
    expect_refusal(&d, (lb_conditions){one, 0, .plain = true}, (lb_conditional_options){0},
                   LB_EINVAL, "without a condition");
    expect_refusal(&d, (lb_conditions){twice, 2, .plain = true}, (lb_conditional_options){0},
                   LB_EINVAL, "are the same");
    expect_refusal(&d, (lb_conditions){strange, 1, .plain = true}, (lb_conditional_options){0},
                   LB_EINVAL, "base variable 3");
    expect_refusal(&d, (lb_conditions){high, 1, .plain = true}, (lb_conditional_options){0},
                   LB_EINVAL, "power");
    sets_free(&d);
}

Test(conditional, refuses_penalties_folds_and_memory_it_cannot_use)
{
    sets d = sets_make(60, 8);
    const double down[] = {1.0, 0.1}, zero[] = {0.0, 1.0};
    expect_refusal(&d, usual, (lb_conditional_options){.alphas = {down, 2}}, LB_EINVAL, "ascend");
    expect_refusal(&d, usual, (lb_conditional_options){.alphas = {zero, 2}}, LB_EINVAL, "positive");
    expect_refusal(&d, usual, (lb_conditional_options){.extend_decades = -1}, LB_EINVAL, "decades");
    expect_refusal(&d, usual, (lb_conditional_options){.folds = 1}, LB_EINVAL, "two or more folds");
    expect_refusal(&d, usual, (lb_conditional_options){.folds = 6}, LB_EINVAL, "0 rows");
    expect_refusal(&d, usual, (lb_conditional_options){.folds = 3}, LB_EINVAL, "fold 3");
    expect_refusal(&d, usual, (lb_conditional_options){.memory = 1000}, LB_EINVAL, "allowed");
    sets_free(&d);
}

/* Five blocks of E11 and E12 at 4,096 pixels; what it would take is told before any of it is. */
Test(conditional, five_blocks_of_4096_columns_take_less_than_8_gb)
{
    const lb_monomial term[] = {{{0}}, {{1}}, {{0, 1}}, {{2}}, {{0, 2}}};
    const lb_conditions five = {term, 5, .plain = true};
    set s = set_make(60, 4096, 9); /* more values than products of conditions */
    const lb_stream x = toy_stream(&s.t);
    lb_conditional_gram *g = NULL;
    lb_error err = {0};
    double columns, gb;
    cr_expect(eq(int,
                 lb_conditional_gram_accumulate(&x, variables_of(&s), toy_y(&s.t), NULL, 1, &five,
                                                1, 1, &g, &err),
                 LB_EINVAL));
    const char *says = strstr(err.text, "normal matrix of");
    cr_assert(says && sscanf(says, "normal matrix of %lf take %lf GB", &columns, &gb) == 2, "%s",
              err.text);
    cr_expect(eq(dbl, columns, 20480.0));
    cr_expect(lt(dbl, gb, 8.0));
    cr_expect(gt(dbl, gb, 2.5), "%s", err.text);
    set_free(&s);
}

Test(conditional, names_the_row_that_is_not_finite)
{
    sets d = sets_make(60, 8);
    d.train.variables[17 * V] = (double)NAN;
    expect_refusal(&d, usual, (lb_conditional_options){0}, LB_ENUMERIC, "row 17");
    d.train.variables[17 * V] = 1e200;
    expect_refusal(&d, usual, (lb_conditional_options){0}, LB_ENUMERIC, "overflows in row 17");
    d.train.variables[17 * V] = 0.0;
    d.train.variables[17 * V + 1] = (double)NAN; /* t is not asked for */
    d.train.t.x[21 * 8 + 3] = NAN;
    expect_refusal(&d, usual, (lb_conditional_options){0}, LB_ENUMERIC, "row 21, column 3");
    d.train.t.x[21 * 8 + 3] = 1.0F;
    d.train.t.y[9] = (double)INFINITY;
    expect_refusal(&d, usual, (lb_conditional_options){0}, LB_ENUMERIC, "row 9");
    d.train.t.y[9] = 1.0;
    d.val.t.y[9] = (double)NAN;
    expect_refusal(&d, usual, (lb_conditional_options){0}, LB_ENUMERIC, "row 9 of the validation");
    d.val.t.y[9] = 1.0;
    d.test.t.x[5] = NAN;
    expect_refusal(&d, usual, (lb_conditional_options){0}, LB_ENUMERIC, "row 0");
    sets_free(&d);
}

Test(conditional, leaves_out_what_is_marked_whatever_it_holds)
{
    sets d = sets_make(200, 12);
    lb_conditional *c[2] = {NULL};
    lb_error err = {0};
    const lb_conditional_member m = {"a model", .conditions = usual};
    for (int bad = 0; bad < 2; bad++) {
        lb_conditional_labelled train = labelled(&d.train), val = labelled(&d.val);
        const lb_conditional_rows test = labelled(&d.test).rows;
        for (size_t i = 0; i < 200; i++)
            d.train.fold[i] = i == 0 || i == 77 ? -1 : 0;
        train.fold = d.train.fold;
        if (bad) {
            d.train.t.x[77 * 12] = NAN;
            d.train.variables[0] = (double)NAN;
            d.train.t.y[0] = (double)NAN;
        }
        cr_assert(eq(int,
                     lb_conditional_run(&train, &val, &test, &m, 1,
                                        (lb_conditional_options){.alphas = grid}, &c[bad], &err),
                     LB_OK),
                  "%s", err.text);
    }
    cr_expect(eq(sz, lb_conditional_get(c[0], 0).n_train, 198));
    cr_expect(eq(int,
                 memcmp(lb_conditional_get(c[0], 0).yhat.data,
                        lb_conditional_get(c[1], 0).yhat.data, 360 * sizeof(double)),
                 0));
    lb_conditional_free(c[0]);
    lb_conditional_free(c[1]);
    sets_free(&d);
}

Test(conditional, says_which_shapes_disagree)
{
    sets d = sets_make(60, 8), other = sets_make(60, 9);
    lb_conditional *out = NULL;
    const lb_conditional_member m = {"a model", .conditions = usual};
    const lb_conditional_options o = {.alphas = grid};
    lb_conditional_labelled train = labelled(&d.train), val = labelled(&d.val);
    lb_conditional_rows test = labelled(&d.test).rows;
    const lb_conditional_labelled wide = labelled(&other.val);
    cr_expect(eq(int, lb_conditional_run(&train, &wide, &test, &m, 1, o, &out, NULL), LB_ESHAPE));
    cr_expect(
        eq(int, lb_conditional_run(&train, &val, &wide.rows, &m, 1, o, &out, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_conditional_run(&train, NULL, &test, &m, 1, o, &out, NULL), LB_EINVAL));
    train.rows.variables.rows--;
    cr_expect(eq(int, lb_conditional_run(&train, &val, &test, &m, 1, o, &out, NULL), LB_ESHAPE));
    train = labelled(&d.train);
    train.y.n--;
    cr_expect(eq(int, lb_conditional_run(&train, &val, &test, &m, 1, o, &out, NULL), LB_ESHAPE));
    train = labelled(&d.train);
    test.variables.cols = 0;
    cr_expect(eq(int, lb_conditional_run(&train, &val, &test, &m, 1, o, &out, NULL), LB_ESHAPE));
    test = labelled(&d.test).rows;
    test.variables.rows--;
    cr_expect(eq(int, lb_conditional_run(&train, &val, &test, &m, 1, o, &out, NULL), LB_ESHAPE));
    test = labelled(&d.test).rows;
    val.y.n--;
    cr_expect(eq(int, lb_conditional_run(&train, &val, &test, &m, 1, o, &out, NULL), LB_ESHAPE));
    val = labelled(&d.val);
    val.rows.variables.rows--;
    cr_expect(eq(int, lb_conditional_run(&train, &val, &test, &m, 1, o, &out, NULL), LB_ESHAPE));
    sets_free(&d);
    sets_free(&other);
}

static void expect_no_gram(const set *s, lb_stream x, lb_cmat variables, const int *fold,
                           size_t folds, lb_status expected, const char *says)
{
    lb_conditional_gram *g = NULL;
    lb_error err = {0};
    cr_expect(eq(int,
                 lb_conditional_gram_accumulate(&x, variables, toy_y(&s->t), fold, folds, &usual, 1,
                                                0, &g, &err),
                 expected));
    cr_expect(strstr(err.text, says) != NULL, "'%s' does not say '%s'", err.text, says);
    cr_expect(eq(ptr, g, NULL));
}

Test(conditional, no_row_no_fold_and_no_column_are_nothing_to_sum)
{
    set s = set_make(20, 4, 9);
    const lb_stream x = toy_stream(&s.t);
    lb_stream empty = x, longer = x;
    empty.cols = 0;
    longer.rows++;
    lb_conditional_system *system = NULL;
    lb_error err = {0};
    expect_no_gram(&s, x, variables_of(&s), NULL, 0, LB_EINVAL, "0 folds");
    expect_no_gram(&s, empty, variables_of(&s), NULL, 1, LB_EINVAL, "0 columns");
    expect_no_gram(&s, longer, variables_of(&s), NULL, 1, LB_ESHAPE, "21");
    expect_no_gram(&s, x, (lb_cmat){s.variables, 20, LB_CONDITION_VARIABLES + 1, 0}, NULL, 1,
                   LB_ESHAPE, "at most 4");
    for (size_t i = 0; i < 20; i++)
        s.fold[i] = 1;
    lb_conditional_gram *g = gram(&s, &usual, 1, 2);
    cr_expect(eq(int, lb_conditional_system_new(g, usual, 1, &system, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "without fold 1") != NULL, "%s", err.text);
    cr_expect(eq(ptr, system, NULL));
    lb_conditional_system_free(NULL);
    lb_conditional_gram_free(g);
    s.fold[7] = -2;
    expect_no_gram(&s, x, variables_of(&s), s.fold, 2, LB_EINVAL, "row 7 is of fold -2");
    for (size_t i = 0; i < 20; i++)
        s.fold[i] = -1;
    expect_no_gram(&s, x, variables_of(&s), s.fold, 2, LB_EINVAL, "no row to fit");
    set_free(&s);
}

Test(conditional, sums_beyond_the_range_of_a_double_are_refused)
{
    sets d = sets_make(60, 8);
    for (size_t i = 0; i < 60; i++) /* m^2 is finite, so is m^2 x; their sum over rows is not */
        d.train.variables[i * V] = 1.2e154 + 1e151 * (double)i;
    expect_refusal(&d, usual, (lb_conditional_options){0}, LB_ENUMERIC,
                   "sums of column 0 overflow");
    sets_free(&d);
}

Test(conditional, labels_that_do_not_vary_choose_nothing)
{
    sets d = sets_make(60, 8);
    for (size_t i = 0; i < 60; i++)
        d.train.t.y[i] = d.train.fold[i] == 2 ? 1.0 : d.train.t.y[i];
    expect_refusal(&d, usual, (lb_conditional_options){.folds = FOLDS}, LB_EINVAL, "fold 2");
    for (size_t i = 0; i < 150; i++)
        d.val.t.y[i] = 2.17;
    expect_refusal(&d, usual, (lb_conditional_options){0}, LB_EINVAL, "do not vary");
    sets_free(&d);
}

Test(conditional, an_alpha_too_small_to_factor_is_named)
{
    sets d = sets_make(30, 40);
    const double tiny[] = {1e-30};
    expect_refusal(&d, usual, (lb_conditional_options){.alphas = {tiny, 1}}, LB_ENUMERIC, "1e-30");
    sets_free(&d);
}

/* With few rows the process that serves many penalties ends early and would serve this one too. */
Test(conditional, an_alpha_too_small_to_factor_is_named_beside_those_that_could_serve_it)
{
    static const size_t rows[] = {3, 6, 12, 25, 50, 100};
    const double alphas[] = {1e-17, 1.0, 10.0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sets d = sets_make(rows[i], 700);
        expect_refusal(&d, usual, (lb_conditional_options){.alphas = {alphas, 3}}, LB_ENUMERIC,
                       "1e-17");
        sets_free(&d);
    }
}

Test(conditional, hands_on_what_the_streams_report)
{
    sets d = sets_make(60, 8);
    d.test.t.broken_from = 50;
    expect_refusal(&d, usual, (lb_conditional_options){0}, LB_EIO, "row 50");
    d.val.t.broken_from = 40;
    d.test.t.broken_from = 0;
    expect_refusal(&d, usual, (lb_conditional_options){0}, LB_EIO, "row 40");
    d.train.t.broken_from = 30;
    expect_refusal(&d, usual, (lb_conditional_options){0}, LB_EIO, "row 30");
    sets_free(&d);
}
