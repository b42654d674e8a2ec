/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_PUBLISH_BUNDLE_H
#define LB_PUBLISH_BUNDLE_H

#include "core/error.h"

#include <stddef.h>

/**
 * A .tar.gz (ustar, by libarchive) written file by file. No time, owner or machine goes into it:
 * the same files give the same bytes. Sticky: after a failure calls do nothing, and closing reports
 * it.
 */
typedef struct lb_bundle lb_bundle;

lb_bundle *lb_bundle_new(const char *path); /* the folder of @p path must be there */
void lb_bundle_add(lb_bundle *b, const char *name, const char *data, size_t length);
void lb_bundle_add_file(lb_bundle *b, const char *name, const char *path);

/** Write the end, free @p b. Reports the first failure of all calls: LB_EIO. */
lb_status lb_bundle_close(lb_bundle *b, lb_error *err);

#endif
