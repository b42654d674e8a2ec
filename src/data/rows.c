/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/rows.h"

static lb_status read_rows(void *self, size_t first, lb_matf x, lb_error *err)
{
    const lb_stream_rows *view = self;
    lb_status st = LB_OK;
    if (first + x.rows > view->n)
        return LB_FAIL(err, LB_ESHAPE, "rows %zu to %zu asked of %zu selected ones", first,
                       first + x.rows, view->n);
    for (size_t i = 0, run; i < x.rows && st == LB_OK; i += run) {
        const size_t *row = view->rows + first + i;
        for (run = 1; i + run < x.rows && row[run] == row[0] + run; run++)
            ;
        if (row[0] + run > view->base.rows)
            return LB_FAIL(err, LB_ESHAPE, "row %zu selected of a set of %zu", row[0] + run - 1,
                           view->base.rows);
        st = view->base.read(view->base.self, row[0],
                             (lb_matf){x.data + i * x.stride, run, x.cols, x.stride}, err);
    }
    return st;
}

lb_stream lb_stream_of_rows(lb_stream_rows *self)
{
    lb_stream s = self->base;
    s.rows = self->n;
    s.read = read_rows;
    s.self = self;
    return s;
}

static lb_status read_joined(void *self, size_t first, lb_matf x, lb_error *err)
{
    const lb_joined *joined = self;
    size_t done = 0, skip = first;
    for (size_t k = 0; k < joined->n && done < x.rows; k++) {
        const lb_stream *part = &joined->parts[k];
        if (skip >= part->rows) {
            skip -= part->rows;
            continue;
        }
        const size_t left = part->rows - skip;
        const size_t here = x.rows - done < left ? x.rows - done : left;
        const lb_status st = part->read(
            part->self, skip, (lb_matf){x.data + done * x.stride, here, x.cols, x.stride}, err);
        if (st != LB_OK)
            return st;
        done += here;
        skip = 0;
    }
    if (done < x.rows)
        return LB_FAIL(err, LB_ESHAPE, "rows %zu to %zu asked of joined streams that end before",
                       first, first + x.rows);
    return LB_OK;
}

lb_stream lb_stream_joined(lb_joined *self)
{
    lb_stream s = {.cols = self->parts[0].cols, .read = read_joined, .self = self};
    for (size_t k = 0; k < self->n; k++) {
        s.rows += self->parts[k].rows;
        s.threaded = s.threaded || self->parts[k].threaded;
    }
    return s;
}
