/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_PUBLISH_MANIFEST_H
#define LB_PUBLISH_MANIFEST_H

#include "core/error.h"
#include "core/text.h"

#include <stddef.h>

/**
 * The SHA-256 of every file of a folder, in the folder itself: MANIFEST.sha256, one line a file,
 * "digest  name", in the order of bytes; `sha256sum --check MANIFEST.sha256` reads it too.
 */
#define LB_MANIFEST "MANIFEST.sha256"

/** Write the manifest of @p folder; @p files receives how many it names, NULL is fine. LB_EIO. */
lb_status lb_manifest_write(const char *folder, size_t *files, lb_error *err);

/**
 * Compare @p folder, wherever it lies, with its manifest. Every file that is missing, changed or
 * extra is a line of @p report ("changed  pdf/e02_piecewise.en.pdf"), then one that counts.
 * @return LB_OK; LB_EFINDING; LB_EIO without folder or manifest; LB_EFORMAT "file:line: ..." for a
 *         damaged manifest, an empty one, or one that names something outside the folder
 */
lb_status lb_manifest_check(const char *folder, lb_text *report, lb_error *err);

#endif
