/* The text of a world file: records of fields. A field is a number, or LENGTH:BYTES; each is
 * followed by a space, the last of a record by a line feed. */
#ifndef RUTTER_SIM_WORLD_TEXT_H
#define RUTTER_SIM_WORLD_TEXT_H

#include "text.h"

#include <stdio.h>

struct world_writer {
    FILE *file;
    struct text text; /* not written so far */
    uint64_t check;
};

/* Begins a file. */
void world_writer_init(struct world_writer *writer, FILE *file);
void world_put_number(struct world_writer *writer, uint64_t number);
void world_put_bytes(struct world_writer *writer, struct slice bytes);
void world_end_record(struct world_writer *writer);
/* Writes what is left and the check. False: errno tells why. */
bool world_end(struct world_writer *writer);

struct world_reader {
    const char *at;
    const char *end;
    const char *problem; /* NULL: all was right so far; afterwards every field is empty */
    uint64_t record;
};

/* Begins to read `file`; what is read borrows from it. False: it is not whole. */
bool world_begin(struct world_reader *reader, struct slice file);
bool world_at_end(const struct world_reader *reader);
/* A number up to `maximum`. */
uint64_t world_get_number(struct world_reader *reader, uint64_t maximum);
struct slice world_get_bytes(struct world_reader *reader);
void world_expect_record_end(struct world_reader *reader);
/* Notes the first problem. */
void world_fail(struct world_reader *reader, const char *problem);

#endif
