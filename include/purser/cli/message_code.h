/* What each code of a message means: `purser help CODE` and docs/MESSAGES.md are printed from here.
 *
 * Codes are stable and never reused. tests/messages finds a code that is not here, one that nothing
 * reports, and an example that is not true. */
#ifndef PURSER_CLI_MESSAGE_CODE_H
#define PURSER_CLI_MESSAGE_CODE_H

#include "purser/base/buf.h"

struct message_code {
    const char *code;        /* FAMILY.NAME, as in [spec.unknown_key] */
    const char *meaning;     /* one line */
    const char *explanation; /* why it is refused or warned of, and what to do */
    const char *wrong;       /* an example that brings the message up: part of a spec, rows, or a
                                command */
    const char *right;       /* the same without it */
};

/* Codes that begin alike. */
struct message_family {
    const char *name; /* what stands before the point */
    const char *about;
    const struct message_code *codes;
    unsigned count;
};

/* The n-th; NULL past the end. */
const struct message_family *message_family_at(unsigned index);

/* NULL when there is none. */
const struct message_code *message_code_find(const char *code);

/* The one that is most like `code`; NULL when none is. */
const struct message_code *message_code_closest(const char *code);

/* Appends what `purser help CODE` says. */
void message_code_explain(const struct message_code *code, struct buf *out);

/* Appends all codes, one a line. */
void message_code_list(struct buf *out);

/* Appends all codes with their examples as Markdown. */
void message_code_document(struct buf *out);

#endif
