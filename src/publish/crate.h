/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_PUBLISH_CRATE_H
#define LB_PUBLISH_CRATE_H

#include "publish/site.h"

/* What machines read of an edition. */

/** What record/export.h has of every record, in one object, by the name of the experiment. */
void lb_crate_numbers(const lb_site *site, lb_text *out);

/**
 * ro-crate-metadata.json for the files that are in @p folder now: RO-Crate 1.1 with the profile
 * Workflow Run 0.5 (https://w3id.org/ro/wfrun/workflow/0.5). The workflow is the Makefile; each
 * experiment is an action: its program as instrument, spectra and settings as objects, record and
 * reports as results. The date is the newest in the settings. LB_EIO.
 */
lb_status lb_crate_metadata(const lb_site *site, const char *folder, lb_text *out, lb_error *err);

#endif
