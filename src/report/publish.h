/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_PUBLISH_H
#define LB_REPORT_PUBLISH_H

#include "report/catalogue.h"
#include "report/facts.h"

/**
 * The finished reports of a profile as one folder that stands alone: the site (report/site.h),
 * PDFs, LaTeX bundles, Markdown and its figures, records, frozen values, settings, numbers.json,
 * ro-crate-metadata.json and a manifest (report/manifest.h). The same reports give the same bytes.
 * It is built beside @p target, as "target.part", and takes its place at the end: whatever fails
 * leaves @p target as it was.
 * @param all      the experiments; every one must be finished
 * @param reports  folder of the finished reports: NAME.LANG.{md,html,pdf,tex}
 * @param text     receives the last line
 * @return LB_OK; LB_EIO: a file is missing (a report, a translation, a figure) or a folder at @p
 * target was not made by this; LB_EFORMAT: a record or a page is not whole or stale; LB_EINVAL: a
 * record belongs to another profile or experiment, or differs from its frozen values; LB_ENAME: a
 * page shows a key that no record holds
 */
lb_status lb_publish(const lb_places *places, const char *templates, const lb_catalogue *all,
                     const char *reports, const char *target, lb_text *text, lb_error *err);

#endif
