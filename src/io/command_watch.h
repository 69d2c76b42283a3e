/* The process between purser and a command, which ends the command when purser has died. Private to
 * io/command.
 *
 * It is forked, not executed, and holds nothing of purser's but one end of a socket; purser has the
 * other one. What the command has started and what has lost its parent since becomes its child, so
 * that all of it is found, whichever process group it is in. Orders go down the socket one byte
 * each, and its end, which is what purser's death looks like, is an order as well; what the command
 * has come to goes up. No signal but SIGKILL ends the watcher, and the kernel then kills the
 * command. */
#ifndef PURSER_IO_COMMAND_WATCH_H
#define PURSER_IO_COMMAND_WATCH_H

#include "purser/io/command.h"

enum watch_order {
    WATCH_RELEASE = 'r',   /* go; what the command has left behind stays */
    WATCH_TERMINATE = 't', /* SIGTERM to all, SIGKILL two seconds later; so does the end of file */
    WATCH_KILL = 'k',      /* SIGKILL to all, now */
};

enum watch_news {
    WATCH_NOT_STARTED, /* number: the errno; WATCH_ENDED follows */
    WATCH_ENDED,       /* number: the status, as waitpid() has it */
};

struct watch_report {
    enum watch_news news;
    int number;
};

/* What is left for the watcher of descriptors. */
struct watch_ends {
    int output, errors; /* of the command, to be written */
    int talk;           /* SOCK_SEQPACKET; nobody but purser has the other end */
};

/* In the child: starts the command and stays until it is released or all is dead, at most some
 * seconds after it was told to end it. Only calls that are safe after fork(). */
_Noreturn void command_watch(const struct command *command, char **variables,
                             const struct watch_ends *ends);

#endif
