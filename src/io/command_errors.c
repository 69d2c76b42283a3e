#include "command_errors.h"

#include <string.h>
#include <unistd.h>

#include "purser/base/buf.h"
#include "purser/base/log.h"
#include "purser/base/text.h"

#define BETWEEN " | "

void command_errors_init(struct command_errors *errors, const char *program)
{
    const char *slash = strrchr(program, '/');

    *errors = (struct command_errors){.program = slash == NULL ? program : slash + 1};
}

/* Forgets the first of the lines that are kept. */
static void drop_first(struct command_errors *errors)
{
    size_t cut = errors->kept > 1 ? errors->starts[1] : strlen(errors->last);

    memmove(errors->last, errors->last + cut, strlen(errors->last + cut) + 1);
    for (size_t i = 1; i < errors->kept; i++)
        errors->starts[i - 1] = errors->starts[i] - cut;
    errors->kept--;
}

static void keep(struct command_errors *errors, const char *text, size_t length)
{
    size_t used, between;

    if (length == 0)
        return;
    if (length > COMMAND_WORDS_BYTES / 2)
        length = COMMAND_WORDS_BYTES / 2;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    while (
        errors->kept == COMMAND_LINES_KEPT ||
        (errors->kept > 0 && strlen(errors->last) + sizeof BETWEEN + length > sizeof errors->last))
        drop_first(errors);
    used = strlen(errors->last);
    between = used > 0 ? sizeof BETWEEN - 1 : 0;
    memcpy(errors->last + used, BETWEEN, between);
    errors->starts[errors->kept++] = used + between;
    memcpy(errors->last + used + between, text, length);
    errors->last[used + between + length] = '\0';
}

/* The same way as a line of the log: one write, so that lines of several processes do not mix. */
static void pass_on(struct command_errors *errors)
{
    struct buf line;
    size_t start;

    while (errors->length > 0 && errors->line[errors->length - 1] == '\r')
        errors->length--;
    errors->length = log_redact(errors->line, errors->length);
    buf_init(&line, 4 * COMMAND_LINE_BYTES + 512);
    text_append_printable(&line, slice_of(errors->program));
    buf_append_text(&line, ": ");
    start = line.length;
    text_append_printable(&line, (struct slice){errors->line, errors->length});
    if (line.failed == ERR_OK)
        keep(errors, line.bytes + start, line.length - start);
    buf_append_byte(&line, '\n');
    if (line.failed == ERR_OK)
        (void)!write(STDERR_FILENO, line.bytes, line.length);
    buf_deinit(&line);
    errors->length = 0;
}

void command_errors_take(struct command_errors *errors, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n' || errors->length == COMMAND_LINE_BYTES - 1)
            pass_on(errors);
        if (bytes[i] != '\n')
            errors->line[errors->length++] = bytes[i];
    }
}

void command_errors_finish(struct command_errors *errors)
{
    if (errors->length > 0)
        pass_on(errors);
}
