/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_PUBLISH_HTML_H
#define LB_PUBLISH_HTML_H

#include "core/number.h"
#include "core/text.h"

/* Small pieces of HTML. */

enum { LB_SHORT_HASH = 12 }; /* digits of a hash or commit that are shown */

/** Text with its four special characters written as entities; fits into quoted attributes too. */
void lb_html_text(lb_text *out, const char *s);

/** The anchor of a key: "n-e02-noise_0-2" for "e02.noise_0.2", as in the table of provenance of a
 * report. Keys hold no '-', so no two become one. */
void lb_html_anchor(lb_text *out, const char *key);

/** "sha256:16491f96..." or a commit, as its first digits; the whole shows on hover. */
void lb_html_hash(lb_text *out, const char *hash);

/** A number in a format of report/format.h with the mark of an oracle; nothing where there is none
 * to print. */
void lb_html_number(lb_text *out, const lb_number *x, const char *format);

#endif
