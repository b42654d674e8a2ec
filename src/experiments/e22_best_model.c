/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E22: which model should a survey use?
 *
 * Five models of this series, all for every star and without a true label in use, at every noise
 * level and signal to noise: one global Ridge, nine Ridge experts behind a gate that names the bin,
 * a Ridge whose weights vary with a guess of [M/H], the experts behind a gate trained on the final
 * error, and a global Ridge trained on noise in expectation. Validation rows choose everything,
 * also which model to use where; the test rows judge the choice, against what the spectra can tell.
 * Reads   spectra of the profile; templates/experiments/e22_best_model/spec.yaml
 * Writes  data/results/<profile>/e22_best_model.h5, figures e22_*
 */
#include "experiments/e22_best_model/e22.h"

#include "core/memory.h"
#include "core/text.h"
#include "models/expected_noise.h"
#include "study/gate.h"
#include "study/guess.h"
#include "study/routing.h"
#include "study/stack.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MLP, LINEAR, FORMS }; /* of the gate trained on the final error */
static const char *const form_keys[FORMS] = {"mlp", "linear"};
static const char *const form_names[FORMS] = {"hidden layer", "linear"};

/* Who trains on what, the same at every level. Nine bins and, if the training set has stars outside
 * them, a class for these that the global model serves: so every star has a class. */
typedef struct setting {
    lb_domains classes;
    size_t experts;   /* bins; column `experts` of any table of predictions is the global model */
    lb_held_out held; /* rows put aside for the gate trained on the final error */
    int *train_group, *val_group; /* 2 * class + (put aside) */
    size_t groups;
    bool *full, *without; /* (experts + 1, groups) rows of each model: all; all not put aside */
} setting;

/* What is fitted at one level, before it comes to predictions. */
typedef struct fit {
    lb_guess guess;    /* of [M/H] */
    lb_sweep *ridges;  /* the experts, then the global model */
    lb_mat yhat;       /* (known rows, experts + 1) what these say */
    lb_mat heard;      /* (rows put aside, experts + 1) the same of fits without these rows */
    lb_gate_inputs in; /* what the gates see */
    lb_named named;
    lb_learned learned[FORMS];
    lb_conditional *conditional;
} fit;

static void spend(cost *c, size_t parameters, size_t unknowns, size_t systems, size_t passes)
{
    c->parameters = parameters > c->parameters ? parameters : c->parameters;
    c->largest = unknowns;
    c->systems += systems;
    c->passes += passes;
}

/* --- who trains on what -------------------------------------------------------------------------
 */

/* Stars outside all bins get a class of their own. */
static void classify_all(lb_study *s, setting *x)
{
    const lb_cohort *c = &s->data;
    x->classes = lb_domains_bins(c);
    x->experts = x->classes.n;
    int *const of[] = {x->classes.train, x->classes.val, x->classes.test};
    const size_t rows[] = {c->train.n, c->val.n, c->test.n};
    if (c->n_train[c->outside] < lb_spec_size(s->spec, "bins.minimum_train"))
        return;
    x->classes.n++;
    for (size_t q = 0; q < 3; q++)
        for (size_t i = 0; i < rows[q]; i++)
            of[q][i] = of[q][i] < 0 ? (int)x->experts : of[q][i];
}

static void deal_rows(lb_study *s, setting *x)
{
    const lb_cohort *c = &s->data;
    const lb_spec *spec = s->spec;
    *x = (setting){0};
    classify_all(s, x);
    lb_hold_out(s, c, &x->classes, lb_spec_size(spec, "settings.held.folds"),
                lb_spec_size(spec, "settings.held.val_folds"),
                lb_spec_size(spec, "settings.held.seed"), &x->held);
    const size_t models = x->experts + 1;
    x->groups = 2 * models;
    x->train_group = lb_xcalloc(c->train.n, sizeof(int));
    x->val_group = lb_xcalloc(c->val.n, sizeof(int));
    x->full = lb_xcalloc(models * x->groups, sizeof(bool));
    x->without = lb_xcalloc(models * x->groups, sizeof(bool));
    for (size_t i = 0; i < c->train.n && lb_study_ok(s); i++) {
        const int own = x->classes.train[i] < 0 ? (int)x->experts : x->classes.train[i];
        x->train_group[i] = 2 * own + (x->held.gate.train[i] >= 0);
    }
    for (size_t i = 0; i < c->val.n; i++)
        x->val_group[i] = 2 * (x->classes.val[i] < 0 ? (int)x->experts : x->classes.val[i]);
    for (size_t m = 0; m < models; m++)
        for (size_t g = 0; g < x->groups; g++) {
            x->full[m * x->groups + g] = m == x->experts || g / 2 == m;
            x->without[m * x->groups + g] = x->full[m * x->groups + g] && g % 2 == 0;
        }
}

static void setting_free(setting *x)
{
    lb_domains_free(&x->classes);
    lb_held_out_free(&x->held);
    free(x->train_group);
    free(x->val_group);
    free(x->full);
    free(x->without);
}

static double *copied(lb_cvec x)
{
    double *out = lb_xcalloc(x.n, sizeof *out);
    memcpy(out, x.data, x.n * sizeof *out);
    return out;
}

static lb_cvec penalties(const lb_spec *spec)
{
    lb_cvec a;
    a.data = lb_spec_numbers(spec, "ridge.alphas", &a.n);
    return a;
}

/* --- global model and experts -------------------------------------------------------------------
 */

/* region: experts */
/* The global model and the nine experts from one pass, each penalty by validation rows. */
static void fit_ridges(lb_study *s, const setting *x, const level *l, const lb_gram *gram, fit *f)
{
    const lb_cohort *c = &s->data;
    lb_member members[LB_BINS_MAX + 1];
    const lb_labelled val = {l->seen.val.x, {c->val.target, c->val.n}, x->val_group};
    const lb_sweep_options options = {.groups = x->groups,
                                      .alphas = penalties(s->spec),
                                      .extend_decades =
                                          (int)lb_spec_size(s->spec, "ridge.extend_decades")};
    for (size_t m = 0; m <= x->experts; m++)
        members[m] = (lb_member){m < x->experts ? "expert" : "global", x->full + m * x->groups};
    if (lb_study_ok(s))
        lb_study_take(s, lb_sweep_fit(gram, &val, &l->known, members, x->experts + 1, options,
                                      &f->ridges, s->err));
    f->yhat = lb_mat_new(l->known.rows, x->experts + 1);
    for (size_t m = 0; m <= x->experts && lb_study_ok(s); m++) {
        const lb_cvec yhat = lb_sweep_get(f->ridges, m).yhat_chosen;
        for (size_t i = 0; i < yhat.n; i++)
            f->yhat.data[i * f->yhat.stride + m] = yhat.data[i];
    }
}
/* end region */

/* The same ten without the rows put aside, with the penalties chosen, and what they say of these
 * rows: models with one penalty are fitted together. */
static void hear(lb_study *s, const setting *x, const level *l, const lb_gram *gram, fit *f)
{
    enum { MOST = LB_BINS_MAX + 1 };
    lb_stream_rows rows = {l->seen.train.x, x->held.rows, x->held.n};
    const lb_stream aside = lb_stream_of_rows(&rows);
    lb_ridge *ridge[MOST] = {NULL};
    lb_mat column[MOST];
    const size_t n = x->experts + 1;
    f->heard = lb_mat_new(x->held.n, n);
    for (size_t m = 0; m < n; m++)
        column[m] = (lb_mat){f->heard.data + m, x->held.n, 1, n};
    bool *use = lb_xcalloc(n * x->groups, sizeof *use);
    for (size_t m = 0; m < n && lb_study_ok(s); m++) {
        const double alpha = lb_sweep_get(f->ridges, m).chosen.alpha;
        size_t member[MOST], k = 0;
        lb_ridge *together[MOST] = {NULL};
        for (size_t j = m; j < n && !ridge[m]; j++)
            if (lb_sweep_get(f->ridges, j).chosen.alpha == alpha)
                member[k++] = j;
        for (size_t j = 0; j < k; j++)
            memcpy(use + j * x->groups, x->without + member[j] * x->groups, x->groups);
        if (k)
            lb_study_take(s, lb_ridge_fit_many(gram, use, k, (lb_cvec){&alpha, 1},
                                               (lb_ridge_options){0}, together, s->err));
        for (size_t j = 0; j < k; j++)
            ridge[member[j]] = together[j];
    }
    if (lb_study_ok(s))
        lb_study_take(s,
                      lb_ridge_predict((const lb_ridge *const *)ridge, n, &aside, column, s->err));
    for (size_t m = 0; m < n; m++)
        lb_ridge_free(ridge[m]);
    free(use);
}

/* --- the gates ----------------------------------------------------------------------------------
 */

/* Two columns more: the guess of [M/H], of training rows out of fold, and its square, without which
 * a linear gate cannot name what lies at both ends, as the stars outside the bins do. */
static lb_mat with_guess(lb_mat old, lb_cvec guess)
{
    const lb_mat out = lb_mat_new(old.rows, old.cols + 2);
    for (size_t i = 0; i < old.rows; i++) {
        double *row = out.data + i * out.stride;
        memcpy(row, old.data + i * old.stride, old.cols * sizeof(double));
        row[old.cols] = guess.data[i];
        row[old.cols + 1] = guess.data[i] * guess.data[i];
    }
    free(old.data);
    return out;
}

/* region: features */
/* What the gates see of a star: lines (the eight windows of E18) and principal components of its
 * noisy spectrum, and the guess of its metallicity (E06). */
static void make_features(lb_study *s, const level *l, const lb_gram *gram, fit *f)
{
    lb_pca *pca = NULL;
    if (lb_study_ok(s))
        lb_study_take(s, lb_pca_fit(gram, NULL, lb_spec_size(s->spec, "settings.gate.components"),
                                    &pca, s->err));
    lb_gate_inputs_with(s, &s->data, l->noise, lb_noise_seeds_of(s->spec), &lb_windows_eight,
                        (lb_window_options){0}, pca, &f->in);
    lb_pca_free(pca);
    if (!lb_study_ok(s))
        return;
    f->in.name = lb_xrealloc(f->in.name, f->in.n + 2, sizeof *f->in.name);
    f->in.name[f->in.n++] = lb_xstrdup("guessed_mh");
    f->in.name[f->in.n++] = lb_xstrdup("guessed_mh_squared");
    f->in.train = with_guess(f->in.train, f->guess.train.yhat);
    f->in.val = with_guess(f->in.val, f->guess.val.yhat);
    f->in.test = with_guess(f->in.test, f->guess.test.yhat);
}
/* end region */

/* Validation rows, then test rows. */
static lb_mat stacked(lb_mat val, lb_mat test)
{
    const lb_mat out = lb_mat_new(val.rows + test.rows, val.cols);
    for (size_t i = 0; i < out.rows; i++) {
        const double *row =
            i < val.rows ? val.data + i * val.stride : test.data + (i - val.rows) * test.stride;
        memcpy(out.data + i * out.stride, row, val.cols * sizeof(double));
    }
    return out;
}

static double *mixed(lb_study *s, const fit *f, lb_cmat p)
{
    const lb_cmat yhat = {f->yhat.data, f->yhat.rows, p.cols, f->yhat.stride};
    double *out = lb_xcalloc(yhat.rows, sizeof *out);
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_soft((lb_experts){.yhat = yhat}, p, 0.0,
                                         (lb_vec){out, yhat.rows}, NULL, s->err));
    return out;
}

static lb_learn_plan plan_of(const lb_spec *spec, size_t form)
{
    return (lb_learn_plan){.hidden =
                               form == LINEAR ? 0 : lb_spec_size(spec, "settings.gate.hidden"),
                           .seed = lb_spec_size(spec, "settings.gate.seed"),
                           .rate = lb_spec_number(spec, "settings.gate.rate"),
                           .batch = lb_spec_size(spec, "settings.gate.batch"),
                           .epochs = lb_spec_size(spec, "settings.gate.epochs"),
                           .patience = lb_spec_size(spec, "settings.gate.patience"),
                           .max_epochs = lb_spec_size(spec, "settings.gate.max_epochs")};
}

/* region: gates */
/* Two gates before the same ten models. One names the class, from all training rows. The other is
 * trained on the final error, on rows whose predictions come from models that have not seen them;
 * then it serves before the models of all rows. Validation rows say which form it takes. */
static void fit_gates(lb_study *s, const setting *x, level *l, fit *f)
{
    const lb_cohort *c = &s->data;
    const lb_learn_plan plan[FORMS] = {plan_of(s->spec, MLP), plan_of(s->spec, LINEAR)};
    lb_gate_naming naming = {.folds = lb_spec_size(s->spec, "settings.naming.folds"),
                             .seed = lb_spec_size(s->spec, "settings.naming.seed")};
    naming.C.data = lb_spec_numbers(s->spec, "settings.naming.c", &naming.C.n);
    lb_gate_name(s, &f->in, &x->classes, naming, &f->named);
    if (!lb_study_ok(s))
        return;
    const lb_mat p = stacked(f->named.val, f->named.test), in = stacked(f->in.val, f->in.test);
    l->yhat[NINE] = mixed(s, f, lb_mat_const(p));

    const lb_learn_rows rows = {&x->held,
                                lb_mat_const(f->in.train),
                                lb_mat_const(in),
                                {f->heard.data, f->heard.rows, x->classes.n, f->heard.stride},
                                c->train.target};
    double *yhat[FORMS], r2[FORMS];
    lb_learn_gates(s, rows, plan, FORMS, f->learned);
    for (size_t k = 0; k < FORMS && lb_study_ok(s); k++) {
        yhat[k] = mixed(s, f, lb_mat_const(f->learned[k].weights));
        r2[k] = r2_of(c->val.target, yhat[k], NULL, 0, c->val.n);
    }
    if (lb_study_ok(s)) {
        l->form = r2[LINEAR] > r2[MLP] ? LINEAR : MLP;
        l->yhat[REGRESSION] = yhat[l->form];
        free(yhat[!l->form]);
    }
    free(p.data);
    free(in.data);
}
/* end region */

/* --- weights that vary --------------------------------------------------------------------------
 */

/* The guess on a few nodes: one Gram a node then does for three weighted ones, which cost a pass
 * each. */
static lb_vec on_nodes(const lb_study *s, lb_cvec guess)
{
    const size_t n = lb_spec_size(s->spec, "settings.conditional.nodes");
    const double lo = lb_spec_number(s->spec, "settings.conditional.lowest"),
                 hi = lb_spec_number(s->spec, "settings.conditional.highest");
    const lb_vec out = {lb_xcalloc(guess.n, sizeof(double)), guess.n};
    for (size_t i = 0; i < guess.n; i++) {
        const double step = (hi - lo) / (double)(n > 1 ? n - 1 : 1);
        const double at = fmin(fmax(guess.data[i], lo), hi);
        out.data[i] = n > 1 ? lo + step * round((at - lo) / step) : guess.data[i];
    }
    return out;
}

/* The guess of every known row. */
static lb_vec guess_of_known(const fit *f)
{
    const lb_cvec val = f->guess.val.yhat, test = f->guess.test.yhat;
    const lb_vec out = {lb_xcalloc(val.n + test.n, sizeof(double)), val.n + test.n};
    memcpy(out.data, val.data, val.n * sizeof(double));
    memcpy(out.data + val.n, test.data, test.n * sizeof(double));
    return out;
}

/* region: conditional */
/* [x, m x] with m the guess of [M/H], of training rows out of fold. */
static void fit_conditional(lb_study *s, level *l, fit *f)
{
    static const lb_monomial first_order[] = {{{0}}, {{1}}};
    static const lb_conditional_member member = {"[x, m x]",
                                                 .conditions = {first_order, 2, .plain = true}};
    const lb_conditional_options options = {.alphas = penalties(s->spec),
                                            .extend_decades =
                                                (int)lb_spec_size(s->spec, "ridge.extend_decades")};
    if (!lb_study_ok(s))
        return;
    const lb_vec guess = guess_of_known(f), m = on_nodes(s, f->guess.train.yhat),
                 m_known = on_nodes(s, lb_vec_const(guess));
    const lb_conditional_labelled train = {
        {l->seen.train.x, {m.data, m.n, 1, 1}}, l->seen.train.y, NULL};
    const lb_conditional_labelled val = {
        {l->seen.val.x, {m_known.data, l->seen.val.x.rows, 1, 1}}, l->seen.val.y, NULL};
    const lb_conditional_rows known = {l->known, {m_known.data, m_known.n, 1, 1}};
    lb_study_take(
        s, lb_conditional_run(&train, &val, &known, &member, 1, options, &f->conditional, s->err));
    if (lb_study_ok(s))
        l->yhat[CONDITIONAL] = copied(lb_conditional_get(f->conditional, 0).yhat_chosen);
    free(guess.data);
    free(m.data);
    free(m_known.data);
}
/* end region */

/* --- noise in expectation -----------------------------------------------------------------------
 */

/* region: expected */
/* One pass over the clean training spectra and one over their errors for all levels. */
static void fit_expected(lb_study *s, result *r)
{
    const lb_cohort *c = &s->data;
    const bool use = true;
    const lb_member member = {"expected noise", &use};
    const lb_sweep_options options = {.groups = 1,
                                      .alphas = penalties(s->spec),
                                      .extend_decades =
                                          (int)lb_spec_size(s->spec, "ridge.extend_decades")};
    lb_noise_level levels[MOST_LEVELS];
    lb_exposure clean;
    lb_cohort_errors errors;
    lb_expected_noise *fits = NULL;
    int *one = lb_xcalloc(c->train.n + c->val.n, sizeof *one); /* all rows in group 0 */
    lb_cohort_expose(c, 0.0, lb_noise_seeds_of(s->spec), &clean);
    lb_cohort_errors_of(c, &errors);
    clean.train.group = one;
    for (size_t i = 0; i < r->n_levels; i++) {
        levels[i] = (lb_noise_level){r->at[i].noise, r->at[i].seen.val, r->at[i].known};
        levels[i].val.group = one;
    }
    if (lb_study_ok(s))
        lb_study_take(s, lb_expected_noise_run(&clean.train, &errors.train, levels, r->n_levels,
                                               &member, 1, options, &fits, s->err));
    for (size_t i = 0; i < r->n_levels && lb_study_ok(s); i++) {
        const lb_sweep_model m = lb_expected_noise_get(fits, i, 0);
        r->at[i].yhat[EXPECTED] = copied(m.yhat_chosen);
        lb_study_put_alpha(s, &m, "noise_%.1f.alpha.expected", r->at[i].noise);
        spend(&r->spent[EXPECTED], clean.test.cols + 1, clean.test.cols, m.alphas.n, i ? 0 : 2);
    }
    lb_expected_noise_free(fits);
    free(one);
}
/* end region */

/* --- one noise level ----------------------------------------------------------------------------
 */

static void put_fit(lb_study *s, const setting *x, const level *l, const fit *f, result *r)
{
    const lb_cohort *c = &s->data;
    const double v = l->noise;
    char prefix[48];
    const lb_sweep_model global = lb_sweep_get(f->ridges, x->experts);
    lb_text experts = {0};
    for (size_t m = 0; m < x->experts; m++) {
        const lb_sweep_model e = lb_sweep_get(f->ridges, m);
        lb_text_printf(&experts, "%s%g%s", m ? ", " : "", e.chosen.alpha,
                       e.on_grid.edge < 0   ? "↓"
                       : e.on_grid.edge > 0 ? "↑"
                                            : "");
    }
    lb_study_put_text(s, experts.s, "noise_%.1f.alpha.experts", v);
    lb_text_free(&experts);
    lb_study_put_alpha(s, &global, "noise_%.1f.alpha.global", v);
    const lb_sweep_model conditional = lb_conditional_get(f->conditional, 0);
    lb_study_put_alpha(s, &conditional, "noise_%.1f.alpha.conditional", v);
    lb_study_put_alpha(s, &f->guess.penalty, "noise_%.1f.alpha.guess", v);

    const lb_entry guess = {"[M/H]", f->guess.test.yhat, false};
    lb_contest *t =
        lb_contest_planned(s, c, c->all, (lb_contest_plan){.target = c->test.mh}, &guess, 1);
    lb_study_put(s, lb_contest_r2(t, 0), "noise_%.1f.guess.r2", v);
    lb_study_put(s, lb_contest_rmse(t, 0), "noise_%.1f.guess.rmse", v);
    lb_contest_free(t);
    size_t right = 0, n = 0, of[LB_BINS_MAX + 1] = {0}, largest = 0;
    for (size_t i = 0; i < c->test.n; i++) {
        const double *p = f->named.test.data + i * f->named.test.stride;
        size_t called = 0;
        for (size_t k = 1; k < f->named.test.cols; k++)
            called = p[k] > p[called] ? k : called;
        if (x->classes.test[i] < 0)
            continue;
        n++;
        right += x->classes.test[i] == (int)called;
        of[x->classes.test[i]]++;
    }
    for (size_t k = 0; k < x->classes.n; k++)
        largest = of[k] > largest ? of[k] : largest;
    lb_number accuracy = lb_number_plain(100.0 * (double)right / (double)n, "percent", "%");
    accuracy.n = n;
    accuracy.digits = 1;
    lb_study_put(s, accuracy, "noise_%.1f.gate.accuracy", v);
    accuracy.value = 100.0 * (double)largest / (double)n;
    lb_study_put(s, accuracy, "noise_%.1f.gate.largest_class", v);
    snprintf(prefix, sizeof prefix, "noise_%.1f.gate.", v);
    for (size_t k = 0; k < FORMS; k++)
        lb_learned_put(s, &f->learned[k], prefix, form_keys[k]);
    lb_study_put_text(s, form_names[l->form], "noise_%.1f.gate.form", v);
    lb_study_put(s, lb_number_count(f->learned[l->form].epochs), "noise_%.1f.gate.epochs", v);
    lb_study_put(s, lb_number_count(f->learned[l->form].best), "noise_%.1f.gate.best_epoch", v);
    lb_study_put_text(s, f->learned[l->form].converged ? "yes" : "no", "noise_%.1f.gate.converged",
                      v);
    r->unfinished += !f->learned[l->form].converged;
}

/* What this level costs, each model counted as if it were built alone. A pass each: the Gram of the
 * spectra, that of the guess, the guesses out of fold, the features, and (of the rows put aside)
 * what the gate hears. */
static void count_cost(const lb_study *s, const setting *x, const level *l, const fit *f, result *r)
{
    const size_t p = l->known.cols, ridge = p + 1, models = x->experts + 1;
    const size_t guess =
        f->guess.penalty.alphas.n * (lb_spec_size(s->spec, "settings.guess.folds") + 1);
    const size_t inputs = f->in.n + 1, classes = x->classes.n;
    const size_t hidden = lb_spec_size(s->spec, "settings.gate.hidden");
    const size_t gate =
        l->form == MLP ? hidden * inputs + classes * (hidden + 1) : classes * inputs;
    const size_t of_global = lb_sweep_get(f->ridges, x->experts).alphas.n;
    const size_t of_conditional = lb_conditional_get(f->conditional, 0).alphas.n;
    size_t of_all = 0;
    for (size_t m = 0; m < models; m++)
        of_all += lb_sweep_get(f->ridges, m).alphas.n;
    spend(&r->spent[GLOBAL], ridge, p, of_global, 1);
    spend(&r->spent[NINE], (models + 1) * ridge + classes * inputs, p, of_all + guess, 4);
    spend(&r->spent[REGRESSION], (models + 1) * ridge + gate, p, of_all + guess + models, 5);
    spend(&r->spent[CONDITIONAL], 2 * p + 2 + ridge, 2 * p, of_conditional + guess, 3);
}

static void fit_level(lb_study *s, const setting *x, result *r, level *l)
{
    const lb_cohort *c = &s->data;
    const lb_noise_seeds seeds = lb_noise_seeds_of(s->spec);
    lb_gram *gram = NULL;
    fit f = {0};
    lb_guess_make(s, c, l->noise, seeds, (lb_by_row){c->train.mh, c->val.mh, c->test.mh},
                  lb_spec_size(s->spec, "settings.guess.folds"),
                  lb_spec_size(s->spec, "settings.guess.seed"), &f.guess);
    if (lb_study_ok(s))
        lb_study_take(s,
                      lb_gram_accumulate(&l->seen.train.x, l->seen.train.y, x->train_group,
                                         (lb_gram_options){.groups = x->groups, .keep_rows = true},
                                         &gram, s->err));
    fit_ridges(s, x, l, gram, &f);
    hear(s, x, l, gram, &f);
    make_features(s, l, gram, &f);
    lb_gram_free(gram);
    fit_gates(s, x, l, &f);
    fit_conditional(s, l, &f);
    if (lb_study_ok(s)) {
        l->yhat[GLOBAL] = copied(lb_sweep_get(f.ridges, x->experts).yhat_chosen);
        put_fit(s, x, l, &f, r);
        count_cost(s, x, l, &f, r);
    }
    lb_guess_free(&f.guess);
    lb_sweep_free(f.ridges);
    lb_gate_inputs_free(&f.in);
    lb_named_free(&f.named);
    for (size_t k = 0; k < FORMS; k++)
        lb_learned_free(&f.learned[k]);
    lb_conditional_free(f.conditional);
    free(f.yhat.data);
    free(f.heard.data);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void open_classes(lb_study *s, result *r)
{
    size_t n;
    const double *edge = lb_spec_numbers(s->spec, "settings.snr.edges", &n);
    if (n + 2 > MOST_CLASSES) {
        lb_study_take(s, LB_FAIL(s->err, LB_EINVAL, "settings.snr.edges: %zu, at most %d", n,
                                 MOST_CLASSES - 2));
        return;
    }
    r->n_classes = n + 2;
    for (size_t k = 0; k < r->n_classes; k++) {
        char *name = r->class_name[k];
        const size_t size = sizeof r->class_name[k];
        if (k == n + 1)
            snprintf(name, size, "no noise");
        else if (k == n)
            snprintf(name, size, "above %g", edge[n - 1]);
        else if (k == 0)
            snprintf(name, size, "up to %g", edge[0]);
        else
            snprintf(name, size, "%g to %g", edge[k - 1], edge[k]);
    }
}

static void open_levels(lb_study *s, result *r)
{
    const double *noise = lb_spec_numbers(s->spec, "noise.levels", &r->n_levels);
    const double focus = lb_spec_number(s->spec, "noise.focus");
    if (r->n_levels > MOST_LEVELS || r->n_levels < 2)
        lb_study_take(s, LB_FAIL(s->err, LB_EINVAL, "noise.levels: %zu, must be 2 to %d",
                                 r->n_levels, MOST_LEVELS));
    r->n_val = s->data.val.n;
    r->n_test = s->data.test.n;
    for (size_t i = 0; i < r->n_levels && lb_study_ok(s); i++) {
        level *l = &r->at[i];
        l->noise = noise[i];
        r->highest = noise[i] > noise[r->highest] ? i : r->highest;
        if (noise[i] > 0.0 && (noise[r->lowest] == 0.0 || noise[i] < noise[r->lowest]))
            r->lowest = i;
        r->reference = noise[i] == focus ? i : r->reference;
        lb_cohort_expose(&s->data, l->noise, lb_noise_seeds_of(s->spec), &l->seen);
        l->parts[0] = l->seen.val.x;
        l->parts[1] = l->seen.test;
        l->joined = (lb_joined){l->parts, 2};
        l->known = lb_stream_joined(&l->joined);
    }
}

static void result_free(result *r)
{
    for (size_t i = 0; i < r->n_levels; i++) {
        level *l = &r->at[i];
        for (size_t m = 0; m < ENTRIES; m++)
            free(l->yhat[m]);
        free(l->snr);
        free(l->classed);
        lb_limit_free(&l->limit);
    }
    free(r);
}

/* region: protocol */
static void run(lb_study *s)
{
    result *r = lb_xcalloc(1, sizeof *r); /* its exposures stay where they are */
    setting x;
    open_classes(s, r);
    open_levels(s, r);
    deal_rows(s, &x);
    for (size_t i = 0; i < r->n_levels && lb_study_ok(s); i++)
        fit_level(s, &x, r, &r->at[i]);
    fit_expected(s, r);
    for (size_t i = 0; i < r->n_levels && lb_study_ok(s); i++) {
        classify_snr(s, r, &r->at[i]);
        if (r->at[i].noise > 0.0)
            lb_limit_make(s, &s->data, r->at[i].noise, &r->at[i].limit);
    }
    if (lb_study_ok(s)) {
        check_snr(s, r);
        choose(s, r);
        score(s, r);
    }
    if (lb_study_ok(s)) {
        make_tables(s, r);
        draw_figures(s, r);
    }
    setting_free(&x);
    result_free(r);
}
/* end region */

int main(int argc, char **argv)
{
    const lb_experiment e = {"e22_best_model",
                             "Which of five deployable models is best at each noise level and "
                             "signal to noise, against what the spectra can tell at most.",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
