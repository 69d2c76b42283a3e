#include "world_text.h"

#include <inttypes.h>

#define MAGIC SLICE("rutter-sim world 1\n")
#define CHUNK_BYTES ((size_t)1024 * 1024) /* what one step of the check covers */
#define CHECK_BYTES 21                    /* "end " and 16 digits and a line feed */

static uint64_t check_chunk(uint64_t check, struct slice chunk)
{
    return hash_bytes(check + 1, chunk);
}

static void write_out(struct world_writer *writer, size_t length)
{
    writer->check = check_chunk(writer->check, (struct slice){writer->text.bytes, length});
    fwrite(writer->text.bytes, 1, length, writer->file);
    writer->text.length -= length;
    memmove(writer->text.bytes, writer->text.bytes + length, writer->text.length);
}

void world_writer_init(struct world_writer *writer, FILE *file)
{
    *writer = (struct world_writer){.file = file};
    text_add(&writer->text, MAGIC);
}

void world_put_number(struct world_writer *writer, uint64_t number)
{
    text_add_number(&writer->text, number);
    text_add(&writer->text, SLICE(" "));
}

void world_put_bytes(struct world_writer *writer, struct slice bytes)
{
    text_add_number(&writer->text, bytes.length);
    text_add(&writer->text, SLICE(":"));
    text_add(&writer->text, bytes);
    text_add(&writer->text, SLICE(" "));
}

void world_end_record(struct world_writer *writer)
{
    text_add(&writer->text, SLICE("\n"));
    while (writer->text.length >= CHUNK_BYTES)
        write_out(writer, CHUNK_BYTES);
}

bool world_end(struct world_writer *writer)
{
    if (writer->text.length > 0)
        write_out(writer, writer->text.length);
    text_free(&writer->text);
    fprintf(writer->file, "end %016" PRIx64 "\n", writer->check);
    return fflush(writer->file) == 0 && ferror(writer->file) == 0;
}

static bool is_whole(struct slice file)
{
    struct slice records = {file.bytes, file.length - CHECK_BYTES};
    uint64_t check = 0;
    char expected[CHECK_BYTES + 1];

    for (size_t at = 0; at < records.length; at += CHUNK_BYTES) {
        size_t left = records.length - at;

        check = check_chunk(
            check, (struct slice){records.bytes + at, left < CHUNK_BYTES ? left : CHUNK_BYTES});
    }
    snprintf(expected, sizeof expected, "end %016" PRIx64 "\n", check);
    return memcmp(expected, records.bytes + records.length, CHECK_BYTES) == 0;
}

bool world_begin(struct world_reader *reader, struct slice file)
{
    *reader = (struct world_reader){.record = 1};
    if (file.length < MAGIC.length + CHECK_BYTES) {
        world_fail(reader, "it is cut off");
    } else if (!slice_starts_with(file, MAGIC)) {
        world_fail(reader, "it does not begin as a world of this rutter-sim");
    } else if (!is_whole(file)) {
        world_fail(reader, "it is cut off, or was changed");
    } else {
        reader->at = file.bytes + MAGIC.length;
        reader->end = file.bytes + file.length - CHECK_BYTES;
    }
    return reader->problem == NULL;
}

bool world_at_end(const struct world_reader *reader)
{
    return reader->at == reader->end;
}

void world_fail(struct world_reader *reader, const char *problem)
{
    if (reader->problem == NULL)
        reader->problem = problem;
    reader->at = reader->end;
}

static bool take(struct world_reader *reader, char expected)
{
    if (reader->at == reader->end || *reader->at != expected) {
        world_fail(reader, "a field is not what it should be");
        return false;
    }
    reader->at++;
    return true;
}

static uint64_t get_digits(struct world_reader *reader, uint64_t maximum)
{
    const char *first = reader->at;
    uint64_t number = 0;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
        uint64_t digit = (uint64_t)(*reader->at - '0');

        if (digit > maximum || number > (maximum - digit) / 10) {
            world_fail(reader, "a number is too large");
            return 0;
        }
        number = number * 10 + digit;
        reader->at++;
    }
    if (reader->at == first)
        world_fail(reader, "a number is missing");
    return number;
}

uint64_t world_get_number(struct world_reader *reader, uint64_t maximum)
{
    uint64_t number = get_digits(reader, maximum);

    return take(reader, ' ') ? number : 0;
}

struct slice world_get_bytes(struct world_reader *reader)
{
    uint64_t length = get_digits(reader, (uint64_t)(reader->end - reader->at));
    struct slice bytes;

    if (!take(reader, ':'))
        return (struct slice){NULL, 0};
    if (length > (uint64_t)(reader->end - reader->at)) {
        world_fail(reader, "a field is longer than the file");
        return (struct slice){NULL, 0};
    }
    bytes = (struct slice){reader->at, (size_t)length};
    reader->at += length;
    return take(reader, ' ') ? bytes : (struct slice){NULL, 0};
}

void world_expect_record_end(struct world_reader *reader)
{
    if (take(reader, '\n'))
        reader->record++;
}
