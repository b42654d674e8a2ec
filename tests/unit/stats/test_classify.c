/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/random.h"
#include "stats/classify.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

enum { N = 9, K = 4 };

/* Class 3 neither occurs nor is called. */
static const int truth[N] = {0, 0, 0, 0, 1, 1, 1, 2, 2};
static const int called[N] = {0, 0, 1, 2, 1, 1, 0, 2, 1};

static lb_rowset *rows;
static lb_confusion *c;
static lb_error err;

static void start(void)
{
    err = (lb_error){0};
    rows = lb_rowset_all("nine", "toy", N);
    cr_assert(eq(int, lb_confusion_make(rows, truth, called, K, &c, &err), LB_OK), "%s", err.text);
}

static void stop(void)
{
    lb_confusion_free(c);
    lb_rowset_free(rows);
}

TestSuite(confusion, .init = start, .fini = stop);
TestSuite(reliability, .init = start, .fini = stop);
TestSuite(weights, .init = start, .fini = stop);

/* --- confusion ----------------------------------------------------------------------------------
 */

Test(confusion, counts_every_row_once)
{
    const size_t want[K][K] = {{2, 1, 1, 0}, {1, 2, 0, 0}, {0, 1, 1, 0}, {0, 0, 0, 0}};
    size_t sum = 0;
    for (size_t t = 0; t < K; t++)
        for (size_t k = 0; k < K; k++) {
            cr_expect(eq(sz, lb_confusion_count(c, t, k), want[t][k]), "%zu, %zu", t, k);
            sum += lb_confusion_count(c, t, k);
        }
    cr_expect(eq(sz, sum, N));
    cr_expect(eq(sz, lb_confusion_classes(c), K));
    cr_expect(eq(sz, lb_confusion_rows(c, 0), 4));
}

Test(confusion, normalised_rows_sum_to_one_or_hold_nothing)
{
    double data[K * K];
    cr_assert(eq(int, lb_confusion_normalised(c, lb_mat_of(data, K, K), &err), LB_OK));
    for (size_t t = 0; t < K; t++) {
        double sum = 0.0;
        for (size_t k = 0; k < K; k++)
            sum += data[t * K + k];
        cr_expect(epsilon_eq(dbl, sum, t == 3 ? 0.0 : 1.0, 1e-15));
    }
    cr_expect(eq(dbl, data[0], 0.5));
    cr_expect(eq(int, lb_confusion_normalised(c, lb_mat_of(data, K, K - 1), NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_confusion_normalised(c, lb_mat_of(data, K - 1, K), NULL), LB_ESHAPE));
}

Test(confusion, accuracy_and_recall_carry_their_rows)
{
    const lb_number a = lb_confusion_accuracy(c), r = lb_confusion_recall(c, 0);
    cr_expect(eq(dbl, a.value, 5.0 / 9.0));
    cr_expect(epsilon_eq(dbl, a.se, sqrt(5.0 / 9.0 * 4.0 / 9.0 / 9.0), 1e-15));
    cr_expect(eq(sz, a.n, N));
    cr_expect(eq(str, (char *)a.rows, (char *)lb_rowset_hash(rows)));
    cr_expect(eq(str, (char *)a.kind, "accuracy"));
    cr_expect(eq(dbl, r.value, 0.5));
    cr_expect(eq(sz, r.n, 4));
    cr_expect(eq(str, (char *)lb_confusion_recall(c, 3).na, "n/a (no rows)"));
}

Test(confusion, recall_weighted_by_rows_is_accuracy)
{
    double sum = 0.0;
    for (size_t k = 0; k < 3; k++) {
        const lb_number r = lb_confusion_recall(c, k);
        sum += r.value * (double)r.n / N;
    }
    cr_expect(epsilon_eq(dbl, sum, lb_confusion_accuracy(c).value, 1e-15));
}

Test(confusion, an_empty_class_stays_in_the_mean_of_f1)
{
    /* f1: 4/(4+3), 4/(4+3), 2/(2+2) and 0 */
    const lb_number f = lb_confusion_macro_f1(c);
    cr_expect(epsilon_eq(dbl, f.value, (4.0 / 7.0 + 4.0 / 7.0 + 0.5 + 0.0) / 4.0, 1e-15));
    cr_expect(isnan(f.se));
    cr_expect(eq(str, (char *)f.kind, "macro_f1"));
}

Test(confusion, a_perfect_gate_of_one_class_scores_one)
{
    const int zero[N] = {0};
    lb_confusion *one;
    cr_assert(eq(int, lb_confusion_make(rows, zero, zero, 1, &one, &err), LB_OK));
    cr_expect(eq(dbl, lb_confusion_accuracy(one).value, 1.0));
    cr_expect(eq(dbl, lb_confusion_macro_f1(one).value, 1.0));
    lb_confusion_free(one);
}

Test(confusion, no_rows_are_no_score)
{
    lb_rowset *none = lb_rowset_all("none", "toy", 0);
    lb_confusion *empty;
    cr_assert(eq(int, lb_confusion_make(none, truth, called, K, &empty, &err), LB_OK));
    cr_expect(eq(str, (char *)lb_confusion_accuracy(empty).na, "n/a (no rows)"));
    cr_expect(eq(str, (char *)lb_confusion_macro_f1(empty).na, "n/a (no rows)"));
    cr_expect(isnan(lb_confusion_macro_f1(empty).value));
    lb_confusion_free(empty);
    lb_rowset_free(none);
}

Test(confusion, says_which_label_is_wrong)
{
    int bad[N] = {0};
    lb_confusion *out;
    bad[6] = -1;
    cr_expect(eq(int, lb_confusion_make(rows, bad, called, K, &out, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "the true class of row 6 is -1") != NULL, "%s", err.text);
    cr_expect(out == NULL);
    bad[6] = K;
    err = (lb_error){0};
    cr_expect(eq(int, lb_confusion_make(rows, truth, bad, K, &out, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "the called class of row 6 is 4") != NULL, "%s", err.text);
    cr_expect(eq(int, lb_confusion_make(rows, truth, called, 0, &out, NULL), LB_EINVAL));
}

/* --- reliability --------------------------------------------------------------------------------
 */

/* What the gate says of the nine rows; the last column is for class 3. */
static const double p[N * K] = {1.0,  0.0,  0.0,  0.0,  0.75, 0.25, 0.0, 0.0,  0.25,
                                0.5,  0.25, 0.0,  0.2,  0.2,  0.6,  0.0, 0.1,  0.8,
                                0.05, 0.05, 0.25, 0.75, 0.0,  0.0,  0.5, 0.4,  0.05,
                                0.05, 0.0,  0.0,  0.5,  0.5,  0.3,  0.4, 0.15, 0.15};

static lb_cmat gate(void)
{
    return (lb_cmat){p, N, K, K};
}

Test(reliability, every_interval_compares_confidence_with_hits)
{
    lb_reliability_bin bins[4];
    lb_number ece;
    cr_assert(eq(int, lb_reliability(rows, gate(), truth, -1, bins, 4, &ece, &err), LB_OK));
    const size_t want[] = {0, 1, 4, 4}; /* 0.5 opens the third, 1 closes the last */
    for (size_t b = 0; b < 4; b++)
        cr_expect(eq(sz, bins[b].n, want[b]), "interval %zu", b);
    cr_expect(isnan(bins[0].confidence) && isnan(bins[0].accuracy));
    cr_expect(epsilon_eq(dbl, bins[3].confidence, (1.0 + 0.75 + 0.8 + 0.75) / 4.0, 1e-15));
    cr_expect(eq(dbl, bins[3].accuracy, 1.0));
    cr_expect(eq(dbl, bins[2].accuracy, 0.25), "0.5, 0.6, 0.5, 0.5: the last one right");
    const double by_hand = 1.0 / 9.0 * 0.4 + 4.0 / 9.0 * fabs(0.25 - 2.1 / 4.0) +
                           4.0 / 9.0 * fabs(1.0 - bins[3].confidence);
    cr_expect(epsilon_eq(dbl, ece.value, by_hand, 1e-15));
    cr_expect(eq(sz, ece.n, N));
    cr_expect(eq(str, (char *)ece.rows, (char *)lb_rowset_hash(rows)));
}

Test(reliability, one_class_is_judged_by_its_own_probability)
{
    lb_reliability_bin bins[2];
    lb_number ece;
    cr_assert(eq(int, lb_reliability(rows, gate(), truth, 0, bins, 2, &ece, &err), LB_OK));
    cr_expect(eq(sz, bins[1].n, 3), "1, 0.75 and 0.5");
    cr_expect(epsilon_eq(dbl, bins[1].accuracy, 2.0 / 3.0, 1e-15));
    cr_expect(
        epsilon_eq(dbl, bins[0].confidence, (0.25 + 0.2 + 0.1 + 0.25 + 0.0 + 0.3) / 6.0, 1e-15));
    cr_expect(epsilon_eq(dbl, bins[0].accuracy, 2.0 / 6.0, 1e-15));
}

Test(reliability, a_gate_that_knows_has_no_calibration_error)
{
    double sure[N * K] = {0.0};
    lb_reliability_bin bins[10];
    lb_number ece;
    for (size_t i = 0; i < N; i++)
        sure[i * K + (size_t)truth[i]] = 1.0;
    const lb_cmat m = {sure, N, K, K};
    cr_assert(eq(int, lb_reliability(rows, m, truth, -1, bins, 10, &ece, &err), LB_OK));
    cr_expect(eq(dbl, ece.value, 0.0));
    cr_expect(eq(sz, bins[9].n, N));
}

Test(reliability, an_edge_belongs_to_the_upper_interval)
{
    enum { EDGES = 100 }; /* 0.29 * 100 is below 29 */
    lb_rowset *all = lb_rowset_all("edges", "toy", EDGES);
    double edges[2 * EDGES];
    const int zero[EDGES] = {0};
    lb_reliability_bin bins[EDGES];
    lb_number ece;
    for (size_t i = 0; i < EDGES; i++) {
        edges[2 * i] = (double)i / EDGES;
        edges[2 * i + 1] = 1.0 - edges[2 * i];
    }
    const lb_cmat m = {edges, EDGES, 2, 2};
    cr_assert(eq(int, lb_reliability(all, m, zero, 0, bins, EDGES, &ece, &err), LB_OK));
    for (size_t b = 0; b < EDGES; b++)
        cr_expect(eq(sz, bins[b].n, 1), "interval %zu", b);
    for (size_t i = 1; i < EDGES; i++) { /* 0.83...3 * 6 is 5, but it lies below 5 / 6 */
        const size_t n = i + 1;
        const double below = nextafter((double)i / (double)n, 0.0);
        const double row[] = {below, 1.0 - below};
        lb_rowset *one = lb_rowset_all("one", "toy", 1);
        cr_assert(eq(int,
                     lb_reliability(one, (lb_cmat){row, 1, 2, 2}, zero, 0, bins, n, &ece, &err),
                     LB_OK));
        cr_expect(eq(sz, bins[i - 1].n, 1), "below %zu / %zu", i, n);
        lb_rowset_free(one);
    }
    lb_rowset_free(all);
}

Test(reliability, says_what_is_wrong)
{
    lb_reliability_bin bins[4];
    lb_number ece;
    int bad[N] = {0};
    const lb_cmat few = {p, N - 1, K, K};
    cr_expect(eq(int, lb_reliability(rows, few, truth, -1, bins, 4, &ece, &err), LB_ESHAPE));
    cr_expect(eq(int, lb_reliability(rows, gate(), truth, -1, bins, 0, &ece, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_reliability(rows, gate(), truth, K, bins, 4, &ece, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_reliability(rows, gate(), truth, -2, bins, 4, &ece, NULL), LB_EINVAL));
    bad[2] = K;
    err = (lb_error){0};
    cr_expect(eq(int, lb_reliability(rows, gate(), bad, -1, bins, 4, &ece, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "row 2 is 4") != NULL, "%s", err.text);
    const lb_cmat skew = {p + 1, N - 1, K, K};
    lb_rowset *eight = lb_rowset_all("eight", "toy", N - 1);
    cr_expect(eq(int, lb_reliability(eight, skew, truth, -1, bins, 4, &ece, NULL), LB_EINVAL));
    lb_rowset_free(eight);
    lb_rowset *none = lb_rowset_all("none", "toy", 0);
    const lb_cmat nothing = {p, 0, K, K};
    cr_expect(eq(int, lb_reliability(none, nothing, truth, -1, bins, 4, &ece, NULL), LB_OK));
    cr_expect(eq(str, (char *)ece.na, "n/a (no rows)"));
    lb_rowset_free(none);
}

/* --- weights ------------------------------------------------------------------------------------
 */

Test(weights, entropy_goes_from_certainty_to_ignorance)
{
    const double w[] = {1.0, 0.0, 0.0, 0.25, 0.5, 0.25, 1.0 / 3, 1.0 / 3, 1.0 / 3};
    const lb_cmat m = {w, 3, 3, 3};
    double nats[3], share[3];
    cr_assert(eq(int, lb_weights_entropy(m, false, (lb_vec){nats, 3}, &err), LB_OK));
    cr_assert(eq(int, lb_weights_entropy(m, true, (lb_vec){share, 3}, &err), LB_OK));
    cr_expect(eq(dbl, nats[0], 0.0));
    cr_expect(epsilon_eq(dbl, nats[1], 1.5 * log(2.0), 1e-15));
    cr_expect(epsilon_eq(dbl, nats[2], log(3.0), 1e-15));
    cr_expect(epsilon_eq(dbl, share[2], 1.0, 1e-15));
    cr_expect(epsilon_eq(dbl, share[1], nats[1] / log(3.0), 1e-15));
}

Test(weights, a_single_expert_leaves_nothing_open)
{
    const double w[] = {1.0, 1.0 + 0.9e-6};
    double share[2];
    cr_assert(
        eq(int, lb_weights_entropy((lb_cmat){w, 2, 1, 1}, true, (lb_vec){share, 2}, &err), LB_OK));
    cr_expect(eq(dbl, share[0], 0.0));
    cr_expect(eq(dbl, share[1], 0.0), "never below 0");
}

Test(weights, mean_probability_of_a_hard_gate_is_its_normalised_confusion)
{
    double hard[N * K] = {0.0}, mean[K * K], normal[K * K];
    size_t counts[K];
    for (size_t i = 0; i < N; i++)
        hard[i * K + (size_t)called[i]] = 1.0;
    const lb_cmat m = {hard, N, K, K};
    cr_assert(eq(int, lb_weights_mean(m, truth, lb_mat_of(mean, K, K), counts, &err), LB_OK));
    lb_confusion_normalised(c, lb_mat_of(normal, K, K), &err);
    for (size_t i = 0; i < 3 * K; i++)
        cr_expect(epsilon_eq(dbl, mean[i], normal[i], 1e-15));
    cr_expect(isnan(mean[3 * K]), "nobody was asked");
    cr_expect(eq(sz, counts[0], 4));
    cr_expect(eq(sz, counts[3], 0));
}

Test(weights, with_one_class_the_mean_is_that_of_every_expert)
{
    const int zero[N] = {0};
    double mean[K], sum = 0.0;
    cr_assert(eq(int, lb_weights_mean(gate(), zero, lb_mat_of(mean, 1, K), NULL, &err), LB_OK));
    for (size_t k = 0; k < K; k++)
        sum += mean[k];
    cr_expect(epsilon_eq(dbl, sum, 1.0, 1e-14));
    cr_expect(epsilon_eq(dbl, mean[3], 0.75 / 9.0, 1e-15));
}

Test(weights, say_what_is_wrong)
{
    double out[K * K];
    const double bad[] = {0.5, 0.4};
    const int zero[1] = {0};
    const lb_cmat m = {bad, 1, 2, 2};
    cr_expect(eq(int, lb_weights_entropy(m, false, (lb_vec){out, 1}, &err), LB_EINVAL));
    cr_expect(strstr(err.text, "row 0 sum to 0.9") != NULL, "%s", err.text);
    cr_expect(eq(int, lb_weights_entropy(m, false, (lb_vec){out, 2}, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_weights_mean(m, zero, lb_mat_of(out, 1, 2), NULL, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_weights_mean(gate(), truth, lb_mat_of(out, 2, K), NULL, NULL), LB_EINVAL),
              "class 2 has no row in the result");
    cr_expect(eq(int, lb_weights_mean(gate(), truth, lb_mat_of(out, K, 2), NULL, NULL), LB_ESHAPE));
}
