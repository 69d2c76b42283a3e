/* What a command writes to standard error. Private to io/command. */
#ifndef PURSER_IO_COMMAND_ERRORS_H
#define PURSER_IO_COMMAND_ERRORS_H

#include "purser/io/command.h"

enum { COMMAND_LINE_BYTES = 1000, COMMAND_LINES_KEPT = 3 };

struct command_errors {
    const char *program;           /* without its folder; borrowed */
    char line[COMMAND_LINE_BYTES]; /* not complete yet */
    size_t length;
    char last[COMMAND_WORDS_BYTES];    /* the last lines, " | " between them */
    size_t starts[COMMAND_LINES_KEPT]; /* of these lines in `last` */
    size_t kept;
};

void command_errors_init(struct command_errors *errors, const char *program);
/* Passes each line on when it is complete; one that is too long comes in parts. */
void command_errors_take(struct command_errors *errors, const char *bytes, size_t length);
/* A last line without an end. */
void command_errors_finish(struct command_errors *errors);

#endif
