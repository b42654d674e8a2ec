/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_LINT_H
#define LB_REPORT_LINT_H

#include "report/facts.h"
#include "report/findings.h"

/**
 * Check the folder of one experiment, templates/experiments/<id>: both templates can be read; no
 * digit is typed in prose, claims or captions (report/digits.h); English and Chinese agree in keys,
 * verdicts, tables, figures, claims and headings; every table and figure of the spec stands in the
 * report. With the record there: every key, setting, verdict and published value exists, figure
 * files are there, are those the run drew, and none is left over; every seed is one of the spec,
 * both languages show the same numbers line by line;
 * keys that no report shows are a warning.
 * @return LB_OK or LB_EFINDING, told line by line in @p out; LB_EIO, LB_EFORMAT, LB_ENAME,
 *         LB_EINVAL when the spec or the templates cannot be read at all
 */
lb_status lb_lint_experiment(const lb_places *places, const char *folder, lb_findings *out,
                             lb_error *err);

/** Check a finished page by itself: no tag left, no TODO, no NaN outside code; no Chinese sign on a
 * page NAME.en.md, whose LaTeX bundle has no font for it. LB_OK, LB_EFINDING, LB_EIO. */
lb_status lb_lint_page(const char *path, lb_findings *out, lb_error *err);

#endif
