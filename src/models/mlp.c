/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/mlp.h"

#include "core/memory.h"
#include "linalg/multiply.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256 }; /* rows predicted at a time, at least */

struct lb_mlp {
    lb_net *net;
    lb_scaler scaler;
    lb_training training;
};

/* A network while it learns. */
typedef struct pupil {
    lb_mlp *m;
    const lb_training_rows *data;
    const lb_mlp_options *options;
    lb_net_work *work;
    lb_adam *adam;
    lb_matf x; /* a batch of standardised rows */
    double *best;
} pupil;

static lb_net_shape shape_of(size_t cols, const lb_mlp_options *o)
{
    lb_net_shape shape = {.layers = o->n_hidden + 1, .sizes = {cols}};
    for (size_t l = 0; l < o->n_hidden; l++)
        shape.sizes[l + 1] = o->hidden[l];
    shape.sizes[shape.layers] = 1;
    return shape;
}

size_t lb_mlp_weights(size_t cols, const lb_mlp_options *o)
{
    const lb_net_shape shape = shape_of(cols, o);
    size_t n = 0;
    for (size_t l = 1; l <= shape.layers; l++)
        n += (shape.sizes[l - 1] + 1) * shape.sizes[l];
    return n;
}

lb_status lb_mlp_check(const lb_mlp_options *o, lb_error *err)
{
    if (o->n_hidden > LB_MLP_HIDDEN_MAX)
        return LB_FAIL(err, LB_EINVAL, "%zu hidden layers, at most %d", o->n_hidden,
                       LB_MLP_HIDDEN_MAX);
    for (size_t l = 0; l < o->n_hidden; l++)
        if (o->hidden[l] == 0)
            return LB_FAIL(err, LB_EINVAL, "hidden layer %zu has no unit", l + 1);
    if (!(o->dropout >= 0.0 && o->dropout <= 0.99))
        return LB_FAIL(err, LB_EINVAL, "dropout %g, must lie in [0, 0.99]", o->dropout);
    const lb_status st = lb_training_check(o->training, err);
    return st != LB_OK ? st : lb_adam_check(o->adam, err);
}

static lb_matf room(size_t rows, size_t cols)
{
    const size_t stride = lb_multiply_stride(cols);
    return (lb_matf){lb_xlarge(rows * stride, sizeof(float)), rows, cols, stride};
}

static lb_matf first_rows(lb_matf m, size_t n)
{
    m.rows = n;
    return m;
}

/* One batch: forward, D_L = dloss/doutput of the mean squared error, back and one step. */
static lb_status learn(void *self, uint64_t epoch, const size_t *rows, size_t n, double *squares,
                       lb_error *err)
{
    const pupil *p = self;
    const lb_scaler *s = &p->m->scaler;
    const lb_matf x = first_rows(p->x, n);
    const lb_net_dropout dropout = {p->options->dropout, epoch, rows};
    const lb_status st = lb_scaler_read(s, p->data->x, rows, 0, x, err);
    if (st != LB_OK)
        return st;
    const lb_cmatf out = lb_net_forward(p->m->net, p->work, lb_matf_const(x), &dropout);
    const lb_matf d = lb_net_output_gradient(p->work);
    for (size_t i = 0; i < n; i++) {
        const double y = (p->data->y.data[rows[i]] - s->y_mean) / s->y_sd;
        const double e = (double)out.data[i * out.stride] - y;
        *squares += e * e * s->y_sd * s->y_sd;
        d.data[i * d.stride] = (float)(2.0 * e / (double)n);
    }
    lb_net_step(p->m->net, p->work, lb_matf_const(x), p->adam);
    return LB_OK;
}

/* Predictions block by block with the room of the caller. */
static lb_status predict(const lb_mlp *m, lb_net_work *work, lb_matf room_x, lb_source x,
                         const size_t *rows, lb_vec yhat, lb_error *err)
{
    for (size_t first = 0; first < yhat.n; first += room_x.rows) {
        const size_t n = yhat.n - first < room_x.rows ? yhat.n - first : room_x.rows;
        const lb_matf block = first_rows(room_x, n);
        const lb_status st = lb_scaler_read(&m->scaler, x, rows, first, block, err);
        if (st != LB_OK)
            return st;
        const lb_cmatf out = lb_net_forward(m->net, work, lb_matf_const(block), NULL);
        for (size_t i = 0; i < n; i++)
            yhat.data[first + i] =
                m->scaler.y_mean + m->scaler.y_sd * (double)out.data[i * out.stride];
    }
    return LB_OK;
}

static lb_status score(void *self, const size_t *rows, size_t n, double *loss, lb_error *err)
{
    const pupil *p = self;
    double *yhat = lb_xcalloc(n, sizeof *yhat), squares = 0.0;
    const lb_status st = predict(p->m, p->work, p->x, p->data->x, rows, (lb_vec){yhat, n}, err);
    for (size_t i = 0; i < n; i++) {
        const double e = yhat[i] - p->data->y.data[rows[i]];
        squares += e * e;
    }
    *loss = squares / (double)n;
    free(yhat);
    return st;
}

static void keep(void *self)
{
    const pupil *p = self;
    const lb_vec w = lb_net_weights(p->m->net);
    memcpy(p->best, w.data, w.n * sizeof *w.data);
}

static void restore(void *self)
{
    const pupil *p = self;
    const lb_vec w = lb_net_weights(p->m->net);
    memcpy(w.data, p->best, w.n * sizeof *w.data);
    lb_net_refresh(p->m->net);
}

static lb_status fit_one(const lb_mlp_task *task, lb_mlp **out, lb_error *err)
{
    const lb_mlp_options *o = &task->options;
    pupil p = {.data = &task->data, .options = o, .m = lb_xcalloc(1, sizeof *p.m)};
    lb_status st;

    if ((st = lb_mlp_check(o, err)) != LB_OK ||
        (st = lb_scaler_fit(&task->data, &p.m->scaler, err)) != LB_OK)
        goto done;
    const size_t batch =
        task->data.n_train < o->training.batch ? task->data.n_train : o->training.batch;
    const size_t rows = batch > BLOCK ? batch : BLOCK;
    p.m->net = lb_net_new(shape_of(p.m->scaler.cols, o), (lb_net_key){o->training.seed, 0});
    p.work = lb_net_work_new(p.m->net, rows);
    p.adam = lb_adam_new(lb_net_weights(p.m->net).n, o->adam);
    p.x = room(rows, p.m->scaler.cols);
    p.best = lb_xcalloc(lb_net_weights(p.m->net).n, sizeof *p.best);
    const lb_trainee trainee = {&p, learn, score, keep, restore};
    if ((st = lb_training_run(trainee, &task->data, p.m->scaler.y_variance_val, o->training,
                              &p.m->training, err)) != LB_OK)
        goto done;
    *out = p.m;
    p.m = NULL;
done:
    lb_adam_free(p.adam);
    lb_net_work_free(p.work);
    free(p.x.data);
    free(p.best);
    lb_mlp_free(p.m);
    return st;
}

/* All networks of one call. */
typedef struct class
{
    const lb_mlp_task *tasks;
    lb_mlp **out;
} class;

static lb_status fit_number(void *self, size_t i, lb_error *err)
{
    const class *c = self;
    return fit_one(&c->tasks[i], &c->out[i], err);
}

lb_status lb_mlp_fit(const lb_mlp_task *tasks, size_t n, lb_mlp **out, lb_error *err)
{
    class c = {tasks, out};
    double *work = lb_xcalloc(n, sizeof *work);
    memset(out, 0, n * sizeof(lb_mlp *));
    for (size_t i = 0; i < n; i++)
        if (lb_mlp_check(&tasks[i].options, NULL) == LB_OK)
            work[i] = (double)tasks[i].data.n_train *
                      (double)lb_mlp_weights(lb_source_cols(tasks[i].data.x), &tasks[i].options);
    const lb_status st = lb_training_share(n, work, "network", fit_number, &c, err);
    for (size_t i = 0; i < n && st != LB_OK; i++) {
        lb_mlp_free(out[i]);
        out[i] = NULL;
    }
    free(work);
    return st;
}

void lb_mlp_free(lb_mlp *m)
{
    if (!m)
        return;
    lb_net_free(m->net);
    lb_scaler_free(&m->scaler);
    lb_training_free(&m->training);
    free(m);
}

const lb_training *lb_mlp_training(const lb_mlp *m)
{
    return &m->training;
}

const lb_scaler *lb_mlp_scaler(const lb_mlp *m)
{
    return &m->scaler;
}

const lb_net *lb_mlp_net(const lb_mlp *m)
{
    return m->net;
}

lb_status lb_mlp_predict(const lb_mlp *m, lb_source x, const size_t *rows, lb_vec yhat,
                         lb_error *err)
{
    lb_status st = lb_source_check(x, m->scaler.cols, rows, yhat.n, err);
    if (st != LB_OK)
        return st;
    lb_net_work *work = lb_net_work_new(m->net, BLOCK);
    lb_matf block = room(BLOCK, m->scaler.cols);
    st = predict(m, work, block, x, rows, yhat, err);
    lb_net_work_free(work);
    free(block.data);
    for (size_t i = 0; i < yhat.n && st == LB_OK; i++)
        if (!isfinite(yhat.data[i]))
            st = LB_FAIL(err, LB_ENUMERIC, "prediction %zu is %g", i, yhat.data[i]);
    return st;
}
