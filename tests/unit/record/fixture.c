/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "core/memory.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char fixture_spec_text[] = "experiment: e02\n"
                                 "name: e02_piecewise\n"
                                 "title: {en: Nine bins, zh: 九分箱}\n"
                                 "author: A. Uthor\n"
                                 "date: 2026-11-21\n"
                                 "question: {en: Does it help?, zh: 有用吗？}\n"
                                 "protocol: {name: clean}\n"
                                 "thresholds: {valuable: 0.03}\n"
                                 "hypotheses:\n"
                                 "  H1.2:\n"
                                 "    claim: {en: It helps, zh: 有用}\n"
                                 "    metric: e02.delta_r2\n"
                                 "    pass: e02.delta_r2 >= spec.thresholds.valuable\n"
                                 "    fail: e02.delta_r2 < 0.01\n"
                                 "tolerance: {delta_r2: {kind: statistical, se: 0.5}}\n";

static char *directory;

const char *fixture_dir(void)
{
    if (!directory) {
        directory = lb_xstrdup("/tmp/lb_record_XXXXXX");
        cr_assert(ne(ptr, mkdtemp(directory), NULL));
    }
    return directory;
}

void fixture_clean(void)
{
    if (!directory)
        return;
    char *command = lb_xprintf("rm -rf '%s'", directory);
    cr_expect(eq(int, system(command), 0));
    free(command);
    free(directory);
    directory = NULL;
}

const char *fixture_path(const char *name)
{
    static char paths[4][256];
    static size_t turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", fixture_dir(), name);
    return path;
}

lb_spec *fixture_spec(void)
{
    lb_spec *s = NULL;
    lb_error err = {0};
    cr_assert(eq(int, lb_spec_parse(fixture_spec_text, "spec.yaml", &s, &err), LB_OK), "%s",
              err.text);
    return s;
}

/* The mixture is routed by true labels. */
static lb_number by_oracle(lb_number x)
{
    x.oracle = true;
    return x;
}

lb_number fixture_score(double value, const char *kind)
{
    lb_number x = lb_number_plain(value, kind, "");
    x.ci_lo = value - 0.0171;
    x.ci_hi = value + 0.0174;
    x.se = 0.0088;
    x.n = 816;
    x.seed = 20251203;
    snprintf(x.rows, sizeof x.rows, "%s", HASH_A);
    snprintf(x.protocol, sizeof x.protocol, "clean");
    return x;
}

lb_record *fixture_record(const lb_spec *spec, double gain)
{
    static const lb_column columns[] = {{"bin", ""}, {"R2", "+.4f"}};
    static const double curve[] = {0.37, 2.17, 0.5};
    lb_record *r = lb_record_new("e02", spec);
    lb_record_rowset(r, "test_covered", HASH_A, 816);
    lb_record_number(r, "e02.r2.global", fixture_score(0.8616, "r2"));
    lb_record_number(r, "e02.r2.moe", by_oracle(fixture_score(0.8616 + gain, "r2")));
    lb_number difference = by_oracle(fixture_score(gain, "delta_r2"));
    difference.boot_mean = gain - 0.001;
    difference.p_positive = 0.998;
    lb_record_number(r, "e02.delta_r2", difference);
    lb_record_number(r, "e02.bins.covered", lb_number_count(9));
    lb_record_number(r, "e02.bin.3.r2", lb_number_na("r2", "n/a (n<10)"));
    lb_record_number(r, "e02.fit.wall", lb_number_plain(1.25, "seconds", "s"));
    lb_record_text(r, "e02.verdict_word", "significant\tand\\valuable");
    lb_record_table(r, "T02.1", 2, columns);
    lb_record_row(r, "T02.1");
    lb_record_cell_text(r, "T02.1", "bin %d", 0);
    lb_record_cell_key(r, "T02.1", "e02.r2.moe.n");
    lb_record_row(r, "T02.1");
    lb_record_cell_text(r, "T02.1", "%s", "冷星");
    lb_record_cell_key(r, "T02.1", "e01.r2.global");
    lb_record_series(r, "F02.1/global/r2", curve, 3);
    lb_record_figure(r, "F02.1", "e02_bins");
    lb_record_provenance(r, "profile", "%s", "quick");
    lb_record_provenance(r, "data.train", "%s", HASH_B);
    return r;
}

void fixture_write(const char *path, double gain)
{
    lb_spec *spec = fixture_spec();
    lb_error err = {0};
    lb_record *r = fixture_record(spec, gain);
    lb_record_judge(r);
    cr_assert(eq(int, lb_record_close(r, path, &err), LB_OK), "%s", err.text);
    lb_spec_free(spec);
}

lb_archive *fixture_open(const char *path)
{
    lb_archive *a = NULL;
    lb_error err = {0};
    cr_assert(eq(int, lb_archive_open(path, &a, &err), LB_OK), "%s", err.text);
    return a;
}
