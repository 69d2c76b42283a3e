/* JSON text ↔ values.
 *
 * Strict: one value, no trailing bytes but white space, no comments, no duplicate names, valid
 * UTF-8, nesting ≤ JSON_DEPTH_MAX. A decimal keeps its own text; whole numbers are exact up to
 * ±2^63 / 2^64-1, longer ones are refused. `\u0000` is refused; half of a surrogate pair becomes
 * U+FFFD, because servers cut texts in the middle of a pair.
 *
 * No library does the parsing: json-c 0.16 gives null for a text that it has no memory for, leaves
 * members out or dies of it, and an answer that is read differently than it stands there decides
 * wrongly. Nor is it strict: 1. 00 NaN {'a':1}, and the last of two equal names wins. */
#ifndef PURSER_CODEC_JSON_H
#define PURSER_CODEC_JSON_H

#include "purser/base/err.h"
#include "purser/codec/value.h"

/* Parses into values that live in `arena`. Errors: ERR_INPUT (what and at which byte), ERR_TOO_BIG,
 * ERR_NO_MEMORY; *value_out is then untouched. */
enum err_code json_parse(struct arena *arena, const char *bytes, size_t length,
                         struct value *value_out, struct err *err) ERR_CHECKED;

/* The same; an ERR_INPUT has *bad_at_out, the offset of the byte that is wrong, in place of it in
 * its text. SIZE_MAX when there is no such byte. */
enum err_code json_parse_at(struct arena *arena, const char *bytes, size_t length,
                            struct value *value_out, size_t *bad_at_out,
                            struct err *err) ERR_CHECKED;

/* The bytes of the value of member `name` in an object that json_parse() has accepted; no bytes
 * when it is not there, or its name is written with escapes. */
struct slice json_find_member(struct slice object, struct slice name);

/* The number of bytes of the JSON number that `bytes` begins with; 0 when there is none. What
 * follows it is not looked at, but 007 and 1. have no number of their whole length: 1. Sets
 * *is_whole_out when it has neither fraction nor exponent. Source: RFC 8259, section 6. */
size_t json_number_length(const char *bytes, size_t length, bool *is_whole_out);

/* True if a whole JSON number is from -2^63 to 2^64-1. */
bool json_whole_fits(struct slice number);

/* True if a number somewhere in `value` is whole and does not fit: as JSON nobody could be sure to
 * read what was written, and json_parse() refuses it. */
bool json_holds_long_number(const struct value *value);

#endif
