/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_FILL_H
#define LB_REPORT_FILL_H

#include "report/facts.h"

/** Where the finished report goes. */
typedef struct lb_fill_outputs {
    const char *clean;     /* Markdown for the forge; NULL: not written */
    const char *annotated; /* Markdown for pandoc; NULL: not written */
    const char *depfile;   /* what they were made from, as a rule of make; NULL: not written */
    const char *home;      /* folder the links to figures start at; NULL: that of clean */
} lb_fill_outputs;

/**
 * Fill the report of the experiment in @p folder in one language. Nothing is written unless all of
 * it could be filled; each file then takes its name in one step. Figure links in both dialects
 * start at the folder of outputs->clean (of the working directory without it).
 * @param text  receives the clean report when outputs->clean is NULL; may be NULL
 * @return LB_OK; LB_EFINDING: a digit typed in prose or a false claim; the failures of
 *         lb_facts_open(), lb_template_load() and lb_page_fill(); LB_EIO
 */
lb_status lb_fill(const lb_places *places, const char *folder, const char *language,
                  const lb_fill_outputs *outputs, lb_text *text, lb_error *err);

/** Is the finished Markdown at @p page the text @p expected?
 * @return LB_OK; LB_EFINDING "page:line: ..." for the first line that is not; LB_EIO */
lb_status lb_page_compare(const char *page, const char *expected, lb_error *err);

/**
 * Is the finished Markdown at @p page what its template and records give today?
 * @return LB_OK; LB_EFINDING "page:line: ..." for the first line that is not; the failures of
 *         lb_fill(); LB_EIO
 */
lb_status lb_fill_compare(const lb_places *places, const char *folder, const char *language,
                          const char *page, lb_error *err);

#endif
