/* What went wrong, as a code for the caller and a sentence for the user.
 *
 * Owns: the list of codes and the exit status that each leads to. A struct err allocates nothing
 * and needs no freeing. A caller starts with `struct err err = {0};`; the code in it is always
 * the code returned. Secrets must never be put into a text. */
#ifndef PURSER_BASE_ERR_H
#define PURSER_BASE_ERR_H

#define EXIT_DONE 0          /* all done, or nothing to do */
#define EXIT_INTERNAL 1      /* internal or storage failure */
#define EXIT_INPUT 2         /* usage, spec or input error; nothing was sent */
#define EXIT_SOME_FAILED 3   /* finished, some items failed */
#define EXIT_CREDENTIALS 4   /* credentials refused */
#define EXIT_MAX_FAILURES 5  /* too much failed */
#define EXIT_LOCKED 6        /* the ledger is locked by another purser */
#define EXIT_IN_DOUBT 7      /* items in doubt remain */
#define EXIT_NOT_FINISHED 75 /* run again to go on */

/* name, exit status, short text */
#define ERR_LIST(X)                                                            \
    X(ERR_OK, EXIT_DONE, "ok")                                                 \
    X(ERR_INTERNAL, EXIT_INTERNAL, "internal error")                           \
    X(ERR_NO_MEMORY, EXIT_INTERNAL, "out of memory")                           \
    X(ERR_SYSTEM, EXIT_INTERNAL, "a system call failed")                       \
    X(ERR_STORAGE, EXIT_INTERNAL, "the ledger cannot be written or read")      \
    X(ERR_OUTPUT, EXIT_INTERNAL, "output could not be written")                \
    X(ERR_TOO_BIG, EXIT_INPUT, "a stated maximum was reached")                 \
    X(ERR_USAGE, EXIT_INPUT, "wrong usage")                                    \
    X(ERR_INPUT, EXIT_INPUT, "wrong spec or input")                            \
    X(ERR_NOT_FOUND, EXIT_INPUT, "not found")                                  \
    X(ERR_STATE_DIRECTORY, EXIT_INPUT, "the state directory cannot be used")   \
    X(ERR_CREDENTIALS, EXIT_CREDENTIALS, "credentials are missing or refused") \
    X(ERR_LOCKED, EXIT_LOCKED, "locked by another purser")                     \
    X(ERR_STOPPED, EXIT_NOT_FINISHED, "stopped by a signal")                   \
    X(ERR_BUSY, EXIT_INTERNAL, "no free slot")                                 \
    X(ERR_DAMAGED, EXIT_INTERNAL, "a record of the ledger is damaged")

enum err_code {
#define X(name, exit_status, text) name,
    ERR_LIST(X)
#undef X
        ERR_CODE_COUNT
};

#define ERR_TEXT_BYTES 512

struct err {
    enum err_code code;
    char text[ERR_TEXT_BYTES]; /* one or more lines; a line "hint: …" may close it */
};

#define ERR_CHECKED __attribute__((warn_unused_result))

/* Sets code and text and returns `code`. A text that is too long is cut. */
enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the text and returns the code that is there already. */
enum err_code err_wrap(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The exit status that a program ends with after this code. */
int err_exit_status(enum err_code code);

/* The short text of a code, for messages that have no better one. Never NULL. */
const char *err_code_text(enum err_code code);

#endif
