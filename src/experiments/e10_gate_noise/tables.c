/* SPDX-License-Identifier: GPL-3.0-or-later */
/* E10: its tables. */
#include "experiments/e10_gate_noise/e10.h"

#include <stdio.h>

static void table_scores(lb_study *s, const result *r)
{
    lb_study_table(s, "T10.1",
                   "σ, dex|R² hard|std|R² cond|std|ρ hard|95 % CI:ci|ρ cond, own|95 % CI:ci|"
                   "ρ cond, common|95 % CI:ci|bin flips, %");
    for (size_t q = 0; q < r->grid; q++) {
        char key[16];
        lb_study_row(s, "T10.1",
                     "=%2$g|%1$s.r2.hard|%1$s.std.hard|%1$s.r2.cond|%1$s.std.cond|"
                     "%1$s.rho_own.hard|%1$s.rho_own.hard|%1$s.rho_own.cond|%1$s.rho_own.cond|"
                     "%1$s.rho_common.cond|%1$s.rho_common.cond|%1$s.flips",
                     e10_sigma_key(r->told.sigma[q], key), r->told.sigma[q]);
    }
}

static void table_crossings(lb_study *s, const result *r)
{
    lb_study_table(s, "T10.2",
                   "curve|σ at 80 %, dex|95 % CI:ci|σ at 60 %, dex|95 % CI:ci|σ at 50 %, dex|"
                   "95 % CI:ci|ρ at the predictor's RMSE|95 % CI:ci|ρ, told by the predictor|"
                   "95 % CI:ci");
    static const char *const rho[CURVES] = {"rho_own.hard", "rho_own.cond", "rho_common.cond"};
    for (size_t c = 0; c < CURVES; c++)
        lb_study_row(s, "T10.2",
                     "=%1$s|crossing.%2$s.at_80|crossing.%2$s.at_80|crossing.%2$s.at_60|"
                     "crossing.%2$s.at_60|crossing.%2$s.at_50|crossing.%2$s.at_50|"
                     "predictor.sigma.%3$s|predictor.sigma.%3$s|predictor.actual.%3$s|"
                     "predictor.actual.%3$s",
                     e10_curve_name[c], e10_curve[c], rho[c]);
    (void)r;
}

static void table_rules(lb_study *s)
{
    static const char *const text[RULES] = {
        "conditional robust: keeps the lower share at the large σ",
        "hard sensitive: collapsed at the sensitive σ",
        "both collapse at the small σ",
        "hard acceptable: not collapsed at the accepted σ",
        "H-A1, lower share: conditional keeps it and hard has collapsed",
        "H-A1, upper share: conditional keeps it and hard has collapsed"};
    lb_study_table(s, "T10.3",
                   "rule|common denominator|own denominator|larger set, common denominator|"
                   "larger set, own denominator");
    for (size_t i = 0; i < RULES; i++)
        lb_study_row(s, "T10.3",
                     "=%1$s|rule.%2$s.common.word|rule.%2$s.own.word|large.rule.%2$s.common.word|"
                     "large.rule.%2$s.own.word",
                     text[i], e10_rule[i]);
    lb_study_row(s, "T10.3",
                 "=row of the plan that applies|decision.common|decision.own|"
                 "large.decision.common|large.decision.own");
}

static void table_variants(lb_study *s, const result *r)
{
    lb_study_table(s, "T10.4",
                   "σ, dex|R² hard|R² hard, α re-tuned|R² cond|R² cond, α re-tuned|"
                   "α cond, re-tuned|R² cond, no clamp|R² nine bins|ρ nine bins, own|95 % CI:ci");
    for (size_t q = 0; q < r->grid; q++) {
        char key[16];
        lb_study_row(s, "T10.4",
                     "=%2$g|%1$s.r2.hard|%1$s.r2.hard_tuned|%1$s.r2.cond|%1$s.r2.cond_tuned|"
                     "%1$s.alpha.cond_tuned|%1$s.r2.cond_free|%1$s.r2.nine|%1$s.rho_own.nine|%1$s."
                     "rho_own.nine",
                     e10_sigma_key(r->told.sigma[q], key), r->told.sigma[q]);
    }
}

static void table_rows(lb_study *s, const result *r)
{
    lb_study_table(s, "T10.5",
                   "σ, dex|R² hard, covered|R² cond, covered|ρ hard, covered|"
                   "ρ cond own, covered|ρ cond common, covered|R² hard, larger set|"
                   "R² cond, larger set|ρ hard, larger set|ρ cond own, larger set|"
                   "ρ cond common, larger set|95 % CI:ci");
    for (size_t q = 0; q < r->grid; q++) {
        char key[16];
        lb_study_row(s, "T10.5",
                     "=%2$g|covered.%1$s.r2.hard|covered.%1$s.r2.cond|covered.%1$s.rho_own.hard|"
                     "covered.%1$s.rho_own.cond|covered.%1$s.rho_common.cond|"
                     "large.%1$s.r2.hard|large.%1$s.r2.cond|large.%1$s.rho_own.hard|"
                     "large.%1$s.rho_own.cond|large.%1$s.rho_common.cond|"
                     "large.%1$s.rho_common.cond",
                     e10_sigma_key(r->told.sigma[q], key), r->told.sigma[q]);
    }
}

void e10_tables(lb_study *s, const result *r)
{
    table_scores(s, r);
    table_crossings(s, r);
    table_rules(s);
    table_variants(s, r);
    table_rows(s, r);
}
