/* The bytes of an input as a file without a name on disk, for functions that read files. */
#ifndef PURSER_TESTS_FUZZ_FILE_OF_BYTES_H
#define PURSER_TESTS_FUZZ_FILE_OF_BYTES_H

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

/* The path of a file that holds them, the same one each time. */
static inline const char *file_of_bytes(const uint8_t *bytes, size_t length)
{
    static char path[40];
    static int fd = -1;

    if (fd == -1) {
        fd = memfd_create("input", MFD_CLOEXEC);
        LAW(fd != -1 && fchmod(fd, 0600) == 0);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    LAW(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, length, 0) == (ssize_t)length);
    return path;
}

#endif
