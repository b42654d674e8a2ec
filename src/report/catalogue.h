/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_CATALOGUE_H
#define LB_REPORT_CATALOGUE_H

#include "core/error.h"

#include <stddef.h>

/** The experiments under templates/experiments: the folders that hold a spec.yaml, sorted. */
typedef struct lb_catalogue {
    char **folders;
    size_t n;
} lb_catalogue;

/** @p templates: "templates". LB_EIO when there is no experiment at all. */
lb_status lb_catalogue_read(const char *templates, lb_catalogue *out, lb_error *err);

/** The folder of "e02", "e02_piecewise", a path to it or to a file in it. LB_ENAME with the nearest
 * match. Borrowed. */
lb_status lb_catalogue_find(const lb_catalogue *c, const char *id, const char **out, lb_error *err);
void lb_catalogue_free(lb_catalogue *c);

/**
 * Make a new experiment from the files of templates/new: program.c becomes src/experiments/<name>.c
 * under @p root, everything else goes to templates/experiments/<name>. In each, @name@ stands for
 * the name, @id@ for "e22", @ID@ for "E22", @number@ for "22" and @date@ for the day, which is that
 * of SOURCE_DATE_EPOCH if set.
 * @param name  "e22_idea": e, two digits, an underscore and lower-case words
 * @return LB_OK; LB_EINVAL for another name; LB_ENAME when the number or a file is taken; LB_EIO
 */
lb_status lb_experiment_new(const char *root, const char *name, lb_error *err);

#endif
