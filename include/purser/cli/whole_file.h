/* Files that are read in one go. */
#ifndef PURSER_CLI_WHOLE_FILE_H
#define PURSER_CLI_WHOLE_FILE_H

#include <stddef.h>

#include "purser/base/err.h"

/* Reads a regular file of at most `max_bytes`. *bytes_out (a NUL follows) is the caller's, who
 * frees it with mem_free(). Errors: ERR_INPUT, ERR_TOO_BIG, ERR_NO_MEMORY; nothing is left behind.
 */
enum err_code whole_file_read(const char *file, size_t max_bytes, char **bytes_out,
                              size_t *length_out, struct err *err) ERR_CHECKED;

#endif
