/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/spec.h"

#include "core/memory.h"
#include "core/text.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char whole[] =
    "experiment: e02\n"                                                        /* 1 */
    "name: e02_piecewise\n"                                                    /* 2 */
    "title: {en: \"Nine bins\", zh: \"九分箱\"}\n"                             /* 3 */
    "author: A. Uthor\n"                                                       /* 4 */
    "date: 2026-11-21\n"                                                       /* 5 */
    "priority: P0\n"                                                           /* 6 */
    "question: {en: Does it help?, zh: 有用吗？}\n"                            /* 7 */
    "upstream: [{type: hub, title: {en: E01, zh: E01}, link: e01_baseline}]\n" /* 8 */
    "protocol: {name: clean, split_seeds: {train: 42, validation: 43, test: 44}, edge_rule: code}\n"
    "noise: {levels: [0.0, 0.1, 0.2], focus: 0.2}\n"                             /* 10 */
    "bins: {teff_edges: [3750, 4500, 5250], mh_edges: [-2.0, -1.0, 0.0, 0.5]}\n" /* 11 */
    "ridge: {alphas: [0.001, 0.1, 10], extend_decades: 2, standardise: false}\n" /* 12 */
    "bootstrap: {resamples: 1000, level: 0.95, seed: 20251203}\n"                /* 13 */
    "seeds: [42, 123]\n"                                                         /* 14 */
    "thresholds: {valuable: 0.03}\n"                                             /* 15 */
    "settings: {folds: 5, layout: {edges: [1.5, 2.5]}, names: [a, b]}\n"         /* 16 */
    "hypotheses:\n"                                                              /* 17 */
    "  H1.2:\n"                                                                  /* 18 */
    "    claim: {en: It helps, zh: 有用}\n"                                      /* 19 */
    "    metric: e02.delta_r2\n"                                                 /* 20 */
    "    pass: e02.delta_r2 >= spec.thresholds.valuable\n"                       /* 21 */
    "  E02-b:\n"                                                                 /* 22 */
    "    claim: {en: c, zh: c}\n"                                                /* 23 */
    "    metric: e02.r2\n"                                                       /* 24 */
    "    pass: verdict(H1.2) == \"PASS\" and e02.r2.ci_lo > 0\n"                 /* 25 */
    "tables: {T02.1: {en: Counts, zh: 数目}}\n"                                  /* 26 */
    "figures: {F02.1: {file: e02_bins, en: Bins, zh: 箱}}\n"                     /* 27 */
    "published: [{ours: e02.delta_r2, theirs: e03.delta_r2}]\n"                  /* 28 */
    "tolerance: {default: {kind: numeric, rtol: 1e-7}, share: {kind: statistical, se: 0.25}}\n"
    "literals: [E02, MVP-1.0]\n"; /* 30 */

static lb_spec *good(void)
{
    lb_spec *s = NULL;
    lb_error err = {0};
    cr_assert(eq(int, lb_spec_parse(whole, "spec.yaml", &s, &err), LB_OK), "%s", err.text);
    return s;
}

/* The whole spec with the first @p old replaced by @p new. */
static char *edited(const char *old, const char *new)
{
    const char *at = strstr(whole, old);
    cr_assert(ne(ptr, (void *)at, NULL), "no '%s'", old);
    return lb_xprintf("%.*s%s%s", (int)(at - whole), whole, new, at + strlen(old));
}

static void refuse(const char *old, const char *new, lb_status status, const char *start,
                   const char *part)
{
    char *text = edited(old, new);
    lb_spec *s = NULL;
    lb_error err = {0};
    cr_expect(eq(int, lb_spec_parse(text, "spec.yaml", &s, &err), status), "%s: %s", new, err.text);
    cr_expect(eq(int, strncmp(err.text, start, strlen(start)), 0), "%s -> %s", new, err.text);
    cr_expect(ne(ptr, strstr(err.text, part), NULL), "%s -> %s", new, err.text);
    cr_expect(eq(ptr, s, NULL));
    free(text);
}

Test(spec, getters_read_every_kind_of_value)
{
    lb_spec *s = good();
    size_t n = 0;
    cr_expect(eq(str, (char *)lb_spec_experiment(s), "e02"));
    cr_expect(eq(str, (char *)lb_spec_name(s), "e02_piecewise"));
    cr_expect(eq(str, (char *)lb_spec_text(s, "title", "zh"), "九分箱"));
    cr_expect(eq(str, (char *)lb_spec_text(s, "hypotheses.H1.2.claim", "en"), "It helps"));
    cr_expect(eq(str, (char *)lb_spec_text(s, "tables.T02.1", "en"), "Counts"));
    cr_expect(eq(dbl, lb_spec_number(s, "thresholds.valuable"), 0.03));
    cr_expect(eq(sz, lb_spec_size(s, "bootstrap.seed"), 20251203));
    const double *edges = lb_spec_numbers(s, "bins.mh_edges", &n);
    cr_assert(eq(sz, n, 4));
    cr_expect(eq(dbl, edges[1], -1.0));
    edges = lb_spec_numbers(s, "settings.layout.edges", &n);
    cr_assert(eq(sz, n, 2));
    cr_expect(eq(dbl, edges[0], 1.5));
    cr_expect(not(lb_spec_flag(s, "ridge.standardise")));
    cr_expect(eq(str, lb_spec_node(s, "settings.names")->items[1]->text, "b"));
    cr_expect(eq(sz, strlen(lb_spec_hash(s)), 71));
    lb_spec_free(s);
}

Test(spec, what_is_absent_reads_as_nothing)
{
    lb_spec *s = good();
    size_t n = 3;
    cr_expect(not(lb_spec_has(s, "gate")));
    cr_expect(eq(str, (char *)lb_spec_text(s, "gate", "en"), ""));
    cr_expect(isnan(lb_spec_number(s, "noise.levels")));
    cr_expect(eq(sz, lb_spec_size(s, "thresholds.valuable"), 0), "0.03 is no size");
    cr_expect(eq(ptr, (void *)lb_spec_numbers(s, "settings.names", &n), NULL));
    cr_expect(eq(sz, n, 0));
    cr_expect(eq(ptr, (void *)lb_spec_node(s, "a.b"), NULL));
    cr_expect(eq(str, (char *)lb_spec_nearest(s, "thresholds.valuabel"), "thresholds.valuable"));
    static const char *const needs[] = {"noise.levels", "settings.folds", "settings.depth"};
    lb_error err = {0};
    cr_expect(eq(int, lb_spec_require(s, needs, 2, NULL), LB_OK));
    cr_expect(eq(int, lb_spec_require(s, needs, 3, &err), LB_ENAME));
    cr_expect(ne(ptr, strstr(err.text, "'settings.depth'"), NULL), "%s", err.text);
    lb_spec_free(s);
    lb_spec_free(NULL);
}

Test(spec, unknown_keys_get_a_suggestion_and_a_position)
{
    refuse("\nseeds:", "\nseads:", LB_ENAME, "spec.yaml:14:1: ", "did you mean 'seeds'?");
    refuse("alphas:", "alphaz:", LB_ENAME, "spec.yaml:12:9: ", "'alphas'");
    refuse("metric: e02.r2", "metrics: e02.r2", LB_ENAME, "spec.yaml:24:5: ", "'metric'");
    refuse("link: e01", "lnik: e01", LB_ENAME, "spec.yaml:8:", "'link'");
    refuse("priority: P0", "zzzzzzzzzzzz: 1", LB_ENAME, "spec.yaml:6:1: ", "known here: ");
    refuse("{en: Counts", "{fr: x, en: Counts", LB_ENAME, "spec.yaml:26:18: ", "'fr'");
    refuse("date: 2026", "protocol.name: 2\ndate: 2026", LB_ENAME, "spec.yaml:5:1: ", "unknown");
}

Test(spec, missing_keys_are_named)
{
    refuse("author: A. Uthor\n", "", LB_ENAME, "spec.yaml:1:1: ", "'author' is missing");
    refuse("resamples: 1000, ", "", LB_ENAME, "spec.yaml:13:1: ", "'resamples' is missing");
    refuse("    metric: e02.r2\n", "", LB_ENAME, "spec.yaml:22:3: ", "'E02-b': the key 'metric'");
    refuse(", zh: 有用吗？", "", LB_EINVAL, "spec.yaml:7:1: ", "no 'zh' text");
    refuse("file: e02_bins, ", "", LB_ENAME, "spec.yaml:27:", "'file'");
}

Test(spec, wrong_types_are_named_with_what_stands_there)
{
    refuse("levels: [0.0, 0.1, 0.2]", "levels: 0.2", LB_EFORMAT,
           "spec.yaml:10:17: ", "list of num");
    refuse("[0.0, 0.1, 0.2]", "[0.0, 0.1x, 0.2]", LB_EFORMAT, "spec.yaml:10:23: ", "'0.1x'");
    refuse("[0.0, 0.1, 0.2]", "[0.0, \"0.1\"]", LB_EFORMAT, "spec.yaml:10:23: ", "quotes");
    refuse("focus: 0.2", "focus: [0.2]", LB_EFORMAT, "spec.yaml:10:", "not a list");
    refuse("standardise: false", "standardise: no", LB_EFORMAT, "spec.yaml:12:", "true or false");
    refuse("author: A. Uthor", "author:", LB_EFORMAT, "spec.yaml:4:", "nothing is written");
    refuse("title: {en: \"Nine bins\", zh: \"九分箱\"}", "title: Nine", LB_EFORMAT,
           "spec.yaml:3:8: ", "en and zh");
    refuse("noise: {levels: [0.0, 0.1, 0.2], focus: 0.2}", "noise: 3", LB_EFORMAT,
           "spec.yaml:10:8: ", "a map");
    refuse("[{type: hub", "[3, {type: hub", LB_EFORMAT, "spec.yaml:8:12: ", "a map");
    refuse("literals: [E02, MVP-1.0]", "literals: [[E02]]", LB_EFORMAT,
           "spec.yaml:30:12: ", "text");
    refuse("settings: {folds: 5, layout: {edges: [1.5, 2.5]}, names: [a, b]}", "settings: 7",
           LB_EFORMAT, "spec.yaml:16:11: ", "a map");
}

Test(spec, values_outside_their_domain_are_refused)
{
    refuse("[3750, 4500, 5250]", "[3750, 5250, 4500]", LB_EINVAL, "spec.yaml:11:33: ", "overlap");
    refuse("[-2.0, -1.0, 0.0, 0.5]", "[-2.0, -1.0, -1.0]", LB_EINVAL, "spec.yaml:11:", "overlap");
    refuse("[3750, 4500, 5250]", "[3750]", LB_EINVAL, "spec.yaml:11:", "two edges");
    refuse("[0.001, 0.1, 10]", "[0, 0.1, 10]", LB_EINVAL, "spec.yaml:12:18: ", "above 0");
    refuse("[0.001, 0.1, 10]", "[-1, 0.1, 10]", LB_EINVAL, "spec.yaml:12:18: ", "above 0");
    refuse("[0.001, 0.1, 10]", "[0.1, 0.1]", LB_EINVAL, "spec.yaml:12:", "rise");
    refuse("[0.001, 0.1, 10]", "[]", LB_EINVAL, "spec.yaml:12:", "empty");
    refuse("[0.0, 0.1, 0.2]", "[-0.1, 0.2]", LB_EINVAL, "spec.yaml:10:", "negative");
    refuse("focus: 0.2", "focus: 0.3", LB_EINVAL, "spec.yaml:10:", "no noise level");
    refuse("resamples: 1000", "resamples: 99", LB_EINVAL, "spec.yaml:13:24: ", "at least 100");
    refuse("resamples: 1000", "resamples: 1000.5", LB_EINVAL, "spec.yaml:13:24: ", "whole");
    refuse("level: 0.95", "level: 95", LB_EINVAL, "spec.yaml:13:", "between 0 and 1");
    refuse("seeds: [42, 123]", "seeds: [42, -1]", LB_EINVAL, "spec.yaml:14:13: ", "whole");
    refuse("priority: P0", "priority: P7", LB_EINVAL, "spec.yaml:6:11: ", "P0|P1|P2");
    refuse("edge_rule: code", "edge_rule: cod", LB_EINVAL, "spec.yaml:9:", "code|seed_text");
    refuse("2026-11-21", "21.11.2026", LB_EINVAL, "spec.yaml:5:7: ", "date");
    refuse("2026-11-21", "2026-13-21", LB_EINVAL, "spec.yaml:5:7: ", "date");
    refuse("name: e02_piecewise", "name: e03_piecewise", LB_EINVAL, "spec.yaml:2:7: ", "e02_");
    refuse("experiment: e02", "experiment: E02", LB_ENAME, "spec.yaml:20:", "start with");
    refuse("ours: e02.", "ours: e03.", LB_ENAME, "spec.yaml:28:", "'e02.'");
    refuse("kind: numeric", "kind: loose", LB_EINVAL, "spec.yaml:29:", "exact|numeric");
}

Test(spec, rules_are_parsed_and_their_names_checked_when_loading)
{
    refuse(">= spec.thresholds.valuable", "=> 3", LB_EFORMAT, "spec.yaml:21:11: ", "column 14");
    refuse("spec.thresholds.valuable", "spec.thresholds.valuabel", LB_ENAME,
           "spec.yaml:21:11: ", "did you mean 'spec.thresholds.valuable'?");
    refuse("pass: e02.delta_r2", "pass: e01.delta_r2", LB_ENAME, "spec.yaml:21:11: ", "'e02.'");
    refuse("verdict(H1.2)", "verdict(E02-b)", LB_ENAME, "spec.yaml:25:11: ", "above this one");
}

Test(spec, a_list_or_an_unreadable_file_is_no_spec)
{
    lb_spec *s = NULL;
    lb_error err = {0};
    cr_expect(eq(int, lb_spec_parse("[1]", "spec.yaml", &s, NULL), LB_EFORMAT));
    cr_expect(eq(int, lb_spec_parse("a: [", "spec.yaml", &s, NULL), LB_EFORMAT));
    cr_expect(eq(int, lb_spec_load("/nonexistent.yaml", &s, &err), LB_EIO));
}

Test(spec, a_file_and_its_text_have_the_same_hash)
{
    char path[] = "/tmp/lb_spec_XXXXXX";
    const int fd = mkstemp(path);
    lb_spec *a = good(), *b = NULL;
    cr_assert(ge(int, fd, 0));
    cr_assert(eq(int, (int)write(fd, whole, sizeof whole - 1), (int)sizeof whole - 1));
    close(fd);
    cr_assert(eq(int, lb_spec_load(path, &b, NULL), LB_OK));
    cr_expect(eq(str, (char *)lb_spec_hash(a), (char *)lb_spec_hash(b)));
    cr_expect(eq(str, (char *)lb_spec_path(b), path));
    unlink(path);
    lb_spec_free(a);
    lb_spec_free(b);
}

Test(spec, tolerances_go_by_kind_then_default)
{
    lb_spec *s = good();
    cr_expect(eq(int, lb_spec_tolerance(s, "count").kind, LB_TOL_EXACT));
    cr_expect(eq(int, lb_spec_tolerance(s, "alpha").kind, LB_TOL_EXACT));
    cr_expect(eq(int, lb_spec_tolerance(s, "seconds").kind, LB_TOL_MEASURED));
    cr_expect(eq(int, lb_spec_tolerance(s, "share").kind, LB_TOL_STATISTICAL));
    cr_expect(eq(dbl, lb_spec_tolerance(s, "share").errors, 0.25));
    cr_expect(eq(int, lb_spec_tolerance(s, "r2").kind, LB_TOL_NUMERIC));
    cr_expect(eq(dbl, lb_spec_tolerance(s, "r2").rtol, 1e-7));
    cr_expect(eq(dbl, lb_spec_tolerance(NULL, "r2").rtol, 1e-6));
    cr_expect(eq(dbl, lb_spec_tolerance(NULL, "r2").atol, 1e-9));
    lb_spec_free(s);
}
