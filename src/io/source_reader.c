#include "source_reader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "purser/base/mem.h"

/* --- opening --- */

static const char *kind_of_file(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a folder";
    if (S_ISFIFO(mode))
        return "a pipe";
    if (S_ISCHR(mode) || S_ISBLK(mode))
        return "a device";
    return "a socket";
}

/* A source is read more than once (checked first, then sent), so it must be a file. O_NONBLOCK:
 * opening a pipe must not wait for a writer. */
static enum err_code open_file(struct source_reader *reader, struct diagnostics *diagnostics,
                               struct err *err)
{
    struct place place = reader->source->place;

    reader->fd = open(reader->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (reader->fd == -1 && errno == ENOMEM)
        return err_set(err, ERR_NO_MEMORY, "open %s: %s", reader->file, strerror(errno));
    if (reader->fd == -1) {
        const char *reason = strerror(errno);

        diagnostics_add(diagnostics, DIAG_ERROR, place, "source.open",
                        errno == ENOENT ? "a relative path is from the folder of the spec" : NULL,
                        "cannot open %s: %s", reader->file, reason);
        return err_set(err, ERR_INPUT, "cannot open %s: %s", reader->file, reason);
    }
    if (fstat(reader->fd, &reader->at_open) != 0)
        return err_set(err, ERR_SYSTEM, "fstat %s: %s", reader->file, strerror(errno));
    if (S_ISREG(reader->at_open.st_mode))
        return ERR_OK;
    diagnostics_add(diagnostics, DIAG_ERROR, place, "source.open",
                    "it is read more than once; write what it gives to a file first",
                    "%s is %s, not a file", reader->file, kind_of_file(reader->at_open.st_mode));
    return err_set(err, ERR_INPUT, "%s is %s, not a file", reader->file,
                   kind_of_file(reader->at_open.st_mode));
}

static enum err_code open_kind(struct source_reader *reader, struct diagnostics *diagnostics,
                               struct err *err)
{
    if (reader->source->kind == SOURCE_INLINE)
        return inline_rows_open(reader, err);
    if (open_file(reader, diagnostics, err) != ERR_OK)
        return err->code;
    reader->window = mem_new(WINDOW_BYTES, 1);
    if (reader->window == NULL)
        return err_set(err, ERR_NO_MEMORY, "%s: out of memory", reader->file);
    if (reader->source->kind == SOURCE_CSV)
        return csv_rows_open(reader, diagnostics, err);
    return ndjson_rows_restart(reader, err);
}

static bool has_column(const struct source_reader *reader, struct slice name)
{
    size_t i;

    for (i = 0; i < reader->column_count; i++) {
        if (slice_equal(reader->columns[i], name))
            return true;
    }
    return false;
}

/* Where the names are known, the spec's columns must be among them. */
static enum err_code check_columns(struct source_reader *reader, struct diagnostics *diagnostics,
                                   struct err *err)
{
    const struct spec_source *source = reader->source;
    size_t i;

    for (i = 0; i < source->column_count && reader->columns != NULL; i++) {
        if (has_column(reader, source->columns[i].name))
            continue;
        column_message(reader, &source->columns[i], diagnostics);
        (void)err_set(err, ERR_INPUT, "no column '%.*s' in %s", (int)source->columns[i].name.length,
                      source->columns[i].name.bytes, reader->file);
    }
    return err->code;
}

enum err_code reader_open(struct source_reader *reader, const struct spec *spec,
                          const struct spec_job *job, struct diagnostics *diagnostics,
                          struct err *err)
{
    *reader = (struct source_reader){.source = &job->source, .fd = -1};
    reader->file = job->source.kind == SOURCE_INLINE ? spec->file : job->source.path;
    arena_init(&reader->arena, 2 * ROW_BYTES_MAX);
    buf_init(&reader->line, ROW_BYTES_MAX);
    buf_init(&reader->span, ROW_BYTES_MAX);
    if (open_kind(reader, diagnostics, err) != ERR_OK ||
        check_columns(reader, diagnostics, err) != ERR_OK)
        reader_close(reader);
    return err->code;
}

void reader_close(struct source_reader *reader)
{
    csv_reader_close(reader->csv);
    csv_reader_close(reader->csv_row);
    buf_deinit(&reader->line);
    buf_deinit(&reader->span);
    mem_free(reader->window);
    arena_deinit(&reader->arena);
    if (reader->fd != -1)
        (void)close(reader->fd);
}

/* --- bytes --- */

static ssize_t read_at(const struct source_reader *reader, char *bytes, size_t length,
                       uint64_t offset)
{
    ssize_t count;

    do
        count = pread(reader->fd, bytes, length, (off_t)offset);
    while (count == -1 && errno == EINTR);
    return count;
}

static enum err_code read_failed(const struct source_reader *reader, struct err *err)
{
    return err_set(err, ERR_SYSTEM, "read %s: %s", reader->file, strerror(errno));
}

enum err_code reader_fill_window(struct source_reader *reader, struct err *err)
{
    ssize_t count = read_at(reader, reader->window, WINDOW_BYTES, reader->window_end);

    if (count == -1)
        return read_failed(reader, err);
    reader->window_at = 0;
    reader->window_length = (size_t)count;
    reader->window_end += (size_t)count;
    return ERR_OK;
}

enum err_code reader_append_bytes(struct source_reader *reader, uint64_t offset, uint64_t length,
                                  struct buf *out, struct err *err)
{
    char bytes[4096];

    while (length > 0 && out->failed == ERR_OK) {
        size_t wanted = length < sizeof bytes ? (size_t)length : sizeof bytes;
        ssize_t count = read_at(reader, bytes, wanted, offset);

        if (count == -1)
            return read_failed(reader, err);
        if (count == 0)
            return err_set(err, ERR_SYSTEM, "%s became shorter while it was read", reader->file);
        buf_append(out, bytes, (size_t)count);
        offset += (size_t)count;
        length -= (size_t)count;
    }
    if (out->failed != ERR_OK)
        return err_set(err, out->failed, "%s: %s", reader->file, err_code_text(out->failed));
    return ERR_OK;
}

enum err_code reader_no_room(const struct source_reader *reader, const struct arena *arena,
                             uint32_t line, struct diagnostics *diagnostics, struct err *err)
{
    /* The arena does not say why. What did not fit is at most a row and its values. */
    if (arena->max_bytes - arena->used_bytes > 4 * (size_t)ROW_BYTES_MAX)
        return err_set(err, ERR_NO_MEMORY, "%s: out of memory", reader->file);
    return broken_file(reader, line, ERR_TOO_BIG, "data.too_big",
                       "the rows of one item are larger than 256 MiB", diagnostics, err);
}

/* --- rows --- */

enum err_code reader_restart(struct source_reader *reader, struct err *err)
{
    reader->row_count = 0;
    reader->window_length = reader->window_at = 0;
    reader->window_end = 0;
    reader->at_end = false;
    switch (reader->source->kind) {
    case SOURCE_INLINE:
        return ERR_OK;
    case SOURCE_CSV:
        return csv_rows_restart(reader, err);
    case SOURCE_NDJSON:
        return ndjson_rows_restart(reader, err);
    }
    return err_set(err, ERR_INTERNAL, "a source of no kind");
}

enum err_code reader_next(struct source_reader *reader, struct arena *arena,
                          struct source_row *row_out, struct diagnostics *diagnostics,
                          struct err *err)
{
    *row_out = (struct source_row){.number = reader->row_count + 1, .value.kind = VALUE_MAP};
    switch (reader->source->kind) {
    case SOURCE_INLINE:
        return inline_rows_next(reader, arena, row_out, diagnostics, err);
    case SOURCE_CSV:
        return csv_rows_next(reader, arena, row_out, diagnostics, err);
    case SOURCE_NDJSON:
        return ndjson_rows_next(reader, arena, row_out, diagnostics, err);
    }
    return err_set(err, ERR_INTERNAL, "a source of no kind");
}

enum err_code reader_read(struct source_reader *reader, const struct source_span *span,
                          uint64_t number, struct arena *arena, struct source_row *row_out,
                          struct diagnostics *diagnostics, struct err *err)
{
    *row_out = (struct source_row){.number = number, .span = *span, .value.kind = VALUE_MAP};
    if (reader->source->kind == SOURCE_INLINE) {
        reader->row_count = number - 1;
        return inline_rows_next(reader, arena, row_out, diagnostics, err);
    }
    buf_clear(&reader->span);
    if (reader_append_bytes(reader, span->byte_offset, span->byte_length, &reader->span, err) !=
        ERR_OK)
        return err->code;
    if (reader->source->kind == SOURCE_CSV)
        return csv_rows_parse(reader, arena, row_out, diagnostics, err);
    return ndjson_rows_parse(reader, (struct slice){reader->span.bytes, reader->span.length}, arena,
                             row_out, diagnostics, err);
}
