/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Spoil a shard from outside, for tests/faults/run.sh. NAME is a dataset, counts are of its first
 * axis. The content hash that `simulate` left is removed, so that the file counts as what it is.
 *
 *   damage drop FILE NAME             remove the dataset
 *   damage cut FILE NAME FIRST N      keep the N entries from FIRST on
 *   damage put FILE NAME VALUE ROW N  VALUE at pixel 7 of the N rows from ROW on
 *   damage shift FILE NAME VALUE      add VALUE to every entry
 *   damage copy FILE NAME ROW FROM    take the row from the same dataset of another file
 */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what)
{
    fprintf(stderr, "damage: %s\n", what);
    exit(3);
}

static size_t number(const char *text)
{
    char *end;
    const unsigned long long x = strtoull(text, &end, 10);
    if (end == text || *end)
        die(text);
    return (size_t)x;
}

/* A whole dataset as it lies in the file. */
typedef struct array {
    hid_t set, type;
    hsize_t dims[2];
    int rank;
    size_t entry; /* bytes of one step along the first axis */
    char *data;
} array;

static array array_open(hid_t file, const char *name)
{
    array a = {.set = H5Dopen2(file, name, H5P_DEFAULT), .dims = {1, 1}};
    if (a.set < 0)
        die(name);
    const hid_t space = H5Dget_space(a.set);
    a.type = H5Dget_type(a.set);
    a.rank = H5Sget_simple_extent_dims(space, a.dims, NULL);
    a.entry = H5Tget_size(a.type) * (size_t)a.dims[1];
    a.data = malloc(a.entry * (size_t)a.dims[0] + 1);
    if (!a.data || H5Dread(a.set, a.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, a.data) < 0)
        die(name);
    H5Sclose(space);
    return a;
}

static void array_write(const array *a, const char *data)
{
    if (H5Dwrite(a->set, a->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        die("cannot write");
}

static void array_close(array *a)
{
    free(a->data);
    H5Tclose(a->type);
    H5Dclose(a->set);
}

/* A table that can shrink does so in place and keeps its attributes; a plain array is made anew. */
static void cut(hid_t file, const char *name, size_t first, size_t n)
{
    array a = array_open(file, name);
    if (first + n > a.dims[0])
        die("fewer entries than that");
    a.dims[0] = n;
    if (H5Dset_extent(a.set, a.dims) < 0) {
        const hid_t space = H5Screate_simple(a.rank, a.dims, NULL);
        H5Dclose(a.set);
        H5Ldelete(file, name, H5P_DEFAULT);
        a.set = H5Dcreate2(file, name, a.type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Sclose(space);
    }
    array_write(&a, a.data + first * a.entry);
    array_close(&a);
}

static void put(hid_t file, const char *name, float value, size_t row, size_t n)
{
    enum { PIXEL = 7 };
    array a = array_open(file, name);
    for (size_t i = row; i < row + n && i < a.dims[0]; i++)
        memcpy(a.data + i * a.entry + PIXEL * sizeof value, &value, sizeof value);
    array_write(&a, a.data);
    array_close(&a);
}

static void shift(hid_t file, const char *name, double value)
{
    array a = array_open(file, name);
    double *x = (double *)(void *)a.data;
    for (size_t i = 0; i < a.dims[0]; i++)
        x[i] += value;
    array_write(&a, a.data);
    array_close(&a);
}

static void copy(hid_t file, const char *name, size_t row, hid_t from)
{
    array a = array_open(file, name), b = array_open(from, name);
    if (a.entry != b.entry || row >= a.dims[0] || row >= b.dims[0])
        die("rows do not match");
    memcpy(a.data + row * a.entry, b.data + row * b.entry, a.entry);
    array_write(&a, a.data);
    array_close(&a);
    array_close(&b);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("see the head of damage.c");
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const char *what = argv[1], *name = argv[3];
    const hid_t file = H5Fopen(argv[2], H5F_ACC_RDWR, H5P_DEFAULT);
    if (file < 0)
        die(argv[2]);
    if (H5Aexists(file, "content") > 0)
        H5Adelete(file, "content");
    if (strcmp(what, "drop") == 0 && argc == 4) {
        if (H5Ldelete(file, name, H5P_DEFAULT) < 0)
            die(name);
    } else if (strcmp(what, "cut") == 0 && argc == 6) {
        cut(file, name, number(argv[4]), number(argv[5]));
    } else if (strcmp(what, "put") == 0 && argc == 7) {
        put(file, name, strtof(argv[4], NULL), number(argv[5]), number(argv[6]));
    } else if (strcmp(what, "shift") == 0 && argc == 5) {
        shift(file, name, strtod(argv[4], NULL));
    } else if (strcmp(what, "copy") == 0 && argc == 6) {
        const hid_t from = H5Fopen(argv[5], H5F_ACC_RDONLY, H5P_DEFAULT);
        if (from < 0)
            die(argv[5]);
        copy(file, name, number(argv[4]), from);
        H5Fclose(from);
    } else {
        die("see the head of damage.c");
    }
    if (H5Fclose(file) < 0)
        die("cannot write");
    return 0;
}
