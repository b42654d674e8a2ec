/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_CORE_HASH_H
#define LB_CORE_HASH_H

#include "core/error.h"

#include <stddef.h>

/** SHA-256 (FIPS 180-4, by OpenSSL) of a stream of bytes, as "sha256:" + 64 hex digits. */
enum { LB_HASH_SIZE = 72 }; /* characters with the NUL */
typedef struct lb_hash lb_hash;

lb_hash *lb_hash_new(void);
void lb_hash_add(lb_hash *h, const void *data, size_t bytes);
void lb_hash_finish(lb_hash *h, char out[LB_HASH_SIZE]); /* frees h */

void lb_hash_bytes(const void *data, size_t bytes, char out[LB_HASH_SIZE]);
lb_status lb_hash_file(const char *path, char out[LB_HASH_SIZE], lb_error *err); /* LB_EIO */

#endif
