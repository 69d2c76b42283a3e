/* The row behind a request that cannot be made yet, as text: what the ledger keeps until the items
 * that it waits for are done. Cells come back with their types and digits. */
#ifndef PURSER_CODEC_DRAFT_H
#define PURSER_CODEC_DRAFT_H

#include "purser/base/err.h"
#include "purser/codec/value.h"

struct draft {
    struct value row;  /* a map */
    struct value rows; /* a list of maps whose first is the row, when has_rows */
    bool has_rows;
    uint64_t index; /* of the item in its source */
    uint32_t line;
    struct slice file;
    struct value
        run; /* ${run…} of the run that read the row: a map; OMIT = the request needs none */
};

/* Appends the text; buf->failed tells of memory and size. */
void draft_append(const struct draft *draft, struct buf *out);

/* Reads it back into `arena`. Errors: ERR_INPUT (it is not what draft_append() gives), ERR_TOO_BIG,
 * ERR_NO_MEMORY. */
enum err_code draft_read(struct arena *arena, struct slice text, struct draft *draft_out,
                         struct err *err) ERR_CHECKED;

#endif
