#include "purser/io/simulator_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { PROGRAM_BYTES = 4096, WORLD_BYTES = 4096 };

static void find_program(char program_out[PROGRAM_BYTES])
{
    const char *named = getenv("PURSER_SIMULATOR");
    struct stat status;
    ssize_t length;
    char *slash;

    if (named != NULL && strlen(named) < PROGRAM_BYTES) {
        memcpy(program_out, named, strlen(named) + 1);
        return;
    }
    length = readlink("/proc/self/exe", program_out, PROGRAM_BYTES - 16);
    if (length > 0) {
        program_out[length] = '\0';
        slash = strrchr(program_out, '/');
        memcpy(slash + 1, "rutter-sim", sizeof "rutter-sim");
        /* A folder can be executed too, as far as access() tells. */
        if (stat(program_out, &status) == 0 && S_ISREG(status.st_mode) &&
            access(program_out, X_OK) == 0)
            return;
    }
    memcpy(program_out, "rutter-sim", sizeof "rutter-sim");
}

static enum err_code spawn(const char *program, char *const arguments[], int out_fd, pid_t *pid_out,
                           struct err *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int failure;

    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return err_set(err, ERR_NO_MEMORY, "no memory to start the simulator");
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return err_set(err, ERR_NO_MEMORY, "no memory to start the simulator");
    }
    /* Its own process group: Ctrl-C is for purser, which still needs answers while it drains. */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
    failure = posix_spawnp(pid_out, program, &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0)
        return err_set(err, ERR_NOT_FOUND,
                       "the simulator cannot be started: %s: %s\n"
                       "hint: it is built beside purser; $PURSER_SIMULATOR names another one",
                       program, strerror(failure));
    return ERR_OK;
}

/* The first line says where it listens. */
static enum err_code read_address(int fd, char *address, size_t size, struct err *err)
{
    size_t length = 0;

    while (length < size - 1) {
        ssize_t got = read(fd, address + length, 1);

        if (got == -1 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set(err, ERR_SYSTEM, "the simulator ended before it listened");
        if (address[length] == '\n')
            break;
        length++;
    }
    address[length] = '\0';
    return ERR_OK;
}

enum err_code simulator_process_start(const char *profile, uint64_t seed, const char *state_path,
                                      struct simulator_process *process_out, struct err *err)
{
    char program[PROGRAM_BYTES], world[WORLD_BYTES], seed_text[24], address[100];
    char *arguments[] = {program,
                         (char *)"--port",
                         (char *)"0",
                         (char *)"--profile",
                         (char *)(uintptr_t)profile,
                         (char *)"--seed",
                         seed_text,
                         (char *)"--exit-with-parent",
                         (char *)"--any-token",
                         (char *)(uintptr_t)(state_path == NULL ? NULL : "--world"),
                         world,
                         NULL};
    enum err_code code;
    int fds[2];

    if (state_path != NULL &&
        (size_t)snprintf(world, sizeof world, "%s/simulator.world", state_path) >= sizeof world)
        return err_set(err, ERR_INPUT, "the path of the state directory is too long");
    find_program(program);
    (void)snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)seed);
    if (pipe2(fds, O_CLOEXEC) == -1)
        return err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
    code = spawn(program, arguments, fds[1], &process_out->pid, err);
    close(fds[1]);
    if (code == ERR_OK) {
        code = read_address(fds[0], address, sizeof address, err);
        if (code != ERR_OK)
            simulator_process_stop(process_out);
    }
    close(fds[0]);
    if (code == ERR_OK)
        (void)snprintf(process_out->base_url, sizeof process_out->base_url, "%s/versioned",
                       address);
    return code;
}

void simulator_process_stop(struct simulator_process *process)
{
    if (process->pid <= 0)
        return;
    (void)kill(process->pid, SIGTERM);
    while (waitpid(process->pid, NULL, 0) == -1 && errno == EINTR)
        continue;
    process->pid = 0;
}
