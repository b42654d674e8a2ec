/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_VIEWS_VIEWS_H
#define LB_VIEWS_VIEWS_H

#include "report/commands.h"
#include "report/facts.h"
#include "views/survey.h"

/** Their names: summary, framework, hub, roadmap, kanban, cards. */
enum { LB_VIEWS = 6 };
extern const char *const lb_view_name[LB_VIEWS];

/**
 * Write the documents that stand above the reports, filled from all records of a profile:
 * framework, hub, roadmap, kanban, cards and summary, each in English and Chinese
 * (templates/views/NAME.LANG.md to @p out/NAME.LANG.md), and the graph of dependencies to
 * places->figures/programme_graph.*. Nothing is written unless all of it could be made; each file
 * takes its name in one step.
 * @param templates  holds views/ and experiments/
 * @param drafts     folder of the same pages for pandoc, NAME.LANG.md: each number leads to its
 *                   provenance; NULL: not written
 * @return LB_OK; the failures of lb_survey_open(); LB_EIO for a template that is missing, in one
 *         language or both; LB_EFINDING for typed digits or languages that differ
 */
lb_status lb_views_write(const lb_places *places, const char *templates, const char *out,
                         const char *drafts, lb_error *err);

/**
 * Are the finished pages in @p pages what templates and records give today?
 * @return LB_OK; LB_EIO for a page that is missing; LB_EFINDING "page:line: ..." for the first
 *         line that differs; the failures of lb_views_write()
 */
lb_status lb_views_compare(const lb_survey *s, const char *templates, const char *pages,
                           lb_error *err);

/** `loggbook views --out DIR --annotated DIR`. */
lb_status lb_command_views(lb_job *j);

#endif
