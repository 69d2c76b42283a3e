/* The fields of a record: one flat msgpack array behind a version byte and a checksum.
 *
 * Private to codec/record*.c. Writing fails the buffer (sticky), reading sets `refused` (sticky);
 * so a record is a list of calls and one question at the end. */
#ifndef PURSER_CODEC_RECORD_FIELDS_H
#define PURSER_CODEC_RECORD_FIELDS_H

#include "purser/codec/record.h"

/* The most fields that any record has, with room for the next version. */
#define RECORD_FIELDS_MAX 40

/* Part of the checksum, so that a record cannot stand in for one of another kind that has the same
 * database key. Stored: append, never reorder. */
enum record_kind {
    RECORD_ITEM = 1,
    RECORD_REQUEST,
    RECORD_ATTEMPT,
    RECORD_RESULT,
    RECORD_RUN,
    RECORD_CONNECTION,
    RECORD_NEEDS,
    RECORD_SCHEDULE,
    RECORD_SLOT
};

struct record_writer {
    struct buf *buf;
    size_t start; /* of this record in buf */
};

struct record_writer record_begin(struct buf *buf, size_t field_count);
/* Fills in version and checksum. */
void record_end(struct record_writer *writer, enum record_kind kind, struct slice key);

void record_put_unsigned(struct record_writer *writer, uint64_t number);
void record_put_signed(struct record_writer *writer, int64_t number);
void record_put_bool(struct record_writer *writer, bool value);
/* What cannot be read back must not be written: a longer value fails the buffer (ERR_TOO_BIG). */
void record_put_bytes(struct record_writer *writer, struct slice bytes, size_t max_bytes);
/* Text that only people read is cut instead, not in the middle of a UTF-8 sequence. */
void record_put_display_text(struct record_writer *writer, struct slice text, size_t max_bytes);
void record_put_text(struct record_writer *writer, const char *text, size_t max_bytes);
void record_put_hash(struct record_writer *writer, struct hash128 hash);

enum record_field_kind {
    RECORD_FIELD_UNSIGNED,
    RECORD_FIELD_NEGATIVE,
    RECORD_FIELD_BOOL,
    RECORD_FIELD_BYTES
};

struct record_field {
    enum record_field_kind kind;
    uint64_t number; /* negative: two's complement; bool: 0 or 1 */
    struct slice bytes;
};

struct record_fields {
    struct record_field table[RECORD_FIELDS_MAX];
    size_t count;    /* seen */
    size_t declared; /* in the array's header */
    bool in_array;
    size_t next;  /* of the reading side */
    bool refused; /* a field was missing, of another kind or out of range */
};

#define RECORD_FIELDS_ANY SIZE_MAX /* the caller looks at fields_out->count */

/* Verifies the header and splits the payload; false when anything is wrong. Fields borrow from
 * `bytes`. */
bool record_split(enum record_kind kind, struct slice key, struct slice bytes, size_t field_count,
                  struct record_fields *fields_out);

/* Each takes the next field, or refuses and gives 0 or "". */
uint64_t record_take_unsigned(struct record_fields *fields, uint64_t max);
uint32_t record_take_u32(struct record_fields *fields);
uint16_t record_take_u16(struct record_fields *fields);
int64_t record_take_signed(struct record_fields *fields);
bool record_take_bool(struct record_fields *fields);
struct slice record_take_bytes(struct record_fields *fields, size_t max_bytes);
/* Into `text_out`, which has max_bytes + 1. A NUL inside is refused: it would make another text. */
void record_take_text(struct record_fields *fields, char *text_out, size_t max_bytes);
struct hash128 record_take_hash(struct record_fields *fields);

/* Every field was taken and none refused. */
bool record_all_taken(const struct record_fields *fields);

#endif
