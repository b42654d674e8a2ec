/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E14: the smallest gate that is learned from the spectrum itself.
 *
 * Three Ridge experts along [M/H] are given. Does a linear softmax on the spectrum choose between
 * them better than a threshold on a predicted [M/H]? The run was to start only if that threshold
 * keeps enough of the oracle's gain; the program computes this itself, says what the rule says, and
 * runs in any case.
 * Reads   spectra of the profile; templates/experiments/e14_learned_gate/spec.yaml
 * Writes  data/results/<profile>/e14_learned_gate.h5, figures e14_*
 */
#include "core/memory.h"
#include "core/text.h"
#include "figure/plot.h"
#include "study/by_bin.h"
#include "study/gate.h"
#include "study/guess.h"
#include "study/routing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 3, MOST_C = 16, INTERVALS = 10, BLOCK = 512 };
enum { SCORES, PIXELS, WINDOWS, PSEUDO, GATES };
enum {
    GLOBAL,
    ORACLE,
    PSEUDO_HARD,
    PSEUDO_SOFT,
    LEARNED_HARD,
    LEARNED_SOFT,
    PIXELS_SOFT,
    WINDOWS_SOFT,
    CONDITIONAL,
    MODELS
};

static const char *const GATE[] = {"learned", "pixels", "windows", "pseudo"};
static const char *const GATE_NAME[] = {[SCORES] = "learned, PCA scores",
                                        [PIXELS] = "learned, pixels",
                                        [WINDOWS] = "line windows (E13a)",
                                        [PSEUDO] = "predicted [M/H]"};
static const char *const MODEL[] = {[GLOBAL] = "global",
                                    [ORACLE] = "oracle",
                                    [PSEUDO_HARD] = "pseudo_hard",
                                    [PSEUDO_SOFT] = "pseudo_soft",
                                    [LEARNED_HARD] = "learned_hard",
                                    [LEARNED_SOFT] = "learned_soft",
                                    [PIXELS_SOFT] = "pixels_soft",
                                    [WINDOWS_SOFT] = "windows_soft",
                                    [CONDITIONAL] = "conditional"};
static const char *const MODEL_NAME[] = {
    [GLOBAL] = "global Ridge",        [ORACLE] = "oracle",
    [PSEUDO_HARD] = "pseudo, hard",   [PSEUDO_SOFT] = "pseudo, soft",
    [LEARNED_HARD] = "learned, hard", [LEARNED_SOFT] = "learned, soft",
    [PIXELS_SOFT] = "pixels, soft",   [WINDOWS_SOFT] = "windows, soft",
    [CONDITIONAL] = "conditional"};

static const char *const cell_name[CELLS] = {"metal-poor", "solar", "metal-rich"};

/* A gate whatever it looks at: probabilities of the cells, and how it was chosen. */
typedef struct gate {
    size_t dim;
    lb_mat val, test; /* (rows, CELLS) */
    size_t n_c, best;
    double C[MOST_C], log_loss[MOST_C]; /* on validation rows */
} gate;

typedef struct result {
    lb_number r2[MODELS], rho[MODELS], gain[MODELS];
    lb_reliability_bin by_cell[CELLS][INTERVALS], top[GATES][INTERVALS];
} result;

static void gate_free(gate *g)
{
    free(g->val.data);
    free(g->test.data);
}

/* --- gates --------------------------------------------------------------------------------------
 */

static double log_loss_of(lb_mat p, const int *truth)
{
    double sum = 0.0;
    for (size_t i = 0; i < p.rows; i++)
        sum -= log(fmax(p.data[i * p.stride + (size_t)truth[i]], 1e-300));
    return sum / (double)p.rows;
}

/* region: protocol */
/* Linear softmax on standardised inputs, cross-entropy to the true cell; the strength of the
 * penalty by log-loss on validation rows. */
static void fit_gate(lb_study *s, const char *grid, lb_mat train, lb_mat val, lb_mat test,
                     const lb_domains *cells, gate *g)
{
    const double *C = lb_spec_numbers(s->spec, grid, &g->n_c);
    double least = INFINITY;
    g->dim = train.cols;
    g->n_c = g->n_c < MOST_C ? g->n_c : MOST_C;
    g->val = lb_mat_new(val.rows, CELLS);
    g->test = lb_mat_new(test.rows, CELLS);
    const lb_mat p = lb_mat_new(val.rows, CELLS);
    for (size_t k = 0; k < g->n_c && lb_study_ok(s); k++) {
        lb_logistic *m = NULL;
        lb_study_take(
            s, lb_logistic_fit(lb_mat_const(train), cells->train, CELLS, C[k], true, &m, s->err));
        if (lb_study_ok(s))
            lb_study_take(s, lb_logistic_proba(m, lb_mat_const(val), p, s->err));
        g->C[k] = C[k];
        g->log_loss[k] = log_loss_of(p, cells->val);
        if (lb_study_ok(s) && g->log_loss[k] < least) {
            least = g->log_loss[k];
            g->best = k;
            memcpy(g->val.data, p.data, p.rows * p.cols * sizeof(double));
            lb_study_take(s, lb_logistic_proba(m, lb_mat_const(test), g->test, s->err));
        }
        lb_logistic_free(m);
    }
    free(p.data);
}
/* end region */

/* The gate of E13a, its penalty by cross-validation as there. */
static void windows_gate(lb_study *s, const lb_gate_inputs *all, const lb_domains *cells, gate *g)
{
    const size_t lines = lb_windows_four.n_features;
    size_t column[64];
    const size_t n = lines + lb_spec_size(s->spec, "settings.components_windows");
    for (size_t j = 0; j < n; j++)
        column[j] = j;
    lb_gate_inputs in = lb_gate_inputs_pick(all, column, n);
    lb_gate_naming o = {.folds = lb_spec_size(s->spec, "settings.folds"),
                        .seed = lb_spec_size(s->spec, "settings.seed")};
    o.C.data = lb_spec_numbers(s->spec, "settings.windows_c", &o.C.n);
    lb_named named;
    lb_gate_name(s, &in, cells, o, &named);
    if (lb_study_ok(s)) {
        *g = (gate){.dim = n, .val = named.val, .test = named.test, .n_c = 1};
        g->C[0] = named.cv->C[named.cv->best];
        g->log_loss[0] = log_loss_of(named.val, cells->val);
        named.val.data = named.test.data = NULL; /* the gate owns them now */
    }
    lb_named_free(&named);
    lb_gate_inputs_free(&in);
}

/* Rows of a stream, neighbouring pixels averaged to at most `most` columns. */
static lb_mat rebin(lb_study *s, const lb_stream *x, size_t most)
{
    const size_t width = (x->cols + most - 1) / most, cols = x->cols / width;
    const lb_mat out = lb_mat_new(x->rows, cols);
    float *block = lb_xcalloc(BLOCK * x->cols, sizeof *block);
    for (size_t first = 0; first < x->rows && lb_study_ok(s); first += BLOCK) {
        const size_t n = x->rows - first < BLOCK ? x->rows - first : BLOCK;
        lb_study_take(s, x->read(x->self, first, (lb_matf){block, n, x->cols, x->cols}, s->err));
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < cols; j++) {
                double sum = 0.0;
                for (size_t k = 0; k < width; k++)
                    sum += (double)block[i * x->cols + j * width + k];
                out.data[(first + i) * cols + j] = sum / (double)width;
            }
    }
    free(block);
    return out;
}

static void pixels_gate(lb_study *s, double noise, const lb_domains *cells, gate *g)
{
    const size_t most = lb_spec_size(s->spec, "settings.most_pixels");
    lb_exposure seen;
    lb_cohort_expose(&s->data, noise, lb_noise_seeds_of(s->spec), &seen);
    const lb_mat train = rebin(s, &seen.train.x, most), val = rebin(s, &seen.val.x, most),
                 test = rebin(s, &seen.test, most);
    fit_gate(s, "settings.pixels_c", train, val, test, cells, g);
    free(train.data);
    free(val.data);
    free(test.data);
}

static double normal_below(double z)
{
    return 0.5 * erfc(-z / sqrt(2.0));
}

/* What a predicted value with a normal error says of the cells. */
static void put_cell_chances(lb_cvec yhat, const double *inner, double sigma, lb_mat p)
{
    for (size_t i = 0; i < yhat.n; i++) {
        double below = 0.0;
        for (size_t k = 0; k < CELLS; k++) {
            const double up_to =
                k + 1 < CELLS ? normal_below((inner[k] - yhat.data[i]) / sigma) : 1.0;
            p.data[i * p.stride + k] = up_to - below;
            below = up_to;
        }
    }
}

/* The predictor of [M/H] turned into probabilities, its error taken from validation rows. */
static void pseudo_gate(const lb_guess *mh, const double *inner, gate *g)
{
    *g = (gate){.dim = 1,
                .val = lb_mat_new(mh->val.yhat.n, CELLS),
                .test = lb_mat_new(mh->test.yhat.n, CELLS)};
    put_cell_chances(mh->val.yhat, inner, mh->val.rmse, g->val);
    put_cell_chances(mh->test.yhat, inner, mh->val.rmse, g->test);
}

/* --- what they are worth ------------------------------------------------------------------------
 */

static void put_gate(lb_study *s, const gate *g, size_t which, const lb_domains *cells, result *r)
{
    const lb_cohort *c = &s->data;
    const char *key = GATE[which];
    lb_number ece = {.value = NAN}, entropy;
    const lb_cmat p = lb_mat_const(g->test);
    lb_confusion *m = lb_gate_confusion(s, c, c->all, cells, p);
    double *each = lb_xcalloc(c->test.n, sizeof *each), sum = 0.0;
    lb_gate_put_accuracy(s, m, key);
    if (lb_study_ok(s))
        lb_study_take(
            s, lb_reliability(c->all, p, cells->test, -1, r->top[which], INTERVALS, &ece, s->err));
    if (lb_study_ok(s))
        lb_study_take(s, lb_weights_entropy(p, true, (lb_vec){each, c->test.n}, s->err));
    for (size_t i = 0; i < c->test.n; i++)
        sum += each[i] / (double)c->test.n;
    entropy = lb_number_plain(sum, "entropy", "");
    entropy.n = c->test.n;
    entropy.digits = 3;
    lb_study_put(s, ece, "%s.ece", key);
    lb_study_put(s, entropy, "%s.entropy", key);
    lb_study_put(s, lb_number_count(g->dim), "%s.dim", key);
    lb_number loss = lb_number_plain(log_loss_of(g->val, cells->val), "log_loss", "");
    loss.n = c->val.n;
    loss.digits = 4;
    lb_study_put(s, loss, "%s.log_loss_validation", key);
    lb_study_put(s,
                 which == PSEUDO ? lb_number_na("alpha", "no penalty")
                                 : lb_number_plain(g->C[g->best], "alpha", ""),
                 "%s.c", key);
    const char *edge = g->n_c < 2 ? "" : g->best == 0 ? "↓" : g->best + 1 == g->n_c ? "↑" : "";
    lb_study_put_text(s, edge, "%s.c.edge", key);
    lb_confusion_free(m);
    free(each);
}

static void put_scores(lb_study *s, const lb_contest *t, result *r)
{
    for (size_t m = 0; m < MODELS; m++) {
        r->r2[m] = lb_contest_r2(t, m);
        lb_study_put(s, r->r2[m], "r2.%s", MODEL[m]);
        lb_study_put(s, lb_contest_mae(t, m), "mae.%s", MODEL[m]);
        lb_study_put(s, lb_contest_rmse(t, m), "rmse.%s", MODEL[m]);
        if (m == GLOBAL)
            continue;
        r->gain[m] = lb_contest_delta(t, m, GLOBAL);
        lb_study_put(s, r->gain[m], "dr2.%s", m == ORACLE ? "max" : MODEL[m]);
        if (m == ORACLE)
            continue;
        r->rho[m] = lb_contest_retention(t, m, GLOBAL, ORACLE);
        lb_study_put(s, r->rho[m], "rho.%s", MODEL[m]);
    }
    const lb_number gain = lb_contest_delta_above(
        t, ORACLE, GLOBAL, lb_spec_number(s->spec, "thresholds.smallest_gain"));
    lb_number small = lb_number_plain(100.0 * (1.0 - gain.p_above), "percent", "%");
    small.digits = 1;
    small.oracle = true;
    lb_study_put(s, small, "small_denominator");
    lb_study_put(s, lb_contest_delta(t, LEARNED_SOFT, PSEUDO_HARD), "dr2.learned_over_pseudo");
    lb_study_put(s, lb_contest_delta(t, LEARNED_SOFT, PSEUDO_SOFT), "dr2.learned_over_pseudo_soft");
    lb_study_put(s, lb_contest_delta(t, LEARNED_HARD, PSEUDO_HARD), "dr2.learned_over_pseudo_hard");
    lb_study_put(s, lb_contest_delta(t, PSEUDO_SOFT, PSEUDO_HARD), "dr2.soft_over_hard_pseudo");
    lb_study_put(s, lb_contest_delta(t, LEARNED_SOFT, LEARNED_HARD), "dr2.soft_over_hard_learned");
    lb_study_put(s, lb_contest_delta(t, LEARNED_SOFT, PIXELS_SOFT), "dr2.learned_over_pixels");
    lb_study_put(s, lb_contest_delta(t, LEARNED_SOFT, WINDOWS_SOFT), "dr2.learned_over_windows");
    lb_study_put(s, lb_contest_delta(t, LEARNED_SOFT, CONDITIONAL), "dr2.learned_over_conditional");
    lb_study_put(s, lb_contest_delta(t, LEARNED_SOFT, ORACLE), "dr2.learned_over_oracle");
}

/* The rule that stood before this run: the pseudo gate must keep enough of the oracle's gain, and
 * there must be one, beyond doubt. */
static void put_precondition(lb_study *s, const lb_number *rho, const lb_number *gain)
{
    const bool enough =
        !*rho->na && rho->value >= lb_spec_number(s->spec, "thresholds.precondition");
    const bool released = enough && gain->ci_lo > 0.0;
    lb_study_put(s, *rho, "precondition.rho");
    lb_study_put_text(s,
                      released   ? "released by rule"
                      : *rho->na ? "BLOCKED: no retention to judge by"
                      : enough   ? "BLOCKED: the oracle's gain reaches zero"
                                 : "BLOCKED by rule",
                      "precondition");
    lb_study_put_text(s, released ? "ordinary run" : "forced run", "run");
}

/* Each cell on its own rows; and whether the mean over the cells and the pooled score of a model
 * can be about the same rows. */
static void put_cells(lb_study *s, const lb_domains *cells, const lb_entry *entries,
                      const result *r)
{
    const lb_cohort *c = &s->data;
    lb_number score[MODELS][CELLS];
    bool *in_cell = lb_xcalloc(c->test.n, sizeof *in_cell);
    size_t suspicious = 0;
    for (size_t k = 0; k < CELLS; k++) {
        char *name = lb_xprintf("test rows, %s cell", cell_name[k]);
        for (size_t i = 0; i < c->test.n; i++)
            in_cell[i] = cells->test[i] == (int)k;
        lb_rowset *rows = lb_rowset_where(c->all, name, in_cell);
        lb_contest *t = lb_contest_on(s, c, rows, entries, MODELS);
        lb_study_put(s, lb_number_count(lb_rowset_size(rows)), "cell%zu.rows", k);
        for (size_t m = 0; m < MODELS; m++) {
            score[m][k] = lb_contest_r2(t, m);
            lb_study_put(s, score[m][k], "cell%zu.r2.%s", k, MODEL[m]);
        }
        lb_contest_free(t);
        lb_rowset_free(rows);
        free(name);
    }
    for (size_t m = 0; m < MODELS; m++) {
        const lb_suspicion look = lb_suspect(s, &r->r2[m], score[m], CELLS);
        lb_study_put(s, look.weighted, "cells.weighted_r2.%s", MODEL[m]);
        suspicious += look.suspicious;
    }
    lb_study_put(s, lb_number_count(suspicious), "cells.suspicious");
    free(in_cell);
}

/* The baseline on the other row set it is published for. */
static void put_baseline(lb_study *s, const lb_entry *global)
{
    lb_contest *t = lb_contest_on(s, &s->data, s->data.covered, global, 1);
    lb_study_put(s, lb_contest_r2(t, 0), "r2.global.covered");
    lb_contest_free(t);
}

/* --- tables -------------------------------------------------------------------------------------
 */

/* The last column, of the intervals of rho, is there if they are. */
static void table_models(lb_study *s, const result *r)
{
    static const lb_column columns[] = {{"method", ""},
                                        {"gate input", ""},
                                        {"dim", ""},
                                        {"accuracy, %", ""},
                                        {"R²", ""},
                                        {"95 % CI of R²", "ci"},
                                        {"ΔR² vs global", "+"},
                                        {"95 % CI of ΔR²", "ci"},
                                        {"ρ", ".2f"},
                                        {"95 % CI of ρ", "ci"}};
    const bool bounded = isfinite(r->rho[LEARNED_SOFT].ci_lo);
    static const struct {
        const char *input;
        int gate;
    } of[] = {[GLOBAL] = {"none", -1},
              [ORACLE] = {"true [M/H]", -1},
              [PSEUDO_HARD] = {"predicted [M/H]", PSEUDO},
              [PSEUDO_SOFT] = {"predicted [M/H] and its error", PSEUDO},
              [LEARNED_HARD] = {"PCA scores", SCORES},
              [LEARNED_SOFT] = {"PCA scores", SCORES},
              [PIXELS_SOFT] = {"pixels", PIXELS},
              [WINDOWS_SOFT] = {"windows and PCA", WINDOWS},
              [CONDITIONAL] = {"predicted [M/H]", -1}};
    lb_record_table(s->record, "T14.1", bounded ? 10 : 9, columns);
    for (size_t m = 0; m < MODELS; m++) {
        char *gate_cells = of[m].gate < 0
                               ? lb_xstrdup(m == ORACLE ? "=1|=100" : "=—|=—")
                               : lb_xprintf("%1$s.dim|%1$s.gate_accuracy", GATE[of[m].gate]);
        char *gains = m == GLOBAL   ? lb_xstrdup("=—|=—|=—")
                      : m == ORACLE ? lb_xstrdup("dr2.max|dr2.max|=1")
                                    : lb_xprintf("dr2.%1$s|dr2.%1$s|rho.%1$s", MODEL[m]);
        char *last = !bounded      ? lb_xstrdup("")
                     : m <= ORACLE ? lb_xstrdup("|=—")
                                   : lb_xprintf("|rho.%s", MODEL[m]);
        lb_study_row(s, "T14.1", "=%1$s|=%2$s|%3$s|r2.%4$s|r2.%4$s|%5$s%6$s", MODEL_NAME[m],
                     of[m].input, gate_cells, MODEL[m], gains, last);
        free(gate_cells);
        free(gains);
        free(last);
    }
}

static void table_gates(lb_study *s)
{
    static const lb_column columns[] = {{"gate", ""},
                                        {"dim", ""},
                                        {"C", ""},
                                        {"edge", ""},
                                        {"log-loss, validation", ""},
                                        {"accuracy, test, %", ""},
                                        {"macro F1", ""},
                                        {"calibration error", ".3f"},
                                        {"mean entropy", ".3f"}};
    lb_record_table(s->record, "T14.2", 9, columns);
    for (size_t g = 0; g < GATES; g++)
        lb_study_row(s, "T14.2",
                     "=%2$s|%1$s.dim|%1$s.c|%1$s.c.edge|%1$s.log_loss_validation|"
                     "%1$s.gate_accuracy|%1$s.macro_f1|%1$s.ece|%1$s.entropy",
                     GATE[g], GATE_NAME[g]);
}

static void table_differences(lb_study *s)
{
    static const lb_column columns[] = {
        {"difference of R²", ""}, {"value", "+"}, {"95 % CI", "ci"}, {"it tells", ""}};
    static const char *const rows[][3] = {
        {"learned soft − pseudo hard", "learned_over_pseudo", "the rule"},
        {"pseudo soft − pseudo hard", "soft_over_hard_pseudo", "what hard routing costs"},
        {"learned soft − pseudo soft", "learned_over_pseudo_soft", "the gates, both soft"},
        {"learned hard − pseudo hard", "learned_over_pseudo_hard", "the same, named cells only"},
        {"learned soft − learned hard", "soft_over_hard_learned", "what hard routing costs"},
        {"learned soft − pixels soft", "learned_over_pixels", "the other input"},
        {"learned soft − windows soft", "learned_over_windows", "the gate of E13a"},
        {"learned soft − conditional", "learned_over_conditional", "no gate at all"},
        {"learned soft − oracle", "learned_over_oracle", "the true cell"}};
    lb_record_table(s->record, "T14.3", 4, columns);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        lb_study_row(s, "T14.3", "=%1$s|dr2.%2$s|dr2.%2$s|=%3$s", rows[i][0], rows[i][1],
                     rows[i][2]);
}

/* The scores of every method in the cells, their mean and the score of all rows together. */
static void table_cells(lb_study *s)
{
    lb_study_table(s, "T14.4",
                   "method|metal-poor|solar|metal-rich|mean, weighted by n|all rows, pooled");
    lb_study_row(s, "T14.4", "=n|cell0.rows|cell1.rows|cell2.rows|data.n_test|data.n_test");
    for (size_t m = 0; m < MODELS; m++)
        lb_study_row(s, "T14.4",
                     "=%1$s|cell0.r2.%2$s|cell1.r2.%2$s|cell2.r2.%2$s|cells.weighted_r2.%2$s|"
                     "r2.%2$s",
                     MODEL_NAME[m], MODEL[m]);
}

/* --- figures ------------------------------------------------------------------------------------
 */

static char *title_of(const lb_study *s, const char *what)
{
    char train[LB_COUNT_SIZE], test[LB_COUNT_SIZE];
    return lb_xprintf("%s\nE14, noise %.1f, %s training rows, %s test rows", what,
                      lb_spec_number(s->spec, "noise.focus"), lb_count_text(s->data.train.n, train),
                      lb_count_text(s->data.test.n, test));
}

static lb_style style_of(size_t model)
{
    lb_style style = lb_style_role(model == CONDITIONAL ? LB_CONDITIONAL : LB_MIXTURE);
    if (model == PSEUDO_HARD || model == PSEUDO_SOFT)
        style = lb_style_category(5);
    if (model == WINDOWS_SOFT || model == PIXELS_SOFT)
        style = lb_style_category(model == WINDOWS_SOFT ? 2 : 4);
    style.hatch = model == PSEUDO_HARD || model == LEARNED_HARD ? LB_HATCH_UP : LB_PLAIN;
    return style;
}

static void bars_of(lb_axes *a, const lb_number *x, const char *label, const char *format)
{
    enum { N = MODELS - PSEUDO_HARD };
    double y[N], lo[N], hi[N];
    lb_style styles[N];
    size_t rows[N];
    const char *names[N];
    for (size_t i = 0; i < N; i++) {
        const lb_number *v = &x[PSEUDO_HARD + i];
        y[i] = v->value;
        lo[i] = v->ci_lo;
        hi[i] = v->ci_hi;
        rows[i] = v->n;
        names[i] = MODEL_NAME[PSEUDO_HARD + i];
        styles[i] = style_of(PSEUDO_HARD + i);
    }
    lb_axes_x_names(a, NULL, names, N);
    if (rows[0])
        lb_axes_x_counts(a, rows, N);
    lb_axes_y(a, label, NAN, NAN, LB_LINEAR);
    lb_plot_bars(a,
                 (lb_bars){.y = y, .lo = lo, .hi = hi, .n = N, .styles = styles, .format = format});
}

/* Retentions without interval, of an oracle's gain that reaches zero, are points. */
static void points_of(lb_figure *f, lb_axes *a, const lb_number *x, const char *label,
                      const char *format)
{
    enum { N = MODELS - PSEUDO_HARD };
    double at[N], y[N];
    size_t rows[N];
    const char *names[N];
    for (size_t i = 0; i < N; i++) {
        at[i] = (double)i;
        y[i] = x[PSEUDO_HARD + i].value;
        rows[i] = x[PSEUDO_HARD + i].n;
        names[i] = MODEL_NAME[PSEUDO_HARD + i];
    }
    lb_axes_x_names(a, NULL, names, N);
    lb_axes_x_counts(a, rows, N);
    lb_axes_y(a, label, NAN, NAN, LB_LINEAR);
    for (size_t i = 0; i < N; i++) {
        lb_style style = style_of(PSEUDO_HARD + i);
        style.marker = LB_CIRCLE;
        style.size = 6.0;
        lb_plot_points(a, &at[i], &y[i], 1, style, NULL);
    }
    lb_plot_values(a, at, y, N, format, lb_style_role(LB_NEUTRAL));
    lb_figure_note(f, "Points: ρ without an interval, because that of the oracle's gain reaches "
                      "zero.");
}

static void threshold(const lb_study *s, lb_axes *a, const char *path, const char *what,
                      lb_dash dash)
{
    char text[48];
    lb_style style = lb_style_role(LB_THRESHOLD);
    style.dash = dash;
    snprintf(text, sizeof text, "%s %.2f", what, lb_spec_number(s->spec, path));
    lb_plot_hline(a, lb_spec_number(s->spec, path), style, text);
}

/* Retention where there is one, and always the gain that it divides. */
static void figure_retention(lb_study *s, const result *r)
{
    const bool told = !*r->rho[LEARNED_SOFT].na;
    char *stem = lb_study_figure(s, "F14.1"), *title = title_of(s, "What each gate keeps"),
         text[48];
    lb_figure *f = lb_figure_new(stem, 6.5, told ? 6.6 : 4.2, title,
                                 "Bars for seven ways without true labels: retention of the "
                                 "oracle's gain with both thresholds, and the gain in R2 itself.");
    if (told) {
        lb_axes *a = lb_figure_panel(f, 0, 0, 2, 1);
        if (isnan(r->rho[LEARNED_SOFT].ci_lo))
            points_of(f, a, r->rho, "retention ρ", "%.2f");
        else
            bars_of(a, r->rho, "retention ρ", "%.2f");
        threshold(s, a, "thresholds.rho_min", "least", LB_DASHED);
        threshold(s, a, "thresholds.rho_good", "usable", LB_DOTTED);
    }
    lb_axes *b = lb_figure_panel(f, told ? 1 : 0, 0, told ? 2 : 1, 1);
    bars_of(b, r->gain, "ΔR^{2} against the global model", "%+.4f");
    snprintf(text, sizeof text, "oracle %+.4f", r->gain[ORACLE].value);
    lb_plot_hline(b, r->gain[ORACLE].value, lb_style_role(LB_ORACLE), text);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

/* Intervals with too few rows to say anything are left out. */
static void reliability_line(lb_axes *a, const lb_reliability_bin *bin, size_t fewest,
                             lb_style style, const char *label)
{
    double x[INTERVALS], y[INTERVALS];
    size_t n = 0;
    for (size_t i = 0; i < INTERVALS; i++)
        if (bin[i].n >= fewest) {
            x[n] = bin[i].confidence;
            y[n++] = bin[i].accuracy;
        }
    lb_plot_line(a, x, y, n, style, label);
}

static void figure_reliability(lb_study *s, const gate *g, const lb_domains *cells, result *r)
{
    static const size_t colour[] = {[SCORES] = 0, [PIXELS] = 4, [WINDOWS] = 2, [PSEUDO] = 5};
    const size_t fewest = lb_spec_size(s->spec, "settings.reliability_rows");
    char *stem = lb_study_figure(s, "F14.2");
    char *title = title_of(s, "Does a gate that says 0.8 hit in eight of ten cases?");
    lb_figure *f = lb_figure_new(stem, 6.5, 4.3, title,
                                 "Reliability diagrams: share of rows that are of a cell against "
                                 "the probability given, for the learned gate cell by cell and "
                                 "for the named cell of four gates.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 2), *b = lb_figure_panel(f, 0, 1, 1, 2);
    lb_axes_title(a, "learned gate, each cell");
    lb_axes_title(b, "the cell named, each gate");
    for (size_t k = 0; k < CELLS && lb_study_ok(s); k++) {
        lb_number ece;
        lb_study_take(s, lb_reliability(s->data.all, lb_mat_const(g[SCORES].test), cells->test,
                                        (int)k, r->by_cell[k], INTERVALS, &ece, s->err));
        lb_study_put(s, ece, "learned.ece_cell%zu", k);
        reliability_line(a, r->by_cell[k], fewest,
                         lb_style_category(k == 0   ? 4
                                           : k == 1 ? 0
                                                    : 2),
                         cell_name[k]);
    }
    for (size_t q = 0; q < GATES; q++)
        reliability_line(b, r->top[q], fewest, lb_style_category(colour[q]), GATE_NAME[q]);
    lb_axes *const both[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        lb_axes_x(both[i], i ? "largest probability" : "probability of the cell", i ? 0.3 : 0.0,
                  1.0, LB_LINEAR);
        lb_axes_y(both[i], i ? "share named correctly" : "share of rows in the cell", 0.0, 1.05,
                  LB_LINEAR);
        lb_plot_identity(both[i], "calibrated");
    }
    char note[96];
    snprintf(note, sizeof note,
             "%d equal intervals of probability; those with fewer than %zu rows "
             "have no point.",
             INTERVALS, fewest);
    lb_figure_note(f, note);
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

static void figure_penalty(lb_study *s, const gate *g)
{
    char *stem = lb_study_figure(s, "F14.3");
    char *title = title_of(s, "The penalty of the learned gates"), text[48];
    lb_figure *f = lb_figure_new(stem, 6.0, 4.2, title,
                                 "Log-loss on validation rows against the inverse penalty for both "
                                 "inputs of the learned gate, the chosen ones marked.");
    lb_axes *a = lb_figure_panel(f, 0, 0, 1, 1);
    lb_axes_x(a, "inverse penalty C", NAN, NAN, LB_LOG10);
    lb_axes_y(a, "log-loss, validation", 0.0, NAN, LB_LINEAR);
    for (size_t q = SCORES; q <= PIXELS; q++) {
        const lb_style style = q == SCORES ? lb_style_role(LB_MIXTURE) : lb_style_category(4);
        char *series = lb_xprintf("F14.3/%s", GATE[q]);
        lb_plot_line(a, g[q].C, g[q].log_loss, g[q].n_c, style, GATE_NAME[q]);
        snprintf(text, sizeof text, "C = %g", g[q].C[g[q].best]);
        lb_plot_highlight(a, g[q].C[g[q].best], g[q].log_loss[g[q].best], style, text);
        lb_record_series(s->record, series, g[q].log_loss, g[q].n_c);
        free(series);
    }
    lb_study_take(s, lb_figure_close(f, s->err));
    free(title);
    free(stem);
}

/* --- the experiment -----------------------------------------------------------------------------
 */

/* Everything that is fitted: experts, the four gates, the predictor and the conditional model. */
typedef struct fitted {
    lb_domains cells;
    lb_moe moe;
    lb_guess mh;
    lb_conditional *conditional;
    gate gate[GATES];
} fitted;

static void fit_experts(lb_study *s, double noise, fitted *m, lb_gate_inputs *inputs)
{
    const lb_cohort *c = &s->data;
    const lb_noise_seeds seeds = lb_noise_seeds_of(s->spec);
    lb_pca *pca = NULL;
    lb_moe_options o = {.extend_decades = (int)lb_spec_size(s->spec, "ridge.extend_decades"),
                        .standardise = lb_spec_flag(s->spec, "ridge.standardise")};
    o.alphas.data = lb_spec_numbers(s->spec, "ridge.alphas", &o.alphas.n);
    lb_moe_rows *rows = lb_moe_gather(s, c, noise, seeds, &m->cells, 1);
    if (lb_study_ok(s))
        lb_moe_fit_rows(s, rows, o, &m->moe);
    if (lb_study_ok(s))
        lb_study_take(s, lb_pca_fit(lb_moe_rows_gram(rows), NULL,
                                    lb_spec_size(s->spec, "settings.components"), &pca, s->err));
    lb_moe_rows_free(rows);
    lb_gate_inputs_with(s, c, noise, seeds, &lb_windows_four, (lb_window_options){0}, pca, inputs);
    lb_pca_free(pca);
}

static void fit_all(lb_study *s, double noise, const double *inner, fitted *m)
{
    const lb_cohort *c = &s->data;
    const lb_noise_seeds seeds = lb_noise_seeds_of(s->spec);
    const size_t lines = lb_windows_four.n_features;
    const lb_by_row truth = {c->train.mh, c->val.mh, c->test.mh};
    const double edges[] = {0.0, inner[0], inner[1], 0.0};
    lb_gate_inputs in = {0};
    m->cells = lb_domains_intervals(c, "[M/H], open ended", truth, edges, CELLS, true);
    fit_experts(s, noise, m, &in);
    if (lb_study_ok(s)) {
        const size_t n = in.n - lines;
        fit_gate(s, "settings.gate_c",
                 (lb_mat){in.train.data + lines, in.train.rows, n, in.train.stride},
                 (lb_mat){in.val.data + lines, in.val.rows, n, in.val.stride},
                 (lb_mat){in.test.data + lines, in.test.rows, n, in.test.stride}, &m->cells,
                 &m->gate[SCORES]);
        windows_gate(s, &in, &m->cells, &m->gate[WINDOWS]);
        pixels_gate(s, noise, &m->cells, &m->gate[PIXELS]);
    }
    lb_gate_inputs_free(&in);
    lb_guess_make(s, c, noise, seeds, truth, lb_spec_size(s->spec, "settings.folds"),
                  lb_spec_size(s->spec, "settings.seed"), &m->mh);
    m->conditional = lb_guess_condition(s, c, noise, seeds, &m->mh);
    if (lb_study_ok(s))
        pseudo_gate(&m->mh, inner, &m->gate[PSEUDO]);
}

static void score_all(lb_study *s, const fitted *m, result *r)
{
    const lb_cohort *c = &s->data;
    const lb_experts experts = {.yhat = lb_mat_const(m->moe.yhat[0]),
                                .global = m->moe.global.yhat_chosen};
    lb_routed by[GATES] = {{{0}, {0}, {0}, {0}}};
    for (size_t g = 0; g < GATES; g++)
        lb_route(s, experts, lb_mat_const(m->gate[g].test), 0.0, &by[g]);
    if (!lb_study_ok(s))
        return;
    const lb_entry entries[] = {
        [GLOBAL] = {"global", m->moe.global.yhat_chosen, false},
        [ORACLE] = {"oracle", m->moe.mixture[0], true},
        [PSEUDO_HARD] = {"pseudo, hard", by[PSEUDO].hard, false},
        [PSEUDO_SOFT] = {"pseudo, soft", by[PSEUDO].soft, false},
        [LEARNED_HARD] = {"learned, hard", by[SCORES].hard, false},
        [LEARNED_SOFT] = {"learned, soft", by[SCORES].soft, false},
        [PIXELS_SOFT] = {"pixels, soft", by[PIXELS].soft, false},
        [WINDOWS_SOFT] = {"windows, soft", by[WINDOWS].soft, false},
        [CONDITIONAL] = {"conditional", lb_conditional_get(m->conditional, 0).yhat_chosen, false}};
    lb_contest *t = lb_contest_on(s, c, c->all, entries, MODELS);
    put_scores(s, t, r);
    put_precondition(s, &r->rho[PSEUDO_HARD], &r->gain[ORACLE]);
    lb_contest_free(t);
    put_cells(s, &m->cells, entries, r);
    put_baseline(s, &entries[GLOBAL]);
    for (size_t g = 0; g < GATES; g++) {
        put_gate(s, &m->gate[g], g, &m->cells, r);
        lb_routed_free(&by[g]);
    }
    lb_number predictor = lb_number_plain(m->mh.test.r2, "r2", "");
    predictor.n = c->test.n;
    lb_study_put(s, predictor, "mh_predictor.r2");
    lb_study_put(s, lb_number_plain(m->mh.test.rmse, "rmse", "dex"), "mh_predictor.rmse");
    lb_study_put(s, lb_number_plain(m->mh.val.rmse, "rmse", "dex"), "mh_predictor.rmse_validation");
    lb_study_put_alpha(s, &m->moe.global, "alpha.global");
    for (size_t k = 0; k < CELLS; k++) {
        const lb_sweep_model expert = lb_moe_expert(&m->moe, 0, k);
        lb_study_put_alpha(s, &expert, "alpha.cell%zu", k);
    }
}

static void run(lb_study *s)
{
    const double noise = lb_spec_number(s->spec, "noise.focus");
    size_t n_edges = 0;
    const double *inner = lb_spec_numbers(s->spec, "settings.mh_open_edges", &n_edges);
    fitted m = {0};
    result *r = lb_xcalloc(1, sizeof *r);
    if (n_edges != CELLS - 1)
        lb_study_take(s, LB_FAIL(s->err, LB_EINVAL,
                                 "%s: settings.mh_open_edges has %zu edges, %d "
                                 "are needed",
                                 lb_spec_path(s->spec), n_edges, CELLS - 1));
    if (lb_study_ok(s))
        fit_all(s, noise, inner, &m);
    if (lb_study_ok(s))
        score_all(s, &m, r);
    if (lb_study_ok(s)) {
        table_models(s, r);
        table_gates(s);
        table_differences(s);
        table_cells(s);
        figure_retention(s, r);
        figure_reliability(s, m.gate, &m.cells, r);
        figure_penalty(s, m.gate);
    }
    for (size_t g = 0; g < GATES; g++)
        gate_free(&m.gate[g]);
    lb_conditional_free(m.conditional);
    lb_guess_free(&m.mh);
    lb_moe_free(&m.moe);
    lb_domains_free(&m.cells);
    free(r);
}

int main(int argc, char **argv)
{
    const lb_experiment e = {"e14_learned_gate",
                             "A linear softmax on the spectrum as the gate of three Ridge experts, "
                             "against a threshold on a predicted [M/H].",
                             run, false};
    return lb_study_main(argc, argv, &e);
}
