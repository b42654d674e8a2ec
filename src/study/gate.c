/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/gate.h"

#include "core/memory.h"
#include "models/folds.h"

#include <stdlib.h>

/* The columns first .. first + n - 1 of a matrix. */
static lb_mat columns_of(lb_mat m, size_t first, size_t n)
{
    return (lb_mat){m.data + first, m.rows, n, m.stride};
}

static void measure(lb_study *s, const lb_cohort *c, const lb_stream *x, const lb_window_set *set,
                    lb_window_options how, lb_mat out, size_t *bad)
{
    size_t n_bad = 0;
    if (!set)
        return;
    const lb_mat lines = columns_of(out, 0, set->n_features);
    if (lb_study_ok(s))
        lb_study_take(s, lb_windows_features_stream(set, how, lb_spectra_wave(c->split.test),
                                                    lb_spectra_medium(c->split.test), x, lines,
                                                    NULL, &n_bad, s->err));
    *bad += n_bad;
}

static void score(lb_study *s, const lb_pca *pca, const lb_stream *x, lb_mat out, size_t first)
{
    if (lb_study_ok(s))
        lb_study_take(s,
                      lb_pca_scores(pca, x, columns_of(out, first, pca->components.rows), s->err));
}

void lb_gate_inputs_with(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                         const lb_window_set *set, lb_window_options how, const lb_pca *pca,
                         lb_gate_inputs *out)
{
    *out = (lb_gate_inputs){0};
    if (!lb_study_ok(s))
        return;
    const size_t lines = set ? set->n_features : 0, n = lines + (pca ? pca->components.rows : 0);
    *out = (lb_gate_inputs){.n = n,
                            .name = lb_xcalloc(n, sizeof *out->name),
                            .train = lb_mat_new(c->train.n, n),
                            .val = lb_mat_new(c->val.n, n),
                            .test = lb_mat_new(c->test.n, n)};
    for (size_t j = 0; j < n; j++)
        out->name[j] =
            j < lines ? lb_xstrdup(set->features[j].name) : lb_xprintf("PCA%zu", j - lines + 1);
    lb_exposure seen;
    lb_cohort_expose(c, level, seeds, &seen);
    measure(s, c, &seen.train.x, set, how, out->train, &out->bad_continuum);
    measure(s, c, &seen.val.x, set, how, out->val, &out->bad_continuum);
    measure(s, c, &seen.test, set, how, out->test, &out->bad_continuum);
    if (pca) {
        score(s, pca, &seen.train.x, out->train, lines);
        score(s, pca, &seen.val.x, out->val, lines);
        score(s, pca, &seen.test, out->test, lines);
    }
    if (!lb_study_ok(s))
        lb_gate_inputs_free(out);
}

void lb_gate_inputs_make(lb_study *s, const lb_cohort *c, double level, lb_noise_seeds seeds,
                         const lb_window_set *set, size_t components, lb_gate_inputs *out)
{
    lb_pca *pca = NULL;
    *out = (lb_gate_inputs){0};
    if (components && lb_study_ok(s)) {
        lb_exposure seen;
        lb_cohort_expose(c, level, seeds, &seen);
        lb_study_take(s, lb_pca_fit_stream(&seen.train.x, components, &pca, s->err));
    }
    lb_gate_inputs_with(s, c, level, seeds, set, (lb_window_options){0}, pca, out);
    lb_pca_free(pca);
}

static lb_mat pick(lb_mat from, const size_t *columns, size_t n)
{
    lb_mat out = lb_mat_new(from.rows, n);
    for (size_t i = 0; i < from.rows; i++)
        for (size_t j = 0; j < n; j++)
            out.data[i * n + j] = from.data[i * from.stride + columns[j]];
    return out;
}

lb_gate_inputs lb_gate_inputs_pick(const lb_gate_inputs *in, const size_t *columns, size_t n)
{
    lb_gate_inputs out = {.n = n,
                          .name = lb_xcalloc(n, sizeof *out.name),
                          .train = pick(in->train, columns, n),
                          .val = pick(in->val, columns, n),
                          .test = pick(in->test, columns, n),
                          .bad_continuum = in->bad_continuum};
    for (size_t j = 0; j < n; j++)
        out.name[j] = lb_xstrdup(in->name[columns[j]]);
    return out;
}

void lb_gate_inputs_free(lb_gate_inputs *in)
{
    for (size_t j = 0; j < in->n; j++)
        free(in->name[j]);
    free(in->name);
    free(in->train.data);
    free(in->val.data);
    free(in->test.data);
    *in = (lb_gate_inputs){0};
}

static lb_mat probabilities(lb_study *s, const lb_logistic *m, lb_mat x, size_t classes)
{
    const lb_mat p = lb_mat_new(x.rows, classes);
    if (lb_study_ok(s))
        lb_study_take(s, lb_logistic_proba(m, lb_mat_const(x), p, s->err));
    return p;
}

void lb_gate_name(lb_study *s, const lb_gate_inputs *in, const lb_domains *d, lb_gate_naming o,
                  lb_named *out)
{
    *out = (lb_named){0};
    if (!lb_study_ok(s))
        return;
    int *fold = lb_xcalloc(in->train.rows, sizeof *fold);
    lb_study_take(s, lb_folds_make((lb_folds){.k = o.folds, .seed = o.seed, .class_of = d->train},
                                   in->train.rows, fold, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_logistic_fit_cv(lb_mat_const(in->train), d->train, d->n, o.C, fold,
                                            o.folds, true, &out->cv, s->err));
    free(fold);
    if (!lb_study_ok(s))
        return;
    out->classes = d->n;
    out->train = probabilities(s, out->cv->model, in->train, d->n);
    out->val = probabilities(s, out->cv->model, in->val, d->n);
    out->test = probabilities(s, out->cv->model, in->test, d->n);
    if (!lb_study_ok(s))
        lb_named_free(out);
}

void lb_named_free(lb_named *g)
{
    lb_logistic_cv_free(g->cv);
    free(g->train.data);
    free(g->val.data);
    free(g->test.data);
    *g = (lb_named){0};
}
