/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_COMMANDS_H
#define LB_REPORT_COMMANDS_H

#include "core/text.h"
#include "report/catalogue.h"
#include "report/facts.h"

#include <stdbool.h>

/** The options of the command line, shared by all commands. Borrowed strings; NULL: not given. */
typedef struct lb_options {
    const char *profile, *templates, *language, *published;
    const char *results, *frozen, *figures, *reports; /* NULL: by profile */
    const char *out, *annotated, *depfile, *reason, *as, *fail_on;
    bool tsv, keys;
} lb_options;

/** One command at work: its arguments, the places made from the options, what it will print. */
typedef struct lb_job {
    const lb_options *o;
    char **args;
    size_t n;
    lb_places places;
    const char *reports; /* folder of the finished reports */
    lb_catalogue all;    /* read when a command needs it */
    lb_text out;         /* for stdout, whatever the status */
    lb_error *err;
} lb_job;

/* Each returns LB_OK, LB_EFINDING (the answer is "no"; what was found is in @c out), or another
 * status with a message in @c err. Commands on experiments take ids ("e02"), names or folders;
 * where none is given they work on all, and fail when there are none. */

lb_status lb_command_fill(lb_job *j);
lb_status lb_command_verify(lb_job *j);
lb_status lb_command_freeze(lb_job *j);
lb_status lb_command_diff(lb_job *j); /* report/diff_command.c */
lb_status lb_command_numbers(lb_job *j);
lb_status lb_command_import(lb_job *j);
lb_status lb_command_why(lb_job *j);
lb_status lb_command_lint(lb_job *j);
lb_status lb_command_audit(lb_job *j); /* report/audit_command.c */
lb_status lb_command_new(lb_job *j);

#endif
