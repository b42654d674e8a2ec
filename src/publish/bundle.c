/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "publish/bundle.h"

#include "core/file.h"
#include "core/memory.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

struct lb_bundle {
    char *path;
    struct archive *tar;
    lb_error err;
};

static void check(lb_bundle *b, int status)
{
    if (status != ARCHIVE_OK && b->err.status == LB_OK)
        LB_FAIL(&b->err, LB_EIO, "cannot write %s: %s", b->path, archive_error_string(b->tar));
}

lb_bundle *lb_bundle_new(const char *path)
{
    lb_bundle *b = lb_xcalloc(1, sizeof *b);
    b->path = lb_xstrdup(path);
    b->tar = archive_write_new();
    check(b, archive_write_set_format_ustar(b->tar));
    check(b, archive_write_add_filter_gzip(b->tar));
    check(b, archive_write_set_options(b->tar, "gzip:!timestamp"));
    check(b, archive_write_open_filename(b->tar, path));
    return b;
}

void lb_bundle_add(lb_bundle *b, const char *name, const char *data, size_t length)
{
    if (b->err.status != LB_OK)
        return;
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (la_int64_t)length);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_mtime(entry, 0, 0);
    check(b, archive_write_header(b->tar, entry));
    if (b->err.status == LB_OK && archive_write_data(b->tar, data, length) != (la_ssize_t)length)
        check(b, ARCHIVE_FATAL);
    archive_entry_free(entry);
}

void lb_bundle_add_file(lb_bundle *b, const char *name, const char *path)
{
    char *data = NULL;
    size_t length;
    if (b->err.status == LB_OK && lb_file_read(path, &data, &length, &b->err) == LB_OK)
        lb_bundle_add(b, name, data, length);
    free(data);
}

lb_status lb_bundle_close(lb_bundle *b, lb_error *err)
{
    check(b, archive_write_close(b->tar));
    archive_write_free(b->tar);
    const lb_error first = b->err;
    free(b->path);
    free(b);
    return first.status == LB_OK ? LB_OK : LB_FAIL(err, first.status, "%s", first.text);
}
