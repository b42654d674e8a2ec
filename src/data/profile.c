/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/profile.h"

#include "core/text.h"

#include <string.h>

static const lb_profile profiles[] = {
    {"quick", 4000, 500, 500, 1, 8, "quick_large", 1},
    {"quick_large", 12500, 1250, 1250, 1, 8, NULL, 2},
    {"standard", 32000, 1000, 1000, 1, 1, "large", 3},
    {"large", 100000, 10000, 10000, 1, 1, NULL, 4},
    {"million", 1000000, 10000, 10000, 5, 1, NULL, 5},
};
enum { COUNT = sizeof profiles / sizeof *profiles };

bool lb_profile_is_streamed(const lb_profile *p)
{
    return p->n_train > 500000;
}

const lb_profile *lb_profile_find(const char *name, lb_error *err)
{
    const char *names[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        names[i] = profiles[i].name;
        if (strcmp(name, names[i]) == 0)
            return &profiles[i];
    }
    const char *near = lb_nearest(name, names, COUNT);
    LB_FAIL(err, LB_ENAME,
            "no profile '%s'%s%s%s; there are quick, quick_large, standard, large and million",
            name, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}
