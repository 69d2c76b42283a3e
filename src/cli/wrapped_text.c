#include "purser/cli/wrapped_text.h"

#include <stdbool.h>
#include <string.h>

static size_t width_of(const char *bytes, size_t length)
{
    size_t width = 0;

    for (size_t i = 0; i < length; i++)
        width += ((unsigned char)bytes[i] & 0xc0) != 0x80;
    return width;
}

size_t wrapped_text_width(const char *text)
{
    return width_of(text, strlen(text));
}

void wrapped_text_append(struct buf *out, const char *text, size_t column, size_t indent)
{
    for (bool is_first = true; *text != '\0'; is_first = false) {
        size_t length = strcspn(text, " "), width = width_of(text, length);

        if (!is_first && column + 1 + width > WRAPPED_TEXT_COLUMNS) {
            buf_append_format(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!is_first) {
            buf_append_byte(out, ' ');
            column++;
        }
        buf_append(out, text, length);
        column += width;
        text += length;
        text += strspn(text, " ");
    }
    buf_append_byte(out, '\n');
}
