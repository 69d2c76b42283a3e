/* How often things were seen, for walks over more rows than memory should hold.
 *
 * Owns: nothing; an interface. Real one: io/spilled_tally. */
#ifndef PURSER_ENGINE_TALLY_H
#define PURSER_ENGINE_TALLY_H

#include <stdint.h>

#include "purser/base/checksum.h"
#include "purser/base/err.h"

/* What a thing is; part of its hash, so that those who share a tally do not meet. */
enum tally_kind {
    TALLY_ITEM,  /* that would be sent again */
    TALLY_GROUP, /* that a row would have joined */
    TALLY_CHAIN  /* items of a group that are to be sent */
};

struct tally;

struct tally_ops {
    /* Sees `thing` once more; *count_out is how often it was seen, this time included. Errors:
     * ERR_SYSTEM, ERR_TOO_BIG: it counts as not seen this time. */
    enum err_code (*add)(struct tally *self, struct hash128 thing, uint64_t *count_out,
                         struct err *err) ERR_CHECKED;
    /* How often it was seen. */
    uint64_t (*count)(struct tally *self, struct hash128 thing);
};

struct tally {
    const struct tally_ops *ops;
};

#endif
