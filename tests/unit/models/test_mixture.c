/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/random.h"
#include "models/mixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

enum { N = 6, K = 3 };

/* Three experts that can be told apart by their hundreds, a global model by its thousands. */
static double table[N * K], probability[N * K], global[N], out[N];
static bool absent[K];
static lb_mixture_use use;
static lb_error err;

static lb_experts experts(void)
{
    return (lb_experts){.yhat = {table, N, K, K}, .absent = absent};
}

static lb_experts with_global(void)
{
    lb_experts e = experts();
    e.global = (lb_cvec){global, N};
    return e;
}

static lb_cmat gate(void)
{
    return (lb_cmat){probability, N, K, K};
}

static lb_vec into(void)
{
    return (lb_vec){out, N};
}

static void start(void)
{
    lb_rng r = lb_rng_make(217, 0);
    err = (lb_error){0};
    for (size_t i = 0; i < N; i++) {
        double sum = 0.0;
        global[i] = 1000.0 + (double)i;
        for (size_t k = 0; k < K; k++) {
            table[i * K + k] = 100.0 * (double)(k + 1) + (double)i;
            sum += probability[i * K + k] = 0.05 + lb_rng_uniform(&r);
        }
        for (size_t k = 0; k < K; k++)
            probability[i * K + k] /= sum;
    }
    memset(absent, 0, sizeof absent);
}

TestSuite(mixture, .init = start);

/* --- gathering ----------------------------------------------------------------------------------
 */

Test(mixture, gathers_models_that_lie_apart_into_one_table)
{
    const double a[] = {1.5, 2.5}, c[] = {3.5, 4.5};
    const lb_cvec columns[] = {{a, 2}, {NULL, 0}, {c, 2}};
    double into_table[8];
    const lb_mat t = {into_table, 2, 3, 4};
    cr_assert(eq(int, lb_mixture_gather(columns, 3, t, absent, &err), LB_OK));
    cr_expect(absent[1] && !absent[0] && !absent[2]);
    cr_expect(eq(dbl, into_table[4], 2.5));
    cr_expect(eq(dbl, into_table[6], 4.5));
    cr_expect(isnan(into_table[1]) && isnan(into_table[5]), "an absent expert says nothing");
}

Test(mixture, a_single_expert_is_the_mixture_however_it_is_routed)
{
    const lb_experts one = {.yhat = {table, N, 1, K}};
    double sure[N], soft[N], hard[N], given[N];
    int bin[N] = {0};
    for (size_t i = 0; i < N; i++)
        sure[i] = 1.0;
    const lb_cmat p = {sure, N, 1, 1};
    cr_expect(eq(int, lb_mixture_soft(one, p, 0.0, (lb_vec){soft, N}, NULL, NULL), LB_OK));
    cr_expect(eq(int, lb_mixture_hard(one, p, (lb_vec){hard, N}, NULL, NULL), LB_OK));
    cr_expect(eq(int, lb_mixture_given(one, bin, (lb_vec){given, N}, NULL, NULL), LB_OK));
    for (size_t i = 0; i < N; i++)
        cr_expect(soft[i] == table[i * K] && hard[i] == table[i * K] && given[i] == table[i * K]);
}

Test(mixture, without_a_list_of_absent_experts_all_are_there)
{
    lb_experts e = experts();
    double all[N];
    cr_assert(eq(int, lb_mixture_soft(e, gate(), 0.0, into(), NULL, NULL), LB_OK));
    e.absent = NULL;
    cr_assert(eq(int, lb_mixture_soft(e, gate(), 0.0, (lb_vec){all, N}, NULL, NULL), LB_OK));
    cr_expect(eq(int, memcmp(out, all, sizeof all), 0));
}

Test(mixture, gathering_names_the_expert_of_another_length)
{
    const double a[] = {1.5, 2.5, 3.5};
    const lb_cvec columns[] = {{a, 2}, {a, 3}};
    double into_table[4];
    cr_expect(eq(int, lb_mixture_gather(columns, 2, lb_mat_of(into_table, 2, 2), absent, &err),
                 LB_ESHAPE));
    cr_expect(strstr(err.text, "expert 1 predicts 3 rows of 2") != NULL, "%s", err.text);
    cr_expect(eq(int, lb_mixture_gather(columns, 2, lb_mat_of(into_table, 2, 1), absent, NULL),
                 LB_ESHAPE));
}

/* --- given bins ---------------------------------------------------------------------------------
 */

static const int bins[N] = {2, 0, -1, 1, 1, 2};

Test(mixture, a_given_bin_takes_the_prediction_of_its_expert)
{
    cr_assert(eq(int, lb_mixture_given(experts(), bins, into(), &use, &err), LB_OK));
    const double want[N] = {300.0, 101.0, NAN, 203.0, 204.0, 305.0};
    for (size_t i = 0; i < N; i++)
        cr_expect(out[i] == want[i] || (isnan(out[i]) && isnan(want[i])), "row %zu", i);
    cr_expect(eq(sz, use.rows, N));
    cr_expect(eq(sz, use.uncovered, 1));
    cr_expect(eq(sz, use.fallback, 0));
}

Test(mixture, rows_without_an_expert_take_the_global_model)
{
    absent[1] = true;
    table[3 * K + 1] = NAN; /* is not read */
    cr_assert(eq(int, lb_mixture_given(with_global(), bins, into(), &use, &err), LB_OK));
    const double want[N] = {300.0, 101.0, 1002.0, 1003.0, 1004.0, 305.0};
    for (size_t i = 0; i < N; i++)
        cr_expect(eq(dbl, out[i], want[i]), "row %zu", i);
    cr_expect(eq(sz, use.fallback, 3));
    cr_expect(eq(sz, use.uncovered, 0));
}

Test(mixture, a_bin_that_does_not_exist_is_an_error)
{
    int wrong[N] = {0, 1, 2, 3, 0, 0};
    cr_expect(eq(int, lb_mixture_given(experts(), wrong, into(), NULL, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "row 3 is of bin 3, but there are 3") != NULL, "%s", err.text);
    wrong[3] = -2;
    cr_expect(eq(int, lb_mixture_given(experts(), wrong, into(), NULL, NULL), LB_EINVAL));
}

/* --- a gate -------------------------------------------------------------------------------------
 */

Test(mixture, hard_routing_is_the_given_bin_of_the_largest_probability)
{
    int top[N];
    double by_bin[N];
    for (size_t i = 0; i < N; i++) {
        const double *p = probability + i * K;
        top[i] = p[0] >= p[1] && p[0] >= p[2] ? 0 : p[1] >= p[2] ? 1 : 2;
    }
    lb_mixture_given(experts(), top, (lb_vec){by_bin, N}, NULL, &err);
    cr_assert(eq(int, lb_mixture_hard(experts(), gate(), into(), &use, &err), LB_OK));
    for (size_t i = 0; i < N; i++)
        cr_expect(eq(dbl, out[i], by_bin[i]));
    cr_expect(eq(sz, use.fallback + use.uncovered + use.renormalised, 0));
}

Test(mixture, soft_routing_is_the_weighted_sum)
{
    cr_assert(eq(int, lb_mixture_soft(experts(), gate(), 0.0, into(), &use, &err), LB_OK));
    for (size_t i = 0; i < N; i++) {
        double sum = 0.0;
        for (size_t k = 0; k < K; k++)
            sum += probability[i * K + k] * table[i * K + k];
        cr_expect(epsilon_eq(dbl, out[i], sum, 1e-12 * sum));
    }
    cr_expect(eq(sz, use.fallback, 0));
}

Test(mixture, a_certain_gate_makes_soft_and_hard_the_same)
{
    double hard[N];
    memset(probability, 0, sizeof probability);
    for (size_t i = 0; i < N; i++)
        probability[i * K + (2 * i + 1) % K] = 1.0;
    lb_mixture_hard(experts(), gate(), (lb_vec){hard, N}, NULL, &err);
    lb_mixture_soft(experts(), gate(), 0.0, into(), NULL, &err);
    for (size_t i = 0; i < N; i++)
        cr_expect(eq(dbl, out[i], hard[i]));
}

Test(mixture, equal_experts_make_the_gate_irrelevant)
{
    for (size_t i = 0; i < N * K; i++)
        table[i] = 2.17;
    lb_mixture_soft(experts(), gate(), 0.0, into(), NULL, &err);
    for (size_t i = 0; i < N; i++)
        cr_expect(epsilon_eq(dbl, out[i], 2.17, 1e-14));
}

Test(mixture, doubt_takes_the_global_model_and_is_counted)
{
    const double p[N * K] = {0.5,  0.3,  0.2, /* exactly tau: trusted */
                             0.4,  0.35, 0.25, 0.2, 0.2, 0.6, 0.34, 0.33,
                             0.33, 0.1,  0.9,  0.0, 0.0, 0.0, 1.0};
    memcpy(probability, p, sizeof p);
    cr_assert(eq(int, lb_mixture_soft(with_global(), gate(), 0.5, into(), &use, &err), LB_OK));
    cr_expect(eq(sz, use.fallback, 2));
    cr_expect(epsilon_eq(dbl, out[0], 170.0, 1e-12));
    cr_expect(eq(dbl, out[1], 1001.0));
    cr_expect(eq(dbl, out[3], 1003.0));
    cr_assert(eq(int, lb_mixture_soft(with_global(), gate(), 1.0, into(), &use, &err), LB_OK));
    cr_expect(eq(sz, use.fallback, 5), "only certainty passes tau = 1");
    cr_assert(eq(int, lb_mixture_soft(with_global(), gate(), 0.0, into(), &use, &err), LB_OK));
    cr_expect(eq(sz, use.fallback, 0));
}

Test(mixture, probability_of_an_absent_expert_is_shared_by_the_others)
{
    const double p[N * K] = {0.2, 0.2, 0.6, 0.5, 0.5, 0.0, 0.0, 0.0, 1.0,
                             0.1, 0.3, 0.6, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0};
    memcpy(probability, p, sizeof p);
    absent[2] = true;
    for (size_t i = 0; i < N; i++)
        table[i * K + 2] = NAN;
    cr_assert(eq(int, lb_mixture_soft(experts(), gate(), 0.0, into(), &use, &err), LB_OK));
    cr_expect(epsilon_eq(dbl, out[0], 150.0, 1e-12), "0.2 : 0.2 becomes 0.5 : 0.5");
    cr_expect(epsilon_eq(dbl, out[3], 0.25 * 103.0 + 0.75 * 203.0, 1e-12));
    cr_expect(isnan(out[2]), "nobody is left for row 2");
    cr_expect(eq(sz, use.renormalised, 3));
    cr_expect(eq(sz, use.uncovered, 1));
    cr_expect(epsilon_eq(dbl, use.lost, 2.2 / N, 1e-14));
    cr_assert(eq(int, lb_mixture_hard(with_global(), gate(), into(), &use, &err), LB_OK));
    cr_expect(eq(dbl, out[0], 100.0));
    cr_expect(eq(dbl, out[3], 203.0));
    cr_expect(eq(dbl, out[2], 1002.0));
    cr_expect(eq(sz, use.fallback, 1));
}

Test(mixture, trust_in_an_absent_expert_is_no_trust_in_the_others)
{
    const double p[N * K] = {0.3, 0.1, 0.6, 0.6, 0.0, 0.4, 1.0, 0.0, 0.0,
                             1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0};
    memcpy(probability, p, sizeof p);
    absent[2] = true;
    cr_assert(eq(int, lb_mixture_soft(with_global(), gate(), 0.5, into(), &use, &err), LB_OK));
    cr_expect(eq(dbl, out[0], 1000.0), "0.3 of 0.4 is not 0.5 of 1");
    cr_expect(epsilon_eq(dbl, out[1], 101.0, 1e-12));
}

/* --- full coverage ------------------------------------------------------------------------------
 */

Test(mixture, rows_outside_take_the_stand_in_and_the_others_keep_theirs)
{
    const bool outside[N] = {false, true, false, false, true, false};
    const double tenth[N] = {NAN, 7.5, NAN, NAN, 8.5, NAN}; /* inside it is not looked at */
    size_t n = 0;
    double clamped[N];
    lb_mixture_soft(experts(), gate(), 0.0, into(), NULL, &err);
    memcpy(clamped, out, sizeof out); /* edge clamp: the gate's weights as they are */
    cr_assert(eq(int, lb_mixture_cover(outside, (lb_cvec){tenth, N}, into(), &n, &err), LB_OK));
    cr_expect(eq(sz, n, 2));
    for (size_t i = 0; i < N; i++)
        cr_expect(eq(dbl, out[i], outside[i] ? tenth[i] : clamped[i]));
    cr_assert(eq(int, lb_mixture_cover(outside, (lb_cvec){global, N}, into(), NULL, &err), LB_OK));
    cr_expect(eq(dbl, out[1], 1001.0));
    cr_assert(eq(int, lb_mixture_cover(outside, (lb_cvec){0}, into(), NULL, &err), LB_OK));
    cr_expect(isnan(out[1]) && isnan(out[4]) && !isnan(out[0]), "covered rows only");
}

Test(mixture, a_stand_in_must_fit_and_be_finite)
{
    const bool outside[N] = {false, true};
    const double tenth[N] = {1.0, INFINITY};
    cr_expect(
        eq(int, lb_mixture_cover(outside, (lb_cvec){tenth, 2}, into(), NULL, &err), LB_ESHAPE));
    err = (lb_error){0};
    cr_expect(
        eq(int, lb_mixture_cover(outside, (lb_cvec){tenth, N}, into(), NULL, &err), LB_ENUMERIC));
    cr_expect(strstr(err.text, "the stand-in predicts inf for row 1") != NULL, "%s", err.text);
}

/* --- refusals -----------------------------------------------------------------------------------
 */

Test(mixture, a_prediction_that_is_used_must_be_finite)
{
    table[4 * K + 1] = NAN;
    cr_expect(eq(int, lb_mixture_soft(experts(), gate(), 0.0, into(), NULL, &err), LB_ENUMERIC));
    cr_expect(strstr(err.text, "expert 1 predicts nan for row 4") != NULL, "%s", err.text);
    probability[4 * K] += probability[4 * K + 1];
    probability[4 * K + 1] = 0.0;
    cr_expect(eq(int, lb_mixture_soft(experts(), gate(), 0.0, into(), NULL, NULL), LB_OK),
              "with probability 0 it is not used");
    cr_expect(eq(int, lb_mixture_given(experts(), bins, into(), NULL, NULL), LB_ENUMERIC));
    global[2] = INFINITY;
    table[4 * K + 1] = 1.0;
    err = (lb_error){0};
    cr_expect(eq(int, lb_mixture_given(with_global(), bins, into(), NULL, &err), LB_ENUMERIC));
    cr_expect(strstr(err.text, "the global model predicts inf for row 2") != NULL, "%s", err.text);
}

Test(mixture, a_bad_gate_is_refused_by_row)
{
    probability[5 * K] += 1e-5;
    cr_expect(eq(int, lb_mixture_soft(experts(), gate(), 0.0, into(), NULL, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "row 5 sum to") != NULL, "%s", err.text);
    probability[5 * K] = NAN;
    cr_expect(eq(int, lb_mixture_hard(experts(), gate(), into(), NULL, NULL), LB_ENUMERIC));
}

Test(mixture, says_what_does_not_fit)
{
    const lb_cmat narrow = {probability, N, K - 1, K};
    lb_experts e = with_global();
    cr_expect(eq(int, lb_mixture_hard(experts(), narrow, into(), NULL, &err), LB_ESHAPE));
    cr_expect(strstr(err.text, "6x2") != NULL, "%s", err.text);
    const lb_cmat fewer = {probability, N - 1, K, K};
    cr_expect(eq(int, lb_mixture_hard(experts(), fewer, into(), NULL, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_mixture_soft(experts(), gate(), 0.0, (lb_vec){out, N - 1}, NULL, NULL),
                 LB_ESHAPE));
    e.global.n = N - 1;
    cr_expect(eq(int, lb_mixture_given(e, bins, into(), NULL, NULL), LB_ESHAPE));
    err = (lb_error){0};
    cr_expect(eq(int, lb_mixture_soft(experts(), gate(), 0.5, into(), NULL, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "without a global model") != NULL, "%s", err.text);
    cr_expect(eq(int, lb_mixture_soft(with_global(), gate(), 1.5, into(), NULL, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_mixture_soft(with_global(), gate(), NAN, into(), NULL, NULL), LB_EINVAL));
}

Test(mixture, no_rows_are_no_problem)
{
    const lb_experts none = {.yhat = {table, 0, K, K}};
    cr_expect(eq(
        int,
        lb_mixture_soft(none, (lb_cmat){probability, 0, K, K}, 0.0, (lb_vec){out, 0}, &use, &err),
        LB_OK));
    cr_expect(eq(sz, use.rows, 0));
    cr_expect(eq(dbl, use.lost, 0.0));
}
