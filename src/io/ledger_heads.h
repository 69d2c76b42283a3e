/* The two heads of a ledger's data file, read without LMDB: of which of them it believes what, and
 * what both of them must be.
 *
 * Knows LMDB's data format 1 of 64-bit machines of this byte order. Source: struct MDB_page, MDB_db
 * and MDB_meta of mdb.c, LMDB 0.9.24. */
#ifndef PURSER_IO_LEDGER_HEADS_H
#define PURSER_IO_LEDGER_HEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ledger_files.h"

#define LEDGER_HEADS 2
#define LEDGER_TREE_DEPTH_MAX 32
#define LEDGER_NO_PAGE UINT64_MAX

struct ledger_tree {
    uint64_t root, entries;
    uint16_t flags, depth;
};

struct ledger_head {
    uint64_t last_page, transaction, map_bytes;
    uint32_t page_bytes;
    struct ledger_tree free_pages, main;
};

static inline uint16_t ledger_page_u16(const uint8_t *bytes)
{
    uint16_t number;

    memcpy(&number, bytes, sizeof number);
    return number;
}

static inline uint32_t ledger_page_u32(const uint8_t *bytes)
{
    uint32_t number;

    memcpy(&number, bytes, sizeof number);
    return number;
}

static inline uint64_t ledger_page_u64(const uint8_t *bytes)
{
    uint64_t number;

    memcpy(&number, bytes, sizeof number);
    return number;
}

/* False where the format is another one: then nothing can be looked over. */
bool ledger_heads_are_known(void);

/* Both, as they are; of a head that was written in part only the number of its transaction counts.
 * `fd` is the data file. Errors: ERR_STATE_DIRECTORY with what is wrong; ERR_STORAGE when it cannot
 * be read. */
enum err_code ledger_heads_read(const struct ledger_files *files, int fd,
                                struct ledger_head heads[LEDGER_HEADS],
                                struct err *err) ERR_CHECKED;

/* Before LMDB sees them: the one that it will use is possible. Errors: as above. */
enum err_code ledger_heads_check(const struct ledger_files *files, int fd,
                                 struct err *err) ERR_CHECKED;

struct ledger_tree ledger_tree_of(const uint8_t *bytes);

/* NULL, or what cannot be: the end of a sentence that begins with the page. */
const char *ledger_tree_problem(const struct ledger_tree *tree, uint16_t flags, uint64_t last_page);

/* ERR_STATE_DIRECTORY: this page is damaged, and `what` ends the sentence. */
enum err_code ledger_heads_damaged(const struct ledger_files *files, uint64_t page,
                                   const char *what, struct err *err);

/* From the start of a page on. Fewer bytes than asked for are damage, too: the file ends before its
 * last page. */
enum err_code ledger_heads_read_at(const struct ledger_files *files, int fd, void *bytes,
                                   size_t length, uint64_t page, uint32_t page_bytes,
                                   struct err *err) ERR_CHECKED;

#endif
