/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linalg/toy.h"
#include "models/lstsq.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

/* A set of the NIST Statistical Reference Datasets, as in strd/<name>.tsv. */
typedef struct strd {
    char kind[16], origin[16];
    size_t degree, n, p, terms;
    double b[12], se[12], sd, r2;
    double x[100 * 12], y[100];
} strd;

static void strd_row(strd *s, char *fields)
{
    double *row = s->x + s->n * s->p, raw[12] = {0};
    size_t k = 0, at = 0;
    for (char *f = strtok(fields, "\t\n"); f; f = strtok(NULL, "\t\n"), k++) {
        if (k == 0)
            s->y[s->n] = atof(f);
        else
            raw[k - 1] = atof(f);
    }
    if (strcmp(s->origin, "intercept") == 0)
        row[at++] = 1.0;
    for (size_t d = 1; d <= s->degree; d++)
        row[at++] = strcmp(s->kind, "poly") ? raw[d - 1] : pow(raw[0], (double)d);
    cr_assert(eq(sz, at, s->p));
    s->n++;
}

static void strd_load(const char *name, strd *s)
{
    char path[96], line[512];
    *s = (strd){0};
    snprintf(path, sizeof path, "tests/unit/models/strd/%s.tsv", name);
    FILE *f = fopen(path, "r");
    cr_assert(ne(ptr, f, NULL), "%s: run the tests from the top of the tree", path);
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "model %15s %zu %15s", s->kind, &s->degree, s->origin) == 3)
            s->p = s->degree + (strcmp(s->origin, "intercept") == 0);
        else if (strncmp(line, "b\t", 2) == 0) {
            cr_assert(eq(int, sscanf(line, "b %lf %lf", &s->b[s->terms], &s->se[s->terms]), 2));
            s->terms++;
        } else if (strncmp(line, "y\t", 2) == 0)
            strd_row(s, line + 2);
        else if (sscanf(line, "sd %lf", &s->sd) != 1 && sscanf(line, "r2 %lf", &s->r2) != 1)
            cr_assert(eq(int, line[0], '#'), "%s: %s", path, line);
    }
    fclose(f);
    cr_assert(eq(sz, s->terms, s->p));
    cr_assert(gt(sz, s->n, s->p));
}

/* Correct digits (log relative error), at most 15; of a certified 0, relative to @p scale. */
static double digits(double got, double certified, double scale)
{
    const double error = fabs(got - certified) / (certified != 0.0 ? fabs(certified) : scale);
    return isnan(error) ? 0.0 : error > 0.0 ? fmax(0.0, fmin(15.0, -log10(error))) : 15.0;
}

/* Does long double, in which the residuals are refined, hold more than double? valgrind's does not.
 */
static bool extended(void)
{
    volatile long double one = 1.0L, ulp = LDBL_EPSILON;
    return one + ulp != one;
}

/* Filip: a polynomial of degree 10 whose powers, rounded to doubles, leave about 7 digits of the
 * answer whatever the solver. */
Test(lstsq, reaches_the_certified_digits_of_the_nist_sets)
{
    static const char *const names[] = {"norris",   "pontius",  "noint1",   "noint2",
                                        "filip",    "longley",  "wampler1", "wampler2",
                                        "wampler3", "wampler4", "wampler5"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        strd s;
        lb_lstsq f;
        lb_error err = {0};
        strd_load(names[k], &s);
        const bool intercept = strcmp(s.origin, "intercept") == 0;
        cr_assert(eq(int,
                     lb_lstsq_fit((lb_cmat){s.x, s.n, s.p, s.p}, (lb_cvec){s.y, s.n}, intercept, &f,
                                  &err),
                     LB_OK),
                  "%s", err.text);
        double b = 15.0, se = 15.0;
        for (size_t j = 0; j < s.p; j++) {
            b = fmin(b, digits(f.w.data[j], s.b[j], 1.0));
            se = fmin(se, digits(f.se.data[j], s.se[j], fabs(s.b[j])));
        }
        const double sd = digits(f.residual_sd, s.sd, fabs(s.y[s.n - 1]));
        const double r2 = digits(f.r2, s.r2, 1.0);
        const double wanted = strcmp(names[k], "filip") == 0 ? 7.0 : extended() ? 10.0 : 6.0;
        printf("NIST %-8s  condition %7.1e  digits: b %4.1f  se %4.1f  sd %4.1f  R2 %4.1f\n",
               names[k], f.condition, b, se, sd, r2);
        cr_expect(eq(sz, f.rank, s.p));
        cr_expect(ge(dbl, fmin(fmin(b, se), fmin(sd, r2)), wanted), "%s", names[k]);
        lb_lstsq_free(&f);
    }
    fflush(stdout);
}

Test(lstsq, residuals_are_orthogonal_to_the_columns)
{
    const size_t n = 40, p = 5;
    double x[200], y[40];
    lb_rng r = lb_rng_make(3, 3);
    for (size_t i = 0; i < n * p; i++)
        x[i] = 2.17 + lb_rng_normal(&r);
    for (size_t i = 0; i < n; i++)
        y[i] = lb_rng_normal(&r);
    lb_lstsq f;
    cr_assert(
        eq(int, lb_lstsq_fit((lb_cmat){x, n, p, p}, (lb_cvec){y, n}, false, &f, NULL), LB_OK));
    for (size_t j = 0; j < p; j++) {
        double dot = 0.0;
        for (size_t i = 0; i < n; i++) {
            double residual = y[i];
            for (size_t k = 0; k < p; k++)
                residual -= x[i * p + k] * f.w.data[k];
            dot += residual * x[i * p + j];
        }
        cr_expect(lt(dbl, fabs(dot), 1e-13));
    }
    lb_lstsq_free(&f);
}

/* Twice the same column: half the weight each. More columns than rows: the shortest solution. */
Test(lstsq, shares_the_weight_of_dependent_columns)
{
    const double x[] = {1, 1, 2, 2, 3, 3}, y[] = {2, 4, 6.6}, wide[] = {3, 4}, one[] = {10};
    lb_lstsq f, g;
    cr_assert(
        eq(int, lb_lstsq_fit((lb_cmat){x, 3, 2, 2}, (lb_cvec){y, 3}, false, &f, NULL), LB_OK));
    cr_expect(eq(sz, f.rank, 1));
    cr_expect(not(isfinite(f.condition)));
    cr_expect(epsilon_eq(dbl, f.w.data[0], f.w.data[1], 1e-14));
    cr_expect(epsilon_eq(dbl, f.w.data[0], 0.5 * 29.8 / 14.0, 1e-14));
    cr_assert(
        eq(int, lb_lstsq_fit((lb_cmat){wide, 1, 2, 2}, (lb_cvec){one, 1}, false, &g, NULL), LB_OK));
    cr_expect(epsilon_eq(dbl, g.w.data[0], 1.2, 1e-14));
    cr_expect(epsilon_eq(dbl, g.w.data[1], 1.6, 1e-14));
    cr_expect(isnan(g.residual_sd), "no degrees of freedom");
    cr_expect(isnan(g.se.data[0]));
    lb_lstsq_free(&f);
    lb_lstsq_free(&g);
}

Test(lstsq, zero_columns_weigh_nothing_and_constant_y_has_no_r2)
{
    const double x[] = {1, 0, 1, 0, 1, 0}, y[] = {5, 5, 5};
    lb_lstsq f;
    cr_assert(eq(int, lb_lstsq_fit((lb_cmat){x, 3, 2, 2}, (lb_cvec){y, 3}, true, &f, NULL), LB_OK));
    cr_expect(epsilon_eq(dbl, f.w.data[0], 5.0, 1e-15));
    cr_expect(eq(dbl, f.w.data[1], 0.0));
    cr_expect(isnan(f.r2));
    lb_lstsq_free(&f);
}

Test(lstsq, says_which_argument_is_wrong)
{
    double x[] = {1, 2, 3, 4}, y[] = {1, 2};
    const lb_cmat design = {x, 2, 2, 2};
    lb_lstsq f;
    lb_error err = {0};
    cr_expect(eq(int, lb_lstsq_fit(design, (lb_cvec){y, 1}, true, &f, NULL), LB_ESHAPE));
    cr_expect(
        eq(int, lb_lstsq_fit((lb_cmat){x, 0, 2, 2}, (lb_cvec){y, 0}, true, &f, NULL), LB_EINVAL));
    cr_expect(
        eq(int, lb_lstsq_fit((lb_cmat){x, 2, 0, 2}, (lb_cvec){y, 2}, true, &f, NULL), LB_EINVAL));
    x[3] = NAN;
    cr_expect(eq(int, lb_lstsq_fit(design, (lb_cvec){y, 2}, true, &f, &err), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(err.text, "x[1][1]"), NULL), "%s", err.text);
    x[3] = 4;
    y[0] = INFINITY;
    cr_expect(eq(int, lb_lstsq_fit(design, (lb_cvec){y, 2}, true, &f, NULL), LB_ENUMERIC));
    cr_expect(eq(ptr, f.w.data, NULL));
    y[0] = 1;
    x[0] = x[2] = 1.7e308;
    err = (lb_error){0};
    cr_expect(eq(int, lb_lstsq_fit(design, (lb_cvec){y, 2}, false, &f, &err), LB_ENUMERIC));
    cr_expect(ne(ptr, strstr(err.text, "column 0"), NULL), "%s", err.text);
    lb_lstsq_free(&f);
}
