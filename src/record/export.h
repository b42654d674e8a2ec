/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_EXPORT_H
#define LB_RECORD_EXPORT_H

#include "core/text.h"
#include "record/archive.h"
#include "record/spec.h"

/**
 * Everything a page of the experiment may state, as one JSON object with sorted keys, for programs
 * that share no code with this one. Numbers and texts stand under their keys, reals with 17
 * significant digits:
 *
 *   "e03.r2": {"value": .., "kind": "r2", "unit": "", "ci": [lo, hi] or null, "se": .. or null,
 *              "p_above": .. or null, "n": 816, "rows": "sha256:..", "rowset": "covered",
 *              "digits": 4, "seed": .., "oracle": false, "protocol": "clean", "na": null}
 *   "e03.split": {"kind": "text", "value": ".."}
 *
 * An n/a number has value null and its reason in na. Beside them:
 *
 *   "verdict:H1.2":   {"kind": "verdict", "value": "PASS", "metric": key, "rule": condition}
 *   "rowset:NAME":    {"kind": "rowset", "value": hash, "n": rows}
 *   "table:T02.1":    {"kind": "table", "columns": [{"name": heading, "format": how}, ...],
 *                      "rows": [[{"key": key} or {"text": text}, ...], ...]}
 *   "figure:F02.1":   {"kind": "figure", "value": stem, "sha256": hash of its SVG, "" if unknown}
 *   "provenance:KEY": {"kind": "provenance", "value": text}
 *   "spec.PATH":      {"kind": "setting", "value": scalar as it stands in spec.yaml}
 *
 * Entries of lists are counted from zero: "spec.noise.levels.0".
 * @param spec  NULL, or the settings the record was made with
 */
void lb_export_json(const lb_archive *a, const lb_spec *spec, lb_text *out);

#endif
