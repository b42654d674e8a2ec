/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_IMPORT_H
#define LB_RECORD_IMPORT_H

#include "core/error.h"
#include "record/spec.h"

/**
 * A record from numbers that another program computed: Python, R, a shell script. @p json is what
 * `loggbook numbers --json` prints (export.h says what that is), of which only this must be there:
 *
 *   {"e23.r2": {"value": 0.91, "kind": "r2"}}
 *
 * Every other field of a number may be left out. "rowset" names an entry "rowset:NAME" with its
 * hash as "value" and its "n"; a delta, share or retention must belong to one. Texts, tables and
 * figures are entries of their kinds; the picture of a figure lies in @p figures already.
 * "provenance:KEY" says what the numbers were made from and becomes "imported.KEY". Verdicts are
 * judged here and settings are those of @p spec: entries of these kinds are passed over.
 *
 * The record says that it was imported: provenance "imported.from" (name of the file) and
 * "imported.hash".
 *
 * @param spec     settings and hypotheses of the experiment
 * @param profile  "standard"; goes into the provenance
 * @param figures  folder of the pictures
 * @param path     the record; it appears whole or not at all
 * @return LB_OK; LB_EIO; LB_EFORMAT "file:line:column: ..." for what is not JSON, "file: KEY: ..."
 *         for an entry of another shape; LB_ENAME for a key of another experiment, a field or a row
 *         set that does not exist, or a file without numbers; what lb_record_number() refuses
 */
lb_status lb_import(const char *json, const lb_spec *spec, const char *profile, const char *figures,
                    const char *path, lb_error *err);

#endif
