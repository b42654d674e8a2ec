/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crosscheck/npy.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#include <stdlib.h>

lb_status npy_save(const char *dir, const char *name, const char *descr, size_t item,
                   const void *data, const size_t *shape, size_t rank, lb_error *err)
{
    lb_text header = {0}, file = {0};
    size_t items = 1;
    lb_text_printf(&header, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (size_t i = 0; i < rank; i++) {
        lb_text_printf(&header, "%zu,", shape[i]);
        items *= shape[i];
    }
    lb_text_add(&header, "), }");
    while ((10 + header.length + 1) % 64)
        lb_text_add(&header, " ");
    lb_text_add(&header, "\n");
    const char length[2] = {(char)(header.length & 0xFF), (char)(header.length >> 8)};
    lb_text_addn(&file, "\x93NUMPY\x01\x00", 8);
    lb_text_addn(&file, length, 2);
    lb_text_addn(&file, header.s, header.length);
    lb_text_addn(&file, data, items * item);
    char *path = lb_xprintf("%s/%s.npy", dir, name);
    const lb_status st = lb_file_write(path, file.s, file.length, err);
    free(path);
    lb_text_free(&header);
    lb_text_free(&file);
    return st;
}

lb_status npy_doubles(const char *dir, const char *name, const double *data, size_t a, size_t b,
                      size_t c, lb_error *err)
{
    const size_t shape[] = {a, b, c};
    return npy_save(dir, name, "<f8", sizeof *data, data, shape, c ? 3 : b ? 2 : 1, err);
}
