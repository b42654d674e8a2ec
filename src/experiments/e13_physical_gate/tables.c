/* SPDX-License-Identifier: GPL-3.0-or-later */
/* E13: the tables. */
#include "core/memory.h"
#include "core/text.h"
#include "experiments/e13_physical_gate/e13.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void table_experts(lb_study *s, const lb_domains *nine)
{
    static const lb_column columns[] = {{"form", ""},     {"k", ""},          {"name", ""},
                                        {"T_eff, K", ""}, {"[M/H], dex", ""}, {"n train", ""},
                                        {"n test", ""},   {"α", ""}};
    static const char *const names[] = {"Metal-poor", "Solar", "Metal-rich"};
    const lb_bins *b = &s->data.bins;
    size_t n = 0;
    const double *edge = lb_spec_numbers(s->spec, "settings.mh_open_edges", &n);
    lb_record_table(s->record, "T13.1", 8, columns);
    for (size_t k = 0; k < 3; k++) {
        char *range = k == 0   ? lb_xprintf("below %.1f", edge[0])
                      : k == 1 ? lb_xprintf("%.1f to %.1f", edge[0], edge[1])
                               : lb_xprintf("from %.1f on", edge[1]);
        lb_study_row(s, "T13.1",
                     "=a, three|=%1$zu|=%2$s|=all|=%3$s|a.expert%1$zu.n_train|"
                     "a.expert%1$zu.n_test|a.expert%1$zu.alpha.marked",
                     k, names[k], range);
        free(range);
    }
    for (size_t k = 0; k < s->data.n_bins; k++) {
        char name[32];
        const size_t t = k / b->n_mh, m = k % b->n_mh;
        if (s->data.merged_to[k] != (int)k)
            continue;
        lb_bins_name(b, (int)k, name);
        lb_study_row(s, "T13.1",
                     "=b, nine|=%1$zu|=%2$s|=%3$.0f–%4$.0f|=%5$.1f to %6$.1f|"
                     "b.expert%7$d.n_train|b.expert%7$d.n_test|b.expert%7$d.alpha.marked",
                     k, name, b->teff[t], b->teff[t + 1], b->mh[m], b->mh[m + 1], nine->of_bin[k]);
    }
    lb_study_row(s, "T13.1",
                 "=both|=—|=global|=all|=all|data.n_train|data.n_test|alpha.global.marked");
}

static void table_routing(lb_study *s)
{
    static const lb_column columns[] = {
        {"form", ""},         {"method", ""},         {"R²", ""},   {"MAE, dex", ""},
        {"RMSE, dex", ""},    {"ΔR² vs global", "+"}, {"ρ", ".2f"}, {"95 % CI of ρ", "ci"},
        {"to global, %", ""}, {"row set", ""}};
    lb_record_table(s->record, "T13.2", 10, columns);
    for (size_t f = THREE; f <= NINE; f++)
        for (size_t m = 0; m < (f == THREE ? (size_t)RIVALS : (size_t)METHODS); m++) {
            char *own = m == GLOBAL   ? lb_xstrdup("=—|=—|=—")
                        : m == ORACLE ? lb_xprintf("%s.dr2.max|=1|=—", e13_form[f])
                                      : lb_xprintf("%1$s.dr2.%2$s|%1$s.rho.%2$s|%1$s.rho.%2$s",
                                                   e13_form[f], e13_method[m]);
            char *rate =
                m == TRUSTED ? lb_xprintf("%s.fallback_rate", e13_form[f]) : lb_xstrdup("=—");
            lb_study_row(s, "T13.2",
                         "=%1$s|=%2$s|%1$s.r2.%3$s|%1$s.mae.%3$s|%1$s.rmse.%3$s|%4$s|%5$s|=%6$s",
                         e13_form[f], e13_method_name[m], e13_method[m], own, rate,
                         f == THREE ? "all" : "covered");
            free(own);
            free(rate);
        }
}

static void table_confusion_three(lb_study *s)
{
    static const lb_column columns[] = {{"true cell", ""},
                                        {"called metal-poor", ""},
                                        {"called solar", ""},
                                        {"called metal-rich", ""},
                                        {"recall, %", ""}};
    static const char *const names[] = {"Metal-poor", "Solar", "Metal-rich"};
    lb_record_table(s->record, "T13.3", 5, columns);
    for (size_t t = 0; t < 3; t++)
        lb_study_row(s, "T13.3",
                     "=%2$s|a.confusion.true%1$zu.pred0|a.confusion.true%1$zu.pred1|"
                     "a.confusion.true%1$zu.pred2|a.recall%1$zu",
                     t, names[t]);
    lb_study_row(s, "T13.3", "=accuracy, %%|= |= |= |a.gate_accuracy");
    lb_study_row(s, "T13.3", "=macro F1|= |= |= |a.macro_f1");
}

static void table_confusion_nine(lb_study *s, const lb_domains *nine)
{
    lb_column columns[LB_BINS_MAX + 1] = {{"true k", ""}};
    char heads[LB_BINS_MAX][24];
    size_t used = 1;
    for (size_t k = 0; k < s->data.n_bins; k++)
        if (nine->of_bin[k] >= 0 && s->data.merged_to[k] == (int)k) {
            snprintf(heads[k], sizeof heads[k], "%zu", k);
            columns[used++] = (lb_column){heads[k], ".2f"};
        }
    lb_record_table(s->record, "T13.4", used, columns);
    for (size_t k = 0; k < s->data.n_bins; k++) {
        char name[32];
        lb_text cells = {0};
        if (s->data.merged_to[k] != (int)k)
            continue;
        lb_bins_name(&s->data.bins, (int)k, name);
        lb_text_printf(&cells, "=%zu %s", k, name);
        for (size_t j = 0; j < nine->n; j++)
            lb_text_printf(&cells, "|b.confusion.true%d.pred%zu", nine->of_bin[k], j);
        lb_study_row(s, "T13.4", "%s", cells.s);
        lb_text_free(&cells);
    }
}

/* The last column, of the intervals of rho, is there if they are. */
static void table_ablations(lb_study *s, const result *r)
{
    static const lb_column columns[] = {
        {"features", ""},  {"dim", ""},  {"accuracy, %", ""},      {"ΔR² vs global", "+"},
        {"95 % CI", "ci"}, {"ρ", ".2f"}, {"share of full", ".2f"}, {"95 % CI of ρ", "ci"}};
    const bool bounded = isfinite(r->ablated[NO_CHANGE].ci_lo);
    lb_record_table(s->record, "T13.5", bounded ? 8 : 7, columns);
    for (size_t a = 0; a < ABLATIONS; a++) {
        char *last = bounded ? lb_xprintf("|a.ablation.rho.%s", e13_ablation[a]) : lb_xstrdup("");
        lb_study_row(s, "T13.5",
                     "=%1$s|a.ablation.dim.%2$s|a.ablation.accuracy.%2$s|a.ablation.dr2.%2$s|"
                     "a.ablation.dr2.%2$s|a.ablation.rho.%2$s|a.ablation.share.%2$s%3$s",
                     e13_ablation_name[a], e13_ablation[a], last);
        free(last);
    }
}

static void table_bins(lb_study *s, const bin_result *bin)
{
    static const lb_column columns[] = {
        {"k", ""},         {"name", ""},          {"n test", ""}, {"R² oracle", ""},
        {"R² global", ""}, {"R² gate, soft", ""}, {"ρ", ".2f"},   {"95 % CI of ρ", "ci"}};
    lb_record_table(s->record, "T13.6", 8, columns);
    for (size_t k = 0; k < s->data.n_bins; k++)
        lb_study_row(s, "T13.6",
                     "=%1$zu|=%2$s%4$s|b.perbin.n.%3$s|b.perbin.r2_oracle.%3$s|"
                     "b.perbin.r2_global.%3$s|b.perbin.r2_gate.%3$s|b.perbin.rho.%3$s|"
                     "b.perbin.rho.%3$s",
                     k, bin[k].name, bin[k].key, bin[k].n < 30 ? " (few rows)" : "");
}

static void table_coverage(lb_study *s)
{
    static const lb_column columns[] = {{"strategy", ""},          {"R² covered", ""},
                                        {"R² outside", ""},        {"R² all rows", ""},
                                        {"Δ vs global, all", "+"}, {"95 % CI", "ci"},
                                        {"needs true labels", ""}};
    static const bool needs[] = {false, false, true, true, false, true};
    lb_record_table(s->record, "T13.7", 7, columns);
    for (size_t m = 0; m < STRATEGIES; m++) {
        char *delta = m == C_GLOBAL
                          ? lb_xstrdup("=—|=—")
                          : lb_xprintf("c.dr2_full.%1$s|c.dr2_full.%1$s", e13_strategy[m]);
        lb_study_row(s, "T13.7", "=%1$s|c.r2_covered.%2$s|c.r2_oor.%2$s|c.r2_full.%2$s|%3$s|=%4$s",
                     e13_strategy_name[m], e13_strategy[m], delta, needs[m] ? "yes" : "no");
        free(delta);
    }
}

static void table_seeds(lb_study *s, const result *r)
{
    static const lb_column columns[] = {
        {"seed", ""},          {"a: oracle gain", "+"}, {"a: gain, soft", "+"},
        {"a: ρ, soft", ".2f"}, {"b: oracle gain", "+"}, {"b: gain, soft", "+"},
        {"b: ρ, soft", ".2f"}};
    lb_record_table(s->record, "T13.8", 7, columns);
    for (size_t i = 0; i < r->n_seeds; i++)
        lb_study_row(s, "T13.8",
                     "=%1$zu|a.seed_%1$zu.dr2.max|a.seed_%1$zu.dr2.soft|a.seed_%1$zu.rho.soft|"
                     "b.seed_%1$zu.dr2.max|b.seed_%1$zu.dr2.soft|b.seed_%1$zu.rho.soft",
                     (size_t)r->seed[i]);
    lb_study_row(s, "T13.8",
                 "=mean|= |a.seeds.dr2.mean|a.seeds.rho.mean|= |b.seeds.dr2.mean|b.seeds.rho.mean");
    lb_study_row(
        s, "T13.8",
        "=std, ddof 1|= |a.seeds.dr2.std|a.seeds.rho.std|= |b.seeds.dr2.std|b.seeds.rho.std");
    lb_study_row(s, "T13.8",
                 "=lowest|= |a.seeds.dr2.lowest|a.seeds.rho.lowest|= |b.seeds.dr2.lowest|"
                 "b.seeds.rho.lowest");
}

static void table_taus(lb_study *s)
{
    static const lb_column columns[] = {{"τ", ""},
                                        {"a: R²", ".4f"},
                                        {"a: to global, %", ""},
                                        {"b: R²", ".4f"},
                                        {"b: to global, %", ""}};
    size_t n = 0;
    const double *tau = lb_spec_numbers(s->spec, "settings.taus", &n);
    lb_record_table(s->record, "T13.9", 5, columns);
    for (size_t i = 0; i < n; i++)
        lb_study_row(s, "T13.9",
                     "=%1$.1f|a.tau_%1$.1f.r2|a.tau_%1$.1f.fallback_rate|b.tau_%1$.1f.r2|"
                     "b.tau_%1$.1f.fallback_rate",
                     tau[i]);
}

static void table_importance(lb_study *s, const draw *d)
{
    static const lb_column columns[] = {{"feature", ""},
                                        {"family", ""},
                                        {"a: mean coefficient", ""},
                                        {"a: rank", ""},
                                        {"b: mean coefficient", ""},
                                        {"b: rank", ""}};
    const lb_gate_inputs *in = &d->form[NINE].in;
    lb_record_table(s->record, "T13.10", 6, columns);
    for (size_t j = 0; j < in->n; j++) {
        char key[48];
        e13_feature_key(in->name[j], key);
        char *three = j < d->form[THREE].in.n ? lb_xprintf("a.importance.%1$s|a.rank.%1$s", key)
                                              : lb_xstrdup("=—|=—");
        lb_study_row(s, "T13.10", "=%1$s|=%2$s|%3$s|b.importance.%4$s|b.rank.%4$s", in->name[j],
                     e13_family(in->name[j]), three, key);
        free(three);
    }
}

/* The windows as the library has them: no setting changes them. */
static void table_windows(lb_study *s)
{
    static const lb_column columns[] = {{"window", ""},
                                        {"core, Å", ""},
                                        {"left band, Å", ""},
                                        {"right band, Å", ""},
                                        {"features", ""}};
    const lb_window_set *set = &lb_windows_four;
    lb_record_table(s->record, "T13.11", 5, columns);
    for (size_t i = 0; i < set->n_windows; i++) {
        const lb_window *w = &set->windows[i];
        lb_text features = {0};
        for (size_t j = 0; j < set->n_features; j++)
            if (set->features[j].first <= i && i <= set->features[j].last)
                lb_text_printf(&features, "%s%s", features.length ? ", " : "",
                               set->features[j].name);
        lb_study_row(s, "T13.11", "=%s|=%.0f–%.0f|=%.0f–%.0f|=%.0f–%.0f|=%s", w->name, w->lo, w->hi,
                     w->left_lo, w->left_hi, w->right_lo, w->right_hi, features.s);
        lb_text_free(&features);
    }
}

void e13_tables(lb_study *s, const draw *d, const lb_domains *domains, const result *r)
{
    table_experts(s, &domains[NINE]);
    table_routing(s);
    table_confusion_three(s);
    table_confusion_nine(s, &domains[NINE]);
    table_ablations(s, r);
    table_bins(s, r->bin);
    table_coverage(s);
    table_seeds(s, r);
    table_taus(s);
    table_importance(s, d);
    table_windows(s);
}
