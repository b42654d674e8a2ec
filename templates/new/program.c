/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * @ID@: one question, in one line.
 *
 * What is compared with what, on which rows, and why. This start compares nine local Ridge models
 * with one global model at the reference noise; change it to your question.
 * Reads   spectra of the profile; templates/experiments/@name@/spec.yaml
 * Writes  data/results/<profile>/@name@.h5, figures @id@_*
 */
#include "core/memory.h"
#include "figure/plot.h"
#include "study/moe.h"
#include "study/study.h"

#include <math.h>
#include <stdlib.h>

enum { GLOBAL, MIXTURE };

static void table_scores(lb_study *s)
{
    static const lb_column columns[] = {{"Model", ""}, {"R²", ""}, {"95% CI", "ci"}};
    lb_record_table(s->record, "T@number@.1", 3, columns);
    lb_study_row(s, "T@number@.1", "=global|r2.global|r2.global");
    lb_study_row(s, "T@number@.1", "=mixture|r2.mixture|r2.mixture");
}

static void figure_scores(lb_study *s, const lb_number *global, const lb_number *mixture)
{
    const double y[] = {global->value, mixture->value};
    const double lo[] = {global->ci_lo, mixture->ci_lo}, hi[] = {global->ci_hi, mixture->ci_hi};
    const char *const names[] = {"global", "mixture"};
    char *stem = lb_study_figure(s, "F@number@.1");
    lb_figure *f = lb_figure_new(stem, 0, 0, "Global model and mixture on the same rows",
                                 "Two bars with the R2 of both models and bootstrap intervals.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, "model", names, 2);
    lb_axes_y(a, "R^{2} on the covered test rows", 0.0, NAN, LB_LINEAR);
    lb_plot_bars(a, (lb_bars){.y = y,
                              .lo = lo,
                              .hi = hi,
                              .n = 2,
                              .style = lb_style_role(LB_GLOBAL),
                              .format = "%.3f"});
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F@number@.1/r2", y, 2);
    free(stem);
}

static void run(lb_study *s)
{
    const lb_cohort *c = &s->data;
    lb_domains bins = lb_domains_bins(c);
    lb_moe moe;

    /* region: method */
    /* Models: both are fitted on the same training rows, their penalties chosen on validation. */
    lb_moe_fit(s, c, lb_spec_number(s->spec, "noise.focus"), lb_noise_seeds_of(s->spec), &bins, 1,
               &moe);

    /* Scores: both models on the rows that both can predict, from the same resamples. */
    const lb_entry entries[] = {[GLOBAL] = {"global", moe.global.yhat_chosen, false},
                                [MIXTURE] = {"mixture", moe.mixture[0], true}};
    lb_contest *t = lb_contest_on(s, c, c->covered, entries, 2);
    const lb_number global = lb_contest_r2(t, GLOBAL), mixture = lb_contest_r2(t, MIXTURE);
    lb_study_put(s, global, "r2.global");
    lb_study_put(s, mixture, "r2.mixture");
    lb_study_put(s, lb_contest_delta(t, MIXTURE, GLOBAL), "delta_r2");
    /* end region */

    if (lb_study_ok(s)) {
        table_scores(s);
        figure_scores(s, &global, &mixture);
    }
    lb_contest_free(t);
    lb_moe_free(&moe);
    lb_domains_free(&bins);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"@name@", "One sentence for --help.", run, false};
    return lb_study_main(argc, argv, &e);
}
