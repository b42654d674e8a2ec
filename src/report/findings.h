/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_FINDINGS_H
#define LB_REPORT_FINDINGS_H

#include "core/text.h"
#include "report/template.h"

#include <stdbool.h>
#include <stddef.h>

/** What a linter found, one line each: "file:line:column: message", warnings with "warning: ". */
typedef struct lb_findings {
    lb_text lines;
    size_t errors, warnings;
} lb_findings;

void lb_find(lb_findings *f, lb_position place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void lb_find_warning(lb_findings *f, lb_position place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** A message that already tells where. */
void lb_find_text(lb_findings *f, const char *message);
void lb_findings_free(lb_findings *f);

#endif
