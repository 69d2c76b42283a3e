#include "purser/io/result_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "purser/base/mem.h"
#include "purser/io/write_whole.h"

enum { PATH_BYTES = 4096, BUFFER_BYTES = 64 * 1024 };

struct result_file {
    int fd;
    char folder[PATH_BYTES];
    char path[PATH_BYTES + 256];
    char temporary[PATH_BYTES + 272];
    size_t used;
    char buffer[BUFFER_BYTES];
};

static enum err_code output_error(struct err *err, const char *path, const char *what)
{
    return err_set(err, ERR_OUTPUT, "%s: %s: %s", path, what, strerror(errno));
}

static enum err_code make_folder(const char *folder, struct err *err)
{
    char parent[PATH_BYTES];
    char *slash;

    if (mkdir(folder, 0777) == 0 || errno == EEXIST)
        return ERR_OK;
    if (errno != ENOENT || strlen(folder) >= sizeof parent)
        return output_error(err, folder, "the folder cannot be made");
    memcpy(parent, folder, strlen(folder) + 1);
    slash = strrchr(parent, '/');
    if (slash == NULL || slash == parent)
        return output_error(err, folder, "the folder cannot be made");
    *slash = '\0';
    if ((mkdir(parent, 0777) != 0 && errno != EEXIST) ||
        (mkdir(folder, 0777) != 0 && errno != EEXIST))
        return output_error(err, folder, "the folder cannot be made");
    return ERR_OK;
}

enum err_code result_file_open(const char *folder, const char *name, struct result_file **file_out,
                               struct err *err)
{
    struct result_file *file;

    if (strlen(folder) >= PATH_BYTES || strlen(name) > 200)
        return err_set(err, ERR_OUTPUT, "%.100s…: the path is too long", folder);
    if (make_folder(folder, err) != ERR_OK)
        return err->code;
    file = mem_new(1, sizeof *file);
    if (file == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %s", name);
    (void)snprintf(file->folder, sizeof file->folder, "%s", folder);
    (void)snprintf(file->path, sizeof file->path, "%s/%s", folder, name);
    (void)snprintf(file->temporary, sizeof file->temporary, "%s/.%s.new", folder, name);
    file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->fd == -1) {
        output_error(err, file->temporary, "cannot be written");
        mem_free(file);
        return err->code;
    }
    *file_out = file;
    return ERR_OK;
}

static enum err_code flush(struct result_file *file, struct err *err)
{
    errno = write_whole(file->fd, file->buffer, file->used);
    if (errno != 0)
        return output_error(err, file->temporary, "cannot be written");
    file->used = 0;
    return ERR_OK;
}

enum err_code result_file_append(struct result_file *file, struct slice bytes, struct err *err)
{
    while (bytes.length > 0) {
        size_t room = sizeof file->buffer - file->used;
        size_t part = bytes.length < room ? bytes.length : room;

        memcpy(file->buffer + file->used, bytes.bytes, part);
        file->used += part;
        bytes.bytes += part;
        bytes.length -= part;
        if (file->used == sizeof file->buffer && flush(file, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

static enum err_code sync_folder(const char *folder, struct err *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed;

    if (fd == -1)
        return output_error(err, folder, "cannot be synced");
    failed = fsync(fd);
    close(fd);
    return failed == 0 ? ERR_OK : output_error(err, folder, "cannot be synced");
}

enum err_code result_file_commit(struct result_file *file, struct err *err)
{
    enum err_code code = flush(file, err);

    if (code == ERR_OK && fsync(file->fd) != 0)
        code = output_error(err, file->temporary, "cannot be synced");
    if (code == ERR_OK && rename(file->temporary, file->path) != 0)
        code = output_error(err, file->path, "cannot be put into place");
    if (code == ERR_OK)
        code = sync_folder(file->folder, err);
    result_file_abandon(file);
    return code;
}

void result_file_abandon(struct result_file *file)
{
    if (file == NULL)
        return;
    (void)unlink(file->temporary); /* gone already after a rename */
    close(file->fd);
    mem_free(file);
}
