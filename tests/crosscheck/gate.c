/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gates trained on the regression loss, for gate.py: NumPy and PyTorch train the same networks from
 * the same weights on the same batches. Cases: MLP and linear, each with batches of 64 and 256. */
#include "models/gate.h"
#include "core/memory.h"
#include "core/progress.h"
#include "core/random.h"
#include "crosscheck/witness.h"

#include <math.h>
#include <stdlib.h>

enum { F = 13, H = 64, K = 9, CASES = 4 };

static const struct {
    const char *name;
    size_t hidden, batch;
} cases[CASES] = {{"mlp64", H, 64}, {"mlp256", H, 256}, {"linear64", 0, 64}, {"linear256", 0, 256}};

/* Each expert is good near its own centre in the space of the first three features, so that the
 * best mixture is neither one expert nor the mean of all. */
static void rows_make(double *x, double *e, double *y, size_t n, uint64_t stream)
{
    lb_rng rng = lb_rng_make(7, stream);
    for (size_t i = 0; i < n; i++) {
        double *xi = x + i * F;
        for (size_t f = 0; f < F; f++)
            xi[f] = 3.7 * (double)f + (0.2 + (double)f) * lb_rng_normal(&rng);
        y[i] = 1.0 + 4.0 * lb_rng_uniform(&rng);
        for (size_t k = 0; k < K; k++) {
            const double a = (xi[0] / 0.2) - ((double)(k / 3) - 1.0);
            const double b = (xi[1] - 3.7) / 1.2 - ((double)(k % 3) - 1.0);
            e[i * K + k] = y[i] + 0.4 * (a + 0.5 * b) + 0.1 * lb_rng_normal(&rng);
        }
    }
}

static void save_orders(witness *w, const char *name, size_t n, size_t epochs)
{
    size_t *order = lb_xcalloc(n, sizeof *order);
    int *all = lb_xcalloc(n * epochs, sizeof *all);
    for (size_t t = 0; t < epochs; t++) {
        lb_gate_order(42, t + 1, order, n);
        for (size_t i = 0; i < n; i++)
            all[t * n + i] = (int)order[i];
    }
    witness_save_ints(w, name, all, n * epochs);
    free(order);
    free(all);
}

/* With --full as many runs as take the time of the five in NumPy; the best counts for both. */
static void train(witness *w, size_t c, lb_gate_rows data, lb_gate_rows held, lb_gate_options o)
{
    const lb_gate_shape shape = {F, cases[c].hidden, K};
    const size_t runs = w->full ? 30 : 1;
    double best = INFINITY;
    lb_gate *gate = NULL;
    lb_gate_curve curve = {0};
    o.batch = cases[c].batch;
    for (size_t run = 0; run < runs && w->status == LB_OK; run++) {
        lb_gate_free(gate);
        if ((w->status = lb_gate_new(shape, 11 + c, &gate, &w->err)) != LB_OK)
            break;
        char *start = lb_xprintf("%s_start", cases[c].name);
        witness_save(w, start, gate->weights.data, gate->weights.n, 0, 0);
        free(start);
        const double since = lb_clock();
        w->status = lb_gate_train(gate, data, held, o, &curve, &w->err);
        best = fmin(best, lb_clock() - since);
    }
    if (w->status == LB_OK) {
        char *train_name = lb_xprintf("%s_train", cases[c].name);
        char *held_name = lb_xprintf("%s_validation", cases[c].name);
        char *end = lb_xprintf("%s_end", cases[c].name);
        char *facts = lb_xprintf("%s_facts", cases[c].name);
        const int fact[] = {(int)curve.epochs, (int)curve.best, curve.patience_spent,
                            curve.converged};
        witness_save(w, train_name, curve.train, curve.epochs, 0, 0);
        witness_save(w, held_name, curve.validation, curve.epochs, 0, 0);
        witness_save(w, end, gate->weights.data, gate->weights.n, 0, 0);
        witness_save_ints(w, facts, fact, sizeof fact / sizeof *fact);
        witness_timed(w, cases[c].name, lb_clock() - best);
        free(train_name);
        free(held_name);
        free(end);
        free(facts);
    }
    lb_gate_free(gate);
    lb_gate_curve_free(&curve);
}

int main(int argc, char **argv)
{
    witness w = witness_begin(argc, argv);
    const size_t n = w.full ? 26609 : 900, held = w.full ? 828 : 200, all = n + held;
    lb_gate_options o = LB_GATE_DEFAULT;
    o.epochs = w.full ? 10 : 20; /* in the check two cases spend their patience, two go on */
    o.max_epochs = w.full ? 10 : 40;
    o.patience = 10;
    o.adam.rate = w.full ? 1e-3 : 1e-2;
    double *x = lb_xcalloc(all * F, sizeof *x), *e = lb_xcalloc(all * K, sizeof *e);
    double *y = lb_xcalloc(all, sizeof *y);
    rows_make(x, e, y, all, 1);
    const lb_gate_rows training = {{x, n, F, F}, {e, n, K, K}, {y, n}};
    const lb_gate_rows validation = {
        {x + n * F, held, F, F}, {e + n * K, held, K, K}, {y + n, held}};
    const int sizes[] = {(int)n,
                         (int)H,
                         (int)o.epochs,
                         (int)o.patience,
                         (int)o.max_epochs,
                         (int)(o.adam.rate * 1e6 + 0.5)};
    witness_save(&w, "x", x, all, F, 0);
    witness_save(&w, "experts", e, all, K, 0);
    witness_save(&w, "y", y, all, 0, 0);
    witness_save_ints(&w, "sizes", sizes, sizeof sizes / sizeof *sizes);
    save_orders(&w, "orders", n, o.max_epochs);
    for (size_t c = 0; c < CASES; c++)
        train(&w, c, training, validation, o);
    free(x);
    free(e);
    free(y);
    return witness_end(&w);
}
