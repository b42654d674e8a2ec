/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/source.h"

#include "data/simulate.h"

#include <string.h>

bool lb_source_is_simulated(const char *root)
{
    return strncmp(root, LB_SOURCE_SIMULATE, strlen(LB_SOURCE_SIMULATE)) == 0;
}

lb_status lb_source_open(const char *root, const char *set, lb_spectra **out, lb_error *err)
{
    *out = NULL;
    if (!lb_source_is_simulated(root))
        return lb_spectra_open(root, set, out, err);
    const lb_profile *profile = lb_profile_find(root + strlen(LB_SOURCE_SIMULATE), err);
    if (!profile)
        return err ? err->status : LB_ENAME;
    const lb_simulation sim = {.profile = profile,
                               .grid_path = LB_SIMULATION_GRID,
                               .sky_path = LB_SIMULATION_SKY,
                               .seed = LB_SIMULATION_SEED};
    const int number = strcmp(set, "train") == 0 ? LB_SET_TRAIN
                       : strcmp(set, "val") == 0 ? LB_SET_VAL
                                                 : LB_SET_TEST;
    return lb_simulate_source(&sim, number, out, err);
}
