/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_DATA_SOURCE_H
#define LB_DATA_SOURCE_H

#include "data/spectra.h"

#include <stdbool.h>

/**
 * Where the spectra of a data set come from: a directory of shards, or "simulate:PROFILE", which
 * makes the rows of that profile as they are read (lb_simulate_source()). The rows are the same
 * either way; a million of them are 33 GB as shards.
 */
#define LB_SOURCE_SIMULATE "simulate:"

bool lb_source_is_simulated(const char *root);

/**
 * @param set  "train", "val" or "test"
 * @return what lb_spectra_open() says of a directory; LB_ENAME for no such profile; what
 *         lb_simulate_source() says
 */
lb_status lb_source_open(const char *root, const char *set, lb_spectra **out, lb_error *err);

#endif
