/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_VIEWS_VIEWS_H
#define LB_VIEWS_VIEWS_H

#include "report/commands.h"
#include "report/facts.h"

/**
 * Write the documents that stand above the reports, filled from all records of a profile:
 * framework, hub, roadmap, kanban, cards and summary, each in English and Chinese
 * (templates/views/NAME.LANG.md to @p out/NAME.LANG.md), and the graph of dependencies to
 * places->figures/programme_graph.*. Nothing is written unless all of it could be made; each file
 * takes its name in one step.
 * @param templates  holds views/ and experiments/
 * @return LB_OK; the failures of lb_survey_open(); LB_EIO for a template that is missing, in one
 *         language or both; LB_EFINDING for typed digits or languages that differ
 */
lb_status lb_views_write(const lb_places *places, const char *templates, const char *out,
                         lb_error *err);

/** `loggbook views --out DIR`. */
lb_status lb_command_views(lb_job *j);

#endif
