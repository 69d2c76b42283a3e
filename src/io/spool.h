/* Bytes of a source that cannot be read twice, or not as they are: a private file.
 *
 * Written from the start to the end, then read anywhere. Without a name it goes with the process;
 * with one it lies in the folder of a ledger as rows-unkept.NAME, and spool_keep() puts it in the
 * place of rows.NAME, where spool_open_kept() finds it. Private to io. */
#ifndef PURSER_IO_SPOOL_H
#define PURSER_IO_SPOOL_H

#include <stdint.h>

#include "purser/base/byte_sink.h"
#include "purser/io/state_directory.h"

struct spool;

/* `keeper` NULL: without a name, in $TMPDIR, else /tmp. `keeper` and `name`, which must be able to
 * name a file, are borrowed until it is closed. Errors: ERR_SYSTEM, ERR_NO_MEMORY. */
enum err_code spool_open(const struct state_directory *keeper, const char *name,
                         struct spool **spool_out, struct err *err) ERR_CHECKED;
/* One that was kept; nothing can be written to it. ERR_NOT_FOUND, ERR_SYSTEM, ERR_NO_MEMORY. */
enum err_code spool_open_kept(const struct state_directory *keeper, const char *name,
                              struct spool **spool_out, struct err *err) ERR_CHECKED;
/* What was not kept is gone. */
void spool_close(struct spool *spool);

/* Appends what is written to it. Its errors are ERR_SYSTEM: no space is left, … */
struct byte_sink spool_sink(struct spool *spool);
/* Puts what is still in memory into the file. Errors: ERR_SYSTEM. */
enum err_code spool_flush(struct spool *spool, struct err *err) ERR_CHECKED;

/* Synced, under its name, or not at all. Does nothing to one without a name. ERR_SYSTEM. */
enum err_code spool_keep(struct spool *spool, struct err *err) ERR_CHECKED;

/* The file, for reading at an offset. Borrowed. */
int spool_fd(const struct spool *spool);
uint64_t spool_length(const struct spool *spool);

/* Removes from the folder what was kept under other names than `names`, and what was not kept, such
 * as that of a purser that did not end well. Best effort. */
void spool_forget_others(const struct state_directory *keeper, const char *const *names,
                         size_t count);

#endif
