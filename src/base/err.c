#include "purser/base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list arguments;

    assert(code < ERR_CODE_COUNT);
    err->code = code;
    va_start(arguments, format);
    if (vsnprintf(err->text, sizeof err->text, format, arguments) < 0)
        err->text[0] = '\0';
    va_end(arguments);
    return code;
}

enum err_code err_wrap(struct err *err, const char *format, ...)
{
    char inner[ERR_TEXT_BYTES];
    va_list arguments;
    int length;

    memcpy(inner, err->text, sizeof inner);
    va_start(arguments, format);
    length = vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    if (length < 0)
        length = 0;
    if ((size_t)length < sizeof err->text) {
        size_t left = sizeof err->text - (size_t)length;

        /* Cutting is fine: the outer context is what must not be lost. */
        if (snprintf(err->text + length, left, ": %s", inner) < 0)
            err->text[length] = '\0';
    }
    return err->code;
}

int err_exit_status(enum err_code code)
{
    static const int exit_statuses[] = {
#define X(name, exit_status, text) [name] = (exit_status),
        ERR_LIST(X)
#undef X
    };

    assert(code < ERR_CODE_COUNT);
    return exit_statuses[code];
}

const char *err_code_text(enum err_code code)
{
    static const char *const texts[] = {
#define X(name, exit_status, text) [name] = text,
        ERR_LIST(X)
#undef X
    };

    assert(code < ERR_CODE_COUNT);
    return texts[code];
}
