#include "purser/cli/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "purser/base/mem.h"

static enum err_code read_all(int fd, const char *file, size_t size, char **bytes_out,
                              struct err *err)
{
    char *bytes = mem_new(size + 1, 1);
    size_t length = 0;

    if (bytes == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %s", file);
    while (length < size) {
        ssize_t got = read(fd, bytes + length, size - length);

        if (got == -1 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    if (length < size) {
        mem_free(bytes);
        return err_set(err, ERR_INPUT, "%s: cannot be read whole: %s", file, strerror(errno));
    }
    *bytes_out = bytes;
    return ERR_OK;
}

enum err_code whole_file_read(const char *file, size_t max_bytes, char **bytes_out,
                              size_t *length_out, struct err *err)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    enum err_code code;

    if (fd == -1)
        return err_set(err, ERR_INPUT, "%s: cannot be opened: %s", file, strerror(errno));
    if (fstat(fd, &status) == -1) {
        err_set(err, ERR_INPUT, "%s: cannot be looked at: %s", file, strerror(errno));
        close(fd);
        return err->code;
    }
    if (!S_ISREG(status.st_mode)) {
        close(fd);
        return err_set(err, ERR_INPUT, "%s: is not a regular file", file);
    }
    if ((unsigned long long)status.st_size > max_bytes) {
        close(fd);
        return err_set(err, ERR_TOO_BIG, "%s: has more than %zu bytes", file, max_bytes);
    }
    code = read_all(fd, file, (size_t)status.st_size, bytes_out, err);
    *length_out = (size_t)status.st_size;
    close(fd);
    return code;
}
