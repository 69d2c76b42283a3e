/* The rows of a source one at a time, without groups. Private to io/source.
 *
 * source_reader.c opens and dispatches; source_csv.c, source_ndjson.c, source_json.c and
 * source_inline.c know their kind; source_messages.c says what is wrong with a row and where. */
#ifndef PURSER_IO_SOURCE_READER_H
#define PURSER_IO_SOURCE_READER_H

#include "purser/codec/cell.h"
#include "purser/codec/csv.h"
#include "purser/codec/json_array.h"
#include "purser/io/source.h"
#include "source_files.h"

enum { WINDOW_BYTES = 64 * 1024 };

struct source_row {
    struct value value; /* a map */
    struct source_span span;
    uint32_t file;   /* index of its file */
    uint32_t column; /* where it starts, from 1; 0 = 1 */
    uint64_t number; /* of the data rows, from 1 */
    bool wrong;      /* messages were added; the value is what could be read */
};

struct source_reader {
    const struct spec_source *source;
    struct source_files files; /* one without bytes for inline rows */
    size_t file;               /* the one that is read */

    struct arena arena;          /* of the names */
    const struct slice *columns; /* a NUL after each; NULL = any name is possible */
    size_t column_count;
    const struct spec_column *inline_columns; /* of inline rows: as they are in CSV */
    const struct spec_column **types;         /* CSV: one a column, NULL = string */
    struct source_span header;                /* CSV; empty when the spec has it */

    char *window; /* NULL for inline rows */
    size_t window_length, window_at;
    uint64_t window_end; /* where the byte after the window stands in the source */
    bool at_end;         /* the last window was empty: the file has ended */

    struct csv_reader *csv;     /* of the file */
    bool finished;              /* `csv` knows that the file has ended */
    struct csv_reader *csv_row; /* of single rows; NULL until it is needed */
    struct json_array_reader *array;
    struct buf line;      /* JSON: a line or element that does not lie in one window */
    uint32_t line_number; /* NDJSON: of the next byte */
    struct buf span;      /* the bytes of a single row */
    uint64_t row_count;   /* rows given since the start */
};

/* Opens and reads the header. Errors as with source_open(); nothing is left to be closed then. */
enum err_code reader_open(struct source_reader *reader, const struct spec *spec,
                          const struct spec_job *job, const struct source_store *store,
                          struct diagnostics *diagnostics, struct err *err) ERR_CHECKED;
void reader_close(struct source_reader *reader);

/* Back to the first row. */
enum err_code reader_restart(struct source_reader *reader, struct err *err) ERR_CHECKED;

/* The next row; its value lives in `arena`. ERR_OK, ERR_NOT_FOUND at the end; ERR_INPUT or
 * ERR_TOO_BIG with a message when the rest cannot be read; ERR_SYSTEM, ERR_NO_MEMORY. */
enum err_code reader_next(struct source_reader *reader, struct arena *arena,
                          struct source_row *row_out, struct diagnostics *diagnostics,
                          struct err *err) ERR_CHECKED;

/* The row at `span`, which reader_next() gave before. Errors as there, but no ERR_NOT_FOUND. */
enum err_code reader_read(struct source_reader *reader, const struct source_span *span,
                          uint64_t number, struct arena *arena, struct source_row *row_out,
                          struct diagnostics *diagnostics, struct err *err) ERR_CHECKED;

/* The name of the file that is read. */
const char *reader_file(const struct source_reader *reader);

/* Fills the window with the first bytes of file `index`. Text that is UTF-16 is an error. */
enum err_code reader_open_file(struct source_reader *reader, size_t index,
                               struct diagnostics *diagnostics, struct err *err) ERR_CHECKED;

/* Begins file `index`: window and kind. Errors as with reader_next(). */
enum err_code reader_begin_file(struct source_reader *reader, size_t index,
                                struct diagnostics *diagnostics, struct err *err) ERR_CHECKED;

/* Where the byte after those that were taken from the window stands in the source. */
uint64_t reader_offset(const struct source_reader *reader);

/* Appends `length` bytes of the source at `offset`. */
enum err_code reader_append_bytes(struct source_reader *reader, uint64_t offset, uint64_t length,
                                  struct buf *out, struct err *err) ERR_CHECKED;

/* Fills the window with the next bytes of the file; leaves it empty at its end, and sets at_end. */
enum err_code reader_fill_window(struct source_reader *reader, struct err *err) ERR_CHECKED;

/* ERR_TOO_BIG or ERR_NO_MEMORY after `arena` had no room. */
enum err_code reader_no_room(const struct source_reader *reader, const struct arena *arena,
                             uint32_t line, struct diagnostics *diagnostics, struct err *err);

/* --- kinds --- */

/* Each _begin stands before the first row of the file that is read, whose first window is there. */

/* The columns, from the spec or the first file; the other files must have the same. */
enum err_code csv_rows_open(struct source_reader *reader, struct diagnostics *diagnostics,
                            struct err *err) ERR_CHECKED;
enum err_code csv_rows_begin(struct source_reader *reader, struct diagnostics *diagnostics,
                             struct err *err) ERR_CHECKED;
enum err_code csv_rows_next(struct source_reader *reader, struct arena *arena,
                            struct source_row *row_out, struct diagnostics *diagnostics,
                            struct err *err) ERR_CHECKED;
/* From the bytes in reader->span. */
enum err_code csv_rows_parse(struct source_reader *reader, struct arena *arena,
                             struct source_row *row_out, struct diagnostics *diagnostics,
                             struct err *err) ERR_CHECKED;

/* The row at `span` (all of the header with an empty one) as CSV with the quote ". */
enum err_code csv_rows_append(struct source_reader *reader, const struct source_span *span,
                              struct buf *out, struct err *err) ERR_CHECKED;

void ndjson_rows_begin(struct source_reader *reader);
enum err_code ndjson_rows_next(struct source_reader *reader, struct arena *arena,
                               struct source_row *row_out, struct diagnostics *diagnostics,
                               struct err *err) ERR_CHECKED;
enum err_code ndjson_rows_parse(struct source_reader *reader, struct slice line,
                                struct arena *arena, struct source_row *row_out,
                                struct diagnostics *diagnostics, struct err *err) ERR_CHECKED;

enum err_code json_rows_begin(struct source_reader *reader, struct err *err) ERR_CHECKED;
enum err_code json_rows_next(struct source_reader *reader, struct arena *arena,
                             struct source_row *row_out, struct diagnostics *diagnostics,
                             struct err *err) ERR_CHECKED;

enum err_code inline_rows_open(struct source_reader *reader, struct err *err) ERR_CHECKED;
enum err_code inline_rows_next(struct source_reader *reader, struct arena *arena,
                               struct source_row *row_out, struct diagnostics *diagnostics,
                               struct err *err) ERR_CHECKED;
/* Types the members of the map row_out->value as the spec's columns say. */
enum err_code reader_type_members(struct source_reader *reader, struct arena *arena,
                                  struct source_row *row_out, struct diagnostics *diagnostics,
                                  struct err *err) ERR_CHECKED;

/* --- messages --- */

/* Where a row stands. */
struct place row_place(const struct source_reader *reader, const struct source_row *row);

/* A row is wrong as a whole; `help` may be NULL. */
void row_message(const struct source_reader *reader, struct source_row *row, const char *code,
                 const char *help, struct diagnostics *diagnostics, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* A row is wrong at byte `at` of its own bytes; SIZE_MAX = nobody knows where. */
void byte_message(const struct source_reader *reader, struct source_row *row, struct slice bytes,
                  size_t at, const char *code, const char *help, struct diagnostics *diagnostics,
                  const char *text);

/* A cell is not what its column is. `cell` is the CSV column's index, SIZE_MAX when there is none
 * to be looked for. */
void cell_message(struct source_reader *reader, struct source_row *row, struct slice column,
                  size_t cell, const struct value *value, const struct cell_problem *problem,
                  struct diagnostics *diagnostics);

/* A column that the spec names is not there. */
void column_message(const struct source_reader *reader, const struct spec_column *column,
                    struct diagnostics *diagnostics);

/* The file cannot be read on from `line`; `text` may have a "hint: " line. Returns `code`. */
enum err_code broken_file(const struct source_reader *reader, uint32_t line, enum err_code code,
                          const char *message_code, const char *text,
                          struct diagnostics *diagnostics, struct err *err);
enum err_code broken_file_at(const struct source_reader *reader, uint32_t line, uint32_t column,
                             enum err_code code, const char *message_code, const char *text,
                             struct diagnostics *diagnostics, struct err *err);

#endif
