#include "source_reader.h"

#include "purser/base/mem.h"
#include "purser/codec/charset.h"

/* --- opening --- */

static enum err_code open_kind(struct source_reader *reader, struct diagnostics *diagnostics,
                               struct err *err)
{
    if (reader->source->kind == SOURCE_INLINE)
        return inline_rows_open(reader, err);
    reader->window = mem_new(WINDOW_BYTES, 1);
    if (reader->window == NULL)
        return err_set(err, ERR_NO_MEMORY, "%s: out of memory", reader_file(reader));
    if (reader->source->kind == SOURCE_CSV && csv_rows_open(reader, diagnostics, err) != ERR_OK)
        return err->code;
    return reader_begin_file(reader, 0, diagnostics, err);
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
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < source->column_count && reader->columns != NULL; i++) {
        if (has_column(reader, source->columns[i].name))
            continue;
        column_message(reader, &source->columns[i], diagnostics);
        code =
            err_set(err, ERR_INPUT, "no column '%.*s' in %s", (int)source->columns[i].name.length,
                    source->columns[i].name.bytes, reader_file(reader));
    }
    return code;
}

enum err_code reader_open(struct source_reader *reader, const struct spec *spec,
                          const struct spec_job *job, const struct source_store *store,
                          struct diagnostics *diagnostics, struct err *err)
{
    enum err_code code;

    *reader = (struct source_reader){.source = &job->source};
    if (source_files_open(&reader->files, spec, job, store, diagnostics, err) != ERR_OK)
        return err->code;
    arena_init(&reader->arena, 2 * ROW_BYTES_MAX);
    buf_init(&reader->line, ROW_BYTES_MAX);
    buf_init(&reader->span, ROW_BYTES_MAX);
    code = open_kind(reader, diagnostics, err);
    if (code == ERR_OK)
        code = check_columns(reader, diagnostics, err);
    if (code != ERR_OK)
        reader_close(reader);
    return code;
}

void reader_close(struct source_reader *reader)
{
    csv_reader_close(reader->csv);
    csv_reader_close(reader->csv_row);
    json_array_close(reader->array);
    buf_deinit(&reader->line);
    buf_deinit(&reader->span);
    mem_free(reader->window);
    arena_deinit(&reader->arena);
    source_files_close(&reader->files);
}

const char *reader_file(const struct source_reader *reader)
{
    return reader->files.files[reader->file].name;
}

/* --- bytes --- */

enum err_code reader_fill_window(struct source_reader *reader, struct err *err)
{
    reader->window_at = reader->window_length = 0;
    if (source_files_read(&reader->files, reader->file, reader->window_end, reader->window,
                          WINDOW_BYTES, &reader->window_length, err) != ERR_OK)
        return err->code;
    reader->window_end += reader->window_length;
    reader->at_end = reader->window_length == 0;
    return ERR_OK;
}

uint64_t reader_offset(const struct source_reader *reader)
{
    return reader->window_end - reader->window_length + reader->window_at;
}

enum err_code reader_append_bytes(struct source_reader *reader, uint64_t offset, uint64_t length,
                                  struct buf *out, struct err *err)
{
    size_t file = source_files_find(&reader->files, offset);
    char bytes[4096];

    while (length > 0 && out->failed == ERR_OK) {
        size_t wanted = length < sizeof bytes ? (size_t)length : sizeof bytes;
        size_t count;

        if (source_files_read(&reader->files, file, offset, bytes, wanted, &count, err) != ERR_OK)
            return err->code;
        if (count == 0)
            return err_set(err, ERR_SYSTEM, "%s became shorter while it was read",
                           reader->files.files[file].name);
        buf_append(out, bytes, count);
        offset += count;
        length -= count;
    }
    if (out->failed != ERR_OK)
        return err_set(err, out->failed, "%s: %s", reader->files.files[file].name,
                       err_code_text(out->failed));
    return ERR_OK;
}

enum err_code reader_no_room(const struct source_reader *reader, const struct arena *arena,
                             uint32_t line, struct diagnostics *diagnostics, struct err *err)
{
    /* The arena does not say why. What did not fit is at most a row and its values. */
    if (arena->max_bytes - arena->used_bytes > 4 * (size_t)ROW_BYTES_MAX)
        return err_set(err, ERR_NO_MEMORY, "%s: out of memory", reader_file(reader));
    return broken_file(reader, line, ERR_TOO_BIG, "data.too_big",
                       "the rows of one item are larger than 256 MiB", diagnostics, err);
}

/* --- rows --- */

/* Text that is not UTF-8 from its first bytes on. */
static enum err_code check_mark(struct source_reader *reader, struct diagnostics *diagnostics,
                                struct err *err)
{
    enum source_encoding marked;

    if (charset_of_mark(reader->window, reader->window_length, &marked) &&
        marked == ENCODING_UTF_16)
        return broken_file_at(reader, 1, 0, ERR_INPUT, "data.encoding",
                              "it begins with the byte order mark of UTF-16, so it is not UTF-8\n"
                              "hint: encoding: utf-16 in the source",
                              diagnostics, err);
    return ERR_OK;
}

enum err_code reader_open_file(struct source_reader *reader, size_t index,
                               struct diagnostics *diagnostics, struct err *err)
{
    reader->file = index;
    reader->window_end = reader->files.files[index].start;
    if (reader_fill_window(reader, err) != ERR_OK)
        return err->code;
    return check_mark(reader, diagnostics, err);
}

enum err_code reader_begin_file(struct source_reader *reader, size_t index,
                                struct diagnostics *diagnostics, struct err *err)
{
    if (reader_open_file(reader, index, diagnostics, err) != ERR_OK)
        return err->code;
    switch (reader->source->kind) {
    case SOURCE_INLINE:
        return ERR_OK;
    case SOURCE_CSV:
        return csv_rows_begin(reader, diagnostics, err);
    case SOURCE_NDJSON:
        ndjson_rows_begin(reader);
        return ERR_OK;
    case SOURCE_JSON:
        return json_rows_begin(reader, err);
    }
    return err_set(err, ERR_INTERNAL, "a source of no kind");
}

enum err_code reader_restart(struct source_reader *reader, struct err *err)
{
    reader->row_count = 0;
    if (reader->source->kind == SOURCE_INLINE)
        return ERR_OK;
    return reader_begin_file(reader, 0, NULL, err);
}

static enum err_code next_of_kind(struct source_reader *reader, struct arena *arena,
                                  struct source_row *row_out, struct diagnostics *diagnostics,
                                  struct err *err)
{
    *row_out = (struct source_row){
        .number = reader->row_count + 1, .file = (uint32_t)reader->file, .value.kind = VALUE_MAP};
    switch (reader->source->kind) {
    case SOURCE_INLINE:
        return inline_rows_next(reader, arena, row_out, diagnostics, err);
    case SOURCE_CSV:
        return csv_rows_next(reader, arena, row_out, diagnostics, err);
    case SOURCE_NDJSON:
        return ndjson_rows_next(reader, arena, row_out, diagnostics, err);
    case SOURCE_JSON:
        return json_rows_next(reader, arena, row_out, diagnostics, err);
    }
    return err_set(err, ERR_INTERNAL, "a source of no kind");
}

enum err_code reader_next(struct source_reader *reader, struct arena *arena,
                          struct source_row *row_out, struct diagnostics *diagnostics,
                          struct err *err)
{
    for (;;) {
        enum err_code code = next_of_kind(reader, arena, row_out, diagnostics, err);

        if (code != ERR_NOT_FOUND || reader->file + 1 == reader->files.count)
            return code;
        code = reader_begin_file(reader, reader->file + 1, diagnostics, err);
        if (code != ERR_OK)
            return code;
    }
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
    reader->file = source_files_find(&reader->files, span->byte_offset);
    row_out->file = (uint32_t)reader->file;
    buf_clear(&reader->span);
    if (reader_append_bytes(reader, span->byte_offset, span->byte_length, &reader->span, err) !=
        ERR_OK)
        return err->code;
    if (reader->source->kind == SOURCE_CSV)
        return csv_rows_parse(reader, arena, row_out, diagnostics, err);
    return ndjson_rows_parse(reader, (struct slice){reader->span.bytes, reader->span.length}, arena,
                             row_out, diagnostics, err);
}
