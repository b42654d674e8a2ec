/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_ORACLE_H
#define LB_REPORT_ORACLE_H

#include "core/number.h"
#include "core/text.h"

#include <stdbool.h>

/**
 * The mark of a number behind which a model was given true labels when it predicted
 * (lb_number.oracle): no deployable score. Whatever prints such a number in
 * whatever format prints the mark after it; in code it reads "(oracle)". Nobody types it: a
 * template that does is refused.
 *
 * Under every table that holds one, hand-written tables included, stands one line that explains it;
 * a page that shows it in sentences alone explains it at its end.
 */
#define LB_ORACLE_MARK "†"

/** Does what is printed of @p x, a field of it or NULL, deserve the mark? n is nobody's score, and
 * n/a says nothing. */
bool lb_oracle_marks(const lb_number *x, const char *field);

/** The line that explains the mark. @p language: "en" or "zh" */
void lb_oracle_note(const char *language, lb_text *out);

/**
 * The page with its explanations.
 * @param page      finished Markdown, marks and all
 * @param language  "en" or "zh"
 */
void lb_oracle_explain(const char *page, const char *language, lb_text *out);

#endif
