#include "purser/codec/csv.h"

#include <assert.h>
#include <csv.h>
#include <string.h>

#include "purser/base/mem.h"
#include "purser/core/limits.h"

/* libcsv grows its cell by a fixed number of bytes each time it is full: this, or as much as it
 * has, so that a cell of megabytes is not copied a thousand times. */
enum { CELL_BLOCK_BYTES = 16 * 1024 };

static const char byte_order_mark[] = "\xef\xbb\xbf";
enum { MARK_BYTES = sizeof byte_order_mark - 1 };

/* libcsv calls back in the middle of a call and reports no positions. So it is given one line at a
 * time, never more: then a row that ends has ended with the line given, and the line is what the
 * positions are counted in. Costs nothing that can be measured; a function called for each byte
 * (csv_set_term_func) would, and could not carry a pointer to the reader. */
struct csv_reader {
    struct csv_parser parser;
    const char *bytes; /* what is left of the last csv_reader_feed() */
    size_t length;
    size_t mark_matched; /* bytes of a byte order mark seen; > MARK_BYTES: the start is past */
    bool held_return;    /* the bytes ended in CR; whether LF belongs to it is not known yet */
    bool row_ended;      /* by the last line, and not taken yet */
    bool finished;
    struct err failed; /* sticky */

    char *text; /* the cells of the row, one after the other */
    size_t text_length, text_capacity;
    struct slice *cells; /* `bytes` is set when the row has ended: text may move until then */
    size_t cell_count, cell_capacity;

    uint32_t line; /* of the next byte */
    uint32_t row_line;
    uint64_t offset; /* of the next byte */
    uint64_t row_offset;
};

static void *resize(void *block, size_t size)
{
    return mem_resize(block, size, 1);
}

/* Cells are given as they are: RFC 4180 counts spaces as part of a cell; libcsv would trim them. */
static int no_space(unsigned char byte)
{
    (void)byte;
    return 0;
}

enum err_code csv_reader_open(char delimiter, struct csv_reader **reader_out, struct err *err)
{
    struct csv_reader *reader = mem_new(1, sizeof *reader);

    if (reader == NULL)
        return err_set(err, ERR_NO_MEMORY, "CSV reader: out of memory");
    if (csv_init(&reader->parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        mem_free(reader);
        return err_set(err, ERR_INTERNAL, "CSV reader: csv_init failed");
    }
    csv_set_delim(&reader->parser, (unsigned char)delimiter);
    csv_set_space_func(&reader->parser, no_space);
    csv_set_realloc_func(&reader->parser, resize);
    csv_set_free_func(&reader->parser, mem_free);
    csv_set_blk_size(&reader->parser, CELL_BLOCK_BYTES);
    reader->line = reader->row_line = 1;
    *reader_out = reader;
    return ERR_OK;
}

void csv_reader_close(struct csv_reader *reader)
{
    if (reader == NULL)
        return;
    csv_free(&reader->parser);
    mem_free(reader->text);
    mem_free(reader->cells);
    mem_free(reader);
}

void csv_reader_set_quote(struct csv_reader *reader, char quote)
{
    /* libcsv has no reader without quotes: NUL stands in for one, and text has none. */
    csv_set_quote(&reader->parser, (unsigned char)quote);
}

void csv_reader_start_at(struct csv_reader *reader, uint64_t offset, uint32_t line)
{
    reader->offset = reader->row_offset = offset;
    reader->line = reader->row_line = line;
    if (line > 1)
        reader->mark_matched = MARK_BYTES + 1;
}

/* --- what libcsv calls --- */

static bool reserve(struct csv_reader *reader, size_t cell_bytes)
{
    size_t needed = reader->text_length + cell_bytes;

    if (needed > reader->text_capacity) {
        char *grown = mem_resize(reader->text, needed * 2, 1);

        if (grown == NULL)
            return false;
        reader->text = grown;
        reader->text_capacity = needed * 2;
    }
    if (reader->cell_count == reader->cell_capacity) {
        size_t capacity = reader->cell_capacity == 0 ? 32 : reader->cell_capacity * 2;
        struct slice *grown = mem_resize(reader->cells, capacity, sizeof *grown);

        if (grown == NULL)
            return false;
        reader->cells = grown;
        reader->cell_capacity = capacity;
    }
    return true;
}

static void cell_ended(void *bytes, size_t length, void *data)
{
    struct csv_reader *reader = data;

    if (reader->failed.code != ERR_OK)
        return;
    if (reader->cell_count == ROW_COLUMNS_MAX) {
        (void)err_set(&reader->failed, ERR_TOO_BIG, "%u: more than %d cells in a row",
                      reader->row_line, ROW_COLUMNS_MAX);
        return;
    }
    if (!reserve(reader, length)) {
        (void)err_set(&reader->failed, ERR_NO_MEMORY, "%u: out of memory", reader->line);
        return;
    }
    if (length > 0)
        memcpy(reader->text + reader->text_length, bytes, length);
    reader->text_length += length;
    reader->cells[reader->cell_count++].length = length;
}

static void row_ended(int terminator, void *data)
{
    struct csv_reader *reader = data;
    char *text = reader->text;
    size_t i;

    (void)terminator;
    for (i = 0; i < reader->cell_count; i++) {
        reader->cells[i].bytes = text == NULL ? "" : text;
        if (text != NULL)
            text += reader->cells[i].length;
    }
    reader->row_ended = true;
}

/* --- lines --- */

/* Gives libcsv a line, or a part of one, that ends a row at most at its end. */
static void parse_line(struct csv_reader *reader, const char *bytes, size_t length)
{
    size_t done;

    if (reader->offset + length - reader->row_offset > ROW_BYTES_MAX) {
        (void)err_set(&reader->failed, ERR_TOO_BIG,
                      "%u: a row of more than %u bytes starts here; is a quote not closed?",
                      reader->row_line, ROW_BYTES_MAX);
        return;
    }
    if (csv_get_buffer_size(&reader->parser) > CELL_BLOCK_BYTES)
        csv_set_blk_size(&reader->parser, csv_get_buffer_size(&reader->parser));
    done = csv_parse(&reader->parser, bytes, length, cell_ended, row_ended, reader);
    if (done == length || reader->failed.code != ERR_OK)
        return;
    if (csv_error(&reader->parser) == CSV_EPARSE)
        (void)err_set(&reader->failed, ERR_INPUT,
                      "%u: a quote in the middle of a cell\nhint: a cell with a quote in it is "
                      "written \"like \"\"this\"\"\"; no spaces around the outer quotes",
                      reader->line);
    else
        (void)err_set(&reader->failed, ERR_NO_MEMORY, "%u: out of memory", reader->line);
}

/* The bytes up to and with the first line end, or all when there is none. A CR that stands last
 * is not included: an LF may follow it. */
static size_t line_length(const char *bytes, size_t length)
{
    const char *feed = memchr(bytes, '\n', length);
    size_t limit = feed == NULL ? length : (size_t)(feed - bytes) + 1;
    const char *carriage_return = memchr(bytes, '\r', limit);
    size_t at;

    if (carriage_return == NULL)
        return limit;
    at = (size_t)(carriage_return - bytes);
    if (at + 1 == length)
        return at;
    return bytes[at + 1] == '\n' ? at + 2 : at + 1;
}

/* Takes one line, whole or in part. */
static void take_line(struct csv_reader *reader, const char *bytes, size_t length)
{
    bool whole = length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r');
    bool blank = whole && reader->offset == reader->row_offset && length <= 2 &&
                 (length == 1 || bytes[0] == '\r');

    parse_line(reader, bytes, length);
    reader->offset += length;
    if (whole && reader->line < UINT32_MAX)
        reader->line++;
    if (blank) { /* libcsv reports none */
        reader->row_offset = reader->offset;
        reader->row_line = reader->line;
    }
}

static void take_held_return(struct csv_reader *reader)
{
    bool feed = reader->length > 0 && reader->bytes[0] == '\n';

    reader->held_return = false;
    take_line(reader, "\r\n", feed ? 2 : 1);
    if (feed) {
        reader->bytes++;
        reader->length--;
    }
}

/* Skips a byte order mark. False when more bytes are needed to know whether there is one. */
static bool pass_mark(struct csv_reader *reader)
{
    size_t matched;

    while (reader->mark_matched < MARK_BYTES && reader->length > 0 &&
           reader->bytes[0] == byte_order_mark[reader->mark_matched]) {
        reader->mark_matched++;
        reader->bytes++;
        reader->length--;
    }
    matched = reader->mark_matched;
    if (matched > MARK_BYTES)
        return true;
    if (matched < MARK_BYTES && reader->length == 0 && !reader->finished)
        return false;
    reader->mark_matched = MARK_BYTES + 1;
    if (matched == MARK_BYTES)
        reader->offset = reader->row_offset = reader->offset + MARK_BYTES;
    else if (matched > 0)
        take_line(reader, byte_order_mark, matched);
    return true;
}

/* --- the interface --- */

static enum err_code failed(const struct csv_reader *reader, struct err *err)
{
    return err_set(err, reader->failed.code, "%s", reader->failed.text);
}

enum err_code csv_reader_feed(struct csv_reader *reader, const char *bytes, size_t length,
                              struct err *err)
{
    assert(!reader->finished);
    if (reader->failed.code != ERR_OK)
        return failed(reader, err);
    assert(reader->length == 0);
    reader->bytes = bytes;
    reader->length = length;
    return ERR_OK;
}

enum err_code csv_reader_finish(struct csv_reader *reader, struct err *err)
{
    if (reader->failed.code != ERR_OK)
        return failed(reader, err);
    assert(reader->length == 0 && !reader->row_ended);
    reader->finished = true;
    (void)pass_mark(reader);
    if (reader->held_return)
        take_held_return(reader);
    if (reader->failed.code == ERR_OK &&
        csv_fini(&reader->parser, cell_ended, row_ended, reader) != 0)
        (void)err_set(&reader->failed, ERR_INPUT,
                      "%u: the file ends inside a quoted cell of the row that starts here",
                      reader->row_line);
    return reader->failed.code == ERR_OK ? ERR_OK : failed(reader, err);
}

bool csv_reader_take(struct csv_reader *reader, struct csv_row *row_out)
{
    while (!reader->row_ended && reader->failed.code == ERR_OK && reader->length > 0) {
        size_t length;

        if (!pass_mark(reader))
            return false;
        if (reader->held_return) {
            take_held_return(reader);
            continue;
        }
        length = line_length(reader->bytes, reader->length);
        if (length + 1 == reader->length && reader->bytes[length] == '\r')
            reader->held_return = true;
        if (length > 0)
            take_line(reader, reader->bytes, length);
        length += reader->held_return ? 1 : 0;
        reader->bytes += length;
        reader->length -= length;
    }
    if (!reader->row_ended || reader->failed.code != ERR_OK)
        return false;
    *row_out = (struct csv_row){.cells = reader->cells,
                                .count = reader->cell_count,
                                .line = reader->row_line,
                                .byte_offset = reader->row_offset,
                                .byte_length = reader->offset - reader->row_offset};
    reader->row_ended = false;
    reader->cell_count = reader->text_length = 0;
    reader->row_offset = reader->offset;
    reader->row_line = reader->line;
    return true;
}
