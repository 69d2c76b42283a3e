#include "diag_files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "purser/base/mem.h"

struct diag_file {
    struct diag_file *next;
    char *name;
    bool has_lines; /* they are in `fd`, or nowhere */
    bool owns_fd;   /* many names may have their lines in one file */
    int fd;         /* -1 = none */
    dev_t device;
    ino_t inode;
    uint64_t offset;
};

static struct diag_file *find(const struct diagnostics *diagnostics, const char *name)
{
    struct diag_file *file = diagnostics->files;

    while (file != NULL && file->name != name && strcmp(file->name, name) != 0)
        file = file->next;
    return file;
}

const char *diagnostics_name_file(struct diagnostics *diagnostics, const char *name)
{
    struct diag_file *file = mem_new(1, sizeof *file);

    if (file == NULL)
        return NULL;
    *file = (struct diag_file){.next = diagnostics->files, .fd = -1};
    file->name = mem_copy_text(name, strlen(name));
    if (file->name == NULL) {
        mem_free(file);
        return NULL;
    }
    diagnostics->files = file;
    return file->name;
}

/* Only before others share them. */
static void forget_lines(struct diag_file *file)
{
    if (file->owns_fd && file->fd != -1)
        (void)close(file->fd);
    file->owns_fd = false;
    file->fd = -1;
}

void diagnostics_set_lines(struct diagnostics *diagnostics, const char *name, int fd,
                           uint64_t offset)
{
    struct diag_file *file = find(diagnostics, name), *other;
    struct stat status;

    if (file == NULL)
        return;
    forget_lines(file);
    file->has_lines = true;
    file->offset = offset;
    if (fd == -1 || fstat(fd, &status) != 0)
        return;
    for (other = diagnostics->files; other != NULL; other = other->next)
        if (other->owns_fd && other->device == status.st_dev && other->inode == status.st_ino)
            break;
    file->owns_fd = other == NULL;
    file->fd = other != NULL ? other->fd : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    file->device = status.st_dev;
    file->inode = status.st_ino;
}

void diag_files_free(struct diag_file *files)
{
    while (files != NULL) {
        struct diag_file *next = files->next;

        forget_lines(files);
        mem_free(files->name);
        mem_free(files);
        files = next;
    }
}

FILE *diag_files_open(const struct diag_file *files, const char *name)
{
    struct stat status;
    FILE *stream = NULL;
    off_t offset = 0;
    int fd;

    while (files != NULL && files->name != name && strcmp(files->name, name) != 0)
        files = files->next;
    if (files != NULL && files->has_lines) {
        fd = files->fd == -1 ? -1 : fcntl(files->fd, F_DUPFD_CLOEXEC, 0);
        offset = (off_t)files->offset;
    } else {
        /* Opening a pipe must not wait for its writer. */
        fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    if (fd == -1)
        return NULL;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && lseek(fd, offset, SEEK_SET) == offset)
        stream = fdopen(fd, "r");
    if (stream == NULL)
        (void)close(fd);
    return stream;
}
