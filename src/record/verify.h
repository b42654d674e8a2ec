/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_VERIFY_H
#define LB_RECORD_VERIFY_H

#include "core/error.h"
#include "core/text.h"
#include "record/ledger.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Do today's results still say what was frozen? Nothing here prints: each call appends a report for
 * the reader to @p report and says by its status what it came to.
 */

/**
 * Compare two ledgers; tolerances are those of @p frozen. Findings: a number moved beyond its
 * tolerance (value, interval or standard error), another n, kind or row set, a text, row set or
 * verdict that changed (a flipped verdict also when its metric stayed inside its tolerance), a key
 * that vanished or is new. Of measured entries (seconds, bytes) only the presence is checked. The
 * report lists flipped verdicts, missing and new keys, entries that must be exact, then numbers by
 * the standard errors they moved, largest first; and ends with a count.
 * @return LB_OK; LB_EFINDING; LB_ENAME if @p frozen holds nothing to check; LB_EINVAL if the two
 *         belong to different experiments or profiles
 */
lb_status lb_ledger_compare(const lb_ledger *frozen, const lb_ledger *now, lb_text *report,
                            lb_error *err);

/** Check the record at @p record against the TSV at @p frozen. Also LB_EIO and LB_EFORMAT when
 * one is missing ("... make freeze REASON=...") or damaged. */
lb_status lb_verify(const char *record, const char *frozen, lb_text *report, lb_error *err);

/**
 * Freeze the record: the report shows what differs from the present TSV; then the file is written
 * with the tolerances of @p spec and a new history entry (date, version, reason, what moved). A
 * record that equals its frozen values to the last digit leaves the file as it is. The date is that
 * of SOURCE_DATE_EPOCH, else today (UTC).
 * @param reason  LB_EINVAL if NULL or blank, after the report was made
 * @return LB_OK; LB_EINVAL; LB_ENAME (a record without numbers); LB_EFINDING (the record was made
 *         with another spec); LB_EIO; LB_EFORMAT
 */
lb_status lb_freeze(const char *record, const char *frozen, const lb_spec *spec, const char *reason,
                    lb_text *report, lb_error *err);

#endif
