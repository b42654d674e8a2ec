/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "study/cohort.h"
#include "study/moe.h"
#include "study/world.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static lb_cohort open_with(const world *w, lb_spec *spec)
{
    lb_cohort c;
    lb_error err = {0};
    cr_assert(eq(int, lb_cohort_open(w->dir, "", spec, &c, &err), LB_OK), "%s", err.text);
    lb_spec_free(spec);
    return c;
}

static lb_cohort open_nine(void)
{
    const world w = world_make();
    return open_with(&w, world_nine());
}

/* --- groups and row sets -----------------------------------------------------------------------
 */

static void expect_partition(const lb_cohort *c, const lb_side *side, const size_t *count)
{
    size_t by_hand[LB_BINS_MAX + 1] = {0}, total = 0;
    for (size_t i = 0; i < side->n; i++) {
        cr_assert(ge(int, side->group[i], 0));
        cr_assert(le(int, side->group[i], c->outside));
        by_hand[side->group[i]]++;
        const int k = side->bin[i];
        cr_assert(
            eq(int, side->group[i], k < 0 || c->merged_to[k] < 0 ? c->outside : c->merged_to[k]));
    }
    for (size_t g = 0; g < c->groups; g++) {
        cr_expect(eq(sz, by_hand[g], count[g]));
        total += count[g];
    }
    cr_expect(eq(sz, total, side->n));
}

static void expect_all_partitions(const lb_cohort *c)
{
    expect_partition(c, &c->train, c->n_train);
    expect_partition(c, &c->val, c->n_val);
    expect_partition(c, &c->test, c->n_test);
}

/* Covered rows are the union of the bins' rows; together with those outside they are all rows. */
static void expect_rowsets_add_up(const lb_cohort *c)
{
    size_t in_bins = 0;
    for (size_t k = 0; k < c->n_bins; k++) {
        cr_expect(eq(int, c->in_bin[k] != NULL, c->n_test[k] > 0));
        if (!c->in_bin[k])
            continue;
        cr_expect(eq(sz, lb_rowset_size(c->in_bin[k]), c->n_test[k]));
        in_bins += lb_rowset_size(c->in_bin[k]);
        for (size_t i = 0; i < lb_rowset_size(c->in_bin[k]); i++)
            cr_expect(eq(int, c->test.group[lb_rowset_index(c->in_bin[k])[i]], (int)k));
    }
    cr_expect(eq(sz, lb_rowset_size(c->covered), in_bins));
    cr_expect(eq(sz, lb_rowset_size(c->all), c->test.n));
    cr_expect(eq(sz, in_bins + c->n_test[c->outside], c->test.n));
}

Test(cohort, every_row_belongs_to_one_group)
{
    lb_cohort c = open_nine();
    cr_expect(eq(sz, c.n_bins, 9));
    cr_expect(eq(sz, c.groups, 10));
    cr_expect(eq(sz, c.train.n, N_TRAIN));
    cr_expect(eq(sz, c.val.n, N_VAL));
    cr_expect(eq(sz, c.test.n, N_TEST));
    cr_expect(eq(sz, c.n_train[c.outside], N_TRAIN / 6));
    expect_all_partitions(&c);
    cr_expect(eq(ptr, c.merges.s, NULL));
    lb_cohort_close(&c);
}

Test(cohort, row_sets_add_up_and_are_named)
{
    const world w = world_make();
    lb_spec *spec = world_nine();
    lb_cohort c;
    lb_error err = {0};
    cr_assert(eq(int, lb_cohort_open(w.dir, "larger set: ", spec, &c, &err), LB_OK));
    expect_rowsets_add_up(&c);
    cr_expect(eq(str, (char *)lb_rowset_name(c.all), "larger set: all test rows"));
    cr_expect(eq(str, (char *)lb_rowset_name(c.covered), "larger set: covered test rows"));
    cr_expect(eq(str, (char *)lb_rowset_name(c.in_bin[0]),
                 "larger set: test rows of k=0 Cool Metal-poor"));
    cr_expect(not(lb_rowset_same(c.all, c.covered)));
    lb_cohort_close(&c);
    lb_spec_free(spec);
}

Test(cohort, labels_are_those_of_the_rows)
{
    lb_cohort c = open_nine();
    const lb_cvec logg = lb_spectra_label(c.split.test, "log_g");
    for (size_t i = 0; i < c.test.n; i++)
        cr_expect(eq(dbl, c.test.target[i], logg.data[c.test.rows[i]]));
    lb_cohort_close(&c);
}

/* --- thin and empty bins -----------------------------------------------------------------------
 */

Test(cohort, a_thin_bin_is_served_by_its_neighbour_and_the_log_says_so)
{
    const world w = world_make();
    lb_cohort c = open_with(&w, world_spec("3750, 3800, 5250, 6000", "-2, -1, 0, 0.5", 30));
    for (size_t m = 0; m < 3; m++)
        cr_expect(eq(int, c.merged_to[m], (int)(3 + m)), "cool bin %zu joins along T_eff", m);
    cr_assert(ne(ptr, c.merges.s, NULL));
    cr_expect(strstr(c.merges.s, "below 30: merged along T_eff") != NULL, "%s", c.merges.s);
    expect_all_partitions(&c);
    expect_rowsets_add_up(&c);
    for (size_t m = 0; m < 3; m++)
        cr_expect(eq(sz, c.n_train[m], 0));
    lb_cohort_close(&c);
}

Test(cohort, rows_of_a_bin_without_training_rows_are_not_covered)
{
    const world w = world_make_as((world){.mh_most_train = -0.2});
    lb_cohort c = open_with(&w, world_nine());
    size_t lost = 0;
    for (size_t t = 0; t < 3; t++)
        cr_expect(eq(int, c.merged_to[3 * t + 2], -1));
    for (size_t i = 0; i < c.test.n; i++)
        if (c.test.bin[i] >= 0 && c.test.bin[i] % 3 == 2) {
            cr_expect(eq(int, c.test.group[i], c.outside));
            lost++;
        }
    cr_expect(gt(sz, lost, 0));
    cr_expect(gt(sz, c.n_test[c.outside], N_TEST / 6));
    cr_expect(strstr(c.merges.s, "no training rows") != NULL, "%s", c.merges.s);
    expect_all_partitions(&c);
    expect_rowsets_add_up(&c);
    lb_cohort_close(&c);
}

/* --- a validation set that is cut --------------------------------------------------------------
 */

Test(cohort, a_fifth_of_the_training_rows_validates_when_there_is_no_validation_set)
{
    const world w = world_make_as((world){.mh_most_train = 9.0, .no_val = true});
    lb_cohort c = open_with(&w, world_nine()), again = open_with(&w, world_nine());
    unsigned char seen[N_TRAIN] = {0};
    cr_expect(eq(int, c.split.validation_was_cut, true));
    cr_expect(eq(sz, c.val.n, N_TRAIN / 5));
    cr_expect(eq(sz, c.train.n + c.val.n, N_TRAIN));
    for (size_t i = 0; i < c.train.n; i++)
        seen[c.train.rows[i]]++;
    for (size_t i = 0; i < c.val.n; i++)
        seen[c.val.rows[i]]++;
    for (size_t i = 0; i < N_TRAIN; i++)
        cr_expect(eq(int, seen[i], 1), "row %zu", i);
    cr_expect(eq(int, memcmp(c.val.rows, again.val.rows, c.val.n * sizeof *c.val.rows), 0));
    expect_all_partitions(&c);
    lb_cohort_close(&c);
    lb_cohort_close(&again);
}

/* --- exposures ---------------------------------------------------------------------------------
 */

static float *read_all(const lb_stream *x)
{
    float *data = lb_xcalloc(x->rows * x->cols, sizeof *data);
    lb_error err = {0};
    cr_assert(eq(int, x->read(x->self, 0, (lb_matf){data, x->rows, x->cols, x->cols}, &err), LB_OK),
              "%s", err.text);
    return data;
}

static bool equal_bits(const lb_stream *a, const lb_stream *b)
{
    float *x = read_all(a), *y = read_all(b);
    const bool same = a->rows == b->rows && memcmp(x, y, a->rows * a->cols * sizeof *x) == 0;
    free(x);
    free(y);
    return same;
}

Test(cohort, an_exposure_is_a_function_of_level_and_seeds)
{
    lb_cohort c = open_nine();
    const lb_noise_seeds seeds = {42, 43, 44}, other = {42, 43, 45};
    lb_exposure a, b, moved, weaker;
    lb_cohort_expose(&c, 0.5, seeds, &a);
    lb_cohort_expose(&c, 0.5, seeds, &b);
    lb_cohort_expose(&c, 0.5, other, &moved);
    lb_cohort_expose(&c, 0.4, seeds, &weaker);
    cr_expect(equal_bits(&a.train.x, &b.train.x));
    cr_expect(equal_bits(&a.val.x, &b.val.x));
    cr_expect(equal_bits(&a.test, &b.test));
    cr_expect(equal_bits(&a.train.x, &moved.train.x), "only the seed of the test rows moved");
    cr_expect(not(equal_bits(&a.test, &moved.test)));
    cr_expect(not(equal_bits(&a.train.x, &weaker.train.x)));
    cr_expect(eq(ptr, (void *)a.train.y.data, (void *)c.train.target));
    cr_expect(eq(ptr, (void *)a.val.group, (void *)c.val.group));
    lb_cohort_close(&c);
}

Test(cohort, without_noise_the_flux_itself_is_seen)
{
    lb_cohort c = open_nine();
    lb_exposure seen;
    lb_cohort_expose(&c, 0.0, (lb_noise_seeds){1, 2, 3}, &seen);
    float *got = read_all(&seen.test), *want = lb_xcalloc(N_TEST * PIXELS, sizeof *want);
    lb_error err = {0};
    cr_assert(eq(int,
                 lb_spectra_read(c.split.test, 0, (lb_matf){want, N_TEST, PIXELS, PIXELS},
                                 (lb_matf){0}, &err),
                 LB_OK));
    cr_expect(eq(int, memcmp(got, want, N_TEST * PIXELS * sizeof *got), 0));
    free(got);
    free(want);
    lb_cohort_close(&c);
}

Test(cohort, errors_and_signal_to_noise_are_those_of_the_rows)
{
    const world w = world_make_as((world){.mh_most_train = 9.0, .no_val = true});
    lb_cohort c = open_with(&w, world_nine());
    lb_cohort_errors errors;
    lb_cohort_snr snr;
    lb_exposure seen;
    lb_error err = {0};
    lb_cohort_errors_of(&c, &errors);
    cr_assert(eq(int, lb_cohort_snr_of(&c, &snr, &err), LB_OK), "%s", err.text);
    lb_cohort_expose(&c, 0.0, (lb_noise_seeds){1, 2, 3}, &seen);
    float *e = read_all(&errors.val), *x = read_all(&seen.val.x);
    cr_expect(eq(sz, errors.train.rows, c.train.n));
    cr_expect(eq(sz, errors.test.rows, c.test.n));
    for (size_t i = 0; i < c.val.n; i++) {
        double flux = 0.0, error = 0.0;
        for (size_t j = 0; j < PIXELS; j++) {
            flux += (double)x[i * PIXELS + j] * (double)x[i * PIXELS + j];
            error += (double)e[i * PIXELS + j] * (double)e[i * PIXELS + j];
        }
        cr_expect(epsilon_eq(dbl, snr.norm_val[i] / sqrt(flux / error), 1.0, 1e-6));
        cr_expect(gt(dbl, snr.pixel_val[i], 0.0));
    }
    free(e);
    free(x);
    lb_cohort_snr_free(&snr);
    lb_cohort_close(&c);
}

Test(cohort, rows_cut_for_validation_keep_the_noise_of_their_training_row)
{
    const world w = world_make_as((world){.mh_most_train = 9.0, .no_val = true});
    lb_cohort c = open_with(&w, world_nine());
    lb_exposure seen;
    lb_cohort_expose(&c, 0.5, (lb_noise_seeds){42, 43, 44}, &seen);
    lb_noisy whole = {c.split.train, 0.5, 42};
    const lb_stream x = lb_noisy_stream(&whole);
    float *val = read_all(&seen.val.x), *train = read_all(&x);
    for (size_t i = 0; i < c.val.n; i++)
        cr_expect(eq(int,
                     memcmp(val + i * PIXELS, train + c.val.rows[i] * PIXELS, PIXELS * sizeof *val),
                     0));
    free(val);
    free(train);
    lb_cohort_close(&c);
}

/* --- domains -----------------------------------------------------------------------------------
 */

static void expect_experts_of_bins(const lb_cohort *c, const lb_domains *l)
{
    const lb_side *sides[] = {&c->train, &c->val, &c->test};
    const int *const of_row[] = {l->train, l->val, l->test};
    for (int q = 0; q < 3; q++)
        for (size_t i = 0; i < sides[q]->n; i++) {
            const int g = sides[q]->group[i];
            const bool covered = g != c->outside && c->n_train[g] > 0;
            cr_assert(eq(int, of_row[q][i], covered ? l->of_bin[g] : -1), "%s", l->name);
            cr_assert(eq(int, of_row[q][i] >= 0, covered), "%s", l->name);
        }
    for (size_t e = 0; e < l->n; e++)
        cr_expect(gt(sz, lb_domains_count(l->train, c->train.n, e), 0));
}

Test(domains, each_covered_row_belongs_to_the_expert_of_its_bin)
{
    const world w[] = {world_make(), world_make_as((world){.mh_most_train = -0.2})};
    const size_t experts[2][3] = {{9, 3, 3}, {6, 2, 3}};
    for (size_t i = 0; i < 2; i++) {
        lb_cohort c = open_with(&w[i], world_nine());
        lb_domains l[] = {lb_domains_bins(&c), lb_domains_mh(&c), lb_domains_teff(&c)};
        for (size_t q = 0; q < 3; q++) {
            expect_experts_of_bins(&c, &l[q]);
            cr_expect(eq(sz, l[q].n, experts[i][q]), "%s", l[q].name);
            cr_expect(l[q].oracle);
            lb_domains_free(&l[q]);
        }
        lb_cohort_close(&c);
    }
}

Test(domains, strips_hold_bins_of_one_metallicity_or_one_temperature)
{
    lb_cohort c = open_nine();
    lb_domains mh = lb_domains_mh(&c), teff = lb_domains_teff(&c);
    for (size_t a = 0; a < 9; a++)
        for (size_t b = 0; b < 9; b++) {
            cr_expect(eq(int, mh.of_bin[a] == mh.of_bin[b], a % 3 == b % 3));
            cr_expect(eq(int, teff.of_bin[a] == teff.of_bin[b], a / 3 == b / 3));
        }
    lb_domains_free(&mh);
    lb_domains_free(&teff);
    lb_cohort_close(&c);
}

Test(domains, of_intervals_gives_every_row_the_interval_it_lies_in)
{
    lb_cohort c = open_nine();
    const double edges[] = {-INFINITY, -1.0, 0.0, INFINITY};
    lb_domains l = lb_domains_intervals(&c, "open", (lb_by_row){c.train.mh, c.val.mh, c.test.mh},
                                        edges, 3, true);
    for (size_t i = 0; i < c.train.n; i++) {
        const double m = c.train.mh[i];
        cr_assert(eq(int, l.train[i], m < -1.0 ? 0 : m < 0.0 ? 1 : 2), "%g", m);
    }
    cr_expect(eq(sz,
                 lb_domains_count(l.test, c.test.n, 0) + lb_domains_count(l.test, c.test.n, 1) +
                     lb_domains_count(l.test, c.test.n, 2),
                 c.test.n));
    lb_domains_free(&l);
    lb_cohort_close(&c);
}

/* --- refusals ----------------------------------------------------------------------------------
 */

static void expect_refusal(const char *dir, lb_spec *spec, lb_status status, const char *word)
{
    lb_cohort c;
    lb_error err = {0};
    cr_expect(eq(int, lb_cohort_open(dir, "", spec, &c, &err), status));
    cr_expect(strstr(err.text, word) != NULL, "no '%s' in: %s", word, err.text);
    lb_spec_free(spec);
}

static lb_spec *spec_with_label(const char *label)
{
    char *text = world_spec_text("3750, 4500, 5250, 6000", "-2, -1, 0, 0.5", 5);
    char *at = strstr(text, "label: log_g"), *edited;
    lb_spec *s = NULL;
    lb_error err = {0};
    edited =
        lb_xprintf("%.*slabel: %s%s", (int)(at - text), text, label, at + strlen("label: log_g"));
    cr_assert(eq(int, lb_spec_parse(edited, "spec.yaml", &s, &err), LB_OK), "%s", err.text);
    free(edited);
    free(text);
    return s;
}

Test(cohort, a_label_the_data_do_not_have_is_named)
{
    const world w = world_make();
    expect_refusal(w.dir, spec_with_label("alpha_M"), LB_ENAME, "no label 'alpha_M'");
}

Test(cohort, bins_without_any_test_row_are_refused)
{
    const world w = world_make();
    expect_refusal(w.dir, world_spec("100, 200, 300", "-2, 0, 0.5", 5), LB_EINVAL,
                   "no test row lies in the bins of spec.yaml");
}

Test(cohort, no_data_are_refused_with_their_place)
{
    expect_refusal("/nowhere/spectra", world_nine(), LB_EIO, "/nowhere/spectra");
}
