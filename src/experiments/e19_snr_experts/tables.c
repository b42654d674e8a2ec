/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of E19; the protocol is in e19_snr_experts.c. */
#include "experiments/e19_snr_experts/e19.h"

#include "study/quote.h"

#include <stdio.h>

/* Name of an interval, with a mark where there are few test rows. */
static void name_marked(const lb_study *s, const result *r, size_t which, size_t k, char out[32])
{
    if (few_rows(s, &r->by[which].of[k]))
        snprintf(out, 32, "%s (n < %zu)", interval_names[k],
                 lb_spec_size(s->spec, "settings.snr.few_rows"));
    else
        snprintf(out, 32, "%s", interval_names[k]);
}

static void table_models(lb_study *s)
{
    static const lb_column columns[] = {{"model", ""},     {"R²", ""},      {"MAE, dex", ""},
                                        {"RMSE, dex", ""}, {"n train", ""}, {"n test", ""}};
    lb_record_table(s->record, "T19.1", 6, columns);
    lb_study_row(s, "T19.1",
                 "=global|oracle.r2.global|oracle.mae.global|oracle.rmse.global|data.n_train|"
                 "data.n_test");
    lb_study_row(s, "T19.1",
                 "=oracle, four experts|oracle.r2.oracle|oracle.mae.oracle|oracle.rmse.oracle|"
                 "data.n_train|data.n_test");
    for (size_t k = INTERVALS; k-- > 0;)
        lb_study_row(s, "T19.1",
                     "=expert %1$s|oracle.%2$s.r2_oracle|oracle.%2$s.mae|oracle.%2$s.rmse|"
                     "oracle.%2$s.n_train|oracle.%2$s.n_test",
                     interval_names[k], interval_keys[k]);
}

static void table_intervals(lb_study *s, const result *r, const char *id, size_t which)
{
    static const lb_column columns[] = {{"interval", ""},  {"range", ""},  {"n train", ""},
                                        {"share, %", ""},  {"n test", ""}, {"R² oracle", ""},
                                        {"R² global", ""}, {"ΔR²", "+"},   {"95 % CI", "ci"},
                                        {"R² gate", ""},   {"α", ""}};
    size_t n = 0;
    const double *edge = lb_spec_numbers(s->spec, "settings.snr.edges", &n);
    char range[INTERVALS][32];
    snprintf(range[X], sizeof range[X], "≤ %g", edge[0]);
    snprintf(range[H], sizeof range[H], "> %g", edge[n - 1]);
    for (size_t k = L; k < H; k++)
        snprintf(range[k], sizeof range[k], "%g to %g", edge[k - 1], edge[k]);
    lb_record_table(s->record, id, 11, columns);
    for (size_t k = INTERVALS; k-- > 0;) {
        char name[32];
        name_marked(s, r, which, k, name);
        lb_study_row(s, id,
                     "=%1$s|=%2$s|%3$s.%4$s.n_train|%3$s.%4$s.share|%3$s.%4$s.n_test|"
                     "%3$s.%4$s.r2_oracle|%3$s.%4$s.r2_global|%3$s.%4$s.dr2|%3$s.%4$s.dr2|"
                     "%5$s.%4$s.test_r2|alpha.%3$s.%4$s.marked",
                     name, range[k], oracle_keys[which], interval_keys[k], gate_keys[which]);
    }
}

static void table_shares(lb_study *s)
{
    static const lb_column columns[] = {{"interval", ""},
                                        {"expected, %", ""},
                                        {"ratio of norms, %", ""},
                                        {"median per pixel, %", ""}};
    size_t n = 0;
    const double *expected = lb_spec_numbers(s->spec, "settings.snr.expected_share", &n);
    lb_record_table(s->record, "T19.4", 4, columns);
    for (size_t k = INTERVALS; k-- > 0;)
        lb_study_row(s, "T19.4", "=%1$s|=%2$g|oracle.%3$s.share|pixel.%3$s.share",
                     interval_names[k], k < n ? expected[k] : 0.0, interval_keys[k]);
}

static void table_gains(lb_study *s)
{
    static const lb_column columns[] = {{"penalty", ""},   {"definition", ""}, {"R² global", ""},
                                        {"R² oracle", ""}, {"ΔR²", "+"},       {"95 % CI", "ci"},
                                        {"n", ""},         {"verdict", ""}};
    lb_record_table(s->record, "T19.5", 8, columns);
    for (size_t d = 0; d < DEFINITIONS; d++)
        lb_study_row(s, "T19.5",
                     "=by validation|=%1$s|%2$s.r2.global|%2$s.r2.oracle|%2$s.dr2|%2$s.dr2|"
                     "data.n_test|%2$s.ladder",
                     definition_names[d], oracle_keys[d]);
    static const char *const fits[] = {"fixed", "scaled"};
    static const char *const names[] = {"published α", "published α per training row"};
    for (size_t f = 0; f < 2; f++)
        for (size_t d = 0; d < DEFINITIONS; d++)
            lb_study_row(s, "T19.5",
                         "=%1$s|=%2$s|%3$s.r2.global|%3$s.%4$s.r2.oracle|%3$s.%4$s.dr2|"
                         "%3$s.%4$s.dr2|data.n_test|%3$s.%4$s.ladder",
                         names[f], definition_names[d], fits[f], oracle_keys[d]);
}

static void table_gate(lb_study *s)
{
    static const lb_column columns[] = {
        {"definition", ""}, {"method", ""},    {"train R²", ""}, {"test R²", ""},
        {"ΔR²", "+"},       {"95 % CI", "ci"}, {"ρ", ""},        {"95 % CI of ρ", "ci"}};
    lb_record_table(s->record, "T19.6", 8, columns);
    for (size_t d = 0; d < DEFINITIONS; d++) {
        const char *name = definition_names[d], *gate = gate_keys[d], *oracle = oracle_keys[d];
        lb_study_row(s, "T19.6",
                     "=%1$s|=global|%2$s.train_r2.global|%2$s.r2.global|= |= |= |= ", name, gate);
        lb_study_row(s, "T19.6",
                     "=%1$s|=oracle|%2$s.train_r2.oracle|%2$s.r2.oracle|%3$s.dr2|%3$s.dr2|= |= ",
                     name, gate, oracle);
        lb_study_row(s, "T19.6",
                     "=%1$s|=deployed|%2$s.train_r2.deployed|%2$s.r2.deployed|%2$s.dr2.deployed|"
                     "%2$s.dr2.deployed|%2$s.rho|%2$s.rho",
                     name, gate);
        lb_study_row(s, "T19.6",
                     "=%1$s|=deployed, fallback|%2$s.train_r2.deployed_fallback|"
                     "%2$s.r2.deployed_fallback|%2$s.dr2.deployed_fallback|"
                     "%2$s.dr2.deployed_fallback|= |= ",
                     name, gate);
    }
}

/* The deployed mixture in each interval, on rows the gate was trained on and on rows it was not. */
static void table_gate_intervals(lb_study *s, const result *r)
{
    static const lb_column columns[] = {{"definition", ""}, {"interval", ""}, {"n train", ""},
                                        {"train R²", ""},   {"n test", ""},   {"test R²", ""},
                                        {"95 % CI", "ci"}};
    lb_record_table(s->record, "T19.10", 7, columns);
    for (size_t d = 0; d < DEFINITIONS; d++)
        for (size_t k = INTERVALS; k-- > 0;) {
            char name[32];
            name_marked(s, r, d, k, name);
            lb_study_row(s, "T19.10",
                         "=%1$s|=%2$s|%3$s.%4$s.train_r2.n|%3$s.%4$s.train_r2|%5$s.%4$s.n_test|"
                         "%3$s.%4$s.test_r2|%3$s.%4$s.test_r2",
                         definition_names[d], name, gate_keys[d], interval_keys[k], oracle_keys[d]);
        }
}

static void table_weighted(lb_study *s)
{
    static const lb_column columns[] = {{"definition", ""},
                                        {"method", ""},
                                        {"R² of all rows", ""},
                                        {"n-weighted R² of the intervals", ""},
                                        {"n", ""},
                                        {"warning", ""}};
    static const char *const names[] = {"global", "oracle", "deployed"};
    lb_record_table(s->record, "T19.11", 6, columns);
    for (size_t d = 0; d < DEFINITIONS; d++)
        for (size_t j = 0; j < 3; j++)
            lb_study_row(s, "T19.11",
                         "=%1$s|=%2$s|%3$s.r2.%2$s|%3$s.weighted_r2.%2$s|data.n_test|"
                         "%3$s.warning.%2$s",
                         definition_names[d], names[j], j < 2 ? oracle_keys[d] : gate_keys[d]);
}

/* Experts of merged intervals stand under the name of the lowest. */
static void table_confusion(lb_study *s, const result *r)
{
    static const lb_column columns[] = {{"definition", ""}, {"true", ""},     {"called X", ""},
                                        {"called L", ""},   {"called M", ""}, {"called H", ""}};
    lb_record_table(s->record, "T19.7", 6, columns);
    for (size_t d = 0; d < DEFINITIONS; d++) {
        const definition *x = &r->by[d];
        for (size_t t = 0; t < INTERVALS; t++) {
            const bool own_row = t == 0 || x->serves[t] != x->serves[t - 1];
            size_t count[INTERVALS] = {0};
            for (size_t k = 0; k < INTERVALS && own_row; k++)
                if (k == 0 || x->serves[k] != x->serves[k - 1])
                    count[k] =
                        x->confusion[(size_t)x->serves[t] * INTERVALS + (size_t)x->serves[k]];
            for (size_t k = 0; k < INTERVALS; k++)
                lb_study_put(s, lb_number_count(count[k]), "%s.confusion.%s.%s", gate_keys[d],
                             interval_keys[t], interval_keys[k]);
            lb_study_row(s, "T19.7",
                         "=%1$s|=%2$s|%3$s.confusion.%4$s.x|%3$s.confusion.%4$s.l|"
                         "%3$s.confusion.%4$s.m|%3$s.confusion.%4$s.h",
                         definition_names[d], interval_names[t], gate_keys[d], interval_keys[t]);
        }
    }
}

static void table_simple(lb_study *s)
{
    static const lb_column columns[] = {
        {"model", ""},     {"R²", ""}, {"− global", "+"}, {"− deployed mixture", "+"},
        {"95 % CI", "ci"}, {"n", ""},  {"α", ""}};
    lb_record_table(s->record, "T19.8", 7, columns);
    lb_study_row(s, "T19.8",
                 "=Ridge on whitened spectra|gate4.whitened.r2|gate4.whitened.dr2_global|"
                 "gate4.whitened.dr2_deployed|gate4.whitened.dr2_deployed|data.n_test|"
                 "alpha.whitened.marked");
    lb_study_row(s, "T19.8",
                 "=Ridge conditioned on quality|gate4.conditioned.r2|gate4.conditioned.dr2_global|"
                 "gate4.conditioned.dr2_deployed|gate4.conditioned.dr2_deployed|data.n_test|"
                 "alpha.conditioned.marked");
}

/* This run beside the one on a million rows, which is quoted from its frozen file. */
static void table_scaling(lb_study *s)
{
    static const lb_column columns[] = {
        {"profile", ""},     {"training rows", ""}, {"n test", ""},       {"R² global", ""},
        {"R² oracle", ""},   {"ΔR²", "+"},          {"95 % CI", "ci"},    {"ρ", ""},
        {"accuracy, %", ""}, {"simulation, s", ""}, {"Ridge fit, s", ""}, {"peak memory, GB", ""}};
    static const char *const quoted[] = {
        "data.n_train", "data.n_test",     "oracle.r2.global",   "oracle.r2.oracle",
        "oracle.dr2",   "gate.rho",        "gate.gate_accuracy", "gate.r2.deployed",
        "pixel.dr2",    "cost.simulation", "cost.fit",           "cost.memory"};
    lb_study_quote(s, "million", quoted, sizeof quoted / sizeof *quoted);
    lb_record_table(s->record, "T19.9", 12, columns);
    lb_study_row(s, "T19.9",
                 "=%s|data.n_train|data.n_test|oracle.r2.global|oracle.r2.oracle|oracle.dr2|"
                 "oracle.dr2|gate.rho|gate.gate_accuracy|=—|=—|=—",
                 s->profile);
    lb_study_row(s, "T19.9",
                 "=million|million.data.n_train|million.data.n_test|million.oracle.r2.global|"
                 "million.oracle.r2.oracle|million.oracle.dr2|million.oracle.dr2|million.gate.rho|"
                 "million.gate.gate_accuracy|million.cost.simulation|million.cost.fit|"
                 "million.cost.memory");
}

void make_tables(lb_study *s, const result *r)
{
    table_models(s);
    table_intervals(s, r, "T19.2", NORM);
    table_intervals(s, r, "T19.3", PIXEL);
    table_shares(s);
    table_gains(s);
    table_gate(s);
    table_confusion(s, r);
    table_simple(s);
    table_scaling(s);
    table_gate_intervals(s, r);
    table_weighted(s);
}
