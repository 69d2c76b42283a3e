#include "purser/io/source.h"

#include <assert.h>
#include <string.h>

#include "purser/base/mem.h"
#include "purser/codec/inline_rows.h"
#include "purser/io/spill.h"
#include "source_reader.h"

struct source {
    struct source_reader reader;
    /* The row after a group is read before the group is given. It stays in the arena it was read
     * into while the next unit grows in the other one, so nothing is copied. */
    struct arena arenas[2];
    int arena; /* in use */

    const struct text_template *group_by;
    const struct value *vars;

    struct spill *order; /* of all rows, groups together; NULL until it is needed */
    bool gathered;       /* rows come by `order` */
    uint64_t next_record;

    bool has_pending;
    struct source_row pending;
    struct hash128 pending_group;

    struct value *rows; /* of the unit */
    struct source_span *spans;
    size_t row_count, row_capacity;
    uint32_t file; /* of its first row */
    uint64_t next_index;
};

enum err_code source_open(const struct spec *spec, const struct spec_job *job,
                          const struct source_store *store, struct diagnostics *diagnostics,
                          struct source **source_out, struct err *err)
{
    struct source *source = mem_new(1, sizeof *source);

    if (source == NULL)
        return err_set(err, ERR_NO_MEMORY, "source: out of memory");
    if (reader_open(&source->reader, spec, job, store, diagnostics, err) != ERR_OK) {
        mem_free(source);
        return err->code;
    }
    arena_init(&source->arenas[0], UNIT_ARENA_BYTES_MAX);
    arena_init(&source->arenas[1], UNIT_ARENA_BYTES_MAX);
    *source_out = source;
    return ERR_OK;
}

void source_close(struct source *source)
{
    if (source == NULL)
        return;
    reader_close(&source->reader);
    spill_close(source->order);
    arena_deinit(&source->arenas[0]);
    arena_deinit(&source->arenas[1]);
    mem_free(source->rows);
    mem_free(source->spans);
    mem_free(source);
}

const struct slice *source_columns(const struct source *source, size_t *count_out)
{
    *count_out = source->reader.column_count;
    return source->reader.columns;
}

void source_set_group_by(struct source *source, const struct text_template *group_by,
                         const struct value *vars)
{
    source->group_by = group_by;
    source->vars = vars;
}

/* --- groups --- */

/* A row whose group is not known is a group of its own. */
static struct hash128 group_alone(const struct source_row *row)
{
    const uint64_t parts[2] = {UINT64_MAX, row->number};

    return checksum128(parts, sizeof parts);
}

static struct hash128 group_of(struct source *source, struct source_row *row,
                               struct diagnostics *diagnostics)
{
    const struct environment environment = {
        .row = &row->value, .vars = source->vars, .arena = &source->arenas[source->arena]};
    struct eval_error error = {0};
    struct slice text;

    if (source->group_by == NULL)
        return group_alone(row);
    if (text_template_text(source->group_by, &environment, &text, &error))
        return checksum128(text.bytes, text.length);
    if (!row->wrong) /* else there is a message about its cause already */
        row_message(&source->reader, row, "data.group_by",
                    error.help[0] == '\0' ? "every row needs a group" : error.help, diagnostics,
                    "group_by: %s", error.text);
    return group_alone(row);
}

/* --- order of the rows when groups are gathered --- */

static struct spill_record record_of(const struct source_row *row, struct hash128 group)
{
    return (struct spill_record){.hash = group,
                                 .order = row->number - 1,
                                 .value = row->span.byte_offset,
                                 .extra = (uint64_t)row->span.line << 32 | row->span.byte_length};
}

static struct source_span span_of(const struct spill_record *record)
{
    return (struct source_span){.byte_offset = record->value,
                                .byte_length = record->extra & UINT32_MAX,
                                .line = (uint32_t)(record->extra >> 32)};
}

static enum err_code add_all_rows(struct source *source, struct diagnostics *diagnostics,
                                  struct err *err)
{
    struct arena *arena = &source->arenas[source->arena];
    struct source_row row;

    for (;;) {
        struct spill_record record;
        enum err_code code;

        arena_clear(arena);
        code = reader_next(&source->reader, arena, &row, diagnostics, err);
        if (code == ERR_NOT_FOUND)
            return ERR_OK;
        if (code != ERR_OK)
            return code;
        if (row.number > UINT32_MAX)
            return err_set(err, ERR_TOO_BIG, "%s: more than %u rows", reader_file(&source->reader),
                           UINT32_MAX);
        record = record_of(&row, group_of(source, &row, diagnostics));
        if (spill_add(source->order, &record, err) != ERR_OK)
            return err->code;
    }
}

/* Each record's order becomes (its group's first row, its own row). */
static enum err_code order_by_first_row(struct spill *spill, struct err *err)
{
    struct spill_record *records;
    uint64_t count, i, first = 0;

    if (spill_sort(spill, false, err) != ERR_OK)
        return err->code;
    records = spill_records(spill, &count);
    for (i = 0; i < count; i++) {
        uint64_t own = records[i].order;

        if (i == 0 || !hash128_equal(records[i - 1].hash, records[i].hash))
            first = own;
        records[i].order = first << 32 | own;
    }
    return spill_sort(spill, true, err);
}

static enum err_code find_order(struct source *source, struct err *err)
{
    struct diagnostics ignored; /* the rows are read again, and their messages come then */
    enum err_code code = spill_open(NULL, &source->order, err);

    if (code != ERR_OK)
        return code;
    diagnostics_init(&ignored);
    code = add_all_rows(source, &ignored, err);
    diagnostics_deinit(&ignored);
    if (code == ERR_OK)
        code = order_by_first_row(source->order, err);
    if (code == ERR_OK)
        return reader_restart(&source->reader, err);
    spill_close(source->order);
    source->order = NULL;
    return code;
}

enum err_code source_rewind(struct source *source, bool gather, struct err *err)
{
    if (reader_restart(&source->reader, err) != ERR_OK)
        return err->code;
    source->has_pending = false;
    source->next_index = source->next_record = 0;
    source->gathered = gather && source->group_by != NULL;
    if (source->gathered && source->order == NULL)
        return find_order(source, err);
    return ERR_OK;
}

/* --- units --- */

static enum err_code next_gathered(struct source *source, struct source_row *row_out,
                                   struct hash128 *group_out, struct diagnostics *diagnostics,
                                   struct err *err)
{
    uint64_t count;
    const struct spill_record *records = spill_records(source->order, &count);
    const struct spill_record *record;
    struct source_span span;

    if (source->next_record == count)
        return ERR_NOT_FOUND;
    record = &records[source->next_record++];
    span = span_of(record);
    *group_out = record->hash;
    return reader_read(&source->reader, &span, (record->order & UINT32_MAX) + 1,
                       &source->arenas[source->arena], row_out, diagnostics, err);
}

static enum err_code next_row(struct source *source, struct source_row *row_out,
                              struct hash128 *group_out, struct diagnostics *diagnostics,
                              struct err *err)
{
    enum err_code code;

    if (source->gathered)
        code = next_gathered(source, row_out, group_out, diagnostics, err);
    else
        code =
            reader_next(&source->reader, &source->arenas[source->arena], row_out, diagnostics, err);
    if (code != ERR_OK)
        return code;
    if (!source->gathered)
        *group_out = group_of(source, row_out, diagnostics);
    else if (!row_out->wrong)
        (void)group_of(source, row_out, diagnostics); /* for its message */
    return ERR_OK;
}

static enum err_code append_row(struct source *source, const struct source_row *row,
                                struct diagnostics *diagnostics, struct err *err)
{
    if (source->row_count == GROUP_ROWS_MAX)
        return broken_file(&source->reader, row->span.line, ERR_TOO_BIG, "data.too_big",
                           "a group has more than 100000 rows", diagnostics, err);
    if (source->row_count == source->row_capacity) {
        size_t capacity = source->row_capacity == 0 ? 16 : source->row_capacity * 2;
        struct value *rows = mem_resize(source->rows, capacity, sizeof *rows);
        struct source_span *spans;

        if (rows != NULL)
            source->rows = rows;
        spans = mem_resize(source->spans, capacity, sizeof *spans);
        if (spans != NULL)
            source->spans = spans;
        if (rows == NULL || spans == NULL)
            return err_set(err, ERR_NO_MEMORY, "%s: out of memory", reader_file(&source->reader));
        source->row_capacity = capacity;
    }
    if (source->row_count == 0)
        source->file = row->file;
    source->rows[source->row_count] = row->value;
    source->spans[source->row_count++] = row->span;
    return ERR_OK;
}

/* The first row of a unit: the one that was read too far, or a new one. */
static enum err_code begin_unit(struct source *source, struct source_row *row_out,
                                struct hash128 *group_out, struct diagnostics *diagnostics,
                                struct err *err)
{
    source->row_count = 0;
    source->arena ^= 1;
    arena_clear(&source->arenas[source->arena]);
    if (!source->has_pending)
        return next_row(source, row_out, group_out, diagnostics, err);
    source->has_pending = false;
    *row_out = source->pending;
    *group_out = source->pending_group;
    return ERR_OK;
}

/* Gathers a unit's rows; *wrong_out when one of them is. ERR_NOT_FOUND at the end. */
static enum err_code read_unit(struct source *source, bool *wrong_out,
                               struct diagnostics *diagnostics, struct err *err)
{
    struct source_row row;
    struct hash128 group;
    enum err_code code = begin_unit(source, &row, &group, diagnostics, err);

    if (code != ERR_OK)
        return code;
    *wrong_out = false;
    for (;;) {
        if (append_row(source, &row, diagnostics, err) != ERR_OK)
            return err->code;
        *wrong_out |= row.wrong;
        if (source->group_by == NULL)
            return ERR_OK;
        code = next_row(source, &row, &source->pending_group, diagnostics, err);
        if (code == ERR_NOT_FOUND)
            return ERR_OK;
        if (code != ERR_OK)
            return code;
        if (hash128_equal(group, source->pending_group))
            continue;
        source->pending = row;
        source->has_pending = true;
        return ERR_OK;
    }
}

enum err_code source_next(struct source *source, struct unit *unit_out,
                          struct diagnostics *diagnostics, struct err *err)
{
    bool wrong;

    do {
        enum err_code code = read_unit(source, &wrong, diagnostics, err);

        if (code != ERR_OK)
            return code;
        source->next_index++;
    } while (wrong);
    *unit_out = (struct unit){
        .row = source->rows[0],
        .rows = {.kind = VALUE_LIST, .list = {source->rows, source->row_count}},
        .file = source_file_name(source, source->file),
        .file_number = source->file,
        .line = source->spans[0].line,
        .index = source->next_index - 1,
        .spans = source->spans,
        .span_count = source->row_count,
    };
    return ERR_OK;
}

/* --- the files themselves --- */

const char *source_file_name(const struct source *source, uint32_t file_number)
{
    assert(file_number < source->reader.files.count);
    return source->reader.files.files[file_number].name;
}

bool source_is_unchanged(const struct source *source)
{
    return source_files_are_unchanged(&source->reader.files);
}

/* Line breaks of a JSON value and what indents the next line go: a row has one line. */
static enum err_code append_on_one_line(struct source_reader *reader,
                                        const struct source_span *span, struct buf *out,
                                        struct err *err)
{
    size_t start = out->length, kept = start;
    bool at_line_start = false;

    if (reader_append_bytes(reader, span->byte_offset, span->byte_length, out, err) != ERR_OK)
        return err->code;
    for (size_t i = start; i < out->length; i++) {
        char byte = out->bytes[i];

        at_line_start =
            byte == '\n' || byte == '\r' || (at_line_start && (byte == ' ' || byte == '\t'));
        if (!at_line_start)
            out->bytes[kept++] = byte;
    }
    buf_truncate(out, kept);
    return ERR_OK;
}

enum err_code source_read_span(struct source *source, const struct source_span *span,
                               struct buf *out, struct err *err)
{
    struct source_reader *reader = &source->reader;

    switch (reader->source->kind) {
    case SOURCE_INLINE:
        inline_rows_append(reader->inline_columns, reader->column_count,
                           &reader->source->inline_rows[span->byte_offset],
                           reader->source->delimiter, out);
        return ERR_OK;
    case SOURCE_CSV:
        return csv_rows_append(reader, span, out, err);
    case SOURCE_NDJSON:
        return reader_append_bytes(reader, span->byte_offset, span->byte_length, out, err);
    case SOURCE_JSON:
        return append_on_one_line(reader, span, out, err);
    }
    return err_set(err, ERR_INTERNAL, "a source of no kind");
}

enum err_code source_header(struct source *source, struct buf *out, struct err *err)
{
    const struct source_reader *reader = &source->reader;

    if (reader->source->kind == SOURCE_INLINE)
        inline_rows_append_header(reader->inline_columns, reader->column_count,
                                  reader->source->delimiter, out);
    if (reader->source->kind != SOURCE_CSV)
        return ERR_OK;
    return csv_rows_append(&source->reader, &source->reader.header, out, err);
}

/* --- what is kept of them --- */

enum err_code source_keep(struct source *source, struct err *err)
{
    struct spool *spool = source->reader.files.spool;

    return spool == NULL ? ERR_OK : spool_keep(spool, err);
}

void source_forget_others(const struct spec *spec, const struct state_directory *directory)
{
    const char *names[SPEC_JOBS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < spec->job_count; i++)
        if (spec->jobs[i].source.origin != ORIGIN_FILES)
            names[count++] = spec->jobs[i].name;
    spool_forget_others(directory, names, count);
}
