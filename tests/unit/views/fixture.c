/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "core/file.h"
#include "core/memory.h"
#include "record/record.h"
#include "report/fill.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GOLDEN "tests/golden/views"

char toy_folder[] = "/tmp/lb_views_XXXXXX";
char toy_templates[64], toy_reports[64];
const char *toy_spectra = "sha256:0123456789abcdef";
lb_places toy_places;
static char results[64], figures[64], shared[64], frozen[64];

void toy_shell(const char *command)
{
    char *line = lb_xprintf("cd %s && %s", toy_folder, command);
    cr_assert(system(line) == 0, "%s", line);
    free(line);
}

void toy_record(const char *id, const char *name, const char *profile, double gain)
{
    lb_error err = {0};
    lb_spec *spec;
    char rows[LB_HASH_SIZE];
    char *file = lb_xprintf("%s/experiments/%s/spec.yaml", toy_templates, name);
    char *path = lb_xprintf("%s/%s.h5", results, name), *key = lb_xprintf("%s.gain", id);
    char *share = lb_xprintf("%s.share", id);
    lb_hash_bytes("rows", 4, rows);
    cr_assert(lb_spec_load(file, &spec, &err) == LB_OK, "%s", err.text);
    lb_record *r = lb_record_new(id, spec);
    lb_record_rowset(r, "rows", rows, 100);
    lb_number x = lb_number_plain(gain, "delta_r2", "");
    x.ci_lo = gain - 0.015;
    x.ci_hi = gain + 0.015;
    x.se = 0.0075;
    x.n = 100;
    snprintf(x.rows, sizeof x.rows, "%s", rows);
    if (gain != 0.0)
        lb_record_number(r, key, x);
    lb_record_number(r, share, lb_number_na("retention", "n/a (no gain)"));
    lb_record_provenance(r, "profile", "%s", profile);
    lb_record_provenance(r, "data.train", "%s", toy_spectra);
    lb_record_judge(r);
    cr_assert(lb_record_close(r, path, &err) == LB_OK, "%s", err.text);
    lb_spec_free(spec);
    free(share);
    free(key);
    free(path);
    free(file);
}

static void fill(const char *name, const char *language)
{
    lb_error err = {0};
    char *home = lb_xprintf("%s/experiments/%s", toy_templates, name);
    char *page = lb_xprintf("%s/%s.%s.md", toy_reports, name, language);
    const lb_fill_outputs outputs = {page, NULL, NULL, NULL};
    cr_assert(lb_fill(&toy_places, home, language, &outputs, NULL, &err) == LB_OK, "%s", err.text);
    free(page);
    free(home);
}

void toys_make(void)
{
    cr_assert(mkdtemp(toy_folder) != NULL);
    snprintf(toy_templates, sizeof toy_templates, "%s/templates", toy_folder);
    snprintf(toy_reports, sizeof toy_reports, "%s/reports", toy_folder);
    snprintf(results, sizeof results, "%s/results", toy_folder);
    snprintf(figures, sizeof figures, "%s/figures", toy_folder);
    snprintf(shared, sizeof shared, "%s/templates/views", toy_folder);
    snprintf(frozen, sizeof frozen, "%s/frozen", toy_folder);
    char *copy = lb_xprintf("cp -r " GOLDEN " %s", toy_templates);
    cr_assert(system(copy) == 0);
    free(copy);
    toy_places = (lb_places){.profile = "quick",
                             .results = results,
                             .shared = shared,
                             .frozen = frozen,
                             .published = "data/published/published.tsv",
                             .figures = figures,
                             .sources = "."};
    toy_record("e90", "e90_first", "quick", 0.05);
    toy_record("e91", "e91_second", "quick", -0.02);
    for (size_t i = 0; i < 4; i++)
        fill(i < 2 ? "e90_first" : "e91_second", i % 2 ? "zh" : "en");
}

void toys_remove(void)
{
    char *command = lb_xprintf("rm -rf '%s'", toy_folder);
    cr_assert(system(command) == 0);
    free(command);
}
