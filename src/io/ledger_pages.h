/* Keeps the pages of a mapped file from being counted as the memory of this process.
 *
 * LMDB maps the whole data file. Whatever was read once stays mapped, so a run over a million items
 * would look, to a person and to a memory limit, as if it needed the size of its ledger. */
#ifndef PURSER_IO_LEDGER_PAGES_H
#define PURSER_IO_LEDGER_PAGES_H

#include <sys/stat.h>

/* Unmaps the pages of every mapping of this file; they stay in the page cache, and the next touch
 * brings them back. No mapping of the file may come or go meanwhile. Does nothing where /proc
 * cannot be read. */
void ledger_pages_release(const struct stat *file);

#endif
