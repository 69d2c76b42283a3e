#include "purser/codec/spec_path.h"

#include <stdio.h>
#include <string.h>

#include "purser/codec/operation_guess.h"

enum { HELP_BYTES = OPERATION_GUESS_BYTES + 128 };

const char *spec_path_fixed_text(struct spec_reader *reader, struct slice path)
{
    char *text = spec_new(reader, path.length + 1, 1);
    size_t length = 0;

    for (size_t i = 0; text != NULL && i < path.length;) {
        struct slice rest = {path.bytes + i, path.length - i};

        if (rest.length > 1 && memcmp(rest.bytes, "${", 2) == 0) {
            text[length++] = '~';
            i = spec_expression_end(path, i);
            continue;
        }
        if (rest.length > 2 && memcmp(rest.bytes, "$${", 3) == 0) {
            text[length++] = '$'; /* no expression begins behind it */
            i++;
        }
        text[length++] = path.bytes[i++];
    }
    return text;
}

const char *spec_path_shape(struct spec_reader *reader, const char *text)
{
    char *shape = spec_new(reader, strlen(text) + 1, 1);
    size_t length = 0;

    while (shape != NULL && *text != '\0') {
        size_t segment = strcspn(text, "/");

        if (memchr(text, '~', segment) != NULL) {
            shape[length++] = '~';
        } else {
            memcpy(shape + length, text, segment);
            length += segment;
        }
        text += segment;
        if (*text == '/')
            shape[length++] = *text++;
    }
    return shape;
}

const char *spec_path_template(struct spec_reader *reader, const char *shape)
{
    static const char name[] = "{value}";
    char *template = spec_new(reader, strlen(shape) * (sizeof name - 1) + 1, 1);
    size_t length = 0;

    for (; template != NULL && *shape != '\0'; shape++) {
        if (*shape == '~') {
            memcpy(template + length, name, sizeof name - 1);
            length += sizeof name - 1;
        } else {
            template[length++] = *shape;
        }
    }
    return template;
}

void spec_path_report_unknown(struct spec_reader *reader, const struct yaml_node *request,
                              enum http_method method, struct slice path, const char *shape)
{
    char guess[OPERATION_GUESS_BYTES], help[HELP_BYTES];
    bool below_base = strncmp(shape, "/versioned/", 11) == 0;

    if (!operation_guess(method, shape, guess, sizeof guess, NULL))
        snprintf(guess, sizeof guess, "purser operations lists what there is");
    snprintf(help, sizeof help, "%s%s (custom: true sends it as it is, at most once)", guess,
             below_base ? " /versioned is in the base URL already" : "");
    spec_error(reader, request->place, "spec.unknown_operation", help,
               "the API has no write operation %s %.*s", method_name(method), (int)path.length,
               path.bytes);
}

/* POST /accounting/{entityType} takes every name, so a slip of the pen would pass as one. */
void spec_path_warn_of_custom_object(struct spec_reader *reader, const struct yaml_node *request,
                                     const struct operation *operation, const char *shape)
{
    const struct operation *guess;
    char help[OPERATION_GUESS_BYTES];

    if (strcmp(operation->path, "/accounting/{entityType}") != 0 || strchr(shape, '~') != NULL)
        return;
    if (operation_guess(METHOD_POST, shape, help, sizeof help, &guess) && guess != operation)
        diagnostics_add(reader->diagnostics, DIAG_WARNING, request->place, "spec.custom_object",
                        help, "%s is taken for a custom object of the platform", shape);
}
