/* What all readers of answers share: the form of a body, errors in it, texts made safe to show.
 *
 * Private to codec. Values and slices borrow from the arena or from the body. */
#ifndef PURSER_CODEC_ANSWER_H
#define PURSER_CODEC_ANSWER_H

#include "purser/base/arena.h"
#include "purser/codec/value.h"

enum answer_form {
    ANSWER_EMPTY,
    ANSWER_UNREADABLE, /* not strict JSON, cut, of another media type, or no object */
    ANSWER_WEB_PAGE,
    ANSWER_OBJECT
};

/* Sets *root_out only for ANSWER_OBJECT. `type` is the Content-Type, NULL or "" = none given. */
enum answer_form answer_parse(struct arena *arena, struct slice body, const char *type,
                              struct value *root_out);

/* Without white space around it. */
struct slice answer_trimmed(struct slice text);

/* The text member called `name`; empty when there is none or it is no text. */
struct slice answer_text_member(const struct value *map, const char *name);
/* "2023-01-02T03:04:05.678Z" → Unix milliseconds, fraction left out; 0 when it is anything else. */
int64_t answer_time_ms(struct slice text);
bool answer_is_map(const struct value *value);

/* Errors whose code says more than the HTTP status.
 * Source: docs.rutter.com, rest/2023-03-14/errors (read 2026-11). */
enum answer_error_kind {
    ANSWER_ERROR_OTHER,
    ANSWER_ERROR_BAD_CREDENTIALS,
    ANSWER_ERROR_NOT_ALLOWED,
    ANSWER_ERROR_NEEDS_UPDATE,
    ANSWER_ERROR_DISABLED,
    ANSWER_ERROR_NOT_READY,
    ANSWER_ERROR_BAD_VERSION, /* of X-Rutter-Version; the code's name is not documented */
};

struct answer_error {
    enum answer_error_kind kind;
    struct slice type, code;  /* words; either may be empty */
    struct slice message;     /* as given, not yet safe to show, as the following */
    struct slice explanation; /* error_metadata.human_readable; empty when it is the message */
    struct value platform;    /* error_metadata.platform; OMIT = none */
};

/* {"error_type":…,"error_code":…,"error_message":…} or the older {"errors":[{…}]}; false when the
 * object is neither, *error_out is then empty. */
bool answer_read_error(const struct value *root, struct answer_error *error_out);

/* What the platform itself said, as "name=value" of its plain members; "" when there is nothing.
 * Members that are named like credentials are left out. */
const char *answer_platform_text(struct arena *arena, const struct value *platform);

/* Safe to show and without secrets, cut at the end of a character; "" when there is nothing, or no
 * memory for it. */
const char *answer_safe_text(struct arena *arena, struct slice text, size_t bytes_max);

#endif
