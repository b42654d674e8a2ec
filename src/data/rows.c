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
    return (lb_stream){.rows = self->n, .cols = self->base.cols, .read = read_rows, .self = self};
}
