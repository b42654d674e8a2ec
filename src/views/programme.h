/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_VIEWS_PROGRAMME_H
#define LB_VIEWS_PROGRAMME_H

#include "core/error.h"
#include "core/yaml.h"
#include "report/findings.h"

#include <stddef.h>

/**
 * What connects the experiments, templates/views/programme.yaml: phases, questions, gates, what is
 * planned, the statements and numbers the views show. Nothing that a spec or a record knows stands
 * here; in particular no number and no status. Read-only once loaded; the shape is the table
 * `schema` in programme.c. References are "e02" for an experiment, "e02:H1.2" for a hypothesis.
 */
typedef struct lb_programme {
    lb_yaml *yaml;
    /* The parts, each a map in the order of the file; never NULL, an absent part is empty. */
    const lb_yaml_node *phases, *questions, *experiments, *gates, *planned, *statements;
    const lb_yaml_node *numbers; /* a list */
} lb_programme;

/**
 * Load and check: what lb_schema_check() says; a phase, question or experiment that is named but
 * not there (LB_ENAME); a consensus that quotes a number (LB_EINVAL). LB_EIO.
 */
lb_status lb_programme_load(const char *path, lb_programme *out, lb_error *err);
lb_status lb_programme_parse(const char *text, const char *name, lb_programme *out, lb_error *err);
void lb_programme_free(lb_programme *p); /* a zeroed one is fine */

/** The text of an entry's scalar, "" if absent. */
const char *lb_programme_text(const lb_yaml_node *entry, const char *key);

/** Digits typed in the words of the programme. */
void lb_programme_lint(const lb_programme *p, lb_findings *out);

#endif
