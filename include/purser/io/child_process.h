/* This very program as a child, with all that it prints in one pipe. */
#ifndef PURSER_IO_CHILD_PROCESS_H
#define PURSER_IO_CHILD_PROCESS_H

#include <sys/types.h>

#include "purser/base/err.h"

struct child_process {
    pid_t pid;
    int output_fd; /* non-blocking; its end is that of the child */
};

/* Starts it with `arguments` (a name in front, NULL at the end), without blocked signals and in a
 * process group of its own: Ctrl-C is for the parent, which decides. Errors: ERR_SYSTEM,
 * ERR_NO_MEMORY; no child is left then. */
enum err_code child_process_start(char *const arguments[], struct child_process *child_out,
                                  struct err *err) ERR_CHECKED;

/* Waits for it and closes the pipe. Gives its exit status, 128 + signal when one ended it. */
int child_process_wait(struct child_process *child);

#endif
