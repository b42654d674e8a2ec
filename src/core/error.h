/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_CORE_ERROR_H
#define LB_CORE_ERROR_H

/** What a library call can come to. The library never prints and never exits; main() prints once.
 */
typedef enum lb_status {
    LB_OK = 0,
    LB_EIO,      /* no such file, unreadable, unwritable, disk full */
    LB_EFORMAT,  /* the file is there but is not what it should be (not HDF5, truncated, bad syntax)
                  */
    LB_ESHAPE,   /* sizes that must agree do not */
    LB_EINVAL,   /* a value outside its domain */
    LB_ENUMERIC, /* NaN, infinity, or a factorisation that failed */
    LB_ENAME,    /* an unknown key, dataset, column, profile ... */
    LB_EROWS,    /* two scores on different row sets were to be compared */
    LB_EFINDING, /* the work was done and the answer is "no": drift, lint, a false claim */
} lb_status;

/** One failure, told in a sentence for the user. Zero-initialise before use: lb_error err = {0}; */
typedef struct lb_error {
    lb_status status;
    const char *file; /* source position, for developers */
    int line;
    char text[1024]; /* names the file, the thing, the values and, when known, what to do */
} lb_error;

/** Record a failure and return its status. The first failure wins; @p err may be NULL. */
lb_status lb_fail(lb_error *err, lb_status status, const char *file, int line, const char *format,
                  ...) __attribute__((format(printf, 5, 6)));

#define LB_FAIL(err, status, ...) lb_fail((err), (status), __FILE__, __LINE__, __VA_ARGS__)

/** Put "context: " before the message already in @p err, if there is one. */
void lb_error_within(lb_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Exit status of a program that ended with @p status: 0 ok, 1 a finding, 2 could not do it. */
int lb_exit_status(lb_status status);

#endif
