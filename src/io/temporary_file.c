#include "temporary_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* O_TMPFILE has no name from the start; not every file system knows it. */
static int open_unnamed(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char path[PATH_MAX];
    int length;

    if (fd != -1 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    length = snprintf(path, sizeof path, "%s/purser-XXXXXX", folder);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd != -1)
        (void)unlink(path);
    return fd;
}

enum err_code temporary_file_open(const char *folder, int *fd_out, struct err *err)
{
    if (folder == NULL)
        folder = getenv("TMPDIR");
    if (folder == NULL || folder[0] == '\0')
        folder = "/tmp";
    *fd_out = open_unnamed(folder);
    if (*fd_out == -1)
        return err_set(err, ERR_SYSTEM,
                       "a temporary file cannot be made in %s: %s\n"
                       "hint: TMPDIR names another folder for temporary files",
                       folder, strerror(errno));
    return ERR_OK;
}
