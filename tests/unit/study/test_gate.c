/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "data/toy.h"
#include "study/gate.h"
#include "study/routing.h"
#include "study/world.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct scene {
    lb_study s;
    lb_error err;
    lb_window line;
    lb_window_feature features[2];
    lb_window_set set;
} scene;

/* One window over pixels 3 .. 6, its continuum the pixel on either side. */
static void scene_open(scene *t)
{
    *t = (scene){0};
    world_study_open(&t->s, &t->err);
    const double *wave = lb_spectra_wave(t->s.data.split.test).data;
    t->line = (lb_window){"toy", wave[3], wave[7], wave[2], wave[3], wave[7], wave[8]};
    t->features[0] = (lb_window_feature){"depth_toy", LB_WINDOW_DEPTH, 0, 0};
    t->features[1] = (lb_window_feature){"mean_toy", LB_WINDOW_MEAN, 0, 0};
    t->set = (lb_window_set){&t->line, 1, t->features, 2};
}

static void scene_close(scene *t)
{
    world_study_close(&t->s);
}

static void expect_probabilities(lb_mat p)
{
    for (size_t i = 0; i < p.rows; i++) {
        double sum = 0.0;
        for (size_t k = 0; k < p.cols; k++)
            sum += p.data[i * p.stride + k];
        cr_assert(epsilon_eq(dbl, sum, 1.0, 1e-12));
    }
}

Test(gate_inputs, are_lines_and_principal_components_of_the_noisy_rows)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    lb_gate_inputs in;
    lb_gate_inputs_make(&t.s, c, 0.5, lb_noise_seeds_of(t.s.spec), &t.set, 2, &in);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(eq(sz, in.n, 4));
    cr_expect(eq(str, in.name[0], "depth_toy"));
    cr_expect(eq(str, in.name[3], "PCA2"));
    lb_exposure seen;
    lb_cohort_expose(c, 0.5, lb_noise_seeds_of(t.s.spec), &seen);
    float x[PIXELS];
    for (size_t i = 0; i < c->test.n; i++) {
        cr_assert(eq(int,
                     seen.test.read(seen.test.self, i, (lb_matf){x, 1, PIXELS, PIXELS}, &t.err),
                     LB_OK));
        const double mean = ((double)x[3] + (double)x[4] + (double)x[5] + (double)x[6]) / 4.0;
        cr_assert(epsilon_eq(dbl, in.test.data[i * in.test.stride + 1], mean, 1e-6));
    }
    double sum[2] = {0.0};
    for (size_t i = 0; i < c->train.n; i++)
        for (size_t j = 0; j < 2; j++)
            sum[j] += in.train.data[i * in.train.stride + 2 + j];
    cr_expect(lt(dbl, fabs(sum[0]) + fabs(sum[1]), 1e-6), "scores are about the training mean");
    lb_gate_inputs bare;
    lb_gate_inputs_make(&t.s, c, 0.5, lb_noise_seeds_of(t.s.spec), NULL, 2, &bare);
    cr_expect(eq(sz, bare.n, 2), "no windows, no lines");
    cr_expect(eq(dbl, bare.test.data[2 * 5 + 1], in.test.data[4 * 5 + 3]));
    lb_gate_inputs_free(&bare);
    const size_t columns[] = {3, 1};
    lb_gate_inputs some = lb_gate_inputs_pick(&in, columns, 2);
    cr_expect(eq(str, some.name[0], "PCA2"));
    cr_expect(eq(dbl, some.val.data[2 * 7], in.val.data[4 * 7 + 3]));
    lb_gate_inputs_free(&some);
    lb_gate_inputs_free(&in);
    scene_close(&t);
}

Test(gate_name, gives_every_row_a_probability_for_every_domain)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    lb_domains d = lb_domains_mh(c);
    lb_gate_inputs in;
    lb_named gate;
    const double C[] = {0.1, 1.0, 10.0};
    lb_gate_inputs_make(&t.s, c, 0.0, lb_noise_seeds_of(t.s.spec), &t.set, 2, &in);
    lb_gate_name(&t.s, &in, &d, (lb_gate_naming){{C, 3}, 5, 42}, &gate);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_expect(eq(sz, gate.classes, 3));
    cr_expect(eq(sz, gate.test.rows, c->test.n));
    cr_expect(eq(sz, gate.cv->model->n_rows,
                 lb_domains_count(d.train, c->train.n, 0) +
                     lb_domains_count(d.train, c->train.n, 1) +
                     lb_domains_count(d.train, c->train.n, 2)),
              "rows without an expert teach nothing");
    expect_probabilities(gate.train);
    expect_probabilities(gate.val);
    expect_probabilities(gate.test);
    lb_named_free(&gate);
    lb_gate_inputs_free(&in);
    lb_domains_free(&d);
    scene_close(&t);
}

Test(gate_inputs, a_window_outside_the_spectra_stops_the_study)
{
    scene t;
    scene_open(&t);
    t.line.hi = 20000.0;
    t.line.right_lo = 20000.0;
    t.line.right_hi = 20010.0;
    lb_gate_inputs in;
    lb_named gate;
    lb_domains d = lb_domains_mh(&t.s.data);
    lb_gate_inputs_make(&t.s, &t.s.data, 0.5, lb_noise_seeds_of(t.s.spec), &t.set, 2, &in);
    cr_expect(eq(int, t.s.status, LB_EINVAL));
    cr_expect(eq(sz, in.n, 0));
    lb_gate_name(&t.s, &in, &d, (lb_gate_naming){0}, &gate);
    cr_expect(eq(ptr, gate.cv, NULL), "nothing is fitted after a failure");
    lb_domains_free(&d);
    scene_close(&t);
}

Test(gate_inputs, other_measures_of_the_lines_and_given_components_are_taken)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    const lb_noise_seeds seeds = lb_noise_seeds_of(t.s.spec);
    lb_domains d = lb_domains_mh(c);
    lb_moe_rows *rows = lb_moe_gather(&t.s, c, 0.5, seeds, &d, 1);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    lb_pca *pca = NULL;
    cr_assert(eq(int, lb_pca_fit(lb_moe_rows_gram(rows), NULL, 2, &pca, &t.err), LB_OK));
    lb_gate_inputs plain, other;
    lb_gate_inputs_make(&t.s, c, 0.5, seeds, &t.set, 2, &plain);
    lb_gate_inputs_with(&t.s, c, 0.5, seeds, &t.set, (lb_window_options){.depth = LB_DEPTH_MEDIAN3},
                        pca, &other);
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    cr_assert(eq(sz, other.n, 4));
    size_t shallower = 0;
    for (size_t i = 0; i < c->test.n; i++) {
        const double *a = plain.test.data + i * plain.test.stride;
        const double *b = other.test.data + i * other.test.stride;
        cr_assert(eq(dbl, a[1], b[1]), "the mean of the core is the same");
        cr_assert(epsilon_eq(dbl, a[2], b[2], 1e-6), "the Gram has the components of the stream");
        cr_assert(epsilon_eq(dbl, a[3], b[3], 1e-6));
        shallower += b[0] < a[0];
    }
    cr_expect(gt(sz, shallower, c->test.n / 2), "a median of three is not as deep as its lowest");
    lb_gate_inputs_free(&plain);
    lb_gate_inputs_free(&other);
    lb_pca_free(pca);
    lb_moe_rows_free(rows);
    lb_domains_free(&d);
    scene_close(&t);
}

Test(gate_accuracy, goes_into_a_record_that_closes)
{
    scene t;
    scene_open(&t);
    const lb_cohort *c = &t.s.data;
    lb_domains d = lb_domains_mh(c);
    lb_gate_inputs in;
    lb_named gate;
    lb_error err = {0};
    const double C = 1.0;
    lb_gate_inputs_make(&t.s, c, 0.0, lb_noise_seeds_of(t.s.spec), &t.set, 2, &in);
    lb_gate_name(&t.s, &in, &d, (lb_gate_naming){{&C, 1}, 5, 42}, &gate);
    lb_confusion *m = lb_gate_confusion(&t.s, c, c->covered, &d, lb_mat_const(gate.test));
    lb_record_rowset(t.s.record, lb_rowset_name(c->covered), lb_rowset_hash(c->covered),
                     lb_rowset_size(c->covered));
    lb_gate_put_accuracy(&t.s, m, "gate");
    cr_assert(lb_study_ok(&t.s), "%s", t.err.text);
    char *path = in_dir(scratch_dir(), "e90.h5");
    cr_expect(eq(int, lb_record_close(t.s.record, path, &err), LB_OK), "%s", err.text);
    t.s.record = NULL;
    free(path);
    lb_confusion_free(m);
    lb_named_free(&gate);
    lb_gate_inputs_free(&in);
    lb_domains_free(&d);
    scene_close(&t);
}
