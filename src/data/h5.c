/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/h5.h"

#include "core/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lb_status lb_h5_open(const char *path, hid_t *file, lb_error *err)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    FILE *f = fopen(path, "rb");
    const bool readable =
        f && (fgetc(f) != EOF || !ferror(f)); /* a directory opens but fails here */
    const int why = errno;
    if (f)
        fclose(f);
    if (!readable)
        return LB_FAIL(err, LB_EIO, "cannot read %s: %s", path, strerror(why));
    if (H5Fis_hdf5(path) <= 0)
        return LB_FAIL(err, LB_EFORMAT, "%s is not an HDF5 file", path);
    *file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (*file < 0)
        return LB_FAIL(
            err, LB_EFORMAT,
            "%s is an HDF5 file that cannot be opened: truncated, damaged, or still being "
            "written; make it again",
            path);
    return LB_OK;
}

bool lb_h5_has(hid_t file, const char *name)
{
    char *prefix = lb_xstrdup(name);
    bool there = true;
    for (char *slash = strchr(prefix, '/'); there; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        there = H5Lexists(file, prefix, H5P_DEFAULT) > 0;
        if (!slash)
            break;
        *slash = '/';
    }
    free(prefix);
    return there;
}

lb_status lb_h5_dataset(hid_t file, const char *path, const char *name, hid_t *set, lb_error *err)
{
    if (!lb_h5_has(file, name) || (*set = H5Dopen2(file, name, H5P_DEFAULT)) < 0)
        return LB_FAIL(err, LB_ENAME, "%s has no dataset '%s'; `h5ls -r %s` lists what there is",
                       path, name, path);
    return LB_OK;
}

int lb_h5_extent(hid_t set, int rank, hsize_t *dims)
{
    for (int i = 0; i < rank; i++)
        dims[i] = 1;
    const hid_t space = H5Dget_space(set);
    const int actual = H5Sget_simple_extent_ndims(space);
    if (actual >= 0 && actual <= rank)
        H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    return actual;
}

char *lb_h5_text(hid_t object, const char *attribute)
{
    if (H5Aexists(object, attribute) <= 0)
        return NULL;
    const hid_t a = H5Aopen(object, attribute, H5P_DEFAULT);
    const hid_t type = H5Aget_type(a), space = H5Aget_space(a);
    char *text = NULL;
    if (H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1) {
        if (H5Tis_variable_str(type) > 0) {
            char *lent = NULL;
            if (H5Aread(a, type, &lent) >= 0 && lent)
                text = lb_xstrdup(lent);
            H5free_memory(lent);
        } else {
            text = lb_xcalloc(H5Tget_size(type) + 1, 1);
            if (H5Aread(a, type, text) < 0) {
                free(text);
                text = NULL;
            }
        }
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(a);
    return text;
}

lb_status lb_h5_unreadable(hid_t set, const char *path, const char *name, lb_error *err)
{
    const hid_t plist = H5Dget_create_plist(set);
    const int n = plist < 0 ? 0 : H5Pget_nfilters(plist);
    lb_status st = LB_OK;
    for (int i = 0; i < n && st == LB_OK; i++) {
        unsigned flags, config;
        size_t values = 0;
        char filter[64] = "";
        const H5Z_filter_t id = H5Pget_filter2(plist, (unsigned)i, &flags, &values, NULL,
                                               sizeof filter, filter, &config);
        if (id >= 0 && H5Zfilter_avail(id) <= 0)
            st =
                LB_FAIL(err, LB_EFORMAT,
                        "%s: dataset '%s' is compressed with the filter '%s' (number %d), which is "
                        "not installed here; install its HDF5 plugin or rewrite the file with gzip",
                        path, name, filter, (int)id);
    }
    if (plist >= 0)
        H5Pclose(plist);
    if (st == LB_OK)
        st = LB_FAIL(err, LB_EFORMAT,
                     "%s: dataset '%s' cannot be read: the file is truncated or damaged", path,
                     name);
    return st;
}

lb_status lb_h5_count(hid_t file, const char *path, const char *name, size_t *n, lb_error *err)
{
    hid_t set = H5I_INVALID_HID;
    const lb_status st = lb_h5_dataset(file, path, name, &set, err);
    if (st != LB_OK)
        return st;
    const hid_t space = H5Dget_space(set);
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    *n = points > 0 ? (size_t)points : 0;
    H5Sclose(space);
    H5Dclose(set);
    return LB_OK;
}

lb_status lb_h5_read_doubles(hid_t file, const char *path, const char *name, size_t n, double *out,
                             lb_error *err)
{
    size_t there = 0;
    hid_t set = H5I_INVALID_HID;
    lb_status st = lb_h5_count(file, path, name, &there, err);
    if (st != LB_OK)
        return st;
    if (there != n)
        return LB_FAIL(err, LB_ESHAPE, "%s: dataset '%s' has %zu values, expected %zu", path, name,
                       there, n);
    st = lb_h5_dataset(file, path, name, &set, err);
    if (st == LB_OK && H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0)
        st = lb_h5_unreadable(set, path, name, err);
    if (set >= 0)
        H5Dclose(set);
    return st;
}

bool lb_h5_put_text(hid_t object, const char *attribute, const char *text, H5T_cset_t charset)
{
    const hid_t space = H5Screate(H5S_SCALAR), type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, *text ? strlen(text) : 1);
    H5Tset_cset(type, charset);
    const hid_t a = H5Acreate2(object, attribute, type, space, H5P_DEFAULT, H5P_DEFAULT);
    const bool written = a >= 0 && H5Awrite(a, type, text) >= 0;
    if (a >= 0)
        H5Aclose(a);
    H5Tclose(type);
    H5Sclose(space);
    return written;
}

hid_t lb_h5_group(hid_t parent, const char *name)
{
    if (H5Lexists(parent, name, H5P_DEFAULT) > 0)
        return H5Gopen2(parent, name, H5P_DEFAULT);
    const hid_t plist = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(plist, false);
    const hid_t group = H5Gcreate2(parent, name, H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Pclose(plist);
    return group;
}
