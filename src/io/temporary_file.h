/* Files without a name, which go with the process. Private to io. */
#ifndef PURSER_IO_TEMPORARY_FILE_H
#define PURSER_IO_TEMPORARY_FILE_H

#include "purser/base/err.h"

/* A new file with mode 0600 in `folder`; NULL: in $TMPDIR, else /tmp. Errors: ERR_SYSTEM. */
enum err_code temporary_file_open(const char *folder, int *fd_out, struct err *err) ERR_CHECKED;

#endif
