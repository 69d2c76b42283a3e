/* The directory of one ledger: found, made, checked and locked.
 *
 * Root: --state, $PURSER_STATE, $STATE_DIRECTORY, else $XDG_STATE_HOME/purser (else
 * ~/.local/state/purser); below it one directory for each spec name. Directories are 0700, files
 * 0600, owned by the caller; anything else is refused, as are network file systems and symbolic
 * links. New directories are synced into their parents. */
#ifndef PURSER_IO_STATE_DIRECTORY_H
#define PURSER_IO_STATE_DIRECTORY_H

#include <stdbool.h>

#include "purser/base/err.h"

struct state_directory {
    int fd;      /* of the directory; -1 = none */
    int lock_fd; /* of purser.lock, held while open; -1 = opened for reading */
    char path[4096];
};

/* The root as it is found, absolute; made and checked by nobody. Errors: ERR_STATE_DIRECTORY,
 * ERR_SYSTEM. */
enum err_code state_directory_root(const char *root, char path_out[4096],
                                   struct err *err) ERR_CHECKED;

/* Opens (with `write`, makes and locks) the directory of `spec_name`. `root` NULL = from the
 * environment. Errors: ERR_LOCKED (the text names the pid and since when), ERR_STATE_DIRECTORY
 * (what is wrong and how to mend it), ERR_NOT_FOUND (reading, and there is none), ERR_SYSTEM.
 * `lock_path` for readers is not touched. */
enum err_code state_directory_open(const char *root, const char *spec_name, bool write,
                                   struct state_directory *directory_out,
                                   struct err *err) ERR_CHECKED;
/* Releases the lock. Does nothing to one that is not open. */
void state_directory_close(struct state_directory *directory);

#define STATE_HOLDER_BYTES 128

/* True when a purser holds the lock of a directory that is open for reading; `holder_out` is then
 * "pid 123 since …". Does not take the lock unless its text names a process that is there. */
bool state_directory_is_held(const struct state_directory *directory,
                             char holder_out[STATE_HOLDER_BYTES]);

/* The name of a file system (f_type of statfs) that a ledger must not be on; NULL = it may. */
const char *state_directory_refused_file_system(unsigned long type);

#endif
