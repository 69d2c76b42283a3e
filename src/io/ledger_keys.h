/* The databases of a ledger and the keys in them.
 *
 * Numbers are big-endian, so that LMDB's byte order is submission order and neighbours in time
 * share pages. Values that are not records of codec/record carry a checksum over key and value:
 * they are "sealed". */
#ifndef PURSER_IO_LEDGER_KEYS_H
#define PURSER_IO_LEDGER_KEYS_H

#include "purser/base/buf.h"
#include "purser/base/text.h"
#include "purser/core/item.h"

/* identifier, name in LMDB. Named in the file: never rename. */
#define LEDGER_DATABASE_LIST(X)                                                                     \
    X(LEDGER_META, "meta")         /* text → sealed text or numbers; connection records */        \
    X(LEDGER_NAMES, "names")       /* job, connection, item key → sealed item number */           \
    X(LEDGER_ITEMS, "items")       /* item number → item record */                                \
    X(LEDGER_REQUESTS, "requests") /* item number → frozen request */                             \
    X(LEDGER_RESULTS, "results")   /* item number → result record */                              \
    X(LEDGER_OPEN, "open") /* class, …, item number → "": what something is still to do with */ \
    X(LEDGER_NEEDS, "needs")       /* item number → needs record */                               \
    X(LEDGER_GROUPS, "groups")     /* job, connection, hash → sealed number of the last item */   \
    X(LEDGER_ATTEMPTS, "attempts") /* item number, index → attempt record */                      \
    X(LEDGER_RUNS, "runs")         /* run number → run record */                                  \
    X(LEDGER_SLOTS, "slots")       /* the time of a slot, the latest first → slot record */

enum ledger_database {
#define X(identifier, name) identifier,
    LEDGER_DATABASE_LIST(X)
#undef X
        LEDGER_DATABASE_COUNT
};

/* Raised when an older purser must not touch a newer ledger. */
#define LEDGER_FORMAT 1

/* First byte of a key in LEDGER_OPEN. Stored: append, never reorder. */
enum ledger_class {
    LEDGER_CLASS_ACTIVE,
    LEDGER_CLASS_READY,   /* behind it the connection */
    LEDGER_CLASS_BLOCKED, /* behind it what is waited for */
    LEDGER_CLASS_RELEASE
};

#define LEDGER_KEY_BYTES_MAX (8 + ITEM_KEY_BYTES_MAX)
#define LEDGER_ITEM_KEY_BYTES 8
#define LEDGER_SEAL_BYTES 8

struct ledger_key {
    char bytes[LEDGER_KEY_BYTES_MAX];
    size_t length;
};

struct slice ledger_key_slice(const struct ledger_key *key);

/* Keys in LEDGER_META. */
#define LEDGER_META_FORMAT "format"
#define LEDGER_META_SPEC "spec"
#define LEDGER_META_BASE_URL "base_url"
#define LEDGER_META_PLATFORM "platform"
#define LEDGER_META_MACHINE "machine"
#define LEDGER_META_IDENTITY "identity"     /* of the data file */
#define LEDGER_META_LOST_SINCE "lost_since" /* of a restored backup, see lmdb_ledger.h */
#define LEDGER_META_NEXT_ITEM "next_item"
#define LEDGER_META_RECOUNT "recount"        /* there when the counts are to be made anew */
#define LEDGER_META_JOB "job/"               /* + number → name */
#define LEDGER_META_CONNECTION "connection/" /* + number → alias */
#define LEDGER_META_PROVEN "proven/"         /* + number → operation, as "POST /products" */
#define LEDGER_META_LEARNED "learned/"       /* + connection → connection record */
#define LEDGER_META_SCHEDULE "schedule"
#define LEDGER_META_COUNTS "counts/" /* + job, connection → 64-bit count by state */

struct ledger_key ledger_key_text(const char *text);
struct ledger_key ledger_key_text_u32(const char *text, uint32_t number);
struct ledger_key ledger_key_counts(uint32_t job, uint32_t connection);

/* `key` at most ITEM_KEY_BYTES_MAX. */
struct ledger_key ledger_key_name(uint32_t job, uint32_t connection, struct slice key);
struct ledger_key ledger_key_item(uint64_t number);
struct ledger_key ledger_key_attempt(uint64_t number, uint32_t index);
struct ledger_key ledger_key_run(uint32_t run);
/* The time counts backwards, so that the latest comes first. */
struct ledger_key ledger_key_slot(int64_t first_s);
int64_t ledger_slot_of_key(struct slice key);
struct ledger_key ledger_key_active(uint64_t number);
struct ledger_key ledger_key_ready(uint32_t connection, uint64_t number);
struct ledger_key ledger_key_blocked(enum wait_kind kind, uint64_t target, uint64_t number);
struct ledger_key ledger_key_release(uint64_t number);
struct ledger_key ledger_key_group(uint32_t job, uint32_t connection, struct hash128 group);

/* The place of an item in LEDGER_OPEN; false when nothing is to be done with it and it has none. */
bool ledger_key_open_of(uint64_t number, const struct item *item, struct ledger_key *key_out);

/* Big-endian numbers in the middle of a key or value. */
void ledger_store_u32(char *bytes, uint32_t number);
void ledger_store_u64(char *bytes, uint64_t number);
uint32_t ledger_load_u32(const char *bytes);
uint64_t ledger_load_u64(const char *bytes);

/* Appends `value` with a checksum behind it. */
void ledger_seal(struct buf *buf, struct slice key, struct slice value);
/* The value without its seal, borrowed; false when it is damaged. */
bool ledger_unseal(struct slice key, struct slice bytes, struct slice *value_out);

#endif
