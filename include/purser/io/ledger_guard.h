/* What becomes of a process that meets damage in a ledger which nobody has looked for: LMDB reads
 * its file through a map and trusts it, so the end would be a signal. It is a message instead, and
 * exit status 1; nothing is written on the way out, as if the process had been killed.
 *
 * One ledger at a time. A fault that has nothing to do with its map takes its usual course. */
#ifndef PURSER_IO_LEDGER_GUARD_H
#define PURSER_IO_LEDGER_GUARD_H

#include <stddef.h>

/* From now on: `path` is told as the place. Again when the map has moved. */
void ledger_guard_begin(const char *path, const void *map, size_t map_bytes);
void ledger_guard_end(void);

/* LMDB has found by itself that something cannot be. */
void ledger_guard_give_up(void) __attribute__((noreturn));

#endif
