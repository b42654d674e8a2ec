/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/file.h"

#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

lb_status lb_file_read(const char *path, char **out, size_t *length, lb_error *err)
{
    lb_status st = LB_OK;
    char *data = NULL;
    size_t used = 0, capacity = 1 << 16;
    FILE *f = fopen(path, "rb");

    if (!f)
        return LB_FAIL(err, LB_EIO, "cannot read %s: %s", path, strerror(errno));
    data = lb_xcalloc(capacity, 1);
    for (size_t got; (got = fread(data + used, 1, capacity - used - 1, f)) > 0;) {
        used += got;
        if (used + 1 == capacity)
            data = lb_xrealloc(data, capacity *= 2, 1);
    }
    if (ferror(f)) {
        st = LB_FAIL(err, LB_EIO, "cannot read %s: %s", path, strerror(errno));
        goto done;
    }
    data[used] = '\0';
    *out = data;
    data = NULL;
    if (length)
        *length = used;
done:
    free(data);
    fclose(f);
    return st;
}

char *lb_file_part(const char *path)
{
    return lb_xprintf("%s.part", path);
}

lb_status lb_make_dirs(const char *path, lb_error *err)
{
    char *dir = lb_xstrdup(path);
    lb_status st = LB_OK;
    for (char *p = dir + 1; st == LB_OK; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        const char kept = *p;
        *p = '\0';
        if (mkdir(dir, 0777) && errno != EEXIST)
            st = LB_FAIL(err, LB_EIO, "cannot make the directory %s: %s", dir, strerror(errno));
        *p = kept;
        if (!kept)
            break;
    }
    free(dir);
    return st;
}

lb_status lb_make_parent(const char *path, lb_error *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return LB_OK;
    char *dir = lb_xprintf("%.*s", (int)(slash - path), path);
    const lb_status st = lb_make_dirs(dir, err);
    free(dir);
    return st;
}

lb_status lb_file_commit(const char *path, lb_error *err)
{
    char *part = lb_file_part(path);
    lb_status st = LB_OK;
    const int fd = open(part, O_RDWR);
    if (fd < 0 || fsync(fd) || rename(part, path))
        st = LB_FAIL(err, LB_EIO, "cannot finish %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(part);
    return st;
}

lb_status lb_file_write(const char *path, const char *data, size_t length, lb_error *err)
{
    lb_status st = lb_make_parent(path, err);
    if (st != LB_OK)
        return st;
    char *part = lb_file_part(path);
    FILE *f = fopen(part, "wb");
    const bool written = f && fwrite(data, 1, length, f) == length;
    if ((f && fclose(f)) || !written) {
        st = LB_FAIL(err, LB_EIO, "cannot write %s: %s", path, strerror(errno));
        remove(part);
    } else {
        st = lb_file_commit(path, err);
    }
    free(part);
    return st;
}

bool lb_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
