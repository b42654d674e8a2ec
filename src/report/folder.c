/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/folder.h"

#include "core/file.h"
#include "core/memory.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Walk @p folder without following links. @return NULL and errno if it cannot be opened. */
static FTS *walk(const char *folder)
{
    char *path = lb_xprintf("%s/", folder); /* a folder also when it is reached by a link */
    char *roots[] = {path, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    free(path);
    return tree;
}

static bool unreadable(const FTSENT *entry)
{
    return entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS;
}

lb_status lb_folder_list(const char *folder, lb_names *out, lb_error *err)
{
    lb_status st = LB_OK;
    FTS *tree = walk(folder);
    *out = (lb_names){0};
    if (!tree)
        return LB_FAIL(err, LB_EIO, "cannot read %s: %s", folder, strerror(errno));
    for (FTSENT *e; st == LB_OK && (e = fts_read(tree));) {
        if (unreadable(e)) {
            st = LB_FAIL(err, LB_EIO, "cannot read %s: %s", e->fts_path, strerror(e->fts_errno));
        } else if (e->fts_info != FTS_D && e->fts_info != FTS_DP) {
            const char *name = e->fts_path + strlen(folder);
            out->at = lb_xrealloc(out->at, out->n + 1, sizeof *out->at);
            out->at[out->n++] = lb_xstrdup(name + strspn(name, "/"));
        }
    }
    fts_close(tree);
    if (st != LB_OK)
        lb_names_free(out);
    else if (out->n > 0)
        qsort(out->at, out->n, sizeof *out->at, by_bytes);
    return st;
}

void lb_names_free(lb_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->at[i]);
    free(names->at);
    *names = (lb_names){0};
}

lb_status lb_folder_remove(const char *folder, lb_error *err)
{
    lb_status st = LB_OK;
    if (!lb_file_exists(folder))
        return LB_OK;
    FTS *tree = walk(folder);
    if (!tree)
        return LB_FAIL(err, LB_EIO, "cannot remove %s: %s", folder, strerror(errno));
    for (FTSENT *e; st == LB_OK && (e = fts_read(tree));) {
        if (e->fts_info != FTS_D && remove(e->fts_path))
            st = LB_FAIL(err, LB_EIO, "cannot remove %s: %s", e->fts_path, strerror(errno));
    }
    fts_close(tree);
    return st;
}

lb_status lb_folder_replace(const char *fresh, const char *folder, lb_error *err)
{
    char *old = lb_xprintf("%s.old", folder);
    const bool there = lb_file_exists(folder);
    lb_status st = lb_folder_remove(old, err);
    if (st == LB_OK && there && rename(folder, old))
        st = LB_FAIL(err, LB_EIO, "cannot rename %s: %s", folder, strerror(errno));
    if (st == LB_OK && rename(fresh, folder)) {
        st = LB_FAIL(err, LB_EIO, "cannot rename %s to %s: %s", fresh, folder, strerror(errno));
        if (there && rename(old, folder))
            lb_error_within(err, "%s is now %s", folder, old);
    }
    if (st == LB_OK)
        st = lb_folder_remove(old, err);
    free(old);
    return st;
}

lb_status lb_file_copy(const char *from, const char *to, lb_error *err)
{
    char *data;
    size_t length;
    lb_status st = lb_file_read(from, &data, &length, err);
    if (st != LB_OK)
        return st;
    if (length == 0)
        st = LB_FAIL(err, LB_EFORMAT, "%s is empty", from);
    else
        st = lb_file_write(to, data, length, err);
    free(data);
    return st;
}
