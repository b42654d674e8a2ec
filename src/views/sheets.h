/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_VIEWS_SHEETS_H
#define LB_VIEWS_SHEETS_H

#include "report/page.h"
#include "views/survey.h"

/**
 * The survey as tables and facts that the templates of the views show, in one language:
 * `{% for row in table gates %}{{ row.title }}{% endfor %}`, `{{ view.n_done }}`. Which tables
 * there are stands in sheet.h, their columns beside the makers.
 */
typedef struct lb_sheets {
    const lb_survey *survey;
    const char *language, *pages; /* folder of the finished pages, for links */
    lb_dialect dialect;
    lb_lent lent; /* what is handed to the facts */
    lb_table *tables;
    lb_fact *facts;
    char **owned; /* every text */
    size_t n_tables, n_facts, n_owned;
    lb_error *err;
    lb_status st; /* sticky */
} lb_sheets;

/**
 * Work everything out. @p figure: the picture of the dependencies, as a link from @p pages.
 * @return LB_OK; LB_ENAME for a key that a record does not have (any more), with the place in the
 *         programme; the failures of lb_page_fill() for its words
 */
lb_status lb_sheets_make(const lb_survey *s, const char *language, lb_dialect dialect,
                         const char *pages, const char *figure, lb_sheets *out, lb_error *err);
void lb_sheets_free(lb_sheets *t);

#endif
