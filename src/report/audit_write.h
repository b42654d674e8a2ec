/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_AUDIT_WRITE_H
#define LB_REPORT_AUDIT_WRITE_H

#include "core/error.h"
#include "report/audit.h"
#include "report/facts.h"
#include "report/register.h"

/**
 * Leave the audit as a record, so that templates/views/audit fills its report from it like any
 * other: counts under "e00.", the cards and the register as tables. Cells that hold nothing hold
 * "-". Sentences are the template's; cells hold words of fixed lists, printed numbers and Markdown
 * rows of tables.
 * @param places  the profile and the published numbers, whose hash the record keeps
 * @return LB_OK; the failures of lb_spec_load(), lb_hash_file() and lb_record_close()
 */
lb_status lb_audit_write(const lb_audit *a, const lb_register *r, const char *folder,
                         const lb_places *places, const char *path, lb_error *err);

#endif
