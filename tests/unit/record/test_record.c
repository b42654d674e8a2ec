/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "core/file.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(record, .fini = fixture_clean);

static lb_record *fresh(void)
{
    lb_record *r = lb_record_new("e02", NULL);
    lb_record_rowset(r, "test_covered", HASH_A, 816);
    return r;
}

/* Closing @p r must fail with @p status and a message that holds @p part, and leave no file. */
static void refuses(lb_record *r, lb_status status, const char *part)
{
    const char *path = fixture_path("refused.h5");
    lb_error err = {0};
    cr_expect(eq(int, lb_record_close(r, path, &err), status), "%s: %s", part, err.text);
    cr_expect(ne(ptr, strstr(err.text, part), NULL), "'%s' in: %s", part, err.text);
    cr_expect(not(lb_file_exists(path)));
    cr_expect(not(lb_file_exists(fixture_path("refused.h5.part"))));
}

static void refuses_number(const char *key, lb_number x, lb_status status, const char *part)
{
    lb_record *r = fresh();
    lb_record_number(r, key, x);
    refuses(r, status, part);
}

Test(record, comes_back_as_it_was_recorded)
{
    const char *path = fixture_path("e02_piecewise.h5");
    size_t n = 0;
    fixture_write(path, 0.05);
    lb_archive *a = fixture_open(path);
    cr_expect(eq(str, (char *)lb_archive_experiment(a), "e02"));
    cr_expect(eq(str, (char *)lb_archive_name(a), "e02_piecewise"));
    cr_expect(eq(sz, lb_archive_count(a), 6));
    cr_expect(eq(str, (char *)lb_archive_key(a, 2), "e02.delta_r2"));
    const lb_number *x = lb_archive_number(a, "e02.delta_r2");
    cr_assert(ne(ptr, (void *)x, NULL));
    cr_expect(eq(dbl, x->value, 0.05));
    cr_expect(eq(dbl, x->ci_lo, 0.05 - 0.0171));
    cr_expect(eq(sz, x->n, 816));
    cr_expect(eq(u64, x->seed, 20251203));
    cr_expect(eq(int, x->digits, -1));
    cr_expect(isnan(x->p_above));
    cr_expect(eq(dbl, x->boot_mean, 0.05 - 0.001));
    cr_expect(eq(dbl, x->p_positive, 0.998));
    cr_expect(eq(str, (char *)x->rows, HASH_A));
    cr_expect(eq(str, (char *)x->protocol, "clean"));
    cr_expect(eq(str, (char *)lb_archive_number(a, "e02.bin.3.r2")->na, "n/a (n<10)"));
    cr_expect(isnan(lb_archive_number(a, "e02.bin.3.r2")->value));
    cr_expect(
        eq(str, (char *)lb_archive_text(a, "e02.verdict_word"), "significant\tand\\valuable"));
    cr_expect(eq(str, (char *)lb_archive_rowset_name(a, HASH_A), "test_covered"));
    cr_expect(eq(str, (char *)lb_archive_rowset_name(a, HASH_B), ""));
    cr_expect(eq(sz, lb_archive_rowsets(a, &n)[0].n, 816));
    cr_expect(eq(str, (char *)lb_archive_figure(a, "F02.1"), "e02_bins"));
    const double *curve = lb_archive_series(a, "F02.1/global/r2", &n);
    cr_assert(eq(sz, n, 3));
    cr_expect(eq(dbl, curve[1], 2.17));
    cr_expect(eq(sz, lb_archive_series_count(a), 1));
    cr_expect(eq(str, (char *)lb_archive_series_name(a, 0), "F02.1/global/r2"));
    lb_archive_close(a);
}

Test(record, tables_keep_columns_keys_and_texts_apart)
{
    const char *path = fixture_path("e02.h5");
    size_t n = 0;
    fixture_write(path, 0.05);
    lb_archive *a = fixture_open(path);
    const lb_table *t = lb_archive_table(a, "T02.1");
    cr_assert(ne(ptr, (void *)t, NULL));
    cr_expect(eq(sz, t->rows, 2));
    cr_expect(eq(sz, t->cols, 2));
    cr_expect(eq(str, (char *)t->columns[1].name, "R2"));
    cr_expect(eq(str, (char *)t->columns[1].format, "+.4f"));
    cr_expect(eq(str, (char *)t->cells[0].text, "bin 0"));
    cr_expect(eq(ptr, (void *)t->cells[0].key, NULL));
    cr_expect(eq(str, (char *)t->cells[1].key, "e02.r2.moe.n"));
    cr_expect(eq(ptr, (void *)t->cells[1].text, NULL));
    cr_expect(eq(str, (char *)t->cells[2].text, "冷星"));
    cr_expect(eq(ptr, (void *)lb_archive_table(a, "T02.2"), NULL));
    cr_expect(eq(ptr, (void *)lb_archive_tables(a, &n), (void *)t));
    cr_expect(eq(sz, n, 1));
    lb_archive_close(a);
}

Test(record, an_empty_record_and_an_empty_table_are_legal)
{
    static const lb_column columns[] = {{"a", ""}, {"b", ""}, {"c", ""}};
    const char *path = fixture_path("empty.h5");
    lb_record *r = lb_record_new("e09", NULL);
    size_t n = 1;
    lb_record_table(r, "T09.1", 3, columns);
    lb_record_series(r, "F09.1/none", NULL, 0);
    cr_assert(eq(int, lb_record_close(r, path, NULL), LB_OK));
    lb_archive *a = fixture_open(path);
    cr_expect(eq(sz, lb_archive_count(a), 0));
    cr_expect(eq(sz, lb_archive_table(a, "T09.1")->rows, 0));
    cr_expect(eq(sz, lb_archive_table(a, "T09.1")->cols, 3));
    cr_expect(ne(ptr, (void *)lb_archive_series(a, "F09.1/none", &n), NULL));
    cr_expect(eq(sz, n, 0));
    lb_archive_close(a);
}

Test(record, provenance_says_what_ran_and_keeps_timings_apart)
{
    const char *path = fixture_path("e02.h5");
    size_t n = 0;
    fixture_write(path, 0.05);
    lb_archive *a = fixture_open(path);
    static const char *const expected[] = {"program",   "version",   "git.commit",
                                           "spec.hash", "spec.path", "hdf5.version",
                                           "compiler",  "profile",   "data.train"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        cr_expect(ne(str, (char *)lb_archive_provenance(a, expected[i]), ""), "%s", expected[i]);
    cr_expect(eq(str, (char *)lb_archive_provenance(a, "seconds"), ""));
    cr_expect(eq(str, (char *)lb_archive_provenance(a, "threads"), ""));
    const lb_pair *run = lb_archive_run(a, &n);
    double memory = 0;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(run[i].key, "peak_memory_bytes"))
            memory = atof(run[i].value);
    cr_expect(gt(dbl, memory, 1e6));
    lb_archive_close(a);
}

Test(record, needs_no_git)
{
    const char *path = fixture_path("e02.h5");
    setenv("PATH", "/nonexistent", 1);
    fixture_write(path, 0.05);
    lb_archive *a = fixture_open(path);
    cr_expect(eq(int, strncmp(lb_archive_provenance(a, "git.commit"), "unknown", 7), 0));
    cr_expect(eq(str, (char *)lb_archive_provenance(a, "git.state"), ""));
    lb_archive_close(a);
    setenv("PATH", "/usr/bin:/bin", 1);
}

Test(record, bad_keys_are_refused)
{
    const lb_number x = lb_number_count(1);
    refuses_number("e03.x", x, LB_ENAME, "must start with 'e02.'");
    refuses_number("e02x.y", x, LB_ENAME, "must start with 'e02.'");
    refuses_number("e02", x, LB_ENAME, "must start with 'e02.'");
    refuses_number("e02.", x, LB_ENAME, "empty part");
    refuses_number("e02..x", x, LB_ENAME, "empty part");
    refuses_number("e02.R2", x, LB_ENAME, "may hold only");
    refuses_number("e02.a b", x, LB_ENAME, "may hold only");
    refuses_number("e02.a-b", x, LB_ENAME, "may hold only");
    refuses_number("e02.r2.ci_lo", x, LB_ENAME, "'ci_lo'");
    refuses_number("e02.bin.n", x, LB_ENAME, "'n'");
}

Test(record, a_key_is_recorded_once_whether_number_or_text)
{
    lb_record *r = fresh();
    lb_record_number(r, "e02.x", lb_number_count(1));
    lb_record_number(r, "e02.x", lb_number_count(1));
    refuses(r, LB_ENAME, "'e02.x' was recorded twice");
    r = fresh();
    lb_record_text(r, "e02.x", "a");
    lb_record_number(r, "e02.x", lb_number_count(1));
    refuses(r, LB_ENAME, "'e02.x' was recorded twice");
}

Test(record, numbers_without_meaning_are_refused)
{
    lb_number x = lb_number_plain(NAN, "r2", "");
    refuses_number("e02.x", x, LB_ENUMERIC, "gives no reason");
    refuses_number("e02.x", lb_number_plain(INFINITY, "r2", ""), LB_ENUMERIC, "infinite");
    refuses_number("e02.x", lb_number_plain(2.17, "", ""), LB_EINVAL, "kind");
    x = lb_number_na("r2", "n<2");
    x.value = 2.17;
    refuses_number("e02.x", x, LB_ENUMERIC, "also n/a");
    x = lb_number_plain(2.17, "r2", "");
    x.ci_lo = 1;
    refuses_number("e02.x", x, LB_EINVAL, "interval");
    x.ci_hi = 0.5;
    refuses_number("e02.x", x, LB_EINVAL, "interval");
    x.ci_hi = INFINITY;
    refuses_number("e02.x", x, LB_ENUMERIC, "infinite uncertainty");
    x.ci_hi = 3;
    x.se = -1;
    refuses_number("e02.x", x, LB_EINVAL, "standard error");
    x = lb_number_plain(2.17, "delta_r2", "");
    x.boot_mean = 2.16;
    refuses_number("e02.x", x, LB_EINVAL, "a mean of resamples and no interval");
}

Test(record, a_difference_of_scores_must_stand_on_a_row_set)
{
    static const char *const kinds[] = {"delta_r2", "delta_mae", "share", "retention"};
    for (size_t i = 0; i < 4; i++)
        refuses_number("e02.x", lb_number_plain(0.078, kinds[i], ""), LB_EROWS, "no row set");
    lb_record *r = fresh(); /* n/a needs none; the unaligned kind says what it is */
    lb_record_number(r, "e02.x", lb_number_na("retention", "n/a (denominator)"));
    lb_record_number(r, "e02.y", lb_number_plain(0.078, "delta_r2_unaligned", ""));
    cr_expect(eq(int, lb_record_close(r, fixture_path("ok.h5"), NULL), LB_OK));
}

Test(record, row_sets_must_be_known_and_hold_the_rows_they_claim)
{
    lb_number x = fixture_score(0.9, "r2");
    lb_record *r = lb_record_new("e02", NULL);
    lb_record_number(r, "e02.x", x);
    refuses(r, LB_EROWS, "lb_record_rowset() does not know");
    x.n = 1000;
    refuses_number("e02.x", x, LB_EROWS, "'test_covered' holds 816");
    r = fresh();
    lb_record_rowset(r, "test_covered", HASH_A, 816);
    cr_expect(eq(int, lb_record_status(r), LB_OK), "the same again is fine");
    lb_record_rowset(r, "test_covered", HASH_B, 816);
    refuses(r, LB_EROWS, "two row sets are called 'test_covered'");
    r = fresh();
    lb_record_rowset(r, "x", "deadbeef", 3);
    refuses(r, LB_EINVAL, "hash");
}

Test(record, tables_must_be_started_full_and_resolved)
{
    static const lb_column columns[] = {{"a", ""}, {"b", ""}};
    lb_record *r = fresh();
    lb_record_row(r, "T02.1");
    refuses(r, LB_ENAME, "no table 'T02.1'");
    r = fresh();
    lb_record_table(r, "T02.1", 2, columns);
    lb_record_table(r, "T02.1", 2, columns);
    refuses(r, LB_ENAME, "started twice");
    r = fresh();
    lb_record_table(r, "T/1", 2, columns);
    refuses(r, LB_ENAME, "no id");
    r = fresh();
    lb_record_table(r, "T02.1", 0, columns);
    refuses(r, LB_EINVAL, "no columns");
    r = fresh();
    lb_record_table(r, "T02.1", 2, columns);
    lb_record_cell_text(r, "T02.1", "x");
    refuses(r, LB_ESHAPE, "belongs to no row");
    r = fresh();
    lb_record_table(r, "T02.1", 2, columns);
    lb_record_row(r, "T02.1");
    lb_record_cell_text(r, "T02.1", "x");
    lb_record_row(r, "T02.1");
    refuses(r, LB_ESHAPE, "row 1 of table T02.1 has 1 cells for 2 columns");
    r = fresh();
    lb_record_table(r, "T02.1", 2, columns);
    lb_record_row(r, "T02.1");
    lb_record_cell_text(r, "T02.1", "x");
    refuses(r, LB_ESHAPE, "has 1 cells");
    r = fresh();
    lb_record_number(r, "e02.global", lb_number_count(3));
    lb_record_table(r, "T02.1", 1, columns);
    lb_record_row(r, "T02.1");
    lb_record_cell_key(r, "T02.1", "e02.globla");
    refuses(r, LB_ENAME, "did you mean e02.global?");
    r = fresh();
    lb_record_table(r, "T02.1", 1, columns);
    lb_record_row(r, "T02.1");
    lb_record_cell_key(r, "T02.1", "");
    refuses(r, LB_ENAME, "empty key");
}

Test(record, names_of_series_figures_and_provenance_are_checked)
{
    static const double x[] = {1};
    static const char *const bad[] = {"", "/a", "a/", "a//b", "../a", "a b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lb_record *r = fresh();
        lb_record_series(r, bad[i], x, 1);
        refuses(r, LB_ENAME, "no name for a series");
    }
    static const char *const collisions[] = {"F/a", "F", "F/a/b"};
    for (size_t i = 0; i < 3; i++) {
        lb_record *r = fresh();
        lb_record_series(r, "F/a", x, 1);
        lb_record_series(r, "F/ab", x, 1);
        lb_record_series(r, collisions[i], x, 1);
        refuses(r, LB_ENAME, "exclude each other");
    }
    lb_record *r = fresh();
    lb_record_figure(r, "F02.1", "e02_a");
    lb_record_figure(r, "F02.1", "e02_b");
    refuses(r, LB_ENAME, "figure 'F02.1' was recorded twice");
    r = fresh();
    lb_record_figure(r, "F02.1", "../e02");
    refuses(r, LB_ENAME, "no file name");
    r = fresh();
    lb_record_run(r, "cpu", "mine");
    refuses(r, LB_ENAME, "run 'cpu' was recorded twice");
}

Test(record, the_first_failure_sticks_and_nothing_after_it_counts)
{
    lb_record *r = fresh();
    lb_record_number(r, "bad", lb_number_count(1));
    cr_expect(eq(int, lb_record_status(r), LB_ENAME));
    lb_record_number(r, "e02.x", lb_number_plain(NAN, "r2", ""));
    lb_record_text(r, "e02.x", "x");
    lb_record_rowset(r, "", "", 0);
    lb_record_row(r, "T");
    lb_record_cell_key(r, "T", "");
    lb_record_cell_text(r, "T", "x");
    lb_record_table(r, "", 0, NULL);
    lb_record_series(r, "", NULL, 0);
    lb_record_figure(r, "", "");
    lb_record_judge(r);
    lb_record_provenance(r, "", "x");
    refuses(r, LB_ENAME, "'bad' must start with");
}

Test(record, an_unwritable_place_is_told_with_its_reason)
{
    lb_record *r = fresh();
    lb_error err = {0};
    cr_expect(eq(int, lb_record_close(r, "/proc/nowhere/e02.h5", &err), LB_EIO));
    cr_expect(ne(ptr, strstr(err.text, "/proc/nowhere"), NULL), "%s", err.text);
}

Test(record, a_full_disk_leaves_the_old_record_alone)
{
    const char *path = fixture_path("e02.h5");
    fixture_write(path, 0.05);
    lb_error err = {0};
    cr_assert(eq(int, symlink("/dev/full", fixture_path("e02.h5.part")), 0));
    lb_record *r = fresh();
    cr_expect(eq(int, lb_record_close(r, path, &err), LB_EIO));
    cr_expect(ne(ptr, strstr(err.text, "No space"), NULL), "%s", err.text);
    lb_archive *a = fixture_open(path);
    cr_expect(eq(sz, lb_archive_count(a), 6));
    lb_archive_close(a);
}

Test(record, a_killed_writer_leaves_no_record)
{
    const char *path = fixture_path("killed.h5");
    int status = 0;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        static lb_record
            *volatile r; /* within reach to the end, so that no leak is seen in its death */
        r = fixture_record(NULL, 0.05);
        raise(lb_record_status(r) == LB_OK ? SIGKILL : SIGTERM);
    }
    cr_assert(eq(int, waitpid(child, &status, 0), child));
    cr_assert(eq(int, WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGKILL));
    cr_expect(not(lb_file_exists(path)));
    fixture_write(path, 0.05); /* and the next run is not in its way */
    lb_archive_close(fixture_open(path));
}

Test(record, the_spec_must_be_that_of_the_experiment)
{
    lb_spec *spec = fixture_spec();
    refuses(lb_record_new("e03", spec), LB_ENAME, "was given the spec of e02");
    refuses(lb_record_new("e02", spec), LB_EINVAL, "call lb_record_judge()");
    lb_record *r = lb_record_new("e02", spec);
    lb_record_judge(r);
    lb_record_judge(r);
    refuses(r, LB_EINVAL, "judged twice");
    lb_spec_free(spec);
    lb_record_abandon(NULL);
}
