/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_CORE_FILE_H
#define LB_CORE_FILE_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>

/* No output is ever half-written: it grows under lb_file_part(path) = "path.part" and takes its
 * name by one rename in lb_file_commit(). A killed run leaves at most a .part, which the next run
 * overwrites. */

/** Whole file as a NUL-terminated string the caller frees; @p length may be NULL. LB_EIO. */
lb_status lb_file_read(const char *path, char **out, size_t *length, lb_error *err);

/** Write @p length bytes under the final name atomically, making missing directories. LB_EIO names
 * the path and the reason (disk full, permission). */
lb_status lb_file_write(const char *path, const char *data, size_t length, lb_error *err);

char *lb_file_part(const char *path); /* the temporary name; the caller frees it */

/** Flush "path.part" to the disk and rename it to @p path. LB_EIO. */
lb_status lb_file_commit(const char *path, lb_error *err);

/** Make the directory @p path and its parents (mkdir -p). LB_EIO. */
lb_status lb_make_dirs(const char *path, lb_error *err);
lb_status lb_make_parent(const char *path, lb_error *err); /* the directory a file lives in */

bool lb_file_exists(const char *path);

#endif
