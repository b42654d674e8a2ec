/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_TESTS_STUDY_WORLD_H
#define LB_TESTS_STUDY_WORLD_H

#include "study/study.h"

/* A small data set on disk whose flux knows log g, and the spec to look at it with. */
enum { N_TRAIN = 600, N_VAL = 200, N_TEST = 150, PIXELS = 12 };

typedef struct world {
    const char *dir;
    double mh_most_train; /* richer training rows are made this poor; 9: none */
    bool no_val;
} world;

/* Writes train_0, val_0 and test_0. About a sixth of the rows lies outside the nine bins. */
world world_make(void);
world world_make_as(world w); /* dir is filled in */

/* The text of a spec; the caller frees it. */
char *world_spec_text(const char *teff_edges, const char *mh_edges, size_t minimum_train);
lb_spec *world_spec(const char *teff_edges, const char *mh_edges, size_t minimum_train);
lb_spec *world_nine(void); /* the nine bins, at least 5 rows each */

/* A study of "e90" on that data with those bins; @p err is the study's. */
void world_study_open(lb_study *s, lb_error *err);
void world_study_close(lb_study *s);

#endif
