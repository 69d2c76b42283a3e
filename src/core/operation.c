#include "purser/core/operation.h"

#include <string.h>

#include "operation_table.h"

bool operation_takes_path(const struct operation *operation, struct slice path)
{
    const char *template = operation->path;
    size_t at = 0;

    while (*template != '\0') {
        if (*template == '{') {
            size_t start = at;

            while (at < path.length && path.bytes[at] != '/')
                at++;
            if (at == start)
                return false;
            template += strcspn(template, "}") + 1;
        } else if (at < path.length && path.bytes[at] == *template) {
            at++;
            template ++;
        } else {
            return false;
        }
    }
    return at == path.length;
}

const struct operation *operation_find(enum http_method method, struct slice path)
{
    const struct operation *operation;

    for (size_t i = 0; (operation = operation_at(i)) != NULL; i++)
        if (operation->method == method && operation_takes_path(operation, path))
            break;
    return operation;
}

const struct operation *operation_at(size_t index)
{
    return index < operation_table_count ? &operation_table[index] : NULL;
}

enum repeat operation_repeat(const struct operation *operation)
{
    switch (operation->class) {
    case CLASS_Y:
    case CLASS_Y_PATCH:
        return REPEAT_BY_KEY;
    case CLASS_A:
    case CLASS_Y_MODE_ONLY:
        return REPEAT_IF_PROVEN;
    case CLASS_N:
        break;
    }
    return REPEAT_NEVER;
}

static const char *const method_names[METHOD_COUNT] = {
    [METHOD_GET] = "GET", [METHOD_POST] = "POST",     [METHOD_PATCH] = "PATCH",
    [METHOD_PUT] = "PUT", [METHOD_DELETE] = "DELETE",
};

const char *method_name(enum http_method method)
{
    return method_names[method];
}

bool method_parse(struct slice name, enum http_method *method_out)
{
    for (int i = 0; i < METHOD_COUNT; i++) {
        if (strlen(method_names[i]) == name.length &&
            memcmp(method_names[i], name.bytes, name.length) == 0) {
            *method_out = (enum http_method)i;
            return true;
        }
    }
    return false;
}
