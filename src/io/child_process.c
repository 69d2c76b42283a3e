#include "purser/io/child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int spawn(char *const arguments[], int output_fd, pid_t *pid_out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int failure = posix_spawn_file_actions_init(&actions);

    if (failure != 0)
        return failure;
    failure = posix_spawnattr_init(&attributes);
    if (failure != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return failure;
    }
    sigemptyset(&none);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setpgroup(&attributes, 0);
    failure = posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
    if (failure == 0)
        failure = posix_spawn_file_actions_adddup2(&actions, output_fd, STDERR_FILENO);
    /* The file that runs, also when it was replaced by a newer one since. */
    if (failure == 0)
        failure = posix_spawn(pid_out, "/proc/self/exe", &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

enum err_code child_process_start(char *const arguments[], struct child_process *child_out,
                                  struct err *err)
{
    int fds[2], failure;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
    failure =
        fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 ? spawn(arguments, fds[1], &child_out->pid) : errno;
    close(fds[1]);
    if (failure != 0) {
        close(fds[0]);
        return err_set(err, failure == ENOMEM ? ERR_NO_MEMORY : ERR_SYSTEM,
                       "purser cannot be started: %s", strerror(failure));
    }
    child_out->output_fd = fds[0];
    return ERR_OK;
}

int child_process_wait(struct child_process *child)
{
    int status = 0;

    close(child->output_fd);
    child->output_fd = -1;
    while (waitpid(child->pid, &status, 0) == -1)
        if (errno != EINTR)
            return EXIT_INTERNAL;
    child->pid = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
