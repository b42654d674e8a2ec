/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/profile.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

Test(profile, the_default_is_the_protocol_of_the_programme)
{
    const lb_profile *p = lb_profile_find("standard", NULL);
    cr_assert(p != NULL);
    cr_expect(eq(sz, p->n_train, 32000));
    cr_expect(eq(sz, p->n_val, 1000));
    cr_expect(eq(sz, p->n_test, 1000));
    cr_expect(eq(sz, p->rebin, 1));
    cr_expect(eq(str, (char *)p->replication, "large"));
}

Test(profile, replications_exist_and_draw_from_other_streams)
{
    static const char *const names[] = {"quick", "quick_large", "standard", "large", "million"};
    unsigned seen = 0;
    for (int i = 0; i < 5; i++) {
        const lb_profile *p = lb_profile_find(names[i], NULL);
        cr_assert(p != NULL, "%s", names[i]);
        const unsigned bit = 1u << p->stream;
        cr_expect(eq(uint, seen & bit, 0u), "the stream of %s is taken", p->name);
        seen |= bit;
        if (p->replication) {
            const lb_profile *larger = lb_profile_find(p->replication, NULL);
            cr_assert(larger != NULL);
            cr_expect(larger->n_test > p->n_test && larger->rebin == p->rebin);
        }
    }
}

Test(profile, no_training_shard_has_more_than_200000_rows)
{
    cr_expect(eq(sz, lb_profile_find("million", NULL)->shards, 5));
    cr_expect(lb_profile_find("large", NULL)->n_train <= 200000);
}

Test(profile, a_million_rows_are_not_kept)
{
    cr_expect(lb_profile_is_streamed(lb_profile_find("million", NULL)));
    cr_expect(not(lb_profile_is_streamed(lb_profile_find("large", NULL))));
}

Test(profile, an_unknown_name_gets_the_nearest)
{
    lb_error err = {0};
    cr_expect(lb_profile_find("standart", &err) == NULL);
    cr_expect(eq(int, err.status, LB_ENAME));
    cr_expect(strstr(err.text, "did you mean 'standard'") != NULL, "%s", err.text);
}
