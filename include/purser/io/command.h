/* Runs a program and hands its output on, piece by piece.
 *
 * No shell. Standard input is /dev/null. What it writes to standard error is passed on line by
 * line, made safe for a terminal and without secrets. It has a process group of its own. When its
 * time is over, when the sink refuses, when purser is asked to stop or has died, it is ended with
 * all that it has started: asked by SIGTERM, and two seconds later by SIGKILL. What one that ended
 * by itself has left behind without the output stays. */
#ifndef PURSER_IO_COMMAND_H
#define PURSER_IO_COMMAND_H

#include "purser/base/byte_sink.h"
#include <stdint.h>

#define COMMAND_WORDS_BYTES 400

struct command {
    const char *const *arguments; /* the program first; a NULL behind the last */
    const char *folder;           /* in which it runs, and from which a program with / is found */
    const char *const *hidden;    /* variables that it does not get; a NULL behind the last */
    int64_t timeout_ms;
};

enum command_outcome {
    COMMAND_EXITED,      /* number: its status */
    COMMAND_KILLED,      /* number: of the signal */
    COMMAND_TIMED_OUT,   /* and was killed; number: an enum command_delay */
    COMMAND_NOT_STARTED, /* number: the errno */
};

enum command_delay {
    DELAY_BUSY,        /* it had not ended */
    DELAY_SILENT,      /* nor that, but its output had */
    DELAY_OUTPUT_HELD, /* it had ended, and what it has started had its output */
};

struct command_end {
    enum command_outcome outcome;
    int number;
    char last_words[COMMAND_WORDS_BYTES]; /* its last lines on standard error, " | " between them */
};

/* Runs it until it and its output have ended. Errors, after which it is dead: ERR_STOPPED (SIGINT,
 * SIGTERM or SIGHUP came; a second one while it is ended kills it at once and stays pending), what
 * `output` said, ERR_SYSTEM, ERR_NO_MEMORY. */
enum err_code command_run(const struct command *command, const struct byte_sink *output,
                          struct command_end *end_out, struct err *err) ERR_CHECKED;

#endif
