/* The number of the newest transaction of a ledger, kept beside its data file: a data file that
 * does not know it is an older one, put in its place. */
#ifndef PURSER_IO_LEDGER_NEWEST_H
#define PURSER_IO_LEDGER_NEWEST_H

#include <stdint.h>

#include "ledger_files.h"

/* 0 when there is none or it cannot be read: then nothing is known. */
uint64_t ledger_newest_read(const struct ledger_files *files);

/* A descriptor for ledger_newest_write(), or -1: a ledger goes on without. The caller closes it. */
int ledger_newest_open(const struct ledger_files *files);

/* Called when the transaction is durable, and never before. Not synced: what is lost with the power
 * is an older number, which refuses nothing. */
void ledger_newest_write(int fd, uint64_t transaction);

#endif
