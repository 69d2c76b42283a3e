/* One secret, read from where a reference says. */
#ifndef PURSER_IO_SECRET_VALUE_H
#define PURSER_IO_SECRET_VALUE_H

#include "purser/codec/spec.h"

/* Why a secret cannot be had; no part of it. */
struct secret_problem {
    bool missing;     /* it is not there, or empty; else something is wrong with it */
    const char *code; /* of the message, such as "credentials.mode" */
    const char *help; /* NULL = none */
    char text[4352];  /* "file 'key' can be read by others" */
};

/* Reads a variable, a file or a credential: visible ASCII, at most SECRET_BYTES_MAX bytes, one line
 * break at the end cut off; a file that belongs to another user or that others can read is refused.
 * False with *problem_out. The caller wipes *value_out in any case. */
bool secret_value_read(enum secret_kind kind, const char *name,
                       char value_out[SECRET_BYTES_MAX + 1], struct secret_problem *problem_out);

/* Registers it with the log, as it is and as it stands in a URL and in JSON. False when it could
 * not be kept: then it must not be used. */
bool secret_value_hide(const char *value);

#endif
