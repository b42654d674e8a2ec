/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/world.h"

#include "core/memory.h"
#include "data/shard.h"
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "data/toy.c" /* shards of the data tests: one copy of how to write them */

static void write_set(const world *w, const char *name, size_t rows, uint64_t seed)
{
    toy t = toy_new(rows, PIXELS, seed);
    const bool is_train = strcmp(name, "train_0") == 0;
    for (size_t i = 0; i < rows; i++) {
        double *label = t.labels + i * LB_SHARD_LABELS;
        if (i % 6 == 5)
            label[MH] = i % 12 == 5 ? -2.3 : 0.7;
        else if (is_train && label[MH] > w->mh_most_train)
            label[MH] = w->mh_most_train;
        for (size_t j = 0; j < PIXELS; j++)
            t.flux[i * PIXELS + j] += (float)(0.2 * label[LOGG] * (j % 3 == 0));
    }
    free(toy_write(&t, w->dir, name));
    toy_free(&t);
}

world world_make_as(world w)
{
    w.dir = scratch_dir();
    write_set(&w, "train_0", N_TRAIN, 1);
    if (!w.no_val)
        write_set(&w, "val_0", N_VAL, 2);
    write_set(&w, "test_0", N_TEST, 3);
    return w;
}

world world_make(void)
{
    return world_make_as((world){.mh_most_train = 9.0});
}

char *world_spec_text(const char *teff_edges, const char *mh_edges, size_t minimum_train)
{
    return lb_xprintf("experiment: e90\n"
                      "name: e90_toy\n"
                      "title: {en: Toy, zh: 玩具}\n"
                      "author: A. Uthor\n"
                      "date: 2026-11-21\n"
                      "question: {en: Does it help?, zh: 有用吗？}\n"
                      "protocol: {name: clean, label: log_g, edge_rule: code,\n"
                      "  split_seeds: {train: 42, validation: 43, test: 44}}\n"
                      "noise: {levels: [0.5], focus: 0.5}\n"
                      "bins: {teff_edges: [%s], mh_edges: [%s], minimum_train: %zu}\n"
                      "ridge: {alphas: [0.1, 1, 10], extend_decades: 2, standardise: false}\n"
                      "bootstrap: {resamples: 100, level: 0.95, seed: 7}\n"
                      "retention: {least_gain: 0.02, real: false}\n"
                      "thresholds: {valuable: 0.03}\n",
                      teff_edges, mh_edges, minimum_train);
}

lb_spec *world_spec(const char *teff_edges, const char *mh_edges, size_t minimum_train)
{
    char *text = world_spec_text(teff_edges, mh_edges, minimum_train);
    lb_spec *s = NULL;
    lb_error err = {0};
    cr_assert(lb_spec_parse(text, "spec.yaml", &s, &err) == LB_OK, "%s", err.text);
    free(text);
    return s;
}

lb_spec *world_nine(void)
{
    return world_spec("3750, 4500, 5250, 6000", "-2, -1, 0, 0.5", 5);
}

void world_study_open(lb_study *s, lb_error *err)
{
    const world w = world_make();
    *s = (lb_study){.id = "e90", .profile = "toy", .err = err, .spec = world_nine()};
    cr_assert(eq(int, lb_cohort_open(w.dir, "", s->spec, &s->data, err), LB_OK), "%s", err->text);
    s->record = lb_record_new("e90", s->spec);
}

void world_study_close(lb_study *s)
{
    lb_record_abandon(s->record);
    lb_cohort_close(&s->data);
    lb_published_free(s->published);
    lb_spec_free(s->spec);
}
