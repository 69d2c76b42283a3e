#include <string.h>

#include "json_string.h"
#include "purser/codec/json.h"

static void skip_space(struct text_reader *text)
{
    while (text->at < text->text.length && strchr(" \t\r\n", text_peek(text)) != NULL)
        text->at++;
}

/* To the end of the value that begins here. It is known to be one. */
static void skip_value(struct text_reader *text)
{
    size_t depth = 0, start = text->at;
    struct slice ignored;
    bool escaped;

    while (text->at < text->text.length) {
        char byte = text_peek(text);

        if (depth == 0 && text->at > start && strchr(",} \t\r\n", byte) != NULL)
            return;
        if (byte == '"') {
            (void)json_string_read(text, &ignored, &escaped);
            continue;
        }
        text->at++;
        depth += byte == '{' || byte == '[';
        if ((byte == '}' || byte == ']') && depth-- == 1)
            return;
    }
}

struct slice json_find_member(struct slice object, struct slice name)
{
    struct text_reader text = {.text = object};
    struct slice found;
    bool escaped;

    skip_space(&text);
    for (text.at++; text.at < object.length;) {
        size_t start;

        if (text_peek(&text) != '"') {
            text.at++;
            continue;
        }
        if (json_string_read(&text, &found, &escaped) != NULL)
            break;
        skip_space(&text);
        text.at++; /* the colon */
        skip_space(&text);
        start = text.at;
        skip_value(&text);
        if (slice_equal(found, name))
            return (struct slice){object.bytes + start, text.at - start};
    }
    return (struct slice){NULL, 0};
}
