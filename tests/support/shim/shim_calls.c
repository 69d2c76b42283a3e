/* The calls of shim.h: each counted, and the chosen one killed or failed. */
#include "shim.h"

#include "starter.h"
#include "still_server.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* A kernel interrupts or puts off one call, not all that ever follow: a repeat gets through. */
#define PUT_OFF_MAX 100
#define LIST_FD 400

enum when { WHEN_NEVER, WHEN_BEFORE, WHEN_HALF, WHEN_AFTER, WHEN_FAIL, WHEN_SHORT };

static struct {
    enum when when;
    uint64_t number;
    int error;
    bool sticky;
    bool all; /* count reads as well */
    int list_fd;
    pid_t process;
    uint64_t put_off;
    uint16_t port; /* where the server of still_server.c listens; 0 = none */
} shim = {.list_fd = -1};
static _Atomic uint64_t count;

void *shim_real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        abort();
    return function;
}

_Noreturn void shim_refuse(const char *text)
{
    fprintf(stderr, "shim: %s cannot be understood\n", text);
    abort();
}

_Noreturn void shim_die(void)
{
    (void)syscall(SYS_kill, (pid_t)syscall(SYS_getpid), SIGKILL);
    for (;;)
        (void)syscall(SYS_pause);
}

bool shim_is_active(void)
{
    return shim.process == (pid_t)syscall(SYS_getpid);
}

static void choose(const char *text)
{
    static const char *const names[] = {[WHEN_BEFORE] = "before:",
                                        [WHEN_HALF] = "half:",
                                        [WHEN_AFTER] = "after:",
                                        [WHEN_FAIL] = "fail:",
                                        [WHEN_SHORT] = "short:"};
    const char *rest = NULL;
    char *end = NULL;

    for (enum when when = WHEN_BEFORE; when <= WHEN_SHORT; when++) {
        if (strncmp(text, names[when], strlen(names[when])) == 0) {
            shim.when = when;
            rest = text + strlen(names[when]);
        }
    }
    if (rest == NULL)
        shim_refuse(text);
    if (shim.when == WHEN_FAIL) {
        shim.error = (int)strtol(rest, &end, 10);
        if (shim.error <= 0 || *end != ':')
            shim_refuse(text);
        rest = end + 1;
    }
    shim.number = strtoull(rest, &end, 10);
    shim.sticky = *end == '+';
    if (shim.number == 0 || end[shim.sticky] != '\0')
        shim_refuse(text);
}

static void begin_calls(void)
{
    const char *text = getenv("PURSER_SHIM");
    const char *list = getenv("PURSER_SHIM_LIST");
    const char *what = getenv("PURSER_SHIM_COUNT");
    const char *port = getenv("PURSER_SHIM_PORT");

    if (text != NULL)
        choose(text);
    if (list != NULL) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, list, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                              0600);

        /* Not in the way of the numbers that the program's descriptors have. */
        shim.list_fd = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, LIST_FD);
        (void)syscall(SYS_close, fd);
        if (shim.list_fd == -1)
            shim_refuse(list);
    }
    shim.port = port == NULL ? 0 : (uint16_t)strtoul(port, NULL, 10);
    shim.all = what != NULL && strcmp(what, "all") == 0;
    shim.process = getpid();
}

static void leave_children_alone(void)
{
    if (getenv("PURSER_SHIM_FOLLOW") == NULL)
        unsetenv("LD_PRELOAD");
    unsetenv("PURSER_SHIM");
    unsetenv("PURSER_SHIM_LIST");
    unsetenv("PURSER_SHIM_RECORD");
}

void starter_child(void)
{
    begin_calls();
    shim_begin_recording();
    shim_begin_clock();
    leave_children_alone();
}

__attribute__((constructor)) static void start(void)
{
    if (!starter_is_parent())
        starter_child();
}

static void list(uint64_t number, const char *name, int fd, const char *path)
{
    char line[512], link[64], target[256];
    ssize_t length;
    int used;

    target[0] = '\0';
    if (path == NULL && fd >= 0) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        length = syscall(SYS_readlink, link, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = '\0';
        if (strstr(target, "/#") != NULL) /* a file without a name has the one of its inode */
            *strstr(target, "/#") = '\0';
        /* The number of a socket or a pipe tells nothing, and is never the same. */
        if (strncmp(target, "socket:", 7) == 0 || strncmp(target, "pipe:", 5) == 0)
            *strchr(target, ':') = '\0';
    }
    used = snprintf(line, sizeof line, "%llu %s %s\n", (unsigned long long)number, name,
                    path == NULL ? target : path);
    (void)syscall(SYS_write, shim.list_fd, line, (size_t)used);
}

static bool is_put_off(void)
{
    return shim.error == EINTR || shim.error == EAGAIN;
}

enum act shim_pass(const char *name, int fd, const char *path, bool is_effect)
{
    uint64_t number;

    if (!shim_is_active() || (!is_effect && !shim.all))
        return ACT_GO;
    number = atomic_fetch_add(&count, 1) + 1;
    if (shim.list_fd != -1)
        list(number, name, fd, path);
    if (number < shim.number || (number > shim.number && !shim.sticky))
        return ACT_GO;
    switch (shim.when) {
    case WHEN_BEFORE:
        shim_die();
    case WHEN_HALF:
        return ACT_HALF;
    case WHEN_AFTER:
        return ACT_AFTER;
    case WHEN_FAIL:
        if (is_put_off() && shim.put_off++ >= PUT_OFF_MAX)
            return ACT_GO;
        errno = shim.error;
        return ACT_FAIL;
    case WHEN_SHORT:
        return ACT_SHORT;
    case WHEN_NEVER:
        break;
    }
    return ACT_GO;
}

bool shim_counts(int fd)
{
    struct stat status;

    return fd > 2 && syscall(SYS_fstat, fd, &status) == 0 && (status.st_mode & S_IFMT) != 0;
}

static bool is_socket(int fd)
{
    struct stat status;

    return syscall(SYS_fstat, fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

void shim_after(enum act act)
{
    if (act == ACT_AFTER || act == ACT_HALF)
        shim_die();
}

size_t shim_length(enum act act, size_t length)
{
    return act == ACT_HALF || act == ACT_SHORT ? (length + 1) / 2 : length;
}

/* --- bytes to a file or a socket ---------------------------------------------------------------
 */

ssize_t write(int fd, const void *bytes, size_t length)
{
    enum act act = shim_counts(fd) ? EFFECT(write, fd, NULL) : ACT_GO;
    int64_t offset = shim_offset(fd);
    ssize_t result;

    if (act == ACT_FAIL)
        return -1;
    if (is_socket(fd))
        shim_record_send(bytes, length);
    result = REAL(write)(fd, bytes, shim_length(act, length));
    shim_record_write(fd, bytes, result, offset);
    shim_after(act);
    if (result > 0 && is_socket(fd))
        shim_sent(fd, act != ACT_SHORT);
    return result;
}

static ssize_t do_pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    enum act act = shim_counts(fd) ? EFFECT(pwrite, fd, NULL) : ACT_GO;
    ssize_t result;

    if (act == ACT_FAIL)
        return -1;
    result = syscall(SYS_pwrite64, fd, bytes, shim_length(act, length), offset);
    shim_record_write(fd, bytes, result, offset);
    shim_after(act);
    return result;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    return do_pwrite(fd, bytes, length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    return do_pwrite(fd, bytes, length, offset);
}

static void record_blocks(int fd, const struct iovec *blocks, ssize_t left, int64_t offset)
{
    for (; left > 0; blocks++) {
        ssize_t length = (ssize_t)blocks->iov_len < left ? (ssize_t)blocks->iov_len : left;

        shim_record_write(fd, blocks->iov_base, length, offset);
        offset += length;
        left -= length;
    }
}

ssize_t writev(int fd, const struct iovec *blocks, int block_count)
{
    enum act act = shim_counts(fd) ? EFFECT(writev, fd, NULL) : ACT_GO;
    int64_t offset = shim_offset(fd);
    ssize_t result;

    if (act == ACT_FAIL)
        return -1;
    for (int i = 0; i < block_count && is_socket(fd); i++)
        shim_record_send(blocks[i].iov_base, blocks[i].iov_len);
    result = REAL(writev)(fd, blocks, (int)shim_length(act, (size_t)block_count));
    if (offset >= 0)
        record_blocks(fd, blocks, result, offset);
    shim_after(act);
    if (result > 0 && is_socket(fd))
        shim_sent(fd, act != ACT_SHORT);
    return result;
}

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *address,
               socklen_t size)
{
    enum act act = EFFECT(send, fd, NULL);
    ssize_t result;

    if (act == ACT_FAIL)
        return -1;
    shim_record_send(bytes, length);
    result = syscall(SYS_sendto, fd, bytes, shim_length(act, length), flags, address, size);
    shim_after(act);
    if (result > 0)
        shim_sent(fd, act != ACT_SHORT);
    return result;
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
    return sendto(fd, bytes, length, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    enum act act = EFFECT(sendmsg, fd, NULL);
    ssize_t result;

    if (act == ACT_FAIL)
        return -1;
    for (size_t i = 0; i < message->msg_iovlen; i++)
        shim_record_send(message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
    result = REAL(sendmsg)(fd, message, flags);
    shim_after(act);
    if (result > 0)
        shim_sent(fd, act != ACT_SHORT);
    return result;
}

ssize_t recvfrom(int fd, void *bytes, size_t length, int flags, struct sockaddr *address,
                 socklen_t *size)
{
    enum act act = EFFECT(recv, fd, NULL);
    ssize_t result;

    if (act == ACT_FAIL)
        return -1;
    if (shim_is_active())
        shim_looks(fd);
    result = syscall(SYS_recvfrom, fd, bytes,
                     act == ACT_SHORT && length > 256 ? 128 : shim_length(act, length), flags,
                     address, size);
    shim_after(act);
    if (result >= 0)
        shim_received(fd);
    return result;
}

ssize_t recv(int fd, void *bytes, size_t length, int flags)
{
    return recvfrom(fd, bytes, length, flags, NULL, NULL);
}

/* --- what makes them last ----------------------------------------------------------------------
 */

/* `result` when a call has not failed is recorded. */
static int record_fd(int result, enum shim_record_kind kind, int fd, off_t offset)
{
    if (result == 0)
        shim_record_fd(kind, fd, offset);
    if (kind == RECORD_SYNC)
        shim_synced();
    return result;
}

int fdatasync(int fd)
{
    CALL(-1, EFFECT(fdatasync, fd, NULL), record_fd(REAL(fdatasync)(fd), RECORD_SYNC, fd, 0));
}

int fsync(int fd)
{
    CALL(-1, EFFECT(fsync, fd, NULL), record_fd(REAL(fsync)(fd), RECORD_SYNC, fd, 0));
}

int msync(void *bytes, size_t length, int flags)
{
    CALL(-1, EFFECT(msync, -1, NULL), REAL(msync)(bytes, length, flags));
}

int ftruncate(int fd, off_t length)
{
    CALL(-1, EFFECT(ftruncate, fd, NULL),
         record_fd(REAL(ftruncate)(fd, length), RECORD_TRUNCATE, fd, length));
}

int ftruncate64(int fd, off64_t length)
{
    CALL(-1, EFFECT(ftruncate, fd, NULL),
         record_fd(REAL(ftruncate)(fd, length), RECORD_TRUNCATE, fd, length));
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
    enum act act = EFFECT(posix_fallocate, fd, NULL);

    CALL(errno, act, REAL(posix_fallocate)(fd, offset, length));
}

/* --- sockets -----------------------------------------------------------------------------------
 */

/* The server of still_server.c listens at another port than it tells. */
static int connect_to(int fd, const struct sockaddr *address, socklen_t size)
{
    struct sockaddr_in internet;

    if (shim.port == 0 || address->sa_family != AF_INET || size != sizeof internet)
        return REAL(connect)(fd, address, size);
    memcpy(&internet, address, sizeof internet);
    if (internet.sin_port == htons(STILL_PORT))
        internet.sin_port = htons(shim.port);
    return REAL(connect)(fd, (const struct sockaddr *)&internet, sizeof internet);
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    enum act act = EFFECT(connect, fd, NULL);
    int result;

    if (act == ACT_FAIL)
        return -1;
    if (act == ACT_HALF)
        shim_die();
    result = connect_to(fd, address, size);
    shim_connected(fd);
    shim_after(act);
    return result;
}

int socket(int domain, int type, int protocol)
{
    CALL(-1, EFFECT(socket, -1, NULL), REAL(socket)(domain, type, protocol));
}

int close(int fd)
{
    enum act act = shim_counts(fd) ? OTHER(close, fd, NULL) : ACT_GO;
    int result;

    if (shim_is_active())
        shim_closed(fd);
    result = REAL(close)(fd);
    /* It is closed even so. */
    return act == ACT_FAIL ? (errno = shim.error, -1) : result;
}
