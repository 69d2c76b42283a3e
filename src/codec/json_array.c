#include "purser/codec/json_array.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "purser/base/mem.h"
#include "purser/codec/json.h"
#include "purser/core/limits.h"

enum {
    STACK_MAX = JSON_PATH_DEPTH_MAX + 1 + JSON_DEPTH_MAX,
    TOKEN_BYTES_MAX = 1024, /* of a name or a word that is looked at */
    SHOWN_DEPTH_MAX = 3,    /* arrays deeper than this are not proposed */
    SHOWN_NAME_BYTES = 64,
    SHOWN_BYTES = 300,
};

/* What may come next outside a token. */
enum expect {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END,
    EXPECT_NAME,
    EXPECT_NAME_OR_END,
    EXPECT_COLON,
    EXPECT_COMMA_OR_END,
    EXPECT_NOTHING
};

enum token { TOKEN_NONE, TOKEN_STRING, TOKEN_ESCAPE, TOKEN_WORD };

struct json_array_reader {
    const struct slice *path;
    size_t path_count;
    const char *bytes; /* what is left of the last feed */
    size_t length;
    uint64_t offset; /* of the next byte */
    uint32_t line, column;
    bool after_return;

    enum expect expect;
    enum token token;
    bool token_is_name;
    char text[TOKEN_BYTES_MAX]; /* of the token, without its quotes */
    size_t text_length;         /* may be more than there is room for */

    bool is_object[STACK_MAX];
    size_t depth;      /* open brackets */
    size_t on_path;    /* of those, objects on the path */
    bool name_matches; /* the last name is the next of the path */

    size_t array_depth; /* depth inside the array while it is open; 0 = it is not */
    bool found;         /* the array has come */
    bool in_element;
    struct json_element element;

    const char *instead;                           /* what stood where an array should be */
    char names[SHOWN_DEPTH_MAX][SHOWN_NAME_BYTES]; /* the way to here */
    char shown[SHOWN_BYTES];                       /* arrays that there are */
    size_t shown_length;
    struct err failed; /* sticky */
};

enum err_code json_array_open(const struct slice *path, size_t path_count, uint64_t offset,
                              struct json_array_reader **reader_out, struct err *err)
{
    struct json_array_reader *reader = mem_new(1, sizeof *reader);

    assert(path_count <= JSON_PATH_DEPTH_MAX);
    if (reader == NULL)
        return err_set(err, ERR_NO_MEMORY, "JSON: out of memory");
    reader->path = path;
    reader->path_count = path_count;
    reader->offset = offset;
    reader->line = reader->column = 1;
    *reader_out = reader;
    return ERR_OK;
}

void json_array_close(struct json_array_reader *reader)
{
    mem_free(reader);
}

void json_array_feed(struct json_array_reader *reader, const char *bytes, size_t length)
{
    assert(reader->length == 0 || reader->failed.code != ERR_OK);
    reader->bytes = bytes;
    reader->length = length;
}

void json_array_place(const struct json_array_reader *reader, uint32_t *line_out,
                      uint32_t *column_out)
{
    *line_out = reader->line;
    *column_out = reader->column;
}

static void refuse(struct json_array_reader *reader, const char *what)
{
    (void)err_set(&reader->failed, ERR_INPUT, "JSON: %s", what);
}

/* Takes one byte that belongs to what is going on. */
static void pass_byte(struct json_array_reader *reader)
{
    char byte = *reader->bytes++;

    reader->length--;
    reader->offset++;
    if (byte == '\r' || byte == '\n') {
        if (reader->line < UINT32_MAX && (byte == '\r' || !reader->after_return))
            reader->line++;
        reader->column = 1;
    } else if (((unsigned char)byte & 0xc0) != 0x80 && reader->column < UINT32_MAX) {
        reader->column++;
    }
    reader->after_return = byte == '\r';
}

/* --- names --- */

static struct slice token_text(const struct json_array_reader *reader)
{
    return (struct slice){reader->text, reader->text_length < TOKEN_BYTES_MAX ? reader->text_length
                                                                              : TOKEN_BYTES_MAX};
}

/* Names are compared as they are meant: "\u0061" is "a". */
static bool name_is(struct slice written, struct slice name)
{
    char quoted[TOKEN_BYTES_MAX + 2];
    struct arena arena;
    struct err ignored = {0};
    struct value value;
    bool same;

    if (memchr(written.bytes, '\\', written.length) == NULL)
        return slice_equal(written, name);
    quoted[0] = '"';
    memcpy(quoted + 1, written.bytes, written.length);
    quoted[written.length + 1] = '"';
    arena_init(&arena, 16 * TOKEN_BYTES_MAX);
    same = json_parse(&arena, quoted, written.length + 2, &value, &ignored) == ERR_OK &&
           slice_equal(value.text, name);
    arena_deinit(&arena);
    return same;
}

static void end_name(struct json_array_reader *reader)
{
    struct slice name = token_text(reader);

    reader->expect = EXPECT_COLON;
    reader->name_matches = reader->array_depth == 0 && reader->depth == reader->on_path + 1 &&
                           reader->on_path < reader->path_count &&
                           reader->text_length <= TOKEN_BYTES_MAX &&
                           name_is(name, reader->path[reader->on_path]);
    if (reader->array_depth == 0 && reader->depth <= SHOWN_DEPTH_MAX)
        (void)snprintf(reader->names[reader->depth - 1], SHOWN_NAME_BYTES, "%.*s",
                       (int)(name.length < SHOWN_NAME_BYTES ? name.length : SHOWN_NAME_BYTES - 1),
                       name.bytes);
}

/* An array that is not the one that was asked for, but may have been meant. */
static void propose_array(struct json_array_reader *reader)
{
    char text[SHOWN_DEPTH_MAX * SHOWN_NAME_BYTES + 8] = "";
    size_t length = 0;

    if (reader->depth == 0 || reader->depth > SHOWN_DEPTH_MAX)
        return;
    for (size_t i = 0; i < reader->depth; i++) {
        if (!reader->is_object[i])
            return;
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s", i == 0 ? "" : ".",
                                   reader->names[i]);
    }
    if (reader->shown_length + length + 2 >= sizeof reader->shown)
        return;
    reader->shown_length +=
        (size_t)snprintf(reader->shown + reader->shown_length, SHOWN_BYTES - reader->shown_length,
                         "%s%s", reader->shown_length == 0 ? "" : ", ", text);
}

/* --- values --- */

/* True where the value that begins is what the path names. */
static bool is_at_path(const struct json_array_reader *reader)
{
    if (reader->path_count == 0)
        return reader->depth == 0;
    return reader->name_matches && reader->on_path + 1 == reader->path_count;
}

static void begin_element(struct json_array_reader *reader)
{
    reader->in_element = true;
    reader->element = (struct json_element){
        .byte_offset = reader->offset, .line = reader->line, .column = reader->column};
}

/* A value has ended before the next byte. */
static void end_value(struct json_array_reader *reader)
{
    reader->expect = reader->depth == 0 ? EXPECT_NOTHING : EXPECT_COMMA_OR_END;
    if (reader->in_element && reader->depth == reader->array_depth) {
        reader->in_element = false;
        reader->element.byte_length = reader->offset - reader->element.byte_offset;
    }
}

static void open_bracket(struct json_array_reader *reader, bool is_object)
{
    if (reader->depth == STACK_MAX) {
        refuse(reader, "nested too deep");
        return;
    }
    if (!is_object && reader->array_depth == 0 && is_at_path(reader)) {
        if (reader->found) {
            refuse(reader, "the array stands here a second time");
            return;
        }
        reader->found = true;
        reader->array_depth = reader->depth + 1;
    } else if (!is_object && reader->array_depth == 0) {
        propose_array(reader);
    } else if (is_object && reader->array_depth == 0 && !is_at_path(reader) &&
               (reader->depth == 0 ? reader->path_count > 0 : reader->name_matches)) {
        /* The document itself, or a member on the way. */
        reader->on_path += reader->depth > 0;
    }
    reader->is_object[reader->depth++] = is_object;
    reader->name_matches = false;
    reader->expect = is_object ? EXPECT_NAME_OR_END : EXPECT_VALUE_OR_END;
    pass_byte(reader);
}

static void close_bracket(struct json_array_reader *reader, bool is_object)
{
    bool may_end = reader->expect == EXPECT_COMMA_OR_END ||
                   reader->expect == (is_object ? EXPECT_NAME_OR_END : EXPECT_VALUE_OR_END);

    if (!may_end || reader->depth == 0 || reader->is_object[reader->depth - 1] != is_object) {
        refuse(reader, is_object ? "no '}' may stand here" : "no ']' may stand here");
        return;
    }
    pass_byte(reader);
    if (reader->array_depth == reader->depth)
        reader->array_depth = 0;
    reader->depth--;
    if (is_object && reader->array_depth == 0 && reader->depth <= reader->on_path &&
        reader->on_path > 0)
        reader->on_path--;
    end_value(reader);
}

static void begin_token(struct json_array_reader *reader, enum token token)
{
    reader->token = token;
    reader->token_is_name = false;
    reader->text_length = 0;
    if (token == TOKEN_STRING)
        pass_byte(reader);
}

/* The first byte of a value. */
static void begin_value(struct json_array_reader *reader)
{
    char byte = *reader->bytes;

    if (reader->array_depth > 0 && reader->depth == reader->array_depth)
        begin_element(reader);
    else if (reader->array_depth == 0 && byte != '[' && is_at_path(reader))
        reader->instead = byte == '{' ? "an object" : byte == '"' ? "a text" : "a single value";
    if (byte == '{' || byte == '[') {
        open_bracket(reader, byte == '{');
        return;
    }
    reader->name_matches = false;
    begin_token(reader, byte == '"' ? TOKEN_STRING : TOKEN_WORD);
}

/* --- bytes --- */

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool ends_word(char byte)
{
    return is_space(byte) || byte == ',' || byte == ']' || byte == '}' || byte == ':' ||
           byte == '"' || byte == '[' || byte == '{';
}

static void keep_byte(struct json_array_reader *reader)
{
    if (reader->text_length < TOKEN_BYTES_MAX)
        reader->text[reader->text_length] = *reader->bytes;
    reader->text_length++;
    pass_byte(reader);
}

static void take_string(struct json_array_reader *reader)
{
    while (reader->length > 0) {
        char byte = *reader->bytes;

        if (reader->token == TOKEN_ESCAPE) {
            reader->token = TOKEN_STRING;
        } else if (byte == '"') {
            pass_byte(reader);
            reader->token = TOKEN_NONE;
            if (reader->token_is_name)
                end_name(reader);
            else
                end_value(reader);
            return;
        } else if (byte == '\\') {
            reader->token = TOKEN_ESCAPE;
        } else if ((unsigned char)byte < 0x20) {
            refuse(reader, "a control character in a string must be escaped");
            return;
        }
        keep_byte(reader);
    }
}

static void end_word(struct json_array_reader *reader)
{
    struct slice word = token_text(reader);
    bool whole;
    bool is_json = reader->in_element || /* json_parse() judges it, and says where it is wrong */
                   slice_is(word, "true") || slice_is(word, "false") || slice_is(word, "null") ||
                   (word.length == reader->text_length && word.length > 0 &&
                    json_number_length(word.bytes, word.length, &whole) == word.length);

    reader->token = TOKEN_NONE;
    if (!is_json)
        refuse(reader, "something before this is not a JSON value");
    else
        end_value(reader);
}

static void take_word(struct json_array_reader *reader)
{
    while (reader->length > 0 && !ends_word(*reader->bytes))
        keep_byte(reader);
    if (reader->length > 0)
        end_word(reader);
}

static void take_structure(struct json_array_reader *reader)
{
    char byte = *reader->bytes;

    if (is_space(byte)) {
        pass_byte(reader);
    } else if (byte == '}' || byte == ']') {
        close_bracket(reader, byte == '}');
    } else if (reader->expect == EXPECT_VALUE || reader->expect == EXPECT_VALUE_OR_END) {
        if (byte == ',' || byte == ':')
            refuse(reader, "a value is missing here");
        else
            begin_value(reader);
    } else if (byte == '"' &&
               (reader->expect == EXPECT_NAME || reader->expect == EXPECT_NAME_OR_END)) {
        begin_token(reader, TOKEN_STRING);
        reader->token_is_name = true;
    } else if (byte == ':' && reader->expect == EXPECT_COLON) {
        reader->expect = EXPECT_VALUE;
        pass_byte(reader);
    } else if (byte == ',' && reader->expect == EXPECT_COMMA_OR_END) {
        reader->expect = reader->is_object[reader->depth - 1] ? EXPECT_NAME : EXPECT_VALUE;
        pass_byte(reader);
    } else {
        refuse(reader, reader->expect == EXPECT_COLON          ? "a ':' is missing here"
                       : reader->expect == EXPECT_COMMA_OR_END ? "a ',' or an end is missing here"
                       : reader->expect == EXPECT_NOTHING      ? "more text after the end"
                                                          : "a name in quotes is missing here");
    }
}

enum err_code json_array_next(struct json_array_reader *reader, struct json_element *element_out,
                              struct err *err)
{
    while (reader->length > 0 && reader->failed.code == ERR_OK) {
        bool was_in_element = reader->in_element;

        if (reader->token == TOKEN_WORD)
            take_word(reader);
        else if (reader->token != TOKEN_NONE)
            take_string(reader);
        else
            take_structure(reader);
        if (was_in_element && !reader->in_element && reader->failed.code == ERR_OK) {
            *element_out = reader->element;
            return ERR_OK;
        }
    }
    if (reader->failed.code != ERR_OK)
        return err_set(err, reader->failed.code, "%s", reader->failed.text);
    return ERR_NOT_FOUND;
}

enum err_code json_array_finish(struct json_array_reader *reader, struct err *err)
{
    char hint[SHOWN_BYTES + 64] = "";

    if (reader->failed.code != ERR_OK)
        return err_set(err, reader->failed.code, "%s", reader->failed.text);
    if (reader->token == TOKEN_WORD)
        end_word(reader); /* a document that is a single word */
    if (reader->failed.code == ERR_OK && reader->expect != EXPECT_NOTHING)
        refuse(reader, "it ends too early");
    if (reader->failed.code != ERR_OK)
        return err_set(err, reader->failed.code, "%s", reader->failed.text);
    if (reader->found)
        return ERR_OK;
    if (reader->shown_length > 0)
        (void)snprintf(hint, sizeof hint, "\nhint: at: says where it is; there is %s",
                       reader->shown);
    if (reader->instead != NULL)
        return err_set(err, ERR_INPUT, "%s is %s, not an array%s",
                       reader->path_count == 0 ? "the document" : "what 'at' names",
                       reader->instead, hint);
    return err_set(err, ERR_INPUT, "there is no array where 'at' says%s", hint);
}
