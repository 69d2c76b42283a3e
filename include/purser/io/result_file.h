/* A file that users read: written aside, synced, renamed. Half a file is never seen. */
#ifndef PURSER_IO_RESULT_FILE_H
#define PURSER_IO_RESULT_FILE_H

#include "purser/base/err.h"
#include "purser/base/text.h"

struct result_file;

/* Makes `folder` (one level, and its parent) when it is not there, and opens a temporary file for
 * `name` in it. Errors: ERR_OUTPUT, ERR_NO_MEMORY. */
enum err_code result_file_open(const char *folder, const char *name, struct result_file **file_out,
                               struct err *err) ERR_CHECKED;

/* Buffered. ERR_OUTPUT. */
enum err_code result_file_append(struct result_file *file, struct slice bytes,
                                 struct err *err) ERR_CHECKED;

/* Syncs and renames into place, replacing an older file; frees. On error the older file stays. */
enum err_code result_file_commit(struct result_file *file, struct err *err) ERR_CHECKED;

/* Removes the temporary file; frees. NULL is allowed. */
void result_file_abandon(struct result_file *file);

#endif
