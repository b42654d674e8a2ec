/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"
#include "study/weights.h"
#include "study/world.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Test(weights, tell_a_sure_gate_from_an_even_one)
{
    const world w = world_make();
    lb_error err = {0};
    lb_study s = {.id = "e90", .profile = "toy", .spec = world_nine(), .err = &err};
    cr_assert(eq(int, lb_cohort_open(w.dir, "", s.spec, &s.data, &err), LB_OK), "%s", err.text);
    s.record = lb_record_new("e90", s.spec);
    const lb_cohort *c = &s.data;
    lb_domains d = lb_domains_mh(c);
    const size_t n = c->test.n, covered = lb_rowset_size(c->covered);
    double *p = lb_xcalloc(2 * n * d.n, sizeof *p), *even = p + n * d.n, count[3] = {0};
    for (size_t i = 0; i < n; i++) {
        p[i * d.n + (size_t)(d.test[i] < 0 ? 0 : d.test[i])] = 1.0;
        for (size_t j = 0; j < d.n; j++)
            even[i * d.n + j] = 1.0 / (double)d.n;
        if (d.test[i] >= 0)
            count[d.test[i]] += 1.0;
    }
    lb_weights sure, alike;
    lb_weights_look(&s, c, c->covered, &d, (lb_cmat){p, n, d.n, d.n}, "sure", &sure);
    lb_weights_look(&s, c, c->covered, &d, (lb_cmat){even, n, d.n, d.n}, "even", &alike);
    cr_assert(lb_study_ok(&s), "%s", err.text);
    cr_expect(eq(sz, sure.n, covered));
    for (size_t j = 0; j < d.n; j++) {
        cr_expect(epsilon_eq(dbl, sure.mean[j], count[j] / (double)covered, 1e-12),
                  "a gate that is right gives each expert the share of its rows");
        cr_expect(epsilon_eq(dbl, alike.mean[j], 1.0 / (double)d.n, 1e-12));
    }
    for (size_t i = 0; i < covered; i++) {
        cr_assert(eq(dbl, sure.entropy[i], 0.0));
        cr_assert(epsilon_eq(dbl, alike.entropy[i], 1.0, 1e-12));
    }
    lb_weights_free(&sure);
    lb_weights_free(&alike);
    even[d.n * lb_rowset_index(c->covered)[0]] += 0.5;
    lb_weights_look(&s, c, c->covered, &d, (lb_cmat){even, n, d.n, d.n}, "odd", &alike);
    cr_expect(eq(int, s.status, LB_EINVAL), "weights that do not sum to 1 are none");
    cr_expect(eq(ptr, alike.mean, NULL));
    free(p);
    lb_domains_free(&d);
    lb_record_abandon(s.record);
    lb_cohort_close(&s.data);
    lb_spec_free(s.spec);
}
