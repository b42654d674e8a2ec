/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/file.h"

#include "core/memory.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every test works in a directory of its own. */
static char dir[64];

static void setup(void)
{
    strcpy(dir, "/tmp/lb_file_XXXXXX");
    cr_assert(mkdtemp(dir) != NULL);
}

static void teardown(void)
{
    char *command = lb_xprintf("rm -rf %s", dir);
    cr_expect(eq(int, system(command), 0));
    free(command);
}

TestSuite(file, .init = setup, .fini = teardown);

static char *in_dir(const char *name)
{
    return lb_xprintf("%s/%s", dir, name);
}

Test(file, what_is_written_is_read_back_and_the_part_is_gone)
{
    char *path = in_dir("a/b/record.tsv"), *part = lb_file_part(path), *text = NULL;
    size_t length = 0;
    cr_assert(eq(int, lb_file_write(path, "a\0b\n", 4, NULL), LB_OK));
    cr_assert(eq(int, lb_file_read(path, &text, &length, NULL), LB_OK));
    cr_expect(eq(sz, length, 4));
    cr_expect(eq(int, memcmp(text, "a\0b\n", 5), 0), "with a NUL behind it");
    cr_expect(not(lb_file_exists(part)));
    cr_expect(lb_file_exists(path));
    free(text);
    free(part);
    free(path);
}

Test(file, an_empty_file_is_an_empty_string)
{
    char *path = in_dir("empty"), *text = NULL;
    cr_assert(eq(int, lb_file_write(path, "", 0, NULL), LB_OK));
    cr_assert(eq(int, lb_file_read(path, &text, NULL, NULL), LB_OK));
    cr_expect(eq(str, text, ""));
    free(text);
    free(path);
}

Test(file, reading_nothing_or_a_directory_fails_with_the_name)
{
    char *text = NULL, *path = in_dir("missing");
    lb_error err = {0};
    cr_expect(eq(int, lb_file_read(path, &text, NULL, &err), LB_EIO));
    cr_expect(strstr(err.text, path) != NULL, "%s", err.text);
    cr_expect(eq(int, lb_file_read(dir, &text, NULL, NULL), LB_EIO));
    cr_expect(text == NULL);
    free(path);
}

/* A finished file is replaced whole or not at all. */
Test(file, a_failed_write_leaves_the_old_file_alone)
{
    char *path = in_dir("kept"), *part = lb_file_part(path), *text = NULL;
    cr_assert(eq(int, lb_file_write(path, "old", 3, NULL), LB_OK));
    cr_assert(eq(int, mkdir(part, 0777), 0)); /* nobody can write a file of that name now */
    lb_error err = {0};
    cr_expect(eq(int, lb_file_write(path, "new", 3, &err), LB_EIO));
    cr_expect(strstr(err.text, path) != NULL, "%s", err.text);
    cr_assert(eq(int, lb_file_read(path, &text, NULL, NULL), LB_OK));
    cr_expect(eq(str, text, "old"));
    free(text);
    free(part);
    free(path);
}

Test(file, a_full_disk_is_told_and_nothing_stays_behind)
{
    cr_assert(lb_file_exists("/dev/full"));
    char *path = in_dir("report.md"), *part = lb_file_part(path);
    cr_assert(eq(int, symlink("/dev/full", part), 0));
    lb_error err = {0};
    cr_expect(eq(int, lb_file_write(path, "text", 4, &err), LB_EIO));
    cr_expect(strstr(err.text, "No space left") != NULL, "%s", err.text);
    cr_expect(not(lb_file_exists(path)));
    struct stat st;
    cr_expect(ne(int, lstat(part, &st), 0), "the part is removed");
    free(part);
    free(path);
}

Test(file, a_file_where_a_directory_should_be_is_an_error)
{
    char *file = in_dir("taken"), *below = in_dir("taken/x.tsv");
    cr_assert(eq(int, lb_file_write(file, "x", 1, NULL), LB_OK));
    lb_error err = {0};
    cr_expect(eq(int, lb_file_write(below, "x", 1, &err), LB_EIO));
    cr_expect(eq(int, lb_make_dirs(below, NULL), LB_EIO));
    free(file);
    free(below);
}

Test(file, commit_needs_a_part)
{
    char *path = in_dir("never_begun");
    lb_error err = {0};
    cr_expect(eq(int, lb_file_commit(path, &err), LB_EIO));
    cr_expect(strstr(err.text, path) != NULL, "%s", err.text);
    free(path);
}

Test(file, directories_may_exist_already_and_end_in_a_slash)
{
    char *deep = in_dir("p/q/r/"), *again = in_dir("p/q");
    cr_expect(eq(int, lb_make_dirs(deep, NULL), LB_OK));
    cr_expect(eq(int, lb_make_dirs(again, NULL), LB_OK));
    cr_expect(lb_file_exists(deep));
    cr_expect(eq(int, lb_make_parent("no_slash_at_all", NULL), LB_OK));
    cr_expect(eq(int, lb_make_parent("/root_file", NULL), LB_OK));
    free(deep);
    free(again);
}
