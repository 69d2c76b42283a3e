/* What json_parse accepts comes out again as JSON that it accepts, to the same text. */
#include <string.h>

#include "fuzz.h"
#include "purser/base/arena.h"
#include "purser/codec/json.h"

static void parse_again(struct arena *arena, const struct value *value)
{
    struct buf first, second;
    struct value again;
    struct err err = {0};

    buf_init(&first, 64u * 1024 * 1024);
    buf_init(&second, 64u * 1024 * 1024);
    value_append_json(&first, value);
    if (first.failed == ERR_OK &&
        json_parse(arena, first.bytes, first.length, &again, &err) != ERR_NO_MEMORY) {
        LAW(err.code == ERR_OK);
        value_append_json(&second, &again);
        LAW(second.failed == ERR_OK && first.length == second.length &&
            memcmp(first.bytes, second.bytes, first.length) == 0);
    }
    buf_deinit(&first);
    buf_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena arena;
    struct value value;
    struct err err = {0};

    arena_init(&arena, 64u * 1024 * 1024);
    if (json_parse(&arena, (const char *)bytes, length, &value, &err) == ERR_OK)
        parse_again(&arena, &value);
    else
        LAW(err.code != ERR_OK && err.text[0] != '\0');
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
