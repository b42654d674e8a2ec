/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "study/copies.h"
#include "study/world.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

static const double NOISE[] = {0.0, 0.5, 2.0};
enum { LEVELS = 3 };

static lb_cohort open_nine(bool no_val)
{
    const world w = world_make_as((world){.mh_most_train = 9.0, .no_val = no_val});
    lb_spec *spec = world_nine();
    lb_cohort c;
    lb_error err = {0};
    cr_assert(eq(int, lb_cohort_open(w.dir, "", spec, &c, &err), LB_OK), "%s", err.text);
    lb_spec_free(spec);
    return c;
}

static float *read_rows(const lb_stream *x, size_t first, size_t n)
{
    float *out = lb_xcalloc(n * x->cols, sizeof *out);
    lb_error err = {0};
    cr_assert(x->read(x->self, first, (lb_matf){out, n, x->cols, x->cols}, &err) == LB_OK, "%s",
              err.text);
    return out;
}

/* Rows of a level are those of the exposure with that level's seed, bit for bit. */
static void expect_level(const lb_cohort *c, const lb_copies_side *side, size_t set, size_t level,
                         lb_noise_seeds seeds)
{
    lb_exposure seen;
    lb_cohort_expose(c, NOISE[level], seeds, &seen);
    const lb_stream *streams[] = {&seen.train.x, &seen.val.x, &seen.test};
    float *here = read_rows(&side->x, level * side->n, side->n);
    float *there = read_rows(streams[set], 0, side->n);
    float *alone = read_rows(&side->one[level], 0, side->n);
    cr_expect(zero(int, memcmp(here, there, side->n * PIXELS * sizeof *here)));
    cr_expect(zero(int, memcmp(here, alone, side->n * PIXELS * sizeof *here)));
    free(here);
    free(there);
    free(alone);
}

static void expect_rows(const lb_cohort *c, uint64_t step)
{
    const lb_noise_seeds seeds = {100, 200, 300};
    lb_copies *copies = lb_copies_new(c, NOISE, LEVELS, seeds, step);
    const lb_copies_side *sides[] = {lb_copies_train(copies), lb_copies_val(copies),
                                     lb_copies_test(copies)};
    const lb_side *of[] = {&c->train, &c->val, &c->test};
    cr_expect(eq(sz, lb_copies_levels(copies), LEVELS));
    for (size_t set = 0; set < 3; set++) {
        cr_expect(eq(sz, sides[set]->n, of[set]->n));
        cr_expect(eq(sz, sides[set]->x.rows, LEVELS * of[set]->n));
        for (size_t l = 0; l < LEVELS; l++)
            expect_level(c, sides[set], set, l,
                         (lb_noise_seeds){100 + l * step, 200 + l * step, 300 + l * step});
        for (size_t row = 0; row < sides[set]->x.rows; row++) {
            const size_t l = row / of[set]->n, i = row % of[set]->n;
            cr_expect(eq(dbl, sides[set]->target[row], of[set]->target[i]));
            cr_expect(eq(dbl, sides[set]->noise[row], NOISE[l]));
            cr_expect(eq(int, sides[set]->level[row], (int)l));
            cr_expect(eq(sz, sides[set]->star[row], i));
        }
    }
    lb_copies_free(copies);
}

Test(copies, are_the_exposures_of_the_cohort_one_after_the_other)
{
    lb_cohort c = open_nine(false);
    expect_rows(&c, 0);
    expect_rows(&c, 1);
    lb_cohort_close(&c);
}

Test(copies, of_validation_rows_cut_from_the_training_set_keep_its_noise)
{
    lb_cohort c = open_nine(true);
    expect_rows(&c, 1);
    lb_cohort_close(&c);
}

Test(copies, of_a_star_share_their_noise_or_do_not_as_the_step_says)
{
    lb_cohort c = open_nine(false);
    static const double same[] = {0.5, 0.5};
    for (uint64_t step = 0; step < 2; step++) {
        lb_copies *copies = lb_copies_new(&c, same, 2, (lb_noise_seeds){1, 11, 21}, step);
        const lb_copies_side *train = lb_copies_train(copies);
        float *a = read_rows(&train->x, 0, train->n), *b = read_rows(&train->x, train->n, train->n);
        cr_expect(eq(int, memcmp(a, b, train->n * PIXELS * sizeof *a) == 0, step == 0));
        free(a);
        free(b);
        lb_copies_free(copies);
    }
    lb_copies_free(NULL);
    lb_cohort_close(&c);
}
