/* Values that expressions work on: cells of a row, variables, parts of an answer.
 *
 * Numbers are their own text, never a double. OMIT is the value that is not there: the field of a
 * body that holds it is left out. Its `boolean` is true when it was asked for by the word `omit`,
 * so that when_empty can tell a wish from a gap. UNKNOWN stands for what another item's answer will
 * give: whatever is made of it is UNKNOWN too, so that the rest of a row can be checked before that
 * answer is there. All memory belongs to the arena it was made in. */
#ifndef PURSER_CODEC_VALUE_H
#define PURSER_CODEC_VALUE_H

#include "purser/base/arena.h"
#include "purser/base/buf.h"
#include "purser/base/text.h"

enum value_kind {
    VALUE_OMIT,
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_NUMBER,
    VALUE_STRING,
    VALUE_LIST,
    VALUE_MAP,
    VALUE_UNKNOWN,
};

/* What stands for UNKNOWN in a text, and in JSON (in quotes). Nothing with it in it is ever sent.
 */
#define VALUE_UNKNOWN_TEXT "~"
#define VALUE_UNKNOWN_JSON "\"\\u0001~\""

struct value {
    enum value_kind kind;
    union {
        bool boolean;
        struct slice text; /* NUMBER: as written, valid JSON; STRING: UTF-8 */
        struct {
            const struct value *items;
            size_t count;
        } list;
        struct {
            const struct slice *names; /* in source order, unique */
            const struct value *values;
            size_t count;
        } map;
    };
};

/* The member called `name`, or OMIT when there is none or `value` is no map. */
struct value value_member(const struct value *value, struct slice name);

/* True if `value` is the text that VALUE_UNKNOWN_JSON gives when it is read back. */
bool value_was_unknown(const struct value *value);

/* "text", "number", "list" … for messages. */
const char *value_kind_name(enum value_kind kind);

/* Appends the value as JSON; OMIT inside lists and maps is left out, OMIT itself appends nothing.
 */
void value_append_json(struct buf *buf, const struct value *value);

#endif
