/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/hash.h"

#include "core/memory.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lb_hash {
    EVP_MD_CTX *context;
};

lb_hash *lb_hash_new(void)
{
    lb_hash *h = lb_xcalloc(1, sizeof *h);
    h->context = EVP_MD_CTX_new();
    EVP_DigestInit_ex(h->context, EVP_sha256(), NULL);
    return h;
}

void lb_hash_add(lb_hash *h, const void *data, size_t bytes)
{
    EVP_DigestUpdate(h->context, data, bytes);
}

void lb_hash_finish(lb_hash *h, char out[LB_HASH_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(h->context, digest, &size);
    EVP_MD_CTX_free(h->context);
    free(h);
    char *p = out + sprintf(out, "sha256:");
    for (unsigned i = 0; i < size; i++)
        p += sprintf(p, "%02x", digest[i]);
}

void lb_hash_bytes(const void *data, size_t bytes, char out[LB_HASH_SIZE])
{
    lb_hash *h = lb_hash_new();
    lb_hash_add(h, data, bytes);
    lb_hash_finish(h, out);
}

lb_status lb_hash_file(const char *path, char out[LB_HASH_SIZE], lb_error *err)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return LB_FAIL(err, LB_EIO, "cannot read %s: %s", path, strerror(errno));
    enum { BLOCK = 1 << 20 };
    lb_hash *h = lb_hash_new();
    char *block = lb_xcalloc(BLOCK, 1);
    for (size_t got; (got = fread(block, 1, BLOCK, f)) > 0;)
        lb_hash_add(h, block, got);
    const int broken = ferror(f);
    lb_hash_finish(h, out);
    free(block);
    fclose(f);
    return broken ? LB_FAIL(err, LB_EIO, "cannot read %s to its end", path) : LB_OK;
}
