/* What a ledger's directory knows besides its data file: the number of the newest transaction, in a
 * file of its own that also says which file it is. A data file that does not know the number is an
 * older one, put in its place. And as that file is made anew whenever the ledger is opened for
 * writing or closed, one that says that it is another file was overwritten: by a backup. */
#ifndef PURSER_IO_LEDGER_NEWEST_H
#define PURSER_IO_LEDGER_NEWEST_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger_files.h"

struct ledger_newest {
    uint64_t transaction; /* 0 = nothing is known, so nothing is refused */
    bool is_another_file; /* it was written by a copy of the file that it is now */
};

/* What cannot be read is not known. */
struct ledger_newest ledger_newest_read(const struct ledger_files *files);

/* Makes the file anew. Gives a descriptor for ledger_newest_write(), which the caller closes; or
 * -1: a ledger goes on without, and what the file said stands. */
int ledger_newest_make(const struct ledger_files *files, uint64_t transaction);

/* Called when the transaction is durable, and never before. Not synced: what is lost with the power
 * is an older number, which refuses nothing. */
void ledger_newest_write(int fd, uint64_t transaction);

#endif
