/* The files of a ledger as files: who may reach them, and what a failing disk means. */
#ifndef PURSER_IO_LEDGER_FILES_H
#define PURSER_IO_LEDGER_FILES_H

#include <stdbool.h>
#include <sys/stat.h>

#include "purser/base/err.h"
#include "purser/io/state_directory.h"

struct ledger_files {
    int directory_fd; /* own; -1 = none */
    char path[4096];  /* of the directory */
};

/* Errors: ERR_SYSTEM. */
enum err_code ledger_files_open(struct ledger_files *files, const struct state_directory *directory,
                                struct err *err) ERR_CHECKED;
void ledger_files_close(struct ledger_files *files);

/* The file is regular, the caller's, closed to others and has one name; or it is not there, then
 * *status_out is all 0. Errors: ERR_STATE_DIRECTORY, ERR_SYSTEM. */
enum err_code ledger_files_check(const struct ledger_files *files, const char *name,
                                 struct stat *status_out, struct err *err) ERR_CHECKED;

/* Makes the file, with blocks on the disk for all of its `bytes`, unless it has them. On a file
 * system that is read-only for everybody nothing is made for a reader. Errors: as above, and
 * ERR_STORAGE. */
enum err_code ledger_files_allocate(const struct ledger_files *files, const char *name, off_t bytes,
                                    bool write, struct err *err) ERR_CHECKED;

/* Makes the file with this text, unless it is there, and syncs it and its name. Errors:
 * ERR_STORAGE, ERR_STATE_DIRECTORY, ERR_SYSTEM. */
enum err_code ledger_files_make_text(const struct ledger_files *files, const char *name,
                                     const char *text, struct err *err) ERR_CHECKED;

/* What stays the same for the life of a file and differs in a copy: its inode and, where the file
 * system knows it, its time of birth. "" when it cannot be told. */
#define LEDGER_FILE_IDENTITY_BYTES 64
void ledger_files_identity(const struct ledger_files *files, const char *name,
                           char text_out[LEDGER_FILE_IDENTITY_BYTES]);

/* ERR_STORAGE, with what `code` (an errno) most likely means: a full disk has several. */
enum err_code ledger_files_failed(const struct ledger_files *files, int code, const char *doing,
                                  struct err *err);

#endif
