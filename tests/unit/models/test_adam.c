/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/adam.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

enum { N = 37 };

static double some_gradient(size_t i, int step)
{
    return sin(1.7 * (double)i + 0.3 * step) * pow(10.0, (double)(i % 7) - 4.0);
}

/* Algorithm 1 of the paper, line by line for one weight. */
Test(adam, follows_the_paper_step_by_step)
{
    const lb_adam_options o = {0.013, 0.87, 0.981, 1e-7};
    double w[N], expected[N], m[N] = {0.0}, v[N] = {0.0}, g[N];
    lb_adam *a = lb_adam_new(N, o);
    for (size_t i = 0; i < N; i++)
        w[i] = expected[i] = 0.1 * (double)i - 1.3;
    for (int t = 1; t <= 60; t++) {
        for (size_t i = 0; i < N; i++) {
            g[i] = some_gradient(i, t);
            m[i] = o.beta1 * m[i] + (1.0 - o.beta1) * g[i];
            v[i] = o.beta2 * v[i] + (1.0 - o.beta2) * g[i] * g[i];
            const double mhat = m[i] / (1.0 - pow(o.beta1, t));
            const double vhat = v[i] / (1.0 - pow(o.beta2, t));
            expected[i] -= o.rate * mhat / (sqrt(vhat) + o.epsilon);
        }
        lb_adam_step(a, g, w);
    }
    for (size_t i = 0; i < N; i++)
        cr_expect(epsilon_eq(dbl, w[i], expected[i], 1e-13), "weight %zu", i);
    lb_adam_free(a);
}

/* m = (1 - beta1) g and v = (1 - beta2) g^2 at first, so that the corrected ratio is the sign. */
Test(adam, first_step_is_as_long_as_the_rate_whatever_the_gradient)
{
    double w[3] = {0.0}, g[3] = {3e-3, -4e5, 0.2};
    lb_adam *a = lb_adam_new(3, LB_ADAM_DEFAULT);
    lb_adam_step(a, g, w);
    for (size_t i = 0; i < 3; i++)
        cr_expect(epsilon_eq(dbl, w[i], -copysign(1e-3, g[i]), 1e-8));
    lb_adam_free(a);
}

Test(adam, finds_the_bottom_of_a_bowl)
{
    const double bottom[2] = {2.17, -0.4}, width[2] = {0.3, 40.0};
    double w[2] = {0.0}, g[2];
    lb_adam_options o = LB_ADAM_DEFAULT;
    o.rate = 0.02;
    lb_adam *a = lb_adam_new(2, o);
    for (int t = 0; t < 4000; t++) {
        for (size_t i = 0; i < 2; i++)
            g[i] = (w[i] - bottom[i]) / width[i];
        lb_adam_step(a, g, w);
    }
    for (size_t i = 0; i < 2; i++)
        cr_expect(epsilon_eq(dbl, w[i], bottom[i], 1e-3));
    lb_adam_free(a);
}

Test(adam, a_weight_without_gradient_stays_and_a_nan_spoils_only_its_own)
{
    double w[N], g[N] = {0.0};
    lb_adam *a = lb_adam_new(N, LB_ADAM_DEFAULT);
    for (size_t i = 0; i < N; i++)
        w[i] = 0.37;
    g[5] = (double)NAN;
    g[30] = (double)INFINITY;
    for (int t = 0; t < 3; t++)
        lb_adam_step(a, g, w);
    for (size_t i = 0; i < N; i++) {
        if (i == 5 || i == 30)
            cr_expect(isnan(w[i]));
        else
            cr_expect(eq(dbl, w[i], 0.37));
    }
    lb_adam_free(a);
}

Test(adam, no_weights_are_no_trouble)
{
    lb_adam *a = lb_adam_new(0, LB_ADAM_DEFAULT);
    lb_adam_step(a, NULL, NULL);
    lb_adam_free(a);
    lb_adam_free(NULL);
}

Test(adam, says_which_option_is_wrong)
{
    const double bad[] = {0.0, -1.0, (double)NAN, (double)INFINITY},
                 beta[] = {-0.1, 1.0, (double)NAN};
    lb_error err = {0};
    cr_expect(eq(int, lb_adam_check(LB_ADAM_DEFAULT, &err), LB_OK));
    for (size_t i = 0; i < 4; i++) {
        lb_adam_options rate = LB_ADAM_DEFAULT, epsilon = LB_ADAM_DEFAULT;
        rate.rate = epsilon.epsilon = bad[i];
        cr_expect(eq(int, lb_adam_check(rate, NULL), LB_EINVAL));
        cr_expect(eq(int, lb_adam_check(epsilon, NULL), LB_EINVAL));
    }
    for (size_t i = 0; i < 3; i++) {
        lb_adam_options one = LB_ADAM_DEFAULT, two = LB_ADAM_DEFAULT;
        one.beta1 = two.beta2 = beta[i];
        cr_expect(eq(int, lb_adam_check(one, NULL), LB_EINVAL));
        cr_expect(eq(int, lb_adam_check(two, i ? NULL : &err), LB_EINVAL));
    }
    cr_expect(strstr(err.text, "beta2 is -0.1") != NULL, "%s", err.text);
}
