/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "models/logistic.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Rows drawn from a multinomial logistic model, columns of unit size about 0. */
typedef struct gate {
    size_t n, p, k;
    double *x;
    int *label, *fold;
} gate;

static gate gate_make(size_t n, size_t p, size_t k, uint64_t seed)
{
    gate q = {n,
              p,
              k,
              lb_xcalloc(n * p, sizeof(double)),
              lb_xcalloc(n, sizeof(int)),
              lb_xcalloc(n, sizeof(int))};
    lb_rng r = lb_rng_make(seed, 0), rw = lb_rng_make(seed, 1);
    double *w = lb_xcalloc(k * p, sizeof *w);
    for (size_t i = 0; i < k * p; i++)
        w[i] = lb_rng_normal(&rw) / sqrt((double)p);
    for (size_t i = 0; i < n; i++) {
        double best = -INFINITY;
        for (size_t j = 0; j < p; j++)
            q.x[i * p + j] = lb_rng_normal(&r);
        for (size_t l = 0; l < k; l++) {
            double z = 0.3 * (double)l - log(-log(1.0 - lb_rng_uniform(&r)));
            for (size_t j = 0; j < p; j++)
                z += 2.0 * w[l * p + j] * q.x[i * p + j];
            if (z > best) {
                best = z;
                q.label[i] = (int)l;
            }
        }
        q.fold[i] = (int)(i % 3);
    }
    free(w);
    return q;
}

static void gate_free(gate *q)
{
    free(q->x), free(q->label), free(q->fold);
}

static lb_cmat gate_x(const gate *q)
{
    return (lb_cmat){q->x, q->n, q->p, q->p};
}

static lb_logistic *fit(const gate *q, double C, bool standardise)
{
    lb_logistic *m = NULL;
    lb_error err = {0};
    cr_assert(eq(int, lb_logistic_fit(gate_x(q), q->label, q->k, C, standardise, &m, &err), LB_OK),
              "%s", err.text);
    return m;
}

static lb_mat proba(const lb_logistic *m, lb_cmat x)
{
    lb_mat p = lb_mat_new(x.rows, m->w.rows);
    cr_assert(eq(int, lb_logistic_proba(m, x, p, NULL), LB_OK));
    return p;
}

/* The objective as the header writes it, and the slow way. sd (p): of the columns when penalised
 * as standardised ones, NULL: 1. */
static double objective(const gate *q, lb_mat w, const double *b, double C, const double *sd)
{
    long double f = 0.0L;
    for (size_t i = 0; i < q->n; i++) {
        long double sum = 0.0L, z_true = 0.0L;
        for (size_t k = 0; q->label[i] >= 0 && k < q->k; k++) {
            long double z = b[k];
            for (size_t j = 0; j < q->p; j++)
                z += (long double)w.data[k * w.stride + j] * q->x[i * q->p + j];
            sum += expl(z);
            z_true = k == (size_t)q->label[i] ? z : z_true;
        }
        f += q->label[i] >= 0 ? logl(sum) - z_true : 0.0L;
    }
    for (size_t k = 0; k < q->k; k++)
        for (size_t j = 0; j < q->p; j++) {
            const long double v = (long double)w.data[k * w.stride + j] * (sd ? sd[j] : 1.0);
            f += v * v / (2.0L * (long double)C);
        }
    return (double)f;
}

/* Largest element of the objective's gradient a row, from X'(p - y) + w / C, sd as above. */
static double worst_gradient(const gate *q, const lb_logistic *m, const double *sd)
{
    lb_mat p = proba(m, gate_x(q));
    double worst = 0.0;
    for (size_t k = 0; k < q->k; k++)
        for (size_t j = 0; j <= q->p; j++) { /* the last is the intercept */
            const double s = sd && j < q->p ? sd[j] : 1.0;
            long double g = j < q->p ? m->w.data[k * q->p + j] * s * s / m->C : 0.0;
            for (size_t i = 0; i < q->n; i++)
                if (q->label[i] >= 0)
                    g += (p.data[i * q->k + k] - (q->label[i] == (int)k)) *
                         (j < q->p ? q->x[i * q->p + j] : 1.0);
            worst = fmax(worst, fabs((double)g / s / (double)q->n));
        }
    free(p.data);
    return worst;
}

static double distance(const double *a, const double *b, size_t n)
{
    double worst = 0.0, size = 0.0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs(a[i] - b[i]));
        size = fmax(size, fabs(b[i]));
    }
    return worst / size;
}

static void standard_deviations(const gate *q, double *mean, double *sd)
{
    for (size_t j = 0; j < q->p; j++) {
        mean[j] = sd[j] = 0.0;
        for (size_t i = 0; i < q->n; i++)
            mean[j] += q->x[i * q->p + j] / (double)q->n;
        for (size_t i = 0; i < q->n; i++)
            sd[j] += pow(q->x[i * q->p + j] - mean[j], 2.0) / (double)q->n;
        sd[j] = sqrt(sd[j]);
    }
}

/* --- laws ------------------------------------------------------------------------------------ */

/* Sizes around every loop: odd and even columns and classes, more products than fit one tile, more
 * columns than rows, two rows. Few steps: the Hessian is right. */
Test(logistic, gradient_vanishes_at_the_fit)
{
    const size_t sizes[][3] = {{700, 13, 9}, {300, 4, 2}, {300, 5, 3}, {500, 60, 4},
                               {129, 1, 5},  {40, 70, 3}, {2, 3, 2},   {9, 2, 3}};
    const double Cs[] = {0.013, 1.7, 210.0};
    for (size_t c = 0; c < sizeof sizes / sizeof *sizes; c++)
        for (size_t h = 0; h < 3; h++) {
            gate q = gate_make(sizes[c][0], sizes[c][1], sizes[c][2], 100 + c);
            if (c == 6)
                q.label[0] = 0, q.label[1] = 1;
            lb_logistic *m = fit(&q, Cs[h], false);
            cr_expect(lt(dbl, worst_gradient(&q, m, NULL), 1.1e-8), "case %zu C %g", c, Cs[h]);
            cr_expect(le(dbl, m->gradient, LB_LOGISTIC_GRADIENT));
            cr_expect(lt(sz, m->iterations, (size_t)20), "case %zu C %g", c, Cs[h]);
            cr_expect(eq(sz, m->n_rows, q.n));
            lb_logistic_free(m);
            gate_free(&q);
        }
}

Test(logistic, gradient_is_the_central_difference_of_the_objective_and_any_move_goes_up)
{
    gate q = gate_make(200, 4, 3, 7);
    lb_logistic *m = fit(&q, 2.17, false);
    const double h = 1e-4, lowest = objective(&q, m->w, m->b, m->C, NULL);
    for (size_t u = 0; u < 15; u++) {
        double *at = u < 12 ? &m->w.data[u] : &m->b[u - 12];
        const double kept = *at;
        *at = kept + h;
        const double up = objective(&q, m->w, m->b, m->C, NULL);
        *at = kept - h;
        const double down = objective(&q, m->w, m->b, m->C, NULL);
        *at = kept;
        cr_expect(lt(dbl, fabs(up - down) / (2.0 * h) / (double)q.n, 2e-8), "unknown %zu", u);
        cr_expect(gt(dbl, up, lowest));
        cr_expect(gt(dbl, down, lowest));
    }
    lb_logistic_free(m);
    gate_free(&q);
}

Test(logistic, coefficients_and_intercepts_sum_to_zero_over_the_classes)
{
    gate q = gate_make(400, 6, 5, 8);
    lb_logistic *m = fit(&q, 30.0, true);
    for (size_t j = 0; j <= q.p; j++) {
        double sum = 0.0;
        for (size_t k = 0; k < q.k; k++)
            sum += j < q.p ? m->w.data[k * q.p + j] : m->b[k];
        cr_expect(lt(dbl, fabs(sum), 1e-12));
    }
    lb_logistic_free(m);
    gate_free(&q);
}

/* With nothing but an intercept, the probabilities are the shares of the classes. */
Test(logistic, without_a_varying_feature_probabilities_are_the_shares_of_the_classes)
{
    gate q = gate_make(90, 2, 3, 9);
    size_t rows[3] = {0};
    for (size_t i = 0; i < q.n; i++) {
        q.x[2 * i] = 0.1;
        q.x[2 * i + 1] = 1e300;
        rows[q.label[i]]++;
    }
    lb_logistic *m = fit(&q, 1.0, true);
    cr_expect(eq(sz, m->n_dropped, 2));
    for (size_t k = 0; k < 3; k++) {
        cr_expect(eq(sz, m->rows[k], rows[k]));
        cr_expect(lt(dbl, fabs(m->b[k] - m->b[0] - log((double)rows[k] / (double)rows[0])), 1e-7));
        cr_expect(eq(dbl, m->w.data[2 * k], 0.0));
    }
    lb_logistic_free(m);
    gate_free(&q);
}

/* A feature of two values and next to no penalty: p is the frequency in each of the two cells. */
Test(logistic, next_to_no_penalty_reproduces_the_frequencies_of_a_table)
{
    gate q = gate_make(120, 1, 3, 10);
    double count[2][3] = {{0.0}}, n[2] = {0.0};
    for (size_t i = 0; i < q.n; i++) {
        q.x[i] = i % 3 == 0 ? 2.5 : -1.0;
        count[i % 3 == 0][q.label[i]] += 1.0;
        n[i % 3 == 0] += 1.0;
    }
    lb_logistic *m = fit(&q, 1e9, false);
    lb_mat p = proba(m, gate_x(&q));
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 3; k++)
            cr_expect(lt(dbl, fabs(p.data[3 * i + k] - count[i == 0][k] / n[i == 0]), 1e-7));
    free(p.data);
    lb_logistic_free(m);
    gate_free(&q);
}

Test(logistic, standardised_fit_is_the_fit_of_the_standardised_matrix_in_units_of_x)
{
    gate q = gate_make(300, 4, 3, 11);
    const double unit[] = {1e-30, 1.0, 3.7e4, 1e30};
    double mean[4], sd[4];
    for (size_t i = 0; i < q.n * q.p; i++)
        q.x[i] = (q.x[i] + 20.0) * unit[i % q.p];
    standard_deviations(&q, mean, sd);
    lb_logistic *inside = fit(&q, 0.7, true);
    for (size_t i = 0; i < q.n * q.p; i++)
        q.x[i] = (q.x[i] - mean[i % q.p]) / sd[i % q.p];
    lb_logistic *outside = fit(&q, 0.7, false);
    for (size_t k = 0; k < 3; k++) {
        double b = inside->b[k];
        for (size_t j = 0; j < 4; j++) {
            b += inside->w.data[4 * k + j] * mean[j];
            inside->w.data[4 * k + j] *= sd[j];
        }
        cr_expect(lt(dbl, fabs(b - outside->b[k]), 1e-8));
    }
    cr_expect(lt(dbl, distance(inside->w.data, outside->w.data, 12), 1e-8));
    lb_logistic_free(inside);
    lb_logistic_free(outside);
    gate_free(&q);
}

Test(logistic, unit_of_a_column_matters_to_the_plain_fit_as_the_penalty_says)
{
    gate q = gate_make(300, 3, 3, 12);
    double sd[] = {1.0, 1.0, 1.0};
    for (size_t i = 0; i < q.n; i++) {
        q.x[3 * i] = 5.0 + 1e-3 * q.x[3 * i];
        q.x[3 * i + 2] = -7.0 + 1e4 * q.x[3 * i + 2];
    }
    lb_logistic *m = fit(&q, 1.7, false);
    cr_expect(lt(dbl, worst_gradient(&q, m, sd), 1e-4), "1e4 in x, 1e-8 in its gradient");
    cr_expect(lt(dbl, fabs(m->w.data[0]), 1.0), "a column of 1e-3 is all but penalised away");
    for (size_t h = 0; h < 9; h++) {
        const double kept = m->w.data[h], f = objective(&q, m->w, m->b, m->C, NULL);
        for (int sign = -1; sign <= 1; sign += 2) {
            m->w.data[h] = kept * (1.0 + sign * 1e-2);
            cr_expect(gt(dbl, objective(&q, m->w, m->b, m->C, NULL), f));
        }
        m->w.data[h] = kept;
    }
    lb_logistic_free(m);
    gate_free(&q);
}

/* --- awkward data ---------------------------------------------------------------------------- */

Test(logistic, duplicated_feature_shares_its_weight)
{
    gate q = gate_make(300, 3, 4, 13);
    for (size_t i = 0; i < q.n; i++)
        q.x[3 * i + 2] = q.x[3 * i];
    lb_logistic *two = fit(&q, 5.0, false);
    for (size_t i = 0; i < q.n; i++) { /* one column of sqrt 2 costs what two of 1 cost */
        q.x[3 * i] *= sqrt(2.0);
        q.x[3 * i + 2] = 1.0;
    }
    lb_logistic *one = fit(&q, 5.0, false);
    for (size_t k = 0; k < 4; k++) {
        const double *w = two->w.data + 3 * k;
        cr_expect(lt(dbl, fabs(w[0] - w[2]), 1e-9));
        cr_expect(lt(dbl, fabs(w[0] - one->w.data[3 * k] / sqrt(2.0)), 1e-8));
    }
    cr_expect(eq(sz, one->n_dropped, 1));
    cr_expect(one->dropped[2]);
    lb_logistic_free(two);
    lb_logistic_free(one);
    gate_free(&q);
}

/* EW_CaT is the sum of three equivalent widths. The shortest w has no part along (1, 1, 1, -1). */
Test(logistic, exact_sum_of_other_columns_leaves_the_shortest_answer)
{
    gate q = gate_make(400, 6, 4, 14);
    for (size_t i = 0; i < q.n; i++)
        q.x[6 * i + 5] = q.x[6 * i] + q.x[6 * i + 1] + q.x[6 * i + 2];
    const double Cs[] = {1.0, 1e4, 1e10};
    for (size_t h = 0; h < 3; h++) {
        lb_logistic *m = fit(&q, Cs[h], false);
        cr_expect(lt(dbl, worst_gradient(&q, m, NULL), 1.1e-8));
        for (size_t k = 0; k < 4; k++) {
            const double *w = m->w.data + 6 * k;
            cr_expect(lt(dbl, fabs(w[0] + w[1] + w[2] - w[5]), h < 2 ? 1e-7 : 1e-3), "C %g: %g",
                      Cs[h], w[0] + w[1] + w[2] - w[5]);
        }
        lb_logistic_free(m);
    }
    gate_free(&q);
}

/* Where classes are separable, w = C sum (y - p) x keeps it finite; p is then tiny and must be
 * right in its relative digits. */
Test(logistic, separable_classes_have_a_finite_answer_that_grows_with_C)
{
    const double Cs[] = {1.0, 1e3, 1e6, 1e12, 1e30};
    double last = 0.0;
    for (size_t h = 0; h < 5; h++) {
        gate q = {6, 1, 2, lb_xcalloc(6, sizeof(double)), lb_xcalloc(6, sizeof(int)), NULL};
        for (size_t i = 0; i < 6; i++) {
            q.x[i] = (double)i < 3 ? -1.0 - 0.5 * (double)i : (double)i - 2.0;
            q.label[i] = i >= 3;
        }
        lb_logistic *m = fit(&q, Cs[h], false);
        lb_mat p = proba(m, gate_x(&q));
        double sum = 0.0; /* of (y - p) x for class 1, from the probabilities that are small */
        for (size_t i = 0; i < 6; i++)
            sum += q.label[i] ? p.data[2 * i] * q.x[i] : -p.data[2 * i + 1] * q.x[i];
        cr_expect(lt(dbl, fabs(m->w.data[1] - Cs[h] * sum), 1e-6 * m->w.data[1]), "C %g: %g, %g",
                  Cs[h], m->w.data[1], Cs[h] * sum);
        cr_expect(gt(dbl, m->w.data[1], last));
        last = m->w.data[1];
        free(p.data);
        lb_logistic_free(m);
        gate_free(&q);
    }
}

/* A row of label -1 may hold anything, and a class without a row is never predicted. */
Test(logistic, unused_rows_and_absent_classes_change_nothing)
{
    gate q = gate_make(260, 3, 3, 15), wide = gate_make(520, 3, 5, 15);
    for (size_t i = 0; i < 520; i++) {
        memcpy(wide.x + 3 * i, q.x + 3 * (i / 2), 3 * sizeof(double));
        wide.label[i] = q.label[i / 2] + (q.label[i / 2] > 0); /* class 1 and 4 have no row */
        if (i % 2) {
            wide.label[i] = -1;
            wide.x[3 * i + i % 3] = i % 4 == 1 ? (double)NAN : INFINITY;
        }
    }
    lb_logistic *m = fit(&q, 1.0, true), *w = fit(&wide, 1.0, true);
    lb_mat p = proba(m, gate_x(&q)), pw = proba(w, gate_x(&q));
    for (size_t k = 0; k < 3; k++) {
        cr_expect(eq(int, memcmp(m->w.data + 3 * k, w->w.data + 3 * (k + (k > 0)), 24), 0));
        cr_expect(eq(sz, m->rows[k], w->rows[k + (k > 0)]));
    }
    cr_expect(eq(sz, w->n_rows, 260));
    cr_expect(eq(sz, w->rows[1] + w->rows[4], 0));
    cr_expect(eq(dbl, w->b[4], -INFINITY));
    for (size_t i = 0; i < q.n; i++) {
        cr_expect(eq(dbl, pw.data[5 * i + 1] + pw.data[5 * i + 4], 0.0));
        cr_expect(eq(dbl, pw.data[5 * i + 2], p.data[3 * i + 1]));
    }
    free(p.data), free(pw.data);
    lb_logistic_free(m);
    lb_logistic_free(w);
    gate_free(&q);
    gate_free(&wide);
}

/* --- probabilities --------------------------------------------------------------------------- */

Test(logistic, more_features_than_rows_and_two_rows_are_fitted)
{
    for (size_t n = 2; n <= 6; n += 4) {
        gate q = gate_make(n, 12, 2, 41);
        for (size_t i = 0; i < n; i++)
            q.label[i] = (int)(i % 2);
        lb_logistic *m = fit(&q, 1.0, false);
        cr_expect(lt(dbl, worst_gradient(&q, m, NULL), 1e-7), "%zu rows", n);
        lb_mat p = proba(m, gate_x(&q));
        for (size_t i = 0; i < n; i++)
            cr_expect(gt(dbl, p.data[2 * i + i % 2], 0.5), "row %zu of %zu", i, n);
        free(p.data);
        lb_logistic_free(m);
        gate_free(&q);
    }
}

Test(logistic, probabilities_sum_to_one_for_any_logits)
{
    double w[] = {1e308, -1e308, 1.0, 1.0, 1e308, 1e308}, b[] = {0.5, -0.5, 0.0};
    const lb_logistic m = {.w = lb_mat_of(w, 3, 2), .b = b};
    const double x[][2] = {{0.0, 0.0},    {1.0, 1.0},      {1e308, 1e308},  {-1e308, 1e308},
                           {1e-308, 0.0}, {-1.0, 0.0},     {800.0, -800.0}, {1e-305, 1e-305},
                           {10.0, -10.0}, {-1e308, -1e308}};
    const size_t n = sizeof x / sizeof *x;
    lb_mat p = proba(&m, (lb_cmat){x[0], n, 2, 2});
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (size_t k = 0; k < 3; k++) {
            cr_expect(ge(dbl, p.data[3 * i + k], 0.0));
            sum += p.data[3 * i + k];
        }
        cr_expect(lt(dbl, fabs(sum - 1.0), 4 * DBL_EPSILON), "row %zu: %g", i, sum);
    }
    const lb_logistic low = {.w = lb_mat_of(w + 2, 2, 2),
                             .b = b}; /* 0.5 + x0 + x1, 1e308 (x0 + x1) */
    lb_mat two = proba(&low, (lb_cmat){(double[]){2.0, -3.0, -1e308, -1e308}, 2, 2, 2});
    cr_expect(eq(dbl, two.data[0], 1.0), "-0.5 against -1e308");
    cr_expect(eq(dbl, two.data[2], 1.0), "-2e308 against -2e616");
    free(two.data);
    cr_expect(eq(dbl, p.data[3 * 2 + 2], 1.0), "2e616 wins over 0 and 2e308");
    cr_expect(eq(dbl, p.data[3 * 6 + 0], 1.0), "1.6e311 wins");
    cr_expect(eq(dbl, p.data[3 * 9 + 0], 1.0), "-2e616 and -2e308 lose to 0.5");
    cr_expect(lt(dbl, fabs(p.data[3 * 4 + 1] / p.data[3 * 4] - exp(-2.0)), 1e-12));
    free(p.data);
}

/* Two logits of ordinary size keep their ratio beside one of -1e616; equal ones beyond the range of
 * doubles share. */
Test(logistic, logits_beyond_the_range_of_doubles_leave_the_others_their_ratio)
{
    double far[] = {0.5, 0.0, 0.0, 0.0, 0.0, 1e308}, same[] = {0.0, 1e200, 0.0, 1e200, 0.0, 1.0};
    double b[] = {0.0, 1.0, 0.0};
    const double x[] = {-1.0, -1e308}, large[] = {-1.0, 1e200};
    lb_logistic m = {.w = lb_mat_of(far, 3, 2), .b = b};
    lb_mat p = proba(&m, (lb_cmat){x, 1, 2, 2});
    cr_expect(lt(dbl, fabs(p.data[0] / p.data[1] - exp(-1.5)), 1e-15));
    cr_expect(eq(dbl, p.data[2], 0.0));
    free(p.data);
    m.w.data = same;
    p = proba(&m, (lb_cmat){large, 1, 2, 2});
    cr_expect(eq(dbl, p.data[0], 0.5));
    cr_expect(eq(dbl, p.data[1], 0.5));
    cr_expect(eq(dbl, p.data[2], 0.0));
    free(p.data);
}

/* Subtracting a constant from all logits changes nothing: shift all w and b. */
Test(logistic, probabilities_do_not_change_when_all_logits_move)
{
    gate q = gate_make(50, 3, 4, 16);
    lb_logistic *m = fit(&q, 1.0, true);
    lb_mat before = proba(m, gate_x(&q));
    for (size_t k = 0; k < 4; k++) {
        m->b[k] += 517.0;
        m->w.data[3 * k + 1] -= 33.0;
    }
    lb_mat after = proba(m, gate_x(&q));
    for (size_t i = 0; i < 200; i++)
        cr_expect(lt(dbl, fabs(after.data[i] - before.data[i]), 1e-12));
    free(before.data), free(after.data);
    lb_logistic_free(m);
    gate_free(&q);
}

/* --- cross-validation ------------------------------------------------------------------------ */

static const double five[] = {0.01, 0.1, 1.0, 10.0, 100.0};
static const lb_cvec grid = {five, 5};

static lb_logistic_cv *cross(const gate *q, lb_cvec Cs, size_t folds, bool standardise)
{
    lb_logistic_cv *cv = NULL;
    lb_error err = {0};
    cr_assert(eq(int,
                 lb_logistic_fit_cv(gate_x(q), q->label, q->k, Cs, q->fold, folds, standardise, &cv,
                                    &err),
                 LB_OK),
              "%s", err.text);
    return cv;
}

/* The same by single fits whose rows of the fold are labelled -1. */
Test(logistic, cross_validation_is_what_single_fits_without_each_fold_give)
{
    gate q = gate_make(330, 4, 3, 20);
    lb_logistic_cv *cv = cross(&q, grid, 3, false);
    int *label = lb_xcalloc(q.n, sizeof *label);
    memcpy(label, q.label, q.n * sizeof *label);
    size_t best = 0;
    for (size_t c = 0; c < 5; c++) {
        double loss = 0.0, accuracy = 0.0;
        for (int f = 0; f < 3; f++) {
            for (size_t i = 0; i < q.n; i++)
                q.label[i] = q.fold[i] == f ? -1 : label[i];
            lb_logistic *m = fit(&q, five[c], false);
            lb_mat p = proba(m, gate_x(&q));
            for (size_t i = 0; i < q.n; i++) {
                const double *row = p.data + 3 * i;
                const int top =
                    row[0] >= row[1] ? (row[0] >= row[2] ? 0 : 2) : 1 + (row[2] > row[1]);
                loss -= q.fold[i] == f ? log(row[label[i]]) / 330.0 : 0.0;
                accuracy += q.fold[i] == f && top == label[i] ? 1.0 / 330.0 : 0.0;
            }
            free(p.data);
            lb_logistic_free(m);
        }
        cr_expect(lt(dbl, fabs(cv->log_loss[c] - loss), 1e-8), "C %g", five[c]);
        cr_expect(lt(dbl, fabs(cv->accuracy[c] - accuracy), 1e-12), "C %g", five[c]);
        cr_expect(eq(dbl, cv->C[c], five[c]));
        best = cv->log_loss[c] < cv->log_loss[best] ? c : best;
    }
    memcpy(q.label, label, q.n * sizeof *label);
    lb_logistic *m = fit(&q, five[best], false);
    cr_expect(eq(sz, cv->best, best));
    cr_expect(eq(dbl, cv->model->C, five[best]));
    cr_expect(lt(dbl, distance(cv->model->w.data, m->w.data, 12), 1e-7));
    cr_expect(lt(dbl, distance(cv->model->b, m->b, 3), 1e-7));
    free(label);
    lb_logistic_free(m);
    lb_logistic_cv_free(cv);
    gate_free(&q);
}

Test(logistic, a_class_without_a_row_changes_no_cross_validation)
{
    gate q = gate_make(90, 2, 3, 42);
    lb_logistic_cv *three = cross(&q, (lb_cvec){five + 1, 2}, 3, true);
    q.k = 4;
    lb_logistic_cv *four = cross(&q, (lb_cvec){five + 1, 2}, 3, true);
    cr_expect(eq(int, memcmp(three->log_loss, four->log_loss, 2 * sizeof(double)), 0));
    cr_expect(eq(int, memcmp(three->model->b, four->model->b, 3 * sizeof(double)), 0));
    cr_expect(four->model->b[3] == -INFINITY);
    lb_logistic_cv_free(three);
    lb_logistic_cv_free(four);
    gate_free(&q);
}

Test(logistic, cross_validation_says_when_the_best_C_is_an_end_of_the_grid)
{
    gate q = gate_make(600, 3, 3, 21);
    const double low[] = {1e-4, 1e-3}, high[] = {1.0, 1e3};
    lb_logistic_cv *up = cross(&q, (lb_cvec){low, 2}, 3, true), *inside = cross(&q, grid, 3, true),
                   *alone = cross(&q, (lb_cvec){high, 1}, 3, true), *tie;
    cr_expect(eq(int, up->edge, 1));
    cr_expect(eq(int, inside->edge, 0));
    cr_expect(eq(int, alone->edge, 0));
    for (size_t i = 0; i < q.n * q.p; i++)
        q.x[i] = 3.3; /* nothing to penalise: every C is as good */
    tie = cross(&q, grid, 3, true);
    cr_expect(eq(sz, tie->best, 0));
    cr_expect(eq(int, tie->edge, -1));
    lb_logistic_cv_free(up);
    lb_logistic_cv_free(inside);
    lb_logistic_cv_free(alone);
    lb_logistic_cv_free(tie);
    gate_free(&q);
}

Test(logistic, one_and_two_threads_give_the_same_bits)
{
    const size_t before = threads_now();
    gate q = gate_make(9000, 9, 6, 22);
    lb_logistic *m[2];
    lb_logistic_cv *cv[2];
    for (int t = 0; t < 2; t++) {
        omp_set_num_threads(t + 1);
        m[t] = fit(&q, 1.0, true);
        cv[t] = cross(&q, (lb_cvec){five + 1, 2}, 3, true);
    }
    cr_expect(gt(sz, threads_now(), before), "two threads were at work");
    cr_expect(eq(int, memcmp(m[0]->w.data, m[1]->w.data, 54 * sizeof(double)), 0));
    cr_expect(eq(int, memcmp(m[0]->b, m[1]->b, 6 * sizeof(double)), 0));
    cr_expect(eq(int, memcmp(cv[0]->log_loss, cv[1]->log_loss, 2 * sizeof(double)), 0));
    cr_expect(eq(int, memcmp(cv[0]->model->w.data, cv[1]->model->w.data, 54 * sizeof(double)), 0));
    for (int t = 0; t < 2; t++) {
        lb_logistic_free(m[t]);
        lb_logistic_cv_free(cv[t]);
    }
    gate_free(&q);
}

/* --- failures -------------------------------------------------------------------------------- */

static lb_error fit_error;

static lb_status fit_status(const gate *q, double C)
{
    lb_logistic *m = (void *)1;
    fit_error = (lb_error){0};
    const lb_status st = lb_logistic_fit(gate_x(q), q->label, q->k, C, false, &m, &fit_error);
    cr_expect(eq(ptr, m, NULL));
    return st;
}

static lb_status cross_status(const gate *q, lb_cvec Cs, size_t folds)
{
    lb_logistic_cv *cv = (void *)1;
    fit_error = (lb_error){0};
    const lb_status st =
        lb_logistic_fit_cv(gate_x(q), q->label, q->k, Cs, q->fold, folds, true, &cv, &fit_error);
    cr_expect(eq(ptr, cv, NULL));
    return st;
}

Test(logistic, says_what_is_wrong_with_the_data)
{
    gate q = gate_make(20, 2, 3, 30);
    const int kept = q.label[4];
    q.label[4] = 3;
    cr_expect(eq(int, fit_status(&q, 1.0), LB_EINVAL));
    cr_expect(ne(ptr, strstr(fit_error.text, "row 4"), NULL));
    q.label[4] = -2;
    cr_expect(eq(int, fit_status(&q, 1.0), LB_EINVAL));
    q.label[4] = kept;
    const double bad[] = {0.0, -1.0, (double)NAN, INFINITY, 1e-320};
    for (size_t i = 0; i < 5; i++)
        cr_expect(eq(int, fit_status(&q, bad[i]), LB_EINVAL), "C = %g", bad[i]);
    gate wide = gate_make(20, 2, 3, 30);
    for (size_t i = 0; i < 40; i++)
        wide.x[i] *= 1e90;
    cr_expect(eq(int, fit_status(&wide, 1e300), LB_EINVAL), "a penalty that rounds to nothing");
    gate_free(&wide);
    q.x[7] = (double)NAN;
    cr_expect(eq(int, fit_status(&q, 1.0), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(fit_error.text, "x[3][1]"), NULL));
    q.x[7] = -INFINITY;
    cr_expect(eq(int, fit_status(&q, 1.0), LB_ENUMERIC));
    q.x[7] = 1e308;
    cr_expect(eq(int, fit_status(&q, 1.0), LB_ENUMERIC), "a spread of 1e307");
    q.x[7] = 1.0;
    gate narrow = gate_make(20, 2, 3, 30);
    for (size_t i = 0; i < 20; i++)
        narrow.x[2 * i] *= 1e-120;
    cr_expect(eq(int, fit_status(&narrow, 1.0), LB_ENUMERIC), "a spread of 1e-120");
    gate_free(&narrow);
    q.p = 0;
    cr_expect(eq(int, fit_status(&q, 1.0), LB_EINVAL));
    q.p = 2, q.n = 0;
    cr_expect(eq(int, fit_status(&q, 1.0), LB_EINVAL));
    q.n = 1;
    cr_expect(eq(int, fit_status(&q, 1.0), LB_EINVAL));
    q.n = 20;
    for (size_t i = 0; i < 20; i++)
        q.label[i] = i % 2 ? 1 : -1;
    cr_expect(eq(int, fit_status(&q, 1.0), LB_EINVAL), "one class alone");
    gate_free(&q);
}

Test(logistic, says_when_there_is_too_much_to_fit_or_no_end_to_it)
{
    gate many = gate_make(4, 2100, 2, 31);
    for (size_t i = 0; i < 4; i++)
        many.label[i] = (int)(i % 2);
    cr_expect(eq(int, fit_status(&many, 1.0), LB_EINVAL));
    cr_expect(ne(ptr, strstr(fit_error.text, "4202 unknowns"), NULL));
    gate_free(&many);
    gate apart = gate_make(4, 1, 2, 32);
    for (size_t i = 0; i < 4; i++) {
        apart.x[i] = i < 2 ? -1.0 : 1.0;
        apart.label[i] = i >= 2;
    }
    cr_expect(eq(int, fit_status(&apart, 1e308), LB_ENUMERIC), "separable, no penalty to speak of");
    const double Cs[] = {1.0, 1e308};
    const int fold[] = {0, 1, 0, 1};
    memcpy(apart.fold, fold, sizeof fold);
    cr_expect(eq(int, cross_status(&apart, (lb_cvec){Cs, 2}, 2), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(fit_error.text, "C = 1e+308"), NULL), "%s", fit_error.text);
    gate_free(&apart);
    gate but = gate_make(6, 1, 2, 33); /* two rows alone stand on the wrong side, both in fold 1 */
    const double x[] = {-2.0, 2.0, -1.0, 1.0, -0.5, 0.5};
    const int label[] = {0, 1, 0, 1, 1, 0}, of[] = {0, 0, 0, 0, 1, 1};
    memcpy(but.x, x, sizeof x);
    memcpy(but.label, label, sizeof label);
    memcpy(but.fold, of, sizeof of);
    cr_expect(eq(int, cross_status(&but, (lb_cvec){Cs + 1, 1}, 2), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(fit_error.text, "without fold"), NULL), "%s", fit_error.text);
    gate_free(&but);
}

Test(logistic, says_what_is_wrong_with_the_folds_and_the_grid)
{
    gate q = gate_make(60, 2, 3, 33);
    const double down[] = {1.0, 0.1}, twice[] = {1.0, 1.0}, zero[] = {0.0, 1.0};
    const double inf[] = {1.0, INFINITY}, tiny[] = {1e-320, 1.0};
    cr_expect(eq(int, cross_status(&q, (lb_cvec){NULL, 0}, 3), LB_EINVAL));
    cr_expect(eq(int, cross_status(&q, (lb_cvec){down, 2}, 3), LB_EINVAL));
    cr_expect(eq(int, cross_status(&q, (lb_cvec){twice, 2}, 3), LB_EINVAL));
    cr_expect(eq(int, cross_status(&q, (lb_cvec){zero, 2}, 3), LB_EINVAL));
    cr_expect(eq(int, cross_status(&q, (lb_cvec){inf, 2}, 3), LB_EINVAL));
    cr_expect(eq(int, cross_status(&q, (lb_cvec){tiny, 2}, 3), LB_EINVAL), "1 / C overflows");
    q.fold[5] = -1;
    cr_expect(eq(int, cross_status(&q, grid, 3), LB_EINVAL), "a used row of no fold");
    q.fold[5] = (int)(5 % 3);
    cr_expect(eq(int, cross_status(&q, grid, 1), LB_EINVAL));
    cr_expect(eq(int, cross_status(&q, grid, 2), LB_EINVAL), "fold 2 of two folds");
    cr_expect(eq(int, cross_status(&q, grid, 4), LB_EINVAL), "fold 3 is empty");
    for (size_t i = 0; i < q.n; i++)
        q.fold[i] = q.label[i] == 2 ? 2 : (int)(i % 2);
    cr_expect(eq(int, cross_status(&q, grid, 3), LB_EINVAL));
    cr_expect(ne(ptr, strstr(fit_error.text, "class 2 are in fold 2"), NULL));
    q.x[9] = (double)NAN;
    cr_expect(eq(int, cross_status(&q, grid, 3), LB_EINVAL), "the folds are looked at first");
    for (size_t i = 0; i < q.n; i++)
        q.fold[i] = (int)(i % 3);
    cr_expect(eq(int, cross_status(&q, grid, 3), LB_ENUMERIC));
    gate_free(&q);
}

Test(logistic, proba_says_what_is_wrong)
{
    gate q = gate_make(30, 2, 3, 34);
    lb_logistic *m = fit(&q, 1.0, false);
    double p[90];
    lb_error err = {0};
    cr_expect(eq(int, lb_logistic_proba(m, (lb_cmat){q.x, 30, 1, 2}, lb_mat_of(p, 30, 3), NULL),
                 LB_ESHAPE));
    cr_expect(eq(int, lb_logistic_proba(m, gate_x(&q), lb_mat_of(p, 29, 3), NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_logistic_proba(m, gate_x(&q), lb_mat_of(p, 30, 2), NULL), LB_ESHAPE));
    q.x[11] = INFINITY;
    cr_expect(eq(int, lb_logistic_proba(m, gate_x(&q), lb_mat_of(p, 30, 3), &err), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(err.text, "x[5][1]"), NULL));
    lb_logistic_free(m);
    lb_logistic_free(NULL);
    lb_logistic_cv_free(NULL);
    gate_free(&q);
}
