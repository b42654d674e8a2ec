/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_PATH_H
#define LB_REPORT_PATH_H

/** @p file as a link in a page that lies in @p folder; both relative to the working directory or
 * absolute. Only names are looked at, not the disk. The caller frees it. */
char *lb_relative_path(const char *folder, const char *file);

/** The folder of @p file, "." if it has none. The caller frees it. */
char *lb_folder_of(const char *file);

#endif
