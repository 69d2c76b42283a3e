/* Any text, written for CSV, JSON and a terminal: it comes back as it was, a spreadsheet sees no
 * formula and a terminal no control. And a row of results: what purser has added is taken out of
 * it, all else stays. */
#include <string.h>

#include "fuzz.h"
#include "purser/codec/csv.h"
#include "purser/codec/json.h"
#include "purser/io/result_row.h"

enum { BUF_BYTES_MAX = 16 << 20 };

/* The second of three cells. */
static void read_back(const struct buf *line, char delimiter, struct buf *cell)
{
    struct csv_reader *reader;
    struct csv_row row;
    struct err err = {0};

    LAW(csv_reader_open(delimiter, &reader, &err) == ERR_OK);
    LAW(csv_reader_feed(reader, line->bytes, line->length, &err) == ERR_OK);
    if (!csv_reader_take(reader, &row)) {
        LAW(csv_reader_finish(reader, &err) == ERR_OK);
        LAW(csv_reader_take(reader, &row));
    }
    LAW(row.count == 3 && slice_is(row.cells[0], "x") && slice_is(row.cells[2], "y"));
    buf_clear(cell);
    buf_append(cell, row.cells[1].bytes, row.cells[1].length);
    csv_reader_close(reader);
}

static void check_csv(struct slice text, char delimiter, bool guard)
{
    struct buf line, cell;
    size_t added;

    buf_init(&line, BUF_BYTES_MAX);
    buf_init(&cell, BUF_BYTES_MAX);
    buf_append_text(&line, "x");
    buf_append_byte(&line, delimiter);
    text_append_csv(&line, text, delimiter, guard);
    buf_append_byte(&line, delimiter);
    buf_append_text(&line, "y\n");
    read_back(&line, delimiter, &cell);
    added = cell.length - text.length;
    LAW(added == 0 || (guard && added == 1 && cell.bytes[0] == '\''));
    LAW(text.length == 0 || memcmp(cell.bytes + added, text.bytes, text.length) == 0);
    if (guard && cell.length > 0 && memchr("=@\t\r", cell.bytes[0], 4) != NULL)
        abort();
    if (guard && cell.length > 1 && memchr("+-", cell.bytes[0], 2) != NULL)
        LAW(text_is_digit(cell.bytes[1]) || cell.bytes[1] == '.');
    buf_deinit(&line);
    buf_deinit(&cell);
}

static void check_json(struct arena *arena, struct slice text)
{
    struct buf json;
    struct value value;
    struct err err = {0};
    size_t bad;

    buf_init(&json, BUF_BYTES_MAX);
    text_append_json(&json, text);
    if (memchr(text.bytes, '\0', text.length) == NULL) {
        LAW(json_parse(arena, json.bytes, json.length, &value, &err) == ERR_OK);
        LAW(value.kind == VALUE_STRING);
        LAW(!text_is_utf8(text.bytes, text.length, &bad) || slice_equal(value.text, text));
    }
    buf_deinit(&json);
}

static void check_printable(struct slice text)
{
    struct buf out;
    struct slice rest;

    buf_init(&out, BUF_BYTES_MAX);
    text_append_printable(&out, text);
    rest = (struct slice){out.bytes, out.length};
    while (rest.length > 0) {
        uint32_t character = 0;
        size_t length = text_decode(rest, &character);

        LAW(length > 0);
        LAW(character >= ' ' && (character < 0x7f || character > 0x9f));
        LAW(character < 0x202a || character > 0x202e);
        LAW(character < 0x2066 || character > 0x2069);
        LAW(character != 0x200e && character != 0x200f && character != 0x061c);
        rest.bytes += length;
        rest.length -= length;
    }
    buf_deinit(&out);
}

static void check_row(struct arena *arena, struct slice text)
{
    struct value before, after;
    struct err err = {0};
    struct buf row;
    size_t kept = 0;

    if (memchr(text.bytes, '\\', text.length) != NULL ||
        json_parse(arena, text.bytes, text.length, &before, &err) != ERR_OK ||
        before.kind != VALUE_MAP)
        return;
    buf_init(&row, BUF_BYTES_MAX);
    buf_append_text(&row, "before ");
    buf_append(&row, text.bytes, text.length);
    result_row_drop_added(&row, 7);
    LAW(row.length >= 7 && memcmp(row.bytes, "before ", 7) == 0);
    LAW(json_parse(arena, row.bytes + 7, row.length - 7, &after, &err) == ERR_OK);
    for (size_t i = 0; i < before.map.count; i++) {
        struct value value = value_member(&after, before.map.names[i]);
        bool is_added = result_row_is_added(before.map.names[i]);

        LAW((value.kind == VALUE_OMIT) == is_added);
        LAW(is_added || value.kind == before.map.values[i].kind);
        kept += !is_added;
    }
    LAW(after.map.count == kept);
    buf_deinit(&row);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char delimiters[] = ",;\t|";
    struct slice text = {(const char *)bytes + 1, length - 1};
    struct arena arena;

    if (length < 1 || length > 65536)
        return 0;
    arena_init(&arena, 64u * 1024 * 1024);
    check_csv(text, delimiters[bytes[0] % 4], false);
    check_csv(text, delimiters[bytes[0] % 4], true);
    check_json(&arena, text);
    check_printable(text);
    check_row(&arena, text);
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
