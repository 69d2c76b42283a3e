#include "purser/base/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "diag_files.h"
#include "purser/base/mem.h"
#include "purser/base/text.h"

enum {
    LINE_BYTES_MAX = 64 * 1024, /* read; a place further right shows no line */
    LINE_CHARACTERS_SHOWN = 100,
    CHARACTERS_BEFORE_PLACE = 60, /* at most, in a line that is cut */
};

struct diag_message {
    enum diag_severity severity; /* without flags */
    bool hide_line;
    struct place place;
    uint32_t file_order; /* files stand in the order in which they came up */
    uint32_t sequence;
    const char *code;
    char *text;
    char *help; /* NULL = none */
};

void diagnostics_init(struct diagnostics *diagnostics)
{
    *diagnostics = (struct diagnostics){0};
}

static void free_texts(struct diag_message *message)
{
    mem_free(message->text);
    mem_free(message->help);
}

void diagnostics_deinit(struct diagnostics *diagnostics)
{
    for (uint32_t i = 0; i < diagnostics->count; i++)
        free_texts(&diagnostics->messages[i]);
    mem_free(diagnostics->messages);
    diag_files_free(diagnostics->files);
    diagnostics_init(diagnostics);
}

/* A copy of at most DIAG_TEXT_BYTES_MAX bytes that ends with a whole character. */
static char *copy_cut(const char *text)
{
    size_t length = strlen(text);

    if (length > DIAG_TEXT_BYTES_MAX) {
        length = DIAG_TEXT_BYTES_MAX;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    return mem_copy_text(text, length);
}

static bool same_file(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static uint32_t order_of_file(const struct diagnostics *diagnostics, const char *file)
{
    uint32_t next = 0;

    for (uint32_t i = 0; i < diagnostics->count; i++) {
        const struct diag_message *message = &diagnostics->messages[i];

        if (same_file(message->place.file, file))
            return message->file_order;
        if (message->file_order >= next)
            next = message->file_order + 1;
    }
    return next;
}

/* Where a new message goes: a new slot, or that of a warning when an error finds all taken. */
static struct diag_message *find_slot(struct diagnostics *diagnostics, enum diag_severity severity)
{
    if (diagnostics->count == DIAG_KEPT_MAX) {
        for (uint32_t i = diagnostics->count; severity == DIAG_ERROR && i-- > 0;)
            if (diagnostics->messages[i].severity == DIAG_WARNING)
                return &diagnostics->messages[i];
        return NULL;
    }
    if (diagnostics->count == diagnostics->capacity) {
        uint32_t capacity = diagnostics->capacity == 0 ? 8 : diagnostics->capacity * 2;
        struct diag_message *grown =
            mem_resize(diagnostics->messages, capacity, sizeof *diagnostics->messages);

        if (grown == NULL)
            return NULL;
        diagnostics->messages = grown;
        diagnostics->capacity = capacity;
    }
    diagnostics->messages[diagnostics->count] = (struct diag_message){0};
    return &diagnostics->messages[diagnostics->count++];
}

/* Two jobs may read one file: what is wrong in it is wrong once. */
static bool is_known(const struct diagnostics *diagnostics, const struct diag_message *message)
{
    if (message->text == NULL || message->place.line == 0)
        return false;
    for (uint32_t i = 0; i < diagnostics->count; i++) {
        const struct diag_message *known = &diagnostics->messages[i];

        if (known->place.line == message->place.line &&
            known->place.column == message->place.column && known->severity == message->severity &&
            known->file_order == message->file_order && strcmp(known->code, message->code) == 0 &&
            strcmp(known->text, message->text) == 0)
            return true;
    }
    return false;
}

void diagnostics_add(struct diagnostics *diagnostics, enum diag_severity severity,
                     struct place place, const char *code, const char *help, const char *format,
                     ...)
{
    char text[DIAG_TEXT_BYTES_MAX + 8]; /* room to see that it was too long */
    struct diag_message message = {.place = place, .code = code};
    struct diag_message *slot;
    va_list arguments;
    int length;

    message.hide_line = (severity & DIAG_HIDE_LINE) != 0;
    severity = severity & DIAG_WARNING ? DIAG_WARNING : DIAG_ERROR;
    message.severity = severity;
    va_start(arguments, format);
    length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    /* A message that finds no memory is counted all the same: the input stays refused. */
    message.text = length < 0 ? NULL : copy_cut(text);
    message.help = help == NULL ? NULL : copy_cut(help);
    message.file_order = order_of_file(diagnostics, place.file);
    if (is_known(diagnostics, &message)) {
        free_texts(&message);
        return;
    }
    message.sequence = (uint32_t)(diagnostics->error_count + diagnostics->warning_count);
    if (severity == DIAG_ERROR)
        diagnostics->error_count++;
    else
        diagnostics->warning_count++;
    slot = message.text == NULL ? NULL : find_slot(diagnostics, severity);
    if (slot == NULL) {
        free_texts(&message);
        return;
    }
    free_texts(slot);
    *slot = message;
}

bool diagnostics_has_errors(const struct diagnostics *diagnostics)
{
    return diagnostics->error_count > 0;
}

const char *diagnostics_first_error(const struct diagnostics *diagnostics)
{
    for (uint32_t i = 0; i < diagnostics->count; i++)
        if (diagnostics->messages[i].severity == DIAG_ERROR)
            return diagnostics->messages[i].text;
    return "";
}

static int compare_numbers(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b ? 1 : 0;
}

static int compare_places(const void *left, const void *right)
{
    const struct diag_message *a = left, *b = right;
    int order = compare_numbers(a->file_order, b->file_order);

    if (order == 0)
        order = compare_numbers(a->place.line, b->place.line);
    if (order == 0)
        order = compare_numbers(a->place.column, b->place.column);
    return order != 0 ? order : compare_numbers(a->sequence, b->sequence);
}

static int compare_severities(const void *left, const void *right)
{
    const struct diag_message *a = left, *b = right;
    int order = compare_numbers(a->severity, b->severity);

    return order != 0 ? order : compare_places(left, right);
}

static void sort(struct diagnostics *diagnostics, uint32_t count,
                 int (*compare)(const void *, const void *))
{
    if (count > 0)
        qsort(diagnostics->messages, count, sizeof *diagnostics->messages, compare);
}

/* The next character of `line` from *at on; a byte that is none counts as one. */
static struct slice next_character(struct slice line, size_t *at, uint32_t *character_out)
{
    struct slice rest = {line.bytes + *at, line.length - *at};
    size_t size = text_decode(rest, character_out);

    if (size == 0) {
        size = 1;
        *character_out = '?';
    }
    *at += size;
    return (struct slice){rest.bytes, size};
}

static size_t count_characters(struct slice line)
{
    size_t count = 0, at = 0;
    uint32_t character;

    for (; at < line.length; count++)
        (void)next_character(line, &at, &character);
    return count;
}

/* The file whose lines are shown, read once from its start: messages come sorted. */
struct line_reader {
    const struct diag_file *files;
    const char *file;
    FILE *stream;
    uint32_t line; /* the one in `text`; 0 = none */
    struct buf text;
};

static void close_file(struct line_reader *reader)
{
    if (reader->stream != NULL)
        fclose(reader->stream);
    reader->stream = NULL;
    reader->file = NULL;
    reader->line = 0;
}

static void open_file(struct line_reader *reader, const char *file)
{
    close_file(reader);
    reader->file = file;
    reader->stream = diag_files_open(reader->files, file);
}

static bool read_next_line(struct line_reader *reader)
{
    int byte = getc_unlocked(reader->stream);

    if (byte == EOF)
        return false;
    reader->line++;
    buf_clear(&reader->text);
    for (; byte != EOF && byte != '\n'; byte = getc_unlocked(reader->stream))
        buf_append_byte(&reader->text, (char)byte);
    if (reader->text.length > 0 && reader->text.bytes[reader->text.length - 1] == '\r')
        buf_truncate(&reader->text, reader->text.length - 1);
    return true;
}

/* The line at a place, without its end; false when it cannot be had. */
static bool read_line(struct line_reader *reader, struct place place, struct slice *line_out)
{
    struct slice line;

    if (place.file == NULL || place.line == 0 || place.column == 0)
        return false;
    if (!same_file(reader->file, place.file))
        open_file(reader, place.file);
    if (reader->stream == NULL || reader->line > place.line)
        return false;
    while (reader->line < place.line)
        if (!read_next_line(reader))
            return false;
    line = (struct slice){reader->text.bytes, reader->text.length};
    if (reader->text.failed != ERR_OK && place.column > count_characters(line))
        return false;
    if (place.line == 1 && line.length >= 3 && memcmp(line.bytes, "\xef\xbb\xbf", 3) == 0) {
        line.bytes += 3; /* a byte order mark is no character of the text */
        line.length -= 3;
    }
    *line_out = line;
    return true;
}

/* Cells that a character takes in a terminal: enough of Unicode to keep the caret under its place.
 * Source: Unicode 15, EastAsianWidth.txt (W and F) and general category Mn, the common blocks. */
static unsigned cells_of(uint32_t character)
{
    static const struct {
        uint32_t first, last;
        unsigned cells;
    } blocks[] = {
        {0x300, 0x36f, 0},     {0x1100, 0x115f, 2},   {0x200b, 0x200d, 0}, {0x2e80, 0x303e, 2},
        {0x3041, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2}, {0xfe00, 0xfe0f, 0},
        {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2}, {0x1f300, 0x1f64f, 2},
        {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
    };

    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (character >= blocks[i].first && character <= blocks[i].last)
            return blocks[i].cells;
    return 1;
}

static void append_repeated(struct buf *out, char byte, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_append_byte(out, byte);
}

static void print_line(struct buf *out, struct place place, struct slice line)
{
    size_t total = count_characters(line), begin = 0, end = total, at = 0;
    size_t from = place.column - 1u < total ? place.column - 1u : total;
    size_t until = from + (place.width > 1 ? place.width : 1);
    size_t cells_before = 0, cells_under = 0, margin;
    uint32_t character;

    if (total > LINE_CHARACTERS_SHOWN) {
        begin = from > CHARACTERS_BEFORE_PLACE ? from - CHARACTERS_BEFORE_PLACE : 0;
        if (begin > total - LINE_CHARACTERS_SHOWN)
            begin = total - LINE_CHARACTERS_SHOWN;
        end = begin + LINE_CHARACTERS_SHOWN;
    }
    margin = out->length;
    buf_append_format(out, "%5u | ", place.line);
    margin = out->length - margin - strlen("| ");
    if (begin > 0) {
        buf_append_text(out, "…");
        cells_before++;
    }
    for (size_t i = 0; i < end; i++) {
        struct slice text = next_character(line, &at, &character);

        if (i < begin)
            continue;
        text_append_printable(out, text);
        if (i < from)
            cells_before += cells_of(character);
        else if (i < until)
            cells_under += cells_of(character);
    }
    buf_append_text(out, end < total ? "…\n" : "\n");
    append_repeated(out, ' ', margin);
    buf_append_text(out, "| ");
    append_repeated(out, ' ', cells_before);
    buf_append_byte(out, '^');
    append_repeated(out, '~', cells_under > 1 ? cells_under - 1 : 0);
    buf_append_byte(out, '\n');
}

/* A secret on a line must not come out with another message about the same line either. */
static bool line_is_hidden(const struct diagnostics *diagnostics, struct place place)
{
    for (uint32_t i = 0; i < diagnostics->count; i++) {
        const struct diag_message *message = &diagnostics->messages[i];

        if (message->hide_line && message->place.line == place.line &&
            same_file(message->place.file, place.file))
            return true;
    }
    return false;
}

static bool starts_with_word(struct slice text, const char *word)
{
    return text.length >= strlen(word) && strncasecmp(text.bytes, word, strlen(word)) == 0;
}

/* "access_token: abc", but not "access_token: { env: NAME }": a message about any part of such a
 * line, or about a slip in the key itself, must not show the value. */
static bool line_names_a_secret(struct slice line)
{
    static const char *const words[] = {"access_", "tok", "secret", "passw", "credential"};
    bool found = false;

    for (size_t i = 0; i < line.length; i++) {
        struct slice rest = {line.bytes + i, line.length - i};

        for (size_t word = 0; word < sizeof words / sizeof *words; word++)
            found = found || starts_with_word(rest, words[word]);
        if (!found || line.bytes[i] != ':')
            continue;
        found = false;
        for (i++; i < line.length && line.bytes[i] == ' ';)
            i++;
        if (i < line.length && strchr("{#", line.bytes[i]) == NULL)
            return true;
    }
    return false;
}

static void print_message(struct buf *out, const struct diagnostics *diagnostics,
                          const struct diag_message *message, struct line_reader *reader)
{
    struct slice line;

    if (message->place.file != NULL) {
        text_append_printable(out, slice_of(message->place.file));
        if (message->place.line > 0)
            buf_append_format(out, ":%u", message->place.line);
        if (message->place.line > 0 && message->place.column > 0)
            buf_append_format(out, ":%u", message->place.column);
        buf_append_text(out, ": ");
    }
    buf_append_text(out, message->severity == DIAG_ERROR ? "error: " : "warning: ");
    text_append_printable(out, slice_of(message->text));
    buf_append_format(out, "   [%s]\n", message->code);
    if (!line_is_hidden(diagnostics, message->place) && read_line(reader, message->place, &line) &&
        !line_names_a_secret(line))
        print_line(out, message->place, line);
    if (message->help != NULL) {
        buf_append_text(out, "      help: ");
        text_append_printable(out, slice_of(message->help));
        buf_append_byte(out, '\n');
    }
}

static void print_count(struct buf *out, uint64_t count, const char *what)
{
    buf_append_format(out, "%llu more %s%s", (unsigned long long)count, what,
                      count == 1 ? "" : "s");
}

void diagnostics_print(struct diagnostics *diagnostics, struct buf *out)
{
    uint64_t errors_left = diagnostics->error_count, warnings_left = diagnostics->warning_count;
    uint32_t shown = diagnostics->count;
    struct line_reader reader = {.files = diagnostics->files};

    if (shown > DIAG_SHOWN_MAX) {
        /* Which are shown: errors before warnings. In what order: by place. */
        sort(diagnostics, shown, compare_severities);
        shown = DIAG_SHOWN_MAX;
    }
    sort(diagnostics, shown, compare_places);
    buf_init(&reader.text, LINE_BYTES_MAX);
    for (uint32_t i = 0; i < shown; i++) {
        print_message(out, diagnostics, &diagnostics->messages[i], &reader);
        if (diagnostics->messages[i].severity == DIAG_ERROR)
            errors_left--;
        else
            warnings_left--;
    }
    close_file(&reader);
    buf_deinit(&reader.text);
    if (errors_left == 0 && warnings_left == 0)
        return;
    buf_append_text(out, "… and ");
    if (errors_left > 0)
        print_count(out, errors_left, "error");
    if (errors_left > 0 && warnings_left > 0)
        buf_append_text(out, " and ");
    if (warnings_left > 0)
        print_count(out, warnings_left, "warning");
    buf_append_byte(out, '\n');
}

static void append_json_text(struct buf *out, const char *name, const char *text)
{
    buf_append_format(out, ",\"%s\":", name);
    if (text == NULL)
        buf_append_text(out, "null");
    else
        text_append_json(out, slice_of(text));
}

static void append_json_number(struct buf *out, const char *name, uint32_t number)
{
    if (number == 0)
        buf_append_format(out, ",\"%s\":null", name);
    else
        buf_append_format(out, ",\"%s\":%u", name, number);
}

void diagnostics_print_json(struct diagnostics *diagnostics, struct buf *out)
{
    diagnostics_sort(diagnostics);
    buf_append_byte(out, '[');
    for (uint32_t i = 0; i < diagnostics->count; i++) {
        const struct diag_message *message = &diagnostics->messages[i];

        buf_append_format(out, "%s{\"severity\":\"%s\"", i > 0 ? "," : "",
                          message->severity == DIAG_ERROR ? "error" : "warning");
        append_json_text(out, "code", message->code);
        append_json_text(out, "message", message->text);
        append_json_text(out, "file", message->place.file);
        append_json_number(out, "line", message->place.line);
        append_json_number(out, "column", message->place.column);
        append_json_text(out, "help", message->help);
        buf_append_byte(out, '}');
    }
    buf_append_byte(out, ']');
}

void diagnostics_sort(struct diagnostics *diagnostics)
{
    sort(diagnostics, diagnostics->count, compare_places);
}

struct diag_view diagnostics_view(const struct diagnostics *diagnostics, uint32_t index)
{
    const struct diag_message *message = &diagnostics->messages[index];

    return (struct diag_view){.severity = message->severity,
                              .place = message->place,
                              .code = message->code,
                              .text = message->text,
                              .help = message->help};
}
