#include "purser/io/clock.h"

#include <assert.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "purser/base/checksum.h"

static int64_t read_ms(clockid_t id)
{
    struct timespec now = {0};
    int failed = clock_gettime(id, &now);

    assert(!failed); /* both clocks exist on every Linux that is supported */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_boot_ms(void)
{
    return read_ms(CLOCK_BOOTTIME);
}

/* Source: proc_sys_kernel(5), random/boot_id. */
uint32_t clock_boot(void)
{
    char id[64];
    ssize_t length = -1;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    if (fd != -1) {
        length = read(fd, id, sizeof id);
        (void)close(fd);
    }
    if (length <= 0)
        return 0;
    return (uint32_t)checksum64(id, (size_t)length) | 1; /* never 0 */
}
