/* Bytes: borrowed slices, growable buffers, and memory that lives as long as the process.
 *
 * The simulator is a test fixture: running out of memory ends it with a message (exit 1). */
#ifndef RUTTER_SIM_TEXT_H
#define RUTTER_SIM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes; not terminated. `bytes` may be NULL when `length` is 0. */
struct slice {
    const char *bytes;
    size_t length;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

struct slice slice_of(const char *string);

/* Where the bytes end: NULL for a slice of NULL, to which C lets nothing be added, not even 0. */
static inline const char *slice_end(struct slice slice)
{
    return slice.length == 0 ? slice.bytes : slice.bytes + slice.length;
}

/* The small ones are inline: composing an answer is a row of short copies of known length. */
static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

bool slice_equal_ignoring_case(struct slice a, struct slice b);
bool slice_starts_with(struct slice text, struct slice prefix);
/* Where `needle` begins in `text`, or NULL. */
const char *slice_find(struct slice text, struct slice needle);
/* A decimal number that fills the whole slice; false when it is none or above `maximum`. */
bool slice_to_number(struct slice text, uint64_t maximum, uint64_t *number_out);

/* A growable buffer. Zero-initialised is empty. Owned by whoever declares it. */
struct text {
    char *bytes;
    size_t length;
    size_t capacity;
};

void text_clear(struct text *text);
void text_free(struct text *text);
void text_grow(struct text *text, size_t more);

/* Makes room for `more` bytes and returns where they go; the caller adds to `length`. */
static inline char *text_reserve(struct text *text, size_t more)
{
    if (text->capacity - text->length < more)
        text_grow(text, more);
    return text->bytes + text->length;
}

static inline void text_add(struct text *text, struct slice slice)
{
    if (slice.length == 0)
        return;
    memcpy(text_reserve(text, slice.length), slice.bytes, slice.length);
    text->length += slice.length;
}

void text_add_string(struct text *text, const char *string);
void text_add_number(struct text *text, uint64_t number);
void text_add_hex(struct text *text, const unsigned char *bytes, size_t count);
/* The slice without its percent-encoding; a plus is a space. */
void text_add_decoded(struct text *text, struct slice slice);
/* The slice as the inside of a JSON string (without the quotes). */
void text_add_escaped(struct text *text, struct slice slice);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct slice text_slice(const struct text *text);

/* malloc and realloc that end the process when memory is out. */
void *memory_new(size_t bytes);
void *memory_grow(void *old, size_t bytes);

/* Memory that is never given back: requests, jobs and the ledger live as long as the process. */
struct arena {
    char *next;
    size_t left;
    uint64_t total_bytes;
};

void *arena_take(struct arena *arena, size_t bytes);
struct slice arena_copy(struct arena *arena, struct slice slice);

/* A 64-bit hash of bytes; not secret. World files hold such hashes: a change of it needs another
 * number in their first line (world_text.c). */
uint64_t hash_bytes(uint64_t seed, struct slice slice);
/* One well mixed 64-bit value from two. */
uint64_t hash_mix(uint64_t a, uint64_t b);

#define UUID_LENGTH 36

/* Writes the 36 characters of a version 4 UUID made of two 64-bit values. */
void uuid_format(char out[UUID_LENGTH], uint64_t high, uint64_t low);
bool uuid_is_valid(struct slice text);

#endif
