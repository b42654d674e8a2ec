/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E15: neural experts behind a frozen gate.
 *
 * Is a linear expert the bottleneck? Three perceptrons on open-ended [M/H] cells, mixed softly by
 * the frozen gate of E13, against one perceptron on all rows and against Ridge experts behind the
 * same gate; then mixtures that learn gate and experts together.
 * Reads   spectra of the profile; templates/experiments/e15_nn_moe/spec.yaml
 * Writes  data/results/<profile>/e15_nn_moe.h5, figures e15_*
 */
#include "core/memory.h"
#include "figure/plot.h"
#include "models/folds.h"
#include "models/mlp.h"
#include "models/nn_mixture.h"
#include "stats/quantile.h"
#include "study/by_bin.h"
#include "study/gate.h"
#include "study/routing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 3, NETS = CELLS + 1, GLOBAL = CELLS }; /* experts 0 .. 2, then the global network */
static const char *const cell_key[NETS] = {"low", "mid", "high", "global"};
static const char *const cell_name[CELLS] = {"metal-poor", "intermediate", "metal-rich"};

/* Networks of one shape: three experts, and one on all rows. */
enum { BASE, DEPTH1, DEPTH3, MATCHED, FAMILIES };
typedef struct family {
    const char *key, *name;
    size_t hidden[LB_MLP_HIDDEN_MAX], n_hidden;
    size_t epochs;
    bool no_global;
    lb_mlp *net[NETS];
    double *yhat[NETS]; /* [test rows] of each network */
    double *oracle;     /* the expert of the true cell */
    lb_vec soft;        /* mixed by the gate */
} family;

/* Mixtures that learn together with their gate. */
enum { MOST_JOINT = 8 };
typedef struct joint {
    char key[32], name[48];
    bool oracle; /* the gate is told the true labels */
    double balance;
    lb_nn_mixture *fit;
    lb_vec yhat;
    lb_mat weights; /* (test rows, CELLS) */
} joint;

typedef struct setup {
    const lb_cohort *c;
    double level;
    lb_domains cells;
    float *train, *test; /* noisy spectra, all rows */
    size_t p;
    size_t *fit, n_fit, *stop, n_stop; /* training rows to learn from and to stop on */
    size_t *cell_fit[CELLS], n_cell_fit[CELLS], *cell_stop[CELLS], n_cell_stop[CELLS];
    lb_gate_inputs inputs;
    lb_named gate;
    lb_mat told_train, told_test; /* gate inputs with true labels */
    family family[FAMILIES];
    joint joint[MOST_JOINT];
    size_t n_joint, best_joint; /* deployable mixture of the lowest loss on the rows to stop on */
    lb_moe ridge;
    lb_vec ridge_soft;
    lb_rowset *subset[CELLS];
} setup;

/* --- rows ---------------------------------------------------------------------------------------
 */

static void split_cells(setup *u, const size_t *rows, size_t n, size_t **out, size_t *count)
{
    for (size_t k = 0; k < CELLS; k++) {
        out[k] = lb_xcalloc(n + 1, sizeof **out);
        for (size_t i = 0; i < n; i++)
            if (u->cells.train[rows[i]] == (int)k)
                out[k][count[k]++] = rows[i];
    }
}

/* One tenth of the training rows, stratified by cell, is for early stopping. */
static void split_rows(lb_study *s, setup *u)
{
    const size_t n = u->c->train.n, folds = lb_spec_size(s->spec, "settings.stop_folds");
    int *fold = lb_xcalloc(n, sizeof *fold);
    u->fit = lb_xcalloc(n + 1, sizeof *u->fit);
    u->stop = lb_xcalloc(n + 1, sizeof *u->stop);
    if (lb_study_ok(s))
        lb_study_take(s, lb_folds_make((lb_folds){folds, lb_spec_size(s->spec, "settings.seed"),
                                                  NULL, u->cells.train},
                                       n, fold, s->err));
    for (size_t i = 0; i < n && lb_study_ok(s); i++) {
        if (fold[i] == 0)
            u->stop[u->n_stop++] = i;
        else
            u->fit[u->n_fit++] = i;
    }
    split_cells(u, u->fit, u->n_fit, u->cell_fit, u->n_cell_fit);
    split_cells(u, u->stop, u->n_stop, u->cell_stop, u->n_cell_stop);
    free(fold);
}

static float *read_all(lb_study *s, const lb_stream *x)
{
    float *out = lb_xaligned(x->rows * x->cols, sizeof *out);
    if (lb_study_ok(s))
        lb_study_take(s, x->read(x->self, 0, (lb_matf){out, x->rows, x->cols, x->cols}, s->err));
    return out;
}

static void make_subsets(setup *u)
{
    bool *keep = lb_xcalloc(u->c->test.n, sizeof *keep);
    for (size_t k = 0; k < CELLS; k++) {
        char *name = lb_xprintf("test rows, %s cell", cell_name[k]);
        for (size_t i = 0; i < u->c->test.n; i++)
            keep[i] = u->cells.test[i] == (int)k;
        u->subset[k] = lb_rowset_where(u->c->all, name, keep);
        free(name);
    }
    free(keep);
}

/* True temperature, metallicity and signal to noise, mean and variance of the flux, two principal
 * components: what the plan of the source gives the gate. An oracle. */
enum { TOLD = 7 };
static void tell(const lb_side *side, const double *snr, double level, const float *x, size_t p,
                 lb_mat scores, lb_mat out)
{
    for (size_t i = 0; i < side->n; i++) {
        double mean = 0.0, square = 0.0;
        for (size_t j = 0; j < p; j++) {
            mean += x[i * p + j] / (double)p;
            square += (double)x[i * p + j] * x[i * p + j] / (double)p;
        }
        const double *pca = scores.data + i * scores.stride + scores.cols - 2;
        const double row[TOLD] = {side->teff[i],        side->mh[i], snr[i] / level, mean,
                                  square - mean * mean, pca[0],      pca[1]};
        memcpy(out.data + i * TOLD, row, sizeof row);
    }
}

static void tell_all(lb_study *s, setup *u)
{
    lb_cohort_snr snr = {0};
    u->told_train = lb_mat_new(u->c->train.n, TOLD);
    u->told_test = lb_mat_new(u->c->test.n, TOLD);
    if (lb_study_ok(s))
        lb_study_take(s, lb_cohort_snr_of(u->c, &snr, s->err));
    if (lb_study_ok(s)) {
        tell(&u->c->train, snr.norm_train, u->level, u->train, u->p, u->inputs.train,
             u->told_train);
        tell(&u->c->test, snr.norm_test, u->level, u->test, u->p, u->inputs.test, u->told_test);
    }
    lb_cohort_snr_free(&snr);
}

/* Spectra, cells, the frozen gate, and Ridge experts on the same cells. */
static void prepare(lb_study *s, setup *u)
{
    const lb_cohort *c = u->c = &s->data;
    const lb_noise_seeds seeds = lb_noise_seeds_of(s->spec);
    const double *C, *edges;
    size_t n_C, n_edges;
    lb_exposure seen;
    u->level = lb_spec_number(s->spec, "noise.focus");
    u->p = lb_spectra_pixels(c->test.spectra);
    C = lb_spec_numbers(s->spec, "settings.gate_C", &n_C);
    edges = lb_spec_numbers(s->spec, "settings.mh_cells", &n_edges);
    u->cells = lb_domains_intervals(
        c, "[M/H] cells", (lb_by_row){c->train.mh, c->val.mh, c->test.mh}, edges, CELLS, true);
    split_rows(s, u);
    make_subsets(u);
    lb_gate_inputs_make(s, c, u->level, seeds, &lb_windows_four,
                        lb_spec_size(s->spec, "settings.components"), &u->inputs);
    lb_gate_name(s, &u->inputs, &u->cells,
                 (lb_gate_naming){{C, n_C},
                                  lb_spec_size(s->spec, "settings.gate_folds"),
                                  lb_spec_size(s->spec, "settings.seed")},
                 &u->gate);
    lb_moe_fit(s, c, u->level, seeds, &u->cells, 1, &u->ridge);
    lb_cohort_expose(c, u->level, seeds, &seen);
    u->train = read_all(s, &seen.train.x);
    u->test = read_all(s, &seen.test);
    if (lb_study_ok(s))
        tell_all(s, u);
}

/* --- networks -----------------------------------------------------------------------------------
 */

static lb_mlp_options options_of(const lb_study *s, const family *f)
{
    lb_mlp_options o = LB_MLP_DEFAULT;
    memcpy(o.hidden, f->hidden, sizeof o.hidden);
    o.n_hidden = f->n_hidden;
    o.dropout = lb_spec_number(s->spec, "settings.dropout");
    o.adam.rate = lb_spec_number(s->spec, "settings.rate");
    o.training = (lb_training_options){lb_spec_size(s->spec, "settings.batch"), f->epochs,
                                       lb_spec_size(s->spec, "settings.patience"),
                                       lb_spec_size(s->spec, "settings.seed")};
    return o;
}

/* Width of two hidden layers at which three experts have as many weights as one global network. */
static size_t matched_width(const lb_study *s, size_t p, const family *base)
{
    const lb_mlp_options whole = options_of(s, base);
    const size_t most = lb_mlp_weights(p, &whole);
    lb_mlp_options o = whole;
    for (o.hidden[0] = o.hidden[1] = 1; CELLS * lb_mlp_weights(p, &o) <= most; o.hidden[1]++)
        o.hidden[0]++;
    return o.hidden[0] > 1 ? o.hidden[0] - 1 : 1;
}

static void shape_families(const lb_study *s, setup *u)
{
    const size_t width = lb_spec_size(s->spec, "settings.width");
    const size_t full = lb_spec_size(s->spec, "settings.epochs");
    const size_t brief = lb_spec_size(s->spec, "settings.ablation_epochs");
    u->family[BASE] = (family){.key = "base",
                               .name = "two layers",
                               .hidden = {width, width},
                               .n_hidden = 2,
                               .epochs = full};
    u->family[DEPTH1] = (family){
        .key = "depth1", .name = "one layer", .hidden = {width}, .n_hidden = 1, .epochs = brief};
    u->family[DEPTH3] = (family){.key = "depth3",
                                 .name = "three layers",
                                 .hidden = {width, width, width},
                                 .n_hidden = 3,
                                 .epochs = brief};
    const size_t narrow = matched_width(s, u->p, &u->family[BASE]);
    u->family[MATCHED] = (family){.key = "matched",
                                  .name = "matched parameters",
                                  .hidden = {narrow, narrow},
                                  .n_hidden = 2,
                                  .epochs = full,
                                  .no_global = true};
}

/* region: protocol */
/* An expert is a perceptron that was given the rows of its cell, the global network one that was
 * given all; both stop on rows put aside, and keep the weights of their best epoch. */
static void fit_networks(lb_study *s, setup *u)
{
    lb_mlp_task task[FAMILIES * NETS];
    lb_mlp *net[FAMILIES * NETS] = {NULL}, **where[FAMILIES * NETS];
    const size_t rows = u->c->train.n;
    size_t n = 0;
    for (size_t f = 0; f < FAMILIES; f++) {
        for (size_t k = 0; k < NETS; k++) {
            const bool all = k == GLOBAL;
            if (all && u->family[f].no_global)
                continue;
            task[n].data = (lb_training_rows){.x = {.matrix = {u->train, rows, u->p, u->p}},
                                              .y = {u->c->train.target, rows},
                                              .train = all ? u->fit : u->cell_fit[k],
                                              .n_train = all ? u->n_fit : u->n_cell_fit[k],
                                              .val = all ? u->stop : u->cell_stop[k],
                                              .n_val = all ? u->n_stop : u->n_cell_stop[k]};
            task[n].options = options_of(s, &u->family[f]);
            where[n++] = &u->family[f].net[k];
        }
    }
    if (lb_study_ok(s))
        lb_study_take(s, lb_mlp_fit(task, n, net, s->err));
    for (size_t i = 0; i < n; i++)
        *where[i] = net[i];
}
/* end region */

static void predict_family(lb_study *s, setup *u, family *f)
{
    const size_t n = u->c->test.n;
    const lb_source x = {.matrix = {u->test, n, u->p, u->p}};
    double *table = lb_xcalloc(n * CELLS, sizeof *table);
    lb_mixture_use use;
    for (size_t k = 0; k < NETS; k++) {
        f->yhat[k] = lb_xcalloc(n, sizeof(double));
        if (f->net[k] && lb_study_ok(s))
            lb_study_take(s, lb_mlp_predict(f->net[k], x, NULL, (lb_vec){f->yhat[k], n}, s->err));
        for (size_t i = 0; k < CELLS && i < n; i++)
            table[i * CELLS + k] = f->yhat[k][i];
    }
    const lb_experts e = {.yhat = {table, n, CELLS, CELLS}};
    f->oracle = lb_xcalloc(n, sizeof *f->oracle);
    f->soft = lb_vec_new(n);
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_given(e, u->cells.test, (lb_vec){f->oracle, n}, &use, s->err));
    if (lb_study_ok(s))
        lb_study_take(s,
                      lb_mixture_soft(e, lb_mat_const(u->gate.test), 0.0, f->soft, &use, s->err));
    free(table);
}

static void mix_ridge(lb_study *s, setup *u)
{
    const size_t n = u->c->test.n;
    lb_mixture_use use;
    u->ridge_soft = lb_vec_new(n);
    if (lb_study_ok(s))
        lb_study_take(s, lb_mixture_soft((lb_experts){.yhat = lb_mat_const(u->ridge.yhat[0])},
                                         lb_mat_const(u->gate.test), 0.0, u->ridge_soft, &use,
                                         s->err));
}

/* --- mixtures that learn together ---------------------------------------------------------------
 */

static void plan_joint(const lb_study *s, setup *u)
{
    size_t n;
    const double *balance = lb_spec_numbers(s->spec, "settings.balance", &n);
    for (size_t i = 0; i < n && u->n_joint + 1 < MOST_JOINT; i++) {
        joint *j = &u->joint[u->n_joint++];
        j->balance = balance[i];
        snprintf(j->key, sizeof j->key, "window_%zu", i);
        snprintf(j->name, sizeof j->name, "window features, λ = %g", balance[i]);
    }
    joint *told = &u->joint[u->n_joint++];
    *told = (joint){.key = "told", .name = "true labels, λ = 0", .oracle = true};
}

static void fit_joint(lb_study *s, setup *u)
{
    const size_t rows = u->c->train.n, n = u->c->test.n;
    lb_nn_mixture_task task[MOST_JOINT];
    lb_nn_mixture *fit[MOST_JOINT] = {NULL};
    family shape = {.epochs = lb_spec_size(s->spec, "settings.joint_epochs"), .n_hidden = 2};
    shape.hidden[0] = shape.hidden[1] = lb_spec_size(s->spec, "settings.joint_width");
    for (size_t i = 0; i < u->n_joint; i++) {
        const joint *j = &u->joint[i];
        task[i].data = (lb_training_rows){.x = {.matrix = {u->train, rows, u->p, u->p}},
                                          .y = {u->c->train.target, rows},
                                          .train = u->fit,
                                          .n_train = u->n_fit,
                                          .val = u->stop,
                                          .n_val = u->n_stop};
        task[i].gate = lb_mat_const(j->oracle ? u->told_train : u->inputs.train);
        task[i].options = LB_NN_MIXTURE_DEFAULT;
        task[i].options.experts = CELLS;
        task[i].options.expert = options_of(s, &shape);
        task[i].options.balance = j->balance;
    }
    if (lb_study_ok(s))
        lb_study_take(s, lb_nn_mixture_fit(task, u->n_joint, fit, s->err));
    for (size_t i = 0; i < u->n_joint; i++) {
        joint *j = &u->joint[i];
        j->fit = fit[i];
        j->yhat = lb_vec_new(n);
        j->weights = lb_mat_new(n, CELLS);
        if (lb_study_ok(s))
            lb_study_take(s,
                          lb_nn_mixture_predict(
                              j->fit, (lb_source){.matrix = {u->test, n, u->p, u->p}},
                              lb_mat_const(j->oracle ? u->told_test : u->inputs.test), NULL,
                              (lb_nn_prediction){.yhat = j->yhat, .weights = j->weights}, s->err));
        if (lb_study_ok(s) && !j->oracle &&
            lb_nn_mixture_training(j->fit)->best_loss <
                lb_nn_mixture_training(u->joint[u->best_joint].fit)->best_loss)
            u->best_joint = i;
    }
}

/* --- the record: who scored what ----------------------------------------------------------------
 */

/* Entries of the one contest on all test rows. */
enum {
    M_GLOBAL,
    M_ORACLE,
    M_SOFT,
    M_RIDGE_GLOBAL,
    M_RIDGE_ORACLE,
    M_RIDGE_SOFT,
    M_D1_GLOBAL,
    M_D1_SOFT,
    M_D3_GLOBAL,
    M_D3_SOFT,
    M_MATCHED_SOFT,
    M_JOINT,
    MOST_MODELS = M_JOINT + MOST_JOINT
};
static const struct {
    const char *key, *name;
} models[M_JOINT] = {{"global", "global network"},
                     {"oracle", "three networks, true cell"},
                     {"moe_soft", "three networks, frozen gate"},
                     {"ridge_global", "global Ridge"},
                     {"ridge_oracle", "three Ridge, true cell"},
                     {"ridge_soft", "three Ridge, frozen gate"},
                     {"depth1_global", "one layer, global"},
                     {"depth1_soft", "one layer, frozen gate"},
                     {"depth3_global", "three layers, global"},
                     {"depth3_soft", "three layers, frozen gate"},
                     {"matched_soft", "matched parameters, frozen gate"}};

static size_t entries_of(const setup *u, lb_entry e[MOST_MODELS])
{
    const size_t n = u->c->test.n;
    const family *f = u->family;
    e[M_GLOBAL] = (lb_entry){models[M_GLOBAL].name, {f[BASE].yhat[GLOBAL], n}, false};
    e[M_ORACLE] = (lb_entry){models[M_ORACLE].name, {f[BASE].oracle, n}, true};
    e[M_SOFT] = (lb_entry){models[M_SOFT].name, lb_vec_const(f[BASE].soft), false};
    e[M_RIDGE_GLOBAL] = (lb_entry){models[M_RIDGE_GLOBAL].name, u->ridge.global.yhat_chosen, false};
    e[M_RIDGE_ORACLE] = (lb_entry){models[M_RIDGE_ORACLE].name, u->ridge.mixture[0], true};
    e[M_RIDGE_SOFT] = (lb_entry){models[M_RIDGE_SOFT].name, lb_vec_const(u->ridge_soft), false};
    e[M_D1_GLOBAL] = (lb_entry){models[M_D1_GLOBAL].name, {f[DEPTH1].yhat[GLOBAL], n}, false};
    e[M_D1_SOFT] = (lb_entry){models[M_D1_SOFT].name, lb_vec_const(f[DEPTH1].soft), false};
    e[M_D3_GLOBAL] = (lb_entry){models[M_D3_GLOBAL].name, {f[DEPTH3].yhat[GLOBAL], n}, false};
    e[M_D3_SOFT] = (lb_entry){models[M_D3_SOFT].name, lb_vec_const(f[DEPTH3].soft), false};
    e[M_MATCHED_SOFT] =
        (lb_entry){models[M_MATCHED_SOFT].name, lb_vec_const(f[MATCHED].soft), false};
    for (size_t i = 0; i < u->n_joint; i++)
        e[M_JOINT + i] =
            (lb_entry){u->joint[i].name, lb_vec_const(u->joint[i].yhat), u->joint[i].oracle};
    return M_JOINT + u->n_joint;
}

static void put_model(lb_study *s, const lb_contest *t, size_t m, const char *key)
{
    lb_study_put(s, lb_contest_r2(t, m), "r2.%s", key);
    lb_study_put(s, lb_contest_mae(t, m), "mae.%s", key);
    lb_study_put(s, lb_contest_rmse(t, m), "rmse.%s", key);
}

/* A number a verdict hangs on: withheld when a network of the base was not trained well enough to
 * be judged. */
static void put_judged(lb_study *s, bool withheld, lb_number x, const char *key)
{
    lb_study_put(s, withheld ? lb_number_na(x.kind, "withheld (undertrained)") : x, "judged.%s",
                 key);
}

/* Whether training ended because the loss had stopped falling: all of patience has passed since the
 * best epoch. Otherwise the budget of epochs ended it. */
static bool finished(const lb_study *s, const lb_training *t)
{
    return t->epochs >= t->best_epoch + lb_spec_size(s->spec, "settings.patience");
}

static lb_number put_training(lb_study *s, const lb_training *t, size_t n_train, size_t n_val,
                              const char *key, bool *undertrained)
{
    lb_number loss = lb_number_plain(t->best_loss, "mse", "dex2");
    lb_number variance = lb_number_plain(t->val_variance, "variance", "dex2");
    loss.digits = variance.digits = 3;
    lb_study_put(s, lb_number_count(n_train), "train.%s.n_train", key);
    lb_study_put(s, lb_number_count(n_val), "train.%s.n_val", key);
    lb_study_put(s, lb_number_count(t->best_epoch), "train.%s.best_epoch", key);
    lb_study_put(s, lb_number_count(t->epochs), "train.%s.epochs", key);
    lb_study_put(s, loss, "train.%s.val_loss", key);
    lb_study_put(s, variance, "train.%s.val_variance", key);
    lb_study_put_text(s,
                      t->undertrained  ? "UNDERTRAINED"
                      : t->at_limit    ? "at the limit"
                      : finished(s, t) ? "converged"
                                       : "cut by the budget",
                      "train.%s.state", key);
    *undertrained |= t->undertrained;
    return loss;
}

/* @return true when a network that a verdict hangs on is undertrained */
static bool put_trainings(lb_study *s, const setup *u)
{
    bool withheld = false, other = false;
    char key[48];
    for (size_t f = 0; f < FAMILIES; f++)
        for (size_t k = 0; k < NETS; k++) {
            if (!u->family[f].net[k])
                continue;
            const bool all = k == GLOBAL;
            snprintf(key, sizeof key, "%s%s%s", f == BASE ? "" : u->family[f].key,
                     f == BASE ? "" : ".", all ? "global" : (char[2]){(char)('0' + k), '\0'});
            put_training(s, lb_mlp_training(u->family[f].net[k]), all ? u->n_fit : u->n_cell_fit[k],
                         all ? u->n_stop : u->n_cell_stop[k], key, f == BASE ? &withheld : &other);
        }
    for (size_t i = 0; i < u->n_joint; i++) {
        snprintf(key, sizeof key, "joint.%s", u->joint[i].key);
        put_training(s, lb_nn_mixture_training(u->joint[i].fit), u->n_fit, u->n_stop, key, &other);
    }
    size_t at_limit = 0, cut = 0;
    for (size_t k = 0; k < NETS; k++) {
        at_limit += lb_mlp_training(u->family[BASE].net[k])->at_limit;
        cut += !finished(s, lb_mlp_training(u->family[DEPTH1].net[k]));
        cut += !finished(s, lb_mlp_training(u->family[DEPTH3].net[k]));
    }
    lb_study_put(s, lb_number_count(at_limit), "at_limit");
    lb_study_put(s, lb_number_count(2 * NETS), "ablation.networks"); /* of one and three layers */
    lb_study_put(s, lb_number_count(cut), "ablation.cut");
    lb_study_put(s, lb_number_count(withheld), "undertrained");
    return withheld;
}

/* Lowest loss of the global network within the epochs of the ablations: shapes at one budget. */
static void put_budget(lb_study *s, const setup *u)
{
    const size_t brief = lb_spec_size(s->spec, "settings.ablation_epochs");
    for (size_t f = 0; f < FAMILIES; f++) {
        if (u->family[f].no_global)
            continue;
        const lb_training *t = lb_mlp_training(u->family[f].net[GLOBAL]);
        double best = INFINITY;
        for (size_t i = 0; i < t->epochs && i < brief; i++)
            best = fmin(best, t->val_loss[i]);
        lb_number loss = lb_number_plain(best, "mse", "dex2");
        loss.digits = 3;
        lb_study_put(s, loss, "budget.%s", u->family[f].key);
    }
}

static void put_sizes(lb_study *s, const setup *u)
{
    for (size_t f = 0; f < FAMILIES; f++) {
        const lb_mlp_options o = options_of(s, &u->family[f]);
        lb_study_put(s, lb_number_count(lb_mlp_weights(u->p, &o)), "weights.%s", u->family[f].key);
    }
    lb_study_put(s, lb_number_count(u->family[MATCHED].hidden[0]), "matched.width");
}

/* Every method on all test rows, and the differences the verdicts are about. */
static void put_methods(lb_study *s, const setup *u, bool withheld)
{
    lb_entry e[MOST_MODELS];
    char key[48];
    const size_t n = entries_of(u, e), best = M_JOINT + u->best_joint;
    lb_contest *t = lb_contest_on(s, u->c, u->c->all, e, n);
    for (size_t m = 0; m < M_JOINT; m++)
        put_model(s, t, m, models[m].key);
    for (size_t i = 0; i < u->n_joint; i++) {
        snprintf(key, sizeof key, "joint_%s", u->joint[i].key);
        put_model(s, t, M_JOINT + i, key);
        lb_study_put(s, lb_contest_delta(t, M_JOINT + i, M_RIDGE_SOFT), "dr2.joint_%s_vs_ridge",
                     u->joint[i].key);
    }
    lb_study_put_text(s, u->joint[u->best_joint].name, "joint.best");
    lb_study_put(s, lb_contest_delta(t, M_SOFT, M_GLOBAL), "dr2.moe_vs_global");
    lb_study_put(s, lb_contest_delta(t, M_ORACLE, M_RIDGE_ORACLE), "dr2.nn_vs_ridge_oracle");
    lb_study_put(s, lb_contest_delta(t, M_SOFT, M_RIDGE_SOFT), "dr2.nn_vs_ridge_soft");
    lb_study_put(s, lb_contest_delta(t, M_SOFT, M_ORACLE), "dr2.soft_vs_oracle");
    lb_study_put(s, lb_contest_delta(t, M_RIDGE_SOFT, M_RIDGE_GLOBAL), "dr2.ridge_moe_vs_global");
    lb_study_put(s, lb_contest_delta(t, M_D1_SOFT, M_D1_GLOBAL), "dr2.depth1");
    lb_study_put(s, lb_contest_delta(t, M_D3_SOFT, M_D3_GLOBAL), "dr2.depth3");
    lb_study_put(s, lb_contest_delta(t, M_MATCHED_SOFT, M_GLOBAL), "dr2.matched");
    lb_study_put(s, lb_contest_delta(t, best, M_SOFT), "dr2.joint_vs_moe");
    lb_study_put(s, lb_contest_delta(t, best, M_GLOBAL), "dr2.joint_vs_global");
    put_judged(s, withheld, lb_contest_delta(t, M_SOFT, M_GLOBAL), "moe_vs_global");
    put_judged(s, withheld, lb_contest_delta(t, M_ORACLE, M_RIDGE_ORACLE), "nn_vs_ridge");
    put_judged(s, withheld, lb_contest_delta(t, M_SOFT, M_ORACLE), "soft_vs_oracle");
    const bool joint_bad =
        lb_study_ok(s) && lb_nn_mixture_training(u->joint[u->best_joint].fit)->undertrained;
    put_judged(s, joint_bad, lb_contest_delta(t, best, M_RIDGE_SOFT), "joint_vs_ridge");
    lb_contest_free(t);
}

/* Where the gain of the mixture over the global network comes from: each cell on its own rows, and
 * its share of the squared error that disappears. */
static void put_subsets(lb_study *s, const setup *u, bool withheld)
{
    const double *y = u->c->test.target, *g = u->family[BASE].yhat[GLOBAL];
    const double *m = u->family[BASE].soft.data;
    double gone[CELLS] = {0.0}, all = 0.0, dr2[CELLS] = {0.0};
    lb_entry e[MOST_MODELS];
    entries_of(u, e);
    for (size_t k = 0; k < CELLS && lb_study_ok(s); k++) {
        lb_contest *t = lb_contest_on(s, u->c, u->subset[k], e, M_RIDGE_SOFT + 1);
        const lb_number d = lb_contest_delta(t, M_SOFT, M_GLOBAL);
        lb_study_put(s, lb_number_count(lb_rowset_size(u->subset[k])), "subset.%s.rows",
                     cell_key[k]);
        lb_study_put(s, lb_contest_r2(t, M_ORACLE), "subset.%s.r2_oracle", cell_key[k]);
        lb_study_put(s, lb_contest_r2(t, M_GLOBAL), "subset.%s.r2_global", cell_key[k]);
        lb_study_put(s, lb_contest_r2(t, M_SOFT), "subset.%s.r2_moe", cell_key[k]);
        lb_study_put(s, lb_contest_r2(t, M_RIDGE_SOFT), "subset.%s.r2_ridge", cell_key[k]);
        lb_study_put(s, d, "subset.%s.dr2", cell_key[k]);
        dr2[k] = d.value;
        lb_contest_free(t);
    }
    for (size_t i = 0; i < u->c->test.n; i++) {
        const double less = (g[i] - y[i]) * (g[i] - y[i]) - (m[i] - y[i]) * (m[i] - y[i]);
        gone[u->cells.test[i]] += less;
        all += less;
    }
    for (size_t k = 0; k < CELLS; k++) {
        lb_number share = lb_number_plain(100.0 * gone[k] / all, "percent", "%");
        share.digits = 1;
        lb_study_put(s, all > 0.0 ? share : lb_number_na("percent", "n/a (no gain)"),
                     "subset.%s.share", cell_key[k]);
    }
    put_judged(s, withheld, lb_number_plain(dr2[0] - fmax(dr2[1], dr2[2]), "gap", ""),
               "hard_minus_others");
}

/* Whether the mean over the cells, weighted by their rows, and the pooled score of a model can be
 * about the same rows. */
static void put_suspicion(lb_study *s, const setup *u)
{
    static const size_t shown[] = {M_ORACLE, M_GLOBAL, M_SOFT, M_RIDGE_SOFT};
    static const char *const keys[] = {"oracle", "global", "moe", "ridge"};
    enum { N = sizeof shown / sizeof *shown };
    lb_number score[N][CELLS];
    lb_entry e[MOST_MODELS];
    size_t suspicious = 0;
    entries_of(u, e);
    for (size_t k = 0; k < CELLS; k++) {
        lb_contest *t = lb_contest_on(s, u->c, u->subset[k], e, M_RIDGE_SOFT + 1);
        for (size_t j = 0; j < N; j++)
            score[j][k] = lb_contest_r2(t, shown[j]);
        lb_contest_free(t);
    }
    lb_contest *t = lb_contest_on(s, u->c, u->c->all, e, M_RIDGE_SOFT + 1);
    for (size_t j = 0; j < N; j++) {
        const lb_number pooled = lb_contest_r2(t, shown[j]);
        const lb_suspicion look = lb_suspect(s, &pooled, score[j], CELLS);
        lb_study_put(s, look.weighted, "subset.weighted_r2.%s", keys[j]);
        suspicious += look.suspicious;
    }
    lb_study_put(s, lb_number_count(suspicious), "subset.suspicious");
    lb_contest_free(t);
}

/* The Ridge baseline on the other row set it is published for. */
static void put_baseline(lb_study *s, const setup *u)
{
    lb_entry e[MOST_MODELS];
    entries_of(u, e);
    lb_contest *t = lb_contest_on(s, u->c, u->c->covered, &e[M_RIDGE_GLOBAL], 1);
    lb_study_put(s, lb_contest_r2(t, 0), "r2.ridge_global.covered");
    lb_contest_free(t);
}

static void put_gate(lb_study *s, const setup *u)
{
    lb_confusion *m = lb_gate_confusion(s, u->c, u->c->all, &u->cells, lb_mat_const(u->gate.test));
    lb_gate_put_accuracy(s, m, "gate");
    lb_confusion_free(m);
    for (size_t i = 0; i < u->n_joint; i++) /* how much each expert of a mixture is used */
        for (size_t k = 0; k < CELLS; k++) {
            double sum = 0.0;
            for (size_t r = 0; r < u->c->test.n; r++)
                sum += u->joint[i].weights.data[r * CELLS + k];
            lb_number use = lb_number_plain(100.0 * sum / (double)u->c->test.n, "percent", "%");
            use.digits = 1;
            lb_study_put(s, use, "joint.%s.use%zu", u->joint[i].key, k);
        }
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void table_methods(lb_study *s, const setup *u)
{
    static const lb_column columns[] = {
        {"method", ""}, {"R²", ""}, {"95 % CI", "ci"}, {"MAE, dex", ""}, {"RMSE, dex", ""}};
    lb_record_table(s->record, "T15.1", sizeof columns / sizeof *columns, columns);
    for (size_t m = 0; m < M_JOINT + u->n_joint; m++) {
        const joint *j = m < M_JOINT ? NULL : &u->joint[m - M_JOINT];
        char key[48];
        snprintf(key, sizeof key, "%s%s", j ? "joint_" : "", j ? j->key : models[m].key);
        lb_study_row(s, "T15.1", "=%2$s%3$s|r2.%1$s|r2.%1$s|mae.%1$s|rmse.%1$s", key,
                     j ? "learned together: " : "", j ? j->name : models[m].name);
    }
}

static void table_subsets(lb_study *s)
{
    static const char *const ranges[CELLS] = {"below −1", "−1 to 0", "0 and above"};
    static const lb_column columns[] = {{"subset", ""},
                                        {"[M/H], dex", ""},
                                        {"n", ""},
                                        {"R² oracle", ""},
                                        {"R² global", ""},
                                        {"R² MoE", ""},
                                        {"ΔR²", "+"},
                                        {"95 % CI", "ci"},
                                        {"R² Ridge MoE", ""},
                                        {"share of the error removed, %", ""}};
    lb_record_table(s->record, "T15.2", sizeof columns / sizeof *columns, columns);
    for (size_t k = 0; k < CELLS; k++)
        lb_study_row(s, "T15.2",
                     "=%2$s|=%3$s|subset.%1$s.rows|subset.%1$s.r2_oracle|subset.%1$s.r2_global|"
                     "subset.%1$s.r2_moe|subset.%1$s.dr2|subset.%1$s.dr2|subset.%1$s.r2_ridge|"
                     "subset.%1$s.share",
                     cell_key[k], cell_name[k], ranges[k]);
    lb_study_row(s, "T15.2",
                 "=mean, weighted by n|=all|data.n_test|subset.weighted_r2.oracle|"
                 "subset.weighted_r2.global|subset.weighted_r2.moe|=—|=—|"
                 "subset.weighted_r2.ridge|=—");
    lb_study_row(s, "T15.2",
                 "=pooled|=all|data.n_test|r2.oracle|r2.global|r2.moe_soft|dr2.moe_vs_global|"
                 "dr2.moe_vs_global|r2.ridge_soft|=—");
}

static void row_of_training(lb_study *s, const char *table, const char *name, const char *key)
{
    lb_study_row(s, table,
                 "=%2$s|train.%1$s.n_train|train.%1$s.n_val|train.%1$s.best_epoch|"
                 "train.%1$s.epochs|train.%1$s.val_loss|train.%1$s.val_variance|train.%1$s.state",
                 key, name);
}

static void table_training(lb_study *s, const setup *u)
{
    static const lb_column columns[] = {
        {"network", ""},    {"n train", ""},    {"n stop", ""},         {"best epoch", ""},
        {"epochs run", ""}, {"loss, dex²", ""}, {"variance, dex²", ""}, {"state", ""}};
    char key[48], name[96];
    for (size_t t = 0; t < 2; t++)
        lb_record_table(s->record, t ? "T15.4" : "T15.3", sizeof columns / sizeof *columns,
                        columns);
    for (size_t k = 0; k < NETS; k++) {
        snprintf(key, sizeof key, "%zu", k);
        if (k < CELLS)
            snprintf(name, sizeof name, "expert %zu, %s", k, cell_name[k]);
        row_of_training(s, "T15.3", k < CELLS ? name : "global", k < CELLS ? key : "global");
    }
    for (size_t f = DEPTH1; f < FAMILIES; f++)
        for (size_t k = 0; k < NETS; k++) {
            if (k == GLOBAL && u->family[f].no_global)
                continue;
            snprintf(key, sizeof key, "%s.%s", u->family[f].key,
                     k < CELLS ? (char[2]){(char)('0' + k), '\0'} : "global");
            snprintf(name, sizeof name, "%s, %s", u->family[f].name,
                     k < CELLS ? cell_name[k] : "global");
            row_of_training(s, "T15.4", name, key);
        }
    for (size_t i = 0; i < u->n_joint; i++) {
        snprintf(key, sizeof key, "joint.%s", u->joint[i].key);
        snprintf(name, sizeof name, "together: %s", u->joint[i].name);
        row_of_training(s, "T15.4", name, key);
    }
}

static void table_ablation(lb_study *s)
{
    static const lb_column columns[] = {{"experts", ""},
                                        {"weights each", ""},
                                        {"loss of global at equal epochs, dex²", ""},
                                        {"R² global", ""},
                                        {"R² MoE, frozen gate", ""},
                                        {"ΔR²", "+"},
                                        {"95 % CI", "ci"}};
    lb_record_table(s->record, "T15.5", sizeof columns / sizeof *columns, columns);
    lb_study_row(s, "T15.5",
                 "=Ridge|data.pixels|=—|r2.ridge_global|r2.ridge_soft|dr2.ridge_moe_vs_global|"
                 "dr2.ridge_moe_vs_global");
    lb_study_row(
        s, "T15.5",
        "=one "
        "layer|weights.depth1|budget.depth1|r2.depth1_global|r2.depth1_soft|dr2.depth1|dr2.depth1");
    lb_study_row(s, "T15.5",
                 "=two layers|weights.base|budget.base|r2.global|r2.moe_soft|dr2.moe_vs_global|"
                 "dr2.moe_vs_global");
    lb_study_row(s, "T15.5",
                 "=three "
                 "layers|weights.depth3|budget.depth3|r2.depth3_global|r2.depth3_soft|dr2.depth3|"
                 "dr2.depth3");
    lb_study_row(s, "T15.5",
                 "=two layers, matched parameters|weights.matched|=—|r2.global|r2.matched_soft|"
                 "dr2.matched|dr2.matched");
}

static void table_joint(lb_study *s, const setup *u)
{
    static const lb_column columns[] = {
        {"gate looks at", ""},     {"loss, dex²", ""},      {"R²", ""},
        {"ΔR² to Ridge MoE", "+"}, {"95 % CI", "ci"},       {"expert 0 used, %", ""},
        {"expert 1 used, %", ""},  {"expert 2 used, %", ""}};
    lb_record_table(s->record, "T15.6", sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < u->n_joint; i++)
        lb_study_row(s, "T15.6",
                     "=%2$s|train.joint.%1$s.val_loss|r2.joint_%1$s|dr2.joint_%1$s_vs_ridge|"
                     "dr2.joint_%1$s_vs_ridge|joint.%1$s.use0|joint.%1$s.use1|joint.%1$s.use2",
                     u->joint[i].key, u->joint[i].name);
}

/* --- figures ------------------------------------------------------------------------------------
 */

static char *title_for(const setup *u, const char *what)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE];
    return lb_xprintf("%s\nE15, noise %.1f, %s training rows, %s test rows", what, u->level,
                      lb_count_text(u->c->train.n, train), lb_count_text(u->c->test.n, test));
}

static lb_style style_of(size_t m)
{
    switch (m) {
    case M_GLOBAL:
    case M_RIDGE_GLOBAL:
        return lb_style_role(LB_GLOBAL);
    case M_ORACLE:
    case M_RIDGE_ORACLE:
        return lb_style_role(LB_ORACLE);
    default:
        return lb_style_role(LB_MIXTURE);
    }
}

/* Six bars: three ways of answering, by networks and by Ridge. */
static void figure_methods(lb_study *s, const setup *u)
{
    enum { N = M_RIDGE_SOFT + 1 };
    static const char *const names[N] = {"global\nnetwork",        "networks,\ntrue cell",
                                         "networks,\nfrozen gate", "global\nRidge",
                                         "Ridge,\ntrue cell",      "Ridge,\nfrozen gate"};
    lb_entry e[MOST_MODELS];
    double y[N], lo[N], hi[N];
    lb_style styles[N];
    size_t rows[N];
    char text[2][48];
    entries_of(u, e);
    lb_contest *t = lb_contest_on(s, u->c, u->c->all, e, N);
    for (size_t m = 0; m < N; m++) {
        const lb_number r2 = lb_contest_r2(t, m);
        y[m] = r2.value;
        lo[m] = r2.ci_lo;
        hi[m] = r2.ci_hi;
        styles[m] = style_of(m);
        rows[m] = lb_rowset_size(u->c->all);
    }
    snprintf(text[0], sizeof text[0], "ΔR^{2} = %+.4f",
             lb_contest_delta(t, M_SOFT, M_GLOBAL).value);
    snprintf(text[1], sizeof text[1], "ΔR^{2} = %+.4f",
             lb_contest_delta(t, M_RIDGE_SOFT, M_RIDGE_GLOBAL).value);
    lb_contest_free(t);
    if (!lb_study_ok(s))
        return;
    char *stem = lb_study_figure(s, "F15.1"),
         *title = title_for(u, "Networks and Ridge as experts");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.6, title,
                                 "Bars of R2: global model, experts of the true cell and experts "
                                 "behind the frozen gate, as networks and as Ridge.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, N);
    lb_axes_x_counts(a, rows, N);
    lb_axes_y(a, "R^{2}", NAN, NAN, LB_LINEAR);
    lb_plot_bars(a,
                 (lb_bars){.y = y, .lo = lo, .hi = hi, .n = N, .styles = styles, .format = "%.4f"});
    lb_plot_bracket(a, M_GLOBAL, M_SOFT, text[0]);
    lb_plot_bracket(a, M_RIDGE_GLOBAL, M_RIDGE_SOFT, text[1]);
    lb_study_take(s, lb_figure_close(f, s->err));
    lb_record_series(s->record, "F15.1/r2", y, N);
    free(title);
    free(stem);
}

static void figure_subsets(lb_study *s, const setup *u)
{
    static const size_t shown[] = {M_GLOBAL, M_ORACLE, M_SOFT, M_RIDGE_SOFT};
    enum { N = sizeof shown / sizeof *shown };
    static const char *const names[CELLS] = {"metal-poor\n[M/H] below -1", "intermediate\n-1 to 0",
                                             "metal-rich\n0 and above"};
    lb_entry e[MOST_MODELS];
    double y[N][CELLS], lo[N][CELLS], hi[N][CELLS];
    size_t rows[CELLS];
    entries_of(u, e);
    for (size_t k = 0; k < CELLS; k++) {
        lb_contest *t = lb_contest_on(s, u->c, u->subset[k], e, M_RIDGE_SOFT + 1);
        rows[k] = lb_rowset_size(u->subset[k]);
        for (size_t j = 0; j < N; j++) {
            const lb_number r2 = lb_contest_r2(t, shown[j]);
            y[j][k] = r2.value;
            lo[j][k] = r2.ci_lo;
            hi[j][k] = r2.ci_hi;
        }
        lb_contest_free(t);
    }
    if (!lb_study_ok(s))
        return;
    char *stem = lb_study_figure(s, "F15.2"), *title = title_for(u, "Who gains, cell by cell");
    lb_figure *f =
        lb_figure_new(stem, 6.5, 4.6, title,
                      "Grouped bars of R2 in three metallicity cells: global network, "
                      "networks with the true cell, with the gate, Ridge with the gate.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, CELLS);
    lb_axes_x_counts(a, rows, CELLS);
    lb_axes_y(a, "R^{2} in the cell", NAN, 1.15, LB_LINEAR);
    for (size_t j = 0; j < N; j++)
        lb_plot_bars(a, (lb_bars){.y = y[j],
                                  .lo = lo[j],
                                  .hi = hi[j],
                                  .n = CELLS,
                                  .series = j,
                                  .of = N,
                                  .style = shown[j] == M_RIDGE_SOFT ? lb_style_role(LB_CONDITIONAL)
                                                                    : style_of(shown[j]),
                                  .format = "%.3f",
                                  .label = models[shown[j]].name});
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    for (size_t j = 0; j < N; j++) {
        char *series = lb_xprintf("F15.2/%s", models[shown[j]].key);
        lb_record_series(s->record, series, y[j], CELLS);
        free(series);
    }
    free(title);
    free(stem);
}

/* The hard cell: residuals, and how large they are from the best row to the worst. */
static void figure_residuals(lb_study *s, const setup *u)
{
    static const size_t shown[] = {M_GLOBAL, M_SOFT};
    const size_t n = lb_rowset_size(u->subset[0]);
    size_t *at = lb_test_positions(u->c, u->subset[0]);
    double *r = lb_xcalloc(4 * n, sizeof *r), *share = lb_xcalloc(n, sizeof *share);
    lb_entry e[MOST_MODELS];
    entries_of(u, e);
    char *stem = lb_study_figure(s, "F15.3"),
         *title = title_for(u, "Metal-poor test rows: residuals");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.2, title,
                                 "Left: histograms of residuals of metal-poor test rows for global "
                                 "network and mixture. Right: sorted absolute residuals.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 2), *b = lb_figure_panel(f, 0, 1, 1, 2);
    lb_axes_x(a, "predicted - true (dex)", -4.0, 4.0, LB_LINEAR);
    lb_axes_y(a, "metal-poor test rows", 0.0, NAN, LB_LINEAR);
    lb_axes_x(b, "rows, smallest residual first (%)", 0.0, 100.0, LB_LINEAR);
    lb_axes_y(b, "|predicted - true| (dex)", 0.0, NAN, LB_LINEAR);
    for (size_t j = 0; j < 2; j++) {
        double *x = r + 2 * j * n, *size = x + n;
        lb_style style = style_of(shown[j]);
        for (size_t i = 0; i < n; i++) {
            x[i] = e[shown[j]].yhat.data[at[i]] - u->c->test.target[at[i]];
            size[i] = fabs(x[i]);
            share[i] = 100.0 * ((double)i + 0.5) / (double)n;
        }
        lb_sort(size, n);
        lb_plot_histogram(a, x, n, 30, style, models[shown[j]].name);
        style.marker = LB_MARKER_NONE;
        lb_plot_line(b, share, size, n, style, models[shown[j]].name);
        char *series = lb_xprintf("F15.3/%s", models[shown[j]].key);
        lb_record_series(s->record, series, x, n);
        free(series);
    }
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
    free(at);
    free(r);
    free(share);
}

static void figure_predicted(lb_study *s, const setup *u)
{
    static const size_t shown[] = {M_GLOBAL, M_SOFT};
    lb_entry e[MOST_MODELS];
    double *x = lb_xcalloc(2 * u->c->test.n, sizeof *x), *y = x + u->c->test.n;
    entries_of(u, e);
    lb_contest *t = lb_contest_on(s, u->c, u->c->all, e, M_SOFT + 1);
    char *stem = lb_study_figure(s, "F15.4"),
         *title = title_for(u, "Predicted against true log g, by metallicity cell");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.3, title,
                                 "Two scatter plots of predicted against true log g coloured by "
                                 "metallicity cell: global network and mixture.");
    lb_figure_share_y(f);
    for (size_t j = 0; j < 2; j++) {
        lb_axes *a = lb_figure_panel(f, 0, j, 1, 2);
        lb_axes_title(a, models[shown[j]].name);
        lb_axes_x(a, "true log g (dex)", 0.5, 5.5, LB_LINEAR);
        lb_axes_y(a, "predicted log g (dex)", -0.5, 6.5, LB_LINEAR);
        lb_plot_identity(a, "identity");
        for (size_t k = 0; k < CELLS; k++) {
            lb_style style = lb_style_ordered(k, CELLS);
            size_t n = 0;
            style.size = 2.6;
            for (size_t i = 0; i < u->c->test.n; i++)
                if (u->cells.test[i] == (int)k) {
                    x[n] = u->c->test.target[i];
                    y[n++] = e[shown[j]].yhat.data[i];
                }
            if (n)
                lb_plot_points(a, x, y, n, style, cell_name[k]);
        }
        char *box = lb_xprintf("R^{2} = %.4f\nMAE = %.3f dex", lb_contest_r2(t, shown[j]).value,
                               lb_contest_mae(t, shown[j]).value);
        lb_axes_box(a, box);
        free(box);
    }
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_contest_free(t);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
    free(x);
}

/* Learning curves: loss on the rows to stop on over their variance, so that 1 is a constant. */
static void figure_curves(lb_study *s, const setup *u)
{
    char *stem = lb_study_figure(s, "F15.5"),
         *title = title_for(u, "Learning curves of the networks");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.6, title,
                                 "Validation loss over the variance against the epoch for three "
                                 "experts and the global network, the best epoch marked.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x(a, "epoch", 0.0, NAN, LB_LINEAR);
    lb_axes_y(a, "loss on the rows to stop on, over their variance", NAN, NAN, LB_LOG10);
    for (size_t k = 0; k < NETS; k++) {
        const lb_training *t = lb_mlp_training(u->family[BASE].net[k]);
        lb_style style = k == GLOBAL ? lb_style_role(LB_GLOBAL) : lb_style_ordered(k, CELLS);
        double *x = lb_xcalloc(2 * t->epochs, sizeof *x), *y = x + t->epochs;
        char label[64];
        for (size_t i = 0; i < t->epochs; i++) {
            x[i] = (double)(i + 1);
            y[i] = t->val_loss[i] / t->val_variance;
        }
        snprintf(label, sizeof label, "%s%s, best at %zu", k == GLOBAL ? "global" : "expert, ",
                 k == GLOBAL ? "" : cell_name[k], t->best_epoch);
        style.size = 2.5;
        lb_plot_line(a, x, y, t->epochs, style, label);
        style.size = 7.0;
        lb_plot_highlight(a, (double)t->best_epoch, t->best_loss / t->val_variance, style, "");
        char *series = lb_xprintf("F15.5/%s", cell_key[k]);
        lb_record_series(s->record, series, y, t->epochs);
        free(series);
        free(x);
    }
    lb_plot_hline(a, 1.0, lb_style_role(LB_THRESHOLD), "a constant prediction");
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

/* Does more expressive mean better? Global and mixture by kind of expert, same gate. */
static void figure_ablation(lb_study *s, const setup *u)
{
    enum { KINDS = 5 };
    static const char *const names[KINDS] = {"Ridge", "one layer", "two layers", "three layers",
                                             "matched weights"};
    static const size_t pair[KINDS][2] = {{M_RIDGE_GLOBAL, M_RIDGE_SOFT},
                                          {M_D1_GLOBAL, M_D1_SOFT},
                                          {M_GLOBAL, M_SOFT},
                                          {M_D3_GLOBAL, M_D3_SOFT},
                                          {M_GLOBAL, M_MATCHED_SOFT}};
    static const char *const labels[] = {"one model for all rows", "three experts, frozen gate"};
    lb_entry e[MOST_MODELS];
    double y[2][KINDS], lo[2][KINDS], hi[2][KINDS];
    const size_t n = entries_of(u, e);
    lb_contest *t = lb_contest_on(s, u->c, u->c->all, e, n);
    for (size_t k = 0; k < KINDS; k++)
        for (size_t j = 0; j < 2; j++) {
            const lb_number r2 = lb_contest_r2(t, pair[k][j]);
            y[j][k] = r2.value;
            lo[j][k] = r2.ci_lo;
            hi[j][k] = r2.ci_hi;
        }
    lb_contest_free(t);
    if (!lb_study_ok(s))
        return;
    char *stem = lb_study_figure(s, "F15.6"),
         *title = title_for(u, "Kinds of expert behind one gate");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.4, title,
                                 "Bars of R2 of one global model and of three experts behind the "
                                 "frozen gate, for Ridge and four shapes of network.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x_names(a, NULL, names, KINDS);
    lb_axes_y(a, "R^{2}", NAN, 1.12, LB_LINEAR);
    for (size_t j = 0; j < 2; j++)
        lb_plot_bars(a, (lb_bars){.y = y[j],
                                  .lo = lo[j],
                                  .hi = hi[j],
                                  .n = KINDS,
                                  .series = j,
                                  .of = 2,
                                  .style = lb_style_role(j ? LB_MIXTURE : LB_GLOBAL),
                                  .format = "%.3f",
                                  .label = labels[j]});
    lb_figure_legend(f, LB_PLACE_ABOVE, NULL);
    lb_figure_note(f, "The mixture of matched weights stands beside the global network of two "
                      "layers, which has as many.");
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

static void clear(setup *u)
{
    for (size_t f = 0; f < FAMILIES; f++) {
        for (size_t k = 0; k < NETS; k++) {
            lb_mlp_free(u->family[f].net[k]);
            free(u->family[f].yhat[k]);
        }
        free(u->family[f].oracle);
        free(u->family[f].soft.data);
    }
    for (size_t i = 0; i < u->n_joint; i++) {
        lb_nn_mixture_free(u->joint[i].fit);
        free(u->joint[i].yhat.data);
        free(u->joint[i].weights.data);
    }
    for (size_t k = 0; k < CELLS; k++) {
        free(u->cell_fit[k]);
        free(u->cell_stop[k]);
        lb_rowset_free(u->subset[k]);
    }
    lb_moe_free(&u->ridge);
    lb_named_free(&u->gate);
    lb_gate_inputs_free(&u->inputs);
    lb_domains_free(&u->cells);
    free(u->ridge_soft.data);
    free(u->told_train.data);
    free(u->told_test.data);
    free(u->train);
    free(u->test);
    free(u->fit);
    free(u->stop);
    free(u);
}

static void run(lb_study *s)
{
    setup *u = lb_xcalloc(1, sizeof *u);
    prepare(s, u);
    if (lb_study_ok(s)) {
        shape_families(s, u);
        fit_networks(s, u);
        for (size_t f = 0; f < FAMILIES && lb_study_ok(s); f++)
            predict_family(s, u, &u->family[f]);
        mix_ridge(s, u);
        plan_joint(s, u);
        fit_joint(s, u);
    }
    if (lb_study_ok(s)) {
        const bool withheld = put_trainings(s, u);
        put_sizes(s, u);
        put_budget(s, u);
        put_methods(s, u, withheld);
        put_subsets(s, u, withheld);
        put_suspicion(s, u);
        put_baseline(s, u);
        put_gate(s, u);
        table_methods(s, u);
        table_subsets(s);
        table_training(s, u);
        table_ablation(s);
        table_joint(s, u);
        figure_methods(s, u);
        figure_subsets(s, u);
        figure_residuals(s, u);
        figure_predicted(s, u);
        figure_curves(s, u);
        figure_ablation(s, u);
    }
    clear(u);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {
        "e15_nn_moe",
        "Neural experts behind the frozen gate against one network and "
        "against Ridge experts; mixtures that learn experts and gate together.",
        run, false};
    return lb_study_main(argc, argv, &e);
}
