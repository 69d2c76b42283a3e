/* Elements do not depend on how the bytes were cut into chunks, and a document in which all of them
 * are JSON is JSON itself. */
#include <string.h>

#include "fuzz.h"
#include "purser/base/checksum.h"
#include "purser/codec/json.h"
#include "purser/codec/json_array.h"
#include "purser/core/limits.h"

struct outcome {
    struct hash128 hash; /* of all elements with their places */
    uint64_t count;
    enum err_code code;
    uint32_t line, column; /* of an error */
    bool all_are_json;
};

static bool is_json(const char *bytes, size_t length)
{
    struct arena arena;
    struct value value;
    struct err err = {0};
    enum err_code code;

    arena_init(&arena, 64u * 1024 * 1024);
    code = json_parse(&arena, bytes, length, &value, &err);
    arena_deinit(&arena);
    return code == ERR_OK;
}

static void take_element(const char *bytes, size_t length, const struct json_element *element,
                         struct outcome *outcome)
{
    uint64_t parts[6] = {outcome->hash.high, outcome->hash.low,    element->byte_offset,
                         element->line,      element->byte_length, element->column};

    LAW(element->byte_length > 0 && element->byte_offset + element->byte_length <= length);
    outcome->count++;
    outcome->hash = checksum128(parts, sizeof parts);
    outcome->all_are_json = outcome->all_are_json &&
                            is_json(bytes + element->byte_offset, (size_t)element->byte_length);
}

static struct outcome split(const struct slice *path, size_t path_count, const char *bytes,
                            size_t length, size_t chunk)
{
    struct outcome outcome = {.all_are_json = true};
    struct json_array_reader *reader;
    struct json_element element;
    struct err err = {0};

    if (json_array_open(path, path_count, 0, &reader, &err) != ERR_OK)
        abort();
    for (size_t at = 0; at < length && outcome.code == ERR_OK; at += chunk) {
        json_array_feed(reader, bytes + at, length - at < chunk ? length - at : chunk);
        while ((outcome.code = json_array_next(reader, &element, &err)) == ERR_OK)
            take_element(bytes, length, &element, &outcome);
        if (outcome.code == ERR_NOT_FOUND)
            outcome.code = ERR_OK;
    }
    if (outcome.code == ERR_OK)
        outcome.code = json_array_finish(reader, &err);
    LAW(outcome.code == ERR_OK || (outcome.code == ERR_INPUT && err.text[0] != '\0'));
    json_array_place(reader, &outcome.line, &outcome.column);
    json_array_close(reader);
    return outcome;
}

static size_t count_brackets(const char *bytes, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += bytes[i] == '[' || bytes[i] == '{';
    return count;
}

/* The first byte says how it is cut, and where the array is. */
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t input_length)
{
    static const struct slice path[] = {SLICE("a"), SLICE("b")};
    size_t chunk = input_length > 0 ? input[0] % 17 + 1u : 1;
    size_t path_count = input_length > 0 ? input[0] / 64 % 3u : 0;
    const char *bytes = (const char *)input + (input_length > 0);
    size_t length = input_length > 0 ? input_length - 1 : 0;
    struct outcome whole = split(path, path_count, bytes, length, length > 0 ? length : 1);
    struct outcome parts = split(path, path_count, bytes, length, chunk);

    LAW(whole.code == parts.code && whole.line == parts.line && whole.column == parts.column);
    LAW(whole.count == parts.count && whole.hash.high == parts.hash.high &&
        whole.hash.low == parts.hash.low);
    /* Only the depth is another: one level more for the array. */
    if (whole.code == ERR_OK && whole.all_are_json && path_count == 0)
        LAW(is_json(bytes, length) || count_brackets(bytes, length) >= JSON_DEPTH_MAX);
    if (path_count == 0 && whole.code != ERR_OK && length > 0 && bytes[0] == '[')
        LAW(!is_json(bytes, length));
    LAW_NOTHING_LEFT();
    return 0;
}
