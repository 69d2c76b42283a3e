/* The recording of shim.h: what would be lost with the power, and what went over the wire before.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim_recording.h"

#define RECORD_FD 410
#define PATH_BYTES 4096

static int record_fd = -1;

bool shim_records(void)
{
    return record_fd != -1 && shim_is_active();
}

void shim_begin_recording(void)
{
    const char *name = getenv("PURSER_SHIM_RECORD");
    int fd;

    if (name == NULL)
        return;
    fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    record_fd = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, RECORD_FD);
    (void)syscall(SYS_close, fd);
    if (record_fd == -1)
        shim_refuse(name);
}

static void put(const void *bytes, size_t length)
{
    if (syscall(SYS_write, record_fd, bytes, length) != (long)length)
        shim_refuse("PURSER_SHIM_RECORD: what was to be recorded");
}

static void put_record(struct shim_record record, const char *path, const void *bytes)
{
    record.path_length = (uint32_t)strlen(path);
    put(&record, sizeof record);
    put(path, record.path_length);
    if (record.length > 0)
        put(bytes, record.length);
}

static void path_of_fd(int fd, char path_out[PATH_BYTES])
{
    char link[64];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = syscall(SYS_readlink, link, path_out, PATH_BYTES - 1);
    path_out[length < 0 ? 0 : length] = '\0';
}

static void whole_path(int folder, const char *path, char path_out[PATH_BYTES])
{
    size_t length;

    path_out[0] = '\0';
    if (path[0] != '/') {
        if (folder == AT_FDCWD)
            (void)syscall(SYS_getcwd, path_out, PATH_BYTES);
        else
            path_of_fd(folder, path_out);
    }
    length = strlen(path_out);
    snprintf(path_out + length, PATH_BYTES - length, "%s%s", length > 0 ? "/" : "", path);
}

static bool is_file(int fd)
{
    struct stat status;

    return syscall(SYS_fstat, fd, &status) == 0 && S_ISREG(status.st_mode);
}

int64_t shim_offset(int fd)
{
    return shim_records() ? (int64_t)syscall(SYS_lseek, fd, (off_t)0, SEEK_CUR) : -1;
}

void shim_record_write(int fd, const void *bytes, ssize_t length, int64_t offset)
{
    char path[PATH_BYTES];
    int before = errno;

    if (length > 0 && offset >= 0 && shim_records() && is_file(fd)) {
        int flags = (int)syscall(SYS_fcntl, fd, F_GETFL);

        path_of_fd(fd, path);
        put_record((struct shim_record){.kind = RECORD_WRITE,
                                        .is_synced = (flags & O_DSYNC) != 0,
                                        .offset = offset,
                                        .length = (uint64_t)length},
                   path, bytes);
    }
    errno = before;
}

void shim_record_fd(enum shim_record_kind kind, int fd, int64_t offset)
{
    char path[PATH_BYTES];
    int before = errno;

    if (shim_records()) {
        path_of_fd(fd, path);
        put_record((struct shim_record){.kind = kind, .offset = offset}, path, NULL);
    }
    errno = before;
}

void shim_record_send(const void *bytes, size_t length)
{
    if (shim_records())
        put_record((struct shim_record){.kind = RECORD_SEND, .length = length}, "", bytes);
}

bool shim_is_missing(int folder, const char *path)
{
    int before = errno;
    bool is_missing =
        shim_records() && (int)syscall(SYS_faccessat, folder, path, F_OK) == -1 && errno == ENOENT;

    errno = before;
    return is_missing;
}

void shim_record_path(enum shim_record_kind kind, int folder, const char *path)
{
    char whole[PATH_BYTES];
    int before = errno;

    if (shim_records()) {
        whole_path(folder, path, whole);
        put_record((struct shim_record){.kind = kind}, whole, NULL);
    }
    errno = before;
}

void shim_record_rename(int old_folder, const char *old, int new_folder, const char *new)
{
    char old_path[PATH_BYTES], new_path[PATH_BYTES];
    int before = errno;

    if (shim_records()) {
        whole_path(old_folder, old, old_path);
        whole_path(new_folder, new, new_path);
        put_record((struct shim_record){.kind = RECORD_RENAME, .length = strlen(new_path)},
                   old_path, new_path);
    }
    errno = before;
}
