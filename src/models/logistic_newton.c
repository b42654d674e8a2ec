/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/logistic_newton.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "linalg/cholesky.h"
#include "linalg/cross.h"
#include "models/logistic.h"

#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    S = LB_CROSS_STRIP,
    CHUNK = LB_LOGISTIC_CHUNK,
    BATCH = 16,  /* rows worked on while products are formed; divides CHUNK */
    ACROSS = 3,  /* classes, */
    DOWN = 2,    /* and strips or columns, that are summed side by side */
    TILE = 1024, /* products of features packed at a time */
    STEPS = 200,
    HALVINGS = 60,
    SINGLE = 512, /* unknowns below which threads do not pay for the factor */
};

/* Relative to the largest coefficient. */
#define NEGLIGIBLE 1e-8

/* Neighbours in memory that are worked on side by side: aligned, and anywhere. */
typedef double strip __attribute__((vector_size(S * sizeof(double)), may_alias));
typedef double loose
    __attribute__((vector_size(S * sizeof(double)), aligned(sizeof(double)), may_alias));

/* --- objective and gradient ------------------------------------------------------------------ */

/* exp(x) of x <= 0, 0 below -707. x = n ln 2 + r with a Taylor series for r, |r| <= ln 2 / 2 (its
 * next term is below 5e-18); n is added to the exponent. Adding 1.5 * 2^52 rounds x / ln 2 to n and
 * leaves n in the low bits. */
INLINE double exp_negative(double x)
{
    union {
        double f;
        uint64_t i;
    } n = {.f = x * 0x1.71547652b82fep0 + 0x1.8p52}, y;
    const double whole = n.f - 0x1.8p52;
    const double r = (x - whole * 0x1.62e42fefa3800p-1) - whole * 0x1.ef35793c76730p-45;
    y.f = 1.0 / 6227020800;
    y.f = y.f * r + 1.0 / 479001600;
    y.f = y.f * r + 1.0 / 39916800;
    y.f = y.f * r + 1.0 / 3628800;
    y.f = y.f * r + 1.0 / 362880;
    y.f = y.f * r + 1.0 / 40320;
    y.f = y.f * r + 1.0 / 5040;
    y.f = y.f * r + 1.0 / 720;
    y.f = y.f * r + 1.0 / 120;
    y.f = y.f * r + 1.0 / 24;
    y.f = y.f * r + 1.0 / 6;
    y.f = y.f * r + 0.5;
    y.f = y.f * r + 1.0;
    y.f = y.f * r + 1.0;
    y.i += n.i << 52;
    return x >= -707.0 ? y.f : 0.0;
}

INLINE void clear(strip sum[ACROSS][DOWN])
{
    for (size_t q = 0; q < ACROSS; q++)
        for (size_t i = 0; i < DOWN; i++)
            sum[q][i] = (strip){0.0};
}

/* z(k, t) = v_k'x_t for one chunk, a block of classes by strips of rows at a time. Beyond the last
 * class a block repeats it, for nothing; so does gradient_of(). */
INLINE void logits(const lb_logistic_rows *d, const double *v, const double *x, double *z)
{
    for (size_t k = 0; k < d->k; k += ACROSS)
        for (size_t t = 0; t < CHUNK; t += DOWN * S) {
            strip sum[ACROSS][DOWN];
            clear(sum);
            for (size_t j = 0; j < d->m; j++)
                for (size_t q = 0; q < ACROSS; q++)
                    for (size_t i = 0; i < DOWN; i++)
                        sum[q][i] += v[(k + q < d->k ? k + q : d->k - 1) * d->m + j] *
                                     *(const strip *)(x + j * CHUNK + t + i * S);
            for (size_t q = 0; q < ACROSS && k + q < d->k; q++)
                memcpy(z + (k + q) * CHUNK + t, sum[q], sizeof sum[q]);
        }
}

/* What a row's loss is made of: -log p of the true class is far + log(sum), and where that class
 * has nearly everything -log1p(-others), which keeps its digits. */
typedef struct row_sums {
    double top[CHUNK];    /* largest logit */
    double sum[CHUNK];    /* of exp(z - top) */
    double far[CHUNK];    /* top - z of the true class */
    double others[CHUNK]; /* probability of the classes that are not true */
} row_sums;

/* Logits in p become probabilities, and r(k, t) = p(k, t) - [label is k], the derivative of row t's
 * loss by logit k. For the true class that is minus the sum of the others: p - 1 would lose the
 * digits that matter when a row is all but certain. */
INLINE void residuals(const lb_logistic_rows *d, const double *label, double *p, double *r,
                      row_sums *s)
{
    *s = (row_sums){0};
    memcpy(s->top, p, sizeof s->top);
    for (size_t k = 1; k < d->k; k++)
        for (size_t t = 0; t < CHUNK; t++)
            s->top[t] = p[k * CHUNK + t] > s->top[t] ? p[k * CHUNK + t] : s->top[t];
    for (size_t k = 0; k < d->k; k++)
        for (size_t t = 0; t < CHUNK; t++) {
            const double below = p[k * CHUNK + t] - s->top[t];
            s->far[t] = label[t] == (double)k ? -below : s->far[t];
            p[k * CHUNK + t] = exp_negative(below);
            s->sum[t] += p[k * CHUNK + t];
        }
    for (size_t t = 0; t < CHUNK; t++)
        s->top[t] = 1.0 / s->sum[t];
    for (size_t k = 0; k < d->k; k++)
        for (size_t t = 0; t < CHUNK; t++) {
            p[k * CHUNK + t] *= s->top[t];
            r[k * CHUNK + t] = label[t] == (double)k ? 0.0 : p[k * CHUNK + t];
            s->others[t] += r[k * CHUNK + t];
        }
    for (size_t k = 0; k < d->k; k++)
        for (size_t t = 0; t < CHUNK; t++)
            r[k * CHUNK + t] -= label[t] == (double)k ? s->others[t] : 0.0;
}

/* g(k, j) += sum over t of r(k, t) x(t, j), rows t, t + S, t + 2 S ... in a lane of their own. */
INLINE void gradient_of(const lb_logistic_rows *d, const double *r, const double *x, strip *g)
{
    for (size_t k = 0; k < d->k; k += ACROSS)
        for (size_t j = 0; j < d->m; j += DOWN) {
            strip sum[ACROSS][DOWN];
            clear(sum);
            for (size_t t = 0; t < CHUNK; t += S)
                for (size_t q = 0; q < ACROSS; q++)
                    for (size_t i = 0; i < DOWN; i++)
                        sum[q][i] +=
                            *(const strip *)(r + (k + q < d->k ? k + q : d->k - 1) * CHUNK + t) *
                            *(const strip *)(x + (j + i < d->m ? j + i : d->m - 1) * CHUNK + t);
            for (size_t q = 0; q < ACROSS && k + q < d->k; q++)
                for (size_t i = 0; i < DOWN && j + i < d->m; i++)
                    g[(k + q) * d->m + j + i] += sum[q][i];
        }
}

LB_FOR_EVERY_CPU static void evaluate_chunk(const lb_logistic_rows *d, size_t first,
                                            const double *v, double *p, double *r, strip *g,
                                            row_sums *s)
{
    const double *x = d->x + first * d->m;
    logits(d, v, x, p);
    residuals(d, d->label + first, p, r, s);
    gradient_of(d, r, x, g); /* rows of the padding are 0 */
}

/* --- Newton's method ------------------------------------------------------------------------- */

/* One minimisation: the rows of all folds but one, one C. Unknowns v(class, column) of the packed
 * columns, element k * m + j. Sums over rows are not divided by n but where it says so. */
struct lb_logistic_newton {
    const lb_logistic_rows *d;
    int out;                            /* fold left out, -1: none */
    size_t n, iterations;               /* rows in; steps taken */
    double *penalty;                    /* (m) of v(k, j)^2 / 2; 0 for the intercept */
    double *v, *g, *step, *try, *try_g; /* (k m), parts of block */
    double *block;
    double f, gradient;      /* objective at v; largest |g| / n */
    double *p, *r;           /* (packed, k) probabilities; (parts, k, CHUNK) residuals */
    strip *part_g;           /* (parts, k, m), a lane for every S-th row */
    double *part_f;          /* (parts) */
    double *grams;           /* (parts, pairs, products) */
    double *gram, *h, *unit; /* their sum; (k m, k m) Hessian; (k m) 1 / sqrt(diagonal) */
    lb_cholesky *room;       /* its factor */
    bool factored;
};

void lb_logistic_newton_free(lb_logistic_newton *s)
{
    if (!s)
        return;
    free(s->penalty), free(s->block), free(s->p), free(s->part_g), free(s->part_f);
    free(s->grams), free(s->gram);
    lb_cholesky_free(s->room);
    free(s);
}

lb_logistic_newton *lb_logistic_newton_new(const lb_logistic_rows *d, int out)
{
    const size_t u = d->k * d->m;
    lb_logistic_newton *s = lb_xcalloc(1, sizeof *s);
    s->d = d, s->out = out;
    s->penalty = lb_xcalloc(d->m, sizeof *s->penalty);
    s->block = s->v = lb_xcalloc(6 * u, sizeof *s->v);
    s->g = s->v + u, s->step = s->g + u, s->try = s->step + u, s->try_g = s->try + u;
    s->unit = s->try_g + u;
    s->p = lb_xaligned((d->packed + d->n_parts * CHUNK) * d->k, sizeof *s->p);
    s->r = s->p + d->packed * d->k;
    s->part_g = lb_xaligned(d->n_parts * u, sizeof *s->part_g);
    s->part_f = lb_xcalloc(d->n_parts, sizeof *s->part_f);
    s->grams = lb_xaligned(d->n_parts * d->pairs * d->products, sizeof *s->grams);
    s->gram = lb_xcalloc(d->pairs * d->products + u * u, sizeof *s->gram);
    s->h = s->gram + d->pairs * d->products;
    s->room = lb_cholesky_new(u);
    for (size_t i = 0; i < d->n_parts; i++)
        s->n += d->parts[i].fold != out ? d->parts[i].rows : 0;
    return s;
}

/* Loss and its gradient over one part, probabilities on the way. */
static void evaluate_part(lb_logistic_newton *s, size_t i, const double *v)
{
    const lb_logistic_rows *d = s->d;
    const lb_logistic_part *at = &d->parts[i];
    strip *g = s->part_g + i * d->k * d->m;
    double loss = 0.0;
    row_sums sums;
    memset(g, 0, d->k * d->m * sizeof *g);
    for (size_t done = 0; done < at->rows; done += CHUNK) {
        const size_t first = at->first + done, rest = at->rows - done;
        evaluate_chunk(d, first, v, s->p + first * d->k, s->r + i * d->k * CHUNK, g, &sums);
        for (size_t t = 0; t < CHUNK && t < rest; t++)
            loss += sums.others[t] < 0.3 ? -log1p(-sums.others[t]) : sums.far[t] + log(sums.sum[t]);
    }
    s->part_f[i] = loss;
}

/* Objective at v, and its gradient. */
static double evaluate(lb_logistic_newton *s, const double *v, double *g)
{
    const lb_logistic_rows *d = s->d;
#pragma omp parallel for schedule(dynamic, 1) if (d->threads)
    for (size_t i = 0; i < d->n_parts; i++)
        if (d->parts[i].fold != s->out)
            evaluate_part(s, i, v);
    double f = 0.0;
    for (size_t k = 0; k < d->k; k++)
        for (size_t j = 0; j < d->m; j++) {
            const double v_kj = v[k * d->m + j];
            f += 0.5 * s->penalty[j] * v_kj * v_kj;
            g[k * d->m + j] = s->penalty[j] * v_kj;
        }
    for (size_t i = 0; i < d->n_parts; i++) {
        if (d->parts[i].fold == s->out)
            continue;
        f += s->part_f[i];
        for (size_t u = 0; u < d->k * d->m; u++)
            for (size_t lane = 0; lane < S; lane++)
                g[u] += s->part_g[i * d->k * d->m + u][lane];
    }
    return f;
}

/*
 * Products of pairs of columns go by cyclic diagonals, so that each is one stretch of memory:
 * number (d - d0) m + b is column b times column (b + d) mod m, for d0 <= d <= m / 2 and b < m, or
 * b < m / 2 where 2 d = m. Features start at d0 = 0, the squares; classes at 1.
 */
static size_t pair_number(size_t m, size_t d0, size_t a, size_t b)
{
    const size_t up = (b + m - a) % m, down = m - up;
    return up < down || (up == down && a < b) ? (up - d0) * m + a : (down % m - d0) * m + b;
}

/* Products of diagonals from .. to-1 for some rows, as strips for lb_cross_add(). Column b of row t
 * is x[b * CHUNK + t]. Products are made S at a time, those too many overwritten by the next
 * diagonal. It goes by a few rows, so that nothing is read back just after it was written in pieces
 * of another size. Scratch: BATCH rows of 2 m + S zeros and of (to - from) m + S. */
LB_FOR_EVERY_CPU static void pack_pairs(size_t rows, const double *x, size_t m, size_t from,
                                        size_t to, double *scratch, double *out)
{
    const size_t twice = 2 * m + S, flat = (to - from) * m + S;
    double *products = scratch + BATCH * twice;
    for (size_t t0 = 0; t0 < rows; t0 += BATCH) {
        for (size_t b = 0; b < m; b++)
            for (size_t t = 0; t < BATCH; t++)
                scratch[t * twice + b] = scratch[t * twice + m + b] = x[b * CHUNK + t0 + t];
        size_t cols = 0;
        for (size_t t = 0; t < BATCH; t++) {
            const double *row = scratch + t * twice;
            cols = 0;
            for (size_t d = from; d < to; d++) {
                const size_t n = 2 * d == m ? m / 2 : m;
                for (size_t b = 0; b < n; b += S)
                    *(loose *)(products + t * flat + cols + b) =
                        *(const loose *)(row + b) * *(const loose *)(row + b + d);
                cols += n;
            }
        }
        for (size_t t = 0; t < BATCH; t++)
            for (size_t i = 0; i < cols; i += S)
                *(strip *)(out + i * CHUNK + (t0 + t) * S) = *(loose *)(products + t * flat + i);
    }
}

/*
 * What the Hessian is made of, for one part: gram(q, c) = sum over rows of p_k p_l x_a x_b for the
 * pair q = (k, l) of classes and c = (a, b) of columns.
 */
static void weigh_part(lb_logistic_newton *s, size_t i)
{
    const lb_logistic_rows *d = s->d;
    const lb_logistic_part *at = &d->parts[i];
    const size_t diagonals = d->m / 2 + 1, some = TILE / d->m + 1, wide = some * d->m;
    double *gram = s->grams + i * d->pairs * d->products;
    double *weights = lb_xaligned(lb_strips_size(CHUNK, d->pairs), sizeof *weights);
    double *products = lb_xaligned(lb_strips_size(CHUNK, wide), sizeof *products);
    double *scratch =
        lb_xcalloc(BATCH * (2 * (d->m + d->k) + wide + d->k * d->k + 2 * S), sizeof *scratch);
    memset(gram, 0, d->pairs * d->products * sizeof *gram);
    for (size_t done = 0; done < at->rows; done += CHUNK) {
        const size_t first = at->first + done;
        const size_t rows = at->rows - done < CHUNK ? at->rows - done : CHUNK;
        pack_pairs(rows, s->p + first * d->k, d->k, 1, d->k / 2 + 1, scratch, weights);
        for (size_t from = 0; from < diagonals; from += some) {
            const size_t to = from + some < diagonals ? from + some : diagonals;
            const size_t c0 = from * d->m, c1 = to * d->m;
            const size_t cols = (c1 < d->products ? c1 : d->products) - c0;
            pack_pairs(rows, d->x + first * d->m, d->m, from, to, scratch, products);
            lb_cross_add((lb_strips){weights, rows, d->pairs, CHUNK},
                         (lb_strips){products, rows, cols, CHUNK}, false,
                         (lb_mat){gram + c0, d->pairs, cols, d->products});
        }
    }
    free(weights), free(products), free(scratch);
}

/*
 * The Hessian from the sums of weigh_part() for the parts that are in:
 *   H(ka, lb) = -gram(kl, ab) for k != l,  H(ka, kb) = sum over l != k of gram(kl, ab) + penalty,
 * the second because p_k (1 - p_k) is the sum of p_k p_l. Column by column it is then raised along
 * the direction that changes no probability, to its own mean.
 */
static void assemble(lb_logistic_newton *s, const double *grams)
{
    const lb_logistic_rows *d = s->d;
    const size_t m = d->m, u = d->k * m, size = d->pairs * d->products;
    memset(s->gram, 0, (size + u * u) * sizeof *s->gram);
    for (size_t i = 0; i < d->n_parts; i++)
        for (size_t c = 0; c < size && d->parts[i].fold != s->out; c++)
            s->gram[c] += grams[i * size + c];
    for (size_t k = 0; k < d->k; k++)
        for (size_t l = 0; l < d->k; l++)
            for (size_t a = 0; a < m && k != l; a++)
                for (size_t b = 0; b < m; b++) {
                    const double sum =
                        s->gram[pair_number(d->k, 1, k, l) * d->products + pair_number(m, 0, a, b)];
                    s->h[(k * m + a) * u + l * m + b] = -sum;
                    s->h[(k * m + a) * u + k * m + b] += sum;
                }
    for (size_t a = 0; a < m; a++) {
        double mean = 0.0;
        for (size_t k = 0; k < d->k; k++)
            mean += s->h[(k * m + a) * (u + 1)] / (double)d->k;
        for (size_t k = 0; k < d->k; k++) {
            for (size_t l = 0; l < d->k; l++)
                s->h[(k * m + a) * u + l * m + a] += mean / (double)d->k;
            s->h[(k * m + a) * (u + 1)] += s->penalty[a];
        }
    }
}

/* Factor it with a diagonal of ones, and where rounding has left it indefinite with the least of a
 * few shifts that helps: the steps are then shorter, their direction still downhill. */
static lb_status factor(lb_logistic_newton *s, const double *grams, lb_error *err)
{
    const size_t u = s->d->k * s->d->m;
    const int threads = omp_get_max_threads();
    if (u < SINGLE)
        omp_set_num_threads(1); /* lb_cholesky_factor() asks for all */
    assemble(s, grams);
    for (size_t i = 0; i < u; i++)
        s->unit[i] = s->h[i * (u + 1)] > 0.0 ? 1.0 / sqrt(s->h[i * (u + 1)]) : 1.0;
    lb_status st = LB_ENUMERIC;
    for (double shift = 0.0; st != LB_OK && shift <= 1.0; shift = shift > 0 ? 1e3 * shift : 1e-15) {
        for (size_t j = 0; j < u; j++)
            for (size_t i = 0; i <= j; i++)
                *lb_cholesky_place(s->room, i, j) = s->h[i * u + j] * s->unit[i] * s->unit[j];
        st = lb_cholesky_factor(s->room, shift, NULL);
    }
    omp_set_num_threads(threads);
    s->factored = st == LB_OK;
    if (st != LB_OK)
        return LB_FAIL(err, st, "logistic regression: a Hessian of %zu unknowns cannot be factored",
                       u);
    return LB_OK;
}

lb_status lb_logistic_newton_factor(lb_logistic_newton *s, lb_error *err)
{
    const lb_logistic_rows *d = s->d;
#pragma omp parallel for schedule(dynamic, 1) if (d->threads)
    for (size_t i = 0; i < d->n_parts; i++)
        if (d->parts[i].fold != s->out)
            weigh_part(s, i);
    return factor(s, s->grams, err);
}

lb_status lb_logistic_newton_factor_as(lb_logistic_newton *s, const lb_logistic_newton *other,
                                       lb_error *err)
{
    return factor(s, other->grams, err);
}

/* step = -H^-1 g, its sums over the classes cleared of rounding. */
static void find_step(lb_logistic_newton *s)
{
    const size_t k = s->d->k, m = s->d->m, u = k * m;
    for (size_t i = 0; i < u; i++)
        s->step[i] = -s->g[i] * s->unit[i];
    lb_cholesky_solve(s->room, (lb_vec){s->step, u});
    for (size_t j = 0; j < m; j++) {
        double mean = 0.0;
        for (size_t i = j; i < u; i += m)
            mean += s->step[i] * s->unit[i] / (double)k;
        for (size_t i = j; i < u; i += m)
            s->step[i] = s->step[i] * s->unit[i] - mean;
    }
}

/* Whether the step is next to nothing, in the packed columns and per unit of x. */
static bool step_is_small(const lb_logistic_newton *s)
{
    const size_t m = s->d->m, u = s->d->k * m;
    double v = 0.0, step = 0.0, w = 0.0, step_w = 0.0;
    for (size_t i = 0; i < u; i++) {
        v = fmax(v, fabs(s->v[i]));
        step = fmax(step, fabs(s->step[i]));
        if (i % m == 0)
            continue;
        const double sd = s->d->sd[i % m - 1];
        w = fmax(w, fabs(s->v[i]) / sd);
        step_w = fmax(step_w, fabs(s->step[i]) / sd);
    }
    return step <= NEGLIGIBLE * v && step_w <= NEGLIGIBLE * w;
}

static double slope(const lb_logistic_newton *s, const double *g)
{
    double sum = 0.0;
    for (size_t i = 0; i < s->d->k * s->d->m; i++)
        sum += g[i] * s->step[i];
    return sum;
}

static void arrive(lb_logistic_newton *s, double f)
{
    double *v = s->v, *g = s->g;
    s->v = s->try, s->try = v;
    s->g = s->try_g, s->try_g = g;
    s->f = f;
    s->gradient = 0.0;
    for (size_t i = 0; i < s->d->k * s->d->m; i++)
        s->gradient = fmax(s->gradient, fabs(s->g[i]) / (double)s->n);
}

/* Go along the step as far as the objective falls enough: all of it, or a part found from the two
 * slopes. Returns the part, 0 if there is none. */
static double advance(lb_logistic_newton *s)
{
    const double before = slope(s, s->g);
    double share = 1.0;
    for (int i = 0; i < HALVINGS; i++) {
        for (size_t j = 0; j < s->d->k * s->d->m; j++)
            s->try[j] = s->v[j] + share * s->step[j];
        const double f = evaluate(s, s->try, s->try_g), after = slope(s, s->try_g);
        if (f <= s->f + 1e-4 * share * before ||
            (f <= s->f * (1.0 + 1e-12) && fabs(after) <= 0.8 * fabs(before))) {
            arrive(s, f);
            s->iterations++;
            return share;
        }
        const double zero = before / (before - after); /* of the slope, were it linear */
        share *= zero > 0.1 ? fmin(zero, 0.5) : 0.1;
    }
    return 0.0;
}

lb_status lb_logistic_newton_minimise(lb_logistic_newton *s, lb_error *err)
{
    double last = INFINITY; /* gradient before the last step */
    bool whole = true;      /* that step was not shortened */
    bool newton = false;    /* nor was its Hessian that of another place */
    memcpy(s->try, s->v, s->d->k * s->d->m * sizeof *s->v);
    arrive(s, evaluate(s, s->try, s->try_g));
    for (int steps = 0; steps < STEPS; steps++) {
        const bool stalled = newton && s->gradient > 0.5 * last;
        if (s->factored)
            find_step(s);
        if (s->factored && s->gradient <= LB_LOGISTIC_GRADIENT && (stalled || step_is_small(s)))
            return LB_OK;
        const bool fresh = !s->factored || !whole || s->gradient > 0.1 * last;
        if (fresh) {
            const lb_status st = lb_logistic_newton_factor(s, err);
            if (st != LB_OK)
                return st;
            find_step(s);
        }
        last = s->gradient;
        const double share = advance(s);
        if (share == 0.0 && s->gradient <= LB_LOGISTIC_GRADIENT)
            return LB_OK; /* as far down as rounding lets it go */
        if (share == 0.0)
            break;
        whole = share == 1.0;
        newton = whole && fresh;
    }
    return LB_FAIL(err, LB_ENUMERIC,
                   "logistic regression on %zu rows stopped after %zu steps at a gradient of %g a "
                   "row, wanted %g: a smaller C helps where classes are separable",
                   s->n, s->iterations, s->gradient, LB_LOGISTIC_GRADIENT);
}

lb_status lb_logistic_newton_penalise(lb_logistic_newton *s, double C, bool standardise,
                                      lb_error *err)
{
    for (size_t j = 1; j < s->d->m; j++) {
        const double sd = standardise ? 1.0 : s->d->sd[j - 1];
        s->penalty[j] = 1.0 / C / sd / sd;
        if (!(C > 0.0 && s->penalty[j] > 0.0 && isfinite(s->penalty[j])))
            return LB_FAIL(err, LB_EINVAL,
                           "C = %g, must be positive and 1 / C in range for columns of standard "
                           "deviation %g",
                           C, sd);
    }
    return LB_OK;
}

void lb_logistic_newton_score(lb_logistic_newton *s, double *log_loss, double *accuracy)
{
    const lb_logistic_rows *d = s->d;
    size_t n = 0, hits = 0;
    double loss = 0.0;
    for (size_t i = 0; i < d->n_parts; i++) {
        const lb_logistic_part *at = &d->parts[i];
        if (at->fold != s->out)
            continue;
        evaluate_part(s, i, s->v);
        loss += s->part_f[i];
        n += at->rows;
        for (size_t r = at->first; r < at->first + at->rows; r++) {
            const double *p = s->p + r / CHUNK * CHUNK * d->k + r % CHUNK;
            size_t top = 0;
            for (size_t k = 1; k < d->k; k++)
                top = p[k * CHUNK] > p[top * CHUNK] ? k : top;
            hits += (double)top == d->label[r];
        }
    }
    *log_loss = loss / (double)n;
    *accuracy = (double)hits / (double)n;
}

double *lb_logistic_newton_place(lb_logistic_newton *s)
{
    return s->v;
}

double lb_logistic_newton_gradient(const lb_logistic_newton *s)
{
    return s->gradient;
}

size_t lb_logistic_newton_steps(const lb_logistic_newton *s)
{
    return s->iterations;
}
