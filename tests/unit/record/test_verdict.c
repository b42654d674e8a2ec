/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

TestSuite(verdict, .fini = fixture_clean);

static const char head[] = "experiment: e02\n"
                           "name: e02_x\n"
                           "title: {en: t, zh: t}\n"
                           "author: a\n"
                           "date: 2026-11-21\n"
                           "question: {en: q, zh: q}\n"
                           "protocol: {name: clean}\n"
                           "thresholds: {valuable: 0.03}\n"
                           "hypotheses:\n";

/* Judge hypotheses (YAML, two spaces in) on e02.gain = @p gain and e02.none, which is n/a. */
static lb_archive *judged(const char *hypotheses, double gain)
{
    const char *path = fixture_path("e02_x.h5");
    char text[4096];
    lb_spec *spec = NULL;
    lb_error err = {0};
    snprintf(text, sizeof text, "%s%s", head, hypotheses);
    cr_assert(eq(int, lb_spec_parse(text, "spec.yaml", &spec, &err), LB_OK), "%s", err.text);
    lb_record *r = lb_record_new("e02", spec);
    lb_number x = fixture_score(gain, "delta_r2");
    lb_record_rowset(r, "covered", HASH_A, 816);
    lb_record_number(r, "e02.gain", x);
    lb_record_number(r, "e02.none", lb_number_na("delta_r2", "n/a (n<10)"));
    lb_record_text(r, "e02.word", "robust");
    lb_record_judge(r);
    cr_assert(eq(int, lb_record_close(r, path, &err), LB_OK), "%s", err.text);
    lb_spec_free(spec);
    return fixture_open(path);
}

#define HYPOTHESIS(metric, rules) "  H:\n    claim: {en: c, zh: c}\n    metric: " metric "\n" rules

static void outcome(const char *hypotheses, double gain, const char *expected, const char *detail)
{
    lb_archive *a = judged(hypotheses, gain);
    const lb_verdict *v = lb_archive_verdict(a, "H");
    cr_assert(ne(ptr, (void *)v, NULL));
    cr_expect(eq(str, (char *)v->outcome, (char *)expected), "%s: %s", hypotheses, v->detail);
    cr_expect(ne(ptr, strstr(v->detail, detail), NULL), "'%s' in: %s", detail, v->detail);
    lb_archive_close(a);
}

static const char ladder[] =
    HYPOTHESIS("e02.gain", "    pass: e02.gain >= spec.thresholds.valuable\n"
                           "    partial: e02.gain >= 0.02\n"
                           "    fail: e02.gain < 0.01\n");

Test(verdict, the_first_true_rule_decides_and_a_gap_is_inconclusive)
{
    outcome(ladder, 0.05, "PASS", "e02.gain = 0.05, spec.thresholds.valuable = 0.03");
    outcome(ladder, 0.03, "PASS", "e02.gain = 0.03");
    outcome(ladder, nextafter(0.03, 0), "PARTIAL", "");
    outcome(ladder, 0.02, "PARTIAL", "");
    outcome(ladder, 0.015, "INCONCLUSIVE", "e02.gain = 0.015");
    outcome(ladder, 0.01, "INCONCLUSIVE", "");
    outcome(ladder, -0.5, "FAIL", "e02.gain = -0.5");
}

Test(verdict, keeps_metric_rule_and_values)
{
    lb_archive *a = judged(ladder, 0.025);
    const lb_verdict *v = lb_archive_verdict(a, "H");
    cr_expect(eq(str, (char *)v->metric, "e02.gain"));
    cr_expect(eq(str, (char *)v->rule, "e02.gain >= 0.02"));
    cr_expect(eq(dbl, v->value.value, 0.025));
    cr_expect(eq(dbl, v->value.se, 0.0088));
    cr_expect(eq(sz, v->value.n, 816));
    cr_expect(eq(str, (char *)v->value.kind, "delta_r2"));
    lb_archive_close(a);
}

Test(verdict, a_robust_rule_may_ask_the_interval)
{
    const char *robust = HYPOTHESIS("e02.gain", "    pass: e02.gain.ci_lo > 0.03\n"
                                                "    fail: e02.gain.ci_hi < 0.03\n");
    outcome(robust, 0.05, "PASS", "");
    outcome(robust, 0.04, "INCONCLUSIVE", "");
    outcome(robust, 0.001, "FAIL", "");
}

Test(verdict, a_missing_or_na_metric_is_not_run)
{
    outcome(HYPOTHESIS("e02.none", "    pass: e02.gain > 0\n"), 0.05, "NOT RUN", "n/a (n<10)");
    outcome(HYPOTHESIS("e02.gian", "    pass: e02.gain > 0\n"), 0.05, "NOT RUN",
            "did you mean e02.gain?");
    outcome(HYPOTHESIS("e02.gain", "    pass: e02.none > 0\n"), 0.05, "NOT RUN", "e02.none = n/a");
    outcome(HYPOTHESIS("e02.gain", "    pass: e02.gian > 0\n"), 0.05, "NOT RUN", "did you mean");
    outcome(HYPOTHESIS("e02.gain", "    pass: e02.gain > 1\n    fail: e02.none < 1\n"), 0.05,
            "NOT RUN", "e02.none = n/a");
    outcome(HYPOTHESIS("e02.gain", "    pass: e02.gain / (e02.gain - e02.gain) > 1\n"), 0.05,
            "NOT RUN", "e02.gain");
}

Test(verdict, rules_may_use_texts_and_earlier_verdicts)
{
    outcome(HYPOTHESIS("e02.gain", "    pass: e02.word == \"robust\"\n"), 0.05, "PASS", "robust");
    lb_archive *a = judged(
        HYPOTHESIS("e02.gain", "    pass: e02.gain > 0.03\n") "  H-b:\n    claim: {en: c, zh: c}\n "
                                                              "   metric: e02.gain\n"
                                                              "    pass: verdict(H) == \"PASS\"\n",
        0.05);
    cr_expect(eq(str, (char *)lb_archive_verdict(a, "H-b")->outcome, "PASS"));
    cr_expect(eq(str, (char *)lb_archive_verdict(a, "H-b")->detail, "verdict(H) = PASS"));
    size_t n = 0;
    cr_expect(eq(str, (char *)lb_archive_verdicts(a, &n)[0].id, "H"));
    cr_expect(eq(sz, n, 2));
    lb_archive_close(a);
}

Test(verdict, a_rule_whose_kinds_do_not_fit_stops_the_record)
{
    char text[4096];
    lb_spec *spec = NULL;
    lb_error err = {0};
    snprintf(text, sizeof text, "%s%s", head, HYPOTHESIS("e02.gain", "    pass: e02.gain\n"));
    cr_assert(eq(int, lb_spec_parse(text, "spec.yaml", &spec, NULL), LB_OK));
    lb_record *r = lb_record_new("e02", spec);
    lb_record_number(r, "e02.gain", lb_number_plain(1, "r2", ""));
    lb_record_judge(r);
    cr_expect(eq(int, lb_record_close(r, fixture_path("x.h5"), &err), LB_EFORMAT));
    cr_expect(ne(ptr, strstr(err.text, "neither true nor false"), NULL), "%s", err.text);
    lb_spec_free(spec);
}
