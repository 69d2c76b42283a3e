/* Small records that would be too many for memory: a temporary file, mapped and sorted in place.
 *
 * For finding duplicate keys and gathering scattered groups in flat memory. The file is unlinked
 * at once and goes with the process. */
#ifndef PURSER_IO_SPILL_H
#define PURSER_IO_SPILL_H

#include <stdbool.h>
#include <stdint.h>

#include "purser/base/checksum.h"
#include "purser/base/err.h"

struct spill_record {
    struct hash128 hash;
    uint64_t order; /* of appearance */
    uint64_t value; /* the caller's: a line, an offset */
    uint64_t extra;
};

struct spill;

/* In `folder`, or $TMPDIR, else /tmp, when NULL. Errors: ERR_SYSTEM, ERR_NO_MEMORY. */
enum err_code spill_open(const char *folder, struct spill **spill_out, struct err *err) ERR_CHECKED;
void spill_close(struct spill *spill);

enum err_code spill_add(struct spill *spill, const struct spill_record *record,
                        struct err *err) ERR_CHECKED;

/* Sorts by (hash, order), or by order alone. No more may be added after it. */
enum err_code spill_sort(struct spill *spill, bool by_order_only, struct err *err) ERR_CHECKED;

/* The records, sorted; borrowed until spill_close(). May be changed in place and sorted again. */
struct spill_record *spill_records(struct spill *spill, uint64_t *count_out);

#endif
