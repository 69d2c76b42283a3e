#ifndef PURSER_IO_WRITE_WHOLE_H
#define PURSER_IO_WRITE_WHOLE_H

#include <stddef.h>

/* Writes all of it, in as many calls as that takes. 0, or an errno (ENOSPC when a call takes
 * nothing): a part may then be written. */
int write_whole(int fd, const void *bytes, size_t length);

#endif
