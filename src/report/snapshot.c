/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/snapshot.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "record/git.h"
#include "report/folder.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct text_file {
    char *path, *text;
    size_t length;
} text_file;

struct lb_snapshot {
    char *name;
    text_file *files; /* sorted by path */
    size_t n;
};

static bool is_kept(const char *path)
{
    static const char *const kept[] = {".c", ".h", ".yaml", ".md", ".tsv", ".json", ".svg"};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof kept / sizeof *kept; i++)
        if (strcmp(dot, kept[i]) == 0)
            return true;
    return false;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const text_file *)a)->path, ((const text_file *)b)->path);
}

/* Takes @p path and @p text. */
static void add(lb_snapshot *s, char *path, char *text, size_t length)
{
    s->files = lb_xrealloc(s->files, s->n + 1, sizeof *s->files);
    s->files[s->n++] = (text_file){path, text, length};
}

/* --- the working directory ---------------------------------------------------------------------
 */

static lb_status read_folder(lb_snapshot *s, const char *folder, lb_error *err)
{
    lb_names names = {0};
    lb_status st = lb_file_exists(folder) ? lb_folder_list(folder, &names, err) : LB_OK;
    for (size_t i = 0; i < names.n && st == LB_OK; i++) {
        char *path = lb_xprintf("%s/%s", folder, names.at[i]), *text = NULL;
        size_t length = 0;
        if (is_kept(path))
            st = lb_file_read(path, &text, &length, err);
        if (text)
            add(s, path, text, length);
        else
            free(path);
    }
    lb_names_free(&names);
    return st;
}

/* --- a revision --------------------------------------------------------------------------------
 */

/* git ARGUMENTS..., its output without the last newline; NULL if it fails. */
static char *ask(const char *const *arguments)
{
    lb_text out = {0};
    if (!lb_git(arguments, &out)) {
        lb_text_free(&out);
        return NULL;
    }
    char *text = lb_text_take(&out);
    text[strcspn(text, "\n")] = '\0';
    return text;
}

/* The full name of the commit, in *commit; s->name becomes what readers are told. */
static lb_status resolve(lb_snapshot *s, const char *revision, char **commit, lb_error *err)
{
    char *name = lb_xprintf("%s^{commit}", revision);
    char *git = ask((const char *const[]){"rev-parse", "--git-dir", NULL});
    lb_status st = LB_OK;
    *commit = ask(
        (const char *const[]){"rev-parse", "--verify", "--quiet", "--end-of-options", name, NULL});
    if (!git)
        st = LB_FAIL(err, LB_EIO,
                     "no revision '%s': this is not a git repository, or git is not installed; "
                     "two files (.h5 or .tsv) can be compared without it",
                     revision);
    else if (!*commit)
        st = LB_FAIL(err, LB_EIO,
                     "git knows no revision '%s'; see `git log`, or give two files (.h5 or .tsv)",
                     revision);
    if (st == LB_OK) {
        char *date = ask((const char *const[]){"show", "-s", "--format=%cs", *commit, NULL});
        s->name = strncmp(*commit, revision, strlen(revision)) == 0
                      ? lb_xprintf("%.9s (%s)", *commit, date ? date : "")
                      : lb_xprintf("%s (%.9s, %s)", revision, *commit, date ? date : "");
        free(date);
    }
    free(git);
    free(name);
    return st;
}

static lb_status unpack(lb_snapshot *s, const lb_text *tar, lb_error *err)
{
    struct archive *a = archive_read_new();
    struct archive_entry *entry;
    int status;
    archive_read_support_format_tar(a);
    status = archive_read_open_memory(a, tar->s, tar->length);
    while (status == ARCHIVE_OK && (status = archive_read_next_header(a, &entry)) == ARCHIVE_OK) {
        const char *path = archive_entry_pathname(entry);
        if (archive_entry_filetype(entry) != AE_IFREG || !is_kept(path))
            continue;
        const size_t length = (size_t)archive_entry_size(entry);
        char *text = lb_xcalloc(length + 1, 1);
        if (archive_read_data(a, text, length) != (la_ssize_t)length)
            status = ARCHIVE_FATAL;
        add(s, lb_xstrdup(path), text, length);
    }
    const lb_status st = status == ARCHIVE_EOF
                             ? LB_OK
                             : LB_FAIL(err, LB_EIO, "cannot read what git has of %s: %s", s->name,
                                       archive_error_string(a));
    archive_read_free(a);
    return st;
}

/* All folders in one call of git, which would refuse one that the revision does not have. */
static lb_status read_revision(lb_snapshot *s, const char *revision, const char *const *folders,
                               lb_error *err)
{
    enum { MOST = 10 };
    const char *pack[MOST + 5] = {"archive", "--format=tar"};
    char *commit = NULL;
    size_t n = 3, named = 0;
    lb_text tar = {0};
    lb_status st = resolve(s, revision, &commit, err);
    pack[2] = commit;
    for (; st == LB_OK && folders[named] && named < MOST; named++) {
        const char *folder = folders[named];
        lb_text there = {0};
        if (*folder == '/' || strncmp(folder, "..", 2) == 0)
            st = LB_FAIL(err, LB_EINVAL,
                         "%s does not lie below the working directory, where revision %s could "
                         "have it",
                         folder, revision);
        else if (lb_git((const char *const[]){"ls-tree", "--name-only", commit, folder, NULL},
                        &there) &&
                 there.length)
            pack[n++] = folder;
        lb_text_free(&there);
    }
    if (st == LB_OK && n > 3 && !lb_git(pack, &tar))
        st = LB_FAIL(err, LB_EIO, "git cannot give the files of revision %s", revision);
    if (st == LB_OK && n > 3)
        st = unpack(s, &tar, err);
    lb_text_free(&tar);
    free(commit);
    return st;
}

lb_status lb_snapshot_take(const char *revision, const char *const *folders, lb_snapshot **out,
                           lb_error *err)
{
    lb_snapshot *s = lb_xcalloc(1, sizeof *s);
    lb_status st = LB_OK;
    if (revision && *revision) {
        st = read_revision(s, revision, folders, err);
    } else {
        s->name = lb_xstrdup("working tree");
        for (size_t i = 0; folders[i] && st == LB_OK; i++)
            st = read_folder(s, folders[i], err);
    }
    if (s->n)
        qsort(s->files, s->n, sizeof *s->files, by_path);
    if (st != LB_OK) {
        lb_snapshot_free(s);
        s = NULL;
    }
    *out = s;
    return st;
}

void lb_snapshot_free(lb_snapshot *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        free(s->files[i].path);
        free(s->files[i].text);
    }
    free(s->files);
    free(s->name);
    free(s);
}

const char *lb_snapshot_name(const lb_snapshot *s)
{
    return s->name;
}

const char *lb_snapshot_text(const lb_snapshot *s, const char *path, size_t *length)
{
    const text_file key = {.path = (char *)path};
    const text_file *f = s->n ? bsearch(&key, s->files, s->n, sizeof *s->files, by_path) : NULL;
    if (length)
        *length = f ? f->length : 0;
    return f ? f->text : NULL;
}

size_t lb_snapshot_count(const lb_snapshot *s)
{
    return s->n;
}

const char *lb_snapshot_path(const lb_snapshot *s, size_t i)
{
    return s->files[i].path;
}
