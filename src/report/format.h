/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_FORMAT_H
#define LB_REPORT_FORMAT_H

#include "core/number.h"
#include "core/text.h"
#include "record/published.h"

#include <stdbool.h>

/**
 * How numbers are printed. A format is what follows the bar in {{ key | format }}:
 *
 *   (none)          by kind: counts with thousands separators, alphas as powers (0.001, 1e5),
 *                   differences and biases with their sign, else as many decimals as the
 *                   uncertainty supports (two significant digits of the standard error)
 *   [+][,][.N]f     N decimals, + with a sign, "," with thousands separators; also e, g, d and %,
 *                   which multiplies by 100 and adds the sign; "+" alone takes its decimals from
 *                   the uncertainty
 *   ci              the interval, [0.0329, 0.0674]
 *   pm              value ± standard error
 *   pct             a fraction as a percentage, with the decimals its uncertainty supports
 *   unit            as (none), followed by the unit
 *
 * A format never prints more decimals than the uncertainty supports, and never a negative zero.
 * A number that is n/a prints its reason, whatever the format. The minus is U+2212 in
 * text and '-' in code and math.
 */

/**
 * Append @p x, or its @p field (value ci_lo ci_hi se n p_above; NULL: the value), to @p out.
 * @param ascii  '-' and no other character beyond ASCII
 * @return LB_OK; LB_EFORMAT for a format that does not exist; LB_ENUMERIC when there is nothing to
 *         print: a NaN without a reason, an interval that was never computed
 */
lb_status lb_format_number(const lb_number *x, const char *field, const char *format, bool ascii,
                           lb_text *out, lb_error *err);

/** A setting from spec.yaml or any number without uncertainty: shortest form, %.10g. */
void lb_format_plain(double value, bool ascii, lb_text *out);

/** A published value as printed there, or its @p interval "[lo, hi]", which it must have. */
void lb_format_published(const lb_published_entry *e, bool interval, bool ascii, lb_text *out);

/** Is @p format one of those that say which cells of a table's column are bold, and nothing of how
 * numbers look? "best": the largest of a row among such columns; "diagonal": row i of the i-th. */
bool lb_format_emphasises(const char *format);

/** LB_EFORMAT if @p format is none of the above; NULL is fine. */
lb_status lb_format_check(const char *format, lb_error *err);

/** 1234567 as "1,234,567". */
void lb_format_count(size_t n, lb_text *out);

#endif
