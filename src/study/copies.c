/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/copies.h"

#include "core/memory.h"

#include <stdlib.h>

struct lb_copies {
    size_t levels;
    lb_exposure *seen; /* [levels], in place: their streams point into them */
    lb_stream *parts;  /* (3, levels) */
    lb_joined joined[3];
    lb_copies_side side[3]; /* training, validation, test */
};

static void side_open(lb_copies_side *s, const lb_side *of, const double *noise, size_t levels)
{
    s->n = of->n;
    s->target = lb_xcalloc(levels * s->n, sizeof *s->target);
    s->noise = lb_xcalloc(levels * s->n, sizeof *s->noise);
    s->level = lb_xcalloc(levels * s->n, sizeof *s->level);
    s->star = lb_xcalloc(levels * s->n, sizeof *s->star);
    for (size_t l = 0; l < levels; l++)
        for (size_t i = 0; i < s->n; i++) {
            const size_t row = l * s->n + i;
            s->target[row] = of->target[i];
            s->noise[row] = noise[l];
            s->level[row] = (int)l;
            s->star[row] = i;
        }
}

lb_copies *lb_copies_new(const lb_cohort *c, const double *noise, size_t levels,
                         lb_noise_seeds seeds, uint64_t step)
{
    const lb_side *sides[3] = {&c->train, &c->val, &c->test};
    lb_copies *out = lb_xcalloc(1, sizeof *out);
    out->levels = levels;
    out->seen = lb_xcalloc(levels, sizeof *out->seen);
    out->parts = lb_xcalloc(3 * levels, sizeof *out->parts);
    for (size_t l = 0; l < levels; l++) {
        const uint64_t add = l * step;
        lb_cohort_expose(
            c, noise[l],
            (lb_noise_seeds){seeds.train + add, seeds.validation + add, seeds.test + add},
            &out->seen[l]);
        out->parts[l] = out->seen[l].train.x;
        out->parts[levels + l] = out->seen[l].val.x;
        out->parts[2 * levels + l] = out->seen[l].test;
    }
    for (size_t k = 0; k < 3; k++) {
        out->joined[k] = (lb_joined){out->parts + k * levels, levels};
        side_open(&out->side[k], sides[k], noise, levels);
        out->side[k].x = lb_stream_joined(&out->joined[k]);
        out->side[k].one = out->joined[k].parts;
    }
    return out;
}

void lb_copies_free(lb_copies *c)
{
    if (!c)
        return;
    for (size_t k = 0; k < 3; k++) {
        free(c->side[k].target);
        free(c->side[k].noise);
        free(c->side[k].level);
        free(c->side[k].star);
    }
    free(c->parts);
    free(c->seen);
    free(c);
}

size_t lb_copies_levels(const lb_copies *c)
{
    return c->levels;
}

const lb_copies_side *lb_copies_train(const lb_copies *c)
{
    return &c->side[0];
}

const lb_copies_side *lb_copies_val(const lb_copies *c)
{
    return &c->side[1];
}

const lb_copies_side *lb_copies_test(const lb_copies *c)
{
    return &c->side[2];
}
