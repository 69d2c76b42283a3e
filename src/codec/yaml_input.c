#include "purser/codec/yaml_input.h"

#include <stdio.h>
#include <string.h>

#include "purser/base/text.h"
#include "purser/codec/yaml_marks.h"
#include "purser/core/limits.h"

static bool starts_with(const char *bytes, size_t length, const char *text)
{
    return length >= strlen(text) && memcmp(bytes, text, strlen(text)) == 0;
}

size_t yaml_input_mark_length(const char *bytes, size_t length)
{
    return starts_with(bytes, length, "\xef\xbb\xbf") ? 3 : 0;
}

static bool refuse(struct diagnostics *diagnostics, struct place place, const char *code,
                   const char *help, const char *text)
{
    diagnostics_add(diagnostics, DIAG_ERROR, place, code, help, "%s", text);
    return false;
}

static bool has_size(const char *file, size_t length, struct diagnostics *diagnostics)
{
    if (length <= SPEC_BYTES_MAX)
        return true;
    return refuse(diagnostics, (struct place){file, 0, 0, 0}, "yaml.too_big",
                  "put the rows into a CSV or NDJSON file and name it under source",
                  "the file is larger than 4 MiB");
}

static bool has_encoding(const char *file, const char *bytes, size_t length,
                         struct diagnostics *diagnostics)
{
    struct yaml_position at = {(uint32_t)yaml_input_mark_length(bytes, length), 1, 1};
    char text[96];
    size_t bad;

    if (starts_with(bytes, length, "\xff\xfe") || starts_with(bytes, length, "\xfe\xff"))
        return refuse(diagnostics, (struct place){file, 1, 1, 0}, "yaml.encoding",
                      "save the file as UTF-8", "the file is UTF-16, not UTF-8");
    if (text_is_utf8(bytes, length, &bad))
        return true;
    at = yaml_position_after(at, bytes, bad);
    snprintf(text, sizeof text,
             bytes[bad] == '\0' ? "the file has a NUL byte at offset %zu"
                                : "the file is not valid UTF-8 at byte offset %zu",
             bad);
    return refuse(diagnostics, (struct place){file, at.line, at.column, 1}, "yaml.encoding",
                  "save the file as UTF-8", text);
}

static bool has_no_tag_lines(const char *file, const char *bytes, size_t length,
                             struct diagnostics *diagnostics)
{
    uint32_t line = 1;

    for (size_t at = yaml_input_mark_length(bytes, length); at < length; line++) {
        const char *end = memchr(bytes + at, '\n', length - at);

        if (starts_with(bytes + at, length - at, "%TAG"))
            return refuse(diagnostics, (struct place){file, line, 1, 4}, "yaml.tag",
                          "leave the line out", "%TAG lines are not supported");
        if (end == NULL)
            break;
        at = (size_t)(end - bytes) + 1;
    }
    return true;
}

bool yaml_input_is_usable(const char *file, const char *bytes, size_t length,
                          struct diagnostics *diagnostics)
{
    return has_size(file, length, diagnostics) && has_encoding(file, bytes, length, diagnostics) &&
           has_no_tag_lines(file, bytes, length, diagnostics);
}
