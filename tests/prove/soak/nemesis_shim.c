/* Preloaded into the real binary: what the nemesis of prove-soak does to one process and to nobody
 * else on the machine, as a normal user. PURSER_NEMESIS names a file that both have mapped; a value
 * that the nemesis writes there counts from the next call on. Offset, type and what it says:
 *
 *    0  int64   nanoseconds to be added to the wall clock; the boot clock cannot be set
 *    8  int64   1: the disk is full, so that no file grows and none is made
 *               2: it takes no write at all, as a copy-on-write file system that is full
 *   16  int64   microseconds that each sync takes longer
 *   24  int64   counted here: calls that a full disk has refused
 *
 * Sockets, pipes, standard input, output and error are left alone. */
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define DISK_GROWS_NOT 1
#define DISK_TAKES_NOTHING 2
#define NS_A_SECOND INT64_C(1000000000)

struct page {
    _Atomic int64_t clock_ns;
    _Atomic int64_t disk;
    _Atomic int64_t sync_us;
    _Atomic int64_t refused;
};

static struct page undisturbed;
static struct page *page = &undisturbed;

__attribute__((constructor)) static void open_page(void)
{
    const char *path = getenv("PURSER_NEMESIS");
    int fd = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    void *mapped;

    if (fd == -1)
        return;
    mapped = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)syscall(SYS_close, fd);
    if (mapped != MAP_FAILED)
        page = mapped;
}

static int refuse(void)
{
    atomic_fetch_add(&page->refused, 1);
    errno = ENOSPC;
    return -1;
}

/* `end`: where the write ends; -1 = at the file's own place plus `length`. */
static bool is_refused(int fd, int64_t end, size_t length)
{
    int64_t disk = atomic_load(&page->disk);
    struct stat file;

    if (disk == 0 || fd <= STDERR_FILENO || fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
        return false;
    if (end < 0)
        end = (int64_t)lseek(fd, 0, SEEK_CUR) + (int64_t)length;
    return disk == DISK_TAKES_NOTHING || end > file.st_size;
}

static void be_slow(void)
{
    int64_t us = atomic_load(&page->sync_us);

    if (us > 0)
        usleep((useconds_t)us);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t length)
{
    return is_refused(fd, -1, length) ? refuse() : syscall(SYS_write, fd, bytes, length);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    return is_refused(fd, offset + (int64_t)length, length)
               ? refuse()
               : syscall(SYS_pwrite64, fd, bytes, length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset)
{
    return pwrite(fd, bytes, length, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    size_t length = 0;

    for (int i = 0; i < count; i++)
        length += parts[i].iov_len;
    return is_refused(fd, -1, length) ? refuse() : syscall(SYS_writev, fd, parts, count);
}

int ftruncate(int fd, off_t length)
{
    return is_refused(fd, length, 0) ? refuse() : (int)syscall(SYS_ftruncate, fd, length);
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
    if (is_refused(fd, offset + length, 0)) {
        (void)refuse();
        return ENOSPC;
    }
    return REAL(posix_fallocate)(fd, offset, length);
}

static bool is_new(int folder, const char *path, int flags)
{
    return (flags & O_CREAT) != 0 && atomic_load(&page->disk) != 0 &&
           syscall(SYS_faccessat, folder, path, F_OK) != 0;
}

#define OPEN(name, parameters, folder, path)                        \
    int name parameters                                             \
    {                                                               \
        va_list rest;                                               \
        mode_t mode;                                                \
                                                                    \
        va_start(rest, flags);                                      \
        mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;   \
        va_end(rest);                                               \
        if (is_new(folder, path, flags))                            \
            return refuse();                                        \
        return (int)syscall(SYS_openat, folder, path, flags, mode); \
    }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD, path)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD, path)
OPEN(openat, (int folder, const char *path, int flags, ...), folder, path)
OPEN(openat64, (int folder, const char *path, int flags, ...), folder, path)

int fsync(int fd)
{
    be_slow();
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    be_slow();
    return (int)syscall(SYS_fdatasync, fd);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = REAL(clock_gettime)(id, now);
    int64_t offset = atomic_load(&page->clock_ns);

    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t ns = now->tv_sec * NS_A_SECOND + now->tv_nsec + offset;

        now->tv_sec = ns / NS_A_SECOND;
        now->tv_nsec = ns % NS_A_SECOND;
    }
    return result;
}

/* The proof counts descriptors in /proc, which only root may read of a process that asks for this.
 */
int prctl(int option, ...)
{
    va_list rest;
    unsigned long words[4];

    va_start(rest, option);
    for (int i = 0; i < 4; i++)
        words[i] = va_arg(rest, unsigned long);
    va_end(rest);
    if (option == PR_SET_DUMPABLE)
        return 0;
    return (int)syscall(SYS_prctl, option, words[0], words[1], words[2], words[3]);
}
