/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_CARDS_H
#define LB_REPORT_CARDS_H

#include "report/page.h"

/* The blocks a template asks for by name. Each appends to the page without a last newline and fails
 * with the place of its tag. */

lb_status lb_card_table(lb_page *p, const char *id);
lb_status lb_card_figure(lb_page *p, const char *id);

/** "FILE#region" of the source tree, between the lines that hold "region: NAME" and "end region",
 * without the indentation its lines share; FILE alone is the whole file. */
lb_status lb_card_code(lb_page *p, const char *what);

/** Hypothesis, claim, result, interval, verdict and what it decides, then the rules in words. */
lb_status lb_card_hypotheses(lb_page *p);

/** What was studied: the settings of the spec, the row sets and the keys "<experiment>.scope.*". */
lb_status lb_card_scope(lb_page *p);

/** @p entry of the provenance alone, or (NULL) how to make it again: command, program, versions,
 * hashes, seeds. Only what is the same in every run; the git commit only in the annotated dialect,
 * since a committed page cannot name its own. */
lb_status lb_card_provenance(lb_page *p, const char *entry);

/** Every row of spec.published: value there and here, same sign, same verdict, source. */
lb_status lb_card_published(lb_page *p);

/** Every difference of scores in the record that was resampled: estimate, interval, mean of the
 * resamples, P(> 0), rows. Nothing where there is none. */
lb_status lb_card_differences(lb_page *p);

/** Where each number of the page comes from (annotated dialect). */
lb_status lb_card_appendix(lb_page *p);

#endif
