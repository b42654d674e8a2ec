/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_PUBLISH_PUBLISH_H
#define LB_PUBLISH_PUBLISH_H

#include "report/commands.h"
#include "report/facts.h"

/**
 * The finished reports and views of a profile as one folder that stands alone: the site
 * (publish/site.h), PDFs, LaTeX bundles, Markdown and its figures, records, frozen values,
 * settings, numbers.json, ro-crate-metadata.json and a manifest (publish/manifest.h). The same
 * reports give the same bytes. It is built beside @p target, as "target.part", and takes its place
 * at the end: whatever fails leaves @p target as it was.
 * @param templates  holds experiments/, every one of them finished, views/, pandoc/ and site/
 * @param reports  folder of the finished pages: NAME.LANG.{md,html,pdf,tex} of every experiment,
 *                 NAME.LANG.{md,html,pdf} of every view and of the audit
 * @param text     receives the last line
 * @return LB_OK; LB_EIO: a file is missing (a report, a translation, a figure) or a folder at @p
 * target was not made by this; LB_EFORMAT: a record or a page is not whole; LB_EFINDING: a page is
 * stale; LB_EINVAL: a report is not complete, a
 * record belongs to another profile or experiment, or differs from its frozen values; LB_ENAME: a
 * page shows a key that no record holds
 */
lb_status lb_publish(const lb_places *places, const char *templates, const char *reports,
                     const char *target, lb_text *text, lb_error *err);

/** `loggbook publish DIR` and `loggbook publish-check DIR`; the first never gives LB_EFINDING. */
lb_status lb_command_publish(lb_job *j);
lb_status lb_command_publish_check(lb_job *j);

#endif
