/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_GIT_H
#define LB_RECORD_GIT_H

#include "core/text.h"

#include <stdbool.h>

/**
 * Run `git ARGUMENTS...` in the working directory and append what it prints. The state of the
 * source tree is asked for when a record is written: a constant compiled in would be stale, or
 * would rebuild and rerun everything after each commit; reading .git by hand misses worktrees and
 * packed references. No shell is involved.
 * @param arguments  NULL-terminated, without "git"
 * @return false if git is not installed, this is no repository, or git reports a failure
 */
bool lb_git(const char *const *arguments, lb_text *out);

#endif
