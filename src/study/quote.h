/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_QUOTE_H
#define LB_STUDY_QUOTE_H

#include "study/study.h"

/**
 * Results of the same experiment in a larger profile, quoted from the frozen file that is committed
 * with the sources: a million rows are run once, not on every build, and the report of the standard
 * profile still shows them. A quoted number keeps its interval, its n, its oracle mark, and its row
 * set under the name "<profile>: <name>"; the hash of the file goes into the provenance.
 *
 * The key is "<id>.<profile>.<rest>" for "<id>.<rest>" of the file. Only the standard profile
 * quotes; elsewhere, without the file (data/frozen/<profile>/<name>.tsv) or without the key in it
 * the number is n/a ("not run"). Sticky in @p s.
 */
void lb_study_quote(lb_study *s, const char *profile, const char *const *keys, size_t n);

/** The same from a given file, NULL: there is none. */
void lb_study_quote_file(lb_study *s, const char *path, const char *profile,
                         const char *const *keys, size_t n);

#endif
