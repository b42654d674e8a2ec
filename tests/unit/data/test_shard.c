/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/shard.h"

#include "core/file.h"
#include "core/memory.h"
#include "data/h5.h"
#include "data/toy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static lb_cmatf view(const float *x, size_t rows, size_t p)
{
    return (lb_cmatf){x, rows, p, p};
}

static lb_cmat labels_of(const toy *t, size_t first, size_t rows)
{
    return (lb_cmat){t->labels + first * LB_SHARD_LABELS, rows, LB_SHARD_LABELS, LB_SHARD_LABELS};
}

static bool add(lb_shard *s, const toy *t, size_t first, size_t rows)
{
    return lb_shard_add(s, view(t->flux + first * t->pixels, rows, t->pixels),
                        view(t->error + first * t->pixels, rows, t->pixels),
                        labels_of(t, first, rows));
}

static lb_shard *begin(const char *path, const toy *t)
{
    return lb_shard_new(path, t->rows, (lb_cvec){t->wave, t->pixels}, "vacuum", "as agreed");
}

Test(shard, bytes_depend_on_the_content_alone)
{
    toy t = toy_new(50, 20, 4);
    char *a = in_dir(scratch_dir(), "train_0/dataset.h5"), *b = in_dir(scratch_dir(), "x.h5");
    lb_shard *s = begin(a, &t);
    cr_expect(add(s, &t, 0, 50));
    cr_assert(lb_shard_close(s, NULL) == LB_OK);
    sleep(1); /* a timestamp would differ by now */
    s = begin(b, &t);
    for (size_t i = 0; i < 50; i += 10)
        cr_expect(add(s, &t, i, 10));
    cr_assert(lb_shard_close(s, NULL) == LB_OK);
    char one[LB_HASH_SIZE], two[LB_HASH_SIZE];
    lb_hash_file(a, one, NULL);
    lb_hash_file(b, two, NULL);
    cr_expect(eq(str, one, two));
    free(a);
    free(b);
    toy_free(&t);
}

Test(shard, is_not_there_before_it_is_finished)
{
    toy t = toy_new(5, 20, 4);
    char *path = in_dir(scratch_dir(), "dataset.h5"), *part = lb_file_part(path);
    lb_shard *s = begin(path, &t);
    cr_expect(add(s, &t, 0, 5));
    cr_expect(not(lb_file_exists(path)));
    cr_expect(lb_file_exists(part));
    cr_assert(lb_shard_close(s, NULL) == LB_OK);
    cr_expect(lb_file_exists(path));
    cr_expect(not(lb_file_exists(part)));
    cr_expect(lb_shard_is_current(path, "as agreed"));
    cr_expect(not(lb_shard_is_current(path, "otherwise")));
    cr_expect(not(lb_shard_is_current("/nowhere/dataset.h5", "as agreed")));
    free(part);
    free(path);
    toy_free(&t);
}

Test(shard, a_killed_writer_leaves_no_shard_and_does_not_disturb_the_next)
{
    toy t = toy_new(5, 20, 4);
    char *path = in_dir(scratch_dir(), "dataset.h5");
    const pid_t child = fork();
    if (child == 0) {
        static lb_shard
            *volatile s; /* in reach to the end: what the killed child holds is no leak */
        s = begin(path, &t);
        add(s, &t, 0, 3);
        raise(SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    const bool killed = WIFSIGNALED(status);
    cr_assert(killed);
    cr_expect(not(lb_file_exists(path)));
    lb_shard *s = begin(path, &t);
    cr_expect(add(s, &t, 0, 5));
    cr_expect(eq(int, lb_shard_close(s, NULL), LB_OK));
    cr_expect(lb_shard_is_current(path, "as agreed"));
    free(path);
    toy_free(&t);
}

Test(shard, missing_or_too_many_rows_are_refused)
{
    toy t = toy_new(5, 20, 4);
    char *path = in_dir(scratch_dir(), "dataset.h5");
    lb_error err = {0};
    lb_shard *s = begin(path, &t);
    cr_expect(add(s, &t, 0, 4));
    cr_expect(eq(int, lb_shard_close(s, &err), LB_ESHAPE));
    cr_expect(strstr(err.text, "4 rows came, 5 were announced") != NULL, "%s", err.text);
    s = begin(path, &t);
    cr_expect(add(s, &t, 0, 4));
    cr_expect(not(add(s, &t, 0, 2)));
    cr_expect(not(add(s, &t, 0, 1)), "sticky");
    cr_expect(eq(int, lb_shard_close(s, NULL), LB_ESHAPE));
    s = begin(path, &t);
    cr_expect(not(lb_shard_add(s, view(t.flux, 5, 19), view(t.error, 5, 20), labels_of(&t, 0, 5))));
    lb_shard_abandon(s);
    cr_expect(not(lb_file_exists(path)));
    lb_shard_abandon(NULL);
    free(path);
    toy_free(&t);
}

static void expect_full(lb_shard *s, const char *path, const char *reason)
{
    char *part = lb_file_part(path);
    lb_error err = {0};
    cr_expect(eq(int, lb_shard_close(s, &err), LB_EIO));
    cr_expect(strstr(err.text, reason) && strstr(err.text, path), "%s", err.text);
    cr_expect(not(lb_file_exists(path)));
    cr_expect(not(lb_file_exists(part)));
    free(part);
}

Test(shard, a_full_disk_is_known_before_the_first_row)
{
    toy t = toy_new(2000, 50, 4);
    char *path = in_dir(scratch_dir(), "dataset.h5");
    const struct rlimit small = {100000, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    lb_shard *s = begin(path, &t);
    cr_expect(not(add(s, &t, 0, 20)));
    expect_full(s, path, "File too large");
    free(path);
    toy_free(&t);
}

/* From now on the disk under the open file @p part is full: its descriptor becomes /dev/full. */
static void fill_disk(const char *path)
{
    char *part = lb_file_part(path);
    for (int fd = 3; fd < 64; fd++) {
        char link[64], target[512] = "";
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (readlink(link, target, sizeof target - 1) > 0 && strcmp(target, part) == 0)
            cr_assert(dup2(open("/dev/full", O_RDWR), fd) == fd);
    }
    free(part);
}

Test(shard, a_disk_that_fills_up_is_reported_and_leaves_nothing)
{
    toy t = toy_new(2000, 50, 4);
    char *path = in_dir(scratch_dir(), "dataset.h5");
    lb_shard *s = begin(path, &t);
    cr_expect(add(s, &t, 0, 1500));
    fill_disk(path);
    cr_expect(not(add(s, &t, 1500, 500)));
    expect_full(s, path, "No space left on device");
    free(path);
    toy_free(&t);
}

Test(shard, a_disk_full_at_the_very_end_is_reported_too)
{
    toy t = toy_new(2000, 50, 4);
    char *path = in_dir(scratch_dir(), "dataset.h5");
    lb_shard *s = begin(path, &t);
    cr_expect(add(s, &t, 0, 2000));
    fill_disk(path); /* the labels are still to come */
    expect_full(s, path, "No space left on device");
    free(path);
    toy_free(&t);
}

Test(shard, an_unwritable_place_is_named)
{
    toy t = toy_new(2, 5, 4);
    lb_error err = {0};
    lb_shard *s = begin("/dev/null/spectra/dataset.h5", &t);
    add(s, &t, 0, 2);
    cr_expect(eq(int, lb_shard_close(s, &err), LB_EIO));
    cr_expect(strstr(err.text, "/dev/null") && strstr(err.text, "Not a directory"), "%s", err.text);
    toy_free(&t);
}

static void change_one_pixel(hid_t file)
{
    const hid_t set = H5Dopen2(file, "dataset/arrays/flux/value", H5P_DEFAULT);
    float x[5 * 20];
    H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    x[77] += 1e-6f;
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dclose(set);
}

Test(shard, a_changed_pixel_shows_in_the_content_hash)
{
    toy t = toy_new(5, 20, 4);
    char *path = toy_write(&t, scratch_dir(), "train_0");
    char stored[LB_HASH_SIZE], actual[LB_HASH_SIZE];
    cr_assert(lb_shard_check(path, stored, actual, NULL) == LB_OK);
    cr_expect(eq(str, stored, actual));
    cr_expect(eq(sz, strlen(stored), 71));
    with_file(path, change_one_pixel);
    cr_assert(lb_shard_check(path, stored, actual, NULL) == LB_OK);
    cr_expect(ne(str, stored, actual));
    cr_assert(lb_shard_check("tests/unit/data/fixtures/table.h5", stored, actual, NULL) == LB_OK);
    cr_expect(eq(str, stored, ""));
    cr_expect(eq(int, lb_shard_check("nowhere.h5", stored, actual, NULL), LB_EIO));
    free(path);
    toy_free(&t);
}
