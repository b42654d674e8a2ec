/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_REASON_H
#define LB_REPORT_REASON_H

#include <stdbool.h>

/**
 * Why a number has no value: what its record says between the brackets of "n/a (..)", in English or
 * in Chinese. A reason that has no Chinese words yet stays English.
 * @return the caller frees it; NULL if @p na is not of that form
 */
char *lb_reason(const char *na, bool chinese);

/** The whole of it as it stands in a sentence: "n/a (no gain)", "n/a（没有增益）". The caller frees
 * it. What is not of that form is returned as it is. */
char *lb_reason_phrase(const char *na, bool chinese);

#endif
