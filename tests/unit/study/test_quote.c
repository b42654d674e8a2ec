/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/file.h"
#include "core/memory.h"
#include "data/toy.h"
#include "record/archive.h"
#include "study/quote.h"
#include "study/world.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char frozen[] =
    "# loggbook frozen results, format 1\n"
    "# experiment: e90\n"
    "# profile: million\n"
    "key\tvalue\tci_lo\tci_hi\tse\tn\tkind\trows\ttolerance\toracle\n"
    "e90.dr2\t0.125\t0.0625\t0.25\t0.03125\t835\tdelta_r2\tcovered\trtol=1e-06 atol=1e-09\tyes\n"
    "e90.cost.fit\t91.5\t\t\t\t\tseconds\t\tmeasured\t-\n"
    "e90.rho\tn/a: no gain\t\t\t\t835\tretention\tcovered\trtol=1e-06 atol=1e-09\t-\n"
    "rowset:covered\tsha256:ab\t\t\t\t835\trowset\t\texact\t-\n";
static const char *const keys[] = {"dr2", "cost.fit", "rho", "elsewhere"};

typedef struct scene {
    lb_study s;
    lb_error err;
} scene;

static void scene_open(scene *t)
{
    *t = (scene){.s = {.id = "e90", .profile = "standard", .spec = world_nine()}};
    t->s.err = &t->err;
    t->s.record = lb_record_new("e90", t->s.spec);
}

/* What the record says once it is closed. */
static lb_archive *scene_close(scene *t)
{
    lb_archive *a = NULL;
    lb_error err = {0};
    char *path = in_dir(scratch_dir(), "e90.h5");
    cr_assert(lb_study_ok(&t->s), "%s", t->err.text);
    cr_assert(lb_record_close(t->s.record, path, &err) == LB_OK, "%s", err.text);
    cr_assert(lb_archive_open(path, &a, &err) == LB_OK, "%s", err.text);
    free(path);
    lb_spec_free(t->s.spec);
    return a;
}

Test(quote, keeps_value_interval_rows_and_the_oracle_mark)
{
    scene t;
    scene_open(&t);
    char *path = in_dir(scratch_dir(), "million.tsv"), hash[LB_HASH_SIZE];
    cr_assert(lb_file_write(path, frozen, strlen(frozen), NULL) == LB_OK);
    lb_study_quote_file(&t.s, path, "million", keys, 4);
    lb_archive *a = scene_close(&t);
    const lb_number *gain = lb_archive_number(a, "e90.million.dr2");
    cr_assert(gain != NULL);
    cr_expect(eq(dbl, gain->value, 0.125));
    cr_expect(eq(dbl, gain->ci_lo, 0.0625));
    cr_expect(eq(dbl, gain->ci_hi, 0.25));
    cr_expect(eq(sz, gain->n, 835));
    cr_expect(gain->oracle);
    cr_expect(eq(str, (char *)gain->rows, "sha256:ab"));
    cr_expect(eq(str, (char *)gain->protocol, "million profile"));
    cr_expect(eq(str, (char *)lb_archive_rowset_name(a, "sha256:ab"), "million: covered"));
    cr_expect(eq(dbl, lb_archive_number(a, "e90.million.cost.fit")->value, 91.5));
    const lb_number *rho = lb_archive_number(a, "e90.million.rho");
    cr_expect(isnan(rho->value) && strstr(rho->na, "no gain") != NULL, "'%s'", rho->na);
    cr_expect(eq(str, (char *)lb_archive_number(a, "e90.million.elsewhere")->na, "not run"));
    lb_hash_file(path, hash, NULL);
    cr_expect(eq(str, (char *)lb_archive_provenance(a, "quoted.million"), hash));
    lb_archive_close(a);
    free(path);
}

Test(quote, without_a_file_nothing_was_run)
{
    scene t;
    scene_open(&t);
    lb_study_quote(&t.s, "no_such_profile", keys, 4);
    lb_archive *a = scene_close(&t);
    for (size_t i = 0; i < 4; i++) {
        char *key = lb_xprintf("e90.no_such_profile.%s", keys[i]);
        cr_expect(eq(str, (char *)lb_archive_number(a, key)->na, "not run"));
        free(key);
    }
    lb_archive_close(a);
}

Test(quote, a_damaged_file_stops_the_study)
{
    scene t;
    scene_open(&t);
    char *path = in_dir(scratch_dir(), "million.tsv");
    cr_assert(lb_file_write(path, "oops\n", 5, NULL) == LB_OK);
    lb_study_quote_file(&t.s, path, "million", keys, 4);
    cr_expect(not(lb_study_ok(&t.s)));
    cr_expect(strstr(t.err.text, "million.tsv") != NULL, "%s", t.err.text);
    lb_record_abandon(t.s.record);
    lb_spec_free(t.s.spec);
    free(path);
}
