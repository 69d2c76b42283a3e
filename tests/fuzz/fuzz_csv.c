/* Rows do not depend on how the bytes were cut into chunks. */
#include <string.h>

#include "fuzz.h"
#include "purser/base/checksum.h"
#include "purser/codec/csv.h"

struct outcome {
    struct hash128 hash; /* of all rows with their places */
    uint64_t row_count;
    enum err_code code;
};

static void take_rows(struct csv_reader *reader, struct outcome *outcome)
{
    struct csv_row row;

    while (csv_reader_take(reader, &row)) {
        uint64_t parts[6] = {outcome->hash.high, outcome->hash.low, row.line,
                             row.count,          row.byte_offset,   row.byte_length};

        outcome->row_count++;
        for (size_t i = 0; i < row.count; i++) {
            struct hash128 cell = checksum128(row.cells[i].bytes, row.cells[i].length);

            parts[0] ^= cell.high + i;
            parts[1] = parts[1] * 31 + cell.low;
        }
        outcome->hash = checksum128(parts, sizeof parts);
    }
}

static struct outcome read_all(const char *bytes, size_t length, size_t chunk)
{
    struct outcome outcome = {0};
    struct csv_reader *reader;
    struct err err = {0};

    if (csv_reader_open(',', &reader, &err) != ERR_OK)
        abort();
    for (size_t at = 0; at < length && err.code == ERR_OK; at += chunk) {
        size_t part = length - at < chunk ? length - at : chunk;

        if (csv_reader_feed(reader, bytes + at, part, &err) == ERR_OK)
            take_rows(reader, &outcome);
    }
    if (err.code == ERR_OK && csv_reader_finish(reader, &err) == ERR_OK)
        take_rows(reader, &outcome);
    outcome.code = err.code;
    LAW(err.code == ERR_OK || err.text[0] != '\0');
    csv_reader_close(reader);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    size_t chunk = length > 0 ? bytes[0] % 17 + 1u : 1;
    struct outcome whole = read_all((const char *)bytes, length, length > 0 ? length : 1);
    struct outcome parts = read_all((const char *)bytes, length, chunk);

    LAW(whole.code == parts.code);
    if (whole.code == ERR_OK)
        LAW(whole.row_count == parts.row_count && whole.hash.high == parts.hash.high &&
            whole.hash.low == parts.hash.low);
    LAW_NOTHING_LEFT();
    return 0;
}
