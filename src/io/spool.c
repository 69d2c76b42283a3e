#include "spool.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "purser/base/mem.h"
#include "purser/io/write_whole.h"
#include "temporary_file.h"

#define KEPT "rows."
#define UNKEPT "rows-unkept."

enum { BUFFER_BYTES = 64 * 1024, NAME_BYTES = 256 };

struct spool {
    int fd;
    const struct state_directory *keeper; /* NULL = it has no name */
    bool unkept;                          /* rows-unkept.NAME is there */
    char name[NAME_BYTES];
    uint64_t length; /* with what is buffered */
    size_t buffered;
    char buffer[BUFFER_BYTES];
};

static enum err_code open_named(struct spool *spool, const char *prefix, const char *name,
                                int flags, struct err *err)
{
    int length = snprintf(spool->name, sizeof spool->name, "%s%s", prefix, name);

    if (length < 0 || (size_t)length >= sizeof spool->name)
        return err_set(err, ERR_SYSTEM, "%s: the name is too long for a file", name);
    spool->fd = openat(spool->keeper->fd, spool->name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (spool->fd == -1)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, "open %s/%s: %s",
                       spool->keeper->path, spool->name, strerror(errno));
    return ERR_OK;
}

static struct spool *new_spool(const struct state_directory *keeper, struct err *err)
{
    struct spool *spool = mem_new(1, sizeof *spool);

    if (spool == NULL) {
        (void)err_set(err, ERR_NO_MEMORY, "no memory for the rows of a source");
        return NULL;
    }
    spool->keeper = keeper;
    spool->fd = -1;
    return spool;
}

enum err_code spool_open(const struct state_directory *keeper, const char *name,
                         struct spool **spool_out, struct err *err)
{
    struct spool *spool = new_spool(keeper, err);
    enum err_code code;

    if (spool == NULL)
        return err->code;
    if (keeper == NULL)
        code = temporary_file_open(NULL, &spool->fd, err);
    else
        code = open_named(spool, UNKEPT, name, O_RDWR | O_CREAT | O_TRUNC, err);
    spool->unkept = code == ERR_OK && keeper != NULL;
    if (code != ERR_OK)
        spool_close(spool);
    else
        *spool_out = spool;
    return code;
}

enum err_code spool_open_kept(const struct state_directory *keeper, const char *name,
                              struct spool **spool_out, struct err *err)
{
    struct spool *spool = new_spool(keeper, err);
    struct stat status;

    if (spool == NULL)
        return err->code;
    if (open_named(spool, KEPT, name, O_RDONLY | O_NONBLOCK, err) != ERR_OK) {
        spool_close(spool);
        return err->code;
    }
    if (fstat(spool->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        (void)err_set(err, ERR_SYSTEM, "%s/%s is not a file", keeper->path, spool->name);
        spool_close(spool);
        return err->code;
    }
    spool->length = (uint64_t)status.st_size;
    *spool_out = spool;
    return ERR_OK;
}

void spool_close(struct spool *spool)
{
    if (spool == NULL)
        return;
    if (spool->unkept)
        (void)unlinkat(spool->keeper->fd, spool->name, 0);
    if (spool->fd != -1)
        (void)close(spool->fd);
    mem_free(spool);
}

enum err_code spool_flush(struct spool *spool, struct err *err)
{
    int code = write_whole(spool->fd, spool->buffer, spool->buffered);

    if (code != 0)
        return err_set(
            err, ERR_SYSTEM, "the rows cannot be kept on the disk: %s\nhint: %s", strerror(code),
            spool->keeper == NULL ? "TMPDIR names another folder for temporary files"
                                  : "make room, or choose another place with --state DIRECTORY");
    spool->buffered = 0;
    return ERR_OK;
}

static enum err_code append(void *context, const char *bytes, size_t length, struct err *err)
{
    struct spool *spool = context;

    while (length > 0) {
        size_t room = BUFFER_BYTES - spool->buffered;
        size_t part = length < room ? length : room;

        memcpy(spool->buffer + spool->buffered, bytes, part);
        spool->buffered += part;
        spool->length += part;
        bytes += part;
        length -= part;
        if (spool->buffered == BUFFER_BYTES && spool_flush(spool, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

struct byte_sink spool_sink(struct spool *spool)
{
    return (struct byte_sink){.write = append, .context = spool};
}

enum err_code spool_keep(struct spool *spool, struct err *err)
{
    char kept[NAME_BYTES];

    if (!spool->unkept)
        return ERR_OK;
    assert(spool->buffered == 0);
    (void)snprintf(kept, sizeof kept, KEPT "%s", spool->name + sizeof UNKEPT - 1);
    if (fsync(spool->fd) != 0 ||
        renameat(spool->keeper->fd, spool->name, spool->keeper->fd, kept) != 0)
        return err_set(err, ERR_SYSTEM, "%s/%s cannot be put into place: %s", spool->keeper->path,
                       kept, strerror(errno));
    spool->unkept = false;
    if (fsync(spool->keeper->fd) != 0)
        return err_set(err, ERR_SYSTEM, "sync %s: %s", spool->keeper->path, strerror(errno));
    return ERR_OK;
}

int spool_fd(const struct spool *spool)
{
    return spool->fd;
}

uint64_t spool_length(const struct spool *spool)
{
    return spool->length;
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void spool_forget_others(const struct state_directory *keeper, const char *const *names,
                         size_t count)
{
    int fd = openat(keeper->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd == -1 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (folder == NULL) {
        if (fd != -1)
            (void)close(fd);
        return;
    }
    while ((entry = readdir(folder)) != NULL)
        if (strncmp(entry->d_name, UNKEPT, sizeof UNKEPT - 1) == 0 ||
            (strncmp(entry->d_name, KEPT, sizeof KEPT - 1) == 0 &&
             !is_among(entry->d_name + sizeof KEPT - 1, names, count)))
            (void)unlinkat(keeper->fd, entry->d_name, 0);
    (void)closedir(folder);
}
