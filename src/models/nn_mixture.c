/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/nn_mixture.h"

#include "core/memory.h"
#include "linalg/multiply.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 256,      /* rows predicted at a time, at least */
    GATE_NUMBER = 15, /* keys of random numbers: experts are 0 .. K - 1 */
    K_MAX = LB_NN_EXPERTS_MAX,
};

/* K experts and, last, the gate: K + 1 networks. */
struct lb_nn_mixture {
    size_t experts;
    lb_net *net[K_MAX + 1];
    lb_scaler scaler, gate_scaler;
    lb_training training;
};

/* Room for a block of rows on their way through all networks. */
typedef struct passage {
    lb_net_work *work[K_MAX + 1];
    lb_matf x, g;      /* standardised spectra and gate features */
    lb_mat out, p;     /* (rows, K) */
    lb_mat d_out, d_p; /* the loss by them */
    double *y;
} passage;

/* A mixture while it learns. */
typedef struct pupil {
    lb_nn_mixture *m;
    const lb_nn_mixture_task *task;
    lb_source features;
    passage way;
    lb_adam *adam[K_MAX + 1];
    double *best[K_MAX + 1];
} pupil;

static void softmax(double *z, size_t k)
{
    double top = z[0], sum = 0.0;
    for (size_t j = 1; j < k; j++)
        top = fmax(top, z[j]);
    for (size_t j = 0; j < k; j++)
        sum += z[j] = exp(z[j] - top);
    for (size_t j = 0; j < k; j++)
        z[j] /= sum;
}

static double mix(const double *p, const double *o, size_t k)
{
    double yhat = 0.0;
    for (size_t j = 0; j < k; j++)
        yhat += p[j] * o[j];
    return yhat;
}

double lb_nn_mixture_loss(lb_cvec y, lb_cmat o, lb_mat p, double balance, lb_mat d_out, lb_mat d_p,
                          double *squares)
{
    const size_t n = y.n, k = o.cols;
    double mean[K_MAX] = {0.0}, pull[K_MAX], entropy = 0.0;
    /* 1. p = softmax(logits), pbar, H(pbar); d(-balance H)/dp = balance (ln pbar + 1) / n. */
    for (size_t i = 0; i < n; i++) {
        softmax(p.data + i * p.stride, k);
        for (size_t j = 0; j < k; j++)
            mean[j] += p.data[i * p.stride + j] / (double)n;
    }
    for (size_t j = 0; j < k; j++) {
        const double log_mean = log(fmax(mean[j], DBL_MIN)); /* an expert may be as good as dead */
        entropy -= mean[j] * log_mean;
        pull[j] = balance * (log_mean + 1.0) / (double)n;
    }
    /* 2. e = sum_k p_k o_k - y; dloss/do_k = 2 e p_k / n; by the logits through the softmax,
     * dp_j/dz_k = p_k ([j = k] - p_j): dloss/dz_k = p_k (dloss/dp_k - sum_j p_j dloss/dp_j). */
    *squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double *pi = p.data + i * p.stride, *oi = o.data + i * o.stride;
        const double e = mix(pi, oi, k) - y.data[i], slope = 2.0 * e / (double)n;
        double by_p[K_MAX];
        for (size_t j = 0; j < k; j++)
            by_p[j] = slope * oi[j] + pull[j];
        const double level = mix(pi, by_p, k);
        for (size_t j = 0; j < k; j++) {
            d_out.data[i * d_out.stride + j] = slope * pi[j];
            d_p.data[i * d_p.stride + j] = pi[j] * (by_p[j] - level);
        }
        *squares += e * e;
    }
    return *squares / (double)n - balance * entropy;
}

static lb_matf room_f(size_t rows, size_t cols)
{
    const size_t stride = lb_multiply_stride(cols);
    return (lb_matf){lb_xaligned(rows * stride, sizeof(float)), rows, cols, stride};
}

static passage passage_new(const lb_nn_mixture *m, size_t rows)
{
    const size_t k = m->experts;
    passage w = {.x = room_f(rows, m->scaler.cols),
                 .g = room_f(rows, m->gate_scaler.cols),
                 .out = lb_mat_new(rows, k),
                 .p = lb_mat_new(rows, k),
                 .d_out = lb_mat_new(rows, k),
                 .d_p = lb_mat_new(rows, k),
                 .y = lb_xcalloc(rows, sizeof(double))};
    for (size_t j = 0; j <= k; j++)
        w.work[j] = lb_net_work_new(m->net[j], rows);
    return w;
}

static void passage_free(passage *w)
{
    for (size_t j = 0; j <= K_MAX; j++)
        lb_net_work_free(w->work[j]);
    free(w->x.data);
    free(w->g.data);
    free(w->out.data);
    free(w->p.data);
    free(w->d_out.data);
    free(w->d_p.data);
    free(w->y);
}

static lb_cmatf first_rows(lb_matf m, size_t n)
{
    return (lb_cmatf){m.data, n, m.cols, m.stride};
}

/* Rows through all networks: outputs of the experts into way->out, logits of the gate into way->p.
 */
static lb_status forward(const lb_nn_mixture *m, passage *way, lb_source x, lb_source g,
                         const size_t *rows, size_t first, size_t n, const lb_net_dropout *dropout,
                         lb_error *err)
{
    const size_t k = m->experts;
    lb_matf xs = way->x, gs = way->g;
    lb_status st;
    xs.rows = gs.rows = n;
    if ((st = lb_scaler_read(&m->scaler, x, rows, first, xs, err)) != LB_OK)
        return st;
    if ((st = lb_scaler_read(&m->gate_scaler, g, rows, first, gs, err)) != LB_OK) {
        lb_error_within(err, "gate features");
        return st;
    }
    for (size_t j = 0; j < k; j++) {
        const lb_cmatf o = lb_net_forward(m->net[j], way->work[j], lb_matf_const(xs), dropout);
        for (size_t i = 0; i < n; i++)
            way->out.data[i * k + j] = (double)o.data[i * o.stride];
    }
    const lb_cmatf z = lb_net_forward(m->net[k], way->work[k], lb_matf_const(gs), NULL);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < k; j++)
            way->p.data[i * k + j] = (double)z.data[i * z.stride + j];
    return LB_OK;
}

/* One batch: forward, the loss and its slopes, every network back and one step. */
static lb_status learn(void *self, uint64_t epoch, const size_t *rows, size_t n, double *squares,
                       lb_error *err)
{
    pupil *p = self;
    passage *way = &p->way;
    const lb_scaler *s = &p->m->scaler;
    const size_t k = p->m->experts;
    const lb_training_rows *data = &p->task->data;
    const lb_net_dropout dropout = {p->task->options.expert.dropout, epoch, rows};
    double here;
    const lb_status st = forward(p->m, way, data->x, p->features, rows, 0, n, &dropout, err);
    if (st != LB_OK)
        return st;
    for (size_t i = 0; i < n; i++)
        way->y[i] = (data->y.data[rows[i]] - s->y_mean) / s->y_sd;
    lb_nn_mixture_loss((lb_cvec){way->y, n}, lb_mat_const(way->out), way->p,
                       p->task->options.balance, way->d_out, way->d_p, &here);
    *squares += here * s->y_sd * s->y_sd;
    for (size_t j = 0; j <= k; j++) {
        const lb_matf d = lb_net_output_gradient(way->work[j]);
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < d.cols; c++)
                d.data[i * d.stride + c] =
                    (float)(j < k ? way->d_out.data[i * k + j] : way->d_p.data[i * k + c]);
        lb_net_step(p->m->net[j], way->work[j], first_rows(j < k ? way->x : way->g, n), p->adam[j]);
    }
    return LB_OK;
}

/* Predictions block by block with the room of the caller. */
static lb_status predict(const lb_nn_mixture *m, passage *way, lb_source x, lb_source g,
                         const size_t *rows, size_t n, lb_nn_prediction out, lb_error *err)
{
    const lb_scaler *s = &m->scaler;
    const size_t k = m->experts, block = way->x.rows;
    for (size_t first = 0; first < n; first += block) {
        const size_t here = n - first < block ? n - first : block;
        const lb_status st = forward(m, way, x, g, rows, first, here, NULL, err);
        if (st != LB_OK)
            return st;
        for (size_t i = 0; i < here; i++) {
            double *p = way->p.data + i * k, *o = way->out.data + i * k;
            softmax(p, k);
            if (out.yhat.data)
                out.yhat.data[first + i] = s->y_mean + s->y_sd * mix(p, o, k);
            for (size_t j = 0; j < k && out.weights.data; j++)
                out.weights.data[(first + i) * out.weights.stride + j] = p[j];
            for (size_t j = 0; j < k && out.experts.data; j++)
                out.experts.data[(first + i) * out.experts.stride + j] = s->y_mean + s->y_sd * o[j];
        }
    }
    return LB_OK;
}

static lb_status score(void *self, const size_t *rows, size_t n, double *loss, lb_error *err)
{
    pupil *p = self;
    double *yhat = lb_xcalloc(n, sizeof *yhat), squares = 0.0;
    const lb_status st = predict(p->m, &p->way, p->task->data.x, p->features, rows, n,
                                 (lb_nn_prediction){.yhat = {yhat, n}}, err);
    for (size_t i = 0; i < n; i++) {
        const double e = yhat[i] - p->task->data.y.data[rows[i]];
        squares += e * e;
    }
    *loss = squares / (double)n;
    free(yhat);
    return st;
}

static void keep(void *self)
{
    pupil *p = self;
    for (size_t j = 0; j <= p->m->experts; j++) {
        const lb_vec w = lb_net_weights(p->m->net[j]);
        memcpy(p->best[j], w.data, w.n * sizeof *w.data);
    }
}

static void restore(void *self)
{
    pupil *p = self;
    for (size_t j = 0; j <= p->m->experts; j++) {
        const lb_vec w = lb_net_weights(p->m->net[j]);
        memcpy(w.data, p->best[j], w.n * sizeof *w.data);
        lb_net_refresh(p->m->net[j]);
    }
}

/* Weights of an expert that says the same after another standardisation: with x = mean + sd u in
 * both, (x - mean_e) / sd_e = (sd / sd_e) u + (mean - mean_e) / sd_e, and likewise for y. */
static void carry_over(const lb_mlp *expert, const lb_scaler *s, lb_net *net)
{
    const lb_scaler *from = lb_mlp_scaler(expert);
    const lb_vec w = lb_net_weights(net), given = lb_net_weights(lb_mlp_net(expert));
    const lb_net_shape shape = lb_net_shape_of(net);
    const size_t units = shape.sizes[1], last = lb_net_offset(net, shape.layers);
    memcpy(w.data, given.data, w.n * sizeof *w.data);
    double *bias = w.data + s->cols * units;
    for (size_t i = 0; i < s->cols; i++)
        for (size_t u = 0; u < units; u++) {
            bias[u] += w.data[i * units + u] * (s->mean[i] - from->mean[i]) / from->sd[i];
            w.data[i * units + u] *= s->sd[i] / from->sd[i];
        }
    for (size_t q = last; q < w.n; q++) /* the output has one unit: its bias is the last weight */
        w.data[q] *= from->y_sd / s->y_sd;
    w.data[w.n - 1] += (from->y_mean - s->y_mean) / s->y_sd;
    lb_net_refresh(net);
}

static lb_net_shape expert_shape(size_t cols, const lb_mlp_options *o)
{
    lb_net_shape shape = {.layers = o->n_hidden + 1, .sizes = {cols}};
    memcpy(shape.sizes + 1, o->hidden, o->n_hidden * sizeof *o->hidden);
    shape.sizes[shape.layers] = 1;
    return shape;
}

static lb_net_shape gate_shape(size_t features, size_t hidden, size_t experts)
{
    return hidden ? (lb_net_shape){2, {features, hidden, experts}}
                  : (lb_net_shape){1, {features, experts}};
}

static bool same_shape(lb_net_shape a, lb_net_shape b)
{
    bool same = a.layers == b.layers;
    for (size_t l = 0; same && l <= a.layers; l++)
        same = a.sizes[l] == b.sizes[l];
    return same;
}

static lb_status check(const lb_nn_mixture_task *t, lb_error *err)
{
    const lb_nn_mixture_options *o = &t->options;
    const lb_status st = lb_mlp_check(&o->expert, err);
    const size_t rows = lb_source_rows(t->data.x), cols = lb_source_cols(t->data.x);
    if (st != LB_OK)
        return st;
    if (o->experts == 0 || o->experts > K_MAX)
        return LB_FAIL(err, LB_EINVAL, "%zu experts, must be 1 to %d", o->experts, K_MAX);
    if (!(o->balance >= 0.0 && isfinite(o->balance)))
        return LB_FAIL(err, LB_EINVAL, "balance %g, must not be negative", o->balance);
    if (t->gate.rows != rows)
        return LB_FAIL(err, LB_ESHAPE, "x has %zu rows, the gate features %zu", rows, t->gate.rows);
    if (t->gate.cols == 0)
        return LB_FAIL(err, LB_EINVAL, "no gate feature");
    for (size_t j = 0; j < o->experts && o->start; j++)
        if (!same_shape(lb_net_shape_of(lb_mlp_net(o->start[j])), expert_shape(cols, &o->expert)))
            return LB_FAIL(err, LB_ESHAPE, "starting expert %zu has other layers than the experts",
                           j);
    return LB_OK;
}

static float *to_floats(lb_cmat m)
{
    float *f = lb_xcalloc(m.rows * m.cols, sizeof *f);
    for (size_t i = 0; i < m.rows; i++)
        for (size_t j = 0; j < m.cols; j++)
            f[i * m.cols + j] = (float)m.data[i * m.stride + j];
    return f;
}

/* All networks at their starting weights, and what it takes to train them. */
static void prepare(pupil *p)
{
    const lb_nn_mixture_options *o = &p->task->options;
    lb_nn_mixture *m = p->m;
    const uint64_t seed = o->expert.training.seed;
    const size_t n = p->task->data.n_train, asked = o->expert.training.batch;
    const size_t batch = n < asked ? n : asked;
    for (size_t j = 0; j < m->experts; j++) {
        m->net[j] =
            lb_net_new(expert_shape(m->scaler.cols, &o->expert), (lb_net_key){seed, (unsigned)j});
        if (o->start)
            carry_over(o->start[j], &m->scaler, m->net[j]);
    }
    m->net[m->experts] = lb_net_new(gate_shape(m->gate_scaler.cols, o->gate_hidden, m->experts),
                                    (lb_net_key){seed, GATE_NUMBER});
    for (size_t j = 0; j <= m->experts; j++) {
        p->adam[j] = lb_adam_new(lb_net_weights(m->net[j]).n, o->expert.adam);
        p->best[j] = lb_xcalloc(lb_net_weights(m->net[j]).n, sizeof(double));
    }
    p->way = passage_new(m, batch > BLOCK ? batch : BLOCK);
}

static lb_status fit_one(const lb_nn_mixture_task *task, lb_nn_mixture **out, lb_error *err)
{
    pupil p = {.task = task, .m = lb_xcalloc(1, sizeof *p.m)};
    lb_training_rows gate_data = task->data;
    float *features = NULL;
    lb_status st;

    if ((st = check(task, err)) != LB_OK ||
        (st = lb_scaler_fit(&task->data, &p.m->scaler, err)) != LB_OK)
        goto done;
    features = to_floats(task->gate);
    p.features.matrix = (lb_cmatf){features, task->gate.rows, task->gate.cols, task->gate.cols};
    gate_data.x = p.features;
    if ((st = lb_scaler_fit(&gate_data, &p.m->gate_scaler, err)) != LB_OK) {
        lb_error_within(err, "gate features");
        goto done;
    }
    p.m->experts = task->options.experts;
    prepare(&p);
    const lb_trainee trainee = {&p, learn, score, keep, restore};
    if ((st = lb_training_run(trainee, &task->data, p.m->scaler.y_variance_val,
                              task->options.expert.training, &p.m->training, err)) != LB_OK)
        goto done;
    *out = p.m;
    p.m = NULL;
done:
    for (size_t j = 0; j <= K_MAX; j++) {
        lb_adam_free(p.adam[j]);
        free(p.best[j]);
    }
    passage_free(&p.way);
    free(features);
    lb_nn_mixture_free(p.m);
    return st;
}

/* All mixtures of one call. */
typedef struct class
{
    const lb_nn_mixture_task *tasks;
    lb_nn_mixture **out;
} class;

static lb_status fit_number(void *self, size_t i, lb_error *err)
{
    const class *c = self;
    return fit_one(&c->tasks[i], &c->out[i], err);
}

lb_status lb_nn_mixture_fit(const lb_nn_mixture_task *tasks, size_t n, lb_nn_mixture **out,
                            lb_error *err)
{
    class c = {tasks, out};
    double *work = lb_xcalloc(n, sizeof *work);
    memset(out, 0, n * sizeof(lb_nn_mixture *));
    for (size_t i = 0; i < n; i++)
        work[i] = (double)tasks[i].data.n_train * (double)tasks[i].options.experts *
                  (double)lb_source_cols(tasks[i].data.x);
    const lb_status st = lb_training_share(n, work, "mixture", fit_number, &c, err);
    for (size_t i = 0; i < n && st != LB_OK; i++) {
        lb_nn_mixture_free(out[i]);
        out[i] = NULL;
    }
    free(work);
    return st;
}

void lb_nn_mixture_free(lb_nn_mixture *m)
{
    if (!m)
        return;
    for (size_t j = 0; j <= K_MAX; j++)
        lb_net_free(m->net[j]);
    lb_scaler_free(&m->scaler);
    lb_scaler_free(&m->gate_scaler);
    lb_training_free(&m->training);
    free(m);
}

const lb_training *lb_nn_mixture_training(const lb_nn_mixture *m)
{
    return &m->training;
}

size_t lb_nn_mixture_experts(const lb_nn_mixture *m)
{
    return m->experts;
}

/* Rows that are wanted, the same number by every output; false if they disagree. */
static bool rows_wanted(lb_nn_prediction o, size_t experts, size_t *n)
{
    *n = o.yhat.data ? o.yhat.n : o.weights.data ? o.weights.rows : o.experts.rows;
    const bool weights = !o.weights.data || (o.weights.rows == *n && o.weights.cols == experts);
    const bool each = !o.experts.data || (o.experts.rows == *n && o.experts.cols == experts);
    return weights && each;
}

lb_status lb_nn_mixture_predict(const lb_nn_mixture *m, lb_source x, lb_cmat gate,
                                const size_t *rows, lb_nn_prediction out, lb_error *err)
{
    size_t n;
    if (!rows_wanted(out, m->experts, &n))
        return LB_FAIL(err, LB_ESHAPE, "%zu predictions, weights %zux%zu, experts %zux%zu", n,
                       out.weights.rows, out.weights.cols, out.experts.rows, out.experts.cols);
    if (gate.rows != lb_source_rows(x) || gate.cols != m->gate_scaler.cols)
        return LB_FAIL(err, LB_ESHAPE, "gate features are %zux%zu, expected %zux%zu", gate.rows,
                       gate.cols, lb_source_rows(x), m->gate_scaler.cols);
    lb_status st = lb_source_check(x, m->scaler.cols, rows, n, err);
    if (st != LB_OK)
        return st;
    float *features = to_floats(gate);
    const lb_source g = {.matrix = {features, gate.rows, gate.cols, gate.cols}};
    passage way = passage_new(m, BLOCK);
    st = predict(m, &way, x, g, rows, n, out, err);
    passage_free(&way);
    free(features);
    for (size_t i = 0; out.yhat.data && i < n && st == LB_OK; i++)
        if (!isfinite(out.yhat.data[i]))
            st = LB_FAIL(err, LB_ENUMERIC, "prediction %zu is %g", i, out.yhat.data[i]);
    return st;
}
