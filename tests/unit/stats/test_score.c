/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/score.h"

#include "outcomes.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

static lb_number r2_of(lb_outcome o)
{
    lb_number x;
    lb_error err = {0};
    cr_assert(eq(int, lb_score_r2(&o, &x, &err), LB_OK), "%s", err.text);
    return x;
}

/* By hand: y = 1 2 4 5 (mean 3, total 10), errors 0.5 -1 0 0.5 (sum of squares 1.5). */
static const double four_y[] = {1, 2, 4, 5}, four_yhat[] = {1.5, 1, 4, 5.5};

Test(score, agrees_with_four_rows_worked_by_hand)
{
    lb_rowset *rows = lb_rowset_all("four", "d", 4);
    const lb_outcome o = outcome(rows, four_y, four_yhat, "m");
    lb_number x;
    cr_expect(epsilon_eq(dbl, r2_of(o).value, 0.85, 1e-15));
    cr_expect(eq(int, lb_score_mae(&o, &x, NULL), LB_OK));
    cr_expect(epsilon_eq(dbl, x.value, 0.5, 1e-15));
    cr_expect(epsilon_eq(dbl, x.se, sqrt(0.5 / 3) / 2, 1e-15)); /* |e|: 0.5 1 0 0.5 */
    cr_expect(eq(str, x.unit, "dex"));
    cr_expect(eq(int, lb_score_rmse(&o, &x, NULL), LB_OK));
    cr_expect(epsilon_eq(dbl, x.value, sqrt(0.375), 1e-15));
    cr_expect(eq(int, lb_score_bias(&o, &x, NULL), LB_OK));
    cr_expect(epsilon_eq(dbl, x.value, 0.0, 1e-15));
    cr_expect(eq(sz, x.n, 4));
    cr_expect(eq(str, x.rows, (char *)lb_rowset_hash(rows)));
    cr_expect(eq(str, x.kind, "bias"));
    lb_rowset_free(rows);
}

Test(score, predicting_the_mean_scores_zero_and_the_truth_scores_one)
{
    const double mean[] = {3, 3, 3, 3}, awful[] = {100, -40, 7, 0};
    lb_rowset *rows = lb_rowset_all("four", "d", 4);
    cr_expect(epsilon_eq(dbl, r2_of(outcome(rows, four_y, mean, "mean")).value, 0.0, 1e-15));
    cr_expect(eq(dbl, r2_of(outcome(rows, four_y, four_y, "truth")).value, 1.0));
    cr_expect(lt(dbl, r2_of(outcome(rows, four_y, awful, "awful")).value, -100.0));
    lb_number x;
    const lb_outcome truth = outcome(rows, four_y, four_y, "truth");
    cr_expect(eq(int, lb_score_rmse(&truth, &x, NULL), LB_OK));
    cr_expect(eq(dbl, x.se, 0.0));
    lb_rowset_free(rows);
}

/* R2 does not change when target and prediction are moved and stretched together. */
Test(score, r2_is_invariant_under_an_affine_map)
{
    double y[4], yhat[4];
    for (int i = 0; i < 4; i++) {
        y[i] = 2.17 * four_y[i] - 31.0;
        yhat[i] = 2.17 * four_yhat[i] - 31.0;
    }
    lb_rowset *rows = lb_rowset_all("four", "d", 4);
    cr_expect(epsilon_eq(dbl, r2_of(outcome(rows, y, yhat, "m")).value, 0.85, 1e-13));
    lb_rowset_free(rows);
}

/* The whole point. The published 0.078 was an 816-row score minus a 1,000-row score. */
Test(score, a_gain_between_two_row_sets_cannot_be_built)
{
    static sample s;
    static double scratch[2 * N_COVERED];
    fill(&s);
    lb_rowset *all = lb_rowset_all("all test rows", "sha256:test", N_ALL);
    lb_rowset *covered = lb_rowset_where(all, "covered", s.covered);
    cr_assert(eq(sz, lb_rowset_size(covered), N_COVERED));
    lb_outcome mixture;
    cr_assert(
        eq(int,
           lb_outcome_on(outcome(all, s.y, s.mixture, "mixture"), covered, scratch, &mixture, NULL),
           LB_OK));
    const lb_number moe = r2_of(mixture), global = r2_of(outcome(all, s.y, s.global, "global"));
    lb_number x;
    lb_error err = {0};
    cr_expect(eq(int, lb_score_delta(&moe, &global, &x, &err), LB_EROWS));
    cr_expect(strstr(err.text, "'covered' (816 rows, sha256:") != NULL, "%s", err.text);
    cr_expect(strstr(err.text, "'all test rows' (1000 rows, sha256:") != NULL, "%s", err.text);
    cr_expect(strstr(err.text, "lb_outcome_on") != NULL, "%s", err.text);
    lb_rowset_free(all);
    lb_rowset_free(covered);
}

Test(score, restricted_to_the_common_rows_the_gain_is_the_difference)
{
    static sample s;
    static double a[2 * N_COVERED], b[2 * N_COVERED];
    fill(&s);
    lb_rowset *all = lb_rowset_all("all", "sha256:test", N_ALL);
    lb_rowset *covered = lb_rowset_where(all, "covered", s.covered);
    lb_outcome moe, global;
    cr_assert(eq(int,
                 lb_outcome_on(outcome(all, s.y, s.mixture, "mixture"), covered, a, &moe, NULL),
                 LB_OK));
    cr_assert(eq(int,
                 lb_outcome_on(outcome(all, s.y, s.global, "global"), covered, b, &global, NULL),
                 LB_OK));
    const lb_number r_moe = r2_of(moe), r_global = r2_of(global);
    lb_number aligned, unaligned, full = r2_of(outcome(all, s.y, s.global, "global"));
    cr_assert(eq(int, lb_score_delta(&r_moe, &r_global, &aligned, NULL), LB_OK));
    cr_assert(eq(int, lb_score_delta_unaligned(&r_moe, &full, &unaligned, NULL), LB_OK));
    cr_expect(eq(dbl, aligned.value, r_moe.value - r_global.value));
    cr_expect(gt(dbl, unaligned.value, aligned.value + 0.01), "the mistake must be visible");
    cr_expect(eq(str, aligned.kind, "delta_r2"));
    cr_expect(eq(str, aligned.rows, (char *)lb_rowset_hash(covered)));
    cr_expect(eq(sz, aligned.n, N_COVERED));
    cr_expect(eq(str, unaligned.kind, "delta_r2_unaligned"));
    cr_expect(eq(str, unaligned.rows, ""));
    lb_rowset_free(all);
    lb_rowset_free(covered);
}

/* Nothing can be computed from the labelled mistake, nor from a number someone typed. */
Test(score, unaligned_and_rowless_numbers_lead_nowhere)
{
    lb_rowset *rows = lb_rowset_all("four", "d", 4);
    const lb_number r2 = r2_of(outcome(rows, four_y, four_yhat, "m"));
    const lb_number typed = lb_number_plain(0.8341, "r2", "");
    lb_number bad, x;
    lb_error err = {0};
    cr_assert(eq(int, lb_score_delta_unaligned(&r2, &typed, &bad, NULL), LB_OK));
    cr_expect(eq(int, lb_score_delta(&bad, &bad, &x, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_score_delta_unaligned(&bad, &r2, &x, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_score_delta_unaligned(&r2, &bad, &x, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_score_delta(&typed, &typed, &x, &err), LB_EROWS));
    cr_expect(strstr(err.text, "no row set at all") != NULL, "%s", err.text);
    lb_rowset_free(rows);
}

Test(score, kinds_and_units_do_not_mix)
{
    lb_rowset *rows = lb_rowset_all("four", "d", 4);
    lb_outcome o = outcome(rows, four_y, four_yhat, "m");
    lb_number r2 = r2_of(o), mae, kelvin, x;
    cr_assert(eq(int, lb_score_mae(&o, &mae, NULL), LB_OK));
    o.unit = "K";
    cr_assert(eq(int, lb_score_mae(&o, &kelvin, NULL), LB_OK));
    cr_expect(eq(int, lb_score_delta(&r2, &mae, &x, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_score_delta(&mae, &kelvin, &x, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_score_delta(&mae, &mae, &x, NULL), LB_OK));
    cr_expect(eq(str, x.kind, "delta_mae"));
    cr_expect(eq(str, x.unit, "dex"));
    lb_rowset_free(rows);
}

Test(score, too_few_or_equal_targets_are_not_available)
{
    const double one[] = {2.17, 2.17, 2.17};
    lb_rowset *none = lb_rowset_all("none", "d", 0), *single = lb_rowset_all("one", "d", 1);
    lb_rowset *three = lb_rowset_all("three", "d", 3);
    lb_number x, y;
    x = r2_of(outcome(none, one, one, "m"));
    cr_expect(eq(str, x.na, "n/a (n<2)"));
    x = r2_of(outcome(single, one, one, "m"));
    cr_expect(eq(str, x.na, "n/a (n<2)"));
    x = r2_of(outcome(three, one, one, "m"));
    cr_expect(eq(str, x.na, "n/a (zero target variance)"));
    cr_expect(isnan(x.value));
    cr_expect(eq(sz, x.n, 3));
    cr_expect(eq(int, lb_score_delta(&x, &x, &y, NULL), LB_OK));
    cr_expect(eq(str, y.na, x.na));
    const lb_outcome empty = outcome(none, one, one, "m");
    cr_expect(eq(int, lb_score_rmse(&empty, &x, NULL), LB_OK));
    cr_expect(eq(str, x.na, "n/a (no rows)"));
    lb_rowset_free(none);
    lb_rowset_free(single);
    lb_rowset_free(three);
}

Test(score, nan_and_infinity_stop_every_score)
{
    const double bad[][4] = {{1, (double)NAN, 4, 5}, {1, 2, (double)INFINITY, 5}};
    lb_status (*const scores[])(const lb_outcome *, lb_number *, lb_error *) = {
        lb_score_r2, lb_score_mae, lb_score_rmse, lb_score_bias};
    lb_rowset *rows = lb_rowset_all("four", "d", 4);
    lb_number x;
    for (int f = 0; f < 4; f++)
        for (int k = 0; k < 2; k++) {
            const lb_outcome as_yhat = outcome(rows, four_y, bad[k], "expert 3");
            const lb_outcome as_y = outcome(rows, bad[k], four_y, "expert 3");
            lb_error err = {0};
            cr_expect(eq(int, scores[f](&as_yhat, &x, &err), LB_ENUMERIC));
            cr_expect(strstr(err.text, "'expert 3', row") != NULL, "%s", err.text);
            cr_expect(eq(int, scores[f](&as_y, &x, NULL), LB_ENUMERIC));
        }
    lb_rowset_free(rows);
}

Test(score, values_beyond_the_range_of_a_double_are_an_error_not_a_score)
{
    const double huge[] = {1e200, -1e200}, tiny[] = {1e-200, 2e-200};
    lb_rowset *rows = lb_rowset_all("two", "d", 2);
    const lb_outcome o = outcome(rows, huge, huge, "m"), t = outcome(rows, tiny, tiny, "m");
    lb_number x;
    cr_expect(eq(int, lb_score_r2(&o, &x, NULL), LB_ENUMERIC));
    cr_expect(eq(int, lb_score_r2(&t, &x, NULL), LB_ENUMERIC));
    const double up[] = {1e308, 1e308}, down[] = {-1e308, -1e308};
    const lb_outcome far = outcome(rows, up, down, "m");
    cr_expect(eq(int, lb_score_mae(&far, &x, NULL), LB_ENUMERIC));
    cr_expect(eq(int, lb_score_bias(&far, &x, NULL), LB_ENUMERIC));
    cr_expect(eq(int, lb_score_rmse(&far, &x, NULL), LB_ENUMERIC));
    lb_rowset_free(rows);
}

Test(score, lengths_must_agree_with_the_row_set)
{
    lb_rowset *rows = lb_rowset_all("five", "d", 5), *four = lb_rowset_all("four", "d", 4);
    const lb_outcome o = {.rows = rows, .y = {four_y, 4}, .yhat = {four_yhat, 4}};
    double scratch[8];
    lb_outcome out;
    lb_number x;
    cr_expect(eq(int, lb_score_r2(&o, &x, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_score_mae(&o, &x, NULL), LB_ESHAPE));
    cr_expect(eq(int, lb_outcome_on(o, four, scratch, &out, NULL), LB_ESHAPE));
    lb_rowset_free(rows);
    lb_rowset_free(four);
}

/* Rows are found by number, not by position: the set need not be sorted. */
Test(outcome, restriction_follows_the_row_numbers)
{
    const size_t rows[] = {40, 10, 30, 20}, wanted[] = {20, 40};
    const double y[] = {4, 1, 3, 2}, yhat[] = {4.4, 1.1, 3.3, 2.2};
    lb_rowset *full = lb_rowset_new("full", "d", rows, 4),
              *sub = lb_rowset_new("s", "d", wanted, 2);
    double scratch[4];
    lb_outcome out;
    cr_assert(eq(int, lb_outcome_on(outcome(full, y, yhat, "m"), sub, scratch, &out, NULL), LB_OK));
    cr_expect(eq(dbl, out.y.data[0], 2.0));
    cr_expect(eq(dbl, out.y.data[1], 4.0));
    cr_expect(eq(dbl, out.yhat.data[0], 2.2));
    cr_expect(eq(sz, out.y.n, 2));
    cr_expect(out.rows == sub);
    lb_rowset_free(full);
    lb_rowset_free(sub);
}

Test(outcome, restriction_refuses_rows_the_model_never_saw)
{
    const size_t beyond[] = {1, 4};
    lb_rowset *four = lb_rowset_all("four", "d", 4), *sub = lb_rowset_new("s", "d", beyond, 2);
    lb_rowset *other = lb_rowset_all("other data", "e", 2);
    double scratch[4];
    lb_outcome out;
    lb_error err = {0};
    const lb_outcome o = outcome(four, four_y, four_yhat, "global");
    cr_expect(eq(int, lb_outcome_on(o, sub, scratch, &out, &err), LB_EROWS));
    cr_expect(strstr(err.text, "row 4 of 's'") != NULL, "%s", err.text);
    cr_expect(eq(int, lb_outcome_on(o, other, scratch, &out, NULL), LB_EROWS));
    lb_outcome uneven = o;
    uneven.yhat.n = 3;
    cr_expect(eq(int, lb_outcome_on(uneven, sub, scratch, &out, NULL), LB_ESHAPE));
    uneven = o;
    uneven.y.n = 3;
    cr_expect(eq(int, lb_outcome_on(uneven, sub, scratch, &out, NULL), LB_ESHAPE));
    lb_rowset_free(four);
    lb_rowset_free(sub);
    lb_rowset_free(other);
}

Test(outcome, oracle_knowledge_follows_the_number)
{
    lb_rowset *rows = lb_rowset_all("four", "d", 4);
    lb_outcome o = outcome(rows, four_y, four_yhat, "oracle mixture");
    const lb_number plain = r2_of(o);
    o.oracle = true;
    const lb_number told = r2_of(o);
    lb_number x;
    cr_expect(told.oracle && !plain.oracle);
    cr_assert(eq(int, lb_score_delta(&plain, &told, &x, NULL), LB_OK));
    cr_expect(x.oracle);
    lb_rowset_free(rows);
}
