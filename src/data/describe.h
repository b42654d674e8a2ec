/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_DESCRIBE_H
#define LB_DATA_DESCRIBE_H

#include "core/error.h"
#include "core/text.h"
#include "data/spectra.h"

#include <stdbool.h>

/**
 * What is in a shard: rows, pixels, wavelengths and medium, label ranges, signal to noise by both
 * definitions, bad rows by cause, rows in the nine bins, content hash (recomputed if it is one of
 * ours). Works on damaged-in-content files: bad rows are reported, not refused.
 * @param path  an HDF5 file in the layout of data/spectra.h
 * @param keys  false: a text for people; true: one "key<TAB>value" a line for programs
 * @param out   the text is added to it
 * @return LB_OK; LB_EFINDING if the stored content hash does not match (text is complete);
 * otherwise as lb_spectra_open()
 */
lb_status lb_describe(const char *path, bool keys, lb_text *out, lb_error *err);

/** The same without the content check, of an open split. LB_EFORMAT as lb_spectra_read(). */
lb_status lb_describe_spectra(lb_spectra *s, bool keys, lb_text *out, lb_error *err);

#endif
