/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/random.h"
#include "data/gate_noise.h"
#include "data/quantile_bins.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1000 };

static double x[N];
static int bin[N];
static lb_quantile_bins b;
static lb_error err;

static void start(void)
{
    lb_rng r = lb_rng_make(31, 0);
    err = (lb_error){0};
    for (size_t i = 0; i < N; i++)
        x[i] = lb_rng_normal(&r);
}

TestSuite(quantile_bins, .init = start);
TestSuite(gate_noise, .init = start);

static void make(lb_cvec values, size_t k)
{
    cr_assert(eq(int, lb_quantile_bins_make(values, k, &b, &err), LB_OK), "%s", err.text);
    lb_quantile_bins_assign(&b, values, bin);
}

/* [M/H] as the grid has it: atoms every 0.25 dex from -2.5, some much heavier than others. */
static void on_nodes(void)
{
    for (size_t i = 0; i < N; i++)
        x[i] = -2.5 + 0.25 * floor(6.5 + 2.2 * x[i] + (x[i] > 0.0 ? 2.0 : 0.0));
}

Test(quantile_bins, different_values_fill_the_bins_evenly)
{
    for (size_t k = 1; k <= LB_QUANTILE_BINS_MAX; k++) {
        size_t count[LB_QUANTILE_BINS_MAX];
        make((lb_cvec){x, N}, k);
        lb_quantile_bins_count(bin, N, b.n, count);
        cr_expect(eq(sz, b.n, k));
        for (size_t j = 0; j < k; j++)
            cr_expect(count[j] >= N / k - 1 && count[j] <= N / k + 1, "%zu of %zu", j, k);
    }
}

Test(quantile_bins, every_value_has_a_bin_and_an_edge_belongs_to_the_upper_one)
{
    const double edges[] = {-1.0, 0.0};
    const double v[] = {-INFINITY, -1.0, nextafter(-1.0, -2.0), -0.5, 0.0, 7.0, INFINITY, NAN};
    const int want[] = {0, 1, 0, 1, 2, 2, 2, -1};
    cr_assert(eq(int, lb_quantile_bins_at(edges, 2, &b, &err), LB_OK));
    lb_quantile_bins_assign(&b, (lb_cvec){v, 8}, bin);
    for (size_t i = 0; i < 8; i++)
        cr_expect(eq(int, bin[i], want[i]), "%g", v[i]);
    cr_expect(eq(sz, b.n, 3));
}

Test(quantile_bins, two_edges_on_one_atom_are_one_edge)
{
    const double v[] = {1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0, 4.0, 5.0};
    size_t count[6];
    make((lb_cvec){v, 10}, 5);
    cr_expect(eq(sz, b.asked, 5));
    cr_expect(eq(sz, b.n, 3), "edges 2, 2, 2.4 ...: %zu bins", b.n);
    lb_quantile_bins_count(bin, 10, b.n, count);
    for (size_t k = 0; k < b.n; k++)
        cr_expect(gt(sz, count[k], 0));
    cr_expect(eq(dbl, b.edge[0], 2.0), "the atom itself, to the last bit");
    cr_expect(eq(int, bin[1], 1), "and it belongs to the upper bin");
}

Test(quantile_bins, no_bin_is_empty_whatever_the_atoms)
{
    on_nodes();
    for (size_t k = 1; k <= LB_QUANTILE_BINS_MAX; k++) {
        size_t count[LB_QUANTILE_BINS_MAX];
        make((lb_cvec){x, N}, k);
        lb_quantile_bins_count(bin, N, b.n, count);
        for (size_t j = 0; j < b.n; j++)
            cr_expect(gt(sz, count[j], 0), "bin %zu of %zu for K = %zu", j, b.n, k);
        for (size_t j = 1; j + 1 < b.n; j++)
            cr_expect(gt(dbl, b.edge[j], b.edge[j - 1]));
    }
    cr_expect(lt(sz, b.n, LB_QUANTILE_BINS_MAX), "there are not so many atoms");
}

Test(quantile_bins, an_edge_on_the_smallest_value_is_no_edge)
{
    const double v[] = {-2.0, -2.0, -2.0, -2.0, 0.0, 1.0};
    make((lb_cvec){v, 6}, 3);
    cr_expect(eq(sz, b.n, 2));
    cr_expect(eq(int, bin[0], 0));
    cr_expect(eq(int, bin[5], 1));
}

Test(quantile_bins, one_value_and_equal_values_make_one_bin)
{
    const double one = 2.17, same[] = {2.17, 2.17, 2.17};
    make((lb_cvec){&one, 1}, 4);
    cr_expect(eq(sz, b.n, 1));
    make((lb_cvec){same, 3}, 4);
    cr_expect(eq(sz, b.n, 1));
    cr_expect(eq(int, bin[2], 0));
}

Test(quantile_bins, the_edges_are_numpys_quantiles)
{
    const double v[] = {0.3, 1.7, 2.4, 9.9, 5.1, 4.2, 3.3}; /* sorted: .3 1.7 2.4 3.3 4.2 5.1 9.9 */
    make((lb_cvec){v, 7}, 4);
    cr_expect(epsilon_eq(dbl, b.edge[0], 2.05, 1e-14));
    cr_expect(epsilon_eq(dbl, b.edge[1], 3.3, 1e-14));
    cr_expect(epsilon_eq(dbl, b.edge[2], 4.65, 1e-14));
}

Test(quantile_bins, intervals_read_as_they_are_meant)
{
    char s[LB_QUANTILE_BINS_TEXT];
    const double edges[] = {-0.25, 0.5};
    lb_quantile_bins_at(edges, 2, &b, &err);
    const char *want[] = {"(−∞, -0.25)", "[-0.25, 0.5)", "[0.5, ∞)"};
    for (size_t k = 0; k < 3; k++) {
        lb_quantile_bins_interval(&b, k, s);
        cr_expect(eq(str, s, (char *)want[k]));
    }
    lb_quantile_bins_at(NULL, 0, &b, &err);
    lb_quantile_bins_interval(&b, 0, s);
    cr_expect(eq(str, s, "(−∞, ∞)"));
}

/* --- merging ------------------------------------------------------------------------------------
 */

static const double five[] = {1.0, 2.0, 3.0, 4.0};

Test(quantile_bins, the_smallest_bin_joins_its_smaller_neighbour)
{
    const size_t rows[] = {100, 40, 12, 35, 90};
    const int want[] = {0, 1, 2, 2, 3};
    int to[5];
    lb_text log = {0};
    lb_quantile_bins_at(five, 4, &b, &err);
    cr_assert(lb_quantile_bins_merge(&b, rows, 30, &b, to, &log));
    cr_expect(eq(sz, b.n, 4));
    for (size_t k = 0; k < 5; k++)
        cr_expect(eq(int, to[k], want[k]));
    cr_expect(eq(dbl, b.edge[2], 4.0), "the edge at 3 went");
    cr_expect(eq(str, log.s, "bin [2, 3) has 12 rows, below 30: merged with [3, 4), 35 rows\n"));
    lb_text_free(&log);
}

Test(quantile_bins, a_tie_goes_to_the_lower_bin)
{
    const size_t rows[] = {50, 50, 10, 50, 10};
    const int want[] = {0, 1, 1, 2, 2};
    int to[5];
    lb_quantile_bins_at(five, 4, &b, &err);
    cr_assert(lb_quantile_bins_merge(&b, rows, 30, &b, to, NULL));
    for (size_t k = 0; k < 5; k++)
        cr_expect(eq(int, to[k], want[k]), "bin %zu", k);
    const size_t smallest[] = {10, 10, 10, 14, 40};
    const int lower_first[] = {0, 0, 1, 1, 2};
    lb_quantile_bins_at(five, 4, &b, &err);
    cr_assert(lb_quantile_bins_merge(&b, smallest, 15, &b, to, NULL));
    for (size_t k = 0; k < 5; k++)
        cr_expect(eq(int, to[k], lower_first[k]), "bin %zu", k);
}

Test(quantile_bins, merging_goes_on_until_all_bins_suffice_or_one_is_left)
{
    const size_t rows[] = {5, 4, 3, 2, 1}, few[] = {10, 9, 50, 9, 10};
    lb_quantile_bins left;
    int to[5];
    lb_quantile_bins_at(five, 4, &b, &err);
    cr_assert(lb_quantile_bins_merge(&b, rows, 30, &left, to, NULL));
    cr_expect(eq(sz, left.n, 1));
    for (size_t k = 0; k < 5; k++)
        cr_expect(eq(int, to[k], 0));
    cr_assert(lb_quantile_bins_merge(&b, few, 15, &left, to, NULL));
    cr_expect(eq(sz, left.n, 3));
    cr_expect(eq(sz, b.n, 5), "the bins given stay");
    const int want[] = {0, 0, 1, 2, 2};
    for (size_t k = 0; k < 5; k++)
        cr_expect(eq(int, to[k], want[k]), "bin %zu", k);
    cr_expect(eq(sz, left.asked, 5));
}

Test(quantile_bins, bins_of_enough_rows_are_left_alone)
{
    const size_t rows[] = {30, 31, 30, 99, 30};
    int to[5];
    lb_text log = {0};
    lb_quantile_bins_at(five, 4, &b, &err);
    cr_expect(eq(int, lb_quantile_bins_merge(&b, rows, 30, &b, to, &log), false));
    cr_expect(log.s == NULL);
    cr_expect(eq(int, to[4], 4));
}

Test(quantile_bins, the_merged_bins_assign_as_the_map_says)
{
    size_t rows[6];
    int to[6];
    on_nodes();
    make((lb_cvec){x, N}, 6);
    const lb_quantile_bins before = b;
    lb_quantile_bins_count(bin, N, b.n, rows);
    lb_quantile_bins_merge(&b, rows, 200, &b, to, NULL);
    cr_expect(lt(sz, b.n, before.n));
    int *after = malloc(N * sizeof *after);
    lb_quantile_bins_assign(&b, (lb_cvec){x, N}, after);
    for (size_t i = 0; i < N; i++)
        cr_expect(eq(int, after[i], to[bin[i]]));
    free(after);
}

Test(quantile_bins, says_what_is_wrong)
{
    const double down[] = {1.0, 1.0}, inf = INFINITY;
    double many[LB_QUANTILE_BINS_MAX] = {0};
    cr_expect(eq(int, lb_quantile_bins_make((lb_cvec){x, N}, 0, &b, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_quantile_bins_make((lb_cvec){x, N}, 17, &b, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "17 quantile bins") != NULL, "%s", err.text);
    cr_expect(eq(int, lb_quantile_bins_make((lb_cvec){x, 0}, 3, &b, NULL), LB_EINVAL));
    x[17] = NAN;
    err = (lb_error){0};
    cr_expect(eq(int, lb_quantile_bins_make((lb_cvec){x, N}, 3, &b, &err), LB_ENUMERIC));
    cr_expect(strstr(err.text, "row 17 is nan") != NULL, "%s", err.text);
    cr_expect(eq(int, lb_quantile_bins_at(down, 2, &b, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_quantile_bins_at(&inf, 1, &b, NULL), LB_ENUMERIC));
    cr_expect(eq(int, lb_quantile_bins_at(many, LB_QUANTILE_BINS_MAX, &b, NULL), LB_EINVAL));
}

/* --- what a gate is told ------------------------------------------------------------------------
 */

static double told[N], other[N];

static lb_status noise(size_t draw, const size_t *rows, double sigma, double *out)
{
    return lb_gate_noise(42, draw, rows, sigma, (lb_cvec){x, N}, (lb_vec){out, N}, &err);
}

Test(gate_noise, is_normal_with_the_width_asked_for)
{
    double mean = 0.0, square = 0.0, between = 0.0;
    cr_assert(eq(int, noise(0, NULL, 0.2, told), LB_OK));
    cr_assert(eq(int, noise(1, NULL, 0.2, other), LB_OK));
    for (size_t i = 0; i < N; i++) {
        const double e = (told[i] - x[i]) / 0.2;
        mean += e / N;
        square += e * e / N;
        between += e * (other[i] - x[i]) / 0.2 / N;
    }
    cr_expect(lt(dbl, fabs(mean), 0.1), "three standard errors");
    cr_expect(lt(dbl, fabs(square - 1.0), 0.14));
    cr_expect(lt(dbl, fabs(between), 0.1), "draws know nothing of each other");
}

Test(gate_noise, no_width_returns_the_very_label)
{
    cr_assert(eq(int, noise(3, NULL, 0.0, told), LB_OK));
    cr_expect(memcmp(told, x, sizeof x) == 0);
}

Test(gate_noise, levels_of_one_draw_share_their_errors)
{
    noise(4, NULL, 0.1, told);
    noise(4, NULL, 0.5, other);
    for (size_t i = 0; i < N; i++)
        cr_expect(epsilon_eq(dbl, 5.0 * (told[i] - x[i]), other[i] - x[i], 1e-13));
}

Test(gate_noise, a_row_keeps_its_error_in_every_subset)
{
    size_t rows[N];
    noise(5, NULL, 0.3, told);
    for (size_t i = 0; i < N; i++)
        rows[i] = N - 1 - i;
    noise(5, rows, 0.3, other);
    for (size_t i = 0; i < N; i++)
        cr_expect(epsilon_eq(dbl, other[i] - x[i], told[rows[i]] - x[rows[i]], 1e-14));
}

Test(gate_noise, clamping_moves_what_lies_beyond_to_the_edge)
{
    double v[] = {-3.0, -2.0, 0.1, 0.5, 0.6, NAN};
    cr_expect(eq(sz, lb_clamp((lb_vec){v, 6}, -2.0, 0.5), 2));
    const double want[] = {-2.0, -2.0, 0.1, 0.5, 0.5};
    for (size_t i = 0; i < 5; i++)
        cr_expect(eq(dbl, v[i], want[i]));
    cr_expect(isnan(v[5]));
}

Test(gate_noise, says_what_is_wrong)
{
    size_t rows[N] = {0};
    cr_expect(eq(int, noise(0, NULL, -0.1, told), LB_EINVAL));
    cr_expect(eq(int, noise(0, NULL, NAN, told), LB_EINVAL));
    cr_expect(eq(int, noise(0, NULL, INFINITY, told), LB_EINVAL));
    cr_expect(eq(int, noise(65536, NULL, 0.1, told), LB_EINVAL));
    rows[2] = (size_t)1 << 40;
    cr_expect(eq(int, noise(0, rows, 0.1, told), LB_EINVAL));
    cr_expect(eq(int, lb_gate_noise(1, 0, NULL, 0.1, (lb_cvec){x, 3}, (lb_vec){told, 2}, NULL),
                 LB_ESHAPE));
    x[8] = INFINITY;
    err = (lb_error){0};
    cr_expect(eq(int, noise(0, NULL, 0.1, told), LB_ENUMERIC));
    cr_expect(strstr(err.text, "row 8 is inf") != NULL, "%s", err.text);
}
