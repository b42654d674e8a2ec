/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/toy.h"

#include "core/memory.h"
#include "core/random.h"
#include "data/shard.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

toy toy_new(size_t rows, size_t pixels, uint64_t seed)
{
    lb_rng r = lb_rng_make(seed, 1);
    toy t = {rows,
             pixels,
             "air",
             lb_xcalloc(pixels, sizeof(double)),
             lb_xcalloc(rows * pixels, sizeof(float)),
             lb_xcalloc(rows * pixels, sizeof(float)),
             lb_xcalloc(rows * LB_SHARD_LABELS, sizeof(double))};
    for (size_t j = 0; j < pixels; j++)
        t.wave[j] = 7000.0 + (double)j;
    for (size_t i = 0; i < rows * pixels; i++) {
        t.flux[i] = (float)(0.5 + lb_rng_uniform(&r));
        t.error[i] = (float)(0.1 + 0.2 * lb_rng_uniform(&r));
    }
    for (size_t i = 0; i < rows; i++) {
        double *label = t.labels + i * LB_SHARD_LABELS;
        label[TEFF] = 3760.0 + 2200.0 * lb_rng_uniform(&r);
        label[LOGG] = 1.0 + 4.0 * lb_rng_uniform(&r);
        label[MH] = -1.99 + 2.4 * lb_rng_uniform(&r);
        label[3] = 21.0;
        label[4] = 3.0;
    }
    return t;
}

void toy_free(toy *t)
{
    free(t->wave);
    free(t->flux);
    free(t->error);
    free(t->labels);
}

char *toy_write(const toy *t, const char *dir, const char *name)
{
    char *path = lb_xprintf("%s/%s/dataset.h5", dir, name);
    lb_error err = {0};
    lb_shard *s =
        lb_shard_new(path, t->rows, (lb_cvec){t->wave, t->pixels}, t->medium, "toy settings");
    lb_shard_add(s, (lb_cmatf){t->flux, t->rows, t->pixels, t->pixels},
                 (lb_cmatf){t->error, t->rows, t->pixels, t->pixels},
                 (lb_cmat){t->labels, t->rows, LB_SHARD_LABELS, LB_SHARD_LABELS});
    cr_assert(lb_shard_close(s, &err) == LB_OK, "%s", err.text);
    return path;
}

void toy_make(const char *dir, const char *name, size_t rows, size_t pixels, uint64_t seed)
{
    toy t = toy_new(rows, pixels, seed);
    free(toy_write(&t, dir, name));
    toy_free(&t);
}

static char made[64][64];
static int n_made;

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path);
}

static void remove_all(void)
{
    while (n_made > 0)
        nftw(made[--n_made], remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

char *scratch_dir(void)
{
    cr_assert(n_made < 64);
    if (n_made == 0)
        atexit(remove_all);
    char *dir = made[n_made++];
    snprintf(dir, sizeof made[0], "/tmp/loggbook-test-XXXXXX");
    cr_assert(mkdtemp(dir) != NULL);
    return dir;
}

char *in_dir(const char *dir, const char *name)
{
    return lb_xprintf("%s/%s", dir, name);
}

void with_file(const char *path, void (*spoil)(hid_t file))
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    cr_assert(file >= 0, "%s", path);
    spoil(file);
    H5Fclose(file);
}

void put_array(hid_t file, const char *name, hid_t type, int rank, const hsize_t *dims,
               const void *data)
{
    const hid_t space = H5Screate_simple(rank, dims, NULL), links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t set = H5Dcreate2(file, name, type, space, links, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert(set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0, "%s",
              name);
    H5Dclose(set);
    H5Pclose(links);
    H5Sclose(space);
}
