/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "core/file.h"
#include "core/memory.h"
#include "record/record.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DRAW_SEED = 20251203 };
#define GOLDEN "tests/golden/template"

char folder[] = "/tmp/lb_report_XXXXXX";
lb_places places;
static char figures[64], reports[64];

static lb_number scored(double value, double lo, double hi, double se, const char *kind,
                        const char *rows)
{
    lb_number x = lb_number_plain(value, kind, "");
    x.ci_lo = lo;
    x.ci_hi = hi;
    x.se = se;
    x.n = 816;
    x.seed = DRAW_SEED;
    snprintf(x.rows, sizeof x.rows, "%s", rows);
    snprintf(x.protocol, sizeof x.protocol, "%s", "clean");
    return x;
}

static void record_numbers(lb_record *r, const char *rows)
{
    lb_number gain = scored(0.0500, 0.0329, 0.0674, 0.0088, "delta_r2", rows);
    gain.p_above = 0.987;
    gain.boot_mean = 0.0497;
    gain.p_positive = 1.0;
    lb_number percent = lb_number_plain(81.6, "percent", "%");
    percent.digits = 1;
    lb_number none = lb_number_na("r2", "n/a (n<10)");
    none.n = 7;
    lb_record_number(r, "e90.r2.global", scored(0.8616, 0.8410, 0.8801, 0.0101, "r2", rows));
    lb_record_number(r, "e90.r2.moe", scored(0.91163, 0.8989, 0.9235, 0.0063, "r2", rows));
    lb_record_number(r, "e90.delta_r2", gain);
    lb_record_number(r, "e90.loss", scored(-0.0123, -0.0300, 0.0051, 0.0090, "delta_r2", rows));
    lb_record_number(r, "e90.n_test", lb_number_count(32000));
    lb_record_number(r, "e90.alpha", lb_number_plain(1e5, "alpha", ""));
    lb_record_number(r, "e90.alpha_small", lb_number_plain(0.001, "alpha", ""));
    lb_record_number(r, "e90.mae", lb_number_plain(0.12345, "mae", "dex"));
    lb_record_number(r, "e90.coverage", percent);
    lb_record_number(r, "e90.k8.r2", none);
    lb_record_number(r, "e90.ruin", lb_number_plain(-699.04, "r2", ""));
    lb_record_number(r, "e90.tiny", lb_number_plain(3.21e-9, "ratio", ""));
    lb_record_number(r, "e90.zero", lb_number_plain(-0.0004, "bias", "dex"));
    lb_record_number(r, "e90.scope.pixels", lb_number_count(4096));
    lb_record_text(r, "e90.best", "nine bins");
    lb_number bound = scored(0.9246, 0.9101, 0.9377, 0.0070, "r2", rows);
    bound.oracle = true;
    lb_record_number(r, "e90.r2.oracle", bound);
    lb_number share = scored(0.797, 0.61, 0.96, 0.09, "retention", rows);
    share.oracle = true;
    lb_record_number(r, "e90.retention", share);
    none.oracle = true;
    lb_record_number(r, "e90.k8.oracle", none);
}

static void record_table(lb_record *r)
{
    static const lb_column columns[] = {
        {"Model", ""}, {"R2 full", ""}, {"Gain", "+.4f"}, {"CI", "ci"}, {"α", ""}};
    static const char *const rows[][5] = {
        {"global", "e90.r2.global", "—", "e90.r2.global", "e90.alpha"},
        {"mixture 混合", "e90.r2.moe", "e90.delta_r2", "e90.delta_r2", "e90.alpha_small"},
        {"a|b", "e90.k8.r2", "e90.loss", "e90.loss", "e90.alpha_small"},
    };
    lb_record_table(r, "T90.1", 5, columns);
    for (size_t i = 0; i < 3; i++) {
        lb_record_row(r, "T90.1");
        for (size_t j = 0; j < 5; j++) {
            if (strncmp(rows[i][j], "e90.", 4) == 0)
                lb_record_cell_key(r, "T90.1", rows[i][j]);
            else
                lb_record_cell_text(r, "T90.1", "%s", rows[i][j]);
        }
    }
}

/* Two cells without a value, for one reason. */
static void record_reasons(lb_record *r)
{
    static const lb_column columns[] = {{"Rows", ""}, {"R2", ""}, {"CI", "ci"}};
    lb_record_table(r, "T90.8", 3, columns);
    for (size_t i = 0; i < 3; i++) {
        const char *key = i < 2 ? "e90.k8.r2" : "e90.r2.moe";
        lb_record_row(r, "T90.8");
        lb_record_cell_text(r, "T90.8", "bin %zu", i);
        lb_record_cell_key(r, "T90.8", key);
        lb_record_cell_key(r, "T90.8", key);
    }
}

/* A matrix of two levels, the larger numbers off its diagonal. */
static void record_matrix(lb_record *r)
{
    static const lb_column columns[] = {
        {"trained at", ""}, {"tested at 0.1", "diagonal"}, {"tested at 0.2", "diagonal"}};
    lb_record_table(r, "T90.7", 3, columns);
    for (size_t i = 0; i < 2; i++) {
        lb_record_row(r, "T90.7");
        lb_record_cell_text(r, "T90.7", "0.%zu", i + 1);
        lb_record_cell_key(r, "T90.7", i == 0 ? "e90.r2.global" : "e90.r2.moe");
        lb_record_cell_key(r, "T90.7", i == 0 ? "e90.r2.moe" : "e90.r2.global");
    }
}

/* Oracle numbers beside others, in columns that compete and in intervals. */
static void record_oracles(lb_record *r)
{
    static const lb_column columns[] = {
        {"Rows", ""}, {"Gate", "best"}, {"Oracle", "best"}, {"CI", "ci"}};
    static const char *const rows[][4] = {
        {"covered", "e90.r2.moe", "e90.r2.oracle", "e90.r2.oracle"},
        {"empty", "e90.r2.global", "e90.k8.oracle", "e90.r2.global"},
        {"outside", "e90.r2.oracle", "e90.r2.global", "e90.retention"},
    };
    lb_record_table(r, "T90.9", 4, columns);
    for (size_t i = 0; i < 3; i++) {
        lb_record_row(r, "T90.9");
        lb_record_cell_text(r, "T90.9", "%s", rows[i][0]);
        for (size_t j = 1; j < 4; j++)
            lb_record_cell_key(r, "T90.9", rows[i][j]);
    }
}

static void write_records(void)
{
    lb_error err = {0};
    lb_spec *spec;
    char rows[LB_HASH_SIZE], *path = lb_xprintf("%s/e90_golden.h5", folder);
    char *other = lb_xprintf("%s/e91_other.h5", folder);
    lb_hash_bytes("covered", 7, rows);
    cr_assert(lb_spec_load(GOLDEN "/spec.yaml", &spec, &err) == LB_OK, "%s", err.text);
    lb_record *r = lb_record_new("e90", spec);
    lb_record_rowset(r, "covered", rows, 816);
    record_numbers(r, rows);
    record_table(r);
    record_reasons(r);
    record_matrix(r);
    record_oracles(r);
    lb_record_figure(r, "F90.1", "e90_gain");
    lb_record_provenance(r, "profile", "%s", "quick");
    lb_published *published;
    cr_assert(lb_published_load(GOLDEN "/published.tsv", &published, &err) == LB_OK, "%s",
              err.text);
    lb_record_published(r, "e03.r2.global", lb_published_find(published, "e03.r2.global"));
    lb_published_free(published);
    lb_record_judge(r);
    cr_assert(lb_record_close(r, path, &err) == LB_OK, "%s", err.text);
    r = lb_record_new("e91", NULL);
    lb_record_number(r, "e91.r2", lb_number_plain(0.25, "r2", ""));
    cr_assert(lb_record_close(r, other, &err) == LB_OK, "%s", err.text);
    lb_spec_free(spec);
    free(path);
    free(other);
}

void fixture_make(void)
{
    lb_error err = {0};
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(figures, sizeof figures, "%s/figures", folder);
    snprintf(reports, sizeof reports, "%s/reports", folder);
    char *svg = lb_xprintf("%s/e90_gain.svg", figures);
    cr_assert(lb_file_write(svg, "<svg/>", 6, &err) == LB_OK, "%s", err.text);
    free(svg);
    places = (lb_places){.profile = "quick",
                         .results = folder,
                         .shared = GOLDEN "/shared",
                         .frozen = GOLDEN "/frozen",
                         .published = GOLDEN "/published.tsv",
                         .figures = figures,
                         .sources = GOLDEN};
    write_records();
}

void fixture_remove(void)
{
    char *command = lb_xprintf("rm -rf '%s'", folder);
    cr_assert(system(command) == 0);
    free(command);
}

lb_facts *facts_open(const char *language)
{
    lb_error err = {0};
    lb_facts *f;
    cr_assert(lb_facts_open(&places, GOLDEN, language, &f, &err) == LB_OK, "%s", err.text);
    return f;
}

static char *fill(lb_template *t, const char *language, lb_dialect dialect, lb_error *err)
{
    lb_facts *f = facts_open(language);
    lb_page page = {.facts = f, .dialect = dialect, .folder = reports, .err = err};
    const lb_status st = lb_page_fill(&page, t);
    char *out = st == LB_OK ? lb_page_finish(&page) : NULL;
    cr_expect(st == (err->status), "the status is that of the message");
    lb_text_free(&page.out);
    lb_facts_close(f);
    lb_template_free(t);
    return out;
}

char *fill_text(const char *text, const char *language, lb_dialect dialect, lb_error *err)
{
    lb_template *t;
    const lb_position start = {"test.md", 1, 1};
    if (lb_template_parse(text, start, places.shared, language, &t, err) != LB_OK)
        return NULL;
    return fill(t, language, dialect, err);
}

char *fill_file(const char *path, const char *language, lb_dialect dialect, lb_error *err)
{
    lb_template *t;
    if (lb_template_load(path, places.shared, language, &t, err) != LB_OK)
        return NULL;
    return fill(t, language, dialect, err);
}

char *without_scratch(char *s)
{
    const size_t n = strlen(folder);
    lb_text out = {0};
    for (const char *c = s; *c;) {
        const bool here = strncmp(c, folder, n) == 0;
        lb_text_addn(&out, here ? "SCRATCH" : c, here ? 7 : 1);
        c += here ? n : 1;
    }
    free(s);
    return lb_text_take(&out);
}
