/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_NUMBERS_H
#define LB_RECORD_NUMBERS_H

#include "core/error.h"
#include "core/text.h"
#include "record/archive.h"
#include "record/ledger.h"
#include "record/published.h"

/** All numbers, texts, row sets and verdicts of a record as TSV, in the columns of ledger.h. */
void lb_numbers_tsv(const lb_archive *a, lb_text *out);

/**
 * The trail of one number or text: value, interval, n, row set, kind, protocol, seed, program,
 * version, git commit, spec and data hashes, frozen and published value, and the verdicts that
 * rest on it. @p frozen and @p published may be NULL.
 * @return LB_OK, or LB_ENAME with the nearest match
 */
lb_status lb_why(const lb_archive *a, const char *key, const lb_ledger *frozen,
                 const lb_published *published, lb_text *out, lb_error *err);

#endif
