/* Preloaded into rutter-sim: a server of a world that can be made again, byte for byte.
 *
 * Its clock stands at the time of the world (shim.h, PURSER_SHIM_CLOCK), and it tells one and the
 * same port, so that a ledger does not depend on which process served it. The true port, to which
 * the shim leads purser, comes before its address on standard output: "port N". */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "starter.h"
#include "still_server.h"

#define NS_A_S 1000000000LL

static int64_t wall_ns; /* 0: the clock goes */

void starter_child(void)
{
    const char *path = getenv("PURSER_SHIM_CLOCK");
    int fd = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);

    if (fd == -1 || syscall(SYS_read, fd, &wall_ns, sizeof wall_ns) != sizeof wall_ns)
        abort();
    (void)syscall(SYS_close, fd);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    if (wall_ns == 0 || id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID)
        return (int)syscall(SYS_clock_gettime, id, now);
    *now = (struct timespec){.tv_sec = wall_ns / NS_A_S, .tv_nsec = wall_ns % NS_A_S};
    return 0;
}

int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
    static bool is_told;
    int result = (int)syscall(SYS_getsockname, fd, address, size);
    struct sockaddr_in *internet = (struct sockaddr_in *)(void *)address;

    if (result != 0 || address->sa_family != AF_INET || wall_ns == 0)
        return result;
    if (!is_told)
        dprintf(STDOUT_FILENO, "port %u\n", (unsigned)ntohs(internet->sin_port));
    is_told = true;
    internet->sin_port = htons(STILL_PORT);
    return 0;
}
