/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/threads.h"
#include "linalg/blas.h"
#include "linalg/toy.h"
#include "models/pca.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <omp.h>

/* Rows about 1 with five latents of falling strength, and noise. */
static toy latents(size_t n, size_t p, uint64_t seed)
{
    toy t = toy_make(n, p, seed);
    lb_rng r = lb_rng_make(seed, 7);
    for (size_t i = 0; i < n; i++) {
        double z[5];
        for (size_t k = 0; k < 5; k++)
            z[k] = pow(0.6, (double)k) * lb_rng_normal(&r);
        for (size_t j = 0; j < p; j++) {
            double f = 1.0 + 0.02 * lb_rng_normal(&r);
            for (size_t k = 0; k < 5; k++)
                f += 0.1 * z[k] * sin(0.37 * (double)((k + 1) * (j + 1)));
            t.x[i * p + j] = (float)f;
        }
    }
    return t;
}

/* n rows of p columns that are all @p value. */
static toy constant(size_t n, size_t p, float value)
{
    toy t = toy_make(n, p, 1);
    for (size_t e = 0; e < n * p; e++)
        t.x[e] = value;
    return t;
}

static lb_gram *gram_of(toy *t, bool float32)
{
    lb_gram *g = NULL;
    const lb_stream x = toy_stream(t);
    cr_assert(eq(int,
                 lb_gram_accumulate(&x, toy_y(t), NULL,
                                    (lb_gram_options){.groups = 1, .float32 = float32}, &g, NULL),
                 LB_OK));
    return g;
}

static lb_pca *by_gram(toy *t, size_t k)
{
    lb_pca *m = NULL;
    lb_error err = {0};
    lb_gram *g = gram_of(t, false);
    cr_assert(eq(int, lb_pca_fit(g, NULL, k, &m, &err), LB_OK), "%s", err.text);
    lb_gram_free(g);
    return m;
}

static lb_pca *by_stream(toy *t, size_t k)
{
    lb_pca *m = NULL;
    lb_error err = {0};
    const lb_stream x = toy_stream(t);
    cr_assert(eq(int, lb_pca_fit_stream(&x, k, &m, &err), LB_OK), "%s", err.text);
    return m;
}

static double *scores_of(const lb_pca *m, toy *t)
{
    double *s = lb_xcalloc(t->n * m->components.rows, sizeof *s);
    const lb_stream x = toy_stream(t);
    cr_assert(eq(int, lb_pca_scores(m, &x, lb_mat_of(s, t->n, m->components.rows), NULL), LB_OK));
    return s;
}

static double product(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t j = 0; j < n; j++)
        sum += a[j] * b[j];
    return sum;
}

static void expect_orthonormal(const lb_pca *m)
{
    const size_t p = m->components.cols;
    for (size_t i = 0; i < m->rank; i++)
        for (size_t j = 0; j <= i; j++) {
            const double dot = product(m->components.data + i * p, m->components.data + j * p, p);
            cr_expect(lt(dbl, fabs(dot - (i == j)), 1e-12));
        }
}

static void expect_same(const lb_pca *a, const lb_pca *b, double tolerance)
{
    const size_t k = a->components.rows, p = a->components.cols;
    cr_expect(eq(sz, a->rank, b->rank));
    cr_expect(le(dbl, distance(a->components.data, b->components.data, k * p), tolerance));
    cr_expect(le(dbl, distance(a->mean.data, b->mean.data, p), 1e-12));
    cr_expect(le(dbl, distance(a->variance.data, b->variance.data, k), tolerance));
    cr_expect(le(dbl, fabs(a->total - b->total), 1e-10 * b->total));
}

/* --- what components are ------------------------------------------------------------------------
 */

/* The slow, obvious version: all eigenvectors of the centred products, formed by hand. */
Test(pca, are_the_leading_eigenvectors_by_every_route)
{
    static const size_t columns[] = {40, 300, 1100}; /* dense; iteration; and passes, too */
    for (size_t c = 0; c < 3; c++) {
        const size_t n = 150, p = columns[c], k = 4;
        toy t = latents(n, p, 3);
        memset(t.group, 0, n * sizeof *t.group);
        lb_moments m = moments_by_hand(&t, (bool[]){true});
        lb_vec values = {lb_xcalloc(p, sizeof(double)), p};
        cr_assert(eq(int, lb_eigen_symmetric(m.xx, values, NULL), LB_OK));
        lb_pca *fits[] = {by_gram(&t, k), by_stream(&t, k)};
        for (size_t f = 0; f < 2; f++) {
            expect_orthonormal(fits[f]);
            cr_expect(eq(sz, fits[f]->n_rows, n));
            cr_expect(eq(sz, fits[f]->rank, k));
            cr_expect(eq(int, fits[f]->products > 0, p > 128));
            for (size_t i = 0; i < k; i++) {
                const double *v = m.xx.data + (p - 1 - i) * p,
                             *got = fits[f]->components.data + i * p;
                const double lambda = values.data[p - 1 - i] / (double)(n - 1);
                cr_expect(lt(dbl, fabs(fabs(product(v, got, p)) - 1.0), 1e-12));
                cr_expect(lt(dbl, fabs(fits[f]->variance.data[i] / lambda - 1.0), 1e-11));
            }
        }
        expect_same(fits[1], fits[0], 1e-8);
        lb_pca_free(fits[0]);
        lb_pca_free(fits[1]);
        free(values.data);
        moments_free(&m);
        toy_free(&t);
    }
}

/* Scores of the rows themselves: mean 0, uncorrelated, of the variance that is stated. */
Test(pca, scores_are_uncorrelated_and_carry_the_variance)
{
    toy t = latents(200, 300, 5);
    lb_pca *m = by_gram(&t, 5);
    double *s = scores_of(m, &t);
    for (size_t a = 0; a < 5; a++)
        for (size_t b = 0; b <= a; b++) {
            double sum = 0.0, cross = 0.0;
            for (size_t i = 0; i < t.n; i++) {
                sum += s[i * 5 + a];
                cross += s[i * 5 + a] * s[i * 5 + b] / 199.0;
            }
            cr_expect(lt(dbl, fabs(sum), 1e-9));
            cr_expect(lt(dbl, fabs(cross - (a == b) * m->variance.data[a]), 1e-10));
        }
    free(s);
    lb_pca_free(m);
    toy_free(&t);
}

Test(pca, all_components_together_explain_everything)
{
    toy t = latents(90, 30, 8);
    lb_pca *m = by_gram(&t, 30);
    double ratio = 0.0;
    for (size_t i = 0; i < 30; i++) {
        ratio += m->ratio.data[i];
        cr_expect(le(dbl, m->ratio.data[i], m->ratio.data[i ? i - 1 : 0]));
    }
    cr_expect(lt(dbl, fabs(ratio - 1.0), 1e-13));
    expect_orthonormal(m);
    lb_pca_free(m);
    toy_free(&t);
}

Test(pca, the_largest_loading_is_positive)
{
    toy t = latents(150, 300, 9);
    lb_pca *m = by_gram(&t, 5);
    for (size_t i = 0; i < 5; i++) {
        const double *v = m->components.data + i * 300;
        double least = 0.0, most = 0.0;
        for (size_t j = 0; j < 300; j++) {
            least = fmin(least, v[j]);
            most = fmax(most, v[j]);
        }
        cr_expect(gt(dbl, most, -least));
    }
    lb_pca_free(m);
    toy_free(&t);
}

Test(pca, a_group_is_fitted_as_if_it_were_alone)
{
    toy t = latents(300, 200, 4);
    const lb_stream x = toy_stream(&t);
    lb_gram *g = NULL;
    lb_pca *two = NULL, *none = NULL;
    cr_assert(eq(
        int, lb_gram_accumulate(&x, toy_y(&t), t.group, (lb_gram_options){.groups = 3}, &g, NULL),
        LB_OK));
    cr_assert(eq(int, lb_pca_fit(g, (bool[]){true, false, true}, 3, &two, NULL), LB_OK));
    cr_expect(eq(int, lb_pca_fit(g, (bool[]){false, false, false}, 3, &none, NULL), LB_EINVAL));
    cr_expect(eq(ptr, none, NULL));
    size_t n = 0;
    for (size_t i = 0; i < t.n; i++)
        if (t.group[i] == 0 || t.group[i] == 2)
            memmove(t.x + n++ * t.p, t.x + i * t.p, t.p * sizeof *t.x);
    t.n = n;
    lb_pca *alone = by_gram(&t, 3);
    expect_same(two, alone, 1e-8);
    lb_pca_free(two);
    lb_pca_free(alone);
    lb_gram_free(g);
    toy_free(&t);
}

Test(pca, of_a_float32_gram_are_good_to_a_millionth)
{
    toy t = latents(700, 300, 6);
    lb_gram *g = gram_of(&t, true);
    lb_pca *single = NULL, *exact = by_gram(&t, 4);
    cr_assert(eq(int, lb_pca_fit(g, NULL, 4, &single, NULL), LB_OK));
    cr_expect(lt(dbl, distance(single->components.data, exact->components.data, 4 * 300), 1e-6));
    lb_pca_free(single);
    lb_pca_free(exact);
    lb_gram_free(g);
    toy_free(&t);
}

/* --- awkward rows -------------------------------------------------------------------------------
 */

/* Six rows span five directions; the other three components are none. */
Test(pca, beyond_the_rank_components_are_zero)
{
    static const size_t columns[] = {50, 300, 1100};
    for (size_t c = 0; c < 3; c++) {
        toy t = latents(6, columns[c], 2);
        lb_pca *m = by_stream(&t, 8);
        double *s = scores_of(m, &t), explained = 0.0;
        cr_expect(eq(sz, m->rank, 5));
        expect_orthonormal(m);
        for (size_t i = 0; i < 8; i++) {
            explained += m->ratio.data[i];
            if (i < 5)
                continue;
            for (size_t j = 0; j < t.p; j++)
                cr_expect(eq(dbl, m->components.data[i * t.p + j], 0.0));
            cr_expect(eq(dbl, m->variance.data[i], 0.0));
            cr_expect(eq(dbl, s[i], 0.0));
        }
        cr_expect(lt(dbl, fabs(explained - 1.0), 1e-12));
        free(s);
        lb_pca_free(m);
        toy_free(&t);
    }
}

Test(pca, one_row_or_equal_rows_have_no_component)
{
    static const size_t columns[] = {50, 300, 1100};
    for (size_t c = 0; c < 6; c++) {
        toy t = constant(c < 3 ? 1 : 40, columns[c % 3], 0.1f);
        lb_pca *m = by_stream(&t, 2);
        double *s = scores_of(m, &t);
        cr_expect(eq(sz, m->rank, 0));
        cr_expect(eq(dbl, m->total, 0.0));
        cr_expect(isnan(m->ratio.data[0]));
        cr_expect(eq(dbl, m->variance.data[0], 0.0));
        cr_expect(eq(dbl, s[0], 0.0));
        free(s);
        lb_pca_free(m);
        toy_free(&t);
    }
}

Test(pca, a_constant_column_has_no_loading_and_twins_have_the_same)
{
    toy t = latents(150, 300, 11);
    for (size_t i = 0; i < t.n; i++) {
        t.x[i * 300 + 17] = 0.3f;
        t.x[i * 300 + 201] = t.x[i * 300 + 40];
    }
    lb_pca *m = by_gram(&t, 3);
    for (size_t i = 0; i < 3; i++) {
        const double *v = m->components.data + i * 300;
        cr_expect(lt(dbl, fabs(v[17]), 1e-14));
        cr_expect(lt(dbl, fabs(v[201] - v[40]), 1e-11));
    }
    lb_pca_free(m);
    toy_free(&t);
}

/* Rows +-a_i e_i have the eigenvalues 2 a_i^2 along the axes. */
static toy axes(size_t p, double fall)
{
    toy t = constant(2 * p, p, 0.0f);
    for (size_t i = 0; i < p; i++) {
        const float a = (float)(1.0 - fall * (double)i);
        t.x[2 * i * p + i] = a;
        t.x[(2 * i + 1) * p + i] = -a;
    }
    return t;
}

Test(pca, equal_variances_give_some_orthonormal_basis)
{
    toy t = axes(200, 0.0);
    lb_pca *m = by_gram(&t, 3);
    expect_orthonormal(m);
    for (size_t i = 0; i < 3; i++)
        cr_expect(lt(dbl, fabs(m->variance.data[i] - 2.0 / 399.0), 1e-14));
    lb_pca_free(m);
    toy_free(&t);
}

/* Two hundred eigenvalues that differ in the seventh digit: the iteration gives up. */
Test(pca, nearly_equal_variances_are_left_to_lapack)
{
    toy t = axes(200, 1e-7);
    lb_pca *m = by_gram(&t, 2);
    cr_expect(eq(sz, m->products, 0));
    cr_expect(gt(dbl, m->components.data[0], 0.999999));
    lb_pca_free(m);
    toy_free(&t);
}

/* The same through passes, which end and leave it to a Gram. */
Test(pca, a_stream_that_would_take_too_many_passes_is_summed_in_a_gram)
{
    toy flat = axes(1024, 1e-4);
    lb_pca *m = by_stream(&flat, 1), *g = by_gram(&flat, 1);
    cr_expect(gt(sz, g->products, 40));
    cr_expect(eq(sz, m->products, g->products));
    expect_same(m, g, 1e-12);
    lb_pca_free(m);
    lb_pca_free(g);
    toy_free(&flat);
}

/* --- bits ---------------------------------------------------------------------------------------
 */

Test(pca, one_and_two_threads_give_the_same_bits)
{
    static const size_t columns[] = {300, 1100};
    const size_t before = threads_now();
    for (size_t c = 0; c < 2; c++) {
        const size_t p = columns[c];
        toy t = latents(1200, p, 21);
        lb_pca *fits[2];
        double *s[2];
        for (int threads = 1; threads <= 2; threads++) {
            omp_set_num_threads(threads);
            fits[threads - 1] = by_stream(&t, 3);
            s[threads - 1] = scores_of(fits[threads - 1], &t);
        }
        cr_expect(gt(sz, threads_now(), before), "two threads were at work");
        cr_expect(eq(
            int, memcmp(fits[0]->components.data, fits[1]->components.data, 3 * p * sizeof(double)),
            0));
        cr_expect(
            eq(int, memcmp(fits[0]->variance.data, fits[1]->variance.data, 3 * sizeof(double)), 0));
        cr_expect(eq(int, memcmp(s[0], s[1], t.n * 3 * sizeof(double)), 0));
        t.n = 1; /* a row alone */
        memmove(t.x, t.x + 1111 * p, p * sizeof *t.x);
        double *alone = scores_of(fits[0], &t);
        cr_expect(eq(int, memcmp(alone, s[0] + 1111 * 3, 3 * sizeof(double)), 0));
        free(alone);
        for (int k = 0; k < 2; k++) {
            free(s[k]);
            lb_pca_free(fits[k]);
        }
        toy_free(&t);
    }
}

/* --- refusals -----------------------------------------------------------------------------------
 */

static void refuse_fit(toy *t, size_t k, lb_status expected, const char *words)
{
    lb_pca *m = NULL;
    lb_error err = {0};
    const lb_stream x = toy_stream(t);
    cr_expect(eq(int, lb_pca_fit_stream(&x, k, &m, &err), expected));
    cr_expect(ne(ptr, strstr(err.text, words), NULL), "'%s' in '%s'", words, err.text);
    cr_expect(eq(ptr, m, NULL));
}

Test(pca, say_which_argument_is_wrong)
{
    toy t = latents(20, 30, 1), wide = latents(70, 1100, 1);
    refuse_fit(&t, 0, LB_EINVAL, "0 components of 30");
    refuse_fit(&t, 31, LB_EINVAL, "ask for 1 to 30");
    lb_pca *m = by_gram(&t, 2), *none = NULL;
    lb_gram *g = gram_of(&t, false);
    cr_expect(eq(int, lb_pca_fit(g, NULL, 31, &none, NULL), LB_EINVAL));
    double s[60];
    const lb_stream x = toy_stream(&t), other = toy_stream(&wide);
    cr_expect(eq(int, lb_pca_scores(m, &x, lb_mat_of(s, 20, 3), NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_pca_scores(m, &x, lb_mat_of(s, 19, 2), NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_pca_scores(m, &other, lb_mat_of(s, 20, 2), NULL), LB_ESHAPE));
    const size_t rows = t.n;
    t.n = 0;
    refuse_fit(&t, 2, LB_EINVAL, "no row");
    t.n = rows;
    lb_pca_free(m);
    lb_pca_free(NULL);
    lb_gram_free(g);
    toy_free(&t);
    toy_free(&wide);
}

Test(pca, name_the_row_that_is_not_finite_and_pass_on_what_the_stream_says)
{
    static const size_t columns[] = {30, 1100};
    for (size_t c = 0; c < 2; c++) {
        toy t = latents(70, columns[c], 1);
        lb_pca *m = by_stream(&t, 2);
        double s[140];
        lb_error err = {0};
        const lb_stream x = toy_stream(&t);
        t.broken_from = 50;
        refuse_fit(&t, 2, LB_EIO, "on fire");
        cr_expect(eq(int, lb_pca_scores(m, &x, lb_mat_of(s, 70, 2), NULL), LB_EIO));
        t.broken_from = 0;
        t.x[43 * t.p + 5] = c ? INFINITY : NAN;
        refuse_fit(&t, 2, LB_ENUMERIC, "row 43");
        cr_expect(eq(int, lb_pca_scores(m, &x, lb_mat_of(s, 70, 2), &err), LB_ENUMERIC));
        cr_expect(ne(ptr, strstr(err.text, "row 43"), NULL), "%s", err.text);
        lb_pca_free(m);
        toy_free(&t);
    }
}

/* A stream whose row 3 is NaN in its first pass only, or from its second pass on. */
typedef struct fickle {
    toy t;
    size_t reads; /* of row 0; the shift of the mean reads it once more */
    bool first;
} fickle;

static lb_status fickle_read(void *self, size_t first, lb_matf x, lb_error *err)
{
    fickle *f = self;
    const lb_status st = toy_read(&f->t, first, x, err);
    f->reads += first == 0;
    if (x.rows > 3 && (f->reads <= 2) == f->first)
        x.data[3 * x.stride] = NAN;
    return st;
}

/* The pass for the mean, and each product after it. */
Test(pca, whichever_pass_fails_its_message_is_passed_on)
{
    toy t = latents(70, 1100, 1);
    const lb_stream x = toy_stream(&t);
    lb_pca *m = NULL;
    lb_status st;
    do {
        lb_error err = {0};
        t.reads = 0;
        t.most_reads++;
        st = lb_pca_fit_stream(&x, 2, &m, &err);
        cr_expect(st == LB_OK || (st == LB_EIO && strstr(err.text, "on fire") && !m), "%s",
                  err.text);
    } while (st != LB_OK && t.most_reads < 100);
    cr_expect(eq(int, st, LB_OK));
    cr_expect(gt(sz, t.most_reads, 3));
    lb_pca_free(m);
    toy_free(&t);
}

Test(pca, a_stream_that_changes_its_rows_is_found_out)
{
    for (int first = 0; first < 2; first++) {
        fickle f = {latents(70, 1100, 1), 0, first};
        const lb_stream x = {70, 1100, fickle_read, &f, false};
        lb_pca *m = NULL;
        lb_error err = {0};
        cr_expect(eq(int, lb_pca_fit_stream(&x, 2, &m, &err), LB_ENUMERIC));
        cr_expect(ne(ptr, strstr(err.text, "same rows every time"), NULL), "%s", err.text);
        toy_free(&f.t);
    }
}
