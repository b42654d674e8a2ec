/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of E22; the protocol is in e22_best_model.c. */
#include "experiments/e22_best_model/e22.h"

#include <stdio.h>

static void table_levels(lb_study *s, const result *r)
{
    lb_study_table(s, "T22.1",
                   "noise|global|nine bins|conditional|regression gate|expected noise|"
                   "chosen (validation rows)|R² chosen in the cell|ceiling with prior|"
                   "leader's set (test rows, in hindsight)");
    for (size_t i = 0; i < r->n_levels; i++)
        lb_study_row(s, "T22.1",
                     "=%1$.1f|noise_%1$.1f.r2.global|noise_%1$.1f.r2.nine|"
                     "noise_%1$.1f.r2.conditional|noise_%1$.1f.r2.regression|"
                     "noise_%1$.1f.r2.expected|noise_%1$.1f.chosen|noise_%1$.1f.r2.policy|"
                     "noise_%1$.1f.ceiling.prior|noise_%1$.1f.set",
                     r->at[i].noise);
}

static void table_choices(lb_study *s)
{
    static const char *const how[ENTRIES] = {
        [GLOBAL] = "one model throughout",      [NINE] = "one model throughout",
        [CONDITIONAL] = "one model throughout", [REGRESSION] = "one model throughout",
        [EXPECTED] = "one model throughout",    [POLICY] = "by validation rows",
        [BY_LEVEL] = "by validation rows",      [HINDSIGHT] = "by test rows: not to be had"};
    lb_study_table(s, "T22.2",
                   "model|how it is chosen|mean R²|95 % CI:ci|gain over global:+|"
                   "95 % CI:ci");
    for (size_t e = 0; e < ENTRIES; e++)
        lb_study_row(s, "T22.2",
                     e == GLOBAL ? "=%2$s|=%3$s|mean.r2.%1$s|mean.r2.%1$s|=|="
                                 : "=%2$s|=%3$s|mean.r2.%1$s|mean.r2.%1$s|mean.gain.%1$s|"
                                   "mean.gain.%1$s",
                     model_keys[e], model_names[e], how[e]);
}

static void table_cells(lb_study *s, const result *r)
{
    lb_study_table(s, "T22.3",
                   "noise|signal to noise|n validation|n test|chosen (validation rows)|R²|"
                   "gain over global:+|95 % CI:ci|lead of the best:+|95 % CI:ci|"
                   "leader's set (test rows, in hindsight)|choice in it");
    for (size_t i = 0; i < r->n_levels; i++)
        for (size_t k = 0; k < r->n_classes; k++)
            if (r->at[i].of[k].n_test)
                lb_study_row(s, "T22.3",
                             "=%1$.1f|=%3$s|noise_%1$.1f.s%2$zu.n_val|noise_%1$.1f.s%2$zu.n_test|"
                             "noise_%1$.1f.s%2$zu.chosen|noise_%1$.1f.s%2$zu.r2.policy|"
                             "noise_%1$.1f.s%2$zu.gain|noise_%1$.1f.s%2$zu.gain|"
                             "noise_%1$.1f.s%2$zu.lead|noise_%1$.1f.s%2$zu.lead|"
                             "noise_%1$.1f.s%2$zu.set|noise_%1$.1f.s%2$zu.chosen_in_set",
                             r->at[i].noise, k, r->class_name[k]);
}

static void table_classes(lb_study *s, const result *r)
{
    lb_study_table(s, "T22.4",
                   "signal to noise|median|n test|global|nine bins|conditional|regression gate|"
                   "expected noise|chosen in the cell|leader's set (test rows, in hindsight)");
    for (size_t k = 0; k + 1 < r->n_classes; k++)
        lb_study_row(s, "T22.4",
                     "=%2$s|snr.s%1$zu.snr|snr.s%1$zu.n_test|snr.s%1$zu.r2.global|"
                     "snr.s%1$zu.r2.nine|snr.s%1$zu.r2.conditional|snr.s%1$zu.r2.regression|"
                     "snr.s%1$zu.r2.expected|snr.s%1$zu.r2.policy|snr.s%1$zu.set",
                     k, r->class_name[k]);
}

static void ceiling_row(lb_study *s, const char *prefix, const char *rows)
{
    lb_study_row(s, "T22.5",
                 "=%2$s|%1$s.snr|%1$s.ceiling.prior|%1$s.ceiling.unbiased|%1$s.ceiling.median|"
                 "%1$s.r2.policy|%1$s.gap|%1$s.gap|%1$s.efficiency",
                 prefix, rows);
}

static void table_ceiling(lb_study *s, const result *r)
{
    char prefix[48], rows[64];
    lb_study_table(s, "T22.5",
                   "rows|median signal to noise|with prior|unbiased, pooled:.2f|"
                   "unbiased, median star|R² chosen in the cell|gap to prior|95 % CI:ci|"
                   "share of the ceiling:.2f");
    for (size_t i = 0; i < r->n_levels; i++) {
        if (!(r->at[i].noise > 0.0))
            continue;
        snprintf(prefix, sizeof prefix, "noise_%.1f", r->at[i].noise);
        snprintf(rows, sizeof rows, "noise %.1f", r->at[i].noise);
        ceiling_row(s, prefix, rows);
    }
    for (size_t k = 0; k + 1 < r->n_classes; k++) {
        snprintf(prefix, sizeof prefix, "snr.s%zu", k);
        snprintf(rows, sizeof rows, "all levels, SNR %s", r->class_name[k]);
        ceiling_row(s, prefix, rows);
    }
}

static void table_cost(lb_study *s)
{
    static const char *const labels[MODELS] = {[GLOBAL] = "log g",
                                               [NINE] = "log g, T_eff, [M/H]",
                                               [CONDITIONAL] = "log g, [M/H]",
                                               [REGRESSION] = "log g, T_eff, [M/H]",
                                               [EXPECTED] = "log g"};
    lb_study_table(s, "T22.6",
                   "model|labels it is trained on|parameters|largest system|"
                   "systems factored|passes over training rows");
    for (size_t m = 0; m < MODELS; m++)
        lb_study_row(s, "T22.6",
                     "=%2$s|=%3$s|cost.parameters.%1$s|cost.unknowns.%1$s|"
                     "cost.systems.%1$s|cost.passes.%1$s",
                     model_keys[m], model_names[m], labels[m]);
}

static void table_gates(lb_study *s, const result *r)
{
    lb_study_table(s, "T22.7",
                   "noise|R² of guessed [M/H]|RMSE, dex:.3f|class named rightly, %|"
                   "regression gate|epochs|best epoch|converged");
    for (size_t i = 0; i < r->n_levels; i++)
        lb_study_row(s, "T22.7",
                     "=%1$.1f|noise_%1$.1f.guess.r2|noise_%1$.1f.guess.rmse|"
                     "noise_%1$.1f.gate.accuracy|noise_%1$.1f.gate.form|"
                     "noise_%1$.1f.gate.epochs|noise_%1$.1f.gate.best_epoch|"
                     "noise_%1$.1f.gate.converged",
                     r->at[i].noise);
}

static void table_penalties(lb_study *s, const result *r)
{
    lb_study_table(s, "T22.8",
                   "noise|global|expected noise|conditional|guess of [M/H]|"
                   "experts, bin by bin");
    for (size_t i = 0; i < r->n_levels; i++)
        lb_study_row(s, "T22.8",
                     "=%1$.1f|noise_%1$.1f.alpha.global.marked|"
                     "noise_%1$.1f.alpha.expected.marked|noise_%1$.1f.alpha.conditional.marked|"
                     "noise_%1$.1f.alpha.guess.marked|noise_%1$.1f.alpha.experts",
                     r->at[i].noise);
}

static void table_models(lb_study *s, const result *r)
{
    lb_study_table(s, "T22.9",
                   "noise|model|R² validation|R² test|95 % CI:ci|MAE, dex:.3f|behind the leader:+|"
                   "95 % CI:ci");
    for (size_t i = 0; i < r->n_levels; i++)
        for (size_t m = 0; m < MODELS; m++)
            lb_study_row(s, "T22.9",
                         m == r->at[i].whole.leader
                             ? "=%1$.1f|=%3$s|noise_%1$.1f.validation.r2.%2$s|"
                               "noise_%1$.1f.r2.%2$s|noise_%1$.1f.r2.%2$s|noise_%1$.1f.mae.%2$s|"
                               "=leads|="
                             : "=%1$.1f|=%3$s|noise_%1$.1f.validation.r2.%2$s|"
                               "noise_%1$.1f.r2.%2$s|noise_%1$.1f.r2.%2$s|noise_%1$.1f.mae.%2$s|"
                               "noise_%1$.1f.behind.%2$s|noise_%1$.1f.behind.%2$s",
                         r->at[i].noise, model_keys[m], model_names[m]);
}

void make_tables(lb_study *s, const result *r)
{
    table_levels(s, r);
    table_choices(s);
    table_cells(s, r);
    table_classes(s, r);
    table_ceiling(s, r);
    table_cost(s);
    table_gates(s, r);
    table_penalties(s, r);
    table_models(s, r);
}
