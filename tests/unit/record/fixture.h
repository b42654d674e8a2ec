/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_TEST_RECORD_FIXTURE_H
#define LB_TEST_RECORD_FIXTURE_H

#include "record/archive.h"
#include "record/record.h"

#define HASH_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* A temporary directory, made anew for each test process; removed by fixture_clean(). */
const char *fixture_dir(void);
void fixture_clean(void);
const char *fixture_path(const char *name); /* in that directory; the last four calls stay valid */

extern const char fixture_spec_text[];
lb_spec *fixture_spec(void); /* the caller frees it */

/* A score with an interval on the 816 rows of HASH_A. */
lb_number fixture_score(double value, const char *kind);

/* A small but complete experiment e02 whose pooled gain is @p gain; not judged, not closed. */
lb_record *fixture_record(const lb_spec *spec, double gain);
void fixture_write(const char *path, double gain); /* judged and closed, must succeed */
lb_archive *fixture_open(const char *path);        /* must succeed */

#endif
