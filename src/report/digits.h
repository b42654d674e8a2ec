/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_DIGITS_H
#define LB_REPORT_DIGITS_H

#include "record/spec.h"
#include "report/findings.h"

/**
 * Find digits typed in prose: a result must come from a key, a setting from the spec. What may
 * stand, besides everything in code, link targets and markup:
 *
 *   names: a token that starts with a letter and holds no point (R2, E01, float32, Bin3), a capital
 *     letter with grouped digits (H1.2, F01.3, T02.1), the spec's mvp, registry and literals;
 *   numbers of sections at the start of a heading and after a section sign, of list items and
 *     footnotes; superscripts and number words;
 *   in math, single digits (exponents, indices, one half).
 *
 * A table or figure of this experiment that prose mentions must be declared in the spec.
 */
void lb_lint_digits(const lb_template *t, const lb_spec *spec, lb_findings *out);

/** The same for the sentences of the spec itself: claims, decisions, captions. */
void lb_lint_spec_digits(const lb_spec *spec, lb_findings *out);

#endif
