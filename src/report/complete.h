/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_COMPLETE_H
#define LB_REPORT_COMPLETE_H

#include "report/facts.h"
#include "report/findings.h"

/**
 * What keeps the report of the experiment in @p folder from being done: whatever lint finds
 * (report/lint.h: figures, tables, keys, digits, both languages), a field of the header that is
 * empty, a hypothesis without a verdict or without a place in the report; in the filled pages,
 * looked for in @p pages (NULL: not looked for), a word like TODO, a section that says nothing, a
 * field without a value.
 * @return LB_OK; LB_EFINDING, told in @p out; the other failures of lb_lint_experiment()
 */
lb_status lb_report_complete(const lb_places *places, const char *folder, const char *pages,
                             lb_findings *out, lb_error *err);

#endif
