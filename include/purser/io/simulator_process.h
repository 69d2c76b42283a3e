/* rutter-sim as a child: started on a free loopback port, gone with its parent. What it has done
 * outlives it in a file, so that the next one is the same server to its clients. */
#ifndef PURSER_IO_SIMULATOR_PROCESS_H
#define PURSER_IO_SIMULATOR_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "purser/base/err.h"

struct simulator_process {
    pid_t pid;
    char base_url[128]; /* "http://127.0.0.1:PORT/versioned" */
};

/* Looks for rutter-sim beside this program, then in $PATH; $PURSER_SIMULATOR names another. Waits
 * until it listens. Its world is `state_path`/simulator.world; NULL = none. Errors: ERR_NOT_FOUND
 * (with a hint), ERR_SYSTEM; no child is left then. */
enum err_code simulator_process_start(const char *profile, uint64_t seed, const char *state_path,
                                      struct simulator_process *process_out,
                                      struct err *err) ERR_CHECKED;

/* Ends it and waits for it. */
void simulator_process_stop(struct simulator_process *process);

#endif
