/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/hash.h"

#include "core/file.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The examples of FIPS 180-2, appendix B, and the empty message. */
static const struct {
    const char *message, *digest;
} fips[] = {
    {"", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};
static const char million_a[] =
    "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

Test(hash, agrees_with_the_fips_examples)
{
    char out[LB_HASH_SIZE];
    for (size_t i = 0; i < sizeof fips / sizeof *fips; i++) {
        lb_hash_bytes(fips[i].message, strlen(fips[i].message), out);
        cr_expect(eq(str, out, (char *)fips[i].digest));
    }
}

/* A million "a", in pieces that do not divide the block size. */
Test(hash, pieces_do_not_matter)
{
    char piece[64], out[LB_HASH_SIZE];
    memset(piece, 'a', sizeof piece);
    lb_hash *h = lb_hash_new();
    for (size_t left = 1000000; left;) {
        const size_t n = left < 61 ? left : 61;
        lb_hash_add(h, piece, n);
        left -= n;
    }
    lb_hash_finish(h, out);
    cr_expect(eq(str, out, (char *)million_a));
}

/* Longer than the block that files are read in. */
Test(hash, of_a_file_is_that_of_its_bytes)
{
    char path[] = "/tmp/lb_hash_XXXXXX", out[LB_HASH_SIZE], expected[LB_HASH_SIZE];
    const size_t n = (1 << 20) + 4321;
    char *data = calloc(n, 1);
    for (size_t i = 0; i < n; i++)
        data[i] = (char)(i * 2654435761u >> 13);
    close(mkstemp(path));
    cr_assert(eq(int, lb_file_write(path, data, n, NULL), LB_OK));
    cr_expect(eq(int, lb_hash_file(path, out, NULL), LB_OK));
    lb_hash_bytes(data, n, expected);
    cr_expect(eq(str, out, expected));
    remove(path);
    free(data);
}

Test(hash, a_missing_file_and_a_directory_are_errors)
{
    char out[LB_HASH_SIZE];
    lb_error err = {0};
    cr_expect(eq(int, lb_hash_file("/nowhere/x.h5", out, &err), LB_EIO));
    cr_expect(strstr(err.text, "/nowhere/x.h5") != NULL, "%s", err.text);
    cr_expect(eq(int, lb_hash_file("/tmp", out, NULL), LB_EIO));
}
