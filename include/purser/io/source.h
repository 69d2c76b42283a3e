/* The rows of a job's source, one unit at a time: a row, or the rows of one group.
 *
 * Streams: memory does not grow with the file. Knows where each row stands. Cells are typed as the
 * spec's columns say; a wrong cell is a message (file:line:column) and the unit is skipped. */
#ifndef PURSER_IO_SOURCE_H
#define PURSER_IO_SOURCE_H

#include "purser/base/arena.h"
#include "purser/codec/spec.h"
#include "purser/io/state_directory.h"

struct source;

/* Where the rows of standard input and of commands are kept, so that they can be given back when
 * the run is over: the ledger's own folder. */
struct source_store {
    const struct state_directory *directory;
    bool is_kept; /* read those that the last run has kept; else take new ones, for
                     source_keep() */
};

/* One item's data; lives in the source's own arena until the next call. */
struct unit {
    struct value row;     /* a map: the first row */
    struct value rows;    /* a list of maps: all rows of the group (one without group_by) */
    const char *file;     /* of the first row; lives as long as the diagnostics of source_open() */
    uint32_t file_number; /* for source_file_name() */
    uint32_t line;        /* of the first row */
    uint64_t index;       /* 0, 1, … in order of appearance */
    /* Where the rows stand in the file, to give them back byte for byte. */
    const struct source_span *spans;
    size_t span_count;
};

struct source_span {
    uint64_t byte_offset, byte_length;
    uint32_t line;
};

/* Opens the source of `job`: finds its files, unpacks and decodes them, runs its command to its
 * end. CSV headers are read, checked (duplicate or empty names, columns the spec names that are not
 * there) and available at once. `store` NULL: nothing of standard input and commands is kept;
 * borrowed. Errors: ERR_INPUT with messages (cannot be opened, not a regular file, the command
 * failed, …), ERR_STOPPED by a signal while bytes were waited for, ERR_SYSTEM, ERR_NO_MEMORY. */
enum err_code source_open(const struct spec *spec, const struct spec_job *job,
                          const struct source_store *store, struct diagnostics *diagnostics,
                          struct source **source_out, struct err *err) ERR_CHECKED;
void source_close(struct source *source);

/* Puts the rows of standard input or of a command in the place of those of an earlier run; nothing
 * to do for other sources. Errors: ERR_SYSTEM. */
enum err_code source_keep(struct source *source, struct err *err) ERR_CHECKED;
/* Removes what was kept for jobs that have no such source any more. Best effort. */
void source_forget_others(const struct spec *spec, const struct state_directory *directory);

/* The name of a file of the source, by a unit's file_number. */
const char *source_file_name(const struct source *source, uint32_t file_number);

/* The column names; NULL with count 0 when any name is possible (NDJSON). Borrowed. */
const struct slice *source_columns(const struct source *source, size_t *count_out);

/* How to find the group of a row (row and vars may stand in it); set once before the first unit
 * when the spec has group_by. */
void source_set_group_by(struct source *source, const struct text_template *group_by,
                         const struct value *vars);

/* The next unit. ERR_OK, ERR_NOT_FOUND at the end, ERR_SYSTEM (reading failed), ERR_NO_MEMORY;
 * ERR_INPUT or ERR_TOO_BIG, with a message, when the rest of the file cannot be read (a stray
 * quote, a line over ROW_BYTES_MAX, a group over GROUP_ROWS_MAX). Rows that are wrong add messages;
 * their unit is passed over but counted in `index`. */
enum err_code source_next(struct source *source, struct unit *unit_out,
                          struct diagnostics *diagnostics, struct err *err) ERR_CHECKED;

/* Back to the first unit. After `gather`, rows of one group come as one unit even when they do not
 * stand together (the group stands where its first row stood). The order is found with a temporary
 * file; memory stays flat. Errors: ERR_SYSTEM, ERR_NO_MEMORY; ERR_INPUT and ERR_TOO_BIG as with
 * source_next(), without a message. */
enum err_code source_rewind(struct source *source, bool gather, struct err *err) ERR_CHECKED;

/* True if the files are what they were when they were opened (device, inode, size, time), and a
 * pattern names no others. When false errno is 0, or why it cannot be told. */
bool source_is_unchanged(const struct source *source);

/* Appends the bytes of the header line, or of a span, as they stand in the file, in UTF-8. The last
 * row of a file may lack its line end. CSV with other quotes than " is written with these; a row of
 * a JSON array comes on one line. A header is there for CSV only (without a byte order mark), also
 * where the spec gives it, and for rows in the spec, which are written as CSV. Errors: ERR_SYSTEM,
 * ERR_INPUT (a file is not what it was), ERR_TOO_BIG, ERR_NO_MEMORY. */
enum err_code source_read_span(struct source *source, const struct source_span *span,
                               struct buf *out, struct err *err) ERR_CHECKED;
enum err_code source_header(struct source *source, struct buf *out, struct err *err) ERR_CHECKED;

#endif
