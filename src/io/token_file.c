#include "purser/io/token_file.h"
#include "purser/io/write_whole.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* The name of a new file is durable too, or the tokens would be in a file that is gone after a
 * crash. */
static enum err_code sync_folder(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_BYTES] = ".";
    int fd, failure;

    if (slash != NULL && (size_t)(slash - path) < sizeof folder) {
        memcpy(folder, path, (size_t)(slash - path));
        folder[slash - path] = '\0';
        if (slash == path)
            memcpy(folder, "/", 2);
    }
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    failure = fd == -1 || fsync(fd) == -1 ? errno : 0;
    if (fd != -1)
        close(fd);
    return failure == 0 ? ERR_OK : err_set(err, ERR_SYSTEM, "%s: %s", folder, strerror(failure));
}

static enum err_code check(const char *path, int fd, struct err *err)
{
    struct stat status;

    if (fstat(fd, &status) == -1)
        return err_set(err, ERR_SYSTEM, "access_tokens: %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode) || status.st_nlink != 1)
        return err_set(err, ERR_INPUT, "access_tokens: %s is not a regular file with one name",
                       path);
    if (status.st_uid != geteuid())
        return err_set(err, ERR_INPUT, "access_tokens: %s belongs to another user", path);
    if ((status.st_mode & 077) != 0)
        return err_set(
            err, ERR_INPUT,
            "access_tokens: %s can be read or written by others\nhint: chmod 600 it, and "
            "change the tokens in it if they were seen",
            path);
    return ERR_OK;
}

static bool ends_in_a_line(int fd)
{
    off_t end = lseek(fd, 0, SEEK_END);
    char last = '\n';

    if (end > 0 && pread(fd, &last, 1, end - 1) != 1)
        return false;
    return last == '\n';
}

enum err_code token_file_open(const char *path, struct token_file *file_out, struct err *err)
{
    const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = open(path, flags | O_CREAT | O_EXCL, 0600);
    bool is_new = fd != -1;

    *file_out = (struct token_file){.fd = -1};
    if (fd == -1 && errno == EEXIST)
        fd = open(path, flags);
    if (fd == -1)
        return err_set(err, ERR_INPUT, "access_tokens: %s %s", path,
                       errno == ELOOP ? "is a symbolic link, which is not followed"
                                      : strerror(errno));
    if (check(path, fd, err) != ERR_OK || (is_new && sync_folder(path, err) != ERR_OK)) {
        if (is_new)
            (void)unlink(path); /* the next who finds it takes its name for synced */
        close(fd);
        return err->code;
    }
    *file_out = (struct token_file){.fd = fd, .cut_line = !ends_in_a_line(fd)};
    return ERR_OK;
}

void token_file_close(struct token_file *file)
{
    if (file->fd != -1)
        close(file->fd);
    file->fd = -1;
}

enum err_code token_file_append(struct token_file *file, const struct buf *line, struct err *err)
{
    int code = file->cut_line ? write_whole(file->fd, "\n", 1) : 0;

    if (code == 0)
        code = write_whole(file->fd, line->bytes, line->length);
    if (code == 0 && fsync(file->fd) == -1)
        code = errno;
    file->cut_line = code != 0;
    return code == 0 ? ERR_OK
                     : err_set(err, ERR_SYSTEM, "the file of access tokens: %s", strerror(code));
}
