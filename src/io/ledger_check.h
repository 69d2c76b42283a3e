/* Looks over the pages of a ledger's data file without mapping it: LMDB has no checksums and trusts
 * what a page says, so that a damaged one ends the process or gives another answer in silence.
 *
 * Where ledger_heads does not know the format it finds everything good. Source: struct MDB_page and
 * MDB_node of mdb.c, LMDB 0.9.24. */
#ifndef PURSER_IO_LEDGER_CHECK_H
#define PURSER_IO_LEDGER_CHECK_H

#include <stdint.h>

#include "ledger_files.h"

/* Every page that the transaction can reach, and the list of free pages: each is what its parent
 * takes it for, keys are in order and within the page, no page is used twice, and there are as many
 * entries as are said to be. The caller holds a read of this transaction, so that no writer changes
 * the pages. `fd` is the data file. Errors: ERR_STATE_DIRECTORY with what is wrong; ERR_STORAGE
 * when it cannot be read; ERR_NO_MEMORY. */
enum err_code ledger_check_pages(const struct ledger_files *files, int fd, uint64_t transaction,
                                 struct err *err) ERR_CHECKED;

#endif
