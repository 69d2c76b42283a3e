/* SIGINT, SIGTERM, SIGHUP as descriptor events; SIGPIPE ignored with them. */
#ifndef PURSER_IO_SIGNALS_H
#define PURSER_IO_SIGNALS_H

#include "purser/base/err.h"

/* Makes descriptors 0, 1 and 2 valid. The very first act of main. False when even /dev/null cannot
 * be opened. */
_Bool signals_secure_standard_descriptors(void);

/* A write past the limit of a file's size (`ulimit -f`) is then an error (EFBIG) and no signal. For
 * the life of the process; programs that it starts get the signal back (io/command). */
void signals_ignore_file_limit(void);

/* Blocks the signals and returns a signalfd (non-blocking) in *fd_out; call before any thread is
 * started. */
enum err_code signals_open(int *fd_out, struct err *err) ERR_CHECKED;
/* The next signal number, 0 when none is there. */
int signals_take(int fd);
void signals_close(int fd);

#endif
