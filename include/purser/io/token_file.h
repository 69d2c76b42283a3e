/* A file of access tokens that only its owner can read; lines are durable before anyone hears of
 * them. */
#ifndef PURSER_IO_TOKEN_FILE_H
#define PURSER_IO_TOKEN_FILE_H

#include <stdbool.h>

#include "purser/base/buf.h"
#include "purser/base/err.h"

struct token_file {
    int fd;        /* -1 = not open */
    bool cut_line; /* the last line was cut short; the next begins on one of its own */
};

/* Makes the file with mode 0600, or opens one that is there to append to it: a regular file of this
 * user's with one name, that nobody else can read or write. A symbolic link is refused. Errors:
 * ERR_INPUT (what is wrong with it and how to mend it), ERR_SYSTEM. */
enum err_code token_file_open(const char *path, struct token_file *file_out,
                              struct err *err) ERR_CHECKED;
void token_file_close(struct token_file *file);

/* Appends `line` (with its line break) and syncs. ERR_SYSTEM: it may be there in part or not at
 * all. */
enum err_code token_file_append(struct token_file *file, const struct buf *line,
                                struct err *err) ERR_CHECKED;

#endif
