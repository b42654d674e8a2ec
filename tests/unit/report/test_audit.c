/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The contradiction audit: claims, rules, the register, our own records and pages. */
#include "fixture.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/audit.h"
#include "report/register.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(audit, .init = fixture_make, .fini = fixture_remove);

#define HEADER "key\tvalue\tunit_or_kind\tci_low\tci_high\tn_test\tconditions\tsource\n"

static lb_published *published;
static lb_published *quoted;

/* The audit of a file of published numbers given as text behind its header. */
static lb_audit audit_of(const char *text)
{
    lb_error err = {0};
    lb_audit a = {0};
    char *path = lb_xprintf("%s/numbers.tsv", folder), *all = lb_xprintf("%s%s", HEADER, text);
    cr_assert(lb_file_write(path, all, strlen(all), &err) == LB_OK);
    cr_assert(lb_published_load(path, &published, &err) == LB_OK, "%s", err.text);
    lb_claims_read(published, &a.claims);
    lb_audit_published(&a);
    free(path);
    free(all);
    return a;
}

static lb_audit audit_of_the_programme(void)
{
    lb_error err = {0};
    lb_audit a = {0};
    cr_assert(lb_published_load("data/published/published.tsv", &published, &err) == LB_OK);
    cr_assert(lb_published_load("data/published/quoted.tsv", &quoted, &err) == LB_OK);
    lb_claims_read(published, &a.claims);
    lb_claims_read(quoted, &a.claims);
    lb_audit_published(&a);
    return a;
}

static void done(lb_audit *a)
{
    lb_audit_free(a);
    lb_published_free(published);
    lb_published_free(quoted);
    published = quoted = NULL;
}

static bool has_row(const lb_card *card, const char *key)
{
    for (size_t i = 0; i < card->n; i++) {
        if (strcmp(card->rows[i]->entry->key, key) == 0)
            return true;
    }
    return false;
}

/* The first card of a kind that holds both rows; NULL if none. */
static const lb_card *card_with(const lb_audit *a, lb_card_kind kind, const char *one,
                                const char *other)
{
    for (size_t i = 0; i < a->n; i++) {
        if (a->cards[i].kind == kind && has_row(&a->cards[i], one) && has_row(&a->cards[i], other))
            return &a->cards[i];
    }
    return NULL;
}

/* --- claims ------------------------------------------------------------------------------------
 */

Test(audit, reads_the_parts_of_a_claim_key_from_words_and_columns)
{
    lb_audit a = audit_of("e02.noise_0.2.bin_1.r2.oracle\t0.7726\tr2\t\t\t105\t32k, seed 42\ta.md\n"
                          "e02.delta_r2\t+0.05\tdelta_r2\t\t\t816/1000\t\ta.md\n"
                          "e02.n_train.total\t62.7k\tcount\t\t\t\t\ta.md\n"
                          "e02.threshold.r2\t0.5\tthreshold_R2\t\t\t\t\ta.md\n");
    const lb_claim *c = a.claims.at;
    cr_expect(c[0].noise == 0.2 && c[0].bin == 0 && c[0].bin_printed == 1 && c[0].n == 105);
    cr_expect(c[0].n_train == 32000 && c[0].seed == 42 && c[0].true_labels);
    cr_expect(strcmp(c[0].model, "oracle") == 0 && strcmp(c[0].metric, "r2") == 0);
    cr_expect(c[1].n == 816 && c[1].n_other == 1000 && c[1].noise == 0.2, "said once, it holds");
    cr_expect(c[2].value == 62700 && c[2].half == 50);
    cr_expect(c[3].intent);
    done(&a);
}

Test(audit, two_roundings_of_one_number_agree)
{
    lb_audit a =
        audit_of("e02.r2.global\t0.86\tr2\t\t\t\t\ta.md\ne03.r2.global\t0.8616\tr2\t\t\t\t\tb.md\n"
                 "e04.r2.global\t0.8613\tr2\t\t\t\t\tc.md\n");
    cr_expect(lb_claims_agree(&a.claims.at[0], &a.claims.at[1]));
    cr_expect(!lb_claims_agree(&a.claims.at[1], &a.claims.at[2]));
    done(&a);
}

/* --- rules -------------------------------------------------------------------------------------
 */

static const char scores[] = "e02.noise_0.2.r2.moe\t0.9123\tr2\t\t\t816\t32k\ta.md\n"
                             "e02.noise_0.2.r2.global\t0.8341\tr2\t\t\t%s\t32k\ta.md\n"
                             "e02.noise_0.2.delta_r2\t+0.0782\tdelta_r2\t\t\t\t32k\ta.md\n";

Test(audit, a_difference_of_scores_on_other_rows_is_found_and_one_on_the_same_rows_is_not)
{
    for (int other = 0; other < 2; other++) {
        char *text = lb_xprintf(scores, other ? "1000" : "816");
        lb_audit a = audit_of(text);
        const lb_card *card =
            card_with(&a, LB_CARD_ROWS, "e02.noise_0.2.delta_r2", "e02.noise_0.2.r2.global");
        cr_expect((card != NULL) == (other == 1));
        if (card)
            cr_expect_str_eq(card->facts[1], "0.9123 − 0.8341");
        done(&a);
        free(text);
    }
}

Test(audit, a_retention_with_a_reference_on_other_rows_is_found)
{
    lb_audit a = audit_of("e13.r2.soft\t0.9213\tr2\t\t\t816\tn=0.2\ta.md\n"
                          "e13.r2.global\t0.8341\tr2\t\t\t1000\tn=0.2\ta.md\n"
                          "e13.r2.oracle\t0.9114\tr2\t\t\t816\tn=0.2\ta.md\n"
                          "e13.rho.soft\t1.1282\trho\t\t\t816\tn=0.2\ta.md\n");
    cr_expect(card_with(&a, LB_CARD_RATIO, "e13.rho.soft", "e13.r2.global") != NULL);
    done(&a);
}

Test(audit, an_interval_beside_another_value_leads_to_its_owner)
{
    lb_audit a = audit_of("e16.r2.mlp\t0.9400\tr2\t0.0045\t0.0175\t\t\ta.md\n"
                          "e16.boot_mean.mlp\t+0.0114\tdR2\t+0.0045\t+0.0175\t\t\tb.md\n");
    const lb_card *card = card_with(&a, LB_CARD_INTERVAL, "e16.r2.mlp", "e16.boot_mean.mlp");
    cr_assert(card);
    cr_expect_str_eq(card->facts[2], "e16.boot_mean.mlp");
    done(&a);
}

Test(audit, counts_of_one_run_that_differ_are_found_with_their_sums)
{
    char text[4096] = "";
    size_t n = 0;
    for (int k = 0; k < 9; k++)
        n += (size_t)sprintf(text + n,
                             "e18.bin_%d.n_test\t%d\tcount\t\t\t\t1M train\ta.md\n"
                             "e18.16g.n_test.bin%d\t%d\tcount\t\t\t\t1M train\tb.md\n",
                             k, 60 + k, k, 60 + k + (k == 4));
    lb_audit a = audit_of(text);
    const lb_card *card = card_with(&a, LB_CARD_COUNTS, "e18.bin_4.n_test", "e18.16g.n_test.bin4");
    cr_assert(card);
    cr_expect_str_eq(card->facts[0], "576");
    cr_expect_str_eq(card->facts[1], "577");
    cr_expect_str_eq(card->facts[2], "1");
    done(&a);
}

/* --- the programme's numbers -------------------------------------------------------------------
 */

Test(audit, finds_what_the_specification_lists)
{
    lb_audit a = audit_of_the_programme();
    cr_expect(card_with(&a, LB_CARD_ROWS, "e02.noise_0.2.delta_r2", "e01.noise_0.2.r2.global") !=
                  NULL,
              "0.078 of E02 and E03");
    const lb_card *rho = card_with(&a, LB_CARD_RATIO, "e13b.rho.soft", "e13b.r2.global");
    cr_assert(rho, "retention of E13b");
    cr_expect_str_eq(rho->facts[3], "1.199");
    cr_expect(card_with(&a, LB_CARD_RATIO, "e07.order_1.share_of_moe.pct", "e11.retention.step0") !=
                  NULL,
              "the 80 %% of E07 and E11");
    const lb_card *headroom =
        card_with(&a, LB_CARD_POOLED, "e18.dr2.oracle_minus_global", "e18.16g.r2.global");
    cr_expect(headroom ||
                  card_with(&a, LB_CARD_POOLED, "e18.dr2.oracle_minus_global", "e18.r2.oracle"),
              "0.1637 of E18");
    const lb_card *column =
        card_with(&a, LB_CARD_COUNTS, "s002.bin_0.n_test", "e18.16g.n_test.bin0_cool_poor");
    cr_assert(column, "the sample column of E18");
    cr_expect_str_eq(column->facts[0], "779");
    cr_expect_str_eq(column->facts[1], "835");
    static const char *const seven[] = {"s002.r2.global",
                                        "e19.oracle.r2.global",
                                        "e19.gate.r2.global",
                                        "base.noise1.ridge.10ktest",
                                        "base.noise1.ridge.1ktest",
                                        "base.noise1.ridge.500test",
                                        "dual.r2.global"};
    for (size_t i = 1; i < 7; i++)
        cr_expect(card_with(&a, LB_CARD_VALUES, seven[0], seven[i]) != NULL, "baseline %s",
                  seven[i]);
    cr_expect(card_with(&a, LB_CARD_INTERVAL, "hub.r2.mlp_gate_100k", "e16.100k.boot_mean.mlp") !=
                  NULL,
              "the interval in the hub");
    done(&a);
}

/* Remarks about a number being right or wrong stand in the conditions; without them the same cards
 * must come out. */
Test(audit, reads_no_remark_about_right_and_wrong)
{
    static const char *const remarks[] = {"NOT aligned",
                                          "mixed row sets",
                                          "mixed sets",
                                          "superseded",
                                          "unequal subsets",
                                          "conflicts with",
                                          "overstated",
                                          "unaligned",
                                          "wrong; ",
                                          "not same rows",
                                          "row sets possibly unequal",
                                          "(baseline equals the 1000-row value)"};
    lb_error err = {0};
    char *text;
    lb_audit a = audit_of_the_programme();
    const size_t before = a.n;
    done(&a);
    cr_assert(lb_file_read("data/published/published.tsv", &text, NULL, &err) == LB_OK);
    for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++) {
        for (char *s = text; (s = strstr(s, remarks[i])); s++)
            memset(s, '.', strlen(remarks[i]));
    }
    a = audit_of(strchr(text, '\n') + 1);
    /* Of the quoted numbers, which carry no remarks, one card is missing: the interval in the hub.
     */
    cr_expect(a.n + 1 == before, "%zu cards without the remarks, %zu with", a.n, before);
    done(&a);
    free(text);
}

/* --- the register ------------------------------------------------------------------------------
 */

Test(audit, the_register_counts_as_found_what_a_card_sets_against_each_other)
{
    lb_error err = {0};
    lb_register r;
    char *text = lb_xprintf(scores, "1000");
    lb_audit a = audit_of(text);
    char *path = lb_xprintf("%s/register.tsv", folder);
    const char *entries = "id\tvalue_a\tvalue_b\tkeys_a\tkeys_b\n"
                          "C01\t1\t2\te02.noise_0.2.delta_r2\te02.noise_0.2.r2.moe\n"
                          "C02\t1\t2\t\te02.noise_0.2.r2.moe\n";
    cr_assert(lb_file_write(path, entries, strlen(entries), &err) == LB_OK);
    cr_assert(lb_register_load(path, published, &r, &err) == LB_OK, "%s", err.text);
    lb_register_score(&r, &a);
    cr_expect(r.found == 1 && r.missed == 0 && r.absent == 1);
    const size_t cards = a.n;
    a.n = 0; /* no cards, nothing found */
    lb_register_score(&r, &a);
    cr_expect(r.found == 0 && r.missed == 1);
    a.n = cards;
    lb_register_free(&r);
    const char *bad = "id\tvalue_a\tvalue_b\tkeys_a\tkeys_b\nC01\t1\t2\te02.nothing\t\n";
    cr_assert(lb_file_write(path, bad, strlen(bad), &err) == LB_OK);
    cr_expect(lb_register_load(path, published, &r, &err) == LB_ENAME);
    cr_expect(strstr(err.text, "register.tsv:2: no published key 'e02.nothing'") != NULL);
    lb_register_free(&r);
    free(path);
    free(text);
    done(&a);
}

/* --- our own -----------------------------------------------------------------------------------
 */

static lb_number number_on(double value, const char *kind, const char *rows, size_t n, bool oracle)
{
    lb_number x = lb_number_plain(value, kind, "");
    snprintf(x.rows, sizeof x.rows, "%s", rows);
    x.n = n;
    x.oracle = oracle;
    return x;
}

static const char all_rows[] =
    "sha256:1111111111111111111111111111111111111111111111111111111111111111";
static const char covered[] =
    "sha256:2222222222222222222222222222222222222222222222222222222222222222";

static lb_archive *record_with(const char *rows_of_global, bool labelled)
{
    lb_error err = {0};
    lb_archive *a;
    char *path = lb_xprintf("%s/own.h5", folder);
    lb_record *r = lb_record_new("e92", NULL);
    lb_record_rowset(r, "all", all_rows, 1000);
    lb_record_rowset(r, "covered", covered, 816);
    const size_t n = strcmp(rows_of_global, covered) == 0 ? 816 : 1000;
    lb_number gain = number_on(0.91 - 0.83, "delta_r2", covered, 816, labelled);
    gain.ci_lo = 0.05;
    gain.ci_hi = 0.11;
    lb_record_number(r, "e92.r2.moe", number_on(0.91, "r2", covered, 816, true));
    lb_record_number(r, "e92.r2.global", number_on(0.83, "r2", rows_of_global, n, false));
    lb_record_number(r, "e92.delta_r2", gain);
    cr_assert(lb_record_close(r, path, &err) == LB_OK, "%s", err.text);
    cr_assert(lb_archive_open(path, &a, &err) == LB_OK, "%s", err.text);
    free(path);
    return a;
}

static size_t cards_of_record(const char *rows, bool labelled, lb_card_kind *kind)
{
    lb_audit a = {0};
    lb_archive *r = record_with(rows, labelled);
    lb_audit_record(&a, r);
    const size_t n = a.n;
    if (n)
        *kind = a.cards[0].kind;
    lb_audit_free(&a);
    lb_archive_close(r);
    return n;
}

Test(audit, own_records_are_clean_until_rows_differ_or_an_oracle_is_silent)
{
    lb_card_kind kind = LB_CARD_KINDS;
    cr_expect(cards_of_record(covered, true, &kind) == 0);
    cr_expect(cards_of_record(all_rows, true, &kind) == 1 && kind == LB_CARD_ROWS);
    cr_expect(cards_of_record(covered, false, &kind) == 1 && kind == LB_CARD_ORACLE);
}

Test(audit, a_page_may_not_show_an_interval_beside_another_number)
{
    lb_audit a = {0};
    lb_archive *r = record_with(covered, true);
    const lb_archive *records[] = {r};
    lb_audit_page(&a, "p.md",
                  "gain +0.08 [0.05, 0.11], and\n| gain | **0.080**† | [0.050, 0.110] |\n", records,
                  1);
    cr_expect(a.n == 0 && a.own_quotes == 2, "%zu cards, %zu quotes", a.n, a.own_quotes);
    lb_audit_page(&a, "p.md", "score 0.91 [0.05, 0.11]\ngain 0.08 [0.05, 0.12]\n", records, 1);
    cr_assert(a.n == 2);
    cr_expect(a.cards[0].kind == LB_CARD_INTERVAL && a.cards[1].kind == LB_CARD_UNBACKED);
    cr_expect(strstr(a.cards[1].own, "line 2") != NULL);
    lb_audit_free(&a);
    lb_archive_close(r);
}

static size_t cards_of_page(const lb_archive *r, const char *text, size_t *keys)
{
    lb_audit a = {0};
    const lb_archive *records[] = {r};
    lb_audit_page(&a, "p.md", text, records, 1);
    const size_t n = a.n;
    *keys = a.own_keys;
    cr_expect(n == 0 || a.cards[0].kind == LB_CARD_VALUES);
    lb_audit_free(&a);
    return n;
}

Test(audit, a_value_beside_the_key_of_a_number_must_be_that_number)
{
    size_t keys;
    lb_archive *r = record_with(covered, true);
    cr_expect(cards_of_page(r, "`e92.r2.moe` 0.91; `e92.r2.global` 0.830\n", &keys) == 0);
    cr_expect(keys == 2);
    cr_expect(cards_of_page(r, "`e92.r2.moe` 0.83; `e92.r2.global` 0.91\n", &keys) == 2,
              "both stand in the line, beside the wrong keys");
    cr_expect(cards_of_page(r, "| Gain | +0.08† | rows (816) | `e92.delta_r2` |\n", &keys) == 0);
    cr_expect(cards_of_page(r, "| Gain | +0.09† | rows (816) | `e92.delta_r2` |\n", &keys) == 1);
    cr_expect(cards_of_page(r, "| Gain | 8.0 % | `e92.delta_r2` |\n", &keys) == 0, "as per cent");
    cr_expect(cards_of_page(r, "| `e92.r2.moe` | 9.1e-01 |\n", &keys) == 0, "with an exponent");
    cr_expect(cards_of_page(r, "| `e92.r2.moe` | 9.1e-02 |\n", &keys) == 1);
    cr_expect(cards_of_page(r, "keys: `e92.r2.moe`, `e92.r2.global`\n", &keys) == 0, "no value");
    cr_expect(cards_of_page(r, "rule `e92.delta_r2 >= 0.03` and `e91.r2` 0.5\n", &keys) == 0);
    lb_archive_close(r);
}

Test(audit, rows_of_a_table_with_other_values_must_say_what_differs)
{
    size_t keys;
    lb_archive *r = record_with(covered, true);
    cr_expect(cards_of_page(r, "| R² | 0.81 | all rows |\n| R² | 0.85 | covered rows |\n", &keys) ==
              0);
    cr_expect(cards_of_page(r, "| R² | 0.81 | all rows |\n| R² | 0.85 | all rows |\n", &keys) == 1);
    cr_expect(cards_of_page(r, "| R² | 0.81 | rows |\n| R² | 0.81 | rows |\n", &keys) == 0,
              "twice");
    cr_expect(cards_of_page(r, "| R² | 0.81 |\n\n| R² | 0.85 |\n", &keys) == 0, "two tables");
    cr_expect(cards_of_page(r, "| 0.1 | 0.81 |\n| 0.2 | 0.85 |\n", &keys) == 0,
              "named by a number");
    lb_archive_close(r);
}

static lb_status compare_declared(const char *yaml, lb_audit *a, const lb_archive *r, lb_error *err)
{
    const lb_archive *records[] = {r};
    const lb_catalogue all = {(char *[]){"experiments/e91_other", "experiments/e92_audited"}, 2};
    char *path = lb_xprintf("%s/same.yaml", folder);
    cr_assert(lb_file_write(path, yaml, strlen(yaml), err) == LB_OK);
    const lb_status st = lb_audit_same(a, path, &all, records, 1, err);
    free(path);
    return st;
}

Test(audit, one_claim_under_several_keys_has_one_value_on_the_same_rows)
{
    lb_error err = {0};
    lb_audit a = {0};
    lb_archive *r = record_with(covered, true);
    cr_expect(compare_declared("claims: [{claim: c, keys: [e92.r2.moe, e92.r2.moe, e91.r2]}]", &a,
                               r, &err) == LB_OK,
              "%s", err.text);
    cr_expect(a.n == 0 && a.own_compared == 1, "a record that is not there is left out");
    cr_expect(compare_declared("claims: [{claim: c, keys: [e92.r2.moe, e92.r2.global]}]", &a, r,
                               &err) == LB_OK);
    cr_assert(a.n == 1);
    cr_expect(a.cards[0].kind == LB_CARD_VALUES && strcmp(a.cards[0].subject, "c") == 0);
    cr_expect(strstr(a.cards[0].own, "`e92.r2.global`") != NULL, "%s", a.cards[0].own);
    cr_expect(compare_declared("claims:\n  - {claim: c, keys: [e92.r2.gone]}", &a, r, &err) ==
              LB_ENAME);
    cr_expect(strstr(err.text, "same.yaml:2:") && strstr(err.text, "no number 'e92.r2.gone'"), "%s",
              err.text);
    err = (lb_error){0};
    cr_expect(compare_declared("claims:\n  - {claim: c, keys: [e29.r2.moe]}", &a, r, &err) ==
              LB_ENAME);
    cr_expect(strstr(err.text, "same.yaml:2:") && strstr(err.text, "'e29.r2.moe' belongs to no"),
              "%s", err.text);
    lb_audit_free(&a);
    lb_archive_close(r);
}

/* --- what is no contradiction --------------------------------------------------------------------
 */

static size_t cards_of(const char *text)
{
    lb_audit a = audit_of(text);
    const size_t n = a.n;
    done(&a);
    return n;
}

#define ROW(key, value, ci, n, conditions)                                                         \
    key "\t" value "\tdelta_r2\t" ci "\t" n "\t" conditions "\tone.md\n"

Test(audit, draws_with_other_seeds_and_means_over_resamples_are_no_contradictions)
{
    cr_expect(cards_of(ROW("e16.dr2.mlp", "+0.0097", "0\t0.0168", "816", "noise 0.2, 32k train")
                           ROW("e16.boot_mean.mlp", "+0.0096", "0\t0.0168", "816",
                               "noise 0.2, 32k train")) == 0,
              "a mean over resamples lies beside its point");
    cr_expect(cards_of(ROW("e16.dr2.mlp", "+0.0097", "0\t0.0168", "816", "noise 0.2, 32k train")
                           ROW("e16.boot_mean.mlp", "+0.0130", "0\t0.0168", "816",
                               "noise 0.2, 32k train")) == 1,
              "but not that far");
    cr_expect(cards_of(ROW("e03.seed_42.dr2.mlp", "+0.0500", "\t", "816", "noise 0.2, 32k train")
                           ROW("e03.seed_43.dr2.mlp", "+0.0354", "\t", "816",
                               "noise 0.2, 32k train")) == 0);
    cr_expect(cards_of(ROW("e03.dr2.mlp", "+0.0500", "\t", "816", "noise 0.2, 32k train") ROW(
                  "e03.text.dr2.mlp", "+0.0354", "\t", "816", "noise 0.2, 32k train")) == 1);
    cr_expect(cards_of(ROW("e16.dr2.mlp", "-0.0176", "\t", "816", "noise 0.2, 32k train") ROW(
                  "e16.text.dr2.mlp", "0.018", "\t", "816", "noise 0.2, 32k train")) == 0,
              "a loss told by its size");
}
