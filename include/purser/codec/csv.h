/* CSV bytes → rows of cells, pushed in chunks. Owner of libcsv.
 *
 * RFC 4180, a byte order mark, CRLF, lone CR and quoted line breaks are understood; blank lines are
 * passed over. Cells come as they stand: spaces belong to them, and whether they are UTF-8 is for
 * the caller to check. Limits: ROW_BYTES_MAX, ROW_COLUMNS_MAX. */
#ifndef PURSER_CODEC_CSV_H
#define PURSER_CODEC_CSV_H

#include "purser/base/err.h"
#include "purser/base/text.h"

struct csv_reader;

struct csv_row {
    const struct slice *cells; /* borrowed until the next call */
    size_t count;
    uint32_t line;        /* where the row starts, from 1 */
    uint64_t byte_offset; /* where the row starts in the file */
    uint64_t byte_length; /* up to and with its line end */
};

/* `delimiter` is one ASCII character. Errors: ERR_NO_MEMORY. */
enum err_code csv_reader_open(char delimiter, struct csv_reader **reader_out,
                              struct err *err) ERR_CHECKED;
void csv_reader_close(struct csv_reader *reader);

/* Before the first byte. Quotes are `quote` instead of "; '\0': there are none, and a cell ends
 * only at a delimiter or a line end. */
void csv_reader_set_quote(struct csv_reader *reader, char quote);
/* Before the first byte: it stands at `offset` of the file, on `line`. Only one on line 1 can be a
 * byte order mark. */
void csv_reader_start_at(struct csv_reader *reader, uint64_t offset, uint32_t line);

/* Gives more bytes; `bytes` must stay until csv_reader_take() has returned false. */
enum err_code csv_reader_feed(struct csv_reader *reader, const char *bytes, size_t length,
                              struct err *err) ERR_CHECKED;
/* There are no more bytes: the last row may end without a line break. */
enum err_code csv_reader_finish(struct csv_reader *reader, struct err *err) ERR_CHECKED;

/* The next complete row; false when more bytes are needed or, after csv_reader_finish(), at the
 * end. Errors come through feed and finish and stay: ERR_INPUT, ERR_TOO_BIG (the
 * text starts with "LINE: "), ERR_NO_MEMORY. */
bool csv_reader_take(struct csv_reader *reader, struct csv_row *row_out);

#endif
