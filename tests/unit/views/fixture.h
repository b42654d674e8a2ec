/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_TEST_VIEWS_FIXTURE_H
#define LB_TEST_VIEWS_FIXTURE_H

#include "report/facts.h"

/* Two toy records of the programme in tests/golden/views, in a scratch folder with a copy of its
 * templates and the finished pages of both. */

extern char toy_folder[];       /* holds results/, reports/, figures/ and templates/ */
extern const char *toy_spectra; /* hash of the training rows in the records to come */
extern lb_places toy_places;
extern char toy_templates[], toy_reports[];

void toys_make(void); /* inits and finis of a suite */
void toys_remove(void);

/** Record experiment @p id of @p name again, as of @p profile, with @p gain; 0 leaves it out. */
void toy_record(const char *id, const char *name, const char *profile, double gain);

/** Run a shell command in the scratch folder. */
void toy_shell(const char *command);

#endif
