/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_SNAPSHOT_H
#define LB_REPORT_SNAPSHOT_H

#include "core/error.h"

#include <stddef.h>

/**
 * The texts of one state of the project, in memory: those of a git revision, or those that stand
 * in the working directory. Only what people or programs wrote for others to read is kept: .c .h
 * .yaml .md .tsv .json .svg. Read-only; everything handed out is borrowed until
 * lb_snapshot_free().
 */
typedef struct lb_snapshot lb_snapshot;

/**
 * @param revision  anything git understands; NULL or "": the working directory as it stands
 * @param folders   NULL-terminated, relative to the working directory; one that is not there is
 *                  empty. A revision needs them below the working directory.
 * @return LB_OK; LB_EIO: no git, no repository, no such revision; LB_EINVAL: a folder elsewhere
 */
lb_status lb_snapshot_take(const char *revision, const char *const *folders, lb_snapshot **out,
                           lb_error *err);
void lb_snapshot_free(lb_snapshot *s); /* NULL is fine */

/** "main (1a2b3c4d5, 2026-11-21)" or "working tree". */
const char *lb_snapshot_name(const lb_snapshot *s);

/** Text of a file, NUL-terminated; NULL if it is not there. @p length may be NULL. */
const char *lb_snapshot_text(const lb_snapshot *s, const char *path, size_t *length);

/** Paths in the order of bytes. */
size_t lb_snapshot_count(const lb_snapshot *s);
const char *lb_snapshot_path(const lb_snapshot *s, size_t i);

#endif
