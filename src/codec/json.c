#include "purser/codec/json.h"

#include <assert.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "purser/base/checksum.h"
#include "purser/base/mem.h"
#include "purser/core/limits.h"

/* --- what json-c lets pass --- */

struct scan {
    const char *bytes;
    size_t length;
    size_t at;
    size_t names;   /* members of objects seen so far */
    size_t *bad_at; /* where it is wrong */
    struct err *err;
};

static bool refuse(struct scan *scan, size_t at, const char *what)
{
    *scan->bad_at = at;
    (void)err_set(scan->err, ERR_INPUT, "JSON: %s", what);
    return false;
}

/* From the opening quote to behind the closing one. json-c has seen that there is one. */
static bool scan_string(struct scan *scan)
{
    size_t start = scan->at++;

    for (; scan->at < scan->length; scan->at++) {
        unsigned char byte = (unsigned char)scan->bytes[scan->at];

        if (byte == '"') {
            scan->at++;
            return true;
        }
        if (byte < 0x20)
            return refuse(scan, scan->at, "a control character in a string must be escaped");
        if (byte != '\\')
            continue;
        scan->at++;
        if (scan->length - scan->at >= 5 && memcmp(scan->bytes + scan->at, "u0000", 5) == 0)
            return refuse(scan, scan->at - 1, "\\u0000 is not supported");
    }
    return refuse(scan, start, "a string that does not end");
}

static bool scan_number(struct scan *scan)
{
    const char *start = scan->bytes + scan->at;
    size_t left = scan->length - scan->at;
    bool whole;
    size_t length = json_number_length(start, left, &whole);

    if (length == 0 || (length < left && strchr(",]} \t\r\n", start[length]) == NULL))
        return refuse(scan, scan->at, "not a JSON number");
    if (whole && !json_whole_fits((struct slice){start, length}))
        return refuse(scan, scan->at, "a whole number must be from -2^63 to 2^64-1: this one");
    scan->at += length;
    return true;
}

static bool scan_token(struct scan *scan)
{
    char byte = scan->bytes[scan->at];

    if (byte == '"')
        return scan_string(scan);
    if (byte == '-' || (byte >= '0' && byte <= '9'))
        return scan_number(scan);
    if (byte == '\'' || byte == 'N' || byte == 'I')
        return refuse(scan, scan->at, "not JSON");
    if (byte == ':')
        scan->names++;
    scan->at++;
    return true;
}

/* Looks at text that json-c has accepted; ERR_OK when it is JSON by the RFC too. */
static enum err_code check_accepted(struct scan *scan)
{
    while (scan->at < scan->length) {
        if (!scan_token(scan))
            return scan->err->code;
    }
    return ERR_OK;
}

/* From `at` on, the end of the value that begins there. */
static size_t value_end(struct scan *scan)
{
    size_t depth = 0, start = scan->at;

    while (scan->at < scan->length) {
        char byte = scan->bytes[scan->at];

        if (depth == 0 && scan->at > start && strchr(",} \t\r\n", byte) != NULL)
            break;
        depth += byte == '{' || byte == '[';
        if ((byte == '}' || byte == ']') && depth-- == 1) {
            scan->at++;
            break;
        }
        if (!scan_token(scan))
            break;
    }
    return scan->at;
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->length && strchr(" \t\r\n", scan->bytes[scan->at]) != NULL)
        scan->at++;
}

struct slice json_find_member(struct slice object, struct slice name)
{
    struct err ignored = {0};
    size_t bad_at;
    struct scan scan = {
        .bytes = object.bytes, .length = object.length, .bad_at = &bad_at, .err = &ignored};

    skip_space(&scan);
    for (scan.at++; scan.at < scan.length;) {
        struct slice found = {scan.bytes + scan.at + 1, 0};
        size_t start = scan.at;

        if (scan.bytes[scan.at] != '"' || !scan_string(&scan)) {
            scan.at = start + 1;
            continue;
        }
        found.length = scan.at - start - 2;
        skip_space(&scan);
        scan.at++; /* the colon */
        skip_space(&scan);
        start = scan.at;
        (void)value_end(&scan);
        if (slice_equal(found, name))
            return (struct slice){scan.bytes + start, scan.at - start};
    }
    return (struct slice){NULL, 0};
}

/* --- which name stands twice: only when one does --- */

struct seen_name {
    uint64_t object; /* byte of its { */
    struct hash128 hash;
    size_t at, length;
};

static int compare_seen(const void *left, const void *right)
{
    const struct seen_name *a = left, *b = right;

    if (a->object != b->object)
        return a->object < b->object ? -1 : 1;
    if (a->hash.high != b->hash.high)
        return a->hash.high < b->hash.high ? -1 : 1;
    if (a->hash.low != b->hash.low)
        return a->hash.low < b->hash.low ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static size_t gather_names(struct scan *scan, struct seen_name *seen, size_t room)
{
    size_t open[JSON_DEPTH_MAX + 2], depth = 0, count = 0, start = 0, end = 0;

    for (scan->at = 0; scan->at < scan->length;) {
        char byte = scan->bytes[scan->at];
        size_t token = scan->at;

        if (byte == '{' || byte == '[') {
            assert(depth < sizeof open / sizeof open[0]);
            open[depth++] = token;
        }
        if (byte == '}' || byte == ']')
            depth--;
        if (byte == ':' && depth > 0 && count < room)
            seen[count++] = (struct seen_name){
                open[depth - 1], checksum128(scan->bytes + start, end - start), start, end - start};
        if (!scan_token(scan))
            break;
        if (byte == '"') {
            start = token + 1;
            end = scan->at - 1;
        }
    }
    return count;
}

/* Two names that differ in their escapes only ("a", "\u0061") are not found here: the message
 * then has no name. */
static enum err_code refuse_duplicate(struct scan *scan, size_t names)
{
    struct seen_name *seen = mem_new(names, sizeof *seen);
    size_t count = seen == NULL ? 0 : gather_names(scan, seen, names);
    size_t i;

    (void)err_set(scan->err, ERR_INPUT, "JSON: an object has the same name twice");
    if (count > 0)
        qsort(seen, count, sizeof *seen, compare_seen);
    for (i = 1; i < count; i++) {
        const struct seen_name *a = &seen[i - 1], *b = &seen[i];

        if (a->object != b->object || a->length != b->length ||
            memcmp(scan->bytes + a->at, scan->bytes + b->at, a->length) != 0)
            continue;
        *scan->bad_at = b->at - 1;
        (void)err_set(scan->err, ERR_INPUT, "JSON: the name \"%.*s\" a second time",
                      (int)(b->length < 100 ? b->length : 100), scan->bytes + b->at);
        break;
    }
    mem_free(seen);
    return scan->err->code;
}

/* --- json-c's tree to values --- */

struct conversion {
    struct arena *arena;
    size_t names; /* members of objects seen so far */
    struct err *err;
};

static enum err_code convert(struct conversion *conversion, struct json_object *object, int depth,
                             struct value *value_out);

static enum err_code no_room(struct conversion *conversion, size_t bytes)
{
    const struct arena *arena = conversion->arena;

    if (bytes + sizeof(max_align_t) > arena->max_bytes - arena->used_bytes)
        return err_set(conversion->err, ERR_TOO_BIG, "JSON: larger than %zu bytes in memory",
                       arena->max_bytes);
    return err_set(conversion->err, ERR_NO_MEMORY, "JSON: out of memory");
}

static enum err_code copy_text(struct conversion *conversion, const char *text, size_t length,
                               struct slice *slice_out)
{
    const char *copy = arena_copy_text(conversion->arena, text, length);

    if (copy == NULL)
        return no_room(conversion, length);
    *slice_out = (struct slice){copy, length};
    return ERR_OK;
}

static enum err_code convert_number(struct conversion *conversion, struct json_object *object,
                                    struct value *value_out)
{
    const char *text;

    /* The tokener makes its doubles with json_object_new_double_s(): their data is the text. */
    if (json_object_get_type(object) == json_type_double)
        text = json_object_get_userdata(object);
    else
        text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
    if (text == NULL)
        return err_set(conversion->err, ERR_NO_MEMORY, "JSON: out of memory");
    value_out->kind = VALUE_NUMBER;
    return copy_text(conversion, text, strlen(text), &value_out->text);
}

static enum err_code convert_list(struct conversion *conversion, struct json_object *object,
                                  int depth, struct value *value_out)
{
    size_t count = json_object_array_length(object), i;
    struct value *items = arena_new(conversion->arena, count, sizeof *items);
    enum err_code code = ERR_OK;

    if (items == NULL)
        return no_room(conversion, count * sizeof *items);
    for (i = 0; i < count && code == ERR_OK; i++)
        code = convert(conversion, json_object_array_get_idx(object, i), depth + 1, &items[i]);
    value_out->kind = VALUE_LIST;
    value_out->list.items = items;
    value_out->list.count = count;
    return code;
}

static enum err_code convert_map(struct conversion *conversion, struct json_object *object,
                                 int depth, struct value *value_out)
{
    size_t count = (size_t)json_object_object_length(object), i = 0;
    struct slice *names = arena_new(conversion->arena, count, sizeof *names);
    struct value *values = arena_new(conversion->arena, count, sizeof *values);
    struct lh_entry *entry;

    if (names == NULL || values == NULL)
        return no_room(conversion, count * (sizeof *names + sizeof *values));
    conversion->names += count;
    for (entry = lh_table_head(json_object_get_object(object)); entry != NULL;
         entry = lh_entry_next(entry), i++) {
        const char *name = lh_entry_k(entry);

        if (copy_text(conversion, name, strlen(name), &names[i]) != ERR_OK ||
            convert(conversion, lh_entry_v(entry), depth + 1, &values[i]) != ERR_OK)
            return conversion->err->code;
    }
    value_out->kind = VALUE_MAP;
    value_out->map.names = names;
    value_out->map.values = values;
    value_out->map.count = count;
    return ERR_OK;
}

static enum err_code convert(struct conversion *conversion, struct json_object *object, int depth,
                             struct value *value_out)
{
    enum json_type type = json_object_get_type(object);

    if ((type == json_type_array || type == json_type_object) && depth >= JSON_DEPTH_MAX)
        return err_set(conversion->err, ERR_INPUT, "JSON: nested deeper than %d", JSON_DEPTH_MAX);
    switch (type) {
    case json_type_null:
        *value_out = (struct value){.kind = VALUE_NULL};
        return ERR_OK;
    case json_type_boolean:
        *value_out =
            (struct value){.kind = VALUE_BOOL, .boolean = json_object_get_boolean(object) != 0};
        return ERR_OK;
    case json_type_double:
    case json_type_int:
        return convert_number(conversion, object, value_out);
    case json_type_object:
        return convert_map(conversion, object, depth, value_out);
    case json_type_array:
        return convert_list(conversion, object, depth, value_out);
    case json_type_string:
        value_out->kind = VALUE_STRING;
        return copy_text(conversion, json_object_get_string(object),
                         (size_t)json_object_get_string_len(object), &value_out->text);
    }
    return err_set(conversion->err, ERR_INTERNAL, "JSON: a type that json-c should not have");
}

/* --- the whole --- */

static enum err_code tokener_failed(enum json_tokener_error error, size_t at, size_t *bad_at_out,
                                    struct err *err)
{
    if (error == json_tokener_error_depth)
        return err_set(err, ERR_INPUT, "JSON: nested deeper than %d", JSON_DEPTH_MAX);
    *bad_at_out = at;
    if (error == json_tokener_error_parse_eof || error == json_tokener_continue)
        return err_set(err, ERR_INPUT, "JSON: it ends too early");
    return err_set(err, ERR_INPUT, "JSON: %s", json_tokener_error_desc(error));
}

static enum err_code parse_tree(struct json_tokener *tokener, const char *bytes, size_t length,
                                struct json_object **tree_out, size_t *bad_at_out, struct err *err)
{
    struct json_object *tree = json_tokener_parse_ex(tokener, bytes, (int)length);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    size_t end = json_tokener_get_parse_end(tokener);

    /* A number at the end goes on until something else comes: a NUL says that this was all. */
    if (error == json_tokener_continue) {
        tree = json_tokener_parse_ex(tokener, "", 1);
        error = json_tokener_get_error(tokener);
        end = length;
    }
    if (error != json_tokener_success)
        return tokener_failed(error, end, bad_at_out, err);
    while (end < length && strchr(" \t\r\n", bytes[end]) != NULL)
        end++;
    *tree_out = tree;
    if (end == length)
        return ERR_OK;
    *bad_at_out = end;
    return err_set(err, ERR_INPUT, "JSON: more text after the value");
}

static enum err_code check_and_convert(struct arena *arena, const char *bytes, size_t length,
                                       struct json_object *tree, struct value *value_out,
                                       size_t *bad_at_out, struct err *err)
{
    struct scan scan = {.bytes = bytes, .length = length, .bad_at = bad_at_out, .err = err};
    struct conversion conversion = {.arena = arena, .err = err};
    struct value value = {.kind = VALUE_NULL};

    if (check_accepted(&scan) != ERR_OK)
        return err->code;
    if (convert(&conversion, tree, 0, &value) != ERR_OK)
        return err->code;
    if (conversion.names != scan.names)
        return refuse_duplicate(&scan, scan.names);
    *value_out = value;
    return ERR_OK;
}

enum err_code json_parse_at(struct arena *arena, const char *bytes, size_t length,
                            struct value *value_out, size_t *bad_at_out, struct err *err)
{
    struct json_tokener *tokener;
    struct json_object *tree = NULL;
    enum err_code code;
    size_t bad;

    *bad_at_out = SIZE_MAX;
    if (length >= INT_MAX)
        return err_set(err, ERR_TOO_BIG, "JSON: longer than %d bytes", INT_MAX);
    if (!text_is_utf8(bytes, length, &bad)) {
        *bad_at_out = bad;
        return err_set(err, ERR_INPUT, "JSON: not UTF-8");
    }
    /* json-c counts the value inside the innermost list or object as one more level. */
    tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
    if (tokener == NULL)
        return err_set(err, ERR_NO_MEMORY, "JSON: out of memory");
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    code = parse_tree(tokener, bytes, length, &tree, bad_at_out, err);
    if (code == ERR_OK)
        code = check_and_convert(arena, bytes, length, tree, value_out, bad_at_out, err);
    if (tree != NULL)
        json_object_put(tree);
    json_tokener_free(tokener);
    return code;
}

enum err_code json_parse(struct arena *arena, const char *bytes, size_t length,
                         struct value *value_out, struct err *err)
{
    size_t bad_at, text_length;
    enum err_code code = json_parse_at(arena, bytes, length, value_out, &bad_at, err);

    if (code == ERR_OK || bad_at == SIZE_MAX)
        return code;
    text_length = strlen(err->text);
    (void)snprintf(err->text + text_length, sizeof err->text - text_length, " at byte %zu",
                   bad_at + 1);
    return code;
}
