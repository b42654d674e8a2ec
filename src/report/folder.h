/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_FOLDER_H
#define LB_REPORT_FOLDER_H

#include "core/error.h"

#include <stddef.h>

/* Whole folders: what is in one, and one in the place of another. */

/** Names of files, relative to their folder. Zero-initialise; release with lb_names_free(). */
typedef struct lb_names {
    char **at;
    size_t n;
} lb_names;

/** Everything below @p folder that is not itself a folder, links as links, in the order of bytes.
 * LB_EIO when it cannot be read. */
lb_status lb_folder_list(const char *folder, lb_names *out, lb_error *err);
void lb_names_free(lb_names *names);

/** rm -r. LB_EIO; a folder that is not there is fine. */
lb_status lb_folder_remove(const char *folder, lb_error *err);

/** @p fresh takes the name @p folder; what had it before is removed, after the new one is in place.
 * LB_EIO leaves @p folder as it was. */
lb_status lb_folder_replace(const char *fresh, const char *folder, lb_error *err);

/** Copy a file, byte for byte, making missing folders. LB_EIO; LB_EFORMAT when it is empty. */
lb_status lb_file_copy(const char *from, const char *to, lb_error *err);

#endif
