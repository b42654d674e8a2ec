/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/git.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 16 };

/* Start git with its output on @p fd; 0 if it cannot be started. */
static pid_t start(const char *const *arguments, int fd)
{
    extern char **environ;
    char *argv[MAX_ARGUMENTS + 3] = {(char *)"git", (char *)"--no-optional-locks"};
    for (size_t i = 0; i < MAX_ARGUMENTS && arguments[i]; i++)
        argv[i + 2] = (char *)arguments[i];
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (posix_spawnp(&pid, "git", &actions, NULL, argv, environ))
        pid = 0;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

bool lb_git(const char *const *arguments, lb_text *out)
{
    int ends[2], status = 0;
    if (pipe2(ends, O_CLOEXEC))
        return false;
    const pid_t pid = start(arguments, ends[1]);
    close(ends[1]);
    char block[4096];
    for (ssize_t got; pid > 0 && (got = read(ends[0], block, sizeof block)) > 0;)
        lb_text_addn(out, block, (size_t)got);
    close(ends[0]);
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}
