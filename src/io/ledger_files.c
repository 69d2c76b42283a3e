#include "ledger_files.h"
#include "purser/io/write_whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Less than this free, and an I/O error is called a full disk: LMDB turns a short write, which is
 * what a full disk gives, into EIO. */
#define NEARLY_FULL_BYTES ((uint64_t)4 * 1024 * 1024)

enum err_code ledger_files_open(struct ledger_files *files, const struct state_directory *directory,
                                struct err *err)
{
    (void)snprintf(files->path, sizeof files->path, "%s", directory->path);
    files->directory_fd = fcntl(directory->fd, F_DUPFD_CLOEXEC, 3);
    if (files->directory_fd == -1)
        return err_set(err, ERR_SYSTEM, "%s: %s", files->path, strerror(errno));
    return ERR_OK;
}

void ledger_files_close(struct ledger_files *files)
{
    if (files->directory_fd != -1)
        close(files->directory_fd);
    files->directory_fd = -1;
}

enum err_code ledger_files_failed(const struct ledger_files *files, int code, const char *doing,
                                  struct err *err)
{
    struct statvfs disk;
    uint64_t free_bytes = UINT64_MAX;

    if (fstatvfs(files->directory_fd, &disk) == 0)
        free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (code == EDQUOT)
        return err_set(err, ERR_STORAGE,
                       "%s in %s: the disk quota is used up\n"
                       "hint: make room, then run the same command again; nothing that was "
                       "acknowledged is lost",
                       doing, files->path);
    if (code == ENOSPC && free_bytes == UINT64_MAX)
        free_bytes = 0; /* the disk does not even say */
    if (code == ENOSPC || (code == EIO && free_bytes < NEARLY_FULL_BYTES))
        return err_set(err, ERR_STORAGE,
                       "disk full: %llu bytes free in %s\n"
                       "hint: make room, then run the same command again; nothing that was "
                       "acknowledged is lost",
                       (unsigned long long)free_bytes, files->path);
    if (code == EFBIG)
        return err_set(err, ERR_STORAGE,
                       "%s in %s: the file may not grow any more (ulimit -f, or a limit of the "
                       "file system)",
                       doing, files->path);
    if (code == ENOMEM)
        return err_set(err, ERR_STORAGE, "%s in %s: no memory or address space (see ulimit -v)",
                       doing, files->path);
    return err_set(err, ERR_STORAGE, "%s in %s: %s", doing, files->path, strerror(code));
}

enum err_code ledger_files_check(const struct ledger_files *files, const char *name,
                                 struct stat *status_out, struct err *err)
{
    if (fstatat(files->directory_fd, name, status_out, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT)
            return err_set(err, ERR_SYSTEM, "stat %s/%s: %s", files->path, name, strerror(errno));
        *status_out = (struct stat){0};
        return ERR_OK;
    }
    if (!S_ISREG(status_out->st_mode) || status_out->st_uid != geteuid() ||
        status_out->st_nlink != 1)
        return err_set(err, ERR_STATE_DIRECTORY, "%s/%s is not a regular file of yours",
                       files->path, name);
    if ((status_out->st_mode & 077) != 0)
        return err_set(err, ERR_STATE_DIRECTORY,
                       "%s/%s is open to others (mode %04o)\nhint: chmod 600 %s/%s", files->path,
                       name, (unsigned)status_out->st_mode & 07777, files->path, name);
    return ERR_OK;
}

void ledger_files_identity(const struct ledger_files *files, const char *name,
                           char text_out[LEDGER_FILE_IDENTITY_BYTES])
{
    struct statx status;

    text_out[0] = '\0';
    if (statx(files->directory_fd, name, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &status) !=
        0)
        return;
    if ((status.stx_mask & STATX_BTIME) == 0)
        status.stx_btime.tv_sec = 0;
    (void)snprintf(text_out, LEDGER_FILE_IDENTITY_BYTES, "inode %llu born %lld",
                   (unsigned long long)status.stx_ino, (long long)status.stx_btime.tv_sec);
}

enum err_code ledger_files_allocate(const struct ledger_files *files, const char *name, off_t bytes,
                                    bool write, struct err *err)
{
    struct stat status;
    int fd, code;

    if (ledger_files_check(files, name, &status, err) != ERR_OK)
        return err->code;
    /* Not opened when it is there already: closing any descriptor of a file drops all locks that
     * this process has on it. */
    if (status.st_size >= bytes && status.st_blocks * 512 >= bytes)
        return ERR_OK;
    fd = openat(files->directory_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd == -1) {
        if (errno == EROFS && !write)
            return ERR_OK;
        return ledger_files_failed(files, errno, "make a file", err);
    }
    code = fchmod(fd, 0600) != 0 ? errno : posix_fallocate(fd, 0, bytes);
    close(fd);
    return code == 0 ? ERR_OK : ledger_files_failed(files, code, "allocate a file", err);
}

/* Written aside and renamed, so that it is there whole or not at all. */
enum err_code ledger_files_make_text(const struct ledger_files *files, const char *name,
                                     const char *text, struct err *err)
{
    char aside[64];
    struct stat status;
    int fd, code;

    if (ledger_files_check(files, name, &status, err) != ERR_OK)
        return err->code;
    if (status.st_nlink == 1)
        return ERR_OK;
    (void)snprintf(aside, sizeof aside, "%s.new", name);
    fd = openat(files->directory_fd, aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                0600);
    if (fd == -1)
        return ledger_files_failed(files, errno, "make a file", err);
    code = fchmod(fd, 0600) != 0 ? errno : write_whole(fd, text, strlen(text));
    if (code == 0 &&
        (fsync(fd) != 0 || renameat(files->directory_fd, aside, files->directory_fd, name) != 0 ||
         fsync(files->directory_fd) != 0))
        code = errno;
    close(fd);
    return code == 0 ? ERR_OK : ledger_files_failed(files, code, "write a file", err);
}
