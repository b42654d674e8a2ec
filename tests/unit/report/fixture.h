/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_TEST_REPORT_FIXTURE_H
#define LB_TEST_REPORT_FIXTURE_H

#include "report/page.h"

/* The small experiment of tests/golden/template, its record written fresh into a folder of its own
 * by each test (tests are processes). */

extern lb_places places;
extern char folder[]; /* the scratch folder */

void fixture_make(void);   /* Criterion's .init: records, figure, an empty reports/ */
void fixture_remove(void); /* .fini */

lb_facts *facts_open(const char *language); /* stops the test on failure */

/** Fill a template given as text; the caller frees what comes back, NULL on failure. */
char *fill_text(const char *text, const char *language, lb_dialect dialect, lb_error *err);
char *fill_file(const char *path, const char *language, lb_dialect dialect, lb_error *err);

/** @p s with every scratch folder written as SCRATCH; frees @p s. */
char *without_scratch(char *s);

#endif
