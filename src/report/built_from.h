/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_BUILT_FROM_H
#define LB_REPORT_BUILT_FROM_H

#include "report/folder.h"
#include "report/snapshot.h"

/**
 * The files of src/ that the program of an experiment is built from: src/experiments/NAME.c and its
 * parts, the headers they include, and what stands behind each header: the .c of its name and every
 * .c beside it that includes it first, as this project's do with the header they implement; and so
 * on from there. Sorted; release with lb_names_free(). Empty if there is no such program.
 */
void lb_built_from(const lb_snapshot *s, const char *name, lb_names *out);

#endif
